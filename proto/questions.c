#include "proto/questions.h"
#include "base/text.h"
#include "proto/branch.h"
#include "proto/job.h"

/* --- of every service --------------------------------------------------------------------------- */
struct nothing {
    bool unused;
};
static const struct record nothing_record = {.name = "nothing", .size = sizeof(struct nothing), .doc = "no arguments"};

static const struct field status_row_fields[] = {
    F_TEXT(status_row, service, FIELD_REQUIRED, "service"),
    F_INT(status_row, pos, 0, "committed cursor; intake: the head"),
    F_INT(status_row, seen, 0, "highest head heard of"),
    F_INT(status_row, upto, 0, "conclusions shipped up to"),
    F_INT(status_row, in_flight, 0, "concluded and not yet read back"),
    F_INT(status_row, parked, 0, "events parked"),
    F_TIME(status_row, checked, 0, "time is known to have passed up to then"),
    F_INT(status_row, open_rows, 0, "open rows in memory"),
    F_INT(status_row, memory_bytes, 0, "memory of the process"),
};
static const struct record status_row_record = RECORD(status_row, status_row_fields, "how far a service is");
static const struct field parked_row_fields[] = {
    F_TEXT(parked_row, event, FIELD_REQUIRED, "the event's position, 20 digits"),
    F_INT(parked_row, pos, 0, "the event's position"),
    F_TEXT(parked_row, key, 0, "its key"),
    F_TEXT(parked_row, type, 0, "its type"),
    F_TIME(parked_row, rec, 0, "when it was recorded"),
    F_TEXT(parked_row, reason, 0, "why it is set aside"),
    F_INT(parked_row, waiting, 0, "later events of its key that wait behind it"),
};
static const struct record parked_row_record = RECORD(parked_row, parked_row_fields, "an event set aside");

/* --- intake ------------------------------------------------------------------------------------- */
struct erasures_args {
    char customer[65];
};
static const struct field erasures_args_fields[] = {
    F_TEXT(erasures_args, customer, FIELD_KEYLIKE, "only of this customer"),
};
static const struct record erasures_args_record = RECORD(erasures_args, erasures_args_fields, "which erasures");
struct erasure_row {
    char erasure[24];
    int64_t pos;
    char customer[65];
    int64_t asked_us, events, refusals, erased_us, rewritten_us;
};
static const struct field erasure_row_fields[] = {
    F_TEXT(erasure_row, erasure, FIELD_REQUIRED, "the position, 20 digits"),
    F_INT(erasure_row, pos, 0, "position of the order"),
    F_TEXT(erasure_row, customer, 0, "whose personal data"),
    F_TIME(erasure_row, asked, 0, "when it was ordered"),
    F_INT(erasure_row, events, 0, "events that have lost it"),
    F_INT(erasure_row, refusals, 0, "refused events that have lost it"),
    F_TIME(erasure_row, erased, 0, "when no row had it any more; absent: not yet"),
    F_TIME(erasure_row, rewritten, 0, "when no table's file had it any more; absent: not yet"),
};
static const struct record erasure_row_record = RECORD(erasure_row, erasure_row_fields, "personal data that was erased, or is being");
static const struct field refused_args_fields[] = {
    F_TEXT(refused_args, source, 0, "only of this source"),
    F_TEXT(refused_args, code, 0, "only with this code"),
    F_TIME(refused_args, since, 0, "only what was refused since"),
    F_INT(refused_args, n, 0, "only this number of the source"),
    F_BOOL(refused_args, event, 0, "with the event, without its personal fields"),
    F_BOOL(refused_args, personal, 0, "with them"),
};
static const struct record refused_args_record = RECORD(refused_args, refused_args_fields, "which refusals");
static const struct field refused_row_fields[] = {
    F_TEXT(refused_row, refusal, FIELD_REQUIRED, "SOURCE/n, n with leading zeros"),
    F_TEXT(refused_row, source, 0, "who sent it"),
    F_INT(refused_row, n, 0, "its number"),
    F_TIME(refused_row, rec, 0, "when it was refused"),
    F_TEXT(refused_row, type, 0, "type of the event"),
    F_TEXT(refused_row, key, 0, "its key"),
    F_TEXT(refused_row, code, 0, "what is wrong"),
    F_TEXT(refused_row, field, 0, "where"),
    F_TEXT(refused_row, args, 0, "what was found or expected"),
    F_INT(refused_row, corrected, 0, "position of the event that says it rightly"),
    F_BOOL(refused_row, personal, 0, "it has personal fields"),
    F_BYTES(refused_row, event, 0, 65536, "the event as its sender made it, where it was asked for and can be read"),
};
static const struct record refused_row_record = RECORD(refused_row, refused_row_fields, "an event that was refused");

