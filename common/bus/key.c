#include "bus/key.h"
#include "base/text.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zmq.h>

#define FILE_BYTES_MAX 16384

static const struct field endpoint_elem = ELEM_TEXT(160);
static const struct field bus_endpoints_fields[] = {
    F_LIST(bus_endpoints, cmd, 0, &endpoint_elem, "to append"),
    F_LIST(bus_endpoints, feed, 0, &endpoint_elem, "to read and ask"),
    F_LIST(bus_endpoints, live, 0, &endpoint_elem, "live events, workers only"),
};
static const struct record bus_endpoints_record = RECORD(bus_endpoints, bus_endpoints_fields, "where intake is, in the order to try");

static const struct field bus_key_fields[] = {
    F_TEXT(bus_key, aftercare, FIELD_REQUIRED, "the word key"),
    F_INT_RANGE(bus_key, version, FIELD_REQUIRED, 1, 1, "of this form"),
    F_TEXT(bus_key, stream, 0, "the stream's id"),
    F_TEXT(bus_key, principal, FIELD_REQUIRED, "who"),
    F_TEXT(bus_key, kind, 0, "what it is"),
    F_TEXT(bus_key, public_key, 0, "CURVE public key, Z85"),
    F_TEXT(bus_key, secret_key, 0, "CURVE secret key, Z85"),
    F_TEXT(bus_key, server_key, 0, "the server's public key, Z85"),
    F_RECORD(bus_key, endpoints, 0, &bus_endpoints_record, "where intake is"),
};
const struct record bus_key_record = RECORD(bus_key, bus_key_fields, "a key file");

bool bus_key_parse(const char *text, uint8_t out[BUS_KEY_BYTES])
{
    uint8_t key[BUS_KEY_BYTES];
    if (strlen(text) != BUS_KEY_TEXT - 1 || zmq_z85_decode(key, text) == NULL)
        return false;
    memcpy(out, key, sizeof key);
    explicit_bzero(key, sizeof key);
    return true;
}

void bus_key_print(const uint8_t key[BUS_KEY_BYTES], char out[BUS_KEY_TEXT])
{
    (void)zmq_z85_encode(out, key, BUS_KEY_BYTES);
}

void bus_key_make(struct bus_key *key)
{
    if (zmq_curve_keypair(key->public_key, key->secret_key) != 0)
        abort(); /* a libzmq without CURVE: the build asks for it */
}

void bus_key_list(char (*endpoints)[160], uint32_t n, char out[ENDPOINTS_CAP])
{
    size_t used = 0;
    out[0] = '\0';
    for (uint32_t i = 0; i < n && used + strlen(endpoints[i]) + 3 <= ENDPOINTS_CAP; i++) {
        text_format(out + used, ENDPOINTS_CAP - used, "%s%s", i > 0 ? ", " : "", endpoints[i]);
        used += strlen(out + used);
    }
}

void bus_key_forget(struct bus_key *key)
{
    explicit_bzero(key, sizeof *key);
}

/* --- reading ------------------------------------------------------------------------------------- */

static bool is_credential(const char *path)
{
    const char *folder = getenv("CREDENTIALS_DIRECTORY");
    size_t n = folder != NULL ? strlen(folder) : 0;
    return n > 0 && strncmp(path, folder, n) == 0 && path[n] == '/' && strstr(path + n, "/../") == NULL;
}

static bool is_guarded(const char *path, const struct stat *status, struct problem *problem)
{
    if (!S_ISREG(status->st_mode))
        return problem_set(problem, "unreadable", path, "not a file");
    if ((status->st_mode & 077) != 0 && !is_credential(path))
        return problem_set(problem, "open", path, "mode %03o: others may read the secret in it; chmod 600",
                           (unsigned)status->st_mode & 0777U);
    return true;
}

static bool text_load(const char *path, char *text, size_t *n, struct problem *problem)
{
    struct stat status;
    ssize_t got = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return problem_set(problem, "unreadable", path, "%s", strerror(errno));
    bool fine = fstat(fd, &status) == 0 && is_guarded(path, &status, problem);
    for (*n = 0; fine && *n < FILE_BYTES_MAX && (got = read(fd, text + *n, FILE_BYTES_MAX - *n)) > 0;)
        *n += (size_t)got;
    close(fd);
    if (fine && (got < 0 || *n == FILE_BYTES_MAX))
        return problem_set(problem, "unreadable", path, "%s", got < 0 ? strerror(errno) : "too large");
    return fine;
}

static bool pair_check(const char *path, const struct bus_key *key, struct problem *problem)
{
    char made[BUS_KEY_TEXT];
    uint8_t bytes[BUS_KEY_BYTES];
    if (key->secret_key[0] == '\0')
        return true;
    bool pair = bus_key_parse(key->secret_key, bytes) && bus_key_parse(key->public_key, bytes) &&
                zmq_curve_public(made, key->secret_key) == 0 && text_equal(made, key->public_key);
    explicit_bzero(bytes, sizeof bytes);
    return pair || problem_set(problem, "bad-key", path, "public_key and secret_key are no pair");
}

static bool key_check(const char *path, const struct bus_key *key, struct problem *problem)
{
    uint8_t bytes[BUS_KEY_BYTES];
    if (!text_equal(key->aftercare, "key"))
        return problem_set(problem, "bad-key", path, "not a key file");
    if (!text_is_key(key->principal, strlen(key->principal)))
        return problem_set(problem, "bad-key", path, "principal");
    if (key->server_key[0] != '\0' && !bus_key_parse(key->server_key, bytes))
        return problem_set(problem, "bad-key", path, "server_key");
    return pair_check(path, key, problem);
}

bool bus_key_load(const char *path, struct bus_key *key, struct problem *problem)
{
    char *text = memory_new(FILE_BYTES_MAX);
    struct bus_key read;
    size_t n = 0;
    record_clear(&bus_key_record, &read);
    bool fine = text_load(path, text, &n, problem);
    if (fine && !record_parse_json(&bus_key_record, RECORD_WHOLE, DECODE_LENIENT, text, n, NULL, &read, problem))
        fine = problem_set(problem, "bad-key", path, "not a key file");
    fine = fine && key_check(path, &read, problem);
    if (fine)
        *key = read;
    explicit_bzero(text, FILE_BYTES_MAX);
    bus_key_forget(&read);
    free(text);
    return fine;
}

/* --- writing ------------------------------------------------------------------------------------- */

static bool text_save(const char *path, const char *text, size_t n)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    bool fine = fd >= 0 && write(fd, text, n) == (ssize_t)n && fsync(fd) == 0;
    if (fd >= 0)
        fine = close(fd) == 0 && fine;
    return fine;
}

bool bus_key_save(const char *path, const struct bus_key *key, bool replace, struct problem *problem)
{
    char beside[600];
    struct buf text = {0};
    if (snprintf(beside, sizeof beside, "%s.%d", path, (int)getpid()) >= (int)sizeof beside)
        return problem_set(problem, "unwritable", "path", "too long");
    record_print_json(&bus_key_record, RECORD_WHOLE, key, &text);
    buf_append_text(&text, "\n");
    bool fine = text_save(beside, (const char *)text.data, text.len);
    /* link() does not replace: two at once cannot both have made the key. */
    if (fine)
        fine = replace ? rename(beside, path) == 0 : link(beside, path) == 0;
    if (!fine)
        problem_set(problem, errno == EEXIST ? "exists" : "unwritable", path, "%s", strerror(errno));
    unlink(beside);
    explicit_bzero(text.data, text.cap);
    buf_release(&text);
    return fine;
}
