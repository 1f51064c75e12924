#include "tally.h"
#include "base/bytes.h"
#include "base/text.h"
#include <stdlib.h>
#include <string.h>

void tally_release(struct tally *tally)
{
    for (size_t i = 0; i < tally->n; i++)
        free(tally->rows[i].seconds);
    free(tally->rows);
    *tally = (struct tally){0};
}

struct tally_row *tally_at(struct tally *tally, const char *label)
{
    size_t low = 0, high = tally->n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(tally->rows[middle].label, label);
        if (order == 0)
            return &tally->rows[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    if (tally->n == tally->cap) {
        tally->cap = tally->cap == 0 ? 32 : tally->cap * 2;
        tally->rows = memory_grow(tally->rows, tally->cap * sizeof(tally->rows[0]));
    }
    memmove(&tally->rows[low + 1], &tally->rows[low], (tally->n - low) * sizeof(tally->rows[0]));
    tally->n++;
    tally->rows[low] = (struct tally_row){.seconds = NULL};
    text_copy(tally->rows[low].label, sizeof(tally->rows[low].label), label);
    return &tally->rows[low];
}

void tally_time(struct tally_row *row, int64_t seconds)
{
    if (row->seconds_n == row->seconds_cap) {
        row->seconds_cap = row->seconds_cap == 0 ? 64 : row->seconds_cap * 2;
        row->seconds = memory_grow(row->seconds, row->seconds_cap * sizeof(row->seconds[0]));
    }
    row->seconds[row->seconds_n++] = seconds;
}

static int by_value(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

int64_t tally_rank(struct tally_row *row, int percent)
{
    if (row->seconds_n == 0)
        return FIGURE_NOTHING;
    qsort(row->seconds, row->seconds_n, sizeof(row->seconds[0]), by_value);
    size_t rank = (row->seconds_n * (size_t)percent + 99) / 100;
    return row->seconds[rank == 0 ? 0 : rank - 1];
}

static int by_count(const void *a, const void *b)
{
    const struct tally_row *x = a, *y = b;
    int order = (y->counts[0] > x->counts[0]) - (y->counts[0] < x->counts[0]);
    return order != 0 ? order : strcmp(x->label, y->label);
}

void tally_order(struct tally *tally)
{
    if (tally->n > 1)
        qsort(tally->rows, tally->n, sizeof(tally->rows[0]), by_count);
}
