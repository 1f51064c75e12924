/* backtest: the same facts under other rules, and what would have been different. */
#include "backtest.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "connection.h"
#include "event_print.h"
#include "progress.h"
#include "proto/catalogue.h"
#include "worker/reference.h"
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

struct backtest {
    struct cli *cli;
    const char *policy, *against, *events, *mapping, *network, *calendars, *until, *out;
    bool journal;
    int64_t step_us;

    struct facts facts;
    struct backtest_result result;
    const struct zone *zone;
    char versions[SIDES][POLICY_VERSION_CAP];
};

/* --- rules ---------------------------------------------------------------------------------------
 */

/* Its version; the zone of the new one is what months and --until are in. */
static int policy_look(struct backtest *backtest, const char *file, enum side side)
{
    struct cli *cli = backtest->cli;
    struct arena *arena = arena_new(1 << 16);
    struct buf text = {0};
    struct problems problems = {0};
    struct policy policy;
    int code = file_read(cli, file, 1 << 20, &text) ? CLI_DONE : CLI_USAGE;
    if (code == CLI_DONE &&
        !policy_parse(buf_text(&text), text.len, arena, &policy, &problems, event_type_data)) {
        cli_problems(cli, file, &problems);
        code = CLI_REFUSED;
    }
    if (code == CLI_DONE) {
        text_copy(backtest->versions[side], POLICY_VERSION_CAP, policy.version);
        if (side == SIDE_NEW)
            backtest->zone = zone_find(policy.zone[0] != '\0' ? policy.zone : "UTC");
    }
    problems_release(&problems);
    buf_release(&text);
    arena_destroy(&arena);
    return code;
}

static int rules_publish(struct backtest *backtest, struct simulator *sim, const char *policy)
{
    char where[700];
    struct problems problems = {0};
    bool fine =
        simulator_publish_file(sim, policy, backtest->calendars, where, sizeof(where), &problems);
    if (!fine)
        cli_problems(backtest->cli, where, &problems);
    problems_release(&problems);
    return fine ? CLI_DONE : CLI_REFUSED;
}

/* --- facts ---------------------------------------------------------------------------------------
 */

static int facts_read(struct backtest *backtest)
{
    struct cli *cli = backtest->cli;
    int code = CLI_DONE;
    if (backtest->network != NULL)
        code = facts_read_lines(cli, &backtest->facts, backtest->network, true);
    if (code != CLI_DONE)
        return code;
    if (backtest->journal)
        return facts_read_journal(cli, &backtest->facts);
    return backtest->mapping != NULL
               ? facts_read_csv(cli, &backtest->facts, backtest->events, backtest->mapping)
               : facts_read_lines(cli, &backtest->facts, backtest->events, false);
}

/* A date means to its end, in the new policy's zone. */
static bool until_read(const struct backtest *backtest, int64_t *us)
{
    struct local_time day = {0};
    int n = 0;
    *us = INT64_MAX;
    if (backtest->until == NULL || instant_parse(backtest->until, us))
        return true;
    if (sscanf(backtest->until, "%4d-%2d-%2d%n", &day.year, &day.month, &day.day, &n) != 3 ||
        backtest->until[n] != '\0' || day.month < 1 || day.month > 12 || day.day < 1 ||
        day.day > days_in_month(day.year, day.month))
        return false;
    *us = zone_add(backtest->zone, zone_instant(backtest->zone, &day), (struct span){1, SPAN_DAYS});
    return true;
}

