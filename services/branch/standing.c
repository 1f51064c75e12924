/* How the branch stands: for people, for health. */
#include "base/text.h"
#include "office_inside.h"
#include <stdio.h>

#define DISK_LOW_BYTES (32 * 1024 * 1024)

void office_status(struct office *o, struct office_now now, struct branch_status_row *row)
{
    static const char *const lines[] = {[LINE_DOWN] = "down", [LINE_UP] = "up", [LINE_DENIED] = "denied"};
    const struct spool_state *spool = spool_state(o->spool);
    const struct forward_state *forward = forward_state(o->forward);
    const struct worklist_state *list = worklist_state(o->list);
    o->now = now;
    office_clock_look(o);
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
    row->disk_full = o->facts_full || o->files_full || spool_lacks_disk(o->spool);
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
    if (o->facts_full || spool_lacks_disk(o->spool))
        buf_append_text(&words, "no room on the disk: nothing is taken");
    else if (o->stuck_us != 0 && now.boot_us - o->stuck_us >= STUCK_US)
        buf_append_text(&words, "nothing goes to the centre: the spool's file cannot be read or written");
    else if (o->files_full)
        buf_append_text(&words, "no room on the disk: no files are taken");
    else if (spool_is_full(o->spool))
        buf_append_text(&words, "the spool is full: nothing is taken");
    else if (spool_is_nearly_full(o->spool))
        buf_append_format(&words, "the spool is %lld %% full", (long long)row.full_percent);
    else if (o->disk_left >= 0 && o->disk_left < DISK_LOW_BYTES)
        buf_append_format(&words, "the disk is nearly full: %lld MiB left", (long long)(o->disk_left / (1024 * 1024)));
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
