/* How much of the feed readers may have: how many there are, what those who do not read lie in its memory with, how often the database is asked
 * before anybody else is looked after. readers.c as it is; the journal is ten million rows of a kilobyte each, sockets take everything. */
#include "feed_inside.h"

#include "base/clock.h"
#include "base/text.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define HEAD 10000000
#define BODY_BYTES 1000

static char said[24], code[40]; /* what a reader was told last */
static struct principal_row principals[4];
static int64_t sent_bytes, sent_batches, queries, args[2];
static int args_n;

void feed_say(struct feed *feed, const struct bus_peer *peer, const char *verb, const struct record *record, const void *data)
{
    (void)feed;
    (void)peer;
    (void)record;
    text_copy(said, sizeof(said), verb);
    if (text_equal(verb, "DENIED"))
        text_copy(code, sizeof(code), ((const struct verb_denied *)data)->code);
}

bool feed_lets(struct feed *feed, const struct bus_peer *peer, char id[64], const char **why)
{
    (void)feed;
    (void)peer;
    *why = "";
    id[0] = '\0';
    return true;
}

void feed_deny(struct feed *feed, const struct bus_peer *peer, const char *id, const char *reason, const char *what, const char *why)
{
    struct verb_denied denied = {.code = ""};
    (void)id;
    (void)reason;
    text_copy(denied.code, sizeof(denied.code), what);
    text_copy(denied.why, sizeof(denied.why), why);
    feed_say(feed, peer, "DENIED", &verb_denied_record, &denied);
}

void feed_error(struct feed *feed, const struct bus_peer *peer, int64_t id, const char *what, const char *why)
{
    (void)feed;
    (void)peer;
    (void)id;
    (void)why;
    text_copy(said, sizeof(said), "ERROR");
    text_copy(code, sizeof(code), what);
}

bool feed_database(struct feed *feed)
{
    (void)feed;
    return true;
}

void feed_trouble(struct feed *feed, const char *doing)
{
    (void)feed;
    (void)doing;
    fail();
}

bool feed_is_sure(const struct feed *feed)
{
    (void)feed;
    return true;
}

const struct principal_row *feed_principal_named(struct feed *feed, const char *consumer)
{
    (void)feed;
    for (size_t i = 0; i < COUNT_OF(principals); i++)
        if (text_equal(principals[i].id, consumer))
            return &principals[i];
    return NULL;
}

/* --- PostgreSQL: rows args[0]+1 … args[1] ---------------------------------------------------------- */

struct pg_result {
    int64_t first;
    int rows;
};

