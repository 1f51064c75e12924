/* Whose turn it is: by what each was given, whatever the helpings; nobody waits longer for who came later, and nobody is made up to. */
#include "base/bytes.h"
#include "fair.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MANY 200
#define MOST 90000 /* of one helping */

static struct fair fair;
static struct fair_place all[MANY];
static int64_t had[MANY], wanted[MANY];

/* Serves the first of those who wait: places with `waits` wanted. Gives its number. */
static size_t serve(const bool *wants, int64_t (*helping)(size_t))
{
    struct fair_place *waiting[MANY];
    size_t n = 0;
    for (size_t i = 0; i < MANY; i++) {
        if (!wants[i]) {
            fair_leave(&all[i]);
            continue;
        }
        fair_wait(&fair, &all[i], wanted[i]);
        waiting[n++] = &all[i];
    }
    fair_order(&fair, waiting, n);
    size_t i = (size_t)(waiting[0] - all);
    int64_t cost = helping(i);
    fair_give(waiting[0], cost);
    had[i] += cost;
    return i;
}

static int64_t spread(const bool *wants)
{
    int64_t lowest = INT64_MAX, highest = 0;
    for (size_t i = 0; i < MANY; i++)
        if (wants[i]) {
            lowest = had[i] < lowest ? had[i] : lowest;
            highest = had[i] > highest ? had[i] : highest;
        }
    return highest - lowest;
}

static int begin(void **state)
{
    (void)state;
    fair = (struct fair){.now = 0};
    memset(all, 0, sizeof(all));
    memset(had, 0, sizeof(had));
    for (size_t i = 0; i < MANY; i++)
        wanted[i] = MOST;
    return 0;
}

static int64_t one(size_t i)
{
    (void)i;
    return 1;
}

static int64_t by_number(size_t i)
{
    return 1 + (int64_t)i * MOST / MANY;
}

static uint64_t seed = 7;
static int64_t any(size_t i)
{
    (void)i;
    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return 1 + (int64_t)((seed >> 33) % MOST);
}

static void test_one_after_the_other(void **state)
{
    (void)state;
    bool wants[MANY] = {[3] = true, [5] = true, [9] = true};
    static const size_t order[] = {3, 5, 9, 3, 5, 9, 3};
    for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++)
        assert_int_equal(serve(wants, one), order[i]);
}

/* The first gets helpings of a byte, the last of 90,000. */
static void test_nobody_has_more_than_a_helping_beyond_another(void **state)
{
    (void)state;
    bool wants[MANY];
    memset(wants, true, sizeof(wants));
    for (int i = 0; i < 100000; i++) {
        serve(wants, i % 2 == 0 ? by_number : any);
        assert_true(spread(wants) <= MOST);
    }
    for (size_t i = 0; i < MANY; i++)
        assert_true(had[i] > 0);
}

static void test_who_did_not_wait_is_not_made_up_for(void **state)
{
    (void)state;
    bool wants[MANY] = {true, true, false};
    for (int i = 0; i < 1000; i++)
        serve(wants, one);
    assert_int_equal(had[0], 500);
    /* A third comes, and one of the two rests: the new one has as many as the other from now on. */
    wants[2] = true;
    wants[1] = false;
    for (int i = 0; i < 1000; i++)
        serve(wants, one);
    assert_in_range(had[2], 499, 501);
    assert_in_range(had[0], 999, 1001);
    /* The one that rested comes back: it was given 500 before, and begins with the others. */
    wants[1] = true;
    for (int i = 0; i < 300; i++)
        serve(wants, one);
    assert_in_range(had[1], 599, 602);
}

/* One wants ten bytes now and then, all the others 90,000, for ever. */
static void test_who_wants_little_does_not_wait_for_all(void **state)
{
    (void)state;
    bool wants[MANY];
    memset(wants, true, sizeof(wants));
    wants[0] = false;
    wanted[0] = 10;
    for (int i = 0; i < 5000; i++) {
        serve(wants, any);
        wants[0] = i % 7 == 0;
        if (wants[0]) {
            int64_t before = had[0];
            assert_int_equal(serve(wants, one), 0);
            assert_int_equal(had[0], before + 1);
        }
        wants[0] = false;
    }
}

/* Who comes and goes all the time does not get more than who stays. */
static void test_coming_and_going_wins_nothing(void **state)
{
    (void)state;
    bool wants[MANY] = {true, true, true};
    for (int i = 0; i < 30000; i++) {
        wants[2] = i % 3 != 0;
        serve(wants, any);
    }
    assert_true(had[2] <= had[0] + MOST && had[2] <= had[1] + MOST);
    assert_true(had[2] > had[0] / 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test_setup(test_one_after_the_other, begin),
                                       cmocka_unit_test_setup(test_nobody_has_more_than_a_helping_beyond_another, begin),
                                       cmocka_unit_test_setup(test_who_did_not_wait_is_not_made_up_for, begin),
                                       cmocka_unit_test_setup(test_who_wants_little_does_not_wait_for_all, begin),
                                       cmocka_unit_test_setup(test_coming_and_going_wins_nothing, begin)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
