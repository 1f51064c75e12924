/* `--rebuild` folds the journal from its first event into fresh tables and swaps them in; `--verify` does the same beside the
 * living ones and compares. Neither decides anything: everything concluded is in the journal already. */
#include "worker/shell.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "pg/row.h"
#include "table/mirror.h"
#include "worker/scan.h"
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Rows that change again within a batch are written once. */
#define REBUILD_BATCH 32768
#define COMPARE_ROWS "2000"

struct rebuild {
    struct shell *shell;
    struct pg *pg; /* of the fresh schema */
    char schema[64];
    int64_t session; /* of its cursor */
    uint64_t target, committed;
    bool committing; /* the transaction before is on its way */
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
    if (scan_run(scan, why) == STATUS_OK)
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
    if (!living_position(&rebuild, shell->pg) || !fold(&rebuild, "rebuild") || !swap(&rebuild))
        return rebuild_end(&rebuild, 1);
    printf("%s rebuilt: %llu events\n", shell->worker->name, (unsigned long long)rebuild.committed);
    return rebuild_end(&rebuild, 0);
}

/* --- verify ------------------------------------------------------------------------------------- */

struct walk { /* one table in key order */
    struct pg *pg;
    struct pg_result *page;
    int at;
};

static bool walk_open(struct walk *walk, struct pg *pg, const struct table_def *def, const char *schema)
{
    struct buf sql = {0};
    walk->pg = pg;
    walk->page = NULL;
    walk->at = 0;
    buf_append_text(&sql, "DECLARE walk NO SCROLL CURSOR FOR SELECT ");
    row_select_list(def->row, &sql);
    buf_append_format(&sql, " FROM \"%s\".\"%s\" ORDER BY \"%s\"", schema, def->name, def->row->fields[0].name);
    bool fine = pg_run(pg, buf_text(&sql)) == STATUS_OK;
    buf_release(&sql);
    return fine;
}

/* The next row is at walk->at of walk->page; *end when there is none. */
static bool walk_next(struct walk *walk, bool *end)
{
    if (walk->page != NULL && walk->at + 1 < pg_rows(walk->page)) {
        walk->at++;
        return true;
    }
    pg_result_destroy(&walk->page);
    walk->at = 0;
    if (pg_query(walk->pg, "FETCH " COMPARE_ROWS " FROM walk", NULL, &walk->page) != STATUS_OK)
        return false;
    *end = pg_rows(walk->page) == 0;
    return true;
}

static void walk_close(struct walk *walk)
{
    pg_result_destroy(&walk->page);
    if (pg_is_connected(walk->pg))
        (void)!pg_run(walk->pg, "CLOSE walk");
}

/* Tells what differs, and counts it. */
static void row_differs(const struct table_def *def, const struct walk *living, const struct walk *fresh, bool in_living,
                        bool in_fresh)
{
    const struct walk *which = in_living ? living : fresh;
    struct bytes key = pg_bytes(which->page, which->at, 0);
    const char *what = !in_fresh ? "is not in the fold" : !in_living ? "is missing" : "differs in";
    printf("%s %.*s %s", def->name, (int)key.len, (const char *)key.data, what);
    for (int c = 0; in_living && in_fresh && c < pg_columns(living->page); c++)
        if (pg_is_null(living->page, living->at, c) != pg_is_null(fresh->page, fresh->at, c) ||
            (!pg_is_null(living->page, living->at, c) &&
             !bytes_equal(pg_bytes(living->page, living->at, c), pg_bytes(fresh->page, fresh->at, c))))
            printf(" %s", pg_column_name(living->page, c));
    putchar('\n');
}

static bool rows_equal(const struct walk *a, const struct walk *b)
{
    for (int c = 0; c < pg_columns(a->page); c++) {
        bool a_null = pg_is_null(a->page, a->at, c), b_null = pg_is_null(b->page, b->at, c);
        if (a_null != b_null || (!a_null && !bytes_equal(pg_bytes(a->page, a->at, c), pg_bytes(b->page, b->at, c))))
            return false;
    }
    return true;
}

static int key_order(const struct walk *a, bool a_end, const struct walk *b, bool b_end)
{
    if (a_end || b_end)
        return a_end ? 1 : -1;
    struct bytes left = pg_bytes(a->page, a->at, 0), right = pg_bytes(b->page, b->at, 0);
    size_t n = left.len < right.len ? left.len : right.len;
    int order = memcmp(left.data, right.data, n);
    return order != 0 ? order : (left.len > right.len) - (left.len < right.len);
}

static bool compare_table(struct rebuild *rebuild, const struct table_def *def, size_t *rows, size_t *differences)
{
    struct walk living, fresh;
    bool living_end = false, fresh_end = false;
    if (!walk_open(&living, rebuild->shell->pg, def, rebuild->shell->worker->name) ||
        !walk_open(&fresh, rebuild->pg, def, rebuild->schema) || !walk_next(&living, &living_end) ||
        !walk_next(&fresh, &fresh_end))
        return failed(rebuild, "the tables cannot be compared");
    bool fine = true;
    while (fine && (!living_end || !fresh_end)) {
        int order = key_order(&living, living_end, &fresh, fresh_end);
        if (order != 0 || !rows_equal(&living, &fresh)) {
            if (++*differences <= 20)
                row_differs(def, &living, &fresh, order <= 0, order >= 0);
        }
        ++*rows;
        if (order <= 0)
            fine = walk_next(&living, &living_end);
        if (fine && order >= 0)
            fine = walk_next(&fresh, &fresh_end);
    }
    walk_close(&living);
    walk_close(&fresh);
    return fine || failed(rebuild, "the tables cannot be compared");
}

int verify_run(struct shell *shell)
{
    struct rebuild rebuild;
    size_t rows = 0, differences = 0, n;
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
        if (!compare_table(&rebuild, defs[i], &rows, &differences))
            return rebuild_end(&rebuild, 1);
    if (pg_run(rebuild.pg, "ROLLBACK") != STATUS_OK || !fresh_schema(&rebuild))
        return rebuild_end(&rebuild, 1);
    printf("%s: %zu rows at position %llu, %zu differ from the fold of the journal\n", shell->worker->name, rows,
           (unsigned long long)rebuild.target, differences);
    return rebuild_end(&rebuild, differences == 0 ? 0 : 1);
}