void pg_args_reset(struct pg_args *all)
{
    (void)all;
    args_n = 0;
}
void pg_arg_int(struct pg_args *all, int64_t value)
{
    (void)all;
    args[args_n++] = value;
}
enum status pg_query(struct pg *pg, const char *sql, const struct pg_args *all, struct pg_result **result)
{
    (void)pg;
    (void)all;
    bool link = text_starts(sql, "SELECT link FROM journal");
    *result = calloc(1, sizeof(**result));
    (*result)->first = args[0] + 1;
    (*result)->rows = link ? 1 : (int)(args[1] - args[0]);
    queries += !link;
    return STATUS_OK;
}
void pg_result_destroy(struct pg_result **result)
{
    free(*result);
    *result = NULL;
}
int pg_rows(const struct pg_result *result)
{
    return result->rows;
}
struct bytes pg_bytes(const struct pg_result *result, int row, int column)
{
    static const uint8_t body[BODY_BYTES];
    (void)row;
    return bytes_of(body, column == 1 && result->rows > 0 ? BODY_BYTES : LINK_BYTES);
}
int64_t pg_int(const struct pg_result *result, int row, int column)
{
    (void)column;
    return result->first + row;
}
bool pg_is_null(const struct pg_result *result, int row, int column)
{
    (void)result;
    (void)row;
    (void)column;
    return true;
}
void pg_arg_array_begin(struct pg_args *all, enum pg_array kind)
{
    (void)all;
    (void)kind;
}
void pg_arg_array_end(struct pg_args *all)
{
    (void)all;
}
void pg_elem_text(struct pg_args *all, const char *text, size_t n)
{
    (void)all;
    (void)text;
    (void)n;
}
enum status bus_send_to(struct bus_socket *socket, const struct bus_peer *peer, const char *verb, struct bytes map)
{
    (void)socket;
    (void)peer;
    text_copy(said, sizeof(said), verb);
    sent_bytes += (int64_t)map.len;
    sent_batches++;
    return STATUS_OK;
}
const struct published *ring_find(const struct ring *ring, uint64_t pos, uint32_t *index)
{
    (void)ring;
    (void)pos;
    (void)index;
    return NULL;
}
struct bytes published_bytes(const struct published *published, struct extent extent)
{
    (void)published;
    (void)extent;
    return bytes_of(NULL, 0);
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
void metrics_health(struct metrics *metrics, const char *reason)
{
    (void)metrics;
    (void)reason;
}

/* --- */

static struct feed *feed_new(void)
{
    static const char *const names[] = {"a", "b", "c", "w"};
    struct feed *feed = calloc(1, sizeof(*feed));
    text_copy(feed->state.stream, sizeof(feed->state.stream), "test-00000000");
    feed->state.head.pos = HEAD;
    feed->slices = calloc(4096, sizeof(*feed->slices));
    for (size_t i = 0; i < COUNT_OF(principals); i++) {
        principals[i] = (struct principal_row){.open = true, .granted = {.kind = i == 3 ? PRINCIPAL_WORKER : PRINCIPAL_OPERATOR}};
        text_copy(principals[i].id, sizeof(principals[i].id), names[i]);
    }
    sent_bytes = sent_batches = queries = 0;
    return feed;
}

static void feed_end(struct feed *feed)
{
    for (size_t i = 0; i < feed->readers_n; i++)
        free(feed->readers[i]);
    buf_release(&feed->deliveries);
    buf_release(&feed->out);
    free(feed->slices);
    free(feed);
}

static struct bus_peer peer_at(uint32_t i)
{
    return (struct bus_peer){.len = 5, .id = {0, 0, (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i}};
}

static void opens(struct feed *feed, uint32_t i, const char *consumer, int64_t credit)
{
    struct verb_open open;
    struct buf map = {0};
    struct bus_peer peer = peer_at(i);
    record_clear(&verb_open_record, &open);
    text_copy(open.stream, sizeof(open.stream), "test-00000000");
    text_copy(open.consumer, sizeof(open.consumer), consumer);
    open.follow = true;
    open.credit = credit;
    record_encode(&verb_open_record, RECORD_WHOLE, &open, &map);
    const struct frame frame = {.verb = "OPEN", .map = buf_bytes(&map)};
    reader_on_open(feed, &peer, &frame);
    buf_release(&map);
}

static void gives(struct feed *feed, uint32_t i, int64_t bytes)
{
    struct buf map = {0};
    struct bus_peer peer = peer_at(i);
    const struct verb_credit credit = {.bytes = bytes};
    record_encode(&verb_credit_record, RECORD_WHOLE, &credit, &map);
    const struct frame frame = {.verb = "CREDIT", .map = buf_bytes(&map)};
    reader_on_credit(feed, &peer, &frame);
    buf_release(&map);
}

static void run_out(struct feed *feed)
{
    for (int turns = 0; readers_turn(feed); turns++)
        assert_true(turns < 100000);
}

static void test_so_many_readers_and_no_more(void **state)
{
    (void)state;
    struct feed *feed = feed_new();
    uint32_t i = 0;
    for (; i < READERS_PER_PRINCIPAL; i++)
        opens(feed, i, "a", 1);
    assert_string_equal(said, "OPENED");
    opens(feed, i, "a", 1); /* one more: others have room still */
    assert_string_equal(said, "DENIED");
    assert_string_equal(code, "full");
    opens(feed, 0, "a", 1); /* one that is there opens anew */
    assert_string_equal(said, "OPENED");
    for (; i < READERS_MAX; i++)
        opens(feed, i, "b", 1);
    assert_string_equal(said, "OPENED");
    opens(feed, i, "c", 1);
    assert_string_equal(said, "DENIED");
    feed_end(feed);
}

static void test_who_reads_alone_has_all_its_credit_and_no_more_than_the_most(void **state)
{
    (void)state;
    struct feed *feed = feed_new();
    opens(feed, 1, "a", INT64_MAX);
    run_out(feed);
    assert_in_range(sent_bytes, 8 * 1024 * 1024, 8 * 1024 * 1024 + 2 * BODY_BYTES);
    opens(feed, 1, "a", INT64_MAX); /* opening anew: what it has not read is still there; all it gets is the rest of its share */
    run_out(feed);
    assert_in_range(sent_bytes, 16 * 1024 * 1024, UNREAD_BYTES_MAX + 2 * BODY_BYTES);
    for (int again = 0; again < 20; again++) {
        opens(feed, 1, "a", INT64_MAX);
        run_out(feed);
    }
    assert_in_range(sent_bytes, UNREAD_BYTES_MAX, UNREAD_BYTES_MAX + 2 * BODY_BYTES);
    feed_end(feed);
}

static void test_a_thousand_that_do_not_read_share_the_memory(void **state)
{
    (void)state;
    struct feed *feed = feed_new();
    for (uint32_t i = 0; i < 1000; i++)
        opens(feed, i, "a", INT64_MAX);
    run_out(feed);
    assert_in_range(sent_bytes, UNREAD_BYTES_MAX / 2, UNREAD_BYTES_MAX + 1000 * 2 * BODY_BYTES);
    /* One of them reads: it goes on, the others do not. */
    int64_t before = sent_bytes;
    gives(feed, 500, 20000);
    run_out(feed);
    assert_in_range(sent_bytes - before, 20000 - 2 * BODY_BYTES, 20000 + 2 * BODY_BYTES);
    feed_end(feed);
}

static void test_who_takes_nothing_for_two_minutes_has_no_session(void **state)
{
    (void)state;
    struct feed *feed = feed_new();
    opens(feed, 1, "a", 10000);
    opens(feed, 2, "a", 10000);
    run_out(feed);
    feed->readers[0]->heard_us -= 119 * SECOND_US;
    feed->readers[1]->heard_us -= 121 * SECOND_US;
    run_out(feed);
    assert_int_equal(feed->readers_n, 1);
    assert_string_equal(said, "ERROR");
    assert_string_equal(code, "stalled");
    feed->readers[0]->heard_us -= 2 * SECOND_US;
    gives(feed, 1, 20000); /* slow, and alive */
    run_out(feed);
    assert_int_equal(feed->readers_n, 1);
    feed_end(feed);
}

static void test_the_database_is_asked_so_often_in_a_turn(void **state)
{
    (void)state;
    struct feed *feed = feed_new();
    for (uint32_t i = 0; i < 100; i++)
        opens(feed, i, "a", 1000000);
    opens(feed, 100, "w", 1000000);
    assert_true(readers_turn(feed));
    assert_in_range(queries, REPLAYS_PER_TURN, REPLAYS_PER_TURN + 1); /* a worker never waits for others */
    assert_true(feed->readers[100]->pos > 0);
    /* Each has its turn. */
    for (int turn = 0; turn < 100 / REPLAYS_PER_TURN + 1; turn++)
        assert_true(readers_turn(feed));
    for (uint32_t i = 0; i < 100; i++)
        assert_true(feed->readers[i]->pos > 0);
    feed_end(feed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_so_many_readers_and_no_more),
                                       cmocka_unit_test(test_who_reads_alone_has_all_its_credit_and_no_more_than_the_most),
                                       cmocka_unit_test(test_a_thousand_that_do_not_read_share_the_memory),
                                       cmocka_unit_test(test_who_takes_nothing_for_two_minutes_has_no_session),
                                       cmocka_unit_test(test_the_database_is_asked_so_often_in_a_turn)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
