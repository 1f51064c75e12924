/* The event types that clauses may name, and what each is about (its key). proto/ has their tables;
 * a test of the services compares. */
#include "policy/policy.h"

#include "base/text.h"

#include <stdio.h>

#define T POLICY_ON_TICKET
#define FACTS(X)                                                                                   \
    X("customer.updated", POLICY_ON_CUSTOMER)                                                      \
    X("price.changed", POLICY_ON_PRODUCT)                                                          \
    X("season.closed", POLICY_ON_PRODUCT)                                                          \
    X("archive.read", POLICY_ON_CUSTOMER)                                                          \
    X("site.proposed", POLICY_ON_SITE)                                                             \
    X("site.inspected", POLICY_ON_SITE)                                                            \
    X("site.reviewed", POLICY_ON_SITE)                                                             \
    X("site.graded", POLICY_ON_SITE)                                                               \
    X("agreement.signed", POLICY_ON_SITE)                                                          \
    X("licence.recorded", POLICY_ON_SITE)                                                          \
    X("person.appraised", POLICY_ON_PERSON)                                                        \
    X("target.set", POLICY_ON_SITE | POLICY_ON_PERSON)                                             \
    X("unit.sold", POLICY_ON_UNIT)                                                                 \
    X("unit.accepted", POLICY_ON_UNIT)                                                             \
    X("card.returned", POLICY_ON_UNIT)                                                             \
    X("unit.exchanged", POLICY_ON_UNIT)                                                            \
    X("test.proposed", POLICY_ON_UNIT)                                                             \
    X("test.agreed", POLICY_ON_UNIT)                                                               \
    X("phase.started", POLICY_ON_UNIT | POLICY_ON_CONTRACT)                                        \
    X("call.rang", POLICY_ON_CALL)                                                                 \
    X("call.received", POLICY_ON_CALL)                                                             \
    X("call.missed", POLICY_ON_CALL)                                                               \
    X("duty.scheduled", POLICY_ON_PERSON | POLICY_ON_LINE)                                         \
    X("duty.failed", POLICY_ON_PERSON | POLICY_ON_LINE)                                            \
    X("post.rotated", POLICY_ON_PERSON)                                                            \
    X("pass.granted", POLICY_ON_PERSON)                                                            \
    X("training.planned", T | POLICY_ON_UNIT | POLICY_ON_CONTRACT | POLICY_ON_CUSTOMER |           \
                              POLICY_ON_TRAINING | POLICY_ON_SITE)                                 \
    X("training.held", T | POLICY_ON_UNIT | POLICY_ON_CONTRACT | POLICY_ON_CUSTOMER |              \
                           POLICY_ON_TRAINING | POLICY_ON_SITE)                                    \
    X("operator.changed", POLICY_ON_CUSTOMER | POLICY_ON_UNIT | POLICY_ON_CONTRACT)                \
    X("contract.signed", POLICY_ON_CONTRACT)                                                       \
    X("milestone.reached", POLICY_ON_CONTRACT | T)                                                 \
    X("notice.sent", T | POLICY_ON_UNIT | POLICY_ON_CONTRACT | POLICY_ON_CUSTOMER)                 \
    X("payment.received", POLICY_ON_CONTRACT | POLICY_ON_ORDER | T)                                \
    X("order.progressed", POLICY_ON_ORDER)                                                         \
    X("shipment.released", POLICY_ON_ORDER)                                                        \
    X("part.ordered", POLICY_ON_ORDER | T)                                                         \
    X("part.supplied", POLICY_ON_ORDER | T)                                                        \
    X("part.returned", POLICY_ON_ORDER | T)                                                        \
    X("part.tagged", POLICY_ON_ORDER | T)                                                          \
    X("part.received", POLICY_ON_ORDER | T)                                                        \
    X("part.appraised", POLICY_ON_ORDER | T)                                                       \
    X("part.stored", POLICY_ON_ORDER | T)                                                          \
    X("material.requested", POLICY_ON_ORDER | T)                                                   \
    X("tool.issued", POLICY_ON_PERSON)                                                             \
    X("tool.returned", POLICY_ON_PERSON)                                                           \
    X("document.registered", POLICY_ON_DOCUMENT)                                                   \
    X("form.printed", POLICY_ON_ANY)                                                               \
    X("form.signed", POLICY_ON_ANY)                                                                \
    X("file.attached", T)                                                                          \
    X("file.stored", T)                                                                            \
    X("ticket.registered", T)                                                                      \
    X("ticket.assessed", T)                                                                        \
    X("ticket.reclassified", T)                                                                    \
    X("ticket.replied", T)                                                                         \
    X("ticket.noted", T)                                                                           \
    X("ticket.waiting", T)                                                                         \
    X("ticket.resumed", T)                                                                         \
    X("ticket.cancelled", T)                                                                       \
    X("ticket.explained", T)                                                                       \
    X("ticket.filed", T)                                                                           \
    X("ticket.planned", T)                                                                         \
    X("appointment.agreed", T)                                                                     \
    X("customer.informed", POLICY_ON_ANY)                                                          \
    X("help.requested", T)                                                                         \
    X("help.given", T)                                                                             \
    X("fault.attributed", T)                                                                       \
    X("quality.reported", T | POLICY_ON_UNIT | POLICY_ON_PRODUCT)                                  \
    X("supplier.asked", T)                                                                         \
    X("supplier.answered", T)                                                                      \
    X("inspection.requested", T)                                                                   \
    X("inspection.concluded", T)                                                                   \
    X("accident.appraised", T)                                                                     \
    X("solution.recorded", POLICY_ON_DOCUMENT)                                                     \
    X("unit.received", T)                                                                          \
    X("unit.sent_back", T)                                                                         \
    X("unit.delivered", T)                                                                         \
    X("unit.rejected", T)                                                                          \
    X("sample.sent", T | POLICY_ON_ORDER)                                                          \
    X("guest.announced", T)                                                                        \
    X("guest.hosted", T)                                                                           \
    X("approval.requested", T)                                                                     \
    X("approval.decided", T)                                                                       \
    X("quote.requested", T)                                                                        \
    X("quote.issued", T)                                                                           \
    X("quote.decided", T)                                                                          \
    X("job.offered", T)                                                                            \
    X("job.accepted", T)                                                                           \
    X("job.declined", T)                                                                           \
    X("job.expired", T)                                                                            \
    X("job.arrived", T)                                                                            \
    X("job.reported", T)                                                                           \
    X("job.withdrawn", T)                                                                          \
    X("job.handed_over", T)                                                                        \
    X("job.checked", T)                                                                            \
    X("job.spot_checked", T)                                                                       \
    X("briefing.confirmed", T)                                                                     \
    X("hazard.found", T)                                                                           \
    X("hazard.cleared", T)                                                                         \
    X("ticket.resolved", T)                                                                        \
    X("ticket.escalated", T)                                                                       \
    X("ticket.closed", T)                                                                          \
    X("ticket.reopened", T)                                                                        \
    X("followup.due", T)                                                                           \
    X("followup.recorded", T)                                                                      \
    X("followup.missed", T)                                                                        \
    X("visit.due", T | POLICY_ON_UNIT | POLICY_ON_CONTRACT | POLICY_ON_CUSTOMER | POLICY_ON_SITE)  \
    X("visit.recorded",                                                                            \
      T | POLICY_ON_UNIT | POLICY_ON_CONTRACT | POLICY_ON_CUSTOMER | POLICY_ON_SITE)               \
    X("opinion.forwarded", T | POLICY_ON_OPINION)                                                  \
    X("opinion.judged", T | POLICY_ON_OPINION)                                                     \
    X("measure.set", T | POLICY_ON_OPINION | POLICY_ON_SURVEY | POLICY_ON_PRODUCT)                 \
    X("measure.done", T | POLICY_ON_OPINION | POLICY_ON_SURVEY | POLICY_ON_PRODUCT)                \
    X("measure.verified", T | POLICY_ON_OPINION | POLICY_ON_SURVEY | POLICY_ON_PRODUCT)            \
    X("conduct.judged", T | POLICY_ON_PERSON)                                                      \
    X("survey.planned", POLICY_ON_SURVEY)                                                          \
    X("survey.answered", POLICY_ON_SURVEY)                                                         \
    X("survey.closed", POLICY_ON_SURVEY)                                                           \
    X("campaign.opened", POLICY_ON_CAMPAIGN)                                                       \
    X("campaign.closed", POLICY_ON_CAMPAIGN)                                                       \
    X("market.noted", POLICY_ON_ANY)                                                               \
    X("improvement.proposed", T | POLICY_ON_OPINION | POLICY_ON_SURVEY | POLICY_ON_PRODUCT)        \
    X("feedback.judged", T | POLICY_ON_SITE)                                                       \
    X("demonstration.reported", POLICY_ON_CUSTOMER | POLICY_ON_UNIT)

