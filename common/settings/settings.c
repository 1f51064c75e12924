#include "settings/settings.h"
#include "base/text.h"
#include "record/pack.h"
#include "settings/places.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FILE_BYTES_MAX 65536
#define VARIABLE_CAP 96

static const struct field settings_intake_fields[] = {
    F_TEXT(settings_intake, cmd, 0, "where it takes events (ROUTER); default tcp://127.0.0.1:7401"),
    F_TEXT(settings_intake, live, 0, "where it publishes to the workers (PUB); default tcp://127.0.0.1:7402"),
    F_TEXT(settings_intake, feed, 0, "where it replays and answers questions (ROUTER); default tcp://127.0.0.1:7403"),
    F_TEXT(settings_intake, key, 0, "its own key file; default DATA/keys/server.key, where there is one: then CURVE on every TCP socket"),
    F_TEXT(settings_intake, metrics, 0, "address and port of metrics and health over HTTP; default 127.0.0.1:7410"),
    F_TEXT(settings_intake, dsn, 0, "PostgreSQL, as libpq connection text; default the private cluster, role intake"),
    F_INT_DEF(settings_intake, batch_events, 0, 256, 1, 256, "events in one commit at most"),
    F_INT_DEF(settings_intake, lease_ms, 0, 5000, 500, 600000, "how long it stays the one writer without saying so again"),
    F_INT_DEF(settings_intake, refused_per_day, 0, 10000, 0, 1000000, "refused events of one source kept a day (and 16 MiB of them); later ones are answered only"),
    F_INT_DEF(settings_intake, file_days, 0, 14, 1, 3650, "days after which a file that never became whole is forgotten"),
    F_INT_DEF(settings_intake, file_unfinished_mib, 0, 256, 1, 1000000, "MiB of files that one principal may have begun and not finished"),
    F_INT_DEF(settings_intake, file_day_mib, 0, 4096, 1, 1000000000, "MiB of files taken of one principal in a day (UTC)"),
};
static const struct record settings_intake_record =
    RECORD(settings_intake, settings_intake_fields, "intake: the one writer of the journal");

static const struct field settings_worker_fields[] = {
    F_TEXT(settings_worker, dsn, 0, "PostgreSQL, as libpq connection text; default the private cluster, role as the worker"),
    F_TEXT(settings_worker, metrics, 0, "address and port of metrics and health over HTTP; default 127.0.0.1:7411 and up"),
    F_INT_DEF(settings_worker, linger_events, 0, 64, 1, 4096, "a batch is read when so many events wait …"),
    F_INT_DEF(settings_worker, linger_ms, 0, 5, 0, 1000, "… or so much time has passed"),
    F_INT_DEF(settings_worker, batch_events, 0, 2048, 1, 4096, "events in one transaction at most"),
    F_INT_DEF(settings_worker, cache_rows, 0, 4096, 0, 10000000, "closed rows kept in memory, per table"),
};
static const struct record settings_worker_record = RECORD(settings_worker, settings_worker_fields, "a worker");

static const struct field settings_branch_fields[] = {
    F_TEXT(settings_branch, cmd, 0, "where applications and the command line reach it; default ipc://SOCKETS/branch"),
    F_TEXT(settings_branch, key, 0, "key file made by `aftercare keys export`: name, keys, where the centre is"),
    F_TEXT(settings_branch, source, 0, "its name at intake, the id of a principal; default as in the key file"),
    F_TEXT(settings_branch, stream, 0, "the stream's id; default as in the key file, or what intake says first"),
    F_TEXT(settings_branch, prefix, FIELD_KEYLIKE, "ticket numbers begin with it: GD01 makes GD01-20261122-000123; default the source in capitals"),
    F_TEXT(settings_branch, zone, 0, "time zone of the days in ticket numbers; default this machine's"),
    F_TEXT(settings_branch, regions, 0, "work list: only regions with these prefixes, with commas between; default all it may see"),
    F_TEXT(settings_branch, sites, 0, "work list: only these sites, with commas between; default all it may see"),
    F_TEXT(settings_branch, metrics, 0, "address and port of metrics and health over HTTP; default 127.0.0.1:7415"),
    F_INT_DEF(settings_branch, facts_max, 0, 1000000, 10, 100000000, "facts that may wait; no more are taken then"),
    F_INT_DEF(settings_branch, mib_max, 0, 1024, 1, 1000000, "MiB that they may take"),
    F_INT_DEF(settings_branch, files_mib, 0, 512, 1, 1000000, "MiB that files may take which wait to be sent"),
};
static const struct record settings_branch_record =
    RECORD(settings_branch, settings_branch_fields, "branch: takes facts at a branch, and sends them on");

