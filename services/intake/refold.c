#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "refold_inside.h"
#include "table/mirror.h"
#include "verify_rows.h"
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#define BATCH_ROWS 4096
#define AHEAD_ROWS 256
#define CACHE_ROWS 65536
#define WARNINGS_TOLD 20

bool refold_failed(struct refold *refold, const struct pg *pg, const char *what)
{
    if (refold->why[0] == '\0')
        (void)snprintf(refold->why, sizeof(refold->why), "%s: %s", what, pg_error(pg));
    return false;
}

static void show(struct refold *refold, bool end)
{
    int64_t now_us = clock_boot_us();
    if (!isatty(STDERR_FILENO) || (!end && now_us - refold->shown_us < SECOND_US / 5))
        return;
    refold->shown_us = now_us;
    double seconds = (double)(now_us - refold->began_us + 1) / (double)SECOND_US;
    fprintf(stderr, "\rintake %s  %3.0f %%  %lld of %llu  %.0f events/s %s", refold->step,
            100.0 * (double)refold->told / (double)(refold->journal.head.pos + (refold->journal.head.pos == 0)),
            (long long)refold->told, (unsigned long long)refold->journal.head.pos, (double)refold->told / seconds, end ? "\n" : "");
}

/* --- one event ------------------------------------------------------------------------------------- */

static const struct principal_row *principal_of(const struct refold *refold, const char *from)
{
    char id[sizeof(((struct principal_row *)0)->id)];
    return source_principal(from, id, sizeof(id)) ? table_get(refold->tables, ARCHIVE_PRINCIPALS, id) : NULL;
}

static bool data_read(struct refold *refold, const struct verify_row *row, const struct event_type *type)
{
    struct problem problem;
    struct event event = row->event;
    event.priv = buf_bytes(&row->priv);
    struct bytes personal = event_personal(&event);
    if (type->data->size > refold->object_cap) {
        refold->object = memory_grow(refold->object, type->data->size);
        refold->object_cap = type->data->size;
    }
    if (!record_decode(type->data, RECORD_PLAIN, DECODE_LENIENT, event.data, refold->arena, refold->object, &problem))
        return false;
    return personal.len == 0 || record_decode(type->data, RECORD_PERSONAL, DECODE_LENIENT | DECODE_KEEP, personal, refold->arena,
                                              refold->object, &problem);
}

/* Might that number have been given by intake? PREFIX-YYYYMMDD-NNNNNN. */
static bool looks_given(const char *key)
{
    size_t n = strlen(key);
    return n > 7 && key[n - 7] == '-' && strspn(key + n - 6, "0123456789") == 6;
}

/* A registration's number is told again as it came about: where intake gave it, its counter goes on. */
static bool judge_registered(struct refold *refold, const struct verify_row *row)
{
    struct desk_case *desk = &refold->desk;
    size_t mark = tables_mark(refold->tables);
    desk->key[0] = '\0';
    if (looks_given(row->key)) {
        bool judged = desk_replay(desk);
        if (tables_missed(refold->tables) || (judged && text_equal(desk->key, row->key)))
            return judged;
        tables_undo(refold->tables, mark);
    }
    text_copy(desk->key, sizeof(desk->key), row->key);
    return desk_replay(desk);
}

/* What was answered then is what a repeat is answered. */
static void request_answer(struct refold *refold, const struct verify_row *row)
{
    const struct ticket_registered *data = refold->object;
    char request[132];
    if (data->request_id[0] == '\0' || row->result.len > sizeof(((struct request_row *)0)->result.data))
        return;
    text_format(request, sizeof(request), "%s/%s", refold->desk.principal != NULL ? refold->desk.principal->id : "", data->request_id);
    struct request_row *kept = table_change(refold->tables, ARCHIVE_REQUESTS, request);
    if (kept == NULL || kept->pos != row->pos)
        return;
    kept->result.len = (uint32_t)row->result.len;
    memcpy(kept->result.data, row->result.data, row->result.len);
}

