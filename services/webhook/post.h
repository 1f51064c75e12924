/* Requests under way: POSTs by libcurl within the daemon's loop. */
#ifndef AFTERCARE_WEBHOOK_POST_H
#define AFTERCARE_WEBHOOK_POST_H

#include "bus/socket.h"
#include "schedule.h"

struct poster;
typedef void post_done(void *owner, void *request, const struct outcome *);

/* `done` is called from within poster_work and the loop's handlers, once for each request. */
struct poster *poster_new(struct loop *, post_done *, void *owner);
/* What is under way is given up without a word. */
void poster_destroy(struct poster **);

struct post {
    const char *url;
    struct bytes body;      /* copied */
    const char *const *headers; /* "Name: value", copied */
    size_t headers_n;
    int64_t timeout_ms;
    void *request; /* whose: given back to `done` */
};
void post_send(struct poster *, const struct post *);
/* libcurl's own deadline, boot time. */
int64_t poster_deadline_us(const struct poster *);
/* After each turn of the loop. */
void poster_work(struct poster *, int64_t boot_us);

#endif
