#include "bus/verbs.h"

#include "base/status.h"
#include "base/text.h"
#include "record/pack.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

static const struct field int_elem = ELEM_INT();
static const struct field raw_elem = ELEM_RAW();
static const struct field type_elem = ELEM_TEXT(EVENT_TYPE_CAP);
static const struct field region_elem = ELEM_TEXT(EVENT_REGION_CAP);
static const struct field site_elem = ELEM_TEXT(EVENT_SITE_CAP);
static const struct field key_elem = ELEM_TEXT(EVENT_KEY_CAP);
static const struct field endpoint_elem = ELEM_TEXT(128);

static const struct field hello_fields[] = {
    F_LIST(verb_hello, proto, 0, &int_elem, "lowest and highest protocol version spoken"),
    F_TEXT(verb_hello, stream, FIELD_REQUIRED, "the stream's id"),
    F_TEXT(verb_hello, source, FIELD_REQUIRED, "the source's name: a principal's id, or that and /suffix"),
    F_BIN(verb_hello, incarnation, 0, "16 random bytes made with the spool (a worker: at each start)"),
    F_INT_DEF(verb_hello, first, 0, -1, 0, 0, "oldest number still unanswered; a worker leaves it out"),
    F_INT_DEF(verb_hello, last, 0, -1, 0, 0, "highest number ever given out; a worker leaves it out"),
};
const struct record verb_hello_record = RECORD(verb_hello, hello_fields, "a source begins a session");

static const struct field append_fields[] = {
    F_INT(verb_append, n, FIELD_REQUIRED, "number of the first event; the others follow"),
    F_SLICE(verb_append, events, 0, &raw_elem, APPEND_EVENTS_MAX, "the events"),
    F_INT_DEF(verb_append, upto, 0, -1, 0, 0, "worker: all conclusions from events up to here are in, with this message"),
    F_TIME(verb_append, time, 0, "clock source of a stepped stream: the end of the step"),
};
const struct record verb_append_record = RECORD(verb_append, append_fields, "events to be taken into the journal");

static const struct field ping_fields[] = {
    F_INT_DEF(verb_ping, upto, 0, -1, 0, 0, "worker: all conclusions from events up to here are in"),
    F_TIME(verb_ping, checked, 0, "worker: how far its timers are checked"),
    F_INT(verb_ping, applied, 0, "worker: its committed position"),
    F_BOOL(verb_ping, settle, 0, "clock source: answer when all workers have caught up, or after 5 s"),
};
const struct record verb_ping_record = RECORD(verb_ping, ping_fields, "still here");

/* On the wire the window is a map of its own; in memory its two numbers stand side by side. */
struct welcome_window {
    int64_t events, bytes;
};
static_assert(offsetof(struct verb_welcome, window_bytes) - offsetof(struct verb_welcome, window_events) ==
                  offsetof(struct welcome_window, bytes),
              "verb_welcome holds a welcome_window at window_events");
static const struct field window_fields[] = {
    F_INT(welcome_window, events, 0, "events sent and not answered, at most"),
    F_INT(welcome_window, bytes, 0, "their bytes, at most"),
};
static const struct record window_record = RECORD(welcome_window, window_fields, "what may be in flight");
static const struct field welcome_fields[] = {
    F_INT(verb_welcome, epoch, 0, "intake's epoch"),
    F_INT(verb_welcome, head, 0, "the journal's last position"),
    F_INT(verb_welcome, durable, 0, "the source's last number in the journal"),
    F_INT(verb_welcome, upto, 0, "worker: the last upto it said"),
    {.name = "window",
     .kind = FIELD_RECORD,
     .offset = (uint32_t)offsetof(struct verb_welcome, window_events),
     .size = sizeof(struct welcome_window),
     .sub = &window_record,
     .doc = "what may be in flight"},
    F_INT(verb_welcome, hb_ms, 0, "say something at least this often"),
};
const struct record verb_welcome_record = RECORD(verb_welcome, welcome_fields, "the session is open; earlier ones are dead");

static const struct field denied_fields[] = {
    F_TEXT(verb_denied, code, FIELD_REQUIRED, "behind, gap, incarnation, frozen, principal, proto …"),
    F_TEXT(verb_denied, why, 0, "for people"),
};
const struct record verb_denied_record = RECORD(verb_denied, denied_fields, "no session");

static const struct field moved_fields[] = {
    F_LIST(verb_moved, endpoints, 0, &endpoint_elem, "where intake is now"),
};
const struct record verb_moved_record = RECORD(verb_moved, moved_fields, "intake is elsewhere");

static const struct field ack_fields[] = {
    F_SLICE(verb_ack, answers, 0, &raw_elem, 4096, "[n, pos, result or nil] or [n, code, field, args], in order of n"),
};
const struct record verb_ack_record = RECORD(verb_ack, ack_fields, "what became of events");

