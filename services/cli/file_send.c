/* file add: the fact, then its bytes. The source is named by what is attached, so that a second run finds the fact answered and goes on
 * with the bytes. */
#include "base/clock.h"
#include "base/digest.h"
#include "base/text.h"
#include "bus/pieces.h"
#include "file.h"
#include "line.h"
#include "progress.h"
#include <inttypes.h>
#include <string.h>

/* A line that is dead or too narrow for the piece is given up before, by PING: who is silent for so long and there has lost what was said. */
#define UNANSWERED_US (90 * SECOND_US)
#define LATER_US (SECOND_US / 2)

struct adding {
    const struct files *f;
    struct sender *sender;
    struct buf content;
    struct file_attached data;
    struct answer answer;
    bool answered, again; /* again: as if it had not been attached before */
    /* Bytes. */
    struct pieces pieces;
    struct verb_have have;
    bool heard, waiting; /* an answer has come; one is awaited */
    bool ask;            /* what is said next: how far are they? */
    size_t said;         /* bytes that went last; 0: the question */
    int64_t line, said_us, due_us;
};

/* --- the fact -------------------------------------------------------------------------------------- */

static void media_guess(const char *name, char *out, size_t cap)
{
    static const struct {
        const char *end, *media;
    } known[] = {{".pdf", "application/pdf"}, {".jpg", "image/jpeg"}, {".jpeg", "image/jpeg"}, {".png", "image/png"},
                 {".tif", "image/tiff"},      {".tiff", "image/tiff"}, {".txt", "text/plain"}, {".heic", "image/heic"}};
    size_t n = strlen(name);
    for (size_t i = 0; i < COUNT_OF(known); i++) {
        size_t e = strlen(known[i].end);
        if (n > e && strcasecmp(name + n - e, known[i].end) == 0)
            text_copy(out, cap, known[i].media);
    }
}

static bool describe(struct adding *a)
{
    const struct files *f = a->f;
    const char *base = strrchr(f->path, '/') != NULL ? strrchr(f->path, '/') + 1 : f->path;
    record_clear(&file_attached_record, &a->data);
    if (!text_copy(a->data.name, sizeof(a->data.name), f->name != NULL ? f->name : base) ||
        !text_copy(a->data.media, sizeof(a->data.media), f->media != NULL ? f->media : "")) {
        cli_fail(f->cli, CLI_USAGE, in_words(f->cli->language, "--name gives it another one."), "%s",
                 in_words(f->cli->language, "its name is too long"));
        return false;
    }
    if (f->media == NULL)
        media_guess(a->data.name, a->data.media, sizeof(a->data.media));
    a->data.bytes = (int64_t)a->content.len;
    digest_of(buf_bytes(&a->content), a->data.sha256);
    return true;
}

/* Ticket, name, kind and content: the same once more is the same. */
static void source_name(const struct adding *a, char out[EVENT_SOURCE_CAP])
{
    const struct files *f = a->f;
    struct buf all = {0};
    uint8_t digest[DIGEST_BYTES];
    char hex[33];
    if (a->again) {
        source_random(f->cli, out);
        return;
    }
    buf_append_format(&all, "file\n%s\n%s\n%s\n", f->what, a->data.name, a->data.media);
    buf_append(&all, a->data.sha256, sizeof(a->data.sha256));
    digest_of(buf_bytes(&all), digest);
    hex_print(digest, 16, hex);
    const char *principal = line_principal(f->cli);
    hex[EVENT_SOURCE_CAP - 2 - strlen(principal) < 32 ? EVENT_SOURCE_CAP - 2 - strlen(principal) : 32] = '\0';
    text_format(out, EVENT_SOURCE_CAP, "%s/%s", principal, hex);
    buf_release(&all);
}

static void on_answer(void *owner, const struct answer *answer)
{
    struct adding *a = owner;
    a->answer = *answer;
    a->answer.result = bytes_of(NULL, 0);
    a->answered = true;
}

