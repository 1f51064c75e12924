#include "bus/metrics.h"

#include "base/bytes.h"
#include "base/digest.h"
#include "base/text.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <microhttpd.h>
#include <netdb.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define METRICS_MAX 128
#define CONNECTIONS_MAX 16
#define CONNECTION_TIMEOUT_S 10

struct metric {
    char name[64];
    char help[160];
    bool counter;
    _Atomic int64_t value;
};

struct metrics {
    char service[48];
    struct metric items[METRICS_MAX];
    size_t n;
    pthread_mutex_t lock; /* of reason and note */
    char reason[200], note[64];
    char folder[METRICS_FOLDER_TEXT];
    struct MHD_Daemon *daemon;
};

struct metrics *metrics_new(const char *service)
{
    struct metrics *m = memory_new(sizeof *m);

    text_format(m->service, sizeof m->service, "%s", service);
    pthread_mutex_init(&m->lock, NULL);
    return m;
}

void metrics_destroy(struct metrics **m_p)
{
    struct metrics *m = *m_p;

    if (!m)
        return;
    if (m->daemon)
        MHD_stop_daemon(m->daemon);
    pthread_mutex_destroy(&m->lock);
    free(m);
    *m_p = NULL;
}

void metrics_folder_mark(const char *data, char out[METRICS_FOLDER_TEXT])
{
    uint8_t digest[DIGEST_BYTES];
    char *whole = realpath(data, NULL);

    digest_of(bytes_of_text(whole ? whole : data), digest);
    free(whole);
    hex_print(digest, (METRICS_FOLDER_TEXT - 1) / 2, out);
}

void metrics_folder(struct metrics *m, const char *data)
{
    assert(!m->daemon);
    metrics_folder_mark(data, m->folder);
}

static struct metric *metric_add_new(struct metrics *m, const char *name, const char *help, bool counter)
{
    struct metric *metric;

    assert(!m->daemon && m->n < METRICS_MAX);
    metric = &m->items[m->n++];
    text_format(metric->name, sizeof metric->name, "%s", name);
    text_format(metric->help, sizeof metric->help, "%s", help);
    metric->counter = counter;
    return metric;
}

struct metric *metric_counter(struct metrics *m, const char *name, const char *help)
{
    return metric_add_new(m, name, help, true);
}

struct metric *metric_gauge(struct metrics *m, const char *name, const char *help)
{
    return metric_add_new(m, name, help, false);
}

void metric_add(struct metric *metric, int64_t by)
{
    atomic_fetch_add_explicit(&metric->value, by, memory_order_relaxed);
}

void metric_set(struct metric *metric, int64_t value)
{
    atomic_store_explicit(&metric->value, value, memory_order_relaxed);
}

int64_t metric_value(const struct metric *metric)
{
    return atomic_load_explicit(&metric->value, memory_order_relaxed);
}

void metrics_health(struct metrics *m, const char *reason)
{
    pthread_mutex_lock(&m->lock);
    (void)text_copy(m->reason, sizeof m->reason, reason);
    pthread_mutex_unlock(&m->lock);
}

void metrics_note(struct metrics *m, const char *note)
{
    pthread_mutex_lock(&m->lock);
    (void)text_copy(m->note, sizeof m->note, note);
    pthread_mutex_unlock(&m->lock);
}

static void metrics_print(struct metrics *m, struct buf *out)
{
    for (size_t i = 0; i < m->n; i++) {
        const struct metric *metric = &m->items[i];
        buf_append_format(out, "# HELP aftercare_%s %s\n# TYPE aftercare_%s %s\naftercare_%s{service=\"%s\"} %lld\n",
                          metric->name, metric->help, metric->name, metric->counter ? "counter" : "gauge",
                          metric->name, m->service, (long long)metric_value(metric));
    }
}

static unsigned health_print(struct metrics *m, struct buf *out)
{
    bool healthy;

    pthread_mutex_lock(&m->lock);
    healthy = m->reason[0] == '\0';
    buf_append_format(out, "%s\n", !healthy ? m->reason : m->note[0] != '\0' ? m->note : "ok");
    pthread_mutex_unlock(&m->lock);
    return healthy ? MHD_HTTP_OK : MHD_HTTP_SERVICE_UNAVAILABLE;
}

