#include "render.h"

static const struct render_format formats[] = {
    {"xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", render_xlsx},
    {"csv", "text/csv; charset=utf-8", render_csv},
    {"html", "text/html; charset=utf-8", render_html},
};

const struct render_format *render_format_at(size_t i)
{
    return i < COUNT_OF(formats) ? &formats[i] : NULL;
}

void render_escape(const char *text, struct buf *out)
{
    for (const char *at = text; *at != '\0'; at++) {
        switch (*at) {
        case '&':
            buf_append_text(out, "&amp;");
            break;
        case '<':
            buf_append_text(out, "&lt;");
            break;
        case '>':
            buf_append_text(out, "&gt;");
            break;
        case '"':
            buf_append_text(out, "&quot;");
            break;
        default:
            if ((unsigned char)*at >= ' ')
                buf_append(out, at, 1);
            else
                buf_append_text(out, " ");
            break;
        }
    }
}
