/* site.updated: the network. Tickets that nobody could take are looked at again, paced by a timer.
 */
#include "base/text.h"
#include "proto/reference.h"
#include "services/dispatcher/handlers.h"
#include "services/dispatcher/job_move.h"
#include "services/dispatcher/offer.h"
#include <inttypes.h>
#include <string.h>

/* A firing looks at so many waiting tickets and concludes for so many (an offer may be two
 * conclusions). */
#define SWEEP_LOOKS_MAX  256
#define SWEEP_OFFERS_MAX 30

static void *change_or_new(struct tables *tables, unsigned table, const char *key)
{
    void *row = table_change(tables, table, key);
    return row != NULL ? row : table_new(tables, table, key);
}

bool dispatcher_apply_site_updated(struct tables *tables, const struct event *event,
                                   const void *data)
{
    const struct site_updated *updated = data;
    struct site *site = change_or_new(tables, DISPATCHER_SITE, event->key);
    text_copy(site->name, sizeof site->name, updated->name);
    text_copy(site->parent, sizeof site->parent, updated->parent);
    text_copy(site->region, sizeof site->region, updated->region);
    site->tier = updated->tier;
    memcpy(site->territories, updated->territories, sizeof site->territories);
    site->territories_n = updated->territories_n;
    memcpy(site->products, updated->products, sizeof site->products);
    site->products_n = updated->products_n;
    site->capacity = updated->capacity;
    site->closed = updated->closed;
    site->open = true;

    dispatcher_load(tables, event->key)->tier = updated->tier;
    struct network *network = change_or_new(tables, DISPATCHER_NETWORK, DISPATCHER_NETWORK_KEY);
    network->open = true;
    if (!updated->closed)
        dispatcher_wake(tables, event);
    return true;
}

/* Of one that nobody can take the hour may have changed at which somebody comes on duty: said in
 * the journal, the ticket's row learns it. */
static bool retry_sooner(struct run *run, const struct tables *tables, const struct ticket *ticket)
{
    if (table_first(tables, DISPATCHER_ENGINEER_LOAD, DISPATCHER_ENGINEER_LOAD_BY_CHOICE, NULL) ==
        NULL)
        return false;
    int64_t retry_us = dispatcher_retry_us(tables, ticket, run_now_us(run));
    return retry_us != 0 && (ticket->retry_us == 0 || retry_us < ticket->retry_us) &&
           dispatcher_nobody(run, ticket, ticket->tier, WHY_STILL_NOBODY);
}

/* Those that find nobody stay where they are; an offer read back fires this again, and where a
 * whole firing was in vain a marker in the journal moves on. */
void dispatcher_on_network_due(struct run *run, const struct tables *tables, const void *row)
{
    const struct network *network = row;
    struct offer_wish wish = {.now_us = run_now_us(run), .why = "network", .quiet = true};
    struct ticket probe = {.waiting_pos = network->after_pos + 1};
    const struct ticket *vain = NULL;
    size_t looks = 0, offers = 0;
    const struct ticket *ticket =
        table_first(tables, DISPATCHER_TICKET, DISPATCHER_TICKET_WAITING, &probe);
    while (ticket != NULL && looks < SWEEP_LOOKS_MAX && offers < SWEEP_OFFERS_MAX) {
        char slot[EVENT_ID_CAP];
        text_format(slot, sizeof slot, "dispatcher/%s/offer/%" PRId64, ticket->ticket,
                    ticket->offers + 1);
        if (!run_in_flight(run, slot)) {
            looks++;
            if (dispatcher_offer(run, tables, ticket->ticket, &wish) ||
                retry_sooner(run, tables, ticket))
                offers++;
            else
                vain = ticket;
        }
        ticket = table_next(tables, DISPATCHER_TICKET, DISPATCHER_TICKET_WAITING, ticket);
    }
    if (looks == SWEEP_LOOKS_MAX && offers == 0 && vain != NULL)
        dispatcher_nobody(run, vain, vain->tier, WHY_STILL_NOBODY);
}
