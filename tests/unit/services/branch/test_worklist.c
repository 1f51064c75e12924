/* The work list: what each event does to it, journal order, what is erased, and that no event costs more the longer the list is. */
#include "bench.h"
#include "event/event.h"
#include "follow.h"
#include "proto/catalogue.h"
#include "worklist_inside.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct stand {
    char folder[64];
    struct worklist *list;
    uint64_t pos;
};

static struct worklist *list_open(const struct stand *stand)
{
    char path[128], error[200] = "";
    snprintf(path, sizeof path, "%s/worklist.db", stand->folder);
    struct worklist *list = worklist_open(path, error, sizeof error);
    if (!list)
        print_error("%s: %s\n", path, error);
    assert_non_null(list);
    return list;
}

static int set_up(void **state)
{
    struct stand *stand = memory_new(sizeof *stand);
    bench_folder_fast(stand->folder);
    stand->list = list_open(stand);
    assert_int_equal(worklist_begin(stand->list, "test-00000000", "all"), STATUS_OK);
    *state = stand;
    return 0;
}

static int tear_down(void **state)
{
    struct stand *stand = *state;
    worklist_close(&stand->list);
    bench_remove(stand->folder);
    free(stand);
    return 0;
}

static void encode(const struct record *record, enum record_part part, const char *json, struct buf *out)
{
    struct arena *arena = arena_new(64 * 1024);
    struct problem problem;
    void *object = memory_new(record->size);
    if (!record_parse_json(record, part, DECODE_STRICT, json, strlen(json), arena, object, &problem))
        fail_msg("%s: %s %s %s", json, problem.code, problem.field, problem.args);
    record_encode(record, part, object, out);
    free(object);
    arena_destroy(&arena);
}

/* One event as the feed brings it: data and personal are JSON of the type's fields. */
static enum status tell(struct stand *stand, const char *type, const char *key, int64_t rec_us, const char *data,
                        const char *personal)
{
    static const uint8_t salt[SALT_BYTES];
    const struct event_type *known = event_type_find(type, 0);
    struct buf plain = {0}, map = {0}, priv = {0};
    uint8_t pd[DIGEST_BYTES];
    encode(known->data, RECORD_PLAIN, data, &plain);
    if (personal) {
        encode(known->data, RECORD_PERSONAL, personal, &map);
        priv_encode(salt, buf_bytes(&map), &priv, pd);
    }
    struct event event = {.pos = ++stand->pos, .v = known->v, .rec_us = rec_us, .data = buf_bytes(&plain),
                          .priv = buf_bytes(&priv)};
    (void)text_copy(event.type, sizeof event.type, type);
    (void)text_copy(event.key, sizeof event.key, key);
    (void)text_copy(event.region, sizeof event.region, "GD");
    enum status status = worklist_apply(stand->list, &event);
    buf_release(&plain);
    buf_release(&map);
    buf_release(&priv);
    return status;
}

static void told(struct stand *stand, const char *type, const char *key, const char *data)
{
    assert_int_equal(tell(stand, type, key, MORNING_US, data, NULL), STATUS_OK);
}

static void registered(struct stand *stand, const char *ticket, const char *customer, const char *phone)
{
    char data[200], personal[300];
    snprintf(data, sizeof data, "{\"kind\":\"repair\",\"region\":\"GD\",\"customer\":{\"id\":\"%s\"}}", customer);
    snprintf(personal, sizeof personal, "{\"customer\":{\"name\":\"Li\",\"phone\":\"%s\"}}", phone);
    assert_int_equal(tell(stand, "ticket.registered", ticket, MORNING_US, data, personal), STATUS_OK);
}

static void offered(struct stand *stand, const char *ticket, const char *job, const char *site)
{
    char data[200];
    snprintf(data, sizeof data, "{\"job\":\"%s\",\"site\":\"%s\",\"tier\":3,\"due\":\"2026-11-22T09:00:00Z\"}", job, site);
    told(stand, "job.offered", ticket, data);
}

