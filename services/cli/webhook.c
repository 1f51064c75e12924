/* webhook: the queue of aftercare-webhook, which its own program reads and changes. */
#include "base/text.h"
#include "sibling.h"

struct words {
    struct cli *cli; /* first: cli_parse */
    const char *items[6];
    size_t n;
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct words *words = state->input;
    switch (key) {
    case 'r':
    case ARGP_KEY_ARG:
        if (words->n + 2 > COUNT_OF(words->items))
            argp_error(state, "%s: too much", arg);
        if (key == 'r')
            words->items[words->n++] = "--reason";
        words->items[words->n++] = arg;
        return 0;
    case ARGP_KEY_END:
        if (words->n == 0)
            argp_error(state, "list, parked [HOOK], retry HOOK [POS], skip HOOK POS --reason TEXT, check");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

int command_webhook(struct cli *cli, int argc, char **argv)
{
    static const struct argp_option options[] = {{"reason", 'r', "TEXT", 0, "with skip: why it need not be sent", 0}, {0}};
    static const struct cli_syntax syntax = {options, parse, "list|parked|retry|skip|check [HOOK [POS]]",
                                             "Look at what is pushed to others by HTTP, and at what they do not take.\vExamples:\n"
                                             "  aftercare webhook list\n"
                                             "  aftercare webhook parked erp\n"
                                             "  aftercare webhook retry erp\n"
                                             "  aftercare webhook skip erp 1200 --reason \"entered by hand\""};
    struct words words = {.cli = cli};
    struct buf told = {0};
    int status = CLI_REFUSED;
    cli_parse(&syntax, argc, argv, &words);
    if (cli->json && words.n < COUNT_OF(words.items))
        words.items[words.n++] = "--json";
    bool ran = sibling_run(cli, "webhook", words.items, words.n, &told, &status);
    if (ran)
        (void)fwrite(told.data, 1, told.len, stdout);
    buf_release(&told);
    return ran ? status : CLI_REFUSED;
}
