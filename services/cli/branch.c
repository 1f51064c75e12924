/* aftercare --branch …: what is said and asked at a branch, line or no line, of its own daemon. */
#include "base/arena.h"
#include "base/text.h"
#include "connection.h"
#include "field_text.h"
#include "progress.h"
#include "proto/branch.h"
#include "proto/catalogue.h"
#include "record/pack.h"
#include "rows.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static int command_branch_status(struct cli *, int, char **);
static int command_branch_list(struct cli *, int, char **);
static int command_branch_resend(struct cli *, int, char **);
static int command_branch_drop(struct cli *, int, char **);

static const struct command commands[] = {
    {"status", command_branch_status, true, "the line, what waits to be sent, how old the work list is"},
    {"jobs", command_branch_list, true, "jobs on the branch's work list"},
    {"limits", command_branch_list, true, "promises that still stand"},
    {"callbacks", command_branch_list, true, "callbacks to be made"},
    {"queued", command_branch_list, true, "facts that wait to be sent, the oldest first"},
    {"refused", command_branch_list, true, "facts that the centre refused, and why"},
    {"resend", command_branch_resend, true, "correct a refused fact and send it again"},
    {"drop", command_branch_drop, true, "leave a refused fact out"},
    {"say", command_say, true, "send one event by hand"},
    {"append", command_append, true, "send events, one JSON object a line"},
    {"file", command_file, true, "a ticket's files: fax, photo, signed report"},
    {"help", command_help, false, "this list"},
};

const struct command *branch_command_at(size_t i)
{
    return i < COUNT_OF(commands) ? &commands[i] : NULL;
}

const struct command *branch_command_find(const char *name)
{
    for (size_t i = 0; i < COUNT_OF(commands); i++)
        if (text_equal(commands[i].name, name))
            return &commands[i];
    return NULL;
}

/* --- asking --------------------------------------------------------------------------------------
 */
static int ask_branch(const struct cli *cli, const char *question, const void *args, int64_t limit,
                      void (*row)(void *, const struct record *, const void *), void *owner)
{
    const struct asking asking = {.question = question_find("branch", question),
                                  .args = args,
                                  .limit = limit,
                                  .row = row,
                                  .owner = owner};
    struct asker *asker = asker_new(cli);
    int code = asker != NULL ? asker_ask(asker, &asking) : CLI_SILENT;
    asker_destroy(&asker);
    return code;
}

static void on_status(void *owner, const struct record *record, const void *row)
{
    (void)record;
    *(struct branch_status_row *)owner = *(const struct branch_status_row *)row;
}

static void age_words(int64_t seconds, char out[32])
{
    if (seconds < 120)
        text_format(out, 32, "%" PRId64 " s", seconds);
    else if (seconds < 7200)
        text_format(out, 32, "%" PRId64 " min", seconds / 60);
    else
        text_format(out, 32, "%" PRId64 " h %02" PRId64 " min", seconds / 3600, seconds / 60 % 60);
}

/* How old is what a list says: at the branch's own clock, as the daemon read it. */
static void truth_print(const struct cli *cli, const struct branch_status_row *status, FILE *out)
{
    char as_of[INSTANT_TEXT_MAX], age[32];
    if (status->pos == 0) {
        fprintf(out, "%s\n",
                in_words(cli->language, "the work list was never read: the centre was not reached"));
        return;
    }
    time_words(status->as_of_us, as_of);
    age_words(status->list_age_s, age);
    fprintf(out, in_words(cli->language, "true at position %" PRId64 ", %s, %s old; the line is %s\n"),
            status->pos, as_of, age, value_words(cli->language, "line", status->line));
}

/* --- status --------------------------------------------------------------------------------------
 */
static void status_print(const struct cli *cli, const struct branch_status_row *s)
{
    char since[INSTANT_TEXT_MAX], oldest[INSTANT_TEXT_MAX], n[32];
    time_words(s->since_us, since);
    printf(in_words(cli->language, "branch %s, stream %s\n"), s->source,
           s->stream[0] != '\0' ? s->stream : "-");
    printf(in_words(cli->language, "line: %s since %s%s%s\n"),
           value_words(cli->language, "line", s->line), since, s->why[0] != '\0' ? ": " : "", s->why);
    number_words(s->queued, n);
    printf(in_words(cli->language, "waiting: %s facts, %" PRId64 " %% of the spool\n"), n,
           s->full_percent);
    if (s->queued > 0) {
        time_words(s->oldest_us, oldest);
        printf(in_words(cli->language, "the oldest since %s (number %" PRId64 ")\n"), oldest,
               s->sent_n + 1);
    }
    if (s->refused > 0)
        printf(in_words(cli->language, "refused: %" PRId64 " facts; `aftercare --branch refused`\n"),
               s->refused);
    if (s->files > 0)
        printf(in_words(cli->language, "files waiting: %" PRId64 "; `aftercare --branch file list`\n"), s->files);
    if (s->disk_full)
        printf("%s\n", in_words(cli->language, "the disk is full: nothing is taken"));
    if (s->clock_off_s != 0)
        printf(in_words(cli->language,
                        "this machine's clock is %" PRId64 " s before the centre's; set it\n"),
               s->clock_off_s);
    printf("%s: ", in_words(cli->language, "work list"));
    truth_print(cli, s, stdout);
}

