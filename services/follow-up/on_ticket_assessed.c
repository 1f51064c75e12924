/* ticket.assessed: what the desk has judged decides which line of the policy holds later. */
#include "base/text.h"
#include "proto/ticket.h"
#include "services/follow-up/handlers.h"

bool follow_up_apply_ticket_assessed(struct tables *tables, const struct event *event,
                                     const void *data)
{
    const struct ticket_assessed *assessed = data;
    struct ticket *ticket = assessed->again ? table_change(tables, FOLLOW_UP_TICKET, event->key)
                                            : table_new(tables, FOLLOW_UP_TICKET, event->key);
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
