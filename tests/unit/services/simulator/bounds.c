/* Events that intake takes, with everything in them as far out as it goes, through the desk and all workers under a policy: nobody
 * may abort, stop, set anything aside, reckon without end, or conclude what intake refuses; what is journaled and kept lies in the
 * years that a record can say; a fold anew gives the same rows. One seed is one company, to the last byte.
 *   bounds [--seed N] [--seeds N] [--facts N] [--policy FILE] [--trace] */
#include "base/text.h"
#include "fuzz/fill.h"
#include "proto/catalogue.h"
#include "record/pack.h"
#include "services/intake/archive.h"
#include "services/simulator/inside.h"
#include "worker/reference.h"
#include <assert.h>
#include <glob.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define NOON INT64_C(1782205200000000) /* 2026-06-23, where fill's instants lie */
#define WORDS_MAX 1024
#define LONG_KEY "K234567890123456789012345678901234567890123456789012345678901234"
/* A worker gives itself up after ten seconds in one event; sanitizers make it several times slower. */
#define TOLD_CPU_MAX_S 30

struct pool {
    char words[WORDS_MAX][64];
    size_t n;
};

struct play {
    uint64_t seed;
    const char *policy_path;
    struct chance chance;
    struct simulator *sim;
    const struct policy *policy;
    struct pool kinds, regions, priorities, products, channels, phases, reasons, clauses, rungs, worth;
    struct fill_habits habits;
    double slowest_s;
    char slowest[120];
    bool trace;
};

static const char *const keys[] = {"T1", "T2", "T3", LONG_KEY, "U1"};
static const char *const sites[] = {"S1", "S2", "HQ", "S23456789012345678901234567890123456789012345678901234567890123X"};
static const char *const persons[] = {"E1", "E2", "E234567890123456789012345678901234567890123456789012345678901234"};
static const char *const numbers[] = {"1", "2", "3", "9", "1000000", "9223372036854775807"};

static void broken(const struct play *play, const char *what, const char *detail)
{
    fprintf(stderr, "seed %" PRIu64 ", %s: %s: %s\n", play->seed, play->policy_path, what, detail);
    exit(1);
}

static const char *any(struct chance *chance, const char *const *words, size_t n)
{
    return words[chance_below(chance, n)];
}
#define ANY(chance, words) any(chance, words, COUNT_OF(words))

/* --- words that mean something to the policy ------------------------------------------------------------ */

static void learn(struct pool *pool, const char *word)
{
    for (size_t i = 0; i < pool->n; i++)
        if (text_equal(pool->words[i], word))
            return;
    if (word[0] != '\0' && pool->n < WORDS_MAX)
        text_copy(pool->words[pool->n++], sizeof(pool->words[0]), word);
}

static void learn_list(struct pool *pool, const struct slice *list, size_t cap)
{
    for (uint32_t i = 0; i < list->n; i++)
        learn(pool, (const char *)list->items + i * cap);
}

static void learn_match(struct play *play, const struct policy_match *match)
{
    learn_list(&play->kinds, &match->kinds, POLICY_KIND_CAP);
    learn_list(&play->regions, &match->regions, POLICY_REGION_CAP);
    learn_list(&play->priorities, &match->priorities, POLICY_WORD_CAP);
    learn_list(&play->products, &match->products, POLICY_PRODUCT_CAP);
    learn_list(&play->channels, &match->channels, POLICY_WORD_CAP);
    learn_list(&play->phases, &match->phases, POLICY_WORD_CAP);
}

static void learn_events(struct play *play, const struct slice *list)
{
    const struct policy_event *events = list->items;
    for (uint32_t i = 0; i < list->n; i++) {
        const struct policy_when *when = events[i].when.items;
        for (uint32_t w = 0; w < events[i].when.n; w++) {
            learn_list(&play->worth, &when[w].is, POLICY_WORTH_CAP);
            learn_list(&play->worth, &when[w].is_not, POLICY_WORTH_CAP);
        }
    }
}

static void learn_clause(struct play *play, const struct policy_clause *clause)
{
    const struct policy_limit *limits = clause->limits.items;
    learn(&play->clauses, clause->id);
    learn_events(play, &clause->start);
    learn_events(play, &clause->stop);
    learn_events(play, &clause->reset);
    learn_events(play, &clause->cancel);
    for (uint32_t i = 0; i < clause->limits.n; i++)
        learn_match(play, &limits[i].match);
}

