/* Which events a clause or a pause means: by type, and by what their data say. */
#include "policy/policy.h"

#include "base/text.h"

bool policy_event_is(const struct slice *events, const char *type)
{
    const struct policy_event *event = events->items;
    for (uint32_t i = 0; i < events->n; i++)
        if (text_equal(event[i].type, type))
            return true;
    return false;
}

static bool listed(const struct slice *words, const char *word)
{
    const char *item = words->items;
    for (uint32_t i = 0; i < words->n; i++)
        if (text_equal(item + i * (size_t)POLICY_WORTH_CAP, word))
            return true;
    return false;
}

static void field_text(const struct policy_data *data, const char *field,
                       char out[POLICY_WORTH_CAP])
{
    if (!data || !data->text(data->ctx, field, out, POLICY_WORTH_CAP))
        *out = 0;
}

static bool holds(const struct slice *when, const struct policy_data *data)
{
    const struct policy_when *w = when->items;
    for (uint32_t i = 0; i < when->n; i++) {
        char text[POLICY_WORTH_CAP];
        field_text(data, w[i].field, text);
        if ((w[i].is.n > 0 && !listed(&w[i].is, text)) || listed(&w[i].is_not, text))
            return false;
    }
    return true;
}

const struct policy_event *policy_event_find(const struct slice *events, const char *type,
                                             const struct policy_data *data)
{
    const struct policy_event *event = events->items;
    for (uint32_t i = 0; i < events->n; i++)
        if (text_equal(event[i].type, type) && holds(&event[i].when, data))
            return &event[i];
    return NULL;
}

static bool waits_for(const char *reason, const struct policy_data *data, bool or_none)
{
    char text[POLICY_WORTH_CAP];
    field_text(data, "reason", text);
    return text_equal(text, reason) || (or_none && !*text);
}

/* A list that is empty stands for the usual word alone. */
static bool pause_is(const struct policy_pause *pause, const struct slice *events,
                     const char *usual, const char *type, const struct policy_data *data,
                     bool or_none)
{
    if (events->n == 0)
        return text_equal(type, usual) && waits_for(pause->reason, data, or_none);
    const struct policy_event *event = events->items;
    for (uint32_t i = 0; i < events->n; i++) {
        if (!text_equal(event[i].type, type))
            continue;
        if (event[i].when.n == 0 && text_equal(type, usual)
                ? waits_for(pause->reason, data, or_none)
                : holds(&event[i].when, data))
            return true;
    }
    return false;
}

bool policy_pause_begins(const struct policy_pause *pause, const char *type,
                         const struct policy_data *data)
{
    return pause_is(pause, &pause->begin, "ticket.waiting", type, data, false);
}

bool policy_pause_ends(const struct policy_pause *pause, const char *type,
                       const struct policy_data *data)
{
    return pause_is(pause, &pause->end, "ticket.resumed", type, data, true);
}

bool policy_clause_pauses(const struct policy_clause *clause, const char *reason)
{
    const char *reasons = clause->pause.items;
    for (uint32_t i = 0; i < clause->pause.n; i++)
        if (text_equal(reasons + i * (size_t)48, reason))
            return true;
    return false;
}
