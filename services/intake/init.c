#include "init.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "birth.h"
#include "keys.h"
#include "refold.h"
#include "store.h"
#include "take.h"
#include <string.h>

/* What each worker concludes; its principal may append that and nothing else. */
static const struct {
    const char *name;
    const char *types[12];
} workers[] = {
    {"dispatcher",
     {"job.offered", "job.accepted", "job.expired", "job.withdrawn", "job.handed_over", "ticket.resolved", "ticket.escalated",
      "approval.requested", "quote.requested", "event.parked"}},
    {"sla-watchdog", {"sla.", "event.parked"}},
    {"follow-up",
     {"followup.due", "followup.missed", "visit.due", "ticket.closed", "ticket.reopened", "measure.", "event.parked"}},
    {"reporting", {"report.published", "report.closed", "event.parked"}},
};

/* An archive that an earlier release defined otherwise is made anew: it is the journal's fold. */
static bool connect_and_migrate(struct store *store, const struct settings *settings)
{
    enum status status = store_connect(store);
    if (status == STATUS_OK)
        status = store_migrate(store);
    if (status == STATUS_OK)
        status = store_archive(store);
    if (status == STATUS_OK)
        return true;
    bool redefined = status == STATUS_REFUSED && pg_sqlstate(store->pg)[0] == '\0';
    log_error("%s", pg_error(store->pg));
    return redefined && archive_rebuild(settings, false) == 0;
}

bool stream_migrate(const struct settings *settings)
{
    struct store store;
    store_init(&store, settings->intake.dsn, "migrate", settings->intake.lease_ms);
    bool fine = connect_and_migrate(&store, settings);
    store_release(&store);
    return fine;
}

/* What is said at a stream's beginning, and the keys of who is named there. */
struct beginning {
    const struct options *options;
    struct taker *taker;
    struct batch *batch;
    struct keys keys;
    int64_t now_us;
    bool failed; /* told in the log */
};

static void key_add(struct beginning *beginning, const char *kind, uint8_t keys[2][32], uint32_t *n, const char *id)
{
    if (beginning->options->keys && !beginning->failed)
        beginning->failed = !keys_take(&beginning->keys, id, kind, keys[(*n)++]);
}

static void principal_say(struct beginning *beginning, struct principal *principal, const char *kind)
{
    key_add(beginning, kind, principal->keys, &principal->keys_n, principal->id);
    taker_say(beginning->taker, beginning->batch, "principal.added", principal->id, principal, beginning->now_us);
}

static void person_say(struct beginning *beginning, const char *id, enum principal_kind kind)
{
    struct principal principal;
    record_clear(&principal_record, &principal);
    text_copy(principal.id, sizeof(principal.id), id);
    principal.kind = (int)kind;
    principal.personal = true;
    principal_say(beginning, &principal, id);
}

static void worker_say(struct beginning *beginning, size_t i)
{
    struct principal principal;
    record_clear(&principal_record, &principal);
    text_copy(principal.id, sizeof(principal.id), workers[i].name);
    principal.kind = PRINCIPAL_WORKER;
    principal.personal = true;
    for (size_t t = 0; t < COUNT_OF(workers[i].types) && workers[i].types[t] != NULL; t++)
        text_copy(principal.types[principal.types_n++], EVENT_TYPE_CAP, workers[i].types[t]);
    principal_say(beginning, &principal, "worker");
}

/* "ID" or "ID:REGION,REGION" */
static void branch_say(struct beginning *beginning, const char *branch)
{
    struct principal principal;
    record_clear(&principal_record, &principal);
    size_t n = strcspn(branch, ":");
    if (!text_is_key(branch, n) || !text_copy_n(principal.id, sizeof(principal.id), branch, n))
        log_fatal("--branch %s: an id is 1-63 of A-Z a-z 0-9 . _ -", branch);
    principal.kind = PRINCIPAL_BRANCH;
    principal.personal = true;
    for (const char *at = branch[n] == ':' ? branch + n + 1 : ""; *at != '\0';) {
        n = strcspn(at, ",");
        if (principal.regions_n == COUNT_OF(principal.regions) ||
            !text_copy_n(principal.regions[principal.regions_n++], EVENT_REGION_CAP, at, n))
            log_fatal("--branch %s: at most %zu regions of %d characters", branch, COUNT_OF(principal.regions), EVENT_REGION_CAP - 1);
        at += n + (at[n] == ',');
    }
    principal_say(beginning, &principal, "branch");
}

