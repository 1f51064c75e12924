/* The history, and what holds of everything that is said. */
#include "house.h"
#include "base/clock.h"
#include "base/text.h"
#include "edges.h"
#include "event/stream.h"
#include "policy/published.h"
#include "proto/catalogue.h"
#include "record/pack.h"
#include "services/intake/init.h"
#include "services/intake/refold.h"
#include "services/intake/published.h"
#include "services/intake/server.h"
#include "simulation/watches.h"
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const house_words[] = {"T-1",     "T-2",        "T-3",   "T-9",   "J-1",   "J-2",  "S1",     "S2",     "HQ",         "C1",
                                   "SN-1",    "PUMP",       "R1",    "R2",    "R1-2",  "leak", "noise",  "b1",     "b2",         "operator",
                                   "import",  "dispatcher", "done",  "phone", "clerk", "E1",   "house",  "house-1", "house-2",   "ticket.registered",
                                   "ticket.", "job.",       "intake", "units", "status", "refused", "policies", "jobs", "open", "clocks"};
const size_t house_words_n = COUNT_OF(house_words);
const char *const house_sources[] = {"operator/desk", "b1",         "b2",     "import/file", "operator/clerk", "dispatcher",
                                     "follow-up",     "operator/0", "nobody", "b1/x"};
const size_t house_sources_n = COUNT_OF(house_sources);

static struct {
    struct settings settings;
    char stream[64];
    bool built;
} house;

void house_fate(unsigned which)
{
    struct db *db = house_db();
    switch (which % 8) {
    case 0: /* the next commit is lost before it took effect, or behind, or is in doubt */
    case 1:
        house_fate_is(which & 16 ? STATUS_DOUBT : STATUS_CLOSED, which % 8 == 1);
        break;
    case 2:
        db->full_until_us = clock_boot_us() + SECOND_US / 10;
        break;
    case 3:
        db->down_until_us = clock_boot_us() + SECOND_US / 5;
        break;
    case 4: /* another intake has taken over */
        db->head.head.epoch++;
        text_copy(db->head.holder, sizeof(db->head.holder), "another");
        db->head.lease_until_us = clock_boot_us() + (which & 8 ? SECOND_US : 100 * SECOND_US);
        break;
    default: /* clocks */
        edges_step_wall((which & 8 ? 1 : -1) * (which & 16 ? HOUR_US : SECOND_US));
        edges_pass((which & 32) != 0 ? 100 * SECOND_US : 2 * SECOND_US);
    }
}

/* --- what is checked ------------------------------------------------------------------------------- */

/* What we say is of the protocol. */
void edges_said(const char *verb, struct bytes map)
{
    struct problem problem;
    const struct record *record = verb_record(verb);
    if (record == NULL || map.len > FRAME_BYTES_MAX || !skim(map, &problem))
        world_broken("%s is no verb, or its map none", verb);
    struct arena *arena = arena_new(4096);
    void *object = arena_alloc(arena, record->size);
    if (!record_decode(record, RECORD_WHOLE, DECODE_STRICT, map, arena, object, &problem))
        world_broken("%s said wrongly: %s %s", verb, problem.code, problem.field);
    arena_destroy(&arena);
}

/* Of a migration, which does not happen here. */
int archive_rebuild(const struct settings *settings, bool forced)
{
    (void)settings;
    (void)forced;
    return 0;
}

/* --- the history ----------------------------------------------------------------------------------- */

const struct settings *house_settings(void)
{
    return &house.settings;
}

const char *house_stream(void)
{
    return house.stream;
}

static struct buf history; /* drafts, one behind the other */
static size_t history_n;

static void fact(const char *type, const char *key, const char *json)
{
    const struct event_type *known = event_type_find(type, 0);
    struct arena *arena = arena_new(4096);
    struct buf data = {0}, priv = {0};
    struct problem problem;
    void *object = arena_alloc(arena, known->data->size);
    if (!record_parse_json(known->data, RECORD_WHOLE, DECODE_STRICT, json, strlen(json), arena, object, &problem))
        world_broken("%s %s: %s %s", type, json, problem.code, problem.field);
    record_encode(known->data, RECORD_PLAIN, object, &data);
    record_encode(known->data, RECORD_PERSONAL, object, &priv);
    const struct draft one = {.type = type, .key = key, .by = "tester", .data = buf_bytes(&data),
                              .priv = priv.len > 1 ? buf_bytes(&priv) : bytes_of(NULL, 0)};
    draft_encode(&one, &history);
    history_n++;
    buf_release(&data);
    buf_release(&priv);
    arena_destroy(&arena);
}

static void policy_said(void)
{
    static char text[16384];
    static struct policy policy;
    struct arena *arena = arena_new(1 << 16);
    struct problems problems = {0};
    struct policy_published published;
    struct buf raw = {0}, data = {0};
    FILE *file = fopen(SOURCE_DIR "/tests/simulation/policy.yaml", "r");
    assert(file != NULL);
    size_t n = fread(text, 1, sizeof(text), file);
    (void)fclose(file);
    if (!policy_parse(text, n, arena, &policy, &problems, event_type_data))
        world_broken("policy.yaml: %s %s", problems.items[0].code, problems.items[0].field);
    text_copy(policy.version, sizeof(policy.version), "house-1");
    record_clear(&policy_published_record, &published);
    record_encode(&policy_record, RECORD_WHOLE, &policy, &raw);
    text_copy(published.name, sizeof(published.name), policy.name);
    text_copy(published.version, sizeof(published.version), policy.version);
    published.policy = buf_bytes(&raw);
    record_encode(&policy_published_record, RECORD_PLAIN, &published, &data);
    const struct draft one = {.type = "policy.published", .key = policy.name, .by = "operator", .data = buf_bytes(&data)};
    draft_encode(&one, &history);
    history_n++;
    buf_release(&raw);
    buf_release(&data);
    arena_destroy(&arena);
}

