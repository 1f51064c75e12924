#include "courier.h"
#include "base/instant.h"
#include "base/log.h"
#include "base/text.h"
#include "bus/reader.h"
#include "event/print.h"
#include "event/stream.h"
#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define CREDIT_BYTES (1 << 20)
#define LOOK_BYTES 65536
#define NEVER INT64_MAX
/* A cursor that moves over what the filter leaves out is kept so often. */
#define COMMIT_POSITIONS 10000
/* A pause that lies further ahead than any we make: the clock was set back. */
#define FAR_US (2 * HOUR_US)

enum phase {
    PHASE_LOOK, /* OPENED says whose stream it is, and where it ends now */
    PHASE_READ
};

struct courier {
    const struct hook *hook;
    const char *principal;
    const struct secrets *secrets;
    struct queue *queue;
    struct courier_edge edge;
    struct reader *reader;
    enum phase phase;
    char stream[64];
    bool anew; /* the connection is to be made anew */
    struct cursor cursor;
    bool dirty;   /* events or the cursor are not committed */
    bool trouble; /* the queue's */
    bool unreadable; /* an event is not one: nothing is read any more */
    struct waiting waiting;
    int64_t due_us;  /* the queue's next; wall */
    int64_t look_us; /* when the queue is looked at again; boot */
    int64_t failures, blocked_until_us; /* of the other side, one after the other; wall */
    int64_t flying[64];
    size_t flying_n;
    int64_t taken, failed;
    char why_reading[200], why_sending[140];
    struct buf line, signature;
};

/* --- reading ---------------------------------------------------------------------------------------- */

static void keep(struct courier *courier, const struct event *event)
{
    struct delivery delivery = {.pos = (int64_t)event->pos};
    buf_reset(&courier->line);
    event_print_cloudevent(event, courier->stream, &courier->line);
    memcpy(delivery.hook, courier->hook->name, sizeof(delivery.hook));
    memcpy(delivery.key, event->key, sizeof(delivery.key));
    memcpy(delivery.type, event->type, sizeof(delivery.type));
    delivery.body = buf_bytes(&courier->line);
    courier->trouble = queue_add(courier->queue, &delivery) != STATUS_OK;
    courier->dirty = true;
    courier->waiting.waiting++;
}

static void on_event(void *owner, uint64_t pos, struct bytes body, struct bytes priv, const uint8_t link[LINK_BYTES])
{
    struct courier *courier = owner;
    struct event event;
    struct problem problem;
    (void)priv; /* personal fields go nowhere */
    (void)link;
    if (courier->trouble || courier->unreadable)
        return;
    if (!event_decode(body, bytes_of(NULL, 0), &event, &problem)) {
        courier->unreadable = true;
        text_format(courier->why_reading, sizeof(courier->why_reading), "position %" PRIu64 " cannot be read: %s", pos, problem.code);
        return;
    }
    if (courier->phase != PHASE_LOOK)
        keep(courier, &event);
}

static void on_head(void *owner, uint64_t head, int64_t now_us)
{
    struct courier *courier = owner;
    (void)head;
    (void)now_us;
    courier->why_reading[0] = '\0';
}

static void on_failed(void *owner, const char *code, const char *why)
{
    struct courier *courier = owner;
    char text[sizeof(courier->why_reading)];
    text_format(text, sizeof(text), "reading ended: %.40s %.120s", code, why);
    if (!text_equal(text, courier->why_reading))
        log_error("%s: %s", courier->hook->name, text);
    memcpy(courier->why_reading, text, sizeof(text));
}

