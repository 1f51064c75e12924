/* The world's news: tickets, answers to offers, mistakes, a policy that changes. Each is put into a spool and stays there until
 * it is answered. */
#include "base/arena.h"
#include "base/text.h"
#include "company.h"
#include "policy/published.h"
#include "proto/catalogue.h"
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_FROM 50 /* tickets: only in a long story */
#define FILE_FACTS 700 /* more than two windows */

static struct {
    unsigned left, registered;
    int64_t interval_us;
    char version[POLICY_VERSION_CAP];
    unsigned versions;
} facts;

static void put(const char *branch, const char *type, const char *key, const char *json)
{
    const struct event_type *known = event_type_find(type, 0);
    struct arena *arena = arena_new(4096);
    struct buf data = {0}, priv = {0}, draft = {0};
    struct problem problem;
    void *object = arena_alloc(arena, known->data->size);
    bool fine = record_parse_json(known->data, RECORD_WHOLE, DECODE_STRICT, json, strlen(json), arena, object, &problem);
    if (!fine)
        world_broken("%s %s: %s %s", type, json, problem.code, problem.field);
    record_encode(known->data, RECORD_PLAIN, object, &data);
    record_encode(known->data, RECORD_PERSONAL, object, &priv);
    /* Its own clock says when: ahead or behind by whatever it is wrong. */
    int64_t at_us = WORLD_WALL_US + world_now_us() + (world_chance(50) ? world_between(-DAY_US, DAY_US) : 0);
    const struct draft one = {.type = type, .key = key, .at_us = at_us, .by = "tester", .data = buf_bytes(&data),
                              .priv = priv.len > 1 ? buf_bytes(&priv) : bytes_of(NULL, 0)};
    draft_encode(&one, &draft);
    if (!text_equal(type, "ticket.registered") || world_chance(500) || !stepper_put(buf_bytes(&draft)))
        branch_put(branch, buf_bytes(&draft));
    buf_release(&data);
    buf_release(&priv);
    buf_release(&draft);
    arena_destroy(&arena);
}

/* --- policies --------------------------------------------------------------------------------------- */

/* retarget: for open tickets too, so that their clocks are swept. */
static void policy_put(bool retarget)
{
    static char text[16384];
    static struct policy policy;
    struct arena *arena = arena_new(1 << 16);
    struct problems problems = {0};
    struct policy_published published;
    struct buf raw = {0}, data = {0}, draft = {0};
    FILE *file = fopen(SOURCE_DIR "/tests/simulation/policy.yaml", "r");
    assert(file != NULL);
    size_t n = fread(text, 1, sizeof(text), file);
    fclose(file);
    if (!policy_parse(text, n, arena, &policy, &problems, event_type_data))
        world_broken("policy.yaml: %s %s", problems.items[0].code, problems.items[0].field);
    text_format(policy.version, sizeof(policy.version), "simulated-%u", ++facts.versions);
    policy.retarget_open = retarget;
    record_clear(&policy_published_record, &published);
    record_encode(&policy_record, RECORD_WHOLE, &policy, &raw);
    text_copy(published.name, sizeof(published.name), policy.name);
    text_copy(published.version, sizeof(published.version), policy.version);
    text_copy(published.replaces, sizeof(published.replaces), facts.version);
    text_copy(facts.version, sizeof(facts.version), policy.version);
    published.policy = buf_bytes(&raw);
    record_encode(&policy_published_record, RECORD_PLAIN, &published, &data);
    const struct draft one = {.type = "policy.published", .key = policy.name, .by = "operator", .data = buf_bytes(&data)};
    draft_encode(&one, &draft);
    branch_put("operator/desk", buf_bytes(&draft));
    buf_release(&raw);
    buf_release(&data);
    buf_release(&draft);
    arena_destroy(&arena);
}

/* --- news ------------------------------------------------------------------------------------------- */

static const char *some_branch(void)
{
    return branch_names[1 + world_draw(BRANCHES - 1)];
}

static void mistake(void)
{
    switch (world_draw(3)) {
    case 0:
        put(some_branch(), "ticket.noted", "T-99999", "{\"kind\":\"lost\"}"); /* nobody knows it */
        break;
    case 1:
        put("b1", "principal.revoked", "b2", "{\"id\":\"b2\",\"reason\":\"envy\"}"); /* not b1's to say */
        break;
    default:
        put(some_branch(), "ticket.registered", "T-00001", "{\"kind\":\"leak\",\"region\":\"R1\"}"); /* there is one */
    }
}

