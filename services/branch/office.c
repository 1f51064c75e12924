#include "office.h"
#include "base/log.h"
#include "base/text.h"
#include "office_inside.h"
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TAKEN_MAX 4096 /* facts in one commit */
#define QUESTIONS_MAX 256
#define SWEEP_US (10 * SECOND_US)
/* After a break that was longer, nothing is sent before the feed has told who was erased meanwhile; but no longer than this. */
#define BREAK_US MINUTE_US
#define HOLD_US (30 * SECOND_US)
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

static void on_erased(void *owner, const char *customer)
{
    struct office *o = owner;
    erased_add(o, customer);
    if (worklist_erase(o->list, customer, erased_add, o) != STATUS_OK)
        log_error("the work list's file: %s", worklist_error(o->list));
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

static void clock_look(struct office *o)
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
    clock_look(o);
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
    return guests_taken(o->guests) >= TAKEN_MAX;
}

bool office_local_out(struct office *o, struct bus_peer *peer, struct frame *frame)
{
    return guests_out(o->guests, peer, frame);
}

/* --- a turn --------------------------------------------------------------------------------------- */

/* False: doubt. */
static bool facts_commit(struct office *o)
{
    bool took = guests_taken(o->guests) > 0;
    enum status status = guests_keep(o->guests, o->now.wall_us);
    if (status == STATUS_OK)
        status = files_commit(o);
    if (status == STATUS_OK)
        status = spool_commit(o->spool);
    if (status == STATUS_DOUBT)
        return false;
    bool kept = status == STATUS_OK;
    if (!kept) {
        spool_rollback(o->spool);
        /* There may be room within the file when the log has none to grow: emptied, it begins anew. */
        enum status swept = spool_sweep(o->spool);
        (void)swept;
    }
    files_answer(o, kept);
    if (!kept && !o->disk_full)
        log_error("nothing can be taken: %s", spool_error(o->spool));
    if (took || !kept)
        o->disk_full = !kept;
    if (!guests_settle(o->guests, kept, o->now.wall_us))
        o->disk_full = true;
    return true;
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

/* Personal data of a customer who was erased while the line was down must not go out now. */
static void hold_judge(struct office *o)
{
    bool up = forward_state(o->forward)->line == LINE_UP;
    if (!up)
        o->up_us = o->now.boot_us;
    bool lately = o->current_us != 0 && o->now.boot_us - o->current_us < BREAK_US;
    bool unread = !follow_is_current(o->follow) && !lately && o->now.boot_us - o->up_us < HOLD_US;
    if (follow_is_current(o->follow))
        o->current_us = o->now.boot_us;
    forward_hold(o->forward, unread || o->erased_n > 0);
}

static bool forward_turn(struct office *o)
{
    const char *stream = spool_state(o->spool)->stream;
    int64_t refused = spool_state(o->spool)->refused;
    hold_judge(o);
    enum status status = forward_work(o->forward, o->now.boot_us, o->now.wall_us);
    if (status == STATUS_DOUBT)
        return false;
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

/* It is tried again with each turn; nothing is sent meanwhile, so it must be said. */
static void told_failed(struct office *o, enum status status)
{
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
    if (o->numbers_n + o->erased_n > 0 || (o->blanks_due && spool_has_erased(o->spool))) {
        enum status status = told_commit(o);
        if (status == STATUS_DOUBT)
            return false;
        if (status != STATUS_OK) {
            told_failed(o, status);
            return true; /* again in the next turn; the feed's position waits as well */
        }
    }
    follow_work(o->follow, o->now.boot_us, o->now.wall_us);
    if (erased && follow_trouble(o->follow)[0] == '\0' && worklist_sweep(o->list) != STATUS_OK)
        log_warn("the work list's file: %s", worklist_error(o->list));
    o->erased_n = 0;
    return true;
}

static bool housekeeping(struct office *o)
{
    /* Not while an answer still looks for the room. */
    if (!spool_has_reserve(o->spool) && o->now.boot_us - o->reserved_us >= SECOND_US &&
        o->now.boot_us - o->no_room_us >= 3 * SECOND_US) {
        o->reserved_us = o->now.boot_us;
        /* An empty spool's log is all that can be given back to the disk. */
        if (spool_state(o->spool)->facts > 0 || spool_sweep(o->spool) == STATUS_OK)
            spool_reserve(o->spool);
    }
    if (o->now.boot_us - o->swept_us < SWEEP_US)
        return true;
    o->swept_us = o->now.boot_us;
    o->blanks_due = true; /* what was on its way then may be answered now */
    guests_sweep(o->guests, o->now.boot_us);
    if (o->now.boot_us - o->forgot_us < FORGET_EVERY_US)
        return true;
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
    clock_look(o);
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
    int64_t due = forward_deadline_us(o->forward), follow = follow_deadline_us(o->follow);
    if (follow < due)
        due = follow;
    if (courier_deadline_us(o->courier) < due)
        due = courier_deadline_us(o->courier);
    return o->swept_us + SWEEP_US < due ? o->swept_us + SWEEP_US : due;
}

/* --- how it stands -------------------------------------------------------------------------------- */

void office_status(struct office *o, struct office_now now, struct branch_status_row *row)
{
    static const char *const lines[] = {[LINE_DOWN] = "down", [LINE_UP] = "up", [LINE_DENIED] = "denied"};
    const struct spool_state *spool = spool_state(o->spool);
    const struct forward_state *forward = forward_state(o->forward);
    const struct worklist_state *list = worklist_state(o->list);
    o->now = now;
    clock_look(o);
    record_clear(&branch_status_row_record, row);
    (void)text_copy(row->service, sizeof(row->service), "branch");
    (void)text_copy(row->source, sizeof(row->source), o->source);
    (void)text_copy(row->stream, sizeof(row->stream), spool->stream);
    (void)text_copy(row->line, sizeof(row->line), lines[forward->line]);
    if (forward->code[0] != '\0')
        (void)snprintf(row->why, sizeof(row->why), "%.39s: %.190s", forward->code, forward->why);
    else
        (void)text_copy(row->why, sizeof(row->why), follow_trouble(o->follow));
    row->since_us = forward->since_us;
    row->heard_us = forward->heard_us;
    row->queued = spool->facts;
    row->oldest_us = spool->oldest_us;
    row->queued_bytes = spool->bytes;
    row->full_percent = spool_full_percent(o->spool);
    row->refused = spool->refused;
    row->sent_n = spool->first - 1;
    row->last_n = spool->last;
    row->files = drawer_waiting(o->drawer);
    row->pos = (int64_t)list->pos;
    row->as_of_us = list->as_of_us;
    row->list_heard_us = list->heard_us;
    row->list_age_s = list->heard_us != 0 && now.wall_us > list->heard_us ? (now.wall_us - list->heard_us) / SECOND_US : 0;
    row->clock_off_s = o->taking.clock_off_us / SECOND_US;
    row->disk_full = o->disk_full || spool_lacks_disk(o->spool);
}

/* By the hour, so that it is said anew with each; "" while nothing is so old. */
static void age_say(const struct branch_status_row *row, int64_t wall_us, struct buf *words)
{
    int64_t waiting = row->oldest_us != 0 ? (wall_us - row->oldest_us) / HOUR_US : 0, list = row->list_age_s / 3600;
    if (waiting > 0)
        buf_append_format(words, "%lld facts wait, the oldest for %lld h", (long long)row->queued, (long long)waiting);
    if (list > 0)
        buf_append_format(words, "%sthe work list is %lld h old", waiting > 0 ? "; " : "", (long long)list);
}

void office_health(struct office *o, struct office_now now, char *out, size_t cap)
{
    struct branch_status_row row;
    struct buf words = {0};
    office_status(o, now, &row);
    if (row.disk_full)
        buf_append_text(&words, "no room on the disk: nothing is taken");
    else if (spool_is_full(o->spool))
        buf_append_text(&words, "the spool is full: nothing is taken");
    else if (spool_is_nearly_full(o->spool))
        buf_append_format(&words, "the spool is %lld %% full", (long long)row.full_percent);
    else if (text_equal(row.line, "denied"))
        buf_append_format(&words, "the centre does not take this source: %s", row.why);
    else if (follow_trouble(o->follow)[0] != '\0')
        buf_append_format(&words, "the work list stands still: %s", follow_trouble(o->follow));
    else if (row.clock_off_s != 0)
        buf_append_format(&words, "the clock is %lld s before the centre's", (long long)row.clock_off_s);
    else
        age_say(&row, now.wall_us, &words);
    (void)text_copy(out, cap, buf_text(&words));
    buf_release(&words);
}
