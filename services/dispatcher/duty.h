/* Could this engineer do that job then: skill, duty, passes, jobs of the day. Pure; the clock is
 * the need's `now_us`. */
#ifndef AFTERCARE_DISPATCHER_DUTY_H
#define AFTERCARE_DISPATCHER_DUTY_H

#include "services/dispatcher/candidates.h"

/* The first filter that removes the engineer, in the order of enum candidate_removed; REMOVED_NOT.
 */
enum candidate_removed dispatcher_engineer_judge(const struct engineer *,
                                                 const struct engineer_load *,
                                                 const struct candidate_need *);
/* When time alone may bring the engineer on duty, or another day's jobs; 0: time alone never does.
 */
int64_t dispatcher_engineer_again_us(const struct engineer *, const struct candidate_need *);
/* 20110702 */
int64_t dispatcher_date(const struct zone *, int64_t us);

#endif
