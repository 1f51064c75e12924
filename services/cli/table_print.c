#include "table_print.h"
#include "base/text.h"
#include <assert.h>
#include <string.h>

#define CELL_COLUMNS_MAX 60
#define COLUMNS_MAX      40

void sheet_init(struct sheet *sheet, size_t columns)
{
    assert(columns > 0 && columns <= COLUMNS_MAX);
    *sheet = (struct sheet){.columns = columns};
}

void sheet_release(struct sheet *sheet)
{
    buf_release(&sheet->texts);
}

size_t sheet_rows(const struct sheet *sheet)
{
    size_t rows = sheet->cells / sheet->columns;
    return rows > 0 ? rows - 1 : 0;
}

/* The longest prefix that takes at most `columns`. */
static size_t prefix_within(const char *text, size_t columns)
{
    char part[4 * CELL_COLUMNS_MAX + 8];
    size_t n = 0, len = strlen(text);
    while (n < len) {
        size_t next = n + 1;
        while (next < len && ((unsigned char)text[next] & 0xc0) == 0x80)
            next++;
        if (next >= sizeof(part))
            break;
        memcpy(part, text, next);
        part[next] = '\0';
        if (text_columns(part) > columns)
            break;
        n = next;
    }
    return n;
}

void sheet_cell(struct sheet *sheet, const char *text)
{
    char cut[4 * CELL_COLUMNS_MAX + 8];
    if (text_columns(text) > CELL_COLUMNS_MAX) {
        text_format(cut, sizeof(cut), "%.*s…", (int)prefix_within(text, CELL_COLUMNS_MAX - 1),
                    text);
        text = cut;
    }
    sheet_cell_whole(sheet, text);
}

void sheet_cell_whole(struct sheet *sheet, const char *text)
{
    struct buf *texts = &sheet->texts;
    size_t start = texts->len;
    buf_append_text(texts, text);
    for (size_t i = start; i < texts->len; i++)
        if (texts->data[i] < 0x20)
            texts->data[i] = ' ';
    buf_append(texts, "", 1);
    sheet->cells++;
}

static bool is_number(const char *text)
{
    size_t sign = *text == '-' || *text == '+';
    size_t digits = strspn(text + sign, "0123456789.,%");
    return digits > 0 && text[digits + sign] == '\0';
}

struct layout {
    size_t width[COLUMNS_MAX];
    bool right[COLUMNS_MAX];
};

static void layout_of(const struct sheet *sheet, struct layout *layout)
{
    size_t numbers[COLUMNS_MAX] = {0}, words[COLUMNS_MAX] = {0};
    const char *text = (const char *)sheet->texts.data;
    memset(layout, 0, sizeof(*layout));
    for (size_t i = 0; i < sheet->cells; i++, text += strlen(text) + 1) {
        size_t column = i % sheet->columns, columns = text_columns(text);
        if (columns > layout->width[column])
            layout->width[column] = columns;
        if (i >= sheet->columns && *text != '\0') {
            if (is_number(text))
                numbers[column]++;
            else
                words[column]++;
        }
    }
    for (size_t i = 0; i < sheet->columns; i++)
        layout->right[i] = numbers[i] > 0 && words[i] == 0;
}

static void blanks(struct buf *out, size_t n)
{
    for (size_t i = 0; i < n; i++)
        buf_append(out, " ", 1);
}

void sheet_print(const struct sheet *sheet, bool colour, struct buf *out)
{
    if (sheet->cells == 0)
        return;
    struct layout layout;
    layout_of(sheet, &layout);
    const char *text = (const char *)sheet->texts.data;
    for (size_t i = 0; i < sheet->cells; i++, text += strlen(text) + 1) {
        size_t column = i % sheet->columns;
        bool title = i < sheet->columns, last = column + 1 == sheet->columns;
        size_t fill = layout.width[column] - text_columns(text);
        if (title && column == 0 && colour)
            buf_append_text(out, "\033[1m");
        if (layout.right[column])
            blanks(out, fill);
        buf_append_text(out, text);
        if (!layout.right[column] && !last)
            blanks(out, fill);
        if (!last)
            blanks(out, 2);
        if (title && last && colour)
            buf_append_text(out, "\033[0m");
        if (last)
            buf_append(out, "\n", 1);
    }
}
