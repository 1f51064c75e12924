#include "office.h"
#include "base/log.h"
#include "base/text.h"
#include "office_inside.h"
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TAKEN_MAX 4096 /* facts in one commit; and their bytes: who comes meanwhile waits as long as the disk takes for them */
#define TAKEN_BYTES_MAX (4 * 1024 * 1024)
#define QUESTIONS_MAX 256
#define SWEEP_US (10 * SECOND_US)
/* After a break that was longer, nothing is sent before the feed has told who was erased meanwhile; but no longer than these. */
#define BREAK_US MINUTE_US
#define HOLD_US (30 * SECOND_US) /* since it told anything */
#define HOLD_MAX_US (10 * MINUTE_US)
#define FORGET_EVERY_US HOUR_US
#define FORGET_US (90 * DAY_US)
/* Clocks that differ by less are called the same. */
#define CLOCK_OFF_US MINUTE_US

/* --- what the feed tells --------------------------------------------------------------------------- */

static void on_number(void *owner, const char *number)
{
    struct office *o = owner;
    char series[NUMBER_SERIES_CAP];
    int64_t n;
    if (!number_parse(number, o->prefix, series, &n))
        return;
    if (o->numbers_n > 0 && text_equal(o->numbers[o->numbers_n - 1].series, series)) {
        if (n > o->numbers[o->numbers_n - 1].n)
            o->numbers[o->numbers_n - 1].n = n;
        return;
    }
    o->numbers = memory_grow(o->numbers, (o->numbers_n + 1) * sizeof(o->numbers[0]));
    memcpy(o->numbers[o->numbers_n].series, series, sizeof(series));
    o->numbers[o->numbers_n++].n = n;
}

static void erased_add(void *owner, const char *key)
{
    struct office *o = owner;
    o->erased = memory_grow(o->erased, (o->erased_n + 1) * sizeof(o->erased[0]));
    (void)text_copy(o->erased[o->erased_n++], EVENT_KEY_CAP, key);
}

static enum status on_erased(void *owner, const char *customer)
{
    struct office *o = owner;
    erased_add(o, customer);
    return worklist_erase(o->list, customer, erased_add, o);
}

static void on_centre(void *owner, int64_t centre_us)
{
    struct office *o = owner;
    forward_centre_heard(o->forward, centre_us, o->now.boot_us);
}

static const struct follow_listener follow_told = {.number = on_number, .erased = on_erased, .centre = on_centre};

/* --- life ----------------------------------------------------------------------------------------- */

static bool files_open(struct office *o, const struct office_config *config, char *error, size_t error_cap)
{
    char path[512], why[200] = "";
    (void)snprintf(path, sizeof(path), "%s/spool.db", config->folder);
    o->spool = spool_open(path, &config->limits, why, sizeof(why));
    if (o->spool != NULL) {
        (void)snprintf(path, sizeof(path), "%s/worklist.db", config->folder);
        o->list = worklist_open(path, why, sizeof(why));
    }
    if (o->list != NULL) {
        (void)snprintf(path, sizeof(path), "%s/files.db", config->folder);
        o->drawer = drawer_open(path, config->file_bytes_max, why, sizeof(why));
    }
    if (o->drawer != NULL)
        return true;
    (void)snprintf(error, error_cap, "%s: %s", path, why);
    return false;
}

static bool stream_agrees(const struct office *o, const struct office_config *config, char *error, size_t error_cap)
{
    const char *known = spool_state(o->spool)->stream;
    if (config->stream[0] == '\0' || known[0] == '\0' || text_equal(config->stream, known))
        return true;
    (void)snprintf(error, error_cap, "the spool belongs to stream %s, not to %s", known, config->stream);
    return false;
}

struct office *office_open(const struct office_config *config, struct office_now now, char *error, size_t error_cap)
{
    struct office *o = memory_new(sizeof(*o));
    o->questions_end = &o->questions;
    o->arena = arena_new(64 * 1024);
    o->now = now;
    (void)text_copy(o->source, sizeof(o->source), config->source);
    (void)text_copy(o->prefix, sizeof(o->prefix), config->prefix);
    (void)text_copy(o->folder, sizeof(o->folder), config->folder);
    o->disk_left = -1;
    o->room_us = now.boot_us - MINUTE_US;
    if (!files_open(o, config, error, error_cap) || !stream_agrees(o, config, error, error_cap)) {
        office_close(&o);
        return NULL;
    }
    taking_init(&o->taking, o->spool, config->prefix, config->zone);
    o->taking.drawer = o->drawer;
    o->courier = courier_new(o->drawer);
    o->guests = guests_new(o->spool, &o->taking);
    o->forward = forward_new(o->spool, config->source, config->stream, now.wall_us);
    struct follow_config follow = config->follow;
    follow.consumer = o->source;
    o->follow = follow_new(o->list, &follow, &follow_told, o);
    o->forgot_us = now.boot_us;
    o->begun_us = o->no_room_us = o->told_failed_us = now.boot_us - MINUTE_US;
    return o;
}

