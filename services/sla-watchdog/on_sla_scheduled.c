/* sla.scheduled, read back: the clocks are there. Facts that came between the start and now are
 * looked at first. */
#include "base/text.h"
#include "proto/sla.h"
#include "services/sla-watchdog/on.h"
#include "services/sla-watchdog/watch.h"

/* The stop has come already: behind the start, or, for the first start, at all — an arrival may be
 * told before the acceptance. */
static int64_t stopped_us(const struct ticket *t, const struct policy_clause *clause, int64_t k,
                          uint64_t started_pos, int64_t from_us)
{
    const struct policy_event *events = clause->stop.items;
    int64_t first_us = 0;
    for (uint32_t i = 0; i < clause->stop.n; i++) {
        const struct ticket_fact *stop = sla_watchdog_fact(t, events[i].type);
        if (!stop || (k > 1 && stop->pos < (int64_t)started_pos))
            continue;
        int64_t us = stop->at_us > from_us ? stop->at_us : from_us;
        first_us = first_us && first_us < us ? first_us : us;
    }
    return first_us;
}

static void clock_enter(struct tables *tables, const struct policy *policy, const struct ticket *t,
                        const struct sla_limit *limit, uint64_t started_pos)
{
    const struct policy_clause *clause = policy_clause(policy, limit->clause);
    char id[CLOCK_ID_CAP];
    sla_watchdog_clock_id(t->ticket, limit->clause, limit->k, id);
    struct clock *c = table_new(tables, SLA_WATCHDOG_CLOCK, id);
    text_copy(c->clause, sizeof c->clause, limit->clause);
    text_copy(c->calendar, sizeof c->calendar, limit->calendar);
    c->k = limit->k;
    c->from_us = limit->from_us;
    c->due_us = limit->due_us;
    c->span = limit->limit;
    c->line = limit->line;
    c->level = CLOCK_LEVEL_NONE;
    c->stopped_us = clause ? stopped_us(t, clause, limit->k, started_pos, limit->from_us) : 0;
    if (!c->stopped_us && t->ended_us) {
        c->ended_us = t->ended_us;
        c->state = CLOCK_OVER;
    }
    c->open = c->state == CLOCK_RUNNING;
    sla_watchdog_next_level(tables, policy, c, CLOCK_LEVEL_NONE);
}

bool sla_watchdog_apply_sla_scheduled(struct tables *tables, const struct event *event,
                                      const void *data)
{
    const struct sla_scheduled *s = data;
    struct ticket *t = table_change(tables, SLA_WATCHDOG_TICKET, event->key);
    const struct policy *policy = t ? sla_watchdog_policy(tables, t) : NULL;
    if (!policy)
        return true;
    for (uint32_t i = 0; i < s->limits_n; i++) {
        clock_enter(tables, policy, t, &s->limits[i], event->cause);
        const struct policy_clause *clause = policy_clause(policy, s->limits[i].clause);
        if (!clause)
            continue;
        int64_t bit = sla_watchdog_bit((uint32_t)(clause - sla_watchdog_clause(policy, 0)));
        t->clocked |= bit;
        if (!t->ended_us &&
            !stopped_us(t, clause, s->limits[i].k, event->cause, s->limits[i].from_us))
            t->running |= bit;
    }
    return true;
}

void sla_watchdog_decide_sla_scheduled(struct run *run, const struct tables *tables,
                                       const struct event *event, const void *data)
{
    const struct sla_scheduled *s = data;
    char id[CLOCK_ID_CAP];
    for (uint32_t i = 0; i < s->limits_n; i++) {
        sla_watchdog_clock_id(event->key, s->limits[i].clause, s->limits[i].k, id);
        const struct clock *c = table_get(tables, SLA_WATCHDOG_CLOCK, id);
        if (c && c->stopped_us)
            sla_watchdog_conclude(run, c);
    }
}
