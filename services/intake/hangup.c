/* epoll as libzmq sees it: these two stand before libc's in the program that this file is linked into. */
#include "hangup.h"

#include "base/bytes.h"
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <unistd.h>

#define BROKEN (EPOLLERR | EPOLLHUP)

/* By descriptor: where it is watched, for what, and for whom. */
struct watched {
    bool is, broken; /* broken: taken out of the kernel's set, since it would be told again and again */
    int at;
    struct epoll_event event;
};

static struct {
    pthread_mutex_t lock;
    bool on;
    struct watched *fds;
    size_t n, broken;
} all = {.lock = PTHREAD_MUTEX_INITIALIZER};

void hangups_wait(void)
{
    all.on = true;
}

size_t hangups_waiting(void)
{
    pthread_mutex_lock(&all.lock);
    size_t n = all.broken;
    pthread_mutex_unlock(&all.lock);
    return n;
}

static int control(int at, int op, int fd, struct epoll_event *event)
{
    return (int)syscall(SYS_epoll_ctl, at, op, fd, event);
}

static struct watched *watched_at(int fd)
{
    size_t i = (size_t)fd;
    if (i >= all.n) {
        size_t n = 2 * i + 64;
        all.fds = memory_grow(all.fds, n * sizeof all.fds[0]);
        memset(all.fds + all.n, 0, (n - all.n) * sizeof all.fds[0]);
        all.n = n;
    }
    return &all.fds[i];
}

static void whole(struct watched *fd)
{
    all.broken -= fd->broken;
    fd->broken = false;
}

static int changed(struct watched *watched, int at, int op, int fd, struct epoll_event *event)
{
    bool is_out = watched->broken && op != EPOLL_CTL_ADD;
    if (op == EPOLL_CTL_DEL) {
        whole(watched);
        watched->is = false;
        return is_out ? 0 : control(at, op, fd, event);
    }
    watched->is = true;
    watched->at = at;
    watched->event = *event;
    if (is_out && (event->events & EPOLLIN) == 0)
        return 0;
    whole(watched);
    return control(at, is_out ? EPOLL_CTL_ADD : op, fd, event);
}

int epoll_ctl(int at, int op, int fd, struct epoll_event *event)
{
    if (!all.on || fd < 0)
        return control(at, op, fd, event);
    pthread_mutex_lock(&all.lock);
    int result = changed(watched_at(fd), at, op, fd, event);
    pthread_mutex_unlock(&all.lock);
    return result;
}

static struct watched *watched_of(int at, const struct epoll_event *event)
{
    for (size_t i = 0; i < all.n; i++)
        if (all.fds[i].is && all.fds[i].at == at && all.fds[i].event.data.u64 == event->data.u64)
            return &all.fds[i];
    return NULL;
}

/* What is left of it to be told. */
static bool is_told(int at, struct epoll_event *event)
{
    if ((event->events & BROKEN) == 0)
        return true;
    if ((event->events & EPOLLIN) != 0) { /* told of both, libzmq reads twice: where the first read fills the pipe, the second takes the hang-up */
        event->events &= ~(uint32_t)BROKEN;
        return true;
    }
    pthread_mutex_lock(&all.lock);
    struct watched *fd = watched_of(at, event);
    if (fd != NULL && (fd->event.events & EPOLLIN) == 0) {
        event->events &= fd->event.events;
        if (event->events == 0 && !fd->broken && control(at, EPOLL_CTL_DEL, (int)(fd - all.fds), NULL) == 0) {
            fd->broken = true;
            all.broken++;
        }
    }
    pthread_mutex_unlock(&all.lock);
    return event->events != 0;
}

int epoll_wait(int at, struct epoll_event *events, int most, int timeout)
{
    int n = (int)syscall(SYS_epoll_pwait, at, events, most, timeout, NULL, _NSIG / 8), told = 0;
    if (!all.on || n <= 0)
        return n;
    for (int i = 0; i < n; i++)
        if (is_told(at, &events[i]))
            events[told++] = events[i];
    return told; /* 0, as when time is up: who waits looks again */
}
