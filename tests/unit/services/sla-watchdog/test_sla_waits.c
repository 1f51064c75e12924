/* Waits, resets, cancels and explanations: one story each, with the instants that a paper calendar
 * gives. After each story the rows are rebuilt from the journal and compared. */
#include "stage.h"

#include "base/text.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* 2026-09-14 is a Monday. Work 08:30-12:00 and 13:30-17:30, Monday to Friday. */
static const char calendar[] =
    "name: office\nversion: office-1\nzone: Asia/Shanghai\nweekly:\n"
    "  - {weekday: mon, windows: [{from: '08:30', to: '12:00'}, {from: '13:30', to: '17:30'}]}\n"
    "  - {weekday: tue, windows: [{from: '08:30', to: '12:00'}, {from: '13:30', to: '17:30'}]}\n"
    "  - {weekday: wed, windows: [{from: '08:30', to: '12:00'}, {from: '13:30', to: '17:30'}]}\n"
    "  - {weekday: thu, windows: [{from: '08:30', to: '12:00'}, {from: '13:30', to: '17:30'}]}\n"
    "  - {weekday: fri, windows: [{from: '08:30', to: '12:00'}, {from: '13:30', to: '17:30'}]}\n";

#define HEAD                                                                                       \
    "name: test\nversion: test-1\nzone: Asia/Shanghai\ncalendars: [office]\n"                      \
    "kinds: [{name: repair}, {name: factory}, {name: loan}, {name: days}]\n"                       \
    "priorities: [{priority: urgent, match: {priorities: [urgent]}}]\n"                            \
    "late_facts_within: 30d\nreopen_within: 10d\n"                                                 \
    "ladder: [clerk, manager, director]\n"                                                         \
    "pauses:\n"                                                                                    \
    "  - {reason: customer}\n"                                                                     \
    "  - {reason: parts, budget: 2h, more_by: manager}\n"                                          \
    "  - {reason: hazard, begin: hazard.found, end: hazard.cleared}\n"

static const char policy[] = HEAD
    "sla:\n"
    "  - {id: repair, start: ticket.assessed, stop: ticket.resolved, cancel: ticket.filed,\n"
    "     reset: unit.received, calendar: office, pause: [customer, parts, hazard],\n"
    "     levels: [{at: -1h, to: clerk}, {at: 2h, to: manager}],\n"
    "     limits: [{limit: 4h, match: {kinds: [repair], priorities: [urgent]}},\n"
    "              {limit: 8h, match: {kinds: [repair]}},\n"
    "              {limit: 8wh, match: {kinds: [factory]}},\n"
    "              {limit: 3wd, match: {kinds: [days]}}]}\n"
    "  - {id: answer, start: ticket.assessed, stop: ticket.replied, explain: true,\n"
    "     pause: [customer], limits: [{limit: 3d, match: {kinds: [loan]}}]}\n"
    "  - {id: on-site, start: {type: appointment.agreed, from: appointment}, stop: job.arrived,\n"
    "     limits: [{limit: 0s, match: {kinds: [repair]}}]}\n"
    "  - {id: measure, start: measure.set, stop: measure.done, outlives: true, limits: [{limit: 1d}]}\n";

#define AT(day, time) "2026-09-" day "T" time ":00+08:00"
#define MONDAY(time)  AT("14", time)

