/* The question `report`: the files of a closed period, made anew each time from its lines as they were at the cut-off. */
#ifndef AFTERCARE_REPORTING_ANSWER_H
#define AFTERCARE_REPORTING_ANSWER_H

#include "figures.h"
#include "tables.h"
#include "pg/pg.h"

/* In the form that common/worker/run.h gives a computed question. */
enum status reporting_answer_report(struct pg *, const struct record *args_record, const void *args, int64_t limit,
                                    const char *after, struct buf *rows, size_t *rows_n, bool *more,
                                    struct problem *) MUST_CHECK;

/* lines.c: reads what a closed period is made of. */
enum status period_load(struct pg *, const char *key, struct period_row *) MUST_CHECK; /* STATUS_ABSENT: not closed */
/* Each line of the period once, as it was at the cut-off, to `each`. */
enum status period_lines(struct pg *, const struct period_row *, void (*each)(void *owner, const struct ticket_row *),
                         void *owner) MUST_CHECK;
/* Lines of earlier periods of the same report that changed between the cut-off before and this one. */
enum status period_adjusted(struct pg *, const struct period_row *, int64_t *n) MUST_CHECK;

#endif
