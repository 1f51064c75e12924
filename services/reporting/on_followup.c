/* followup.*: the callbacks of a ticket. */
#include "proto/followup.h"
#include "line.h"
#include "on.h"
#include <string.h>

static struct ticket_callback *find(struct ticket_row *row, int64_t k)
{
    for (uint32_t i = 0; i < row->callbacks_n; i++)
        if (row->callbacks[i].k == k)
            return &row->callbacks[i];
    return NULL;
}

static struct ticket_callback *add(struct ticket_row *row, int64_t k)
{
    if (row->callbacks_n == TICKET_CALLBACKS_MAX) {
        row->callbacks_n--;
        memmove(&row->callbacks[0], &row->callbacks[1], row->callbacks_n * sizeof(row->callbacks[0]));
    }
    struct ticket_callback *callback = &row->callbacks[row->callbacks_n++];
    *callback = (struct ticket_callback){.k = k, .state = CALLBACK_DUE};
    return callback;
}

bool reporting_on_followup_due(struct tables *tables, const struct event *e, const void *data)
{
    const struct followup_due *d = data;
    struct line line = line_of(tables, e);
    if (line.row == NULL)
        return true;
    struct ticket_callback *callback = find(line.row, d->k);
    if (callback == NULL)
        callback = add(line.row, d->k);
    callback->due_us = d->due_us;
    return line_settle(tables, e, &line);
}

/* k 0: the one of the present resolution, which may be asked before its day. */
static struct ticket_callback *recorded(const struct tables *tables, const struct event *e, struct ticket_row *row,
                                        int64_t k)
{
    int64_t present = ticket_row_resolution(row);
    if (k == 0)
        k = present;
    struct ticket_callback *callback = find(row, k);
    if (callback != NULL || k == 0 || k != present || row->state != TICKET_RESOLVED)
        return callback;
    callback = add(row, k);
    callback->due_us = line_instant_us(tables, e, row);
    return callback;
}

bool reporting_on_followup_recorded(struct tables *tables, const struct event *e, const void *data)
{
    const struct followup_recorded *d = data;
    struct line line = line_of(tables, e);
    if (line.row == NULL || !d->reached)
        return true;
    struct ticket_callback *callback = recorded(tables, e, line.row, d->k);
    if (callback == NULL || callback->state != CALLBACK_DUE)
        return true;
    callback->state = CALLBACK_RECORDED;
    callback->satisfaction = d->satisfaction;
    return line_settle(tables, e, &line);
}

bool reporting_on_followup_missed(struct tables *tables, const struct event *e, const void *data)
{
    const struct followup_missed *d = data;
    struct line line = line_of(tables, e);
    struct ticket_callback *callback = line.row != NULL ? find(line.row, d->k) : NULL;
    if (callback == NULL || callback->state != CALLBACK_DUE)
        return true;
    callback->state = CALLBACK_MISSED;
    return line_settle(tables, e, &line);
}
