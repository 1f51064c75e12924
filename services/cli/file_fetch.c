/* file get: a content, piece by piece into FILE.part, which becomes FILE when its digest is true. */
#include "base/clock.h"
#include "base/part.h"
#include "base/text.h"
#include "bus/getting.h"
#include "file.h"
#include "line.h"
#include "progress.h"
#include <errno.h>
#include <string.h>

struct fetching {
    const struct cli *cli;
    struct line line;
    struct part part;
    struct getting *getting;
    bool broken; /* PATH.part cannot be written */
    int64_t heard_us;
    struct progress progress;
};

static int trouble(const struct fetching *g)
{
    return cli_fail(g->cli, CLI_REFUSED, NULL, "%s: %s", g->part.path, strerror(errno));
}

static int part_begin(struct fetching *g, const char *path)
{
    switch (part_open(&g->part, path)) {
    case STATUS_OK:
        return CLI_DONE;
    case STATUS_AGAIN:
        return cli_fail(g->cli, CLI_REFUSED, NULL, in_words(g->cli->language, "%s is in use"), g->part.path);
    case STATUS_CLOSED:
    case STATUS_DOUBT:
    case STATUS_FULL:
    case STATUS_ABSENT:
    case STATUS_REFUSED:
        break;
    }
    return trouble(g);
}

static bool on_piece(void *owner, struct bytes piece)
{
    struct fetching *g = owner;
    g->broken = !part_add(&g->part, piece);
    return !g->broken;
}

/* False: said so already. */
static bool begin_again(struct fetching *g)
{
    getting_disconnected(g->getting);
    if (!line_connect(g->cli, &g->line))
        return false;
    getting_connected(g->getting, clock_boot_us());
    return true;
}

/* False: the connection is to be made anew. */
static bool receive(struct fetching *g)
{
    struct frame frame;
    enum status status;
    while (!getting_is_over(g->getting) && (status = bus_receive(g->line.socket, &frame)) != STATUS_AGAIN) {
        if (status != STATUS_OK && status != STATUS_REFUSED)
            return false;
        if (status == STATUS_REFUSED)
            continue;
        g->heard_us = clock_boot_us();
        if (!getting_in(g->getting, &frame, g->heard_us))
            return false;
    }
    return true;
}

static int turn(struct fetching *g)
{
    struct frame frame;
    int64_t now_us = clock_boot_us(), most_us = now_us + SECOND_US / 4;
    if (line_send_held(&g->line) && getting_out(g->getting, now_us, &frame))
        (void)line_send(&g->line, frame.verb, frame.map);
    int64_t due_us = g->line.holds ? now_us + SEND_AGAIN_US : getting_deadline_us(g->getting);
    if (!loop_once(g->line.loop, due_us < most_us ? due_us : most_us))
        return line_interrupted(g->cli);
    bool good = receive(g);
    now_us = clock_boot_us();
    if (getting_is_over(g->getting))
        return GOES_ON;
    if (now_us - g->heard_us > OUTAGE_US)
        return line_silent(g->cli, g->line.endpoint);
    if ((!good || getting_tick(g->getting, now_us)) && !begin_again(g))
        return CLI_SILENT;
    progress_show(&g->progress, g->part.bytes, now_us);
    return GOES_ON;
}

static int finish(struct fetching *g, const uint8_t sha256[DIGEST_BYTES])
{
    const struct verb_error *refusal = getting_refusal(g->getting);
    if (refusal->code[0] != '\0')
        return file_code_say(g->cli, refusal->code, refusal->why);
    if (g->broken)
        return trouble(g);
    if (!part_is_true(&g->part, sha256))
        return file_code_say(g->cli, FILE_CORRUPT, "");
    return part_end(&g->part) ? CLI_DONE : trouble(g);
}

int file_fetch(const struct cli *cli, const char *sha256, const char *path)
{
    struct fetching g = {.cli = cli, .heard_us = clock_boot_us(), .part = {.fd = -1}};
    uint8_t digest[DIGEST_BYTES];
    int code = hex_parse(sha256, DIGEST_BYTES, digest) ? part_begin(&g, path) : CLI_USAGE;
    g.getting = getting_new(digest, g.part.bytes, on_piece, &g);
    if (code == CLI_DONE)
        code = line_open(cli, &g.line, "feed", line_principal(cli)) ? GOES_ON : CLI_SILENT;
    getting_connected(g.getting, clock_boot_us());
    progress_start(&g.progress, cli, in_words(cli->language, "bytes"), 0, g.heard_us);
    while (code == GOES_ON && !getting_is_over(g.getting))
        code = turn(&g);
    if (code == GOES_ON)
        code = finish(&g, digest);
    line_close(&g.line);
    getting_destroy(&g.getting);
    part_close(&g.part);
    return code;
}
