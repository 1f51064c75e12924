/* How much may be under way on a line that nobody knows: a narrow one must not be filled for longer than its other end waits for a
 * sign of life. Begins small, doubles while answers come quickly, halves when they come late or the line breaks. */
#ifndef AFTERCARE_BRANCH_PACE_H
#define AFTERCARE_BRANCH_PACE_H

#include <stddef.h>
#include <stdint.h>

#define PACE_BYTES_MIN (8 * 1024)
#define PACE_BYTES_MAX (512 * 1024)

struct pace {
    size_t allowed; /* bytes unanswered at most */
};

void pace_init(struct pace *);
/* What was sent was answered after so long. */
void pace_answered(struct pace *, int64_t took_us);
void pace_broken(struct pace *);

#endif
