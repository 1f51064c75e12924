#include "readings.h"
#include "base/text.h"
#include "feed_inside.h"
#include "proto/catalogue.h"
#include "rights.h"
#include <string.h>

/* Can events of the types that are asked for hold personal data? */
static bool reading_is_personal(const struct verb_open *open)
{
    const struct event_type *type;
    for (size_t i = 0; (type = event_type_at(i)) != NULL; i++) {
        bool asked = open->types_n == 0;
        for (uint32_t k = 0; k < open->types_n && !asked; k++)
            asked = text_starts(type->name, open->types[k]);
        if (asked && record_has_personal(type->data))
            return true;
    }
    return false;
}

static void tell(const struct feed *feed, const struct principal_row *principal, const char *customer, const char *what)
{
    struct reading reading = {.customer = ""};
    text_copy(reading.customer, sizeof(reading.customer), customer);
    text_copy(reading.read.principal, sizeof(reading.read.principal), principal->id);
    text_copy(reading.read.what, sizeof(reading.read.what), what);
    doors_tell_read(feed->doors, &reading);
}

static bool is_recorded(const struct feed *feed, const struct principal_row *principal)
{
    return feed->state.reads_recorded && principal != NULL && principal->granted.personal && principal->granted.kind != PRINCIPAL_WORKER;
}

/* Whose story a key is: of a ticket and of a unit its customer's, a customer's own. A key that the archive does not know is a text
 * of whoever reads, and does not come into the journal: that reading counts as one of anybody's. */
static const char customers_sql[] =
    "SELECT k, coalesce(nullif(t.customer, ''), nullif(u.customer, ''), c.customer, k),"
    " coalesce(t.\"number\", u.serial, c.customer), coalesce(t.region, u.region, c.region, ''), coalesce(t.site, '')"
    " FROM (SELECT DISTINCT unnest($1::text[])) each(k) LEFT JOIN ticket t ON t.\"number\" = k LEFT JOIN unit u ON u.serial = k"
    " LEFT JOIN customer c ON c.customer = k";

static void copy_text(const struct pg_result *result, int row, int column, char *out, size_t cap)
{
    struct bytes text = pg_bytes(result, row, column);
    text_copy_n(out, cap, (const char *)text.data, text.len);
}

static void tell_keys(struct feed *feed, const struct principal_row *principal, char (*keys)[EVENT_KEY_CAP], uint32_t n)
{
    owned(pg_result_destroy) struct pg_result *result = NULL;
    pg_args_reset(feed->args);
    pg_arg_array_begin(feed->args, PG_TEXT_ARRAY);
    for (uint32_t i = 0; i < n; i++)
        pg_elem_text(feed->args, keys[i], strlen(keys[i]));
    pg_arg_array_end(feed->args);
    if (!feed_database(feed) || pg_query(feed->pg, customers_sql, feed->args, &result) != STATUS_OK) {
        tell(feed, principal, READINGS_EVERYBODY, ""); /* on record all the same */
        return;
    }
    bool unknown = false;
    for (int row = 0; row < pg_rows(result); row++) {
        char key[EVENT_KEY_CAP], customer[EVENT_KEY_CAP], region[64], site[64];
        copy_text(result, row, 0, key, sizeof(key));
        copy_text(result, row, 1, customer, sizeof(customer));
        copy_text(result, row, 3, region, sizeof(region));
        copy_text(result, row, 4, site, sizeof(site));
        if (pg_is_null(result, row, 2))
            unknown = true;
        else if (rights_place(&principal->granted, region, site)) /* nothing is sent of others */
            tell(feed, principal, customer, key);
    }
    if (unknown)
        tell(feed, principal, READINGS_EVERYBODY, "");
}

void reading_opened(struct feed *feed, const struct principal_row *principal, struct verb_open *open)
{
    if (!is_recorded(feed, principal) || !reading_is_personal(open))
        return;
    if (open->keys_n > 0)
        tell_keys(feed, principal, open->keys, open->keys_n);
    else
        tell(feed, principal, READINGS_EVERYBODY, "");
}

void reading_stories(struct feed *feed, const struct principal_row *principal, char (*keys)[EVENT_KEY_CAP], uint32_t n)
{
    if (n == 0 || !is_recorded(feed, principal))
        return;
    for (uint32_t i = 0; i < n; i++)
        if (keys[i][0] == '\0')
            text_copy(keys[i], sizeof(keys[i]), READINGS_EVERYBODY);
    tell_keys(feed, principal, keys, n);
}

void reading_story(struct feed *feed, const struct principal_row *principal, const char *key)
{
    char keys[1][EVENT_KEY_CAP];
    text_copy(keys[0], sizeof(keys[0]), key);
    reading_stories(feed, principal, keys, 1);
}
