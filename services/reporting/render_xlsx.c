/* A workbook: one sheet per table, its chart beside it. The instant of the cut-off is its creation time, so that its bytes
 * do not depend on when it is written. The library writes to a file only, hence the temporary one. */
#include "base/text.h"
#include "render.h"
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <xlsxwriter.h>

struct sheet_formats {
    lxw_format *title, *head, *label, *units[4];
};

static struct sheet_formats formats_of(lxw_workbook *book)
{
    struct sheet_formats formats = {
        .title = workbook_add_format(book), .head = workbook_add_format(book), .label = workbook_add_format(book)};
    static const char *const numbers[] = {[FIGURE_COUNT] = "#,##0", [FIGURE_SECONDS] = "[h]:mm",
                                          [FIGURE_PERMILLE] = "0.0%", [FIGURE_CENTS] = "0.00"};
    format_set_bold(formats.title);
    format_set_font_size(formats.title, 14);
    format_set_bold(formats.head);
    format_set_bottom(formats.head, LXW_BORDER_THIN);
    format_set_bg_color(formats.head, 0xEEF3F8);
    format_set_text_wrap(formats.head);
    for (size_t i = 0; i < COUNT_OF(numbers); i++) {
        formats.units[i] = workbook_add_format(book);
        format_set_num_format(formats.units[i], numbers[i]);
    }
    return formats;
}

static double number_of(int64_t value, enum figure_unit unit)
{
    switch (unit) {
    case FIGURE_SECONDS:
        return (double)value / 86400.0;
    case FIGURE_PERMILLE:
        return (double)value / 1000.0;
    case FIGURE_CENTS:
        return (double)value / 100.0;
    case FIGURE_COUNT:
        break;
    }
    return (double)value;
}

enum { HEAD_ROW = 3, CHART_ROWS_MAX = 25 };

static void add_chart(lxw_workbook *book, lxw_worksheet *sheet, const char *name, const struct figure_table *table)
{
    if (table->chart == CHART_NONE || table->rows_n == 0)
        return;
    static const uint8_t kinds[] = {
        [CHART_BARS] = LXW_CHART_BAR, [CHART_LINES] = LXW_CHART_LINE, [CHART_STACK] = LXW_CHART_BAR_STACKED};
    lxw_chart *chart = workbook_add_chart(book, kinds[table->chart]);
    size_t rows_n = table->chart != CHART_LINES && table->rows_n > CHART_ROWS_MAX ? CHART_ROWS_MAX : table->rows_n;
    lxw_row_t first = HEAD_ROW + 1, last = (lxw_row_t)(HEAD_ROW + rows_n);
    char title[FIGURE_TITLE_MAX];
    for (size_t s = 0; s < table->chart_n; s++) {
        lxw_col_t column = (lxw_col_t)(1 + table->chart_from + s);
        lxw_chart_series *series = chart_add_series(chart, NULL, NULL);
        chart_series_set_categories(series, name, first, 0, last, 0);
        chart_series_set_values(series, name, first, column, last, column);
        chart_series_set_name_range(series, name, HEAD_ROW, column);
    }
    text_format(title, sizeof(title), "%s %s", table->en, table->zh);
    chart_title_set_name(chart, title);
    if (table->chart != CHART_LINES)
        chart_axis_set_reverse(chart->x_axis);
    chart_legend_set_position(chart, LXW_CHART_LEGEND_BOTTOM);
    lxw_chart_options place = {.x_scale = 1.6, .y_scale = rows_n > 12 ? 2.0 : 1.4};
    worksheet_insert_chart_opt(sheet, HEAD_ROW, (lxw_col_t)(table->columns_n + 2), chart, &place);
}

