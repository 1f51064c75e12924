/* Figures to files: the same bytes each time, nothing from outside, no text that becomes markup or a formula. */
#include "base/instant.h"
#include "base/text.h"
#include "services/reporting/render.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#define ZLIB_CONST
#include <zlib.h>

#include <cmocka.h>

#define CLOSED_US (INT64_C(1312500000) * SECOND_US) /* 2011-08-04T23:20:00Z */

static struct figure_row kinds[] = {
    {.label = "repair <b>&\"x\"", .values = {120, 7}},
    {.label = "=1+1", .values = {3, 0}},
    {.label = "维修, 上门", .values = {2, FIGURE_NOTHING}},
    {.label = "", .values = {1, 1}},
};
static struct figure_row overview[] = {
    {.label = "Median", .zh = "中位数", .unit = FIGURE_SECONDS, .headline = 1, .values = {93600}},
    {.label = "Share", .zh = "比例", .unit = FIGURE_PERMILLE, .values = {985}},
    {.label = "Mean", .zh = "平均", .unit = FIGURE_CENTS, .values = {425}},
    {.label = "None", .zh = "无", .unit = FIGURE_COUNT, .values = {FIGURE_NOTHING}},
};
static const struct figures figures = {
    .title_en = "Monthly service report", .title_zh = "售后服务月报", .report = "monthly", .period = "2011-07",
    .zone = "Asia/Shanghai", .pos = 4711, .closed_us = CLOSED_US, .tables_n = 4,
    .tables = {{.id = "overview", .en = "Overview", .zh = "总览", .label_en = "Figure", .label_zh = "项目", .columns_n = 1,
                .columns = {{"value", "Value", "数值", FIGURE_COUNT}}, .rows = overview, .rows_n = 4, .mixed = 1},
               {.id = "kinds", .en = "By kind", .zh = "按类别", .label_en = "Kind", .label_zh = "类别", .columns_n = 2,
                .columns = {{"opened", "Opened", "登记", FIGURE_COUNT}, {"resolved", "Resolved", "解决", FIGURE_COUNT}},
                .rows = kinds, .rows_n = 4, .chart = CHART_BARS, .chart_n = 2},
               {.id = "days", .en = "Days", .zh = "逐日", .label_en = "Day", .label_zh = "日期", .columns_n = 2,
                .columns = {{"opened", "Opened", "登记", FIGURE_COUNT}, {"resolved", "Resolved", "解决", FIGURE_COUNT}},
                .rows = kinds, .rows_n = 4, .chart = CHART_LINES, .chart_n = 2},
               {.id = "limits", .en = "Limits", .zh = "时限", .label_en = "Clause", .label_zh = "条款", .columns_n = 2,
                .columns = {{"met", "Met", "按时", FIGURE_COUNT}, {"broken", "Broken", "超时", FIGURE_COUNT}},
                .rows = kinds, .rows_n = 4, .chart = CHART_STACK, .chart_n = 2}}};

static void twice_the_same(void **state)
{
    (void)state;
    const struct render_format *format;
    for (size_t i = 0; (format = render_format_at(i)) != NULL; i++) {
        struct buf a = {0}, b = {0};
        assert_int_equal(format->render(&figures, &a), STATUS_OK);
        assert_int_equal(format->render(&figures, &b), STATUS_OK);
        assert_true(a.len > 500);
        assert_true(bytes_equal(buf_bytes(&a), buf_bytes(&b)));
        buf_release(&a);
        buf_release(&b);
    }
}

/* The CSV of the first two tables, to the letter. */
static void csv_to_the_letter(void **state)
{
    (void)state;
    static const char want[] = "\xEF\xBB\xBFsection,item,measure,unit,value\r\n"
                               "overview,Median,value,seconds,93600\r\n"
                               "overview,Share,value,percent,98.5\r\n"
                               "overview,Mean,value,score,4.25\r\n"
                               "overview,None,value,count,\r\n"
                               "kinds,\"repair <b>&\"\"x\"\"\",opened,count,120\r\n"
                               "kinds,\"repair <b>&\"\"x\"\"\",resolved,count,7\r\n"
                               "kinds,'=1+1,opened,count,3\r\n"
                               "kinds,'=1+1,resolved,count,0\r\n"
                               "kinds,\"维修, 上门\",opened,count,2\r\n"
                               "kinds,\"维修, 上门\",resolved,count,\r\n"
                               "kinds,,opened,count,1\r\n"
                               "kinds,,resolved,count,1\r\n";
    struct figures two = figures;
    struct buf out = {0};
    two.tables_n = 2;
    assert_int_equal(render_csv(&two, &out), STATUS_OK);
    assert_string_equal(buf_text(&out), want);
    buf_release(&out);
}

