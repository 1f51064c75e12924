/* Appending: a source over its socket. */
#include "base/clock.h"
#include "base/digest.h"
#include "base/text.h"
#include "bus/find.h"
#include "bus/putting.h"
#include "connection.h"
#include "line.h"
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct sender {
    const struct cli *cli;
    struct line line;
    struct source *source;
    sender_answer *answer;
    void *owner;
    sender_heard *heard; /* NULL: nobody asks */
    void *heard_owner;
    int64_t lines; /* connections begun */
    int64_t durable;
    int64_t pos;                   /* the highest an answer named */
    int64_t heard_us;              /* boot time of the last frame */
    int64_t turned_us, listens_us; /* of the last turn; listened without a gap since then */
    bool welcomed, denied, conflict, ponged, settled, told_busy, told_away, full;
    int64_t conflict_n;
    char code[40], why[200];
};

static void on_welcome(void *owner, const struct verb_welcome *welcome)
{
    struct sender *sender = owner;
    if (!sender->welcomed)
        sender->durable = welcome->durable;
    sender->welcomed = true;
}

static void on_answer(void *owner, const struct answer *answer)
{
    struct sender *sender = owner;
    if (answer->taken && answer->pos > sender->pos)
        sender->pos = answer->pos;
    sender->answer(sender->owner, answer);
}

static void on_pong(void *owner, const struct verb_pong *pong)
{
    struct sender *sender = owner;
    /* A PONG that crossed our last event speaks of the time before it. */
    if (pong->upto >= 0 && pong->head >= sender->pos) {
        sender->settled = pong->upto >= pong->head;
        sender->ponged = true;
    }
}

static void on_denied(void *owner, const char *code, const char *why)
{
    struct sender *sender = owner;
    sender->denied = true;
    text_copy(sender->code, sizeof(sender->code), code);
    text_copy(sender->why, sizeof(sender->why), why);
}

static void on_conflict(void *owner, int64_t n)
{
    struct sender *sender = owner;
    sender->conflict = true;
    sender->conflict_n = n;
}

static void on_busy(void *owner, int64_t retry_ms, const char *why)
{
    struct sender *sender = owner;
    /* A person waits here, and a full branch stays full for as long as the line is down. */
    if (sender->cli->branch && (text_starts(why, "spool.full") || text_starts(why, "disk.full"))) {
        sender->full = true;
        (void)text_copy(sender->why, sizeof(sender->why), why);
    }
    if (!sender->told_busy && retry_ms >= 1000)
        cli_note(sender->cli, in_words(sender->cli->language, "intake is busy (%s); waiting"), why);
    sender->told_busy = sender->told_busy || retry_ms >= 1000;
}

static const char *denial_advice(const struct cli *cli, const char *code)
{
    if (text_equal(code, "behind"))
        return in_words(
            cli->language,
            "More of it was sent before: a later --until goes on, an earlier one cannot.");
    if (text_equal(code, "principal"))
        return in_words(cli->language,
                        "`aftercare tail --type principal.` lists who may send, and what.");
    return in_words(cli->language, "`aftercare status` and intake's log say more.");
}

static int sender_trouble(const struct sender *sender)
{
    const struct cli *cli = sender->cli;
    if (sender->conflict)
        return cli_fail(
            cli, CLI_REFUSED,
            in_words(cli->language,
                     "The same file must be sent by the same mapping, --step and --until."),
            in_words(cli->language, "number %lld was sent before with other content"),
            (long long)sender->conflict_n);
    if (sender->full)
        return cli_fail(cli, CLI_REFUSED,
                        in_words(cli->language, "`aftercare --branch status` says how full it is."),
                        in_words(cli->language, "nothing can be taken (%s)"), sender->why);
    if (!sender->denied)
        return GOES_ON;
    return cli_fail(cli, CLI_REFUSED, denial_advice(cli, sender->code),
                    in_words(cli->language, "intake does not take this source: %s %s"),
                    sender->code, sender->why);
}

/* Who waits is told for whom, and when the waiting is over. */
static void away_say(struct sender *sender, bool away)
{
    const struct cli *cli = sender->cli;
    if (sender->told_away == away)
        return;
    sender->told_away = away;
    if (cli->progress)
        fputs("\r\033[K", stderr);
    cli_note(cli,
             in_words(cli->language, away ? "waiting for intake at %s …" : "intake at %s is back"),
             sender->line.endpoint);
}

