/* policy: check a file, publish it with the calendars it needs, show what is in force. */
#include "policy/policy.h"
#include "base/digest.h"
#include "base/text.h"
#include "calendar/calendar.h"
#include "connection.h"
#include "policy/check.h"
#include "policy/published.h"
#include "policy_print.h"
#include "proto/catalogue.h"
#include <inttypes.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define KNOWN_MAX 256

struct known_calendar {
    char name[48], version[64];
};

struct publishing {
    struct cli *cli;
    const char *verb, *file, *calendars;
    struct arena *arena;
    struct buf text;
    struct policy policy;
    struct stream_created stream;
    /* what the stream has */
    struct known_calendar known[KNOWN_MAX];
    size_t known_n;
    bool in_force, version_known;
    struct policy_published current; /* .policy points into current_raw */
    struct buf current_raw;
    uint8_t version_sha256[DIGEST_BYTES];
    int64_t current_pos;
};

static int policy_load(struct publishing *publishing)
{
    struct cli *cli = publishing->cli;
    struct problems problems = {0};
    if (!file_read(cli, publishing->file, 1 << 20, &publishing->text))
        return CLI_USAGE;
    bool good = policy_parse(buf_text(&publishing->text), publishing->text.len, publishing->arena,
                             &publishing->policy, &problems, event_type_data);
    if (!good) {
        cli_problems(cli, publishing->file, &problems);
        cli_fail(cli, CLI_REFUSED,
                 in_words(cli->language, "Correct the lines above; deploy/policies has examples."),
                 in_words(cli->language, "%s: mistakes: %zu"), publishing->file, problems.n);
    }
    problems_release(&problems);
    return good ? CLI_DONE : CLI_REFUSED;
}

/* --- what the stream has
 * -------------------------------------------------------------------------- */
static void on_calendar(struct publishing *publishing, const struct event *event)
{
    struct calendar_published data;
    struct problem problem;
    if (publishing->known_n < KNOWN_MAX &&
        record_decode(&calendar_published_record, RECORD_PLAIN, DECODE_LENIENT, event->data,
                      publishing->arena, &data, &problem)) {
        struct known_calendar *known = &publishing->known[publishing->known_n++];
        text_copy(known->name, sizeof(known->name), data.name);
        text_copy(known->version, sizeof(known->version), data.version);
    }
}

static bool on_event(void *owner, const struct event *event)
{
    struct publishing *publishing = owner;
    struct policy_published data;
    struct problem problem;
    if (text_equal(event->type, "calendar.published")) {
        on_calendar(publishing, event);
        return true;
    }
    if (!text_equal(event->type, "policy.published") ||
        !record_decode(&policy_published_record, RECORD_PLAIN, DECODE_LENIENT, event->data,
                       publishing->arena, &data, &problem))
        return true;
    if (text_equal(data.version, publishing->policy.version)) {
        publishing->version_known = true;
        memcpy(publishing->version_sha256, data.sha256, DIGEST_BYTES);
    }
    publishing->in_force = true;
    publishing->current = data;
    publishing->current_pos = (int64_t)event->pos;
    buf_reset(&publishing->current_raw);
    buf_append(&publishing->current_raw, data.policy.data, data.policy.len);
    return true;
}

static int stream_learn(struct publishing *publishing)
{
    static const struct feed_listener listener = {.event = on_event};
    struct verb_open *open = memory_new(sizeof(*open));
    record_clear(&verb_open_record, open);
    text_copy(open->types[0], EVENT_TYPE_CAP, "policy.published");
    text_copy(open->types[1], EVENT_TYPE_CAP, "calendar.published");
    open->types_n = 2;
    int code = stream_read(publishing->cli, &publishing->stream);
    if (code == CLI_DONE)
        code = feed_read(publishing->cli, publishing->stream.stream, open, false, &listener,
                         publishing);
    free(open);
    return code;
}

/* --- calendars
 * ------------------------------------------------------------------------------------- */
static bool readable(char *path, size_t cap, const char *folder, const char *name)
{
    if (folder == NULL)
        return false;
    snprintf(path, cap, "%s/%s.yaml", folder, name);
    return access(path, R_OK) == 0;
}

