/* `--rebuild` folds the journal from its first event into fresh tables and swaps them in; `--verify` does the same beside the
 * living ones and compares. Neither decides anything: everything concluded is in the journal already. */
#include "worker/shell.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "table/compare.h"
#include "table/mirror.h"
#include "worker/scan.h"
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Rows that change again within a batch are written once. */
#define REBUILD_BATCH 32768

struct rebuild {
    struct shell *shell;
    struct pg *pg; /* of the fresh schema */
    char schema[64];
    int64_t session; /* of its cursor */
    uint64_t target, committed;
    bool committing; /* the transaction before is on its way */
    bool read;       /* to the journal's end, or as far as the tables stand */
    int64_t began_us, shown_us;
    const char *step;
    char why[256];
};

static bool failed(struct rebuild *rebuild, const char *what)
{
    snprintf(rebuild->why, sizeof rebuild->why, "%s: %s", what, pg_error(rebuild->pg));
    return false;
}

static void show(struct rebuild *rebuild, bool end)
{
    int64_t now_us = clock_boot_us();
    if (!isatty(STDERR_FILENO) || (!end && now_us - rebuild->shown_us < SECOND_US / 5))
        return;
    rebuild->shown_us = now_us;
    double seconds = (double)(now_us - rebuild->began_us + 1) / (double)SECOND_US;
    double part = rebuild->target == 0 ? 1.0 : (double)rebuild->committed / (double)rebuild->target;
    fprintf(stderr, "\r%s %s  %3.0f %%  %llu of %llu  %.0f events/s ", rebuild->shell->worker->name, rebuild->step,
            part * 100.0, (unsigned long long)rebuild->committed, (unsigned long long)rebuild->target,
            (double)rebuild->committed / seconds);
    if (end)
        fputc('\n', stderr);
}

static bool landed(struct rebuild *rebuild)
{
    enum status status = rebuild->committing ? pg_commit_wait(rebuild->pg, INT64_MAX) : STATUS_OK;
    rebuild->committing = false;
    return status == STATUS_OK || failed(rebuild, "PostgreSQL");
}

/* Handles what was read while PostgreSQL is still at the batch before. */
static bool commit(struct rebuild *rebuild)
{
    struct shell *shell = rebuild->shell;
    enum run_result result;
    while ((result = run_process(shell->run)) == RUN_MISS)
        if (!landed(rebuild) || mirror_fetch(rebuild->pg, run_tables(shell->run)) != STATUS_OK)
            return failed(rebuild, "PostgreSQL");
    if (result == RUN_STOP) {
        snprintf(rebuild->why, sizeof rebuild->why, "%s", run_error(shell->run));
        return false;
    }
    struct run_state state = run_state(shell->run);
    if (!landed(rebuild) || pg_begin(rebuild->pg) != STATUS_OK || mirror_send(rebuild->pg, run_tables(shell->run)) != STATUS_OK ||
        cursor_send(rebuild->pg, rebuild->schema, rebuild->session, rebuild->committed, &state) != STATUS_OK ||
        pg_commit_send(rebuild->pg) != STATUS_OK)
        return failed(rebuild, "PostgreSQL");
    rebuild->committing = true;
    run_committed(shell->run);
    rebuild->committed = state.pos;
    show(rebuild, false);
    return true;
}

static bool on_parked(void *owner, uint64_t pos, struct bytes body, struct bytes priv, const uint8_t link[LINK_BYTES])
{
    struct rebuild *rebuild = owner;
    (void)pos;
    (void)link;
    return run_expect(rebuild->shell->run, body, priv) == RUN_DONE;
}

static bool on_event(void *owner, uint64_t pos, struct bytes body, struct bytes priv, const uint8_t link[LINK_BYTES])
{
    struct rebuild *rebuild = owner;
    if (pos > rebuild->target)
        return true;
    run_add(rebuild->shell->run, body, priv, link);
    return run_batched(rebuild->shell->run) < REBUILD_BATCH || commit(rebuild);
}

