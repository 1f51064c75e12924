/* A company in memory: time, order, refusals; the same calls give the same bytes; workers that
 * crash between any two of their steps end where those end that never did. */
#include "base/text.h"
#include "proto/job.h"
#include "proto/sla.h"
#include "services/simulator/inside.h"
#include "services/simulator/simulator.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define START            INT64_C(1772409600000000) /* 2026-03-02T08:00:00+08:00, a Monday */
#define AT(hour, minute) (START + ((hour)-8) * HOUR_US + (minute)*MINUTE_US)
#define POLICY           SOURCE_DIR "/deploy/policies/example-cn.yaml"

static const char repair[] = "{\"kind\":\"repair\",\"region\":\"411623\",\"product\":\"tractor\","
                             "\"customer\":{\"name\":\"Li\",\"phone\":\"1\"}}";

static void tell(struct simulator *sim, int64_t told_us, const char *type, const char *key,
                 int64_t at_us, const char *json)
{
    struct problem problem = {0};
    if (simulator_append_json(sim, told_us, type, key, at_us, NULL, json, &problem) == 0)
        fail_msg("%s: %s %s", type, problem.code, problem.field);
}

static void advance(struct simulator *sim, int64_t to_us)
{
    if (!simulator_advance(sim, to_us))
        fail_msg("%s", simulator_error(sim));
}

static void furnish(struct simulator *sim)
{
    struct problems problems = {0};
    char where[600];
    if (!simulator_publish_file(sim, POLICY, NULL, where, sizeof where, &problems))
        fail_msg("%s: %s %s", where, problems.items[0].code, problems.items[0].field);
    tell(sim, START, "site.updated", "HN", 0,
         "{\"name\":\"HN\",\"tier\":2,\"territories\":[\"41\"]}");
    tell(sim, START, "site.updated", "D1", 0,
         "{\"name\":\"D1\",\"tier\":3,\"territories\":[\"4116\"]}");
    tell(sim, START, "site.updated", "D2", 0,
         "{\"name\":\"D2\",\"tier\":3,\"territories\":[\"4116\"]}");
    advance(sim, START);
}

static struct simulator *company(struct simulator_config config)
{
    config.start_us = START;
    struct simulator *sim = simulator_new(&config);
    furnish(sim);
    return sim;
}

/* The n-th event of that type and key, from 1. False: there are fewer. */
static bool find(const struct simulator *sim, const char *type, const char *key, int n,
                 struct event *event)
{
    for (uint64_t pos = 1; pos <= simulator_head(sim); pos++) {
        simulator_event(sim, pos, event);
        if (text_equal(event->type, type) && text_equal(event->key, key) && --n == 0)
            return true;
    }
    return false;
}

static void wants(const struct simulator *sim, const char *type, const char *key, int n,
                  int64_t at_us)
{
    struct event event;
    if (!find(sim, type, key, n, &event))
        fail_msg("%s of %s has not come %d times", type, key, n);
    if (event.at_us != at_us)
        fail_msg("%s of %s: at %lld, wanted %lld", type, key, (long long)event.at_us,
                 (long long)at_us);
}

static void lacks(const struct simulator *sim, const char *type, const char *key, int n)
{
    struct event event;
    if (find(sim, type, key, n, &event))
        fail_msg("%s of %s came at %llu", type, key, (unsigned long long)event.pos);
}

/* --- time
 * ------------------------------------------------------------------------------------------ */

static void test_timers_fire_at_their_instants(void **state)
{
    (void)state;
    struct simulator *sim = company((struct simulator_config){0});
    tell(sim, AT(9, 0), "ticket.registered", "T1", 0, repair);
    advance(sim, AT(10, 59));
    wants(sim, "job.offered", "T1", 1, AT(9, 0));
    wants(sim, "sla.warned", "T1", 1, AT(10, 30));
    lacks(sim, "job.expired", "T1", 1);
    assert_int_equal(simulator_next_us(sim), AT(11, 0));
    advance(sim,
            AT(23, 0)); /* one long step: what follows from what becomes due is due in it too */
    wants(sim, "job.expired", "T1", 1, AT(11, 0));
    wants(sim, "sla.breached", "T1", 1, AT(11, 0));
    wants(sim, "job.expired", "T1", 2, AT(13, 0));
    wants(sim, "job.expired", "T1", 3, AT(15, 0)); /* the branch, 2 h */
    simulator_destroy(&sim);
}

