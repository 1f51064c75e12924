#include "bus/pieces.h"

#include "base/instant.h"
#include "bus/verbs.h"

#define FIRST_BYTES (8 * 1024)
#define QUICK_US (SECOND_US / 2)
#define LATE_US (2 * SECOND_US)
#define TRIP_MAX_US SECOND_US

struct pieces pieces_start(void)
{
    return (struct pieces){.bytes = FIRST_BYTES};
}

static void pieces_set(struct pieces *pieces, size_t bytes)
{
    pieces->bytes = bytes < PART_BYTES_LEAST ? PART_BYTES_LEAST : bytes > PART_BYTES_MAX ? PART_BYTES_MAX : bytes;
}

void pieces_asked(struct pieces *pieces, int64_t took_us)
{
    pieces->trip_us = took_us < TRIP_MAX_US ? took_us : TRIP_MAX_US;
}

void pieces_sent(struct pieces *pieces, size_t bytes, int64_t took_us)
{
    int64_t longer_us = took_us - pieces->trip_us;
    if (longer_us < QUICK_US && bytes >= pieces->bytes)
        pieces_set(pieces, 2 * pieces->bytes);
    else if (longer_us > LATE_US)
        pieces_set(pieces, (size_t)((int64_t)bytes * LATE_US / (2 * longer_us)));
}

void pieces_came(struct pieces *pieces, size_t bytes, int64_t took_us)
{
    if (pieces->trip_us == 0 || took_us < pieces->trip_us)
        pieces_asked(pieces, took_us);
    pieces_sent(pieces, bytes, took_us);
}

void pieces_broken(struct pieces *pieces, size_t bytes)
{
    pieces_set(pieces, bytes / 4);
}
