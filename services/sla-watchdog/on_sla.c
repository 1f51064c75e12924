/* sla.*, read back: the rows say what was said; facts that came meanwhile are looked at again. And
 * the timers that bring levels, and the ends of waits whose budget is used up. */
#include "base/text.h"
#include "proto/sla.h"
#include "services/sla-watchdog/announce.h"
#include "services/sla-watchdog/on.h"
#include "services/sla-watchdog/say.h"

/* --- sla.scheduled -------------------------------------------------------------------------- */

static struct clock *clock_begin(struct story *s, struct tables *tables, uint32_t i,
                                 const struct sla_limit *limit, const char *id)
{
    struct clock *c = table_new(tables, SLA_WATCHDOG_CLOCK, id);
    struct fact *f = sla_watchdog_fact_at(&s->facts, limit->start);
    c->start_pos = limit->start;
    c->began_us = f ? f->us : limit->from_us;
    c->counted_us = f && f->from_us ? f->from_us : c->began_us;
    c->tier = f ? f->tier : 0;
    c->quantity = f ? f->quantity : limit->quantity;
    c->ordered = f ? f->ordered : true;
    c->target = -1;
    if (f) {
        f->roles[FACT_STARTS] &= ~(UINT32_C(1) << i);
        f->roles[FACT_LINELESS] &= ~(UINT32_C(1) << i);
    }
    if (limit->k > sla_watchdog_count(&s->subject, i))
        sla_watchdog_count_set(&s->subject, i, limit->k);
    return c;
}

static void target_begin(struct clock *c, int64_t target)
{
    c->target = target;
    c->level = CLOCK_LEVEL_NONE;
    c->corrections = 0;
    c->detected_us = c->since_us = 0;
    c->state = CLOCK_RUNNING;
}

static int64_t calendar_of(const struct story *s, const struct policy_clause *clause,
                           const struct sla_limit *limit)
{
    const struct policy_limit *lines = clause->limits.items;
    if (!*limit->calendar || limit->line < 1 || limit->line > (int64_t)clause->limits.n)
        return 0;
    const struct published *p = sla_watchdog_published_version(
        s->tables, PUBLISHED_CALENDAR, policy_limit_calendar(clause, &lines[limit->line - 1]),
        limit->calendar);
    return p ? p->pos : 0;
}

static void limit_enter(struct story *s, struct tables *tables, const struct event *event,
                        const struct sla_scheduled *scheduled, const struct sla_limit *limit)
{
    char id[CLOCK_ID_CAP];
    int place = sla_watchdog_clause_place(s->policy, limit->clause);
    if (place < 0 || limit->k > UINT16_MAX)
        return; /* so many are not counted */
    uint32_t i = (uint32_t)place;
    sla_watchdog_clock_id(s->subject.subject, limit->clause, limit->k, id);
    char follows[sizeof((struct clock *)0)->follows];
    sla_watchdog_follows(s->subject.policy,
                         calendar_of(s, sla_watchdog_clause(s->policy, i), limit), follows);
    struct clock *c = limit->k > sla_watchdog_count(&s->subject, i)
                          ? NULL
                          : table_change(tables, SLA_WATCHDOG_CLOCK, id);
    if (!c && limit->k <= sla_watchdog_count(&s->subject, i))
        return; /* not in memory: once more */
    if (!c)
        c = clock_begin(s, tables, i, limit, id);
    if (limit->target > c->target)
        target_begin(c, limit->target);
    c->from_us = limit->from_us;
    c->said_us = limit->due_us;
    if (!c->stopped_us && !c->ended_us) { /* else it is judged by the line that held then */
        c->span = limit->limit;
        c->line = limit->line;
    }
    c->fired_us = 0;
    bool chosen = scheduled->cause == SLA_RETARGETED || scheduled->cause == SLA_CALENDAR;
    if (chosen && c->level == CLOCK_LEVEL_NONE && limit->due_us != 0 &&
        limit->due_us <= event->rec_us)
        c->since_us = event->rec_us;
    text_copy(c->follows, sizeof c->follows, follows);
}

