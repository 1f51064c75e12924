#include "forward.h"
#include "base/text.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* Answers are stored by so many, or after so long; until then they would only come again. */
#define ANSWERS_MAX 1024
#define ANSWERS_WAIT_US (SECOND_US / 5)
#define PIECE_BYTES (32 * 1024)
#define PIECES_MAX 128
/* An operator may let it in meanwhile. */
#define DENIED_RETRY_US (30 * SECOND_US)
#define DISK_RETRY_US SECOND_US

struct piece {
    int64_t last_n;
    size_t bytes;
    int64_t given_us;
};

struct forward {
    struct spool *spool;
    char name[EVENT_SOURCE_CAP];
    struct source *source;
    struct forward_state state;
    struct pace pace;
    struct piece pieces[PIECES_MAX]; /* handed over and not answered, the oldest first */
    size_t pieces_n, flight_bytes;
    struct spool_piece reading;
    struct answer *refusals; /* not stored yet */
    size_t refusals_n;
    int64_t answered_n, stored_n; /* up to there by intake; in the spool */
    int64_t answered_since_us;    /* 0: all is stored */
    int64_t retry_us;             /* after a denial */
    int64_t disk_retry_us;        /* after trouble with the disk */
    enum status failed;           /* what it was */
    int64_t boot_us, wall_us;     /* of the frame at hand */
    int64_t centre_us, centre_boot_us;
    int64_t welcomed_n; /* durable as a new spool was told; −1: not told */
    bool connected, final, held;
    char learnt[64]; /* the stream's id, told and not kept yet */
};

static void line_is(struct forward *f, enum line_state line)
{
    if (f->state.line != line)
        f->state.since_us = f->wall_us;
    f->state.line = line;
    if (line != LINE_DENIED)
        f->state.code[0] = f->state.why[0] = '\0';
}

/* --- what intake says ----------------------------------------------------------------------------- */

/* Hands the waiting facts from `n` on to the source, one piece. False: there are none. */
static enum status piece_give(struct forward *f, int64_t n, size_t bytes_max, bool *given)
{
    *given = false;
    if (n > spool_state(f->spool)->last || f->pieces_n == PIECES_MAX)
        return STATUS_OK;
    enum status status = spool_read(f->spool, n, bytes_max, &f->reading);
    if (status != STATUS_OK || f->reading.count == 0)
        return status;
    int64_t first = source_append(f->source, f->reading.drafts, f->reading.count, -1, 0);
    assert(first == n);
    f->pieces[f->pieces_n++] =
        (struct piece){.last_n = first + f->reading.count - 1, .bytes = f->reading.bytes.len, .given_us = f->boot_us};
    f->flight_bytes += f->reading.bytes.len;
    *given = true;
    return STATUS_OK;
}

static void on_welcome(void *owner, const struct verb_welcome *welcome)
{
    struct forward *f = owner;
    const struct spool_state *spool = spool_state(f->spool);
    line_is(f, LINE_UP);
    if (!spool->welcomed)
        f->welcomed_n = welcome->durable;
    else /* what intake has and we do not know answered comes with its answer: however much it is, none of it goes out */
        source_skip(f->source, (welcome->durable < spool->last ? welcome->durable : spool->last) + 1);
}

static void pieces_answered(struct forward *f, int64_t n)
{
    while (f->pieces_n > 0 && f->pieces[0].last_n <= n) {
        pace_answered(&f->pace, f->boot_us - f->pieces[0].given_us);
        f->flight_bytes -= f->pieces[0].bytes;
        memmove(f->pieces, f->pieces + 1, --f->pieces_n * sizeof(f->pieces[0]));
    }
}

static void on_answer(void *owner, const struct answer *answer)
{
    struct forward *f = owner;
    if (f->answered_since_us == 0)
        f->answered_since_us = f->boot_us;
    f->answered_n = answer->n;
    if (!answer->taken) {
        f->refusals = memory_grow(f->refusals, (f->refusals_n + 1) * sizeof(f->refusals[0]));
        f->refusals[f->refusals_n++] = *answer;
        f->state.refused++;
    }
    f->state.taken++;
    pieces_answered(f, answer->n);
}

void forward_centre_heard(struct forward *f, int64_t centre_us, int64_t boot_us)
{
    if (centre_us == 0)
        return;
    f->centre_us = centre_us;
    f->centre_boot_us = boot_us;
}

