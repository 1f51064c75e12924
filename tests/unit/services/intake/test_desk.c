/* The desk: registrations, refusals, coverage, repeats, who may speak of a job. */
#include "office.h"
#include "base/text.h"
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define REPAIR "{\"kind\":\"repair\",\"region\":\"4401\"}"
#define REPAIR_OF_SN1 "{\"kind\":\"repair\",\"region\":\"4401\",\"serial\":\"SN1\"}"
#define PHONE "{\"customer\":{\"phone\":\"123\"}}"

static struct office office;

static int setup(void **state)
{
    (void)state;
    office_open(&office, CLOCK_WALL);
    office_furnish(&office);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    office_close(&office);
    return 0;
}

static void test_registration_is_judged_beside_it(void **state)
{
    struct ticket_assessed assessed;
    char text[64];
    (void)state;
    assert_true(office_say(&office, "gd01", "ticket.registered", "GD-7", REPAIR, PHONE));
    uint32_t n = office.batch.entries_n;
    uint64_t registered = office_event(&office, n - 2, NULL, NULL)->pos;
    assert_string_equal(office.event.type, "ticket.registered");
    assert_string_equal(office.event.region, "4401");
    assert_int_equal(office.answer.pos, registered);
    const struct event *event = office_last(&office, &ticket_assessed_record, &assessed);
    assert_string_equal(event->type, "ticket.assessed");
    assert_string_equal(event->from, "intake");
    assert_string_equal(event->key, "GD-7");
    assert_int_equal(event->cause, registered);
    assert_int_equal(event->pos, registered + 1);
    assert_string_equal(assessed.policy, "v1");
    assert_string_equal(assessed.priority, "normal");
    assert_int_equal(assessed.opened_us, office.now_us);
    assert_false(assessed.again);
    assert_string_equal(office_result(&office, "number", text), "GD-7");
    assert_string_equal(office_result(&office, "coverage", text), "unknown");
}

static void test_what_is_refused(void **state)
{
    static const struct {
        const char *source, *type, *key, *data, *priv, *code, *field;
    } refused[] = {
        {"gd01", "ticket.registered", "", REPAIR, NULL, "missing", "customer.phone"},
        {"gd01", "ticket.registered", "", "{\"kind\":\"repair\"}", PHONE, "missing", "region"},
        {"gd01", "ticket.registered", "", "{\"region\":\"4401\"}", PHONE, "missing", "kind"},
        {"gd01", "ticket.registered", "", "{\"kind\":\"party\",\"region\":\"4401\"}", PHONE, "unknown-kind", "kind"},
        {"gd01", "ticket.registered", "", "{\"kind\":\"repair\",\"region\":\"1101\"}", PHONE, "denied", "region"},
        {"gd01", "ticket.registered", "GD-1", REPAIR, PHONE, "ticket.exists", "key"},
        {"gd01", "ticket.noted", "GD-404", NULL, NULL, "ticket.unknown", "key"},
        {"gd01", "ticket.noted", "", NULL, NULL, "missing", "key"},
        {"gd01", "ticket.noted", "GD-1", "{\"knid\":\"x\"}", NULL, "unknown-field", "knid"},
        {"gd01", "ticket.sung", "GD-1", NULL, NULL, "type.unknown", "type"},
        {"gd01", "ticket.assessed", "GD-1", "{\"kind\":\"repair\"}", NULL, "denied", "type"},
        {"gd01", "policy.published", "house", NULL, NULL, "denied", "type"},
        {"stranger", "ticket.noted", "GD-1", NULL, NULL, "denied", "principal"},
        {"gd01", "job.accepted", "GD-1", "{\"job\":\"GD-1/j1\"}", NULL, "job.unknown", "job"},
        {"operator", "policy.published", "house", "{\"name\":\"house\",\"version\":\"v1\",\"policy\":{\"version\":\"v1\",\"zone\":\"UTC\",\"name\":\"house\",\"kinds\":[{\"name\":\"*\"}]}}", NULL,
         "policy.exists", "version"},
        {"operator", "policy.published", "house", "{\"name\":\"house\",\"version\":\"v2\",\"policy\":{\"version\":\"v2\",\"zone\":\"UTC\",\"name\":\"house\",\"kinds\":[{\"name\":\"*\"}]}}", NULL,
         "policy.replaces", "replaces"},
        {"operator", "principal.added", "gd01", "{\"id\":\"gd01\",\"kind\":\"branch\"}", NULL, "principal.exists", "id"},
        {"operator", "principal.changed", "gd99", "{\"id\":\"gd99\",\"kind\":\"branch\"}", NULL, "principal.unknown", "id"},
    };
    (void)state;
    assert_true(office_say(&office, "gd01", "ticket.registered", "GD-1", REPAIR, PHONE));
    for (size_t i = 0; i < COUNT_OF(refused); i++)
        office_refuses(&office, refused[i].source, refused[i].type, refused[i].key, refused[i].data, refused[i].priv,
                       refused[i].code, refused[i].field);
}

