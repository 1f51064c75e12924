/* An intake that comes back from trouble with its database. When another one has taken the lease meanwhile: it ends; one that waits for
 * ever keeps its addresses, and who comes there is not answered. When the database takes nothing (a full disk) and yet answers: it asks
 * less and less often. And rows that many items of the queue need. The network thread as it is; the store, sockets, the loop and the clock are stubs. */
#include "refold.h"
#include "server_inside.h"

#include "base/clock.h"
#include "base/text.h"
#include "table/mirror.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <zmq.h>

#define TURNS_MAX 50
#define TURN_US (SECOND_US / 50)

static size_t turns, takeovers, away; /* away: so many times the database does not answer before another's lease is seen */
static size_t turns_max;
static bool ours;            /* nobody else takes the lease */
static enum status commits;  /* how a commit ends */
static int64_t clock_us = DAY_US;
static struct server *busy;
static size_t fetches; /* with nothing in the database */
static bool fetched;   /* it answers */
static bool cmd_watched;
static size_t cmd_looks;

int64_t clock_wall_us(void)
{
    return clock_us;
}
int64_t clock_boot_us(void)
{
    return clock_us;
}

/* --- the store --------------------------------------------------------------------------------------- */

void store_init(struct store *store, const char *dsn, const char *holder, int64_t lease_ms)
{
    (void)dsn;
    (void)holder;
    *store = (struct store){.lease_ms = lease_ms};
}
void store_release(struct store *store)
{
    (void)store;
}
enum status store_connect(struct store *store)
{
    (void)store;
    if (takeovers == 0 || away == 0)
        return STATUS_OK;
    away--;
    return STATUS_CLOSED;
}
enum status store_stream(struct store *store, struct stream_created *stream)
{
    (void)store;
    record_clear(&stream_created_record, stream);
    text_copy(stream->stream, sizeof(stream->stream), "test-00000000");
    return STATUS_OK;
}
enum status store_take_over(struct store *store, struct journal *journal)
{
    (void)store;
    journal->head.pos = 7;
    return takeovers++ == 0 || ours ? STATUS_OK : STATUS_AGAIN;
}
enum status store_partitions(struct store *store, uint64_t pos)
{
    (void)store;
    (void)pos;
    return STATUS_OK;
}
enum status store_renew(struct store *store, const struct journal_head *head, int64_t rec_us, struct source_row *const *dirty,
                        size_t dirty_n)
{
    (void)store;
    (void)head;
    (void)rec_us;
    (void)dirty;
    (void)dirty_n;
    return ours ? STATUS_OK : STATUS_CLOSED; /* the trouble */
}
void store_let_go(struct store *store, const struct journal_head *head)
{
    (void)store;
    (void)head;
}
enum status store_source(struct store *store, const char *name, struct source_row *source)
{
    (void)store;
    (void)name;
    (void)source;
    return STATUS_CLOSED;
}
enum status store_send(struct store *store, const struct batch *batch, struct source_row *const *dirty, size_t dirty_n,
                       struct tables *tables)
{
    (void)store;
    (void)batch;
    (void)dirty;
    (void)dirty_n;
    (void)tables;
    return STATUS_OK;
}
enum status store_poll(struct store *store)
{
    (void)store;
    return commits;
}
enum status store_wait(struct store *store, int64_t until_us)
{
    (void)store;
    (void)until_us;
    return commits == STATUS_AGAIN ? STATUS_AGAIN : STATUS_CLOSED;
}
enum status store_may_change(struct store *store)
{
    (void)store;
    return STATUS_OK;
}
enum status store_migrate(struct store *store)
{
    (void)store;
    return STATUS_OK;
}
enum status store_archive(struct store *store)
{
    (void)store;
    return STATUS_OK;
}
int archive_rebuild(const struct settings *settings, bool forced)
{
    (void)settings;
    (void)forced;
    return 1;
}
enum status store_answers(struct store *store, const struct source_row *source, int64_t from, int64_t to, int64_t limit,
                          stored_answer *tell, void *owner)
{
    (void)store;
    (void)source;
    (void)from;
    (void)to;
    (void)limit;
    (void)tell;
    (void)owner;
    return STATUS_CLOSED;
}
enum status mirror_load(struct pg *pg, struct tables *tables)
{
    (void)pg;
    (void)tables;
    return STATUS_OK;
}
enum status mirror_fetch(struct pg *pg, struct tables *tables)
{
    const struct miss *misses;
    size_t n = tables_misses(tables, &misses);
    (void)pg;
    fetches++;
    for (size_t i = 0; i < n && fetched; i++)
        tables_fill(tables, misses[i].table, misses[i].key, NULL);
    if (fetched)
        tables_misses_reset(tables);
    return fetched ? STATUS_OK : STATUS_CLOSED;
}
bool pg_is_connected(const struct pg *pg)
{
    (void)pg;
    return true;
}
void pg_disconnect(struct pg *pg)
{
    (void)pg;
}
int pg_socket(const struct pg *pg)
{
    (void)pg;
    return -1;
}
const char *pg_error(const struct pg *pg)
{
    (void)pg;
    return "";
}
const char *pg_sqlstate(const struct pg *pg)
{
    (void)pg;
    return "";
}

