#include "base/instant.h"
#include "base/text.h"
#include <assert.h>
#include <inttypes.h>
#include <string.h>

/* Days and civil dates by eras of 400 years, years beginning in March: H. Hinnant, "chrono-compatible low-level date
 * algorithms". */
int64_t days_from_civil(int year, int month, int day)
{
    int64_t y = month <= 2 ? (int64_t)year - 1 : year;
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t year_of_era = y - era * 400;
    int64_t march_month = month > 2 ? month - 3 : month + 9;
    int64_t day_of_year = (153 * march_month + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468;
}

void civil_from_days(int64_t days, int *year, int *month, int *day)
{
    int64_t z = days + 719468;
    int64_t era = (z >= 0 ? z : z - 146096) / 146097;
    int64_t day_of_era = z - era * 146097;
    int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t march_month = (5 * day_of_year + 2) / 153;
    *day = (int)(day_of_year - (153 * march_month + 2) / 5 + 1);
    *month = (int)(march_month < 10 ? march_month + 3 : march_month - 9);
    *year = (int)(year_of_era + era * 400 + (*month <= 2));
}

int weekday_of_days(int64_t days)
{
    int64_t d = (days + 3) % 7; /* 1970-01-01 was a Thursday */
    return (int)(d < 0 ? d + 7 : d) + 1;
}

int days_in_month(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    assert(month >= 1 && month <= 12);
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return days[month - 1] + (month == 2 && leap);
}

void instant_print(int64_t us, char out[INSTANT_TEXT_MAX])
{
    int64_t days = us / DAY_US;
    int64_t rest = us % DAY_US;
    if (rest < 0) {
        rest += DAY_US;
        days--;
    }
    int year, month, day;
    civil_from_days(days, &year, &month, &day);
    int seconds = (int)(rest / SECOND_US), fraction = (int)(rest % SECOND_US);
    text_format(out, INSTANT_TEXT_MAX, "%04d-%02d-%02dT%02d:%02d:%02d", year, month, day, seconds / 3600,
                seconds / 60 % 60, seconds % 60);
    size_t n = strlen(out);
    if (fraction) {
        text_format(out + n, INSTANT_TEXT_MAX - n, ".%06d", fraction);
        for (n += 7; out[n - 1] == '0'; n--)
            ;
    }
    text_format(out + n, INSTANT_TEXT_MAX - n, "Z");
}

/* n digits at *at, which moves on. */
static bool digits(const char **at, int n, int *out)
{
    int value = 0;
    for (int i = 0; i < n; i++) {
        char c = (*at)[i];
        if (c < '0' || c > '9')
            return false;
        value = value * 10 + (c - '0');
    }
    *at += n;
    *out = value;
    return true;
}

static bool literal(const char **at, char c)
{
    if (**at != c)
        return false;
    (*at)++;
    return true;
}

static bool fraction_parse(const char **at, int64_t *us)
{
    *us = 0;
    if (**at != '.')
        return true;
    int64_t unit = SECOND_US / 10;
    const char *p = *at + 1, *first = p;
    for (; *p >= '0' && *p <= '9'; p++, unit /= 10)
        *us += (*p - '0') * unit;
    *at = p;
    return p > first;
}

static bool offset_parse(const char **at, int64_t *us)
{
    *us = 0;
    if (**at == 'Z' || **at == 'z') {
        (*at)++;
        return true;
    }
    int sign = **at == '-' ? -1 : 1, hours, minutes;
    if (**at != '+' && **at != '-')
        return false;
    (*at)++;
    if (!digits(at, 2, &hours) || !literal(at, ':') || !digits(at, 2, &minutes) || hours > 23 || minutes > 59)
        return false;
    *us = sign * (hours * HOUR_US + minutes * MINUTE_US);
    return true;
}

bool instant_parse(const char *text, int64_t *us)
{
    int year, month, day, hour, minute, second;
    int64_t fraction_us, offset_us;
    const char *at = text;
    if (!digits(&at, 4, &year) || !literal(&at, '-') || !digits(&at, 2, &month) || !literal(&at, '-') ||
        !digits(&at, 2, &day))
        return false;
    if (month < 1 || month > 12 || day < 1 || day > days_in_month(year, month))
        return false;
    if (!literal(&at, 'T') && !literal(&at, 't') && !literal(&at, ' '))
        return false;
    if (!digits(&at, 2, &hour) || !literal(&at, ':') || !digits(&at, 2, &minute) || !literal(&at, ':') ||
        !digits(&at, 2, &second) || hour > 23 || minute > 59 || second > 59)
        return false;
    if (!fraction_parse(&at, &fraction_us) || !offset_parse(&at, &offset_us) || *at)
        return false;
    int64_t instant_us = days_from_civil(year, month, day) * DAY_US + hour * HOUR_US + minute * MINUTE_US +
                         second * SECOND_US + fraction_us - offset_us;
    if (instant_us < INSTANT_MIN_US || instant_us > INSTANT_MAX_US)
        return false;
    *us = instant_us;
    return true;
}

/* The largest n keeps every arithmetic with it far inside int64_t microseconds (about a thousand years). */
static const struct {
    const char *text;
    int64_t n_max, us;
} units[] = {
    [SPAN_SECONDS] = {"s", INT64_C(31536000000), SECOND_US},
    [SPAN_MINUTES] = {"min", 525600000, MINUTE_US},
    [SPAN_HOURS] = {"h", 8760000, HOUR_US},
    [SPAN_DAYS] = {"d", 365000, DAY_US},
    [SPAN_WEEKS] = {"w", 52000, 7 * DAY_US},
    [SPAN_MONTHS] = {"mo", 12000, 0},
    [SPAN_YEARS] = {"y", 1000, 0},
    [SPAN_WORKING_HOURS] = {"wh", 8760000, 0},
    [SPAN_WORKING_DAYS] = {"wd", 365000, 0},
};

void span_print(struct span s, char out[SPAN_TEXT_MAX])
{
    if (s.unit == SPAN_NONE)
        out[0] = 0;
    else
        text_format(out, SPAN_TEXT_MAX, "%" PRId64 "%s", s.n, units[s.unit].text);
}

bool span_parse(const char *text, struct span *out)
{
    bool negative = *text == '-';
    const char *at = text + negative, *first = at;
    int64_t n = 0;
    for (; *at >= '0' && *at <= '9'; at++) {
        if (at - first >= 12)
            return false;
        n = n * 10 + (*at - '0');
    }
    if (at == first)
        return false;
    for (size_t unit = SPAN_SECONDS; unit < COUNT_OF(units); unit++) {
        if (text_equal(at, units[unit].text)) {
            if (n > units[unit].n_max)
                return false;
            *out = (struct span){negative ? -n : n, (enum span_unit)unit};
            return true;
        }
    }
    return false;
}

int64_t span_us(struct span s)
{
    assert(s.unit != SPAN_NONE && s.unit < COUNT_OF(units) && units[s.unit].us > 0);
    return s.n * units[s.unit].us;
}