static int command_branch_status(struct cli *cli, int argc, char **argv)
{
    static const struct cli_syntax syntax = {
        NULL, NULL, NULL,
        "Print how the branch stands. Exit code 1: the disk or the spool is full, or the centre "
        "does not take what is sent.\vExample:\n  aftercare --branch status --json"};
    struct branch_status_row row;
    cli_parse(&syntax, argc, argv, &cli);
    record_clear(&branch_status_row_record, &row);
    int code = ask_branch(cli, "status", NULL, 1, on_status, &row);
    if (code != CLI_DONE)
        return code;
    if (cli->json) {
        struct buf out = {0};
        record_print_json(&branch_status_row_record, RECORD_WHOLE, &row, &out);
        printf("%s\n", buf_text(&out));
        buf_release(&out);
    } else {
        status_print(cli, &row);
    }
    bool ill = row.disk_full || row.full_percent >= 100 || text_equal(row.line, "denied");
    return ill ? CLI_REFUSED : CLI_DONE;
}

/* --- lists ---------------------------------------------------------------------------------------
 */
struct listing {
    struct cli *cli;
    const struct question_type *question;
    char *words[16];
    size_t words_n;
    int64_t limit;
    bool all;
};

static error_t list_parse(int key, char *arg, struct argp_state *state)
{
    struct listing *listing = state->input;
    char *end;
    switch (key) {
    case 'a':
        listing->all = true;
        return 0;
    case 'n':
        listing->limit = strtoll(arg, &end, 10);
        if (end == arg || *end != '\0' || listing->limit < 0)
            argp_error(state, "--limit: a number, 0 for all");
        return 0;
    case ARGP_KEY_ARG:
        if (listing->words_n == COUNT_OF(listing->words))
            argp_error(state, "too many filters");
        listing->words[listing->words_n++] = arg;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static bool filters_read(const struct listing *listing, void *args)
{
    const struct cli *cli = listing->cli;
    const struct record *record = listing->question->args;
    for (size_t i = 0; i < listing->words_n; i++) {
        struct problem problem;
        struct buf words = {0};
        char name[64], *equals = strchr(listing->words[i], '=');
        if (equals != NULL)
            (void)text_copy_n(name, sizeof(name), listing->words[i], (size_t)(equals - listing->words[i]));
        else
            (void)text_copy(name, sizeof(name), record->fields[0].name);
        if (field_set(record, args, name, equals != NULL ? equals + 1 : listing->words[i], NULL, &problem))
            continue;
        problem_print(&problem, cli->language == CHINESE, &words);
        cli_fail(cli, CLI_USAGE, in_words(cli->language, "`--help` lists the filters."), "%s",
                 buf_text(&words));
        buf_release(&words);
        return false;
    }
    return true;
}

static int list_run(const struct listing *listing)
{
    struct cli *cli = listing->cli;
    struct branch_status_row status;
    struct rows rows;
    void *args = memory_new(listing->question->args->size + 1);
    record_clear(listing->question->args, args);
    if (listing->question->args == &branch_refused_args_record)
        ((struct branch_refused_args *)args)->all = listing->all;
    int code = CLI_USAGE;
    record_clear(&branch_status_row_record, &status);
    if (filters_read(listing, args)) {
        rows_init(&rows, cli, listing->question->row);
        code = ask_branch(cli, "status", NULL, 1, on_status, &status);
        if (code == CLI_DONE)
            code = ask_branch(cli, listing->question->name, args, listing->limit, rows_add, &rows);
        if (code == CLI_DONE)
            rows_end(&rows);
        else
            sheet_release(&rows.sheet);
        if (code == CLI_DONE && !cli->json && listing->question->args == &branch_args_record &&
            !text_equal(listing->question->name, "queued"))
            truth_print(cli, &status, stdout);
        if (code == CLI_DONE && listing->limit > 0 && rows.n == (size_t)listing->limit)
            cli_note(cli, in_words(cli->language, "the first %" PRId64 "; --limit 0 gives all"),
                     listing->limit);
    }
    free(args);
    return code;
}

static int command_branch_list(struct cli *cli, int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"all", 'a', NULL, 0, "of refused facts: those that were settled, too", 0},
        {"limit", 'n', "N", 0, "at most so many rows (default 50, 0: all)", 0},
        {0}};
    const char *space = strrchr(argv[0], ' '), *name = space != NULL ? space + 1 : argv[0];
    struct listing listing = {.cli = cli, .limit = 50, .question = question_find("branch", name)};
    struct buf doc = {0};
    buf_append_format(&doc, in_words(cli->language, "List %s."), listing.question->doc);
    buf_append_format(&doc, "\v%s\n", in_words(cli->language, "Filters (FIELD=VALUE):"));
    field_help(listing.question->args, "", &doc);
    const struct cli_syntax syntax = {options, list_parse, "[KEY] [FIELD=VALUE …]", buf_text(&doc)};
    cli_parse(&syntax, argc, argv, &listing);
    int code = list_run(&listing);
    buf_release(&doc);
    return code;
}

