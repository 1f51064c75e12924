/* What lines match: known words, and no line that those before it leave nothing. */
#include "base/text.h"
#include "policy/check_inside.h"

#include <stdio.h>
#include <string.h>

/* --- words ---------------------------------------------------------------------------------- */

static bool priority_is_known(const struct policy *p, const char *priority)
{
    const struct policy_priority *lines = p->priorities.items;
    for (uint32_t i = 0; i < p->priorities.n; i++)
        if (text_equal(lines[i].priority, priority))
            return true;
    return text_equal(priority, "normal");
}

static bool class_is_known(const struct policy *p, const char *name)
{
    const struct policy_region_class *classes = p->region_classes.items;
    for (uint32_t i = 0; i < p->region_classes.n; i++)
        if (text_equal(classes[i].class, name))
            return true;
    return false;
}

static const char *word_at(const struct slice *list, size_t cap, uint32_t i)
{
    return (const char *)list->items + i * cap;
}

static void check_kind_words(struct check *c, const struct policy_match *m, const char *line)
{
    char path[CHECK_PATH_CAP];
    for (uint32_t i = 0; i < m->kinds.n; i++) {
        const char *kind = word_at(&m->kinds, POLICY_KIND_CAP, i);
        text_format(path, sizeof path, "%s.match.kinds[%u]", line, i);
        if (!policy_kind(c->policy, kind))
            check_found(c, "unknown", path, "%s is not among the policy's kinds", kind);
        if (check_text_in(&(struct slice){m->kinds.items, i}, POLICY_KIND_CAP, kind))
            check_found(c, "duplicate", path, "%s", kind);
    }
}

static void check_known(struct check *c, const struct policy_match *m, unsigned known,
                        const char *line)
{
    const struct {
        const char *name;
        const struct slice *list;
        enum check_known needs;
    } asked[] = {{"coverages", &m->coverages, KNOWN_COVERAGE},
                 {"tiers", &m->tiers, KNOWN_TIER},
                 {"phases", &m->phases, KNOWN_PHASE}};
    char path[CHECK_PATH_CAP];
    for (size_t i = 0; i < COUNT_OF(asked); i++) {
        if (c->published || asked[i].list->n == 0 || (known & asked[i].needs))
            continue;
        text_format(path, sizeof path, "%s.match.%s", line, asked[i].name);
        check_found(c, "hidden", path, "nothing is known of %s there", asked[i].name);
    }
}

void check_match(struct check *c, const struct policy_match *m, unsigned known, const char *line)
{
    static const char *const coverages[] = {"free", "paid", "partly", "unknown"};
    const int64_t *tiers = m->tiers.items;
    char path[CHECK_PATH_CAP];
    check_known(c, m, known, line);
    check_kind_words(c, m, line);
    for (uint32_t i = 0; (known & KNOWN_JUDGED) && i < m->priorities.n; i++) {
        const char *priority = word_at(&m->priorities, POLICY_WORD_CAP, i);
        text_format(path, sizeof path, "%s.match.priorities[%u]", line, i);
        if (!priority_is_known(c->policy, priority))
            check_found(c, "unknown", path, "no line of priorities gives %s", priority);
    }
    for (uint32_t i = 0; i < m->coverages.n; i++) {
        const char *coverage = word_at(&m->coverages, POLICY_COVERAGE_CAP, i);
        bool is_word = false;
        for (size_t j = 0; j < COUNT_OF(coverages); j++)
            is_word = is_word || text_equal(coverage, coverages[j]);
        text_format(path, sizeof path, "%s.match.coverages[%u]", line, i);
        if (!is_word)
            check_found(c, "unknown", path, "%s, expected free, paid, partly or unknown", coverage);
    }
    for (uint32_t i = 0; i < m->tiers.n; i++) {
        text_format(path, sizeof path, "%s.match.tiers[%u]", line, i);
        if (!policy_tier(c->policy, tiers[i]))
            check_found(c, "unknown", path, "tier %lld is not in dispatch.tiers",
                        (long long)tiers[i]);
    }
    for (uint32_t i = 0; i < m->region_classes.n; i++) {
        const char *class = word_at(&m->region_classes, POLICY_WORD_CAP, i);
        text_format(path, sizeof path, "%s.match.region_classes[%u]", line, i);
        if (!class_is_known(c->policy, class))
            check_found(c, "unknown", path, "no line of region_classes names %s", class);
    }
}

