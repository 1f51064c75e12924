/* How intake's sockets are bound, without keys: who may come in is not what the simulation is about. */
#include "services/intake/doors.h"
#include "services/intake/keys.h"

bool doors_keyed(const struct doors *doors)
{
    (void)doors;
    return false;
}

struct bus_socket *doors_bind(const struct doors *doors, enum bus_kind kind, const char *name, const char *endpoint, char *error,
                              size_t error_cap)
{
    (void)doors;
    (void)name;
    return bus_bind(kind, endpoint, error, error_cap);
}

void doors_local(const struct doors *doors, struct bus_socket *socket, const char *name, const char *endpoint)
{
    (void)doors;
    (void)socket;
    (void)name;
    (void)endpoint;
}

bool doors_tell_keys(struct doors *doors, const struct tables *tables, unsigned principals, bool *worker_lost)
{
    (void)doors;
    (void)tables;
    (void)principals;
    *worker_lost = false;
    return true;
}

enum status doors_reopen(const struct doors *doors, struct bus_socket *socket, const char *name, const char *endpoint, bool *shut)
{
    (void)doors;
    (void)socket;
    (void)name;
    (void)endpoint;
    *shut = false;
    return STATUS_OK;
}

bool doors_hear_denied(const struct doors *doors, struct access_denied *denied)
{
    (void)doors;
    (void)denied;
    return false;
}

void doors_watch(const struct doors *doors, struct loop *loop, loop_ready *ready, void *arg)
{
    (void)doors;
    (void)loop;
    (void)ready;
    (void)arg;
}

void doors_unwatch(const struct doors *doors, struct loop *loop)
{
    (void)doors;
    (void)loop;
}

void doors_tell_denied(const struct doors *doors, const struct access_denied *denied)
{
    (void)doors;
    (void)denied;
}

void doors_tell_read(const struct doors *doors, const struct reading *reading)
{
    (void)doors;
    (void)reading;
}

bool doors_hear_read(const struct doors *doors, struct reading *reading)
{
    (void)doors;
    (void)reading;
    return false;
}

bool keys_open(struct keys *keys, const struct settings *settings, const char *stream)
{
    (void)keys;
    (void)settings;
    (void)stream;
    return false;
}

bool keys_take(const struct keys *keys, const char *id, const char *kind, uint8_t out[32])
{
    (void)keys;
    (void)id;
    (void)kind;
    (void)out;
    return false;
}
