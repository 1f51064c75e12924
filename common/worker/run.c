/* The worker's core: one event at a time is applied and decided, or undone; the batch is what commits. */
#include "worker/run_internal.h"

#include "base/mutation.h"
#include "base/text.h"
#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What the runtime itself folds, before the worker's own handler of the same type. */
static const struct handler builtin[] = {
    {.type = "calendar.published",
     .data = &calendar_published_record,
     .apply = reference_on_calendar_published},
    {.type = "event.dropped", .data = &event_dropped_record},
    {.type = "event.parked", .data = &event_parked_record},
    {.type = "event.released", .data = &event_released_record},
    {.type = "policy.published",
     .data = &policy_published_record,
     .apply = reference_on_policy_published},
    {.type = "stream.created", .data = &stream_created_record},
    {.type = "time.reached", .data = &time_reached_record},
};

static const struct handler *builtin_find(const char *type)
{
    for (size_t i = 0; i < COUNT_OF(builtin); i++)
        if (text_equal(builtin[i].type, type))
            return &builtin[i];
    return NULL;
}

static int handler_compare(const void *a, const void *b)
{
    const struct handler *const *left = a, *const *right = b;
    return strcmp((*left)->type, (*right)->type);
}

static const struct handler *handler_find(const struct run *run, const char *type)
{
    size_t low = 0, high = run->handlers_n;
    while (low < high) {
        size_t middle = (low + high) / 2;
        int order = strcmp(run->handlers[middle]->type, type);
        if (order == 0)
            return run->handlers[middle];
        low = order < 0 ? middle + 1 : low;
        high = order < 0 ? high : middle;
    }
    return NULL;
}

struct run *run_new(const struct worker *worker, size_t cache_rows)
{
    struct run *run = memory_new(sizeof *run);
    assert(worker->questions_n == 0 || worker->question_args != NULL);
    run->worker = worker;
    run->defs_n = worker->tables_n + 3;
    run->defs = memory_new(run->defs_n * sizeof run->defs[0]);
    for (size_t i = 0; i < worker->tables_n; i++)
        run->defs[i] = worker->tables[i];
    run->defs[worker->tables_n] = &reference_policy_table;
    run->defs[worker->tables_n + 1] = &reference_calendar_table;
    run->defs[worker->tables_n + 2] = &parked_table_def;
    run->parked_table = (unsigned)worker->tables_n + 2;
    run->tables = tables_new(run->defs, run->defs_n, cache_rows);
    run->handlers_n = worker->handlers_n;
    run->handlers = memory_new((worker->handlers_n + 1) * sizeof run->handlers[0]);
    for (size_t i = 0; i < worker->handlers_n; i++)
        run->handlers[i] = &worker->handlers[i];
    qsort(run->handlers, run->handlers_n, sizeof run->handlers[0], handler_compare);
    for (size_t i = 1; i < run->handlers_n; i++)
        assert(!text_equal(run->handlers[i - 1]->type, run->handlers[i]->type));
    timers_check(run);
    sweeps_new(run);
    run->batch = arena_new(1 << 20);
    run->flight = flight_new();
    run->aside = flight_new();
    run->timers_aside = flight_new();
    return run;
}

void run_destroy(struct run **run_p)
{
    struct run *run = *run_p;
    if (run == NULL)
        return;
    sweeps_release(run);
    tables_destroy(&run->tables);
    arena_destroy(&run->batch);
    flight_destroy(&run->flight);
    parking_forget(run);
    flight_destroy(&run->aside);
    flight_destroy(&run->timers_aside);
    buf_release(&run->drafts);
    buf_release(&run->slots);
    buf_release(&run->scratch);
    free(run->conclusions);
    free(run->items);
    free(run->handlers);
    free(run->defs);
    free(run);
    *run_p = NULL;
}

struct tables *run_tables(struct run *run)
{
    return run->tables;
}

const struct table_def *const *run_table_defs(const struct run *run, size_t *n)
{
    *n = run->defs_n;
    return run->defs;
}

