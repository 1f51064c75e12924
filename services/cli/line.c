#include "line.h"
#include "base/clock.h"
#include "base/text.h"
#include "bus/find.h"

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

bool line_connect(const struct cli *cli, struct line *line)
{
    char error[200] = "";
    size_t at;
    line_drop(line);
    line->holds = false;
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

bool line_open(const struct cli *cli, struct line *line, const char *list)
{
    *line = (struct line){.list = list, .loop = loop_new()};
    endpoints_at(list, 0, line->endpoint);
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
