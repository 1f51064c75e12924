/* The line of a ticket through its story; what comes too late for its state changes nothing. */
#include "base/text.h"
#include "calendar/zone.h"
#include "proto/reference.h"
#include "services/reporting/period.h"
#include "story.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static int setup(void **state)
{
    struct story *story = malloc(sizeof(*story));
    story_init(story);
    *state = story;
    return 0;
}

static int teardown(void **state)
{
    story_release(*state);
    free(*state);
    return 0;
}

static void a_whole_story(void **state)
{
    struct story *story = *state;
    story_assessed(story, "T1", "repair", DAY(0));
    assert_int_equal(story_ticket(story, "T1")->state, TICKET_OPEN);
    assert_string_equal(story_ticket(story, "T1")->month, "2011-07");
    story_scheduled(story, "T1", "arrange", 1, DAY(1));
    story_scheduled(story, "T1", "repair", 1, DAY(2));
    story_offered(story, "T1", 1, "D1", 3);
    assert_int_equal(story_ticket(story, "T1")->state, TICKET_OFFERED);
    story_accepted(story, "T1", 1, "D1");
    assert_int_equal(story_ticket(story, "T1")->state, TICKET_ACCEPTED);
    story_met(story, "T1", "arrange", 1, DAY(1), false);
    story->now_us = DAY(2);
    story_breached(story, "T1", "repair", 1, DAY(2));
    story->now_us = DAY(4);
    story_resolved(story, "T1", DAY(3));
    story_callback_due(story, "T1", 1, DAY(6));
    story_callback(story, "T1", 1, 4);
    story_closed(story, "T1");
    const struct ticket_row *row = story_ticket(story, "T1");
    assert_false(row->open);
    assert_int_equal(row->state, TICKET_CLOSED);
    assert_string_equal(row->site, "D1");
    assert_int_equal(row->tier, 3);
    assert_int_equal(row->resolved_us, DAY(3));
    assert_int_equal(row->met, 1);
    assert_int_equal(row->breached, 1);
    assert_int_equal(row->callback, CALLBACK_RECORDED);
    assert_int_equal(row->satisfaction, 4);
    assert_int_equal(row->earliest_us, DAY(0));
    assert_int_equal(row->latest_us, DAY(6));
    assert_int_equal(row->changed_pos, story->pos);
}

static void say_expired(struct story *story, const char *key, int k)
{
    struct job_expired d = {.due_us = story->now_us};
    text_format(d.job, sizeof(d.job), "%s/j%d", key, k);
    story_say(story, reporting_on_job_expired, key, 0, &d);
}

static void say_declined(struct story *story, const char *key, int k)
{
    struct job_declined d = {.reason = "busy"};
    text_format(d.job, sizeof(d.job), "%s/j%d", key, k);
    story_say(story, reporting_on_job_declined, key, 0, &d);
}

static void offers_go_on(void **state)
{
    struct story *story = *state;
    struct site_updated site = {.tier = 3};
    story_say(story, reporting_on_site_updated, "D1", 0, &site);
    story_assessed(story, "T1", "repair", DAY(0));
    story_offered(story, "T1", 1, "D1", 3);
    say_expired(story, "T1", 1);
    assert_int_equal(story_ticket(story, "T1")->state, TICKET_OPEN);
    assert_string_equal(story_ticket(story, "T1")->site, "");
    story_offered(story, "T1", 2, "B1", 2);
    say_expired(story, "T1", 1); /* over already */
    assert_int_equal(story_ticket(story, "T1")->expired, 1);
    /* The first one takes it after all, while the second has not answered; its tier is the network's. */
    story_accepted(story, "T1", 1, "D1");
    assert_string_equal(story_ticket(story, "T1")->site, "D1");
    assert_int_equal(story_ticket(story, "T1")->tier, 3);
    /* The second comes too late. */
    story_accepted(story, "T1", 2, "B1");
    say_declined(story, "T1", 2);
    assert_string_equal(story_ticket(story, "T1")->site, "D1");
    assert_int_equal(story_ticket(story, "T1")->declined, 0);
    struct job_handed_over over = {.job = "T1/j1", .to = "B1"};
    story_say(story, reporting_on_job_handed_over, "T1", 0, &over);
    assert_string_equal(story_ticket(story, "T1")->site, "B1");
    struct job_withdrawn withdrawn = {.job = "T1/j1", .reason = "moved-on"};
    story_say(story, reporting_on_job_withdrawn, "T1", 0, &withdrawn);
    assert_int_equal(story_ticket(story, "T1")->state, TICKET_OPEN);
    assert_int_equal(story_ticket(story, "T1")->offers, 2);
}

