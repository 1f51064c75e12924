/* Charts as SVG in whole numbers. Bars and stacks lie on their sides, so that long names stay readable. */
#include "base/text.h"
#include "render.h"
#include <inttypes.h>
#include <string.h>

enum { WIDTH = 900, LABEL = 250, PLOT = 560, ROW = 22, BAR = 13, GAP = 7, TOP = 30, ROWS_MAX = 15, LINES_HEIGHT = 220 };

static const char *const bar_colours[] = {"#2a6fbb", "#e0892b", "#7a8794"};
static const char *const stack_colours[] = {"#3a8f4a", "#e0b52b", "#c0392b"};

static int64_t shown(int64_t value)
{
    return value == FIGURE_NOTHING || value < 0 ? 0 : value;
}

static size_t rows_of(const struct figure_table *table)
{
    return table->chart != CHART_LINES && table->rows_n > ROWS_MAX ? ROWS_MAX : table->rows_n;
}

/* The next of 4, 8, 10, 20, 40, 60, 80, 100, 200 …: a quarter of it can be read. */
static int64_t rounded_up(int64_t most)
{
    static const int64_t steps[] = {10, 20, 40, 60, 80};
    if (most <= 8)
        return most <= 4 ? 4 : 8;
    for (int64_t power = 1;; power *= 10)
        for (size_t i = 0; i < COUNT_OF(steps); i++)
            if (steps[i] * power >= most)
                return steps[i] * power;
}

/* What fills the plot's whole extent: the largest value, or for a stack the largest sum. At least 1. */
static int64_t scale_of(const struct figure_table *table)
{
    int64_t most = 1;
    for (size_t r = 0; r < rows_of(table); r++) {
        int64_t sum = 0;
        for (size_t s = 0; s < table->chart_n; s++) {
            int64_t value = shown(table->rows[r].values[table->chart_from + s]);
            sum = table->chart == CHART_STACK ? sum + value : value > sum ? value : sum;
        }
        most = sum > most ? sum : most;
    }
    return most;
}

static const char *colour(const struct figure_table *table, size_t series)
{
    return table->chart == CHART_STACK ? stack_colours[series % COUNT_OF(stack_colours)]
                                       : bar_colours[series % COUNT_OF(bar_colours)];
}

static void text_at(int64_t x, int64_t y, const char *anchor, const char *text, struct buf *out)
{
    buf_append_format(out, "<text x=\"%" PRId64 "\" y=\"%" PRId64 "\" text-anchor=\"%s\">", x, y, anchor);
    render_escape(text, out);
    buf_append_text(out, "</text>\n");
}

static void rectangle(int64_t x, int64_t y, int64_t width, int64_t height, const char *fill, struct buf *out)
{
    buf_append_format(out,
                      "<rect x=\"%" PRId64 "\" y=\"%" PRId64 "\" width=\"%" PRId64 "\" height=\"%" PRId64 "\" fill=\"%s\"/>\n",
                      x, y, width, height, fill);
}

static void legend(const struct figure_table *table, struct buf *out)
{
    for (size_t s = 0; s < table->chart_n; s++) {
        const struct figure_column *column = &table->columns[table->chart_from + s];
        char text[FIGURE_TITLE_MAX];
        text_format(text, sizeof(text), "%s %s", column->en, column->zh);
        int64_t x = LABEL + (int64_t)s * 190;
        rectangle(x, 8, 12, 12, colour(table, s), out);
        text_at(x + 18, 18, "start", text, out);
    }
}

/* Each bar has room for its own figure. */
static int64_t row_height(const struct figure_table *table)
{
    return table->chart == CHART_BARS ? BAR * (int64_t)table->chart_n + GAP : ROW;
}

