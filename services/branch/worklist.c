/* The work list's file, and what is read from it. */
#include "worklist.h"
#include "base/text.h"
#include "worklist_inside.h"
#include <stdlib.h>
#include <string.h>

static const char schema[] =
    "CREATE TABLE IF NOT EXISTS meta(name TEXT PRIMARY KEY, value) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS ticket(ticket TEXT PRIMARY KEY, kind TEXT NOT NULL, product TEXT NOT NULL, serial TEXT NOT NULL,"
    " priority TEXT NOT NULL, coverage TEXT NOT NULL, region TEXT NOT NULL, subject TEXT NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS person(ticket TEXT PRIMARY KEY, customer TEXT NOT NULL, name TEXT NOT NULL, phone TEXT NOT NULL,"
    " address TEXT NOT NULL) WITHOUT ROWID;"
    "CREATE INDEX IF NOT EXISTS person_customer ON person(customer);"
    /* Whose each ticket is, whoever may see the person, and for a while past its end; ended 0: it is open. */
    "CREATE TABLE IF NOT EXISTS whose(ticket TEXT PRIMARY KEY, customer TEXT NOT NULL, ended INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE INDEX IF NOT EXISTS whose_customer ON whose(customer);"
    "CREATE INDEX IF NOT EXISTS whose_ended ON whose(ended) WHERE ended > 0;"
    /* Tickets that have ended, and may be opened again: what is known of them stays for a while. */
    "CREATE TABLE IF NOT EXISTS leaving(ticket TEXT PRIMARY KEY, ended INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE INDEX IF NOT EXISTS leaving_ended ON leaving(ended);"
    "CREATE TABLE IF NOT EXISTS job(job TEXT PRIMARY KEY, ticket TEXT NOT NULL, site TEXT NOT NULL, state TEXT NOT NULL,"
    " offered INTEGER NOT NULL, due INTEGER NOT NULL, engineer TEXT NOT NULL) WITHOUT ROWID;"
    "CREATE INDEX IF NOT EXISTS job_ticket ON job(ticket);"
    "CREATE TABLE IF NOT EXISTS promise(name TEXT PRIMARY KEY, key TEXT NOT NULL, clause TEXT NOT NULL, k INTEGER NOT NULL,"
    " target INTEGER NOT NULL, state TEXT NOT NULL, due INTEGER NOT NULL, level INTEGER NOT NULL, told INTEGER NOT NULL)"
    " WITHOUT ROWID;"
    "CREATE INDEX IF NOT EXISTS promise_key ON promise(key);"
    "CREATE INDEX IF NOT EXISTS promise_broken ON promise(told) WHERE state = 'breached';"
    "CREATE TABLE IF NOT EXISTS callback(name TEXT PRIMARY KEY, ticket TEXT NOT NULL, k INTEGER NOT NULL, state TEXT NOT NULL,"
    " due INTEGER NOT NULL, until INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE INDEX IF NOT EXISTS callback_ticket ON callback(ticket);";

