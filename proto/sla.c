#include "proto/sla.h"

static const struct field sla_limit_fields[] = {
    F_TEXT(sla_limit, clause, FIELD_REQUIRED, "clause of the policy"),
    F_INT_DEF(sla_limit, k, 0, 1, 1, 1000000, "which start of the clause on this key"),
    F_TIME(sla_limit, from, FIELD_REQUIRED, "counted from"),
    F_TIME(sla_limit, due, 0, "the limit; absent: the clock waits, there is none"),
    F_SPAN(sla_limit, limit, 0, "how long"),
    F_TEXT(sla_limit, calendar, 0, "version of the calendar; absent: round the clock"),
    F_INT(sla_limit, line, 0, "line of the clause that decided, from 1"),
    F_INT(sla_limit, target, 0, "version of the limit: one more when begun or chosen anew"),
    F_INT(sla_limit, start, 0, "position of the event it runs from"),
    F_INT(sla_limit, quantity, 0, "units, where the line counts by them"),
    F_TEXT(sla_limit, paused, 0, "reason it waits for; absent: it runs"),
    F_INT(sla_limit, paused_s, 0, "elapsed seconds not counted so far"),
};
static const struct record sla_limit_record = RECORD(sla_limit, sla_limit_fields, "one promise and how it was counted");
static const struct field sla_limit_elem = ELEM_RECORD(&sla_limit_record, struct sla_limit);

static const struct field sla_pause_fields[] = {
    F_TEXT(sla_pause, reason, FIELD_REQUIRED, "reason code"),
    F_TIME(sla_pause, from, FIELD_REQUIRED, "began"),
    F_TIME(sla_pause, to, 0, "ended, or its budget was used up; absent: it goes on"),
    F_TEXT(sla_pause, by, 0, "who said that it began"),
};
static const struct record sla_pause_record = RECORD(sla_pause, sla_pause_fields, "a time that does not count");
static const struct field sla_pause_elem = ELEM_RECORD(&sla_pause_record, struct sla_pause);

static const char *const cause_names[] = {"start", "reopened", "reset", "paused", "resumed", "budget-used",
                                          "retargeted", "calendar", "late-fact", NULL};
static const struct field sla_scheduled_fields[] = {
    F_TEXT(sla_scheduled, policy, 0, "policy version followed"),
    F_LIST(sla_scheduled, limits, FIELD_REQUIRED, &sla_limit_elem, "the promises that begin, or are said anew"),
    F_ENUM(sla_scheduled, cause, 0, cause_names, "why they are said"),
    F_LIST(sla_scheduled, pauses, 0, &sla_pause_elem, "waits that do not count, the last ones"),
};
const struct record sla_scheduled_record = RECORD(sla_scheduled, sla_scheduled_fields, "promises begin to count");

#define LEVEL_FIELDS(tag)                                                                                 \
    F_TEXT(tag, clause, FIELD_REQUIRED, "clause of the policy"),                                          \
        F_INT_DEF(tag, k, 0, 1, 1, 1000000, "which start of the clause on this key"),                     \
        F_INT(tag, level, 0, "below 0 before the limit, 0 at it, above 0 after it"),                      \
        F_INT(tag, target, 0, "which version of the limit"), F_TIME(tag, due, FIELD_REQUIRED, "the limit"), \
        F_TIME(tag, detected, 0, "when it was seen")

static const struct field sla_warned_fields[] = {
    LEVEL_FIELDS(sla_warned),
    F_TEXT(sla_warned, to, 0, "rung of the ladder that is told"),
};
const struct record sla_warned_record = RECORD(sla_warned, sla_warned_fields, "a limit comes near");

static const struct field sla_breached_fields[] = {
    LEVEL_FIELDS(sla_breached),
    F_TIME(sla_breached, stopped, 0, "what was promised came then; absent: not yet"),
    F_TEXT(sla_breached, to, 0, "rung of the ladder that is told"),
    F_TEXT(sla_breached, cause, 0, "retarget: past when it was chosen anew; absent: time went by"),
};
const struct record sla_breached_record = RECORD(sla_breached, sla_breached_fields, "a limit was not met");

static const struct field sla_met_fields[] = {
    F_TEXT(sla_met, clause, FIELD_REQUIRED, "clause of the policy"),
    F_INT_DEF(sla_met, k, 0, 1, 1, 1000000, "which start of the clause on this key"),
    F_INT(sla_met, target, 0, "which version of the limit"),
    F_TIME(sla_met, due, FIELD_REQUIRED, "the limit"),
    F_TIME(sla_met, stopped, FIELD_REQUIRED, "what was promised came then"),
    F_BOOL(sla_met, reported_late, 0, "in time, but told after the limit"),
    F_BOOL(sla_met, explained, 0, "met by the explanation that came before the limit"),
};
const struct record sla_met_record = RECORD(sla_met, sla_met_fields, "a limit was met");

static const struct field sla_corrected_fields[] = {
    F_TEXT(sla_corrected, clause, FIELD_REQUIRED, "clause of the policy"),
    F_INT_DEF(sla_corrected, k, 0, 1, 1, 1000000, "which start of the clause on this key"),
    F_INT(sla_corrected, target, 0, "which version of the limit"),
    F_TIME(sla_corrected, due, 0, "the limit"),
    F_TIME(sla_corrected, stopped, 0, "what was promised came then"),
    F_TEXT(sla_corrected, was, FIELD_REQUIRED, "verdict taken back: breached, met, over"),
    F_TEXT(sla_corrected, is, FIELD_REQUIRED, "verdict that holds: met, breached, open, over"),
    F_TEXT(sla_corrected, reason, 0, "why"),
};
const struct record sla_corrected_record = RECORD(sla_corrected, sla_corrected_fields, "a verdict was taken back");
