/* Lines that never decide: the check says so of exactly those of which every subject of a small
 * world says so. */
#include "../calendar/random_calendar.h"
#include "base/text.h"
#include "policy/check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define SEEDS     3000
#define LINES_MAX 6
#define WORDS_MAX 3

/* The last of each is the one that no line names. */
static const char *const kinds[] = {"repair", "complaint", "install", "zz"};
static const char *const regions[] = {"1", "11", "110", "12", "2", "9"};
static const char *const priorities[] = {"normal", "urgent", "zz"};
static const char *const channels[] = {"phone", "mail", "zz"};
static const char *const phases[] = {"trial", "free", "zz"};
static const int64_t tiers[] = {1, 2, 99};
static const char *const classes[] = {"core", "around"};

/* --- a policy of random lines ---------------------------------------------------------------- */

struct room {
    struct policy_kind kinds[3];
    struct policy_priority urgent;
    struct policy_tier tiers[2];
    struct policy_region_class classes[2];
    char class_regions[2][WORDS_MAX][POLICY_REGION_CAP];
    struct policy_event start, stop;
    struct policy_clause clause;
    struct policy_limit lines[LINES_MAX];
    char kind_words[LINES_MAX][WORDS_MAX][POLICY_KIND_CAP];
    char region_words[LINES_MAX][WORDS_MAX][POLICY_REGION_CAP];
    char words[LINES_MAX][4][WORDS_MAX][POLICY_WORD_CAP];
    int64_t numbers[LINES_MAX][2];
    uint32_t n;
};

/* Some of the first n words, each once, into items of that size. */
static struct slice some(struct dice *dice, const char *const *words, int64_t n, void *items,
                         size_t size, int64_t rarely)
{
    struct slice list = {items, 0};
    if (dice_below(dice, rarely))
        return list;
    for (int64_t i = 0; i < n && list.n < WORDS_MAX; i++)
        if (dice_below(dice, 2))
            text_copy((char *)items + list.n++ * size, size, words[i]);
    return list;
}

static void line_draw(struct dice *dice, struct room *room, uint32_t i)
{
    struct policy_match *m = &room->lines[i].match;
    room->lines[i].limit = (struct span){1, SPAN_HOURS};
    m->kinds = some(dice, kinds, 3, room->kind_words[i], POLICY_KIND_CAP, 2);
    m->regions = some(dice, regions, 5, room->region_words[i], POLICY_REGION_CAP, 3);
    m->priorities = some(dice, priorities, 2, room->words[i][0], POLICY_WORD_CAP, 4);
    m->channels = some(dice, channels, 2, room->words[i][1], POLICY_WORD_CAP, 4);
    m->phases = some(dice, phases, 2, room->words[i][2], POLICY_WORD_CAP, 4);
    m->region_classes = some(dice, classes, 2, room->words[i][3], POLICY_WORD_CAP, 4);
    m->tiers = (struct slice){room->numbers[i], 0};
    for (int64_t t = 0; !dice_below(dice, 4) && t < 2; t++)
        room->numbers[i][m->tiers.n++] = tiers[t];
}

static struct policy draw(struct dice *dice, struct room *room)
{
    struct policy p = {.name = "a", .version = "b", .zone = "UTC"};
    *room = (struct room){0};
    for (int i = 0; i < 3; i++)
        text_copy(room->kinds[i].name, sizeof room->kinds[i].name, kinds[i]);
    text_copy(room->urgent.priority, sizeof room->urgent.priority, "urgent");
    for (int i = 0; i < 2; i++) {
        room->tiers[i].tier = tiers[i];
        text_copy(room->classes[i].class, sizeof room->classes[i].class, classes[i]);
        room->classes[i].regions =
            some(dice, regions, 5, room->class_regions[i], POLICY_REGION_CAP, 1);
    }
    text_copy(room->start.type, sizeof room->start.type, "ticket.assessed");
    text_copy(room->stop.type, sizeof room->stop.type, "ticket.resolved");
    room->n = 2 + (uint32_t)dice_below(dice, LINES_MAX - 1);
    for (uint32_t i = 0; i < room->n; i++)
        line_draw(dice, room, i);
    room->clause = (struct policy_clause){.id = "c",
                                          .start = {&room->start, 1},
                                          .stop = {&room->stop, 1},
                                          .limits = {room->lines, room->n}};
    p.kinds = (struct slice){room->kinds, 3};
    p.priorities = (struct slice){&room->urgent, 1};
    p.dispatch.tiers = (struct slice){room->tiers, 2};
    p.region_classes = (struct slice){room->classes, 2};
    p.sla = (struct slice){&room->clause, 1};
    return p;
}

