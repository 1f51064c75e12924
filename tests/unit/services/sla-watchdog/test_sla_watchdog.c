/* The watchdog's handlers on a journal in memory: what it says, in the order in which it says it.
 * After each story the rows are rebuilt from the journal and compared. */
#include "stage.h"

#include "base/text.h"
#include "proto/ticket.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static const char policy[] =
    "name: test\nversion: test-1\nzone: Asia/Shanghai\ncalendars: [cn]\n"
    "kinds: [{name: repair}, {name: advice}, {name: slow}]\n"
    "late_facts_within: 7d\n"
    "sla:\n"
    "  - {id: arrange, start: ticket.assessed, stop: job.accepted, limits: [{limit: 2h, match: "
    "{kinds: [repair]}}],\n"
    "     levels: [{at: -30min, to: clerk}, {at: 1h, to: manager}, {at: 3h, to: director}]}\n"
    "  - {id: on-site, start: job.accepted, stop: job.arrived, limits: [{limit: 4h, match: {kinds: "
    "[repair]}}]}\n"
    "  - {id: resolve, start: ticket.registered, stop: ticket.resolved, calendar: cn, counting: "
    "hours,\n"
    "     limits: [{limit: 2wd, match: {kinds: [repair]}}, {limit: 20d, match: {kinds: "
    "[slow]}}]}\n";

#define START         "2026-09-14T08:00:00+08:00" /* a Monday */
#define AT(day, time) "2026-09-" day "T" time ":00+08:00"

static int stage_up(void **state)
{
    *state = stage_new(START, policy, SOURCE_DIR "/deploy/calendars/cn-2026.yaml");
    return 0;
}

static int stage_down(void **state)
{
    struct stage *s = *state;
    stage_settle(s);
    assert_true(stage_unique(s) && stage_coherent(s));
    stage_rebuild(s);
    stage_destroy(&s);
    return 0;
}

static void told(struct stage *s, const char *want)
{
    assert_string_equal(stage_told(s), want);
}

static void opened(struct stage *s)
{
    stage_time(s, AT("14", "09:00"), true);
    stage_open(s, "A", "repair", AT("14", "09:00"));
    stage_settle(s);
    told(s, "scheduled arrange.1 due 09-14 11:00 resolve.1 due 09-16 09:00\n");
}

static void test_all_met(void **state)
{
    struct stage *s = *state;
    opened(s);
    stage_time(s, AT("14", "10:00"), true);
    stage_fact(s, "job.accepted", "A", NULL);
    stage_settle(s);
    told(s, "met arrange.1 stopped 09-14 10:00\nscheduled on-site.1 due 09-14 14:00\n");
    stage_time(s, AT("14", "14:00"), false);
    stage_fact(
        s, "job.arrived", "A",
        AT("14", "14:00")); /* exactly then; the timer has fired at that instant all the same */
    stage_settle(s);
    told(s, "breached on-site.1 0 \ncorrected on-site.1 met stopped 09-14 14:00\n");
    stage_time(s, AT("15", "17:00"), true);
    stage_fact(s, "ticket.resolved", "A", AT("15", "16:00"));
    stage_settle(s);
    told(s, "met resolve.1 stopped 09-15 16:00\n");
    stage_fact(s, "ticket.closed", "A", NULL);
    stage_settle(s);
    stage_time(s, AT("30", "17:00"), true);
    told(s, "");
    assert_int_equal(stage_open_rows(s), 0);
}

/* Every level once, each to its rung; those missed while nobody looked come all, in order. */
static void test_levels(void **state)
{
    struct stage *s = *state;
    opened(s);
    stage_time(s, AT("14", "10:29"), true);
    told(s, "");
    stage_time(s, AT("14", "10:30"), true);
    told(s, "warned arrange.1 -1 clerk\n");
    stage_time(s, AT("14", "10:31"), true);
    told(s, "");
    stage_time(s, AT("14", "15:00"), true);
    told(s, "breached arrange.1 0 \nbreached arrange.1 1 manager\nbreached arrange.1 2 director\n");
    stage_fact(s, "job.accepted", "A", NULL);
    stage_settle(s);
    told(
        s,
        "scheduled on-site.1 due 09-14 19:00\n"); /* the breach is out; nothing more to say of it */
}

static void test_breached_at_stop(void **state)
{
    struct stage *s = *state;
    opened(s);
    stage_time(s, AT("14", "10:45"), true);
    told(s, "warned arrange.1 -1 clerk\n");
    stage_fact(s, "job.accepted", "A", NULL);
    stage_settle(s);
    told(s, "met arrange.1 stopped 09-14 10:45\nscheduled on-site.1 due 09-14 14:45\n");
    stage_time(s, AT("14", "10:50"), true);
    stage_open(s, "B", "repair", AT("14", "07:00")); /* told late; counts from then */
    stage_fact(s, "job.accepted", "B", NULL);
    stage_settle(s);
    told(s, "scheduled arrange.1 due 09-14 09:00 resolve.1 due 09-15 17:30\n"
            "breached arrange.1 0  stopped 09-14 10:50\n"
            "scheduled on-site.1 due 09-14 14:50\n");
}

