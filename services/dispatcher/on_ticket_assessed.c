/* ticket.assessed: the desk has judged a registration; the first one starts the work.
 * ticket.reclassified changes whom a later offer may go to. */
#include "base/text.h"
#include "proto/ticket.h"
#include "services/dispatcher/handlers.h"
#include "services/dispatcher/offer.h"

bool dispatcher_apply_ticket_assessed(struct tables *tables, const struct event *event,
                                      const void *data)
{
    const struct ticket_assessed *assessed = data;
    struct ticket *ticket = assessed->again ? table_change(tables, DISPATCHER_TICKET, event->key)
                                            : table_new(tables, DISPATCHER_TICKET, event->key);
    if (ticket == NULL)
        return true;
    text_copy(ticket->policy, sizeof ticket->policy, assessed->policy);
    text_copy(ticket->kind, sizeof ticket->kind, assessed->kind);
    text_copy(ticket->region, sizeof ticket->region, assessed->region);
    text_copy(ticket->product, sizeof ticket->product, assessed->product);
    text_copy(ticket->channel, sizeof ticket->channel, assessed->channel);
    text_copy(ticket->priority, sizeof ticket->priority, assessed->priority);
    text_copy(ticket->coverage, sizeof ticket->coverage, assessed->coverage);
    if (!assessed->again) {
        ticket->opened_us = assessed->opened_us;
        ticket->open = true;
    }
    return true;
}

void dispatcher_decide_ticket_assessed(struct run *run, const struct tables *tables,
                                       const struct event *event, const void *data)
{
    const struct ticket_assessed *assessed = data;
    struct offer_wish wish = {.now_us = dispatcher_now_us(run, event), .why = "no-candidate"};
    if (!assessed->again)
        dispatcher_offer(run, tables, event->key, &wish);
}

bool dispatcher_apply_ticket_reclassified(struct tables *tables, const struct event *event,
                                          const void *data)
{
    const struct ticket_reclassified *changed = data;
    struct ticket *ticket = table_change(tables, DISPATCHER_TICKET, event->key);
    if (ticket == NULL)
        return true;
    if (changed->kind[0] != '\0')
        text_copy(ticket->kind, sizeof ticket->kind, changed->kind);
    if (changed->priority[0] != '\0')
        text_copy(ticket->priority, sizeof ticket->priority, changed->priority);
    if (changed->region[0] != '\0')
        text_copy(ticket->region, sizeof ticket->region, changed->region);
    if (changed->product[0] != '\0')
        text_copy(ticket->product, sizeof ticket->product, changed->product);
    return true;
}