static void write_rows(lxw_worksheet *sheet, const struct figure_table *table, const struct sheet_formats *formats)
{
    char text[FIGURE_TITLE_MAX];
    for (size_t r = 0; r < table->rows_n; r++) {
        lxw_row_t at = (lxw_row_t)(HEAD_ROW + 1 + r);
        figure_label_print(&table->rows[r], text);
        worksheet_write_string(sheet, at, 0, text, NULL);
        for (size_t c = 0; c < table->columns_n; c++) {
            int64_t value = table->rows[r].values[c];
            enum figure_unit unit = figure_unit_at(table, r, c);
            if (value != FIGURE_NOTHING)
                worksheet_write_number(sheet, at, (lxw_col_t)(c + 1), number_of(value, unit), formats->units[unit]);
        }
    }
}

static void add_sheet(lxw_workbook *book, const struct figures *figures, const struct figure_table *table,
                      const struct sheet_formats *formats)
{
    lxw_worksheet *sheet = workbook_add_worksheet(book, table->id);
    char text[FIGURE_TITLE_MAX];
    text_format(text, sizeof(text), "%s %s", table->en, table->zh);
    worksheet_write_string(sheet, 0, 0, text, formats->title);
    text_format(text, sizeof(text), "%s %s · %s", figures->title_en, figures->title_zh, figures->period);
    worksheet_write_string(sheet, 1, 0, text, NULL);
    worksheet_set_column(sheet, 0, 0, 38, NULL);
    worksheet_set_column(sheet, 1, FIGURE_COLUMNS_MAX, 14, NULL);
    text_format(text, sizeof(text), "%s %s", table->label_en, table->label_zh);
    worksheet_write_string(sheet, HEAD_ROW, 0, text, formats->head);
    for (size_t c = 0; c < table->columns_n; c++) {
        text_format(text, sizeof(text), "%s %s", table->columns[c].en, table->columns[c].zh);
        worksheet_write_string(sheet, HEAD_ROW, (lxw_col_t)(c + 1), text, formats->head);
    }
    write_rows(sheet, table, formats);
    worksheet_freeze_panes(sheet, HEAD_ROW + 1, 1);
    worksheet_set_landscape(sheet);
    worksheet_set_paper(sheet, 9); /* A4 */
    worksheet_fit_to_pages(sheet, 1, 0);
    add_chart(book, sheet, table->id, table);
}

static enum status write_book(const struct figures *figures, const char *path)
{
    lxw_workbook *book = workbook_new(path);
    if (book == NULL)
        return STATUS_AGAIN;
    char title[FIGURE_TITLE_MAX];
    char author[] = "aftercare";
    text_format(title, sizeof(title), "%s %s %s", figures->title_en, figures->title_zh, figures->period);
    lxw_doc_properties properties = {
        .title = title, .author = author, .created = (time_t)(figures->closed_us / 1000000)};
    workbook_set_properties(book, &properties);
    struct sheet_formats formats = formats_of(book);
    for (size_t t = 0; t < figures->tables_n; t++)
        add_sheet(book, figures, &figures->tables[t], &formats);
    return workbook_close(book) == LXW_NO_ERROR ? STATUS_OK : STATUS_AGAIN;
}

static enum status read_all(int fd, struct buf *out)
{
    for (;;) {
        uint8_t *room = buf_reserve(out, 65536);
        ssize_t n = read(fd, room, 65536);
        if (n < 0)
            return STATUS_AGAIN;
        if (n == 0)
            return STATUS_OK;
        out->len += (size_t)n;
    }
}

enum status render_xlsx(const struct figures *figures, struct buf *out)
{
    const char *folder = getenv("TMPDIR");
    char path[512];
    if (folder == NULL || folder[0] == '\0' || strlen(folder) > sizeof(path) - 32)
        folder = "/tmp";
    text_format(path, sizeof(path), "%s/aftercare-report-XXXXXX", folder);
    int fd = mkstemp(path);
    if (fd < 0)
        return STATUS_AGAIN;
    enum status status = write_book(figures, path);
    if (status == STATUS_OK)
        status = read_all(fd, out);
    close(fd);
    unlink(path);
    return status;
}
