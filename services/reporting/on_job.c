/* job.* and site.updated: who has the ticket. A fact or conclusion that comes too late for the state changes nothing. */
#include "proto/job.h"
#include "base/text.h"
#include "line.h"
#include "on.h"
#include "proto/reference.h"
#include <stdlib.h>
#include <string.h>

/* TICKET/j12 → 12; 0 when it is not one. */
static int64_t job_number(const char *job)
{
    const char *slash = strrchr(job, '/');
    return slash != NULL && slash[1] == 'j' ? strtoll(slash + 2, NULL, 10) : 0;
}

static void give(struct tables *tables, struct ticket_row *row, const char *site, int64_t tier)
{
    text_copy(row->site, sizeof(row->site), site);
    const struct site_tier_row *known = tier == 0 && site[0] != '\0' ? table_get(tables, TABLE_SITE, site) : NULL;
    row->tier = known != NULL ? known->tier : tier;
}

bool reporting_on_job_offered(struct tables *tables, const struct event *e, const void *data)
{
    const struct job_offered *d = data;
    struct line line = line_of(tables, e);
    struct ticket_row *row = line.row;
    if (row == NULL)
        return true;
    row->offers++;
    if (row->state < TICKET_RESOLVED) {
        row->job = job_number(d->job);
        row->state = TICKET_OFFERED;
        give(tables, row, d->site, d->tier);
    }
    return line_settle(tables, e, &line);
}

bool reporting_on_job_accepted(struct tables *tables, const struct event *e, const void *data)
{
    const struct job_accepted *d = data;
    struct line line = line_of(tables, e);
    struct ticket_row *row = line.row;
    if (row == NULL)
        return true;
    int64_t job = job_number(d->job);
    const char *site = d->site[0] != '\0' ? d->site : e->site;
    bool current = job == row->job;
    if (row->state == TICKET_ACCEPTED || row->state == TICKET_CANCELLED || (row->state >= TICKET_RESOLVED && !current))
        return true;
    /* An older offer may be taken up again while no later one is taken. */
    if (site[0] != '\0' && !text_equal(site, row->site))
        give(tables, row, site, 0);
    row->job = job;
    if (row->state < TICKET_RESOLVED)
        row->state = TICKET_ACCEPTED;
    return line_settle(tables, e, &line);
}

static bool is_open_offer(const struct ticket_row *row, const char *job)
{
    return row != NULL && row->state == TICKET_OFFERED && row->job == job_number(job);
}

static void nobody(struct ticket_row *row)
{
    row->state = TICKET_OPEN;
    row->site[0] = '\0';
    row->tier = 0;
}

bool reporting_on_job_declined(struct tables *tables, const struct event *e, const void *data)
{
    const struct job_declined *d = data;
    struct line line = line_of(tables, e);
    /* An accepted job may be given back. */
    bool held = line.row != NULL && line.row->state == TICKET_ACCEPTED && line.row->job == job_number(d->job);
    if (!held && !is_open_offer(line.row, d->job))
        return true;
    line.row->declined++;
    nobody(line.row);
    return line_settle(tables, e, &line);
}

bool reporting_on_job_expired(struct tables *tables, const struct event *e, const void *data)
{
    const struct job_expired *d = data;
    struct line line = line_of(tables, e);
    if (!is_open_offer(line.row, d->job))
        return true;
    line.row->expired++;
    nobody(line.row);
    return line_settle(tables, e, &line);
}

bool reporting_on_job_withdrawn(struct tables *tables, const struct event *e, const void *data)
{
    const struct job_withdrawn *d = data;
    struct line line = line_of(tables, e);
    struct ticket_row *row = line.row;
    if (row == NULL || row->job != job_number(d->job) ||
        (row->state != TICKET_OFFERED && row->state != TICKET_ACCEPTED))
        return true;
    nobody(row);
    return line_settle(tables, e, &line);
}

bool reporting_on_job_handed_over(struct tables *tables, const struct event *e, const void *data)
{
    const struct job_handed_over *d = data;
    struct line line = line_of(tables, e);
    struct ticket_row *row = line.row;
    if (row == NULL || row->state != TICKET_ACCEPTED || row->job != job_number(d->job))
        return true;
    give(tables, row, d->to, 0);
    return line_settle(tables, e, &line);
}

bool reporting_on_site_updated(struct tables *tables, const struct event *e, const void *data)
{
    const struct site_updated *d = data;
    struct site_tier_row *row = table_change(tables, TABLE_SITE, e->key);
    if (row == NULL)
        row = table_new(tables, TABLE_SITE, e->key);
    row->tier = d->tier;
    return true;
}