static void batch_clear(struct run *run)
{
    run->items_n = run->items_done = 0;
    run->conclusions_n = 0;
    buf_reset(&run->drafts);
    buf_reset(&run->slots);
    arena_reset(run->batch);
    run->timers_fired = 0;
}

void run_start(struct run *run, const struct run_state *state, uint64_t upto)
{
    run->state = *state;
    run->upto = upto;
    /* What fired at this position before may not have been shipped: timers are looked at once more. Where the
     * position is below upto, everything that fired up to there is in the journal. */
    run->timers_left = state->pos > 0 && state->pos >= upto;
    run->fire = false;
    run->error[0] = '\0';
    flight_clear(run->flight);
    parking_start(run);
    sweeps_start(run);
    batch_clear(run);
    tables_misses_reset(run->tables);
}

bool run_stop(struct run *run, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(run->error, sizeof run->error, format, args);
    va_end(args);
    return false;
}

const char *run_error(const struct run *run)
{
    return run->error;
}

static bool is_own(const struct run *run, const struct event *event)
{
    return text_equal(event->from, run->worker->name);
}

static void *decode_as(struct run *run, struct run_item *item, const struct record *record)
{
    struct problem problem;
    void *data = arena_alloc(run->batch, record->size);
    struct bytes personal = event_personal(&item->event);
    if (!record_decode(record, RECORD_PLAIN, DECODE_LENIENT, item->event.data, run->batch, data,
                       &problem) ||
        (personal.len > 0 && !record_decode(record, RECORD_PERSONAL, DECODE_LENIENT | DECODE_KEEP,
                                            personal, run->batch, data, &problem))) {
        item->broken = true;
        snprintf(item->why, sizeof item->why, "%s %s", problem.code, problem.field);
        return NULL;
    }
    return data;
}

void run_decode(struct run *run, struct run_item *item)
{
    item->builtin = builtin_find(item->event.type);
    item->handler = handler_find(run, item->event.type);
    if (item->builtin != NULL)
        item->builtin_data = decode_as(run, item, item->builtin->data);
    if (item->handler == NULL)
        return;
    item->data = item->builtin != NULL && item->builtin->data == item->handler->data
                     ? item->builtin_data
                     : decode_as(run, item, item->handler->data);
}

/* Copies the bytes into the batch's arena and decodes. */
static bool item_read(struct run *run, struct bytes body, struct bytes priv, struct run_item *item)
{
    struct problem problem;
    uint8_t *copy = arena_alloc(run->batch, body.len + priv.len);
    memcpy(copy, body.data, body.len);
    if (priv.len > 0)
        memcpy(copy + body.len, priv.data, priv.len);
    memset(item, 0, sizeof *item);
    if (!event_decode(bytes_of(copy, body.len), bytes_of(copy + body.len, priv.len), &item->event,
                      &problem))
        return run_stop(run, "an event behind %llu cannot be read: %s %s",
                        (unsigned long long)run->state.pos, problem.code, problem.field);
    run_decode(run, item);
    return true;
}

enum run_result run_expect(struct run *run, struct bytes body, struct bytes priv)
{
    struct run_item item;
    if (!item_read(run, body, priv, &item))
        return RUN_STOP;
    uint64_t known = run->state.pos > run->upto ? run->state.pos : run->upto;
    if (is_own(run, &item.event)) {
        parking_expect(run, &item.event, item.builtin_data);
        if (item.event.pos > known && text_equal(item.event.type, "event.parked") && item.builtin_data != NULL &&
            ((const struct event_parked *)item.builtin_data)->timer[0] != '\0')
            parked_timer_expect(run, item.builtin_data);
        if (item.event.pos > known && flight_add(run->flight, item.event.id) &&
            run->worker->flight != NULL && item.data != NULL)
            run->worker->flight(run->tables, item.event.type, item.event.key, item.data, +1);
    }
    arena_reset(run->batch);
    return RUN_DONE;
}

