#include "bench.h"
#include "event/event.h"
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void bench_folder(char out[64])
{
    strcpy(out, "/tmp/branch-test-XXXXXX");
    assert_non_null(mkdtemp(out));
}

void bench_folder_fast(char out[64])
{
    strcpy(out, "/dev/shm/branch-test-XXXXXX");
    if (!mkdtemp(out))
        bench_folder(out);
}

static int drop(const char *path, const struct stat *about, int kind, struct FTW *ftw)
{
    (void)about;
    (void)kind;
    (void)ftw;
    return remove(path);
}

void bench_remove(const char *folder)
{
    (void)nftw(folder, drop, 8, FTW_DEPTH | FTW_PHYS);
}

struct spool *bench_spool(const char *folder, int64_t facts_max)
{
    char path[128], error[200] = "";
    const struct spool_limits limits = {.facts_max = facts_max, .bytes_max = INT64_C(1) << 30};
    snprintf(path, sizeof path, "%s/spool.db", folder);
    struct spool *spool = spool_open(path, &limits, error, sizeof error);
    if (!spool)
        print_error("%s: %s\n", path, error);
    assert_non_null(spool);
    return spool;
}

void bench_copy(const char *from, const char *to, size_t bytes_max)
{
    char buffer[65536];
    FILE *in = fopen(from, "rb"), *out = fopen(to, "wb");
    assert_non_null(in);
    assert_non_null(out);
    size_t got;
    while (bytes_max > 0 && (got = fread(buffer, 1, bytes_max < sizeof buffer ? bytes_max : sizeof buffer, in)) > 0) {
        assert_int_equal(fwrite(buffer, 1, got, out), got);
        bytes_max -= got;
    }
    fclose(in);
    fclose(out);
}

size_t bench_size(const char *path)
{
    struct stat about;
    return stat(path, &about) == 0 ? (size_t)about.st_size : 0;
}

bool bench_holds(const char *path, const char *text)
{
    size_t size = bench_size(path);
    char *all = memory_new(size + 1);
    FILE *file = fopen(path, "rb");
    size_t got = file ? fread(all, 1, size, file) : 0;
    if (file)
        fclose(file);
    bool found = memmem(all, got, text, strlen(text)) != NULL;
    free(all);
    return found;
}

static void bench_draft(const char *type, const char *key, struct bytes data, struct bytes priv, struct buf *out)
{
    const struct draft draft = {.type = type, .v = 1, .key = key, .data = data, .priv = priv};
    draft_encode(&draft, out);
}

void bench_registration(const char *key, const char *request_id, const char *customer, const char *phone, struct buf *out)
{
    struct buf data = {0}, priv = {0};
    bool named = customer[0] != '\0', asked = request_id[0] != '\0';
    pack_map(&data, 2u + named + asked);
    pack_text(&data, "kind");
    pack_text(&data, "repair");
    pack_text(&data, "region");
    pack_text(&data, "GD01");
    if (asked) {
        pack_text(&data, "request_id");
        pack_text(&data, request_id);
    }
    if (named) {
        pack_text(&data, "customer");
        pack_map(&data, 1);
        pack_text(&data, "id");
        pack_text(&data, customer);
    }
    if (phone[0] != '\0') {
        pack_map(&priv, 1);
        pack_text(&priv, "customer");
        pack_map(&priv, 1);
        pack_text(&priv, "phone");
        pack_text(&priv, phone);
    }
    bench_draft("ticket.registered", key, buf_bytes(&data), buf_bytes(&priv), out);
    buf_release(&data);
    buf_release(&priv);
}

void bench_note(const char *key, const char *text, struct buf *out)
{
    struct buf data = {0}, priv = {0};
    pack_map(&data, 0);
    pack_map(&priv, 1);
    pack_text(&priv, "text");
    pack_text(&priv, text);
    bench_draft("ticket.noted", key, buf_bytes(&data), buf_bytes(&priv), out);
    buf_release(&data);
    buf_release(&priv);
}

int64_t bench_take(struct spool *spool, const char *key, const char *text)
{
    struct buf draft = {0};
    int64_t n = 0;
    bench_note(key, text, &draft);
    const struct spool_fact fact = {
        .type = "ticket.noted", .key = key, .draft = buf_bytes(&draft), .taken_us = MORNING_US, .origin = "app"};
    assert_int_equal(spool_take(spool, &fact, &n), STATUS_OK);
    buf_release(&draft);
    return n;
}
