#include "event/event.h"

#include "base/status.h"
#include "base/text.h"
#include "record/pack.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const uint8_t data_map[] = {0x81, 0xa4, 't', 'i', 'e', 'r', 0x03};

static struct event whole_event(void)
{
    struct event e;

    memset(&e, 0, sizeof e);
    e.pos = 70001;
    strcpy(e.id, "dispatcher/T-1/offer/2");
    strcpy(e.type, "job.offered");
    e.v = 1;
    strcpy(e.key, "T-1");
    strcpy(e.region, "1101");
    strcpy(e.site, "s7");
    strcpy(e.from, "dispatcher");
    e.n = 12;
    e.at_us = INT64_C(1309478400123456);
    e.rec_us = INT64_C(1309478401000000);
    e.cut = true;
    e.cause = 70000;
    strcpy(e.by, "dispatcher");
    e.data = bytes_of(data_map, sizeof data_map);
    e.has_pd = true;
    memset(e.pd, 0xab, sizeof e.pd);
    return e;
}

static void assert_same(const struct event *a, const struct event *b)
{
    assert_int_equal(a->pos, b->pos);
    assert_string_equal(a->id, b->id);
    assert_string_equal(a->type, b->type);
    assert_int_equal(a->v, b->v);
    assert_string_equal(a->key, b->key);
    assert_string_equal(a->region, b->region);
    assert_string_equal(a->site, b->site);
    assert_string_equal(a->from, b->from);
    assert_int_equal(a->n, b->n);
    assert_int_equal(a->at_us, b->at_us);
    assert_int_equal(a->rec_us, b->rec_us);
    assert_int_equal(a->cut, b->cut);
    assert_int_equal(a->cause, b->cause);
    assert_string_equal(a->by, b->by);
    assert_int_equal(a->has_pd, b->has_pd);
    assert_memory_equal(a->pd, b->pd, sizeof a->pd);
    assert_true(bytes_equal(a->data, b->data));
}

static void decode_clean(struct bytes body, struct event *out)
{
    struct problem problem;

    assert_true(skim(body, &problem));
    assert_true(event_decode(body, bytes_of(NULL, 0), out, &problem));
}

static void test_round_trip(void **state)
{
    struct event e = whole_event(), back;
    struct buf body = {0};

    (void)state;
    event_encode(&e, &body);
    decode_clean(buf_bytes(&body), &back);
    assert_same(&e, &back);
    assert_true(bytes_equal(back.body, buf_bytes(&body)));

    memset(&e, 0, sizeof e);
    e.pos = 1;
    strcpy(e.id, "intake/1");
    strcpy(e.type, "stream.created");
    e.v = 1;
    strcpy(e.from, "intake");
    e.n = 1;
    buf_reset(&body);
    event_encode(&e, &body);
    decode_clean(buf_bytes(&body), &back);
    assert_int_equal(back.data.len, 1); /* an empty map */
    e.data = back.data;
    assert_same(&e, &back);
    buf_release(&body);
}

/* Bodies are for ever: the order of the keys, what is left out, and each byte. */
static void test_bytes_are_golden(void **state)
{
    struct event e;
    struct buf body = {0};
    char hex[400];

    (void)state;
    memset(&e, 0, sizeof e);
    e.pos = 7;
    strcpy(e.id, "bj/3");
    strcpy(e.type, "ticket.noted");
    e.v = 1;
    strcpy(e.key, "T-1");
    strcpy(e.from, "bj");
    e.n = 3;
    e.at_us = INT64_C(1000000);
    e.rec_us = INT64_C(2500000);
    e.data = bytes_of(data_map, sizeof data_map);
    event_encode(&e, &body);
    assert_true(body.len * 2 < sizeof hex);
    hex_print(body.data, body.len, hex);
    assert_string_equal(hex, "8b"
                             "a3706f73" "07"                             /* pos 7 */
                             "a26964" "a4626a2f33"                       /* id bj/3 */
                             "a474797065" "ac7469636b65742e6e6f746564"   /* type ticket.noted */
                             "a176" "01"                                 /* v 1 */
                             "a36b6579" "a3542d31"                       /* key T-1 */
                             "a466726f6d" "a2626a"                       /* from bj */
                             "a16e" "03"                                 /* n 3 */
                             "a26174" "d6ff00000001"                     /* at 1 s */
                             "a3726563" "d7ff7735940000000002"           /* rec 2.5 s */
                             "a56361757365" "00"                         /* cause 0 */
                             "a464617461" "81a47469657203");             /* data */
    buf_release(&body);
}

