/* The world around the couriers: sockets to the feed, HTTP, clocks, metrics, the loop. */
#ifndef AFTERCARE_WEBHOOK_DAEMON_H
#define AFTERCARE_WEBHOOK_DAEMON_H

#include "hooks.h"
#include "queue.h"
#include "settings/settings.h"

/* DATA/webhook, made where it is not there (mode 0700); false: said so. */
bool daemon_folder(const struct settings *, char out[400]) MUST_CHECK;
/* Runs until told to stop. The exit code. */
int daemon_run(const struct settings *, const struct hooks *);

#endif