/* "": there is none. */
static const char *state_of(struct stand *stand, const char *job)
{
    static struct branch_job_row row;
    const struct branch_args any = {.key = ""};
    char after[JOB_CAP] = "";
    while (worklist_job(stand->list, after, &any, &row) == STATUS_OK) {
        if (strcmp(row.job, job) == 0)
            return row.state;
        (void)text_copy(after, sizeof after, row.job);
    }
    return "";
}

static void test_a_job_from_offer_to_end(void **state)
{
    struct stand *stand = *state;
    struct branch_job_row row;
    const struct branch_args any = {.key = ""};
    registered(stand, "T-1", "C-1", "13800000001");
    offered(stand, "T-1", "T-1.1", "site-a");
    assert_int_equal(worklist_job(stand->list, "", &any, &row), STATUS_OK);
    assert_string_equal(row.ticket, "T-1");
    assert_string_equal(row.state, "offered");
    assert_string_equal(row.phone, "13800000001");
    assert_string_equal(row.kind, "repair");
    told(stand, "job.accepted", "T-1", "{\"job\":\"T-1.1\",\"engineer\":\"e-7\"}");
    assert_int_equal(worklist_job(stand->list, "", &any, &row), STATUS_OK);
    assert_string_equal(row.state, "accepted");
    assert_string_equal(row.engineer, "e-7");
    told(stand, "ticket.cancelled", "T-1", "{}");
    assert_int_equal(worklist_job(stand->list, "", &any, &row), STATUS_ABSENT);
}

static size_t rows_of(struct stand *stand)
{
    struct branch_job_row row;
    const struct branch_args any = {.key = ""};
    char after[JOB_CAP] = "";
    size_t n = 0;
    for (; worklist_job(stand->list, after, &any, &row) == STATUS_OK; n++)
        (void)text_copy(after, sizeof after, row.job);
    return n;
}

/* Who comes to it has the telephone as before; when nobody comes any more, it goes. */
static void test_a_ticket_that_is_opened_again(void **state)
{
    struct stand *stand = *state;
    struct branch_job_row row;
    const struct branch_args any = {.key = ""};
    char path[128];
    snprintf(path, sizeof path, "%s/worklist.db", stand->folder);
    registered(stand, "T-1", "C-1", "13977755533");
    registered(stand, "T-2", "C-2", "13888888888");
    told(stand, "ticket.closed", "T-1", "{\"reason\":\"confirmed\"}");
    told(stand, "ticket.closed", "T-2", "{\"reason\":\"confirmed\"}");
    offered(stand, "T-2", "T-2.1", "site-a"); /* the offer was too late */
    assert_int_equal(rows_of(stand), 0);
    assert_int_equal(tell(stand, "ticket.reopened", "T-1", MORNING_US + 20 * DAY_US, "{}", NULL), STATUS_OK);
    offered(stand, "T-1", "T-1.1", "site-a");
    assert_int_equal(worklist_job(stand->list, "", &any, &row), STATUS_OK);
    assert_string_equal(row.kind, "repair");
    assert_string_equal(row.phone, "13977755533");
    /* The other one is not. */
    registered(stand, "T-3", "C-3", "13700000000");
    assert_int_equal(tell(stand, "ticket.cancelled", "T-3", MORNING_US + 31 * DAY_US, "{}", NULL), STATUS_OK);
    assert_int_equal(worklist_commit(stand->list), STATUS_OK);
    assert_int_equal(worklist_sweep(stand->list), STATUS_OK);
    assert_true(bench_holds(path, "13977755533"));
    assert_false(bench_holds(path, "13888888888"));
    assert_true(bench_holds(path, "13700000000"));
    assert_int_equal(rows_of(stand), 1);
}

