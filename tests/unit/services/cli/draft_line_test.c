/* A line of JSON as an event: what is refused, with which field. */
#include "services/cli/draft_line.h"
#include "base/text.h"
#include "record/pack.h"
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const struct {
    const char *line, *code, *field; /* code "": taken */
} lines[] = {
    {"{\"type\":\"ticket.noted\",\"key\":\"T-1\",\"at\":\"2026-06-01T10:00:00Z\",\"by\":\"me\",\"data\":{\"kind\":\"call\"}}", "", ""},
    {"{\"type\":\"ticket.noted\",\"data\":{\"text\":\"rang\"},\"pos\":7,\"cause\":3}", "", ""}, /* as `tail` prints it */
    {"{\"type\":\"customer.updated\",\"key\":\"C1\",\"data\":{},\"personal\":{\"name\":\"李\"}}", "", ""},
    {"{\"type\":\"ticket.noted\"}", "", ""},
    {"", "syntax", ""},
    {"{\"type\":\"ticket.noted\",\"type\":\"ticket.noted\"}", "syntax", ""},
    {"7", "syntax", ""},
    {"[]", "bad-type", ""},
    {"{\"type\":\"ticket.lost\"}", "unknown-type", "type"},
    {"{\"type\":\"ticket.noted\",\"v\":4294967297}", "unknown-type", "type"},
    {"{\"type\":\"ticket.noted\",\"kind\":\"call\"}", "unknown-field", "kind"},
    {"{\"type\":\"ticket.noted\",\"key\":\"T 1\"}", "bad-key", "key"},
    {"{\"type\":\"ticket.noted\",\"at\":\"yesterday\"}", "bad-time", "at"},
    {"{\"type\":\"ticket.noted\",\"data\":5}", "bad-type", ""},
    {"{\"type\":\"ticket.noted\",\"data\":{\"kind\":5}}", "bad-type", "kind"},
    {"{\"type\":\"ticket.noted\",\"data\":{},\"personal\":\"rang\"}", "bad-type", ""},
};

static void test_lines(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(lines); i++) {
        struct arena *arena = arena_new(4096);
        struct buf drafts = {0};
        struct problem problem = {0};
        bool taken = draft_line_parse(lines[i].line, strlen(lines[i].line), arena, &drafts, &problem);
        assert_int_equal(taken, lines[i].code[0] == '\0');
        if (taken) {
            assert_true(skim(buf_bytes(&drafts), &problem));
        } else {
            assert_int_equal(drafts.len, 0);
            if (!text_equal(problem.code, lines[i].code) || !text_equal(problem.field, lines[i].field))
                fail_msg("%s: %s %s", lines[i].line, problem.code, problem.field);
        }
        buf_release(&drafts);
        arena_destroy(&arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_lines)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
