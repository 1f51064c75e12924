/* calendar-bench CALENDAR.yaml: what adding and measuring cost ten years ahead, beside a walk from
 * window to window. */
#include "calendar/calendar.h"

#include "base/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define QUERIES 4096
#define WALKS   64
#define ROUNDS  9

struct query {
    int64_t from_us, work_us, due_us;
};

static int64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static struct calendar *calendar_load(const char *path)
{
    static char text[1 << 20];
    FILE *f = fopen(path, "rb");
    size_t n = f ? fread(text, 1, sizeof text, f) : 0;
    struct arena *arena = arena_new(65536);
    struct calendar_def def;
    struct problems problems = {0};
    struct problem problem;
    struct calendar *c = NULL;
    if (f)
        fclose(f);
    if (record_parse_yaml(&calendar_def_record, text, n, arena, &def, &problems))
        c = calendar_new(&def, &problem);
    problems_release(&problems);
    arena_destroy(&arena);
    return c;
}

/* The way it is done where nothing is compiled: day after day, window after window. */
static int64_t walk_add(const struct calendar *c, int64_t from_us, int64_t left)
{
    struct local_time t = zone_local(calendar_zone(c), from_us);
    for (int64_t day = days_from_civil(t.year, t.month, t.day);; day++) {
        struct calendar_span spans[CALENDAR_WINDOWS_MAX];
        unsigned n = calendar_day_spans(c, day, spans);
        for (unsigned i = 0; i < n; i++) {
            int64_t start = spans[i].from_us > from_us ? spans[i].from_us : from_us;
            if (spans[i].to_us <= start)
                continue;
            if (left <= spans[i].to_us - start)
                return start + left;
            left -= spans[i].to_us - start;
        }
    }
}

static int64_t walk_between(const struct calendar *c, int64_t from_us, int64_t to_us)
{
    struct local_time t = zone_local(calendar_zone(c), from_us);
    int64_t sum = 0;
    for (int64_t day = days_from_civil(t.year, t.month, t.day);; day++) {
        struct calendar_span spans[CALENDAR_WINDOWS_MAX];
        unsigned n = calendar_day_spans(c, day, spans);
        for (unsigned i = 0; i < n; i++) {
            int64_t start = spans[i].from_us > from_us ? spans[i].from_us : from_us;
            int64_t end = spans[i].to_us < to_us ? spans[i].to_us : to_us;
            if (spans[i].from_us >= to_us)
                return sum;
            sum += end > start ? end - start : 0;
        }
    }
}

static int order(const void *a, const void *b)
{
    const double *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

static double median(double *values)
{
    qsort(values, ROUNDS, sizeof *values, order);
    return values[ROUNDS / 2];
}

/* Starts anywhere within 2016 … 2025; ten years later, to the hour of working time. */
static void queries_draw(const struct calendar *c, struct query *q)
{
    uint64_t seed = 20261122;
    for (size_t i = 0; i < QUERIES; i++) {
        seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        q[i].from_us = days_from_civil(2016, 1, 1) * DAY_US +
                       (int64_t)(seed >> 16) % (3600 * DAY_US / SECOND_US) * SECOND_US;
        q[i].work_us =
            calendar_between(c, q[i].from_us, q[i].from_us + 3652 * DAY_US) / HOUR_US * HOUR_US;
        q[i].due_us = calendar_add(c, q[i].from_us, q[i].work_us);
    }
}

static bool agree(const struct calendar *c, const struct query *q)
{
    for (size_t i = 0; i < WALKS; i++)
        if (walk_add(c, q[i].from_us, q[i].work_us) != q[i].due_us ||
            walk_between(c, q[i].from_us, q[i].due_us) != q[i].work_us)
            return false;
    return true;
}

int main(int argc, char **argv)
{
    static struct query q[QUERIES];
    double add[ROUNDS], between[ROUNDS], naive_add[ROUNDS], naive_between[ROUNDS];
    struct calendar *c = argc == 2 ? calendar_load(argv[1]) : NULL;
    int64_t sum = 0;
    if (!c) {
        fprintf(stderr, "usage: calendar-bench CALENDAR.yaml\n");
        return 2;
    }
    queries_draw(c, q);
    if (!agree(c, q)) {
        fprintf(stderr, "the walk and the calendar differ\n");
        return 1;
    }
    for (int round = 0; round < ROUNDS;
         round++) { /* in turn, so that the machine disturbs all alike */
        int64_t t0 = now_ns();
        for (size_t i = 0; i < QUERIES; i++)
            sum += calendar_add(c, q[i].from_us, q[i].work_us);
        int64_t t1 = now_ns();
        for (size_t i = 0; i < QUERIES; i++)
            sum += calendar_between(c, q[i].from_us, q[i].due_us);
        int64_t t2 = now_ns();
        for (size_t i = 0; i < WALKS; i++)
            sum += walk_add(c, q[i].from_us, q[i].work_us);
        int64_t t3 = now_ns();
        for (size_t i = 0; i < WALKS; i++)
            sum += walk_between(c, q[i].from_us, q[i].due_us);
        int64_t t4 = now_ns();
        add[round] = (double)(t1 - t0) / QUERIES;
        between[round] = (double)(t2 - t1) / QUERIES;
        naive_add[round] = (double)(t3 - t2) / WALKS;
        naive_between[round] = (double)(t4 - t3) / WALKS;
    }
    double a = median(add), b = median(between), na = median(naive_add), nb = median(naive_between);
    bool ok = a < 200 && b < 200;
    printf("{\"add_ns\":%.1f,\"between_ns\":%.1f,\"walk_add_ns\":%.0f,\"walk_between_ns\":%.0f,"
           "\"add_ratio\":%.0f,"
           "\"between_ratio\":%.0f,\"target_ns\":200,\"ok\":%s,\"sum\":%" PRId64 "}\n",
           a, b, na, nb, na / a, nb / b, ok ? "true" : "false", sum);
    calendar_destroy(&c);
    return ok ? 0 : 1;
}
