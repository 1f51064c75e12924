/* refused show: one refused event, personal fields covered unless they were asked for. */
#include "base/text.h"
#include "proto/catalogue.h"
#include "refused.h"
#include "refused_json.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define COVER "***"

/* What stands in data and should stand apart is covered too: that may be why it was refused. */
static void cover(json_t *data, const struct record *record)
{
    for (size_t i = 0; record != NULL && i < record->n; i++) {
        const struct field *field = &record->fields[i];
        json_t *value = json_object_get(data, field->name), *item;
        size_t at;
        if (value == NULL)
            continue;
        if ((field->flags & FIELD_PERSONAL) != 0) {
            json_object_set_new(data, field->name, json_string(COVER));
        } else if (field->kind == FIELD_RECORD && json_is_object(value)) {
            cover(value, field->sub);
        } else if ((field->kind == FIELD_LIST || field->kind == FIELD_SLICE) && field->elem->kind == FIELD_RECORD) {
            json_array_foreach(value, at, item)
                cover(item, field->elem->sub);
        }
    }
}

json_t *refusal_json(const struct refusal *refusal)
{
    struct buf text = {0};
    json_error_t error;
    if (refusal->event.len == 0)
        return NULL;
    raw_print_json(buf_bytes(&refusal->event), &text);
    json_t *event = json_loadb((const char *)text.data, text.len, 0, &error);
    buf_release(&text);
    if (event == NULL)
        return NULL;
    json_t *personal = json_object_get(event, "priv");
    if (personal != NULL) {
        json_object_set(event, "personal", personal);
        json_object_del(event, "priv");
    }
    return event;
}

static void print_words(const struct cli *cli, const struct refusal *refusal, json_t *event, bool personal)
{
    const struct refused_row *row = &refusal->row;
    char when[INSTANT_TEXT_MAX];
    struct buf words = {0};
    refusal_words(cli, row, &words);
    time_words(row->rec_us, when);
    printf(in_words(cli->language, "%s %" PRId64 ", refused %s (%s): %s\n"), row->source, row->n, when, row->code, buf_text(&words));
    if (row->corrected > 0)
        printf(in_words(cli->language, "corrected by the event at position %" PRId64 "\n"), row->corrected);
    buf_release(&words);
    if (event == NULL) {
        printf("%s\n", in_words(cli->language, "the event itself cannot be read"));
        return;
    }
    char *text = json_dumps(event, JSON_INDENT(2));
    printf("%s\n", text);
    free(text);
    if (row->personal && !personal)
        printf("%s\n", in_words(cli->language, "Its personal fields are not shown; --personal shows them."));
}

static void print_json(const struct cli *cli, const struct refusal *refusal, json_t *event)
{
    const struct refused_row *row = &refusal->row;
    char when[INSTANT_TEXT_MAX];
    struct buf words = {0};
    refusal_words(cli, row, &words);
    instant_print(row->rec_us, when);
    json_t *out = json_object();
    json_object_set_new(out, "source", json_string(row->source));
    json_object_set_new(out, "n", json_integer(row->n));
    json_object_set_new(out, "rec", json_string(when));
    json_object_set_new(out, "code", json_string(row->code));
    json_object_set_new(out, "field", json_string(row->field));
    json_object_set_new(out, "args", json_string(row->args));
    json_object_set_new(out, "reason", json_string(buf_text(&words)));
    json_object_set_new(out, "corrected", row->corrected > 0 ? json_integer(row->corrected) : json_null());
    json_object_set_new(out, "personal", json_boolean(row->personal));
    json_object_set(out, "event", event != NULL ? event : json_null());
    char *text = json_dumps(out, JSON_COMPACT);
    printf("%s\n", text);
    free(text);
    json_decref(out);
    buf_release(&words);
}

int refused_show(const struct cli *cli, const char *source, int64_t n, bool personal)
{
    struct refusal refusal;
    int code = refusal_ask(cli, source, n, personal, &refusal);
    json_t *event = code == CLI_DONE ? refusal_json(&refusal) : NULL;
    const struct event_type *type =
        event != NULL && !personal ? event_type_find(json_string_value(json_object_get(event, "type")), 0) : NULL;
    if (type != NULL)
        cover(json_object_get(event, "data"), type->data);
    if (code == CLI_DONE && cli->json)
        print_json(cli, &refusal, event);
    else if (code == CLI_DONE)
        print_words(cli, &refusal, event, personal);
    if (event != NULL)
        json_decref(event);
    refusal_release(&refusal);
    return code;
}
