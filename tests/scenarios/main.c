/* scenario-run: plays scenario files, says what was not as expected, and which rules are proved. */
#include "base/text.h"
#include "scenario.h"
#include <argp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct options {
    const char *tree, *rule, *count;
    const char **files;
    size_t files_n;
    struct play_options play;
};

static const struct argp_option option_list[] = {
    {"trace", 't', NULL, 0, "print every event of each rule", 0},
    {"rule", 'r', "ID", 0, "play this rule only", 0},
    {"count", 'c', "FILE", 0,
     "play nothing; check that the files have every rule of the systems listed there", 0},
    {"tree", 'T', "DIR", 0, "where policies and networks are named from", 0},
    {0}};

static error_t option_read(int key, char *arg, struct argp_state *state)
{
    struct options *options = state->input;
    switch (key) {
    case 't':
        options->play.trace = true;
        return 0;
    case 'r':
        options->rule = arg;
        return 0;
    case 'c':
        options->count = arg;
        return 0;
    case 'T':
        options->tree = arg;
        return 0;
    case ARGP_KEY_ARG:
        options->files = memory_grow(options->files, (options->files_n + 1) * sizeof(char *));
        options->files[options->files_n++] = arg;
        return 0;
    case ARGP_KEY_END:
        if (options->files_n == 0 && options->count == NULL)
            argp_error(state, "needs scenario files");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* "S12.4": a system of rules.md and its rule. */
static bool id_read(const char *id, unsigned *system, unsigned *rule)
{
    int n = 0;
    return sscanf(id, "S%2u.%3u%n", system, rule, &n) == 2 && id[n] == '\0' && *system > 0 &&
           *rule > 0;
}

static void complaint_print(const char *path, const char *id, struct complaint *complaint)
{
    const char *text = buf_text(&complaint->text);
    printf("%s:%u: %s%s%s%s", path, complaint->line, id, *id != '\0' ? ": " : "", text,
           complaint->text.len > 0 && text[complaint->text.len - 1] == '\n' ? "" : "\n");
}

/* --- playing -------------------------------------------------------------------------------------
 */

struct tally { /* rules: one that stands several times is one */
    size_t proved, partly, later, failed;
};

static void tally_print(const struct tally *tally)
{
    printf("%zu proved, %zu in part, %zu later, %zu failed\n", tally->proved, tally->partly,
           tally->later, tally->failed);
}

static bool is_asked(const struct options *options, const char *id)
{
    return options->rule == NULL || text_equal(options->rule, id);
}

/* A rule is proved by all of its stories; where some are for later it is proved in part. */
static void rules_tally(const struct options *options, const struct script *script,
                        const enum outcome *outcomes, struct tally *tally)
{
    size_t n = node_items(script->rules);
    for (size_t i = 0; i < n; i++) {
        size_t have[FAILED + 1] = {0}, first = n;
        const char *id = node_text(script, node_item(script, script->rules, i), "rule");
        for (size_t k = 0; k < n; k++)
            if (text_equal(id, node_text(script, node_item(script, script->rules, k), "rule"))) {
                have[outcomes[k]]++;
                first = k < first ? k : first;
            }
        if (first != i || !is_asked(options, id))
            continue;
        tally->failed += have[FAILED] > 0;
        tally->partly += have[FAILED] == 0 && have[PROVED] > 0 && have[LATER] > 0;
        tally->proved += have[FAILED] == 0 && have[LATER] == 0;
        tally->later += have[FAILED] == 0 && have[PROVED] == 0;
    }
}

static void rules_play(const struct options *options, const struct script *script,
                       enum outcome *outcomes)
{
    for (size_t i = 0; i < node_items(script->rules); i++) {
        const yaml_node_t *rule = node_item(script, script->rules, i);
        const char *id = node_text(script, rule, "rule");
        struct complaint complaint = {0};
        unsigned system, number;
        if (!is_asked(options, id))
            continue;
        if (options->play.trace)
            printf("  %s %s\n", id, node_text(script, rule, "title"));
        outcomes[i] = FAILED;
        if (!id_read(id, &system, &number))
            (void)complain(&complaint, rule, "a rule has an id like S12.4, this has \"%s\"", id);
        else
            outcomes[i] = rule_play(script, rule, &options->play, &complaint);
        if (outcomes[i] == FAILED)
            complaint_print(script->path, id, &complaint);
        buf_release(&complaint.text);
    }
}

static void table_print(const struct options *options, const struct script *script,
                        const enum outcome *outcomes, const struct tally *tally)
{
    static const char *const words[] = {"proved", "later", "FAILED"};
    printf("%s %s\n", script->path, script->title);
    for (size_t i = 0; i < node_items(script->rules); i++) {
        const yaml_node_t *rule = node_item(script, script->rules, i);
        const char *later = node_text(script, rule, "later");
        if (is_asked(options, node_text(script, rule, "rule")))
            printf("  %-7s %-7s %s%s%s%s\n", node_text(script, rule, "rule"), words[outcomes[i]],
                   node_text(script, rule, "title"), *later != '\0' ? " (" : "", later,
                   *later != '\0' ? ")" : "");
    }
    printf("  %zu rules: ", tally->proved + tally->partly + tally->later + tally->failed);
    tally_print(tally);
}

/* 0, or the exit code. */
static int file_play(const struct options *options, const char *path, struct tally *total)
{
    struct script script;
    struct complaint complaint = {0};
    struct tally tally = {0};
    int code = 0;
    if (!script_read(&script, path, options->tree, &complaint)) {
        complaint_print(path, "", &complaint);
        code = 2;
    } else {
        enum outcome *outcomes = memory_new(node_items(script.rules) * sizeof(*outcomes));
        rules_play(options, &script, outcomes);
        rules_tally(options, &script, outcomes, &tally);
        table_print(options, &script, outcomes, &tally);
        free(outcomes);
        code = tally.failed > 0 ? 1 : 0;
    }
    total->proved += tally.proved;
    total->partly += tally.partly;
    total->later += tally.later;
    total->failed += tally.failed;
    buf_release(&complaint.text);
    script_release(&script);
    return code;
}

static int files_play(const struct options *options)
{
    struct tally total = {0};
    int code = 0;
    for (size_t i = 0; i < options->files_n; i++) {
        int one = file_play(options, options->files[i], &total);
        if (one > code)
            code = one;
    }
    if (options->rule != NULL && total.proved + total.partly + total.later + total.failed == 0 &&
        code == 0) {
        printf("no file has the rule %s\n", options->rule);
        return 2;
    }
    if (options->files_n > 1) {
        printf("%zu files, %zu rules: ", options->files_n,
               total.proved + total.partly + total.later + total.failed);
        tally_print(&total);
    }
    return code;
}

/* --- counting ------------------------------------------------------------------------------------
 */
#define SYSTEMS_MAX 99
#define RULES_MAX   999

static unsigned char (*ids_read(const struct options *options, int *code))[RULES_MAX + 1]
{
    unsigned char(*have)[RULES_MAX + 1] = memory_new((SYSTEMS_MAX + 1) * sizeof(*have));
    for (size_t f = 0; f < options->files_n; f++) {
        struct script script;
        struct complaint complaint = {0};
        if (!script_read(&script, options->files[f], options->tree, &complaint)) {
            complaint_print(options->files[f], "", &complaint);
            *code = 2;
        }
        for (size_t i = 0; i < node_items(script.rules); i++) {
            unsigned system, rule;
            const char *id = node_text(&script, node_item(&script, script.rules, i), "rule");
            if (id_read(id, &system, &rule))
                have[system][rule] = 1;
        }
        buf_release(&complaint.text);
        script_release(&script);
    }
    return have;
}

/* Lines "S12 19"; what stands behind # is not looked at. */
static int rules_count(const struct options *options)
{
    int code = 0;
    struct buf text = {0};
    unsigned systems = 0, rules = 0;
    if (!file_load(options->count, &text)) {
        printf("cannot read %s\n", options->count);
        return 2;
    }
    unsigned char(*have)[RULES_MAX + 1] = ids_read(options, &code);
    char *rest = memory_text(buf_text(&text)), *begin = rest, *line;
    for (unsigned number = 1; (line = strsep(&rest, "\n")) != NULL; number++) {
        unsigned system, count;
        line[strcspn(line, "#")] = '\0';
        if (line[strspn(line, " \t")] == '\0')
            continue;
        if (sscanf(line, "S%2u %3u", &system, &count) != 2 || system == 0) {
            printf("%s:%u: not like \"S12 19\": %s\n", options->count, number, line);
            code = 2;
            continue;
        }
        systems++;
        rules += count;
        for (unsigned rule = 1; rule <= RULES_MAX; rule++)
            if ((have[system][rule] != 0) != (rule <= count)) {
                printf("S%u.%u %s\n", system, rule,
                       rule <= count ? "stands in no scenario" : "is more than there are");
                code = code == 0 ? 1 : code;
            }
    }
    printf("%u systems with %u rules looked for\n", systems, rules);
    free(begin);
    free(have);
    buf_release(&text);
    return code;
}

int main(int argc, char **argv)
{
    static const struct argp argp = {.options = option_list,
                                     .parser = option_read,
                                     .args_doc = "FILE.yaml…",
                                     .doc = "Plays scenarios; exit code 1: a rule did not do as it "
                                            "should, 2: a file has not the right form."};
    struct options options = {.tree = SOURCE_DIR};
    argp_parse(&argp, argc, argv, 0, NULL, &options);
    int code = options.count != NULL ? rules_count(&options) : files_play(&options);
    free(options.files);
    return code;
}
