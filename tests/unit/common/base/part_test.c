/* A file that comes in pieces: cut, gone on with, not true, somebody else's. */
#include "base/part.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[] = "/tmp/aftercare-part-XXXXXX";
static char path[80], beside[90];
static uint8_t sha256[DIGEST_BYTES];

static int folder_open(void **state)
{
    (void)state;
    if (mkdtemp(folder) == NULL)
        return -1;
    snprintf(path, sizeof(path), "%s/out", folder);
    snprintf(beside, sizeof(beside), "%s.part", path);
    digest_of(bytes_of_text("one two three"), sha256);
    return 0;
}

static int folder_close(void **state)
{
    char command[120];
    (void)state;
    snprintf(command, sizeof(command), "rm -r %s", folder);
    return system(command);
}

static bool is_there(const char *name)
{
    return access(name, F_OK) == 0;
}

static void test_gone_on_with(void **state)
{
    struct part part, other;
    struct buf found = {0};
    struct stat status;
    (void)state;
    assert_int_equal(part_open(&part, path), STATUS_OK);
    assert_int_equal(part.bytes, 0);
    assert_int_equal(part_open(&other, path), STATUS_AGAIN);
    part_close(&other);
    assert_true(is_there(beside)); /* it was not his to take away */
    assert_true(part_add(&part, bytes_of_text("one ")));
    part_close(&part);
    assert_true(is_there(beside) && !is_there(path));
    assert_int_equal(part_open(&part, path), STATUS_OK);
    assert_int_equal(part.bytes, 4);
    assert_true(part_add(&part, bytes_of_text("two ")) && part_add(&part, bytes_of_text("three")));
    assert_true(part_is_true(&part, sha256) && part_end(&part));
    part_close(&part);
    assert_false(is_there(beside));
    assert_int_equal(file_load(path, 100, &found), STATUS_OK);
    assert_string_equal(buf_text(&found), "one two three");
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
    assert_int_equal(unlink(path), 0);
    buf_release(&found);
}

static void test_what_is_not_true_goes(void **state)
{
    struct part part;
    (void)state;
    assert_int_equal(part_open(&part, path), STATUS_OK);
    assert_true(part_add(&part, bytes_of_text("one two thre3")));
    assert_false(part_is_true(&part, sha256));
    part_close(&part);
    assert_false(is_there(beside) || is_there(path));
}

static void test_nothing_leaves_nothing(void **state)
{
    struct part part;
    char nowhere[120], long_one[FILE_PATH_CAP];
    (void)state;
    assert_int_equal(part_open(&part, path), STATUS_OK);
    part_close(&part);
    assert_false(is_there(beside));
    digest_of(bytes_of(NULL, 0), sha256);
    assert_int_equal(part_open(&part, path), STATUS_OK);
    assert_true(part_is_true(&part, sha256) && part_end(&part)); /* a file of no bytes is one */
    part_close(&part);
    assert_true(is_there(path));
    snprintf(nowhere, sizeof(nowhere), "%s/no/out", folder);
    assert_int_equal(part_open(&part, nowhere), STATUS_REFUSED);
    part_close(&part);
    memset(long_one, 'x', sizeof(long_one) - 1);
    long_one[sizeof(long_one) - 1] = '\0';
    assert_int_equal(part_open(&part, long_one), STATUS_REFUSED);
    part_close(&part);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_gone_on_with),
        cmocka_unit_test(test_what_is_not_true_goes),
        cmocka_unit_test(test_nothing_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, folder_open, folder_close);
}
