/* summary: what happened, in figures: the register's, and how often a job was accepted. */
#include "base/text.h"
#include "connection.h"
#include "progress.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define FIGURES_MAX 64

struct figure {
    char section[48], item[48];
    int64_t value;
};

struct summing {
    struct cli *cli;
    const char *period;
    int64_t accepted, head;
    struct figure figures[FIGURES_MAX];
    size_t n;
};

static void figure_add(struct summing *summing, const char *section, const char *item,
                       int64_t value)
{
    if (summing->n == FIGURES_MAX)
        return;
    struct figure *figure = &summing->figures[summing->n++];
    text_copy(figure->section, sizeof(figure->section), section);
    text_copy(figure->item, sizeof(figure->item), item);
    figure->value = value;
}

/* A row's columns are read through its field table: the struct is questions.c' own. */
static void on_row(void *owner, const struct record *record, const void *row)
{
    struct summing *summing = owner;
    const char *section = (const char *)row + record_field(record, "section")->offset;
    const char *item = (const char *)row + record_field(record, "item")->offset;
    int64_t value =
        *(const int64_t *)(const void *)((const char *)row + record_field(record, "value")->offset);
    figure_add(summing, section, item, value);
    /* The register counts offers that found no taker; who did take one is counted in the journal.
     */
    if (summing->period == NULL && text_equal(section, "jobs") && text_equal(item, "offered"))
        figure_add(summing, section, "accepted", summing->accepted);
}

static bool on_event(void *owner, const struct event *event)
{
    struct summing *summing = owner;
    summing->accepted += text_equal(event->type, "job.accepted");
    return true;
}

static void on_head(void *owner, uint64_t head)
{
    struct summing *summing = owner;
    summing->head = (int64_t)head;
}

static int journal_count(struct summing *summing)
{
    static const struct feed_listener listener = {.event = on_event, .head = on_head};
    struct verb_open *open = memory_new(sizeof(*open));
    struct stream_created stream;
    record_clear(&verb_open_record, open);
    text_copy(open->types[0], EVENT_TYPE_CAP, "job.accepted");
    open->types_n = 1;
    int code = stream_read(summing->cli, &stream);
    if (code == CLI_DONE)
        code = feed_read(summing->cli, stream.stream, open, false, &listener, summing);
    free(open);
    return code;
}

static int register_ask(struct summing *summing)
{
    const struct question_type *question = question_find("reporting", "summary");
    void *args = memory_new(question->args->size + 1);
    record_clear(question->args, args);
    if (summing->period != NULL) {
        const struct field *period = record_field(question->args, "period");
        text_copy((char *)args + period->offset, period->size, summing->period);
    }
    struct asker *asker = asker_new(summing->cli);
    const struct asking asking = {.question = question,
                                  .args = args,
                                  .at_least = summing->head,
                                  .row = on_row,
                                  .owner = summing};
    int code = asker != NULL ? asker_ask(asker, &asking) : CLI_SILENT;
    asker_destroy(&asker);
    free(args);
    return code;
}

/* In the order of a ticket's life; `came due` says at once what its parts are of. */
static void figures_order(struct summing *summing)
{
    static const char *const sections[] = {"tickets", "jobs", "limits", "callbacks"};
    struct figure given[FIGURES_MAX];
    size_t n = summing->n;
    int64_t due = 0;
    memcpy(given, summing->figures, sizeof(given));
    summing->n = 0;
    for (size_t i = 0; i < n; i++)
        due += text_equal(given[i].section, "callbacks") && !text_equal(given[i].item, "void")
                   ? given[i].value
                   : 0;
    for (size_t k = 0; k < COUNT_OF(sections); k++) {
        if (text_equal(sections[k], "callbacks"))
            figure_add(summing, "callbacks", "came due", due);
        for (size_t i = 0; i < n; i++)
            if (text_equal(given[i].section, sections[k]))
                figure_add(summing, given[i].section, given[i].item, given[i].value);
    }
}

static bool begins_section(const struct summing *summing, size_t i)
{
    return i == 0 || !text_equal(summing->figures[i].section, summing->figures[i - 1].section);
}

static void json_print(const struct summing *summing)
{
    struct buf out = {0};
    for (size_t i = 0; i < summing->n; i++) {
        const struct figure *figure = &summing->figures[i];
        bool begins = begins_section(summing, i);
        buf_append_text(&out, i == 0 ? "{" : begins ? "}," : ",");
        if (begins) {
            json_text(&out, figure->section);
            buf_append_text(&out, ":{");
        }
        json_text(&out, figure->item);
        buf_append_format(&out, ":%" PRId64, figure->value);
    }
    printf("%s%s\n", buf_text(&out), summing->n > 0 ? "}}" : "{}");
    buf_release(&out);
}

/* One line a section: "tickets: 31,828 opened, 27,710 resolved". */
static void people_print(const struct summing *summing)
{
    enum language language = summing->cli->language;
    for (size_t i = 0; i < summing->n; i++) {
        const struct figure *figure = &summing->figures[i];
        char value[32];
        number_words(figure->value, value);
        if (begins_section(summing, i))
            printf("%s%s: ", i > 0 ? "\n" : "", in_words(language, figure->section));
        else
            fputs(in_words(language, ", "), stdout);
        const char *item = in_words(language, figure->item);
        printf("%s %s", language == CHINESE ? item : value, language == CHINESE ? value : item);
    }
    printf("\n");
}

static error_t summary_parse(int key, char *arg, struct argp_state *state)
{
    struct summing *summing = state->input;
    if (key != 'p')
        return ARGP_ERR_UNKNOWN;
    summing->period = arg;
    return 0;
}

int command_summary(struct cli *cli, int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"period", 'p', "YYYY-MM", 0, "only tickets opened in that month", 0}, {0}};
    static const struct cli_syntax syntax = {
        options, summary_parse, NULL,
        "What happened, in figures: tickets, jobs, limits, callbacks.\vExample:\n  aftercare "
        "summary --period 2011-08"};
    struct summing *summing = memory_new(sizeof(*summing));
    summing->cli = cli;
    cli_parse(&syntax, argc, argv, summing);
    int code = journal_count(summing);
    if (code == CLI_DONE)
        code = register_ask(summing);
    figures_order(summing);
    if (code == CLI_DONE && cli->json)
        json_print(summing);
    else if (code == CLI_DONE)
        people_print(summing);
    free(summing);
    return code;
}
