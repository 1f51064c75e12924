/* Timers: due instants are columns, the near ones stand in ordered indexes. They fire in order of due time, then key, and
 * only on knowledge: checked_until. A fired one leaves its index until its conclusion is read back or its due changes. */
#include "worker/run_internal.h"

#include "base/text.h"
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

static void fire(struct run *run, const struct timer *timer, const void *row, int64_t due_us)
{
    const struct record *record = tables_def(run->tables, timer->table)->row;
    char key[256];
    text_copy(key, sizeof key, (const char *)row + record->fields[0].offset);
    char *changed = table_change(run->tables, timer->table, key);
    memcpy(changed + timer->fired_offset, &due_us, sizeof due_us);
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

enum step run_fire(struct run *run)
{
    const void *row = NULL;
    int64_t due_us = 0;
    for (;;) {
        const struct timer *timer = timer_next(run, &row, &due_us);
        run->timers_left = timer != NULL && due_us <= run->state.checked_us;
        if (!run->timers_left || run->timers_fired == TIMERS_PER_TRANSACTION_MAX)
            return STEP_DONE;
        run_begin(run, run->state.pos, run->state.rec_us);
        size_t mark = tables_mark(run->tables);
        fire(run, timer, row, due_us);
        if (tables_missed(run->tables)) {
            tables_undo(run->tables, mark);
            run_undo_drawn(run);
            collect_misses(run);
            return STEP_MISS;
        }
        run->timers_fired++;
    }
}

int64_t run_next_due_us(const struct run *run)
{
    const void *row = NULL;
    int64_t due_us = INT64_MAX;
    return timer_next(run, &row, &due_us) == NULL ? INT64_MAX : due_us;
}