struct policies_args {
    char version[64];
};
static const struct field policies_args_fields[] = {
    F_TEXT(policies_args, version, 0, "only this version, with its content"),
};
static const struct record policies_args_record = RECORD(policies_args, policies_args_fields, "which policies");
struct policy_row {
    char version[64], name[48], replaces[64];
    int64_t pos, published_us;
    bool in_force;
    uint8_t sha256[32];
    struct bytes policy;
};
static const struct field policy_row_fields[] = {
    F_TEXT(policy_row, version, FIELD_REQUIRED, "version"),
    F_TEXT(policy_row, name, 0, "name of the policy"),
    F_TEXT(policy_row, replaces, 0, "version before it"),
    F_INT(policy_row, pos, 0, "position of its publication"),
    F_TIME(policy_row, published, 0, "when it was published"),
    F_BOOL(policy_row, in_force, 0, "new tickets follow it"),
    F_BIN(policy_row, sha256, 0, "digest of the file's text"),
    F_BYTES(policy_row, policy, 0, 65536, "its content as msgpack, where one version was asked for"),
};
static const struct record policy_row_record = RECORD(policy_row, policy_row_fields, "a published policy");

struct units_args {
    char serial[65], customer[65];
};
static const struct field units_args_fields[] = {
    F_TEXT(units_args, serial, 0, "only this unit"),
    F_TEXT(units_args, customer, 0, "only units of this customer"),
};
static const struct record units_args_record = RECORD(units_args, units_args_fields, "which units");
struct unit_row {
    char serial[65], product[64], customer[64], dealer[65], region[24];
    int64_t sold_us, accepted_us, card_us;
    char successor[65];
};
static const struct field unit_row_fields[] = {
    F_TEXT(unit_row, serial, FIELD_REQUIRED, "serial"),
    F_TEXT(unit_row, product, 0, "product line or product"),
    F_TEXT(unit_row, customer, 0, "customer"),
    F_TEXT(unit_row, dealer, 0, "site that sold it"),
    F_TEXT(unit_row, region, 0, "where it is used"),
    F_TIME(unit_row, sold, 0, "sold"),
    F_TIME(unit_row, accepted, 0, "accepted"),
    F_TIME(unit_row, card, 0, "warranty card came back"),
    F_TEXT(unit_row, successor, 0, "exchanged for"),
};
static const struct record unit_row_record = RECORD(unit_row, unit_row_fields, "a unit of the archive 服务档案");

