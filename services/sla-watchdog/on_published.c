/* policy.published, calendar.published: clocks that follow what is replaced are chosen anew, some
 * at a time: each sla.scheduled that is read back wakes the timer for the next ones. */
#include "base/text.h"
#include "policy/published.h"
#include "services/sla-watchdog/announce.h"
#include "services/sla-watchdog/on.h"

#include <string.h>

/* Those that came before it are followed by nobody any more. */
static void replace(struct tables *tables, enum published_what what, const char *name, int64_t pos)
{
    char key[24];
    const struct published *p =
        table_first(tables, SLA_WATCHDOG_PUBLISHED, SLA_WATCHDOG_PUBLISHED_NAME, NULL);
    while (p) {
        bool is = p->what == (int)what && p->pos < pos &&
                  (what == PUBLISHED_POLICY || text_equal(p->name, name));
        text_copy(key, sizeof key, p->published);
        if (is) {
            struct published *old = table_change(tables, SLA_WATCHDOG_PUBLISHED, key);
            old->replaced = pos;
        }
        p = table_get(tables, SLA_WATCHDOG_PUBLISHED, key);
        p = table_next(tables, SLA_WATCHDOG_PUBLISHED, SLA_WATCHDOG_PUBLISHED_NAME, p);
    }
}

static void published_add(struct tables *tables, const struct event *event,
                          enum published_what what, const char *name, const char *version)
{
    char key[24];
    sla_watchdog_published_key((int64_t)event->pos, key);
    struct published *p = table_new(tables, SLA_WATCHDOG_PUBLISHED, key);
    p->what = (int)what;
    p->pos = (int64_t)event->pos;
    p->open = true;
    text_copy(p->name, sizeof p->name, name);
    text_copy(p->version, sizeof p->version, version);
}

bool sla_watchdog_apply_policy_published(struct tables *tables, const struct event *event,
                                         const void *data)
{
    const struct policy_published *d = data;
    if (sla_watchdog_published_version(tables, PUBLISHED_POLICY, NULL, d->version))
        return true; /* a published version never changes */
    published_add(tables, event, PUBLISHED_POLICY, d->name, d->version);
    const struct policy *policy = reference_policy(tables, d->version);
    if (policy && policy->retarget_open)
        replace(tables, PUBLISHED_POLICY, NULL, (int64_t)event->pos);
    return true;
}

bool sla_watchdog_apply_calendar_published(struct tables *tables, const struct event *event,
                                           const void *data)
{
    const struct calendar_published *d = data;
    published_add(tables, event, PUBLISHED_CALENDAR, d->name, d->version);
    replace(tables, PUBLISHED_CALENDAR, d->name, (int64_t)event->pos);
    return true;
}

void sla_watchdog_on_behind(struct run *run, const struct tables *tables, const void *row)
{
    char key[EVENT_KEY_CAP];
    sla_watchdog_clock_key(((const struct clock *)row)->clock, key);
    sla_watchdog_look(run, tables, key);
}
