/* tickets, jobs, limits, callbacks, sites, engineers: a question each, filtered by its arguments. */
#include "base/text.h"
#include "connection.h"
#include "field_text.h"
#include "rows.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct listing {
    struct cli *cli;
    const struct question_type *question;
    const struct question_type *why; /* jobs only */
    const char *words[32];
    size_t words_n;
    int64_t limit;
    bool ask_why, named; /* named: what is asked for was said by a word without a field */
};

static const struct {
    const char *command, *to, *question;
} lists[] = {{"tickets", "reporting", "tickets"},  {"jobs", "dispatcher", "jobs"},
             {"limits", "sla-watchdog", "limits"}, {"callbacks", "follow-up", "callbacks"},
             {"sites", "dispatcher", "sites"},     {"engineers", "dispatcher", "engineers"}};

static error_t list_parse(int key, char *arg, struct argp_state *state)
{
    struct listing *listing = state->input;
    switch (key) {
    case 'w':
        listing->ask_why = true;
        if (listing->why == NULL)
            argp_error(state, "`--why`, written out, goes with `jobs ID` and `limits ID`");
        return 0;
    case 'n': {
        char *end;
        listing->limit = strtoll(arg, &end, 10);
        if (end == arg || *end != '\0' || listing->limit < 0)
            argp_error(state, "--limit: a number, 0 for all");
        return 0;
    }
    case ARGP_KEY_ARG:
        if (listing->words_n == COUNT_OF(listing->words))
            argp_error(state, "too many filters");
        listing->words[listing->words_n++] = arg;
        listing->named = listing->named || strchr(arg, '=') == NULL;
        return 0;
    case ARGP_KEY_END:
        if (listing->ask_why && listing->words_n == 0)
            argp_error(state, "whose choice? `aftercare jobs ID --why`");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* `jobs 123` means ticket 123 (123/j1: that job, or its ticket where jobs are listed); elsewhere a
 * bare word is the first text argument.
 */
static const char *field_of_word(const struct record *args, const char *word)
{
    const struct field *job = record_field(args, "job"), *ticket = record_field(args, "ticket");
    if (job != NULL && strchr(word, '/') != NULL)
        return job->name;
    if (ticket != NULL)
        return ticket->name;
    for (size_t i = 0; i < args->n; i++)
        if (args->fields[i].kind == FIELD_TEXT)
            return args->fields[i].name;
    return args->n > 0 ? args->fields[0].name : "";
}

static bool filters_read(const struct listing *listing, const struct record *record, void *args)
{
    const struct cli *cli = listing->cli;
    const struct time_reading reading = {
        .zone = zone_find("localtime"), .formats = {"%Y-%m-%d"}, .formats_n = 1};
    for (size_t i = 0; i < listing->words_n; i++) {
        char name[64];
        const char *word = listing->words[i], *equals = strchr(word, '=');
        if (equals == NULL)
            text_copy(name, sizeof(name), field_of_word(record, word));
        else
            text_copy_n(name, sizeof(name), word, (size_t)(equals - word));
        struct problem problem;
        char value[200];
        if (!text_copy(value, sizeof(value), equals != NULL ? equals + 1 : word))
            value[0] = '\0';
        if (equals == NULL && text_equal(name, "ticket") && strchr(value, '/') != NULL)
            *strchr(value, '/') = '\0';
        if (field_set(record, args, name, value, &reading, &problem))
            continue;
        struct buf words = {0}, help = {0};
        problem_print(&problem, cli->language == CHINESE, &words);
        field_help(record, "", &help);
        cli_fail(cli, CLI_USAGE, in_words(cli->language, "Filters are:"), "%s", buf_text(&words));
        fputs(buf_text(&help), stderr);
        buf_release(&words);
        buf_release(&help);
        return false;
    }
    return true;
}

/* A list may be empty; what is asked for by its name is there or not. */
static int nothing_of(const struct listing *listing)
{
    const char *word = "";
    for (size_t i = 0; i < listing->words_n; i++)
        if (strchr(listing->words[i], '=') == NULL)
            word = listing->words[i];
    return cli_fail(listing->cli, CLI_REFUSED,
                    in_words(listing->cli->language, "`aftercare tickets` lists them."),
                    in_words(listing->cli->language, "nothing is known about %s"), word);
}

static int list_run(const struct listing *listing)
{
    const struct question_type *question = listing->ask_why ? listing->why : listing->question;
    void *args = memory_new(question->args->size + 1);
    struct rows rows;
    int code = CLI_USAGE;
    record_clear(question->args, args);
    if (filters_read(listing, question->args, args)) {
        struct asker *asker = asker_new(listing->cli);
        rows_init(&rows, listing->cli, question->row);
        const struct asking asking = {.question = question,
                                      .args = args,
                                      .limit = listing->limit,
                                      .row = rows_add,
                                      .owner = &rows};
        code = asker != NULL ? asker_ask(asker, &asking) : CLI_SILENT;
        if (code == CLI_DONE && rows.n == 0 && listing->named)
            code = nothing_of(listing);
        if (code == CLI_DONE)
            rows_end(&rows);
        else
            sheet_release(&rows.sheet);
        if (code == CLI_DONE && listing->ask_why && !listing->cli->json)
            printf("%s\n", in_words(listing->cli->language,
                                    "load: open jobs then; the lowest score is chosen; +N: so many "
                                    "more sites, removed for that reason"));
        if (code == CLI_DONE && listing->limit > 0 && rows.n == (size_t)listing->limit)
            cli_note(listing->cli,
                     in_words(listing->cli->language, "the first %" PRId64 "; --limit 0 gives all"),
                     listing->limit);
        asker_destroy(&asker);
    }
    free(args);
    return code;
}

static const char *example_of(const char *name)
{
    static const struct {
        const char *name, *lines;
    } examples[] = {
        {"tickets", "  aftercare tickets state=resolved region=BOS-07 --limit 0\n"},
        {"jobs", "  aftercare jobs site=pwd-07 state=accepted\n"
                 "  aftercare jobs 101000295613 --why\n"},
        {"limits", "  aftercare limits state=breached --json\n"
                   "  aftercare limits GD01-20261122-000123 --why\n"},
        {"callbacks", "  aftercare callbacks state=due\n"},
        {"sites", "  aftercare sites tier=3\n"},
        {"engineers", "  aftercare engineers site=pwd-07 state=on\n"},
    };
    for (size_t i = 0; i < COUNT_OF(examples); i++)
        if (text_equal(examples[i].name, name))
            return examples[i].lines;
    return "";
}

static const char *listed(const struct cli *cli, const char *doc)
{
    const char *words = cli->language == CHINESE ? help_words(doc) : NULL;
    return words != NULL ? words : doc;
}

int command_list(struct cli *cli, int argc, char **argv)
{
    const char *space = strrchr(argv[0], ' '), *name = space != NULL ? space + 1 : argv[0];
    bool limits = text_equal(name, "limits"); /* limits.c answers --why */
    const struct argp_option options[] = {
        {"why", 'w', NULL, 0,
         limits ? "how each was counted: windows, waits, lines, levels"
                : "the candidates of the choice, what removed each, scores",
         0},
        {"limit", 'n', "N", 0, "at most so many rows (default 50, 0: all)", 0},
        {0}};
    struct listing listing = {.cli = cli, .limit = 50};
    for (size_t i = 0; i < COUNT_OF(lists); i++)
        if (text_equal(lists[i].command, name))
            listing.question = question_find(lists[i].to, lists[i].question);
    if (listing.question == NULL)
        return cli_fail(cli, CLI_USAGE, NULL, in_words(cli->language, "there is no command \"%s\""),
                        name);
    if (text_equal(name, "jobs"))
        listing.why = question_find("dispatcher", "why");
    struct buf doc = {0};
    buf_append_format(&doc, in_words(cli->language, "List %s."),
                      listed(cli, listing.question->doc));
    buf_append_format(&doc, "\v%s\n", in_words(cli->language, "Filters (FIELD=VALUE):"));
    field_help(listing.question->args, "", &doc);
    buf_append_format(
        &doc, "\n%s\n%s",
        cli->language == CHINESE ? help_words("Examples:") : "Examples:", example_of(name));
    const struct cli_syntax syntax = {limits || listing.why != NULL ? options : options + 1, list_parse,
                                      "[ID] [FIELD=VALUE …]", buf_text(&doc)};
    cli_parse(&syntax, argc, argv, &listing);
    int code = list_run(&listing);
    buf_release(&doc);
    return code;
}
