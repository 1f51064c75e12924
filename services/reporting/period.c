#include "period.h"
#include <string.h>

static bool digits(const char *text, size_t n, int *out)
{
    *out = 0;
    for (size_t i = 0; i < n; i++) {
        if (text[i] < '0' || text[i] > '9')
            return false;
        *out = *out * 10 + (text[i] - '0');
    }
    return true;
}

bool period_parse(const char *text, const struct zone *zone, int64_t *from_us, int64_t *to_us)
{
    int year, month;
    if (zone == NULL || strlen(text) != 7 || text[4] != '-' || !digits(text, 4, &year) || !digits(text + 5, 2, &month) ||
        month < 1 || month > 12 || year < 1970)
        return false;
    struct local_time from = {.year = year, .month = month, .day = 1};
    struct local_time to = {.year = year + month / 12, .month = month % 12 + 1, .day = 1};
    *from_us = instant_kept(zone_instant(zone, &from));
    *to_us = instant_kept(zone_instant(zone, &to));
    return true;
}
