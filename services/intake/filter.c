#include "filter.h"
#include "base/text.h"

bool filter_is_whole(const struct verb_open *open, const struct principal *principal)
{
    return open->types_n == 0 && open->regions_n == 0 && open->sites_n == 0 && open->keys_n == 0 &&
           !rights_is_narrowed(principal);
}

/* Who keeps copies of some places only has to blank them like any other: an erasure has no place. */
static bool is_erasure(const char *type)
{
    return text_equal(type, "personal.erased");
}

bool filter_holds(const struct verb_open *open, const struct principal *principal, const char *type, const char *key,
                  const char *region, const char *site)
{
    bool types = open->types_n == 0, regions = open->regions_n == 0, sites = open->sites_n == 0, keys = open->keys_n == 0;
    regions = regions || is_erasure(type);
    sites = sites || is_erasure(type);
    for (uint32_t i = 0; i < open->types_n && !types; i++)
        types = text_starts(type, open->types[i]);
    for (uint32_t i = 0; i < open->regions_n && !regions; i++)
        regions = region[0] != '\0' && text_starts(region, open->regions[i]);
    for (uint32_t i = 0; i < open->sites_n && !sites; i++)
        sites = text_equal(site, open->sites[i]);
    for (uint32_t i = 0; i < open->keys_n && !keys; i++)
        keys = text_equal(key, open->keys[i]);
    return types && regions && sites && keys && rights_read(principal, type, region, site);
}
