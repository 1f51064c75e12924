#include "services/dispatcher/dispatcher.h"

int main(int argc, char **argv)
{
    return worker_main(&dispatcher_worker, argc, argv);
}
