/* A session: PostgreSQL connected and loaded, intake greeted, what is in flight known, the stream being read. Start, crash
 * and reconnection are this one path. */
#include "worker/shell.h"

#include "base/clock.h"
#include "base/digest.h"
#include "base/log.h"
#include "base/mutation.h"
#include "base/text.h"
#include "bus/find.h"
#include "table/mirror.h"
#include "worker/scan.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define GREETING_MAX_US (3 * SECOND_US)
#define FINDING_MAX_US (3 * SECOND_US)
#define STARTS_SUSPICIOUS 1 /* without a commit between */
#define ATTEMPTS_MAX 3

void session_break(struct shell *shell, const char *format, ...)
{
    va_list args;
    if (shell->broken)
        return;
    shell->broken = true;
    va_start(args, format);
    vsnprintf(shell->why, sizeof shell->why, format, args);
    va_end(args);
}

/* --- what the source and the reader tell ------------------------------------------------------- */

static void on_welcome(void *owner, const struct verb_welcome *welcome)
{
    struct shell *shell = owner;
    if (shell->welcomed) /* intake is a new one: start over behind its barrier */
        session_break(shell, "intake has been restarted");
    shell->welcome = *welcome;
    shell->welcomed = true;
}

static void on_answer(void *owner, const struct answer *answer)
{
    struct shell *shell = owner;
    if (answer->taken)
        return;
    shell->fatal = shell->refused = true;
    session_break(shell, "a conclusion was refused, which is a defect of this program: %s %s %s", answer->problem.code,
                  answer->problem.field, answer->problem.args);
}

static void on_head(void *owner, uint64_t head, int64_t now_us)
{
    struct shell *shell = owner;
    shell->head_pos = head;
    if (now_us > shell->head_now_us) {
        shell->head_now_us = now_us;
        shell->head_heard_us = clock_boot_us();
    }
}

static void on_pong(void *owner, const struct verb_pong *pong)
{
    struct shell *shell = owner;
    if (shell->reader != NULL && reader_position(shell->reader) >= (uint64_t)pong->head)
        on_head(shell, (uint64_t)pong->head, pong->now_us);
}

/* Another process of this worker has begun. The newest counts: greeting again would end its session, and so on for ever. */
static void superseded(struct shell *shell)
{
    shell->broken = false; /* says more than what broke it first */
    session_break(shell, "another process of this worker has begun a session: this one ends");
    shell->fatal = shell->superseded = true;
}

static void on_denied(void *owner, const char *code, const char *why)
{
    if (text_equal(code, "superseded")) {
        superseded(owner);
        return;
    }
    session_break(owner, "intake denies the session: %s %s", code, why);
}

static void on_conflict(void *owner, int64_t n)
{
    session_break(owner, "intake has another event under the number %lld", (long long)n);
}

static const struct source_listener source_listener = {
    .welcome = on_welcome, .answer = on_answer, .pong = on_pong, .denied = on_denied, .conflict = on_conflict};

static void on_event(void *owner, uint64_t pos, struct bytes body, struct bytes priv, const uint8_t link[LINK_BYTES])
{
    struct shell *shell = owner;
    (void)pos;
    if (run_batched(shell->run) == 0)
        shell->batch_since_us = shell->kept_since_us != 0 ? shell->kept_since_us : clock_boot_us();
    run_add(shell->run, body, priv, link);
    size_t most = shell->alone > 0 ? 1 : (size_t)shell->own->batch_events;
    if (run_batched(shell->run) >= most)
        reader_pause(shell->reader, true);
}

static void on_failed(void *owner, const char *code, const char *why)
{
    struct shell *shell = owner;
    bool anothers = text_equal(code, "fork") || text_equal(code, "ahead");
    const char *help = anothers ? "; the tables belong to another history: run `aftercare rebuild`"
                                : "; what is wrong with the journal `aftercare verify` says";
    shell->fatal = shell->fatal || !text_starts(code, "denied.");
    session_break(shell, "the feed cannot be followed (%s): %s%s", code, why, shell->fatal ? help : "");
}

static const struct reader_listener reader_listener = {.event = on_event, .head = on_head, .failed = on_failed};

/* --- sockets ----------------------------------------------------------------------------------- */

