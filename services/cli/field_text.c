#include "field_text.h"
#include "base/text.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

static bool int_read(const char *text, int64_t *out)
{
    char *end;
    errno = 0;
    long long value = strtoll(text, &end, 10);
    if (end == text || *end != '\0' || errno != 0)
        return false;
    *out = value;
    return true;
}

/* strptime would go by way of the machine's own zone. */
static bool epoch_read(const char *text, int64_t *us)
{
    int64_t seconds;
    if (!int_read(text, &seconds) || seconds < INSTANT_MIN_US / SECOND_US ||
        seconds > INSTANT_MAX_US / SECOND_US)
        return false;
    *us = seconds * SECOND_US;
    return true;
}

bool time_format_fits(const char *format)
{
    if (text_equal(format, "%s"))
        return true;
    for (const char *at = strchr(format, '%'); at != NULL; at = strchr(at + 2, '%'))
        if (at[1] == '\0' || strchr("sZ", at[1]) != NULL)
            return false;
    return true;
}

static bool time_by_format(const char *text, const char *format, const struct zone *zone,
                           int64_t *us)
{
    if (text_equal(format, "%s"))
        return epoch_read(text, us);
    struct tm tm = {.tm_mday = 1};
    const char *end = strptime(text, format, &tm);
    if (end == NULL || *end != '\0')
        return false;
    int year = tm.tm_year + 1900, month = tm.tm_mon + 1;
    if (year < 1 || tm.tm_mday < 1 || tm.tm_mday > days_in_month(year, month) || tm.tm_sec > 59)
        return false;
    bool offset = strstr(format, "%z") != NULL;
    if (zone == NULL || offset) {
        *us = days_from_civil(year, month, tm.tm_mday) * DAY_US + tm.tm_hour * HOUR_US +
              tm.tm_min * MINUTE_US + tm.tm_sec * SECOND_US;
        if (offset)
            *us -= tm.tm_gmtoff * SECOND_US;
        return *us >= INSTANT_MIN_US && *us <= INSTANT_MAX_US;
    }
    struct local_time local = {.year = year,
                               .month = month,
                               .day = tm.tm_mday,
                               .hour = tm.tm_hour,
                               .minute = tm.tm_min,
                               .second = tm.tm_sec};
    *us = zone_instant(zone, &local);
    return *us >= INSTANT_MIN_US && *us <= INSTANT_MAX_US;
}

bool time_read(const struct time_reading *reading, const char *text, int64_t *us)
{
    for (size_t i = 0; i < reading->formats_n; i++)
        if (time_by_format(text, reading->formats[i], reading->zone, us))
            return true;
    return instant_parse(text, us);
}

const struct field *field_find(const struct record *record, const char *path, size_t *offset)
{
    const char *dot = strchr(path, '.');
    char name[64];
    if (!text_copy_n(name, sizeof(name), path, dot != NULL ? (size_t)(dot - path) : strlen(path)))
        return NULL;
    const struct field *field = record_field(record, name);
    if (field == NULL || (field->flags & (FIELD_VOLATILE | FIELD_RETIRED)) != 0)
        return NULL;
    *offset += field->offset;
    if (dot == NULL)
        return field;
    return field->kind == FIELD_RECORD ? field_find(field->sub, dot + 1, offset) : NULL;
}

static bool bool_read(const char *text, bool *out)
{
    static const char *const yes[] = {"true", "yes", "y", "1", "是"}, *const no[] = {"false", "no",
                                                                                     "n", "0",
                                                                                     "否"};
    for (size_t i = 0; i < COUNT_OF(yes); i++)
        if (strcasecmp(text, yes[i]) == 0) {
            *out = true;
            return true;
        }
    for (size_t i = 0; i < COUNT_OF(no); i++)
        if (strcasecmp(text, no[i]) == 0) {
            *out = false;
            return true;
        }
    return false;
}

static bool enum_read(const struct field *field, const char *text, int *out)
{
    for (int i = 0; field->names[i] != NULL; i++)
        if (text_equal(field->names[i], text)) {
            *out = i;
            return true;
        }
    return false;
}

static bool value_set(const struct field *, void *at, void *object_of_count, const char *path,
                      const char *text, const struct time_reading *, struct problem *);

