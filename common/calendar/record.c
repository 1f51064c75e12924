#include "calendar/calendar.h"

static const char *const weekday_names[] = {"none", "mon", "tue", "wed", "thu",
                                            "fri",  "sat", "sun", NULL};

static const struct field window_fields[] = {
    F_TEXT(calendar_window, from, FIELD_REQUIRED, "opens, local time of day \"08:30\""),
    F_TEXT(calendar_window, to, FIELD_REQUIRED,
           "closes, \"17:00\"; \"24:00\" is midnight; not after from: on the next day"),
};
static const struct record window_record =
    RECORD(calendar_window, window_fields, "a span of working time");
static const struct field window_elem = ELEM_RECORD(&window_record, struct calendar_window);

static const struct field day_fields[] = {
    F_ENUM(calendar_day, weekday, FIELD_REQUIRED, weekday_names, "which day of the week"),
    F_SLICE(calendar_day, windows, FIELD_REQUIRED, &window_elem, CALENDAR_WINDOWS_MAX,
            "its working hours"),
};
static const struct record day_record =
    RECORD(calendar_day, day_fields, "the hours of a weekday; a day not listed is off");
static const struct field day_elem = ELEM_RECORD(&day_record, struct calendar_day);

static const struct field exception_fields[] = {
    F_TEXT(calendar_exception, from, FIELD_REQUIRED, "first local date, \"2011-07-04\""),
    F_TEXT(calendar_exception, to, 0, "last local date, included; absent: the one day"),
    F_TEXT(calendar_exception, name, 0, "what the day is called"),
    F_SLICE(calendar_exception, windows, 0, &window_elem, CALENDAR_WINDOWS_MAX,
            "its hours; none and no `as`: closed"),
    F_ENUM(calendar_exception, as, 0, weekday_names,
           "takes the hours of this weekday (make-up day)"),
};
static const struct record exception_record =
    RECORD(calendar_exception, exception_fields, "days that depart from the week");
static const struct field exception_elem =
    ELEM_RECORD(&exception_record, struct calendar_exception);

static const struct field calendar_fields[] = {
    F_TEXT(calendar_def, name, FIELD_REQUIRED | FIELD_KEYLIKE, "what policies call it"),
    F_TEXT(calendar_def, version, FIELD_REQUIRED | FIELD_KEYLIKE,
           "a published version never changes"),
    F_TEXT(calendar_def, zone, FIELD_REQUIRED, "time zone, \"Asia/Shanghai\""),
    F_SLICE(calendar_def, weekly, 0, &day_elem, 7, "the week"),
    F_SLICE(calendar_def, exceptions, 0, &exception_elem, 2000, "holidays and make-up days"),
    F_INT_RANGE(calendar_def, known_from, 0, 1970, 9999,
                "first year whose holidays stand in the exceptions; absent: of the first exception"),
    F_INT_RANGE(calendar_def, known_to, 0, 1970, 9999,
                "last year whose holidays stand in the exceptions; later years go by the week"),
};
const struct record calendar_def_record = RECORD(calendar_def, calendar_fields, "working time");
