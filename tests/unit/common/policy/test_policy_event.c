/* Which events clauses and waits mean, what they are about, and matching by phase and class of
 * region. */
#include "base/text.h"
#include "policy/policy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const char yaml[] =
    "name: a\nversion: b\nzone: Asia/Shanghai\nkinds: [{name: repair}]\n"
    "region_classes: [{class: core, regions: [\"11\"]}, {class: around, regions: [\"1\"]}]\n"
    "ladder: [clerk, manager]\n"
    "pauses:\n"
    "  - {reason: customer}\n"
    "  - {reason: parts, begin: [ticket.waiting, part.ordered], end: [ticket.resumed, "
    "part.supplied]}\n"
    "  - {reason: season, begin: {type: ticket.waiting, when: [{field: reason, is: [winter, "
    "summer]}]}}\n"
    "sla:\n"
    "  - id: c\n"
    "    start: [{type: job.reported, when: [{field: outcome, is: [failed, half]}, {field: paid, "
    "is_not: [\"true\"]}]}, job.accepted,\n"
    "      {type: ticket.replied, when: [{field: means, is: [\"\"]}]}]\n"
    "    stop: ticket.resolved\n    pause: [customer, season]\n"
    "    limits:\n"
    "      - {limit: 1h, match: {phases: [free]}}\n      - {limit: 2h, match: {region_classes: "
    "[core]}}\n"
    "      - {limit: 3h, match: {region_classes: [around], phases: trial}}\n"
    "followup: [{after: 1d, window: 1d, match: {region_classes: [core]}}, {after: 2d, window: "
    "1d}]\n";

static struct arena *arena;
static struct policy policy;

static int setup(void **state)
{
    (void)state;
    struct problems problems = {0};
    arena = arena_new(65536);
    if (!policy_parse(yaml, strlen(yaml), arena, &policy, &problems, NULL))
        fail_msg("line %u %s %s", problems.items[0].line, problems.items[0].field,
                 problems.items[0].args);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_destroy(&arena);
    return 0;
}

/* "outcome=failed paid=true" */
static bool field_text(void *ctx, const char *field, char *out, size_t cap)
{
    size_t n = strlen(field);
    for (const char *at = ctx; *at; at += strcspn(at, " "), at += *at == ' ')
        if (strncmp(at, field, n) == 0 && at[n] == '=') {
            at += n + 1;
            text_copy_n(out, cap, at, strcspn(at, " "));
            return true;
        }
    return false;
}

static const struct {
    const char *type, *data;
    int found; /* which of the start events; -1: none */
} starts[] = {
    {"job.reported", "outcome=failed", 0},
    {"job.reported", "outcome=half paid=false", 0},
    {"job.reported", "outcome=half paid=true", -1},
    {"job.reported", "outcome=done", -1},
    {"job.reported", "", -1},
    {"job.reported", NULL, -1},
    {"job.accepted", "outcome=done", 1},
    {"job.accepted", NULL, 1},
    {"ticket.replied", "text=x", 2},
    {"ticket.replied", NULL, 2},
    {"ticket.replied", "means=phone", -1},
    {"ticket.resolved", "outcome=failed", -1},
};

static void test_find(void **state)
{
    (void)state;
    const struct policy_clause *clause = policy_clause(&policy, "c");
    const struct policy_event *events = clause->start.items;
    for (size_t i = 0; i < COUNT_OF(starts); i++) {
        char text[64] = "";
        struct policy_data data = {field_text, text};
        if (starts[i].data)
            text_copy(text, sizeof text, starts[i].data);
        const struct policy_event *found =
            policy_event_find(&clause->start, starts[i].type, starts[i].data ? &data : NULL);
        if (found != (starts[i].found < 0 ? NULL : &events[starts[i].found]))
            fail_msg("%s %s", starts[i].type, text);
    }
    assert_true(policy_event_is(&clause->start, "job.reported"));
    assert_false(policy_event_is(&clause->start, "ticket.resolved"));
    assert_false(policy_event_is(&clause->reset, "job.reported"));
}

