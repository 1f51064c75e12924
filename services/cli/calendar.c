/* calendar: check a file, show it, count by it. Needs no daemon. */
#include "base/text.h"
#include "calendar_verbs.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static int file_load(struct calendar_call *call)
{
    struct cli *cli = call->cli;
    struct problems problems = {0};
    struct problem problem;
    if (!file_read(cli, call->file, 1 << 20, &call->text))
        return CLI_USAGE;
    if (record_parse_yaml(&calendar_def_record, buf_text(&call->text), call->text.len, call->arena,
                          &call->def, &problems)) {
        call->calendar = calendar_new(&call->def, &problem);
        if (call->calendar == NULL)
            problems_add(&problems, &problem);
    }
    if (call->calendar == NULL) {
        cli_problems(cli, call->file, &problems);
        cli_fail(cli, CLI_REFUSED,
                 in_words(cli->language, "Correct the lines above; deploy/calendars has examples."),
                 in_words(cli->language, "%s: mistakes: %zu"), call->file, problems.n);
    }
    problems_release(&problems);
    return call->calendar == NULL ? CLI_REFUSED : CLI_DONE;
}

static int calendar_check(struct calendar_call *call)
{
    const struct calendar_def *def = &call->def;
    if (call->cli->json)
        printf("{\"name\":\"%s\",\"version\":\"%s\",\"good\":true}\n", def->name, def->version);
    else
        printf(in_words(call->cli->language, "%s: calendar %s %s is good\n"), call->file, def->name,
               def->version);
    return CLI_DONE;
}

/* --- what is asked -------------------------------------------------------------------------- */

/* RFC 3339, or a wall time of the calendar's zone: "2026-10-01", "2026-10-01 17:00", "2026-10-01
 * 17:00:30". */
static bool instant_read(const struct calendar_call *call, const char *text, int64_t *us)
{
    if (instant_parse(text, us))
        return true;
    struct local_time t = {0};
    int64_t day;
    char date[11], rest = '\0';
    if (strlen(text) < 10 || !text_copy_n(date, sizeof(date), text, 10) ||
        !date_of_text(date, &day))
        return false;
    civil_from_days(day, &t.year, &t.month, &t.day);
    if (text[10] != '\0') {
        int n = (text[10] == ' ' || text[10] == 'T')
                    ? sscanf(text + 11, "%2d:%2d:%2d%c", &t.hour, &t.minute, &t.second, &rest)
                    : 0;
        if ((n != 3 && !(n == 2 && strlen(text) == 16)) || t.hour < 0 || t.hour > 23 ||
            t.minute < 0 || t.minute > 59 || t.second < 0 || t.second > 59)
            return false;
    }
    *us = zone_instant(calendar_zone(call->calendar), &t);
    return true;
}

static int instant_fail(const struct calendar_call *call, const char *text)
{
    const struct cli *cli = call->cli;
    return cli_fail(cli, CLI_USAGE,
                    in_words(cli->language,
                             "2026-10-01T09:00:00Z, or a wall time of the calendar's "
                             "zone: \"2026-10-01 17:00\"."),
                    in_words(cli->language, "\"%s\" is no time"), text);
}

/* Working time, or whole working days. */
struct amount {
    int64_t us, days;
    bool in_days;
};

static bool amount_read(const char *text, struct amount *out)
{
    struct span span;
    char *end;
    long long seconds = strtoll(text, &end, 10);
    if (*text != '\0' && *end == '\0' && seconds >= 0 && seconds <= INT64_C(1000000000)) {
        *out = (struct amount){.us = seconds * SECOND_US};
        return true;
    }
    if (!span_parse(text, &span) || span.n < 0 || span.n > 1000000)
        return false;
    switch (span.unit) {
    case SPAN_WORKING_DAYS:
        *out = (struct amount){.days = span.n, .in_days = true};
        return true;
    case SPAN_WORKING_HOURS:
        *out = (struct amount){.us = span.n * HOUR_US};
        return true;
    case SPAN_SECONDS:
    case SPAN_MINUTES:
    case SPAN_HOURS:
        *out = (struct amount){.us = span_us(span)};
        return true;
    case SPAN_NONE:
    case SPAN_DAYS:
    case SPAN_WEEKS:
    case SPAN_MONTHS:
    case SPAN_YEARS:
        break;
    }
    return false;
}

/* --- what is answered ----------------------------------------------------------------------- */

static int instant_say(const struct calendar_call *call, int64_t from_us, int64_t us)
{
    const struct cli *cli = call->cli;
    const struct zone *zone = calendar_zone(call->calendar);
    if (us == INT64_MAX || us == INT64_MIN)
        return cli_fail(cli, CLI_REFUSED, NULL, "%s",
                        in_words(cli->language, "not in a hundred years"));
    char utc[INSTANT_TEXT_MAX], local[INSTANT_TEXT_MAX];
    struct local_time t = zone_local(zone, us);
    struct buf by_week = {0};
    instant_print(us, utc);
    zone_print(zone, us, local);
    calendar_years_say(call, from_us < us ? from_us : us, from_us < us ? us : from_us, &by_week);
    if (cli->json)
        printf("{\"result\":\"%s\",\"local\":\"%s\"%s}\n", utc, local, buf_text(&by_week));
    else
        printf("%04d-%02d-%02d %02d:%02d:%02d %s %s  %s\n", t.year, t.month, t.day, t.hour,
               t.minute, t.second, calendar_weekday(cli->language, t.weekday), zone_name(zone),
               utc);
    buf_release(&by_week);
    return CLI_DONE;
}