/* Every element is closed in order; entities are the five of XML; no text holds a bare < or &. */
static void assert_well_formed(const char *at)
{
    char open[32][24];
    size_t depth = 0;
    for (; *at != '\0'; at++) {
        if (*at == '&')
            assert_true(text_starts(at, "&amp;") || text_starts(at, "&lt;") || text_starts(at, "&gt;") || text_starts(at, "&quot;"));
        if (*at != '<' || at[1] == '!')
            continue;
        const char *end = strchr(at, '>');
        assert_non_null(end);
        bool closing = at[1] == '/';
        const char *name = at + 1 + closing;
        size_t n = strcspn(name, " />");
        assert_true(n > 0 && n < sizeof(open[0]));
        if (closing) {
            assert_true(depth > 0);
            depth--;
            if (strncmp(open[depth], name, n) != 0 || open[depth][n] != '\0')
                fail_msg("</%.*s> closes <%s>", (int)n, name, open[depth]);
        } else if (end[-1] != '/') {
            assert_true(depth < COUNT_OF(open));
            text_copy_n(open[depth++], sizeof(open[0]), name, n);
        }
        for (const char *quote = name + n; quote < end; quote++)
            assert_true(*quote != '<');
        at = end;
    }
    assert_int_equal(depth, 0);
}

static void html_stands_alone(void **state)
{
    (void)state;
    struct buf out = {0};
    assert_int_equal(render_html(&figures, &out), STATUS_OK);
    const char *html = buf_text(&out);
    assert_well_formed(html);
    assert_non_null(strstr(html, "售后服务月报"));
    assert_non_null(strstr(html, "repair &lt;b&gt;&amp;&quot;x&quot;"));
    assert_non_null(strstr(html, "1 d 02:00"));
    assert_non_null(strstr(html, "98.5 %"));
    /* the cut-off by the clock of the period's zone; 1 d 02:00 h is a headline too */
    assert_non_null(strstr(html, "2011-08-05 07:20 (Asia/Shanghai)"));
    assert_non_null(strstr(html, "<li><b>1 d 02:00 h</b>Median 中位数</li>"));
    assert_null(strstr(html, "src="));
    assert_null(strstr(html, "url("));
    assert_null(strstr(html, "<script"));
    size_t charts = 0;
    for (const char *at = html; (at = strstr(at, "<svg ")) != NULL; at++)
        charts++;
    assert_int_equal(charts, 3);
    buf_release(&out);
}

static uint32_t little(const uint8_t *at, unsigned n)
{
    uint32_t value = 0;
    for (unsigned i = 0; i < n; i++)
        value |= (uint32_t)at[i] << (8 * i);
    return value;
}

/* One file of a ZIP by its central directory. False: there is none. Each entry's time must be the same fixed one. */
static bool zip_find(struct bytes zip, const char *name, struct buf *out)
{
    const uint8_t *end = zip.data + zip.len - 22;
    while (little(end, 4) != 0x06054b50)
        end--;
    const uint8_t *at = zip.data + little(end + 16, 4);
    for (uint32_t i = little(end + 10, 2); i > 0; i--) {
        assert_int_equal(little(at, 4), 0x02014b50);
        assert_int_equal(little(at + 14, 2), (1 << 5) | 1); /* 1980-01-01, of the ZIP and not of the clock */
        uint32_t name_n = little(at + 28, 2), packed = little(at + 20, 4), size = little(at + 24, 4);
        if (name_n == strlen(name) && memcmp(at + 46, name, name_n) == 0) {
            const uint8_t *local = zip.data + little(at + 42, 4);
            z_stream stream = {.next_in = local + 30 + little(local + 26, 2) + little(local + 28, 2), .avail_in = packed};
            stream.next_out = buf_reserve(out, size);
            stream.avail_out = size;
            assert_int_equal(inflateInit2(&stream, -MAX_WBITS), Z_OK);
            assert_int_equal(inflate(&stream, Z_FINISH), Z_STREAM_END);
            inflateEnd(&stream);
            out->len += size;
            return true;
        }
        at += 46 + name_n + little(at + 30, 2) + little(at + 32, 2);
    }
    return false;
}

