/* jobs, why and sites, as a real PostgreSQL answers them. */
#include "services/dispatcher/dispatcher.h"
#include "unit/common/pg/cluster.h"
#include "unit/services/dispatcher/answers.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static const char policy[] = "name: acme\nversion: acme-1\nzone: UTC\nkinds: [{name: repair}]\n"
                             "dispatch: {tiers: [{tier: 3, accept_within: 2h}]}\n";

static struct cluster cluster;
static struct pg *pg;

static int group_setup(void **state)
{
    (void)state;
    if (cluster_start(&cluster) != 0)
        return -1;
    pg = cluster_connect(&cluster, "dispatcher");
    struct story *story = story_new(&dispatcher_worker, "2026-03-02T08:00:00Z", policy);
    story_tell(story, "site.updated", "A",
               "{\"name\":\"north\",\"tier\":3,\"parent\":\"N\",\"region\":\"44\",\"capacity\":5}");
    story_tell(story, "site.updated", "B", "{\"name\":\"south\",\"tier\":3}");
    story_tell(story, "site.updated", "N", "{\"name\":\"branch\",\"tier\":2}");
    static const char ticket[] = "{\"policy\":\"acme-1\",\"kind\":\"repair\",\"region\":\"44\","
                                 "\"opened\":\"2026-03-02T08:00:00Z\"}";
    story_tell(story, "ticket.assessed", "T", ticket);
    story_tell(story, "job.declined", "T", "{\"job\":\"T/j1\",\"reason\":\"no-parts\"}");
    story_tell(story, "job.arrived", "T", "{\"job\":\"T/j2\",\"engineer\":\"eng-7\"}");
    story_tell(story, "ticket.assessed", "T1", ticket);
    story_tell(story, "engineer.updated", "li",
               "{\"site\":\"N\",\"skills\":[\"pump\",\"fan\"],\"days\":[\"fri\",\"mon\"],"
               "\"capacity\":4,\"passes\":[{\"pass\":\"a\",\"until\":\"2027-01-01T00:00:00Z\"},"
               "{\"pass\":\"b\",\"until\":\"2026-06-01T00:00:00Z\"},{\"pass\":\"c\"}]}");
    story_tell(story, "engineer.updated", "wang", "{\"site\":\"N\",\"off_duty\":true}");
    story_tell(story, "engineer.updated", "zhao", "{\"site\":\"N\",\"left\":true}");
    story_tell(story, "engineer.updated", "sun", "{\"site\":\"B\"}");
    story_tell(story, "site.updated", "A",
               "{\"name\":\"north\",\"tier\":3,\"parent\":\"N\","
               "\"region\":\"44\",\"capacity\":5,\"territories\":[\"11\"]}");
    story_tell(story, "ticket.assessed", "U", ticket);
    answers_fill(pg, &dispatcher_worker, story);
    story_destroy(&story);
    return 0;
}

static int group_teardown(void **state)
{
    (void)state;
    pg_destroy(&pg);
    return cluster_stop(&cluster);
}

static const char *ask(const char *question, const char *args, int64_t limit, const char *after)
{
    return answers_ask(pg, &dispatcher_worker, question, args, limit, after);
}

#define J1                                                                                         \
    "{\"job\":\"T/"                                                                                \
    "j1\",\"ticket\":\"T\",\"site\":\"A\",\"tier\":3,\"state\":\"declined\",\"reason\":\"no-"      \
    "parts\","                                                                                     \
    "\"region\":\"44\",\"offered\":\"2026-03-02T08:00:00Z\",\"due\":\"2026-03-02T10:00:00Z\","     \
    "\"answered\":\"2026-03-02T08:00:00Z\"}\n"
#define J2                                                                                         \
    "{\"job\":\"T/"                                                                                \
    "j2\",\"ticket\":\"T\",\"site\":\"B\",\"tier\":3,\"state\":\"arrived\",\"reason\":\"next\","   \
    "\"region\":\"44\",\"engineer\":\"eng-7\",\"implied\":\"report\",\"offered\":\"2026-03-02T08:" \
    "00:00Z\","                                                                                    \
    "\"due\":\"2026-03-02T10:00:00Z\",\"answered\":\"2026-03-02T08:00:00Z\",\"arrived\":\"2026-"   \
    "03-02T08:00:00Z\"}\n"
#define J3                                                                                         \
    "{\"job\":\"T1/"                                                                               \
    "j1\",\"ticket\":\"T1\",\"site\":\"A\",\"tier\":3,\"state\":\"offered\",\"reason\":\"first\"," \
    "\"region\":\"44\",\"offered\":\"2026-03-02T08:00:00Z\",\"due\":\"2026-03-02T10:00:00Z\"}\n"

