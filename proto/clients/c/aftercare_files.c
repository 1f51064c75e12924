/* Files: the machines of common/bus that `aftercare file` has too, for who waits. */
#include "aftercare_files.h"
#include "aftercare_inside.h"
#include "base/clock.h"
#include "base/part.h"
#include "base/text.h"
#include "bus/getting.h"
#include "bus/putting.h"
#include "record/pack.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static bool fail_of(struct aftercare *client, const char *kind, const char *code, const char *why)
{
    char whole[64];
    snprintf(whole, sizeof(whole), "%s.%s", kind, code);
    return client_fail(client, whole, why);
}

static bool fail_by_errno(struct aftercare *client)
{
    return client_fail(client, "state", strerror(errno));
}

/* What passes is waited for, but not for ever (T6). */
static void wait_patiently(struct aftercare *client, struct talk *talk, bool later, const char *why)
{
    if (!later)
        talk_good(talk);
    else if (talk_is_out_of_patience(talk))
        client_fail(client, "silent", why);
}

/* --- putting ----------------------------------------------------------------------------------------- */

struct carrying {
    struct aftercare *client;
    const struct aftercare_file *file;
    const char *name, *media;
    int fd;
    int64_t bytes;
    uint8_t sha256[DIGEST_BYTES];
    struct aftercare_source *source;
    char code[40], field[64]; /* of the fact's refusal */
};

static void on_answer(void *owner, const struct aftercare_answer *answer)
{
    struct carrying *c = owner;
    (void)text_copy(c->code, sizeof(c->code), answer->code);
    (void)text_copy(c->field, sizeof(c->field), answer->field);
}

/* Its length and digest. */
static bool describe(struct carrying *c)
{
    uint8_t piece[65536];
    ssize_t n;
    struct digest *digest = digest_new();
    for (c->bytes = 0; (n = pread(c->fd, piece, sizeof(piece), (off_t)c->bytes)) > 0; c->bytes += n)
        digest_add(digest, bytes_of(piece, (size_t)n));
    digest_end(&digest, c->sha256);
    return n == 0 || fail_by_errno(c->client);
}

static bool on_read(void *owner, int64_t offset, size_t most, struct buf *out)
{
    struct carrying *c = owner;
    ssize_t n = pread(c->fd, buf_reserve(out, most), most, (off_t)offset);
    if (n <= 0)
        return n < 0 ? fail_by_errno(c->client) : client_fail(c->client, "state", "the file has become shorter");
    out->len += (size_t)n;
    return true;
}

/* file.attached, as an element of APPEND. */
static void fact_encode(const struct carrying *c, struct buf *out)
{
    struct buf data = {0}, priv = {0};
    pack_map(&data, c->media[0] != '\0' ? 3 : 2);
    if (c->media[0] != '\0')
        pack_text(&data, "media"), pack_text(&data, c->media);
    pack_text(&data, "bytes"), pack_int(&data, c->bytes);
    pack_text(&data, "sha256"), pack_bin(&data, bytes_of(c->sha256, sizeof(c->sha256)));
    pack_map(&priv, 1);
    pack_text(&priv, "name"), pack_text(&priv, c->name);
    draft_encode(&(struct draft){.type = "file.attached", .v = 1, .key = c->file->ticket, .by = c->file->by, .data = buf_bytes(&data),
                                 .priv = buf_bytes(&priv)}, out);
    buf_release(&data);
    buf_release(&priv);
}

/* Named by what it attaches; again: by chance. */
static void source_begin(struct carrying *c, bool again)
{
    const char *principal = c->client->key.principal;
    uint8_t what[DIGEST_BYTES], incarnation[INCARNATION_BYTES];
    char name[EVENT_SOURCE_CAP];
    memcpy(what, c->sha256, sizeof(what));
    if (again)
        random_fill(what, sizeof(what));
    putting_source(principal, c->file->ticket, c->name, c->media, what, name);
    putting_incarnation(name, incarnation);
    c->source = client_source(c->client, NULL, name + strlen(principal) + 1, incarnation, on_answer, c);
}

/* True: the fact is there. */
static bool attach(struct carrying *c, bool again)
{
    struct buf fact = {0};
    source_begin(c, again);
    fact_encode(c, &fact);
    bool answered = c->source != NULL && aftercare_append(c->source, &(struct aftercare_bytes){fact.data, fact.len}, 1);
    buf_release(&fact);
    if (!answered || c->code[0] == '\0')
        return answered;
    if (again || source_durable(c->source->machine) < 1)
        return fail_of(c->client, "refused", c->code, c->field);
    aftercare_source_close(&c->source); /* that was said to an earlier run: what it lacked may be there by now */
    return attach(c, true);
}

