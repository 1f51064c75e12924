#include "csv.h"
#include "base/status.h"
#include "base/text.h"
#include <csv.h>
#include <iconv.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <zlib.h>

bool csv_unpack(struct bytes in, struct buf *out, const char **why)
{
    if (in.len < 2 || in.data[0] != 0x1f || in.data[1] != 0x8b) {
        buf_append(out, in.data, in.len);
        return true;
    }
    z_stream z = {0};
    if (inflateInit2(&z, 16 + MAX_WBITS) != Z_OK) {
        *why = "zlib does not start";
        return false;
    }
    struct buf copy = {0};
    buf_append(&copy, in.data, in.len);
    size_t left = copy.len;
    z.next_in = copy.data;
    int code = Z_OK;
    /* Several members one behind the other are one file (RFC 1952). */
    while (code == Z_OK && out->len <= CSV_BYTES_MAX) {
        if (z.avail_in == 0 && left > 0) {
            z.avail_in = left > (1u << 30) ? 1u << 30 : (uInt)left;
            left -= z.avail_in;
        }
        z.next_out = buf_reserve(out, 1 << 18);
        z.avail_out = 1 << 18;
        code = inflate(&z, Z_NO_FLUSH);
        out->len += (1u << 18) - z.avail_out;
        if (code == Z_STREAM_END && (z.avail_in > 0 || left > 0))
            code = inflateReset(&z);
        if (code == Z_BUF_ERROR && left > 0)
            code = Z_OK;
    }
    inflateEnd(&z);
    buf_release(&copy);
    if (code == Z_STREAM_END && out->len <= CSV_BYTES_MAX)
        return true;
    *why = out->len > CSV_BYTES_MAX ? "larger than 2 GiB unpacked"
                                    : "the gzip file is damaged or cut off";
    return false;
}

/* All of it from GB18030; false when some bytes are not. */
static bool from_gb18030(const struct buf *text, bool must, struct buf *out)
{
    iconv_t iconv_handle = iconv_open("UTF-8", "GB18030");
    if (iconv_handle == (iconv_t)-1)
        return false;
    struct buf copy = {0};
    buf_append(&copy, text->data, text->len);
    char *in = (char *)copy.data;
    size_t left = copy.len;
    bool clean = true;
    while (left > 0) {
        size_t room = left + 65536;
        char *to = (char *)buf_reserve(out, room);
        size_t room_left = room;
        size_t code = iconv(iconv_handle, &in, &left, &to, &room_left);
        out->len += room - room_left;
        if (code == (size_t)-1 && left > 0 && room_left > 8) {
            clean = false;
            if (must)
                break;
            buf_append(out, in, 1);
            in++;
            left--;
        }
    }
    iconv_close(iconv_handle);
    buf_release(&copy);
    return clean;
}

bool csv_to_utf8(struct buf *text, const char *encoding, const char **found)
{
    bool detect = encoding[0] == '\0' || strcasecmp(encoding, "auto") == 0;
    bool utf8 = strcasecmp(encoding, "utf-8") == 0 || strcasecmp(encoding, "utf8") == 0;
    bool chinese = strcasecmp(encoding, "gb18030") == 0 || strcasecmp(encoding, "gbk") == 0 ||
                   strcasecmp(encoding, "gb2312") == 0;
    if (!detect && !utf8 && !chinese)
        return false;
    *found = "utf-8";
    if (text->len >= 3 && memcmp(text->data, "\xef\xbb\xbf", 3) == 0) {
        memmove(text->data, text->data + 3, text->len - 3);
        text->len -= 3;
        return true;
    }
    if (utf8 || (detect && text_is_utf8((const char *)text->data, text->len)))
        return true;
    struct buf out = {0};
    if (from_gb18030(text, detect, &out) || chinese) {
        buf_release(text);
        *text = out;
        *found = "gb18030";
    } else {
        buf_release(&out);
    }
    return true;
}

struct reading {
    const struct csv_listener *listener;
    void *owner;
    struct bytes text;
    char *cells[CSV_COLUMNS_MAX];
    size_t n;         /* cells of the row at hand */
    size_t header_n;  /* 0: no header yet */
    struct buf bytes; /* cell texts; cells[] are offsets until the row ends */
    size_t offsets[CSV_COLUMNS_MAX];
    size_t row_line, row_at; /* where the row at hand begins */
    size_t line, at;         /* where the line being fed begins */
    size_t line_end;
    bool too_long, nul, stopped, open; /* open: a row has begun and not ended */
};

static void on_cell(void *data, size_t len, void *owner)
{
    struct reading *reading = owner;
    if (reading->n >= CSV_COLUMNS_MAX || reading->bytes.len + len > CSV_ROW_BYTES_MAX) {
        reading->too_long = true;
        return;
    }
    if (data != NULL && memchr(data, 0, len) != NULL)
        reading->nul = true;
    reading->offsets[reading->n++] = reading->bytes.len;
    buf_append(&reading->bytes, data, data != NULL ? len : 0);
    buf_append(&reading->bytes, "", 1);
}

static struct bytes row_text(const struct reading *reading, size_t end)
{
    size_t begin = reading->row_at;
    while (end > begin &&
           (reading->text.data[end - 1] == '\n' || reading->text.data[end - 1] == '\r'))
        end--;
    return bytes_of(reading->text.data + begin, end - begin);
}

