/* Policies and calendars as rows. What is parsed from them is kept per thread, found by the digest of its bytes. */
#include "worker/reference.h"

#include "base/text.h"
#include <stdlib.h>
#include <string.h>

struct reference_blob {
    uint32_t len;
    uint8_t data[EVENT_BYTES_MAX];
};

struct policy_row {
    char version[POLICY_VERSION_CAP];
    char name[48];
    int64_t pos; /* of its policy.published */
    bool in_force;
    bool open;
    uint8_t digest[DIGEST_BYTES];
    struct reference_blob body;
};
static const struct field policy_row_fields[] = {
    F_TEXT(policy_row, version, FIELD_REQUIRED, "version"),
    F_TEXT(policy_row, name, 0, "name"),
    F_INT(policy_row, pos, 0, "position of its policy.published"),
    F_BOOL(policy_row, in_force, 0, "the newest one"),
    F_BOOL(policy_row, open, 0, "kept in memory"),
    F_BIN(policy_row, digest, 0, "SHA-256 of body"),
    F_BLOB(policy_row, body, 0, "the policy, msgpack"),
};
static const struct record policy_row_record =
    RECORD(policy_row, policy_row_fields, "policies published on this stream");

static int compare_in_force(const void *a, const void *b)
{
    const struct policy_row *left = a, *right = b;
    return (left->pos > right->pos) - (left->pos < right->pos);
}
static bool holds_in_force(const void *row)
{
    return ((const struct policy_row *)row)->in_force;
}
static const struct index_def policy_indexes[] = {
    {.name = "in_force", .compare = compare_in_force, .holds = holds_in_force}};

const struct table_def reference_policy_table = {.name = "policy",
                                                 .row = &policy_row_record,
                                                 .open_offset = offsetof(struct policy_row, open),
                                                 .indexes = policy_indexes,
                                                 .indexes_n = 1,
                                                 .whole = true};

struct calendar_row {
    char name[48];
    char version[64];
    int64_t pos;
    bool open;
    uint8_t digest[DIGEST_BYTES];
    struct reference_blob body;
};
static const struct field calendar_row_fields[] = {
    F_TEXT(calendar_row, name, FIELD_REQUIRED, "name"),
    F_TEXT(calendar_row, version, 0, "its newest version"),
    F_INT(calendar_row, pos, 0, "position of its calendar.published"),
    F_BOOL(calendar_row, open, 0, "kept in memory"),
    F_BIN(calendar_row, digest, 0, "SHA-256 of body"),
    F_BLOB(calendar_row, body, 0, "the calendar, msgpack"),
};
static const struct record calendar_row_record =
    RECORD(calendar_row, calendar_row_fields, "calendars published on this stream");

const struct table_def reference_calendar_table = {.name = "calendar",
                                                   .row = &calendar_row_record,
                                                   .open_offset =
                                                       offsetof(struct calendar_row, open),
                                                   .whole = true};

/* By its rows: where it is folded beside the living one it has another name. */
static unsigned table_number(const struct tables *tables, const struct table_def *def)
{
    unsigned table = 0;
    while (tables_def(tables, table)->row != def->row)
        table++;
    return table;
}

static bool blob_set(struct reference_blob *blob, struct bytes bytes)
{
    if (bytes.len > sizeof blob->data)
        return false;
    memset(blob->data, 0, sizeof blob->data);
    memcpy(blob->data, bytes.data, bytes.len);
    blob->len = (uint32_t)bytes.len;
    return true;
}

