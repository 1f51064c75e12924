/* The daemon against a real cluster, over its sockets: what was acknowledged outlives a kill -9, is answered again and stands in
 * the journal once, each position linked to the one before. */
#include "base/clock.h"
#include "event/stream.h"
#include "bus/socket.h"
#include "journal.h"
#include "record/pack.h"
#include "unit/common/pg/cluster.h"
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <zmq.h>

#include <cmocka.h>

#define PATIENCE_US (120 * SECOND_US)
#define EVENTS 40000 /* numbers that a test may give out */
#define LAST 400     /* given out by the one that is killed */

struct place {
    struct cluster cluster;
    char config[128], stream[64];
    pid_t daemon;
    int incarnation; /* what the sources of this test fill theirs with */
    struct arena *arena;
};
static struct place place = {.incarnation = 5};

static void endpoint(const char *name, char out[160])
{
    text_format(out, 160, "ipc://%s/%s", place.cluster.dir, name);
}

static void config_write(void)
{
    text_format(place.config, sizeof(place.config), "%s/aftercare.yaml", place.cluster.dir);
    FILE *file = fopen(place.config, "w");
    assert_non_null(file);
    fprintf(file,
            "data: %s\nsockets: %s\nintake:\n  cmd: ipc://%s/cmd\n  live: ipc://%s/live\n  feed: ipc://%s/feed\n"
            "  metrics: 127.0.0.1:%d\n  dsn: \"%s\"\n",
            place.cluster.dir, place.cluster.dir, place.cluster.dir, place.cluster.dir, place.cluster.dir,
            20000 + (int)getpid() % 20000, place.cluster.dsn);
    assert_int_equal(fclose(file), 0);
}

static pid_t start(const char *option, const char *value)
{
    const char *program = BUILD_DIR "/bin/aftercare-intake";
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        execl(program, program, "--config", place.config, option, value, (char *)NULL); /* option NULL ends the list */
        _exit(127);
    }
    return pid;
}

static void stop(int signal_number)
{
    int status;
    assert_int_equal(kill(place.daemon, signal_number), 0);
    assert_int_equal(waitpid(place.daemon, &status, 0), place.daemon);
    if (signal_number == SIGTERM)
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static int group_setup(void **state)
{
    int status;
    (void)state;
    if (cluster_start(&place.cluster) != 0)
        return -1;
    (void)chmod(place.cluster.dir, 0777);
    config_write();
    pid_t pid = start("--init", "test");
    if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status) || WEXITSTATUS(status) != 0)
        return -1;
    place.arena = arena_new(1 << 16);
    place.daemon = start(NULL, NULL);
    struct pg *pg = cluster_connect(&place.cluster, "intake");
    struct pg_args *args = pg_args_new();
    struct pg_result *result = NULL;
    if (pg_query(pg, "SELECT key FROM journal WHERE pos = 1", args, &result) != STATUS_OK || pg_rows(result) != 1)
        return -1;
    struct bytes key = pg_bytes(result, 0, 0);
    text_copy_n(place.stream, sizeof(place.stream), (const char *)key.data, key.len);
    pg_result_destroy(&result);
    pg_args_destroy(&args);
    pg_destroy(&pg);
    bus_start();
    return 0;
}

static int group_teardown(void **state)
{
    (void)state;
    stop(SIGTERM);
    arena_destroy(&place.arena);
    bus_stop();
    return cluster_stop(&place.cluster);
}

/* --- talking ------------------------------------------------------------------------------------- */

static struct bus_socket *dial(const char *name)
{
    char to[160], error[100];
    endpoint(name, to);
    struct bus_socket *socket = bus_connect(text_equal(name, "live") ? BUS_SUB : BUS_DEALER, to, error, sizeof(error));
    assert_non_null(socket);
    return socket;
}

static void say(struct bus_socket *socket, const char *verb, const struct record *record, const void *data)
{
    struct buf out = {0};
    record_encode(record, RECORD_WHOLE, data, &out);
    assert_int_equal(bus_send(socket, verb, buf_bytes(&out)), STATUS_OK);
    buf_release(&out);
}

