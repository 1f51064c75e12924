/* ticket.* and what else hangs on a ticket: followup.*, approval.*, quote.*. */
#include "assess.h"
#include "base/text.h"
#include "desk.h"
#include "record/pack.h"
#include "worker/reference.h"
#include <assert.h>
#include <string.h>

/* NULL: unknown (refused) or a miss. */
static const struct ticket_row *ticket_of(struct desk_case *c)
{
    if (!desk_needs_key(c))
        return NULL;
    const struct ticket_row *ticket = table_get(c->tables, ARCHIVE_TICKETS, c->key);
    if (ticket == NULL)
        (void)desk_refuse(c, "ticket.unknown", "key", "%s", c->key);
    return ticket;
}

bool desk_on_ticket_fact(struct desk_case *c)
{
    const struct ticket_row *ticket = ticket_of(c);
    return ticket != NULL && desk_place(c, ticket->region, ticket->site);
}

void desk_job_end(struct desk_case *c, const char *job)
{
    char name[JOB_CAP];
    text_copy(name, sizeof(name), job);
    if (name[0] == '\0')
        return;
    struct job_row *row = table_change(c->tables, ARCHIVE_JOBS, name);
    if (row != NULL)
        row->open = false;
    struct ticket_row *ticket = table_change(c->tables, ARCHIVE_TICKETS, c->key);
    if (ticket != NULL && text_equal(ticket->job, name))
        ticket->job[0] = ticket->site[0] = '\0';
}

bool desk_on_ticket_resolved(struct desk_case *c)
{
    if (!desk_on_ticket_fact(c))
        return false;
    struct ticket_row *ticket = table_change(c->tables, ARCHIVE_TICKETS, c->key);
    ticket->resolved = true;
    desk_job_end(c, ticket->job);
    return true;
}

/* The unit remembers which of its tickets are open. */
static void unit_ticket_mark(struct desk_case *c, const struct ticket_row *ticket, bool open)
{
    if (ticket->serial[0] == '\0')
        return;
    char serial[65];
    text_copy(serial, sizeof(serial), ticket->serial);
    struct unit_row *unit = table_change(c->tables, ARCHIVE_UNITS, serial);
    if (unit == NULL)
        return;
    for (uint32_t i = 0; i < unit->tickets_n; i++)
        if (text_equal(unit->tickets[i].ticket, c->key))
            unit->tickets[i].open = open;
}

bool desk_on_ticket_ended(struct desk_case *c)
{
    if (!desk_on_ticket_fact(c))
        return false;
    struct ticket_row *ticket = table_change(c->tables, ARCHIVE_TICKETS, c->key);
    ticket->open = false;
    unit_ticket_mark(c, ticket, false);
    desk_job_end(c, ticket->job);
    return true;
}

bool desk_on_ticket_reopened(struct desk_case *c)
{
    if (!desk_on_ticket_fact(c))
        return false;
    struct ticket_row *ticket = table_change(c->tables, ARCHIVE_TICKETS, c->key);
    ticket->open = true;
    ticket->resolved = false;
    unit_ticket_mark(c, ticket, true);
    return true;
}

bool desk_on_ticket_reclassified(struct desk_case *c)
{
    const struct ticket_reclassified *data = c->data;
    if (!desk_on_ticket_fact(c))
        return false;
    struct ticket_row *ticket = table_change(c->tables, ARCHIVE_TICKETS, c->key);
    if (data->kind[0] != '\0')
        text_copy(ticket->kind, sizeof(ticket->kind), data->kind);
    if (data->region[0] != '\0')
        text_copy(ticket->region, sizeof(ticket->region), data->region);
    if (data->product[0] != '\0')
        text_copy(ticket->product, sizeof(ticket->product), data->product);
    if (data->priority[0] != '\0')
        text_copy(ticket->priority, sizeof(ticket->priority), data->priority);
    return true;
}

/* --- registration --------------------------------------------------------------------------------- */

/* Same idempotency key: the first one's answer. True: there was one. */
static bool repeated_request(struct desk_case *c, const char *request)
{
    const struct request_row *row = table_get(c->tables, ARCHIVE_REQUESTS, request);
    if (row == NULL)
        return false;
    c->repeated = true;
    c->first_pos = (uint64_t)row->pos;
    buf_append(&c->result, row->result.data, row->result.len);
    return true;
}

static bool number_give(struct desk_case *c, const struct policy *policy)
{
    char series[40];
    ticket_series(policy, desk_counts_us(c), series, sizeof(series));
    struct counter_row *counter = table_change(c->tables, ARCHIVE_COUNTERS, series);
    if (desk_missed(c))
        return false;
    if (counter == NULL)
        counter = table_new(c->tables, ARCHIVE_COUNTERS, series);
    /* A branch may have given itself one of this series: its numbers are not ours to know, but a taken one is passed over. */
    do {
        counter->last++;
        text_format(c->key, sizeof(c->key), "%s-%06lld", series, (long long)counter->last);
    } while (table_get(c->tables, ARCHIVE_TICKETS, c->key) != NULL);
    return !desk_missed(c);
}

