#include "witness.h"
#include "base/arena.h"
#include "base/text.h"
#include "event/event.h"
#include "proto/questions.h"
#include "proto/ticket.h"
#include "services/dispatcher/dispatcher.h"
#include "services/follow-up/follow_up.h"
#include "services/reporting/reporting.h"
#include "services/sla-watchdog/sla_watchdog.h"
#include "answers.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct witness {
    char key[EVENT_KEY_CAP];
    int64_t handled, last;
    bool cured, stopped;
};

static const struct field witness_fields[] = {
    F_TEXT(witness, key, FIELD_REQUIRED, "key"),
    F_INT(witness, handled, 0, "events of it that were handled"),
    F_INT(witness, last, 0, "position of the last one"),
    F_BOOL(witness, cured, 0, "poison is none any more"),
    F_BOOL(witness, stopped, 0, "its timers and sweeps are poison"),
};
static const struct record witness_record = RECORD(witness, witness_fields, "what was handled of a key");
static const struct table_def witness_def = {.name = "sim_witness", .row = &witness_record, .whole = true};

static const struct worker *const real[WORKERS] = {&dispatcher_worker, &sla_watchdog_worker, &follow_up_worker, &reporting_worker};
const struct worker *workers[WORKERS];

/* --- handlers ---------------------------------------------------------------------------------------- */

static size_t worker_of(const struct tables *tables)
{
    for (size_t i = 0; i < WORKERS; i++)
        if (tables_def(tables, 0) == real[i]->tables[0])
            return i;
    assert(false);
    return 0;
}

static const struct handler *handler_of(const struct worker *worker, const char *type)
{
    for (size_t i = 0; i < worker->handlers_n; i++)
        if (text_equal(worker->handlers[i].type, type))
            return &worker->handlers[i];
    return NULL;
}

bool worker_handles(const struct worker *worker, const char *type)
{
    return handler_of(worker, type) != NULL;
}

static struct witness *witness_change(struct tables *tables, size_t worker, const char *key)
{
    unsigned table = (unsigned)real[worker]->tables_n;
    struct witness *row = table_change(tables, table, key);
    return row != NULL ? row : table_new(tables, table, key);
}

static void bring_down(const char *worker, const char *what)
{
    struct process *process = process_current();
    if (process == NULL || text_starts(process->name, REBUILDER))
        world_broken("%s meets %s again, which was parked", worker, what);
    world_say("%s brings %s down", what, worker);
    process_kill(process);
}

static bool note_applies(struct tables *tables, size_t worker, const struct event *event)
{
    struct ticket_noted note;
    struct problem problem;
    const char *name = real[worker]->name;
    if (!record_decode(&ticket_noted_record, RECORD_PLAIN, DECODE_LENIENT, event->data, NULL, &note, &problem))
        return true;
    if (text_starts(note.kind, "cures ")) {
        witness_change(tables, worker, note.kind + 6)->cured = true;
        return true;
    }
    if (text_starts(note.kind, "stops ") && text_equal(note.kind + 6, name))
        witness_change(tables, worker, event->key)->stopped = true;
    bool kills = text_starts(note.kind, "kills ");
    if ((!kills && !text_starts(note.kind, "fails ")) || !text_equal(note.kind + 6, name))
        return true;
    const struct witness *row = table_get(tables, (unsigned)real[worker]->tables_n, event->key);
    if (row != NULL && row->cured)
        return true;
    if (kills) {
        char pos[24];
        text_format(pos, sizeof(pos), "%llu", (unsigned long long)event->pos);
        bring_down(name, pos);
    }
    return tables_trouble(tables, "%llu is poison", (unsigned long long)event->pos);
}

/* Every other poison is met before the real handler has done its part, every other behind it. */
static bool witnessed(struct tables *tables, const struct event *event, const void *data)
{
    size_t worker = worker_of(tables);
    const struct handler *handler = handler_of(real[worker], event->type);
    bool note = text_equal(event->type, "ticket.noted"), early = event->pos % 2 == 0;
    if (note && early && !note_applies(tables, worker, event))
        return false;
    if (handler != NULL && handler->apply != NULL && !handler->apply(tables, event, data))
        return false;
    if (tables_missed(tables))
        return true;
    if (note && !early && !note_applies(tables, worker, event))
        return false;
    struct witness *row = witness_change(tables, worker, event->key);
    if (row->last >= (int64_t)event->pos)
        world_broken("%s handles %s at %llu behind %lld", real[worker]->name, event->key, (unsigned long long)event->pos,
                     (long long)row->last);
    row->handled++;
    row->last = (int64_t)event->pos;
    return true;
}

