/* What is checked while it runs: the journal as it grows, what intake says, what workers commit, what sources are told. */
#include "check.h"
#include "base/text.h"
#include "company.h"
#include "fold.h"
#include "net.h"
#include "record/pack.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>

static const struct db *journal_db(void)
{
    return db_of(STORE_SCHEMA);
}

/* In a stepped stream: everybody was said to have concluded from everything up to there. */
static uint64_t settled_upto;

static bool is_worker(const char *name)
{
    for (size_t i = 0; i < WORKERS; i++)
        if (text_equal(workers[i]->name, name))
            return true;
    return false;
}

/* --- the journal grows ------------------------------------------------------------------------------ */

static int64_t taken_upto[DB_SOURCES_MAX + 2]; /* by source: its numbers are contiguous */

static const char *source_name(const struct db *db, int64_t id)
{
    for (size_t i = 0; i < db->sources_n; i++)
        if (db->sources[i].id == id)
            return db->sources[i].name;
    return "intake";
}

static bool tx_has(const struct tx *tx, int64_t source, int64_t n)
{
    for (size_t i = 0; i < tx->entries_n; i++)
        if (tx->entries[i]->by_source && tx->entries[i]->source == source && tx->entries[i]->n == n)
            return true;
    for (size_t i = 0; i < tx->refusals_n; i++)
        if (tx->refusals[i].source == source && tx->refusals[i].n == n)
            return true;
    return false;
}

static void number_check(const struct db *db, const struct tx *tx, int64_t source, int64_t n)
{
    if (n <= taken_upto[source])
        world_broken("%s/%lld is taken again", source_name(db, source), (long long)n);
    for (int64_t k = taken_upto[source] + 1; k < n; k++)
        if (!tx_has(tx, source, k))
            world_broken("%s/%lld is taken, %lld never was", source_name(db, source), (long long)n, (long long)k);
}

static void numbers_keep(const struct tx *tx)
{
    for (size_t i = 0; i < tx->entries_n; i++)
        if (tx->entries[i]->by_source && tx->entries[i]->n > taken_upto[tx->entries[i]->source])
            taken_upto[tx->entries[i]->source] = tx->entries[i]->n;
    for (size_t i = 0; i < tx->refusals_n; i++)
        if (tx->refusals[i].n > taken_upto[tx->refusals[i].source])
            taken_upto[tx->refusals[i].source] = tx->refusals[i].n;
}

static void entry_check(const struct db *db, const struct journal_row *row, uint64_t pos, int64_t rec_us,
                        const uint8_t before[LINK_BYTES])
{
    uint8_t expected[LINK_BYTES];
    if (row->pos != pos)
        world_broken("the journal has %llu behind %llu", (unsigned long long)row->pos, (unsigned long long)pos - 1);
    link_next(before, row->body, expected);
    if (memcmp(expected, row->link, LINK_BYTES) != 0)
        world_broken("the link at %llu is not of its body and the link before", (unsigned long long)pos);
    if (row->rec_us < rec_us)
        world_broken("rec goes back at %llu", (unsigned long long)pos);
    if (world_is_traced()) {
        struct event event;
        struct problem problem;
        if (event_decode(row->body, bytes_of(NULL, 0), &event, &problem))
            world_say("journal %llu: %s %s %s of %s cause %llu", (unsigned long long)pos, row->type, row->key, event.id,
                      source_name(db, row->source), (unsigned long long)event.cause);
    }
}

