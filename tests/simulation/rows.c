/* Rows of tables and a worker's cursor: what table/mirror.c and worker/cursor.c say in SQL. */
#include "base/arena.h"
#include "base/log.h"
#include "base/mutation.h"
#include "base/text.h"
#include "db.h"
#include "table/mirror.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define PAGE_ROWS 512

/* --- writing ------------------------------------------------------------------------------------- */

static struct row_write *write_add(struct tx *tx)
{
    if (tx->writes_n == tx->writes_cap) {
        tx->writes_cap = tx->writes_cap > 0 ? 2 * tx->writes_cap : 32;
        tx->writes = memory_grow(tx->writes, tx->writes_cap * sizeof(*tx->writes));
    }
    struct row_write *write = &tx->writes[tx->writes_n++];
    memset(write, 0, sizeof(*write));
    return write;
}

enum status mirror_send(struct pg *pg, const struct tables *tables)
{
    struct tx *tx = db_tx(pg);
    world_touch();
    if (tx == NULL)
        return STATUS_CLOSED;
    for (unsigned table = 0; table < tables_count(tables); table++)
        for (int fresh = 1; fresh >= 0; fresh--) {
            const struct table_def *def = tables_def(tables, table);
            const void *const *rows;
            size_t n = tables_dirty(tables, table, fresh == 1, &rows);
            for (size_t i = 0; i < n; i++) {
                struct row_write *write = write_add(tx);
                write->def = def;
                write->fresh = fresh == 1;
                text_copy(write->key, sizeof(write->key), (const char *)rows[i] + def->row->fields[0].offset);
                record_encode(def->row, RECORD_WHOLE, rows[i], &write->packed);
            }
        }
    return STATUS_OK;
}

/* --- reading ------------------------------------------------------------------------------------- */

enum status mirror_session(struct pg *pg)
{
    return db_call(pg, false);
}

enum status mirror_create(struct pg *pg, const char *schema, const struct table_def *const *defs, size_t n)
{
    (void)schema;
    (void)defs;
    (void)n;
    return db_call(pg, true);
}

static bool is_open(const struct table_def *def, const char *object)
{
    return def->open_offset != 0 && *(const bool *)(object + def->open_offset);
}

enum status mirror_load(struct pg *pg, struct tables *tables)
{
    enum status status = STATUS_OK;
    struct arena *arena = arena_new(1 << 14);
    for (unsigned table = 0; status == STATUS_OK && table < tables_count(tables); table++) {
        const struct table_def *def = tables_def(tables, table);
        if (!def->whole && (def->open_offset == 0 || def->far))
            continue;
        status = db_call(pg, false);
        for (const struct db_row *row = db_at(pg)->rows; status == STATUS_OK && row != NULL; row = row->hh.next) {
            if (!text_equal(row->def->name, def->name))
                continue;
            const char *object = db_row_read(row, arena);
            if (def->whole || is_open(def, object))
                tables_load(tables, table, object);
        }
        arena_reset(arena);
    }
    arena_destroy(&arena);
    if (status == STATUS_OK)
        tables_keep_near(tables);
    return status;
}

struct due_row {
    int64_t due_us;
    const char *key;
    const struct db_row *row;
};

static int due_compare(const void *left, const void *right)
{
    const struct due_row *a = left, *b = right;
    if (a->due_us != b->due_us)
        return a->due_us < b->due_us ? -1 : 1;
    return strcmp(a->key, b->key);
}

/* Open rows behind the page's place, in order. */
static struct due_row *page_rows(const struct db *db, const struct table_def *def, const struct due_page *page, size_t *n)
{
    struct arena *arena = arena_new(1 << 14);
    struct due_row *rows = memory_new((HASH_COUNT(db->rows) + 1) * sizeof(*rows));
    const struct due_row after = {.due_us = page->due_us, .key = page->key};
    *n = 0;
    for (const struct db_row *row = db->rows; row != NULL; row = row->hh.next) {
        if (!text_equal(row->def->name, def->name))
            continue;
        const char *object = db_row_read(row, arena);
        struct due_row one = {.key = db_row_key(row), .row = row};
        memcpy(&one.due_us, object + def->due_offset, sizeof(one.due_us));
        if (is_open(def, object) && one.due_us != 0 && one.due_us <= page->until_us && due_compare(&one, &after) > 0)
            rows[(*n)++] = one;
    }
    arena_destroy(&arena);
    qsort(rows, *n, sizeof(*rows), due_compare);
    return rows;
}

