#include "base/text.h"
#include "event/event.h"
#include "mapping_form.h"
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

const char *mapping_encoding(const struct mapping *mapping)
{
    return mapping->encoding;
}

char mapping_delimiter(const struct mapping *mapping)
{
    return mapping->delimiter;
}

const struct time_reading *mapping_time(const struct mapping *mapping)
{
    return &mapping->time;
}

void mapping_destroy(struct mapping **self)
{
    struct mapping *mapping = *self;
    if (mapping == NULL)
        return;
    struct mapping_seen *seen, *next;
    HASH_ITER(hh, mapping->seen, seen, next)
    {
        HASH_DEL(mapping->seen, seen);
        free(seen->cells);
        free(seen);
    }
    buf_release(&mapping->data);
    buf_release(&mapping->priv);
    buf_release(&mapping->draft);
    buf_release(&mapping->value);
    buf_release(&mapping->compared);
    arena_destroy(&mapping->scratch);
    arena_destroy(&mapping->arena);
    free(mapping);
    *self = NULL;
}

static bool text_bind(struct mapping_text *text, const struct csv_row *header,
                      struct problem *problem)
{
    for (size_t i = 0; i < text->n; i++) {
        struct mapping_piece *piece = &text->pieces[i];
        if (piece->column == NULL)
            continue;
        size_t at = 0;
        while (at < header->n && !text_equal(header->cells[at], piece->column))
            at++;
        if (at == header->n) {
            problem_set(problem, "no-column", piece->column, "the file has no such column");
            problem->line = piece->line;
            return false;
        }
        piece->at = at;
    }
    return true;
}

bool mapping_bind(struct mapping *mapping, const struct csv_row *header, struct problem *problem)
{
    bool bound =
        text_bind(&mapping->key, header, problem) && text_bind(&mapping->by, header, problem);
    for (size_t i = 0; i < mapping->events_n && bound; i++) {
        struct mapping_event *event = &mapping->events[i];
        bound = text_bind(&event->key, header, problem) && text_bind(&event->at, header, problem) &&
                text_bind(&event->by, header, problem);
        for (size_t w = 0; w < event->whens_n && bound; w++)
            bound = text_bind(&event->whens[w].column, header, problem);
        for (size_t v = 0; v < event->values_n && bound; v++)
            bound = text_bind(&event->values[v].text, header, problem);
    }
    return bound;
}

static const char *first_column(const struct mapping_text *text, const char *other)
{
    for (size_t i = 0; i < text->n; i++)
        if (text->pieces[i].column != NULL)
            return text->pieces[i].column;
    return other;
}

static bool is_blank(const char *text)
{
    return text[strspn(text, " \t")] == '\0';
}

/* Into *out (NULL: blank, to be left out). */
static bool text_fill(struct mapping *mapping, const struct mapping_text *text,
                      const struct csv_row *row, const char **out, struct problem *problem)
{
    struct buf *value = &mapping->value;
    buf_reset(value);
    *out = NULL;
    for (size_t i = 0; i < text->n; i++) {
        const struct mapping_piece *piece = &text->pieces[i];
        buf_append_text(value, piece->literal);
        if (piece->column == NULL)
            continue;
        if (is_blank(row->cells[piece->at])) {
            *out = text->blank;
            return true;
        }
        buf_append_text(value, row->cells[piece->at]);
    }
    const char *filled = buf_text(value);
    if (text->lookup != NULL) {
        size_t i = 0;
        while (i < text->lookup->n && !text_equal(text->lookup->from[i], filled))
            i++;
        if (i == text->lookup->n && text->lookup->other == NULL)
            return problem_set(problem, "unknown", first_column(text, ""),
                               "\"%.80s\" is not in lookup %.40s", filled, text->lookup->name);
        *out = i < text->lookup->n ? text->lookup->to[i] : text->lookup->other;
        return true;
    }
    if (text->as_key)
        for (size_t i = 0; i < value->len; i++)
            if (!isalnum(value->data[i]) && strchr("._-", value->data[i]) == NULL)
                value->data[i] = '_';
    *out = buf_text(value);
    return true;
}

static bool looks_back(enum when_kind kind)
{
    return kind == WHEN_CHANGED || kind == WHEN_WAS || kind == WHEN_WAS_NOT;
}

