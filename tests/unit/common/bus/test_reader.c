/* The reader against a fake feed and a live line that lose, cut and fall silent: each position once, in order, or a
 * plain word that something is wrong. */
#include "bus/reader.h"
#include "record/pack.h"
#include "unit/common/bus/wire.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define JOURNAL_MAX 3000
#define STREAM "test-00000000"

struct entry {
    struct buf body;
    bool priv;
    uint8_t link[LINK_BYTES];
};

struct feed {
    bool open, follow, caught_up;
    int64_t sent;   /* complete up to */
    int64_t credit; /* may be overdrawn by one batch */
};

struct sim {
    struct reader *reader;
    struct entry journal[JOURNAL_MAX + 1];
    int64_t head;
    struct feed feed;
    struct wire up, down, live;
    uint64_t dice;
    int64_t now_us, now_stream_us;
    uint64_t seen, events, committed, told_head;
    int64_t told_now, opens;
    unsigned pause_once_in;
    bool filtered, verify;
    bool narrow; /* no filter, and yet it sees every third event only */
    bool beyond; /* a head may be told that no batch came up to */
    int64_t hurt;       /* this position's body comes with another last byte … */
    int64_t hurt_opens; /* … in so many readings */
    struct bytes false_priv; /* and this in the place of its personal part; none: its own */
    char failed[24];
};

static struct sim sim; /* large */

static const uint8_t priv_bytes[] = {0x92, 0xc4, 0x01, 0x07, 0x80};

static void journal_add(struct sim *s)
{
    struct event e;
    struct entry *before = &s->journal[s->head], *entry = &s->journal[s->head + 1];
    struct buf data = {0};

    if (s->head == 0)
        link_first(STREAM, before->link);
    memset(&e, 0, sizeof e);
    e.pos = (uint64_t)++s->head;
    strcpy(e.id, "branch/1");
    strcpy(e.type, s->head % 3 == 0 ? "job.offered" : "ticket.noted");
    strcpy(e.from, "branch");
    e.v = 1;
    e.n = e.pos;
    pack_map(&data, 1);
    pack_text(&data, "k");
    pack_int(&data, s->head * 7);
    e.data = buf_bytes(&data);
    entry->priv = e.has_pd = s->head % 5 == 0;
    if (e.has_pd)
        digest_of(bytes_of(priv_bytes, sizeof priv_bytes), e.pd);
    event_encode(&e, &entry->body);
    link_next(before->link, buf_bytes(&entry->body), entry->link);
    buf_release(&data);
}

static struct bytes priv_of(const struct entry *entry)
{
    return entry->priv ? bytes_of(priv_bytes, sizeof priv_bytes) : bytes_of(NULL, 0);
}

static bool is_wanted(const struct sim *s, int64_t pos)
{
    return !(s->filtered || s->narrow) || pos % 3 == 0;
}

/* --- the fake feed ------------------------------------------------------------------------------ */

static struct verb_head head_of(const struct sim *s)
{
    struct verb_head h = {.epoch = 1, .head = s->head, .now_us = s->now_stream_us};

    memcpy(h.link, s->journal[s->head].link, LINK_BYTES);
    return h;
}

static void batch_send(struct sim *s, int64_t upto)
{
    struct buf map = {0}, events = {0};
    uint32_t n = 0;

    for (int64_t pos = s->feed.sent + 1; pos <= upto; pos++) {
        struct entry *entry = &s->journal[pos];
        bool hurt = pos == s->hurt && s->opens <= s->hurt_opens;
        if (!is_wanted(s, pos))
            continue;
        if (hurt && s->false_priv.len == 0)
            entry->body.data[entry->body.len - 1] ^= 1; /* still a clean body, but not the one the links were made of */
        delivery_encode(buf_bytes(&entry->body), hurt && s->false_priv.len > 0 ? s->false_priv : priv_of(entry), &events);
        if (hurt && s->false_priv.len == 0)
            entry->body.data[entry->body.len - 1] ^= 1;
        n++;
    }
    pack_map(&map, 4);
    pack_text(&map, "after");
    pack_int(&map, s->feed.sent);
    pack_text(&map, "upto");
    pack_int(&map, upto);
    pack_text(&map, "link");
    pack_bin(&map, bytes_of(s->journal[upto].link, LINK_BYTES));
    pack_text(&map, "events");
    pack_array(&map, n);
    buf_append(&map, events.data, events.len);
    wire_push(&s->down, "BATCH", buf_bytes(&map));
    s->feed.sent = upto;
    s->feed.credit -= (int64_t)map.len;
    buf_release(&map);
    buf_release(&events);
}