/* Timers and sweeps of a ticket that was stopped bring the process down. */
static void row_witnessed(const struct tables *tables, size_t worker, unsigned table, const void *row)
{
    const char *row_key = (const char *)row + tables_def(tables, table)->row->fields[0].offset;
    char key[EVENT_KEY_CAP];
    text_copy_n(key, sizeof(key), row_key, strcspn(row_key, "/"));
    const struct witness *witness = table_get(tables, (unsigned)real[worker]->tables_n, key);
    if (witness != NULL && witness->stopped && !witness->cured)
        bring_down(real[worker]->name, row_key);
}

static void timer_witnessed(struct run *run, const struct tables *tables, const void *row, size_t i)
{
    size_t worker = worker_of(tables);
    const struct timer *timer = &real[worker]->timers[i];
    row_witnessed(tables, worker, timer->table, row);
    timer->decide(run, tables, row);
}

static void timer_0(struct run *run, const struct tables *tables, const void *row)
{
    timer_witnessed(run, tables, row, 0);
}
static void timer_1(struct run *run, const struct tables *tables, const void *row)
{
    timer_witnessed(run, tables, row, 1);
}
static void timer_2(struct run *run, const struct tables *tables, const void *row)
{
    timer_witnessed(run, tables, row, 2);
}

static void sweep_witnessed(struct run *run, const struct tables *tables, const void *row)
{
    size_t worker = worker_of(tables);
    row_witnessed(tables, worker, real[worker]->sweeps[0].table, row);
    real[worker]->sweeps[0].decide(run, tables, row);
}

/* --- the workers ------------------------------------------------------------------------------------- */

static const struct handler *handlers_make(const struct worker *worker, size_t *n)
{
    struct handler *handlers = memory_new((worker->handlers_n + 1) * sizeof(*handlers));
    for (*n = 0; *n < worker->handlers_n; ++*n) {
        handlers[*n] = worker->handlers[*n];
        handlers[*n].apply = witnessed;
    }
    if (handler_of(worker, "ticket.noted") == NULL)
        handlers[(*n)++] = (struct handler){.type = "ticket.noted", .data = &ticket_noted_record, .apply = witnessed};
    return handlers;
}

static const struct timer *timers_make(const struct worker *worker)
{
    static void (*const witnesses[])(struct run *, const struct tables *, const void *) = {timer_0, timer_1, timer_2};
    struct timer *timers = memory_new((worker->timers_n + 1) * sizeof(*timers));
    assert(worker->timers_n <= COUNT_OF(witnesses));
    for (size_t i = 0; i < worker->timers_n; i++) {
        timers[i] = worker->timers[i];
        timers[i].decide = witnesses[i];
    }
    return timers;
}

static const struct sweep *sweeps_make(const struct worker *worker)
{
    struct sweep *sweeps = memory_new((worker->sweeps_n + 1) * sizeof(*sweeps));
    assert(worker->sweeps_n <= 1);
    for (size_t i = 0; i < worker->sweeps_n; i++) {
        sweeps[i] = worker->sweeps[i];
        sweeps[i].decide = sweep_witnessed;
    }
    return sweeps;
}

void workers_make(void)
{
    for (size_t i = 0; i < WORKERS; i++) {
        struct worker *worker = memory_new(sizeof(*worker));
        const struct table_def **tables = memory_new((real[i]->tables_n + 1) * sizeof(const struct table_def *));
        *worker = *real[i];
        for (size_t t = 0; t < worker->tables_n; t++)
            tables[t] = worker->tables[t];
        tables[worker->tables_n++] = &witness_def;
        worker->tables = tables;
        worker->handlers = handlers_make(real[i], &worker->handlers_n);
        worker->timers = timers_make(real[i]);
        worker->sweeps = sweeps_make(real[i]);
        answers_give(worker);
        workers[i] = worker;
    }
}

void poison_kind(enum poison poison, const char *worker, char kind[32])
{
    static const char *const verbs[] = {[POISON_FAILS] = "fails", [POISON_KILLS] = "kills", [POISON_STOPS] = "stops"};
    text_format(kind, 32, "%s %s", verbs[poison], worker);
}

void cure_kind(const char *key, char kind[32])
{
    text_format(kind, 32, "cures %s", key);
}

void witness_check(const struct db *db, const char *key, int64_t handled, int64_t last)
{
    struct arena *arena = arena_new(1 << 10);
    const struct db_row *stored = db_row_find(db, &witness_def, key);
    const struct witness *row = stored != NULL ? db_row_read(stored, arena) : NULL;
    if (row == NULL || row->handled != handled || row->last != last)
        world_broken("%s has handled %lld events of %s up to %lld; there are %lld up to %lld", db->name,
                     row != NULL ? (long long)row->handled : 0, key, row != NULL ? (long long)row->last : 0, (long long)handled,
                     (long long)last);
    arena_destroy(&arena);
}
