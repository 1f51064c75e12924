#include "services/sla-watchdog/weigh.h"

#include "base/text.h"
#include "calendar/zone.h"

#include <string.h>

const struct policy_clause *sla_watchdog_clause(const struct policy *policy, uint32_t i)
{
    return (const struct policy_clause *)policy->sla.items + i;
}

int sla_watchdog_clause_place(const struct policy *policy, const char *id)
{
    const struct policy_clause *clause = policy_clause(policy, id);
    return clause ? (int)(clause - sla_watchdog_clause(policy, 0)) : -1;
}

int64_t sla_watchdog_first_k(int64_t count)
{
    return count > CLOCKS_LOOKED_AT ? count - CLOCKS_LOOKED_AT + 1 : 1;
}

/* --- the story ------------------------------------------------------------------------------ */

static bool story_follow(struct story *s, const struct published *published)
{
    s->policy = published ? reference_policy(s->tables, published->version) : NULL;
    s->published = published;
    s->zone = s->policy ? zone_find(s->policy->zone) : NULL;
    return s->zone != NULL;
}

bool sla_watchdog_story_pauses(struct story *s)
{
    char key[sizeof((struct pause *)0)->pause];
    s->pauses_n = 0;
    for (int64_t n = 1; n <= s->subject.pauses_n && n <= PAUSE_ROWS_MAX; n++) {
        text_format(key, sizeof key, "%s/%lld", s->subject.subject, (long long)n);
        const struct pause *p = table_get(s->tables, SLA_WATCHDOG_PAUSE, key);
        if (p)
            s->pauses[s->pauses_n++] = (struct pause_fact){
                p->at_us, p->pos, (enum pause_kind)p->kind, p->reason, p->by, p->more_us};
    }
    return !tables_missed(s->tables);
}

bool sla_watchdog_story(struct story *s, const struct tables *tables, const char *key)
{
    const struct subject *row = table_get(tables, SLA_WATCHDOG_SUBJECT, key);
    if (!row)
        return false;
    s->tables = tables;
    s->subject = *row;
    s->moved = false;
    sla_watchdog_facts_unpack(&row->facts, row->opened_us, &s->facts);
    const struct published *published = sla_watchdog_published_at(tables, row->policy);
    if (!story_follow(s, published))
        return false;
    if (published->replaced != 0) {
        sla_watchdog_story_move(s, sla_watchdog_published_at(tables, published->replaced));
        s->moved = true;
    }
    return sla_watchdog_story_pauses(s);
}

bool sla_watchdog_story_begin(struct story *s, const struct tables *tables, const char *key,
                              const struct published *policy)
{
    memset(&s->subject, 0, sizeof s->subject);
    s->tables = tables;
    text_copy(s->subject.subject, sizeof s->subject.subject, key);
    s->subject.policy = policy ? policy->pos : 0;
    s->facts.n = 0;
    s->pauses_n = 0;
    s->moved = false;
    return story_follow(s, policy);
}

void sla_watchdog_story_move(struct story *s, const struct published *to)
{
    const struct policy *old = s->policy;
    const struct published *from = s->published;
    if (to == NULL || to == from || !story_follow(s, to)) {
        story_follow(s, from);
        return;
    }
    struct counts_blob counts = {0};
    struct subject before = s->subject;
    s->subject.counts = counts;
    for (uint32_t i = 0; i < old->sla.n; i++) {
        int place = sla_watchdog_clause_place(s->policy, sla_watchdog_clause(old, i)->id);
        if (place >= 0 && sla_watchdog_count(&before, i) > 0)
            sla_watchdog_count_set(&s->subject, (uint32_t)place, sla_watchdog_count(&before, i));
    }
    s->subject.policy = to->pos;
    s->subject.live = sla_watchdog_mask_move((uint32_t)before.live, old, s->policy);
    sla_watchdog_facts_move(&s->facts, old, s->policy);
}

