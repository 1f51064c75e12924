/* What threads use beside themselves, over virtual time: locks, conditions, sleeping. */
#include "base/instant.h"
#include "world.h"
#include <errno.h>
#include <pthread.h>
#include <time.h>

/* Only one runs at a time. */
int sim_mutex_lock(pthread_mutex_t *mutex);
int sim_mutex_lock(pthread_mutex_t *mutex)
{
    (void)mutex;
    return 0;
}

int sim_mutex_unlock(pthread_mutex_t *mutex);
int sim_mutex_unlock(pthread_mutex_t *mutex)
{
    (void)mutex;
    return 0;
}

int sim_clock_gettime(clockid_t clock, struct timespec *out);
int sim_clock_gettime(clockid_t clock, struct timespec *out)
{
    (void)clock;
    out->tv_sec = world_now_us() / SECOND_US;
    out->tv_nsec = world_now_us() % SECOND_US * 1000;
    return 0;
}

int sim_cond_timedwait(pthread_cond_t *cond, pthread_mutex_t *mutex, const struct timespec *until);
int sim_cond_timedwait(pthread_cond_t *cond, pthread_mutex_t *mutex, const struct timespec *until)
{
    int64_t until_us = until->tv_sec * SECOND_US + until->tv_nsec / 1000;
    (void)cond;
    (void)mutex;
    world_touch();
    if (world_now_us() >= until_us)
        return ETIMEDOUT;
    world_wait(until_us);
    return 0;
}

int sim_cond_broadcast(pthread_cond_t *cond);
int sim_cond_broadcast(pthread_cond_t *cond)
{
    (void)cond;
    process_wake(process_current());
    return 0;
}

int sim_usleep(unsigned us);
int sim_usleep(unsigned us)
{
    world_touch();
    world_sleep(us);
    return 0;
}
