/* Any fact: what it starts, stops, resets, cancels or explains, and what it lets wait. A key that
 * is no ticket's begins its story with the first fact that a clause names, under the policy in
 * force. */
#include "base/text.h"
#include "proto/ticket.h"
#include "services/sla-watchdog/announce.h"
#include "services/sla-watchdog/data.h"
#include "services/sla-watchdog/on.h"
#include "services/sla-watchdog/roles.h"

static int64_t instant(const struct story *s, const struct event *event)
{
    int64_t at_us = event->at_us;
    if (text_equal(event->type, "ticket.resolved")) {
        int64_t resolved_us = sla_watchdog_data_time(event, "resolved");
        at_us = resolved_us ? resolved_us : at_us;
    }
    return policy_fact_us(s->policy, at_us, event->rec_us, s->subject.opened_us);
}

/* --- waits ---------------------------------------------------------------------------------- */

static void pause_add(struct story *s, struct tables *tables, const struct event *event,
                      enum pause_kind kind, const char *reason, int64_t us, int64_t more_us)
{
    char key[sizeof((struct pause *)0)->pause];
    if (s->subject.pauses_n >= PAUSE_ROWS_MAX) {
        s->subject.forgotten++;
        return;
    }
    text_format(key, sizeof key, "%s/%lld", s->subject.subject, (long long)++s->subject.pauses_n);
    struct pause *p = table_new(tables, SLA_WATCHDOG_PAUSE, key);
    text_copy(p->reason, sizeof p->reason, reason);
    text_copy(p->by, sizeof p->by, event->by);
    p->kind = (int)kind;
    p->at_us = us;
    p->pos = (int64_t)event->pos;
    p->more_us = more_us;
}

static uint32_t waits_add(struct story *s, struct tables *tables, const struct event *event,
                          int64_t us)
{
    struct wait_roles waits;
    const struct policy_pause *pauses = s->policy->pauses.items;
    if (s->policy->pauses.n == 0)
        return 0;
    sla_watchdog_waits(s->policy, event, s->subject.ticket, &waits);
    uint32_t moved = sla_watchdog_moved_by(s->policy, &waits);
    if (waits.over)
        pause_add(s, tables, event, PAUSE_OVER, "", us, 0);
    if (waits.other) {
        char reason[sizeof((struct pause *)0)->reason];
        sla_watchdog_data_text(event, "reason", reason, sizeof reason);
        pause_add(s, tables, event, PAUSE_BEGIN, reason, us, 0);
    }
    for (uint32_t p = 0; moved && p < s->policy->pauses.n; p++) {
        if (waits.more >> p & 1)
            pause_add(s, tables, event, PAUSE_MORE, pauses[p].reason, us, waits.more_us);
        if (waits.begins >> p & 1)
            pause_add(s, tables, event, PAUSE_BEGIN, pauses[p].reason, us, 0);
        if (waits.ends >> p & 1)
            pause_add(s, tables, event, PAUSE_END, pauses[p].reason, us, 0);
    }
    return moved;
}

/* --- subjects ------------------------------------------------------------------------------- */

static void word_read(const struct event *event, const char *field, char *word, size_t cap)
{
    char text[POLICY_PRODUCT_CAP];
    sla_watchdog_data_text(event, field, text, sizeof text);
    if (*text)
        text_copy(word, cap, text);
}

/* What a start says of it; what it does not say stays. */
static void subject_read(struct subject *t, const struct event *event)
{
    word_read(event, "kind", t->kind, sizeof t->kind);
    word_read(event, "product", t->product, sizeof t->product);
    word_read(event, "channel", t->channel, sizeof t->channel);
    word_read(event, "priority", t->priority, sizeof t->priority);
    word_read(event, "coverage", t->coverage, sizeof t->coverage);
    word_read(event, "phase", t->phase, sizeof t->phase);
    if (*event->region)
        text_copy(t->region, sizeof t->region, event->region);
    word_read(event, "region", t->region, sizeof t->region);
    int64_t quantity = sla_watchdog_data_int(event, "quantity");
    t->quantity = quantity > 0 ? quantity : t->quantity;
}

/* The event is one of a key that is no ticket's: a start brings the policy in force. */
static bool subject_follow(struct story *s, const struct tables *tables, const struct event *event,
                           bool known, struct fact *fact)
{
    const struct published *newest = sla_watchdog_published_newest(tables, PUBLISHED_POLICY, NULL);
    if (!known && !sla_watchdog_story_begin(s, tables, event->key, newest))
        return false;
    sla_watchdog_roles(s->policy, event, false, fact);
    if (newest == NULL || newest == s->published)
        return true;
    const struct policy *policy = reference_policy(tables, newest->version);
    struct fact in_force;
    if (policy)
        sla_watchdog_roles(policy, event, false, &in_force);
    if (policy && in_force.roles[FACT_STARTS]) {
        sla_watchdog_story_move(s, newest);
        *fact = in_force;
    }
    return true;
}

