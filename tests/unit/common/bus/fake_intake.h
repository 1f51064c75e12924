/* A source over a fake intake that drops, delays, is busy, restarts and forgets what is not committed. */
#ifndef TESTS_BUS_FAKE_INTAKE_H
#define TESTS_BUS_FAKE_INTAKE_H

#include "bus/source.h"
#include "record/pack.h"
#include "unit/common/bus/wire.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define EVENTS 600
#define DURABLE_MAX 1024

struct intake {
    int64_t taken;   /* highest number taken, committed or not */
    int64_t durable; /* committed */
    int64_t content[DURABLE_MAX]; /* what each number said */
    bool session;
    uint64_t *dice;
    unsigned trouble; /* once in so many: loss, BUSY, … 0: never */
};

struct sim {
    struct source *source;
    struct intake intake;
    struct wire up, down;
    uint64_t dice;
    int64_t now_us;
    bool worker;
    int64_t hb_ms;
    int64_t answered, pongs, denials, conflicts, welcomes, busy;
};

void sim_open(struct sim *s, uint64_t seed, bool worker, unsigned trouble_once_in);
void sim_close(struct sim *s);
/* So many events more. */
void sim_append(struct sim *s, size_t count);
void sim_reconnect(struct sim *s);
/* Moves everything both ways until nothing is left. */
void sim_settle(struct sim *s);
/* The source hears that frame of intake, and takes it. */
void sim_say(struct sim *s, const char *verb, const struct record *record, const void *object);
/* All of EVENTS, over every trouble. Returns how often it was told to wait: a run without any proves nothing. */
int64_t sim_run(uint64_t seed, bool worker);
/* What a draft says: the number it was made with. */
int64_t sim_draft_read(struct bytes raw);
/* Intake answers those numbers. */
void sim_ack(struct sim *s, int64_t from, int64_t to);
void sim_decode(const struct record *record, const struct frame *frame, struct arena *arena, void *out);
/* Intake hears that frame. */
void sim_intake_in(struct sim *s, const struct frame *frame);
/* The listener's: each number is answered once, in order, as it was taken. */
void sim_on_answer(void *owner, const struct answer *a);

#endif
