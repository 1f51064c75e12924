/* Random histories, told in random order, against an oracle that knows all facts, sorts them by
 * instant and walks minute by minute. After each the rows are rebuilt and compared, and no slot was
 * filled twice. A failure names its seed; AFTERCARE_SEED runs that one alone. */
#include "stage.h"

#include "base/text.h"
#include "calendar/zone.h"
#include "services/sla-watchdog/tables.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ROUNDS    1000
#define FACTS_MAX 14
#define DAYS      6
#define MINUTES   (30 * 1440)
#define ZONE_US   (8 * HOUR_US) /* Asia/Shanghai has no summer time */

static const char calendar[] =
    "name: office\nversion: office-1\nzone: Asia/Shanghai\nweekly:\n"
    "  - {weekday: mon, windows: [{from: '08:30', to: '12:00'}, {from: '13:30', to: '17:30'}]}\n"
    "  - {weekday: tue, windows: [{from: '08:30', to: '12:00'}, {from: '13:30', to: '17:30'}]}\n"
    "  - {weekday: wed, windows: [{from: '08:30', to: '12:00'}, {from: '13:30', to: '17:30'}]}\n"
    "  - {weekday: thu, windows: [{from: '08:30', to: '12:00'}, {from: '13:30', to: '17:30'}]}\n"
    "  - {weekday: sat, windows: [{from: '09:00', to: '11:00'}]}\n";

enum what {
    REPLIED,
    RESOLVED,
    RECEIVED,
    FILED,
    EXPLAINED,
    WAITING,
    RESUMED,
    MORE,
    CLOSED,
    CHANGED,
    WHATS
};
static const char *const types[WHATS] = {"ticket.replied",     "ticket.resolved",  "unit.received",
                                         "ticket.filed",       "ticket.explained", "ticket.waiting",
                                         "ticket.resumed",     "approval.decided", "ticket.closed",
                                         "ticket.reclassified"};

struct told {
    enum what what;
    int minute, told; /* minutes since the opening: when it happened, when it was reported */
    int reason;       /* 0 customer, 1 parts */
    int more;         /* minutes */
    uint64_t pos;
};

struct clause_of { /* what the policy of this round says */
    bool working, pauses, explain, reset, cancel;
    int limit, urgent; /* minutes, and where it is urgent */
};

struct world {
    uint64_t seed, dice;
    int64_t opened_us;
    struct told facts[FACTS_MAX];
    size_t n;
    struct clause_of clauses[2]; /* first: from the opening; second: from ticket.replied */
    int budget;                  /* minutes of parts; 0: no bound */
    uint64_t opened_pos;
    bool changes; /* its priority does: then nothing is told late */
};

static uint64_t dice(struct world *w, uint64_t sides)
{
    uint64_t z = w->dice += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return (z ^ (z >> 31)) % sides;
}

/* --- the oracle ----------------------------------------------------------------------------- */

static bool is_working(const struct world *w, int minute)
{
    int64_t local = (w->opened_us + ZONE_US) / MINUTE_US + minute;
    int64_t day = local / 1440, of_day = local % 1440;
    switch (weekday_of_days(day)) {
    case 5:
    case 7:
        return false;
    case 6:
        return of_day >= 540 && of_day < 660;
    default:
        return (of_day >= 510 && of_day < 720) || (of_day >= 810 && of_day < 1050);
    }
}

struct waiting {
    bool on[2];
    int left[2];
};

/* It waits for one thing at a time; of one minute the last one told counts. */
static void waits_step(const struct world *w, struct waiting *p, int minute)
{
    uint64_t last = 0;
    for (int pass = 0; pass < 4; pass++)
        for (size_t i = 0; i < w->n; i++) {
            const struct told *f = &w->facts[i];
            if (f->minute != minute)
                continue;
            if (pass == 0 && f->what == MORE)
                p->left[1] += f->more;
            if (pass == 1 && f->what == RESOLVED)
                p->on[0] = p->on[1] = false;
            if (pass == 2 && f->what == WAITING && f->pos > last) {
                p->on[f->reason] = true;
                p->on[!f->reason] = false;
                last = f->pos;
            }
            if (pass == 3 && f->what == RESUMED)
                p->on[f->reason] = false;
        }
}

/* Does a wait hold this minute? Its budget is used by it. */
static bool waits_hold(const struct world *w, struct waiting *p)
{
    bool holds = p->on[0];
    if (p->on[1] && w->budget == 0)
        holds = true;
    if (p->on[1] && w->budget != 0 && p->left[1] > 0) {
        p->left[1]--;
        holds = true;
    }
    return holds;
}

static bool happens(const struct world *w, enum what what, int minute, uint64_t but)
{
    for (size_t i = 0; i < w->n; i++)
        if (w->facts[i].what == what && w->facts[i].minute == minute && w->facts[i].pos != but)
            return true;
    return false;
}