/* --- sockets and the loop ---------------------------------------------------------------------------- */

struct bus_socket *bus_bind(enum bus_kind kind, const char *endpoint, char *error, size_t error_cap)
{
    (void)kind;
    (void)endpoint;
    (void)error;
    (void)error_cap;
    return calloc(1, 1);
}
struct bus_socket *bus_connect(enum bus_kind kind, const char *endpoint, char *error, size_t error_cap)
{
    return bus_bind(kind, endpoint, error, error_cap);
}
void bus_close(struct bus_socket **socket)
{
    free(*socket);
    *socket = NULL;
}
void *bus_raw(const struct bus_socket *socket)
{
    (void)socket;
    return NULL;
}
enum status bus_send_to(struct bus_socket *socket, const struct bus_peer *peer, const char *verb, struct bytes map)
{
    (void)socket;
    (void)peer;
    (void)verb;
    (void)map;
    return STATUS_CLOSED;
}
enum status bus_receive_from(struct bus_socket *socket, struct bus_peer *peer, struct frame *frame)
{
    (void)socket;
    (void)peer;
    (void)frame;
    return STATUS_AGAIN;
}
enum status bus_publish(struct bus_socket *socket, const char *topic, struct bytes body, struct bytes priv)
{
    (void)socket;
    (void)topic;
    (void)body;
    (void)priv;
    return STATUS_OK;
}
int zmq_send(void *socket, const void *data, size_t n, int flags)
{
    (void)socket;
    (void)data;
    (void)n;
    (void)flags;
    return -1; /* the feed is behind: the block is given back */
}
int zmq_recv(void *socket, void *data, size_t n, int flags)
{
    (void)socket;
    (void)data;
    (void)n;
    (void)flags;
    return -1;
}
int zmq_poll(zmq_pollitem_t *items, int n, long timeout_ms)
{
    (void)items;
    (void)n;
    (void)timeout_ms;
    return 0;
}
struct loop *loop_new(void)
{
    return calloc(1, 1);
}
void loop_destroy(struct loop **loop)
{
    free(*loop);
    *loop = NULL;
}
void loop_socket(struct loop *loop, struct bus_socket *socket, loop_ready *ready, void *arg)
{
    (void)loop;
    (void)socket;
    (void)arg;
    cmd_watched = cmd_watched || ready == server_on_cmd;
}
void loop_fd(struct loop *loop, int fd, loop_ready *ready, void *arg)
{
    (void)loop;
    (void)fd;
    (void)ready;
    (void)arg;
}
void loop_forget(struct loop *loop, const void *socket_or_null, int fd)
{
    (void)loop;
    (void)fd;
    cmd_watched = cmd_watched && (busy == NULL || socket_or_null != busy->cmd);
}
/* Whoever turns for ever is told to stop. Time passes while somebody waits; one who serves always has something to write soon. */
bool loop_once(struct loop *loop, int64_t deadline_us)
{
    const struct access_denied denied = {.code = "name", .count = 1};
    int64_t soon_us = clock_us + TURN_US;
    (void)loop;
    if (busy != NULL && !busy->lost) {
        taker_say(&busy->taker, &busy->building->batch, "access.denied", "", &denied, clock_us);
        deadline_us = deadline_us < soon_us ? deadline_us : soon_us;
    }
    if (deadline_us > clock_us)
        clock_us = deadline_us;
    if (busy != NULL && cmd_watched) {
        cmd_looks++;
        server_on_cmd(busy);
    }
    return ++turns < turns_max;
}

/* --- the rest ---------------------------------------------------------------------------------------- */

int sd_notify(int unset, const char *state);
int sd_notify(int unset, const char *state)
{
    (void)unset;
    (void)state;
    return 0;
}
struct metric *metric_counter(struct metrics *metrics, const char *name, const char *help)
{
    (void)metrics;
    (void)name;
    (void)help;
    return NULL;
}
struct metric *metric_gauge(struct metrics *metrics, const char *name, const char *help)
{
    return metric_counter(metrics, name, help);
}
void metric_add(struct metric *metric, int64_t n)
{
    (void)metric;
    (void)n;
}
void metric_set(struct metric *metric, int64_t n)
{
    (void)metric;
    (void)n;
}
int64_t metric_value(const struct metric *metric)
{
    (void)metric;
    return 0;
}
void metrics_health(struct metrics *metrics, const char *reason)
{
    (void)metrics;
    (void)reason;
}
void metrics_note(struct metrics *metrics, const char *note)
{
    (void)metrics;
    (void)note;
}