static bool judge(struct refold *refold, const struct verify_row *row, const struct event_type *type)
{
    struct desk_case *desk = &refold->desk;
    desk->tables = refold->tables;
    desk->arena = refold->arena;
    desk->type = type;
    desk->data = refold->object;
    desk->pos = (uint64_t)row->pos;
    desk->rec_us = row->event.rec_us;
    desk->at_us = row->event.at_us;
    desk->principal = principal_of(refold, row->event.from);
    if (text_equal(type->name, "ticket.registered")) {
        bool judged = judge_registered(refold, row);
        if (judged)
            request_answer(refold, row);
        return judged;
    }
    text_copy(desk->key, sizeof(desk->key), row->key);
    return desk_replay(desk);
}

/* Who compares tells what became of it. */
static void warn(const struct refold *refold, const struct verify_row *row, const char *code, const char *field, int64_t *count)
{
    if (++*count <= WARNINGS_TOLD && refold->holds)
        log_warn("position %lld, %s %s: %s %s", (long long)row->pos, row->type, row->key, code, field);
}

/* Intake's own judgements and words about itself lie at no place of their own. */
static bool has_place(const struct verify_row *row)
{
    return !text_equal(row->event.from, SOURCE_OWN_NAME);
}

static bool tell(struct refold *refold, const struct verify_row *row)
{
    if (!row->readable || (int64_t)row->event.pos != row->pos || row->pos != refold->told + 1) {
        (void)snprintf(refold->why, sizeof(refold->why), "the journal is not whole at position %lld: `aftercare verify` says more",
                       (long long)(refold->told + 1));
        return false;
    }
    const struct event_type *type = event_type_find(row->event.type, row->event.v);
    arena_reset(refold->arena);
    refold->told++;
    if (type == NULL || !data_read(refold, row, type)) {
        warn(refold, row, "is not known to this release", "", &refold->unclear);
        return true;
    }
    for (;;) {
        size_t mark = tables_mark(refold->tables);
        bool judged = judge(refold, row, type);
        if (tables_missed(refold->tables)) {
            tables_undo(refold->tables, mark);
            if (mirror_fetch(refold->fresh, refold->tables) != STATUS_OK)
                return refold_failed(refold, refold->fresh, "PostgreSQL");
            continue;
        }
        if (!judged) {
            tables_undo(refold->tables, mark);
            warn(refold, row, refold->desk.problem.code, refold->desk.problem.field, &refold->unclear);
        } else if (has_place(row) && (!text_equal(refold->desk.region, row->event.region) || !text_equal(refold->desk.site, row->event.site))) {
            warn(refold, row, "lies elsewhere than it did:", refold->desk.region, &refold->differing);
        }
        return true;
    }
}

/* --- all of them ----------------------------------------------------------------------------------- */

/* Whoever looks at the lease finds it running, however long something takes. */
static bool renew(struct refold *refold)
{
    int64_t now_us = clock_boot_us();
    if (!refold->holds || now_us - refold->renewed_us < refold->store.lease_ms * 1000 / 4)
        return true;
    refold->renewed_us = now_us;
    return store_renew(&refold->store, &refold->journal.head, refold->journal.head.rec_us, NULL, 0) == STATUS_OK ||
           refold_failed(refold, refold->store.pg, "the lease");
}

static bool write_out(struct refold *refold)
{
    if (pg_begin(refold->fresh) != STATUS_OK || mirror_send(refold->fresh, refold->tables) != STATUS_OK ||
        pg_commit(refold->fresh) != STATUS_OK)
        return refold_failed(refold, refold->fresh, "PostgreSQL");
    tables_forget(refold->tables);
    show(refold, false);
    return true;
}

/* The row of a file.* event's file; its data are read. */
static void touch_file(struct refold *refold, const struct verify_row *row, bool attached)
{
    char key[FILE_KEY_CAP];
    file_key(attached ? ((const struct file_attached *)refold->object)->sha256 : ((const struct file_stored *)refold->object)->sha256, row->key, key);
    (void)table_get(refold->tables, ARCHIVE_FILES, key);
}

