/* What the check refuses in promises, pauses, the ladder and classes of region: each with code,
 * path, line and words. */
#include "policy/check.h"

#include "base/text.h"
#include "policy/policy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* Twelve lines, so that what follows begins in line 13. */
#define HEAD                                                                                       \
    "name: acme\nversion: acme-1\nzone: Asia/Shanghai\ncalendars: [cn, cn-night]\n"                \
    "kinds: [{name: repair}, {name: complaint}]\n"                                                 \
    "region_classes:\n  - {class: core, regions: [\"11\"]}\n  - {class: around, regions: "         \
    "[\"12\"]}\n"                                                                                  \
    "ladder: [clerk, {to: manager, title: 经理}, director]\n"                                    \
    "pauses:\n  - {reason: customer, budget: 10d, more_by: manager}\n  - {reason: hazard, begin: " \
    "hazard.found, end: hazard.cleared}\n"
#define CLAUSE                                                                                     \
    "sla:\n  - id: a\n    start: ticket.assessed\n    stop: ticket.resolved\n    pause: "          \
    "customer\n"
/* The clause is lines 13 to 17: what follows is line 18. */
#define RUNS                                                                                       \
    "sla:\n  - id: a\n    start: ticket.assessed\n    stop: ticket.resolved\n    pause: "          \
    "customer\n    limits: [{limit: 2h}]\n"

/* Tables of events as the check asks for them. */
struct data {
    char word[16], phone[16];
    int64_t n, when_us;
    bool yes;
    int grade;
    struct {
        char in[16];
    } sub;
};
static const char *const grades[] = {"low", "high", NULL};
struct data_sub {
    char in[16];
};
static const struct field sub_fields[] = {F_TEXT(data_sub, in, 0, "inner")};
static const struct record sub_record = RECORD(data_sub, sub_fields, "inner");
static const struct field data_fields[] = {
    F_TEXT(data, word, 0, "a word"),
    F_TEXT(data, phone, FIELD_PERSONAL, "personal"),
    F_INT(data, n, 0, "a number"),
    F_TIME(data, when, 0, "an instant"),
    F_BOOL(data, yes, 0, "yes or no"),
    F_ENUM(data, grade, 0, grades, "one of two"),
    F_RECORD(data, sub, 0, &sub_record, "a record"),
};
static const struct record data_record = RECORD(data, data_fields, "data of every event here");

static const struct record *event_data(const char *type)
{
    return text_equal(type, "ticket.replied") ? NULL : &data_record;
}

