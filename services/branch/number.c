#include "number.h"
#include "base/text.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define DAY_DIGITS 8
#define DIGITS_MIN 6
#define DIGITS_MAX 15

void number_series(const char *prefix, const struct zone *zone, int64_t us, char out[NUMBER_SERIES_CAP])
{
    struct local_time day = zone_local(zone, us);
    assert(strlen(prefix) < NUMBER_PREFIX_CAP);
    text_format(out, NUMBER_SERIES_CAP, "%s-%04d%02d%02d", prefix, day.year, day.month, day.day);
}

void number_print(const char *series, int64_t n, char out[NUMBER_CAP])
{
    text_format(out, NUMBER_CAP, "%s-%06lld", series, (long long)n);
}

static bool all_digits(const char *text, size_t n)
{
    return strspn(text, "0123456789") >= n;
}

bool number_parse(const char *number, const char *prefix, char series[NUMBER_SERIES_CAP], int64_t *n)
{
    size_t before = strlen(prefix), day_end = before + 1 + DAY_DIGITS;
    if (!text_starts(number, prefix) || number[before] != '-' || strlen(number) <= day_end + 1)
        return false;
    const char *counted = number + day_end + 1;
    size_t digits = strlen(counted);
    if (!all_digits(number + before + 1, DAY_DIGITS) || number[day_end] != '-' || digits < DIGITS_MIN || digits > DIGITS_MAX ||
        !all_digits(counted, digits))
        return false;
    (void)text_copy_n(series, NUMBER_SERIES_CAP, number, day_end);
    *n = strtoll(counted, NULL, 10);
    return true;
}
