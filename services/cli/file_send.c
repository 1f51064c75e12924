/* file add: the fact, then its bytes. The source is named by what is attached, so that a second run finds the fact answered and goes on
 * with the bytes. */
#include "base/clock.h"
#include "base/digest.h"
#include "base/text.h"
#include "bus/putting.h"
#include "file.h"
#include "line.h"
#include "progress.h"
#include <inttypes.h>
#include <string.h>

struct adding {
    const struct files *f;
    struct sender *sender;
    struct buf content;
    struct file_attached data;
    struct answer answer;
    bool answered, again; /* again: as if it had not been attached before */
    /* Bytes. */
    struct putting *putting;
    int64_t line; /* sender_lines, as it was when they were begun, or gone on with */
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

static void source_name(const struct adding *a, char out[EVENT_SOURCE_CAP])
{
    const struct files *f = a->f;
    if (a->again)
        source_random(f->cli, out);
    else
        putting_source(line_principal(f->cli), f->what, a->data.name, a->data.media, a->data.sha256, out);
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

static bool on_read(void *owner, int64_t offset, size_t most, struct buf *out)
{
    struct adding *a = owner;
    size_t left = a->content.len - (size_t)offset;
    buf_append(out, a->content.data + offset, left < most ? left : most);
    return true;
}

static void on_frame(void *owner, const struct frame *frame)
{
    struct adding *a = owner;
    (void)putting_in(a->putting, frame, clock_boot_us());
}

/* A person waits here, and a full branch stays full for as long as the line is down. */
static bool is_full(const struct adding *a)
{
    const char *why = putting_refusal(a->putting)->why;
    return a->f->cli->branch && putting_is_later(a->putting) && (text_starts(why, "spool.full") || text_starts(why, "disk.full"));
}

/* What was said over the connection before is lost, or its answer; HAVE has no number, so that nothing is asked twice over one. */
static bool is_anew(struct adding *a)
{
    int64_t now_us = clock_boot_us(), line = sender_lines(a->sender);
    if (line == a->line && putting_tick(a->putting, now_us) && !sender_anew(a->sender))
        return false;
    line = sender_lines(a->sender);
    if (line >= 0 && line != a->line) {
        a->line = line;
        putting_connected(a->putting, now_us);
    }
    return true;
}

static int bytes_turn(struct adding *a)
{
    struct frame frame;
    int64_t now_us = clock_boot_us(), most_us = now_us + SECOND_US;
    if (!is_anew(a))
        return CLI_SILENT;
    if (a->line == sender_lines(a->sender) && sender_is_clear(a->sender) && putting_out(a->putting, now_us, &frame))
        sender_say(a->sender, frame.verb, frame.map);
    int64_t due_us = putting_deadline_us(a->putting);
    int code = sender_turn(a->sender, due_us < most_us ? due_us : most_us);
    return code == GOES_ON && is_full(a) ? file_code_say(a->f->cli, "busy", putting_refusal(a->putting)->why) : code;
}

static int bytes_send(struct adding *a)
{
    const struct cli *cli = a->f->cli;
    struct progress progress;
    int code = GOES_ON;
    a->line = -1;
    a->putting = putting_new(a->data.sha256, (int64_t)a->content.len, on_read, a);
    sender_listen(a->sender, on_frame, a);
    progress_start(&progress, cli, in_words(cli->language, "bytes"), (int64_t)a->content.len, clock_boot_us());
    while (code == GOES_ON && !putting_is_over(a->putting)) {
        code = bytes_turn(a);
        progress_show(&progress, putting_upto(a->putting), clock_boot_us());
    }
    progress_end(&progress, putting_upto(a->putting), clock_boot_us());
    const struct verb_error *refusal = putting_refusal(a->putting);
    if (code == GOES_ON)
        code = refusal->code[0] == '\0' ? CLI_DONE : file_code_say(cli, refusal->code, refusal->why);
    sender_listen(a->sender, NULL, NULL);
    putting_destroy(&a->putting);
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