/* A body made by hand: pairs of key and value. */
static void put_pairs(struct buf *out, const char *without, const char *instead)
{
    static const char *const texts[] = {"id", "type", "from"};
    struct buf pairs = {0};
    uint32_t n = 0;

    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        if (text_equal(texts[i], without))
            continue;
        pack_text(&pairs, texts[i]);
        pack_text(&pairs, "x");
        n++;
    }
    for (size_t i = 0; i < 2; i++) {
        const char *key = i == 0 ? "v" : "pos";
        if (text_equal(key, without))
            continue;
        pack_text(&pairs, key);
        pack_uint(&pairs, 5);
        n++;
    }
    if (!text_equal("data", without)) {
        pack_text(&pairs, "data");
        pack_map(&pairs, 0);
        n++;
    }
    if (instead) {
        pack_text(&pairs, instead);
        pack_array(&pairs, 0);
        n++;
    }
    pack_map(out, n);
    buf_append(out, pairs.data, pairs.len);
    buf_release(&pairs);
}

static void test_any_order_and_unknown_keys_are_read(void **state)
{
    struct event e;
    struct buf body = {0};

    (void)state;
    put_pairs(&body, "", "later");
    decode_clean(buf_bytes(&body), &e);
    assert_int_equal(e.pos, 5);
    assert_string_equal(e.from, "x");
    buf_release(&body);
}

