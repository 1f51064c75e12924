/* What the branch is asked: its questions stand in proto/questions.c under "branch". */
#include "base/log.h"
#include "base/text.h"
#include "office_inside.h"
#include "proto/questions.h"
#include "record/pack.h"
#include <stdlib.h>
#include <string.h>

#define LIMIT_MAX 100
#define ANSWER_BYTES_MAX (200 * 1024)

struct asked {
    struct office *office;
    const struct verb_ask *ask;
    const void *args;
    const struct record *row;
    struct bytes rows[LIMIT_MAX];
    size_t starts[LIMIT_MAX + 1];
    uint32_t n, limit;
    char after[sizeof(((struct verb_answer *)0)->after)];
    bool more;
    struct verb_error error;
};

static bool has_room(const struct asked *a)
{
    return a->n < a->limit && a->office->rows.len < ANSWER_BYTES_MAX;
}

static void row_add(struct asked *a, const void *row)
{
    a->starts[a->n++] = a->office->rows.len;
    record_encode(a->row, RECORD_WHOLE, row, &a->office->rows);
    a->starts[a->n] = a->office->rows.len;
}

static void after_text(struct asked *a, const char *key)
{
    (void)text_copy(a->after, sizeof(a->after), key);
}

static void after_n(struct asked *a, int64_t n)
{
    text_format(a->after, sizeof(a->after), "%lld", (long long)n);
}

/* The number behind the page before. */
static int64_t next_n(const struct asked *a)
{
    int64_t after = strtoll(a->ask->after, NULL, 10);
    return after < 0 ? 0 : after < INT64_MAX ? after + 1 : after;
}

static bool refuse(struct asked *a, const char *code, const char *why)
{
    (void)text_copy(a->error.code, sizeof(a->error.code), code);
    (void)text_copy(a->error.why, sizeof(a->error.why), why);
    return false;
}

/* The last fact about a key that waits here: what the list says of it is about to change. */
static bool queued_fill(struct asked *a, const char *key, char out[EVENT_TYPE_CAP])
{
    struct spool_waiting waiting;
    enum status status = spool_waiting_last(a->office->spool, key, &waiting);
    if (status == STATUS_OK)
        (void)text_copy(out, EVENT_TYPE_CAP, waiting.type);
    return status == STATUS_OK || status == STATUS_ABSENT;
}

static bool ended(struct asked *a, enum status status)
{
    a->more = status == STATUS_OK;
    return status == STATUS_OK || status == STATUS_ABSENT || refuse(a, "database", "the branch's files cannot be read");
}

static bool answer_status(struct asked *a)
{
    struct branch_status_row row;
    office_status(a->office, a->office->now, &row);
    row_add(a, &row);
    return true;
}

static bool answer_jobs(struct asked *a)
{
    struct branch_job_row row;
    enum status status = STATUS_OK;
    after_text(a, a->ask->after);
    while (has_room(a) && (status = worklist_job(a->office->list, a->after, a->args, &row)) == STATUS_OK) {
        if (!queued_fill(a, row.ticket, row.queued))
            return ended(a, STATUS_CLOSED);
        row_add(a, &row);
        after_text(a, row.job);
    }
    return ended(a, status);
}

static bool answer_limits(struct asked *a)
{
    struct branch_limit_row row;
    enum status status = STATUS_OK;
    after_text(a, a->ask->after);
    while (has_room(a) && (status = worklist_limit(a->office->list, a->after, a->args, &row)) == STATUS_OK) {
        if (!queued_fill(a, row.key, row.queued))
            return ended(a, STATUS_CLOSED);
        row_add(a, &row);
        after_text(a, row.limit);
    }
    return ended(a, status);
}

static bool answer_callbacks(struct asked *a)
{
    struct branch_callback_row row;
    enum status status = STATUS_OK;
    after_text(a, a->ask->after);
    while (has_room(a) && (status = worklist_callback(a->office->list, a->after, a->args, &row)) == STATUS_OK) {
        if (!queued_fill(a, row.ticket, row.queued))
            return ended(a, STATUS_CLOSED);
        row_add(a, &row);
        after_text(a, row.callback);
    }
    return ended(a, status);
}

