/* Timers: due instants are columns, the near ones stand in ordered indexes. They fire in order of due time, then key, and
 * only on knowledge: checked_until. A fired one leaves its index until its conclusion is read back or its due changes. */
#include "worker/run_internal.h"

#include "base/mutation.h"
#include "base/text.h"
#include <assert.h>
#include <string.h>

static int64_t member_us(const void *row, uint32_t offset)
{
    int64_t value;
    memcpy(&value, (const char *)row + offset, sizeof value);
    return value;
}

/* The timer whose first row is due first; NULL: none is waiting. */
static const struct timer *timer_next(const struct run *run, const void **row_out, int64_t *due_us)
{
    const struct timer *next = NULL;
    for (size_t i = 0; i < run->worker->timers_n; i++) {
        const struct timer *timer = &run->worker->timers[i];
        const void *row = table_first(run->tables, timer->table, timer->index, NULL);
        if (row == NULL)
            continue;
        int64_t due = member_us(row, timer->due_offset);
        if (next == NULL || due < *due_us) {
            next = timer;
            *row_out = row;
            *due_us = due;
        }
    }
    return next;
}

/* So far ahead rows of far tables are asked for, and asked for again when half of it has passed. */
#define AHEAD_US HOUR_US
/* Rows kept in memory because they come due: with more, the next page waits until it is needed. */
#define NEAR_ROWS_MAX 131072

/* A far table's own index and due column are what its horizon is about. */
void timers_check(const struct run *run)
{
    for (size_t i = 0; i < run->worker->timers_n; i++) {
        const struct timer *timer = &run->worker->timers[i];
        const struct table_def *table = run->worker->tables[timer->table];
        assert(!table->far || (timer->index == 0 && timer->due_offset == table->due_offset));
        assert(table->indexes[timer->index].holds != NULL);
    }
}

static void want(struct run *run, unsigned table)
{
    tables_want_due(run->tables, table, run->state.checked_us + AHEAD_US);
}

/* All that comes due before that row of that timer (NULL: by checked_us) is in memory; otherwise it is asked for. Nothing fires
 * past what has been loaded. */
static bool is_reached(struct run *run, const struct timer *timer, const void *row, int64_t due_us)
{
    bool reached = true;
    for (size_t i = 0; i < run->worker->timers_n; i++) {
        unsigned table = run->worker->timers[i].table;
        const char *key = NULL;
        if (timer != NULL && table == timer->table)
            key = (const char *)row + tables_def(run->tables, table)->row->fields[0].offset;
        if (tables_reach(run->tables, table, timer != NULL ? due_us : run->state.checked_us, key))
            continue;
        want(run, table);
        reached = false;
    }
    return reached;
}

bool run_look_ahead(struct run *run, unsigned *table)
{
    for (size_t i = 0; i < run->worker->timers_n && run->state.pos >= run->upto; i++) {
        *table = run->worker->timers[i].table;
        if (tables_horizon_us(run->tables, *table) < run->state.checked_us + AHEAD_US / 2 &&
            tables_kept(run->tables, *table) < NEAR_ROWS_MAX) {
            want(run, *table);
            return true;
        }
    }
    return false;
}

size_t run_fired(const struct run *run, const int64_t **due_us)
{
    *due_us = run->fired_due_us;
    return run->timers_fired;
}

static void fire(struct run *run, const struct timer *timer, const void *row, int64_t due_us)
{
    const struct record *record = tables_def(run->tables, timer->table)->row;
    char key[256];
    text_copy(key, sizeof key, (const char *)row + record->fields[0].offset);
    char *changed = table_change(run->tables, timer->table, key);
    if (!MUTATION(MUTATION_TIMER_TWICE))
        memcpy(changed + timer->fired_offset, &due_us, sizeof due_us);
    if (!parking_stops_timer(run, timer, changed, due_us))
        timer->decide(run, run->tables, changed);
}

/* One timer missed rows: the other due ones run dry, so that one fetch brings all they need. */
static void collect_misses(struct run *run)
{
    size_t mark = tables_mark(run->tables);
    const struct timer *timer;
    const void *row = NULL;
    int64_t due_us = 0;
    run->dry = true;
    for (size_t i = run->timers_fired; i < TIMERS_PER_TRANSACTION_MAX; i++) {
        timer = timer_next(run, &row, &due_us);
        if (timer == NULL || due_us > run->state.checked_us)
            break;
        fire(run, timer, row, due_us);
    }
    run->dry = false;
    tables_undo(run->tables, mark);
}

/* Fires that one, alone in what it draws. */
static enum step fire_one(struct run *run, const struct timer *timer, const void *row, int64_t due_us)
{
    run_begin(run, run->state.pos, run->state.rec_us);
    size_t mark = tables_mark(run->tables);
    fire(run, timer, row, due_us);
    if (tables_missed(run->tables)) {
        tables_undo(run->tables, mark);
        run_undo_drawn(run);
        return STEP_MISS;
    }
    run->fired_due_us[run->timers_fired++] = due_us;
    return STEP_DONE;
}

