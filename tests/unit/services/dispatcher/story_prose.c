#include "unit/services/dispatcher/story_inside.h"

#include "base/text.h"
#include "proto/catalogue.h"
#include "proto/followup.h"
#include "proto/job.h"
#include "proto/ticket.h"
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

static void *decoded(struct story *story, const struct event *event)
{
    struct problem problem;
    const struct event_type *type = event_type_find(event->type, 0);
    void *data = arena_alloc(story->arena, type->data->size);
    bool fine = record_decode(type->data, RECORD_PLAIN, DECODE_STRICT, event->data, story->arena,
                              data, &problem);
    if (!fine)
        fprintf(stderr, "%s: %s %s\n", event->type, problem.code, problem.field);
    assert(fine);
    return data;
}

static void say_job(struct story *story, const struct event *event, const void *any)
{
    if (text_equal(event->type, "job.offered")) {
        const struct job_offered *data = any;
        buf_append_format(&story->trace, "%s is offered to %s%s%s (%s)\n", data->job, data->site,
                          data->engineer[0] != '\0' ? ", " : "", data->engineer, data->reason);
    } else if (text_equal(event->type, "job.accepted")) {
        const struct job_accepted *data = any;
        buf_append_format(&story->trace, "%s counts as accepted by %s: %s\n", data->job, data->site,
                          data->implied);
    } else if (text_equal(event->type, "job.expired")) {
        const struct job_expired *data = any;
        buf_append_format(&story->trace, "%s was not answered by %s\n", data->job, data->site);
    } else {
        const struct job_withdrawn *data = any;
        buf_append_format(&story->trace, "%s is taken back from %s: %s\n", data->job, data->site,
                          data->reason);
    }
}

static void say_ticket(struct story *story, const struct event *event, const void *any)
{
    if (text_equal(event->type, "ticket.escalated")) {
        const struct ticket_escalated *data = any;
        if (data->to[0] != '\0')
            buf_append_format(&story->trace, "%s: %s is told (%s)\n", event->key, data->to,
                              data->why);
        else if (text_starts(data->why, "nobody") || text_starts(data->why, "still"))
            buf_append_format(&story->trace, "%s waits: %s\n", event->key, data->why);
        else
            buf_append_format(&story->trace, "%s goes up to tier %" PRId64 ": %s\n", event->key,
                              data->tier, data->why);
    } else if (text_equal(event->type, "ticket.resolved")) {
        const struct ticket_resolved *data = any;
        buf_append_format(&story->trace, "%s is resolved by %s: %s\n", event->key, data->job,
                          data->outcome);
    } else if (text_equal(event->type, "ticket.closed")) {
        const struct ticket_closed *data = any;
        buf_append_format(&story->trace, "%s is closed: %s", event->key, data->reason);
        if (data->score != 0)
            buf_append_format(&story->trace, ", score %" PRId64, data->score);
        buf_append_text(&story->trace, "\n");
    } else {
        const struct ticket_reopened *data = any;
        buf_append_format(&story->trace, "%s is opened again: %s\n", event->key, data->reason);
    }
}

static void say_followup(struct story *story, const struct event *event, const void *any)
{
    if (text_equal(event->type, "followup.due")) {
        const struct followup_due *data = any;
        char due[INSTANT_TEXT_MAX], until[INSTANT_TEXT_MAX];
        instant_print(data->due_us, due);
        instant_print(data->until_us, until);
        buf_append_format(&story->trace, "callback %s/%" PRId64 " is due since %s until %s\n",
                          event->key, data->k, due, until);
    } else {
        const struct followup_missed *data = any;
        buf_append_format(&story->trace, "callback %s/%" PRId64 " was missed\n", event->key,
                          data->k);
    }
}

void story_say(struct story *story, const struct event *event)
{
    const void *data = decoded(story, event);
    if (text_starts(event->type, "job."))
        say_job(story, event, data);
    else if (text_starts(event->type, "ticket."))
        say_ticket(story, event, data);
    else if (text_starts(event->type, "followup."))
        say_followup(story, event, data);
    else
        buf_append_format(&story->trace, "%s %s\n", event->type, event->key);
}
