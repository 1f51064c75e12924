#include "bus/outbox.h"

#include "record/pack.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct message {
    struct message *next;
    int64_t n;
    size_t count;
    int64_t upto, time_us;
    size_t flight; /* bytes of it that are on the way */
    size_t *ends;  /* of each draft, within data */
    uint8_t *data;
};

static int64_t message_end(const struct message *m)
{
    return m->n + (int64_t)m->count;
}

static size_t message_start_of(const struct message *m, size_t i)
{
    return i == 0 ? 0 : m->ends[i - 1];
}

static void message_drop_head(struct outbox *o)
{
    struct message *m = o->head;

    o->head = m->next;
    if (!o->head)
        o->tail = NULL;
    if (o->sending == m)
        o->sending = NULL;
    o->flight_bytes -= m->flight;
    free(m);
}

void outbox_release(struct outbox *o)
{
    while (o->head)
        message_drop_head(o);
}

void outbox_restart(struct outbox *o, int64_t n)
{
    outbox_release(o);
    o->next_n = o->send_next = n;
}

int64_t outbox_add(struct outbox *o, const struct bytes *drafts, size_t n, int64_t upto, int64_t time_us)
{
    size_t bytes = 0, at = 0;
    struct message *m;

    for (size_t i = 0; i < n; i++)
        bytes += drafts[i].len;
    /* One block: the message, the ends, the drafts. */
    m = memory_new(sizeof *m + n * sizeof m->ends[0] + bytes);
    m->ends = (size_t *)(void *)(m + 1);
    m->data = (uint8_t *)(m->ends + n);
    for (size_t i = 0; i < n; i++) {
        memcpy(m->data + at, drafts[i].data, drafts[i].len);
        at += drafts[i].len;
        m->ends[i] = at;
    }
    m->n = o->next_n;
    m->count = n;
    m->upto = upto;
    m->time_us = time_us;
    o->next_n += (int64_t)n;
    if (o->tail)
        o->tail->next = m;
    else
        o->head = m;
    o->tail = m;
    return m->n;
}

void outbox_trim(struct outbox *o, int64_t n)
{
    while (o->head && message_end(o->head) <= n)
        message_drop_head(o);
    if (o->send_next < n)
        o->send_next = n;
}

void outbox_go_back(struct outbox *o, int64_t n)
{
    if (n >= o->send_next)
        return;
    o->send_next = n;
    o->sending = NULL;
    for (struct message *m = o->head; m; m = m->next) {
        if (message_end(m) <= n)
            continue;
        o->flight_bytes -= m->flight;
        m->flight = 0;
    }
}

static struct message *outbox_next(struct outbox *o)
{
    struct message *m = o->sending ? o->sending : o->head;

    while (m && message_end(m) <= o->send_next) {
        o->sending = m;
        m = m->next;
    }
    if (m)
        o->sending = m;
    return m;
}

/* Events of m that are behind the send mark. */
static size_t message_sent(const struct outbox *o, const struct message *m)
{
    return o->send_next > m->n ? (size_t)(o->send_next - m->n) : 0;
}

bool outbox_peek(struct outbox *o, size_t *events, size_t *bytes)
{
    struct message *m = outbox_next(o);
    size_t first;

    if (!m)
        return false;
    first = message_sent(o, m);
    *events = m->count - first;
    *bytes = m->ends[m->count - 1] - message_start_of(m, first);
    return true;
}

/* Where it has to be cut. */
static size_t message_fits(const struct message *m, size_t first, int64_t window_events, int64_t window_bytes)
{
    size_t start = message_start_of(m, first), end = first + 1;

    while (end < m->count && (int64_t)(end - first) < window_events && (int64_t)(m->ends[end] - start) <= window_bytes)
        end++;
    return end;
}

void outbox_take(struct outbox *o, int64_t window_events, int64_t window_bytes, struct buf *map)
{
    struct message *m = outbox_next(o);
    size_t first, start, end, bytes;
    bool whole;

    assert(m);
    first = message_sent(o, m);
    start = message_start_of(m, first);
    end = message_fits(m, first, window_events, window_bytes);
    bytes = m->ends[end - 1] - start;
    whole = end == m->count;
    pack_map(map, 2 + (whole && m->upto >= 0 ? 1u : 0u) + (whole && m->time_us != 0 ? 1u : 0u));
    pack_text(map, "n");
    pack_int(map, m->n + (int64_t)first);
    pack_text(map, "events");
    pack_array(map, (uint32_t)(end - first));
    buf_append(map, m->data + start, bytes);
    if (whole && m->upto >= 0) {
        pack_text(map, "upto");
        pack_int(map, m->upto);
    }
    if (whole && m->time_us != 0) {
        pack_text(map, "time");
        pack_time(map, m->time_us);
    }
    m->flight += bytes;
    o->flight_bytes += bytes;
    o->send_next = m->n + (int64_t)end;
}
