/* The callback itself: its day comes (followup.due), somebody is asked (followup.recorded), or
 * nobody could be in time (followup.missed). */
#include "base/text.h"
#include "proto/followup.h"
#include "proto/ticket.h"
#include "services/follow-up/handlers.h"
#include <inttypes.h>

static const struct callback *callback_k(const struct tables *tables, const char *ticket, int64_t k)
{
    char id[CALLBACK_CAP];
    if (k < 1 || k > 1000000)
        return NULL;
    follow_up_callback_id(ticket, k, id);
    return table_get(tables, FOLLOW_UP_CALLBACK, id);
}

struct callback *follow_up_callback_move(struct tables *tables, const struct event *event,
                                         int64_t k, enum callback_news news)
{
    const struct callback *seen = callback_k(tables, event->key, k);
    if (seen == NULL)
        return NULL;
    enum callback_state next = follow_up_callback_next((enum callback_state)seen->state, news);
    if (next == (enum callback_state)seen->state)
        return NULL;
    char id[CALLBACK_CAP];
    follow_up_callback_id(event->key, k, id);
    struct callback *callback = table_change(tables, FOLLOW_UP_CALLBACK, id);
    callback->state = (int)next;
    callback->changed_pos = (int64_t)event->pos;
    callback->open = next == CALLBACK_SCHEDULED || next == CALLBACK_DUE;
    return callback;
}

/* --- its day -----------------------------------------------------------------------------------
 */
void follow_up_on_callback_due(struct run *run, const struct tables *tables, const void *row)
{
    const struct callback *callback = row;
    const struct ticket *ticket = table_get(tables, FOLLOW_UP_TICKET, callback->ticket);
    if (ticket == NULL)
        return;
    char slot[EVENT_ID_CAP];
    struct followup_due due = {
        .k = callback->k, .due_us = callback->due_us, .until_us = callback->until_us};
    text_copy(due.policy, sizeof due.policy, ticket->policy);
    text_format(slot, sizeof slot, "follow-up/%s/due/%" PRId64, callback->ticket, callback->k);
    conclude(run, slot, "followup.due", callback->ticket, &followup_due_record, &due);
}

bool follow_up_apply_followup_due(struct tables *tables, const struct event *event,
                                  const void *data)
{
    const struct followup_due *due = data;
    follow_up_callback_move(tables, event, due->k, CALLBACK_NEWS_DUE);
    return true;
}

/* --- an answer ---------------------------------------------------------------------------------
 */
/* Which callback is meant: 0 is the present one. */
static int64_t recorded_k(const struct tables *tables, const struct event *event,
                          const struct followup_recorded *recorded)
{
    if (recorded->k != 0)
        return recorded->k;
    const struct ticket *ticket = table_get(tables, FOLLOW_UP_TICKET, event->key);
    return ticket != NULL ? ticket->k : 0;
}

bool follow_up_apply_followup_recorded(struct tables *tables, const struct event *event,
                                       const void *data)
{
    const struct followup_recorded *recorded = data;
    int64_t k = recorded_k(tables, event, recorded);
    const struct callback *seen = callback_k(tables, event->key, k);
    if (seen == NULL || !seen->open)
        return true;
    char id[CALLBACK_CAP];
    follow_up_callback_id(event->key, k, id);
    struct callback *callback = table_change(tables, FOLLOW_UP_CALLBACK, id);
    const struct ticket *ticket = table_get(tables, FOLLOW_UP_TICKET, event->key);
    callback->attempts++;
    if (ticket != NULL)
        callback->recorded_us = follow_up_fact_us(tables, ticket, event, event->at_us);
    if (!recorded->reached)
        return true;
    callback->reached = true;
    callback->reopen = recorded->reopen;
    callback->attitude = recorded->attitude;
    callback->quality = recorded->quality;
    callback->solved = recorded->solved;
    callback->satisfaction = recorded->satisfaction;
    follow_up_callback_move(tables, event, k, CALLBACK_NEWS_REACHED);
    return true;
}

static void reopen(struct run *run, const struct callback *callback, const char *reason)
{
    char slot[EVENT_ID_CAP];
    struct ticket_reopened reopened = {.job = ""};
    text_copy(reopened.reason, sizeof reopened.reason, reason);
    text_format(slot, sizeof slot, "follow-up/%s/reopened/%" PRId64, callback->ticket, callback->k);
    conclude(run, slot, "ticket.reopened", callback->ticket, &ticket_reopened_record, &reopened);
}

void follow_up_decide_followup_recorded(struct run *run, const struct tables *tables,
                                        const struct event *event, const void *data)
{
    int64_t k = recorded_k(tables, event, data);
    const struct callback *callback = callback_k(tables, event->key, k);
    const struct ticket *ticket = table_get(tables, FOLLOW_UP_TICKET, event->key);
    if (callback == NULL || ticket == NULL || callback->state != CALLBACK_RECORDED ||
        callback->changed_pos != (int64_t)event->pos || ticket->state != TICKET_RESOLVED)
        return;
    const struct policy *policy;
    const struct policy_followup *line = follow_up_line(tables, ticket, &policy);
    struct callback_answer answer = {.reopen = callback->reopen,
                                     .attitude = callback->attitude,
                                     .quality = callback->quality,
                                     .solved = callback->solved,
                                     .satisfaction = callback->satisfaction};
    const char *reason = follow_up_reopens(&answer, line != NULL ? line->reopen_below : 0);
    if (reason != NULL) {
        reopen(run, callback, reason);
        return;
    }
    char which[24];
    text_format(which, sizeof which, "%" PRId64, k);
    follow_up_close(run, event->key, which, "recorded", follow_up_score(&answer));
}

/* --- too late ----------------------------------------------------------------------------------
 */
void follow_up_on_callback_until(struct run *run, const struct tables *tables, const void *row)
{
    (void)tables;
    const struct callback *callback = row;
    char slot[EVENT_ID_CAP];
    struct followup_missed missed = {
        .k = callback->k, .due_us = callback->due_us, .until_us = callback->until_us};
    text_format(slot, sizeof slot, "follow-up/%s/missed/%" PRId64, callback->ticket, callback->k);
    conclude(run, slot, "followup.missed", callback->ticket, &followup_missed_record, &missed);
}

bool follow_up_apply_followup_missed(struct tables *tables, const struct event *event,
                                     const void *data)
{
    const struct followup_missed *missed = data;
    follow_up_callback_move(tables, event, missed->k, CALLBACK_NEWS_MISSED);
    return true;
}

void follow_up_decide_followup_missed(struct run *run, const struct tables *tables,
                                      const struct event *event, const void *data)
{
    const struct followup_missed *missed = data;
    const struct callback *callback = callback_k(tables, event->key, missed->k);
    if (callback == NULL || callback->state != CALLBACK_MISSED ||
        callback->changed_pos != (int64_t)event->pos)
        return;
    char which[24];
    text_format(which, sizeof which, "%" PRId64, missed->k);
    follow_up_close(run, event->key, which, "window-over", 0);
}
