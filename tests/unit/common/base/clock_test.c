#include "base/clock.h"
#include "base/instant.h"
#include <fcntl.h>
#include <inttypes.h>
#include <time.h>
#include <unistd.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static int fd;

static void offsets_write(const char *text)
{
    char line[64];
    snprintf(line, sizeof line, "%-60s\n", text);
    assert_int_equal(pwrite(fd, line, strlen(line), 0), strlen(line));
}

static int64_t machine_us(clockid_t id)
{
    struct timespec t;
    clock_gettime(id, &t);
    return (int64_t)t.tv_sec * SECOND_US + t.tv_nsec / 1000;
}

/* The offset that shows, to within what passes between two readings on a busy machine. */
static void shows(int64_t wall_us, int64_t boot_us)
{
    int64_t before = machine_us(CLOCK_REALTIME), now = clock_wall_us(), after = machine_us(CLOCK_REALTIME);
    assert_true(now >= before + wall_us && now <= after + wall_us);
    before = machine_us(CLOCK_BOOTTIME), now = clock_boot_us(), after = machine_us(CLOCK_BOOTTIME);
    assert_true(now >= before + boot_us && now <= after + boot_us);
}

static void moved(void **state)
{
    (void)state;
    char path[] = "/tmp/aftercare-clock-XXXXXX";
    fd = mkstemp(path);
    assert_true(fd >= 0);
    offsets_write("0 0");
    setenv("AFTERCARE_CLOCK_FILE", path, 1);
    shows(0, 0);
    offsets_write("3600000000 0");
    shows(HOUR_US, 0);
    offsets_write("-86400000000 5000000");
    shows(-DAY_US, 5 * SECOND_US);
    offsets_write("nonsense");
    shows(-DAY_US, 5 * SECOND_US);
    offsets_write("1 2");
    shows(1, 2);
    close(fd);
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(moved)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
