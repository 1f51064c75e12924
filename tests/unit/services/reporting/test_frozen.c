/* Whatever comes after a closing, the closed period's figures stay what they were. */
#include "base/text.h"
#include "services/reporting/monthly.h"
#include "services/reporting/render.h"
#include "story.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* What lines.c does with SQL: frozen images, and living lines without one. */
struct reading {
    struct story *story;
    const struct period_row *period;
    struct month *month;
    bool now; /* without regard to frozen lines */
};

static void read_living(const void *row, void *arg)
{
    struct reading *reading = arg;
    const struct ticket_row *ticket = row;
    char id[sizeof(((struct frozen_row *)0)->id)];
    text_format(id, sizeof(id), "%s/%s", reading->period->key, ticket->key);
    if (!reading->now && table_get(reading->story->tables, TABLE_FROZEN, id) != NULL)
        return;
    if (ticket_row_touches(ticket, reading->period->from_us, reading->period->to_us))
        month_add(reading->month, ticket);
}

static void read_frozen(const void *row, void *arg)
{
    struct reading *reading = arg;
    const struct frozen_row *frozen = row;
    struct ticket_row ticket;
    struct problem problem;
    if (frozen->absent || !text_equal(frozen->period, reading->period->key))
        return;
    assert_true(record_decode(&ticket_row_record, RECORD_WHOLE, DECODE_STRICT, bytes_of(frozen->image.data, frozen->image.len), NULL,
                              &ticket, &problem));
    month_add(reading->month, &ticket);
}

static void figures_print(struct story *story, const char *period_key, bool now, struct buf *out)
{
    const struct period_row *period = table_get(story->tables, TABLE_PERIOD, period_key);
    assert_non_null(period);
    struct reading reading = {.story = story, .period = period, .month = month_new(period), .now = now};
    tables_each(story->tables, TABLE_TICKET, read_living, &reading);
    if (!now)
        tables_each(story->tables, TABLE_FROZEN, read_frozen, &reading);
    struct figures *figures = month_figures(reading.month, 0);
    buf_reset(out);
    assert_int_equal(render_csv(figures, out), STATUS_OK);
    figures_destroy(&figures);
    month_destroy(&reading.month);
}

static const struct frozen_row *frozen_of(struct story *story, const char *id)
{
    return table_get(story->tables, TABLE_FROZEN, id);
}

static void the_first_change_keeps_the_image(void **state)
{
    (void)state;
    struct story story;
    struct ticket_row image;
    struct problem problem;
    story_init(&story);
    story_assessed(&story, "IN", "repair", DAY(3));
    story_assessed(&story, "OUT", "repair", DAY(40));
    story.now_us = DAY(45);
    story_period_closed(&story, "2011-07");
    assert_null(frozen_of(&story, "monthly.2011-07/IN"));
    uint64_t changed = story.pos + 1;
    story_resolved(&story, "IN", DAY(20)); /* told late: it would have counted in July */
    story_callback_due(&story, "IN", 1, DAY(23));
    const struct frozen_row *frozen = frozen_of(&story, "monthly.2011-07/IN");
    assert_non_null(frozen);
    assert_false(frozen->absent);
    assert_int_equal(frozen->pos, changed);
    assert_true(record_decode(&ticket_row_record, RECORD_WHOLE, DECODE_STRICT, bytes_of(frozen->image.data, frozen->image.len), NULL,
                              &image, &problem));
    assert_int_equal(image.state, TICKET_OPEN);
    assert_int_equal(image.resolved_us, 0);
    /* August's ticket is nothing to July, until something of it falls into July. */
    story_offered(&story, "OUT", 1, "D1", 3);
    assert_null(frozen_of(&story, "monthly.2011-07/OUT"));
    story_scheduled(&story, "OUT", "arrange", 1, DAY(30));
    assert_non_null(frozen_of(&story, "monthly.2011-07/OUT"));
    assert_true(frozen_of(&story, "monthly.2011-07/OUT")->absent);
    /* A registration told late. */
    story_assessed(&story, "LATE", "repair", DAY(5));
    assert_true(frozen_of(&story, "monthly.2011-07/LATE")->absent);
    story_release(&story);
}

