/* Refused events: listed, shown, corrected and sent again. */
#ifndef AFTERCARE_CLI_REFUSED_H
#define AFTERCARE_CLI_REFUSED_H

#include "connection.h"

/* One refusal with its event, as intake has it. */
struct refusal {
    struct refused_row row;  /* .event is empty */
    struct buf event;        /* the draft; empty: it cannot be read */
};
/* By source and number; personal: with its personal fields. CLI_DONE, or the exit code (said so). */
int refusal_ask(const struct cli *, const char *source, int64_t n, bool personal, struct refusal *) MUST_CHECK;
void refusal_release(struct refusal *);
/* Why it was refused, in the reader's language. */
void refusal_words(const struct cli *, const struct refused_row *, struct buf *out);

int refused_show(const struct cli *, const char *source, int64_t n, bool personal);

struct resending {
    const char *source;
    int64_t n;
    const char *const *corrections; /* field=value */
    size_t corrections_n;
    bool edit;
    const char *by;
};
int refused_send(const struct cli *, const struct resending *);

#endif
