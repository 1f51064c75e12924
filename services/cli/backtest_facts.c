/* Where a backtest's facts come from: a CSV file by its mapping, JSON lines, the living stream. */
#include "backtest.h"
#include "base/text.h"
#include "connection.h"
#include "proto/catalogue.h"
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#define BAD_TOLD_MAX    5
#define LINES_BYTES_MAX ((size_t)2 << 30)

void facts_release(struct facts *facts)
{
    plan_release(&facts->told);
    plan_release(&facts->network);
    plan_release(&facts->rules);
    buf_release(&facts->data);
    buf_release(&facts->priv);
    buf_release(&facts->draft);
    arena_destroy(&facts->arena);
}

/* What the machinery says of itself. */
static bool is_machinery(const char *type)
{
    static const char *const families[] = {"stream.",  "principal.", "source.", "access.",
                                           "journal.", "time.",      "event."};
    for (size_t i = 0; i < COUNT_OF(families); i++)
        if (text_starts(type, families[i]))
            return true;
    return false;
}

static bool is_conclusion(const struct event_type *type, const char *from)
{
    if (from[0] != '\0')
        return simulator_is_author(from);
    return type->speaker == SPEAKER_DESK || type->speaker == SPEAKER_WATCHDOG ||
           type->speaker == SPEAKER_INTAKE;
}

static void recorded(struct facts *facts, int64_t rec_us)
{
    if (rec_us > facts->last_us)
        facts->last_us = rec_us;
}

static void fact_add(struct facts *facts, const struct draft *draft, const char *from,
                     int64_t rec_us, bool network)
{
    const struct event_type *type = event_type_find(draft->type, 0);
    recorded(facts, rec_us);
    bool rule = text_starts(draft->type, "policy.") || text_starts(draft->type, "calendar.");
    if (type == NULL || is_machinery(draft->type) || is_conclusion(type, from)) {
        facts->conclusions++;
        return;
    }
    struct plan *plan = rule ? &facts->rules : network ? &facts->network : &facts->told;
    int64_t told_us = draft->at_us != 0 ? draft->at_us : rec_us;
    if (rec_us != 0 && !facts->stepped)
        told_us = rec_us;
    buf_reset(&facts->draft);
    draft_encode(draft, &facts->draft);
    plan_add(plan, told_us, (uint32_t)plan->n + 1, 0, buf_bytes(&facts->draft));
}

/* --- CSV -----------------------------------------------------------------------------------------
 */

struct csv_facts {
    const struct cli *cli;
    struct facts *facts;
    struct mapping *mapping;
    const char *file;
    struct problem header;
};

static void bad_row(const struct csv_facts *reading, size_t line, const char *field,
                    const char *code, const char *args)
{
    if (++reading->facts->bad <= BAD_TOLD_MAX)
        cli_note(reading->cli, "%s:%zu: %s %s %s", reading->file, line, field, code, args);
}

static bool on_header(void *owner, const struct csv_row *row)
{
    struct csv_facts *reading = owner;
    return mapping_bind(reading->mapping, row, &reading->header);
}

static void on_row(void *owner, const struct csv_row *row)
{
    struct csv_facts *reading = owner;
    struct problem problem;
    if (!mapping_row(reading->mapping, row, &reading->facts->told, &problem))
        bad_row(reading, row->line, problem.field, problem.code, problem.args);
}

static void on_bad(void *owner, const struct csv_row *row, const char *reason)
{
    bad_row(owner, row->line, "", reason, "");
}

static int rows_read(struct csv_facts *reading, struct buf *content)
{
    static const struct csv_listener listener = {.header = on_header, .row = on_row, .bad = on_bad};
    const struct cli *cli = reading->cli;
    const char *encoding;
    if (!csv_to_utf8(content, mapping_encoding(reading->mapping), &encoding))
        return cli_fail(cli, CLI_REFUSED, in_words(cli->language, "auto, utf-8 or gb18030."),
                        in_words(cli->language, "%s: unknown encoding %s"), reading->file,
                        mapping_encoding(reading->mapping));
    if (csv_parse_text(buf_bytes(content), mapping_delimiter(reading->mapping), &listener, reading))
        return CLI_DONE;
    if (reading->header.code[0] != '\0')
        return cli_fail(
            cli, CLI_REFUSED,
            in_words(cli->language, "Correct the mapping, or use the right one for this file."),
            in_words(cli->language, "%s:%u: the file has no column \"%s\""), reading->file,
            reading->header.line, reading->header.field);
    return cli_fail(cli, CLI_REFUSED,
                    in_words(cli->language, "The first line must name the columns."),
                    in_words(cli->language, "%s has no readable header"), reading->file);
}

int facts_read_csv(const struct cli *cli, struct facts *facts, const char *file,
                   const char *mapping_file)
{
    struct csv_facts reading = {.cli = cli, .facts = facts, .file = file};
    struct buf text = {0}, raw = {0}, content = {0};
    struct problems problems = {0};
    const char *why = "";
    int code = file_read(cli, mapping_file, 1 << 20, &text) ? CLI_DONE : CLI_USAGE;
    if (code == CLI_DONE &&
        (reading.mapping = mapping_parse(buf_text(&text), text.len, &problems)) == NULL) {
        cli_problems(cli, mapping_file, &problems);
        code = CLI_REFUSED;
    }
    if (code == CLI_DONE && !file_read(cli, file, CSV_BYTES_MAX, &raw))
        code = CLI_USAGE;
    if (code == CLI_DONE && !csv_unpack(buf_bytes(&raw), &content, &why))
        code = cli_fail(cli, CLI_REFUSED, in_words(cli->language, "Fetch the file again."),
                        "%s: %s", file, why);
    if (code == CLI_DONE)
        code = rows_read(&reading, &content);
    mapping_destroy(&reading.mapping);
    problems_release(&problems);
    buf_release(&text);
    buf_release(&raw);
    buf_release(&content);
    return code;
}

