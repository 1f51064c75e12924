/* Long stories and odd days: facts packed and forgotten, more waits than are counted, days of 23
 * and 25 hours, levels missed while nobody looked. */
#include "stage.h"

#include "base/text.h"
#include "services/sla-watchdog/tables.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define POLICY(zone)                                                                               \
    "name: test\nversion: test-1\nzone: " zone "\nkinds: [{name: day}, {name: hours}]\n"           \
    "pauses: [{reason: customer}]\n"                                                               \
    "sla:\n"                                                                                       \
    "  - {id: whole, start: ticket.assessed, stop: ticket.resolved, pause: [customer],\n"          \
    "     levels: [{at: -1h, to: clerk}, {at: 1h, to: manager}],\n"                                \
    "     limits: [{limit: 1d, match: {kinds: [day]}}, {limit: 24h, match: {kinds: [hours]}}]}\n"  \
    "  - {id: reply, start: ticket.noted, stop: ticket.replied, limits: [{limit: 2h}]}\n"

static void told(struct stage *s, const char *want)
{
    assert_string_equal(stage_told(s), want);
}

static void finish(struct stage *s)
{
    stage_settle(s);
    stage_rebuild(s);
    stage_destroy(&s);
}

/* --- packed facts --------------------------------------------------------------------------- */

static bool facts_same(const struct fact *a, const struct fact *b)
{
    return a->us == b->us && a->pos == b->pos && a->from_us == b->from_us &&
           memcmp(a->roles, b->roles, sizeof a->roles) == 0 && a->ends == b->ends &&
           a->reopens == b->reopens && a->ordered == b->ordered && a->tier == b->tier &&
           a->quantity == b->quantity;
}

static void test_packed(void **state)
{
    (void)state;
    const int64_t base = INT64_C(1789344000) * SECOND_US;
    const struct fact full = {.us = base - 5,
                              .pos = INT64_C(1) << 40,
                              .from_us = base + INT64_C(90) * DAY_US,
                              .roles = {1, UINT32_MAX, 0, 1u << 31, 7, 2, 9},
                              .ends = true,
                              .ordered = true,
                              .tier = 3,
                              .quantity = 1000000};
    struct facts facts = {.n = 2}, back;
    struct facts_blob blob;
    facts.items[0] = full;
    facts.items[1] = (struct fact){.us = base, .pos = 7, .roles = {0, 1}, .reopens = true};
    assert_int_equal(sla_watchdog_facts_pack(&facts, base, &blob), 0);
    sla_watchdog_facts_unpack(&blob, base, &back);
    assert_int_equal(back.n, 2);
    assert_true(facts_same(&back.items[0], &full));
    assert_true(facts_same(&back.items[1], &facts.items[1]));
    assert_true(sla_watchdog_fact_at(&back, 7) == &back.items[1]);
}

static void test_no_room(void **state)
{
    (void)state;
    struct facts facts = {.n = CLOCK_FACTS_MAX}, back;
    struct facts_blob blob;
    for (size_t i = 0; i < CLOCK_FACTS_MAX; i++)
        facts.items[i] = (struct fact){.us = (int64_t)(i * 37 % CLOCK_FACTS_MAX + 1) * HOUR_US,
                                       .pos = (int64_t)i + 1000,
                                       .roles = {0, 1}};
    facts.items[3].roles[FACT_STOPS] = 0; /* no role is left to it */
    int64_t last_us = facts.items[CLOCK_FACTS_MAX - 1].us;
    int64_t dropped = sla_watchdog_facts_pack(&facts, 0, &blob);
    sla_watchdog_facts_unpack(&blob, 0, &back);
    assert_int_equal(back.n + (size_t)dropped + 1, CLOCK_FACTS_MAX);
    assert_true(dropped > 0 && blob.len <= FACTS_BYTES_MAX);
    assert_int_equal(back.items[back.n - 1].us, last_us); /* the one told last is kept */
    for (size_t i = 0; i + 1 < back.n; i++)               /* and of the others the latest */
        assert_true(back.items[i].us > (dropped - 1) * HOUR_US);
}

/* A hundred notes and replies: each has its verdict, the oldest facts go. */
static void test_long_story(void **state)
{
    (void)state;
    struct stage *s = stage_new("2026-09-14T00:00:00Z", POLICY("Asia/Shanghai"), NULL);
    char at[40], id[40];
    stage_open(s, "A", "day", "2026-09-14T00:00:00Z");
    for (int i = 0; i < 100; i++) {
        text_format(at, sizeof at, "2026-09-%02dT%02d:00:00Z", 14 + i / 8, i % 8 * 3);
        stage_time(s, at, true);
        stage_fact(s, "ticket.noted", "A", NULL);
        stage_settle(s);
        text_format(at, sizeof at, "2026-09-%02dT%02d:%02d:00Z", 14 + i / 8,
                    i % 8 * 3 + (i % 2 ? 1 : 2), i % 2 ? 0 : 1);
        stage_time(s, at, true);
        stage_fact(s, "ticket.replied", "A", NULL);
        stage_settle(s);
    }
    for (int k = 1; k <= 100; k++) {
        text_format(id, sizeof id, "A/reply.%d", k);
        const struct clock *c = stage_row(s, SLA_WATCHDOG_CLOCK, id);
        assert_non_null(c);
        assert_int_equal(c->state, k % 2 ? CLOCK_BREACHED : CLOCK_MET);
        assert_false(c->open);
    }
    const struct subject *row = stage_row(s, SLA_WATCHDOG_SUBJECT, "A");
    assert_true(row->forgotten > 0);
    assert_true(stage_unique(s));
    finish(s);
}

