/* A promise for people: what it counts from, by which line, through which windows and waits, what
 * was said of it, and how it ended. */
#include "base/text.h"
#include "limits_why.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define WINDOWS_WHOLE 12 /* so many are shown; of more the first and the last ones */
#define WINDOWS_FIRST 5
#define WINDOWS_LAST  4

#define LABEL "  %-9s "

static const char *word(const struct why *why, const char *english) __attribute__((format_arg(2)));
static const char *word(const struct why *why, const char *english)
{
    return in_words(why->cli->language, english);
}

/* Local time of the policy's zone, the weekday with it: a paper calendar is at hand. */
static const char *instant_words(const struct why *why, const struct zone *zone, int64_t us,
                                 char out[64])
{
    static const char *const english[] = {"", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};
    static const char *const chinese[] = {"",     "周一", "周二", "周三",
                                          "周四", "周五", "周六", "周日"};
    if (us == 0)
        return "–";
    struct local_time t = zone_local(zone, us);
    int day = weekday_of_days(days_from_civil(t.year, t.month, t.day));
    text_format(out, 64, "%04d-%02d-%02d %s %02d:%02d", t.year, t.month, t.day,
                why->cli->language == CHINESE ? chinese[day] : english[day], t.hour, t.minute);
    if (t.second != 0 || t.micros != 0) {
        char seconds[8];
        text_format(seconds, sizeof(seconds), ":%02d", t.second);
        char whole[64];
        text_format(whole, sizeof(whole), "%.55s%s", out, seconds);
        text_copy(out, 64, whole);
    }
    return out;
}

static const char *length_words(int64_t us, char out[40])
{
    int64_t s = llabs(us) / SECOND_US;
    if (s % 60 != 0)
        text_format(out, 40, "%" PRId64 ":%02" PRId64 ":%02" PRId64, s / 3600, s / 60 % 60, s % 60);
    else
        text_format(out, 40, "%" PRId64 ":%02" PRId64, s / 3600, s / 60 % 60);
    return out;
}

/* --- lines -------------------------------------------------------------------------------------
 */

static void lines_print(const struct why *why, const struct facts_of_limit *f)
{
    const struct policy_limit *lines = f->counting.clause->limits.items;
    struct buf text = {0};
    for (uint32_t i = 0; i < f->counting.clause->limits.n; i++) {
        struct difference d;
        buf_reset(&text);
        limit_print(&lines[i], &text);
        printf("    %c %u  %-16s", &lines[i] == f->counting.line ? '>' : ' ', i + 1,
               buf_text(&text));
        buf_reset(&text);
        line_print(&lines[i], &text);
        if (&lines[i] == f->counting.line)
            printf("%s%s%s\n", word(why, "decides"), text.len > 0 ? ": " : "", buf_text(&text));
        else if (!why->has_subject)
            printf("%s\n", buf_text(&text));
        else if (line_differs(f->counting.policy, &lines[i], &why->subject, f->row->tier, &d))
            printf(word(why, "no: %s %s, it is %s\n"), d.field, d.wants,
                   d.is[0] != '\0' ? d.is : "–");
        else
            printf("%s\n", f->row->line > 0 && (int64_t)i + 1 > f->row->line
                               ? word(why, "not looked at: a line before it decides")
                               : word(why, "fits now, but did not when it was chosen"));
    }
    buf_release(&text);
}

/* --- windows -----------------------------------------------------------------------------------
 */

static void window_print(const struct why *why, const struct facts_of_limit *f, size_t i)
{
    char from[64], to[64], length[40];
    const struct counted *w = &f->windows[i];
    if (counting_way(&f->counting) == COUNTS_DAYS) {
        instant_words(why, f->counting.zone, w->from_us, from);
        printf("    %.*s %s %zu\n", (int)(strrchr(from, ' ') - from), from, word(why, "day"),
               i + 1);
        return;
    }
    printf("    %s – %s  %s\n", instant_words(why, f->counting.zone, w->from_us, from),
           instant_words(why, f->counting.zone, w->to_us, to),
           length_words(w->to_us - w->from_us, length));
}

static size_t days_between(const struct facts_of_limit *f, size_t from, size_t to)
{
    size_t days = 0;
    int64_t before = INT64_MIN;
    for (size_t i = from; i < to; i++) {
        struct local_time t = zone_local(f->counting.zone, f->windows[i].from_us);
        int64_t day = days_from_civil(t.year, t.month, t.day);
        days += day != before;
        before = day;
    }
    return days;
}