static void on_pong(void *owner, const struct verb_pong *pong)
{
    struct forward *f = owner;
    forward_centre_heard(f, pong->now_us, f->boot_us);
}

static void deny(struct forward *f, const char *code, const char *why)
{
    line_is(f, LINE_DENIED);
    (void)text_copy(f->state.code, sizeof(f->state.code), code);
    (void)text_copy(f->state.why, sizeof(f->state.why), why);
    f->retry_us = f->boot_us + DENIED_RETRY_US;
}

static void on_denied(void *owner, const char *code, const char *why)
{
    struct forward *f = owner;
    if (text_equal(code, "stream") && spool_state(f->spool)->stream[0] == '\0') {
        (void)text_copy(f->learnt, sizeof(f->learnt), why);
        return;
    }
    deny(f, code, why);
    /* Another process goes on with this spool's numbers: the two must not take turns. */
    f->final = text_equal(code, "superseded");
}

static void on_conflict(void *owner, int64_t n)
{
    char why[80];
    text_format(why, sizeof(why), "number %lld was sent before with other content", (long long)n);
    deny(owner, "conflict", why);
}

static const struct source_listener listener = {
    .welcome = on_welcome, .answer = on_answer, .pong = on_pong, .denied = on_denied, .conflict = on_conflict};

/* --- life ----------------------------------------------------------------------------------------- */

/* From the spool as it stands. */
static void source_begin(struct forward *f)
{
    const struct spool_state *spool = spool_state(f->spool);
    struct source_config config = {.first = spool->welcomed ? spool->first : -1, .last = spool->welcomed ? spool->last : -1};
    source_destroy(&f->source);
    /* Any name that is no stream's: the denial tells which one is there. */
    (void)text_copy(config.stream, sizeof(config.stream), spool->stream[0] != '\0' ? spool->stream : "-");
    (void)text_copy(config.name, sizeof(config.name), f->name);
    memcpy(config.incarnation, spool->incarnation, INCARNATION_BYTES);
    f->source = source_new(&config, &listener, f);
    f->pieces_n = f->refusals_n = 0;
    f->flight_bytes = 0;
    f->answered_n = f->stored_n = spool->first - 1;
    f->answered_since_us = 0;
    if (f->connected)
        source_connected(f->source, f->boot_us);
}

struct forward *forward_new(struct spool *spool, const char *name, const char *stream, int64_t wall_us)
{
    struct forward *f = memory_new(sizeof(*f));
    f->spool = spool;
    f->welcomed_n = -1;
    f->state.since_us = f->wall_us = wall_us;
    (void)text_copy(f->name, sizeof(f->name), name);
    if (spool_state(spool)->stream[0] == '\0')
        (void)text_copy(f->learnt, sizeof(f->learnt), stream);
    pace_init(&f->pace);
    source_begin(f);
    return f;
}

void forward_destroy(struct forward **f_p)
{
    struct forward *f = *f_p;
    if (f == NULL)
        return;
    source_destroy(&f->source);
    buf_release(&f->reading.bytes);
    free(f->refusals);
    free(f);
    *f_p = NULL;
}

const struct forward_state *forward_state(const struct forward *f)
{
    return &f->state;
}

int64_t forward_centre_us(const struct forward *f, int64_t boot_us)
{
    return f->centre_us != 0 ? f->centre_us + (boot_us - f->centre_boot_us) : 0;
}

int64_t forward_untouched_n(const struct forward *f)
{
    return spool_state(f->spool)->welcomed ? source_next_n(f->source) : 0;
}

bool forward_is_free(const struct forward *f)
{
    return f->state.line == LINE_UP && source_state(f->source) == SOURCE_OPEN && !f->held && spool_state(f->spool)->facts == 0;
}

void forward_hold(struct forward *f, bool held)
{
    f->held = held;
}

void forward_connected(struct forward *f, int64_t boot_us)
{
    f->connected = true;
    f->boot_us = boot_us;
    f->state.rounds++;
    if (!f->final)
        source_connected(f->source, boot_us);
}

void forward_disconnected(struct forward *f)
{
    if (f->connected)
        pace_broken(&f->pace);
    f->connected = false;
    source_disconnected(f->source);
    if (f->state.line == LINE_UP)
        line_is(f, LINE_DOWN);
}

