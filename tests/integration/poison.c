/* The dispatcher, but for tickets whose key begins with POISON: of FAIL its handler fails, of ABORT it brings the process down, of LOOP it
 * never comes back. Only tests run it (test_parking.py). The product's sources are the same, without a hook. */
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
    return worker_main(&worker, argc, argv);
}
