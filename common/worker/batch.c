/* One transaction of a worker: handle what was read, ship the conclusions and write the rows at the same time, commit when
 * intake has acknowledged. */
#include "worker/shell.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mutation.h"
#include "base/text.h"
#include "table/mirror.h"
#include <signal.h>
#include <stdlib.h>
#include <sys/time.h>
#include <unistd.h>

#define APPEND_BYTES_TARGET (APPEND_BYTES_MAX - 8192) /* room for the frame around */
#define PING_US SECOND_US
#define ASK_AGAIN_US 1000
#ifndef EVENT_CPU_SECONDS_MAX /* a test's dispatcher has less patience */
#define EVENT_CPU_SECONDS_MAX 10
#endif

/* In the signal's handler: only what is safe there. */
static void cpu_spent(int number)
{
    static const char words[] = "panic: an event took all the processor time it may: the process ends, and tries it alone next\n";
    ssize_t written = write(STDERR_FILENO, words, sizeof words - 1);
    (void)written;
    signal(number, SIG_DFL);
    raise(number);
}

/* A handler that loops brings the process down (SIGPROF), the attempt counter finds it, parking ends it. */
static void cpu_limit(int seconds)
{
    signal(SIGPROF, cpu_spent);
    struct itimerval limit = {.it_value = {.tv_sec = seconds}};
    setitimer(ITIMER_PROF, &limit, NULL);
}

/* Serves what it misses and calls again. */
static enum run_result step(struct shell *shell, enum run_result (*call)(struct shell *))
{
    enum run_result result;
    while ((result = call(shell)) == RUN_MISS) {
        if (!tables_missed(run_tables(shell->run)))
            ahead_take(shell); /* it may be that page which is missing */
        if (shell->broken || mirror_fetch(shell->pg, run_tables(shell->run)) != STATUS_OK ||
            cursor_hold(shell->pg, shell->worker->name, shell->cursor.session) != STATUS_OK) {
            session_break(shell, "PostgreSQL: %s", pg_error(shell->pg));
            return RUN_MISS;
        }
    }
    return result;
}

static enum run_result process(struct shell *shell)
{
    return run_process(shell->run);
}

static enum run_result head(struct shell *shell)
{
    return run_head(shell->run, shell->head_now_us);
}

/* A timer or, where none is due, a row of a sweep. */
static enum run_result next_alone(struct shell *shell)
{
    enum run_result result = run_next_timer(shell->run, shell->trying);
    shell->trying_row = result == RUN_DONE && shell->trying[0] == '\0';
    return shell->trying_row ? run_next_swept(shell->run, shell->trying) : result;
}

static enum run_result do_alone(struct shell *shell)
{
    return shell->trying_row ? run_sweep_next(shell->run) : run_fire_next(shell->run);
}

/* While it is searched for what brings the process down: on record before it is tried, off it as soon as it has come back. */
static bool try_alone(struct shell *shell)
{
    if (cursor_try(shell->pg, shell->worker->name, shell->trying) == STATUS_OK)
        return true;
    session_break(shell, "PostgreSQL: %s", pg_error(shell->pg));
    return false;
}

static bool attempt(struct shell *shell, uint64_t pos)
{
    if (run_batched(shell->run) == 0 || cursor_attempt(shell->pg, shell->worker->name, pos) == STATUS_OK)
        return true;
    session_break(shell, "PostgreSQL: %s", pg_error(shell->pg));
    return false;
}

static bool has_drawn(const struct shell *shell)
{
    const struct run_conclusion *conclusions;
    return run_conclusions(shell->run, &conclusions) > 0;
}

/* One event, and one timer or row of a sweep at most, each by itself, also in what they draw. A look at the timers between leaves the
 * record of the event as it is. */
