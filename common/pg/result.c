/* Results: columns read in binary, and any column as a msgpack value. */
#include "pg/connection.h"
#include "base/instant.h"
#include "base/text.h"
#include "record/pack.h"
#include <assert.h>
#include <endian.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct pg_result *result_wrap(PGresult *pg)
{
    struct pg_result *result = memory_new(sizeof *result);

    result->pg = pg;
    return result;
}

void pg_result_destroy(struct pg_result **self)
{
    if (*self != NULL) {
        PQclear((*self)->pg);
        free(*self);
        *self = NULL;
    }
}

int pg_rows(const struct pg_result *result)
{
    return PQntuples(result->pg);
}

int pg_columns(const struct pg_result *result)
{
    return PQnfields(result->pg);
}

size_t pg_result_bytes(const struct pg_result *result)
{
    return PQresultMemorySize(result->pg) + sizeof *result;
}

const char *pg_column_name(const struct pg_result *result, int column)
{
    const char *name = PQfname(result->pg, column);

    assert(name != NULL);
    return name;
}

int64_t pg_affected(const struct pg_result *result)
{
    return strtoll(PQcmdTuples(result->pg), NULL, 10);
}

static struct bytes cell(const struct pg_result *result, int row, int column)
{
    assert(row >= 0 && row < PQntuples(result->pg) && column >= 0 && column < PQnfields(result->pg));
    return bytes_of(PQgetvalue(result->pg, row, column), (size_t)PQgetlength(result->pg, row, column));
}

bool pg_is_null(const struct pg_result *result, int row, int column)
{
    assert(row >= 0 && row < PQntuples(result->pg) && column >= 0 && column < PQnfields(result->pg));
    return PQgetisnull(result->pg, row, column) == 1;
}

static int64_t read_int(struct bytes value)
{
    uint64_t big64;
    uint32_t big32;
    uint16_t big16;

    switch (value.len) {
    case 8:
        memcpy(&big64, value.data, 8);
        return (int64_t)be64toh(big64);
    case 4:
        memcpy(&big32, value.data, 4);
        return (int32_t)be32toh(big32);
    default:
        assert(value.len == 2);
        memcpy(&big16, value.data, 2);
        return (int16_t)be16toh(big16);
    }
}

int64_t pg_int(const struct pg_result *result, int row, int column)
{
    Oid type = PQftype(result->pg, column);

    assert(type == OID_INT8 || type == OID_INT4 || type == OID_INT2 || type == OID_OID);
    if (pg_is_null(result, row, column)) {
        return 0;
    }
    int64_t value = read_int(cell(result, row, column));
    return type == OID_OID ? (int64_t)(uint32_t)value : value;
}

bool pg_bool(const struct pg_result *result, int row, int column)
{
    assert(PQftype(result->pg, column) == OID_BOOL);
    return !pg_is_null(result, row, column) && cell(result, row, column).data[0] != 0;
}

/* infinity and -infinity stay the ends of time. */
static int64_t read_time(struct bytes value)
{
    int64_t us = read_int(value);

    return us > INT64_MAX - PG_EPOCH_US || us == INT64_MIN ? us : us + PG_EPOCH_US;
}

int64_t pg_time(const struct pg_result *result, int row, int column)
{
    assert(PQftype(result->pg, column) == OID_TIMESTAMPTZ);
    return pg_is_null(result, row, column) ? 0 : read_time(cell(result, row, column));
}

struct bytes pg_bytes(const struct pg_result *result, int row, int column)
{
    return cell(result, row, column);
}

static void pack_float(struct bytes value, struct buf *out)
{
    double number;
    char text[40];

    if (value.len == 8) {
        uint64_t bits = (uint64_t)read_int(value);
        memcpy(&number, &bits, 8);
        snprintf(text, sizeof text, "%.15g", number);
        if (strtod(text, NULL) != number) {
            snprintf(text, sizeof text, "%.17g", number);
        }
    } else {
        uint32_t bits = (uint32_t)read_int(value);
        float small;
        memcpy(&small, &bits, 4);
        snprintf(text, sizeof text, "%.9g", (double)small);
    }
    pack_text(out, text);
}

static void pack_date(struct bytes value, struct buf *out)
{
    int year, month, day;
    char text[32];

    civil_from_days(read_int(value) + PG_EPOCH_US / DAY_US, &year, &month, &day);
    snprintf(text, sizeof text, "%04d-%02d-%02d", year, month, day);
    pack_text(out, text);
}

static void pack_numeric(struct bytes value, struct buf *out)
{
    struct buf text = {0};

    numeric_print(value, &text);
    pack_text_n(out, (const char *)text.data, text.len);
    buf_release(&text);
}

static void pack_value(Oid type, struct bytes value, struct buf *out);

/* One-dimensional arrays; more dimensions come as one list. */
static void pack_elements(struct bytes value, struct buf *out)
{
    const uint8_t *at = value.data;
    int64_t dimensions = read_int(bytes_of(at, 4));
    Oid type = (Oid)read_int(bytes_of(at + 8, 4));
    uint32_t n = dimensions > 0;

    for (int64_t i = 0; i < dimensions; i++) {
        n *= (uint32_t)read_int(bytes_of(at + 12 + 8 * i, 4));
    }
    pack_array(out, n);
    at += 12 + 8 * dimensions;
    for (uint32_t i = 0; i < n; i++) {
        int64_t length = read_int(bytes_of(at, 4));
        at += 4;
        if (length < 0) {
            pack_nil(out);
        } else {
            pack_value(type, bytes_of(at, (size_t)length), out);
            at += length;
        }
    }
}

static void pack_value(Oid type, struct bytes value, struct buf *out)
{
    switch ((enum pg_type)type) {
    case OID_BOOL:
        pack_bool(out, value.data[0] != 0);
        return;
    case OID_OID:
        pack_int(out, (int64_t)(uint32_t)read_int(value));
        return;
    case OID_INT8:
    case OID_INT4:
    case OID_INT2:
        pack_int(out, read_int(value));
        return;
    case OID_TEXT:
    case OID_VARCHAR:
    case OID_BPCHAR:
    case OID_NAME:
    case OID_CHAR:
    case OID_JSON:
        pack_text_n(out, (const char *)value.data, value.len);
        return;
    case OID_JSONB: /* behind a byte of version */
        pack_text_n(out, (const char *)value.data + 1, value.len - 1);
        return;
    case OID_TIMESTAMPTZ:
    case OID_TIMESTAMP:
        pack_time(out, read_time(value));
        return;
    case OID_DATE:
        pack_date(value, out);
        return;
    case OID_FLOAT4:
    case OID_FLOAT8:
        pack_float(value, out);
        return;
    case OID_NUMERIC:
        pack_numeric(value, out);
        return;
    case OID_BOOL_ARRAY:
    case OID_BYTEA_ARRAY:
    case OID_TEXT_ARRAY:
    case OID_INT8_ARRAY:
    case OID_TIMESTAMPTZ_ARRAY:
        pack_elements(value, out);
        return;
    case OID_BYTEA:
        pack_bin(out, value);
        return;
    }
    pack_bin(out, value); /* any other type: its binary form */
}

void pg_pack(const struct pg_result *result, int row, int column, struct buf *out)
{
    if (pg_is_null(result, row, column)) {
        pack_nil(out);
    } else {
        pack_value(PQftype(result->pg, column), cell(result, row, column), out);
    }
}
