#include "reporting.h"

int main(int argc, char **argv)
{
    return worker_main(&reporting_worker, argc, argv);
}
