/* PUT and HAVE: the network thread's side of the shelf. It looks at who sends and how much is under way, and hands on; what is kept
 * and what is true the shelf says. No append waits for any of it. */
#include "base/log.h"
#include "base/text.h"
#include "rights.h"
#include "server_inside.h"
#include <stdlib.h>
#include <string.h>

static void have_say(struct server *server, const struct bus_peer *peer, const struct slip *slip)
{
    struct verb_have have = {.upto = slip->upto, .whole = slip->whole};
    memcpy(have.sha256, slip->sha256, sizeof(have.sha256));
    text_copy(have.code, sizeof(have.code), slip->code);
    text_copy(have.why, sizeof(have.why), slip->why);
    server_say(server, peer, "HAVE", &verb_have_record, &have);
}

/* --- what is under way ----------------------------------------------------------------------------- */

static bool under_way(struct server *server, const char *who)
{
    size_t n = 0;
    for (size_t i = 0; i < server->putting_n; i++)
        n += text_equal(server->putting[i], who);
    return server->putting_n < PUTS_MAX && n < PUTS_PER_PRINCIPAL;
}

static void landed(struct server *server, const char *who)
{
    for (size_t i = 0; i < server->putting_n; i++)
        if (text_equal(server->putting[i], who)) {
            memcpy(server->putting[i], server->putting[--server->putting_n], sizeof(server->putting[i]));
            return;
        }
}

/* --- there ----------------------------------------------------------------------------------------- */

/* Who may say file.attached may bring its bytes; of which tickets is judged with the content's own. */
static void put(struct server *server, const struct session *session, struct slip **slip_p)
{
    struct slip *slip = *slip_p;
    struct problem problem;
    const struct principal_row *row = NULL;
    if (source_principal(session->source->name, slip->who, sizeof(slip->who)))
        row = table_get(server->taker.tables, ARCHIVE_PRINCIPALS, slip->who);
    if (row == NULL || !rights_append_type(row, event_type_find("file.attached", 0), false, &problem)) {
        slip_refuse(slip, "denied", "file.attached is not this principal's to say");
        denial_journal(server, slip->who, "", "file", 1);
        return;
    }
    slip->granted = row->granted;
    slip->peer = session->peer;
    slip->session = session->id;
    if (!under_way(server, slip->who)) {
        slip_refuse(slip, "busy", "too many pieces under way");
        return;
    }
    if (server->shelf == NULL || slip_send(server->shelf, slip_p) != STATUS_OK) {
        slip_refuse(slip, "busy", "no files are taken now");
        return;
    }
    text_copy(server->putting[server->putting_n++], sizeof(server->putting[0]), row->id);
}

void session_on_put(struct server *server, const struct session *session, const struct frame *frame)
{
    struct verb_put verb;
    struct problem problem;
    if (!record_decode(&verb_put_record, RECORD_WHOLE, DECODE_LENIENT, frame->map, NULL, &verb, &problem)) {
        server_say_error(server, &session->peer, "malformed", problem.field);
        return;
    }
    struct slip *slip = slip_new(SLIP_PUT, verb.sha256, verb.offset, verb.bytes);
    put(server, session, &slip);
    if (slip != NULL)
        have_say(server, &session->peer, slip);
    slip_destroy(&slip);
}

/* --- and back -------------------------------------------------------------------------------------- */

/* As an item of the queue: what the desk has to know of it may have to be fetched first. */
static void stored_queue(struct server *server, const struct slip *slip)
{
    struct item *item = memory_new(sizeof(*item));
    struct stored_file *stored = memory_new(sizeof(*stored));
    text_copy(stored->ticket, sizeof(stored->ticket), slip->ticket);
    memcpy(stored->data.sha256, slip->sha256, sizeof(stored->data.sha256));
    stored->data.bytes = slip->size;
    item->kind = ITEM_FILE;
    item->map = bytes_of(stored, sizeof(*stored));
    *server->queue_end = item;
    server->queue_end = &item->next;
    server->queue_bytes += sizeof(*item) + item->map.len;
}

static void on_shelf(void *arg)
{
    struct server *server = arg;
    struct slip *slip;
    while ((slip = slip_receive(server->shelf)) != NULL) {
        if (slip->kind == SLIP_STORED) {
            /* What is left out here the shelf asks for again: a commit that takes long does not gather it. */
            if (!server->lost && !server->dead && server->queue_bytes < QUEUE_BYTES_MAX)
                stored_queue(server, slip);
        } else {
            const struct session *session = session_of(server, slip->session);
            landed(server, slip->who);
            if (text_equal(slip->code, "denied"))
                denial_journal(server, slip->who, "", "file", 1);
            else if (slip_is_beyond(slip))
                denial_journal(server, slip->who, "", "file-measure", 1);
            if (session != NULL && !session->ended)
                have_say(server, &session->peer, slip);
        }
        slip_destroy(&slip);
    }
}

uint32_t server_touch_stored(struct server *server, const struct item *item)
{
    const struct stored_file *stored = (const void *)item->map.data;
    taker_touch_stored(&server->taker, stored->ticket, &stored->data);
    return 1;
}

bool server_say_stored(struct server *server, const struct item *item)
{
    const struct stored_file *stored = (const void *)item->map.data;
    struct batch *batch = &server->building->batch;
    for (;;) {
        if (journal_batch_is_full(batch, (uint32_t)server->config->settings->intake.batch_events))
            return false;
        if (taker_say_stored(&server->taker, batch, stored->ticket, &stored->data, server_wall_us(server)) == TAKE_DONE)
            return true;
        if (!server_fetch_rows(server))
            return false;
    }
}

/* --- life ------------------------------------------------------------------------------------------ */

void server_open_shelf(struct server *server)
{
    char error[200] = "";
    struct slip *serves = slip_new(SLIP_SERVES, NULL, 0, bytes_of(NULL, 0));
    if (server->config->shelf_pair != NULL)
        server->shelf = bus_connect(BUS_PAIR, server->config->shelf_pair, error, sizeof(error));
    if (server->shelf != NULL) {
        loop_socket(server->loop, server->shelf, on_shelf, server);
        if (slip_send(server->shelf, &serves) != STATUS_OK)
            log_error("the shelf does not listen: no files are taken");
    }
    slip_destroy(&serves);
}

void server_close_shelf(struct server *server)
{
    struct slip *slip;
    while (server->shelf != NULL && (slip = slip_receive(server->shelf)) != NULL)
        slip_destroy(&slip);
    if (server->shelf != NULL)
        loop_forget(server->loop, server->shelf, -1);
    bus_close(&server->shelf);
}
