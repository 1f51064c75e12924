/* The state table of a job, line by line. */
#include "services/dispatcher/job_next.h"

#include "base/text.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>

#include <cmocka.h>

#define VOID(state) state, NULL

static const struct {
    const char *what;
    enum job_state state;
    enum job_news news;
    enum job_standing standing;
    enum job_state want;
    const char *counter;
} cases[] = {
    {"an offer", JOB_NONE, NEWS_OFFERED, STANDING_FREE, JOB_OFFERED, NULL},
    {"an offer when another one is open", JOB_NONE, NEWS_OFFERED, STANDING_OFFERED, JOB_WITHDRAWN,
     "moved-on"},
    {"an offer when somebody has it", JOB_NONE, NEWS_OFFERED, STANDING_HELD, JOB_WITHDRAWN,
     "moved-on"},
    {"an offer when it is resolved", JOB_NONE, NEWS_OFFERED, STANDING_RESOLVED, JOB_WITHDRAWN,
     "resolved"},
    {"an offer when it is cancelled", JOB_NONE, NEWS_OFFERED, STANDING_CANCELLED, JOB_WITHDRAWN,
     "cancelled"},
    {"the same offer twice", JOB_OFFERED, NEWS_OFFERED, STANDING_FREE, VOID(JOB_OFFERED)},

    {"yes", JOB_OFFERED, NEWS_ACCEPTED, STANDING_FREE, JOB_ACCEPTED, NULL},
    {"yes twice", JOB_ACCEPTED, NEWS_ACCEPTED, STANDING_FREE, VOID(JOB_ACCEPTED)},
    {"yes, too late, nobody else has it", JOB_EXPIRED, NEWS_ACCEPTED, STANDING_FREE, JOB_ACCEPTED,
     NULL},
    {"yes, too late, the next one was only asked", JOB_EXPIRED, NEWS_ACCEPTED, STANDING_OFFERED,
     JOB_ACCEPTED, NULL},
    {"yes, too late, somebody has it", JOB_EXPIRED, NEWS_ACCEPTED, STANDING_HELD, JOB_EXPIRED,
     "taken"},
    {"yes, too late, it is done", JOB_EXPIRED, NEWS_ACCEPTED, STANDING_RESOLVED, JOB_EXPIRED,
     "resolved"},
    {"yes, too late, it is cancelled", JOB_EXPIRED, NEWS_ACCEPTED, STANDING_CANCELLED, JOB_EXPIRED,
     "cancelled"},
    {"yes, while the late one has come first", JOB_OFFERED, NEWS_ACCEPTED, STANDING_HELD,
     JOB_OFFERED, "taken"},
    {"yes after no", JOB_DECLINED, NEWS_ACCEPTED, STANDING_FREE, JOB_DECLINED, "moved-on"},
    {"yes after it was taken back", JOB_WITHDRAWN, NEWS_ACCEPTED, STANDING_FREE,
     VOID(JOB_WITHDRAWN)},
    {"yes after the work", JOB_DONE, NEWS_ACCEPTED, STANDING_RESOLVED, VOID(JOB_DONE)},

    {"no", JOB_OFFERED, NEWS_DECLINED, STANDING_FREE, JOB_DECLINED, NULL},
    {"given back", JOB_ACCEPTED, NEWS_DECLINED, STANDING_FREE, JOB_DECLINED, NULL},
    {"no, too late", JOB_EXPIRED, NEWS_DECLINED, STANDING_FREE, VOID(JOB_EXPIRED)},
    {"no after the work", JOB_DONE, NEWS_DECLINED, STANDING_RESOLVED, VOID(JOB_DONE)},

    {"no answer", JOB_OFFERED, NEWS_EXPIRED, STANDING_FREE, JOB_EXPIRED, NULL},
    {"expired after yes", JOB_ACCEPTED, NEWS_EXPIRED, STANDING_FREE, VOID(JOB_ACCEPTED)},

    {"there without a word", JOB_OFFERED, NEWS_ARRIVED, STANDING_FREE, JOB_ACCEPTED, NULL},
    {"there as promised", JOB_ACCEPTED, NEWS_ARRIVED, STANDING_FREE, VOID(JOB_ACCEPTED)},
    {"there too late, somebody has it", JOB_EXPIRED, NEWS_ARRIVED, STANDING_HELD, JOB_EXPIRED,
     "taken"},

    {"done", JOB_ACCEPTED, NEWS_REPORTED, STANDING_FREE, JOB_DONE, NULL},
    {"done without a word before", JOB_OFFERED, NEWS_REPORTED, STANDING_FREE, JOB_DONE, NULL},
    {"done, though it had expired and others had it", JOB_EXPIRED, NEWS_REPORTED, STANDING_HELD,
     JOB_DONE, NULL},
    {"done, though declined", JOB_DECLINED, NEWS_REPORTED, STANDING_FREE, JOB_DONE, NULL},
    {"done, though taken back", JOB_WITHDRAWN, NEWS_REPORTED, STANDING_OFFERED, JOB_DONE, NULL},
    {"done a second time", JOB_DONE, NEWS_REPORTED, STANDING_RESOLVED, VOID(JOB_DONE)},
    {"done, when others have done it", JOB_EXPIRED, NEWS_REPORTED, STANDING_RESOLVED,
     VOID(JOB_EXPIRED)},
    {"done, the customer had cancelled", JOB_ACCEPTED, NEWS_REPORTED, STANDING_CANCELLED, JOB_DONE,
     NULL},

    {"could not", JOB_ACCEPTED, NEWS_FAILED, STANDING_FREE, JOB_DONE, NULL},
    {"could not, late, others are at it", JOB_EXPIRED, NEWS_FAILED, STANDING_OFFERED,
     VOID(JOB_EXPIRED)},
    {"could not, after no", JOB_DECLINED, NEWS_FAILED, STANDING_FREE, VOID(JOB_DECLINED)},

    {"an offer taken back", JOB_OFFERED, NEWS_WITHDRAWN, STANDING_HELD, JOB_WITHDRAWN, NULL},
    {"a job taken back", JOB_ACCEPTED, NEWS_WITHDRAWN, STANDING_FREE, JOB_WITHDRAWN, NULL},
    {"the late one is told", JOB_EXPIRED, NEWS_WITHDRAWN, STANDING_HELD, JOB_WITHDRAWN, NULL},
    {"taken back after the work", JOB_DONE, NEWS_WITHDRAWN, STANDING_RESOLVED, VOID(JOB_DONE)},

    {"resolved with an open offer", JOB_OFFERED, NEWS_RESOLVED, STANDING_FREE, JOB_DONE, NULL},
    {"resolved with a job", JOB_ACCEPTED, NEWS_RESOLVED, STANDING_FREE, JOB_DONE, NULL},
    {"resolved long after", JOB_EXPIRED, NEWS_RESOLVED, STANDING_FREE, VOID(JOB_EXPIRED)},
};

