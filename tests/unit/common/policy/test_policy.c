#include "policy/published.h"

#include "base/text.h"
#include "record/pack.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define HEAD                                                                                       \
    "name: acme\nversion: acme-1\nzone: Asia/Shanghai\ncalendars: [cn]\n"                          \
    "kinds: [{name: repair}, {name: complaint}]\n"
/* HEAD is five lines, so that what follows begins in line 6. */

static struct policy *parsed(const char *text, struct arena *arena, struct problems *problems)
{
    struct policy *p = arena_alloc(arena, sizeof *p);
    return policy_parse(text, strlen(text), arena, p, problems, NULL) ? p : NULL;
}

static const struct {
    const char *what, *text, *code, *field;
    unsigned line;
} wrong[] = {
    {"zone", "name: a\nversion: b\nzone: Mars/Olympus\nkinds: [{name: x}]\n", "unknown", "zone", 3},
    {"kind twice", "name: a\nversion: b\nzone: UTC\nkinds:\n  - {name: x}\n  - {name: x}\n",
     "duplicate", "kinds[1].name", 6},
    {"required", HEAD "number_prefix: A\n", NULL, NULL, 0},
    {"a field nobody has",
     "name: a\nversion: b\nzone: UTC\nkinds: [{name: x, required: [\"Phone!\"]}]\n", "bad-value",
     "kinds[0].required[0]", 4},
    {"unknown kind in a match",
     HEAD "priorities:\n  - {priority: urgent, match: {kinds: [explode]}}\n", "unknown",
     "priorities[0].match.kinds[0]", 7},
    {"hidden priority",
     HEAD "priorities:\n  - {priority: urgent}\n  - {priority: low, match: {kinds: [repair]}}\n",
     "hidden", "priorities[1]", 8},
    {"term in hours", HEAD "coverage:\n  - {clause: c, length: 24h}\n", "bad-span",
     "coverage[0].length", 7},
    {"term twice",
     HEAD "coverage:\n  - {clause: c, length: 1y, match: {kinds: [repair]}}\n  - {clause: c, "
          "length: 2y}\n",
     "duplicate", "coverage[1]", 8},
    {"tier twice",
     HEAD "dispatch:\n  tiers:\n    - {tier: 3, accept_within: 2h}\n    - {tier: 3}\n", "duplicate",
     "dispatch.tiers[1]", 9},
    {"accepts when?", HEAD "dispatch:\n  tiers:\n    - {tier: 3, silence: accepts}\n", "missing",
     "dispatch.tiers[0].accept_within", 8},
    {"offers in working days", HEAD "dispatch: {tiers: [{tier: 3, accept_within: 2wd}]}\n",
     "bad-span", "dispatch.tiers[0].accept_within", 6},
    {"start at no tier", HEAD "dispatch:\n  tiers: [{tier: 3}]\n  start_at: [{tier: 1}]\n",
     "unknown", "dispatch.start_at[0]", 8},
    {"a pass for no kind", HEAD "dispatch:\n  tiers: [{tier: 3}]\n  passes: [{pass: p, match: {kinds: [x]}}]\n",
     "unknown", "dispatch.passes[0].match.kinds[0]", 8},
    {"no such event",
     HEAD "sla:\n  - id: a\n    start: ticket.assessed\n    stop: ticket.solved\n    limits: "
          "[{limit: 2h}]\n",
     "unknown", "sla[0].stop", 9},
    {"stops as it starts: again and again",
     HEAD "sla: [{id: a, start: visit.recorded, stop: visit.recorded, limits: [{limit: 1y}]}]\n",
     NULL, NULL, 0},
    {"starts on a ticket, stops on a unit",
     HEAD "sla: [{id: a, start: job.accepted, stop: unit.sold, limits: [{limit: 2h}]}]\n",
     "mixed-keys", "sla[0].stop", 6},
    {"clause twice",
     HEAD
     "sla:\n  - {id: a, start: ticket.assessed, stop: ticket.resolved, limits: [{limit: 2h}]}\n"
     "  - {id: a, start: job.accepted, stop: ticket.resolved, limits: [{limit: 2h}]}\n",
     "duplicate", "sla[1]", 8},
    {"calendar not listed",
     HEAD "sla: [{id: a, start: ticket.assessed, stop: ticket.resolved, calendar: mars, limits: "
          "[{limit: 2wd}]}]\n",
     "unknown", "sla[0].calendar", 6},
    {"working days without calendar",
     HEAD "sla: [{id: a, start: ticket.assessed, stop: ticket.resolved, limits: [{limit: 2wd}]}]\n",
     "missing", "sla[0].limits[0].limit", 6},
    {"no time of day",
     HEAD "sla: [{id: a, start: ticket.assessed, stop: ticket.resolved, calendar: cn, counting: "
          "time-of-day, cutoff: \"25:00\", resume: "
          "\"08:30\", limits: [{limit: 2wd}]}]\n",
     "bad-time", "sla[0].cutoff", 6},
    {"cutoff without its counting",
     HEAD "sla: [{id: a, start: ticket.assessed, stop: ticket.resolved, calendar: cn, cutoff: "
          "\"17:00\", resume: \"08:30\", limits: "
          "[{limit: 2wd}]}]\n",
     "bad-value", "sla[0].cutoff", 6},
    {"a limit line hidden by one before it",
     HEAD "sla:\n  - id: a\n    start: ticket.assessed\n    stop: ticket.resolved\n    limits:\n   "
          "   - {limit: 1h, match: {regions: "
          "[\"11\"]}}\n      - {limit: 2h, match: {regions: [\"1101\"], kinds: [repair]}}\n",
     "hidden", "sla[0].limits[1]", 12},
    {"one kind of a line hidden",
     HEAD "sla:\n  - id: a\n    start: ticket.assessed\n    stop: ticket.resolved\n    limits:\n   "
          "   - {limit: 1h, match: {kinds: "
          "[repair]}}\n      - {limit: 2h, match: {kinds: [complaint, repair]}}\n",
     "hidden", "sla[0].limits[1]", 12},
    {"priority that nobody gives",
     HEAD "sla: [{id: a, start: ticket.assessed, stop: ticket.resolved, limits: [{limit: 1h, "
          "match: {priorities: [red]}}]}]\n",
     "unknown", "sla[0].limits[0].match.priorities[0]", 6},
    {"negative limit",
     HEAD "sla: [{id: a, start: ticket.assessed, stop: ticket.resolved, limits: [{limit: -1h}]}]\n",
     "bad-span", "sla[0].limits[0].limit", 6},
    {"levels out of order",
     HEAD "sla: [{id: a, start: ticket.assessed, stop: ticket.resolved, levels: [{at: 1h}, {at: "
          "-1h}], limits: [{limit: 1h}]}]\n",
     "bad-value", "sla[0].levels[1]", 6},
    {"level at the limit",
     HEAD "sla: [{id: a, start: ticket.assessed, stop: ticket.resolved, levels: [{at: 0h}], "
          "limits: [{limit: 1h}]}]\n",
     "bad-span", "sla[0].levels[0]", 6},
    {"hidden callback",
     HEAD "followup:\n  - {after: 1d, window: 1d}\n  - {after: 3d, window: 1d}\n", "hidden",
     "followup[1]", 8},
    {"callback in working days", HEAD "followup:\n  - {after: 1wd, window: 1d}\n", "bad-span",
     "followup[0].after", 7},
    {"calendar twice", "name: a\nversion: b\nzone: UTC\nkinds: [{name: x}]\ncalendars: [cn, cn]\n",
     "duplicate", "calendars[1]", 5},
    {"unknown section", HEAD "colour: red\n", "unknown-field", "colour", 6},
};