static const struct {
    const char *what, *text, *code, *field;
    unsigned line;
    const char *args;
} cases[] = {
    {"all of it",
     HEAD
     "sla:\n"
     "  - id: on-site\n    start: [{type: appointment.agreed, from: when, when: [{field: grade, "
     "is: [high]}, "
     "{field: sub.in, is_not: [x, \"\"]}]}, {type: ticket.registered, from: when}]\n"
     "    stop: [{type: job.arrived, when: [{field: yes, is: [\"true\"]}]}, job.reported]\n"
     "    reset: {type: appointment.agreed, from: when, when: [{field: n, is: [\"7\", \"\"]}]}\n"
     "    cancel: ticket.cancelled\n    pause: [customer, hazard]\n    explain: true\n    "
     "calendar: cn\n"
     "    levels: [{at: -2h, to: clerk}, {at: 1d, to: manager}, {at: 2d, to: manager}, {at: 1w, "
     "to: director}]\n"
     "    limits:\n      - {limit: 0s, match: {region_classes: [core], phases: [free]}}\n"
     "      - {limit: 1d, per_units: 10, match: {region_classes: core}}\n"
     "      - {limit: 2wd, by: \"17:00\", calendar: cn-night}\n",
     NULL, NULL, 0, NULL},
    /* regions, ladder */
    {"a region that a class before it takes",
     "name: a\nversion: b\nzone: UTC\nkinds: [{name: x}]\nregion_classes:\n  - {class: core, "
     "regions: [\"11\"]}\n"
     "  - {class: west, regions: [\"65\", \"1101\"]}\n",
     "hidden", "region_classes[1].regions[1]", 7, "a line before it takes region 1101"},
    {"the others, twice",
     "name: a\nversion: b\nzone: UTC\nkinds: [{name: x}]\nregion_classes:\n  - {class: rest}\n  - "
     "{class: none}\n",
     "hidden", "region_classes[1]", 7, "a line before it takes every region"},
    {"a rung twice",
     "name: a\nversion: b\nzone: UTC\nkinds: [{name: x}]\nladder: [clerk, head,\n  clerk]\n",
     "duplicate", "ladder[2]", 6, "clerk"},
    {"a class that is none",
     HEAD CLAUSE "    limits: [{limit: 1h, match: {region_classes: [far]}}]\n", "unknown",
     "sla[0].limits[0].match.region_classes[0]", 18, "no line of region_classes names far"},
    {"a coverage before it is judged",
     HEAD "  - {reason: x}\npriorities:\n  - {priority: urgent, match: {coverages: [free]}}\n" RUNS,
     "hidden", "priorities[0].match.coverages", 15, "nothing is known of coverages there"},
    {"a tier before the first offer",
     HEAD "  - {reason: x}\ndispatch:\n  tiers: [{tier: 1}]\n  start_at: [{tier: 1, match: {tiers: "
          "[1]}}]\n" RUNS,
     "hidden", "dispatch.start_at[0].match.tiers", 16, "nothing is known of tiers there"},
    {"a phase after the end",
     HEAD "  - {reason: x}\nfollowup: [{after: 1d, window: 1d, match: {phases: free}}]\n" RUNS,
     "hidden", "followup[0].match.phases", 14, "nothing is known of phases there"},
    /* events */
    {"no such event in a list",
     HEAD "sla:\n  - id: a\n    start:\n      - ticket.assessed\n      - ticket.guessed\n    "
          "pause: customer\n    stop: "
          "ticket.closed\n    limits: [{limit: 2h}]\n",
     "unknown", "sla[0].start[1]", 17, "ticket.guessed is no event type that a clause may name"},
    {"a reset on something else", HEAD RUNS "    reset: unit.sold\n", "mixed-keys", "sla[0].reset",
     19, "unit.sold is about unit, the clause runs on ticket"},
    {"a cancel on something else", HEAD RUNS "    cancel: [ticket.cancelled,\n      call.missed]\n",
     "mixed-keys", "sla[0].cancel[1]", 20, "call.missed is about call, the clause runs on ticket"},
    {"what may be either is", HEAD RUNS "    cancel: {type: milestone.reached}\n", NULL, NULL, 0,
     NULL},
    {"the same event again", HEAD RUNS "    cancel: [ticket.cancelled, ticket.cancelled]\n",
     "hidden", "sla[0].cancel[1]", 19, "ticket.cancelled stands before it without conditions"},
    {"the same event under conditions",
     HEAD RUNS
     "    cancel: [{type: ticket.cancelled, when: [{field: word, is: [a]}]}, ticket.cancelled]\n",
     NULL, NULL, 0, NULL},
    {"a field nobody has",
     HEAD RUNS "    cancel: {type: ticket.cancelled, when: [{field: colour, is: [red]}]}\n",
     "unknown", "sla[0].cancel.when[0].field", 19, "ticket.cancelled has no field colour"},
    {"a field of a field nobody has",
     HEAD RUNS "    cancel: {type: ticket.cancelled, when: [{field: sub.out, is: [red]}]}\n",
     "unknown", "sla[0].cancel.when[0].field", 19, "ticket.cancelled has no field sub.out"},
    {"a personal field",
     HEAD RUNS "    cancel: {type: ticket.cancelled, when: [{field: phone, is: [\"1\"]}]}\n",
     "bad-value", "sla[0].cancel.when[0].field", 19, "phone is personal, and decides nothing"},
    {"an instant is no word",
     HEAD RUNS "    cancel: {type: ticket.cancelled, when: [{field: when, is: [\"1\"]}]}\n",
     "bad-value", "sla[0].cancel.when[0].field", 19, "when is neither text, number nor yes or no"},
    {"neither is nor is_not",
     HEAD RUNS "    cancel: {type: ticket.cancelled, when: [{field: word}]}\n", "missing",
     "sla[0].cancel.when[0]", 19, "word: what is it, or what is it not?"},
    {"never true",
     HEAD RUNS "    cancel: {type: ticket.cancelled, when: [{field: yes, is: [yes]}]}\n",
     "bad-value", "sla[0].cancel.when[0].is[0]", 19, "yes is never \"yes\""},
    {"no such grade",
     HEAD RUNS
     "    cancel: {type: ticket.cancelled, when: [{field: grade, is_not: [low, middle]}]}\n",
     "bad-value", "sla[0].cancel.when[0].is_not[1]", 19, "grade is never \"middle\""},
    {"no number",
     HEAD RUNS "    cancel: {type: ticket.cancelled, when: [{field: n, is: [many]}]}\n",
     "bad-value", "sla[0].cancel.when[0].is[0]", 19, "n is never \"many\""},
    {"longer than the field",
     HEAD RUNS
     "    cancel: {type: ticket.cancelled, when: [{field: word, is: [abcdefghijklmnopq]}]}\n",
     "bad-value", "sla[0].cancel.when[0].is[0]", 19, "word is never \"abcdefghijklmnopq\""},
    {"without a table nothing is known",
     HEAD RUNS "    cancel: {type: ticket.replied, when: [{field: colour, is: [red]}]}\n", NULL,
     NULL, 0, NULL},
    {"a stop counts from nothing", HEAD RUNS "    cancel: {type: ticket.cancelled, from: when}\n",
     "bad-value", "sla[0].cancel.from", 19,
     "only what starts or resets a clock counts from a field"},
    {"from a field nobody has", HEAD RUNS "    reset: {type: appointment.agreed, from: then}\n",
     "unknown", "sla[0].reset.from", 19, "appointment.agreed has no field then"},
    {"from a word", HEAD RUNS "    reset: {type: appointment.agreed, from: word}\n", "bad-value",
     "sla[0].reset.from", 19, "word of appointment.agreed is no instant"},
    /* pauses */
    {"a reason that is none",
     HEAD "sla: [{id: a, start: ticket.assessed, stop: ticket.closed, pause: [customer, "
          "weather],\n  limits: [{limit: 2h}]}]\n",
     "unknown", "sla[0].pause[1]", 13, "weather is not among the policy's pauses"},
    {"a reason twice in a clause",
     HEAD "sla: [{id: a, start: ticket.assessed, stop: ticket.closed, pause: [customer,\n  "
          "customer], limits: [{limit: 2h}]}]\n",
     "duplicate", "sla[0].pause[1]", 14, "customer"},
    {"a ticket's pause for a contract",
     HEAD RUNS "  - {id: b, start: contract.signed, stop: payment.received, pause: customer, "
               "limits: [{limit: 2h}]}\n",
     "mixed-keys", "sla[1].pause[0]", 19, "customer is about ticket, the clause runs on contract"},
    {"a reason twice", HEAD "  - {reason: customer}\n" RUNS, "duplicate", "pauses[2]", 13,
     "reason customer"},
    {"a pause that begins with nothing", HEAD "  - {reason: rain, begin: rain.began}\n" RUNS,
     "unknown", "pauses[2].begin", 13, "rain.began is no event type that a clause may name"},
    {"a pause about two things",
     HEAD "  - {reason: rain, begin: hazard.found, end: unit.sold}\n" RUNS, "mixed-keys",
     "pauses[2].end", 13, "unit.sold is about unit, the clause runs on ticket"},
    {"a budget in working days",
     HEAD "  - {reason: rain, budget: 3wd}\n" CLAUSE
          "    limits: [{limit: 2h}]\n  - {id: b, start: ticket.assessed, stop: ticket.closed, "
          "pause: rain, limits: [{limit: 1h}]}\n",
     "bad-span", "pauses[2].budget", 13, "3wd: this unit has no meaning here"},
    {"a budget of nothing",
     HEAD "  - {reason: rain, budget: 0d}\n" CLAUSE
          "    limits: [{limit: 2h}]\n  - {id: b, start: ticket.assessed, stop: ticket.closed, "
          "pause: rain, limits: [{limit: 1h}]}\n",
     "bad-span", "pauses[2].budget", 13, "0d: expected more than nothing"},
    {"a budget that nobody uses", HEAD "  - {reason: rain, budget: 3d}\n" RUNS, "bad-value",
     "pauses[2].budget", 13, "no clause waits for rain"},
    {"more of nothing", HEAD "  - {reason: rain, more_by: manager}\n" RUNS, "missing",
     "pauses[2].budget", 13, "more of what?"},
    {"more by nobody",
     HEAD "  - {reason: rain, budget: 3d, more_by: pope}\n" CLAUSE
          "    limits: [{limit: 2h}]\n  - {id: b, start: ticket.assessed, stop: ticket.closed, "
          "pause: rain, limits: [{limit: 1h}]}\n",
     "unknown", "pauses[2].more_by", 13, "pope is not on the ladder"},
    /* levels */
    {"nobody of the ladder",
     HEAD RUNS "    levels: [{at: -1h, to: clerk},\n      {at: 1h, to: pope}]\n", "unknown",
     "sla[0].levels[1].to", 20, "pope is not on the ladder"},
    {"down the ladder",
     HEAD RUNS "    levels:\n      - {at: 1h, to: director}\n      - {at: 2h, to: manager}\n",
     "bad-value", "sla[0].levels[1].to", 21, "manager stands below director, who was told before"},
    {"before the limit in any order",
     HEAD RUNS
     "    levels: [{at: -1h, to: director}, {at: -30min, to: clerk}, {at: 1h, to: clerk}]\n",
     NULL, NULL, 0, NULL},
    {"out of order, in other units", HEAD RUNS "    levels: [{at: -30min}, {at: -1h}]\n",
     "bad-value", "sla[0].levels[1]", 19, "levels stand in the order of time, each once"},
    {"twice at the same time", HEAD RUNS "    levels: [{at: 60min}, {at: 1h}]\n", "bad-value",
     "sla[0].levels[1]", 19, "levels stand in the order of time, each once"},
    {"before the start",
     HEAD CLAUSE "    limits: [{limit: 30min, match: {kinds: repair}}, {limit: 2h}]\n    levels: "
                 "[{at: -3h}, {at: -2h}]\n",
     "unreachable", "sla[0].levels[0]", 19, "-3h is before any of its limits begins"},
    {"a day before a night", HEAD CLAUSE "    limits: [{limit: 1d}]\n    levels: [{at: -30h}]\n",
     "unreachable", "sla[0].levels[0]", 19, "-30h is before any of its limits begins"},
    {"a level long before working days",
     HEAD CLAUSE "    calendar: cn\n    limits: [{limit: 2wd}]\n    levels: [{at: -3wd}]\n",
     "unreachable", "sla[0].levels[0]", 20, "-3wd is before any of its limits begins"},
    {"a holiday may be long",
     HEAD CLAUSE "    calendar: cn\n    limits: [{limit: 2wd}]\n    levels: [{at: -9d}, {at: "
                 "-2wd}, {at: -1wh}]\n",
     NULL, NULL, 0, NULL},
    {"as many units as there are",
     HEAD CLAUSE "    limits: [{limit: 1h, per_units: 3}]\n    levels: [{at: -9d}]\n", NULL, NULL,
     0, NULL},
    {"an appointment is told ahead",
     HEAD "sla: [{id: a, start: {type: appointment.agreed, from: when}, stop: job.arrived, pause: "
          "customer, levels: [{at: -1d}], limits: [{limit: 0s}]}]\n",
     NULL, NULL, 0, NULL},
    {"a level in working time, by the lines' calendars",
     HEAD CLAUSE "    limits: [{limit: 2wd, calendar: cn, match: {kinds: repair}}, {limit: 3d, "
                 "calendar: cn}]\n    levels: [{at: -1wh}]\n",
     NULL, NULL, 0, NULL},
    {"a level in working time, a line without calendar",
     HEAD CLAUSE "    limits: [{limit: 2wd, calendar: cn, match: {kinds: repair}}, {limit: 3d}]\n  "
                 "  levels: [{at: -1wh}]\n",
     "missing", "sla[0].levels[0]", 19, "a calendar, for working time"},
    /* lines */
    {"nothing at once", HEAD CLAUSE "    limits: [{limit: 0s}]\n", "bad-span",
     "sla[0].limits[0].limit", 18, "0s: expected more than nothing"},
    {"nothing, but one start counts from itself",
     HEAD "sla: [{id: a, start: [{type: appointment.agreed, from: when}, job.accepted], stop: "
          "job.arrived, pause: customer, limits: [{limit: 0s}]}]\n",
     "bad-span", "sla[0].limits[0].limit", 13, "0s: expected more than nothing"},
    {"neither limit nor time", HEAD CLAUSE "    limits: [{per_units: 0}]\n", "missing",
     "sla[0].limits[0].limit", 18, "a duration, or a time of day to be done by"},
    {"no time of day", HEAD CLAUSE "    limits: [{limit: 2d, by: \"25:00\"}]\n", "bad-time",
     "sla[0].limits[0].by", 18, "\"25:00\", expected a time of day as 17:00"},
    {"a time of day after hours", HEAD CLAUSE "    limits: [{limit: 2h, by: \"17:00\"}]\n",
     "bad-value", "sla[0].limits[0].by", 18, "a time of day goes with days, not with hours"},
    {"a time of day alone", HEAD CLAUSE "    limits: [{by: \"17:00\"}]\n", NULL, NULL, 0, NULL},
    {"months for so many units", HEAD CLAUSE "    limits: [{limit: 2mo, per_units: 10}]\n",
     "bad-value", "sla[0].limits[0].per_units", 18,
     "so many units take hours, days or working time"},
    {"a time for so many units", HEAD CLAUSE "    limits: [{by: \"17:00\", per_units: 10}]\n",
     "bad-value", "sla[0].limits[0].per_units", 18,
     "so many units take hours, days or working time"},
    {"a line's calendar that is not listed",
     HEAD CLAUSE "    limits: [{limit: 2wd, calendar: mars}]\n", "unknown",
     "sla[0].limits[0].calendar", 18, "mars is not in the policy's calendars"},
    {"a class hidden by its regions",
     HEAD CLAUSE "    limits:\n      - {limit: 1h, match: {regions: [\"1\"]}}\n      - {limit: 2h, "
                 "match: {region_classes: [core, around]}}\n",
     "hidden", "sla[0].limits[1]", 20, "line 1 before it takes everything that it matches"},
    {"a region hidden by its class",
     HEAD CLAUSE "    limits:\n      - {limit: 1h, match: {region_classes: [core]}}\n      - "
                 "{limit: 2h, match: {regions: [\"1101\"]}}\n",
     "hidden", "sla[0].limits[1]", 20, "line 1 before it takes everything that it matches"},
    {"a phase hidden",
     HEAD CLAUSE "    limits:\n      - {limit: 1h, match: {phases: [trial, free]}}\n      - "
                 "{limit: 2h, match: {phases: free, kinds: repair}}\n",
     "hidden", "sla[0].limits[1]", 20, "line 1 before it takes everything that it matches"},
    {"hidden by two together",
     HEAD CLAUSE "    limits:\n      - {limit: 1h, match: {phases: trial}}\n      - {limit: 1h, "
                 "match: {phases: free}}\n      - {limit: 2h, match: {phases: [free, trial]}}\n",
     "hidden", "sla[0].limits[2]", 21, "the lines before it take everything that it matches"},
    {"a kind hidden by two together",
     HEAD CLAUSE
     "    limits:\n      - {limit: 1h, match: {kinds: repair, channels: [phone]}}\n      - {limit: "
     "1h, match: {kinds: repair, channels: [mail]}}\n"
     "      - {limit: 2h, match: {kinds: [complaint, repair], channels: [phone, mail]}}\n",
     "hidden", "sla[0].limits[2]", 21, "the lines before it take kind \"repair\""},
    {"a line that is nowhere",
     HEAD CLAUSE "    limits:\n      - {limit: 1h, match: {regions: [\"11\"], region_classes: "
                 "[around]}}\n      - {limit: 2h}\n",
     "hidden", "sla[0].limits[0]", 19, "no region is of its regions and of its region_classes"},
    {"a call is explained to nobody",
     HEAD RUNS
     "  - {id: b, start: call.rang, stop: call.received, explain: true, limits: [{limit: 15s}]}\n",
     "mixed-keys", "sla[1].explain", 19, "only limits of tickets are explained"},
};

