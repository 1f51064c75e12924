/* refused: what intake did not take, and why. */
#include "refused.h"
#include "base/clock.h"
#include "base/text.h"
#include "field_text.h"
#include "table_print.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define WORDS_MAX 64

struct command_line {
    struct cli *cli;
    struct refused_args args;
    const char *words[WORDS_MAX];
    size_t words_n;
    int64_t limit;
    bool edit, personal;
    const char *by;
};

/* --- the question ---------------------------------------------------------------------------------- */

void refusal_words(const struct cli *cli, const struct refused_row *row, struct buf *out)
{
    struct problem problem = {0};
    text_copy(problem.code, sizeof(problem.code), row->code);
    text_copy(problem.field, sizeof(problem.field), row->field);
    text_copy(problem.args, sizeof(problem.args), row->args);
    problem_print(&problem, cli->language == CHINESE, out);
}

static void on_refusal(void *owner, const struct record *record, const void *row)
{
    struct refusal *refusal = owner;
    (void)record;
    refusal->row = *(const struct refused_row *)row;
    buf_reset(&refusal->event);
    buf_append(&refusal->event, refusal->row.event.data, refusal->row.event.len);
    refusal->row.event = bytes_of(NULL, 0);
}

int refusal_ask(const struct cli *cli, const char *source, int64_t n, bool personal, struct refusal *refusal)
{
    struct refused_args args = {.n = n, .event = true, .personal = personal};
    *refusal = (struct refusal){.row = {.n = 0}};
    text_copy(args.source, sizeof(args.source), source);
    struct asker *asker = asker_new(cli);
    const struct asking asking = {
        .question = question_find("intake", "refused"), .args = &args, .limit = 1, .row = on_refusal, .owner = refusal};
    int code = asker != NULL ? asker_ask(asker, &asking) : CLI_SILENT;
    asker_destroy(&asker);
    if (code == CLI_DONE && refusal->row.n != n)
        code = cli_fail(cli, CLI_REFUSED, in_words(cli->language, "`aftercare refused` lists what was refused."),
                        in_words(cli->language, "%s has no refused event %" PRId64), source, n);
    return code;
}

void refusal_release(struct refusal *refusal)
{
    buf_release(&refusal->event);
}

/* SOURCE N, or SOURCE/N in one word. False: neither. */
static bool refusal_named(const char *const *words, size_t n, char source[EVENT_SOURCE_CAP], int64_t *number, size_t *used)
{
    char *end;
    *used = n > 1 ? 2 : 1;
    if (n == 0)
        return false;
    const char *digits = n > 1 ? words[1] : "";
    *number = strtoll(digits, &end, 10);
    if (n > 1 && end != digits && *end == '\0' && *number > 0)
        return text_copy(source, EVENT_SOURCE_CAP, words[0]);
    const char *slash = strrchr(words[0], '/');
    *used = 1;
    if (slash == NULL)
        return false;
    *number = strtoll(slash + 1, &end, 10);
    return end != slash + 1 && *end == '\0' && *number > 0 &&
           text_copy_n(source, EVENT_SOURCE_CAP, words[0], (size_t)(slash - words[0]));
}

/* --- the list -------------------------------------------------------------------------------------- */

struct listing {
    const struct cli *cli;
    struct sheet sheet;
    size_t n;
};

static void row_print_json(const struct listing *listing, const struct record *record, const struct refused_row *row)
{
    struct buf out = {0}, words = {0};
    refusal_words(listing->cli, row, &words);
    record_print_json(record, RECORD_WHOLE, row, &out);
    out.len--; /* the brace */
    buf_append_text(&out, ",\"reason\":");
    json_text(&out, buf_text(&words));
    printf("%s}\n", buf_text(&out));
    buf_release(&out);
    buf_release(&words);
}

