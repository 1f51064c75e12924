#include "answers.h"
#include "base/clock.h"
#include "base/text.h"
#include "bus/socket.h"
#include "bus/verbs.h"
#include "check.h"
#include "company.h"
#include "net.h"
#include "proto/questions.h"
#include "record/pack.h"
#include <assert.h>
#include <string.h>

#define ASKERS 2
#define ANSWER_WITHIN_US (25 * SECOND_US) /* the feed gives up before */

static const char *const names[WORKERS] = {"jobs", "limits", "callbacks", "tickets"};

/* --- the worker's side ------------------------------------------------------------------------------- */

static enum status answer_digest(struct pg *pg, const struct record *record, const void *args, int64_t limit, const char *after,
                                 struct buf *rows, size_t *rows_n, bool *more, struct problem *problem)
{
    (void)record;
    (void)args;
    (void)limit;
    (void)after;
    (void)problem;
    if (world_chance(300)) /* a long one */
        world_sleep(world_between(0, SECOND_US / 20));
    enum status status = db_call(pg, false);
    if (status != STATUS_OK)
        return status;
    /* Without a snapshot it sees what is there now. */
    const struct snapshot *snapshot = db_snapshot(pg);
    if (snapshot == NULL)
        snapshot = snapshot_take(db_at(pg));
    uint64_t digest = 0;
    for (size_t i = 0; i < snapshot->n; i++)
        digest ^= row_digest(snapshot->rows[i].def, snapshot->rows[i].key, snapshot->rows[i].packed);
    pack_map(rows, 1);
    pack_text(rows, "digest");
    pack_int(rows, (int64_t)(digest >> 1));
    *rows_n = 1;
    *more = false;
    return STATUS_OK;
}

void answers_give(struct worker *worker)
{
    for (size_t i = 0; i < WORKERS; i++)
        if (question_find(worker->name, names[i]) != NULL) {
            struct question *question = memory_new(sizeof(*question));
            *question = (struct question){.name = names[i], .answer = answer_digest};
            worker->questions = question;
            worker->questions_n = 1;
        }
    worker->question_args = question_args;
}

/* --- who asks ---------------------------------------------------------------------------------------- */

struct asker {
    char name[24];
    size_t number;
    struct process *process;
    struct bus_socket *socket;
    struct loop *loop;
    int64_t id;
    /* the question under way */
    size_t to; /* WORKERS: intake */
    bool status, unknown, heard;
    int64_t at_least;
};

static struct asker askers[ASKERS];
static uint64_t known[WORKERS + 1]; /* answered as of */

static const char *service(size_t i)
{
    return i < WORKERS ? workers[i]->name : "intake";
}

static void digest_check(const struct asker *asker, const struct verb_answer *answer)
{
    struct unpack at = unpack_of(((const struct bytes *)answer->rows.items)[0]);
    uint64_t there;
    (void)unpack_next(&at);
    (void)unpack_next(&at);
    uint64_t said = (uint64_t)unpack_next(&at).integer;
    if (!db_digest_at(db_of(service(asker->to)), (uint64_t)answer->as_of, &there))
        world_broken("%s answers as of %lld, where it never was", service(asker->to), (long long)answer->as_of);
    if (said != there >> 1)
        world_broken("%s answers as of %lld with other rows than it had then", service(asker->to), (long long)answer->as_of);
}

static void on_answer(struct asker *asker, struct bytes map)
{
    struct verb_answer answer;
    struct problem problem;
    struct arena *arena = arena_new(1 << 12);
    bool fine = record_decode(&verb_answer_record, RECORD_WHOLE, DECODE_LENIENT, map, arena, &answer, &problem);
    assert(fine);
    if (answer.id == asker->id && !asker->heard) {
        asker->heard = true;
        if (asker->unknown || answer.rows.n == 0)
            world_broken("%s answers what nobody knows, or nothing", service(asker->to));
        if (answer.as_of > (int64_t)db_of(STORE_SCHEMA)->journal_n || answer.as_of < asker->at_least)
            world_broken("%s answers as of %lld; asked was at least %lld, durable is %zu", service(asker->to), (long long)answer.as_of,
                         (long long)asker->at_least, db_of(STORE_SCHEMA)->journal_n);
        if (!asker->status)
            digest_check(asker, &answer);
        if ((uint64_t)answer.as_of > known[asker->to])
            known[asker->to] = (uint64_t)answer.as_of;
    }
    arena_destroy(&arena);
}

