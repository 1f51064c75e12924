/* callbacks, as a real PostgreSQL answers. */
#include "services/follow-up/follow_up.h"
#include "unit/common/pg/cluster.h"
#include "unit/services/dispatcher/answers.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static const char policy[] = "name: acme\nversion: acme-1\nzone: UTC\nkinds: [{name: repair}]\n"
                             "followup: [{after: 3d, window: 5d, reopen_below: 3}]\n";

static struct cluster cluster;
static struct pg *pg;

static void ticket(struct story *story, const char *key)
{
    story_tell(story, "ticket.assessed", key,
               "{\"policy\":\"acme-1\",\"kind\":\"repair\",\"region\":\"4401\",\"opened\":\"2026-"
               "03-02T08:00:00Z\"}");
    story_tell(story, "ticket.resolved", key, "{\"outcome\":\"done\"}");
}

static int group_setup(void **state)
{
    (void)state;
    if (cluster_start(&cluster) != 0)
        return -1;
    pg = cluster_connect(&cluster, "follow-up");
    struct story *story = story_new(&follow_up_worker, "2026-03-02T08:00:00Z", policy);
    ticket(story, "T");
    story_wait(story, 4 * 1440);
    story_tell(story, "followup.recorded", "T", "{\"reached\":true,\"satisfaction\":4}");
    ticket(story, "T1");
    answers_fill(pg, &follow_up_worker, story);
    story_destroy(&story);
    return 0;
}

static int group_teardown(void **state)
{
    (void)state;
    pg_destroy(&pg);
    return cluster_stop(&cluster);
}

#define FIRST                                                                                      \
    "{\"callback\":\"T/"                                                                           \
    "1\",\"ticket\":\"T\",\"k\":1,\"region\":\"4401\",\"kind\":\"repair\",\"state\":\"recorded\"," \
    "\"resolved\":\"2026-03-02T08:00:00Z\",\"due\":\"2026-03-05T08:00:00Z\",\"until\":\"2026-03-"  \
    "10T08:00:00Z\","                                                                              \
    "\"recorded\":\"2026-03-06T08:00:00Z\",\"attempts\":1,\"reached\":true,\"satisfaction\":4}\n"
#define SECOND                                                                                     \
    "{\"callback\":\"T1/"                                                                          \
    "1\",\"ticket\":\"T1\",\"k\":1,\"region\":\"4401\",\"kind\":\"repair\",\"state\":"             \
    "\"scheduled\","                                                                               \
    "\"resolved\":\"2026-03-06T08:00:00Z\",\"due\":\"2026-03-09T08:00:00Z\",\"until\":\"2026-03-"  \
    "14T08:00:00Z\"}\n"

static const char *ask(const char *args, int64_t limit, const char *after)
{
    return answers_ask(pg, &follow_up_worker, "callbacks", args, limit, after);
}

static void callbacks(void **state)
{
    (void)state;
    assert_string_equal(ask("{}", 100, ""), FIRST SECOND);
    assert_string_equal(ask("{}", 1, ""), FIRST);
    assert_string_equal(ask("{}", 100, "T/1"), SECOND);
    assert_string_equal(ask("{\"ticket\":\"T\"}", 100, ""), FIRST);
    assert_string_equal(ask("{\"state\":\"scheduled\"}", 100, ""), SECOND);
    assert_string_equal(ask("{\"region\":\"44\"}", 100, ""), FIRST SECOND);
    assert_string_equal(ask("{\"region\":\"45\"}", 100, ""), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(callbacks)};
    return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
