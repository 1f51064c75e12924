/* Who may speak: folded from the journal, and printed. */
#include "base/text.h"
#include "keys.h"
#include "table_print.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct holder *holders_find(const struct holders *holders, const char *id)
{
    for (size_t i = 0; i < holders->n; i++)
        if (text_equal(holders->items[i].principal.id, id))
            return &holders->items[i];
    return NULL;
}

void holders_release(struct holders *holders)
{
    free(holders->items);
    *holders = (struct holders){0};
}

static struct holder *holder_of(struct holders *holders, const char *id)
{
    struct holder *holder = holders_find(holders, id);
    if (holder != NULL)
        return holder;
    if (holders->n == holders->cap) {
        holders->cap = holders->cap > 0 ? 2 * holders->cap : 16;
        holders->items = memory_grow(holders->items, holders->cap * sizeof(*holders->items));
    }
    holder = &holders->items[holders->n++];
    *holder = (struct holder){.denied = 0};
    return holder;
}

static void on_principal(struct holders *holders, const struct event *event)
{
    struct principal principal;
    struct problem problem;
    if (!record_decode(&principal_record, RECORD_PLAIN, DECODE_LENIENT, event->data, NULL, &principal, &problem))
        return;
    struct holder *holder = holder_of(holders, principal.id);
    holder->principal = principal;
    holder->revoked = false;
}

static void on_revoked(struct holders *holders, const struct event *event)
{
    struct principal_revoked revoked;
    struct problem problem;
    if (!record_decode(&principal_revoked_record, RECORD_PLAIN, DECODE_LENIENT, event->data, NULL, &revoked, &problem))
        return;
    struct holder *holder = holders_find(holders, revoked.id);
    if (holder != NULL)
        holder->revoked = true;
}

static void on_denied(struct holders *holders, const struct event *event)
{
    struct access_denied denied;
    struct problem problem;
    if (!record_decode(&access_denied_record, RECORD_PLAIN, DECODE_LENIENT, event->data, NULL, &denied, &problem))
        return;
    struct holder *holder = denied.principal[0] != '\0' ? holders_find(holders, denied.principal) : NULL;
    *(holder != NULL ? &holder->denied : &holders->denied_unknown) += denied.count;
}

static struct holder *holder_of_source(struct holders *holders, const char *source)
{
    char id[64];
    return text_copy_n(id, sizeof(id), source, strcspn(source, "/")) ? holders_find(holders, id) : NULL;
}

static void on_source(struct holders *holders, const struct event *event, bool frozen)
{
    struct source_frozen stopped = {.source = ""};
    struct source_enrolled enrolled = {.source = ""};
    struct problem problem;
    if (!(frozen ? record_decode(&source_frozen_record, RECORD_PLAIN, DECODE_LENIENT, event->data, NULL, &stopped, &problem)
                 : record_decode(&source_enrolled_record, RECORD_PLAIN, DECODE_LENIENT, event->data, NULL, &enrolled, &problem)))
        return;
    const char *source = frozen ? stopped.source : enrolled.source;
    struct holder *holder = holder_of_source(holders, source);
    if (holder != NULL && frozen)
        text_copy(holder->frozen, sizeof(holder->frozen), source);
    else if (holder != NULL && text_equal(holder->frozen, source))
        holder->frozen[0] = '\0';
}

static bool on_event(void *owner, const struct event *event)
{
    struct holders *holders = owner;
    if (text_equal(event->type, "principal.added") || text_equal(event->type, "principal.changed"))
        on_principal(holders, event);
    else if (text_equal(event->type, "principal.revoked"))
        on_revoked(holders, event);
    else if (text_equal(event->type, "access.denied"))
        on_denied(holders, event);
    else if (text_equal(event->type, "source.frozen") || text_equal(event->type, "source.enrolled"))
        on_source(holders, event, text_equal(event->type, "source.frozen"));
    return true;
}

int holders_read(const struct cli *cli, const char *stream, struct holders *holders)
{
    static const struct feed_listener listener = {.event = on_event};
    static const char *const types[] = {"principal.", "source.", "access.denied"};
    struct verb_open open;
    record_clear(&verb_open_record, &open);
    for (size_t i = 0; i < COUNT_OF(types); i++)
        text_copy(open.types[open.types_n++], sizeof(open.types[0]), types[i]);
    *holders = (struct holders){0};
    return feed_read(cli, stream, &open, false, &listener, holders);
}

/* --- printing ------------------------------------------------------------------------------------ */