static bool registration_check(struct desk_case *c, const struct ticket_registered *data, const struct policy *policy)
{
    if (policy == NULL)
        return desk_refuse(c, "policy.none", "", "%s", "no policy is in force");
    if (c->replaying)
        return desk_place(c, data->region, "");
    const struct policy_kind *kind = policy_kind(policy, data->kind);
    if (kind == NULL)
        kind = policy_kind(policy, "*");
    if (kind == NULL)
        return desk_refuse(c, "unknown-kind", "kind", "%s", data->kind);
    const char *missing = ticket_missing_field(kind, c->type->data, data);
    if (missing != NULL)
        return desk_refuse(c, "missing", missing, "%s", "");
    return desk_place(c, data->region, "");
}

static void ticket_fill(struct ticket_row *ticket, const struct ticket_registered *data, int64_t opened_us)
{
    ticket->open = true;
    text_copy(ticket->kind, sizeof(ticket->kind), data->kind);
    text_copy(ticket->channel, sizeof(ticket->channel), data->channel);
    text_copy(ticket->region, sizeof(ticket->region), data->region);
    text_copy(ticket->product, sizeof(ticket->product), data->product);
    text_copy(ticket->serial, sizeof(ticket->serial), data->serial);
    text_copy(ticket->customer, sizeof(ticket->customer), data->customer.id);
    text_copy(ticket->grade, sizeof(ticket->grade), data->customer.grade);
    text_copy(ticket->asked, sizeof(ticket->asked), data->priority);
    ticket->opened_us = opened_us;
    ticket->quantity = data->quantity;
}

/* What the ticket and the judgement have in common. */
static void assessed_fill(struct desk_assessed *assessed, const struct ticket_row *ticket)
{
    struct ticket_assessed *data = &assessed->data;
    text_copy(assessed->key, sizeof(assessed->key), ticket->number);
    text_copy(assessed->region, sizeof(assessed->region), ticket->region);
    text_copy(assessed->site, sizeof(assessed->site), ticket->site);
    text_copy(data->kind, sizeof(data->kind), ticket->kind);
    text_copy(data->channel, sizeof(data->channel), ticket->channel);
    text_copy(data->region, sizeof(data->region), ticket->region);
    text_copy(data->product, sizeof(data->product), ticket->product);
    text_copy(data->serial, sizeof(data->serial), ticket->serial);
    text_copy(data->customer, sizeof(data->customer), ticket->customer);
    text_copy(data->grade, sizeof(data->grade), ticket->grade);
    text_copy(data->repeat_of, sizeof(data->repeat_of), ticket->repeat_of);
    data->opened_us = ticket->opened_us;
    data->quantity = ticket->quantity;
}

static void assessed_keep(struct ticket_row *ticket, const struct ticket_assessed *data)
{
    text_copy(ticket->policy, sizeof(ticket->policy), data->policy);
    text_copy(ticket->priority, sizeof(ticket->priority), data->priority);
    text_copy(ticket->coverage, sizeof(ticket->coverage), data->coverage);
    text_copy(ticket->clause, sizeof(ticket->clause), data->clause);
    text_copy(ticket->phase, sizeof(ticket->phase), data->phase);
    ticket->covered_until_us = data->covered_until_us;
}

/* The ticket joins its unit's history; the unit need not have been sold through us. */
static void unit_join(struct desk_case *c, const struct ticket_row *ticket)
{
    struct unit_row *unit = table_change(c->tables, ARCHIVE_UNITS, ticket->serial);
    if (unit == NULL)
        unit = table_new(c->tables, ARCHIVE_UNITS, ticket->serial);
    if (unit->tickets_n == UNIT_TICKETS_MAX) {
        for (uint32_t i = 1; i < UNIT_TICKETS_MAX; i++)
            unit->tickets[i - 1] = unit->tickets[i];
        unit->tickets_n--;
    }
    struct unit_ticket *joined = &unit->tickets[unit->tickets_n++];
    *joined = (struct unit_ticket){.opened_us = ticket->opened_us, .open = true};
    text_copy(joined->ticket, sizeof(joined->ticket), ticket->number);
    text_copy(joined->kind, sizeof(joined->kind), ticket->kind);
}

static void result_fill(struct buf *result, const struct desk_assessed *assessed)
{
    const struct ticket_assessed *data = &assessed->data;
    uint32_t pairs = 3U + (data->clause[0] != '\0') + (data->covered_until_us != 0) + (data->repeat_of[0] != '\0');
    pack_map(result, pairs);
    pack_text(result, "number");
    pack_text(result, assessed->key);
    pack_text(result, "priority");
    pack_text(result, data->priority);
    pack_text(result, "coverage");
    pack_text(result, data->coverage);
    if (data->clause[0] != '\0') {
        pack_text(result, "clause");
        pack_text(result, data->clause);
    }
    if (data->covered_until_us != 0) {
        pack_text(result, "covered_until");
        pack_time(result, data->covered_until_us);
    }
    if (data->repeat_of[0] != '\0') {
        pack_text(result, "repeat_of");
        pack_text(result, data->repeat_of);
    }
}