static void hear(struct bus_socket *socket, struct frame *frame)
{
    int64_t until_us = clock_boot_us() + PATIENCE_US;
    enum status status;
    while ((status = bus_receive(socket, frame)) == STATUS_AGAIN) {
        zmq_pollitem_t item = {.socket = bus_raw(socket), .events = ZMQ_POLLIN};
        assert_true(clock_boot_us() < until_us);
        zmq_poll(&item, 1, 100);
    }
    assert_int_equal(status, STATUS_OK);
}

static void hear_as(struct bus_socket *socket, const char *verb, const struct record *record, void *data)
{
    struct frame frame;
    struct problem problem;
    hear(socket, &frame);
    if (!text_equal(frame.verb, verb))
        fail_msg("%s instead of %s", frame.verb, verb);
    assert_true(record_decode(record, RECORD_WHOLE, DECODE_LENIENT, frame.map, place.arena, data, &problem));
}

static struct bus_socket *greet(const char *source, int64_t first, int64_t last, struct verb_welcome *welcome)
{
    struct bus_socket *socket = dial("cmd");
    struct verb_hello hello = {.proto = {1, 1}, .proto_n = 2, .first = first, .last = last};
    text_copy(hello.stream, sizeof(hello.stream), place.stream);
    text_copy(hello.source, sizeof(hello.source), source);
    memset(hello.incarnation, place.incarnation, sizeof(hello.incarnation));
    say(socket, "HELLO", &verb_hello_record, &hello);
    hear_as(socket, "WELCOME", &verb_welcome_record, welcome);
    return socket;
}

/* Event n of the test's source: every tenth is refused. */
static struct bytes draft_of(int64_t n, struct buf *out)
{
    char key[32];
    struct buf data = {0};
    text_format(key, sizeof(key), "C%lld", (long long)n);
    struct draft draft = {.type = n % 10 == 0 ? "no.such" : "customer.updated", .key = key, .by = "t"};
    pack_map(&data, 1);
    pack_text(&data, "grade");
    pack_text(&data, key);
    draft.data = buf_bytes(&data);
    buf_reset(out);
    draft_encode(&draft, out);
    buf_release(&data);
    return buf_bytes(out);
}

static void append(struct bus_socket *socket, int64_t from, int64_t to)
{
    struct buf out[100] = {{0}};
    struct bytes events[100];
    struct verb_append append = {.n = from, .upto = -1, .events = {.items = events}};
    for (int64_t n = from; n <= to; n++, append.events.n++)
        events[append.events.n] = draft_of(n, &out[append.events.n]);
    say(socket, "APPEND", &verb_append_record, &append);
    for (size_t i = 0; i < COUNT_OF(out); i++)
        buf_release(&out[i]);
}

/* Answers from … to, in order, into pos (0: refused). */
static void answers(struct bus_socket *socket, int64_t from, int64_t to, int64_t pos[EVENTS + 1])
{
    while (from <= to) {
        struct verb_ack ack;
        hear_as(socket, "ACK", &verb_ack_record, &ack);
        const struct bytes *raw = ack.answers.items;
        for (uint32_t i = 0; i < ack.answers.n; i++, from++) {
            struct answer answer;
            assert_true(answer_decode(raw[i], &answer));
            assert_int_equal(answer.n, from);
            assert_int_equal(answer.taken, from % 10 != 0);
            if (pos[from] != 0)
                assert_int_equal(pos[from], answer.pos);
            pos[from] = answer.pos;
        }
        arena_reset(place.arena);
    }
}

/* The whole journal by feed; links recomputed. */
static uint64_t read_all(int64_t pos[EVENTS + 1])
{
    struct bus_socket *socket = dial("feed");
    struct verb_open open = {.credit = 64 << 20};
    uint8_t link[LINK_BYTES];
    uint64_t at = 0;
    int64_t seen = 0;
    text_copy(open.stream, sizeof(open.stream), place.stream);
    text_copy(open.consumer, sizeof(open.consumer), "operator/test");
    say(socket, "OPEN", &verb_open_record, &open);
    struct verb_opened opened;
    hear_as(socket, "OPENED", &verb_opened_record, &opened);
    link_first(place.stream, link);
    while (at < (uint64_t)opened.head) {
        struct verb_batch batch;
        hear_as(socket, "BATCH", &verb_batch_record, &batch);
        assert_int_equal(batch.after, at);
        const struct bytes *raw = batch.events.items;
        for (uint32_t i = 0; i < batch.events.n; i++) {
            struct event event;
            struct problem problem;
            struct bytes body, priv;
            assert_true(delivery_decode(raw[i], &body, &priv) && event_decode(body, priv, &event, &problem));
            assert_int_equal(event.pos, ++at);
            link_next(link, body, link);
            if (text_equal(event.from, "operator/t")) {
                assert_true((int64_t)event.n > seen); /* once each, in order */
                seen = (int64_t)event.n;
                assert_int_equal(pos[seen], event.pos);
            }
        }
        assert_int_equal(batch.upto, at);
        assert_memory_equal(batch.link, link, LINK_BYTES);
        arena_reset(place.arena);
    }
    bus_close(&socket);
    return at;
}

