/* ticket.escalated, our own: nobody is left, the ticket waits. sla.breached: management is told. */
#include "base/text.h"
#include "proto/sla.h"
#include "proto/ticket.h"
#include "services/dispatcher/handlers.h"
#include "services/dispatcher/offer.h"
#include <inttypes.h>

static void looked_at(struct tables *tables, int64_t waiting_pos)
{
    struct network *network = table_change(tables, DISPATCHER_NETWORK, DISPATCHER_NETWORK_KEY);
    if (network == NULL || network->after_pos >= waiting_pos)
        return;
    network->after_pos = waiting_pos;
    network->fired_us = 0;
}

bool dispatcher_apply_ticket_escalated(struct tables *tables, const struct event *event,
                                       const void *data)
{
    const struct ticket_escalated *escalated = data;
    bool still = text_equal(escalated->why, WHY_STILL_NOBODY);
    if (!still && !text_equal(escalated->why, WHY_NOBODY))
        return true;
    struct ticket *ticket = table_change(tables, DISPATCHER_TICKET, event->key);
    if (ticket == NULL)
        return true;
    ticket->waits++;
    if (still && ticket->waiting_pos != 0)
        looked_at(tables, ticket->waiting_pos);
    if (ticket->state != TICKET_OPEN || ticket->live != 0 || (still && ticket->waiting_pos == 0))
        return true;
    if (ticket->waiting_pos == 0)
        ticket->waiting_pos = (int64_t)event->pos;
    int64_t retry_us = dispatcher_retry_us(tables, ticket, event->rec_us);
    ticket = table_change(tables, DISPATCHER_TICKET, event->key); /* indexes have been read */
    ticket->retry_us = retry_us;
    return true;
}

/* A site may have come while this was on its way. */
void dispatcher_decide_ticket_escalated(struct run *run, const struct tables *tables,
                                        const struct event *event, const void *data)
{
    const struct ticket_escalated *escalated = data;
    struct offer_wish wish = {
        .now_us = dispatcher_now_us(run, event), .why = "network", .quiet = true};
    if (text_equal(escalated->why, WHY_NOBODY))
        dispatcher_offer(run, tables, event->key, &wish);
}

void dispatcher_on_ticket_retry(struct run *run, const struct tables *tables, const void *row)
{
    const struct ticket *ticket = row;
    struct offer_wish wish = {.now_us = run_now_us(run), .why = "asked-again", .quiet = true};
    if (wish.now_us < ticket->retry_us)
        wish.now_us = ticket->retry_us;
    if (!dispatcher_offer(run, tables, ticket->ticket, &wish))
        dispatcher_nobody(run, ticket, ticket->tier, WHY_NOBODY);
}

void dispatcher_decide_sla_breached(struct run *run, const struct tables *tables,
                                    const struct event *event, const void *data)
{
    const struct sla_breached *breached = data;
    if (breached->to[0] == '\0')
        return;
    const struct ticket *ticket = table_get(tables, DISPATCHER_TICKET, event->key);
    if (ticket == NULL || ticket->state == TICKET_CANCELLED)
        return;
    char slot[EVENT_ID_CAP];
    struct ticket_escalated escalated = {.tier = 0};
    text_copy(escalated.to, sizeof escalated.to, breached->to);
    text_copy(escalated.why, sizeof escalated.why, breached->clause);
    text_format(slot, sizeof slot, "dispatcher/%s/level/%s.%" PRId64 "/%" PRId64 "/%" PRId64,
                event->key, breached->clause, breached->k, breached->level, breached->target);
    conclude(run, slot, "ticket.escalated", event->key, &ticket_escalated_record, &escalated);
}