static void request_keep(struct desk_case *c, const char *request)
{
    struct request_row *row = table_new(c->tables, ARCHIVE_REQUESTS, request);
    row->pos = (int64_t)c->pos;
    assert(c->result.len <= sizeof(row->result.data));
    row->result.len = (uint32_t)c->result.len;
    memcpy(row->result.data, c->result.data, c->result.len);
}

static void ticket_register(struct desk_case *c, const struct ticket_registered *data, const struct policy *policy)
{
    const struct unit_row *unit = data->serial[0] != '\0' ? table_get(c->tables, ARCHIVE_UNITS, data->serial) : NULL;
    const struct customer_row *customer =
        data->customer.id[0] != '\0' ? table_get(c->tables, ARCHIVE_CUSTOMERS, data->customer.id) : NULL;
    struct ticket_row *ticket = table_new(c->tables, ARCHIVE_TICKETS, c->key);
    ticket_fill(ticket, data, desk_counts_us(c));
    if (ticket->grade[0] == '\0' && customer != NULL)
        text_copy(ticket->grade, sizeof(ticket->grade), customer->grade);
    if (ticket->product[0] == '\0' && unit != NULL)
        text_copy(ticket->product, sizeof(ticket->product), unit->product);
    if (unit != NULL)
        text_copy(ticket->repeat_of, sizeof(ticket->repeat_of),
                  ticket_repeat_of(policy, unit, ticket->kind, ticket->opened_us));
    struct desk_assessed *assessed = &c->assessed[c->assessed_n++];
    record_clear(&ticket_assessed_record, &assessed->data);
    assessed_fill(assessed, ticket);
    ticket_judge(policy, ticket, unit, &assessed->data);
    assessed_keep(ticket, &assessed->data);
    if (ticket->serial[0] != '\0')
        unit_join(c, ticket);
    result_fill(&c->result, assessed);
}

bool desk_on_ticket_registered(struct desk_case *c)
{
    const struct ticket_registered *data = c->data;
    const struct policy *policy = reference_policy(c->tables, "");
    char request[132] = "";
    if (data->request_id[0] != '\0') {
        text_format(request, sizeof(request), "%s/%s", c->principal != NULL ? c->principal->id : "", data->request_id);
        if (repeated_request(c, request))
            return true;
    }
    if (!registration_check(c, data, policy))
        return false;
    if (c->key[0] == '\0' ? !number_give(c, policy) : table_get(c->tables, ARCHIVE_TICKETS, c->key) != NULL)
        return desk_refuse(c, "ticket.exists", "key", "%s", c->key);
    /* All rows that the judgement needs are asked for before anything changes: one round of misses, not three. */
    desk_touch(c->tables, c->principal != NULL ? c->principal->id : "", c->type->name, "", "", data);
    if (desk_missed(c))
        return false;
    ticket_register(c, data, policy);
    if (request[0] != '\0')
        request_keep(c, request);
    return true;
}

/* Only when the journal is told again: then the journal's judgement counts, not today's. */
bool desk_on_ticket_assessed(struct desk_case *c)
{
    const struct ticket_assessed *data = c->data;
    struct ticket_row *ticket = table_change(c->tables, ARCHIVE_TICKETS, c->key);
    if (ticket == NULL)
        return desk_refuse(c, "ticket.unknown", "key", "%s", c->key);
    assessed_keep(ticket, data);
    text_copy(ticket->repeat_of, sizeof(ticket->repeat_of), data->repeat_of);
    return true;
}

/* --- a later fact about the unit ------------------------------------------------------------------ */

void desk_reassess(struct desk_case *c, const char *number, const struct unit_row *unit)
{
    struct ticket_row *ticket = table_change(c->tables, ARCHIVE_TICKETS, number);
    if (ticket == NULL || !ticket->open || c->assessed_n == DESK_ASSESSED_MAX)
        return;
    const struct policy *policy = reference_policy(c->tables, ticket->policy);
    if (policy == NULL)
        return;
    struct desk_assessed *assessed = &c->assessed[c->assessed_n];
    record_clear(&ticket_assessed_record, &assessed->data);
    assessed_fill(assessed, ticket);
    ticket_judge(policy, ticket, unit, &assessed->data);
    /* A priority that a person put right stays. */
    text_copy(assessed->data.priority, sizeof(assessed->data.priority), ticket->priority);
    assessed->data.again = true;
    if (text_equal(assessed->data.coverage, ticket->coverage) && text_equal(assessed->data.clause, ticket->clause) &&
        assessed->data.covered_until_us == ticket->covered_until_us && text_equal(assessed->data.phase, ticket->phase))
        return;
    assessed_keep(ticket, &assessed->data);
    c->assessed_n++;
}
