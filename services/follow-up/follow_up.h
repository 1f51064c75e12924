/* Follow-up 回访: after the work, ask; then close, or open again. README.md beside. */
#ifndef AFTERCARE_FOLLOW_UP_H
#define AFTERCARE_FOLLOW_UP_H

#include "worker/run.h"

extern const struct worker follow_up_worker;

#endif
