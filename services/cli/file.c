/* file: a ticket's files, added, fetched and listed. */
#include "file.h"
#include "base/digest.h"
#include "base/text.h"
#include "proto/branch.h"
#include "rows.h"
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { OPTION_NAME = 400, OPTION_MEDIA, OPTION_OUT, OPTION_AGAIN };

/* A file of a ticket, as the journal tells of it. */
struct ticket_file {
    char sha256[65], state[16]; /* stored, awaited, erased */
    char name[160], media[80], by[EVENT_BY_CAP];
    int64_t bytes, at_us, pos;
};
#define TICKET_FILES_MAX 500
struct ticket_files {
    struct ticket_file *items; /* owned */
    size_t n;
    bool full; /* there are more */
};

static const struct field ticket_file_fields[] = {
    F_TEXT(ticket_file, sha256, FIELD_REQUIRED, "digest of the content, its address"),
    F_TEXT(ticket_file, state, 0, "stored, awaited, erased"),
    F_TEXT(ticket_file, name, 0, "file name"),
    F_TEXT(ticket_file, media, 0, "media type"),
    F_INT(ticket_file, bytes, 0, "its length"),
    F_TIME(ticket_file, at, 0, "attached"),
    F_TEXT(ticket_file, by, 0, "who attached it"),
    F_INT(ticket_file, pos, 0, "position of the event"),
};
static const struct record ticket_file_record = RECORD(ticket_file, ticket_file_fields, "a file of a ticket");

/* --- what the journal tells ------------------------------------------------------------------------ */

static struct ticket_file *file_of(struct ticket_files *files, const uint8_t sha256[32], bool fresh)
{
    char hex[65];
    hex_print(sha256, 32, hex);
    for (size_t i = 0; i < files->n; i++)
        if (text_equal(files->items[i].sha256, hex))
            return &files->items[i];
    if (!fresh || files->n == TICKET_FILES_MAX) {
        files->full = files->full || fresh;
        return NULL;
    }
    files->items = memory_grow(files->items, (files->n + 1) * sizeof(files->items[0]));
    struct ticket_file *file = &files->items[files->n++];
    record_clear(&ticket_file_record, file);
    text_copy(file->sha256, sizeof(file->sha256), hex);
    return file;
}

static void on_attached(struct ticket_files *files, const struct event *event)
{
    struct file_attached data;
    struct problem problem;
    struct bytes personal = event_personal(event);
    if (!record_decode(&file_attached_record, RECORD_PLAIN, DECODE_LENIENT, event->data, NULL, &data, &problem) ||
        (personal.len > 0 && !record_decode(&file_attached_record, RECORD_PERSONAL, DECODE_LENIENT | DECODE_KEEP, personal, NULL, &data, &problem)))
        return;
    struct ticket_file *file = file_of(files, data.sha256, true);
    if (file == NULL)
        return;
    if (!text_equal(file->state, "stored")) /* naming it once more takes nothing away */
        text_copy(file->state, sizeof(file->state), event->has_pd && personal.len == 0 ? "erased" : "awaited");
    text_copy(file->name, sizeof(file->name), data.name);
    text_copy(file->media, sizeof(file->media), data.media);
    text_copy(file->by, sizeof(file->by), event->by);
    file->bytes = data.bytes;
    file->at_us = event->at_us;
    file->pos = (int64_t)event->pos;
}

static bool on_event(void *owner, const struct event *event)
{
    struct ticket_files *files = owner;
    struct file_stored stored;
    struct problem problem;
    if (text_equal(event->type, "file.attached"))
        on_attached(files, event);
    else if (text_equal(event->type, "file.stored") &&
             record_decode(&file_stored_record, RECORD_PLAIN, DECODE_LENIENT, event->data, NULL, &stored, &problem)) {
        struct ticket_file *file = file_of(files, stored.sha256, false);
        if (file != NULL && !text_equal(file->state, "erased"))
            text_copy(file->state, sizeof(file->state), "stored");
    }
    return true;
}

/* CLI_DONE, or the exit code. */
static int ticket_files_read(const struct cli *cli, const char *ticket, struct ticket_files *files)
{
    static const struct feed_listener listener = {.event = on_event};
    struct stream_created stream;
    struct verb_open open;
    *files = (struct ticket_files){.n = 0};
    int code = stream_read(cli, &stream);
    if (code != CLI_DONE)
        return code;
    record_clear(&verb_open_record, &open);
    text_copy(open.types[open.types_n++], sizeof(open.types[0]), "file.");
    text_copy(open.keys[open.keys_n++], sizeof(open.keys[0]), ticket);
    return feed_read(cli, stream.stream, &open, false, &listener, files);
}

static void ticket_files_release(struct ticket_files *files)
{
    free(files->items);
    *files = (struct ticket_files){.n = 0};
}

