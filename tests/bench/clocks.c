/* Timers two ways over one table: by the worker's core, which has the next hour in memory and finds
 * it by an index, and by the query with which other systems look again and again. What is measured
 * is finding what is due: CPU of this process and of its PostgreSQL backend. */
#include "bench.h"

#include "base/clock.h"
#include "base/text.h"
#include "pg/pg.h"
#include "table/mirror.h"
#include "worker/cursor.h"
#include "worker/run_core.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define SCHEMA "bench"

struct clock_row {
    char clock[112];
    char clause[48], calendar[64], region[24];
    int64_t from_us, due_us, fired_us, detected_us;
    int64_t level, target, line, k;
    bool open;
};
static const struct field clock_fields[] = {F_TEXT(clock_row, clock, FIELD_REQUIRED, "key"),
                                            F_TEXT(clock_row, clause, 0, "clause"),
                                            F_TEXT(clock_row, calendar, 0, "calendar"),
                                            F_TEXT(clock_row, region, 0, "region"),
                                            F_TIME(clock_row, from, 0, "counted from"),
                                            F_TIME(clock_row, due, 0, "due"),
                                            F_TIME(clock_row, fired, FIELD_VOLATILE, "fired"),
                                            F_TIME(clock_row, detected, 0, "seen"),
                                            F_INT(clock_row, level, 0, "level"),
                                            F_INT(clock_row, target, 0, "target"),
                                            F_INT(clock_row, line, 0, "line"),
                                            F_INT(clock_row, k, 0, "which"),
                                            F_BOOL(clock_row, open, 0, "open")};
static const struct record clock_record = RECORD(clock_row, clock_fields, "a clock");

struct due {
    int64_t due_us, level;
};
static const struct field due_fields[] = {F_TIME(due, due, 0, "due"),
                                          F_INT(due, level, 0, "level")};
static const struct record due_record = RECORD(due, due_fields, "a level has come");

static int by_due(const void *a, const void *b)
{
    const struct clock_row *left = a, *right = b;
    return (left->due_us > right->due_us) - (left->due_us < right->due_us);
}

static bool waits(const void *row)
{
    const struct clock_row *clock = row;
    return clock->due_us != 0 && clock->due_us != clock->fired_us;
}

static const struct index_def indexes[] = {{.name = "due", .compare = by_due, .holds = waits}};
static const struct table_def clocks = {.name = "clock",
                                        .row = &clock_record,
                                        .open_offset = offsetof(struct clock_row, open),
                                        .indexes = indexes,
                                        .indexes_n = 1,
                                        .far = true,
                                        .due_offset = offsetof(struct clock_row, due_us)};
static const struct table_def *const tables[] = {&clocks};

static void on_due(struct run *run, const struct tables *t, const void *row)
{
    (void)t;
    const struct clock_row *clock = row;
    struct due due = {.due_us = clock->due_us, .level = clock->level};
    char slot[EVENT_ID_CAP];
    text_format(slot, sizeof slot, SCHEMA "/%s/due/%lld", clock->clock, (long long)clock->level);
    conclude(run, slot, "bench.due", clock->clock, &due_record, &due);
}

static const struct timer timers[] = {{.due_offset = offsetof(struct clock_row, due_us),
                                       .fired_offset = offsetof(struct clock_row, fired_us),
                                       .decide = on_due}};
static const char *const concludes[] = {"bench.", NULL};
static const struct worker worker = {.name = SCHEMA,
                                     .concludes = concludes,
                                     .timers = timers,
                                     .timers_n = 1,
                                     .tables = tables,
                                     .tables_n = 1};

/* --- what the backend used
 * --------------------------------------------------------------------------- */

static int64_t asked_int(struct pg *pg, const char *sql)
{
    owned(pg_result_destroy) struct pg_result *result = NULL;
    return pg_query(pg, sql, NULL, &result) == STATUS_OK && pg_rows(result) == 1
               ? pg_int(result, 0, 0)
               : 0;
}

