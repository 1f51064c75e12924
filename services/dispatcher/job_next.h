/* What becomes of a job 派工 when something is heard of it: one pure function, the state table of
 * README.md. */
#ifndef AFTERCARE_DISPATCHER_JOB_NEXT_H
#define AFTERCARE_DISPATCHER_JOB_NEXT_H

enum job_state {
    JOB_NONE,
    JOB_OFFERED,
    JOB_ACCEPTED,
    JOB_DECLINED,
    JOB_EXPIRED,
    JOB_WITHDRAWN,
    JOB_DONE
};
#define JOB_STATES (JOB_DONE + 1)

enum job_news {
    NEWS_OFFERED,
    NEWS_ACCEPTED,
    NEWS_DECLINED,
    NEWS_EXPIRED,
    NEWS_ARRIVED,
    NEWS_REPORTED, /* and the ticket is solved by it */
    NEWS_FAILED,   /* reported without success */
    NEWS_WITHDRAWN,
    NEWS_RESOLVED /* the ticket is, without a report of this or any job */
};
#define JOB_NEWS (NEWS_RESOLVED + 1)

/* How its ticket stands, this job left aside. */
enum job_standing {
    STANDING_FREE,     /* open, and no other job is offered or accepted */
    STANDING_OFFERED,  /* open, another job is offered */
    STANDING_HELD,     /* open, another job is accepted */
    STANDING_RESOLVED, /* reported done, resolved or closed */
    STANDING_CANCELLED
};

struct job_step {
    enum job_state state; /* the same as before: nothing changes */
    const char *counter;  /* reason of the job.withdrawn that answers a contradiction, NULL: none */
};
struct job_step dispatcher_job_next(enum job_state, enum job_news, enum job_standing);

#endif
