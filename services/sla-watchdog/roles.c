#include "services/sla-watchdog/roles.h"

#include "base/text.h"
#include "services/sla-watchdog/data.h"
#include "services/sla-watchdog/weigh.h"

static const char assessed[] = "ticket.assessed", registered[] = "ticket.registered";

static bool starts_with_ticket(const struct policy_clause *clause)
{
    return policy_event_is(&clause->start, assessed) || policy_event_is(&clause->start, registered);
}

static bool ends_ticket(const char *type)
{
    return text_equal(type, "ticket.closed") || text_equal(type, "ticket.cancelled");
}

/* What was promised beyond the ticket, measures or an apology, is owed when the customer is content. */
static bool outlives(const struct policy_clause *clause, const char *type)
{
    return clause->outlives && text_equal(type, "ticket.closed");
}

static bool starts_at_end(const struct policy_clause *clause)
{
    return policy_event_is(&clause->start, "ticket.closed") ||
           policy_event_is(&clause->start, "ticket.cancelled");
}

static bool clause_names(const struct policy_clause *clause, const char *type)
{
    return policy_event_is(&clause->start, type) || policy_event_is(&clause->stop, type) ||
           policy_event_is(&clause->reset, type) || policy_event_is(&clause->cancel, type);
}

bool sla_watchdog_asks_registration(const struct policy *policy)
{
    for (uint32_t i = 0; i < policy->sla.n; i++) {
        const struct slice *start = &sla_watchdog_clause(policy, i)->start;
        const struct policy_event *events = start->items;
        for (uint32_t e = 0; e < start->n; e++)
            if (text_equal(events[e].type, registered) && (events[e].when.n > 0 || *events[e].from))
                return true;
    }
    return false;
}

uint32_t sla_watchdog_registration_only(const struct policy *policy)
{
    uint32_t clauses = 0;
    for (uint32_t i = 0; i < policy->sla.n; i++) {
        const struct slice *start = &sla_watchdog_clause(policy, i)->start;
        if (policy_event_is(start, registered) && !policy_event_is(start, assessed))
            clauses |= UINT32_C(1) << i;
    }
    return clauses;
}

bool sla_watchdog_concerns(const struct policy *policy, const char *type)
{
    const struct policy_pause *pauses = policy->pauses.items;
    if (ends_ticket(type) || text_equal(type, assessed) ||
        text_equal(type, "ticket.reclassified") || text_equal(type, "ticket.reopened") ||
        text_equal(type, "ticket.explained") ||
        (policy->pauses.n > 0 && text_equal(type, "ticket.resolved")))
        return true;
    for (uint32_t i = 0; i < policy->sla.n; i++)
        if (clause_names(sla_watchdog_clause(policy, i), type))
            return true;
    for (uint32_t i = 0; i < policy->pauses.n; i++)
        if (policy_event_is(&pauses[i].begin, type) || policy_event_is(&pauses[i].end, type))
            return true;
    return policy->pauses.n > 0 &&
           (text_equal(type, "ticket.waiting") || text_equal(type, "ticket.resumed") ||
            text_equal(type, "approval.decided"));
}

/* Registration and assessment are one: both count from the ticket's opening. */
static const struct policy_event *find(const struct slice *events, const struct event *event,
                                       const struct policy_data *data)
{
    const struct policy_event *found = policy_event_find(events, event->type, data);
    if (!found && text_equal(event->type, assessed))
        found = policy_event_find(events, registered, data);
    return found;
}

static void start_set(const struct policy_clause *clause, const struct event *event,
                      const struct policy_data *data, uint32_t bit, struct fact *out)
{
    const struct policy_event *start = find(&clause->start, event, data);
    int64_t from_us = start && *start->from ? sla_watchdog_data_time(event, start->from) : 0;
    if (!start || (*start->from && from_us == 0))
        return;
    out->roles[FACT_STARTS] |= bit;
    if (from_us != 0) { /* said again while it runs: what was agreed has moved */
        out->from_us = from_us;
        out->roles[FACT_RESETS] |= bit;
    }
}

static void reset_set(const struct policy_clause *clause, const struct event *event,
                      const struct policy_data *data, uint32_t bit, struct fact *out)
{
    const struct policy_event *reset = find(&clause->reset, event, data);
    int64_t from_us = reset && *reset->from ? sla_watchdog_data_time(event, reset->from) : 0;
    if (!reset || (*reset->from && from_us == 0))
        return;
    out->roles[FACT_RESETS] |= bit;
    if (from_us != 0)
        out->from_us = from_us;
}

