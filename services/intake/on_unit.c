/* unit.*, card.returned, phase.started: the archive of sold units. A later one may change the coverage or the phase of the unit's
 * open tickets. */
#include "base/text.h"
#include "desk.h"
#include "proto/reference.h"
#include "proto/unit.h"

/* The unit's row to be changed; one that was never sold through us begins here. NULL: a miss, or no key. */
static struct unit_row *unit_change(struct desk_case *c)
{
    if (!desk_needs_key(c))
        return NULL;
    struct unit_row *unit = table_change(c->tables, ARCHIVE_UNITS, c->key);
    if (unit == NULL && !desk_missed(c))
        unit = table_new(c->tables, ARCHIVE_UNITS, c->key);
    return unit;
}

/* The same, if who speaks may speak of it. One that begins here, or that a ticket brought, has no region: it is where he is. */
static struct unit_row *unit_placed(struct desk_case *c)
{
    return unit_change(c) != NULL && desk_on_fact(c) ? table_change(c->tables, ARCHIVE_UNITS, c->key) : NULL;
}

static bool reassess(struct desk_case *c, const struct unit_row *unit)
{
    for (uint32_t i = 0; i < unit->tickets_n && !c->replaying; i++)
        if (unit->tickets[i].open)
            desk_reassess(c, unit->tickets[i].ticket, unit);
    return true;
}

bool desk_on_unit_sold(struct desk_case *c)
{
    const struct unit_sold *data = c->data;
    struct unit_row *unit = unit_change(c);
    if (unit == NULL || !desk_place(c, data->region, ""))
        return false;
    text_copy(unit->product, sizeof(unit->product), data->product);
    text_copy(unit->customer, sizeof(unit->customer), data->customer);
    text_copy(unit->dealer, sizeof(unit->dealer), data->dealer);
    text_copy(unit->region, sizeof(unit->region), data->region);
    unit->sold_us = data->sold_us != 0 ? data->sold_us : desk_counts_us(c);
    return reassess(c, unit);
}

bool desk_on_unit_accepted(struct desk_case *c)
{
    const struct unit_accepted *data = c->data;
    struct unit_row *unit = unit_placed(c);
    if (unit == NULL)
        return false;
    unit->accepted_us = data->accepted_us != 0 ? data->accepted_us : desk_counts_us(c);
    return reassess(c, unit);
}

bool desk_on_card_returned(struct desk_case *c)
{
    const struct card_returned *data = c->data;
    struct unit_row *unit = unit_placed(c);
    if (unit == NULL)
        return false;
    unit->card_us = data->returned_us != 0 ? data->returned_us : desk_counts_us(c);
    return reassess(c, unit);
}

/* Phases of a contract are no unit's. */
bool desk_on_phase_started(struct desk_case *c)
{
    const struct phase_started *data = c->data;
    struct unit_row *unit = table_change(c->tables, ARCHIVE_UNITS, c->key);
    if (unit == NULL)
        return !desk_missed(c) && desk_on_fact(c);
    text_copy(unit->phase, sizeof(unit->phase), data->phase);
    return desk_on_fact(c) && reassess(c, table_get(c->tables, ARCHIVE_UNITS, c->key));
}

/* The successor carries the history and, where it has none of its own, the dates: the guarantee does not begin anew. */
bool desk_on_unit_exchanged(struct desk_case *c)
{
    const struct unit_exchanged *data = c->data;
    struct unit_row *unit = unit_placed(c);
    if (unit == NULL)
        return false;
    if (text_equal(data->successor, c->key))
        return desk_refuse(c, "unit.exchanged", "successor", "%s", "a unit is not its own successor");
    text_copy(unit->successor, sizeof(unit->successor), data->successor);
    if (data->successor[0] == '\0')
        return true;
    struct unit_row *next = table_change(c->tables, ARCHIVE_UNITS, data->successor);
    if (desk_missed(c))
        return false;
    if (next == NULL)
        next = table_new(c->tables, ARCHIVE_UNITS, data->successor);
    const struct unit_row *old = table_get(c->tables, ARCHIVE_UNITS, c->key);
    if (next->sold_us == 0) {
        text_copy(next->product, sizeof(next->product), old->product);
        text_copy(next->customer, sizeof(next->customer), old->customer);
        text_copy(next->dealer, sizeof(next->dealer), old->dealer);
        text_copy(next->region, sizeof(next->region), old->region);
        next->sold_us = old->sold_us;
        next->accepted_us = old->accepted_us;
        next->card_us = old->card_us;
        text_copy(next->phase, sizeof(next->phase), old->phase);
    }
    for (uint32_t i = 0; i < old->tickets_n && next->tickets_n < UNIT_TICKETS_MAX; i++) {
        next->tickets[next->tickets_n] = old->tickets[i];
        next->tickets[next->tickets_n++].open = false; /* an open one stays with the old serial */
    }
    return true;
}