bool forward_in(struct forward *f, const struct frame *frame, int64_t boot_us, int64_t wall_us)
{
    f->boot_us = boot_us;
    f->wall_us = wall_us;
    f->state.heard_us = wall_us;
    return source_in(f->source, frame, boot_us);
}

bool forward_out(struct forward *f, int64_t boot_us, struct frame *frame)
{
    return source_out(f->source, boot_us, frame);
}

/* --- the spool ------------------------------------------------------------------------------------ */

static enum status answers_store(struct forward *f)
{
    enum status status = STATUS_OK;
    for (size_t i = 0; i < f->refusals_n && status == STATUS_OK; i++)
        status = spool_refuse(f->spool, &f->refusals[i], f->wall_us);
    if (status == STATUS_OK)
        status = spool_trim(f->spool, f->answered_n);
    if (status == STATUS_OK)
        status = spool_commit(f->spool);
    else
        spool_rollback(f->spool);
    if (status != STATUS_OK)
        return status;
    f->refusals_n = 0;
    f->stored_n = f->answered_n;
    f->answered_since_us = 0;
    return STATUS_OK;
}

static bool answers_are_due(const struct forward *f)
{
    if (f->answered_since_us == 0)
        return false;
    return f->answered_n - f->stored_n >= ANSWERS_MAX || f->answered_n >= spool_state(f->spool)->last ||
           f->boot_us - f->answered_since_us >= ANSWERS_WAIT_US;
}

/* Something learnt once: the stream, and where the numbers of a new spool go on. */
static enum status learn(struct forward *f)
{
    enum status status = STATUS_OK;
    if (f->learnt[0] != '\0')
        status = spool_stream_keep(f->spool, f->learnt);
    if (status == STATUS_OK && f->welcomed_n >= 0)
        status = spool_welcomed(f->spool, f->welcomed_n);
    if (status == STATUS_OK)
        status = spool_commit(f->spool);
    else
        spool_rollback(f->spool);
    if (status != STATUS_OK)
        return status;
    f->learnt[0] = '\0';
    f->welcomed_n = -1;
    source_begin(f);
    return STATUS_OK;
}

static enum status give(struct forward *f)
{
    bool given = true;
    while (given && f->flight_bytes < f->pace.allowed && f->answered_n - f->stored_n < 4 * ANSWERS_MAX) {
        size_t room = f->pace.allowed - f->flight_bytes;
        enum status status = piece_give(f, source_next_n(f->source), room < PIECE_BYTES ? room : PIECE_BYTES, &given);
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}

enum status forward_work(struct forward *f, int64_t boot_us, int64_t wall_us)
{
    f->boot_us = boot_us;
    f->wall_us = wall_us;
    if (boot_us < f->disk_retry_us)
        return f->failed;
    enum status status = STATUS_OK;
    if (f->learnt[0] != '\0' || f->welcomed_n >= 0)
        status = learn(f);
    if (status == STATUS_OK && answers_are_due(f))
        status = answers_store(f);
    if (status == STATUS_OK && source_state(f->source) == SOURCE_OPEN && spool_state(f->spool)->welcomed && !f->held)
        status = give(f);
    if (status == STATUS_OK || status == STATUS_DOUBT)
        return status;
    f->disk_retry_us = boot_us + DISK_RETRY_US;
    f->failed = status == STATUS_FULL ? STATUS_FULL : STATUS_CLOSED;
    return f->failed;
}

/* --- time ----------------------------------------------------------------------------------------- */

int64_t forward_deadline_us(const struct forward *f)
{
    int64_t due = source_deadline_us(f->source), store = f->answered_since_us + ANSWERS_WAIT_US;
    if (f->final)
        return INT64_MAX;
    if (f->answered_since_us != 0 && store < due)
        due = store > f->disk_retry_us ? store : f->disk_retry_us;
    if (f->state.line == LINE_DENIED && f->retry_us < due)
        due = f->retry_us;
    return due;
}

bool forward_tick(struct forward *f, int64_t boot_us, int64_t wall_us)
{
    f->boot_us = boot_us;
    f->wall_us = wall_us;
    if (f->final)
        return false;
    if (f->state.line == LINE_DENIED) {
        if (boot_us < f->retry_us)
            return false;
        f->retry_us = boot_us + DENIED_RETRY_US;
        return true;
    }
    if (source_tick(f->source, boot_us)) {
        line_is(f, LINE_DOWN);
        return true;
    }
    return false;
}
