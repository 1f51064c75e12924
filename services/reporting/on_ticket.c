/* ticket.*: the line opens, is put right, is resolved, closed, reopened. */
#include "proto/ticket.h"
#include "base/text.h"
#include "calendar/zone.h"
#include "line.h"
#include "on.h"
#include "policy/due.h"
#include "worker/reference.h"

static const struct zone *zone_of(const struct policy *policy)
{
    const struct zone *zone =
        policy != NULL && policy->zone[0] != '\0' ? zone_find(policy->zone) : NULL;
    return zone != NULL ? zone : zone_find("UTC");
}

static void month_print(const struct zone *zone, int64_t us, char out[8])
{
    struct local_time at = zone_local(zone, us);
    text_format(out, 8, "%04u-%02u", (unsigned)at.year % 10000U, (unsigned)at.month % 100U);
}

bool reporting_on_ticket_assessed(struct tables *tables, const struct event *e, const void *data)
{
    const struct ticket_assessed *d = data;
    struct line line = d->again ? line_of(tables, e) : line_new(tables, e);
    struct ticket_row *row = line.row;
    if (row == NULL)
        return true;
    text_copy(row->kind, sizeof(row->kind), d->kind);
    text_copy(row->channel, sizeof(row->channel), d->channel);
    text_copy(row->region, sizeof(row->region), d->region);
    text_copy(row->product, sizeof(row->product), d->product);
    text_copy(row->priority, sizeof(row->priority), d->priority);
    text_copy(row->coverage, sizeof(row->coverage), d->coverage);
    text_copy(row->repeat_of, sizeof(row->repeat_of), d->repeat_of);
    text_copy(row->policy, sizeof(row->policy), d->policy);
    row->opened_us = d->opened_us;
    month_print(zone_of(reference_policy(tables, d->policy)), d->opened_us, row->month);
    return line_settle(tables, e, &line);
}

bool reporting_on_ticket_reclassified(struct tables *tables, const struct event *e, const void *data)
{
    const struct ticket_reclassified *d = data;
    struct line line = line_of(tables, e);
    struct ticket_row *row = line.row;
    if (row == NULL)
        return true;
    if (d->kind[0] != '\0')
        text_copy(row->kind, sizeof(row->kind), d->kind);
    if (d->priority[0] != '\0')
        text_copy(row->priority, sizeof(row->priority), d->priority);
    if (d->region[0] != '\0')
        text_copy(row->region, sizeof(row->region), d->region);
    if (d->product[0] != '\0')
        text_copy(row->product, sizeof(row->product), d->product);
    return line_settle(tables, e, &line);
}

bool reporting_on_ticket_cancelled(struct tables *tables, const struct event *e, const void *data)
{
    (void)data;
    struct line line = line_of(tables, e);
    if (line.row == NULL || line.row->state >= TICKET_RESOLVED)
        return true;
    line.row->state = TICKET_CANCELLED;
    return line_settle(tables, e, &line);
}

bool reporting_on_ticket_resolved(struct tables *tables, const struct event *e, const void *data)
{
    const struct ticket_resolved *d = data;
    struct line line = line_of(tables, e);
    struct ticket_row *row = line.row;
    if (row == NULL || row->state >= TICKET_RESOLVED)
        return true;
    row->resolved_us =
        d->resolved_us != 0 && d->resolved_us < e->rec_us ? d->resolved_us : line_instant_us(tables, e, row);
    if (row->resolved_us < row->opened_us)
        row->resolved_us = row->opened_us;
    if (row->first_resolved_us == 0)
        row->first_resolved_us = row->resolved_us;
    row->state = TICKET_RESOLVED;
    return line_settle(tables, e, &line);
}

/* Nobody is to be asked any more about the present resolution. */
static void callbacks_end(struct ticket_row *row)
{
    for (uint32_t i = 0; i < row->callbacks_n; i++)
        if (row->callbacks[i].state == CALLBACK_DUE)
            row->callbacks[i].state = CALLBACK_VOID;
}

bool reporting_on_ticket_closed(struct tables *tables, const struct event *e, const void *data)
{
    (void)data;
    struct line line = line_of(tables, e);
    struct ticket_row *row = line.row;
    if (row == NULL || !row->open || row->state < TICKET_RESOLVED)
        return true;
    callbacks_end(row);
    row->closed_us = line_instant_us(tables, e, row);
    if (row->state != TICKET_CANCELLED)
        row->state = TICKET_CLOSED;
    row->open = false;
    return line_settle(tables, e, &line);
}

/* A closed ticket goes on only within the policy's time; later it is a new one. */
static bool may_reopen(const struct tables *tables, const struct ticket_row *row, int64_t us)
{
    if (row->state == TICKET_RESOLVED)
        return true;
    if (row->state != TICKET_CLOSED)
        return false;
    const struct policy *policy = reference_policy(tables, row->policy);
    return policy == NULL || policy->reopen_within.unit == SPAN_NONE ||
           us <= policy_span_end_us(policy, row->closed_us, policy->reopen_within);
}

bool reporting_on_ticket_reopened(struct tables *tables, const struct event *e, const void *data)
{
    (void)data;
    struct line line = line_of(tables, e);
    struct ticket_row *row = line.row;
    if (row == NULL)
        return true;
    int64_t us = line_instant_us(tables, e, row);
    if (!may_reopen(tables, row, us))
        return true;
    callbacks_end(row);
    row->reopenings++;
    row->reopened_us = us;
    row->resolved_us = row->closed_us = 0;
    row->job = 0;
    row->state = TICKET_OPEN;
    row->open = true;
    return line_settle(tables, e, &line);
}
