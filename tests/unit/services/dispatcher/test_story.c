/* What the dispatcher says to what it is told. Every story ends with a rebuild that must come to
 * the same rows and add nothing. */
#include "unit/services/dispatcher/company.h"

#include "base/text.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static void offered_accepted_reported(void **state)
{
    (void)state;
    struct story *story = begin_with("A");
    ticket(story, "T");
    story_concludes(story, "T/j1 is offered to A (first)\n");
    accepts_with(story, "T/j1", "eng-7");
    story_tell(story, "job.arrived", "T", "{\"job\":\"T/j1\"}");
    story_wait(story, 600);
    story_concludes(story, "");
    assert_int_equal(load(story, "A")->load, 1);
    reports(story, "T/j1", "done");
    story_concludes(story, "T is resolved by T/j1: done\n");
    assert_int_equal(load(story, "A")->load, 0);
    assert_int_equal(job(story, "T/j1")->state, JOB_DONE);
    assert_string_equal(job(story, "T/j1")->engineer, "eng-7");
    reports(story, "T/j1", "done");
    end(story);
}

static void declined_goes_to_the_next_and_then_up(void **state)
{
    (void)state;
    struct story *story = begin_with("A B C");
    branch(story, "N");
    ticket(story, "T");
    story_concludes(story, "T/j1 is offered to A (first)\n");
    declines(story, "T/j1", "no-parts");
    story_concludes(story, "T/j2 is offered to B (next)\n");
    assert_string_equal(job(story, "T/j2")->choice, "B=0 C=0 A=0!declined +1!declined");
    story_wait(story, 120);
    /* two stations were asked, no more are; silence at a branch is a yes */
    story_concludes(story, "T/j2 was not answered by B\n"
                           "T goes up to tier 2: expired\n"
                           "T/j3 is offered to N (tier-up)\n");
    story_wait(story, 480);
    story_concludes(story, "T/j3 counts as accepted by N: silence\n");
    assert_int_equal(load(story, "A")->declined, 1);
    assert_int_equal(load(story, "B")->expired, 1);
    assert_int_equal(load(story, "N")->load, 1);
    end(story);
}

static void urgent_starts_high(void **state)
{
    (void)state;
    struct story *story = begin_with("A");
    branch(story, "N");
    story_tell(story, "ticket.assessed", "T",
               "{\"policy\":\"acme-1\",\"kind\":\"repair\",\"priority\":\"urgent\",\"opened\":"
               "\"2026-03-02T08:00:00Z\"}");
    story_concludes(story, "T/j1 is offered to N (first)\n");
    end(story);
}

static void a_report_is_an_acceptance(void **state)
{
    (void)state;
    struct story *story = begin_with("A");
    ticket(story, "T");
    story_concludes(story, "T/j1 is offered to A (first)\n");
    reports(story, "T/j1", "advised");
    story_concludes(story, "T/j1 counts as accepted by A: report\n"
                           "T is resolved by T/j1: advised\n");
    story_wait(story, 600);
    end(story);
}

static void an_arrival_is_an_acceptance(void **state)
{
    (void)state;
    struct story *story = begin_with("A");
    ticket(story, "T");
    story_tell(story, "job.arrived", "T", "{\"job\":\"T/j1\",\"engineer\":\"eng-7\"}");
    reports(story, "T/j1", "done");
    story_concludes(story, "T/j1 is offered to A (first)\n"
                           "T/j1 counts as accepted by A: report\n"
                           "T is resolved by T/j1: done\n");
    end(story);
}

static void who_fails_hands_it_up(void **state)
{
    (void)state;
    struct story *story = begin_with("A B");
    branch(story, "N");
    ticket(story, "T");
    accepts(story, "T/j1");
    reports(story, "T/j1", "failed");
    story_concludes(story, "T/j1 is offered to A (first)\n"
                           "T goes up to tier 2: failed\n"
                           "T/j2 is offered to N (tier-up)\n");
    end(story);
}

static void a_late_yes_revives(void **state)
{
    (void)state;
    struct story *story = begin_with("A B");
    ticket(story, "T");
    story_wait(story, 125);
    story_concludes(story, "T/j1 is offered to A (first)\n"
                           "T/j1 was not answered by A\n"
                           "T/j2 is offered to B (next)\n");
    accepts(story, "T/j1");
    story_concludes(story, "T/j2 is taken back from B: taken\n");
    assert_int_equal(job(story, "T/j1")->state, JOB_ACCEPTED);
    assert_int_equal(job(story, "T/j2")->state, JOB_WITHDRAWN);
    assert_int_equal(load(story, "A")->load, 1);
    assert_int_equal(load(story, "B")->load, 0);
    story_wait(story, 600);
    end(story);
}

