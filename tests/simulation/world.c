#include "world.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include <assert.h>
#include <pthread.h>
#include <sanitizer/asan_interface.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#define STACK_BYTES (1024 * 1024)
#define STEPS_MAX 40000000 /* a run that does not come forward in virtual time */

struct happening {
    int64_t at_us;
    uint64_t seq;
    deed *deed;
    void *arg;
};

/* Where one of them goes on: the compiler's own jump, which asks neither the kernel nor a sanitizer. */
typedef void *place[5];
#define STACKS_KEPT 256

struct fiber {
    ucontext_t context; /* of its beginning */
    place resume;       /* from then on: no system call */
    void *stack;
    bool begun;
    struct process *process;
    void (*run)(void *arg);
    void *arg;
    bool done, waiting;
    int64_t wake_us; /* when the wake-up that counts is due */
    struct fiber *next;
};

static struct {
    int64_t now_us;
    uint64_t seq, random;
    bool traced;
    struct happening *heap;
    size_t heap_n, heap_cap;
    ucontext_t scheduler;
    place resume;
    void *stacks[STACKS_KEPT]; /* of fibers that are over */
    size_t stacks_n;
    struct fiber *current, *fibers;
    struct process *processes;
} world;

/* --- chance -------------------------------------------------------------------------------------- */

static uint64_t draw(void)
{
    uint64_t z = world.random += 0x9e3779b97f4a7c15U; /* splitmix64 */
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
    return z ^ (z >> 31);
}

uint64_t world_draw(uint64_t below)
{
    return draw() % below;
}

int64_t world_between(int64_t low, int64_t high)
{
    return low + (int64_t)(draw() % (uint64_t)(high - low + 1));
}

bool world_chance(unsigned per_mille)
{
    return draw() % 1000 < per_mille;
}

/* --- the trace ----------------------------------------------------------------------------------- */

static void say(const char *mark, const char *format, va_list args) __attribute__((format(printf, 2, 0)));
static void say(const char *mark, const char *format, va_list args)
{
    printf("%12.6f  %-12s %s", (double)world.now_us / 1e6, world.current != NULL ? world.current->process->name : "-", mark);
    vprintf(format, args);
    putchar('\n');
}

bool world_is_traced(void)
{
    return world.traced;
}

void world_say(const char *format, ...)
{
    va_list args;
    if (!world.traced)
        return;
    va_start(args, format);
    say("", format, args);
    va_end(args);
}

void world_broken(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    say("BROKEN: ", format, args);
    va_end(args);
    fflush(stdout);
    _exit(1);
}

static void log_line(const char *word, const char *format, va_list args) __attribute__((format(printf, 2, 0)));
static void log_line(const char *word, const char *format, va_list args)
{
    char mark[16];
    if (!world.traced)
        return;
    text_format(mark, sizeof(mark), "%s: ", word);
    say(mark, format, args);
}

#define LOG_WORD(name, word)               \
    void log_##name(const char *format, ...) \
    {                                        \
        va_list args;                        \
        va_start(args, format);              \
        log_line(word, format, args);        \
        va_end(args);                        \
    }
LOG_WORD(info, "info")
LOG_WORD(warn, "warn")
LOG_WORD(error, "error")

void log_open(const char *name, bool json)
{
    (void)name;
    (void)json;
}

void log_fatal(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    log_line("fatal", format, args);
    va_end(args);
    process_exit(1);
}

void log_panic(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    say("BROKEN: panic: ", format, args);
    va_end(args);
    fflush(stdout);
    _exit(1);
}

/* --- time ---------------------------------------------------------------------------------------- */

int64_t world_now_us(void)
{
    return world.now_us;
}

int64_t clock_boot_us(void)
{
    return world.now_us + MINUTE_US;
}

int64_t clock_wall_us(void)
{
    return WORLD_WALL_US + world.now_us + (world.current != NULL ? world.current->process->wall_offset_us : 0);
}

static bool before(const struct happening *a, const struct happening *b)
{
    return a->at_us != b->at_us ? a->at_us < b->at_us : a->seq < b->seq;
}