enum step run_fire(struct run *run)
{
    const void *row = NULL;
    int64_t due_us = 0;
    for (;;) {
        const struct timer *timer = timer_next(run, &row, &due_us);
        bool due = timer != NULL && due_us <= run->state.checked_us;
        run->timers_left = true;
        if (due && (run->timers_fired == TIMERS_PER_TRANSACTION_MAX || run->held))
            return STEP_DONE;
        if (!is_reached(run, due ? timer : NULL, row, due_us))
            return STEP_MISS;
        run->timers_left = due;
        if (!due)
            return STEP_DONE;
        if (fire_one(run, timer, row, due_us) == STEP_MISS) {
            collect_misses(run);
            return STEP_MISS;
        }
    }
}

/* --- one by one -------------------------------------------------------------------------------- */

void run_hold(struct run *run, bool hold)
{
    run->held = hold;
}

/* NULL: none is due, or it is not known yet which (*step). */
static const struct timer *due_first(struct run *run, const void **row, int64_t *due_us, enum step *step)
{
    *step = STEP_DONE;
    if (run->state.pos < run->upto || run->timers_fired == TIMERS_PER_TRANSACTION_MAX)
        return NULL;
    const struct timer *timer = timer_next(run, row, due_us);
    if (timer == NULL || *due_us > run->state.checked_us)
        timer = NULL;
    if (is_reached(run, timer, *row, *due_us))
        return timer;
    *step = STEP_MISS;
    return NULL;
}

enum run_result run_next_timer(struct run *run, char name[RUN_TIMER_CAP])
{
    const void *row = NULL;
    int64_t due_us = 0;
    enum step step;
    const struct timer *timer = due_first(run, &row, &due_us, &step);
    name[0] = '\0';
    if (timer != NULL)
        timer_name(run, timer, row, due_us, name);
    return step == STEP_MISS ? RUN_MISS : RUN_DONE;
}

enum run_result run_fire_next(struct run *run)
{
    const void *row = NULL;
    int64_t due_us = 0;
    enum step step;
    const struct timer *timer = due_first(run, &row, &due_us, &step);
    if (timer != NULL)
        step = fire_one(run, timer, row, due_us);
    return step == STEP_MISS ? RUN_MISS : RUN_DONE;
}

void timer_kind(const struct run *run, const struct timer *timer, char out[EVENT_TIMER_CAP])
{
    const struct table_def *def = tables_def(run->tables, timer->table);
    text_format(out, EVENT_TIMER_CAP, "%s.%s", def->name, def->indexes[timer->index].name);
}

const char *timer_row_key(const struct run *run, const struct timer *timer, const void *row)
{
    return (const char *)row + tables_def(run->tables, timer->table)->row->fields[0].offset;
}

static const struct timer *timer_named(const struct run *run, const char *kind)
{
    char other[EVENT_TIMER_CAP];
    for (size_t i = 0; i < run->worker->timers_n; i++) {
        timer_kind(run, &run->worker->timers[i], other);
        if (text_equal(other, kind))
            return &run->worker->timers[i];
    }
    return NULL; /* of another release */
}

enum step timer_again(struct run *run, const struct event_parked *parked)
{
    const struct timer *timer = timer_named(run, parked->timer);
    char *row = timer != NULL ? table_change(run->tables, timer->table, parked->row) : NULL;
    if (row == NULL)
        return tables_missed(run->tables) ? STEP_MISS : STEP_DONE;
    const struct index_def *index = &tables_def(run->tables, timer->table)->indexes[timer->index];
    int64_t none = 0, fired_us = member_us(row, timer->fired_offset);
    memcpy(row + timer->fired_offset, &none, sizeof none);
    if (member_us(row, timer->due_offset) != parked->due_us || !index->holds(row)) {
        memcpy(row + timer->fired_offset, &fired_us, sizeof fired_us); /* the story has moved on */
        return STEP_DONE;
    }
    memcpy(row + timer->fired_offset, &parked->due_us, sizeof parked->due_us);
    timer->decide(run, run->tables, row);
    return tables_missed(run->tables) ? STEP_MISS : STEP_DONE;
}

bool run_timers_due(const struct run *run)
{
    return run->timers_left;
}

int64_t run_next_due_us(const struct run *run)
{
    const void *row = NULL;
    int64_t due_us = INT64_MAX;
    if (timer_next(run, &row, &due_us) == NULL)
        due_us = INT64_MAX;
    for (size_t i = 0; i < run->worker->timers_n; i++) {
        int64_t horizon_us = tables_horizon_us(run->tables, run->worker->timers[i].table);
        due_us = horizon_us < due_us ? horizon_us : due_us;
    }
    return due_us;
}
