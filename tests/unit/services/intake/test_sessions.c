/* How many may append: sessions, of one principal and together; sources in memory; kinds of denial on record. sessions.c and denials.c as they are;
 * the store knows every name, sockets take everything. */
#include "office.h"
#include "server_inside.h"

#include "base/clock.h"
#include "base/text.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static char said[24], code[40]; /* what somebody was told last */
static uint32_t gone_from, gone_to; /* peers whose connection is dead: gone_from … gone_to − 1 */
static size_t told;             /* how often anybody was told anything */
static int64_t stored;          /* sources that the store was asked for */
static bool no_more_sources;

/* --- the rest of the thread ------------------------------------------------------------------------ */

void server_say(struct server *server, const struct bus_peer *peer, const char *verb, const struct record *record, const void *data)
{
    uint32_t i = (uint32_t)peer->id[1] << 24 | (uint32_t)peer->id[2] << 16 | (uint32_t)peer->id[3] << 8 | peer->id[4];
    struct session *session = session_find(server, peer);
    (void)record;
    if (i >= gone_from && i < gone_to) { /* as server.c does */
        if (session != NULL)
            session_end(server, session);
        return;
    }
    told++;
    text_copy(said, sizeof(said), verb);
    text_copy(code, sizeof(code), text_equal(verb, "DENIED") ? ((const struct verb_denied *)data)->code : "");
}
void server_say_error(struct server *server, const struct bus_peer *peer, const char *what, const char *why)
{
    (void)server;
    (void)peer;
    (void)why;
    text_copy(said, sizeof(said), "ERROR");
    text_copy(code, sizeof(code), what);
}
void server_lost(struct server *server, const char *doing, enum status status)
{
    (void)server;
    (void)doing;
    (void)status;
    fail();
}
int64_t server_wall_us(const struct server *server)
{
    return server->announced_us;
}
int64_t server_now_us(struct server *server)
{
    return server->announced_us;
}
bool server_is_idle(const struct server *server)
{
    (void)server;
    return true;
}
static int pongs;
void flight_reply(struct flight *flight, uint64_t session, bool pong, uint32_t first, uint32_t n)
{
    (void)flight;
    (void)session;
    (void)first;
    (void)n;
    pongs += pong;
}
enum status store_source(struct store *store, const char *name, struct source_row *source)
{
    (void)store;
    if (no_more_sources)
        return STATUS_ABSENT;
    *source = (struct source_row){.id = ++stored};
    text_copy(source->name, sizeof(source->name), name);
    return STATUS_OK;
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
bool doors_keyed(const struct doors *doors)
{
    (void)doors;
    return false;
}
enum status bus_send_to(struct bus_socket *socket, const struct bus_peer *peer, const char *verb, struct bytes map)
{
    (void)socket;
    (void)peer;
    (void)map;
    text_copy(said, sizeof(said), verb);
    code[0] = '\0';
    return STATUS_OK;
}
void metric_set(struct metric *metric, int64_t n)
{
    (void)metric;
    (void)n;
}

/* --- a server with the office's principals ---------------------------------------------------------- */

struct stand {
    struct office office;
    struct server_config config;
    struct server server;
};

static struct stand *stand_open(void)
{
    struct stand *stand = memory_new(sizeof(*stand));
    struct server *server = &stand->server;
    office_open(&stand->office, CLOCK_WALL);
    office_furnish(&stand->office);
    server->config = &stand->config;
    server->taker = stand->office.taker;
    server->building = &server->flights[0];
    server->building->batch = stand->office.batch;
    server->announced_us = stand->office.now_us;
    stored = 0;
    gone_from = gone_to = 0;
    no_more_sources = false;
    return stand;
}

static void stand_close(struct stand **stand_p)
{
    struct stand *stand = *stand_p;
    sessions_clear(&stand->server);
    free(stand->server.sessions);
    free(stand->server.sources);
    buf_release(&stand->server.out);
    stand->office.taker = stand->server.taker;
    stand->office.batch = stand->server.building->batch;
    office_close(&stand->office);
    free(stand);
    *stand_p = NULL;
}

static void hello(struct stand *stand, uint32_t peer, const char *source)
{
    struct verb_hello verb = {.proto = {1, 1}, .proto_n = 2, .first = 1};
    struct buf map = {0};
    struct item item = {.kind = ITEM_HELLO,
                        .peer = {.len = 5, .id = {0, (uint8_t)(peer >> 24), (uint8_t)(peer >> 16), (uint8_t)(peer >> 8), (uint8_t)peer}}};
    text_copy(verb.stream, sizeof(verb.stream), stand->server.taker.journal.stream.stream);
    text_copy(verb.source, sizeof(verb.source), source);
    memset(verb.incarnation, 1, sizeof(verb.incarnation));
    record_encode(&verb_hello_record, RECORD_WHOLE, &verb, &map);
    item.map = buf_bytes(&map);
    session_on_hello(&stand->server, &item);
    buf_release(&map);
}

/* Peer i as a source of its own. */
static void hello_of(struct stand *stand, uint32_t i, const char *principal)
{
    char source[EVENT_SOURCE_CAP];
    text_format(source, sizeof(source), "%s/%u", principal, i);
    hello(stand, i, source);
}

static void test_so_many_sessions_and_no_more(void **state)
{
    struct stand *stand = stand_open();
    uint32_t i = 0;
    (void)state;
    for (; i < SESSIONS_PER_PRINCIPAL; i++) {
        hello_of(stand, i, "operator");
        assert_string_equal(said, "WELCOME");
    }
    hello_of(stand, 90000, "operator"); /* one more of this principal: the others have room still */
    assert_string_equal(said, "BUSY");
    hello_of(stand, 7, "operator"); /* one that is there greets anew */
    assert_string_equal(said, "WELCOME");
    for (; i < SESSIONS_MAX; i++)
        hello_of(stand, i, "gd01");
    assert_string_equal(said, "WELCOME");
    assert_int_equal(stand->server.sessions_n, SESSIONS_MAX);
    hello_of(stand, 90001, "import");
    assert_string_equal(said, "BUSY");
    assert_int_equal(stand->server.sessions_n, SESSIONS_MAX);
    /* One that has been silent for longer than a living one gives its place. */
    uint64_t silent = stand->server.sessions[600]->id;
    stand->server.sessions[600]->heard_us -= 3 * HEARTBEAT_MS * INT64_C(1000) + 1;
    hello_of(stand, 90001, "import");
    assert_string_equal(said, "WELCOME");
    assert_null(session_of(&stand->server, silent));
    hello_of(stand, 90002, "import");
    assert_string_equal(said, "BUSY");
    /* And one that has ended. */
    session_end(&stand->server, stand->server.sessions[10]);
    hello_of(stand, 90002, "import");
    assert_string_equal(said, "WELCOME");
    assert_int_equal(stand->server.sessions_n, SESSIONS_MAX);
    stand_close(&stand);
}

/* All of a principal's were cut off and come back by new connections, before anybody has noticed that the old ones are dead. */
static void test_the_dead_give_their_places(void **state)
{
    struct stand *stand = stand_open();
    char source[EVENT_SOURCE_CAP];
    (void)state;
    for (uint32_t i = 0; i < SESSIONS_PER_PRINCIPAL; i++)
        hello_of(stand, i, "operator");
    gone_from = 10;
    gone_to = SESSIONS_PER_PRINCIPAL;
    for (uint32_t i = 10; i < SESSIONS_PER_PRINCIPAL; i++) { /* under other names: a source's own next session ends the one before */
        text_format(source, sizeof(source), "operator/again-%u", i);
        hello(stand, 5000 + i, source);
        assert_string_equal(said, "WELCOME");
    }
    /* The others are there. They are not asked for each that is turned away. */
    hello(stand, 9000, "operator/one-more");
    assert_string_equal(said, "BUSY");
    size_t before = told;
    hello(stand, 9000, "operator/one-more");
    assert_string_equal(said, "BUSY");
    assert_int_equal(told, before + 1);
    stand_close(&stand);
}

/* One peer that greets as one source after the other: each is a row in memory until it is stored and nobody uses it. */
static void test_so_many_sources_in_memory(void **state)
{
    struct stand *stand = stand_open();
    struct server *server = &stand->server;
    char source[EVENT_SOURCE_CAP];
    (void)state;
    for (uint32_t i = 0; i < SOURCES_MAX; i++) {
        text_format(source, sizeof(source), "operator/%u", i);
        hello(stand, 1, source);
        assert_string_equal(said, "WELCOME");
    }
    assert_int_equal(server->sources_n, SOURCES_MAX);
    hello(stand, 1, "operator/one-more"); /* nothing is stored yet: no room */
    assert_string_equal(said, "BUSY");
    assert_int_equal(server->sources_n, SOURCES_MAX);
    for (size_t i = 0; i < server->sources_n; i++)
        server->sources[i]->dirty = false; /* a commit */
    hello(stand, 1, "operator/one-more");
    assert_string_equal(said, "WELCOME");
    assert_int_equal(server->sources_n, 2); /* the one that the session had, and this */
    stand_close(&stand);
}

static void test_a_principal_that_has_begun_too_many(void **state)
{
    struct stand *stand = stand_open();
    (void)state;
    hello(stand, 1, "gd01/a");
    assert_string_equal(said, "WELCOME");
    no_more_sources = true; /* the store counts: integration_doors */
    uint32_t before = stand->server.building->batch.entries_n;
    hello(stand, 2, "gd01/b");
    assert_string_equal(said, "DENIED");
    assert_string_equal(code, "sources");
    assert_int_equal(stand->server.building->batch.entries_n, before + 1); /* on record */
    hello(stand, 1, "gd01/a"); /* it goes on with those it has */
    assert_string_equal(said, "WELCOME");
    stand_close(&stand);
}

/* --- denials --------------------------------------------------------------------------------------- */

static uint32_t journaled(const struct stand *stand)
{
    return stand->server.building->batch.entries_n;
}

/* A refusal of i's: whether it stands in the journal. */
static bool on_record(struct stand *stand, const char *principal, const char *address)
{
    uint32_t before = journaled(stand);
    denial_journal(&stand->server, principal, address, "name", 1);
    return journaled(stand) == before + 1;
}

static void principals_add(struct stand *stand, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        struct principal row;
        record_clear(&principal_record, &row);
        text_format(row.id, sizeof(row.id), "p%u", i);
        row.kind = PRINCIPAL_BRANCH;
        taker_say(&stand->server.taker, &stand->server.building->batch, "principal.added", row.id, &row, stand->server.announced_us);
    }
}