bool sla_watchdog_apply_sla_scheduled(struct tables *tables, const struct event *event,
                                      const void *data)
{
    const struct sla_scheduled *d = data;
    struct story s;
    if (!sla_watchdog_story(&s, tables, event->key))
        return true;
    const struct published *said =
        sla_watchdog_published_version(tables, PUBLISHED_POLICY, NULL, d->policy);
    if (said && said->pos > s.subject.policy)
        sla_watchdog_story_move(&s, said);
    s.subject.scheduled_n++;
    uint32_t clauses = 0;
    for (uint32_t i = 0; i < d->limits_n; i++) {
        int place = sla_watchdog_clause_place(s.policy, d->limits[i].clause);
        limit_enter(&s, tables, event, d, &d->limits[i]);
        clauses |= place >= 0 ? UINT32_C(1) << place : 0;
    }
    s.subject.live |= clauses; /* until the refresh knows better */
    if (tables_missed(tables))
        return true;
    sla_watchdog_refresh(&s, tables, s.moved ? UINT32_MAX : clauses, INT64_MAX, event->rec_us);
    sla_watchdog_story_keep(&s, tables);
    return true;
}

/* --- levels and verdicts -------------------------------------------------------------------- */

/* The clock that is spoken of, to be changed, and its story. */
static struct clock *spoken_of(struct story *s, struct tables *tables, const struct event *event,
                               const char *clause, int64_t k)
{
    char id[CLOCK_ID_CAP];
    sla_watchdog_clock_id(event->key, clause, k, id);
    bool known = sla_watchdog_story(s, tables, event->key);
    struct clock *c = table_change(tables, SLA_WATCHDOG_CLOCK, id);
    return known ? c : NULL;
}

static bool settled(struct story *s, struct tables *tables, const struct event *event,
                    const char *clause)
{
    int place = sla_watchdog_clause_place(s->policy, clause);
    if (place < 0)
        return true;
    s->subject.live |= INT64_C(1) << place;
    sla_watchdog_refresh(s, tables, UINT32_C(1) << place, INT64_MAX, event->rec_us);
    sla_watchdog_story_keep(s, tables);
    return true;
}

bool sla_watchdog_apply_sla_warned(struct tables *tables, const struct event *event,
                                   const void *data)
{
    const struct sla_warned *d = data;
    struct story s;
    struct clock *c = spoken_of(&s, tables, event, d->clause, d->k);
    if (!c)
        return true;
    if (d->target == c->target)
        c->level = d->level;
    c->fired_us = 0;
    return settled(&s, tables, event, d->clause);
}

bool sla_watchdog_apply_sla_breached(struct tables *tables, const struct event *event,
                                     const void *data)
{
    const struct sla_breached *d = data;
    struct story s;
    struct clock *c = spoken_of(&s, tables, event, d->clause, d->k);
    if (!c)
        return true;
    c->fired_us = 0;
    if (d->target == c->target) {
        c->level = d->level;
        if (d->level == 0) {
            c->state = CLOCK_BREACHED;
            c->detected_us = d->detected_us;
        }
    }
    return settled(&s, tables, event, d->clause);
}

bool sla_watchdog_apply_sla_met(struct tables *tables, const struct event *event, const void *data)
{
    const struct sla_met *d = data;
    struct story s;
    struct clock *c = spoken_of(&s, tables, event, d->clause, d->k);
    if (!c)
        return true;
    c->state = CLOCK_MET;
    c->reported_late = d->reported_late;
    return settled(&s, tables, event, d->clause);
}

bool sla_watchdog_apply_sla_corrected(struct tables *tables, const struct event *event,
                                      const void *data)
{
    const struct sla_corrected *d = data;
    struct story s;
    struct clock *c = spoken_of(&s, tables, event, d->clause, d->k);
    if (!c)
        return true;
    c->corrections++;
    c->state = text_equal(d->is, "met")        ? CLOCK_MET
               : text_equal(d->is, "breached") ? CLOCK_BREACHED
               : text_equal(d->is, "over")     ? CLOCK_OVER
                                               : CLOCK_RUNNING;
    c->reported_late = c->state == CLOCK_MET;
    return settled(&s, tables, event, d->clause);
}

void sla_watchdog_decide_sla_said(struct run *run, const struct tables *tables,
                                  const struct event *event, const void *data)
{
    (void)data;
    sla_watchdog_look(run, tables, event->key);
}

void sla_watchdog_on_clock_due(struct run *run, const struct tables *tables, const void *row)
{
    const struct clock *c = row;
    if (c->said_us != 0) {
        sla_watchdog_say_level(run, tables, c);
    } else { /* a wait has used up its budget */
        char key[EVENT_KEY_CAP];
        sla_watchdog_clock_key(c->clock, key);
        sla_watchdog_look(run, tables, key);
    }
}
