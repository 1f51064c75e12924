/* Rows become events as the mapping says. */
#include "base/digest.h"
#include "base/text.h"
#include "record/record.h"
#include "services/cli/mapping.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
/* last: it wants the headers above */
#include <cmocka.h>

struct run {
    struct mapping *mapping;
    struct plan plan;
    struct buf bad; /* "3 opened bad-time\n" */
    bool bound;
    struct problem problem;
};

static bool on_header(void *owner, const struct csv_row *row)
{
    struct run *run = owner;
    run->bound = mapping_bind(run->mapping, row, &run->problem);
    return run->bound;
}

static void on_row(void *owner, const struct csv_row *row)
{
    struct run *run = owner;
    struct problem problem;
    if (!mapping_row(run->mapping, row, &run->plan, &problem))
        buf_append_format(&run->bad, "%zu %s %s\n", row->line, problem.field, problem.code);
}

static void on_bad(void *owner, const struct csv_row *row, const char *reason)
{
    struct run *run = owner;
    buf_append_format(&run->bad, "%zu - %s\n", row->line, reason);
}

static void run_open(struct run *run, const char *mapping, const char *csv)
{
    static const struct csv_listener listener = {on_header, on_row, on_bad};
    struct problems problems = {0};
    *run = (struct run){.mapping = mapping_parse(mapping, strlen(mapping), &problems)};
    if (run->mapping == NULL)
        fail_msg("%s %s", problems.items[0].field, problems.items[0].code);
    problems_release(&problems);
    csv_parse_text(bytes_of_text(csv), ',', &listener, run);
}

static void run_close(struct run *run)
{
    mapping_destroy(&run->mapping);
    plan_release(&run->plan);
    buf_release(&run->bad);
}

static void drafts_are(struct run *run, const char *want)
{
    struct buf got = {0};
    plan_ready(&run->plan, 0, INT64_MAX, 0);
    for (size_t i = 0; i < run->plan.n; i++) {
        raw_print_json(plan_draft(&run->plan, &run->plan.facts[i]), &got);
        buf_append_text(&got, "\n");
    }
    assert_string_equal(buf_text(&got), want);
    buf_release(&got);
}

static const char everything[] =
    "key: no\n"
    "zone: Asia/Shanghai\n"
    "time: ['%Y-%m-%d %H:%M:%S', '%d/%m/%Y %H:%M']\n"
    "by: import:{clerk}\n"
    "lookups:\n"
    "  ways: { '1': phone, '2': letter }\n"
    "events:\n"
    "  - type: ticket.registered\n"
    "    when: { first: true }\n"
    "    at: opened\n"
    "    data:\n"
    "      kind: kind\n"
    "      region: { template: 'GD{district}', form: key, blank: GD }\n"
    "      channel: { column: way, lookup: ways }\n"
    "      quantity: units\n"
    "      customer.name: customer\n"
    "  - type: ticket.noted\n"
    "    when: [{ changed: state }, { column: state, is_not: [Open, Closed] }]\n"
    "    at: updated\n"
    "    data: { kind: state }\n"
    "  - type: ticket.resolved\n"
    "    when: [{ changed: state }, { column: state, is: Closed }]\n"
    "    at: updated\n"
    "    data: { outcome: { text: done } }\n";

static void test_everything(void **state)
{
    (void)state;
    struct run run;
    run_open(&run, everything,
             "no,opened,updated,kind,district,way,units,customer,state,clerk\n"
             "A1,2026-03-01 08:00:00,,repair,01 x,1,2,李,Open,wang\n"
             "A1,2026-03-01 08:00:00,01/03/2026 09:30,repair,01,1,2,李,Held,wang\n"
             "A1,2026-03-01 08:00:00,01/03/2026 09:40,repair,01,1,2,李,Held,wang\n"
             "A1,2026-03-01 08:00:00,01/03/2026 10:00,repair,01,1,2,李,Closed,\n"
             "A2,2026-03-01 08:30:00,,repair,,2,1,,Open,\n");
    assert_string_equal(buf_text(&run.bad), "");
    drafts_are(
        &run,
        "{\"type\":\"ticket.registered\",\"v\":1,\"key\":\"A1\",\"at\":\"2026-03-01T00:00:00Z\","
        "\"by\":\"import:wang\","
        "\"data\":{\"kind\":\"repair\",\"channel\":\"phone\",\"region\":\"GD01_x\",\"quantity\":2},"
        "\"priv\":{\"customer\":{\"name\":\"李\"}}}\n"
        "{\"type\":\"ticket.registered\",\"v\":1,\"key\":\"A2\",\"at\":\"2026-03-01T00:30:00Z\","
        "\"data\":{\"kind\":\"repair\",\"channel\":\"letter\",\"region\":\"GD\"}}\n"
        "{\"type\":\"ticket.noted\",\"v\":1,\"key\":\"A1\",\"at\":\"2026-03-01T01:30:00Z\",\"by\":"
        "\"import:wang\","
        "\"data\":{\"kind\":\"Held\"}}\n"
        "{\"type\":\"ticket.resolved\",\"v\":1,\"key\":\"A1\",\"at\":\"2026-03-01T02:00:00Z\","
        "\"data\":{\"outcome\":\"done\"}}\n");
    run_close(&run);
}

