/* Field tables as JSON Schema. */
#include "proto/document.h"
#include "proto/schema.h"

static void field_out(struct document *, const char *name, const struct field *, bool wire);

static void whole(struct document *d, const struct field *field)
{
    document_text(d, "type", "integer");
    if (field->min != 0 || field->max_int != 0) {
        document_int(d, "minimum", field->min);
        document_int(d, "maximum", field->max_int);
    }
    if (field->def != 0)
        document_int(d, "default", field->def);
}

static void enumeration(struct document *d, const struct field *field)
{
    document_open(d, "enum", '[');
    for (const char *const *name = field->names; *name != NULL; name++)
        document_text(d, NULL, *name);
    document_close(d, ']');
    document_text(d, "default", field->names[field->def]);
}

static void text(struct document *d, const struct field *field)
{
    document_text(d, "type", "string");
    if ((field->flags & FIELD_KEYLIKE) != 0)
        document_text(d, "pattern", "^[A-Za-z0-9._-]{1,64}$");
    else
        document_int(d, "maxLength", (int64_t)field->size - 1);
}

/* Bytes and instants have types of their own in msgpack, for which JSON Schema has no word. */
static void binary(struct document *d, int64_t bytes, bool exactly, bool wire)
{
    if (wire) {
        document_text(d, "x-msgpack", "bin");
    } else {
        document_text(d, "type", "string");
        document_text(d, "contentEncoding", "base64");
    }
    if (bytes != 0)
        document_int(d, exactly ? "x-bytes" : "x-bytes-max", bytes);
}

static void instant(struct document *d, bool wire)
{
    if (wire) {
        document_text(d, "x-msgpack", "timestamp");
        return;
    }
    document_text(d, "type", "string");
    document_text(d, "format", "date-time");
}

static void list(struct document *d, const struct field *field, bool wire)
{
    document_text(d, "type", "array");
    if (field->max != 0)
        document_int(d, "maxItems", field->max);
    field_out(d, "items", field->elem, wire);
}

static void record_inside(struct document *d, const struct record *record, bool wire)
{
    bool required = false;
    document_text(d, "type", "object");
    document_open(d, "properties", '{');
    for (size_t i = 0; i < record->n; i++) {
        const struct field *field = &record->fields[i];
        if ((field->flags & FIELD_VOLATILE) == 0)
            field_out(d, field->name, field, wire);
        required |= (field->flags & FIELD_REQUIRED) != 0;
    }
    document_close(d, '}');
    if (!required)
        return;
    document_open(d, "required", '[');
    for (size_t i = 0; i < record->n; i++)
        if ((record->fields[i].flags & FIELD_REQUIRED) != 0)
            document_text(d, NULL, record->fields[i].name);
    document_close(d, ']');
}

static void kind_out(struct document *d, const struct field *field, bool wire)
{
    switch (field->kind) {
    case FIELD_BOOL:
        document_text(d, "type", "boolean");
        if (field->def != 0)
            document_bool(d, "default", true);
        break;
    case FIELD_INT:
        whole(d, field);
        break;
    case FIELD_TIME:
        instant(d, wire);
        break;
    case FIELD_SPAN:
        document_text(d, "type", "string");
        document_text(d, "pattern", "^-?[0-9]+(s|min|h|d|w|mo|y|wh|wd)$");
        break;
    case FIELD_ENUM:
        enumeration(d, field);
        break;
    case FIELD_TEXT:
        text(d, field);
        break;
    case FIELD_BIN:
        binary(d, field->size, true, wire);
        break;
    case FIELD_BYTES:
        binary(d, field->max, false, wire);
        break;
    case FIELD_BLOB:
        binary(d, (int64_t)(field->size - sizeof(uint32_t)), false, wire);
        break;
    case FIELD_RAW:
        break; /* any value */
    case FIELD_RECORD:
        record_inside(d, field->sub, wire);
        break;
    case FIELD_LIST:
    case FIELD_SLICE:
        list(d, field, wire);
        break;
    }
}

static void field_out(struct document *d, const char *name, const struct field *field, bool wire)
{
    document_open(d, name, '{');
    if (field->doc != NULL)
        document_text(d, "description", field->doc);
    kind_out(d, field, wire);
    if ((field->flags & FIELD_PERSONAL) != 0)
        document_bool(d, "x-personal", true);
    if ((field->flags & FIELD_RETIRED) != 0)
        document_bool(d, "deprecated", true);
    if (field->since > 1)
        document_int(d, "x-since", field->since);
    document_close(d, '}');
}

void schema_record(struct document *d, const char *name, const struct record *record, bool wire)
{
    document_open(d, name, '{');
    if (record->doc != NULL)
        document_text(d, "description", record->doc);
    record_inside(d, record, wire);
    document_close(d, '}');
}
