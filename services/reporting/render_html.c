/* One page without anything from outside: figures, charts as SVG, a style for the screen and for A4. Well-formed as XML. */
#include "base/instant.h"
#include "render.h"
#include <inttypes.h>

static const char style[] =
    "body{font-family:'Noto Sans','Noto Sans CJK SC','Source Han Sans SC','PingFang SC','Microsoft YaHei','WenQuanYi Micro Hei',"
    "sans-serif;margin:2rem auto;max-width:60rem;padding:0 1rem;color:#1c2733;line-height:1.45}"
    "h1{font-size:1.7rem;margin-bottom:.2rem}h2{font-size:1.2rem;border-bottom:2px solid #2a6fbb;margin-top:2rem}"
    "p.cut{color:#5b6773;margin-top:0}table{border-collapse:collapse;width:100%;font-size:.9rem}"
    "th,td{padding:.2rem .5rem;border-bottom:1px solid #dde3ea;text-align:right;font-variant-numeric:tabular-nums}"
    "th:first-child,td:first-child{text-align:left}thead th{background:#eef3f8;vertical-align:bottom}"
    "tbody tr:nth-child(even){background:#fafbfd}svg{width:100%;height:auto;margin:.5rem 0}"
    "@page{size:A4;margin:15mm}@media print{body{margin:0;max-width:none;font-size:10pt}h2{break-after:avoid}"
    "svg,tr{break-inside:avoid}thead{display:table-header-group}}";

static void tag(const char *open, const char *text, const char *close, struct buf *out)
{
    buf_append_text(out, open);
    render_escape(text, out);
    buf_append_text(out, close);
}

static void title(const char *open, const char *en, const char *zh, const char *close, struct buf *out)
{
    tag(open, en, " ", out);
    tag("<span lang=\"zh-CN\">", zh, "</span>", out);
    buf_append_text(out, close);
}

static void table_head(const struct figure_table *table, struct buf *out)
{
    buf_append_text(out, "<thead><tr>");
    title("<th>", table->label_en, table->label_zh, "</th>", out);
    for (size_t c = 0; c < table->columns_n; c++)
        title("<th>", table->columns[c].en, table->columns[c].zh, "</th>", out);
    buf_append_text(out, "</tr></thead>\n");
}

static void table_body(const struct figure_table *table, struct buf *out)
{
    char text[FIGURE_TITLE_MAX];
    buf_append_text(out, "<tbody>\n");
    for (size_t r = 0; r < table->rows_n; r++) {
        figure_label_print(&table->rows[r], text);
        tag("<tr><td>", text, "</td>", out);
        for (size_t c = 0; c < table->columns_n; c++) {
            figure_print(table->rows[r].values[c], figure_unit_at(table, r, c), text);
            tag("<td>", text, "</td>", out);
        }
        buf_append_text(out, "</tr>\n");
    }
    buf_append_text(out, "</tbody>");
}

enum status render_html(const struct figures *figures, struct buf *out)
{
    char closed[INSTANT_TEXT_MAX];
    instant_print(figures->closed_us, closed);
    buf_append_text(out, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n"
                         "<meta name=\"viewport\" content=\"width=device-width\"/>\n");
    tag("<title>", figures->title_en, " ", out);
    tag("", figures->period, "</title>\n<style>", out);
    buf_append_text(out, style);
    buf_append_text(out, "</style>\n</head>\n<body>\n");
    title("<h1>", figures->title_en, figures->title_zh, " ", out);
    tag("", figures->period, "</h1>\n", out);
    buf_append_format(out, "<p class=\"cut\">Closed at position %" PRId64 ", %s; time zone ", figures->pos, closed);
    tag("", figures->zone, ". <span lang=\"zh-CN\">关账位置 ", out);
    buf_append_format(out, "%" PRId64 "，时区 ", figures->pos);
    tag("", figures->zone, "</span></p>\n", out);
    for (size_t t = 0; t < figures->tables_n; t++) {
        const struct figure_table *table = &figures->tables[t];
        buf_append_format(out, "<section id=\"%s\">\n", table->id);
        title("<h2>", table->en, table->zh, "</h2>\n", out);
        render_svg(table, out);
        buf_append_text(out, "<table>\n");
        table_head(table, out);
        table_body(table, out);
        buf_append_text(out, "</table>\n</section>\n");
    }
    buf_append_text(out, "</body>\n</html>\n");
    return STATUS_OK;
}
