/* file add|get|list: a ticket's files. The fact (file.attached) goes first, its bytes follow; both ways go on where they were. */
#ifndef AFTERCARE_CLI_FILE_H
#define AFTERCARE_CLI_FILE_H

#include "connection.h"

struct files {
    struct cli *cli;
    const char *verb, *what, *path; /* TICKET, or a digest; FILE */
    const char *name, *media, *out;
    bool again;
};

int file_add(struct files *);
/* A content into a file, whose digest is true then; CLI_DONE, or the exit code. */
int file_fetch(const struct cli *, const char *sha256, const char *path) MUST_CHECK;
/* What a code means, of the fact, of HAVE, of PART, or our own; its exit code. */
#define FILE_CORRUPT "corrupt" /* another digest than was asked for */
int file_code_say(const struct cli *, const char *code, const char *why);

#endif
