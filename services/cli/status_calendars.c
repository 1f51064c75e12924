/* Calendars in force whose holidays are not known for this year or the next: those are counted by
 * the week until they are announced. */
#include "status_calendars.h"
#include "base/text.h"
#include "calendar/calendar.h"
#include "connection.h"
#include "policy/published.h"
#include <stdlib.h>

struct reading {
    struct arena *arena;
    struct unknown_years *out;
    int year;
};

static struct unknown_year *place(struct unknown_years *out, const char *name)
{
    for (size_t i = 0; i < out->n; i++)
        if (text_equal(out->items[i].name, name))
            return &out->items[i];
    return out->n < COUNT_OF(out->items) ? &out->items[out->n++] : NULL;
}

static bool on_calendar(void *owner, const struct event *event)
{
    struct reading *reading = owner;
    struct calendar_published data;
    struct calendar_def def;
    struct problem problem;
    arena_reset(reading->arena);
    if (!record_decode(&calendar_published_record, RECORD_PLAIN, DECODE_LENIENT, event->data,
                       reading->arena, &data, &problem) ||
        !record_decode(&calendar_def_record, RECORD_WHOLE, DECODE_LENIENT, data.calendar,
                       reading->arena, &def, &problem))
        return true;
    struct calendar *calendar = calendar_new(&def, &problem);
    struct unknown_year *item = calendar != NULL ? place(reading->out, data.name) : NULL;
    if (item != NULL) {
        text_copy(item->name, sizeof(item->name), data.name);
        text_copy(item->version, sizeof(item->version), data.version);
        item->year = 0;
        for (int year = reading->year + 1; year >= reading->year; year--)
            if (!calendar_has_data(calendar, year))
                item->year = year;
    }
    calendar_destroy(&calendar);
    return true;
}

int unknown_years_read(const struct cli *cli, const char *stream, int64_t now_us,
                       struct unknown_years *out)
{
    static const struct feed_listener listener = {.event = on_calendar};
    struct verb_open *open = memory_new(sizeof(*open));
    struct reading reading = {.arena = arena_new(1 << 16), .out = out};
    int month, day;
    civil_from_days(now_us / DAY_US, &reading.year, &month, &day);
    record_clear(&verb_open_record, open);
    text_copy(open->types[0], EVENT_TYPE_CAP, "calendar.published");
    open->types_n = 1;
    out->n = 0;
    int code = feed_read(cli, stream, open, false, &listener, &reading);
    size_t kept = 0;
    for (size_t i = 0; i < out->n; i++)
        if (out->items[i].year != 0)
            out->items[kept++] = out->items[i];
    out->n = kept;
    arena_destroy(&reading.arena);
    free(open);
    return code;
}
