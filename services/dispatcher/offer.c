#include "services/dispatcher/offer.h"

#include "base/text.h"
#include "calendar/zone.h"
#include "policy/due.h"
#include "proto/ticket.h"
#include "services/dispatcher/duty.h"
#include "services/dispatcher/engineers.h"
#include "services/dispatcher/job_move.h"
#include <inttypes.h>

#define LADDER_MAX 16
#define TRIED_MAX  64
#define SLOT_CAP   EVENT_ID_CAP
/* Sites and engineers looked at behind the chosen one, for the explanation's sake. */
#define WALK_MAX 512
/* With more engineers on record than this among those who might come, a waiting ticket is looked at
 * daily. */
#define AGAIN_MAX 4096

int64_t dispatcher_now_us(const struct run *run, const struct event *event)
{
    int64_t now_us = run_now_us(run);
    return now_us > event->rec_us ? now_us : event->rec_us;
}

/* --- the ladder of tiers -----------------------------------------------------------------------
 */
struct ladder {
    const struct policy_tier *rungs[LADDER_MAX];
    size_t n;
    size_t start; /* where this ticket begins */
};

static struct policy_subject subject_of(const struct policy *policy, const struct ticket *ticket,
                                        int64_t tier)
{
    return (struct policy_subject){.kind = ticket->kind,
                                   .region = ticket->region,
                                   .priority = ticket->priority,
                                   .product = ticket->product,
                                   .channel = ticket->channel,
                                   .coverage = ticket->coverage,
                                   .tier = tier,
                                   .region_class = policy_region_class(policy, ticket->region)};
}

/* The rung of that tier; the ladder's length: none. */
static size_t ladder_find(const struct ladder *ladder, int64_t tier)
{
    size_t i = 0;
    while (i < ladder->n && ladder->rungs[i]->tier != tier)
        i++;
    return i;
}

static struct ladder ladder_of(const struct policy *policy, const struct ticket *ticket)
{
    struct ladder ladder = {.n = 0};
    const struct policy_tier *tiers = policy->dispatch.tiers.items;
    for (uint32_t i = 0; i < policy->dispatch.tiers.n && ladder.n < LADDER_MAX; i++) {
        struct policy_subject subject = subject_of(policy, ticket, tiers[i].tier);
        if (policy_matches(&tiers[i].match, &subject) &&
            ladder_find(&ladder, tiers[i].tier) == ladder.n)
            ladder.rungs[ladder.n++] = &tiers[i];
    }
    const struct policy_start *starts = policy->dispatch.start_at.items;
    for (uint32_t i = 0; i < policy->dispatch.start_at.n; i++) {
        struct policy_subject subject = subject_of(policy, ticket, 0);
        size_t rung = ladder_find(&ladder, starts[i].tier);
        if (rung < ladder.n && policy_matches(&starts[i].match, &subject)) {
            ladder.start = rung;
            break;
        }
    }
    return ladder;
}

/* --- who had it already ------------------------------------------------------------------------
 */
struct tried {
    struct candidate_tried sites[TRIED_MAX];
    int64_t tiers[TRIED_MAX]; /* of all jobs of this round */
    size_t sites_n, tiers_n;
    int64_t retry_us; /* the first one left out comes back then, 0: never */
};

/* Is who had this job left out of the ticket's further offers? */
static bool is_left_out(const struct policy *policy, const struct job *job, int64_t now_us,
                        int64_t *retry_us)
{
    if (job->state == JOB_WITHDRAWN)
        return job->changed_pos !=
               job->offered_pos; /* not when the offer was void from the start */
    if (job->state == JOB_DONE)
        return true;
    if (job->state != JOB_DECLINED && job->state != JOB_EXPIRED)
        return false;
    if (policy->dispatch.decline_excludes.unit == SPAN_NONE)
        return true;
    int64_t until_us =
        policy_span_end_us(policy, job->answered_us, policy->dispatch.decline_excludes);
    if (until_us <= now_us)
        return false;
    if (*retry_us == 0 || until_us < *retry_us)
        *retry_us = until_us;
    return true;
}

static void tried_collect(const struct tables *tables, const struct policy *policy,
                          const struct ticket *ticket, int64_t now_us, struct tried *tried)
{
    tried->sites_n = tried->tiers_n = 0;
    tried->retry_us = 0;
    for (int64_t k = ticket->offers; k > ticket->round && tried->tiers_n < TRIED_MAX; k--) {
        char id[JOB_CAP];
        dispatcher_job_id(ticket->ticket, k, id);
        const struct job *job = table_get(tables, DISPATCHER_JOB, id);
        if (job == NULL)
            continue;
        tried->tiers[tried->tiers_n++] = job->tier;
        if (is_left_out(policy, job, now_us, &tried->retry_us))
            tried->sites[tried->sites_n++] =
                (struct candidate_tried){.site = job->site, .declined = job->state == JOB_DECLINED};
    }
}

