#include "services/dispatcher/candidates.h"

#include "base/text.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char *const removed_names[CANDIDATE_REMOVALS] = {
    "",         "closed",   "territory", "product", "declined",     "tried",
    "capacity", "no-skill", "off-duty",  "no-pass", "pass-expired", "day-full"};

static bool serves_region(const struct site *site, const char *region)
{
    for (uint32_t i = 0; i < site->territories_n; i++)
        if (text_starts(region, site->territories[i]))
            return true;
    return site->territories_n == 0;
}

static bool knows_product(const struct site *site, const char *product)
{
    for (uint32_t i = 0; i < site->products_n; i++)
        if (text_equal(product, site->products[i]))
            return true;
    return site->products_n == 0;
}

static enum candidate_removed had_it(const struct site *site, const struct candidate_need *need)
{
    for (size_t i = 0; i < need->tried_n; i++)
        if (text_equal(need->tried[i].site, site->site))
            return need->tried[i].declined ? REMOVED_DECLINED : REMOVED_TRIED;
    return REMOVED_NOT;
}

enum candidate_removed dispatcher_candidate_judge(const struct site *site, int64_t load,
                                                  const struct candidate_need *need)
{
    if (site->closed)
        return REMOVED_CLOSED;
    if (!serves_region(site, need->region))
        return REMOVED_TERRITORY;
    if (!knows_product(site, need->product))
        return REMOVED_PRODUCT;
    enum candidate_removed had = had_it(site, need);
    if (had != REMOVED_NOT)
        return had;
    return site->capacity > 0 && load >= site->capacity ? REMOVED_CAPACITY : REMOVED_NOT;
}

void dispatcher_candidates_add(struct candidates *list, const struct candidate *candidate)
{
    list->by[candidate->removed]++;
    if (candidate->removed == REMOVED_NOT) {
        list->able_all++;
        if (list->able_n < CANDIDATES_SHOWN_MAX)
            list->able[list->able_n++] = *candidate;
    } else if (candidate->removed != REMOVED_TERRITORY && list->removed_n < CANDIDATES_SHOWN_MAX) {
        list->removed[list->removed_n++] =
            *candidate; /* sites elsewhere are of no interest by name */
    }
}

struct line {
    char *text;
    size_t n, room;
};

static void line_add(struct line *line, const char *word)
{
    size_t length = strlen(word), gap = line->n > 0 ? 1 : 0;
    if (line->n + gap + length >= line->room)
        return;
    if (gap > 0)
        line->text[line->n++] = ' ';
    memcpy(line->text + line->n, word, length + 1);
    line->n += length;
}

static void line_add_candidate(struct line *line, const struct candidate *candidate)
{
    char word[240], capacity[24] = "";
    bool named = candidate->engineer != NULL;
    if (candidate->site->capacity > 0)
        snprintf(capacity, sizeof capacity, "/%" PRId64, candidate->site->capacity);
    text_format(word, sizeof word, "%s=%" PRId64 "%s%s%s%s%s", candidate->site->site,
                candidate->load, capacity, named ? "@" : "", named ? candidate->engineer : "",
                candidate->removed == REMOVED_NOT ? "" : "!", removed_names[candidate->removed]);
    line_add(line, word);
}

void dispatcher_candidates_print(const struct candidates *list, char out[CANDIDATES_TEXT_CAP])
{
    char totals[CANDIDATES_TEXT_CAP] = "";
    out[0] = '\0';
    struct line line = {.text = out, .room = CANDIDATES_TEXT_CAP};
    if (list->able_n > 0)
        line_add_candidate(&line, &list->able[0]);
    size_t half = CANDIDATES_TEXT_CAP / 2, left = CANDIDATES_TEXT_CAP - line.n - 1;
    struct line end = {.text = totals, .room = left < half ? left : half};
    for (enum candidate_removed by = REMOVED_CLOSED; by <= REMOVED_DAY_FULL; by++) {
        char word[48];
        if (list->by[by] == 0)
            continue;
        text_format(word, sizeof word, "+%" PRId64 "!%s", list->by[by], removed_names[by]);
        line_add(&end, word);
    }
    line.room = CANDIDATES_TEXT_CAP - (end.n > 0 ? end.n + 1 : 0);
    for (size_t i = 1; i < list->able_n; i++)
        line_add_candidate(&line, &list->able[i]);
    for (size_t i = 0; i < list->removed_n; i++)
        line_add_candidate(&line, &list->removed[i]);
    line.room = CANDIDATES_TEXT_CAP;
    if (end.n > 0)
        line_add(&line, totals);
}
