/* The office's part in files: what applications bring lies in the drawer, what is whole goes on by the courier. */
#include "base/log.h"
#include "base/text.h"
#include "office_inside.h"
#include <string.h>

/* --- from applications ----------------------------------------------------------------------------- */

static void have_say(struct office *o, const struct bus_peer *peer, const struct verb_have *have)
{
    guests_say(o->guests, peer, "HAVE", &verb_have_record, have);
}

static void have_refuse(struct verb_have *have, const char *code, const char *why)
{
    have->upto = 0;
    have->whole = false;
    (void)text_copy(have->code, sizeof(have->code), code);
    (void)text_copy(have->why, sizeof(have->why), why);
}

bool office_put(struct office *o, const struct bus_peer *peer, const struct frame *frame)
{
    struct verb_put put;
    struct verb_error error = {.code = "malformed"};
    struct problem problem;
    if (!text_equal(frame->verb, "PUT"))
        return false;
    if (!record_decode(&verb_put_record, RECORD_WHOLE, DECODE_LENIENT, frame->map, NULL, &put, &problem)) {
        (void)text_copy(error.why, sizeof(error.why), problem.field);
        guests_say(o->guests, peer, "ERROR", &verb_error_record, &error);
        return true;
    }
    if (o->haves_n == HAVES_MAX || o->drawer_failed) {
        struct verb_have have = {.upto = 0};
        memcpy(have.sha256, put.sha256, sizeof(have.sha256));
        have_refuse(&have, "busy", "too many pieces at once");
        have_say(o, peer, &have);
        return true;
    }
    struct have_due *due = &o->haves[o->haves_n++];
    due->peer = *peer;
    o->drawer_failed = drawer_put(o->drawer, &put, o->now.wall_us, &due->have) != STATUS_OK;
    return true;
}

enum status files_commit(struct office *o)
{
    return o->drawer_failed ? STATUS_FULL : drawer_commit(o->drawer);
}

void files_answer(struct office *o, bool kept)
{
    if (!kept)
        drawer_rollback(o->drawer);
    if (o->haves_n > 0)
        room_told(o, &o->files_full, !kept, "files", drawer_error(o->drawer));
    for (size_t i = 0; i < o->haves_n; i++) {
        if (!kept)
            have_refuse(&o->haves[i].have, "busy", "disk.full: no room on the disk");
        have_say(o, &o->haves[i].peer, &o->haves[i].have);
    }
    o->haves_n = 0;
    o->drawer_failed = false;
}

/* --- of facts that were refused --------------------------------------------------------------------- */

bool files_let_go(struct office *o)
{
    struct taking *t = &o->taking;
    enum status status = STATUS_OK;
    if (t->let_go_n == 0)
        return true;
    for (size_t i = 0; i < t->let_go_n && status == STATUS_OK; i++)
        status = drawer_let_go(o->drawer, t->let_go[i].sha256, t->let_go[i].ticket, t->let_go[i].n);
    t->let_go_n = 0;
    if (status == STATUS_OK)
        status = drawer_commit(o->drawer);
    else
        drawer_rollback(o->drawer);
    if (status == STATUS_OK)
        status = drawer_sweep(o->drawer);
    if (status != STATUS_OK)
        log_warn("the file of a fact that was left out stays until it is forgotten: %s", drawer_error(o->drawer));
    return status != STATUS_DOUBT;
}

/* --- to the centre --------------------------------------------------------------------------------- */

/* An answer that came over a connection before is not to this one's question. */
static void rounds_follow(struct office *o)
{
    int64_t rounds = forward_state(o->forward)->rounds;
    if (rounds != o->rounds)
        courier_lost(o->courier);
    o->rounds = rounds;
}

void office_file_in(struct office *o, const struct frame *frame, struct office_now now)
{
    o->now = now;
    rounds_follow(o);
    courier_in(o->courier, frame, now.boot_us);
}

bool office_file_tick(struct office *o, struct office_now now)
{
    return courier_tick(o->courier, now.boot_us);
}

bool office_file_out(struct office *o, struct frame *frame)
{
    rounds_follow(o);
    return courier_out(o->courier, frame);
}

bool files_turn(struct office *o)
{
    rounds_follow(o);
    enum status status = courier_work(o->courier, forward_is_free(o->forward), o->now.boot_us, o->now.wall_us);
    if (status == STATUS_FULL)
        log_warn("files: %s", drawer_error(o->drawer));
    return status != STATUS_DOUBT;
}

enum status files_erase_of(void *office, const char *ticket)
{
    struct office *o = office;
    return drawer_erase(o->drawer, ticket);
}

enum status files_erase(struct office *o, enum status so_far)
{
    enum status status = so_far;
    for (size_t i = 0; i < o->erased_n && status == STATUS_OK; i++)
        status = drawer_erase(o->drawer, o->erased[i]);
    if (status == STATUS_OK)
        status = drawer_commit(o->drawer);
    else
        drawer_rollback(o->drawer);
    return status == STATUS_OK && o->erased_n > 0 ? drawer_sweep(o->drawer) : status;
}
