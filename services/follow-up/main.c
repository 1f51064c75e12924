#include "services/follow-up/follow_up.h"

int main(int argc, char **argv)
{
    return worker_main(&follow_up_worker, argc, argv);
}
