/* erase: the personal data of one customer. Ordered by an event; done by intake; told when no table's file holds it any more. */
#include "base/clock.h"
#include "base/text.h"
#include "connection.h"
#include "line.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define DONE_WITHIN_US (30 * MINUTE_US)
#define LOOK_AGAIN_US (3 * SECOND_US / 10)

struct erase {
    struct cli *cli;
    const char *customer, *reason;
};

/* An answer's row, by the question's own record. */
struct erasure {
    int64_t events, refusals, erased_us, rewritten_us;
    bool found;
    int64_t wanted;
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct erase *erase = state->input;
    switch (key) {
    case 'r':
        erase->reason = arg;
        return 0;
    case ARGP_KEY_ARG:
        if (erase->customer != NULL)
            argp_error(state, "one CUSTOMER");
        erase->customer = arg;
        return 0;
    case ARGP_KEY_END:
        if (erase->customer == NULL)
            argp_error(state, "whose? the CUSTOMER's id");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static int64_t int_of(const struct record *record, const void *row, const char *name)
{
    int64_t value;
    memcpy(&value, (const char *)row + record_field(record, name)->offset, sizeof(value));
    return value;
}

static void on_row(void *owner, const struct record *record, const void *row)
{
    struct erasure *erasure = owner;
    if (int_of(record, row, "pos") != erasure->wanted)
        return;
    erasure->found = true;
    erasure->events = int_of(record, row, "events");
    erasure->refusals = int_of(record, row, "refusals");
    erasure->erased_us = int_of(record, row, "erased");
    erasure->rewritten_us = int_of(record, row, "rewritten");
}

/* Position of the order. */
static int order(const struct erase *erase, int64_t *pos)
{
    const struct cli *cli = erase->cli;
    struct personal_erased erased;
    struct stream_created stream;
    struct buf data = {0}, result = {0};
    struct answer answer;
    char by[EVENT_BY_CAP];
    operator_by(by);
    record_clear(&personal_erased_record, &erased);
    text_copy(erased.customer, sizeof(erased.customer), erase->customer);
    text_copy(erased.reason, sizeof(erased.reason), erase->reason != NULL ? erase->reason : "");
    record_encode(&personal_erased_record, RECORD_PLAIN, &erased, &data);
    const struct draft draft = {.type = "personal.erased", .v = 1, .key = erase->customer, .by = by, .data = buf_bytes(&data)};
    int code = stream_read(cli, &stream);
    if (code == CLI_DONE)
        code = send_one(cli, stream.stream, &draft, &answer, &result);
    if (code == CLI_DONE && !answer.taken)
        code = refusal_say(cli, &answer.problem);
    if (code == CLI_DONE)
        *pos = answer.pos;
    buf_release(&data);
    buf_release(&result);
    return code;
}

/* While tables are written anew intake may be silent for longer than a question waits: it is asked again. */
static int ask_patiently(struct asker *asker, struct asking *asking, int64_t *heard_us)
{
    asking->quiet = clock_boot_us() - *heard_us < OUTAGE_US;
    int code = asker_ask(asker, asking);
    if (code == CLI_SILENT && asking->quiet)
        return CLI_DONE;
    *heard_us = clock_boot_us();
    return code;
}

static int wait_for_it(const struct erase *erase, struct erasure *erasure)
{
    int64_t heard_us = clock_boot_us(), until_us = heard_us + DONE_WITHIN_US;
    struct asking asking = {.question = question_find("intake", "erasures"), .at_least = erasure->wanted, .row = on_row, .owner = erasure};
    void *args = memory_new(asking.question->args->size);
    const struct field *customer = record_field(asking.question->args, "customer");
    text_copy((char *)args + customer->offset, customer->size, erase->customer);
    asking.args = args;
    struct asker *asker = asker_new(erase->cli);
    int code = asker != NULL ? CLI_DONE : CLI_SILENT;
    while (code == CLI_DONE && erasure->rewritten_us == 0 && clock_boot_us() < until_us) {
        code = ask_patiently(asker, &asking, &heard_us);
        if (code == CLI_DONE && erasure->rewritten_us == 0)
            code = asker_rest(asker, LOOK_AGAIN_US);
    }
    asker_destroy(&asker);
    free(args);
    return code;
}

static int outcome_say(const struct erase *erase, const struct erasure *erasure)
{
    const struct cli *cli = erase->cli;
    bool done = erasure->rewritten_us != 0;
    if (cli->json)
        printf("{\"pos\":%" PRId64 ",\"customer\":\"%s\",\"events\":%" PRId64 ",\"refusals\":%" PRId64 ",\"done\":%s}\n", erasure->wanted,
               erase->customer, erasure->events, erasure->refusals, done ? "true" : "false");
    else if (done)
        printf(in_words(cli->language, "erased: %" PRId64 " events and %" PRId64 " refused ones held personal data of %s\n"),
               erasure->events, erasure->refusals, erase->customer);
    if (done)
        return CLI_DONE;
    return cli_fail(cli, CLI_REFUSED, in_words(cli->language, "Intake goes on with it by itself; its log says what it waits for."),
                    in_words(cli->language, "ordered at position %" PRId64 ", not finished yet"), erasure->wanted);
}

int command_erase(struct cli *cli, int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"reason", 'r', "TEXT", 0, "stands in the journal; no personal data", 0},
        {0},
    };
    static const struct cli_syntax syntax = {options, parse, "CUSTOMER",
                                             "Erase the personal data of a customer, by its id: in every event and refused event so far. "
                                             "Tables that held it are written anew, which holds intake up for some seconds a million "
                                             "events. What is written later is new."};
    struct erase erase = {.cli = cli};
    struct erasure erasure = {.found = false};
    cli_parse(&syntax, argc, argv, &erase);
    if (!text_is_key(erase.customer, strlen(erase.customer)))
        return cli_fail(cli, CLI_USAGE, in_words(cli->language, "Up to 64 of A-Z a-z 0-9 . _ -"),
                        in_words(cli->language, "\"%s\" cannot be a key"), erase.customer);
    int code = order(&erase, &erasure.wanted);
    if (code == CLI_DONE)
        code = wait_for_it(&erase, &erasure);
    return code == CLI_DONE ? outcome_say(&erase, &erasure) : code;
}
