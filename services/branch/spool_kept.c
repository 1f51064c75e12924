/* The spool's file: who gave what and was answered how; numbers; what was refused; what is shown; what is erased. */
#include "base/text.h"
#include "fact.h"
#include "spool_inside.h"
#include <string.h>

/* --- origins -------------------------------------------------------------------------------------- */

enum status spool_origin(struct spool *spool, const char *name, struct spool_origin *out)
{
    struct sqlite3_stmt *row = db_use(spool->db, ORIGIN_GET);
    memset(out, 0, sizeof(*out));
    (void)text_copy(out->name, sizeof(out->name), name);
    db_text(row, 1, name);
    enum status status = db_step(spool->db, row);
    if (status != STATUS_OK)
        return status;
    struct bytes incarnation = db_column_bytes(row, 1);
    out->id = db_column_int(row, 0);
    out->last = db_column_int(row, 2);
    if (incarnation.len == INCARNATION_BYTES)
        memcpy(out->incarnation, incarnation.data, INCARNATION_BYTES);
    return STATUS_OK;
}

static enum status origin_add(struct spool *spool, struct spool_origin *origin, int64_t now_us)
{
    struct sqlite3_stmt *add = db_use(spool->db, ORIGIN_ADD);
    db_text(add, 1, origin->name);
    db_bytes(add, 2, bytes_of(origin->incarnation, INCARNATION_BYTES));
    db_int(add, 3, origin->last);
    db_int(add, 4, now_us);
    enum status status = db_step(spool->db, add);
    if (status == STATUS_OK)
        origin->id = db_column_int(add, 0);
    (void)db_use(spool->db, ORIGIN_ADD);
    return status;
}

enum status spool_origin_keep(struct spool *spool, struct spool_origin *origin, int64_t now_us)
{
    enum status status = spool_begin(spool);
    if (status != STATUS_OK)
        return status;
    if (origin->id == 0)
        return origin_add(spool, origin, now_us);
    struct sqlite3_stmt *put = db_use(spool->db, ORIGIN_PUT);
    db_bytes(put, 1, bytes_of(origin->incarnation, INCARNATION_BYTES));
    db_int(put, 2, origin->last);
    db_int(put, 3, now_us);
    db_int(put, 4, origin->id);
    return db_do(spool->db, put);
}

enum status spool_answer(struct spool *spool, int64_t origin, int64_t n, uint8_t digest[DIGEST_BYTES], struct buf *answer)
{
    struct sqlite3_stmt *row = db_use(spool->db, ANSWER_GET);
    db_int(row, 1, origin);
    db_int(row, 2, n);
    enum status status = db_step(spool->db, row);
    if (status != STATUS_OK)
        return status;
    struct bytes stored = db_column_bytes(row, 0);
    if (stored.len == DIGEST_BYTES)
        memcpy(digest, stored.data, DIGEST_BYTES);
    stored = db_column_bytes(row, 1);
    buf_append(answer, stored.data, stored.len);
    return STATUS_OK;
}

enum status spool_answer_keep(struct spool *spool, int64_t origin, int64_t n, const uint8_t digest[DIGEST_BYTES],
                              struct bytes answer, int64_t now_us)
{
    enum status status = spool_begin(spool);
    if (status != STATUS_OK)
        return status;
    struct sqlite3_stmt *add = db_use(spool->db, ANSWER_ADD);
    db_int(add, 1, origin);
    db_int(add, 2, n);
    db_bytes(add, 3, bytes_of(digest, DIGEST_BYTES));
    db_bytes(add, 4, answer);
    db_int(add, 5, now_us);
    return db_do(spool->db, add);
}

enum status spool_answers_forget(struct spool *spool, int64_t origin, int64_t n)
{
    enum status status = spool_begin(spool);
    if (status != STATUS_OK)
        return status;
    struct sqlite3_stmt *forget = db_use(spool->db, ANSWER_FORGET);
    db_int(forget, 1, origin);
    db_int(forget, 2, n);
    return db_do(spool->db, forget);
}

enum status spool_forget(struct spool *spool, int64_t before_us)
{
    static const enum spool_statement aged[] = {ANSWER_AGE, REQUEST_AGE, REFUSED_AGE};
    enum status status = spool_begin(spool);
    for (size_t i = 0; i < COUNT_OF(aged) && status == STATUS_OK; i++) {
        struct sqlite3_stmt *age = db_use(spool->db, (int)aged[i]);
        db_int(age, 1, before_us);
        status = db_do(spool->db, age);
    }
    return status;
}

/* --- numbers -------------------------------------------------------------------------------------- */

