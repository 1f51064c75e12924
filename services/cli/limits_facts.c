/* What is told of a promise, put together out of what was said and how it was counted. */
#include "base/text.h"
#include "limits_why.h"

static const struct policy *why_policy(const struct why *why, const char *version)
{
    for (size_t i = why->policies_n; i-- > 0;)
        if (text_equal(why->policies[i].version, version))
            return why->policies[i].policy;
    return NULL;
}

/* version "": the newest. NULL: none. */
static const struct calendar *why_calendar(const struct why *why, const char *name, const char *version)
{
    for (size_t i = why->calendars_n; i-- > 0;)
        if (text_equal(why->calendars[i].name, name) &&
            (version[0] == '\0' || text_equal(why->calendars[i].version, version)))
            return why->calendars[i].calendar;
    return NULL;
}

const struct origin *why_origin(const struct why *why, int64_t pos)
{
    for (size_t i = 0; i < why->origins_n; i++)
        if (why->origins[i].pos == pos)
            return &why->origins[i];
    return NULL;
}

const struct sla_limit *said_limit(const struct said *said, const struct limit_row *row)
{
    const struct sla_scheduled *d = said->data;
    if (!text_equal(said->type, "sla.scheduled"))
        return NULL;
    for (uint32_t i = 0; i < d->limits_n; i++)
        if (text_equal(d->limits[i].clause, row->clause) && d->limits[i].k == row->k)
            return &d->limits[i];
    return NULL;
}

bool said_is_about(const struct said *said, const struct limit_row *row)
{
    const struct sla_warned *w = said->data;
    const struct sla_breached *b = said->data;
    const struct sla_met *m = said->data;
    const struct sla_corrected *c = said->data;
    if (text_equal(said->type, "sla.warned"))
        return text_equal(w->clause, row->clause) && w->k == row->k;
    if (text_equal(said->type, "sla.breached"))
        return text_equal(b->clause, row->clause) && b->k == row->k;
    if (text_equal(said->type, "sla.met"))
        return text_equal(m->clause, row->clause) && m->k == row->k;
    if (text_equal(said->type, "sla.corrected"))
        return text_equal(c->clause, row->clause) && c->k == row->k;
    return said_limit(said, row) != NULL;
}

int64_t level_announced_us(const struct why *why, const struct limit_row *row, int64_t level)
{
    for (size_t i = why->said_n; i-- > 0;) {
        const struct said *said = &why->said[i];
        const struct sla_warned *w = said->data;
        const struct sla_breached *b = said->data;
        if (!said_is_about(said, row))
            continue;
        if (text_equal(said->type, "sla.warned") && w->level == level && w->target == row->target)
            return w->detected_us;
        if (text_equal(said->type, "sla.breached") && b->level == level && b->target == row->target)
            return b->detected_us;
    }
    return 0;
}

struct calendar_choice {
    const struct why *why;
    const char *version;
};

static const struct calendar *calendar_by_name(void *owner, const char *name)
{
    const struct calendar_choice *choice = owner;
    const struct calendar *found = why_calendar(choice->why, name, choice->version);
    return found != NULL ? found : why_calendar(choice->why, name, "");
}

static void last_said(const struct why *why, struct facts_of_limit *f)
{
    for (size_t i = 0; i < why->said_n; i++) {
        const struct sla_limit *limit = said_limit(&why->said[i], f->row);
        if (limit == NULL)
            continue;
        f->limit = limit;
        f->last = why->said[i].data;
    }
}

static void waits_take(struct facts_of_limit *f)
{
    for (uint32_t i = 0; f->last != NULL && i < f->last->pauses_n; i++)
        if (policy_clause_pauses(f->counting.clause, f->last->pauses[i].reason))
            f->waits[f->waits_n++] = f->last->pauses[i];
}

static void years_check(struct facts_of_limit *f)
{
    if (counting_way(&f->counting) == COUNTS_ELAPSED)
        return;
    const struct zone *zone = calendar_zone(f->counting.calendar);
    int last = zone_local(zone, f->until_us).year;
    for (int year = zone_local(zone, f->limit->from_us).year; year <= last; year++)
        if (!calendar_has_data(f->counting.calendar, year) &&
            f->unknown_years_n < COUNT_OF(f->unknown_years))
            f->unknown_years[f->unknown_years_n++] = year;
}

void limit_facts(const struct why *why, const struct limit_row *row, struct facts_of_limit *f)
{
    *f = (struct facts_of_limit){.row = row};
    const struct policy *policy = why_policy(why, row->policy);
    struct calendar_choice choice = {why, row->calendar};
    last_said(why, f);
    f->counts =
        policy != NULL && f->limit != NULL &&
        counting_of(policy, row->clause, row->line, calendar_by_name, &choice, &f->counting);
    if (!f->counts)
        return;
    waits_take(f);
    f->until_us = f->limit->due_us;
    if (f->until_us == 0)
        f->until_us = f->waits_n > 0 ? f->waits[f->waits_n - 1].from_us : why->now_us;
    f->windows_n = counted_windows(&f->counting, f->limit->from_us, f->until_us, f->waits,
                                   f->waits_n, f->windows, &f->more);
    for (size_t i = 0; i < f->windows_n; i++)
        f->counted_us += f->windows[i].to_us - f->windows[i].from_us;
    years_check(f);
}
