/* Waits: facts that begin and end them, and their budgets, as intervals. */
#include "services/sla-watchdog/clock.h"

#include "base/text.h"

#include <stdlib.h>
#include <string.h>

static int fact_order(const void *a, const void *b)
{
    const struct pause_fact *x = a, *y = b;
    if (x->us != y->us)
        return x->us < y->us ? -1 : 1;
    if (x->kind != y->kind)
        return x->kind < y->kind ? -1 : 1;
    return (x->pos > y->pos) - (x->pos < y->pos);
}

static int pause_order(const void *a, const void *b)
{
    const struct clock_pause *x = a, *y = b;
    if (x->from_us != y->from_us)
        return x->from_us < y->from_us ? -1 : 1;
    return strcmp(x->reason, y->reason);
}

struct waiting {
    struct clock_pause *out;
    size_t n;
    const char *reason, *by;
    bool waits, bounded;
    int64_t since_us; /* waits, and its time has been taken off the budget up to here */
    int64_t left_us;  /* of the budget */
};

static void add(struct waiting *w, int64_t from_us, int64_t to_us, bool used_up)
{
    to_us = instant_kept(to_us);
    if (to_us != 0 && to_us <= from_us)
        return;
    struct clock_pause *last = w->n ? &w->out[w->n - 1] : NULL;
    if (last && text_equal(last->reason, w->reason) && last->to_us == from_us) {
        last->to_us = to_us; /* more was approved just then */
        last->used_up = used_up;
    } else if (w->n < POLICY_PAUSES_COUNTED_MAX) {
        w->out[w->n++] = (struct clock_pause){from_us, to_us, w->reason, w->by, used_up};
    }
}

/* The wait at hand lasts at least up to then. */
static void wait_until(struct waiting *w, int64_t us)
{
    if (!w->waits || us <= w->since_us)
        return;
    int64_t length = us - w->since_us;
    if (w->bounded && length > w->left_us)
        length = w->left_us;
    add(w, w->since_us, w->since_us + length, w->since_us + length < us);
    if (w->bounded)
        w->left_us -= length;
    w->since_us = us;
}

static void wait_on(struct waiting *w)
{
    if (w->waits && !w->bounded)
        add(w, w->since_us, 0, false);
    else if (w->waits)
        add(w, w->since_us, w->since_us + w->left_us, true);
}

int64_t sla_watchdog_span_us(struct span span)
{
    if (span.unit == SPAN_WORKING_HOURS)
        span.unit = SPAN_HOURS;
    if (span.unit == SPAN_WORKING_DAYS)
        span.unit = SPAN_DAYS;
    if (span.unit == SPAN_MONTHS)
        span = (struct span){span.n * 30, SPAN_DAYS};
    if (span.unit == SPAN_YEARS)
        span = (struct span){span.n * 365, SPAN_DAYS};
    return span.unit == SPAN_NONE ? 0 : span_us(span);
}

/* ticket.waiting is a state: a ticket waits for one thing at a time. Other events (hazard.found)
 * begin waits beside it. */
static bool is_state(const struct policy_pause *pause)
{
    return pause->begin.n == 0 || policy_event_is(&pause->begin, "ticket.waiting");
}

static bool is_state_of(const struct policy *policy, const char *reason)
{
    const struct policy_pause *pauses = policy->pauses.items;
    for (uint32_t i = 0; i < policy->pauses.n; i++)
        if (text_equal(pauses[i].reason, reason))
            return is_state(&pauses[i]);
    return true; /* only ticket.waiting says what the policy does not know */
}

static void reason_fold(struct waiting *w, const struct policy *policy,
                        const struct policy_pause *pause, const struct pause_fact *facts, size_t n)
{
    w->reason = pause->reason;
    w->waits = false;
    w->bounded = pause->budget.unit != SPAN_NONE;
    w->left_us = sla_watchdog_span_us(pause->budget);
    for (size_t i = 0; i < n; i++) {
        const struct pause_fact *f = &facts[i];
        bool other = !text_equal(f->reason, pause->reason);
        if (other && !(f->kind == PAUSE_END && !*f->reason) && f->kind != PAUSE_OVER &&
            !(f->kind == PAUSE_BEGIN && is_state(pause) && is_state_of(policy, f->reason)))
            continue;
        wait_until(w, f->us);
        switch (f->kind) {
        case PAUSE_MORE:
            w->left_us += f->more_us;
            break;
        case PAUSE_BEGIN:
            if (other) {
                w->waits = false;
            } else if (!w->waits) {
                w->waits = true;
                w->since_us = f->us;
                w->by = f->by;
            }
            break;
        case PAUSE_OVER:
        case PAUSE_END:
            w->waits = false;
            break;
        }
    }
    wait_on(w);
}

size_t sla_watchdog_pauses(const struct policy *policy, const struct policy_clause *clause,
                           struct pause_fact *facts, size_t n,
                           struct clock_pause out[POLICY_PAUSES_COUNTED_MAX])
{
    struct waiting w = {.out = out};
    const struct policy_pause *pauses = policy->pauses.items;
    if (n == 0)
        return 0;
    qsort(facts, n, sizeof *facts, fact_order);
    for (uint32_t i = 0; i < policy->pauses.n; i++)
        if (policy_clause_pauses(clause, pauses[i].reason))
            reason_fold(&w, policy, &pauses[i], facts, n);
    if (w.n > 0)
        qsort(out, w.n, sizeof *out, pause_order);
    return w.n;
}

const struct clock_pause *sla_watchdog_pause_at(const struct clock_pause *pauses, size_t n,
                                                int64_t us)
{
    for (size_t i = 0; i < n; i++)
        if (pauses[i].from_us <= us && (pauses[i].to_us == 0 || us < pauses[i].to_us))
            return &pauses[i];
    return NULL;
}

int64_t sla_watchdog_paused_us(const struct clock_pause *pauses, size_t n, int64_t from_us,
                               int64_t to_us)
{
    int64_t at = from_us, sum = 0;
    for (size_t i = 0; i < n; i++) {
        int64_t from = pauses[i].from_us > at ? pauses[i].from_us : at;
        int64_t to = pauses[i].to_us == 0 || pauses[i].to_us > to_us ? to_us : pauses[i].to_us;
        if (to <= from)
            continue;
        sum += to - from;
        at = to;
    }
    return sum;
}
