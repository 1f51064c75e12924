/* The state table of a callback, and what follows from an answer. */
#include "services/follow-up/callback_next.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static const enum callback_state table[CALLBACK_STATES][CALLBACK_NEWS] = {
    /* due, reached, not reached, missed, void */
    {CALLBACK_DUE, CALLBACK_RECORDED, CALLBACK_SCHEDULED, CALLBACK_SCHEDULED, CALLBACK_VOID},
    {CALLBACK_DUE, CALLBACK_RECORDED, CALLBACK_DUE, CALLBACK_MISSED, CALLBACK_VOID},
    {CALLBACK_RECORDED, CALLBACK_RECORDED, CALLBACK_RECORDED, CALLBACK_RECORDED, CALLBACK_RECORDED},
    {CALLBACK_MISSED, CALLBACK_MISSED, CALLBACK_MISSED, CALLBACK_MISSED, CALLBACK_MISSED},
    {CALLBACK_VOID, CALLBACK_VOID, CALLBACK_VOID, CALLBACK_VOID, CALLBACK_VOID},
};

static void states(void **state)
{
    (void)state;
    for (int from = 0; from < CALLBACK_STATES; from++)
        for (int news = 0; news < CALLBACK_NEWS; news++)
            assert_int_equal(
                follow_up_callback_next((enum callback_state)from, (enum callback_news)news),
                table[from][news]);
}

static const struct {
    const char *what;
    struct callback_answer answer; /* reopen, attitude, quality, solved, satisfaction */
    int64_t reopen_below, score;
    const char *reopens;
} answers[] = {
    {"all is well", {false, 5, 5, 5, 5}, 3, 5, NULL},
    {"just well enough", {false, 0, 0, 0, 3}, 3, 3, NULL},
    {"not well enough", {false, 0, 0, 0, 2}, 3, 2, "dissatisfied"},
    {"not solved, though polite", {false, 5, 5, 1, 4}, 3, 4, "dissatisfied"},
    {"nothing was asked", {false, 0, 0, 0, 0}, 3, 0, NULL},
    {"bad, but the policy asks for a wish", {false, 1, 1, 1, 1}, 0, 1, NULL},
    {"satisfied, and wants it again", {true, 5, 5, 5, 5}, 0, 5, "wanted"},
    {"without the main question", {false, 4, 2, 0, 0}, 0, 2, NULL},
};

static void consequences(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        const char *reopens = follow_up_reopens(&answers[i].answer, answers[i].reopen_below);
        if (follow_up_score(&answers[i].answer) != answers[i].score ||
            (reopens == NULL) != (answers[i].reopens == NULL) ||
            (reopens != NULL && strcmp(reopens, answers[i].reopens) != 0))
            fail_msg("%s: %s", answers[i].what, reopens != NULL ? reopens : "closed");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(states),
        cmocka_unit_test(consequences),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