#define NAME(type, on) type,
#define ON(type, on)   on,

const char *const policy_facts[] = {FACTS(NAME) NULL};
static const unsigned facts_on[] = {FACTS(ON)};
const int policy_facts_n = (int)COUNT_OF(facts_on);
_Static_assert(COUNT_OF(facts_on) <= POLICY_FACTS_CAP, "POLICY_FACTS_CAP");

int policy_fact(const char *type)
{
    for (int i = 0; policy_facts[i]; i++)
        if (text_equal(policy_facts[i], type))
            return i;
    return -1;
}

unsigned policy_fact_on(int fact)
{
    return fact < 0 ? POLICY_ON_ANY : facts_on[fact];
}

void policy_on_print(unsigned on, char out[POLICY_ON_TEXT_MAX])
{
    static const char *const names[] = {"ticket",   "unit",     "call",     "contract", "order",
                                        "person",   "line",     "site",     "customer", "product",
                                        "document", "training", "campaign", "opinion",  "survey"};
    _Static_assert(POLICY_ON_ANY == (1U << COUNT_OF(names)) - 1, "each has its word");
    size_t n = 0;
    *out = 0;
    for (size_t i = 0; i < COUNT_OF(names); i++)
        if ((on & (1U << i)) && on != POLICY_ON_ANY)
            n += (size_t)snprintf(out + n, POLICY_ON_TEXT_MAX - n, "%s%s", n ? "|" : "", names[i]);
    if (on == POLICY_ON_ANY)
        text_copy(out, POLICY_ON_TEXT_MAX, "any");
}

static unsigned all_on(const struct slice *events)
{
    const struct policy_event *event = events->items;
    unsigned on = POLICY_ON_ANY;
    for (uint32_t i = 0; i < events->n; i++)
        on &= policy_fact_on(policy_fact(event[i].type));
    return on;
}

unsigned policy_clause_on(const struct policy_clause *clause)
{
    return all_on(&clause->start) & all_on(&clause->stop) & all_on(&clause->reset) &
           all_on(&clause->cancel);
}
