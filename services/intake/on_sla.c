/* sla.*: a clause may run on a unit, a site or a contract too. */
#include "base/text.h"
#include "desk.h"
#include "proto/sla.h"
#include <inttypes.h>

/* Far more than a policy has levels and a limit is ever chosen anew; the watchdog and the dispatcher count on with them, and
 * name their conclusions by them. */
#define LEVEL_MAX  100
#define TARGET_MAX 1000000000

static bool in_range(struct desk_case *c, const char *field, int64_t value, int64_t min, int64_t max)
{
    return (value >= min && value <= max) || desk_refuse(c, "range", field, "%" PRId64 " to %" PRId64, min, max);
}

static bool counts_in_range(struct desk_case *c)
{
    const struct record *record = c->type->data;
    static const struct {
        const char *field;
        int64_t min, max;
    } counts[] = {{"level", -LEVEL_MAX, LEVEL_MAX}, {"target", 0, TARGET_MAX}};
    for (size_t i = 0; i < COUNT_OF(counts); i++) {
        const struct field *field = record_field(record, counts[i].field);
        if (field != NULL && !in_range(c, counts[i].field, *(const int64_t *)((const char *)c->data + field->offset), counts[i].min,
                                       counts[i].max))
            return false;
    }
    return true;
}

bool desk_on_sla(struct desk_case *c)
{
    if (!c->replaying && !counts_in_range(c))
        return false;
    const struct sla_scheduled *scheduled = text_equal(c->type->name, "sla.scheduled") ? c->data : NULL;
    for (uint32_t i = 0; !c->replaying && scheduled != NULL && i < scheduled->limits_n; i++)
        if (!in_range(c, "limits.target", scheduled->limits[i].target, 0, TARGET_MAX))
            return false;
    return desk_on_about_any(c);
}
