/* The monthly report 月报: lines of the register in, figures out. No I/O; the order of the lines does not matter. */
#ifndef AFTERCARE_REPORTING_MONTHLY_H
#define AFTERCARE_REPORTING_MONTHLY_H

#include "figures.h"
#include "tables.h"

struct month;

struct month *month_new(const struct period_row *);
void month_destroy(struct month **);
/* Each instant counts in the period it falls in: openings by the opening, times to resolve by the first resolution, promises
 * and callbacks by when they were due. A line that has nothing in the period changes nothing. */
void month_add(struct month *, const struct ticket_row *);
/* `adjusted`: lines of earlier periods that changed after these were closed. The caller destroys the figures. */
struct figures *month_figures(struct month *, int64_t adjusted);

#endif
