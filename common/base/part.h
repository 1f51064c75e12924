/* A file that comes piece by piece: PATH.part until all of it is there and true, then PATH. What an earlier run left is gone on with. */
#ifndef AFTERCARE_BASE_PART_H
#define AFTERCARE_BASE_PART_H

#include "base/digest.h"
#include "base/file.h"
#include "base/status.h"

struct part {
    char path[FILE_PATH_CAP]; /* PATH.part */
    int fd;
    bool own; /* it is there under this name, and nobody else is at it */
    int64_t bytes;         /* that are there */
    struct digest *digest; /* of them */
};

/* STATUS_AGAIN: somebody else is at it; STATUS_REFUSED: errno says why. Whatever it says, part_close follows. */
enum status part_open(struct part *, const char *path) MUST_CHECK;
/* Behind what is there. False: errno says why. */
bool part_add(struct part *, struct bytes) MUST_CHECK;
/* All of it is there. False: it has another digest, and is thrown away. */
bool part_is_true(struct part *, const uint8_t sha256[DIGEST_BYTES]) MUST_CHECK;
/* It becomes PATH, on the disk with its name. False: errno says why. */
bool part_end(struct part *) MUST_CHECK;
/* What has come stays for the next run; where nothing has there is no file. */
void part_close(struct part *);

#endif
