/* Metrics that are counted and that nobody asks for. */
#include "bus/metrics.h"
#include "base/bytes.h"
#include <assert.h>
#include <stdlib.h>

#define CELLS_MAX 128

struct metric {
    int64_t value;
};

struct metrics {
    struct metric cells[CELLS_MAX];
    size_t n;
};

struct metrics *metrics_new(const char *service)
{
    (void)service;
    return memory_new(sizeof(struct metrics));
}

void metrics_folder(struct metrics *metrics, const char *data)
{
    (void)metrics;
    (void)data;
}

void metrics_destroy(struct metrics **metrics)
{
    free(*metrics);
    *metrics = NULL;
}

struct metric *metric_counter(struct metrics *metrics, const char *name, const char *help)
{
    (void)name;
    (void)help;
    assert(metrics->n < CELLS_MAX);
    return &metrics->cells[metrics->n++];
}

struct metric *metric_gauge(struct metrics *metrics, const char *name, const char *help)
{
    return metric_counter(metrics, name, help);
}

void metric_add(struct metric *metric, int64_t n)
{
    metric->value = (int64_t)((uint64_t)metric->value + (uint64_t)n);
}

void metric_set(struct metric *metric, int64_t n)
{
    metric->value = n;
}

int64_t metric_value(const struct metric *metric)
{
    return metric->value;
}

void metrics_note(struct metrics *metrics, const char *note)
{
    (void)metrics;
    (void)note;
}

void metrics_health(struct metrics *metrics, const char *reason)
{
    (void)metrics;
    (void)reason;
}

bool metrics_serve(struct metrics *metrics, const char *endpoint, char *error, unsigned long error_cap)
{
    (void)metrics;
    (void)endpoint;
    (void)error;
    (void)error_cap;
    return true;
}
