#include "settings/settings.h"
#include "base/text.h"
#include <inttypes.h>
#include <string.h>

/* A double-quoted scalar takes every text. */
static void text_print(const char *text, struct buf *out)
{
    buf_append_text(out, "\"");
    for (const char *p = text; *p; p++) {
        unsigned char c = (unsigned char)*p;
        if (c == '"' || c == '\\')
            buf_append_format(out, "\\%c", c);
        else if (c < 0x20 || c == 0x7f)
            buf_append_format(out, "\\x%02x", c);
        else
            buf_append(out, p, 1);
    }
    buf_append_text(out, "\"");
}

static void field_print(const struct field *f, const void *object, const char *indent, struct buf *out)
{
    const char *member = (const char *)object + f->offset;
    int64_t number;
    buf_append_format(out, "%s# %s", indent, f->doc);
    if (f->kind == FIELD_INT)
        buf_append_format(out, " (%" PRId64 " to %" PRId64 ", default %" PRId64 ")", f->min, f->max_int, f->def);
    buf_append_format(out, "\n%s%s: ", indent, f->name);
    if (f->kind == FIELD_TEXT) {
        text_print(member, out);
    } else {
        memcpy(&number, member, sizeof number);
        buf_append_format(out, "%" PRId64, number);
    }
    buf_append_text(out, "\n");
}

void settings_print(const struct settings *s, struct buf *out)
{
    buf_append_text(out, "# Settings of all aftercare daemons of this host. Every value may be left out, and be overridden by\n"
                         "# the environment: AFTERCARE_INTAKE_CMD sets intake.cmd, AFTERCARE_SLA_WATCHDOG_DSN sla-watchdog.dsn.\n");
    for (size_t i = 0; i < settings_record.n; i++) {
        const struct field *f = &settings_record.fields[i];
        if (f->kind != FIELD_RECORD) {
            field_print(f, s, "", out);
            continue;
        }
        buf_append_format(out, "\n# %s\n%s:\n", f->doc, f->name);
        for (size_t j = 0; j < f->sub->n; j++)
            field_print(&f->sub->fields[j], (const char *)s + f->offset, "  ", out);
    }
}
