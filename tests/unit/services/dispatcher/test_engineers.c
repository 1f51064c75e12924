/* Who goes: engineers on record at the sites. Every story ends with a rebuild that must come to the
 * same rows. */
#include "unit/services/dispatcher/company.h"

#include "base/text.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

/* Everybody has a training pass, who repairs a dryer an electrician's too. */
static const char pass_policy[] =
    "name: acme\nversion: acme-1\nzone: UTC\nkinds: [{name: repair}]\n"
    "dispatch:\n"
    "  tiers: [{tier: 3, accept_within: 2h}]\n"
    "  passes: [{pass: training}, {pass: electrician, match: {products: [dryer]}}]\n";

static void engineer(struct story *story, const char *id, const char *json)
{
    story_tell(story, "engineer.updated", id, json);
}

static void works_at(struct story *story, const char *id, const char *site)
{
    char json[64];
    text_format(json, sizeof json, "{\"site\":\"%s\"}", site);
    engineer(story, id, json);
}

static void ticket_about(struct story *story, const char *key, const char *product)
{
    char json[200];
    text_format(json, sizeof json,
                "{\"policy\":\"acme-1\",\"kind\":\"repair\",\"region\":\"44\",\"priority\":"
                "\"normal\",\"product\":\"%s\",\"opened\":\"2026-03-02T08:00:00Z\"}",
                product);
    story_tell(story, "ticket.assessed", key, json);
}

static const struct engineer_load *work(const struct story *story, const char *id)
{
    const struct engineer_load *load = story_row(story, DISPATCHER_ENGINEER_LOAD, id);
    assert(load != NULL);
    return load;
}

static void nobody_there_knows_it(void **state)
{
    (void)state;
    struct story *story = begin_with("A B");
    engineer(story, "li", "{\"site\":\"A\",\"skills\":[\"pumps\",\"motor\",\"fan\"]}");
    ticket_about(story, "T", "pump");
    story_concludes(story, "T/j1 is offered to B (first)\n");
    assert_string_equal(job(story, "T/j1")->choice, "B=0 A=0!no-skill +1!no-skill");
    ticket_about(story, "U", "motor");
    story_concludes(story, "U/j1 is offered to A, li (first)\n");
    assert_string_equal(job(story, "U/j1")->engineer, "li");
    assert_string_equal(job(story, "U/j1")->choice, "A=0@li B=1");
    /* one of two knows it, and the other is less busy */
    engineer(story, "wang", "{\"site\":\"A\",\"skills\":[\"pump\"]}");
    ticket_about(story, "V", "fan");
    story_concludes(story, "V/j1 is offered to B (first)\n");
    ticket_about(story, "W", "fan");
    story_concludes(story, "W/j1 is offered to A, li (first)\n");
    end(story);
}

static void off_duty_until_told_otherwise(void **state)
{
    (void)state;
    struct story *story = begin_with("A");
    engineer(story, "li", "{\"site\":\"A\",\"off_duty\":true}");
    ticket(story, "T");
    story_wait(story, 3000);
    story_concludes(story, "T waits: nobody\n");
    works_at(story, "li", "A");
    story_concludes(story, "T/j1 is offered to A, li (first)\n");
    end(story);
}

/* It is Monday eight o'clock; the ticket waits to the minute at which somebody comes. */
static void days_and_rota(void **state)
{
    (void)state;
    struct story *story = begin_with("A");
    engineer(story, "li", "{\"site\":\"A\",\"days\":[\"wed\",\"thu\"]}");
    ticket(story, "T");
    story_wait(story, 16 * 60 + 24 * 60 - 1);
    story_concludes(story, "T waits: nobody\n");
    story_wait(story, 1);
    story_concludes(story, "T/j1 is offered to A, li (first)\n");
    /* an hour later: off on Wednesday, the sixth though it is Friday from noon on */
    story_wait(story, 60);
    engineer(story, "li",
             "{\"site\":\"A\",\"days\":[\"wed\",\"thu\"],\"rota\":["
             "{\"from\":\"2026-03-04T00:00:00Z\",\"until\":\"2026-03-06T12:00:00Z\",\"off\":true},"
             "{\"from\":\"2026-03-06T12:00:00Z\",\"until\":\"2026-03-06T18:00:00Z\"}]}");
    accepts(story, "T/j1");
    ticket(story, "U");
    story_concludes(story, "U waits: nobody\n");
    story_wait(story, 59 * 60 - 1);
    story_concludes(story, ""); /* Thursday is one of the days, but off */
    story_wait(story, 1);
    story_concludes(story, "U/j1 is offered to A, li (first)\n");
    end(story);
}