static enum run_result search(struct shell *shell)
{
    run_hold(shell->run, true);
    if (!attempt(shell, shell->committed + 1))
        return RUN_MISS;
    enum run_result result = step(shell, run_batched(shell->run) > 0 ? process : head);
    if (result == RUN_DONE && !attempt(shell, 0))
        return RUN_MISS;
    if (result == RUN_DONE && has_drawn(shell))
        return result;
    if (result == RUN_DONE)
        result = step(shell, next_alone);
    if (result != RUN_DONE || shell->trying[0] == '\0')
        return result;
    if (!try_alone(shell))
        return RUN_MISS;
    result = step(shell, do_alone);
    text_copy(shell->drew, sizeof shell->drew, shell->trying);
    shell->trying[0] = '\0';
    return result == RUN_DONE && !try_alone(shell) ? RUN_MISS : result;
}

static bool handle(struct shell *shell)
{
    cpu_limit(EVENT_CPU_SECONDS_MAX);
    shell->drew[0] = '\0';
    ahead_allow(shell, shell->concluded_us);
    enum run_result result = shell->alone > 0 ? search(shell) : step(shell, run_batched(shell->run) > 0 ? process : head);
    run_hold(shell->run, false);
    cpu_limit(0);
    if (result == RUN_MISS)
        return false;
    ahead_count(shell, shell->concluded_us);
    if (result == RUN_STOP) {
        shell->fatal = true;
        session_break(shell, "%s", run_error(shell->run));
        return false;
    }
    return true;
}

/* As many messages as it takes; each says how far the worker is with it. */
static void ship(struct shell *shell)
{
    const struct run_conclusion *conclusions;
    size_t n = run_conclusions(shell->run, &conclusions), from = 0;
    struct bytes drafts[APPEND_EVENTS_MAX];
    while (from < n) {
        size_t count = 0, bytes = 0;
        while (from + count < n && count < APPEND_EVENTS_MAX &&
               bytes + conclusions[from + count].draft.len <= APPEND_BYTES_TARGET) {
            drafts[count] = conclusions[from + count].draft;
            bytes += drafts[count++].len;
        }
        from += count;
        int64_t upto = (int64_t)(from == n ? run_upto(shell->run) : conclusions[from].trigger - 1);
        if (upto > shell->shipped_upto)
            shell->shipped_upto = upto;
        source_append(shell->source, drafts, count, shell->shipped_upto, 0);
    }
    metric_add(shell->conclusions, (int64_t)n);
}

static enum status write_rows(struct shell *shell)
{
    struct run_state state = run_state(shell->run);
    enum status status = pg_begin(shell->pg);
    if (status == STATUS_OK)
        status = mirror_send(shell->pg, run_tables(shell->run));
    if (status == STATUS_OK)
        status = cursor_send(shell->pg, shell->worker->name, shell->cursor.session, shell->committed, &state);
    return status;
}

static void board_update(struct shell *shell)
{
    struct ask_board *board = &shell->board;
    struct run_state state = run_state(shell->run);
    pthread_mutex_lock(&board->lock);
    board->committed = (int64_t)shell->committed;
    board->seen = (int64_t)reader_head(shell->reader);
    board->upto = shell->shipped_upto;
    board->in_flight = (int64_t)run_flying(shell->run);
    board->parked = (int64_t)run_parked(shell->run);
    board->checked_us = state.checked_us;
    board->open_rows = (int64_t)session_open_rows(shell);
    board->memory_bytes = (int64_t)tables_bytes(run_tables(shell->run));
    pthread_cond_broadcast(&board->moved);
    pthread_mutex_unlock(&board->lock);
    metric_set(shell->position, (int64_t)shell->committed);
    metric_set(shell->head, board->seen);
    metric_set(shell->lag, board->seen - (int64_t)shell->committed);
    metric_set(shell->in_flight, board->in_flight);
    metric_set(shell->parked, board->parked);
    metric_set(shell->checked, state.checked_us / SECOND_US);
}

static void note_upto(struct shell *shell)
{
    if ((int64_t)run_upto(shell->run) > shell->shipped_upto)
        shell->shipped_upto = (int64_t)run_upto(shell->run);
}