static bool when_lists(const struct mapping_when *when, const char *cell)
{
    for (size_t i = 0; i < when->values_n; i++)
        if (text_equal(when->values[i], cell))
            return true;
    return false;
}

/* `before`: the compared columns of the row before of this key, NULL: this is the first. *compared
 * moves along it. */
static bool when_holds(const struct mapping_when *when, const struct csv_row *row,
                       const char *before, const char **compared)
{
    if (when->kind == WHEN_FIRST)
        return before == NULL;
    const char *cell = row->cells[when->column.pieces[0].at], *was = before ? *compared : NULL;
    if (was != NULL && looks_back(when->kind))
        *compared += strlen(*compared) + 1;
    switch (when->kind) {
    case WHEN_SET:
        return !is_blank(cell);
    case WHEN_EMPTY:
        return is_blank(cell);
    case WHEN_IS:
        return when_lists(when, cell);
    case WHEN_IS_NOT:
        return !when_lists(when, cell);
    case WHEN_CHANGED:
        return was == NULL || !text_equal(was, cell);
    case WHEN_WAS:
        return was != NULL && when_lists(when, was);
    case WHEN_WAS_NOT:
        return was == NULL || !when_lists(when, was);
    case WHEN_FIRST:
        break;
    }
    return false;
}

static bool event_wanted(const struct mapping_event *event, const struct csv_row *row,
                         const char *before, const char **compared)
{
    bool wanted = true;
    for (size_t i = 0; i < event->whens_n; i++)
        wanted = when_holds(&event->whens[i], row, before, compared) && wanted;
    return wanted;
}

/* Remembers the compared columns of this row for the next of its key. */
static void row_remember(struct mapping *mapping, const char *key, const struct csv_row *row)
{
    buf_reset(&mapping->compared);
    buf_append(&mapping->compared, "", 1);
    mapping->compared.len = 0;
    for (size_t i = 0; i < mapping->events_n; i++)
        for (size_t w = 0; w < mapping->events[i].whens_n; w++) {
            const struct mapping_when *when = &mapping->events[i].whens[w];
            if (looks_back(when->kind)) {
                const char *cell = row->cells[when->column.pieces[0].at];
                buf_append(&mapping->compared, cell, strlen(cell) + 1);
            }
        }
    struct mapping_seen *seen;
    HASH_FIND_STR(mapping->seen, key, seen);
    if (seen == NULL) {
        seen = memory_new(sizeof(*seen) + strlen(key) + 1);
        strcpy(seen->key, key);
        HASH_ADD_STR(mapping->seen, key, seen);
    }
    free(seen->cells);
    seen->cells = memory_new(mapping->compared.len + 1);
    memcpy(seen->cells, mapping->compared.data, mapping->compared.len);
}

static bool key_fill(struct mapping *mapping, const struct mapping_text *text,
                     const struct csv_row *row, char key[EVENT_KEY_CAP], struct problem *problem)
{
    const char *value;
    if (!text_fill(mapping, text, row, &value, problem))
        return false;
    if (value == NULL)
        return problem_set(problem, "missing", first_column(text, "key"), "the key is blank");
    if (!text_is_key(value, strlen(value)))
        return problem_set(problem, "bad-key", first_column(text, "key"), "\"%.60s\"", value);
    text_copy(key, EVENT_KEY_CAP, value);
    return true;
}

static bool object_fill(struct mapping *mapping, const struct mapping_event *event,
                        const struct csv_row *row, struct problem *problem)
{
    const struct record *record = event->type->data;
    record_clear(record, event->object);
    for (size_t i = 0; i < event->values_n; i++) {
        const struct mapping_value *value = &event->values[i];
        const char *text;
        if (!text_fill(mapping, &value->text, row, &text, problem))
            return false;
        if (text == NULL)
            continue;
        char fitting[4096];
        size_t offset = 0;
        const struct field *field = field_find(record, value->field, &offset);
        if (value->text.cut && field->kind == FIELD_TEXT && field->size <= sizeof(fitting)) {
            text_copy(fitting, field->size, text);
            text = fitting;
        }
        if (!field_set(record, event->object, value->field, text, &mapping->time, problem)) {
            const char *column = first_column(&value->text, value->field);
            text_copy(problem->field, sizeof(problem->field), column);
            return false;
        }
    }
    return true;
}

