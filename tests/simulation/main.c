/* simulate [--seed S | --from S --seeds N | --minutes N] [--jobs J] [--mutation M] [--trace]: each seed in a process of its own. */
#include "base/mutation.h"
#include "answers.h"
#include "base/text.h"
#include "check.h"
#include "company.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define QUIET_US (8 * SECOND_US)      /* longer than any limit of the policy */
#define CPU_SECONDS_MAX 6 /* several times what the longest story takes with sanitizers */
#define JOBS_MAX 64
#define PATIENCE_US (10 * MINUTE_US)  /* after the last fault everybody must have come to rest */

static enum mutation mutation;

/* A sanitizer's own: seeds are many and short, their memory is the kernel's to give back. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "malloc_context_size=1:quarantine_size_mb=1:max_malloc_fill_size=0:use_sigaltstack=0:detect_leaks=0";
}

bool mutation_is(enum mutation which)
{
    return which == mutation;
}

/* --- one seed --------------------------------------------------------------------------------------- */

static bool everybody_is_at(uint64_t head)
{
    for (size_t i = 0; i < WORKERS; i++)
        if (db_of(workers[i]->name)->cursor.state.pos < head)
            return false;
    return readers_are_at(head);
}

static void tell_who_waits(uint64_t head)
{
    branches_print();
    readers_print();
    for (size_t i = 0; i < WORKERS; i++)
        world_say("%s is at %llu", workers[i]->name, (unsigned long long)db_of(workers[i]->name)->cursor.state.pos);
    if (!stepper_is_done())
        world_say("time still goes on");
    world_broken("%lld s after the last fault nobody has come to rest; the head is %llu", (long long)(PATIENCE_US / SECOND_US),
                 (unsigned long long)head);
}

static void wait_for_rest(void)
{
    int64_t until_us = world_now_us() + PATIENCE_US, quiet_us = world_now_us();
    uint64_t head = 0;
    while (world_now_us() - quiet_us < QUIET_US || !askers_know(head)) {
        world_run(world_now_us() + SECOND_US);
        uint64_t now = db_of(STORE_SCHEMA)->journal_n;
        if (now != head || !branches_are_answered() || !everybody_is_at(now) || !stepper_is_done() || company_is_folding())
            quiet_us = world_now_us();
        head = now;
        if (world_now_us() >= until_us)
            tell_who_waits(head);
    }
}

/* At rest a fold beside the living tables finds them good, and one in their place is taken up. */
static void fold_some(uint64_t seed)
{
    size_t worker = seed % WORKERS, verified = company_folds(true), rebuilt = company_folds(false);
    company_fold(worker, true);
    while (company_is_folding())
        world_run(world_now_us() + SECOND_US);
    company_fold(worker, false);
    while (company_is_folding())
        world_run(world_now_us() + SECOND_US);
    if (company_folds(true) == verified || company_folds(false) == rebuilt)
        world_broken("%s cannot be verified and rebuilt", workers[worker]->name);
    wait_for_rest();
}

/* Most stories are short; some are long enough for lives within lives; some are of a stream whose time is moved by steps. */
static void run_seed(uint64_t seed, bool traced)
{
    world_begin(seed, traced);
    bool is_long = seed % 60 == 0, stepped = seed % 10 == 3, is_short = seed % 3 != 0;
    int64_t end_us = (is_long ? 60 : is_short ? 6 : 12) * SECOND_US;
    company_begin(stepped, world_chance(600));
    if (stepped)
        stepper_begin(end_us);
    askers_begin();
    facts_begin(is_long ? 80 : is_short ? 5 : 12, end_us);
    faults_begin(end_us);
    world_run(end_us);
    wait_for_rest();
    if (world_chance(300))
        fold_some(seed);
    check_end();
    world_say("all is well: %zu events, %zu answers", db_of(STORE_SCHEMA)->journal_n, branches_answered());
}

/* --- many ------------------------------------------------------------------------------------------- */

struct plan {
    uint64_t from, seeds;
    double minutes;
    size_t jobs;
    bool traced, find; /* find: a failure is what is looked for */
};

/* A seed in a process of its own. */
struct trial {
    pid_t pid;
    int end; /* of a pipe: how many events its journal has */
    uint64_t seed;
};

static struct trial trial_begin(uint64_t seed, bool traced, bool silent)
{
    int ends[2];
    const struct rlimit cpu = {.rlim_cur = CPU_SECONDS_MAX, .rlim_max = CPU_SECONDS_MAX + 1};
    struct trial trial = {.seed = seed};
    fflush(stdout);
    if (pipe(ends) != 0)
        abort();
    trial.pid = fork();
    if (trial.pid == 0) {
        if (silent && freopen("/dev/null", "w", stdout) == NULL)
            _exit(2);
        setrlimit(RLIMIT_CPU, &cpu); /* a handler that never comes back is found too */
        run_seed(seed, traced);
        size_t events = db_of(STORE_SCHEMA)->journal_n;
        ssize_t n = write(ends[1], &events, sizeof(events));
        fflush(stdout);
        _exit(n == (ssize_t)sizeof(events) ? 0 : 2);
    }
    close(ends[1]);
    trial.end = ends[0];
    return trial;
}