/* 1 urgent, 0 normal, -1: it stays as it is. */
static int changed(const struct world *w, int minute)
{
    for (size_t i = 0; i < w->n; i++)
        if (w->facts[i].what == CHANGED && w->facts[i].minute == minute)
            return w->facts[i].reason;
    return -1;
}

struct verdict {
    enum clock_state state;
    int end, due; /* minutes; -1: none */
};

static struct verdict oracle(const struct world *w, const struct clause_of *c, int from,
                             uint64_t start_pos)
{
    struct verdict v = {CLOCK_RUNNING, -1, -1};
    static int reached[MINUTES + 1]; /* the minute at which so much was used up */
    struct waiting p = {.left = {0, w->budget}};
    int used = 0, limit = c->limit;
    bool ended = false;
    for (int t = 0; t < MINUTES; t++) {
        waits_step(w, &p, t);
        bool holds = waits_hold(w, &p) && c->pauses;
        if (!ended && changed(w, t) >= 0) {
            limit = changed(w, t) ? c->urgent : c->limit;
            v.due = used >= limit ? reached[limit] : -1;
        }
        if (t < from)
            continue;
        if (!ended && happens(w, RESOLVED, t, 0)) {
            v.state = v.due >= 0 && v.due < t ? CLOCK_BREACHED : CLOCK_MET;
            v.end = t;
            ended = true;
        } else if (!ended && ((c->cancel && happens(w, FILED, t, 0)) || happens(w, CLOSED, t, 0))) {
            v.state = v.due >= 0 && v.due < t ? CLOCK_BREACHED : CLOCK_OVER;
            v.end = t;
            ended = true;
        } else if (!ended && c->explain && happens(w, EXPLAINED, t, 0) &&
                   !(v.due >= 0 && v.due < t)) {
            v.state = CLOCK_MET;
            v.end = t;
            ended = true;
        } else if (!ended && c->reset && happens(w, RECEIVED, t, start_pos)) {
            used = 0;
            v.due = -1;
        }
        if (v.due >= 0 && ended)
            break;
        if ((holds && !ended) || (c->working && !is_working(w, t)))
            continue;
        reached[++used] = t + 1;
        if (used == limit)
            v.due = t + 1;
    }
    if (!ended && v.due >= 0)
        v.state = CLOCK_BREACHED;
    return v;
}

/* --- making a world ------------------------------------------------------------------------- */

static void clause_make(struct world *w, struct clause_of *c)
{
    c->working = dice(w, 2);
    c->pauses = dice(w, 4) != 0;
    c->explain = dice(w, 3) == 0;
    c->reset = dice(w, 2);
    c->cancel = dice(w, 2);
    c->urgent = c->working ? (int)dice(w, 16) * 60 + 60 : (int)dice(w, 60) * 60 + 30;
    c->limit = c->working ? (int)dice(w, 16) * 60 + 60 : (int)dice(w, 60) * 60 + 30;
}

static int by_telling(const void *a, const void *b)
{
    const struct told *x = a, *y = b;
    if (x->told != y->told)
        return x->told - y->told;
    return x->minute != y->minute ? x->minute - y->minute : (int)x->what - (int)y->what;
}

static void world_make(struct world *w)
{
    w->dice = w->seed;
    w->opened_us = INT64_C(1789344000) * SECOND_US + (int64_t)dice(w, 5 * 1440) * MINUTE_US;
    w->budget = dice(w, 2) ? (int)dice(w, 20) * 60 + 60 : 0;
    for (size_t i = 0; i < 2; i++)
        clause_make(w, &w->clauses[i]);
    w->n = 3 + dice(w, FACTS_MAX - 3);
    bool closes = dice(w, 5) == 0;
    w->changes = dice(w, 4) == 0;
    for (size_t i = 0; i < w->n; i++) {
        struct told *f = &w->facts[i];
        static const enum what often[] = {REPLIED, RESOLVED, RECEIVED, FILED,   EXPLAINED, WAITING,
                                          WAITING, RESUMED,  RESUMED,  WAITING, MORE};
        f->what = often[dice(w, COUNT_OF(often))];
        f->minute = (int)dice(w, DAYS * 1440);
        if (dice(w, 4) == 0 && i > 0) /* within one instant */
            f->minute = w->facts[dice(w, i)].minute;
        f->reason = (int)dice(w, 2);
        f->more = (int)dice(w, 10) * 30 + 30;
        f->told = f->minute + (dice(w, 3) ? 0 : (int)dice(w, 4 * 1440));
        if (f->what == MORE && w->budget == 0)
            f->what = RESUMED;
    }
    for (size_t i = 0; w->changes && i < w->n; i++) {
        struct told *f = &w->facts[i];
        if (dice(w, 4) == 0) {
            f->what = CHANGED;
            f->minute = f->minute / 20 * 20 + (int)i; /* at an instant of its own */
        } else if (f->minute % 20 < FACTS_MAX) {
            f->minute += FACTS_MAX;
        }
        if (f->what == EXPLAINED) /* it counts by the limit that is chosen in the end */
            f->what = WAITING;
        f->told = f->minute;
    }
    if (closes) { /* at an instant of its own */
        w->facts[0].what = CLOSED;
        w->facts[0].minute = w->facts[0].told = DAYS * 1440 + 7;
    }
    qsort(w->facts, w->n, sizeof w->facts[0], by_telling);
}