static const struct field busy_fields[] = {
    F_INT(verb_busy, retry_ms, 0, "try again after this"),
    F_TEXT(verb_busy, why, 0, "for people"),
};
const struct record verb_busy_record = RECORD(verb_busy, busy_fields, "not now: the message was not taken");

static const struct field nak_fields[] = {
    F_INT(verb_nak, n, 0, "number of the message not taken"),
    F_TEXT(verb_nak, code, FIELD_REQUIRED, "gap, conflict"),
    F_INT(verb_nak, expected, 0, "go back to this number"),
};
const struct record verb_nak_record = RECORD(verb_nak, nak_fields, "a message does not follow what was taken");

static const struct field pong_fields[] = {
    F_INT(verb_pong, head, 0, "the journal's last position"),
    F_TIME(verb_pong, now, 0, "the stream's time"),
    F_INT_DEF(verb_pong, upto, 0, -1, 0, 0, "settle: the workers' lowest upto"),
};
const struct record verb_pong_record = RECORD(verb_pong, pong_fields, "the answer to PING");

static const struct field open_fields[] = {
    F_TEXT(verb_open, stream, 0, "the stream's id; left out: whichever is there, OPENED tells its name"),
    F_TEXT(verb_open, consumer, 0, "who reads, for the operator's eyes"),
    F_INT(verb_open, after, 0, "the position read last; 0: from the start"),
    F_BIN(verb_open, link, 0, "the link there, where known"),
    F_LIST(verb_open, types, 0, &type_elem, "prefixes of types; none: all"),
    F_LIST(verb_open, regions, 0, &region_elem, "prefixes of regions; none: all one may see"),
    F_LIST(verb_open, sites, 0, &site_elem, "sites; none: all one may see"),
    F_LIST(verb_open, keys, 0, &key_elem, "keys; none: all"),
    F_BOOL(verb_open, follow, 0, "go on with what comes after the head"),
    F_INT(verb_open, credit, 0, "bytes of BATCH maps that may come before CREDIT"),
};
const struct record verb_open_record = RECORD(verb_open, open_fields, "a reader begins, or begins anew");

static const struct field credit_fields[] = {
    F_INT(verb_credit, bytes, 0, "bytes of BATCH maps given back"),
    F_INT(verb_credit, applied, 0, "the reader's committed position"),
};
const struct record verb_credit_record = RECORD(verb_credit, credit_fields, "a reader has taken in what came");

static const struct field ask_fields[] = {
    F_INT(verb_ask, id, 0, "the asker's number for the question"),
    F_TEXT(verb_ask, to, FIELD_REQUIRED, "the service asked"),
    F_TEXT(verb_ask, question, FIELD_REQUIRED, "the question's name"),
    F_RAW(verb_ask, args, 0, 8192, "its arguments, a map"),
    F_INT(verb_ask, limit, 0, "rows at most; left out: 100"),
    F_TEXT(verb_ask, after, 0, "the page before ended here"),
    F_INT(verb_ask, at_least, 0, "wait, up to 5 s, until this position is applied"),
};
const struct record verb_ask_record = RECORD(verb_ask, ask_fields, "a question to a service");

static const struct field serve_fields[] = {
    F_TEXT(verb_serve, worker, FIELD_REQUIRED, "whose questions come here"),
};
const struct record verb_serve_record = RECORD(verb_serve, serve_fields, "a worker answers questions here");

static const struct field opened_fields[] = {
    F_INT(verb_opened, epoch, 0, "intake's epoch"),
    F_INT(verb_opened, head, 0, "the journal's last position"),
    F_INT(verb_opened, first, 0, "the first position kept"),
    F_BOOL(verb_opened, whole, 0, "every position will come: no filter, and the principal sees all"),
    F_TEXT(verb_opened, stream, 0, "the stream's id"),
};
const struct record verb_opened_record = RECORD(verb_opened, opened_fields, "reading begins");

static const struct field fork_fields[] = {
    F_INT(verb_fork, pos, 0, "the position whose link differs"),
};
const struct record verb_fork_record = RECORD(verb_fork, fork_fields, "the reader has read another history");

static const struct field ahead_fields[] = {
    F_INT(verb_ahead, head, 0, "the journal's last position"),
};
const struct record verb_ahead_record = RECORD(verb_ahead, ahead_fields, "the reader has read more than there is");

static const struct field batch_fields[] = {
    F_INT(verb_batch, after, 0, "complete for the filter from behind this position …"),
    F_INT(verb_batch, upto, 0, "… up to this one"),
    F_BIN(verb_batch, link, 0, "the link at upto"),
    F_SLICE(verb_batch, events, 0, &raw_elem, 8192, "[body, priv or nil]"),
};
const struct record verb_batch_record = RECORD(verb_batch, batch_fields, "events, as stored");