static struct reader *reader_make(struct courier *courier)
{
    static const struct reader_listener listener = {.event = on_event, .head = on_head, .failed = on_failed};
    const struct hook *hook = courier->hook;
    struct reader_config config = {0};
    struct verb_open *open = &config.open;
    record_clear(&verb_open_record, open);
    text_format(open->consumer, sizeof(open->consumer), "%s/webhook-%s", courier->principal, hook->name);
    open->follow = true;
    open->credit = CREDIT_BYTES;
    if (courier->phase == PHASE_LOOK) {
        open->credit = LOOK_BYTES;
        return reader_new(&config, &listener, courier);
    }
    memcpy(open->stream, courier->stream, sizeof(open->stream));
    open->after = courier->cursor.pos > 0 ? courier->cursor.pos : 0;
    memcpy(open->link, courier->cursor.link, LINK_BYTES);
    memcpy(open->types, hook->types, sizeof(open->types));
    memcpy(open->regions, hook->regions, sizeof(open->regions));
    memcpy(open->sites, hook->sites, sizeof(open->sites));
    memcpy(open->keys, hook->keys, sizeof(open->keys));
    open->types_n = hook->types_n;
    open->regions_n = hook->regions_n;
    open->sites_n = hook->sites_n;
    open->keys_n = hook->keys_n;
    return reader_new(&config, &listener, courier);
}

/* --- life ------------------------------------------------------------------------------------------- */

/* What stands on record of it. A new one begins where its settings say; "now" is where the look finds the end. */
static bool cursor_load(struct courier *courier)
{
    uint8_t filter[DIGEST_BYTES];
    hook_filter(courier->hook, filter);
    enum status status = queue_cursor(courier->queue, courier->hook->name, &courier->cursor);
    if (status == STATUS_ABSENT)
        courier->cursor.pos = text_equal(courier->hook->from, "now")     ? -1
                              : text_equal(courier->hook->from, "start") ? 0
                                                                         : strtoll(courier->hook->from, NULL, 10) - 1;
    else if (status != STATUS_OK)
        return false;
    else if (memcmp(filter, courier->cursor.filter, DIGEST_BYTES) != 0)
        log_info("%s: another filter from position %" PRId64 " on", courier->hook->name, courier->cursor.pos + 1);
    memcpy(courier->cursor.filter, filter, DIGEST_BYTES);
    return true;
}

static bool look_due(struct courier *courier)
{
    return queue_due_us(courier->queue, courier->hook->name, &courier->due_us) == STATUS_OK;
}

static bool count(struct courier *courier)
{
    return queue_count(courier->queue, courier->hook->name, &courier->waiting) == STATUS_OK && look_due(courier);
}

struct courier *courier_new(const struct hook *hook, const char *principal, const struct secrets *secrets, struct queue *queue,
                            const struct courier_edge *edge)
{
    struct courier *courier = memory_new(sizeof(*courier));
    *courier = (struct courier){.hook = hook, .principal = principal, .secrets = secrets, .queue = queue, .edge = *edge};
    if (!cursor_load(courier) || !count(courier)) {
        free(courier);
        return NULL;
    }
    courier->reader = reader_make(courier);
    return courier;
}

void courier_destroy(struct courier **courier_p)
{
    struct courier *courier = *courier_p;
    if (courier == NULL)
        return;
    reader_destroy(&courier->reader);
    buf_release(&courier->line);
    buf_release(&courier->signature);
    free(courier);
    *courier_p = NULL;
}

const struct hook *courier_hook(const struct courier *courier)
{
    return courier->hook;
}

/* --- the feed --------------------------------------------------------------------------------------- */

void courier_connected(struct courier *courier, int64_t boot_us)
{
    courier->anew = false;
    reader_connected(courier->reader, boot_us);
}

void courier_disconnected(struct courier *courier)
{
    reader_disconnected(courier->reader);
}

/* Whose stream it is and where it ends is known: on a connection of its own the reading begins. */
static void look_over(struct courier *courier)
{
    int64_t head = (int64_t)reader_head(courier->reader);
    if (reader_stream(courier->reader)[0] == '\0' || head == 0)
        return;
    text_copy(courier->stream, sizeof(courier->stream), reader_stream(courier->reader));
    if (courier->cursor.pos < 0) {
        courier->cursor.pos = head;
        courier->dirty = true;
    }
    reader_destroy(&courier->reader);
    courier->phase = PHASE_READ;
    courier->reader = reader_make(courier);
    courier->anew = true;
}

bool courier_in(struct courier *courier, const struct frame *frame, int64_t boot_us)
{
    bool good = reader_in(courier->reader, frame, boot_us);
    if (courier->phase == PHASE_LOOK)
        look_over(courier);
    return good;
}

