/* Key files: there are none in the simulation. */
#include "bus/key.h"

bool bus_key_load(const char *path, struct bus_key *key, struct problem *problem)
{
    (void)key;
    return problem_set(problem, "unreadable", path, "no files here");
}

void bus_key_forget(struct bus_key *key)
{
    (void)key;
}

void bus_identify(const struct bus_key *key)
{
    (void)key;
}