void world_at(int64_t at_us, deed *what, void *arg)
{
    if (world.heap_n == world.heap_cap) {
        world.heap_cap = world.heap_cap > 0 ? 2 * world.heap_cap : 1024;
        world.heap = memory_grow(world.heap, world.heap_cap * sizeof(*world.heap));
    }
    struct happening one = {.at_us = at_us > world.now_us ? at_us : world.now_us, .seq = ++world.seq, .deed = what, .arg = arg};
    size_t i = world.heap_n++;
    for (; i > 0 && before(&one, &world.heap[(i - 1) / 2]); i = (i - 1) / 2)
        world.heap[i] = world.heap[(i - 1) / 2];
    world.heap[i] = one;
}

static struct happening heap_take(void)
{
    struct happening first = world.heap[0], last = world.heap[--world.heap_n];
    size_t i = 0;
    for (;;) {
        size_t child = 2 * i + 1;
        if (child >= world.heap_n)
            break;
        if (child + 1 < world.heap_n && before(&world.heap[child + 1], &world.heap[child]))
            child++;
        if (!before(&world.heap[child], &last))
            break;
        world.heap[i] = world.heap[child];
        i = child;
    }
    world.heap[i] = last;
    return first;
}

void world_begin(uint64_t seed, bool traced)
{
    world.random = seed * 0x2545f4914f6cdd1dU + 0x1234567;
    world.traced = traced;
}

void world_run(int64_t until_us)
{
    uint64_t steps = 0;
    while (world.heap_n > 0 && world.heap[0].at_us <= until_us) {
        struct happening one = heap_take();
        world.now_us = one.at_us;
        one.deed(one.arg);
        if (++steps == STEPS_MAX)
            world_broken("time does not come forward");
    }
    world.now_us = until_us;
}

/* --- processes ----------------------------------------------------------------------------------- */

struct process *process_current(void)
{
    return world.current != NULL ? world.current->process : NULL;
}

__attribute__((noinline, no_sanitize("address"))) static void jump(place to)
{
    __builtin_longjmp(to, 1);
}

__attribute__((noinline, no_sanitize("address"))) static void to_fiber(struct fiber *fiber)
{
    if (__builtin_setjmp(world.resume) != 0)
        return;
    if (fiber->begun)
        jump(fiber->resume);
    fiber->begun = true;
    swapcontext(&world.scheduler, &fiber->context);
}

__attribute__((noinline, no_sanitize("address"))) static void to_scheduler(struct fiber *fiber)
{
    if (__builtin_setjmp(fiber->resume) == 0)
        jump(world.resume);
}

static void fiber_entry(void)
{
    world.current->run(world.current->arg);
    world.current->done = true;
    for (;;)
        to_scheduler(world.current);
}

/* A wake-up: the fiber goes on if this is the one it waits for. */
static void fiber_resume(void *arg)
{
    struct fiber *fiber = arg;
    if (!fiber->waiting || fiber->done || !fiber->process->alive || fiber->process->paused || world.now_us < fiber->wake_us)
        return;
    fiber->waiting = false;
    world.current = fiber;
    to_fiber(fiber);
    world.current = NULL;
}

static void fiber_wake_at(struct fiber *fiber, int64_t at_us)
{
    fiber->wake_us = at_us;
    world_at(at_us, fiber_resume, fiber);
}

__attribute__((noinline)) static void *stack_take(void)
{
    if (world.stacks_n > 0) {
        void *kept = world.stacks[--world.stacks_n];
        ASAN_UNPOISON_MEMORY_REGION(kept, STACK_BYTES); /* who was killed has left his frames there */
        return kept;
    }
    void *stack = mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
    assert(stack != MAP_FAILED);
    return stack;
}

/* Wake-ups under way still know them: they find their process dead. */
static void fibers_end(const struct process *process)
{
    for (struct fiber **at = &world.fibers; *at != NULL;) {
        struct fiber *fiber = *at;
        if (fiber->process != process) {
            at = &fiber->next;
            continue;
        }
        *at = fiber->next;
        if (world.stacks_n < STACKS_KEPT)
            world.stacks[world.stacks_n++] = fiber->stack;
    }
}

static struct fiber *fiber_begin(struct process *process, void (*run)(void *), void *arg)
{
    struct fiber *fiber = memory_new(sizeof(*fiber));
    void *stack = stack_take();
    fiber->stack = stack;
    fiber->process = process;
    fiber->run = run;
    fiber->arg = arg;
    fiber->next = world.fibers;
    world.fibers = fiber;
    getcontext(&fiber->context);
    fiber->context.uc_stack.ss_sp = stack;
    fiber->context.uc_stack.ss_size = STACK_BYTES;
    fiber->context.uc_link = NULL;
    makecontext(&fiber->context, fiber_entry, 0);
    fiber->waiting = true;
    fiber_wake_at(fiber, world.now_us);
    return fiber;
}

