#include "figures.h"
#include "base/text.h"
#include <inttypes.h>
#include <stdlib.h>

void figures_destroy(struct figures **self)
{
    if (*self == NULL)
        return;
    for (size_t i = 0; i < (*self)->tables_n; i++)
        free((*self)->tables[i].rows);
    free(*self);
    *self = NULL;
}

static void count_print(int64_t value, char out[FIGURE_TEXT_MAX])
{
    char digits[FIGURE_TEXT_MAX];
    size_t n = 0, at = 0;
    text_format(digits, sizeof(digits), "%" PRId64, value < 0 ? -value : value);
    while (digits[n] != '\0')
        n++;
    if (value < 0)
        out[at++] = '-';
    for (size_t i = 0; i < n; i++) {
        if (i > 0 && (n - i) % 3 == 0)
            out[at++] = ',';
        out[at++] = digits[i];
    }
    out[at] = '\0';
}

void figure_print(int64_t value, enum figure_unit unit, char out[FIGURE_TEXT_MAX])
{
    if (value == FIGURE_NOTHING) {
        text_format(out, FIGURE_TEXT_MAX, "–");
        return;
    }
    switch (unit) {
    case FIGURE_COUNT:
        count_print(value, out);
        break;
    case FIGURE_SECONDS:
        if (value >= 86400)
            text_format(out, FIGURE_TEXT_MAX, "%" PRId64 " d %02d:%02d h", value / 86400,
                        (int)(value % 86400 / 3600), (int)(value % 3600 / 60));
        else
            text_format(out, FIGURE_TEXT_MAX, "%02d:%02d h", (int)(value / 3600), (int)(value % 3600 / 60));
        break;
    case FIGURE_PERMILLE:
        text_format(out, FIGURE_TEXT_MAX, "%" PRId64 ".%d %%", value / 10, (int)(value % 10));
        break;
    case FIGURE_CENTS:
        text_format(out, FIGURE_TEXT_MAX, "%" PRId64 ".%02d", value / 100, (int)(value % 100));
        break;
    }
}

void figure_label_print(const struct figure_row *row, char out[FIGURE_TITLE_MAX])
{
    if (row->zh != NULL)
        text_format(out, FIGURE_TITLE_MAX, "%s %s", row->label, row->zh);
    else
        text_copy(out, FIGURE_TITLE_MAX, row->label[0] != '\0' ? row->label : "–");
}

enum figure_unit figure_unit_at(const struct figure_table *table, size_t row, size_t column)
{
    return table->mixed ? table->rows[row].unit : table->columns[column].unit;
}

enum figure_unit figure_chart_unit(const struct figure_table *table)
{
    return table->columns[table->chart_from].unit;
}

int figure_chart_says(const struct figure_table *table)
{
    if (table->chart == CHART_NONE)
        return 0;
    for (size_t r = 0; r < table->rows_n; r++)
        for (size_t s = 0; s < table->chart_n; s++)
            if (table->rows[r].values[table->chart_from + s] > 0)
                return 1;
    return 0;
}