static bool tier_is_used_up(const struct tried *tried, const struct policy_tier *rung)
{
    int64_t offers = 0;
    for (size_t i = 0; i < tried->tiers_n; i++)
        offers += tried->tiers[i] == rung->tier ? 1 : 0;
    return rung->candidates_max > 0 && offers >= rung->candidates_max;
}

/* --- what a ticket needs -----------------------------------------------------------------------
 */
struct search {
    const struct policy *policy;
    struct ladder ladder;
    struct tried tried;
    struct candidate_need need; /* borrows from the others */
};

static void search_begin(const struct tables *tables, const struct policy *policy,
                         const struct ticket *ticket, int64_t now_us, struct search *search)
{
    const struct zone *zone = zone_find(policy->zone);
    search->policy = policy;
    search->ladder = ladder_of(policy, ticket);
    tried_collect(tables, policy, ticket, now_us, &search->tried);
    search->need = (struct candidate_need){.region = ticket->region,
                                           .product = ticket->product,
                                           .tried = search->tried.sites,
                                           .tried_n = search->tried.sites_n,
                                           .now_us = now_us,
                                           .zone = zone != NULL ? zone : zone_find("UTC")};
    search->need.date = dispatcher_date(search->need.zone, now_us);
}

/* The passes that the policy asks for on that tier. */
static void search_tier(struct search *search, const struct ticket *ticket, int64_t tier)
{
    const struct policy_pass *passes = search->policy->dispatch.passes.items;
    struct policy_subject subject = subject_of(search->policy, ticket, tier);
    search->need.passes_n = 0;
    for (uint32_t i = 0; i < search->policy->dispatch.passes.n && i < POLICY_PASSES_MAX; i++)
        if (policy_matches(&passes[i].match, &subject))
            search->need.passes[search->need.passes_n++] = passes[i].pass;
}

static const struct load *tier_first(const struct tables *tables, int64_t tier)
{
    struct load probe = {.tier = tier, .load = INT64_MIN};
    const struct load *load =
        table_first(tables, DISPATCHER_LOAD, DISPATCHER_LOAD_BY_CHOICE, &probe);
    return load != NULL && load->tier == tier ? load : NULL;
}

static const struct load *tier_next(const struct tables *tables, const struct load *before)
{
    const struct load *load =
        table_next(tables, DISPATCHER_LOAD, DISPATCHER_LOAD_BY_CHOICE, before);
    return load != NULL && load->tier == before->tier ? load : NULL;
}

static void sooner(int64_t *first_us, int64_t us)
{
    if (us != 0 && (*first_us == 0 || us < *first_us))
        *first_us = us;
}

/* When an engineer of the tier comes on duty who might do it. All of the tier's sites are looked
 * at, whatever their order, which depends on what is in flight; too many engineers: a day later. */
static int64_t tier_again_us(const struct tables *tables, const struct search *search, int64_t tier)
{
    int64_t first_us = 0, engineers = 0;
    for (const struct load *load = tier_first(tables, tier); load != NULL;
         load = tier_next(tables, load)) {
        const struct site *site = table_get(tables, DISPATCHER_SITE, load->site);
        if (load->staff == 0 || site == NULL ||
            dispatcher_candidate_judge(site, 0, &search->need) != REMOVED_NOT)
            continue;
        engineers += load->staff;
        if (engineers > AGAIN_MAX)
            return policy_span_end_us(search->policy, search->need.now_us,
                                      (struct span){1, SPAN_DAYS});
        sooner(&first_us, dispatcher_engineers_again_us(tables, load->site, &search->need));
    }
    return first_us;
}

int64_t dispatcher_retry_us(const struct tables *tables, const struct ticket *ticket,
                            int64_t now_us)
{
    const struct policy *policy = reference_policy(tables, ticket->policy);
    struct search search;
    if (policy == NULL)
        return 0;
    search_begin(tables, policy, ticket, now_us, &search);
    int64_t first_us = search.tried.retry_us;
    for (size_t i = search.ladder.start; i < search.ladder.n; i++) {
        if (tier_is_used_up(&search.tried, search.ladder.rungs[i]))
            continue;
        search_tier(&search, ticket, search.ladder.rungs[i]->tier);
        sooner(&first_us, tier_again_us(tables, &search, search.ladder.rungs[i]->tier));
    }
    return first_us;
}

/* --- choosing ----------------------------------------------------------------------------------
 */
