/* Small files that are whole, or not there. */
#ifndef AFTERCARE_BASE_FILE_H
#define AFTERCARE_BASE_FILE_H

#include "base/bytes.h"
#include "base/status.h"

#define FILE_PATH_CAP 1024

/* Replaced as a whole, mode 0600, and on the disk with its name; or left as it was: errno says why. */
bool file_replace(const char *path, struct bytes) MUST_CHECK;
/* Its name is on the disk when its folder is. path is written into. False: errno says why. */
bool file_name_sync(char *path) MUST_CHECK;
/* Appends what stands in it. STATUS_ABSENT: there is none; STATUS_REFUSED: it cannot be read, or is longer than that. */
enum status file_load(const char *path, size_t bytes_max, struct buf *out) MUST_CHECK;
/* PATH.lock, which nobody else gets as long as the descriptor is open. −1: somebody has it, or it cannot be. */
int file_lock(const char *path) MUST_CHECK;

#endif
