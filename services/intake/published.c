#include "published.h"
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

struct published *published_new(const struct batch *batch, const struct intake_state *state)
{
    struct published *published = memory_new(sizeof(*published));
    published->state = *state;
    published->size = sizeof(*published);
    if (batch == NULL || batch->entries_n == 0)
        return published;
    size_t size = batch->entries_n * sizeof(*batch->entries);
    published->entries = memory_new(size);
    memcpy(published->entries, batch->entries, size);
    published->entries_n = batch->entries_n;
    buf_append(&published->bytes, batch->bytes.data, batch->bytes.len);
    published->first = batch->entries[0].pos;
    published->size += size + published->bytes.cap;
    return published;
}

void published_destroy(struct published **published_p)
{
    struct published *published = *published_p;
    if (published == NULL)
        return;
    free(published->entries);
    buf_release(&published->bytes);
    free(published);
    *published_p = NULL;
}

enum status published_send(struct bus_socket *pair, struct published **published)
{
    if (zmq_send(bus_raw(pair), published, sizeof(*published), ZMQ_DONTWAIT) < 0)
        return STATUS_AGAIN;
    *published = NULL;
    return STATUS_OK;
}

struct published *published_receive(struct bus_socket *pair)
{
    struct published *published;
    return zmq_recv(bus_raw(pair), &published, sizeof(published), ZMQ_DONTWAIT) == (int)sizeof(published) ? published : NULL;
}

struct bytes published_bytes(const struct published *published, struct extent extent)
{
    return extent.len == 0 ? bytes_of(NULL, 0) : bytes_of(published->bytes.data + extent.at, extent.len);
}