/* Nobody was to come; then the rota is told, and the hour is kept. */
static void a_rota_told_while_a_ticket_waits(void **state)
{
    (void)state;
    struct story *story = begin_with("A");
    engineer(story, "li", "{\"site\":\"A\",\"off_duty\":true}");
    ticket(story, "T");
    ticket(story, "U");
    story_concludes(story, "T waits: nobody\nU waits: nobody\n");
    engineer(story, "li",
             "{\"site\":\"A\",\"rota\":[{\"until\":\"2026-03-02T21:30:00Z\",\"off\":true}]}");
    story_concludes(story, "T waits: still-nobody\nU waits: still-nobody\n");
    story_wait(story, 13 * 60 + 29);
    story_concludes(story, "");
    story_wait(story, 1);
    story_concludes(story, "T/j1 is offered to A, li (first)\nU/j1 is offered to A, li (first)\n");
    end(story);
}

/* S11.7, S15.4: a pass that runs out at noon counts until noon. */
static void passes(void **state)
{
    (void)state;
    struct story *story = story_new(&dispatcher_worker, "2026-03-02T08:00:00Z", pass_policy);
    station(story, "A");
    station(story, "B");
    engineer(story, "li",
             "{\"site\":\"A\",\"passes\":[{\"pass\":\"training\",\"until\":\"2026-03-02T12:00:"
             "00Z\"},{\"pass\":\"electrician\"}]}");
    engineer(story, "wang", "{\"site\":\"B\",\"passes\":[{\"pass\":\"training\"}]}");
    ticket_about(story, "T", "dryer");
    story_concludes(story, "T/j1 is offered to A, li (first)\n");
    assert_string_equal(job(story, "T/j1")->choice, "A=0@li B=0!no-pass +1!no-pass");
    accepts(story, "T/j1");
    story_wait(story, 239);
    ticket_about(story, "U", "dryer");
    story_concludes(story, "U/j1 is offered to A, li (first)\n");
    accepts(story, "U/j1");
    story_wait(story, 1);
    ticket_about(story, "V", "dryer");
    story_concludes(story, "V waits: nobody\n");
    ticket_about(story, "W", "pump");
    story_concludes(story, "W/j1 is offered to B, wang (first)\n");
    assert_string_equal(job(story, "W/j1")->choice, "B=0@wang A=2!pass-expired +1!pass-expired");
    engineer(story, "li",
             "{\"site\":\"A\",\"passes\":[{\"pass\":\"training\",\"until\":\"2027-03-02T12:00:"
             "00Z\"},{\"pass\":\"electrician\"}]}");
    story_concludes(story, "V/j1 is offered to A, li (first)\n");
    end(story);
}

/* All in one batch: no offer has come back while the others are made. */
static int64_t in_flight(const struct story *story, const char *id)
{
    const struct engineer_load *load = story_memory(story, DISPATCHER_ENGINEER_LOAD, id);
    assert(load != NULL);
    return load->pending;
}

static void two_share_a_batch_evenly(void **state)
{
    (void)state;
    struct story *story = begin();
    char key[16];
    station(story, "A");
    works_at(story, "li", "A");
    works_at(story, "wang", "A");
    engineer(story, "zhao", "{\"site\":\"A\",\"off_duty\":true}");
    for (int i = 0; i < 32; i++) {
        text_format(key, sizeof key, "T%03d", i);
        story_add(story, "ticket.assessed", key, plain);
    }
    story_draw(story);
    assert_int_equal(in_flight(story, "li"), 16);
    story_land(story);
    assert_int_equal(work(story, "li")->load, 16);
    assert_int_equal(work(story, "wang")->load, 16);
    assert_int_equal(in_flight(story, "li"), 0);
    assert_int_equal(work(story, "zhao")->load, 0);
    assert_true(story_rebuilds(story));
    story_destroy(&story);
}