/* Time begins at the hour in which the first thing was told. */
static int span_find(struct backtest *backtest)
{
    struct cli *cli = backtest->cli;
    struct plan *told = &backtest->facts.told, *rules = &backtest->facts.rules;
    int64_t until_us;
    if (!until_read(backtest, &until_us))
        return cli_fail(cli, CLI_USAGE,
                        in_words(cli->language, "Like 2011-10-31 or 2011-10-31T18:00:00Z."),
                        in_words(cli->language, "--until %s is no time"), backtest->until);
    plan_ready(told, 0, until_us, 0);
    plan_ready(rules, 0, until_us, 0);
    plan_ready(&backtest->facts.network, 0, INT64_MAX, 0);
    if (told->n == 0)
        return cli_fail(cli, CLI_REFUSED,
                        in_words(cli->language, "Facts come from --events FILE or --journal."),
                        "%s", in_words(cli->language, "there are no facts to tell"));
    int64_t start_us = told->facts[0].sort_us;
    if (rules->n > 0 && rules->facts[0].sort_us < start_us)
        start_us = rules->facts[0].sort_us;
    struct backtest_result *result = &backtest->result;
    result->start_us = start_us - start_us % HOUR_US;
    /* A stream goes on after its last fact: what was due by its last event has been judged. */
    result->end_us = told->facts[told->n - 1].sort_us;
    if (backtest->facts.last_us > result->end_us)
        result->end_us = backtest->facts.last_us;
    if (until_us != INT64_MAX)
        result->end_us = until_us;
    if (result->end_us < result->start_us)
        result->end_us = result->start_us;
    result->facts = told->n + backtest->facts.network.n;
    result->conclusions = backtest->facts.conclusions;
    result->bad = backtest->facts.bad;
    return CLI_DONE;
}

/* --- runs ----------------------------------------------------------------------------------------
 */

struct running {
    struct backtest *backtest;
    enum side side;
    pthread_t thread;
    bool started, good;
    struct board *board;
};
/* What the running threads tell the one that shows progress. */
struct board {
    pthread_mutex_t lock;
    pthread_cond_t moved;
    size_t left;                /* threads */
    _Atomic size_t told[SIDES]; /* facts */
};

static void told_note(void *owner, size_t facts)
{
    atomic_store_explicit((_Atomic size_t *)owner, facts, memory_order_relaxed);
}

static void plan_tell(struct simulator *sim, const struct plan *plan, int64_t at_least_us)
{
    for (size_t i = 0; i < plan->n; i++)
        simulator_append_draft(
            sim, plan->facts[i].sort_us > at_least_us ? plan->facts[i].sort_us : at_least_us,
            plan_draft(plan, &plan->facts[i]));
}

static int side_prepare(struct backtest *backtest, enum side side, const char *policy,
                        struct board *board)
{
    struct backtest_side *one = &backtest->result.sides[side];
    const struct simulator_config config = {.start_us = backtest->result.start_us,
                                            .step_us = backtest->step_us,
                                            .told = told_note,
                                            .owner = &board->told[side]};
    one->sim = simulator_new(&config);
    one->policy = backtest->versions[side];
    int code = CLI_DONE;
    if (policy != NULL)
        code = rules_publish(backtest, one->sim, policy);
    else
        plan_tell(one->sim, &backtest->facts.rules, config.start_us);
    if (code != CLI_DONE)
        return code;
    for (size_t i = 0; i < backtest->facts.network.n; i++)
        simulator_append_draft(
            one->sim, config.start_us,
            plan_draft(&backtest->facts.network, &backtest->facts.network.facts[i]));
    plan_tell(one->sim, &backtest->facts.told, config.start_us);
    return CLI_DONE;
}

static void *side_run(void *arg)
{
    struct running *running = arg;
    struct backtest *backtest = running->backtest;
    struct backtest_side *one = &backtest->result.sides[running->side];
    running->good = simulator_advance(one->sim, backtest->result.end_us);
    if (running->good)
        outcome_read(&one->outcome, one->sim, backtest->zone);
    while (simulator_refusal(one->sim, one->refused) != NULL)
        one->refused++;
    reference_forget();
    pthread_mutex_lock(&running->board->lock);
    running->board->left--;
    pthread_cond_signal(&running->board->moved);
    pthread_mutex_unlock(&running->board->lock);
    return NULL;
}

static void runs_watch(struct backtest *backtest, struct board *board, int64_t total)
{
    struct progress progress;
    progress_start(&progress, backtest->cli, in_words(backtest->cli->language, "facts"), total,
                   clock_boot_us());
    pthread_mutex_lock(&board->lock);
    while (board->left > 0) {
        struct timespec until;
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_nsec += 100 * 1000 * 1000;
        until.tv_sec += until.tv_nsec / 1000000000;
        until.tv_nsec %= 1000000000;
        pthread_cond_timedwait(&board->moved, &board->lock, &until);
        progress_show(&progress, (int64_t)(board->told[SIDE_OLD] + board->told[SIDE_NEW]),
                      clock_boot_us());
    }
    pthread_mutex_unlock(&board->lock);
    progress_end(&progress, (int64_t)(board->told[SIDE_OLD] + board->told[SIDE_NEW]),
                 clock_boot_us());
}