static size_t trial_events(const struct trial *trial)
{
    size_t events = 0;
    if (read(trial->end, &events, sizeof(events)) != (ssize_t)sizeof(events))
        events = 0;
    close(trial->end);
    return events;
}

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void failure_print(uint64_t seed)
{
    int status = 0;
    printf("--- seed %llu\n", (unsigned long long)seed);
    struct trial trial = trial_begin(seed, true, false);
    (void)trial_events(&trial);
    waitpid(trial.pid, &status, 0);
    if (WIFSIGNALED(status))
        printf("killed by signal %d\n", WTERMSIG(status));
    printf("--- the same again: simulate --seed %llu --trace%s\n", (unsigned long long)seed, mutation != MUTATION_NONE ? " --mutation …" : "");
}

struct tally {
    struct trial running[JOBS_MAX];
    size_t running_n;
    uint64_t begun, done, events, failed_seed;
    bool failed;
    double began, told;
};

/* The one that ends first; of several that fail the lowest seed counts. */
static void tally_wait(struct tally *tally)
{
    int status;
    pid_t pid = waitpid(-1, &status, 0);
    for (size_t i = 0; i < tally->running_n; i++) {
        struct trial trial = tally->running[i];
        if (trial.pid != pid)
            continue;
        tally->running[i] = tally->running[--tally->running_n];
        tally->events += trial_events(&trial);
        tally->done++;
        if (status != 0 && (!tally->failed || trial.seed < tally->failed_seed)) {
            tally->failed = true;
            tally->failed_seed = trial.seed;
        }
        return;
    }
}

static bool wants_more(const struct plan *plan, const struct tally *tally)
{
    return !tally->failed && (plan->minutes > 0 ? seconds() - tally->began < plan->minutes * 60 : tally->begun < plan->seeds);
}

static void tally_tell(const struct plan *plan, struct tally *tally)
{
    if (plan->minutes <= 0 || seconds() - tally->told < 10)
        return;
    tally->told = seconds();
    printf("%llu seeds, %.1f a second, %llu events\n", (unsigned long long)tally->done,
           (double)tally->done / (tally->told - tally->began), (unsigned long long)tally->events);
}

static int run_plan(const struct plan *plan)
{
    struct tally tally = {.began = seconds(), .told = seconds()};
    while (wants_more(plan, &tally) || tally.running_n > 0) {
        while (tally.running_n < plan->jobs && wants_more(plan, &tally))
            tally.running[tally.running_n++] = trial_begin(plan->from + tally.begun++, plan->traced, !plan->traced);
        tally_wait(&tally);
        tally_tell(plan, &tally);
    }
    double rate = (double)tally.done / (seconds() - tally.began);
    if (tally.failed && plan->find)
        printf("mutation %d is found by seed %llu\n", (int)mutation, (unsigned long long)tally.failed_seed);
    else if (tally.failed && !plan->traced)
        failure_print(tally.failed_seed);
    if (!tally.failed)
        printf("%llu seeds from %llu, %.1f a second, %llu events: all is well\n", (unsigned long long)tally.done,
               (unsigned long long)plan->from, rate, (unsigned long long)tally.events);
    else if (!plan->find)
        printf("%llu seeds from %llu, %.1f a second: seed %llu fails\n", (unsigned long long)tally.done,
               (unsigned long long)plan->from, rate, (unsigned long long)tally.failed_seed);
    if (plan->find && !tally.failed)
        printf("mutation %d is not found\n", (int)mutation);
    return tally.failed == plan->find ? 0 : 1;
}

static bool options_read(int argc, char **argv, struct plan *plan)
{
    for (int i = 1; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : "";
        if (text_equal(argv[i], "--trace") || text_equal(argv[i], "--find")) {
            *(argv[i][2] == 't' ? &plan->traced : &plan->find) = true;
            continue;
        }
        if (text_equal(argv[i], "--seed")) {
            plan->from = strtoull(value, NULL, 10);
            plan->seeds = 1;
        } else if (text_equal(argv[i], "--from"))
            plan->from = strtoull(value, NULL, 10);
        else if (text_equal(argv[i], "--seeds"))
            plan->seeds = strtoull(value, NULL, 10);
        else if (text_equal(argv[i], "--minutes"))
            plan->minutes = strtod(value, NULL);
        else if (text_equal(argv[i], "--jobs"))
            plan->jobs = strtoull(value, NULL, 10);
        else if (text_equal(argv[i], "--mutation"))
            mutation = (enum mutation)strtol(value, NULL, 10);
        else
            return false;
        i++;
    }
    if (plan->traced)
        plan->jobs = 1;
    return plan->jobs >= 1 && plan->jobs <= JOBS_MAX && mutation < MUTATIONS;
}

int main(int argc, char **argv)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    struct plan plan = {.from = 1, .seeds = 100, .jobs = cores > 0 && cores < JOBS_MAX ? (size_t)cores : 2};
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (!options_read(argc, argv, &plan)) {
        fprintf(stderr, "simulate [--seed S | --from S --seeds N | --minutes N] [--jobs J] [--mutation M] [--trace] [--find]\n");
        return 2;
    }
    return run_plan(&plan);
}