static void on_error(struct asker *asker, struct bytes map)
{
    static const char *const fine[] = {"behind", "unavailable", "timeout", "nobody", "busy", "database", "hello"};
    struct verb_error error;
    struct problem problem;
    if (!record_decode(&verb_error_record, RECORD_WHOLE, DECODE_LENIENT, map, NULL, &error, &problem) || error.id != asker->id)
        return;
    asker->heard = true;
    bool expected = asker->unknown && text_equal(error.code, "unknown-question");
    for (size_t i = 0; i < COUNT_OF(fine); i++)
        expected = expected || text_equal(error.code, fine[i]);
    if (!expected)
        world_broken("%s does not answer: %s %s", service(asker->to), error.code, error.why);
}

static void on_frames(void *arg)
{
    struct asker *asker = arg;
    struct frame frame;
    while (bus_receive(asker->socket, &frame) == STATUS_OK) {
        if (text_equal(frame.verb, "ANSWER"))
            on_answer(asker, frame.map);
        else if (text_equal(frame.verb, "ERROR"))
            on_error(asker, frame.map);
    }
}

static void ask(struct asker *asker)
{
    static const uint8_t empty_map[] = {0x80};
    struct verb_ask ask;
    struct buf out = {0};
    record_clear(&verb_ask_record, &ask);
    asker->to = world_draw(WORKERS + 1);
    for (size_t i = 0; faults_are_over() && i < WORKERS && known[asker->to] >= db_of(STORE_SCHEMA)->journal_n; i++)
        asker->to = (asker->to + 1) % (WORKERS + 1);
    asker->unknown = world_chance(50);
    asker->status = asker->to == WORKERS || world_chance(300);
    asker->at_least = world_chance(400) ? branches_taken_upto() : 0;
    asker->heard = false;
    ask.id = ++asker->id;
    ask.at_least = asker->at_least;
    ask.args = bytes_of(empty_map, 1);
    text_copy(ask.to, sizeof(ask.to), service(asker->to));
    for (size_t i = 0; i < WORKERS && !asker->status; i++)
        if (question_find(ask.to, names[i]) != NULL)
            text_copy(ask.question, sizeof(ask.question), names[i]);
    if (asker->status)
        text_copy(ask.question, sizeof(ask.question), "status");
    if (asker->unknown)
        text_copy(ask.question, sizeof(ask.question), "weather");
    record_encode(&verb_ask_record, RECORD_WHOLE, &ask, &out);
    enum status status = bus_send(asker->socket, "ASK", buf_bytes(&out));
    assert(status == STATUS_OK);
    buf_release(&out);
}

/* Ids go on over the connections of a life. */
static void asker_run(void *arg)
{
    struct asker *asker = arg;
    char error[100], endpoint[ENDPOINT_CAP];
    asker->loop = loop_new();
    for (size_t turn = world_draw(2);; turn++) {
        company_endpoint("feed", turn, endpoint);
        asker->socket = bus_connect(BUS_DEALER, endpoint, error, sizeof(error));
        loop_socket(asker->loop, asker->socket, on_frames, asker);
        for (bool fine = true; fine;) {
            ask(asker);
            int64_t until_us = clock_boot_us() + ANSWER_WITHIN_US;
            while (!asker->heard && clock_boot_us() < until_us)
                loop_once(asker->loop, until_us);
            fine = asker->heard && world_chance(950);
            world_sleep(world_between(SECOND_US / 20, faults_are_over() ? 2 * SECOND_US : SECOND_US));
        }
        loop_forget(asker->loop, asker->socket, -1);
        bus_close(&asker->socket);
    }
}

static void asker_begin(void *arg);

static void on_ended(struct process *process)
{
    struct asker *asker = process->owner;
    net_forget(process);
    world_at(world_now_us() + SECOND_US, asker_begin, asker);
}

static void asker_begin(void *arg)
{
    struct asker *asker = arg;
    asker->process = process_begin(asker->name, asker_run, asker, on_ended, asker);
}

void askers_begin(void)
{
    for (size_t i = 0; i < ASKERS; i++) {
        text_format(askers[i].name, sizeof(askers[i].name), "operator/asks%zu", i);
        asker_begin(&askers[i]);
    }
}

bool askers_know(uint64_t head)
{
    for (size_t i = 0; i <= WORKERS; i++)
        if (known[i] < head)
            return false;
    return true;
}
