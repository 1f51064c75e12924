/* JSON Schema of the events, and the tables for people. */
#include "proto/schema.h"
#include "base/text.h"
#include "proto/document.h"
#include "proto/questions.h"

static const char *schema_speaker(enum event_speaker speaker)
{
    switch (speaker) {
    case SPEAKER_FACT:
        return "fact";
    case SPEAKER_DESK:
        return "desk";
    case SPEAKER_DISPATCHER:
        return "dispatcher";
    case SPEAKER_WATCHDOG:
        return "sla-watchdog";
    case SPEAKER_FOLLOW_UP:
        return "follow-up";
    case SPEAKER_ANY_WORKER:
        return "any worker";
    case SPEAKER_OPERATOR:
        return "operator";
    case SPEAKER_INTAKE:
        return "intake";
    }
    return "";
}

static void type_name(const struct event_type *type, char out[64])
{
    text_format(out, 64, "%s/%u", type->name, (unsigned)type->v);
}

static void event_out(struct document *d, const struct event_type *type)
{
    char name[64];
    type_name(type, name);
    document_open(d, name, '{');
    document_text(d, "title", type->title_en);
    document_text(d, "x-title-zh", type->title_zh);
    document_text(d, "x-speaker", schema_speaker(type->speaker));
    char keys[EVENT_KEYS_TEXT_MAX];
    event_keys_print(type->keys, keys);
    document_text(d, "x-key", keys);
    if (type->verb != NULL)
        document_text(d, "x-verb", type->verb);
    document_text(d, "type", "object");
    document_open(d, "properties", '{');
    document_open(d, "type", '{');
    document_text(d, "const", type->name);
    document_close(d, '}');
    document_open(d, "v", '{');
    document_int(d, "const", type->v);
    document_close(d, '}');
    schema_record(d, "data", type->data, false);
    document_close(d, '}');
    document_open(d, "required", '[');
    document_text(d, NULL, "type");
    document_text(d, NULL, "data");
    document_close(d, ']');
    document_close(d, '}');
}

static void line_fields(struct document *d)
{
    static const struct {
        const char *name, *type, *format, *about;
    } fields[] = {
        {"type", "string", NULL, "type of the event"},
        {"v", "integer", NULL, "version of its data; absent: the newest"},
        {"key", "string", NULL, "what it is about"},
        {"at", "string", "date-time", "when it happened"},
        {"by", "string", NULL, "who acted"},
        {"data", "object", NULL, "by the type; personal fields stand here too and are moved aside on sending"},
    };
    document_open(d, "properties", '{');
    for (size_t i = 0; i < COUNT_OF(fields); i++) {
        document_open(d, fields[i].name, '{');
        document_text(d, "description", fields[i].about);
        document_text(d, "type", fields[i].type);
        if (fields[i].format != NULL)
            document_text(d, "format", fields[i].format);
        document_close(d, '}');
    }
    document_close(d, '}');
}

void schema_print_json(struct buf *out)
{
    struct document document = {.out = out, .fresh = true}, *d = &document;
    const struct event_type *type;
    document_open(d, NULL, '{');
    document_text(d, "$schema", "https://json-schema.org/draft/2020-12/schema");
    document_text(d, "$id", "urn:aftercare:events");
    document_text(d, "title", "aftercare events in JSON, as `aftercare append` takes them and `aftercare tail` prints them");
    document_text(d, "type", "object");
    line_fields(d);
    document_open(d, "required", '[');
    document_text(d, NULL, "type");
    document_text(d, NULL, "data");
    document_close(d, ']');
    document_open(d, "oneOf", '[');
    for (size_t i = 0; (type = event_type_at(i)) != NULL; i++) {
        char name[64];
        type_name(type, name);
        document_ref(d, NULL, "#/$defs", name);
    }
    document_close(d, ']');
    document_open(d, "$defs", '{');
    for (size_t i = 0; (type = event_type_at(i)) != NULL; i++)
        event_out(d, type);
    document_close(d, '}');
    document_close(d, '}');
}

