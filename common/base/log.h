/* One line per event on standard error, plain ("2026-11-22T08:00:00Z intake info: …") or JSON.
 * Five words, as Postfix has them; libraries do not log, who handles an error logs it once.
 * No personal data in logs, ever. */
#ifndef AFTERCARE_BASE_LOG_H
#define AFTERCARE_BASE_LOG_H

#include "base/status.h"
#include <stdbool.h>

void log_open(const char *name, bool json);
void log_info(const char *format, ...) PRINTF_LIKE(1, 2);
void log_warn(const char *format, ...) PRINTF_LIKE(1, 2);
void log_error(const char *format, ...) PRINTF_LIKE(1, 2);
/* The world makes it impossible to go on: says so and exits 1 (start-up only). */
_Noreturn void log_fatal(const char *format, ...) PRINTF_LIKE(1, 2);
/* Our own bug: says so and aborts. */
_Noreturn void log_panic(const char *format, ...) PRINTF_LIKE(1, 2);

#endif
