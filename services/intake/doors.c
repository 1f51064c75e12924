#include "doors.h"
#include "base/digest.h"
#include "base/log.h"
#include "base/text.h"
#include "door.h"
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FEED_PAIR "inproc://feed-denials"
#define READS_PAIR "inproc://feed-reads"

bool doors_keyed(const struct doors *doors)
{
    return doors->secret_key[0] != '\0';
}

static bool key_read(struct doors *doors)
{
    char path[400];
    struct bus_key key;
    struct problem problem;
    if (!settings_key(doors->settings, doors->settings->intake.key, "server", path))
        return true;
    bool loaded = bus_key_load(path, &key, &problem);
    if (!loaded || key.secret_key[0] == '\0') {
        log_error("the server's key %s: %s", path, loaded ? "no secret_key" : problem.args);
        return false;
    }
    memcpy(doors->secret_key, key.secret_key, sizeof(doors->secret_key));
    bus_key_forget(&key);
    return true;
}

bool doors_open(struct doors *doors, const struct settings *settings)
{
    char error[200] = "";
    *doors = (struct doors){.settings = settings};
    if (!key_read(doors))
        return false;
    if (!doors_keyed(doors)) {
        log_warn("there is no server's key: whoever reaches a port may say who he is");
        return true;
    }
    doors->door = door_start();
    doors->feed_in = doors->door != NULL ? bus_bind(BUS_PAIR, FEED_PAIR, error, sizeof(error)) : NULL;
    doors->feed_out = doors->feed_in != NULL ? bus_connect(BUS_PAIR, FEED_PAIR, error, sizeof(error)) : NULL;
    doors->reads_in = doors->feed_out != NULL ? bus_bind(BUS_PAIR, READS_PAIR, error, sizeof(error)) : NULL;
    doors->reads_out = doors->reads_in != NULL ? bus_connect(BUS_PAIR, READS_PAIR, error, sizeof(error)) : NULL;
    if (doors->reads_out == NULL)
        doors_close(doors);
    return doors->reads_out != NULL;
}

void doors_close(struct doors *doors)
{
    bus_close(&doors->feed_in);
    bus_close(&doors->feed_out);
    bus_close(&doors->reads_in);
    bus_close(&doors->reads_out);
    door_stop(&doors->door);
    explicit_bzero(doors->secret_key, sizeof(doors->secret_key));
}

/* --- sockets ----------------------------------------------------------------------------------------- */

/* Whoever may go into the folder may say who he is: it must be ours alone. */
static bool folder_is_ours(const char *path)
{
    struct stat status;
    return lstat(path, &status) == 0 && S_ISDIR(status.st_mode) && status.st_uid == geteuid() && (status.st_mode & 077) == 0;
}

static bool is_tcp(const char *endpoint)
{
    return text_starts(endpoint, "tcp://");
}

static struct bus_door door_of(const struct doors *doors, const char *name, const char *endpoint)
{
    struct bus_door door = {.endpoint = endpoint, .lane = text_equal(name, "feed") ? DOORS_LANE_FEED : DOORS_LANE};
    if (doors_keyed(doors)) {
        door.domain = is_tcp(endpoint) ? name : "local";
        door.secret_key = is_tcp(endpoint) ? doors->secret_key : NULL;
    }
    return door;
}

struct bus_socket *doors_bind(const struct doors *doors, enum bus_kind kind, const char *name, const char *endpoint, char *error,
                              size_t error_cap)
{
    char monitor[40];
    struct bus_door door = door_of(doors, name, endpoint);
    if (doors_keyed(doors) && !is_tcp(endpoint) && !folder_is_ours(doors->settings->sockets)) {
        text_copy(error, error_cap, "a socket without CURVE needs a socket folder of mode 0700");
        return NULL;
    }
    door_monitor(name, monitor);
    return bus_bind_doors(kind, &door, 1, doors_keyed(doors) ? monitor : NULL, error, error_cap);
}

