/* Tables of records in memory, mirrored to PostgreSQL (mirror.h), with undo, misses and ordered indexes.
 * This file does no I/O.
 *
 * A row is a struct described by a record; its first field is its key (FIELD_TEXT). A row is open or
 * closed by a stored bool: open rows are all in memory and may be in ordered indexes; closed ones are
 * fetched on demand and kept in a bounded cache. Of a `far` table the open rows too lie in PostgreSQL only,
 * but for those that come due soon and those that are in use.
 *
 * A get of a row that is neither in memory nor known to be absent is a miss: it returns NULL, and the
 * caller of the handler (worker/run.h, intake's desk) undoes what the handler did, fetches, and runs it again. */
#ifndef AFTERCARE_TABLE_TABLE_H
#define AFTERCARE_TABLE_TABLE_H

#include "base/problem.h"
#include "record/record.h"

/* An ordered index over rows for which `holds` is true (must imply open). Ties are broken by key. */
struct index_def {
    const char *name;
    int (*compare)(const void *row_a, const void *row_b);
    bool (*holds)(const void *row); /* NULL: every open row */
};

struct table_def {
    const char *name; /* the PostgreSQL table */
    const struct record *row;
    uint32_t open_offset;            /* offsetof(struct …, open), a bool field in the record; 0: none, then every row
                                        of a whole table is open and every row of another is closed */
    const struct index_def *indexes;
    size_t indexes_n; /* at most TABLE_INDEXES_MAX */
    bool whole;       /* every row is in memory, closed or not: a get never misses (reference data, few rows) */
    bool far;         /* open rows may be many: once tables_keep_near was called, they are fetched and kept like closed ones,
                         but for those that come due up to the table's horizon. The one index of such a table is by due_offset
                         (0: it has neither), is walked by timers only, and holds all rows up to the horizon, by no means all
                         beyond. Volatile columns of a row beyond it are lost when it leaves memory. */
    uint32_t due_offset; /* offsetof(struct …, due_us), a FIELD_TIME in the record; 0 in a row: it is never due */
    uint32_t sweep_offset; /* offsetof(struct …, version), a FIELD_TEXT in the record by which open rows are found; "" in a row: it
                              is not; 0: none */
};
#define TABLE_INDEXES_MAX 4

struct tables;

/* defs are borrowed for the life of the tables. cache_rows: closed rows kept per table. */
struct tables *tables_new(const struct table_def *const *defs, size_t n, size_t cache_rows);
void tables_destroy(struct tables **);
/* Before the first row: every row there is stays in memory, so that a get never misses (simulator, tests). */
void tables_keep_all(struct tables *);
/* Forgets all rows (after a failed or doubtful commit). */
void tables_clear(struct tables *);
size_t tables_count(const struct tables *);
const struct table_def *tables_def(const struct tables *, unsigned table);

/* --- for handlers ------------------------------------------------------------------------------ */
/* The row, or NULL: there is none, or it is not in memory (then tables_missed() grows). Valid until
 * the next change of the same table. */
const void *table_get(const struct tables *, unsigned table, const char *key);
/* The row to be changed in place; NULL like table_get. Its image is kept for undo. Do not change the key.
 * Indexes follow by themselves before the next index read and at tables_mark: after one of these the row must be
 * taken by table_change again before it is written to. Volatile fields are changed through it too; a row in which
 * only they changed is not written, and a row that leaves memory (closed, out of the cache) loses them. */
void *table_change(struct tables *, unsigned table, const char *key);
/* A fresh row, defaults set, key set, to be filled in. Does not look the key up: the caller knows that it is
 * new. A key that is in memory already is our bug (assert). Set the open flag. */
void *table_new(struct tables *, unsigned table, const char *key);
/* Rows in index order: the first with compare(row, from) >= 0 (from: a row struct used as a probe whose key ""
 * sorts first; NULL: the very first), then the next ones. NULL at the end. */
const void *table_first(const struct tables *, unsigned table, unsigned index, const void *from);
const void *table_next(const struct tables *, unsigned table, unsigned index, const void *row);
/* A handler found that it cannot handle its event; the event is undone and parked. Returns false. */
bool tables_trouble(struct tables *, const char *format, ...) PRINTF_LIKE(2, 3);

/* --- for who runs handlers --------------------------------------------------------------------- */
/* Everything changed since the mark can be undone; marks nest by value (a mark is a log position). */
size_t tables_mark(struct tables *);
void tables_undo(struct tables *, size_t mark);
const char *tables_trouble_text(const struct tables *); /* "" none; cleared by tables_undo and tables_mark */

