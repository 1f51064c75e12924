/* The dispatcher 派工: who does a ticket's work, and who next. README.md beside. */
#ifndef AFTERCARE_DISPATCHER_H
#define AFTERCARE_DISPATCHER_H

#include "worker/run.h"

extern const struct worker dispatcher_worker;

#endif
