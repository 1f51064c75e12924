/* Parking: an event that cannot be handled is set aside with the later events of its key, and the worker goes on. The parked
 * bodies are rows, so that a release needs nothing but the tables. */
#include "worker/run_internal.h"

#include "base/text.h"
#include <assert.h>
#include <stdio.h>
#include <string.h>

struct parked_blob {
    uint32_t len;
    uint8_t data[EVENT_BYTES_MAX];
};

struct parked_row {
    char id[24]; /* the position, 20 digits */
    char key[EVENT_KEY_CAP];
    char reason[200]; /* "" = waits behind another one of its key */
    int64_t pos;
    int64_t body_bytes; /* of the blob; the rest is priv */
    bool open;
    struct parked_blob event;
};

static const struct field parked_fields[] = {
    F_TEXT(parked_row, id, FIELD_REQUIRED, "position, 20 digits"),
    F_TEXT(parked_row, key, 0, "key of the event"),
    F_TEXT(parked_row, reason, 0, "why; empty: waits behind another one of its key"),
    F_INT(parked_row, pos, 0, "position"),
    F_INT(parked_row, body_bytes, 0, "length of the body, priv follows"),
    F_BOOL(parked_row, open, 0, "still parked"),
    F_BLOB(parked_row, event, 0, "body and priv"),
};
static const struct record parked_record = RECORD(parked_row, parked_fields, "events set aside");

static int compare_by_key(const void *a, const void *b)
{
    const struct parked_row *left = a, *right = b;
    int order = strcmp(left->key, right->key);
    return order != 0 ? order : (left->pos > right->pos) - (left->pos < right->pos);
}

static const struct index_def parked_indexes[] = {{.name = "by_key", .compare = compare_by_key}};

const struct table_def parked_table_def = {.name = "parked",
                                           .row = &parked_record,
                                           .open_offset = offsetof(struct parked_row, open),
                                           .indexes = parked_indexes,
                                           .indexes_n = 1};

static void id_print(uint64_t pos, char id[24])
{
    snprintf(id, 24, "%020llu", (unsigned long long)pos);
}

/* The first event that is parked for this key. */
static const struct parked_row *first_of(const struct run *run, const char *key)
{
    struct parked_row probe;
    memset(&probe, 0, offsetof(struct parked_row, event));
    text_copy(probe.key, sizeof probe.key, key);
    const struct parked_row *row = table_first(run->tables, run->parked_table, 0, &probe);
    return row != NULL && text_equal(row->key, key) ? row : NULL;
}

size_t run_parked(const struct run *run)
{
    size_t n = 0;
    const void *row = table_first(run->tables, run->parked_table, 0, NULL);
    for (; row != NULL; row = table_next(run->tables, run->parked_table, 0, row))
        n++;
    return n;
}

/* It stands in the journal: nothing else may conclude it, although no row tells. */
static void aside_keep(struct run *run, const struct event *event)
{
    if (text_equal(event->from, run->worker->name))
        flight_add(run->aside, event->id);
}

void parking_start(struct run *run)
{
    struct event event;
    struct problem problem;
    flight_clear(run->aside);
    const void *at = table_first(run->tables, run->parked_table, 0, NULL);
    for (; at != NULL; at = table_next(run->tables, run->parked_table, 0, at)) {
        const struct parked_row *row = at;
        struct bytes body = {.data = row->event.data, .len = (size_t)row->body_bytes};
        if (event_decode(body, bytes_of(NULL, 0), &event, &problem))
            aside_keep(run, &event);
    }
}

static enum step set_aside(struct run *run, const struct event *event, const char *reason)
{
    char id[24];
    id_print(event->pos, id);
    if (run_parked(run) >= PARKED_MAX) {
        run_stop(run, "%d events are parked: this is not one bad event; look at the first ones",
                 PARKED_MAX);
        return STEP_TROUBLE;
    }
    struct parked_row *row = table_new(run->tables, run->parked_table, id);
    text_copy(row->key, sizeof row->key, event->key);
    text_copy(row->reason, sizeof row->reason, reason);
    row->pos = (int64_t)event->pos;
    row->open = true;
    row->body_bytes = (int64_t)event->body.len;
    assert(event->body.len + event->priv.len <= sizeof row->event.data);
    row->event.len = (uint32_t)(event->body.len + event->priv.len);
    memcpy(row->event.data, event->body.data, event->body.len);
    if (event->priv.len > 0)
        memcpy(row->event.data + event->body.len, event->priv.data, event->priv.len);
    aside_keep(run, event);
    return STEP_DONE;
}

