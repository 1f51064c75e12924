#include "event/print.h"
#include "base/instant.h"
#include "base/text.h"
#include "record/record.h"
#include <inttypes.h>

static void json_pair(struct buf *out, const char *name, const char *value)
{
    if (value[0] == '\0')
        return;
    buf_append_format(out, ",\"%s\":", name);
    json_text(out, value);
}

static void json_time(struct buf *out, const char *name, int64_t us)
{
    char text[INSTANT_TEXT_MAX];
    if (us == 0)
        return;
    instant_print(us, text);
    json_pair(out, name, text);
}

void event_print_json(const struct event *event, struct buf *out)
{
    buf_append_format(out, "{\"pos\":%" PRIu64, event->pos);
    json_pair(out, "id", event->id);
    json_pair(out, "type", event->type);
    buf_append_format(out, ",\"v\":%" PRIu32, event->v);
    json_pair(out, "key", event->key);
    json_pair(out, "region", event->region);
    json_pair(out, "site", event->site);
    json_pair(out, "from", event->from);
    buf_append_format(out, ",\"n\":%" PRIu64, event->n);
    json_time(out, "at", event->at_us);
    json_time(out, "rec", event->rec_us);
    if (event->cut)
        buf_append_text(out, ",\"cut\":true");
    buf_append_format(out, ",\"cause\":%" PRIu64, event->cause);
    json_pair(out, "by", event->by);
    buf_append_text(out, ",\"data\":");
    raw_print_json(event->data, out);
    struct bytes personal = event_personal(event);
    if (personal.len > 0) {
        buf_append_text(out, ",\"personal\":");
        raw_print_json(personal, out);
    }
    buf_append_text(out, "}");
}

void event_print_cloudevent(const struct event *event, const char *stream, struct buf *out)
{
    char text[EVENT_SOURCE_CAP + 96];
    buf_append_text(out, "{\"specversion\":\"1.0\"");
    text_format(text, sizeof(text), "%.64s/%" PRIu64, stream, event->pos);
    json_pair(out, "id", text);
    text_format(text, sizeof(text), "/aftercare/%.64s/%s", stream, event->from);
    json_pair(out, "source", text);
    json_pair(out, "type", event->type);
    json_pair(out, "subject", event->key);
    json_time(out, "time", event->at_us != 0 ? event->at_us : event->rec_us);
    json_pair(out, "datacontenttype", "application/json");
    /* A URI has to be one: that of the type's place in proto/schema.json. */
    text_format(text, sizeof(text), "urn:aftercare:events#/$defs/%s~1%" PRIu32, event->type, event->v);
    json_pair(out, "dataschema", text);
    text_format(text, sizeof(text), "%020" PRIu64, event->pos);
    json_pair(out, "sequence", text);
    json_pair(out, "partitionkey", event->key);
    if (event->cause != 0) {
        text_format(text, sizeof(text), "%.64s/%" PRIu64, stream, event->cause);
        json_pair(out, "causationid", text);
    }
    buf_append_text(out, ",\"data\":");
    raw_print_json(event->data, out);
    buf_append_text(out, "}");
}