static enum MHD_Result reply(const struct metrics *m, struct MHD_Connection *connection, unsigned code, const char *media,
                             struct buf *body)
{
    struct MHD_Response *response =
        MHD_create_response_from_buffer(body->len, body->data, MHD_RESPMEM_MUST_COPY);
    enum MHD_Result result;

    if (!response)
        return MHD_NO;
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, media);
    if (m->folder[0] != '\0')
        MHD_add_response_header(response, METRICS_FOLDER, m->folder);
    result = MHD_queue_response(connection, code, response);
    MHD_destroy_response(response);
    return result;
}

static enum MHD_Result on_request(void *arg, struct MHD_Connection *connection, const char *url, const char *method,
                                  const char *version, const char *upload, size_t *upload_size, void **state)
{
    struct metrics *m = arg;
    struct buf body = {0};
    unsigned code = MHD_HTTP_OK;
    const char *media = "text/plain; charset=utf-8";
    enum MHD_Result result;

    (void)version, (void)upload, (void)state;
    if (!text_equal(method, "GET") && !text_equal(method, "HEAD")) {
        *upload_size = 0;
        code = MHD_HTTP_METHOD_NOT_ALLOWED;
        buf_append_text(&body, "GET only\n");
    } else if (text_equal(url, "/metrics")) {
        media = "text/plain; version=0.0.4; charset=utf-8";
        metrics_print(m, &body);
    } else if (text_equal(url, "/health")) {
        code = health_print(m, &body);
    } else {
        code = MHD_HTTP_NOT_FOUND;
        buf_append_text(&body, "/metrics or /health\n");
    }
    result = reply(m, connection, code, media, &body);
    buf_release(&body);
    return result;
}

/* "127.0.0.1:7410", "[::1]:7410" */
static bool endpoint_parse(const char *endpoint, struct sockaddr_storage *out, char *error, size_t error_cap)
{
    char host[80];
    const char *colon = strrchr(endpoint, ':');
    size_t n = colon ? (size_t)(colon - endpoint) : 0;
    struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE, .ai_socktype = SOCK_STREAM}, *found;
    bool brackets = n >= 2 && endpoint[0] == '[' && endpoint[n - 1] == ']';
    const char *start = brackets ? endpoint + 1 : endpoint;

    if (brackets)
        n -= 2;
    if (!colon || n == 0 || !text_copy_n(host, sizeof host, start, n) ||
        getaddrinfo(host, colon + 1, &hints, &found) != 0) {
        (void)text_copy(error, error_cap, "ADDRESS:PORT expected, the address in numbers");
        return false;
    }
    memcpy(out, found->ai_addr, found->ai_addrlen);
    freeaddrinfo(found);
    return true;
}

bool metrics_serve(struct metrics *m, const char *endpoint, char *error, unsigned long error_cap)
{
    struct sockaddr_storage address;
    unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD; /* select() ends at descriptor 1,023, and a thousand readers lie before it */

    assert(!m->daemon);
    memset(&address, 0, sizeof address);
    if (!endpoint_parse(endpoint, &address, error, error_cap))
        return false;
    if (address.ss_family == AF_INET6)
        flags |= MHD_USE_IPv6;
    errno = 0;
    m->daemon = MHD_start_daemon(flags, 0, NULL, NULL, on_request, m, MHD_OPTION_SOCK_ADDR, &address,
                                 MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS_MAX, MHD_OPTION_CONNECTION_TIMEOUT,
                                 (unsigned)CONNECTION_TIMEOUT_S, MHD_OPTION_END);
    if (m->daemon)
        return true;
    (void)text_copy(error, error_cap, errno != 0 ? strerror(errno) : "cannot listen there");
    return false;
}

unsigned metrics_port(const struct metrics *m)
{
    const union MHD_DaemonInfo *info = m->daemon ? MHD_get_daemon_info(m->daemon, MHD_DAEMON_INFO_BIND_PORT) : NULL;

    return info ? info->port : 0;
}