static void the_site_sends_somebody_else(void **state)
{
    (void)state;
    struct story *story = begin_with("A");
    works_at(story, "li", "A");
    works_at(story, "wang", "A");
    ticket(story, "T");
    story_concludes(story, "T/j1 is offered to A, li (first)\n");
    accepts_with(story, "T/j1", "wang");
    assert_int_equal(work(story, "li")->load, 0);
    assert_int_equal(work(story, "li")->date_jobs, 0);
    assert_int_equal(work(story, "wang")->load, 1);
    story_tell(story, "job.arrived", "T", "{\"job\":\"T/j1\",\"engineer\":\"li\"}");
    assert_int_equal(work(story, "li")->load, 1);
    assert_int_equal(work(story, "wang")->load, 0);
    /* one from elsewhere is named, and counted nowhere */
    story_tell(story, "job.reported", "T",
               "{\"job\":\"T/j1\",\"outcome\":\"done\",\"engineer\":\"guest\"}");
    story_concludes(story, "T is resolved by T/j1: done\n");
    assert_string_equal(job(story, "T/j1")->engineer, "guest");
    assert_int_equal(work(story, "li")->load, 0);
    end(story);
}

static void declined_and_expired_are_not_work(void **state)
{
    (void)state;
    struct story *story = begin_with("A B");
    works_at(story, "li", "A");
    ticket(story, "T");
    declines(story, "T/j1", "no-parts");
    story_concludes(story, "T/j1 is offered to A, li (first)\nT/j2 is offered to B (next)\n");
    assert_int_equal(work(story, "li")->load, 0);
    ticket(story, "U");
    story_wait(story, 120);
    assert_int_equal(work(story, "li")->load, 0);
    accepts(story, "U/j1"); /* late, and revived */
    assert_int_equal(work(story, "li")->load, 1);
    assert_string_equal(job(story, "U/j1")->engineer, "li");
    assert_true(story_rebuilds(story));
    story_destroy(&story);
}

static void a_day_is_full_and_over(void **state)
{
    (void)state;
    struct story *story = begin_with("A");
    engineer(story, "li", "{\"site\":\"A\",\"capacity\":2}");
    story_add(story, "ticket.assessed", "T", plain);
    story_add(story, "ticket.assessed", "U", plain);
    story_add(story, "ticket.assessed", "V", plain); /* while two are on their way */
    story_concludes(story, "T/j1 is offered to A, li (first)\nU/j1 is offered to A, li (first)\n"
                           "V waits: nobody\n");
    accepts(story, "T/j1");
    reports(story, "T/j1", "done");
    story_concludes(story, "T is resolved by T/j1: done\n"); /* done is not given back */
    declines(story, "U/j1", "ill");
    story_concludes(story, "U waits: nobody\nV/j1 is offered to A, li (first)\n");
    accepts(story, "V/j1");
    ticket(story, "W");
    story_concludes(story, "W waits: nobody\n");
    story_wait(story, 16 * 60);
    story_concludes(story, "W/j1 is offered to A, li (first)\n");
    assert_int_equal(work(story, "li")->date_jobs, 1);
    assert_int_equal(work(story, "li")->load, 2);
    accepts(story, "W/j1");
    story_wait(story, 8 * 60);
    story_concludes(story, "U/j2 is offered to A, li (next)\n");
    end(story);
}

static void who_moves_leaves_the_jobs_there(void **state)
{
    (void)state;
    struct story *story = begin_with("A B");
    works_at(story, "li", "A");
    engineer(story, "wang", "{\"site\":\"B\",\"off_duty\":true}");
    ticket(story, "T");
    accepts(story, "T/j1");
    story_concludes(story, "T/j1 is offered to A, li (first)\n");
    assert_int_equal(load(story, "A")->staff, 1);
    works_at(story, "li", "B");
    assert_int_equal(load(story, "A")->staff, 0);
    assert_int_equal(load(story, "B")->staff, 2);
    assert_int_equal(work(story, "li")->load, 0);
    assert_string_equal(job(story, "T/j1")->site, "A");
    ticket(story, "U");
    story_concludes(story, "U/j1 is offered to B, li (first)\n");
    assert_int_equal(work(story, "li")->load, 1);
    reports(story, "T/j1", "done");
    story_concludes(story, "T is resolved by T/j1: done\n");
    assert_int_equal(work(story, "li")->load, 1);
    /* nobody is on record at A any more: it is judged by itself */
    ticket(story, "V");
    story_concludes(story, "V/j1 is offered to A (first)\n");
    assert_true(story_rebuilds(story));
    story_destroy(&story);
}

