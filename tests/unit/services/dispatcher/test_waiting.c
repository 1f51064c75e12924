/* When there are more tickets than sites can take, or no site at all. */
#include "unit/services/dispatcher/company.h"

#include "base/text.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static void nobody_and_then_somebody(void **state)
{
    (void)state;
    struct story *story = begin();
    ticket(story, "T");
    ticket(story, "U");
    story_concludes(story, "T waits: nobody\nU waits: nobody\n");
    story_wait(story, 600);
    story_tell(story, "site.updated", "X",
               "{\"name\":\"elsewhere\",\"tier\":3,\"territories\":[\"11\"]}");
    story_concludes(story, "");
    station(story, "A");
    story_concludes(story, "T/j1 is offered to A (first)\nU/j1 is offered to A (first)\n");
    assert_string_equal(job(story, "T/j1")->choice, "A=0 +1!territory");
    end(story);
}

/* The dispatcher was away: what it offers when it works off the past has its full time from when
 * the site can know of it. */
static void an_offer_drawn_late_has_its_full_time(void **state)
{
    (void)state;
    struct story *story = begin_with("A");
    story_add(story, "ticket.assessed", "T", plain);
    story_draw(story);
    story_fire(story, 180);
    story_land(story);
    story_concludes(story, "T/j1 is offered to A (first)\n");
    assert_int_equal(job(story, "T/j1")->due_us, story_now_us(story) + 2 * HOUR_US);
    story_wait(story, 119);
    end(story);
}

/* Hundreds wait, most of them for a site that never comes; the few others are found all the same.
 */
static void a_long_queue_is_worked_off(void **state)
{
    (void)state;
    struct story *story = begin();
    static const char far[] = "{\"policy\":\"acme-1\",\"kind\":\"repair\",\"region\":\"99\","
                              "\"opened\":\"2026-03-02T08:00:00Z\"}";
    char key[16];
    for (int i = 0; i < 600; i++) {
        text_format(key, sizeof key, "F%03d", i);
        story_add(story, "ticket.assessed", key, far);
    }
    for (int i = 0; i < 100; i++) {
        text_format(key, sizeof key, "T%03d", i);
        story_add(story, "ticket.assessed", key, plain);
    }
    story_land(story);
    story_tell(story, "site.updated", "A",
               "{\"name\":\"near\",\"tier\":3,\"territories\":[\"44\"]}");
    assert_int_equal(load(story, "A")->load, 100);
    assert_true(story_rebuilds(story));
    story_destroy(&story);
}

static void a_full_site_gets_the_next_when_it_has_room(void **state)
{
    (void)state;
    struct story *story = begin();
    story_tell(story, "site.updated", "A", "{\"name\":\"small\",\"tier\":3,\"capacity\":1}");
    ticket(story, "T");
    ticket(story, "U");
    story_concludes(story, "T/j1 is offered to A (first)\nU waits: nobody\n");
    accepts(story, "T/j1");
    reports(story, "T/j1", "done");
    story_concludes(story, "T is resolved by T/j1: done\nU/j1 is offered to A (first)\n");
    end(story);
}

static void who_said_no_is_asked_again_after_the_set_time(void **state)
{
    (void)state;
    struct story *story = begin_with("A");
    ticket(story, "T");
    declines(story, "T/j1", "ill");
    story_concludes(story, "T/j1 is offered to A (first)\nT waits: nobody\n");
    story_wait(story, 1439);
    story_concludes(story, "");
    story_wait(story, 1);
    story_concludes(story, "T/j2 is offered to A (next)\n");
    end(story);
}

/* All in one batch: no offer has come back while the others are made. */
static void registrations_at_once_spread_evenly(void **state)
{
    (void)state;
    struct story *story = begin();
    char key[16];
    for (int i = 0; i < 8; i++) {
        text_format(key, sizeof key, "S%d", i);
        station(story, key);
    }
    for (int i = 0; i < 256; i++) {
        text_format(key, sizeof key, "T%03d", i);
        story_add(story, "ticket.assessed", key, plain);
    }
    story_draw(story);
    story_land(story);
    for (int i = 0; i < 8; i++) {
        text_format(key, sizeof key, "S%d", i);
        assert_int_equal(load(story, key)->load, 32);
        assert_int_equal(load(story, key)->pending, 0);
    }
    assert_true(story_rebuilds(story));
    story_destroy(&story);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nobody_and_then_somebody),
        cmocka_unit_test(an_offer_drawn_late_has_its_full_time),
        cmocka_unit_test(a_long_queue_is_worked_off),
        cmocka_unit_test(a_full_site_gets_the_next_when_it_has_room),
        cmocka_unit_test(who_said_no_is_asked_again_after_the_set_time),
        cmocka_unit_test(registrations_at_once_spread_evenly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
