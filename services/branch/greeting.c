/* Who is let in, and what he was told before. */
#include "base/text.h"
#include "guests_inside.h"
#include <assert.h>
#include <string.h>

/* Each command of the command line leaves a session behind: when there are too many, the one that has been silent longest goes. An
 * application that is there all the same greets again. */
#define QUIET_US SECOND_US
#define STORED_MAX 1024 /* stored answers said to one in a turn: he may ask for millions */

static bool is_name(const char *name)
{
    size_t n = strcspn(name, "/");
    return text_is_key(name, n) && (name[n] == '\0' || name[n + 1] != '\0');
}

/* False: said why. */
static bool hello_judge(struct guests *g, const struct bus_peer *peer, const struct verb_hello *hello,
                        const struct spool_origin *origin)
{
    const char *stream = spool_state(g->spool)->stream;
    char why[160] = "";
    if (hello->proto_n != 2 || hello->proto[0] > PROTO_VERSION || hello->proto[1] < PROTO_VERSION) {
        guests_denied(g, peer, "proto", "this branch speaks version 1");
    } else if (!text_equal(hello->stream, "-") && stream[0] != '\0' && !text_equal(hello->stream, stream)) {
        guests_denied(g, peer, "stream", stream);
    } else if (!is_name(hello->source)) {
        guests_denied(g, peer, "principal", "a source is named NAME or NAME/suffix");
    } else if (origin->id != 0 && memcmp(origin->incarnation, hello->incarnation, INCARNATION_BYTES) != 0) {
        guests_denied(g, peer, "incarnation", "another one uses this name: take another suffix");
    } else if (hello->last >= 0 && hello->last < origin->last) {
        text_format(why, sizeof(why), "numbers up to %lld are answered, the source gave out only %lld",
                    (long long)origin->last, (long long)hello->last);
        guests_denied(g, peer, "behind", why);
    } else if (hello->first > origin->last + 1) {
        text_format(why, sizeof(why), "numbers from %lld on are missing", (long long)origin->last + 1);
        guests_denied(g, peer, "gap", why);
    } else {
        return true;
    }
    return false;
}

/* Its own place, or the one of the session that it ends, or a free one, or one made free. */
static bool has_place(struct guests *g, const struct greeting *greeting)
{
    size_t quiet = 0;
    for (size_t i = 0; i < g->sessions_n; i++) {
        if (guests_same(&g->sessions[i]->peer, &greeting->peer) || text_equal(g->sessions[i]->origin.name, greeting->hello.source))
            return true;
        if (g->sessions[i]->heard_us < g->sessions[quiet]->heard_us)
            quiet = i;
    }
    if (g->sessions_n < SESSIONS_MAX)
        return true;
    if (greeting->boot_us - g->sessions[quiet]->heard_us < QUIET_US)
        return false;
    guests_remove(g, quiet);
    return true;
}

static struct session *session_begin(struct guests *g, const struct greeting *greeting, const struct spool_origin *origin)
{
    const struct bus_peer *peer = &greeting->peer;
    struct session *session = guests_session(g, peer);
    for (size_t i = g->sessions_n; i-- > 0;) {
        struct session *other = g->sessions[i];
        if (other == session || !text_equal(other->origin.name, origin->name))
            continue;
        guests_denied(g, &other->peer, "superseded", "a newer session of this source has begun");
        guests_remove(g, i);
    }
    if (session == NULL) {
        assert(g->sessions_n < SESSIONS_MAX);
        session = memory_new(sizeof(*session));
        g->sessions[g->sessions_n++] = session;
    }
    buf_release(&session->answers);
    *session = (struct session){.peer = *peer, .origin = *origin, .heard_us = greeting->boot_us};
    return session;
}

/* Some of them, or all. */
enum status session_say_stored(struct guests *g, struct session *session)
{
    struct buf answers = {0};
    enum status status = STATUS_OK;
    uint32_t count = 0;
    for (; session->stored_next + count <= session->stored_upto && count < STORED_MAX && status == STATUS_OK; count++) {
        uint8_t digest[DIGEST_BYTES];
        int64_t n = session->stored_next + count;
        status = spool_answer(g->spool, session->origin.id, n, digest, &answers);
        if (status == STATUS_ABSENT) { /* answered so long ago that only the answering is remembered */
            const struct answer forgotten = {.n = n, .taken = true};
            answer_encode(&forgotten, &answers);
            status = STATUS_OK;
        }
    }
    if (status == STATUS_OK) {
        guests_answers(g, &session->peer, buf_bytes(&answers), count);
        session->stored_next += count;
    }
    buf_release(&answers);
    return status;
}

bool session_has_stored(const struct session *session)
{
    return session->stored_next <= session->stored_upto;
}

bool guests_are_owed(const struct guests *g)
{
    for (size_t i = 0; i < g->sessions_n; i++)
        if (session_has_stored(g->sessions[i]))
            return true;
    return false;
}

enum status guests_greet(struct guests *g, const struct greeting *greeting, int64_t wall_us)
{
    const struct verb_hello *hello = &greeting->hello;
    struct spool_origin origin;
    enum status status = spool_origin(g->spool, hello->source, &origin);
    if (status != STATUS_OK && status != STATUS_ABSENT)
        return status;
    if (!hello_judge(g, &greeting->peer, hello, &origin))
        return STATUS_OK;
    if (!has_place(g, greeting)) {
        guests_busy(g, &greeting->peer, "too many sessions");
        return STATUS_OK;
    }
    memcpy(origin.incarnation, hello->incarnation, INCARNATION_BYTES);
    status = origin.id == 0 ? spool_origin_keep(g->spool, &origin, wall_us) : STATUS_OK;
    if (status == STATUS_OK && hello->first > 1)
        status = spool_answers_forget(g->spool, origin.id, hello->first);
    if (status != STATUS_OK)
        return status;
    status = spool_commit(g->spool);
    if (status != STATUS_OK)
        return status;
    struct session *session = session_begin(g, greeting, &origin);
    const struct verb_welcome welcome = {.epoch = 1,
                                         .durable = origin.last,
                                         .upto = 0,
                                         .window_events = APPEND_EVENTS_MAX,
                                         .window_bytes = APPEND_BYTES_MAX,
                                         .hb_ms = HEARTBEAT_MS};
    guests_say(g, &greeting->peer, "WELCOME", &verb_welcome_record, &welcome);
    session->stored_next = hello->first > 0 ? hello->first : 1;
    session->stored_upto = hello->first > 0 ? origin.last : 0;
    return session_say_stored(g, session);
}