static void a_late_yes_comes_too_late(void **state)
{
    (void)state;
    struct story *story = begin_with("A B");
    ticket(story, "T");
    story_wait(story, 125);
    accepts(story, "T/j2");
    story_concludes(story, "T/j1 is offered to A (first)\n"
                           "T/j1 was not answered by A\n"
                           "T/j2 is offered to B (next)\n");
    accepts(story, "T/j1");
    story_concludes(story, "T/j1 is taken back from A: taken\n");
    accepts(story, "T/j1");
    assert_int_equal(load(story, "A")->load, 0);
    end(story);
}

/* Both say yes before the dispatcher has been able to say anything: the journal's order decides. */
static void two_say_yes_at_once(void **state)
{
    (void)state;
    struct story *story = begin_with("A B");
    ticket(story, "T");
    story_wait(story, 125);
    story_concludes(story, "T/j1 is offered to A (first)\n"
                           "T/j1 was not answered by A\n"
                           "T/j2 is offered to B (next)\n");
    story_add(story, "job.accepted", "T", "{\"job\":\"T/j1\"}");
    story_add(story, "job.accepted", "T", "{\"job\":\"T/j2\"}");
    story_land(story);
    story_concludes(story, "T/j2 is taken back from B: taken\n");
    assert_int_equal(job(story, "T/j1")->state, JOB_ACCEPTED);
    end(story);
}

/* The timer has fired, its conclusion is on its way, the answer comes first. */
static void an_answer_overtakes_the_expiry(void **state)
{
    (void)state;
    struct story *story = begin_with("A B");
    ticket(story, "T");
    story_concludes(story, "T/j1 is offered to A (first)\n");
    story_fire(story, 120);
    story_add(story, "job.accepted", "T", "{\"job\":\"T/j1\"}");
    story_land(story);
    story_concludes(story, "T/j1 was not answered by A\n");
    assert_int_equal(job(story, "T/j1")->state, JOB_ACCEPTED);
    end(story);
}

static void resolved_by_fact(void **state)
{
    (void)state;
    struct story *story = begin_with("A");
    ticket(story, "T");
    ticket(story, "U");
    accepts(story, "U/j1");
    story_tell(story, "ticket.resolved", "T", "{\"outcome\":\"done\"}");
    story_tell(story, "ticket.resolved", "U", "{\"outcome\":\"done\"}");
    story_tell(story, "ticket.resolved", "U", "{\"outcome\":\"done\"}");
    story_concludes(story, "T/j1 is offered to A (first)\n"
                           "U/j1 is offered to A (first)\n"
                           "T/j1 counts as accepted by A: resolved\n");
    assert_int_equal(job(story, "T/j1")->state, JOB_DONE);
    assert_int_equal(job(story, "U/j1")->state, JOB_DONE);
    assert_int_equal(load(story, "A")->load, 0);
    story_wait(story, 600);
    end(story);
}

/* Opened and closed within the same second, as imports have it: the offer comes back to a resolved
 * ticket. */
static void resolved_before_the_offer_is_read(void **state)
{
    (void)state;
    struct story *story = begin_with("A");
    story_add(story, "ticket.assessed", "T", plain);
    story_add(story, "ticket.resolved", "T", "{\"outcome\":\"done\"}");
    story_land(story);
    story_concludes(story, "T/j1 is offered to A (first)\n"
                           "T/j1 is taken back from A: resolved\n");
    assert_int_equal(load(story, "A")->load, 0);
    end(story);
}

static void cancelled(void **state)
{
    (void)state;
    struct story *story = begin_with("A");
    ticket(story, "T");
    story_tell(story, "ticket.cancelled", "T", "{\"reason\":\"sold\"}");
    accepts(story, "T/j1");
    story_tell(story, "ticket.closed", "T", "{\"reason\":\"cancelled\"}");
    story_concludes(story, "T/j1 is offered to A (first)\n"
                           "T/j1 is taken back from A: cancelled\n");
    assert_int_equal(load(story, "A")->load, 0);
    assert_false(((const struct ticket *)story_row(story, DISPATCHER_TICKET, "T"))->open);
    story_wait(story, 600);
    end(story);
}

static void work_reported_by_another_than_who_has_it(void **state)
{
    (void)state;
    struct story *story = begin_with("A B");
    ticket(story, "T");
    story_wait(story, 125);
    accepts(story, "T/j2");
    reports(story, "T/j1", "done");
    story_concludes(story, "T/j1 is offered to A (first)\n"
                           "T/j1 was not answered by A\n"
                           "T/j2 is offered to B (next)\n"
                           "T/j1 counts as accepted by A: report\n"
                           "T is resolved by T/j1: done\n"
                           "T/j2 is taken back from B: resolved\n");
    assert_int_equal(load(story, "B")->load, 0);
    end(story);
}

