#include "calendar/zone.h"

#include "base/bytes.h"
#include "base/text.h"

#include <assert.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ZONE_FILE_MAX (256 * 1024)
#define ZONE_FOLDER   "/usr/share/zoneinfo"
#define DAY_S         86400

/* A day of the year as POSIX.1 writes it behind a TZ string: "M3.2.0", "J60", "59". */
enum rule_form { RULE_MONTH_WEEK, RULE_JULIAN, RULE_ZERO_BASED };
struct rule_day {
    enum rule_form form;
    int month, week, weekday; /* weekday: 0 = Sunday */
    int day;
    int32_t second; /* of that day, −167 h … 167 h (RFC 8536, 3.3.1) */
};

/* What holds behind the last transition: the footer of a version 2+ file. */
struct rule {
    bool present, summer;
    int32_t standard_s, summer_s;
    struct rule_day start, end;
};

struct zone {
    struct zone *next;
    char name[48];
    uint32_t n;      /* transitions */
    int64_t *at;     /* seconds UTC, ascending */
    uint8_t *kind;   /* of each transition, an index into offset */
    int32_t *offset; /* by local time type */
    uint32_t kinds;
    struct rule rule;
};

/* Zones never change while the process lives, so that a pointer to one is good for ever. */
static struct zone *zones;
static pthread_mutex_t zones_lock = PTHREAD_MUTEX_INITIALIZER;

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

/* --- reading -------------------------------------------------------------------------------- */

struct scan {
    const uint8_t *at, *end;
};

static bool scan_take(struct scan *s, size_t n, const uint8_t **out)
{
    if ((size_t)(s->end - s->at) < n)
        return false;
    *out = s->at;
    s->at += n;
    return true;
}

static uint64_t big_endian(const uint8_t *p, unsigned n)
{
    uint64_t v = 0;
    for (unsigned i = 0; i < n; i++)
        v = v << 8 | p[i];
    return v;
}

struct tzif_header {
    uint8_t version;
    uint32_t isut, isstd, leap, time, type, chars;
};

static bool header_read(struct scan *s, struct tzif_header *h)
{
    const uint8_t *p;
    if (!scan_take(s, 44, &p) || memcmp(p, "TZif", 4) != 0)
        return false;
    h->version = p[4];
    h->isut = (uint32_t)big_endian(p + 20, 4);
    h->isstd = (uint32_t)big_endian(p + 24, 4);
    h->leap = (uint32_t)big_endian(p + 28, 4);
    h->time = (uint32_t)big_endian(p + 32, 4);
    h->type = (uint32_t)big_endian(p + 36, 4);
    h->chars = (uint32_t)big_endian(p + 40, 4);
    const uint32_t most = ZONE_FILE_MAX;
    return h->isut <= most && h->isstd <= most && h->leap <= most && h->time <= most &&
           h->type <= 256 && h->type > 0 && h->chars <= most;
}

static size_t block_bytes(const struct tzif_header *h, size_t time_bytes)
{
    return h->time * time_bytes + h->time + h->type * (size_t)6 + h->chars +
           h->leap * (time_bytes + 4) + h->isstd + h->isut;
}

static const char *number_read(const char *s, int *out)
{
    int v = 0, digits = 0;
    for (; *s >= '0' && *s <= '9' && digits < 4; s++, digits++)
        v = v * 10 + (*s - '0');
    *out = v;
    return digits ? s : NULL;
}

/* [+-]hh[:mm[:ss]] */
static const char *clock_read(const char *s, int32_t *out)
{
    int sign = 1, part[3] = {0, 0, 0};
    if (*s == '+' || *s == '-')
        sign = *s++ == '-' ? -1 : 1;
    for (int i = 0; i < 3; i++) {
        if (!(s = number_read(s, &part[i])))
            return NULL;
        if (*s != ':')
            break;
        s++;
    }
    if (part[0] > 167 || part[1] > 59 || part[2] > 59)
        return NULL;
    *out = sign * (part[0] * 3600 + part[1] * 60 + part[2]);
    return s;
}

