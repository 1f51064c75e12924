/* Asking: a question, its pages and rows. */
#include "base/clock.h"
#include "base/text.h"
#include "bus/inquiry.h"
#include "connection.h"
#include "line.h"
#include <stdlib.h>

#define ROWS_A_PAGE 100

struct asker {
    const struct cli *cli;
    struct line line;
    struct inquiry *inquiry;
    struct arena *arena; /* a page's rows */
    int64_t told;        /* rows of what is asked now */
    int64_t until_us;    /* its next page comes by then */
    bool heard;          /* intake is there */
};

struct asker *asker_new(const struct cli *cli)
{
    struct asker *asker = memory_new(sizeof(*asker));
    asker->cli = cli;
    asker->arena = arena_new(65536);
    asker->inquiry = inquiry_new();
    if (line_open(cli, &asker->line, "feed", line_principal(cli)))
        inquiry_connected(asker->inquiry, clock_boot_us());
    else
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
    inquiry_destroy(&asker->inquiry);
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

static void page_wanted(struct asker *asker, const struct asking *asking)
{
    asker->until_us = clock_boot_us() + (asking->quiet ? SECOND_US : asker->cli->patience_us) +
                      (asking->at_least > 0 ? 5 * SECOND_US : 0);
}

static int rows_told(struct asker *asker, const struct asking *asking)
{
    const struct record *record = asking->question->row;
    const struct verb_answer *page = inquiry_page(asker->inquiry);
    const struct bytes *rows = page->rows.items;
    void *row = memory_new(record->size);
    int code = GOES_ON;
    for (uint32_t i = 0; i < page->rows.n && code == GOES_ON; i++) {
        struct problem problem;
        if (asking->limit > 0 && asker->told == asking->limit)
            break;
        asker->told++;
        if (record_decode(record, RECORD_WHOLE, DECODE_LENIENT, rows[i], asker->arena, row,
                          &problem))
            asking->row(asking->owner, record, row);
        else
            code = ask_error(asker, asking, problem.code, problem.field);
    }
    free(row);
    arena_reset(asker->arena);
    if (page->rows.n > 0)
        page_wanted(asker, asking);
    return code;
}

/* GOES_ON: what came has been told; a connection in doubt is another one now. */
static int frame_heard(struct asker *asker, const struct asking *asking, const struct frame *frame)
{
    bool fine = inquiry_in(asker->inquiry, frame, clock_boot_us());
    const struct verb_error *refusal = inquiry_refusal(asker->inquiry);
    if (refusal->code[0] != '\0') /* who asks by hand asks again himself */
        return ask_error(asker, asking, refusal->code, refusal->why);
    if (fine)
        return rows_told(asker, asking);
    if (!line_connect(asker->cli, &asker->line))
        return CLI_SILENT;
    inquiry_connected(asker->inquiry, clock_boot_us());
    return GOES_ON;
}

static int nobody_answers(const struct asker *asker, const struct asking *asking)
{
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

/* Says what is due, and waits for a frame. */
static int ask_turn(struct asker *asker, const struct asking *asking)
{
    struct frame frame;
    int64_t now_us = clock_boot_us();
    bool sent = line_send_held(&asker->line);
    if (sent && inquiry_out(asker->inquiry, now_us, &frame))
        sent = line_send(&asker->line, frame.verb, frame.map);
    enum status status = bus_receive(asker->line.socket, &frame);
    asker->heard = asker->heard || status == STATUS_OK;
    if (status == STATUS_OK)
        return frame_heard(asker, asking, &frame);
    if (status == STATUS_REFUSED)
        return GOES_ON;
    if (now_us >= asker->until_us)
        return nobody_answers(asker, asking);
    if (!loop_once(asker->line.loop, sent ? asker->until_us : now_us + SEND_AGAIN_US))
        return line_interrupted(asker->cli);
    return GOES_ON;
}

int asker_ask(struct asker *asker, const struct asking *asking)
{
    struct buf args = {0};
    struct verb_ask ask;
    int code = GOES_ON;
    if (asking->args != NULL)
        record_encode(asking->question->args, RECORD_WHOLE, asking->args, &args);
    else
        buf_append(&args, "\x80", 1);
    record_clear(&verb_ask_record, &ask);
    text_copy(ask.to, sizeof(ask.to), asking->question->to);
    text_copy(ask.question, sizeof(ask.question), asking->question->name);
    ask.args = buf_bytes(&args);
    ask.at_least = asking->at_least;
    ask.limit = asking->limit > 0 && asking->limit < ROWS_A_PAGE ? asking->limit : ROWS_A_PAGE;
    asker->told = 0;
    inquiry_ask(asker->inquiry, &ask);
    page_wanted(asker, asking);
    while (code == GOES_ON && !inquiry_is_over(asker->inquiry) &&
           (asking->limit == 0 || asker->told < asking->limit))
        code = ask_turn(asker, asking);
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
