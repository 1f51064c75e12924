#include "keys.h"
#include "base/log.h"
#include "base/text.h"
#include "bus/key.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define KEYS_FOLDER "keys"

static void path_of(const struct settings *settings, const char *id, char out[400])
{
    text_format(out, 400, "%s/" KEYS_FOLDER "/%s.key", settings->data, id);
}

/* Where it is bound, as this machine reaches it; who takes the file elsewhere exports it with the host's name. */
static void endpoint_add(char list[][160], uint32_t *n, const char *bound)
{
    static const char *const every[] = {"tcp://*:", "tcp://0.0.0.0:"};
    text_copy(list[*n], 160, bound);
    for (size_t i = 0; i < COUNT_OF(every); i++)
        if (text_starts(bound, every[i]))
            text_format(list[*n], 160, "tcp://127.0.0.1:%.100s", bound + strlen(every[i]));
    ++*n;
}

static void key_fill(const struct keys *keys, const char *id, const char *kind, struct bus_key *key)
{
    const struct settings_intake *intake = &keys->settings->intake;
    record_clear(&bus_key_record, key);
    text_copy(key->aftercare, sizeof(key->aftercare), "key");
    key->version = 1;
    text_copy(key->stream, sizeof(key->stream), keys->stream);
    text_copy(key->principal, sizeof(key->principal), id);
    text_copy(key->kind, sizeof(key->kind), kind);
    text_copy(key->server_key, sizeof(key->server_key), keys->server_key);
    bus_key_make(key);
    if (text_equal(kind, "server"))
        return;
    endpoint_add(key->endpoints.cmd, &key->endpoints.cmd_n, intake->cmd);
    endpoint_add(key->endpoints.feed, &key->endpoints.feed_n, intake->feed);
    if (text_equal(kind, "worker"))
        endpoint_add(key->endpoints.live, &key->endpoints.live_n, intake->live);
}

static bool key_take(const struct keys *keys, const char *id, const char *kind, char public_key[BUS_KEY_TEXT])
{
    char path[400];
    struct bus_key key;
    struct problem problem;
    /* A key that was handed to us (LoadCredential, a setting) stays where it is. */
    const char *given = text_equal(kind, "server") ? keys->settings->intake.key : "";
    bool there = settings_key(keys->settings, given, id, path), fine;
    if (there) {
        fine = bus_key_load(path, &key, &problem);
    } else {
        path_of(keys->settings, id, path);
        key_fill(keys, id, kind, &key);
        fine = bus_key_save(path, &key, false, &problem);
    }
    if (fine)
        memcpy(public_key, key.public_key, BUS_KEY_TEXT);
    else
        log_error("key %s: %s", problem.field, problem.args);
    if (fine || !there)
        bus_key_forget(&key);
    return fine;
}

bool keys_open(struct keys *keys, const struct settings *settings, const char *stream)
{
    char folder[400];
    *keys = (struct keys){.settings = settings, .stream = stream};
    text_format(folder, sizeof(folder), "%s/" KEYS_FOLDER, settings->data);
    if (mkdir(folder, 0700) != 0 && errno != EEXIST) {
        log_error("%s cannot be made: %s", folder, strerror(errno));
        return false;
    }
    return key_take(keys, "server", "server", keys->server_key);
}

bool keys_take(const struct keys *keys, const char *id, const char *kind, uint8_t out[32])
{
    char public_key[BUS_KEY_TEXT];
    return key_take(keys, id, kind, public_key) && bus_key_parse(public_key, out);
}
