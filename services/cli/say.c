/* say: one event by hand, with help from the field tables. */
#include "base/arena.h"
#include "base/text.h"
#include "connection.h"
#include "event_print.h"
#include "field_text.h"
#include "proto/catalogue.h"
#include "record/pack.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static void verbs_print(const struct cli *cli)
{
    printf("%s\n\n", in_words(cli->language, "aftercare say VERB|TYPE KEY field=value …   "
                                             "(aftercare say VERB --help lists the fields)"));
    for (size_t i = 0; event_type_at(i) != NULL; i++) {
        const struct event_type *type = event_type_at(i);
        if (type->verb != NULL)
            printf("  %-14s %-22s %s\n", type->verb, type->name,
                   cli->language == CHINESE ? type->title_zh : type->title_en);
    }
    printf("\n%s\n%s\n",
           in_words(cli->language,
                    "Besides its fields each takes at=TIME and by=WHO. KEY may be - for none."),
           in_words(cli->language, "Example: aftercare say register - kind=repair region=GD01 "
                                   "customer.name=Li customer.phone=13800000000"));
}

/* An example for the verbs that people use most; for the others one made of the required fields. */
static void example_print(const struct cli *cli, const struct event_type *type)
{
    static const struct {
        const char *type, *line;
    } examples[] = {
        {"ticket.registered", "register - kind=repair region=GD01 customer.name=Li "
                              "customer.phone=13800000000 'description=no hot water'"},
        {"job.accepted", "accept T-20260301-000001 job=T-20260301-000001/j1 by=ann"},
        {"job.declined", "decline T-20260301-000001 job=T-20260301-000001/j1 reason=no-parts"},
        {"job.reported", "report T-20260301-000001 job=T-20260301-000001/j1 outcome=done "
                         "cause=valve labour_minutes=45 signed=yes"},
        {"ticket.noted", "note T-20260301-000001 'text=customer called again'"},
        {"followup.recorded", "callback T-20260301-000001 reached=yes satisfaction=5"},
        {"approval.decided", "decide T-20260301-000001 approval=T-20260301-000001/a1 approved=yes "
                             "level=branch"},
        {"site.updated", "site gz-03 'name=Guangzhou 03' tier=3 parent=gd territories=GD01,GD02"},
        {"event.released", "release T-20260301-000001 pos=4711 worker=dispatcher reason=corrected"},
    };
    printf("%s\n  aftercare say ", cli->language == CHINESE ? help_words("Example:") : "Example:");
    for (size_t i = 0; i < COUNT_OF(examples); i++)
        if (text_equal(examples[i].type, type->name)) {
            printf("%s\n", examples[i].line);
            return;
        }
    printf("%s KEY", type->verb != NULL ? type->verb : type->name);
    for (size_t i = 0; i < type->data->n; i++)
        if ((type->data->fields[i].flags & FIELD_REQUIRED) != 0)
            printf(" %s=…", type->data->fields[i].name);
    printf("\n");
}

static void fields_print(const struct cli *cli, const struct event_type *type)
{
    struct buf help = {0};
    field_help(type->data, "", &help);
    printf("aftercare say %s KEY field=value …\n%s (%s)\n\n%s",
           type->verb != NULL ? type->verb : type->name,
           cli->language == CHINESE ? type->title_zh : type->title_en, type->name, buf_text(&help));
    printf(
        "  %-22s %-18s %s\n  %-22s %-18s %s\n\n%s\n", "at", "time",
        in_words(cli->language, "when it happened; absent: now"), "by", "text",
        in_words(cli->language, "who acted"),
        in_words(cli->language, "Options: --data DIR, --config FILE, --json (print for programs)"));
    example_print(cli, type);
    buf_release(&help);
}

struct say {
    struct cli *cli;
    int first; /* index of TYPE in argv */
};

/* The first word that is neither an option nor an option's value; NULL: none. */
static const char *first_word(int argc, char **argv)
{
    static const char *const valued[] = {"-c", "-d", "--config", "--data"};
    for (int i = 1; i < argc; i++) {
        if (argv[i][0] != '-' || argv[i][1] == '\0')
            return argv[i];
        for (size_t j = 0; j < COUNT_OF(valued); j++)
            if (text_equal(argv[i], valued[j])) {
                i++;
                break;
            }
    }
    return NULL;
}

static error_t say_parse(int key, char *arg, struct argp_state *state)
{
    struct say *say = state->input;
    (void)arg;
    if (key != ARGP_KEY_ARG)
        return ARGP_ERR_UNKNOWN;
    if (say->first == 0)
        say->first = state->next - 1;
    return 0;
}

static bool field_say(const struct cli *cli, const struct event_type *type, void *object,
                      struct draft *draft, char *word)
{
    const struct time_reading reading = {
        .zone = zone_find("localtime"),
        .formats = {"%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%d"},
        .formats_n = 3};
    struct problem problem = {0};
    char *equals = strchr(word, '=');
    bool good;
    if (equals == NULL) {
        good = problem_set(&problem, "missing", word, "write field=value");
    } else {
        *equals = '\0';
        const char *value = equals + 1;
        size_t offset = 0;
        bool own = field_find(type->data, word, &offset) != NULL;
        if (!own && text_equal(word, "by")) {
            draft->by = value;
            good = true;
        } else if (!own && text_equal(word, "at")) {
            good = time_read(&reading, value, &draft->at_us) ||
                   problem_set(&problem, "bad-time", "at", "\"%.40s\"", value);
        } else {
            good = field_set(type->data, object, word, value, &reading, &problem);
        }
    }
    if (!good) {
        struct buf words = {0};
        problem_print(&problem, cli->language == CHINESE, &words);
        cli_fail(cli, CLI_USAGE,
                 in_words(cli->language, "`aftercare say VERB --help` lists the fields."), "%s",
                 buf_text(&words));
        buf_release(&words);
    }
    return good;
}