static void facts(void)
{
    policy_said();
    fact("site.updated", "S1", "{\"name\":\"site\",\"tier\":3,\"territories\":[\"R\"],\"region\":\"R1\"}");
    fact("site.updated", "HQ", "{\"name\":\"headquarters\",\"tier\":1,\"region\":\"R1\"}");
    fact("customer.updated", "C1", "{\"name\":\"Li\",\"phone\":\"1\",\"address\":\"a\"}");
    fact("ticket.registered", "T-1", "{\"kind\":\"leak\",\"region\":\"R1\",\"customer\":{\"id\":\"C1\",\"name\":\"Li\"}}");
    fact("ticket.registered", "T-2", "{\"kind\":\"noise\",\"region\":\"R2\",\"product\":\"PUMP\"}");
    fact("ticket.noted", "T-2", "{\"kind\":\"call\",\"text\":\"rang\"}");
    fact("job.offered", "T-1", "{\"job\":\"J-1\",\"site\":\"S1\",\"tier\":3}");
    fact("job.accepted", "T-1", "{\"job\":\"J-1\"}");
    fact("ticket.noted", "T-77", "{\"kind\":\"lost\"}"); /* refused */
    fact("ticket.resolved", "T-2", "{}");
}

static struct bus_socket *cmd;
static unsigned turns;
static bool building;

bool house_building(struct loop *loop)
{
    if (!building)
        return false;
    struct buf map = {0};
    cmd = edges_socket("cmd");
    if (turns == 0) {
        struct verb_hello hello = {.proto = {1, 1}, .proto_n = 2, .first = 1, .last = (int64_t)history_n, .incarnation = {1}};
        text_copy(hello.source, sizeof(hello.source), "import");
        text_copy(hello.stream, sizeof(hello.stream), house.stream);
        record_encode(&verb_hello_record, RECORD_WHOLE, &hello, &map);
        edges_receive(cmd, 0, bytes_of_text("HELLO"), buf_bytes(&map));
    } else if (turns == 1) {
        struct bytes drafts[64];
        struct unpack at = unpack_of(buf_bytes(&history));
        for (size_t i = 0; i < history_n; i++)
            drafts[i] = unpack_raw(&at);
        struct verb_append append = {.n = 1, .events = {.items = drafts, .n = (uint32_t)history_n}, .upto = -1};
        record_encode(&verb_append_record, RECORD_WHOLE, &append, &map);
        edges_receive(cmd, 0, bytes_of_text("APPEND"), buf_bytes(&map));
    }
    buf_release(&map);
    house_settle();
    loop_turn(loop);
    edges_pass(SECOND_US / 100);
    return ++turns < 6;
}

static void settings_make(void)
{
    struct settings *own = &house.settings;
    settings_defaults(own, "/nowhere");
    text_copy(own->intake.cmd, sizeof(own->intake.cmd), "cmd");
    text_copy(own->intake.live, sizeof(own->intake.live), "live");
    text_copy(own->intake.feed, sizeof(own->intake.feed), "feed");
}

static void build(void)
{
    struct options options = {.mode = MODE_INIT, .name = "fuzzed", .clock = CLOCK_WALL, .branches = {"b1", "b2:R1,R2"}, .branches_n = 2};
    edges_reset();
    settings_make();
    bool fine = stream_init(&options, &house.settings);
    assert(fine);
    edges_pass(60 * SECOND_US);
    facts();
    building = true;
    struct metrics *metrics = metrics_new("intake");
    static struct doors doors;
    struct server_config config = {.settings = &house.settings, .entrance = &doors, .feed_pair = "pair", .metrics = metrics, .cache_rows = 64};
    struct server *server = server_new(&config);
    fine = server != NULL && server_begin(server);
    assert(fine);
    text_copy(house.stream, sizeof(house.stream), server_stream(server));
    fine = server_run(server);
    assert(fine);
    server_destroy(&server);
    metrics_destroy(&metrics);
    building = false;
    struct published *block;
    while ((block = published_receive(NULL)) != NULL)
        published_destroy(&block);
    buf_release(&history);
    const struct db *db = house_db();
    if (db->journal_n < 20 || db->refused_n != 1)
        world_broken("the history was not taken: %zu events, %zu refusals", db->journal_n, db->refused_n);
    house_store_keep();
    house.built = true;
}

void house_begin(void)
{
    if (!house.built)
        build();
    edges_reset();
    edges_pass(120 * SECOND_US);
    house_store_begin();
}

void house_end(void)
{
    struct published *block;
    while ((block = published_receive(NULL)) != NULL)
        published_destroy(&block);
    house_store_end();
}