bool courier_out(struct courier *courier, int64_t boot_us, struct frame *frame)
{
    return !courier->anew && reader_out(courier->reader, boot_us, frame);
}

bool courier_tick(struct courier *courier, int64_t boot_us)
{
    return reader_tick(courier->reader, boot_us) || courier->anew;
}

/* What was read becomes durable with the cursor behind it; then the feed is given its credit back. */
static bool commit(struct courier *courier)
{
    if (courier->phase == PHASE_READ && reader_position(courier->reader) > 0) {
        uint64_t pos;
        uint8_t link[LINK_BYTES];
        reader_cursor(courier->reader, &pos, link);
        courier->dirty = courier->dirty || (int64_t)pos > courier->cursor.pos + COMMIT_POSITIONS;
        if (courier->dirty && (int64_t)pos >= courier->cursor.pos) {
            courier->cursor.pos = (int64_t)pos;
            memcpy(courier->cursor.link, link, LINK_BYTES);
        }
    }
    if (courier->dirty && queue_commit(courier->queue, courier->hook->name, &courier->cursor) != STATUS_OK)
        return false;
    if (courier->dirty && !look_due(courier))
        return false;
    courier->dirty = false;
    if (courier->phase == PHASE_READ)
        reader_applied(courier->reader, reader_position(courier->reader));
    return true;
}

/* A hook that takes nothing holds back its own reading, and nobody else's. */
static void hold_back(struct courier *courier)
{
    bool full = courier->waiting.waiting >= QUEUE_WAITING_MAX || courier->unreadable;
    reader_pause(courier->reader, full);
    if (!full)
        reader_resume(courier->reader);
}

/* --- sending ---------------------------------------------------------------------------------------- */

static void post(struct courier *courier, const struct delivery *delivery, int64_t wall_us)
{
    char id[160], attempt[48], type[64];
    struct request *request = memory_new(sizeof(*request));
    *request = (struct request){.courier = courier, .delivery = *delivery};
    request->delivery.body = bytes_of(NULL, 0);
    buf_reset(&courier->signature);
    buf_append_text(&courier->signature, "Aftercare-Signature: ");
    sign(courier->secrets, wall_us / SECOND_US, delivery->body, &courier->signature);
    text_format(id, sizeof(id), "Aftercare-Delivery: %s/%" PRId64, courier->stream, delivery->pos);
    text_format(attempt, sizeof(attempt), "Aftercare-Attempt: %" PRId64, delivery->attempts + 1);
    text_format(type, sizeof(type), "Content-Type: application/cloudevents+json");
    const char *const headers[] = {type, id, attempt, buf_text(&courier->signature)};
    courier->flying[courier->flying_n++] = delivery->pos;
    courier->edge.post(courier->edge.owner, courier->hook, request, delivery->body, headers, COUNT_OF(headers));
}

static bool is_blocked(const struct courier *courier, int64_t wall_us)
{
    return wall_us < courier->blocked_until_us && courier->blocked_until_us - wall_us < FAR_US;
}

/* While the other side is away one request at a time finds out whether it is back. */
static size_t parallel(const struct courier *courier)
{
    return courier->failures > 0 ? 1 : (size_t)courier->hook->parallel;
}

static bool send_due(struct courier *courier, int64_t wall_us)
{
    enum status status = STATUS_OK;
    while (status == STATUS_OK && courier->flying_n < parallel(courier) && !is_blocked(courier, wall_us)) {
        struct delivery delivery;
        status = queue_next(courier->queue, courier->hook->name, wall_us, courier->flying, courier->flying_n, &delivery);
        if (status == STATUS_OK)
            post(courier, &delivery, wall_us);
    }
    return status == STATUS_OK || status == STATUS_ABSENT;
}

bool courier_work(struct courier *courier, int64_t boot_us, int64_t wall_us)
{
    if (courier->trouble || !commit(courier))
        return false;
    if (boot_us >= courier->look_us) { /* an operator's command may have changed the queue */
        courier->look_us = boot_us + SECOND_US;
        if (!count(courier))
            return false;
    }
    hold_back(courier);
    return courier->stream[0] == '\0' || send_due(courier, wall_us);
}