static void test_bad_rows(void **state)
{
    (void)state;
    struct run run;
    run_open(&run, everything,
             "no,opened,updated,kind,district,way,units,customer,state,clerk\n"
             "A1,2026-02-30 08:00:00,,repair,,1,1,,Open,\n"
             "A 2,2026-03-01 08:00:00,,repair,,1,1,,Open,\n"
             ",2026-03-01 08:00:00,,repair,,1,1,,Open,\n"
             "A3,2026-03-01 08:00:00,,repair,,9,1,,Open,\n"
             "A4,2026-03-01 08:00:00,,repair,,1,many,,Open,\n"
             "A5,2026-03-01 08:00:00,,,,1,1,,Open,\n"
             "A6,2026-03-01 08:00:00,,repair,,1\n"
             /* the registration is good, the resolution is not: the row gives neither */
             "A7,2026-03-01 08:00:00,soon,repair,,1,1,,Closed,\n"
             "A8,2026-03-01 08:00:00,,repair,,1,1,,Open,\n");
    assert_string_equal(buf_text(&run.bad),
                        "2 opened bad-time\n3 no bad-key\n4 no missing\n5 way unknown\n"
                        "6 units bad-value\n7 kind missing\n8 - columns\n9 updated bad-time\n");
    assert_int_equal(run.plan.n, 1);
    run_close(&run);
}

/* The last evening of the year 9999 is in the year 10000 of UTC, which no record holds and no intake takes. */
static void test_end_of_years(void **state)
{
    (void)state;
    struct run run;
    run_open(&run,
             "key: no\nzone: America/New_York\ntime: ['%Y-%m-%d %H:%M']\nevents:\n"
             "  - {type: ticket.registered, at: opened, data: {kind: kind, purchased: bought}}\n",
             "no,opened,bought,kind\n"
             "D1,9999-12-31 18:59,,x\n"
             "D2,9999-12-31 19:00,,x\n"
             "D3,2026-03-01 08:00,9999-12-31 19:00,x\n"
             "D4,9999-12-31T23:59:59-00:01,,x\n");
    assert_string_equal(buf_text(&run.bad), "3 opened bad-time\n4 bought bad-time\n5 opened bad-time\n");
    assert_int_equal(run.plan.n, 1);
    run_close(&run);
}

/* An offset that the file gives holds; seconds since 1970 are the same in every zone, the machine's and the mapping's. */
static void test_offsets(void **state)
{
    (void)state;
    struct run run;
    setenv("TZ", "Asia/Tokyo", 1);
    run_open(&run,
             "key: no\nzone: Asia/Shanghai\ntime: ['%d/%m/%Y %H:%M %z', '%s', '%Y-%m-%d']\nevents:\n"
             "  - {type: ticket.resolved, at: closed, data: {outcome: how}}\n",
             "no,closed,how\nE1,01/03/2026 09:30 +0200,x\nE2,1772350200,x\nE3,2026-03-01,x\n"
             "E4,253402300800,x\nE5,67767976233532799,x\nE6,9223372036854775808,x\n");
    unsetenv("TZ");
    assert_string_equal(buf_text(&run.bad), "5 closed bad-time\n6 closed bad-time\n7 closed bad-time\n");
    drafts_are(&run, "{\"type\":\"ticket.resolved\",\"v\":1,\"key\":\"E3\",\"at\":\"2026-02-28T16:00:00Z\",\"data\":{\"outcome\":\"x\"}}\n"
                     "{\"type\":\"ticket.resolved\",\"v\":1,\"key\":\"E1\",\"at\":\"2026-03-01T07:30:00Z\",\"data\":{\"outcome\":\"x\"}}\n"
                     "{\"type\":\"ticket.resolved\",\"v\":1,\"key\":\"E2\",\"at\":\"2026-03-01T07:30:00Z\",\"data\":{\"outcome\":\"x\"}}\n");
    run_close(&run);
}