static void page_enter(struct db *db, struct tables *tables, unsigned table, const struct due_row *rows, size_t n)
{
    struct arena *arena = arena_new(1 << 14);
    (void)db;
    size_t taken = n < PAGE_ROWS ? n : PAGE_ROWS;
    for (size_t i = 0; i < taken; i++)
        tables_page_row(tables, table, db_row_read(rows[i].row, arena));
    if (n >= PAGE_ROWS)
        tables_page_end(tables, table, rows[taken - 1].due_us, rows[taken - 1].key);
    else
        tables_page_end(tables, table, tables_page_until_us(tables, table), NULL);
    arena_destroy(&arena);
}

/* What a page under way has read, until it is taken. */
static struct page_under_way {
    const struct pg *pg;
    struct due_row *rows;
    size_t n;
    struct buf *copies;
} pages[64];

static struct page_under_way *page_of(const struct pg *pg)
{
    struct page_under_way *free_one = NULL;
    for (size_t i = 0; i < COUNT_OF(pages); i++) {
        if (pages[i].pg == pg)
            return &pages[i];
        if (pages[i].pg == NULL && free_one == NULL)
            free_one = &pages[i];
    }
    assert(free_one != NULL);
    free_one->pg = pg;
    return free_one;
}

enum status mirror_page_send(struct pg *pg, struct tables *tables, unsigned table)
{
    struct due_page page;
    bool wanted = tables_wanted(tables, table, &page);
    assert(wanted);
    enum status status = pg_begin(pg);
    if (status != STATUS_OK)
        return status;
    tables_page_begin(tables, table);
    struct page_under_way *way = page_of(pg);
    way->rows = page_rows(db_at(pg), tables_def(tables, table), &page, &way->n);
    /* As they are now, whatever becomes of them before they are taken. */
    for (size_t i = 0; i < way->n; i++) {
        struct db_row *row = memory_new(sizeof(*row) + strlen(way->rows[i].row->name) + 1);
        row->def = way->rows[i].row->def;
        memcpy(row->name, way->rows[i].row->name, strlen(way->rows[i].row->name) + 1);
        row->packed = way->rows[i].row->packed;
        way->rows[i].row = row;
    }
    db_readable_later(pg);
    return STATUS_OK;
}

enum status mirror_page_take(struct pg *pg, struct tables *tables, unsigned table)
{
    struct page_under_way *way = page_of(pg);
    world_touch();
    if (db_tx(pg) == NULL)
        return STATUS_CLOSED;
    page_enter(db_at(pg), tables, table, way->rows, way->n);
    *way = (struct page_under_way){.pg = pg};
    return pg_commit(pg);
}

static int text_compare(const void *left, const void *right)
{
    return strcmp(*(const char *const *)left, *(const char *const *)right);
}

/* Values of the sweep column, or keys that have one; each once, in order. */
static void sweep_answer(const struct db *db, struct tables *tables, unsigned table, const struct sweep_question *question)
{
    const struct table_def *def = tables_def(tables, table);
    struct arena *arena = arena_new(1 << 14);
    const char **texts = memory_new((HASH_COUNT(db->rows) + 1) * sizeof(*texts));
    size_t n = 0, told = 0;
    for (const struct db_row *row = db->rows; row != NULL; row = row->hh.next) {
        if (!text_equal(row->def->name, def->name))
            continue;
        const char *object = db_row_read(row, arena), *value = object + def->sweep_offset;
        if (!is_open(def, object) || value[0] == '\0')
            continue;
        if (question->value == NULL)
            texts[n++] = value;
        else if (text_equal(value, question->value) && strcmp(db_row_key(row), question->after_key) > 0)
            texts[n++] = db_row_key(row);
    }
    qsort(texts, n, sizeof(*texts), text_compare);
    for (size_t i = 0; i < n && told < PAGE_ROWS; i++) {
        if (i > 0 && text_equal(texts[i], texts[i - 1]))
            continue;
        tables_answer_add(tables, table, texts[i]);
        if (question->value != NULL)
            tables_fill(tables, table, texts[i], db_row_read(db_row_find(db, def, texts[i]), arena));
        told++;
    }
    tables_answer_end(tables, table, question->value != NULL && told == PAGE_ROWS);
    free(texts);
    arena_destroy(&arena);
}