static void clause_print(struct buf *out, const char *id, const char *start,
                         const struct clause_of *c)
{
    buf_append_format(out, "  - {id: %s, start: %s, stop: ticket.resolved, calendar: office", id,
                      start);
    if (c->pauses)
        buf_append_text(out, ", pause: [customer, parts]");
    if (c->explain)
        buf_append_text(out, ", explain: true");
    if (c->reset)
        buf_append_text(out, ", reset: unit.received");
    if (c->cancel)
        buf_append_text(out, ", cancel: ticket.filed");
    const char *urgent = "match: {priorities: [urgent]}";
    if (c->working)
        buf_append_format(out, ", limits: [{limit: %dwh, %s}, {limit: %dwh}]}\n", c->urgent / 60,
                          urgent, c->limit / 60);
    else
        buf_append_format(out,
                          ", levels: [{at: -15min}, {at: 3h}], limits: [{limit: %dmin, %s}, "
                          "{limit: %dmin}]}\n",
                          c->urgent, urgent, c->limit);
}

static void policy_print(const struct world *w, struct buf *out)
{
    buf_append_text(out, "name: test\nversion: test-1\nzone: Asia/Shanghai\ncalendars: [office]\n"
                         "kinds: [{name: repair}]\n"
                         "priorities: [{priority: urgent, match: {priorities: "
                         "[urgent]}}]\npauses:\n  - {reason: customer}\n");
    bool waits = w->clauses[0].pauses || w->clauses[1].pauses;
    if (w->budget && waits)
        buf_append_format(out, "  - {reason: parts, budget: %dmin}\n", w->budget);
    else
        buf_append_text(out, "  - {reason: parts}\n");
    buf_append_text(out, "sla:\n");
    clause_print(out, "whole", "ticket.assessed", &w->clauses[0]);
    clause_print(out, "reply", "ticket.replied", &w->clauses[1]);
}

/* --- telling it ----------------------------------------------------------------------------- */

static void fact_tell(struct world *w, struct stage *s, struct told *f)
{
    static const char *const reasons[] = {"customer", "parts"};
    char at[INSTANT_TEXT_MAX], json[200];
    instant_print(w->opened_us + f->minute * MINUTE_US, at);
    switch (f->what) {
    case WAITING:
    case RESUMED:
        text_format(json, sizeof json, "{\"reason\":\"%s\"}", reasons[f->reason]);
        break;
    case MORE:
        text_format(
            json, sizeof json,
            "{\"approval\":\"A/a1\",\"approved\":true,\"what\":\"pause\",\"reason\":\"parts\","
            "\"more\":\"%dmin\"}",
            f->more);
        break;
    case EXPLAINED:
        text_format(json, sizeof json, "{\"clause\":\"\",\"reason\":\"papers\"}");
        break;
    case CLOSED:
        text_format(json, sizeof json, "{\"reason\":\"recorded\"}");
        break;
    case CHANGED:
        text_format(json, sizeof json, "{\"priority\":\"%s\"}", f->reason ? "urgent" : "normal");
        break;
    case FILED:
        text_format(json, sizeof json, "{\"department\":\"service\"}");
        break;
    case REPLIED:
    case RESOLVED:
    case RECEIVED:
    case WHATS:
        text_format(json, sizeof json, "{}");
        break;
    }
    if (f->what == EXPLAINED)
        stage_fact(s, types[f->what], "A", at); /* of every clause */
    else
        stage_tell(s, types[f->what], "A", at, json);
    f->pos = stage_head(s);
}

