/* What handlers conclude: drawn once a slot, kept until it is shipped, undone with its event. */
#include "worker/run_internal.h"

#include "record/pack.h"
#include <assert.h>
#include <string.h>

int64_t run_now_us(const struct run *run)
{
    return run->state.checked_us > run->at_us ? run->state.checked_us : run->at_us;
}

bool run_in_flight(const struct run *run, const char *slot)
{
    return flight_has(run->flight, slot) || flight_has(run->aside, slot);
}

/* Intake would refuse the whole message with it in, and every one after it: rather down at once, and what drew it is found. */
static bool is_sendable(struct bytes draft)
{
    struct problem problem;
    return draft.len <= DRAFT_BYTES_MAX && skim(draft, &problem);
}

bool conclude(struct run *run, const char *slot, const char *type, const char *key,
              const struct record *record, const void *data)
{
    assert(strlen(slot) < EVENT_ID_CAP && strlen(type) < EVENT_TYPE_CAP);
    if (run->dry || flight_has(run->aside, slot))
        return !run_in_flight(run, slot);
    assert(run->conclusions_n - run->drawn_from < CONCLUSIONS_PER_EVENT_MAX);
    if (!flight_add(run->flight, slot))
        return false;
    buf_append(&run->slots, slot, strlen(slot) + 1);

    buf_reset(&run->scratch);
    record_encode(record, RECORD_PLAIN, data, &run->scratch);
    struct draft draft = {.type = type,
                          .v = 1,
                          .key = key,
                          .at_us = run_now_us(run),
                          .by = run->worker->name,
                          .cause = run->cause,
                          .id = slot,
                          .data = buf_bytes(&run->scratch)};
    size_t offset = run->drafts.len;
    draft_encode(&draft, &run->drafts);
    assert(is_sendable((struct bytes){.data = run->drafts.data + offset, .len = run->drafts.len - offset}));
    if (run->conclusions_n == run->conclusions_cap) {
        run->conclusions_cap = run->conclusions_cap == 0 ? 1024 : run->conclusions_cap * 2;
        run->conclusions =
            memory_grow(run->conclusions, run->conclusions_cap * sizeof run->conclusions[0]);
    }
    struct run_conclusion *conclusion = &run->conclusions[run->conclusions_n++];
    conclusion->trigger = run->cause;
    conclusion->offset = offset;
    conclusion->draft = (struct bytes){.data = NULL, .len = run->drafts.len - offset};
    if (run->worker->flight != NULL)
        run->worker->flight(run->tables, type, key, data, +1);
    return true;
}

void run_undo_drawn(struct run *run)
{
    const char *slot = (const char *)run->slots.data;
    for (size_t at = 0; at < run->slots.len; at += strlen(slot + at) + 1)
        flight_remove(run->flight, slot + at);
    buf_reset(&run->slots);
    if (run->conclusions_n > run->drawn_from) {
        run->drafts.len = run->conclusions[run->drawn_from].offset;
        run->conclusions_n = run->drawn_from;
    }
}

size_t run_conclusions(const struct run *run, const struct run_conclusion **conclusions)
{
    for (size_t i = 0; i < run->conclusions_n; i++)
        run->conclusions[i].draft.data = run->drafts.data + run->conclusions[i].offset;
    *conclusions = run->conclusions;
    return run->conclusions_n;
}