#define WORKER(member, word, d) \
    {.name = word, .kind = FIELD_RECORD, F_AT(settings, member), .sub = &settings_worker_record, .doc = d}
static const struct field settings_fields[] = {
    F_TEXT(settings, data, 0, "data folder: the database cluster, reports, logs of the supervisor"),
    F_TEXT(settings, sockets, 0, "folder of ipc sockets and of PostgreSQL's socket"),
    F_TEXT(settings, log, 0, "how logs are written: plain or json"),
    F_TEXT(settings, cmd, 0, "where intake is reached to append, several with commas between; default the socket folder, or what the key file says"),
    F_TEXT(settings, live, 0, "where intake is reached for live events, in the same order"),
    F_TEXT(settings, feed, 0, "where intake is reached for replay and questions, in the same order"),
    F_TEXT(settings, key, 0, "key file of who connects over TCP; default DATA/keys/NAME.key, NAME being operator, or the worker's"),
    F_RECORD(settings, intake, 0, &settings_intake_record, "intake: the one writer of the journal"),
    WORKER(dispatcher, "dispatcher", "dispatcher: who does it, and who next"),
    WORKER(sla_watchdog, "sla-watchdog", "sla-watchdog: measures every promise"),
    WORKER(follow_up, "follow-up", "follow-up: after the work"),
    WORKER(reporting, "reporting", "reporting: registers, reports, forms"),
    F_RECORD(settings, branch, 0, &settings_branch_record, "branch: on a branch's machine; the others are not there"),
};
const struct record settings_record = RECORD(settings, settings_fields, "all daemons of a host");

static void fill(char *out, size_t cap, const char *value)
{
    if (!*out)
        text_format(out, cap, "%s", value);
}

/* The private cluster; a path with a blank or quote in it quoted as libpq wants it. */
static void dsn_fill(char *out, size_t cap, const char *sockets, const char *role)
{
    struct buf host = {0};
    bool quoted = strpbrk(sockets, " '\\") != NULL;
    if (*out)
        return;
    for (const char *p = sockets; *p; p++)
        buf_append_format(&host, "%s%c", *p == '\'' || *p == '\\' ? "\\" : "", *p);
    text_format(out, cap, "host=%s%s%s port=5432 dbname=aftercare user=%s", quoted ? "'" : "", buf_text(&host),
                quoted ? "'" : "", role);
    buf_release(&host);
}

void settings_local(const struct settings *s, const char *name, char out[ENDPOINT_CAP])
{
    out[0] = 0;
    if (strlen(s->sockets) + strlen(name) + 8 < ENDPOINT_CAP)
        text_format(out, ENDPOINT_CAP, "ipc://%s/%s", s->sockets, name);
}

/* Where a client on this host finds it; who was given a key file is told by that. */
static void reach_fill(const struct settings *s, char *out, const char *bound, const char *name)
{
    if (*out || *s->key)
        return;
    if (text_starts(bound, "tcp://"))
        settings_local(s, name, out);
    else
        text_copy(out, ENDPOINT_CAP, bound);
}

static void worker_fill(struct settings_worker *w, const char *sockets, const char *name, const char *metrics)
{
    dsn_fill(w->dsn, sizeof w->dsn, sockets, name);
    fill(w->metrics, sizeof w->metrics, metrics);
}

