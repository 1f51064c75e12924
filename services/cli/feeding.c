/* Reading: replay, and the tail. */
#include "base/clock.h"
#include "base/text.h"
#include "connection.h"
#include "line.h"

struct feeding {
    const struct cli *cli;
    struct line line;
    struct reader *reader;
    const struct feed_listener *listener;
    void *owner;
    bool opened, enough, caught_up, failed;
    int64_t heard_us;
    char code[40], why[200];
};

static void on_event(void *owner, uint64_t pos, struct bytes body, struct bytes priv,
                     const uint8_t link[LINK_BYTES])
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
        snprintf(feeding->why, sizeof(feeding->why), "%llu: %.80s", (unsigned long long)pos,
                 problem.code);
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
        while (reader_out(feeding->reader, now_us, &frame) &&
               line_send(&feeding->line, frame.verb, frame.map))
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
    return now_us - feeding->heard_us > patience_us
               ? line_silent(feeding->cli, feeding->line.endpoint)
               : GOES_ON;
}

static void opened_tell(struct feeding *feeding)
{
    const char *stream = reader_stream(feeding->reader);
    if (feeding->opened || stream[0] == '\0')
        return;
    feeding->opened = true;
    if (feeding->listener->opened != NULL &&
        !feeding->listener->opened(feeding->owner, stream, reader_head(feeding->reader)))
        feeding->enough = true;
}

int feed_read(const struct cli *cli, const char *stream, const struct verb_open *open, bool verify,
              const struct feed_listener *listener, void *owner)
{
    static const struct reader_listener reader_listener = {
        .event = on_event, .head = on_head, .failed = on_failed};
    struct reader_config config = {.open = *open, .verify = verify};
    struct feeding feeding = {
        .cli = cli, .listener = listener, .owner = owner, .heard_us = clock_boot_us()};
    text_copy(config.open.stream, sizeof(config.open.stream), stream);
    text_format(config.open.consumer, sizeof(config.open.consumer), "%s/cli", line_principal(cli));
    if (config.open.credit == 0)
        config.open.credit = 4 << 20;
    int code = CLI_SILENT;
    feeding.reader = reader_new(&config, &reader_listener, &feeding);
    if (line_open(cli, &feeding.line, "feed", line_principal(cli))) {
        reader_connected(feeding.reader, clock_boot_us());
        code = GOES_ON;
    }
    while (code == GOES_ON && !feeding.enough && !feeding.failed &&
           (open->follow || !feeding.caught_up)) {
        code = feeding_turn(&feeding);
        opened_tell(&feeding);
    }
    if (feeding.failed && text_equal(feeding.code, "ahead"))
        code = cli_fail(
            cli, CLI_REFUSED,
            in_words(cli->language, "`aftercare tail --from now --follow` waits for what comes."),
            in_words(cli->language, "the journal is not that long: %s"), feeding.why);
    else if (feeding.failed)
        code = cli_fail(cli, CLI_REFUSED,
                        in_words(cli->language, "`aftercare verify` checks the whole journal."),
                        in_words(cli->language, "reading ended: %s %s"), feeding.code, feeding.why);
    line_close(&feeding.line);
    reader_destroy(&feeding.reader);
    return code == GOES_ON ? CLI_DONE : code;
}

struct first {
    struct stream_created *created;
    bool found;
    char stream[64];
};

static bool first_opened(void *owner, const char *stream, uint64_t head)
{
    struct first *first = owner;
    (void)head;
    return text_copy(first->stream, sizeof(first->stream), stream);
}

static bool first_event(void *owner, const struct event *event)
{
    struct first *first = owner;
    struct problem problem;
    struct stream_created created;
    if (event->pos == 1 && record_decode(&stream_created_record, RECORD_PLAIN, DECODE_LENIENT,
                                         event->data, NULL, &created, &problem)) {
        *first->created = created;
        first->found = true;
    }
    return false;
}

int stream_read(const struct cli *cli, struct stream_created *created)
{
    static const struct feed_listener listener = {.opened = first_opened, .event = first_event};
    struct first first = {.created = created};
    struct verb_open open;
    if (cli->branch) { /* it takes facts before it has ever heard of its stream */
        record_clear(&stream_created_record, created);
        (void)text_copy(created->stream, sizeof(created->stream), "-");
        return CLI_DONE;
    }
    record_clear(&verb_open_record, &open);
    open.credit = 2048; /* one event: the line may be narrow */
    int code = feed_read(cli, "", &open, false, &listener, &first);
    if (code == CLI_DONE && !first.found) { /* who does not see all does not see how it was begun: its name is all he needs */
        record_clear(&stream_created_record, created);
        (void)text_copy(created->stream, sizeof(created->stream), first.stream);
    }
    return code;
}

static bool head_opened(void *owner, const char *stream, uint64_t head)
{
    (void)stream;
    *(int64_t *)owner = (int64_t)head;
    return false;
}

static bool head_event(void *owner, const struct event *event)
{
    (void)owner;
    (void)event;
    return true;
}

int head_read(const struct cli *cli, int64_t *head)
{
    static const struct feed_listener listener = {.opened = head_opened, .event = head_event};
    struct verb_open open;
    record_clear(&verb_open_record, &open);
    open.credit = 2048;
    return feed_read(cli, "", &open, false, &listener, head);
}
