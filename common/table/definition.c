#include "table/definition.h"
#include "pg/row.h"

const struct field *definition_open(const struct table_def *def)
{
    for (size_t i = 0; def->open_offset != 0 && i < def->row->n; i++) {
        if (def->row->fields[i].offset == def->open_offset) {
            return &def->row->fields[i];
        }
    }
    return NULL;
}

void definition_ddl(const struct table_def *def, const char *schema, struct buf *sql)
{
    const struct field *open = definition_open(def);

    row_ddl(def->row, schema, def->name, sql);
    if (open != NULL) {
        buf_append_format(sql, "; CREATE INDEX ON \"%s\".\"%s\" (\"%s\") WHERE \"%s\"", schema, def->name,
                          def->row->fields[0].name, open->name);
    }
}

static void fields_print(const struct record *r, struct buf *out);

static void field_print(const struct field *f, struct buf *out)
{
    if ((f->flags & FIELD_VOLATILE) != 0) {
        return;
    }
    buf_append_format(out, "%s:%d:%u:%u:%lld", f->name, (int)f->kind, f->kind == FIELD_RECORD ? 0 : f->size, f->max,
                      (long long)f->def);
    for (size_t i = 0; f->kind == FIELD_ENUM && f->names[i] != NULL; i++) {
        buf_append_format(out, ",%s", f->names[i]);
    }
    if (f->kind == FIELD_RECORD) {
        fields_print(f->sub, out);
    } else if (f->kind == FIELD_LIST) {
        field_print(f->elem, out);
    }
    buf_append_text(out, ";");
}

static void fields_print(const struct record *r, struct buf *out)
{
    buf_append_text(out, "{");
    for (size_t i = 0; i < r->n; i++) {
        field_print(&r->fields[i], out);
    }
    buf_append_text(out, "}");
}

void definition_digest(const struct table_def *def, uint8_t out[DIGEST_BYTES])
{
    struct buf text = {0};

    definition_ddl(def, "", &text);
    fields_print(def->row, &text);
    digest_of(buf_bytes(&text), out);
    buf_release(&text);
}