/* Encodes, and checks what is required as intake will. */
static bool object_encode(struct mapping *mapping, const struct mapping_event *event,
                          struct problem *problem)
{
    const struct record *record = event->type->data;
    buf_reset(&mapping->data);
    buf_reset(&mapping->priv);
    record_encode(record, RECORD_PLAIN, event->object, &mapping->data);
    record_encode(record, RECORD_PERSONAL, event->object, &mapping->priv);
    arena_reset(mapping->scratch);
    void *checked = arena_alloc(mapping->scratch, record->size);
    return record_decode(record, RECORD_PLAIN, DECODE_STRICT, buf_bytes(&mapping->data),
                         mapping->scratch, checked, problem);
}

/* Without `at` the event counts from its recording. */
static bool at_fill(struct mapping *mapping, const struct mapping_event *event,
                    const struct csv_row *row, int64_t *at_us, struct problem *problem)
{
    const char *value;
    *at_us = 0;
    if (event->at.n == 0)
        return true;
    if (!text_fill(mapping, &event->at, row, &value, problem))
        return false;
    if (value == NULL)
        return problem_set(problem, "missing", first_column(&event->at, "at"), "the time is blank");
    if (!time_read(&mapping->time, value, at_us))
        return problem_set(problem, "bad-time", first_column(&event->at, "at"), "\"%.60s\"", value);
    return true;
}

static bool event_make(struct mapping *mapping, const struct mapping_event *event,
                       const struct csv_row *row, const char *row_key, int64_t *at_us,
                       struct problem *problem)
{
    char key[EVENT_KEY_CAP], by[EVENT_BY_CAP] = "";
    text_copy(key, sizeof(key), row_key);
    if (event->key.n > 0 && !key_fill(mapping, &event->key, row, key, problem))
        return false;
    const struct mapping_text *by_text = event->by.n > 0 ? &event->by : &mapping->by;
    const char *value;
    if (!text_fill(mapping, by_text, row, &value, problem))
        return false;
    if (value != NULL)
        text_copy(by, sizeof(by), value);
    if (!at_fill(mapping, event, row, at_us, problem) ||
        !object_fill(mapping, event, row, problem) || !object_encode(mapping, event, problem))
        return false;
    const struct draft draft = {.type = event->type->name,
                                .v = event->type->v,
                                .key = key,
                                .at_us = *at_us,
                                .by = by,
                                .data = buf_bytes(&mapping->data),
                                .priv = mapping->priv.len > 1 ? buf_bytes(&mapping->priv)
                                                              : bytes_of(NULL, 0)};
    buf_reset(&mapping->draft);
    draft_encode(&draft, &mapping->draft);
    if (mapping->draft.len > DRAFT_BYTES_MAX)
        return problem_set(problem, "too-large", "", "%d", DRAFT_BYTES_MAX);
    return true;
}

bool mapping_row(struct mapping *mapping, const struct csv_row *row, struct plan *plan,
                 struct problem *problem)
{
    char key[EVENT_KEY_CAP] = "";
    if (mapping->key.n > 0 && !key_fill(mapping, &mapping->key, row, key, problem))
        return false;
    struct mapping_seen *seen = NULL;
    if (mapping->remembers)
        HASH_FIND_STR(mapping->seen, key, seen);
    const char *before = seen != NULL ? seen->cells : NULL, *compared = before;
    size_t facts_before = plan->n, drafts_before = plan->drafts.len;
    int64_t sort_us = INT64_MIN;
    uint32_t order = 0;
    for (size_t i = 0; i < mapping->events_n; i++) {
        const struct mapping_event *event = &mapping->events[i];
        if (!event_wanted(event, row, before, &compared))
            continue;
        int64_t at_us;
        if (!event_make(mapping, event, row, key, &at_us, problem)) {
            plan->n = facts_before;
            plan->drafts.len = drafts_before;
            return false;
        }
        /* A row's story keeps its order, whatever its clocks say. */
        if (at_us > sort_us)
            sort_us = at_us;
        plan_add(plan, sort_us, (uint32_t)row->line, order++, buf_bytes(&mapping->draft));
    }
    if (mapping->remembers)
        row_remember(mapping, key, row);
    return true;
}
