/* calendar eval: cases in the form in which business-time suites of many projects are collected,
 * answered by our calendar:
 * {"calendars": {NAME: …}, "cases": [{"id", "op", "calendar", …}]} → {"id", "result"} a line. */
#include "base/text.h"
#include "calendar_verbs.h"
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SPANS_MAX      1000
#define SPANS_UNSAID   10 /* open_intervals without a number */
#define CALENDARS_MAX  1024
#define CASES_TEXT_MAX (64 << 20)

/* What a case's "boundary" may ask for that we do otherwise; such lines say so. */
static const struct {
    const char *tag, *why;
} conventions[] = {
    {"next_open", "time used up at closing is due at closing here, not at the next opening"},
    {"prev_close",
     "time used up backwards at opening ends at that opening here, not at the closing before"},
    {"closing_instant_counts_as_open",
     "intervals are half-open here: the closing instant is closed"},
    {"clamped_to_next_open", "working days keep the time of day here, even outside hours"},
    {"DIFFERS", "the peer's rule is no arithmetic of working time"},
};

struct evaluated {
    struct calendar_call *call;
    json_t *calendars;
    struct {
        const char *name;
        struct calendar *calendar;
        struct problem problem;
    } compiled[CALENDARS_MAX];
    size_t compiled_n;
    size_t conventions[COUNT_OF(conventions)], failed;
    struct problem problem; /* of this case */
    const struct calendar *calendar;
    json_t *in;
    struct buf out;
};

/* --- reading -------------------------------------------------------------------------------- */

static const char *text_of(json_t *in, const char *name)
{
    const char *text = json_string_value(json_object_get(in, name));
    return text != NULL ? text : "";
}

static bool time_read(struct evaluated *e, const char *text, const char *field, int64_t *us)
{
    return (text != NULL && instant_parse(text, us)) ||
           problem_set(&e->problem, "bad-time", field, "\"%s\", expected 2011-07-04T12:00:00Z",
                       text != NULL ? text : "");
}

static bool time_of(struct evaluated *e, const char *name, int64_t *us)
{
    return time_read(e, text_of(e->in, name), name, us);
}

static bool day_of(struct evaluated *e, const char *name, int64_t *day)
{
    return date_of_text(text_of(e->in, name), day) ||
           problem_set(&e->problem, "bad-time", name, "\"%s\", expected 2011-07-04",
                       text_of(e->in, name));
}

static bool seconds_of(struct evaluated *e, int64_t *us)
{
    json_t *value = json_object_get(e->in, "seconds");
    if (!json_is_number(value) || fabs(json_number_value(value)) > 1e11)
        return problem_set(&e->problem, "missing", "seconds", "a number");
    *us = (int64_t)llround(json_number_value(value) * 1e6);
    return true;
}

static int pause_order(const void *a, const void *b)
{
    const struct calendar_span *x = a, *y = b;
    return (x->from_us > y->from_us) - (x->from_us < y->from_us);
}

static bool pauses_of(struct evaluated *e, struct calendar_span *out, size_t *n)
{
    json_t *list = json_object_get(e->in, "pauses");
    *n = json_array_size(list);
    if (*n > SPANS_MAX)
        return problem_set(&e->problem, "too-long", "pauses", "at most %d", SPANS_MAX);
    for (size_t i = 0; i < *n; i++) {
        json_t *pair = json_array_get(list, i), *end = json_array_get(pair, 1);
        if (!time_read(e, json_string_value(json_array_get(pair, 0)), "pauses", &out[i].from_us))
            return false;
        out[i].to_us = INT64_MAX; /* null: it still runs */
        if (!json_is_null(end) && !time_read(e, json_string_value(end), "pauses", &out[i].to_us))
            return false;
    }
    qsort(out, *n, sizeof(*out), pause_order);
    return true;
}

/* --- writing -------------------------------------------------------------------------------- */

static void time_put(struct evaluated *e, int64_t us)
{
    if (us == INT64_MAX || us == INT64_MIN) {
        buf_append_text(&e->out, "null");
        return;
    }
    char text[INSTANT_TEXT_MAX];
    int64_t fraction = (us % SECOND_US + SECOND_US) % SECOND_US;
    instant_print(us - fraction, text);
    text[strlen(text) - 1] = '\0'; /* Z */
    buf_append_format(&e->out, "\"%s", text);
    if (fraction % 1000 != 0)
        buf_append_format(&e->out, ".%06" PRId64, fraction);
    else if (fraction != 0)
        buf_append_format(&e->out, ".%03" PRId64, fraction / 1000);
    buf_append_text(&e->out, "Z\"");
}

static void seconds_put(struct evaluated *e, int64_t us)
{
    if (us % SECOND_US == 0)
        buf_append_format(&e->out, "%" PRId64, us / SECOND_US);
    else
        buf_append_format(&e->out, "%" PRId64 ".%06" PRId64, us / SECOND_US, us % SECOND_US);
}

