/* What is checked when all is healed and quiet. */
#include "base/arena.h"
#include "base/text.h"
#include "check.h"
#include "company.h"
#include "fold.h"
#include "proto/catalogue.h"
#include <stdlib.h>
#include <string.h>

/* --- nothing twice ---------------------------------------------------------------------------------- */

struct seen {
    UT_hash_handle hh;
    uint64_t pos;
    char name[];
};
static struct seen *seens;

static void once(uint64_t pos, const char *name)
{
    struct seen *seen;
    HASH_FIND_STR(seens, name, seen);
    if (seen != NULL)
        world_broken("%s stands at %llu and again at %llu", name, (unsigned long long)seen->pos, (unsigned long long)pos);
    seen = memory_new(sizeof(*seen) + strlen(name) + 1);
    seen->pos = pos;
    memcpy(seen->name, name, strlen(name) + 1);
    HASH_ADD_STR(seens, name, seen);
}

#define CALLBACK_US (2 * SECOND_US) /* by the policy one is due sooner */

/* --- a ticket's story, as far as completeness needs it ------------------------------------------------ */

enum job_state { JOB_NONE, JOB_OFFERED, JOB_ACCEPTED, JOB_DECLINED, JOB_EXPIRED, JOB_DONE, JOB_WITHDRAWN };

struct job {
    char name[72];
    enum job_state state;
};
struct story {
    UT_hash_handle hh;
    enum { TICKET_NONE, TICKET_OPEN, TICKET_RESOLVED, TICKET_CLOSED } state;
    bool nobody, has_clock, left_out; /* left_out: one of its timers */
    int64_t resolved, resolved_us, callbacks;
    struct job jobs[32];
    size_t jobs_n;
    char key[EVENT_KEY_CAP];
};
static struct story *stories;

static struct story *story_of(const char *key)
{
    struct story *story;
    HASH_FIND_STR(stories, key, story);
    if (story == NULL) {
        story = memory_new(sizeof(*story));
        text_copy(story->key, sizeof(story->key), key);
        HASH_ADD_STR(stories, key, story);
    }
    return story;
}

/* The state table of proto/README.md; what is not there changes nothing. */
static enum job_state job_next(enum job_state before, const char *news)
{
    static const struct {
        const char *news;
        enum job_state before, after;
    } lines[] = {
        {"offered", JOB_NONE, JOB_OFFERED},        {"accepted", JOB_OFFERED, JOB_ACCEPTED},
        {"declined", JOB_OFFERED, JOB_DECLINED},   {"expired", JOB_OFFERED, JOB_EXPIRED},
        {"reported", JOB_OFFERED, JOB_DONE},       {"withdrawn", JOB_OFFERED, JOB_WITHDRAWN},
        {"declined", JOB_ACCEPTED, JOB_DECLINED},  {"reported", JOB_ACCEPTED, JOB_DONE},
        {"withdrawn", JOB_ACCEPTED, JOB_WITHDRAWN}, {"reported", JOB_DECLINED, JOB_DONE},
        {"withdrawn", JOB_DECLINED, JOB_WITHDRAWN}, {"accepted", JOB_EXPIRED, JOB_ACCEPTED},
        {"reported", JOB_EXPIRED, JOB_DONE},       {"withdrawn", JOB_EXPIRED, JOB_WITHDRAWN},
        {"reported", JOB_WITHDRAWN, JOB_DONE},
    };
    for (size_t i = 0; i < COUNT_OF(lines); i++)
        if (lines[i].before == before && text_equal(lines[i].news, news))
            return lines[i].after;
    return before;
}

static size_t jobs_in(const struct story *story, enum job_state state, const char *but)
{
    size_t n = 0;
    for (size_t i = 0; i < story->jobs_n; i++)
        n += story->jobs[i].state == state && !text_equal(story->jobs[i].name, but);
    return n;
}