static struct server *begun(void)
{
    static struct settings settings;
    static struct doors doors = {.settings = &settings};
    static struct server_config config = {.settings = &settings, .entrance = &doors, .feed_pair = "inproc://feed", .cache_rows = 16};
    settings_defaults(&settings, "/nowhere");
    settings.intake.lease_ms = 0; /* asked about at every turn */
    turns = takeovers = 0;
    turns_max = TURNS_MAX;
    struct server *server = server_new(&config);
    assert_true(server_begin(server));
    return server;
}

static void ends(size_t times_away)
{
    ours = false;
    away = times_away;
    struct server *server = begun();
    assert_false(server_run(server));
    assert_true(turns < TURNS_MAX);
    assert_int_equal(takeovers, 2);
    server_destroy(&server);
}

static void test_the_lease_is_anothers(void **state)
{
    (void)state;
    ends(0);
}

static void test_the_lease_is_anothers_when_the_database_is_back(void **state)
{
    (void)state;
    ends(5);
}

/* It can be read, so all is loaded and served, and the next commit fails again. */
static void test_a_database_that_takes_nothing(void **state)
{
    (void)state;
    ours = true;
    away = 0;
    commits = STATUS_CLOSED;
    struct server *server = busy = begun();
    int64_t began_us = clock_us;
    assert_true(server_run(server));
    assert_true(takeovers > 10);
    assert_true(clock_us - began_us > (int64_t)takeovers * SECOND_US);
    assert_true(clock_us - began_us < (int64_t)takeovers * 3 * SECOND_US); /* and is not forgotten either */
    commits = STATUS_OK;
    turns_max += TURNS_MAX;
    assert_true(server_run(server));
    assert_int_equal(server->wait_us, 0); /* the next trouble is looked at at once */
    busy = NULL;
    server_destroy(&server);
}

/* What the shelf has said of many tickets: their rows are fetched together, not one by one while facts wait. */
static void test_many_files_are_whole(void **state)
{
    (void)state;
    ours = fetched = true;
    away = 0;
    struct server *server = begun();
    for (int i = 0; i < 50; i++) {
        struct item *item = memory_new(sizeof(*item));
        struct stored_file *stored = memory_new(sizeof(*stored));
        text_format(stored->ticket, sizeof(stored->ticket), "T-%d", i);
        item->kind = ITEM_FILE;
        item->map = bytes_of(stored, sizeof(*stored));
        *server->queue_end = item;
        server->queue_end = &item->next;
        server->queue_bytes += sizeof(*item) + item->map.len;
    }
    fetches = 0;
    server_build(server);
    assert_null(server->queue); /* no such ticket: nothing is said */
    assert_int_equal(fetches, 1);
    fetched = false;
    server_destroy(&server);
}

/* With the queue full and a commit under way nobody looks at the frames that wait; when there is room again, they are. */
static void test_a_full_queue_is_not_looked_at(void **state)
{
    (void)state;
    ours = true;
    away = 0;
    commits = STATUS_AGAIN;
    struct server *server = busy = begun();
    struct item *item = memory_new(sizeof(*item));
    item->kind = ITEM_HELLO; /* waits until no commit is under way; nobody understands it */
    item->map = bytes_of(memory_new(QUEUE_BYTES_MAX), QUEUE_BYTES_MAX);
    *server->queue_end = item;
    server->queue_end = &item->next;
    server->queue_bytes += sizeof(*item) + item->map.len;
    cmd_looks = 0;
    turns_max = 10;
    assert_true(server_run(server));
    assert_non_null(server->flying);
    assert_non_null(server->queue);
    assert_int_equal(cmd_looks, 1);
    commits = STATUS_OK;
    turns_max = 20;
    assert_true(server_run(server));
    assert_null(server->queue);
    assert_true(cmd_looks > 5);
    busy = NULL;
    server_destroy(&server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_the_lease_is_anothers),
                                       cmocka_unit_test(test_the_lease_is_anothers_when_the_database_is_back),
                                       cmocka_unit_test(test_a_database_that_takes_nothing),
                                       cmocka_unit_test(test_many_files_are_whole),
                                       cmocka_unit_test(test_a_full_queue_is_not_looked_at)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