static int answer_print(const struct cli *cli, const struct draft *draft,
                        const struct answer *answer)
{
    if (!answer->taken) {
        if (cli->json) {
            struct buf out = {0};
            buf_append_text(&out, "{\"taken\":false,\"code\":");
            json_text(&out, answer->problem.code);
            buf_append_text(&out, ",\"field\":");
            json_text(&out, answer->problem.field);
            buf_append_text(&out, ",\"args\":");
            json_text(&out, answer->problem.args);
            printf("%s}\n", buf_text(&out));
            buf_release(&out);
            return CLI_REFUSED;
        }
        int code = refusal_say(cli, &answer->problem);
        if (answer->problem.field[0] != '\0')
            fprintf(stderr, "  %s\n",
                    in_words(cli->language, "`aftercare say VERB --help` lists the fields."));
        return code;
    }
    if (cli->branch)
        return branch_answer_print(cli, draft->type, draft->key != NULL ? draft->key : "", answer);
    struct buf result = {0};
    if (answer->result.len > 0)
        raw_print_json(answer->result, &result);
    if (cli->json)
        printf("{\"taken\":true,\"pos\":%" PRId64 ",\"result\":%s}\n", answer->pos,
               result.len > 0 ? buf_text(&result) : "null");
    else
        printf(in_words(cli->language, "%s %s taken at position %" PRId64 "%s%s\n"), draft->type,
               draft->key != NULL ? draft->key : "", answer->pos, result.len > 0 ? " " : "",
               buf_text(&result));
    buf_release(&result);
    return CLI_DONE;
}

static int event_say(const struct cli *cli, const struct event_type *type, struct draft *draft,
                     const void *object)
{
    struct buf data = {0}, priv = {0}, result = {0};
    struct stream_created stream;
    struct answer answer;
    record_encode(type->data, RECORD_PLAIN, object, &data);
    record_encode(type->data, RECORD_PERSONAL, object, &priv);
    draft->data = buf_bytes(&data);
    draft->priv = priv.len > 1 ? buf_bytes(&priv) : bytes_of(NULL, 0);
    int code = stream_read(cli, &stream);
    if (code == CLI_DONE)
        code = send_one(cli, stream.stream, draft, &answer, &result);
    if (code == CLI_DONE)
        code = answer_print(cli, draft, &answer);
    buf_release(&data);
    buf_release(&priv);
    buf_release(&result);
    return code;
}

int command_say(struct cli *cli, int argc, char **argv)
{
    static const struct cli_syntax syntax = {NULL, say_parse, "VERB|TYPE KEY field=value …",
                                             "Send one event by hand."};
    const char *word = first_word(argc, argv);
    const struct event_type *type = word != NULL ? event_type_of_verb(word) : NULL;
    if (type == NULL && word != NULL)
        type = event_type_find(word, 0);
    bool help = false;
    for (int i = 1; i < argc; i++)
        help = help || text_equal(argv[i], "--help") || text_equal(argv[i], "-?");
    if (help || type == NULL) {
        bool known = type != NULL || word == NULL;
        if (type != NULL)
            fields_print(cli, type);
        else
            verbs_print(cli);
        if (known)
            return help ? CLI_DONE : CLI_USAGE;
        return cli_fail(cli, CLI_USAGE, in_words(cli->language, "Take one of the verbs above."),
                        in_words(cli->language, "there is no event \"%s\""), word);
    }
    struct say say = {.cli = cli};
    cli_parse(&syntax, argc, argv, &say);
    /* argp moves options before words: TYPE KEY field=value … stand from say.first on. */
    int at = say.first + 1;
    if (at >= argc)
        return cli_fail(cli, CLI_USAGE,
                        in_words(cli->language, "A ticket's number, a site … or - for none."), "%s",
                        in_words(cli->language, "KEY is missing"));
    struct draft draft = {.type = type->name,
                          .v = type->v,
                          .by = "operator",
                          .key = text_equal(argv[at], "-") ? "" : argv[at]};
    struct arena *arena = arena_new(16384);
    void *object = arena_alloc(arena, type->data->size);
    record_clear(type->data, object);
    bool good = draft.key[0] == '\0' || text_is_key(draft.key, strlen(draft.key));
    if (!good)
        cli_fail(cli, CLI_USAGE, in_words(cli->language, "Up to 64 of A-Z a-z 0-9 . _ -"),
                 in_words(cli->language, "\"%s\" cannot be a key"), draft.key);
    for (int i = at + 1; i < argc && good; i++)
        good = field_say(cli, type, object, &draft, argv[i]);
    int code = good ? event_say(cli, type, &draft, object) : CLI_USAGE;
    arena_destroy(&arena);
    return code;
}