/* Silence counts only while somebody listens: between two turns there may have been work. */
static void away_watch(struct sender *sender, int64_t now_us)
{
    int64_t since_us =
        sender->heard_us > sender->listens_us ? sender->heard_us : sender->listens_us;
    if (now_us - since_us > AWAY_US)
        away_say(sender, true);
}

static bool sender_receive(struct sender *sender)
{
    struct frame frame;
    bool good = true;
    enum status status;
    while (good && (status = bus_receive(sender->line.socket, &frame)) != STATUS_AGAIN) {
        if (status == STATUS_REFUSED)
            continue;
        if (status != STATUS_OK)
            return false;
        sender->heard_us = clock_boot_us();
        away_say(sender, false);
        if (sender->heard != NULL)
            sender->heard(sender->heard_owner, &frame);
        good = source_in(sender->source, &frame, sender->heard_us);
    }
    return good;
}

bool sender_anew(struct sender *sender)
{
    source_disconnected(sender->source);
    sender->lines++;
    if (!line_connect(sender->cli, &sender->line))
        return false;
    source_connected(sender->source, clock_boot_us());
    return true;
}

int sender_turn(struct sender *sender, int64_t deadline_us)
{
    struct frame frame;
    int64_t now_us = clock_boot_us();
    if (now_us - sender->turned_us > SECOND_US)
        sender->listens_us = now_us;
    if (line_send_held(&sender->line))
        while (source_out(sender->source, now_us, &frame) &&
               line_send(&sender->line, frame.verb, frame.map))
            ;
    int64_t due_us = source_deadline_us(sender->source);
    if (due_us > deadline_us)
        due_us = deadline_us;
    if (due_us > now_us + SECOND_US)
        due_us = now_us + SECOND_US;
    if (sender->line.holds && due_us > now_us + SEND_AGAIN_US)
        due_us = now_us + SEND_AGAIN_US;
    if (!loop_once(sender->line.loop, due_us))
        return line_interrupted(sender->cli);
    bool good = sender_receive(sender);
    sender->turned_us = now_us = clock_boot_us();
    away_watch(sender, now_us);
    if ((!good || source_tick(sender->source, now_us)) && !sender_anew(sender))
        return CLI_SILENT;
    int64_t patience_us = sender->welcomed ? OUTAGE_US : sender->cli->patience_us;
    if (now_us - sender->heard_us > patience_us)
        return line_silent(sender->cli, sender->line.endpoint);
    return sender_trouble(sender);
}

struct sender *sender_open(const struct cli *cli, const char *stream, const char *source,
                           int64_t last, sender_answer *answer, void *owner, int *code)
{
    static const struct source_listener listener = {.welcome = on_welcome,
                                                    .answer = on_answer,
                                                    .pong = on_pong,
                                                    .denied = on_denied,
                                                    .conflict = on_conflict,
                                                    .busy = on_busy};
    struct sender *sender = memory_new(sizeof(*sender));
    struct source_config config = {.first = 1, .last = last};
    if (endpoints_count(cli->settings.cmd) > 1)
        config.silence_us = FIND_SILENCE_US;
    text_copy(config.stream, sizeof(config.stream), stream);
    text_copy(config.name, sizeof(config.name), source);
    putting_incarnation(source, config.incarnation);
    *sender =
        (struct sender){.cli = cli, .answer = answer, .owner = owner, .heard_us = clock_boot_us()};
    sender->source = source_new(&config, &listener, sender);
    *code = CLI_SILENT;
    if (line_open(cli, &sender->line, "cmd", source)) {
        source_connected(sender->source, clock_boot_us());
        do
            *code = sender_turn(sender, INT64_MAX);
        while (*code == GOES_ON && !sender->welcomed);
    }
    if (*code != GOES_ON)
        sender_close(&sender);
    else
        *code = CLI_DONE;
    return sender;
}

void sender_close(struct sender **self)
{
    struct sender *sender = *self;
    if (sender == NULL)
        return;
    line_close(&sender->line);
    source_destroy(&sender->source);
    free(sender);
    *self = NULL;
}

