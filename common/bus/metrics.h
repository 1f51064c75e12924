/* Metrics and health over HTTP (libmicrohttpd): GET /metrics in Prometheus' text format, GET /health 200 or 503 with a reason.
 * Set from one thread, read from HTTP's: values are atomics. */
#ifndef AFTERCARE_BUS_METRICS_H
#define AFTERCARE_BUS_METRICS_H

#include <stdbool.h>
#include <stdint.h>

struct metrics;
struct metric;

struct metrics *metrics_new(const char *service);
void metrics_destroy(struct metrics **);
/* Of which data folder this daemon is: each answer says its mark in the header METRICS_FOLDER, so that who asks a port knows whose it
 * is. Before metrics_serve. */
#define METRICS_FOLDER "Aftercare-Folder"
#define METRICS_FOLDER_TEXT 17
void metrics_folder(struct metrics *, const char *data);
/* The mark of a data folder: the same for each of its names. */
void metrics_folder_mark(const char *data, char out[METRICS_FOLDER_TEXT]);
/* Registered at start, before metrics_serve. name without prefix: "events_total" → aftercare_events_total{service="…"}. */
struct metric *metric_counter(struct metrics *, const char *name, const char *help);
struct metric *metric_gauge(struct metrics *, const char *name, const char *help);
void metric_add(struct metric *, int64_t);
void metric_set(struct metric *, int64_t);
int64_t metric_value(const struct metric *);
/* "" = healthy; otherwise the reason. */
void metrics_health(struct metrics *, const char *reason);
/* What a healthy one says instead of "ok". */
void metrics_note(struct metrics *, const char *note);
/* endpoint "127.0.0.1:7410"; false: error says why. */
bool metrics_serve(struct metrics *, const char *endpoint, char *error, unsigned long error_cap);
/* Where it listens; 0: it does not. (Port 0 in the endpoint lets the system choose.) */
unsigned metrics_port(const struct metrics *);

#endif