static void test_grid(void **state)
{
    (void)state;
    struct simulator *sim = company((struct simulator_config){.step_us = 4 * HOUR_US});
    struct event event;
    tell(sim, AT(9, 0), "ticket.registered", "T1", 0, repair);
    advance(sim, AT(20, 0));
    wants(sim, "ticket.registered", "T1", 1, AT(9, 0));
    assert_true(find(sim, "ticket.registered", "T1", 1, &event));
    assert_int_equal(event.rec_us, AT(12, 0)); /* the step's end */
    wants(sim, "job.offered", "T1", 1, AT(12, 0));
    simulator_destroy(&sim);
}

static void test_a_stop_at_the_due_second_is_met(void **state)
{
    (void)state;
    struct simulator *sim = company((struct simulator_config){0});
    tell(sim, AT(9, 0), "ticket.registered", "T1", 0, repair);
    tell(sim, AT(11, 0), "job.accepted", "T1", 0, "{\"job\":\"T1/j1\"}");
    advance(sim, AT(12, 0));
    wants(sim, "sla.met", "T1", 1, AT(11, 0));
    lacks(sim, "sla.breached", "T1", 1);
    lacks(sim, "job.expired", "T1", 1);
    simulator_destroy(&sim);
}

static void test_facts_of_one_instant_are_answered_one_by_one(void **state)
{
    (void)state;
    struct simulator *sim = company((struct simulator_config){0});
    struct event registered, accepted, offered;
    tell(sim, AT(9, 0), "ticket.registered", "T1", 0, repair);
    tell(sim, AT(9, 0), "job.accepted", "T1", 0, "{\"job\":\"T1/j1\"}");
    advance(sim, AT(9, 0));
    assert_true(find(sim, "ticket.registered", "T1", 1, &registered));
    assert_true(find(sim, "job.offered", "T1", 1, &offered));
    assert_true(find(sim, "job.accepted", "T1", 1, &accepted));
    assert_true(registered.pos < offered.pos && offered.pos < accepted.pos);
    assert_null(simulator_refusal(sim, 0));
    simulator_destroy(&sim);
}

static void test_told_in_order_of_time_then_of_queueing(void **state)
{
    (void)state;
    struct simulator *sim = company((struct simulator_config){0});
    struct event event[4];
    static const char *const order[] = {"T3", "T1", "T4", "T2"};
    tell(sim, AT(10, 0), "ticket.registered", "T1", 0, repair);
    tell(sim, AT(11, 0), "ticket.registered", "T2", 0, repair);
    tell(sim, AT(9, 0), "ticket.registered", "T3", 0, repair);
    tell(sim, AT(10, 0), "ticket.registered", "T4", 0, repair);
    assert_int_equal(simulator_waiting(sim), 4);
    advance(sim, AT(12, 0));
    assert_int_equal(simulator_waiting(sim), 0);
    for (size_t i = 0; i < 4; i++) {
        assert_true(find(sim, "ticket.registered", order[i], 1, &event[i]));
        assert_true(i == 0 || event[i - 1].pos < event[i].pos);
    }
    /* What comes too late for its instant is told now, and keeps its `at`. */
    tell(sim, AT(9, 30), "ticket.registered", "T5", AT(9, 30), repair);
    advance(sim, AT(12, 0));
    assert_true(find(sim, "ticket.registered", "T5", 1, &event[0]));
    assert_int_equal(event[0].at_us, AT(9, 30));
    assert_int_equal(event[0].rec_us, AT(12, 0));
    simulator_destroy(&sim);
}