static bool list_set(const struct field *field, uint8_t *at, uint32_t *count, const char *path,
                     const char *text, const struct time_reading *reading, struct problem *problem)
{
    if (field->elem->kind == FIELD_RECORD)
        return problem_set(problem, "bad-type", path,
                           "a list of records: send it as JSON by `aftercare append`");
    char *copy = memory_text(text), *rest = copy, *item;
    uint32_t n = 0;
    bool good = true;
    while (good && (item = strsep(&rest, ",")) != NULL) {
        if (n == field->max)
            good = problem_set(problem, "too-many", path, "%u", field->max);
        else
            good = value_set(field->elem, at + (size_t)n++ * field->elem->size, NULL, path, item,
                             reading, problem);
    }
    if (good)
        *count = n;
    free(copy);
    return good;
}

static bool value_set(const struct field *field, void *at, void *object_of_count, const char *path,
                      const char *text, const struct time_reading *reading, struct problem *problem)
{
    switch (field->kind) {
    case FIELD_TEXT:
        if (!text_copy(at, field->size, text))
            return problem_set(problem, "too-long", path, "%u", field->size - 1);
        return true;
    case FIELD_INT: {
        int64_t *value = at;
        return int_read(text, value) || problem_set(problem, "bad-value", path, "\"%.60s\"", text);
    }
    case FIELD_TIME:
        return time_read(reading, text, at) ||
               problem_set(problem, "bad-time", path, "\"%.60s\"", text);
    case FIELD_SPAN:
        return span_parse(text, at) ||
               problem_set(problem, "bad-span", path, "\"%.60s\"; like 2h, 3wd", text);
    case FIELD_BOOL:
        return bool_read(text, at) || problem_set(problem, "bad-value", path, "\"%.60s\"", text);
    case FIELD_ENUM:
        return enum_read(field, text, at) ||
               problem_set(problem, "bad-value", path, "\"%.60s\"", text);
    case FIELD_BIN:
        if (strlen(text) != 2 * (size_t)field->size || !hex_parse(text, field->size, at))
            return problem_set(problem, "bad-value", path, "%u bytes in hex", field->size);
        return true;
    case FIELD_LIST: {
        uint8_t *object = object_of_count;
        if (object == NULL)
            break;
        return list_set(field, at, (uint32_t *)(void *)(object + field->count_offset), path, text,
                        reading, problem);
    }
    case FIELD_BYTES:
    case FIELD_RAW:
    case FIELD_BLOB:
    case FIELD_RECORD:
    case FIELD_SLICE:
        break;
    }
    return problem_set(problem, "bad-type", path, "send it as JSON by `aftercare append`");
}

bool field_set(const struct record *record, void *object, const char *path, const char *text,
               const struct time_reading *reading, struct problem *problem)
{
    size_t offset = 0;
    const struct field *field = field_find(record, path, &offset);
    if (field == NULL)
        return problem_set(problem, "unknown-field", path, NULL);
    uint8_t *at = (uint8_t *)object + offset;
    return value_set(field, at, at - field->offset, path, text, reading, problem);
}

static void kind_words(const struct field *field, struct buf *out)
{
    static const char *const kinds[] = {
        [FIELD_BOOL] = "yes/no", [FIELD_INT] = "number",  [FIELD_TIME] = "time",
        [FIELD_SPAN] = "span",   [FIELD_ENUM] = "one of", [FIELD_TEXT] = "text",
        [FIELD_BIN] = "hex",     [FIELD_BYTES] = "bytes", [FIELD_RAW] = "JSON",
        [FIELD_BLOB] = "bytes",  [FIELD_RECORD] = "part", [FIELD_LIST] = "list",
        [FIELD_SLICE] = "list"};
    buf_append_text(out, kinds[field->kind]);
    if (field->kind == FIELD_ENUM)
        for (size_t i = 0; field->names[i] != NULL; i++)
            buf_append_format(out, "%s%s", i > 0 ? "|" : " ", field->names[i]);
    if ((field->flags & FIELD_REQUIRED) != 0)
        buf_append_text(out, ", required");
    if ((field->flags & FIELD_PERSONAL) != 0)
        buf_append_text(out, ", personal");
}

void field_help(const struct record *record, const char *prefix, struct buf *out)
{
    for (size_t i = 0; i < record->n; i++) {
        const struct field *field = &record->fields[i];
        if ((field->flags & (FIELD_VOLATILE | FIELD_RETIRED)) != 0)
            continue;
        char path[160];
        text_format(path, sizeof(path), "%s%s", prefix, field->name);
        if (field->kind == FIELD_RECORD) {
            text_format(path, sizeof(path), "%s%s.", prefix, field->name);
            field_help(field->sub, path, out);
            continue;
        }
        struct buf kind = {0};
        kind_words(field, &kind);
        buf_append_format(out, "  %-22s %-18s %s\n", path, buf_text(&kind),
                          field->doc != NULL ? field->doc : "");
        buf_release(&kind);
    }
}