/* Misses since the last call to tables_misses_reset: pairs of table and key, each once. */
struct miss {
    unsigned table;
    const char *key;
};
size_t tables_misses(const struct tables *, const struct miss **);
bool tables_missed(const struct tables *);
void tables_misses_reset(struct tables *);
/* What was fetched: a row image, or NULL: there is none (remembered until the commit). Rows that came to memory
 * otherwise meanwhile are left alone. */
void tables_fill(struct tables *, unsigned table, const char *key, const void *row);
/* Loads an open row at start. */
void tables_load(struct tables *, unsigned table, const void *row);

/* Rows changed since the last tables_forget, in order of first change: fresh ones (to INSERT) and others (to UPDATE). */
size_t tables_dirty(const struct tables *, unsigned table, bool fresh, const void *const **rows);
/* The changes are written (sent to PostgreSQL in a transaction): starts a new undo log. Closed rows move to the
 * cache, which drops its oldest beyond the bound. */
void tables_forget(struct tables *);
/* The same when the transaction has been sent and its end is not known: closed rows it changed stay in memory until the next
 * call, so that a second connection may fetch meanwhile without seeing them as they were before. */
void tables_depart(struct tables *);

/* --- far tables, for who runs timers and who loads ----------------------------------------------- */
/* From now on far tables keep only what is near, and nothing of them has been loaded; before, and after tables_clear,
 * everything open is in memory. */
void tables_keep_near(struct tables *);
/* Every row that comes due before the row `key` at due_us, and that row itself, is in memory (key NULL: whatever comes due up to
 * due_us). */
bool tables_reach(const struct tables *, unsigned table, int64_t due_us, const char *key);
/* Whatever comes due before this instant is in memory; INT64_MAX: all. */
int64_t tables_horizon_us(const struct tables *, unsigned table);
/* Asks for the next page of rows that come due up to until_us; a horizon that lies there already is left alone. */
void tables_want_due(struct tables *, unsigned table, int64_t until_us);
/* What is asked for: rows behind (due_us, key) in the order of due, then key, up to until_us. False: nothing, or it is on its way. */
struct due_page {
    int64_t due_us, until_us;
    const char *key;
};
bool tables_wanted(const struct tables *, unsigned table, struct due_page *);
/* The page that is wanted is about to be read. Until tables_page_end no row of the table leaves memory, so that what changes meanwhile wins over
 * what was read; the rows of a transaction sent before must be committed or in memory (tables_depart). */
void tables_page_begin(struct tables *, unsigned table);
/* Up to when that page was asked for. */
int64_t tables_page_until_us(const struct tables *, unsigned table);
/* Each row that was read; one that is in memory is left alone. */
void tables_page_row(struct tables *, unsigned table, const void *row);
/* The horizon lies there now; key NULL: behind all that comes due at due_us. */
void tables_page_end(struct tables *, unsigned table, int64_t due_us, const char *key);
/* Rows that are not in the cache. */
size_t tables_kept(const struct tables *, unsigned table);
/* Another bound for that table's cache than tables_new was given: of a far table it holds what is in use. */
void tables_cache(struct tables *, unsigned table, size_t rows);

/* --- rows by what they follow, for sweeps (worker/run.h) ------------------------------------------ */
/* One question a table at a time; it is answered where everything open is in memory, otherwise by who loads. Which values the sweep
 * column has in open rows, each once, in order; and the keys of the open rows that have `value`, in order, behind after_key. */
void tables_ask_values(struct tables *, unsigned table);
void tables_ask_keys(struct tables *, unsigned table, const char *value, const char *after_key);
/* What is asked and not answered. value NULL: for values. False: nothing. */
struct sweep_question {
    const char *value, *after_key;
};
bool tables_asked(const struct tables *, unsigned table, struct sweep_question *);
/* One value or one key of the answer, in order; then its end. `more`: there are further keys. */
void tables_answer_add(struct tables *, unsigned table, const char *text);
void tables_answer_end(struct tables *, unsigned table, bool more);
/* Valid until the next question. */
size_t tables_answer(const struct tables *, unsigned table, const char *const **texts, bool *more);
/* Rows changed or made since the last tables_forget, changed in the end or not. */
void tables_touched(const struct tables *, unsigned table, void (*visit)(const void *row, void *arg), void *arg);

/* Figures for metrics and tests. */
size_t tables_rows(const struct tables *, unsigned table);
size_t tables_bytes(const struct tables *);
/* All rows in memory of a table in key order (tests, simulator). */
void tables_each(const struct tables *, unsigned table, void (*visit)(const void *row, void *arg), void *arg);

#endif