/* --- JSON lines ----------------------------------------------------------------------------------
 */

static const char *text_of(json_t *line, const char *key)
{
    const char *text = json_string_value(json_object_get(line, key));
    return text != NULL ? text : "";
}

static bool part_read(struct facts *facts, const struct record *record, json_t *part,
                      enum record_part which, unsigned flags, void *object, struct problem *problem)
{
    char *text = part != NULL ? json_dumps(part, JSON_COMPACT) : memory_text("{}");
    bool fine =
        record_parse_json(record, which, flags, text, strlen(text), facts->arena, object, problem);
    free(text);
    return fine;
}

static bool instant_of(json_t *line, const char *key, int64_t *us, struct problem *problem)
{
    const char *text = text_of(line, key);
    *us = 0;
    return text[0] == '\0' || instant_parse(text, us) ||
           problem_set(problem, "bad-time", key, "\"%.40s\"", text);
}

static bool line_take(struct facts *facts, json_t *line, bool network, struct problem *problem)
{
    const struct event_type *type = event_type_find(text_of(line, "type"), 0);
    struct draft draft = {.key = text_of(line, "key"), .by = text_of(line, "by")};
    int64_t rec_us;
    if (type == NULL)
        return problem_set(problem, "unknown-type", "type", "\"%.60s\"", text_of(line, "type"));
    if (!instant_of(line, "at", &draft.at_us, problem) ||
        !instant_of(line, "rec", &rec_us, problem))
        return false;
    recorded(facts, rec_us);
    draft.type = type->name;
    draft.v = type->v;
    json_t *data = json_object_get(line, "data"), *personal = json_object_get(line, "personal");
    if (text_equal(type->name, "stream.created"))
        facts->stepped = text_equal(text_of(data, "clock"), "stepped");
    if (is_machinery(type->name) || is_conclusion(type, text_of(line, "from"))) {
        facts->conclusions++;
        return true;
    }
    void *object = arena_alloc(facts->arena, type->data->size);
    if (!part_read(facts, type->data, data, RECORD_WHOLE, DECODE_STRICT, object, problem) ||
        (personal != NULL && !part_read(facts, type->data, personal, RECORD_PERSONAL,
                                        DECODE_STRICT | DECODE_KEEP, object, problem)))
        return false;
    buf_reset(&facts->data);
    buf_reset(&facts->priv);
    record_encode(type->data, RECORD_PLAIN, object, &facts->data);
    record_encode(type->data, RECORD_PERSONAL, object, &facts->priv);
    draft.data = buf_bytes(&facts->data);
    draft.priv = facts->priv.len > 1 ? buf_bytes(&facts->priv) : bytes_of(NULL, 0);
    fact_add(facts, &draft, text_of(line, "from"), rec_us, network);
    return true;
}

static void line_read(const struct cli *cli, struct facts *facts, const char *file, size_t number,
                      struct bytes text, bool network)
{
    struct problem problem = {0};
    json_error_t error;
    arena_reset(facts->arena);
    json_t *line = json_loadb((const char *)text.data, text.len, JSON_REJECT_DUPLICATES, &error);
    bool fine = line != NULL ? line_take(facts, line, network, &problem)
                             : problem_set(&problem, "syntax", "", "%.100s", error.text);
    json_decref(line);
    if (!fine && ++facts->bad <= BAD_TOLD_MAX)
        cli_note(cli, "%s:%zu: %s %s %s", file, number, problem.field, problem.code, problem.args);
}

int facts_read_lines(const struct cli *cli, struct facts *facts, const char *file, bool network)
{
    struct buf raw = {0}, content = {0};
    const char *why = "";
    int code = file_read(cli, file, LINES_BYTES_MAX, &raw) ? CLI_DONE : CLI_USAGE;
    if (code == CLI_DONE && !csv_unpack(buf_bytes(&raw), &content, &why))
        code = cli_fail(cli, CLI_REFUSED, in_words(cli->language, "Fetch the file again."),
                        "%s: %s", file, why);
    size_t number = 1;
    for (size_t at = 0; code == CLI_DONE && at < content.len; number++) {
        const uint8_t *end = memchr(content.data + at, '\n', content.len - at);
        size_t n = end != NULL ? (size_t)(end - content.data) - at : content.len - at;
        if (n > 1)
            line_read(cli, facts, file, number, bytes_of(content.data + at, n), network);
        at += n + 1;
    }
    buf_release(&raw);
    buf_release(&content);
    return code;
}

/* --- the living stream ---------------------------------------------------------------------------
 */

static bool on_event(void *owner, const struct event *event)
{
    struct facts *facts = owner;
    const struct draft draft = {.type = event->type,
                                .v = event->v,
                                .key = event->key,
                                .at_us = event->at_us,
                                .by = event->by,
                                .data = event->data,
                                .priv = event_personal(event)};
    fact_add(facts, &draft, event->from, event->rec_us, false);
    return true;
}

int facts_read_journal(const struct cli *cli, struct facts *facts)
{
    static const struct feed_listener listener = {.event = on_event};
    struct stream_created stream;
    struct verb_open *open = memory_new(sizeof(*open));
    record_clear(&verb_open_record, open);
    int code = stream_read(cli, &stream);
    facts->stepped = code == CLI_DONE && stream.clock == CLOCK_STEPPED;
    if (code == CLI_DONE)
        code = feed_read(cli, stream.stream, open, false, &listener, facts);
    free(open);
    return code;
}
