#include "office.h"
#include "base/text.h"
#include "record/pack.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define NOON INT64_C(1309521600000000) /* 2011-07-01T12:00:00Z */

void office_open(struct office *office, enum stream_clock clock)
{
    *office = (struct office){.now_us = NOON};
    taker_init(&office->taker, 4096);
    struct stream_created *stream = &office->taker.journal.stream;
    record_clear(&stream_created_record, stream);
    text_copy(stream->stream, sizeof(stream->stream), "test-00000000");
    stream->clock = (int)clock;
    text_copy(stream->clock_source, sizeof(stream->clock_source), clock == CLOCK_STEPPED ? "import" : "");
    link_first(stream->stream, office->taker.journal.head.link);
    office->taker.journal.head.rec_us = clock == CLOCK_STEPPED ? NOON : 0;
    journal_batch_begin(&office->batch, &office->taker.journal);
    taker_say(&office->taker, &office->batch, "stream.created", stream->stream, stream, office->now_us);
}

void office_close(struct office *office)
{
    taker_release(&office->taker);
    journal_batch_release(&office->batch);
    buf_release(&office->draft);
    buf_release(&office->data);
    buf_release(&office->priv);
    buf_release(&office->bytes);
}

static void principal(struct office *office, const char *id, enum principal_kind kind, const char *types, const char *region,
                      const char *site)
{
    struct principal row;
    record_clear(&principal_record, &row);
    text_copy(row.id, sizeof(row.id), id);
    row.kind = (int)kind;
    row.types_n = types[0] != '\0';
    text_copy(row.types[0], sizeof(row.types[0]), types);
    row.regions_n = region[0] != '\0';
    text_copy(row.regions[0], sizeof(row.regions[0]), region);
    row.sites_n = site[0] != '\0';
    text_copy(row.sites[0], sizeof(row.sites[0]), site);
    taker_say(&office->taker, &office->batch, "principal.added", id, &row, office->now_us);
}

static const char policy_json[] =
    "{\"name\":\"house\",\"version\":\"v1\",\"policy\":{\"name\":\"house\",\"version\":\"v1\",\"zone\":\"Asia/Shanghai\","
    "\"number_prefix\":\"GD01\",\"kinds\":[{\"name\":\"repair\",\"required\":[\"customer.phone\",\"region\"]},{\"name\":\"complaint\"}],"
    "\"priorities\":[{\"priority\":\"urgent\",\"match\":{\"priorities\":[\"urgent\"]}}],"
    "\"coverage\":[{\"clause\":\"C1\",\"basis\":\"sold\",\"length\":\"2y\",\"card_within\":\"30d\"}],\"repeat_within\":\"30d\"}}";

void office_furnish(struct office *office)
{
    principal(office, "operator", PRINCIPAL_OPERATOR, "", "", "");
    principal(office, "import", PRINCIPAL_IMPORT, "", "", "");
    principal(office, "gd01", PRINCIPAL_BRANCH, "", "44", "");
    principal(office, "S7", PRINCIPAL_SITE, "", "", "S7");
    principal(office, "dispatcher", PRINCIPAL_WORKER, "job.", "", "");
    assert_true(office_say(office, "operator", "policy.published", "house", policy_json, NULL));
}

struct source_row *office_source(struct office *office, const char *name)
{
    for (size_t i = 0; i < office->sources_n; i++)
        if (text_equal(office->sources[i].name, name))
            return &office->sources[i];
    assert_true(office->sources_n < OFFICE_SOURCES_MAX);
    struct source_row *source = &office->sources[office->sources_n++];
    source->id = (int64_t)office->sources_n + 1;
    text_copy(source->name, sizeof(source->name), name);
    return source;
}

/* What is not in memory is nowhere. */
static void fill_misses(struct tables *tables)
{
    const struct miss *misses;
    size_t n = tables_misses(tables, &misses);
    assert_true(n > 0);
    for (size_t i = 0; i < n; i++)
        tables_fill(tables, misses[i].table, misses[i].key, NULL);
    tables_misses_reset(tables);
}

/* By the type's record where it fits (times become timestamps), as it stands where it does not (what is refused). */
static struct bytes json(const struct event_type *type, enum record_part part, const char *text, struct buf *out)
{
    struct problem problem;
    buf_reset(out);
    if (text == NULL)
        return bytes_of(NULL, 0);
    struct arena *arena = arena_new(4096);
    void *object = type != NULL ? memory_new(type->data->size) : NULL;
    if (type != NULL && record_parse_json(type->data, part, DECODE_STRICT, text, strlen(text), arena, object, &problem))
        record_encode(type->data, part, object, out);
    else if (!raw_parse_json(text, strlen(text), out, &problem))
        fail_msg("%s: %s", text, problem.code);
    free(object);
    arena_destroy(&arena);
    return buf_bytes(out);
}

bool office_say(struct office *office, const char *source_name, const char *type, const char *key, const char *data,
                const char *priv)
{
    static const uint8_t salt[SALT_BYTES] = {7};
    struct source_row *source = office_source(office, source_name);
    struct draft draft = {.type = type, .key = key, .at_us = office->at_us, .by = "somebody"};
    const struct event_type *known = event_type_find(type, 0);
    draft.data = json(known, RECORD_PLAIN, data != NULL ? data : "{}", &office->data);
    draft.priv = json(known, RECORD_PERSONAL, priv, &office->priv);
    buf_reset(&office->draft);
    draft_encode(&draft, &office->draft);
    buf_reset(&office->bytes);
    while (taker_take(&office->taker, &office->batch, source, buf_bytes(&office->draft), source->last + 1, office->now_us, salt,
                      &office->bytes) == TAKE_MISS)
        fill_misses(office->taker.tables);
    assert_true(answer_decode(buf_bytes(&office->bytes), &office->answer));
    return office->answer.taken;
}

void office_refuses(struct office *office, const char *source, const char *type, const char *key, const char *data, const char *priv,
                    const char *code, const char *field)
{
    uint64_t before = office->taker.journal.head.pos;
    int64_t n = office_source(office, source)->last;
    assert_false(office_say(office, source, type, key, data, priv));
    assert_string_equal(office->answer.problem.code, code);
    assert_string_equal(office->answer.problem.field, field);
    assert_int_equal(office->taker.journal.head.pos, before);
    assert_int_equal(office_source(office, source)->last, n + 1);
}

const struct event *office_event(struct office *office, uint32_t i, const struct record *record, void *object)
{
    struct problem problem;
    assert_true(i < office->batch.entries_n);
    const struct entry *entry = &office->batch.entries[i];
    assert_true(event_decode(journal_batch_bytes(&office->batch, entry->body), journal_batch_bytes(&office->batch, entry->priv),
                             &office->event, &problem));
    if (object != NULL)
        assert_true(record_decode(record, RECORD_PLAIN, DECODE_LENIENT, office->event.data, NULL, object, &problem));
    return &office->event;
}

const struct event *office_last(struct office *office, const struct record *record, void *object)
{
    return office_event(office, office->batch.entries_n - 1, record, object);
}

const char *office_result(const struct office *office, const char *name, char out[64])
{
    struct unpack in = unpack_of(office->answer.result);
    out[0] = '\0';
    if (office->answer.result.len == 0)
        return out;
    for (uint32_t pairs = unpack_next(&in).n; pairs > 0; pairs--) {
        bool wanted = bytes_equal(unpack_next(&in).bytes, bytes_of_text(name));
        struct pack_value value = unpack_next(&in);
        if (wanted && value.type == PACK_STR)
            text_copy_n(out, 64, (const char *)value.bytes.data, value.bytes.len);
    }
    return out;
}
