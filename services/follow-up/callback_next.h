/* What becomes of a callback 回访 when something is heard of it, and what follows from an answer:
 * pure. */
#ifndef AFTERCARE_FOLLOW_UP_CALLBACK_NEXT_H
#define AFTERCARE_FOLLOW_UP_CALLBACK_NEXT_H

#include <stdbool.h>
#include <stdint.h>

enum callback_state {
    CALLBACK_SCHEDULED,
    CALLBACK_DUE,
    CALLBACK_RECORDED,
    CALLBACK_MISSED,
    CALLBACK_VOID /* the ticket was reopened, cancelled or closed before */
};
#define CALLBACK_STATES (CALLBACK_VOID + 1)

enum callback_news {
    CALLBACK_NEWS_DUE,
    CALLBACK_NEWS_REACHED,
    CALLBACK_NEWS_NOT_REACHED,
    CALLBACK_NEWS_MISSED,
    CALLBACK_NEWS_VOID
};
#define CALLBACK_NEWS (CALLBACK_NEWS_VOID + 1)

/* The same state: nothing changes (an attempt is counted while the callback is open). */
enum callback_state follow_up_callback_next(enum callback_state, enum callback_news);

/* What the customer said; scores 1–5, 0 = not asked. */
struct callback_answer {
    bool reopen;
    int64_t attitude, quality, solved, satisfaction;
};
/* The score that stands for the answer: satisfaction, else the lowest that was asked; 0: none. */
int64_t follow_up_score(const struct callback_answer *);
/* Reason to open the ticket again ("wanted", "dissatisfied"), NULL: it can be closed. reopen_below
 * 0: only when wanted. */
const char *follow_up_reopens(const struct callback_answer *, int64_t reopen_below);

#endif