static const struct field head_fields[] = {
    F_INT(verb_head, epoch, 0, "intake's epoch"),
    F_INT(verb_head, head, 0, "the journal's last position"),
    F_BIN(verb_head, link, 0, "its link"),
    F_TIME(verb_head, now, 0, "the stream's time"),
};
const struct record verb_head_record = RECORD(verb_head, head_fields, "where the journal stands");

static const struct field answer_fields[] = {
    F_INT(verb_answer, id, 0, "of the ASK"),
    F_SLICE(verb_answer, rows, 0, &raw_elem, 10000, "maps by the question's field table"),
    F_INT(verb_answer, as_of, 0, "the position the answer holds for"),
    F_BOOL(verb_answer, more, 0, "there are more rows"),
    F_TEXT(verb_answer, after, 0, "hand in again for the next page"),
};
const struct record verb_answer_record = RECORD(verb_answer, answer_fields, "the answer to ASK");

static const struct field error_fields[] = {
    F_INT(verb_error, id, 0, "of the ASK; 0: of the frame"),
    F_TEXT(verb_error, code, FIELD_REQUIRED, "malformed, unknown-verb …"),
    F_TEXT(verb_error, why, 0, "for people"),
};
const struct record verb_error_record = RECORD(verb_error, error_fields, "a frame or question that cannot be dealt with");

static const struct field put_fields[] = {
    F_BIN(verb_put, sha256, FIELD_REQUIRED, "digest of the whole file"),
    F_INT_DEF(verb_put, offset, 0, 0, 0, INT64_MAX, "where these bytes belong"),
    F_BYTES(verb_put, bytes, 0, PART_BYTES_MAX, "left out: only asks how far it is"),
};
const struct record verb_put_record = RECORD(verb_put, put_fields, "a piece of a file that an event has named");

static const struct field have_fields[] = {
    F_BIN(verb_have, sha256, FIELD_REQUIRED, "of the PUT"),
    F_INT(verb_have, upto, 0, "kept up to there: the next piece begins here"),
    F_BOOL(verb_have, whole, 0, "all of it is there, and the digest is true"),
    F_TEXT(verb_have, code, 0, "not taken: unknown, denied, erased, too-large, sha256, quota; later: busy, database"),
    F_TEXT(verb_have, why, 0, "for people"),
};
const struct record verb_have_record = RECORD(verb_have, have_fields, "the answer to PUT");

static const struct field get_fields[] = {
    F_BIN(verb_get, sha256, FIELD_REQUIRED, "digest of the whole file"),
    F_INT_DEF(verb_get, offset, 0, 0, 0, INT64_MAX, "from there on"),
    F_BIN(verb_get, receipt, 0, "that of the last PART on this connection"),
    F_INT_DEF(verb_get, bytes, 0, PART_BYTES_MAX, 1, PART_BYTES_MAX, "at most so many; left out: as many as a PART may hold"),
};
const struct record verb_get_record = RECORD(verb_get, get_fields, "asks for a piece of a file");

static const struct field part_fields[] = {
    F_BIN(verb_part, sha256, FIELD_REQUIRED, "of the GET"),
    F_INT(verb_part, offset, 0, "of the GET"),
    F_BYTES(verb_part, bytes, 0, PART_BYTES_MAX, "from there on; none: the file ends there"),
    F_INT(verb_part, size, 0, "of the whole file"),
    F_BIN(verb_part, receipt, 0, "to be handed in with the next GET on this connection, whichever file"),
    F_TEXT(verb_part, code, 0, "not given: unknown, denied, erased, awaited, receipt; later: busy, database"),
    F_TEXT(verb_part, why, 0, "for people"),
};
const struct record verb_part_record = RECORD(verb_part, part_fields, "the answer to GET");

/* CLOSE says nothing beyond itself. */
static const struct record close_record = {.name = "verb_close", .doc = "a reader ends"};

static const struct {
    const char *verb;
    const struct record *record;
} verbs[] = {
    {"HELLO", &verb_hello_record},   {"APPEND", &verb_append_record}, {"PING", &verb_ping_record},
    {"WELCOME", &verb_welcome_record}, {"DENIED", &verb_denied_record}, {"MOVED", &verb_moved_record},
    {"ACK", &verb_ack_record},       {"BUSY", &verb_busy_record},     {"NAK", &verb_nak_record},
    {"PONG", &verb_pong_record},     {"OPEN", &verb_open_record},     {"CREDIT", &verb_credit_record},
    {"CLOSE", &close_record},        {"ASK", &verb_ask_record},       {"SERVE", &verb_serve_record},
    {"OPENED", &verb_opened_record}, {"FORK", &verb_fork_record},     {"AHEAD", &verb_ahead_record},
    {"BATCH", &verb_batch_record},   {"CAUGHT_UP", &verb_head_record}, {"HEAD", &verb_head_record},
    {"ANSWER", &verb_answer_record}, {"ERROR", &verb_error_record},   {"PUT", &verb_put_record},
    {"HAVE", &verb_have_record},     {"GET", &verb_get_record},       {"PART", &verb_part_record},
};

