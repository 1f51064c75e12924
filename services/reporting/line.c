#include "line.h"
#include "base/text.h"
#include "policy/due.h"
#include "worker/reference.h"
#include <assert.h>
#include <string.h>

struct line line_of(struct tables *tables, const struct event *e)
{
    struct line line = {.row = table_change(tables, TABLE_TICKET, e->key)};
    if (line.row != NULL)
        line.before = *line.row;
    return line;
}

struct line line_new(struct tables *tables, const struct event *e)
{
    struct line line = {.row = table_new(tables, TABLE_TICKET, e->key)};
    line.row->open = true;
    return line;
}

static void freeze(struct tables *tables, const struct event *e, const struct period_row *period,
                   const char *id, const struct ticket_row *was)
{
    struct frozen_row *frozen = table_new(tables, TABLE_FROZEN, id);
    text_copy(frozen->period, sizeof(frozen->period), period->key);
    text_copy(frozen->ticket, sizeof(frozen->ticket), e->key);
    frozen->pos = (int64_t)e->pos;
    frozen->absent = was == NULL;
    if (was == NULL)
        return;
    struct buf image = {0};
    record_encode(&ticket_row_record, RECORD_WHOLE, was, &image);
    assert(image.len <= sizeof(frozen->image.data));
    memcpy(frozen->image.data, image.data, image.len);
    frozen->image.len = (uint32_t)image.len;
    buf_release(&image);
}

/* A line that was in the period at any moment after the cut-off has its image already: it was made when it changed
 * first, or when it came in. So only a line that comes in later than its first change has to be looked up. */
static void freeze_for(struct tables *tables, const struct event *e, const struct period_row *period,
                       const struct line *line)
{
    bool fresh = line->before.key[0] == '\0';
    bool was = !fresh && ticket_row_touches(&line->before, period->from_us, period->to_us);
    bool is = ticket_row_touches(line->row, period->from_us, period->to_us);
    if (!was && !is)
        return;
    bool first = fresh || line->before.changed_pos <= period->pos;
    if (!first && was)
        return;
    char id[sizeof(((struct frozen_row *)0)->id)];
    text_format(id, sizeof(id), "%s/%s", period->key, e->key);
    if (!first && table_get(tables, TABLE_FROZEN, id) != NULL)
        return;
    freeze(tables, e, period, id, was ? &line->before : NULL);
}

bool line_settle(struct tables *tables, const struct event *e, struct line *line)
{
    ticket_row_derive(line->row);
    const struct period_row *period = table_first(tables, TABLE_PERIOD, PERIODS_BY_START, NULL);
    for (; period != NULL; period = table_next(tables, TABLE_PERIOD, PERIODS_BY_START, period))
        freeze_for(tables, e, period, line);
    line->row->changed_pos = (int64_t)e->pos;
    return true;
}

int64_t line_instant_us(const struct tables *tables, const struct event *e, const struct ticket_row *row)
{
    static const struct policy no_policy;
    const struct policy *policy = reference_policy(tables, row->policy);
    return policy_fact_us(policy != NULL ? policy : &no_policy, e->at_us, e->rec_us, row->opened_us);
}