/* What the state contradicts changes nothing. */
static void test_journal_order_decides(void **state)
{
    static const struct {
        const char *first, *then, *left;
    } cases[] = {
        {"job.expired", "job.accepted", "accepted"}, /* late, and nobody else has it */
        {"job.withdrawn", "job.accepted", "withdrawn"},
        {"job.declined", "job.accepted", "declined"},
        {"job.accepted", "job.expired", "accepted"},
        {"job.declined", "job.expired", "declined"},
        {"job.withdrawn", "job.reported", "reported"}, /* work that was done was done */
    };
    struct stand *stand = *state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const char *types[] = {cases[i].first, cases[i].then};
        char ticket[32], job[32], data[120];
        snprintf(ticket, sizeof ticket, "T-%zu", i);
        snprintf(job, sizeof job, "T-%zu.1", i);
        registered(stand, ticket, "C-1", "138");
        offered(stand, ticket, job, "site-a");
        for (size_t k = 0; k < 2; k++) {
            bool reported = strcmp(types[k], "job.reported") == 0, gone = strcmp(types[k], "job.withdrawn") == 0;
            snprintf(data, sizeof data, "{\"job\":\"%s\"%s}", job,
                     reported                                      ? ",\"outcome\":\"done\""
                     : gone || strcmp(types[k], "job.declined") == 0 ? ",\"reason\":\"taken\""
                                                                    : "");
            told(stand, types[k], ticket, data);
        }
        if (strcmp(state_of(stand, job), cases[i].left) != 0)
            fail_msg("%s, then %s: %s", cases[i].first, cases[i].then, state_of(stand, job));
    }
}

static void scheduled(struct stand *stand, const char *ticket)
{
    told(stand, "sla.scheduled", ticket,
         "{\"policy\":\"p-1\",\"cause\":\"start\",\"limits\":[{\"clause\":\"arrange\",\"k\":1,\"target\":1,\"from\":\"2026-11-22T01:00:00Z\","
         "\"due\":\"2026-11-22T02:00:00Z\",\"limit\":\"1h\"}]}");
}

static void breached(struct stand *stand, const char *ticket, int64_t rec_us)
{
    assert_int_equal(tell(stand, "sla.breached", ticket, rec_us,
                          "{\"clause\":\"arrange\",\"k\":1,\"level\":0,\"target\":1,\"due\":\"2026-11-22T02:00:00Z\",\"detected\":"
                          "\"2026-11-22T02:00:01Z\"}",
                          NULL),
                     STATUS_OK);
}

static int limits(struct stand *stand)
{
    struct branch_limit_row row;
    const struct branch_args any = {.key = ""};
    char after[120] = "";
    int n = 0;
    while (worklist_limit(stand->list, after, &any, &row) == STATUS_OK) {
        (void)text_copy(after, sizeof after, row.limit);
        n++;
    }
    return n;
}

static void test_limits(void **state)
{
    struct stand *stand = *state;
    struct branch_limit_row row;
    const struct branch_args of = {.key = "T-1"};
    scheduled(stand, "T-1");
    scheduled(stand, "T-2");
    assert_int_equal(worklist_limit(stand->list, "", &of, &row), STATUS_OK);
    assert_string_equal(row.state, "running");
    breached(stand, "T-1", MORNING_US);
    assert_int_equal(worklist_limit(stand->list, "", &of, &row), STATUS_OK);
    assert_string_equal(row.state, "breached");
    told(stand, "sla.corrected", "T-1",
         "{\"clause\":\"arrange\",\"k\":1,\"target\":1,\"was\":\"breached\",\"is\":\"met\",\"reason\":\"late\"}");
    assert_int_equal(limits(stand), 1);
    /* What was broken long ago, and never ended, is no work. */
    breached(stand, "T-2", MORNING_US);
    scheduled(stand, "T-3");
    breached(stand, "T-3", MORNING_US + 29 * DAY_US);
    assert_int_equal(limits(stand), 2);
    scheduled(stand, "T-4");
    breached(stand, "T-4", MORNING_US + 31 * DAY_US);
    assert_int_equal(limits(stand), 2);
}

