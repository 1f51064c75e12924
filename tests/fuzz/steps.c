#include "steps.h"
#include "base/text.h"
#include "fuzz.h"
#include "mutate.h"
#include "record/pack.h"
#include <string.h>

#define HEAD_BYTES 4
#define PAYLOAD_MAX 65535

bool step_next(struct bytes *rest, struct step *step)
{
    if (rest->len < HEAD_BYTES)
        return false;
    size_t n = rest->data[2] | (size_t)rest->data[3] << 8;
    n = n < rest->len - HEAD_BYTES ? n : rest->len - HEAD_BYTES;
    *step = (struct step){.kind = rest->data[0], .peer = rest->data[1] % STEP_PEERS,
                          .payload = bytes_of(rest->data + HEAD_BYTES, n)};
    *rest = bytes_of(rest->data + HEAD_BYTES + n, rest->len - HEAD_BYTES - n);
    return true;
}

void step_print(unsigned kind, unsigned peer, struct bytes payload, struct buf *out)
{
    size_t n = payload.len < PAYLOAD_MAX ? payload.len : PAYLOAD_MAX;
    uint8_t head[HEAD_BYTES] = {(uint8_t)kind, (uint8_t)peer, (uint8_t)n, (uint8_t)(n >> 8)};
    buf_append(out, head, sizeof(head));
    if (n > 0)
        buf_append(out, payload.data, n);
}

static void step_made(unsigned kinds, struct chance *chance, step_make *make, struct buf *out)
{
    struct buf payload = {0};
    unsigned kind = (unsigned)chance_below(chance, kinds);
    make(kind, chance, (unsigned)chance_below(chance, 10), &payload);
    step_print(kind, (unsigned)chance_below(chance, STEP_PEERS), buf_bytes(&payload), out);
    buf_release(&payload);
}

/* A byte or a line may stand before the value. */
static size_t value_begins(struct bytes payload)
{
    struct problem problem;
    const uint8_t *line = payload.len > 0 ? memchr(payload.data, '\n', payload.len) : NULL;
    size_t places[] = {0, 1, line != NULL ? (size_t)(line - payload.data) + 1 : 0};
    for (size_t i = 0; i < COUNT_OF(places); i++)
        if (places[i] < payload.len && skim(bytes_of(payload.data + places[i], payload.len - places[i]), &problem))
            return places[i];
    return 0;
}

static void payload_changed(struct bytes payload, struct chance *chance, struct buf *out)
{
    size_t from = value_begins(payload);
    buf_append(out, payload.data, from);
    if (from > 0 && chance_of_hundred(chance, 10))
        out->data[0] = (uint8_t)chance_next(chance);
    mutate_value(bytes_of(payload.data + from, payload.len - from), chance, out);
}

static void step_changed(struct step step, struct chance *chance, unsigned kinds, step_make *make, struct buf *out)
{
    struct buf payload = {0};
    unsigned what = (unsigned)chance_below(chance, 100);
    if (what < 10)
        step.kind = (uint8_t)chance_below(chance, kinds);
    else if (what < 20)
        step.peer = (uint8_t)chance_below(chance, STEP_PEERS);
    if (what < 20)
        buf_append(&payload, step.payload.data, step.payload.len);
    else if (what < 40)
        make(step.kind % kinds, chance, (unsigned)chance_below(chance, 10), &payload);
    else
        payload_changed(step.payload, chance, &payload);
    step_print(step.kind, step.peer, buf_bytes(&payload), out);
    buf_release(&payload);
}

size_t steps_mutate(uint8_t *data, size_t n, size_t cap, unsigned seed, unsigned kinds, step_make *make)
{
    struct step steps[STEPS_MAX];
    struct bytes rest = bytes_of(data, n);
    struct buf out = {0};
    struct chance chance = chance_of(seed);
    size_t steps_n = 0;
    while (steps_n < STEPS_MAX && step_next(&rest, &steps[steps_n]))
        steps_n++;
    if (chance_of_hundred(&chance, 3))
        return LLVMFuzzerMutate(data, n, cap);
    size_t place = chance_below(&chance, steps_n + 1), other = chance_below(&chance, steps_n + 1);
    unsigned deed = (unsigned)chance_below(&chance, 100);
    for (size_t i = 0; i <= steps_n; i++) {
        if (i == place && deed < 25)
            step_made(kinds, &chance, make, &out);
        if (i == place && deed >= 25 && deed < 35 && other < steps_n)
            step_print(steps[other].kind, steps[other].peer, steps[other].payload, &out);
        if (i == steps_n || (i == place && deed >= 35 && deed < 45))
            continue;
        if (i == place && deed >= 45)
            step_changed(steps[i], &chance, kinds, make, &out);
        else
            step_print(steps[i].kind, steps[i].peer, steps[i].payload, &out);
    }
    n = out.len < cap ? out.len : cap;
    if (n > 0)
        memcpy(data, out.data, n);
    buf_release(&out);
    return n;
}
