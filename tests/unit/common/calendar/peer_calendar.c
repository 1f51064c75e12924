#include "peer_calendar.h"

#include "base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const char *const weekdays[] = {"", "mon", "tue", "wed", "thu", "fri", "sat", "sun"};

static int weekday_of(const char *name)
{
    for (int i = 1; i <= 7; i++)
        if (text_equal(weekdays[i], name))
            return i;
    fail_msg("no weekday: %s", name);
    return 0;
}

static int weekday_of_date(const char *date)
{
    int y = 0, m = 0, d = 0;
    assert_int_equal(sscanf(date, "%d-%d-%d", &y, &m, &d), 3);
    return weekday_of_days(days_from_civil(y, m, d));
}

static struct slice windows_of(json_t *list, struct arena *arena)
{
    struct calendar_window *w = arena_alloc(arena, (json_array_size(list) + 1) * sizeof *w);
    uint32_t n = 0;
    for (size_t i = 0; i < json_array_size(list); i++, n++) {
        json_t *pair = json_array_get(list, i);
        text_copy(w[n].from, sizeof w[n].from, json_string_value(json_array_get(pair, 0)));
        text_copy(w[n].to, sizeof w[n].to, json_string_value(json_array_get(pair, 1)));
    }
    return (struct slice){w, n};
}

/* What is left of one window around one break, as texts of a day ("HH:MM" compare as they are
 * ordered). */
static void window_cut(struct calendar_window in, const char *from, const char *to,
                       struct calendar_window *out, uint32_t *n)
{
    if (strcmp(to, in.from) <= 0 || strcmp(from, in.to) >= 0) {
        out[(*n)++] = in;
        return;
    }
    if (strcmp(in.from, from) < 0) {
        out[*n] = in;
        memcpy(out[*n].to, from, 6);
        (*n)++;
    }
    if (strcmp(to, in.to) < 0) {
        out[*n] = in;
        memcpy(out[*n].from, to, 6);
        (*n)++;
    }
}

static struct slice windows_without(struct slice windows, json_t *breaks, struct arena *arena)
{
    for (size_t i = 0; i < json_array_size(breaks); i++) {
        json_t *pair = json_array_get(breaks, i);
        const struct calendar_window *old = windows.items;
        struct calendar_window *left =
            arena_alloc(arena, (windows.n * (size_t)2 + 1) * sizeof *left);
        uint32_t n = 0;
        for (uint32_t w = 0; w < windows.n; w++)
            window_cut(old[w], json_string_value(json_array_get(pair, 0)),
                       json_string_value(json_array_get(pair, 1)), left, &n);
        windows = (struct slice){left, n};
    }
    return windows;
}

struct dates {
    struct calendar_exception items[4096];
    uint32_t n;
};

static struct calendar_exception *date_add(struct dates *dates, const char *date)
{
    for (uint32_t i = 0; i < dates->n; i++)
        if (text_equal(dates->items[i].from, date))
            return NULL; /* who came first has precedence */
    assert_true(dates->n < 4096);
    struct calendar_exception *e = &dates->items[dates->n++];
    text_copy(e->from, sizeof e->from, date);
    return e;
}

static void holidays_add(struct dates *dates, json_t *def)
{
    json_t *list = json_object_get(def, "holidays"),
           *annual = json_object_get(def, "annual_holidays");
    for (size_t i = 0; i < json_array_size(list); i++)
        date_add(dates, json_string_value(json_array_get(list, i)));
    for (size_t i = 0; i < json_array_size(annual); i++)
        for (int year = 2005; year <= 2030; year++) {
            char date[11];
            snprintf(date, sizeof date, "%04d-%.5s", year,
                     json_string_value(json_array_get(annual, i)));
            date_add(dates, date);
        }
}

static void breaks_add(struct dates *dates, json_t *def, struct arena *arena)
{
    const char *date;
    json_t *breaks, *overrides = json_object_get(def, "date_overrides");
    json_object_foreach(json_object_get(def, "breaks"), date, breaks)
    {
        json_t *base = json_object_get(overrides, date);
        if (!base)
            base = json_object_get(json_object_get(def, "weekly"), weekdays[weekday_of_date(date)]);
        struct calendar_exception *e = date_add(dates, date);
        if (e)
            e->windows = windows_without(windows_of(base, arena), breaks, arena);
    }
}

struct calendar *peer_calendar_new(const char *name, json_t *json)
{
    static struct dates dates;
    struct arena *arena = arena_new(65536);
    struct calendar_def def = {.version = "1"};
    struct calendar_day week[7] = {0};
    const char *key;
    json_t *value;
    dates = (struct dates){.n = 0};
    text_copy(def.zone, sizeof def.zone, json_string_value(json_object_get(json, "tz")));
    json_object_foreach(json_object_get(json, "weekly"), key, value) week[def.weekly.n++] =
        (struct calendar_day){.weekday = weekday_of(key), .windows = windows_of(value, arena)};
    def.weekly.items = week;
    holidays_add(&dates, json);
    breaks_add(&dates, json, arena);
    json_object_foreach(json_object_get(json, "date_overrides"), key, value)
    {
        struct calendar_exception *e = date_add(&dates, key);
        if (e)
            e->windows = windows_of(value, arena);
    }
    json_object_foreach(json_object_get(json, "makeup_as"), key, value)
    {
        struct calendar_exception *e = date_add(&dates, key);
        if (e)
            e->as = weekday_of(json_string_value(value));
    }
    def.exceptions = (struct slice){dates.items, dates.n};
    struct problem problem = {0};
    struct calendar *c = calendar_new(&def, &problem);
    if (!c)
        fail_msg("%s: %s %s %s", name, problem.code, problem.field, problem.args);
    arena_destroy(&arena);
    return c;
}