/* --- the handler ---------------------------------------------------------------------------- */

/* ticket.reopened counts within the policy's days after the end; later it is void. */
static bool is_void(const struct story *s, const struct event *event, int64_t us)
{
    return text_equal(event->type, "ticket.reopened") && s->subject.ended_us != 0 &&
           s->policy->reopen_within.unit != SPAN_NONE &&
           us > policy_span_end_us(s->policy, s->subject.ended_us, s->policy->reopen_within);
}

static void ticket_state(struct subject *t, const struct fact *fact)
{
    if (fact->ends)
        t->ended_us = fact->us;
    if (fact->reopens)
        t->ended_us = 0;
}

static uint32_t mask_of(const struct fact *f)
{
    return f->roles[FACT_STARTS] | f->roles[FACT_STOPS] | f->roles[FACT_RESETS] |
           f->roles[FACT_CANCELS] | f->roles[FACT_EXPLAINS];
}

/* What it starts, but no line is for: where one is later, that was chosen then. */
static void lineless_set(const struct story *s, struct fact *fact)
{
    struct terms terms;
    for (uint32_t i = 0; i < s->policy->sla.n; i++)
        if ((fact->roles[FACT_STARTS] >> i & 1) &&
            !sla_watchdog_terms(s, i, fact->tier, fact->quantity, &terms))
            fact->roles[FACT_LINELESS] |= UINT32_C(1) << i;
}

static void fact_add(struct story *s, const struct fact *fact)
{
    if (s->facts.n == CLOCK_FACTS_MAX) { /* never so many fit a row */
        s->facts.n--;
        s->subject.forgotten++;
    }
    s->facts.items[s->facts.n++] = *fact;
}

static void fact_work_in(struct story *s, struct tables *tables, const struct event *event,
                         struct fact *fact, uint32_t moved)
{
    lineless_set(s, fact);
    if (!sla_watchdog_fact_is_idle(fact))
        fact_add(s, fact);
    if (moved && !sla_watchdog_story_pauses(s))
        return;
    uint32_t clauses = mask_of(fact) | moved;
    sla_watchdog_refresh(s, tables, s->moved ? UINT32_MAX : clauses, fact->us, event->rec_us);
    sla_watchdog_story_keep(s, tables);
}

/* A ticket that follows no policy that we know: nothing is promised, but its row is open or not. */
static bool apply_without_policy(struct tables *tables, const struct event *event)
{
    struct subject *t = table_change(tables, SLA_WATCHDOG_SUBJECT, event->key);
    if (text_equal(event->type, "ticket.closed") || text_equal(event->type, "ticket.cancelled"))
        t->ended_us = event->rec_us;
    if (text_equal(event->type, "ticket.reopened"))
        t->ended_us = 0;
    t->open = t->ticket && t->ended_us == 0;
    return true;
}

bool sla_watchdog_apply_fact(struct tables *tables, const struct event *event, const void *data)
{
    struct story s;
    struct fact fact;
    (void)data;
    bool known = sla_watchdog_story(&s, tables, event->key);
    if (!known && table_get(tables, SLA_WATCHDOG_SUBJECT, event->key))
        return apply_without_policy(tables, event);
    if (tables_missed(tables))
        return true;
    if (known && !s.moved && !sla_watchdog_concerns(s.policy, event->type) && s.subject.ticket)
        return true;
    if (known && s.subject.ticket)
        sla_watchdog_roles(s.policy, event, true, &fact);
    else if (!subject_follow(&s, tables, event, known, &fact))
        return true;
    fact.us = instant(&s, event);
    if (is_void(&s, event, fact.us))
        return true;
    if (!s.subject.ticket && sla_watchdog_fact_is_idle(&fact) && !known)
        return true;
    if (!s.subject.ticket && fact.roles[FACT_STARTS])
        subject_read(&s.subject, event);
    ticket_state(&s.subject, &fact);
    uint32_t moved = waits_add(&s, tables, event, fact.us);
    if (mask_of(&fact) == 0 && moved == 0 && !s.moved && !fact.ends && !fact.reopens)
        return true;
    fact_work_in(&s, tables, event, &fact, moved);
    return true;
}

void sla_watchdog_decide_fact(struct run *run, const struct tables *tables,
                              const struct event *event, const void *data)
{
    struct story s;
    (void)data;
    if (sla_watchdog_story(&s, tables, event->key) && sla_watchdog_concerns(s.policy, event->type))
        sla_watchdog_look(run, tables, event->key);
}

/* --- what a ticket is ----------------------------------------------------------------------- */

static void assessed_set(struct subject *t, const struct ticket_assessed *a)
{
    text_copy(t->kind, sizeof t->kind, a->kind);
    text_copy(t->region, sizeof t->region, a->region);
    text_copy(t->product, sizeof t->product, a->product);
    text_copy(t->channel, sizeof t->channel, a->channel);
    text_copy(t->priority, sizeof t->priority, a->priority);
    text_copy(t->coverage, sizeof t->coverage, a->coverage);
    text_copy(t->phase, sizeof t->phase, a->phase);
    t->quantity = a->quantity;
}