/* Clocks of a clause that the policy followed from now on does not have: nobody waits for them. */
static void gone_close(const struct story *s, struct tables *tables, const struct subject *before)
{
    char id[CLOCK_ID_CAP];
    const struct published *from = sla_watchdog_published_at(tables, before->policy);
    const struct policy *old = from ? reference_policy(tables, from->version) : NULL;
    for (uint32_t i = 0; old && i < old->sla.n; i++) {
        const char *clause = sla_watchdog_clause(old, i)->id;
        if (!(before->live >> i & 1) || policy_clause(s->policy, clause))
            continue;
        int64_t count = sla_watchdog_count(before, i);
        for (int64_t k = count; k >= sla_watchdog_first_k(count); k--) {
            sla_watchdog_clock_id(before->subject, clause, k, id);
            struct clock *c = table_change(tables, SLA_WATCHDOG_CLOCK, id);
            if (!c || !c->open)
                continue;
            c->state = c->state == CLOCK_RUNNING ? CLOCK_OVER : c->state;
            c->next_us = 0;
            c->lapsed = true;
            c->open = false;
        }
    }
}

void sla_watchdog_story_keep(const struct story *s, struct tables *tables)
{
    struct subject *row = table_change(tables, SLA_WATCHDOG_SUBJECT, s->subject.subject);
    if (!row && tables_missed(tables))
        return;
    if (row && row->policy != 0 && row->policy != s->subject.policy && s->policy) {
        struct subject before = *row;
        gone_close(s, tables, &before);
        row = table_change(tables, SLA_WATCHDOG_SUBJECT, s->subject.subject);
    }
    if (!row)
        row = table_new(tables, SLA_WATCHDOG_SUBJECT, s->subject.subject);
    struct facts facts = s->facts;
    *row = s->subject;
    row->forgotten += sla_watchdog_facts_pack(&facts, row->opened_us, &row->facts);
    row->open = (row->ticket && row->ended_us == 0) || row->live != 0;
}

/* --- terms ---------------------------------------------------------------------------------- */

static bool terms_of_line(const struct story *s, const struct policy_clause *clause,
                          const struct policy_limit *line, int64_t quantity, struct terms *out)
{
    const char *name = policy_limit_calendar(clause, line);
    bool needs = policy_counts_working_time(line->limit.unit);
    *out = (struct terms){.clock = {.clause = clause, .line = line, .zone = s->zone},
                          .line = line - (const struct policy_limit *)clause->limits.items + 1,
                          .version = ""};
    out->clock.quantity = quantity > 0 ? quantity : s->subject.quantity;
    out->clock.calendar = *name ? reference_calendar(s->tables, name) : NULL;
    if (needs && !out->clock.calendar)
        return false;
    if ((needs || *line->by) && out->clock.calendar) {
        const struct published *p =
            sla_watchdog_published_newest(s->tables, PUBLISHED_CALENDAR, name);
        out->calendar = p ? p->pos : 0;
        out->version = p ? p->version : "";
    }
    return true;
}

bool sla_watchdog_terms(const struct story *s, uint32_t i, int64_t tier, int64_t quantity,
                        struct terms *out)
{
    const struct policy_clause *clause = sla_watchdog_clause(s->policy, i);
    const struct subject *t = &s->subject;
    struct policy_subject subject = {.kind = t->kind,
                                     .region = t->region,
                                     .priority = t->priority,
                                     .product = t->product,
                                     .channel = t->channel,
                                     .coverage = t->coverage,
                                     .tier = tier,
                                     .phase = t->phase,
                                     .region_class = policy_region_class(s->policy, t->region)};
    const struct policy_limit *line = policy_limit(clause, &subject);
    return line && terms_of_line(s, clause, line, quantity, out);
}

/* --- clocks --------------------------------------------------------------------------------- */

/* The facts of one story of a job come in its order: an arrival told before the acceptance says
 * that somebody is there. */
static bool goes_one_way(const struct policy_clause *clause)
{
    const struct policy_event *starts = clause->start.items, *stops = clause->stop.items;
    for (uint32_t i = 0; i < clause->start.n; i++)
        if (!text_starts(starts[i].type, "job."))
            return false;
    for (uint32_t i = 0; i < clause->stop.n; i++)
        if (!text_starts(stops[i].type, "job."))
            return false;
    return true;
}

