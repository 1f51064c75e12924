#include "base/text.h"
#include "common/record/sample.h"
#include "record/record.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct arena *arena;
static struct problems problems;

static int setup(void **state)
{
    (void)state;
    arena = arena_new(4096);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_destroy(&arena);
    problems_release(&problems);
    return 0;
}

static bool parse(const char *text, struct sample *out)
{
    problems_release(&problems);
    return record_parse_yaml(&sample_record, text, strlen(text), arena, out, &problems);
}

static void every_kind(void **state)
{
    (void)state;
    const char *yaml = "# a comment\n"
                       "key: k1\n"
                       "flag: true\n"
                       "on: false\n"
                       "n: -5\n"
                       "big: 9223372036854775807\n"
                       "tier: 3\n"
                       "at: 2011-07-01T13:32:33+08:00\n"
                       "limit: 3wd\n"
                       "grade: high\n"
                       "hash: AQIDBAUGBwg=\n"
                       "file: YWI=\n"
                       "any: {a: [1, two, null, \"3\"]}\n"
                       "who:\n"
                       "  id: c1\n"
                       "  phone: \"123\"\n"
                       "  name: 王\n"
                       "parts:\n"
                       "  - part: p1\n"
                       "    quantity: 2\n"
                       "  - {part: p2, old_kept: true}\n"
                       "words: one\n"
                       "days: [1, 7]\n"
                       "lines:\n"
                       "  - text: 12\n"
                       "    codes: 5\n"
                       "  - codes: []\n"
                       "remark: |\n"
                       "  two\n"
                       "  lines\n"
                       "former:\n";
    struct sample s;
    if (!parse(yaml, &s))
        fail_msg("%s %s %s", problems.items[0].code, problems.items[0].field, problems.items[0].args);
    struct buf json = {0};
    record_print_json(&sample_record, RECORD_WHOLE, &s, &json);
    assert_string_equal(
        buf_text(&json),
        "{\"key\":\"k1\",\"flag\":true,\"on\":false,\"n\":-5,\"big\":9223372036854775807,\"tier\":3,"
        "\"at\":\"2011-07-01T05:32:33Z\",\"limit\":\"3wd\",\"grade\":\"high\",\"hash\":\"AQIDBAUGBwg=\",\"file\":\"YWI=\","
        "\"any\":{\"a\":[1,\"two\",null,\"3\"]},\"who\":{\"id\":\"c1\",\"name\":\"王\",\"phone\":\"123\"},"
        "\"parts\":[{\"part\":\"p1\",\"quantity\":2},{\"part\":\"p2\",\"old_kept\":true}],\"words\":[\"one\"],"
        "\"days\":[1,7],\"lines\":[{\"text\":\"12\",\"codes\":[5]},{}],\"remark\":\"two\\nlines\\n\"}");
    buf_release(&json);
}

struct want {
    const char *code, *field, *args;
    unsigned line, column;
};

/* All that is wrong, in one reading, each at its place. */
static void every_error(void **state)
{
    (void)state;
    const char *yaml = "flag: yes\n"                 /* 1 */
                       "n: 1000001\n"                /* 2 */
                       "big: 1.5\n"                  /* 3 */
                       "tier: x\n"                   /* 4 */
                       "at: 2011-07-01\n"            /* 5 */
                       "limit: 3 days\n"             /* 6 */
                       "grade: highest\n"            /* 7 */
                       "who: {id: a b, name: [x]}\n" /* 8 */
                       "parts:\n"                    /* 9 */
                       "  - part: p\n"               /* 10 */
                       "    quantty: 1\n"            /* 11 */
                       "  - quantity: 100\n"         /* 12 */
                       "words: [a, b, c, 0123456789ab]\n"
                       "n: 2\n"
                       "days: {a: 1}\n"
                       "nothing_like_it: 1\n";
    static const struct want wants[] = {
        {"bad-type", "flag", "true or false", 1, 7},
        {"range", "n", "-5 to 1000000", 2, 4},
        {"bad-type", "big", "an integer", 3, 6},
        {"bad-type", "tier", "an integer", 4, 7},
        {"bad-time", "at", "a time as in 2026-11-22T08:00:00Z", 5, 5},
        {"bad-span", "limit", NULL, 6, 8},
        {"bad-value", "grade", "one of none, low, high", 7, 8},
        {"bad-key", "who.id", "a b", 8, 11},
        {"bad-type", "who.name", "a text", 8, 22},
        {"missing", "who.phone", "", 8, 6},
        {"unknown-field", "parts[0].quantty", "quantity", 11, 5},
        {"range", "parts[1].quantity", "0 to 99", 12, 15},
        {"missing", "parts[1].part", "", 12, 5},
        {"too-many", "words", "3", 13, 8},
        {"duplicate-key", "n", "", 14, 1},
        {"bad-type", "days", "a list", 15, 7},
        {"unknown-field", "nothing_like_it", "", 16, 1},
        {"missing", "key", "", 1, 1},
    };
    struct sample s;
    assert_false(parse(yaml, &s));
    for (size_t i = 0; i < COUNT_OF(wants) && i < problems.n; i++) {
        const struct problem *p = &problems.items[i];
        const struct want *w = &wants[i];
        if (!text_equal(p->code, w->code) || !text_equal(p->field, w->field) || p->line != w->line ||
            p->column != w->column || (w->args && !text_equal(p->args, w->args)))
            fail_msg("%zu: %s | %s | %s at %u:%u", i, p->code, p->field, p->args, p->line, p->column);
    }
    assert_int_equal(problems.n, COUNT_OF(wants));
}