/* Each side in a thread of its own: they share nothing but the facts, which are read. */
static int runs_start(struct backtest *backtest, struct board *board)
{
    struct cli *cli = backtest->cli;
    struct running running[SIDES];
    int code = CLI_DONE;
    int64_t total = 0;
    for (int side = 0; side < SIDES; side++) {
        running[side] =
            (struct running){.backtest = backtest, .side = (enum side)side, .board = board};
        struct simulator *sim = backtest->result.sides[side].sim;
        if (sim == NULL)
            continue;
        total += (int64_t)simulator_waiting(sim);
        running[side].started = true;
        board->left++;
    }
    for (int side = 0; side < SIDES; side++)
        if (running[side].started &&
            pthread_create(&running[side].thread, NULL, side_run, &running[side]) != 0)
            log_fatal("no thread: %s", strerror(errno));
    runs_watch(backtest, board, total);
    for (int side = 0; side < SIDES; side++) {
        if (!running[side].started)
            continue;
        pthread_join(running[side].thread, NULL);
        if (!running[side].good)
            code = cli_fail(cli, CLI_REFUSED, NULL, "%s: %s", backtest->result.sides[side].policy,
                            simulator_error(backtest->result.sides[side].sim));
    }
    return code;
}

static int out_write(const struct backtest *backtest)
{
    const struct cli *cli = backtest->cli;
    const struct simulator *sim = backtest->result.sides[SIDE_NEW].sim;
    struct buf line = {0};
    FILE *out = fopen(backtest->out, "w");
    bool fine = out != NULL;
    for (uint64_t pos = 1; fine && pos <= simulator_head(sim); pos++) {
        struct event event;
        simulator_event(sim, pos, &event);
        buf_reset(&line);
        event_print_json(&event, &line);
        buf_append(&line, "\n", 1);
        fine = fwrite(line.data, 1, line.len, out) == line.len;
    }
    if (out != NULL)
        fine = fclose(out) == 0 && fine;
    buf_release(&line);
    if (fine)
        return CLI_DONE;
    return cli_fail(cli, CLI_REFUSED,
                    in_words(cli->language, "Check the folder and that there is room."),
                    in_words(cli->language, "cannot write %s: %s"), backtest->out, strerror(errno));
}

static int backtest_run(struct backtest *backtest, struct board *board)
{
    struct backtest_result *result = &backtest->result;
    int code = policy_look(backtest, backtest->policy, SIDE_NEW);
    if (code == CLI_DONE && backtest->against != NULL)
        code = policy_look(backtest, backtest->against, SIDE_OLD);
    if (code == CLI_DONE)
        code = facts_read(backtest);
    if (code == CLI_DONE)
        code = span_find(backtest);
    if (code != CLI_DONE)
        return code;
    result->compared = backtest->against != NULL || backtest->journal;
    if (backtest->against == NULL)
        text_copy(backtest->versions[SIDE_OLD], POLICY_VERSION_CAP,
                  in_words(backtest->cli->language, "as it was"));
    code = side_prepare(backtest, SIDE_NEW, backtest->policy, board);
    if (code == CLI_DONE && result->compared)
        code = side_prepare(backtest, SIDE_OLD, backtest->against, board);
    if (code == CLI_DONE)
        code = runs_start(backtest, board);
    if (code != CLI_DONE)
        return code;
    comparison_make(&result->comparison, result->compared ? &result->sides[SIDE_OLD].outcome : NULL,
                    &result->sides[SIDE_NEW].outcome);
    if (backtest->cli->json)
        backtest_print_json(result);
    else
        backtest_print(backtest->cli, result);
    return backtest->out != NULL ? out_write(backtest) : CLI_DONE;
}

/* --- command line --------------------------------------------------------------------------------
 */

