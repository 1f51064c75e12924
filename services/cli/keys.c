/* keys: who may speak to intake, and the key files they come with. */
#include "keys.h"
#include "base/text.h"
#include "proto/catalogue.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct keys {
    struct cli *cli;
    const char *verb, *id;
    const char *kind, *host, *out, *public_key, *incarnation, *reason;
    bool finish;
    struct principal principal; /* regions, sites, types, personal as said */
    struct stream_created stream;
    struct holders holders;
};

enum { OPTION_KIND = 300, OPTION_REGION, OPTION_SITE, OPTION_TYPE, OPTION_PERSONAL, OPTION_HOST, OPTION_OUT, OPTION_PUBLIC,
       OPTION_INCARNATION, OPTION_FINISH, OPTION_REASON };
static const struct argp_option keys_options[] = {
    {"kind", OPTION_KIND, "KIND", 0, "new: branch, site, desk, integrator, worker, operator, import (default branch)", 0},
    {"region", OPTION_REGION, "PREFIX", 0, "new: a region it speaks for and sees; again for more; none and no site: all", 0},
    {"site", OPTION_SITE, "SITE", 0, "new: a site it speaks for and sees; again for more", 0},
    {"type", OPTION_TYPE, "PREFIX", 0, "new: an event type it may send; again for more; none: what its kind may", 0},
    {"personal", OPTION_PERSONAL, NULL, 0, "new: may see personal data", 0},
    {"public-key", OPTION_PUBLIC, "Z85", 0, "new, rotate: its own public key; the secret stays where it was made", 0},
    {"host", OPTION_HOST, "HOST", 0, "export: under what name intake is reached from there", 0},
    {"out", OPTION_OUT, "FILE", 0, "export: where to (default NAME.key here)", 0},
    {"incarnation", OPTION_INCARNATION, "HEX", 0, "enrol: the one that may go on (default: the next one that comes)", 0},
    {"finish", OPTION_FINISH, NULL, 0, "rotate: the old key goes", 0},
    {"reason", OPTION_REASON, "TEXT", 0, "revoke: why, for people", 0},
    {0}};

