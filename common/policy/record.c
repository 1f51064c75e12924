#include "policy/policy.h"

#include "policy/published.h"

#define LINES_MAX 512
#define WORDS_MAX 512

static const struct field kind_elem = ELEM_TEXT(POLICY_KIND_CAP);
static const struct field region_elem = ELEM_TEXT(POLICY_REGION_CAP);
static const struct field word_elem = ELEM_TEXT(POLICY_WORD_CAP);
static const struct field product_elem = ELEM_TEXT(POLICY_PRODUCT_CAP);
static const struct field coverage_elem = ELEM_TEXT(POLICY_COVERAGE_CAP);
static const struct field tier_number_elem = ELEM_INT();
static const struct field path_elem = ELEM_TEXT(POLICY_PATH_CAP);
static const struct field calendar_elem = ELEM_TEXT(48);

static const struct field match_fields[] = {
    F_SLICE(policy_match, kinds, 0, &kind_elem, WORDS_MAX, "kinds of ticket"),
    F_SLICE(policy_match, regions, 0, &region_elem, WORDS_MAX, "regions, by prefix"),
    F_SLICE(policy_match, priorities, 0, &word_elem, 32, "priorities"),
    F_SLICE(policy_match, products, 0, &product_elem, WORDS_MAX, "product lines"),
    F_SLICE(policy_match, channels, 0, &word_elem, 64, "channels"),
    F_SLICE(policy_match, coverages, 0, &coverage_elem, 4, "free, paid, partly, unknown"),
    F_SLICE(policy_match, tiers, 0, &tier_number_elem, 16, "tiers"),
    F_SLICE(policy_match, phases, 0, &word_elem, 16, "phases of the contract"),
    F_SLICE(policy_match, region_classes, 0, &word_elem, 16,
            "classes of region, as the policy names them"),
};
static const struct record match_record =
    RECORD(policy_match, match_fields, "what a line applies to; an empty list matches everything");

static const struct field kind_fields[] = {
    F_TEXT(policy_kind, name, FIELD_REQUIRED, "\"repair\"; \"*\" is any other"),
    F_TEXT(policy_kind, title, 0, "for people"),
    F_SLICE(policy_kind, required, 0, &path_elem, 32,
            "fields a registration must have, \"customer.phone\""),
};
static const struct record kind_record = RECORD(policy_kind, kind_fields, "a kind of ticket");
static const struct field kinds_elem = ELEM_RECORD(&kind_record, struct policy_kind);

static const struct field priority_fields[] = {
    F_TEXT(policy_priority, priority, FIELD_REQUIRED, "the priority given"),
    F_RECORD(policy_priority, match, 0, &match_record, "to these; priorities: the one asked for"),
};
static const struct record priority_record =
    RECORD(policy_priority, priority_fields, "first match decides; none: normal");
static const struct field priorities_elem = ELEM_RECORD(&priority_record, struct policy_priority);

static const char *const basis_names[] = {"sold", "accepted", "made", NULL};
static const struct field term_fields[] = {
    F_TEXT(policy_term, clause, FIELD_REQUIRED, "named in the judgement"),
    F_RECORD(policy_term, match, 0, &match_record, "for these"),
    F_ENUM(policy_term, basis, 0, basis_names, "which date it runs from"),
    F_SPAN(policy_term, length, FIELD_REQUIRED, "how long it lasts"),
    F_SPAN(policy_term, card_within, 0, "the warranty card must be back so long after the sale"),
};
static const struct record term_record =
    RECORD(policy_term, term_fields, "a term of warranty; first match decides; none: unknown");
static const struct field terms_elem = ELEM_RECORD(&term_record, struct policy_term);

static const char *const silence_names[] = {"expires", "accepts", NULL};
static const struct field tier_fields[] = {
    F_INT_RANGE(policy_tier, tier, FIELD_REQUIRED, 1, 99,
                "1 headquarters, higher is nearer to the customer"),
    F_RECORD(policy_tier, match, 0, &match_record, "takes only these"),
    F_SPAN(policy_tier, accept_within, 0, "how long an offer stands; absent: without limit"),
    F_ENUM(policy_tier, silence, 0, silence_names, "what not answering means"),
    F_INT_RANGE(policy_tier, candidates_max, 0, 0, 1000,
                "offers here before the next tier, 0: all"),
};
static const struct record tier_record =
    RECORD(policy_tier, tier_fields, "a rung of the service network");
