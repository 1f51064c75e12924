#include "services/sla-watchdog/announce.h"

#include "base/text.h"
#include "services/sla-watchdog/say.h"

struct look {
    struct run *run;
    const struct story *story;
    int64_t now_us;
    int said;
    bool scheduling; /* an sla.scheduled is on its way: no other */
    struct sla_scheduled scheduled;
};

/* Something about it is on its way. */
static bool is_busy(const struct look *look, const struct clock *c)
{
    return look->scheduling || sla_watchdog_verdict_flies(look->run, c);
}

/* Those of one cause stand in one event; what is left is found when it is read back. */
static struct sla_limit *limit_add(struct look *look, enum sla_cause cause)
{
    struct sla_scheduled *s = &look->scheduled;
    if (look->scheduling || s->limits_n == POLICY_STARTS_MAX ||
        (s->limits_n > 0 && s->cause != (int)cause))
        return NULL;
    s->cause = (int)cause;
    return &s->limits[s->limits_n++];
}

static void pauses_add(struct look *look, const struct outlook *o)
{
    struct sla_scheduled *s = &look->scheduled;
    size_t from = o->pauses_n > COUNT_OF(s->pauses) ? o->pauses_n - COUNT_OF(s->pauses) : 0;
    if (o->pauses_n - from <= s->pauses_n)
        return; /* another clause has said as many */
    s->pauses_n = 0;
    for (size_t i = from; i < o->pauses_n; i++) {
        const struct clock_pause *p = &o->pauses[i];
        struct sla_pause *out = &s->pauses[s->pauses_n++];
        *out = (struct sla_pause){.from_us = p->from_us, .to_us = p->to_us};
        text_copy(out->reason, sizeof out->reason, p->reason);
        text_copy(out->by, sizeof out->by, p->by);
    }
}

static void limit_fill(struct look *look, struct sla_limit *limit, const struct outlook *o,
                       int64_t k, int64_t target, int64_t start)
{
    const struct clock_pause *held = sla_watchdog_held(o, look->now_us);
    const struct policy_limit *line = o->terms.clock.line;
    int64_t until_us = o->fold.end == FOLD_RUNS ? look->now_us : o->fold.end_us;
    *limit = (struct sla_limit){.k = k,
                                .target = target,
                                .start = start,
                                .from_us = o->fold.from_us,
                                .due_us = held ? 0 : o->fold.due_us,
                                .limit = line->limit,
                                .quantity = line->per_units ? o->terms.clock.quantity : 0,
                                .line = o->terms.line};
    text_copy(limit->clause, sizeof limit->clause, o->terms.clock.clause->id);
    text_copy(limit->calendar, sizeof limit->calendar, o->terms.version);
    if (held)
        text_copy(limit->paused, sizeof limit->paused, held->reason);
    limit->paused_s = sla_watchdog_paused_us(o->pauses, o->pauses_n, o->fold.from_us,
                                             held ? held->from_us : until_us) /
                      SECOND_US;
    pauses_add(look, o);
}

/* --- clocks that are there ------------------------------------------------------------------ */

static enum sla_cause cause_of(const struct look *look, const struct clock *c,
                               const struct outlook *o)
{
    const struct clock_pause *held = sla_watchdog_held(o, look->now_us), *last = NULL;
    if (o->fold.reset_us != 0)
        return SLA_RESET;
    if (c->corrections > 0 || o->fold.end != FOLD_RUNS)
        return SLA_LATE_FACT;
    if (c->state == CLOCK_OVER)
        return SLA_RETARGETED;
    if (sla_watchdog_chosen_anew(look->story, c, &o->terms)) {
        char follows[sizeof c->follows];
        const struct policy_limit *line = o->terms.clock.line;
        sla_watchdog_follows(look->story->subject.policy, o->terms.calendar, follows);
        bool same_line = line->limit.n == c->span.n && line->limit.unit == c->span.unit &&
                         o->terms.line == c->line;
        return same_line && sla_watchdog_same_policy(follows, c->follows) ? SLA_CALENDAR
                                                                          : SLA_RETARGETED;
    }
    if (held)
        return SLA_PAUSED;
    if (c->said_us != 0)
        return SLA_LATE_FACT;
    for (size_t i = 0; i < o->pauses_n && o->pauses[i].from_us <= look->now_us; i++)
        last = &o->pauses[i];
    return last && last->used_up ? SLA_BUDGET_USED : SLA_RESUMED;
}