void check_journal(const struct db *db, const struct tx *tx)
{
    uint8_t link[LINK_BYTES];
    int64_t rec_us = 0;
    uint64_t pos = db->journal_n;
    if (tx->before.epoch != db->head.head.epoch)
        world_broken("epoch %lld writes, it is epoch %lld", (long long)tx->before.epoch, (long long)db->head.head.epoch);
    if (tx->after.rec_us < db->head.head.rec_us)
        world_broken("the time that workers were told goes back by %lld us", (long long)(db->head.head.rec_us - tx->after.rec_us));
    if (pos > 0) {
        memcpy(link, db->journal[pos - 1]->link, LINK_BYTES);
        rec_us = db->journal[pos - 1]->rec_us;
    } else if (tx->entries_n > 0) {
        link_first(tx->entries[0]->key, link);
    }
    for (size_t i = 0; i < tx->entries_n; i++) {
        const struct journal_row *row = tx->entries[i];
        entry_check(db, row, ++pos, rec_us, link);
        memcpy(link, row->link, LINK_BYTES);
        rec_us = row->rec_us;
        if (row->by_source)
            number_check(db, tx, row->source, row->n);
    }
    for (size_t i = 0; i < tx->refusals_n; i++)
        number_check(db, tx, tx->refusals[i].source, tx->refusals[i].n);
    if (tx->entries_n > 0 && (tx->after.pos != pos || memcmp(tx->after.link, link, LINK_BYTES) != 0))
        world_broken("the head is not the last event's");
    if (tx->entries_n > 0 && settled_upto > 0 && settled_upto == db->journal_n && is_worker(source_name(db, tx->entries[0]->source)))
        world_broken("%s concludes %s at %llu when everybody has settled", source_name(db, tx->entries[0]->source),
                     tx->entries[0]->type, (unsigned long long)tx->entries[0]->pos);
    numbers_keep(tx);
    for (size_t i = 0; i < tx->entries_n; i++)
        facts_see(tx->entries[i]);
}

/* What intake has said to a source, and what the source has sent. */
struct window {
    UT_hash_handle hh;
    int64_t said, sent;
    char client[];
};
static struct window *windows;

static struct window *window_of(const char *client)
{
    struct window *window;
    HASH_FIND_STR(windows, client, window);
    if (window == NULL) {
        window = memory_new(sizeof(*window) + strlen(client) + 1);
        memcpy(window->client, client, strlen(client) + 1);
        HASH_ADD_STR(windows, client, window);
    }
    return window;
}

static void window_said(const char *client, int64_t n)
{
    struct window *window = window_of(client);
    if (n > window->said)
        window->said = n;
}

/* --- what intake says ------------------------------------------------------------------------------- */

static const struct source_row *source_named(const struct db *db, const char *name)
{
    for (size_t i = 0; i < db->sources_n; i++)
        if (text_equal(db->sources[i].name, name))
            return &db->sources[i];
    return NULL;
}

static void head_check(const char *what, int64_t head)
{
    if (head > (int64_t)journal_db()->journal_n)
        world_broken("%s tells of %lld, durable is %zu", what, (long long)head, journal_db()->journal_n);
}

static void welcome_check(const char *client, const struct verb_welcome *welcome)
{
    head_check("WELCOME", welcome->head);
    window_said(client, welcome->durable);
}

static void pong_check(const struct verb_pong *pong)
{
    head_check("PONG", pong->head);
    if (pong->upto >= pong->head && pong->head == (int64_t)journal_db()->journal_n)
        settled_upto = (uint64_t)pong->head;
}

static void answer_check(const char *source, const struct answer *answer)
{
    const struct db *db = journal_db();
    const struct source_row *row = source_named(db, source);
    if (row == NULL)
        world_broken("%s/%lld is answered, it never said HELLO", source, (long long)answer->n);
    if (answer->taken && answer->pos >= 1 && answer->pos <= (int64_t)db->journal_n) {
        const struct journal_row *at = db->journal[answer->pos - 1];
        if (at->source == row->id && at->n == answer->n && bytes_equal(at->result, answer->result))
            return;
    }
    for (size_t i = 0; i < db->refused_n; i++)
        if (!answer->taken && db->refused[i].source == row->id && db->refused[i].n == answer->n &&
            text_equal(db->refused[i].problem.code, answer->problem.code))
            return;
    world_broken("%s/%lld is answered %s%s at %lld, which is not durable", source, (long long)answer->n,
                 answer->taken ? "taken" : "refused ", answer->taken ? "" : answer->problem.code, (long long)answer->pos);
}

