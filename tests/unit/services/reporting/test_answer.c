/* Questions against a real PostgreSQL: the files of a closed period come out the same whatever happened since. */
#include "base/digest.h"
#include "proto/questions.h"
#include "record/pack.h"
#include "services/reporting/answer.h"
#include "services/reporting/reporting.h"
#include "story.h"
#include "table/mirror.h"
#include "unit/common/pg/cluster.h"
#include "worker/reference.h"
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

enum { TICKETS = 2300 }; /* more than two pages of lines */

static struct cluster cluster;

static int group_setup(void **state)
{
    (void)state;
    return cluster_start(&cluster);
}

static int group_teardown(void **state)
{
    (void)state;
    return cluster_stop(&cluster);
}

static void send(struct pg *pg, struct story *story)
{
    assert_int_equal(pg_begin(pg), STATUS_OK);
    assert_int_equal(mirror_send(pg, story->tables), STATUS_OK);
    tables_forget(story->tables);
    assert_int_equal(pg_commit(pg), STATUS_OK);
}

static int setup(void **state)
{
    struct pg *pg = cluster_connect(&cluster, "reporting");
    const struct table_def *defs[TABLES_N + 2];
    memcpy(defs, reporting_tables, sizeof(reporting_tables));
    defs[TABLES_N] = &reference_policy_table;
    defs[TABLES_N + 1] = &reference_calendar_table;
    *state = pg;
    return pg_run(pg, "DROP SCHEMA IF EXISTS reporting CASCADE") == STATUS_OK &&
                   mirror_create(pg, "reporting", defs, COUNT_OF(defs)) == STATUS_OK
               ? 0
               : -1;
}

static int teardown(void **state)
{
    struct pg *pg = *state;
    pg_destroy(&pg);
    return 0;
}

static void key_print(char key[16], int i)
{
    text_format(key, 16, "T%05d", i);
}

/* A month of tickets, each resolved, half of them with a broken limit. */
static void july(struct story *story)
{
    char key[16];
    for (int i = 0; i < TICKETS; i++) {
        key_print(key, i);
        story_assessed(story, key, i % 3 == 0 ? "repair" : "advice", DAY(i % 31));
        story_scheduled(story, key, "repair", 1, DAY(i % 28 + 2));
        story_offered(story, key, 1, i % 2 == 0 ? "D1" : "D2", 3);
        if (i % 2 == 0)
            story_breached(story, key, "repair", 1, DAY(i % 28 + 2));
        else
            story_met(story, key, "repair", 1, DAY(i % 28 + 2), false);
        story_resolved(story, key, DAY(i % 31) + HOUR_US);
    }
}

static void later(struct story *story)
{
    char key[16];
    for (int i = 0; i < TICKETS; i += 2) {
        key_print(key, i);
        story_callback_due(story, key, 1, DAY(20));
        story_closed(story, key);
    }
    for (int i = 0; i < 50; i++) {
        text_format(key, sizeof(key), "LATE%d", i);
        story_assessed(story, key, "repair", DAY(3));
    }
}


