/* report.*: a period is closed at the position of the event; the first closing counts. */
#include "base/text.h"
#include "calendar/zone.h"
#include "on.h"
#include "period.h"
#include "proto/followup.h"
#include "tables.h"
#include "worker/reference.h"

bool reporting_on_report_closed(struct tables *tables, const struct event *e, const void *data)
{
    const struct report_closed *d = data;
    const struct policy *policy = reference_policy(tables, "");
    const char *zone = policy != NULL && policy->zone[0] != '\0' ? policy->zone : "UTC";
    int64_t from_us, to_us;
    if (table_get(tables, TABLE_PERIOD, e->key) != NULL || !period_parse(d->period, zone_find(zone), &from_us, &to_us))
        return true;
    struct period_row *row = table_new(tables, TABLE_PERIOD, e->key);
    text_copy(row->report, sizeof(row->report), d->report);
    text_copy(row->period, sizeof(row->period), d->period);
    text_copy(row->zone, sizeof(row->zone), zone);
    row->from_us = from_us;
    row->to_us = to_us;
    row->pos = (int64_t)e->pos;
    row->closed_us = e->rec_us;
    row->open = true;
    return true;
}

bool reporting_on_report_published(struct tables *tables, const struct event *e, const void *data)
{
    (void)data;
    struct period_row *row = table_change(tables, TABLE_PERIOD, e->key);
    if (row != NULL)
        row->published_pos = (int64_t)e->pos;
    return true;
}
