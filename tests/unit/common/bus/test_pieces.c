/* Pieces over lines of any width: none takes longer than the other end's patience, and a wide line has large ones. */
#include "bus/pieces.h"

#include "base/instant.h"
#include "bus/verbs.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static const struct {
    const char *name;
    int64_t bytes_a_second, trip_us;
    size_t most, least; /* of the pieces, once it is known what the line bears */
    int64_t worst_us;
} lines[] = {
    {"a cable", 10000000, 1000, PART_BYTES_MAX, PART_BYTES_MAX, SECOND_US},
    {"a cable around the world", 10000000, 300000, PART_BYTES_MAX, PART_BYTES_MAX, SECOND_US},
    {"512 kbit/s", 64000, 50000, PART_BYTES_MAX, 32 * 1024, 3 * SECOND_US},
    {"64 kbit/s", 8000, 200000, 16 * 1024, PART_BYTES_LEAST, 4 * SECOND_US},
    {"9.6 kbit/s", 1200, 500000, 8 * 1024, PART_BYTES_LEAST, 8 * SECOND_US},
};

static void pieces_are_what_the_line_bears(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        struct pieces pieces = pieces_start();
        pieces_asked(&pieces, lines[i].trip_us);
        for (int n = 0; n < 100; n++) {
            int64_t took_us = lines[i].trip_us + (int64_t)pieces.bytes * SECOND_US / lines[i].bytes_a_second;
            assert_true(took_us <= lines[i].worst_us);
            if (n >= 10 && (pieces.bytes > lines[i].most || pieces.bytes < lines[i].least))
                fail_msg("%s: piece %d has %zu bytes", lines[i].name, n, pieces.bytes);
            pieces_sent(&pieces, pieces.bytes, took_us);
        }
    }
}

/* It becomes narrow under large pieces: after a break it goes on with small ones, and grows again. */
static void a_break_makes_them_small(void **state)
{
    struct pieces pieces = pieces_start();
    (void)state;
    for (int n = 0; n < 10; n++)
        pieces_sent(&pieces, pieces.bytes, 0);
    assert_int_equal(pieces.bytes, PART_BYTES_MAX);
    pieces_broken(&pieces, pieces.bytes);
    assert_int_equal(pieces.bytes, PART_BYTES_MAX / 4);
    for (int n = 0; n < 10; n++)
        pieces_broken(&pieces, pieces.bytes);
    assert_int_equal(pieces.bytes, PART_BYTES_LEAST);
    pieces_sent(&pieces, pieces.bytes, 0);
    assert_int_equal(pieces.bytes, 2 * PART_BYTES_LEAST);
}

/* What was late tells how much fits into a second. */
static void one_that_was_late_is_measured_by_its_own_length(void **state)
{
    struct pieces pieces = {.bytes = PART_BYTES_MAX};
    (void)state;
    pieces_sent(&pieces, 100 * 1024, 10 * SECOND_US);
    assert_int_equal(pieces.bytes, 10 * 1024);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_are_what_the_line_bears),
        cmocka_unit_test(a_break_makes_them_small),
        cmocka_unit_test(one_that_was_late_is_measured_by_its_own_length),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