static bool answer_queued(struct asked *a)
{
    const struct branch_args *args = a->args;
    struct spool_waiting waiting;
    enum status status = STATUS_OK;
    int64_t n = next_n(a);
    while (has_room(a) && (status = spool_waiting(a->office->spool, n, args->key, &waiting)) == STATUS_OK) {
        struct branch_queued_row row = {.n = waiting.n,
                                        .taken_us = waiting.taken_us,
                                        .bytes = waiting.bytes,
                                        .clock_off_s = waiting.clock_off_us / SECOND_US};
        (void)text_copy(row.type, sizeof(row.type), waiting.type);
        (void)text_copy(row.key, sizeof(row.key), waiting.key);
        (void)text_copy(row.origin, sizeof(row.origin), waiting.origin);
        row_add(a, &row);
        after_n(a, waiting.n);
        n = waiting.n + 1;
    }
    return ended(a, status);
}

/* "DIGEST/TICKET" of the row before. */
static bool file_after(const char *text, struct drawer_row *after)
{
    char hex[2 * DIGEST_BYTES + 1];
    size_t n = strcspn(text, "/");
    return text_copy_n(hex, sizeof(hex), text, n) && n == 2 * DIGEST_BYTES && hex_parse(hex, DIGEST_BYTES, after->sha256) &&
           text_copy(after->ticket, sizeof(after->ticket), text + n + 1);
}

static bool answer_files(struct asked *a)
{
    const struct branch_args *args = a->args;
    struct drawer_row file;
    enum status status = STATUS_OK;
    bool begun = file_after(a->ask->after, &file);
    while (has_room(a) && (status = drawer_row(a->office->drawer, begun ? &file : NULL, args->key, &file)) == STATUS_OK) {
        struct branch_file_row row = {.bytes = file.bytes, .here = file.upto, .taken_us = file.taken_us};
        int64_t sent = courier_upto(a->office->courier, file.sha256);
        char after[sizeof(a->after)];
        begun = true;
        hex_print(file.sha256, DIGEST_BYTES, row.sha256);
        (void)text_copy(row.ticket, sizeof(row.ticket), file.ticket);
        (void)text_copy(row.state, sizeof(row.state), file.code[0] != '\0' ? "held" : !file.whole ? "awaited" : sent >= 0 ? "going" : "waits");
        (void)text_copy(row.code, sizeof(row.code), file.code);
        row.sent = sent > 0 ? sent : 0;
        row_add(a, &row);
        text_format(after, sizeof(after), "%s/%s", row.sha256, row.ticket);
        after_text(a, after);
    }
    return ended(a, status);
}

static void refused_fill(const struct spool_refused *refused, bool whole, struct branch_refused_row *row)
{
    static const char *const states[] = {
        [REFUSED_OPEN] = "open", [REFUSED_CORRECTED] = "corrected", [REFUSED_DROPPED] = "dropped"};
    *row = (struct branch_refused_row){.n = refused->n,
                                       .taken_us = refused->taken_us,
                                       .refused_us = refused->refused_us,
                                       .clock_off_s = refused->clock_off_us / SECOND_US,
                                       .corrected_by = refused->corrected_by};
    (void)text_copy(row->type, sizeof(row->type), refused->type);
    (void)text_copy(row->key, sizeof(row->key), refused->key);
    (void)text_copy(row->origin, sizeof(row->origin), refused->origin);
    (void)text_copy(row->code, sizeof(row->code), refused->problem.code);
    (void)text_copy(row->field, sizeof(row->field), refused->problem.field);
    (void)text_copy(row->args, sizeof(row->args), refused->problem.args);
    (void)text_copy(row->state, sizeof(row->state), states[refused->state]);
    (void)text_copy(row->reason, sizeof(row->reason), refused->reason);
    (void)text_copy(row->by, sizeof(row->by), refused->by);
    if (whole)
        row->draft = refused->draft;
}

static bool answer_refused(struct asked *a)
{
    const struct branch_refused_args *args = a->args;
    struct branch_refused_row row;
    struct spool_refused refused;
    enum status status = STATUS_OK;
    int64_t n = args->n > 0 ? args->n : next_n(a);
    while (has_room(a) && (status = spool_refused(a->office->spool, n, args->all || args->n > 0, &refused)) == STATUS_OK) {
        if (args->n > 0 && refused.n != args->n)
            return true;
        refused_fill(&refused, args->n > 0, &row);
        row_add(a, &row);
        if (args->n > 0)
            return true;
        after_n(a, refused.n);
        n = refused.n + 1;
    }
    return ended(a, status);
}

