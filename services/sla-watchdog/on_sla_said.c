/* sla.warned, sla.breached, sla.met, sla.corrected, read back, and the timer that brings the first
 * two. */
#include "base/text.h"
#include "proto/sla.h"
#include "services/sla-watchdog/on.h"
#include "services/sla-watchdog/watch.h"

static struct clock *clock_change(struct tables *tables, const struct event *event,
                                  const char *clause, int64_t k)
{
    char id[CLOCK_ID_CAP];
    sla_watchdog_clock_id(event->key, clause, k, id);
    return table_change(tables, SLA_WATCHDOG_CLOCK, id);
}

static const struct policy *policy_of(const struct tables *tables, const char *key)
{
    const struct ticket *t = table_get(tables, SLA_WATCHDOG_TICKET, key);
    return t ? sla_watchdog_policy(tables, t) : NULL;
}

bool sla_watchdog_apply_sla_warned(struct tables *tables, const struct event *event,
                                   const void *data)
{
    const struct sla_warned *w = data;
    struct clock *c = clock_change(tables, event, w->clause, w->k);
    if (!c)
        return true;
    c->level = w->level;
    sla_watchdog_next_level(tables, policy_of(tables, event->key), c, w->level);
    return true;
}

bool sla_watchdog_apply_sla_breached(struct tables *tables, const struct event *event,
                                     const void *data)
{
    const struct sla_breached *b = data;
    struct clock *c = clock_change(tables, event, b->clause, b->k);
    if (!c)
        return true;
    c->level = b->level;
    if (b->level == 0) {
        c->state = CLOCK_BREACHED;
        c->detected_us = b->detected_us;
        int64_t us = c->stopped_us ? c->stopped_us : c->ended_us;
        c->open = us == 0 || us <= c->due_us; /* the latter: it is about to be taken back */
    }
    sla_watchdog_next_level(tables, policy_of(tables, event->key), c, b->level);
    return true;
}

/* The story may have moved on while the breach was in flight. */
void sla_watchdog_decide_sla_breached(struct run *run, const struct tables *tables,
                                      const struct event *event, const void *data)
{
    const struct sla_breached *b = data;
    char id[CLOCK_ID_CAP];
    sla_watchdog_clock_id(event->key, b->clause, b->k, id);
    const struct clock *c = table_get(tables, SLA_WATCHDOG_CLOCK, id);
    if (c && b->level == 0 && c->state == CLOCK_BREACHED)
        sla_watchdog_conclude(run, c);
}

bool sla_watchdog_apply_sla_met(struct tables *tables, const struct event *event, const void *data)
{
    const struct sla_met *m = data;
    struct clock *c = clock_change(tables, event, m->clause, m->k);
    if (!c)
        return true;
    c->state = CLOCK_MET;
    c->reported_late = m->reported_late;
    c->open = false;
    return true;
}

bool sla_watchdog_apply_sla_corrected(struct tables *tables, const struct event *event,
                                      const void *data)
{
    const struct sla_corrected *d = data;
    struct clock *c = clock_change(tables, event, d->clause, d->k);
    if (!c)
        return true;
    c->state = text_equal(d->is, "met") ? CLOCK_MET : CLOCK_OVER;
    c->reported_late = c->state == CLOCK_MET;
    c->open = false;
    return true;
}

static void warn(struct run *run, const struct clock *c, const char *key, const char *to)
{
    struct sla_warned w;
    char slot[EVENT_ID_CAP];
    record_clear(&sla_warned_record, &w);
    text_copy(w.clause, sizeof w.clause, c->clause);
    w.k = c->k;
    w.level = c->next_level;
    w.target = c->target;
    w.due_us = c->due_us;
    w.detected_us = run_now_us(run);
    text_copy(w.to, sizeof w.to, to);
    sla_watchdog_slot("warned", c->clock, c->next_level, c->target, slot);
    conclude(run, slot, "sla.warned", key, &sla_warned_record, &w);
}

static void breach(struct run *run, const struct clock *c, const char *key, const char *to)
{
    struct sla_breached b;
    char slot[EVENT_ID_CAP];
    record_clear(&sla_breached_record, &b);
    text_copy(b.clause, sizeof b.clause, c->clause);
    b.k = c->k;
    b.level = c->next_level;
    b.target = c->target;
    b.due_us = c->due_us;
    b.detected_us = run_now_us(run);
    text_copy(b.to, sizeof b.to, to);
    sla_watchdog_slot("breached", c->clock, c->next_level, c->target, slot);
    conclude(run, slot, "sla.breached", key, &sla_breached_record, &b);
}

void sla_watchdog_on_level_due(struct run *run, const struct tables *tables, const void *row)
{
    const struct clock *c = row;
    char key[EVENT_KEY_CAP];
    sla_watchdog_clock_key(c->clock, key);
    const struct policy *policy = policy_of(tables, key);
    const struct policy_clause *clause = policy ? policy_clause(policy, c->clause) : NULL;
    const struct policy_level *level = clause ? policy_level(clause, (int)c->next_level) : NULL;
    if (c->next_level < 0)
        warn(run, c, key, level ? level->to : "");
    else
        breach(run, c, key, level ? level->to : "");
}