/* --- for people ---------------------------------------------------------------------------------- */
static void padded(struct buf *out, const char *text, size_t columns)
{
    buf_append_text(out, text);
    for (size_t n = text_columns(text); n < columns; n++)
        buf_append_text(out, " ");
    buf_append_text(out, " ");
}

void schema_print_table(bool chinese, struct buf *out)
{
    const struct event_type *type;
    char keys[EVENT_KEYS_TEXT_MAX];
    padded(out, chinese ? "类型" : "TYPE", 21);
    padded(out, chinese ? "来源" : "FROM", 12);
    padded(out, chinese ? "动词" : "VERB", 16);
    padded(out, chinese ? "说明" : "MEANING", 26);
    buf_append_text(out, chinese ? "键\n" : "KEY\n");
    for (size_t i = 0; (type = event_type_at(i)) != NULL; i++) {
        padded(out, type->name, 21);
        padded(out, schema_speaker(type->speaker), 12);
        padded(out, type->verb != NULL ? type->verb : "", 16);
        padded(out, chinese ? type->title_zh : type->title_en, 26);
        event_keys_print(type->keys, keys);
        buf_append_format(out, "%s\n", keys);
    }
}

static const char *kind_word(const struct field *field)
{
    switch (field->kind) {
    case FIELD_BOOL:
        return "yes/no";
    case FIELD_INT:
        return "number";
    case FIELD_TIME:
        return "time";
    case FIELD_SPAN:
        return "span";
    case FIELD_ENUM:
        return "word";
    case FIELD_TEXT:
        return (field->flags & FIELD_KEYLIKE) != 0 ? "key" : "text";
    case FIELD_BIN:
    case FIELD_BYTES:
    case FIELD_BLOB:
        return "bytes";
    case FIELD_RAW:
        return "value";
    case FIELD_RECORD:
        return "group";
    case FIELD_LIST:
    case FIELD_SLICE:
        return "list";
    }
    return "";
}

static void fields_out(const struct record *record, const char *prefix, unsigned depth, bool chinese, struct buf *out)
{
    for (size_t i = 0; i < record->n; i++) {
        const struct field *field = &record->fields[i];
        char name[160];
        text_format(name, sizeof(name), "%s%s", prefix, field->name);
        buf_append_text(out, "  ");
        padded(out, name, 24);
        padded(out, kind_word(field), 7);
        if ((field->flags & FIELD_REQUIRED) != 0)
            buf_append_text(out, chinese ? "[必填] " : "[required] ");
        if ((field->flags & FIELD_PERSONAL) != 0)
            buf_append_text(out, chinese ? "[个人信息] " : "[personal] ");
        buf_append_text(out, field->doc != NULL ? field->doc : "");
        buf_append_text(out, "\n");
        const struct record *sub = field->sub;
        bool listed = field->kind == FIELD_LIST || field->kind == FIELD_SLICE;
        if (listed)
            sub = field->elem->sub;
        if (sub == NULL || depth == 0)
            continue;
        text_format(name, sizeof(name), "%s%s%s.", prefix, field->name, listed ? "[]" : "");
        fields_out(sub, name, depth - 1, chinese, out);
    }
}

void schema_print_type(const struct event_type *type, bool chinese, struct buf *out)
{
    buf_append_format(out, "%s/%u  %s\n", type->name, (unsigned)type->v, chinese ? type->title_zh : type->title_en);
    if (type->data->doc != NULL)
        buf_append_format(out, "%s\n", type->data->doc);
    char keys[EVENT_KEYS_TEXT_MAX];
    event_keys_print(type->keys, keys);
    buf_append_format(out, chinese ? "键: %s\n" : "key: %s\n", keys);
    fields_out(type->data, "", 3, chinese, out);
}

void schema_print_questions(struct buf *out)
{
    const struct question_type *question;
    for (size_t i = 0; (question = question_at(i)) != NULL; i++) {
        buf_append_format(out, "%s %s: %s\n", question->to, question->name, question->doc);
        fields_out(question->args, "? ", 0, false, out);
        fields_out(question->row, "", 1, false, out);
    }
}
