/* The watchdog: events in, timers, tables, questions. */
#include "services/sla-watchdog/sla_watchdog.h"

#include "proto/questions.h"
#include "proto/sla.h"
#include "proto/ticket.h"
#include "services/sla-watchdog/on.h"
#include "services/sla-watchdog/tables.h"

/* Of most facts only the envelope matters. */
struct envelope {
    bool unused;
};
static const struct record envelope_record = {.name = "envelope", .size = sizeof(struct envelope)};

#define APPLIES(event, name, record)                                                               \
    {                                                                                              \
        .type = event, .data = &record, .apply = sla_watchdog_apply_##name                         \
    }
#define BOTH(event, name, record)                                                                  \
    {                                                                                              \
        .type = event, .data = &record, .apply = sla_watchdog_apply_##name,                        \
        .decide = sla_watchdog_decide_##name                                                       \
    }
#define FACT(event)                                                                                \
    {                                                                                              \
        .type = event, .data = &envelope_record, .apply = sla_watchdog_apply_fact,                 \
        .decide = sla_watchdog_decide_fact                                                         \
    }

static const struct handler handlers[] = {
    BOTH("ticket.assessed", ticket_assessed, ticket_assessed_record),
    APPLIES("ticket.reclassified", ticket_reclassified, ticket_reclassified_record),
    {.type = "ticket.resolved",
     .data = &ticket_resolved_record,
     .apply = sla_watchdog_apply_ticket_resolved,
     .decide = sla_watchdog_decide_fact},
    {.type = "ticket.reopened",
     .data = &envelope_record,
     .apply = sla_watchdog_apply_ticket_reopened,
     .decide = sla_watchdog_decide_ticket_reopened},
    FACT("ticket.replied"),
    FACT("ticket.cancelled"),
    FACT("ticket.closed"),
    FACT("ticket.explained"),
    FACT("ticket.escalated"),
    FACT("job.offered"),
    FACT("job.accepted"),
    FACT("job.arrived"),
    FACT("job.reported"),
    FACT("quote.requested"),
    FACT("quote.issued"),
    FACT("quote.decided"),
    FACT("approval.requested"),
    FACT("approval.decided"),
    FACT("followup.due"),
    FACT("followup.recorded"),
    FACT("training.planned"),
    FACT("training.held"),
    FACT("milestone.reached"),
    FACT("notice.sent"),
    FACT("payment.received"),
    FACT("part.ordered"),
    FACT("part.supplied"),
    FACT("part.returned"),
    FACT("material.requested"),
    FACT("job.withdrawn"),
    FACT("job.handed_over"),
    FACT("visit.due"),
    FACT("visit.recorded"),
    FACT("customer.updated"),
    FACT("ticket.filed"),
    FACT("ticket.planned"),
    FACT("ticket.noted"),
    FACT("ticket.waiting"),
    FACT("ticket.resumed"),
    FACT("job.declined"),
    FACT("job.expired"),
    FACT("job.checked"),
    FACT("job.spot_checked"),
    FACT("appointment.agreed"),
    FACT("help.requested"),
    FACT("help.given"),
    FACT("unit.received"),
    FACT("unit.sent_back"),
    FACT("unit.delivered"),
    FACT("unit.rejected"),
    FACT("supplier.asked"),
    FACT("supplier.answered"),
    FACT("quality.reported"),
    FACT("fault.attributed"),
    FACT("hazard.found"),
    FACT("hazard.cleared"),
    FACT("briefing.confirmed"),
    FACT("inspection.requested"),
    FACT("inspection.concluded"),
    FACT("measure.set"),
    FACT("measure.done"),
    FACT("measure.verified"),
    FACT("opinion.forwarded"),
    FACT("opinion.judged"),
    FACT("conduct.judged"),
    FACT("sample.sent"),
    FACT("guest.announced"),
    FACT("guest.hosted"),
    FACT("followup.missed"),
    FACT("customer.informed"),
    FACT("market.noted"),
    FACT("part.tagged"),
    FACT("part.received"),
    FACT("part.appraised"),
    FACT("part.stored"),
    FACT("accident.appraised"),
    FACT("improvement.proposed"),
    FACT("feedback.judged"),
    FACT("form.printed"),
    FACT("form.signed"),
    BOTH("sla.scheduled", sla_scheduled, sla_scheduled_record),
    APPLIES("sla.warned", sla_warned, sla_warned_record),
    BOTH("sla.breached", sla_breached, sla_breached_record),
    APPLIES("sla.met", sla_met, sla_met_record),
    APPLIES("sla.corrected", sla_corrected, sla_corrected_record),
};

static const struct timer timers[] = {
    {.table = SLA_WATCHDOG_CLOCK,
     .index = SLA_WATCHDOG_CLOCK_NEXT,
     .due_offset = offsetof(struct clock, next_us),
     .fired_offset = offsetof(struct clock, fired_us),
     .decide = sla_watchdog_on_level_due},
};

static const char *const concludes[] = {"sla.", NULL};

const struct worker sla_watchdog_worker = {
    .name = "sla-watchdog",
    .concludes = concludes,
    .handlers = handlers,
    .handlers_n = COUNT_OF(handlers),
    .timers = timers,
    .timers_n = COUNT_OF(timers),
    .tables = sla_watchdog_tables,
    .tables_n = SLA_WATCHDOG_TABLES,
    .questions = sla_watchdog_questions,
    .questions_n = SLA_WATCHDOG_QUESTIONS,
    .question_args = question_args,
};
