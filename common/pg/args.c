/* Parameters in PostgreSQL's binary form, all in one buffer. */
#include "base/text.h"
#include "pg/connection.h"
#include <assert.h>
#include <endian.h>
#include <stdlib.h>
#include <string.h>

struct pg_args *pg_args_new(void)
{
    return memory_new(sizeof(struct pg_args));
}

void pg_args_destroy(struct pg_args **self)
{
    struct pg_args *args = *self;

    if (args == NULL) {
        return;
    }
    buf_release(&args->data);
    free(args->params);
    free(args->values);
    free(args->lengths);
    free(args->formats);
    free(args->oids);
    free(args);
    *self = NULL;
}

void pg_args_reset(struct pg_args *args)
{
    buf_reset(&args->data);
    args->n = 0;
    args->in_array = false;
}

static void put_32(struct buf *data, uint32_t value)
{
    uint32_t big = htobe32(value);

    buf_append(data, &big, sizeof big);
}

static void put_64(struct buf *data, uint64_t value)
{
    uint64_t big = htobe64(value);

    buf_append(data, &big, sizeof big);
}

static struct pg_param *param_add(struct pg_args *args, uint32_t oid)
{
    assert(!args->in_array);
    if (args->n == args->cap) {
        args->cap = args->cap == 0 ? 16 : args->cap * 2;
        args->params = memory_grow(args->params, args->cap * sizeof *args->params);
    }
    args->params[args->n] = (struct pg_param){.oid = oid, .length = -1, .offset = args->data.len};
    return &args->params[args->n++];
}

void pg_arg_int(struct pg_args *args, int64_t value)
{
    param_add(args, OID_INT8)->length = 8;
    put_64(&args->data, (uint64_t)value);
}

void pg_arg_bool(struct pg_args *args, bool value)
{
    uint8_t byte = value;

    param_add(args, OID_BOOL)->length = 1;
    buf_append(&args->data, &byte, 1);
}

void pg_arg_text(struct pg_args *args, const char *text)
{
    struct pg_param *param = param_add(args, OID_TEXT);

    if (text != NULL) {
        param->length = (int)strlen(text);
        buf_append(&args->data, text, (size_t)param->length);
    }
}

void pg_arg_bytea(struct pg_args *args, struct bytes bytes)
{
    param_add(args, OID_BYTEA)->length = (int)bytes.len;
    buf_append(&args->data, bytes.data, bytes.len);
}

void pg_arg_time(struct pg_args *args, int64_t us)
{
    struct pg_param *param = param_add(args, OID_TIMESTAMPTZ);

    if (us != 0) {
        param->length = 8;
        put_64(&args->data, (uint64_t)(us - PG_EPOCH_US));
    }
}

/* An array: number of dimensions, whether there are nulls, element type; per dimension its size and
 * lower bound; then length and bytes of each element. An empty one has no dimension. */
enum { ARRAY_HEAD = 12, ARRAY_DIMENSION = 8 };

void pg_arg_array_begin(struct pg_args *args, enum pg_array kind)
{
    static const struct {
        uint32_t array, element;
    } types[] = {[PG_INT8_ARRAY] = {OID_INT8_ARRAY, OID_INT8},
                 [PG_BOOL_ARRAY] = {OID_BOOL_ARRAY, OID_BOOL},
                 [PG_TEXT_ARRAY] = {OID_TEXT_ARRAY, OID_TEXT},
                 [PG_BYTEA_ARRAY] = {OID_BYTEA_ARRAY, OID_BYTEA},
                 [PG_TIME_ARRAY] = {OID_TIMESTAMPTZ_ARRAY, OID_TIMESTAMPTZ}};

    param_add(args, types[kind].array);
    args->in_array = true;
    args->array_at = args->data.len;
    args->elements = 0;
    args->has_null = false;
    put_32(&args->data, 1);
    put_32(&args->data, 0);
    put_32(&args->data, types[kind].element);
    put_32(&args->data, 0);
    put_32(&args->data, 1);
}

static uint8_t *elem_add(struct pg_args *args, size_t n)
{
    uint32_t big = htobe32((uint32_t)n);
    uint8_t *at = buf_reserve(&args->data, sizeof big + n);

    assert(args->in_array && n <= INT32_MAX);
    memcpy(at, &big, sizeof big);
    args->data.len += sizeof big + n;
    args->elements++;
    return at + sizeof big;
}

void pg_elem_int(struct pg_args *args, int64_t value)
{
    uint64_t big = htobe64((uint64_t)value);

    memcpy(elem_add(args, sizeof big), &big, sizeof big);
}

void pg_elem_bool(struct pg_args *args, bool value)
{
    *elem_add(args, 1) = value;
}

void pg_elem_text(struct pg_args *args, const char *text, size_t n)
{
    uint8_t *at = elem_add(args, n);

    if (n > 0) {
        memcpy(at, text, n);
    }
}

void pg_elem_bytea(struct pg_args *args, struct bytes bytes)
{
    uint8_t *at = elem_add(args, bytes.len);

    if (bytes.len > 0) {
        memcpy(at, bytes.data, bytes.len);
    }
}

void pg_elem_time(struct pg_args *args, int64_t us)
{
    if (us == 0) {
        pg_elem_null(args);
    } else {
        pg_elem_int(args, us - PG_EPOCH_US);
    }
}

void pg_elem_null(struct pg_args *args)
{
    assert(args->in_array);
    put_32(&args->data, UINT32_MAX);
    args->elements++;
    args->has_null = true;
}

static void patch_32(struct buf *data, size_t at, uint32_t value)
{
    uint32_t big = htobe32(value);

    memcpy(data->data + at, &big, sizeof big);
}

void pg_arg_array_end(struct pg_args *args)
{
    assert(args->in_array);
    args->in_array = false;
    if (args->elements == 0) {
        patch_32(&args->data, args->array_at, 0);
        args->data.len = args->array_at + ARRAY_HEAD;
    } else {
        patch_32(&args->data, args->array_at + 4, args->has_null);
        patch_32(&args->data, args->array_at + ARRAY_HEAD, args->elements);
    }
    size_t length = args->data.len - args->array_at;
    assert(length <= INT32_MAX);
    args->params[args->n - 1].length = (int)length;
}

void args_view(const struct pg_args *built)
{
    struct pg_args *args = (struct pg_args *)(uintptr_t)built; /* libpq's view is scratch */

    assert(!args->in_array && args->n <= UINT16_MAX);
    if (args->view_cap < args->n) {
        args->view_cap = args->cap;
        args->values = memory_grow(args->values, args->view_cap * sizeof *args->values);
        args->lengths = memory_grow(args->lengths, args->view_cap * sizeof *args->lengths);
        args->formats = memory_grow(args->formats, args->view_cap * sizeof *args->formats);
        args->oids = memory_grow(args->oids, args->view_cap * sizeof *args->oids);
    }
    for (size_t i = 0; i < args->n; i++) {
        const struct pg_param *param = &args->params[i];
        /* An empty value is not NULL, and a buffer that was never written has no address. */
        const char *at = args->data.data == NULL ? "" : (const char *)args->data.data + param->offset;
        args->values[i] = param->length < 0 ? NULL : at;
        args->lengths[i] = param->length < 0 ? 0 : param->length;
        args->formats[i] = 1;
        args->oids[i] = param->oid;
    }
}

uint64_t args_types(const struct pg_args *args)
{
    uint64_t types = args->n;

    for (size_t i = 0; i < args->n; i++) {
        types = (types ^ args->params[i].oid) * UINT64_C(0x100000001b3);
    }
    return types;
}
