/* Limits chosen anew: by what a ticket is, by another policy, by another calendar. And clauses on
 * keys that are no tickets. */
#include "stage.h"

#include "base/text.h"
#include "services/sla-watchdog/tables.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define DAY(name)                                                                                  \
    "  - {weekday: " name                                                                          \
    ", windows: [{from: '08:30', to: '12:00'}, {from: '13:30', to: '17:30'}]}\n"
#define CALENDAR(version, exceptions)                                                              \
    "name: office\nversion: " version "\nzone: Asia/Shanghai\nweekly:\n" DAY("mon") DAY("tue")     \
        DAY("wed") DAY("thu") DAY("fri") exceptions

#define POLICY(version, head, limit)                                                               \
    "name: test\nversion: " version "\nzone: Asia/Shanghai\ncalendars: [office]\n" head            \
    "kinds: [{name: repair}, {name: factory}, {name: quick}]\n"                                    \
    "priorities: [{priority: urgent, match: {priorities: [urgent]}}]\n"                            \
    "region_classes: [{class: core, regions: ['11']}]\n"                                           \
    "pauses: [{reason: customer}]\n"                                                               \
    "sla:\n"                                                                                       \
    "  - {id: repair, start: ticket.assessed, stop: ticket.resolved, calendar: office,\n"          \
    "     pause: [customer], levels: [{at: -1h, to: clerk}, {at: 2h, to: a}, {at: 9h, to: b}],\n"  \
    "     limits: [{limit: 2h, match: {kinds: [repair], priorities: [urgent]}},\n"                 \
    "              {limit: 4h, match: {kinds: [repair], region_classes: [core]}},\n"               \
    "              {limit: " limit ", match: {kinds: [repair]}},\n"                                \
    "              {limit: 8wh, match: {kinds: [factory]}}]}\n"                                    \
    "  - {id: rush, start: ticket.assessed, stop: job.arrived,\n"                                  \
    "     limits: [{limit: 3h, match: {priorities: [urgent]}}]}\n"                                 \
    "  - {id: batch, start: unit.received, stop: unit.sent_back,\n"                                \
    "     limits: [{limit: 1d, per_units: 10, match: {kinds: [quick]}}]}\n"                        \
    "  - {id: offer, start: job.offered, stop: job.accepted, cancel: job.declined,\n"              \
    "     limits: [{limit: 2h}]}\n"                                                                \
    "  - {id: wanted, start: {type: ticket.registered, from: wanted}, stop: job.reported,\n"       \
    "     limits: [{limit: 0s, match: {kinds: [quick]}}]}\n"                                       \
    "  - {id: answer-call, start: call.received, stop: customer.informed, limits: [{limit: "       \
    "1d}]}\n"                                                                                      \
    "  - {id: revisit, start: visit.recorded, stop: visit.recorded, limits: [{limit: 1y}]}\n"      \
    "  - {id: papers, calendar: office,\n"                                                         \
    "     start: [{type: milestone.reached, when: [{field: milestone, is: [keys]}]}],\n"           \
    "     stop: [{type: milestone.reached, when: [{field: milestone, is: [title]}]}],\n"           \
    "     cancel: [{type: milestone.reached, when: [{field: milestone, is: [alone]}]}],\n"         \
    "     limits: [{limit: 3mo}]}\n"

#define AT(day, time) "2026-09-" day "T" time ":00+08:00"
#define MONDAY(time)  AT("14", time)

