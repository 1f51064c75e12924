/* What people and programs read. */
#include "base/text.h"
#include "proto/ticket.h"
#include "record/pack.h"
#include "services/cli/event_print.h"
#include "services/cli/field_text.h"
#include "services/cli/progress.h"
#include "services/cli/table_print.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
/* last: it wants the headers above */
#include <cmocka.h>

static void test_widths(void **state)
{
    (void)state;
    static const char *const cells[] = {"网点", "jobs",   "note",  "GD01", "7",
                                        "广州", "北京站", "1,250", ""};
    struct sheet sheet;
    struct buf out = {0};
    sheet_init(&sheet, 3);
    for (size_t i = 0; i < COUNT_OF(cells); i++)
        sheet_cell(&sheet, cells[i]);
    sheet_print(&sheet, false, &out);
    assert_string_equal(buf_text(&out), "网点     jobs  note\n"
                                        "GD01        7  广州\n"
                                        "北京站  1,250  \n");
    assert_int_equal(sheet_rows(&sheet), 2);
    buf_reset(&out);
    sheet_print(&sheet, true, &out);
    assert_true(text_starts(buf_text(&out), "\033[1m网点"));
    sheet_release(&sheet);
    buf_release(&out);
}

static void test_long_cells(void **state)
{
    (void)state;
    struct sheet sheet;
    struct buf out = {0}, text = {0};
    sheet_init(&sheet, 1);
    sheet_cell(&sheet, "a\nb");
    for (int i = 0; i < 40; i++)
        buf_append_text(&text, "汉");
    sheet_cell(&sheet, buf_text(&text));
    sheet_print(&sheet, false, &out);
    assert_true(text_starts(buf_text(&out), "a b\n"));
    const char *second = buf_text(&out) + 4;
    assert_int_equal(strlen(second), 29 * 3 + strlen("…") + 1);
    sheet_release(&sheet);
    buf_release(&out);
    buf_release(&text);
}

static struct event an_event(struct buf *data, struct buf *priv)
{
    struct event event = {.pos = 1234,
                          .v = 1,
                          .n = 7,
                          .cause = 1200,
                          .at_us = INT64_C(1309498353) * 1000000,
                          .rec_us = INT64_C(1309500000) * 1000000};
    uint8_t salt[SALT_BYTES] = {1};
    struct buf map = {0};
    text_copy(event.id, sizeof(event.id), "import/ab/7");
    text_copy(event.type, sizeof(event.type), "ticket.registered");
    text_copy(event.key, sizeof(event.key), "T-1");
    text_copy(event.region, sizeof(event.region), "GD");
    text_copy(event.from, sizeof(event.from), "import/ab");
    pack_map(data, 2);
    pack_text(data, "kind");
    pack_text(data, "re\"pair");
    pack_text(data, "quantity");
    pack_int(data, 2);
    pack_map(&map, 1);
    pack_text(&map, "description");
    pack_text(&map, "漏水");
    priv_encode(salt, buf_bytes(&map), priv, event.pd);
    event.has_pd = true;
    event.data = buf_bytes(data);
    event.priv = buf_bytes(priv);
    buf_release(&map);
    return event;
}

static void test_event_forms(void **state)
{
    (void)state;
    struct buf data = {0}, priv = {0}, out = {0};
    const struct event event = an_event(&data, &priv);
    event_print_cloudevent(&event, "boston311-00c0ffee", &out);
    assert_string_equal(
        buf_text(&out),
        "{\"specversion\":\"1.0\",\"id\":\"boston311-00c0ffee/1234\",\"source\":\"/aftercare/"
        "boston311-00c0ffee/import/ab\","
        "\"type\":\"ticket.registered\",\"subject\":\"T-1\",\"time\":\"2011-07-01T05:32:33Z\","
        "\"datacontenttype\":\"application/json\",\"dataschema\":\"urn:aftercare:events#/$defs/ticket.registered~11\","
        "\"sequence\":\"00000000000000001234\",\"partitionkey\":\"T-1\",\"causationid\":"
        "\"boston311-00c0ffee/1200\","
        "\"data\":{\"kind\":\"re\\\"pair\",\"quantity\":2}}");
    buf_reset(&out);
    event_print_json(&event, &out);
    assert_string_equal(
        buf_text(&out),
        "{\"pos\":1234,\"id\":\"import/ab/"
        "7\",\"type\":\"ticket.registered\",\"v\":1,\"key\":\"T-1\",\"region\":\"GD\","
        "\"from\":\"import/"
        "ab\",\"n\":7,\"at\":\"2011-07-01T05:32:33Z\",\"rec\":\"2011-07-01T06:00:00Z\",\"cause\":"
        "1200,"
        "\"data\":{\"kind\":\"re\\\"pair\",\"quantity\":2},\"personal\":{\"description\":\"漏水\"}"
        "}");
    buf_reset(&out);
    event_words(&event, CHINESE, &out);
    assert_string_equal(buf_text(&out), "类别 re\"pair, 数量 2, 描述 漏水");
    assert_string_equal(event_title(&event, CHINESE), "工单登记");
    buf_release(&data);
    buf_release(&priv);
    buf_release(&out);
}