/* --- dispatcher --------------------------------------------------------------------------------- */
struct jobs_args {
    char ticket[65], site[65], state[16];
};
static const struct field jobs_args_fields[] = {
    F_TEXT(jobs_args, ticket, 0, "only of this ticket"),
    F_TEXT(jobs_args, site, 0, "only of this site"),
    F_TEXT(jobs_args, state, 0, "offered, accepted, arrived, reported, declined, expired, withdrawn"),
};
static const struct record jobs_args_record = RECORD(jobs_args, jobs_args_fields, "which jobs");
struct job_row {
    char job[JOB_CAP], ticket[65], site[65];
    int64_t tier;
    char state[16], reason[48], region[24], engineer[65], implied[16];
    int64_t offered_us, due_us, answered_us, arrived_us, reported_us;
    char outcome[48];
};
static const struct field job_row_fields[] = {
    F_TEXT(job_row, job, FIELD_REQUIRED, "the job, TICKET/jk"),
    F_TEXT(job_row, ticket, 0, "ticket"),
    F_TEXT(job_row, site, 0, "site"),
    F_INT(job_row, tier, 0, "tier of the site"),
    F_TEXT(job_row, state, 0, "offered, accepted, arrived, reported, declined, expired, withdrawn"),
    F_TEXT(job_row, reason, 0, "why it was offered, declined or withdrawn"),
    F_TEXT(job_row, region, 0, "where the work is"),
    F_TEXT(job_row, engineer, 0, "engineer"),
    F_TEXT(job_row, implied, 0, "accepted without saying so: silence, report, resolved"),
    F_TIME(job_row, offered, 0, "offered"),
    F_TIME(job_row, due, 0, "answer by"),
    F_TIME(job_row, answered, 0, "accepted, declined or expired"),
    F_TIME(job_row, arrived, 0, "engineer arrived"),
    F_TIME(job_row, reported, 0, "reported"),
    F_TEXT(job_row, outcome, 0, "what came of it"),
};
static const struct record job_row_record = RECORD(job_row, job_row_fields, "a job 派工");

struct why_args {
    char job[JOB_CAP], ticket[65];
};
static const struct field why_args_fields[] = {
    F_TEXT(why_args, job, 0, "the choice of this job"),
    F_TEXT(why_args, ticket, 0, "the choices of this ticket's jobs"),
};
static const struct record why_args_record = RECORD(why_args, why_args_fields, "which choice");
struct why_row {
    char line[168], job[JOB_CAP], site[65];
    int64_t tier;
    bool chosen;
    char removed[48];
    int64_t load, capacity, score;
    char engineer[65];
};
static const struct field why_row_fields[] = {
    F_TEXT(why_row, line, FIELD_REQUIRED, "JOB/rank, the place in the order"),
    F_TEXT(why_row, job, 0, "the job, TICKET/jk"),
    F_TEXT(why_row, site, 0, "candidate"),
    F_INT(why_row, tier, 0, "its tier"),
    F_BOOL(why_row, chosen, 0, "it was offered the job"),
    F_TEXT(why_row, removed, 0, "what removed it: closed, territory, product, declined, tried, capacity; its engineers: no-skill, off-duty, no-pass, pass-expired, day-full"),
    F_INT(why_row, load, 0, "its open jobs then"),
    F_INT(why_row, capacity, 0, "what it can hold; 0: no bound"),
    F_INT(why_row, score, 0, "the lower the better"),
    F_TEXT(why_row, engineer, 0, "its engineer for the job"),
};
static const struct record why_row_record = RECORD(why_row, why_row_fields, "a candidate of a choice");

struct sites_args {
    int64_t tier;
};
static const struct field sites_args_fields[] = {F_INT(sites_args, tier, 0, "only of this tier; 0: all")};
static const struct record sites_args_record = RECORD(sites_args, sites_args_fields, "which sites");
struct site_row {
    char site[65], name[120];
    int64_t tier;
    char parent[65], region[24];
    bool closed;
    int64_t capacity, open_jobs, offers, accepted, declined, expired, engineers, on_duty;
};
static const struct field site_row_fields[] = {
    F_TEXT(site_row, site, FIELD_REQUIRED, "site"),
    F_TEXT(site_row, name, 0, "its name"),
    F_INT(site_row, tier, 0, "1 headquarters, 2 branch, 3 dealer or station"),
    F_TEXT(site_row, parent, 0, "site above it"),
    F_TEXT(site_row, region, 0, "where it is"),
    F_BOOL(site_row, closed, 0, "takes no more offers"),
    F_INT(site_row, capacity, 0, "open jobs it can hold; 0: no bound"),
    F_INT(site_row, open_jobs, 0, "open offers and jobs"),
    F_INT(site_row, offers, 0, "offers so far"),
    F_INT(site_row, accepted, 0, "accepted so far"),
    F_INT(site_row, declined, 0, "declined so far"),
    F_INT(site_row, expired, 0, "not answered so far"),
    F_INT(site_row, engineers, 0, "engineers on record, those who left too"),
    F_INT(site_row, on_duty, 0, "of these: neither left nor off duty"),
};
static const struct record site_row_record = RECORD(site_row, site_row_fields, "a site 网点");

