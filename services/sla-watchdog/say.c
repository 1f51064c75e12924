#include "services/sla-watchdog/say.h"

#include "base/text.h"

#include <string.h>

/* The next one of a key: how many were read back, and one. */
static void scheduled_slot(const struct subject *s, char out[EVENT_ID_CAP])
{
    text_format(out, EVENT_ID_CAP, "sla-watchdog/%s/scheduled/%lld", s->subject,
                (long long)s->scheduled_n + 1);
}

bool sla_watchdog_scheduled_flies(const struct run *run, const struct subject *s)
{
    char slot[EVENT_ID_CAP];
    scheduled_slot(s, slot);
    return run_in_flight(run, slot);
}

bool sla_watchdog_verdict_flies(const struct run *run, const struct clock *c)
{
    char breached[EVENT_ID_CAP], met[EVENT_ID_CAP], corrected[EVENT_ID_CAP];
    sla_watchdog_slot("breached", c->clock, 0, c->target, breached);
    sla_watchdog_slot("met", c->clock, 0, c->target, met);
    sla_watchdog_slot("corrected", c->clock, c->corrections, c->target, corrected);
    return run_in_flight(run, breached) || run_in_flight(run, met) || run_in_flight(run, corrected);
}

bool sla_watchdog_same_policy(const char *follows, const char *other)
{
    size_t n = strcspn(follows, "/");
    return n == strcspn(other, "/") && strncmp(follows, other, n) == 0;
}

int sla_watchdog_say_scheduled(struct run *run, const struct story *story,
                               struct sla_scheduled *scheduled)
{
    char slot[EVENT_ID_CAP];
    const struct subject *s = &story->subject;
    text_copy(scheduled->policy, sizeof scheduled->policy, story->published->version);
    scheduled_slot(s, slot);
    return conclude(run, slot, "sla.scheduled", s->subject, &sla_scheduled_record, scheduled);
}

static int say_met(struct run *run, const struct clock *c, const struct clock_fold *fold)
{
    struct sla_met met;
    char key[EVENT_KEY_CAP], slot[EVENT_ID_CAP];
    record_clear(&sla_met_record, &met);
    sla_watchdog_clock_key(c->clock, key);
    met.k = sla_watchdog_clock_clause(c->clock, met.clause);
    met.target = c->target;
    met.due_us = fold->due_us;
    met.stopped_us = fold->end_us;
    met.reported_late = run_now_us(run) > fold->due_us;
    met.explained = fold->explained;
    sla_watchdog_slot("met", c->clock, 0, c->target, slot);
    return conclude(run, slot, "sla.met", key, &sla_met_record, &met);
}

static int say_breached(struct run *run, const struct clock *c, int64_t due_us, int64_t stopped_us,
                        int64_t level, const char *to)
{
    struct sla_breached breached;
    char key[EVENT_KEY_CAP], slot[EVENT_ID_CAP];
    record_clear(&sla_breached_record, &breached);
    sla_watchdog_clock_key(c->clock, key);
    breached.k = sla_watchdog_clock_clause(c->clock, breached.clause);
    breached.level = level;
    breached.target = c->target;
    breached.due_us = due_us;
    breached.detected_us = run_now_us(run);
    breached.stopped_us = stopped_us;
    text_copy(breached.to, sizeof breached.to, to);
    if (level == 0 && c->since_us != 0)
        text_copy(breached.cause, sizeof breached.cause, "retarget");
    sla_watchdog_slot("breached", c->clock, level, c->target, slot);
    return conclude(run, slot, "sla.breached", key, &sla_breached_record, &breached);
}

static const char *state_word(enum clock_state state)
{
    static const char *const words[] = {"open", "breached", "met", "over"};
    return words[state];
}

static int say_corrected(struct run *run, const struct clock *c, const struct clock_fold *fold,
                         struct clock_judgement j)
{
    struct sla_corrected corrected;
    char key[EVENT_KEY_CAP], slot[EVENT_ID_CAP];
    record_clear(&sla_corrected_record, &corrected);
    sla_watchdog_clock_key(c->clock, key);
    corrected.k = sla_watchdog_clock_clause(c->clock, corrected.clause);
    corrected.target = c->target;
    corrected.due_us = fold->due_us;
    corrected.stopped_us = fold->end == FOLD_STOPPED ? fold->end_us : 0;
    text_copy(corrected.was, sizeof corrected.was, state_word((enum clock_state)c->state));
    text_copy(corrected.is, sizeof corrected.is, state_word(j.is));
    text_copy(corrected.reason, sizeof corrected.reason, j.reason);
    sla_watchdog_slot("corrected", c->clock, c->corrections, c->target, slot);
    return conclude(run, slot, "sla.corrected", key, &sla_corrected_record, &corrected);
}

int sla_watchdog_say_verdict(struct run *run, const struct clock *c, const struct clock_fold *fold,
                             struct clock_judgement j)
{
    switch (j.verdict) {
    case VERDICT_NONE:
        break;
    case VERDICT_MET:
        return say_met(run, c, fold);
    case VERDICT_BREACHED:
        return say_breached(run, c, j.due_us, fold->end == FOLD_STOPPED ? fold->end_us : 0, 0, "");
    case VERDICT_CORRECTED:
        return say_corrected(run, c, fold, j);
    }
    return 0;
}

static int say_warned(struct run *run, const struct clock *c, const char *to)
{
    struct sla_warned warned;
    char key[EVENT_KEY_CAP], slot[EVENT_ID_CAP];
    record_clear(&sla_warned_record, &warned);
    sla_watchdog_clock_key(c->clock, key);
    warned.k = sla_watchdog_clock_clause(c->clock, warned.clause);
    warned.level = c->next_level;
    warned.target = c->target;
    warned.due_us = c->said_us;
    warned.detected_us = run_now_us(run);
    text_copy(warned.to, sizeof warned.to, to);
    sla_watchdog_slot("warned", c->clock, c->next_level, c->target, slot);
    return conclude(run, slot, "sla.warned", key, &sla_warned_record, &warned);
}

int sla_watchdog_conclude_level(struct run *run, const struct clock *c, const char *to)
{
    return c->next_level < 0 ? say_warned(run, c, to)
                             : say_breached(run, c, c->said_us, 0, c->next_level, to);
}
