/* A worker small enough to be read whole: an order is opened, gets a note from the worker, is due at a time, is closed. */
#ifndef TOY_H
#define TOY_H

#include "worker/run_core.h"

struct order_opened {
    int64_t due_us;
    bool broken; /* the handler fails on it */
};
struct order_closed {
    char reason[32];
};
struct order_noted {
    int64_t number;
};
struct order_late {
    int64_t due_us;
};
struct order {
    char id[65];
    int64_t due_us, fired_us;
    int64_t notes, closings;
    int64_t pending; /* volatile: notes in flight */
    bool late, open;
};
enum { ORDERS };

extern const struct record order_opened_record, order_closed_record, order_noted_record, order_record;
extern const struct worker toy_worker;

#endif
