/* limits: promises and how they stand; with --why, how each was counted. */
#include "base/text.h"
#include "connection.h"
#include "limits_why.h"
#include "policy/published.h"
#include "proto/catalogue.h"
#include <stdlib.h>
#include <string.h>

struct telling {
    struct cli *cli;
    const char *key;
};

static void *room(void *items, size_t n, size_t *cap, size_t size)
{
    if (n < *cap)
        return items;
    *cap = *cap > 0 ? *cap * 2 : 16;
    return memory_grow(items, *cap * size);
}

/* --- asking ------------------------------------------------------------------------------------
 */

static void on_limit(void *owner, const struct record *record, const void *row)
{
    struct why *why = owner;
    (void)record;
    why->limits = room(why->limits, why->limits_n, &why->limits_cap, sizeof(why->limits[0]));
    why->limits[why->limits_n++] = *(const struct limit_row *)row;
}

static void on_subject(void *owner, const struct record *record, const void *row)
{
    struct why *why = owner;
    (void)record;
    why->subject = *(const struct subject_row *)row;
    why->has_subject = true;
}

static int questions_ask(struct why *why)
{
    struct asker *asker = asker_new(why->cli);
    struct limits_args limits;
    struct subject_args subject;
    if (asker == NULL)
        return CLI_SILENT;
    const struct question_type *question = question_find("sla-watchdog", "limits");
    record_clear(question->args, &limits);
    text_copy(limits.key, sizeof(limits.key), why->key);
    struct asking asking = {.question = question, .args = &limits, .row = on_limit, .owner = why};
    int code = asker_ask(asker, &asking);
    question = question_find("sla-watchdog", "subject");
    record_clear(question->args, &subject);
    text_copy(subject.key, sizeof(subject.key), why->key);
    asking =
        (struct asking){.question = question, .args = &subject, .row = on_subject, .owner = why};
    if (code == CLI_DONE)
        code = asker_ask(asker, &asking);
    asker_destroy(&asker);
    return code;
}

/* --- reading -----------------------------------------------------------------------------------
 */

static void policy_take(struct why *why, const struct event *event)
{
    struct policy_published data;
    struct problem problem;
    if (!record_decode(&policy_published_record, RECORD_PLAIN, DECODE_LENIENT, event->data,
                       why->arena, &data, &problem))
        return;
    struct policy *policy = arena_alloc(why->arena, sizeof(*policy));
    uint8_t *raw = arena_alloc(why->arena, data.policy.len + 1);
    memcpy(raw, data.policy.data, data.policy.len);
    if (!policy_decode(bytes_of(raw, data.policy.len), why->arena, policy, &problem))
        return;
    why->policies =
        room(why->policies, why->policies_n, &why->policies_cap, sizeof(why->policies[0]));
    struct known_policy *known = &why->policies[why->policies_n++];
    text_copy(known->version, sizeof(known->version), data.version);
    known->policy = policy;
}

static void calendar_take(struct why *why, const struct event *event)
{
    struct calendar_published data;
    struct calendar_def def;
    struct problem problem;
    if (!record_decode(&calendar_published_record, RECORD_PLAIN, DECODE_LENIENT, event->data,
                       why->arena, &data, &problem) ||
        !record_decode(&calendar_def_record, RECORD_WHOLE, DECODE_LENIENT, data.calendar,
                       why->arena, &def, &problem))
        return;
    why->calendars =
        room(why->calendars, why->calendars_n, &why->calendars_cap, sizeof(why->calendars[0]));
    struct known_calendar *known = &why->calendars[why->calendars_n];
    text_copy(known->name, sizeof(known->name), data.name);
    text_copy(known->version, sizeof(known->version), data.version);
    known->pos = (int64_t)event->pos;
    known->calendar = calendar_new(&def, &problem);
    why->calendars_n += known->calendar != NULL;
}

static bool on_published(void *owner, const struct event *event)
{
    struct why *why = owner;
    if (text_equal(event->type, "policy.published"))
        policy_take(why, event);
    else if (text_equal(event->type, "calendar.published"))
        calendar_take(why, event);
    return true;
}

