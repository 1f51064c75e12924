/* One company on stepped time: what the daemons do on a stepped stream, in one thread. */
#include "simulator.h"
#include "base/text.h"
#include "bus/verbs.h"
#include "inside.h"
#include "record/pack.h"
#include "services/dispatcher/dispatcher.h"
#include "services/follow-up/follow_up.h"
#include "services/reporting/reporting.h"
#include "services/sla-watchdog/sla_watchdog.h"
#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define READ_EVENTS_MAX 256
#define ROUNDS_MAX      100000

/* --- the journal ---------------------------------------------------------------------------------
 */

/* What was taken is durable at once. */
static void batch_keep(struct simulator *sim, bool from_worker)
{
    for (uint32_t i = 0; i < sim->batch.entries_n; i++) {
        const struct entry *entry = &sim->batch.entries[i];
        struct book_entry *kept =
            book_add(&sim->book, journal_batch_bytes(&sim->batch, entry->body),
                     journal_batch_bytes(&sim->batch, entry->priv), entry->link);
        kept->rec_us = entry->rec_us;
        kept->type = book_type(&sim->book, entry->type);
        kept->from_worker = from_worker && entry->source != SOURCE_OWN;
    }
    tables_forget(sim->taker.tables);
    journal_batch_begin(&sim->batch, &sim->taker.journal);
}

bool simulator_take(struct simulator *sim, struct source_row *source, struct bytes draft,
                    struct problem *problem)
{
    uint8_t salt[SALT_BYTES] = {0};
    if (!skim(draft, problem))
        return false; /* a frame with it in is malformed */
    uint64_t number = ++sim->salts;
    memcpy(salt, &number, sizeof(number));
    buf_reset(&sim->answer);
    enum take take = taker_take(&sim->taker, &sim->batch, source, draft, source->last + 1,
                                sim->now_us, salt, &sim->answer);
    assert(take == TAKE_DONE); /* every row is in memory */
    bool taken =
        sim->batch.refusals_n == 0 || text_equal(sim->batch.refusals[0].problem.code, "repeat");
    if (!taken)
        *problem = sim->batch.refusals[0].problem;
    batch_keep(sim, source >= sim->workers && source < sim->workers + SIMULATOR_WORKERS);
    return taken;
}

static bool fail(struct simulator *sim, const char *format, ...) PRINTF_LIKE(2, 3);
static bool fail(struct simulator *sim, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(sim->error, sizeof(sim->error), format, args);
    va_end(args);
    return false;
}

/* --- the workers ---------------------------------------------------------------------------------
 */

static bool conclusions_take(struct simulator *sim, size_t i, bool *concluded)
{
    const struct run_conclusion *conclusions;
    struct problem problem;
    size_t n = node_conclusions(&sim->nodes[i], &conclusions);
    for (size_t c = 0; c < n; c++)
        if (!simulator_take(sim, &sim->workers[i], conclusions[c].draft, &problem))
            return fail(sim, "intake refuses what %s concluded from event %llu: %s %s %s",
                        sim->nodes[i].worker->name, (unsigned long long)conclusions[c].trigger,
                        problem.code, problem.field, problem.args);
    *concluded = *concluded || n > 0;
    return true;
}

static bool worker_read(struct simulator *sim, size_t i, bool *concluded)
{
    struct node *node = &sim->nodes[i];
    while (node_is_behind(node, &sim->book)) {
        bool fine = node->read < sim->book.n ? node_read(node, &sim->book, READ_EVENTS_MAX)
                                             : node_fire(node);
        if (!fine)
            return fail(sim, "%s stopped: %s", node->worker->name, run_error(node->run));
        if (!conclusions_take(sim, i, concluded))
            return false;
        node_commit(node);
    }
    return true;
}

bool simulator_settle(struct simulator *sim)
{
    bool concluded = true;
    for (size_t round = 0; concluded; round++) {
        concluded = false;
        if (round == ROUNDS_MAX)
            return fail(sim, "the workers do not come to rest at event %zu", sim->book.n);
        for (size_t i = 0; i < SIMULATOR_WORKERS; i++)
            if (!worker_read(sim, i, &concluded))
                return false;
    }
    return true;
}

