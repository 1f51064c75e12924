/* A report's content: tables of whole numbers with titles, and what chart shows each. What is rendered is made from this alone. */
#ifndef AFTERCARE_REPORTING_FIGURES_H
#define AFTERCARE_REPORTING_FIGURES_H

#include <stddef.h>
#include <stdint.h>

enum figure_unit { FIGURE_COUNT, FIGURE_SECONDS, FIGURE_PERMILLE, FIGURE_CENTS /* hundredths */ };
enum figure_chart { CHART_NONE, CHART_BARS, CHART_LINES, CHART_STACK };

#define FIGURE_COLUMNS_MAX 8
#define FIGURE_TABLES_MAX 12
#define FIGURE_LABEL_CAP 96
#define FIGURE_NOTHING INT64_MIN /* there is no such figure: no median of nothing */

struct figure_column {
    const char *id, *en, *zh;
    enum figure_unit unit;
};
struct figure_row {
    char label[FIGURE_LABEL_CAP]; /* of the data; "" is shown as a dash */
    const char *zh;               /* a fixed label's Chinese; NULL: the label is data */
    enum figure_unit unit;        /* of the whole row, where the table mixes units */
    int headline;                 /* its first value is shown large above everything */
    int64_t values[FIGURE_COLUMNS_MAX];
};
struct figure_table {
    const char *id, *en, *zh;
    const char *label_en, *label_zh; /* of the first column */
    struct figure_column columns[FIGURE_COLUMNS_MAX];
    size_t columns_n;
    struct figure_row *rows;
    size_t rows_n;
    enum figure_chart chart;
    size_t chart_from, chart_n; /* columns that it shows */
    int mixed;                  /* units stand in the rows */
};
struct figures {
    const char *title_en, *title_zh;
    char report[32], period[8], zone[48];
    int64_t pos, closed_us; /* the cut-off */
    struct figure_table tables[FIGURE_TABLES_MAX];
    size_t tables_n;
};
void figures_destroy(struct figures **);

/* "11,204", "04:12 h", "3 d 04:12 h", "98.5 %", "4.25"; "–" for nothing. */
#define FIGURE_TEXT_MAX 32
void figure_print(int64_t value, enum figure_unit, char out[FIGURE_TEXT_MAX]);
/* "Tickets opened 登记工单", the label of the data, or a dash. */
#define FIGURE_TITLE_MAX 200
void figure_label_print(const struct figure_row *, char out[FIGURE_TITLE_MAX]);
enum figure_unit figure_unit_at(const struct figure_table *, size_t row, size_t column);
/* The unit of the values in a chart, for its axis. */
enum figure_unit figure_chart_unit(const struct figure_table *);
/* A chart of nothing but zeros shows nothing: false. */
int figure_chart_says(const struct figure_table *);

#endif