static int stage_up(void **state)
{
    struct stage *s = stage_new(MONDAY("07:00"), policy, calendar);
    *state = s;
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

static void at(struct stage *s, const char *when)
{
    stage_time(s, when, true);
}

static void opened(struct stage *s, const char *kind, const char *when)
{
    char json[300];
    text_format(json, sizeof json,
                "{\"policy\":\"test-1\",\"kind\":\"%s\",\"priority\":\"normal\",\"opened\":\"%s\"}",
                kind, when);
    stage_tell(s, "ticket.assessed", "A", when, json);
    stage_settle(s);
}

static void waits(struct stage *s, const char *reason, const char *when)
{
    char json[80];
    text_format(json, sizeof json, "{\"reason\":\"%s\"}", reason);
    stage_tell(s, "ticket.waiting", "A", when, json);
    stage_settle(s);
}

static void resumes(struct stage *s, const char *when)
{
    stage_tell(s, "ticket.resumed", "A", when, "{}");
    stage_settle(s);
}

static void resolved(struct stage *s, const char *when)
{
    stage_tell(s, "ticket.resolved", "A", when, "{}");
    stage_settle(s);
}

/* --- waits ---------------------------------------------------------------------------------- */

/* No due while it waits, and no alarm when the old one passes; then the rest of the time. */
static void test_no_deadline_while_paused(void **state)
{
    struct stage *s = *state;
    at(s, MONDAY("09:00"));
    opened(s, "repair", MONDAY("09:00"));
    told(s, "scheduled repair.1 due 09-14 17:00\n");
    at(s, MONDAY("15:00"));
    waits(s, "customer", NULL);
    told(s, "scheduled paused repair.1 waits customer\n");
    at(s, AT("15", "12:00")); /* the old limit and its levels are long past */
    stage_tell(s, "ticket.noted", "A", NULL, "{\"kind\":\"note\"}"); /* saved while it waits */
    stage_settle(s);
    told(s, "");
    resumes(s, NULL);
    told(s, "scheduled resumed repair.1 due 09-15 14:00\n");
    at(s, AT("15", "13:00"));
    told(s, "warned repair.1 -1 clerk\n");
    resolved(s, AT("15", "13:00"));
    told(s, "met repair.1 stopped 09-15 13:00\n");
    assert_int_equal(stage_open_rows(s), 1); /* the ticket */
}

static void test_two_pauses(void **state)
{
    struct stage *s = *state;
    at(s, MONDAY("09:00"));
    opened(s, "repair", MONDAY("09:00"));
    at(s, MONDAY("10:00"));
    waits(s, "customer", NULL);
    at(s, MONDAY("11:00"));
    resumes(s, NULL);
    at(s, MONDAY("12:00"));
    waits(s, "customer", NULL);
    at(s, MONDAY("14:00"));
    resumes(s, NULL);
    told(s, "scheduled repair.1 due 09-14 17:00\nscheduled paused repair.1 waits customer\n"
            "scheduled resumed repair.1 due 09-14 18:00\nscheduled paused repair.1 waits customer\n"
            "scheduled resumed repair.1 due 09-14 20:00\n");
}

/* Friday 16:00 to Monday 10:00 is 1.5 + 1.5 working hours. 3wd from Thursday 10:00: Tuesday 10:00.
 */
static void test_pause_over_a_weekend(void **state)
{
    struct stage *s = *state;
    at(s, AT("17", "10:00"));
    opened(s, "days", AT("17", "10:00"));
    told(s, "scheduled repair.1 due 09-22 10:00\n");
    at(s, AT("18", "16:00"));
    waits(s, "customer", NULL);
    at(s, AT("21", "10:00"));
    resumes(s, NULL);
    told(s, "scheduled paused repair.1 waits customer\n"
            "scheduled resumed repair.1 due 09-22 14:30\n");
}

/* Only waits that lie in working hours move working hours. */
static void test_pause_at_night(void **state)
{
    struct stage *s = *state;
    at(s, MONDAY("16:30"));
    opened(s, "factory", MONDAY("16:30"));
    at(s, MONDAY("18:00"));
    waits(s, "customer", NULL);
    at(s, AT("15", "07:00"));
    resumes(s, NULL);
    told(s, "scheduled repair.1 due 09-15 17:00\nscheduled paused repair.1 waits customer\n"
            "scheduled resumed repair.1 due 09-15 17:00\n");
}

static void test_pause_priority_resume(void **state)
{
    struct stage *s = *state;
    at(s, MONDAY("09:00"));
    opened(s, "repair", MONDAY("09:00"));
    at(s, MONDAY("10:00"));
    waits(s, "customer", NULL);
    stage_told(s);
    at(s, MONDAY("14:00"));
    stage_tell(s, "ticket.reclassified", "A", NULL, "{\"priority\":\"urgent\"}");
    stage_settle(s);
    told(s, "scheduled retargeted repair.1/1 waits customer\n");
    at(s, MONDAY("15:00"));
    resumes(s, NULL); /* one hour of four had run */
    told(s, "scheduled resumed repair.1/1 due 09-14 18:00\n");
}

static void test_pause_and_stop_in_one_batch(void **state)
{
    struct stage *s = *state;
    at(s, MONDAY("09:00"));
    opened(s, "repair", MONDAY("09:00"));
    at(s, MONDAY("10:00"));
    stage_told(s);
    stage_tell(s, "ticket.waiting", "A", NULL, "{\"reason\":\"customer\"}");
    stage_tell(s, "ticket.resolved", "A", NULL, "{}");
    stage_settle(s);
    at(s, AT("16", "10:00"));
    told(s, "scheduled paused repair.1 waits customer\nmet repair.1 stopped 09-14 10:00\n");
}

static void test_first_reply_and_pause_at_once(void **state)
{
    struct stage *s = *state;
    at(s, MONDAY("09:00"));
    opened(s, "loan", MONDAY("09:00"));
    at(s, AT("17", "09:00"));
    told(s, "scheduled answer.1 due 09-17 09:00\nbreached answer.1 0 \n");
    stage_tell(s, "ticket.waiting", "A", AT("16", "12:00"), "{\"reason\":\"customer\"}");
    stage_tell(s, "ticket.replied", "A", AT("16", "12:00"), "{}");
    stage_settle(s);
    told(s, "corrected answer.1 open\nscheduled late-fact answer.1 waits customer\n"
            "corrected answer.1 met stopped 09-16 12:00\n");
}

static void test_budget(void **state)
{
    struct stage *s = *state;
    at(s, MONDAY("09:00"));
    opened(s, "repair", MONDAY("09:00"));
    at(s, MONDAY("10:00"));
    waits(s, "parts", NULL);
    stage_told(s);
    at(s, MONDAY("11:59"));
    told(s, "");
    at(s, MONDAY("12:00")); /* two hours are used up: it runs on by itself */
    told(s, "scheduled budget-used repair.1 due 09-14 19:00\n");
    at(s, MONDAY("13:00"));
    stage_tell(s, "approval.decided", "A", NULL,
               "{\"approval\":\"A/a1\",\"approved\":true,\"level\":\"clerk\",\"what\":\"pause\","
               "\"reason\":\"parts\",\"more\":\"1h\"}"); /* not hers to allow */
    stage_settle(s);
    told(s, "");
    stage_tell(s, "approval.decided", "A", NULL,
               "{\"approval\":\"A/a2\",\"approved\":true,\"level\":\"director\",\"what\":\"pause\","
               "\"reason\":\"parts\",\"more\":\"1h\"}");
    stage_settle(s);
    told(s, "scheduled paused repair.1 waits parts\n");
    at(s, MONDAY("16:00"));
    told(s, "scheduled budget-used repair.1 due 09-14 20:00\n");
    resumes(s, NULL);
    waits(s, "parts", NULL); /* nothing is left of it */
    told(s, "");
}

static void test_pause_with_events_of_its_own(void **state)
{
    struct stage *s = *state;
    at(s, MONDAY("09:00"));
    opened(s, "repair", MONDAY("09:00"));
    at(s, MONDAY("10:00"));
    stage_fact(s, "hazard.found", "A", NULL);
    stage_settle(s);
    waits(s, "customer", NULL); /* two at once */
    at(s, MONDAY("11:00"));
    resumes(s, NULL); /* the hazard is still there */
    told(s, "scheduled repair.1 due 09-14 17:00\nscheduled paused repair.1 waits hazard\n");
    at(s, MONDAY("12:00"));
    stage_fact(s, "hazard.cleared", "A", NULL);
    stage_settle(s);
    told(s, "scheduled resumed repair.1 due 09-14 19:00\n");
}

/* Told at 18:30 that it had waited from 10 to 12: the breach of 17:00 goes back, 19:00 is the
 * limit. */
static void test_late_pause(void **state)
{
    struct stage *s = *state;
    at(s, MONDAY("09:00"));
    opened(s, "repair", MONDAY("09:00"));
    at(s, MONDAY("18:30"));
    told(s, "scheduled repair.1 due 09-14 17:00\nwarned repair.1 -1 clerk\nbreached repair.1 0 \n");
    stage_tell(s, "ticket.waiting", "A", MONDAY("10:00"), "{\"reason\":\"customer\"}");
    stage_tell(s, "ticket.resumed", "A", MONDAY("12:00"), "{}");
    stage_settle(s);
    told(s, "corrected repair.1 open\nscheduled late-fact repair.1/1 due 09-14 19:00\n"
            "warned repair.1 -1 clerk\n");
    at(s, MONDAY("19:00"));
    told(s, "breached repair.1 0 /1\n");
}

/* It had gone on earlier than was known: it was too late after all. */
static void test_late_resume(void **state)
{
    struct stage *s = *state;
    at(s, MONDAY("09:00"));
    opened(s, "repair", MONDAY("09:00"));
    at(s, MONDAY("10:00"));
    waits(s, "customer", NULL);
    at(s, MONDAY("20:00"));
    resolved(s, NULL);
    told(s, "scheduled repair.1 due 09-14 17:00\nscheduled paused repair.1 waits customer\n"
            "met repair.1 stopped 09-14 20:00\n");
    at(s, MONDAY("21:00"));
    resumes(s, MONDAY("11:00")); /* one hour only: 18:00 was the limit */
    told(s, "scheduled late-fact repair.1 due 09-14 18:00\n"
            "corrected repair.1 breached stopped 09-14 20:00\n");
}

static void test_levels_once_over_pause_and_restart(void **state)
{
    struct stage *s = *state;
    at(s, MONDAY("09:00"));
    opened(s, "repair", MONDAY("09:00"));
    at(s, MONDAY("16:00"));
    told(s, "scheduled repair.1 due 09-14 17:00\nwarned repair.1 -1 clerk\n");
    at(s, MONDAY("16:30"));
    waits(s, "customer", NULL);
    stage_restart(s);
    at(s, AT("15", "10:00"));
    resumes(s, NULL);
    stage_restart(s);
    at(s, AT("15", "10:29"));
    told(s,
         "scheduled paused repair.1 waits customer\nscheduled resumed repair.1 due 09-15 10:30\n");
    at(s, AT("15", "18:00"));
    stage_restart(s);
    at(s, AT("15", "19:00"));
    told(s, "breached repair.1 0 \nbreached repair.1 1 manager\n");
}

/* --- instants ------------------------------------------------------------------------------- */

static void test_due_exactly_at_closing(void **state)
{
    struct stage *s = *state;
    at(s, MONDAY("08:30"));
    opened(s, "days", MONDAY("08:30"));
    told(s, "scheduled repair.1 due 09-16 17:30\n");
    at(s, AT("17", "08:00"));
    resolved(s, AT("16", "17:30"));
    told(s, "warned repair.1 -1 clerk\nbreached repair.1 0 \nbreached repair.1 1 manager\n"
            "corrected repair.1 met stopped 09-16 17:30\n");
}

/* Half an hour on Monday morning, four in the afternoon, three and a half on Tuesday. */
static void test_due_exactly_at_lunch(void **state)
{
    struct stage *s = *state;
    at(s, MONDAY("11:30"));
    opened(s, "factory", MONDAY("11:30"));
    told(s, "scheduled repair.1 due 09-15 12:00\n");
    at(s, AT("15", "13:00"));
    told(s, "warned repair.1 -1 clerk\nbreached repair.1 0 \n");
    resolved(s, AT("15", "12:00"));
    told(s, "corrected repair.1 met stopped 09-15 12:00\n");
}

static void test_opened_outside_hours(void **state)
{
    struct stage *s = *state;
    at(s, AT("19", "15:00")); /* a Saturday: from Monday 08:30 on */
    opened(s, "factory", AT("19", "15:00"));
    told(s, "scheduled repair.1 due 09-22 09:00\n");
}

static void test_branch_clock_ahead_of_ours(void **state)
{
    struct stage *s = *state;
    at(s, MONDAY("09:00"));
    opened(s, "repair", MONDAY("09:00"));
    at(s, MONDAY("16:59"));
    stage_told(s);
    stage_tell(s, "ticket.resolved", "A", MONDAY("17:00"), "{}");
    stage_settle(s);
    told(s, "met repair.1 stopped 09-14 16:59\n"); /* not later than it was told */
}

/* --- resets, cancels, explanations ---------------------------------------------------------- */

static void test_reset(void **state)
{
    struct stage *s = *state;
    at(s, MONDAY("09:00"));
    opened(s, "repair", MONDAY("09:00"));
    at(s, MONDAY("16:30"));
    stage_tell(s, "unit.received", "A", NULL, "{}");
    stage_settle(s);
    told(s, "scheduled repair.1 due 09-14 17:00\nwarned repair.1 -1 clerk\n"
            "scheduled reset repair.1/1 due 09-15 00:30\n");
    at(s, MONDAY("23:30"));
    told(s, "warned repair.1 -1 clerk\n");
}

/* A reset that is told after the breach, of an instant before it. */
static void test_reset_told_late(void **state)
{
    struct stage *s = *state;
    at(s, MONDAY("09:00"));
    opened(s, "repair", MONDAY("09:00"));
    at(s, MONDAY("16:59"));
    stage_told(s);
    stage_tell(s, "unit.received", "A", NULL, "{}");
    stage_settle(s);
    told(s, "scheduled reset repair.1/1 due 09-15 00:59\n");
    at(s, AT("15", "02:00"));
    told(s, "warned repair.1 -1 clerk\nbreached repair.1 0 /1\n");
    stage_tell(s, "unit.received", "A", MONDAY("20:00"), "{}"); /* before that: 04:00 */
    stage_settle(s);
    told(s, "corrected repair.1 open/1\nscheduled reset repair.1/2 due 09-15 04:00\n");
}

static void test_cancel(void **state)
{
    struct stage *s = *state;
    at(s, MONDAY("09:00"));
    opened(s, "repair", MONDAY("09:00"));
    stage_told(s);
    at(s, MONDAY("15:00"));
    stage_tell(s, "ticket.filed", "A", NULL, "{\"department\":\"service\"}");
    stage_settle(s);
    at(s, AT("16", "09:00"));
    resolved(s, NULL);
    told(s, "");
}

/* The customer is content and the ticket closed; the measure is still owed. A cancelled ticket owes nothing. */
static void test_outlives(void **state)
{
    struct stage *s = *state;
    at(s, MONDAY("09:00"));
    opened(s, "factory", MONDAY("09:00"));
    stage_tell(s, "measure.set", "A", NULL, "{\"measure\":\"M1\",\"kind\":\"corrective\"}");
    stage_settle(s);
    at(s, MONDAY("10:00"));
    resolved(s, NULL);
    stage_tell(s, "ticket.closed", "A", NULL, "{\"reason\":\"recorded\"}");
    stage_settle(s);
    stage_told(s);
    at(s, AT("15", "09:00"));
    told(s, "breached measure.1 0 \n");
    stage_tell(s, "measure.set", "A", NULL, "{\"measure\":\"M1\",\"kind\":\"corrective\"}");
    stage_settle(s);
    stage_tell(s, "ticket.cancelled", "A", NULL, "{\"reason\":\"withdrawn\"}");
    stage_settle(s);
    stage_told(s);
    at(s, AT("18", "09:00"));
    told(s, "");
}

static void test_cancel_told_after_the_breach(void **state)
{
    struct stage *s = *state;
    at(s, MONDAY("09:00"));
    opened(s, "repair", MONDAY("09:00"));
    at(s, MONDAY("18:00"));
    stage_told(s);
    stage_tell(s, "ticket.filed", "A", MONDAY("15:00"), "{\"department\":\"service\"}");
    stage_settle(s);
    told(s, "corrected repair.1 over\n");
    resolved(s, MONDAY("14:00")); /* and it had come before that */
    told(s, "corrected repair.1 met stopped 09-14 14:00\n");
}

static void test_explained(void **state)
{
    struct stage *s = *state;
    at(s, MONDAY("09:00"));
    opened(s, "loan", MONDAY("09:00"));
    stage_told(s);
    at(s, AT("17", "08:00"));
    stage_tell(s, "ticket.explained", "A", NULL, "{\"clause\":\"answer\",\"reason\":\"papers\"}");
    stage_settle(s);
    told(s, "met answer.1 stopped 09-17 08:00 explained\n");
    at(s, AT("20", "08:00"));
    stage_tell(s, "ticket.replied", "A", NULL, "{}");
    stage_settle(s);
    told(s, "");
}

static void test_explained_too_late(void **state)
{
    struct stage *s = *state;
    at(s, MONDAY("09:00"));
    opened(s, "loan", MONDAY("09:00"));
    at(s, AT("17", "10:00"));
    told(s, "scheduled answer.1 due 09-17 09:00\nbreached answer.1 0 \n");
    stage_tell(s, "ticket.explained", "A", NULL, "{\"clause\":\"answer\",\"reason\":\"papers\"}");
    stage_settle(s);
    told(s, "");
}

/* --- promise and timer ---------------------------------------------------------------------- */

/* What was agreed with the customer is moved by another agreement, and by nothing else. */
static void test_appointment(void **state)
{
    struct stage *s = *state;
    at(s, MONDAY("09:00"));
    opened(s, "repair", MONDAY("09:00"));
    stage_tell(s, "appointment.agreed", "A", NULL, "{\"appointment\":\"2026-09-15T02:00:00Z\"}");
    stage_settle(s);
    told(s, "scheduled repair.1 due 09-14 17:00\nscheduled on-site.1 due 09-15 10:00\n");
    at(s, MONDAY("10:00"));
    waits(s, "customer", NULL);
    told(s, "scheduled paused repair.1 waits customer\n");
    at(s, MONDAY("12:00"));
    stage_tell(s, "appointment.agreed", "A", NULL, "{\"appointment\":\"2026-09-16T06:00:00Z\"}");
    stage_settle(s);
    told(s, "scheduled reset on-site.1/1 due 09-16 14:00\n");
    at(s, AT("16", "13:00"));
    stage_tell(s, "job.arrived", "A", NULL, "{\"job\":\"A/j1\"}"); /* early */
    stage_settle(s);
    told(s, "met on-site.1/1 stopped 09-16 13:00\n");
    at(s, AT("16", "14:00"));
    stage_tell(s, "appointment.agreed", "A", NULL, "{\"appointment\":\"2026-09-17T02:00:00Z\"}");
    stage_settle(s);
    at(s, AT("17", "11:00"));
    told(s, "scheduled on-site.2 due 09-17 10:00\nbreached on-site.2 0 \n");
}

/* --- reopening ------------------------------------------------------------------------------ */

static void test_reopened_after_resolve(void **state)
{
    struct stage *s = *state;
    at(s, MONDAY("09:00"));
    opened(s, "repair", MONDAY("09:00"));
    at(s, MONDAY("10:00"));
    resolved(s, NULL);
    stage_tell(s, "ticket.reopened", "A", NULL, "{}"); /* in the same second */
    stage_settle(s);
    told(s, "scheduled repair.1 due 09-14 17:00\nmet repair.1 stopped 09-14 10:00\n"
            "scheduled reopened repair.2 due 09-14 18:00\n");
    stage_tell(s, "ticket.reopened", "A", NULL, "{}"); /* it is still awaited */
    stage_settle(s);
    told(s, "");
}

static void test_reopened_after_close(void **state)
{
    struct stage *s = *state;
    at(s, MONDAY("09:00"));
    opened(s, "repair", MONDAY("09:00"));
    at(s, MONDAY("10:00"));
    stage_tell(s, "ticket.closed", "A", NULL, "{\"reason\":\"recorded\"}"); /* nobody resolved it */
    stage_settle(s);
    at(s, AT("20", "09:00"));
    stage_tell(s, "ticket.reopened", "A", NULL, "{}");
    stage_settle(s);
    told(s, "scheduled repair.1 due 09-14 17:00\nscheduled reopened repair.2 due 09-20 17:00\n");
    stage_tell(s, "ticket.closed", "A", NULL, "{\"reason\":\"recorded\"}");
    stage_settle(s);
    at(s, "2026-10-05T09:00:00+08:00");
    stage_tell(s, "ticket.reopened", "A", NULL,
               "{}"); /* later than ten days: another ticket's story */
    stage_settle(s);
    told(s, "");
    assert_int_equal(stage_open_rows(s), 0);
}

/* It was still running when it was reopened; then it is told that it had been resolved before. */
static void test_reopened_told_before_the_stop(void **state)
{
    struct stage *s = *state;
    at(s, MONDAY("09:00"));
    opened(s, "repair", MONDAY("09:00"));
    at(s, MONDAY("12:00"));
    stage_tell(s, "ticket.reopened", "A", NULL, "{}");
    stage_settle(s);
    told(s, "scheduled repair.1 due 09-14 17:00\n");
    at(s, MONDAY("13:00"));
    resolved(s, MONDAY("11:00"));
    told(s, "met repair.1 stopped 09-14 11:00\nscheduled reopened repair.2 due 09-14 20:00\n");
}

/* --- one instant ---------------------------------------------------------------------------- */

/* Whatever order the facts of one instant are told in, the verdict is the same. */
static void test_reversed_within_an_instant(void **state)
{
    struct stage *s = *state;
    at(s, MONDAY("09:00"));
    opened(s, "repair", MONDAY("09:00"));
    at(s, MONDAY("12:00"));
    stage_told(s);
    stage_tell(s, "ticket.resumed", "A", NULL, "{}"); /* pause comes before resumption */
    stage_tell(s, "ticket.waiting", "A", NULL, "{\"reason\":\"customer\"}");
    stage_settle(s);
    told(s, "");
    stage_tell(s, "ticket.filed", "A", MONDAY("11:00"),
               "{\"department\":\"service\"}"); /* a cancel */
    stage_settle(s);
    told(s, "");
    resolved(s, MONDAY("11:00")); /* a stop of the same instant beats it */
    told(s, "met repair.1 stopped 09-14 11:00\n");
}

/* All told at once, days later: what moved the limit is said before the verdict. */
static void test_told_at_once(void **state)
{
    struct stage *s = *state;
    at(s, AT("18", "09:00"));
    stage_tell(s, "ticket.assessed", "A", NULL,
               "{\"policy\":\"test-1\",\"kind\":\"repair\",\"opened\":\"2026-09-14T01:00:00Z\"}");
    stage_tell(s, "ticket.waiting", "A", MONDAY("10:00"), "{\"reason\":\"customer\"}");
    stage_tell(s, "ticket.resumed", "A", AT("15", "10:00"), "{}");
    stage_tell(s, "ticket.resolved", "A", AT("15", "16:00"), "{}");
    stage_settle(s);
    told(s, "scheduled repair.1 due 09-14 17:00\nscheduled late-fact repair.1 due 09-15 17:00\n"
            "met repair.1 stopped 09-15 16:00 told late\n");
}

#define STORY(test) cmocka_unit_test_setup_teardown(test, stage_up, stage_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORY(test_no_deadline_while_paused),
        STORY(test_two_pauses),
        STORY(test_pause_over_a_weekend),
        STORY(test_pause_at_night),
        STORY(test_pause_priority_resume),
        STORY(test_pause_and_stop_in_one_batch),
        STORY(test_first_reply_and_pause_at_once),
        STORY(test_budget),
        STORY(test_pause_with_events_of_its_own),
        STORY(test_late_pause),
        STORY(test_late_resume),
        STORY(test_levels_once_over_pause_and_restart),
        STORY(test_due_exactly_at_closing),
        STORY(test_due_exactly_at_lunch),
        STORY(test_opened_outside_hours),
        STORY(test_branch_clock_ahead_of_ours),
        STORY(test_reset),
        STORY(test_reset_told_late),
        STORY(test_cancel),
        STORY(test_outlives),
        STORY(test_cancel_told_after_the_breach),
        STORY(test_explained),
        STORY(test_explained_too_late),
        STORY(test_appointment),
        STORY(test_reopened_after_resolve),
        STORY(test_reopened_after_close),
        STORY(test_reopened_told_before_the_stop),
        STORY(test_reversed_within_an_instant),
        STORY(test_told_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
