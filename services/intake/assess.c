#include "assess.h"
#include "base/text.h"
#include "calendar/zone.h"
#include <stdio.h>
#include <string.h>

static const struct zone *policy_zone(const struct policy *policy)
{
    const struct zone *zone = policy->zone[0] == '\0' ? NULL : zone_find(policy->zone);
    return zone != NULL ? zone : zone_find("UTC");
}

static void date_print(const struct zone *zone, int64_t us, char out[16])
{
    struct local_time local = zone_local(zone, us);
    int written = snprintf(out, 16, "%04d-%02d-%02d", local.year % 10000, local.month % 100, local.day % 100);
    if (written != 10)
        out[0] = '\0';
}

static int64_t basis_instant(const struct policy_term *term, const struct unit_row *unit)
{
    switch ((enum policy_basis)term->basis) {
    case BASIS_SOLD:
        return unit->sold_us;
    case BASIS_ACCEPTED:
        return unit->accepted_us;
    case BASIS_MADE:
        return 0; /* the archive does not know it yet */
    }
    return 0;
}

static bool is_working_span(struct span span)
{
    return span.unit == SPAN_WORKING_DAYS || span.unit == SPAN_WORKING_HOURS;
}

/* The warranty card 三包回执卡 has to be back so long after the sale. Before that has passed the customer is believed. */
static bool card_is_in_time(const struct policy_term *term, const struct unit_row *unit, const struct zone *zone,
                            int64_t opened_us)
{
    if (term->card_within.unit == SPAN_NONE || is_working_span(term->card_within))
        return true;
    int64_t until_us = zone_add(zone, unit->sold_us, term->card_within);
    return unit->card_us != 0 ? unit->card_us <= until_us : opened_us <= until_us;
}

static void cover(struct ticket_assessed *out, const char *coverage, const char *clause)
{
    text_copy(out->coverage, sizeof(out->coverage), coverage);
    text_copy(out->clause, sizeof(out->clause), clause);
}

static void coverage_judge(const struct policy *policy, const struct policy_subject *subject,
                           const struct ticket_row *ticket, const struct unit_row *unit, struct ticket_assessed *out)
{
    static const char *const basis_names[] = {"sold", "accepted", "made"};
    const struct policy_term *term = policy_term(policy, subject);
    if (term == NULL) {
        cover(out, "unknown", "");
        return;
    }
    cover(out, "unknown", term->clause);
    if (unit == NULL) {
        text_copy(out->evidence, sizeof(out->evidence), ticket->serial[0] == '\0' ? "no serial" : "unit not in the archive");
        return;
    }
    int64_t from_us = basis_instant(term, unit);
    if (from_us == 0 || term->length.unit == SPAN_NONE || is_working_span(term->length)) {
        snprintf(out->evidence, sizeof(out->evidence), "no date %s", basis_names[term->basis]);
        return;
    }
    const struct zone *zone = policy_zone(policy);
    out->covered_until_us = zone_add(zone, from_us, term->length);
    bool in_time = card_is_in_time(term, unit, zone, ticket->opened_us);
    bool within = ticket->opened_us < out->covered_until_us;
    cover(out, within && in_time ? "free" : "paid", term->clause);
    char from[16], card[16], until[16];
    date_print(zone, from_us, from);
    date_print(zone, out->covered_until_us, until);
    date_print(zone, unit->card_us, card);
    snprintf(out->evidence, sizeof(out->evidence), "%s %s, until %s%s%s%s", basis_names[term->basis], from, until,
             unit->card_us != 0 ? ", card " : "", unit->card_us != 0 ? card : "", in_time ? "" : ", card not in time");
}

void ticket_judge(const struct policy *policy, const struct ticket_row *ticket, const struct unit_row *unit,
                  struct ticket_assessed *out)
{
    struct policy_subject subject = {
        .kind = ticket->kind,
        .region = ticket->region,
        .priority = ticket->asked,
        .product = ticket->product,
        .channel = ticket->channel,
    };
    text_copy(out->policy, sizeof(out->policy), policy->version);
    text_copy(out->priority, sizeof(out->priority), policy_priority(policy, &subject));
    subject.priority = out->priority;
    text_copy(out->phase, sizeof(out->phase), unit != NULL ? unit->phase : "");
    out->covered_until_us = 0;
    out->evidence[0] = '\0';
    coverage_judge(policy, &subject, ticket, unit, out);
}

const char *ticket_repeat_of(const struct policy *policy, const struct unit_row *unit, const char *kind, int64_t opened_us)
{
    if (policy->repeat_within.unit == SPAN_NONE || is_working_span(policy->repeat_within))
        return "";
    const struct zone *zone = policy_zone(policy);
    /* The newest earlier one: the first link leads back to all. */
    for (uint32_t i = unit->tickets_n; i-- > 0;) {
        const struct unit_ticket *earlier = &unit->tickets[i];
        if (text_equal(earlier->kind, kind) && earlier->opened_us <= opened_us &&
            zone_add(zone, earlier->opened_us, policy->repeat_within) >= opened_us)
            return earlier->ticket;
    }
    return "";
}

static bool field_is_empty(const struct field *field, const uint8_t *object)
{
    const uint8_t *at = object + field->offset;
    switch (field->kind) {
    case FIELD_BOOL:
        return !*(const bool *)at;
    case FIELD_INT:
    case FIELD_TIME: {
        int64_t value;
        memcpy(&value, at, sizeof(value));
        return value == 0;
    }
    case FIELD_SPAN: {
        struct span span;
        memcpy(&span, at, sizeof(span));
        return span.unit == SPAN_NONE;
    }
    case FIELD_TEXT:
        return at[0] == '\0';
    case FIELD_LIST: {
        uint32_t n;
        memcpy(&n, object + field->count_offset, sizeof(n));
        return n == 0;
    }
    case FIELD_SLICE: {
        struct slice slice;
        memcpy(&slice, at, sizeof(slice));
        return slice.n == 0;
    }
    case FIELD_BYTES:
    case FIELD_RAW: {
        struct bytes bytes;
        memcpy(&bytes, at, sizeof(bytes));
        return bytes.len == 0;
    }
    case FIELD_BLOB: {
        uint32_t n;
        memcpy(&n, at, sizeof(n));
        return n == 0;
    }
    case FIELD_ENUM:
    case FIELD_BIN:
    case FIELD_RECORD:
        return false;
    }
    return false;
}

static bool path_is_filled(const struct record *record, const void *data, const char *path)
{
    const uint8_t *object = data;
    for (;;) {
        char name[48];
        size_t n = strcspn(path, ".");
        if (!text_copy_n(name, sizeof(name), path, n))
            return false;
        const struct field *field = record_field(record, name);
        if (field == NULL)
            return false;
        if (path[n] == '\0')
            return !field_is_empty(field, object);
        if (field->kind != FIELD_RECORD)
            return false;
        object += field->offset;
        record = field->sub;
        path += n + 1;
    }
}

const char *ticket_missing_field(const struct policy_kind *kind, const struct record *record, const void *data)
{
    const char(*required)[48] = kind->required.items;
    for (uint32_t i = 0; i < kind->required.n; i++)
        if (!path_is_filled(record, data, required[i]))
            return required[i];
    return NULL;
}

void ticket_series(const struct policy *policy, int64_t at_us, char *out, size_t cap)
{
    struct local_time local = zone_local(policy_zone(policy), at_us);
    text_format(out, cap, "%s-%04d%02d%02d", policy->number_prefix[0] == '\0' ? "T" : policy->number_prefix, local.year,
                local.month, local.day);
}
