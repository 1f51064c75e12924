#include "taking.h"
#include "base/text.h"
#include "record/pack.h"
#include <stdlib.h>
#include <string.h>

void taking_init(struct taking *t, struct spool *spool, const char *prefix, const struct zone *zone)
{
    *t = (struct taking){.spool = spool, .zone = zone, .reader = fact_reader_new()};
    (void)text_copy(t->prefix, sizeof(t->prefix), prefix);
}

void taking_release(struct taking *t)
{
    fact_reader_destroy(&t->reader);
    buf_release(&t->draft);
    buf_release(&t->result);
    free(t->let_go);
    t->let_go = NULL;
}

bool let_go_read(struct bytes draft, int64_t n, struct let_go *out)
{
    struct file_attached file;
    if (!draft_names_file(draft, &file, out->ticket))
        return false;
    memcpy(out->sha256, file.sha256, DIGEST_BYTES);
    out->n = n;
    return true;
}

void taking_let_go(struct taking *t, const struct let_go *let_go)
{
    if (t->drawer == NULL)
        return;
    t->let_go = memory_grow(t->let_go, (t->let_go_n + 1) * sizeof(t->let_go[0]));
    t->let_go[t->let_go_n++] = *let_go;
}

static enum status number_give(struct taking *t, struct fact *fact, int64_t now_us)
{
    char series[NUMBER_SERIES_CAP];
    int64_t n = 0;
    number_series(t->prefix, t->zone, now_us, series);
    enum status status = spool_series_next(t->spool, series, &n);
    if (status == STATUS_OK)
        number_print(series, n, fact->key);
    return status;
}

static void result_print(struct taking *t, const struct fact *fact, int64_t n)
{
    bool number = fact_is_registration(fact);
    buf_reset(&t->result);
    pack_map(&t->result, number ? 3 : 2);
    pack_text(&t->result, "n");
    pack_int(&t->result, n);
    if (number) {
        pack_text(&t->result, "number");
        pack_text(&t->result, fact->key);
    }
    pack_text(&t->result, "queued");
    pack_int(&t->result, spool_state(t->spool)->facts);
}

/* A file that a fact names: its bytes may come from now on. */
static enum status file_expect(struct taking *t, const struct fact *fact, int64_t n, int64_t now_us)
{
    struct file_attached file;
    if (t->drawer == NULL || !fact_names_file(fact, &file))
        return STATUS_OK;
    t->named = true;
    return drawer_expect(t->drawer, file.sha256, file.bytes, fact->key, n, now_us);
}

static enum status put(struct taking *t, struct fact *fact, const char *origin, int64_t now_us)
{
    int64_t n = 0;
    enum status status = STATUS_OK;
    /* A day that the wrong clock makes of it is a day all the same: numbers of a series go on where they were. */
    if (fact_is_registration(fact) && fact->key[0] == '\0')
        status = number_give(t, fact, now_us);
    if (status != STATUS_OK)
        return status;
    if (fact->at_us == 0)
        fact->at_us = now_us;
    buf_reset(&t->draft);
    fact_print(fact, &t->draft);
    const struct spool_fact row = {.type = fact->type,
                                   .key = fact->key,
                                   .draft = buf_bytes(&t->draft),
                                   .taken_us = now_us,
                                   .clock_off_us = t->clock_off_us,
                                   .origin = origin};
    status = spool_take(t->spool, &row, &n);
    if (status == STATUS_OK)
        status = file_expect(t, fact, n, now_us);
    if (status == STATUS_OK && fact->corrects != 0)
        status = spool_corrected(t->spool, fact->corrects, n);
    if (status != STATUS_OK)
        return status;
    if (t->corrected.ticket[0] != '\0')
        taking_let_go(t, &t->corrected);
    result_print(t, fact, n);
    return fact->request_id[0] != '\0' ? spool_request_keep(t->spool, fact->request_id, buf_bytes(&t->result), now_us) : STATUS_OK;
}

/* Was it said before under another number? Then it gets the first one's answer; the customer has that number. */
static enum status repeated(struct taking *t, const struct fact *fact)
{
    if (fact->request_id[0] == '\0' || fact->corrects != 0)
        return STATUS_ABSENT;
    buf_reset(&t->result);
    return spool_request(t->spool, fact->request_id, &t->result);
}

static enum status corrects_judge(struct taking *t, const struct fact *fact, struct answer *said)
{
    struct spool_refused refused;
    t->corrected.ticket[0] = '\0';
    if (fact->corrects == 0)
        return STATUS_OK;
    enum status status = spool_refused(t->spool, fact->corrects, false, &refused);
    if (status == STATUS_ABSENT || (status == STATUS_OK && refused.n != fact->corrects)) {
        said->taken = problem_set(&said->problem, "refused.unknown", "corrects", "%lld", (long long)fact->corrects);
        return STATUS_OK;
    }
    if (status == STATUS_OK && !let_go_read(refused.draft, refused.n, &t->corrected))
        t->corrected.ticket[0] = '\0';
    return status;
}

enum status taking_take(struct taking *t, const char *origin, struct bytes raw, int64_t n, int64_t now_us, struct buf *answer)
{
    struct answer said = {.n = n, .taken = true};
    struct fact fact;
    enum status status = STATUS_OK;
    said.taken = fact_read(t->reader, raw, &fact, &said.problem);
    if (said.taken)
        status = corrects_judge(t, &fact, &said);
    if (status == STATUS_OK && said.taken) {
        status = repeated(t, &fact);
        if (status == STATUS_ABSENT)
            status = put(t, &fact, origin, now_us);
        said.result = buf_bytes(&t->result);
    }
    if (status == STATUS_OK)
        answer_encode(&said, answer);
    return status;
}
