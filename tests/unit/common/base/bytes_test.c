#include "base/bytes.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void grows(void **state)
{
    (void)state;
    struct buf b = {0};
    assert_string_equal(buf_text(&b), "");
    for (int i = 0; i < 1000; i++)
        buf_append_format(&b, "%d,", i);
    assert_int_equal(b.len, 3890);
    assert_int_equal(strlen(buf_text(&b)), 3890);
    assert_memory_equal(b.data + 3890 - 8, "998,999,", 8);
    uint8_t *before = b.data;
    buf_reset(&b);
    assert_int_equal(b.len, 0);
    buf_append_text(&b, "again");
    assert_ptr_equal(b.data, before);
    assert_true(bytes_equal(buf_bytes(&b), bytes_of_text("again")));
    buf_release(&b);
    assert_null(b.data);
    buf_release(&b);
}

static void equality(void **state)
{
    (void)state;
    assert_true(bytes_equal(bytes_of(NULL, 0), bytes_of("", 0)));
    assert_false(bytes_equal(bytes_of("a", 1), bytes_of("ab", 2)));
    assert_false(bytes_equal(bytes_of("a", 1), bytes_of("b", 1)));
    char *copy = memory_text("text");
    assert_string_equal(copy, "text");
    free(copy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(grows), cmocka_unit_test(equality)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