static void job_read(struct story *story, const char *name, const char *news)
{
    size_t i = 0;
    while (i < story->jobs_n && !text_equal(story->jobs[i].name, name))
        i++;
    if (i == COUNT_OF(story->jobs))
        world_broken("%s has more than %zu jobs", story->key, i);
    if (i == story->jobs_n)
        text_copy(story->jobs[story->jobs_n++].name, sizeof(story->jobs[i].name), name);
    enum job_state before = story->jobs[i].state, after = job_next(before, news);
    if (after == JOB_ACCEPTED && before != JOB_ACCEPTED && jobs_in(story, JOB_ACCEPTED, name) > 0)
        return; /* it gets job.withdrawn {taken} */
    if (text_equal(news, "offered") && before == JOB_NONE &&
        jobs_in(story, JOB_OFFERED, name) + jobs_in(story, JOB_ACCEPTED, name) > 0)
        after = JOB_WITHDRAWN; /* the story has moved on */
    story->jobs[i].state = after;
    if (text_equal(news, "offered") || story->jobs[i].state == JOB_ACCEPTED)
        story->nobody = false; /* who was late takes it after all */
}

/* Of a stepped stream: as far as its time has come; 0: it goes on by itself. */
static int64_t reached_us;

static void ticket_read(struct story *story, const char *type, int64_t rec_us)
{
    if (text_equal(type, "ticket.assessed") && story->state == TICKET_NONE)
        story->state = TICKET_OPEN;
    else if (text_equal(type, "ticket.resolved") && story->state == TICKET_OPEN) {
        story->state = TICKET_RESOLVED;
        story->resolved++;
        story->resolved_us = rec_us;
        for (size_t i = 0; i < story->jobs_n; i++)
            if (story->jobs[i].state == JOB_OFFERED || story->jobs[i].state == JOB_ACCEPTED)
                story->jobs[i].state = JOB_DONE;
    } else if (text_equal(type, "ticket.reopened") && (story->state == TICKET_RESOLVED || story->state == TICKET_CLOSED))
        story->state = TICKET_OPEN;
    else if (text_equal(type, "ticket.closed") && story->state == TICKET_RESOLVED)
        story->state = TICKET_CLOSED;
}

static void event_read(const struct event *event, struct arena *arena)
{
    const struct record *record = event_type_data(event->type);
    const struct field *job = record != NULL ? record_field(record, "job") : NULL;
    struct story *story = story_of(event->key);
    struct problem problem;
    if (text_starts(event->type, "ticket."))
        ticket_read(story, event->type, event->rec_us);
    if (text_equal(event->type, "time.reached"))
        reached_us = event->rec_us;
    if (text_equal(event->type, "ticket.escalated") && strstr(event->id, "/nobody/") != NULL &&
        jobs_in(story, JOB_ACCEPTED, "") == 0) /* unless who was late took it meanwhile */
        story->nobody = true;
    if (text_equal(event->type, "sla.scheduled"))
        story->has_clock = true;
    if (text_equal(event->type, "followup.due"))
        story->callbacks++;
    if (!text_starts(event->type, "job.") || job == NULL)
        return;
    char *object = arena_alloc(arena, record->size);
    if (record_decode(record, RECORD_PLAIN, DECODE_LENIENT, event->data, arena, object, &problem)) {
        char name[200];
        job_read(story, object + job->offset, event->type + 4);
        text_format(name, sizeof(name), "%s of job %s", event->type, object + job->offset);
        if (text_equal(event->type, "job.offered") || text_equal(event->type, "job.expired"))
            once(event->pos, name);
    }
}

static void story_check(const struct story *story)
{
    size_t held = jobs_in(story, JOB_OFFERED, "") + jobs_in(story, JOB_ACCEPTED, "");
    if (story->state == TICKET_OPEN && held != (story->nobody ? 0 : 1))
        world_broken("%s is open, %zu jobs hold it, %zu there were", story->key, held, story->jobs_n);
    if (story->state != TICKET_NONE && !story->has_clock)
        world_broken("%s has no clock", story->key);
    bool over = reached_us == 0 || reached_us > story->resolved_us + CALLBACK_US;
    if (story->resolved > 0 && story->callbacks == 0 && !story->left_out && over)
        world_broken("%s was resolved and no callback was due", story->key);
}

