/* What each event does to the work list. Journal order decides, by the state tables of proto/README.md: an event that the state
 * contradicts changes nothing, and its counter-event follows by itself. */
#include "base/text.h"
#include "proto/catalogue.h"
#include "proto/followup.h"
#include "proto/sla.h"
#include "proto/ticket.h"
#include "worklist_inside.h"
#include <string.h>

#define WHOSE_US (90 * DAY_US)
/* A ticket that is opened again within this has its customer's telephone still. */
#define LEAVING_US (30 * DAY_US)

typedef enum status fold_event(struct worklist *, const struct event *, const void *data);

static enum status one_key(struct worklist *list, enum worklist_statement which, const char *key)
{
    struct sqlite3_stmt *statement = db_use(list->db, (int)which);
    db_text(statement, 1, key);
    return db_do(list->db, statement);
}

static enum status two_texts(struct worklist *list, enum worklist_statement which, const char *first, const char *second)
{
    struct sqlite3_stmt *statement = db_use(list->db, (int)which);
    db_text(statement, 1, first);
    db_text(statement, 2, second);
    return db_do(list->db, statement);
}

/* --- tickets -------------------------------------------------------------------------------------- */

/* Who is erased is erased with all that waits here of a ticket, open or not. */
static enum status whose_put(struct worklist *list, const char *ticket, const char *customer)
{
    return customer[0] != '\0' ? two_texts(list, WHOSE_PUT, ticket, customer) : STATUS_OK;
}

/* 0: it is open again. */
static enum status whose_ended(struct worklist *list, const char *ticket, int64_t ended_us)
{
    struct sqlite3_stmt *put = db_use(list->db, WHOSE_ENDED);
    db_int(put, 1, ended_us);
    db_text(put, 2, ticket);
    return db_do(list->db, put);
}

static enum status on_registered(struct worklist *list, const struct event *event, const void *data)
{
    const struct ticket_registered *t = data;
    struct sqlite3_stmt *put = db_use(list->db, TICKET_PUT);
    const char *texts[] = {event->key, t->kind, t->product, t->serial, t->priority, event->region, t->subject};
    for (size_t i = 0; i < COUNT_OF(texts); i++)
        db_text(put, (int)i + 1, texts[i]);
    enum status status = db_do(list->db, put);
    if (status == STATUS_OK)
        status = whose_put(list, event->key, t->customer.id);
    if (status != STATUS_OK || event->priv.len == 0)
        return status;
    const char *person[] = {event->key, t->customer.id, t->customer.name, t->customer.phone, t->customer.address};
    put = db_use(list->db, PERSON_PUT);
    for (size_t i = 0; i < COUNT_OF(person); i++)
        db_text(put, (int)i + 1, person[i]);
    return db_do(list->db, put);
}

static enum status on_assessed(struct worklist *list, const struct event *event, const void *data)
{
    const struct ticket_assessed *t = data;
    const char *texts[] = {event->key, t->kind, t->product, t->serial, t->priority, t->coverage, event->region};
    struct sqlite3_stmt *put = db_use(list->db, TICKET_ASSESSED);
    for (size_t i = 0; i < COUNT_OF(texts); i++)
        db_text(put, (int)i + 1, texts[i]);
    enum status status = db_do(list->db, put);
    return status == STATUS_OK ? whose_put(list, event->key, t->customer) : status;
}

static enum status on_reclassified(struct worklist *list, const struct event *event, const void *data)
{
    const struct ticket_reclassified *t = data;
    const char *texts[] = {event->key, t->kind, t->product, t->priority, t->region};
    struct sqlite3_stmt *put = db_use(list->db, TICKET_CLASS);
    for (size_t i = 0; i < COUNT_OF(texts); i++)
        db_text(put, (int)i + 1, texts[i]);
    return db_do(list->db, put);
}

static enum status on_resolved(struct worklist *list, const struct event *event, const void *data)
{
    (void)data;
    return one_key(list, JOB_RESOLVED, event->key);
}