enum status spool_series_next(struct spool *spool, const char *series, int64_t *n)
{
    enum status status = spool_begin(spool);
    if (status != STATUS_OK)
        return status;
    struct sqlite3_stmt *next = db_use(spool->db, SERIES_NEXT);
    db_text(next, 1, series);
    status = db_step(spool->db, next);
    if (status == STATUS_OK)
        *n = db_column_int(next, 0);
    (void)db_use(spool->db, SERIES_NEXT);
    return status;
}

enum status spool_series_seen(struct spool *spool, const char *series, int64_t n)
{
    struct sqlite3_stmt *row = db_use(spool->db, SERIES_GET);
    db_text(row, 1, series);
    enum status status = db_step(spool->db, row);
    bool known = status == STATUS_OK && db_column_int(row, 0) >= n;
    (void)db_use(spool->db, SERIES_GET);
    if (known)
        return STATUS_OK;
    status = status == STATUS_OK || status == STATUS_ABSENT ? spool_begin(spool) : status;
    if (status != STATUS_OK)
        return status;
    struct sqlite3_stmt *seen = db_use(spool->db, SERIES_SEEN);
    db_text(seen, 1, series);
    db_int(seen, 2, n);
    return db_do(spool->db, seen);
}

enum status spool_request(struct spool *spool, const char *request_id, struct buf *result)
{
    struct sqlite3_stmt *row = db_use(spool->db, REQUEST_GET);
    db_text(row, 1, request_id);
    enum status status = db_step(spool->db, row);
    if (status != STATUS_OK)
        return status;
    struct bytes stored = db_column_bytes(row, 0);
    buf_append(result, stored.data, stored.len);
    return STATUS_OK;
}

enum status spool_request_keep(struct spool *spool, const char *request_id, struct bytes result, int64_t now_us)
{
    enum status status = spool_begin(spool);
    if (status != STATUS_OK)
        return status;
    struct sqlite3_stmt *add = db_use(spool->db, REQUEST_ADD);
    db_text(add, 1, request_id);
    db_bytes(add, 2, result);
    db_int(add, 3, now_us);
    return db_do(spool->db, add);
}

enum status spool_request_forget(struct spool *spool, const char *request_id)
{
    enum status status = spool_begin(spool);
    if (status != STATUS_OK)
        return status;
    struct sqlite3_stmt *forget = db_use(spool->db, REQUEST_FORGET);
    db_text(forget, 1, request_id);
    return db_do(spool->db, forget);
}

/* --- what was refused ------------------------------------------------------------------------------ */

enum status spool_refuse(struct spool *spool, const struct answer *answer, int64_t now_us)
{
    enum status status = spool_begin(spool);
    if (status != STATUS_OK)
        return status;
    struct sqlite3_stmt *add = db_use(spool->db, REFUSED_ADD);
    db_int(add, 1, now_us);
    db_text(add, 2, answer->problem.code);
    db_text(add, 3, answer->problem.field);
    db_text(add, 4, answer->problem.args);
    db_int(add, 5, answer->n);
    status = db_do(spool->db, add);
    if (status == STATUS_OK && db_changes(spool->db) > 0)
        spool->state.refused++;
    return status;
}

enum status spool_refused(struct spool *spool, int64_t n, bool all, struct spool_refused *out)
{
    struct sqlite3_stmt *row = db_use(spool->db, REFUSED_NEXT);
    db_int(row, 1, n);
    db_int(row, 2, all);
    enum status status = db_step(spool->db, row);
    if (status != STATUS_OK)
        return status;
    memset(out, 0, sizeof(*out));
    out->n = db_column_int(row, 0);
    out->taken_us = db_column_int(row, 1);
    out->refused_us = db_column_int(row, 2);
    out->clock_off_us = db_column_int(row, 3);
    db_column_text(row, 4, out->type, sizeof(out->type));
    db_column_text(row, 5, out->key, sizeof(out->key));
    db_column_text(row, 6, out->origin, sizeof(out->origin));
    db_column_text(row, 7, out->problem.code, sizeof(out->problem.code));
    db_column_text(row, 8, out->problem.field, sizeof(out->problem.field));
    db_column_text(row, 9, out->problem.args, sizeof(out->problem.args));
    out->state = (enum refused_state)db_column_int(row, 10);
    out->corrected_by = db_column_int(row, 11);
    db_column_text(row, 12, out->reason, sizeof(out->reason));
    db_column_text(row, 13, out->by, sizeof(out->by));
    struct bytes draft = db_column_bytes(row, 14);
    buf_reset(&spool->kept);
    buf_append(&spool->kept, draft.data, draft.len);
    out->draft = buf_bytes(&spool->kept);
    (void)db_use(spool->db, REFUSED_NEXT);
    return STATUS_OK;
}

