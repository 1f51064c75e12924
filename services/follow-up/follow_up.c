/* Follow-up: events in, timers, tables, questions. */
#include "services/follow-up/follow_up.h"

#include "proto/questions.h"
#include "proto/followup.h"
#include "proto/ticket.h"
#include "services/follow-up/handlers.h"

#define APPLIES(event, name)                                                                       \
    {                                                                                              \
        .type = event, .data = &name##_record, .apply = follow_up_apply_##name                     \
    }
#define BOTH(event, name)                                                                          \
    {                                                                                              \
        .type = event, .data = &name##_record, .apply = follow_up_apply_##name,                    \
        .decide = follow_up_decide_##name                                                          \
    }

static const struct handler handlers[] = {
    APPLIES("ticket.assessed", ticket_assessed),  BOTH("ticket.resolved", ticket_resolved),
    APPLIES("ticket.reopened", ticket_reopened),  BOTH("ticket.cancelled", ticket_cancelled),
    APPLIES("ticket.closed", ticket_closed),      APPLIES("followup.due", followup_due),
    BOTH("followup.recorded", followup_recorded), BOTH("followup.missed", followup_missed),
};

static const struct timer timers[] = {
    {.table = FOLLOW_UP_CALLBACK,
     .index = FOLLOW_UP_CALLBACK_DUE,
     .due_offset = offsetof(struct callback, due_us),
     .fired_offset = offsetof(struct callback, due_fired_us),
     .decide = follow_up_on_callback_due},
    {.table = FOLLOW_UP_CALLBACK,
     .index = FOLLOW_UP_CALLBACK_UNTIL,
     .due_offset = offsetof(struct callback, until_us),
     .fired_offset = offsetof(struct callback, until_fired_us),
     .decide = follow_up_on_callback_until},
};

static const char *const concludes[] = {"followup.due", "followup.missed", "ticket.closed",
                                        "ticket.reopened", NULL};

const struct worker follow_up_worker = {
    .name = "follow-up",
    .concludes = concludes,
    .handlers = handlers,
    .handlers_n = COUNT_OF(handlers),
    .timers = timers,
    .timers_n = COUNT_OF(timers),
    .tables = follow_up_tables,
    .tables_n = FOLLOW_UP_TABLES,
    .questions = follow_up_questions,
    .questions_n = FOLLOW_UP_QUESTIONS,
    .question_args = question_args,
};