static int stage_up(void **state)
{
    *state = stage_new(MONDAY("07:00"), POLICY("test-1", "", "8h"), CALENDAR("office-1", ""));
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

static void tell(struct stage *s, const char *type, const char *key, const char *json)
{
    stage_tell(s, type, key, NULL, json);
    stage_settle(s);
}

/* --- by what it is -------------------------------------------------------------------------- */

static void test_priority(void **state)
{
    struct stage *s = *state;
    at(s, MONDAY("09:00"));
    stage_open(s, "A", "repair", MONDAY("09:00"));
    stage_settle(s);
    at(s, MONDAY("09:30"));
    tell(s, "ticket.reclassified", "A", "{\"priority\":\"urgent\"}");
    told(s, "scheduled repair.1 due 09-14 17:00\n"
            "scheduled retargeted repair.1/1 due 09-14 11:00 rush.1 due 09-14 12:00\n");
    at(s, MONDAY("10:10"));
    told(s, "warned repair.1 -1 clerk\n");
    tell(s, "ticket.reclassified", "A", "{\"priority\":\"normal\"}"); /* rush lapses */
    told(s, "scheduled retargeted repair.1/2 due 09-14 17:00\n");
    at(s, MONDAY("13:00"));
    told(s, "");
    tell(s, "ticket.reclassified", "A", "{\"priority\":\"urgent\"}"); /* and comes back, late */
    told(s, "scheduled retargeted repair.1/3 due 09-14 11:00 rush.1/1 due 09-14 12:00\n"
            "breached repair.1 0 /3 retarget\nbreached rush.1 0 /1 retarget\n");
    tell(s, "ticket.reclassified", "A", "{\"priority\":\"normal\"}");
    tell(s, "job.arrived", "A", "{\"job\":\"A/j1\"}");
    told(s, "scheduled retargeted repair.1/4 due 09-14 17:00\n");
}

/* Past when it is chosen: the limit once, and of the ladder only what is still to come. */
static void test_past_when_chosen(void **state)
{
    struct stage *s = *state;
    at(s, MONDAY("09:00"));
    stage_open(s, "A", "repair", MONDAY("09:00"));
    at(s, MONDAY("15:30"));
    stage_told(s);
    tell(s, "ticket.reclassified", "A", "{\"priority\":\"urgent\"}"); /* 11:00; levels 10, 13, 20 */
    at(s, MONDAY("19:59"));
    told(s, "scheduled retargeted repair.1/1 due 09-14 11:00 rush.1 due 09-14 12:00\n"
            "breached repair.1 0 /1 retarget\nbreached rush.1 0  retarget\n");
    at(s, MONDAY("20:01"));
    told(s, "breached repair.1 2 b/1\n");
}

static void test_region_class(void **state)
{
    struct stage *s = *state;
    at(s, MONDAY("09:00"));
    stage_open(s, "A", "repair", MONDAY("09:00"));
    stage_settle(s);
    tell(s, "ticket.reclassified", "A", "{\"region\":\"110105\"}");
    told(s,
         "scheduled repair.1 due 09-14 17:00\nscheduled retargeted repair.1/1 due 09-14 13:00\n");
    tell(s, "ticket.reclassified", "A",
         "{\"product\":\"pump\"}"); /* the same line: nothing to say */
    told(s, "");
}

/* --- by another calendar -------------------------------------------------------------------- */

#define HOLIDAY "exceptions:\n  - {from: '2026-09-15', to: '2026-09-15', name: day off}\n"

static void test_calendar(void **state)
{
    struct stage *s = *state;
    at(s, MONDAY("16:30"));
    stage_open(s, "A", "factory", MONDAY("16:30"));
    stage_open(s, "B", "repair", MONDAY("16:30"));
    stage_settle(s);
    told(s, "scheduled repair.1 due 09-15 17:00\nscheduled repair.1 due 09-15 00:30\n");
    stage_calendar(s, CALENDAR("office-2", HOLIDAY));
    stage_settle(s);
    at(s, MONDAY("16:31"));
    told(s, "scheduled calendar repair.1/1 due 09-16 17:00\n"); /* B does not count by it */
    stage_calendar(s, CALENDAR("office-3", HOLIDAY
                               "  - {from: '2026-12-31', to: '2026-12-31', name: far away}\n"));
    stage_settle(s);
    stage_restart(s);
    at(s, MONDAY("16:32"));
    told(s, "scheduled calendar repair.1/1 due 09-16 17:00\n"); /* the same target */
    at(s, MONDAY("16:33"));
    told(s, "");
}

static void test_calendar_edited_while_paused(void **state)
{
    struct stage *s = *state;
    at(s, MONDAY("16:30"));
    stage_open(s, "A", "factory", MONDAY("16:30"));
    stage_settle(s);
    at(s, MONDAY("17:00"));
    tell(s, "ticket.waiting", "A", "{\"reason\":\"customer\"}");
    stage_told(s);
    stage_calendar(s, CALENDAR("office-2", HOLIDAY));
    stage_settle(s);
    at(s, MONDAY("17:15"));
    told(s, "scheduled calendar repair.1 waits customer\n");
    tell(s, "ticket.resumed", "A", "{}"); /* half an hour had run; 15 minutes are left of Monday */
    told(s, "scheduled resumed repair.1 due 09-16 17:15\n");
}

/* Many at once: each one event, a few on their way at a time, and nothing else stands still. */
static void test_calendar_under_many(void **state)
{
    struct stage *s = *state;
    char key[16];
    at(s, MONDAY("09:00"));
    for (int i = 0; i < 100; i++) {
        text_format(key, sizeof key, "T%03d", i);
        stage_open(s, key, "factory", MONDAY("09:00"));
    }
    stage_settle(s);
    stage_told(s);
    stage_calendar(s, CALENDAR("office-2", HOLIDAY));
    stage_settle(s);
    const char *text = stage_told(s);
    int n = 0;
    for (const char *line = text; *line; line++) {
        assert_true(text_starts(line, "scheduled calendar repair.1/1 due 09-16 09:30\n"));
        n++;
        while (*line != '\n')
            line++;
    }
    assert_int_equal(n, 100);
    for (int i = 0; i < 100; i++) {
        text_format(key, sizeof key, "T%03d/repair.1", i);
        const struct clock *c = stage_row(s, SLA_WATCHDOG_CLOCK, key);
        assert_int_equal(c->target, 1);
    }
}

/* --- by another policy ---------------------------------------------------------------------- */

static void test_policy(void **state)
{
    struct stage *s = *state;
    at(s, MONDAY("09:00"));
    stage_open(s, "A", "repair", MONDAY("09:00"));
    stage_settle(s);
    stage_policy(s, POLICY("test-2", "", "6h")); /* for tickets from then on */
    stage_settle(s);
    at(s, MONDAY("09:01"));
    told(s, "scheduled repair.1 due 09-14 17:00\n");
    stage_policy(s, POLICY("test-3", "retarget_open: true\n", "5h"));
    stage_settle(s);
    at(s, MONDAY("09:02"));
    told(s, "scheduled retargeted repair.1/1 due 09-14 14:00\n");
    at(s, MONDAY("09:03"));
    tell(s, "ticket.reclassified", "A", "{\"priority\":\"urgent\"}");
    told(s, "scheduled retargeted repair.1/2 due 09-14 11:00 rush.1 due 09-14 12:00\n");
}

/* A version that has the clause no more: with the next fact nobody waits for it. */
static void test_policy_without_the_clause(void **state)
{
    struct stage *s = *state;
    at(s, MONDAY("09:00"));
    stage_open(s, "A", "repair", MONDAY("09:00"));
    stage_settle(s);
    stage_policy(
        s,
        "name: test\nversion: test-2\nzone: Asia/Shanghai\nretarget_open: true\n"
        "kinds: [{name: repair}]\n"
        "sla: [{id: other, start: ticket.noted, stop: ticket.replied, limits: [{limit: 1h}]}]\n");
    stage_settle(s);
    at(s, MONDAY("10:00"));
    told(s, "scheduled repair.1 due 09-14 17:00\n");
    tell(s, "ticket.noted", "A", "{\"kind\":\"note\"}");
    told(s, "scheduled other.1 due 09-14 11:00\n");
    at(s, MONDAY("18:00"));
    told(s, "breached other.1 0 \n");
    const struct clock *c = stage_row(s, SLA_WATCHDOG_CLOCK, "A/repair.1");
    assert_false(c->open);
    assert_int_equal(c->state, CLOCK_OVER);
}

/* --- starts told late ----------------------------------------------------------------------- */

static void test_late_start(void **state)
{
    struct stage *s = *state;
    at(s, AT("15", "06:00"));
    stage_open(s, "A", "repair", MONDAY("09:00")); /* 17:00; levels 16, 19, 02 */
    stage_settle(s);
    at(s, AT("15", "06:01"));
    told(s, "scheduled repair.1 due 09-14 17:00\nwarned repair.1 -1 clerk\nbreached repair.1 0 \n"
            "breached repair.1 1 a\nbreached repair.1 2 b\n");
}

/* --- quantities, other keys ----------------------------------------------------------------- */

static void test_per_units(void **state)
{
    struct stage *s = *state;
    at(s, MONDAY("09:00"));
    stage_open(s, "A", "quick", MONDAY("09:00"));
    tell(s, "unit.received", "A", "{\"quantity\":21}");
    told(s, "scheduled batch.1 due 09-17 09:00\n");
    tell(s, "unit.received", "A", "{\"quantity\":20}");
    told(s, "scheduled batch.2 due 09-16 09:00\n");
    at(s, AT("16", "08:00"));
    tell(s, "unit.sent_back", "A", "{\"quantity\":41}"); /* ends both */
    told(s, "met batch.2 stopped 09-16 08:00\nmet batch.1 stopped 09-16 08:00\n");
}

/* Counted from what the registration says; its judgement follows it. */
static void test_wanted_by(void **state)
{
    struct stage *s = *state;
    at(s, MONDAY("09:00"));
    stage_tell(s, "ticket.registered", "A", NULL,
               "{\"kind\":\"quick\",\"wanted\":\"2026-09-16T02:00:00Z\"}");
    stage_cause(s, stage_head(s));
    stage_open(s, "A", "quick", MONDAY("09:00"));
    stage_cause(s, 0);
    stage_tell(s, "ticket.registered", "B", NULL, "{\"kind\":\"quick\"}");
    stage_cause(s, stage_head(s));
    stage_open(s, "B", "quick", MONDAY("09:00"));
    stage_cause(s, 0);
    stage_settle(s);
    told(s, "scheduled wanted.1 due 09-16 10:00\n"); /* B wants nothing by a day */
    at(s, AT("16", "10:00"));
    told(s, "breached wanted.1 0 \n");
}

/* Its story goes on with it. */
static void test_a_ticket_by_the_number_of_a_call(void **state)
{
    struct stage *s = *state;
    at(s, MONDAY("09:00"));
    tell(s, "call.received", "A", "{\"rings\":2}");
    told(s, "scheduled answer-call.1 due 09-15 09:00\n");
    stage_tell(s, "ticket.registered", "A", NULL, "{\"kind\":\"quick\",\"wanted\":\"2026-09-16T02:00:00Z\"}");
    stage_cause(s, stage_head(s));
    stage_open(s, "A", "quick", MONDAY("09:00"));
    stage_cause(s, 0);
    stage_settle(s);
    told(s, "scheduled wanted.1 due 09-16 10:00\n");
    at(s, AT("16", "10:00"));
    told(s, "breached answer-call.1 0 \nbreached wanted.1 0 \n");
}

/* What a worker drew from a cancel is not ended by it, though it stands in the same instant. */
static void test_offered_at_once_behind_a_decline(void **state)
{
    struct stage *s = *state;
    at(s, MONDAY("09:00"));
    stage_open(s, "A", "repair", MONDAY("09:00"));
    tell(s, "job.offered", "A", "{\"job\":\"A/j1\",\"site\":\"S1\",\"tier\":3}");
    at(s, MONDAY("10:00"));
    stage_told(s);
    stage_tell(s, "job.declined", "A", NULL, "{\"job\":\"A/j1\",\"reason\":\"busy\"}");
    stage_cause(s, stage_head(s));
    stage_tell(s, "job.offered", "A", NULL, "{\"job\":\"A/j2\",\"site\":\"S2\",\"tier\":3}");
    stage_cause(s, 0);
    stage_settle(s);
    at(s, MONDAY("12:00"));
    told(s, "scheduled offer.2 due 09-14 12:00\nbreached offer.2 0 \n");
}

static void test_call(void **state)
{
    struct stage *s = *state;
    at(s, MONDAY("09:00"));
    tell(s, "call.received", "C1", "{\"rings\":2}");
    told(s, "scheduled answer-call.1 due 09-15 09:00\n");
    at(s, MONDAY("10:00"));
    stage_fact(s, "customer.informed", "C2", NULL); /* of another call */
    stage_settle(s);
    told(s, "");
    stage_fact(s, "customer.informed", "C1", NULL);
    stage_settle(s);
    told(s, "met answer-call.1 stopped 09-14 10:00\n");
    assert_int_equal(stage_open_rows(s), 0);
}

/* A stop that is told before its start, on a key that nobody knew. */
static void test_call_told_backwards(void **state)
{
    struct stage *s = *state;
    at(s, MONDAY("12:00"));
    stage_fact(s, "customer.informed", "C1", MONDAY("11:00"));
    stage_settle(s);
    stage_tell(s, "call.received", "C1", MONDAY("10:00"), "{\"rings\":2}");
    stage_settle(s);
    told(s, "scheduled answer-call.1 due 09-15 10:00\nmet answer-call.1 stopped 09-14 11:00\n");
}

static void test_periodic(void **state)
{
    struct stage *s = *state;
    at(s, MONDAY("09:00"));
    stage_fact(s, "visit.recorded", "K1", NULL);
    stage_settle(s);
    told(s, "scheduled revisit.1 due 09-14 09:00\n");
    at(s, "2027-09-01T09:00:00+08:00");
    stage_fact(s, "visit.recorded", "K1", NULL);
    stage_fact(s, "visit.recorded", "K1", NULL); /* twice in the same second */
    stage_settle(s);
    told(s, "met revisit.1 stopped 09-01 09:00\nscheduled revisit.2 due 09-01 09:00\n"
            "met revisit.2 stopped 09-01 09:00\nscheduled revisit.3 due 09-01 09:00\n");
    at(s, "2028-09-02T09:00:00+08:00");
    told(s, "breached revisit.3 0 \n");
    assert_int_equal(stage_open_rows(s), 2);
}

static void test_contract(void **state)
{
    struct stage *s = *state;
    at(s, MONDAY("09:00"));
    tell(s, "milestone.reached", "V1", "{\"milestone\":\"mortgage\"}"); /* no clause is about it */
    told(s, "");
    tell(s, "milestone.reached", "V1", "{\"milestone\":\"keys\"}");
    tell(s, "milestone.reached", "V2", "{\"milestone\":\"keys\"}");
    told(s, "scheduled papers.1 due 12-14 09:00\nscheduled papers.1 due 12-14 09:00\n");
    at(s, "2026-10-10T10:00:00+08:00");
    tell(s, "milestone.reached", "V1", "{\"milestone\":\"alone\"}");
    at(s, "2026-12-14T09:30:00+08:00");
    told(s, "breached papers.1 0 \n"); /* V2 */
    tell(s, "milestone.reached", "V2", "{\"milestone\":\"title\"}");
    assert_int_equal(stage_open_rows(s), 0);
}

#define STORY(test) cmocka_unit_test_setup_teardown(test, stage_up, stage_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORY(test_priority),
        STORY(test_past_when_chosen),
        STORY(test_region_class),
        STORY(test_calendar),
        STORY(test_calendar_edited_while_paused),
        STORY(test_calendar_under_many),
        STORY(test_policy),
        STORY(test_policy_without_the_clause),
        STORY(test_late_start),
        STORY(test_per_units),
        STORY(test_wanted_by),
        STORY(test_a_ticket_by_the_number_of_a_call),
        STORY(test_offered_at_once_behind_a_decline),
        STORY(test_call),
        STORY(test_call_told_backwards),
        STORY(test_periodic),
        STORY(test_contract),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
