#include "shelf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "shelf_inside.h"
#include "store.h"
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <zmq.h>

#define MIB (INT64_C(1024) * 1024)
#define RETRY_US SECOND_US
#define LOOK_US (2 * SECOND_US) /* until file.stored is asked for again */
#define STATEMENT_MS 60000      /* an erasure holds its lock so long */

struct shelf {
    const struct settings *settings;
    struct pg *pg;
    struct pg_args *args;
    struct bus_socket *cmd, *feed;
    pthread_t thread;
    int stop; /* eventfd */
    bool serves, announcing, trouble;
    int64_t retry_us, announce_us, forget_us;
    struct shelf_limits limits;
    struct metric *kept, *given, *beyond;
};

/* --- the database ---------------------------------------------------------------------------------- */

static bool connected(struct shelf *shelf)
{
    if (pg_is_connected(shelf->pg))
        return true;
    if (clock_boot_us() < shelf->retry_us)
        return false;
    shelf->retry_us = clock_boot_us() + RETRY_US;
    return pg_connect(shelf->pg) == STATUS_OK && pg_run(shelf->pg, "SET enable_seqscan = off; SET application_name = 'aftercare shelf'") == STATUS_OK;
}

static bool fine(struct shelf *shelf, enum status status)
{
    if (status != STATUS_OK) {
        if (!shelf->trouble)
            log_warn("shelf: %s; files wait", pg_error(shelf->pg));
        pg_disconnect(shelf->pg);
        shelf->retry_us = clock_boot_us() + RETRY_US;
    }
    shelf->trouble = status != STATUS_OK;
    return status == STATUS_OK;
}

/* --- what is asked --------------------------------------------------------------------------------- */

static bool say_stored(void *owner, const char *ticket, struct bytes sha256, int64_t bytes)
{
    struct shelf *shelf = owner;
    struct slip *slip = slip_new(SLIP_STORED, sha256.data, 0, bytes_of(NULL, 0));
    text_copy(slip->ticket, sizeof(slip->ticket), ticket);
    slip->size = bytes;
    bool said = slip_send(shelf->cmd, &slip) == STATUS_OK;
    slip_destroy(&slip);
    return said;
}

static void put(struct shelf *shelf, struct slip *slip)
{
    bool announce = false;
    size_t n = slip->bytes.len;
    int64_t had = slip->offset;
    if (!connected(shelf) || !fine(shelf, shelf_put(shelf->pg, shelf->args, &shelf->limits, slip, &announce))) {
        slip->whole = false;
        slip_refuse(slip, "database", "the database does not answer");
    } else if (slip_is_beyond(slip)) {
        metric_add(shelf->beyond, 1);
    } else if (n > 0 && slip->upto == had + (int64_t)n) {
        metric_add(shelf->kept, (int64_t)n);
    }
    if (announce) {
        shelf->announcing = true;
        shelf->announce_us = 0;
    }
    slip_bytes(slip, bytes_of(NULL, 0));
}

static void get(struct shelf *shelf, struct slip *slip)
{
    if (!connected(shelf) || !fine(shelf, shelf_get(shelf->pg, shelf->args, slip)))
        slip_refuse(slip, "database", "the database does not answer");
    metric_add(shelf->given, (int64_t)slip->bytes.len);
}

/* One of each in turn: who puts does not hold up who gets. */
static bool one(struct shelf *shelf, struct bus_socket *pair)
{
    struct slip *slip = slip_receive(pair);
    if (slip == NULL)
        return false;
    switch (slip->kind) {
    case SLIP_PUT:
        put(shelf, slip);
        break;
    case SLIP_GET:
        get(shelf, slip);
        break;
    case SLIP_SERVES:
        shelf->serves = shelf->announcing = true;
        slip_destroy(&slip);
        return true;
    case SLIP_STORED:
        break;
    }
    /* Every piece that came is answered: its place among those under way is kept until then. */
    while (slip_send(pair, &slip) != STATUS_OK) {
        zmq_pollitem_t items[] = {{.socket = bus_raw(pair), .events = ZMQ_POLLOUT}, {.fd = shelf->stop, .events = ZMQ_POLLIN}};
        if ((zmq_poll(items, 2, -1) < 0 && errno != EINTR) || items[1].revents != 0) {
            slip_destroy(&slip);
            break;
        }
    }
    return true;
}