static void day_put(struct evaluated *e, int64_t day)
{
    int y, m, d;
    civil_from_days(day, &y, &m, &d);
    buf_append_format(&e->out, "\"%04d-%02d-%02d\"", y, m, d);
}

static void truth_put(struct evaluated *e, bool truth)
{
    buf_append_text(&e->out, truth ? "true" : "false");
}

/* --- operations ----------------------------------------------------------------------------- */

static bool eval_add(struct evaluated *e)
{
    int64_t start, us;
    if (!time_of(e, "start", &start) || !seconds_of(e, &us))
        return false;
    time_put(e, text_equal(text_of(e->in, "op"), "add")
                    ? calendar_add(e->calendar, start, us)
                    : calendar_subtract(e->calendar, start, us));
    return true;
}

static bool eval_add_days(struct evaluated *e)
{
    int64_t start;
    json_t *days = json_object_get(e->in, "days");
    if (!time_of(e, "start", &start))
        return false;
    if (!json_is_integer(days))
        return problem_set(&e->problem, "missing", "days", "a whole number");
    int64_t at = calendar_add_working_days(e->calendar, start, json_integer_value(days));
    time_put(e, json_is_true(json_object_get(e->in, "end_of_day"))
                    ? calendar_end_of_working_day(e->calendar, at)
                    : at);
    return true;
}

/* Seconds in [start, end): none when end comes first. */
static bool eval_between(struct evaluated *e)
{
    struct calendar_span pauses[SPANS_MAX];
    int64_t start, end;
    size_t n;
    if (!time_of(e, "start", &start) || !time_of(e, "end", &end) || !pauses_of(e, pauses, &n))
        return false;
    seconds_put(e, start < end ? calendar_between_paused(e->calendar, start, end, pauses, n) : 0);
    return true;
}

static bool eval_add_paused(struct evaluated *e)
{
    struct calendar_span pauses[SPANS_MAX];
    int64_t start, us;
    size_t n;
    if (!time_of(e, "start", &start) || !seconds_of(e, &us) || !pauses_of(e, pauses, &n))
        return false;
    if (us < 0)
        return problem_set(&e->problem, "bad-value", "seconds", "less than nothing");
    time_put(e, calendar_add_paused(e->calendar, start, us, pauses, n));
    return true;
}

static bool eval_edge(struct evaluated *e)
{
    const char *op = text_of(e->in, "op");
    int64_t at;
    if (!time_of(e, "at", &at))
        return false;
    if (text_equal(op, "is_open"))
        truth_put(e, calendar_is_open(e->calendar, at));
    else
        time_put(e, text_equal(op, "next_open")    ? calendar_next_open(e->calendar, at)
                    : text_equal(op, "prev_close") ? calendar_prev_close(e->calendar, at)
                                                   : calendar_next_close(e->calendar, at));
    return true;
}

/* As many as are asked for by "k", or as are expected. */
static bool eval_open_intervals(struct evaluated *e)
{
    struct calendar_span spans[SPANS_MAX];
    json_t *k = json_object_get(e->in, "k"), *expected = json_object_get(e->in, "expected");
    int64_t at, wanted = json_is_integer(k)        ? json_integer_value(k)
                         : json_is_array(expected) ? (int64_t)json_array_size(expected)
                                                   : SPANS_UNSAID;
    if (!time_of(e, "at", &at))
        return false;
    if (wanted < 0 || wanted > SPANS_MAX)
        return problem_set(&e->problem, "bad-value", "k", "0 to %d", SPANS_MAX);
    size_t n = calendar_open_spans(e->calendar, at, spans, (size_t)wanted);
    buf_append_text(&e->out, "[");
    for (size_t i = 0; i < n; i++) {
        buf_append_text(&e->out, i == 0 ? "[" : ",[");
        time_put(e, spans[i].from_us);
        buf_append_text(&e->out, ",");
        time_put(e, spans[i].to_us);
        buf_append_text(&e->out, "]");
    }
    buf_append_text(&e->out, "]");
    return true;
}

static bool eval_workday(struct evaluated *e)
{
    int64_t day;
    if (!day_of(e, "date", &day))
        return false;
    if (text_equal(text_of(e->in, "op"), "is_workday")) {
        truth_put(e, calendar_day_is_working(e->calendar, day));
        return true;
    }
    while (
        !calendar_day_is_working(e->calendar, day)) /* there is one: no calendar is shut for good */
        day++;
    day_put(e, day);
    return true;
}

static bool eval_workdays(struct evaluated *e)
{
    int64_t first, last;
    if (!day_of(e, "start_date", &first) || !day_of(e, "end_date", &last))
        return false;
    if (text_equal(text_of(e->in, "op"), "count_workdays_inclusive")) {
        buf_append_format(&e->out, "%" PRId64,
                          calendar_count_working_days(e->calendar, first, last));
        return true;
    }
    const char *comma = "";
    buf_append_text(&e->out, "[");
    for (int64_t day = first; day <= last; day++)
        if (calendar_day_is_working(e->calendar, day)) {
            buf_append_text(&e->out, comma);
            day_put(e, day);
            comma = ",";
        }
    buf_append_text(&e->out, "]");
    return true;
}