static bool read_all(struct rebuild *rebuild, const char *type, struct scan *scan)
{
    char why[200];
    scan->endpoint = rebuild->shell->intake.feed;
    scan->owner = rebuild;
    record_clear(&verb_open_record, &scan->open);
    text_format(scan->open.consumer, sizeof scan->open.consumer, "%s/rebuild", rebuild->shell->worker->name);
    if (type != NULL)
        text_copy(scan->open.types[scan->open.types_n++], EVENT_TYPE_CAP, type);
    text_copy(scan->open.stream, sizeof scan->open.stream, rebuild->shell->cursor.state.stream);
    scan->stop_at = type != NULL ? 0 : rebuild->target;
    scan->reach = type != NULL ? rebuild->target : 0; /* an event may be parked far behind where it stands */
    enum status status = scan_run(scan, why);
    if (status == STATUS_OK || status == STATUS_ABSENT) /* the latter: a journal put back from a backup ends before it */
        return true;
    if (rebuild->why[0] == '\0')
        snprintf(rebuild->why, sizeof rebuild->why, "the journal cannot be read: %s", why);
    return false;
}

static bool fresh_schema(struct rebuild *rebuild)
{
    struct cursor cursor;
    const char *why;
    char sql[512];
    text_format(sql, sizeof sql,
                "DO $$ DECLARE t text; BEGIN FOR t IN SELECT tablename FROM pg_tables WHERE schemaname = '%s' LOOP"
                " EXECUTE format('DROP TABLE %%I.%%I', '%s', t); END LOOP; END $$",
                rebuild->schema, rebuild->schema);
    if (cursor_connect(rebuild->pg) != STATUS_OK || pg_run(rebuild->pg, sql) != STATUS_OK ||
        cursor_open(rebuild->pg, rebuild->schema, rebuild->shell->run, true, &cursor, &why) != STATUS_OK)
        return failed(rebuild, "the fresh schema cannot be made");
    rebuild->session = cursor.session;
    return true;
}

static bool fold(struct rebuild *rebuild, const char *step)
{
    struct run_state nothing = {0};
    rebuild->step = step;
    rebuild->began_us = clock_boot_us();
    if (!fresh_schema(rebuild))
        return false;
    if (!session_find_intake(rebuild->shell) || !session_learn_stream(rebuild->shell)) {
        text_copy(rebuild->why, sizeof rebuild->why, rebuild->shell->why);
        return false;
    }
    tables_clear(run_tables(rebuild->shell->run));
    tables_keep_near(run_tables(rebuild->shell->run)); /* nothing fires, so nothing is near */
    run_start(rebuild->shell->run, &nothing, rebuild->target);
    if (rebuild->target == 0)
        return true;
    struct scan parked = {.event = on_parked}, all = {.event = on_event, .verify = true};
    if (!read_all(rebuild, "event.parked", &parked) || !read_all(rebuild, NULL, &all))
        return false;
    if ((run_batched(rebuild->shell->run) > 0 && !commit(rebuild)) || !landed(rebuild))
        return false;
    show(rebuild, true);
    rebuild->read = true;
    if (rebuild->committed == rebuild->target)
        return true;
    snprintf(rebuild->why, sizeof rebuild->why, "the journal ends at %llu, the tables stand at %llu",
             (unsigned long long)rebuild->committed, (unsigned long long)rebuild->target);
    return false;
}

static bool swap(struct rebuild *rebuild)
{
    const char *name = rebuild->shell->worker->name;
    struct buf sql = {0};
    /* Sessions go on behind those of the living tables: a process that still has one of theirs finds it gone. */
    buf_append_format(&sql,
                      "BEGIN; DO $$ DECLARE t text; BEGIN"
                      " IF EXISTS (SELECT FROM pg_attribute WHERE attrelid = to_regclass('\"%s\".cursor') AND attname = 'session') THEN"
                      "  UPDATE \"%s\".cursor SET session = session + (SELECT session FROM \"%s\".cursor); END IF;"
                      " FOR t IN SELECT tablename FROM pg_tables WHERE schemaname = '%s' LOOP"
                      "  EXECUTE format('DROP TABLE %%I.%%I', '%s', t); END LOOP;"
                      " FOR t IN SELECT tablename FROM pg_tables WHERE schemaname = '%s' LOOP"
                      "  EXECUTE format('ALTER TABLE %%I.%%I SET SCHEMA %%I', '%s', t, '%s'); END LOOP;"
                      " END $$; COMMIT",
                      name, rebuild->schema, name, name, name, rebuild->schema, rebuild->schema, name);
    bool done = pg_run(rebuild->pg, buf_text(&sql)) == STATUS_OK;
    buf_release(&sql);
    return done || failed(rebuild, "the tables cannot be swapped");
}

