/* Any text: problems with a place, or a calendar that is refused for a reason, or one whose arithmetic agrees with itself. */
#include "calendar/calendar.h"
#include "fuzz.h"
#include "seeds.h"
#include <assert.h>

static void count(const struct calendar *calendar)
{
    static const int64_t froms[] = {INT64_C(1782205200000000), INT64_C(1767225600000000), INT64_C(1772323199999999), INT64_C(1300000000000000)};
    static const int64_t spans[] = {0, 1, HOUR_US, 37 * HOUR_US + 1, 200 * HOUR_US};
    for (size_t i = 0; i < COUNT_OF(froms); i++)
        for (size_t k = 0; k < COUNT_OF(spans); k++) {
            int64_t from = froms[i], due = calendar_add(calendar, from, spans[k]);
            assert(due >= from);
            if (due == INT64_MAX)
                continue;
            assert(calendar_between(calendar, from, due) == spans[k]);
            int64_t back = calendar_add(calendar, due, -spans[k]);
            assert(back == INT64_MIN || calendar_between(calendar, back, due) == spans[k]);
            struct calendar_span pause = {.from_us = from + HOUR_US, .to_us = from + 3 * HOUR_US};
            int64_t later = calendar_add_paused(calendar, from, spans[k], &pause, 1);
            assert(later >= due);
            if (later != INT64_MAX)
                assert(calendar_between_paused(calendar, from, later, &pause, 1) == spans[k]);
            int64_t day = calendar_add_working_days(calendar, from, (int64_t)k);
            assert(day == INT64_MAX || day >= from);
            assert(calendar_next_open(calendar, from) >= from && calendar_prev_close(calendar, from) <= from);
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct problems problems = {0};
    struct problem problem;
    struct calendar_def def;
    struct arena *arena = arena_new(4096);
    if (record_parse_yaml(&calendar_def_record, (const char *)data, n, arena, &def, &problems)) {
        struct calendar *calendar = calendar_new(&def, &problem);
        assert(calendar != NULL || problem.code[0] != '\0');
        if (calendar != NULL)
            count(calendar);
        calendar_destroy(&calendar);
    } else {
        assert(problems.n > 0 && problems.items[0].line > 0);
    }
    problems_release(&problems);
    arena_destroy(&arena);
    return 0;
}

bool fuzz_seed(unsigned i, struct buf *out)
{
    static const char *const files[] = {"deploy/calendars/boston-weekdays.yaml", "deploy/calendars/cn-2026.yaml"};
    static const char *const texts[] = {
        "{name: a, version: a1, zone: UTC, weekly: [{weekday: mon, windows: [{from: '08:30', to: '12:00'}, {from: '13:00', to: '17:00'}]}]}",
        "{name: night, version: n1, zone: America/New_York, weekly: [{weekday: fri, windows: [{from: '22:00', to: '30:00'}]}]}",
        "{name: all, version: x1, zone: Asia/Shanghai, weekly: [{weekday: sun, windows: [{from: '00:00', to: '24:00'}]}],\n"
        " exceptions: [{from: 2026-10-01, to: 2026-10-07, name: 国庆节}, {from: 2026-10-10, to: 2026-10-10, name: 补班, as: mon}],\n"
        " known_from: 2026, known_to: 2026}"};
    if (i < COUNT_OF(texts))
        buf_append_text(out, texts[i]);
    else if (i < COUNT_OF(texts) + COUNT_OF(files))
        (void)fuzz_file(files[i - COUNT_OF(texts)], out);
    return i + 1 < COUNT_OF(texts) + COUNT_OF(files);
}
