/* Seeded nonsense: every fact in every state, in any order, with restarts. Nothing may stop the
 * worker, two jobs of a ticket are never held at once, loads add up, and a rebuild gives the same.
 * Leaves the journal of the last seed for test_ties.c. */
#include "services/dispatcher/dispatcher.h"
#include "services/dispatcher/tables.h"
#include "unit/services/dispatcher/story.h"

#include "base/text.h"
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define SEEDS   16
#define STEPS   500
#define SITES   9
#define PEOPLE  6
#define TICKETS 40

static const char policy[] =
    "name: acme\nversion: acme-1\nzone: Asia/Shanghai\nkinds: [{name: repair}, {name: \"*\"}]\n"
    "dispatch:\n"
    "  decline_excludes: 3h\n"
    "  tiers:\n"
    "    - {tier: 3, accept_within: 2h, candidates_max: 2}\n"
    "    - {tier: 2, accept_within: 1h}\n"
    "    - {tier: 1, accept_within: 4h, silence: accepts}\n"
    "  passes: [{pass: training, match: {regions: [\"44\"]}}]\n"
    "reopen_within: 1d\n";

static uint64_t seed;

static int64_t below(int64_t n)
{
    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (int64_t)((seed >> 33) % (uint64_t)n);
}

static void tell_site(struct story *story)
{
    char key[8], json[160];
    int64_t i = below(SITES);
    text_format(key, sizeof key, "S%" PRId64, i);
    text_format(json, sizeof json,
                "{\"name\":\"s\",\"tier\":%" PRId64 ",\"capacity\":%" PRId64 ",\"closed\":%s%s}",
                i < 5   ? INT64_C(3)
                : i < 8 ? INT64_C(2)
                        : INT64_C(1),
                below(4), below(6) == 0 ? "true" : "false",
                below(2) == 0 ? ",\"territories\":[\"44\"]" : "");
    story_add(story, "site.updated", key, json);
}

static void tell_engineer(struct story *story)
{
    static const char *const duties[] = {
        "",
        "",
        ",\"off_duty\":true",
        ",\"left\":true",
        ",\"days\":[\"tue\",\"thu\"]",
        ",\"rota\":[{\"until\":\"2026-03-02T20:00:00Z\",\"off\":true}]"};
    static const char *const passes[] = {
        "", ",\"passes\":[{\"pass\":\"training\"}]",
        ",\"passes\":[{\"pass\":\"training\",\"until\":\"2026-03-03T00:00:00Z\"}]"};
    char key[8], json[240];
    text_format(key, sizeof key, "E%" PRId64, below(PEOPLE));
    text_format(json, sizeof json, "{\"site\":\"S%" PRId64 "\",\"capacity\":%" PRId64 "%s%s}",
                below(4), below(4), duties[below((int64_t)COUNT_OF(duties))],
                passes[below((int64_t)COUNT_OF(passes))]);
    story_add(story, "engineer.updated", key, json);
}

static void tell_ticket(struct story *story, const char *key)
{
    story_add(story, "ticket.assessed", key,
              below(2) == 0 ? "{\"policy\":\"acme-1\",\"kind\":\"repair\",\"region\":\"4401\","
                              "\"opened\":\"2026-03-02T08:00:00Z\"}"
                            : "{\"policy\":\"acme-1\",\"kind\":\"repair\",\"region\":\"11\","
                              "\"opened\":\"2026-03-02T08:00:00Z\"}");
}

static void tell_job(struct story *story, const char *key)
{
    static const struct {
        const char *type, *more;
    } facts[] = {{"job.accepted", ""},
                 {"job.accepted", ",\"engineer\":\"e\""},
                 {"job.accepted", ",\"engineer\":\"E1\""},
                 {"job.arrived", ",\"engineer\":\"E2\""},
                 {"job.reported", ",\"outcome\":\"done\",\"engineer\":\"E3\""},
                 {"job.handed_over", ",\"to\":\"S1\",\"engineer\":\"E4\""},
                 {"job.declined", ",\"reason\":\"no\""},
                 {"job.arrived", ""},
                 {"job.reported", ",\"outcome\":\"done\""},
                 {"job.reported", ",\"outcome\":\"failed\""},
                 {"job.withdrawn", ",\"reason\":\"moved-on\""},
                 {"job.handed_over", ",\"to\":\"S1\""}};
    char json[120];
    size_t i = (size_t)below((int64_t)COUNT_OF(facts));
    text_format(json, sizeof json, "{\"job\":\"%s/j%" PRId64 "\"%s}", key, 1 + below(3),
                facts[i].more);
    story_add(story, facts[i].type, key, json);
}

static void tell_end(struct story *story, const char *key)
{
    static const struct {
        const char *type, *json;
    } facts[] = {{"ticket.resolved", "{\"outcome\":\"done\"}"},
                 {"ticket.cancelled", "{\"reason\":\"x\"}"},
                 {"ticket.closed", "{\"reason\":\"recorded\"}"},
                 {"ticket.reopened", "{\"reason\":\"again\"}"},
                 {"ticket.reopened", "{\"reason\":\"again\"}"}};
    size_t i = (size_t)below((int64_t)COUNT_OF(facts));
    story_add(story, facts[i].type, key, facts[i].json);
}

