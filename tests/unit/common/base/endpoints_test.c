#include "base/endpoints.h"
#include "base/text.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void lists(void **state)
{
    static const struct {
        const char *list;
        size_t n;
        const char *first, *second;
    } rows[] = {
        {"", 0, "", ""},
        {"  , ", 0, "", ""},
        {"tcp://a:1", 1, "tcp://a:1", ""},
        {"tcp://a:1,tcp://b:2", 2, "tcp://a:1", "tcp://b:2"},
        {" tcp://a:1 ,\n\ttcp://b:2 , ", 2, "tcp://a:1", "tcp://b:2"},
        {"ipc:///run/x y", 2, "ipc:///run/x", "y"},
    };
    char out[ENDPOINT_CAP];
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(endpoints_count(rows[i].list), rows[i].n);
        endpoints_at(rows[i].list, 0, out);
        assert_string_equal(out, rows[i].first);
        endpoints_at(rows[i].list, 1, out);
        assert_string_equal(out, rows[i].second);
        endpoints_at(rows[i].list, 7, out);
        assert_string_equal(out, "");
    }
}

/* One too long to be one is none, and does not hide the next. */
static void bound(void **state)
{
    char list[2 * ENDPOINT_CAP], out[ENDPOINT_CAP];
    (void)state;
    memset(list, 'x', ENDPOINT_CAP - 1);
    list[ENDPOINT_CAP - 1] = '\0';
    endpoints_at(list, 0, out);
    assert_string_equal(out, list);
    memset(list, 'x', ENDPOINT_CAP);
    memcpy(list + ENDPOINT_CAP, ",b", 3);
    endpoints_at(list, 0, out);
    assert_string_equal(out, "");
    endpoints_at(list, 1, out);
    assert_string_equal(out, "b");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(lists), cmocka_unit_test(bound)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
