#include "bench.h"

#include "base/text.h"
#include "bus/key.h"
#include "bus/socket.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <zmq.h>

static struct bus_key own_key; /* what AFTERCARE_KEY names; no secret_key: none */

double cpu_seconds(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static int compare(const void *a, const void *b)
{
    int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;
    return (left > right) - (left < right);
}

int64_t median(int64_t *values, size_t n, double quantile)
{
    if (n == 0)
        return 0;
    qsort(values, n, sizeof values[0], compare);
    size_t at = (size_t)((double)n * quantile);
    return values[at < n ? at : n - 1];
}

/* Over TCP by the key file that AFTERCARE_KEY names. */
static bool identify(void)
{
    const char *path = getenv("AFTERCARE_KEY");
    struct problem problem;
    if (path == NULL || path[0] == '\0')
        return true;
    if (!bus_key_load(path, &own_key, &problem)) {
        fprintf(stderr, "%s: %s\n", problem.field, problem.args);
        return false;
    }
    bus_identify(&own_key);
    return true;
}

void bench_identify(void *socket)
{
    if (own_key.secret_key[0] == '\0')
        return;
    zmq_setsockopt(socket, ZMQ_CURVE_SERVERKEY, own_key.server_key, strlen(own_key.server_key));
    zmq_setsockopt(socket, ZMQ_CURVE_PUBLICKEY, own_key.public_key, strlen(own_key.public_key));
    zmq_setsockopt(socket, ZMQ_CURVE_SECRETKEY, own_key.secret_key, strlen(own_key.secret_key));
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        int (*run)(int, char **);
        int args;
    } benches[] = {{"insert", bench_insert, 5}, {"facts", bench_facts, 6}, {"load", bench_load, 8}, {"follow", bench_follow, 4},
                 {"clocks", bench_clocks, 4}, {"fire", bench_fire, 5}, {"poll", bench_poll, 7},
                 {"hostile", bench_hostile, 11}, {"readers", bench_readers, 11},
                 {"put", bench_put, 5}, {"get", bench_get, 5}};
    for (size_t i = 0; argc > 1 && i < COUNT_OF(benches); i++)
        if (text_equal(argv[1], benches[i].name) && argc == benches[i].args) {
            bus_start();
            if (!identify())
                return 1;
            int code = benches[i].run(argc, argv);
            bus_stop();
            bus_key_forget(&own_key);
            return code;
        }
    fprintf(stderr, "usage: aftercare-bench insert DSN SECONDS BATCH | facts CMD STREAM SECONDS INFLIGHT |\n"
                    "       load CMD STREAM SECONDS RATE NAME CSV | follow FEED STREAM |\n"
                    "       clocks DSN ROWS | fire DSN TIMERS STEP_US | poll DSN SECONDS LIMIT EVERY_US AHEAD_S |\n"
                    "       hostile CMD LIVE FEED STREAM FEEDS LIVES SENDERS RATE AFTER |\n"
                    "       readers FEED STREAM READERS AFTER STRETCH SECONDS APART TYPE KEY | put CMD STREAM SECONDS | get FEED SHA256 SECONDS\n");
    return 2;
}