struct follows {
    const char *type;
    char key[EVENT_KEY_CAP], json[200];
};

static void on_follows(void *arg)
{
    struct follows *follows = arg;
    put(some_branch(), follows->type, follows->key, follows->json);
    free(follows);
}

static struct follows *follow(const char *key, const char *type)
{
    struct follows *follows = memory_new(sizeof(*follows));
    follows->type = type;
    text_copy(follows->key, sizeof(follows->key), key);
    text_copy(follows->json, sizeof(follows->json), "{}");
    world_at(world_now_us() + world_between(0, 3 * SECOND_US), on_follows, follows);
    return follows;
}

static void ticket_some(char key[24])
{
    text_format(key, 24, "T-%05u", 1 + (unsigned)world_draw(facts.registered > 0 ? facts.registered : 1));
}

static void on_policy(void *arg)
{
    (void)arg;
    policy_put(true);
}

/* One of the workers fails on it, or dies of it. */
static void poison(void)
{
    char key[24], kind[32], json[80];
    enum poison how = world_chance(300) ? POISON_KILLS : world_chance(200) ? POISON_STOPS : POISON_FAILS;
    poison_kind(how, workers[world_draw(WORKERS)]->name, kind);
    ticket_some(key);
    text_format(json, sizeof(json), "{\"kind\":\"%s\"}", kind);
    put(some_branch(), "ticket.noted", key, json);
    if (how == POISON_STOPS && world_chance(700))
        world_at(world_now_us() + world_between(0, 2 * SECOND_US), on_policy, NULL);
    if (world_chance(400)) /* and another one behind what waits for the first */
        text_copy(follow(key, "ticket.noted")->json, sizeof(((struct follows *)0)->json), json);
}

static void on_tick(void *arg)
{
    char key[24];
    (void)arg;
    if (facts.left == 0)
        return;
    facts.left--;
    if (world_chance(100)) {
        mistake();
    } else {
        text_format(key, sizeof(key), "T-%05u", ++facts.registered);
        put(some_branch(), "ticket.registered", key,
            world_chance(500) ? "{\"kind\":\"leak\",\"region\":\"R1\",\"customer\":{\"id\":\"C1\",\"name\":\"Li\"}}"
                              : "{\"kind\":\"noise\",\"region\":\"R2\",\"product\":\"PUMP\"}");
    }
    if (world_chance(30))
        policy_put(world_chance(500));
    if (world_chance(120))
        poison();
    world_at(world_now_us() + world_between(0, 2 * facts.interval_us), on_tick, NULL);
}

/* A file is handed in. */
static void on_file(void *arg)
{
    char key[16];
    (void)arg;
    for (int i = 0; i < FILE_FACTS; i++) {
        text_format(key, sizeof(key), "C%d", i % 50);
        put("import/file", "customer.updated", key, "{\"name\":\"somebody\"}");
    }
}

/* Tickets whose timer or sweep was set aside: to try it again tries all that waits with it, and what is handled then cannot be left out. */
static struct {
    char name[EVENT_KEY_CAP + 48];
} stopped[64];
static size_t stopped_n;

void facts_begin(unsigned tickets, int64_t until_us)
{
    char key[16];
    stopped_n = 0;
    facts.left = tickets;
    facts.interval_us = (until_us - world_now_us()) / (tickets + 1);
    policy_put(false);
    for (int i = 0; i < 4; i++) {
        text_format(key, sizeof(key), "S%d", i);
        put("operator/desk", "site.updated", key, "{\"name\":\"site\",\"tier\":3,\"territories\":[\"R\"],\"region\":\"R1\"}");
    }
    put("operator/desk", "site.updated", "HQ", "{\"name\":\"headquarters\",\"tier\":1,\"region\":\"R1\"}");
    world_at(world_now_us() + SECOND_US, on_tick, NULL);
    if (tickets > FILE_FROM)
        world_at(world_between(world_now_us(), until_us), on_file, NULL);
}

/* --- what follows from what was journaled ------------------------------------------------------------ */