/* The one question that changes something: it answers with what is left out from now on. */
static bool answer_drop(struct asked *a)
{
    const struct branch_drop_args *args = a->args;
    struct branch_refused_row row;
    struct spool_refused refused;
    struct spool *spool = a->office->spool;
    struct let_go let_go;
    char request_id[EVENT_KEY_CAP];
    enum status status = spool_refused(spool, args->n, false, &refused);
    bool file = status == STATUS_OK && refused.n == args->n && let_go_read(refused.draft, refused.n, &let_go);
    if (status == STATUS_OK && refused.n == args->n && draft_request_id(refused.draft, request_id))
        status = spool_request_forget(spool, request_id);
    if (status == STATUS_OK)
        status = spool_dropped(spool, args->n, args->reason, args->by);
    if (status == STATUS_OK)
        status = spool_commit(spool);
    else
        spool_rollback(spool);
    if (status == STATUS_OK && file)
        taking_let_go(&a->office->taking, &let_go);
    a->office->doubt = !files_let_go(a->office) || status == STATUS_DOUBT || a->office->doubt;
    if (status == STATUS_ABSENT)
        return refuse(a, "refused.unknown", "no such refusal, or it is settled");
    if (status == STATUS_OK)
        status = spool_refused(spool, args->n, true, &refused);
    if (status != STATUS_OK)
        return refuse(a, "disk.full", "no room on the disk");
    log_info("refused fact %lld is left out: %s", (long long)args->n, args->reason);
    refused_fill(&refused, false, &row);
    row_add(a, &row);
    return true;
}

static const struct {
    const char *question;
    bool (*answer)(struct asked *);
} answers[] = {{"status", answer_status},       {"jobs", answer_jobs},     {"limits", answer_limits},
               {"callbacks", answer_callbacks}, {"queued", answer_queued}, {"refused", answer_refused},
               {"drop", answer_drop},          {"files", answer_files}};

static bool ask_read(struct office *o, const struct question *question, struct verb_ask *ask, struct problem *problem)
{
    arena_reset(o->arena);
    return record_decode(&verb_ask_record, RECORD_WHOLE, DECODE_LENIENT, buf_bytes(&question->map), o->arena, ask, problem);
}

static bool args_read(struct asked *a, const struct question_type *type)
{
    struct problem problem;
    void *args = arena_alloc(a->office->arena, type->args->size);
    a->args = args;
    if (a->ask->args.len == 0) {
        record_clear(type->args, args);
        return true;
    }
    return record_decode(type->args, RECORD_WHOLE, DECODE_STRICT, a->ask->args, a->office->arena, args, &problem) ||
           refuse(a, problem.code, problem.field);
}

static bool judge(struct asked *a)
{
    const struct question_type *type = question_find("branch", a->ask->question);
    if (!text_equal(a->ask->to, "branch"))
        return refuse(a, "nobody", "only the branch answers here");
    if (type == NULL)
        return refuse(a, "unknown-question", a->ask->question);
    if (!args_read(a, type))
        return false;
    a->row = type->row;
    for (size_t i = 0; i < COUNT_OF(answers); i++)
        if (text_equal(answers[i].question, a->ask->question))
            return answers[i].answer(a);
    return refuse(a, "unknown-question", a->ask->question);
}

void office_answer(struct office *o, const struct question *question)
{
    struct verb_ask ask;
    struct problem problem;
    struct asked a = {.office = o, .ask = &ask, .limit = LIMIT_MAX};
    buf_reset(&o->rows);
    record_clear(&verb_ask_record, &ask);
    bool good = ask_read(o, question, &ask, &problem) ? true : refuse(&a, problem.code, problem.field);
    if (good && ask.limit > 0 && ask.limit < LIMIT_MAX)
        a.limit = (uint32_t)ask.limit;
    if (good)
        good = judge(&a);
    if (!good) {
        a.error.id = ask.id;
        guests_say(o->guests, &question->peer, "ERROR", &verb_error_record, &a.error);
        return;
    }
    for (uint32_t i = 0; i < a.n; i++)
        a.rows[i] = bytes_of(o->rows.data + a.starts[i], a.starts[i + 1] - a.starts[i]);
    struct verb_answer answer = {.id = ask.id,
                                 .rows = {.items = a.rows, .n = a.n},
                                 .as_of = (int64_t)worklist_state(o->list)->pos,
                                 .more = a.more};
    (void)text_copy(answer.after, sizeof(answer.after), a.after);
    guests_say(o->guests, &question->peer, "ANSWER", &verb_answer_record, &answer);
}