static const char *const texts[WORKLIST_STATEMENTS_N] = {
    [LIST_META_GET] = "SELECT value FROM meta WHERE name = ?",
    [LIST_META_PUT] = "INSERT INTO meta(name, value) VALUES(?, ?) ON CONFLICT(name) DO UPDATE SET value = excluded.value",
    [TICKET_PUT] = "INSERT OR REPLACE INTO ticket(ticket, kind, product, serial, priority, coverage, region, subject)"
                   " VALUES(?, ?, ?, ?, ?, '', ?, ?)",
    [TICKET_ASSESSED] =
        "INSERT INTO ticket(ticket, kind, product, serial, priority, coverage, region, subject) VALUES(?, ?, ?, ?, ?, ?, ?, '')"
        " ON CONFLICT(ticket) DO UPDATE SET kind = excluded.kind, product = excluded.product, serial = excluded.serial,"
        " priority = excluded.priority, coverage = excluded.coverage, region = excluded.region",
    [TICKET_CLASS] = "UPDATE ticket SET kind = coalesce(nullif(?2, ''), kind), product = coalesce(nullif(?3, ''), product),"
                     " priority = coalesce(nullif(?4, ''), priority), region = coalesce(nullif(?5, ''), region) WHERE ticket = ?1",
    [TICKET_AGE] = "DELETE FROM ticket WHERE ticket IN (SELECT ticket FROM leaving WHERE ended < ?)",
    [PERSON_PUT] = "INSERT OR REPLACE INTO person(ticket, customer, name, phone, address) VALUES(?, ?, ?, ?, ?)",
    [PERSON_AGE] = "DELETE FROM person WHERE ticket IN (SELECT ticket FROM leaving WHERE ended < ?)",
    [PERSON_TICKETS] = "SELECT ticket FROM whose WHERE customer = ?1 OR ticket = ?1"
                       " UNION SELECT ticket FROM person WHERE customer = ?1 OR ticket = ?1",
    [PERSON_ERASE] = "DELETE FROM person WHERE customer = ?1 OR ticket = ?1",
    [WHOSE_PUT] = "INSERT INTO whose(ticket, customer, ended) VALUES(?, ?, 0)"
                  " ON CONFLICT(ticket) DO UPDATE SET customer = excluded.customer",
    [WHOSE_ENDED] = "UPDATE whose SET ended = ? WHERE ticket = ?",
    [WHOSE_AGE] = "DELETE FROM whose WHERE ended > 0 AND ended < ?",
    [LEAVING_PUT] = "INSERT OR REPLACE INTO leaving(ticket, ended) VALUES(?, ?)",
    [LEAVING_END] = "DELETE FROM leaving WHERE ticket = ?",
    [LEAVING_AGE] = "DELETE FROM leaving WHERE ended < ?",
    /* The story may have moved on before the offer. */
    [JOB_PUT] = "INSERT OR IGNORE INTO job(job, ticket, site, state, offered, due, engineer) SELECT ?1, ?2, ?3, 'offered', ?4, ?5, ?6"
                " WHERE NOT EXISTS (SELECT 1 FROM leaving WHERE ticket = ?2)",
    [JOB_STATE] = "UPDATE job SET state = ? WHERE job = ?",
    [JOB_ENGINEER] = "UPDATE job SET engineer = ? WHERE job = ?",
    [JOB_SITE] = "UPDATE job SET site = ? WHERE job = ?",
    [JOB_STATE_GET] = "SELECT state FROM job WHERE job = ?",
    [JOB_RESOLVED] = "UPDATE job SET state = 'resolved' WHERE ticket = ? AND state IN ('offered', 'accepted', 'arrived')",
    [JOB_END] = "DELETE FROM job WHERE ticket = ?",
    [LIMIT_PUT] = "INSERT INTO promise(name, key, clause, k, target, state, due, level, told) VALUES(?, ?, ?, ?, ?, ?, ?, 0, ?)"
                  " ON CONFLICT(name) DO UPDATE SET target = excluded.target, state = excluded.state, due = excluded.due,"
                  " level = CASE WHEN target = excluded.target THEN level ELSE 0 END, told = excluded.told",
    [LIMIT_STATE] = "UPDATE promise SET state = ?, told = ? WHERE name = ?",
    [LIMIT_LEVEL] = "UPDATE promise SET level = ? WHERE name = ?",
    [LIMIT_END] = "DELETE FROM promise WHERE name = ?",
    [LIMIT_END_OF] = "DELETE FROM promise WHERE key = ? AND state = 'breached'",
    [LIMIT_AGE] = "DELETE FROM promise WHERE state = 'breached' AND told < ?",
    [CALLBACK_PUT] = "INSERT OR REPLACE INTO callback(name, ticket, k, state, due, until) VALUES(?, ?, ?, 'due', ?, ?)",
    [CALLBACK_END] = "DELETE FROM callback WHERE name = ?",
    [CALLBACK_END_OF] = "DELETE FROM callback WHERE ticket = ?",
    [JOB_ROWS] = "SELECT job, ticket, site, state, offered, due, engineer, t.kind, t.product, t.serial, t.priority, t.coverage,"
                 " t.region, t.subject, p.name, p.phone, p.address FROM job LEFT JOIN ticket t USING(ticket)"
                 " LEFT JOIN person p USING(ticket) WHERE job > ?1 AND (?2 = '' OR ticket = ?2) AND (?3 = '' OR state = ?3)"
                 " ORDER BY job LIMIT 1",
    [LIMIT_ROWS] = "SELECT name, key, clause, k, target, state, due, level FROM promise WHERE name > ?1"
                   " AND (?2 = '' OR key = ?2) AND (?3 = '' OR state = ?3) ORDER BY name LIMIT 1",
    [CALLBACK_ROWS] = "SELECT c.name, ticket, k, state, due, until, p.name, p.phone FROM callback c LEFT JOIN person p"
                      " USING(ticket) WHERE c.name > ?1 AND (?2 = '' OR ticket = ?2) AND (?3 = '' OR state = ?3)"
                      " ORDER BY c.name LIMIT 1",
};