static void test_wrong(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        struct arena *arena = arena_new(65536);
        struct problems problems = {0};
        const struct policy *p = parsed(wrong[i].text, arena, &problems);
        if (!wrong[i].code) {
            if (!p)
                fail_msg("%s: %s %s", wrong[i].what, problems.items[0].code,
                         problems.items[0].field);
        } else {
            if (p || problems.n != 1)
                fail_msg("%s: %zu problems", wrong[i].what, problems.n);
            const struct problem *got = &problems.items[0];
            if (!text_equal(got->code, wrong[i].code) || !text_equal(got->field, wrong[i].field) ||
                got->line != wrong[i].line)
                fail_msg("%s: got %s %s line %u", wrong[i].what, got->code, got->field, got->line);
        }
        problems_release(&problems);
        arena_destroy(&arena);
    }
}

static void test_all_at_once(void **state)
{
    (void)state;
    struct arena *arena = arena_new(65536);
    struct problems problems = {0};
    assert_null(parsed(HEAD "repeat_within: 3wd\nfollowup:\n  - {after: 1d, window: "
                            "1wh}\ncoverage:\n  - {clause: a, length: 2h}\n",
                       arena, &problems));
    assert_int_equal(problems.n, 3);
    problems_release(&problems);
    arena_destroy(&arena);
}

static char *file_text(const char *path, size_t *n)
{
    static char text[65536];
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    *n = fread(text, 1, sizeof text, f);
    fclose(f);
    return text;
}

