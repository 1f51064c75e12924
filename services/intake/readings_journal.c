/* The network thread's half of readings.h. */
#include "base/digest.h"
#include "readings.h"
#include "server_inside.h"
#include "worker/reference.h"
#include <string.h>

/* Where this reading was put on record last, among others of the same place: who comes later takes it, and then a second one in the
 * same hour is on record twice. */
static struct read_place *place_of(struct server *server, const struct reading *reading, uint64_t *name)
{
    uint8_t digest[DIGEST_BYTES];
    digest_of_two(bytes_of_text(reading->read.principal), bytes_of_text(reading->customer), digest);
    memcpy(name, digest, sizeof(*name));
    return &server->reads[*name % READS_MAX];
}

void reading_journal(struct server *server, const struct reading *reading)
{
    const struct policy *policy = reference_policy(server->taker.tables, "");
    int64_t now_us = server_wall_us(server), hour = journal_rec(&server->taker.journal, now_us) / HOUR_US;
    uint64_t name;
    if (server->lost || policy == NULL || !policy->reads_recorded)
        return;
    struct read_place *place = place_of(server, reading, &name);
    if (place->name == name && place->hour == hour)
        return;
    *place = (struct read_place){.name = name, .hour = hour};
    taker_say(&server->taker, &server->building->batch, "access.read", reading->customer, &reading->read, now_us);
}
