#include "bus/metrics.h"

#include "base/bytes.h"
#include "base/status.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cmocka.h>

/* The whole reply, status line first. */
static const char *ask(unsigned port, const char *request, struct buf *reply)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    struct timeval limit = {.tv_sec = 10};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    ssize_t got;

    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
    assert_int_equal(write(fd, request, strlen(request)), strlen(request));
    buf_reset(reply);
    while ((got = read(fd, buf_reserve(reply, 4096), 4096)) > 0)
        reply->len += (size_t)got;
    close(fd);
    return buf_text(reply);
}

#define GET(path) "GET " path " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"

static void test_metrics_and_health(void **state)
{
    struct metrics *m = metrics_new("dispatcher");
    struct metric *events = metric_counter(m, "events_total", "events applied");
    struct metric *lag = metric_gauge(m, "lag_events", "events behind the head");
    struct buf reply = {0};
    char error[100] = "";
    unsigned port;

    (void)state;
    assert_int_equal(metrics_port(m), 0);
    assert_true(metrics_serve(m, "127.0.0.1:0", error, sizeof error));
    port = metrics_port(m);
    assert_true(port > 0);
    metric_add(events, 40);
    metric_add(events, 2);
    metric_set(lag, -3);
    assert_int_equal(metric_value(events), 42);

    const char *text = ask(port, GET("/metrics"), &reply);
    assert_non_null(strstr(text, "HTTP/1.1 200"));
    assert_non_null(strstr(text, "# HELP aftercare_events_total events applied\n# TYPE aftercare_events_total counter\n"
                                 "aftercare_events_total{service=\"dispatcher\"} 42\n"));
    assert_non_null(strstr(text, "aftercare_lag_events{service=\"dispatcher\"} -3\n"));

    assert_non_null(strstr(ask(port, GET("/health"), &reply), "HTTP/1.1 200"));
    metrics_health(m, "PostgreSQL does not answer");
    text = ask(port, GET("/health"), &reply);
    assert_non_null(strstr(text, "HTTP/1.1 503"));
    assert_non_null(strstr(text, "PostgreSQL does not answer"));
    metrics_health(m, "");
    assert_non_null(strstr(ask(port, GET("/health"), &reply), "HTTP/1.1 200"));
    assert_non_null(strstr(ask(port, GET("/else"), &reply), "HTTP/1.1 404"));
    assert_non_null(strstr(ask(port, "POST /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", &reply),
                           "HTTP/1.1 405"));
    buf_release(&reply);
    metrics_destroy(&m);
    assert_null(m);
}

static void test_serve_says_why_not(void **state)
{
    static const char *const wrong[] = {"", "7410", "127.0.0.1", "nowhere:1", ":7410", "127.0.0.1:x"};
    struct metrics *m = metrics_new("intake"), *second = metrics_new("intake");
    char error[100], taken[40];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        error[0] = '\0';
        assert_false(metrics_serve(m, wrong[i], error, sizeof error));
        assert_string_not_equal(error, "");
    }
    assert_true(metrics_serve(m, "127.0.0.1:0", error, sizeof error));
    snprintf(taken, sizeof taken, "127.0.0.1:%u", metrics_port(m));
    error[0] = '\0';
    assert_false(metrics_serve(second, taken, error, sizeof error));
    assert_string_not_equal(error, "");
    metrics_destroy(&second);
    metrics_destroy(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_metrics_and_health),
        cmocka_unit_test(test_serve_says_why_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