/* Rows that these events will need are fetched together. */
static bool touch(struct refold *refold, const struct verify_row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct event_type *type = rows[i].readable ? event_type_find(rows[i].event.type, rows[i].event.v) : NULL;
        bool registered = type != NULL && text_equal(type->name, "ticket.registered"), job = type != NULL && text_starts(type->name, "job.");
        bool attached = type != NULL && text_equal(type->name, "file.attached"), stored = type != NULL && text_equal(type->name, "file.stored");
        char principal[sizeof(((struct principal_row *)0)->id)] = "";
        arena_reset(refold->arena);
        if (type == NULL || ((registered || job || attached || stored) && !data_read(refold, &rows[i], type)) ||
            !source_principal(rows[i].event.from, principal, sizeof(principal)))
            continue;
        if (attached || stored)
            touch_file(refold, &rows[i], attached);
        /* Every job.* record begins with the job's name. */
        desk_touch(refold->tables, principal, type->name, rows[i].key, job ? refold->object : "", registered ? refold->object : NULL);
    }
    bool missed = tables_missed(refold->tables);
    return !missed || mirror_fetch(refold->fresh, refold->tables) == STATUS_OK || refold_failed(refold, refold->fresh, "PostgreSQL");
}

/* It may take hours: who started it is told that it lives, and the end he asks for is looked for (a daemon keeps its signals blocked). */
static bool goes_on(struct refold *refold)
{
    sigset_t asked;
    (void)sd_notifyf(0, "WATCHDOG=1\nSTATUS=%s: %lld of %llu events", refold->step, (long long)refold->told,
                     (unsigned long long)refold->journal.head.pos);
    if (sigpending(&asked) != 0 || (sigismember(&asked, SIGTERM) != 1 && sigismember(&asked, SIGINT) != 1))
        return true;
    text_copy(refold->why, sizeof(refold->why), "told to stop");
    return false;
}

static bool tell_some(struct refold *refold, const struct verify_row *rows, size_t n)
{
    bool fine = goes_on(refold) && touch(refold, rows, n);
    for (size_t i = 0; fine && i < n; i++) {
        fine = renew(refold) && tell(refold, &rows[i]);
        if (fine && refold->told % BATCH_ROWS == 0)
            fine = write_out(refold);
    }
    return fine;
}

bool refold_tell_all(struct refold *refold)
{
    struct verify_walk walk;
    struct verify_row *rows = memory_new(AHEAD_ROWS * sizeof(*rows));
    size_t n = AHEAD_ROWS;
    bool fine = true;
    enum status status = verify_walk_open(&walk, refold->reading, 1, (int64_t)refold->journal.head.pos);
    fine = status == STATUS_OK;
    while (fine && n == AHEAD_ROWS) {
        for (n = 0; n < AHEAD_ROWS && (status = verify_walk_next(&walk, &rows[n])) == STATUS_OK;)
            n++;
        fine = (status == STATUS_OK || status == STATUS_ABSENT) && tell_some(refold, rows, n);
    }
    if (status != STATUS_OK && status != STATUS_ABSENT)
        refold_failed(refold, refold->reading, "PostgreSQL");
    else
        verify_walk_close(&walk);
    for (size_t i = 0; i < AHEAD_ROWS; i++)
        verify_row_release(&rows[i]);
    free(rows);
    return fine && write_out(refold);
}

/* What `--verify` makes beside them is its own to drop. */
static const char drop_sql[] =
    "DO $$ DECLARE t text; BEGIN FOR t IN SELECT tablename FROM pg_tables WHERE schemaname = '" FRESH_SCHEMA "'"
    " AND tablename !~ '^verify[0-9]+_' LOOP"
    " EXECUTE format('DROP TABLE %I.%I', '" FRESH_SCHEMA "', t); END LOOP; END $$";

