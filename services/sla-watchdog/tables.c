#include "services/sla-watchdog/tables.h"

#include "base/text.h"

#include <stdlib.h>
#include <string.h>

/* --- subject -------------------------------------------------------------------------------- */
static const struct field subject_fields[] = {
    F_TEXT(subject, subject, FIELD_REQUIRED, "key: number of a ticket, serial of a unit …"),
    F_TEXT(subject, kind, 0, "kind"),
    F_TEXT(subject, region, 0, "where the work is"),
    F_TEXT(subject, product, 0, "product line"),
    F_TEXT(subject, channel, 0, "channel"),
    F_TEXT(subject, priority, 0, "priority"),
    F_TEXT(subject, coverage, 0, "coverage"),
    F_TEXT(subject, phase, 0, "phase of the contract"),
    F_INT(subject, policy, 0, "position of the policy followed"),
    F_TIME(subject, opened, 0, "facts count from there at the earliest"),
    F_TIME(subject, ended, 0, "closed or cancelled"),
    F_INT(subject, quantity, 0, "units concerned"),
    F_INT(subject, live, 0, "bit i: a clock of clause i runs, or its end has not been said"),
    F_TIME(subject, quiet, 0, "no clock ended behind that instant"),
    F_INT(subject, scheduled_n, 0, "how often limits were said"),
    F_INT(subject, pauses_n, 0, "facts about waiting"),
    F_INT(subject, forgotten, 0, "facts that found no room"),
    F_INT(subject, changed_pos, 0, "what it is was put right there last"),
    F_BLOB(subject, counts, 0, "two bytes a clause: clocks it has had"),
    F_BLOB(subject, facts, 0, "what has come of the events that clauses name (facts.c)"),
    F_BOOL(subject, ticket, 0, "it is a ticket"),
    F_BOOL(subject, open, 0, "a ticket until it has ended, anything while a clock is live"),
};
static const struct record subject_record =
    RECORD(subject, subject_fields, "what promises run on, as far as they need it");
static const struct table_def subject_table = {.name = "subject",
                                               .row = &subject_record,
                                               .open_offset = offsetof(struct subject, open),
                                               .far = true};

int64_t sla_watchdog_count(const struct subject *s, uint32_t i)
{
    return s->counts.len > 2 * i + 1 ? s->counts.data[2 * i] | s->counts.data[2 * i + 1] << 8 : 0;
}

void sla_watchdog_count_set(struct subject *s, uint32_t i, int64_t n)
{
    if (s->counts.len < 2 * i + 2)
        s->counts.len = 2 * i + 2;
    s->counts.data[2 * i] = (uint8_t)(n & 0xff);
    s->counts.data[2 * i + 1] = (uint8_t)(n >> 8);
}

/* --- pause ---------------------------------------------------------------------------------- */
static const char *const pause_kind_names[] = {"more", "over", "begin", "end", NULL};
static const struct field pause_fields[] = {
    F_TEXT(pause, pause, FIELD_REQUIRED, "KEY/n"),
    F_TEXT(pause, reason, 0, "reason code; an end without one ends every wait"),
    F_ENUM(pause, kind, 0, pause_kind_names, "what it says"),
    F_TIME(pause, at, 0, "counts from"),
    F_INT(pause, pos, 0, "position"),
    F_INT(pause, more_us, 0, "so much longer was approved"),
    F_TEXT(pause, by, 0, "who said so"),
};
static const struct record pause_record = RECORD(pause, pause_fields, "facts about waiting");
static const struct table_def pause_table = {.name = "pause", .row = &pause_record};

/* --- clock ---------------------------------------------------------------------------------- */
static const char *const state_names[] = {"running", "breached", "met", "over", NULL};
static const struct field clock_fields[] = {
    F_TEXT(clock, clock, FIELD_REQUIRED, "KEY/CLAUSE.k"),
    F_TEXT(clock, follows, 0, "POLICY/CALENDAR: positions of what it was counted by"),
    F_INT(clock, target, 0, "which version of the limit"),
    F_INT(clock, corrections, 0, "how often its verdict was taken back"),
    F_ENUM(clock, state, 0, state_names, "how it stands"),
    F_INT(clock, start_pos, 0, "position of the event it runs from"),
    F_TIME(clock, began, 0, "instant of that event"),
    F_TIME(clock, counted, 0, "counted from at first"),
    F_TIME(clock, from, 0, "counted from"),
    F_TIME(clock, said, 0, "the limit as it was said; absent: it waits"),
    F_TIME(clock, due, 0, "the limit by all that is known; absent: it waits without bound"),
    F_TIME(clock, stopped, 0, "what was promised came then"),
    F_TIME(clock, ended, 0, "it ended without it"),
    F_TIME(clock, detected, 0, "the breach was seen"),
    F_TIME(clock, since, 0, "past when it was chosen anew, at that instant"),
    F_INT(clock, level, 0, "the last level announced"),
    F_INT(clock, next_level, 0, "the level that comes next"),
    F_TIME(clock, next, 0, "when it comes, or when a wait ends by itself"),
    F_SPAN(clock, span, 0, "how long"),
    F_INT(clock, line, 0, "line of the clause that decided, from 1"),
    F_INT(clock, tier, 0, "tier its start named"),
    F_INT(clock, quantity, 0, "units its start named"),
    F_BOOL(clock, reported_late, 0, "met, but told after the limit"),
    F_BOOL(clock, explained, 0, "met by the explanation"),
    F_BOOL(clock, ordered, 0, "what stands before its start in that instant does not end it"),
    F_BOOL(clock, lapsed, 0, "no line of the clause is for it"),
    F_TIME(clock, fired, FIELD_VOLATILE, "timer has fired for"),
    F_BOOL(clock, open, 0, "until nothing more can be said of it"),
};
static const struct record clock_record =
    RECORD(clock, clock_fields, "promises and how they stand");

