#include "follow.h"
#include "base/digest.h"
#include "base/text.h"
#include "event/stream.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* On a narrow line more would come in one piece than its other end's patience lasts. */
#define CREDIT_BYTES (128 * 1024)
#define RETRY_US (30 * SECOND_US)
/* How true the list is need not be written each second. */
#define HEARD_US (10 * SECOND_US)

struct follow {
    struct worklist *list;
    struct follow_config config;
    struct follow_listener listener;
    void *owner;
    struct reader *reader; /* NULL: the stream is not known, or the file is in trouble */
    char stream[64], filter[200];
    bool connected;
    bool current;  /* read up to a head since connected */
    bool moved;    /* something is to be committed */
    bool anew;     /* another history: begin from nothing */
    int64_t heard_us, retry_us;
    int64_t centre_us; /* of the last head read up to, not stored yet; 0: stored */
    int64_t events;
    char trouble[200];
};

static void stop(struct follow *f, const char *what, const char *why)
{
    (void)snprintf(f->trouble, sizeof(f->trouble), "%s: %s", what, why);
}

static void on_event(void *owner, uint64_t pos, struct bytes body, struct bytes priv, const uint8_t link[LINK_BYTES])
{
    struct follow *f = owner;
    struct event event;
    struct problem problem;
    (void)pos;
    (void)link;
    if (f->trouble[0] != '\0')
        return;
    if (!event_decode(body, priv, &event, &problem)) {
        stop(f, "corrupt", problem.code);
        return;
    }
    enum status status = worklist_apply(f->list, &event);
    if (status == STATUS_REFUSED)
        stop(f, event.type, "its version is newer than this program");
    else if (status != STATUS_OK)
        stop(f, "the work list's file", worklist_error(f->list));
    f->moved = true;
    f->events++;
    if (text_equal(event.type, "ticket.registered"))
        f->listener.number(f->owner, event.key);
    else if (text_equal(event.type, "personal.erased") && f->listener.erased(f->owner, event.key) != STATUS_OK)
        stop(f, "the work list's file", worklist_error(f->list));
}

static void on_head(void *owner, uint64_t head, int64_t now_us)
{
    struct follow *f = owner;
    (void)head;
    f->moved = f->current = true;
    if (now_us != 0) {
        f->centre_us = now_us;
        f->listener.centre(f->owner, now_us);
    }
}

static void on_failed(void *owner, const char *code, const char *why)
{
    struct follow *f = owner;
    /* The centre was set back, or it is another one: the list is made from nothing. */
    f->anew = text_equal(code, "fork") || text_equal(code, "ahead");
    stop(f, code, why);
}

static const struct reader_listener reader_events = {.event = on_event, .head = on_head, .failed = on_failed};

static void filter_print(struct follow *f)
{
    struct buf out = {0};
    for (size_t i = 0; worklist_type(i) != NULL; i++)
        buf_append_format(&out, "%s ", worklist_type(i));
    for (uint32_t i = 0; i < f->config.regions_n; i++)
        buf_append_format(&out, "r:%s ", f->config.regions[i]);
    for (uint32_t i = 0; i < f->config.sites_n; i++)
        buf_append_format(&out, "s:%s ", f->config.sites[i]);
    if (!text_copy(f->filter, sizeof(f->filter), buf_text(&out))) { /* too long to be kept: its digest says whether it is another one */
        uint8_t digest[DIGEST_BYTES];
        digest_of(buf_bytes(&out), digest);
        hex_print(digest, DIGEST_BYTES, f->filter);
    }
    buf_release(&out);
}

struct follow *follow_new(struct worklist *list, const struct follow_config *config, const struct follow_listener *listener,
                          void *owner)
{
    struct follow *f = memory_new(sizeof(*f));
    f->list = list;
    f->config = *config;
    f->listener = *listener;
    f->owner = owner;
    filter_print(f);
    return f;
}

void follow_destroy(struct follow **f_p)
{
    if (*f_p == NULL)
        return;
    reader_destroy(&(*f_p)->reader);
    free(*f_p);
    *f_p = NULL;
}

