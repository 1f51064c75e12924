/* Any text as a key file: a problem, or a key that is saved and loaded as the same. */
#include "bus/key.h"
#include "fuzz.h"
#include "seeds.h"
#include <assert.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static bool load(const void *data, size_t n, struct bus_key *key, struct problem *problem)
{
    char path[32];
    int fd = memfd_create("key", MFD_CLOEXEC);
    ssize_t written = fd >= 0 ? write(fd, data, n) : -1;
    assert(written == (ssize_t)n && fchmod(fd, 0600) == 0);
    (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    bool taken = bus_key_load(path, key, problem);
    (void)close(fd);
    return taken;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct bus_key key, again;
    struct problem problem = {0};
    struct buf printed = {0};
    uint8_t bytes[BUS_KEY_BYTES];
    if (!load(data, n, &key, &problem)) {
        assert(problem.code[0] != '\0');
        return 0;
    }
    assert(key.secret_key[0] == '\0' || bus_key_parse(key.public_key, bytes));
    record_print_json(&bus_key_record, RECORD_WHOLE, &key, &printed);
    bool taken = load(printed.data, printed.len, &again, &problem);
    assert(taken && record_equal(&bus_key_record, &key, &again));
    buf_release(&printed);
    return 0;
}

bool fuzz_seed(unsigned i, struct buf *out)
{
    struct bus_key key;
    record_clear(&bus_key_record, &key);
    (void)snprintf(key.aftercare, sizeof(key.aftercare), "key");
    key.version = 1;
    (void)snprintf(key.principal, sizeof(key.principal), "branch-gz");
    (void)snprintf(key.kind, sizeof(key.kind), "branch");
    /* A pair, the same each time. */
    (void)snprintf(key.public_key, sizeof(key.public_key), "%s", "*K#xtF2R5EVDDlZp{}2CQLW<H+Qzvs)3J[HDNv+Z");
    (void)snprintf(key.secret_key, sizeof(key.secret_key), "%s", "{Sa^54jDVx.)Hg1F2dPhmt!PoE]4HbzMW)0wG(wC");
    if (i > 0) {
        (void)snprintf(key.stream, sizeof(key.stream), "house-0badcafe");
        (void)snprintf(key.server_key, sizeof(key.server_key), "%s", key.public_key);
        (void)snprintf(key.endpoints.cmd[key.endpoints.cmd_n++], 160, "tcp://hq.example:7401");
    }
    record_print_json(&bus_key_record, RECORD_WHOLE, &key, out);
    return i < 1;
}
