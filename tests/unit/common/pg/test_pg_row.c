/* Rows of every kind of field through a real server: CREATE, INSERT, UPDATE, load, all from one field table. */
#include "pg/row.h"
#include "unit/common/pg/cluster.h"
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static const char *const colours[] = {"none", "red", "绿", NULL};

struct place {
    char name[24];
    int64_t floor;
    char person[24];
};
static const struct field place_fields[] = {
    F_TEXT(place, name, FIELD_REQUIRED, "name"), F_INT_RANGE(place, floor, 0, -3, 99, "floor"),
    F_TEXT(place, person, FIELD_PERSONAL, "who")};
static const struct record place_record = RECORD(place, place_fields, "a place");
static const struct field text_elem = ELEM_TEXT(16);
static const struct field place_elem = ELEM_RECORD(&place_record, struct place);

struct blob_16 {
    uint32_t len;
    uint8_t data[16];
};

struct row {
    char key[40];
    bool open;
    bool settled; /* default true */
    int64_t n;
    int64_t with_default;
    int64_t seen_us;
    struct span limit;
    int colour;
    char note[32];
    uint8_t digest[8];
    struct blob_16 state;
    struct place at;
    char tags[4][16];
    uint32_t tags_n;
    struct place stops[3];
    uint32_t stops_n;
    int64_t pending;
    int64_t left; /* a word of SQL's */
};
static const struct field row_fields[] = {
    F_TEXT(row, key, FIELD_REQUIRED | FIELD_KEYLIKE, "key"),
    F_BOOL(row, open, 0, "open"),
    {.name = "settled", .kind = FIELD_BOOL, F_AT(row, settled), .def = 1},
    F_INT(row, n, 0, "n"),
    F_INT_DEF(row, with_default, 0, -1, -1, 10, "default"),
    F_TIME(row, seen, 0, "seen"),
    F_SPAN(row, limit, 0, "limit"),
    F_ENUM(row, colour, 0, colours, "colour"),
    F_TEXT(row, note, FIELD_PERSONAL, "note"),
    F_BIN(row, digest, 0, "digest"),
    F_BLOB(row, state, 0, "state"),
    F_RECORD(row, at, 0, &place_record, "where"),
    F_LIST(row, tags, 0, &text_elem, "tags"),
    F_INT(row, pending, FIELD_VOLATILE, "in flight"),
    F_LIST(row, stops, FIELD_REQUIRED, &place_elem, "stops"),
    F_INT(row, left, 0, "left"),
};
static const struct record row_record = RECORD(row, row_fields, "every kind");

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

static int setup(void **state)
{
    struct pg *pg = cluster_connect(&cluster, "house");
    struct buf sql = {0};

    buf_append_text(&sql, "DROP SCHEMA IF EXISTS house CASCADE; CREATE SCHEMA house; ");
    row_ddl(&row_record, "house", "order", &sql);
    *state = pg;
    enum status status = pg_run(pg, buf_text(&sql));
    buf_release(&sql);
    return status == STATUS_OK ? 0 : -1;
}

static int teardown(void **state)
{
    struct pg *pg = *state;

    pg_destroy(&pg);
    return 0;
}

static void write_rows(struct pg *pg, void (*make)(const struct record *, const char *, struct buf *), const void *const *rows, size_t n)
{
    struct buf sql = {0};
    struct pg_args *args = pg_args_new();
    struct pg_result *result = NULL;

    make(&row_record, "order", &sql);
    row_args(&row_record, rows, n, args);
    assert_int_equal(pg_query(pg, buf_text(&sql), args, &result), STATUS_OK);
    assert_int_equal(pg_affected(result), n);
    pg_result_destroy(&result);
    pg_args_destroy(&args);
    buf_release(&sql);
}

/* Reads all rows in key order and compares. */
static void check_rows(struct pg *pg, const struct row *rows, size_t n)
{
    struct buf sql = {0};
    struct pg_result *result = NULL;

    buf_append_text(&sql, "SELECT ");
    row_select_list(&row_record, &sql);
    buf_append_text(&sql, " FROM \"order\" ORDER BY \"key\"");
    assert_int_equal(pg_query(pg, buf_text(&sql), NULL, &result), STATUS_OK);
    assert_int_equal(pg_rows(result), n);
    for (size_t i = 0; i < n; i++) {
        struct row loaded;
        memset(&loaded, 0xA5, sizeof loaded);
        row_load(&row_record, result, (int)i, &loaded);
        assert_true(record_equal(&row_record, &loaded, &rows[i]));
        assert_int_equal(loaded.pending, 0);
    }
    pg_result_destroy(&result);
    buf_release(&sql);
}

