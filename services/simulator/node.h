/* A worker over memory: its core, the rows it has committed, what it has concluded. It moves only
 * when it is told to, in the steps of the real shell (read a batch, hand over the conclusions,
 * commit), so that a test can lose, delay and crash between any two of them. */
#ifndef AFTERCARE_SIMULATOR_NODE_H
#define AFTERCARE_SIMULATOR_NODE_H

#include "book.h"
#include "worker/run_core.h"

struct node_row;

struct node {
    const struct worker *worker;
    struct run *run;
    size_t cache_rows; /* closed rows in memory; 0: every row stays, nothing is ever fetched */
    struct node_row *stored; /* what was committed; kept where node_init said so */
    bool durable;
    struct run_state committed;
    uint64_t upto;  /* the journal has its conclusions from events up to here */
    uint64_t read;  /* position handed to the core last */
    int64_t due_us; /* of its next timer, as of the last commit */
    bool busy;      /* events were handed over, or timers fired, since the last commit */
    uint8_t reads[BOOK_TYPES_MAX]; /* by the book's types: what is done with them, 0 not known */
};

/* Standing at the beginning of a stream. durable: committed rows are kept, for node_crash and small
 * caches. */
void node_init(struct node *, const struct worker *, size_t cache_rows, bool durable);
void node_release(struct node *);

/* Hands over at most events_max events behind the last one read and runs them, timers included.
 * False: the worker has stopped, run_error says why. */
bool node_read(struct node *, const struct book *, size_t events_max) MUST_CHECK;
/* Timers that did not fit into the transaction before. */
bool node_fire(struct node *) MUST_CHECK;
bool node_is_behind(const struct node *, const struct book *);
/* What reading led to, until node_commit. They are to be taken in this order, as a source's next
 * numbers. */
size_t node_conclusions(const struct node *, const struct run_conclusion **);
/* The conclusions are in the journal and the rows are durable. */
void node_commit(struct node *);
/* Everything since the last commit is forgotten; it starts again from what it committed and the
 * journal, which has its conclusions from events up to `upto`. */
bool node_crash(struct node *, const struct book *, uint64_t upto) MUST_CHECK;

#endif