/* The branch reports at 14:00 that it accepted at 10:40; the breach of 11:00 is out. */
static void test_late_fact_corrects(void **state)
{
    struct stage *s = *state;
    opened(s);
    stage_time(s, AT("14", "14:00"), true);
    told(s, "warned arrange.1 -1 clerk\nbreached arrange.1 0 \nbreached arrange.1 1 "
            "manager\nbreached arrange.1 2 director\n");
    stage_fact(s, "job.accepted", "A", AT("14", "10:40"));
    stage_settle(s);
    told(s, "corrected arrange.1 met stopped 09-14 10:40\nscheduled on-site.1 due 09-14 14:40\n");
    stage_fact(s, "job.accepted", "A",
               AT("14", "10:41")); /* told again: a second start, the first verdict stays */
    stage_settle(s);
    told(s, "scheduled on-site.2 due 09-14 14:41\n");
    stage_fact(s, "job.arrived", "A", NULL); /* stops both */
    stage_settle(s);
    told(s, "met on-site.2 stopped 09-14 14:00\nmet on-site.1 stopped 09-14 14:00\n");
}

/* Later than late_facts_within: counts from its recording. */
static void test_too_late_to_correct(void **state)
{
    struct stage *s = *state;
    opened(s);
    stage_time(s, AT("22", "14:00"), true);
    stage_told(s);
    stage_fact(s, "job.accepted", "A", AT("14", "10:40"));
    stage_settle(s);
    told(s, "scheduled on-site.1 due 09-22 18:00\n");
}

/* The stop arrives while the breach is in flight: whoever reads the breach back looks again. */
static void test_breach_in_flight(void **state)
{
    struct stage *s = *state;
    opened(s);
    stage_time(s, AT("14", "10:30"), true);
    stage_told(s);
    stage_time(s, AT("14", "11:00"), false); /* the breach is appended behind … */
    stage_fact(s, "job.accepted", "A", AT("14", "10:50"));
    stage_settle(s);
    told(s, "breached arrange.1 0 \ncorrected arrange.1 met stopped 09-14 10:50\nscheduled "
            "on-site.1 due 09-14 14:50\n");
}

/* The fact stands in the journal before the breach that was drawn without it. */
static void test_fact_before_the_breach_in_the_journal(void **state)
{
    struct stage *s = *state;
    opened(s);
    stage_time(s, AT("14", "10:30"), true);
    stage_told(s);
    stage_fact(s, "job.accepted", "A", AT("14", "10:50")); /* not read yet */
    stage_time(s, AT("14", "11:00"), false);
    stage_settle(s);
    told(s, "breached arrange.1 0 \nscheduled on-site.1 due 09-14 14:30\ncorrected arrange.1 met "
            "stopped 09-14 10:30\n");
}

static void test_resolved_in_the_same_second(void **state)
{
    struct stage *s = *state;
    stage_time(s, AT("14", "09:00"), true);
    stage_open(s, "A", "slow", AT("14", "09:00"));
    stage_fact(s, "ticket.resolved", "A", AT("14", "09:00"));
    stage_fact(s, "ticket.closed", "A", NULL);
    stage_settle(s);
    told(s, "scheduled resolve.1 due 10-04 09:00\nmet resolve.1 stopped 09-14 09:00\n");
    assert_int_equal(stage_open_rows(s), 0);
}

static void test_resolved_with_its_own_instant(void **state)
{
    struct stage *s = *state;
    struct ticket_resolved resolved;
    record_clear(&ticket_resolved_record, &resolved);
    stage_open(s, "A", "slow", AT("14", "07:00"));
    stage_time(s, AT("16", "09:00"), true);
    stage_told(s);
    assert_true(instant_parse(AT("15", "12:00"), &resolved.resolved_us));
    stage_say(s, "ticket.resolved", "A", NULL, &ticket_resolved_record, &resolved);
    stage_settle(s);
    told(s, "met resolve.1 stopped 09-15 12:00\n");
}

static void test_cancelled(void **state)
{
    struct stage *s = *state;
    opened(s);
    stage_time(s, AT("14", "11:30"), true);
    told(s, "warned arrange.1 -1 clerk\nbreached arrange.1 0 \n");
    stage_fact(s, "ticket.cancelled", "A", NULL);
    stage_settle(s);
    stage_time(s, AT("30", "10:00"), true);
    told(s, ""); /* neither the levels behind nor resolve */
    assert_int_equal(stage_open_rows(s), 0);
    stage_open(s, "B", "repair", AT("30", "10:00"));
    stage_fact(s, "ticket.cancelled", "B", NULL); /* before the clocks are there */
    stage_settle(s);
    stage_time(s, "2026-10-30T10:00:00+08:00", true);
    told(s, "scheduled arrange.1 due 09-30 12:00 resolve.1 due 10-09 10:00\n");
    assert_int_equal(stage_open_rows(s), 0);
}