static void test_cases(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct arena *arena = arena_new(65536);
        struct problems problems = {0};
        struct policy policy;
        bool good = policy_parse(cases[i].text, strlen(cases[i].text), arena, &policy, &problems,
                                 event_data);
        const struct problem *p = problems.items;
        if (good != !cases[i].code || problems.n != !good)
            fail_msg("%s: %zu problems: %s %s line %u: %s", cases[i].what, problems.n,
                     p ? p->code : "", p ? p->field : "", p ? p->line : 0, p ? p->args : "");
        if (!good &&
            (!text_equal(p->code, cases[i].code) || !text_equal(p->field, cases[i].field) ||
             p->line != cases[i].line || !text_equal(p->args, cases[i].args)))
            fail_msg("%s: %s %s line %u: %s", cases[i].what, p->code, p->field, p->line, p->args);
        problems_release(&problems);
        arena_destroy(&arena);
    }
}

/* Codes have their sentence, in Chinese too. */
static void test_sentences(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct problem p;
        struct buf out = {0};
        bool chinese = !cases[i].code;
        if (cases[i].code) {
            problem_set(&p, cases[i].code, "FIELD", NULL);
            problem_print(&p, true, &out);
            for (const char *at = buf_text(&out); *at; at++)
                chinese = chinese || (*at & 0x80);
        }
        if (!chinese)
            fail_msg("%s: %s", cases[i].code, buf_text(&out));
        buf_release(&out);
    }
}

