#include "policy/policy.h"

#include "base/text.h"

#include <string.h>

static bool words_match(const struct slice *list, size_t cap, const char *word)
{
    if (list->n == 0)
        return true;
    const char *items = list->items;
    for (uint32_t i = 0; word && i < list->n; i++)
        if (text_equal(items + i * cap, word))
            return true;
    return false;
}

static bool prefixes_match(const struct slice *list, size_t cap, const char *word)
{
    if (list->n == 0)
        return true;
    const char *items = list->items;
    for (uint32_t i = 0; word && i < list->n; i++)
        if (text_starts(word, items + i * cap))
            return true;
    return false;
}

static bool tiers_match(const struct slice *list, int64_t tier)
{
    const int64_t *tiers = list->items;
    for (uint32_t i = 0; i < list->n; i++)
        if (tiers[i] == tier)
            return true;
    return list->n == 0;
}

bool policy_matches(const struct policy_match *m, const struct policy_subject *s)
{
    return words_match(&m->kinds, POLICY_KIND_CAP, s->kind) &&
           prefixes_match(&m->regions, POLICY_REGION_CAP, s->region) &&
           words_match(&m->priorities, POLICY_WORD_CAP, s->priority) &&
           words_match(&m->products, POLICY_PRODUCT_CAP, s->product) &&
           words_match(&m->channels, POLICY_WORD_CAP, s->channel) &&
           words_match(&m->coverages, POLICY_COVERAGE_CAP, s->coverage) &&
           tiers_match(&m->tiers, s->tier) && words_match(&m->phases, POLICY_WORD_CAP, s->phase) &&
           words_match(&m->region_classes, POLICY_WORD_CAP, s->region_class);
}

const char *policy_region_class(const struct policy *p, const char *region)
{
    const struct policy_region_class *classes = p->region_classes.items;
    for (uint32_t i = 0; i < p->region_classes.n; i++)
        if (prefixes_match(&classes[i].regions, POLICY_REGION_CAP, region))
            return classes[i].class;
    return "";
}

static struct policy_subject with_class(const struct policy *p, const struct policy_subject *s)
{
    struct policy_subject full = *s;
    if (!full.region_class)
        full.region_class = policy_region_class(p, s->region);
    return full;
}

const struct policy_kind *policy_kind(const struct policy *p, const char *kind)
{
    const struct policy_kind *kinds = p->kinds.items, *any = NULL;
    for (uint32_t i = 0; i < p->kinds.n; i++) {
        if (text_equal(kinds[i].name, kind))
            return &kinds[i];
        if (text_equal(kinds[i].name, "*"))
            any = &kinds[i];
    }
    return any;
}

const char *policy_priority(const struct policy *p, const struct policy_subject *s)
{
    const struct policy_priority *lines = p->priorities.items;
    struct policy_subject full = with_class(p, s);
    for (uint32_t i = 0; i < p->priorities.n; i++)
        if (policy_matches(&lines[i].match, &full))
            return lines[i].priority;
    return "normal";
}

const struct policy_term *policy_term(const struct policy *p, const struct policy_subject *s)
{
    const struct policy_term *lines = p->terms.items;
    struct policy_subject full = with_class(p, s);
    for (uint32_t i = 0; i < p->terms.n; i++)
        if (policy_matches(&lines[i].match, &full))
            return &lines[i];
    return NULL;
}

const struct policy_clause *policy_clause(const struct policy *p, const char *id)
{
    const struct policy_clause *clauses = p->sla.items;
    for (uint32_t i = 0; i < p->sla.n; i++)
        if (text_equal(clauses[i].id, id))
            return &clauses[i];
    return NULL;
}

const struct policy_limit *policy_limit(const struct policy_clause *c,
                                        const struct policy_subject *s)
{
    const struct policy_limit *lines = c->limits.items;
    for (uint32_t i = 0; i < c->limits.n; i++)
        if (policy_matches(&lines[i].match, s))
            return &lines[i];
    return NULL;
}

const struct policy_followup *policy_followup(const struct policy *p,
                                              const struct policy_subject *s)
{
    const struct policy_followup *lines = p->followup.items;
    struct policy_subject full = with_class(p, s);
    for (uint32_t i = 0; i < p->followup.n; i++)
        if (policy_matches(&lines[i].match, &full))
            return &lines[i];
    return NULL;
}

const struct policy_tier *policy_tier(const struct policy *p, int64_t tier)
{
    const struct policy_tier *tiers = p->dispatch.tiers.items;
    for (uint32_t i = 0; i < p->dispatch.tiers.n; i++)
        if (tiers[i].tier == tier)
            return &tiers[i];
    return NULL;
}

const struct policy_pause *policy_pause(const struct policy *p, const char *reason)
{
    const struct policy_pause *pauses = p->pauses.items;
    for (uint32_t i = 0; i < p->pauses.n; i++)
        if (text_equal(pauses[i].reason, reason))
            return &pauses[i];
    return NULL;
}

int policy_rung(const struct policy *p, const char *to)
{
    const struct policy_rung *ladder = p->ladder.items;
    for (uint32_t i = 0; i < p->ladder.n; i++)
        if (text_equal(ladder[i].to, to))
            return (int)i;
    return -1;
}

const char *policy_limit_calendar(const struct policy_clause *clause,
                                  const struct policy_limit *line)
{
    return *line->calendar ? line->calendar : clause->calendar;
}