static void tick(struct shelf *shelf)
{
    int64_t now_us = clock_boot_us(), forgotten = 0;
    bool more = false;
    if (!shelf->serves || !connected(shelf))
        return;
    if (shelf->announcing && now_us >= shelf->announce_us) {
        shelf->announce_us = now_us + LOOK_US;
        shelf->announcing = !fine(shelf, shelf_announce(shelf->pg, shelf->args, say_stored, shelf, &more)) || more;
    }
    if (now_us >= shelf->forget_us && pg_is_connected(shelf->pg)) {
        shelf->forget_us = now_us + HOUR_US;
        if (fine(shelf, shelf_forget(shelf->pg, shelf->args, shelf->settings->intake.file_days, &forgotten)) && forgotten > 0)
            log_info("shelf: %lld files that never became whole are forgotten", (long long)forgotten);
    }
}

/* --- the thread ------------------------------------------------------------------------------------ */

static long wait_ms(const struct shelf *shelf)
{
    int64_t due_us = shelf->forget_us, now_us = clock_boot_us();
    if (!shelf->serves)
        return -1;
    if (shelf->announcing && shelf->announce_us < due_us)
        due_us = shelf->announce_us;
    if (!pg_is_connected(shelf->pg) && due_us < shelf->retry_us)
        due_us = shelf->retry_us;
    return due_us <= now_us ? 0 : (long)((due_us - now_us + 999) / 1000);
}

static void *run(void *arg)
{
    struct shelf *shelf = arg;
    for (;;) {
        zmq_pollitem_t items[] = {{.socket = bus_raw(shelf->cmd), .events = ZMQ_POLLIN},
                                  {.socket = bus_raw(shelf->feed), .events = ZMQ_POLLIN},
                                  {.fd = shelf->stop, .events = ZMQ_POLLIN}};
        if (zmq_poll(items, 3, wait_ms(shelf)) < 0 && errno != EINTR)
            break;
        if (items[2].revents != 0)
            break;
        bool put_one = one(shelf, shelf->cmd), got_one = one(shelf, shelf->feed);
        if (!put_one && !got_one)
            tick(shelf);
        else if (shelf->announcing && clock_boot_us() >= shelf->announce_us)
            tick(shelf);
    }
    return NULL;
}

static void pair_close(struct bus_socket **pair)
{
    struct slip *slip;
    while (*pair != NULL && (slip = slip_receive(*pair)) != NULL)
        slip_destroy(&slip);
    bus_close(pair);
}

static void shelf_free(struct shelf *shelf)
{
    pair_close(&shelf->cmd);
    pair_close(&shelf->feed);
    if (shelf->stop >= 0)
        close(shelf->stop);
    pg_destroy(&shelf->pg);
    pg_args_destroy(&shelf->args);
    free(shelf);
}

struct shelf *shelf_start(const struct settings *settings, struct metrics *metrics)
{
    struct shelf *shelf = memory_new(sizeof(*shelf));
    char error[200] = "no thread";
    shelf->settings = settings;
    shelf->limits = (struct shelf_limits){settings->intake.file_unfinished_mib * MIB, settings->intake.file_day_mib * MIB};
    shelf->pg = pg_new(settings->intake.dsn, STORE_SCHEMA);
    pg_limit_wait(shelf->pg, STATEMENT_MS);
    shelf->args = pg_args_new();
    shelf->kept = metric_counter(metrics, "file_bytes_kept_total", "bytes of files kept");
    shelf->given = metric_counter(metrics, "file_bytes_given_total", "bytes of files given out");
    shelf->beyond = metric_counter(metrics, "file_pieces_beyond_total", "pieces of files refused: too much of one principal's unfinished, or taken in a day");
    shelf->stop = eventfd(0, EFD_CLOEXEC);
    shelf->cmd = bus_bind(BUS_PAIR, SHELF_CMD_PAIR, error, sizeof(error));
    shelf->feed = shelf->cmd != NULL ? bus_bind(BUS_PAIR, SHELF_FEED_PAIR, error, sizeof(error)) : NULL;
    if (shelf->stop >= 0 && shelf->feed != NULL && pthread_create(&shelf->thread, NULL, run, shelf) == 0)
        return shelf;
    log_error("shelf: %s", error);
    shelf_free(shelf);
    return NULL;
}

void shelf_stop(struct shelf **self)
{
    struct shelf *shelf = *self;
    const uint64_t word = 1;
    if (shelf == NULL)
        return;
    if (write(shelf->stop, &word, sizeof(word)) < 0)
        log_fatal("the shelf cannot be told to end: %s", strerror(errno));
    (void)pthread_join(shelf->thread, NULL);
    shelf_free(shelf);
    *self = NULL;
}