static void live(struct world *w, struct stage *s)
{
    char at[INSTANT_TEXT_MAX];
    instant_print(w->opened_us, at);
    stage_time_us(s, w->opened_us, true);
    stage_open(s, "A", "repair", at);
    w->opened_pos = stage_head(s);
    for (size_t i = 0; i < w->n; i++) {
        int64_t us = w->opened_us + w->facts[i].told * MINUTE_US;
        bool later = i == 0 || w->facts[i].told > w->facts[i - 1].told; /* time does not go back */
        if (dice(w, 3) && later && w->facts[i].told > 0)
            stage_time_us(s, us - SECOND_US, dice(w, 2)); /* what it says may be on its way */
        stage_time_us(s, us, dice(w, 2));
        fact_tell(w, s, &w->facts[i]);
        if (dice(w, 3) == 0)
            stage_settle(s);
        if (dice(w, 6) == 0)
            stage_restart(s);
    }
    stage_settle(s);
    stage_time_us(s, w->opened_us + (int64_t)MINUTES * MINUTE_US, true);
}

/* --- comparing ------------------------------------------------------------------------------ */

static const struct clock *clock_find(struct stage *s, const char *clause, uint64_t start_pos)
{
    char key[64];
    for (int k = 1; k <= FACTS_MAX; k++) {
        text_format(key, sizeof key, "A/%s.%d", clause, k);
        const struct clock *c = stage_row(s, SLA_WATCHDOG_CLOCK, key);
        if (c && c->start_pos == (int64_t)start_pos)
            return c;
    }
    return NULL;
}

static int verdicts[4];

static void compare(const struct world *w, struct stage *s, const char *clause,
                    const struct clause_of *of, int from, uint64_t start_pos)
{
    static const char *const words[] = {"running", "breached", "met", "over"};
    struct verdict want = oracle(w, of, from, start_pos);
    const struct clock *c = clock_find(s, clause, start_pos);
    verdicts[want.state]++;
    if (!c && want.state == CLOCK_OVER)
        return; /* told when nobody waited any more */
    if (!c)
        fail_msg("seed %llu: %s from %d has no clock", (unsigned long long)w->seed, clause, from);
    int64_t end_us = want.end < 0 ? 0 : w->opened_us + want.end * MINUTE_US;
    int64_t due_us = want.due < 0 ? 0 : w->opened_us + want.due * MINUTE_US;
    int64_t is_us = c->stopped_us ? c->stopped_us : c->ended_us;
    if (c->state != (int)want.state || is_us != end_us || c->due_us != due_us)
        fail_msg("seed %llu: %s from %d is %s end %lld due %lld, wanted %s end %d due %d",
                 (unsigned long long)w->seed, clause, from, words[c->state],
                 (long long)(is_us ? (is_us - w->opened_us) / MINUTE_US : -1),
                 (long long)(c->due_us ? (c->due_us - w->opened_us) / MINUTE_US : -1),
                 words[want.state], want.end, want.due);
}

static void world_print(const struct world *w, const char *policy, const char *told)
{
    print_message("%s", policy);
    for (size_t i = 0; i < w->n; i++)
        print_message("%llu: %s of minute %d told %d%s\n", (unsigned long long)w->facts[i].pos,
                      types[w->facts[i].what], w->facts[i].minute, w->facts[i].told,
                      w->facts[i].reason ? " parts" : "");
    print_message("%s", told);
}

static void round_run(uint64_t seed)
{
    static struct world w;
    struct buf policy = {0};
    char start[INSTANT_TEXT_MAX];
    w = (struct world){.seed = seed};
    world_make(&w);
    policy_print(&w, &policy);
    instant_print(w.opened_us - HOUR_US, start);
    struct stage *s = stage_new(start, buf_text(&policy), calendar);
    live(&w, s);
    if (getenv("AFTERCARE_SEED"))
        world_print(&w, buf_text(&policy), stage_told(s));
    compare(&w, s, "whole", &w.clauses[0], 0, w.opened_pos);
    for (size_t i = 0; i < w.n; i++)
        if (w.facts[i].what == REPLIED)
            compare(&w, s, "reply", &w.clauses[1], w.facts[i].minute, w.facts[i].pos);
    if (!stage_unique(s))
        fail_msg("seed %llu: a slot was filled twice", (unsigned long long)seed);
    if (!stage_coherent(s))
        fail_msg("seed %llu: what was said does not follow", (unsigned long long)seed);
    stage_rebuild(s);
    stage_destroy(&s);
    buf_release(&policy);
}

static void test_random_histories(void **state)
{
    (void)state;
    const char *only = getenv("AFTERCARE_SEED");
    if (only) {
        round_run(strtoull(only, NULL, 10));
        return;
    }
    for (uint64_t seed = 1; seed <= ROUNDS; seed++)
        round_run(seed);
    print_message("%d histories: %d met, %d breached, %d over, %d wait\n", ROUNDS,
                  verdicts[CLOCK_MET], verdicts[CLOCK_BREACHED], verdicts[CLOCK_OVER],
                  verdicts[CLOCK_RUNNING]);
    for (size_t i = 0; i < COUNT_OF(verdicts); i++)
        assert_true(verdicts[i] > ROUNDS / 50);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_random_histories)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
