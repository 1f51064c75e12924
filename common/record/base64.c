#include "record/base64.h"
#include <string.h>

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void base64_print(struct bytes in, struct buf *out)
{
    for (size_t i = 0; i < in.len; i += 3) {
        size_t n = in.len - i < 3 ? in.len - i : 3;
        uint32_t word = (uint32_t)in.data[i] << 16;
        if (n > 1)
            word |= (uint32_t)in.data[i + 1] << 8;
        if (n > 2)
            word |= in.data[i + 2];
        char four[4] = {digits[word >> 18], digits[word >> 12 & 63], n > 1 ? digits[word >> 6 & 63] : '=',
                        n > 2 ? digits[word & 63] : '='};
        buf_append(out, four, sizeof four);
    }
}

bool base64_parse(const char *text, size_t n, struct buf *out)
{
    size_t mark = out->len, padding = 0;
    if (n % 4 != 0)
        return false;
    while (padding < 2 && padding < n && text[n - 1 - padding] == '=')
        padding++;
    for (size_t i = 0; i < n; i += 4) {
        size_t bytes = i + 4 == n ? 3 - padding : 3;
        uint32_t word = 0;
        for (size_t j = 0; j < 4; j++) {
            const char *digit = j <= bytes && text[i + j] ? strchr(digits, text[i + j]) : NULL;
            if (!digit && j <= bytes) {
                out->len = mark;
                return false;
            }
            word = word << 6 | (digit ? (uint32_t)(digit - digits) : 0);
        }
        uint8_t three[3] = {(uint8_t)(word >> 16), (uint8_t)(word >> 8), (uint8_t)word};
        buf_append(out, three, bytes);
    }
    return true;
}