static const char *const types[] = {"ticket.", "job.", "sla.", "followup.", "personal."};

const char *worklist_type(size_t i)
{
    return i < COUNT_OF(types) ? types[i] : NULL;
}

/* --- the file ------------------------------------------------------------------------------------- */

static enum status meta_get(struct worklist *list, const char *name, struct sqlite3_stmt **row)
{
    *row = db_use(list->db, LIST_META_GET);
    db_text(*row, 1, name);
    return db_step(list->db, *row);
}

static enum status int_load(struct worklist *list, const char *name, int64_t *out)
{
    struct sqlite3_stmt *row;
    enum status status = meta_get(list, name, &row);
    *out = status == STATUS_OK ? db_column_int(row, 0) : 0;
    return status == STATUS_ABSENT ? STATUS_OK : status;
}

static enum status text_load(struct worklist *list, const char *name, char *out, size_t cap)
{
    struct sqlite3_stmt *row;
    enum status status = meta_get(list, name, &row);
    if (status == STATUS_OK)
        db_column_text(row, 0, out, cap);
    return status == STATUS_ABSENT ? STATUS_OK : status;
}

static enum status int_put(struct worklist *list, const char *name, int64_t value)
{
    struct sqlite3_stmt *put = db_use(list->db, LIST_META_PUT);
    db_text(put, 1, name);
    db_int(put, 2, value);
    return db_do(list->db, put);
}

static enum status text_put(struct worklist *list, const char *name, const char *value)
{
    struct sqlite3_stmt *put = db_use(list->db, LIST_META_PUT);
    db_text(put, 1, name);
    db_text(put, 2, value);
    return db_do(list->db, put);
}

static enum status state_load(struct worklist *list)
{
    struct worklist_state *state = &list->state;
    struct sqlite3_stmt *row;
    int64_t pos = 0;
    enum status status = text_load(list, "stream", state->stream, sizeof(state->stream));
    if (status == STATUS_OK)
        status = text_load(list, "filter", list->filter, sizeof(list->filter));
    if (status == STATUS_OK)
        status = int_load(list, "pos", &pos);
    if (status == STATUS_OK)
        status = int_load(list, "as_of", &state->as_of_us);
    if (status == STATUS_OK)
        status = int_load(list, "heard", &state->heard_us);
    if (status != STATUS_OK)
        return status;
    state->pos = (uint64_t)pos;
    status = meta_get(list, "link", &row);
    if (status == STATUS_OK && db_column_bytes(row, 0).len == LINK_BYTES)
        memcpy(state->link, db_column_bytes(row, 0).data, LINK_BYTES);
    return status == STATUS_ABSENT ? STATUS_OK : status;
}