static void test_so_many_kinds_of_denial_in_an_hour(void **state)
{
    struct stand *stand = stand_open();
    char name[64];
    (void)state;
    principals_add(stand, DENIALS_MAX);
    /* Addresses have half the places. */
    for (uint32_t i = 0; i < DENIALS_MAX / 2; i++) {
        text_format(name, sizeof(name), "10.0.0.%u", i);
        assert_true(on_record(stand, "", name));
        assert_false(on_record(stand, "", name)); /* counted */
    }
    assert_false(on_record(stand, "", "10.0.1.1"));
    for (uint32_t i = 0; i < DENIALS_MAX / 2; i++) {
        text_format(name, sizeof(name), "p%u", i);
        assert_true(on_record(stand, name, ""));
    }
    text_format(name, sizeof(name), "p%u", DENIALS_MAX / 2);
    assert_false(on_record(stand, name, ""));
    assert_int_equal(stand->server.denials_n, DENIALS_MAX);
    /* The next hour's have them again; what was counted is told with the first of it. */
    stand->server.announced_us += HOUR_US;
    assert_true(on_record(stand, name, ""));
    assert_true(on_record(stand, "", "10.0.0.5"));
    struct access_denied denied;
    stand->office.batch = stand->server.building->batch;
    office_last(&stand->office, &access_denied_record, &denied);
    assert_string_equal(denied.address, "10.0.0.5");
    assert_int_equal(denied.count, 2);
    stand_close(&stand);
}

