#include "services/sla-watchdog/sla_watchdog.h"

int main(int argc, char **argv)
{
    return worker_main(&sla_watchdog_worker, argc, argv);
}
