#include "node.h"
#include "base/text.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

/* A committed row, packed: volatile columns are not kept. */
struct node_row {
    UT_hash_handle hh;
    unsigned table;
    struct buf packed;
    char name[]; /* "TABLE/KEY" */
};

static size_t name_of(char *out, size_t cap, unsigned table, const char *key)
{
    text_format(out, cap, "%u/%s", table, key);
    return strlen(out);
}

static struct node_row *row_find(const struct node *node, unsigned table, const char *key)
{
    char name[320];
    struct node_row *row;
    size_t n = name_of(name, sizeof(name), table, key);
    HASH_FIND(hh, node->stored, name, n, row);
    return row;
}

static void row_keep(struct node *node, unsigned table, const struct record *record,
                     const void *object)
{
    const char *key = (const char *)object + record->fields[0].offset;
    struct node_row *row = row_find(node, table, key);
    if (row == NULL) {
        char name[320];
        size_t n = name_of(name, sizeof(name), table, key);
        row = memory_new(sizeof(*row) + n + 1);
        row->table = table;
        memcpy(row->name, name, n + 1);
        HASH_ADD(hh, node->stored, name[0], n, row);
    }
    buf_reset(&row->packed);
    record_encode(record, RECORD_WHOLE, object, &row->packed);
}

static void *row_read(const struct node_row *row, const struct record *record, struct arena *arena)
{
    struct problem problem;
    void *object = arena_alloc(arena, record->size);
    bool fine = record_decode(record, RECORD_WHOLE, DECODE_STRICT, buf_bytes(&row->packed), arena,
                              object, &problem);
    assert(fine);
    return object;
}

static void rows_clear(struct node *node)
{
    struct node_row *row, *next;
    HASH_ITER(hh, node->stored, row, next)
    {
        HASH_DEL(node->stored, row);
        buf_release(&row->packed);
        free(row);
    }
}

static void run_begin_again(struct node *node)
{
    run_destroy(&node->run);
    node->run = run_new(node->worker, node->cache_rows > 0 ? node->cache_rows : SIZE_MAX);
    if (node->cache_rows == 0)
        tables_keep_all(run_tables(node->run));
}

void node_init(struct node *node, const struct worker *worker, size_t cache_rows, bool durable)
{
    assert(cache_rows == 0 || durable);
    *node = (struct node){.worker = worker, .cache_rows = cache_rows, .durable = durable};
    run_begin_again(node);
    run_start(node->run, &node->committed, 0);
    node->due_us = INT64_MAX;
}

void node_release(struct node *node)
{
    run_destroy(&node->run);
    rows_clear(node);
}

static void misses_serve(struct node *node)
{
    struct tables *tables = run_tables(node->run);
    struct arena *arena = arena_new(4096);
    const struct miss *misses;
    size_t n = tables_misses(tables, &misses);
    assert(n > 0);
    for (size_t i = 0; i < n; i++) {
        const struct node_row *row = row_find(node, misses[i].table, misses[i].key);
        const struct record *record = tables_def(tables, misses[i].table)->row;
        tables_fill(tables, misses[i].table, misses[i].key,
                    row != NULL ? row_read(row, record, arena) : NULL);
    }
    tables_misses_reset(tables);
    arena_destroy(&arena);
}

enum node_reads { READS_UNKNOWN, READS, READS_TIME, READS_NOT };

static enum node_reads reads_of(struct node *node, const struct book *book, uint16_t type)
{
    if (node->reads[type] == READS_UNKNOWN) {
        const char *name = book->types[type];
        node->reads[type] = !run_handles(node->run, name)      ? READS_NOT
                            : text_equal(name, "time.reached") ? READS_TIME
                                                               : READS;
    }
    return node->reads[type];
}

/* An event that changes nothing for this worker need not be decoded; most are such. */
static void entry_hand_over(struct node *node, const struct book *book,
                            const struct book_entry *entry)
{
    enum node_reads reads = reads_of(node, book, entry->type);
    if (reads == READS_NOT)
        return;
    if (reads == READS_TIME && run_batched(node->run) == 0 && node->due_us > entry->rec_us)
        run_pass(node->run, entry->rec_us);
    else {
        run_add(node->run, entry->body, entry->priv, entry->link);
        node->busy = true;
    }
}

bool node_read(struct node *node, const struct book *book, size_t events_max)
{
    const struct book_entry *entry;
    enum run_result result;
    while (events_max-- > 0 && (entry = book_at(book, node->read + 1)) != NULL) {
        entry_hand_over(node, book, entry);
        node->read++;
    }
    if (!node->busy)
        return true;
    while ((result = run_process(node->run)) == RUN_MISS)
        misses_serve(node);
    return result == RUN_DONE;
}

bool node_fire(struct node *node)
{
    enum run_result result;
    struct run_state state = run_state(node->run);
    node->busy = true;
    while ((result = run_head(node->run, state.rec_us)) == RUN_MISS)
        misses_serve(node);
    return result == RUN_DONE;
}

bool node_is_behind(const struct node *node, const struct book *book)
{
    return node->read < book->n || run_timers_left(node->run);
}

size_t node_conclusions(const struct node *node, const struct run_conclusion **conclusions)
{
    if (!node->busy)
        return 0;
    return run_conclusions(node->run, conclusions);
}

static void rows_commit(struct node *node)
{
    struct tables *tables = run_tables(node->run);
    for (unsigned table = 0; table < tables_count(tables); table++)
        for (int fresh = 0; fresh < 2; fresh++) {
            const void *const *rows;
            size_t n = tables_dirty(tables, table, fresh == 1, &rows);
            for (size_t i = 0; i < n; i++)
                row_keep(node, table, tables_def(tables, table)->row, rows[i]);
        }
}

void node_commit(struct node *node)
{
    if (!node->busy)
        return;
    if (node->durable)
        rows_commit(node);
    node->committed = run_state(node->run);
    if (run_upto(node->run) > node->upto)
        node->upto = run_upto(node->run);
    run_committed(node->run);
    node->due_us = run_next_due_us(node->run);
    node->busy = false;
}

bool node_crash(struct node *node, const struct book *book, uint64_t upto)
{
    assert(node->durable);
    struct arena *arena = arena_new(1 << 16);
    enum run_result result = RUN_DONE;
    run_begin_again(node);
    for (const struct node_row *row = node->stored; row != NULL; row = row->hh.next) {
        const struct table_def *def = tables_def(run_tables(node->run), row->table);
        const char *object = row_read(row, def->row, arena);
        bool open =
            def->whole || (def->open_offset != 0 && *(const bool *)(object + def->open_offset));
        if (open || node->cache_rows == 0)
            tables_load(run_tables(node->run), row->table, object);
    }
    arena_destroy(&arena);
    node->upto = upto;
    node->read = node->committed.pos;
    run_start(node->run, &node->committed, upto);
    node->due_us = run_next_due_us(node->run);
    node->busy = false;
    uint64_t known = upto > node->committed.pos ? upto : node->committed.pos;
    for (uint64_t pos = known + 1; pos <= book->n && result == RUN_DONE; pos++) {
        const struct book_entry *entry = book_at(book, pos);
        if (entry->from_worker)
            result = run_expect(node->run, entry->body, entry->priv);
    }
    return result == RUN_DONE;
}
