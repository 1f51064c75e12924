/* refused send: a refused event, corrected, goes out again as a new one; where it came from stands in the journal beside it. */
#include "base/digest.h"
#include "base/text.h"
#include "draft_line.h"
#include "field_text.h"
#include "proto/catalogue.h"
#include "refused.h"
#include "refused_json.h"
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define EDITED_BYTES_MAX (1024 * 1024)

extern char **environ;

/* --- correcting ------------------------------------------------------------------------------------ */

/* The value at a dotted path, borrowed; NULL: none. */
static json_t *at_path(json_t *tree, const char *path)
{
    const char *dot = strchr(path, '.');
    char name[64];
    if (!text_copy_n(name, sizeof(name), path, dot != NULL ? (size_t)(dot - path) : strlen(path)))
        return NULL;
    json_t *value = json_object_get(tree, name);
    return dot == NULL || value == NULL ? value : at_path(value, dot + 1);
}

/* Sets it, or removes it (value NULL); objects on the way are made. */
static void graft(json_t *tree, const char *path, json_t *value)
{
    const char *dot = strchr(path, '.');
    char name[64];
    if (!text_copy_n(name, sizeof(name), path, dot != NULL ? (size_t)(dot - path) : strlen(path)))
        return;
    if (dot == NULL && value != NULL) {
        json_object_set(tree, name, value);
    } else if (dot == NULL) {
        json_object_del(tree, name);
    } else {
        if (!json_is_object(json_object_get(tree, name)) && value != NULL)
            json_object_set_new(tree, name, json_object());
        graft(json_object_get(tree, name), dot + 1, value);
    }
}

/* A field of the data, read as the type's record reads it from a person. */
static bool field_correct(json_t *event, const char *path, const char *text, struct arena *arena, struct problem *problem)
{
    const struct time_reading reading = {
        .zone = zone_find("localtime"), .formats = {"%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%d"}, .formats_n = 3};
    const char *name = json_string_value(json_object_get(event, "type"));
    const struct event_type *type = name != NULL ? event_type_find(name, 0) : NULL;
    json_t *data = json_object_get(event, "data");
    json_error_t error;
    struct buf printed = {0};
    if (text[0] == '\0') {
        graft(data, path, NULL);
        return true;
    }
    if (type == NULL)
        return problem_set(problem, "unknown-type", "type", "\"%.60s\"", name != NULL ? name : "");
    void *object = arena_alloc(arena, type->data->size);
    record_clear(type->data, object);
    if (!field_set(type->data, object, path, text, &reading, problem))
        return false;
    record_print_json(type->data, RECORD_WHOLE, object, &printed);
    json_t *tree = json_loadb((const char *)printed.data, printed.len, 0, &error);
    graft(data, path, tree != NULL ? at_path(tree, path) : NULL); /* what is left out is the default */
    json_decref(tree);
    buf_release(&printed);
    return true;
}

static bool correct(json_t *event, const char *word, struct arena *arena, struct problem *problem)
{
    static const char *const around[] = {"type", "key", "at", "by"};
    const char *equals = strchr(word, '=');
    char path[120];
    if (equals == NULL || !text_copy_n(path, sizeof(path), word, (size_t)(equals - word)))
        return problem_set(problem, "missing", word, "write field=value");
    const char *type_name = json_string_value(json_object_get(event, "type"));
    const struct event_type *type = type_name != NULL ? event_type_find(type_name, 0) : NULL;
    for (size_t i = 0; i < COUNT_OF(around); i++) {
        if (!text_equal(path, around[i]) || (type != NULL && record_field(type->data, path) != NULL))
            continue;
        graft(event, path, NULL);
        if (equals[1] != '\0')
            json_object_set_new(event, path, json_string(equals + 1));
        if (text_equal(path, "type"))
            json_object_del(event, "v");
        return true;
    }
    return field_correct(event, path, equals + 1, arena, problem);
}

/* --- in an editor ---------------------------------------------------------------------------------- */

