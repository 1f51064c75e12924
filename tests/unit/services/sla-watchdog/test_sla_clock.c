#include "services/sla-watchdog/clock.h"

#include "base/status.h"
#include "base/text.h"
#include "services/sla-watchdog/sla_watchdog.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define RUNS    FOLD_RUNS
#define STOPS   FOLD_STOPPED
#define CANCELS FOLD_CANCELLED

static const struct {
    const char *what;
    enum clock_state state;
    bool corrected;
    enum fold_end end;
    int64_t end_us, due_us, reset_us, old_due_us;
    enum clock_verdict want;
    enum clock_state is;
} judged[] = {
    {"runs", CLOCK_RUNNING, false, RUNS, 0, 100, 0, 0, VERDICT_NONE, 0},
    {"past, but its timer says so", CLOCK_RUNNING, false, RUNS, 0, 40, 0, 0, VERDICT_NONE, 0},
    {"in time", CLOCK_RUNNING, false, STOPS, 99, 100, 0, 0, VERDICT_MET, 0},
    {"exactly then", CLOCK_RUNNING, false, STOPS, 100, 100, 0, 0, VERDICT_MET, 0},
    {"too late", CLOCK_RUNNING, false, STOPS, 101, 100, 0, 0, VERDICT_BREACHED, 0},
    {"the breach is out, told late", CLOCK_BREACHED, false, STOPS, 99, 100, 0, 0, VERDICT_CORRECTED,
     CLOCK_MET},
    {"the breach is out, and right", CLOCK_BREACHED, false, STOPS, 101, 100, 0, 0, VERDICT_NONE, 0},
    {"met, but it was too late", CLOCK_MET, false, STOPS, 101, 100, 0, 0, VERDICT_CORRECTED,
     CLOCK_BREACHED},
    {"met", CLOCK_MET, false, STOPS, 80, 100, 0, 0, VERDICT_NONE, 0},
    {"over, then it came", CLOCK_OVER, false, STOPS, 80, 100, 0, 0, VERDICT_MET, 0},
    {"over after a correction, then it came", CLOCK_OVER, true, STOPS, 80, 100, 0, 0,
     VERDICT_CORRECTED, CLOCK_MET},
    {"runs again after a correction, then it came", CLOCK_RUNNING, true, STOPS, 80, 100, 0, 0,
     VERDICT_CORRECTED, CLOCK_MET},
    {"cancelled", CLOCK_RUNNING, false, CANCELS, 80, 100, 0, 0, VERDICT_NONE, 0},
    {"cancelled when it was broken", CLOCK_RUNNING, false, CANCELS, 101, 100, 0, 0,
     VERDICT_BREACHED, 0},
    {"cancelled exactly then", CLOCK_RUNNING, false, CANCELS, 100, 100, 0, 0, VERDICT_NONE, 0},
    {"cancelled before the breach that is out", CLOCK_BREACHED, false, CANCELS, 80, 100, 0, 0,
     VERDICT_CORRECTED, CLOCK_OVER},
    {"the breach is out, but it waits", CLOCK_BREACHED, false, RUNS, 0, 0, 0, 0, VERDICT_CORRECTED,
     CLOCK_RUNNING},
    {"the breach is out, but due is later", CLOCK_BREACHED, false, RUNS, 0, 70, 0, 0,
     VERDICT_CORRECTED, CLOCK_RUNNING},
    {"the breach is out, due moved, past all the same", CLOCK_BREACHED, false, RUNS, 0, 40, 0, 0,
     VERDICT_NONE, 0},
    {"reset in time", CLOCK_RUNNING, false, RUNS, 0, 100, 30, 40, VERDICT_NONE, 0},
    {"reset when it was broken", CLOCK_RUNNING, false, RUNS, 0, 100, 30, 20, VERDICT_BREACHED, 0},
    {"reset in time, told after the breach", CLOCK_BREACHED, false, RUNS, 0, 100, 30, 40,
     VERDICT_CORRECTED, CLOCK_RUNNING},
    {"met by an explanation that comes too late now", CLOCK_MET, false, RUNS, 0, 40, 0, 0,
     VERDICT_CORRECTED, CLOCK_RUNNING},
};

static void test_judged(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(judged); i++) {
        struct clock_fold fold = {
            .end_us = judged[i].end_us, .due_us = judged[i].due_us, .reset_us = judged[i].reset_us};
        fold.end = judged[i].end;
        struct clock_judgement j = sla_watchdog_judge(judged[i].state, judged[i].corrected, &fold,
                                                      judged[i].old_due_us, 50);
        if (j.verdict != judged[i].want || (j.verdict == VERDICT_CORRECTED && j.is != judged[i].is))
            fail_msg("%s", judged[i].what);
    }
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
    char clause[POLICY_WORD_CAP];
    assert_int_equal(sla_watchdog_clock_clause(id, clause), 2);
    assert_string_equal(clause, "on-site");
}

/* Whatever a clause may name is listened to. */
static void test_every_fact_has_a_handler(void **state)
{
    (void)state;
    for (int i = 0; policy_facts[i]; i++) {
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