static void test_refusals(void **state)
{
    (void)state;
    struct simulator *sim = company((struct simulator_config){0});
    struct problem problem;
    tell(sim, AT(9, 0), "job.accepted", "T9", 0, "{\"job\":\"T9/j1\"}");
    tell(sim, AT(9, 1), "ticket.registered", "T1", 0, repair);
    tell(sim, AT(9, 2), "ticket.registered", "T1", 0, repair);
    advance(sim, AT(9, 30));
    assert_int_equal(simulator_refusal(sim, 0)->fact, 4); /* three sites before it */
    assert_string_equal(simulator_refusal(sim, 1)->problem.code, "ticket.exists");
    assert_null(simulator_refusal(sim, 2));
    assert_int_equal(
        simulator_append_json(sim, AT(10, 0), "ticket.lost", "T1", 0, NULL, "{}", &problem), 0);
    assert_string_equal(problem.code, "type.unknown");
    assert_int_equal(simulator_append_json(sim, AT(10, 0), "ticket.noted", "T1", 0, NULL,
                                           "{\"nose\":1}", &problem),
                     0);
    simulator_destroy(&sim);
}

static void test_personal_fields_lie_beside(void **state)
{
    (void)state;
    struct simulator *sim = company((struct simulator_config){0});
    struct event event;
    tell(sim, AT(9, 0), "ticket.registered", "T1", 0, repair);
    advance(sim, AT(9, 0));
    assert_true(find(sim, "ticket.registered", "T1", 1, &event));
    assert_true(event.has_pd && event_personal(&event).len > 0);
    assert_null(memmem(event.data.data, event.data.len, "phone", 5));
    simulator_destroy(&sim);
}

static void test_rows(void **state)
{
    (void)state;
    struct simulator *sim = company((struct simulator_config){0});
    tell(sim, AT(9, 0), "ticket.registered", "T1", 0, repair);
    advance(sim, AT(9, 0));
    const struct tables *tables = simulator_tables(sim, "dispatcher");
    int jobs = simulator_table(tables, "job");
    assert_true(jobs >= 0);
    assert_int_equal(tables_rows(tables, (unsigned)jobs), 1);
    assert_null(simulator_tables(sim, "nobody"));
    assert_int_equal(simulator_table(tables, "nothing"), -1);
    simulator_destroy(&sim);
}

/* --- stories that dice make
 * -------------------------------------------------------------------------- */

static uint32_t dice(uint64_t *seed, uint32_t sides)
{
    *seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(*seed >> 33) % sides;
}

/* Facts about a ticket as they come, in and out of order, some of them nonsense. */
static void story_queue(struct simulator *sim, uint64_t seed, size_t tickets)
{
    static const char *const facts[] = {"job.accepted",      "job.declined",   "job.arrived",
                                        "job.reported",      "ticket.noted",   "ticket.cancelled",
                                        "followup.recorded", "ticket.waiting", "ticket.resumed"};
    for (size_t i = 0; i < tickets; i++) {
        char key[16], json[120];
        int64_t us = AT(9, 0) + dice(&seed, 5 * 24 * 60) * MINUTE_US;
        text_format(key, sizeof key, "T%zu", i);
        tell(sim, us, "ticket.registered", key, 0, repair);
        for (uint32_t n = dice(&seed, 6); n > 0; n--) {
            const char *fact = facts[dice(&seed, COUNT_OF(facts))];
            int64_t told_us = us + dice(&seed, 4 * 24 * 60) * MINUTE_US;
            bool job = text_starts(fact, "job."), late = dice(&seed, 5) == 0;
            text_format(json, sizeof json, job ? "{\"job\":\"%s/j%u\"}" : "{}", key,
                        1 + dice(&seed, 2));
            if (text_equal(fact, "job.declined"))
                text_format(json, sizeof json, "{\"job\":\"%s/j1\",\"reason\":\"full\"}", key);
            if (text_equal(fact, "job.reported"))
                text_format(json, sizeof json, "{\"job\":\"%s/j1\",\"outcome\":\"done\"}", key);
            if (text_equal(fact, "followup.recorded"))
                text_format(json, sizeof json, "{\"reached\":true,\"satisfaction\":%u}",
                            1 + dice(&seed, 5));
            if (text_starts(fact, "ticket.wait") || text_starts(fact, "ticket.resum"))
                text_format(json, sizeof json, "{\"reason\":\"part\"}");
            tell(sim, told_us, fact, key, late ? told_us - 3 * HOUR_US : told_us, json);
        }
    }
}