static void who_leaves_is_not_sent(void **state)
{
    (void)state;
    struct story *story = begin_with("A");
    works_at(story, "li", "A");
    story_add(story, "ticket.assessed", "T", plain);
    story_draw(story);
    story_add(story, "engineer.updated", "li", "{\"site\":\"A\",\"left\":true}");
    story_land(story); /* the offer had named li */
    story_concludes(story, "T/j1 is offered to A, li (first)\n");
    assert_string_equal(job(story, "T/j1")->engineer, "");
    assert_int_equal(work(story, "li")->load, 0);
    assert_int_equal(load(story, "A")->load, 1);
    ticket(story, "U");
    story_concludes(story, "U waits: nobody\n");
    works_at(story, "wang", "A");
    story_concludes(story, "U/j1 is offered to A, wang (first)\n");
    assert_true(story_rebuilds(story));
    story_destroy(&story);
}

/* S11.3: to a successor, at the same site or another. */
static void handed_over(void **state)
{
    (void)state;
    struct story *story = begin_with("A B");
    works_at(story, "li", "A");
    works_at(story, "wang", "A");
    works_at(story, "zhao", "B");
    ticket(story, "T");
    accepts(story, "T/j1");
    story_concludes(story, "T/j1 is offered to A, li (first)\n");
    story_tell(story, "job.handed_over", "T",
               "{\"job\":\"T/j1\",\"to\":\"A\",\"engineer\":\"wang\"}");
    assert_int_equal(work(story, "li")->load, 0);
    assert_int_equal(work(story, "wang")->load, 1);
    story_tell(story, "job.handed_over", "T",
               "{\"job\":\"T/j1\",\"to\":\"B\",\"engineer\":\"zhao\"}");
    assert_int_equal(work(story, "wang")->load, 0);
    assert_int_equal(work(story, "zhao")->load, 1);
    story_tell(story, "job.handed_over", "T", "{\"job\":\"T/j1\",\"to\":\"A\"}");
    assert_int_equal(work(story, "zhao")->load, 0);
    assert_string_equal(job(story, "T/j1")->engineer, "");
    end(story);
}

static void reopened_goes_back_to_the_same_hands(void **state)
{
    (void)state;
    struct story *story = begin_with("A");
    works_at(story, "li", "A");
    works_at(story, "wang", "A");
    ticket(story, "T");
    ticket(story, "U");
    accepts(story, "T/j1");
    accepts(story, "U/j1");
    reports(story, "U/j1", "done");
    ticket(story, "V");
    story_concludes(story, "T/j1 is offered to A, li (first)\nU/j1 is offered to A, wang (first)\n"
                           "U is resolved by U/j1: done\nV/j1 is offered to A, wang (first)\n");
    story_tell(story, "ticket.reopened", "U", "{\"reason\":\"again\"}"); /* it would be li's turn */
    story_concludes(story, "U/j2 is offered to A, wang (reopened)\n");
    engineer(story, "wang", "{\"site\":\"A\",\"off_duty\":true}");
    reports(story, "U/j2", "done");
    story_tell(story, "ticket.reopened", "U", "{\"reason\":\"again\"}");
    story_concludes(story, "U/j2 counts as accepted by A: report\nU is resolved by U/j2: done\n"
                           "U/j3 is offered to A, li (reopened)\n");
    assert_true(story_rebuilds(story));
    story_destroy(&story);
}

static void lives_through_a_restart(void **state)
{
    (void)state;
    struct story *story = begin_with("A");
    story_add(story, "engineer.updated", "li", "{\"site\":\"A\"}");
    story_add(story, "ticket.assessed", "T", plain);
    story_draw(story);
    assert_int_equal(in_flight(story, "li"), 1);
    story_restart(story); /* with the offer in the journal and not read */
    story_concludes(story, "T/j1 is offered to A, li (first)\n");
    assert_int_equal(in_flight(story, "li"), 0);
    assert_int_equal(work(story, "li")->load, 1);
    end(story);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nobody_there_knows_it),
        cmocka_unit_test(off_duty_until_told_otherwise),
        cmocka_unit_test(days_and_rota),
        cmocka_unit_test(a_rota_told_while_a_ticket_waits),
        cmocka_unit_test(passes),
        cmocka_unit_test(two_share_a_batch_evenly),
        cmocka_unit_test(the_site_sends_somebody_else),
        cmocka_unit_test(declined_and_expired_are_not_work),
        cmocka_unit_test(a_day_is_full_and_over),
        cmocka_unit_test(who_moves_leaves_the_jobs_there),
        cmocka_unit_test(who_leaves_is_not_sent),
        cmocka_unit_test(handed_over),
        cmocka_unit_test(reopened_goes_back_to_the_same_hands),
        cmocka_unit_test(lives_through_a_restart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
