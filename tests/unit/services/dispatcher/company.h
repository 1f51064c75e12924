/* The company of the dispatcher's stories, and short words to tell them with. */
#ifndef AFTERCARE_TEST_COMPANY_H
#define AFTERCARE_TEST_COMPANY_H

#include "services/dispatcher/dispatcher.h"
#include "services/dispatcher/tables.h"
#include "unit/services/dispatcher/story.h"

#include "base/text.h"

#include <assert.h>
#include <string.h>

/* Stations are asked first and may be silent for two hours; a branch and headquarters have it
 * unless they object. */
static const char company_policy[] =
    "name: acme\nversion: acme-1\nzone: UTC\nkinds: [{name: repair}, {name: \"*\"}]\n"
    "priorities: [{priority: urgent, match: {channels: [alarm]}}]\n"
    "dispatch:\n"
    "  decline_excludes: 1d\n"
    "  tiers:\n"
    "    - {tier: 3, accept_within: 2h, candidates_max: 2}\n"
    "    - {tier: 2, accept_within: 8h, silence: accepts}\n"
    "    - {tier: 1, accept_within: 8h, silence: accepts}\n"
    "  start_at: [{tier: 2, match: {priorities: [urgent]}}]\n"
    "reopen_within: 7d\n";

static inline struct story *begin(void)
{
    return story_new(&dispatcher_worker, "2026-03-02T08:00:00Z", company_policy);
}

static inline void end(struct story *story)
{
    story_concludes(story, "");
    assert(story_rebuilds(story));
    story_destroy(&story);
}

static inline void station(struct story *story, const char *id)
{
    story_tell(story, "site.updated", id, "{\"name\":\"station\",\"tier\":3}");
}
static inline void branch(struct story *story, const char *id)
{
    story_tell(story, "site.updated", id, "{\"name\":\"branch\",\"tier\":2}");
}
/* With those stations: "A B". */
static inline struct story *begin_with(const char *stations)
{
    struct story *story = begin();
    char id[16];
    for (const char *at = stations; *at != '\0'; at += strspn(at, " ")) {
        size_t n = strcspn(at, " ");
        text_copy_n(id, sizeof id, at, n);
        station(story, id);
        at += n;
    }
    return story;
}

static const char plain[] = "{\"policy\":\"acme-1\",\"kind\":\"repair\",\"region\":\"44\","
                            "\"priority\":\"normal\",\"opened\":\"2026-03-02T08:00:00Z\"}";

static inline void ticket(struct story *story, const char *key)
{
    story_tell(story, "ticket.assessed", key, plain);
}

/* Of a job, which is called TICKET/jN. */
static inline void job_told(struct story *story, const char *type, const char *job,
                            const char *field, const char *value)
{
    char ticket[64], json[200];
    text_copy_n(ticket, sizeof ticket, job, strcspn(job, "/"));
    if (field == NULL)
        text_format(json, sizeof json, "{\"job\":\"%s\"}", job);
    else
        text_format(json, sizeof json, "{\"job\":\"%s\",\"%s\":\"%s\"}", job, field, value);
    story_tell(story, type, ticket, json);
}
static inline void accepts(struct story *story, const char *job)
{
    job_told(story, "job.accepted", job, NULL, NULL);
}
static inline void accepts_with(struct story *story, const char *job, const char *engineer)
{
    job_told(story, "job.accepted", job, "engineer", engineer);
}
static inline void declines(struct story *story, const char *job, const char *reason)
{
    job_told(story, "job.declined", job, "reason", reason);
}
static inline void reports(struct story *story, const char *job, const char *outcome)
{
    job_told(story, "job.reported", job, "outcome", outcome);
}

static inline const struct job *job(const struct story *story, const char *id)
{
    const struct job *job = story_row(story, DISPATCHER_JOB, id);
    assert(job != NULL);
    return job;
}
static inline const struct load *load(const struct story *story, const char *site)
{
    const struct load *load = story_row(story, DISPATCHER_LOAD, site);
    assert(load != NULL);
    return load;
}

#endif