static enum status on_reopened(struct worklist *list, const struct event *event, const void *data)
{
    (void)data;
    enum status status = whose_ended(list, event->key, 0);
    if (status == STATUS_OK)
        status = one_key(list, LEAVING_END, event->key);
    return status == STATUS_OK ? one_key(list, CALLBACK_END_OF, event->key) : status;
}

static enum status older_go(struct worklist *list, enum worklist_statement which, int64_t before_us)
{
    struct sqlite3_stmt *age = db_use(list->db, (int)which);
    db_int(age, 1, before_us);
    return db_do(list->db, age);
}

/* Nothing is to be done for it any more, but what is promised beyond its end. */
static enum status on_ended(struct worklist *list, const struct event *event, const void *data)
{
    static const enum worklist_statement ends[] = {JOB_END, LIMIT_END_OF, CALLBACK_END_OF};
    static const enum worklist_statement ages[] = {TICKET_AGE, PERSON_AGE, LEAVING_AGE};
    enum status status = STATUS_OK;
    (void)data;
    for (size_t i = 0; i < COUNT_OF(ends) && status == STATUS_OK; i++)
        status = one_key(list, ends[i], event->key);
    if (status == STATUS_OK)
        status = whose_ended(list, event->key, event->rec_us);
    if (status != STATUS_OK)
        return status;
    struct sqlite3_stmt *leaving = db_use(list->db, LEAVING_PUT);
    db_text(leaving, 1, event->key);
    db_int(leaving, 2, event->rec_us);
    status = db_do(list->db, leaving);
    for (size_t i = 0; i < COUNT_OF(ages) && status == STATUS_OK; i++)
        status = older_go(list, ages[i], event->rec_us - LEAVING_US);
    return status == STATUS_OK ? older_go(list, WHOSE_AGE, event->rec_us - WHOSE_US) : status;
}

/* --- jobs ----------------------------------------------------------------------------------------- */

static enum status on_offered(struct worklist *list, const struct event *event, const void *data)
{
    const struct job_offered *job = data;
    struct sqlite3_stmt *put = db_use(list->db, JOB_PUT);
    db_text(put, 1, job->job);
    db_text(put, 2, event->key);
    db_text(put, 3, job->site);
    db_int(put, 4, event->at_us != 0 ? event->at_us : event->rec_us);
    db_int(put, 5, job->due_us);
    db_text(put, 6, job->engineer);
    return db_do(list->db, put);
}

/* `from`: the states it changes, each between blanks. */
static enum status job_move(struct worklist *list, const char *job, const char *from, const char *to)
{
    char state[16], word[20];
    struct sqlite3_stmt *row = db_use(list->db, JOB_STATE_GET);
    db_text(row, 1, job);
    enum status status = db_step(list->db, row);
    if (status != STATUS_OK)
        return status == STATUS_ABSENT ? STATUS_OK : status;
    db_column_text(row, 0, state, sizeof(state));
    (void)db_use(list->db, JOB_STATE_GET);
    text_format(word, sizeof(word), " %s ", state);
    return strstr(from, word) != NULL ? two_texts(list, JOB_STATE, to, job) : STATUS_OK;
}

static enum status engineer_put(struct worklist *list, const char *job, const char *engineer)
{
    return engineer[0] != '\0' ? two_texts(list, JOB_ENGINEER, engineer, job) : STATUS_OK;
}

static enum status on_accepted(struct worklist *list, const struct event *event, const void *data)
{
    const struct job_accepted *job = data;
    (void)event;
    enum status status = job_move(list, job->job, " offered expired ", "accepted");
    return status == STATUS_OK ? engineer_put(list, job->job, job->engineer) : status;
}

static enum status on_declined(struct worklist *list, const struct event *event, const void *data)
{
    (void)event;
    return job_move(list, ((const struct job_declined *)data)->job, " offered accepted ", "declined");
}

static enum status on_expired(struct worklist *list, const struct event *event, const void *data)
{
    (void)event;
    return job_move(list, ((const struct job_expired *)data)->job, " offered ", "expired");
}