/* False: the keys cannot be made. */
static bool stream_say(const struct options *options, const struct settings *settings, const char *name, struct taker *taker,
                       struct batch *batch)
{
    struct stream_created *stream = &taker->journal.stream;
    struct beginning beginning = {.options = options, .taker = taker, .batch = batch};
    record_clear(&stream_created_record, stream);
    text_copy(stream->stream, sizeof(stream->stream), name);
    stream->clock = options->clock;
    if (options->clock == CLOCK_STEPPED) {
        stream->start_us = options->start_us;
        text_copy(stream->clock_source, sizeof(stream->clock_source), options->clock_source);
    }
    for (size_t i = 0; i < COUNT_OF(workers); i++)
        text_copy(stream->workers[stream->workers_n++], sizeof(stream->workers[0]), workers[i].name);
    beginning.now_us = options->clock == CLOCK_STEPPED ? options->start_us : clock_wall_us();
    if (options->keys)
        beginning.failed = !keys_open(&beginning.keys, settings, stream->stream);
    key_add(&beginning, "operator", stream->operator_keys, &stream->operator_keys_n, "operator");
    taker->journal.head.rec_us = beginning.now_us;
    link_first(stream->stream, taker->journal.head.link);
    journal_batch_begin(batch, &taker->journal);
    taker_say(taker, batch, "stream.created", stream->stream, stream, beginning.now_us);
    person_say(&beginning, "operator", PRINCIPAL_OPERATOR);
    person_say(&beginning, "import", PRINCIPAL_IMPORT);
    for (size_t i = 0; i < COUNT_OF(workers); i++)
        worker_say(&beginning, i);
    for (size_t i = 0; i < options->branches_n; i++)
        branch_say(&beginning, options->branches[i]);
    return !beginning.failed;
}

static enum status stream_write(struct store *store, const struct options *options, const struct settings *settings, const char *name)
{
    struct taker taker;
    struct batch batch = {0};
    taker_init(&taker, 64);
    enum status status = pg_run(store->pg, "INSERT INTO head (epoch, pos, link, rec, own_n, holder, lease_until)"
                                           " VALUES (0, 0, '', 'epoch', 0, 'init', now()) ON CONFLICT DO NOTHING;"
                                           " INSERT INTO source (id, name) VALUES (1, 'intake') ON CONFLICT DO NOTHING");
    if (status == STATUS_OK)
        status = store_partitions(store, 0);
    if (status == STATUS_OK) {
        status = stream_say(options, settings, name, &taker, &batch) ? STATUS_OK : STATUS_REFUSED;
        if (status == STATUS_OK)
            status = store_send(store, &batch, NULL, 0, taker.tables);
        if (status == STATUS_OK)
            status = store_wait(store, INT64_MAX);
    }
    if (status == STATUS_OK) {
        store_let_go(store, &taker.journal.head);
        log_info("stream %s", taker.journal.stream.stream);
    }
    journal_batch_release(&batch);
    taker_release(&taker);
    return status;
}

static bool is_of_name(const struct stream_created *stream, const char *name)
{
    size_t n = strlen(name);
    return strncmp(stream->stream, name, n) == 0 && stream->stream[n] == '-' && strlen(stream->stream) == n + 9;
}

/* Never beside the keys of another stream: then it is the settings that lost their database, not the stream that is missing. */
static bool stream_begin(struct store *store, const struct options *options, const struct settings *settings)
{
    char name[64];
    if (!birth_name(settings, options->name, name) || (options->keys && !birth_said(settings, name)))
        return false;
    if (stream_write(store, options, settings, name) != STATUS_OK) {
        log_error("%s", pg_error(store->pg));
        return false;
    }
    birth_done(settings, name);
    return true;
}

bool stream_init(const struct options *options, const struct settings *settings)
{
    struct store store;
    struct stream_created there;
    store_init(&store, settings->intake.dsn, "init", settings->intake.lease_ms);
    bool fine = connect_and_migrate(&store, settings);
    if (fine) {
        enum status status = store_stream(&store, &there);
        if (status == STATUS_OK) {
            fine = is_of_name(&there, options->name) && birth_is(settings, there.stream);
            if (fine) {
                log_info("stream %s is there already", there.stream);
                birth_done(settings, there.stream); /* one that broke off behind the commit had not said so */
            } else if (!is_of_name(&there, options->name))
                log_error("there is another stream already: %s", there.stream);
        } else {
            fine = status == STATUS_ABSENT && stream_begin(&store, options, settings);
            if (status != STATUS_ABSENT)
                log_error("%s", pg_error(store.pg));
        }
    }
    store_release(&store);
    return fine;
}