static void test_progress(void **state)
{
    (void)state;
    struct cli cli = {0};
    struct progress progress;
    struct buf out = {0};
    progress_start(&progress, &cli, "events", 63656, 0);
    progress.first = 700;
    progress_line(&progress, 26700, 5 * SECOND_US, false, &out);
    assert_string_equal(buf_text(&out), " 41 %  26,700 of 63,656 events  5,200/s  7 s left");
    buf_reset(&out);
    progress_line(&progress, 63656, 10 * SECOND_US, true, &out);
    assert_string_equal(buf_text(&out),
                        "[████████████████████████] 100 %  63,656 of 63,656 events  6,295/s");
    buf_release(&out);
    char text[32];
    number_words(-1234567, text);
    assert_string_equal(text, "-1,234,567");
}

/* The conversions of a text, in order: both languages must agree, printf will not ask twice. */
static void conversions(const char *text, struct buf *out)
{
    for (const char *at = strchr(text, '%'); at != NULL; at = strchr(at, '%')) {
        size_t n = 1 + strspn(at + 1, "0123456789.-lzhj");
        if (at[n] != '\0')
            n++;
        buf_append(out, at, n);
        at += n;
    }
}

static void test_languages_agree(void **state)
{
    (void)state;
    const char *english, *chinese, *other;
    struct buf one = {0}, two = {0};
    for (size_t i = 0; words_at(i, &english, &chinese); i++) {
        buf_reset(&one);
        buf_reset(&two);
        conversions(english, &one);
        conversions(chinese, &two);
        if (strcmp(buf_text(&one), buf_text(&two)) != 0)
            fail_msg("\"%s\" and \"%s\" differ", english, chinese);
        for (size_t before = 0; before < i; before++) {
            const char *ignored;
            assert_true(words_at(before, &other, &ignored));
            if (strcmp(other, english) == 0)
                fail_msg("\"%s\" stands there twice", english);
        }
    }
    assert_string_equal(in_words(CHINESE, "yes"), "是");
    assert_string_equal(in_words(CHINESE, "no such text"), "no such text");
    /* A value is a word of the trade only in its own field. */
    assert_string_equal(value_words(CHINESE, "state", "offered"), "已派出");
    assert_string_equal(value_words(CHINESE, "callback", "recorded"), "已回访");
    assert_string_equal(value_words(CHINESE, "name", "offered"), "offered");
    assert_string_equal(value_words(CHINESE, "call", "recorded"), "recorded");
    assert_string_equal(value_words(ENGLISH, "state", "offered"), "offered");
    assert_null(help_words("no such text"));
    buf_release(&one);
    buf_release(&two);
}

static void test_fields_from_words(void **state)
{
    (void)state;
    static const struct {
        const char *path, *text, *code; /* code NULL: good */
    } cases[] = {
        {"kind", "repair", NULL},
        {"customer.phone", "13800000000", NULL},
        {"wanted", "2026-03-01 08:00", NULL},
        {"wanted", "2026-03-01T00:00:00Z", NULL},
        {"quantity", "12", NULL},
        {"quantity", "12 pieces", "bad-value"},
        {"wanted", "tomorrow", "bad-time"},
        {"customer", "Li", "bad-type"},
        {"colour", "red", "unknown-field"},
        {"customer.shoe", "43", "unknown-field"},
        {"region", "0123456789012345678901234567890", "too-long"},
    };
    const struct time_reading reading = {
        .zone = zone_find("Asia/Shanghai"), .formats = {"%Y-%m-%d %H:%M"}, .formats_n = 1};
    struct ticket_registered ticket;
    record_clear(&ticket_registered_record, &ticket);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct problem problem = {0};
        bool good = field_set(&ticket_registered_record, &ticket, cases[i].path, cases[i].text,
                              &reading, &problem);
        assert_int_equal(good, cases[i].code == NULL);
        if (!good)
            assert_string_equal(problem.code, cases[i].code);
    }
    assert_string_equal(ticket.customer.phone, "13800000000");
    assert_int_equal(ticket.wanted_us, INT64_C(1772323200) * 1000000);
    assert_int_equal(ticket.quantity, 12);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_widths),          cmocka_unit_test(test_long_cells),
        cmocka_unit_test(test_event_forms),     cmocka_unit_test(test_progress),
        cmocka_unit_test(test_languages_agree), cmocka_unit_test(test_fields_from_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