static const struct field tiers_elem = ELEM_RECORD(&tier_record, struct policy_tier);

static const struct field start_fields[] = {
    F_INT_RANGE(policy_start, tier, FIELD_REQUIRED, 1, 99, "where offers begin"),
    F_RECORD(policy_start, match, 0, &match_record, "for these"),
};
static const struct record start_record =
    RECORD(policy_start, start_fields, "who starts higher up");
static const struct field starts_elem = ELEM_RECORD(&start_record, struct policy_start);

static const struct field pass_fields[] = {
    F_TEXT(policy_pass, pass, FIELD_REQUIRED, "pass or certificate, valid when the job is offered"),
    F_RECORD(policy_pass, match, 0, &match_record, "for these"),
};
static const struct record pass_record =
    RECORD(policy_pass, pass_fields, "what an engineer must hold");
static const struct field passes_elem = ELEM_RECORD(&pass_record, struct policy_pass);

static const struct field dispatch_fields[] = {
    F_SLICE(policy_dispatch, tiers, 0, &tiers_elem, 16, "in the order offers go"),
    F_SLICE(policy_dispatch, start_at, 0, &starts_elem, LINES_MAX,
            "emergencies start high; first match decides"),
    F_SPAN(policy_dispatch, decline_excludes, 0,
           "how long who declined is left out; absent: for good"),
    F_SLICE(policy_dispatch, passes, 0, &passes_elem, POLICY_PASSES_MAX,
            "what engineers must hold; all lines that match"),
};
static const struct record dispatch_record = RECORD(policy_dispatch, dispatch_fields, "who goes");

static const struct field region_class_fields[] = {
    F_TEXT(policy_region_class, class, FIELD_REQUIRED, "name of the class"),
    F_SLICE(policy_region_class, regions, 0, &region_elem, WORDS_MAX,
            "regions in it, by prefix; none: all others"),
};
static const struct record region_class_record =
    RECORD(policy_region_class, region_class_fields, "a class of regions; first match decides");
static const struct field region_classes_elem =
    ELEM_RECORD(&region_class_record, struct policy_region_class);

static const struct field rung_fields[] = {
    F_TEXT(policy_rung, to, FIELD_REQUIRED, "who is told, as levels name it"),
    F_TEXT(policy_rung, title, 0, "for people"),
};
static const struct record rung_record =
    RECORD_BRIEF(policy_rung, rung_fields, "a rung of the ladder of superiors");
static const struct field ladder_elem = ELEM_RECORD(&rung_record, struct policy_rung);

static const struct field worth_elem = ELEM_TEXT(POLICY_WORTH_CAP);
static const struct field when_fields[] = {
    F_TEXT(policy_when, field, FIELD_REQUIRED, "field of the event's data"),
    F_SLICE(policy_when, is, 0, &worth_elem, 64,
            "one of these; numbers and true, false as their text"),
    F_SLICE(policy_when, is_not, 0, &worth_elem, 64, "none of these"),
};
static const struct record when_record = RECORD(policy_when, when_fields, "what a field must say");
static const struct field when_elem = ELEM_RECORD(&when_record, struct policy_when);
static const struct field event_fields[] = {
    F_TEXT(policy_event, type, FIELD_REQUIRED, "event type"),
    F_SLICE(policy_event, when, 0, &when_elem, 8, "and its data say so, all of these"),
    F_TEXT(policy_event, from, 0, "start: counted from the instant in this field of its data"),
};
static const struct record event_record = RECORD_BRIEF(policy_event, event_fields, "an event");
static const struct field events_elem = ELEM_RECORD(&event_record, struct policy_event);