static void test_numbers(void **state)
{
    char text[64];
    (void)state;
    office.now_us = INT64_C(1309536000000000); /* 16:00 UTC on 1 July is the second in Shanghai */
    assert_true(office_say(&office, "gd01", "ticket.registered", "", REPAIR, PHONE));
    assert_string_equal(office_result(&office, "number", text), "GD01-20110702-000001");
    assert_string_equal(office_last(&office, NULL, NULL)->key, "GD01-20110702-000001");
    /* A branch has given itself the next one. */
    assert_true(office_say(&office, "gd01", "ticket.registered", "GD01-20110702-000002", REPAIR, PHONE));
    assert_true(office_say(&office, "gd01", "ticket.registered", "", REPAIR, PHONE));
    assert_string_equal(office_result(&office, "number", text), "GD01-20110702-000003");
    office.now_us += DAY_US;
    assert_true(office_say(&office, "gd01", "ticket.registered", "", REPAIR, PHONE));
    assert_string_equal(office_result(&office, "number", text), "GD01-20110703-000001");
}

static void test_a_refused_one_uses_no_ticket_number(void **state)
{
    char text[64];
    (void)state;
    office_refuses(&office, "gd01", "ticket.registered", "", REPAIR, NULL, "missing", "customer.phone");
    assert_true(office_say(&office, "gd01", "ticket.registered", "", REPAIR, PHONE));
    assert_string_equal(office_result(&office, "number", text), "GD01-20110701-000001");
}

static void test_idempotency_key(void **state)
{
    static const char data[] = "{\"kind\":\"repair\",\"region\":\"4401\",\"request_id\":\"r1\"}";
    char first[64], again[64];
    (void)state;
    assert_true(office_say(&office, "gd01/a", "ticket.registered", "", data, PHONE));
    int64_t pos = office.answer.pos;
    office_result(&office, "number", first);
    uint32_t entries = office.batch.entries_n, kept = office.batch.refusals_n;
    assert_true(office_say(&office, "gd01/b", "ticket.registered", "", data, PHONE));
    assert_int_equal(office.answer.pos, pos);
    assert_string_equal(office_result(&office, "number", again), first);
    assert_int_equal(office.batch.entries_n, entries);
    assert_int_equal(office.batch.refusals_n, kept + 1); /* the answer is kept all the same */
    assert_string_equal(office.batch.refusals[kept].problem.code, "repeat");
    /* Another principal's r1 is another request. */
    assert_true(office_say(&office, "operator", "ticket.registered", "", data, PHONE));
    assert_int_not_equal(office.answer.pos, pos);
}

