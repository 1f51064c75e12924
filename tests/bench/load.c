/* Facts of 400 bytes, and the shipped requests as registrations and resolutions. */
#include "bench.h"

#include "base/clock.h"
#include "base/digest.h"
#include "base/text.h"
#include "event/event.h"
#include "proto/ticket.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MESSAGE_EVENTS 64
#define RESOLVED_BEHIND 2000 /* a request is resolved so many requests later */

static int report(const char *bench, const struct sender *sender, int64_t took_us, int64_t *answers, size_t n)
{
    printf("{\"bench\":\"%s\",\"taken\":%lld,\"refused\":%lld,\"per_second\":%.0f,\"ack_p50_us\":%lld,\"ack_p99_us\":%lld,"
           "\"cpu\":%.2f}\n",
           bench, (long long)sender->taken, (long long)sender->refused, (double)sender->taken / ((double)took_us / 1e6),
           (long long)median(answers, n, 0.5), (long long)median(answers, n, 0.99), cpu_seconds());
    if (sender->why[0] != '\0')
        fprintf(stderr, "%s\n", sender->why);
    return sender->why[0] != '\0' || sender->refused > 0 ? 1 : 0;
}

static void draft_of(const char *type, const char *key, const struct record *record, const void *data, struct buf *out)
{
    struct buf plain = {0};
    record_encode(record, RECORD_PLAIN, data, &plain);
    struct draft draft = {.type = type, .v = 1, .key = key, .by = "bench", .data = buf_bytes(&plain)};
    draft_encode(&draft, out);
    buf_release(&plain);
}

static void random_name(char out[64], const char *prefix)
{
    uint8_t random[6];
    char hex[13];
    random_fill(random, sizeof random);
    hex_print(random, sizeof random, hex);
    text_format(out, 64, "%s%s", prefix, hex);
}

int bench_facts(int argc, char **argv)
{
    (void)argc;
    struct sender sender;
    char name[64], key[64];
    int64_t seconds = atoi(argv[4]);
    size_t inflight = (size_t)atoi(argv[5]), answers_n = 0, cap = 1 << 20;
    int64_t *answers = memory_new(cap * sizeof *answers);
    random_name(name, "operator/");
    random_name(key, "BENCH-");
    if (!sender_open(&sender, argv[2], argv[3], name, inflight))
        return report("facts", &sender, 1, answers, 0);
    /* The ticket that the facts are about. */
    struct ticket_registered registered = {.kind = "Bench", .region = "BOS", .quantity = 1};
    struct buf draft = {0};
    draft_of("ticket.registered", key, &ticket_registered_record, &registered, &draft);
    struct bytes first = buf_bytes(&draft);
    bool fine = sender_send(&sender, &first, 1);
    while (fine && source_pending(sender.source) > 0)
        fine = sender_turn(&sender, 100000);
    struct ticket_reclassified data = {.priority = "normal"};
    memset(data.reason, 'x', sizeof data.reason - 1);
    memset(data.kind, 'k', sizeof data.kind - 1);
    memset(data.product, 'p', sizeof data.product - 1);
    buf_reset(&draft);
    draft_of("ticket.reclassified", key, &ticket_reclassified_record, &data, &draft);
    struct bytes batch[MESSAGE_EVENTS];
    size_t n = inflight < MESSAGE_EVENTS ? inflight : MESSAGE_EVENTS;
    for (size_t i = 0; i < n; i++)
        batch[i] = buf_bytes(&draft);
    sender.taken = 0;
    int64_t began_us = clock_boot_us(), now_us = began_us;
    while (fine && now_us - began_us < seconds * SECOND_US) {
        fine = sender_send(&sender, batch, n);
        while (fine && inflight == 1 && source_pending(sender.source) > 0)
            fine = sender_turn(&sender, 100000);
        int64_t after_us = clock_boot_us();
        if (inflight == 1 && answers_n < cap)
            answers[answers_n++] = after_us - now_us;
        now_us = after_us;
    }
    while (fine && source_pending(sender.source) > 0)
        fine = sender_turn(&sender, 100000);
    int code = report("facts", &sender, clock_boot_us() - began_us, answers, answers_n);
    sender_close(&sender);
    buf_release(&draft);
    free(answers);
    return code;
}

/* --- requests -------------------------------------------------------------------------------------- */

struct request {
    char kind[64], product[64], region[24], channel[32];
};

