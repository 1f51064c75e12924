/* The branch in one piece, without sockets: applications, the centre's two connections and the disk are spoken by hand. */
#ifndef TESTS_BRANCH_DESK_H
#define TESTS_BRANCH_DESK_H

#include "bench.h"
#include "office_inside.h"

#define PHOTO 9000

struct desk {
    char folder[64], path[128];
    struct office *office;
    struct office_now now;
    struct bus_peer peer;
    struct buf out, heard;
    struct arena *arena;
    uint8_t photo[PHOTO], sha256[DIGEST_BYTES];
    int64_t n; /* the application's */
    bool linked; /* over the centre's connections somebody answers */
};

/* Opens the office in its folder. */
void desk_begin(struct desk *desk);
int desk_set_up(void **state);
int desk_tear_down(void **state);
void desk_turn(struct desk *desk);
/* Second by second, as the edge's tick makes them. */
void desk_pass(struct desk *desk, int64_t seconds);
void desk_say(struct desk *desk, const char *verb, const struct record *record, const void *data);
void desk_hears(struct desk *desk, const char *verb, const struct record *record, void *out);
void desk_greet(struct desk *desk);
void desk_append(struct desk *desk, struct bytes draft);
/* True: it was taken. False: BUSY, disk.full. */
bool desk_is_taken(struct desk *desk);
void desk_note_say(struct desk *desk, size_t n);
bool desk_note(struct desk *desk, size_t n);
/* A fact in the place of the refused one that it corrects (0: of none); key "": it wants a number. */
void desk_fact_say(struct desk *desk, const char *type, const char *key, int64_t corrects, struct bytes data);
void desk_attach_say(struct desk *desk, const char *ticket, const uint8_t sha256[DIGEST_BYTES], int64_t bytes, int64_t corrects);
void desk_attach(struct desk *desk, const char *ticket, int64_t corrects);
struct verb_have desk_put(struct desk *desk, const uint8_t sha256[DIGEST_BYTES], int64_t offset, struct bytes bytes);
void desk_bring(struct desk *desk);
/* Asks, and answers with the error's code; "": with rows. */
const char *desk_ask(struct desk *desk, const char *question, const struct record *args_record, const void *args, const char *after,
                     struct verb_answer *answer);
void desk_drop(struct desk *desk, int64_t n);
/* Whose files wait or are awaited: "T-1 T-2 ". */
const char *desk_owners(struct desk *desk);
const char *desk_health(struct desk *desk);
void desk_told(struct desk *desk, const char *verb, const struct record *record, const void *data, bool feed);
/* How many facts go out. */
uint32_t desk_goes_out(struct desk *desk);
void desk_feed_goes_out(struct desk *desk);
/* Both connections stand; the feed has not said anything but that it is there. */
void desk_line_up(struct desk *desk, int64_t durable);
/* The feed has no more up to its head. */
void desk_feed_current(struct desk *desk);
void desk_answered(struct desk *desk, int64_t n, bool taken);
void desk_up(struct desk *desk);

#endif
