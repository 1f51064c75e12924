/* A CSV file, gzip or not, under a mapping: [which mapping, 1 byte][the file]; the last one of them stands in the input itself, up to
 * a line "---". Nothing a file holds ends the reading otherwise than by its end, and what becomes of a row is an event. */
#include "base/text.h"
#include "event/event.h"
#include "fuzz.h"
#include "proto/catalogue.h"
#include "record/pack.h"
#include "seeds.h"
#include "services/cli/mapping.h"
#include <assert.h>
#include <string.h>

#define FILES 3
static const char *const paths[FILES] = {"deploy/mappings/boston311.yaml", "deploy/mappings/incidents.yaml", "tests/fuzz/mapping.yaml"};
static struct buf files[FILES];

struct reading {
    struct mapping *mapping;
    struct plan plan;
    size_t cells, rows;
};

static bool on_header(void *owner, const struct csv_row *row)
{
    struct reading *reading = owner;
    struct problem problem;
    reading->cells = row->n;
    return mapping_bind(reading->mapping, row, &problem);
}

static void on_row(void *owner, const struct csv_row *row)
{
    struct reading *reading = owner;
    struct problem problem = {0};
    assert(row->n == reading->cells);
    reading->rows++;
    if (!mapping_row(reading->mapping, row, &reading->plan, &problem))
        assert(problem.code[0] != '\0');
}

static void on_bad(void *owner, const struct csv_row *row, const char *reason)
{
    (void)owner;
    assert(row->line > 0 && reason[0] != '\0');
}

static void drafts_check(struct plan *plan)
{
    struct plan_item item;
    struct problem problem;
    int64_t before = 0;
    plan_ready(plan, INT64_MIN, INT64_MAX, 0);
    while (plan_next(plan, &item)) {
        assert(item.n == before + 1);
        before = item.n;
        struct bytes draft = plan_draft(plan, item.fact);
        bool fine = skim(draft, &problem);
        assert(fine && draft.len <= DRAFT_BYTES_MAX);
    }
}

static void file_read(struct mapping *mapping, struct bytes raw)
{
    static const struct csv_listener listener = {.header = on_header, .row = on_row, .bad = on_bad};
    struct buf text = {0};
    const char *why = NULL, *found = NULL;
    struct reading reading = {.mapping = mapping};
    if (!csv_unpack(raw, &text, &why)) {
        assert(why != NULL && why[0] != '\0');
    } else if (text.len < (1U << 20) && csv_to_utf8(&text, mapping_encoding(mapping), &found)) {
        if (csv_parse_text(buf_bytes(&text), mapping_delimiter(mapping), &listener, &reading))
            drafts_check(&reading.plan);
    }
    plan_release(&reading.plan);
    buf_release(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct problems problems = {0};
    if (n == 0)
        return 0;
    for (size_t i = 0; i < FILES && files[i].len == 0; i++)
        if (!fuzz_file(paths[i], &files[i]))
            __builtin_trap();
    struct bytes rest = bytes_of(data + 1, n - 1), own = buf_bytes(&files[data[0] % FILES]);
    if (data[0] % (FILES + 1) == FILES) {
        const uint8_t *end = rest.len > 0 ? memmem(rest.data, rest.len, "---\n", 4) : NULL;
        size_t size = end != NULL ? (size_t)(end - rest.data) : rest.len, over = size + (end != NULL ? 4 : 0);
        own = bytes_of(rest.data, size);
        rest = bytes_of(rest.data + over, rest.len - over);
    }
    struct mapping *mapping = mapping_parse((const char *)own.data, own.len, &problems);
    assert((mapping == NULL) == (problems.n > 0));
    if (mapping != NULL)
        file_read(mapping, rest);
    mapping_destroy(&mapping);
    problems_release(&problems);
    return 0;
}

bool fuzz_seed(unsigned i, struct buf *out)
{
    static const char *const rows[] = {
        "no,when,kind,phone,state\r\nT1,2026-06-01 10:00,leak,123,open\r\nT1,2026-06-01 11:00,leak,123,done\r\n\"T2\",bad,\"a\"\"b\nc\",,\r\n",
        "\xef\xbb\xbfno;when;kind;phone;state\nT1;1;2;3;4\n", "no,when,kind,phone,state\nT1,2026-06-01 10:00,\xc2\xa9\xcb\xae,,x,too,many\n"};
    uint8_t which = 2;
    if (i < COUNT_OF(rows)) {
        buf_append(out, &which, 1);
        buf_append_text(out, rows[i]);
        return true;
    }
    which = 3;
    buf_append(out, &which, 1);
    (void)fuzz_file(paths[i - COUNT_OF(rows)], out);
    buf_append_text(out, "---\n");
    buf_append_text(out, rows[0]);
    return i + 1 < COUNT_OF(rows) + FILES;
}