/* How long the events took from intake's stamp to our commit: what a user of the tables waits. */
static void count_delays(struct shell *shell)
{
    int64_t now_us = clock_wall_us();
    for (size_t i = 0; i < shell->sent.events_n; i++) {
        int64_t delay_us = now_us - shell->sent.rec_us[i];
        for (size_t k = COUNT_OF(apply_bounds_us); k-- > 0 && delay_us <= apply_bounds_us[k];)
            metric_add(shell->applied_within[k], 1);
    }
}

/* Detection lag: how long after its due instant what a timer concludes goes out. */
static void count_timers(struct shell *shell)
{
    const int64_t *due_us;
    int64_t now_us = clock_wall_us();
    size_t n = run_fired(shell->run, &due_us);
    for (size_t i = 0; i < n; i++) {
        int64_t late_us = now_us > due_us[i] ? now_us - due_us[i] : 0;
        metric_add(shell->timers, 1);
        metric_add(shell->timers_late_us, late_us);
        for (size_t k = COUNT_OF(apply_bounds_us); k-- > 0 && late_us <= apply_bounds_us[k];)
            metric_add(shell->fired_within[k], 1);
    }
}

/* Handles what was read and ships what follows from it. The rows are still only in memory. */
static void conclude_batch(struct shell *shell)
{
    size_t n = run_batched(shell->run);
    const struct run_conclusion *conclusions;
    shell->concluded_us = clock_boot_us();
    shell->head_used_us = shell->head_now_us;
    if (!handle(shell))
        return;
    if (n == 0 && run_conclusions(shell->run, &conclusions) == 0) { /* time passed, nothing was due that is not in flight */
        note_upto(shell);
        run_committed(shell->run);
        return;
    }
    ship(shell);
    if (!run_state(shell->run).stepped)
        count_timers(shell);
    session_flush(shell);
    shell->concluded = true;
    reader_pause(shell->reader, true);
}

/* Sends the rows of what was concluded; memory is free for the next batch. */
static void send_batch(struct shell *shell)
{
    struct sent *sent = &shell->sent;
    const int64_t *due_us;
    if (write_rows(shell) != STATUS_OK) {
        session_break(shell, "PostgreSQL: %s", pg_error(shell->pg));
        return;
    }
    sent->under_way = true;
    sent->answered_n = source_next_n(shell->source);
    sent->pos = run_state(shell->run).pos;
    sent->events_n = run_batched(shell->run);
    sent->tried = sent->events_n + run_fired(shell->run, &due_us) + run_swept(shell->run);
    if (sent->events_n > sent->cap)
        sent->rec_us = memory_grow(sent->rec_us, (sent->cap = 2 * sent->events_n) * sizeof sent->rec_us[0]);
    for (size_t i = 0; i < sent->events_n; i++)
        sent->rec_us[i] = run_batched_rec_us(shell->run, i);
    run_committed(shell->run);
    shell->concluded = false;
    /* What came since then has lingered already. */
    shell->kept_since_us = shell->concluded_us;
    reader_pause(shell->reader, false);
    reader_resume(shell->reader);
    shell->kept_since_us = 0;
}

static bool is_answered(const struct shell *shell)
{
    return MUTATION(MUTATION_ROWS_EARLY) ||
           source_next_n(shell->source) - (int64_t)source_pending(shell->source) >= shell->sent.answered_n;
}

static void commit_batch(struct shell *shell)
{
    if (pg_commit(shell->pg) != STATUS_OK) {
        session_break(shell, "PostgreSQL: the commit failed or is in doubt: %s", pg_error(shell->pg));
        return;
    }
    shell->sent.under_way = false;
    if (!run_state(shell->run).stepped)
        count_delays(shell);
    shell->committed = shell->sent.pos;
    note_upto(shell);
    shell->alone -= shell->sent.tried < shell->alone ? shell->sent.tried : shell->alone;
    metric_add(shell->events, (int64_t)shell->sent.events_n);
    metric_add(shell->commits, 1);
    board_update(shell);
    reader_applied(shell->reader, shell->committed);
}

static bool batch_is_ready(const struct shell *, int64_t now_us);