static void workbook_has_native_charts_and_no_clock(void **state)
{
    (void)state;
    struct buf out = {0}, part = {0};
    assert_int_equal(render_xlsx(&figures, &out), STATUS_OK);
    assert_true(zip_find(buf_bytes(&out), "docProps/core.xml", &part));
    assert_non_null(strstr(buf_text(&part), "2011-08-04T23:20:00Z"));
    buf_reset(&part);
    assert_true(zip_find(buf_bytes(&out), "xl/charts/chart5.xml", &part)); /* three, and two of them on the first sheet */
    assert_non_null(strstr(buf_text(&part), "barChart"));
    assert_false(zip_find(buf_bytes(&out), "xl/charts/chart6.xml", &part));
    buf_reset(&part);
    assert_true(zip_find(buf_bytes(&out), "xl/sharedStrings.xml", &part));
    assert_non_null(strstr(buf_text(&part), "维修, 上门"));
    /* A text that looks like a formula is a text. */
    buf_reset(&part);
    assert_true(zip_find(buf_bytes(&out), "xl/worksheets/sheet2.xml", &part));
    assert_null(strstr(buf_text(&part), "<f>"));
    buf_release(&part);
    buf_release(&out);
}

/* A chart of nothing but zeros would be an empty frame. */
static void no_empty_charts(void **state)
{
    (void)state;
    struct figure_row zeros[2] = {{.label = "a", .values = {0, FIGURE_NOTHING}}, {.label = "b", .values = {0, 0}}};
    struct figures empty = figures;
    struct buf out = {0}, part = {0};
    for (size_t t = 1; t < empty.tables_n; t++) {
        empty.tables[t].rows = zeros;
        empty.tables[t].rows_n = t == 1 ? 0 : 2;
    }
    assert_int_equal(render_html(&empty, &out), STATUS_OK);
    assert_well_formed(buf_text(&out));
    assert_null(strstr(buf_text(&out), "<svg"));
    assert_non_null(strstr(buf_text(&out), "本期没有记录"));
    buf_reset(&out);
    assert_int_equal(render_xlsx(&empty, &out), STATUS_OK);
    assert_false(zip_find(buf_bytes(&out), "xl/charts/chart1.xml", &part));
    buf_release(&part);
    buf_release(&out);
}

/* What is too long to be read through is folded away, and is all there. */
static void long_tables_fold(void **state)
{
    (void)state;
    struct figure_row many[40] = {{.label = ""}};
    struct figures figures_of_many = figures;
    struct buf out = {0};
    for (size_t i = 0; i < COUNT_OF(many); i++) {
        text_format(many[i].label, sizeof(many[i].label), "row-%02zu", i);
        many[i].values[0] = (int64_t)(40 - i);
    }
    figures_of_many.tables[1].rows = many;
    figures_of_many.tables[1].rows_n = COUNT_OF(many);
    assert_int_equal(render_html(&figures_of_many, &out), STATUS_OK);
    assert_well_formed(buf_text(&out));
    const char *fold = strstr(buf_text(&out), "<details><summary>The other 25 ");
    assert_non_null(fold);
    assert_true(strstr(buf_text(&out), "<td>row-14</td>") < fold);
    assert_true(strstr(buf_text(&out), "<td>row-15</td>") > fold);
    assert_non_null(strstr(buf_text(&out), "<td>row-39</td>"));
    buf_release(&out);
}

static void figures_for_people(void **state)
{
    (void)state;
    static const struct {
        int64_t value;
        enum figure_unit unit;
        const char *text;
    } cases[] = {
        {1204, FIGURE_COUNT, "1,204"},    {-1234567, FIGURE_COUNT, "-1,234,567"}, {999, FIGURE_COUNT, "999"}, {FIGURE_NOTHING, FIGURE_COUNT, "–"}, {0, FIGURE_SECONDS, "00:00 h"},
        {3661, FIGURE_SECONDS, "01:01 h"},  {86399, FIGURE_SECONDS, "23:59 h"},    {86400 * 3 + 15120, FIGURE_SECONDS, "3 d 04:12 h"},
        {1000, FIGURE_PERMILLE, "100.0 %"}, {7, FIGURE_PERMILLE, "0.7 %"},     {405, FIGURE_CENTS, "4.05"},
    };
    char text[FIGURE_TEXT_MAX];
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        figure_print(cases[i].value, cases[i].unit, text);
        assert_string_equal(text, cases[i].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(twice_the_same),
        cmocka_unit_test(csv_to_the_letter),
        cmocka_unit_test(html_stands_alone),
        cmocka_unit_test(workbook_has_native_charts_and_no_clock),
        cmocka_unit_test(no_empty_charts),
        cmocka_unit_test(long_tables_fold),
        cmocka_unit_test(figures_for_people),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