static bool same_journal(const struct simulator *a, const struct simulator *b)
{
    struct event one, two;
    for (uint64_t pos = 1; pos <= simulator_head(a) && pos <= simulator_head(b); pos++) {
        simulator_event(a, pos, &one);
        simulator_event(b, pos, &two);
        if (!bytes_equal(one.body, two.body) || !bytes_equal(one.priv, two.priv)) {
            print_message("event %llu: %s of %s, and %s of %s\n", (unsigned long long)pos, one.type,
                          one.key, two.type, two.key);
            return false;
        }
    }
    return simulator_head(a) == simulator_head(b);
}

static void test_same_calls_same_bytes(void **state)
{
    (void)state;
    struct simulator *sims[3];
    for (size_t i = 0; i < COUNT_OF(sims); i++) {
        sims[i] = company((struct simulator_config){0});
        story_queue(sims[i], i == 2 ? 8 : 7, 60);
        advance(sims[i], START + 30 * DAY_US);
    }
    assert_true(same_journal(sims[0], sims[1]));
    assert_false(same_journal(sims[0], sims[2]));
    assert_true(simulator_head(sims[0]) > 400);
    for (size_t i = 0; i < COUNT_OF(sims); i++)
        simulator_destroy(&sims[i]);
}

/* In how many pieces time passes changes nothing but how often it is said. */
static void test_pieces_of_time(void **state)
{
    (void)state;
    struct simulator *whole = company((struct simulator_config){0}),
                     *pieces = company((struct simulator_config){0});
    story_queue(whole, 11, 40);
    story_queue(pieces, 11, 40);
    advance(whole, START + 20 * DAY_US);
    for (int i = 1; i <= 20 * 24; i++)
        advance(pieces, START + i * HOUR_US);
    struct event one, two;
    uint64_t at = 0;
    for (uint64_t pos = 1; pos <= simulator_head(whole); pos++) {
        simulator_event(whole, pos, &one);
        if (text_equal(one.type, "time.reached") || text_equal(one.type, "journal.sealed"))
            continue;
        do
            simulator_event(pieces, ++at, &two);
        while (text_equal(two.type, "time.reached") || text_equal(two.type, "journal.sealed"));
        assert_string_equal(one.type, two.type);
        assert_string_equal(one.key, two.key);
        assert_int_equal(one.at_us, two.at_us);
    }
    simulator_destroy(&whole);
    simulator_destroy(&pieces);
}

/* Rows fetched on demand from what was committed are the rows that never left memory. */
static void test_small_caches(void **state)
{
    (void)state;
    struct simulator *all = company((struct simulator_config){0});
    struct simulator *few = company((struct simulator_config){.cache_rows = 4, .durable = true});
    story_queue(all, 5, 60);
    story_queue(few, 5, 60);
    advance(all, START + 30 * DAY_US);
    advance(few, START + 30 * DAY_US);
    assert_true(same_journal(all, few));
    simulator_destroy(&all);
    simulator_destroy(&few);
}

/* Every so often a worker dies, between two steps of time: it starts again from its rows, and
 * nothing is said twice or left unsaid. */
static void test_crashes(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 6; seed++) {
        struct simulator *living = company((struct simulator_config){0});
        struct simulator *mortal =
            company((struct simulator_config){.durable = true, .cache_rows = seed % 2 * 8});
        uint64_t luck = seed * 1000;
        story_queue(living, seed, 40);
        story_queue(mortal, seed, 40);
        for (int i = 1; i <= 15 * 24; i++) {
            advance(living, START + i * HOUR_US);
            advance(mortal, START + i * HOUR_US);
            struct node *node = simulator_node(mortal, dice(&luck, SIMULATOR_WORKERS));
            if (dice(&luck, 4) == 0)
                assert_true(node_crash(node, &mortal->book, node->upto));
        }
        assert_true(same_journal(living, mortal));
        simulator_destroy(&living);
        simulator_destroy(&mortal);
    }
}