static void questions_drop(struct office *o)
{
    while (o->questions != NULL) {
        struct question *question = o->questions;
        o->questions = question->next;
        buf_release(&question->map);
        free(question);
    }
    o->questions_end = &o->questions;
}

void office_close(struct office **o_p)
{
    struct office *o = *o_p;
    if (o == NULL)
        return;
    questions_drop(o);
    follow_destroy(&o->follow);
    forward_destroy(&o->forward);
    guests_destroy(&o->guests);
    taking_release(&o->taking);
    worklist_close(&o->list);
    courier_destroy(&o->courier);
    drawer_close(&o->drawer);
    spool_close(&o->spool);
    arena_destroy(&o->arena);
    buf_release(&o->rows);
    free(o->erased);
    free(o->numbers);
    free(o);
    *o_p = NULL;
}

struct forward *office_forward(struct office *o)
{
    return o->forward;
}

struct follow *office_follow(struct office *o)
{
    return o->follow;
}

const struct spool_state *office_spool(const struct office *o)
{
    return spool_state(o->spool);
}

/* --- local frames --------------------------------------------------------------------------------- */

void office_clock_look(struct office *o)
{
    int64_t centre_us = forward_centre_us(o->forward, o->now.boot_us), off_us = o->now.wall_us - centre_us;
    bool off = centre_us != 0 && (off_us > CLOCK_OFF_US || off_us < -CLOCK_OFF_US);
    if (off != (o->taking.clock_off_us != 0))
        log_warn(off ? "this machine's clock is %lld s before the centre's: facts keep the time they are reported with, flagged"
                     : "this machine's clock agrees with the centre's again",
                 (long long)(off_us / SECOND_US));
    o->taking.clock_off_us = off ? off_us : 0;
}

void office_local(struct office *o, const struct bus_peer *peer, const struct frame *frame, struct office_now now)
{
    o->now = now;
    office_clock_look(o);
    if (guests_frame(o->guests, peer, frame, now.wall_us, now.boot_us) || office_put(o, peer, frame))
        return;
    size_t waiting = 0;
    for (const struct question *q = o->questions; q != NULL; q = q->next)
        waiting++;
    struct verb_error error = {.code = "unknown-verb"};
    bool ask = text_equal(frame->verb, "ASK");
    if (!ask || waiting >= QUESTIONS_MAX) {
        (void)text_copy(error.code, sizeof(error.code), ask ? "busy" : "unknown-verb");
        guests_say(o->guests, peer, "ERROR", &verb_error_record, &error);
        return;
    }
    struct question *question = memory_new(sizeof(*question));
    question->peer = *peer;
    buf_append(&question->map, frame->map.data, frame->map.len);
    *o->questions_end = question;
    o->questions_end = &question->next;
}

bool office_is_sated(const struct office *o)
{
    return guests_taken(o->guests) >= TAKEN_MAX || guests_taken_bytes(o->guests) >= TAKEN_BYTES_MAX;
}

bool office_local_out(struct office *o, struct bus_peer *peer, struct frame *frame)
{
    return guests_out(o->guests, peer, frame);
}

/* --- a turn --------------------------------------------------------------------------------------- */

/* False: doubt. What finds no room for a photo is taken all the same, unless it names one. */
static bool facts_commit(struct office *o)
{
    bool took = guests_taken(o->guests) > 0;
    enum status status = guests_keep(o->guests, o->now.wall_us);
    enum status files = status == STATUS_OK ? files_commit(o) : status;
    if (status == STATUS_OK && o->taking.named)
        status = files;
    if (status == STATUS_OK)
        status = spool_commit(o->spool);
    if (status == STATUS_DOUBT || files == STATUS_DOUBT)
        return false;
    bool kept = status == STATUS_OK;
    if (!kept) {
        spool_rollback(o->spool);
        /* There may be room within the file when the log has none to grow: emptied, it begins anew. */
        enum status swept = spool_sweep(o->spool);
        (void)swept;
        o->taking.let_go_n = 0;
    }
    o->taking.named = false;
    files_answer(o, files == STATUS_OK);
    if (took || !kept)
        room_told(o, &o->facts_full, !kept, "facts", spool_error(o->spool));
    enum status settled = guests_settle(o->guests, kept, o->now.wall_us);
    if (settled == STATUS_FULL)
        room_told(o, &o->facts_full, true, "facts", spool_error(o->spool));
    return settled != STATUS_DOUBT && files_let_go(o);
}