static bool editor_run(const char *path)
{
    const char *editor = getenv("VISUAL");
    char command[512];
    pid_t pid;
    int status = 0;
    editor = editor != NULL && editor[0] != '\0' ? editor : getenv("EDITOR");
    editor = editor != NULL && editor[0] != '\0' ? editor : "vi";
    if (strlen(editor) > sizeof(command) - 8)
        return false;
    text_format(command, sizeof(command), "%s \"$0\"", editor);
    char *argv[] = {(char[]){"sh"}, (char[]){"-c"}, command, (char *)(uintptr_t)path, NULL};
    /* Ours are blocked for the loop; the editor has its own. */
    posix_spawnattr_t attributes;
    sigset_t none, usual;
    sigemptyset(&none);
    sigemptyset(&usual);
    sigaddset(&usual, SIGPIPE);
    if (posix_spawnattr_init(&attributes) != 0)
        return false;
    (void)posix_spawnattr_setsigmask(&attributes, &none);
    (void)posix_spawnattr_setsigdefault(&attributes, &usual);
    (void)posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    int code = posix_spawn(&pid, "/bin/sh", NULL, &attributes, argv, environ);
    (void)posix_spawnattr_destroy(&attributes);
    if (code != 0)
        return false;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static bool text_write(int fd, const char *text)
{
    size_t n = strlen(text), done = 0;
    while (done < n) {
        ssize_t wrote = write(fd, text + done, n - done);
        if (wrote < 0)
            return false;
        done += (size_t)wrote;
    }
    return true;
}

/* The file holds personal fields: nobody else may read it, and it does not stay. */
static json_t *edited(const struct cli *cli, json_t *event)
{
    const char *folder = getenv("TMPDIR");
    char path[300];
    struct buf content = {0};
    json_t *result = NULL;
    json_error_t error = {.text = ""};
    text_format(path, sizeof(path), "%s/aftercare-XXXXXX", folder != NULL ? folder : "/tmp");
    int fd = mkstemp(path);
    char *text = json_dumps(event, JSON_INDENT(2));
    bool good = fd >= 0 && text_write(fd, text) && text_write(fd, "\n");
    if (fd >= 0)
        close(fd);
    free(text);
    good = good && editor_run(path) && file_read(cli, path, EDITED_BYTES_MAX, &content);
    if (good)
        result = json_loadb((const char *)content.data, content.len, JSON_REJECT_DUPLICATES, &error);
    if (fd >= 0)
        unlink(path);
    if (result == NULL && good)
        cli_fail(cli, CLI_REFUSED, NULL, in_words(cli->language, "nothing was sent: line %d: %s"), error.line, error.text);
    else if (result == NULL)
        cli_fail(cli, CLI_REFUSED, in_words(cli->language, "Set EDITOR to a program that edits a file and ends."), "%s",
                 in_words(cli->language, "the editor did not end well; nothing was sent"));
    buf_release(&content);
    return result;
}

/* --- sending --------------------------------------------------------------------------------------- */

struct sending {
    const struct cli *cli;
    const struct resending *what;
    struct stream_created stream;
    struct answer answers[2];
    char key[EVENT_KEY_CAP];
};

static void on_answer(void *owner, const struct answer *answer)
{
    struct sending *sending = owner;
    if (answer->n >= 1 && answer->n <= 2) {
        sending->answers[answer->n - 1] = *answer;
        sending->answers[answer->n - 1].result = bytes_of(NULL, 0);
    }
}

static bool on_sent(void *owner, const struct event *event)
{
    text_copy(owner, EVENT_KEY_CAP, event->key);
    return false;
}

/* The number a registration was given. */
static int key_learn(struct sending *sending)
{
    static const struct feed_listener listener = {.event = on_sent};
    struct verb_open *open = memory_new(sizeof(*open));
    record_clear(&verb_open_record, open);
    open->after = sending->answers[0].pos - 1;
    open->credit = 65536;
    int code = feed_read(sending->cli, sending->stream.stream, open, false, &listener, sending->key);
    free(open);
    return code;
}

/* Says in the journal what it is a correction of; intake marks the refused one by it. */
static void mark_give(struct sending *sending, struct sender *sender, const struct refused_row *row)
{
    struct event_corrected corrected;
    struct buf data = {0}, encoded = {0};
    char by[EVENT_BY_CAP];
    operator_by(by);
    record_clear(&event_corrected_record, &corrected);
    text_copy(corrected.source, sizeof(corrected.source), row->source);
    corrected.n = row->n;
    corrected.pos = sending->answers[0].pos;
    text_copy(corrected.code, sizeof(corrected.code), row->code);
    text_copy(corrected.field, sizeof(corrected.field), row->field);
    record_encode(&event_corrected_record, RECORD_PLAIN, &corrected, &data);
    const struct draft draft = {.type = "event.corrected",
                                .v = 1,
                                .key = sending->key,
                                .by = sending->what->by != NULL ? sending->what->by : by,
                                .cause = (uint64_t)sending->answers[0].pos,
                                .data = buf_bytes(&data)};
    draft_encode(&draft, &encoded);
    const struct bytes drafts[] = {buf_bytes(&encoded)};
    sender_give(sender, drafts, 1, 0);
    buf_release(&data);
    buf_release(&encoded);
}

/* A source named by what it corrects and how: sent twice, it is one event. */
static void source_name(const struct refused_row *row, struct bytes draft, char out[EVENT_SOURCE_CAP])
{
    struct buf what = {0};
    uint8_t digest[DIGEST_BYTES];
    char hex[33];
    buf_append_format(&what, "%s/%" PRId64 "/", row->source, row->n);
    buf_append(&what, draft.data, draft.len);
    digest_of(buf_bytes(&what), digest);
    hex_print(digest, 16, hex);
    text_format(out, EVENT_SOURCE_CAP, "operator/%s", hex);
    buf_release(&what);
}

static int both_send(struct sending *sending, const struct refused_row *row, struct bytes draft)
{
    char name[EVENT_SOURCE_CAP];
    int code;
    source_name(row, draft, name);
    struct sender *sender = sender_open(sending->cli, sending->stream.stream, name, 2, on_answer, sending, &code);
    if (sender == NULL)
        return code;
    const struct bytes drafts[] = {draft};
    sender_give(sender, drafts, 1, 0);
    code = sender_flush(sender);
    if (code == CLI_DONE && sending->answers[0].taken)
        code = key_learn(sending);
    if (code == CLI_DONE && sending->answers[0].taken) {
        mark_give(sending, sender, row);
        code = sender_flush(sender);
    }
    sender_close(&sender);
    return code;
}

static int refusal_tell(const struct cli *cli, const struct problem *problem)
{
    struct buf out = {0};
    if (!cli->json)
        return refusal_say(cli, problem);
    buf_append_text(&out, "{\"taken\":false,\"code\":");
    json_text(&out, problem->code);
    buf_append_text(&out, ",\"field\":");
    json_text(&out, problem->field);
    buf_append_text(&out, ",\"args\":");
    json_text(&out, problem->args);
    printf("%s}\n", buf_text(&out));
    buf_release(&out);
    return CLI_REFUSED;
}

/* What stands in the table now tells whether another correction was quicker. */
static int outcome_say(const struct sending *sending)
{
    const struct cli *cli = sending->cli;
    const struct answer *first = &sending->answers[0], *mark = &sending->answers[1];
    struct refusal now;
    if (!first->taken)
        return refusal_tell(cli, &first->problem);
    if (!mark->taken)
        return refusal_tell(cli, &mark->problem);
    int code = refusal_ask(cli, sending->what->source, sending->what->n, false, &now);
    int64_t marked = now.row.corrected;
    refusal_release(&now);
    if (code != CLI_DONE)
        return code;
    if (cli->json)
        printf("{\"taken\":true,\"pos\":%" PRId64 ",\"key\":\"%s\",\"source\":\"%s\",\"n\":%" PRId64 ",\"corrected\":%" PRId64 "}\n",
               first->pos, sending->key, sending->what->source, sending->what->n, marked);
    if (marked != first->pos)
        return cli_fail(cli, CLI_REFUSED, in_words(cli->language, "Look at both: `aftercare tail --from POS`."),
                        in_words(cli->language, "position %" PRId64 " was taken, but another correction came first: position %" PRId64),
                        first->pos, marked);
    if (!cli->json)
        printf(in_words(cli->language, "%s taken at position %" PRId64 ", in place of %s %" PRId64 "\n"), sending->key, first->pos,
               sending->what->source, sending->what->n);
    return CLI_DONE;
}

/* What its sender said, with what intake would have added: who, and when it was told. */
static void complete(json_t *event, const struct refused_row *row)
{
    char when[INSTANT_TEXT_MAX], principal[EVENT_SOURCE_CAP];
    json_t *personal = json_object_get(event, "personal");
    if (personal != NULL)
        json_object_update_recursive(json_object_get(event, "data"), personal);
    json_object_del(event, "personal");
    json_object_del(event, "cause");
    if (json_object_get(event, "at") == NULL && row->rec_us > 0) {
        instant_print(row->rec_us, when);
        json_object_set_new(event, "at", json_string(when));
    }
    if (json_object_get(event, "by") == NULL && text_copy_n(principal, sizeof(principal), row->source, strcspn(row->source, "/")))
        json_object_set_new(event, "by", json_string(principal));
}

static bool corrections_make(const struct resending *what, json_t *event, struct arena *arena, struct problem *problem)
{
    for (size_t i = 0; i < what->corrections_n; i++)
        if (!correct(event, what->corrections[i], arena, problem))
            return false;
    return true;
}

static int event_send(struct sending *sending, const struct refused_row *row, json_t *event)
{
    struct arena *arena = arena_new(65536);
    struct buf encoded = {0};
    struct problem problem = {0};
    int code = CLI_REFUSED;
    char *text = json_dumps(event, JSON_COMPACT | JSON_ENCODE_ANY);
    if (!draft_line_parse(text, strlen(text), arena, &encoded, &problem)) {
        refusal_tell(sending->cli, &problem);
        cli_note(sending->cli, "  %s", in_words(sending->cli->language, "nothing was sent"));
    } else {
        code = stream_read(sending->cli, &sending->stream);
        if (code == CLI_DONE)
            code = both_send(sending, row, buf_bytes(&encoded));
        if (code == CLI_DONE)
            code = outcome_say(sending);
    }
    free(text);
    buf_release(&encoded);
    arena_destroy(&arena);
    return code;
}

static int correct_and_send(struct sending *sending, const struct refused_row *row, json_t *event)
{
    const struct cli *cli = sending->cli;
    struct arena *arena = arena_new(65536);
    struct problem problem = {0};
    int code = CLI_REFUSED;
    complete(event, row);
    if (!corrections_make(sending->what, event, arena, &problem)) {
        refusal_tell(cli, &problem);
        cli_note(cli, "  %s", in_words(cli->language, "nothing was sent"));
    } else if (sending->what->edit) {
        json_t *changed = edited(cli, event);
        if (changed != NULL)
            code = event_send(sending, row, changed);
        json_decref(changed);
    } else {
        code = event_send(sending, row, event);
    }
    arena_destroy(&arena);
    return code;
}

int refused_send(const struct cli *cli, const struct resending *what)
{
    struct refusal refusal;
    struct sending sending = {.cli = cli, .what = what};
    int code = refusal_ask(cli, what->source, what->n, true, &refusal);
    json_t *event = code == CLI_DONE ? refusal_json(&refusal) : NULL;
    if (code == CLI_DONE && refusal.row.corrected > 0)
        code = cli_fail(cli, CLI_REFUSED, in_words(cli->language, "A correction of the correction is an event of its own: `aftercare say`."),
                        in_words(cli->language, "%s %" PRId64 " was corrected already: position %" PRId64), what->source, what->n,
                        refusal.row.corrected);
    else if (code == CLI_DONE && !json_is_object(json_object_get(event, "data")))
        code = cli_fail(cli, CLI_REFUSED, in_words(cli->language, "Say it anew: `aftercare say`."), "%s",
                        in_words(cli->language, "the event itself cannot be read"));
    else if (code == CLI_DONE)
        code = correct_and_send(&sending, &refusal.row, event);
    json_decref(event);
    refusal_release(&refusal);
    return code;
}
