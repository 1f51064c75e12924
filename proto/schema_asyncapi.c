/* AsyncAPI 3: the three sockets, their frames both ways, the events inside them, and the questions. */
#include "base/text.h"
#include "bus/verbs.h"
#include "proto/document.h"
#include "proto/questions.h"
#include "proto/schema.h"

enum side { FROM_CLIENT, FROM_INTAKE };
static const struct verb_type {
    const char *channel, *verb;
    enum side side;
    const char *about;
} verbs[] = {
    {"cmd", "HELLO", FROM_CLIENT, "a source names itself and its numbers"},
    {"cmd", "APPEND", FROM_CLIENT, "events with consecutive numbers"},
    {"cmd", "PING", FROM_CLIENT, "a sign of life; of the clock source: wait until the workers have caught up"},
    {"cmd", "PUT", FROM_CLIENT, "a piece of a file that an event has named"},
    {"cmd", "WELCOME", FROM_INTAKE, "what is durable of this source; stored answers follow"},
    {"cmd", "DENIED", FROM_INTAKE, "the source may not go on"},
    {"cmd", "MOVED", FROM_INTAKE, "another intake is the living one"},
    {"cmd", "ACK", FROM_INTAKE, "answers in order: taken or refused, for good"},
    {"cmd", "BUSY", FROM_INTAKE, "not now"},
    {"cmd", "NAK", FROM_INTAKE, "a gap or a conflict: go back there"},
    {"cmd", "PONG", FROM_INTAKE, "head and time"},
    {"cmd", "HAVE", FROM_INTAKE, "how much of the file is kept"},
    {"cmd", "ERROR", FROM_INTAKE, "the frame was not understood"},
    {"feed", "OPEN", FROM_CLIENT, "read from a position on, by a filter, on credit"},
    {"feed", "CREDIT", FROM_CLIENT, "so many more bytes; so far applied"},
    {"feed", "CLOSE", FROM_CLIENT, "no more"},
    {"feed", "ASK", FROM_CLIENT, "a question to a service"},
    {"feed", "SERVE", FROM_CLIENT, "a worker takes the questions meant for it"},
    {"feed", "GET", FROM_CLIENT, "a piece of a file"},
    {"feed", "OPENED", FROM_INTAKE, "the reading begins"},
    {"feed", "DENIED", FROM_INTAKE, "the reader may not"},
    {"feed", "FORK", FROM_INTAKE, "the reader's link is not this journal's"},
    {"feed", "AHEAD", FROM_INTAKE, "the reader is ahead of the journal"},
    {"feed", "BATCH", FROM_INTAKE, "events, complete for the filter over (after, upto]"},
    {"feed", "CAUGHT_UP", FROM_INTAKE, "the head is reached"},
    {"feed", "HEAD", FROM_INTAKE, "where the head is, each second"},
    {"feed", "ANSWER", FROM_INTAKE, "rows of one snapshot"},
    {"feed", "PART", FROM_INTAKE, "a piece of a file"},
    {"feed", "ERROR", FROM_INTAKE, "the question or frame cannot be answered"},
    {"live", "~head", FROM_INTAKE, "where the head is, each second; beside it frames of [type][body][priv]"},
};
static const struct {
    const char *name, *host, *kind, *about;
} channels[] = {
    {"cmd", "127.0.0.1:7401", "ROUTER", "appending: branches, workers and the command connect a DEALER"},
    {"live", "127.0.0.1:7402", "PUB", "every event as soon as it is durable; workers connect a SUB"},
    {"feed", "127.0.0.1:7403", "ROUTER", "replay, tail and questions: readers connect a DEALER"},
};

/* Names of components are of letters, digits, dots, lines. */
static void message_name(const struct verb_type *verb, char out[64])
{
    text_format(out, 64, "%s.%s", verb->channel, verb->verb[0] == '~' ? verb->verb + 1 : verb->verb);
}

static void schema_name(const struct event_type *type, char out[128])
{
    text_format(out, 128, "%s.v%u", type->name, (unsigned)type->v);
}

/* CAUGHT_UP and ~head are HEADs; CLOSE has an empty map. */
static const struct record *map_of(const struct verb_type *verb)
{
    return text_equal(verb->verb, "~head") ? &verb_head_record : verb_record(verb->verb);
}

static void servers_out(struct document *d)
{
    document_open(d, "servers", '{');
    for (size_t i = 0; i < COUNT_OF(channels); i++) {
        document_open(d, channels[i].name, '{');
        document_text(d, "host", channels[i].host);
        document_text(d, "protocol", "zmtp");
        document_text(d, "description", channels[i].about);
        document_close(d, '}');
    }
    document_close(d, '}');
}

static void channel_out(struct document *d, size_t i)
{
    char name[64];
    document_open(d, channels[i].name, '{');
    document_text(d, "title", channels[i].about);
    document_text(d, "x-socket", channels[i].kind);
    document_open(d, "servers", '[');
    document_ref(d, NULL, "#/servers", channels[i].name);
    document_close(d, ']');
    document_open(d, "messages", '{');
    for (size_t v = 0; v < COUNT_OF(verbs); v++) {
        if (!text_equal(verbs[v].channel, channels[i].name))
            continue;
        message_name(&verbs[v], name);
        document_ref(d, name, "#/components/messages", name);
    }
    if (text_equal(channels[i].name, "live"))
        document_ref(d, "live.event", "#/components/messages", "live.event");
    document_close(d, '}');
    document_close(d, '}');
}