static void name_header(struct reading *reading, struct csv_row *row)
{
    static const size_t suffix_max = 8;
    struct buf names = {0};
    size_t starts[CSV_COLUMNS_MAX];
    for (size_t i = 0; i < row->n; i++) {
        size_t times = 1;
        for (size_t before = 0; before < i; before++)
            times += text_equal(row->cells[before], row->cells[i]);
        starts[i] = names.len;
        buf_reserve(&names, strlen(row->cells[i]) + suffix_max);
        buf_append_text(&names, row->cells[i]);
        if (times > 1)
            buf_append_format(&names, ".%zu", times);
        buf_append(&names, "", 1);
    }
    for (size_t i = 0; i < row->n; i++)
        reading->cells[i] = (char *)names.data + starts[i];
    reading->stopped = !reading->listener->header(reading->owner, row);
    buf_release(&names);
}

static const char *row_trouble(const struct reading *reading, const struct csv_row *row)
{
    if (reading->too_long)
        return "too-long";
    if (reading->nul || !text_is_utf8((const char *)row->text.data, row->text.len))
        return "encoding";
    return reading->header_n != 0 && row->n != reading->header_n ? "columns" : NULL;
}

static void row_told(struct reading *reading, const char *trouble, size_t end)
{
    for (size_t i = 0; i < reading->n; i++)
        reading->cells[i] = (char *)reading->bytes.data + reading->offsets[i];
    struct csv_row row = {.line = reading->row_line,
                          .n = reading->n,
                          .cells = (const char *const *)reading->cells,
                          .text = row_text(reading, end)};
    if (trouble == NULL)
        trouble = row_trouble(reading, &row);
    if (reading->header_n == 0 && trouble == NULL) {
        reading->header_n = row.n;
        name_header(reading, &row);
    } else if (trouble != NULL) {
        if (reading->header_n == 0)
            reading->stopped = true;
        reading->listener->bad(reading->owner, &row, trouble);
    } else {
        reading->listener->row(reading->owner, &row);
    }
}

static void row_begin(struct reading *reading, size_t line, size_t at)
{
    reading->row_line = line;
    reading->row_at = at;
    reading->n = 0;
    reading->too_long = reading->nul = false;
    buf_reset(&reading->bytes);
}

static void on_row(int end_char, void *owner)
{
    struct reading *reading = owner;
    (void)end_char;
    if (!reading->stopped)
        row_told(reading, NULL, reading->line_end);
    row_begin(reading, reading->line + 1, reading->line_end);
    reading->open = false;
}

static size_t line_end_after(struct bytes text, size_t at)
{
    const uint8_t *newline = memchr(text.data + at, '\n', text.len - at);
    return newline != NULL ? (size_t)(newline - text.data) + 1 : text.len;
}

/* A quote that is never closed would swallow the rest of the file: the row it stands in is bad, and
 * reading goes on at the next line. True: moved back. */
static bool quote_recovered(struct reading *reading, struct csv_parser *parser, bool at_end)
{
    size_t length = reading->line_end - reading->row_at, lines = reading->line - reading->row_line;
    if (!reading->open || !(at_end || length > CSV_ROW_BYTES_MAX || lines > CSV_ROW_LINES_MAX))
        return false;
    if (length == 0)
        return false;
    size_t first_end = line_end_after(reading->text, reading->row_at), line = reading->row_line;
    row_told(reading, "quote", first_end);
    unsigned char delimiter = csv_get_delim(parser);
    csv_free(parser);
    csv_init(parser, CSV_APPEND_NULL);
    csv_set_delim(parser, delimiter);
    reading->at = first_end;
    reading->line = line + 1;
    row_begin(reading, reading->line, reading->at);
    reading->open = false;
    return true;
}

static void line_feed(struct reading *reading, struct csv_parser *parser)
{
    reading->line_end = line_end_after(reading->text, reading->at);
    bool blank = true;
    for (size_t i = reading->at; blank && i < reading->line_end; i++)
        blank = reading->text.data[i] == '\n' || reading->text.data[i] == '\r';
    if (blank && !reading->open) {
        row_begin(reading, reading->line + 1, reading->line_end);
    } else {
        reading->open = true;
        csv_parse(parser, reading->text.data + reading->at, reading->line_end - reading->at,
                  on_cell, on_row, reading);
    }
    if (quote_recovered(reading, parser, false))
        return;
    reading->line++;
    reading->at = reading->line_end;
}

bool csv_parse_text(struct bytes text, char delimiter, const struct csv_listener *listener,
                    void *owner)
{
    struct reading *reading = memory_new(sizeof(*reading));
    *reading = (struct reading){
        .listener = listener, .owner = owner, .text = text, .line = 1, .row_line = 1};
    struct csv_parser parser;
    csv_init(&parser, CSV_APPEND_NULL);
    csv_set_delim(&parser, (unsigned char)delimiter);
    do {
        while (reading->at < text.len && !reading->stopped)
            line_feed(reading, &parser);
        /* A last line without a newline is a row; an open quote at the end is not. */
        if (reading->open && !reading->stopped &&
            reading->text.data[reading->text.len - 1] != '\n') {
            reading->line--;
            csv_set_opts(&parser, CSV_APPEND_NULL | CSV_STRICT | CSV_STRICT_FINI);
            csv_fini(&parser, on_cell, on_row, reading);
            reading->line++;
        }
    } while (!reading->stopped && quote_recovered(reading, &parser, true));
    csv_free(&parser);
    bool read = reading->header_n != 0 && !reading->stopped;
    buf_release(&reading->bytes);
    free(reading);
    return read;
}

void csv_print_cell(struct buf *out, const char *text, size_t n)
{
    bool quote = false;
    for (size_t i = 0; i < n; i++)
        quote = quote || text[i] == '"' || text[i] == ',' || text[i] == '\n' || text[i] == '\r';
    if (!quote) {
        buf_append(out, text, n);
        return;
    }
    buf_append(out, "\"", 1);
    for (size_t i = 0; i < n; i++) {
        if (text[i] == '"')
            buf_append(out, "\"", 1);
        buf_append(out, text + i, 1);
    }
    buf_append(out, "\"", 1);
}
