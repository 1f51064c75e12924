#include "services/dispatcher/job_next.h"

#include <stdbool.h>
#include <stddef.h>

/* Rows: state; columns: news, on a ticket that no other job stands for. JOB_NONE: nothing changes.
 */
static const enum job_state free_next[JOB_STATES][JOB_NEWS] = {
    [JOB_NONE] = {[NEWS_OFFERED] = JOB_OFFERED},
    [JOB_OFFERED] = {[NEWS_ACCEPTED] = JOB_ACCEPTED,
                     [NEWS_DECLINED] = JOB_DECLINED,
                     [NEWS_EXPIRED] = JOB_EXPIRED,
                     [NEWS_ARRIVED] = JOB_ACCEPTED,
                     [NEWS_REPORTED] = JOB_DONE,
                     [NEWS_FAILED] = JOB_DONE,
                     [NEWS_WITHDRAWN] = JOB_WITHDRAWN,
                     [NEWS_RESOLVED] = JOB_DONE},
    [JOB_ACCEPTED] = {[NEWS_DECLINED] = JOB_DECLINED, /* given back */
                      [NEWS_REPORTED] = JOB_DONE,
                      [NEWS_FAILED] = JOB_DONE,
                      [NEWS_WITHDRAWN] = JOB_WITHDRAWN,
                      [NEWS_RESOLVED] = JOB_DONE},
    [JOB_DECLINED] = {[NEWS_REPORTED] = JOB_DONE, [NEWS_WITHDRAWN] = JOB_WITHDRAWN},
    [JOB_EXPIRED] = {[NEWS_ACCEPTED] = JOB_ACCEPTED, /* late, but nobody else has it */
                     [NEWS_ARRIVED] = JOB_ACCEPTED,
                     [NEWS_REPORTED] = JOB_DONE,
                     [NEWS_FAILED] = JOB_DONE,
                     [NEWS_WITHDRAWN] = JOB_WITHDRAWN},
    [JOB_WITHDRAWN] = {[NEWS_REPORTED] = JOB_DONE}, /* what is done is done */
};

static struct job_step stays(enum job_state state, const char *counter)
{
    return (struct job_step){.state = state, .counter = counter};
}

static const char *counter_of(enum job_standing standing)
{
    switch (standing) {
    case STANDING_FREE:
    case STANDING_OFFERED:
        return NULL;
    case STANDING_HELD:
        return "taken";
    case STANDING_RESOLVED:
        return "resolved";
    case STANDING_CANCELLED:
        return "cancelled";
    }
    return NULL;
}

/* An offer that comes back when its story has moved on is void from the start. */
static struct job_step offered(enum job_state state, enum job_standing standing)
{
    if (state != JOB_NONE)
        return stays(state, NULL);
    if (standing == STANDING_FREE)
        return stays(JOB_OFFERED, NULL);
    if (standing == STANDING_OFFERED || standing == STANDING_HELD)
        return stays(JOB_WITHDRAWN, "moved-on");
    return stays(JOB_WITHDRAWN, counter_of(standing));
}

struct job_step dispatcher_job_next(enum job_state state, enum job_news news,
                                    enum job_standing standing)
{
    if (news == NEWS_OFFERED)
        return offered(state, standing);
    if (state == JOB_DECLINED && news == NEWS_ACCEPTED)
        return stays(state, "moved-on");

    enum job_state next = free_next[state][news];
    if (next == JOB_NONE)
        return stays(state, NULL);
    bool ended = standing == STANDING_RESOLVED || standing == STANDING_CANCELLED;
    if (next == JOB_ACCEPTED && (ended || standing == STANDING_HELD))
        return stays(state, counter_of(standing));
    if (news == NEWS_REPORTED && ended && state != JOB_ACCEPTED)
        return stays(state, NULL);
    /* without success, and others are at it already */
    if (news == NEWS_FAILED && state == JOB_EXPIRED && standing != STANDING_FREE)
        return stays(state, NULL);
    return stays(next, NULL);
}