static void test_what_is_wrong_is_named(void **state)
{
    static const struct {
        const char *without, *instead, *code, *field;
    } rows[] = {
        {"pos", NULL, "missing", "pos"},     {"id", NULL, "missing", "id"},
        {"type", NULL, "missing", "type"},   {"v", NULL, "missing", "v"},
        {"from", NULL, "missing", "from"},   {"data", NULL, "missing", "data"},
        {"pos", "pos", "bad-type", "pos"},   {"id", "id", "bad-type", "id"},
        {"v", "v", "bad-type", "v"},         {"data", "data", "bad-type", "data"},
        {"", "at", "bad-type", "at"},        {"", "rec", "bad-type", "rec"},
        {"", "cause", "bad-type", "cause"},  {"", "pd", "bad-type", "pd"},
        {"", "cut", "bad-type", "cut"},      {"", "key", "bad-type", "key"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct buf body = {0};
        struct problem problem = {0};
        struct event e = {.pos = 99};
        put_pairs(&body, rows[i].without, rows[i].instead);
        assert_false(event_decode(buf_bytes(&body), bytes_of(NULL, 0), &e, &problem));
        assert_string_equal(problem.code, rows[i].code);
        assert_string_equal(problem.field, rows[i].field);
        assert_int_equal(e.pos, 99); /* untouched */
        buf_release(&body);
    }
}

static void test_texts_are_bounded(void **state)
{
    struct event e;
    struct problem problem;
    struct buf body = {0};
    char longest[EVENT_KEY_CAP + 1];

    (void)state;
    memset(longest, 'k', sizeof longest);
    longest[EVENT_KEY_CAP] = '\0';
    for (int extra = 0; extra < 2; extra++) {
        buf_reset(&body);
        pack_map(&body, 7);
        pack_text(&body, "pos"), pack_uint(&body, 1);
        pack_text(&body, "id"), pack_text(&body, "x");
        pack_text(&body, "type"), pack_text(&body, "x");
        pack_text(&body, "v"), pack_uint(&body, 1);
        pack_text(&body, "key"), pack_text(&body, extra ? longest : longest + 1);
        pack_text(&body, "from"), pack_text(&body, "x");
        pack_text(&body, "data"), pack_map(&body, 0);
        assert_int_equal(event_decode(buf_bytes(&body), bytes_of(NULL, 0), &e, &problem), extra == 0);
    }
    assert_string_equal(problem.code, "too-long");
    assert_string_equal(problem.args, "64");
    buf_release(&body);
}

static void test_priv_and_its_digest(void **state)
{
    uint8_t salt[SALT_BYTES] = {1, 2, 3}, pd[DIGEST_BYTES], want[DIGEST_BYTES];
    struct event e = whole_event(), back;
    struct buf priv = {0}, body = {0};
    struct problem problem;

    (void)state;
    buf_append_text(&priv, "before"); /* it appends */
    priv_encode(salt, bytes_of(data_map, sizeof data_map), &priv, pd);
    struct bytes made = bytes_of(priv.data + 6, priv.len - 6);
    digest_of(made, want);
    assert_memory_equal(pd, want, sizeof pd);
    assert_true(skim(made, &problem));
    event_encode(&e, &body);
    assert_true(event_decode(buf_bytes(&body), made, &back, &problem));
    assert_true(bytes_equal(event_personal(&back), bytes_of(data_map, sizeof data_map)));
    back.priv = bytes_of(NULL, 0);
    assert_int_equal(event_personal(&back).len, 0);
    back.priv = bytes_of("\x91\x01", 2);
    assert_int_equal(event_personal(&back).len, 0);
    buf_release(&priv);
    buf_release(&body);
}

static void test_links_chain(void **state)
{
    uint8_t first[LINK_BYTES], second[LINK_BYTES], third[LINK_BYTES];
    char hex[2 * LINK_BYTES + 1];

    (void)state;
    link_first("test-00000000", first);
    hex_print(first, sizeof first, hex);
    assert_string_equal(hex, "f7b278bbcc753abf07f020f8d8743f61");
    link_next(first, bytes_of_text("body"), second);
    hex_print(second, sizeof second, hex);
    assert_string_equal(hex, "37e1094f2164ca94d3b15b884073ec5c");
    memcpy(third, first, sizeof third);
    link_next(third, bytes_of_text("body"), third); /* in place */
    assert_memory_equal(second, third, sizeof second);
}

static void test_draft_leaves_out_what_is_absent(void **state)
{
    struct draft whole = {.type = "ticket.noted", .v = 2, .key = "T-1", .at_us = 1000000, .by = "anna", .cause = 4,
                          .id = "slot", .data = bytes_of(data_map, sizeof data_map), .priv = bytes_of("\x80", 1)};
    struct draft bare = {.type = "ticket.registered", .v = 1, .key = ""};
    struct buf out = {0};
    char hex[300];
    struct problem problem;

    (void)state;
    draft_encode(&whole, &out);
    assert_true(skim(buf_bytes(&out), &problem));
    hex_print(out.data, out.len, hex);
    assert_string_equal(hex, "89"
                             "a474797065" "ac7469636b65742e6e6f746564"
                             "a176" "02"
                             "a36b6579" "a3542d31"
                             "a26174" "d6ff00000001"
                             "a26279" "a4616e6e61"
                             "a56361757365" "04"
                             "a26964" "a4736c6f74"
                             "a464617461" "81a47469657203"
                             "a470726976" "80");
    buf_reset(&out);
    draft_encode(&bare, &out);
    hex_print(out.data, out.len, hex);
    assert_string_equal(hex, "83" "a474797065" "b17469636b65742e72656769737465726564" "a176" "01" "a464617461" "80");
    buf_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_bytes_are_golden),
        cmocka_unit_test(test_any_order_and_unknown_keys_are_read),
        cmocka_unit_test(test_what_is_wrong_is_named),
        cmocka_unit_test(test_texts_are_bounded),
        cmocka_unit_test(test_priv_and_its_digest),
        cmocka_unit_test(test_links_chain),
        cmocka_unit_test(test_draft_leaves_out_what_is_absent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