static void test_callbacks(void **state)
{
    struct stand *stand = *state;
    struct branch_callback_row row;
    const struct branch_args any = {.key = ""};
    registered(stand, "T-1", "C-1", "13800000001");
    told(stand, "followup.due", "T-1", "{\"k\":1,\"due\":\"2026-11-22T02:00:00Z\",\"until\":\"2026-11-25T02:00:00Z\"}");
    assert_int_equal(worklist_callback(stand->list, "", &any, &row), STATUS_OK);
    assert_string_equal(row.phone, "13800000001");
    told(stand, "followup.recorded", "T-1", "{\"k\":1,\"reached\":false}");
    assert_int_equal(worklist_callback(stand->list, "", &any, &row), STATUS_OK);
    told(stand, "followup.recorded", "T-1", "{\"k\":1,\"reached\":true}");
    assert_int_equal(worklist_callback(stand->list, "", &any, &row), STATUS_ABSENT);
}

static void ticket_told(void *owner, const char *ticket)
{
    buf_append_format(owner, "%s ", ticket);
}

static void test_erased(void **state)
{
    struct stand *stand = *state;
    struct branch_job_row row;
    const struct branch_args any = {.key = ""};
    struct buf tickets = {0};
    char path[128], log[136];
    registered(stand, "T-1", "C-1", "13977755533");
    registered(stand, "T-2", "C-2", "13888888888");
    registered(stand, "T-3", "C-1", "13977755533");
    offered(stand, "T-1", "T-1.1", "site-a");
    offered(stand, "T-2", "T-2.1", "site-a");
    assert_int_equal(worklist_commit(stand->list), STATUS_OK);
    assert_int_equal(worklist_erase(stand->list, "C-1", ticket_told, &tickets), STATUS_OK);
    assert_string_equal(buf_text(&tickets), "T-1 T-3 ");
    assert_int_equal(worklist_commit(stand->list), STATUS_OK);
    assert_int_equal(worklist_sweep(stand->list), STATUS_OK);
    assert_int_equal(worklist_job(stand->list, "", &any, &row), STATUS_OK);
    assert_string_equal(row.phone, "");
    assert_int_equal(worklist_job(stand->list, "T-1.1", &any, &row), STATUS_OK);
    assert_string_equal(row.phone, "13888888888");
    snprintf(path, sizeof path, "%s/worklist.db", stand->folder);
    snprintf(log, sizeof log, "%s-wal", path);
    assert_true(bench_holds(path, "13888888888"));
    assert_false(bench_holds(path, "13977755533"));
    assert_false(bench_holds(log, "13977755533"));
    buf_release(&tickets);
}

static void erasure_names(struct stand *stand, const char *customer, const char *expected)
{
    struct buf tickets = {0};
    assert_int_equal(worklist_erase(stand->list, customer, ticket_told, &tickets), STATUS_OK);
    assert_string_equal(tickets.len > 0 ? buf_text(&tickets) : "", expected);
    buf_release(&tickets);
}

/* What waits here of a ticket goes with its customer: without the personal right, and past the ticket's end, but not for ever. */
static void test_whose_a_ticket_is(void **state)
{
    struct stand *stand = *state;
    told(stand, "ticket.registered", "T-1", "{\"kind\":\"repair\",\"region\":\"GD\",\"customer\":{\"id\":\"C-1\"}}");
    told(stand, "ticket.registered", "T-2", "{\"kind\":\"repair\",\"region\":\"GD\"}");
    told(stand, "ticket.assessed", "T-2", "{\"kind\":\"repair\",\"region\":\"GD\",\"customer\":\"C-1\",\"opened\":\"2026-11-22T01:00:00Z\"}");
    registered(stand, "T-3", "C-1", "13977755533");
    registered(stand, "T-4", "C-2", "13888888888");
    told(stand, "ticket.cancelled", "T-3", "{}");
    erasure_names(stand, "C-1", "T-1 T-2 T-3 ");
    told(stand, "ticket.cancelled", "T-1", "{}");
    told(stand, "ticket.reopened", "T-1", "{}");
    assert_int_equal(tell(stand, "ticket.cancelled", "T-4", MORNING_US + 91 * DAY_US, "{}", NULL), STATUS_OK);
    erasure_names(stand, "C-1", "T-1 T-2 ");
    erasure_names(stand, "C-2", "T-4 ");
}