static bool calendar_find(const struct publishing *publishing, const char *name, char *path,
                          size_t cap)
{
    if (publishing->calendars != NULL)
        return readable(path, cap, publishing->calendars, name);
    char copy[512], beside[560];
    text_copy(copy, sizeof(copy), publishing->file);
    snprintf(beside, sizeof(beside), "%s/../calendars", dirname(copy));
    return readable(path, cap, beside, name) || readable(path, cap, "deploy/calendars", name) ||
           readable(path, cap, "/usr/local/share/aftercare/calendars", name);
}

/* *why: what is wrong with it, where there is a file. */
static int calendar_load(struct publishing *publishing, const char *name, struct calendar_def *def,
                         struct problem *why)
{
    struct cli *cli = publishing->cli;
    char path[700];
    struct buf text = {0};
    struct problems problems = {0};
    if (!calendar_find(publishing, name, path, sizeof(path)))
        return cli_fail(
            cli, CLI_REFUSED,
            in_words(cli->language, "Give the folder that has NAME.yaml by --calendars DIR."),
            in_words(cli->language,
                     "the policy needs calendar \"%s\", and there is no file for it"),
            name);
    if (!file_read(cli, path, 1 << 20, &text))
        return CLI_USAGE;
    bool good = record_parse_yaml(&calendar_def_record, buf_text(&text), text.len,
                                  publishing->arena, def, &problems);
    struct problem problem = {0};
    if (good) {
        struct calendar *compiled = calendar_new(def, &problem);
        good = compiled != NULL;
        if (!good)
            problems_add(&problems, &problem);
        calendar_destroy(&compiled);
    }
    if (good && !text_equal(def->name, name)) {
        good = false;
        problem_set(&problem, "bad-value", "name", "\"%s\", expected \"%s\" as the policy calls it",
                    def->name, name);
        problems_add(&problems, &problem);
    }
    if (!good) {
        *why = problems.items[0];
        cli_problems(cli, path, &problems);
    }
    buf_release(&text);
    problems_release(&problems);
    return good ? CLI_DONE : CLI_REFUSED;
}

static bool calendar_is_known(const struct publishing *publishing, const struct calendar_def *def)
{
    for (size_t i = 0; i < publishing->known_n; i++)
        if (text_equal(publishing->known[i].name, def->name) &&
            text_equal(publishing->known[i].version, def->version))
            return true;
    return false;
}

static int event_publish(struct publishing *publishing, const char *type, const char *key,
                         const char *version, const struct record *record, const void *object)
{
    struct cli *cli = publishing->cli;
    struct buf data = {0}, result = {0};
    struct answer answer;
    record_encode(record, RECORD_PLAIN, object, &data);
    const struct draft draft = {
        .type = type, .v = 1, .key = key, .by = "operator", .data = buf_bytes(&data)};
    int code = data.len > EVENT_BYTES_MAX - 1024
                   ? cli_fail(cli, CLI_REFUSED, in_words(cli->language, "Cut it down."),
                              in_words(cli->language, "%s %s is larger than 64 KiB"), type, key)
                   : send_one(cli, publishing->stream.stream, &draft, &answer, &result);
    if (code == CLI_DONE && !answer.taken)
        code = refusal_say(cli, &answer.problem);
    else if (code == CLI_DONE && cli->json)
        printf("{\"type\":\"%s\",\"key\":\"%s\",\"version\":\"%s\",\"pos\":%" PRId64 "}\n", type,
               key, version, answer.pos);
    else if (code == CLI_DONE)
        printf(in_words(cli->language, "%s %s %s at position %" PRId64 "\n"), type, key, version,
               answer.pos);
    buf_release(&data);
    buf_release(&result);
    return code;
}

