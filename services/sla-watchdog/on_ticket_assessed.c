/* ticket.assessed: the first one opens the ticket and starts what is promised from its opening. A
 * later one, or a reclassification, changes what promises that start later are chosen by; running
 * limits stay. */
#include "base/text.h"
#include "proto/ticket.h"
#include "services/sla-watchdog/on.h"
#include "services/sla-watchdog/watch.h"

static void subject_set(struct ticket *t, const struct ticket_assessed *a)
{
    text_copy(t->kind, sizeof t->kind, a->kind);
    text_copy(t->region, sizeof t->region, a->region);
    text_copy(t->product, sizeof t->product, a->product);
    text_copy(t->channel, sizeof t->channel, a->channel);
    text_copy(t->priority, sizeof t->priority, a->priority);
    text_copy(t->coverage, sizeof t->coverage, a->coverage);
}

bool sla_watchdog_apply_ticket_assessed(struct tables *tables, const struct event *event,
                                        const void *data)
{
    const struct ticket_assessed *a = data;
    if (a->again) {
        struct ticket *known = table_change(tables, SLA_WATCHDOG_TICKET, event->key);
        if (known)
            subject_set(known, a);
        return true;
    }
    struct ticket *t = table_new(tables, SLA_WATCHDOG_TICKET, event->key);
    text_copy(t->policy, sizeof t->policy, a->policy);
    subject_set(t, a);
    t->opened_us = a->opened_us ? a->opened_us : event->rec_us;
    t->open = true;
    sla_watchdog_fact_add(t, event->type, t->opened_us, event->pos);
    return true;
}

void sla_watchdog_decide_ticket_assessed(struct run *run, const struct tables *tables,
                                         const struct event *event, const void *data)
{
    const struct ticket_assessed *a = data;
    const struct ticket *t = a->again ? NULL : table_get(tables, SLA_WATCHDOG_TICKET, event->key);
    if (t)
        sla_watchdog_schedule(run, tables, event, t, START_EVENT, t->opened_us);
}

bool sla_watchdog_apply_ticket_reclassified(struct tables *tables, const struct event *event,
                                            const void *data)
{
    const struct ticket_reclassified *r = data;
    struct ticket *t = table_change(tables, SLA_WATCHDOG_TICKET, event->key);
    if (!t)
        return true;
    if (*r->kind)
        text_copy(t->kind, sizeof t->kind, r->kind);
    if (*r->priority)
        text_copy(t->priority, sizeof t->priority, r->priority);
    if (*r->region)
        text_copy(t->region, sizeof t->region, r->region);
    if (*r->product)
        text_copy(t->product, sizeof t->product, r->product);
    return true;
}
