/* A timer that brings the process down is set aside as events are, by an event.parked that names it. Its row is made when that is
 * read back: only events change tables. Until somebody has seen to it the timer does not fire, and the later events of its key wait. */
#include "worker/run_internal.h"

#include "base/digest.h"
#include "base/text.h"
#include <string.h>

static void name_print(const char *timer, const char *row, int64_t due_us, char out[RUN_TIMER_CAP])
{
    text_format(out, RUN_TIMER_CAP, "%s/%lld/%s", timer, (long long)due_us, row);
}

void timer_name(const struct run *run, const struct timer *timer, const void *row, int64_t due_us, char out[RUN_TIMER_CAP])
{
    char kind[EVENT_TIMER_CAP];
    timer_kind(run, timer, kind);
    name_print(kind, timer_row_key(run, timer, row), due_us, out);
}

/* What a row is about: its key, up to the first slash (TICKET/jk, KEY/CLAUSE.k); keys of events have none. */
static void event_key(const char *row_key, char out[EVENT_KEY_CAP])
{
    size_t n = strcspn(row_key, "/");
    text_copy_n(out, EVENT_KEY_CAP, row_key, n < EVENT_KEY_CAP ? n : EVENT_KEY_CAP - 1);
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
static bool is_parked(const struct run *run, const char *key, const char *name)
{
    struct event event;
    struct event_parked parked;
    struct bytes body;
    char other[RUN_TIMER_CAP];
    for (const void *row = parking_first(run, key, &body); row != NULL; row = parking_next(run, row, key, &body))
        if (parked_timer_read(run, body, &event, &parked)) {
            name_print(parked.timer, parked.row, parked.due_us, other);
            if (text_equal(other, name))
                return true;
        }
    return false;
}

/* Its slot: a timer may be set aside, tried again at its release, and be set aside later once more. */
static void slot_print(const struct run *run, const char *name, char out[EVENT_ID_CAP])
{
    uint8_t digest[DIGEST_BYTES];
    char hex[17];
    digest_of(bytes_of_text(name), digest);
    hex_print(digest, 8, hex);
    text_format(out, EVENT_ID_CAP, "%s/parked/%llu/timer/%s", run->worker->name, (unsigned long long)run->cause, hex);
}

static void say(struct run *run, const struct timer *timer, const void *row, int64_t due_us, const char *key, const char *name)
{
    char slot[EVENT_ID_CAP];
    struct event_parked parked;
    record_clear(&event_parked_record, &parked);
    parked.pos = (int64_t)run->cause;
    text_copy(parked.worker, sizeof parked.worker, run->worker->name);
    timer_kind(run, timer, parked.timer);
    text_copy(parked.row, sizeof parked.row, timer_row_key(run, timer, row));
    parked.due_us = due_us;
    text_format(parked.reason, sizeof parked.reason, "the timer %s of %s: " CRASHED, parked.timer, parked.row);
    slot_print(run, name, slot);
    if (!run->dry && conclude(run, slot, "event.parked", key, &event_parked_record, &parked))
        flight_add(run->timers_aside, name);
}

bool parking_stops_timer(struct run *run, const struct timer *timer, const void *row, int64_t due_us)
{
    char name[RUN_TIMER_CAP], key[EVENT_KEY_CAP];
    if (run->crash_timer[0] == '\0' && flight_count(run->timers_aside) == 0 && parking_is_empty(run))
        return false;
    timer_name(run, timer, row, due_us, name);
    event_key(timer_row_key(run, timer, row), key);
    if (flight_has(run->timers_aside, name) || is_parked(run, key, name) || is_parked(run, PARKED_LEFT_OUT, name))
        return true;
    if (!text_equal(run->crash_timer, name))
        return false;
    say(run, timer, row, due_us, key, name);
    return true;
}

void parked_timer_expect(struct run *run, const struct event_parked *parked)
{
    char name[RUN_TIMER_CAP];
    name_print(parked->timer, parked->row, parked->due_us, name);
    flight_add(run->timers_aside, name);
}

void parked_timer_landed(struct run *run, const struct event_parked *parked)
{
    char name[RUN_TIMER_CAP];
    name_print(parked->timer, parked->row, parked->due_us, name);
    flight_remove(run->timers_aside, name);
    if (text_equal(run->crash_timer, name))
        run->crash_timer[0] = '\0'; /* what is tried later is tried by a release */
}

void run_park_timer(struct run *run, const char *name)
{
    text_copy(run->crash_timer, sizeof run->crash_timer, name);
}
