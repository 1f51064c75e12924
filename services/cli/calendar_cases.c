/* A calendar as a file of cases defines it. Precedence: holiday, then dated hours or make-up day,
 * then the week; breaks are taken out of whatever hours hold. */
#include "base/text.h"
#include "calendar_verbs.h"
#include <stdlib.h>
#include <string.h>

#define DATES_MAX    8192
#define ANNUAL_FIRST 1990
#define ANNUAL_LAST  2060
#define DAY_MINUTES  1440

struct reading {
    struct problem *problem;
    struct arena *arena;
    json_t *json;
    struct calendar_day week[7];
    struct calendar_def def;
    struct calendar_exception *dates;
    uint32_t n;
};

bool date_of_text(const char *text, int64_t *day)
{
    int y = 0, m = 0, d = 0;
    char rest;
    if (strlen(text) != 10 || sscanf(text, "%4d-%2d-%2d%c", &y, &m, &d, &rest) != 3 || y < 1970 ||
        m < 1 || m > 12 || d < 1 || d > days_in_month(y, m))
        return false;
    *day = days_from_civil(y, m, d);
    return true;
}

static const char *text_at(json_t *list, size_t i)
{
    const char *text = json_string_value(json_array_get(list, i));
    return text != NULL ? text : "";
}

static int weekday_named(const char *name)
{
    static const char *const names[] = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};
    for (int i = 0; i < 7; i++)
        if (text_equal(names[i], name))
            return i + 1;
    return 0;
}

static bool minute_read(const char *text, int *minute)
{
    int h = 0, m = 0;
    char rest;
    if (sscanf(text, "%2d:%2d%c", &h, &m, &rest) != 2 || h < 0 || h > 24 || m < 0 || m > 59)
        return false;
    *minute = h * 60 + m;
    return *minute <= DAY_MINUTES;
}

struct minutes {
    int from, to; /* to may pass midnight */
};

static bool minutes_read(struct reading *r, json_t *pair, const char *where, struct minutes *out)
{
    if (!minute_read(text_at(pair, 0), &out->from) || !minute_read(text_at(pair, 1), &out->to))
        return problem_set(r->problem, "bad-time", where, "expected [\"09:00\", \"17:00\"]");
    if (out->to <= out->from)
        out->to += DAY_MINUTES;
    return true;
}

static bool window_add(struct reading *r, struct slice *windows, struct minutes in,
                       const char *where)
{
    struct calendar_window *w = windows->items;
    if (windows->n == CALENDAR_WINDOWS_MAX)
        return problem_set(r->problem, "too-long", where, "at most %d windows a day",
                           CALENDAR_WINDOWS_MAX);
    if (in.from >= DAY_MINUTES)
        return problem_set(r->problem, "bad-value", where,
                           "a break in a night shift, after midnight, is not understood");
    int to = in.to > DAY_MINUTES ? in.to - DAY_MINUTES : in.to;
    text_format(w[windows->n].from, 6, "%02u:%02u", (unsigned)in.from / 60, (unsigned)in.from % 60);
    text_format(w[windows->n].to, 6, "%02u:%02u", (unsigned)to / 60 % 100, (unsigned)to % 60);
    windows->n++;
    return true;
}

/* The windows of a list without the breaks of another. */
static bool windows_read(struct reading *r, json_t *list, json_t *breaks, const char *where,
                         struct slice *out)
{
    out->items = arena_alloc(r->arena, CALENDAR_WINDOWS_MAX * sizeof(struct calendar_window));
    out->n = 0;
    for (size_t i = 0; i < json_array_size(list); i++) {
        struct minutes left[CALENDAR_WINDOWS_MAX + 1];
        size_t n = 1;
        if (!minutes_read(r, json_array_get(list, i), where, &left[0]))
            return false;
        for (size_t b = 0; b < json_array_size(breaks); b++) {
            struct minutes cut;
            if (!minutes_read(r, json_array_get(breaks, b), where, &cut))
                return false;
            for (size_t w = n; w-- > 0;) {
                struct minutes in = left[w];
                if (cut.to <= in.from || cut.from >= in.to)
                    continue;
                left[w] = left[--n];
                if (n + 2 > COUNT_OF(left))
                    return problem_set(r->problem, "too-long", where, "too many breaks");
                if (in.from < cut.from)
                    left[n++] = (struct minutes){in.from, cut.from};
                if (cut.to < in.to)
                    left[n++] = (struct minutes){cut.to, in.to};
            }
        }
        for (size_t w = 0; w < n; w++)
            if (!window_add(r, out, left[w], where))
                return false;
    }
    return true;
}

/* --- dates ---------------------------------------------------------------------------------- */

static bool date_is_there(const struct reading *r, const char *date)
{
    for (uint32_t i = 0; i < r->n; i++)
        if (text_equal(r->dates[i].from, date))
            return true;
    return false;
}

/* Who came first has precedence: *added is NULL then. */
static bool date_add(struct reading *r, const char *date, struct calendar_exception **added)
{
    int64_t day;
    *added = NULL;
    if (!date_of_text(date, &day))
        return problem_set(r->problem, "bad-time", "date", "\"%s\", expected 2011-07-04", date);
    if (date_is_there(r, date))
        return true;
    if (r->n == DATES_MAX)
        return problem_set(r->problem, "too-long", "dates", "at most %d", DATES_MAX);
    *added = &r->dates[r->n++];
    text_copy((*added)->from, sizeof((*added)->from), date);
    return true;
}

