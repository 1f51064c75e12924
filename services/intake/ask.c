/* Questions: checked, passed on to the worker that serves them, and its answer passed back. */
#include "base/clock.h"
#include "base/text.h"
#include "feed_inside.h"
#include "proto/questions.h"
#include "record/pack.h"
#include "rights.h"
#include <stdlib.h>
#include <string.h>

#define ANSWER_WITHIN_US (15 * SECOND_US)
#define AT_LEAST_WITHIN_US (5 * SECOND_US)

static void asked_remove(struct feed *feed, size_t i)
{
    buf_release(&feed->asked[i]->args);
    free(feed->asked[i]);
    feed->asked[i] = feed->asked[--feed->asked_n];
}

void ask_release(struct feed *feed)
{
    while (feed->asked_n > 0)
        asked_remove(feed, 0);
}

static const struct served *served_find(const struct feed *feed, const char *worker)
{
    for (size_t i = 0; i < feed->served_n; i++)
        if (text_equal(feed->served[i].worker, worker))
            return &feed->served[i];
    return NULL;
}

static size_t asked_by(const struct feed *feed, const struct bus_peer *peer)
{
    size_t n = 0;
    for (size_t i = 0; i < feed->asked_n; i++)
        n += feed->asked[i]->asker.len == peer->len && memcmp(feed->asked[i]->asker.id, peer->id, peer->len) == 0;
    return n;
}

static struct asked *asked_new(struct feed *feed, const struct bus_peer *peer, const struct verb_ask *ask)
{
    struct asked *asked = feed->asked[feed->asked_n++] = memory_new(sizeof(*asked));
    asked->id = ++feed->asked_last;
    asked->asker = *peer;
    asked->ask = *ask;
    buf_append(&asked->args, ask->args.data, ask->args.len);
    asked->ask.args = buf_bytes(&asked->args);
    return asked;
}

/* Answers are not cut down to a region yet: who may see only some places may not ask. */
static bool may_ask(struct feed *feed, const struct bus_peer *peer)
{
    const struct principal_row *principal = feed_principal(feed, peer);
    return principal != NULL && principal->open && !rights_is_narrowed(&principal->granted) && principal->granted.personal;
}

static void ask_denied(struct feed *feed, const struct bus_peer *peer)
{
    const struct principal_row *principal = feed_principal(feed, peer);
    struct access_denied denied = {.code = "question", .count = 1};
    if (principal != NULL)
        text_copy(denied.principal, sizeof(denied.principal), principal->id);
    doors_tell_denied(feed->doors, &denied);
}

static void pass_on(struct feed *feed, const struct bus_peer *peer, const struct verb_ask *ask)
{
    const struct served *served = served_find(feed, ask->to);
    if (served == NULL) {
        feed_error(feed, peer, ask->id, "nobody", ask->to);
        return;
    }
    struct asked *asked = asked_new(feed, peer, ask);
    struct verb_ask out = asked->ask;
    out.id = asked->id;
    asked->until_us = clock_boot_us() + ANSWER_WITHIN_US;
    feed_say(feed, &served->peer, "ASK", &verb_ask_record, &out);
}

void ask_on_ask(struct feed *feed, const struct bus_peer *peer, const struct frame *frame)
{
    struct verb_ask ask;
    struct problem problem;
    if (!record_decode(&verb_ask_record, RECORD_WHOLE, DECODE_LENIENT, frame->map, NULL, &ask, &problem)) {
        feed_error(feed, peer, 0, "malformed", problem.field);
        return;
    }
    if (question_find(ask.to, ask.question) == NULL) {
        feed_error(feed, peer, ask.id, "unknown-question", ask.question);
        return;
    }
    if (!may_ask(feed, peer)) {
        if (feed->principals_stale) /* who may is not known now */
            feed_error(feed, peer, ask.id, "database", "the principals cannot be read now");
        else
            feed_error(feed, peer, ask.id, "denied", "who sees all places, and personal data, may ask");
        ask_denied(feed, peer);
        return;
    }
    if (feed->asked_n == QUESTIONS_MAX || asked_by(feed, peer) >= QUESTIONS_PER_PEER) {
        feed_error(feed, peer, ask.id, "busy", "too many questions under way");
        return;
    }
    if (!text_equal(ask.to, "intake")) {
        pass_on(feed, peer, &ask);
        return;
    }
    struct asked *asked = asked_new(feed, peer, &ask);
    asked->own = true;
    asked->until_us = clock_boot_us() + AT_LEAST_WITHIN_US;
    ask_tick(feed, clock_boot_us());
}

