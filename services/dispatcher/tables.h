/* The dispatcher's rows: the network, what each site has to do, tickets and their jobs. The only
 * place that names columns. */
#ifndef AFTERCARE_DISPATCHER_TABLES_H
#define AFTERCARE_DISPATCHER_TABLES_H

#include "event/event.h"
#include "policy/policy.h"
#include "proto/job.h"
#include "proto/reference.h"
#include "services/dispatcher/job_next.h"
#include "table/table.h"

enum dispatcher_table {
    DISPATCHER_SITE,
    DISPATCHER_LOAD,
    DISPATCHER_TICKET,
    DISPATCHER_JOB,
    DISPATCHER_NETWORK,
    DISPATCHER_ENGINEER,
    DISPATCHER_ENGINEER_LOAD,
    DISPATCHER_TABLES
};
extern const struct table_def *const dispatcher_tables[DISPATCHER_TABLES];

struct site { /* as site.updated says; changes seldom */
    char site[EVENT_KEY_CAP];
    char name[120];
    int64_t tier;
    char parent[EVENT_KEY_CAP];
    char region[EVENT_REGION_CAP];
    char territories[32][24];
    uint32_t territories_n;
    char products[32][64];
    uint32_t products_n;
    int64_t capacity;
    bool closed;
    bool open;
};

struct load { /* one per site: apart from it, because it changes with every offer */
    char site[EVENT_KEY_CAP];
    int64_t tier;
    int64_t load;                                /* offers and accepted jobs that are open */
    int64_t assigned_pos;                        /* position of the last job.offered to it */
    int64_t offers, accepted, declined, expired; /* so far */
    int64_t pending;                             /* volatile: offers in flight */
    int64_t staff; /* engineers on record, those who left too; 0: the site is judged by itself */
    bool open;
};
/* Order of choice: (tier, load + pending, assigned_pos, site). */
#define DISPATCHER_LOAD_BY_CHOICE 0

struct engineer { /* as engineer.updated says; the name is personal and not kept */
    char engineer[EVENT_KEY_CAP];
    char site[EVENT_KEY_CAP];
    char skills[16 * 64]; /* one a line, so that SQL can look into them; none: all */
    char days[32];        /* "mon tue"; none: every day */
    struct engineer_pass passes[16];
    uint32_t passes_n;
    struct engineer_shift rota[16];
    uint32_t rota_n;
    int64_t expires_us; /* the first of the passes to run out, 0: none does */
    int64_t capacity;
    bool off_duty, left;
    bool open;
};

struct engineer_load { /* apart from it, because it changes with every offer */
    char engineer[EVENT_KEY_CAP];
    char site[EVENT_KEY_CAP];
    int64_t load;         /* of this site's open offers and jobs, those that are this engineer's */
    int64_t assigned_pos; /* when the last one was given */
    int64_t since_pos;    /* at this site since then: what was given earlier is not counted */
    int64_t date;         /* of the last one given, 20110702 */
    int64_t date_jobs;    /* so many were given then and not given back */
    int64_t pending;      /* volatile: offers in flight */
    bool left;
    bool open;
};
/* Of those who have not left: (site, load + pending, assigned_pos, engineer). */
#define DISPATCHER_ENGINEER_LOAD_BY_CHOICE 0

enum ticket_state {
    TICKET_OPEN,
    TICKET_REPORTED, /* done by its site's report; ticket.resolved is on its way */
    TICKET_RESOLVED,
    TICKET_CLOSED,
    TICKET_CANCELLED
};

struct ticket {
    char ticket[EVENT_KEY_CAP];
    char policy[POLICY_VERSION_CAP];
    char kind[POLICY_KIND_CAP];
    char region[EVENT_REGION_CAP];
    char product[64];
    char channel[32];
    char priority[32];
    char coverage[16];
    int state;           /* enum ticket_state */
    int64_t tier;        /* of the last offer, 0: none yet */
    int64_t offers;      /* how many were made: the last one's k */
    int64_t round;       /* offers made before the last reopening */
    int64_t live;        /* k of the job that is offered or accepted, 0: none */
    int64_t last;        /* k of the job that was last accepted or done, 0: none */
    int64_t waits;       /* how often there was nobody */
    int64_t waiting_pos; /* nobody to offer it to since then, 0: not waiting */
    int64_t retry_us;    /* while waiting: somebody left out for a time may be asked again */
    int64_t opened_us, closed_us;
    int64_t fired_us; /* volatile */
    bool open;        /* until closed */
};
#define DISPATCHER_TICKET_WAITING 0 /* by waiting_pos */
#define DISPATCHER_TICKET_RETRY   1 /* by retry_us */

struct job {
    char job[JOB_CAP];
    char ticket[EVENT_KEY_CAP];
    char site[EVENT_KEY_CAP];
    char engineer[EVENT_KEY_CAP];
    int64_t given_pos;  /* counted at the engineer since then, 0: not counted */
    int64_t given_date; /* and on that day, 20110702 */
    int64_t tier;
    int state;        /* enum job_state */
    int silence;      /* enum policy_silence */
    char reason[48];  /* why it was offered; declined or withdrawn: why that */
    char implied[16]; /* accepted without being said: silence, report, resolved */
    char outcome[48];
    int64_t offered_pos, changed_pos; /* of its job.offered; of the event that set the state */
    int64_t offered_us, due_us, answered_us, arrived_us, reported_us;
    int64_t fired_us; /* volatile */
    char choice[200]; /* candidates and what removed others, candidates.h */
    bool open;        /* offered or accepted */
};
#define DISPATCHER_JOB_DUE 0 /* offers, by due_us */

struct network {       /* one row: whom a change of the network concerns is worked off from here */
    char network[16];  /* DISPATCHER_NETWORK_KEY */
    int64_t due_us;    /* waiting tickets are to be looked at, 0: never yet */
    int64_t after_pos; /* those up to this waiting_pos have been */
    int64_t fired_us;  /* volatile */
    bool open;
};
#define DISPATCHER_NETWORK_KEY "network"
#define DISPATCHER_NETWORK_DUE 0

/* "TICKET/jk" and back; 0: not of that form. */
void dispatcher_job_id(const char *ticket, int64_t k, char out[JOB_CAP]);
int64_t dispatcher_job_k(const char *job);

#endif
