#include "connection.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/text.h"
#include "bus/socket.h"
#include <stdlib.h>
#include <string.h>

/* A DEALER forgets what waits when its peer is not there yet: until then we look again this often. */
#define SEND_AGAIN_US INT64_C(2000)
/* After the first answer a restart of intake is waited out this long. */
#define OUTAGE_US (120 * SECOND_US)

static int silent(const struct cli *cli, const char *endpoint)
{
    return cli_fail(cli, CLI_SILENT,
                    in_words(cli->language, "Is it running? `aftercare up` starts it; --data or --config names another one."),
                    in_words(cli->language, "nobody answers at %s"), endpoint);
}

static int interrupted(const struct cli *cli)
{
    return cli_fail(cli, CLI_REFUSED, in_words(cli->language, "Run it again: it goes on where it was."), "%s",
                    in_words(cli->language, "interrupted"));
}

/* --- a DEALER in its loop ------------------------------------------------------------------------ */
struct line {
    const char *endpoint;
    struct loop *loop;
    struct bus_socket *socket;
    struct buf held; /* a frame that could not go out yet */
    char held_verb[24];
    bool holds;
};

static void line_ready(void *arg)
{
    (void)arg; /* loop_once returns; who turned it receives */
}

static bool line_connect(const struct cli *cli, struct line *line)
{
    char error[200] = "";
    if (line->socket != NULL) {
        loop_forget(line->loop, line->socket, -1);
        bus_close(&line->socket);
    }
    line->holds = false;
    line->socket = bus_connect(BUS_DEALER, line->endpoint, error, sizeof(error));
    if (line->socket == NULL) {
        cli_fail(cli, CLI_SILENT, in_words(cli->language, "Check cmd and feed in the settings file."), "%s: %s",
                 line->endpoint, error);
        return false;
    }
    loop_socket(line->loop, line->socket, line_ready, NULL);
    return true;
}

static bool line_open(const struct cli *cli, struct line *line, const char *endpoint)
{
    *line = (struct line){.endpoint = endpoint, .loop = loop_new()};
    return line_connect(cli, line);
}

static void line_close(struct line *line)
{
    if (line->socket != NULL) {
        loop_forget(line->loop, line->socket, -1);
        bus_close(&line->socket);
    }
    if (line->loop != NULL)
        loop_destroy(&line->loop);
    buf_release(&line->held);
}

/* False: it waits in `held`. */
static bool line_send(struct line *line, const char *verb, struct bytes map)
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

static bool line_send_held(struct line *line)
{
    if (line->holds && bus_send(line->socket, line->held_verb, buf_bytes(&line->held)) != STATUS_AGAIN)
        line->holds = false;
    return !line->holds;
}

/* --- append -------------------------------------------------------------------------------------- */
struct sender {
    const struct cli *cli;
    struct line line;
    struct source *source;
    sender_answer *answer;
    void *owner;
    int64_t durable;
    int64_t pos;      /* the highest an answer named */
    int64_t heard_us; /* boot time of the last frame */
    bool welcomed, denied, conflict, ponged, settled, told_busy;
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
    if (!sender->told_busy && retry_ms >= 1000)
        cli_note(sender->cli, in_words(sender->cli->language, "intake is busy (%s); waiting"), why);
    sender->told_busy = sender->told_busy || retry_ms >= 1000;
}

static int sender_trouble(const struct sender *sender)
{
    const struct cli *cli = sender->cli;
    if (sender->conflict)
        return cli_fail(cli, CLI_REFUSED,
                        in_words(cli->language, "The same file must be sent by the same mapping, --step and --until."),
                        in_words(cli->language, "number %lld was sent before with other content"),
                        (long long)sender->conflict_n);
    if (!sender->denied)
        return GOES_ON;
    return cli_fail(cli, CLI_REFUSED, in_words(cli->language, "`aftercare status` and intake's log say more."),
                    in_words(cli->language, "intake does not take this source: %s %s"), sender->code, sender->why);
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
        good = source_in(sender->source, &frame, sender->heard_us);
    }
    return good;
}

