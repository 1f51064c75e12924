/* The data of every event type, as a sender's or as stored: what is taken is written, read and printed again as the same; and whole
 * bodies and drafts. [type, 1 byte][msgpack] */
#include "event/event.h"
#include "fill.h"
#include "fuzz.h"
#include "mutate.h"
#include "proto/catalogue.h"
#include "record/pack.h"
#include "seeds.h"
#include "services/intake/journal.h"
#include <assert.h>
#include <string.h>

static size_t types(void)
{
    size_t n = 0;
    while (event_type_at(n) != NULL)
        n++;
    return n;
}

/* Its JSON image may lose what kind of value it was: a time becomes a text. */
static bool has_raw(const struct record *record)
{
    for (size_t i = 0; i < record->n; i++) {
        const struct field *field = &record->fields[i];
        const struct record *sub = field->sub != NULL ? field->sub : field->elem != NULL ? field->elem->sub : NULL;
        if (field->kind == FIELD_RAW || (field->elem != NULL && field->elem->kind == FIELD_RAW) || (sub != NULL && has_raw(sub)))
            return true;
    }
    return false;
}

static void again(const struct record *record, enum record_part part, const void *object, struct arena *arena)
{
    struct problem problem;
    struct buf once = {0}, twice = {0}, json = {0};
    void *second = arena_alloc(arena, record->size);
    record_encode(record, part, object, &once);
    bool taken = skim(buf_bytes(&once), &problem) && record_decode(record, part, DECODE_STRICT, buf_bytes(&once), arena, second, &problem);
    assert(taken);
    record_encode(record, part, second, &twice);
    assert(bytes_equal(buf_bytes(&once), buf_bytes(&twice)));
    record_print_json(record, part, object, &json);
    taken = record_parse_json(record, part, DECODE_STRICT, buf_text(&json), json.len, arena, second, &problem);
    assert(taken);
    buf_reset(&twice);
    record_encode(record, part, second, &twice);
    assert(has_raw(record) || bytes_equal(buf_bytes(&once), buf_bytes(&twice)));
    buf_release(&once);
    buf_release(&twice);
    buf_release(&json);
}

static void as_data(const struct record *record, struct bytes raw, struct arena *arena)
{
    static const enum record_part parts[] = {RECORD_PLAIN, RECORD_PERSONAL, RECORD_WHOLE};
    struct problem problem;
    for (size_t i = 0; i < COUNT_OF(parts); i++) {
        void *object = arena_alloc(arena, record->size);
        if (record_decode(record, parts[i], DECODE_STRICT, raw, arena, object, &problem))
            again(record, parts[i], object, arena);
        else
            assert(problem.code[0] != '\0');
    }
}

static void as_envelope(struct bytes raw)
{
    struct posted posted;
    struct event event;
    struct problem problem;
    char job[JOB_CAP];
    struct buf out = {0};
    (void)posted_peek(raw, &posted, job);
    if (posted_decode(raw, &posted, &problem))
        assert(strlen(posted.type) < EVENT_TYPE_CAP && strlen(posted.key) < EVENT_KEY_CAP);
    if (event_decode(raw, bytes_of(NULL, 0), &event, &problem)) {
        struct event second;
        event_encode(&event, &out);
        bool fine = skim(buf_bytes(&out), &problem) && event_decode(buf_bytes(&out), bytes_of(NULL, 0), &second, &problem);
        assert(fine && second.pos == event.pos && second.rec_us == event.rec_us && bytes_equal(second.data, event.data));
    }
    buf_release(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct problem problem;
    struct bytes raw = n > 0 ? bytes_of(data + 1, n - 1) : bytes_of(NULL, 0);
    if (n == 0 || !skim(raw, &problem))
        return 0;
    struct unpack in = unpack_of(raw);
    if (unpack_next(&in).type != PACK_MAP)
        return 0;
    struct arena *arena = arena_new(1 << 14);
    as_data(event_type_at(data[0] % types())->data, raw, arena);
    as_envelope(raw);
    arena_destroy(&arena);
    return 0;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t n, size_t cap, unsigned seed)
{
    struct chance chance = chance_of(seed);
    struct buf out = {0};
    uint8_t type = n > 0 && !chance_of_hundred(&chance, 10) ? data[0] : (uint8_t)chance_next(&chance);
    buf_append(&out, &type, 1);
    if (chance_of_hundred(&chance, 15))
        fill_map(event_type_at(type % types())->data, RECORD_WHOLE, &chance, 5, &out);
    else
        mutate_value(n > 0 ? bytes_of(data + 1, n - 1) : bytes_of(NULL, 0), &chance, &out);
    n = out.len < cap ? out.len : cap;
    memcpy(data, out.data, n);
    buf_release(&out);
    return n;
}

bool fuzz_seed(unsigned i, struct buf *out)
{
    struct chance chance = chance_of(i);
    uint8_t type = (uint8_t)i;
    size_t n = types();
    buf_append(out, &type, 1);
    if (i < n)
        fill_map(event_type_at(i)->data, i % 2 ? RECORD_PLAIN : RECORD_WHOLE, &chance, 0, out);
    else
        fill_draft(NULL, NULL, &chance, 0, out);
    return i < n + 10;
}
