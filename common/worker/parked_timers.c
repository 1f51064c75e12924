/* A timer, or the sweep of a row, that brings the process down is set aside as events are, by an event.parked that names it. Its row is
 * made when that is read back: only events change tables. Until somebody has seen to it the timer does not fire, no row of that story
 * that follows the same is swept, and the later events of its key wait. */
#include "worker/run_internal.h"

#include "base/digest.h"
#include "base/text.h"
#include <string.h>

/* What a row is about: its key, up to the first slash (TICKET/jk, KEY/CLAUSE.k); keys of events have none. */
static void event_key(const char *row_key, char out[EVENT_KEY_CAP])
{
    size_t n = strcspn(row_key, "/");
    text_copy_n(out, EVENT_KEY_CAP, row_key, n < EVENT_KEY_CAP ? n : EVENT_KEY_CAP - 1);
}

/* One row, which is what is found to bring the process down. */
static void name_print(const struct event_parked *at, char out[RUN_TIMER_CAP])
{
    if (at->follows[0] != '\0')
        text_format(out, RUN_TIMER_CAP, "%s~%s/%s", at->timer, at->follows, at->row);
    else
        text_format(out, RUN_TIMER_CAP, "%s/%lld/%s", at->timer, (long long)at->due_us, at->row);
}

/* What does not happen then: that timer; the sweep of all rows of the story that follow the same, for a sweep looks at stories. */
static void hold_print(const struct event_parked *at, char out[RUN_TIMER_CAP])
{
    struct event_parked of = *at;
    if (at->follows[0] != '\0')
        event_key(at->row, of.row);
    name_print(&of, out);
}

static void timer_describe(const struct run *run, const struct timer *timer, const void *row, int64_t due_us, struct event_parked *at)
{
    record_clear(&event_parked_record, at);
    timer_kind(run, timer, at->timer);
    text_copy(at->row, sizeof at->row, timer_row_key(run, timer, row));
    at->due_us = due_us;
}

static void sweep_describe(const struct run *run, const struct sweep *sweep, const void *row, struct event_parked *at)
{
    record_clear(&event_parked_record, at);
    sweep_kind(run, sweep, at->timer);
    text_copy(at->row, sizeof at->row, (const char *)row + tables_def(run->tables, sweep->table)->row->fields[0].offset);
    text_copy(at->follows, sizeof at->follows, sweep_value(run, sweep, row));
}

void timer_name(const struct run *run, const struct timer *timer, const void *row, int64_t due_us, char out[RUN_TIMER_CAP])
{
    struct event_parked at;
    timer_describe(run, timer, row, due_us, &at);
    name_print(&at, out);
}

void sweep_name(const struct run *run, const struct sweep *sweep, const void *row, char out[RUN_TIMER_CAP])
{
    struct event_parked at;
    sweep_describe(run, sweep, row, &at);
    name_print(&at, out);
}

bool parked_timer_read(const struct run *run, struct bytes body, struct event *event, struct event_parked *parked)
{
    struct problem problem;
    return event_decode(body, bytes_of(NULL, 0), event, &problem) && text_equal(event->type, "event.parked") &&
           text_equal(event->from, run->worker->name) &&
           record_decode(&event_parked_record, RECORD_PLAIN, DECODE_LENIENT, event->data, NULL, parked, &problem) &&
           parked->timer[0] != '\0';
}

/* Among the rows that are parked for that key. */
static bool is_parked(const struct run *run, const char *key, const char *hold)
{
    struct event event;
    struct event_parked parked;
    struct bytes body;
    char other[RUN_TIMER_CAP];
    for (const void *row = parking_first(run, key, &body); row != NULL; row = parking_next(run, row, key, &body))
        if (parked_timer_read(run, body, &event, &parked)) {
            hold_print(&parked, other);
            if (text_equal(other, hold))
                return true;
        }
    return false;
}

/* Its slot: it may be set aside, tried again at its release, and be set aside later once more. */
static void slot_print(const struct run *run, const char *hold, char out[EVENT_ID_CAP])
{
    uint8_t digest[DIGEST_BYTES];
    char hex[17];
    digest_of(bytes_of_text(hold), digest);
    hex_print(digest, 8, hex);
    text_format(out, EVENT_ID_CAP, "%s/parked/%llu/timer/%s", run->worker->name, (unsigned long long)run->cause, hex);
}

static void say(struct run *run, struct event_parked *at, const char *key, const char *hold)
{
    char slot[EVENT_ID_CAP];
    at->pos = (int64_t)run->cause;
    text_copy(at->worker, sizeof at->worker, run->worker->name);
    text_format(at->reason, sizeof at->reason, "the %s %s of %s: " CRASHED, at->follows[0] != '\0' ? "sweep" : "timer", at->timer,
                at->row);
    slot_print(run, hold, slot);
    if (!run->dry && conclude(run, slot, "event.parked", key, &event_parked_record, at))
        flight_add(run->timers_aside, hold);
}

static bool nothing_is_aside(const struct run *run)
{
    return run->crash_timer[0] == '\0' && flight_count(run->timers_aside) == 0 && parking_is_empty(run);
}

static bool stops(struct run *run, struct event_parked *at)
{
    char name[RUN_TIMER_CAP], hold[RUN_TIMER_CAP], key[EVENT_KEY_CAP];
    name_print(at, name);
    hold_print(at, hold);
    event_key(at->row, key);
    if (flight_has(run->timers_aside, hold) || is_parked(run, key, hold) || is_parked(run, PARKED_LEFT_OUT, hold))
        return true;
    if (!text_equal(run->crash_timer, name))
        return false;
    say(run, at, key, hold);
    return true;
}

bool parking_stops_timer(struct run *run, const struct timer *timer, const void *row, int64_t due_us)
{
    struct event_parked at;
    if (nothing_is_aside(run))
        return false;
    timer_describe(run, timer, row, due_us, &at);
    return stops(run, &at);
}

bool parking_stops_sweep(struct run *run, const struct sweep *sweep, const void *row)
{
    struct event_parked at;
    if (nothing_is_aside(run))
        return false;
    sweep_describe(run, sweep, row, &at);
    return stops(run, &at);
}

void parked_timer_expect(struct run *run, const struct event_parked *parked)
{
    char hold[RUN_TIMER_CAP];
    hold_print(parked, hold);
    flight_add(run->timers_aside, hold);
}

void parked_timer_landed(struct run *run, const struct event_parked *parked)
{
    char name[RUN_TIMER_CAP], hold[RUN_TIMER_CAP];
    name_print(parked, name);
    hold_print(parked, hold);
    flight_remove(run->timers_aside, hold);
    if (text_equal(run->crash_timer, name))
        run->crash_timer[0] = '\0'; /* what is tried later is tried by a release */
}

void run_park_timer(struct run *run, const char *name)
{
    text_copy(run->crash_timer, sizeof run->crash_timer, name);
}