static struct row full(const char *key)
{
    struct row row;

    record_clear(&row_record, &row);
    text_copy(row.key, sizeof row.key, key);
    row.open = true;
    row.settled = false;
    row.n = INT64_MIN;
    row.with_default = 0;
    row.seen_us = INT64_C(1309498353000001);
    row.limit = (struct span){3, SPAN_WORKING_DAYS};
    row.colour = 2;
    text_copy(row.note, sizeof row.note, "\"{}, \\ 王 NULL");
    memcpy(row.digest, "\0\1\2\3\4\5\6\7", 8);
    row.state = (struct blob_16){3, {0, 255, 7}};
    text_copy(row.at.name, sizeof row.at.name, "库房");
    row.at.floor = -2;
    text_copy(row.at.person, sizeof row.at.person, "李");
    row.tags_n = 2;
    text_copy(row.tags[0], 16, "a");
    text_copy(row.tags[1], 16, "");
    row.stops_n = 3;
    text_copy(row.stops[2].name, 24, "last");
    row.stops[1].floor = 12; /* its required name is empty: a row may hold that */
    row.pending = 5;
    row.left = 1;
    return row;
}

static void test_round_trip(void **state)
{
    struct pg *pg = *state;
    struct row rows[3] = {full("B"), full("a"), full("b")};
    const void *const fresh[] = {&rows[2], &rows[0], &rows[1]}, *const changed[] = {&rows[1], &rows[0]};

    record_clear(&row_record, &rows[1]); /* nothing but defaults */
    text_copy(rows[1].key, sizeof rows[1].key, "a");
    write_rows(pg, row_insert_sql, fresh, 3);
    check_rows(pg, rows, 3); /* "B" before "a": bytes decide, no locale */

    rows[1] = full("a");
    record_clear(&row_record, &rows[0]);
    text_copy(rows[0].key, sizeof rows[0].key, "B");
    rows[0].state.len = 16;
    memset(rows[0].state.data, 9, 16);
    rows[0].n = INT64_MAX;
    rows[0].seen_us = -1;
    write_rows(pg, row_update_sql, changed, 2);
    check_rows(pg, rows, 3);
}

static void test_statements(void **state)
{
    struct buf sql = {0};

    (void)state;
    row_ddl(&place_record, "s", "p", &sql);
    assert_string_equal(buf_text(&sql), "CREATE TABLE \"s\".\"p\" (\"name\" text COLLATE \"C\" NOT NULL, \"floor\" bigint NOT NULL,"
                                        " \"person\" text COLLATE \"C\" NOT NULL, PRIMARY KEY (\"name\")) WITH (fillfactor = 80)");
    buf_reset(&sql);
    row_insert_sql(&place_record, "p", &sql);
    assert_string_equal(buf_text(&sql), "INSERT INTO \"p\" (\"name\", \"floor\", \"person\") SELECT"
                                        " unnest($1::text[]), unnest($2::bigint[]), unnest($3::text[])");
    buf_reset(&sql);
    row_update_sql(&place_record, "p", &sql);
    assert_string_equal(buf_text(&sql), "UPDATE \"p\" t SET \"floor\" = u.\"floor\", \"person\" = u.\"person\" FROM"
                                        " (SELECT unnest($1::text[]) AS \"name\", unnest($2::bigint[]) AS \"floor\","
                                        " unnest($3::text[]) AS \"person\") u WHERE t.\"name\" = u.\"name\"");
    buf_release(&sql);
}

/* What others read by SQL has its own types. */
static void test_columns_are_typed(void **state)
{
    struct pg *pg = *state;
    const struct row row = full("k");
    const void *const rows[] = {&row};
    struct pg_result *result = NULL;

    write_rows(pg, row_insert_sql, rows, 1);
    assert_int_equal(pg_query(pg, "SELECT \"open\" AND NOT settled AND n = -9223372036854775808 AND \"limit\" = '3wd' AND colour = '绿'"
                                  " AND seen = '2011-07-01 05:32:33.000001+00' AND digest = '\\x0001020304050607'"
                                  " AND state = '\\x00ff07' AND \"left\" = 1 AND \"at\" IS NOT NULL FROM \"order\"",
                              NULL, &result),
                     STATUS_OK);
    assert_true(pg_bool(result, 0, 0));
    pg_result_destroy(&result);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_round_trip, setup, teardown),
        cmocka_unit_test_setup_teardown(test_columns_are_typed, setup, teardown),
        cmocka_unit_test(test_statements),
    };
    return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
