/* A line of the register under change: fetched, changed by a handler, settled. Settling keeps the old image for every closed
 * period that the line was in (or says that it was not), at its first change after the cut-off. */
#ifndef AFTERCARE_REPORTING_LINE_H
#define AFTERCARE_REPORTING_LINE_H

#include "tables.h"

struct line {
    struct ticket_row *row;    /* to be changed; NULL: no such ticket, or not in memory yet */
    struct ticket_row before;  /* before.key "": it is new */
};
struct line line_of(struct tables *, const struct event *);
struct line line_new(struct tables *, const struct event *);
/* Always true, so that an apply can return it. */
bool line_settle(struct tables *, const struct event *, struct line *);

/* The instant a fact about the line counts from: when it happened, not after it was recorded, not before the opening;
 * when it was recorded, where the policy finds it too late. */
int64_t line_instant_us(const struct tables *, const struct event *, const struct ticket_row *);

#endif