/* --- the tests ----------------------------------------------------------------------------------- */

static void test_killed_in_the_middle(void **state)
{
    static int64_t pos[EVENTS + 1];
    struct verb_welcome welcome;
    (void)state;
    struct bus_socket *socket = greet("operator/t", 1, 0, &welcome);
    assert_int_equal(welcome.durable, 0);
    append(socket, 1, 50);
    answers(socket, 1, 50, pos);
    append(socket, 51, 150);
    append(socket, 151, 250);
    /* Killed while these are under way; the peer never hears of them. */
    answers(socket, 51, 51, pos);
    stop(SIGKILL);
    bus_close(&socket);
    place.daemon = start(NULL, NULL);
    socket = greet("operator/t", 1, 250, &welcome);
    assert_true(welcome.durable >= 51 && welcome.durable <= 250);
    answers(socket, 1, welcome.durable, pos); /* the same ones again */
    for (int64_t n = welcome.durable + 1; n <= LAST; n += 100)
        append(socket, n, n + 99 < LAST ? n + 99 : LAST);
    answers(socket, welcome.durable + 1, LAST, pos);
    assert_true(read_all(pos) >= LAST * 9 / 10);
    bus_close(&socket);
}

/* Every connection of the database is cut: what is known comes from there again, under a higher epoch. */
static void test_connections_cut(void **state)
{
    static int64_t pos[EVENTS + 1];
    struct verb_welcome before, welcome;
    struct frame frame;
    (void)state;
    struct bus_socket *socket = greet("operator/cut", 1, 0, &before);
    append(socket, 1, 50);
    answers(socket, 1, 50, pos);
    append(socket, 51, 150);
    struct pg *pg = cluster_connect(&place.cluster, "intake");
    assert_int_equal(pg_run(pg, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
                                " AND backend_type = 'client backend'"),
                     STATUS_OK);
    pg_destroy(&pg);
    append(socket, 151, 160);
    /* Either it was answered just before, or it is told to greet again; never both. */
    int64_t until_us = clock_boot_us() + PATIENCE_US;
    do {
        assert_true(clock_boot_us() < until_us);
        hear(socket, &frame);
        if (text_equal(frame.verb, "ACK")) {
            struct verb_ping ping = {.upto = -1};
            say(socket, "PING", &verb_ping_record, &ping);
        }
    } while (!text_equal(frame.verb, "ERROR"));
    bus_close(&socket);
    socket = greet("operator/cut", 1, 160, &welcome);
    assert_true(welcome.epoch > before.epoch);
    answers(socket, 1, welcome.durable, pos);
    append(socket, welcome.durable + 1, welcome.durable + 60);
    answers(socket, welcome.durable + 1, welcome.durable + 60, pos);
    bus_close(&socket);
}

static void server_do(const char *what)
{
    char command[300];
    text_format(command, sizeof(command), "cd / && %s $(ls -d /usr/lib/postgresql/*/bin | sort -V | tail -n 1)/pg_ctl -D %s/data %s >/dev/null 2>&1",
                geteuid() == 0 ? "runuser -u postgres --" : "", place.cluster.dir, what);
    assert_int_equal(system(command), 0);
}