static void test_opened_is_when_it_happened_but_not_later_than_now(void **state)
{
    struct ticket_assessed assessed;
    (void)state;
    office.at_us = office.now_us - HOUR_US;
    assert_true(office_say(&office, "gd01", "ticket.registered", "A", REPAIR, PHONE));
    office_last(&office, &ticket_assessed_record, &assessed);
    assert_int_equal(assessed.opened_us, office.now_us - HOUR_US);
    office.at_us = office.now_us + HOUR_US;
    assert_true(office_say(&office, "gd01", "ticket.registered", "B", REPAIR, PHONE));
    office_last(&office, &ticket_assessed_record, &assessed);
    assert_int_equal(assessed.opened_us, office.now_us);
}

/* Sold so long ago, the card back so long after the sale (or not): covered? */
static void test_coverage(void **state)
{
    static const struct {
        const char *name, *sold, *card, *want;
    } units[] = {
        {"no card yet, still in time", "2011-06-20T00:00:00Z", NULL, "free"},
        {"no card, too late", "2011-05-01T00:00:00Z", NULL, "paid"},
        {"card in time", "2011-01-01T00:00:00Z", "2011-01-20T00:00:00Z", "free"},
        {"card late", "2011-01-01T00:00:00Z", "2011-02-20T00:00:00Z", "paid"},
        {"last day", "2009-07-01T13:00:00Z", "2009-07-02T00:00:00Z", "free"},
        {"exactly over", "2009-07-01T12:00:00Z", "2009-07-02T00:00:00Z", "paid"},
        {"long over", "2001-07-02T00:00:00Z", "2001-07-03T00:00:00Z", "paid"},
    };
    char data[200], serial[16], text[64];
    (void)state;
    for (size_t i = 0; i < COUNT_OF(units); i++) {
        text_format(serial, sizeof(serial), "U%zu", i);
        text_format(data, sizeof(data), "{\"product\":\"aircon\",\"region\":\"44\",\"sold\":\"%s\"}", units[i].sold);
        assert_true(office_say(&office, "gd01", "unit.sold", serial, data, NULL));
        text_format(data, sizeof(data), "{\"returned\":\"%s\"}", units[i].card != NULL ? units[i].card : "");
        if (units[i].card != NULL)
            assert_true(office_say(&office, "gd01", "card.returned", serial, data, NULL));
        text_format(data, sizeof(data), "{\"kind\":\"repair\",\"region\":\"4401\",\"serial\":\"%s\"}", serial);
        assert_true(office_say(&office, "gd01", "ticket.registered", "", data, PHONE));
        if (!text_equal(office_result(&office, "coverage", text), units[i].want))
            fail_msg("%s: %s instead of %s", units[i].name, text, units[i].want);
    }
}

/* Nobody sold it through us, or its seller named no region: who works on it may tell of it, and of another's he may not. */
static void test_a_unit_without_a_region(void **state)
{
    (void)state;
    assert_true(office_say(&office, "gd01", "card.returned", "NEW1", "{\"returned\":\"2011-05-20T00:00:00Z\"}", NULL));
    assert_true(office_say(&office, "gd01", "ticket.registered", "A", "{\"kind\":\"repair\",\"region\":\"4401\",\"serial\":\"NEW2\"}", PHONE));
    assert_true(office_say(&office, "gd01", "card.returned", "NEW2", "{\"returned\":\"2011-05-20T00:00:00Z\"}", NULL));
    assert_true(office_say(&office, "gd01", "unit.accepted", "NEW2", "{}", NULL));
    assert_true(office_say(&office, "gd01", "unit.exchanged", "NEW2", "{\"successor\":\"NEW3\"}", NULL));
    assert_true(office_say(&office, "operator/x", "unit.sold", "SN11",
                           "{\"product\":\"aircon\",\"region\":\"11\",\"sold\":\"2011-05-01T00:00:00Z\"}", NULL));
    assert_false(office_say(&office, "gd01", "card.returned", "SN11", "{\"returned\":\"2011-05-20T00:00:00Z\"}", NULL));
}

