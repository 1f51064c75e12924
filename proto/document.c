#include "proto/document.h"
#include <inttypes.h>

static void text_out(struct buf *out, const char *text)
{
    buf_append_text(out, "\"");
    for (const char *at = text; *at != '\0'; at++) {
        if (*at == '"' || *at == '\\')
            buf_append_text(out, "\\");
        if ((unsigned char)*at < ' ')
            buf_append_format(out, "\\u%04x", (unsigned)(unsigned char)*at);
        else
            buf_append(out, at, 1);
    }
    buf_append_text(out, "\"");
}

static void line(struct document *document, bool comma)
{
    buf_append_text(document->out, comma ? ",\n" : "\n");
    for (unsigned i = 0; i < document->depth; i++)
        buf_append_text(document->out, "  ");
}

static void entry(struct document *document, const char *name)
{
    if (document->depth > 0)
        line(document, !document->fresh);
    document->fresh = false;
    if (name != NULL) {
        text_out(document->out, name);
        buf_append_text(document->out, ": ");
    }
}

void document_open(struct document *document, const char *name, char bracket)
{
    entry(document, name);
    buf_append(document->out, &bracket, 1);
    document->depth++;
    document->fresh = true;
}

void document_close(struct document *document, char bracket)
{
    document->depth--;
    if (!document->fresh)
        line(document, false);
    document->fresh = false;
    buf_append(document->out, &bracket, 1);
    if (document->depth == 0)
        buf_append_text(document->out, "\n");
}

void document_text(struct document *document, const char *name, const char *text)
{
    entry(document, name);
    text_out(document->out, text);
}

void document_int(struct document *document, const char *name, int64_t value)
{
    entry(document, name);
    buf_append_format(document->out, "%" PRId64, value);
}

void document_bool(struct document *document, const char *name, bool value)
{
    entry(document, name);
    buf_append_text(document->out, value ? "true" : "false");
}

void document_ref(struct document *document, const char *name, const char *prefix, const char *target)
{
    document_open(document, name, '{');
    struct buf ref = {0};
    buf_append_format(&ref, "%s/", prefix);
    for (const char *at = target; *at != '\0'; at++) {
        if (*at == '~' || *at == '/')
            buf_append_text(&ref, *at == '~' ? "~0" : "~1");
        else
            buf_append(&ref, at, 1);
    }
    document_text(document, "$ref", buf_text(&ref));
    buf_release(&ref);
    document_close(document, '}');
}
