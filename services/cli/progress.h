/* How far a long piece of work is: a bar with rate and remaining time on a terminal, a line every
 * few seconds when piped, nothing for programs. Always on standard error. */
#ifndef AFTERCARE_CLI_PROGRESS_H
#define AFTERCARE_CLI_PROGRESS_H

#include "cli.h"

struct progress {
    const struct cli *cli;
    const char *noun;     /* what is counted, in the reader's language */
    int64_t total, first; /* first: what was done before this run; set when known */
    int64_t start_us, shown_us;
    char detail[48]; /* shown behind: the stream's time */
};

void progress_start(struct progress *, const struct cli *, const char *noun, int64_t total,
                    int64_t now_us);
void progress_show(struct progress *, int64_t done, int64_t now_us);
/* The last picture and a line end. */
void progress_end(struct progress *, int64_t done, int64_t now_us);
/* The line, pure: "  42 %  26,700 of 63,656 events  5,300/s  7 s left". */
void progress_line(const struct progress *, int64_t done, int64_t now_us, bool bar,
                   struct buf *out);
/* "63,656" */
void number_words(int64_t n, char out[32]);

#endif