static double backend_seconds(int64_t pid)
{
    char path[64], line[1024] = "";
    unsigned long user = 0, system = 0;
    text_format(path, sizeof path, "/proc/%lld/stat", (long long)pid);
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return 0;
    if (fgets(line, sizeof line, file) == NULL)
        line[0] = '\0';
    fclose(file);
    const char *behind = strrchr(line, ')');
    if (behind == NULL || sscanf(behind, ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu",
                                 &user, &system) != 2)
        return 0;
    return (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
}

struct spent {
    int64_t pid, began_us;
    double own, backend;
};

static struct spent spent_begin(struct pg *pg)
{
    struct spent spent = {.pid = asked_int(pg, "SELECT pg_backend_pid()::int8"),
                          .began_us = clock_boot_us()};
    spent.own = cpu_seconds();
    spent.backend = backend_seconds(spent.pid);
    return spent;
}

static int report(const char *bench, const struct spent *since, int64_t timers_n, int64_t rounds,
                  int64_t rows)
{
    double own = cpu_seconds() - since->own, backend = backend_seconds(since->pid) - since->backend;
    double per = timers_n > 0 ? 1e6 / (double)timers_n : 0;
    printf("{\"bench\":\"%s\",\"timers\":%lld,\"rounds\":%lld,\"rows\":%lld,\"seconds\":%.2f,\"cpu_"
           "us\":%.2f,\"own_us\":%.2f,"
           "\"backend_us\":%.2f}\n",
           bench, (long long)timers_n, (long long)rounds, (long long)rows,
           (double)(clock_boot_us() - since->began_us) / 1e6, (own + backend) * per, own * per,
           backend * per);
    return 0;
}

static int failed(const char *what, struct pg *pg)
{
    fprintf(stderr, "%s: %s\n", what, pg_error(pg));
    return 1;
}

/* --- the table
 * --------------------------------------------------------------------------------------- */

int bench_clocks(int argc, char **argv)
{
    (void)argc;
    struct pg *pg = pg_new(argv[2], SCHEMA);
    int64_t rows = atoll(argv[3]);
    char sql[1024];
    pg_limit_wait(pg, 3600 * 1000);
    text_format(sql, sizeof sql,
                "ALTER TABLE clock DROP CONSTRAINT clock_pkey; DROP INDEX clock_due_clock_idx;"
                " INSERT INTO clock SELECT 'KEY-' || lpad(i::text, 8, '0') || '/resolve.1', "
                "'resolve', 'cn@cn-2026-1', '440100', now(),"
                " now() + interval '30 days' * (i::float8 / %lld), NULL, -1, 1, 3, 1, true"
                " FROM generate_series(1, %lld) AS i ORDER BY (i * 7919::int8) %% 1000003;"
                " ALTER TABLE clock ADD PRIMARY KEY (clock);"
                " CREATE INDEX ON clock (due, clock) WHERE open AND due IS NOT NULL",

                (long long)rows, (long long)rows);
    bool done = pg_connect(pg) == STATUS_OK &&
                pg_run(pg, "DROP SCHEMA IF EXISTS " SCHEMA " CASCADE") == STATUS_OK &&
                mirror_create(pg, SCHEMA, tables, 1) == STATUS_OK && pg_run(pg, sql) == STATUS_OK &&
                pg_run(pg, "VACUUM ANALYZE clock") == STATUS_OK &&
                pg_run(pg, "CHECKPOINT") == STATUS_OK;
    int code = done ? 0 : failed("the table cannot be made", pg);
    printf("{\"bench\":\"clocks\",\"rows\":%lld}\n", (long long)rows);
    pg_destroy(&pg);
    return code;
}

/* --- the core
 * ---------------------------------------------------------------------------------------- */

/* `timers` of them come due in steps of so many microseconds of the stream's time, one look each.
 */
int bench_fire(int argc, char **argv)
{
    (void)argc;
    struct pg *pg = pg_new(argv[2], SCHEMA);
    int64_t most = atoll(argv[3]), step_us = atoll(argv[4]), fired = 0, looks = 0;
    const struct run_conclusion *conclusions;
    struct run *run = run_new(&worker, 4096);
    struct run_state state = {.stream = SCHEMA, .pos = 1};
    if (cursor_connect(pg) != STATUS_OK || mirror_session(pg) != STATUS_OK)
        return failed("no connection", pg);
    int64_t now_us = asked_int(
        pg, "SELECT (extract(epoch FROM min(due)) * 1000000)::int8 FROM clock WHERE open");
    int64_t rows =
        asked_int(pg, "SELECT reltuples::int8 FROM pg_class WHERE oid = 'clock'::regclass");
    state.rec_us = state.checked_us = now_us;
    tables_keep_near(run_tables(run));
    run_start(run, &state, 0);
    struct spent since = spent_begin(pg);
    while (fired < most) {
        enum run_result result;
        while ((result = run_head(run, now_us)) == RUN_MISS)
            if (mirror_fetch(pg, run_tables(run)) != STATUS_OK)
                return failed("a page cannot be read", pg);
        fired += (int64_t)run_conclusions(run, &conclusions);
        run_committed(run);
        looks++;
        if (!run_timers_left(run))
            now_us += step_us;
    }
    int code = report("fire", &since, fired, looks, rows);
    run_destroy(&run);
    pg_destroy(&pg);
    return code;
}

/* --- the polling query
 * ------------------------------------------------------------------------------- */

static const char poll_sql[] = "SELECT clock FROM clock WHERE open AND due <= now() + $2::int8 * "
                               "interval '1 us' ORDER BY due LIMIT $1::int8"
                               " FOR UPDATE SKIP LOCKED";

static void rest_us(int64_t us)
{
    struct timespec rest = {.tv_sec = us / SECOND_US, .tv_nsec = us % SECOND_US * 1000};
    nanosleep(&rest, NULL);
}

/* What was found is taken out of the way, as whoever polls must, too: not counted. */
static bool mark_done(struct pg *pg, const struct pg_result *found)
{
    struct pg_args *args = pg_args_new();
    pg_arg_array_begin(args, PG_TEXT_ARRAY);
    for (int i = 0; i < pg_rows(found); i++) {
        struct bytes key = pg_bytes(found, i, 0);
        pg_elem_text(args, (const char *)key.data, key.len);
    }
    pg_arg_array_end(args);
    bool done = pg_query(pg,
                         "UPDATE clock SET due = due + interval '30 days', level = level + 1 WHERE "
                         "clock = ANY($1)",
                         args, NULL) == STATUS_OK;
    pg_args_destroy(&args);
    return done;
}

/* Polls every so many microseconds (0: at once again) for so many seconds, at most LIMIT rows each
 * time. AHEAD_S: the query's now() is so much later, so that more is due. */
int bench_poll(int argc, char **argv)
{
    (void)argc;
    struct pg *pg = pg_new(argv[2], SCHEMA), *marker = pg_new(argv[2], SCHEMA);
    int64_t seconds = atoll(argv[3]), limit = atoll(argv[4]), every_us = atoll(argv[5]),
            ahead_us = atoll(argv[6]) * SECOND_US;
    int64_t found_n = 0, polls = 0;
    struct pg_args *args = pg_args_new();
    if (cursor_connect(pg) != STATUS_OK || mirror_session(pg) != STATUS_OK ||
        cursor_connect(marker) != STATUS_OK)
        return failed("no connection", pg);
    int64_t rows =
        asked_int(pg, "SELECT reltuples::int8 FROM pg_class WHERE oid = 'clock'::regclass");
    pg_arg_int(args, limit);
    pg_arg_int(args, ahead_us);
    struct spent since = spent_begin(pg);
    int64_t next_us = since.began_us;
    while (clock_boot_us() - since.began_us < seconds * SECOND_US) {
        owned(pg_result_destroy) struct pg_result *found = NULL;
        if (pg_begin(pg) != STATUS_OK || pg_query(pg, poll_sql, args, &found) != STATUS_OK ||
            pg_commit(pg) != STATUS_OK)
            return failed("the query failed", pg);
        double before = cpu_seconds();
        if (pg_rows(found) > 0 && !mark_done(marker, found))
            return failed("the rows cannot be marked", marker);
        since.own += cpu_seconds() - before;
        found_n += pg_rows(found);
        polls++;
        next_us += every_us;
        if (every_us > 0 && next_us > clock_boot_us())
            rest_us(next_us - clock_boot_us());
    }
    int code = report("poll", &since, found_n, polls, rows);
    pg_args_destroy(&args);
    pg_destroy(&marker);
    pg_destroy(&pg);
    return code;
}