static enum status on_arrived(struct worklist *list, const struct event *event, const void *data)
{
    const struct job_arrived *job = data;
    (void)event;
    enum status status = job_move(list, job->job, " offered accepted expired ", "arrived");
    return status == STATUS_OK ? engineer_put(list, job->job, job->engineer) : status;
}

static enum status on_reported(struct worklist *list, const struct event *event, const void *data)
{
    (void)event;
    return job_move(list, ((const struct job_reported *)data)->job,
                    " offered accepted arrived declined expired withdrawn resolved ", "reported");
}

static enum status on_withdrawn(struct worklist *list, const struct event *event, const void *data)
{
    (void)event;
    return job_move(list, ((const struct job_withdrawn *)data)->job, " offered accepted arrived declined expired resolved ",
                    "withdrawn");
}

static enum status on_handed_over(struct worklist *list, const struct event *event, const void *data)
{
    const struct job_handed_over *job = data;
    (void)event;
    enum status status = two_texts(list, JOB_SITE, job->to, job->job);
    return status == STATUS_OK ? engineer_put(list, job->job, job->engineer) : status;
}

/* --- limits --------------------------------------------------------------------------------------- */

static void limit_name(const struct event *event, const char *clause, int64_t k, char out[120])
{
    text_format(out, 120, "%s/%s.%lld", event->key, clause, (long long)k);
}

static enum status on_scheduled(struct worklist *list, const struct event *event, const void *data)
{
    const struct sla_scheduled *sla = data;
    enum status status = STATUS_OK;
    for (uint32_t i = 0; i < sla->limits_n && status == STATUS_OK; i++) {
        const struct sla_limit *limit = &sla->limits[i];
        char name[120];
        limit_name(event, limit->clause, limit->k, name);
        struct sqlite3_stmt *put = db_use(list->db, LIMIT_PUT);
        db_text(put, 1, name);
        db_text(put, 2, event->key);
        db_text(put, 3, limit->clause);
        db_int(put, 4, limit->k);
        db_int(put, 5, limit->target);
        db_text(put, 6, limit->due_us != 0 ? "running" : "paused");
        db_int(put, 7, limit->due_us);
        db_int(put, 8, event->rec_us);
        status = db_do(list->db, put);
    }
    return status;
}

static enum status limit_state(struct worklist *list, const struct event *event, const char *name, const char *state)
{
    struct sqlite3_stmt *put = db_use(list->db, LIMIT_STATE);
    db_text(put, 1, state);
    db_int(put, 2, event->rec_us);
    db_text(put, 3, name);
    return db_do(list->db, put);
}

static enum status limit_level(struct worklist *list, const char *name, int64_t level)
{
    struct sqlite3_stmt *put = db_use(list->db, LIMIT_LEVEL);
    db_int(put, 1, level);
    db_text(put, 2, name);
    return db_do(list->db, put);
}

static enum status on_warned(struct worklist *list, const struct event *event, const void *data)
{
    const struct sla_warned *sla = data;
    char name[120];
    limit_name(event, sla->clause, sla->k, name);
    return limit_level(list, name, sla->level);
}

static enum status on_breached(struct worklist *list, const struct event *event, const void *data)
{
    const struct sla_breached *sla = data;
    char name[120];
    limit_name(event, sla->clause, sla->k, name);
    enum status status = limit_state(list, event, name, "breached");
    if (status == STATUS_OK)
        status = limit_level(list, name, sla->level);
    /* What was broken on something that never ends is no more work after a while. */
    return status == STATUS_OK ? older_go(list, LIMIT_AGE, event->rec_us - 30 * DAY_US) : status;
}

static enum status on_met(struct worklist *list, const struct event *event, const void *data)
{
    const struct sla_met *sla = data;
    char name[120];
    limit_name(event, sla->clause, sla->k, name);
    return one_key(list, LIMIT_END, name);
}

static enum status on_corrected(struct worklist *list, const struct event *event, const void *data)
{
    const struct sla_corrected *sla = data;
    char name[120];
    limit_name(event, sla->clause, sla->k, name);
    if (text_equal(sla->is, "met") || text_equal(sla->is, "over"))
        return one_key(list, LIMIT_END, name);
    return limit_state(list, event, name, text_equal(sla->is, "breached") ? "breached" : "running");
}

