/* Sweeps: work wider than an event may do. Open rows that are behind are found by what they follow, page by page, and one conclusion
 * is drawn for each. Nothing of where a sweep stands is stored: a row that was seen to is no longer found. */
#include "worker/run_internal.h"

#include "base/text.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* Rows looked at for each that may be concluded about: with one conclusion for all clocks of a ticket there is nothing to say of most. */
#define LOOKED_AT_EACH 4

/* --- lists of texts ------------------------------------------------------------------------------ */

static void texts_clear(struct run_texts *texts)
{
    buf_reset(&texts->bytes);
    texts->at = 0;
}

static void texts_add(struct run_texts *texts, const char *text)
{
    buf_append(&texts->bytes, text, strlen(text) + 1);
}

static const char *texts_head(const struct run_texts *texts)
{
    return texts->at < texts->bytes.len ? (const char *)texts->bytes.data + texts->at : NULL;
}

static void texts_next(struct run_texts *texts)
{
    texts->at += strlen(texts_head(texts)) + 1;
    if (texts->at == texts->bytes.len)
        texts_clear(texts);
}

/* --- life ---------------------------------------------------------------------------------------- */

void sweeps_new(struct run *run)
{
    run->sweeps = memory_new((run->worker->sweeps_n + 1) * sizeof run->sweeps[0]);
    for (size_t i = 0; i < run->worker->sweeps_n; i++) {
        run->sweeps[i].def = &run->worker->sweeps[i];
        assert(tables_def(run->tables, run->sweeps[i].def->table)->sweep_offset != 0);
        for (size_t k = 0; k < i; k++) /* a table answers one question at a time */
            assert(run->sweeps[k].def->table != run->sweeps[i].def->table);
    }
    run->sweep_most = SWEPT_PER_TRANSACTION_MAX;
}

void sweeps_release(struct run *run)
{
    for (size_t i = 0; i < run->worker->sweeps_n; i++) {
        buf_release(&run->sweeps[i].values.bytes);
        buf_release(&run->sweeps[i].left.bytes);
    }
    free(run->sweeps);
}

void sweeps_start(struct run *run)
{
    for (size_t i = 0; i < run->worker->sweeps_n; i++) {
        struct run_sweep *sweep = &run->sweeps[i];
        sweep->phase = SWEEP_REST;
        sweep->again = true; /* a stop may have come in the middle of one */
        sweep->waits[0] = '\0';
        sweep->began = false;
        texts_clear(&sweep->values);
        texts_clear(&sweep->left);
    }
    run->swept = run->looked_at = 0;
}

/* --- what starts one ----------------------------------------------------------------------------- */

void sweeps_on_event(struct run *run, const char *type)
{
    /* What was set aside has been seen to: other rows of that story may have waited for it. */
    if (text_equal(type, "event.released") || text_equal(type, "event.dropped"))
        for (size_t i = 0; i < run->worker->sweeps_n; i++)
            run->sweeps[i].again = true;
    for (size_t i = 0; i < run->worker->sweeps_n; i++)
        for (const char *const *on = run->sweeps[i].def->on; *on != NULL; on++)
            run->sweeps[i].again = run->sweeps[i].again || text_equal(*on, type);
}

const char *sweep_value(const struct run *run, const struct sweep *sweep, const void *row)
{
    return (const char *)row + tables_def(run->tables, sweep->table)->sweep_offset;
}

static bool is_behind(const struct run *run, const struct sweep *sweep, const void *row)
{
    const struct table_def *table = tables_def(run->tables, sweep->table);
    const char *value = sweep_value(run, sweep, row);
    return *(const bool *)((const char *)row + table->open_offset) && *value != '\0' && sweep->behind(run->tables, value);
}

struct touch {
    struct run *run;
    struct run_sweep *sweep;
};

static void touched(const void *row, void *arg)
{
    const struct touch *touch = arg;
    if (is_behind(touch->run, touch->sweep->def, row)) {
        const struct record *record = tables_def(touch->run->tables, touch->sweep->def->table)->row;
        texts_add(&touch->sweep->left, (const char *)row + record->fields[0].offset);
    }
}