static int calendars_publish(struct publishing *publishing)
{
    const struct slice *names = &publishing->policy.calendars;
    int code = CLI_DONE;
    for (uint32_t i = 0; i < names->n && code == CLI_DONE; i++) {
        const char *name = (const char *)names->items + (size_t)i * 48;
        struct calendar_def def;
        record_clear(&calendar_def_record, &def);
        code = calendar_load(publishing, name, &def, &(struct problem){0});
        if (code != CLI_DONE || calendar_is_known(publishing, &def))
            continue;
        struct buf raw = {0};
        record_encode(&calendar_def_record, RECORD_WHOLE, &def, &raw);
        struct calendar_published published;
        record_clear(&calendar_published_record, &published);
        text_copy(published.name, sizeof(published.name), def.name);
        text_copy(published.version, sizeof(published.version), def.version);
        published.calendar = buf_bytes(&raw);
        code = event_publish(publishing, "calendar.published", def.name, def.version,
                             &calendar_published_record, &published);
        buf_release(&raw);
    }
    return code;
}

/* --- check, publish, show
 * ---------------------------------------------------------------------------- */
static int text_say(struct buf *out)
{
    fputs(buf_text(out), stdout);
    buf_release(out);
    return CLI_DONE;
}

/* Every calendar it names can be counted by; what cannot is said where the policy names it. */
static int calendars_check(struct publishing *publishing)
{
    const struct slice *names = &publishing->policy.calendars;
    struct problems problems = {0};
    int code = CLI_DONE;
    for (uint32_t i = 0; i < names->n; i++) {
        const char *name = (const char *)names->items + (size_t)i * 48;
        struct calendar_def def;
        struct problem why = {0};
        record_clear(&calendar_def_record, &def);
        int loaded = calendar_load(publishing, name, &def, &why);
        code = code == CLI_DONE ? loaded : code;
        if (loaded != CLI_DONE)
            policy_check_calendar(&publishing->policy, name, NULL, *why.code ? &why : NULL,
                                  &problems);
    }
    policy_places_find(buf_text(&publishing->text), publishing->text.len, &problems, 0);
    if (problems.n > 0)
        cli_problems(publishing->cli, publishing->file, &problems);
    problems_release(&problems);
    return code;
}

static int policy_check_file(struct publishing *publishing)
{
    struct cli *cli = publishing->cli;
    struct buf out = {0};
    int code = policy_load(publishing);
    if (code == CLI_DONE)
        code = calendars_check(publishing);
    if (code != CLI_DONE)
        return code;
    const struct policy *policy = &publishing->policy;
    if (cli->json) {
        printf("{\"name\":\"%s\",\"version\":\"%s\",\"good\":true}\n", policy->name,
               policy->version);
        return CLI_DONE;
    }
    printf(in_words(cli->language, "%s: policy %s %s is good\n"), publishing->file, policy->name,
           policy->version);
    policy_print_counts(cli->language, policy, &out);
    return text_say(&out);
}

static int policy_publish(struct publishing *publishing)
{
    struct cli *cli = publishing->cli;
    int code = policy_load(publishing);
    if (code == CLI_DONE)
        code = stream_learn(publishing);
    if (code != CLI_DONE)
        return code;
    const struct policy *policy = &publishing->policy;
    struct policy_published published;
    record_clear(&policy_published_record, &published);
    digest_of(buf_bytes(&publishing->text), published.sha256);
    if (publishing->version_known) {
        if (memcmp(published.sha256, publishing->version_sha256, DIGEST_BYTES) != 0)
            return cli_fail(cli, CLI_REFUSED,
                            in_words(cli->language,
                                     "A published version never changes: give it a new version."),
                            in_words(cli->language, "version %s was published with another text"),
                            policy->version);
        printf(cli->json ? "{\"version\":\"%s\",\"published_before\":true}\n"
                         : in_words(cli->language, "version %s is published already\n"),
               policy->version);
        return CLI_DONE;
    }
    code = calendars_publish(publishing);
    if (code != CLI_DONE)
        return code;
    struct buf raw = {0};
    record_encode(&policy_record, RECORD_WHOLE, policy, &raw);
    text_copy(published.name, sizeof(published.name), policy->name);
    text_copy(published.version, sizeof(published.version), policy->version);
    if (publishing->in_force)
        text_copy(published.replaces, sizeof(published.replaces), publishing->current.version);
    published.policy = buf_bytes(&raw);
    code = event_publish(publishing, "policy.published", policy->name, policy->version,
                         &policy_published_record, &published);
    buf_release(&raw);
    return code;
}

