/* file get: a content, piece by piece into FILE.part, which becomes FILE when its digest is true. */
#include "base/clock.h"
#include "base/digest.h"
#include "base/text.h"
#include "file.h"
#include "line.h"
#include "progress.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SILENCE_US (5 * SECOND_US)
#define SILENCE_MOST_US (40 * SECOND_US) /* a piece takes so long on a narrow line */
#define LATER_US (SECOND_US / 2)

struct fetching {
    const struct cli *cli;
    struct line line;
    uint8_t sha256[DIGEST_BYTES], receipt[RECEIPT_BYTES];
    char part[1100];
    int fd;
    int64_t have, heard_us, asked_us, again_us, silence_us;
    bool asked, done; /* all of it, and the last receipt handed in */
    struct digest *digest;
    struct progress progress;
};

static int trouble(const struct fetching *g)
{
    return cli_fail(g->cli, CLI_REFUSED, NULL, "%s: %s", g->part, strerror(errno));
}

/* What an earlier run wrote is gone on with; whether it was true the digest says in the end. */
static int part_open(struct fetching *g)
{
    uint8_t bytes[65536];
    ssize_t n;
    g->fd = open(g->part, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (g->fd < 0)
        return trouble(g);
    g->digest = digest_new();
    while ((n = read(g->fd, bytes, sizeof(bytes))) > 0) {
        digest_add(g->digest, bytes_of(bytes, (size_t)n));
        g->have += n;
    }
    return n < 0 ? trouble(g) : CLI_DONE;
}

static void ask(struct fetching *g)
{
    struct verb_get get = {.offset = g->have};
    struct buf map = {0};
    memcpy(get.sha256, g->sha256, sizeof(get.sha256));
    memcpy(get.receipt, g->receipt, sizeof(get.receipt));
    record_encode(&verb_get_record, RECORD_WHOLE, &get, &map);
    (void)line_send(&g->line, "GET", buf_bytes(&map));
    g->asked = true;
    g->asked_us = clock_boot_us();
    buf_release(&map);
}

/* Another connection has no receipts. */
static bool begin_again(struct fetching *g)
{
    memset(g->receipt, 0, sizeof(g->receipt));
    g->asked = false;
    g->again_us = clock_boot_us() + LATER_US;
    return line_connect(g->cli, &g->line);
}

static int part_take(struct fetching *g, const struct verb_part *part)
{
    g->asked = false;
    if (text_equal(part->code, "busy") || text_equal(part->code, "database")) {
        g->again_us = clock_boot_us() + LATER_US;
        return GOES_ON;
    }
    if (part->code[0] != '\0')
        return file_code_say(g->cli, part->code, part->why);
    memcpy(g->receipt, part->receipt, sizeof(g->receipt));
    for (size_t at = 0; at < part->bytes.len;) {
        ssize_t n = pwrite(g->fd, part->bytes.data + at, part->bytes.len - at, (off_t)(g->have + (int64_t)at));
        if (n < 0)
            return trouble(g);
        at += (size_t)n;
    }
    digest_add(g->digest, part->bytes);
    g->have += (int64_t)part->bytes.len;
    g->done = part->bytes.len == 0;
    return GOES_ON;
}

static int receive(struct fetching *g)
{
    struct frame frame;
    struct verb_part part;
    struct problem problem;
    enum status status;
    int code = GOES_ON;
    while (code == GOES_ON && (status = bus_receive(g->line.socket, &frame)) != STATUS_AGAIN) {
        if (status != STATUS_OK && status != STATUS_REFUSED)
            return begin_again(g) ? GOES_ON : CLI_SILENT;
        if (status == STATUS_REFUSED)
            continue;
        g->heard_us = clock_boot_us();
        if (text_equal(frame.verb, "MOVED"))
            return begin_again(g) ? GOES_ON : CLI_SILENT;
        if (text_equal(frame.verb, "PART") && g->asked &&
            record_decode(&verb_part_record, RECORD_WHOLE, DECODE_LENIENT, frame.map, NULL, &part, &problem) &&
            memcmp(part.sha256, g->sha256, sizeof(part.sha256)) == 0 && (part.code[0] != '\0' || part.offset == g->have))
            code = part_take(g, &part);
    }
    return code;
}

static int turn(struct fetching *g)
{
    int64_t now_us = clock_boot_us();
    bool held = !line_send_held(&g->line);
    if (!g->asked && !held && now_us >= g->again_us)
        ask(g);
    if (!loop_once(g->line.loop, now_us + (held ? SEND_AGAIN_US : SECOND_US / 4)))
        return line_interrupted(g->cli);
    int code = receive(g);
    now_us = clock_boot_us();
    if (code != GOES_ON || g->done)
        return code;
    if (now_us - g->heard_us > OUTAGE_US)
        return line_silent(g->cli, g->line.endpoint);
    if (g->asked && now_us - g->asked_us > g->silence_us) {
        g->silence_us = 2 * g->silence_us < SILENCE_MOST_US ? 2 * g->silence_us : SILENCE_MOST_US;
        if (!begin_again(g))
            return CLI_SILENT;
    }
    progress_show(&g->progress, g->have, now_us);
    return GOES_ON;
}

static int finish(struct fetching *g, const char *path)
{
    uint8_t found[DIGEST_BYTES];
    digest_end(&g->digest, found);
    if (memcmp(found, g->sha256, DIGEST_BYTES) != 0) {
        (void)unlink(g->part);
        return file_code_say(g->cli, FILE_CORRUPT, "");
    }
    if (fsync(g->fd) != 0 || rename(g->part, path) != 0)
        return trouble(g);
    return CLI_DONE;
}

int file_fetch(const struct cli *cli, const char *sha256, const char *path)
{
    struct fetching g = {.cli = cli, .fd = -1, .heard_us = clock_boot_us(), .silence_us = SILENCE_US};
    bool known = hex_parse(sha256, DIGEST_BYTES, g.sha256);
    text_format(g.part, sizeof(g.part), "%s.part", path);
    int code = known ? part_open(&g) : CLI_USAGE;
    if (code == CLI_DONE)
        code = line_open(cli, &g.line, "feed", line_principal(cli)) ? GOES_ON : CLI_SILENT;
    progress_start(&g.progress, cli, in_words(cli->language, "bytes"), 0, g.heard_us);
    while (code == GOES_ON && !g.done)
        code = turn(&g);
    if (g.done)
        code = finish(&g, path);
    else if (g.fd >= 0 && g.have == 0)
        (void)unlink(g.part); /* nothing came */
    line_close(&g.line);
    digest_end(&g.digest, NULL);
    if (g.fd >= 0)
        close(g.fd);
    return code;
}
