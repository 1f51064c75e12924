/* Rows as they are stored, and what a transaction holds until it has taken effect. */
#include "base/text.h"
#include "db.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct bytes db_keep(struct bytes from)
{
    if (from.len == 0)
        return bytes_of(NULL, 0);
    uint8_t *to = db_alloc(from.len);
    memcpy(to, from.data, from.len);
    return bytes_of(to, from.len);
}

void tx_free(struct tx *tx)
{
    for (size_t i = 0; i < tx->writes_n; i++)
        buf_release(&tx->writes[i].packed);
    free(tx->writes);
    free(tx->entries);
    free(tx->refusals);
    free(tx->sources);
    free(tx);
}

static size_t name_of(char *out, size_t cap, const struct table_def *def, const char *key)
{
    text_format(out, cap, "%s/%s", def->name, key);
    return strlen(out);
}

const char *db_row_key(const struct db_row *row)
{
    return row->name + strlen(row->def->name) + 1;
}

struct db_row *db_row_find(const struct db *db, const struct table_def *def, const char *key)
{
    char name[400];
    struct db_row *row;
    size_t n = name_of(name, sizeof(name), def, key);
    HASH_FIND(hh, db->rows, name, n, row);
    return row;
}

struct db_row *db_row_add(struct db *db, const struct table_def *def, const char *key)
{
    char name[400];
    size_t n = name_of(name, sizeof(name), def, key);
    struct db_row *row = db_alloc(sizeof(*row) + n + 1);
    row->def = def;
    memcpy(row->name, name, n + 1);
    HASH_ADD(hh, db->rows, name[0], n, row);
    return row;
}

void *db_row_read(const struct db_row *row, struct arena *arena)
{
    struct problem problem;
    void *object = arena_alloc(arena, row->def->row->size);
    bool fine = record_decode(row->def->row, RECORD_WHOLE, DECODE_STRICT, row->packed, arena, object, &problem);
    if (!fine)
        world_broken("row %s cannot be read again: %s %s", row->name, problem.code, problem.field);
    return object;
}

uint64_t row_digest(const struct table_def *def, const char *key, struct bytes packed)
{
    uint64_t hash = UINT64_C(14695981039346656037); /* FNV-1a */
    for (const char *at = def->name; *at != '\0'; at++)
        hash = (hash ^ (uint8_t)*at) * UINT64_C(1099511628211);
    for (const char *at = key; *at != '\0'; at++)
        hash = (hash ^ (uint8_t)*at) * UINT64_C(1099511628211);
    for (size_t i = 0; i < packed.len; i++)
        hash = (hash ^ packed.data[i]) * UINT64_C(1099511628211);
    return hash ^ (hash >> 29);
}

struct db_row *db_row_write(struct db *db, const struct row_write *write)
{
    struct db_row *row = db_row_find(db, write->def, write->key);
    if (write->fresh && row != NULL)
        world_broken("%s: a row %s %s is inserted that is there", db->name, write->def->name, write->key);
    if (!write->fresh && row == NULL)
        world_broken("%s: a row %s %s is updated that is not there", db->name, write->def->name, write->key);
    if (row == NULL)
        row = db_row_add(db, write->def, write->key);
    else
        db->digest ^= row_digest(row->def, write->key, row->packed);
    row->packed = db_keep(buf_bytes(&write->packed)); /* snapshots go on seeing what was there */
    db->digest ^= row_digest(row->def, write->key, row->packed);
    return row;
}