/* --- bounds -------------------------------------------------------------------------------------
 */

static size_t problems_of(const char *text, struct problem *first)
{
    struct arena *arena = arena_new(65536);
    struct problems problems = {0};
    struct policy policy;
    bool good = policy_parse(text, strlen(text), arena, &policy, &problems, NULL);
    size_t n = problems.n;
    assert_true(good == (n == 0));
    if (n)
        *first = problems.items[0];
    problems_release(&problems);
    arena_destroy(&arena);
    return n;
}

static void clause_add(struct buf *text, size_t id, const char *start, const char *stop)
{
    buf_append_format(text, "  - {id: c%zu, start: %s, stop: %s, limits: [{limit: 1h}]}\n", id,
                      start, stop);
}

static void test_starts(void **state)
{
    (void)state;
    struct buf text = {0};
    struct problem p;
    buf_append_text(&text, HEAD "  - {reason: x}\nsla:\n  - {id: p, start: call.rang, stop: "
                                "call.received, limits: [{limit: 1h}]}\n"
                                "  - {id: q, start: ticket.replied, stop: ticket.closed, pause: "
                                "customer, limits: [{limit: 1h}]}\n");
    for (size_t i = 0; i < POLICY_STARTS_MAX; i++)
        clause_add(&text, i, i % 2 ? "ticket.assessed" : "ticket.registered", "ticket.closed");
    assert_int_equal(problems_of(buf_text(&text), &p), 0);
    clause_add(&text, 99, "ticket.registered", "ticket.closed");
    assert_int_equal(problems_of(buf_text(&text), &p), 1);
    assert_string_equal(p.code, "too-many");
    assert_string_equal(p.args, "16 that start with ticket.assessed");
    assert_string_equal(p.field, "sla");
    buf_release(&text);
}

