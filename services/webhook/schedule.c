#include "schedule.h"
#include "base/instant.h"
#include "base/text.h"

bool outcome_is_taken(const struct outcome *outcome)
{
    return outcome->status >= 200 && outcome->status < 300;
}

bool outcome_is_theirs(const struct outcome *outcome)
{
    return outcome->status == 0 || outcome->status == 429 || outcome->status >= 500;
}

int64_t schedule_pause_us(int64_t failures, int64_t retry_after_us, uint64_t seed)
{
    int64_t pause_us = failures > 12 ? HOUR_US : SECOND_US << (failures > 0 ? failures - 1 : 0);
    if (pause_us > HOUR_US)
        pause_us = HOUR_US;
    pause_us -= (int64_t)(hash_bytes(&seed, sizeof(seed)) % (uint64_t)(pause_us / 5));
    int64_t asked_us = retry_after_us < HOUR_US ? retry_after_us : HOUR_US;
    return pause_us > asked_us ? pause_us : asked_us;
}

bool schedule_is_over(int64_t first_us, int64_t now_us, int64_t give_up_us)
{
    return now_us - first_us >= give_up_us;
}
