#include "fold.h"
#include "base/text.h"
#include "record/record.h"
#include "worker/run_core.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define EVENTS_AT_ONCE 256

struct fold_key {
    UT_hash_handle hh;
    unsigned table;
    char name[];
};

void fold_begin(struct fold *fold, const struct worker *worker)
{
    const struct run_state nothing = {.pos = 0};
    run_destroy(&fold->run);
    *fold = (struct fold){.worker = worker, .run = run_new(worker, SIZE_MAX)};
    tables_keep_all(run_tables(fold->run));
    run_start(fold->run, &nothing, UINT64_MAX);
}

static void touch(struct fold *fold, unsigned table, const char *key)
{
    char name[400];
    struct fold_key *found;
    text_format(name, sizeof(name), "%u/%s", table, key);
    HASH_FIND_STR(fold->touched, name, found);
    if (found != NULL)
        return;
    found = memory_new(sizeof(*found) + strlen(name) + 1);
    found->table = table;
    memcpy(found->name, name, strlen(name) + 1);
    HASH_ADD_STR(fold->touched, name, found);
}

static void touched_keep(struct fold *fold)
{
    const struct tables *tables = run_tables(fold->run);
    for (unsigned table = 0; table < tables_count(tables); table++)
        for (int fresh = 0; fresh < 2; fresh++) {
            const void *const *rows;
            size_t n = tables_dirty(tables, table, fresh == 1, &rows);
            for (size_t i = 0; i < n; i++)
                touch(fold, table, (const char *)rows[i] + tables_def(tables, table)->row->fields[0].offset);
        }
}

static void compare(struct fold *fold, const struct db *db, unsigned table, const char *key)
{
    const struct table_def *def = tables_def(run_tables(fold->run), table);
    const void *ours = table_get(run_tables(fold->run), table, key);
    const struct db_row *theirs = db_row_find(db, def, key);
    struct buf packed = {0}, left = {0}, right = {0};
    if (ours != NULL)
        record_encode(def->row, RECORD_WHOLE, ours, &packed);
    if ((ours == NULL) == (theirs == NULL) && (ours == NULL || bytes_equal(buf_bytes(&packed), theirs->packed))) {
        buf_release(&packed);
        return;
    }
    if (ours != NULL)
        raw_print_json(buf_bytes(&packed), &left);
    if (theirs != NULL)
        raw_print_json(theirs->packed, &right);
    world_broken("%s at %llu: %s %s is not the fold of the journal\n  fold   %s\n  stored %s", fold->worker->name,
                 (unsigned long long)fold->pos, def->name, key, ours != NULL ? buf_text(&left) : "not there",
                 theirs != NULL ? buf_text(&right) : "not there");
}

void fold_compare(struct fold *fold, const struct db *db, const struct table_def *def, const char *key)
{
    const struct tables *tables = run_tables(fold->run);
    unsigned table = 0;
    while (tables_def(tables, table) != def)
        table++;
    compare(fold, db, table, key);
}

/* What the worker has parked it parks at the same positions. */
static void expect_parked(struct fold *fold, const struct db *journal)
{
    for (; fold->expected < journal->journal_n; fold->expected++) {
        const struct journal_row *row = journal->journal[fold->expected];
        if (text_equal(row->type, "event.parked") && run_expect(fold->run, row->body, row->priv) != RUN_DONE)
            world_broken("%s cannot read an event.parked", fold->worker->name);
    }
}

void fold_next(struct fold *fold, const struct db *journal, const struct db *db, uint64_t upto)
{
    expect_parked(fold, journal);
    for (int i = 0; i < EVENTS_AT_ONCE && fold->pos < upto; i++) {
        const struct journal_row *row = journal->journal[fold->pos++];
        run_add(fold->run, row->body, row->priv, row->link);
    }
    enum run_result result = run_process(fold->run);
    if (result != RUN_DONE)
        world_broken("%s cannot be folded: %s", fold->worker->name, run_error(fold->run));
    const struct run_conclusion *conclusions;
    if (run_conclusions(fold->run, &conclusions) > 0)
        world_broken("%s concludes while it is only folded", fold->worker->name);
    touched_keep(fold);
    run_committed(fold->run);
    if (fold->pos < upto || db == NULL)
        return;
    struct fold_key *key, *next;
    HASH_ITER(hh, fold->touched, key, next)
    {
        compare(fold, db, key->table, strchr(key->name, '/') + 1);
        HASH_DEL(fold->touched, key);
        free(key);
    }
}

struct comparing {
    struct fold *fold;
    const struct db *db;
    unsigned table;
    size_t n;
};

static void on_row(const void *row, void *arg)
{
    struct comparing *comparing = arg;
    const struct table_def *def = tables_def(run_tables(comparing->fold->run), comparing->table);
    compare(comparing->fold, comparing->db, comparing->table, (const char *)row + def->row->fields[0].offset);
    comparing->n++;
}

void fold_compare_all(struct fold *fold, const struct db *db)
{
    struct comparing comparing = {.fold = fold, .db = db};
    for (; comparing.table < tables_count(run_tables(fold->run)); comparing.table++)
        tables_each(run_tables(fold->run), comparing.table, on_row, &comparing);
    if (comparing.n != HASH_COUNT(db->rows))
        world_broken("%s has %u rows, the fold %zu", fold->worker->name, HASH_COUNT(db->rows), comparing.n);
}
