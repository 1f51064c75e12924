/* job.*: which site holds a ticket, and who may speak of a job. */
#include "base/text.h"
#include "desk.h"
#include "rights.h"
#include <string.h>

#define OFFER_DIGITS_MAX 5 /* of one ticket */

/* Every job.* record begins with the job's name. */
static const char *job_name(const struct desk_case *c)
{
    return c->data;
}

static bool is_exempt(const struct principal_row *row)
{
    if (row == NULL)
        return true;
    switch ((enum principal_kind)row->granted.kind) {
    case PRINCIPAL_DESK:
    case PRINCIPAL_OPERATOR:
    case PRINCIPAL_IMPORT:
    case PRINCIPAL_WORKER:
        return true;
    case PRINCIPAL_BRANCH:
    case PRINCIPAL_SITE:
    case PRINCIPAL_INTEGRATOR:
        return false;
    }
    return false;
}

/* A fact about a job is taken only from the site that it was offered to, whatever its state now. */
static bool may_speak(struct desk_case *c, const char *region, const char *site)
{
    if (is_exempt(c->principal))
        return desk_place(c, region, site);
    const struct principal *principal = &c->principal->granted;
    bool by_site = principal->sites_n > 0 || principal->kind == PRINCIPAL_SITE;
    if (by_site && !rights_site(principal, site))
        return desk_refuse(c, "denied", "job", "offered to %s", site);
    return desk_place(c, region, site);
}

static struct ticket_row *ticket_of_job(struct desk_case *c)
{
    if (!desk_needs_key(c))
        return NULL;
    struct ticket_row *ticket = table_change(c->tables, ARCHIVE_TICKETS, c->key);
    if (ticket == NULL)
        (void)desk_refuse(c, "ticket.unknown", "key", "%s", c->key);
    return ticket;
}

bool desk_on_job_fact(struct desk_case *c)
{
    const struct ticket_row *ticket = ticket_of_job(c);
    const struct job_row *job = table_get(c->tables, ARCHIVE_JOBS, job_name(c));
    if (ticket == NULL)
        return false;
    if (job != NULL && !text_equal(job->ticket, c->key))
        return desk_refuse(c, "job.unknown", "job", "%s is not of %s", job_name(c), c->key);
    if (job == NULL && !(c->principal != NULL && c->principal->granted.kind == PRINCIPAL_IMPORT))
        return desk_refuse(c, "job.unknown", "job", "%s", job_name(c));
    return may_speak(c, ticket->region, job != NULL ? job->site : ticket->site);
}

/* TICKET/jK is the dispatcher's own name for the K-th offer of a ticket. Others' names are nobody's. */
static bool names_another_offer(const char *job, const char *ticket)
{
    const char *slash = strrchr(job, '/');
    size_t n = slash != NULL ? (size_t)(slash - job) : 0;
    if (slash == NULL || slash[1] != 'j' || slash[2] == '\0' || strspn(slash + 2, "0123456789") != strlen(slash + 2))
        return false;
    return strncmp(job, ticket, n) != 0 || ticket[n] != '\0' || strlen(slash + 2) > OFFER_DIGITS_MAX;
}

bool desk_on_job_offered(struct desk_case *c)
{
    const struct job_offered *data = c->data;
    struct ticket_row *ticket = ticket_of_job(c);
    const struct job_row *known = table_get(c->tables, ARCHIVE_JOBS, data->job);
    if (ticket == NULL)
        return false;
    if (known != NULL)
        return desk_refuse(c, "job.exists", "job", "%s", data->job);
    if (!c->replaying && names_another_offer(data->job, c->key))
        return desk_refuse(c, "job.unknown", "job", "%s is not of %s", data->job, c->key);
    if (desk_missed(c))
        return false;
    struct job_row *job = table_new(c->tables, ARCHIVE_JOBS, data->job);
    job->open = true;
    text_copy(job->ticket, sizeof(job->ticket), c->key);
    text_copy(job->site, sizeof(job->site), data->site);
    text_copy(ticket->job, sizeof(ticket->job), data->job);
    text_copy(ticket->site, sizeof(ticket->site), data->site);
    return desk_place(c, ticket->region, data->site);
}

/* A late acceptance revives the job: its site holds the ticket again, until the dispatcher says otherwise. */
bool desk_on_job_accepted(struct desk_case *c)
{
    if (!desk_on_job_fact(c))
        return false;
    struct job_row *job = table_change(c->tables, ARCHIVE_JOBS, job_name(c));
    struct ticket_row *ticket = table_change(c->tables, ARCHIVE_TICKETS, c->key);
    if (job == NULL || ticket->resolved)
        return true;
    job->open = true;
    text_copy(ticket->job, sizeof(ticket->job), job->job);
    text_copy(ticket->site, sizeof(ticket->site), job->site);
    return true;
}

bool desk_on_job_ended(struct desk_case *c)
{
    if (!desk_on_job_fact(c))
        return false;
    desk_job_end(c, job_name(c));
    return true;
}

bool desk_on_job_handed_over(struct desk_case *c)
{
    const struct job_handed_over *data = c->data;
    if (!desk_on_job_fact(c))
        return false;
    struct job_row *job = table_change(c->tables, ARCHIVE_JOBS, data->job);
    struct ticket_row *ticket = table_change(c->tables, ARCHIVE_TICKETS, c->key);
    if (job == NULL)
        return true;
    text_copy(job->site, sizeof(job->site), data->to);
    if (text_equal(ticket->job, data->job))
        text_copy(ticket->site, sizeof(ticket->site), data->to);
    return true;
}