bool batch_work(struct shell *shell, int64_t now_us)
{
    if (shell->sent.under_way && is_answered(shell))
        commit_batch(shell);
    else if (shell->concluded && !shell->sent.under_way)
        send_batch(shell);
    else if (!shell->concluded && batch_is_ready(shell, now_us))
        conclude_batch(shell);
    else
        return false;
    return true;
}

static bool at_head(const struct shell *shell)
{
    return run_batched(shell->run) == 0 && !shell->sent.under_way && shell->committed == shell->head_pos;
}

/* Timers wait for what is under way, and so does what may bring the process down. */
static bool batch_is_ready(const struct shell *shell, int64_t now_us)
{
    size_t n = run_batched(shell->run);
    if (shell->sent.under_way && (n == 0 || shell->alone > 0))
        return false;
    if (n > 0) {
        bool all = reader_position(shell->reader) == shell->head_pos;
        return n >= (size_t)shell->own->linger_events || shell->alone > 0 ||
               (all && run_state(shell->run).stepped) ||
               now_us - shell->batch_since_us >= shell->own->linger_ms * 1000;
    }
    if (run_timers_due(shell->run) || (run_sweep_ready(shell->run) && now_us >= ahead_sweep_us(shell)))
        return true;
    return at_head(shell) && !run_state(shell->run).stepped && shell->head_now_us > shell->head_used_us &&
           run_next_due_us(shell->run) <= shell->head_now_us;
}

/* Everything read, concluded and read back. */
static bool has_arrived(const struct shell *shell)
{
    return at_head(shell) && run_flying(shell->run) == 0 && !run_timers_left(shell->run);
}

/* Asking what time it is makes sense once more when something was heard since: an intake that is away is not asked in a
 * loop. */
static int64_t ask_us(const struct shell *shell)
{
    int64_t again_us = shell->told_us + ASK_AGAIN_US;
    int64_t due_us = run_next_due_us(shell->run);
    if (!has_arrived(shell) || shell->head_heard_us <= shell->told_us || due_us == INT64_MAX)
        return INT64_MAX;
    int64_t at_us = shell->head_heard_us + (due_us - shell->head_now_us);
    return at_us > again_us ? at_us : again_us;
}

int64_t batch_deadline_us(const struct shell *shell)
{
    int64_t deadline_us = shell->told_us + PING_US;
    if (shell->concluded || (shell->sent.under_way && (run_batched(shell->run) == 0 || shell->alone > 0)))
        return deadline_us; /* intake's answer goes first */
    if (run_batched(shell->run) > 0) {
        int64_t linger_us = shell->batch_since_us + shell->own->linger_ms * 1000;
        deadline_us = linger_us < deadline_us ? linger_us : deadline_us;
    } else if (!run_state(shell->run).stepped && shell->head_now_us > 0) {
        int64_t at_us = ask_us(shell);
        deadline_us = at_us < deadline_us ? at_us : deadline_us;
    }
    if (run_sweep_ready(shell->run) && ahead_sweep_us(shell) < deadline_us)
        deadline_us = ahead_sweep_us(shell);
    return deadline_us;
}

void batch_tell(struct shell *shell, int64_t now_us)
{
    struct run_state state = run_state(shell->run);
    bool due = now_us - shell->told_us >= PING_US;
    if (state.stepped)
        due = due || (has_arrived(shell) && shell->told_upto != shell->shipped_upto);
    else
        due = due || ask_us(shell) <= now_us;
    if (!due || source_state(shell->source) != SOURCE_OPEN)
        return;
    struct verb_ping ping;
    record_clear(&verb_ping_record, &ping);
    ping.upto = MUTATION(MUTATION_UPTO_EARLY) ? (int64_t)reader_head(shell->reader) : shell->shipped_upto;
    ping.checked_us = state.checked_us;
    ping.applied = (int64_t)shell->committed;
    source_ping(shell->source, &ping);
    shell->told_upto = shell->shipped_upto;
    shell->told_us = now_us;
    board_update(shell);
}
