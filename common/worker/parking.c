/* Parking: an event that cannot be handled is set aside with the later events of its key, and the worker goes on. The parked
 * bodies are rows, so that a release needs nothing but the tables. */
#include "worker/run_internal.h"

#include "base/mutation.h"
#include "base/text.h"
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

struct parked_blob {
    uint32_t len;
    uint8_t data[EVENT_BYTES_MAX];
};

struct parked_row {
    char id[24]; /* the position, 20 digits */
    char key[EVENT_KEY_CAP];
    char reason[200]; /* "" = waits behind another one of its key */
    int64_t pos;
    bool open;
    struct parked_blob event; /* its body: nobody here decides by personal fields, and what is not kept need not be erased */
};

static const struct field parked_fields[] = {
    F_TEXT(parked_row, id, FIELD_REQUIRED, "position, 20 digits"),
    F_TEXT(parked_row, key, 0, "key of the event"),
    F_TEXT(parked_row, reason, 0, "why; empty: waits behind another one of its key"),
    F_INT(parked_row, pos, 0, "position"),
    F_BOOL(parked_row, open, 0, "still parked"),
    F_BLOB(parked_row, event, 0, "its body"),
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

/* Timers and sweeps that are left out are no longer anybody's business. */
size_t run_parked(const struct run *run)
{
    size_t n = 0;
    const struct parked_row *row = table_first(run->tables, run->parked_table, 0, NULL);
    for (; row != NULL; row = table_next(run->tables, run->parked_table, 0, row))
        n += !text_equal(row->key, PARKED_LEFT_OUT);
    return n;
}

bool parking_is_empty(const struct run *run)
{
    return table_first(run->tables, run->parked_table, 0, NULL) == NULL;
}

static const struct parked_row *of_key(const struct parked_row *row, const char *key, struct bytes *body)
{
    if (row == NULL || !text_equal(row->key, key))
        return NULL;
    *body = (struct bytes){.data = row->event.data, .len = row->event.len};
    return row;
}

const void *parking_first(const struct run *run, const char *key, struct bytes *body)
{
    return of_key(first_of(run, key), key, body);
}

const void *parking_next(const struct run *run, const void *row, const char *key, struct bytes *body)
{
    return of_key(table_next(run->tables, run->parked_table, 0, row), key, body);
}

/* --- what the journal says was parked ------------------------------------------------------------- */

/* An event.parked that was read ahead: which event, and when: at its own position, or at that of a release which failed. A replay
 * does then as was done, whatever its handlers think of it by now. */
struct parked_known {
    UT_hash_handle hh;
    char reason[200];
    char id[48]; /* POSITION/CAUSE */
};

static void known_id(uint64_t pos, uint64_t cause, char id[48])
{
    snprintf(id, 48, "%llu/%llu", (unsigned long long)pos, (unsigned long long)cause);
}

/* NULL: it was not parked then, as far as is known. */
static const char *known_reason(const struct run *run, uint64_t pos, uint64_t cause)
{
    char id[48];
    const struct parked_known *known;
    if (run->parked_known == NULL)
        return NULL;
    known_id(pos, cause, id);
    HASH_FIND_STR(run->parked_known, id, known);
    return known != NULL ? known->reason : NULL;
}

void parking_forget(struct run *run)
{
    struct parked_known *known, *next;
    HASH_ITER(hh, run->parked_known, known, next)
    {
        HASH_DEL(run->parked_known, known);
        free(known);
    }
}

void parking_expect(struct run *run, const struct event *event, const void *data)
{
    char id[48];
    struct parked_known *known;
    if (!text_equal(event->type, "event.parked") || data == NULL || MUTATION(MUTATION_PARKED_FORGOTTEN))
        return;
    const struct event_parked *parked = data;
    if (parked->timer[0] != '\0') /* it is set aside when this is read, not before */
        return;
    known_id((uint64_t)parked->pos, event->cause, id);
    HASH_FIND_STR(run->parked_known, id, known);
    if (known != NULL)
        return;
    known = memory_new(sizeof *known);
    memcpy(known->id, id, sizeof id);
    text_copy(known->reason, sizeof known->reason, parked->reason);
    HASH_ADD_STR(run->parked_known, id, known);
}

/* --- setting aside -------------------------------------------------------------------------------- */

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
    flight_clear(run->timers_aside);
    parking_forget(run);
    const void *at = table_first(run->tables, run->parked_table, 0, NULL);
    for (; at != NULL; at = table_next(run->tables, run->parked_table, 0, at)) {
        const struct parked_row *row = at;
        struct bytes body = {.data = row->event.data, .len = row->event.len};
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
    assert(event->body.len <= sizeof row->event.data);
    row->event.len = (uint32_t)event->body.len;
    memcpy(row->event.data, event->body.data, event->body.len);
    aside_keep(run, event);
    return STEP_DONE;
}

/* The reason to give the row; NULL: it is not held. */
static const char *held(const struct run *run, const struct run_item *item)
{
    const struct event *event = &item->event;
    const char *known = known_reason(run, event->pos, event->pos);
    if (item->handler == NULL || (item->builtin != NULL && known == NULL))
        return NULL;
    if (known != NULL)
        return known;
    return first_of(run, event->key) != NULL && !MUTATION(MUTATION_PARKED_PASSED) ? "" : NULL;
}

bool parking_holds(struct run *run, const struct run_item *item, enum step *step)
{
    const char *reason = held(run, item);
    if (reason == NULL)
        return false;
    /* A conclusion of our own that is set aside has been read back all the same. */
    run_land(run, item);
    *step = set_aside(run, &item->event, reason);
    return true;
}

bool parking_will_hold(const struct run *run, const struct run_item *item, struct flight *aside)
{
    if (held(run, item) == NULL)
        return item->builtin == NULL && flight_has(aside, item->event.key);
    flight_add(aside, item->event.key);
    return true;
}

/* At the event at hand: its own position, or the release that failed. */
static void say_parked(struct run *run, uint64_t pos, const char *key, const char *reason)
{
    char slot[EVENT_ID_CAP];
    text_format(slot, sizeof slot, "%s/parked/%llu/%llu", run->worker->name, (unsigned long long)pos,
                (unsigned long long)run->cause);
    struct event_parked parked;
    record_clear(&event_parked_record, &parked);
    parked.pos = (int64_t)pos;
    text_copy(parked.worker, sizeof parked.worker, run->worker->name);
    text_copy(parked.reason, sizeof parked.reason, reason);
    conclude(run, slot, "event.parked", key, &event_parked_record, &parked);
}

enum step parking_park(struct run *run, const struct run_item *item, const char *reason, bool decide)
{
    const struct event *event = &item->event;
    run_land(run, item);
    enum step step = set_aside(run, event, reason);
    if (step == STEP_DONE && decide)
        say_parked(run, event->pos, event->key, reason);
    return step;
}

/* --- release -------------------------------------------------------------------------------------- */

/* Handles one that waited, now. What a timer concluded then is in the journal. */
static enum step handle_parked(struct run *run, const struct parked_row *row, bool decide)
{
    struct run_item item;
    struct problem problem;
    struct event_parked parked;
    struct bytes body = {.data = row->event.data, .len = row->event.len};
    memset(&item, 0, sizeof item);
    if (parked_timer_read(run, body, &item.event, &parked))
        return !decide ? STEP_DONE : parked.follows[0] != '\0' ? sweep_again(run, &parked) : timer_again(run, &parked);
    bool readable = event_decode(body, bytes_of(NULL, 0), &item.event, &problem);
    assert(readable); /* it was, when it was parked */
    run_decode(run, &item);
    return run_step(run, &item, decide);
}

/* How many rows of a key are tried: fewer when one of them brings the process down, until none of them does. */
static size_t tried_most(const struct run *run, const char *key)
{
    size_t n = 0;
    const struct parked_row *row = first_of(run, key);
    if (run->crash_pos != run->cause)
        return SIZE_MAX;
    for (; row != NULL && text_equal(row->key, key); row = table_next(run->tables, run->parked_table, 0, row))
        n++;
    return run->crash_times < 31 ? n >> (run->crash_times + 1) : 0;
}

/* Why a row stays where it is, without its handler being asked: so it was at this position before, or too much has been tried. NULL:
 * it is tried. */
static const char *stays(const struct run *run, const struct parked_row *row, size_t left)
{
    return left == 0 ? CRASHED : known_reason(run, (uint64_t)row->pos, run->cause);
}

static void still_parked(struct run *run, const struct parked_row *row, const char *reason, bool decide)
{
    char id[24];
    uint64_t pos = (uint64_t)row->pos;
    id_print(pos, id);
    struct parked_row *stayed = table_change(run->tables, run->parked_table, id);
    text_copy(stayed->reason, sizeof stayed->reason, reason);
    if (decide)
        say_parked(run, pos, stayed->key, reason);
}

/* The rows of a key in order, as long as each can be handled. What one of them concluded before stays when another fails. */
static enum step release_rows(struct run *run, const char *key, bool decide)
{
    char id[24];
    size_t mark = tables_mark(run->tables), drawn_from = run->drawn_from, left = tried_most(run, key);
    struct buf slots = {0};
    enum step step = STEP_DONE;
    for (const struct parked_row *row = first_of(run, key); row != NULL && step == STEP_DONE; row = first_of(run, key)) {
        const char *why = stays(run, row, left--);
        step = why != NULL ? STEP_TROUBLE : handle_parked(run, row, decide);
        if (step == STEP_MISS)
            break;
        buf_append(&slots, run->slots.data, run->slots.len);
        run_begin(run, run->cause, run->at_us);
        if (step == STEP_TROUBLE) {
            still_parked(run, row, why != NULL ? why : run->trouble, decide);
            continue;
        }
        id_print((uint64_t)row->pos, id);
        ((struct parked_row *)table_change(run->tables, run->parked_table, id))->open = false;
    }
    if (step == STEP_MISS) {
        tables_undo(run->tables, mark);
        run->drawn_from = drawn_from;
        buf_append(&run->slots, slots.data, slots.len);
        run_undo_drawn(run);
    }
    buf_release(&slots);
    return step == STEP_MISS ? STEP_MISS : STEP_DONE;
}

/* Our own word that a timer or a sweep is set aside. */
static enum step on_parked(struct run *run, const struct run_item *item)
{
    const struct event_parked *parked = item->builtin_data;
    if (parked->timer[0] == '\0' || !text_equal(item->event.from, run->worker->name))
        return STEP_DONE;
    parked_timer_landed(run, parked);
    return set_aside(run, &item->event, parked->reason);
}

/* Who tells that a timer is left out tells it for good: it goes on being due, as a row goes on being behind. */
static void leave_out(struct run *run, const char *id)
{
    struct event event;
    struct event_parked parked;
    struct parked_row *row = table_change(run->tables, run->parked_table, id);
    if (!parked_timer_read(run, bytes_of(row->event.data, row->event.len), &event, &parked)) {
        row->open = false;
        return;
    }
    text_copy(row->key, sizeof row->key, PARKED_LEFT_OUT);
    row->reason[0] = '\0';
}

enum step parking_on_event(struct run *run, const struct run_item *item, bool decide)
{
    bool dropped = text_equal(item->event.type, "event.dropped");
    if (item->builtin_data != NULL && text_equal(item->event.type, "event.parked"))
        return on_parked(run, item);
    if (item->builtin_data == NULL || (!dropped && !text_equal(item->event.type, "event.released")))
        return STEP_DONE;
    /* event.released and event.dropped have the same form. */
    const struct event_released *released = item->builtin_data;
    if (!text_equal(released->worker, run->worker->name))
        return STEP_DONE;
    char id[24];
    id_print((uint64_t)released->pos, id);
    const struct parked_row *first = table_get(run->tables, run->parked_table, id);
    if (first == NULL || !first->open || text_equal(first->key, PARKED_LEFT_OUT))
        return tables_missed(run->tables) ? STEP_MISS : STEP_DONE;
    char key[EVENT_KEY_CAP];
    text_copy(key, sizeof key, first->key);
    if (dropped)
        leave_out(run, id);
    /* One that only waited is left out; what it waited behind stays what it is. */
    const struct parked_row *before = first_of(run, key);
    if (dropped && before != NULL && before->pos < released->pos)
        return STEP_DONE;
    return release_rows(run, key, decide);
}
