/* sla.*: what became of the promises about a ticket. The verdicts are the watchdog's. */
#include "proto/sla.h"
#include "base/text.h"
#include "line.h"
#include "on.h"
#include <string.h>

static struct ticket_limit *find(struct ticket_row *row, const char *clause, int64_t k)
{
    for (uint32_t i = 0; i < row->limits_n; i++)
        if (row->limits[i].k == k && text_equal(row->limits[i].clause, clause))
            return &row->limits[i];
    return NULL;
}

/* A line holds a bounded number of promises: the decided one that was due first makes room, else the one due first. */
static void make_room(struct ticket_row *row)
{
    uint32_t out = 0;
    for (uint32_t i = 1; i < row->limits_n; i++) {
        const struct ticket_limit *a = &row->limits[i], *b = &row->limits[out];
        bool a_running = a->result == LIMIT_RUNNING, b_running = b->result == LIMIT_RUNNING;
        if (a_running != b_running ? b_running : a->due_us < b->due_us)
            out = i;
    }
    row->limits_n--;
    memmove(&row->limits[out], &row->limits[out + 1], (row->limits_n - out) * sizeof(row->limits[0]));
}

static struct ticket_limit *find_or_add(struct ticket_row *row, const char *clause, int64_t k)
{
    struct ticket_limit *limit = find(row, clause, k);
    if (limit != NULL)
        return limit;
    if (row->limits_n == TICKET_LIMITS_MAX)
        make_room(row);
    limit = &row->limits[row->limits_n++];
    *limit = (struct ticket_limit){.k = k};
    text_copy(limit->clause, sizeof(limit->clause), clause);
    return limit;
}

static bool verdict(struct tables *tables, const struct event *e, const char *clause, int64_t k, int64_t due_us,
                    enum limit_result result)
{
    struct line line = line_of(tables, e);
    if (line.row == NULL)
        return true;
    struct ticket_limit *limit = find_or_add(line.row, clause, k);
    if (due_us != 0)
        limit->due_us = due_us;
    limit->result = (int)result;
    return line_settle(tables, e, &line);
}

bool reporting_on_sla_scheduled(struct tables *tables, const struct event *e, const void *data)
{
    const struct sla_scheduled *d = data;
    struct line line = line_of(tables, e);
    if (line.row == NULL)
        return true;
    for (uint32_t i = 0; i < d->limits_n; i++) {
        struct ticket_limit *limit = find_or_add(line.row, d->limits[i].clause, d->limits[i].k);
        limit->due_us = d->limits[i].due_us;
        limit->result = LIMIT_RUNNING;
    }
    return line_settle(tables, e, &line);
}

bool reporting_on_sla_met(struct tables *tables, const struct event *e, const void *data)
{
    const struct sla_met *d = data;
    return verdict(tables, e, d->clause, d->k, d->due_us, d->reported_late ? LIMIT_MET_LATE : LIMIT_MET);
}

bool reporting_on_sla_breached(struct tables *tables, const struct event *e, const void *data)
{
    const struct sla_breached *d = data;
    return verdict(tables, e, d->clause, d->k, d->due_us, LIMIT_BREACHED);
}

bool reporting_on_sla_corrected(struct tables *tables, const struct event *e, const void *data)
{
    const struct sla_corrected *d = data;
    enum limit_result result = text_equal(d->is, "met")        ? LIMIT_MET_LATE
                               : text_equal(d->is, "breached") ? LIMIT_BREACHED
                                                               : LIMIT_RUNNING;
    return verdict(tables, e, d->clause, d->k, d->due_us, result);
}