static void test_a_later_card_brings_another_judgement(void **state)
{
    struct ticket_assessed assessed;
    (void)state;
    assert_true(office_say(&office, "gd01", "unit.sold", "SN1",
                           "{\"product\":\"aircon\",\"region\":\"44\",\"sold\":\"2011-05-01T00:00:00Z\"}", NULL));
    assert_true(office_say(&office, "gd01", "ticket.registered", "A", REPAIR_OF_SN1, PHONE));
    assert_true(office_say(&office, "gd01", "ticket.registered", "B", REPAIR_OF_SN1, PHONE));
    assert_true(office_say(&office, "operator/x", "principal.added", "fu", "{\"id\":\"fu\",\"kind\":\"worker\",\"types\":[\"ticket.closed\"]}", NULL));
    assert_true(office_say(&office, "fu", "ticket.closed", "B", "{\"reason\":\"satisfied\"}", NULL));
    uint32_t n = office.batch.entries_n;
    assert_true(office_say(&office, "gd01", "card.returned", "SN1", "{\"returned\":\"2011-05-20T00:00:00Z\"}", NULL));
    assert_int_equal(office.batch.entries_n, n + 2); /* only of the open one */
    const struct event *event = office_last(&office, &ticket_assessed_record, &assessed);
    assert_string_equal(event->key, "A");
    assert_int_equal(event->cause, (uint64_t)office.answer.pos);
    assert_true(assessed.again);
    assert_string_equal(assessed.coverage, "free");
    /* Said once more it changes nothing. */
    n = office.batch.entries_n;
    assert_true(office_say(&office, "gd01", "card.returned", "SN1", "{\"returned\":\"2011-05-20T00:00:00Z\"}", NULL));
    assert_int_equal(office.batch.entries_n, n + 1);
}

/* What is free, and which limits hold, depends on the phase (rules.md S13.1). */
static void test_a_phase_brings_another_judgement(void **state)
{
    struct ticket_assessed assessed;
    (void)state;
    assert_true(office_say(&office, "gd01", "unit.sold", "SN1",
                           "{\"product\":\"aircon\",\"region\":\"44\",\"sold\":\"2011-05-01T00:00:00Z\"}", NULL));
    assert_true(office_say(&office, "gd01", "ticket.registered", "A", REPAIR_OF_SN1, PHONE));
    office_last(&office, &ticket_assessed_record, &assessed);
    assert_string_equal(assessed.phase, "");
    assert_true(office_say(&office, "gd01", "phase.started", "SN1", "{\"phase\":\"trial\"}", NULL));
    const struct event *event = office_last(&office, &ticket_assessed_record, &assessed);
    assert_string_equal(event->key, "A");
    assert_true(assessed.again);
    assert_string_equal(assessed.phase, "trial");
    assert_true(office_say(&office, "gd01", "ticket.registered", "B", REPAIR_OF_SN1, PHONE));
    office_last(&office, &ticket_assessed_record, &assessed);
    assert_string_equal(assessed.phase, "trial");
    uint32_t n = office.batch.entries_n;
    assert_true(office_say(&office, "gd01", "phase.started", "HT-2011-7", "{\"phase\":\"free\"}", NULL)); /* a contract */
    assert_int_equal(office.batch.entries_n, n + 1);
}

static void test_repeats(void **state)
{
    struct ticket_assessed assessed;
    (void)state;
    assert_true(office_say(&office, "gd01", "ticket.registered", "A", REPAIR_OF_SN1, PHONE));
    office.now_us += 29 * DAY_US;
    assert_true(office_say(&office, "gd01", "ticket.registered", "B", REPAIR_OF_SN1, PHONE));
    office_last(&office, &ticket_assessed_record, &assessed);
    assert_string_equal(assessed.repeat_of, "A");
    assert_true(office_say(&office, "gd01", "ticket.registered", "C",
                           "{\"kind\":\"complaint\",\"region\":\"4401\",\"serial\":\"SN1\"}", NULL));
    office_last(&office, &ticket_assessed_record, &assessed);
    assert_string_equal(assessed.repeat_of, "");
    office.now_us += 31 * DAY_US;
    assert_true(office_say(&office, "gd01", "ticket.registered", "D", REPAIR_OF_SN1, PHONE));
    office_last(&office, &ticket_assessed_record, &assessed);
    assert_string_equal(assessed.repeat_of, "");
}

