/* What deploy/ ships fits the words of proto/, which the floors below do not know. */
#include "base/text.h"
#include "policy/policy.h"
#include "proto/catalogue.h"
#include "proto/reference.h"
#include "proto/ticket.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* The words are the catalogue's, and what they are about is what their keys may name. */
static void test_facts_are_events(void **state)
{
    (void)state;
    for (int i = 0; policy_facts[i]; i++) {
        const struct event_type *type = event_type_find(policy_facts[i], 0);
        char ours[POLICY_ON_TEXT_MAX], keys[EVENT_KEYS_TEXT_MAX];
        if (!type)
            fail_msg("%s", policy_facts[i]);
        policy_on_print(policy_fact_on(i), ours);
        event_keys_print(type->keys, keys);
        if (!text_equal(ours, keys))
            fail_msg("%s is about %s, its key is %s", policy_facts[i], ours, keys);
    }
}

/* Whatever is said about a ticket, a clause may name; but for what is said of clauses. */
static void test_events_are_facts(void **state)
{
    (void)state;
    const struct event_type *type;
    for (size_t i = 0; (type = event_type_at(i)) != NULL; i++)
        if (event_type_runs_on(type, KEY_TICKET) && !text_starts(type->name, "sla.") &&
            !text_starts(type->name, "event.") && policy_fact(type->name) < 0)
            fail_msg("%s", type->name);
}

/* "customer.phone" leads to a field of the registration. */
static bool leads_to_field(const char *path)
{
    const struct record *record = &ticket_registered_record;
    char name[64];
    for (;;) {
        size_t n = strcspn(path, ".");
        text_copy_n(name, sizeof name, path, n);
        const struct field *field = record ? record_field(record, name) : NULL;
        if (!field || !path[n])
            return field != NULL;
        record = field->kind == FIELD_RECORD ? field->sub : NULL;
        path += n + 1;
    }
}

static void test_required_fields(void **state)
{
    (void)state;
    static const char *const paths[] = {SOURCE_DIR "/deploy/policies/boston311.yaml",
                                        SOURCE_DIR "/deploy/policies/example-cn.yaml"};
    static char text[65536];
    for (size_t p = 0; p < COUNT_OF(paths); p++) {
        struct arena *arena = arena_new(65536);
        struct problems problems = {0};
        struct policy policy;
        FILE *f = fopen(paths[p], "rb");
        assert_non_null(f);
        size_t n = fread(text, 1, sizeof text, f);
        fclose(f);
        assert_true(policy_parse(text, n, arena, &policy, &problems, NULL));
        const struct policy_kind *kinds = policy.kinds.items;
        for (uint32_t k = 0; k < policy.kinds.n; k++)
            for (uint32_t r = 0; r < kinds[k].required.n; r++) {
                const char *path =
                    (const char *)kinds[k].required.items + r * (size_t)POLICY_PATH_CAP;
                if (!leads_to_field(path))
                    fail_msg("%s: %s", paths[p], path);
            }
        arena_destroy(&arena);
    }
    assert_false(leads_to_field("customer.shoe"));
    assert_false(leads_to_field("kind.name"));
}

struct seen {
    char keys[64][65];
    size_t n;
};

static bool seen_has(const struct seen *seen, const char *key)
{
    for (size_t i = 0; i < seen->n; i++)
        if (text_equal(seen->keys[i], key))
            return true;
    return false;
}

static void site_check(const char *line, struct seen *seen, int tiers[4])
{
    struct arena *arena = arena_new(4096);
    struct problem problem = {0};
    struct site_updated site;
    int64_t at;
    json_t *event = json_loads(line, 0, NULL);
    const char *key = json_string_value(json_object_get(event, "key"));
    char *data = json_dumps(json_object_get(event, "data"), JSON_COMPACT);
    assert_string_equal(json_string_value(json_object_get(event, "type")), "site.updated");
    assert_true(text_is_key(key, strlen(key)) && !seen_has(seen, key));
    assert_true(instant_parse(json_string_value(json_object_get(event, "at")), &at));
    if (!record_parse_json(&site_updated_record, RECORD_WHOLE, DECODE_STRICT, data, strlen(data),
                           arena, &site, &problem))
        fail_msg("%s: %s %s", key, problem.code, problem.field);
    assert_true(site.tier >= 1 && site.tier <= 3);
    assert_true(site.tier == 1 || seen_has(seen, site.parent)); /* who is above comes first */
    tiers[site.tier]++;
    text_copy(seen->keys[seen->n++], 65, key);
    free(data);
    json_decref(event);
    arena_destroy(&arena);
}

static void test_network(void **state)
{
    (void)state;
    struct seen seen = {.n = 0};
    int tiers[4] = {0};
    char line[4096];
    FILE *f = fopen(SOURCE_DIR "/deploy/networks/boston311.jsonl", "r");
    assert_non_null(f);
    while (fgets(line, sizeof line, f))
        site_check(line, &seen, tiers);
    fclose(f);
    assert_int_equal(tiers[1], 1);
    assert_int_equal(tiers[2], 8);
    assert_int_equal(tiers[3], 13);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_facts_are_events), cmocka_unit_test(test_events_are_facts),
        cmocka_unit_test(test_required_fields), cmocka_unit_test(test_network)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