/* --- what was refused, put right -----------------------------------------------------------------
 */
struct mending {
    struct cli *cli;
    int64_t n;
    char *words[32];
    size_t words_n;
    const char *reason, *by;
    struct branch_refused_row row; /* without its draft */
    struct buf draft;
    bool found;
};

static error_t mending_parse(int key, char *arg, struct argp_state *state)
{
    struct mending *m = state->input;
    char *end;
    switch (key) {
    case 'r':
        m->reason = arg;
        return 0;
    case 'b':
        m->by = arg;
        return 0;
    case ARGP_KEY_ARG:
        if (m->n == 0) {
            m->n = strtoll(arg, &end, 10);
            if (end == arg || *end != '\0' || m->n <= 0)
                argp_error(state, "N: a number of `aftercare --branch refused`");
        } else if (m->words_n == COUNT_OF(m->words)) {
            argp_error(state, "too many fields");
        } else {
            m->words[m->words_n++] = arg;
        }
        return 0;
    case ARGP_KEY_END:
        if (m->n == 0)
            argp_error(state, "which one? `aftercare --branch refused` lists them");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static void on_refused(void *owner, const struct record *record, const void *row)
{
    struct mending *m = owner;
    (void)record;
    m->row = *(const struct branch_refused_row *)row;
    m->found = true;
    buf_reset(&m->draft);
    buf_append(&m->draft, m->row.draft.data, m->row.draft.len);
}

static int unknown_say(const struct mending *m)
{
    return cli_fail(m->cli, CLI_REFUSED,
                    in_words(m->cli->language, "`aftercare --branch refused` lists them."),
                    in_words(m->cli->language, "nothing refused stands open under number %" PRId64), m->n);
}

/* A draft, read back. */
struct posted {
    char type[EVENT_TYPE_CAP], key[EVENT_KEY_CAP], by[EVENT_BY_CAP];
    int64_t v, at_us, cause;
    struct bytes data, priv;
};
static const struct field posted_fields[] = {
    F_TEXT(posted, type, FIELD_REQUIRED, "event type"),  F_INT(posted, v, 0, "version of its data"),
    F_TEXT(posted, key, FIELD_KEYLIKE, "what it is about"), F_TIME(posted, at, 0, "when it happened"),
    F_TEXT(posted, by, 0, "who acted"),                  F_INT(posted, cause, 0, "position it follows from"),
    F_RAW(posted, data, 0, 0, "by the type's field table"), F_RAW(posted, priv, 0, 0, "personal fields"),
};
static const struct record posted_record = RECORD(posted, posted_fields, "an event as it was sent");

static bool field_mend(struct posted *posted, const struct event_type *type, void *object, char *word,
                       struct problem *problem)
{
    const struct time_reading reading = {
        .zone = zone_find("localtime"),
        .formats = {"%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%d"},
        .formats_n = 3};
    static const char *const own[] = {"key", "at", "by"};
    char *equals = strchr(word, '=');
    size_t offset;
    if (equals == NULL)
        return problem_set(problem, "missing", word, "write field=value");
    *equals = '\0';
    bool of_event = field_find(type->data, word, &offset) == NULL;
    for (size_t i = 0; i < COUNT_OF(own) && of_event; i++)
        if (text_equal(own[i], word))
            return field_set(&posted_record, posted, word, equals + 1, &reading, problem);
    return field_set(type->data, object, word, equals + 1, &reading, problem);
}

/* The refused event with the corrections, and the word that it takes that one's place. */
static bool mend(struct mending *m, struct arena *arena, struct buf *out, struct problem *problem)
{
    struct posted posted;
    struct buf data = {0}, priv = {0}, draft = {0};
    if (!record_decode(&posted_record, RECORD_WHOLE, DECODE_LENIENT, buf_bytes(&m->draft), arena, &posted, problem))
        return false;
    const struct event_type *type = event_type_find(posted.type, (uint32_t)posted.v);
    if (type == NULL)
        return problem_set(problem, "type.unknown", "type", "%s", posted.type);
    void *object = arena_alloc(arena, type->data->size);
    bool good = record_decode(type->data, RECORD_PLAIN, DECODE_LENIENT, posted.data, arena, object, problem) &&
                (posted.priv.len == 0 || record_decode(type->data, RECORD_PERSONAL, DECODE_LENIENT | DECODE_KEEP,
                                                       posted.priv, arena, object, problem));
    for (size_t i = 0; i < m->words_n && good; i++)
        good = field_mend(&posted, type, object, m->words[i], problem);
    if (good) {
        record_encode(type->data, RECORD_PLAIN, object, &data);
        record_encode(type->data, RECORD_PERSONAL, object, &priv);
        const struct draft d = {.type = posted.type,
                                .v = (uint32_t)posted.v,
                                .key = posted.key,
                                .at_us = posted.at_us,
                                .by = posted.by,
                                .cause = (uint64_t)posted.cause,
                                .data = buf_bytes(&data),
                                .priv = priv.len > 1 ? buf_bytes(&priv) : bytes_of(NULL, 0)};
        draft_encode(&d, &draft);
        struct unpack at = unpack_of(buf_bytes(&draft));
        uint32_t pairs = unpack_next(&at).n;
        pack_map(out, pairs + 1);
        buf_append(out, at.at, (size_t)(at.end - at.at));
        pack_text(out, "corrects");
        pack_int(out, m->n);
    }
    buf_release(&data);
    buf_release(&priv);
    buf_release(&draft);
    return good;
}

static int resend(struct mending *m)
{
    const struct cli *cli = m->cli;
    struct arena *arena = arena_new(65536);
    struct buf event = {0}, result = {0}, words = {0};
    struct problem problem;
    struct answer answer;
    int code;
    if (!mend(m, arena, &event, &problem)) {
        problem_print(&problem, cli->language == CHINESE, &words);
        code = cli_fail(cli, CLI_USAGE, in_words(cli->language, "`aftercare say VERB --help` lists the fields."),
                        "%s", buf_text(&words));
    } else {
        code = send_raw(cli, "-", buf_bytes(&event), &answer, &result);
        if (code == CLI_DONE && !answer.taken)
            code = refusal_say(cli, &answer.problem);
        else if (code == CLI_DONE)
            code = branch_answer_print(cli, m->row.type, m->row.key, &answer);
    }
    buf_release(&words);
    buf_release(&event);
    buf_release(&result);
    arena_destroy(&arena);
    return code;
}

static int command_branch_resend(struct cli *cli, int argc, char **argv)
{
    static const struct cli_syntax syntax = {
        NULL, mending_parse, "N [FIELD=VALUE …]",
        "Send a refused fact again, as it was or with fields put right; it keeps its time and its ticket "
        "number.\vExample:\n  aftercare --branch resend 17 customer.phone=13800000000"};
    struct mending m = {.cli = cli};
    cli_parse(&syntax, argc, argv, &m);
    const struct branch_refused_args args = {.n = m.n};
    int code = ask_branch(cli, "refused", &args, 1, on_refused, &m);
    if (code == CLI_DONE && (!m.found || m.draft.len == 0))
        code = unknown_say(&m);
    else if (code == CLI_DONE)
        code = resend(&m);
    buf_release(&m.draft);
    return code;
}

static int command_branch_drop(struct cli *cli, int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"reason", 'r', "TEXT", 0, "why; it is kept for 90 days", 0},
        {"by", 'b', "WHO", 0, "who says so (default operator)", 0},
        {0}};
    static const struct cli_syntax syntax = {
        options, mending_parse, "N --reason TEXT",
        "Leave a refused fact out for good.\vExample:\n  aftercare --branch drop 17 --reason 'said twice'"};
    struct mending m = {.cli = cli, .by = "operator"};
    struct branch_drop_args args;
    cli_parse(&syntax, argc, argv, &m);
    record_clear(&branch_drop_args_record, &args);
    if (m.reason == NULL || m.words_n > 0)
        return cli_fail(cli, CLI_USAGE, in_words(cli->language, "`--help` tells more."), "%s",
                        in_words(cli->language, "say why: --reason TEXT"));
    args.n = m.n;
    (void)text_copy(args.reason, sizeof(args.reason), m.reason);
    (void)text_copy(args.by, sizeof(args.by), m.by);
    int code = ask_branch(cli, "drop", &args, 1, on_refused, &m);
    if (code == CLI_DONE && !cli->json)
        printf(in_words(cli->language, "%s %s is left out\n"), m.row.type, m.row.key);
    if (code == CLI_DONE && cli->json)
        printf("{\"n\":%" PRId64 ",\"state\":\"dropped\"}\n", m.n);
    buf_release(&m.draft);
    return code;
}
