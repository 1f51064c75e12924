/* reporting keeps the register 台账 and closed periods, and makes reports of them. */
#ifndef AFTERCARE_REPORTING_H
#define AFTERCARE_REPORTING_H

#include "worker/run.h"

extern const struct worker reporting_worker;

#endif