static void feed_open(struct sim *s, const struct frame *frame)
{
    struct verb_open open;
    struct verb_opened opened = {.epoch = 1, .head = s->head, .first = 1, .whole = !s->filtered && !s->narrow};
    struct problem problem;
    uint8_t none[LINK_BYTES] = {0};

    assert_true(record_decode(&verb_open_record, RECORD_WHOLE, DECODE_STRICT, frame->map, NULL, &open, &problem));
    assert_string_equal(open.stream, STREAM);
    s->opens++;
    if (open.after > s->head) {
        struct verb_ahead ahead = {.head = s->head};
        wire_push_record(&s->down, "AHEAD", &verb_ahead_record, &ahead);
        return;
    }
    if (memcmp(open.link, none, LINK_BYTES) != 0 && memcmp(open.link, s->journal[open.after].link, LINK_BYTES) != 0) {
        struct verb_fork fork = {.pos = open.after};
        wire_push_record(&s->down, "FORK", &verb_fork_record, &fork);
        return;
    }
    s->feed.open = true;
    s->feed.follow = open.follow;
    s->feed.caught_up = false;
    s->feed.sent = open.after;
    s->feed.credit = open.credit;
    wire_push_record(&s->down, "OPENED", &verb_opened_record, &opened);
}

static void feed_in(struct sim *s, const struct frame *frame)
{
    struct verb_credit credit;
    struct problem problem;

    if (strcmp(frame->verb, "OPEN") == 0) {
        feed_open(s, frame);
        return;
    }
    assert_string_equal(frame->verb, "CREDIT");
    assert_true(record_decode(&verb_credit_record, RECORD_WHOLE, DECODE_STRICT, frame->map, NULL, &credit, &problem));
    assert_true(credit.bytes > 0);
    if (!s->filtered)
        assert_true((uint64_t)credit.applied <= s->committed);
    s->feed.credit += credit.bytes;
}

static void feed_step(struct sim *s)
{
    struct verb_head h = head_of(s);

    if (!s->feed.open)
        return;
    if (s->feed.sent < s->head && s->feed.credit > 0 && (!s->feed.caught_up || s->feed.follow)) {
        int64_t n = 1 + (int64_t)(dice_next(&s->dice) % 40);
        batch_send(s, s->feed.sent + n < s->head ? s->feed.sent + n : s->head);
    } else if (s->feed.sent == s->head && !s->feed.caught_up) {
        s->feed.caught_up = true;
        wire_push_record(&s->down, "CAUGHT_UP", &verb_head_record, &h);
    } else if (s->feed.caught_up && s->feed.follow && dice_once_in(&s->dice, 10)) {
        wire_push_record(&s->down, "HEAD", &verb_head_record, &h);
    }
}

/* --- the owner ---------------------------------------------------------------------------------- */

static void on_event(void *owner, uint64_t pos, struct bytes body, struct bytes priv, const uint8_t link[LINK_BYTES])
{
    struct sim *s = owner;
    const struct entry *entry = &s->journal[pos];

    if (s->filtered || s->narrow) {
        assert_true(pos > s->seen && is_wanted(s, (int64_t)pos));
        for (uint64_t skipped = s->seen + 1; skipped < pos; skipped++)
            assert_false(is_wanted(s, (int64_t)skipped));
    } else {
        assert_int_equal(pos, s->seen + 1);
    }
    assert_true(bytes_equal(body, buf_bytes(&entry->body)));
    assert_true(bytes_equal(priv, priv_of(entry)));
    if (s->verify)
        assert_memory_equal(link, entry->link, LINK_BYTES);
    s->seen = pos;
    s->events++;
    if (s->pause_once_in && dice_once_in(&s->dice, s->pause_once_in))
        reader_pause(s->reader, true);
}

static void on_head(void *owner, uint64_t head, int64_t now_us)
{
    struct sim *s = owner;

    assert_true(reader_position(s->reader) >= head || s->beyond);
    assert_true(now_us <= s->now_stream_us);
    s->told_head = head;
    s->told_now = now_us;
}

static void on_failed(void *owner, const char *code, const char *why)
{
    struct sim *s = owner;

    assert_true(why[0] != '\0');
    strcpy(s->failed, code);
}

