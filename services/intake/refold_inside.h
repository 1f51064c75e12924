/* Inside of folding the archive anew: refold.c (the fold, and the swap), refold_verify.c (the comparison). */
#ifndef AFTERCARE_INTAKE_REFOLD_INSIDE_H
#define AFTERCARE_INTAKE_REFOLD_INSIDE_H

#include "archive.h"
#include "desk.h"
#include "refold.h"
#include "store.h"

#define FRESH_SCHEMA "intake_new"

struct refold {
    struct store store; /* the living one: the lease */
    bool holds;         /* the lease */
    const char *step;   /* for people */
    struct journal journal;
    struct pg *fresh, *reading;
    struct tables *tables;
    struct arena *arena;
    struct desk_case desk;
    void *object;
    size_t object_cap;
    int64_t told, differing, unclear;
    int64_t renewed_us, shown_us, began_us;
    char why[300];
};

/* defs: of ARCHIVE_TABLES_N tables, borrowed. */
struct refold *refold_new(const struct settings *, const char *step, const struct table_def *const *defs);
void refold_destroy(struct refold **);
/* Keeps the first reason. False. */
bool refold_failed(struct refold *, const struct pg *, const char *what);
/* The snapshot in which the journal is read. */
bool refold_read_begin(struct refold *);
/* Positions 1 to journal.head.pos, into the fresh tables that were made. */
bool refold_tell_all(struct refold *);
void refold_show_end(struct refold *);

#endif
