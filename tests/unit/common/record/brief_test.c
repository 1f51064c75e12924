/* Brief records: a text for the whole, one for a list of one; in all three readers alike, and never
 * written. */
#include "base/text.h"
#include "record/pack.h"
#include "record/record.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

struct step {
    char to[8];
    int64_t n;
};
struct plan {
    struct step one;
    struct slice steps; /* struct step */
    struct step few[2];
    uint32_t few_n;
};
static const struct field step_fields[] = {
    F_TEXT(step, to, FIELD_REQUIRED | FIELD_KEYLIKE, "where"),
    F_INT_DEF(step, n, 0, 1, 0, 9, "how often")};
static const struct record step_record = RECORD_BRIEF(step, step_fields, "a step");
static const struct field step_elem = ELEM_RECORD(&step_record, struct step);
static const struct field plan_fields[] = {
    F_RECORD(plan, one, 0, &step_record, "one"),
    F_SLICE(plan, steps, 0, &step_elem, 3, "many"),
    F_LIST(plan, few, 0, &step_elem, "few"),
};
static const struct record plan_record = RECORD(plan, plan_fields, "steps");

/* The plan as its long form in JSON; "" where it is wrong, then code and path. */
static const struct {
    const char *what, *json, *yaml, *want, *code, *field;
} cases[] = {
    {"a text for a record", "{\"one\":\"a\"}", "one: a\n", "{\"one\":{\"to\":\"a\"}}", "", ""},
    {"a text for a list", "{\"steps\":\"a\"}", "steps: a\n", "{\"steps\":[{\"to\":\"a\"}]}", "",
     ""},
    {"a map for a list", "{\"steps\":{\"to\":\"a\",\"n\":2}}", "steps: {to: a, n: 2}\n",
     "{\"steps\":[{\"to\":\"a\",\"n\":2}]}", "", ""},
    {"both in a list", "{\"steps\":[\"a\",{\"to\":\"b\",\"n\":2}]}", "steps: [a, {to: b, n: 2}]\n",
     "{\"steps\":[{\"to\":\"a\"},{\"to\":\"b\",\"n\":2}]}", "", ""},
    {"a list inside", "{\"few\":\"a\"}", "few: a\n", "{\"few\":[{\"to\":\"a\"}]}", "", ""},
    {"the long form", "{\"steps\":[{\"to\":\"a\"}]}", "steps: [{to: a}]\n",
     "{\"steps\":[{\"to\":\"a\"}]}", "", ""},
    {"absent", "{\"steps\":null}", "steps:\n", "{}", "", ""},
    {"a number in YAML is a text", "{\"steps\":\"17\"}", "steps: 17\n",
     "{\"steps\":[{\"to\":\"17\"}]}", "", ""},
    {"too long", "{\"steps\":[\"a\",\"much-too-long\"]}", "steps: [a, much-too-long]\n", "",
     "too-long", "steps[1].to"},
    {"no key", "{\"few\":\"a b\"}", "few: a b\n", "", "bad-key", "few[0].to"},
    {"nothing where something is required", "{\"one\":\"\"}", "one: \"\"\n", "", "missing",
     "one.to"},
    {"a map without it", "{\"steps\":{\"n\":2}}", "steps: {n: 2}\n", "", "missing", "steps[0].to"},
    {"too many", "{\"few\":[\"a\",\"b\",\"c\"]}", "few: [a, b, c]\n", "", "too-many", "few"},
    {"a list in a list", "{\"steps\":[[\"a\"]]}", "steps: [[a]]\n", "", "bad-type", "steps[0]"},
};

static void judge(size_t i, const char *reader, bool good, const struct plan *plan,
                  const struct problem *p)
{
    struct buf out = {0};
    if (good)
        record_print_json(&plan_record, RECORD_WHOLE, plan, &out);
    if (good != (*cases[i].want != 0) || (good && !text_equal(buf_text(&out), cases[i].want)))
        fail_msg("%s, %s: %s", cases[i].what, reader, good ? buf_text(&out) : p->code);
    if (!good && (!text_equal(p->code, cases[i].code) || !text_equal(p->field, cases[i].field)))
        fail_msg("%s, %s: %s %s", cases[i].what, reader, p->code, p->field);
    buf_release(&out);
}

static void readers_agree(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct arena *arena = arena_new(4096);
        struct problem problem = {0};
        struct problems problems = {0};
        struct buf packed = {0};
        struct plan plan;
        bool good = record_parse_json(&plan_record, RECORD_WHOLE, DECODE_STRICT, cases[i].json,
                                      strlen(cases[i].json), arena, &plan, &problem);
        judge(i, "JSON", good, &plan, &problem);
        good = record_parse_yaml(&plan_record, cases[i].yaml, strlen(cases[i].yaml), arena, &plan,
                                 &problems);
        judge(i, "YAML", good, &plan, problems.items);
        assert_true(raw_parse_json(cases[i].json, strlen(cases[i].json), &packed, &problem));
        good = record_decode(&plan_record, RECORD_PLAIN, DECODE_STRICT, buf_bytes(&packed), arena,
                             &plan, &problem);
        judge(i, "msgpack", good, &plan, &problem);
        problems_release(&problems);
        buf_release(&packed);
        arena_destroy(&arena);
    }
}

/* A default that is not zero is set in the short form as in the long one. */
static void defaults_are_set(void **state)
{
    (void)state;
    struct plan plan;
    struct problem problem;
    struct arena *arena = arena_new(4096);
    assert_true(record_parse_json(&plan_record, RECORD_WHOLE, DECODE_STRICT,
                                  "{\"one\":\"a\",\"steps\":\"b\"}", 23, arena, &plan, &problem));
    assert_int_equal(plan.one.n, 1);
    assert_int_equal(((const struct step *)plan.steps.items)->n, 1);
    arena_destroy(&arena);
}

/* Records that are not brief take neither form. */
static void others_refuse(void **state)
{
    (void)state;
    static const struct record long_record = RECORD(step, step_fields, "a step");
    static const struct field elem = ELEM_RECORD(&long_record, struct step);
    static const struct field fields[] = {F_RECORD(plan, one, 0, &long_record, "one"),
                                          F_SLICE(plan, steps, 0, &elem, 3, "many")};
    static const struct record record = RECORD(plan, fields, "steps");
    static const char *const texts[] = {"{\"one\": \"a\"}", "{\"steps\": \"a\"}",
                                        "{\"steps\": {\"to\": \"a\"}}", "{\"steps\": [\"a\"]}"};
    struct arena *arena = arena_new(4096);
    struct problem problem;
    struct plan plan;
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        struct problems problems = {0};
        assert_false(record_parse_json(&record, RECORD_WHOLE, DECODE_STRICT, texts[i],
                                       strlen(texts[i]), arena, &plan, &problem));
        assert_string_equal(problem.code, "bad-type");
        assert_false(
            record_parse_yaml(&record, texts[i], strlen(texts[i]), arena, &plan, &problems));
        assert_string_equal(problems.items[0].code, "bad-type");
        problems_release(&problems);
    }
    arena_destroy(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(readers_agree),
                                       cmocka_unit_test(defaults_are_set),
                                       cmocka_unit_test(others_refuse)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
