#include "pace.h"
#include "base/instant.h"

#define BEGIN_BYTES (16 * 1024)
#define QUICK_US (SECOND_US / 2)
#define LATE_US (3 * SECOND_US)

void pace_init(struct pace *pace)
{
    pace->allowed = BEGIN_BYTES;
}

void pace_answered(struct pace *pace, int64_t took_us)
{
    if (took_us < QUICK_US && pace->allowed < PACE_BYTES_MAX)
        pace->allowed *= 2;
    else if (took_us > LATE_US)
        pace_broken(pace);
}

void pace_broken(struct pace *pace)
{
    if (pace->allowed > PACE_BYTES_MIN)
        pace->allowed /= 2;
}