static void land(struct courier *courier, int64_t pos)
{
    size_t at = 0;
    while (at < courier->flying_n && courier->flying[at] != pos)
        at++;
    assert(at < courier->flying_n);
    courier->flying[at] = courier->flying[--courier->flying_n];
}

static enum status taken(struct courier *courier, const struct delivery *delivery)
{
    bool back = courier->failures > 0;
    courier->taken++;
    courier->waiting.waiting--;
    courier->failures = courier->blocked_until_us = 0;
    courier->why_sending[0] = '\0';
    enum status status = queue_taken(courier->queue, delivery);
    if (back && status == STATUS_OK) {
        log_info("%s: events are taken again", courier->hook->name);
        status = queue_wake(courier->queue, courier->hook->name);
    }
    return status;
}

static enum status refused(struct courier *courier, struct delivery *delivery, const struct outcome *outcome, int64_t wall_us)
{
    const char *name = courier->hook->name;
    courier->failed++;
    delivery->attempts++;
    delivery->status = outcome->status;
    memcpy(delivery->why, outcome->why, sizeof(outcome->why));
    if (delivery->first_us == 0 || delivery->first_us > wall_us)
        delivery->first_us = wall_us;
    uint64_t seed = (uint64_t)delivery->pos * 64 + (uint64_t)delivery->attempts;
    delivery->next_us = wall_us + schedule_pause_us(delivery->attempts, outcome->retry_after_us, seed);
    if (schedule_is_over(delivery->first_us, wall_us, span_us(courier->hook->give_up))) {
        delivery->state = DELIVERY_PARKED;
        log_error("%s: position %" PRId64 " (%s) is parked after %" PRId64 " attempts: %s", name, delivery->pos, delivery->key,
                  delivery->attempts, outcome->why);
    }
    if (outcome_is_theirs(outcome)) {
        if (courier->failures++ == 0)
            log_warn("%s: position %" PRId64 " is not taken: %s", name, delivery->pos, outcome->why);
        courier->blocked_until_us = wall_us + schedule_pause_us(courier->failures, outcome->retry_after_us, seed);
    } else if (delivery->attempts == 1) {
        log_warn("%s: position %" PRId64 " (%s) is refused: %s", name, delivery->pos, delivery->key, outcome->why);
    }
    text_format(courier->why_sending, sizeof(courier->why_sending), "not taken: %s", outcome->why);
    return queue_failed(courier->queue, delivery);
}

bool courier_done(struct courier *courier, struct request *request, const struct outcome *outcome, int64_t wall_us)
{
    struct delivery *delivery = &request->delivery;
    land(courier, delivery->pos);
    enum status status = outcome_is_taken(outcome) ? taken(courier, delivery) : refused(courier, delivery, outcome, wall_us);
    free(request);
    return status == STATUS_OK && look_due(courier);
}

int64_t courier_deadline_us(const struct courier *courier, int64_t boot_us, int64_t wall_us)
{
    int64_t deadline_us = reader_deadline_us(courier->reader), due_us = courier->due_us;
    if (courier->look_us < deadline_us)
        deadline_us = courier->look_us;
    if (courier->flying_n >= parallel(courier) || due_us == NEVER)
        return deadline_us;
    if (is_blocked(courier, wall_us) && courier->blocked_until_us > due_us)
        due_us = courier->blocked_until_us;
    int64_t in_us = due_us > wall_us ? due_us - wall_us : courier->flying_n > 0 ? SECOND_US : 0;
    return boot_us + in_us < deadline_us ? boot_us + in_us : deadline_us;
}

void courier_state(const struct courier *courier, struct courier_state *state)
{
    *state = (struct courier_state){.waiting = courier->waiting,
                                    .pos = courier->cursor.pos,
                                    .head = (int64_t)reader_head(courier->reader),
                                    .taken = courier->taken,
                                    .failed = courier->failed,
                                    .flying = courier->flying_n};
    (void)text_copy(state->trouble, sizeof(state->trouble),
                    courier->why_reading[0] != '\0' ? courier->why_reading : courier->why_sending);
}