static void ack_check(const char *source, const struct verb_ack *ack)
{
    const struct bytes *answers = ack->answers.items;
    for (uint32_t i = 0; i < ack->answers.n; i++) {
        struct answer answer;
        bool fine = answer_decode(answers[i], &answer);
        assert(fine);
        answer_check(source, &answer);
        window_said(source, answer.n);
    }
}

static void batch_check(const struct verb_batch *batch)
{
    const struct bytes *events = batch->events.items;
    const struct db *db = journal_db();
    head_check("a BATCH", batch->upto);
    for (uint32_t i = 0; i < batch->events.n; i++) {
        struct bytes body, priv;
        struct event event;
        struct problem problem;
        bool fine = delivery_decode(events[i], &body, &priv) && event_decode(body, bytes_of(NULL, 0), &event, &problem);
        assert(fine);
        if (event.pos > db->journal_n || !bytes_equal(db->journal[event.pos - 1]->body, body))
            world_broken("a BATCH has another event at %llu than the journal", (unsigned long long)event.pos);
    }
}

void check_said(const struct process *intake, const struct process *client, const char *verb, struct bytes map)
{
    static _Alignas(16) char object[16384];
    const struct record *record = verb_record(verb);
    struct problem problem;
    (void)intake;
    if (text_equal(verb, "ERROR") || text_equal(verb, "NAK") || text_equal(verb, "BUSY") || text_equal(verb, "DENIED") || text_equal(verb, "OPENED") || text_equal(verb, "WELCOME"))
        world_say("tells %s %s", client->name, verb);
    if (record == NULL || text_equal(verb, "ERROR"))
        return;
    struct arena *arena = arena_new(1 << 12);
    assert(record->size <= sizeof(object));
    bool fine = record_decode(record, RECORD_WHOLE, DECODE_LENIENT, map, arena, object, &problem);
    assert(fine);
    if (text_equal(verb, "ACK"))
        ack_check(client->name, (const void *)object);
    else if (text_equal(verb, "BATCH"))
        batch_check((const void *)object);
    else if (text_equal(verb, "WELCOME"))
        welcome_check(client->name, (const void *)object);
    else if (text_equal(verb, "PONG"))
        pong_check((const void *)object);
    else if (text_equal(verb, "OPENED"))
        head_check("OPENED", ((const struct verb_opened *)(const void *)object)->head);
    else if (text_equal(verb, "HEAD") || text_equal(verb, "CAUGHT_UP"))
        head_check(verb, ((const struct verb_head *)(const void *)object)->head);
    arena_destroy(&arena);
}

void check_live(const struct process *intake, const char *topic, struct bytes body)
{
    const struct db *db = journal_db();
    struct event event;
    struct problem problem;
    struct verb_head head;
    (void)intake;
    if (text_equal(topic, "~head")) {
        if (record_decode(&verb_head_record, RECORD_WHOLE, DECODE_LENIENT, body, NULL, &head, &problem))
            head_check("live", head.head);
        return;
    }
    bool fine = event_decode(body, bytes_of(NULL, 0), &event, &problem);
    assert(fine);
    if (event.pos > db->journal_n || !bytes_equal(db->journal[event.pos - 1]->body, body))
        world_broken("live tells of %s %s at %llu, durable is %zu", event.type, event.key, (unsigned long long)event.pos, db->journal_n);
}

/* --- what a source is told -------------------------------------------------------------------------- */

struct told {
    UT_hash_handle hh;
    bool taken;
    int64_t pos;
    char name[];
};
static struct told *tolds;

