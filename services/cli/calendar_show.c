/* calendar show: a month as it hangs on a wall, or the working days of every month that is known.
 */
#include "base/clock.h"
#include "base/text.h"
#include "calendar_verbs.h"
#include <inttypes.h>
#include <string.h>

#define YEARS_SAID_MAX 20

const char *calendar_weekday(enum language language, int weekday)
{
    static const char *const names[2][8] = {
        {"", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"},
        {"", "周一", "周二", "周三", "周四", "周五", "周六", "周日"}};
    return names[language == CHINESE][weekday];
}

static const char by_week[] = "%d: no holidays are known for this year; counted by the week";

void calendar_years_say(const struct calendar_call *call, int64_t from_us, int64_t to_us,
                        struct buf *json)
{
    const struct zone *zone = calendar_zone(call->calendar);
    int first = zone_local(zone, from_us).year, last = zone_local(zone, to_us).year, said = 0;
    for (int year = first; year <= last && said < YEARS_SAID_MAX; year++) {
        if (calendar_has_data(call->calendar, year))
            continue;
        buf_append_format(json, "%s%d", said++ == 0 ? ",\"by_week\":[" : ",", year);
        cli_note(call->cli, in_words(call->cli->language, by_week), year);
    }
    if (said > 0)
        buf_append_text(json, "]");
}

static void date_print(int64_t day, char out[16])
{
    int y, m, d;
    civil_from_days(day, &y, &m, &d);
    snprintf(out, 16, "%04d-%02d-%02d", y, m % 100, d % 100);
}

/* The exception that holds on that day; NULL: the week. */
static const struct calendar_exception *exception_on(const struct calendar_def *def, int64_t day)
{
    const struct calendar_exception *e = def->exceptions.items;
    char date[16];
    date_print(day, date);
    for (uint32_t i = 0; i < def->exceptions.n; i++)
        if (strcmp(e[i].from, date) <= 0 && strcmp(e[i].to[0] ? e[i].to : e[i].from, date) >= 0)
            return &e[i];
    return NULL;
}

static int64_t worked_on(const struct calendar *c, int64_t day)
{
    struct calendar_span spans[CALENDAR_WINDOWS_MAX];
    unsigned n = calendar_day_spans(c, day, spans);
    int64_t sum = 0;
    for (unsigned i = 0; i < n; i++)
        sum += spans[i].to_us - spans[i].from_us;
    return sum;
}

/* "8", "7.5", "7:20" */
static void hours_print(int64_t us, char out[24])
{
    int64_t minutes = us / MINUTE_US;
    if (minutes % 60 == 0)
        snprintf(out, 24, "%" PRId64, minutes / 60);
    else if (minutes % 6 == 0)
        snprintf(out, 24, "%" PRId64 ".%" PRId64, minutes / 60, minutes % 60 / 6);
    else
        snprintf(out, 24, "%" PRId64 ":%02" PRId64, minutes / 60, minutes % 60);
}

/* "08:30-12:00 13:00-17:30", or `["08:30","12:00"],["13:00","17:30"]`. */
static void windows_print(const struct slice *windows, bool json, struct buf *out)
{
    const struct calendar_window *w = windows->items;
    for (uint32_t i = 0; i < windows->n; i++)
        buf_append_format(out, json ? "%s[\"%s\",\"%s\"]" : "%s%s-%s",
                          i == 0 ? ""
                          : json ? ","
                                 : " ",
                          w[i].from, w[i].to);
}

static const struct slice *hours_of_weekday(const struct calendar_def *def, int weekday)
{
    static const struct slice none;
    const struct calendar_day *days = def->weekly.items;
    for (uint32_t i = 0; i < def->weekly.n; i++)
        if (days[i].weekday == weekday)
            return &days[i].windows;
    return &none;
}

static const struct slice *hours_of_day(const struct calendar_def *def, int64_t day)
{
    const struct calendar_exception *e = exception_on(def, day);
    if (e == NULL)
        return hours_of_weekday(def, weekday_of_days(day));
    return e->as ? hours_of_weekday(def, e->as) : &e->windows;
}

static void head_print(const struct calendar_call *call, const char *what)
{
    printf("%s %s  %s  %s\n", call->def.name, call->def.version, call->def.zone, what);
}

/* --- a month -------------------------------------------------------------------------------- */

struct month {
    int year, month;
    int64_t first, last; /* days */
    int64_t days, worked_us;
};

static bool month_read(const char *text, struct month *out)
{
    char date[11];
    int day;
    if (strlen(text) != 7)
        return false;
    text_format(date, sizeof(date), "%s-01", text);
    if (!date_of_text(date, &out->first))
        return false;
    civil_from_days(out->first, &out->year, &out->month, &day);
    out->last = out->first + days_in_month(out->year, out->month) - 1;
    return true;
}

static void month_count(const struct calendar *c, struct month *month)
{
    month->days = calendar_count_working_days(c, month->first, month->last);
    for (int64_t day = month->first; day <= month->last; day++)
        month->worked_us += worked_on(c, day);
}

static void grid_print(const struct calendar_call *call, const struct month *month)
{
    for (int weekday = 1; weekday <= 7; weekday++)
        printf("%s%*s", calendar_weekday(call->cli->language, weekday),
               8 - (int)text_columns(calendar_weekday(call->cli->language, weekday)), "");
    printf("\n%*s", 8 * (weekday_of_days(month->first) - 1), "");
    for (int64_t day = month->first; day <= month->last; day++) {
        char hours[24] = "-", cell[40];
        if (calendar_day_is_working(call->calendar, day))
            hours_print(worked_on(call->calendar, day), hours);
        snprintf(cell, sizeof(cell), "%2d %s%s", (int)(day - month->first) + 1, hours,
                 exception_on(&call->def, day) != NULL ? "*" : "");
        if (weekday_of_days(day) == 7 || day == month->last)
            printf("%s\n", cell);
        else
            printf("%-8s", cell);
    }
}

static void exceptions_print(const struct calendar_call *call, const struct month *month)
{
    enum language language = call->cli->language;
    const struct calendar_exception *before = NULL;
    struct buf hours = {0};
    for (int64_t day = month->first; day <= month->last; day++) {
        const struct calendar_exception *e = exception_on(&call->def, day);
        if (e == NULL || e == before)
            continue;
        before = e;
        buf_reset(&hours);
        windows_print(hours_of_day(&call->def, day), false, &hours);
        printf("* %s%s%s  %s  %s", e->from, e->to[0] ? " – " : "", e->to, e->name,
               hours.len ? buf_text(&hours) : in_words(language, "off"));
        if (e->as)
            printf(in_words(language, " (as on %s)"), calendar_weekday(language, e->as));
        printf("\n");
    }
    buf_release(&hours);
}

static void month_print(const struct calendar_call *call, const struct month *month)
{
    char hours[24];
    head_print(call, call->month);
    grid_print(call, month);
    exceptions_print(call, month);
    hours_print(month->worked_us, hours);
    printf(in_words(call->cli->language, "working days %" PRId64 ", working hours %s\n"),
           month->days, hours);
    if (!calendar_has_data(call->calendar, month->year)) {
        printf(in_words(call->cli->language, by_week), month->year);
        printf("\n");
    }
}

static void month_json(const struct calendar_call *call, const struct month *month)
{
    struct buf out = {0};
    buf_append_format(&out, "{\"name\":\"%s\",\"version\":\"%s\",\"zone\":\"%s\",\"month\":\"%s\"",
                      call->def.name, call->def.version, call->def.zone, call->month);
    buf_append_format(&out,
                      ",\"known\":%s,\"working_days\":%" PRId64 ",\"working_seconds\":%" PRId64,
                      calendar_has_data(call->calendar, month->year) ? "true" : "false",
                      month->days, month->worked_us / SECOND_US);
    for (int64_t day = month->first; day <= month->last; day++) {
        const struct calendar_exception *e = exception_on(&call->def, day);
        char date[16];
        date_print(day, date);
        buf_append_format(&out, "%s{\"date\":\"%s\",\"working\":%s,\"windows\":[",
                          day == month->first ? ",\"days\":[" : ",", date,
                          calendar_day_is_working(call->calendar, day) ? "true" : "false");
        windows_print(hours_of_day(&call->def, day), true, &out);
        buf_append_text(&out, "]");
        if (e != NULL) {
            buf_append_text(&out, ",\"name\":");
            json_text(&out, e->name);
        }
        buf_append_text(&out, "}");
    }
    printf("%s]}\n", buf_text(&out));
    buf_release(&out);
}

/* --- all years ------------------------------------------------------------------------------ */

static bool same_hours(const struct slice *a, const struct slice *b)
{
    const struct calendar_window *x = a->items, *y = b->items;
    bool same = a->n == b->n;
    for (uint32_t i = 0; same && i < a->n; i++)
        same = text_equal(x[i].from, y[i].from) && text_equal(x[i].to, y[i].to);
    return same;
}

static void week_print(const struct calendar_call *call)
{
    enum language language = call->cli->language;
    struct buf hours = {0};
    for (int day = 1, next; day <= 7; day = next) {
        const struct slice *windows = hours_of_weekday(&call->def, day);
        for (next = day + 1; next <= 7 && same_hours(windows, hours_of_weekday(&call->def, next));)
            next++;
        buf_reset(&hours);
        windows_print(windows, false, &hours);
        printf("%s", calendar_weekday(language, day));
        if (next > day + 1)
            printf(" – %s", calendar_weekday(language, next - 1));
        printf("  %s\n", windows->n ? buf_text(&hours) : in_words(language, "off"));
    }
    buf_release(&hours);
}

/* The years to show: those that are known and the one after them; without such bounds, this one and
 * the next. */
static void years_find(const struct calendar_call *call, int *first, int *last)
{
    const struct calendar *c = call->calendar;
    int today = zone_local(calendar_zone(c), clock_wall_us()).year;
    *first = *last = today;
    while (!calendar_has_data(c, *last) && *last > 1970)
        --*last;
    *first = *last;
    while (calendar_has_data(c, *last + 1) && *last < today + 30)
        ++*last;
    while (calendar_has_data(c, *first - 1) && *first > 1970)
        --*first;
    if (*first == 1970)
        *first = today;
    *last = *last == today + 30 ? today + 1 : *last + 1;
}

static int years_print(const struct calendar_call *call)
{
    enum language language = call->cli->language;
    bool json = call->cli->json, starred = false;
    int first, last;
    years_find(call, &first, &last);
    if (json) {
        printf("{\"name\":\"%s\",\"version\":\"%s\",\"zone\":\"%s\",\"years\":[", call->def.name,
               call->def.version, call->def.zone);
    } else {
        head_print(call, "");
        week_print(call);
        printf("%s\n      ", in_words(language, "working days a month"));
        for (int m = 1; m <= 12; m++)
            printf("%4d", m);
        printf("\n");
    }
    for (int year = first; year <= last; year++) {
        bool known = calendar_has_data(call->calendar, year);
        int64_t sum = 0;
        printf(json ? "%s{\"year\":%d,\"known\":%s,\"working_days\":[" : "%s%d%s",
               json && year > first ? "," : "", year,
               json    ? known ? "true" : "false"
               : known ? "  "
                       : "* ");
        for (int m = 1; m <= 12; m++) {
            int64_t day = days_from_civil(year, m, 1);
            int64_t days =
                calendar_count_working_days(call->calendar, day, day + days_in_month(year, m) - 1);
            printf(json ? "%s%" PRId64 : "%s%4" PRId64, json && m > 1 ? "," : "", days);
            sum += days;
        }
        printf(json ? "],\"sum\":%" PRId64 "}" : "%6" PRId64 "\n", sum);
        starred |= !known;
    }
    if (json)
        printf("]}\n");
    else if (starred)
        printf("%s\n",
               in_words(language, "* no holidays are known for this year; counted by the week"));
    return CLI_DONE;
}

int calendar_show(struct calendar_call *call)
{
    struct month month = {0};
    if (call->month == NULL)
        return years_print(call);
    if (!month_read(call->month, &month))
        return cli_fail(call->cli, CLI_USAGE, in_words(call->cli->language, "Such as 2026-10."),
                        in_words(call->cli->language, "\"%s\" is no month"), call->month);
    month_count(call->calendar, &month);
    if (call->cli->json)
        month_json(call, &month);
    else
        month_print(call, &month);
    return CLI_DONE;
}