/* A timer is named by the event.parked that set it aside. */
static bool drops_timer(const struct db *db, const struct event *event)
{
    struct event_dropped dropped;
    struct problem problem;
    return text_equal(event->type, "event.dropped") &&
           record_decode(&event_dropped_record, RECORD_PLAIN, DECODE_LENIENT, event->data, NULL, &dropped, &problem) &&
           dropped.pos > 0 && (size_t)dropped.pos <= db->journal_n && text_equal(db->journal[dropped.pos - 1]->type, "event.parked");
}

static void journal_read(const struct db *db)
{
    struct arena *arena = arena_new(1 << 14);
    for (size_t i = 0; i < db->journal_n; i++) {
        struct event event;
        struct problem problem;
        if (!event_decode(db->journal[i]->body, db->journal[i]->priv, &event, &problem))
            world_broken("the body at %zu cannot be read: %s %s", i + 1, problem.code, problem.field);
        if (event.cause >= event.pos)
            world_broken("%llu follows from %llu", (unsigned long long)event.pos, (unsigned long long)event.cause);
        once(event.pos, event.id);
        event_read(&event, arena);
        if (drops_timer(db, &event))
            story_of(event.key)->left_out = true;
        arena_reset(arena);
    }
    arena_destroy(&arena);
    for (const struct story *story = stories; story != NULL; story = story->hh.next)
        story_check(story);
}

/* --- what each worker has handled ---------------------------------------------------------------------- */

struct handled {
    UT_hash_handle hh;
    int64_t n, last;
    char key[EVENT_KEY_CAP];
};

/* Which events that worker has left out, by position. */
static bool *dropped_by(const struct db *journal, const struct worker *worker)
{
    bool *left_out = memory_new(journal->journal_n + 1);
    for (size_t i = 0; i < journal->journal_n; i++) {
        struct event event;
        struct problem problem;
        struct event_dropped dropped;
        if (text_equal(journal->journal[i]->type, "event.dropped") &&
            event_decode(journal->journal[i]->body, bytes_of(NULL, 0), &event, &problem) &&
            record_decode(&event_dropped_record, RECORD_PLAIN, DECODE_LENIENT, event.data, NULL, &dropped, &problem) &&
            text_equal(dropped.worker, worker->name))
            left_out[dropped.pos] = true;
    }
    return left_out;
}

/* A timer that was left out stays for ever, under a key that is none. */
static bool is_parked(const struct db_row *row, struct arena *arena)
{
    const char *stored = db_row_read(row, arena);
    return *(const bool *)(stored + row->def->open_offset) && stored[record_field(row->def->row, "key")->offset] != '\t';
}

/* Each event once, in the order of its key, whatever was parked on the way; nothing is parked any more. */
static void handled_check(const struct db *journal, const struct worker *worker)
{
    struct handled *all = NULL, *one;
    struct arena *arena = arena_new(1 << 12);
    const bool *left_out = dropped_by(journal, worker);
    for (size_t i = 0; i < journal->journal_n; i++) {
        const struct journal_row *row = journal->journal[i];
        if (left_out[row->pos] || !worker_handles(worker, row->type))
            continue;
        HASH_FIND_STR(all, row->key, one);
        if (one == NULL) {
            one = memory_new(sizeof(*one));
            text_copy(one->key, sizeof(one->key), row->key);
            HASH_ADD_STR(all, key, one);
        }
        one->n++;
        one->last = (int64_t)row->pos;
    }
    const struct db *db = db_of(worker->name);
    for (one = all; one != NULL; one = one->hh.next)
        witness_check(db, one->key, one->n, one->last);
    for (const struct db_row *row = db->rows; row != NULL; row = row->hh.next)
        if (text_equal(row->def->name, "parked") && is_parked(row, arena))
            world_broken("%s has %s parked for ever", worker->name, row->name);
    arena_destroy(&arena);
}

void check_end(void)
{
    const struct db *journal = db_of(STORE_SCHEMA);
    journal_read(journal);
    for (size_t i = 0; i < WORKERS; i++) {
        struct fold fold = {.worker = NULL};
        fold_begin(&fold, workers[i]);
        while (fold.pos < journal->journal_n)
            fold_next(&fold, journal, NULL, journal->journal_n);
        fold_compare_all(&fold, db_of(workers[i]->name));
        handled_check(journal, workers[i]);
    }
}
