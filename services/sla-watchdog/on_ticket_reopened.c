/* ticket.reopened: the same ticket goes on. What was promised from its opening is promised once
 * more, counted from the reopening; earlier verdicts stay. */
#include "services/sla-watchdog/on.h"
#include "services/sla-watchdog/watch.h"

bool sla_watchdog_apply_ticket_reopened(struct tables *tables, const struct event *event,
                                        const void *data)
{
    (void)data;
    struct ticket *t = table_change(tables, SLA_WATCHDOG_TICKET, event->key);
    if (!t)
        return true;
    t->reopened_n++;
    if (t->ended_us)
        t->running = 0; /* those clocks ended with it */
    t->ended_us = 0;
    t->open = true;
    return true;
}

void sla_watchdog_decide_ticket_reopened(struct run *run, const struct tables *tables,
                                         const struct event *event, const void *data)
{
    (void)data;
    const struct ticket *t = table_get(tables, SLA_WATCHDOG_TICKET, event->key);
    const struct policy *policy = t ? sla_watchdog_policy(tables, t) : NULL;
    if (policy)
        sla_watchdog_schedule(run, tables, event, t, START_REOPENED,
                              sla_watchdog_instant(policy, t, event, event->at_us));
}