static enum status ask(struct pg *pg, const char *period, const char *name, int64_t offset, struct buf *rows, size_t *rows_n,
                       struct problem *problem)
{
    struct report_args args = {.report = "monthly", .offset = offset};
    bool more = true;
    *rows_n = 0;
    text_copy(args.period, sizeof(args.period), period);
    text_copy(args.name, sizeof(args.name), name);
    assert_int_equal(pg_run(pg, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"), STATUS_OK);
    enum status status = reporting_answer_report(pg, question_args("reporting", "report"), &args, 100, "", rows, rows_n, &more, problem);
    assert_int_equal(pg_run(pg, "ROLLBACK"), STATUS_OK);
    assert_false(more);
    return status;
}

static void row_read(struct unpack *at, struct report_row *row)
{
    struct problem problem;
    struct bytes raw = unpack_raw(at);
    assert_true(skim(raw, &problem));
    assert_true(record_decode(question_find("reporting", "report")->row, RECORD_WHOLE, DECODE_STRICT, raw, NULL, row, &problem));
}

static void files_list(struct pg *pg, const char *period, struct report_row files[3])
{
    struct buf rows = {0};
    size_t rows_n;
    struct problem problem = {0};
    if (ask(pg, period, "", 0, &rows, &rows_n, &problem) != STATUS_OK)
        fail_msg("%s %s %s", problem.code, problem.args, pg_error(pg));
    assert_int_equal(rows_n, 3);
    struct unpack at = unpack_of(buf_bytes(&rows));
    for (size_t i = 0; i < 3; i++)
        row_read(&at, &files[i]);
    buf_release(&rows);
}

static void file_read(struct pg *pg, const char *period, const struct report_row *file, struct buf *out)
{
    buf_reset(out);
    while ((int64_t)out->len < file->bytes) {
        struct buf rows = {0};
        size_t rows_n;
        struct problem problem = {0};
        struct report_row row;
        assert_int_equal(ask(pg, period, file->name, (int64_t)out->len, &rows, &rows_n, &problem), STATUS_OK);
        assert_int_equal(rows_n, 1);
        struct unpack at = unpack_of(buf_bytes(&rows));
        row_read(&at, &row);
        assert_int_equal(row.offset, out->len);
        assert_true(row.part.len > 0 && row.part.len <= REPORT_PART_BYTES);
        buf_append(out, row.part.data, row.part.len);
        buf_release(&rows);
    }
}

static void closed_files_stay(void **state)
{
    struct pg *pg = *state;
    struct story story;
    struct report_row before[3], after[3];
    struct buf file = {0}, rows = {0};
    size_t rows_n;
    struct problem problem = {0};
    story_init(&story);
    story.now_us = DAY(36);
    july(&story);
    send(pg, &story);
    assert_int_equal(ask(pg, "2011-07", "", 0, &rows, &rows_n, &problem), STATUS_REFUSED);
    assert_string_equal(problem.code, "not-closed");
    story_period_closed(&story, "2011-07");
    int64_t pos = (int64_t)story.pos;
    send(pg, &story);
    files_list(pg, "2011-07", before);
    assert_string_equal(before[0].name, "monthly-2011-07.xlsx");
    assert_int_equal(before[0].pos, pos);
    file_read(pg, "2011-07", &before[1], &file);
    assert_non_null(strstr(buf_text(&file), "overview,Tickets opened,value,count,2300\r\n"));
    assert_non_null(strstr(buf_text(&file), "overview,Limits broken,value,count,1150\r\n"));
    assert_non_null(strstr(buf_text(&file), "sites,D2,resolved,count,1150\r\n"));
    later(&story);
    send(pg, &story);
    files_list(pg, "2011-07", after);
    for (size_t i = 0; i < 3; i++) {
        uint8_t digest[DIGEST_BYTES];
        assert_memory_equal(before[i].sha256, after[i].sha256, DIGEST_BYTES);
        file_read(pg, "2011-07", &after[i], &file);
        digest_of(buf_bytes(&file), digest);
        assert_memory_equal(digest, before[i].sha256, DIGEST_BYTES);
    }
    /* What came later is said in the next month's: 1,150 callbacks and 50 registrations about July. */
    story_period_closed(&story, "2011-08");
    send(pg, &story);
    files_list(pg, "2011-08", after);
    file_read(pg, "2011-08", &after[1], &file);
    assert_non_null(strstr(buf_text(&file), "overview,Lines of earlier periods changed since their closing,value,count,1200\r\n"));
    buf_release(&rows);
    buf_release(&file);
    story_release(&story);
}

static void what_is_not_there_is_said(void **state)
{
    struct pg *pg = *state;
    struct story story;
    struct buf rows = {0};
    size_t rows_n;
    struct problem problem = {0};
    story_init(&story);
    story_period_closed(&story, "2011-07");
    send(pg, &story);
    assert_int_equal(ask(pg, "2011-07", "monthly-2011-07.pdf", 0, &rows, &rows_n, &problem), STATUS_REFUSED);
    assert_string_equal(problem.code, "absent");
    assert_int_equal(ask(pg, "2011-07", "monthly-2011-07.csv", 1 << 30, &rows, &rows_n, &problem), STATUS_OK);
    assert_int_equal(rows_n, 0);
    assert_int_equal(ask(pg, "2011-07", "monthly-2011-07.csv", -1, &rows, &rows_n, &problem), STATUS_OK);
    assert_int_equal(rows_n, 0);
    struct report_args args = {.report = "yearly", .period = "2011-07"};
    bool more;
    assert_int_equal(reporting_answer_report(pg, NULL, &args, 1, "", &rows, &rows_n, &more, &problem), STATUS_REFUSED);
    assert_string_equal(problem.field, "report");
    buf_release(&rows);
    story_release(&story);
}

/* The columns of each SQL question are fields of its answer, and the first one is its keyset. */
static struct pg_result *sql_ask(struct pg *pg, const char *name, const char *const *args, size_t args_n, int64_t limit, const char *after)
{
    struct pg_args *bound = pg_args_new();
    struct pg_result *result = NULL;
    const struct question *question = NULL;
    for (size_t i = 0; i < reporting_worker.questions_n; i++)
        if (text_equal(reporting_worker.questions[i].name, name))
            question = &reporting_worker.questions[i];
    assert_non_null(question);
    for (size_t i = 0; i < args_n; i++)
        pg_arg_text(bound, args[i]);
    pg_arg_int(bound, limit);
    pg_arg_text(bound, after);
    if (pg_query(pg, question->sql, bound, &result) != STATUS_OK)
        fail_msg("%s: %s", name, pg_error(pg));
    const struct record *row = question_find("reporting", name)->row;
    assert_int_equal(pg_columns(result), row->n);
    for (int c = 0; c < pg_columns(result); c++)
        assert_non_null(record_field(row, pg_column_name(result, c)));
    assert_string_equal(pg_column_name(result, 0), row->fields[0].name);
    pg_args_destroy(&bound);
    return result;
}

static void registers_and_sums_by_sql(void **state)
{
    struct pg *pg = *state;
    struct story story;
    story_init(&story);
    story.now_us = DAY(36);
    july(&story);
    send(pg, &story);
    const char *all[] = {"", "", "", "", ""}, *some[] = {"", "repair", "44", "D1", "resolved"}, *none[] = {"", "", "45", "", ""};
    struct pg_result *result = sql_ask(pg, "tickets", all, 5, 10, "T00099");
    assert_int_equal(pg_rows(result), 10);
    assert_memory_equal(pg_bytes(result, 0, 0).data, "T00100", 6);
    pg_result_destroy(&result);
    result = sql_ask(pg, "tickets", some, 5, 5000, "");
    assert_int_equal(pg_rows(result), (TICKETS + 5) / 6);
    pg_result_destroy(&result);
    result = sql_ask(pg, "tickets", none, 5, 5000, "");
    assert_int_equal(pg_rows(result), 0);
    pg_result_destroy(&result);
    const char *month[] = {"2011-07"}, *other[] = {"2011-06"};
    result = sql_ask(pg, "summary", month, 1, 100, "");
    bool seen = false;
    for (int i = 0; i < pg_rows(result); i++) {
        struct bytes item = pg_bytes(result, i, 2);
        seen |= item.len == 6 && memcmp(item.data, "broken", 6) == 0 && pg_int(result, i, 3) == TICKETS / 2;
    }
    assert_true(seen);
    pg_result_destroy(&result);
    result = sql_ask(pg, "summary", other, 1, 1, "");
    assert_int_equal(pg_rows(result), 1);
    assert_int_equal(pg_int(result, 0, 3), 0);
    pg_result_destroy(&result);
    story_release(&story);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(closed_files_stay, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_not_there_is_said, setup, teardown),
        cmocka_unit_test_setup_teardown(registers_and_sums_by_sql, setup, teardown),
    };
    return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