/* --- beginning -----------------------------------------------------------------------------------
 */

static void principal_say(struct simulator *sim, struct source_row *source, const char *id,
                          enum principal_kind kind, const char *const *types)
{
    struct principal principal;
    record_clear(&principal_record, &principal);
    text_copy(principal.id, sizeof(principal.id), id);
    principal.kind = (int)kind;
    principal.personal = true;
    for (; types != NULL && *types != NULL; types++)
        text_copy(principal.types[principal.types_n++], EVENT_TYPE_CAP, *types);
    if (types != NULL)
        text_copy(principal.types[principal.types_n++], EVENT_TYPE_CAP, "event.parked");
    taker_say(&sim->taker, &sim->batch, "principal.added", id, &principal, sim->now_us);
    static int64_t const first_source = SOURCE_OWN + 1;
    text_copy(source->name, sizeof(source->name), id);
    source->id = first_source + sim->own.id++;
}

static void stream_say(struct simulator *sim, const char *name, const char *clock_source)
{
    struct journal *journal = &sim->taker.journal;
    struct stream_created *stream = &journal->stream;
    record_clear(&stream_created_record, stream);
    text_copy(stream->stream, sizeof(stream->stream), name);
    stream->clock = CLOCK_STEPPED;
    stream->start_us = sim->config.start_us;
    text_copy(stream->clock_source, sizeof(stream->clock_source), clock_source);
    for (size_t i = 0; i < SIMULATOR_WORKERS; i++)
        text_copy(stream->workers[stream->workers_n++], sizeof(stream->workers[0]),
                  sim->nodes[i].worker->name);
    journal->head.rec_us = sim->now_us;
    link_first(name, journal->head.link);
    journal_batch_begin(&sim->batch, journal);
    taker_say(&sim->taker, &sim->batch, "stream.created", name, stream, sim->now_us);
    principal_say(sim, &sim->clerk, "operator", PRINCIPAL_OPERATOR, NULL);
    principal_say(sim, &sim->world, clock_source, PRINCIPAL_IMPORT, NULL);
    for (size_t i = 0; i < SIMULATOR_WORKERS; i++)
        principal_say(sim, &sim->workers[i], sim->nodes[i].worker->name, PRINCIPAL_WORKER,
                      sim->nodes[i].worker->concludes);
    batch_keep(sim, false);
}

static const struct worker *const workers[SIMULATOR_WORKERS] = {
    &dispatcher_worker, &sla_watchdog_worker, &follow_up_worker, &reporting_worker};

bool simulator_is_author(const char *source)
{
    for (size_t i = 0; i < SIMULATOR_WORKERS; i++)
        if (text_equal(workers[i]->name, source))
            return true;
    return text_equal(source, SOURCE_OWN_NAME);
}

struct simulator *simulator_new(const struct simulator_config *config)
{
    struct simulator *sim = memory_new(sizeof(*sim));
    sim->config = *config;
    sim->now_us = config->start_us;
    sim->drafts = arena_new(1 << 16);
    taker_init(&sim->taker, SIZE_MAX);
    tables_keep_all(sim->taker.tables);
    book_init(&sim->book);
    for (size_t i = 0; i < SIMULATOR_WORKERS; i++)
        node_init(&sim->nodes[i], workers[i], config->cache_rows, config->durable);
    stream_say(sim, config->stream != NULL ? config->stream : "simulated-00000000",
               config->clock_source != NULL ? config->clock_source : "import");
    return sim;
}

void simulator_destroy(struct simulator **sim_p)
{
    struct simulator *sim = *sim_p;
    if (sim == NULL)
        return;
    for (size_t i = 0; i < SIMULATOR_WORKERS; i++)
        node_release(&sim->nodes[i]);
    book_release(&sim->book);
    taker_release(&sim->taker);
    journal_batch_release(&sim->batch);
    arena_destroy(&sim->drafts);
    buf_release(&sim->answer);
    buf_release(&sim->draft);
    buf_release(&sim->data);
    buf_release(&sim->priv);
    free(sim->refusals);
    free(sim->queue);
    free(sim);
    *sim_p = NULL;
}