static const struct {
    const char *name, *yaml, *code;
} refusals[] = {
    {"empty", "", "malformed"},
    {"a list", "- a\n", "bad-type"},
    {"no YAML", "key: [\n", "syntax"},
    {"tab", "key:\n\t- a\n", "syntax"},
    {"two documents", "key: k\ntier: 1\n---\nkey: k\n", "syntax"},
    {"trailing rubbish", "key: k\ntier: 1\n...\n]\n", "syntax"},
    {"U+0000", "key: \"a\\0b\"\ntier: 1\n", "not-utf8"},
    {"bad UTF-8", "key: \xff\ntier: 1\n", "syntax"},
    {"key is a list", "[a]: 1\nkey: k\ntier: 1\n", "bad-type"},
    {"null element", "key: k\ntier: 1\ndays: [~]\n", "bad-type"},
    {"quoted null", "key: k\ntier: 1\nn: \"null\"\n", "bad-type"},
    {"unknown anchor", "key: *a\ntier: 1\n", "syntax"},
    {"its own tail", "key: k\ntier: 1\nany: &a [*a]\n", "malformed"},
    {"no bytes", "key: k\ntier: 1\nfile: \"a\"\n", "bad-type"},
    {"given twice in raw", "key: k\ntier: 1\nany: {a: 1, a: 2}\n", "duplicate-key"},
};

static void each_refusal(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(refusals); i++) {
        struct sample s;
        if (parse(refusals[i].yaml, &s))
            fail_msg("%s: taken", refusals[i].name);
        if (!text_equal(problems.items[0].code, refusals[i].code) || problems.n != 1)
            fail_msg("%s: %s %s (%zu)", refusals[i].name, problems.items[0].code, problems.items[0].field, problems.n);
        assert_true(problems.items[0].line > 0);
    }
}

static void aliases(void **state)
{
    (void)state;
    struct sample s;
    assert_true(parse("key: &k k1\ntier: 1\nwho: {id: *k, phone: *k}\nwords: [*k, *k]\n", &s));
    assert_string_equal(s.words[1], "k1");
    /* Ten to the ninth "lol": refused in bounded time and memory. */
    struct buf bomb = {0};
    buf_append_text(&bomb, "key: k\ntier: 1\nany:\n- &l0 [x,x,x,x,x,x,x,x,x,x]\n");
    for (int i = 1; i < 9; i++)
        buf_append_format(&bomb, "- &l%d [*l%d,*l%d,*l%d,*l%d,*l%d,*l%d,*l%d,*l%d,*l%d,*l%d]\n", i, i - 1, i - 1, i - 1,
                          i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1);
    assert_false(parse(buf_text(&bomb), &s));
    buf_release(&bomb);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_kind), cmocka_unit_test(every_error),
                                       cmocka_unit_test(each_refusal), cmocka_unit_test(aliases)};
    return cmocka_run_group_tests(tests, setup, teardown);
}
