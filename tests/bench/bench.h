/* The benches' programs: each does one thing for some seconds and prints one JSON line. tests/bench/run puts them together. */
#ifndef AFTERCARE_BENCH_H
#define AFTERCARE_BENCH_H

#include "bus/source.h"
#include <stdbool.h>
#include <stdint.h>

/* "insert DSN SECONDS BATCH": the bare statement, as near to the disk as SQL gets. */
int bench_insert(int argc, char **argv);
/* "facts CMD STREAM SECONDS INFLIGHT": 400-byte facts about one ticket. INFLIGHT 1 measures the acknowledgement. */
int bench_facts(int argc, char **argv);
/* "load CMD STREAM SECONDS RATE NAME CSV": requests as registrations and resolutions; RATE 0: as fast as they are taken. */
int bench_load(int argc, char **argv);
/* "clocks DSN ROWS": a table of so many timers, due over thirty days. "fire DSN TIMERS STEP_US": the worker's core finds that many of
 * them, looking each STEP_US of the stream's time. "poll DSN SECONDS LIMIT EVERY_US AHEAD_S": the polling query does. */
int bench_clocks(int argc, char **argv);
int bench_fire(int argc, char **argv);
int bench_poll(int argc, char **argv);
/* "hostile CMD LIVE FEED STREAM FEEDS LIVES SENDERS RATE AFTER": so many readers and subscribers that stand still, and senders of RATE garbage
 * frames a second each, until it is told to end. Prints its line when they are connected. */
int bench_hostile(int argc, char **argv);
/* "follow FEED STREAM": one reader from the first event to the head, links verified. */
int bench_follow(int argc, char **argv);

/* "readers FEED STREAM READERS AFTER STRETCH SECONDS APART": so many readers at once read (AFTER, AFTER + STRETCH] again and again, or, STRETCH 0,
 * follow from there; each begins APART positions behind the one before. Prints a line when all are let in, and one at the end. */
int bench_readers(int argc, char **argv);

/* "put CMD STREAM SECONDS": files of 20 MiB one after the other. "get FEED SHA256 SECONDS": one of them again and again. Each prints a line when it
 * begins, and one at the end. */
int bench_put(int argc, char **argv);
int bench_get(int argc, char **argv);

/* Sends drafts and keeps at most `inflight` of them unanswered. */
struct sender {
    struct source *source;
    struct bus_socket *socket;
    size_t inflight;
    int64_t taken, refused;
    bool open, denied;
    char why[200];
};
bool sender_open(struct sender *, const char *endpoint, const char *stream, const char *name, size_t inflight);
void sender_close(struct sender *);
/* Waits until there is room for n more, then sends them in one message. False: the session is over (why). */
bool sender_send(struct sender *, const struct bytes *drafts, size_t n);
/* Moves frames for at most `us`. */
bool sender_turn(struct sender *, int64_t us);

/* A socket of zmq's own, before it is connected: by the key file that AFTERCARE_KEY names, if it names one. */
void bench_identify(void *socket);
double cpu_seconds(void);
int64_t median(int64_t *values, size_t n, double quantile); /* sorts */

#endif