static const struct reader_listener listener = {.event = on_event, .head = on_head, .failed = on_failed};

static struct reader_config config_of(bool live, bool follow)
{
    struct reader_config config = {.live = live, .verify = true, .live_buffer_bytes = 4000};

    strcpy(config.open.stream, STREAM);
    strcpy(config.open.consumer, "dispatcher");
    config.open.follow = follow;
    config.open.credit = 8000;
    return config;
}

static void sim_open(uint64_t seed, const struct reader_config *config)
{
    memset(&sim, 0, sizeof sim);
    sim.dice = seed;
    sim.now_us = 1;
    sim.now_stream_us = 1000;
    sim.filtered = config->open.types_n > 0;
    sim.verify = config->verify && !sim.filtered;
    sim.reader = reader_new(config, &listener, &sim);
    link_first(STREAM, sim.journal[0].link);
}

static void sim_close(void)
{
    for (int64_t i = 1; i <= sim.head; i++)
        buf_release(&sim.journal[i].body);
    wire_cut(&sim.up);
    wire_cut(&sim.down);
    wire_cut(&sim.live);
    reader_destroy(&sim.reader);
    assert_null(sim.reader);
}

static void reconnect(struct sim *s)
{
    wire_cut(&s->up);
    wire_cut(&s->down);
    s->feed.open = false;
    reader_disconnected(s->reader);
    reader_connected(s->reader, s->now_us);
}

static void live_event(struct sim *s, int64_t pos)
{
    const struct entry *entry = &s->journal[pos];
    struct bytes priv = priv_of(entry);

    reader_live(s->reader, bytes_of_text("ticket.noted"), buf_bytes(&entry->body), priv, s->now_us);
}

static void live_head(struct sim *s)
{
    struct verb_head h = head_of(s);
    struct buf map = {0};

    record_encode(&verb_head_record, RECORD_WHOLE, &h, &map);
    reader_live(s->reader, bytes_of_text("~head"), buf_bytes(&map), bytes_of(NULL, 0), s->now_us);
    buf_release(&map);
}

static void commit(struct sim *s)
{
    s->committed = reader_position(s->reader);
    reader_applied(s->reader, s->committed);
}

static void pump(struct sim *s)
{
    struct frame frame;

    while (reader_out(s->reader, s->now_us, &frame))
        wire_push(&s->up, frame.verb, frame.map);
    for (size_t n = dice_next(&s->dice) % 3; n > 0 && wire_pop(&s->up, &frame); n--)
        feed_in(s, &frame);
    feed_step(s);
    for (size_t n = dice_next(&s->dice) % 4; n > 0 && wire_pop(&s->down, &frame); n--)
        if (!reader_in(s->reader, &frame, s->now_us))
            reconnect(s);
    if (reader_deadline_us(s->reader) <= s->now_us && reader_tick(s->reader, s->now_us))
        reconnect(s);
    if (dice_once_in(&s->dice, 4)) {
        commit(s);
        reader_pause(s->reader, false);
        reader_resume(s->reader);
    }
}

/* Journal grows to `total`; then all must have been seen, and the last head be told. */
static void sim_run(uint64_t seed, const struct reader_config *config, int64_t total, bool troubles)
{
    int64_t steps = 0, next_live = 1;

    sim_open(seed, config);
    sim.pause_once_in = 15;
    reader_connected(sim.reader, sim.now_us);
    while (sim.head < total || sim.told_head < (uint64_t)total || (config->live && !reader_is_live(sim.reader))) {
        assert_true(++steps < 100000);
        assert_string_equal(sim.failed, "");
        sim.now_us += 10000;
        sim.now_stream_us += 10000;
        for (uint64_t n = dice_next(&sim.dice) % 12; n > 0 && sim.head < total; n--)
            journal_add(&sim);
        for (; config->live && next_live <= sim.head; next_live++)
            if (!troubles || !dice_once_in(&sim.dice, 50)) /* every so many is lost */
                live_event(&sim, next_live);
        if (config->live && steps % 100 == 0)
            live_head(&sim);
        if (troubles && dice_once_in(&sim.dice, 200))
            reconnect(&sim);
        if (troubles && dice_once_in(&sim.dice, 300)) /* the feed dies without a word */
            sim.feed.open = false;
        pump(&sim);
    }
    assert_int_equal(sim.events, sim.filtered ? total / 3 : total);
    sim_close();
}

