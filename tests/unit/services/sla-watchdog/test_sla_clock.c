#include "services/sla-watchdog/clock.h"

#include "base/status.h"
#include "base/text.h"
#include "services/sla-watchdog/sla_watchdog.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static const struct {
    const char *what;
    enum clock_state state;
    int64_t due, stopped, ended;
    bool in_flight;
    enum clock_verdict want;
} judged[] = {
    {"runs", CLOCK_RUNNING, 100, 0, 0, false, VERDICT_NONE},
    {"in time", CLOCK_RUNNING, 100, 99, 0, false, VERDICT_MET},
    {"exactly then", CLOCK_RUNNING, 100, 100, 0, false, VERDICT_MET},
    {"too late", CLOCK_RUNNING, 100, 101, 0, false, VERDICT_BREACHED},
    {"in time, the breach in flight", CLOCK_RUNNING, 100, 99, 0, true, VERDICT_NONE},
    {"too late, the breach in flight", CLOCK_RUNNING, 100, 101, 0, true, VERDICT_NONE},
    {"breached, still awaited", CLOCK_BREACHED, 100, 0, 0, false, VERDICT_NONE},
    {"breached, comes at last", CLOCK_BREACHED, 100, 150, 0, false, VERDICT_NONE},
    {"breached, had come in time", CLOCK_BREACHED, 100, 80, 0, false, VERDICT_CORRECTED},
    {"breached, had ended before", CLOCK_BREACHED, 100, 0, 80, false, VERDICT_CORRECTED},
    {"breached, ended after", CLOCK_BREACHED, 100, 0, 120, false, VERDICT_NONE},
    {"met", CLOCK_MET, 100, 80, 0, false, VERDICT_NONE},
    {"over", CLOCK_OVER, 100, 80, 80, false, VERDICT_NONE},
};

static void test_judged(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(judged); i++)
        if (sla_watchdog_judge(judged[i].state, judged[i].due, judged[i].stopped, judged[i].ended,
                               judged[i].in_flight) != judged[i].want)
            fail_msg("%s", judged[i].what);
}

static void test_names(void **state)
{
    (void)state;
    char id[CLOCK_ID_CAP], key[EVENT_KEY_CAP], slot[EVENT_ID_CAP];
    sla_watchdog_clock_id("GD01-20261122.7", "on-site", 2, id);
    assert_string_equal(id, "GD01-20261122.7/on-site.2");
    sla_watchdog_clock_key(id, key);
    assert_string_equal(key, "GD01-20261122.7");
    sla_watchdog_slot("warned", id, -1, 0, slot);
    assert_string_equal(slot, "sla-watchdog/GD01-20261122.7/warned/on-site.2/-1/0");
}

/* Whatever a clause may name is listened to. */
static void test_every_fact_has_a_handler(void **state)
{
    (void)state;
    for (int i = 0; policy_facts[i]; i++) {
        if (!(policy_fact_on(i) & POLICY_ON_TICKET))
            continue; /* clauses on other keys are not measured yet */
        bool found = text_equal(policy_facts[i], "ticket.registered"); /* known by its assessment */
        for (size_t h = 0; h < sla_watchdog_worker.handlers_n; h++)
            found = found || text_equal(sla_watchdog_worker.handlers[h].type, policy_facts[i]);
        if (!found)
            fail_msg("%s", policy_facts[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_judged), cmocka_unit_test(test_names),
                                       cmocka_unit_test(test_every_fact_has_a_handler)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