struct engineers_args {
    char engineer[65], site[65], skill[64], state[16];
};
static const struct field engineers_args_fields[] = {
    F_TEXT(engineers_args, engineer, 0, "only this engineer"),
    F_TEXT(engineers_args, site, 0, "only of this site"),
    F_TEXT(engineers_args, skill, 0, "only who knows this product line"),
    F_TEXT(engineers_args, state, 0, "on, off, left"),
};
static const struct record engineers_args_record = RECORD(engineers_args, engineers_args_fields, "which engineers");
struct engineer_row {
    char engineer[65], site[65], state[16];
    char skills[16][64];
    uint32_t skills_n;
    char days[32];
    int64_t expires_us, capacity, open_jobs;
};
static const struct field skill_elem = ELEM_TEXT(64);
static const struct field engineer_row_fields[] = {
    F_TEXT(engineer_row, engineer, FIELD_REQUIRED, "engineer"),
    F_TEXT(engineer_row, site, 0, "site"),
    F_TEXT(engineer_row, state, 0, "on, off, left; days, rota and passes aside"),
    F_LIST(engineer_row, skills, 0, &skill_elem, "product lines; none: all"),
    F_TEXT(engineer_row, days, 0, "days on duty; none: every day"),
    F_TIME(engineer_row, expires, 0, "the first of the passes to run out"),
    F_INT(engineer_row, capacity, 0, "jobs given a day; 0: no bound"),
    F_INT(engineer_row, open_jobs, 0, "offers and jobs that are open"),
};
static const struct record engineer_row_record = RECORD(engineer_row, engineer_row_fields, "an engineer");

/* --- sla-watchdog ------------------------------------------------------------------------------- */
static const struct field limits_args_fields[] = {
    F_TEXT(limits_args, key, 0, "only of this ticket, unit, contract …"),
    F_TEXT(limits_args, clause, 0, "only of this clause"),
    F_TEXT(limits_args, state, 0, "running, paused, breached, met, over"),
    F_TEXT(limits_args, region, 0, "only regions with this prefix"),
};
static const struct record limits_args_record = RECORD(limits_args, limits_args_fields, "which limits");
static const struct field limit_row_fields[] = {
    F_TEXT(limit_row, limit, FIELD_REQUIRED, "KEY/CLAUSE.k"),
    F_TEXT(limit_row, key, 0, "what it runs on"),
    F_TEXT(limit_row, clause, 0, "clause of the policy"),
    F_INT(limit_row, k, 0, "which start of the clause"),
    F_INT(limit_row, target, 0, "which version of the limit"),
    F_TEXT(limit_row, region, 0, "where the work is"),
    F_TEXT(limit_row, state, 0, "running, paused, breached, met, over"),
    F_TIME(limit_row, from, 0, "counted from"),
    F_TIME(limit_row, due, 0, "the limit; absent: it waits"),
    F_TIME(limit_row, stopped, 0, "what was promised came then"),
    F_TIME(limit_row, detected, 0, "the breach was seen"),
    F_INT(limit_row, level, 0, "highest level announced"),
    F_BOOL(limit_row, reported_late, 0, "in time, but told after the limit"),
    F_TEXT(limit_row, span, 0, "how long"),
    F_TEXT(limit_row, calendar, 0, "version of the calendar; absent: round the clock"),
    F_TEXT(limit_row, policy, 0, "policy version followed"),
    F_BOOL(limit_row, explained, 0, "met by an explanation before the limit"),
    F_INT(limit_row, line, 0, "line of the clause that decided, from 1"),
    F_INT(limit_row, start, 0, "position of the event it runs from"),
    F_INT(limit_row, tier, 0, "tier that its start named"),
    F_INT(limit_row, quantity, 0, "units concerned"),
};
static const struct record limit_row_record = RECORD(limit_row, limit_row_fields, "a promise and how it stands");