static void test_facts(void **state)
{
    (void)state;
    struct buf text = {0};
    struct problem p;
    size_t n = 0;
    buf_append_text(&text, HEAD
                    "  - {reason: x}\nsla:\n"
                    "  - {id: q, start: ticket.assessed, stop: ticket.closed, pause: customer, "
                    "limits: [{limit: 1h}]}\n"
                    "  - {id: r, start: call.rang, stop: call.received, limits: [{limit: 1h}]}\n");
    for (int i = 0; n < POLICY_FACTS_MAX - 2; i++)
        if (policy_fact_on(i) == POLICY_ON_TICKET &&
            !text_equal(policy_facts[i], "ticket.assessed") &&
            !text_equal(policy_facts[i], "ticket.closed"))
            clause_add(&text, n++, policy_facts[i], "ticket.closed");
    assert_int_equal(problems_of(buf_text(&text), &p), 0);
    clause_add(&text, 99, "job.offered", "visit.recorded");
    assert_int_equal(problems_of(buf_text(&text), &p), 1);
    assert_string_equal(p.code, "too-many");
    assert_string_equal(p.args, "16 types of event for tickets, and there are 18");
    buf_release(&text);
}

/* A calendar that could not be had is said where the policy names it. */
static void test_calendars(void **state)
{
    (void)state;
    static const char text[] = HEAD RUNS;
    struct arena *arena = arena_new(65536);
    struct problems problems = {0};
    struct problem why;
    struct policy policy;
    assert_true(policy_parse(text, strlen(text), arena, &policy, &problems, NULL));
    /* Open on one Monday, ever. */
    struct calendar_window window = {"09:00", "10:00"};
    struct calendar_exception day = {
        .from = "2026-01-05", .to = "2026-01-05", .windows = {&window, 1}};
    struct calendar_def def = {
        .name = "cn-night", .version = "1", .zone = "UTC", .exceptions = {&day, 1}};
    struct calendar *calendar = calendar_new(&def, &why);
    assert_null(calendar);
    policy_check_calendar(&policy, "cn-night", calendar, &why, &problems);
    policy_check_calendar(&policy, "cn", NULL, NULL, &problems);
    policy_check_calendar(&policy, "elsewhere", NULL, NULL, &problems);
    policy_places_find(text, strlen(text), &problems, 0);
    assert_int_equal(problems.n, 2);
    assert_string_equal(problems.items[0].code, "no-working-time");
    assert_string_equal(problems.items[0].field, "calendars[1]");
    assert_int_equal(problems.items[0].line, 4);
    assert_non_null(strstr(problems.items[0].args, "cn-night: nothing in 400 days from "));
    assert_string_equal(problems.items[1].code, "unknown");
    assert_string_equal(problems.items[1].field, "calendars[0]");
    struct calendar_day week = {.weekday = 1, .windows = {&window, 1}};
    def.weekly = (struct slice){&week, 1};
    calendar = calendar_new(&def, &why);
    assert_non_null(calendar);
    policy_check_calendar(&policy, "cn-night", calendar, NULL, &problems);
    assert_int_equal(problems.n, 2);
    calendar_destroy(&calendar);
    problems_release(&problems);
    arena_destroy(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_cases),
                                       cmocka_unit_test(test_sentences),
                                       cmocka_unit_test(test_starts), cmocka_unit_test(test_facts),
                                       cmocka_unit_test(test_calendars)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
