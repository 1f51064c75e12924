/* Who was not let in, on record: one access.denied per principal or address, reason and hour, however often it is tried. */
#include "base/text.h"
#include "server_inside.h"
#include <string.h>

/* The place to count this refusal in; an hour that is over gives its place away. NULL: this hour's places are taken. */
static struct denial *denial_place(struct server *server, const struct access_denied *denied, int64_t hour)
{
    struct denial *free_one = NULL;
    size_t nameless = 0;
    for (size_t i = 0; i < server->denials_n; i++) {
        struct denial *denial = &server->denials[i];
        if (text_equal(denial->principal, denied->principal) && text_equal(denial->code, denied->code) &&
            text_equal(denial->address, denied->address))
            return denial;
        if (denial->hour < hour)
            free_one = denial;
        else
            nameless += denial->principal[0] == '\0';
    }
    if (denied->principal[0] == '\0' && nameless >= DENIALS_MAX / 2)
        return NULL;
    if (server->denials_n < DENIALS_MAX)
        free_one = &server->denials[server->denials_n++];
    if (free_one == NULL)
        return NULL;
    *free_one = (struct denial){.hour = -1};
    text_copy(free_one->principal, sizeof(free_one->principal), denied->principal);
    text_copy(free_one->address, sizeof(free_one->address), denied->address);
    text_copy(free_one->code, sizeof(free_one->code), denied->code);
    return free_one;
}

/* Names that nobody has count as one. */
void denial_journal(struct server *server, const char *principal, const char *address, const char *code, int64_t count)
{
    struct access_denied denied = {.count = 0};
    int64_t rec_us = journal_rec(&server->taker.journal, server_wall_us(server)), hour = rec_us / HOUR_US;
    if (server->clock_parted || server->lost)
        return;
    if (table_get(server->taker.tables, ARCHIVE_PRINCIPALS, principal) != NULL)
        text_copy(denied.principal, sizeof(denied.principal), principal);
    else /* from where says more only about who is not known */
        text_copy(denied.address, sizeof(denied.address), address);
    text_copy(denied.code, sizeof(denied.code), code);
    struct denial *denial = denial_place(server, &denied, hour);
    if (denial == NULL)
        return;
    denial->count += count;
    if (denial->hour == hour)
        return;
    denied.count = denial->count;
    denial->hour = hour;
    denial->count = 0;
    taker_say(&server->taker, &server->building->batch, "access.denied", denied.principal, &denied, server_wall_us(server));
}
