#include "services/sla-watchdog/clock.h"

#include "base/text.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* --- names ---------------------------------------------------------------------------------- */

void sla_watchdog_clock_id(const char *key, const char *clause, int64_t k, char out[CLOCK_ID_CAP])
{
    text_format(out, CLOCK_ID_CAP, "%s/%s.%lld", key, clause, (long long)k);
}

static const char *id_clause(const char *id)
{
    const char *slash = strchr(id, '/'); /* a key has none */
    assert(slash);
    return slash + 1;
}

void sla_watchdog_clock_key(const char *id, char out[EVENT_KEY_CAP])
{
    text_copy_n(out, EVENT_KEY_CAP, id, (size_t)(id_clause(id) - 1 - id));
}

int64_t sla_watchdog_clock_clause(const char *id, char out[POLICY_WORD_CAP])
{
    const char *clause = id_clause(id), *point = strrchr(clause, '.');
    assert(point);
    text_copy_n(out, POLICY_WORD_CAP, clause, (size_t)(point - clause));
    return strtoll(point + 1, NULL, 10);
}

void sla_watchdog_slot(const char *word, const char *id, int64_t n, int64_t target,
                       char out[EVENT_ID_CAP])
{
    const char *clause = id_clause(id);
    text_format(out, EVENT_ID_CAP, "sla-watchdog/%.*s/%s/%s/%lld/%lld", (int)(clause - 1 - id), id,
                word, clause, (long long)n, (long long)target);
}

/* --- the fold ------------------------------------------------------------------------------- */

int64_t sla_watchdog_due(const struct clock_terms *terms, int64_t from_us,
                         const struct clock_pause *pauses, size_t n, int64_t cut_us)
{
    struct pause_interval cut[POLICY_PAUSES_COUNTED_MAX];
    size_t kept = 0;
    for (size_t i = 0; i < n && pauses[i].from_us < cut_us; i++) {
        int64_t to_us = pauses[i].to_us;
        if (cut_us != INT64_MAX && (to_us == 0 || to_us > cut_us))
            to_us = cut_us;
        struct pause_interval *last = kept ? &cut[kept - 1] : NULL;
        if (last && (last->to_us == 0 || last->to_us >= pauses[i].from_us)) {
            if (last->to_us != 0 && (to_us == 0 || to_us > last->to_us))
                last->to_us = to_us;
        } else if (to_us == 0 || to_us > pauses[i].from_us) {
            cut[kept++] = (struct pause_interval){pauses[i].from_us, to_us};
        }
    }
    return policy_due_paused(terms->clause, terms->line, terms->quantity, terms->zone,
                             terms->calendar, from_us, cut, kept);
}

/* Does the fact come behind the start? What is both a stop and a start ends only what began before
 * it. */
static bool is_behind(const struct clock_fact *f, const struct clock_start *s)
{
    if (f->us != s->us)
        return f->us > s->us;
    if (f->pos == s->pos)
        return false;
    bool in_order = s->ordered || (f->roles & (ROLE_START | ROLE_END));
    return !in_order || f->pos > s->pos;
}

/* When the first fact with such a role counts, and its position; us 0: there is none. */
struct first {
    int64_t us, pos;
};

static struct first first_of(const struct clock_start *s, const struct clock_fact *facts, size_t n,
                             unsigned roles)
{
    struct first first = {0};
    for (size_t i = 0; i < n; i++) {
        const struct clock_fact *f = &facts[i];
        if (!(f->roles & roles) || f->pos == s->pos)
            continue;
        int64_t at = f->us;
        if (!is_behind(f, s)) {
            if (!(roles & ROLE_STOP) || !s->early_stop || (f->roles & ROLE_START))
                continue;
            at = s->us;
        }
        if (first.us == 0 || at < first.us || (at == first.us && f->pos < first.pos))
            first = (struct first){at, f->pos};
    }
    return first;
}