/* What the feed told must be in the spool before the feed's position is. */
static enum status told_commit(struct office *o)
{
    enum status status = STATUS_OK;
    int64_t gone = 0;
    bool look = o->erased_n > 0 || o->blanks_due; /* not with each batch: it reads all that waits */
    for (size_t i = 0; i < o->numbers_n && status == STATUS_OK; i++)
        status = spool_series_seen(o->spool, o->numbers[i].series, o->numbers[i].n);
    for (size_t i = 0; i < o->erased_n && status == STATUS_OK; i++)
        status = spool_erased_keep(o->spool, o->erased[i]);
    if (status == STATUS_OK && look && (o->erased_n > 0 || spool_has_erased(o->spool)))
        status = spool_erase(o->spool, forward_untouched_n(o->forward), files_erase_of, o, &gone);
    status = files_erase(o, status);
    if (status == STATUS_OK)
        status = spool_commit(o->spool);
    else
        spool_rollback(o->spool);
    if (status != STATUS_OK)
        return status;
    if (gone > 0 || o->erased_n > 0)
        status = spool_sweep(o->spool);
    o->numbers_n = 0;
    o->blanks_due = o->blanks_due && !look;
    return status;
}

/* Personal data of a customer who was erased while the line was down must not go out now: nothing is sent before the feed has told,
 * as long as it goes on telling. Facts do not wait for it for ever; then people have to look. */
static void hold_judge(struct office *o)
{
    int64_t now_us = o->now.boot_us;
    bool current = follow_is_current(o->follow), held = o->held;
    if (forward_state(o->forward)->line != LINE_UP)
        o->up_us = o->moved_us = now_us;
    if (worklist_state(o->list)->pos != o->pos)
        o->moved_us = now_us;
    o->pos = worklist_state(o->list)->pos;
    bool lately = o->current_us != 0 && now_us - o->current_us < BREAK_US;
    bool telling = now_us - o->moved_us < HOLD_US && now_us - o->up_us < HOLD_MAX_US;
    o->held = !current && !lately && telling;
    if (held && !o->held && !current && spool_state(o->spool)->facts > 0)
        log_warn("the feed does not tell who was erased while the line was down: what waited goes to the centre all the same. If somebody "
                 "was, erase again there");
    if (current)
        o->current_us = now_us;
    forward_hold(o->forward, o->held || o->erased_n > 0);
}

/* Trouble that no room mends: it is tried again and again, and must be said. */
static void stuck_judge(struct office *o, bool failed)
{
    if (!failed) {
        o->stuck_us = 0;
        return;
    }
    if (o->stuck_us == 0)
        o->stuck_us = o->now.boot_us;
    if (o->now.boot_us - o->stuck_us < STUCK_US || o->now.boot_us - o->told_failed_us < MINUTE_US)
        return;
    o->told_failed_us = o->now.boot_us;
    log_error("nothing goes on to the centre, the spool's file cannot be read or written: %s", spool_error(o->spool));
}

static bool forward_turn(struct office *o)
{
    const char *stream = spool_state(o->spool)->stream;
    int64_t refused = spool_state(o->spool)->refused;
    hold_judge(o);
    enum status status = forward_work(o->forward, o->now.boot_us, o->now.wall_us);
    if (status == STATUS_DOUBT)
        return false;
    stuck_judge(o, status == STATUS_CLOSED);
    if (status == STATUS_FULL)
        o->no_room_us = o->now.boot_us;
    if (status == STATUS_FULL && spool_give_up_reserve(o->spool) != STATUS_FULL)
        log_warn("the centre's answers find no room on the disk: the reserve is given up, nothing is taken until they have made some");
    o->blanks_due = o->blanks_due || spool_state(o->spool)->refused > refused;
    if (spool_state(o->spool)->refused > refused)
        log_warn("the centre refused %lld facts: aftercare --branch refused",
                 (long long)(spool_state(o->spool)->refused - refused));
    if (stream[0] != '\0' && !follow_has_begun(o->follow) && o->now.boot_us - o->begun_us >= 5 * SECOND_US) {
        o->begun_us = o->now.boot_us;
        if (follow_begin(o->follow, stream, o->now.boot_us) != STATUS_OK)
            log_error("%s", follow_trouble(o->follow));
    }
    return true;
}