/* While a commit is under way who asks and asks is owed one answer; when it has gone the next. */
static void test_many_pings_are_owed_one_pong(void **state)
{
    struct stand *stand = stand_open();
    struct buf map = {0};
    const struct verb_ping ping = {.upto = -1};
    (void)state;
    record_encode(&verb_ping_record, RECORD_WHOLE, &ping, &map);
    const struct item item = {.kind = ITEM_PING, .map = buf_bytes(&map)};
    hello(stand, 1, "gd01/a");
    pongs = 0;
    for (int i = 0; i < 1000; i++)
        session_on_ping(&stand->server, stand->server.sessions[0], &item);
    assert_int_equal(pongs, 1);
    stand->server.sessions[0]->pong_owed = false; /* sent, or an ACK is behind it */
    session_on_ping(&stand->server, stand->server.sessions[0], &item);
    assert_int_equal(pongs, 2);
    buf_release(&map);
    stand_close(&stand);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_so_many_sessions_and_no_more),
                                       cmocka_unit_test(test_the_dead_give_their_places),
                                       cmocka_unit_test(test_so_many_sources_in_memory),
                                       cmocka_unit_test(test_a_principal_that_has_begun_too_many),
                                       cmocka_unit_test(test_so_many_kinds_of_denial_in_an_hour),
                                       cmocka_unit_test(test_many_pings_are_owed_one_pong)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
