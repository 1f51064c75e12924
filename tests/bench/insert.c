/* The baseline: INSERT … SELECT unnest, prepared, binary arrays, the journal's columns and indexes, fsync as the server has it. */
#include "bench.h"

#include "base/clock.h"
#include "base/digest.h"
#include "base/text.h"
#include "pg/pg.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BODY_BYTES 560 /* what a fact of 400 bytes becomes in its envelope */

static const char table_sql[] =
    "DROP TABLE IF EXISTS bench_insert;"
    "CREATE TABLE bench_insert (pos bigint NOT NULL, source bigint NOT NULL, n bigint NOT NULL, type text COLLATE \"C\" NOT NULL,"
    " key text COLLATE \"C\" NOT NULL, rec timestamptz NOT NULL, body bytea NOT NULL, priv bytea, link bytea NOT NULL,"
    " digest bytea, result bytea, PRIMARY KEY (pos)) PARTITION BY RANGE (pos);"
    "CREATE INDEX ON bench_insert (source, n); CREATE INDEX ON bench_insert (key, pos);"
    "CREATE TABLE bench_insert_1 PARTITION OF bench_insert FOR VALUES FROM (0) TO (1000000000)";
static const char insert_sql[] =
    "INSERT INTO bench_insert SELECT * FROM unnest($1::int8[], $2::int8[], $3::int8[], $4::text[], $5::text[],"
    " $6::timestamptz[], $7::bytea[], $8::bytea[], $9::bytea[], $10::bytea[], $11::bytea[])";

static void fill(struct pg_args *args, int64_t from, int n, const uint8_t *body)
{
#define EACH(kind, element)              \
    do {                                 \
        pg_arg_array_begin(args, kind);  \
        for (int i = 0; i < n; i++)      \
            element;                     \
        pg_arg_array_end(args);          \
    } while (0)
    pg_args_reset(args);
    EACH(PG_INT8_ARRAY, pg_elem_int(args, from + i));
    EACH(PG_INT8_ARRAY, pg_elem_int(args, 7));
    EACH(PG_INT8_ARRAY, pg_elem_int(args, from + i));
    EACH(PG_TEXT_ARRAY, pg_elem_text(args, "ticket.noted", 12));
    EACH(PG_TEXT_ARRAY, pg_elem_text(args, "BENCH-1", 7));
    EACH(PG_TIME_ARRAY, pg_elem_time(args, 1700000000 * SECOND_US + from));
    EACH(PG_BYTEA_ARRAY, pg_elem_bytea(args, bytes_of(body, BODY_BYTES)));
    EACH(PG_BYTEA_ARRAY, pg_elem_null(args));
    EACH(PG_BYTEA_ARRAY, pg_elem_bytea(args, bytes_of(body, 16)));
    EACH(PG_BYTEA_ARRAY, pg_elem_bytea(args, bytes_of(body, 32)));
    EACH(PG_BYTEA_ARRAY, pg_elem_null(args));
#undef EACH
}

int bench_insert(int argc, char **argv)
{
    (void)argc;
    int64_t seconds = atoi(argv[3]), rows = 0;
    int batch = atoi(argv[4]);
    size_t commits = 0, cap = 1 << 20;
    int64_t *took = memory_new(cap * sizeof *took);
    uint8_t body[BODY_BYTES];
    random_fill(body, sizeof body);
    struct pg *pg = pg_new(argv[2], NULL);
    struct pg_args *args = pg_args_new();
    if (pg_connect(pg) != STATUS_OK || pg_run(pg, table_sql) != STATUS_OK) {
        fprintf(stderr, "%s\n", pg_error(pg));
        return 1;
    }
    int64_t began_us = clock_boot_us(), now_us = began_us;
    while (now_us - began_us < seconds * SECOND_US) {
        fill(args, rows + 1, batch, body);
        if (pg_begin(pg) != STATUS_OK || pg_send(pg, insert_sql, args) != STATUS_OK || pg_commit(pg) != STATUS_OK) {
            fprintf(stderr, "%s\n", pg_error(pg));
            return 1;
        }
        rows += batch;
        int64_t after_us = clock_boot_us();
        if (commits < cap)
            took[commits++] = after_us - now_us;
        now_us = after_us;
    }
    printf("{\"bench\":\"insert\",\"rows\":%lld,\"per_second\":%.0f,\"commit_p50_us\":%lld,\"commit_p99_us\":%lld,\"cpu\":%.2f}\n",
           (long long)rows, (double)rows / ((double)(now_us - began_us) / 1e6), (long long)median(took, commits, 0.5),
           (long long)median(took, commits, 0.99), cpu_seconds());
    (void)!pg_run(pg, "DROP TABLE bench_insert");
    pg_args_destroy(&args);
    pg_destroy(&pg);
    free(took);
    return 0;
}