static void test_live_and_feed_give_each_position_once(void **state)
{
    struct reader_config config = config_of(true, false);

    (void)state;
    for (uint64_t seed = 1; seed <= 100; seed++)
        sim_run(seed, &config, 600, true);
}

static void test_feed_alone_follows(void **state)
{
    struct reader_config config = config_of(false, true);

    (void)state;
    for (uint64_t seed = 1; seed <= 50; seed++)
        sim_run(seed, &config, 400, true);
}

static void test_filtered_reader_keeps_its_credit(void **state)
{
    struct reader_config config = config_of(false, true);

    (void)state;
    strcpy(config.open.types[0], "job.");
    config.open.types_n = 1;
    config.open.credit = 600; /* a few batches: without what empty ones give back it would stand still */
    for (uint64_t seed = 1; seed <= 50; seed++)
        sim_run(seed, &config, 600, true);
}

static void test_without_trouble_one_open_is_enough(void **state)
{
    struct reader_config config = config_of(true, false);

    (void)state;
    config.live_buffer_bytes = 0;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        sim_run(seed, &config, 600, false);
        assert_int_equal(sim.opens, 1);
    }
}

/* --- tables of what goes wrong ------------------------------------------------------------------ */

static void settle(void)
{
    struct frame frame;

    for (int i = 0; i < 1000; i++) {
        while (reader_out(sim.reader, sim.now_us, &frame))
            wire_push(&sim.up, frame.verb, frame.map);
        while (wire_pop(&sim.up, &frame))
            feed_in(&sim, &frame);
        feed_step(&sim);
        while (wire_pop(&sim.down, &frame))
            if (!reader_in(sim.reader, &frame, sim.now_us))
                reconnect(&sim);
        sim.now_us += 100000;
        commit(&sim);
    }
}

/* What is damaged behind the same position three times in turn is final, and nothing of its batch was delivered. */
static void test_a_changed_byte_is_no_part_of_it(void **state)
{
    struct reader_config config = config_of(false, false);

    (void)state;
    for (int64_t pos = 1; pos <= 30; pos += 7) {
        sim_open((uint64_t)pos, &config);
        for (int i = 0; i < 30; i++)
            journal_add(&sim);
        sim.hurt = pos;
        sim.hurt_opens = 100;
        reader_connected(sim.reader, sim.now_us);
        settle();
        assert_string_equal(sim.failed, sim.journal[pos].priv ? "priv" : "link"); /* it ends with the personal part's digest */
        assert_true(sim.opens >= 3); /* batches are of any size: behind another position it is counted anew */
        assert_true(sim.seen < (uint64_t)pos);
        assert_int_equal(sim.seen, reader_position(sim.reader));
        sim_close();
    }
}

static void test_damage_that_passes(void **state)
{
    struct reader_config config = config_of(false, false);

    (void)state;
    for (int64_t opens = 1; opens <= 2; opens++) {
        sim_open(5, &config);
        for (int i = 0; i < 60; i++)
            journal_add(&sim);
        sim.hurt = 19;
        sim.hurt_opens = opens;
        reader_connected(sim.reader, sim.now_us);
        settle();
        assert_string_equal(sim.failed, "");
        assert_int_equal(sim.opens, opens + 1);
        assert_int_equal(sim.told_head, 60);
        sim_close();
    }
    config.tries = 1; /* who cannot go on after it */
    sim_open(5, &config);
    for (int i = 0; i < 60; i++)
        journal_add(&sim);
    sim.hurt = 19;
    sim.hurt_opens = 1;
    reader_connected(sim.reader, sim.now_us);
    settle();
    assert_string_equal(sim.failed, "link");
    sim_close();
}

static void test_another_personal_part(void **state)
{
    static const uint8_t other[] = {0x92, 0xc4, 0x01, 0x07, 0x81, 0xa1, 'k', 0x01}, none[] = {0xc0};
    struct reader_config config = config_of(false, false);

    (void)state;
    for (int i = 0; i < 2; i++) {
        sim_open(1, &config);
        for (int k = 0; k < 20; k++)
            journal_add(&sim);
        sim.hurt = i == 0 ? 10 : 11; /* where there is one, and where none was recorded */
        sim.hurt_opens = 100;
        sim.false_priv = i == 0 ? bytes_of(other, sizeof other) : bytes_of(none, sizeof none);
        reader_connected(sim.reader, sim.now_us);
        settle();
        assert_string_equal(sim.failed, "priv");
        assert_true(sim.seen < 10);
        sim_close();
    }
}

