#include "services/sla-watchdog/watch.h"

#include "base/text.h"
#include "proto/sla.h"

#include <string.h>

static const char assessed[] = "ticket.assessed", registered[] = "ticket.registered";

const struct policy *sla_watchdog_policy(const struct tables *tables, const struct ticket *ticket)
{
    return *ticket->policy ? reference_policy(tables, ticket->policy) : NULL;
}

const struct policy_clause *sla_watchdog_clause(const struct policy *policy, uint32_t i)
{
    return (const struct policy_clause *)policy->sla.items + i;
}

int64_t sla_watchdog_bit(uint32_t i)
{
    return INT64_C(1) << i; /* at most POLICY_CLAUSES_MAX of them */
}

bool sla_watchdog_starts_with_ticket(const struct policy_clause *clause)
{
    return policy_event_is(&clause->start, assessed) || policy_event_is(&clause->start, registered);
}

bool sla_watchdog_starts(const struct policy_clause *clause, const char *type)
{
    return policy_event_is(&clause->start, type) ||
           (text_equal(type, assessed) && policy_event_is(&clause->start, registered));
}

bool sla_watchdog_names(const struct policy *policy, const char *type)
{
    for (uint32_t i = 0; i < policy->sla.n; i++) {
        const struct policy_clause *clause = sla_watchdog_clause(policy, i);
        if (sla_watchdog_starts(clause, type) || policy_event_is(&clause->stop, type))
            return true;
    }
    return false;
}

/* --- facts ---------------------------------------------------------------------------------- */

const struct ticket_fact *sla_watchdog_fact(const struct ticket *ticket, const char *type)
{
    int index = policy_fact(text_equal(type, registered) ? assessed : type);
    for (uint32_t i = 0; i < ticket->facts_n; i++)
        if (ticket->facts[i].type == index)
            return &ticket->facts[i];
    return NULL;
}

void sla_watchdog_fact_add(struct ticket *ticket, const char *type, int64_t at_us, uint64_t pos)
{
    const struct ticket_fact *known = sla_watchdog_fact(ticket, type);
    if (!known && ticket->facts_n == POLICY_FACTS_MAX)
        return; /* a policy names no more (policy/check.c) */
    struct ticket_fact *fact =
        &ticket->facts[known ? (uint32_t)(known - ticket->facts) : ticket->facts_n++];
    *fact = (struct ticket_fact){policy_fact(type), known ? known->n + 1 : 1, at_us, (int64_t)pos};
}

int64_t sla_watchdog_instant(const struct policy *policy, const struct ticket *ticket,
                             const struct event *event, int64_t at_us)
{
    return policy_fact_us(policy, at_us, event->rec_us, ticket->opened_us);
}

int64_t sla_watchdog_k(const struct ticket *ticket, const struct policy_clause *clause)
{
    const struct policy_event *events = clause->start.items;
    int64_t n = sla_watchdog_starts_with_ticket(clause) ? ticket->reopened_n : 0;
    for (uint32_t i = 0; i < clause->start.n; i++) {
        const struct ticket_fact *start = sla_watchdog_fact(ticket, events[i].type);
        n += start ? start->n : 0;
    }
    return n;
}

/* --- concluding ----------------------------------------------------------------------------- */

static const struct calendar *calendar_named(const struct tables *tables, const char *name)
{
    return *name ? reference_calendar(tables, name) : NULL;
}

static bool begins(const struct ticket *ticket, const struct policy_clause *clause, uint32_t i,
                   enum start_cause cause, const char *type)
{
    switch (cause) {
    case START_EVENT:
        return sla_watchdog_starts(clause, type);
    case START_REOPENED: /* what was promised for the ticket is promised again, unless it is still
                            awaited */
        break;
    }
    return sla_watchdog_starts_with_ticket(clause) && !(ticket->running & sla_watchdog_bit(i));
}

/* False: no line of the clause is for this ticket, or its calendar was never published. */
static bool limit_fill(const struct tables *tables, const struct policy *policy,
                       const struct policy_clause *clause, const struct ticket *t, int64_t from_us,
                       struct sla_limit *out)
{
    struct policy_subject subject = {.kind = t->kind,
                                     .region = t->region,
                                     .priority = t->priority,
                                     .product = t->product,
                                     .channel = t->channel,
                                     .coverage = t->coverage,
                                     .region_class = policy_region_class(policy, t->region)};
    const struct policy_limit *line = policy_limit(clause, &subject);
    if (!line)
        return false;
    const struct calendar *calendar =
        calendar_named(tables, policy_limit_calendar(clause, line));
    bool working = policy_counts_working_time(line->limit.unit);
    if (working && !calendar)
        return false;
    *out = (struct sla_limit){
        .k = sla_watchdog_k(t, clause), .from_us = from_us, .limit = line->limit};
    text_copy(out->clause, sizeof out->clause, clause->id);
    out->line = line - (const struct policy_limit *)clause->limits.items + 1;
    out->due_us = policy_due(clause, line, 1, zone_find(policy->zone), calendar, from_us);
    if (working)
        text_copy(out->calendar, sizeof out->calendar, calendar_version(calendar));
    return true;
}