static const struct field subject_args_fields[] = {
    F_TEXT(subject_args, key, FIELD_REQUIRED, "ticket, unit, contract …"),
};
static const struct record subject_args_record = RECORD(subject_args, subject_args_fields, "of what");
static const struct field subject_row_fields[] = {
    F_TEXT(subject_row, key, FIELD_REQUIRED, "what promises run on"),
    F_TEXT(subject_row, policy, 0, "policy version followed"),
    F_TEXT(subject_row, kind, 0, "kind of request"),
    F_TEXT(subject_row, region, 0, "where the work is"),
    F_TEXT(subject_row, product, 0, "product line, or the department in charge"),
    F_TEXT(subject_row, channel, 0, "how it came"),
    F_TEXT(subject_row, priority, 0, "priority"),
    F_TEXT(subject_row, coverage, 0, "free, paid, partly, unknown"),
    F_TEXT(subject_row, phase, 0, "phase of the contract"),
    F_INT(subject_row, quantity, 0, "units concerned"),
    F_TIME(subject_row, opened, 0, "facts count from there at the earliest"),
    F_TIME(subject_row, ended, 0, "closed or cancelled"),
    F_BOOL(subject_row, ticket, 0, "it is a ticket"),
    F_INT(subject_row, forgotten, 0, "facts that found no room to be remembered"),
};
static const struct record subject_row_record =
    RECORD(subject_row, subject_row_fields, "what the lines of promises are chosen by");

/* --- follow-up ---------------------------------------------------------------------------------- */
struct callbacks_args {
    char state[16], ticket[65], region[24];
};
static const struct field callbacks_args_fields[] = {
    F_TEXT(callbacks_args, state, 0, "scheduled, due, recorded, missed, void"),
    F_TEXT(callbacks_args, ticket, 0, "only of this ticket"),
    F_TEXT(callbacks_args, region, 0, "only regions with this prefix"),
};
static const struct record callbacks_args_record = RECORD(callbacks_args, callbacks_args_fields, "which callbacks");
struct callback_row {
    char callback[80], ticket[65];
    int64_t k;
    char region[24], kind[64], state[16];
    int64_t resolved_us, due_us, until_us, recorded_us, attempts;
    bool reached;
    int64_t satisfaction;
    bool reopen;
};
static const struct field callback_row_fields[] = {
    F_TEXT(callback_row, callback, FIELD_REQUIRED, "TICKET/k"),
    F_TEXT(callback_row, ticket, 0, "ticket"),
    F_INT(callback_row, k, 0, "which callback of the ticket"),
    F_TEXT(callback_row, region, 0, "where the work was"),
    F_TEXT(callback_row, kind, 0, "kind of request"),
    F_TEXT(callback_row, state, 0, "scheduled, due, recorded, missed, void"),
    F_TIME(callback_row, resolved, 0, "ticket was resolved"),
    F_TIME(callback_row, due, 0, "to be made from then"),
    F_TIME(callback_row, until, 0, "missed after that"),
    F_TIME(callback_row, recorded, 0, "last attempt"),
    F_INT(callback_row, attempts, 0, "attempts so far"),
    F_BOOL(callback_row, reached, 0, "the customer was reached"),
    F_INT(callback_row, satisfaction, 0, "score 1 to 5; 0: not asked"),
    F_BOOL(callback_row, reopen, 0, "the customer wants it done again"),
};
static const struct record callback_row_record = RECORD(callback_row, callback_row_fields, "a callback 回访");