/* --- hidden lines ---------------------------------------------------------------------------- */

/* Is there anything that a line matches and none of the lines before it? Looked for dimension by
 * dimension: a value at a time, going on with those of the earlier lines that take it, until none
 * is left (then that value shows the line is needed) or none of the dimensions is (then it is not).
 * Of all values only those that some line names need be tried, and one that none does. */
enum dimension {
    DIM_KIND,
    DIM_PLACE, /* region and class of region, which it decides */
    DIM_PRIORITY,
    DIM_PRODUCT,
    DIM_CHANNEL,
    DIM_COVERAGE,
    DIM_TIER,
    DIM_PHASE,
    DIMS
};

#define LINES_MAX 1024
#define LOOKS_MAX 2000000 /* lines tangled worse than that are taken for needed */
#define OTHER     "\x01"  /* a word that nobody writes */

struct hunt {
    const struct policy *policy;
    const struct policy_match *line;
    const char *kind; /* only this one of the line's */
    unsigned looks;   /* at earlier lines */
};
struct earlier {
    const struct policy_match *lines[LINES_MAX];
    uint32_t n;
};

/* What a line names in each dimension. */
static const struct {
    size_t offset, cap; /* of the list in the match, of its items */
} words[DIMS] = {
    [DIM_KIND] = {offsetof(struct policy_match, kinds), POLICY_KIND_CAP},
    [DIM_PLACE] = {offsetof(struct policy_match, regions), POLICY_REGION_CAP},
    [DIM_PRIORITY] = {offsetof(struct policy_match, priorities), POLICY_WORD_CAP},
    [DIM_PRODUCT] = {offsetof(struct policy_match, products), POLICY_PRODUCT_CAP},
    [DIM_CHANNEL] = {offsetof(struct policy_match, channels), POLICY_WORD_CAP},
    [DIM_COVERAGE] = {offsetof(struct policy_match, coverages), POLICY_COVERAGE_CAP},
    [DIM_TIER] = {offsetof(struct policy_match, tiers), sizeof(int64_t)},
    [DIM_PHASE] = {offsetof(struct policy_match, phases), POLICY_WORD_CAP},
};

static const struct slice *words_of(const struct policy_match *m, enum dimension dim)
{
    return (const struct slice *)(const void *)((const char *)m + words[dim].offset);
}

/* A value of a dimension: a word, or of tiers the number. */
struct value {
    const char *word;
    int64_t number;
};

static bool takes_place(const struct policy *p, const struct policy_match *m, const char *region)
{
    struct policy_match place = {.regions = m->regions, .region_classes = m->region_classes};
    return policy_matches(
        &place,
        &(struct policy_subject){.region = region, .region_class = policy_region_class(p, region)});
}

static bool takes(const struct policy *p, const struct policy_match *m, enum dimension dim,
                  struct value value)
{
    const struct slice *list = words_of(m, dim);
    if (dim == DIM_PLACE)
        return takes_place(p, m, value.word);
    if (list->n == 0)
        return true;
    const int64_t *numbers = list->items;
    for (uint32_t i = 0; dim == DIM_TIER && i < list->n; i++)
        if (numbers[i] == value.number)
            return true;
    return dim != DIM_TIER && check_text_in(list, words[dim].cap, value.word);
}

static bool needed(struct hunt *, const struct earlier *, enum dimension);

/* With that value, if the line has it. */
static bool needed_for(struct hunt *h, const struct earlier *e, enum dimension dim,
                       struct value value)
{
    if (dim == DIM_KIND && h->kind ? !text_equal(value.word, h->kind)
                                   : !takes(h->policy, h->line, dim, value))
        return false;
    struct earlier left;
    left.n = 0;
    h->looks += e->n;
    for (uint32_t i = 0; i < e->n; i++)
        if (takes(h->policy, e->lines[i], dim, value))
            left.lines[left.n++] = e->lines[i];
    return needed(h, &left, dim + 1);
}

static bool needed_for_list(struct hunt *h, const struct earlier *e, enum dimension dim,
                            const struct slice *list)
{
    for (uint32_t i = 0; i < list->n; i++) {
        const char *item = word_at(list, words[dim].cap, i);
        struct value value = {item, 0};
        if (dim == DIM_TIER)
            memcpy(&value.number, item, sizeof value.number);
        if (needed_for(h, e, dim, value))
            return true;
    }
    return false;
}

