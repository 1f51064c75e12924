#include "comparison.h"
#include "base/text.h"
#include <stdlib.h>
#include <string.h>

static int cell_compare(const void *left, const void *right)
{
    const struct comparison_cell *a = left, *b = right;
    int order = strcmp(a->clause, b->clause);
    if (order == 0)
        order = strcmp(a->region, b->region);
    return order != 0 ? order : strcmp(a->month, b->month);
}

/* Sorts and adds up what is alike; returns how many are left. */
static size_t cells_merge(struct comparison_cell *cells, size_t n)
{
    size_t kept = 0;
    qsort(cells, n, sizeof(*cells), cell_compare);
    for (size_t i = 0; i < n; i++) {
        if (kept == 0 || cell_compare(&cells[kept - 1], &cells[i]) != 0) {
            cells[kept++] = cells[i];
            continue;
        }
        for (int side = 0; side < SIDES; side++)
            for (int verdict = 0; verdict < VERDICTS; verdict++)
                cells[kept - 1].counts[side][verdict] += cells[i].counts[side][verdict];
    }
    return kept;
}

static void cells_make(struct comparison *comparison, const struct outcome *const outcomes[SIDES])
{
    size_t n = 0;
    for (int side = 0; side < SIDES; side++)
        n += outcomes[side] != NULL ? HASH_COUNT(outcomes[side]->promises) : 0;
    struct comparison_cell *cells = memory_new((n + 1) * sizeof(*cells));
    n = 0;
    for (int side = 0; side < SIDES; side++)
        for (const struct promise *promise = outcomes[side] != NULL ? outcomes[side]->promises
                                                                    : NULL;
             promise != NULL; promise = promise->hh.next) {
            struct comparison_cell *cell = &cells[n++];
            memcpy(cell->clause, promise->clause, sizeof(cell->clause));
            memcpy(cell->region, promise->region, sizeof(cell->region));
            memcpy(cell->month, promise->month, sizeof(cell->month));
            cell->counts[side][promise->verdict]++;
        }
    comparison->cells = cells;
    comparison->cells_n = cells_merge(cells, n);
}

static int site_compare(const void *left, const void *right)
{
    const struct comparison_site *a = left, *b = right;
    return strcmp(a->site, b->site);
}

static void sites_make(struct comparison *comparison, const struct outcome *const outcomes[SIDES])
{
    size_t n = 0;
    for (int side = 0; side < SIDES; side++)
        n += outcomes[side] != NULL ? HASH_COUNT(outcomes[side]->sites) : 0;
    comparison->sites = memory_new((n + 1) * sizeof(*comparison->sites));
    for (int side = 0; side < SIDES; side++)
        for (const struct site_work *work = outcomes[side] != NULL ? outcomes[side]->sites : NULL;
             work != NULL; work = work->hh.next) {
            struct comparison_site *site = NULL;
            if (side == SIDE_NEW && outcomes[SIDE_OLD] != NULL)
                for (size_t i = 0; i < comparison->sites_n && site == NULL; i++)
                    if (text_equal(comparison->sites[i].site, work->site))
                        site = &comparison->sites[i];
            if (site == NULL)
                site = &comparison->sites[comparison->sites_n++];
            memcpy(site->site, work->site, sizeof(site->site));
            site->work[side] = *work;
        }
    qsort(comparison->sites, comparison->sites_n, sizeof(*comparison->sites), site_compare);
}

static int change_compare(const void *left, const void *right)
{
    const struct comparison_change *a = left, *b = right;
    int order = strcmp(a->key, b->key);
    if (order == 0)
        order = strcmp(a->clause, b->clause);
    return order != 0 ? order : (a->k > b->k) - (a->k < b->k);
}

static void change_add(struct comparison *comparison, const struct promise *first,
                       const struct promise *second)
{
    const struct promise *one = first != NULL ? first : second;
    struct comparison_change *change = &comparison->changes[comparison->changes_n++];
    memcpy(change->key, one->key, sizeof(change->key));
    memcpy(change->clause, one->clause, sizeof(change->clause));
    change->k = one->k;
    change->due_us[SIDE_OLD] = first != NULL ? first->due_us : 0;
    change->due_us[SIDE_NEW] = second != NULL ? second->due_us : 0;
    change->verdict[SIDE_OLD] = first != NULL ? first->verdict : VERDICT_NONE;
    change->verdict[SIDE_NEW] = second != NULL ? second->verdict : VERDICT_NONE;
}

static const struct promise *promise_find(const struct outcome *outcome, const char *id)
{
    struct promise *promise;
    HASH_FIND_STR(outcome->promises, id, promise);
    return promise;
}

static void changes_make(struct comparison *comparison, const struct outcome *first,
                         const struct outcome *second)
{
    size_t n = HASH_COUNT(first->promises) + HASH_COUNT(second->promises);
    comparison->changes = memory_new((n + 1) * sizeof(*comparison->changes));
    for (const struct promise *promise = first->promises; promise != NULL;
         promise = promise->hh.next) {
        const struct promise *other = promise_find(second, promise->id);
        if (other == NULL || other->verdict != promise->verdict)
            change_add(comparison, promise, other);
    }
    for (const struct promise *promise = second->promises; promise != NULL;
         promise = promise->hh.next)
        if (promise_find(first, promise->id) == NULL)
            change_add(comparison, NULL, promise);
    qsort(comparison->changes, comparison->changes_n, sizeof(*comparison->changes), change_compare);
    for (size_t i = 0; i < comparison->changes_n; i++)
        comparison->tickets_n +=
            i == 0 || !text_equal(comparison->changes[i].key, comparison->changes[i - 1].key);
}

void comparison_make(struct comparison *comparison, const struct outcome *first,
                     const struct outcome *second)
{
    const struct outcome *const outcomes[SIDES] = {first, second};
    *comparison = (struct comparison){0};
    cells_make(comparison, outcomes);
    sites_make(comparison, outcomes);
    if (first != NULL)
        changes_make(comparison, first, second);
}

void comparison_release(struct comparison *comparison)
{
    free(comparison->cells);
    free(comparison->sites);
    free(comparison->changes);
    *comparison = (struct comparison){0};
}

size_t comparison_sum(const struct comparison *comparison, enum comparison_by by,
                      struct comparison_cell **out)
{
    struct comparison_cell *cells = memory_new((comparison->cells_n + 1) * sizeof(*cells));
    for (size_t i = 0; i < comparison->cells_n; i++) {
        cells[i] = comparison->cells[i];
        if (by != BY_REGION)
            memset(cells[i].region, 0, sizeof(cells[i].region));
        if (by != BY_MONTH)
            memset(cells[i].month, 0, sizeof(cells[i].month));
    }
    *out = cells;
    return cells_merge(cells, comparison->cells_n);
}
