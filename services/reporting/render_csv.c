/* One line per figure, so that any program can pivot it: section, item, measure, unit, value. With a byte order mark, for
 * spreadsheets that would not take it for UTF-8 otherwise. */
#include "render.h"
#include <inttypes.h>
#include <string.h>

/* A spreadsheet takes a text that begins like a formula for one: such a text gets an apostrophe. */
static void cell(const char *text, struct buf *out)
{
    bool formula = text[0] != '\0' && strchr("=+-@\t\r", text[0]) != NULL;
    bool quoted = strpbrk(text, ",\"\r\n") != NULL;
    if (quoted)
        buf_append_text(out, "\"");
    if (formula)
        buf_append_text(out, "'");
    for (const char *at = text; *at != '\0'; at++)
        buf_append(out, *at == '"' ? "\"\"" : at, *at == '"' ? 2 : 1);
    if (quoted)
        buf_append_text(out, "\"");
}

static void value(int64_t number, enum figure_unit unit, struct buf *out)
{
    static const char *const words[] = {
        [FIGURE_COUNT] = "count", [FIGURE_SECONDS] = "seconds", [FIGURE_PERMILLE] = "percent", [FIGURE_CENTS] = "score"};
    buf_append_format(out, "%s,", words[unit]);
    if (number == FIGURE_NOTHING)
        return;
    if (unit == FIGURE_PERMILLE)
        buf_append_format(out, "%" PRId64 ".%d", number / 10, (int)(number % 10));
    else if (unit == FIGURE_CENTS)
        buf_append_format(out, "%" PRId64 ".%02d", number / 100, (int)(number % 100));
    else
        buf_append_format(out, "%" PRId64, number);
}

enum status render_csv(const struct figures *figures, struct buf *out)
{
    buf_append_text(out, "\xEF\xBB\xBFsection,item,measure,unit,value\r\n");
    for (size_t t = 0; t < figures->tables_n; t++) {
        const struct figure_table *table = &figures->tables[t];
        for (size_t r = 0; r < table->rows_n; r++) {
            for (size_t c = 0; c < table->columns_n; c++) {
                cell(table->id, out);
                buf_append_text(out, ",");
                cell(table->rows[r].label, out);
                buf_append_text(out, ",");
                cell(table->columns[c].id, out);
                buf_append_text(out, ",");
                value(table->rows[r].values[c], figure_unit_at(table, r, c), out);
                buf_append_text(out, "\r\n");
            }
        }
    }
    return STATUS_OK;
}