static void test_resolved_before_opened(void **state)
{
    (void)state;
    struct run run;
    run_open(
        &run,
        "key: no\nevents:\n"
        "  - {type: ticket.registered, at: opened, data: {kind: kind}}\n"
        "  - {type: ticket.resolved, when: closed, at: closed, data: {outcome: {text: done}}}\n",
        "no,opened,closed,kind\n"
        "B1,2026-03-01T08:00:00Z,2026-03-01T07:00:00Z,x\n"
        "B2,2026-03-01T07:30:00Z,2026-03-01T07:30:00Z,x\n");
    plan_ready(&run.plan, 0, INT64_MAX, 0);
    static const struct {
        uint32_t line, order;
    } want[] = {{3, 0}, {3, 1}, {2, 0}, {2, 1}};
    assert_int_equal(run.plan.n, COUNT_OF(want));
    for (size_t i = 0; i < COUNT_OF(want); i++) {
        assert_int_equal(run.plan.facts[i].line, want[i].line);
        assert_int_equal(run.plan.facts[i].order, want[i].order);
    }
    run_close(&run);
}

static void test_mistakes(void **state)
{
    (void)state;
    static const struct {
        const char *text, *field, *code;
        unsigned line;
    } cases[] = {
        {"key: no\nevents:\n  - {type: ticket.sung, at: x}\n", "events[0].type", "bad-value", 3},
        {"key: no\nevents:\n  - type: ticket.resolved\n    data: {outcom: x}\n",
         "events[0].data.outcom", "unknown-field", 4},
        {"key: no\nzone: Moon/Base\nevents: [{type: ticket.resolved}]\n", "zone", "unknown", 2},
        {"key: no\nevent: []\nevents: [{type: ticket.resolved}]\n", "event", "unknown-field", 2},
        {"events: [{type: ticket.resolved}]\n", "key", "missing", 1},
        {"key: no\nevents: []\n", "events", "missing", 1},
        {"key: no\nevents:\n  - type: ticket.resolved\n    when: {grows: x}\n",
         "events[0].when.grows", "unknown-field", 4},
        {"key: no\nevents:\n  - type: ticket.resolved\n    data: {outcome: {column: x, lookup: "
         "y}}\n",
         "events[0].data.outcome.lookup", "bad-value", 4},
        {"key: no\ntime: ['%d/%m/%Y', '%H:%M %Z']\nevents: [{type: ticket.resolved}]\n", "time[1]", "bad-value", 2},
        {"key: no\ntime: '%Y %s'\nevents: [{type: ticket.resolved}]\n", "time", "bad-value", 2},
        {"key: [\n", "", "syntax", 2},
        {"key: no\nlookups: {a: {x: y}}\nlookups: {b: {x: y}, c: {x: y}}\nevents: [{type: ticket.resolved}]\n", "lookups",
         "duplicate-key", 3},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct problems problems = {0};
        assert_null(mapping_parse(cases[i].text, strlen(cases[i].text), &problems));
        assert_true(problems.n > 0);
        assert_string_equal(problems.items[0].field, cases[i].field);
        assert_string_equal(problems.items[0].code, cases[i].code);
        assert_int_equal(problems.items[0].line, cases[i].line);
        problems_release(&problems);
    }
}

static void test_no_column(void **state)
{
    (void)state;
    struct run run;
    run_open(&run, "key: no\nevents:\n  - type: ticket.resolved\n    data: {outcome: how}\n",
             "no,what\n1,2\n");
    assert_false(run.bound);
    assert_string_equal(run.problem.field, "how");
    assert_int_equal(run.problem.line, 4);
    run_close(&run);
}

static void slurp(const char *name, struct buf *out)
{
    char path[400];
    snprintf(path, sizeof(path), "%s/%s", SOURCE_DIR, name);
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        fail_msg("%s", path);
    size_t n;
    while ((n = fread(buf_reserve(out, 65536), 1, 65536, file)) > 0)
        out->len += n;
    fclose(file);
}