void session_flush(struct shell *shell)
{
    struct frame frame;
    int64_t now_us = clock_boot_us();
    while (shell->source != NULL && source_out(shell->source, now_us, &frame))
        if (bus_send(shell->cmd, frame.verb, frame.map) != STATUS_OK) {
            session_break(shell, "intake does not take what is sent");
            return;
        }
    while (shell->reader != NULL && reader_out(shell->reader, now_us, &frame))
        if (bus_send(shell->feed, frame.verb, frame.map) != STATUS_OK) {
            session_break(shell, "the feed does not take what is sent");
            return;
        }
}

static void cmd_ready(void *arg)
{
    struct shell *shell = arg;
    struct frame frame;
    enum status status;
    while (!shell->broken && (status = bus_receive(shell->cmd, &frame)) != STATUS_AGAIN)
        if (status == STATUS_OK && !source_in(shell->source, &frame, clock_boot_us()))
            session_break(shell, text_equal(frame.verb, "ERROR") ? "intake knows nothing of this session"
                                                                 : "intake sent a malformed frame");
}

static void feed_ready(void *arg)
{
    struct shell *shell = arg;
    struct frame frame;
    enum status status;
    while (!shell->broken && shell->reader != NULL && (status = bus_receive(shell->feed, &frame)) != STATUS_AGAIN)
        if (status == STATUS_OK && !reader_in(shell->reader, &frame, clock_boot_us()))
            session_break(shell, "the feed ended the session (%s)", frame.verb);
}

static void live_ready(void *arg)
{
    struct shell *shell = arg;
    struct bytes topic, body, priv;
    enum status status;
    while (!shell->broken && shell->reader != NULL &&
           (status = bus_receive_live(shell->live, &topic, &body, &priv)) != STATUS_AGAIN)
        if (status == STATUS_OK)
            reader_live(shell->reader, topic, body, priv, clock_boot_us());
}

static struct bus_socket *connect_to(struct shell *shell, enum bus_kind kind, const char *endpoint, loop_ready *ready)
{
    char error[160] = "";
    struct bus_socket *socket = bus_connect(kind, endpoint, error, sizeof error);
    if (socket == NULL)
        session_break(shell, "%s cannot be reached: %s", endpoint, error);
    else
        loop_socket(shell->loop, socket, ready, shell);
    return socket;
}

static void disconnect_from(struct shell *shell, struct bus_socket **socket)
{
    if (*socket == NULL)
        return;
    loop_forget(shell->loop, *socket, -1);
    bus_close(socket);
}

/* --- the steps of a start ------------------------------------------------------------------------ */

static bool load(struct shell *shell)
{
    const char *why = "";
    enum status status = cursor_connect(shell->pg);
    if (status == STATUS_OK)
        status = cursor_open(shell->pg, shell->worker->name, shell->run, shell->loaded, &shell->cursor, &why);
    if (status == STATUS_OK) {
        tables_clear(run_tables(shell->run));
        status = mirror_load(shell->pg, run_tables(shell->run));
    }
    if (status == STATUS_OK)
        status = ahead_open(shell);
    if (status != STATUS_OK) {
        shell->fatal = why[0] != '\0';
        session_break(shell, "PostgreSQL: %s", why[0] != '\0' ? why : pg_error(shell->pg));
        return false;
    }
    shell->loaded = true;
    shell->committed = shell->cursor.state.pos;
    shell->concluded = shell->sent.under_way = false;
    /* An attempt on record was not taken off it: the process died in it. Whatever it was lies in the stretch that was one batch. */
    bool suspicious = shell->cursor.starts > STARTS_SUSPICIOUS || shell->cursor.attempts > 0;
    shell->alone = suspicious ? (size_t)shell->own->batch_events : 0;
    return true;
}

/* Live and feed of the same intake stand at the same place in their lists; who named one only has a door in front. */
static void take_place(const char *list, size_t at, char out[ENDPOINT_CAP])
{
    endpoints_at(list, at < endpoints_count(list) ? at : 0, out);
}

bool session_find_intake(struct shell *shell)
{
    size_t at;
    switch (endpoints_find(shell->loop, shell->settings->cmd, clock_boot_us() + FINDING_MAX_US, &at)) {
    case STATUS_OK:
        break;
    case STATUS_CLOSED:
        shell->stop = true;
        return false;
    case STATUS_AGAIN:
    case STATUS_DOUBT:
    case STATUS_FULL:
    case STATUS_ABSENT:
    case STATUS_REFUSED:
        session_break(shell, "no intake serves at %s", shell->settings->cmd);
        return false;
    }
    take_place(shell->settings->cmd, at, shell->intake.cmd);
    take_place(shell->settings->live, at, shell->intake.live);
    take_place(shell->settings->feed, at, shell->intake.feed);
    ask_follow(shell->ask, shell->intake.feed);
    return true;
}