/* Has what was said last come to an end as a target? */
static bool begins_target(const struct look *look, const struct clock *c, const struct outlook *o)
{
    if (o->fold.reset_us != 0 || c->corrections > 0 || c->state != CLOCK_RUNNING)
        return true;
    return sla_watchdog_chosen_anew(look->story, c, &o->terms) && sla_watchdog_limit_differs(c, o);
}

static bool must_be_said(const struct look *look, const struct clock *c, const struct outlook *o)
{
    if (o->fold.reset_us != 0 || c->corrections > 0 || c->state == CLOCK_OVER)
        return true;
    if (c->state == CLOCK_BREACHED) /* a later version of a calendar does not rewrite it */
        return (o->terms.line != c->line || o->terms.clock.line->limit.n != c->span.n ||
                o->terms.clock.line->limit.unit != c->span.unit) &&
               sla_watchdog_limit_differs(c, o);
    if (sla_watchdog_chosen_anew(look->story, c, &o->terms))
        return true;
    if (sla_watchdog_held(o, look->now_us))
        return c->said_us != 0;
    return c->said_us != o->fold.due_us || c->next_us == 0; /* it waited when its row was written */
}

/* A verdict by another due instant than was said is explained first: what moved it is told then. */
static bool explains_first(const struct look *look, const struct clock *c, const struct outlook *o)
{
    if (o->fold.end != FOLD_STOPPED)
        return false;
    return sla_watchdog_held(o, look->now_us) ? c->said_us != 0 : c->said_us != o->fold.due_us;
}

static void say_again(struct look *look, const struct clock *c, const struct outlook *o,
                      int64_t target)
{
    char clause[POLICY_WORD_CAP];
    struct sla_limit *limit = limit_add(look, cause_of(look, c, o));
    if (limit)
        limit_fill(look, limit, o, sla_watchdog_clock_clause(c->clock, clause), target,
                   c->start_pos);
}

static void look_at(struct look *look, uint32_t i, const struct clock *c)
{
    struct outlook o;
    if (is_busy(look, c) || c->lapsed || !sla_watchdog_outlook(look->story, i, c, &o))
        return;
    bool runs = o.fold.end == FOLD_RUNS;
    bool anew = runs && o.fold.reset_us == 0 && c->corrections == 0 && must_be_said(look, c, &o) &&
                (c->state == CLOCK_RUNNING || c->state == CLOCK_BREACHED) &&
                sla_watchdog_chosen_anew(look->story, c, &o.terms);
    struct clock_judgement j = sla_watchdog_judgement(c, &o, look->now_us);
    if (j.verdict != VERDICT_NONE && explains_first(look, c, &o))
        say_again(look, c, &o, c->target + (o.fold.reset_us != 0 && c->state == CLOCK_RUNNING));
    else if (j.verdict != VERDICT_NONE && !anew)
        look->said += sla_watchdog_say_verdict(look->run, c, &o.fold, j);
    else if (runs && must_be_said(look, c, &o))
        say_again(look, c, &o, c->target + begins_target(look, c, &o));
}

static void look_at_clause(struct look *look, uint32_t i)
{
    char id[CLOCK_ID_CAP];
    const struct subject *s = &look->story->subject;
    int64_t count = sla_watchdog_count(s, i);
    for (int64_t k = count; k >= sla_watchdog_first_k(count); k--) {
        sla_watchdog_clock_id(s->subject, sla_watchdog_clause(look->story->policy, i)->id, k, id);
        const struct clock *c = table_get(look->story->tables, SLA_WATCHDOG_CLOCK, id);
        if (c && (c->open || c->lapsed))
            look_at(look, i, c);
    }
}

/* --- clocks that begin ---------------------------------------------------------------------- */