static bool sender_reconnect(struct sender *sender)
{
    source_disconnected(sender->source);
    if (!line_connect(sender->cli, &sender->line))
        return false;
    source_connected(sender->source, clock_boot_us());
    return true;
}

int sender_turn(struct sender *sender, int64_t deadline_us)
{
    struct frame frame;
    int64_t now_us = clock_boot_us();
    if (line_send_held(&sender->line))
        while (source_out(sender->source, now_us, &frame) && line_send(&sender->line, frame.verb, frame.map))
            ;
    int64_t due_us = source_deadline_us(sender->source);
    if (due_us > deadline_us)
        due_us = deadline_us;
    if (sender->line.holds && due_us > now_us + SEND_AGAIN_US)
        due_us = now_us + SEND_AGAIN_US;
    if (!loop_once(sender->line.loop, due_us))
        return interrupted(sender->cli);
    bool good = sender_receive(sender);
    now_us = clock_boot_us();
    if ((!good || source_tick(sender->source, now_us)) && !sender_reconnect(sender))
        return CLI_SILENT;
    int64_t patience_us = sender->welcomed ? OUTAGE_US : sender->cli->patience_us;
    if (now_us - sender->heard_us > patience_us)
        return silent(sender->cli, sender->line.endpoint);
    return sender_trouble(sender);
}

