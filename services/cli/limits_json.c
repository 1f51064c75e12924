/* The same for programs: one JSON object. */
#include "base/text.h"
#include "limits_why.h"
#include "proto/document.h"
#include <stdio.h>
#include <stdlib.h>

static void time_say(struct document *d, const char *name, int64_t us)
{
    char text[INSTANT_TEXT_MAX];
    if (us == 0)
        return;
    instant_print(us, text);
    document_text(d, name, text);
}

static void lines_say(struct document *d, const struct why *why, const struct facts_of_limit *f)
{
    const struct policy_limit *lines = f->counting.clause->limits.items;
    struct buf text = {0};
    document_open(d, "lines", '[');
    for (uint32_t i = 0; i < f->counting.clause->limits.n; i++) {
        struct difference differs;
        document_open(d, NULL, '{');
        document_int(d, "line", i + 1);
        buf_reset(&text);
        limit_print(&lines[i], &text);
        document_text(d, "limit", buf_text(&text));
        document_bool(d, "decides", &lines[i] == f->counting.line);
        if (why->has_subject &&
            line_differs(f->counting.policy, &lines[i], &why->subject, f->row->tier, &differs)) {
            document_text(d, "differs", differs.field);
            document_text(d, "wants", differs.wants);
            document_text(d, "is", differs.is);
        }
        document_close(d, '}');
    }
    document_close(d, ']');
    buf_release(&text);
}

static void windows_say(struct document *d, const struct facts_of_limit *f)
{
    document_open(d, "windows", '[');
    for (size_t i = 0; i < f->windows_n; i++) {
        document_open(d, NULL, '{');
        time_say(d, "from", f->windows[i].from_us);
        time_say(d, "to", f->windows[i].to_us);
        if (counting_way(&f->counting) == COUNTS_DAYS)
            document_int(d, "days", 1);
        else
            document_int(d, "seconds", (f->windows[i].to_us - f->windows[i].from_us) / SECOND_US);
        document_close(d, '}');
    }
    document_close(d, ']');
    if (counting_way(&f->counting) == COUNTS_DAYS)
        document_int(d, "counted_days", (int64_t)f->windows_n);
    else
        document_int(d, "counted_s", f->counted_us / SECOND_US);
}

static void waits_say(struct document *d, const struct why *why, const struct facts_of_limit *f)
{
    document_open(d, "waits", '[');
    for (size_t i = 0; i < f->waits_n; i++) {
        const struct sla_pause *w = &f->waits[i];
        document_open(d, NULL, '{');
        document_text(d, "reason", w->reason);
        document_text(d, "by", w->by);
        time_say(d, "from", w->from_us);
        time_say(d, "to", w->to_us);
        document_int(d, "counted_s", counted_wait(&f->counting, w, why->now_us) / SECOND_US);
        document_close(d, '}');
    }
    document_close(d, ']');
}

static void levels_say(struct document *d, const struct why *why, const struct facts_of_limit *f)
{
    const struct policy_clause *clause = f->counting.clause;
    document_open(d, "levels", '[');
    for (int level = policy_level_first(clause); level <= policy_level_last(clause); level++) {
        const struct policy_level *l = policy_level(clause, level);
        bool needs = l != NULL && policy_counts_working_time(l->at.unit);
        document_open(d, NULL, '{');
        document_int(d, "level", level);
        if (l != NULL)
            document_text(d, "to", l->to);
        if (f->limit->due_us != 0 && (!needs || f->counting.calendar != NULL))
            time_say(d, "at",
                     policy_level_at(clause, level, f->counting.zone, f->counting.calendar,
                                     f->limit->due_us));
        time_say(d, "announced", level_announced_us(why, f->row, level));
        document_close(d, '}');
    }
    document_close(d, ']');
}

static void said_say(struct document *d, const struct why *why, const struct limit_row *row)
{
    document_open(d, "said", '[');
    for (size_t i = 0; i < why->said_n; i++) {
        const struct said *said = &why->said[i];
        const struct sla_limit *limit = said_limit(said, row);
        if (!said_is_about(said, row))
            continue;
        document_open(d, NULL, '{');
        document_int(d, "pos", said->pos);
        time_say(d, "at", said->at_us);
        document_text(d, "type", said->type);
        if (limit != NULL) {
            const struct sla_scheduled *data = said->data;
            document_text(d, "cause",
                          record_field(&sla_scheduled_record, "cause")->names[data->cause]);
            time_say(d, "due", limit->due_us);
            document_int(d, "target", limit->target);
            if (limit->paused[0] != '\0')
                document_text(d, "paused", limit->paused);
        }
        document_close(d, '}');
    }
    document_close(d, ']');
}

static void limit_say(struct document *d, const struct why *why, const struct limit_row *row)
{
    struct facts_of_limit *f = memory_new(sizeof(*f));
    const struct origin *origin = why_origin(why, row->start);
    limit_facts(why, row, f);
    document_open(d, NULL, '{');
    document_text(d, "limit", row->limit);
    document_text(d, "clause", row->clause);
    document_int(d, "k", row->k);
    document_int(d, "target", row->target);
    document_text(d, "state", row->state);
    time_say(d, "from", row->from_us);
    time_say(d, "due", row->due_us);
    time_say(d, "stopped", row->stopped_us);
    document_bool(d, "reported_late", row->reported_late);
    document_bool(d, "explained", row->explained);
    document_text(d, "policy", row->policy);
    document_text(d, "calendar", row->calendar);
    document_int(d, "line", row->line);
    if (origin != NULL) {
        document_open(d, "start", '{');
        document_int(d, "pos", origin->pos);
        document_text(d, "type", origin->type);
        document_text(d, "by", origin->by);
        time_say(d, "at", origin->at_us);
        time_say(d, "recorded", origin->rec_us);
        document_close(d, '}');
    }
    if (f->counts) {
        lines_say(d, why, f);
        windows_say(d, f);
        waits_say(d, why, f);
        levels_say(d, why, f);
        document_open(d, "years_without_holidays", '[');
        for (size_t i = 0; i < f->unknown_years_n; i++)
            document_int(d, NULL, f->unknown_years[i]);
        document_close(d, ']');
    }
    said_say(d, why, row);
    document_close(d, '}');
    free(f);
}

void why_print_json(const struct why *why)
{
    struct buf out = {0};
    struct document d = {.out = &out, .fresh = true};
    const struct subject_row *s = &why->subject;
    document_open(&d, NULL, '{');
    document_text(&d, "key", why->key);
    if (why->has_subject) {
        document_open(&d, "subject", '{');
        document_text(&d, "kind", s->kind);
        document_text(&d, "region", s->region);
        document_text(&d, "product", s->product);
        document_text(&d, "channel", s->channel);
        document_text(&d, "priority", s->priority);
        document_text(&d, "coverage", s->coverage);
        document_text(&d, "phase", s->phase);
        document_int(&d, "quantity", s->quantity);
        document_close(&d, '}');
    }
    document_open(&d, "limits", '[');
    for (size_t i = 0; i < why->limits_n; i++)
        limit_say(&d, why, &why->limits[i]);
    document_close(&d, ']');
    document_close(&d, '}');
    printf("%s\n", buf_text(&out));
    buf_release(&out);
}
