#include "services/sla-watchdog/clock.h"

#include "base/text.h"

#include <assert.h>
#include <string.h>

void sla_watchdog_clock_id(const char *key, const char *clause, int64_t k, char out[CLOCK_ID_CAP])
{
    text_format(out, CLOCK_ID_CAP, "%s/%s.%lld", key, clause, (long long)k);
}

void sla_watchdog_clock_key(const char *id, char out[EVENT_KEY_CAP])
{
    const char *slash = strchr(id, '/'); /* a key has none */
    assert(slash);
    text_copy_n(out, EVENT_KEY_CAP, id, (size_t)(slash - id));
}

void sla_watchdog_slot(const char *word, const char *id, int64_t level, int64_t target,
                       char out[EVENT_ID_CAP])
{
    const char *slash = strchr(id, '/');
    assert(slash);
    text_format(out, EVENT_ID_CAP, "sla-watchdog/%.*s/%s/%s/%lld/%lld", (int)(slash - id), id, word,
                slash + 1, (long long)level, (long long)target);
}

enum clock_verdict sla_watchdog_judge(enum clock_state state, int64_t due_us, int64_t stopped_us,
                                      int64_t ended_us, bool breach_in_flight)
{
    if (breach_in_flight)
        return VERDICT_NONE;
    switch (state) {
    case CLOCK_RUNNING:
        if (stopped_us == 0)
            return VERDICT_NONE;
        return stopped_us <= due_us ? VERDICT_MET : VERDICT_BREACHED;
    case CLOCK_BREACHED: {
        int64_t us = stopped_us ? stopped_us : ended_us;
        return us != 0 && us <= due_us ? VERDICT_CORRECTED : VERDICT_NONE;
    }
    case CLOCK_MET:
    case CLOCK_OVER:
        break;
    }
    return VERDICT_NONE;
}