static struct follows *later(const struct event *event, const char *type)
{
    return follow(event->key, type);
}

/* An operator sees to what is parked: mends what was wrong and releases it, releases it in the hope that it was chance, or
 * leaves it out. Where it fails again he is told again. */
struct trouble {
    char key[EVENT_KEY_CAP], worker[48];
    long long pos;
    bool timer;
};

static bool is_stopped(const struct trouble *trouble, bool remember)
{
    char name[sizeof(stopped[0].name)];
    text_format(name, sizeof(name), "%s %s", trouble->worker, trouble->key);
    for (size_t i = 0; i < stopped_n; i++)
        if (text_equal(stopped[i].name, name))
            return true;
    if (remember && stopped_n < COUNT_OF(stopped))
        text_copy(stopped[stopped_n++].name, sizeof(stopped[0].name), name);
    return false;
}

static void on_trouble(void *arg)
{
    struct trouble *trouble = arg;
    char json[160], key[24], kind[32];
    uint64_t draw = world_draw(100);
    if (draw < 40) {
        cure_kind(trouble->key, kind);
        ticket_some(key);
        text_format(json, sizeof(json), "{\"kind\":\"%s\"}", kind);
        put("operator/desk", "ticket.noted", key, json);
    }
    text_format(json, sizeof(json), "{\"pos\":%lld,\"worker\":\"%s\",\"reason\":\"seen to\"}", trouble->pos, trouble->worker);
    bool again = draw < 65 || (!trouble->timer && is_stopped(trouble, false));
    put("operator/desk", again ? "event.released" : "event.dropped", trouble->key, json);
    free(trouble);
}

static void on_parked(const struct event *event, const void *data)
{
    const struct event_parked *parked = data;
    struct trouble *trouble = memory_new(sizeof(*trouble));
    text_copy(trouble->key, sizeof(trouble->key), event->key);
    text_copy(trouble->worker, sizeof(trouble->worker), parked->worker);
    trouble->timer = parked->timer[0] != '\0';
    trouble->pos = trouble->timer ? (long long)event->pos : parked->pos;
    if (trouble->timer)
        (void)is_stopped(trouble, true);
    world_at(world_now_us() + world_between(0, 5 * SECOND_US), on_trouble, trouble);
}

static void on_job_offered(const struct event *event, const char *job, uint64_t draw)
{
    if (draw < 45)
        text_format(later(event, "job.accepted")->json, 200, "{\"job\":\"%s\"}", job);
    else if (draw < 65)
        text_format(later(event, "job.declined")->json, 200, "{\"job\":\"%s\",\"reason\":\"busy\"}", job);
}

static void on_job_accepted(const struct event *event, const char *job, uint64_t draw)
{
    if (draw < 50)
        (void)later(event, "ticket.resolved");
    else if (draw < 70)
        text_format(later(event, "job.reported")->json, 200, "{\"job\":\"%s\",\"outcome\":\"done\"}", job);
}

void facts_see(const struct journal_row *row)
{
    static const char *const interesting[] = {"job.offered", "job.accepted", "followup.due", "event.parked"};
    struct event event;
    struct problem problem;
    size_t i = 0;
    while (i < COUNT_OF(interesting) && !text_equal(row->type, interesting[i]))
        i++;
    if (i == COUNT_OF(interesting) || !event_decode(row->body, bytes_of(NULL, 0), &event, &problem))
        return;
    const struct record *record = event_type_data(row->type);
    struct arena *arena = arena_new(4096);
    char *object = arena_alloc(arena, record->size);
    uint64_t draw = world_draw(100);
    if (record_decode(record, RECORD_PLAIN, DECODE_LENIENT, event.data, arena, object, &problem)) {
        if (i == 3)
            on_parked(&event, object);
        else if (i == 0)
            on_job_offered(&event, object + record_field(record, "job")->offset, draw);
        else if (i == 1)
            on_job_accepted(&event, object + record_field(record, "job")->offset, draw);
        else if (draw < 60)
            text_format(later(&event, "followup.recorded")->json, 200, "{\"k\":%lld,\"reached\":true,\"satisfaction\":%d}",
                        (long long)*(const int64_t *)(const void *)(object + record_field(record, "k")->offset), draw < 50 ? 5 : 1);
    }
    arena_destroy(&arena);
}
