/* A turn of the loop, over virtual time. */
#include "base/clock.h"
#include "db.h"
#include "net.h"
#include "watches.h"

bool watched_is_readable(const struct bus_socket *socket, int fd)
{
    return socket != NULL ? net_is_readable(socket) : db_fd_is_readable(fd);
}

bool loop_once(struct loop *loop, int64_t deadline_us)
{
    int64_t until_us = deadline_us == INT64_MAX ? INT64_MAX : deadline_us - clock_boot_us() + world_now_us();
    world_touch();
    world_sleep(world_between(1, 20));
    while (!loop_is_ready(loop) && world_now_us() < until_us)
        world_wait(until_us);
    loop_turn(loop);
    return true;
}