void check_answer(const char *source, const struct answer *answer)
{
    char name[200];
    struct told *told;
    text_format(name, sizeof(name), "%s/%lld", source, (long long)answer->n);
    HASH_FIND_STR(tolds, name, told);
    if (told == NULL) {
        told = memory_new(sizeof(*told) + strlen(name) + 1);
        memcpy(told->name, name, strlen(name) + 1);
        told->taken = answer->taken;
        told->pos = answer->pos;
        HASH_ADD_STR(tolds, name, told);
        answer_check(source, answer);
    } else if (told->taken != answer->taken || told->pos != answer->pos) {
        world_broken("%s was told %lld and now %lld", name, (long long)told->pos, (long long)answer->pos);
    }
}

/* --- what a worker commits -------------------------------------------------------------------------- */

static struct fold folds[WORKERS];

static struct fold *fold_of(const char *name)
{
    for (size_t i = 0; i < WORKERS; i++)
        if (text_equal(workers[i]->name, name)) {
            if (folds[i].worker == NULL)
                fold_begin(&folds[i], workers[i]);
            return &folds[i];
        }
    assert(false);
    return NULL;
}

void check_cursor(const struct db *db, const struct tx *tx)
{
    const struct db *journal = journal_db();
    uint64_t pos = tx->cursor_after.pos;
    world_say("%s commits %llu to %llu, session %lld", db->name, (unsigned long long)db->cursor.state.pos, (unsigned long long)pos,
              (long long)tx->session);
    if (pos > journal->journal_n)
        world_broken("%s commits position %llu, durable is %zu", db->name, (unsigned long long)pos, journal->journal_n);
    if (pos < db->cursor.state.pos)
        world_broken("%s goes back from %llu to %llu", db->name, (unsigned long long)db->cursor.state.pos, (unsigned long long)pos);
    if (pos > 0 && memcmp(tx->cursor_after.link, journal->journal[pos - 1]->link, LINK_BYTES) != 0)
        world_broken("%s commits another link at %llu than the journal has", db->name, (unsigned long long)pos);
}

/* Every row that the fold of these events touches, and every row that was written, is the same in both. */
void check_rows(const struct db *db, const struct tx *tx)
{
    if (strstr(db->name, "_new") != NULL) /* a rebuild's, judged when it is done */
        return;
    struct fold *fold = fold_of(db->name);
    while (fold->pos < tx->cursor_after.pos)
        fold_next(fold, journal_db(), db, tx->cursor_after.pos);
    for (size_t i = 0; i < tx->writes_n; i++)
        fold_compare(fold, db, tx->writes[i].def, tx->writes[i].key);
}

void check_swap(struct db *fresh, bool session_goes_on)
{
    char name[sizeof(fresh->name)];
    const struct db *journal = journal_db();
    text_copy_n(name, sizeof(name), fresh->name, strlen(fresh->name) - strlen("_new"));
    struct db *living = db_of(name);
    db_swap(living, fresh, session_goes_on);
    struct fold *fold = fold_of(name);
    fold_begin(fold, fold->worker);
    while (fold->pos < living->cursor.state.pos)
        fold_next(fold, journal, NULL, living->cursor.state.pos);
    fold_compare_all(fold, living);
}

void check_replay(void)
{
    if (!net_has_credit(process_current()))
        world_broken("the journal is read for nobody who has credit");
}

void check_sent(const char *client, const char *verb, struct bytes map)
{
    struct verb_append append;
    struct problem problem;
    if (!text_equal(verb, "APPEND"))
        return;
    struct arena *arena = arena_new(1 << 12);
    bool fine = record_decode(&verb_append_record, RECORD_WHOLE, DECODE_LENIENT, map, arena, &append, &problem);
    assert(fine);
    struct window *window = window_of(client);
    if (append.n + append.events.n - 1 > window->sent)
        window->sent = append.n + append.events.n - 1;
    int64_t most = (is_worker(client) ? 4 : 1) * APPEND_EVENTS_MAX;
    if (append.events.n > 0 && append.n + append.events.n - 1 - window->said > most)
        world_broken("%s has sent up to %lld, it was answered up to %lld", client, (long long)window->sent, (long long)window->said);
    arena_destroy(&arena);
}