/* Another's place taken. */
static void serve_denied(const struct feed *feed, const char *id)
{
    struct access_denied denied = {.code = "name", .count = 1};
    text_copy(denied.principal, sizeof(denied.principal), id);
    doors_tell_denied(feed->doors, &denied);
}

void ask_on_serve(struct feed *feed, const struct bus_peer *peer, const struct frame *frame)
{
    struct verb_serve serve;
    struct problem problem;
    if (!record_decode(&verb_serve_record, RECORD_WHOLE, DECODE_LENIENT, frame->map, NULL, &serve, &problem)) {
        feed_error(feed, peer, 0, "malformed", problem.field);
        return;
    }
    const struct principal_row *principal = feed_principal_named(feed, serve.worker);
    char id[64];
    const char *why;
    bool own = feed_lets(feed, peer, id, &why) && rights_name(id, serve.worker);
    if (principal == NULL || !principal->open || principal->granted.kind != PRINCIPAL_WORKER || !own) {
        feed_error(feed, peer, 0, "denied", serve.worker);
        if (!own)
            serve_denied(feed, id);
        return;
    }
    for (size_t i = 0; i < feed->served_n; i++)
        if (text_equal(feed->served[i].worker, serve.worker)) {
            feed->served[i].peer = *peer;
            return;
        }
    if (feed->served_n == COUNT_OF(feed->served)) {
        feed_error(feed, peer, 0, "full", serve.worker);
        return;
    }
    feed->served[feed->served_n].peer = *peer;
    text_copy(feed->served[feed->served_n++].worker, sizeof(serve.worker), serve.worker);
}

/* Only the worker that was asked may answer. */
static bool is_served_by(const struct feed *feed, const struct bus_peer *peer, const char *worker)
{
    const struct served *served = served_find(feed, worker);
    return served != NULL && served->peer.len == peer->len && memcmp(served->peer.id, peer->id, peer->len) == 0;
}

static void answer_back(struct feed *feed, const struct asked *asked, const struct frame *frame)
{
    struct verb_answer answer;
    struct problem problem;
    arena_reset(feed->arena);
    if (!record_decode(&verb_answer_record, RECORD_WHOLE, DECODE_LENIENT, frame->map, feed->arena, &answer, &problem)) {
        feed_error(feed, &asked->asker, asked->ask.id, "malformed", problem.field);
        return;
    }
    answer.id = asked->ask.id;
    feed_say(feed, &asked->asker, "ANSWER", &verb_answer_record, &answer);
}

void ask_on_answer(struct feed *feed, const struct bus_peer *peer, const struct frame *frame, bool error)
{
    struct verb_error said;
    struct problem problem;
    int64_t id = 0;
    struct unpack in = unpack_of(frame->map);
    for (uint32_t pairs = unpack_next(&in).n; pairs > 0; pairs--) {
        bool is_id = bytes_equal(unpack_next(&in).bytes, bytes_of_text("id"));
        struct bytes raw = unpack_raw(&in);
        struct unpack value = unpack_of(raw);
        if (is_id)
            id = unpack_next(&value).integer;
    }
    for (size_t i = 0; i < feed->asked_n; i++) {
        const struct asked *asked = feed->asked[i];
        if (asked->id != id || asked->own || !is_served_by(feed, peer, asked->ask.to))
            continue;
        if (!error)
            answer_back(feed, asked, frame);
        else if (record_decode(&verb_error_record, RECORD_WHOLE, DECODE_LENIENT, frame->map, NULL, &said, &problem))
            feed_error(feed, &asked->asker, asked->ask.id, said.code, said.why);
        asked_remove(feed, i);
        return;
    }
}

void ask_tick(struct feed *feed, int64_t now_us)
{
    for (size_t i = feed->asked_n; i-- > 0;) {
        struct asked *asked = feed->asked[i];
        if (asked->own && !feed_is_sure(feed)) {
            feed_error(feed, &asked->asker, asked->ask.id, "database", "the journal's head is not confirmed now");
            asked_remove(feed, i);
        } else if (asked->own && asked->ask.at_least <= (int64_t)feed->state.head.pos) {
            own_answer(feed, asked);
            asked_remove(feed, i);
        } else if (now_us >= asked->until_us) {
            feed_error(feed, &asked->asker, asked->ask.id, asked->own ? "behind" : "timeout", asked->ask.to);
            asked_remove(feed, i);
        }
    }
}

int64_t ask_deadline_us(const struct feed *feed)
{
    int64_t due_us = INT64_MAX;
    for (size_t i = 0; i < feed->asked_n; i++)
        if (feed->asked[i]->until_us < due_us)
            due_us = feed->asked[i]->until_us;
    return due_us;
}