/* What is promised is chosen anew. */
static bool subject_changed(struct story *s, struct tables *tables, const struct event *event)
{
    s->subject.changed_pos = (int64_t)event->pos;
    sla_watchdog_refresh(s, tables, UINT32_MAX, INT64_MAX, event->rec_us);
    sla_watchdog_story_keep(s, tables);
    return sla_watchdog_apply_fact(tables, event, NULL); /* a clause may name it */
}

/* A ticket's story begins. Its number may be one that a unit or contract has: then that story goes on with it, under the
 * policy that the ticket follows. False: it follows none that we know, or rows are missing. */
static bool story_of_ticket(struct story *s, struct tables *tables, const char *key, const struct published *policy)
{
    if (table_get(tables, SLA_WATCHDOG_SUBJECT, key) == NULL)
        return !tables_missed(tables) && sla_watchdog_story_begin(s, tables, key, policy);
    if (!sla_watchdog_story(s, tables, key))
        return !tables_missed(tables) && sla_watchdog_story_begin(s, tables, key, policy);
    if (!s->subject.ticket)
        sla_watchdog_story_move(s, policy);
    return true;
}

/* Only where clauses ask what it says: its judgement is the next event, and opens the ticket. */
bool sla_watchdog_apply_ticket_registered(struct tables *tables, const struct event *event,
                                          const void *data)
{
    struct story s;
    struct fact fact;
    const struct published *newest = sla_watchdog_published_newest(tables, PUBLISHED_POLICY, NULL);
    (void)data;
    if (!newest || !story_of_ticket(&s, tables, event->key, newest) ||
        !sla_watchdog_asks_registration(s.policy))
        return true;
    sla_watchdog_roles(s.policy, event, true, &fact);
    fact.us = policy_fact_us(s.policy, event->at_us, event->rec_us, 0);
    s.subject.ticket = true;
    s.subject.opened_us = fact.us;
    fact_add(&s, &fact);
    sla_watchdog_story_keep(&s, tables);
    return true;
}

/* What the registration started keeps its place; the judgement starts the rest. */
static void registration_take(struct story *s, uint64_t registered_pos, struct fact *judged)
{
    struct fact *registered = sla_watchdog_fact_at(&s->facts, (int64_t)registered_pos);
    if (registered == NULL)
        return;
    judged->roles[FACT_STARTS] &= ~sla_watchdog_registration_only(s->policy);
    registered->us = s->subject.opened_us;
    lineless_set(s, registered);
}

static bool ticket_begin(struct tables *tables, const struct event *event,
                         const struct ticket_assessed *a)
{
    struct story s;
    const struct published *p =
        *a->policy ? sla_watchdog_published_version(tables, PUBLISHED_POLICY, NULL, a->policy)
                   : NULL;
    (void)story_of_ticket(&s, tables, event->key, p);
    if (tables_missed(tables))
        return true;
    assessed_set(&s.subject, a);
    s.subject.opened_us = a->opened_us ? a->opened_us : event->rec_us;
    s.subject.ticket = true;
    if (s.policy == NULL) { /* it follows none that we know: no promises */
        sla_watchdog_story_keep(&s, tables);
        return true;
    }
    struct fact fact;
    sla_watchdog_roles(s.policy, event, true, &fact);
    fact.us = s.subject.opened_us;
    registration_take(&s, event->cause, &fact);
    fact_work_in(&s, tables, event, &fact, 0);
    return true;
}

bool sla_watchdog_apply_ticket_assessed(struct tables *tables, const struct event *event,
                                        const void *data)
{
    const struct ticket_assessed *a = data;
    struct story s;
    if (a->again) {
        if (!sla_watchdog_story(&s, tables, event->key))
            return true;
        assessed_set(&s.subject, a);
        s.subject.changed_pos = (int64_t)event->pos;
        sla_watchdog_refresh(&s, tables, UINT32_MAX, INT64_MAX, event->rec_us);
        sla_watchdog_story_keep(&s, tables);
        return true;
    }
    return ticket_begin(tables, event, a);
}

bool sla_watchdog_apply_ticket_reclassified(struct tables *tables, const struct event *event,
                                            const void *data)
{
    const struct ticket_reclassified *r = data;
    struct story s;
    if (!sla_watchdog_story(&s, tables, event->key) || !s.subject.ticket)
        return true;
    struct subject *t = &s.subject;
    if (*r->kind)
        text_copy(t->kind, sizeof t->kind, r->kind);
    if (*r->priority)
        text_copy(t->priority, sizeof t->priority, r->priority);
    if (*r->region)
        text_copy(t->region, sizeof t->region, r->region);
    if (*r->product)
        text_copy(t->product, sizeof t->product, r->product);
    return subject_changed(&s, tables, event);
}
