/* What follow-up says to what it is told. Every story ends with a rebuild that must come to the
 * same rows and add nothing. */
#include "services/follow-up/follow_up.h"
#include "services/follow-up/tables.h"
#include "unit/services/dispatcher/story.h"

#include "base/text.h"
#include <assert.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define DAY 1440 /* minutes */

/* Repairs are asked about after three days, for five days; complaints are not. New York puts its
 * clocks on in between. */
static const char policy[] =
    "name: acme\nversion: acme-1\nzone: America/New_York\n"
    "kinds: [{name: repair}, {name: complaint}]\n"
    "followup: [{match: {kinds: [repair]}, after: 3d, window: 5d, reopen_below: 3}]\n"
    "reopen_within: 30d\n";

static struct story *begin(void)
{
    return story_new(&follow_up_worker, "2026-03-06T15:00:00Z", policy);
}

static void end(struct story *story)
{
    story_concludes(story, "");
    assert_true(story_rebuilds(story));
    story_destroy(&story);
}

static void ticket(struct story *story, const char *key)
{
    story_tell(story, "ticket.assessed", key,
               "{\"policy\":\"acme-1\",\"kind\":\"repair\",\"region\":\"44\",\"opened\":\"2026-03-"
               "06T15:00:00Z\"}");
}

static void resolved(struct story *story, const char *key)
{
    story_tell(story, "ticket.resolved", key, "{\"outcome\":\"done\"}");
}

static const struct callback *callback(const struct story *story, const char *id)
{
    const struct callback *callback = story_row(story, FOLLOW_UP_CALLBACK, id);
    assert_non_null(callback);
    return callback;
}

static void asked_and_closed(void **state)
{
    (void)state;
    struct story *story = begin();
    ticket(story, "T");
    resolved(story, "T");
    story_wait(story, 2 * DAY);
    story_concludes(story, "");
    assert_int_equal(callback(story, "T/1")->state, CALLBACK_SCHEDULED);
    story_wait(story, DAY);
    /* three days by the wall clock: the night of 8 March was an hour short */
    story_concludes(story,
                    "callback T/1 is due since 2026-03-09T14:00:00Z until 2026-03-14T14:00:00Z\n");
    story_tell(story, "followup.recorded", "T", "{\"k\":1,\"reached\":false}");
    story_tell(story, "followup.recorded", "T", "{\"reached\":true,\"satisfaction\":5}");
    story_concludes(story, "T is closed: recorded, score 5\n");
    assert_int_equal(callback(story, "T/1")->attempts, 2);
    assert_int_equal(callback(story, "T/1")->state, CALLBACK_RECORDED);
    story_tell(story, "followup.recorded", "T", "{\"k\":1,\"reached\":true,\"satisfaction\":1}");
    story_wait(story, 10 * DAY);
    end(story);
}

static void nobody_could_be_reached(void **state)
{
    (void)state;
    struct story *story = begin();
    ticket(story, "T");
    resolved(story, "T");
    story_wait(story, 4 * DAY);
    story_tell(story, "followup.recorded", "T", "{\"reached\":false}");
    story_wait(story, 3 * DAY);
    story_concludes(story,
                    "callback T/1 is due since 2026-03-09T14:00:00Z until 2026-03-14T14:00:00Z\n");
    story_wait(story, DAY);
    story_concludes(story, "callback T/1 was missed\nT is closed: window-over\n");
    story_tell(story, "followup.recorded", "T", "{\"k\":1,\"reached\":true,\"satisfaction\":1}");
    end(story);
}

static void dissatisfied(void **state)
{
    (void)state;
    struct story *story = begin();
    ticket(story, "T");
    resolved(story, "T");
    story_wait(story, 4 * DAY);
    story_tell(story, "followup.recorded", "T",
               "{\"reached\":true,\"solved\":2,\"satisfaction\":4}");
    story_concludes(story,
                    "callback T/1 is due since 2026-03-09T14:00:00Z until 2026-03-14T14:00:00Z\n"
                    "T is opened again: dissatisfied\n");
    resolved(story, "T");
    story_wait(story, 3 * DAY);
    story_concludes(story,
                    "callback T/2 is due since 2026-03-13T15:00:00Z until 2026-03-18T15:00:00Z\n");
    story_tell(story, "followup.recorded", "T", "{\"k\":2,\"reached\":true,\"satisfaction\":4}");
    story_concludes(story, "T is closed: recorded, score 4\n");
    end(story);
}