struct worklist *worklist_open(const char *path, char *error, size_t error_cap)
{
    struct worklist *list = memory_new(sizeof(*list));
    list->arena = arena_new(64 * 1024);
    list->db = db_open(path, DB_SYNC_LAZY, DB_ALONE, schema, texts, WORKLIST_STATEMENTS_N, error, error_cap);
    if (list->db != NULL && state_load(list) == STATUS_OK)
        return list;
    if (list->db != NULL)
        (void)text_copy(error, error_cap, db_error(list->db));
    worklist_close(&list);
    return NULL;
}

void worklist_close(struct worklist **list_p)
{
    struct worklist *list = *list_p;
    if (list == NULL)
        return;
    db_close(&list->db);
    arena_destroy(&list->arena);
    free(list->object);
    free(list);
    *list_p = NULL;
}

const struct worklist_state *worklist_state(const struct worklist *list)
{
    return &list->state;
}

const char *worklist_error(const struct worklist *list)
{
    return db_error(list->db);
}

enum status worklist_change(struct worklist *list)
{
    if (!list->changing)
        list->before = list->state;
    list->changing = true;
    return db_begin(list->db);
}

void worklist_rollback(struct worklist *list)
{
    db_rollback(list->db);
    if (list->changing)
        list->state = list->before;
    list->changing = false;
}

enum status worklist_commit(struct worklist *list)
{
    if (!list->changing)
        return STATUS_OK;
    struct worklist_state *state = &list->state;
    enum status status = STATUS_OK;
    if (state->pos != list->before.pos || memcmp(state->link, list->before.link, LINK_BYTES) != 0) {
        struct sqlite3_stmt *put = db_use(list->db, LIST_META_PUT);
        db_text(put, 1, "link");
        db_bytes(put, 2, bytes_of(state->link, LINK_BYTES));
        status = db_do(list->db, put);
        if (status == STATUS_OK)
            status = int_put(list, "pos", (int64_t)state->pos);
    }
    if (status == STATUS_OK && state->as_of_us != list->before.as_of_us)
        status = int_put(list, "as_of", state->as_of_us);
    if (status == STATUS_OK && state->heard_us != list->before.heard_us)
        status = int_put(list, "heard", state->heard_us);
    if (status == STATUS_OK)
        status = db_commit(list->db);
    if (status != STATUS_OK)
        worklist_rollback(list);
    list->changing = false;
    return status;
}

static enum status rows_clear(struct worklist *list)
{
    return db_run(list->db, "DELETE FROM ticket; DELETE FROM person; DELETE FROM whose; DELETE FROM leaving; DELETE FROM job; DELETE FROM promise;"
                              "DELETE FROM callback; DELETE FROM meta");
}

enum status worklist_begin(struct worklist *list, const char *stream, const char *filter)
{
    if (text_equal(list->state.stream, stream) && text_equal(list->filter, filter))
        return STATUS_OK;
    enum status status = worklist_change(list);
    if (status == STATUS_OK)
        status = rows_clear(list);
    if (status == STATUS_OK)
        status = text_put(list, "stream", stream);
    if (status == STATUS_OK)
        status = text_put(list, "filter", filter);
    if (status != STATUS_OK) {
        worklist_rollback(list);
        return status;
    }
    list->state = (struct worklist_state){.pos = 0};
    (void)text_copy(list->state.stream, sizeof(list->state.stream), stream);
    (void)text_copy(list->filter, sizeof(list->filter), filter);
    return worklist_commit(list);
}

enum status worklist_reached(struct worklist *list, uint64_t pos, const uint8_t link[LINK_BYTES])
{
    enum status status = worklist_change(list);
    list->state.pos = pos;
    memcpy(list->state.link, link, LINK_BYTES);
    return status;
}

enum status worklist_heard(struct worklist *list, int64_t as_of_us, int64_t wall_us)
{
    enum status status = worklist_change(list);
    if (as_of_us > list->state.as_of_us)
        list->state.as_of_us = as_of_us;
    list->state.heard_us = wall_us;
    return status;
}