/* The next fact in the queue is journaled; no worker reads it yet. */
static void journal_next(struct simulator *sim)
{
    struct problem problem;
    sim->now_us = sim->queue[sim->queue_next].told_us;
    journal_step(&sim->taker.journal, sim->now_us);
    assert_true(simulator_take(sim, &sim->world, sim->queue[sim->queue_next++].draft, &problem));
}

static void offered_to(const struct simulator *sim, const char *key, const char *site)
{
    struct event event;
    struct job_offered data;
    struct problem problem;
    assert_true(find(sim, "job.offered", key, 1, &event));
    assert_true(record_decode(&job_offered_record, RECORD_PLAIN, DECODE_LENIENT, event.data, NULL,
                              &data, &problem));
    assert_string_equal(data.site, site);
}

/* The worst moment: what was concluded is in the journal, and the rows are lost. */
static void test_crash_between_shipping_and_commit(void **state)
{
    (void)state;
    struct simulator *sim = company((struct simulator_config){.durable = true});
    struct node *dispatcher = simulator_node(sim, 0);
    const struct run_conclusion *conclusions;
    struct problem problem;
    struct buf draft = {0};
    tell(sim, AT(9, 0), "ticket.registered", "T1", 0, repair);
    tell(sim, AT(9, 0), "ticket.registered", "T2", 0, repair);
    journal_next(sim);
    journal_next(sim);
    assert_true(node_read(dispatcher, &sim->book, 2)); /* T1, and its assessment */
    assert_int_equal(node_conclusions(dispatcher, &conclusions), 1);
    buf_append(&draft, conclusions[0].draft.data, conclusions[0].draft.len);
    uint64_t upto = run_upto(dispatcher->run);
    assert_true(simulator_take(sim, &sim->workers[0], buf_bytes(&draft), &problem));
    assert_true(node_crash(dispatcher, &sim->book, upto));
    assert_true(simulator_settle(sim));
    lacks(sim, "job.offered", "T1", 2);
    /* What was in flight counts as load before it is read back. */
    offered_to(sim, "T1", "D1");
    offered_to(sim, "T2", "D2");
    buf_release(&draft);
    simulator_destroy(&sim);
}

static void test_crash_before_shipping(void **state)
{
    (void)state;
    struct simulator *sim = company((struct simulator_config){.durable = true});
    struct node *dispatcher = simulator_node(sim, 0);
    const struct run_conclusion *conclusions;
    tell(sim, AT(9, 0), "ticket.registered", "T1", 0, repair);
    journal_next(sim);
    assert_true(node_read(dispatcher, &sim->book, 100));
    assert_int_equal(node_conclusions(dispatcher, &conclusions), 1);
    assert_true(node_crash(dispatcher, &sim->book, dispatcher->upto));
    assert_true(simulator_settle(sim));
    wants(sim, "job.offered", "T1", 1, AT(9, 0));
    lacks(sim, "job.offered", "T1", 2);
    simulator_destroy(&sim);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_timers_fire_at_their_instants),
        cmocka_unit_test(test_grid),
        cmocka_unit_test(test_a_stop_at_the_due_second_is_met),
        cmocka_unit_test(test_facts_of_one_instant_are_answered_one_by_one),
        cmocka_unit_test(test_told_in_order_of_time_then_of_queueing),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_personal_fields_lie_beside),
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_same_calls_same_bytes),
        cmocka_unit_test(test_pieces_of_time),
        cmocka_unit_test(test_small_caches),
        cmocka_unit_test(test_crashes),
        cmocka_unit_test(test_crash_between_shipping_and_commit),
        cmocka_unit_test(test_crash_before_shipping),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