/* How many engineers were looked at. */
static size_t consider(const struct tables *tables, const struct load *load,
                       const struct candidate_need *need, struct candidates *list)
{
    const struct site *site = table_get(tables, DISPATCHER_SITE, load->site);
    struct candidate candidate = {.site = site, .load = load->load + load->pending};
    struct engineer_pick pick = {.looks = 0};
    if (site == NULL)
        return 0;
    candidate.removed = dispatcher_candidate_judge(site, candidate.load, need);
    if (candidate.removed == REMOVED_NOT && load->staff > 0) {
        pick = dispatcher_engineer_pick(tables, load->site, need);
        candidate.removed = pick.removed;
        candidate.engineer = pick.engineer;
    }
    dispatcher_candidates_add(list, &candidate);
    return pick.looks;
}

/* `prefer`: a site that comes first if it can; "" none. False: nobody on this tier. */
static bool choose(const struct tables *tables, const struct candidate_need *need, int64_t tier,
                   const char *prefer, struct candidates *list)
{
    const struct load *preferred =
        prefer[0] != '\0' ? table_get(tables, DISPATCHER_LOAD, prefer) : NULL;
    if (preferred != NULL && preferred->tier == tier)
        consider(tables, preferred, need, list);
    size_t walked = 0;
    for (const struct load *load = tier_first(tables, tier); load != NULL && walked < WALK_MAX;
         load = tier_next(tables, load)) {
        size_t looks = load != preferred ? consider(tables, load, need, list) : 0;
        if (list->able_all > 0)
            walked += 1 + 3 * looks; /* an engineer is as dear as three sites */
    }
    return list->able_all > 0;
}

/* Who had the ticket before it was reopened goes on with it, if possible; NULL: it was not. */
static const struct job *job_before(const struct tables *tables, const struct ticket *ticket)
{
    char id[JOB_CAP];
    if (ticket->offers != ticket->round || ticket->last == 0)
        return NULL;
    dispatcher_job_id(ticket->ticket, ticket->last, id);
    return table_get(tables, DISPATCHER_JOB, id);
}

/* --- concluding --------------------------------------------------------------------------------
 */
static bool escalate(struct run *run, const struct ticket *ticket, const char *slot, int64_t tier,
                     const char *why)
{
    struct ticket_escalated data = {.tier = tier};
    text_copy(data.why, sizeof data.why, why);
    return conclude(run, slot, "ticket.escalated", ticket->ticket, &ticket_escalated_record, &data);
}

bool dispatcher_nobody(struct run *run, const struct ticket *ticket, int64_t tier, const char *why)
{
    char slot[SLOT_CAP];
    text_format(slot, sizeof slot, "dispatcher/%s/nobody/%" PRId64, ticket->ticket,
                ticket->waits + 1);
    return escalate(run, ticket, slot, tier, why);
}

static const char *reason_of(const struct ticket *ticket, bool climbs)
{
    if (ticket->round > 0 && ticket->offers == ticket->round)
        return "reopened";
    if (climbs)
        return "tier-up";
    return ticket->offers == 0 ? "first" : "next";
}

struct plan { /* all that is needed to put an offer together */
    const struct policy *policy;
    const struct policy_tier *rung;
    bool climbs;
};

static bool conclude_offer(struct run *run, const struct ticket *ticket, const struct plan *plan,
                           const struct candidates *list, const struct offer_wish *wish)
{
    int64_t k = ticket->offers + 1;
    char slot[SLOT_CAP];
    if (plan->climbs) {
        text_format(slot, sizeof slot, "dispatcher/%s/escalated/%" PRId64, ticket->ticket, k);
        escalate(run, ticket, slot, plan->rung->tier, wish->why);
    }
    const struct candidate *chosen = &list->able[0];
    struct job_offered data = {
        .tier = plan->rung->tier, .candidates = list->able_all, .load = chosen->load};
    dispatcher_job_id(ticket->ticket, k, data.job);
    text_copy(data.site, sizeof data.site, chosen->site->site);
    if (plan->rung->accept_within.unit != SPAN_NONE)
        data.due_us = policy_span_end_us(plan->policy, wish->now_us, plan->rung->accept_within);
    text_copy(data.silence, sizeof data.silence,
              plan->rung->silence == SILENCE_ACCEPTS ? "accepts" : "expires");
    text_copy(data.policy, sizeof data.policy, plan->policy->version);
    text_copy(data.reason, sizeof data.reason, reason_of(ticket, plan->climbs));
    if (chosen->engineer != NULL)
        text_copy(data.engineer, sizeof data.engineer, chosen->engineer);
    dispatcher_candidates_print(list, data.choice);
    text_format(slot, sizeof slot, "dispatcher/%s/offer/%" PRId64, ticket->ticket, k);
    return conclude(run, slot, "job.offered", ticket->ticket, &job_offered_record, &data);
}

