/* One rule's story, told to a simulated company and compared with what came of it. */
#include "play.h"
#include "base/text.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define NEAREST_MAX 5

/* --- what came -----------------------------------------------------------------------------------
 */

static void told_read(struct play *play)
{
    uint64_t head = simulator_head(play->sim);
    while (play->begun + play->told_n < head) {
        if (play->told_n == play->told_cap) {
            play->told_cap = play->told_cap > 0 ? 2 * play->told_cap : 64;
            play->told = memory_grow(play->told, play->told_cap * sizeof(*play->told));
        }
        struct told *told = &play->told[play->told_n++];
        struct problem problem;
        simulator_event(play->sim, play->begun + play->told_n, &told->event);
        told->type = event_type_find(told->event.type, told->event.v);
        told->data = NULL;
        if (told->type == NULL)
            continue;
        told->data = arena_alloc(play->arena, told->type->data->size);
        struct bytes personal = event_personal(&told->event);
        if (!record_decode(told->type->data, RECORD_PLAIN, DECODE_LENIENT, told->event.data,
                           play->arena, told->data, &problem) ||
            (personal.len > 0 &&
             !record_decode(told->type->data, RECORD_PERSONAL, DECODE_LENIENT | DECODE_KEEP,
                            personal, play->arena, told->data, &problem)))
            told->type = NULL;
    }
}

static void trace_print(struct play *play)
{
    struct buf line = {0};
    char at[INSTANT_TEXT_MAX], rec[INSTANT_TEXT_MAX];
    for (size_t i = 0; i < play->told_n; i++) {
        const struct event *event = &play->told[i].event;
        buf_reset(&line);
        told_print(play->script, &play->told[i], &line);
        when_print(play->script, event->rec_us, rec);
        when_print(play->script, event->at_us, at);
        printf("    %4" PRIu64 "  %-19s  %-14s %s\n", event->pos, rec, event->from,
               buf_text(&line));
    }
    buf_release(&line);
}

/* --- time ----------------------------------------------------------------------------------------
 */

static const struct telling *telling_of(const struct play *play, size_t fact)
{
    for (size_t i = 0; i < play->tellings_n; i++)
        if (play->tellings[i].fact == fact)
            return &play->tellings[i];
    return NULL;
}

/* "CODE", or "CODE FIELD" where the story says what is wrong, too. */
static bool refusal_fits(const char *want, const struct problem *problem)
{
    size_t n = strlen(problem->code);
    return strncmp(want, problem->code, n) == 0 &&
           (want[n] == '\0' || (want[n] == ' ' && text_equal(want + n + 1, problem->field)));
}

/* Refusals are what the steps say they are. */
static bool refusals_check(struct play *play)
{
    const struct simulator_refusal *refusal;
    while ((refusal = simulator_refusal(play->sim, play->refusals)) != NULL) {
        const struct telling *telling = telling_of(play, refusal->fact);
        const yaml_node_t *step = telling != NULL ? telling->step : NULL;
        const char *want = step != NULL ? node_text(play->script, step, "refused") : "";
        if (!refusal_fits(want, &refusal->problem))
            return complain(play->complaint, step, "intake refuses this fact: %s %s %s%s%s",
                            refusal->problem.code, refusal->problem.field, refusal->problem.args,
                            *want != '\0' ? "; expected refused: " : "", want);
        play->refusals++;
        for (size_t i = 0; i < play->tellings_n; i++)
            if (play->tellings[i].fact == refusal->fact)
                play->tellings[i].fact = 0;
    }
    for (size_t i = 0; i < play->tellings_n; i++) {
        const char *want = node_text(play->script, play->tellings[i].step, "refused");
        if (play->tellings[i].fact != 0 && *want != '\0')
            return complain(play->complaint, play->tellings[i].step,
                            "this fact is taken; expected refused: %s", want);
    }
    play->tellings_n = 0;
    return true;
}

static bool catch_up(struct play *play, const yaml_node_t *step)
{
    if (!simulator_advance(play->sim, play->clock_us))
        return complain(play->complaint, step, "%s", simulator_error(play->sim));
    told_read(play);
    if (simulator_parked(play->sim) > 0)
        for (size_t i = 0; i < play->told_n; i++)
            if (text_equal(play->told[i].event.type, "event.parked")) {
                struct buf line = {0};
                told_print(play->script, &play->told[i], &line);
                (void)complain(play->complaint, step, "a worker cannot handle an event:\n  - %s",
                               buf_text(&line));
                buf_release(&line);
                return false;
            }
    return refusals_check(play);
}

