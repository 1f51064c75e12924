#include "plan.h"
#include <assert.h>
#include <stdlib.h>

void plan_add(struct plan *plan, int64_t sort_us, uint32_t line, uint32_t order, struct bytes draft)
{
    if (plan->n == plan->cap) {
        plan->cap = plan->cap > 0 ? plan->cap * 2 : 1024;
        plan->facts = memory_grow(plan->facts, plan->cap * sizeof(*plan->facts));
    }
    plan->facts[plan->n++] = (struct plan_fact){.sort_us = sort_us,
                                                .line = line,
                                                .order = order,
                                                .draft_at = plan->drafts.len,
                                                .draft_len = (uint32_t)draft.len};
    buf_append(&plan->drafts, draft.data, draft.len);
}

static int fact_compare(const void *left, const void *right)
{
    const struct plan_fact *a = left, *b = right;
    if (a->sort_us != b->sort_us)
        return a->sort_us < b->sort_us ? -1 : 1;
    if (a->line != b->line)
        return a->line < b->line ? -1 : 1;
    return a->order < b->order ? -1 : a->order > b->order;
}

static int64_t step_end(int64_t us, int64_t step_us)
{
    int64_t rest = us % step_us;
    if (rest < 0)
        rest += step_us;
    return rest == 0 ? us : us - rest + step_us;
}

static int64_t first_end(const struct plan *plan, int64_t start_us)
{
    int64_t end_us = step_end(start_us + 1, plan->step_us);
    if (plan->n == 0)
        return end_us;
    int64_t fact_us = step_end(plan->facts[0].sort_us, plan->step_us);
    return start_us == 0 || fact_us > end_us ? fact_us : end_us;
}

static int row_compare(const void *left, const void *right)
{
    const struct plan_fact *a = left, *b = right;
    if (a->line != b->line)
        return a->line < b->line ? -1 : 1;
    return a->order < b->order ? -1 : a->order > b->order;
}

/* Conclusions come between steps. What answers an earlier fact of its row goes a step later, so
 * that it meets them: a ticket closed within the hour it opened in has its offer by then. */
static void rows_spread(struct plan *plan)
{
    if (plan->n == 0)
        return;
    qsort(plan->facts, plan->n, sizeof(*plan->facts), row_compare);
    for (size_t i = 1; i < plan->n; i++) {
        const struct plan_fact *before = &plan->facts[i - 1];
        struct plan_fact *fact = &plan->facts[i];
        if (fact->line != before->line)
            continue;
        int64_t sent_us = step_end(before->sort_us, plan->step_us);
        if (sent_us < plan->end_us)
            sent_us = plan->end_us;
        if (fact->sort_us <= sent_us)
            fact->sort_us = sent_us + 1;
    }
    qsort(plan->facts, plan->n, sizeof(*plan->facts), fact_compare);
}

void plan_ready(struct plan *plan, int64_t start_us, int64_t until_us, int64_t step_us)
{
    assert(step_us >= 0);
    if (plan->n > 0)
        qsort(plan->facts, plan->n, sizeof(*plan->facts), fact_compare);
    plan->step_us = step_us;
    if (step_us > 0) {
        plan->end_us = first_end(plan, start_us);
        rows_spread(plan);
    }
    if (step_us > 0 && until_us != INT64_MAX)
        until_us = step_end(until_us, step_us);
    size_t kept = plan->n;
    while (kept > 0 && plan->facts[kept - 1].sort_us > until_us)
        kept--;
    plan->left_out = plan->n - kept;
    plan->n = kept;
    plan->next = 0;
    plan->number = 0;
    if (step_us == 0) {
        plan->until_us = until_us;
        return;
    }
    if (until_us == INT64_MAX)
        until_us =
            kept > 0 ? step_end(plan->facts[kept - 1].sort_us, step_us) : plan->end_us - step_us;
    if (kept > 0 && until_us < plan->end_us)
        until_us = plan->end_us;
    plan->until_us = until_us;
}

size_t plan_steps(const struct plan *plan)
{
    if (plan->step_us == 0 || plan->until_us < plan->end_us)
        return 0;
    return (size_t)((plan->until_us - plan->end_us) / plan->step_us) + 1;
}

int64_t plan_total(const struct plan *plan)
{
    return plan->number + (int64_t)(plan->n - plan->next) + (int64_t)plan_steps(plan);
}

bool plan_next(struct plan *plan, struct plan_item *item)
{
    bool more = plan->next < plan->n;
    if (plan->step_us == 0) {
        if (!more)
            return false;
        *item = (struct plan_item){.n = ++plan->number, .fact = &plan->facts[plan->next++]};
        return true;
    }
    if (plan->end_us > plan->until_us)
        return false;
    if (more && plan->facts[plan->next].sort_us <= plan->end_us) {
        *item = (struct plan_item){
            .n = ++plan->number, .fact = &plan->facts[plan->next++], .time_us = plan->end_us};
        return true;
    }
    *item = (struct plan_item){.n = ++plan->number, .time_us = plan->end_us};
    plan->end_us += plan->step_us;
    return true;
}

struct bytes plan_draft(const struct plan *plan, const struct plan_fact *fact)
{
    return bytes_of(plan->drafts.data + fact->draft_at, fact->draft_len);
}

const struct plan_fact *plan_fact_of(const struct plan *plan, int64_t n)
{
    /* The i-th fact's number is i + 1 and the steps that ended before it; the numbers rise with i.
     */
    if (plan->step_us == 0)
        return n >= 1 && (size_t)n <= plan->n ? &plan->facts[n - 1] : NULL;
    int64_t steps_done = (plan->number - (int64_t)plan->next);
    int64_t first_us = plan->end_us - steps_done * plan->step_us;
    size_t low = 0, high = plan->n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int64_t end_us = step_end(plan->facts[middle].sort_us, plan->step_us);
        int64_t number =
            (int64_t)middle + 1 + (end_us > first_us ? (end_us - first_us) / plan->step_us : 0);
        if (number == n)
            return &plan->facts[middle];
        if (number < n)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

void plan_release(struct plan *plan)
{
    free(plan->facts);
    buf_release(&plan->drafts);
    *plan = (struct plan){0};
}