static void json_list(struct buf *out, const char *name, const char *items, size_t size, uint32_t n)
{
    buf_append_format(out, ",\"%s\":[", name);
    for (uint32_t i = 0; i < n; i++) {
        buf_append_text(out, i > 0 ? "," : "");
        json_text(out, items + i * size);
    }
    buf_append_text(out, "]");
}

static void json_print(const struct holder *holder)
{
    const struct principal *principal = &holder->principal;
    char keys[COUNT_OF(principal->keys)][BUS_KEY_TEXT] = {""};
    struct buf out = {0};
    for (uint32_t i = 0; i < principal->keys_n; i++)
        bus_key_print(principal->keys[i], keys[i]);
    buf_append_text(&out, "{\"principal\":");
    json_text(&out, principal->id);
    buf_append_format(&out, ",\"kind\":\"%s\",\"state\":\"%s\"", principal_kind_word(principal->kind),
                      holder->revoked ? "revoked" : "good");
    json_list(&out, "keys", keys[0], sizeof(keys[0]), principal->keys_n);
    json_list(&out, "regions", principal->regions[0], sizeof(principal->regions[0]), principal->regions_n);
    json_list(&out, "sites", principal->sites[0], sizeof(principal->sites[0]), principal->sites_n);
    json_list(&out, "types", principal->types[0], sizeof(principal->types[0]), principal->types_n);
    buf_append_format(&out, ",\"personal\":%s,\"denied\":%" PRId64 ",\"frozen\":", principal->personal ? "true" : "false",
                      holder->denied);
    json_text(&out, holder->frozen);
    printf("%s}\n", buf_text(&out));
    buf_release(&out);
}

static void list_cell(struct sheet *sheet, const char *items, size_t size, uint32_t n)
{
    struct buf out = {0};
    for (uint32_t i = 0; i < n; i++)
        buf_append_format(&out, "%s%s", i > 0 ? " " : "", items + i * size);
    sheet_cell(sheet, buf_text(&out));
    buf_release(&out);
}

/* Enough of a public key to tell it from others. */
static void keys_cell(struct sheet *sheet, const struct principal *principal)
{
    char text[32] = "", key[BUS_KEY_TEXT];
    for (uint32_t i = 0; i < principal->keys_n && i < 2; i++) {
        bus_key_print(principal->keys[i], key);
        size_t used = strlen(text);
        text_format(text + used, sizeof(text) - used, "%s%.8s…", i > 0 ? " " : "", key);
    }
    sheet_cell(sheet, text);
}

static void row_add(const struct cli *cli, struct sheet *sheet, const struct holder *holder)
{
    const struct principal *principal = &holder->principal;
    char count[24] = "";
    sheet_cell(sheet, principal->id);
    sheet_cell(sheet, principal_kind_word(principal->kind));
    sheet_cell(sheet, in_words(cli->language, holder->revoked          ? "revoked"
                                              : holder->frozen[0] != '\0' ? "frozen"
                                                                          : "good"));
    keys_cell(sheet, principal);
    list_cell(sheet, principal->regions[0], sizeof(principal->regions[0]), principal->regions_n);
    list_cell(sheet, principal->sites[0], sizeof(principal->sites[0]), principal->sites_n);
    list_cell(sheet, principal->types[0], sizeof(principal->types[0]), principal->types_n);
    sheet_cell(sheet, in_words(cli->language, principal->personal ? "yes" : ""));
    if (holder->denied > 0)
        text_format(count, sizeof(count), "%" PRId64, holder->denied);
    sheet_cell(sheet, count);
}

void holders_print(const struct cli *cli, const struct holders *holders)
{
    static const char *const titles[] = {"principal", "kind", "state", "keys", "regions", "sites", "types", "personal", "denied"};
    struct sheet sheet;
    struct buf out = {0};
    for (size_t i = 0; i < holders->n && cli->json; i++)
        json_print(&holders->items[i]);
    if (cli->json)
        return;
    sheet_init(&sheet, COUNT_OF(titles));
    for (size_t i = 0; i < COUNT_OF(titles); i++)
        sheet_cell(&sheet, in_words(cli->language, titles[i]));
    for (size_t i = 0; i < holders->n; i++)
        row_add(cli, &sheet, &holders->items[i]);
    sheet_print(&sheet, cli->colour, &out);
    fputs(buf_text(&out), stdout);
    if (holders->denied_unknown > 0)
        printf(in_words(cli->language, "turned away, nobody known: %" PRId64 "\n"), holders->denied_unknown);
    buf_release(&out);
    sheet_release(&sheet);
}