static void pauses_fill(const struct story *s, uint32_t i, struct outlook *out)
{
    struct pause_fact facts[PAUSE_ROWS_MAX];
    memcpy(facts, s->pauses, s->pauses_n * sizeof facts[0]);
    out->pauses_n = sla_watchdog_pauses(s->policy, sla_watchdog_clause(s->policy, i), facts,
                                        s->pauses_n, out->pauses);
}

/* What the row knows stands beside the facts: the oldest of these may be forgotten. */
static size_t facts_fill(const struct story *s, uint32_t i, const struct clock *c,
                         struct clock_fact facts[CLOCK_FACTS_MAX + 2])
{
    size_t n = sla_watchdog_facts_of(&s->facts, i, facts);
    if (c->stopped_us)
        facts[n++] = (struct clock_fact){c->stopped_us, INT64_MAX, 0,
                                         c->explained ? ROLE_EXPLAIN : ROLE_STOP};
    if (c->ended_us)
        facts[n++] = (struct clock_fact){c->ended_us, INT64_MAX, 0, ROLE_CANCEL};
    return n;
}

/* By what an ended clock was counted in the end. */
static bool terms_then(const struct story *s, uint32_t i, const struct clock *c, struct terms *out)
{
    const struct policy_clause *clause = sla_watchdog_clause(s->policy, i);
    const struct policy_limit *lines = clause->limits.items;
    if (c->line < 1 || c->line > (int64_t)clause->limits.n)
        return sla_watchdog_terms(s, i, c->tier, c->quantity, out);
    return terms_of_line(s, clause, &lines[c->line - 1], c->quantity, out);
}

static bool has_ended(const struct clock *c)
{
    return c->stopped_us != 0 || c->ended_us != 0;
}

static void fold_fill(const struct story *s, uint32_t i, const struct clock *c, struct outlook *out)
{
    struct clock_fact facts[CLOCK_FACTS_MAX + 2];
    const struct policy_clause *clause = sla_watchdog_clause(s->policy, i);
    char id[POLICY_WORD_CAP];
    const struct clock_start start = {.us = c->began_us,
                                      .pos = c->start_pos,
                                      .from_us = c->counted_us,
                                      .ordered = c->ordered,
                                      .early_stop = goes_one_way(clause) &&
                                                    sla_watchdog_clock_clause(c->clock, id) == 1};
    size_t n = facts_fill(s, i, c, facts);
    pauses_fill(s, i, out);
    out->fold = sla_watchdog_fold(&out->terms.clock, &start, facts, n, out->pauses, out->pauses_n,
                                  c->from_us);
}

/* A clock that is read back when its end and then another priority were read: the end was judged by
 * what held before. */
static bool ended_before_change(const struct story *s, uint32_t i, const struct clock *c,
                                struct outlook *out, bool has)
{
    struct outlook then;
    int64_t changed = s->subject.changed_pos;
    if (has_ended(c) || changed == 0 ||
        (has && (out->fold.end == FOLD_RUNS || out->fold.end_pos > changed)) ||
        !terms_then(s, i, c, &then.terms))
        return false;
    fold_fill(s, i, c, &then);
    if (then.fold.end == FOLD_RUNS || then.fold.end_pos > changed)
        return false;
    *out = then;
    return true;
}

bool sla_watchdog_outlook(const struct story *s, uint32_t i, const struct clock *c,
                          struct outlook *out)
{
    bool has = has_ended(c) ? terms_then(s, i, c, &out->terms)
                            : sla_watchdog_terms(s, i, c->tier, c->quantity, &out->terms);
    if (has)
        fold_fill(s, i, c, out);
    return ended_before_change(s, i, c, out, has) || has;
}

