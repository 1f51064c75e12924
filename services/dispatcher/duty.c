#include "services/dispatcher/duty.h"

#include "base/text.h"
#include "calendar/zone.h"
#include <string.h>

#define WEEK 7

static bool knows(const struct engineer *engineer, const char *product)
{
    const char *line = engineer->skills;
    size_t length = strlen(product);
    if (line[0] == '\0')
        return true;
    while (line != NULL) {
        if (strncmp(line, product, length) == 0 && (line[length] == '\n' || line[length] == '\0'))
            return true;
        line = strchr(line, '\n');
        line = line != NULL ? line + 1 : NULL;
    }
    return false;
}

static bool is_day_of(const struct engineer *engineer, int weekday)
{
    return strstr(engineer->days, engineer_day_names[weekday - 1]) != NULL;
}

static bool covers(const struct engineer_shift *shift, int64_t us)
{
    return shift->from_us <= us && (shift->until_us == 0 || us < shift->until_us);
}

static bool is_on_duty(const struct engineer *engineer, const struct zone *zone, int64_t us)
{
    if (engineer->left || engineer->off_duty)
        return false;
    for (uint32_t i = engineer->rota_n; i-- > 0;)
        if (covers(&engineer->rota[i], us))
            return !engineer->rota[i].off;
    return engineer->days[0] == '\0' || is_day_of(engineer, zone_local(zone, us).weekday);
}

static enum candidate_removed judge_pass(const struct engineer *engineer, const char *pass,
                                         int64_t us)
{
    enum candidate_removed removed = REMOVED_NO_PASS;
    for (uint32_t i = 0; i < engineer->passes_n; i++) {
        const struct engineer_pass *held = &engineer->passes[i];
        if (!text_equal(held->pass, pass))
            continue;
        if (held->until_us == 0 || us < held->until_us)
            return REMOVED_NOT;
        removed = REMOVED_PASS_EXPIRED;
    }
    return removed;
}

static enum candidate_removed judge_passes(const struct engineer *engineer,
                                           const struct candidate_need *need)
{
    for (size_t i = 0; i < need->passes_n; i++) {
        enum candidate_removed removed = judge_pass(engineer, need->passes[i], need->now_us);
        if (removed != REMOVED_NOT)
            return removed;
    }
    return REMOVED_NOT;
}

enum candidate_removed dispatcher_engineer_judge(const struct engineer *engineer,
                                                 const struct engineer_load *load,
                                                 const struct candidate_need *need)
{
    if (!knows(engineer, need->product))
        return REMOVED_NO_SKILL;
    if (!is_on_duty(engineer, need->zone, need->now_us))
        return REMOVED_OFF_DUTY;
    enum candidate_removed removed = judge_passes(engineer, need);
    if (removed != REMOVED_NOT)
        return removed;
    int64_t today = (load->date == need->date ? load->date_jobs : 0) + load->pending;
    return engineer->capacity > 0 && today >= engineer->capacity ? REMOVED_DAY_FULL : REMOVED_NOT;
}

static void come(const struct engineer *engineer, const struct candidate_need *need, int64_t us,
                 int64_t *first_us)
{
    if (us > need->now_us && (*first_us == 0 || us < *first_us) &&
        is_on_duty(engineer, need->zone, us))
        *first_us = us;
}

/* The beginning of the next day on which the engineer works. */
static int64_t next_day_us(const struct engineer *engineer, const struct zone *zone, int64_t us)
{
    struct local_time local = zone_local(zone, us);
    local.hour = local.minute = local.second = 0;
    local.micros = 0;
    for (int day = 1; day <= WEEK; day++) {
        int64_t begin_us =
            zone_add(zone, zone_instant(zone, &local), (struct span){day, SPAN_DAYS});
        if (is_on_duty(engineer, zone, begin_us))
            return begin_us;
    }
    return 0;
}

int64_t dispatcher_engineer_again_us(const struct engineer *engineer,
                                     const struct candidate_need *need)
{
    int64_t again_us = 0;
    if (engineer->left || engineer->off_duty || !knows(engineer, need->product) ||
        judge_passes(engineer, need) != REMOVED_NOT)
        return 0;
    bool on_duty = is_on_duty(engineer, need->zone, need->now_us);
    if (on_duty && engineer->capacity == 0)
        return 0;
    for (uint32_t i = 0; i < engineer->rota_n; i++) {
        come(engineer, need, engineer->rota[i].from_us, &again_us);
        come(engineer, need, engineer->rota[i].until_us, &again_us);
    }
    come(engineer, need, next_day_us(engineer, need->zone, need->now_us), &again_us);
    return again_us;
}

int64_t dispatcher_date(const struct zone *zone, int64_t us)
{
    struct local_time local = zone_local(zone, us);
    return ((int64_t)local.year * 100 + local.month) * 100 + local.day;
}