static void rebuild_begin(struct rebuild *rebuild, struct shell *shell)
{
    memset(rebuild, 0, sizeof *rebuild);
    rebuild->shell = shell;
    text_format(rebuild->schema, sizeof rebuild->schema, "%s_new", shell->worker->name);
    rebuild->pg = pg_new(shell->own->dsn, rebuild->schema);
}

static int rebuild_end(struct rebuild *rebuild, int code)
{
    if (rebuild->why[0] != '\0')
        log_error("%s", rebuild->why);
    pg_destroy(&rebuild->pg);
    return code;
}

/* Where the living tables stand; a worker that never ran stands at 0. */
static bool living_position(struct rebuild *rebuild, struct pg *pg)
{
    struct cursor cursor;
    enum status status = cursor_read(pg, rebuild->shell->worker->name, &cursor);
    if (status == STATUS_OK)
        rebuild->target = cursor.state.pos;
    if (status == STATUS_OK || text_equal(pg_sqlstate(pg), "42P01"))
        return true;
    snprintf(rebuild->why, sizeof rebuild->why, "PostgreSQL: %s", pg_error(pg));
    return false;
}

int rebuild_run(struct shell *shell)
{
    struct rebuild rebuild;
    rebuild_begin(&rebuild, shell);
    if (cursor_connect(shell->pg) != STATUS_OK) {
        snprintf(rebuild.why, sizeof rebuild.why, "PostgreSQL: %s", pg_error(shell->pg));
        return rebuild_end(&rebuild, 3);
    }
    if (!living_position(&rebuild, shell->pg) || !fold(&rebuild, "rebuild")) {
        /* Of a journal that was put back from a backup all there is makes the tables: they go on from its end. */
        bool shorter = rebuild.committed > 0 && rebuild.committed < rebuild.target && rebuild.read;
        if (!shorter)
            return rebuild_end(&rebuild, 1);
        log_warn("%s: they are made anew up to there", rebuild.why);
        rebuild.why[0] = '\0';
    }
    if (!swap(&rebuild))
        return rebuild_end(&rebuild, 1);
    printf("%s rebuilt: %llu events\n", shell->worker->name, (unsigned long long)rebuild.committed);
    return rebuild_end(&rebuild, 0);
}

/* --- verify ------------------------------------------------------------------------------------- */

#define DIFFERENCES_TOLD 20

struct comparing {
    const char *table;
    size_t rows, differences;
};

/* Tells what differs, and counts it. */
static void on_differs(void *owner, const char *what)
{
    struct comparing *comparing = owner;
    if (++comparing->differences <= DIFFERENCES_TOLD)
        printf("%s %s\n", comparing->table, what);
}

static bool compare_table(struct rebuild *rebuild, const struct table_def *def, struct comparing *comparing)
{
    const struct compare_side living = {.pg = rebuild->shell->pg, .schema = rebuild->shell->worker->name, .table = def->name},
                              fresh = {.pg = rebuild->pg, .schema = rebuild->schema, .table = def->name};
    comparing->table = def->name;
    return compare_rows(def->row, &living, &fresh, &comparing->rows, on_differs, comparing) == STATUS_OK ||
           failed(rebuild, "the tables cannot be compared");
}

int verify_run(struct shell *shell)
{
    struct rebuild rebuild;
    struct comparing comparing = {0};
    size_t n;
    rebuild_begin(&rebuild, shell);
    if (cursor_connect(shell->pg) != STATUS_OK ||
        pg_run(shell->pg, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY") != STATUS_OK) {
        snprintf(rebuild.why, sizeof rebuild.why, "PostgreSQL: %s", pg_error(shell->pg));
        return rebuild_end(&rebuild, 3);
    }
    if (!living_position(&rebuild, shell->pg) || !fold(&rebuild, "verify") ||
        pg_run(rebuild.pg, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY") != STATUS_OK)
        return rebuild_end(&rebuild, 1);
    const struct table_def *const *defs = run_table_defs(shell->run, &n);
    for (size_t i = 0; i < n; i++)
        if (!compare_table(&rebuild, defs[i], &comparing))
            return rebuild_end(&rebuild, 1);
    if (pg_run(rebuild.pg, "ROLLBACK") != STATUS_OK || !fresh_schema(&rebuild))
        return rebuild_end(&rebuild, 1);
    printf("%s: %zu rows at position %llu, %zu differ from the fold of the journal\n", shell->worker->name, comparing.rows,
           (unsigned long long)rebuild.target, comparing.differences);
    return rebuild_end(&rebuild, comparing.differences == 0 ? 0 : 1);
}