static bool holidays_read(struct reading *r)
{
    struct calendar_exception *added;
    json_t *list = json_object_get(r->json, "holidays"),
           *annual = json_object_get(r->json, "annual_holidays");
    for (size_t i = 0; i < json_array_size(list); i++)
        if (!date_add(r, text_at(list, i), &added))
            return false;
    for (size_t i = 0; i < json_array_size(annual); i++)
        for (int year = ANNUAL_FIRST; year <= ANNUAL_LAST; year++) {
            char date[16];
            int64_t day;
            snprintf(date, sizeof(date), "%04d-%.5s", year, text_at(annual, i));
            bool leap_only = text_equal(text_at(annual, i), "02-29") && !date_of_text(date, &day);
            if (!leap_only && !date_add(r, date, &added))
                return false;
        }
    return true;
}

static json_t *week_list(struct reading *r, const char *weekday)
{
    return json_object_get(json_object_get(r->json, "weekly"), weekday);
}

static const char *weekday_of_date(const char *date)
{
    static const char *const names[] = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};
    int64_t day;
    return date_of_text(date, &day) ? names[weekday_of_days(day) - 1] : "";
}

/* Dated hours, make-up days, and days that have nothing but a break: each date's hours without its
 * breaks. */
static bool dated_read(struct reading *r)
{
    static const char *const lists[] = {"date_overrides", "makeup_as", "breaks"};
    json_t *breaks = json_object_get(r->json, "breaks"), *value;
    struct calendar_exception *added;
    const char *date;
    for (size_t i = 0; i < COUNT_OF(lists); i++)
        json_object_foreach(json_object_get(r->json, lists[i]), date, value)
        {
            if (!date_add(r, date, &added))
                return false;
            json_t *hours = i == 0   ? value
                            : i == 1 ? week_list(r, json_string_value(value))
                                     : week_list(r, weekday_of_date(date));
            if (added != NULL &&
                !windows_read(r, hours, json_object_get(breaks, date), date, &added->windows))
                return false;
        }
    return true;
}

/* The hours of a date, as read so far. */
static struct slice hours_on(const struct reading *r, int64_t day)
{
    char date[16];
    int y, m, d;
    civil_from_days(day, &y, &m, &d);
    snprintf(date, sizeof(date), "%04d-%02d-%02d", y, m % 100, d % 100);
    for (uint32_t i = 0; i < r->n; i++)
        if (text_equal(r->dates[i].from, date))
            return r->dates[i].windows;
    for (uint32_t i = 0; i < r->def.weekly.n; i++)
        if (r->week[i].weekday == weekday_of_days(day))
            return r->week[i].windows;
    return (struct slice){0};
}

/* A night shift belongs to the day it opens on; a break on the day it ends on would have to cut it
 * there. */
static bool nights_are_whole(struct reading *r)
{
    const char *date;
    json_t *list;
    json_object_foreach(json_object_get(r->json, "breaks"), date, list)
    {
        int64_t day = 0;
        if (!date_of_text(date, &day))
            continue;
        struct slice before = hours_on(r, day - 1);
        const struct calendar_window *w = before.items;
        for (uint32_t i = 0; i < before.n; i++)
            for (size_t b = 0; b < json_array_size(list);
                 b++) /* "HH:MM" compare as they are ordered */
                if (strcmp(w[i].to, w[i].from) <= 0 &&
                    strcmp(text_at(json_array_get(list, b), 0), w[i].to) < 0)
                    return problem_set(
                        r->problem, "bad-value", date,
                        "a break in a night shift, after midnight, is not understood");
    }
    return true;
}

static bool week_read(struct reading *r)
{
    const char *name;
    json_t *list;
    r->def.weekly.items = r->week;
    json_object_foreach(json_object_get(r->json, "weekly"), name, list)
    {
        if (r->def.weekly.n == 7 || weekday_named(name) == 0)
            return problem_set(r->problem, "bad-value", "weekly", "\"%s\", expected mon to sun",
                               name);
        struct calendar_day *day = &r->week[r->def.weekly.n++];
        day->weekday = weekday_named(name);
        if (!windows_read(r, list, NULL, name, &day->windows))
            return false;
    }
    return true;
}

struct calendar *calendar_of_json(json_t *definition, struct problem *problem)
{
    struct calendar *calendar = NULL;
    struct reading r = {.problem = problem, .arena = arena_new(65536), .json = definition};
    const char *zone = json_string_value(json_object_get(definition, "tz"));
    text_copy(r.def.zone, sizeof(r.def.zone), zone != NULL ? zone : "");
    r.dates = memory_new(DATES_MAX * sizeof(*r.dates));
    if (week_read(&r) && holidays_read(&r) && dated_read(&r) && nights_are_whole(&r)) {
        r.def.exceptions = (struct slice){r.dates, r.n};
        calendar = calendar_new(&r.def, problem);
    }
    free(r.dates);
    arena_destroy(&r.arena);
    return calendar;
}
