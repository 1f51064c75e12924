/* From a CSV row to events, by a YAML file (deploy/mappings/README.md teaches the form). */
#ifndef AFTERCARE_CLI_MAPPING_H
#define AFTERCARE_CLI_MAPPING_H

#include "csv.h"
#include "field_text.h"
#include "plan.h"

struct mapping;

/* Reads and checks it, types and fields against the catalogue included. NULL: the problems say
 * where. */
struct mapping *mapping_parse(const char *text, size_t n, struct problems *);
void mapping_destroy(struct mapping **);
const char *mapping_encoding(const struct mapping *); /* "auto" where it says none */
char mapping_delimiter(const struct mapping *);
const struct time_reading *mapping_time(const struct mapping *);
/* Finds the columns it names. False: problem.field is the one that the file does not have. */
bool mapping_bind(struct mapping *, const struct csv_row *header, struct problem *);
/* Adds a row's events to the plan, all or none. False: field is the column or field, code and args
 * the reason. Rows come in the order of the file: `changed` compares with the row before of the
 * same key. */
bool mapping_row(struct mapping *, const struct csv_row *, struct plan *, struct problem *);

#endif
