#include "draft_line.h"
#include "base/text.h"
#include "event/event.h"
#include "proto/catalogue.h"
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static bool data_encode(const struct event_type *type, json_t *line, struct arena *arena, struct buf *out_data,
                        struct buf *out_priv, struct problem *problem)
{
    void *object = arena_alloc(arena, type->data->size);
    json_t *data = json_object_get(line, "data"), *personal = json_object_get(line, "personal");
    char *text = data != NULL ? json_dumps(data, JSON_COMPACT | JSON_ENCODE_ANY) : memory_text("{}");
    bool good = record_parse_json(type->data, RECORD_WHOLE, DECODE_STRICT, text, strlen(text), arena,
                                  object, problem);
    free(text);
    if (good && personal != NULL) {
        text = json_dumps(personal, JSON_COMPACT | JSON_ENCODE_ANY);
        good = record_parse_json(type->data, RECORD_PERSONAL, DECODE_STRICT | DECODE_KEEP, text,
                                 strlen(text), arena, object, problem);
        free(text);
    }
    if (!good)
        return false;
    record_encode(type->data, RECORD_PLAIN, object, out_data);
    record_encode(type->data, RECORD_PERSONAL, object, out_priv);
    return true;
}

/* What `tail --format jsonl` prints may be sent elsewhere; anything else is a slip of the pen. */
static bool keys_known(json_t *line, struct problem *problem)
{
    static const char *const known[] = {"type",     "v",   "key", "at",     "by",   "data",
                                        "personal", "pos", "id",  "region", "site", "from",
                                        "n",        "rec", "cut", "cause"};
    const char *key;
    json_t *value;
    json_object_foreach(line, key, value)
    {
        size_t i = 0;
        while (i < COUNT_OF(known) && !text_equal(known[i], key))
            i++;
        if (i == COUNT_OF(known))
            return problem_set(problem, "unknown-field", key, "type, key, at, by, data");
    }
    return true;
}

static const char *text_of(json_t *line, const char *key)
{
    const char *text = json_string_value(json_object_get(line, key));
    return text != NULL ? text : "";
}

static bool head_read(json_t *line, struct draft *draft, const struct event_type **type, struct problem *problem)
{
    if (!json_is_object(line))
        return problem_set(problem, "bad-type", "", "an object {type, key, at, by, data}");
    if (!keys_known(line, problem))
        return false;
    json_int_t v = json_integer_value(json_object_get(line, "v"));
    *type = v <= UINT32_MAX ? event_type_find(text_of(line, "type"), v > 0 ? (uint32_t)v : 0) : NULL;
    if (*type == NULL)
        return problem_set(problem, "unknown-type", "type",
                           "\"%.60s\"; `aftercare schema` lists them", text_of(line, "type"));
    *draft = (struct draft){.type = (*type)->name, .v = (*type)->v, .key = text_of(line, "key"), .by = text_of(line, "by")};
    if (draft->key[0] != '\0' && !text_is_key(draft->key, strlen(draft->key)))
        return problem_set(problem, "bad-key", "key", "\"%.60s\"", draft->key);
    const char *at = text_of(line, "at");
    if (at[0] != '\0' && !instant_parse(at, &draft->at_us))
        return problem_set(problem, "bad-time", "at", "\"%.40s\"; like 2011-07-01T05:32:33Z", at);
    return true;
}

static bool line_read(json_t *line, struct arena *arena, struct buf *drafts, struct problem *problem)
{
    struct draft draft;
    const struct event_type *type = NULL;
    struct buf data = {0}, priv = {0};
    size_t before = drafts->len;
    bool good = head_read(line, &draft, &type, problem) && data_encode(type, line, arena, &data, &priv, problem);
    if (good) {
        draft.data = buf_bytes(&data);
        draft.priv = priv.len > 1 ? buf_bytes(&priv) : bytes_of(NULL, 0);
        draft_encode(&draft, drafts);
        if (drafts->len - before > DRAFT_BYTES_MAX) {
            drafts->len = before;
            good = problem_set(problem, "too-large", "", "%d", DRAFT_BYTES_MAX);
        }
    }
    buf_release(&data);
    buf_release(&priv);
    return good;
}

bool draft_line_parse(const char *text, size_t n, struct arena *arena, struct buf *drafts, struct problem *problem)
{
    json_error_t error;
    json_t *line = json_loadb(text, n, JSON_REJECT_DUPLICATES, &error);
    if (line == NULL)
        return problem_set(problem, "syntax", "", "%.100s", error.text);
    bool good = line_read(line, arena, drafts, problem);
    json_decref(line);
    return good;
}