static void reader_begin(struct follow *f)
{
    const struct worklist_state *state = worklist_state(f->list);
    struct reader_config config = {.live = false};
    struct verb_open *open = &config.open;
    record_clear(&verb_open_record, open);
    (void)text_copy(open->stream, sizeof(open->stream), f->stream);
    (void)text_copy(open->consumer, sizeof(open->consumer), f->config.consumer);
    open->after = (int64_t)state->pos;
    memcpy(open->link, state->link, LINK_BYTES);
    open->follow = true;
    open->credit = CREDIT_BYTES;
    for (size_t i = 0; worklist_type(i) != NULL; i++)
        (void)text_copy(open->types[open->types_n++], EVENT_TYPE_CAP, worklist_type(i));
    for (uint32_t i = 0; i < f->config.regions_n; i++)
        (void)text_copy(open->regions[open->regions_n++], EVENT_REGION_CAP, f->config.regions[i]);
    for (uint32_t i = 0; i < f->config.sites_n; i++)
        (void)text_copy(open->sites[open->sites_n++], EVENT_SITE_CAP, f->config.sites[i]);
    reader_destroy(&f->reader);
    f->reader = reader_new(&config, &reader_events, f);
    f->trouble[0] = '\0';
    f->moved = f->anew = f->current = false;
}

enum status follow_begin(struct follow *f, const char *stream, int64_t boot_us)
{
    enum status status = worklist_begin(f->list, stream, f->filter);
    if (status != STATUS_OK) {
        stop(f, "the work list's file", worklist_error(f->list));
        return status;
    }
    (void)text_copy(f->stream, sizeof(f->stream), stream);
    reader_begin(f);
    if (f->connected)
        reader_connected(f->reader, boot_us);
    return STATUS_OK;
}

bool follow_has_begun(const struct follow *f)
{
    return f->reader != NULL;
}

bool follow_is_current(const struct follow *f)
{
    return f->current;
}

const char *follow_trouble(const struct follow *f)
{
    return f->trouble;
}

int64_t follow_events(const struct follow *f)
{
    return f->events;
}

void follow_connected(struct follow *f, int64_t boot_us)
{
    f->connected = true;
    if (f->reader != NULL)
        reader_connected(f->reader, boot_us);
}

void follow_disconnected(struct follow *f)
{
    f->connected = f->current = false;
    if (f->reader != NULL)
        reader_disconnected(f->reader);
}

bool follow_in(struct follow *f, const struct frame *frame, int64_t boot_us, int64_t wall_us)
{
    (void)wall_us;
    /* One without events, of much that others are concerned with, leads further too. */
    f->moved = f->moved || text_equal(frame->verb, "BATCH");
    return f->reader == NULL || f->trouble[0] != '\0' || reader_in(f->reader, frame, boot_us);
}

bool follow_out(struct follow *f, int64_t boot_us, struct frame *frame)
{
    return f->reader != NULL && f->trouble[0] == '\0' && reader_out(f->reader, boot_us, frame);
}

/* Reading goes on from what the file holds, after a while; another history from nothing. */
static void recover(struct follow *f, int64_t boot_us)
{
    worklist_rollback(f->list);
    if (f->retry_us == 0)
        f->retry_us = boot_us + (f->anew ? 0 : RETRY_US);
    if (boot_us < f->retry_us)
        return;
    bool begun = !f->anew || worklist_begin(f->list, "", "") == STATUS_OK;
    f->retry_us = 0;
    if (!begun || worklist_begin(f->list, f->stream, f->filter) != STATUS_OK) {
        f->retry_us = boot_us + RETRY_US;
        return;
    }
    reader_begin(f);
    if (f->connected)
        reader_connected(f->reader, boot_us);
}

void follow_work(struct follow *f, int64_t boot_us, int64_t wall_us)
{
    uint64_t pos;
    uint8_t link[LINK_BYTES];
    if (f->reader == NULL)
        return;
    if (f->trouble[0] != '\0') {
        recover(f, boot_us);
        return;
    }
    if (!f->moved)
        return;
    reader_cursor(f->reader, &pos, link);
    bool further = pos != worklist_state(f->list)->pos;
    enum status status = further ? worklist_reached(f->list, pos, link) : STATUS_OK;
    if (status == STATUS_OK && f->centre_us != 0 && (further || wall_us - f->heard_us > HEARD_US || wall_us < f->heard_us)) {
        status = worklist_heard(f->list, f->centre_us, wall_us);
        f->heard_us = wall_us;
        f->centre_us = 0;
    }
    if (status == STATUS_OK)
        status = worklist_commit(f->list);
    if (status != STATUS_OK) {
        stop(f, "the work list's file", worklist_error(f->list));
        return;
    }
    f->moved = false;
    reader_applied(f->reader, pos);
}

int64_t follow_deadline_us(const struct follow *f)
{
    if (f->reader == NULL)
        return INT64_MAX;
    return f->trouble[0] != '\0' ? f->retry_us : reader_deadline_us(f->reader);
}

bool follow_tick(struct follow *f, int64_t boot_us)
{
    return f->reader != NULL && f->trouble[0] == '\0' && reader_tick(f->reader, boot_us);
}
