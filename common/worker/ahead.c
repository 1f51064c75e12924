/* What is done beside the events: rows of far tables are fetched before they come due, over a connection of their own, and sweeps
 * are given their share. */
#include "worker/shell.h"

#include "base/clock.h"
#include "table/mirror.h"
#include <poll.h>

/* A far table's cache holds what is in use: tickets of the last minutes. */
#define FAR_CACHE_ROWS 65536
/* Conclusions, which all workers have to read besides; a burst is one transaction. */
#define SWEPT_PER_SECOND 4000
#define SWEPT_AT_ONCE 32

static bool has_far_timers(const struct worker *worker)
{
    for (size_t i = 0; i < worker->timers_n; i++)
        if (worker->tables[worker->timers[i].table]->far)
            return true;
    return false;
}

enum status ahead_open(struct shell *shell)
{
    struct ahead *ahead = &shell->ahead;
    ahead->under_way = false;
    ahead->swept_us = clock_boot_us();
    for (unsigned i = 0; i < shell->worker->tables_n; i++)
        if (shell->worker->tables[i]->far && shell->own->cache_rows < FAR_CACHE_ROWS)
            tables_cache(run_tables(shell->run), i, FAR_CACHE_ROWS);
    if (!has_far_timers(shell->worker))
        return STATUS_OK;
    if (ahead->pg == NULL)
        ahead->pg = pg_new(shell->own->dsn, shell->worker->name);
    enum status status = cursor_connect(ahead->pg);
    return status == STATUS_OK ? mirror_session(ahead->pg) : status;
}

static void page_ready(void *arg)
{
    struct shell *shell = arg;
    shell->ahead.readable = true;
}

static void stop_waiting(struct shell *shell)
{
    if (shell->ahead.under_way)
        loop_forget(shell->loop, NULL, shell->ahead.fd);
    shell->ahead.under_way = shell->ahead.readable = false;
}

void ahead_close(struct shell *shell)
{
    stop_waiting(shell);
    if (shell->ahead.pg != NULL)
        pg_disconnect(shell->ahead.pg);
}

void ahead_take(struct shell *shell)
{
    if (!shell->ahead.under_way)
        return;
    stop_waiting(shell);
    if (mirror_page_take(shell->ahead.pg, run_tables(shell->run), shell->ahead.table) != STATUS_OK ||
        cursor_hold(shell->ahead.pg, shell->worker->name, shell->cursor.session) != STATUS_OK)
        session_break(shell, "PostgreSQL: %s", pg_error(shell->ahead.pg));
}

/* The page sees all that was committed; what is not stays in memory until the page is there. A row that a transaction under way
 * has closed might have left memory already. */
void ahead_turn(struct shell *shell)
{
    struct ahead *ahead = &shell->ahead;
    if (ahead->under_way && ahead->readable)
        ahead_take(shell);
    if (ahead->under_way || shell->broken || shell->sent.under_way || ahead->pg == NULL ||
        !run_look_ahead(shell->run, &ahead->table))
        return;
    if (mirror_page_send(ahead->pg, run_tables(shell->run), ahead->table) != STATUS_OK) {
        session_break(shell, "PostgreSQL: %s", pg_error(ahead->pg));
        return;
    }
    ahead->under_way = true;
    ahead->readable = false;
    ahead->fd = pg_socket(ahead->pg);
    loop_fd(shell->loop, ahead->fd, page_ready, shell);
}

/* --- sweeps ---------------------------------------------------------------------------------------- */

static int64_t allowance(const struct shell *shell, int64_t now_us)
{
    int64_t rows = (now_us - shell->ahead.swept_us) * SWEPT_PER_SECOND / SECOND_US;
    return rows < SWEPT_AT_ONCE ? rows : SWEPT_AT_ONCE;
}

/* Worth a transaction of its own. */
int64_t ahead_sweep_us(const struct shell *shell)
{
    return shell->ahead.swept_us + SWEPT_AT_ONCE * SECOND_US / SWEPT_PER_SECOND;
}

void ahead_allow(struct shell *shell, int64_t now_us)
{
    run_sweep_limit(shell->run, (size_t)allowance(shell, now_us));
}

void ahead_count(struct shell *shell, int64_t now_us)
{
    int64_t left = allowance(shell, now_us) - (int64_t)run_swept(shell->run);
    if (run_swept(shell->run) > 0)
        shell->ahead.swept_us = now_us - (left > 0 ? left : 0) * SECOND_US / SWEPT_PER_SECOND;
}