bool sla_watchdog_prospect(const struct story *s, uint32_t i, const struct fact *f, int64_t k,
                           struct outlook *out)
{
    struct clock_fact facts[CLOCK_FACTS_MAX];
    if (!sla_watchdog_terms(s, i, f->tier, f->quantity, &out->terms))
        return false;
    const struct clock_start start = {
        .us = f->us,
        .pos = f->pos,
        .from_us = f->from_us ? f->from_us : f->us,
        .ordered = f->ordered,
        .early_stop = goes_one_way(sla_watchdog_clause(s->policy, i)) && k == 1};
    size_t n = sla_watchdog_facts_of(&s->facts, i, facts);
    pauses_fill(s, i, out);
    out->fold = sla_watchdog_fold(&out->terms.clock, &start, facts, n, out->pauses, out->pauses_n,
                                  start.from_us);
    return true;
}

bool sla_watchdog_chosen_anew(const struct story *s, const struct clock *c, const struct terms *t)
{
    char follows[sizeof c->follows];
    sla_watchdog_follows(s->subject.policy, t->calendar, follows);
    return !text_equal(follows, c->follows) || t->line != c->line ||
           t->clock.line->limit.n != c->span.n || t->clock.line->limit.unit != c->span.unit;
}

bool sla_watchdog_limit_differs(const struct clock *c, const struct outlook *o)
{
    const struct policy_limit *line = o->terms.clock.line;
    if (o->fold.due_us == 0 || c->due_us == 0 || c->said_us == 0)
        return line->limit.n != c->span.n || line->limit.unit != c->span.unit;
    return o->fold.due_us != c->said_us;
}

const struct clock_pause *sla_watchdog_held(const struct outlook *o, int64_t now_us)
{
    int64_t us = o->fold.end == FOLD_RUNS ? now_us : o->fold.end_us;
    int64_t over_us = o->fold.end == FOLD_RUNS ? us : us - 1; /* an end at the limit is in time */
    if (o->fold.due_us != 0 && o->fold.due_us <= over_us)
        return NULL;
    const struct clock_pause *held = sla_watchdog_pause_at(o->pauses, o->pauses_n, us);
    return held ? held
                : sla_watchdog_pause_at(o->pauses, o->pauses_n,
                                        over_us); /* the end has ended the wait */
}

struct clock_judgement sla_watchdog_judgement(const struct clock *c, const struct outlook *o,
                                              int64_t now_us)
{
    int64_t old_due_us = 0;
    if (o->fold.reset_us != 0)
        old_due_us =
            sla_watchdog_due(&o->terms.clock, c->from_us, o->pauses, o->pauses_n, o->fold.reset_us);
    return sla_watchdog_judge((enum clock_state)c->state, c->corrections > 0, &o->fold, old_due_us,
                              now_us);
}

/* --- rows ----------------------------------------------------------------------------------- */

/* Levels older than a choice that was past when it was made are not told. */
static void next_level(const struct outlook *o, struct clock *c)
{
    const struct policy_clause *clause = o->terms.clock.clause;
    int64_t level = c->level == CLOCK_LEVEL_NONE ? policy_level_first(clause) : c->level + 1;
    for (; level <= policy_level_last(clause); level++) {
        const struct policy_level *l = policy_level(clause, (int)level);
        if (l && policy_counts_working_time(l->at.unit) && !o->terms.clock.calendar)
            continue;
        int64_t us = policy_level_at(clause, (int)level, o->terms.clock.zone,
                                     o->terms.clock.calendar, c->said_us);
        if (c->since_us != 0 && level != 0 && us <= c->since_us)
            continue;
        c->next_level = level;
        c->next_us = us;
        return;
    }
}