static const char *abbreviation_skip(const char *s)
{
    const char *start = s;
    if (*s == '<') {
        s = strchr(s, '>');
        return s ? s + 1 : NULL;
    }
    while ((*s >= 'A' && *s <= 'Z') || (*s >= 'a' && *s <= 'z'))
        s++;
    return s - start >= 3 ? s : NULL;
}

static const char *rule_day_read(const char *s, struct rule_day *d)
{
    if (*s == 'M') {
        d->form = RULE_MONTH_WEEK;
        if (!(s = number_read(s + 1, &d->month)) || *s++ != '.' ||
            !(s = number_read(s, &d->week)) || *s++ != '.' || !(s = number_read(s, &d->weekday)))
            return NULL;
        if (d->month < 1 || d->month > 12 || d->week < 1 || d->week > 5 || d->weekday > 6)
            return NULL;
    } else {
        d->form = *s == 'J' ? RULE_JULIAN : RULE_ZERO_BASED;
        if (!(s = number_read(*s == 'J' ? s + 1 : s, &d->day)) || d->day > 365)
            return NULL;
    }
    d->second = 2 * 3600;
    return *s == '/' ? clock_read(s + 1, &d->second) : s;
}

/* "EST5EDT,M3.2.0,M11.1.0": offsets count westward there. */
static bool rule_read(const char *s, struct rule *r)
{
    int32_t west;
    if (!(s = abbreviation_skip(s)) || !(s = clock_read(s, &west)))
        return false;
    *r = (struct rule){.present = true, .standard_s = -west};
    if (!*s)
        return true;
    r->summer = true;
    r->summer_s = r->standard_s + 3600;
    if (!(s = abbreviation_skip(s)))
        return false;
    if (*s != ',') {
        if (!(s = clock_read(s, &west)))
            return false;
        r->summer_s = -west;
    }
    return *s++ == ',' && (s = rule_day_read(s, &r->start)) && *s++ == ',' &&
           (s = rule_day_read(s, &r->end)) && !*s;
}

static bool footer_read(struct scan *s, struct rule *r)
{
    char text[128];
    const uint8_t *p;
    if (!scan_take(s, 1, &p) || *p != '\n')
        return false;
    const uint8_t *stop = memchr(s->at, '\n', (size_t)(s->end - s->at));
    if (!stop || (size_t)(stop - s->at) >= sizeof text)
        return false;
    memcpy(text, s->at, (size_t)(stop - s->at));
    text[stop - s->at] = 0;
    *r = (struct rule){0};
    return !*text || rule_read(text, r);
}

static bool block_read(struct scan *s, const struct tzif_header *h, unsigned time_bytes,
                       struct zone *z)
{
    const uint8_t *at, *kind, *type, *rest;
    size_t tail =
        block_bytes(h, time_bytes) - h->time * (size_t)(time_bytes + 1) - h->type * (size_t)6;
    if (!scan_take(s, h->time * (size_t)time_bytes, &at) || !scan_take(s, h->time, &kind) ||
        !scan_take(s, h->type * (size_t)6, &type) || !scan_take(s, tail, &rest))
        return false;
    z->n = h->time;
    z->kinds = h->type;
    z->at = memory_new((h->time + 1) * sizeof *z->at);
    z->kind = memory_new(h->time + 1);
    z->offset = memory_new(h->type * sizeof *z->offset);
    for (uint32_t i = 0; i < h->time; i++) {
        uint64_t v = big_endian(at + i * (size_t)time_bytes, time_bytes);
        z->at[i] = time_bytes == 4 ? (int32_t)(uint32_t)v : (int64_t)v;
        z->kind[i] = kind[i];
        if (kind[i] >= h->type || (i && z->at[i] <= z->at[i - 1]))
            return false;
    }
    for (uint32_t i = 0; i < h->type; i++)
        z->offset[i] = (int32_t)(uint32_t)big_endian(type + i * (size_t)6, 4);
    return true;
}

