/* Any text as a settings file: problems, or settings that can be printed and read again as the same. */
#include "fuzz.h"
#include "seeds.h"
#include "settings/settings.h"
#include <assert.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

/* Read from where files are read: a path. */
static int file_of(const void *data, size_t n, char path[32])
{
    int fd = memfd_create("settings", MFD_CLOEXEC);
    ssize_t written = fd >= 0 ? write(fd, data, n) : -1;
    assert(written == (ssize_t)n);
    (void)snprintf(path, 32, "/proc/self/fd/%d", fd);
    return fd;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct problems problems = {0};
    struct settings settings, again;
    struct buf printed = {0};
    char path[32];
    int fd = file_of(data, n, path);
    bool taken = settings_read(&settings, "/tmp", path, &problems);
    assert(taken == (problems.n == 0));
    (void)close(fd);
    if (taken) {
        settings_print(&settings, &printed);
        fd = file_of(printed.data, printed.len, path);
        taken = settings_read(&again, "/tmp", path, &problems);
        assert(taken && record_equal(&settings_record, &settings, &again));
        (void)close(fd);
    }
    buf_release(&printed);
    problems_release(&problems);
    return 0;
}

bool fuzz_seed(unsigned i, struct buf *out)
{
    struct settings settings;
    settings_defaults(&settings, "/tmp");
    if (i == 0)
        settings_print(&settings, out);
    else
        buf_append_text(out, i == 1 ? "{data: /tmp, sockets: /run/x, log: json}\n"
                                    : "cmd: tcp://10.0.0.1:7401\nintake: {cmd: 'tcp://*:7401', batch_events: 10, dsn: \"host='a b'\"}\n");
    return i < 2;
}
