/* numeric in its binary form: groups of four decimal digits with a weight, a sign and a display scale. */
#include "pg/connection.h"
#include <assert.h>
#include <endian.h>
#include <string.h>

enum { NUMERIC_HEAD = 8, NUMERIC_NEGATIVE = 0x4000, NUMERIC_NAN = 0xC000, NUMERIC_PINF = 0xD000, NUMERIC_NINF = 0xF000 };

static unsigned group_at(struct bytes value, size_t offset)
{
    uint16_t big;

    assert(offset + sizeof big <= value.len);
    memcpy(&big, value.data + offset, sizeof big);
    return be16toh(big);
}

/* The group of four digits with that weight (0: the units), 0 where none is stored. */
static unsigned digits_of(struct bytes value, int top, int weight)
{
    int at = top - weight;
    int n = (int)group_at(value, 0);

    return at < 0 || at >= n ? 0 : group_at(value, (size_t)(NUMERIC_HEAD + 2 * at));
}

void numeric_print(struct bytes value, struct buf *out)
{
    int top = (int16_t)group_at(value, 2);
    unsigned sign = group_at(value, 4), scale = group_at(value, 6);

    if (sign == NUMERIC_NAN || sign == NUMERIC_PINF || sign == NUMERIC_NINF) {
        buf_append_text(out, sign == NUMERIC_NAN ? "NaN" : sign == NUMERIC_PINF ? "Infinity" : "-Infinity");
        return;
    }
    if (sign == NUMERIC_NEGATIVE) {
        buf_append_text(out, "-");
    }
    buf_append_format(out, "%u", top < 0 ? 0 : digits_of(value, top, top));
    for (int weight = top - 1; weight >= 0; weight--) {
        buf_append_format(out, "%04u", digits_of(value, top, weight));
    }
    if (scale > 0) {
        buf_append_text(out, ".");
        size_t end = out->len + scale;
        for (int weight = -1; out->len < end; weight--) {
            buf_append_format(out, "%04u", digits_of(value, top, weight));
        }
        out->len = end;
    }
}