static void said_take(struct why *why, const struct event *event)
{
    const struct event_type *type = event_type_find(event->type, event->v);
    struct problem problem;
    if (type == NULL)
        return;
    void *data = arena_alloc(why->arena, type->data->size);
    if (!record_decode(type->data, RECORD_PLAIN, DECODE_LENIENT, event->data, why->arena, data,
                       &problem))
        return;
    why->said = room(why->said, why->said_n, &why->said_cap, sizeof(why->said[0]));
    struct said *said = &why->said[why->said_n++];
    *said = (struct said){.pos = (int64_t)event->pos, .at_us = event->at_us, .data = data};
    text_copy(said->type, sizeof(said->type), event->type);
}

static bool on_event(void *owner, const struct event *event)
{
    struct why *why = owner;
    if (text_starts(event->type, "sla.")) {
        said_take(why, event);
        return true;
    }
    why->origins = room(why->origins, why->origins_n, &why->origins_cap, sizeof(why->origins[0]));
    struct origin *origin = &why->origins[why->origins_n++];
    *origin =
        (struct origin){.pos = (int64_t)event->pos, .at_us = event->at_us, .rec_us = event->rec_us};
    text_copy(origin->type, sizeof(origin->type), event->type);
    text_copy(origin->by, sizeof(origin->by), event->by);
    return true;
}

static int journal_read(struct why *why)
{
    static const struct feed_listener published = {.event = on_published},
                                      story = {.event = on_event};
    struct stream_created stream;
    struct verb_open *open = memory_new(sizeof(*open));
    int64_t head;
    int code = stream_read(why->cli, &stream);
    record_clear(&verb_open_record, open);
    text_copy(open->types[0], EVENT_TYPE_CAP, "policy.published");
    text_copy(open->types[1], EVENT_TYPE_CAP, "calendar.published");
    open->types_n = 2;
    if (code == CLI_DONE)
        code = feed_read(why->cli, stream.stream, open, false, &published, why);
    record_clear(&verb_open_record, open);
    text_copy(open->keys[0], EVENT_KEY_CAP, why->key);
    open->keys_n = 1;
    if (code == CLI_DONE)
        code = feed_read(why->cli, stream.stream, open, false, &story, why);
    if (code == CLI_DONE)
        code = head_ask(why->cli, &head, &why->now_us);
    free(open);
    return code;
}

/* --- the command -------------------------------------------------------------------------------
 */

static error_t why_parse(int key, char *arg, struct argp_state *state)
{
    struct telling *telling = state->input;
    switch (key) {
    case 'w':
        return 0;
    case ARGP_KEY_ARG:
        if (telling->key != NULL)
            argp_error(state, "unexpected \"%s\"", arg);
        telling->key = text_starts(arg, "key=") ? arg + 4 : arg;
        return 0;
    case ARGP_KEY_END:
        if (telling->key == NULL)
            argp_error(state, "whose limits? `aftercare limits ID --why`");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static int why_run(struct cli *cli, const char *key)
{
    struct why why = {.cli = cli, .key = key, .arena = arena_new(1 << 16)};
    int code = questions_ask(&why);
    if (code == CLI_DONE && why.limits_n == 0)
        code =
            cli_fail(cli, CLI_REFUSED, in_words(cli->language, "`aftercare tickets` lists them."),
                     in_words(cli->language, "nothing is known about %s"), key);
    if (code == CLI_DONE)
        code = journal_read(&why);
    if (code == CLI_DONE && cli->json)
        why_print_json(&why);
    else if (code == CLI_DONE)
        why_print(&why);
    for (size_t i = 0; i < why.calendars_n; i++)
        calendar_destroy(&why.calendars[i].calendar);
    free(why.limits);
    free(why.said);
    free(why.origins);
    free(why.policies);
    free(why.calendars);
    arena_destroy(&why.arena);
    return code;
}

int command_limits(struct cli *cli, int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"why", 'w', NULL, 0, "how each limit was counted: windows, waits, lines, levels", 0}, {0}};
    static const struct cli_syntax syntax = {
        options, why_parse, "ID",
        "Tell how the limits on a ticket, unit, contract … were counted.\vExample:\n"
        "  aftercare limits GD01-20261122-000123 --why\n"};
    bool asked = false;
    for (int i = 1; i < argc; i++)
        asked = asked || text_equal(argv[i], "--why") || text_equal(argv[i], "-w");
    if (!asked)
        return command_list(cli, argc, argv);
    struct telling telling = {.cli = cli};
    cli_parse(&syntax, argc, argv, &telling);
    return why_run(cli, telling.key);
}
