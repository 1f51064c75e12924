#include "desk.h"
#include "base/text.h"
#include "rights.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* By type, or by family where the type has no line of its own; first match decides. */
static const struct desk_line {
    const char *prefix;
    desk_handler *judge;
} lines[] = {
    {"ticket.registered", desk_on_ticket_registered},
    {"ticket.resolved", desk_on_ticket_resolved},
    {"ticket.closed", desk_on_ticket_ended},
    {"ticket.cancelled", desk_on_ticket_ended},
    {"ticket.reopened", desk_on_ticket_reopened},
    {"ticket.reclassified", desk_on_ticket_reclassified},
    {"ticket.", desk_on_ticket_fact},
    {"job.offered", desk_on_job_offered},
    {"job.accepted", desk_on_job_accepted},
    {"job.declined", desk_on_job_ended},
    {"job.expired", desk_on_job_ended},
    {"job.withdrawn", desk_on_job_ended},
    {"job.handed_over", desk_on_job_handed_over},
    {"job.checked", desk_on_fact},
    {"job.", desk_on_job_fact},
    {"sla.", desk_on_sla},
    {"followup.", desk_on_ticket_fact},
    {"approval.", desk_on_ticket_fact},
    {"quote.", desk_on_ticket_fact},
    {"unit.sold", desk_on_unit_sold},
    {"unit.accepted", desk_on_unit_accepted},
    {"unit.exchanged", desk_on_unit_exchanged},
    {"card.returned", desk_on_card_returned},
    {"phase.started", desk_on_phase_started},
    {"site.updated", desk_on_site_updated},
    {"engineer.updated", desk_on_engineer_updated},
    {"customer.updated", desk_on_customer_updated},
    {"policy.published", desk_on_policy_published},
    {"calendar.published", desk_on_calendar_published},
    {"principal.added", desk_on_principal_added},
    {"principal.changed", desk_on_principal_changed},
    {"principal.revoked", desk_on_principal_revoked},
    {"file.attached", desk_on_file_attached},
    {"file.stored", desk_on_file_stored},
    {"event.", desk_on_about_any},
    {"", desk_on_fact},
};

bool desk_refuse(struct desk_case *c, const char *code, const char *field, const char *args_format, ...)
{
    va_list args;
    char text[sizeof(c->problem.args)];
    va_start(args, args_format);
    (void)vsnprintf(text, sizeof(text), args_format, args);
    va_end(args);
    return problem_set(&c->problem, code, field, "%s", text);
}

int64_t desk_counts_us(const struct desk_case *c)
{
    return c->at_us != 0 && c->at_us < c->rec_us ? c->at_us : c->rec_us;
}

bool desk_place(struct desk_case *c, const char *region, const char *site)
{
    text_copy(c->region, sizeof(c->region), region);
    text_copy(c->site, sizeof(c->site), site);
    if (c->principal != NULL && !c->replaying && !rights_place(&c->principal->granted, region, site))
        return desk_refuse(c, "denied", region[0] != '\0' ? "region" : "site", "%s", region[0] != '\0' ? region : site);
    return true;
}

bool desk_needs_key(struct desk_case *c)
{
    return c->key[0] != '\0' || desk_refuse(c, "missing", "key", "%s", "");
}

bool desk_missed(const struct desk_case *c)
{
    return tables_missed(c->tables);
}

bool desk_judge(struct desk_case *c)
{
    c->region[0] = c->site[0] = '\0';
    c->problem = (struct problem){0};
    buf_reset(&c->result);
    c->repeated = false;
    c->assessed_n = 0;
    const struct desk_line *line = lines;
    while (!text_starts(c->type->name, line->prefix))
        line++;
    return line->judge(c) && !desk_missed(c);
}

/* What intake says of itself has not been judged; its ticket.assessed says what the archive is to hold. */
bool desk_replay(struct desk_case *c)
{
    c->replaying = true;
    if (!text_equal(c->type->name, "ticket.assessed"))
        return desk_judge(c);
    c->problem = (struct problem){0};
    c->assessed_n = 0;
    return desk_on_ticket_assessed(c) && !desk_missed(c);
}

void desk_touch(struct tables *tables, const char *principal, const char *type, const char *key, const char *job,
                const struct ticket_registered *data)
{
    const struct event_type *known = key[0] != '\0' ? event_type_find(type, 0) : NULL;
    if (known != NULL && event_type_runs_on(known, KEY_TICKET))
        (void)table_get(tables, ARCHIVE_TICKETS, key);
    if (known != NULL && known->keys != KEY_ANY && event_type_runs_on(known, KEY_UNIT))
        (void)table_get(tables, ARCHIVE_UNITS, key);
    if (job[0] != '\0')
        (void)table_get(tables, ARCHIVE_JOBS, job);
    if (data == NULL)
        return;
    if (data->serial[0] != '\0')
        (void)table_get(tables, ARCHIVE_UNITS, data->serial);
    if (data->customer.id[0] != '\0')
        (void)table_get(tables, ARCHIVE_CUSTOMERS, data->customer.id);
    if (data->request_id[0] != '\0') {
        char request[132];
        text_format(request, sizeof(request), "%s/%s", principal, data->request_id);
        (void)table_get(tables, ARCHIVE_REQUESTS, request);
    }
}