static void fact_give(struct adding *a)
{
    struct buf data = {0}, priv = {0}, encoded = {0};
    char by[EVENT_BY_CAP];
    struct bytes draft_bytes;
    operator_by(by);
    record_encode(&file_attached_record, RECORD_PLAIN, &a->data, &data);
    record_encode(&file_attached_record, RECORD_PERSONAL, &a->data, &priv);
    const struct draft draft = {
        .type = "file.attached", .v = 1, .key = a->f->what, .by = by, .data = buf_bytes(&data), .priv = buf_bytes(&priv)};
    draft_encode(&draft, &encoded);
    draft_bytes = buf_bytes(&encoded);
    sender_give(a->sender, &draft_bytes, 1, 0);
    buf_release(&data);
    buf_release(&priv);
    buf_release(&encoded);
}

static int fact_refused(const struct adding *a)
{
    struct buf words = {0};
    problem_print(&a->answer.problem, a->f->cli->language == CHINESE, &words);
    int code = file_code_say(a->f->cli, a->answer.problem.code, buf_text(&words));
    buf_release(&words);
    return code;
}

/* --- its bytes ------------------------------------------------------------------------------------- */

static void on_frame(void *owner, const struct frame *frame)
{
    struct adding *a = owner;
    struct verb_have have;
    struct problem problem;
    int64_t took_us = clock_boot_us() - a->said_us;
    if (!a->waiting || !text_equal(frame->verb, "HAVE") ||
        !record_decode(&verb_have_record, RECORD_WHOLE, DECODE_LENIENT, frame->map, NULL, &have, &problem) ||
        memcmp(have.sha256, a->data.sha256, sizeof(have.sha256)) != 0)
        return;
    if (a->said > 0)
        pieces_sent(&a->pieces, a->said, took_us);
    else
        pieces_asked(&a->pieces, took_us);
    a->have = have;
    a->heard = true;
    a->waiting = false;
}

/* A piece, or without bytes the question how far they are. */
static void put(struct adding *a)
{
    struct verb_put put = {.offset = a->ask ? 0 : a->have.upto};
    struct buf map = {0};
    size_t left = a->content.len - (size_t)put.offset;
    memcpy(put.sha256, a->data.sha256, sizeof(put.sha256));
    if (!a->ask)
        put.bytes = bytes_of(a->content.data + put.offset, left < a->pieces.bytes ? left : a->pieces.bytes);
    record_encode(&verb_put_record, RECORD_WHOLE, &put, &map);
    a->waiting = sender_say(a->sender, "PUT", buf_bytes(&map));
    a->said = put.bytes.len;
    a->said_us = clock_boot_us();
    a->due_us = a->said_us + SEND_AGAIN_US; /* where something held it up */
    buf_release(&map);
}

static bool is_later(const struct adding *a)
{
    /* A person waits here, and a full branch stays full for as long as the line is down. */
    bool full = a->f->cli->branch && (text_starts(a->have.why, "spool.full") || text_starts(a->have.why, "disk.full"));
    return (text_equal(a->have.code, "busy") && !full) || text_equal(a->have.code, "database");
}

/* GOES_ON or an exit code. */
static int have_take(struct adding *a)
{
    a->heard = false;
    if (a->have.whole)
        return CLI_DONE;
    a->ask = is_later(a);
    a->due_us = a->ask ? clock_boot_us() + LATER_US : 0;
    if (a->have.code[0] != '\0' && !a->ask)
        return file_code_say(a->f->cli, a->have.code, a->have.why);
    if (!a->ask && (a->have.upto < 0 || a->have.upto >= (int64_t)a->content.len))
        return file_code_say(a->f->cli, "sha256", "");
    return GOES_ON;
}