static void operation_out(struct document *d, size_t channel, enum side side)
{
    char name[64], prefix[64];
    text_format(name, sizeof(name), "%s.%s", channels[channel].name, side == FROM_CLIENT ? "receive" : "send");
    document_open(d, name, '{');
    document_text(d, "action", side == FROM_CLIENT ? "receive" : "send");
    document_ref(d, "channel", "#/channels", channels[channel].name);
    document_open(d, "messages", '[');
    text_format(prefix, sizeof(prefix), "#/channels/%s/messages", channels[channel].name);
    for (size_t v = 0; v < COUNT_OF(verbs); v++) {
        if (!text_equal(verbs[v].channel, channels[channel].name) || verbs[v].side != side)
            continue;
        message_name(&verbs[v], name);
        document_ref(d, NULL, prefix, name);
    }
    if (text_equal(channels[channel].name, "live"))
        document_ref(d, NULL, prefix, "live.event");
    document_close(d, ']');
    document_close(d, '}');
}

static void messages_out(struct document *d)
{
    char name[64];
    document_open(d, "messages", '{');
    for (size_t v = 0; v < COUNT_OF(verbs); v++) {
        const struct record *map = map_of(&verbs[v]);
        message_name(&verbs[v], name);
        document_open(d, name, '{');
        document_text(d, "name", verbs[v].verb);
        document_text(d, "summary", verbs[v].about);
        document_text(d, "contentType", "application/vnd.msgpack");
        if (map != NULL) {
            schema_record(d, "payload", map, true);
        } else {
            document_open(d, "payload", '{');
            document_text(d, "type", "object");
            document_close(d, '}');
        }
        document_close(d, '}');
    }
    document_open(d, "live.event", '{');
    document_text(d, "name", "event");
    document_text(d, "summary", "an event: [type][body][priv]; the body is the stored one");
    document_text(d, "contentType", "application/vnd.msgpack");
    document_ref(d, "payload", "#/components/schemas", "event");
    document_close(d, '}');
    document_close(d, '}');
}

static void body_field(struct document *d, const char *name, const char *type, const char *about)
{
    document_open(d, name, '{');
    document_text(d, "description", about);
    document_text(d, text_equal(type, "timestamp") || text_equal(type, "bin") ? "x-msgpack" : "type", type);
    document_close(d, '}');
}

static void body_out(struct document *d)
{
    const struct event_type *type;
    document_open(d, "event", '{');
    document_text(d, "description", "the body of an event; keys that do not apply are left out");
    document_text(d, "type", "object");
    document_open(d, "properties", '{');
    body_field(d, "pos", "integer", "position in the stream");
    body_field(d, "id", "string", "SOURCE/n, or a worker's slot");
    body_field(d, "type", "string", "type of the event");
    body_field(d, "v", "integer", "version of its data");
    body_field(d, "key", "string", "what it is about");
    body_field(d, "region", "string", "where that is");
    body_field(d, "site", "string", "site that holds the ticket's open job");
    body_field(d, "from", "string", "source");
    body_field(d, "n", "integer", "the source's number");
    body_field(d, "at", "timestamp", "when it happened");
    body_field(d, "rec", "timestamp", "when it was recorded");
    body_field(d, "cut", "boolean", "`at` lay after `rec` and was cut to it");
    body_field(d, "cause", "integer", "position it follows from, 0 if none");
    body_field(d, "by", "string", "who acted");
    document_open(d, "data", '{');
    document_open(d, "oneOf", '[');
    for (size_t i = 0; (type = event_type_at(i)) != NULL; i++) {
        char name[128];
        schema_name(type, name);
        document_ref(d, NULL, "#/components/schemas", name);
    }
    document_close(d, ']');
    document_close(d, '}');
    body_field(d, "pd", "bin", "SHA-256 of priv = [salt, map], where there is one");
    document_close(d, '}');
    document_close(d, '}');
}

static void schemas_out(struct document *d)
{
    const struct event_type *type;
    const struct question_type *question;
    char name[128];
    document_open(d, "schemas", '{');
    body_out(d);
    for (size_t i = 0; (type = event_type_at(i)) != NULL; i++) {
        schema_name(type, name);
        schema_record(d, name, type->data, true);
    }
    for (size_t i = 0; (question = question_at(i)) != NULL; i++) {
        text_format(name, sizeof(name), "ask.%s.%s.args", question->to, question->name);
        schema_record(d, name, question->args, true);
        text_format(name, sizeof(name), "ask.%s.%s.row", question->to, question->name);
        schema_record(d, name, question->row, true);
    }
    document_close(d, '}');
}

void schema_print_asyncapi(struct buf *out)
{
    struct document document = {.out = out, .fresh = true}, *d = &document;
    document_open(d, NULL, '{');
    document_text(d, "asyncapi", "3.0.0");
    document_open(d, "info", '{');
    document_text(d, "title", "aftercare");
    document_text(d, "version", "1");
    document_text(d, "description",
                  "Frames of [verb][one msgpack map] over ZeroMQ. proto/README.md says what they mean; this is printed from the "
                  "field tables by `aftercare schema --asyncapi`.");
    document_close(d, '}');
    document_text(d, "defaultContentType", "application/vnd.msgpack");
    servers_out(d);
    document_open(d, "channels", '{');
    for (size_t i = 0; i < COUNT_OF(channels); i++)
        channel_out(d, i);
    document_close(d, '}');
    document_open(d, "operations", '{');
    for (size_t i = 0; i < COUNT_OF(channels); i++) {
        if (!text_equal(channels[i].name, "live"))
            operation_out(d, i, FROM_CLIENT);
        operation_out(d, i, FROM_INTAKE);
    }
    document_close(d, '}');
    document_open(d, "components", '{');
    messages_out(d);
    schemas_out(d);
    document_close(d, '}');
    document_close(d, '}');
}
