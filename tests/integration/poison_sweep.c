/* The watchdog, but for tickets whose key begins with POISON-SWEEP: who sweeps their clocks is brought down. Only tests run it
 * (test_parking.py). The product's sources are the same, without a hook. */
#include "services/sla-watchdog/sla_watchdog.h"

#include "base/text.h"
#include <stdlib.h>

static const struct sweep *real;

static void poisoned_decide(struct run *run, const struct tables *tables, const void *row)
{
    if (text_starts(row, "POISON-SWEEP")) /* a row begins with its key */
        abort();
    real->decide(run, tables, row);
}

int main(int argc, char **argv)
{
    struct worker worker = sla_watchdog_worker;
    struct sweep sweep = worker.sweeps[0];
    real = &worker.sweeps[0];
    sweep.decide = poisoned_decide;
    worker.sweeps = &sweep;
    worker.sweeps_n = 1;
    return worker_main(&worker, argc, argv);
}