const char *simulator_error(const struct simulator *sim)
{
    return sim->error;
}

/* --- facts ---------------------------------------------------------------------------------------
 */

size_t simulator_append_draft(struct simulator *sim, int64_t told_us, struct bytes draft)
{
    if (sim->queue_n == sim->queue_cap) {
        sim->queue_cap = sim->queue_cap > 0 ? 2 * sim->queue_cap : 64;
        sim->queue = memory_grow(sim->queue, sim->queue_cap * sizeof(*sim->queue));
    }
    uint8_t *copy = arena_alloc(sim->drafts, draft.len);
    memcpy(copy, draft.data, draft.len);
    struct queued *queued = &sim->queue[sim->queue_n++];
    *queued = (struct queued){.told_us = told_us < sim->now_us ? sim->now_us : told_us,
                              .fact = ++sim->facts,
                              .draft = bytes_of(copy, draft.len)};
    if (sim->queue_n - sim->queue_next > 1 && queued[-1].told_us > queued->told_us)
        sim->queue_sorted = false;
    return queued->fact;
}

size_t simulator_append(struct simulator *sim, const struct simulator_fact *fact)
{
    const struct draft draft = {.type = fact->type,
                                .key = fact->key,
                                .at_us = fact->at_us != 0 ? fact->at_us : fact->told_us,
                                .by = fact->by,
                                .data = fact->data,
                                .priv = fact->priv};
    buf_reset(&sim->draft);
    draft_encode(&draft, &sim->draft);
    return simulator_append_draft(sim, fact->told_us, buf_bytes(&sim->draft));
}

static int queued_compare(const void *left, const void *right)
{
    const struct queued *a = left, *b = right;
    if (a->told_us != b->told_us)
        return a->told_us < b->told_us ? -1 : 1;
    return a->fact < b->fact ? -1 : a->fact > b->fact;
}

static void queue_sort(struct simulator *sim)
{
    if (!sim->queue_sorted && sim->queue_next < sim->queue_n)
        qsort(sim->queue + sim->queue_next, sim->queue_n - sim->queue_next, sizeof(*sim->queue),
              queued_compare);
    sim->queue_sorted = true;
    if (sim->queue_next == sim->queue_n)
        sim->queue_next = sim->queue_n = 0;
}

size_t simulator_waiting(const struct simulator *sim)
{
    return sim->queue_n - sim->queue_next;
}

static void fact_refused(struct simulator *sim, size_t fact, const struct problem *problem)
{
    if (sim->refusals_n == sim->refusals_cap) {
        sim->refusals_cap = sim->refusals_cap > 0 ? 2 * sim->refusals_cap : 16;
        sim->refusals = memory_grow(sim->refusals, sim->refusals_cap * sizeof(*sim->refusals));
    }
    sim->refusals[sim->refusals_n++] =
        (struct simulator_refusal){.fact = fact, .problem = *problem};
}

const struct simulator_refusal *simulator_refusal(const struct simulator *sim, size_t i)
{
    return i < sim->refusals_n ? &sim->refusals[i] : NULL;
}

/* --- time ----------------------------------------------------------------------------------------
 */

static int64_t timers_due_us(const struct simulator *sim)
{
    int64_t due_us = INT64_MAX;
    for (size_t i = 0; i < SIMULATOR_WORKERS; i++) {
        if (sim->nodes[i].due_us < due_us)
            due_us = sim->nodes[i].due_us;
    }
    return due_us;
}

int64_t simulator_next_us(const struct simulator *sim)
{
    int64_t next_us = timers_due_us(sim);
    for (size_t i = sim->queue_next; i < sim->queue_n; i++)
        if (sim->queue[i].told_us < next_us)
            next_us = sim->queue[i].told_us;
    return next_us;
}

static bool time_say(struct simulator *sim)
{
    struct problem problem;
    const struct time_reached reached = {.time_us = sim->now_us};
    buf_reset(&sim->data);
    record_encode(&time_reached_record, RECORD_PLAIN, &reached, &sim->data);
    const struct draft draft = {.type = "time.reached",
                                .key = "clock",
                                .at_us = sim->now_us,
                                .data = buf_bytes(&sim->data)};
    buf_reset(&sim->draft);
    draft_encode(&draft, &sim->draft);
    if (!simulator_take(sim, &sim->world, buf_bytes(&sim->draft), &problem))
        return fail(sim, "intake refuses time.reached: %s %s", problem.code, problem.field);
    return true;
}

