/* Trouble with the world: network, database, disk. Our own bugs are assert() (kept on in release);
 * bad input is a struct problem. Memory exhaustion is fatal, as it is in Postfix: every size a peer
 * can grow is bounded beforehand. */
#ifndef AFTERCARE_BASE_STATUS_H
#define AFTERCARE_BASE_STATUS_H

enum status {
    STATUS_OK,
    STATUS_AGAIN,  /* not now; the same call may succeed later */
    STATUS_CLOSED, /* the peer or connection is gone */
    STATUS_DOUBT,  /* a commit whose result is not known */
    STATUS_FULL,   /* a bound is reached */
    STATUS_ABSENT, /* what was asked for does not exist */
    STATUS_REFUSED /* the other side said no, for good */
};

#define MUST_CHECK __attribute__((warn_unused_result))
#define PRINTF_LIKE(format_at, args_at) __attribute__((format(printf, format_at, args_at)))
/* Scope-bound release: owned(zmsg_destroy) zmsg_t *msg = …; the function takes T **. */
#define owned(destroy) __attribute__((cleanup(destroy)))
#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

#endif