void run_add(struct run *run, struct bytes body, struct bytes priv, const uint8_t link[LINK_BYTES])
{
    if (run->items_n == run->items_cap) {
        run->items_cap = run->items_cap == 0 ? 512 : run->items_cap * 2;
        run->items = memory_grow(run->items, run->items_cap * sizeof run->items[0]);
    }
    struct run_item *item = &run->items[run->items_n];
    if (!item_read(run, body, priv, item))
        return; /* run_process stops on the error */
    memcpy(item->link, link, LINK_BYTES);
    run->items_n++;
}

bool run_handles(const struct run *run, const char *type)
{
    for (size_t i = 0; i < run->worker->sweeps_n; i++)
        for (const char *const *on = run->worker->sweeps[i].on; *on != NULL; on++)
            if (text_equal(*on, type))
                return true;
    return builtin_find(type) != NULL || handler_find(run, type) != NULL;
}

void run_pass(struct run *run, int64_t time_us)
{
    assert(run->state.stepped && run->items_n == 0);
    if (time_us > run->state.checked_us)
        run->state.checked_us = time_us;
}

size_t run_batched(const struct run *run)
{
    return run->items_n;
}

int64_t run_batched_rec_us(const struct run *run, size_t i)
{
    assert(i < run->items_n);
    return run->items[i].event.rec_us;
}

/* --- one event --------------------------------------------------------------------------------- */

void run_begin(struct run *run, uint64_t cause, int64_t at_us)
{
    run->cause = cause;
    run->at_us = at_us;
    run->drawn_from = run->conclusions_n;
    buf_reset(&run->slots);
}

bool run_land(struct run *run, const struct run_item *item)
{
    const struct event *event = &item->event;
    if (run->dry || !is_own(run, event) || !flight_remove(run->flight, event->id))
        return false;
    if (run->worker->flight != NULL && item->data != NULL)
        run->worker->flight(run->tables, event->type, event->key, item->data, -1);
    return true;
}

enum step run_step(struct run *run, const struct run_item *item, bool decide)
{
    const struct event *event = &item->event;
    size_t mark = tables_mark(run->tables);
    bool landed = run_land(run, item);
    bool fine = !item->broken;
    if (fine && item->builtin != NULL && item->builtin->apply != NULL)
        fine = item->builtin->apply(run->tables, event, item->builtin_data);
    if (fine && item->handler != NULL) {
        if (item->handler->apply != NULL)
            fine = item->handler->apply(run->tables, event, item->data);
        if (fine && decide && item->handler->decide != NULL &&
            (run->dry || !tables_missed(run->tables)))
            item->handler->decide(run, run->tables, event, item->data);
    }
    if (run->dry)
        return STEP_MISS;
    if (fine && !tables_missed(run->tables))
        return STEP_DONE;
    if (!tables_missed(run->tables))
        snprintf(run->trouble, sizeof run->trouble, "%s",
                 item->broken ? item->why : tables_trouble_text(run->tables));
    if (!MUTATION(MUTATION_UNDO_FORGOTTEN))
        tables_undo(run->tables, mark);
    run_undo_drawn(run);
    if (landed)
        flight_add(run->flight, event->id);
    return tables_missed(run->tables) ? STEP_MISS : STEP_TROUBLE;
}

static bool is_reference(const struct event *event)
{
    return text_equal(event->type, "policy.published") ||
           text_equal(event->type, "calendar.published") ||
           text_equal(event->type, "site.updated") || text_equal(event->type, "stream.created") ||
           text_equal(event->type, "time.reached");
}

/* What everything else rests on is not set aside. */
static enum step cannot(struct run *run, const struct run_item *item, const char *why, bool decide)
{
    if (!is_reference(&item->event))
        return parking_park(run, item, why, decide);
    run_stop(run, "event %llu (%s) cannot be handled and must not be left out: %s", (unsigned long long)item->event.pos,
             item->event.type, why);
    return STEP_TROUBLE;
}