static void a_reopened_ticket_goes_on(void **state)
{
    struct story *story = *state;
    story_assessed(story, "T1", "repair", DAY(0));
    story->now_us = DAY(3);
    story_resolved(story, "T1", DAY(1));
    story_resolved(story, "T1", DAY(2)); /* said twice */
    assert_int_equal(story_ticket(story, "T1")->resolved_us, DAY(1));
    story->now_us = DAY(5);
    story_closed(story, "T1");
    story_reopened(story, "T1");
    story_reopened(story, "T1"); /* it is open already */
    const struct ticket_row *row = story_ticket(story, "T1");
    assert_true(row->open);
    assert_int_equal(row->state, TICKET_OPEN);
    assert_int_equal(row->reopenings, 1);
    assert_int_equal(row->reopened_us, DAY(5));
    assert_int_equal(row->resolved_us, 0);
    story->now_us = DAY(8);
    story_resolved(story, "T1", DAY(7));
    row = story_ticket(story, "T1");
    assert_int_equal(row->resolved_us, DAY(7));
    assert_int_equal(row->first_resolved_us, DAY(1));
}

static void verdicts_are_the_watchdogs(void **state)
{
    struct story *story = *state;
    static const struct {
        const char *is;
        int result;
    } cases[] = {{"met", LIMIT_MET_LATE}, {"breached", LIMIT_BREACHED}, {"open", LIMIT_RUNNING}};
    story_assessed(story, "T1", "repair", DAY(0));
    story_scheduled(story, "T1", "repair", 1, DAY(2));
    story_breached(story, "T1", "repair", 1, DAY(2));
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct sla_corrected d = {.clause = "repair", .k = 1, .was = "breached"};
        text_copy(d.is, sizeof(d.is), cases[i].is);
        story_say(story, reporting_on_sla_corrected, "T1", 0, &d);
        assert_int_equal(story_ticket(story, "T1")->limits[0].result, cases[i].result);
    }
    story_met(story, "T1", "repair", 1, DAY(2), true);
    assert_int_equal(story_ticket(story, "T1")->limits[0].result, LIMIT_MET_LATE);
    assert_int_equal(story_ticket(story, "T1")->met, 1);
    assert_int_equal(story_ticket(story, "T1")->limits_n, 1);
}

/* The decided promise that was due first makes room for a ninth; running ones stay. */
static void promises_are_bounded(void **state)
{
    struct story *story = *state;
    story_assessed(story, "T1", "repair", DAY(0));
    for (int64_t k = 1; k <= TICKET_LIMITS_MAX; k++)
        story_scheduled(story, "T1", "reply", k, DAY(k));
    story_met(story, "T1", "reply", 3, DAY(3), false);
    story_met(story, "T1", "reply", 5, DAY(5), false);
    story_scheduled(story, "T1", "reply", 9, DAY(9));
    const struct ticket_row *row = story_ticket(story, "T1");
    assert_int_equal(row->limits_n, TICKET_LIMITS_MAX);
    assert_int_equal(row->limits[0].k, 1);
    assert_int_equal(row->limits[2].k, 4);
    assert_int_equal(row->limits[TICKET_LIMITS_MAX - 1].k, 9);
    assert_int_equal(row->met, 1);
}

