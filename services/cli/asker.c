/* Asking: a question, its pages and rows. */
#include "base/clock.h"
#include "base/text.h"
#include "connection.h"
#include "line.h"
#include <stdlib.h>

struct asker {
    const struct cli *cli;
    struct line line;
    struct arena *arena;
    int64_t id;
    bool heard; /* intake is there */
    struct buf map;
};

struct asker *asker_new(const struct cli *cli)
{
    struct asker *asker = memory_new(sizeof(*asker));
    asker->cli = cli;
    asker->arena = arena_new(65536);
    if (!line_open(cli, &asker->line, "feed", line_principal(cli)))
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

static int ask_error(struct asker *asker, const struct asking *asking, const char *code,
                     const char *why)
{
    if (asking->quiet)
        return CLI_SILENT;
    const struct cli *cli = asker->cli;
    bool absent =
        text_starts(code, "no-") || text_equal(code, "nobody") || text_equal(code, "timeout");
    return cli_fail(cli, absent ? CLI_SILENT : CLI_REFUSED,
                    in_words(cli->language, "`aftercare status` shows which services answer."),
                    in_words(cli->language, "%s does not answer \"%s\": %s %s"),
                    asking->question->to, asking->question->name, code, why);
}

/* The next frame for this question; its map is valid until the next receive. GOES_ON: it is there.
 */
static int ask_wait(struct asker *asker, const struct asking *asking, struct frame *frame)
{
    int64_t deadline_us = clock_boot_us() + (asking->quiet ? SECOND_US : asker->cli->patience_us) +
                          (asking->at_least > 0 ? 5 * SECOND_US : 0);
    for (;;) {
        int64_t now_us = clock_boot_us();
        bool sent = line_send_held(&asker->line);
        enum status status = bus_receive(asker->line.socket, frame);
        asker->heard = asker->heard || status == STATUS_OK;
        if (status == STATUS_OK &&
            (text_equal(frame->verb, "ANSWER") || text_equal(frame->verb, "ERROR")))
            return GOES_ON;
        if (status == STATUS_OK || status == STATUS_REFUSED)
            continue;
        if (now_us >= deadline_us)
            break;
        int64_t due_us = sent ? deadline_us : now_us + SEND_AGAIN_US;
        if (!loop_once(asker->line.loop, due_us))
            return line_interrupted(asker->cli);
    }
    if (asking->quiet)
        return CLI_SILENT;
    if (!asker->heard)
        return line_silent(asker->cli, asker->line.endpoint);
    return cli_fail(
        asker->cli, CLI_SILENT,
        in_words(asker->cli->language, "`aftercare status` shows which services answer."),
        in_words(asker->cli->language, "%s does not answer at %s"), asking->question->to,
        asker->line.endpoint);
}

static int rows_told(struct asker *asker, const struct asking *asking,
                     const struct verb_answer *answer)
{
    const struct record *record = asking->question->row;
    const struct bytes *rows = answer->rows.items;
    void *row = memory_new(record->size);
    int code = GOES_ON;
    for (uint32_t i = 0; i < answer->rows.n && code == GOES_ON; i++) {
        struct problem problem;
        if (record_decode(record, RECORD_WHOLE, DECODE_LENIENT, rows[i], asker->arena, row,
                          &problem))
            asking->row(asking->owner, record, row);
        else
            code = ask_error(asker, asking, problem.code, problem.field);
    }
    free(row);
    return code;
}

static int page_ask(struct asker *asker, const struct asking *asking, struct verb_ask *ask,
                    uint32_t *rows_n, bool *more)
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
            if (record_decode(&verb_error_record, RECORD_WHOLE, DECODE_LENIENT, frame.map, NULL,
                              &error, &problem) &&
                (error.id == ask->id || error.id == 0))
                return ask_error(asker, asking, error.code, error.why);
            continue;
        }
        struct verb_answer answer;
        arena_reset(asker->arena);
        if (!record_decode(&verb_answer_record, RECORD_WHOLE, DECODE_LENIENT, frame.map,
                           asker->arena, &answer, &problem) ||
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

int asker_rest(struct asker *asker, int64_t us)
{
    int64_t until_us = clock_boot_us() + us;
    struct frame frame;
    enum status status;
    while (clock_boot_us() < until_us) {
        do /* what comes now answers nothing that is asked still */
            status = bus_receive(asker->line.socket, &frame);
        while (status == STATUS_OK || status == STATUS_REFUSED);
        if (!loop_once(asker->line.loop, until_us))
            return line_interrupted(asker->cli);
    }
    return CLI_DONE;
}

struct head_found {
    int64_t pos, now_us;
};

static void on_status(void *owner, const struct record *record, const void *row)
{
    struct head_found *found = owner;
    const struct status_row *status = row;
    (void)record;
    if (text_equal(status->service, "intake"))
        *found = (struct head_found){.pos = status->pos, .now_us = status->checked_us};
}

int head_ask(const struct cli *cli, int64_t *head, int64_t *now_us)
{
    struct head_found found = {0};
    struct asker *asker = asker_new(cli);
    if (asker == NULL)
        return CLI_SILENT;
    const struct asking asking = {
        .question = question_find("intake", "status"), .row = on_status, .owner = &found};
    int code = asker_ask(asker, &asking);
    asker_destroy(&asker);
    *head = found.pos;
    if (now_us != NULL)
        *now_us = found.now_us;
    return code;
}