/* Cancelled at 10:45, told at 12:00: the breach of 11:00 is taken back. */
static void test_cancelled_before_the_breach(void **state)
{
    struct stage *s = *state;
    opened(s);
    stage_time(s, AT("14", "11:30"), true);
    stage_told(s);
    stage_fact(s, "ticket.cancelled", "A", AT("14", "10:45"));
    stage_settle(s);
    told(s, "corrected arrange.1 over\n");
    assert_int_equal(stage_open_rows(s), 0);
}

static void test_reopened(void **state)
{
    struct stage *s = *state;
    opened(s);
    stage_fact(s, "job.accepted", "A", NULL);
    stage_fact(s, "job.arrived", "A", NULL);
    stage_fact(s, "ticket.resolved", "A", NULL);
    stage_settle(s);
    stage_fact(s, "ticket.closed", "A", NULL);
    stage_settle(s);
    assert_int_equal(stage_open_rows(s), 0);
    stage_told(s);
    stage_time(s, AT("17", "09:00"), true);
    stage_restart(s); /* the ticket's row is closed: it is fetched */
    stage_fact(s, "ticket.reopened", "A", NULL);
    stage_settle(s);
    told(s, "scheduled reopened arrange.2 due 09-17 11:00 resolve.2 due 09-20 09:00\n"); /* the 20th
                                                                                   makes up for the
                                                                                   holiday */
    stage_time(s, AT("17", "10:00"), true);
    stage_fact(s, "job.accepted", "A", NULL);
    stage_settle(s);
    told(s, "met arrange.2 stopped 09-17 10:00\nscheduled on-site.2 due 09-17 14:00\n");
    stage_time(s, AT("22", "10:00"), true);
    stage_told(s);
    stage_fact(s, "ticket.resolved", "A", NULL);
    stage_settle(s);
    told(s, ""); /* resolve.2 was breached on the 20th; said then */
}

/* An arrival told before the acceptance: the promise of a visit is kept, not broken four hours
 * later. */
static void test_arrived_before_accepted(void **state)
{
    struct stage *s = *state;
    opened(s);
    stage_fact(s, "job.arrived", "A", NULL);
    stage_settle(s);
    told(s, "");
    stage_time(s, AT("14", "09:30"), true);
    stage_fact(s, "job.accepted", "A", NULL);
    stage_settle(s);
    told(s, "met arrange.1 stopped 09-14 09:30\nscheduled on-site.1 due 09-14 13:30\nmet on-site.1 "
            "stopped 09-14 09:30\n");
}

static void test_nothing_promised(void **state)
{
    struct stage *s = *state;
    stage_open(s, "A", "advice", START);
    stage_fact(s, "ticket.resolved", "A", NULL);
    stage_fact(s, "job.accepted", "NOBODY", NULL);
    stage_fact(s, "ticket.closed", "NOBODY", NULL);
    stage_fact(s, "ticket.reopened", "NOBODY", NULL);
    stage_settle(s);
    told(s, "");
}

/* Killed at every place of a story: nothing is said twice, nothing is left out. */
static void test_killed(void **state)
{
    struct stage *s = *state;
    stage_time(s, AT("14", "09:00"), true);
    stage_open(s, "A", "repair", AT("14", "09:00"));
    stage_read(s); /* concluded, not shipped */
    stage_restart(s);
    stage_read(s);
    stage_take(s); /* shipped, not read back */
    stage_restart(s);
    stage_settle(s);
    told(s, "scheduled arrange.1 due 09-14 11:00 resolve.1 due 09-16 09:00\n");
    stage_time(s, AT("14", "10:30"), false);
    stage_restart(s); /* the warning is in flight, its mark is gone */
    stage_time(s, AT("14", "10:31"), false);
    stage_restart(s);
    stage_settle(s);
    told(s, "warned arrange.1 -1 clerk\n");
    stage_restart(s);
    stage_time(s, AT("14", "12:00"), false);
    stage_restart(s);
    stage_settle(s);
    told(s, "breached arrange.1 0 \nbreached arrange.1 1 manager\n");
    stage_fact(s, "job.accepted", "A", AT("14", "10:00"));
    stage_read(s);
    stage_take(s);
    stage_restart(s);
    stage_settle(s);
    told(s, "corrected arrange.1 met stopped 09-14 10:00\nscheduled on-site.1 due 09-14 14:00\n");
}

#define STORY(test) cmocka_unit_test_setup_teardown(test, stage_up, stage_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORY(test_all_met),
        STORY(test_levels),
        STORY(test_breached_at_stop),
        STORY(test_late_fact_corrects),
        STORY(test_too_late_to_correct),
        STORY(test_breach_in_flight),
        STORY(test_fact_before_the_breach_in_the_journal),
        STORY(test_resolved_in_the_same_second),
        STORY(test_resolved_with_its_own_instant),
        STORY(test_cancelled),
        STORY(test_cancelled_before_the_breach),
        STORY(test_reopened),
        STORY(test_arrived_before_accepted),
        STORY(test_nothing_promised),
        STORY(test_killed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