static bool clock_set(struct play *play, const yaml_node_t *step, const yaml_node_t *time)
{
    int64_t us;
    if (!when_parse(play->script, scalar(time), play->clock_us, true, &us))
        return complain(play->complaint, time != NULL ? time : step,
                        "\"%s\" is no time: \"2026-03-02 09:00\", \"09:00\" or \"+2h\"",
                        scalar(time));
    if (us < play->clock_us) {
        char now[INSTANT_TEXT_MAX], then[INSTANT_TEXT_MAX];
        when_print(play->script, play->clock_us, now);
        when_print(play->script, us, then);
        return complain(play->complaint, time, "time goes back, from %s to %s", now, then);
    }
    play->clock_us = us;
    return true;
}

/* --- facts ---------------------------------------------------------------------------------------
 */

static void telling_keep(struct play *play, size_t fact, const yaml_node_t *step)
{
    if (play->tellings_n == play->tellings_cap) {
        play->tellings_cap = play->tellings_cap > 0 ? 2 * play->tellings_cap : 32;
        play->tellings = memory_grow(play->tellings, play->tellings_cap * sizeof(*play->tellings));
    }
    play->tellings[play->tellings_n++] = (struct telling){fact, step};
}

/* "region" stands beside the data for who reads the story. */
bool fact_json(struct play *play, const yaml_node_t *step, const struct event_type *type,
               int64_t at_us, struct buf *json)
{
    const yaml_node_t *data = node_get(play->script, step, "data");
    const char *region = node_text(play->script, step, "region");
    if (data != NULL && !data_print(play->script, type->data, data, at_us, json, play->complaint))
        return false;
    if (data == NULL)
        buf_append_text(json, "{}");
    if (*region == '\0')
        return true;
    if (record_field(type->data, "region") == NULL ||
        (data != NULL && node_get(play->script, data, "region") != NULL))
        return complain(play->complaint, step, "region does not belong here: %s has %s", type->name,
                        data != NULL ? "it in its data" : "none");
    json->len--; /* the closing brace */
    buf_append_format(json, "%s\"region\":\"%s\"}", json->len > 1 ? "," : "", region);
    return true;
}

static bool fact_tell(struct play *play, const yaml_node_t *step)
{
    static const char *const keys[] = {"at",     "told", "type",    "key", "by",
                                       "region", "data", "refused", NULL};
    struct problem problem = {0};
    struct buf json = {0};
    if (!node_keys(play->script, step, keys, "a fact", play->complaint))
        return false;
    const yaml_node_t *at = node_get(play->script, step, "at"),
                      *told = node_get(play->script, step, "told");
    const char *name = node_text(play->script, step, "type"),
               *by = node_text(play->script, step, "by");
    const struct event_type *type = event_type_find(name, 0);
    if (type == NULL)
        return complain(play->complaint, step, "there is no event type \"%s\"", name);
    if (at == NULL && told == NULL)
        return complain(play->complaint, step, "when? a fact needs \"at\"");
    if (!clock_set(play, step, told != NULL ? told : at))
        return false;
    int64_t at_us = play->clock_us;
    if (told != NULL && at != NULL &&
        !when_parse(play->script, scalar(at), play->clock_us, false, &at_us))
        return complain(play->complaint, at, "\"%s\" is no time", scalar(at));
    size_t fact = 0;
    if (fact_json(play, step, type, at_us, &json)) {
        fact = simulator_append_json(play->sim, play->clock_us, name,
                                     node_text(play->script, step, "key"), at_us,
                                     *by != '\0' ? by : NULL, buf_text(&json), &problem);
        if (fact == 0)
            (void)complain(play->complaint, step, "%s: %s %s %s", name, problem.code, problem.field,
                           problem.args);
    }
    buf_release(&json);
    if (fact != 0)
        telling_keep(play, fact, step);
    return fact != 0;
}