/* What nobody said follows from what was said: a DSN from the socket folder, a client's endpoint from the bound one. */
static void derived_fill(struct settings *s)
{
    struct settings_intake *intake = &s->intake;
    if (!*s->sockets)
        places_sockets(s->data, s->sockets, sizeof s->sockets);
    fill(s->log, sizeof s->log, "plain");
    fill(intake->cmd, sizeof intake->cmd, "tcp://127.0.0.1:7401");
    fill(intake->live, sizeof intake->live, "tcp://127.0.0.1:7402");
    fill(intake->feed, sizeof intake->feed, "tcp://127.0.0.1:7403");
    fill(intake->metrics, sizeof intake->metrics, "127.0.0.1:7410");
    dsn_fill(intake->dsn, sizeof intake->dsn, s->sockets, "intake");
    reach_fill(s, s->cmd, intake->cmd, "cmd");
    reach_fill(s, s->live, intake->live, "live");
    reach_fill(s, s->feed, intake->feed, "feed");
    worker_fill(&s->dispatcher, s->sockets, "dispatcher", "127.0.0.1:7411");
    worker_fill(&s->sla_watchdog, s->sockets, "sla-watchdog", "127.0.0.1:7412");
    worker_fill(&s->follow_up, s->sockets, "follow-up", "127.0.0.1:7413");
    worker_fill(&s->reporting, s->sockets, "reporting", "127.0.0.1:7414");
    fill(s->branch.zone, sizeof s->branch.zone, "localtime");
    fill(s->branch.metrics, sizeof s->branch.metrics, "127.0.0.1:7415");
    if (!*s->branch.cmd && strlen(s->sockets) + 16 < sizeof s->branch.cmd)
        text_format(s->branch.cmd, sizeof s->branch.cmd, "ipc://%s/branch", s->sockets);
}

void settings_defaults(struct settings *s, const char *data_dir)
{
    record_clear(&settings_record, s);
    places_data(data_dir, s->data, sizeof s->data);
    derived_fill(s);
}

static bool add(struct problems *problems, const char *code, const char *field, const char *args)
{
    struct problem p;
    problem_set(&p, code, field, "%s", args);
    problems_add(problems, &p);
    return false;
}

/* The file's whole text, NUL behind it; NULL with a problem. The caller frees. */
static char *file_load(const char *path, size_t *n, struct problems *problems)
{
    char *text = memory_new(FILE_BYTES_MAX + 1);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got = 0;
    *n = 0;
    while (fd >= 0 && (got = read(fd, text + *n, FILE_BYTES_MAX + 1 - *n)) > 0)
        *n += (size_t)got;
    if (fd < 0 || got < 0)
        add(problems, "unreadable", path, strerror(errno));
    else if (*n > FILE_BYTES_MAX)
        add(problems, "too-large", path, "65536");
    if (fd >= 0)
        close(fd);
    if (got < 0 || fd < 0 || *n > FILE_BYTES_MAX) {
        free(text);
        return NULL;
    }
    return text;
}

static void file_read(struct settings *s, const char *path, struct problems *problems)
{
    size_t n = 0;
    char *text = file_load(path, &n, problems);
    if (text && !record_parse_yaml(&settings_record, text, n, NULL, s, problems))
        record_clear(&settings_record, s);
    free(text);
}

static void variable_name(const char *section, const char *field, char out[VARIABLE_CAP])
{
    text_format(out, VARIABLE_CAP, "AFTERCARE_%s%s%s", section, *section ? "_" : "", field);
    for (char *p = out; *p; p++)
        *p = (char)(*p == '-' ? '_' : *p >= 'a' && *p <= 'z' ? *p - 'a' + 'A' : *p);
}

