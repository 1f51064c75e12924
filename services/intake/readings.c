#include "readings.h"
#include "base/text.h"
#include "feed_inside.h"
#include "proto/catalogue.h"
#include <string.h>

static bool has_personal(const struct record *record)
{
    for (size_t i = 0; i < record->n; i++) {
        const struct field *field = &record->fields[i];
        const struct record *sub = field->sub != NULL ? field->sub : field->elem != NULL ? field->elem->sub : NULL;
        if ((field->flags & FIELD_PERSONAL) != 0 || (sub != NULL && has_personal(sub)))
            return true;
    }
    return false;
}

bool reading_is_personal(const struct verb_open *open)
{
    const struct event_type *type;
    for (size_t i = 0; (type = event_type_at(i)) != NULL; i++) {
        bool asked = open->types_n == 0;
        for (uint32_t k = 0; k < open->types_n && !asked; k++)
            asked = text_starts(type->name, open->types[k]);
        if (asked && has_personal(type->data))
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

/* Whose story a key is: of a ticket and of a unit its customer's; else the key says it, or there is nothing better. */
static const char customers_sql[] =
    "SELECT k, coalesce(nullif(t.customer, ''), nullif(u.customer, ''), k) FROM unnest($1::text[]) k"
    " LEFT JOIN ticket t ON t.\"number\" = k LEFT JOIN unit u ON u.serial = k";

static void tell_keys(struct feed *feed, const struct principal_row *principal, char (*keys)[EVENT_KEY_CAP], uint32_t n)
{
    owned(pg_result_destroy) struct pg_result *result = NULL;
    pg_args_reset(feed->args);
    pg_arg_array_begin(feed->args, PG_TEXT_ARRAY);
    for (uint32_t i = 0; i < n; i++)
        pg_elem_text(feed->args, keys[i], strlen(keys[i]));
    pg_arg_array_end(feed->args);
    if (!feed_database(feed) || pg_query(feed->pg, customers_sql, feed->args, &result) != STATUS_OK) {
        for (uint32_t i = 0; i < n; i++) /* on record all the same */
            tell(feed, principal, keys[i], keys[i]);
        return;
    }
    for (int row = 0; row < pg_rows(result); row++) {
        char key[EVENT_KEY_CAP], customer[EVENT_KEY_CAP];
        struct bytes text = pg_bytes(result, row, 0);
        text_copy_n(key, sizeof(key), (const char *)text.data, text.len);
        text = pg_bytes(result, row, 1);
        text_copy_n(customer, sizeof(customer), (const char *)text.data, text.len);
        tell(feed, principal, customer, key);
    }
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

void reading_story(struct feed *feed, const struct principal_row *principal, const char *key)
{
    char keys[1][EVENT_KEY_CAP];
    if (!is_recorded(feed, principal))
        return;
    text_copy(keys[0], sizeof(keys[0]), key[0] != '\0' ? key : READINGS_EVERYBODY);
    tell_keys(feed, principal, keys, 1);
}