static enum status settle(struct spool *spool, int64_t n, enum refused_state state, int64_t corrected_by, const char *reason,
                          const char *by)
{
    enum status status = spool_begin(spool);
    if (status != STATUS_OK)
        return status;
    struct sqlite3_stmt *put = db_use(spool->db, REFUSED_SETTLE);
    db_int(put, 1, state);
    db_int(put, 2, corrected_by);
    db_text(put, 3, reason);
    db_text(put, 4, by);
    db_int(put, 5, n);
    status = db_do(spool->db, put);
    if (status == STATUS_OK && db_changes(spool->db) == 0)
        return STATUS_ABSENT;
    if (status == STATUS_OK)
        spool->state.refused--;
    return status;
}

enum status spool_corrected(struct spool *spool, int64_t n, int64_t by)
{
    return settle(spool, n, REFUSED_CORRECTED, by, "", "");
}

enum status spool_dropped(struct spool *spool, int64_t n, const char *reason, const char *by)
{
    return settle(spool, n, REFUSED_DROPPED, 0, reason, by);
}

/* --- what waits ----------------------------------------------------------------------------------- */

static enum status waiting_read(struct spool *spool, struct sqlite3_stmt *row, enum spool_statement which,
                                struct spool_waiting *out)
{
    enum status status = db_step(spool->db, row);
    if (status != STATUS_OK)
        return status;
    out->n = db_column_int(row, 0);
    out->taken_us = db_column_int(row, 1);
    out->clock_off_us = db_column_int(row, 2);
    out->bytes = db_column_int(row, 3);
    db_column_text(row, 4, out->type, sizeof(out->type));
    db_column_text(row, 5, out->key, sizeof(out->key));
    db_column_text(row, 6, out->origin, sizeof(out->origin));
    (void)db_use(spool->db, (int)which);
    return STATUS_OK;
}

enum status spool_waiting(struct spool *spool, int64_t n, const char *key, struct spool_waiting *out)
{
    enum spool_statement which = key[0] != '\0' ? FACT_NEXT_OF : FACT_NEXT;
    struct sqlite3_stmt *row = db_use(spool->db, (int)which);
    db_int(row, 1, n);
    if (which == FACT_NEXT_OF)
        db_text(row, 2, key);
    return waiting_read(spool, row, which, out);
}

enum status spool_waiting_last(struct spool *spool, const char *key, struct spool_waiting *out)
{
    struct sqlite3_stmt *row = db_use(spool->db, FACT_LAST_OF);
    db_text(row, 1, key);
    return waiting_read(spool, row, FACT_LAST_OF, out);
}

/* --- personal data -------------------------------------------------------------------------------- */

struct blanking {
    struct spool *spool;
    int64_t untouched;
    int64_t gone;
    bool learnt; /* a ticket that is the customer's, and was not known to be, or not up to there */
    spool_learnt *told;
    void *owner;
    struct buf without;
};

enum status spool_erased_keep(struct spool *spool, const char *key_or_customer)
{
    enum status status = spool_begin(spool);
    if (status != STATUS_OK)
        return status;
    struct sqlite3_stmt *put = db_use(spool->db, ERASED_PUT);
    db_text(put, 1, key_or_customer);
    db_int(put, 2, spool->state.last);
    status = db_do(spool->db, put);
    if (status == STATUS_OK)
        spool->erased++;
    spool->blanked = INT64_MAX;
    return status;
}

bool spool_has_erased(const struct spool *spool)
{
    return spool->erased > 0;
}

/* Up to which number what is about it has to be without personal data; 0: nothing has. */
static enum status erased_upto(struct spool *spool, const char *name, int64_t *upto)
{
    *upto = 0;
    if (name[0] == '\0')
        return STATUS_OK;
    struct sqlite3_stmt *row = db_use(spool->db, ERASED_FIND);
    db_text(row, 1, name);
    enum status status = db_step(spool->db, row);
    if (status == STATUS_OK)
        *upto = db_column_int(row, 0);
    (void)db_use(spool->db, ERASED_FIND);
    return status == STATUS_ABSENT ? STATUS_OK : status;
}

/* A ticket that was registered here and is not on the work list yet: what else is said of it speaks of the same customer. */
static enum status ticket_learn(struct blanking *b, const char *ticket, int64_t upto)
{
    struct sqlite3_stmt *learn = db_use(b->spool->db, ERASED_LEARN);
    db_text(learn, 1, ticket);
    db_int(learn, 2, upto);
    enum status status = db_do(b->spool->db, learn);
    if (status != STATUS_OK || db_changes(b->spool->db) == 0)
        return status;
    b->learnt = true;
    return b->told != NULL ? b->told(b->owner, ticket) : STATUS_OK;
}

