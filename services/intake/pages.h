/* Stretches of the journal as they were read from PostgreSQL a moment ago: who reads the same a little later does not ask again.
 * Bounded in bytes, with all that stands around a row; belongs to the feed thread. Whoever looks into a page copies what he wants of it: it
 * is freed, and others are moved, by each keep, fit, age and clear. */
#ifndef AFTERCARE_INTAKE_PAGES_H
#define AFTERCARE_INTAKE_PAGES_H

#include "event/event.h"
#include "pg/pg.h"

#define PAGES_MAX 256

/* What a filter looks at. */
struct page_place {
    char type[EVENT_TYPE_CAP];
    char key[EVENT_KEY_CAP];
    char region[EVENT_REGION_CAP];
    char site[EVENT_SITE_CAP];
    bool readable;
};
struct page {
    uint64_t first; /* position of its first row */
    int rows;       /* of the result, from its first one on, without holes */
    size_t bytes;   /* of our memory */
    uint64_t used;  /* when; counts up */
    int64_t used_us; /* the same by boot time */
    struct pg_result *result; /* pos, body, priv, link */
    struct page_place *places; /* of each row; NULL until somebody asks */
};
/* All zero but bytes_max: none. */
struct pages {
    struct page all[PAGES_MAX];
    size_t n, bytes, bytes_max;
    uint64_t uses;
};

void pages_clear(struct pages *);
/* Takes a result whose first `rows` are first, first + 1, …; what was used longest ago makes room. Its memory is the pages' from here on. */
void pages_keep(struct pages *, uint64_t first, int rows, struct pg_result **);
/* The page that has pos, and the row; NULL: none. Valid until the next keep, fit, age or clear, as is all that is read of it. */
struct page *pages_find(struct pages *, uint64_t pos, int *row);
/* The last position that pages behind `after` have, one joined to the other; `after`: none begins there. */
uint64_t pages_end(struct pages *, uint64_t after);
/* Pages have grown by their places: what was used longest ago makes room. */
void pages_fit(struct pages *);
/* What nobody has used for a while goes. */
void pages_age(struct pages *, int64_t now_us);
struct bytes page_body(const struct page *, int row);
struct bytes page_priv(const struct page *, int row);
const uint8_t *page_link(const struct page *, int row);
const struct page_place *page_place(struct pages *, struct page *, int row);

#endif