/* Nothing of the clause runs at that instant: what must not double it may begin. */
static bool clause_is_idle(const struct look *look, uint32_t i, const struct fact *f)
{
    char id[CLOCK_ID_CAP];
    int64_t ends[CLOCKS_LOOKED_AT];
    size_t n = 0;
    const struct subject *s = &look->story->subject;
    int64_t count = sla_watchdog_count(s, i);
    for (int64_t k = count; k >= sla_watchdog_first_k(count); k--) {
        sla_watchdog_clock_id(s->subject, sla_watchdog_clause(look->story->policy, i)->id, k, id);
        const struct clock *c = table_get(look->story->tables, SLA_WATCHDOG_CLOCK, id);
        if (c && c->began_us <= f->us)
            ends[n++] = c->stopped_us ? c->stopped_us : c->ended_us;
    }
    return sla_watchdog_idle(ends, n, f->us);
}

/* Another fact of this instant or an earlier one begins it. */
static bool is_foregone(const struct look *look, uint32_t i, const struct fact *f)
{
    const struct facts *facts = &look->story->facts;
    for (size_t at = 0; at < facts->n; at++) {
        const struct fact *other = &facts->items[at];
        struct outlook o;
        if (other != f && (other->roles[FACT_STARTS] >> i & 1) &&
            (other->us < f->us || (other->us == f->us && other->pos < f->pos)) &&
            sla_watchdog_prospect(look->story, i, other, 0, &o) &&
            (o.fold.end == FOLD_RUNS || o.fold.end_us > f->us))
            return true;
    }
    return false;
}

static void begin(struct look *look, uint32_t i, const struct fact *f)
{
    struct outlook o;
    int64_t k = sla_watchdog_count(&look->story->subject, i) + 1;
    const struct policy_clause *clause = sla_watchdog_clause(look->story->policy, i);
    for (uint32_t at = 0; at < look->scheduled.limits_n; at++)
        k += text_equal(look->scheduled.limits[at].clause, clause->id);
    bool single = f->reopens || (f->roles[FACT_DOUBLES] & f->roles[FACT_RESETS] & 1u << i);
    if (k > UINT16_MAX || !sla_watchdog_prospect(look->story, i, f, k, &o) ||
        (o.fold.end == FOLD_CANCELLED && o.fold.due_us >= o.fold.end_us))
        return;
    if (single && (!clause_is_idle(look, i, f) || is_foregone(look, i, f)))
        return;
    enum sla_cause cause = f->roles[FACT_LINELESS] >> i & 1 ? SLA_RETARGETED
                           : f->reopens                     ? SLA_REOPENED
                                                            : SLA_START;
    struct sla_limit *limit = limit_add(look, cause);
    if (limit)
        limit_fill(look, limit, &o, k, 0, f->pos);
}

int sla_watchdog_look(struct run *run, const struct tables *tables, const char *key)
{
    struct story story;
    struct look look = {.run = run, .story = &story, .now_us = run_now_us(run)};
    if (!sla_watchdog_story(&story, tables, key))
        return 0;
    record_clear(&sla_scheduled_record, &look.scheduled);
    look.scheduling = sla_watchdog_scheduled_flies(run, &story.subject);
    for (uint32_t i = 0; i < story.policy->sla.n; i++)
        if (story.subject.live >> i & 1)
            look_at_clause(&look, i);
    for (uint32_t i = 0; i < story.policy->sla.n && !look.scheduling; i++)
        for (size_t at = 0; at < story.facts.n; at++)
            if (story.facts.items[at].roles[FACT_STARTS] >> i & 1)
                begin(&look, i, &story.facts.items[at]);
    if (look.scheduled.limits_n > 0)
        look.said += sla_watchdog_say_scheduled(run, &story, &look.scheduled);
    return look.said;
}

void sla_watchdog_say_level(struct run *run, const struct tables *tables, const struct clock *c)
{
    struct story story;
    char key[EVENT_KEY_CAP], clause[POLICY_WORD_CAP];
    sla_watchdog_clock_key(c->clock, key);
    sla_watchdog_clock_clause(c->clock, clause);
    if (!sla_watchdog_story(&story, tables, key))
        return;
    int place = sla_watchdog_clause_place(story.policy, clause);
    const struct policy_level *level =
        place >= 0
            ? policy_level(sla_watchdog_clause(story.policy, (uint32_t)place), (int)c->next_level)
            : NULL;
    if (place >= 0)
        sla_watchdog_conclude_level(run, c, level ? level->to : "");
}
