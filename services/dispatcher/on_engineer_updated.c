/* engineer.updated: who works where, knows what, is on duty when. Whoever leaves or moves leaves
 * the open jobs to the site; tickets that wait are looked at again. */
#include "base/text.h"
#include "services/dispatcher/handlers.h"
#include "services/dispatcher/job_move.h"
#include <string.h>

static void *change_or_new(struct tables *tables, unsigned table, const char *key)
{
    void *row = table_change(tables, table, key);
    return row != NULL ? row : table_new(tables, table, key);
}

static void word_add(char *out, size_t cap, const char *word, const char *gap)
{
    size_t n = strlen(out);
    text_format(out + n, cap - n, "%s%s", n > 0 ? gap : "", word);
}

static void describe(struct engineer *engineer, const struct engineer_updated *updated)
{
    engineer->skills[0] = engineer->days[0] = '\0';
    for (uint32_t i = 0; i < updated->skills_n; i++)
        word_add(engineer->skills, sizeof engineer->skills, updated->skills[i], "\n");
    for (int day = ENGINEER_MON; day <= ENGINEER_SUN; day++)
        for (uint32_t i = 0; i < updated->days_n; i++)
            if (updated->days[i] == day) {
                word_add(engineer->days, sizeof engineer->days, engineer_day_names[day], " ");
                break;
            }
    memcpy(engineer->passes, updated->passes, sizeof engineer->passes);
    engineer->passes_n = updated->passes_n;
    engineer->expires_us = 0;
    for (uint32_t i = 0; i < updated->passes_n; i++) {
        int64_t until_us = updated->passes[i].until_us;
        if (until_us != 0 && (engineer->expires_us == 0 || until_us < engineer->expires_us))
            engineer->expires_us = until_us;
    }
    memcpy(engineer->rota, updated->rota, sizeof engineer->rota);
    engineer->rota_n = updated->rota_n;
    engineer->capacity = updated->capacity;
    engineer->off_duty = updated->off_duty;
    engineer->left = updated->left;
    engineer->open = true;
}

/* On the books of another site from now on. */
static void move(struct tables *tables, const char *from, const char *to)
{
    if (from[0] != '\0')
        dispatcher_load(tables, from)->staff--;
    dispatcher_load(tables, to)->staff++;
}

bool dispatcher_apply_engineer_updated(struct tables *tables, const struct event *event,
                                       const void *data)
{
    const struct engineer_updated *updated = data;
    struct engineer *engineer = change_or_new(tables, DISPATCHER_ENGINEER, event->key);
    struct engineer_load *load = change_or_new(tables, DISPATCHER_ENGINEER_LOAD, event->key);
    bool moved = !text_equal(engineer->site, updated->site);
    if (moved || updated->left) {
        load->since_pos = (int64_t)event->pos;
        load->load = 0;
    }
    if (moved)
        move(tables, engineer->site, updated->site);
    text_copy(engineer->site, sizeof engineer->site, updated->site);
    text_copy(load->site, sizeof load->site, updated->site);
    load->left = updated->left;
    load->open = true;
    describe(engineer, updated);
    struct network *network = change_or_new(tables, DISPATCHER_NETWORK, DISPATCHER_NETWORK_KEY);
    network->open = true;
    if (!updated->left && !updated->off_duty)
        dispatcher_wake(tables, event);
    return true;
}