/* The database is away for a while: the daemon waits for it as long as it takes. */
static void test_database_away(void **state)
{
    static int64_t pos[EVENTS + 1];
    struct verb_welcome welcome;
    struct frame frame;
    (void)state;
    struct bus_socket *socket = greet("operator/away", 1, 0, &welcome);
    append(socket, 1, 50);
    answers(socket, 1, 50, pos);
    server_do("-m immediate -w stop");
    append(socket, 51, 60);
    struct bus_socket *other = dial("cmd"); /* nobody answers it meanwhile */
    struct verb_ping ping = {.upto = -1};
    say(other, "PING", &verb_ping_record, &ping);
    zmq_pollitem_t item = {.socket = bus_raw(other), .events = ZMQ_POLLIN};
    (void)zmq_poll(&item, 1, 1500); /* as long as the first few attempts take */
    server_do("-l /dev/null -w -t 60 start");
    hear(other, &frame);
    assert_string_equal(frame.verb, "ERROR");
    bus_close(&other);
    bus_close(&socket);
    socket = greet("operator/away", 51, 60, &welcome);
    assert_true(welcome.durable == 50 || welcome.durable == 60);
    append(socket, 51, 60);
    answers(socket, 51, 60, pos);
    bus_close(&socket);
}

static void test_the_same_number_again(void **state)
{
    static int64_t pos[EVENTS + 1];
    struct verb_welcome welcome;
    (void)state;
    struct bus_socket *socket = greet("operator/again", 1, 0, &welcome);
    append(socket, 1, 20);
    answers(socket, 1, 20, pos);
    append(socket, 11, 30); /* half of it a second time */
    answers(socket, 11, 30, pos);
    append(socket, 40, 41);
    struct verb_nak nak;
    hear_as(socket, "NAK", &verb_nak_record, &nak);
    assert_string_equal(nak.code, "gap");
    assert_int_equal(nak.expected, 31);
    append(socket, 31, 31);
    answers(socket, 31, 31, pos);
    /* Other bytes under a number that was answered. */
    struct buf out = {0};
    struct bytes other = draft_of(3, &out);
    struct verb_append conflict = {.n = 2, .upto = -1, .events = {.items = &other, .n = 1}};
    say(socket, "APPEND", &verb_append_record, &conflict);
    hear_as(socket, "NAK", &verb_nak_record, &nak);
    assert_string_equal(nak.code, "conflict");
    bus_close(&socket);
    buf_release(&out);
    socket = dial("cmd");
    struct verb_hello hello = {.proto = {1, 1}, .proto_n = 2, .first = 32, .last = 31};
    text_copy(hello.stream, sizeof(hello.stream), place.stream);
    text_copy(hello.source, sizeof(hello.source), "operator/again");
    memset(hello.incarnation, 5, sizeof(hello.incarnation));
    say(socket, "HELLO", &verb_hello_record, &hello);
    struct verb_denied denied;
    hear_as(socket, "DENIED", &verb_denied_record, &denied);
    assert_string_equal(denied.code, "frozen");
    /* An operator lets it in again, with the spool it has now. */
    static int64_t enrolled_pos[EVENTS + 1];
    struct bus_socket *desk = greet("operator/enrols", 1, 0, &welcome);
    struct source_enrolled enrolled = {.source = "operator/again"};
    memset(enrolled.incarnation, 6, sizeof(enrolled.incarnation));
    struct buf data = {0}, draft = {0};
    record_encode(&source_enrolled_record, RECORD_PLAIN, &enrolled, &data);
    draft_encode(&(struct draft){.type = "source.enrolled", .by = "t", .data = buf_bytes(&data)}, &draft);
    struct bytes event = buf_bytes(&draft);
    struct verb_append enrol = {.n = 1, .upto = -1, .events = {.items = &event, .n = 1}};
    say(desk, "APPEND", &verb_append_record, &enrol);
    answers(desk, 1, 1, enrolled_pos);
    memset(hello.incarnation, 6, sizeof(hello.incarnation));
    say(socket, "HELLO", &verb_hello_record, &hello);
    hear_as(socket, "WELCOME", &verb_welcome_record, &welcome);
    assert_int_equal(welcome.durable, 31);
    buf_release(&data);
    buf_release(&draft);
    bus_close(&desk);
    bus_close(&socket);
}

static void clock_set(const char *offsets)
{
    char path[128];
    text_format(path, sizeof(path), "%s/clock", place.cluster.dir);
    FILE *file = fopen(path, access(path, F_OK) == 0 ? "r+" : "w"); /* in place: the daemon maps it */
    assert_non_null(file);
    fprintf(file, "%-40s", offsets);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(setenv("AFTERCARE_CLOCK_FILE", path, 1), 0);
}

