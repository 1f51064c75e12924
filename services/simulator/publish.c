/* Rules into the simulated stream: policies and calendars, parsed or from their files; facts from
 * JSON. */
#include "base/text.h"
#include "inside.h"
#include "policy/published.h"
#include "worker/reference.h"
#include <errno.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool publish(struct simulator *sim, const char *type, const char *key,
                    const struct record *record, const void *object, struct problem *problem)
{
    buf_reset(&sim->data);
    record_encode(record, RECORD_PLAIN, object, &sim->data);
    const struct draft draft = {.type = type,
                                .key = key,
                                .at_us = sim->now_us,
                                .by = "operator",
                                .data = buf_bytes(&sim->data)};
    buf_reset(&sim->draft);
    draft_encode(&draft, &sim->draft);
    if (!simulator_take(sim, &sim->clerk, buf_bytes(&sim->draft), problem))
        return false;
    if (simulator_settle(sim))
        return true;
    return problem_set(problem, "worker", type, "%s", sim->error);
}

static bool publish_policy(struct simulator *sim, const struct policy *policy,
                           const uint8_t sha256[DIGEST_BYTES], struct problem *problem)
{
    struct policy_published published;
    struct buf raw = {0};
    const struct policy *in_force = reference_policy(sim->taker.tables, "");
    record_clear(&policy_published_record, &published);
    record_encode(&policy_record, RECORD_WHOLE, policy, &raw);
    text_copy(published.name, sizeof(published.name), policy->name);
    text_copy(published.version, sizeof(published.version), policy->version);
    if (in_force != NULL)
        text_copy(published.replaces, sizeof(published.replaces), in_force->version);
    memcpy(published.sha256, sha256, DIGEST_BYTES);
    published.policy = buf_bytes(&raw);
    bool fine = publish(sim, "policy.published", policy->name, &policy_published_record, &published,
                        problem);
    buf_release(&raw);
    return fine;
}

static bool publish_calendar(struct simulator *sim, const struct calendar_def *def,
                             struct problem *problem)
{
    struct calendar_published published;
    struct buf raw = {0};
    record_clear(&calendar_published_record, &published);
    record_encode(&calendar_def_record, RECORD_WHOLE, def, &raw);
    text_copy(published.name, sizeof(published.name), def->name);
    text_copy(published.version, sizeof(published.version), def->version);
    published.calendar = buf_bytes(&raw);
    bool fine = publish(sim, "calendar.published", def->name, &calendar_published_record,
                        &published, problem);
    buf_release(&raw);
    return fine;
}

static bool file_read(const char *path, struct buf *out, struct problem *problem)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return problem_set(problem, "file", "", "%s", strerror(errno));
    size_t got;
    do {
        got = fread(buf_reserve(out, 65536), 1, 65536, file);
        out->len += got;
    } while (got > 0 && out->len < (1 << 20));
    bool fine = ferror(file) == 0 && got == 0;
    fclose(file);
    return fine ||
           problem_set(problem, "file", "", "%s", "cannot be read, or is larger than 1 MiB");
}

static bool calendar_publish_file(struct simulator *sim, const char *path, const char *name,
                                  struct problems *problems)
{
    struct arena *arena = arena_new(1 << 16);
    struct buf text = {0};
    struct problem problem = {0};
    struct calendar_def def;
    record_clear(&calendar_def_record, &def);
    bool fine = file_read(path, &text, &problem);
    if (!fine)
        problems_add(problems, &problem);
    fine = fine && record_parse_yaml(&calendar_def_record, buf_text(&text), text.len, arena, &def,
                                     problems);
    if (fine && !text_equal(def.name, name))
        fine =
            problem_set(&problem, "bad-value", "name", "\"%s\", expected \"%s\"", def.name, name);
    else if (fine)
        fine = publish_calendar(sim, &def, &problem);
    if (!fine && problems->n == 0)
        problems_add(problems, &problem);
    buf_release(&text);
    arena_destroy(&arena);
    return fine;
}

static void calendar_path(const char *policy_path, const char *calendars, const char *name,
                          char *out, size_t cap)
{
    if (calendars != NULL) {
        snprintf(out, cap, "%s/%s.yaml", calendars, name);
        return;
    }
    char *copy = memory_text(policy_path);
    snprintf(out, cap, "%s/../calendars/%s.yaml", dirname(copy), name);
    free(copy);
}

bool simulator_publish_file(struct simulator *sim, const char *policy_path, const char *calendars,
                            char *where, size_t where_cap, struct problems *problems)
{
    struct arena *arena = arena_new(1 << 16);
    struct buf text = {0};
    struct policy policy;
    struct problem problem = {0};
    uint8_t sha256[DIGEST_BYTES];
    snprintf(where, where_cap, "%s", policy_path);
    bool fine = file_read(policy_path, &text, &problem);
    if (!fine)
        problems_add(problems, &problem);
    fine =
        fine && policy_parse(buf_text(&text), text.len, arena, &policy, problems, event_type_data);
    for (uint32_t i = 0; fine && i < policy.calendars.n; i++) {
        const char *name = (const char *)policy.calendars.items + (size_t)i * 48;
        calendar_path(policy_path, calendars, name, where, where_cap);
        fine = calendar_publish_file(sim, where, name, problems);
    }
    if (fine) {
        snprintf(where, where_cap, "%s", policy_path);
        digest_of(buf_bytes(&text), sha256);
        fine = publish_policy(sim, &policy, sha256, &problem);
        if (!fine)
            problems_add(problems, &problem);
    }
    buf_release(&text);
    arena_destroy(&arena);
    return fine;
}

size_t simulator_append_json(struct simulator *sim, int64_t told_us, const char *type,
                             const char *key, int64_t at_us, const char *by, const char *json,
                             struct problem *problem)
{
    const struct event_type *known = event_type_find(type, 0);
    if (known == NULL) {
        (void)problem_set(problem, "type.unknown", "type", "%s", type);
        return 0;
    }
    struct arena *arena = arena_new(4096);
    void *object = arena_alloc(arena, known->data->size);
    size_t fact = 0;
    if (record_parse_json(known->data, RECORD_WHOLE, DECODE_STRICT, json, strlen(json), arena,
                          object, problem)) {
        buf_reset(&sim->data);
        buf_reset(&sim->priv);
        record_encode(known->data, RECORD_PLAIN, object, &sim->data);
        record_encode(known->data, RECORD_PERSONAL, object, &sim->priv);
        fact = simulator_append(sim, &(struct simulator_fact){.told_us = told_us,
                                                              .type = type,
                                                              .key = key,
                                                              .at_us = at_us,
                                                              .by = by,
                                                              .data = buf_bytes(&sim->data),
                                                              .priv = buf_bytes(&sim->priv)});
    }
    arena_destroy(&arena);
    return fact;
}
