/* The shipped quarter of Boston's requests through the watchdog on stepped time: a verdict for each
 * promise whose request was closed or whose limit has passed, and the same verdict as the city's
 * own due times give in at least 98 of 100 cases. Where the due times agree, each of the city's
 * ONTIME and OVERDUE is found again. */
#include "base/clock.h"
#include "base/text.h"
#include "calendar/zone.h"
#include "policy/published.h"
#include "proto/sla.h"
#include "proto/ticket.h"
#include "record/pack.h"
#include "services/sla-watchdog/sla_watchdog.h"
#include "services/sla-watchdog/tables.h"
#include "worker/run_core.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include <cmocka.h>

#define STEP_US HOUR_US
#define BATCH   256

struct request {
    char key[24], kind[POLICY_KIND_CAP];
    int64_t opened_us, target_us, closed_us;
    bool ontime, overdue; /* the city's verdict, of closed ones */
};
struct telling { /* a fact to be told, in order of time, then line, opening first */
    int64_t us;
    uint32_t request;
    bool closing;
};

struct world {
    struct request *requests;
    size_t requests_n;
    struct telling *tellings;
    size_t tellings_n;
    struct run *run;
    uint8_t link[LINK_BYTES];
    uint64_t pos, own;
    int64_t rec_us;
    struct buf body, map;
    const struct zone *zone;
};

/* --- reading -------------------------------------------------------------------------------- */

static int64_t local_read(const struct world *w, const char *text)
{
    struct local_time t = {0};
    if (sscanf(text, "%d-%d-%d %d:%d:%d", &t.year, &t.month, &t.day, &t.hour, &t.minute,
               &t.second) != 6)
        return 0;
    return zone_instant(w->zone, &t);
}

/* None of the first eight columns of the shipped file is quoted, but for the title, which may hold
 * commas. */
static char *column_next(char **at)
{
    char *start = *at;
    if (*start == '"') {
        char *quote = strchr(++start, '"');
        *quote = 0;
        *at = quote + 2;
        return start;
    }
    char *comma = strchr(start, ',');
    if (comma)
        *comma = 0;
    *at = comma ? comma + 1 : start + strlen(start);
    return start;
}

static void requests_read(struct world *w)
{
    char line[4096];
    gzFile file = gzopen(SOURCE_DIR "/deploy/requests/boston311-2011q3.csv.gz", "rb");
    assert_non_null(file);
    w->requests = memory_new(40000 * sizeof *w->requests);
    w->tellings = memory_new(80000 * sizeof *w->tellings);
    assert_non_null(gzgets(file, line, sizeof line));
    while (gzgets(file, line, sizeof line)) {
        char *at = line, *column[8];
        struct request *r = &w->requests[w->requests_n];
        for (size_t i = 0; i < COUNT_OF(column); i++)
            column[i] = column_next(&at);
        text_copy(r->key, sizeof r->key, column[0]);
        text_copy(r->kind, sizeof r->kind, column[7]);
        r->opened_us = local_read(w, column[1]);
        r->target_us = local_read(w, column[2]);
        r->closed_us = local_read(w, column[3]);
        r->ontime = text_equal(column[4], "ONTIME");
        r->overdue = text_equal(column[4], "OVERDUE");
        w->tellings[w->tellings_n++] =
            (struct telling){r->opened_us, (uint32_t)w->requests_n, false};
        if (r->closed_us)
            w->tellings[w->tellings_n++] =
                (struct telling){r->closed_us, (uint32_t)w->requests_n, true};
        w->requests_n++;
    }
    gzclose(file);
}

static int telling_order(const void *a, const void *b)
{
    const struct telling *x = a, *y = b;
    if (x->us != y->us)
        return x->us < y->us ? -1 : 1;
    if (x->request != y->request)
        return x->request < y->request ? -1 : 1;
    return x->closing - y->closing;
}

/* --- the journal ---------------------------------------------------------------------------- */

static void append(struct world *w, const char *from, const char *id, const char *type,
                   const char *key, int64_t at_us, uint64_t cause, struct bytes data)
{
    struct event event = {.v = 1,
                          .at_us = at_us < w->rec_us ? at_us : w->rec_us,
                          .rec_us = w->rec_us,
                          .cause = cause,
                          .data = data};
    event.pos = event.n = ++w->pos;
    text_copy(event.id, sizeof event.id, id);
    text_copy(event.type, sizeof event.type, type);
    text_copy(event.key, sizeof event.key, key);
    text_copy(event.from, sizeof event.from, from);
    text_copy(event.by, sizeof event.by, from);
    buf_reset(&w->body);
    event_encode(&event, &w->body);
    link_next(w->link, buf_bytes(&w->body), w->link);
    run_add(w->run, buf_bytes(&w->body), (struct bytes){0}, w->link);
}

static void say(struct world *w, const char *type, const char *key, int64_t at_us,
                const struct record *record, const void *data)
{
    buf_reset(&w->map);
    record_encode(record, RECORD_PLAIN, data, &w->map);
    append(w, "import", "import/1", type, key, at_us, 0, buf_bytes(&w->map));
}

