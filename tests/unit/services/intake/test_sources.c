/* HELLO: who may begin a session, and where. */
#include "sources.h"
#include "base/text.h"
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const struct {
    const char *name;
    int64_t last; /* answered so far */
    bool enrolled, frozen, worker;
    uint8_t known, said; /* incarnations */
    int64_t hello_first, hello_last;
    int64_t proto_low, proto_high;
    const char *stream;
    const char *want; /* "" let in */
} cases[] = {
    {"a new source", 0, false, false, false, 0, 1, 1, 0, 1, 1, "s", ""},
    {"goes on", 10, true, false, false, 1, 1, 11, 12, 1, 1, "s", ""},
    {"wants its answers again", 10, true, false, false, 1, 1, 1, 10, 1, 1, "s", ""},
    {"another spool", 10, true, false, false, 1, 2, 11, 12, 1, 1, "s", "incarnation"},
    {"first incarnation is taken as it comes", 0, false, false, false, 0, 9, 1, 5, 1, 1, "s", ""},
    {"behind", 10, true, false, false, 1, 1, 9, 9, 1, 1, "s", "behind"},
    {"just not behind", 10, true, false, false, 1, 1, 10, 10, 1, 1, "s", ""},
    {"gap", 10, true, false, false, 1, 1, 12, 20, 1, 1, "s", "gap"},
    {"just no gap", 10, true, false, false, 1, 1, 11, 20, 1, 1, "s", ""},
    {"frozen", 10, true, true, false, 1, 1, 11, 12, 1, 1, "s", "frozen"},
    {"a worker is let in with any incarnation", 10, true, false, true, 1, 2, -1, -1, 1, 1, "s", ""},
    {"a frozen worker is not", 10, true, true, true, 1, 2, -1, -1, 1, 1, "s", "frozen"},
    {"an older protocol", 0, false, false, false, 0, 1, 1, 0, 0, 0, "s", "proto"},
    {"a newer protocol", 0, false, false, false, 0, 1, 1, 0, 2, 3, "s", "proto"},
    {"speaks ours too", 0, false, false, false, 0, 1, 1, 0, 1, 3, "s", ""},
    {"another stream", 0, false, false, false, 0, 1, 1, 0, 1, 1, "t", "stream"},
};

static void test_judge(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct source_row known = {.last = cases[i].last, .enrolled = cases[i].enrolled, .frozen = cases[i].frozen};
        struct verb_hello hello = {.proto = {cases[i].proto_low, cases[i].proto_high}, .proto_n = 2,
                                   .first = cases[i].hello_first, .last = cases[i].hello_last};
        struct verb_denied denied = {.code = ""};
        memset(known.incarnation, cases[i].known, sizeof(known.incarnation));
        memset(hello.incarnation, cases[i].said, sizeof(hello.incarnation));
        text_copy(hello.stream, sizeof(hello.stream), cases[i].stream);
        bool in = source_judge(&known, &hello, "s", cases[i].worker, &denied);
        if (in != (cases[i].want[0] == '\0') || !text_equal(denied.code, cases[i].want))
            fail_msg("%s: %s instead of \"%s\"", cases[i].name, denied.code, cases[i].want);
    }
}

static void test_principal_of_a_name(void **state)
{
    static const struct {
        const char *source, *want; /* NULL: not a name */
    } names[] = {{"gd01", "gd01"}, {"operator/ab/cd", "operator"}, {"", NULL}, {"/x", NULL}, {"a/", NULL}, {"a b", NULL}};
    char principal[64];
    (void)state;
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        bool is = source_principal(names[i].source, principal, sizeof(principal));
        assert_int_equal(is, names[i].want != NULL);
        if (is)
            assert_string_equal(principal, names[i].want);
    }
}

static void test_place(void **state)
{
    struct source_row source = {.last = 10};
    (void)state;
    assert_int_equal(source_place(&source, 11), PLACE_NEXT);
    assert_int_equal(source_place(&source, 10), PLACE_BEFORE);
    assert_int_equal(source_place(&source, 1), PLACE_BEFORE);
    assert_int_equal(source_place(&source, 12), PLACE_GAP);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_judge),
        cmocka_unit_test(test_principal_of_a_name),
        cmocka_unit_test(test_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