static bool carry(struct carrying *c)
{
    struct putting *putting = putting_new(c->sha256, c->bytes, on_read, c);
    const struct verb_error *refusal = putting_refusal(putting);
    struct talk *talk = &c->source->talk;
    struct frame frame;
    for (int64_t line = -1; client_is_well(c->client) && !putting_is_over(putting);) {
        bool open = source_state(c->source->machine) == SOURCE_OPEN;
        if (open && line != talk->lines)
            putting_connected(putting, clock_boot_us());
        line = open ? talk->lines : line;
        if (open && putting_out(putting, clock_boot_us(), &frame))
            talk_say(talk, frame.verb, frame.map);
        talk->until_us = open ? putting_deadline_us(putting) : 0;
        if (!putting_is_over(putting) && client_turn(c->client, talk) && putting_in(putting, &talk->frame, clock_boot_us()))
            wait_patiently(c->client, talk, putting_is_later(putting), refusal->why);
        if (open && line == talk->lines && putting_tick(putting, clock_boot_us()))
            talk_anew(talk);
    }
    if (refusal->code[0] != '\0')
        fail_of(c->client, "refused", refusal->code, refusal->why);
    putting_destroy(&putting);
    return client_is_well(c->client);
}

bool aftercare_put_file(struct aftercare *client, const struct aftercare_file *file, char sha256[AFTERCARE_SHA256_TEXT])
{
    const char *slash = strrchr(file->path, '/');
    struct carrying c = {.client = client, .file = file, .media = file->media != NULL ? file->media : "",
                         .name = file->name != NULL ? file->name : slash != NULL ? slash + 1 : file->path};
    if (!client_is_well(client))
        return false;
    c.fd = open(file->path, O_RDONLY | O_CLOEXEC);
    bool good = c.fd >= 0 ? describe(&c) : fail_by_errno(client);
    if (good) {
        good = attach(&c, file->again) && carry(&c);
        aftercare_source_close(&c.source);
    }
    if (good && sha256 != NULL)
        hex_print(c.sha256, sizeof(c.sha256), sha256);
    if (c.fd >= 0)
        close(c.fd);
    return good;
}

/* --- getting ----------------------------------------------------------------------------------------- */

struct fetching {
    struct aftercare *client;
    struct part part;
};

static bool on_piece(void *owner, struct bytes piece)
{
    struct fetching *f = owner;
    return part_add(&f->part, piece) || fail_by_errno(f->client);
}

static bool fetch(struct fetching *f, const uint8_t sha256[DIGEST_BYTES])
{
    struct getting *getting = getting_new(sha256, f->part.bytes, on_piece, f);
    const struct verb_error *refusal = getting_refusal(getting);
    struct talk talk = client_talk(f->client, TALK_GETTING, getting);
    while (client_is_well(f->client) && !getting_is_over(getting))
        if (client_turn(f->client, &talk) && text_equal(talk.frame.verb, "PART"))
            wait_patiently(f->client, &talk, getting_is_later(getting), refusal->why);
    talk_close(&talk);
    if (refusal->code[0] != '\0')
        fail_of(f->client, getting_is_denied(getting) ? "denied" : "refused", refusal->code, refusal->why);
    getting_destroy(&getting);
    return client_is_well(f->client);
}

bool aftercare_get_file(struct aftercare *client, const char *sha256, const char *path)
{
    struct fetching f = {.client = client};
    uint8_t wanted[DIGEST_BYTES];
    if (!client_is_well(client))
        return false;
    if (strlen(sha256) != 2 * sizeof(wanted) || !hex_parse(sha256, sizeof(wanted), wanted))
        return client_fail(client, "malformed", "a digest is 64 hex digits");
    enum status status = part_open(&f.part, path);
    if (status != STATUS_OK)
        client_fail(client, "state", status == STATUS_AGAIN ? "somebody else is at it" : strerror(errno));
    else if (fetch(&f, wanted) && !part_is_true(&f.part, wanted))
        client_fail(client, "corrupt", "the bytes that came have another digest");
    else if (client_is_well(client) && !part_end(&f.part))
        fail_by_errno(client);
    part_close(&f.part);
    return client_is_well(client);
}