static bool list_add(char *items, size_t size, size_t max, uint32_t *n, const char *text)
{
    if (*n == max || text[0] == '\0' || !text_copy(items + *n * size, size, text))
        return false;
    ++*n;
    return true;
}
#define LIST_ADD(principal, list, text) \
    list_add((principal)->list[0], sizeof((principal)->list[0]), COUNT_OF((principal)->list), &(principal)->list##_n, text)

static void parse_word(struct keys *keys, char *arg, struct argp_state *state)
{
    if (keys->verb == NULL)
        keys->verb = arg;
    else if (keys->id == NULL)
        keys->id = arg;
    else
        argp_error(state, "%s: not understood", arg);
}

static error_t parse_right(struct keys *keys, int key, char *arg, struct argp_state *state)
{
    bool fits = true;
    switch (key) {
    case OPTION_REGION:
        fits = LIST_ADD(&keys->principal, regions, arg);
        break;
    case OPTION_SITE:
        fits = LIST_ADD(&keys->principal, sites, arg);
        break;
    case OPTION_TYPE:
        fits = LIST_ADD(&keys->principal, types, arg);
        break;
    case OPTION_PERSONAL:
        keys->principal.personal = true;
        break;
    case OPTION_KIND:
        keys->kind = arg;
        if (!principal_kind_read(arg, &keys->principal.kind) && !text_equal(arg, "server"))
            argp_error(state, "--kind %s: branch, site, desk, integrator, worker, operator or import", arg);
        break;
    default:
        return ARGP_ERR_UNKNOWN;
    }
    if (!fits)
        argp_error(state, "%s: too long, or too many of them", arg);
    return 0;
}

static error_t keys_parse(int key, char *arg, struct argp_state *state)
{
    struct keys *keys = state->input;
    switch (key) {
    case OPTION_HOST:
        keys->host = arg;
        return 0;
    case OPTION_OUT:
        keys->out = arg;
        return 0;
    case OPTION_PUBLIC:
        keys->public_key = arg;
        return 0;
    case OPTION_INCARNATION:
        keys->incarnation = arg;
        return 0;
    case OPTION_REASON:
        keys->reason = arg;
        return 0;
    case OPTION_FINISH:
        keys->finish = true;
        return 0;
    case ARGP_KEY_ARG:
        parse_word(keys, arg, state);
        return 0;
    case ARGP_KEY_END:
        if (keys->verb == NULL)
            argp_error(state, "needs new, list, export, enrol, rotate or revoke");
        if (keys->id == NULL && !text_equal(keys->verb, "list"))
            argp_error(state, "%s needs a principal's id", keys->verb);
        return 0;
    default:
        return parse_right(keys, key, arg, state);
    }
}

/* --- saying it ----------------------------------------------------------------------------------- */

static int event_send(struct keys *keys, const char *type, const char *key, const struct record *record, const void *data)
{
    struct buf encoded = {0}, result = {0};
    struct answer answer;
    record_encode(record, RECORD_PLAIN, data, &encoded);
    struct draft draft = {.type = type, .v = 1, .key = key, .by = "operator", .data = buf_bytes(&encoded)};
    int code = send_one(keys->cli, keys->stream.stream, &draft, &answer, &result);
    if (code == CLI_DONE && !answer.taken)
        code = refusal_say(keys->cli, &answer.problem);
    buf_release(&encoded);
    buf_release(&result);
    return code;
}

static int principal_send(struct keys *keys, const char *type, const struct principal *principal)
{
    return event_send(keys, type, principal->id, &principal_record, principal);
}

static struct holder *holder_needed(struct keys *keys, int *code)
{
    struct holder *holder = holders_find(&keys->holders, keys->id);
    if (holder == NULL)
        *code = cli_fail(keys->cli, CLI_REFUSED, in_words(keys->cli->language, "`aftercare keys list` shows them."),
                         in_words(keys->cli->language, "there is no principal %s"), keys->id);
    return holder;
}

static int done(const struct keys *keys, const char *said, const char *path)
{
    const struct cli *cli = keys->cli;
    if (!cli->json) {
        cli_note(cli, "%s: %s%s%s", keys->id, in_words(cli->language, said), path[0] != '\0' ? " " : "", path);
        return CLI_DONE;
    }
    struct buf out = {0};
    buf_append_text(&out, "{\"principal\":");
    json_text(&out, keys->id);
    buf_append_text(&out, ",\"file\":");
    json_text(&out, path);
    printf("%s}\n", buf_text(&out));
    buf_release(&out);
    return CLI_DONE;
}

/* A pair of our own making, or the public half of one that its owner made. */
static bool pair_make(struct keys *keys, struct bus_key *key)
{
    uint8_t bytes[BUS_KEY_BYTES];
    if (keys->public_key == NULL) {
        bus_key_make(key);
        return true;
    }
    if (bus_key_parse(keys->public_key, bytes)) {
        bus_key_print(bytes, key->public_key);
        return true;
    }
    cli_fail(keys->cli, CLI_USAGE, NULL, in_words(keys->cli->language, "\"%s\" is not a public key: 40 characters of Z85"),
             keys->public_key);
    return false;
}

/* --- new ----------------------------------------------------------------------------------------- */

static int new_server(struct keys *keys)
{
    char path[400];
    struct bus_key key;
    key_path(keys->cli, "server", "", path);
    record_clear(&bus_key_record, &key);
    text_copy(key.aftercare, sizeof(key.aftercare), "key");
    text_copy(key.principal, sizeof(key.principal), "server");
    text_copy(key.kind, sizeof(key.kind), "server");
    key.version = 1;
    bus_key_make(&key);
    bool fine = key_write(keys->cli, path, &key, false);
    bus_key_forget(&key);
    return fine ? done(keys, "intake, started anew, asks for keys; its own lies in", path) : CLI_REFUSED;
}

/* What an earlier try has left that nobody answered: the file is there, and intake has never known who it is for. */
static bool pair_left(struct keys *keys, const char *path, struct bus_key *key)
{
    struct bus_key earlier;
    struct problem problem;
    if (keys->public_key != NULL || access(path, F_OK) != 0 || !bus_key_load(path, &earlier, &problem))
        return false;
    bool left = text_equal(earlier.stream, keys->stream.stream) && text_equal(earlier.principal, keys->id) &&
                holders_read(keys->cli, keys->stream.stream, &keys->holders) == CLI_DONE && holders_find(&keys->holders, keys->id) == NULL;
    if (left) {
        memcpy(key->public_key, earlier.public_key, sizeof(key->public_key));
        memcpy(key->secret_key, earlier.secret_key, sizeof(key->secret_key));
    }
    bus_key_forget(&earlier);
    return left;
}

static int keys_new(struct keys *keys)
{
    char path[400];
    struct bus_key key;
    struct principal *principal = &keys->principal;
    if (!text_copy(principal->id, sizeof(principal->id), keys->id) || !text_is_key(keys->id, strlen(keys->id)))
        return cli_fail(keys->cli, CLI_USAGE, in_words(keys->cli->language, "Up to 63 of A-Z a-z 0-9 . _ -"),
                        in_words(keys->cli->language, "\"%s\" cannot be a principal's id"), keys->id);
    key_path(keys->cli, keys->id, "", path);
    if (!key_frame(keys->cli, keys->stream.stream, principal, keys->host, &key))
        return CLI_REFUSED;
    bool left = pair_left(keys, path, &key);
    if ((!left && !pair_make(keys, &key)) || !bus_key_parse(key.public_key, principal->keys[0]))
        return CLI_REFUSED;
    principal->keys_n = 1;
    /* The file first: a principal whose secret nobody has would have to be rotated at once. */
    int code = keys->public_key != NULL || key_write(keys->cli, path, &key, left) ? CLI_DONE : CLI_REFUSED;
    bus_key_forget(&key);
    if (code != CLI_DONE)
        return code;
    code = principal_send(keys, "principal.added", principal);
    if (code == CLI_REFUSED && keys->public_key == NULL)
        unlink(path);
    if (code != CLI_DONE)
        return code;
    return keys->public_key != NULL ? done(keys, "known by its own key", "")
                                    : done(keys, "known; the key lies in", path);
}

/* --- export -------------------------------------------------------------------------------------- */

static int keys_export(struct keys *keys)
{
    char path[400], out[400];
    struct bus_key have, key;
    struct problem problem;
    int code = CLI_DONE;
    const struct holder *holder = holder_needed(keys, &code);
    if (holder == NULL)
        return code;
    key_path(keys->cli, keys->id, "", path);
    if (!bus_key_load(path, &have, &problem))
        return cli_fail(keys->cli, CLI_REFUSED, in_words(keys->cli->language, "`aftercare keys rotate` makes a new one."),
                        in_words(keys->cli->language, "key file %s: %s"), problem.field, problem.args);
    code = key_frame(keys->cli, keys->stream.stream, &holder->principal, keys->host, &key) ? CLI_DONE : CLI_REFUSED;
    memcpy(key.public_key, have.public_key, sizeof(key.public_key));
    memcpy(key.secret_key, have.secret_key, sizeof(key.secret_key));
    text_format(out, sizeof(out), "%.380s%s", keys->out != NULL ? keys->out : keys->id, keys->out != NULL ? "" : ".key");
    if (code == CLI_DONE && !key_write(keys->cli, out, &key, false))
        code = CLI_REFUSED;
    bus_key_forget(&have);
    bus_key_forget(&key);
    return code == CLI_DONE ? done(keys, "take this there, mode 0600, and delete it here:", out) : code;
}

/* --- rotate -------------------------------------------------------------------------------------- */

static int rotate_finish(struct keys *keys, struct holder *holder)
{
    struct principal *principal = &holder->principal;
    char old[400];
    if (principal->keys_n != 2)
        return cli_fail(keys->cli, CLI_REFUSED, NULL, in_words(keys->cli->language, "%s has one key: nothing to finish"), keys->id);
    memcpy(principal->keys[0], principal->keys[1], sizeof(principal->keys[0]));
    principal->keys_n = 1;
    int code = principal_send(keys, "principal.changed", principal);
    if (code != CLI_DONE)
        return code;
    key_path(keys->cli, keys->id, ".old", old);
    unlink(old);
    return done(keys, "the old key is worth nothing any more", "");
}

/* The new file beside the old one until intake knows its key; a rotation that broke off behind that is finished by the next. */
static int rotate_files(const struct keys *keys, const struct principal *principal)
{
    char path[400], next[400], old[400];
    struct bus_key key;
    struct problem problem;
    uint8_t bytes[BUS_KEY_BYTES];
    key_path(keys->cli, keys->id, "", path);
    key_path(keys->cli, keys->id, ".next", next);
    key_path(keys->cli, keys->id, ".old", old);
    if (!bus_key_load(next, &key, &problem))
        return CLI_REFUSED;
    bool known = bus_key_parse(key.public_key, bytes) && principal->keys_n > 0 &&
                 memcmp(bytes, principal->keys[principal->keys_n - 1], sizeof(bytes)) == 0;
    bus_key_forget(&key);
    if (!known)
        return CLI_REFUSED;
    if (rename(path, old) != 0 && errno != ENOENT)
        return CLI_REFUSED;
    return rename(next, path) == 0 ? CLI_DONE : CLI_REFUSED;
}

static int rotate_begin(struct keys *keys, struct holder *holder)
{
    char next[400], path[400];
    struct bus_key key;
    struct principal *principal = &holder->principal;
    key_path(keys->cli, keys->id, ".next", next);
    key_path(keys->cli, keys->id, "", path);
    if (principal->keys_n == 2 && rotate_files(keys, principal) == CLI_DONE)
        return done(keys, "two keys now; when the new one is in use, rotate --finish; it lies in", path);
    if (principal->keys_n == 2)
        return cli_fail(keys->cli, CLI_REFUSED, in_words(keys->cli->language, "`aftercare keys rotate --finish` ends that one."),
                        in_words(keys->cli->language, "%s has two keys already"), keys->id);
    if (!key_frame(keys->cli, keys->stream.stream, principal, keys->host, &key) || !pair_make(keys, &key) ||
        !bus_key_parse(key.public_key, principal->keys[principal->keys_n]))
        return CLI_REFUSED;
    int code = keys->public_key != NULL || key_write(keys->cli, next, &key, true) ? CLI_DONE : CLI_REFUSED;
    bus_key_forget(&key);
    principal->keys_n++;
    if (code == CLI_DONE)
        code = principal_send(keys, "principal.changed", principal);
    if (code == CLI_REFUSED)
        unlink(next);
    if (code != CLI_DONE)
        return code;
    if (keys->public_key == NULL && rotate_files(keys, principal) != CLI_DONE)
        return cli_fail(keys->cli, CLI_REFUSED, NULL, in_words(keys->cli->language, "%s cannot be written: %s"), path,
                        strerror(errno));
    return done(keys, "two keys now; when the new one is in use, rotate --finish; it lies in",
                keys->public_key != NULL ? "" : path);
}

static int keys_rotate(struct keys *keys)
{
    int code = CLI_DONE;
    struct holder *holder = holder_needed(keys, &code);
    if (holder == NULL)
        return code;
    if (holder->revoked)
        return cli_fail(keys->cli, CLI_REFUSED, in_words(keys->cli->language, "`aftercare keys new` gives it a key again."),
                        in_words(keys->cli->language, "%s is revoked"), keys->id);
    return keys->finish ? rotate_finish(keys, holder) : rotate_begin(keys, holder);
}

/* --- enrol, revoke ------------------------------------------------------------------------------- */

static int keys_enrol(struct keys *keys)
{
    struct source_enrolled enrolled = {.source = ""};
    if (!text_copy(enrolled.source, sizeof(enrolled.source), keys->id) ||
        (keys->incarnation != NULL &&
         (strlen(keys->incarnation) != 32 || !hex_parse(keys->incarnation, sizeof(enrolled.incarnation), enrolled.incarnation))))
        return cli_fail(keys->cli, CLI_USAGE, NULL, in_words(keys->cli->language, "an incarnation is 32 hexadecimal digits: %s"),
                        keys->incarnation != NULL ? keys->incarnation : keys->id);
    char key[64];
    (void)text_copy_n(key, sizeof(key), keys->id, strcspn(keys->id, "/"));
    int code = event_send(keys, "source.enrolled", key, &source_enrolled_record, &enrolled);
    return code == CLI_DONE ? done(keys, "let in", "") : code;
}

static int keys_revoke(struct keys *keys)
{
    struct principal_revoked revoked = {.id = ""};
    int code = CLI_DONE;
    const struct holder *holder = holder_needed(keys, &code);
    if (holder == NULL)
        return code;
    if (holder->principal.kind == PRINCIPAL_OPERATOR && text_equal(keys->id, "operator"))
        return cli_fail(keys->cli, CLI_REFUSED, in_words(keys->cli->language, "`aftercare keys rotate operator` changes the key."),
                        "%s", in_words(keys->cli->language, "without the operator nobody could say anything about keys"));
    text_copy(revoked.id, sizeof(revoked.id), keys->id);
    text_copy(revoked.reason, sizeof(revoked.reason), keys->reason != NULL ? keys->reason : "");
    code = event_send(keys, "principal.revoked", keys->id, &principal_revoked_record, &revoked);
    return code == CLI_DONE ? done(keys, "may nothing from here on", "") : code;
}

static int keys_list(struct keys *keys)
{
    holders_print(keys->cli, &keys->holders);
    return CLI_DONE;
}

static const struct {
    const char *verb;
    int (*run)(struct keys *);
    bool holders; /* needs to know who there is */
} verbs[] = {{"new", keys_new, false},     {"list", keys_list, true},     {"export", keys_export, true},
             {"enrol", keys_enrol, false}, {"rotate", keys_rotate, true}, {"revoke", keys_revoke, true}};

int command_keys(struct cli *cli, int argc, char **argv)
{
    static const struct cli_syntax syntax = {
        keys_options, keys_parse, "new|list|export|enrol|rotate|revoke [ID]",
        "Who may speak to intake: makes, hands out, changes and revokes their keys.\v"
        "Secrets stand in key files (mode 0600) under DATA/keys and nowhere else.\n\nExamples:\n"
        "  aftercare keys new branch-gz --kind branch --region 4401 --personal\n"
        "  aftercare keys export branch-gz --host hq.example --out branch-gz.key\n"
        "  aftercare keys rotate branch-gz; aftercare keys rotate branch-gz --finish\n"
        "  aftercare keys revoke branch-gz --reason 'laptop stolen'\n"
        "  aftercare keys enrol branch-gz"};
    struct keys keys = {.cli = cli};
    record_clear(&principal_record, &keys.principal);
    cli_parse(&syntax, argc, argv, &keys);
    for (size_t i = 0; i < COUNT_OF(verbs); i++) {
        if (!text_equal(verbs[i].verb, keys.verb))
            continue;
        if (text_equal(keys.verb, "new") && text_equal(keys.id, "server"))
            return new_server(&keys);
        int code = stream_read(cli, &keys.stream);
        if (code == CLI_DONE && verbs[i].holders)
            code = holders_read(cli, keys.stream.stream, &keys.holders);
        if (code == CLI_DONE)
            code = verbs[i].run(&keys);
        holders_release(&keys.holders);
        return code;
    }
    return cli_fail(cli, CLI_USAGE, "new, list, export, enrol, rotate, revoke", in_words(cli->language, "keys cannot \"%s\""),
                    keys.verb);
}
