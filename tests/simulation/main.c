/* simulate [--seed S | --from S --seeds N | --minutes N] [--mutation M] [--trace]: each seed in a process of its own. */
#include "base/mutation.h"
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
#define PATIENCE_US (10 * MINUTE_US)  /* after the last fault everybody must have come to rest */

static enum mutation mutation;

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

static void wait_for_rest(void)
{
    int64_t until_us = world_now_us() + PATIENCE_US, quiet_us = world_now_us();
    uint64_t head = 0;
    while (world_now_us() - quiet_us < QUIET_US) {
        world_run(world_now_us() + SECOND_US);
        uint64_t now = db_of(STORE_SCHEMA)->journal_n;
        if (now != head || !branches_are_answered() || !everybody_is_at(now))
            quiet_us = world_now_us();
        head = now;
        if (world_now_us() < until_us)
            continue;
        branches_print();
        for (size_t i = 0; i < WORKERS; i++)
            world_say("%s is at %llu", workers[i]->name, (unsigned long long)db_of(workers[i]->name)->cursor.state.pos);
        world_broken("%lld s after the last fault nobody has come to rest; the head is %llu",
                     (long long)(PATIENCE_US / SECOND_US), (unsigned long long)head);
    }
}

/* Most stories are short; some are long enough for lives within lives. */
static void run_seed(uint64_t seed, bool traced)
{
    world_begin(seed, traced);
    bool is_long = seed % 20 == 0;
    int64_t end_us = (is_long ? 60 : 12) * SECOND_US;
    company_begin();
    facts_begin(is_long ? 80 : 12, end_us);
    faults_begin(end_us);
    world_run(end_us);
    wait_for_rest();
    check_end();
    world_say("all is well: %zu events, %zu answers", db_of(STORE_SCHEMA)->journal_n, branches_answered());
}

/* --- many ------------------------------------------------------------------------------------------- */

struct outcome {
    int status;
    size_t events;
};

static struct outcome run_apart(uint64_t seed, bool traced, bool silent)
{
    int ends[2];
    const struct rlimit cpu = {.rlim_cur = 5, .rlim_max = 6};
    struct outcome outcome = {.status = -1};
    fflush(stdout);
    if (pipe(ends) != 0)
        return outcome;
    pid_t child = fork();
    if (child == 0) {
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
    if (read(ends[0], &outcome.events, sizeof(outcome.events)) != (ssize_t)sizeof(outcome.events))
        outcome.events = 0;
    close(ends[0]);
    waitpid(child, &outcome.status, 0);
    return outcome;
}

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void failure_print(uint64_t seed)
{
    printf("--- seed %llu\n", (unsigned long long)seed);
    struct outcome outcome = run_apart(seed, true, false);
    if (WIFSIGNALED(outcome.status))
        printf("killed by signal %d\n", WTERMSIG(outcome.status));
    printf("--- the same again: simulate --seed %llu --trace%s\n", (unsigned long long)seed, mutation != MUTATION_NONE ? " --mutation …" : "");
}

struct plan {
    uint64_t from, seeds;
    double minutes;
    bool traced, find; /* find: a failure is what is looked for */
};

static int run_plan(const struct plan *plan)
{
    double began = seconds(), told = began;
    uint64_t done = 0, events = 0;
    for (; plan->minutes > 0 ? seconds() - began < plan->minutes * 60 : done < plan->seeds; done++) {
        struct outcome outcome = run_apart(plan->from + done, plan->traced, !plan->traced);
        events += outcome.events;
        if (outcome.status != 0) {
            if (plan->find)
                printf("mutation %d is found by seed %llu, the %llu.\n", (int)mutation, (unsigned long long)(plan->from + done), (unsigned long long)done + 1);
            else if (!plan->traced)
                failure_print(plan->from + done);
            return plan->find ? 0 : 1;
        }
        if (plan->minutes > 0 && seconds() - told >= 10) {
            told = seconds();
            printf("%llu seeds, %.1f a second, %llu events\n", (unsigned long long)done, (double)done / (told - began), (unsigned long long)events);
            fflush(stdout);
        }
    }
    printf("%llu seeds from %llu, %.1f a second, %llu events: all is well\n", (unsigned long long)done,
           (unsigned long long)plan->from, (double)done / (seconds() - began), (unsigned long long)events);
    if (plan->find)
        printf("mutation %d is not found\n", (int)mutation);
    return plan->find ? 1 : 0;
}

int main(int argc, char **argv)
{
    struct plan plan = {.from = 1, .seeds = 100};
    setvbuf(stdout, NULL, _IOLBF, 0);
    for (int i = 1; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : "";
        if (text_equal(argv[i], "--seed")) {
            plan.from = strtoull(value, NULL, 10);
            plan.seeds = 1;
        } else if (text_equal(argv[i], "--from"))
            plan.from = strtoull(value, NULL, 10);
        else if (text_equal(argv[i], "--seeds"))
            plan.seeds = strtoull(value, NULL, 10);
        else if (text_equal(argv[i], "--minutes"))
            plan.minutes = strtod(value, NULL);
        else if (text_equal(argv[i], "--mutation"))
            mutation = (enum mutation)strtol(value, NULL, 10);
        else if (text_equal(argv[i], "--trace")) {
            plan.traced = true;
            continue;
        } else if (text_equal(argv[i], "--find")) {
            plan.find = true;
            continue;
        } else {
            fprintf(stderr, "simulate [--seed S | --from S --seeds N | --minutes N] [--mutation M] [--trace] [--find]\n");
            return 2;
        }
        i++;
    }
    return run_plan(&plan);
}