static void callbacks_are_recorded_once(void **state)
{
    struct story *story = *state;
    struct followup_recorded away = {.k = 0, .reached = false};
    struct followup_missed missed = {.k = 1};
    story_assessed(story, "T1", "repair", DAY(0));
    story_callback(story, "T1", 0, 5); /* it is not resolved */
    assert_int_equal(story_ticket(story, "T1")->callbacks_n, 0);
    story_resolved(story, "T1", DAY(0));
    story_callback_due(story, "T1", 1, DAY(3));
    story_say(story, reporting_on_followup_recorded, "T1", 0, &away);
    assert_int_equal(story_ticket(story, "T1")->callback, CALLBACK_DUE);
    story_say(story, reporting_on_followup_missed, "T1", 0, &missed);
    assert_int_equal(story_ticket(story, "T1")->callback, CALLBACK_MISSED);
    story_callback(story, "T1", 1, 2); /* missed is missed */
    assert_int_equal(story_ticket(story, "T1")->satisfaction, 0);
    /* The second resolution: asked before its day. */
    story_reopened(story, "T1");
    story_resolved(story, "T1", DAY(0));
    story_callback(story, "T1", 0, 4);
    story_callback(story, "T1", 2, 5);
    const struct ticket_row *row = story_ticket(story, "T1");
    assert_int_equal(row->callbacks_n, 2);
    assert_int_equal(row->callbacks[1].k, 2);
    assert_int_equal(row->callback, CALLBACK_RECORDED);
    assert_int_equal(row->satisfaction, 4);
    /* The third is due when the ticket is reopened once more. */
    story_reopened(story, "T1");
    story_resolved(story, "T1", DAY(0));
    story_callback_due(story, "T1", 3, DAY(9));
    story_reopened(story, "T1");
    assert_int_equal(story_ticket(story, "T1")->callback, CALLBACK_VOID);
}

static void a_job_is_given_back(void **state)
{
    struct story *story = *state;
    story_assessed(story, "T1", "repair", DAY(0));
    story_offered(story, "T1", 1, "D1", 3);
    story_accepted(story, "T1", 1, "D1");
    say_declined(story, "T1", 2); /* another one's */
    assert_int_equal(story_ticket(story, "T1")->state, TICKET_ACCEPTED);
    say_declined(story, "T1", 1);
    assert_int_equal(story_ticket(story, "T1")->state, TICKET_OPEN);
    assert_int_equal(story_ticket(story, "T1")->declined, 1);
    story_closed(story, "T1"); /* it is not resolved */
    assert_true(story_ticket(story, "T1")->open);
}

static void unknown_tickets_are_passed_over(void **state)
{
    struct story *story = *state;
    story_offered(story, "NONE", 1, "D1", 3);
    story_resolved(story, "NONE", DAY(1));
    story_met(story, "NONE", "repair", 1, DAY(1), false);
    story_callback_due(story, "NONE", 1, DAY(1));
    story_closed(story, "NONE");
    assert_null(story_ticket(story, "NONE"));
}

static void months_are_local(void **state)
{
    (void)state;
    static const struct {
        const char *text, *zone, *from, *to;
    } cases[] = {
        {"2011-08", "UTC", "2011-08-01T00:00:00Z", "2011-09-01T00:00:00Z"},
        {"2011-12", "Asia/Shanghai", "2011-11-30T16:00:00Z", "2011-12-31T16:00:00Z"},
        {"2011-11", "America/New_York", "2011-11-01T04:00:00Z", "2011-12-01T05:00:00Z"}, /* the clock goes back between */
    };
    char text[INSTANT_TEXT_MAX];
    int64_t from_us, to_us;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        assert_true(period_parse(cases[i].text, zone_find(cases[i].zone), &from_us, &to_us));
        instant_print(from_us, text);
        assert_string_equal(text, cases[i].from);
        instant_print(to_us, text);
        assert_string_equal(text, cases[i].to);
    }
    static const char *const wrong[] = {"", "2011", "2011-13", "2011-00", "2011-8", "2011/08", "201a-08", "2011-08x"};
    for (size_t i = 0; i < COUNT_OF(wrong); i++)
        assert_false(period_parse(wrong[i], zone_find("UTC"), &from_us, &to_us));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_whole_story, setup, teardown),
        cmocka_unit_test_setup_teardown(offers_go_on, setup, teardown),
        cmocka_unit_test_setup_teardown(a_reopened_ticket_goes_on, setup, teardown),
        cmocka_unit_test_setup_teardown(verdicts_are_the_watchdogs, setup, teardown),
        cmocka_unit_test_setup_teardown(promises_are_bounded, setup, teardown),
        cmocka_unit_test_setup_teardown(callbacks_are_recorded_once, setup, teardown),
        cmocka_unit_test_setup_teardown(a_job_is_given_back, setup, teardown),
        cmocka_unit_test_setup_teardown(unknown_tickets_are_passed_over, setup, teardown),
        cmocka_unit_test(months_are_local),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
