/* What the checks of a policy's sections share: one file a family of sections, check.c begins. Not
 * for use outside this folder. */
#ifndef AFTERCARE_POLICY_CHECK_INSIDE_H
#define AFTERCARE_POLICY_CHECK_INSIDE_H

#include "policy/check.h"

#define CHECK_PATH_CAP 110

#define UNIT(u) (1u << (u))
#define UNITS_ELAPSED                                                                              \
    (UNIT(SPAN_SECONDS) | UNIT(SPAN_MINUTES) | UNIT(SPAN_HOURS) | UNIT(SPAN_DAYS) |                \
     UNIT(SPAN_WEEKS))
#define UNITS_WALL    (UNITS_ELAPSED | UNIT(SPAN_MONTHS) | UNIT(SPAN_YEARS))
#define UNITS_DATES   (UNIT(SPAN_DAYS) | UNIT(SPAN_WEEKS) | UNIT(SPAN_MONTHS) | UNIT(SPAN_YEARS))
#define UNITS_WORKING (UNIT(SPAN_WORKING_HOURS) | UNIT(SPAN_WORKING_DAYS))

struct check {
    const struct policy *policy;
    const struct record *(*event_data)(
        const char *type); /* NULL: fields of events are not checked */
    struct problems *problems;
    /* It is in force: refused is only what cannot be carried out. What is merely of no use is said
     * of new files, so that a later release may look harder and still read what an earlier one
     * published. */
    bool published;
};

/* Adds a problem. The path leads to the line of the file (parse.c). */
void check_found(struct check *, const char *code, const char *path, const char *format, ...)
    PRINTF_LIKE(4, 5);

enum check_sign { SIGN_POSITIVE, SIGN_NOT_NEGATIVE, SIGN_ANY };
/* An absent span is sound. */
void check_span(struct check *, struct span, unsigned units, enum check_sign, const char *path);
bool check_text_in(const struct slice *list, size_t cap, const char *word);
/* Of a list of one the list itself is the path: so it may be written. */
void check_element_path(char out[CHECK_PATH_CAP], const char *path, const struct slice *list,
                        uint32_t i);

/* What is known of a ticket where a list of lines is asked, beside kind, region, product and
 * channel: a line that asks for more never decides. */
enum check_known {
    KNOWN_JUDGED = 1 << 0, /* priorities are those that the policy gives, not those asked for */
    KNOWN_COVERAGE = 1 << 1,
    KNOWN_TIER = 1 << 2,
    KNOWN_PHASE = 1 << 3
};
#define KNOWN_ALL (KNOWN_JUDGED | KNOWN_COVERAGE | KNOWN_TIER | KNOWN_PHASE)
void check_match(struct check *, const struct policy_match *, unsigned known, const char *line);
/* Lines of one list, whatever they decide, with their match at that offset: none that the lines
 * before it leave nothing, as a whole or one of its kinds. */
void check_lines(struct check *, const struct slice *lines, size_t size, size_t match_offset,
                 const char *path);

enum check_from { FROM_NONE, FROM_FIELD };
/* Types, conditions, `from`; *on: what the events named so far may have in common, narrowed. */
void check_events(struct check *, const struct slice *events, enum check_from, unsigned *on,
                  const char *path);

void check_regions(struct check *);
void check_ladder(struct check *);
void check_pauses(struct check *);
void check_sla(struct check *);

#endif
