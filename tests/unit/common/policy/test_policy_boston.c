/* Our due times against those that the City of Boston's own system set: every shipped request that
 * has one, under the shipped policy and calendar. */
#include "policy/due.h"

#include "base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <zlib.h>

#include <cmocka.h>

static size_t file_read(const char *path, char *out, size_t cap)
{
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    size_t n = fread(out, 1, cap, f);
    fclose(f);
    return n;
}

/* The columns of a line of the shipped file, in place; commas inside quotes belong to the text. */
static size_t columns_split(char *line, char **columns, size_t max)
{
    size_t n = 0;
    for (char *at = line; n < max;) {
        bool quoted = *at == '"';
        char *start = at + quoted;
        char *end = strpbrk(quoted ? strchr(start, '"') + 1 : start, ",\r\n");
        columns[n++] = start;
        bool more = end && *end == ',';
        if (end)
            *end = 0;
        if (quoted)
            *strchr(start, '"') = 0;
        if (!more)
            break;
        at = end + 1;
    }
    return n;
}

static bool local_read(const char *text, const struct zone *zone, int64_t *us)
{
    struct local_time t = {0};
    if (sscanf(text, "%d-%d-%d %d:%d:%d", &t.year, &t.month, &t.day, &t.hour, &t.minute,
               &t.second) != 6)
        return false;
    *us = zone_instant(zone, &t);
    return true;
}

struct tally {
    int requests, with_due, without_line, close;
};

static void request_judge(char **column, const struct policy *p, const struct calendar *calendar,
                          struct tally *tally)
{
    const struct zone *zone = zone_find(p->zone);
    const struct policy_clause *clause = policy_clause(p, "resolve");
    int64_t opened, target;
    assert_true(local_read(column[1], zone, &opened));
    tally->requests++;
    if (!local_read(column[2], zone, &target))
        return;
    tally->with_due++;
    const struct policy_limit *limit =
        policy_limit(clause, &(struct policy_subject){.kind = column[7]});
    if (!limit) {
        tally->without_line++;
        return;
    }
    int64_t apart = policy_due(clause, limit, 1, zone, calendar, opened) - target;
    tally->close += apart <= MINUTE_US && apart >= -MINUTE_US;
}

static void test_due_times(void **state)
{
    (void)state;
    static char text[65536];
    struct arena *arena = arena_new(65536);
    struct problems problems = {0};
    struct problem problem = {0};
    struct policy policy;
    struct calendar_def def;
    assert_true(policy_parse(
        text, file_read(SOURCE_DIR "/deploy/policies/boston311.yaml", text, sizeof text), arena,
        &policy, &problems, NULL));
    assert_true(record_parse_yaml(
        &calendar_def_record, text,
        file_read(SOURCE_DIR "/deploy/calendars/boston-weekdays.yaml", text, sizeof text), arena,
        &def, &problems));
    struct calendar *calendar = calendar_new(&def, &problem);
    assert_non_null(calendar);
    assert_string_equal(policy_clause(&policy, "resolve")->calendar, def.name);

    struct tally tally = {0};
    char line[4096], *column[16];
    gzFile file = gzopen(SOURCE_DIR "/deploy/requests/boston311-2011q3.csv.gz", "rb");
    assert_non_null(file);
    assert_non_null(gzgets(file, line, sizeof line)); /* the header */
    while (gzgets(file, line, sizeof line)) {
        assert_int_equal(columns_split(line, column, COUNT_OF(column)), 12);
        request_judge(column, &policy, calendar, &tally);
    }
    gzclose(file);
    print_message(
        "%d requests, %d with a due time, %d of them without a line, %d within 60 s: %.3f %%\n",
        tally.requests, tally.with_due, tally.without_line, tally.close,
        100.0 * tally.close / tally.with_due);
    assert_int_equal(tally.requests, 31828);
    assert_int_equal(tally.with_due, 26815);
    assert_true(tally.close * 1000 >= tally.with_due * 985);
    calendar_destroy(&calendar);
    arena_destroy(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_due_times)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