/* What was said over the connection before is lost, or its answer; HAVE has no number, so that nothing is asked twice over one. */
static bool is_anew(struct adding *a)
{
    int64_t line = sender_lines(a->sender);
    if (a->waiting && line == a->line && clock_boot_us() - a->said_us > UNANSWERED_US && !sender_anew(a->sender))
        return false;
    if (line < 0 || line == a->line)
        return true;
    if (a->waiting && a->said > 0)
        pieces_broken(&a->pieces, a->said);
    a->line = line;
    a->waiting = false;
    a->ask = true;
    return true;
}

static int bytes_turn(struct adding *a)
{
    int64_t now_us = clock_boot_us();
    if (!is_anew(a))
        return CLI_SILENT;
    if (!a->waiting && a->line == sender_lines(a->sender) && now_us >= a->due_us)
        put(a);
    int code = sender_turn(a->sender, !a->waiting && a->due_us > now_us ? a->due_us : now_us + SECOND_US);
    return code == GOES_ON && a->heard ? have_take(a) : code;
}

static int bytes_send(struct adding *a)
{
    const struct cli *cli = a->f->cli;
    struct progress progress;
    int code = GOES_ON;
    a->line = -1;
    a->pieces = pieces_start();
    sender_listen(a->sender, on_frame, a);
    progress_start(&progress, cli, in_words(cli->language, "bytes"), (int64_t)a->content.len, clock_boot_us());
    while (code == GOES_ON) {
        code = bytes_turn(a);
        progress_show(&progress, a->have.upto, clock_boot_us());
    }
    progress_end(&progress, a->have.upto, clock_boot_us());
    return code;
}

/* --- all ------------------------------------------------------------------------------------------- */

/* GOES_ON: the fact has its answer. */
static int attach(struct adding *a, const char *stream)
{
    char source[EVENT_SOURCE_CAP];
    int code;
    source_name(a, source);
    a->answered = false;
    a->sender = sender_open(a->f->cli, stream, source, 1, on_answer, a, &code);
    if (a->sender == NULL)
        return code;
    if (sender_durable(a->sender) < 1)
        fact_give(a);
    code = GOES_ON;
    while (code == GOES_ON && !a->answered)
        code = sender_turn(a->sender, INT64_MAX);
    return code;
}

static int add(struct adding *a)
{
    struct stream_created stream;
    int code = stream_read(a->f->cli, &stream);
    if (code != CLI_DONE)
        return code;
    code = attach(a, stream.stream);
    if (code == GOES_ON && !a->answer.taken && !a->again && sender_durable(a->sender) >= 1) {
        sender_close(&a->sender); /* that was said to an earlier run: what it lacked may be there by now */
        a->again = true;
        code = attach(a, stream.stream);
    }
    if (code == GOES_ON && !a->answer.taken)
        code = fact_refused(a);
    if (code == GOES_ON)
        code = bytes_send(a);
    sender_close(&a->sender);
    return code;
}

static void report(const struct adding *a)
{
    const struct cli *cli = a->f->cli;
    char hex[65];
    hex_print(a->data.sha256, 32, hex);
    if (cli->json)
        printf("{\"sha256\":\"%s\",\"bytes\":%" PRId64 ",\"pos\":%" PRId64 ",\"queued\":%s}\n", hex, a->data.bytes, a->answer.pos,
               cli->branch ? "true" : "false");
    else
        printf(in_words(cli->language, cli->branch ? "kept at the branch, sent when the line is there: %s\n" : "stored: %s\n"), hex);
}

int file_add(struct files *f)
{
    struct adding a = {.f = f, .again = f->again};
    int code = CLI_USAGE;
    if (!text_is_key(f->what, strlen(f->what)))
        return cli_fail(f->cli, CLI_USAGE, in_words(f->cli->language, "Up to 64 of A-Z a-z 0-9 . _ -"),
                        in_words(f->cli->language, "\"%s\" cannot be a key"), f->what);
    if (file_read(f->cli, f->path, FILE_BYTES_MAX, &a.content) && describe(&a))
        code = add(&a);
    if (code == CLI_DONE)
        report(&a);
    buf_release(&a.content);
    return code;
}