/* --- callbacks ------------------------------------------------------------------------------------ */

static void callback_name(const struct event *event, int64_t k, char out[96])
{
    text_format(out, 96, "%s/%lld", event->key, (long long)k);
}

static enum status on_callback_due(struct worklist *list, const struct event *event, const void *data)
{
    const struct followup_due *due = data;
    char name[96];
    callback_name(event, due->k, name);
    struct sqlite3_stmt *put = db_use(list->db, CALLBACK_PUT);
    db_text(put, 1, name);
    db_text(put, 2, event->key);
    db_int(put, 3, due->k);
    db_int(put, 4, due->due_us);
    db_int(put, 5, due->until_us);
    return db_do(list->db, put);
}

static enum status callback_end(struct worklist *list, const struct event *event, int64_t k)
{
    char name[96];
    callback_name(event, k, name);
    return k == 0 ? one_key(list, CALLBACK_END_OF, event->key) : one_key(list, CALLBACK_END, name);
}

static enum status on_callback_recorded(struct worklist *list, const struct event *event, const void *data)
{
    const struct followup_recorded *recorded = data;
    return recorded->reached ? callback_end(list, event, recorded->k) : STATUS_OK;
}

static enum status on_callback_missed(struct worklist *list, const struct event *event, const void *data)
{
    return callback_end(list, event, ((const struct followup_missed *)data)->k);
}

/* --- all of them ---------------------------------------------------------------------------------- */

static const struct {
    const char *type;
    fold_event *fold;
} folds[] = {
    {"ticket.registered", on_registered},
    {"ticket.assessed", on_assessed},
    {"ticket.reclassified", on_reclassified},
    {"ticket.resolved", on_resolved},
    {"ticket.reopened", on_reopened},
    {"ticket.closed", on_ended},
    {"ticket.cancelled", on_ended},
    {"job.offered", on_offered},
    {"job.accepted", on_accepted},
    {"job.declined", on_declined},
    {"job.expired", on_expired},
    {"job.arrived", on_arrived},
    {"job.reported", on_reported},
    {"job.withdrawn", on_withdrawn},
    {"job.handed_over", on_handed_over},
    {"sla.scheduled", on_scheduled},
    {"sla.warned", on_warned},
    {"sla.breached", on_breached},
    {"sla.met", on_met},
    {"sla.corrected", on_corrected},
    {"followup.due", on_callback_due},
    {"followup.recorded", on_callback_recorded},
    {"followup.missed", on_callback_missed},
};

static fold_event *fold_of(const char *type)
{
    for (size_t i = 0; i < COUNT_OF(folds); i++)
        if (text_equal(folds[i].type, type))
            return folds[i].fold;
    return NULL;
}

/* False: its version is newer than this program. */
static bool data_read(struct worklist *list, const struct event *event, const struct event_type *type)
{
    struct problem problem;
    struct bytes personal = event_personal(event);
    if (type->data->size > list->object_cap) {
        list->object = memory_grow(list->object, type->data->size);
        list->object_cap = type->data->size;
    }
    arena_reset(list->arena);
    if (!record_decode(type->data, RECORD_PLAIN, DECODE_LENIENT, event->data, list->arena, list->object, &problem))
        return false;
    return personal.len == 0 || record_decode(type->data, RECORD_PERSONAL, DECODE_LENIENT | DECODE_KEEP, personal, list->arena,
                                              list->object, &problem);
}

enum status worklist_apply(struct worklist *list, const struct event *event)
{
    fold_event *fold = fold_of(event->type);
    if (fold == NULL)
        return STATUS_OK;
    const struct event_type *type = event_type_find(event->type, event->v);
    if (type == NULL || !data_read(list, event, type))
        return STATUS_REFUSED;
    enum status status = worklist_change(list);
    return status == STATUS_OK ? fold(list, event, list->object) : status;
}