static int calendar_count(struct calendar_call *call, bool back)
{
    const struct cli *cli = call->cli;
    const struct calendar *c = call->calendar;
    struct amount amount;
    int64_t from;
    if (!instant_read(call, call->args[0], &from))
        return instant_fail(call, call->args[0]);
    if (!amount_read(call->args[1], &amount))
        return cli_fail(cli, CLI_USAGE,
                        in_words(cli->language,
                                 "Working time: 90min, 4h, 8wh, 3wd (working days), or seconds."),
                        in_words(cli->language, "\"%s\" is no working time"), call->args[1]);
    if (amount.in_days)
        return instant_say(call, from,
                           calendar_add_working_days(c, from, back ? -amount.days : amount.days));
    return instant_say(call, from,
                       back ? calendar_subtract(c, from, amount.us)
                            : calendar_add(c, from, amount.us));
}

static int calendar_measure(struct calendar_call *call)
{
    const struct cli *cli = call->cli;
    int64_t from, to;
    struct buf by_week = {0};
    for (size_t i = 0; i < 2; i++)
        if (!instant_read(call, call->args[i], i == 0 ? &from : &to))
            return instant_fail(call, call->args[i]);
    int64_t seconds = calendar_between(call->calendar, from, to) / SECOND_US;
    calendar_years_say(call, from < to ? from : to, from < to ? to : from, &by_week);
    if (cli->json)
        printf("{\"result\":%" PRId64 "%s}\n", seconds, buf_text(&by_week));
    else
        printf("%s%" PRId64 ":%02d:%02d  %" PRId64 " s\n", seconds < 0 ? "-" : "",
               (seconds < 0 ? -seconds : seconds) / 3600, abs((int)(seconds / 60 % 60)),
               abs((int)(seconds % 60)), seconds);
    buf_release(&by_week);
    return CLI_DONE;
}

static int calendar_next(struct calendar_call *call)
{
    int64_t from;
    if (!instant_read(call, call->args[0], &from))
        return instant_fail(call, call->args[0]);
    return instant_say(call, from, calendar_next_open(call->calendar, from));
}

/* --- verbs ---------------------------------------------------------------------------------- */

static int calendar_add_verb(struct calendar_call *call)
{
    return calendar_count(call, false);
}

static int calendar_subtract_verb(struct calendar_call *call)
{
    return calendar_count(call, true);
}

static const struct {
    const char *name;
    size_t args;
    bool of_file; /* works on the calendar in the file */
    int (*run)(struct calendar_call *);
} verbs[] = {{"check", 0, true, calendar_check},     {"show", 0, true, calendar_show},
             {"add", 2, true, calendar_add_verb},    {"subtract", 2, true, calendar_subtract_verb},
             {"between", 2, true, calendar_measure}, {"next-open", 1, true, calendar_next},
             {"eval", 0, false, calendar_eval}};

static error_t calendar_options(int key, char *arg, struct argp_state *state)
{
    struct calendar_call *call = state->input;
    switch (key) {
    case 'm':
        call->month = arg;
        return 0;
    case ARGP_KEY_ARG:
        if (call->verb == NULL)
            call->verb = arg;
        else if (call->file == NULL)
            call->file = arg;
        else if (call->args_n < CALENDAR_ARGS_MAX)
            call->args[call->args_n++] = arg;
        else
            argp_error(state, "unexpected \"%s\"", arg);
        return 0;
    case ARGP_KEY_END:
        if (call->file == NULL)
            argp_error(state, "needs a verb and FILE");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static int verb_run(struct calendar_call *call)
{
    const struct cli *cli = call->cli;
    for (size_t i = 0; i < COUNT_OF(verbs); i++) {
        if (!text_equal(verbs[i].name, call->verb))
            continue;
        if (call->args_n != verbs[i].args)
            return cli_fail(cli, CLI_USAGE,
                            in_words(cli->language, "`aftercare calendar --help` shows examples."),
                            in_words(cli->language, "calendar %s takes %zu arguments after FILE"),
                            call->verb, verbs[i].args);
        int code = verbs[i].of_file ? file_load(call) : CLI_DONE;
        return code == CLI_DONE ? verbs[i].run(call) : code;
    }
    return cli_fail(
        cli, CLI_USAGE,
        in_words(cli->language, "check, show, add, subtract, between, next-open or eval"),
        in_words(cli->language, "calendar has no \"%s\""), call->verb);
}

int command_calendar(struct cli *cli, int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"month", 'm', "YYYY-MM", 0, "show this month, day by day", 0}, {0}};
    static const struct cli_syntax syntax = {
        options, calendar_options,
        "check FILE\nshow FILE [--month YYYY-MM]\nadd FILE FROM AMOUNT\nsubtract FILE FROM AMOUNT\n"
        "between FILE FROM TO\nnext-open FILE FROM\neval CASES.json",
        "Check a calendar, show it, or count by it.\vExamples:\n"
        "  aftercare calendar show deploy/calendars/cn.yaml --month 2026-10\n"
        "  aftercare calendar add deploy/calendars/cn.yaml \"2026-09-30 16:00\" 8wh\n"
        "  aftercare calendar between deploy/calendars/cn.yaml 2026-10-01 2026-11-01"};
    struct calendar_call *call = memory_new(sizeof(*call));
    call->cli = cli;
    call->arena = arena_new(65536);
    record_clear(&calendar_def_record, &call->def);
    cli_parse(&syntax, argc, argv, call);
    int code = verb_run(call);
    calendar_destroy(&call->calendar);
    buf_release(&call->text);
    arena_destroy(&call->arena);
    free(call);
    return code;
}