static bool greet(struct shell *shell)
{
    struct source_config config = {.first = -1, .last = -1};
    if (endpoints_count(shell->settings->cmd) > 1)
        config.silence_us = FIND_SILENCE_US;
    text_copy(config.stream, sizeof config.stream, shell->cursor.state.stream);
    text_copy(config.name, sizeof config.name, shell->worker->name);
    memcpy(config.incarnation, shell->incarnation, sizeof config.incarnation);
    shell->welcomed = false;
    shell->cmd = connect_to(shell, BUS_DEALER, shell->intake.cmd, cmd_ready);
    if (shell->cmd == NULL)
        return false;
    shell->source = source_new(&config, &source_listener, shell);
    source_connected(shell->source, clock_boot_us());
    int64_t until_us = clock_boot_us() + GREETING_MAX_US;
    while (!shell->welcomed && !shell->broken) {
        session_flush(shell);
        if (clock_boot_us() >= until_us)
            session_break(shell, "intake does not answer at %s", shell->intake.cmd);
        else if (!loop_once(shell->loop, until_us)) {
            shell->stop = true;
            return false;
        }
    }
    return !shell->broken;
}

static bool on_first_event(void *owner, uint64_t pos, struct bytes body, struct bytes priv,
                           const uint8_t link[LINK_BYTES])
{
    struct shell *shell = owner;
    struct event event;
    struct stream_created created;
    struct problem problem;
    (void)pos;
    (void)link;
    if (event_decode(body, priv, &event, &problem) &&
        record_decode(&stream_created_record, RECORD_PLAIN, DECODE_LENIENT, event.data, NULL, &created, &problem))
        text_copy(shell->cursor.state.stream, sizeof shell->cursor.state.stream, created.stream);
    return true;
}

/* A worker that has read nothing yet asks for the stream's name: links begin with it. */
bool session_learn_stream(struct shell *shell)
{
    char why[200];
    struct scan scan = {.endpoint = shell->intake.feed, .event = on_first_event, .owner = shell, .stop_at = 1};
    if (shell->cursor.state.stream[0] != '\0')
        return true;
    record_clear(&verb_open_record, &scan.open);
    text_format(scan.open.consumer, sizeof scan.open.consumer, "%s/stream", shell->worker->name);
    text_copy(scan.open.types[scan.open.types_n++], EVENT_TYPE_CAP, "stream.created");
    if (scan_run(&scan, why) != STATUS_OK)
        session_break(shell, "the stream's name cannot be read from %s: %s", shell->intake.feed, why);
    else if (shell->cursor.state.stream[0] == '\0')
        session_break(shell, "there is no stream yet");
    return !shell->broken;
}

static bool expect_event(void *owner, uint64_t pos, struct bytes body, struct bytes priv, const uint8_t link[LINK_BYTES])
{
    struct shell *shell = owner;
    (void)pos;
    (void)link;
    return run_expect(shell->run, body, priv) == RUN_DONE;
}

static bool expect(struct shell *shell, uint64_t after, const char *const *types)
{
    char why[200];
    /* What we said last may stand between the feed's head and the one we were welcomed with: not known, it would be said again. */
    struct scan scan = {.endpoint = shell->intake.feed, .event = expect_event, .owner = shell, .reach = (uint64_t)shell->welcome.head};
    record_clear(&verb_open_record, &scan.open);
    text_copy(scan.open.stream, sizeof scan.open.stream, shell->cursor.state.stream);
    text_format(scan.open.consumer, sizeof scan.open.consumer, "%s/start", shell->worker->name);
    scan.open.after = (int64_t)after;
    for (; *types != NULL; types++)
        text_copy(scan.open.types[scan.open.types_n++], EVENT_TYPE_CAP, *types);
    if (scan_run(&scan, why) == STATUS_OK)
        return true;
    session_break(shell, "the start of the stream's end cannot be read: %s", why[0] ? why : run_error(shell->run));
    return false;
}