/* The next instant of a clock that runs: none while something about it has to be said first. */
static void next_set(const struct story *s, const struct outlook *o, struct clock *c,
                     int64_t now_us)
{
    const struct clock_pause *held = sla_watchdog_held(o, now_us);
    if (o->fold.reset_us != 0 || c->corrections > 0)
        return;
    switch ((enum clock_state)c->state) {
    case CLOCK_RUNNING:
        if (sla_watchdog_chosen_anew(s, c, &o->terms) && sla_watchdog_limit_differs(c, o))
            return;
        if (held && c->said_us == 0)
            c->next_us = held->to_us;
        else if (c->said_us != 0 && c->said_us == o->fold.due_us)
            next_level(o, c); /* a wait that moves nothing may be over before it is spoken of */
        break;
    case CLOCK_BREACHED:
        if (o->fold.due_us != 0 && o->fold.due_us <= now_us)
            next_level(o, c);
        break;
    case CLOCK_MET:
    case CLOCK_OVER:
        break;
    }
}

/* No line is for it. It may come back, unless it ends before. */
static void lapse(const struct story *s, uint32_t i, struct clock *c)
{
    struct outlook o;
    c->lapsed = true;
    if (c->state == CLOCK_RUNNING)
        c->state = CLOCK_OVER;
    c->open = false;
    if (!terms_then(s, i, c, &o.terms))
        return;
    fold_fill(s, i, c, &o);
    c->stopped_us = o.fold.end == FOLD_STOPPED ? o.fold.end_us : 0;
    c->ended_us = o.fold.end == FOLD_CANCELLED ? o.fold.end_us : 0;
}

static void refresh_clock(const struct story *s, uint32_t i, struct clock *c, int64_t now_us)
{
    struct outlook o;
    c->next_us = 0;
    if ((c->lapsed && has_ended(c)) || !sla_watchdog_outlook(s, i, c, &o)) {
        lapse(s, i, c);
        return;
    }
    bool ended = o.fold.end != FOLD_RUNS;
    c->lapsed = false;
    c->due_us = o.fold.due_us;
    c->stopped_us = o.fold.end == FOLD_STOPPED ? o.fold.end_us : 0;
    c->ended_us = o.fold.end == FOLD_CANCELLED ? o.fold.end_us : 0;
    c->explained = o.fold.explained;
    struct clock_judgement j = sla_watchdog_judgement(c, &o, now_us);
    if (ended) {
        c->line = o.terms.line;
        c->span = o.terms.clock.line->limit;
        if (o.fold.end == FOLD_CANCELLED && c->state == CLOCK_RUNNING && j.verdict == VERDICT_NONE)
            c->state = CLOCK_OVER;
        c->open = j.verdict != VERDICT_NONE;
        return;
    }
    c->open = true;
    if (j.verdict == VERDICT_NONE)
        next_set(s, &o, c, now_us);
}

static void refresh_clause(struct story *s, struct tables *tables, uint32_t i, int64_t now_us)
{
    char id[CLOCK_ID_CAP];
    int64_t count = sla_watchdog_count(&s->subject, i);
    bool live = false;
    for (int64_t k = count; k >= sla_watchdog_first_k(count); k--) {
        sla_watchdog_clock_id(s->subject.subject, sla_watchdog_clause(s->policy, i)->id, k, id);
        const struct clock *row = table_get(tables, SLA_WATCHDOG_CLOCK, id);
        if (!row)
            continue;
        struct clock c = *row; /* what is read meanwhile puts a row being changed in its place */
        refresh_clock(s, i, &c, now_us);
        *(struct clock *)table_change(tables, SLA_WATCHDOG_CLOCK, id) = c;
        live = live || c.open || (c.lapsed && !has_ended(&c));
        int64_t end_us = c.stopped_us ? c.stopped_us : c.ended_us;
        if (end_us > s->subject.quiet_us)
            s->subject.quiet_us = end_us;
    }
    if (live)
        s->subject.live |= INT64_C(1) << i;
    else
        s->subject.live &= ~(INT64_C(1) << i);
}

void sla_watchdog_refresh(struct story *s, struct tables *tables, uint32_t clauses, int64_t us,
                          int64_t now_us)
{
    for (uint32_t i = 0; i < s->policy->sla.n; i++) {
        bool live = s->subject.live >> i & 1;
        if ((clauses >> i & 1) && (live || us <= s->subject.quiet_us))
            refresh_clause(s, tables, i, now_us);
    }
}