/* A row may be made or opened again by what was on its way when the sweep passed its place. */
void sweeps_on_commit(struct run *run)
{
    run->swept = run->looked_at = 0;
    for (size_t i = 0; i < run->worker->sweeps_n; i++) {
        struct touch touch = {run, &run->sweeps[i]};
        touch.sweep->began = false;
        if (run->state.pos >= run->upto)
            tables_touched(run->tables, touch.sweep->def->table, touched, &touch);
    }
}

/* --- one row ------------------------------------------------------------------------------------- */

/* NULL: there is nothing to do about it, or it is not known yet (tables_missed). */
static const void *row_behind(const struct run *run, const struct run_sweep *sweep, const char *key)
{
    const void *row = table_get(run->tables, sweep->def->table, key);
    return row != NULL && is_behind(run, sweep->def, row) && !tables_missed(run->tables) ? row : NULL;
}

static void row_decide(struct run *run, const struct run_sweep *sweep, const char *key)
{
    const void *row = row_behind(run, sweep, key);
    if (row != NULL && !parking_stops_sweep(run, sweep->def, row))
        sweep->def->decide(run, run->tables, row);
}

/* The rest of the page is run dry, so that one fetch brings what all of them need. */
static void collect_misses(struct run *run, const struct run_sweep *sweep, const char *first)
{
    const char *const *keys = NULL;
    bool more;
    size_t mark = tables_mark(run->tables);
    size_t n = sweep->phase == SWEEP_KEYS ? tables_answer(run->tables, sweep->def->table, &keys, &more) : 0;
    run->dry = true;
    for (size_t i = sweep->key_at; i < n && i < sweep->key_at + LOOKED_AT_EACH * run->sweep_most; i++) {
        const void *row = keys[i] == first ? NULL : table_get(run->tables, sweep->def->table, keys[i]);
        if (row != NULL && is_behind(run, sweep->def, row) && !parking_stops_sweep(run, sweep->def, row))
            sweep->def->decide(run, run->tables, row);
    }
    run->dry = false;
    tables_undo(run->tables, mark);
}

/* The row whose turn it is: of those that events have left behind, else of the page at hand. */
static const char *row_at_hand(const struct run *run, const struct run_sweep *sweep)
{
    const char *const *keys;
    bool more;
    if (texts_head(&sweep->left) != NULL)
        return texts_head(&sweep->left);
    (void)tables_answer(run->tables, sweep->def->table, &keys, &more);
    return keys[sweep->key_at];
}

static void row_pass(struct run_sweep *sweep)
{
    if (texts_head(&sweep->left) != NULL)
        texts_next(&sweep->left);
    else
        sweep->key_at++;
}

static enum step row_sweep(struct run *run, struct run_sweep *sweep)
{
    run_begin(run, run->state.pos, run->state.rec_us);
    size_t mark = tables_mark(run->tables);
    row_decide(run, sweep, row_at_hand(run, sweep));
    if (tables_missed(run->tables)) {
        tables_undo(run->tables, mark);
        run_undo_drawn(run);
        return STEP_MISS;
    }
    run->looked_at++;
    sweep->began = true;
    if (run->conclusions_n > run->drawn_from) {
        sweep->drew = true;
        text_copy(sweep->waits, sizeof sweep->waits, (const char *)run->slots.data);
        run->swept++;
    }
    row_pass(sweep);
    return STEP_DONE;
}

/* --- pages --------------------------------------------------------------------------------------- */

enum turn { TURN_ON, TURN_MISS, TURN_REST, TURN_ROW };

static enum turn asked(const struct run *run, const struct run_sweep *sweep)
{
    struct sweep_question question;
    return tables_asked(run->tables, sweep->def->table, &question) ? TURN_MISS : TURN_ON;
}

static void values_take(struct run *run, struct run_sweep *sweep)
{
    const char *const *values;
    bool more;
    size_t n = tables_answer(run->tables, sweep->def->table, &values, &more);
    texts_clear(&sweep->values);
    for (size_t i = 0; i < n; i++)
        if (sweep->def->behind(run->tables, values[i]))
            texts_add(&sweep->values, values[i]);
}