/* --- list ------------------------------------------------------------------------------------------ */

/* What waits at the branch; what the centre has it tells itself. */
static int list_at_branch(const struct files *f)
{
    struct branch_args args;
    struct rows rows;
    record_clear(&branch_args_record, &args);
    if (f->what != NULL)
        text_copy(args.key, sizeof(args.key), f->what);
    const struct asking asking = {.question = question_find("branch", "files"), .args = &args, .row = rows_add, .owner = &rows};
    rows_init(&rows, f->cli, asking.question->row);
    struct asker *asker = asker_new(f->cli);
    int code = asker != NULL ? asker_ask(asker, &asking) : CLI_SILENT;
    asker_destroy(&asker);
    if (code == CLI_DONE)
        rows_end(&rows);
    else
        sheet_release(&rows.sheet);
    return code;
}

static int list(const struct files *f)
{
    struct ticket_files files;
    struct rows rows;
    int code = ticket_files_read(f->cli, f->what, &files);
    if (code == CLI_DONE) {
        rows_init(&rows, f->cli, &ticket_file_record);
        for (size_t i = 0; i < files.n; i++)
            rows_add(&rows, &ticket_file_record, &files.items[i]);
        rows_end(&rows);
        if (files.full)
            cli_note(f->cli, in_words(f->cli->language, "the first %d"), TICKET_FILES_MAX);
    }
    ticket_files_release(&files);
    return code;
}

/* --- get ------------------------------------------------------------------------------------------- */

static bool is_digest(const char *text)
{
    uint8_t digest[DIGEST_BYTES];
    return strlen(text) == 2 * DIGEST_BYTES && hex_parse(text, sizeof(digest), digest);
}

/* A name that somebody gave leads nowhere else; two files of one name stay two. */
static void path_of(const char *folder, const struct ticket_file *file, char *out, size_t cap)
{
    char name[sizeof(file->name)];
    const char *base = strrchr(file->name, '/') != NULL ? strrchr(file->name, '/') + 1 : file->name;
    text_copy(name, sizeof(name), base);
    for (char *at = name; *at != '\0'; at++)
        if ((unsigned char)*at < ' ' || *at == '\\')
            *at = '_';
    if (name[0] == '.')
        name[0] = '_';
    text_format(out, cap, "%s/%.12s%s%s", folder, file->sha256, name[0] != '\0' ? "-" : "", name);
}

static bool is_folder(const char *path)
{
    struct stat stat_of;
    return stat(path, &stat_of) == 0 && S_ISDIR(stat_of.st_mode);
}

static int fetch_said(const struct cli *cli, const struct ticket_file *file, const char *path)
{
    int code = file_fetch(cli, file->sha256, path);
    if (code == CLI_DONE && cli->json)
        printf("{\"sha256\":\"%s\",\"out\":\"%s\"}\n", file->sha256, path);
    else if (code == CLI_DONE)
        printf("%s\n", path);
    return code;
}

static int fetch_all(const struct files *f, const struct ticket_files *files)
{
    const struct cli *cli = f->cli;
    size_t stored = 0;
    int code = CLI_DONE;
    for (size_t i = 0; i < files->n; i++)
        stored += text_equal(files->items[i].state, "stored");
    if (stored == 0)
        return cli_fail(cli, CLI_REFUSED, in_words(cli->language, "`aftercare file list TICKET` shows what is awaited."),
                        in_words(cli->language, "nothing is stored of %s"), f->what);
    if (stored > 1 && !is_folder(f->out))
        return cli_fail(cli, CLI_USAGE, in_words(cli->language, "Several files: --out names a folder that is there."),
                        in_words(cli->language, "%s is no folder"), f->out);
    for (size_t i = 0; i < files->n && code == CLI_DONE; i++) {
        char path[1024];
        if (!text_equal(files->items[i].state, "stored"))
            continue;
        path_of(f->out, &files->items[i], path, sizeof(path));
        code = fetch_said(cli, &files->items[i], is_folder(f->out) ? path : f->out);
    }
    return code;
}

static int get(const struct files *f)
{
    struct ticket_files files = {.n = 0};
    if (is_digest(f->what)) {
        struct ticket_file file = {.bytes = 0};
        struct stream_created stream;
        char path[1024];
        int silent = stream_read(f->cli, &stream); /* whether anybody is there: a piece may take its time */
        if (silent != CLI_DONE)
            return silent;
        text_copy(file.sha256, sizeof(file.sha256), f->what);
        path_of(f->out, &file, path, sizeof(path));
        return fetch_said(f->cli, &file, is_folder(f->out) ? path : f->out);
    }
    int code = ticket_files_read(f->cli, f->what, &files);
    if (code == CLI_DONE)
        code = fetch_all(f, &files);
    ticket_files_release(&files);
    return code;
}