enum { OPTION_POLICY = 256, OPTION_AGAINST, OPTION_JOURNAL, OPTION_NETWORK, OPTION_STEP };
static const struct argp_option backtest_options[] = {
    {"policy", OPTION_POLICY, "NEW.yaml", 0, "the rules to try", 0},
    {"against", OPTION_AGAINST, "OLD.yaml", 0,
     "the rules to compare with (with --journal: those of the stream)", 0},
    {"events", 'e', "FILE", 0, "what happened: JSON lines, or CSV with --mapping", 0},
    {"mapping", 'm', "MAP.yaml", 0, "what a row means (deploy/mappings/README.md)", 0},
    {"journal", OPTION_JOURNAL, NULL, 0, "what happened: the living stream", 0},
    {"network", OPTION_NETWORK, "FILE.jsonl", 0, "sites, units and customers, told first", 0},
    {"calendars", 'C', "DIR", 0,
     "where the calendars it names lie (default: ../calendars beside the policy)", 0},
    {"until", 'u', "TIME", 0, "leave out what is later; time goes on to it", 0},
    {"step", OPTION_STEP, "SPAN", 0, "length of a step (default: exact time)", 0},
    {"out", 'o', "FILE.jsonl", 0, "write the events that came under the new rules", 0},
    {0}};

static error_t backtest_end(const struct backtest *backtest, struct argp_state *state)
{
    if (backtest->policy == NULL)
        argp_error(state, "needs --policy NEW.yaml");
    if ((backtest->events != NULL) == backtest->journal)
        argp_error(state, "needs --events FILE or --journal");
    if (backtest->mapping != NULL && backtest->journal)
        argp_error(state, "--mapping belongs to --events FILE.csv");
    return 0;
}

static error_t backtest_parse(int key, char *arg, struct argp_state *state)
{
    struct backtest *backtest = state->input;
    struct span span;
    switch (key) {
    case OPTION_POLICY:
        backtest->policy = arg;
        return 0;
    case OPTION_AGAINST:
        backtest->against = arg;
        return 0;
    case 'e':
        backtest->events = arg;
        return 0;
    case 'm':
        backtest->mapping = arg;
        return 0;
    case OPTION_JOURNAL:
        backtest->journal = true;
        return 0;
    case OPTION_NETWORK:
        backtest->network = arg;
        return 0;
    case 'C':
        backtest->calendars = arg;
        return 0;
    case 'u':
        backtest->until = arg;
        return 0;
    case OPTION_STEP:
        if (!span_parse(arg, &span) || (span.unit != SPAN_MINUTES && span.unit != SPAN_HOURS) ||
            span.n <= 0)
            argp_error(state, "--step: like 1h or 30min");
        backtest->step_us = span_us(span);
        return 0;
    case 'o':
        backtest->out = arg;
        return 0;
    case ARGP_KEY_END:
        return backtest_end(backtest, state);
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

int command_backtest(struct cli *cli, int argc, char **argv)
{
    static const struct cli_syntax syntax = {
        backtest_options, backtest_parse, "",
        "Tell the same facts under other rules, and print what would have been different.\v"
        "Examples:\n"
        "  aftercare backtest --policy new.yaml --journal\n"
        "  aftercare backtest --policy new.yaml --against deploy/policies/boston311.yaml\n"
        "      --events deploy/requests/boston311-2011q3.csv.gz --mapping "
        "deploy/mappings/boston311.yaml\n"
        "      --network deploy/networks/boston311.jsonl\n\n"
        "Nothing is written to the stream. Facts about a job (accepted, arrived, reported) are "
        "told\n"
        "as they were; where the new rules offered it to nobody they are refused, and counted."};
    struct backtest *backtest = memory_new(sizeof(*backtest));
    struct board board = {.lock = PTHREAD_MUTEX_INITIALIZER, .moved = PTHREAD_COND_INITIALIZER};
    backtest->cli = cli;
    backtest->facts.arena = arena_new(1 << 16);
    cli_parse(&syntax, argc, argv, backtest);
    int code = backtest_run(backtest, &board);
    comparison_release(&backtest->result.comparison);
    for (int side = 0; side < SIDES; side++) {
        outcome_release(&backtest->result.sides[side].outcome);
        simulator_destroy(&backtest->result.sides[side].sim);
    }
    facts_release(&backtest->facts);
    free(backtest);
    return code;
}