static void learn_policy(struct play *play)
{
    const struct policy *policy = play->policy;
    const struct policy_kind *kinds = policy->kinds.items;
    const struct policy_rung *rungs = policy->ladder.items;
    const struct policy_pause *pauses = policy->pauses.items;
    const struct policy_region_class *classes = policy->region_classes.items;
    for (uint32_t i = 0; i < policy->kinds.n; i++)
        learn(&play->kinds, text_equal(kinds[i].name, "*") ? "anything" : kinds[i].name);
    for (uint32_t i = 0; i < policy->ladder.n; i++)
        learn(&play->rungs, rungs[i].to);
    for (uint32_t i = 0; i < policy->pauses.n; i++) {
        learn(&play->reasons, pauses[i].reason);
        learn_events(play, &pauses[i].begin);
        learn_events(play, &pauses[i].end);
    }
    for (uint32_t i = 0; i < policy->region_classes.n; i++)
        learn_list(&play->regions, &classes[i].regions, POLICY_REGION_CAP);
    for (uint32_t i = 0; i < policy->sla.n; i++)
        learn_clause(play, (const struct policy_clause *)policy->sla.items + i);
    learn(&play->regions, "41");
    learn(&play->regions, "411623");
}

static const char *of_pool(const struct pool *pool, struct chance *chance)
{
    return pool->n > 0 ? pool->words[chance_below(chance, pool->n)] : NULL;
}

static const char *job_word(struct chance *chance)
{
    static char job[EVENT_KEY_CAP + 8];
    text_format(job, sizeof(job), "%s/j%u", ANY(chance, keys), (unsigned)chance_below(chance, 4) + 1);
    return job;
}

static const char *span_word(struct chance *chance)
{
    static const char *const spans[] = {"1000y", "8760000h", "365000wd", "-1000y", "1d", "0s", "31536000000s"};
    return ANY(chance, spans);
}

static const char *pick(void *owner, const struct field *field, struct chance *chance)
{
    static const char *const outcomes[] = {"done", "failed", "fixed"}, *const periods[] = {"2026-06", "9999-12", "1970-01"},
                             *const reports[] = {"monthly", "weekly"}, *const what[] = {"pause", "exchange", "cost"},
                             *const silence[] = {"accepts", "expires"}, *const states[] = {"met", "breached", "open", "over"},
                             *const yes[] = {"true"}, *const times[] = {"08:30", "23:59"};
    const struct play *play = owner;
    const char *name = field->name;
    if (chance_of_hundred(chance, 5))
        return NULL;
    if (text_equal(name, "kind"))
        return of_pool(&play->kinds, chance);
    if (text_equal(name, "region"))
        return of_pool(&play->regions, chance);
    if (text_equal(name, "priority"))
        return of_pool(&play->priorities, chance);
    if (text_equal(name, "product"))
        return of_pool(&play->products, chance);
    if (text_equal(name, "channel"))
        return of_pool(&play->channels, chance);
    if (text_equal(name, "phase"))
        return of_pool(&play->phases, chance);
    if (text_equal(name, "clause"))
        return of_pool(&play->clauses, chance);
    if (text_equal(name, "to") || text_equal(name, "level"))
        return of_pool(&play->rungs, chance);
    if (text_equal(name, "policy") || text_equal(name, "version"))
        return play->policy->version;
    if (text_equal(name, "job") || text_equal(name, "from_job"))
        return job_word(chance);
    if (text_equal(name, "site") || text_equal(name, "parent") || text_equal(name, "successor"))
        return ANY(chance, sites);
    if (text_equal(name, "engineer") || text_equal(name, "person"))
        return ANY(chance, persons);
    if (text_equal(name, "ticket") || text_equal(name, "serial") || text_equal(name, "repeat_of"))
        return ANY(chance, keys);
    if (text_equal(name, "outcome"))
        return ANY(chance, outcomes);
    if (text_equal(name, "period"))
        return ANY(chance, periods);
    if (text_equal(name, "report"))
        return ANY(chance, reports);
    if (text_equal(name, "what"))
        return ANY(chance, what);
    if (text_equal(name, "silence"))
        return ANY(chance, silence);
    if (text_equal(name, "was") || text_equal(name, "is"))
        return ANY(chance, states);
    if (text_equal(name, "approved"))
        return ANY(chance, yes);
    if (text_equal(name, "more") || text_equal(name, "limit"))
        return span_word(chance);
    if (text_equal(name, "by"))
        return ANY(chance, times);
    if (text_equal(name, "quantity"))
        return ANY(chance, numbers);
    if (text_equal(name, "reason"))
        return of_pool(&play->reasons, chance);
    return chance_of_hundred(chance, 50) ? of_pool(&play->worth, chance) : NULL;
}

