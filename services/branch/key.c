#include "key.h"
#include "base/text.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_BYTES_MAX 8192

static const struct field endpoint_elem = ELEM_TEXT(128);
static const struct field key_endpoints_fields[] = {
    F_LIST(key_endpoints, cmd, 0, &endpoint_elem, "where events are taken"),
    F_LIST(key_endpoints, feed, 0, &endpoint_elem, "where they are read"),
    F_LIST(key_endpoints, live, 0, &endpoint_elem, "workers"),
};
static const struct record key_endpoints_record = RECORD(key_endpoints, key_endpoints_fields, "where the centre is reached");
static const struct field key_fields[] = {
    F_TEXT(key, aftercare, FIELD_REQUIRED, "key"),
    F_INT(key, version, FIELD_REQUIRED, "1"),
    F_TEXT(key, stream, FIELD_REQUIRED, "the stream's id"),
    F_TEXT(key, principal, FIELD_REQUIRED | FIELD_KEYLIKE, "who it is"),
    F_TEXT(key, kind, 0, "kind of principal"),
    F_TEXT(key, public_key, 0, "CURVE, Z85"),
    F_TEXT(key, secret_key, 0, "CURVE, Z85"),
    F_TEXT(key, server_key, 0, "the centre's public key, Z85"),
    F_RECORD(key, endpoints, 0, &key_endpoints_record, "where the centre is reached"),
};
static const struct record key_record = RECORD(key, key_fields, "a key file");

static bool fail(char *error, size_t error_cap, const char *path, const char *why)
{
    (void)snprintf(error, error_cap, "%s: %s", path, why);
    return false;
}

bool key_read(const char *path, struct key *key, char *error, size_t error_cap)
{
    char text[FILE_BYTES_MAX];
    struct problem problem;
    struct stat about;
    struct buf words = {0};
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return fail(error, error_cap, path, strerror(errno));
    bool alone = fstat(fd, &about) == 0 && (about.st_mode & 077) == 0;
    ssize_t n = read(fd, text, sizeof(text));
    close(fd);
    if (!alone)
        return fail(error, error_cap, path, "others may read it: chmod 600");
    if (n < 0 || n == (ssize_t)sizeof(text))
        return fail(error, error_cap, path, "cannot be read, or is too long");
    if (!record_parse_json(&key_record, RECORD_WHOLE, DECODE_LENIENT, text, (size_t)n, NULL, key, &problem)) {
        problem_print(&problem, false, &words);
        (void)fail(error, error_cap, path, buf_text(&words));
        buf_release(&words);
        return false;
    }
    return (text_equal(key->aftercare, "key") && key->version == 1) || fail(error, error_cap, path, "not a key file of version 1");
}
