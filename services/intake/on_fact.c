/* Facts the archive keeps nothing of: where they belong follows from what their key names (catalogue), then from what they
 * say themselves, and at last from who says them. */
#include "base/text.h"
#include "desk.h"

/* A text of the event's data; "" when its type has no such field. */
static const char *said(const struct desk_case *c, const char *name)
{
    const struct field *field = record_field(c->type->data, name);
    return field != NULL && field->kind == FIELD_TEXT ? (const char *)c->data + field->offset : "";
}

/* The job it names is one of the ticket's; an import speaks of jobs that nobody offered here. */
static bool names_a_job_of_the_ticket(struct desk_case *c)
{
    const char *name = said(c, "job");
    if (name[0] == '\0' || (c->principal != NULL && c->principal->granted.kind == PRINCIPAL_IMPORT))
        return true;
    const struct job_row *job = table_get(c->tables, ARCHIVE_JOBS, name);
    if (job == NULL)
        return desk_refuse(c, "job.unknown", "job", "%s", name);
    return text_equal(job->ticket, c->key) || desk_refuse(c, "job.unknown", "job", "%s is not of %s", name, c->key);
}

struct place {
    const char *region, *site;
};

static bool place_of_site(const struct desk_case *c, const char *site, struct place *place)
{
    const struct site_row *row = site[0] != '\0' ? table_get(c->tables, ARCHIVE_SITES, site) : NULL;
    *place = (struct place){row != NULL ? row->region : "", site};
    return site[0] != '\0';
}

static bool place_of_key(const struct desk_case *c, struct place *place)
{
    const struct ticket_row *ticket = NULL;
    const struct unit_row *unit = NULL;
    const struct customer_row *customer = NULL;
    if (event_type_runs_on(c->type, KEY_TICKET) && (ticket = table_get(c->tables, ARCHIVE_TICKETS, c->key)) != NULL)
        *place = (struct place){ticket->region, ticket->site};
    else if (event_type_runs_on(c->type, KEY_UNIT) && (unit = table_get(c->tables, ARCHIVE_UNITS, c->key)) != NULL)
        *place = (struct place){unit->region, ""};
    else if (event_type_runs_on(c->type, KEY_CUSTOMER) && (customer = table_get(c->tables, ARCHIVE_CUSTOMERS, c->key)) != NULL)
        *place = (struct place){customer->region, ""};
    else if (event_type_runs_on(c->type, KEY_SITE) && table_get(c->tables, ARCHIVE_SITES, c->key) != NULL)
        return place_of_site(c, c->key, place);
    return place->region[0] != '\0' || place->site[0] != '\0';
}

static bool place_of_data(const struct desk_case *c, struct place *place)
{
    if (place_of_site(c, said(c, "site"), place))
        return true;
    place->region = said(c, "region");
    return place->region[0] != '\0';
}

/* A call or a contract is nowhere in the archive: it belongs to the branch or site that tells of it. */
static bool place_of_speaker(const struct desk_case *c, struct place *place)
{
    const struct principal *principal = c->principal != NULL ? &c->principal->granted : NULL;
    if (principal == NULL)
        return false;
    if (principal->regions_n > 0) {
        *place = (struct place){principal->regions[0], ""};
        return true;
    }
    return place_of_site(c, principal->sites_n > 0 ? principal->sites[0] : principal->kind == PRINCIPAL_SITE ? principal->id : "",
                         place);
}

bool desk_on_fact(struct desk_case *c)
{
    struct place place = {"", ""};
    if (c->type->keys == KEY_TICKET)
        return desk_on_ticket_fact(c) && names_a_job_of_the_ticket(c);
    if (c->type->keys == KEY_OTHER || c->type->speaker == SPEAKER_OPERATOR)
        return desk_on_reference(c);
    if (!desk_needs_key(c))
        return false;
    bool placed = place_of_key(c, &place) || place_of_data(c, &place) || place_of_speaker(c, &place);
    return desk_place(c, placed ? place.region : "", placed ? place.site : "");
}
