/* The worker. */
#include "far.h"

#include "base/text.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* --- the worker: an order is due at a time counted by an edition; a new edition counts again
 * -------- */

static const struct field fact_fields[] = {F_TIME(order_fact, due, 0, "due"),
                                           F_TEXT(order_fact, edition, 0, "edition")};
const struct record far_fact_record = RECORD(order_fact, fact_fields, "an order");

static const struct field order_fields[] = {F_TEXT(order, id, FIELD_REQUIRED, "key"),
                                            F_TIME(order, due, 0, "due"),
                                            F_TIME(order, fired, FIELD_VOLATILE, "fired"),
                                            F_INT(order, lates, 0, "how often late"),
                                            F_INT(order, moves, 0, "how often counted again"),
                                            F_TEXT(order, edition, 0, "counted by"),
                                            F_BOOL(order, open, 0, "open")};
const struct record far_order_record = RECORD(order, order_fields, "orders");

static const struct field edition_fields[] = {F_TEXT(edition, name, FIELD_REQUIRED, "key"),
                                              F_TEXT(edition, current, 0, "the newest")};
static const struct record edition_record = RECORD(edition, edition_fields, "the newest edition");

static int by_due(const void *a, const void *b)
{
    const struct order *left = a, *right = b;
    return (left->due_us > right->due_us) - (left->due_us < right->due_us);
}
static bool waits(const void *row)
{
    const struct order *order = row;
    return order->open && order->due_us != 0 && order->due_us != order->fired_us;
}
static const struct index_def indexes[] = {{.name = "due", .compare = by_due, .holds = waits}};
static const struct table_def orders = {.name = "order",
                                        .row = &far_order_record,
                                        .open_offset = offsetof(struct order, open),
                                        .indexes = indexes,
                                        .indexes_n = 1,
                                        .far = true,
                                        .due_offset = offsetof(struct order, due_us),
                                        .sweep_offset = offsetof(struct order, edition)};
static const struct table_def editions = {.name = "edition", .row = &edition_record, .whole = true};
static const struct table_def *const tables[] = {&orders, &editions};

static const char *current(const struct tables *t)
{
    const struct edition *edition = table_get(t, EDITIONS, "the");
    return edition != NULL ? edition->current : "";
}

static bool opened(struct tables *t, const struct event *event, const void *data)
{
    const struct order_fact *fact = data;
    struct order *row = table_new(t, ORDERS, event->key);
    row->due_us = fact->due_us;
    text_copy(row->edition, sizeof row->edition, fact->edition);
    row->open = true;
    return true;
}

static bool moved(struct tables *t, const struct event *event, const void *data)
{
    const struct order_fact *fact = data;
    struct order *row = table_change(t, ORDERS, event->key);
    if (row != NULL)
        row->due_us = fact->due_us;
    return true;
}

static bool closed(struct tables *t, const struct event *event, const void *data)
{
    (void)data;
    struct order *row = table_change(t, ORDERS, event->key);
    if (row != NULL)
        row->open = false;
    return true;
}

static bool late(struct tables *t, const struct event *event, const void *data)
{
    (void)data;
    struct order *row = table_change(t, ORDERS, event->key);
    if (row != NULL) {
        row->lates++;
        row->due_us =
            row->lates < 3 ? row->due_us + (row->lates == 1 ? 20 * MINUTE_US : 5 * HOUR_US) : 0;
    }
    return true;
}

/* Leaves the due instant alone: what a sweep meets first depends on what is in memory, and must not
 * decide what is late. */
static bool recounted(struct tables *t, const struct event *event, const void *data)
{
    const struct order_fact *fact = data;
    struct order *row = table_change(t, ORDERS, event->key);
    if (row != NULL) {
        row->moves++;
        text_copy(row->edition, sizeof row->edition, fact->edition);
    }
    return true;
}

static bool published(struct tables *t, const struct event *event, const void *data)
{
    const struct order_fact *fact = data;
    (void)event;
    struct edition *row = table_get(t, EDITIONS, "the") != NULL ? table_change(t, EDITIONS, "the")
                                                                : table_new(t, EDITIONS, "the");
    text_copy(row->current, sizeof row->current, fact->edition);
    return true;
}

static void on_due(struct run *run, const struct tables *t, const void *row)
{
    (void)t;
    const struct order *order = row;
    char slot[EVENT_ID_CAP];
    struct order_fact fact = {.due_us = order->due_us};
    text_format(slot, sizeof slot, "toy/%s/late/%lld", order->id, (long long)order->lates);
    conclude(run, slot, "order.late", order->id, &far_fact_record, &fact);
}

static bool is_behind(const struct tables *t, const char *value)
{
    return strcmp(value, current(t)) < 0;
}

const char *far_poison;

static void recount(struct run *run, const struct tables *t, const void *row)
{
    const struct order *order = row;
    char slot[EVENT_ID_CAP];
    struct order_fact fact = {0};
    if (far_poison != NULL && text_equal(order->id, far_poison))
        fail_msg("the sweep of %s would have brought the process down", far_poison);
    text_copy(fact.edition, sizeof fact.edition, current(t));
    text_format(slot, sizeof slot, "toy/%s/recounted/%s", order->id, fact.edition);
    conclude(run, slot, "order.recounted", order->id, &far_fact_record, &fact);
}

static const struct handler handlers[] = {
    {.type = "order.opened", .data = &far_fact_record, .apply = opened},
    {.type = "order.moved", .data = &far_fact_record, .apply = moved},
    {.type = "order.closed", .data = &far_fact_record, .apply = closed},
    {.type = "order.late", .data = &far_fact_record, .apply = late},
    {.type = "order.recounted", .data = &far_fact_record, .apply = recounted},
    {.type = "edition.published", .data = &far_fact_record, .apply = published},
};
static const struct timer timers[] = {{.table = ORDERS,
                                       .due_offset = offsetof(struct order, due_us),
                                       .fired_offset = offsetof(struct order, fired_us),
                                       .decide = on_due}};
static const char *const swept_on[] = {"edition.published", NULL};
static const struct sweep sweeps[] = {
    {.table = ORDERS, .on = swept_on, .behind = is_behind, .decide = recount}};
static const char *const concludes[] = {"order.late", "order.recounted", NULL};
const struct worker far_toy = {.name = "toy",
                               .concludes = concludes,
                               .handlers = handlers,
                               .handlers_n = COUNT_OF(handlers),
                               .timers = timers,
                               .timers_n = COUNT_OF(timers),
                               .sweeps = sweeps,
                               .sweeps_n = COUNT_OF(sweeps),
                               .tables = tables,
                               .tables_n = COUNT_OF(tables)};
