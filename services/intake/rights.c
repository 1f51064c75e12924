#include "rights.h"
#include "base/text.h"
#include "sources.h"
#include <string.h>

static bool refuse(struct problem *problem, const char *field, const char *what)
{
    return problem_set(problem, "denied", field, "%s", what);
}

static bool kind_may(const struct principal *principal, const struct event_type *type)
{
    switch ((enum principal_kind)principal->kind) {
    case PRINCIPAL_BRANCH:
    case PRINCIPAL_SITE:
    case PRINCIPAL_DESK:
    case PRINCIPAL_INTEGRATOR:
        return type->speaker == SPEAKER_FACT;
    case PRINCIPAL_OPERATOR:
        return type->speaker == SPEAKER_FACT || type->speaker == SPEAKER_OPERATOR;
    case PRINCIPAL_IMPORT:
        return true;
    case PRINCIPAL_WORKER: /* only what its list says */
        return false;
    }
    return false;
}

static bool listed(const struct principal *principal, const char *type)
{
    for (uint32_t i = 0; i < principal->types_n; i++)
        if (text_starts(type, principal->types[i]))
            return true;
    return false;
}

bool rights_append_type(const struct principal_row *row, const struct event_type *type, bool clock_source,
                        struct problem *problem)
{
    if (row == NULL || !row->open)
        return refuse(problem, "principal", row == NULL ? "unknown" : "revoked");
    const struct principal *principal = &row->granted;
    /* What intake itself concludes is nobody else's to say. */
    if (type->speaker == SPEAKER_INTAKE || type->speaker == SPEAKER_DESK)
        return refuse(problem, "type", type->name);
    if (text_equal(type->name, "time.reached"))
        return clock_source || refuse(problem, "type", type->name);
    /* A list narrows what the kind may say; a worker's, and an import's where it has one, is all that it may. */
    bool by_list = principal->kind == PRINCIPAL_WORKER || principal->kind == PRINCIPAL_IMPORT;
    bool may = (by_list && principal->types_n > 0) || kind_may(principal, type);
    may = may && (principal->types_n == 0 || listed(principal, type->name));
    return may || refuse(problem, "type", type->name);
}

bool rights_region(const struct principal *principal, const char *region)
{
    for (uint32_t i = 0; i < principal->regions_n; i++)
        if (text_starts(region, principal->regions[i]))
            return true;
    return false;
}

bool rights_site(const struct principal *principal, const char *site)
{
    for (uint32_t i = 0; i < principal->sites_n; i++)
        if (text_equal(site, principal->sites[i]))
            return true;
    return principal->kind == PRINCIPAL_SITE && text_equal(site, principal->id);
}

bool rights_is_narrowed(const struct principal *principal)
{
    return principal->regions_n > 0 || principal->sites_n > 0 || principal->kind == PRINCIPAL_SITE;
}

bool rights_place(const struct principal *principal, const char *region, const char *site)
{
    if (!rights_is_narrowed(principal))
        return true;
    return (region[0] != '\0' && rights_region(principal, region)) || (site[0] != '\0' && rights_site(principal, site));
}

bool rights_read(const struct principal *principal, const char *type, const char *region, const char *site)
{
    static const char *const everybodys[] = {"policy.", "calendar.", "product.", "personal."}; /* who keeps copies blanks them */
    if (rights_place(principal, region, site))
        return true;
    for (size_t i = 0; i < COUNT_OF(everybodys); i++)
        if (text_starts(type, everybodys[i]))
            return true;
    return false;
}

/* --- who speaks ---------------------------------------------------------------------------------- */

void caller_print(const char *id, const uint8_t key[32], char out[136])
{
    char hex[65];
    hex_print(key, 32, hex);
    text_format(out, 136, "%s:%s", id, hex);
}

static bool has_key(const struct principal *principal, const char *hex)
{
    uint8_t key[32];
    if (strlen(hex) != 64 || !hex_parse(hex, sizeof(key), key))
        return false;
    for (uint32_t i = 0; i < principal->keys_n; i++)
        if (memcmp(principal->keys[i], key, sizeof(key)) == 0)
            return true;
    return false;
}

bool rights_caller(const struct tables *tables, unsigned principals, bool keyed, const char *user, char id[64], const char **why)
{
    size_t n = strcspn(user, ":");
    id[0] = '\0';
    if (!keyed || text_equal(user, CALLER_LOCAL))
        return true;
    *why = "nobody";
    if (user[n] != ':' || !text_copy_n(id, 64, user, n))
        return false;
    const struct principal_row *row = table_get(tables, principals, id);
    *why = row == NULL ? "unknown" : "revoked";
    return row != NULL && row->open && has_key(&row->granted, user + n + 1);
}

bool rights_name(const char *id, const char *name)
{
    char principal[64];
    return id[0] == '\0' || (source_principal(name, principal, sizeof(principal)) && text_equal(principal, id));
}

static bool overlaps(const struct principal *principal, const char *region)
{
    for (uint32_t i = 0; i < principal->regions_n; i++)
        if (text_starts(region, principal->regions[i]) || text_starts(principal->regions[i], region))
            return true;
    return false;
}

/* Who may see whole regions may name any site: it may lie in one of them. */
const char *rights_beyond(const struct principal *principal, const struct verb_open *open)
{
    if (!rights_is_narrowed(principal))
        return NULL;
    for (uint32_t i = 0; i < open->regions_n && principal->sites_n == 0; i++)
        if (!overlaps(principal, open->regions[i]))
            return open->regions[i];
    for (uint32_t i = 0; i < open->sites_n && principal->regions_n == 0; i++)
        if (!rights_site(principal, open->sites[i]))
            return open->sites[i];
    return NULL;
}