static void bars(const struct figure_table *table, size_t r, int64_t y, int64_t scale, struct buf *out)
{
    for (size_t s = 0; s < table->chart_n; s++) {
        int64_t figure = table->rows[r].values[table->chart_from + s], end = LABEL + shown(figure) * PLOT / scale;
        char text[FIGURE_TEXT_MAX];
        rectangle(LABEL, y, end - LABEL, BAR - 1, colour(table, s), out);
        figure_print(figure, figure_unit_at(table, r, table->chart_from + s), text);
        text_at(end + 6, y + BAR - 3, "start", text, out);
        y += BAR;
    }
}

static void stack(const struct figure_table *table, size_t r, int64_t y, int64_t scale, struct buf *out)
{
    int64_t sum = 0;
    for (size_t s = 0; s < table->chart_n; s++) {
        int64_t value = shown(table->rows[r].values[table->chart_from + s]);
        int64_t from = sum * PLOT / scale, to = (sum + value) * PLOT / scale;
        rectangle(LABEL + from, y, to - from, ROW - 6, colour(table, s), out);
        sum += value;
    }
    char text[FIGURE_TEXT_MAX];
    figure_print(sum, FIGURE_COUNT, text);
    text_at(LABEL + sum * PLOT / scale + 6, y + 12, "start", text, out);
}

static void lying(const struct figure_table *table, struct buf *out)
{
    int64_t scale = scale_of(table);
    for (size_t r = 0; r < rows_of(table); r++) {
        int64_t y = TOP + (int64_t)r * row_height(table);
        char label[FIGURE_TITLE_MAX], cut[40];
        figure_label_print(&table->rows[r], label);
        if (!text_copy(cut, sizeof(cut) - strlen("…"), label))
            memcpy(cut + strlen(cut), "…", sizeof("…"));
        text_at(LABEL - 8, y + (row_height(table) - GAP) / 2 + 4, "end", cut, out);
        if (table->chart == CHART_STACK)
            stack(table, r, y, scale, out);
        else
            bars(table, r, y, scale, out);
    }
}

static void lines(const struct figure_table *table, struct buf *out)
{
    int64_t scale = rounded_up(scale_of(table)), n = (int64_t)table->rows_n;
    int64_t left = 60, width = WIDTH - left - 20, bottom = TOP + LINES_HEIGHT;
    char text[FIGURE_TEXT_MAX];
    for (int64_t part = 0; part <= 4; part++) {
        int64_t y = bottom - part * LINES_HEIGHT / 4;
        rectangle(left, y, width, 1, "#dde3ea", out);
        figure_print(scale * part / 4, FIGURE_COUNT, text);
        text_at(left - 6, y + 4, "end", text, out);
    }
    for (size_t s = 0; s < table->chart_n; s++) {
        buf_append_format(out, "<polyline fill=\"none\" stroke-width=\"2\" stroke=\"%s\" points=\"", colour(table, s));
        for (int64_t r = 0; r < n; r++)
            buf_append_format(out, "%" PRId64 ",%" PRId64 " ", left + (n > 1 ? r * width / (n - 1) : 0),
                              bottom - shown(table->rows[r].values[table->chart_from + s]) * LINES_HEIGHT / scale);
        buf_append_text(out, "\"/>\n");
    }
    /* A label a week; the first and last ones lie within the picture. */
    for (int64_t r = 0; r < n; r += 7)
        text_at(left + (n > 1 ? r * width / (n - 1) : 0), bottom + 16, r == 0 ? "start" : r + 1 == n ? "end" : "middle",
                table->rows[r].label, out);
}

void render_svg(const struct figure_table *table, struct buf *out)
{
    if (!figure_chart_says(table))
        return;
    int64_t height = table->chart == CHART_LINES ? TOP + LINES_HEIGHT + 24 : TOP + (int64_t)rows_of(table) * row_height(table) + 4;
    buf_append_format(out,
                      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %" PRId64
                      "\" role=\"img\" font-size=\"12\" font-family=\"inherit\">\n",
                      WIDTH, height);
    legend(table, out);
    if (table->chart == CHART_LINES)
        lines(table, out);
    else
        lying(table, out);
    buf_append_text(out, "</svg>\n");
}