/* Is it counted at an engineer who is still where the job is? */
static void check_given(const struct story *story, const struct job *job, int64_t given[PEOPLE])
{
    if (job->given_pos == 0)
        return;
    const struct engineer_load *load = story_row(story, DISPATCHER_ENGINEER_LOAD, job->engineer);
    assert(load != NULL && job->open);
    if (job->given_pos < load->since_pos)
        return;
    assert(text_equal(load->site, job->site));
    given[job->engineer[1] - '0']++;
}

static void check_ticket(const struct story *story, const char *key, int64_t loads[SITES],
                         int64_t given[PEOPLE])
{
    int64_t live = 0, held = 0;
    const struct ticket *ticket = story_row(story, DISPATCHER_TICKET, key);
    if (ticket == NULL)
        return;
    for (int64_t k = 1; k <= ticket->offers; k++) {
        char id[JOB_CAP];
        text_format(id, sizeof id, "%s/j%" PRId64, key, k);
        const struct job *job = story_row(story, DISPATCHER_JOB, id);
        assert(job != NULL);
        bool is_live = job->state == JOB_OFFERED || job->state == JOB_ACCEPTED;
        assert(job->open == is_live);
        check_given(story, job, given);
        live += is_live ? 1 : 0;
        held += job->state == JOB_ACCEPTED ? 1 : 0;
        if (is_live)
            loads[job->site[1] - '0']++;
        assert(!is_live || ticket->live == k);
    }
    assert(held <= 1 && live <= 1);
    assert(live == 1 || ticket->live == 0);
    /* nothing is left lying: an open ticket has somebody, or waits */
    if (ticket->state == TICKET_OPEN)
        assert(ticket->live != 0 || ticket->waiting_pos != 0);
    else
        assert(ticket->waiting_pos == 0 && ticket->live == 0);
}

static void check_people(const struct story *story, const int64_t given[PEOPLE])
{
    int64_t staff[SITES] = {0};
    char key[8];
    for (int64_t i = 0; i < PEOPLE; i++) {
        text_format(key, sizeof key, "E%" PRId64, i);
        const struct engineer_load *load = story_row(story, DISPATCHER_ENGINEER_LOAD, key);
        if (load == NULL)
            continue;
        assert(load->load == given[i] && load->date_jobs >= 0);
        load = story_memory(story, DISPATCHER_ENGINEER_LOAD, key);
        assert(load->pending == 0);
        staff[load->site[1] - '0']++;
    }
    for (int64_t i = 0; i < SITES; i++) {
        text_format(key, sizeof key, "S%" PRId64, i);
        const struct load *load = story_row(story, DISPATCHER_LOAD, key);
        assert(staff[i] == (load != NULL ? load->staff : 0));
    }
}

static void check(struct story *story)
{
    int64_t loads[SITES] = {0}, given[PEOPLE] = {0};
    char key[8];
    for (int64_t i = 0; i < TICKETS; i++) {
        text_format(key, sizeof key, "T%" PRId64, i);
        check_ticket(story, key, loads, given);
    }
    for (int64_t i = 0; i < SITES; i++) {
        text_format(key, sizeof key, "S%" PRId64, i);
        const struct load *load = story_row(story, DISPATCHER_LOAD, key);
        assert(load == NULL || load->load == loads[i]);
        load = story_memory(story, DISPATCHER_LOAD, key);
        assert(load == NULL || load->pending == 0);
    }
    check_people(story, given);
}

static struct story *live(uint64_t with)
{
    struct story *story = story_new(&dispatcher_worker, "2026-03-02T08:00:00Z", policy);
    int64_t tickets = 0;
    seed = with * 7919 + 1;
    for (int step = 0; step < STEPS; step++) {
        char key[8];
        text_format(key, sizeof key, "T%" PRId64, tickets > 0 ? below(tickets) : 0);
        int64_t what = below(20);
        if (what < 2 || step < 4) {
            tell_site(story);
        } else if (what < 3) {
            tell_engineer(story);
        } else if (what < 7 && tickets < TICKETS) {
            text_format(key, sizeof key, "T%" PRId64, tickets++);
            tell_ticket(story, key);
        } else if (what < 14) {
            tell_job(story, key);
        } else if (what < 16) {
            tell_end(story, key);
        } else if (what < 18) {
            story_draw(story);
        } else if (what < 19) {
            story_wait(story, below(200));
        } else {
            story_restart(story);
        }
        if (step % 50 == 49) {
            story_land(story);
            check(story);
        }
    }
    story_land(story);
    check(story);
    return story;
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: %s JOURNAL\n", argv[0]);
        return 2;
    }
    for (uint64_t i = 1; i <= SEEDS; i++) {
        struct story *story = live(i);
        bool same = story_rebuilds(story);
        printf("seed %" PRIu64 ": %zu events, %s\n", i, story_head(story),
               same ? "rebuilt alike" : "REBUILT OTHERWISE");
        if (i == SEEDS)
            story_save(story, argv[1]);
        story_destroy(&story);
        if (!same)
            return 1;
    }
    return 0;
}