/* All that tells one earlier line from another is what they name; so do the line itself and, of
 * places, the classes. */
static bool needed(struct hunt *h, const struct earlier *e, enum dimension dim)
{
    if (e->n == 0)
        return true;
    if (dim == DIMS)
        return false;
    if (h->looks > LOOKS_MAX)
        return true;
    if (needed_for(h, e, dim, (struct value){OTHER, INT64_MIN}) ||
        needed_for_list(h, e, dim, words_of(h->line, dim)))
        return true;
    for (uint32_t i = 0; i < e->n; i++)
        if (needed_for_list(h, e, dim, words_of(e->lines[i], dim)))
            return true;
    const struct policy_region_class *classes = h->policy->region_classes.items;
    for (uint32_t i = 0; dim == DIM_PLACE && i < h->policy->region_classes.n; i++)
        if (needed_for_list(h, e, dim, &classes[i].regions))
            return true;
    return false;
}

static bool is_needed(const struct policy *p, const struct policy_match *line, const char *kind,
                      const struct earlier *e)
{
    struct hunt hunt = {p, line, kind, 0};
    return needed(&hunt, e, DIM_KIND);
}

/* The line that alone leaves it nothing, from 1; 0: several do. */
static uint32_t hider(const struct policy *p, const struct policy_match *line, const char *kind,
                      const struct earlier *e)
{
    for (uint32_t i = 0; i < e->n; i++) {
        struct earlier one;
        one.n = 1;
        one.lines[0] = e->lines[i];
        if (!is_needed(p, line, kind, &one))
            return i + 1;
    }
    return 0;
}

static void found_hidden(struct check *c, const char *path, uint32_t by, const char *kind)
{
    char who[40] = "the lines before it take",
         what[POLICY_KIND_CAP + 16] = "everything that it matches";
    if (by > 0)
        text_format(who, sizeof who, "line %u before it takes", by);
    if (kind)
        text_format(what, sizeof what, "kind \"%s\"", kind);
    check_found(c, "hidden", path, "%s %s", who, what);
}

static bool takes_any_place(const struct policy *p, const struct policy_match *line,
                            const struct slice *regions)
{
    for (uint32_t i = 0; i < regions->n; i++)
        if (takes_place(p, line, word_at(regions, POLICY_REGION_CAP, i)))
            return true;
    return false;
}

/* Is no region that it takes of a class that it takes? */
static bool is_nowhere(const struct policy *p, const struct policy_match *line)
{
    const struct policy_region_class *classes = p->region_classes.items;
    for (uint32_t i = 0; i < line->region_classes.n; i++)
        if (!class_is_known(p, word_at(&line->region_classes, POLICY_WORD_CAP, i)))
            return false; /* that is said already */
    if (line->region_classes.n == 0 || takes_place(p, line, OTHER) ||
        takes_any_place(p, line, &line->regions))
        return false;
    for (uint32_t i = 0; i < p->region_classes.n; i++)
        if (takes_any_place(p, line, &classes[i].regions))
            return false;
    return true;
}

static void check_hidden(struct check *c, const struct policy_match *line, const struct earlier *e,
                         const char *path)
{
    if (is_nowhere(c->policy, line)) {
        check_found(c, "hidden", path, "no region is of its regions and of its region_classes");
        return;
    }
    if (!is_needed(c->policy, line, NULL, e)) {
        found_hidden(c, path, hider(c->policy, line, NULL, e), NULL);
        return;
    }
    for (uint32_t i = 0; i < line->kinds.n; i++) {
        const char *kind = word_at(&line->kinds, POLICY_KIND_CAP, i);
        if (!is_needed(c->policy, line, kind, e)) {
            found_hidden(c, path, hider(c->policy, line, kind, e), kind);
            return;
        }
    }
}

void check_lines(struct check *c, const struct slice *lines, size_t size, size_t match_offset,
                 const char *path)
{
    struct earlier e;
    const char *items = lines->items;
    char at[CHECK_PATH_CAP];
    e.n = 0;
    for (uint32_t i = 0; !c->published && i < lines->n && i < LINES_MAX; i++) {
        const struct policy_match *line =
            (const struct policy_match *)(const void *)(items + i * size + match_offset);
        text_format(at, sizeof at, "%s[%u]", path, i);
        check_hidden(c, line, &e, at);
        e.lines[e.n++] = line;
    }
}
