/* The dispatcher, but for tickets whose key begins with POISON: of FAIL its handler fails, of ABORT it brings the process down, of LOOP it
 * never comes back; of TIMER the timers of its jobs bring the process down. Only tests run it (test_parking.py). The product's sources are the same, without a hook. */
#include "services/dispatcher/dispatcher.h"

#include "base/text.h"
#include <stdlib.h>
#include <string.h>

static const struct handler *real;

static bool poisoned_apply(struct tables *tables, const struct event *event, const void *data)
{
    if (text_starts(event->key, "POISON-FAIL"))
        return tables_trouble(tables, "poison in %s", event->key);
    if (text_starts(event->key, "POISON-ABORT"))
        abort();
    for (volatile bool forever = text_starts(event->key, "POISON-LOOP"); forever;)
        continue;
    return real->apply(tables, event, data);
}

static const struct timer *job_timer;

static void poisoned_decide(struct run *run, const struct tables *tables, const void *row)
{
    if (text_starts(row, "POISON-TIMER")) /* a row begins with its key */
        abort();
    job_timer->decide(run, tables, row);
}

int main(int argc, char **argv)
{
    struct worker worker = dispatcher_worker;
    struct handler *handlers = calloc(worker.handlers_n, sizeof *handlers);
    for (size_t i = 0; i < worker.handlers_n && handlers != NULL; i++) {
        handlers[i] = worker.handlers[i];
        if (!text_equal(handlers[i].type, "ticket.assessed"))
            continue;
        real = &worker.handlers[i];
        handlers[i].apply = poisoned_apply;
    }
    worker.handlers = handlers;
    struct timer *timers = calloc(worker.timers_n, sizeof *timers);
    for (size_t i = 0; i < worker.timers_n && timers != NULL; i++) {
        timers[i] = worker.timers[i];
        if (!text_equal(worker.tables[timers[i].table]->name, "job"))
            continue;
        job_timer = &worker.timers[i];
        timers[i].decide = poisoned_decide;
    }
    worker.timers = timers;
    return worker_main(&worker, argc, argv);
}