bool reference_on_policy_published(struct tables *tables, const struct event *event, const void *data)
{
    const struct policy_published *published = data;
    unsigned table = table_number(tables, &reference_policy_table);
    if (table_get(tables, table, published->version) != NULL)
        return true; /* a published version never changes */
    const struct policy_row *before = table_first(tables, table, 0, NULL);
    if (before != NULL) {
        char version[POLICY_VERSION_CAP];
        text_copy(version, sizeof version, before->version);
        struct policy_row *old = table_change(tables, table, version);
        old->in_force = false;
    }
    struct policy_row *row = table_new(tables, table, published->version);
    text_copy(row->name, sizeof row->name, published->name);
    row->pos = (int64_t)event->pos;
    row->in_force = row->open = true;
    digest_of(published->policy, row->digest);
    if (!blob_set(&row->body, published->policy))
        return tables_trouble(tables, "policy %s is too long", published->version);
    return true;
}

bool reference_on_calendar_published(struct tables *tables, const struct event *event,
                                     const void *data)
{
    const struct calendar_published *published = data;
    unsigned table = table_number(tables, &reference_calendar_table);
    struct calendar_row *row = table_get(tables, table, published->name) != NULL
                                   ? table_change(tables, table, published->name)
                                   : table_new(tables, table, published->name);
    text_copy(row->version, sizeof row->version, published->version);
    row->pos = (int64_t)event->pos;
    row->open = true;
    digest_of(published->calendar, row->digest);
    if (!blob_set(&row->body, published->calendar))
        return tables_trouble(tables, "calendar %s is too long", published->name);
    return true;
}

/* --- parsed once per thread ----------------------------------------------------------------------- */

struct parsed {
    struct parsed *next;
    uint8_t digest[DIGEST_BYTES];
    struct arena *arena;
    struct policy *policy;
    struct calendar *calendar;
};
static _Thread_local struct parsed *parsed_list;

static struct parsed *parsed_find(const uint8_t digest[DIGEST_BYTES])
{
    for (struct parsed *parsed = parsed_list; parsed != NULL; parsed = parsed->next)
        if (memcmp(parsed->digest, digest, DIGEST_BYTES) == 0)
            return parsed;
    return NULL;
}

static struct parsed *parsed_new(const uint8_t digest[DIGEST_BYTES])
{
    struct parsed *parsed = memory_new(sizeof *parsed);
    memcpy(parsed->digest, digest, DIGEST_BYTES);
    parsed->arena = arena_new(1 << 16);
    parsed->next = parsed_list;
    parsed_list = parsed;
    return parsed;
}

const struct policy *reference_policy(const struct tables *tables, const char *version)
{
    unsigned table = table_number(tables, &reference_policy_table);
    const struct policy_row *row = version[0] == '\0' ? table_first(tables, table, 0, NULL)
                                                      : table_get(tables, table, version);
    if (row == NULL)
        return NULL;
    struct parsed *parsed = parsed_find(row->digest);
    if (parsed == NULL) {
        struct problem problem;
        parsed = parsed_new(row->digest);
        struct policy *policy = arena_alloc(parsed->arena, sizeof *policy);
        if (policy_decode((struct bytes){.data = row->body.data, .len = row->body.len},
                          parsed->arena, policy, &problem))
            parsed->policy = policy;
    }
    return parsed->policy;
}

const struct calendar *reference_calendar(const struct tables *tables, const char *name)
{
    unsigned table = table_number(tables, &reference_calendar_table);
    const struct calendar_row *row = table_get(tables, table, name);
    if (row == NULL)
        return NULL;
    struct parsed *parsed = parsed_find(row->digest);
    if (parsed == NULL) {
        struct problem problem;
        parsed = parsed_new(row->digest);
        struct calendar_def *def = arena_alloc(parsed->arena, sizeof *def);
        if (record_decode(&calendar_def_record, RECORD_WHOLE, DECODE_LENIENT,
                          (struct bytes){.data = row->body.data, .len = row->body.len},
                          parsed->arena, def, &problem))
            parsed->calendar = calendar_new(def, &problem);
    }
    return parsed->calendar;
}

void reference_forget(void)
{
    struct parsed *parsed;
    while ((parsed = parsed_list) != NULL) {
        parsed_list = parsed->next;
        calendar_destroy(&parsed->calendar);
        arena_destroy(&parsed->arena);
        free(parsed);
    }
}
