#include "line.h"
#include "base/clock.h"
#include "base/text.h"
#include "bus/find.h"
#include "bus/key.h"
#include <errno.h>
#include <string.h>
#include <unistd.h>

int line_silent(const struct cli *cli, const char *endpoint)
{
    return cli_fail(
        cli, CLI_SILENT,
        in_words(cli->language,
                 cli->branch ? "Is aftercare-branch running? --data or --config names another place."
                             : "Is it running? `aftercare up` starts it; --data or --config names another one."),
        in_words(cli->language, "nobody answers at %s"), endpoint);
}

int line_interrupted(const struct cli *cli)
{
    return cli_fail(cli, CLI_REFUSED,
                    in_words(cli->language, "Run it again: it goes on where it was."), "%s",
                    in_words(cli->language, "interrupted"));
}

static void line_ready(void *arg)
{
    (void)arg; /* loop_once returns; who turned it receives */
}

/* What counts was answered; what nobody took need not be waited for. */
static void line_drop(struct line *line)
{
    if (line->socket == NULL)
        return;
    loop_forget(line->loop, line->socket, -1);
    bus_close_now(&line->socket);
}

/* --- who, and where ------------------------------------------------------------------------------ */

static bool key_load(const struct cli *cli, const char *path, struct bus_key *key)
{
    struct problem problem;
    if (bus_key_load(path, key, &problem))
        return true;
    cli_fail(cli, CLI_REFUSED, in_words(cli->language, "`aftercare keys export` writes such a file."),
             in_words(cli->language, "key file %s: %s"), problem.field, problem.args);
    return false;
}

const char *line_principal(const struct cli *cli)
{
    static char principal[64];
    struct bus_key key;
    if (principal[0] != '\0')
        return principal;
    text_copy(principal, sizeof(principal), "operator");
    if (cli->settings.key[0] != '\0' && key_load(cli, cli->settings.key, &key)) {
        text_copy(principal, sizeof(principal), key.principal);
        bus_key_forget(&key);
    }
    return principal;
}

/* Over TCP by the key of who speaks; the sockets of this machine ask for none. */
static bool line_identify(const struct cli *cli, const struct line *line)
{
    char path[400];
    struct bus_key key;
    bus_identify(NULL);
    if (strstr(line->list, "tcp://") == NULL || !settings_key(&cli->settings, cli->settings.key, line->who, path))
        return true;
    if (!key_load(cli, path, &key))
        return false;
    bus_identify(&key);
    bus_key_forget(&key);
    return true;
}

/* A closed folder looks like silence. */
static bool folder_is_open(const struct cli *cli, const struct line *line)
{
    char folder[ENDPOINT_CAP];
    if (!text_starts(line->endpoint, "ipc://"))
        return true;
    text_copy(folder, sizeof(folder), line->endpoint + strlen("ipc://"));
    char *slash = strrchr(folder, '/');
    if (slash == NULL || slash == folder)
        return true;
    *slash = '\0';
    if (access(folder, X_OK) == 0 || errno != EACCES)
        return true;
    cli_fail(cli, CLI_SILENT,
             in_words(cli->language, "Run it as the daemons' user or as root, or over TCP with a key file (AFTERCARE_KEY, AFTERCARE_CMD)."),
             in_words(cli->language, "%s is closed to this user"), folder);
    return false;
}

bool line_connect(const struct cli *cli, struct line *line)
{
    char error[200] = "";
    size_t at;
    line_drop(line);
    line->holds = false;
    if (!line_identify(cli, line)) /* another line may have spoken meanwhile */
        return false;
    /* Where none serves yet the silence there is counted like any other; while one takes over they are asked again. */
    if (endpoints_find(line->loop, line->list, clock_boot_us() + cli->patience_us, &at) ==
        STATUS_OK)
        endpoints_at(line->list, at, line->endpoint);
    line->socket = bus_connect(BUS_DEALER, line->endpoint, error, sizeof(error));
    if (line->socket == NULL) {
        cli_fail(cli, CLI_SILENT,
                 in_words(cli->language, "Check cmd and feed in the settings file."), "%s: %s",
                 line->endpoint, error);
        return false;
    }
    loop_socket(line->loop, line->socket, line_ready, NULL);
    return true;
}

/* Where the settings name a key file and no place, the file does. */
static bool list_fill(const struct cli *cli, struct line *line, bool cmd)
{
    struct bus_key key;
    text_copy(line->list, sizeof(line->list), cmd ? cli->settings.cmd : cli->settings.feed);
    if (line->list[0] != '\0' || cli->settings.key[0] == '\0')
        return true;
    if (!key_load(cli, cli->settings.key, &key))
        return false;
    bus_key_list(cmd ? key.endpoints.cmd : key.endpoints.feed, cmd ? key.endpoints.cmd_n : key.endpoints.feed_n, line->list);
    bus_key_forget(&key);
    return true;
}

bool line_open(const struct cli *cli, struct line *line, const char *socket, const char *source)
{
    *line = (struct line){.loop = NULL};
    if (!list_fill(cli, line, text_equal(socket, "cmd")))
        return false;
    endpoints_at(line->list, 0, line->endpoint);
    (void)text_copy_n(line->who, sizeof(line->who), source, strcspn(source, "/"));
    if (!folder_is_open(cli, line))
        return false;
    line->loop = loop_new();
    return line_connect(cli, line);
}

void line_close(struct line *line)
{
    line_drop(line);
    if (line->loop != NULL)
        loop_destroy(&line->loop);
    buf_release(&line->held);
}

bool line_send(struct line *line, const char *verb, struct bytes map)
{
    if (bus_send(line->socket, verb, map) != STATUS_AGAIN)
        return true;
    struct buf copy = {0};
    buf_append(&copy, map.data, map.len);
    text_copy(line->held_verb, sizeof(line->held_verb), verb);
    buf_release(&line->held);
    line->held = copy;
    line->holds = true;
    return false;
}

bool line_send_held(struct line *line)
{
    if (line->holds &&
        bus_send(line->socket, line->held_verb, buf_bytes(&line->held)) != STATUS_AGAIN)
        line->holds = false;
    return !line->holds;
}