/* From the rows of one value to those of the next, or to the end of the pass. What it concluded may have come too late for a
 * row: only a pass that has nothing to do is the last one. */
static enum turn value_begin(struct run *run, struct run_sweep *sweep)
{
    const char *value = texts_head(&sweep->values);
    sweep->key_at = 0;
    if (value != NULL) {
        sweep->phase = SWEEP_KEYS;
        tables_ask_keys(run->tables, sweep->def->table, value, "");
        return asked(run, sweep);
    }
    sweep->phase = SWEEP_REST;
    sweep->again = sweep->again || sweep->drew;
    return sweep->drew ? TURN_REST : TURN_ON;
}

static enum turn page_next(struct run *run, struct run_sweep *sweep, const char *const *keys, size_t n, bool more)
{
    if (!more) {
        texts_next(&sweep->values);
        return value_begin(run, sweep);
    }
    sweep->key_at = 0;
    tables_ask_keys(run->tables, sweep->def->table, texts_head(&sweep->values), keys[n - 1]);
    return asked(run, sweep);
}

static enum turn page_turn(struct run *run, struct run_sweep *sweep)
{
    const char *const *keys;
    bool more;
    size_t n = tables_answer(run->tables, sweep->def->table, &keys, &more);
    return sweep->key_at == n ? page_next(run, sweep, keys, n, more) : TURN_ROW;
}

static enum turn pass_begin(struct run *run, struct run_sweep *sweep)
{
    if (!sweep->again)
        return TURN_REST;
    sweep->again = sweep->drew = false;
    sweep->phase = SWEEP_VALUES;
    tables_ask_values(run->tables, sweep->def->table);
    return asked(run, sweep);
}

/* On to the next row, and no further. */
static enum turn turn(struct run *run, struct run_sweep *sweep)
{
    if (asked(run, sweep) == TURN_MISS)
        return TURN_MISS;
    if (texts_head(&sweep->left) != NULL)
        return TURN_ROW;
    switch (sweep->phase) {
    case SWEEP_REST:
        return pass_begin(run, sweep);
    case SWEEP_VALUES:
        values_take(run, sweep);
        return value_begin(run, sweep);
    case SWEEP_KEYS:
        break;
    }
    return page_turn(run, sweep);
}

static bool is_unfinished(const struct run_sweep *sweep)
{
    return sweep->phase != SWEEP_REST || sweep->again || texts_head(&sweep->left) != NULL;
}

/* What the last transaction concluded is read back first: a sweep is never further ahead of the journal than that. */
static bool is_waiting(const struct run *run, const struct run_sweep *sweep)
{
    return !sweep->began && sweep->waits[0] != '\0' && flight_has(run->flight, sweep->waits);
}

/* Timers go first. */
static bool is_time(const struct run *run)
{
    return run->state.pos >= run->upto && !run->timers_left;
}

static enum turn row_turn(struct run *run, struct run_sweep *sweep)
{
    if (row_sweep(run, sweep) == STEP_DONE)
        return TURN_ON;
    collect_misses(run, sweep, row_at_hand(run, sweep));
    return TURN_MISS;
}

enum step run_sweep(struct run *run)
{
    if (!is_time(run) || run->held)
        return STEP_DONE;
    for (size_t i = 0; i < run->worker->sweeps_n; i++) {
        struct run_sweep *sweep = &run->sweeps[i];
        enum turn next = is_waiting(run, sweep) ? TURN_REST : TURN_ON;
        while (next == TURN_ON && run->swept < run->sweep_most && run->looked_at < LOOKED_AT_EACH * run->sweep_most) {
            next = turn(run, sweep);
            next = next == TURN_ROW ? row_turn(run, sweep) : next;
        }
        if (next == TURN_MISS)
            return STEP_MISS;
    }
    return STEP_DONE;
}

/* --- one by one -------------------------------------------------------------------------------- */

