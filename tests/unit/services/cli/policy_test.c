/* A policy as `policy show` prints it. */
#include "base/text.h"
#include "services/cli/policy_print.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const char yaml[] =
    "name: acme\nversion: acme-1\ntitle: 某某公司\nzone: Asia/Shanghai\ncalendars: [cn, night]\n"
    "kinds: [{name: repair}]\nretarget_open: true\n"
    "region_classes: [{class: core, regions: [\"11\", \"12\"]}, {class: far}]\n"
    "ladder: [clerk, {to: manager, title: 经理}]\n"
    "pauses:\n  - {reason: customer, title: 等客户, budget: 10d, more_by: manager}\n"
    "  - {reason: hazard, begin: hazard.found, end: hazard.cleared}\n"
    "sla:\n"
    "  - id: on-site\n    title: 到场\n"
    "    start: [{type: appointment.agreed, from: appointment, when: [{field: moved, is_not: "
    "[\"true\"]}]}, job.accepted]\n"
    "    stop: job.arrived\n    reset: {type: appointment.agreed, when: [{field: moved, is: [\"true\", x]}]}\n"
    "    cancel: [ticket.cancelled]\n    pause: [customer, hazard]\n    explain: true\n    "
    "calendar: cn\n"
    "    counting: time-of-day\n    cutoff: \"17:00\"\n    resume: \"08:30\"\n"
    "    levels: [{at: -2h, to: clerk}, {at: -30min}, {at: 1d, to: manager}]\n"
    "    limits:\n"
    "      - {limit: 1d, per_units: 10, match: {region_classes: [core], kinds: [repair]}}\n"
    "      - {by: \"17:00\", match: {phases: [free, trial]}}\n"
    "      - {limit: 2wd, by: \"17:00\", calendar: night}\n";

static const char want[] =
    "某某公司\n"
    "kinds 1, coverage terms 0, tiers 0, promises 1, callbacks 0, calendars 2\n"
    "classes of region: core 11, 12 · far *\n"
    "ladder: clerk → manager 经理\n"
    "wait: customer 等客户, at most 10d, more by manager\n"
    "wait: hazard, hazard.found → hazard.cleared\n"
    "open tickets follow it from its publication on\n"
    "  on-site        到场\n"
    "    appointment.agreed (@appointment, moved ≠ true) | job.accepted → job.arrived\n"
    "    begins anew: appointment.agreed (moved = true/x)\n"
    "    is over: ticket.cancelled\n"
    "    calendar: cn, time-of-day, 17:00 → 08:30\n"
    "    waits for: customer, hazard\n"
    "    an explanation in time meets it\n"
    "    -2h clerk · -30min · 0 · 1d manager\n"
    "    1. 1d per 10  kinds: repair  region_classes: core\n"
    "    2. by 17:00  phases: free, trial\n"
    "    3. 2wd by 17:00 (night)\n";

static void test_print(void **state)
{
    (void)state;
    struct arena *arena = arena_new(65536);
    struct problems problems = {0};
    struct policy policy;
    struct buf out = {0};
    if (!policy_parse(yaml, strlen(yaml), arena, &policy, &problems, NULL))
        fail_msg("%s %s", problems.items[0].field, problems.items[0].args);
    policy_print(ENGLISH, &policy, &out);
    assert_string_equal(buf_text(&out), want);
    buf_reset(&out);
    policy_print(CHINESE, &policy, &out);
    assert_non_null(
        strstr(buf_text(&out), "等待: customer 等客户, 累计不超过 10d, 追加批准 manager\n"));
    assert_non_null(strstr(buf_text(&out), "    1. 1d／10 台  kinds: repair"));
    buf_release(&out);
    arena_destroy(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_print)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