static void jobs(void **state)
{
    (void)state;
    assert_string_equal(ask("jobs", "{}", 3, ""), J1 J2 J3);
    assert_string_equal(ask("jobs", "{\"ticket\":\"T\"}", 100, ""), J1 J2); /* not those of T1 */
    assert_string_equal(ask("jobs", "{\"site\":\"B\"}", 1, ""), J2);
    assert_string_equal(ask("jobs", "{\"state\":\"arrived\"}", 100, ""), J2);
    assert_string_equal(ask("jobs", "{}", 1, "T/j1"), J2);
    assert_string_equal(ask("jobs", "{}", 100, "U/j1"), "");
}

static void why(void **state)
{
    (void)state;
    static const char second[] =
        "{\"line\":\"T/j2/01\",\"job\":\"T/j2\",\"site\":\"B\",\"tier\":3,\"chosen\":true}\n"
        "{\"line\":\"T/j2/02\",\"job\":\"T/"
        "j2\",\"site\":\"A\",\"tier\":3,\"removed\":\"declined\",\"capacity\":5}\n"
        "{\"line\":\"T/j2/03\",\"job\":\"T/"
        "j2\",\"site\":\"+1\",\"tier\":3,\"removed\":\"declined\"}\n";
    assert_string_equal(ask("why", "{\"job\":\"T/j2\"}", 100, ""), second);
    assert_string_equal(ask("why", "{\"ticket\":\"T\"}", 2, ""),
                        "{\"line\":\"T/j1/01\",\"job\":\"T/"
                        "j1\",\"site\":\"A\",\"tier\":3,\"chosen\":true,\"capacity\":5}\n"
                        "{\"line\":\"T/j1/02\",\"job\":\"T/j1\",\"site\":\"B\",\"tier\":3}\n");
    assert_string_equal(ask("why", "{\"ticket\":\"T\"}", 100, "T/j1/02"), second);
    assert_string_equal(ask("why", "{\"job\":\"T1/j1\"}", 1, ""),
                        "{\"line\":\"T1/j1/01\",\"job\":\"T1/"
                        "j1\",\"site\":\"A\",\"tier\":3,\"chosen\":true,\"capacity\":5}\n");
    assert_string_equal(ask("why", "{}", 100, ""), "");
    assert_string_equal(ask("why", "{\"ticket\":\"U\"}", 1, ""),
                        "{\"line\":\"U/j1/01\",\"job\":\"U/j1\",\"site\":\"B\",\"tier\":3,"
                        "\"chosen\":true,\"load\":1,\"score\":1,\"engineer\":\"sun\"}\n");
}

static void sites(void **state)
{
    (void)state;
    static const char a[] = "{\"site\":\"A\",\"name\":\"north\",\"tier\":3,\"parent\":\"N\","
                            "\"region\":\"44\",\"capacity\":5,"
                            "\"open_jobs\":1,\"offers\":2,\"declined\":1}\n";
    assert_string_equal(ask("sites", "{}", 1, ""), a);
    assert_string_equal(ask("sites", "{\"tier\":2}", 100, ""),
                        "{\"site\":\"N\",\"name\":\"branch\",\"tier\":2,\"engineers\":3,"
                        "\"on_duty\":1}\n");
    assert_string_equal(ask("sites", "{\"tier\":3}", 100, "A"),
                        "{\"site\":\"B\",\"name\":\"south\",\"tier\":3,\"open_jobs\":2,\"offers\":"
                        "2,\"accepted\":1,\"engineers\":1,\"on_duty\":1}\n");
}

#define LI                                                                                         \
    "{\"engineer\":\"li\",\"site\":\"N\",\"state\":\"on\",\"skills\":[\"pump\",\"fan\"],"          \
    "\"days\":\"mon fri\",\"expires\":\"2026-06-01T00:00:00Z\",\"capacity\":4}\n"
#define SUN  "{\"engineer\":\"sun\",\"site\":\"B\",\"state\":\"on\",\"open_jobs\":1}\n"
#define WANG "{\"engineer\":\"wang\",\"site\":\"N\",\"state\":\"off\"}\n"
#define ZHAO "{\"engineer\":\"zhao\",\"site\":\"N\",\"state\":\"left\"}\n"

static void engineers(void **state)
{
    (void)state;
    assert_string_equal(ask("engineers", "{}", 100, ""), LI SUN WANG ZHAO);
    assert_string_equal(ask("engineers", "{}", 2, "li"), SUN WANG);
    assert_string_equal(ask("engineers", "{\"engineer\":\"sun\"}", 100, ""), SUN);
    assert_string_equal(ask("engineers", "{\"site\":\"N\",\"state\":\"off\"}", 100, ""), WANG);
    assert_string_equal(ask("engineers", "{\"skill\":\"fan\",\"state\":\"on\"}", 100, ""), LI SUN);
    assert_string_equal(ask("engineers", "{\"skill\":\"fans\",\"state\":\"on\"}", 100, ""), SUN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(jobs),
        cmocka_unit_test(why),
        cmocka_unit_test(sites),
        cmocka_unit_test(engineers),
    };
    return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
