#include "services/follow-up/callback_next.h"

#include <stddef.h>

static const enum callback_state next[CALLBACK_STATES][CALLBACK_NEWS] = {
    [CALLBACK_SCHEDULED] = {[CALLBACK_NEWS_DUE] = CALLBACK_DUE,
                            [CALLBACK_NEWS_REACHED] = CALLBACK_RECORDED, /* asked early */
                            [CALLBACK_NEWS_NOT_REACHED] = CALLBACK_SCHEDULED,
                            [CALLBACK_NEWS_MISSED] = CALLBACK_SCHEDULED,
                            [CALLBACK_NEWS_VOID] = CALLBACK_VOID},
    [CALLBACK_DUE] = {[CALLBACK_NEWS_DUE] = CALLBACK_DUE,
                      [CALLBACK_NEWS_REACHED] = CALLBACK_RECORDED,
                      [CALLBACK_NEWS_NOT_REACHED] = CALLBACK_DUE,
                      [CALLBACK_NEWS_MISSED] = CALLBACK_MISSED,
                      [CALLBACK_NEWS_VOID] = CALLBACK_VOID},
};

enum callback_state follow_up_callback_next(enum callback_state state, enum callback_news news)
{
    if (state != CALLBACK_SCHEDULED && state != CALLBACK_DUE)
        return state;
    return next[state][news];
}

/* The lowest score that was asked, 0: none. */
static int64_t lowest(const struct callback_answer *answer)
{
    const int64_t scores[] = {answer->attitude, answer->quality, answer->solved,
                              answer->satisfaction};
    int64_t low = 0;
    for (size_t i = 0; i < sizeof scores / sizeof scores[0]; i++)
        if (scores[i] != 0 && (low == 0 || scores[i] < low))
            low = scores[i];
    return low;
}

int64_t follow_up_score(const struct callback_answer *answer)
{
    return answer->satisfaction != 0 ? answer->satisfaction : lowest(answer);
}

const char *follow_up_reopens(const struct callback_answer *answer, int64_t reopen_below)
{
    if (answer->reopen)
        return "wanted";
    int64_t low = lowest(answer);
    return low != 0 && low < reopen_below ? "dissatisfied" : NULL;
}
