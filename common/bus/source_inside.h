/* Inside a source: what its two files share. source.c has its life, what goes out and time; source_in.c what comes in. */
#ifndef AFTERCARE_BUS_SOURCE_INSIDE_H
#define AFTERCARE_BUS_SOURCE_INSIDE_H

#include "bus/outbox.h"
#include "bus/source.h"

#define SOURCE_HB_DEFAULT_US (5 * SECOND_US)
#define SOURCE_SILENCE_BEATS 3
/* PONG comes and the answer does not: it may take long. Behind so many beats it was lost. */
#define SOURCE_STALL_BEATS 12
#define SOURCE_PINGS_MAX 8

/* A PING waits until what was queued before it is sent; one that says `upto`, or waits for all to settle, until
 * it is answered: said earlier it would speak for conclusions that a BUSY or NAK may still throw back. */
struct queued_ping {
    struct verb_ping ping;
    int64_t behind_n;
};

struct source {
    struct source_config config;
    struct source_listener listener;
    void *owner;
    enum source_state state;
    struct outbox outbox;
    int64_t answer_next; /* the next number to be answered */
    int64_t durable;     /* as WELCOME said */
    int64_t window_events, window_bytes;
    int64_t hb_us;
    int64_t heard_us, sent_us;
    int64_t owed_us;  /* since when an answer is owed; 0: none is */
    int64_t hold_us;  /* nothing is appended (or greeted) before; 0: no */
    int64_t stall_us; /* without an answer until then everything unanswered goes again */
    int64_t nak_expected;
    bool hello_due, heartbeat_due;
    struct verb_ping last_ping; /* what a heartbeat repeats */
    struct queued_ping pings[SOURCE_PINGS_MAX];
    size_t pings_n;
    struct buf out;
};

/* It keeps no numbers: they go on at durable + 1. */
static inline bool source_is_of_worker(const struct source *s)
{
    return s->config.first < 0;
}

#endif