/* Somebody sets the clock two hours on: nothing is recorded by it until a restart accepts it. */
static void test_a_moved_clock_is_not_believed(void **state)
{
    static int64_t pos[EVENTS + 1];
    struct verb_welcome welcome;
    struct frame frame;
    int64_t n = 1;
    (void)state;
    stop(SIGTERM);
    clock_set("0 0");
    place.daemon = start(NULL, NULL);
    unsetenv("AFTERCARE_CLOCK_FILE");
    struct bus_socket *socket = greet("operator/clock", 1, 0, &welcome);
    append(socket, n, n);
    answers(socket, n, n, pos);
    clock_set("7200000000 0");
    unsetenv("AFTERCARE_CLOCK_FILE");
    int64_t until_us = clock_boot_us() + PATIENCE_US;
    do { /* it looks at its clock once a second */
        assert_true(clock_boot_us() < until_us && n < EVENTS);
        n++;
        append(socket, n, n);
        hear(socket, &frame);
    } while (text_equal(frame.verb, "ACK"));
    assert_string_equal(frame.verb, "BUSY");
    bus_close(&socket);
    stop(SIGTERM);
    clock_set("7200000000 0");
    place.daemon = start(NULL, NULL);
    unsetenv("AFTERCARE_CLOCK_FILE");
    socket = greet("operator/clock", n, n, &welcome);
    assert_int_equal(welcome.durable, n - 1);
    append(socket, n, n);
    answers(socket, n, n, pos);
    bus_close(&socket);
}

static void test_live_says_what_is_durable(void **state)
{
    static int64_t pos[EVENTS + 1];
    struct verb_welcome welcome;
    struct bytes topic, body, priv;
    (void)state;
    struct bus_socket *live = dial("live");
    struct bus_socket *socket = greet("operator/live", 1, 0, &welcome);
    int64_t until_us = clock_boot_us() + PATIENCE_US;
    bool joined = false, seen = false;
    while (!seen) {
        zmq_pollitem_t item = {.socket = bus_raw(live), .events = ZMQ_POLLIN};
        assert_true(clock_boot_us() < until_us);
        zmq_poll(&item, 1, 100);
        if (bus_receive_live(live, &topic, &body, &priv) != STATUS_OK)
            continue;
        if (!joined && bytes_equal(topic, bytes_of_text("~head"))) { /* the subscription stands */
            joined = true;
            append(socket, 1, 1);
            answers(socket, 1, 1, pos);
        } else if (bytes_equal(topic, bytes_of_text("customer.updated"))) {
            struct event event;
            struct problem problem;
            assert_true(event_decode(body, priv, &event, &problem));
            assert_string_equal(event.from, "operator/live");
            assert_int_equal(event.pos, pos[1]);
            seen = true;
        }
    }
    bus_close(&socket);
    bus_close(&live);
}

/* Asks until the database says so. */
static int64_t stored_at_least(const char *sql, int64_t value)
{
    int64_t until_us = clock_boot_us() + PATIENCE_US, found = -1;
    struct pg *pg = cluster_connect(&place.cluster, "intake");
    struct pg_args *args = pg_args_new();
    while (found < value) {
        struct pg_result *result = NULL;
        assert_true(clock_boot_us() < until_us);
        assert_int_equal(pg_query(pg, sql, args, &result), STATUS_OK);
        found = pg_rows(result) == 1 ? pg_int(result, 0, 0) : -1;
        pg_result_destroy(&result);
    }
    pg_args_destroy(&args);
    pg_destroy(&pg);
    return found;
}

static int64_t now_told(struct bus_socket *socket)
{
    struct verb_ping ping = {.upto = -1};
    struct verb_pong pong;
    say(socket, "PING", &verb_ping_record, &ping);
    hear_as(socket, "PONG", &verb_pong_record, &pong);
    return pong.now_us;
}

/* How far a worker said that it is outlives a kill, also when nothing is appended behind it. */
static void test_a_workers_upto_is_kept(void **state)
{
    struct verb_welcome welcome;
    struct verb_pong pong;
    (void)state;
    struct bus_socket *socket = greet("follow-up", -1, -1, &welcome);
    int64_t head = welcome.head;
    assert_true(head > 0);
    struct verb_ping ping = {.upto = head};
    say(socket, "PING", &verb_ping_record, &ping);
    hear_as(socket, "PONG", &verb_pong_record, &pong);
    stored_at_least("SELECT upto FROM source WHERE name = 'follow-up'", head);
    stop(SIGKILL);
    bus_close(&socket);
    place.daemon = start(NULL, NULL);
    socket = greet("follow-up", -1, -1, &welcome);
    assert_int_equal(welcome.upto, head);
    bus_close(&socket);
}

