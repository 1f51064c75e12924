/* A reader over a fake feed and a live line that lose, cut and fall silent, and the journal behind them. */
#ifndef TESTS_BUS_FAKE_FEED_H
#define TESTS_BUS_FAKE_FEED_H

#include "bus/reader.h"
#include "record/pack.h"
#include "unit/common/bus/wire.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define JOURNAL_MAX 3000
#define STREAM "test-00000000"

struct entry {
    struct buf body;
    bool priv;
    uint8_t link[LINK_BYTES];
};

struct feed {
    bool open, follow, caught_up;
    int64_t sent;   /* complete up to */
    int64_t credit; /* may be overdrawn by one batch */
};

struct sim {
    struct reader *reader;
    struct entry journal[JOURNAL_MAX + 1];
    int64_t head;
    struct feed feed;
    struct wire up, down, live;
    uint64_t dice;
    int64_t now_us, now_stream_us;
    uint64_t seen, events, committed, told_head;
    int64_t told_now, opens;
    unsigned pause_once_in;
    bool filtered, verify;
    bool narrow; /* no filter, and yet it sees every third event only */
    bool beyond; /* a head may be told that no batch came up to */
    int64_t hurt;       /* this position's body comes with another last byte … */
    int64_t hurt_opens; /* … in so many readings */
    struct bytes false_priv; /* and this in the place of its personal part; none: its own */
    char failed[24];
};

extern struct sim sim; /* large */
extern const struct reader_listener sim_listener; /* checks what it is told; its owner is the sim */

/* Of a worker: from the beginning, verified, 8,000 bytes of credit. */
struct reader_config sim_config(bool live, bool follow);
void sim_open(uint64_t seed, const struct reader_config *);
void sim_close(void);
/* One event more. */
void sim_journal_add(struct sim *);
/* BATCH of what is wanted up to there. */
void sim_batch_send(struct sim *, int64_t upto);
void sim_live_event(struct sim *, int64_t pos);
void sim_live_head(struct sim *);
void sim_reconnect(struct sim *);
/* What was told is applied. */
void sim_commit(struct sim *);
/* Journal grows to `total`; then all must have been seen, and the last head be told. */
void sim_run(uint64_t seed, const struct reader_config *, int64_t total, bool troubles);
/* Until nothing more is said. */
void sim_settle(void);
/* The reader hears that frame of the feed; what it answers. */
bool sim_hear(const char *verb, const struct record *, const void *);

#endif
