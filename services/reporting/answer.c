#include "answer.h"
#include "base/digest.h"
#include "base/text.h"
#include "monthly.h"
#include "proto/questions.h"
#include "render.h"
#include <assert.h>

static void add_line(void *owner, const struct ticket_row *row)
{
    month_add(owner, row);
}

static enum status figures_load(struct pg *pg, const struct period_row *period, struct figures **figures)
{
    int64_t adjusted = 0;
    struct month *month = month_new(period);
    enum status status = period_lines(pg, period, add_line, month);
    if (status == STATUS_OK)
        status = period_adjusted(pg, period, &adjusted);
    if (status == STATUS_OK)
        *figures = month_figures(month, adjusted);
    month_destroy(&month);
    return status;
}

static void name_print(const struct report_args *asked, const struct render_format *format, char out[120])
{
    text_format(out, 120, "%s-%s.%s", asked->report, asked->period, format->suffix);
}

/* The list's row, or with `piece` the part of the file that was asked for. */
static void row_append(const struct record *record, const struct report_args *asked, const struct period_row *period,
                       const struct render_format *format, const struct buf *file, bool piece, struct buf *rows)
{
    struct report_row row;
    record_clear(record, &row);
    name_print(asked, format, row.name);
    text_copy(row.media, sizeof(row.media), format->media);
    row.pos = period->pos;
    row.bytes = (int64_t)file->len;
    digest_of(buf_bytes(file), row.sha256);
    if (piece) {
        size_t from = (size_t)asked->offset, left = file->len - from;
        row.offset = asked->offset;
        row.part = bytes_of(file->data + from, left < REPORT_PART_BYTES ? left : REPORT_PART_BYTES);
    }
    record_encode(record, RECORD_WHOLE, &row, rows);
}

static enum status rows_append(const struct report_args *asked, const struct period_row *period,
                               const struct figures *figures, const char *after, struct buf *rows, size_t *rows_n,
                               struct problem *problem)
{
    const struct record *record = question_find("reporting", "report")->row;
    const struct render_format *format;
    char name[120];
    bool known = false;
    assert(record != NULL);
    for (size_t i = 0; (format = render_format_at(i)) != NULL; i++) {
        name_print(asked, format, name);
        bool piece = asked->name[0] != '\0';
        if (piece && !text_equal(asked->name, name))
            continue;
        known = true;
        /* The list is one page: there is nothing behind it. */
        if (!piece && after[0] != '\0')
            continue;
        struct buf file = {0};
        enum status status = format->render(figures, &file);
        if (status == STATUS_OK && (!piece || (asked->offset >= 0 && (size_t)asked->offset < file.len))) {
            row_append(record, asked, period, format, &file, piece, rows);
            ++*rows_n;
        }
        buf_release(&file);
        if (status != STATUS_OK) {
            problem_set(problem, "unavailable", "", "no room for a temporary file");
            return STATUS_REFUSED;
        }
    }
    if (known)
        return STATUS_OK;
    problem_set(problem, "absent", "name", "no such file: %.80s", asked->name);
    return STATUS_REFUSED;
}

enum status reporting_answer_report(struct pg *pg, const struct record *args_record, const void *args, int64_t limit,
                                    const char *after, struct buf *rows, size_t *rows_n, bool *more,
                                    struct problem *problem)
{
    (void)args_record, (void)limit;
    const struct report_args *asked = args;
    struct period_row period;
    char key[sizeof(asked->report) + sizeof(asked->period)];
    *more = false;
    if (!text_equal(asked->report, "monthly")) {
        problem_set(problem, "absent", "report", "no such report: %s", asked->report);
        return STATUS_REFUSED;
    }
    text_format(key, sizeof(key), "%s.%s", asked->report, asked->period);
    enum status status = period_load(pg, key, &period);
    if (status == STATUS_ABSENT) {
        problem_set(problem, "not-closed", "period", "%s is not closed", asked->period);
        return STATUS_REFUSED;
    }
    struct figures *figures = NULL;
    if (status == STATUS_OK)
        status = figures_load(pg, &period, &figures);
    if (status == STATUS_OK)
        status = rows_append(asked, &period, figures, after, rows, rows_n, problem);
    figures_destroy(&figures);
    return status;
}
