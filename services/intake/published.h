/* What the network thread hands to the feed thread: blocks of committed events, each owned by who holds it, and the head with each.
 * They travel as pointers over an inproc pair; nothing is shared. */
#ifndef AFTERCARE_INTAKE_PUBLISHED_H
#define AFTERCARE_INTAKE_PUBLISHED_H

#include "bus/socket.h"
#include "journal.h"

#define PUBLISHED_WORKERS_MAX 8

struct worker_state {
    char name[48];
    int64_t upto, applied, checked_us;
};
/* What `status` tells, as of a head. */
struct intake_state {
    char stream[64];
    bool standing_by; /* another intake serves: everybody is sent away */
    struct journal_head head;
    int64_t now_us;
    int64_t sure_until_us; /* boot time; later the head may be another's */
    bool reads_recorded; /* the policy in force asks who reads what is personal */
    int64_t refused, sessions;
    int64_t open_rows, table_bytes;
    struct worker_state workers[PUBLISHED_WORKERS_MAX];
    uint32_t workers_n;
};
struct published {
    struct published *next; /* for the holder: the one behind it (ring) */
    struct intake_state state;
    uint64_t first; /* position of the first entry */
    struct entry *entries;
    uint32_t entries_n;
    struct buf bytes;
    size_t size;
};

/* Copies the batch's entries and bytes; batch NULL: only the state. */
struct published *published_new(const struct batch *, const struct intake_state *);
void published_destroy(struct published **);
/* STATUS_AGAIN: the other side is behind; the block is given back to the caller. */
enum status published_send(struct bus_socket *pair, struct published **) MUST_CHECK;
struct published *published_receive(struct bus_socket *pair); /* NULL: none */
struct bytes published_bytes(const struct published *, struct extent);

#endif