static void reopened_before_it_was_asked(void **state)
{
    (void)state;
    struct story *story = begin();
    ticket(story, "T");
    resolved(story, "T");
    story_tell(story, "ticket.reopened", "T", "{\"reason\":\"broken again\"}");
    assert_int_equal(callback(story, "T/1")->state, CALLBACK_VOID);
    story_wait(story, 10 * DAY);
    story_concludes(story, "");
    resolved(story, "T");
    assert_int_equal(callback(story, "T/2")->state, CALLBACK_SCHEDULED);
    end(story);
}

static void reopened_after_closing(void **state)
{
    (void)state;
    struct story *story = begin();
    ticket(story, "T");
    resolved(story, "T");
    story_tell(story, "followup.recorded", "T",
               "{\"reached\":true,\"satisfaction\":5}"); /* early */
    story_concludes(story, "T is closed: recorded, score 5\n");
    story_wait(story, 20 * DAY);
    story_tell(story, "ticket.reopened", "T", "{\"reason\":\"broken again\"}");
    resolved(story, "T");
    story_tell(story, "followup.recorded", "T", "{\"reached\":true,\"satisfaction\":5}");
    story_concludes(story, "T is closed: recorded, score 5\n");
    story_wait(story, 31 * DAY);
    story_tell(story, "ticket.reopened", "T", "{\"reason\":\"too late\"}");
    resolved(story, "T");
    assert_null(story_row(story, FOLLOW_UP_CALLBACK, "T/3"));
    end(story);
}

static void no_callback_and_cancelled(void **state)
{
    (void)state;
    struct story *story = begin();
    story_tell(
        story, "ticket.assessed", "C",
        "{\"policy\":\"acme-1\",\"kind\":\"complaint\",\"opened\":\"2026-03-06T15:00:00Z\"}");
    resolved(story, "C");
    story_concludes(story, "C is closed: no-callback\n");
    ticket(story, "T");
    story_tell(story, "ticket.cancelled", "T", "{\"reason\":\"sold\"}");
    story_concludes(story, "T is closed: cancelled\n");
    resolved(story, "T");
    story_tell(story, "ticket.reopened", "T", "{\"reason\":\"changed my mind\"}");
    assert_null(story_row(story, FOLLOW_UP_CALLBACK, "T/1"));
    end(story);
}

/* The closing is on its way when the branch opens the ticket again: it changes nothing. */
static void reopening_overtakes_the_closing(void **state)
{
    (void)state;
    struct story *story = begin();
    ticket(story, "T");
    resolved(story, "T");
    story_add(story, "followup.recorded", "T", "{\"reached\":true,\"satisfaction\":5}");
    story_draw(story);
    story_add(story, "ticket.reopened", "T", "{\"reason\":\"broken again\"}");
    story_land(story);
    story_concludes(story, "T is closed: recorded, score 5\n");
    assert_int_equal(((const struct ticket *)story_row(story, FOLLOW_UP_TICKET, "T"))->state,
                     TICKET_OPEN);
    resolved(story, "T");
    story_wait(story, 3 * DAY);
    story_concludes(story,
                    "callback T/2 is due since 2026-03-09T14:00:00Z until 2026-03-14T14:00:00Z\n");
    end(story);
}

static void resolved_long_ago_and_told_now(void **state)
{
    (void)state;
    struct story *story = begin();
    story_tell(story, "ticket.assessed", "T",
               "{\"policy\":\"acme-1\",\"kind\":\"repair\",\"opened\":\"2026-02-20T09:00:00Z\"}");
    story_tell(story, "ticket.resolved", "T",
               "{\"outcome\":\"done\",\"resolved\":\"2026-02-20T15:00:00Z\"}");
    story_concludes(story,
                    "callback T/1 is due since 2026-02-23T15:00:00Z until 2026-02-28T15:00:00Z\n"
                    "callback T/1 was missed\n"
                    "T is closed: window-over\n");
    end(story);
}

/* Told later than the policy allows, or as before the opening: it counts from when it was recorded,
 * or from the opening. */
