/* One page without anything from outside: figures, charts as SVG, a style for the screen and for A4. Well-formed as XML. */
#include "base/text.h"
#include "calendar/zone.h"
#include "render.h"

static const char style[] =
    "body{font-family:'Noto Sans','Noto Sans CJK SC','Source Han Sans SC','PingFang SC','Microsoft YaHei','WenQuanYi Micro Hei',"
    "sans-serif;margin:2rem auto;max-width:60rem;padding:0 1rem;color:#1c2733;line-height:1.45}"
    "h1{font-size:1.7rem;margin-bottom:.2rem}h2{font-size:1.2rem;border-bottom:2px solid #2a6fbb;margin-top:2rem}"
    "p.cut{color:#5b6773;margin-top:0}table{border-collapse:collapse;width:100%;font-size:.9rem}"
    "th,td{padding:.2rem .5rem;border-bottom:1px solid #dde3ea;text-align:right;font-variant-numeric:tabular-nums}"
    "th:first-child,td:first-child{text-align:left}thead th{background:#eef3f8;vertical-align:bottom}"
    "tbody tr:nth-child(even){background:#fafbfd}table{table-layout:fixed}th:first-child{width:40%}table.two th:first-child{width:75%}th span{white-space:nowrap}"
    "ul.heads{display:flex;flex-wrap:wrap;gap:.8rem;list-style:none;padding:0;margin:1.2rem 0}"
    "ul.heads li{flex:1 1 8rem;background:#eef3f8;border-left:4px solid #2a6fbb;padding:.6rem .8rem;font-size:.8rem;color:#44505c}"
    "ul.heads b{display:block;font-size:1.5rem;color:#1c2733}summary{cursor:pointer;color:#2a6fbb;padding:.4rem .5rem;font-size:.9rem}"
    "svg{width:100%;height:auto;margin:.5rem 0}"
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

static void table_body(const struct figure_table *table, size_t from, size_t to, struct buf *out)
{
    char text[FIGURE_TITLE_MAX];
    buf_append_text(out, "<tbody>\n");
    for (size_t r = from; r < to; r++) {
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

static void rows(const struct figure_table *table, size_t from, size_t to, struct buf *out)
{
    buf_append_text(out, table->mixed ? "<table class=\"two\">\n" : "<table>\n");
    table_head(table, out);
    table_body(table, from, to, out);
    buf_append_text(out, "</table>\n");
}

/* What a chart shows already, and the tail of a long table, is there for who asks. */
enum { ROWS_SHOWN_MAX = 15 };

static void table_render(const struct figure_table *table, struct buf *out)
{
    size_t shown = table->chart == CHART_LINES && figure_chart_says(table) ? 0 : table->rows_n;
    if (shown > ROWS_SHOWN_MAX && !table->mixed)
        shown = ROWS_SHOWN_MAX;
    if (table->rows_n == 0)
        title("<p class=\"cut\">", "Nothing in this period", "本期没有记录", "</p>\n", out);
    if (shown > 0)
        rows(table, 0, shown, out);
    if (shown == table->rows_n)
        return;
    buf_append_format(out, "<details><summary>%s %zu <span lang=\"zh-CN\">%s</span></summary>\n",
                      shown > 0 ? "The other" : "All", table->rows_n - shown, shown > 0 ? "其余" : "全部");
    rows(table, shown, table->rows_n, out);
    buf_append_text(out, "</details>\n");
}

static void headlines(const struct figures *figures, struct buf *out)
{
    char text[FIGURE_TITLE_MAX];
    buf_append_text(out, "<ul class=\"heads\">\n");
    for (size_t t = 0; t < figures->tables_n; t++) {
        const struct figure_table *table = &figures->tables[t];
        for (size_t r = 0; r < table->rows_n; r++) {
            if (!table->rows[r].headline)
                continue;
            figure_print(table->rows[r].values[0], figure_unit_at(table, r, 0), text);
            tag("<li><b>", text, "</b>", out);
            figure_label_print(&table->rows[r], text);
            tag("", text, "</li>\n", out);
        }
    }
    buf_append_text(out, "</ul>\n");
}

/* The cut-off as the clock on the wall showed it. */
static void cut_print(const struct figures *figures, struct buf *out)
{
    const struct zone *zone = zone_find(figures->zone);
    struct local_time at = zone_local(zone != NULL ? zone : zone_find("UTC"), figures->closed_us);
    char closed[32], pos[FIGURE_TEXT_MAX];
    text_format(closed, sizeof(closed), "%04u-%02u-%02u %02u:%02u", (unsigned)at.year % 10000U, (unsigned)at.month % 100U,
                (unsigned)at.day % 100U, (unsigned)at.hour % 100U, (unsigned)at.minute % 100U);
    figure_print(figures->pos, FIGURE_COUNT, pos);
    buf_append_format(out, "<p class=\"cut\">Closed on %s (", closed);
    tag("", zone != NULL ? figures->zone : "UTC", "), ", out);
    buf_append_format(out, "at journal position %s. <span lang=\"zh-CN\">关账时间 %s，账册位置 %s。</span></p>\n", pos, closed, pos);
}

enum status render_html(const struct figures *figures, struct buf *out)
{
    buf_append_text(out, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n"
                         "<meta name=\"viewport\" content=\"width=device-width\"/>\n");
    tag("<title>", figures->title_en, " ", out);
    tag("", figures->period, "</title>\n<style>", out);
    buf_append_text(out, style);
    buf_append_text(out, "</style>\n</head>\n<body>\n");
    title("<h1>", figures->title_en, figures->title_zh, " ", out);
    tag("", figures->period, "</h1>\n", out);
    cut_print(figures, out);
    headlines(figures, out);
    for (size_t t = 0; t < figures->tables_n; t++) {
        const struct figure_table *table = &figures->tables[t];
        buf_append_format(out, "<section id=\"%s\">\n", table->id);
        title("<h2>", table->en, table->zh, "</h2>\n", out);
        render_svg(table, out);
        table_render(table, out);
        buf_append_text(out, "</section>\n");
    }
    buf_append_text(out, "</body>\n</html>\n");
    return STATUS_OK;
}