static enum step handle(struct run *run, const struct run_item *item)
{
    bool decide = item->event.pos > run->upto;
    enum step step;
    run_begin(run, item->event.pos, item->event.rec_us);
    if (parking_holds(run, item, &step))
        return step;
    if (item->event.pos == run->crash_pos && item->handler != NULL)
        return cannot(run, item, CRASHED, decide);
    size_t mark = tables_mark(run->tables);
    step = run_step(run, item, decide);
    if (step == STEP_DONE && item->builtin != NULL && (step = parking_on_event(run, item, decide)) == STEP_MISS) {
        tables_undo(run->tables, mark);
        run_undo_drawn(run);
    }
    if (step != STEP_TROUBLE)
        return step;
    return cannot(run, item, run->trouble, decide);
}

/* An event missed rows: the rest of the batch is run dry, so that one fetch brings all it needs. */
static void collect_misses(struct run *run, size_t from)
{
    size_t mark = tables_mark(run->tables);
    struct flight *aside = flight_new();
    run->dry = true;
    for (size_t i = from; i < run->items_n; i++)
        if (run->items[i].handler != NULL && !parking_will_hold(run, &run->items[i], aside))
            run_step(run, &run->items[i], run->items[i].event.pos > run->upto);
    run->dry = false;
    flight_destroy(&aside);
    tables_undo(run->tables, mark);
}

static void advance(struct run *run, const struct run_item *item)
{
    struct run_state *state = &run->state;
    state->pos = item->event.pos;
    memcpy(state->link, item->link, LINK_BYTES);
    state->rec_us = item->event.rec_us;
    if (item->builtin != NULL && item->builtin_data != NULL) {
        if (text_equal(item->event.type, "stream.created")) {
            const struct stream_created *created = item->builtin_data;
            text_copy(state->stream, sizeof state->stream, created->stream);
            state->stepped = created->clock == CLOCK_STEPPED;
            state->checked_us = created->start_us;
        } else if (state->stepped && text_equal(item->event.type, "time.reached")) {
            const struct time_reached *reached = item->builtin_data;
            if (reached->time_us > state->checked_us)
                state->checked_us = reached->time_us;
        }
    }
    if (!state->stepped && state->rec_us > state->checked_us)
        state->checked_us = state->rec_us;
}

enum run_result run_process(struct run *run)
{
    for (;;) {
        if (run->error[0] != '\0')
            return RUN_STOP;
        if (run->fire && run_fire(run) == STEP_MISS)
            return RUN_MISS;
        run->fire = false;
        if (run->items_done == run->items_n)
            return run_sweep(run) == STEP_MISS ? RUN_MISS : RUN_DONE;
        const struct run_item *item = &run->items[run->items_done];
        enum step step = handle(run, item);
        if (step == STEP_MISS) {
            collect_misses(run, run->items_done);
            return RUN_MISS;
        }
        if (step == STEP_TROUBLE)
            return RUN_STOP;
        advance(run, item);
        sweeps_on_event(run, item->event.type);
        run->items_done++;
        run->fire = item->event.pos > run->upto;
    }
}

enum run_result run_head(struct run *run, int64_t now_us)
{
    if (!run->state.stepped && now_us > run->state.checked_us)
        run->state.checked_us = now_us;
    if (run->state.pos < run->upto)
        return RUN_DONE;
    if (run_fire(run) == STEP_MISS)
        return RUN_MISS;
    return run_sweep(run) == STEP_MISS ? RUN_MISS : RUN_DONE;
}

bool run_timers_left(const struct run *run)
{
    return run->timers_left || run_sweep_ready(run);
}

uint64_t run_upto(const struct run *run)
{
    uint64_t pos = run->state.pos;
    if ((run->timers_left || run_sweeping(run)) && pos > 0)
        pos--;
    return pos > run->upto ? pos : run->upto;
}

struct run_state run_state(const struct run *run)
{
    struct run_state state = run->state;
    state.sweeping = run_sweeping(run);
    return state;
}

void run_committed(struct run *run)
{
    sweeps_on_commit(run);
    tables_forget(run->tables);
    batch_clear(run);
}

void run_park_at(struct run *run, uint64_t pos, unsigned times)
{
    run->crash_pos = pos;
    run->crash_times = times;
}

size_t run_flying(const struct run *run)
{
    return flight_count(run->flight);
}