/* Tables and their definitions change places in one transaction, and only while the lease is still ours. */
static bool swap(struct refold *refold)
{
    struct buf sql = {0};
    buf_append_format(&sql, "BEGIN; SELECT 1 / count(*) FROM (SELECT 1 FROM head WHERE epoch = %lld FOR UPDATE) h;",
                      (long long)refold->journal.head.epoch);
    for (unsigned i = 0; i < ARCHIVE_TABLES_N; i++)
        buf_append_format(&sql, "DROP TABLE IF EXISTS " STORE_SCHEMA ".\"%s\"; ALTER TABLE " FRESH_SCHEMA ".\"%s\" SET SCHEMA " STORE_SCHEMA ";",
                          archive_tables[i]->name, archive_tables[i]->name);
    buf_append_text(&sql, "DELETE FROM " STORE_SCHEMA ".definition; INSERT INTO " STORE_SCHEMA ".definition SELECT * FROM " FRESH_SCHEMA
                          ".definition; DROP TABLE " FRESH_SCHEMA ".definition; COMMIT");
    bool done = pg_run(refold->store.pg, buf_text(&sql)) == STATUS_OK;
    buf_release(&sql);
    if (!done) {
        refold_failed(refold, refold->store.pg, "the tables cannot be swapped");
        (void)!pg_run(refold->store.pg, "ROLLBACK");
    }
    return done;
}

static bool hold(struct refold *refold)
{
    enum status status = store_connect(&refold->store);
    if (status == STATUS_OK)
        status = store_migrate(&refold->store);
    if (status == STATUS_OK)
        status = store_stream(&refold->store, &refold->journal.stream);
    if (status == STATUS_OK)
        status = store_take_over(&refold->store, &refold->journal);
    if (status == STATUS_OK)
        return true;
    if (status == STATUS_AGAIN && pg_is_connected(refold->store.pg)) {
        text_copy(refold->why, sizeof(refold->why), "another intake serves: stop it first, or `aftercare rebuild intake`");
        return false;
    }
    return refold_failed(refold, refold->store.pg, status == STATUS_ABSENT ? "there is no stream yet" : "PostgreSQL");
}

bool refold_read_begin(struct refold *refold)
{
    return (pg_connect(refold->reading) == STATUS_OK &&
            pg_run(refold->reading, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY") == STATUS_OK) ||
           refold_failed(refold, refold->reading, "PostgreSQL");
}

static bool fresh_begin(struct refold *refold)
{
    if (pg_connect(refold->fresh) != STATUS_OK || pg_run(refold->fresh, drop_sql) != STATUS_OK ||
        mirror_create(refold->fresh, FRESH_SCHEMA, archive_tables, ARCHIVE_TABLES_N) != STATUS_OK)
        return refold_failed(refold, refold->fresh, "the fresh tables cannot be made");
    return true;
}

struct refold *refold_new(const struct settings *settings, const char *step, const struct table_def *const *defs)
{
    struct refold *refold = memory_new(sizeof(*refold));
    refold->step = step;
    store_init(&refold->store, settings->intake.dsn, step, settings->intake.lease_ms);
    refold->fresh = pg_new(settings->intake.dsn, FRESH_SCHEMA);
    refold->reading = pg_new(settings->intake.dsn, STORE_SCHEMA);
    refold->tables = tables_new(defs, ARCHIVE_TABLES_N, CACHE_ROWS);
    refold->arena = arena_new(1 << 16);
    refold->began_us = refold->renewed_us = clock_boot_us();
    return refold;
}

void refold_destroy(struct refold **refold_p)
{
    struct refold *refold = *refold_p;
    pg_destroy(&refold->fresh);
    pg_destroy(&refold->reading);
    tables_destroy(&refold->tables);
    arena_destroy(&refold->arena);
    buf_release(&refold->desk.result);
    store_release(&refold->store);
    free(refold->object);
    free(refold);
    *refold_p = NULL;
}

void refold_show_end(struct refold *refold)
{
    show(refold, true);
}

int archive_rebuild(const struct settings *settings, bool forced)
{
    struct refold *refold = refold_new(settings, "rebuild", archive_tables);
    refold->store.forced = forced;
    refold->holds = hold(refold);
    bool done = refold->holds && refold_read_begin(refold) && fresh_begin(refold) && refold_tell_all(refold) && swap(refold);
    show(refold, true);
    if (refold->holds)
        store_let_go(&refold->store, &refold->journal.head);
    if (done)
        printf("intake's archive rebuilt: %lld events, %lld could not be taken as they were, %lld lie elsewhere\n",
               (long long)refold->told, (long long)refold->unclear, (long long)refold->differing);
    else
        log_error("%s", refold->why);
    int code = done ? 0 : pg_is_connected(refold->store.pg) ? 1 : 3;
    refold_destroy(&refold);
    return code;
}