const struct record *verb_record(const char *verb)
{
    for (size_t i = 0; i < COUNT_OF(verbs); i++)
        if (strcmp(verbs[i].verb, verb) == 0)
            return verbs[i].record;
    return NULL;
}

static bool texts_put(char *out, size_t cap, size_t max, const char *const *texts, uint32_t *n)
{
    for (*n = 0; texts && texts[*n]; ++*n)
        if (*n == max || !text_copy(out + *n * cap, cap, texts[*n]))
            return false;
    return true;
}

bool verb_open_narrow(struct verb_open *o, const char *const *types, const char *const *regions, const char *const *sites,
                      const char *const *keys)
{
    return texts_put(o->types[0], sizeof o->types[0], COUNT_OF(o->types), types, &o->types_n) &&
           texts_put(o->regions[0], sizeof o->regions[0], COUNT_OF(o->regions), regions, &o->regions_n) &&
           texts_put(o->sites[0], sizeof o->sites[0], COUNT_OF(o->sites), sites, &o->sites_n) &&
           texts_put(o->keys[0], sizeof o->keys[0], COUNT_OF(o->keys), keys, &o->keys_n);
}

void answer_encode(const struct answer *a, struct buf *out)
{
    pack_array(out, a->taken ? 3 : 4);
    pack_int(out, a->n);
    if (a->taken) {
        if (a->pos > 0)
            pack_int(out, a->pos);
        else
            pack_nil(out);
        if (a->result.len > 0)
            pack_raw(out, a->result);
        else
            pack_nil(out);
        return;
    }
    pack_text(out, a->problem.code);
    pack_text(out, a->problem.field);
    pack_text(out, a->problem.args);
}

static bool next_text(struct unpack *in, char *dst, size_t cap)
{
    struct pack_value value = unpack_next(in);

    if (value.type != PACK_STR)
        return false;
    /* Words for people may be cut; they decide nothing. */
    (void)text_copy_n(dst, cap, (const char *)value.bytes.data, value.bytes.len);
    return true;
}

static bool taken_decode(struct unpack *in, struct answer *a)
{
    struct unpack inside;
    struct bytes raw = unpack_raw(in);
    enum pack_type type;

    inside = unpack_of(raw);
    type = unpack_next(&inside).type;
    if (type != PACK_MAP && type != PACK_NIL)
        return false;
    a->taken = true;
    a->result = type == PACK_MAP ? raw : bytes_of(NULL, 0);
    return true;
}

bool answer_decode(struct bytes bytes, struct answer *out)
{
    struct unpack in = unpack_of(bytes);
    struct pack_value array = unpack_next(&in), n, second;
    struct answer a;

    if (array.type != PACK_ARRAY || array.n < 3)
        return false;
    memset(&a, 0, sizeof a);
    n = unpack_next(&in);
    second = unpack_next(&in);
    if (n.type != PACK_INT || n.integer < 0)
        return false;
    a.n = n.integer;
    if (second.type == PACK_INT || second.type == PACK_NIL) {
        a.pos = second.type == PACK_INT ? second.integer : 0;
        if (!taken_decode(&in, &a))
            return false;
    } else if (second.type == PACK_STR && array.n >= 4) {
        (void)text_copy_n(a.problem.code, sizeof a.problem.code, (const char *)second.bytes.data, second.bytes.len);
        if (!next_text(&in, a.problem.field, sizeof a.problem.field) ||
            !next_text(&in, a.problem.args, sizeof a.problem.args))
            return false;
    } else {
        return false;
    }
    *out = a;
    return true;
}

void delivery_encode(struct bytes body, struct bytes priv, struct buf *out)
{
    pack_array(out, 2);
    pack_bin(out, body);
    if (priv.len > 0)
        pack_bin(out, priv);
    else
        pack_nil(out);
}

bool delivery_decode(struct bytes bytes, struct bytes *body, struct bytes *priv)
{
    struct unpack in = unpack_of(bytes);
    struct pack_value array = unpack_next(&in), first, second;

    if (array.type != PACK_ARRAY || array.n != 2)
        return false;
    first = unpack_next(&in);
    if (first.type != PACK_BIN)
        return false;
    second = unpack_next(&in);
    if (second.type != PACK_BIN && second.type != PACK_NIL)
        return false;
    *body = first.bytes;
    *priv = second.type == PACK_BIN ? second.bytes : bytes_of(NULL, 0);
    return true;
}
