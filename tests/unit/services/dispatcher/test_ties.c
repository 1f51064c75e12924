/* A journal that another build has written: this one breaks ties the other way, and still comes to the same rows. */
#include "services/dispatcher/dispatcher.h"
#include "unit/services/dispatcher/story.h"

#include <stdio.h>

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: %s JOURNAL\n", argv[0]);
        return 2;
    }
    return story_repeats(&dispatcher_worker, argv[1]) ? 0 : 1;
}