static bool publish(struct play *play, const yaml_node_t *at, const char *name)
{
    struct problems problems = {0};
    struct buf said = {0};
    char path[600], calendars[600] = "", where[600] = "";
    script_path(play->script, name, path, sizeof(path));
    if (play->script->calendars != NULL)
        script_path(play->script, play->script->calendars, calendars, sizeof(calendars));
    bool fine = simulator_publish_file(play->sim, path, *calendars != '\0' ? calendars : NULL,
                                       where, sizeof(where), &problems);
    if (!fine) {
        if (problems.n > 0)
            problem_print(&problems.items[0], false, &said);
        (void)complain(play->complaint, at, "%s: %s", where, buf_text(&said));
    }
    buf_release(&said);
    problems_release(&problems);
    return fine;
}

/* {at: TIME, publish: deploy/policies/NAME.yaml}: other rules from now on. */
static bool policy_publish(struct play *play, const yaml_node_t *step)
{
    static const char *const keys[] = {"at", "publish", NULL};
    return node_keys(play->script, step, keys, "publishing", play->complaint) &&
           clock_set(play, step, node_get(play->script, step, "at")) && catch_up(play, step) &&
           publish(play, step, node_text(play->script, step, "publish")) && (told_read(play), true);
}

/* --- expectations --------------------------------------------------------------------------------
 */

struct near {
    size_t i;
    int nearness;
};

static int near_compare(const void *left, const void *right)
{
    const struct near *a = left, *b = right;
    if (a->nearness != b->nearness)
        return a->nearness > b->nearness ? -1 : 1;
    return a->i > b->i ? -1 : a->i < b->i; /* the latest */
}

static int place_compare(const void *left, const void *right)
{
    const struct near *a = left, *b = right;
    return a->i < b->i ? -1 : a->i > b->i;
}

static void nearest_print(struct play *play, const yaml_node_t *want, struct buf *out)
{
    struct near *near = memory_new((play->told_n + 1) * sizeof(*near));
    size_t n = 0;
    for (size_t i = 0; i < play->told_n; i++) {
        int nearness = expectation_nearness(play->script, want, play->clock_us, &play->told[i]);
        if (nearness > 0)
            near[n++] = (struct near){i, nearness};
    }
    qsort(near, n, sizeof(*near), near_compare);
    /* Where the same type came, others say nothing more. */
    while (n > 1 && near[0].nearness >= 100 && near[n - 1].nearness < 100)
        n--;
    if (n > NEAREST_MAX)
        n = NEAREST_MAX;
    qsort(near, n, sizeof(*near), place_compare);
    buf_append_text(out, n > 0 ? "nearest that came:\n" : "nothing like it came\n");
    for (size_t i = 0; i < n; i++) {
        buf_append_text(out, "  - ");
        told_print(play->script, &play->told[near[i].i], out);
        buf_append_text(out, "\n");
    }
    free(near);
}

static bool unmet(struct play *play, const yaml_node_t *want, const char *what)
{
    struct buf out = {0};
    char now[INSTANT_TEXT_MAX];
    when_print(play->script, play->clock_us, now);
    buf_append_format(&out, "%s by %s:\n", what, now);
    script_quote(play->script, want, &out);
    nearest_print(play, want, &out);
    (void)complain(play->complaint, want, "%s", buf_text(&out));
    buf_release(&out);
    return false;
}

/* The first event from `from` on that meets it; told_n: none. */
static size_t met_at(const struct play *play, const yaml_node_t *want, size_t from)
{
    while (from < play->told_n &&
           !expectation_meets(play->script, want, play->clock_us, &play->told[from]))
        from++;
    return from;
}

static bool times_check(struct play *play, const yaml_node_t *want)
{
    const yaml_node_t *times = node_get(play->script, want, "times");
    char what[80];
    size_t n = 0;
    if (times == NULL)
        return true;
    for (size_t i = met_at(play, want, 0); i < play->told_n; i = met_at(play, want, i + 1))
        n++;
    if (n == strtoul(scalar(times), NULL, 10))
        return true;
    snprintf(what, sizeof(what), "came %zu times, not %.20s,", n, scalar(times));
    return unmet(play, want, what);
}

enum manner { EXPECT, THEN, NEVER };

