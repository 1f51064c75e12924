/* Open rows by what they follow: the question and its answer, which comes from outside where open
 * rows lie there. */
#include "base/text.h"
#include "table/inside.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define TEXTS_BLOCK_BYTES 16384

static bool has_text_at(const struct record *row, uint32_t offset)
{
    for (size_t i = 0; i < row->n; i++) {
        if (row->fields[i].kind == FIELD_TEXT && row->fields[i].offset == offset &&
            (row->fields[i].flags & FIELD_VOLATILE) == 0) {
            return true;
        }
    }
    return false;
}

void sweep_init(struct table *t)
{
    assert(t->def->sweep_offset == 0 ||
           (t->def->open_offset != 0 && has_text_at(t->def->row, t->def->sweep_offset)));
}

void sweep_release(struct table *t)
{
    arena_destroy(&t->sweep.arena);
    free(t->sweep.texts);
}

void sweep_clear(struct table *t)
{
    t->sweep.asked = t->sweep.more = false;
    t->sweep.n = 0;
}

static const char *swept_value(const struct table *t, const struct entry *e)
{
    return (const char *)entry_row(e) + t->def->sweep_offset;
}

static int texts_compare(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool is_known(const struct sweep_answer *s, const char *text)
{
    for (size_t i = s->n; i > 0; i--) {
        if (strcmp(s->texts[i - 1], text) == 0) {
            return true;
        }
    }
    return false;
}

/* Everything open is in memory. Values are few, so each is looked for among those that were found.
 */
static void answer_from_memory(struct table *t)
{
    struct sweep_answer *s = &t->sweep;

    for (size_t i = 0; i < t->keys.cap; i++) {
        const struct entry *e = t->keys.slots[i].entry;
        if (e == NULL || e->kind != ENTRY_ROW || !entry_is_open(e) ||
            swept_value(t, e)[0] == '\0') {
            continue;
        }
        if (s->value == NULL && !is_known(s, swept_value(t, e))) {
            tables_answer_add(t->tables, t->number, swept_value(t, e));
        } else if (s->value != NULL && strcmp(swept_value(t, e), s->value) == 0 &&
                   strcmp(entry_key(e), s->after_key) > 0) {
            tables_answer_add(t->tables, t->number, entry_key(e));
        }
    }
    if (s->n > 0) {
        qsort(s->texts, s->n, sizeof *s->texts, texts_compare);
    }
    tables_answer_end(t->tables, t->number, false);
}

static void ask(struct table *t, const char *value, const char *after_key)
{
    struct sweep_answer *s = &t->sweep;
    /* The new question may be made of texts of the answer before. */
    struct arena *before = s->arena;

    assert(t->def->sweep_offset != 0);
    s->arena = arena_new(TEXTS_BLOCK_BYTES);
    s->value = value == NULL ? NULL : arena_text(s->arena, value);
    s->after_key = arena_text(s->arena, after_key);
    arena_destroy(&before);
    s->n = 0;
    s->more = false;
    s->asked = true;
    if (!t->def->far || t->horizon.everything) {
        answer_from_memory(t);
    }
}

void tables_ask_values(struct tables *all, unsigned table)
{
    assert(table < all->n);
    ask(&all->items[table], NULL, "");
}

void tables_ask_keys(struct tables *all, unsigned table, const char *value, const char *after_key)
{
    assert(table < all->n && value != NULL);
    ask(&all->items[table], value, after_key);
}

bool tables_asked(const struct tables *all, unsigned table, struct sweep_question *question)
{
    assert(table < all->n);
    const struct sweep_answer *s = &all->items[table].sweep;

    if (s->asked) {
        *question = (struct sweep_question){.value = s->value, .after_key = s->after_key};
    }
    return s->asked;
}

void tables_answer_add(struct tables *all, unsigned table, const char *text)
{
    assert(table < all->n && all->items[table].sweep.asked);
    struct sweep_answer *s = &all->items[table].sweep;

    s->texts = array_room(s->texts, s->n, &s->cap, sizeof *s->texts);
    s->texts[s->n++] = arena_text(s->arena, text);
}

void tables_answer_end(struct tables *all, unsigned table, bool more)
{
    assert(table < all->n && all->items[table].sweep.asked);
    all->items[table].sweep.asked = false;
    all->items[table].sweep.more = more;
}

size_t tables_answer(const struct tables *all, unsigned table, const char *const **texts,
                     bool *more)
{
    assert(table < all->n && !all->items[table].sweep.asked);
    const struct sweep_answer *s = &all->items[table].sweep;

    *texts = s->texts;
    *more = s->more;
    return s->n;
}

void tables_touched(const struct tables *all, unsigned table,
                    void (*visit)(const void *row, void *arg), void *arg)
{
    assert(table < all->n);
    const struct table *t = &all->items[table];

    for (size_t i = 0; t->logged > 0 && i < all->log_n; i++) {
        if (all->log[i].entry->table == t && all->log[i].before == LOG_NONE) {
            visit(entry_row(all->log[i].entry), arg);
        }
    }
}
