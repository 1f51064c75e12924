#include "base/digest.h"
#include "base/text.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* FIPS 180-2, appendix B */
static void known(void **state)
{
    (void)state;
    uint8_t out[DIGEST_BYTES];
    char hex[2 * DIGEST_BYTES + 1];
    digest_of(bytes_of_text("abc"), out);
    hex_print(out, sizeof out, hex);
    assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    digest_of(bytes_of(NULL, 0), out);
    hex_print(out, sizeof out, hex);
    assert_string_equal(hex, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    digest_of_two(bytes_of_text("abcdbcdecdefdefgefgh"), bytes_of_text("fghighijhijkijkljklmklmnlmnomnopnopq"), out);
    hex_print(out, sizeof out, hex);
    assert_string_equal(hex, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

static void random_differs(void **state)
{
    (void)state;
    uint8_t a[32], b[32];
    random_fill(a, sizeof a);
    random_fill(b, sizeof b);
    assert_memory_not_equal(a, b, sizeof a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(known), cmocka_unit_test(random_differs)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