enum status worklist_erase(struct worklist *list, const char *customer, worklist_ticket *told, void *owner)
{
    char ticket[EVENT_KEY_CAP];
    enum status status = worklist_change(list);
    if (status != STATUS_OK)
        return status;
    struct sqlite3_stmt *row = db_use(list->db, PERSON_TICKETS);
    db_text(row, 1, customer);
    while ((status = db_step(list->db, row)) == STATUS_OK) {
        db_column_text(row, 0, ticket, sizeof(ticket));
        told(owner, ticket);
    }
    if (status != STATUS_ABSENT)
        return status;
    struct sqlite3_stmt *erase = db_use(list->db, PERSON_ERASE);
    db_text(erase, 1, customer);
    return db_do(list->db, erase);
}

enum status worklist_sweep(struct worklist *list)
{
    return db_sweep(list->db);
}

/* --- reading -------------------------------------------------------------------------------------- */

static enum status row_next(struct worklist *list, enum worklist_statement which, const char *after,
                            const struct branch_args *args, struct sqlite3_stmt **row)
{
    *row = db_use(list->db, (int)which);
    db_text(*row, 1, after);
    db_text(*row, 2, args->key);
    db_text(*row, 3, args->state);
    return db_step(list->db, *row);
}

#define COLUMN(i, member) db_column_text(row, i, out->member, sizeof(out->member))

enum status worklist_job(struct worklist *list, const char *after, const struct branch_args *args, struct branch_job_row *out)
{
    struct sqlite3_stmt *row;
    enum status status = row_next(list, JOB_ROWS, after, args, &row);
    if (status != STATUS_OK)
        return status;
    memset(out, 0, sizeof(*out));
    COLUMN(0, job);
    COLUMN(1, ticket);
    COLUMN(2, site);
    COLUMN(3, state);
    out->offered_us = db_column_int(row, 4);
    out->due_us = db_column_int(row, 5);
    COLUMN(6, engineer);
    COLUMN(7, kind);
    COLUMN(8, product);
    COLUMN(9, serial);
    COLUMN(10, priority);
    COLUMN(11, coverage);
    COLUMN(12, region);
    COLUMN(13, subject);
    COLUMN(14, name);
    COLUMN(15, phone);
    COLUMN(16, address);
    (void)db_use(list->db, JOB_ROWS);
    return STATUS_OK;
}

enum status worklist_limit(struct worklist *list, const char *after, const struct branch_args *args, struct branch_limit_row *out)
{
    struct sqlite3_stmt *row;
    enum status status = row_next(list, LIMIT_ROWS, after, args, &row);
    if (status != STATUS_OK)
        return status;
    memset(out, 0, sizeof(*out));
    COLUMN(0, limit);
    COLUMN(1, key);
    COLUMN(2, clause);
    out->k = db_column_int(row, 3);
    out->target = db_column_int(row, 4);
    COLUMN(5, state);
    out->due_us = db_column_int(row, 6);
    out->level = db_column_int(row, 7);
    (void)db_use(list->db, LIMIT_ROWS);
    return STATUS_OK;
}

enum status worklist_callback(struct worklist *list, const char *after, const struct branch_args *args,
                              struct branch_callback_row *out)
{
    struct sqlite3_stmt *row;
    enum status status = row_next(list, CALLBACK_ROWS, after, args, &row);
    if (status != STATUS_OK)
        return status;
    memset(out, 0, sizeof(*out));
    COLUMN(0, callback);
    COLUMN(1, ticket);
    out->k = db_column_int(row, 2);
    COLUMN(3, state);
    out->due_us = db_column_int(row, 4);
    out->until_us = db_column_int(row, 5);
    COLUMN(6, name);
    COLUMN(7, phone);
    (void)db_use(list->db, CALLBACK_ROWS);
    return STATUS_OK;
}
