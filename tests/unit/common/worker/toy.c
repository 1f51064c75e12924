#include "toy.h"

#include "base/text.h"

static const struct field opened_fields[] = {F_TIME(order_opened, due, 0, "due"),
                                             F_BOOL(order_opened, broken, 0, "cannot be handled")};
const struct record order_opened_record = RECORD(order_opened, opened_fields, "an order");
static const struct field closed_fields[] = {F_TEXT(order_closed, reason, 0, "why")};
const struct record order_closed_record = RECORD(order_closed, closed_fields, "its end");
static const struct field noted_fields[] = {F_INT(order_noted, number, 0, "which note")};
const struct record order_noted_record = RECORD(order_noted, noted_fields, "a note");
static const struct field late_fields[] = {F_TIME(order_late, due, 0, "due")};
static const struct record order_late_record = RECORD(order_late, late_fields, "too late");
static const struct field order_fields[] = {
    F_TEXT(order, id, FIELD_REQUIRED, "key"),        F_TIME(order, due, 0, "due"),
    F_TIME(order, fired, FIELD_VOLATILE, "fired"),   F_INT(order, notes, 0, "notes"),
    F_INT(order, closings, 0, "closings"),           F_INT(order, pending, FIELD_VOLATILE, "in flight"),
    F_BOOL(order, late, 0, "late"),                  F_BOOL(order, open, 0, "open")};
const struct record order_record = RECORD(order, order_fields, "orders");

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
                                        .row = &order_record,
                                        .open_offset = offsetof(struct order, open),
                                        .indexes = indexes,
                                        .indexes_n = COUNT_OF(indexes)};
static const struct table_def *const tables[] = {&orders};

static bool opened(struct tables *t, const struct event *event, const void *data)
{
    const struct order_opened *order = data;
    if (order->broken)
        return tables_trouble(t, "broken");
    struct order *row = table_new(t, ORDERS, event->key);
    row->due_us = order->due_us;
    row->open = true;
    return true;
}

static void opened_decide(struct run *run, const struct tables *t, const struct event *event, const void *data)
{
    (void)t;
    (void)data;
    char slot[EVENT_ID_CAP];
    struct order_noted noted = {.number = 1};
    text_format(slot, sizeof slot, "toy/%s/note/1", event->key);
    conclude(run, slot, "order.noted", event->key, &order_noted_record, &noted);
}

static bool noted(struct tables *t, const struct event *event, const void *data)
{
    const struct order_noted *note = data;
    struct order *row = table_change(t, ORDERS, event->key);
    if (row != NULL)
        row->notes = note->number;
    return true;
}

static bool closed(struct tables *t, const struct event *event, const void *data)
{
    (void)data;
    struct order *row = table_change(t, ORDERS, event->key);
    if (row != NULL) {
        row->open = false;
        row->closings++;
    }
    return true;
}

static bool late(struct tables *t, const struct event *event, const void *data)
{
    (void)data;
    struct order *row = table_change(t, ORDERS, event->key);
    if (row != NULL)
        row->late = true, row->due_us = 0;
    return true;
}

static void due_decide(struct run *run, const struct tables *t, const void *row)
{
    (void)t;
    const struct order *order = row;
    char slot[EVENT_ID_CAP];
    struct order_late data = {.due_us = order->due_us};
    text_format(slot, sizeof slot, "toy/%s/late", order->id);
    conclude(run, slot, "order.late", order->id, &order_late_record, &data);
}

static void flight(struct tables *t, const char *type, const char *key, const void *data, int sign)
{
    (void)data;
    struct order *row = text_equal(type, "order.noted") ? table_change(t, ORDERS, key) : NULL;
    if (row != NULL)
        row->pending += sign;
}

static const struct handler handlers[] = {
    {.type = "order.opened", .data = &order_opened_record, .apply = opened, .decide = opened_decide},
    {.type = "order.closed", .data = &order_closed_record, .apply = closed},
    {.type = "order.noted", .data = &order_noted_record, .apply = noted},
    {.type = "order.late", .data = &order_late_record, .apply = late},
};
static const struct timer timers[] = {{.table = ORDERS,
                                       .index = 0,
                                       .due_offset = offsetof(struct order, due_us),
                                       .fired_offset = offsetof(struct order, fired_us),
                                       .decide = due_decide}};
static const char *const concludes[] = {"order.noted", "order.late", NULL};

const struct worker toy_worker = {.name = "toy",
                                  .concludes = concludes,
                                  .handlers = handlers,
                                  .handlers_n = COUNT_OF(handlers),
                                  .timers = timers,
                                  .timers_n = COUNT_OF(timers),
                                  .tables = tables,
                                  .tables_n = COUNT_OF(tables),
                                  .flight = flight};