static void on_row(void *owner, const struct record *record, const void *data)
{
    struct listing *listing = owner;
    const struct refused_row *row = data;
    char n[24], when[INSTANT_TEXT_MAX], corrected[24] = "";
    struct buf words = {0};
    listing->n++;
    if (listing->cli->json) {
        row_print_json(listing, record, row);
        return;
    }
    refusal_words(listing->cli, row, &words);
    text_format(n, sizeof(n), "%" PRId64, row->n);
    if (row->corrected > 0)
        text_format(corrected, sizeof(corrected), "%" PRId64, row->corrected);
    time_words(row->rec_us, when);
    sheet_cell(&listing->sheet, row->source);
    sheet_cell(&listing->sheet, n);
    sheet_cell(&listing->sheet, when);
    sheet_cell(&listing->sheet, row->type);
    sheet_cell(&listing->sheet, row->key);
    sheet_cell(&listing->sheet, row->code);
    sheet_cell(&listing->sheet, row->field);
    sheet_cell_whole(&listing->sheet, buf_text(&words));
    sheet_cell(&listing->sheet, corrected);
    buf_release(&words);
}

static void list_end(struct listing *listing, int64_t limit)
{
    const struct cli *cli = listing->cli;
    struct buf out = {0};
    if (!cli->json && listing->n == 0)
        printf("%s\n", in_words(cli->language, "none"));
    if (!cli->json && listing->n > 0) {
        sheet_print(&listing->sheet, cli->colour, &out);
        printf("%s%s\n", buf_text(&out),
               in_words(cli->language,
                        "`aftercare refused show SOURCE N` shows one, `refused send SOURCE N field=value …` corrects it"));
    }
    if (limit > 0 && listing->n == (size_t)limit)
        cli_note(cli, in_words(cli->language, "the first %" PRId64 "; --limit 0 gives all"), limit);
    buf_release(&out);
}

static int list(const struct command_line *line)
{
    static const char *const titles[] = {"source", "n", "refused", "type", "key", "code", "field", "reason", "corrected"};
    const struct cli *cli = line->cli;
    struct listing listing = {.cli = cli};
    sheet_init(&listing.sheet, COUNT_OF(titles));
    for (size_t i = 0; i < COUNT_OF(titles); i++)
        sheet_cell(&listing.sheet, in_words(cli->language, titles[i]));
    struct asker *asker = asker_new(cli);
    const struct asking asking = {.question = question_find("intake", "refused"),
                                  .args = &line->args,
                                  .limit = line->limit,
                                  .row = on_row,
                                  .owner = &listing};
    int code = asker != NULL ? asker_ask(asker, &asking) : CLI_SILENT;
    asker_destroy(&asker);
    if (code == CLI_DONE)
        list_end(&listing, line->limit);
    sheet_release(&listing.sheet);
    return code;
}

/* --- the command line ------------------------------------------------------------------------------ */

/* An instant, a day, or how long ago ("2h", "3d"). */
static bool since_read(const char *text, int64_t *us)
{
    const struct time_reading reading = {
        .zone = zone_find("localtime"), .formats = {"%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%d"}, .formats_n = 3};
    struct span span;
    if (time_read(&reading, text, us))
        return true;
    bool ago = span_parse(text, &span) && (span.unit == SPAN_SECONDS || span.unit == SPAN_MINUTES || span.unit == SPAN_HOURS ||
                                           span.unit == SPAN_DAYS || span.unit == SPAN_WEEKS);
    if (ago)
        *us = clock_wall_us() - span_us(span);
    return ago;
}

static void filter_set(struct command_line *line, const char *name, const char *value, struct argp_state *state)
{
    bool good = false;
    if (text_equal(name, "source"))
        good = text_copy(line->args.source, sizeof(line->args.source), value);
    else if (text_equal(name, "code"))
        good = text_copy(line->args.code, sizeof(line->args.code), value);
    else if (text_equal(name, "since"))
        good = since_read(value, &line->args.since_us);
    else
        argp_error(state, "filters are source, code, since");
    if (!good)
        argp_error(state, "%s: \"%s\" is not understood", name, value);
}

static bool is_deed(const struct command_line *line)
{
    return line->words_n > 0 && (text_equal(line->words[0], "show") || text_equal(line->words[0], "send"));
}