/* Lines of kind, product, region, channel with tabs between: what tests/bench/run makes of the shipped file. */
static size_t requests_read(const char *path, struct request **out)
{
    FILE *file = fopen(path, "re");
    char line[4096];
    size_t n = 0, cap = 0;
    *out = NULL;
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        struct request request = {0};
        if (sscanf(line, "%63[^\t]\t%63[^\t]\t%23[^\t]\t%31[^\n]", request.kind, request.product, request.region,
                   request.channel) != 4)
            continue;
        if (n == cap)
            *out = memory_grow(*out, (cap = cap == 0 ? 1024 : cap * 2) * sizeof **out);
        (*out)[n++] = request;
    }
    if (file != NULL)
        fclose(file);
    return n;
}

static void request_draft(const char *prefix, uint64_t i, const struct request *request, struct buf *out)
{
    struct ticket_registered registered = {.quantity = 1};
    char key[64];
    text_format(key, sizeof key, "%s-%08llu", prefix, (unsigned long long)i);
    text_copy(registered.kind, sizeof registered.kind, request->kind);
    text_copy(registered.product, sizeof registered.product, request->product);
    text_copy(registered.region, sizeof registered.region, request->region);
    text_copy(registered.channel, sizeof registered.channel, request->channel);
    text_copy(registered.subject, sizeof registered.subject, request->kind);
    draft_of("ticket.registered", key, &ticket_registered_record, &registered, out);
}

static void resolution_draft(const char *prefix, uint64_t i, struct buf *out)
{
    struct ticket_resolved resolved = {.outcome = "done"};
    char key[64];
    text_format(key, sizeof key, "%s-%08llu", prefix, (unsigned long long)i);
    draft_of("ticket.resolved", key, &ticket_resolved_record, &resolved, out);
}

/* One message: requests i … i+n-1, and the resolutions of those RESOLVED_BEHIND before. */
static bool send_requests(struct sender *sender, const char *prefix, const struct request *requests, size_t requests_n,
                          uint64_t i, size_t n)
{
    struct buf drafts = {0};
    size_t offsets[2 * MESSAGE_EVENTS + 1], count = 0;
    for (size_t k = 0; k < n; k++) {
        offsets[count++] = drafts.len;
        request_draft(prefix, i + k, &requests[(i + k) % requests_n], &drafts);
        if (i + k >= RESOLVED_BEHIND) {
            offsets[count++] = drafts.len;
            resolution_draft(prefix, i + k - RESOLVED_BEHIND, &drafts);
        }
    }
    offsets[count] = drafts.len;
    struct bytes items[2 * MESSAGE_EVENTS];
    for (size_t k = 0; k < count; k++)
        items[k] = bytes_of(drafts.data + offsets[k], offsets[k + 1] - offsets[k]);
    bool fine = sender_send(sender, items, count);
    buf_release(&drafts);
    return fine;
}

int bench_load(int argc, char **argv)
{
    (void)argc;
    struct sender sender;
    struct request *requests;
    int64_t seconds = atoi(argv[4]), rate = atoi(argv[5]);
    size_t requests_n = requests_read(argv[7], &requests);
    char name[64], prefix[64];
    random_name(name, "import/");
    text_copy(prefix, sizeof prefix, argv[6]);
    if (requests_n == 0) {
        fprintf(stderr, "%s: no requests\n", argv[7]);
        return 2;
    }
    if (!sender_open(&sender, argv[2], argv[3], name, 256))
        return report("load", &sender, 1, NULL, 0);
    /* Paced: every 5 ms what is due by then. */
    size_t most = MESSAGE_EVENTS;
    uint64_t sent = 0;
    bool fine = true;
    int64_t began_us = clock_boot_us(), now_us;
    while (fine && (now_us = clock_boot_us()) - began_us < seconds * SECOND_US) {
        size_t n = most;
        if (rate > 0) {
            uint64_t due = (uint64_t)((now_us - began_us) * rate / SECOND_US);
            n = due > sent ? (size_t)(due - sent) : 0;
            n = n > most ? most : n;
        }
        if (n == 0 || (rate > 0 && n < (size_t)(rate / 1000))) {
            fine = sender_turn(&sender, 1000);
            continue;
        }
        fine = send_requests(&sender, prefix, requests, requests_n, sent, n);
        sent += n;
    }
    while (fine && source_pending(sender.source) > 0)
        fine = sender_turn(&sender, 100000);
    int code = report("load", &sender, clock_boot_us() - began_us, NULL, 0);
    sender_close(&sender);
    free(requests);
    return code;
}
