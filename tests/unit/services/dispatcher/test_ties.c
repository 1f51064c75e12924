/* A journal that another build has written: this one breaks ties the other way, and still comes to
 * the same rows. */
#include "services/dispatcher/dispatcher.h"
#include "unit/services/dispatcher/story.h"

#include <stdio.h>

/* This build does choose otherwise when the choice is its own. */
static void chooses_otherwise(void)
{
    struct story *story = story_new(&dispatcher_worker, "2026-03-02T08:00:00Z",
                                    "name: a\nversion: a-1\nzone: UTC\nkinds: [{name: repair}]\n"
                                    "dispatch: {tiers: [{tier: 3, accept_within: 2h}]}\n");
    story_tell(story, "site.updated", "A", "{\"name\":\"a\",\"tier\":3}");
    story_tell(story, "site.updated", "B", "{\"name\":\"b\",\"tier\":3}");
    story_tell(story, "ticket.assessed", "T",
               "{\"policy\":\"a-1\",\"kind\":\"repair\",\"opened\":\"2026-03-02T08:00:00Z\"}");
    story_concludes(story, "T/j1 is offered to B (first)\n");
    story_tell(story, "engineer.updated", "li", "{\"site\":\"A\"}");
    story_tell(story, "engineer.updated", "wang", "{\"site\":\"A\"}");
    story_tell(story, "ticket.assessed", "U",
               "{\"policy\":\"a-1\",\"kind\":\"repair\",\"opened\":\"2026-03-02T08:00:00Z\"}");
    story_concludes(story, "U/j1 is offered to A, wang (first)\n");
    story_destroy(&story);
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: %s JOURNAL\n", argv[0]);
        return 2;
    }
    chooses_otherwise();
    return story_repeats(&dispatcher_worker, argv[1]) ? 0 : 1;
}