/* What the workers count on with, and name their conclusions by. */
static void test_counts_that_lead_nowhere(void **state)
{
    static const char due[] = "\"due\":\"2011-07-02T01:00:00Z\"";
    char data[200];
    (void)state;
    assert_true(office_say(&office, "gd01", "ticket.registered", "A", REPAIR, PHONE));
    assert_true(office_say(&office, "gd01", "ticket.registered", "B", REPAIR, PHONE));
    office_refuses(&office, "import", "job.offered", "A", "{\"job\":\"B/j1\",\"site\":\"S7\",\"tier\":3}", NULL, "job.unknown", "job");
    office_refuses(&office, "import", "job.offered", "A", "{\"job\":\"A/j100000\",\"site\":\"S7\",\"tier\":3}", NULL, "job.unknown", "job");
    assert_true(office_say(&office, "import", "job.offered", "A", "{\"job\":\"B/jack\",\"site\":\"S7\",\"tier\":3}", NULL));
    assert_true(office_say(&office, "dispatcher", "job.offered", "B", "{\"job\":\"B/j1\",\"site\":\"S7\",\"tier\":3}", NULL));
    text_format(data, sizeof(data), "{\"clause\":\"c\",\"level\":101,%s}", due);
    office_refuses(&office, "import", "sla.breached", "A", data, NULL, "range", "level");
    text_format(data, sizeof(data), "{\"clause\":\"c\",\"target\":9223372036854775807,%s}", due);
    office_refuses(&office, "import", "sla.breached", "A", data, NULL, "range", "target");
    text_format(data, sizeof(data), "{\"limits\":[{\"clause\":\"c\",\"target\":-1,\"from\":\"2011-07-02T01:00:00Z\",%s}]}", due);
    office_refuses(&office, "import", "sla.scheduled", "A", data, NULL, "range", "limits.target");
    text_format(data, sizeof(data), "{\"clause\":\"c\",\"level\":-2,\"target\":3,%s}", due);
    assert_true(office_say(&office, "import", "sla.warned", "A", data, NULL));
}

static void test_a_job_is_its_sites(void **state)
{
    (void)state;
    assert_true(office_say(&office, "gd01", "ticket.registered", "A", REPAIR, PHONE));
    assert_true(office_say(&office, "dispatcher", "job.offered", "A", "{\"job\":\"A/j1\",\"site\":\"S7\",\"tier\":3}", NULL));
    assert_string_equal(office_last(&office, NULL, NULL)->site, "S7");
    assert_true(office_say(&office, "dispatcher", "job.expired", "A", "{\"job\":\"A/j1\",\"site\":\"S7\"}", NULL));
    assert_true(office_say(&office, "dispatcher", "job.offered", "A", "{\"job\":\"A/j2\",\"site\":\"S8\",\"tier\":3}", NULL));
    office_refuses(&office, "S7", "job.accepted", "A", "{\"job\":\"A/j2\"}", NULL, "denied", "job");
    /* Late, but its own: a fact is taken whatever the job's state. */
    assert_true(office_say(&office, "S7", "job.accepted", "A", "{\"job\":\"A/j1\"}", NULL));
    assert_string_equal(office_last(&office, NULL, NULL)->site, "S7");
    assert_true(office_say(&office, "operator", "job.arrived", "A", "{\"job\":\"A/j2\"}", NULL));
    assert_true(office_say(&office, "operator", "ticket.noted", "A", NULL, NULL));
    assert_string_equal(office_last(&office, NULL, NULL)->site, "S7");
    assert_true(office_say(&office, "import", "ticket.resolved", "A", NULL, NULL));
    assert_true(office_say(&office, "operator", "ticket.noted", "A", NULL, NULL));
    assert_string_equal(office_last(&office, NULL, NULL)->site, "");
}

