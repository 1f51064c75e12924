#include "table/definition.h"
#include "pg/row.h"

/* No member but the key lies at offset 0. */
static const struct field *field_at(const struct table_def *def, uint32_t offset)
{
    for (size_t i = 0; offset != 0 && i < def->row->n; i++) {
        if (def->row->fields[i].offset == offset) {
            return &def->row->fields[i];
        }
    }
    return NULL;
}

const struct field *definition_open(const struct table_def *def)
{
    return field_at(def, def->open_offset);
}

const struct field *definition_due(const struct table_def *def)
{
    return field_at(def, def->due_offset);
}

const struct field *definition_sweep(const struct table_def *def)
{
    return field_at(def, def->sweep_offset);
}

void definition_ddl(const struct table_def *def, const char *schema, struct buf *sql)
{
    const struct field *open = definition_open(def), *due = definition_due(def), *sweep = definition_sweep(def);
    const char *key = def->row->fields[0].name;

    row_ddl(def->row, schema, def->name, sql);
    if (open != NULL && !def->far) {
        buf_append_format(sql, "; CREATE INDEX ON \"%s\".\"%s\" (\"%s\") WHERE \"%s\"", schema, def->name, key, open->name);
    }
    if (due != NULL) {
        buf_append_format(sql, "; CREATE INDEX ON \"%s\".\"%s\" (\"%s\", \"%s\") WHERE \"%s\" AND \"%s\" IS NOT NULL", schema, def->name,
                          due->name, key, open->name, due->name);
    }
    if (sweep != NULL && def->far) {
        buf_append_format(sql, "; CREATE INDEX ON \"%s\".\"%s\" (\"%s\", \"%s\") WHERE \"%s\" AND \"%s\" <> ''", schema, def->name,
                          sweep->name, key, open->name, sweep->name);
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