static int instant_order(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

static int clock_by_next(const void *a, const void *b)
{
    return instant_order(((const struct clock *)a)->next_us, ((const struct clock *)b)->next_us);
}

static bool clock_waits(const void *row)
{
    const struct clock *c = row;
    return c->open && c->next_us != 0 && c->next_us != c->fired_us;
}

static const struct index_def clock_indexes[] = {
    {.name = "next", .compare = clock_by_next, .holds = clock_waits}};
static const struct table_def clock_table = {.name = "clock",
                                             .row = &clock_record,
                                             .open_offset = offsetof(struct clock, open),
                                             .indexes = clock_indexes,
                                             .indexes_n = COUNT_OF(clock_indexes),
                                             .far = true,
                                             .due_offset = offsetof(struct clock, next_us),
                                             .sweep_offset = offsetof(struct clock, follows)};

/* --- published ------------------------------------------------------------------------------ */
static const char *const what_names[] = {"calendar", "policy", NULL};
static const struct field published_fields[] = {
    F_TEXT(published, published, FIELD_REQUIRED, "position of the publication, 20 digits"),
    F_ENUM(published, what, 0, what_names, "calendar or policy"),
    F_TEXT(published, name, 0, "its name"),
    F_TEXT(published, version, 0, "its version"),
    F_INT(published, pos, 0, "position of the publication"),
    F_INT(published, replaced, 0, "position of what those who follow it follow now"),
    F_BOOL(published, open, 0, "kept in memory"),
};
static const struct record published_record =
    RECORD(published, published_fields, "policies and calendars that clocks are counted by");

static int published_by_name(const void *a, const void *b)
{
    const struct published *x = a, *y = b;
    if (x->what != y->what)
        return x->what < y->what ? -1 : 1;
    int order = x->what == PUBLISHED_CALENDAR ? strcmp(x->name, y->name) : 0;
    return order ? order : instant_order(x->pos, y->pos);
}

static const struct index_def published_indexes[] = {
    {.name = "name", .compare = published_by_name}};
static const struct table_def published_table = {.name = "published",
                                                 .row = &published_record,
                                                 .open_offset = offsetof(struct published, open),
                                                 .indexes = published_indexes,
                                                 .indexes_n = COUNT_OF(published_indexes),
                                                 .whole = true};

void sla_watchdog_published_key(int64_t pos, char out[24])
{
    text_format(out, 24, "%020lld", (long long)pos);
}

const struct published *sla_watchdog_published_at(const struct tables *tables, int64_t pos)
{
    char key[24];
    if (pos == 0)
        return NULL;
    sla_watchdog_published_key(pos, key);
    return table_get(tables, SLA_WATCHDOG_PUBLISHED, key);
}

static bool is_of(const struct published *p, enum published_what what, const char *name)
{
    return p && p->what == (int)what &&
           (what == PUBLISHED_POLICY || !name || text_equal(p->name, name));
}

static const struct published *first_of(const struct tables *tables, enum published_what what,
                                        const char *name)
{
    struct published probe = {.what = (int)what};
    text_copy(probe.name, sizeof probe.name, name && what == PUBLISHED_CALENDAR ? name : "");
    const struct published *p =
        table_first(tables, SLA_WATCHDOG_PUBLISHED, SLA_WATCHDOG_PUBLISHED_NAME, &probe);
    return is_of(p, what, name) ? p : NULL;
}

static const struct published *next_of(const struct tables *tables, const struct published *p,
                                       enum published_what what, const char *name)
{
    p = table_next(tables, SLA_WATCHDOG_PUBLISHED, SLA_WATCHDOG_PUBLISHED_NAME, p);
    return is_of(p, what, name) ? p : NULL;
}

const struct published *sla_watchdog_published_newest(const struct tables *tables,
                                                      enum published_what what, const char *name)
{
    const struct published *newest = NULL;
    for (const struct published *p = first_of(tables, what, name); p;
         p = next_of(tables, p, what, name))
        newest = p;
    return newest;
}

const struct published *sla_watchdog_published_version(const struct tables *tables,
                                                       enum published_what what, const char *name,
                                                       const char *version)
{
    const struct published *found = NULL;
    for (const struct published *p = first_of(tables, what, name); p;
         p = next_of(tables, p, what, name))
        if (text_equal(p->version, version))
            found = p;
    return found;
}

void sla_watchdog_follows(int64_t policy, int64_t calendar, char out[44])
{
    text_format(out, 44, "%lld/%lld", (long long)policy, (long long)calendar);
}

bool sla_watchdog_is_behind(const struct tables *tables, const char *follows)
{
    char *slash;
    int64_t policy = strtoll(follows, &slash, 10);
    int64_t calendar = *slash == '/' ? strtoll(slash + 1, NULL, 10) : 0;
    const struct published *p = sla_watchdog_published_at(tables, policy);
    const struct published *c = sla_watchdog_published_at(tables, calendar);
    return (p && p->replaced != 0) || (c && c->replaced != 0);
}

const struct table_def *const sla_watchdog_tables[SLA_WATCHDOG_TABLES] = {
    &subject_table, &pause_table, &clock_table, &published_table};