/* --- what is told ------------------------------------------------------------------------------------------ */

/* What would end the play and not test it: rights, the stream itself, another policy, the clock. */
static bool is_told(const char *type)
{
    static const char *const not[] = {"principal.", "source.", "stream.", "time.", "access.", "journal.", "policy.", "calendar.",
                                      "event.", "personal.", "file."};
    for (size_t i = 0; i < COUNT_OF(not); i++)
        if (text_starts(type, not[i]))
            return false;
    return true;
}

/* Mostly what some worker handles. */
static const struct event_type *some_type(struct play *play)
{
    const struct event_type *type;
    size_t n = 0;
    while (event_type_at(n) != NULL)
        n++;
    do {
        const struct worker *worker = play->sim->nodes[chance_below(&play->chance, SIMULATOR_WORKERS)].worker;
        type = chance_of_hundred(&play->chance, 70)
                   ? event_type_find(worker->handlers[chance_below(&play->chance, worker->handlers_n)].type, 0)
                   : event_type_at(chance_below(&play->chance, n));
    } while (type == NULL || !is_told(type->name));
    return type;
}

static int64_t some_at(struct play *play, int64_t now_us)
{
    static const int64_t far[] = {INSTANT_MIN_US, INSTANT_MIN_US + DAY_US, INSTANT_MAX_US, -1, 1, -HOUR_US};
    switch (chance_below(&play->chance, 6)) {
    case 0:
        return far[chance_below(&play->chance, COUNT_OF(far))];
    case 1:
        return now_us - (int64_t)chance_below(&play->chance, (uint64_t)(40 * DAY_US));
    case 2:
        return 0;
    default:
        return now_us;
    }
}

static int64_t kept_in(int64_t us)
{
    return us < INSTANT_MIN_US ? INSTANT_MIN_US : us > INSTANT_MAX_US ? INSTANT_MAX_US : us;
}

static const char *key_of(struct play *play, const struct event_type *type)
{
    if (text_starts(type->name, "site."))
        return ANY(&play->chance, sites);
    if (text_starts(type->name, "engineer."))
        return ANY(&play->chance, persons);
    if (text_starts(type->name, "report."))
        return chance_of_hundred(&play->chance, 50) ? "monthly.9999-12" : "monthly.2026-06";
    return ANY(&play->chance, keys);
}

static void tell(struct play *play, const struct event_type *type, const char *key, int64_t at_us, unsigned wild)
{
    struct buf data = {0}, priv = {0}, raw = {0};
    fill_map(type->data, RECORD_PLAIN, &play->chance, wild, &data);
    if (record_has_personal(type->data) && chance_of_hundred(&play->chance, 90))
        fill_map(type->data, RECORD_PERSONAL, &play->chance, wild, &priv);
    struct draft draft = {.type = type->name, .v = type->v, .key = key, .at_us = kept_in(at_us), .by = "tester",
                          .data = buf_bytes(&data), .priv = buf_bytes(&priv)};
    draft_encode(&draft, &raw);
    (void)simulator_append_draft(play->sim, play->sim->now_us, buf_bytes(&raw));
    buf_release(&data);
    buf_release(&priv);
    buf_release(&raw);
}

static void pass(struct play *play, int64_t to_us, const char *what)
{
    clock_t before = clock();
    if (play->trace)
        fprintf(stderr, "%" PRIu64 " %s\n", simulator_head(play->sim), what);
    if (!simulator_advance(play->sim, kept_in(to_us)))
        broken(play, what, simulator_error(play->sim));
    double took_s = (double)(clock() - before) / CLOCKS_PER_SEC;
    if (took_s > play->slowest_s) {
        play->slowest_s = took_s;
        text_format(play->slowest, sizeof(play->slowest), "%.60s behind event %" PRIu64, what, simulator_head(play->sim));
    }
}

static void tell_json(struct play *play, const char *type, const char *key, const char *json)
{
    struct problem problem = {0};
    if (simulator_append_json(play->sim, play->sim->now_us, type, key, play->sim->now_us, NULL, json, &problem) == 0)
        broken(play, type, problem.code);
}

