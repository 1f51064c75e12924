/* Any fact that clauses start or stop at. Stop beats end: what stops with the event that ends the
 * ticket is judged. */
#include "base/text.h"
#include "proto/ticket.h"
#include "services/sla-watchdog/on.h"
#include "services/sla-watchdog/watch.h"

static bool ends_ticket(const char *type)
{
    return text_equal(type, "ticket.closed") || text_equal(type, "ticket.cancelled");
}

/* The clocks of a clause that still run, newest first. Once stopped, all older ones are too. */
static void clocks_stop(struct tables *tables, const struct ticket *t,
                        const struct policy_clause *clause, int64_t us, bool end)
{
    char id[CLOCK_ID_CAP];
    for (int64_t k = sla_watchdog_k(t, clause); k > 0; k--) {
        sla_watchdog_clock_id(t->ticket, clause->id, k, id);
        struct clock *c = table_change(tables, SLA_WATCHDOG_CLOCK, id);
        if (!c)
            continue; /* that start had no limit, or its clock is on its way */
        if (c->stopped_us || c->ended_us)
            return;
        c->next_us = 0;
        if (!end) {
            c->stopped_us = us > c->from_us ? us : c->from_us;
            c->open = c->state == CLOCK_RUNNING ||
                      (c->state == CLOCK_BREACHED && c->stopped_us <= c->due_us);
            continue;
        }
        c->ended_us = us;
        if (c->state == CLOCK_RUNNING)
            c->state = CLOCK_OVER;
        c->open = c->state == CLOCK_BREACHED && us <= c->due_us;
    }
}

static bool apply(struct tables *tables, const struct event *event, int64_t at_us)
{
    const struct ticket *seen = table_get(tables, SLA_WATCHDOG_TICKET, event->key);
    const struct policy *policy = seen ? sla_watchdog_policy(tables, seen) : NULL;
    bool ends = ends_ticket(event->type);
    if (!seen || (!ends && (!policy || !sla_watchdog_names(policy, event->type))))
        return true;
    int64_t us = policy ? sla_watchdog_instant(policy, seen, event, at_us) : event->rec_us;
    struct ticket *t = table_change(tables, SLA_WATCHDOG_TICKET, event->key);
    if (policy && sla_watchdog_names(policy, event->type))
        sla_watchdog_fact_add(t, event->type, us, event->pos);
    for (uint32_t i = 0; policy && i < policy->sla.n; i++) {
        const struct policy_clause *clause = sla_watchdog_clause(policy, i);
        bool stops = policy_event_is(&clause->stop, event->type);
        if (!(t->running & sla_watchdog_bit(i)) || (!stops && !ends))
            continue;
        clocks_stop(tables, t, clause, us, !stops);
        if (stops) /* what the end of the ticket caught running stays marked, for decide */
            t->running &= ~sla_watchdog_bit(i);
    }
    if (ends) {
        t->ended_us = us;
        t->open = false;
    }
    return true;
}

bool sla_watchdog_apply_fact(struct tables *tables, const struct event *event, const void *data)
{
    (void)data;
    return apply(tables, event, event->at_us);
}

bool sla_watchdog_apply_ticket_resolved(struct tables *tables, const struct event *event,
                                        const void *data)
{
    const struct ticket_resolved *resolved = data;
    return apply(tables, event, resolved->resolved_us ? resolved->resolved_us : event->at_us);
}

/* What this event has stopped or ended is still open; what was judged before is closed. */
static void judge(struct run *run, const struct tables *tables, const struct ticket *t,
                  const struct policy_clause *clause)
{
    char id[CLOCK_ID_CAP];
    for (int64_t k = sla_watchdog_k(t, clause); k > 0; k--) {
        sla_watchdog_clock_id(t->ticket, clause->id, k, id);
        const struct clock *c = table_get(tables, SLA_WATCHDOG_CLOCK, id);
        if (!c)
            continue;
        if (!c->open)
            return;
        sla_watchdog_conclude(run, c);
    }
}

void sla_watchdog_decide_fact(struct run *run, const struct tables *tables,
                              const struct event *event, const void *data)
{
    (void)data;
    const struct ticket *t = table_get(tables, SLA_WATCHDOG_TICKET, event->key);
    const struct policy *policy = t ? sla_watchdog_policy(tables, t) : NULL;
    bool ends = ends_ticket(event->type), starts = false;
    if (!policy)
        return;
    for (uint32_t i = 0; i < policy->sla.n; i++) {
        const struct policy_clause *clause = sla_watchdog_clause(policy, i);
        int64_t caught = policy_event_is(&clause->stop, event->type) ? t->clocked : ends ? t->running : 0;
        if (caught & sla_watchdog_bit(i))
            judge(run, tables, t, clause);
        starts = starts || sla_watchdog_starts(clause, event->type);
    }
    const struct ticket_fact *fact = starts ? sla_watchdog_fact(t, event->type) : NULL;
    if (fact && fact->pos == (int64_t)event->pos)
        sla_watchdog_schedule(run, tables, event, t, START_EVENT, fact->at_us);
}
