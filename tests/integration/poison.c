/* The dispatcher, but for tickets whose key begins with POISON: of FAIL its handler fails, of ABORT it brings the process down, of LOOP it
 * never comes back; of TIMER the timers of its jobs bring the process down; of DENIED it concludes what intake refuses, of YEAR what no message
 * can hold, of LATE a timer what intake refuses. Only tests run it (test_parking.py). The product's sources are the same, without a hook. */
#include "services/dispatcher/dispatcher.h"

#include "base/text.h"
#include "proto/followup.h"
#include "proto/job.h"
#include "services/dispatcher/tables.h"
#include <assert.h>
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

/* Not the dispatcher's to say. */
static void say_denied(struct run *run, const char *ticket)
{
    char slot[EVENT_ID_CAP];
    struct followup_missed missed = {.k = 1, .due_us = 1, .until_us = 2};
    text_format(slot, sizeof slot, "dispatcher/%s/poison", ticket);
    conclude(run, slot, "followup.missed", ticket, &followup_missed_record, &missed);
}

static void poisoned_assessed(struct run *run, const struct tables *tables, const struct event *event, const void *data)
{
    struct job_offered never = {.due_us = INT64_MAX / 2};
    char slot[EVENT_ID_CAP];
    if (text_starts(event->key, "POISON-DENIED"))
        say_denied(run, event->key);
    text_format(slot, sizeof slot, "dispatcher/%s/poison", event->key);
    text_format(never.job, sizeof never.job, "%s/j1", event->key);
    text_copy(never.site, sizeof never.site, "S1");
    if (text_starts(event->key, "POISON-YEAR"))
        conclude(run, slot, "job.offered", event->key, &job_offered_record, &never);
    real->decide(run, tables, event, data);
}

static const struct timer *job_timer;

static void poisoned_decide(struct run *run, const struct tables *tables, const void *row)
{
    if (text_starts(row, "POISON-TIMER")) /* a row begins with its key */
        abort();
    const struct job *job = row;
    if (text_starts(row, "POISON-LATE"))
        say_denied(run, job->ticket);
    else
        job_timer->decide(run, tables, row);
}

int main(int argc, char **argv)
{
    struct worker worker = dispatcher_worker;
    static struct handler handlers[64];
    static struct timer timers[8];
    assert(worker.handlers_n <= COUNT_OF(handlers) && worker.timers_n <= COUNT_OF(timers));
    for (size_t i = 0; i < worker.handlers_n; i++) {
        handlers[i] = worker.handlers[i];
        if (!text_equal(handlers[i].type, "ticket.assessed"))
            continue;
        real = &worker.handlers[i];
        handlers[i].apply = poisoned_apply;
        handlers[i].decide = poisoned_assessed;
    }
    worker.handlers = handlers;
    for (size_t i = 0; i < worker.timers_n; i++) {
        timers[i] = worker.timers[i];
        if (!text_equal(worker.tables[timers[i].table]->name, "job"))
            continue;
        job_timer = &worker.timers[i];
        timers[i].decide = poisoned_decide;
    }
    worker.timers = timers;
    return worker_main(&worker, argc, argv);
}