static bool expectations_check(struct play *play, const yaml_node_t *list, enum manner manner)
{
    size_t at = 0, from = 0;
    if (node_items(list) == 0)
        return complain(play->complaint, list, "must be a list of events");
    for (size_t i = 0; i < node_items(list); i++) {
        const yaml_node_t *want = node_item(play->script, list, i);
        if (!expectation_check(play->script, want, play->clock_us, play->complaint))
            return false;
        const yaml_node_t *times = node_get(play->script, want, "times");
        bool none = manner != THEN && times != NULL && text_equal(scalar(times), "0");
        at = met_at(play, want, manner == THEN ? from : 0);
        if (manner == NEVER && at < play->told_n)
            return unmet(play, want, "must never come, and has");
        if (manner == THEN && at == play->told_n && met_at(play, want, 0) < play->told_n)
            return unmet(play, want, "came, but not behind what stands before it,");
        if (manner != NEVER && !none && at == play->told_n)
            return unmet(play, want, "expected, and has not come");
        if (manner != NEVER && !times_check(play, want))
            return false;
        from = at + 1;
        play->expected++;
    }
    return true;
}

/* --- steps ---------------------------------------------------------------------------------------
 */

static bool step_play(struct play *play, const yaml_node_t *step)
{
    static const struct {
        const char *key;
        enum manner manner;
    } expecting[] = {{"expect", EXPECT}, {"then", THEN}, {"never", NEVER}};
    struct pair pairs[PAIRS_MAX];
    if (step->type != YAML_MAPPING_NODE)
        return complain(play->complaint, step, "a step is a fact, until, expect, then or never");
    size_t n = node_pairs(play->script, step, pairs);
    for (size_t i = 0; i < COUNT_OF(expecting); i++) {
        const yaml_node_t *list = node_get(play->script, step, expecting[i].key);
        if (list == NULL)
            continue;
        if (n != 1)
            return complain(play->complaint, step, "%s is a step of its own", expecting[i].key);
        return catch_up(play, step) && expectations_check(play, list, expecting[i].manner);
    }
    const yaml_node_t *until = node_get(play->script, step, "until");
    if (until != NULL)
        return (n == 1 || complain(play->complaint, step, "until is a step of its own")) &&
               clock_set(play, step, until) && catch_up(play, step);
    if (node_get(play->script, step, "publish") != NULL)
        return policy_publish(play, step);
    return fact_tell(play, step);
}

static bool steps_play(struct play *play, const yaml_node_t *rule)
{
    const yaml_node_t *steps = node_get(play->script, rule, "steps");
    if (node_items(steps) == 0)
        return complain(play->complaint, rule, "needs a list of \"steps\", or \"later\"");
    for (size_t i = 0; i < node_items(steps); i++)
        if (!step_play(play, node_item(play->script, steps, i)))
            return false;
    if (play->expected == 0)
        return complain(play->complaint, rule,
                        "expects nothing: a rule is proved by expect, then or never");
    const yaml_node_t *last = node_item(play->script, steps, node_items(steps) - 1);
    return catch_up(play, last);
}

/* --- before the rule -----------------------------------------------------------------------------
 */

static bool furnish(struct play *play, const yaml_node_t *rule)
{
    if (!publish(play, rule, play->script->policy) || !network_tell(play, play->script->network) ||
        !network_tell(play, node_get(play->script, rule, "network")) || !catch_up(play, rule))
        return false;
    play->begun = simulator_head(play->sim);
    play->told_n = 0;
    return true;
}

enum outcome rule_play(const struct script *script, const yaml_node_t *rule,
                       const struct play_options *options, struct complaint *complaint)
{
    static const char *const keys[] = {"rule", "title", "start", "network", "steps", "later", NULL};
    struct play play = {.script = script, .complaint = complaint, .clock_us = script->start_us};
    complaint->line = node_line(rule);
    if (!node_keys(script, rule, keys, "a rule", complaint))
        return FAILED;
    if (node_get(script, rule, "later") != NULL) {
        if (node_get(script, rule, "steps") == NULL && node_text(script, rule, "later")[0] != '\0')
            return LATER;
        (void)complain(complaint, rule, "later says what it waits for, and has no steps");
        return FAILED;
    }
    const char *start = node_text(script, rule, "start");
    if (*start != '\0' && !when_parse(script, start, script->start_us, false, &play.clock_us)) {
        (void)complain(complaint, rule, "start \"%s\" is no time", start);
        return FAILED;
    }
    play.arena = arena_new(1 << 16);
    play.sim = simulator_new(&(struct simulator_config){.start_us = play.clock_us});
    bool fine = furnish(&play, rule) && steps_play(&play, rule);
    told_read(&play);
    if (options->trace)
        trace_print(&play);
    simulator_destroy(&play.sim);
    arena_destroy(&play.arena);
    free(play.told);
    free(play.tellings);
    return fine ? PROVED : FAILED;
}
