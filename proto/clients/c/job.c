/* The jobs of the conformance kit (proto/conformance/README.md), done by this library. */
#include "aftercare.h"
#include "aftercare_files.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LISTED_MAX 16

static int end(struct aftercare *client)
{
    static const char *const damages[] = {"hole", "link", "priv", "corrupt"};
    const char *code = aftercare_code(client), *dot = strchr(code, '.');
    static const char *const ends[] = {"fork", "ahead", "denied", "version", "conflict", "refused", "silent"};
    bool damaged = false, known = false;
    for (size_t i = 0; i < sizeof(damages) / sizeof(*damages); i++)
        damaged = damaged || strcmp(code, damages[i]) == 0;
    int n = dot != NULL ? (int)(dot - code) : (int)strlen(code);
    for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++)
        known = known || (strlen(ends[i]) == (size_t)n && strncmp(code, ends[i], (size_t)n) == 0);
    if (damaged || !known) /* what else ends it is refused */
        printf("{\"end\":\"%s\",\"code\":\"%s\"}\n", damaged ? "damaged" : "refused", code);
    else
        printf("{\"end\":\"%.*s\",\"code\":\"%s\"}\n", n, code, dot != NULL ? dot + 1 : "");
    fprintf(stderr, "%s: %s\n", code, aftercare_why(client));
    return 1;
}

static int job_read(struct aftercare *client, int argc, char **argv)
{
    const char *types[LISTED_MAX + 1] = {0}, *needs[LISTED_MAX + 1] = {0};
    size_t types_n = 0, needs_n = 0;
    struct aftercare_reading asked = {.types = types, .needs = needs};
    struct aftercare_batch batch = {0};
    int64_t until = 0;
    for (int i = 0; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--after") == 0)
            asked.after = batch.upto = strtoll(argv[i + 1], NULL, 10);
        else if (strcmp(argv[i], "--link") == 0)
            for (size_t k = 0; k < AFTERCARE_LINK && sscanf(argv[i + 1] + 2 * k, "%2" SCNx8, &asked.link[k]) == 1; k++)
                batch.link[k] = asked.link[k];
        else if (strcmp(argv[i], "--type") == 0 && types_n < LISTED_MAX)
            types[types_n++] = argv[i + 1];
        else if (strcmp(argv[i], "--need") == 0 && needs_n < LISTED_MAX)
            needs[needs_n++] = argv[i + 1];
        else if (strcmp(argv[i], "--until") == 0)
            until = strtoll(argv[i + 1], NULL, 10);
    }
    asked.follow = until > 0;
    struct aftercare_reader *reader = aftercare_read(client, &asked);
    enum aftercare_next next;
    while ((next = aftercare_next(reader, &batch)) == AFTERCARE_BATCH) {
        for (size_t i = 0; i < batch.n; i++)
            printf("{\"pos\":%" PRId64 ",\"type\":\"%s\"}\n", batch.events[i].pos, batch.events[i].type);
        fflush(stdout);
        aftercare_commit(reader, &batch);
        if (until > 0 && batch.upto >= until)
            break;
    }
    aftercare_reader_close(&reader);
    if (next == AFTERCARE_FAILED)
        return end(client);
    printf("{\"end\":\"caught-up\",\"pos\":%" PRId64 ",\"link\":\"", batch.upto);
    for (size_t k = 0; k < AFTERCARE_LINK; k++)
        printf("%02x", batch.link[k]);
    printf("\"}\n");
    return 0;
}

static void on_answer(void *owner, const struct aftercare_answer *answer)
{
    (void)owner;
    if (answer->pos > 0)
        printf("{\"n\":%" PRId64 ",\"pos\":%" PRId64 "}\n", answer->n, answer->pos);
    else
        printf("{\"n\":%" PRId64 ",\"code\":\"%s\",\"field\":\"%s\"}\n", answer->n, answer->code, answer->field);
}

static void pack(msgpack_packer *out, const char *text)
{
    msgpack_pack_str_with_body(out, text, strlen(text));
}

static int job_append(struct aftercare *client, int64_t total, const char *state)
{
    struct aftercare_source *source = aftercare_source(client, state, NULL, on_answer, NULL);
    if (source == NULL)
        return end(client);
    int64_t first = aftercare_source_n(source);
    size_t n = total >= first ? (size_t)(total - first + 1) : 0;
    msgpack_sbuffer *bytes = calloc(n + 1, sizeof(*bytes));
    struct aftercare_bytes *events = calloc(n + 1, sizeof(*events));
    if (bytes == NULL || events == NULL)
        abort();
    for (size_t i = 0; i < n; i++) {
        msgpack_packer out;
        char key[32];
        snprintf(key, sizeof(key), "KIT-%" PRId64, first + (int64_t)i);
        msgpack_packer_init(&out, &bytes[i], msgpack_sbuffer_write);
        msgpack_pack_map(&out, 5);
        pack(&out, "type"), pack(&out, "ticket.registered");
        pack(&out, "v"), msgpack_pack_int(&out, 1);
        pack(&out, "key"), pack(&out, key);
        pack(&out, "by"), pack(&out, "kit");
        pack(&out, "data"), msgpack_pack_map(&out, 1), pack(&out, "kind"), pack(&out, "repair");
        events[i] = (struct aftercare_bytes){bytes[i].data, bytes[i].size};
    }
    bool good = aftercare_append(source, events, n);
    for (size_t i = 0; i < n; i++)
        msgpack_sbuffer_destroy(&bytes[i]);
    free(bytes);
    free(events);
    aftercare_source_close(&source);
    if (!good)
        return end(client);
    printf("{\"end\":\"done\"}\n");
    return 0;
}

static void on_row(void *owner, const msgpack_object *row)
{
    (void)owner;
    char ticket[64];
    printf("{\"ticket\":\"%s\",\"n\":%" PRId64 "}\n", aftercare_text(row, "ticket", ticket, sizeof(ticket)), aftercare_int(row, "n"));
}

static int job_file(struct aftercare *client, bool good)
{
    if (!good)
        return end(client);
    printf("{\"end\":\"done\"}\n");
    return 0;
}

int main(int argc, char **argv)
{
    if (argc < 3) {
        fprintf(stderr, "job KEYFILE read|append|ask|put|get …\n");
        return 2;
    }
    struct aftercare *client = aftercare_open(argv[1], 60);
    int code = 2;
    int64_t as_of = 0;
    if (*aftercare_code(client) != '\0') {
        code = end(client);
    } else if (strcmp(argv[2], "read") == 0) {
        code = job_read(client, argc - 3, argv + 3);
    } else if (strcmp(argv[2], "append") == 0 && argc == 5) {
        code = job_append(client, strtoll(argv[3], NULL, 10), argv[4]);
    } else if (strcmp(argv[2], "ask") == 0 && argc == 5) {
        code = aftercare_ask(client, argv[3], argv[4], NULL, 0, on_row, NULL, &as_of) ? 0 : end(client);
        if (code == 0)
            printf("{\"end\":\"done\",\"as_of\":%" PRId64 "}\n", as_of);
    } else if (strcmp(argv[2], "put") == 0 && argc == 6) { /* what STATE is for it has from intake */
        code = job_file(client, aftercare_put_file(client, &(struct aftercare_file){.ticket = argv[3], .path = argv[4]}, NULL));
    } else if (strcmp(argv[2], "get") == 0 && argc == 5) {
        code = job_file(client, aftercare_get_file(client, argv[3], argv[4]));
    } else {
        printf("{\"end\":\"no-such-job\"}\n");
    }
    aftercare_close(&client);
    return code;
}
