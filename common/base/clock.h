/* The only place that reads a clock. Tests move it: with AFTERCARE_CLOCK_FILE set, the file holds
 * two decimal microsecond offsets, "WALL BOOT", added to what the machine says (read at each call
 * through a mapping, so that a test steps a running daemon's clock and never the machine's). */
#ifndef AFTERCARE_BASE_CLOCK_H
#define AFTERCARE_BASE_CLOCK_H

#include <stdint.h>

int64_t clock_wall_us(void); /* CLOCK_REALTIME */
int64_t clock_boot_us(void); /* CLOCK_BOOTTIME: for deadlines and for noticing a stepped wall clock */

#endif