static void told_too_late(void **state)
{
    (void)state;
    struct story *story =
        story_new(&follow_up_worker, "2026-03-06T15:00:00Z",
                  "name: acme\nversion: acme-1\nzone: UTC\nkinds: [{name: repair}]\n"
                  "followup: [{after: 3d, window: 5d}]\nlate_facts_within: 7d\n");
    static const struct {
        const char *key, *opened, *resolved, *counts;
    } cases[] = {
        {"LATE", "2026-02-01T00:00:00Z", "2026-02-20T15:00:00Z", "2026-03-06T15:00:00Z"},
        {"JUST", "2026-02-01T00:00:00Z", "2026-02-27T15:00:00Z", "2026-02-27T15:00:00Z"},
        {"EARLY", "2026-03-05T00:00:00Z", "2026-03-04T00:00:00Z", "2026-03-05T00:00:00Z"},
        {"AHEAD", "2026-03-05T00:00:00Z", "2026-04-01T00:00:00Z", "2026-03-06T15:00:00Z"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char json[160], id[CALLBACK_CAP], counts[INSTANT_TEXT_MAX];
        text_format(json, sizeof json,
                    "{\"policy\":\"acme-1\",\"kind\":\"repair\",\"opened\":\"%s\"}",
                    cases[i].opened);
        story_tell(story, "ticket.assessed", cases[i].key, json);
        text_format(json, sizeof json, "{\"outcome\":\"done\",\"resolved\":\"%s\"}",
                    cases[i].resolved);
        story_tell(story, "ticket.resolved", cases[i].key, json);
        follow_up_callback_id(cases[i].key, 1, id);
        instant_print(callback(story, id)->resolved_us, counts);
        assert_string_equal(counts, cases[i].counts);
    }
    story_destroy(&story);
}

static void a_restart_repeats_nothing(void **state)
{
    (void)state;
    struct story *story = begin();
    ticket(story, "T");
    resolved(story, "T");
    story_restart(story);
    story_fire(story, 4 * DAY); /* concluded, and the worker dies before it is read */
    story_restart(story);
    story_concludes(story,
                    "callback T/1 is due since 2026-03-09T14:00:00Z until 2026-03-14T14:00:00Z\n");
    story_restart(story);
    end(story);
}

/* Seeded nonsense: every fact in every state. Every ticket that is resolved has a callback that is
 * open, or is being closed. */
static uint64_t seed;
static int64_t below(int64_t n)
{
    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (int64_t)((seed >> 33) % (uint64_t)n);
}

static void check(const struct story *story, int64_t tickets)
{
    for (int64_t i = 0; i < tickets; i++) {
        char key[8], id[CALLBACK_CAP];
        text_format(key, sizeof key, "T%" PRId64, i);
        const struct ticket *row = story_row(story, FOLLOW_UP_TICKET, key);
        assert_non_null(row);
        assert_int_equal(row->open, row->state == TICKET_OPEN || row->state == TICKET_RESOLVED);
        for (int64_t k = 1; k <= row->k; k++) {
            follow_up_callback_id(key, k, id);
            const struct callback *it = callback(story, id);
            assert_int_equal(it->open, k == row->k && row->state == TICKET_RESOLVED);
        }
    }
}

static void nonsense(void **state)
{
    (void)state;
    static const struct {
        const char *type, *json;
    } facts[] = {{"ticket.resolved", "{\"outcome\":\"done\"}"},
                 {"ticket.resolved", "{\"outcome\":\"done\"}"},
                 {"ticket.reopened", "{\"reason\":\"again\"}"},
                 {"ticket.cancelled", "{\"reason\":\"x\"}"},
                 {"ticket.closed", "{\"reason\":\"x\"}"},
                 {"followup.recorded", "{\"reached\":true,\"satisfaction\":5}"},
                 {"followup.recorded", "{\"k\":1,\"reached\":true,\"satisfaction\":1}"},
                 {"followup.recorded", "{\"reached\":false}"}};
    for (uint64_t i = 1; i <= 12; i++) {
        struct story *story = begin();
        int64_t tickets = 1;
        ticket(story, "T0");
        seed = i * 7919;
        for (int step = 0; step < 400; step++) {
            char key[8];
            int64_t what = below(20);
            size_t fact = (size_t)below((int64_t)COUNT_OF(facts));
            text_format(key, sizeof key, "T%" PRId64, below(tickets));
            if (what < 4 && tickets < 30) {
                text_format(key, sizeof key, "T%" PRId64, tickets++);
                ticket(story, key);
            } else if (what < 14) {
                story_add(story, facts[fact].type, key, facts[fact].json);
            } else if (what < 16) {
                story_draw(story);
            } else if (what < 18) {
                story_wait(story, below(2 * DAY));
            } else {
                story_restart(story);
            }
        }
        story_land(story);
        check(story, tickets);
        assert_true(story_rebuilds(story));
        story_destroy(&story);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(asked_and_closed),
        cmocka_unit_test(nobody_could_be_reached),
        cmocka_unit_test(dissatisfied),
        cmocka_unit_test(reopened_before_it_was_asked),
        cmocka_unit_test(reopened_after_closing),
        cmocka_unit_test(no_callback_and_cancelled),
        cmocka_unit_test(reopening_overtakes_the_closing),
        cmocka_unit_test(resolved_long_ago_and_told_now),
        cmocka_unit_test(told_too_late),
        cmocka_unit_test(a_restart_repeats_nothing),
        cmocka_unit_test(nonsense),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