/* --- reporting ---------------------------------------------------------------------------------- */
struct tickets_args {
    char key[65], kind[64], region[24], site[65], state[16];
};
static const struct field tickets_args_fields[] = {
    F_TEXT(tickets_args, key, 0, "only this ticket"),
    F_TEXT(tickets_args, kind, 0, "only of this kind"),
    F_TEXT(tickets_args, region, 0, "only regions with this prefix"),
    F_TEXT(tickets_args, site, 0, "only of this site"),
    F_TEXT(tickets_args, state, 0, "open (no offer yet), offered, accepted, resolved, closed, cancelled"),
};
static const struct record tickets_args_record = RECORD(tickets_args, tickets_args_fields, "which tickets");
struct ticket_row {
    char ticket[65], kind[64], channel[32], region[24], product[64], priority[32], coverage[16];
    char site[65];
    int64_t tier;
    char state[16];
    int64_t opened_us, resolved_us, closed_us;
    int64_t reopened, offers, expired, breached, satisfaction;
    char callback[16], repeat_of[65];
};
static const struct field ticket_row_fields[] = {
    F_TEXT(ticket_row, ticket, FIELD_REQUIRED, "number of the ticket"),
    F_TEXT(ticket_row, kind, 0, "kind of request"),
    F_TEXT(ticket_row, channel, 0, "how it came"),
    F_TEXT(ticket_row, region, 0, "where the work is"),
    F_TEXT(ticket_row, product, 0, "product line, or the department in charge"),
    F_TEXT(ticket_row, priority, 0, "priority"),
    F_TEXT(ticket_row, coverage, 0, "free, paid, partly, unknown"),
    F_TEXT(ticket_row, site, 0, "site that has it"),
    F_INT(ticket_row, tier, 0, "tier of the site"),
    F_TEXT(ticket_row, state, 0, "open, offered, accepted, resolved, closed, cancelled"),
    F_TIME(ticket_row, opened, 0, "opened"),
    F_TIME(ticket_row, resolved, 0, "resolved"),
    F_TIME(ticket_row, closed, 0, "closed"),
    F_INT(ticket_row, reopened, 0, "how often reopened"),
    F_INT(ticket_row, offers, 0, "offers made"),
    F_INT(ticket_row, expired, 0, "offers not answered"),
    F_INT(ticket_row, breached, 0, "limits broken"),
    F_INT(ticket_row, satisfaction, 0, "score 1 to 5; 0: not asked"),
    F_TEXT(ticket_row, callback, 0, "callback: due, recorded, missed"),
    F_TEXT(ticket_row, repeat_of, 0, "earlier ticket about the same thing"),
};
static const struct record ticket_row_record = RECORD(ticket_row, ticket_row_fields, "a line of the register 台账");

struct summary_args {
    char period[8];
};
static const struct field summary_args_fields[] = {
    F_TEXT(summary_args, period, 0, "month opened in, 2011-08; absent: all"),
};
static const struct record summary_args_record = RECORD(summary_args, summary_args_fields, "of which month");
struct summary_row {
    char line[80], section[16], item[64];
    int64_t value;
};
static const struct field summary_row_fields[] = {
    F_TEXT(summary_row, line, FIELD_REQUIRED, "SECTION/item, the place in the order"),
    F_TEXT(summary_row, section, 0, "tickets, jobs, limits, callbacks"),
    F_TEXT(summary_row, item, 0, "what was counted"),
    F_INT(summary_row, value, 0, "how many"),
};
static const struct record summary_row_record = RECORD(summary_row, summary_row_fields, "a figure");

static const struct field report_args_fields[] = {
    F_TEXT(report_args, report, FIELD_REQUIRED, "name of the report: monthly"),
    F_TEXT(report_args, period, FIELD_REQUIRED, "period, 2011-08"),
    F_TEXT(report_args, name, 0, "file; absent: the list of files"),
    F_INT(report_args, offset, 0, "piece of the file from this byte on"),
};
static const struct record report_args_record = RECORD(report_args, report_args_fields, "which file of a closed period");
static const struct field report_row_fields[] = {
    F_TEXT(report_row, name, FIELD_REQUIRED, "file name"),
    F_TEXT(report_row, media, 0, "media type"),
    F_INT(report_row, pos, 0, "position it was closed at"),
    F_INT(report_row, bytes, 0, "length of the whole file"),
    F_BIN(report_row, sha256, 0, "digest of the whole file"),
    F_INT(report_row, offset, 0, "where the piece begins"),
    F_BYTES(report_row, part, 0, REPORT_PART_BYTES, "the piece"),
};
static const struct record report_row_record = RECORD(report_row, report_row_fields, "a file or a piece of it");

