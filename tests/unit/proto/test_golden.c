/* The bytes on the wire are for ever: what is encoded today equals proto/golden, and what stands there reads back. */
#include "base/text.h"
#include "bus/verbs.h"
#include "event/event.h"
#include "golden.h"
#include "record/pack.h"
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void file_read(const char *name, struct buf *out)
{
    char path[512];
    text_format(path, sizeof(path), "%s/proto/golden/%s", SOURCE_DIR, name);
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        fail_msg("%s is missing: run proto-write", path);
    for (size_t n; (n = fread(buf_reserve(out, 65536), 1, 65536, file)) > 0;)
        out->len += n;
    fclose(file);
}

static void bytes_are_golden(void **state)
{
    (void)state;
    struct golden golden;
    size_t n = 0, files = 0;
    for (; golden_at(n, &golden); n++) {
        struct buf have = {0};
        file_read(golden.name, &have);
        if (!bytes_equal(buf_bytes(&have), buf_bytes(&golden.text)))
            fail_msg("%s differs:\n%s", golden.name, buf_text(&golden.text));
        buf_release(&have);
        buf_release(&golden.text);
    }
    char path[512];
    text_format(path, sizeof(path), "%s/proto/golden", SOURCE_DIR);
    DIR *folder = opendir(path);
    assert_non_null(folder);
    for (const struct dirent *entry; (entry = readdir(folder)) != NULL;)
        files += strstr(entry->d_name, ".hex") != NULL;
    closedir(folder);
    assert_int_equal(files, n);
}

/* The bytes under the k-th comment. */
static struct bytes section(const char *text, unsigned k, uint8_t *room)
{
    size_t n = 0;
    unsigned seen = 0;
    for (const char *line = text; *line != '\0';) {
        const char *end = strchr(line, '\n');
        if (*line == '#') {
            seen++;
        } else if (seen == k + 1) {
            char hex[65];
            text_copy_n(hex, sizeof(hex), line, (size_t)(end - line));
            assert_true(hex_parse(hex, strlen(hex) / 2, room + n));
            n += strlen(hex) / 2;
        }
        line = end + 1;
    }
    return bytes_of(room, n);
}

static void golden_events_read_back(void **state)
{
    (void)state;
    static uint8_t body_room[65536], priv_room[65536], before_room[64], link_room[64];
    struct buf text = {0};
    struct event e;
    struct problem problem;
    file_read("event-ticket.registered.hex", &text);
    struct bytes body = section(buf_text(&text), 0, body_room), priv = section(buf_text(&text), 1, priv_room);
    struct bytes before = section(buf_text(&text), 2, before_room), link = section(buf_text(&text), 3, link_room);
    assert_true(skim(body, &problem) && skim(priv, &problem));
    assert_true(event_decode(body, priv, &e, &problem));
    assert_string_equal(e.type, "ticket.registered");
    assert_int_equal(e.pos, 2);
    assert_true(e.has_pd);
    uint8_t digest[DIGEST_BYTES], next[LINK_BYTES];
    digest_of(priv, digest);
    assert_memory_equal(digest, e.pd, DIGEST_BYTES);
    assert_int_equal(before.len, LINK_BYTES);
    link_next(before.data, body, next);
    assert_memory_equal(next, link.data, LINK_BYTES);
    /* Encoding what was decoded gives the same bytes. */
    struct buf again = {0};
    event_encode(&e, &again);
    assert_true(bytes_equal(buf_bytes(&again), body));
    buf_release(&again);
    buf_release(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(bytes_are_golden), cmocka_unit_test(golden_events_read_back)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
