/* What is wrong with an input: code, field and arguments, for programs; the reader's language is
 * made from the catalogue of codes (en, zh). */
#ifndef AFTERCARE_BASE_PROBLEM_H
#define AFTERCARE_BASE_PROBLEM_H

#include "base/bytes.h"
#include "base/status.h"
#include <stdbool.h>

/* code: "missing", "unknown-field", "too-long" …; field: "customer.phone" or a YAML path
 * "sla[2].limit"; args: what was found or expected, English or data. line, column: 1-based, 0 = none. */
struct problem {
    char code[40];
    char field[120];
    char args[160];
    unsigned line, column;
};

/* Fills *problem; always returns false, so that a checker can `return problem_set(…)`. */
bool problem_set(struct problem *, const char *code, const char *field, const char *args_format, ...)
    PRINTF_LIKE(4, 5);

/* A list of them, for files that are checked whole. */
struct problems {
    struct problem *items;
    size_t n, cap; /* at most PROBLEMS_MAX are kept; n counts all */
};
#define PROBLEMS_MAX 100
void problems_add(struct problems *, const struct problem *);
void problems_release(struct problems *);
/* One line for people: "customer.phone is missing" / "缺少 customer.phone". */
void problem_print(const struct problem *, bool chinese, struct buf *out);

#endif
