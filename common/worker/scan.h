/* Reading a stretch of the feed to its end, at start and for rebuilds. */
#ifndef AFTERCARE_WORKER_SCAN_H
#define AFTERCARE_WORKER_SCAN_H

#include "bus/reader.h"
#include "bus/socket.h"

struct scan {
    const char *endpoint;
    struct verb_open open; /* follow false */
    bool verify;
    uint64_t stop_at; /* 0: the head */
    uint64_t reach;   /* a head before this one is not the end: the feed may be behind what intake has said, and is waited for */
    /* False: stop. */
    bool (*event)(void *owner, uint64_t pos, struct bytes body, struct bytes priv, const uint8_t link[LINK_BYTES]);
    void *owner;
};

/* STATUS_OK: everything up to the head (or stop_at) has been handed over; STATUS_AGAIN: nobody answers; STATUS_ABSENT: the head stays before reach;
 * STATUS_REFUSED: `why` says what the feed said; STATUS_CLOSED: event() said stop. */
enum status scan_run(const struct scan *, char why[200]) MUST_CHECK;

#endif
