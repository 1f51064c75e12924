#include "slip.h"
#include "base/text.h"
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

void slip_bytes(struct slip *slip, struct bytes bytes)
{
    uint8_t *copy = bytes.len > 0 ? memory_new(bytes.len) : NULL;
    if (bytes.len > 0)
        memcpy(copy, bytes.data, bytes.len);
    free((void *)(uintptr_t)slip->bytes.data);
    slip->bytes = bytes_of(copy, bytes.len);
}

struct slip *slip_new(enum slip_kind kind, const uint8_t sha256[32], int64_t offset, struct bytes bytes)
{
    struct slip *slip = memory_new(sizeof(*slip));
    slip->kind = kind;
    slip->offset = offset;
    if (sha256 != NULL)
        memcpy(slip->sha256, sha256, sizeof(slip->sha256));
    slip_bytes(slip, bytes);
    return slip;
}

void slip_destroy(struct slip **self)
{
    struct slip *slip = *self;
    if (slip == NULL)
        return;
    free((void *)(uintptr_t)slip->bytes.data);
    free(slip);
    *self = NULL;
}

void slip_refuse(struct slip *slip, const char *code, const char *why)
{
    text_copy(slip->code, sizeof(slip->code), code);
    text_copy(slip->why, sizeof(slip->why), why);
}

bool slip_is_beyond(const struct slip *slip)
{
    return text_equal(slip->code, "quota") || text_equal(slip->code, "measure");
}

enum status slip_send(struct bus_socket *pair, struct slip **slip)
{
    if (zmq_send(bus_raw(pair), slip, sizeof(*slip), ZMQ_DONTWAIT) < 0)
        return STATUS_AGAIN;
    *slip = NULL;
    return STATUS_OK;
}

struct slip *slip_receive(struct bus_socket *pair)
{
    struct slip *slip;
    return zmq_recv(bus_raw(pair), &slip, sizeof(slip), ZMQ_DONTWAIT) == (int)sizeof(slip) ? slip : NULL;
}
