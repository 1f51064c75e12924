/* Any policy that the field tables allow comes back from msgpack, JSON and YAML as it went in. */
#include "../calendar/random_calendar.h"
#include "base/text.h"
#include "policy/policy.h"
#include "record/pack.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define SEEDS 300

static void text_draw(struct dice *dice, const struct field *f, char *out)
{
    static const char *const any[] = {"a b",   "售后", "\"", "\\",   "#", "- x", "null",
                                      "17:00", "~",    "{",  "true", "'", "a: b"};
    static const char *const keys[] = {"a", "x-1", "customer", "9", "A.b"};
    const char *word = f->flags & FIELD_KEYLIKE ? keys[dice_below(dice, (int64_t)COUNT_OF(keys))]
                                                : any[dice_below(dice, (int64_t)COUNT_OF(any))];
    if (strlen(word) < f->size && ((f->flags & FIELD_REQUIRED) || dice_below(dice, 2)))
        text_copy(out, f->size, word);
    else if (f->flags & FIELD_REQUIRED)
        text_copy(out, f->size, "w");
}

static void record_draw(struct dice *, const struct record *, void *object, struct arena *);

static void value_draw(struct dice *dice, const struct field *f, void *member, struct arena *arena)
{
    struct slice *slice = member;
    int64_t names = 0, wanted;
    switch (f->kind) {
    case FIELD_BOOL:
        *(bool *)member = dice_below(dice, 2);
        break;
    case FIELD_INT:
        *(int64_t *)member = f->max_int ? f->min + dice_below(dice, f->max_int - f->min + 1)
                                        : dice_below(dice, 1000) - 500;
        break;
    case FIELD_SPAN:
        if ((f->flags & FIELD_REQUIRED) || dice_below(dice, 2))
            *(struct span *)member =
                (struct span){dice_below(dice, 200) - 100,
                              1 + (enum span_unit)dice_below(dice, SPAN_WORKING_DAYS)};
        break;
    case FIELD_ENUM:
        while (f->names[names])
            names++;
        *(int *)member = (int)dice_below(dice, names);
        break;
    case FIELD_TEXT:
        text_draw(dice, f, member);
        break;
    case FIELD_RECORD:
        record_draw(dice, f->sub, member, arena);
        break;
    case FIELD_SLICE:
        wanted = dice_below(dice, 3);
        wanted += (f->flags & FIELD_REQUIRED) && wanted == 0;
        *slice = (struct slice){wanted ? arena_alloc(arena, (size_t)wanted * f->elem->size) : NULL,
                                (uint32_t)wanted};
        for (int64_t i = 0; i < wanted; i++)
            value_draw(dice, f->elem, (char *)slice->items + (size_t)i * f->elem->size, arena);
        break;
    case FIELD_TIME:
    case FIELD_BIN:
    case FIELD_BYTES:
    case FIELD_RAW:
    case FIELD_BLOB:
    case FIELD_LIST:
        fail_msg("%s: a policy had none of these", f->name);
    }
}

static void record_draw(struct dice *dice, const struct record *r, void *object,
                        struct arena *arena)
{
    record_clear(r, object);
    for (size_t i = 0; i < r->n; i++)
        value_draw(dice, &r->fields[i], (char *)object + r->fields[i].offset, arena);
}

static void test_round_trips(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct dice dice = {seed};
        struct arena *arena = arena_new(1 << 20);
        struct policy policy, back;
        struct buf packed = {0}, json = {0}, again = {0};
        struct problem problem = {0};
        struct problems problems = {0};
        record_draw(&dice, &policy_record, &policy, arena);

        record_encode(&policy_record, RECORD_WHOLE, &policy, &packed);
        if (!skim(buf_bytes(&packed), &problem) ||
            !record_decode(&policy_record, RECORD_WHOLE, DECODE_STRICT, buf_bytes(&packed), arena,
                           &back, &problem))
            fail_msg("seed %u: %s %s", (unsigned)seed, problem.code, problem.field);
        assert_true(record_equal(&policy_record, &policy, &back));
        record_encode(&policy_record, RECORD_WHOLE, &back, &again);
        assert_true(bytes_equal(buf_bytes(&packed), buf_bytes(&again)));

        record_print_json(&policy_record, RECORD_WHOLE, &policy, &json);
        if (!record_parse_json(&policy_record, RECORD_WHOLE, DECODE_STRICT, buf_text(&json),
                               json.len, arena, &back, &problem))
            fail_msg("seed %u: %s %s", (unsigned)seed, problem.code, problem.field);
        assert_true(record_equal(&policy_record, &policy, &back));
        /* JSON is YAML. */
        if (!record_parse_yaml(&policy_record, buf_text(&json), json.len, arena, &back, &problems))
            fail_msg("seed %u: %s %s %s", (unsigned)seed, problems.items[0].code,
                     problems.items[0].field, problems.items[0].args);
        assert_true(record_equal(&policy_record, &policy, &back));
        problems_release(&problems);
        buf_release(&packed);
        buf_release(&json);
        buf_release(&again);
        arena_destroy(&arena);
    }
}