static const struct field reason_elem = ELEM_TEXT(48);
static const struct field pause_fields[] = {
    F_TEXT(policy_pause, reason, FIELD_REQUIRED | FIELD_KEYLIKE,
           "as clauses and ticket.waiting name it"),
    F_TEXT(policy_pause, title, 0, "for people"),
    F_SLICE(policy_pause, begin, 0, &events_elem, 8,
            "begins it; absent: ticket.waiting with this reason"),
    F_SLICE(policy_pause, end, 0, &events_elem, 8,
            "ends it; absent: ticket.resumed with this reason or none"),
    F_SPAN(policy_pause, budget, 0, "so long in all, then the clock runs on; absent: no bound"),
    F_TEXT(policy_pause, more_by, 0, "rung that may approve more"),
};
static const struct record pause_record = RECORD(policy_pause, pause_fields, "a reason to wait");
static const struct field pauses_elem = ELEM_RECORD(&pause_record, struct policy_pause);

static const struct field limit_fields[] = {
    F_RECORD(policy_limit, match, 0, &match_record, "for these"),
    F_SPAN(policy_limit, limit, 0, "\"2h\", \"3d\", \"10wd\"; absent: `by` alone"),
    F_INT_RANGE(policy_limit, per_units, 0, 0, 1000000,
                "the limit is for so many units, and again for each more begun"),
    F_TEXT(policy_limit, by, 0, "\"17:00\" of the day that the limit ends in"),
    F_TEXT(policy_limit, calendar, 0, "of this line; absent: the clause's"),
};
static const struct record limit_record =
    RECORD(policy_limit, limit_fields, "first match decides; none: no such promise");
static const struct field limits_elem = ELEM_RECORD(&limit_record, struct policy_limit);

static const struct field level_fields[] = {
    F_SPAN(policy_level, at, FIELD_REQUIRED, "from the limit: \"-2h\" before, \"1d\" after"),
    F_TEXT(policy_level, to, 0, "who is told: a rung of the ladder"),
};
static const struct record level_record =
    RECORD(policy_level, level_fields, "a warning before the limit, a step up after it");
static const struct field levels_elem = ELEM_RECORD(&level_record, struct policy_level);

static const char *const counting_names[] = {"hours", "time-of-day", NULL};
static const struct field clause_fields[] = {
    F_TEXT(policy_clause, id, FIELD_REQUIRED | FIELD_KEYLIKE, "its name in events and reports"),
    F_TEXT(policy_clause, title, 0, "for people"),
    F_SLICE(policy_clause, start, FIELD_REQUIRED, &events_elem, 8,
            "events that start the clock, any of them"),
    F_SLICE(policy_clause, stop, FIELD_REQUIRED, &events_elem, 8, "events that stop it"),
    F_SLICE(policy_clause, reset, 0, &events_elem, 8, "events from which it begins anew"),
    F_SLICE(policy_clause, cancel, 0, &events_elem, 8, "events that end it without a verdict"),
    F_SLICE(policy_clause, pause, 0, &reason_elem, POLICY_PAUSES_MAX,
            "reasons that stop the clock; none: nothing moves it"),
    F_BOOL(policy_clause, explain, 0, "an explanation before the limit meets it"),
    F_BOOL(policy_clause, outlives, 0, "runs on when the ticket is closed; only ticket.cancelled ends it"),
    F_TEXT(policy_clause, calendar, 0, "of wd and wh limits"),
    F_ENUM(policy_clause, counting, 0, counting_names, "how working days count"),
    F_TEXT(policy_clause, cutoff, 0,
           "time-of-day: openings from here on count from `resume` of the next working day"),
    F_TEXT(policy_clause, resume, 0, "\"08:30\""),
    F_SLICE(policy_clause, limits, FIELD_REQUIRED, &limits_elem, LINES_MAX, "the limit by case"),
    F_SLICE(policy_clause, levels, 0, &levels_elem, POLICY_LEVELS_MAX,
            "in the order of time; the limit itself is always one"),
};
static const struct record clause_record = RECORD(policy_clause, clause_fields, "a promise");
static const struct field clauses_elem = ELEM_RECORD(&clause_record, struct policy_clause);