static void test_a_revoked_principal_stops_at_once(void **state)
{
    (void)state;
    assert_true(office_say(&office, "gd01", "ticket.registered", "A", REPAIR, PHONE));
    assert_true(office_say(&office, "operator", "principal.revoked", "gd01", "{\"id\":\"gd01\",\"reason\":\"lost\"}", NULL));
    office_refuses(&office, "gd01", "ticket.noted", "A", NULL, NULL, "denied", "principal");
}

static void test_no_policy(void **state)
{
    struct office bare;
    (void)state;
    office_open(&bare, CLOCK_WALL);
    struct principal gd01;
    record_clear(&principal_record, &gd01);
    text_copy(gd01.id, sizeof(gd01.id), "gd01");
    taker_say(&bare.taker, &bare.batch, "principal.added", "gd01", &gd01, bare.now_us);
    office_refuses(&bare, "gd01", "ticket.registered", "A", REPAIR, PHONE, "policy.none", "");
    office_close(&bare);
}

static void test_an_exchanged_unit_carries_its_history(void **state)
{
    struct ticket_assessed assessed;
    char text[64];
    (void)state;
    assert_true(office_say(&office, "gd01", "unit.sold", "OLD",
                           "{\"product\":\"aircon\",\"region\":\"44\",\"sold\":\"2011-06-20T00:00:00Z\"}", NULL));
    assert_true(office_say(&office, "gd01", "ticket.registered", "A", "{\"kind\":\"repair\",\"region\":\"4401\",\"serial\":\"OLD\"}", PHONE));
    assert_true(office_say(&office, "gd01", "unit.exchanged", "OLD", "{\"successor\":\"NEW\"}", NULL));
    assert_true(office_say(&office, "gd01", "ticket.registered", "B", "{\"kind\":\"repair\",\"region\":\"4401\",\"serial\":\"NEW\"}", PHONE));
    assert_string_equal(office_result(&office, "repeat_of", text), "A");
    office_last(&office, &ticket_assessed_record, &assessed);
    assert_string_equal(assessed.coverage, "free");
    assert_string_equal(assessed.product, "aircon");
}

