/* Whom the feed lets in while its own knowledge has gaps: trouble with its database, or a head that another intake has moved, sends a
 * reader away for a while and never for good. readers.c as it is; the rest of the feed, sockets and PostgreSQL are stubs. */
#include "feed_inside.h"

#include "base/clock.h"
#include "base/text.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static char said[24], code[40]; /* what the reader was told last */
static bool principals_known, link_there;
static struct principal_row principal = {.open = true};

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
}

bool feed_is_sure(const struct feed *feed)
{
    (void)feed;
    return true;
}

const struct principal_row *feed_principal_named(struct feed *feed, const char *consumer)
{
    feed->principals_stale = !principals_known;
    return principals_known && text_equal(consumer, principal.id) ? &principal : NULL;
}

struct pg_result {
    uint8_t link[LINK_BYTES];
};

enum status pg_query(struct pg *pg, const char *sql, const struct pg_args *args, struct pg_result **result)
{
    (void)pg;
    (void)args;
    assert_true(text_starts(sql, "SELECT link FROM journal"));
    *result = calloc(1, sizeof(**result));
    return STATUS_OK;
}

void pg_result_destroy(struct pg_result **result)
{
    free(*result);
    *result = NULL;
}

int pg_rows(const struct pg_result *result)
{
    (void)result;
    return link_there;
}

struct bytes pg_bytes(const struct pg_result *result, int row, int column)
{
    (void)row;
    (void)column;
    return bytes_of(result->link, LINK_BYTES);
}

/* Of batches, which nobody is sent here. */
int64_t pg_int(const struct pg_result *result, int row, int column)
{
    (void)result;
    (void)row;
    (void)column;
    return 0;
}
bool pg_is_null(const struct pg_result *result, int row, int column)
{
    (void)result;
    (void)row;
    (void)column;
    return true;
}
void pg_args_reset(struct pg_args *args)
{
    (void)args;
}
void pg_arg_int(struct pg_args *args, int64_t value)
{
    (void)args;
    (void)value;
}
void pg_arg_array_begin(struct pg_args *args, enum pg_array kind)
{
    (void)args;
    (void)kind;
}
void pg_arg_array_end(struct pg_args *args)
{
    (void)args;
}
void pg_elem_text(struct pg_args *args, const char *text, size_t n)
{
    (void)args;
    (void)text;
    (void)n;
}
enum status bus_send_to(struct bus_socket *socket, const struct bus_peer *peer, const char *verb, struct bytes map)
{
    (void)socket;
    (void)peer;
    (void)map;
    text_copy(said, sizeof(said), verb);
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

static struct feed *feed_at(uint64_t head)
{
    struct feed *feed = calloc(1, sizeof(*feed));
    text_copy(feed->state.stream, sizeof(feed->state.stream), "test-00000000");
    feed->state.head.pos = head;
    text_copy(principal.id, sizeof(principal.id), "operator");
    said[0] = code[0] = '\0';
    return feed;
}

static void open_at(struct feed *feed, int64_t after)
{
    struct verb_open open;
    struct buf map = {0};
    const struct bus_peer peer = {.len = 1};
    record_clear(&verb_open_record, &open);
    text_copy(open.stream, sizeof(open.stream), "test-00000000");
    text_copy(open.consumer, sizeof(open.consumer), "operator");
    open.after = after;
    open.credit = 1000;
    record_encode(&verb_open_record, RECORD_WHOLE, &open, &map);
    const struct frame frame = {.verb = "OPEN", .map = buf_bytes(&map)};
    reader_on_open(feed, &peer, &frame);
    buf_release(&map);
}

static void feed_end(struct feed *feed)
{
    for (size_t i = 0; i < feed->readers_n; i++)
        free(feed->readers[i]);
    free(feed);
}

static void test_who_is_not_known_for_its_own_trouble_is_not_denied(void **state)
{
    (void)state;
    struct feed *feed = feed_at(10);
    principals_known = false;
    link_there = true;
    open_at(feed, 5);
    assert_string_equal(said, "ERROR");
    assert_string_equal(code, "database");
    /* Known again, it is let in; and one that nobody knows is denied. */
    principals_known = true;
    open_at(feed, 5);
    assert_string_equal(said, "OPENED");
    text_copy(principal.id, sizeof(principal.id), "somebody");
    open_at(feed, 5);
    assert_string_equal(said, "DENIED");
    assert_string_equal(code, "principal");
    feed_end(feed);
}

static void test_one_that_was_overtaken_does_not_say_ahead(void **state)
{
    (void)state;
    struct feed *feed = feed_at(10);
    principals_known = true;
    link_there = true; /* the journal has come to 12 in another's hands */
    open_at(feed, 12);
    assert_string_equal(said, "ERROR");
    assert_string_equal(code, "behind");
    /* A reader of another history is told so. */
    link_there = false;
    open_at(feed, 12);
    assert_string_equal(said, "AHEAD");
    feed_end(feed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_who_is_not_known_for_its_own_trouble_is_not_denied),
                                       cmocka_unit_test(test_one_that_was_overtaken_does_not_say_ahead)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