static void furnish(struct play *play)
{
    struct problems problems = {0};
    char where[600];
    if (!simulator_publish_file(play->sim, play->policy_path, SOURCE_DIR "/deploy/calendars", where, sizeof(where), &problems))
        broken(play, where, problems.n > 0 ? problems.items[0].code : "");
    play->policy = reference_policy(play->sim->taker.tables, "");
    learn_policy(play);
    tell_json(play, "site.updated", sites[0], "{\"name\":\"1\",\"tier\":3}");
    tell_json(play, "site.updated", sites[1], "{\"name\":\"2\",\"tier\":2,\"capacity\":100}");
    tell_json(play, "site.updated", sites[2], "{\"name\":\"3\",\"tier\":1}");
    tell_json(play, "engineer.updated", persons[0], "{\"name\":\"E\",\"site\":\"S1\"}");
    pass(play, play->sim->now_us, "the network");
}

/* The first key that is to be a ticket's and is not one yet. */
static const char *unopened(const struct play *play)
{
    for (size_t i = 0; i + 1 < COUNT_OF(keys); i++)
        if (table_get(play->sim->taker.tables, ARCHIVE_TICKETS, keys[i]) == NULL)
            return keys[i];
    return NULL;
}

static void tell_facts(struct play *play, unsigned facts)
{
    static const int64_t steps_us[] = {0, 0, 1, SECOND_US, HOUR_US, 5 * HOUR_US, DAY_US, 3 * DAY_US};
    for (unsigned i = 0; i < facts; i++) {
        const char *key = unopened(play);
        bool opens = key != NULL || chance_of_hundred(&play->chance, 5);
        const struct event_type *type = opens ? event_type_find("ticket.registered", 0) : some_type(play);
        int64_t now_us = play->sim->now_us;
        play->habits.optional = opens ? 95 : 70;
        play->habits.edges = opens ? 3 : (unsigned)chance_below(&play->chance, 4) * 10;
        tell(play, type, key != NULL ? key : key_of(play, type), some_at(play, now_us), opens ? 0 : 1);
        pass(play, now_us + steps_us[chance_below(&play->chance, COUNT_OF(steps_us))], type->name);
    }
}

/* --- what must hold ------------------------------------------------------------------------------------------ */

static void journal_check(const struct play *play)
{
    struct arena *arena = arena_new(1 << 16);
    for (uint64_t pos = 1; pos <= simulator_head(play->sim); pos++) {
        struct event event;
        struct problem problem = {0};
        simulator_event(play->sim, pos, &event);
        const struct event_type *type = event_type_find(event.type, event.v);
        if (type == NULL || event.body.len > EVENT_BYTES_MAX || !skim(event.body, &problem))
            broken(play, event.type, problem.code);
        void *object = arena_alloc(arena, type->data->size);
        if (!record_decode(type->data, RECORD_PLAIN, DECODE_STRICT, event.data, arena, object, &problem))
            broken(play, event.type, problem.field);
        if (text_equal(event.type, "event.parked"))
            broken(play, "set aside", ((const struct event_parked *)object)->reason);
        arena_reset(arena);
    }
    arena_destroy(&arena);
}

struct rows {
    const struct play *play;
    const struct record *record;
    const char *table;
    struct buf bytes;
};

/* Rows keep instants as records do: PostgreSQL, answers and forms can say them. */
static void row_check(const void *row, void *arg)
{
    struct rows *rows = arg;
    struct problem problem = {0};
    size_t before = rows->bytes.len;
    record_encode(rows->record, RECORD_WHOLE, row, &rows->bytes);
    if (!skim(bytes_of(rows->bytes.data + before, rows->bytes.len - before), &problem)) {
        char detail[200];
        text_format(detail, sizeof(detail), "%.60s: %.40s %.60s", rows->table, problem.code, problem.field);
        broken(rows->play, "a row", detail);
    }
}

static void table_read(const struct play *play, const struct tables *tables, unsigned table, struct rows *rows)
{
    rows->play = play;
    rows->record = tables_def(tables, table)->row;
    rows->table = tables_def(tables, table)->name;
    buf_reset(&rows->bytes);
    tables_each(tables, table, row_check, rows);
}

static void fold_check(const struct play *play, const struct node *living)
{
    struct node fresh;
    struct rows were = {0}, are = {0};
    node_init(&fresh, living->worker, 0, true);
    if (!node_crash(&fresh, &play->sim->book, simulator_head(play->sim)))
        broken(play, living->worker->name, run_error(fresh.run));
    while (node_is_behind(&fresh, &play->sim->book)) {
        if (!node_read(&fresh, &play->sim->book, 256))
            broken(play, living->worker->name, run_error(fresh.run));
        node_commit(&fresh);
    }
    for (unsigned table = 0; table < tables_count(run_tables(living->run)); table++) {
        table_read(play, run_tables(living->run), table, &were);
        table_read(play, run_tables(fresh.run), table, &are);
        if (!bytes_equal(buf_bytes(&were.bytes), buf_bytes(&are.bytes)))
            broken(play, "a fold anew differs", were.table);
    }
    buf_release(&were.bytes);
    buf_release(&are.bytes);
    node_release(&fresh);
}