/* From where on the ladder is to be climbed: a ticket that waits looks at all of it again. */
static size_t ladder_from(const struct ladder *ladder, const struct ticket *ticket,
                          const struct offer_wish *wish)
{
    if (ticket->waiting_pos != 0 || ticket->offers == 0)
        return ladder->start;
    size_t rung = ladder_find(ladder, ticket->tier);
    if (rung == ladder->n)
        return ladder->start;
    return wish->above && rung + 1 < ladder->n ? rung + 1 : rung;
}

bool dispatcher_offer(struct run *run, const struct tables *tables, const char *ticket_key,
                      const struct offer_wish *wish)
{
    const struct ticket *ticket = table_get(tables, DISPATCHER_TICKET, ticket_key);
    if (ticket == NULL || ticket->state != TICKET_OPEN || ticket->live != 0)
        return false;
    const struct policy *policy = reference_policy(tables, ticket->policy);
    char slot[SLOT_CAP];
    text_format(slot, sizeof slot, "dispatcher/%s/offer/%" PRId64, ticket_key, ticket->offers + 1);
    if (policy == NULL || run_in_flight(run, slot))
        return false;

    struct search search;
    search_begin(tables, policy, ticket, wish->now_us, &search);
    const struct ladder *ladder = &search.ladder;
    const struct job *before_it = job_before(tables, ticket);
    search.need.engineer = before_it != NULL ? before_it->engineer : NULL;
    size_t before = ticket->offers > 0 ? ladder_find(ladder, ticket->tier) : ladder->start;
    for (size_t i = ladder_from(ladder, ticket, wish); i < ladder->n; i++) {
        const struct policy_tier *rung = ladder->rungs[i];
        struct candidates list = {.able_n = 0};
        search_tier(&search, ticket, rung->tier);
        if (tier_is_used_up(&search.tried, rung) ||
            !choose(tables, &search.need, rung->tier, before_it != NULL ? before_it->site : "",
                    &list))
            continue;
        struct plan plan = {.policy = policy, .rung = rung, .climbs = i > before};
        return conclude_offer(run, ticket, &plan, &list, wish);
    }
    if (wish->quiet || ticket->waiting_pos != 0)
        return false;
    return dispatcher_nobody(run, ticket, ladder->n > 0 ? ladder->rungs[ladder->n - 1]->tier : 0,
                             WHY_NOBODY);
}

void dispatcher_withdraw(struct run *run, const struct job *job, const char *reason)
{
    char slot[SLOT_CAP];
    struct job_withdrawn data = {.job = ""};
    text_copy(data.job, sizeof data.job, job->job);
    text_copy(data.site, sizeof data.site, job->site);
    text_copy(data.reason, sizeof data.reason, reason);
    text_format(slot, sizeof slot, "dispatcher/%s/withdrawn/%" PRId64, job->ticket,
                dispatcher_job_k(job->job));
    conclude(run, slot, "job.withdrawn", job->ticket, &job_withdrawn_record, &data);
}

void dispatcher_take_from_newer(struct run *run, const struct tables *tables,
                                const struct ticket *ticket, const struct job *holder)
{
    char id[JOB_CAP];
    if (ticket->offers <= dispatcher_job_k(holder->job))
        return;
    dispatcher_job_id(ticket->ticket, ticket->offers, id);
    const struct job *newer = table_get(tables, DISPATCHER_JOB, id);
    if (newer != NULL && newer->state == JOB_OFFERED)
        dispatcher_withdraw(run, newer, "taken");
}

void dispatcher_imply(struct run *run, const struct job *job, const char *implied)
{
    char slot[SLOT_CAP];
    struct job_accepted data = {.job = ""};
    text_copy(data.job, sizeof data.job, job->job);
    text_copy(data.site, sizeof data.site, job->site);
    text_copy(data.implied, sizeof data.implied, implied);
    text_format(slot, sizeof slot, "dispatcher/%s/accepted/%" PRId64 "/%s", job->ticket,
                dispatcher_job_k(job->job), implied);
    conclude(run, slot, "job.accepted", job->ticket, &job_accepted_record, &data);
}

void dispatcher_counter(struct run *run, const struct tables *tables, const char *ticket_key,
                        const char *job_id, enum job_news news)
{
    const struct ticket *ticket;
    const struct job *job = dispatcher_job_of(tables, ticket_key, job_id, &ticket);
    if (job == NULL)
        return;
    enum job_standing standing = dispatcher_standing(tables, ticket, dispatcher_job_k(job_id));
    struct job_step step = dispatcher_job_next((enum job_state)job->state, news, standing);
    if (step.counter != NULL)
        dispatcher_withdraw(run, job, step.counter);
}