/* As the one-field message it is, through the decoder that checks. */
static void variable_read(const struct record *r, const struct field *f, const char *variable, void *object,
                          struct problems *problems)
{
    const char *value = getenv(variable);
    struct buf packed = {0};
    struct problem p;
    char *end;
    if (!value || !*value)
        return;
    pack_map(&packed, 1);
    pack_text(&packed, f->name);
    errno = 0;
    long long number = strtoll(value, &end, 10);
    if (f->kind == FIELD_INT && end != value && !*end && !errno)
        pack_int(&packed, number);
    else
        pack_text(&packed, value);
    if (!skim(buf_bytes(&packed), &p) ||
        !record_decode(r, RECORD_WHOLE, DECODE_STRICT | DECODE_KEEP, buf_bytes(&packed), NULL, object, &p))
        add(problems, p.code, variable, p.args);
    buf_release(&packed);
}

static void environment_read(struct settings *s, struct problems *problems)
{
    char variable[VARIABLE_CAP];
    for (size_t i = 0; i < settings_record.n; i++) {
        const struct field *f = &settings_fields[i];
        if (f->kind != FIELD_RECORD) {
            variable_name("", f->name, variable);
            variable_read(&settings_record, f, variable, s, problems);
            continue;
        }
        for (size_t j = 0; j < f->sub->n; j++) {
            variable_name(f->name, f->sub->fields[j].name, variable);
            variable_read(f->sub, &f->sub->fields[j], variable, (char *)s + f->offset, problems);
        }
    }
}

/* Whole ones only: each fits ENDPOINT_CAP, and there are at most ENDPOINTS_MAX. */
static void endpoints_check(const char *list, const char *field, struct problems *problems)
{
    size_t n = 0;
    for (const char *at = list + strspn(list, ENDPOINTS_BETWEEN); *at; at += strspn(at, ENDPOINTS_BETWEEN)) {
        size_t length = strcspn(at, ENDPOINTS_BETWEEN);
        if (++n > ENDPOINTS_MAX)
            add(problems, "too-many", field, "8");
        else if (length >= ENDPOINT_CAP)
            add(problems, "too-long", field, "159");
        at += length;
    }
}

static void values_check(const struct settings *s, struct problems *problems)
{
    if (!text_equal(s->log, "plain") && !text_equal(s->log, "json"))
        add(problems, "bad-value", "log", "one of plain, json");
    endpoints_check(s->cmd, "cmd", problems);
    endpoints_check(s->live, "live", problems);
    endpoints_check(s->feed, "feed", problems);
    if (*s->data != '/')
        add(problems, "bad-value", "data", "expected an absolute path");
    if (*s->sockets != '/')
        add(problems, "bad-value", "sockets", "expected an absolute path");
    else if (strlen(s->sockets) > 80)
        add(problems, "too-long", "sockets", "80");
}

bool settings_read(struct settings *s, const char *data_dir, const char *file, struct problems *problems)
{
    size_t before = problems->n;
    char data[sizeof s->data], path[sizeof s->data + 32];
    if (!places_data(data_dir, data, sizeof data))
        return add(problems, "too-long", "data", "255");
    record_clear(&settings_record, s);
    if (file || places_file(data_dir, data, path, sizeof path))
        file_read(s, file ? file : path, problems);
    environment_read(s, problems);
    if (!*s->data || places_given(data_dir))
        text_copy(s->data, sizeof s->data, data);
    derived_fill(s);
    values_check(s, problems);
    return problems->n == before;
}

bool settings_key(const struct settings *s, const char *given, const char *name, char out[400])
{
    const char *credentials = getenv("CREDENTIALS_DIRECTORY");
    if (*given) {
        text_format(out, 400, "%s", given);
        return true; /* a name that leads nowhere is a mistake to be told, not a reason to go without */
    }
    if (credentials && *credentials && strlen(credentials) + strlen(name) + 6 < 400) {
        text_format(out, 400, "%s/%s.key", credentials, name);
        if (access(out, F_OK) == 0)
            return true;
    }
    text_format(out, 400, "%s/keys/%s.key", s->data, name);
    return access(out, F_OK) == 0;
}

const struct settings_worker *settings_worker(const struct settings *s, const char *name)
{
    const struct field *f = record_field(&settings_record, name);
    if (!f || f->sub != &settings_worker_record)
        return NULL;
    return (const struct settings_worker *)(const void *)((const char *)s + f->offset);
}
