/* One event as an application gives it to the branch: read, and checked as far as the field tables allow. What only the centre
 * knows (the policy's kinds, the ticket, the sender's rights) it judges when the line is there. No I/O. */
#ifndef AFTERCARE_BRANCH_FACT_H
#define AFTERCARE_BRANCH_FACT_H

#include "event/event.h"
#include "event/stream.h"
#include "proto/catalogue.h"

struct fact {
    char type[EVENT_TYPE_CAP];
    int64_t v;
    char key[EVENT_KEY_CAP];
    int64_t at_us; /* 0: not said */
    char by[EVENT_BY_CAP];
    int64_t cause;
    int64_t corrects;        /* the branch's number of a refused one that this takes the place of; 0: none */
    struct bytes data, priv; /* maps; priv may be empty; borrowed */
    const struct event_type *known;
    char request_id[64]; /* of a registration */
};

struct fact_reader;
struct fact_reader *fact_reader_new(void);
void fact_reader_destroy(struct fact_reader **);
/* `raw`, skimmed, is an element of APPEND's events. False: refused, problem says why. */
bool fact_read(struct fact_reader *, struct bytes raw, struct fact *, struct problem *) MUST_CHECK;
bool fact_is_registration(const struct fact *);
/* The file that it names (file.attached) for its key. False: none. */
bool fact_names_file(const struct fact *, struct file_attached *) MUST_CHECK;
/* The same of a draft; ticket: its key. */
bool draft_names_file(struct bytes draft, struct file_attached *, char ticket[EVENT_KEY_CAP]) MUST_CHECK;
/* As it will be sent: the bytes that count for ever under its number. */
void fact_print(const struct fact *, struct buf *out);
/* What a draft is about: read into `fact`, as far as it goes without its type's fields; the customer that it names, "": none. */
bool draft_read(struct bytes draft, struct fact *, char customer[EVENT_KEY_CAP]) MUST_CHECK;
/* The idempotency key of a draft that is a registration. False: it has none. */
bool draft_request_id(struct bytes draft, char request_id[EVENT_KEY_CAP]) MUST_CHECK;
/* Without personal data, as it will be sent. False: it has none. */
bool fact_blank(const struct fact *, struct buf *without);

#endif