struct sender *sender_open(const struct cli *cli, const char *stream, const char *source, int64_t last,
                           sender_answer *answer, void *owner, int *code)
{
    static const struct source_listener listener = {.welcome = on_welcome,
                                                    .answer = on_answer,
                                                    .pong = on_pong,
                                                    .denied = on_denied,
                                                    .conflict = on_conflict,
                                                    .busy = on_busy};
    struct sender *sender = memory_new(sizeof(*sender));
    struct source_config config = {.first = 1, .last = last};
    uint8_t digest[DIGEST_BYTES];
    text_copy(config.stream, sizeof(config.stream), stream);
    text_copy(config.name, sizeof(config.name), source);
    digest_of(bytes_of_text(source), digest);
    memcpy(config.incarnation, digest, sizeof(config.incarnation));
    *sender = (struct sender){.cli = cli, .answer = answer, .owner = owner, .heard_us = clock_boot_us()};
    sender->source = source_new(&config, &listener, sender);
    *code = CLI_SILENT;
    if (line_open(cli, &sender->line, cli->settings.cmd)) {
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
        /* Intake answers when all have settled, or after 5 s; a PING that got lost is said again after twice that. */
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

void source_random(char out[EVENT_SOURCE_CAP])
{
    uint8_t bytes[8];
    char hex[2 * sizeof(bytes) + 1];
    random_fill(bytes, sizeof(bytes));
    hex_print(bytes, sizeof(bytes), hex);
    text_format(out, EVENT_SOURCE_CAP, "operator/%s", hex);
}

int send_one(const struct cli *cli, const char *stream, const struct draft *draft, struct answer *answer,
             struct buf *result)
{
    char name[EVENT_SOURCE_CAP];
    struct one one = {.answer = answer, .result = result};
    struct buf encoded = {0};
    int code;
    source_random(name);
    draft_encode(draft, &encoded);
    struct sender *sender = sender_open(cli, stream, name, 1, one_answer, &one, &code);
    if (sender != NULL) {
        const struct bytes drafts[] = {buf_bytes(&encoded)};
        sender_give(sender, drafts, 1, 0);
        code = sender_flush(sender);
        sender_close(&sender);
    }
    buf_release(&encoded);
    return code;
}

int refusal_say(const struct cli *cli, const struct problem *problem)
{
    struct buf line = {0};
    problem_print(problem, cli->language == CHINESE, &line);
    int code = cli_fail(cli, CLI_REFUSED, NULL, in_words(cli->language, "refused (%s): %s"), problem->code, buf_text(&line));
    buf_release(&line);
    return code;
}

/* --- read ---------------------------------------------------------------------------------------- */
struct feeding {
    const struct cli *cli;
    struct line line;
    struct reader *reader;
    const struct feed_listener *listener;
    void *owner;
    bool enough, caught_up, failed;
    int64_t heard_us;
    char code[40], why[200];
};

static void on_event(void *owner, uint64_t pos, struct bytes body, struct bytes priv, const uint8_t link[LINK_BYTES])
{
    struct feeding *feeding = owner;
    struct event event;
    struct problem problem;
    (void)link;
    if (feeding->enough || feeding->failed)
        return;
    if (!event_decode(body, priv, &event, &problem)) {
        feeding->failed = true;
        text_copy(feeding->code, sizeof(feeding->code), "corrupt");
        snprintf(feeding->why, sizeof(feeding->why), "%llu: %.80s", (unsigned long long)pos, problem.code);
        return;
    }
    feeding->enough = !feeding->listener->event(feeding->owner, &event);
}

static void on_head(void *owner, uint64_t head, int64_t now_us)
{
    struct feeding *feeding = owner;
    (void)now_us;
    if (feeding->enough || feeding->failed)
        return;
    feeding->caught_up = true;
    if (feeding->listener->head != NULL)
        feeding->listener->head(feeding->owner, head);
}

static void on_failed(void *owner, const char *code, const char *why)
{
    struct feeding *feeding = owner;
    feeding->failed = true;
    text_copy(feeding->code, sizeof(feeding->code), code);
    text_copy(feeding->why, sizeof(feeding->why), why);
}

/* True: all is well. */
static bool feeding_receive(struct feeding *feeding)
{
    struct frame frame;
    bool good = true;
    enum status status;
    while (good && !feeding->enough && !feeding->failed &&
           (status = bus_receive(feeding->line.socket, &frame)) != STATUS_AGAIN) {
        if (status == STATUS_REFUSED)
            continue;
        if (status != STATUS_OK)
            return false;
        feeding->heard_us = clock_boot_us();
        good = reader_in(feeding->reader, &frame, feeding->heard_us);
        reader_applied(feeding->reader, reader_position(feeding->reader));
    }
    return good;
}

static int feeding_turn(struct feeding *feeding)
{
    struct frame frame;
    int64_t now_us = clock_boot_us();
    if (line_send_held(&feeding->line))
        while (reader_out(feeding->reader, now_us, &frame) && line_send(&feeding->line, frame.verb, frame.map))
            ;
    int64_t due_us = reader_deadline_us(feeding->reader), limit_us = now_us + SECOND_US;
    if (feeding->line.holds)
        limit_us = now_us + SEND_AGAIN_US;
    if (!loop_once(feeding->line.loop, due_us < limit_us ? due_us : limit_us)) {
        feeding->enough = true; /* following ends so */
        return GOES_ON;
    }
    bool good = feeding_receive(feeding);
    now_us = clock_boot_us();
    if (feeding->failed || feeding->enough)
        return GOES_ON;
    if (!good || reader_tick(feeding->reader, now_us)) {
        reader_disconnected(feeding->reader);
        if (!line_connect(feeding->cli, &feeding->line))
            return CLI_SILENT;
        reader_connected(feeding->reader, now_us);
    }
    int64_t patience_us = feeding->caught_up ? OUTAGE_US : 4 * feeding->cli->patience_us;
    if (reader_position(feeding->reader) == 0 && !feeding->caught_up)
        patience_us = feeding->cli->patience_us;
    return now_us - feeding->heard_us > patience_us ? silent(feeding->cli, feeding->line.endpoint) : GOES_ON;
}

int feed_read(const struct cli *cli, const char *stream, const struct verb_open *open, bool verify,
              const struct feed_listener *listener, void *owner)
{
    static const struct reader_listener reader_listener = {.event = on_event, .head = on_head, .failed = on_failed};
    struct reader_config config = {.open = *open, .verify = verify};
    struct feeding feeding = {.cli = cli, .listener = listener, .owner = owner, .heard_us = clock_boot_us()};
    text_copy(config.open.stream, sizeof(config.open.stream), stream);
    text_copy(config.open.consumer, sizeof(config.open.consumer), "operator/cli");
    if (config.open.credit == 0)
        config.open.credit = 4 << 20;
    int code = CLI_SILENT;
    feeding.reader = reader_new(&config, &reader_listener, &feeding);
    if (line_open(cli, &feeding.line, cli->settings.feed)) {
        reader_connected(feeding.reader, clock_boot_us());
        code = GOES_ON;
    }
    while (code == GOES_ON && !feeding.enough && !feeding.failed && (open->follow || !feeding.caught_up))
        code = feeding_turn(&feeding);
    if (feeding.failed)
        code = cli_fail(cli, CLI_REFUSED, in_words(cli->language, "`aftercare verify` checks the whole journal."),
                        in_words(cli->language, "reading ended: %s %s"), feeding.code, feeding.why);
    line_close(&feeding.line);
    reader_destroy(&feeding.reader);
    return code == GOES_ON ? CLI_DONE : code;
}

struct first {
    struct stream_created *created;
    bool found;
};

static bool first_event(void *owner, const struct event *event)
{
    struct first *first = owner;
    struct problem problem;
    struct stream_created created;
    if (event->pos == 1 &&
        record_decode(&stream_created_record, RECORD_PLAIN, DECODE_LENIENT, event->data, NULL, &created, &problem)) {
        *first->created = created;
        first->found = true;
    }
    return false;
}

int stream_read(const struct cli *cli, struct stream_created *created)
{
    static const struct feed_listener listener = {.event = first_event};
    struct first first = {.created = created};
    struct verb_open open;
    record_clear(&verb_open_record, &open);
    open.credit = 65536;
    int code = feed_read(cli, "", &open, false, &listener, &first);
    if (code == CLI_DONE && !first.found)
        return cli_fail(cli, CLI_REFUSED, in_words(cli->language, "Wait until intake has begun the stream."), "%s",
                        in_words(cli->language, "the journal has no first event"));
    return code;
}

/* --- ask ----------------------------------------------------------------------------------------- */
struct asker {
    const struct cli *cli;
    struct line line;
    struct arena *arena;
    int64_t id;
    struct buf map;
};

struct asker *asker_new(const struct cli *cli)
{
    struct asker *asker = memory_new(sizeof(*asker));
    asker->cli = cli;
    asker->arena = arena_new(65536);
    if (!line_open(cli, &asker->line, cli->settings.feed))
        asker_destroy(&asker);
    return asker;
}

void asker_destroy(struct asker **self)
{
    struct asker *asker = *self;
    if (asker == NULL)
        return;
    line_close(&asker->line);
    arena_destroy(&asker->arena);
    buf_release(&asker->map);
    free(asker);
    *self = NULL;
}

static int ask_error(struct asker *asker, const struct asking *asking, const char *code, const char *why)
{
    if (asking->quiet)
        return CLI_SILENT;
    const struct cli *cli = asker->cli;
    bool absent = text_starts(code, "no-") || text_equal(code, "absent") || text_equal(code, "timeout");
    return cli_fail(cli, absent ? CLI_SILENT : CLI_REFUSED,
                    in_words(cli->language, "`aftercare status` shows which services answer."),
                    in_words(cli->language, "%s does not answer \"%s\": %s %s"), asking->question->to,
                    asking->question->name, code, why);
}

/* The next frame for this question; its map is valid until the next receive. GOES_ON: it is there. */
static int ask_wait(struct asker *asker, const struct asking *asking, struct frame *frame)
{
    int64_t deadline_us = clock_boot_us() + (asking->quiet ? SECOND_US : asker->cli->patience_us) +
                          (asking->at_least > 0 ? 5 * SECOND_US : 0);
    for (;;) {
        int64_t now_us = clock_boot_us();
        bool sent = line_send_held(&asker->line);
        enum status status = bus_receive(asker->line.socket, frame);
        if (status == STATUS_OK && (text_equal(frame->verb, "ANSWER") || text_equal(frame->verb, "ERROR")))
            return GOES_ON;
        if (status == STATUS_OK || status == STATUS_REFUSED)
            continue;
        if (now_us >= deadline_us)
            break;
        int64_t due_us = sent ? deadline_us : now_us + SEND_AGAIN_US;
        if (!loop_once(asker->line.loop, due_us))
            return interrupted(asker->cli);
    }
    if (asking->quiet)
        return CLI_SILENT;
    return cli_fail(asker->cli, CLI_SILENT, in_words(asker->cli->language, "`aftercare status` shows which services answer."),
                    in_words(asker->cli->language, "%s does not answer at %s"), asking->question->to, asker->line.endpoint);
}

static int rows_told(struct asker *asker, const struct asking *asking, const struct verb_answer *answer)
{
    const struct record *record = asking->question->row;
    const struct bytes *rows = answer->rows.items;
    void *row = memory_new(record->size);
    int code = GOES_ON;
    for (uint32_t i = 0; i < answer->rows.n && code == GOES_ON; i++) {
        struct problem problem;
        if (record_decode(record, RECORD_WHOLE, DECODE_LENIENT, rows[i], asker->arena, row, &problem))
            asking->row(asking->owner, record, row);
        else
            code = ask_error(asker, asking, problem.code, problem.field);
    }
    free(row);
    return code;
}

static int page_ask(struct asker *asker, const struct asking *asking, struct verb_ask *ask, uint32_t *rows_n, bool *more)
{
    ask->id = ++asker->id;
    buf_reset(&asker->map);
    record_encode(&verb_ask_record, RECORD_WHOLE, ask, &asker->map);
    line_send(&asker->line, "ASK", buf_bytes(&asker->map));
    for (;;) {
        struct frame frame;
        struct problem problem;
        int code = ask_wait(asker, asking, &frame);
        if (code != GOES_ON)
            return code;
        if (text_equal(frame.verb, "ERROR")) {
            struct verb_error error;
            if (record_decode(&verb_error_record, RECORD_WHOLE, DECODE_LENIENT, frame.map, NULL, &error, &problem) &&
                (error.id == ask->id || error.id == 0))
                return ask_error(asker, asking, error.code, error.why);
            continue;
        }
        struct verb_answer answer;
        arena_reset(asker->arena);
        if (!record_decode(&verb_answer_record, RECORD_WHOLE, DECODE_LENIENT, frame.map, asker->arena, &answer, &problem) ||
            answer.id != ask->id)
            continue;
        *rows_n = answer.rows.n;
        *more = answer.more && answer.rows.n > 0;
        text_copy(ask->after, sizeof(ask->after), answer.after);
        return rows_told(asker, asking, &answer);
    }
}

int asker_ask(struct asker *asker, const struct asking *asking)
{
    struct buf args = {0};
    if (asking->args != NULL)
        record_encode(asking->question->args, RECORD_WHOLE, asking->args, &args);
    else
        buf_append(&args, "\x80", 1);
    struct verb_ask ask;
    record_clear(&verb_ask_record, &ask);
    text_copy(ask.to, sizeof(ask.to), asking->question->to);
    text_copy(ask.question, sizeof(ask.question), asking->question->name);
    ask.args = buf_bytes(&args);
    ask.at_least = asking->at_least;
    int code;
    bool more;
    int64_t told = 0;
    do {
        uint32_t n = 0;
        ask.limit = asking->limit > 0 && asking->limit - told < 100 ? asking->limit - told : 100;
        code = page_ask(asker, asking, &ask, &n, &more);
        told += n;
    } while (code == GOES_ON && more && (asking->limit == 0 || told < asking->limit));
    buf_release(&args);
    return code == GOES_ON ? CLI_DONE : code;
}