/* F14: a newer version of what is needed stops the reader at once, before its batch. */
static void test_a_version_that_is_needed(void **state)
{
    static const struct {
        const char *needs[3];
        const char *want;
    } rows[] = {
        {{"ticket.noted/1", "job.offered/1"}, ""}, {{"ticket.noted/1", "job.offered/0"}, "version"}, {{"job/0", "job.offere/0"}, ""},
        {{"job.offered.x/0"}, ""},                 {{"job.offered/12"}, ""},
    };
    struct reader_config config = config_of(false, false);

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        config.needs = rows[i].needs;
        sim_open(1, &config);
        for (int k = 0; k < 20; k++)
            journal_add(&sim);
        reader_connected(sim.reader, sim.now_us);
        settle();
        assert_string_equal(sim.failed, rows[i].want);
        assert_int_equal(sim.opens, 1);
        assert_true(rows[i].want[0] == '\0' ? sim.seen == 20 : sim.seen < 3);
        sim_close();
    }
}

/* A principal that sees a part, without a filter: holes are right, and its cursor stands where its batches end. Who has to have
 * every position is told that it will not get them. */
static void test_a_narrow_right(void **state)
{
    struct reader_config config = config_of(false, true);
    uint64_t pos;
    uint8_t link[LINK_BYTES];

    (void)state;
    config.verify = false;
    sim_open(1, &config);
    sim.narrow = true;
    for (int i = 0; i < 40; i++)
        journal_add(&sim);
    reader_connected(sim.reader, sim.now_us);
    settle();
    assert_string_equal(sim.failed, "");
    assert_int_equal(sim.opens, 1);
    assert_int_equal(sim.seen, 39);
    assert_int_equal(sim.events, 13);
    assert_int_equal(sim.told_head, 40);
    reader_cursor(sim.reader, &pos, link);
    assert_int_equal(pos, 40);
    assert_memory_equal(link, sim.journal[40].link, LINK_BYTES);
    sim_close();

    for (int live = 0; live < 2; live++) {
        config = config_of(live == 1, false);
        config.verify = live == 0;
        sim_open(1, &config);
        sim.narrow = true;
        journal_add(&sim);
        reader_connected(sim.reader, sim.now_us);
        settle();
        assert_string_equal(sim.failed, "denied.rights");
        sim_close();
    }
}

static void test_changed_live_byte_is_corrupt(void **state)
{
    struct reader_config config = config_of(true, false);

    (void)state;
    sim_open(1, &config);
    reader_connected(sim.reader, sim.now_us);
    settle();
    assert_true(reader_is_live(sim.reader));
    journal_add(&sim);
    sim.journal[1].body.data[sim.journal[1].body.len - 1] ^= 1;
    sim.verify = false;
    live_event(&sim, 1);
    assert_string_equal(sim.failed, "");
    live_head(&sim);
    assert_string_equal(sim.failed, "link");
    sim_close();
}

static void test_lost_last_message_is_fetched(void **state)
{
    struct reader_config config = config_of(true, false);

    (void)state;
    sim_open(1, &config);
    reader_connected(sim.reader, sim.now_us);
    settle();
    journal_add(&sim);
    live_head(&sim);
    assert_int_equal(sim.told_head, 0); /* not before it is delivered */
    assert_int_equal(reader_head(sim.reader), 1);
    assert_int_equal(reader_deadline_us(sim.reader), sim.now_us + 1000000);
    sim.now_us += 1000000;
    assert_false(reader_tick(sim.reader, sim.now_us));
    settle();
    assert_int_equal(sim.seen, 1);
    assert_int_equal(sim.told_head, 1);
    assert_int_equal(sim.opens, 2);
    assert_true(reader_is_live(sim.reader));
    sim_close();
}