/* Facts of the step. In exact time each is answered before the next is told: that is how they came.
 */
static bool facts_tell(struct simulator *sim)
{
    struct problem problem;
    bool any = false;
    for (; sim->queue_next < sim->queue_n && sim->queue[sim->queue_next].told_us <= sim->now_us;
         sim->queue_next++) {
        const struct queued *queued = &sim->queue[sim->queue_next];
        if (!simulator_take(sim, &sim->world, queued->draft, &problem))
            fact_refused(sim, queued->fact, &problem);
        else if (sim->config.step_us == 0 && !simulator_settle(sim))
            return false;
        any = true;
        if (sim->config.told != NULL)
            sim->config.told(sim->config.owner, ++sim->told);
    }
    return !any || sim->config.step_us == 0 || simulator_settle(sim);
}

/* A step to end_us. Where no timer waits for it, time.reached would move nothing and is left out,
 * unless `say`. */
static bool step(struct simulator *sim, int64_t end_us, bool say)
{
    sim->now_us = end_us;
    journal_step(&sim->taker.journal, end_us);
    if (!facts_tell(sim))
        return false;
    bool due = timers_due_us(sim) <= end_us;
    if (!due && (!say || sim->reached_us == end_us))
        return true;
    sim->reached_us = end_us;
    return time_say(sim) && simulator_settle(sim);
}

static int64_t step_end(int64_t us, int64_t step_us)
{
    int64_t rest = us % step_us;
    if (rest < 0)
        rest += step_us;
    return rest == 0 ? us : us - rest + step_us;
}

static int64_t next_end(struct simulator *sim, int64_t to_us)
{
    int64_t next_us = timers_due_us(sim);
    if (sim->queue_next < sim->queue_n && sim->queue[sim->queue_next].told_us < next_us)
        next_us = sim->queue[sim->queue_next].told_us;
    if (next_us >= to_us)
        return to_us;
    if (next_us < sim->now_us)
        next_us = sim->now_us;
    if (sim->config.step_us > 0)
        next_us = step_end(next_us, sim->config.step_us);
    return next_us < to_us ? next_us : to_us;
}

bool simulator_advance(struct simulator *sim, int64_t to_us)
{
    if (sim->error[0] != '\0')
        return false;
    assert(to_us >= sim->now_us);
    queue_sort(sim);
    for (;;) {
        int64_t end_us = next_end(sim, to_us);
        if (!step(sim, end_us, end_us == to_us))
            return false;
        if (end_us == to_us)
            return true;
    }
}

/* --- what came of it -----------------------------------------------------------------------------
 */

uint64_t simulator_head(const struct simulator *sim)
{
    return sim->book.n;
}

void simulator_event(const struct simulator *sim, uint64_t pos, struct event *event)
{
    struct problem problem;
    const struct book_entry *entry = book_at(&sim->book, pos);
    assert(entry != NULL);
    bool fine = event_decode(entry->body, entry->priv, event, &problem);
    assert(fine);
}

const struct tables *simulator_tables(const struct simulator *sim, const char *worker)
{
    for (size_t i = 0; i < SIMULATOR_WORKERS; i++)
        if (text_equal(sim->nodes[i].worker->name, worker))
            return run_tables(sim->nodes[i].run);
    return NULL;
}

int simulator_table(const struct tables *tables, const char *name)
{
    for (unsigned table = 0; table < tables_count(tables); table++)
        if (text_equal(tables_def(tables, table)->name, name))
            return (int)table;
    return -1;
}

size_t simulator_parked(const struct simulator *sim)
{
    size_t n = 0;
    for (size_t i = 0; i < SIMULATOR_WORKERS; i++)
        n += run_parked(sim->nodes[i].run);
    return n;
}

struct node *simulator_node(struct simulator *sim, size_t i)
{
    return i < SIMULATOR_WORKERS ? &sim->nodes[i] : NULL;
}
