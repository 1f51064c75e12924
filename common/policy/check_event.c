/* Events that clauses and pauses name: types, what their data must say, the field they count from.
 */
#include "base/text.h"
#include "policy/check_inside.h"

#include <stdlib.h>
#include <string.h>

/* The field at a dotted path; NULL: none. */
static const struct field *field_at(const struct record *record, const char *path)
{
    char name[POLICY_PATH_CAP];
    for (;;) {
        size_t n = strcspn(path, ".");
        text_copy_n(name, sizeof name, path, n);
        const struct field *field = record ? record_field(record, name) : NULL;
        if (!field || !path[n])
            return field;
        if (field->flags & FIELD_PERSONAL)
            return field;
        record = field->kind == FIELD_RECORD ? field->sub : NULL;
        path += n + 1;
    }
}

static bool is_number(const char *text)
{
    char *end;
    strtoll(text, &end, 10);
    return *text && !*end;
}

static bool enum_has(const struct field *field, const char *text)
{
    for (int i = 0; field->names[i]; i++)
        if (text_equal(field->names[i], text))
            return true;
    return false;
}

/* Can the field's text ever be that? "" is the text of a field that is not there. */
static bool may_be(const struct field *field, const char *text)
{
    switch (field->kind) {
    case FIELD_BOOL:
        return !*text || text_equal(text, "true") || text_equal(text, "false");
    case FIELD_INT:
        return !*text || is_number(text);
    case FIELD_ENUM:
        return !*text || enum_has(field, text);
    case FIELD_TEXT:
        return strlen(text) < field->size;
    case FIELD_TIME:
    case FIELD_SPAN:
        return true;
    case FIELD_BIN:
    case FIELD_BYTES:
    case FIELD_RAW:
    case FIELD_BLOB:
    case FIELD_RECORD:
    case FIELD_LIST:
    case FIELD_SLICE:
        break;
    }
    return false;
}

static bool has_text(const struct field *field)
{
    return field->kind == FIELD_BOOL || field->kind == FIELD_INT || field->kind == FIELD_ENUM ||
           field->kind == FIELD_TEXT;
}

static void check_words(struct check *c, const struct slice *words, const struct field *field,
                        const char *path)
{
    const char *word = words->items;
    char at[CHECK_PATH_CAP + 8];
    for (uint32_t i = 0; i < words->n; i++, word += POLICY_WORTH_CAP) {
        text_format(at, sizeof at, "%s[%u]", path, i);
        if (!may_be(field, word))
            check_found(c, "bad-value", at, "%s is never \"%s\"", field->name, word);
    }
}

static void check_when(struct check *c, const struct policy_event *event, const char *path)
{
    const struct policy_when *when = event->when.items;
    const struct record *data = c->event_data ? c->event_data(event->type) : NULL;
    char at[CHECK_PATH_CAP], field_path[CHECK_PATH_CAP + 8];
    for (uint32_t i = 0; i < event->when.n; i++) {
        text_format(at, sizeof at, "%s.when[%u]", path, i);
        if (!c->published && when[i].is.n == 0 && when[i].is_not.n == 0)
            check_found(c, "missing", at, "%s: what is it, or what is it not?", when[i].field);
        if (!data)
            continue;
        const struct field *field = field_at(data, when[i].field);
        text_format(field_path, sizeof field_path, "%s.field", at);
        if (!field) {
            check_found(c, "unknown", field_path, "%s has no field %s", event->type, when[i].field);
        } else if (field->flags & FIELD_PERSONAL) {
            check_found(c, "bad-value", field_path, "%s is personal, and decides nothing",
                        when[i].field);
        } else if (!has_text(field)) {
            check_found(c, "bad-value", field_path, "%s is neither text, number nor yes or no",
                        when[i].field);
        } else {
            text_format(field_path, sizeof field_path, "%s.is", at);
            check_words(c, &when[i].is, field, field_path);
            text_format(field_path, sizeof field_path, "%s.is_not", at);
            check_words(c, &when[i].is_not, field, field_path);
        }
    }
}

static void check_from(struct check *c, const struct policy_event *event, enum check_from from,
                       const char *path)
{
    const struct record *data = c->event_data ? c->event_data(event->type) : NULL;
    const struct field *field = data ? field_at(data, event->from) : NULL;
    char at[CHECK_PATH_CAP];
    text_format(at, sizeof at, "%s.from", path);
    if (!*event->from)
        return;
    if (from == FROM_NONE)
        check_found(c, "bad-value", at, "only what starts or resets a clock counts from a field");
    else if (data && !field)
        check_found(c, "unknown", at, "%s has no field %s", event->type, event->from);
    else if (data && field->kind != FIELD_TIME)
        check_found(c, "bad-value", at, "%s of %s is no instant", event->from, event->type);
}

static void check_about(struct check *c, int fact, unsigned *on, const char *type, const char *path)
{
    char runs[POLICY_ON_TEXT_MAX], about[POLICY_ON_TEXT_MAX];
    if (*on & policy_fact_on(fact)) {
        *on &= policy_fact_on(fact);
        return;
    }
    policy_on_print(*on, runs);
    policy_on_print(policy_fact_on(fact), about);
    check_found(c, "mixed-keys", path, "%s is about %s, the clause runs on %s", type, about, runs);
}

/* The same type again after one without conditions. */
static bool is_taken(const struct policy_event *events, uint32_t at)
{
    for (uint32_t i = 0; i < at; i++)
        if (text_equal(events[i].type, events[at].type) && events[i].when.n == 0)
            return true;
    return false;
}

void check_events(struct check *c, const struct slice *events, enum check_from from, unsigned *on,
                  const char *path)
{
    const struct policy_event *event = events->items;
    char at[CHECK_PATH_CAP];
    for (uint32_t i = 0; i < events->n; i++) {
        int fact = policy_fact(event[i].type);
        check_element_path(at, path, events, i);
        if (fact < 0) {
            check_found(c, "unknown", at, "%s is no event type that a clause may name",
                        event[i].type);
            continue;
        }
        if (!c->published && is_taken(event, i))
            check_found(c, "hidden", at, "%s stands before it without conditions", event[i].type);
        check_about(c, fact, on, event[i].type, at);
        check_when(c, &event[i], at);
        check_from(c, &event[i], from, at);
    }
}