/* An intake that was taken over from, and does not know it yet, tells of a head that is nobody's: no time passes by it. */
static void test_a_head_of_an_earlier_epoch_is_none(void **state)
{
    struct reader_config config = config_of(true, false);
    struct verb_head stale = {.epoch = 0, .head = 0, .now_us = 1};
    struct buf map = {0};

    (void)state;
    sim_open(1, &config);
    reader_connected(sim.reader, sim.now_us);
    settle();
    assert_true(reader_is_live(sim.reader));
    sim.told_now = 0;
    record_encode(&verb_head_record, RECORD_WHOLE, &stale, &map);
    reader_live(sim.reader, bytes_of("~head", 5), buf_bytes(&map), bytes_of(NULL, 0), sim.now_us);
    assert_int_equal(sim.told_now, 0);
    live_head(&sim);
    assert_int_equal(sim.told_now, sim.now_stream_us);
    buf_release(&map);
    sim_close();
}

/* One that stands by says so: the connection is made anew, to the next. */
static void test_moved_is_no_end(void **state)
{
    struct reader_config config = config_of(false, true);
    struct frame frame, moved = {.verb = "MOVED", .map = bytes_of("\x80", 1)};

    (void)state;
    sim_open(1, &config);
    reader_connected(sim.reader, sim.now_us);
    assert_true(reader_out(sim.reader, sim.now_us, &frame));
    assert_false(reader_in(sim.reader, &moved, sim.now_us));
    reader_disconnected(sim.reader);
    reader_connected(sim.reader, sim.now_us);
    assert_true(reader_out(sim.reader, sim.now_us, &frame));
    assert_string_equal(frame.verb, "OPEN");
    assert_string_equal(sim.failed, "");
    sim_close();
}

static void test_ahead_fork_and_denied_are_final(void **state)
{
    static const struct {
        const char *name;
        int64_t after;
        uint8_t link;
        const char *want;
    } rows[] = {
        {"restored journal", 9, 0, "ahead"},
        {"another history", 3, 1, "fork"},
    };
    struct verb_denied denied = {.code = "principal", .why = "not yours"};
    struct reader_config config = config_of(false, false);
    struct frame frame;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        config.open.after = rows[i].after;
        memset(config.open.link, rows[i].link, LINK_BYTES);
        sim_open(1, &config);
        for (int k = 0; k < 5; k++)
            journal_add(&sim);
        reader_connected(sim.reader, sim.now_us);
        settle();
        assert_string_equal(sim.failed, rows[i].want);
        assert_false(reader_out(sim.reader, sim.now_us, &frame));
        sim_close();
    }
    config = config_of(false, false);
    sim_open(1, &config);
    reader_connected(sim.reader, sim.now_us);
    assert_true(reader_out(sim.reader, sim.now_us, &frame));
    wire_push_record(&sim.down, "DENIED", &verb_denied_record, &denied);
    assert_true(wire_pop(&sim.down, &frame));
    assert_true(reader_in(sim.reader, &frame, sim.now_us));
    assert_string_equal(sim.failed, "denied.principal");
    sim_close();
}

static void test_wrong_positions_are_a_hole(void **state)
{
    struct reader_config config = config_of(false, false);

    (void)state;
    config.verify = false;
    sim_open(1, &config);
    for (int i = 0; i < 6; i++)
        journal_add(&sim);
    struct buf moved = sim.journal[3].body; /* position 4's body stands where 3's was */
    sim.journal[3].body = sim.journal[4].body;
    sim.journal[4].body = moved;
    reader_connected(sim.reader, sim.now_us);
    sim.seen = 0;
    settle();
    assert_string_equal(sim.failed, "hole");
    assert_true(sim.seen < 3);
    assert_int_equal(sim.seen, reader_position(sim.reader));
    sim_close();
}

static bool hear(const char *verb, const struct record *record, const void *object)
{
    struct frame frame;

    wire_push_record(&sim.down, verb, record, object);
    assert_true(wire_pop(&sim.down, &frame));
    return reader_in(sim.reader, &frame, sim.now_us);
}

static const struct verb_opened opened_whole = {.epoch = 1, .head = 0, .first = 1, .whole = true};

/* Over a connection made anew: when is OPEN said? */
static int64_t open_after_us(void)
{
    struct frame frame;
    int64_t began_us = sim.now_us;

    reader_disconnected(sim.reader);
    reader_connected(sim.reader, sim.now_us);
    while (!reader_out(sim.reader, sim.now_us, &frame)) {
        assert_true(reader_deadline_us(sim.reader) > sim.now_us);
        sim.now_us = reader_deadline_us(sim.reader);
    }
    assert_string_equal(frame.verb, "OPEN");
    return sim.now_us - began_us;
}

