#include "watches.h"
#include "base/bytes.h"
#include <assert.h>
#include <stdlib.h>

#define WATCHES_MAX 16

struct watch {
    struct bus_socket *socket;
    int fd;
    loop_ready *ready;
    void *arg;
};

struct loop {
    struct watch watches[WATCHES_MAX];
    size_t n;
};

struct loop *loop_new(void)
{
    return memory_new(sizeof(struct loop));
}

void loop_destroy(struct loop **loop)
{
    free(*loop);
    *loop = NULL;
}

static void watch_add(struct loop *loop, struct watch watch)
{
    size_t i = 0;
    while (i < loop->n && loop->watches[i].ready != NULL)
        i++;
    assert(i < WATCHES_MAX);
    loop->watches[i] = watch;
    if (i == loop->n)
        loop->n++;
}

void loop_socket(struct loop *loop, struct bus_socket *socket, loop_ready *ready, void *arg)
{
    watch_add(loop, (struct watch){.socket = socket, .fd = -1, .ready = ready, .arg = arg});
}

void loop_fd(struct loop *loop, int fd, loop_ready *ready, void *arg)
{
    watch_add(loop, (struct watch){.fd = fd, .ready = ready, .arg = arg});
}

void loop_forget(struct loop *loop, const void *socket_or_null, int fd)
{
    for (size_t i = 0; i < loop->n; i++)
        if (socket_or_null != NULL ? loop->watches[i].socket == socket_or_null
                                   : loop->watches[i].socket == NULL && loop->watches[i].fd == fd)
            loop->watches[i].ready = NULL;
}

static bool watch_is_ready(const struct watch *watch)
{
    return watch->ready != NULL && watched_is_readable(watch->socket, watch->fd);
}

bool loop_is_ready(const struct loop *loop)
{
    bool ready = false;
    for (size_t i = 0; i < loop->n; i++)
        ready = ready || watch_is_ready(&loop->watches[i]);
    return ready;
}

void loop_turn(struct loop *loop)
{
    size_t n = loop->n;
    for (size_t i = 0; i < n; i++)
        if (watch_is_ready(&loop->watches[i]))
            loop->watches[i].ready(loop->watches[i].arg);
}