static void absent_fill(struct world *w)
{
    const struct miss *misses;
    size_t n = tables_misses(run_tables(w->run), &misses);
    for (size_t i = 0; i < n; i++)
        tables_fill(run_tables(w->run), misses[i].table, misses[i].key, NULL);
    tables_misses_reset(run_tables(w->run));
}

static void draft_append(struct world *w, const struct run_conclusion *c)
{
    char type[48] = "", key[65] = "", id[EVENT_ID_CAP] = "";
    struct bytes data = {0};
    struct unpack at = unpack_of(c->draft);
    for (uint32_t pairs = unpack_next(&at).n; pairs > 0; pairs--) {
        struct bytes name = unpack_next(&at).bytes, raw = unpack_raw(&at);
        struct unpack inside = unpack_of(raw);
        struct pack_value value = unpack_next(&inside);
        const char *text = (const char *)value.bytes.data;
        if (bytes_equal(name, bytes_of_text("type")))
            text_copy_n(type, sizeof type, text, value.bytes.len);
        else if (bytes_equal(name, bytes_of_text("key")))
            text_copy_n(key, sizeof key, text, value.bytes.len);
        else if (bytes_equal(name, bytes_of_text("id")))
            text_copy_n(id, sizeof id, text, value.bytes.len);
        else if (bytes_equal(name, bytes_of_text("data")))
            data = raw;
    }
    w->own++;
    append(w, "sla-watchdog", id, type, key, w->rec_us, c->trigger, data);
}

/* Handles what was added, commits, takes up what was concluded, until nothing more is. */
static void settle(struct world *w)
{
    struct buf drafts = {0};
    for (;;) {
        while (run_process(w->run) == RUN_MISS)
            absent_fill(w);
        assert_string_equal(run_error(w->run), "");
        while (run_head(w->run, w->rec_us) == RUN_MISS)
            absent_fill(w);
        const struct run_conclusion *conclusions;
        size_t n = run_conclusions(w->run, &conclusions);
        struct run_conclusion *kept = memory_new((n + 1) * sizeof *kept);
        buf_reset(&drafts);
        for (size_t i = 0; i < n; i++)
            buf_append(&drafts, conclusions[i].draft.data, conclusions[i].draft.len);
        size_t offset = 0;
        for (size_t i = 0; i < n; i++) {
            kept[i] = conclusions[i];
            kept[i].draft.data = drafts.data + offset;
            offset += conclusions[i].draft.len;
        }
        bool left = run_timers_left(w->run);
        run_committed(w->run);
        for (size_t i = 0; i < n; i++)
            draft_append(w, &kept[i]);
        free(kept);
        if (n == 0 && !left)
            break;
    }
    buf_release(&drafts);
}

static void tell(struct world *w, const struct telling *t)
{
    const struct request *r = &w->requests[t->request];
    if (t->closing) {
        struct ticket_resolved resolved;
        record_clear(&ticket_resolved_record, &resolved);
        say(w, "ticket.resolved", r->key, t->us, &ticket_resolved_record, &resolved);
        return;
    }
    struct ticket_assessed a;
    record_clear(&ticket_assessed_record, &a);
    text_copy(a.policy, sizeof a.policy, "boston311-1");
    text_copy(a.kind, sizeof a.kind, r->kind);
    a.opened_us = t->us;
    say(w, "ticket.assessed", r->key, t->us, &ticket_assessed_record, &a);
}

static void live(struct world *w, int64_t end_us)
{
    size_t next = 0;
    for (int64_t step = w->rec_us + STEP_US; step <= end_us; step += STEP_US) {
        w->rec_us = step;
        for (size_t n = 0; next < w->tellings_n && w->tellings[next].us < step; next++) {
            tell(w, &w->tellings[next]);
            if (++n % BATCH == 0)
                settle(w);
        }
        settle(w);
        struct time_reached reached = {.time_us = step};
        say(w, "time.reached", "test", step, &time_reached_record, &reached);
        settle(w);
    }
}

/* --- publishing ----------------------------------------------------------------------------- */

static size_t file_read(const char *path, char *out, size_t cap)
{
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    size_t n = fread(out, 1, cap, f);
    fclose(f);
    return n;
}

static void publish(struct world *w)
{
    static char text[65536];
    struct arena *arena = arena_new(65536);
    struct problems problems = {0};
    struct policy policy;
    struct calendar_def def;
    struct buf raw = {0};
    assert_true(policy_parse(
        text, file_read(SOURCE_DIR "/deploy/policies/boston311.yaml", text, sizeof text), arena,
        &policy, &problems, NULL));
    record_encode(&policy_record, RECORD_WHOLE, &policy, &raw);
    struct policy_published p = {
        .name = "boston311", .version = "boston311-1", .policy = buf_bytes(&raw)};
    say(w, "policy.published", p.name, w->rec_us, &policy_published_record, &p);
    buf_reset(&raw);
    assert_true(record_parse_yaml(
        &calendar_def_record, text,
        file_read(SOURCE_DIR "/deploy/calendars/boston-weekdays.yaml", text, sizeof text), arena,
        &def, &problems));
    record_encode(&calendar_def_record, RECORD_WHOLE, &def, &raw);
    struct calendar_published c = {
        .name = "boston-weekdays", .version = "boston-weekdays-1", .calendar = buf_bytes(&raw)};
    say(w, "calendar.published", c.name, w->rec_us, &calendar_published_record, &c);
    buf_release(&raw);
    arena_destroy(&arena);
}

