/* Key files: where they are, whose, and what stands in them. */
#include "base/text.h"
#include "keys.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void key_path(const struct cli *cli, const char *id, const char *suffix, char out[400])
{
    text_format(out, 400, "%s/keys/%s.key%s", cli->settings.data, id, suffix);
}

/* Root writes for the user whose data folder it is. */
static bool owner_give(const char *path)
{
    char folder[400];
    struct stat status;
    text_copy(folder, sizeof(folder), path);
    char *slash = strrchr(folder, '/');
    if (geteuid() != 0 || slash == NULL)
        return true;
    *slash = '\0';
    return stat(folder, &status) == 0 && lchown(path, status.st_uid, status.st_gid) == 0;
}

static bool folder_make(const struct cli *cli)
{
    char folder[400];
    text_format(folder, sizeof(folder), "%s/keys", cli->settings.data);
    return mkdir(folder, 0700) == 0 ? owner_give(folder) : errno == EEXIST;
}

bool key_write(const struct cli *cli, const char *path, const struct bus_key *key, bool replace)
{
    struct problem problem;
    if (!folder_make(cli)) {
        cli_fail(cli, CLI_REFUSED, NULL, in_words(cli->language, "%s/keys cannot be made: %s"), cli->settings.data,
                 strerror(errno));
        return false;
    }
    if (!bus_key_save(path, key, replace, &problem)) {
        cli_fail(cli, CLI_REFUSED, NULL, in_words(cli->language, "key file %s: %s"), problem.field, problem.args);
        return false;
    }
    char keys[400];
    text_format(keys, sizeof(keys), "%s/keys/", cli->settings.data);
    return !text_starts(path, keys) || owner_give(path);
}

/* The server's own file, or what another key file says of it. */
static void server_key_find(const struct cli *cli, char out[BUS_KEY_TEXT])
{
    char path[400];
    struct bus_key key;
    struct problem problem;
    out[0] = '\0';
    if (settings_key(&cli->settings, cli->settings.intake.key, "server", path) && bus_key_load(path, &key, &problem))
        memcpy(out, key.public_key, BUS_KEY_TEXT);
    else if (settings_key(&cli->settings, cli->settings.key, "operator", path) && bus_key_load(path, &key, &problem))
        memcpy(out, key.server_key, BUS_KEY_TEXT);
    else
        return;
    bus_key_forget(&key);
}

static void endpoint_add(char list[][160], uint32_t *n, const char *bound, const char *host)
{
    const char *colon = strrchr(bound, ':');
    if (!text_starts(bound, "tcp://") || colon == NULL)
        return; /* of this machine only */
    bool every = text_starts(bound, "tcp://*:") || text_starts(bound, "tcp://0.0.0.0:");
    if (host == NULL && !every)
        text_copy(list[*n], 160, bound);
    else
        text_format(list[*n], 160, "tcp://%.120s%s", host != NULL ? host : "127.0.0.1", colon);
    ++*n;
}

bool key_frame(const struct cli *cli, const char *stream, const struct principal *principal, const char *host,
               struct bus_key *key)
{
    const struct settings_intake *intake = &cli->settings.intake;
    record_clear(&bus_key_record, key);
    text_copy(key->aftercare, sizeof(key->aftercare), "key");
    key->version = 1;
    text_copy(key->stream, sizeof(key->stream), stream);
    text_copy(key->principal, sizeof(key->principal), principal->id);
    text_copy(key->kind, sizeof(key->kind), principal_kind_word(principal->kind));
    server_key_find(cli, key->server_key);
    endpoint_add(key->endpoints.cmd, &key->endpoints.cmd_n, intake->cmd, host);
    endpoint_add(key->endpoints.feed, &key->endpoints.feed_n, intake->feed, host);
    if (principal->kind == PRINCIPAL_WORKER)
        endpoint_add(key->endpoints.live, &key->endpoints.live_n, intake->live, host);
    if (key->server_key[0] != '\0')
        return true;
    cli_fail(cli, CLI_REFUSED, in_words(cli->language, "`aftercare keys new server`, then start intake anew."), "%s",
             in_words(cli->language, "this stream's server has no key, or it cannot be read here"));
    return false;
}

static const char *const kinds[] = {"branch", "site", "desk", "worker", "integrator", "operator", "import"};

const char *principal_kind_word(int kind)
{
    return kind >= 0 && (size_t)kind < COUNT_OF(kinds) ? kinds[kind] : "";
}

bool principal_kind_read(const char *word, int *kind)
{
    for (size_t i = 0; i < COUNT_OF(kinds); i++)
        if (text_equal(kinds[i], word)) {
            *kind = (int)i;
            return true;
        }
    return false;
}
