/* A workbook: one sheet per table, its chart beside it; the first shows those of days and limits too. The instant of the cut-off is its creation time, so that its bytes
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

enum { HEAD_ROW = 3, CHART_ROWS_MAX = 15 };

static void colour_series(lxw_chart_series *series, enum figure_chart kind, size_t s)
{
    static const lxw_color_t bars[] = {0x2A6FBB, 0xE0892B, 0x7A8794}, stack[] = {0x3A8F4A, 0xE0B52B, 0xC0392B};
    lxw_color_t colour = kind == CHART_STACK ? stack[s % COUNT_OF(stack)] : bars[s % COUNT_OF(bars)];
    lxw_chart_fill fill = {.color = colour};
    lxw_chart_line line = {.color = colour, .width = 2};
    if (kind == CHART_LINES)
        chart_series_set_line(series, &line);
    else
        chart_series_set_fill(series, &fill);
}

/* Bars lie on their sides: the library's y axis is the one of the names then. */
static void set_axes(lxw_chart *chart, const struct figure_table *table)
{
    static const char *const formats[] = {[FIGURE_COUNT] = "#,##0", [FIGURE_SECONDS] = "[h]", [FIGURE_PERMILLE] = "0%",
                                          [FIGURE_CENTS] = "0.0"};
    static const char *const names[] = {[FIGURE_COUNT] = "number 件数", [FIGURE_SECONDS] = "hours 小时",
                                        [FIGURE_PERMILLE] = "share 比例", [FIGURE_CENTS] = "score 分"};
    bool lying = table->chart != CHART_LINES;
    lxw_chart_axis *values = lying ? chart->x_axis : chart->y_axis;
    enum figure_unit unit = figure_chart_unit(table);
    lxw_chart_line grid = {.color = 0xDDE3EA};
    if (lying)
        chart_axis_set_reverse(chart->y_axis);
    chart_axis_set_num_format(values, formats[unit]);
    chart_axis_set_name(values, names[unit]);
    chart_axis_set_min(values, 0);
    chart_axis_major_gridlines_set_visible(values, LXW_TRUE);
    chart_axis_major_gridlines_set_line(values, &grid);
    if (lying)
        chart_axis_set_label_position(values, LXW_CHART_AXIS_LABEL_POSITION_HIGH);
    else
        chart_axis_set_interval_unit(chart->x_axis, 7);
}

static void add_chart(lxw_workbook *book, lxw_worksheet *sheet, lxw_row_t row, lxw_col_t col,
                      const struct figure_table *table)
{
    const char *name = table->id;
    if (!figure_chart_says(table))
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
        colour_series(series, table->chart, s);
    }
    text_format(title, sizeof(title), "%s %s", table->en, table->zh);
    chart_title_set_name(chart, title);
    set_axes(chart, table);
    chart_legend_set_position(chart, LXW_CHART_LEGEND_BOTTOM);
    lxw_chart_options place = {.x_scale = 1.6, .y_scale = rows_n > 8 && table->chart != CHART_LINES ? 1.8 : 1.1};
    worksheet_insert_chart_opt(sheet, row, col, chart, &place);
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

static lxw_worksheet *add_sheet(lxw_workbook *book, const struct figures *figures, const struct figure_table *table,
                      const struct sheet_formats *formats)
{
    lxw_worksheet *sheet = workbook_add_worksheet(book, table->id);
    char text[FIGURE_TITLE_MAX];
    text_format(text, sizeof(text), "%s %s", table->en, table->zh);
    worksheet_write_string(sheet, 0, 0, text, formats->title);
    text_format(text, sizeof(text), "%s %s · %s", figures->title_en, figures->title_zh, figures->period);
    worksheet_write_string(sheet, 1, 0, text, NULL);
    worksheet_set_column(sheet, 0, 0, 54, NULL);
    worksheet_set_column(sheet, 1, FIGURE_COLUMNS_MAX, 14, NULL);
    text_format(text, sizeof(text), "%s %s", table->label_en, table->label_zh);
    worksheet_write_string(sheet, HEAD_ROW, 0, text, formats->head);
    for (size_t c = 0; c < table->columns_n; c++) {
        text_format(text, sizeof(text), "%s %s", table->columns[c].en, table->columns[c].zh);
        worksheet_write_string(sheet, HEAD_ROW, (lxw_col_t)(c + 1), text, formats->head);
    }
    worksheet_set_row(sheet, HEAD_ROW, 32, NULL);
    worksheet_repeat_rows(sheet, HEAD_ROW, HEAD_ROW);
    write_rows(sheet, table, formats);
    worksheet_freeze_panes(sheet, HEAD_ROW + 1, 1);
    worksheet_set_landscape(sheet);
    worksheet_set_paper(sheet, 9); /* A4 */
    worksheet_fit_to_pages(sheet, 1, 0);
    add_chart(book, sheet, HEAD_ROW, (lxw_col_t)(table->columns_n + 2), table);
    return sheet;
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
    lxw_worksheet *first = NULL;
    for (size_t t = 0; t < figures->tables_n; t++) {
        lxw_worksheet *sheet = add_sheet(book, figures, &figures->tables[t], &formats);
        first = first != NULL ? first : sheet;
    }
    /* Who opens the book sees how the month went before turning a page. */
    lxw_row_t row = HEAD_ROW;
    for (size_t t = 1; first != NULL && t < figures->tables_n; t++) {
        const struct figure_table *table = &figures->tables[t];
        if ((table->chart != CHART_LINES && table->chart != CHART_STACK) || !figure_chart_says(table))
            continue;
        add_chart(book, first, row, 3, table);
        row += 18;
    }
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
