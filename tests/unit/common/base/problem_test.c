#include "base/problem.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void printed(const struct problem *p, bool chinese, const char *want)
{
    struct buf out = {0};
    problem_print(p, chinese, &out);
    assert_string_equal(buf_text(&out), want);
    buf_release(&out);
}

static void two_languages(void **state)
{
    (void)state;
    struct problem p;
    assert_false(problem_set(&p, "missing", "customer.phone", "%s", ""));
    printed(&p, false, "customer.phone is missing");
    printed(&p, true, "缺少 customer.phone");
    problem_set(&p, "too-long", "subject", "%d", 200);
    printed(&p, false, "subject is too long: at most 200 bytes");
    printed(&p, true, "subject 过长：最多 200 字节");
    problem_set(&p, "unknown-field", "tire", "%s", "tier");
    p.line = 3, p.column = 5;
    printed(&p, false, "line 3, column 5: tire is not a known field; did you mean tier?");
    printed(&p, true, "第 3 行第 5 列：没有 tire 这个字段，是否为 tier？");
    problem_set(&p, "malformed", "", "%s", "");
    printed(&p, false, "the content is malformed");
    printed(&p, true, "内容 格式错误");
    problem_set(&p, "moon.full", "a.b", "%s", "why");
    printed(&p, false, "moon.full a.b: why");
    printed(&p, true, "moon.full a.b：why");
}

/* What comes from a peer is cut at a character, never behind the room there is. */
static void bounded(void **state)
{
    (void)state;
    struct problem p;
    char text[1000] = "";
    for (int i = 0; i < 300; i++)
        strcat(text, "工");
    problem_set(&p, text, text, "%s", text);
    assert_int_equal(strlen(p.code), 39);
    assert_int_equal(strlen(p.field), 117);
    assert_int_equal(strlen(p.args), 159);
}

static void many(void **state)
{
    (void)state;
    struct problems all = {0};
    struct problem p;
    for (int i = 0; i < PROBLEMS_MAX + 50; i++) {
        problem_set(&p, "missing", "f", "%d", i);
        problems_add(&all, &p);
    }
    assert_int_equal(all.n, PROBLEMS_MAX + 50);
    assert_string_equal(all.items[PROBLEMS_MAX - 1].args, "99");
    problems_release(&all);
    assert_int_equal(all.n, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(two_languages), cmocka_unit_test(bounded), cmocka_unit_test(many)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