/* A branch comes back to a hundred thousand broken limits: each event must find its rows by an index, whatever lies beside them. */
static void test_no_event_looks_through_the_list(void **state)
{
    struct stand *stand = *state;
    for (int i = 0; i < 300; i++) {
        char ticket[32], job[32], data[120];
        snprintf(ticket, sizeof ticket, "T-%d", i);
        snprintf(job, sizeof job, "T-%d.1", i);
        registered(stand, ticket, "C-1", "138");
        scheduled(stand, ticket);
        offered(stand, ticket, job, "site-a");
        breached(stand, ticket, MORNING_US);
        snprintf(data, sizeof data, "{\"job\":\"%s\"}", job);
        told(stand, "job.accepted", ticket, data);
        told(stand, "followup.due", ticket, "{\"k\":1,\"due\":\"2026-11-22T02:00:00Z\",\"until\":\"2026-11-25T02:00:00Z\"}");
        told(stand, "ticket.resolved", ticket, "{\"job\":\"x\",\"outcome\":\"done\"}");
        if (i % 3 == 0)
            told(stand, "ticket.cancelled", ticket, "{}");
        if (i % 10 == 0)
            assert_int_equal(worklist_commit(stand->list), STATUS_OK);
    }
    assert_int_equal(db_scanned(stand->list->db), 0);
}

static void test_begun_anew(void **state)
{
    struct stand *stand = *state;
    static const uint8_t link[LINK_BYTES] = {1};
    scheduled(stand, "T-1");
    assert_int_equal(worklist_reached(stand->list, 17, link), STATUS_OK);
    assert_int_equal(worklist_heard(stand->list, MORNING_US, MORNING_US + SECOND_US), STATUS_OK);
    assert_int_equal(worklist_commit(stand->list), STATUS_OK);
    worklist_close(&stand->list);
    stand->list = list_open(stand);
    assert_int_equal(worklist_state(stand->list)->pos, 17);
    assert_int_equal(worklist_state(stand->list)->as_of_us, MORNING_US);
    assert_int_equal(worklist_begin(stand->list, "test-00000000", "all"), STATUS_OK);
    assert_int_equal(limits(stand), 1);
    assert_int_equal(worklist_begin(stand->list, "test-00000000", "other"), STATUS_OK);
    assert_int_equal(limits(stand), 0);
    assert_int_equal(worklist_state(stand->list)->pos, 0);
}

static enum status nobody(void *owner, const char *customer)
{
    (void)owner;
    (void)customer;
    return STATUS_OK;
}

/* How far the list is when the feed begins to be read for these sites. */
static uint64_t begun_at(struct stand *stand, char (*sites)[EVENT_SITE_CAP], uint32_t n)
{
    const struct follow_config config = {.consumer = "branch-gz", .sites = sites, .sites_n = n};
    const struct follow_listener listener = {.erased = nobody};
    struct follow *follow = follow_new(stand->list, &config, &listener, NULL);
    assert_int_equal(follow_begin(follow, "test-00000000", HOUR_US), STATUS_OK);
    follow_destroy(&follow);
    return worklist_state(stand->list)->pos;
}

/* Another selection is another reading, however long it is. */
static void test_another_selection(void **state)
{
    struct stand *stand = *state;
    static const uint8_t link[LINK_BYTES] = {1};
    static char sites[16][EVENT_SITE_CAP];
    for (uint32_t i = 0; i < 16; i++)
        snprintf(sites[i], sizeof sites[i], "a-site-with-a-name-of-some-length-%u", i);
    for (uint32_t n = 1; n <= 16; n += 15) {
        assert_int_equal(begun_at(stand, sites, n), 0);
        assert_int_equal(worklist_reached(stand->list, 17, link), STATUS_OK);
        assert_int_equal(worklist_commit(stand->list), STATUS_OK);
        assert_int_equal(begun_at(stand, sites, n), 17);
        sites[n - 1][0] = 'b';
        assert_int_equal(begun_at(stand, sites, n), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_job_from_offer_to_end, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_ticket_that_is_opened_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_journal_order_decides, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_limits, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_callbacks, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_erased, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_whose_a_ticket_is, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_no_event_looks_through_the_list, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_begun_anew, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_another_selection, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