static const struct policy *shipped(const char *path, struct arena *arena)
{
    size_t n;
    const char *text = file_text(path, &n);
    struct policy *p = arena_alloc(arena, sizeof *p);
    struct problems problems = {0};
    if (!policy_parse(text, n, arena, p, &problems, NULL))
        fail_msg("%s: line %u: %s %s: %s", path, problems.items[0].line, problems.items[0].code,
                 problems.items[0].field, problems.items[0].args);
    return p;
}

/* Both shipped policies pass the check and come back from a published event as they went in. */
static void test_shipped(void **state)
{
    (void)state;
    static const char *const paths[] = {SOURCE_DIR "/deploy/policies/boston311.yaml",
                                        SOURCE_DIR "/deploy/policies/example-cn.yaml"};
    for (size_t i = 0; i < COUNT_OF(paths); i++) {
        struct arena *arena = arena_new(65536);
        const struct policy *p = shipped(paths[i], arena);
        struct buf out = {0}, event = {0};
        record_encode(&policy_record, RECORD_WHOLE, p, &out);
        struct policy_published published = {.policy = buf_bytes(&out)}, read;
        text_copy(published.name, sizeof published.name, p->name);
        text_copy(published.version, sizeof published.version, p->version);
        record_encode(&policy_published_record, RECORD_PLAIN, &published, &event);
        assert_true(event.len < 60000);
        struct problem problem = {0};
        assert_true(skim(buf_bytes(&event), &problem));
        assert_true(record_decode(&policy_published_record, RECORD_PLAIN, DECODE_STRICT,
                                  buf_bytes(&event), arena, &read, &problem));
        struct policy back;
        if (!policy_decode(read.policy, arena, &back, &problem))
            fail_msg("%s: %s %s", paths[i], problem.code, problem.field);
        assert_true(record_equal(&policy_record, p, &back));
        buf_release(&out);
        buf_release(&event);
        arena_destroy(&arena);
    }
}

static void test_decode_checks(void **state)
{
    (void)state;
    struct arena *arena = arena_new(65536);
    struct policy p = {.name = "a", .version = "b", .zone = "Nowhere"}, back;
    struct policy_kind kind = {.name = "x"};
    struct buf out = {0};
    struct problem problem = {0};
    p.kinds = (struct slice){&kind, 1};
    record_encode(&policy_record, RECORD_WHOLE, &p, &out);
    assert_false(policy_decode(buf_bytes(&out), arena, &back, &problem));
    assert_string_equal(problem.field, "zone");
    assert_false(policy_decode(bytes_of("\x81\xa1", 2), arena, &back, &problem));
    buf_release(&out);
    arena_destroy(&arena);
}

static void test_matching(void **state)
{
    (void)state;
    struct arena *arena = arena_new(65536);
    const struct policy *p = shipped(SOURCE_DIR "/deploy/policies/example-cn.yaml", arena);
    struct policy_subject combine = {
        .kind = "repair", .product = "combine", .region = "130100", .priority = "normal"};
    struct policy_subject tractor = {
        .kind = "repair", .product = "tractor", .region = "370100", .priority = "normal"};
    assert_string_equal(policy_priority(p, &combine), "urgent");
    assert_string_equal(policy_priority(p, &tractor), "normal");
    assert_string_equal(policy_priority(p, &(struct policy_subject){.kind = "advice"}), "low");
    assert_string_equal(policy_term(p, &combine)->clause, "combine");
    assert_string_equal(policy_term(p, &(struct policy_subject){0})->clause, "other");
    assert_non_null(policy_kind(p, "install"));
    assert_null(policy_kind(p, "explode"));

    const struct policy_clause *on_site = policy_clause(p, "on-site"),
                               *arrange = policy_clause(p, "arrange");
    assert_null(policy_clause(p, "nothing"));
    assert_true(policy_limit(on_site, &combine)->limit.n == 24); /* 13 is a prefix of 130100 */
    assert_true(policy_limit(on_site, &tractor)->limit.n == 48);
    assert_null(policy_limit(on_site, &(struct policy_subject){.kind = "advice"}));
    combine.priority = "urgent";
    assert_true(policy_limit(arrange, &combine)->limit.n == 30);
    assert_true(policy_followup(p, &tractor)->reopen_below == 3);
    assert_null(policy_followup(p, &(struct policy_subject){.kind = "advice"}));
    assert_true(policy_tier(p, 3)->candidates_max == 2);
    assert_null(policy_tier(p, 7));
    arena_destroy(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_wrong), cmocka_unit_test(test_all_at_once),
        cmocka_unit_test(test_shipped), cmocka_unit_test(test_decode_checks),
        cmocka_unit_test(test_matching)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