static void reopened_goes_back_to_who_did_it(void **state)
{
    (void)state;
    struct story *story = begin_with("A B");
    ticket(story, "T");
    declines(story, "T/j1", "no-parts");
    accepts(story, "T/j2");
    reports(story, "T/j2", "done");
    story_tell(story, "ticket.closed", "T", "{\"reason\":\"recorded\"}");
    story_concludes(story, "T/j1 is offered to A (first)\n"
                           "T/j2 is offered to B (next)\n"
                           "T is resolved by T/j2: done\n");
    story_wait(story, 6 * 1440);
    story_tell(story, "ticket.reopened", "T", "{\"reason\":\"broken again\"}");
    story_concludes(story, "T/j3 is offered to B (reopened)\n");
    declines(story, "T/j3", "no-time");
    story_concludes(story, "T/j4 is offered to A (next)\n");
    end(story);
}

static void reopened_after_the_policys_days_is_another_ticket(void **state)
{
    (void)state;
    struct story *story = begin_with("A");
    ticket(story, "T");
    story_tell(story, "ticket.resolved", "T", "{\"outcome\":\"done\"}");
    story_tell(story, "ticket.closed", "T", "{\"reason\":\"recorded\"}");
    story_concludes(story,
                    "T/j1 is offered to A (first)\nT/j1 counts as accepted by A: resolved\n");
    story_wait(story, 8 * 1440);
    story_tell(story, "ticket.reopened", "T", "{\"reason\":\"broken again\"}");
    end(story);
}

static void handed_over(void **state)
{
    (void)state;
    struct story *story = begin_with("A");
    branch(story, "N");
    ticket(story, "T");
    accepts_with(story, "T/j1", "eng-7");
    story_tell(story, "job.handed_over", "T",
               "{\"job\":\"T/j1\",\"to\":\"N\",\"reason\":\"rotation\"}");
    story_concludes(story, "T/j1 is offered to A (first)\n");
    assert_string_equal(job(story, "T/j1")->site, "N");
    assert_int_equal(job(story, "T/j1")->tier, 2);
    assert_int_equal(load(story, "A")->load, 0);
    assert_int_equal(load(story, "N")->load, 1);
    end(story);
}

static void headquarters_takes_a_job_away(void **state)
{
    (void)state;
    struct story *story = begin_with("A B");
    ticket(story, "T");
    accepts(story, "T/j1");
    story_tell(story, "job.withdrawn", "T", "{\"job\":\"T/j1\",\"reason\":\"complaint\"}");
    story_concludes(story, "T/j1 is offered to A (first)\nT/j2 is offered to B (next)\n");
    end(story);
}

static void management_is_told(void **state)
{
    (void)state;
    struct story *story = begin_with("A");
    ticket(story, "T");
    story_tell(story, "sla.breached", "T",
               "{\"clause\":\"on-site\",\"k\":1,\"level\":1,\"target\":1,\"due\":\"2026-03-02T08:"
               "00:00Z\",\"detected\":\"2026-03-02T08:00:00Z\",\"to\":\"manager\"}");
    story_tell(story, "sla.breached", "T",
               "{\"clause\":\"on-site\",\"k\":1,\"level\":0,\"target\":1,\"due\":\"2026-03-02T08:"
               "00:00Z\",\"detected\":\"2026-03-02T08:00:00Z\"}");
    story_concludes(story, "T/j1 is offered to A (first)\nT: manager is told (on-site)\n");
    end(story);
}

static void a_restart_repeats_nothing(void **state)
{
    (void)state;
    struct story *story = begin_with("A B");
    story_add(story, "ticket.assessed", "T", plain);
    story_draw(story); /* the offer is on its way when the worker dies */
    story_restart(story);
    story_concludes(story, "T/j1 is offered to A (first)\n");
    story_wait(story, 120);
    story_restart(story);
    story_concludes(story, "T/j1 was not answered by A\nT/j2 is offered to B (next)\n");
    story_restart(story);
    end(story);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(offered_accepted_reported),
        cmocka_unit_test(declined_goes_to_the_next_and_then_up),
        cmocka_unit_test(urgent_starts_high),
        cmocka_unit_test(a_report_is_an_acceptance),
        cmocka_unit_test(an_arrival_is_an_acceptance),
        cmocka_unit_test(who_fails_hands_it_up),
        cmocka_unit_test(a_late_yes_revives),
        cmocka_unit_test(a_late_yes_comes_too_late),
        cmocka_unit_test(two_say_yes_at_once),
        cmocka_unit_test(an_answer_overtakes_the_expiry),
        cmocka_unit_test(resolved_by_fact),
        cmocka_unit_test(resolved_before_the_offer_is_read),
        cmocka_unit_test(cancelled),
        cmocka_unit_test(work_reported_by_another_than_who_has_it),
        cmocka_unit_test(reopened_goes_back_to_who_did_it),
        cmocka_unit_test(reopened_after_the_policys_days_is_another_ticket),
        cmocka_unit_test(handed_over),
        cmocka_unit_test(headquarters_takes_a_job_away),
        cmocka_unit_test(management_is_told),
        cmocka_unit_test(a_restart_repeats_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