/* For programs the code, for people what it means. */
static int refused_say(const struct cli *cli, const char *code, const char *words, const char *advice)
{
    struct buf out = {0};
    if (!cli->json)
        return cli_fail(cli, CLI_REFUSED, advice, "%s", words);
    buf_append_text(&out, "{\"code\":");
    json_text(&out, code);
    buf_append_text(&out, ",\"why\":");
    json_text(&out, words);
    printf("%s}\n", buf_text(&out));
    buf_release(&out);
    return CLI_REFUSED;
}

int file_code_say(const struct cli *cli, const char *code, const char *why)
{
    static const struct {
        const char *code, *words, *advice;
    } known[] = {
        {"unknown", "no file with this digest is attached to a ticket", NULL},
        {"denied", "the file belongs to a ticket that this principal may not see, or personal data are not for it", NULL},
        {"erased", "its customer's personal data were erased, and the file with them", "`aftercare file add --again` attaches it anew."},
        {"awaited", "the file is announced, but its bytes have not come", NULL},
        {"sha256", "the bytes that arrived are not this file's; intake has thrown them away", NULL},
        {"quota", "too many files were begun and not finished", NULL},
        {"measure", "more than one principal may bring in a day: again tomorrow", NULL},
        {"too-large", "the file is longer than it was when it was attached", NULL},
        {FILE_CORRUPT, "the bytes that came have another digest", "Run it again: it begins anew."},
    };
    for (size_t i = 0; i < COUNT_OF(known); i++)
        if (text_equal(known[i].code, code))
            return refused_say(cli, code, in_words(cli->language, known[i].words),
                               known[i].advice != NULL ? in_words(cli->language, known[i].advice) : NULL);
    struct buf words = {0};
    buf_append_format(&words, in_words(cli->language, "refused (%s): %s"), code, why);
    int refused = refused_say(cli, code, buf_text(&words), NULL);
    buf_release(&words);
    return refused;
}

/* --- the command ----------------------------------------------------------------------------------- */

static void word(struct files *f, char *arg, struct argp_state *state)
{
    if (f->verb == NULL)
        f->verb = arg;
    else if (f->what == NULL)
        f->what = arg;
    else if (f->path == NULL && text_equal(f->verb, "add"))
        f->path = arg;
    else
        argp_error(state, "%s: not understood", arg);
}

static void end(const struct files *f, struct argp_state *state)
{
    bool branch = f->cli->branch, listed = f->verb != NULL && text_equal(f->verb, "list");
    bool added = f->verb != NULL && text_equal(f->verb, "add"), got = f->verb != NULL && text_equal(f->verb, "get");
    if (!listed && !added && (!got || branch))
        argp_error(state, branch ? "needs add or list" : "needs add, get or list");
    if (f->what == NULL && !(listed && branch))
        argp_error(state, "of which TICKET?");
    if (added && f->path == NULL)
        argp_error(state, "which FILE?");
    if (got && f->out == NULL)
        argp_error(state, "--out: where to?");
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct files *f = state->input;
    switch (key) {
    case OPTION_NAME:
        f->name = arg;
        return 0;
    case OPTION_MEDIA:
        f->media = arg;
        return 0;
    case OPTION_OUT:
        f->out = arg;
        return 0;
    case OPTION_AGAIN:
        f->again = true;
        return 0;
    case ARGP_KEY_ARG:
        word(f, arg, state);
        return 0;
    case ARGP_KEY_END:
        end(f, state);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

int command_file(struct cli *cli, int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"name", OPTION_NAME, "NAME", 0, "add: what people call it (default: the file's own name)", 0},
        {"media", OPTION_MEDIA, "TYPE", 0, "add: media type, such as image/jpeg (default: by the name's end)", 0},
        {"again", OPTION_AGAIN, NULL, 0, "add: attach it although it was attached before", 0},
        {"out", OPTION_OUT, "PATH", 0, "get: the file to write, or a folder", 0},
        {0}};
    static const struct cli_syntax syntax = {
        options, parse, "add TICKET FILE|get SHA256|TICKET --out PATH|list TICKET",
        "Attach a file to a ticket, fetch files, list them. At most 20 MiB each; a file is personal data, and "
        "erased with its customer's.\v"
        "A run that was cut goes on where it was when it is started again.\n\nExamples:\n"
        "  aftercare file add GD01-20261122-000123 report.pdf\n"
        "  aftercare --branch file add GD01-20261122-000123 photo.jpg\n"
        "  aftercare file get GD01-20261122-000123 --out ."};
    struct files f = {.cli = cli};
    cli_parse(&syntax, argc, argv, &f);
    if (text_equal(f.verb, "add"))
        return file_add(&f);
    if (text_equal(f.verb, "get"))
        return get(&f);
    return cli->branch ? list_at_branch(&f) : list(&f);
}