/* The sweep that has a row at hand which is behind; those that are not any more are passed. NULL: there is none, or it is not known
 * yet (*step). */
static struct run_sweep *swept_next(struct run *run, enum step *step)
{
    *step = STEP_DONE;
    for (size_t i = 0; i < run->worker->sweeps_n && is_time(run) && run->swept < run->sweep_most; i++) {
        struct run_sweep *sweep = &run->sweeps[i];
        enum turn next = is_waiting(run, sweep) ? TURN_REST : turn(run, sweep);
        while (next == TURN_ON || next == TURN_ROW) {
            if (next == TURN_ROW && row_behind(run, sweep, row_at_hand(run, sweep)) != NULL)
                return sweep;
            if (tables_missed(run->tables))
                break;
            if (next == TURN_ROW)
                row_pass(sweep);
            next = turn(run, sweep);
        }
        if (next == TURN_MISS || tables_missed(run->tables)) {
            *step = STEP_MISS;
            return NULL;
        }
    }
    return NULL;
}

enum run_result run_next_swept(struct run *run, char name[RUN_TIMER_CAP])
{
    enum step step;
    const struct run_sweep *sweep = swept_next(run, &step);
    name[0] = '\0';
    if (sweep != NULL)
        sweep_name(run, sweep->def, row_behind(run, sweep, row_at_hand(run, sweep)), name);
    return step == STEP_MISS ? RUN_MISS : RUN_DONE;
}

enum run_result run_sweep_next(struct run *run)
{
    enum step step;
    struct run_sweep *sweep = swept_next(run, &step);
    if (sweep != NULL)
        step = row_sweep(run, sweep);
    return step == STEP_MISS ? RUN_MISS : RUN_DONE;
}

/* --- what was set aside ------------------------------------------------------------------------ */

void sweep_kind(const struct run *run, const struct sweep *sweep, char out[EVENT_TIMER_CAP])
{
    const struct table_def *def = tables_def(run->tables, sweep->table);
    for (size_t i = 0; i < def->row->n; i++)
        if (def->row->fields[i].offset == def->sweep_offset)
            text_format(out, EVENT_TIMER_CAP, "%s.%s", def->name, def->row->fields[i].name);
}

static const struct sweep *sweep_named(const struct run *run, const char *kind)
{
    char other[EVENT_TIMER_CAP];
    for (size_t i = 0; i < run->worker->sweeps_n; i++) {
        sweep_kind(run, &run->worker->sweeps[i], other);
        if (text_equal(other, kind))
            return &run->worker->sweeps[i];
    }
    return NULL; /* of another release */
}

enum step sweep_again(struct run *run, const struct event_parked *parked)
{
    const struct sweep *sweep = sweep_named(run, parked->timer);
    const void *row = sweep != NULL ? table_get(run->tables, sweep->table, parked->row) : NULL;
    char follows[EVENT_FOLLOWS_CAP] = "";
    if (row != NULL)
        text_copy(follows, sizeof follows, sweep_value(run, sweep, row));
    if (row != NULL && text_equal(follows, parked->follows) && is_behind(run, sweep, row) && !tables_missed(run->tables))
        sweep->decide(run, run->tables, row);
    return tables_missed(run->tables) ? STEP_MISS : STEP_DONE;
}

/* --- how it stands ----------------------------------------------------------------------------- */

bool run_sweeping(const struct run *run)
{
    for (size_t i = 0; i < run->worker->sweeps_n; i++)
        if (is_unfinished(&run->sweeps[i]))
            return true;
    return false;
}

bool run_sweep_ready(const struct run *run)
{
    for (size_t i = 0; i < run->worker->sweeps_n && run->state.pos >= run->upto; i++)
        if (is_unfinished(&run->sweeps[i]) && !is_waiting(run, &run->sweeps[i]))
            return true;
    return false;
}

size_t run_swept(const struct run *run)
{
    return run->swept;
}

void run_sweep_limit(struct run *run, size_t rows)
{
    run->sweep_most = rows < SWEPT_PER_TRANSACTION_MAX ? rows : SWEPT_PER_TRANSACTION_MAX;
}