static void windows_print(const struct why *why, const struct facts_of_limit *f)
{
    char length[40];
    size_t n = f->windows_n;
    bool folds = n > WINDOWS_WHOLE;
    for (size_t i = 0; i < n; i++) {
        if (folds && i == WINDOWS_FIRST) {
            int64_t sum_us = 0;
            for (; i < n - WINDOWS_LAST; i++)
                sum_us += f->windows[i].to_us - f->windows[i].from_us;
            printf(word(why, "    … %zu more days"), days_between(f, WINDOWS_FIRST, i));
            if (counting_way(&f->counting) != COUNTS_DAYS)
                printf("  %s", length_words(sum_us, length));
            printf("\n");
        }
        window_print(why, f, i);
    }
    if (counting_way(&f->counting) == COUNTS_DAYS)
        printf(word(why, "    in all %zu days\n"), n);
    else
        printf(word(why, "    in all %s%s\n"), length_words(f->counted_us, length),
               f->more ? " …" : "");
}

/* --- waits, levels, what was said ----------------------------------------------------------------
 */

static void waits_print(const struct why *why, const struct facts_of_limit *f)
{
    char from[64], to[64], length[40], inside[40];
    for (size_t i = 0; i < f->waits_n; i++) {
        const struct sla_pause *w = &f->waits[i];
        int64_t end_us = w->to_us != 0 ? w->to_us : why->now_us;
        printf("    %s  %s – %s  %s", w->reason,
               instant_words(why, f->counting.zone, w->from_us, from),
               w->to_us != 0 ? instant_words(why, f->counting.zone, w->to_us, to)
                             : word(why, "still"),
               length_words(end_us - w->from_us, length));
        if (counting_way(&f->counting) == COUNTS_WORKING)
            printf(word(why, ", %s of it in working time"),
                   length_words(counted_wait(&f->counting, w, why->now_us), inside));
        printf("%s%s%s\n", w->by[0] != '\0' ? "  (" : "", w->by, w->by[0] != '\0' ? ")" : "");
    }
}

static void levels_print(const struct why *why, const struct facts_of_limit *f)
{
    char at[64], seen[64], span[SPAN_TEXT_MAX];
    const struct policy_clause *clause = f->counting.clause;
    for (int level = policy_level_first(clause); level <= policy_level_last(clause); level++) {
        const struct policy_level *l = policy_level(clause, level);
        int64_t seen_us = level_announced_us(why, f->row, level);
        text_copy(span, sizeof(span), "0");
        if (l != NULL)
            span_print(l->at, span);
        bool needs = l != NULL && policy_counts_working_time(l->at.unit);
        int64_t at_us = f->limit->due_us == 0 || (needs && f->counting.calendar == NULL)
                            ? 0
                            : policy_level_at(clause, level, f->counting.zone, f->counting.calendar,
                                              f->limit->due_us);
        printf("    %+d  %-6s %s  %s", level, span, instant_words(why, f->counting.zone, at_us, at),
               l != NULL ? l->to : "");
        if (seen_us != 0)
            printf(word(why, "  announced %s\n"),
                   instant_words(why, f->counting.zone, seen_us, seen));
        else
            printf("  %s\n", word(why, "not announced"));
    }
}

static void said_print(const struct why *why, const struct facts_of_limit *f,
                       const struct said *said, int64_t *due_us)
{
    char at[64], due[64], old[64];
    const struct zone *zone = f->counting.zone;
    const struct sla_limit *limit = said_limit(said, f->row);
    printf("    %s  ", instant_words(why, zone, said->at_us, at));
    if (limit != NULL) {
        const struct sla_scheduled *d = said->data;
        const char *cause = record_field(&sla_scheduled_record, "cause")->names[d->cause];
        printf("%s", cause);
        if (limit->due_us == 0)
            printf(word(why, ": waits for %s"), limit->paused);
        else
            printf(word(why, ": due %s"), instant_words(why, zone, limit->due_us, due));
        if (*due_us != 0 && *due_us != limit->due_us)
            printf(word(why, ", was %s"), instant_words(why, zone, *due_us, old));
        if (limit->target != 0)
            printf(word(why, ", target %" PRId64), limit->target);
        *due_us = limit->due_us;
    } else if (text_equal(said->type, "sla.warned")) {
        const struct sla_warned *d = said->data;
        printf(word(why, "warned, level %" PRId64 " to %s"), d->level, d->to);
    } else if (text_equal(said->type, "sla.breached")) {
        const struct sla_breached *d = said->data;
        printf(word(why, "broken, level %" PRId64 " %s %s"), d->level, d->to, d->cause);
    } else if (text_equal(said->type, "sla.met")) {
        const struct sla_met *d = said->data;
        printf("%s%s%s", word(why, "met"), d->explained ? word(why, ", by an explanation") : "",
               d->reported_late ? word(why, ", reported late") : "");
    } else {
        const struct sla_corrected *d = said->data;
        printf(word(why, "corrected: was %s, is %s (%s)"), d->was, d->is, d->reason);
    }
    printf("\n");
}