static void check(struct play *play)
{
    struct rows rows = {0};
    journal_check(play);
    for (unsigned table = 0; table < tables_count(play->sim->taker.tables); table++)
        table_read(play, play->sim->taker.tables, table, &rows);
    buf_release(&rows.bytes);
    for (size_t i = 0; i < SIMULATOR_WORKERS; i++)
        fold_check(play, &play->sim->nodes[i]);
    if (play->slowest_s > TOLD_CPU_MAX_S)
        broken(play, "too slow", play->slowest);
}

/* --- a play ---------------------------------------------------------------------------------------------------- */

/* Most streams begin today; some in the first year, and some come to the last. */
static int64_t some_start(struct play *play)
{
    switch (chance_below(&play->chance, 8)) {
    case 0:
        return INSTANT_MIN_US;
    case 1:
        return INSTANT_MAX_US - 100 * DAY_US;
    default:
        return NOON;
    }
}

static size_t refusals_of(const struct simulator *sim)
{
    size_t n = 0;
    while (simulator_refusal(sim, n) != NULL)
        n++;
    return n;
}

static void play_one(struct play *play, unsigned facts, uint64_t *events, size_t *refused)
{
    play->chance = chance_of(play->seed);
    const struct simulator_config config = {.start_us = some_start(play)};
    play->sim = simulator_new(&config);
    play->habits = (struct fill_habits){.optional = 70, .pick = pick, .owner = play};
    furnish(play);
    fill_habits(&play->habits);
    tell_facts(play, facts);
    pass(play, play->sim->now_us + 100 * DAY_US, "a hundred days");
    fill_habits(NULL);
    check(play);
    *events += simulator_head(play->sim);
    *refused += refusals_of(play->sim);
    if (play->trace)
        for (size_t i = 0; simulator_refusal(play->sim, i) != NULL; i++)
            fprintf(stderr, "refused: fact %zu %s %s\n", simulator_refusal(play->sim, i)->fact,
                    simulator_refusal(play->sim, i)->problem.code, simulator_refusal(play->sim, i)->problem.field);
    simulator_destroy(&play->sim);
}

int main(int argc, char **argv)
{
    uint64_t seed = 1, seeds = 1, events = 0;
    unsigned facts = 80;
    const char *only = NULL;
    bool trace = false;
    size_t refused = 0;
    double slowest_s = 0;
    for (int i = 1; i < argc; i++) {
        bool more = i + 1 < argc;
        if (text_equal(argv[i], "--trace"))
            trace = true;
        else if (more && text_equal(argv[i], "--seed"))
            seed = strtoull(argv[++i], NULL, 10);
        else if (more && text_equal(argv[i], "--seeds"))
            seeds = strtoull(argv[++i], NULL, 10);
        else if (more && text_equal(argv[i], "--facts"))
            facts = (unsigned)strtoul(argv[++i], NULL, 10);
        else if (more && text_equal(argv[i], "--policy"))
            only = argv[++i];
        else
            return 2;
    }
    glob_t policies = {0};
    int found = glob(SOURCE_DIR "/deploy/policies/*.yaml", 0, NULL, &policies);
    assert(found == 0);
    for (uint64_t last = seed + seeds; seed < last; seed++) {
        /* every other one under the policy that is made for it */
        struct play *play = memory_new(sizeof(*play));
        play->seed = seed;
        play->trace = trace;
        play->policy_path = only != NULL    ? only
                            : seed % 2 == 0 ? SOURCE_DIR "/tests/unit/services/simulator/bounds.yaml"
                                            : policies.gl_pathv[seed / 2 % policies.gl_pathc];
        printf("seed %" PRIu64 ", %s\n", seed, strrchr(play->policy_path, '/') + 1);
        fflush(stdout);
        play_one(play, facts, &events, &refused);
        if (play->slowest_s > slowest_s) {
            slowest_s = play->slowest_s;
            printf("  slowest so far: %.2f s, %s\n", play->slowest_s, play->slowest);
        }
        free(play);
    }
    globfree(&policies);
    printf("%" PRIu64 " seeds, %" PRIu64 " events, %zu facts refused\n", seeds, events, refused);
    return 0;
}
