#include "base/text.h"
#include "scenario.h"
#include <stdio.h>
#include <string.h>

/* "09:00" or "09:00:30" up to the end of the text. */
static bool clock_parse(const char *text, struct local_time *t)
{
    int n = 0;
    t->second = 0;
    if (sscanf(text, "%2d:%2d%n", &t->hour, &t->minute, &n) != 2)
        return false;
    if (text[n] == ':') {
        int more = 0;
        if (sscanf(text + n, ":%2d%n", &t->second, &more) != 1)
            return false;
        n += more;
    }
    return text[n] == '\0' && t->hour >= 0 && t->hour <= 24 && t->minute >= 0 && t->minute < 60 &&
           t->second >= 0 && t->second < 60;
}

bool when_parse(const struct script *script, const char *text, int64_t base_us, bool spans,
                int64_t *us)
{
    struct local_time t = {0};
    struct span span;
    int n = 0;
    if (text[0] == '+') {
        if (!spans || !span_parse(text + 1, &span) || span.unit == SPAN_WORKING_DAYS ||
            span.unit == SPAN_WORKING_HOURS)
            return false;
        *us = zone_add(script->zone, base_us, span);
        return true;
    }
    if (instant_parse(text, us))
        return true;
    if (sscanf(text, "%4d-%2d-%2d%n", &t.year, &t.month, &t.day, &n) == 3 && n == 10) {
        if (t.month < 1 || t.month > 12 || t.day < 1 || t.day > days_in_month(t.year, t.month) ||
            (text[n] != ' ' && text[n] != 'T') || !clock_parse(text + n + 1, &t))
            return false;
    } else {
        t = zone_local(script->zone, base_us);
        t.micros = 0;
        if (!clock_parse(text, &t))
            return false;
    }
    *us = zone_instant(script->zone, &t);
    return true;
}

void when_print(const struct script *script, int64_t us, char out[INSTANT_TEXT_MAX])
{
    struct local_time t = zone_local(script->zone, us);
    int n = snprintf(out, INSTANT_TEXT_MAX, "%04d-%02d-%02d %02d:%02d", t.year, t.month, t.day,
                     t.hour, t.minute);
    if (t.micros != 0)
        instant_print(us, out); /* exact */
    else if (t.second != 0)
        snprintf(out + n, INSTANT_TEXT_MAX - (size_t)n, ":%02d", t.second);
}
