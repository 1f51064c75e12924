/* Reference data and principals: the network, customers, policies, calendars, who may. */
#include "base/text.h"
#include "desk.h"
#include "proto/reference.h"
#include "worker/reference.h"
#include <string.h>

bool desk_on_reference(struct desk_case *c)
{
    return desk_place(c, "", "");
}

/* Events about whatever key: its ticket's place, where it is one. */
bool desk_on_about_any(struct desk_case *c)
{
    const struct ticket_row *ticket = c->key[0] != '\0' ? table_get(c->tables, ARCHIVE_TICKETS, c->key) : NULL;
    return desk_place(c, ticket != NULL ? ticket->region : "", ticket != NULL ? ticket->site : "");
}

bool desk_on_site_updated(struct desk_case *c)
{
    const struct site_updated *data = c->data;
    if (!desk_needs_key(c) || !desk_place(c, data->region, c->key))
        return false;
    struct site_row *site = table_change(c->tables, ARCHIVE_SITES, c->key);
    if (site == NULL)
        site = table_new(c->tables, ARCHIVE_SITES, c->key);
    site->open = true;
    site->closed = data->closed;
    text_copy(site->region, sizeof(site->region), data->region);
    return true;
}

bool desk_on_engineer_updated(struct desk_case *c)
{
    const struct engineer_updated *data = c->data;
    const struct site_row *site = table_get(c->tables, ARCHIVE_SITES, data->site);
    return desk_needs_key(c) && desk_place(c, site != NULL ? site->region : "", data->site);
}

bool desk_on_customer_updated(struct desk_case *c)
{
    const struct customer_updated *data = c->data;
    if (!desk_needs_key(c) || !desk_place(c, data->region, ""))
        return false;
    struct customer_row *customer = table_change(c->tables, ARCHIVE_CUSTOMERS, c->key);
    if (desk_missed(c))
        return false;
    if (customer == NULL)
        customer = table_new(c->tables, ARCHIVE_CUSTOMERS, c->key);
    text_copy(customer->grade, sizeof(customer->grade), data->grade);
    text_copy(customer->region, sizeof(customer->region), data->region);
    return true;
}

/* --- policies ------------------------------------------------------------------------------------- */

bool desk_on_policy_published(struct desk_case *c)
{
    const struct policy_published *data = c->data;
    struct policy *policy = arena_alloc(c->arena, sizeof(*policy));
    if (!policy_decode(data->policy, c->arena, policy, &c->problem))
        return false;
    if (!text_equal(policy->version, data->version) || data->version[0] == '\0')
        return desk_refuse(c, "policy.invalid", "version", "%s", policy->version);
    if (table_get(c->tables, ARCHIVE_POLICIES, data->version) != NULL)
        return desk_refuse(c, "policy.exists", "version", "%s", data->version);
    const struct policy *in_force = reference_policy(c->tables, "");
    const char *version = in_force != NULL ? in_force->version : "";
    if (!text_equal(data->replaces, version))
        return desk_refuse(c, "policy.replaces", "replaces", "in force is \"%s\"", version);
    struct event event = {.pos = c->pos};
    if (!reference_on_policy_published(c->tables, &event, data))
        return desk_refuse(c, "policy.invalid", "policy", "%s", tables_trouble_text(c->tables));
    return desk_place(c, "", "");
}

bool desk_on_calendar_published(struct desk_case *c)
{
    const struct calendar_published *data = c->data;
    struct calendar_def *def = arena_alloc(c->arena, sizeof(*def));
    if (!record_decode(&calendar_def_record, RECORD_WHOLE, DECODE_LENIENT, data->calendar, c->arena, def, &c->problem))
        return false;
    owned(calendar_destroy) struct calendar *calendar = calendar_new(def, &c->problem);
    if (calendar == NULL)
        return false;
    if (!text_equal(def->name, data->name) || data->name[0] == '\0')
        return desk_refuse(c, "calendar.invalid", "name", "%s", def->name);
    struct event event = {.pos = c->pos};
    if (!reference_on_calendar_published(c->tables, &event, data))
        return desk_refuse(c, "calendar.invalid", "calendar", "%s", tables_trouble_text(c->tables));
    return desk_place(c, "", "");
}

/* --- principals ----------------------------------------------------------------------------------- */

struct key_holder {
    const struct principal *asked;
    const char *holder;
};

static void key_compare(const void *row, void *arg)
{
    const struct principal_row *principal = row;
    struct key_holder *found = arg;
    for (uint32_t i = 0; i < principal->granted.keys_n; i++)
        for (uint32_t k = 0; k < found->asked->keys_n; k++)
            if (!text_equal(principal->id, found->asked->id) &&
                memcmp(principal->granted.keys[i], found->asked->keys[k], sizeof(found->asked->keys[k])) == 0)
                found->holder = principal->id;
}

/* A key says who somebody is: it is one principal's, a revoked one's too. */
static bool keys_are_own(struct desk_case *c, const struct principal *data)
{
    struct key_holder found = {.asked = data};
    if (data->keys_n > 0)
        tables_each(c->tables, ARCHIVE_PRINCIPALS, key_compare, &found);
    return found.holder == NULL || desk_refuse(c, "principal.key", "keys", "%s", found.holder);
}

static bool principal_set(struct desk_case *c, const struct principal *data, bool fresh)
{
    if (!text_is_key(data->id, strlen(data->id)) || text_equal(data->id, "intake"))
        return desk_refuse(c, "principal.invalid", "id", "%s", data->id);
    if (!keys_are_own(c, data))
        return false;
    struct principal_row *row = table_change(c->tables, ARCHIVE_PRINCIPALS, data->id);
    if (fresh && row != NULL && row->open)
        return desk_refuse(c, "principal.exists", "id", "%s", data->id);
    if (!fresh && row == NULL)
        return desk_refuse(c, "principal.unknown", "id", "%s", data->id);
    if (row == NULL)
        row = table_new(c->tables, ARCHIVE_PRINCIPALS, data->id);
    row->open = true;
    row->granted = *data;
    return desk_place(c, "", "");
}

bool desk_on_principal_added(struct desk_case *c)
{
    return principal_set(c, c->data, true);
}

bool desk_on_principal_changed(struct desk_case *c)
{
    return principal_set(c, c->data, false);
}

bool desk_on_principal_revoked(struct desk_case *c)
{
    const struct principal_revoked *data = c->data;
    struct principal_row *row = table_change(c->tables, ARCHIVE_PRINCIPALS, data->id);
    if (row == NULL)
        return desk_refuse(c, "principal.unknown", "id", "%s", data->id);
    row->open = false;
    return desk_place(c, "", "");
}