static void clause_set(const struct policy_clause *clause, const struct event *event, bool ticket,
                       uint32_t bit, struct fact *out)
{
    const struct policy_data data = sla_watchdog_data(event);
    start_set(clause, event, &data, bit, out);
    if (find(&clause->stop, event, &data))
        out->roles[FACT_STOPS] |= bit;
    reset_set(clause, event, &data, bit, out);
    if (find(&clause->cancel, event, &data))
        out->roles[FACT_CANCELS] |= bit;
    else if (ticket && out->ends && !starts_at_end(clause) && !outlives(clause, event->type))
        out->roles[FACT_CANCELS] |= bit;
    if (ticket && out->reopens && starts_with_ticket(clause))
        out->roles[FACT_STARTS] |= bit;
    if (clause->explain && text_equal(event->type, "ticket.explained")) {
        char id[POLICY_WORD_CAP];
        sla_watchdog_data_text(event, "clause", id, sizeof id);
        if (!*id || text_equal(id, clause->id))
            out->roles[FACT_EXPLAINS] |= bit;
    }
    if (out->roles[FACT_STARTS] & (out->roles[FACT_STOPS] | out->roles[FACT_RESETS]) & bit)
        out->roles[FACT_DOUBLES] |= bit;
}

void sla_watchdog_roles(const struct policy *policy, const struct event *event, bool ticket,
                        struct fact *out)
{
    *out = (struct fact){.pos = (int64_t)event->pos,
                         .ends = ticket && ends_ticket(event->type),
                         .reopens = ticket && text_equal(event->type, "ticket.reopened")};
    out->ordered = out->reopens || event->cause != 0;
    for (uint32_t i = 0; i < policy->sla.n; i++) {
        const struct policy_clause *clause = sla_watchdog_clause(policy, i);
        unsigned on = policy_clause_on(clause);
        if (ticket ? on & POLICY_ON_TICKET : on & ~(unsigned)POLICY_ON_TICKET)
            clause_set(clause, event, ticket, UINT32_C(1) << i, out);
    }
    if (!out->roles[FACT_STARTS])
        return;
    out->tier = sla_watchdog_data_int(event, "tier");
    if (!text_equal(event->type, assessed)) /* its own quantity is the subject's */
        out->quantity = sla_watchdog_data_int(event, "quantity");
}

/* --- waits ---------------------------------------------------------------------------------- */

/* Does somebody who stands high enough allow more of it? */
static bool more_of(const struct policy *policy, const struct policy_pause *pause,
                    const struct event *event)
{
    char what[32], reason[48], level[48], approved[8];
    sla_watchdog_data_text(event, "what", what, sizeof what);
    sla_watchdog_data_text(event, "reason", reason, sizeof reason);
    sla_watchdog_data_text(event, "level", level, sizeof level);
    sla_watchdog_data_text(event, "approved", approved, sizeof approved);
    if (!text_equal(what, "pause") || !text_equal(reason, pause->reason) ||
        !text_equal(approved, "true"))
        return false;
    return !*pause->more_by || text_equal(level, pause->more_by) ||
           policy_rung(policy, level) > policy_rung(policy, pause->more_by);
}

static bool over(const char *type)
{
    return text_equal(type, "ticket.resolved") || text_equal(type, "ticket.reopened");
}

void sla_watchdog_waits(const struct policy *policy, const struct event *event, bool ticket,
                        struct wait_roles *out)
{
    const struct policy_pause *pauses = policy->pauses.items;
    const struct policy_data data = sla_watchdog_data(event);
    bool decided = text_equal(event->type, "approval.decided");
    *out = (struct wait_roles){.over = ticket && over(event->type)};
    for (uint32_t i = 0; i < policy->pauses.n; i++) {
        if (policy_pause_begins(&pauses[i], event->type, &data))
            out->begins |= UINT32_C(1) << i;
        if (policy_pause_ends(&pauses[i], event->type, &data))
            out->ends |= UINT32_C(1) << i;
        if (decided && more_of(policy, &pauses[i], event))
            out->more |= UINT32_C(1) << i;
    }
    out->other = ticket && !out->begins && text_equal(event->type, "ticket.waiting");
    if (out->more) {
        char text[SPAN_TEXT_MAX];
        struct span more;
        sla_watchdog_data_text(event, "more", text, sizeof text);
        if (span_parse(text, &more))
            out->more_us = sla_watchdog_span_us(more);
    }
}

uint32_t sla_watchdog_moved_by(const struct policy *policy, const struct wait_roles *waits)
{
    const struct policy_pause *pauses = policy->pauses.items;
    uint32_t any = waits->begins | waits->ends | waits->more, clauses = 0;
    if (waits->other || waits->over || waits->begins)
        any = UINT32_MAX; /* it ends the others */
    for (uint32_t p = 0; p < policy->pauses.n; p++)
        for (uint32_t i = 0; (any >> p & 1) && i < policy->sla.n; i++)
            if (policy_clause_pauses(sla_watchdog_clause(policy, i), pauses[p].reason))
                clauses |= UINT32_C(1) << i;
    return clauses;
}