static const struct {
    const char *reason, *type, *data;
    bool begins, ends;
} waits[] = {
    {"customer", "ticket.waiting", "reason=customer", true, false},
    {"customer", "ticket.waiting", "reason=parts", false, false},
    {"customer", "ticket.waiting", "", false, false},
    {"customer", "ticket.resumed", "reason=customer", false, true},
    {"customer", "ticket.resumed", "", false, true},
    {"customer", "ticket.resumed", "reason=parts", false, false},
    {"customer", "part.ordered", "reason=customer", false, false},
    {"parts", "ticket.waiting", "reason=parts", true, false},
    {"parts", "ticket.waiting", "reason=customer", false, false},
    {"parts", "part.ordered", "", true, false},
    {"parts", "part.supplied", "", false, true},
    {"parts", "ticket.resumed", "", false, true},
    {"parts", "ticket.resumed", "reason=customer", false, false},
    {"season", "ticket.waiting", "reason=winter", true, false},
    {"season", "ticket.waiting", "reason=season", false, false},
    {"season", "ticket.resumed", "reason=season", false, true},
};

static void test_waits(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(waits); i++) {
        char text[64];
        struct policy_data data = {field_text, text};
        const struct policy_pause *pause = policy_pause(&policy, waits[i].reason);
        assert_non_null(pause);
        text_copy(text, sizeof text, waits[i].data);
        if (policy_pause_begins(pause, waits[i].type, &data) != waits[i].begins ||
            policy_pause_ends(pause, waits[i].type, &data) != waits[i].ends)
            fail_msg("%s: %s %s", waits[i].reason, waits[i].type, text);
    }
    const struct policy_clause *clause = policy_clause(&policy, "c");
    assert_true(policy_clause_pauses(clause, "season"));
    assert_false(policy_clause_pauses(clause, "parts"));
    assert_null(policy_pause(&policy, "weather"));
}

static void test_about(void **state)
{
    (void)state;
    char text[POLICY_ON_TEXT_MAX];
    policy_on_print(policy_clause_on(policy_clause(&policy, "c")), text);
    assert_string_equal(text, "ticket");
    policy_on_print(policy_fact_on(policy_fact("milestone.reached")), text);
    assert_string_equal(text, "ticket|contract");
    policy_on_print(policy_fact_on(policy_fact("customer.informed")), text);
    assert_string_equal(text, "any");
    assert_int_equal(policy_fact("ticket.guessed"), -1);
    for (int i = 0; i < policy_facts_n; i++)
        assert_int_equal(policy_fact(policy_facts[i]), i); /* none twice */
    assert_null(policy_facts[policy_facts_n]);
}

static int64_t hours(const char *region, const char *phase)
{
    struct policy_subject s = {
        .region = region, .phase = phase, .region_class = policy_region_class(&policy, region)};
    const struct policy_limit *line = policy_limit(policy_clause(&policy, "c"), &s);
    return line ? line->limit.n : 0;
}

static void test_matching(void **state)
{
    (void)state;
    assert_string_equal(policy_region_class(&policy, "110105"), "core");
    assert_string_equal(policy_region_class(&policy, "120000"), "around");
    assert_string_equal(policy_region_class(&policy, "370000"), "");
    assert_string_equal(policy_region_class(&policy, NULL), "");
    assert_int_equal(hours("110105", "free"), 1);
    assert_int_equal(hours("110105", "trial"), 2);
    assert_int_equal(hours("110105", NULL), 2);
    assert_int_equal(hours("120000", "trial"), 3);
    assert_int_equal(hours("120000", "after"), 0);
    assert_int_equal(hours(NULL, NULL), 0);
    /* Who asks by the policy need not know the class. */
    assert_int_equal(policy_followup(&policy, &(struct policy_subject){.region = "11"})->after.n,
                     1);
    assert_int_equal(policy_followup(&policy, &(struct policy_subject){.region = "12"})->after.n,
                     2);
    assert_int_equal(policy_rung(&policy, "clerk"), 0);
    assert_int_equal(policy_rung(&policy, "manager"), 1);
    assert_int_equal(policy_rung(&policy, "pope"), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_find), cmocka_unit_test(test_waits),
                                       cmocka_unit_test(test_about),
                                       cmocka_unit_test(test_matching)};
    return cmocka_run_group_tests(tests, setup, teardown);
}