static const struct {
    const char *name;
    bool (*run)(struct evaluated *);
} operations[] = {
    {"add", eval_add},
    {"subtract", eval_add},
    {"add_days", eval_add_days},
    {"between", eval_between},
    {"add_with_pauses", eval_add_paused},
    {"between_with_pauses", eval_between},
    {"is_open", eval_edge},
    {"next_open", eval_edge},
    {"prev_close", eval_edge},
    {"next_close", eval_edge},
    {"open_intervals", eval_open_intervals},
    {"is_workday", eval_workday},
    {"next_workday_or_self", eval_workday},
    {"workdays_in_range", eval_workdays},
    {"count_workdays_inclusive", eval_workdays},
};

/* --- cases ---------------------------------------------------------------------------------- */

static bool calendar_find(struct evaluated *e, const char *name)
{
    size_t i = 0;
    while (i < e->compiled_n && !text_equal(e->compiled[i].name, name))
        i++;
    if (i == e->compiled_n) {
        json_t *definition = json_object_get(e->calendars, name);
        if (definition == NULL || i == CALENDARS_MAX)
            return problem_set(&e->problem, "unknown", "calendar", "%s", name);
        e->compiled[i].name = name;
        e->compiled[i].calendar = calendar_of_json(definition, &e->compiled[i].problem);
        e->compiled_n++;
    }
    e->problem = e->compiled[i].problem;
    e->calendar = e->compiled[i].calendar;
    return e->calendar != NULL;
}

static bool case_run(struct evaluated *e)
{
    const char *op = text_of(e->in, "op");
    if (!calendar_find(e, text_of(e->in, "calendar")))
        return false;
    for (size_t i = 0; i < COUNT_OF(operations); i++)
        if (text_equal(operations[i].name, op))
            return operations[i].run(e);
    return problem_set(&e->problem, "unknown", "op", "%s", op);
}

static void convention_put(struct evaluated *e)
{
    const char *tag = text_of(e->in, "boundary");
    for (size_t i = 0; i < COUNT_OF(conventions); i++)
        if (text_equal(conventions[i].tag, tag)) {
            buf_append_text(&e->out, ",\"convention\":");
            json_text(&e->out, conventions[i].why);
            e->conventions[i]++;
        }
}

static void case_print(struct evaluated *e)
{
    buf_reset(&e->out);
    buf_append_text(&e->out, "{\"id\":");
    json_text(&e->out, text_of(e->in, "id"));
    size_t begun = e->out.len;
    buf_append_text(&e->out, ",\"result\":");
    if (case_run(e)) {
        convention_put(e);
    } else {
        struct buf words = {0};
        e->failed++;
        e->out.len = begun;
        problem_print(&e->problem, false, &words);
        buf_append_text(&e->out, ",\"error\":");
        json_text(&e->out, buf_text(&words));
        buf_release(&words);
    }
    printf("%s}\n", buf_text(&e->out));
}

static int cases_say(const struct evaluated *e, size_t n)
{
    const struct cli *cli = e->call->cli;
    size_t other = 0;
    for (size_t i = 0; i < COUNT_OF(conventions); i++)
        other += e->conventions[i];
    cli_note(cli,
             in_words(cli->language, "cases: %zu, of another convention: %zu, not understood: %zu"),
             n, other, e->failed);
    for (size_t i = 0; i < COUNT_OF(conventions); i++)
        if (e->conventions[i] > 0)
            cli_note(cli, "  %zu %s: %s", e->conventions[i], conventions[i].tag,
                     conventions[i].why);
    return e->failed > 0 ? CLI_REFUSED : CLI_DONE;
}

int calendar_eval(struct calendar_call *call)
{
    struct cli *cli = call->cli;
    json_error_t error;
    if (!file_read(cli, call->file, CASES_TEXT_MAX, &call->text))
        return CLI_USAGE;
    json_t *root =
        json_loadb(buf_text(&call->text), call->text.len, JSON_REJECT_DUPLICATES, &error);
    json_t *cases = json_object_get(root, "cases");
    int code;
    if (!json_is_array(cases) || !json_is_object(json_object_get(root, "calendars"))) {
        code = cli_fail(cli, CLI_REFUSED,
                        in_words(cli->language, "It needs \"calendars\" and \"cases\"."),
                        in_words(cli->language, "%s: no file of cases: %s"), call->file,
                        root == NULL ? error.text : "");
    } else {
        struct evaluated *e = memory_new(sizeof(*e));
        e->call = call;
        e->calendars = json_object_get(root, "calendars");
        for (size_t i = 0; i < json_array_size(cases); i++) {
            e->in = json_array_get(cases, i);
            case_print(e);
        }
        code = cases_say(e, json_array_size(cases));
        for (size_t i = 0; i < e->compiled_n; i++)
            calendar_destroy(&e->compiled[i].calendar);
        buf_release(&e->out);
        free(e);
    }
    json_decref(root);
    return code;
}