enum status mirror_fetch(struct pg *pg, struct tables *tables)
{
    const struct miss *misses;
    enum status status = db_call(pg, false);
    if (status != STATUS_OK)
        return status;
    const struct db *db = db_at(pg);
    struct arena *arena = arena_new(1 << 14);
    size_t n = tables_misses(tables, &misses);
    for (size_t i = 0; i < n; i++) {
        const struct db_row *row = db_row_find(db, tables_def(tables, misses[i].table), misses[i].key);
        tables_fill(tables, misses[i].table, misses[i].key, row != NULL ? db_row_read(row, arena) : NULL);
    }
    tables_misses_reset(tables);
    for (unsigned table = 0; table < tables_count(tables); table++) {
        struct due_page page;
        struct sweep_question question;
        if (tables_wanted(tables, table, &page)) {
            size_t rows_n;
            struct due_row *rows = page_rows(db, tables_def(tables, table), &page, &rows_n);
            tables_page_begin(tables, table);
            page_enter(db_at(pg), tables, table, rows, rows_n);
            free(rows);
        }
        if (tables_asked(tables, table, &question))
            sweep_answer(db, tables, table, &question);
    }
    arena_destroy(&arena);
    return STATUS_OK;
}

/* --- the cursor ---------------------------------------------------------------------------------- */

enum status cursor_connect(struct pg *pg)
{
    enum status status = pg_connect(pg);
    return status == STATUS_OK ? db_call(pg, false) : status;
}

enum status cursor_read(struct pg *pg, const char *schema, struct cursor *cursor)
{
    enum status status = db_call(pg, false);
    (void)schema;
    if (status == STATUS_OK) {
        const struct snapshot *snapshot = db_snapshot(pg);
        *cursor = snapshot != NULL ? snapshot->cursor : db_at(pg)->cursor;
    }
    return status;
}

enum status cursor_open(struct pg *pg, const char *schema, struct run *run, bool again, struct cursor *cursor, const char **why)
{
    (void)run;
    *why = "";
    enum status status = db_call(pg, true);
    if (status != STATUS_OK)
        return status;
    struct cursor *stored = &db_at(pg)->cursor;
    if (!MUTATION(MUTATION_CURSOR_UNHELD))
        stored->session++;
    world_say("begins session %lld at %llu", (long long)stored->session, (unsigned long long)stored->state.pos);
    stored->starts = again ? 0 : stored->trying[0] != '\0' ? 2 : stored->starts + 1;
    if (again)
        stored->attempts = 0;
    else if (stored->trying[0] != '\0') {
        stored->suspect_times = text_equal(stored->trying, stored->suspect) ? stored->suspect_times + 1 : 1;
        text_copy(stored->suspect, sizeof(stored->suspect), stored->trying);
    }
    stored->trying[0] = '\0';
    int64_t session = stored->session;
    status = cursor_read(pg, schema, cursor);
    if (status == STATUS_OK)
        cursor->session = session;
    return status;
}

enum status cursor_send(struct pg *pg, const char *schema, int64_t session, uint64_t before, const struct run_state *after)
{
    struct tx *tx = db_tx(pg);
    (void)schema;
    world_touch();
    if (tx == NULL)
        return STATUS_CLOSED;
    tx->moves_cursor = true;
    tx->session = session;
    tx->cursor_before = before;
    tx->cursor_after = *after;
    return STATUS_OK;
}

enum status cursor_hold(struct pg *pg, const char *schema, int64_t session)
{
    enum status status = db_call(pg, false);
    (void)schema;
    if (status == STATUS_OK && db_at(pg)->cursor.session != session)
        return db_refuse(pg, "", "another process of this worker has begun a session");
    return status;
}

enum status cursor_attempt(struct pg *pg, const char *schema, uint64_t pos)
{
    enum status status = db_call(pg, true);
    (void)schema;
    if (status != STATUS_OK)
        return status;
    struct cursor *cursor = &db_at(pg)->cursor;
    cursor->attempts = pos == 0 ? 0 : cursor->attempt == pos ? cursor->attempts + 1 : 1;
    cursor->attempt = pos;
    if (pos != 0)
        world_say("tries %llu alone, the %lld. time", (unsigned long long)pos, (long long)cursor->attempts);
    return STATUS_OK;
}

enum status cursor_condemn(struct pg *pg, const char *schema, int64_t session, const char *timer, int64_t times)
{
    enum status status = db_call(pg, true);
    (void)schema;
    if (status != STATUS_OK)
        return status;
    struct cursor *cursor = &db_at(pg)->cursor;
    if (cursor->session == session) {
        text_copy(cursor->suspect, sizeof(cursor->suspect), timer);
        cursor->suspect_times = times;
    }
    return STATUS_OK;
}

enum status cursor_try(struct pg *pg, const char *schema, const char *timer)
{
    enum status status = db_call(pg, true);
    (void)schema;
    if (status != STATUS_OK)
        return status;
    struct cursor *cursor = &db_at(pg)->cursor;
    if (timer[0] == '\0' && text_equal(cursor->trying, cursor->suspect))
        cursor->suspect_times = 0;
    text_copy(cursor->trying, sizeof(cursor->trying), timer);
    if (timer[0] != '\0')
        world_say("tries %s alone", timer);
    return STATUS_OK;
}