static enum status draft_put(struct blanking *b, enum spool_statement put_it, int64_t n)
{
    struct spool *spool = b->spool;
    struct sqlite3_stmt *put = db_use(spool->db, (int)put_it);
    db_bytes(put, 1, buf_bytes(&b->without));
    db_int(put, 2, n);
    enum status status = db_do(spool->db, put);
    if (status == STATUS_OK && put_it == FACT_BLANK)
        spool->state.bytes += (int64_t)b->without.len - (int64_t)spool->kept.len;
    b->gone += status == STATUS_OK;
    return status;
}

static enum status blank_one(struct blanking *b, enum spool_statement put_it, int64_t n)
{
    struct fact fact;
    char customer[EVENT_KEY_CAP];
    int64_t of_key, of_customer;
    if (!draft_read(buf_bytes(&b->spool->kept), &fact, customer))
        return STATUS_OK;
    enum status status = erased_upto(b->spool, fact.key, &of_key);
    if (status == STATUS_OK)
        status = erased_upto(b->spool, customer, &of_customer);
    if (status != STATUS_OK || (n > of_key && n > of_customer))
        return status;
    if (fact_is_registration(&fact) && n <= of_customer)
        status = ticket_learn(b, fact.key, of_customer);
    buf_reset(&b->without);
    if (status != STATUS_OK || (put_it == FACT_BLANK && n < b->untouched) || !fact_blank(&fact, &b->without))
        return status;
    return draft_put(b, put_it, n);
}

/* Those with numbers from … upto. */
static enum status blank_all(struct blanking *b, enum spool_statement next, enum spool_statement put_it, int64_t from, int64_t upto)
{
    struct spool *spool = b->spool;
    enum status status = STATUS_OK;
    for (int64_t n = from; status == STATUS_OK; n++) {
        struct sqlite3_stmt *row = db_use(spool->db, (int)next);
        db_int(row, 1, n);
        db_int(row, 2, upto);
        status = db_step(spool->db, row);
        if (status != STATUS_OK)
            break;
        struct bytes draft = db_column_bytes(row, 1);
        n = db_column_int(row, 0);
        buf_reset(&spool->kept);
        buf_append(&spool->kept, draft.data, draft.len);
        (void)db_use(spool->db, (int)next);
        status = blank_one(b, put_it, n);
    }
    return status == STATUS_ABSENT ? STATUS_OK : status;
}

static enum status erased_last(struct spool *spool, int64_t *upto)
{
    struct sqlite3_stmt *row = db_use(spool->db, ERASED_LAST);
    enum status status = db_step(spool->db, row);
    *upto = status == STATUS_OK ? db_column_int(row, 0) : 0;
    (void)db_use(spool->db, ERASED_LAST);
    return status;
}

/* Once through what waits, whoever is remembered; then only what was under way at that time and is no more. Refused ones each time: there
 * are few, and what was under way comes to lie among them. */
static enum status erase_all(struct blanking *b)
{
    struct spool *spool = b->spool;
    bool whole = spool->blanked == INT64_MAX;
    int64_t upto;
    enum status status = erased_last(spool, &upto);
    b->learnt = false;
    if (status == STATUS_OK)
        status = blank_all(b, FACT_DRAFT, FACT_BLANK, whole ? 0 : b->untouched, upto < spool->blanked ? upto : spool->blanked - 1);
    if (status == STATUS_OK)
        status = blank_all(b, REFUSED_DRAFT, REFUSED_BLANK, 0, upto);
    if (b->learnt)
        spool->blanked = INT64_MAX; /* something of it may lie before its registration */
    else if (whole || b->untouched < spool->blanked)
        spool->blanked = b->untouched;
    return status;
}

enum status spool_erase(struct spool *spool, int64_t untouched, spool_learnt *learnt, void *owner, int64_t *gone)
{
    struct blanking b = {.spool = spool, .untouched = untouched, .told = learnt, .owner = owner};
    enum status status = spool_begin(spool);
    do
        status = status == STATUS_OK ? erase_all(&b) : status;
    while (status == STATUS_OK && b.learnt);
    buf_release(&b.without);
    if (status != STATUS_OK)
        return status;
    struct sqlite3_stmt *end = db_use(spool->db, ERASED_END);
    db_int(end, 1, spool->state.first);
    status = db_do(spool->db, end);
    if (status != STATUS_OK)
        return status;
    *gone = b.gone + db_changes(spool->db);
    struct sqlite3_stmt *left = db_use(spool->db, ERASED_COUNT);
    status = db_step(spool->db, left);
    spool->erased = status == STATUS_OK ? db_column_int(left, 0) : spool->erased;
    return status;
}

enum status spool_sweep(struct spool *spool)
{
    return db_sweep(spool->db);
}
