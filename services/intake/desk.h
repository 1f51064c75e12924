/* The desk: intake's own fold, without I/O. It judges each event against the archive before it is journaled — is what it speaks of
 * known, may this principal say it, which region and site does it concern — changes the archive, and concludes ticket.assessed.
 * Rows that are not in memory are misses, as for any handler: the caller undoes, fetches and asks again. */
#ifndef AFTERCARE_INTAKE_DESK_H
#define AFTERCARE_INTAKE_DESK_H

#include "archive.h"
#include "proto/catalogue.h"
#include "proto/ticket.h"

#define DESK_ASSESSED_MAX UNIT_TICKETS_MAX

struct desk_assessed {
    char key[EVENT_KEY_CAP], region[EVENT_REGION_CAP], site[EVENT_SITE_CAP];
    struct ticket_assessed data;
};

/* One event being judged. */
struct desk_case {
    /* In. */
    struct tables *tables;
    struct arena *arena; /* of the batch */
    const struct principal_row *principal;
    const struct event_type *type;
    const void *data; /* the type's record, decoded, personal fields included */
    uint64_t pos;     /* the position it will have */
    int64_t rec_us;
    int64_t at_us; /* 0: not said */
    bool replaying; /* it stands in the journal: nobody's rights are asked, and what was concluded of it comes from there */
    /* In and out: a registration without one gets its number. */
    char key[EVENT_KEY_CAP];
    /* Out. */
    char region[EVENT_REGION_CAP], site[EVENT_SITE_CAP];
    struct problem problem; /* refused */
    struct buf result;      /* a map; empty: none */
    bool repeated;          /* an idempotency key seen before: first_pos and result are its answer, nothing is journaled */
    uint64_t first_pos;
    struct desk_assessed assessed[DESK_ASSESSED_MAX]; /* concluded, in order, cause = pos */
    uint32_t assessed_n;
};

/* True: to be journaled (or repeated). False: refused with a problem — or a miss, when tables_misses() is not 0: then
 * the caller undoes, fetches and judges again. */
bool desk_judge(struct desk_case *) MUST_CHECK;
/* An event of the journal told again, at its position, to an archive that has been told all before it. False: it could not be
 * taken as it was (problem), or a miss. */
bool desk_replay(struct desk_case *) MUST_CHECK;
/* Looks up the rows that judging will look up, so that the misses of many events can be fetched together. job: data.job, "" = none;
 * data may be NULL. */
void desk_touch(struct tables *, const char *principal, const char *type, const char *key, const char *job,
                const struct ticket_registered *data);


/* --- shared by the on_*.c files ------------------------------------------------------------------ */
bool desk_refuse(struct desk_case *, const char *code, const char *field, const char *args_format, ...) PRINTF_LIKE(4, 5);
/* The instant a fact counts from: min(at, rec). */
int64_t desk_counts_us(const struct desk_case *);
/* Sets the place and checks that it is the principal's to speak of. */
bool desk_place(struct desk_case *, const char *region, const char *site);
bool desk_needs_key(struct desk_case *);
/* A row was asked for that is not in memory: whatever is answered now does not count. */
bool desk_missed(const struct desk_case *);

typedef bool desk_handler(struct desk_case *);
desk_handler desk_on_ticket_registered, desk_on_ticket_assessed, desk_on_ticket_fact, desk_on_ticket_resolved, desk_on_ticket_ended,
    desk_on_ticket_reopened, desk_on_ticket_reclassified, desk_on_job_offered, desk_on_job_fact, desk_on_job_ended,
    desk_on_job_accepted, desk_on_job_handed_over, desk_on_sla, desk_on_unit_sold, desk_on_unit_accepted, desk_on_card_returned,
    desk_on_unit_exchanged, desk_on_phase_started, desk_on_site_updated, desk_on_engineer_updated, desk_on_customer_updated,
    desk_on_policy_published, desk_on_calendar_published, desk_on_principal_added, desk_on_principal_changed,
    desk_on_principal_revoked, desk_on_file_attached, desk_on_file_stored, desk_on_about_any, desk_on_reference, desk_on_fact;
/* Judges an open ticket of the unit again; concludes when the coverage changed. */
void desk_reassess(struct desk_case *, const char *number, const struct unit_row *);
/* The job is over; the ticket holds it no longer. */
void desk_job_end(struct desk_case *, const char *job);

#endif