static void test_later_and_later(void **state)
{
    static const int64_t want_ms[] = {0, 100, 200, 400, 800, 1600, 3200, 5000, 5000};
    const struct verb_denied full = {.code = "full", .why = "too many readers"};
    const struct verb_error error = {.code = "database", .why = "not now"};
    const struct verb_moved moved = {.endpoints_n = 0};
    const struct verb_head head = {.epoch = 1, .head = 0};
    struct reader_config config = config_of(false, true);

    (void)state;
    sim_open(1, &config);
    (void)open_after_us();
    for (size_t i = 0; i < COUNT_OF(want_ms); i++) {
        bool went_on = i % 3 == 0   ? hear("DENIED", &verb_denied_record, &full)
                       : i % 3 == 1 ? hear("ERROR", &verb_error_record, &error)
                                    : hear("MOVED", &verb_moved_record, &moved);
        assert_false(went_on);
        assert_int_equal(open_after_us(), want_ms[i] * 1000);
    }
    assert_true(hear("OPENED", &verb_opened_record, &opened_whole));
    assert_true(hear("HEAD", &verb_head_record, &head)); /* something good */
    assert_false(hear("ERROR", &verb_error_record, &error));
    assert_int_equal(open_after_us(), 0);
    assert_string_equal(sim.failed, "");
    sim_close();
}

static void test_a_journal_with_a_hole_is_final(void **state)
{
    const struct verb_error error = {.code = "corrupt", .why = "a position is missing"};
    struct reader_config config = config_of(false, true);

    (void)state;
    sim_open(1, &config);
    (void)open_after_us();
    assert_true(hear("OPENED", &verb_opened_record, &opened_whole));
    assert_true(hear("ERROR", &verb_error_record, &error));
    assert_string_equal(sim.failed, "corrupt");
    sim_close();
}

/* CAUGHT_UP beyond what came: where every position comes, something was lost; where not, nothing is missing, and the cursor stays. */
static void test_caught_up_beyond_what_came(void **state)
{
    const struct verb_head head = {.epoch = 1, .head = 7, .link = {9}};
    struct reader_config config = config_of(false, false);
    struct verb_opened opened = opened_whole;
    uint64_t pos;
    uint8_t link[LINK_BYTES];

    (void)state;
    sim_open(1, &config);
    for (int i = 0; i < 3; i++) {
        (void)open_after_us();
        assert_true(hear("OPENED", &verb_opened_record, &opened));
        assert_int_equal(hear("CAUGHT_UP", &verb_head_record, &head), i == 2);
    }
    assert_string_equal(sim.failed, "hole");
    sim_close();

    config.verify = opened.whole = false;
    sim_open(1, &config);
    sim.told_head = 0;
    (void)open_after_us();
    assert_true(hear("OPENED", &verb_opened_record, &opened));
    reader_pause(sim.reader, true);
    assert_true(hear("CAUGHT_UP", &verb_head_record, &head));
    assert_int_equal(sim.told_head, 0);
    sim.beyond = true;
    reader_pause(sim.reader, false);
    reader_resume(sim.reader);
    assert_int_equal(sim.told_head, 7);
    reader_cursor(sim.reader, &pos, link);
    assert_int_equal(pos, 0);
    sim_close();
}

static void test_silent_feed_is_connected_anew(void **state)
{
    const struct verb_head head = {.epoch = 1, .head = 0};
    struct reader_config config = config_of(false, true);

    (void)state;
    sim_open(1, &config);
    (void)open_after_us();
    for (int64_t patience_us = 5 * SECOND_US; patience_us <= 80 * SECOND_US; patience_us *= 2) {
        int64_t want_us = patience_us < 40 * SECOND_US ? patience_us : 40 * SECOND_US;
        assert_int_equal(reader_deadline_us(sim.reader), sim.now_us + want_us);
        sim.now_us += want_us;
        assert_true(reader_tick(sim.reader, sim.now_us));
        (void)open_after_us();
    }
    assert_true(hear("OPENED", &verb_opened_record, &opened_whole));
    assert_true(hear("HEAD", &verb_head_record, &head)); /* it is there after all */
    assert_int_equal(reader_deadline_us(sim.reader), sim.now_us + 5 * SECOND_US);
    sim_close();
}

