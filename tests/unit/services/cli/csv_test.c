/* CSV as the world writes it. */
#include "base/text.h"
#include "services/cli/csv.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
/* last: it wants the headers above */
#include <cmocka.h>

struct seen {
    struct buf log; /* "header a|b\n", "3: x|y\n", "bad 4 columns: text\n" */
};

static void cells(struct seen *seen, const struct csv_row *row)
{
    for (size_t i = 0; i < row->n; i++)
        buf_append_format(&seen->log, "%s%s", i > 0 ? "|" : "", row->cells[i]);
    buf_append_text(&seen->log, "\n");
}

static bool on_header(void *owner, const struct csv_row *row)
{
    struct seen *seen = owner;
    buf_append_text(&seen->log, "header ");
    cells(seen, row);
    return true;
}

static void on_row(void *owner, const struct csv_row *row)
{
    struct seen *seen = owner;
    buf_append_format(&seen->log, "%zu: ", row->line);
    cells(seen, row);
}

static void on_bad(void *owner, const struct csv_row *row, const char *reason)
{
    struct seen *seen = owner;
    buf_append_format(&seen->log, "bad %zu %s: %.*s\n", row->line, reason, (int)row->text.len,
                      (const char *)row->text.data);
}

static const struct csv_listener listener = {on_header, on_row, on_bad};

static void reads(const char *name, struct bytes text, const char *want)
{
    struct seen seen = {0};
    csv_parse_text(text, ',', &listener, &seen);
    if (strcmp(buf_text(&seen.log), want) != 0)
        fail_msg("%s: got\n%swant\n%s", name, buf_text(&seen.log), want);
    buf_release(&seen.log);
}

static void test_dirt(void **state)
{
    (void)state;
    static const struct {
        const char *name, *text, *want;
    } cases[] = {
        {"plain", "a,b\n1,2\n3,4\n", "header a|b\n2: 1|2\n3: 3|4\n"},
        {"CRLF and blank lines", "a,b\r\n1,2\r\n\r\n\r\n3,4\r\n", "header a|b\n2: 1|2\n5: 3|4\n"},
        {"no newline at the end", "a,b\n1,2", "header a|b\n2: 1|2\n"},
        {"quoted newline, comma and quote", "a,b\n\"x\ny\",\"1,\"\"2\"\"\"\n3,4\n",
         "header a|b\n2: x\ny|1,\"2\"\n4: 3|4\n"},
        {"a name twice and thrice", "a,b,a,a\n1,2,3,4\n", "header a|b|a.2|a.3\n2: 1|2|3|4\n"},
        {"too few and too many cells", "a,b\n1\n1,2,3\n5,6\n",
         "header a|b\nbad 2 columns: 1\nbad 3 columns: 1,2,3\n4: 5|6\n"},
        {"a quote never closed loses its own row only", "a,b\n1,\"x\n3,4\n5,6\n",
         "header a|b\nbad 2 quote: 1,\"x\n3: 3|4\n4: 5|6\n"},
        {"a quote never closed, no newline at the end", "a,b\n1,2\n1,\"x",
         "header a|b\n2: 1|2\nbad 3 quote: 1,\"x\n"},
        {"not UTF-8", "a,b\n\xff,2\n3,4\n", "header a|b\nbad 2 encoding: \xff,2\n3: 3|4\n"},
        {"an inch mark inside a cell", "a,b\n5\" pipe,2\n", "header a|b\n2: 5\" pipe|2\n"},
        {"empty cells", "a,b\n,\n", "header a|b\n2: |\n"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        reads(cases[i].name, bytes_of_text(cases[i].text), cases[i].want);
    reads("U+0000", bytes_of("a,b\n1,\0\n3,4\n", 12), "header a|b\nbad 2 encoding: 1,\n3: 3|4\n");
}

static void test_runaway_quote(void **state)
{
    (void)state;
    struct buf text = {0};
    struct seen seen = {0};
    buf_append_text(&text, "a,b\n\"open,2\n");
    for (int i = 0; i < 20000; i++)
        buf_append_text(&text, "1,2\n");
    csv_parse_text(buf_bytes(&text), ',', &listener, &seen);
    size_t rows = 0;
    for (size_t i = 0; i < seen.log.len; i++)
        rows += seen.log.data[i] == '\n';
    assert_int_equal(rows, 20002);
    assert_non_null(strstr(buf_text(&seen.log), "bad 2 quote: \"open,2\n3: 1|2\n"));
    buf_release(&seen.log);
    buf_release(&text);
}

static void test_encodings(void **state)
{
    (void)state;
    static const char gb[] = "\xc3\xfb\xb3\xc6\n\xba\xec\xc9\xab\n"; /* 名称, 红色 */
    static const struct {
        const char *text, *asked, *found, *want;
    } cases[] = {
        {"\xef\xbb\xbf"
         "a\nb\n",
         "auto", "utf-8", "a\nb\n"},
        {"名称\n", "auto", "utf-8", "名称\n"},
        {gb, "auto", "gb18030", "名称\n红色\n"},
        {gb, "gb18030", "gb18030", "名称\n红色\n"},
        {gb, "utf-8", "utf-8", gb},
        /* neither: left alone, its rows will be bad */
        {"a\n\xff\xff\n", "auto", "utf-8", "a\n\xff\xff\n"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct buf text = {0};
        const char *found = NULL;
        buf_append_text(&text, cases[i].text);
        assert_true(csv_to_utf8(&text, cases[i].asked, &found));
        assert_string_equal(found, cases[i].found);
        assert_string_equal(buf_text(&text), cases[i].want);
        buf_release(&text);
    }
    struct buf text = {0};
    const char *found;
    assert_false(csv_to_utf8(&text, "klingon", &found));
}

static void gzip(const char *text, struct buf *out)
{
    z_stream z = {0};
    struct buf copy = {0};
    buf_append_text(&copy, text);
    assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY), Z_OK);
    z.next_in = copy.data;
    z.avail_in = (uInt)copy.len;
    z.next_out = buf_reserve(out, 4096);
    z.avail_out = 4096;
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    out->len += 4096 - z.avail_out;
    deflateEnd(&z);
    buf_release(&copy);
}

static void test_gzip(void **state)
{
    (void)state;
    struct buf packed = {0}, out = {0};
    const char *why = NULL;
    gzip("a,b\n", &packed);
    gzip("1,2\n", &packed); /* two members are one file */
    assert_true(csv_unpack(buf_bytes(&packed), &out, &why));
    assert_string_equal(buf_text(&out), "a,b\n1,2\n");
    buf_reset(&out);
    assert_false(csv_unpack(bytes_of(packed.data, packed.len - 6), &out, &why));
    assert_non_null(why);
    buf_reset(&out);
    assert_true(csv_unpack(bytes_of_text("plain\n"), &out, &why));
    assert_string_equal(buf_text(&out), "plain\n");
    buf_release(&packed);
    buf_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_dirt),
        cmocka_unit_test(test_runaway_quote),
        cmocka_unit_test(test_encodings),
        cmocka_unit_test(test_gzip),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
