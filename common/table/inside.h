/* Private to common/table: how rows, their keys, indexes and the undo log lie in memory. */
#ifndef AFTERCARE_TABLE_INSIDE_H
#define AFTERCARE_TABLE_INSIDE_H

#include "base/arena.h"
#include "base/tree.h"
#include "table/table.h"

#define LOG_NONE UINT32_MAX

struct table;

/* What a slot of the key table points to: a row, or the knowledge that there is none. */
enum entry_kind { ENTRY_ROW, ENTRY_ABSENT, ENTRY_MISSED };

/* The head of a heap block. Behind it: for a row one tree node per index, then the row struct; for a
 * marker (absent, missed) its key. */
struct entry {
    struct table *table;
    uint64_t hash; /* hash_text(key): place in the key table and priority in the trees */
    struct entry *newer, *older; /* cached rows: the order of use */
    uint32_t logged;             /* position of its last log item, LOG_NONE: unchanged since tables_forget */
    uint32_t unsettled;          /* its place + 1 in tables.unsettled, 0: settled */
    uint32_t generation;         /* ENTRY_MISSED: of the list of misses it stands in */
    uint8_t kind;                /* enum entry_kind */
    uint8_t linked;              /* bit i: its node is in index i */
    bool lazy;                   /* unsettled, and still linked where its last image belongs */
    bool cached;
    _Alignas(16) struct tree_node nodes[];
};

struct slot {
    uint64_t hash;
    struct entry *entry; /* NULL: free */
};

/* Open addressing with linear probing; a power of two, at most 3/4 full; removal shifts back. */
struct keys {
    struct slot *slots;
    size_t n, cap;
};

struct row_list {
    const void **items;
    size_t cap;
};

/* How far a far table has been loaded: all open rows up to this place in the order of due, then key, are in memory. */
struct horizon {
    bool everything; /* everything open is in memory, whatever its due */
    bool paging;       /* a page is being read: no row leaves memory */
    bool wanted;       /* somebody asks for the page up to until_us */
    int64_t due_us, until_us;
    char *key;
};

/* A question for rows by their sweep column, and its answer. */
struct sweep_answer {
    bool asked;
    char *value, *after_key; /* value NULL: the question is which values there are */
    struct arena *arena;     /* of the texts below and of the question */
    const char **texts;
    size_t n, cap;
    bool more;
};

struct table {
    struct tables *tables;
    const struct table_def *def;
    unsigned number;
    size_t row_offset;   /* of the row struct behind struct entry */
    uint32_t key_offset; /* of the key in the row */
    uint32_t key_cap;
    struct keys keys;
    size_t rows;
    size_t logged;                     /* items in the log that are about this table */
    struct tree indexes[TABLE_INDEXES_MAX];
    struct entry *newest, *oldest;     /* the cache of rows that are not kept */
    size_t cached, cache_rows;
    struct row_list dirty[2]; /* scratch of tables_dirty, by `fresh` */
    struct horizon horizon;
    struct sweep_answer sweep;
};

/* One step that can be undone. */
struct log_item {
    struct entry *entry;
    struct entry *displaced; /* fresh: the marker that stood in its place */
    uint32_t before;         /* entry->logged before this item */
    bool fresh;              /* no image: the row was made here */
    size_t image;            /* offset in tables.images */
};

struct tables {
    struct table *items;
    size_t n;
    bool keeps_all; /* nothing leaves memory, so that what is not there is nowhere */
    struct log_item *log;
    size_t log_n, log_cap;
    struct buf images;
    size_t barrier; /* the last mark: a row logged at or behind it needs no further image */
    struct entry **unsettled;
    size_t unsettled_n, unsettled_cap;
    struct entry **markers; /* every living marker, in a slot or displaced */
    size_t markers_n, markers_cap;
    struct miss *misses;
    size_t misses_n, misses_cap;
    struct arena *miss_keys;
    uint32_t generation; /* of the list of misses */
    size_t block_bytes;  /* of rows and markers */
    char trouble[200];
};

/* Room for one item more in an array of `size`-byte items. */
void *array_room(void *items, size_t n, size_t *cap, size_t size);

void *entry_row(const struct entry *);
const char *entry_key(const struct entry *);
struct entry *entry_of(const struct table *, const void *row);
struct entry *entry_new(struct table *, uint64_t hash);
struct entry *marker_new(struct table *, const char *key, uint64_t hash, enum entry_kind);
void entry_free(struct entry *);
/* What says whether a row is open: its flag; a whole table without one has open rows only. */
bool entry_is_open(const struct entry *);

/* Stays in memory: it is open, and of a far table it is near. Others are in the cache. */
bool entry_is_kept(const struct entry *);

void sweep_init(struct table *);
void sweep_release(struct table *);
void sweep_clear(struct table *);

void horizon_init(struct table *);
void horizon_release(struct table *);
void horizon_clear(struct table *);
/* An open row of a far table lies at or before its horizon. */
bool horizon_holds(const struct table *, const void *row);

/* NULL: nothing is known of the key. */
struct entry *keys_find(const struct table *, const char *key, uint64_t hash);
/* In the place of the entry with that key (returned), or anew (NULL). */
struct entry *keys_put(struct table *, struct entry *);
void keys_remove(struct table *, const struct entry *);

/* A row from outside the undo log: what the database holds, or what was there at start. */
void row_enter(struct table *, const char *key, uint64_t hash, const void *row);

void cache_enter(struct entry *);
void cache_leave(struct entry *);
void cache_touch(struct entry *);

void index_init(struct table *);
/* To be called before a settled row changes; `lazy`: its last image is what the indexes know it by. */
void index_unsettle(struct entry *, bool lazy);
/* Takes the row out of all indexes, and off the list of those to be put in. */
void index_drop(struct entry *);
/* Brings all rows to where they belong now. */
void index_settle(struct tables *);

#endif