static bool tzif_read(struct bytes file, struct zone *z)
{
    struct scan s = {file.data, file.data + file.len};
    struct tzif_header h;
    const uint8_t *skipped;
    if (!header_read(&s, &h))
        return false;
    if (h.version < '2')
        return block_read(&s, &h, 4, z);
    return scan_take(&s, block_bytes(&h, 4), &skipped) && header_read(&s, &h) &&
           block_read(&s, &h, 8, z) && footer_read(&s, &z->rule);
}

static bool name_is_safe(const char *name)
{
    size_t n = strlen(name);
    if (n == 0 || n >= sizeof((struct zone *)0)->name || *name == '/' || strstr(name, ".."))
        return false;
    return strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+-/") == n;
}

static size_t file_read(const char *name, uint8_t *out, size_t cap)
{
    char path[512];
    const char *folder = getenv("TZDIR");
    int len = snprintf(path, sizeof path, "%s/%s", folder && *folder ? folder : ZONE_FOLDER, name);
    FILE *f = len > 0 && (size_t)len < sizeof path ? fopen(path, "rb") : NULL;
    if (!f)
        return 0;
    size_t n = fread(out, 1, cap, f);
    fclose(f);
    return n;
}

static void zone_release(struct zone *z)
{
    free(z->at);
    free(z->kind);
    free(z->offset);
    free(z);
}

/* UTC needs no file: a machine without tzdata still has it. */
static struct zone *zone_load(const char *name)
{
    struct zone *z = memory_new(sizeof *z);
    text_copy(z->name, sizeof z->name, name);
    uint8_t *file = memory_new(ZONE_FILE_MAX);
    size_t n = file_read(name, file, ZONE_FILE_MAX);
    bool known = n > 0 && tzif_read(bytes_of(file, n), z);
    free(file);
    if (!known && text_equal(name, "UTC")) {
        zone_release(z);
        z = memory_new(sizeof *z);
        text_copy(z->name, sizeof z->name, name);
        z->rule.present = true;
        known = true;
    }
    if (known)
        return z;
    zone_release(z);
    return NULL;
}

const struct zone *zone_find(const char *name)
{
    if (!name_is_safe(name))
        return NULL;
    pthread_mutex_lock(&zones_lock);
    struct zone *z = zones;
    while (z && !text_equal(z->name, name))
        z = z->next;
    if (!z && (z = zone_load(name))) {
        z->next = zones;
        zones = z;
    }
    pthread_mutex_unlock(&zones_lock);
    return z;
}

const char *zone_name(const struct zone *z)
{
    return z->name;
}

/* --- offsets -------------------------------------------------------------------------------- */

static bool is_leap(int year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static int64_t rule_day_of(const struct rule_day *d, int year)
{
    int64_t first = days_from_civil(year, 1, 1);
    switch (d->form) {
    case RULE_ZERO_BASED:
        return first + d->day;
    case RULE_JULIAN: /* 29 February is never counted */
        return first + d->day - 1 + (is_leap(year) && d->day >= 60);
    case RULE_MONTH_WEEK:
        break;
    }
    int64_t month = days_from_civil(year, d->month, 1);
    int64_t day = month + (d->weekday - weekday_of_days(month) % 7 + 7) % 7 + (d->week - 1) * 7;
    while (day >= month + days_in_month(year, d->month))
        day -= 7;
    return day;
}

static int32_t rule_offset(const struct rule *r, int64_t utc_s)
{
    if (!r->summer)
        return r->standard_s;
    int year, month, day;
    civil_from_days(floor_div(utc_s + r->standard_s, DAY_S), &year, &month, &day);
    int64_t start = rule_day_of(&r->start, year) * DAY_S + r->start.second - r->standard_s;
    int64_t end = rule_day_of(&r->end, year) * DAY_S + r->end.second - r->summer_s;
    bool summer = start < end ? utc_s >= start && utc_s < end : utc_s >= start || utc_s < end;
    return summer ? r->summer_s : r->standard_s;
}

static int32_t offset_at(const struct zone *z, int64_t utc_s)
{
    if (z->n == 0 || utc_s >= z->at[z->n - 1]) {
        if (z->rule.present)
            return rule_offset(&z->rule, utc_s);
        return z->n ? z->offset[z->kind[z->n - 1]] : z->offset[0];
    }
    if (utc_s < z->at[0])
        return z->offset[0];
    uint32_t low = 0, high = z->n; /* at[low] <= utc_s < at[high] */
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if (z->at[middle] <= utc_s)
            low = middle;
        else
            high = middle;
    }
    return z->offset[z->kind[low]];
}