/* --- the whole ----------------------------------------------------------------------------------
 */

static void verdict_print(const struct why *why, const struct facts_of_limit *f)
{
    char at[64], length[40];
    const struct limit_row *row = f->row;
    printf(LABEL "%s", word(why, "verdict"), value_words(why->cli->language, "state", row->state));
    if (row->stopped_us != 0)
        printf(" %s", instant_words(why, f->counting.zone, row->stopped_us, at));
    if (row->stopped_us != 0 && row->due_us != 0)
        printf(row->stopped_us <= row->due_us ? word(why, ", %s before the limit")
                                              : word(why, ", %s behind the limit"),
               length_words(row->due_us - row->stopped_us, length));
    printf("%s%s\n", row->explained ? word(why, ", by an explanation") : "",
           row->reported_late ? word(why, ", reported late") : "");
}

static void head_print(const struct why *why, const struct facts_of_limit *f)
{
    char at[64];
    struct buf text = {0};
    const struct limit_row *row = f->row;
    const struct origin *origin = why_origin(why, row->start);
    printf(LABEL "%s", word(why, "from"), instant_words(why, f->counting.zone, row->from_us, at));
    if (origin != NULL)
        printf(word(why, "  (%s, position %" PRId64 ", %s)"), origin->type, origin->pos,
               origin->by);
    printf("\n");
    if (f->counting.line != NULL)
        limit_print(f->counting.line, &text);
    printf(LABEL "%s", word(why, "limit"), buf_text(&text));
    if (row->quantity > 1 && f->counting.line != NULL && f->counting.line->per_units > 0)
        printf(word(why, ", %" PRId64 " units"), row->quantity);
    printf("\n" LABEL "%s\n", word(why, "due"),
           row->due_us != 0 ? instant_words(why, f->counting.zone, row->due_us, at)
                            : word(why, "none while it waits"));
    printf(LABEL "%s", word(why, "policy"), row->policy);
    if (row->calendar[0] != '\0')
        printf(word(why, ", calendar %s"), row->calendar);
    printf(", %s\n", f->counting.policy->zone);
    for (size_t i = 0; i < f->unknown_years_n; i++)
        printf(LABEL "%d: %s\n", "", f->unknown_years[i],
               word(why, "weekly pattern, no holiday data"));
    buf_release(&text);
}

static void limit_tell(const struct why *why, const struct limit_row *row)
{
    struct facts_of_limit *f = memory_new(sizeof(*f));
    int64_t due_us = 0;
    limit_facts(why, row, f);
    printf("%s", row->limit);
    if (f->counts && f->counting.clause->title[0] != '\0')
        printf("  %s", f->counting.clause->title);
    printf("\n");
    if (!f->counts) {
        printf("  %s\n", word(why, "its policy or clause is not known any more"));
        free(f);
        return;
    }
    head_print(why, f);
    printf(LABEL "\n", word(why, "lines"));
    lines_print(why, f);
    printf(LABEL "\n", f->limit->due_us != 0 ? word(why, "windows") : word(why, "so far"));
    windows_print(why, f);
    if (f->waits_n > 0)
        printf(LABEL "\n", word(why, "waits"));
    waits_print(why, f);
    printf(LABEL "\n", word(why, "levels"));
    levels_print(why, f);
    printf(LABEL "\n", word(why, "said"));
    for (size_t i = 0; i < why->said_n; i++)
        if (said_is_about(&why->said[i], row))
            said_print(why, f, &why->said[i], &due_us);
    verdict_print(why, f);
    free(f);
}

void why_print(const struct why *why)
{
    const struct subject_row *s = &why->subject;
    const struct {
        const char *name, *value;
    } words[] = {{"kind", s->kind},       {"priority", s->priority}, {"region", s->region},
                 {"product", s->product}, {"channel", s->channel},   {"coverage", s->coverage},
                 {"phase", s->phase}};
    printf("%s", why->key);
    for (size_t i = 0; i < COUNT_OF(words); i++)
        if (why->has_subject && words[i].value[0] != '\0')
            printf(", %s %s", word(why, words[i].name), words[i].value);
    printf("\n");
    if (s->forgotten > 0)
        printf(word(why, "%" PRId64 " of its oldest facts are no longer remembered one by one\n"),
               s->forgotten);
    for (size_t i = 0; i < why->limits_n; i++) {
        printf("\n");
        limit_tell(why, &why->limits[i]);
    }
}
