#include "base/arena.h"
#include <stdint.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void zeroed_and_aligned(void **state)
{
    (void)state;
    struct arena *a = arena_new(1024);
    for (int round = 0; round < 3; round++) {
        for (size_t n = 0; n < 3000; n += 7) {
            uint8_t *p = arena_alloc(a, n);
            assert_int_equal((uintptr_t)p % sizeof(long double), 0);
            for (size_t i = 0; i < n; i++)
                assert_int_equal(p[i], 0);
            memset(p, 0xee, n);
        }
        assert_true(arena_used(a) >= 600000);
        arena_reset(a);
        assert_int_equal(arena_used(a), 0);
    }
    arena_destroy(&a);
    assert_null(a);
    arena_destroy(&a);
}

/* Something bigger than a block must not overwrite, or end, the block in use. */
static void big_between_small(void **state)
{
    (void)state;
    struct arena *a = arena_new(64);
    char *first = arena_text(a, "first");
    char *big = arena_alloc(a, 1000);
    char *second = arena_text(a, "second");
    memset(big, 'x', 1000);
    assert_string_equal(first, "first");
    assert_string_equal(second, "second");
    arena_destroy(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(zeroed_and_aligned), cmocka_unit_test(big_between_small)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