/* A file that is in force nowhere yet. */
static int policy_show_file(struct publishing *publishing)
{
    struct buf out = {0};
    int code = policy_load(publishing);
    if (code != CLI_DONE)
        return code;
    const struct policy *policy = &publishing->policy;
    if (publishing->cli->json) {
        record_print_json(&policy_record, RECORD_WHOLE, policy, &out);
        buf_append_text(&out, "\n");
    } else {
        buf_append_format(&out, "%s %s\n", policy->name, policy->version);
        policy_print(publishing->cli->language, policy, &out);
    }
    return text_say(&out);
}

static int policy_show(struct publishing *publishing)
{
    struct cli *cli = publishing->cli;
    if (publishing->file != NULL)
        return policy_show_file(publishing);
    int code = stream_learn(publishing);
    if (code != CLI_DONE)
        return code;
    if (!publishing->in_force)
        return cli_fail(
            cli, CLI_REFUSED,
            in_words(cli->language, "`aftercare policy publish FILE` puts one in force."), "%s",
            in_words(cli->language, "no policy is published yet"));
    struct policy policy;
    struct problem problem;
    struct buf out = {0};
    if (!policy_decode(buf_bytes(&publishing->current_raw), publishing->arena, &policy, &problem))
        return refusal_say(cli, &problem);
    record_print_json(&policy_record, RECORD_WHOLE, &policy, &out);
    if (cli->json) {
        printf("%s\n", buf_text(&out));
    } else {
        char sha256[2 * DIGEST_BYTES + 1];
        hex_print(publishing->current.sha256, DIGEST_BYTES, sha256);
        printf(in_words(cli->language, "policy %s %s, position %" PRId64
                                       ", replaces %s\nSHA-256 of the file %s\n"),
               policy.name, policy.version, publishing->current_pos,
               publishing->current.replaces[0] != '\0' ? publishing->current.replaces : "-",
               sha256);
        buf_reset(&out);
        policy_print(cli->language, &policy, &out);
        fputs(buf_text(&out), stdout);
        printf("%s\n", in_words(cli->language, "`aftercare policy show --json` prints all of it"));
    }
    buf_release(&out);
    return CLI_DONE;
}

static error_t policy_options(int key, char *arg, struct argp_state *state)
{
    struct publishing *publishing = state->input;
    switch (key) {
    case 'C':
        publishing->calendars = arg;
        return 0;
    case ARGP_KEY_ARG:
        if (publishing->verb == NULL)
            publishing->verb = arg;
        else if (publishing->file == NULL)
            publishing->file = arg;
        else
            argp_error(state, "unexpected \"%s\"", arg);
        return 0;
    case ARGP_KEY_END:
        if (publishing->verb == NULL ||
            (!text_equal(publishing->verb, "show") && publishing->file == NULL))
            argp_error(state, "needs check FILE, publish FILE, or show");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

int command_policy(struct cli *cli, int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"calendars", 'C', "DIR", 0,
         "where the calendars it names lie (default: ../calendars beside the policy)", 0},
        {0}};
    static const struct cli_syntax syntax = {
        options, policy_options, "check FILE\npublish FILE\nshow [FILE]",
        "Check a policy, publish it with the calendars it needs, or show one: of a file, or "
        "the one in force.\vExamples:\n"
        "  aftercare policy check deploy/policies/boston311.yaml\n  aftercare policy publish "
        "deploy/policies/boston311.yaml"};
    struct publishing *publishing = memory_new(sizeof(*publishing));
    publishing->cli = cli;
    publishing->arena = arena_new(65536);
    cli_parse(&syntax, argc, argv, publishing);
    record_clear(&policy_record, &publishing->policy);
    int code;
    if (text_equal(publishing->verb, "check"))
        code = policy_check_file(publishing);
    else if (text_equal(publishing->verb, "publish"))
        code = policy_publish(publishing);
    else if (text_equal(publishing->verb, "show"))
        code = policy_show(publishing);
    else
        code = cli_fail(cli, CLI_USAGE, in_words(cli->language, "check, publish or show"),
                        in_words(cli->language, "policy has no \"%s\""), publishing->verb);
    buf_release(&publishing->text);
    buf_release(&publishing->current_raw);
    arena_destroy(&publishing->arena);
    free(publishing);
    return code;
}