struct local_time zone_local(const struct zone *z, int64_t us)
{
    int64_t utc_s = floor_div(us, SECOND_US);
    struct local_time t = {.micros = (int32_t)(us - utc_s * SECOND_US),
                           .offset_s = offset_at(z, utc_s)};
    int64_t wall = utc_s + t.offset_s, days = floor_div(wall, DAY_S);
    int second = (int)(wall - days * DAY_S);
    civil_from_days(days, &t.year, &t.month, &t.day);
    t.weekday = weekday_of_days(days);
    t.hour = second / 3600;
    t.minute = second / 60 % 60;
    t.second = second % 60;
    return t;
}

int64_t zone_instant(const struct zone *z, const struct local_time *t)
{
    int64_t wall = days_from_civil(t->year, t->month, t->day) * DAY_S + t->hour * 3600 +
                   t->minute * 60 + t->second;
    int32_t before = offset_at(z, wall - DAY_S), after = offset_at(z, wall + DAY_S);
    int64_t utc_s = wall - before;
    if (before != after && offset_at(z, utc_s) != before && offset_at(z, wall - after) == after)
        utc_s = wall - after;
    return utc_s * SECOND_US + t->micros;
}

static int64_t add_days(const struct zone *z, int64_t us, int64_t n)
{
    struct local_time t = zone_local(z, us);
    civil_from_days(days_from_civil(t.year, t.month, t.day) + n, &t.year, &t.month, &t.day);
    return zone_instant(z, &t);
}

static int64_t add_months(const struct zone *z, int64_t us, int64_t n)
{
    struct local_time t = zone_local(z, us);
    int64_t months = t.year * INT64_C(12) + t.month - 1 + n;
    t.year = (int)floor_div(months, 12);
    t.month = (int)(months - t.year * INT64_C(12)) + 1;
    if (t.day > days_in_month(t.year, t.month))
        t.day = days_in_month(t.year, t.month);
    return zone_instant(z, &t);
}

static int64_t add(const struct zone *z, int64_t us, struct span span)
{
    switch (span.unit) {
    case SPAN_NONE:
        return us;
    case SPAN_SECONDS:
    case SPAN_MINUTES:
    case SPAN_HOURS:
        return us + span_us(span);
    case SPAN_DAYS:
        return add_days(z, us, span.n);
    case SPAN_WEEKS:
        return add_days(z, us, span.n * 7);
    case SPAN_MONTHS:
        return add_months(z, us, span.n);
    case SPAN_YEARS:
        return add_months(z, us, span.n * 12);
    case SPAN_WORKING_HOURS:
    case SPAN_WORKING_DAYS:
        break;
    }
    assert(false && "working spans are counted by a calendar");
    return us;
}

int64_t zone_add(const struct zone *z, int64_t us, struct span span)
{
    return instant_kept(add(z, us, span));
}

void zone_print(const struct zone *z, int64_t us, char out[INSTANT_TEXT_MAX])
{
    struct local_time t = zone_local(z, us);
    int32_t off = t.offset_s < 0 ? -t.offset_s : t.offset_s;
    char fraction[12] = "", zone[12] = "Z";
    if (t.micros)
        snprintf(fraction, sizeof fraction, ".%06d", (int)t.micros % 1000000);
    if (t.offset_s)
        snprintf(zone, sizeof zone, "%c%02d:%02d", t.offset_s < 0 ? '-' : '+',
                 (int)(off / 3600) % 100, (int)(off / 60 % 60));
    snprintf(out, INSTANT_TEXT_MAX, "%04d-%02d-%02dT%02d:%02d:%02d%s%s", t.year, t.month, t.day,
             t.hour, t.minute, t.second, fraction, zone);
}
