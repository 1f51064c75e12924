/* What is set aside: event.parked, released and dropped in the journal; the workers' own word, where they answer. */
#include "base/text.h"
#include "parked.h"
#include <stdlib.h>
#include <string.h>

struct gathering {
    struct parked *parked;
    const char *only; /* worker; "": all */
    const char *of;   /* the worker that is being asked */
    bool answered;
};

static struct parked_item *item_at(struct parked *parked, const char *worker, int64_t pos)
{
    for (size_t i = 0; i < parked->n; i++)
        if (parked->items[i].pos == pos && text_equal(parked->items[i].worker, worker))
            return &parked->items[i];
    if (parked->n == parked->cap) {
        parked->cap = parked->cap > 0 ? parked->cap * 2 : 16;
        parked->items = memory_grow(parked->items, parked->cap * sizeof(*parked->items));
    }
    struct parked_item *item = &parked->items[parked->n++];
    *item = (struct parked_item){.pos = pos, .waiting = -1};
    text_copy(item->worker, sizeof(item->worker), worker);
    return item;
}

/* A second event.parked about the same event: it was tried again and failed. */
static bool on_event(void *owner, const struct event *event)
{
    struct gathering *gathering = owner;
    struct event_parked data;
    struct problem problem;
    bool begins = text_equal(event->type, "event.parked");
    if (!begins && !text_equal(event->type, "event.released") && !text_equal(event->type, "event.dropped"))
        return true;
    /* The three have the same fields, but for those of a timer. */
    if (!record_decode(&event_parked_record, RECORD_PLAIN, DECODE_LENIENT, event->data, NULL, &data, &problem) ||
        (gathering->only[0] != '\0' && !text_equal(gathering->only, data.worker)))
        return true;
    bool timer = begins && data.timer[0] != '\0';
    struct parked_item *item = item_at(gathering->parked, data.worker, timer ? (int64_t)event->pos : data.pos);
    item->over = !begins;
    text_copy(item->key, sizeof(item->key), event->key);
    if (!begins)
        return true;
    item->tries += item->since_us != 0;
    if (item->since_us == 0)
        item->since_us = event->at_us;
    text_copy(item->reason, sizeof(item->reason), data.reason);
    if (timer)
        text_copy(item->type, sizeof(item->type), data.timer);
    return true;
}

static void on_row(void *owner, const struct record *record, const void *row)
{
    struct gathering *gathering = owner;
    const struct parked_row *said = row;
    (void)record;
    struct parked_item *item = item_at(gathering->parked, gathering->of, said->pos);
    item->answered = true;
    item->waiting = said->waiting;
    text_copy(item->key, sizeof(item->key), said->key);
    text_copy(item->type, sizeof(item->type), said->type);
    text_copy(item->reason, sizeof(item->reason), said->reason);
}

/* Its own word counts: what it does not name is over, what it names is not. */
static void worker_heard(struct parked *parked, const char *worker)
{
    for (size_t i = 0; i < parked->n; i++)
        if (text_equal(parked->items[i].worker, worker))
            parked->items[i].over = !parked->items[i].answered;
}

static void worker_ask(struct asker *asker, struct gathering *gathering, const char *worker, int64_t at_least)
{
    const struct question_type *question = question_find(worker, "parked");
    struct parked *parked = gathering->parked;
    if (question == NULL)
        return;
    gathering->of = worker;
    const struct asking asking = {.question = question, .at_least = at_least, .quiet = true, .row = on_row, .owner = gathering};
    if (asker_ask(asker, &asking) == CLI_DONE)
        worker_heard(parked, worker);
    else if (parked->silent_n < PARKED_WORKERS_MAX)
        text_copy(parked->silent[parked->silent_n++], sizeof(parked->silent[0]), worker);
}

/* The type of an event that only the journal tells of. */
static bool on_type(void *owner, const struct event *event)
{
    text_copy(owner, EVENT_TYPE_CAP, event->type);
    return false;
}

static int type_read(const struct cli *cli, const char *stream, struct parked_item *item)
{
    static const struct feed_listener listener = {.event = on_type};
    struct verb_open *open = memory_new(sizeof(*open));
    record_clear(&verb_open_record, open);
    open->after = item->pos - 1;
    open->credit = 65536;
    text_copy(open->keys[open->keys_n++], EVENT_KEY_CAP, item->key);
    int code = feed_read(cli, stream, open, false, &listener, item->type);
    free(open);
    return code;
}

static int compare(const void *a, const void *b)
{
    const struct parked_item *left = a, *right = b;
    int order = strcmp(left->worker, right->worker);
    return order != 0 ? order : (left->pos > right->pos) - (left->pos < right->pos);
}

static void drop_over(struct parked *parked)
{
    size_t kept = 0;
    for (size_t i = 0; i < parked->n; i++)
        if (!parked->items[i].over)
            parked->items[kept++] = parked->items[i];
    parked->n = kept;
    if (kept > 0)
        qsort(parked->items, kept, sizeof(*parked->items), compare);
}

int parked_gather(const struct cli *cli, struct stream_created *stream, const char *worker, int64_t at_least, struct parked *parked)
{
    static const struct feed_listener listener = {.event = on_event};
    struct gathering gathering = {.parked = parked, .only = worker};
    struct verb_open *open = memory_new(sizeof(*open));
    record_clear(&verb_open_record, open);
    text_copy(open->types[open->types_n++], EVENT_TYPE_CAP, "event.");
    int code = stream_read(cli, stream);
    if (code == CLI_DONE)
        code = feed_read(cli, stream->stream, open, false, &listener, &gathering);
    free(open);
    struct asker *asker = code == CLI_DONE ? asker_new(cli) : NULL;
    if (asker == NULL)
        return code == CLI_DONE ? CLI_SILENT : code;
    for (uint32_t i = 0; i < stream->workers_n; i++)
        if (worker[0] == '\0' || text_equal(worker, stream->workers[i]))
            worker_ask(asker, &gathering, stream->workers[i], at_least);
    asker_destroy(&asker);
    drop_over(parked);
    for (size_t i = 0; i < parked->n && code == CLI_DONE; i++)
        if (parked->items[i].type[0] == '\0')
            code = type_read(cli, stream->stream, &parked->items[i]);
    return code;
}

void parked_release(struct parked *parked)
{
    free(parked->items);
    *parked = (struct parked){0};
}