static void words_take(struct command_line *line, struct argp_state *state)
{
    if (is_deed(line))
        return;
    for (size_t i = 0; i < line->words_n; i++) {
        const char *equals = strchr(line->words[i], '=');
        char name[40] = "source";
        if (equals != NULL)
            text_copy_n(name, sizeof(name), line->words[i], (size_t)(equals - line->words[i]));
        filter_set(line, name, equals != NULL ? equals + 1 : line->words[i], state);
    }
}

enum { KEY_SOURCE = 256, KEY_CODE, KEY_SINCE, KEY_EDIT, KEY_PERSONAL, KEY_BY };

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct command_line *line = state->input;
    char *end;
    switch (key) {
    case KEY_SOURCE:
        filter_set(line, "source", arg, state);
        return 0;
    case KEY_CODE:
        filter_set(line, "code", arg, state);
        return 0;
    case KEY_SINCE:
        filter_set(line, "since", arg, state);
        return 0;
    case KEY_EDIT:
        line->edit = true;
        return 0;
    case KEY_PERSONAL:
        line->personal = true;
        return 0;
    case KEY_BY:
        line->by = arg;
        return 0;
    case 'n':
        line->limit = strtoll(arg, &end, 10);
        if (end == arg || *end != '\0' || line->limit < 0)
            argp_error(state, "--limit: a number, 0 for all");
        return 0;
    case ARGP_KEY_ARG:
        if (line->words_n == WORDS_MAX)
            argp_error(state, "too many words");
        line->words[line->words_n++] = arg;
        return 0;
    case ARGP_KEY_END:
        words_take(line, state);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static int deed(const struct command_line *line)
{
    const struct cli *cli = line->cli;
    char source[EVENT_SOURCE_CAP];
    int64_t n;
    size_t used;
    bool show = text_equal(line->words[0], "show");
    if (!refusal_named(line->words + 1, line->words_n - 1, source, &n, &used) || (show && line->words_n > 1 + used))
        return cli_fail(cli, CLI_USAGE, in_words(cli->language, "`aftercare refused` lists what was refused."), "%s",
                        in_words(cli->language, "which one? SOURCE and its number N"));
    if (show)
        return refused_show(cli, source, n, line->personal);
    const struct resending resending = {.source = source,
                                        .n = n,
                                        .corrections = line->words + 1 + used,
                                        .corrections_n = line->words_n - 1 - used,
                                        .edit = line->edit,
                                        .by = line->by};
    return refused_send(cli, &resending);
}

int command_refused(struct cli *cli, int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"source", KEY_SOURCE, "SOURCE", 0, "only of this source", 0},
        {"code", KEY_CODE, "CODE", 0, "only with this code", 0},
        {"since", KEY_SINCE, "TIME", 0, "only since then: a time, a day, or how long ago (2h, 3d)", 0},
        {"limit", 'n', "N", 0, "at most so many rows (default 50, 0: all)", 0},
        {"personal", KEY_PERSONAL, NULL, 0, "show: with names, telephones, addresses", 0},
        {"edit", KEY_EDIT, NULL, 0, "send: correct it in $EDITOR", 0},
        {"by", KEY_BY, "WHO", 0, "send: who corrects (default: your login, for operator)", 0},
        {0}};
    static const struct cli_syntax syntax = {
        options, parse, "[source=…] [code=…] [since=…]\nshow SOURCE N\nsend SOURCE N [field=value …]",
        "List events that were refused, show one, or correct it and send it again as a new event.\v"
        "field= without a value leaves the field out; key=, at=, by= and type= correct what is around the data.\n\n"
        "Examples:\n"
        "  aftercare refused --source branch-gz --since 2d\n"
        "  aftercare refused show branch-gz 17\n"
        "  aftercare refused send branch-gz 17 customer.phone=13800000000\n"
        "  aftercare refused send branch-gz/17 --edit"};
    struct command_line line = {.cli = cli, .limit = 50};
    cli_parse(&syntax, argc, argv, &line);
    return is_deed(&line) ? deed(&line) : list(&line);
}