static const struct field followup_fields[] = {
    F_RECORD(policy_followup, match, 0, &match_record, "for these"),
    F_SPAN(policy_followup, after, FIELD_REQUIRED, "the callback is due so long after the work"),
    F_SPAN(policy_followup, window, FIELD_REQUIRED, "and missed so long after that"),
    F_INT_RANGE(policy_followup, reopen_below, 0, 0, 5,
                "a score below reopens the ticket; 0: only when asked for"),
};
static const struct record followup_record =
    RECORD(policy_followup, followup_fields, "a callback; first match decides; none: no callback");
static const struct field followups_elem = ELEM_RECORD(&followup_record, struct policy_followup);

static const struct field policy_fields[] = {
    F_TEXT(policy, name, FIELD_REQUIRED | FIELD_KEYLIKE,
           "the policy's name, the same in all versions"),
    F_TEXT(policy, version, FIELD_REQUIRED | FIELD_KEYLIKE, "a published version never changes"),
    F_TEXT(policy, title, 0, "for people"),
    F_TEXT(policy, zone, FIELD_REQUIRED, "time zone of days and dates, \"Asia/Shanghai\""),
    F_TEXT(policy, number_prefix, 0, "of ticket numbers given by the centre"),
    F_SLICE(policy, kinds, FIELD_REQUIRED, &kinds_elem, WORDS_MAX, "kinds of ticket"),
    F_SLICE(policy, priorities, 0, &priorities_elem, LINES_MAX, "who is urgent"),
    {.name = "coverage",
     .kind = FIELD_SLICE,
     F_AT(policy, terms),
     .elem = &terms_elem,
     .max = LINES_MAX,
     .doc = "warranty terms"},
    F_RECORD(policy, dispatch, 0, &dispatch_record, "who goes"),
    F_SLICE(policy, region_classes, 0, &region_classes_elem, 32, "classes of region, for limits"),
    F_SLICE(policy, ladder, 0, &ladder_elem, 16, "the ladder of superiors, lowest first"),
    F_SLICE(policy, pauses, 0, &pauses_elem, POLICY_PAUSES_MAX, "reasons why the centre waits"),
    F_BOOL(policy, retarget_open, 0, "open tickets follow this version from its publication on"),
    F_BOOL(policy, reads_recorded, 0, "each reading of a customer's personal data is put on record"),
    F_SLICE(policy, sla, 0, &clauses_elem, POLICY_CLAUSES_MAX, "promises"),
    F_SLICE(policy, followup, 0, &followups_elem, LINES_MAX, "callbacks"),
    F_SPAN(policy, repeat_within, 0, "same unit and kind again within: a repeat"),
    F_SPAN(policy, reopen_within, 0, "a closed ticket is reopened within this"),
    F_SPAN(policy, late_facts_within, 0, "a fact reported later counts from its recording"),
    F_SLICE(policy, calendars, 0, &calendar_elem, 16, "working calendars it needs"),
};
const struct record policy_record = RECORD(policy, policy_fields, "a company's rules");

static const struct field policy_published_fields[] = {
    F_TEXT(policy_published, name, FIELD_REQUIRED | FIELD_KEYLIKE, "the policy"),
    F_TEXT(policy_published, version, FIELD_REQUIRED | FIELD_KEYLIKE, "now in force"),
    F_TEXT(policy_published, replaces, 0, "the version it replaces; absent: the first"),
    F_BIN(policy_published, sha256, 0, "of the file's text"),
    F_RAW(policy_published, policy, FIELD_REQUIRED, 0, "the policy itself"),
};
const struct record policy_published_record =
    RECORD(policy_published, policy_published_fields, "a policy comes into force");

static const struct field calendar_published_fields[] = {
    F_TEXT(calendar_published, name, FIELD_REQUIRED | FIELD_KEYLIKE, "the calendar"),
    F_TEXT(calendar_published, version, FIELD_REQUIRED | FIELD_KEYLIKE, "now in force"),
    F_RAW(calendar_published, calendar, FIELD_REQUIRED, 0, "the calendar itself"),
};
const struct record calendar_published_record =
    RECORD(calendar_published, calendar_published_fields, "a calendar comes into force");