/* What time it is was told to everybody; a restart under a clock that is behind does not take it back. */
static void test_time_told_is_kept(void **state)
{
    struct verb_welcome welcome;
    (void)state;
    struct bus_socket *socket = greet("operator/time", 1, 0, &welcome);
    int64_t told_us = now_told(socket);
    stored_at_least("SELECT (extract(epoch FROM rec) * 1000000)::int8 FROM head", told_us);
    stop(SIGKILL);
    bus_close(&socket);
    clock_set("-3600000000 0");
    place.daemon = start(NULL, NULL);
    unsetenv("AFTERCARE_CLOCK_FILE");
    socket = greet("operator/time", 1, 0, &welcome);
    assert_true(now_told(socket) >= told_us);
    bus_close(&socket);
    stop(SIGTERM);
    place.daemon = start(NULL, NULL);
}

static void turned_away(const char *source, const char *stream, const char *code)
{
    struct bus_socket *socket = dial("cmd");
    struct verb_hello hello = {.proto = {1, 1}, .proto_n = 2, .first = 1};
    struct verb_denied denied;
    text_copy(hello.stream, sizeof(hello.stream), stream);
    text_copy(hello.source, sizeof(hello.source), source);
    say(socket, "HELLO", &verb_hello_record, &hello);
    hear_as(socket, "DENIED", &verb_denied_record, &denied);
    assert_string_equal(denied.code, code);
    bus_close(&socket);
}

/* Who is turned away stands in the journal once an hour, and names that nobody has are one. */
static void test_denials_are_journaled(void **state)
{
    struct verb_welcome welcome;
    char name[32];
    (void)state;
    for (int i = 0; i < 5; i++) {
        turned_away("operator/wrong", "other-00000000", "stream");
        text_format(name, sizeof(name), "nobody%d", i);
        turned_away(name, place.stream, "principal");
    }
    struct bus_socket *socket = greet("operator/after", 1, 0, &welcome); /* behind all of them */
    /* The hour may turn while this runs. */
    int64_t n = stored_at_least("SELECT count(*) FROM journal WHERE type = 'access.denied'", 2);
    assert_in_range(n, 2, 4);
    bus_close(&socket);
}

/* Sessions that have ended, or whose peers went away, keep nobody out. */
static void test_ended_sessions_make_room(void **state)
{
    struct verb_welcome welcome;
    (void)state;
    for (int i = 0; i < 1030; i++) {
        struct bus_socket *socket = greet("operator/room", 1, 0, &welcome);
        bus_close(&socket);
    }
}

/* Of two sessions of one source the newest counts, and the other one is told. */
static void test_the_older_session_is_told(void **state)
{
    struct verb_welcome welcome;
    struct verb_denied denied;
    (void)state;
    struct bus_socket *oldest = greet("reporting", -1, -1, &welcome), *older = greet("reporting", -1, -1, &welcome);
    struct verb_error error;
    hear_as(oldest, "ERROR", &verb_error_record, &error); /* the same process: it may have lost a socket */
    assert_string_equal(error.code, "hello");
    bus_close(&oldest);
    place.incarnation = 6;
    struct bus_socket *newer = greet("reporting", -1, -1, &welcome);
    place.incarnation = 5;
    hear_as(older, "DENIED", &verb_denied_record, &denied);
    assert_string_equal(denied.code, "superseded");
    (void)now_told(newer);
    bus_close(&older);
    bus_close(&newer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_killed_in_the_middle),
        cmocka_unit_test(test_connections_cut),
        cmocka_unit_test(test_database_away),
        cmocka_unit_test(test_the_same_number_again),
        cmocka_unit_test(test_live_says_what_is_durable),
        cmocka_unit_test(test_a_moved_clock_is_not_believed),
        cmocka_unit_test(test_a_workers_upto_is_kept),
        cmocka_unit_test(test_time_told_is_kept),
        cmocka_unit_test(test_the_older_session_is_told),
        cmocka_unit_test(test_ended_sessions_make_room),
        cmocka_unit_test(test_denials_are_journaled),
    };
    return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
