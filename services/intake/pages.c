#include "pages.h"
#include "base/clock.h"
#include "base/instant.h"
#include "base/text.h"
#include <stdlib.h>
#include <string.h>

#define UNUSED_US (2 * SECOND_US)

static void page_drop(struct pages *pages, size_t i)
{
    struct page *page = &pages->all[i];
    pages->bytes -= page->bytes;
    pg_result_destroy(&page->result);
    free(page->places);
    *page = pages->all[--pages->n];
}

void pages_clear(struct pages *pages)
{
    while (pages->n > 0)
        page_drop(pages, pages->n - 1);
}

static size_t page_oldest(const struct pages *pages)
{
    size_t oldest = 0;
    for (size_t i = 1; i < pages->n; i++)
        if (pages->all[i].used < pages->all[oldest].used)
            oldest = i;
    return oldest;
}

/* Room for so many bytes more. The one that was used last stays in any case. */
static void pages_room(struct pages *pages, size_t bytes, size_t stay)
{
    while (pages->n > stay && pages->bytes + bytes > pages->bytes_max)
        page_drop(pages, page_oldest(pages));
}

void pages_keep(struct pages *pages, uint64_t first, int rows, struct pg_result **result)
{
    size_t bytes = pg_result_bytes(*result);
    pages_room(pages, bytes, 0);
    if (pages->n == PAGES_MAX)
        page_drop(pages, page_oldest(pages));
    pages->all[pages->n++] = (struct page){.first = first,
                                           .rows = rows,
                                           .bytes = bytes,
                                           .used = ++pages->uses,
                                           .used_us = clock_boot_us(),
                                           .result = *result};
    pages->bytes += bytes;
    *result = NULL;
}

void pages_fit(struct pages *pages)
{
    pages_room(pages, 0, 1);
}

struct page *pages_find(struct pages *pages, uint64_t pos, int *row)
{
    for (size_t i = 0; i < pages->n; i++) {
        struct page *page = &pages->all[i];
        if (pos < page->first || pos - page->first >= (uint64_t)page->rows)
            continue;
        page->used = ++pages->uses;
        page->used_us = clock_boot_us();
        *row = (int)(pos - page->first);
        return page;
    }
    return NULL;
}

uint64_t pages_end(struct pages *pages, uint64_t after)
{
    const struct page *page;
    int row;
    while ((page = pages_find(pages, after + 1, &row)) != NULL)
        after = page->first + (uint64_t)page->rows - 1;
    return after;
}

void pages_age(struct pages *pages, int64_t now_us)
{
    for (size_t i = pages->n; i-- > 0;)
        if (now_us - pages->all[i].used_us > UNUSED_US)
            page_drop(pages, i);
}

struct bytes page_body(const struct page *page, int row)
{
    return pg_bytes(page->result, row, 1);
}

struct bytes page_priv(const struct page *page, int row)
{
    return pg_is_null(page->result, row, 2) ? bytes_of(NULL, 0) : pg_bytes(page->result, row, 2);
}

const uint8_t *page_link(const struct page *page, int row)
{
    return pg_bytes(page->result, row, 3).data;
}

static void place_read(const struct page *page, int row, struct page_place *place)
{
    struct event event;
    struct problem problem;
    place->readable = event_decode(page_body(page, row), bytes_of(NULL, 0), &event, &problem);
    if (!place->readable)
        return;
    text_copy(place->type, sizeof(place->type), event.type);
    text_copy(place->key, sizeof(place->key), event.key);
    text_copy(place->region, sizeof(place->region), event.region);
    text_copy(place->site, sizeof(place->site), event.site);
}

const struct page_place *page_place(struct pages *pages, struct page *page, int row)
{
    if (page->places == NULL) {
        size_t bytes = (size_t)page->rows * sizeof(*page->places);
        page->places = memory_new(bytes);
        page->bytes += bytes;
        pages->bytes += bytes;
        for (int i = 0; i < page->rows; i++)
            place_read(page, i, &page->places[i]);
    }
    return &page->places[row];
}