/* The quarter that is shipped: every row good, and the same numbers each time. */
static void test_shipped(void **state)
{
    (void)state;
    struct buf mapping = {0}, packed = {0};
    uint8_t digests[2][DIGEST_BYTES];
    slurp("deploy/mappings/boston311.yaml", &mapping);
    slurp("deploy/requests/boston311-2011q3.csv.gz", &packed);
    for (int i = 0; i < 2; i++) {
        struct buf text = {0}, all = {0};
        struct run run;
        const char *why, *found;
        assert_true(csv_unpack(buf_bytes(&packed), &text, &why));
        assert_true(csv_to_utf8(&text, "auto", &found));
        run_open(&run, buf_text(&mapping), buf_text(&text));
        assert_string_equal(buf_text(&run.bad), "");
        /* 2011-07-01 00:00 in Boston to 2011-10-31 00:00 */
        plan_ready(&run.plan, INT64_C(1309492800) * 1000000, INT64_C(1320033600) * 1000000,
                   INT64_C(3600) * 1000000);
        assert_true(run.plan.n > 31828 && run.plan.n + run.plan.left_out <= 2 * 31828);
        /* The first request came at half past one: its step is the first. */
        assert_int_equal(plan_steps(&run.plan), 122 * 24 - 1);
        struct plan_item item;
        int64_t n = 0;
        while (plan_next(&run.plan, &item)) {
            assert_int_equal(item.n, ++n);
            if (item.fact != NULL)
                buf_append(&all, run.plan.drafts.data + item.fact->draft_at, item.fact->draft_len);
            else
                buf_append(&all, &item.time_us, sizeof(item.time_us));
        }
        digest_of(buf_bytes(&all), digests[i]);
        run_close(&run);
        buf_release(&text);
        buf_release(&all);
    }
    assert_memory_equal(digests[0], digests[1], DIGEST_BYTES);
    buf_release(&mapping);
    buf_release(&packed);
}

/* Was and was_not: what the row before said, of the same key. */
static void test_row_before(void **state)
{
    static const char mapping[] =
        "key: no\nevents:\n"
        "  - {type: ticket.noted, when: {column: state, was: [open, waiting]}, data: {kind: 'was-{state}'}}\n"
        "  - {type: ticket.noted, when: {column: state, was_not: open}, data: {kind: 'was-not-{state}'}}\n";
    struct run run;
    (void)state;
    run_open(&run, mapping, "no,state\nA,open\nB,done\nA,waiting\nA,done\n");
    assert_string_equal(buf_text(&run.bad), "");
    drafts_are(&run,
               "{\"type\":\"ticket.noted\",\"v\":1,\"key\":\"A\",\"data\":{\"kind\":\"was-not-open\"}}\n"
               "{\"type\":\"ticket.noted\",\"v\":1,\"key\":\"B\",\"data\":{\"kind\":\"was-not-done\"}}\n"
               "{\"type\":\"ticket.noted\",\"v\":1,\"key\":\"A\",\"data\":{\"kind\":\"was-waiting\"}}\n"
               "{\"type\":\"ticket.noted\",\"v\":1,\"key\":\"A\",\"data\":{\"kind\":\"was-done\"}}\n"
               "{\"type\":\"ticket.noted\",\"v\":1,\"key\":\"A\",\"data\":{\"kind\":\"was-not-done\"}}\n");
    run_close(&run);
}

static unsigned times(const struct plan *plan, const char *type)
{
    struct buf text = {0};
    unsigned n = 0;
    char want[64];
    snprintf(want, sizeof want, "{\"type\":\"%s\"", type);
    for (size_t i = 0; i < plan->n; i++) {
        buf_reset(&text);
        raw_print_json(plan_draft(plan, &plan->facts[i]), &text);
        n += strncmp(buf_text(&text), want, strlen(want)) == 0;
    }
    buf_release(&text);
    return n;
}

/* 59,354 updates of 9,202 incidents: the states of every row are found again as what happened between the rows. The figures
 * were counted from the file by other means. */
static void test_incidents(void **state)
{
    (void)state;
    struct buf mapping = {0}, packed = {0}, text = {0};
    struct run run;
    const char *why, *found;
    slurp("deploy/mappings/incidents.yaml", &mapping);
    slurp("deploy/requests/incidents-2016-03.csv.gz", &packed);
    assert_true(csv_unpack(buf_bytes(&packed), &text, &why));
    assert_true(csv_to_utf8(&text, "auto", &found));
    run_open(&run, buf_text(&mapping), buf_text(&text));
    assert_string_equal(buf_text(&run.bad), "");
    assert_int_equal(times(&run.plan, "ticket.registered"), 9202);
    assert_int_equal(times(&run.plan, "ticket.waiting"), 3208);
    assert_int_equal(times(&run.plan, "ticket.resumed"), 675);
    assert_int_equal(times(&run.plan, "ticket.reopened"), 161);
    assert_int_equal(times(&run.plan, "ticket.reclassified"), 192);
    assert_int_equal(times(&run.plan, "ticket.resolved"), 9363);
    run_close(&run);
    buf_release(&mapping);
    buf_release(&packed);
    buf_release(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_everything),
        cmocka_unit_test(test_bad_rows),
        cmocka_unit_test(test_end_of_years),
        cmocka_unit_test(test_offsets),
        cmocka_unit_test(test_resolved_before_opened),
        cmocka_unit_test(test_mistakes),
        cmocka_unit_test(test_no_column),
        cmocka_unit_test(test_shipped),
        cmocka_unit_test(test_row_before),
        cmocka_unit_test(test_incidents),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