/* --- verdicts ------------------------------------------------------------------------------- */

struct tally {
    struct world *w;
    int64_t end_us;
    int clocks, met, breached, running, late, judged, agreed, verdicts, same;
};

static const struct request *request_find(const struct world *w, const char *key)
{
    size_t low = 0, high = w->requests_n; /* case numbers ascend in the file but for a few */
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(w->requests[middle].key, key) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low < w->requests_n && text_equal(w->requests[low].key, key) ? &w->requests[low] : NULL;
}

static void clock_count(const void *row, void *arg)
{
    const struct clock *c = row;
    struct tally *t = arg;
    char key[EVENT_KEY_CAP];
    t->clocks++;
    t->met += c->state == CLOCK_MET;
    t->breached += c->state == CLOCK_BREACHED;
    t->running += c->state == CLOCK_RUNNING;
    t->late += c->reported_late;
    sla_watchdog_clock_key(c->clock, key);
    const struct request *r = request_find(t->w, key);
    if (c->state == CLOCK_RUNNING) /* nothing is overlooked */
        assert_true(c->stopped_us == 0 && c->due_us > t->end_us);
    if (!r || !r->target_us)
        return;
    int64_t closed = r->closed_us && r->closed_us < t->end_us ? r->closed_us : 0;
    enum clock_state want = closed
                                ? (closed <= r->target_us + MINUTE_US ? CLOCK_MET : CLOCK_BREACHED)
                            : r->target_us <= t->end_us ? CLOCK_BREACHED
                                                        : CLOCK_RUNNING;
    /* The city's own word on a request that was closed, where its due time is ours to the minute.
     * Between the two due times, a second apart at most, nothing is closed. */
    if (closed && (r->ontime || r->overdue) && llabs(c->due_us - r->target_us) <= MINUTE_US) {
        t->verdicts++;
        t->same += c->state == (r->ontime ? CLOCK_MET : CLOCK_BREACHED);
    }
    t->judged++;
    t->agreed += (enum clock_state)c->state == want;
}

static int request_order(const void *a, const void *b)
{
    return strcmp(((const struct request *)a)->key, ((const struct request *)b)->key);
}

static void test_quarter(void **state)
{
    (void)state;
    struct world w = {.zone = zone_find("America/New_York")};
    requests_read(&w);
    assert_int_equal(w.requests_n, 31828);
    qsort(w.tellings, w.tellings_n, sizeof *w.tellings, telling_order);
    w.run = run_new(&sla_watchdog_worker,
                    100000); /* nothing is evicted: there is no database to fetch from */
    run_start(w.run, &(struct run_state){0}, 0);
    link_first("boston-00000000", w.link);
    struct stream_created created;
    record_clear(&stream_created_record, &created);
    text_copy(created.stream, sizeof created.stream, "boston-00000000");
    created.clock = CLOCK_STEPPED;
    w.rec_us = created.start_us = local_read(&w, "2011-07-01 00:00:00");
    say(&w, "stream.created", "test", w.rec_us, &stream_created_record, &created);
    publish(&w);
    struct tally tally = {.w = &w, .end_us = local_read(&w, "2011-10-31 00:00:00")};
    int64_t before_us = clock_boot_us();
    live(&w, tally.end_us);
    double seconds = (double)(clock_boot_us() - before_us) / 1e6;
    size_t bytes = tables_bytes(run_tables(w.run));
    qsort(w.requests, w.requests_n, sizeof *w.requests, request_order);
    tables_each(run_tables(w.run), SLA_WATCHDOG_CLOCK, clock_count, &tally);
    print_message("%llu events, %llu concluded, %.1f s; %zu KiB for %zu tickets, %d clocks\n",
                  (unsigned long long)w.pos, (unsigned long long)w.own, seconds, bytes / 1024,
                  tables_rows(run_tables(w.run), SLA_WATCHDOG_SUBJECT), tally.clocks);
    print_message("%d met (%d told late), %d breached, %d running; %d of %d as by the city's due "
                  "times: %.2f %%\n",
                  tally.met, tally.late, tally.breached, tally.running, tally.agreed, tally.judged,
                  100.0 * tally.agreed / tally.judged);
    print_message("%d of %d verdicts as the city's own\n", tally.same, tally.verdicts);
    assert_true(tally.verdicts > 21000);
    assert_int_equal(tally.same, tally.verdicts);
    assert_true(tally.judged > 26000);
    assert_true(tally.agreed * 100 >= tally.judged * 98);
    assert_int_equal(run_flying(w.run), 0);
    run_destroy(&w.run);
    buf_release(&w.body);
    buf_release(&w.map);
    free(w.requests);
    free(w.tellings);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_quarter)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