/* Own events behind what is decided are in flight; events parked later are parked when they come. */
static bool read_ahead(struct shell *shell)
{
    static const char *const parked[] = {"event.parked", NULL};
    uint64_t pos = shell->cursor.state.pos;
    uint64_t upto = shell->welcome.upto > 0 ? (uint64_t)shell->welcome.upto : 0;
    run_start(shell->run, &shell->cursor.state, upto);
    if (shell->cursor.attempts >= ATTEMPTS_MAX && shell->cursor.attempt == pos + 1)
        run_park_at(shell->run, pos + 1, (unsigned)(shell->cursor.attempts - ATTEMPTS_MAX));
    run_park_timer(shell->run, shell->cursor.suspect_times >= ATTEMPTS_MAX ? shell->cursor.suspect : "");
    return expect(shell, pos, parked) && (MUTATION(MUTATION_FLIGHT_FORGOTTEN) || expect(shell, pos > upto ? pos : upto, shell->worker->concludes));
}

static bool follow(struct shell *shell)
{
    struct reader_config config = {.live = true, .verify = true, .tries = 1};
    record_clear(&verb_open_record, &config.open);
    text_copy(config.open.stream, sizeof config.open.stream, shell->cursor.state.stream);
    text_copy(config.open.consumer, sizeof config.open.consumer, shell->worker->name);
    config.open.after = (int64_t)shell->cursor.state.pos;
    memcpy(config.open.link, shell->cursor.state.link, LINK_BYTES);
    config.open.follow = true;
    shell->live = connect_to(shell, BUS_SUB, shell->intake.live, live_ready);
    shell->feed = connect_to(shell, BUS_DEALER, shell->intake.feed, feed_ready);
    if (shell->live == NULL || shell->feed == NULL)
        return false;
    shell->head_pos = 0;
    shell->head_now_us = shell->head_used_us = 0;
    shell->shipped_upto = shell->welcome.upto;
    shell->told_upto = -1;
    shell->reader = reader_new(&config, &reader_listener, shell);
    reader_connected(shell->reader, clock_boot_us());
    return true;
}

size_t session_open_rows(const struct shell *shell)
{
    size_t n = 0;
    for (unsigned table = 0; table < tables_count(run_tables(shell->run)); table++)
        n += tables_rows(run_tables(shell->run), table);
    return n;
}

/* Behind intake's barrier: who begins a session from now on is greeted after us, and what we have read is ours. */
static bool hold(struct shell *shell)
{
    if (cursor_hold(shell->pg, shell->worker->name, shell->cursor.session) == STATUS_OK)
        return true;
    session_break(shell, "PostgreSQL: %s", pg_error(shell->pg));
    return false;
}

bool session_open(struct shell *shell)
{
    shell->broken = false;
    shell->why[0] = '\0';
    if (!session_find_intake(shell) || !load(shell) || !session_learn_stream(shell) || !greet(shell) || !hold(shell) || !read_ahead(shell) || !follow(shell))
        return false;
    log_info("at position %llu of %lld, %zu rows in memory, %zu conclusions in flight",
             (unsigned long long)shell->committed, (long long)shell->welcome.head,
             session_open_rows(shell), run_flying(shell->run));
    return true;
}

/* Whatever broke the session: what intake said last decides whether another one may follow. A second process that has our
 * tables is often noticed by PostgreSQL first. */
static void hear_the_rest(struct shell *shell)
{
    struct frame frame;
    struct verb_denied denied;
    struct problem problem;
    while (shell->cmd != NULL && bus_receive(shell->cmd, &frame) == STATUS_OK)
        if (text_equal(frame.verb, "DENIED") &&
            record_decode(&verb_denied_record, RECORD_WHOLE, DECODE_LENIENT, frame.map, NULL, &denied, &problem) &&
            text_equal(denied.code, "superseded"))
            superseded(shell);
}

/* A timer that draws what intake refuses would draw it again for ever, and so would a row of a sweep (an event is not decided twice).
 * It has come back, and is off the record: here it is put on it for good. */
static void condemn(struct shell *shell)
{
    if (!shell->refused || shell->drew[0] == '\0')
        return;
    pg_disconnect(shell->pg);
    if (cursor_connect(shell->pg) != STATUS_OK ||
        cursor_condemn(shell->pg, shell->worker->name, shell->cursor.session, shell->drew, ATTEMPTS_MAX) != STATUS_OK)
        log_error("%s", pg_error(shell->pg)); /* the next process finds it again */
}

void session_close(struct shell *shell)
{
    condemn(shell);
    hear_the_rest(shell);
    source_destroy(&shell->source);
    reader_destroy(&shell->reader);
    disconnect_from(shell, &shell->cmd);
    disconnect_from(shell, &shell->live);
    disconnect_from(shell, &shell->feed);
    pg_disconnect(shell->pg);
    ahead_close(shell);
    tables_clear(run_tables(shell->run));
}