/* --- the list ----------------------------------------------------------------------------------- */
#define ASK(service, nm, arg, line, about) \
    {.to = (service), .name = (nm), .args = &arg##_record, .row = &line##_record, .doc = (about)}
static const struct question_type questions[] = {
    ASK("intake", "status", nothing, status_row, "how far every service is"),
    ASK("intake", "erasures", erasures_args, erasure_row, "personal data that was erased, or is being"),
    ASK("intake", "refused", refused_args, refused_row, "events that were refused, and why"),
    ASK("intake", "policies", policies_args, policy_row, "policies published so far"),
    ASK("intake", "units", units_args, unit_row, "the archive of sold units"),
    ASK("dispatcher", "status", nothing, status_row, "how far the service is"),
    ASK("dispatcher", "parked", nothing, parked_row, "events it has set aside"),
    ASK("dispatcher", "jobs", jobs_args, job_row, "offers and jobs"),
    ASK("dispatcher", "why", why_args, why_row, "candidates of a choice and what removed each"),
    ASK("dispatcher", "sites", sites_args, site_row, "the network and its load"),
    ASK("dispatcher", "engineers", engineers_args, engineer_row, "engineers and their load"),
    ASK("sla-watchdog", "status", nothing, status_row, "how far the service is"),
    ASK("sla-watchdog", "parked", nothing, parked_row, "events it has set aside"),
    ASK("sla-watchdog", "limits", limits_args, limit_row, "promises and how they stand"),
    ASK("sla-watchdog", "subject", subject_args, subject_row, "what promises on a key are chosen by"),
    ASK("follow-up", "status", nothing, status_row, "how far the service is"),
    ASK("follow-up", "parked", nothing, parked_row, "events it has set aside"),
    ASK("follow-up", "callbacks", callbacks_args, callback_row, "callbacks to be made and made"),
    ASK("reporting", "status", nothing, status_row, "how far the service is"),
    ASK("reporting", "parked", nothing, parked_row, "events it has set aside"),
    ASK("reporting", "tickets", tickets_args, ticket_row, "the register of tickets"),
    ASK("reporting", "summary", summary_args, summary_row, "what happened, in figures"),
    ASK("reporting", "report", report_args, report_row, "the files of a closed period"),
    ASK("branch", "status", nothing, branch_status_row, "how a branch stands: its line, what waits, how old its list is"),
    ASK("branch", "jobs", branch_args, branch_job_row, "jobs on the branch's work list"),
    ASK("branch", "limits", branch_args, branch_limit_row, "promises that still stand"),
    ASK("branch", "callbacks", branch_args, branch_callback_row, "callbacks to be made"),
    ASK("branch", "queued", branch_args, branch_queued_row, "facts that wait at the branch"),
    ASK("branch", "refused", branch_refused_args, branch_refused_row, "the branch's facts that the centre refused"),
    ASK("branch", "drop", branch_drop_args, branch_refused_row, "leaves a refused fact out; answers with it"),
    ASK("branch", "files", branch_args, branch_file_row, "files that wait at the branch"),
};

const struct question_type *question_at(size_t i)
{
    return i < COUNT_OF(questions) ? &questions[i] : NULL;
}

const struct question_type *question_find(const char *to, const char *name)
{
    for (size_t i = 0; i < COUNT_OF(questions); i++)
        if (text_equal(questions[i].to, to) && text_equal(questions[i].name, name))
            return &questions[i];
    return NULL;
}

const struct record *question_args(const char *to, const char *name)
{
    const struct question_type *type = question_find(to, name);
    return type != NULL ? type->args : NULL;
}