void sla_watchdog_schedule(struct run *run, const struct tables *tables, const struct event *event,
                           const struct ticket *ticket, enum start_cause cause, int64_t from_us)
{
    const struct policy *policy = sla_watchdog_policy(tables, ticket);
    struct sla_scheduled scheduled;
    char slot[EVENT_ID_CAP];
    if (!policy)
        return;
    record_clear(&sla_scheduled_record, &scheduled);
    text_copy(scheduled.policy, sizeof scheduled.policy, ticket->policy);
    for (uint32_t i = 0; i < policy->sla.n && scheduled.limits_n < POLICY_STARTS_MAX; i++) {
        const struct policy_clause *clause = sla_watchdog_clause(policy, i);
        if (begins(ticket, clause, i, cause, event->type) &&
            limit_fill(tables, policy, clause, ticket, from_us,
                       &scheduled.limits[scheduled.limits_n]))
            scheduled.limits_n++;
    }
    if (scheduled.limits_n == 0)
        return;
    text_format(slot, sizeof slot, "sla-watchdog/%s/scheduled/%llu", ticket->ticket,
                (unsigned long long)event->pos);
    conclude(run, slot, "sla.scheduled", ticket->ticket, &sla_scheduled_record, &scheduled);
}

static void say_met(struct run *run, const struct clock *c, const char *key)
{
    struct sla_met met;
    char slot[EVENT_ID_CAP];
    record_clear(&sla_met_record, &met);
    text_copy(met.clause, sizeof met.clause, c->clause);
    met.k = c->k;
    met.target = c->target;
    met.due_us = c->due_us;
    met.stopped_us = c->stopped_us;
    met.reported_late = run_now_us(run) > c->due_us;
    sla_watchdog_slot("met", c->clock, 0, c->target, slot);
    conclude(run, slot, "sla.met", key, &sla_met_record, &met);
}

static void say_breached(struct run *run, const struct clock *c, const char *key)
{
    struct sla_breached breached;
    char slot[EVENT_ID_CAP];
    record_clear(&sla_breached_record, &breached);
    text_copy(breached.clause, sizeof breached.clause, c->clause);
    breached.k = c->k;
    breached.target = c->target;
    breached.due_us = c->due_us;
    breached.detected_us = run_now_us(run);
    breached.stopped_us = c->stopped_us;
    sla_watchdog_slot("breached", c->clock, 0, c->target, slot);
    conclude(run, slot, "sla.breached", key, &sla_breached_record, &breached);
}

static void say_corrected(struct run *run, const struct clock *c, const char *key)
{
    struct sla_corrected corrected;
    char slot[EVENT_ID_CAP];
    record_clear(&sla_corrected_record, &corrected);
    text_copy(corrected.clause, sizeof corrected.clause, c->clause);
    corrected.k = c->k;
    corrected.target = c->target;
    corrected.due_us = c->due_us;
    corrected.stopped_us = c->stopped_us;
    text_copy(corrected.was, sizeof corrected.was, "breached");
    text_copy(corrected.is, sizeof corrected.is, c->stopped_us ? "met" : "open");
    text_copy(corrected.reason, sizeof corrected.reason, c->stopped_us ? "reported-late" : "ended");
    sla_watchdog_slot("corrected", c->clock, 0, c->target, slot);
    conclude(run, slot, "sla.corrected", key, &sla_corrected_record, &corrected);
}

void sla_watchdog_conclude(struct run *run, const struct clock *c)
{
    char key[EVENT_KEY_CAP], breach[EVENT_ID_CAP];
    sla_watchdog_clock_key(c->clock, key);
    sla_watchdog_slot("breached", c->clock, 0, c->target, breach);
    switch (sla_watchdog_judge((enum clock_state)c->state, c->due_us, c->stopped_us, c->ended_us,
                               run_in_flight(run, breach))) {
    case VERDICT_NONE:
        break;
    case VERDICT_MET:
        say_met(run, c, key);
        break;
    case VERDICT_BREACHED:
        say_breached(run, c, key);
        break;
    case VERDICT_CORRECTED:
        say_corrected(run, c, key);
        break;
    }
}

void sla_watchdog_next_level(const struct tables *tables, const struct policy *policy,
                             struct clock *c, int64_t after)
{
    const struct policy_clause *clause = policy ? policy_clause(policy, c->clause) : NULL;
    c->next_us = 0;
    if (!clause || c->stopped_us || c->ended_us)
        return;
    int64_t level = after == CLOCK_LEVEL_NONE ? policy_level_first(clause) : after + 1;
    if (level > policy_level_last(clause))
        return;
    c->next_level = level;
    c->next_us = policy_level_at(clause, (int)level, zone_find(policy->zone),
                                 calendar_named(tables, clause->calendar), c->due_us);
}
