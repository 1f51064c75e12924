/* The dispatcher: events in, timers, tables, questions. */
#include "services/dispatcher/dispatcher.h"

#include "base/text.h"
#include "proto/questions.h"
#include "proto/reference.h"
#include "proto/sla.h"
#include "proto/ticket.h"
#include "services/dispatcher/handlers.h"
#include "services/dispatcher/tables.h"

#define APPLIES(event, name, record)                                                               \
    {                                                                                              \
        .type = event, .data = &record, .apply = dispatcher_apply_##name                           \
    }
#define DECIDES(event, name, record)                                                               \
    {                                                                                              \
        .type = event, .data = &record, .decide = dispatcher_decide_##name                         \
    }
#define BOTH(event, name, record)                                                                  \
    {                                                                                              \
        .type = event, .data = &record, .apply = dispatcher_apply_##name,                          \
        .decide = dispatcher_decide_##name                                                         \
    }

static const struct handler handlers[] = {
    APPLIES("site.updated", site_updated, site_updated_record),
    APPLIES("engineer.updated", engineer_updated, engineer_updated_record),
    BOTH("ticket.assessed", ticket_assessed, ticket_assessed_record),
    APPLIES("ticket.reclassified", ticket_reclassified, ticket_reclassified_record),
    BOTH("ticket.resolved", ticket_resolved, ticket_resolved_record),
    BOTH("ticket.cancelled", ticket_cancelled, ticket_cancelled_record),
    APPLIES("ticket.closed", ticket_closed, ticket_closed_record),
    BOTH("ticket.reopened", ticket_reopened, ticket_reopened_record),
    BOTH("ticket.escalated", ticket_escalated, ticket_escalated_record),
    BOTH("job.offered", job_offered, job_offered_record),
    BOTH("job.accepted", job_accepted, job_accepted_record),
    BOTH("job.declined", job_declined, job_declined_record),
    BOTH("job.expired", job_expired, job_expired_record),
    BOTH("job.arrived", job_arrived, job_arrived_record),
    BOTH("job.reported", job_reported, job_reported_record),
    BOTH("job.withdrawn", job_withdrawn, job_withdrawn_record),
    APPLIES("job.handed_over", job_handed_over, job_handed_over_record),
    DECIDES("sla.breached", sla_breached, sla_breached_record),
};

static const struct timer timers[] = {
    {.table = DISPATCHER_JOB,
     .index = DISPATCHER_JOB_DUE,
     .due_offset = offsetof(struct job, due_us),
     .fired_offset = offsetof(struct job, fired_us),
     .decide = dispatcher_on_job_due},
    {.table = DISPATCHER_NETWORK,
     .index = DISPATCHER_NETWORK_DUE,
     .due_offset = offsetof(struct network, due_us),
     .fired_offset = offsetof(struct network, fired_us),
     .decide = dispatcher_on_network_due},
    {.table = DISPATCHER_TICKET,
     .index = DISPATCHER_TICKET_RETRY,
     .due_offset = offsetof(struct ticket, retry_us),
     .fired_offset = offsetof(struct ticket, fired_us),
     .decide = dispatcher_on_ticket_retry},
};

static const char *const concludes[] = {"job.", "ticket.resolved", "ticket.escalated", NULL};

/* Never below nothing: what was in flight when the worker was started may concern a row that came
 * after. */
static void fly(int64_t *pending, int sign)
{
    *pending = *pending + sign > 0 ? *pending + sign : 0;
}

/* An offer in flight is load already, so that many registrations at once spread evenly. */
static void flight(struct tables *tables, const char *type, const char *key, const void *data,
                   int sign)
{
    (void)key;
    if (!text_equal(type, "job.offered"))
        return;
    const struct job_offered *offer = data;
    struct load *load = table_change(tables, DISPATCHER_LOAD, offer->site);
    if (load != NULL)
        fly(&load->pending, sign);
    struct engineer_load *engineer =
        offer->engineer[0] != '\0' ? table_change(tables, DISPATCHER_ENGINEER_LOAD, offer->engineer)
                                   : NULL;
    if (engineer != NULL)
        fly(&engineer->pending, sign);
}

const struct worker dispatcher_worker = {
    .name = "dispatcher",
    .concludes = concludes,
    .handlers = handlers,
    .handlers_n = COUNT_OF(handlers),
    .timers = timers,
    .timers_n = COUNT_OF(timers),
    .tables = dispatcher_tables,
    .tables_n = DISPATCHER_TABLES,
    .questions = dispatcher_questions,
    .questions_n = DISPATCHER_QUESTIONS,
    .question_args = question_args,
    .flight = flight,
};
