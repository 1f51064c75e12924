/* Any text: problems with a place, or a policy that can be published, read back and counted by. */
#include "fuzz.h"
#include "seeds.h"
#include "base/text.h"
#include "policy/due.h"
#include "record/pack.h"
#include <assert.h>

/* Every line of every clause that needs no calendar has a due instant, waits or not. */
static void count(const struct policy *policy)
{
    const struct policy_clause *clause = policy->sla.items;
    const struct zone *zone = zone_find(policy->zone);
    int64_t from = INT64_C(1790000000) * SECOND_US;
    struct pause_interval waits[] = {{from + HOUR_US, from + 3 * HOUR_US}, {from + 5 * DAY_US, from + 6 * DAY_US}};
    for (uint32_t i = 0; i < policy->sla.n; i++) {
        const struct policy_limit *line = clause[i].limits.items;
        for (uint32_t j = 0; j < clause[i].limits.n; j++) {
            if (policy_counts_working_time(line[j].limit.unit))
                continue;
            int64_t due = policy_due(&clause[i], &line[j], 25, zone, NULL, from);
            assert(due >= from);
            assert(policy_due_paused(&clause[i], &line[j], 25, zone, NULL, from, waits, 2) >= due);
        }
    }
}

static void read_back(const struct policy *policy, struct arena *arena)
{
    struct buf packed = {0};
    struct problem problem;
    struct policy back;
    record_encode(&policy_record, RECORD_WHOLE, policy, &packed);
    bool good = policy_decode(buf_bytes(&packed), arena, &back, &problem);
    assert(good && record_equal(&policy_record, policy, &back));
    buf_release(&packed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct problems problems = {0};
    struct policy policy;
    struct problem problem;
    struct arena *arena = arena_new(4096);
    if (policy_parse((const char *)data, n, arena, &policy, &problems, NULL)) {
        read_back(&policy, arena);
        count(&policy);
    } else {
        assert(problems.n > 0 && problems.items[0].line > 0);
        if (policy_decode(bytes_of(data, n), arena, &policy, &problem))
            read_back(&policy, arena);
    }
    problems_release(&problems);
    arena_destroy(&arena);
    return 0;
}

bool fuzz_seed(unsigned i, struct buf *out)
{
    static const char *const names[] = {"bank-service", "car-stations", "clothing-shop", "example-cn", "hospital-software", "incidents",
                                        "kitchen-equipment", "solar-heater", "special-vehicles"};
    char path[100];
    text_format(path, sizeof(path), "deploy/policies/%s.yaml", names[i % COUNT_OF(names)]);
    (void)fuzz_file(i < COUNT_OF(names) ? path : "tests/simulation/policy.yaml", out);
    return i < COUNT_OF(names);
}