/* The last reset before end_us, in order of instant, then position. */
static const struct clock_fact *last_reset(const struct clock_start *s,
                                           const struct clock_fact *facts, size_t n, int64_t end_us)
{
    const struct clock_fact *last = NULL;
    for (size_t i = 0; i < n; i++) {
        const struct clock_fact *f = &facts[i];
        if (!(f->roles & ROLE_RESET) || f->pos == s->pos || f->us < s->us || f->us >= end_us)
            continue;
        if (f->us == s->us && f->pos < s->pos && (f->roles & ROLE_START))
            continue;
        if (!last || f->us > last->us || (f->us == last->us && f->pos > last->pos))
            last = f;
    }
    return last;
}

static int64_t counted_from(const struct clock_start *s, const struct clock_fact *reset)
{
    if (!reset)
        return s->from_us;
    return reset->from_us ? reset->from_us : reset->us;
}

/* The first reset behind what was counted from since_us. */
static int64_t reset_behind(const struct clock_start *s, const struct clock_fact *facts, size_t n,
                            int64_t since_us, int64_t end_us)
{
    int64_t us = 0, known_us = s->us;
    for (size_t i = 0; i < n; i++) /* the reset that was said */
        if ((facts[i].roles & ROLE_RESET) && facts[i].us > known_us &&
            counted_from(s, &facts[i]) == since_us)
            known_us = facts[i].us;
    for (size_t i = 0; i < n; i++) {
        const struct clock_fact *f = &facts[i];
        if ((f->roles & ROLE_RESET) && f->pos != s->pos && f->us >= known_us && f->us < end_us &&
            counted_from(s, f) != since_us && (us == 0 || f->us < us))
            us = f->us;
    }
    return us;
}

/* The first explanation before end_us that came before the limit; 0: none. */
static int64_t explained_us(const struct clock_terms *terms, const struct clock_start *s,
                            const struct clock_fact *facts, size_t n,
                            const struct clock_pause *pauses, size_t pauses_n, int64_t end_us)
{
    int64_t first = 0;
    for (size_t i = 0; i < n; i++) {
        int64_t us = facts[i].us;
        if (!(facts[i].roles & ROLE_EXPLAIN) || !is_behind(&facts[i], s) || us >= end_us ||
            (first != 0 && us >= first))
            continue;
        int64_t from = counted_from(s, last_reset(s, facts, n, us));
        if (us <= sla_watchdog_due(terms, from, pauses, pauses_n, us))
            first = us;
    }
    return first;
}

struct clock_fold sla_watchdog_fold(const struct clock_terms *terms, const struct clock_start *s,
                                    const struct clock_fact *facts, size_t n,
                                    const struct clock_pause *pauses, size_t pauses_n,
                                    int64_t since_us)
{
    struct clock_fold fold = {.end = FOLD_RUNS};
    struct first stop = first_of(s, facts, n, ROLE_STOP);
    struct first cancel = first_of(s, facts, n, ROLE_CANCEL | ROLE_END);
    if (stop.us != 0 && (cancel.us == 0 || stop.us <= cancel.us)) {
        fold.end = FOLD_STOPPED;
        fold.end_us = stop.us;
        fold.end_pos = stop.pos;
    } else if (cancel.us != 0) {
        fold.end = FOLD_CANCELLED;
        fold.end_us = cancel.us;
        fold.end_pos = cancel.pos;
    }
    int64_t explained = explained_us(terms, s, facts, n, pauses, pauses_n,
                                     fold.end == FOLD_RUNS ? INT64_MAX : fold.end_us);
    if (explained != 0) {
        fold.end = FOLD_STOPPED;
        fold.end_us = explained;
        fold.end_pos = INT64_MAX; /* it counts by the limit that holds now */
        fold.explained = true;
    }
    int64_t end_us = fold.end == FOLD_RUNS ? INT64_MAX : fold.end_us;
    fold.from_us = counted_from(s, last_reset(s, facts, n, end_us));
    fold.reset_us = reset_behind(s, facts, n, since_us, end_us);
    fold.due_us = sla_watchdog_due(terms, fold.from_us, pauses, pauses_n, end_us);
    return fold;
}