static bool told_is_due(const struct office *o)
{
    return o->numbers_n + o->erased_n > 0 || (o->blanks_due && spool_has_erased(o->spool));
}

/* It is tried again each second; nothing is sent meanwhile, so it must be said. */
static void told_failed(struct office *o, enum status status)
{
    o->told_retry_us = o->now.boot_us + SECOND_US;
    if (status == STATUS_FULL)
        o->no_room_us = o->now.boot_us;
    if (status == STATUS_FULL && spool_give_up_reserve(o->spool) != STATUS_FULL)
        log_warn("what the feed tells finds no room on the disk: the reserve is given up");
    if (o->now.boot_us - o->told_failed_us < MINUTE_US)
        return;
    o->told_failed_us = o->now.boot_us;
    log_warn("what the feed told cannot be stored, and nothing is sent before it is: spool: %s; files: %s", spool_error(o->spool),
             drawer_error(o->drawer));
}

static bool follow_turn(struct office *o)
{
    bool erased = o->erased_n > 0;
    if (told_is_due(o)) {
        enum status status = o->now.boot_us >= o->told_retry_us ? told_commit(o) : STATUS_AGAIN;
        if (status == STATUS_DOUBT)
            return false;
        if (status == STATUS_AGAIN)
            return true; /* the feed's position waits as well */
        if (status != STATUS_OK) {
            told_failed(o, status);
            return true;
        }
    }
    o->told_retry_us = 0;
    follow_work(o->follow, o->now.boot_us, o->now.wall_us);
    if (erased && follow_trouble(o->follow)[0] == '\0' && worklist_sweep(o->list) != STATUS_OK)
        log_warn("the work list's file: %s", worklist_error(o->list));
    o->erased_n = 0;
    return true;
}

static bool housekeeping(struct office *o)
{
    if (!room_look(o))
        return false;
    if (o->now.boot_us - o->swept_us < SWEEP_US)
        return true;
    o->swept_us = o->now.boot_us;
    o->blanks_due = true; /* what was on its way then may be answered now */
    guests_sweep(o->guests, o->now.boot_us);
    if (o->now.boot_us - o->forgot_us < FORGET_EVERY_US)
        return true;
    if (o->taking.clock_off_us != 0 || forward_centre_us(o->forward, o->now.boot_us) == 0)
        return true; /* of what is old, a clock that is wrong knows nothing, nor one that the centre has not told us is right */
    o->forgot_us = o->now.boot_us;
    enum status status = spool_forget(o->spool, o->now.wall_us - FORGET_US);
    if (status == STATUS_OK)
        status = spool_commit(o->spool);
    else
        spool_rollback(o->spool);
    if (status == STATUS_OK && (status = drawer_forget(o->drawer, o->now.wall_us)) == STATUS_OK)
        status = drawer_commit(o->drawer);
    if (status != STATUS_OK && status != STATUS_DOUBT)
        drawer_rollback(o->drawer);
    return status != STATUS_DOUBT;
}

bool office_turn(struct office *o, struct office_now now)
{
    o->now = now;
    office_clock_look(o);
    bool sure = facts_commit(o) && forward_turn(o) && follow_turn(o) && files_turn(o) && housekeeping(o);
    if (!sure)
        return false;
    for (const struct question *question = o->questions; question != NULL; question = question->next)
        office_answer(o, question);
    questions_drop(o);
    return !o->doubt;
}

int64_t office_deadline_us(const struct office *o)
{
    if (guests_are_owed(o->guests))
        return o->now.boot_us;
    /* What is told and not stored keeps the reading from going on, and from mending what is wrong with it. */
    int64_t due = forward_deadline_us(o->forward), follow = o->told_retry_us != 0 ? o->told_retry_us : follow_deadline_us(o->follow);
    if (follow < due)
        due = follow;
    if (courier_deadline_us(o->courier) < due)
        due = courier_deadline_us(o->courier);
    return o->swept_us + SWEEP_US < due ? o->swept_us + SWEEP_US : due;
}
