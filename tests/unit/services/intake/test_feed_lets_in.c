/* Whom the feed lets in while its own knowledge has gaps: trouble with its database, or a head that another intake has moved, sends a
 * reader away for a while and never for good. */
#include "feed_stage.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void test_who_is_not_known_for_its_own_trouble_is_not_denied(void **state)
{
    (void)state;
    struct feed *feed = stage_open(10);
    stage.principals_known = false;
    stage_opens(feed, 1, "a", 5, 1000);
    assert_string_equal(stage.said, "ERROR");
    assert_string_equal(stage.code, "database");
    /* Known again, it is let in; and one that nobody knows is denied. */
    stage.principals_known = true;
    stage_opens(feed, 1, "a", 5, 1000);
    assert_string_equal(stage.said, "OPENED");
    stage_opens(feed, 1, "somebody", 5, 1000);
    assert_string_equal(stage.said, "DENIED");
    assert_string_equal(stage.code, "principal");
    stage_close(&feed);
}

static void test_one_that_was_overtaken_does_not_say_ahead(void **state)
{
    (void)state;
    struct feed *feed = stage_open(10);
    stage_opens(feed, 1, "a", 12, 1000); /* the journal has come to 12 in another's hands */
    assert_string_equal(stage.said, "ERROR");
    assert_string_equal(stage.code, "behind");
    /* A reader of another history is told so. */
    stage.link_there = false;
    stage_opens(feed, 1, "a", 12, 1000);
    assert_string_equal(stage.said, "AHEAD");
    stage_close(&feed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_who_is_not_known_for_its_own_trouble_is_not_denied),
                                       cmocka_unit_test(test_one_that_was_overtaken_does_not_say_ahead)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
