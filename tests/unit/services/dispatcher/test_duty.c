/* Whether an engineer could do a job at an instant, and when that may change. */
#include "services/dispatcher/duty.h"

#include "base/text.h"
#include "calendar/zone.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static int64_t at(const char *text)
{
    int64_t us = 0;
    if (text[0] != '\0')
        assert_true(instant_parse(text, &us));
    return us;
}

/* 2026-03-27 is a Friday; in Berlin the night to Sunday the 29th has 23 hours. */
static const struct {
    const char *what, *now, *skills, *days;
    struct {
        const char *from, *until;
        bool off;
    } rota[2];
    const char *pass, *until;
    int64_t capacity, jobs;
    bool off_duty, left;
    enum candidate_removed want;
    const char *again;
} cases[] = {
    {.what = "always", .now = "2026-03-27T10:00:00Z", .want = REMOVED_NOT, .again = ""},
    {.what = "knows several", .now = "2026-03-27T10:00:00Z", .skills = "fan\npump\nmotor"},
    {.what = "knows the last", .now = "2026-03-27T10:00:00Z", .skills = "fan\npump"},
    {.what = "knows others",
     .now = "2026-03-27T10:00:00Z",
     .skills = "fan\npumps",
     .want = REMOVED_NO_SKILL},
    {.what = "off", .now = "2026-03-27T10:00:00Z", .off_duty = true, .want = REMOVED_OFF_DUTY},
    {.what = "gone", .now = "2026-03-27T10:00:00Z", .left = true, .want = REMOVED_OFF_DUTY},
    {.what = "Friday in Berlin", .now = "2026-03-27T22:59:59Z", .days = "thu fri"},
    {.what = "Saturday in Berlin",
     .now = "2026-03-27T23:00:00Z",
     .days = "thu fri",
     .want = REMOVED_OFF_DUTY,
     .again = "2026-04-01T22:00:00Z"},
    {.what = "until Sunday",
     .now = "2026-03-28T12:00:00Z",
     .days = "sun",
     .want = REMOVED_OFF_DUTY,
     .again = "2026-03-28T23:00:00Z"},
    {.what = "until Monday, a short night",
     .now = "2026-03-28T23:30:00Z",
     .days = "mon",
     .want = REMOVED_OFF_DUTY,
     .again = "2026-03-29T22:00:00Z"},
    {.what = "its own day, a week later",
     .now = "2026-03-27T10:00:00Z",
     .days = "fri",
     .capacity = 1,
     .jobs = 1,
     .want = REMOVED_DAY_FULL,
     .again = "2026-04-02T22:00:00Z"},
    {.what = "on call",
     .now = "2026-03-28T10:00:00Z",
     .days = "fri",
     .rota = {{"2026-03-28T09:00:00Z", "2026-03-28T11:00:00Z", false}}},
    {.what = "call is over",
     .now = "2026-03-28T11:00:00Z",
     .days = "fri",
     .rota = {{"2026-03-28T09:00:00Z", "2026-03-28T11:00:00Z", false}},
     .want = REMOVED_OFF_DUTY,
     .again = "2026-04-02T22:00:00Z"},
    {.what = "call is to come",
     .now = "2026-03-28T08:59:59Z",
     .days = "fri",
     .rota = {{"2026-03-28T09:00:00Z", "2026-03-28T11:00:00Z", false}},
     .want = REMOVED_OFF_DUTY,
     .again = "2026-03-28T09:00:00Z"},
    {.what = "the later line decides",
     .now = "2026-03-27T10:00:00Z",
     .rota = {{"", "", true}, {"2026-03-27T09:00:00Z", "", false}}},
    {.what = "away for good",
     .now = "2026-03-27T10:00:00Z",
     .rota = {{"2026-03-27T10:00:00Z", "", true}},
     .want = REMOVED_OFF_DUTY,
     .again = ""},
    {.what = "away until Monday noon",
     .now = "2026-03-27T10:00:00Z",
     .rota = {{"", "2026-03-30T10:00:00Z", true}},
     .want = REMOVED_OFF_DUTY,
     .again = "2026-03-30T10:00:00Z"},
    {.what = "away into a free day",
     .now = "2026-03-27T10:00:00Z",
     .days = "mon",
     .rota = {{"", "2026-03-28T10:00:00Z", true}},
     .want = REMOVED_OFF_DUTY,
     .again = "2026-03-29T22:00:00Z"},
    {.what = "pass",
     .now = "2026-03-27T09:59:59Z",
     .pass = "training",
     .until = "2026-03-27T10:00:00Z"},
    {.what = "pass is over",
     .now = "2026-03-27T10:00:00Z",
     .pass = "training",
     .until = "2026-03-27T10:00:00Z",
     .want = REMOVED_PASS_EXPIRED},
    {.what = "pass for good", .now = "2026-03-27T10:00:00Z", .pass = "training", .until = ""},
    {.what = "another pass",
     .now = "2026-03-27T10:00:00Z",
     .pass = "trainings",
     .until = "",
     .want = REMOVED_NO_PASS},
    {.what = "one more today",
     .now = "2026-03-27T10:00:00Z",
     .capacity = 2,
     .jobs = 1,
     .again = "2026-03-27T23:00:00Z"},
    {.what = "full today",
     .now = "2026-03-27T10:00:00Z",
     .capacity = 2,
     .jobs = 2,
     .want = REMOVED_DAY_FULL,
     .again = "2026-03-27T23:00:00Z"},
    {.what = "that was yesterday",
     .now = "2026-03-27T23:00:00Z",
     .capacity = 2,
     .jobs = 2,
     .again = "2026-03-28T23:00:00Z"},
};

static void judges(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct engineer engineer = {
            .off_duty = cases[i].off_duty, .left = cases[i].left, .capacity = cases[i].capacity};
        struct engineer_load load = {.date = 20260327, .date_jobs = cases[i].jobs};
        text_copy(engineer.skills, sizeof engineer.skills,
                  cases[i].skills != NULL ? cases[i].skills : "");
        text_copy(engineer.days, sizeof engineer.days, cases[i].days != NULL ? cases[i].days : "");
        for (size_t k = 0; k < COUNT_OF(cases[i].rota) && cases[i].rota[k].from != NULL; k++)
            engineer.rota[engineer.rota_n++] = (struct engineer_shift){
                at(cases[i].rota[k].from), at(cases[i].rota[k].until), cases[i].rota[k].off};
        struct candidate_need need = {
            .product = "pump", .now_us = at(cases[i].now), .zone = zone_find("Europe/Berlin")};
        need.date = dispatcher_date(need.zone, need.now_us);
        if (cases[i].pass != NULL) {
            need.passes[need.passes_n++] = "training";
            text_copy(engineer.passes[0].pass, sizeof engineer.passes[0].pass, cases[i].pass);
            engineer.passes[engineer.passes_n++].until_us = at(cases[i].until);
        }
        enum candidate_removed got = dispatcher_engineer_judge(&engineer, &load, &need);
        if (got != cases[i].want)
            fail_msg("%s: %d, not %d", cases[i].what, (int)got, (int)cases[i].want);
        int64_t again_us = dispatcher_engineer_again_us(&engineer, &need);
        char text[INSTANT_TEXT_MAX] = "";
        if (again_us != 0)
            instant_print(again_us, text);
        if (!text_equal(text, cases[i].again != NULL ? cases[i].again : ""))
            fail_msg("%s: again at %s, not %s", cases[i].what, text, cases[i].again);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(judges)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
