/* Virtual time and the processes that live in it: each daemon is the product's own code on a stack of its own, which
 * runs until it touches the world (a socket, PostgreSQL, the clock's next tick) and goes on when the world answers. One
 * thread, one seed: the same seed gives the same run, to the last byte.
 *
 * At every touch a process may be killed or stopped: between two of them nothing that others could see happens. */
#ifndef AFTERCARE_SIMULATION_WORLD_H
#define AFTERCARE_SIMULATION_WORLD_H

#include "base/instant.h"
#include "base/status.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef void deed(void *arg);

void world_begin(uint64_t seed, bool traced);
int64_t world_now_us(void); /* since the beginning */
#define WORLD_WALL_US INT64_C(1782205200000000) /* what clocks show at the beginning: 2026-06-23T09:00Z */
/* Something that happens then, in the order of time. */
void world_at(int64_t at_us, deed *, void *arg);
void world_run(int64_t until_us);
/* From the seed. below > 0. */
uint64_t world_draw(uint64_t below);
int64_t world_between(int64_t low, int64_t high); /* both included */
bool world_chance(unsigned per_mille);

/* A line of the trace. */
void world_say(const char *format, ...) PRINTF_LIKE(1, 2);
bool world_is_traced(void);
/* A promise is broken: the run ends here (exit code 1). */
_Noreturn void world_broken(const char *format, ...) PRINTF_LIKE(1, 2);

struct process {
    char name[40];
    bool alive, paused;
    int64_t wall_offset_us; /* of its wall clock */
    int64_t pg_away_until_us; /* PostgreSQL cannot be reached from here */
    unsigned doom;          /* touches until it dies or stops; 0: not foreseen */
    int64_t doom_pause_us;  /* 0: it dies; > 0: it stops for so long */
    int exit_code;          /* −1: killed */
    void *told;             /* what is on its way through the inproc pair (net.c) */
    void (*ended)(struct process *);
    void *owner;
    struct process *next;
};

/* Begins to run now. ended is called when it is over, however it came; memory of a killed one is lost on purpose. */
struct process *process_begin(const char *name, void (*run)(void *arg), void *arg, void (*ended)(struct process *),
                              void *owner);
void process_kill(struct process *);
struct process *process_current(void); /* NULL: the world itself */
/* Whoever of it waits looks again. */
void process_wake(struct process *);
void process_exit(int code) __attribute__((noreturn)); /* of the current one */

/* Called by every edge: here a process may die, or stop for a while. */
void world_touch(void);
/* The current process waits until then, or until it is woken. */
void world_wait(int64_t until_us);
void world_sleep(int64_t us);

#endif