static void each_line_holds(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct job_step step =
            dispatcher_job_next(cases[i].state, cases[i].news, cases[i].standing);
        bool same = (step.counter == NULL) == (cases[i].counter == NULL) &&
                    (step.counter == NULL || text_equal(step.counter, cases[i].counter));
        if (step.state != cases[i].want || !same)
            fail_msg("%s: state %d, counter %s", cases[i].what, (int)step.state,
                     step.counter != NULL ? step.counter : "none");
    }
}

/* Whatever comes: what is done stays done, and nobody who has no job gets one but by an offer. */
static void nothing_undoes_work(void **state)
{
    (void)state;
    for (int news = 0; news < JOB_NEWS; news++)
        for (int standing = STANDING_FREE; standing <= STANDING_CANCELLED; standing++) {
            struct job_step step =
                dispatcher_job_next(JOB_DONE, (enum job_news)news, (enum job_standing)standing);
            assert_int_equal(step.state, JOB_DONE);
            assert_null(step.counter);
            step = dispatcher_job_next(JOB_NONE, (enum job_news)news, (enum job_standing)standing);
            assert_true(news == NEWS_OFFERED || step.state == JOB_NONE);
        }
}

/* Two jobs of one ticket are never accepted at once. */
static void nobody_takes_what_is_held(void **state)
{
    (void)state;
    for (int from = 0; from < JOB_STATES; from++)
        for (int news = 0; news < JOB_NEWS; news++) {
            struct job_step step =
                dispatcher_job_next((enum job_state)from, (enum job_news)news, STANDING_HELD);
            assert_true(step.state != JOB_ACCEPTED || from == JOB_ACCEPTED);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_line_holds),
        cmocka_unit_test(nothing_undoes_work),
        cmocka_unit_test(nobody_takes_what_is_held),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