static void the_first_closing_counts(void **state)
{
    (void)state;
    struct story story;
    story_init(&story);
    story.now_us = DAY(45);
    story_period_closed(&story, "2011-07");
    int64_t pos = (int64_t)story.pos;
    story_period_closed(&story, "2011-07");
    const struct period_row *period = table_get(story.tables, TABLE_PERIOD, "monthly.2011-07");
    assert_int_equal(period->pos, pos);
    assert_int_equal(period->closed_us, DAY(45));
    struct report_closed nonsense = {.report = "monthly", .period = "July"};
    story_say(&story, reporting_on_report_closed, "monthly.July", 0, &nonsense);
    assert_null(table_get(story.tables, TABLE_PERIOD, "monthly.July"));
    story_release(&story);
}

/* Stories of a few tickets in random order, facts late and early, over three months. */
static uint64_t random_next(uint64_t *seed)
{
    *seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return *seed >> 33;
}

enum { TICKETS = 12, STEPS = 400 };

static void random_step(struct story *story, bool *known, uint64_t *seed)
{
    static const char *const kinds[] = {"repair", "advice", "complaint"};
    static const char *const sites[] = {"D1", "D2", "B1"};
    uint64_t i = random_next(seed) % TICKETS;
    char key[16];
    text_format(key, sizeof(key), "T%d", (int)i);
    story->now_us += (int64_t)(random_next(seed) % 12) * HOUR_US;
    int64_t us = DAY(0) + (int64_t)(random_next(seed) % 110) * DAY_US;
    if (!known[i]) {
        story_assessed(story, key, kinds[i % 3], us);
        known[i] = true;
        return;
    }
    int64_t k = (int64_t)(random_next(seed) % 4) + 1;
    switch (random_next(seed) % 10) {
    case 0:
        story_offered(story, key, (int)k, sites[random_next(seed) % 3], 3);
        break;
    case 1:
        story_accepted(story, key, (int)k, sites[random_next(seed) % 3]);
        break;
    case 2:
        story_resolved(story, key, us);
        break;
    case 3:
        story_scheduled(story, key, kinds[k % 3], k, us);
        break;
    case 4:
        story_met(story, key, kinds[k % 3], k, us, k == 2);
        break;
    case 5:
        story_breached(story, key, kinds[k % 3], k, us);
        break;
    case 6:
        story_callback_due(story, key, k, us);
        break;
    case 7:
        story_callback(story, key, 0, k);
        break;
    case 8:
        story_closed(story, key);
        break;
    default:
        story_reopened(story, key);
        break;
    }
}

static void closed_figures_never_change(void **state)
{
    (void)state;
    static const char *const periods[] = {"2011-07", "2011-08", "2011-09"};
    size_t moved = 0;
    for (uint64_t seed = 1; seed <= 40; seed++) {
        struct story story;
        bool known[TICKETS] = {false};
        struct buf before[COUNT_OF(periods)] = {{0}}, after = {0};
        char key[32];
        uint64_t random = seed;
        story_init(&story);
        for (size_t step = 0, closed = 0; step < STEPS; step++) {
            random_step(&story, known, &random);
            if (step % 100 != 99 || closed == COUNT_OF(periods))
                continue;
            story_period_closed(&story, periods[closed]);
            text_format(key, sizeof(key), "monthly.%s", periods[closed]);
            figures_print(&story, key, true, &before[closed++]);
        }
        for (size_t p = 0; p < COUNT_OF(periods); p++) {
            text_format(key, sizeof(key), "monthly.%s", periods[p]);
            figures_print(&story, key, false, &after);
            if (!bytes_equal(buf_bytes(&before[p]), buf_bytes(&after)))
                fail_msg("seed %d, %s:\n%s\n%s", (int)seed, key, buf_text(&before[p]), buf_text(&after));
            figures_print(&story, key, true, &after);
            moved += !bytes_equal(buf_bytes(&before[p]), buf_bytes(&after));
            buf_release(&before[p]);
        }
        buf_release(&after);
        story_release(&story);
    }
    /* Without the frozen lines they would have. */
    assert_true(moved > 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_change_keeps_the_image),
        cmocka_unit_test(the_first_closing_counts),
        cmocka_unit_test(closed_figures_never_change),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