/* F12: who has taken a batch and not given it back is still owed something, as long as there is credit. */
static void test_silence_while_there_is_credit(void **state)
{
    struct reader_config config = config_of(false, true);
    struct frame frame;

    (void)state;
    for (int i = 0; i < 2; i++) {
        config.open.credit = i == 0 ? 8000 : 100;
        sim_open(1, &config);
        for (int k = 0; k < 4; k++)
            journal_add(&sim);
        (void)open_after_us();
        assert_true(hear("OPENED", &verb_opened_record, &opened_whole));
        sim.feed.open = true;
        batch_send(&sim, 3);
        assert_true(wire_pop(&sim.down, &frame));
        assert_true(reader_in(sim.reader, &frame, sim.now_us));
        assert_int_equal(reader_is_spent(sim.reader), i == 1);
        assert_int_equal(reader_deadline_us(sim.reader), i == 0 ? sim.now_us + 5 * SECOND_US : INT64_MAX);
        commit(&sim);
        assert_false(reader_is_spent(sim.reader));
        sim_close();
    }
}

/* What is saved up the feed does not have: it would be silent, and waited for. */
static void test_small_change_is_given_when_the_feed_has_nothing_else(void **state)
{
    struct reader_config config = config_of(false, true);
    struct frame frame;

    (void)state;
    config.open.credit = 1000000;
    for (int i = 0; i < 2; i++) { /* how much they are; then exactly that */
        sim_open(1, &config);
        for (int k = 0; k < 40; k++)
            journal_add(&sim);
        (void)open_after_us();
        sim.feed.credit = config.open.credit;
        assert_true(hear("OPENED", &verb_opened_record, &opened_whole));
        for (int64_t upto = 1; upto <= 40; upto += 39) {
            batch_send(&sim, upto);
            assert_true(wire_pop(&sim.down, &frame));
            assert_true(reader_in(sim.reader, &frame, sim.now_us));
        }
        config.open.credit -= sim.feed.credit;
        reader_applied(sim.reader, 1);
        assert_false(reader_is_spent(sim.reader));
        assert_int_equal(reader_out(sim.reader, sim.now_us, &frame), i == 1);
        sim_close();
    }
    assert_string_equal(frame.verb, "CREDIT");
}

static void test_cursor_goes_on(void **state)
{
    struct reader_config config = config_of(false, false);
    uint64_t pos;

    (void)state;
    sim_open(1, &config);
    for (int i = 0; i < 50; i++)
        journal_add(&sim);
    reader_connected(sim.reader, sim.now_us);
    settle();
    reader_cursor(sim.reader, &pos, config.open.link);
    assert_int_equal(pos, 50);
    assert_memory_equal(config.open.link, sim.journal[50].link, LINK_BYTES);
    for (int i = 0; i < 50; i++)
        journal_add(&sim);
    reader_destroy(&sim.reader);
    config.open.after = 50;
    sim.reader = reader_new(&config, &listener, &sim);
    reader_connected(sim.reader, sim.now_us);
    settle();
    assert_int_equal(sim.seen, 100);
    assert_string_equal(sim.failed, "");
    sim_close();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_live_and_feed_give_each_position_once),
        cmocka_unit_test(test_feed_alone_follows),
        cmocka_unit_test(test_filtered_reader_keeps_its_credit),
        cmocka_unit_test(test_without_trouble_one_open_is_enough),
        cmocka_unit_test(test_a_changed_byte_is_no_part_of_it),
        cmocka_unit_test(test_damage_that_passes),
        cmocka_unit_test(test_another_personal_part),
        cmocka_unit_test(test_a_version_that_is_needed),
        cmocka_unit_test(test_a_narrow_right),
        cmocka_unit_test(test_changed_live_byte_is_corrupt),
        cmocka_unit_test(test_lost_last_message_is_fetched),
        cmocka_unit_test(test_a_head_of_an_earlier_epoch_is_none),
        cmocka_unit_test(test_moved_is_no_end),
        cmocka_unit_test(test_ahead_fork_and_denied_are_final),
        cmocka_unit_test(test_wrong_positions_are_a_hole),
        cmocka_unit_test(test_later_and_later),
        cmocka_unit_test(test_a_journal_with_a_hole_is_final),
        cmocka_unit_test(test_caught_up_beyond_what_came),
        cmocka_unit_test(test_silence_while_there_is_credit),
        cmocka_unit_test(test_silent_feed_is_connected_anew),
        cmocka_unit_test(test_small_change_is_given_when_the_feed_has_nothing_else),
        cmocka_unit_test(test_cursor_goes_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