/* What was published before lists, brief records and new sections is read as ever. */
static void test_published_long_ago(void **state)
{
    (void)state;
    static const char old[] =
        "{\"name\":\"a\",\"version\":\"b\",\"zone\":\"UTC\",\"kinds\":[{\"name\":\"repair\"}],"
        "\"sla\":[{\"id\":\"c\","
        "\"start\":\"ticket.assessed\",\"stop\":\"job.accepted\",\"limits\":[{\"limit\":\"2h\"}],"
        "\"levels\":[{\"at\":\"-1h\",\"to\":\"anybody\"}]}]}";
    struct arena *arena = arena_new(65536);
    struct buf packed = {0};
    struct problem problem = {0};
    struct policy policy;
    assert_true(raw_parse_json(old, strlen(old), &packed, &problem));
    if (!policy_decode(buf_bytes(&packed), arena, &policy, &problem))
        fail_msg("%s %s %s", problem.code, problem.field, problem.args);
    const struct policy_clause *clause = policy_clause(&policy, "c");
    assert_true(policy_event_is(&clause->start, "ticket.assessed") && clause->start.n == 1);
    assert_true(policy_event_is(&clause->stop, "job.accepted") && clause->stop.n == 1);
    assert_false(policy.retarget_open);
    buf_release(&packed);
    arena_destroy(&arena);
}

/* What is of no use is a mistake in a file, not in what is in force. */
static void test_in_force(void **state)
{
    (void)state;
    static const char text[] =
        "{\"name\":\"a\",\"version\":\"b\",\"zone\":\"UTC\",\"kinds\":[{\"name\":\"repair\"}],"
        "\"priorities\":[{\"priority\":\"urgent\",\"match\":{\"coverages\":[\"free\"]}}],"
        "\"pauses\":[{\"reason\":\"x\",\"budget\":\"1d\"}],\"sla\":[{\"id\":\"c\",\"start\":"
        "\"ticket.assessed\","
        "\"stop\":[\"job.accepted\",{\"type\":\"job.accepted\",\"when\":[{\"field\":\"site\"}]}],"
        "\"limits\":[{\"limit\":\"2h\"},{\"limit\":\"3h\"}],\"levels\":[{\"at\":\"-3h\"},{\"at\":"
        "\"-300min\"}]}]}";
    static const char *const never[][2] = {{"UTC", "Mars"},
                                           {"\"ticket.assessed\"", "\"ticket.guessed\""},
                                           {"\"ticket.assessed\"", "\"unit.sold\""},
                                           {"\"limit\":\"2h\"", "\"limit\":\"-2h\""},
                                           {"\"limit\":\"2h\"", "\"limit\":\"2wd\""},
                                           {"\"id\":\"c\"", "\"id\":\"c.d\""}};
    struct arena *arena = arena_new(65536);
    struct policy policy;
    struct problem problem = {0};
    struct problems problems = {0};
    struct buf packed = {0};
    assert_true(raw_parse_json(text, strlen(text), &packed, &problem));
    if (!policy_decode(buf_bytes(&packed), arena, &policy, &problem))
        fail_msg("%s %s %s", problem.code, problem.field, problem.args);
    assert_false(policy_parse(text, strlen(text), arena, &policy, &problems, NULL));
    assert_int_equal(problems.n, 6);
    problems_release(&problems);
    for (size_t i = 0; i < COUNT_OF(never); i++) {
        char wrong[1024];
        const char *at = strstr(text, never[i][0]);
        assert_non_null(at);
        text_format(wrong, sizeof wrong, "%.*s%s%s", (int)(at - text), text, never[i][1],
                    at + strlen(never[i][0]));
        buf_reset(&packed);
        assert_true(raw_parse_json(wrong, strlen(wrong), &packed, &problem));
        if (policy_decode(buf_bytes(&packed), arena, &policy, &problem))
            fail_msg("%s", never[i][1]);
    }
    buf_release(&packed);
    arena_destroy(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_round_trips),
                                       cmocka_unit_test(test_published_long_ago),
                                       cmocka_unit_test(test_in_force)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
