/* Classes of region, the ladder, and the reasons to wait. */
#include "base/text.h"
#include "policy/check_inside.h"

#include <string.h>

static bool region_is_taken(const struct policy_region_class *classes, uint32_t n,
                            const char *region)
{
    for (uint32_t i = 0; i < n; i++) {
        const char *prefix = classes[i].regions.items;
        for (uint32_t j = 0; j < classes[i].regions.n; j++, prefix += POLICY_REGION_CAP)
            if (text_starts(region, prefix))
                return true;
        if (classes[i].regions.n == 0)
            return true;
    }
    return false;
}

void check_regions(struct check *c)
{
    const struct policy_region_class *classes = c->policy->region_classes.items;
    char path[CHECK_PATH_CAP];
    for (uint32_t i = 0; i < c->policy->region_classes.n; i++) {
        const char *region = classes[i].regions.items;
        for (uint32_t j = 0; j < classes[i].regions.n; j++, region += POLICY_REGION_CAP) {
            text_format(path, sizeof path, "region_classes[%u].regions[%u]", i, j);
            if (region_is_taken(classes, i, region))
                check_found(c, "hidden", path, "a line before it takes region %s", region);
        }
        text_format(path, sizeof path, "region_classes[%u]", i);
        if (classes[i].regions.n == 0 && region_is_taken(classes, i, ""))
            check_found(c, "hidden", path, "a line before it takes every region");
    }
}

void check_ladder(struct check *c)
{
    const struct policy_rung *ladder = c->policy->ladder.items;
    char path[CHECK_PATH_CAP];
    for (uint32_t i = 0; i < c->policy->ladder.n; i++) {
        text_format(path, sizeof path, "ladder[%u]", i);
        for (uint32_t j = 0; j < i; j++)
            if (text_equal(ladder[i].to, ladder[j].to))
                check_found(c, "duplicate", path, "%s", ladder[i].to);
    }
}

static bool is_waited_for(const struct policy *p, const char *reason)
{
    const struct policy_clause *clauses = p->sla.items;
    for (uint32_t i = 0; i < p->sla.n; i++)
        if (policy_clause_pauses(&clauses[i], reason))
            return true;
    return false;
}

static void check_budget(struct check *c, const struct policy_pause *pause, const char *path)
{
    char field[CHECK_PATH_CAP];
    text_format(field, sizeof field, "%s.budget", path);
    check_span(c, pause->budget, UNITS_ELAPSED, SIGN_POSITIVE, field);
    if (!c->published && pause->budget.unit != SPAN_NONE &&
        !is_waited_for(c->policy, pause->reason))
        check_found(c, "bad-value", field, "no clause waits for %s", pause->reason);
    if (pause->budget.unit == SPAN_NONE && *pause->more_by)
        check_found(c, "missing", field, "more of what?");
    text_format(field, sizeof field, "%s.more_by", path);
    if (*pause->more_by && c->policy->ladder.n > 0 && policy_rung(c->policy, pause->more_by) < 0)
        check_found(c, "unknown", field, "%s is not on the ladder", pause->more_by);
}

void check_pauses(struct check *c)
{
    const struct policy_pause *pauses = c->policy->pauses.items;
    char path[CHECK_PATH_CAP], field[CHECK_PATH_CAP];
    for (uint32_t i = 0; i < c->policy->pauses.n; i++) {
        unsigned on = POLICY_ON_ANY;
        text_format(path, sizeof path, "pauses[%u]", i);
        for (uint32_t j = 0; j < i; j++)
            if (text_equal(pauses[i].reason, pauses[j].reason))
                check_found(c, "duplicate", path, "reason %s", pauses[i].reason);
        text_format(field, sizeof field, "%s.begin", path);
        check_events(c, &pauses[i].begin, FROM_NONE, &on, field);
        text_format(field, sizeof field, "%s.end", path);
        check_events(c, &pauses[i].end, FROM_NONE, &on, field);
        check_budget(c, &pauses[i], path);
    }
}
