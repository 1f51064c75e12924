/* The watchdog: events in, timers, tables, questions. */
#include "services/sla-watchdog/sla_watchdog.h"

#include "policy/published.h"
#include "proto/questions.h"
#include "proto/sla.h"
#include "proto/ticket.h"
#include "services/sla-watchdog/on.h"
#include "services/sla-watchdog/tables.h"

/* What clauses ask of a fact's data they read themselves (data.c). */
struct envelope {
    bool unused;
};
static const struct record envelope_record = {.name = "envelope", .size = sizeof(struct envelope)};

#define APPLIES(event, name, record)                                                               \
    {                                                                                              \
        .type = event, .data = &record, .apply = sla_watchdog_apply_##name                         \
    }
#define TICKET(event, name, record)                                                                \
    {                                                                                              \
        .type = event, .data = &record, .apply = sla_watchdog_apply_##name,                        \
        .decide = sla_watchdog_decide_fact                                                         \
    }
#define SAID(event, name, record)                                                                  \
    {                                                                                              \
        .type = event, .data = &record, .apply = sla_watchdog_apply_##name,                        \
        .decide = sla_watchdog_decide_sla_said                                                     \
    }
#define FACT(event) TICKET(event, fact, envelope_record)

static const struct handler handlers[] = {
    APPLIES("ticket.registered", ticket_registered, envelope_record),
    TICKET("ticket.assessed", ticket_assessed, ticket_assessed_record),
    TICKET("ticket.reclassified", ticket_reclassified, ticket_reclassified_record),
    FACT("ticket.reopened"),
    /* policy_facts, but those above */
    FACT("customer.updated"),
    FACT("price.changed"),
    FACT("season.closed"),
    FACT("archive.read"),
    FACT("site.proposed"),
    FACT("site.inspected"),
    FACT("site.reviewed"),
    FACT("site.graded"),
    FACT("agreement.signed"),
    FACT("licence.recorded"),
    FACT("person.appraised"),
    FACT("target.set"),
    FACT("unit.sold"),
    FACT("unit.accepted"),
    FACT("card.returned"),
    FACT("unit.exchanged"),
    FACT("test.proposed"),
    FACT("test.agreed"),
    FACT("phase.started"),
    FACT("call.rang"),
    FACT("call.received"),
    FACT("call.missed"),
    FACT("duty.scheduled"),
    FACT("duty.failed"),
    FACT("post.rotated"),
    FACT("pass.granted"),
    FACT("training.planned"),
    FACT("training.held"),
    FACT("operator.changed"),
    FACT("contract.signed"),
    FACT("milestone.reached"),
    FACT("notice.sent"),
    FACT("payment.received"),
    FACT("order.progressed"),
    FACT("shipment.released"),
    FACT("part.ordered"),
    FACT("part.supplied"),
    FACT("part.returned"),
    FACT("part.tagged"),
    FACT("part.received"),
    FACT("part.appraised"),
    FACT("part.stored"),
    FACT("material.requested"),
    FACT("tool.issued"),
    FACT("tool.returned"),
    FACT("document.registered"),
    FACT("form.printed"),
    FACT("form.signed"),
    FACT("file.attached"),
    FACT("file.stored"),
    FACT("ticket.replied"),
    FACT("ticket.noted"),
    FACT("ticket.waiting"),
    FACT("ticket.resumed"),
    FACT("ticket.cancelled"),
    FACT("ticket.explained"),
    FACT("ticket.filed"),
    FACT("ticket.planned"),
    FACT("appointment.agreed"),
    FACT("customer.informed"),
    FACT("help.requested"),
    FACT("help.given"),
    FACT("fault.attributed"),
    FACT("quality.reported"),
    FACT("supplier.asked"),
    FACT("supplier.answered"),
    FACT("inspection.requested"),
    FACT("inspection.concluded"),
    FACT("accident.appraised"),
    FACT("solution.recorded"),
    FACT("unit.received"),
    FACT("unit.sent_back"),
    FACT("unit.delivered"),
    FACT("unit.rejected"),
    FACT("sample.sent"),
    FACT("guest.announced"),
    FACT("guest.hosted"),
    FACT("approval.requested"),
    FACT("approval.decided"),
    FACT("quote.requested"),
    FACT("quote.issued"),
    FACT("quote.decided"),
    FACT("job.offered"),
    FACT("job.accepted"),
    FACT("job.declined"),
    FACT("job.expired"),
    FACT("job.arrived"),
    FACT("job.reported"),
    FACT("job.withdrawn"),
    FACT("job.handed_over"),
    FACT("job.checked"),
    FACT("job.spot_checked"),
    FACT("briefing.confirmed"),
    FACT("hazard.found"),
    FACT("hazard.cleared"),
    FACT("ticket.resolved"),
    FACT("ticket.escalated"),
    FACT("ticket.closed"),
    FACT("followup.due"),
    FACT("followup.recorded"),
    FACT("followup.missed"),
    FACT("visit.due"),
    FACT("visit.recorded"),
    FACT("opinion.forwarded"),
    FACT("opinion.judged"),
    FACT("measure.set"),
    FACT("measure.done"),
    FACT("measure.verified"),
    FACT("conduct.judged"),
    FACT("survey.planned"),
    FACT("survey.answered"),
    FACT("survey.closed"),
    FACT("campaign.opened"),
    FACT("campaign.closed"),
    FACT("market.noted"),
    FACT("improvement.proposed"),
    FACT("feedback.judged"),
    FACT("demonstration.reported"),
    APPLIES("policy.published", policy_published, policy_published_record),
    APPLIES("calendar.published", calendar_published, calendar_published_record),
    SAID("sla.scheduled", sla_scheduled, sla_scheduled_record),
    APPLIES("sla.warned", sla_warned, sla_warned_record),
    SAID("sla.breached", sla_breached, sla_breached_record),
    SAID("sla.met", sla_met, sla_met_record),
    SAID("sla.corrected", sla_corrected, sla_corrected_record),
};

static const struct timer timers[] = {
    {.table = SLA_WATCHDOG_CLOCK,
     .index = SLA_WATCHDOG_CLOCK_NEXT,
     .due_offset = offsetof(struct clock, next_us),
     .fired_offset = offsetof(struct clock, fired_us),
     .decide = sla_watchdog_on_clock_due},
};

static const char *const publications[] = {"calendar.published", "policy.published", NULL};
static const struct sweep sweeps[] = {
    {.table = SLA_WATCHDOG_CLOCK,
     .on = publications,
     .behind = sla_watchdog_is_behind,
     .decide = sla_watchdog_on_behind},
};

static const char *const concludes[] = {"sla.", NULL};

const struct worker sla_watchdog_worker = {
    .name = "sla-watchdog",
    .concludes = concludes,
    .handlers = handlers,
    .handlers_n = COUNT_OF(handlers),
    .timers = timers,
    .timers_n = COUNT_OF(timers),
    .sweeps = sweeps,
    .sweeps_n = COUNT_OF(sweeps),
    .tables = sla_watchdog_tables,
    .tables_n = SLA_WATCHDOG_TABLES,
    .questions = sla_watchdog_questions,
    .questions_n = SLA_WATCHDOG_QUESTIONS,
    .question_args = question_args,
};
