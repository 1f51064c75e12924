#include "unit/common/bus/fake_feed.h"

struct sim sim;

static const uint8_t priv_bytes[] = {0x92, 0xc4, 0x01, 0x07, 0x80};

void sim_journal_add(struct sim *s)
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

void sim_batch_send(struct sim *s, int64_t upto)
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
        sim_batch_send(s, s->feed.sent + n < s->head ? s->feed.sent + n : s->head);
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

const struct reader_listener sim_listener = {.event = on_event, .head = on_head, .failed = on_failed};

struct reader_config sim_config(bool live, bool follow)
{
    struct reader_config config = {.live = live, .verify = true, .live_buffer_bytes = 4000};

    strcpy(config.open.stream, STREAM);
    strcpy(config.open.consumer, "dispatcher");
    config.open.follow = follow;
    config.open.credit = 8000;
    return config;
}

void sim_open(uint64_t seed, const struct reader_config *config)
{
    memset(&sim, 0, sizeof sim);
    sim.dice = seed;
    sim.now_us = 1;
    sim.now_stream_us = 1000;
    sim.filtered = config->open.types_n > 0;
    sim.verify = config->verify && !sim.filtered;
    sim.reader = reader_new(config, &sim_listener, &sim);
    link_first(STREAM, sim.journal[0].link);
}

void sim_close(void)
{
    for (int64_t i = 1; i <= sim.head; i++)
        buf_release(&sim.journal[i].body);
    wire_cut(&sim.up);
    wire_cut(&sim.down);
    wire_cut(&sim.live);
    reader_destroy(&sim.reader);
    assert_null(sim.reader);
}

void sim_reconnect(struct sim *s)
{
    wire_cut(&s->up);
    wire_cut(&s->down);
    s->feed.open = false;
    reader_disconnected(s->reader);
    reader_connected(s->reader, s->now_us);
}

void sim_live_event(struct sim *s, int64_t pos)
{
    const struct entry *entry = &s->journal[pos];
    struct bytes priv = priv_of(entry);

    reader_live(s->reader, bytes_of_text("ticket.noted"), buf_bytes(&entry->body), priv, s->now_us);
}

void sim_live_head(struct sim *s)
{
    struct verb_head h = head_of(s);
    struct buf map = {0};

    record_encode(&verb_head_record, RECORD_WHOLE, &h, &map);
    reader_live(s->reader, bytes_of_text("~head"), buf_bytes(&map), bytes_of(NULL, 0), s->now_us);
    buf_release(&map);
}

void sim_commit(struct sim *s)
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
            sim_reconnect(s);
    if (reader_deadline_us(s->reader) <= s->now_us && reader_tick(s->reader, s->now_us))
        sim_reconnect(s);
    if (dice_once_in(&s->dice, 4)) {
        sim_commit(s);
        reader_pause(s->reader, false);
        reader_resume(s->reader);
    }
}

void sim_run(uint64_t seed, const struct reader_config *config, int64_t total, bool troubles)
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
            sim_journal_add(&sim);
        for (; config->live && next_live <= sim.head; next_live++)
            if (!troubles || !dice_once_in(&sim.dice, 50)) /* every so many is lost */
                sim_live_event(&sim, next_live);
        if (config->live && steps % 100 == 0)
            sim_live_head(&sim);
        if (troubles && dice_once_in(&sim.dice, 200))
            sim_reconnect(&sim);
        if (troubles && dice_once_in(&sim.dice, 300)) /* the feed dies without a word */
            sim.feed.open = false;
        pump(&sim);
    }
    assert_int_equal(sim.events, sim.filtered ? total / 3 : total);
    sim_close();
}

void sim_settle(void)
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
                sim_reconnect(&sim);
        sim.now_us += 100000;
        sim_commit(&sim);
    }
}

bool sim_hear(const char *verb, const struct record *record, const void *object)
{
    struct frame frame;

    wire_push_record(&sim.down, verb, record, object);
    assert_true(wire_pop(&sim.down, &frame));
    return reader_in(sim.reader, &frame, sim.now_us);
}