/* A fact about what the archive does not keep: its place follows from the key, from its words, from its speaker. */
static void test_a_fact_has_the_place_of_what_it_names(void **state)
{
    static const struct {
        const char *source, *type, *key, *data, *priv, *region, *site;
    } taken[] = {
        {"gd01", "appointment.agreed", "A", "{\"appointment\":\"2011-07-02T01:00:00Z\",\"job\":\"A/j1\"}", NULL, "4401", "S7"},
        {"S7", "unit.received", "A", "{\"quantity\":3,\"condition\":\"damaged\"}", NULL, "4401", "S7"},
        {"gd01", "customer.informed", "A", "{\"about\":\"result\"}", "{\"text\":\"done\"}", "4401", "S7"},
        {"gd01", "job.checked", "A", "{\"acted\":true}", NULL, "4401", "S7"},
        {"operator", "milestone.reached", "A", "{\"milestone\":\"papers-complete\"}", NULL, "4401", "S7"},
        {"operator", "test.proposed", "SN1", "{\"plan\":\"P1\"}", NULL, "4403", ""},
        {"operator", "visit.recorded", "K1", "{\"reached\":true}", NULL, "4402", ""},
        {"operator", "visit.recorded", "S9", "{\"reached\":true}", NULL, "4404", "S9"},
        {"gd01", "contract.signed", "C1", "{\"region\":\"4405\"}", NULL, "4405", ""},
        {"operator", "part.ordered", "O1", "{\"site\":\"S9\"}", NULL, "4404", "S9"},
        {"gd01", "call.received", "call-1", "{\"rings\":2}", "{\"number\":\"123\"}", "44", ""},
        {"gd01", "milestone.reached", "C1", "{\"milestone\":\"completed\"}", NULL, "44", ""},
        {"S7", "call.missed", "call-2", "{\"rings\":4}", NULL, "", "S7"},
        {"operator", "call.missed", "call-3", NULL, NULL, "", ""},
        {"operator", "product.updated", "P1", "{\"name\":\"heater\"}", NULL, "", ""},
    };
    (void)state;
    assert_true(office_say(&office, "gd01", "ticket.registered", "A", REPAIR, PHONE));
    assert_true(office_say(&office, "gd01", "ticket.registered", "B", REPAIR, PHONE));
    assert_true(office_say(&office, "dispatcher", "job.offered", "A", "{\"job\":\"A/j1\",\"site\":\"S7\",\"tier\":3}", NULL));
    assert_true(office_say(&office, "gd01", "unit.sold", "SN1", "{\"product\":\"aircon\",\"region\":\"4403\"}", NULL));
    assert_true(office_say(&office, "gd01", "customer.updated", "K1", "{\"region\":\"4402\"}", NULL));
    assert_true(office_say(&office, "operator", "site.updated", "S9", "{\"name\":\"nine\",\"tier\":3,\"region\":\"4404\"}", NULL));
    for (size_t i = 0; i < COUNT_OF(taken); i++) {
        if (!office_say(&office, taken[i].source, taken[i].type, taken[i].key, taken[i].data, taken[i].priv))
            fail_msg("%s %s: %s %s", taken[i].type, taken[i].key, office.answer.problem.code, office.answer.problem.field);
        const struct event *event = office_last(&office, NULL, NULL);
        assert_string_equal(event->region, taken[i].region);
        assert_string_equal(event->site, taken[i].site);
    }
    office_refuses(&office, "S7", "unit.received", "B", NULL, NULL, "denied", "region");
    office_refuses(&office, "gd01", "unit.received", "X", NULL, NULL, "ticket.unknown", "key");
    office_refuses(&office, "gd01", "contract.signed", "C2", "{\"region\":\"1101\"}", NULL, "denied", "region");
    office_refuses(&office, "gd01", "call.received", "", NULL, NULL, "missing", "key");
    office_refuses(&office, "gd01", "call.received", "call-4", "{\"number\":\"123\"}", NULL, "personal", "number");
    office_refuses(&office, "gd01", "hazard.found", "B", "{\"hazard\":\"slope\",\"job\":\"A/j1\"}", NULL, "job.unknown", "job");
    office_refuses(&office, "gd01", "job.checked", "A", "{\"acted\":true,\"job\":\"A/j9\"}", NULL, "job.unknown", "job");
    office_refuses(&office, "gd01", "visit.due", "A", "{\"plan\":\"p\",\"k\":1,\"due\":\"2011-07-02T01:00:00Z\"}", NULL, "denied", "type");
    assert_true(office_say(&office, "import", "hazard.found", "B", "{\"hazard\":\"slope\",\"job\":\"B/j1\"}", NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_registration_is_judged_beside_it, setup, teardown),
        cmocka_unit_test_setup_teardown(test_what_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(test_numbers, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_refused_one_uses_no_ticket_number, setup, teardown),
        cmocka_unit_test_setup_teardown(test_idempotency_key, setup, teardown),
        cmocka_unit_test_setup_teardown(test_opened_is_when_it_happened_but_not_later_than_now, setup, teardown),
        cmocka_unit_test_setup_teardown(test_coverage, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_later_card_brings_another_judgement, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_unit_without_a_region, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_phase_brings_another_judgement, setup, teardown),
        cmocka_unit_test_setup_teardown(test_repeats, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_job_is_its_sites, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_revoked_principal_stops_at_once, setup, teardown),
        cmocka_unit_test_setup_teardown(test_counts_that_lead_nowhere, setup, teardown),
        cmocka_unit_test_setup_teardown(test_no_policy, setup, teardown),
        cmocka_unit_test_setup_teardown(test_an_exchanged_unit_carries_its_history, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_fact_has_the_place_of_what_it_names, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