/* A stop exactly at the due instant is in time. */
static bool is_in_time(const struct clock_fold *fold)
{
    return fold->end_us <= fold->due_us;
}

/* --- what is to be said --------------------------------------------------------------------- */

static struct clock_judgement corrected_to(enum clock_state is, const char *reason)
{
    return (struct clock_judgement){.verdict = VERDICT_CORRECTED, .is = is, .reason = reason};
}

static struct clock_judgement judge_verdict(enum clock_state state, bool corrected, bool good,
                                            const char *reason)
{
    switch (state) {
    case CLOCK_RUNNING:
    case CLOCK_OVER:
        if (corrected) /* its slot is filled */
            return corrected_to(good ? CLOCK_MET : CLOCK_BREACHED, reason);
        return (struct clock_judgement){.verdict = good ? VERDICT_MET : VERDICT_BREACHED};
    case CLOCK_BREACHED:
        if (good)
            return corrected_to(CLOCK_MET, reason);
        break;
    case CLOCK_MET:
        if (!good)
            return corrected_to(CLOCK_BREACHED, reason);
        break;
    }
    return (struct clock_judgement){.verdict = VERDICT_NONE};
}

/* It ended without its stop: what was broken by then stays broken. */
static struct clock_judgement judge_end(enum clock_state state, bool corrected, bool broken)
{
    if (broken)
        return judge_verdict(state, corrected, false, "late-fact");
    if (state == CLOCK_BREACHED || state == CLOCK_MET)
        return corrected_to(CLOCK_OVER, "ended");
    return (struct clock_judgement){.verdict = VERDICT_NONE};
}

static struct clock_judgement judge(enum clock_state state, bool corrected,
                                    const struct clock_fold *fold, int64_t old_due_us,
                                    int64_t now_us)
{
    static const struct clock_judgement nothing = {.verdict = VERDICT_NONE};
    if (fold->end == FOLD_STOPPED)
        return judge_verdict(state, corrected, is_in_time(fold),
                             state == CLOCK_BREACHED ? "reported-late" : "late-fact");
    if (fold->end == FOLD_CANCELLED)
        return judge_end(state, corrected, fold->due_us < fold->end_us);
    if (state == CLOCK_MET)
        return corrected_to(CLOCK_RUNNING, "late-fact");
    if (fold->reset_us != 0) {
        bool broken = old_due_us != 0 && old_due_us < fold->reset_us;
        if (state == CLOCK_RUNNING && broken && corrected)
            return corrected_to(CLOCK_BREACHED, "reset");
        if (state == CLOCK_RUNNING && broken)
            return (struct clock_judgement){.verdict = VERDICT_BREACHED, .due_us = old_due_us};
        if (state == CLOCK_BREACHED && !broken)
            return corrected_to(CLOCK_RUNNING, "reset");
        return nothing;
    }
    if (state == CLOCK_BREACHED && (fold->due_us == 0 || fold->due_us > now_us))
        return corrected_to(CLOCK_RUNNING, "late-fact");
    return nothing;
}

struct clock_judgement sla_watchdog_judge(enum clock_state state, bool corrected,
                                          const struct clock_fold *fold, int64_t old_due_us,
                                          int64_t now_us)
{
    struct clock_judgement j = judge(state, corrected, fold, old_due_us, now_us);
    if (j.due_us == 0)
        j.due_us = fold->due_us;
    return j;
}

bool sla_watchdog_idle(const int64_t *ends_us, size_t n, int64_t us)
{
    for (size_t i = 0; i < n; i++)
        if (ends_us[i] == 0 || ends_us[i] > us)
            return false;
    return true;
}
