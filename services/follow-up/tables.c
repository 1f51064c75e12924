#include "services/follow-up/tables.h"

#include "base/text.h"

/* --- ticket ------------------------------------------------------------------------------------
 */
static const char *const ticket_states[] = {"open", "resolved", "closed", "cancelled", NULL};
static const struct field ticket_fields[] = {
    F_TEXT(ticket, ticket, FIELD_REQUIRED, "number of the ticket"),
    F_TEXT(ticket, policy, 0, "policy version followed"),
    F_TEXT(ticket, kind, 0, "kind of request"),
    F_TEXT(ticket, region, 0, "where the work is"),
    F_TEXT(ticket, product, 0, "product line"),
    F_TEXT(ticket, channel, 0, "how it came"),
    F_TEXT(ticket, priority, 0, "priority"),
    F_TEXT(ticket, coverage, 0, "coverage"),
    F_ENUM(ticket, state, 0, ticket_states, "state"),
    F_INT(ticket, k, 0, "how often it was resolved"),
    F_INT(ticket, changed_pos, 0, "position of the event that set the state"),
    F_TIME(ticket, opened, 0, "opened"),
    F_TIME(ticket, closed, 0, "closed"),
    F_BOOL(ticket, open, 0, "not closed"),
};
static const struct record ticket_record =
    RECORD(ticket, ticket_fields, "tickets 工单 on their way to being closed");
static const struct table_def ticket_table = {
    .name = "ticket", .row = &ticket_record, .open_offset = offsetof(struct ticket, open)};

/* --- callback ----------------------------------------------------------------------------------
 */
static const char *const callback_states[] = {"scheduled", "due",  "recorded",
                                              "missed",    "void", NULL};
static const struct field callback_fields[] = {
    F_TEXT(callback, callback, FIELD_REQUIRED, "TICKET/k"),
    F_TEXT(callback, ticket, 0, "ticket"),
    F_INT(callback, k, 0, "which callback of the ticket"),
    F_TEXT(callback, region, 0, "where the work was"),
    F_TEXT(callback, kind, 0, "kind of request"),
    F_ENUM(callback, state, 0, callback_states, "state"),
    F_TIME(callback, resolved, 0, "ticket was resolved"),
    F_TIME(callback, due, 0, "to be made from then"),
    F_TIME(callback, until, 0, "missed after that"),
    F_TIME(callback, recorded, 0, "last attempt"),
    F_INT(callback, attempts, 0, "attempts so far"),
    F_BOOL(callback, reached, 0, "the customer was reached"),
    F_BOOL(callback, reopen, 0, "the customer wants it done again"),
    F_INT(callback, attitude, 0, "score 1 to 5; 0: not asked"),
    F_INT(callback, quality, 0, "score 1 to 5; 0: not asked"),
    F_INT(callback, solved, 0, "score 1 to 5; 0: not asked"),
    F_INT(callback, satisfaction, 0, "score 1 to 5; 0: not asked"),
    F_INT(callback, changed_pos, 0, "position of the event that set the state"),
    F_TIME(callback, due_fired, FIELD_VOLATILE, "timer fired"),
    F_TIME(callback, until_fired, FIELD_VOLATILE, "timer fired"),
    F_BOOL(callback, open, 0, "scheduled or due"),
};
static const struct record callback_record = RECORD(callback, callback_fields, "callbacks 回访");

static int compare(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}
static int by_due(const void *row_a, const void *row_b)
{
    const struct callback *a = row_a, *b = row_b;
    return compare(a->due_us, b->due_us);
}
static bool is_scheduled(const void *row)
{
    const struct callback *callback = row;
    return callback->state == CALLBACK_SCHEDULED && callback->due_us != 0 &&
           callback->due_us != callback->due_fired_us;
}
static int by_until(const void *row_a, const void *row_b)
{
    const struct callback *a = row_a, *b = row_b;
    return compare(a->until_us, b->until_us);
}
static bool is_due(const void *row)
{
    const struct callback *callback = row;
    return callback->state == CALLBACK_DUE && callback->until_us != 0 &&
           callback->until_us != callback->until_fired_us;
}
static const struct index_def callback_indexes[] = {
    [FOLLOW_UP_CALLBACK_DUE] = {.name = "due", .compare = by_due, .holds = is_scheduled},
    [FOLLOW_UP_CALLBACK_UNTIL] = {.name = "until", .compare = by_until, .holds = is_due},
};
static const struct table_def callback_table = {.name = "callback",
                                                .row = &callback_record,
                                                .open_offset = offsetof(struct callback, open),
                                                .indexes = callback_indexes,
                                                .indexes_n = COUNT_OF(callback_indexes)};

const struct table_def *const follow_up_tables[FOLLOW_UP_TABLES] = {
    [FOLLOW_UP_TICKET] = &ticket_table, [FOLLOW_UP_CALLBACK] = &callback_table};

void follow_up_callback_id(const char *ticket, int64_t k, char out[CALLBACK_CAP])
{
    text_format(out, CALLBACK_CAP, "%s/%lld", ticket, (long long)k);
}