int64_t sender_durable(const struct sender *sender)
{
    return sender->durable;
}

void sender_give(struct sender *sender, const struct bytes *drafts, size_t n, int64_t time_us)
{
    source_append(sender->source, drafts, n, -1, time_us);
}

void sender_listen(struct sender *sender, sender_heard *heard, void *owner)
{
    sender->heard = heard;
    sender->heard_owner = owner;
}

int64_t sender_lines(const struct sender *sender)
{
    return source_state(sender->source) == SOURCE_OPEN ? sender->lines : -1;
}

bool sender_is_clear(struct sender *sender)
{
    return line_send_held(&sender->line);
}

void sender_say(struct sender *sender, const char *verb, struct bytes map)
{
    (void)line_send(&sender->line, verb, map);
}

size_t sender_pending(const struct sender *sender)
{
    return source_pending(sender->source);
}

int sender_flush(struct sender *sender)
{
    int code = GOES_ON;
    while (code == GOES_ON && sender_pending(sender) > 0)
        code = sender_turn(sender, INT64_MAX);
    return code == GOES_ON ? CLI_DONE : code;
}

int sender_settle(struct sender *sender)
{
    const struct verb_ping ping = {.upto = -1, .settle = true};
    int code = sender_flush(sender);
    if (code != CLI_DONE)
        return code;
    sender->settled = false;
    code = GOES_ON;
    while (code == GOES_ON && !sender->settled) {
        /* Intake answers when all have settled, or after 5 s; a PING that got lost is said again
         * after twice that. */
        int64_t again_us = clock_boot_us() + 10 * SECOND_US;
        sender->ponged = false;
        source_ping(sender->source, &ping);
        do
            code = sender_turn(sender, again_us);
        while (code == GOES_ON && !sender->ponged && clock_boot_us() < again_us);
    }
    return code == GOES_ON ? CLI_DONE : code;
}

struct one {
    struct answer *answer;
    struct buf *result;
    bool answered;
};

static void one_answer(void *owner, const struct answer *answer)
{
    struct one *one = owner;
    *one->answer = *answer;
    buf_append(one->result, answer->result.data, answer->result.len);
    one->answer->result = buf_bytes(one->result);
    one->answered = true;
}

void operator_by(char out[EVENT_BY_CAP])
{
    const struct passwd *user = getpwuid(geteuid());
    bool known = user != NULL && text_is_key(user->pw_name, strlen(user->pw_name));
    text_format(out, EVENT_BY_CAP, "%s%soperator", known ? user->pw_name : "", known ? " for " : "");
}

void source_random(const struct cli *cli, char out[EVENT_SOURCE_CAP])
{
    uint8_t bytes[8];
    char hex[2 * sizeof(bytes) + 1];
    random_fill(bytes, sizeof(bytes));
    hex_print(bytes, sizeof(bytes), hex);
    text_format(out, EVENT_SOURCE_CAP, "%s/%s", line_principal(cli), hex);
}

int send_raw(const struct cli *cli, const char *stream, struct bytes event, struct answer *answer,
             struct buf *result)
{
    char name[EVENT_SOURCE_CAP];
    struct one one = {.answer = answer, .result = result};
    int code;
    source_random(cli, name);
    struct sender *sender = sender_open(cli, stream, name, 1, one_answer, &one, &code);
    if (sender != NULL) {
        sender_give(sender, &event, 1, 0);
        code = sender_flush(sender);
        sender_close(&sender);
    }
    return code;
}

int send_one(const struct cli *cli, const char *stream, const struct draft *draft,
             struct answer *answer, struct buf *result)
{
    struct buf encoded = {0};
    draft_encode(draft, &encoded);
    int code = send_raw(cli, stream, buf_bytes(&encoded), answer, result);
    buf_release(&encoded);
    return code;
}

int refusal_say(const struct cli *cli, const struct problem *problem)
{
    struct buf line = {0};
    problem_print(problem, cli->language == CHINESE, &line);
    int code = cli_fail(cli, CLI_REFUSED, NULL, in_words(cli->language, "refused (%s): %s"),
                        problem->code, buf_text(&line));
    buf_release(&line);
    return code;
}