/* Seventy waits of a minute: sixty-four count. */
static void test_more_waits_than_count(void **state)
{
    (void)state;
    struct stage *s = stage_new("2026-09-14T00:00:00Z", POLICY("Asia/Shanghai"), NULL);
    int64_t us;
    stage_open(s, "A", "hours", "2026-09-14T00:00:00Z");
    stage_settle(s);
    assert_true(instant_parse("2026-09-14T01:00:00Z", &us));
    for (int i = 0; i < 70; i++) {
        stage_time_us(s, us += 10 * MINUTE_US, true);
        stage_tell(s, "ticket.waiting", "A", NULL, "{\"reason\":\"customer\"}");
        stage_settle(s);
        stage_time_us(s, us += MINUTE_US, true);
        stage_tell(s, "ticket.resumed", "A", NULL, "{}");
        stage_settle(s);
    }
    const struct clock *c = stage_row(s, SLA_WATCHDOG_CLOCK, "A/whole.1");
    assert_true(instant_parse("2026-09-15T01:04:00Z", &us)); /* a day and 64 minutes */
    assert_int_equal(c->due_us, us);
    const struct subject *row = stage_row(s, SLA_WATCHDOG_SUBJECT, "A");
    assert_int_equal(row->forgotten, 2 * (70 - 64));
    finish(s);
}

/* --- days ----------------------------------------------------------------------------------- */

/* In New York the 1st of November 2026 has 25 hours, the 8th of March 23. */
static void test_days_of_25_and_23_hours(void **state)
{
    (void)state;
    struct stage *s = stage_new("2026-03-01T00:00:00Z", POLICY("America/New_York"), NULL);
    stage_time(s, "2026-03-07T14:00:00Z", true);
    stage_open(s, "A", "day", "2026-03-07T14:00:00Z"); /* 09:00 */
    stage_settle(s);
    stage_open(s, "B", "hours", "2026-03-07T14:00:00Z");
    stage_settle(s);
    told(s, "scheduled whole.1 due 03-08 09:00\nscheduled whole.1 due 03-08 10:00\n");
    stage_time(s, "2026-03-08T13:00:00Z", true); /* 09:00: 23 hours later */
    told(s, "warned whole.1 -1 clerk\nwarned whole.1 -1 clerk\nbreached whole.1 0 \n");
    stage_time(s, "2026-10-31T13:00:00Z", true);
    stage_told(s);
    stage_open(s, "C", "day", "2026-10-31T13:00:00Z"); /* 09:00 */
    stage_settle(s);
    stage_open(s, "D", "hours", "2026-10-31T13:00:00Z");
    stage_settle(s);
    told(s, "scheduled whole.1 due 11-01 09:00\nscheduled whole.1 due 11-01 08:00\n");
    stage_time(s, "2026-11-01T13:30:00Z", true);
    told(s, "warned whole.1 -1 clerk\nwarned whole.1 -1 clerk\nbreached whole.1 0 \n");
    finish(s);
}

/* The machine stood still over the limit and a level: both are told, with the instant of detection.
 */
static void test_missed_while_down(void **state)
{
    (void)state;
    struct stage *s = stage_new("2026-09-14T00:00:00Z", POLICY("Asia/Shanghai"), NULL);
    int64_t us;
    stage_open(s, "A", "hours", "2026-09-14T00:00:00Z");
    stage_settle(s);
    stage_restart(s);
    stage_time(s, "2026-09-15T09:00:00Z", true);
    told(s, "scheduled whole.1 due 09-15 08:00\nwarned whole.1 -1 clerk\nbreached whole.1 0 \n"
            "breached whole.1 1 manager\n");
    const struct clock *c = stage_row(s, SLA_WATCHDOG_CLOCK, "A/whole.1");
    assert_true(instant_parse("2026-09-15T09:00:00Z", &us));
    assert_int_equal(c->detected_us, us);
    assert_true(instant_parse("2026-09-15T00:00:00Z", &us));
    assert_int_equal(c->due_us, us);
    stage_restart(s);
    stage_time(s, "2026-09-16T09:00:00Z", true);
    told(s, ""); /* once */
    finish(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_packed),
        cmocka_unit_test(test_no_room),
        cmocka_unit_test(test_long_story),
        cmocka_unit_test(test_more_waits_than_count),
        cmocka_unit_test(test_days_of_25_and_23_hours),
        cmocka_unit_test(test_missed_while_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
