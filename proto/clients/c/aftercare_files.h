/* Files of tickets with libaftercare (proto/README.md P1 to P7), resumable, a piece in memory at a time. Codes of aftercare_code(): refused.CODE
 * (of the fact, of HAVE, of PART), corrupt (other bytes than the digest says), state (somebody else is at it, or a file of ours cannot be
 * read or written), and those of aftercare.h. What passes is waited for, at most the client's patience. */
#ifndef AFTERCARE_FILES_H
#define AFTERCARE_FILES_H

#include "aftercare.h"

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

#define AFTERCARE_SHA256_TEXT 65 /* hex, with its NUL */

struct aftercare_file {
    const char *ticket, *path;
    const char *name;       /* NULL: the path's own */
    const char *media, *by; /* "image/jpeg"; who acted. NULL: not said */
    bool again;             /* attach it once more, though it was before */
};
/* Attaches it (at most 20 MiB) and brings its bytes; its digest. The same ticket, name, media and content is the same fact, whichever
 * client of the principal runs it, and how often: who runs it again goes on where it was. */
bool aftercare_put_file(struct aftercare *, const struct aftercare_file *, char sha256[AFTERCARE_SHA256_TEXT]);
/* A content, by its digest in hex, into the file `path`. Until then it is in PATH.part; what an earlier run left there is gone on with. */
bool aftercare_get_file(struct aftercare *, const char *sha256, const char *path);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