struct process *process_begin(const char *name, void (*run)(void *arg), void *arg, void (*ended)(struct process *), void *owner)
{
    struct process *process = memory_new(sizeof(*process));
    text_copy(process->name, sizeof(process->name), name);
    process->alive = true;
    process->exit_code = -1;
    process->ended = ended;
    process->owner = owner;
    process->next = world.processes;
    world.processes = process;
    fiber_begin(process, run, arg);
    return process;
}

void process_kill(struct process *process)
{
    if (!process->alive)
        return;
    process->alive = false;
    process->paused = false;
    if (process->ended != NULL)
        process->ended(process);
    fibers_end(process);
    if (world.current != NULL && world.current->process == process)
        for (;;)
            to_scheduler(world.current);
}

void process_exit(int code)
{
    world.current->process->exit_code = code;
    process_kill(world.current->process);
    abort();
}

void process_wake(struct process *process)
{
    if (process == NULL || !process->alive || process->paused)
        return;
    for (struct fiber *fiber = world.fibers; fiber != NULL; fiber = fiber->next)
        if (fiber->process == process && fiber->waiting && fiber->wake_us > world.now_us + 100)
            fiber_wake_at(fiber, world.now_us + world_between(1, 100));
}

static void process_go_on(void *arg)
{
    struct process *process = arg;
    if (!process->alive || !process->paused)
        return;
    process->paused = false;
    world_say("%s goes on", process->name);
    for (struct fiber *fiber = world.fibers; fiber != NULL; fiber = fiber->next)
        if (fiber->process == process && fiber->waiting)
            fiber_wake_at(fiber, world.now_us + world_between(0, 50));
}

static void process_pause(struct process *process, int64_t us)
{
    if (process == NULL || !process->alive || process->paused)
        return;
    world_say("%s stands still for %lld ms", process->name, (long long)(us / 1000));
    process->paused = true;
    world_at(world.now_us + us, process_go_on, process);
}

void world_wait(int64_t until_us)
{
    struct fiber *fiber = world.current;
    assert(fiber != NULL);
    fiber->waiting = true;
    if (until_us == INT64_MAX)
        fiber->wake_us = until_us;
    else
        fiber_wake_at(fiber, until_us > world.now_us ? until_us : world.now_us);
    to_scheduler(fiber);
}

void world_sleep(int64_t us)
{
    int64_t until_us = world.now_us + us;
    while (world.current != NULL && world.now_us < until_us)
        world_wait(until_us);
}

void world_touch(void)
{
    if (world.current == NULL)
        return;
    struct process *process = world.current->process;
    if (process->doom == 0 || --process->doom > 0)
        return;
    if (process->doom_pause_us > 0) {
        process_pause(process, process->doom_pause_us);
        world_sleep(process->doom_pause_us);
        return;
    }
    world_say("is killed");
    process_kill(process);
}

/* --- threads of a process (feed.c) --------------------------------------------------------------- */

struct thread {
    struct fiber *fiber;
    void *(*run)(void *);
    void *arg;
};

static void thread_run(void *arg)
{
    struct thread *thread = arg;
    (void)thread->run(thread->arg);
}

int sim_thread_create(pthread_t *out, const pthread_attr_t *attr, void *(*run)(void *), void *arg);
int sim_thread_create(pthread_t *out, const pthread_attr_t *attr, void *(*run)(void *), void *arg)
{
    struct thread *thread = memory_new(sizeof(*thread));
    (void)attr;
    thread->run = run;
    thread->arg = arg;
    thread->fiber = fiber_begin(process_current(), thread_run, thread);
    *out = (pthread_t)(uintptr_t)thread;
    return 0;
}

int sim_thread_join(pthread_t id, void **result);
int sim_thread_join(pthread_t id, void **result)
{
    const struct thread *thread = (const struct thread *)(uintptr_t)id;
    (void)result;
    while (!thread->fiber->done)
        world_sleep(1000);
    return 0;
}