/* --- by brute force ----------------------------------------------------------------------------
 */

/* Of each line and kind, how many subjects it decides and how many it matches at all. */
struct tally {
    unsigned decides[LINES_MAX][COUNT_OF(kinds)];
};

static void tally_subject(const struct room *room, const struct policy_subject *s, size_t kind,
                          struct tally *tally)
{
    for (uint32_t i = 0; i < room->n; i++)
        if (policy_matches(&room->lines[i].match, s)) {
            tally->decides[i][kind]++;
            return;
        }
}

static void tally_all(const struct policy *p, const struct room *room, struct tally *tally)
{
    *tally = (struct tally){0};
    struct policy_subject s = {0};
    for (size_t k = 0; k < COUNT_OF(kinds); k++)
        for (size_t r = 0; r < COUNT_OF(regions); r++)
            for (size_t n = 0; n < 3 * 3 * 3 * 3; n++) {
                s.kind = kinds[k];
                s.region = regions[r];
                s.region_class = policy_region_class(p, regions[r]);
                s.priority = priorities[n % 3];
                s.channel = channels[n / 3 % 3];
                s.phase = phases[n / 9 % 3];
                s.tier = tiers[n / 27];
                tally_subject(room, &s, k, tally);
            }
}

static bool decides_nothing(const struct room *room, const struct tally *tally, uint32_t line)
{
    const struct slice *named = &room->lines[line].match.kinds;
    unsigned all = 0;
    for (size_t k = 0; k < COUNT_OF(kinds); k++) {
        all += tally->decides[line][k];
        for (uint32_t i = 0; i < named->n; i++)
            if (tally->decides[line][k] == 0 && text_equal(room->kind_words[line][i], kinds[k]))
                return true; /* one of its kinds */
    }
    return all == 0;
}

static bool said_hidden(const struct problems *problems, uint32_t line)
{
    char path[40];
    text_format(path, sizeof path, "sla[0].limits[%u]", line);
    for (size_t i = 0; i < problems->n; i++)
        if (text_equal(problems->items[i].code, "hidden") &&
            text_equal(problems->items[i].field, path))
            return true;
    return false;
}

static void test_brute_force(void **state)
{
    (void)state;
    static struct room room;
    unsigned hidden = 0, needed = 0, together = 0;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct dice dice = {seed};
        struct problems problems = {0};
        struct tally tally;
        struct policy p = draw(&dice, &room);
        policy_check(&p, NULL, &problems);
        tally_all(&p, &room, &tally);
        for (uint32_t i = 0; i < room.n; i++) {
            bool want = decides_nothing(&room, &tally, i);
            if (said_hidden(&problems, i) != want)
                fail_msg("seed %u, line %u is %shidden", (unsigned)seed, i + 1, want ? "" : "not ");
            hidden += want;
            needed += !want;
        }
        for (size_t i = 0; i < problems.n; i++)
            together += strstr(problems.items[i].args, "the lines before it") != NULL;
        problems_release(&problems);
    }
    assert_true(hidden > SEEDS / 4 && needed > SEEDS && together >= 10);
}

/* A large table of lines is judged at once, and so is one whose last line is hidden by all. */
static void test_large(void **state)
{
    (void)state;
    static struct policy_limit lines[400];
    static char words[400][300][POLICY_REGION_CAP];
    static struct room room;
    struct dice dice = {7};
    struct policy p = draw(&dice, &room);
    for (unsigned i = 0; i < COUNT_OF(lines); i++) {
        for (unsigned w = 0; w < 300; w++)
            text_format(words[i][w], POLICY_REGION_CAP, "%03u%03u", i, w);
        lines[i].limit = (struct span){1, SPAN_HOURS};
        lines[i].match.regions = (struct slice){words[i], 300};
    }
    room.clause.limits = (struct slice){lines, COUNT_OF(lines)};
    for (unsigned w = 0; w < 300; w++) /* one of each of the first three hundred */
        text_copy(words[399][w], POLICY_REGION_CAP, words[w][w]);
    struct problems problems = {0};
    policy_check(&p, NULL, &problems);
    assert_int_equal(problems.n, p.region_classes.n ? problems.n : 1);
    assert_true(said_hidden(&problems, 399));
    assert_false(said_hidden(&problems, 398));
    problems_release(&problems);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_brute_force),
                                       cmocka_unit_test(test_large)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
