#include "bus/socket.h"

#include "base/clock.h"
#include "base/log.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>
#include <zmq.h>

struct watch {
    loop_ready *ready; /* NULL: forgotten */
    void *arg;
};

struct loop {
    zmq_pollitem_t *items; /* the first one is the signals' */
    struct watch *watches;
    size_t n, cap;
    unsigned depth; /* a handler may poll while it waits for something */
};
enum { WATCH_STOP, WATCHES_OWN };

/* TERM and INT are looked at and never taken, so that they end every loop of the process, each in its thread. */
static bool is_stopping(void)
{
    sigset_t pending;

    sigpending(&pending);
    return sigismember(&pending, SIGTERM) || sigismember(&pending, SIGINT);
}

static void watch_add(struct loop *l, void *zmq, int fd, short events, loop_ready *ready, void *arg)
{
    if (l->n == l->cap) {
        l->cap = l->cap ? l->cap * 2 : 8;
        l->items = memory_grow(l->items, l->cap * sizeof l->items[0]);
        l->watches = memory_grow(l->watches, l->cap * sizeof l->watches[0]);
    }
    l->items[l->n] = (zmq_pollitem_t){.socket = zmq, .fd = fd, .events = events};
    l->watches[l->n] = (struct watch){.ready = ready, .arg = arg};
    l->n++;
}

static void on_stop(void *arg)
{
    (void)arg; /* stays pending */
}

static int signals_open(const sigset_t *set)
{
    int fd = signalfd(-1, set, SFD_NONBLOCK | SFD_CLOEXEC);

    if (fd < 0)
        log_fatal("no signalfd: %s", strerror(errno));
    return fd;
}

struct loop *loop_new(void)
{
    struct loop *l = memory_new(sizeof *l);
    sigset_t stop, held;

    sigemptyset(&stop);
    sigaddset(&stop, SIGTERM);
    sigaddset(&stop, SIGINT);
    held = stop;
    sigaddset(&held, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &held, NULL);
    signal(SIGPIPE, SIG_IGN);
    watch_add(l, NULL, signals_open(&stop), ZMQ_POLLIN, on_stop, l);
    return l;
}

void loop_destroy(struct loop **l_p)
{
    struct loop *l = *l_p;

    if (!l)
        return;
    close(l->items[WATCH_STOP].fd);
    free(l->items);
    free(l->watches);
    free(l);
    *l_p = NULL;
}

void loop_socket(struct loop *l, struct bus_socket *socket, loop_ready *ready, void *arg)
{
    watch_add(l, bus_raw(socket), -1, ZMQ_POLLIN, ready, arg);
}

void loop_fd(struct loop *l, int fd, loop_ready *ready, void *arg)
{
    watch_add(l, NULL, fd, ZMQ_POLLIN, ready, arg);
}

void loop_fd_either(struct loop *l, int fd, bool read, bool write, loop_ready *ready, void *arg)
{
    watch_add(l, NULL, fd, (short)((read ? ZMQ_POLLIN : 0) | (write ? ZMQ_POLLOUT : 0)), ready, arg);
}

void loop_forget(struct loop *l, const void *socket_or_null, int fd)
{
    const void *raw = socket_or_null ? bus_raw((const struct bus_socket *)socket_or_null) : NULL;

    for (size_t i = WATCHES_OWN; i < l->n; i++)
        if (raw ? l->items[i].socket == raw : !l->items[i].socket && l->items[i].fd == fd)
            l->watches[i].ready = NULL; /* swept before the next poll: a handler may be forgetting itself */
}

static void sweep(struct loop *l)
{
    size_t kept = 0;

    for (size_t i = 0; i < l->n; i++) {
        if (!l->watches[i].ready)
            continue;
        l->items[kept] = l->items[i];
        l->watches[kept++] = l->watches[i];
    }
    l->n = kept;
}

static long timeout_ms(int64_t deadline_us)
{
    int64_t left;

    if (deadline_us == INT64_MAX)
        return -1;
    left = deadline_us - clock_boot_us();
    if (left <= 0)
        return 0;
    return left > 3600 * SECOND_US ? 3600 * 1000 : (long)((left + 999) / 1000);
}

bool loop_once(struct loop *l, int64_t deadline_us)
{
    size_t n;
    int ready;

    if (l->depth == 0)
        sweep(l);
    n = l->n;
    ready = zmq_poll(l->items, (int)n, timeout_ms(deadline_us));
    if (ready < 0 && errno == ETERM)
        return false;
    if (is_stopping())
        return false;
    l->depth++;
    for (size_t i = 0; ready > 0 && i < n; i++)
        if (l->items[i].revents != 0 && l->watches[i].ready)
            l->watches[i].ready(l->watches[i].arg);
    l->depth--;
    return true;
}