void doors_local(const struct doors *doors, struct bus_socket *socket, const char *name, const char *endpoint)
{
    char local[ENDPOINT_CAP];
    settings_local(doors->settings, name, local);
    struct bus_door door = door_of(doors, name, local);
    if (text_equal(local, endpoint) || local[0] == '\0')
        return;
    if (!folder_is_ours(doors->settings->sockets))
        log_warn("no local socket for %s: %s is not a folder of this user's with mode 0700", name, doors->settings->sockets);
    else if (bus_open_again(socket, &door) != STATUS_OK)
        log_warn("no local socket for %s: %s cannot be bound", name, local);
}

enum status doors_reopen(const struct doors *doors, struct bus_socket *socket, const char *name, const char *endpoint, bool *shut)
{
    struct bus_door door = door_of(doors, name, endpoint);
    if (!is_tcp(endpoint))
        return STATUS_OK;
    if (!*shut)
        bus_shut(socket, endpoint);
    *shut = true;
    return bus_open_again(socket, &door);
}

/* --- between the threads ------------------------------------------------------------------------------- */

static void workers_digest(const struct keyring *keyring, uint8_t out[32])
{
    struct buf keys = {0};
    for (size_t i = 0; i < keyring->n; i++)
        if (keyring->entries[i].worker && !keyring->entries[i].revoked)
            buf_append(&keys, keyring->entries[i].key, 32);
    digest_of(buf_bytes(&keys), out);
    buf_release(&keys);
}

bool doors_tell_keys(struct doors *doors, const struct tables *tables, unsigned principals, bool *worker_lost)
{
    struct keyring keyring;
    uint8_t workers[32];
    if (doors->door == NULL)
        return true;
    keyring_make(&keyring, tables, principals);
    keyring.told = !doors->standing_by;
    workers_digest(&keyring, workers);
    if (bus_send(door_end(doors->door), "KEYS", bytes_of(&keyring, sizeof(keyring))) != STATUS_OK) {
        keyring_release(&keyring);
        return false;
    }
    *worker_lost = doors->workers_told && memcmp(workers, doors->workers, sizeof(workers)) != 0;
    memcpy(doors->workers, workers, sizeof(workers));
    doors->workers_told = true;
    return true;
}

static bool denied_receive(struct bus_socket *pair, struct access_denied *denied)
{
    struct frame frame;
    if (pair == NULL || bus_receive(pair, &frame) != STATUS_OK || frame.map.len != sizeof(*denied))
        return false;
    memcpy(denied, frame.map.data, sizeof(*denied));
    return true;
}

bool doors_hear_denied(const struct doors *doors, struct access_denied *denied)
{
    return (doors->door != NULL && denied_receive(door_end(doors->door), denied)) || denied_receive(doors->feed_in, denied);
}

void doors_watch(const struct doors *doors, struct loop *loop, loop_ready *ready, void *arg)
{
    if (doors->door == NULL)
        return;
    loop_socket(loop, door_end(doors->door), ready, arg);
    loop_socket(loop, doors->feed_in, ready, arg);
    loop_socket(loop, doors->reads_in, ready, arg);
}

void doors_unwatch(const struct doors *doors, struct loop *loop)
{
    if (doors->door == NULL)
        return;
    loop_forget(loop, door_end(doors->door), -1);
    loop_forget(loop, doors->feed_in, -1);
    loop_forget(loop, doors->reads_in, -1);
}

void doors_tell_denied(const struct doors *doors, const struct access_denied *denied)
{
    if (doors->feed_out == NULL)
        return;
    enum status status = bus_send(doors->feed_out, "DENIED", bytes_of(denied, sizeof(*denied)));
    (void)status; /* not taken: there is too much to tell already */
}

void doors_tell_read(const struct doors *doors, const struct reading *reading)
{
    if (doors->reads_out != NULL && bus_send(doors->reads_out, "READ", bytes_of(reading, sizeof(*reading))) != STATUS_OK)
        log_warn("%s has read %s, and it could not be put on record", reading->read.principal, reading->read.what);
}

bool doors_hear_read(const struct doors *doors, struct reading *reading)
{
    struct frame frame;
    if (doors->reads_in == NULL || bus_receive(doors->reads_in, &frame) != STATUS_OK || frame.map.len != sizeof(*reading))
        return false;
    memcpy(reading, frame.map.data, sizeof(*reading));
    return true;
}