bool parking_holds(struct run *run, const struct run_item *item, enum step *step)
{
    const struct event *event = &item->event;
    char id[24];
    id_print(event->pos, id);
    bool known = flight_count(run->parked_ahead) > 0 && flight_has(run->parked_ahead, id);
    if (item->builtin != NULL && !known)
        return false;
    if (item->handler == NULL || (!known && first_of(run, event->key) == NULL))
        return false;
    /* A conclusion of our own that is set aside has been read back all the same. */
    run_land(run, item);
    *step = set_aside(run, event, known ? "parked before" : "");
    return true;
}

enum step parking_park(struct run *run, const struct run_item *item, const char *reason, bool decide)
{
    const struct event *event = &item->event;
    run_land(run, item);
    enum step step = set_aside(run, event, reason);
    if (step != STEP_DONE || !decide)
        return step;
    char slot[EVENT_ID_CAP];
    text_format(slot, sizeof slot, "%s/parked/%llu/%llu", run->worker->name,
                (unsigned long long)event->pos, (unsigned long long)run->cause);
    struct event_parked parked;
    record_clear(&event_parked_record, &parked);
    parked.pos = (int64_t)event->pos;
    text_copy(parked.worker, sizeof parked.worker, run->worker->name);
    text_copy(parked.reason, sizeof parked.reason, reason);
    conclude(run, slot, "event.parked", event->key, &event_parked_record, &parked);
    return STEP_DONE;
}

void parking_expect(struct run *run, const struct event *event, const void *data)
{
    if (!text_equal(event->type, "event.parked") || data == NULL)
        return;
    const struct event_parked *parked = data;
    char id[24];
    id_print((uint64_t)parked->pos, id);
    flight_add(run->parked_ahead, id);
}

/* Handles one that waited, now. */
static enum step handle_parked(struct run *run, const struct parked_row *row, bool decide)
{
    struct run_item item;
    struct problem problem;
    struct bytes body = {.data = row->event.data, .len = (size_t)row->body_bytes};
    struct bytes priv = {.data = row->event.data + row->body_bytes,
                         .len = row->event.len - (size_t)row->body_bytes};
    memset(&item, 0, sizeof item);
    bool readable = event_decode(body, priv, &item.event, &problem);
    assert(readable); /* it was, when it was parked */
    run_decode(run, &item);
    return run_step(run, &item, decide);
}

enum step parking_on_event(struct run *run, const struct run_item *item, bool decide)
{
    bool dropped = text_equal(item->event.type, "event.dropped");
    if (item->builtin_data == NULL || (!dropped && !text_equal(item->event.type, "event.released")))
        return STEP_DONE;
    /* event.released and event.dropped have the same form. */
    const struct event_released *released = item->builtin_data;
    if (!text_equal(released->worker, run->worker->name))
        return STEP_DONE;
    char id[24];
    id_print((uint64_t)released->pos, id);
    const struct parked_row *first = table_get(run->tables, run->parked_table, id);
    if (first == NULL || !first->open)
        return STEP_DONE;
    char key[EVENT_KEY_CAP];
    text_copy(key, sizeof key, first->key);
    size_t mark = tables_mark(run->tables);
    for (const struct parked_row *row = first_of(run, key); row != NULL; row = first_of(run, key)) {
        bool left_out = dropped && row->pos == released->pos;
        enum step step = left_out ? STEP_DONE : handle_parked(run, row, decide);
        if (step == STEP_MISS) {
            tables_undo(run->tables, mark);
            run_undo_drawn(run);
            return STEP_MISS;
        }
        id_print((uint64_t)row->pos, id);
        struct parked_row *done = table_change(run->tables, run->parked_table, id);
        if (step == STEP_TROUBLE) { /* still not: it stays, with the new reason */
            text_copy(done->reason, sizeof done->reason, run->trouble);
            break;
        }
        done->open = false;
    }
    return STEP_DONE;
}
