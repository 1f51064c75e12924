#include "base/file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[] = "/tmp/aftercare-file-XXXXXX";
static char path[80];

static int folder_open(void **state)
{
    (void)state;
    if (mkdtemp(folder) == NULL)
        return -1;
    snprintf(path, sizeof(path), "%s/kept", folder);
    return 0;
}

static int folder_close(void **state)
{
    char command[120];
    (void)state;
    snprintf(command, sizeof(command), "rm -r %s", folder);
    return system(command);
}

static void test_replaced_as_a_whole(void **state)
{
    static const char *const contents[] = {"first", "", "a longer one than the first"};
    struct stat status;
    struct buf content = {0};
    (void)state;
    assert_int_equal(file_load(path, 100, &content), STATUS_ABSENT);
    for (size_t i = 0; i < COUNT_OF(contents); i++) {
        assert_true(file_replace(path, bytes_of_text(contents[i])));
        buf_reset(&content);
        assert_int_equal(file_load(path, 100, &content), STATUS_OK);
        assert_string_equal(buf_text(&content), contents[i]);
        assert_int_equal(stat(path, &status), 0);
        assert_int_equal(status.st_mode & 0777, 0600);
    }
    buf_release(&content);
}

static void test_what_cannot_be(void **state)
{
    struct buf content = {0};
    char far[2000], inside[120];
    (void)state;
    assert_true(file_replace(path, bytes_of_text("ten bytes.")));
    assert_int_equal(file_load(path, 10, &content), STATUS_OK);
    assert_int_equal(file_load(path, 9, &content), STATUS_REFUSED);
    assert_int_equal(file_load(folder, 100, &content), STATUS_REFUSED);
    snprintf(inside, sizeof(inside), "%s/none/kept", folder);
    assert_false(file_replace(inside, bytes_of_text("x")));
    assert_false(file_replace(folder, bytes_of_text("x")));
    memset(far, 'x', sizeof(far) - 1);
    far[sizeof(far) - 1] = '\0';
    assert_false(file_replace(far, bytes_of_text("x")));
    assert_int_equal(file_lock(far), -1);
    buf_release(&content);
}

static void test_a_lock_is_one_s(void **state)
{
    (void)state;
    int mine = file_lock(path);
    assert_true(mine >= 0);
    assert_int_equal(file_lock(path), -1);
    close(mine);
    mine = file_lock(path);
    assert_true(mine >= 0);
    close(mine);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_replaced_as_a_whole),
        cmocka_unit_test(test_what_cannot_be),
        cmocka_unit_test(test_a_lock_is_one_s),
    };
    return cmocka_run_group_tests(tests, folder_open, folder_close);
}
