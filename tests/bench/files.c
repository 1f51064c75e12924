/* Files at full rate: 20 MiB each, one after the other, four pieces under way; and one read again and again, a piece at a time as the protocol has it. */
#include "bench.h"

#include "base/clock.h"
#include "base/digest.h"
#include "base/text.h"
#include "bus/socket.h"
#include "event/event.h"
#include "event/stream.h"
#include "proto/ticket.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

#define FILE_BYTES (20 * 1024 * 1024)
#define UNDER_WAY 4
#define TOOK_MAX ((size_t)1 << 18)
#define SILENCE_US (20 * SECOND_US)

struct putting {
    struct sender sender;
    char ticket[64];
    uint8_t *content, sha256[DIGEST_BYTES], kept[DIGEST_BYTES]; /* kept: the last that is whole */
    int64_t sent, upto, bytes;
    size_t files, took_n;
    int64_t asked_us[UNDER_WAY], *took;
    struct buf map;
};

static bool fact(struct putting *p, const char *type, const struct record *record, const void *data)
{
    struct buf plain = {0}, draft = {0};
    record_encode(record, RECORD_PLAIN, data, &plain);
    draft_encode(&(struct draft){.type = type, .v = 1, .key = p->ticket, .by = "bench", .data = buf_bytes(&plain)}, &draft);
    struct bytes one = buf_bytes(&draft);
    bool fine = sender_send(&p->sender, &one, 1);
    while (fine && source_pending(p->sender.source) > 0)
        fine = sender_turn(&p->sender, 100000);
    buf_release(&plain);
    buf_release(&draft);
    return fine && p->sender.refused == 0;
}

/* Other eight bytes make it another file. */
static bool file_begin(struct putting *p)
{
    struct file_attached attached = {.media = "application/octet-stream", .bytes = FILE_BYTES};
    random_fill(p->content, 8);
    digest_of(bytes_of(p->content, FILE_BYTES), p->sha256);
    memcpy(attached.sha256, p->sha256, sizeof attached.sha256);
    p->sent = p->upto = 0;
    return fact(p, "file.attached", &file_attached_record, &attached);
}

static bool pieces_send(struct putting *p)
{
    while (p->sent < FILE_BYTES && p->sent - p->upto < UNDER_WAY * PART_BYTES_MAX) {
        struct verb_put put = {.offset = p->sent, .bytes = bytes_of(p->content + p->sent, PART_BYTES_MAX)};
        memcpy(put.sha256, p->sha256, sizeof put.sha256);
        buf_reset(&p->map);
        record_encode(&verb_put_record, RECORD_WHOLE, &put, &p->map);
        if (bus_send(p->sender.socket, "PUT", buf_bytes(&p->map)) != STATUS_OK)
            return false;
        p->asked_us[p->sent / PART_BYTES_MAX % UNDER_WAY] = clock_boot_us();
        p->sent += PART_BYTES_MAX;
    }
    return true;
}

static bool have_take(struct putting *p, const struct frame *frame, bool *whole)
{
    struct verb_have have;
    struct problem problem;
    if (!record_decode(&verb_have_record, RECORD_WHOLE, DECODE_LENIENT, frame->map, NULL, &have, &problem) ||
        memcmp(have.sha256, p->sha256, sizeof have.sha256) != 0)
        return true;
    if (have.code[0] != '\0' || have.upto != p->upto + PART_BYTES_MAX) {
        fprintf(stderr, "HAVE: %s %s upto %lld\n", have.code, have.why, (long long)have.upto);
        return false;
    }
    if (p->took_n < TOOK_MAX)
        p->took[p->took_n++] = clock_boot_us() - p->asked_us[p->upto / PART_BYTES_MAX % UNDER_WAY];
    p->upto = have.upto;
    p->bytes += PART_BYTES_MAX;
    *whole = have.whole;
    return true;
}

static bool file_put(struct putting *p, int64_t until_us)
{
    bool whole = false;
    while (!whole && clock_boot_us() < until_us) {
        zmq_pollitem_t item = {.socket = bus_raw(p->sender.socket), .events = ZMQ_POLLIN};
        struct frame frame;
        enum status status;
        if (!pieces_send(p))
            return false;
        if (zmq_poll(&item, 1, (long)(SILENCE_US / 1000)) <= 0)
            return false;
        while ((status = bus_receive(p->sender.socket, &frame)) == STATUS_OK)
            if (text_equal(frame.verb, "HAVE") ? !have_take(p, &frame, &whole) : !source_in(p->sender.source, &frame, clock_boot_us()))
                return false;
    }
    if (whole) {
        memcpy(p->kept, p->sha256, sizeof p->kept);
        p->files++;
    }
    return true;
}

int bench_put(int argc, char **argv)
{
    (void)argc;
    static struct putting p;
    uint8_t random[6];
    char hex[2 * DIGEST_BYTES + 1], name[64];
    struct ticket_registered registered = {.kind = "Bench", .region = "BOS", .quantity = 1};
    random_fill(random, sizeof random);
    hex_print(random, sizeof random, hex);
    text_format(name, sizeof name, "operator/%s", hex);
    text_format(p.ticket, sizeof p.ticket, "FILES-%s", hex);
    p.content = memory_new(FILE_BYTES);
    random_fill(p.content, FILE_BYTES);
    p.took = memory_new(TOOK_MAX * sizeof *p.took);
    bool fine = sender_open(&p.sender, argv[2], argv[3], name, 1) && fact(&p, "ticket.registered", &ticket_registered_record, &registered) && file_begin(&p);
    printf("{\"bench\":\"put\",\"begins\":%s}\n", fine ? "true" : "false");
    (void)fflush(stdout);
    int64_t began_us = clock_boot_us(), until_us = began_us + atoi(argv[4]) * SECOND_US, end_us = until_us + SILENCE_US;
    /* At least one whole file; the last one is finished. */
    while (fine && (p.files == 0 || clock_boot_us() < until_us)) {
        fine = file_put(&p, end_us) && clock_boot_us() < end_us;
        if (fine && clock_boot_us() < until_us)
            fine = file_begin(&p);
    }
    int64_t took_us = clock_boot_us() - began_us;
    hex_print(p.kept, DIGEST_BYTES, hex);
    printf("{\"bench\":\"put\",\"files\":%zu,\"mib_per_second\":%.1f,\"have_p50_us\":%lld,\"have_p99_us\":%lld,\"sha256\":\"%s\",\"cpu\":%.2f}\n", p.files,
           (double)p.bytes / 1048576 / ((double)took_us / 1e6), (long long)median(p.took, p.took_n, 0.5),
           (long long)median(p.took, p.took_n, 0.99), hex, cpu_seconds());
    sender_close(&p.sender);
    buf_release(&p.map);
    free(p.content);
    free(p.took);
    return fine ? 0 : 1;
}

/* One GET, and its PART. Its length; −1: trouble. */
static int64_t piece_get(struct bus_socket *socket, struct verb_get *get, int64_t *size)
{
    struct buf map = {0};
    struct frame frame;
    struct verb_part part;
    struct problem problem;
    zmq_pollitem_t item = {.socket = bus_raw(socket), .events = ZMQ_POLLIN};
    record_encode(&verb_get_record, RECORD_WHOLE, get, &map);
    bool fine = bus_send(socket, "GET", buf_bytes(&map)) == STATUS_OK && zmq_poll(&item, 1, (long)(SILENCE_US / 1000)) > 0 &&
                bus_receive(socket, &frame) == STATUS_OK && text_equal(frame.verb, "PART") &&
                record_decode(&verb_part_record, RECORD_WHOLE, DECODE_LENIENT, frame.map, NULL, &part, &problem);
    if (fine && part.code[0] != '\0')
        fprintf(stderr, "PART: %s %s\n", part.code, part.why);
    buf_release(&map);
    if (!fine || part.code[0] != '\0')
        return -1;
    memcpy(get->receipt, part.receipt, sizeof get->receipt);
    *size = part.size;
    return (int64_t)part.bytes.len;
}

int bench_get(int argc, char **argv)
{
    (void)argc;
    char error[200] = "";
    struct verb_get get = {.bytes = PART_BYTES_MAX};
    size_t took_n = 0;
    int64_t bytes = 0, n = 0, size = 0, *took = memory_new(TOOK_MAX * sizeof *took);
    struct bus_socket *socket = hex_parse(argv[3], DIGEST_BYTES, get.sha256) ? bus_connect(BUS_DEALER, argv[2], error, sizeof error) : NULL;
    printf("{\"bench\":\"get\",\"begins\":%s}\n", socket != NULL ? "true" : "false");
    (void)fflush(stdout);
    int64_t began_us = clock_boot_us(), now_us = began_us, until_us = began_us + atoi(argv[4]) * SECOND_US;
    while (socket != NULL && n >= 0 && now_us < until_us) {
        n = piece_get(socket, &get, &size);
        int64_t after_us = clock_boot_us();
        if (took_n < TOOK_MAX)
            took[took_n++] = after_us - now_us;
        now_us = after_us;
        bytes += n > 0 ? n : 0;
        get.offset = get.offset + n < size ? get.offset + n : 0;
    }
    printf("{\"bench\":\"get\",\"mib_per_second\":%.1f,\"part_p50_us\":%lld,\"part_p99_us\":%lld,\"cpu\":%.2f}\n",
           (double)bytes / 1048576 / ((double)(now_us - began_us) / 1e6), (long long)median(took, took_n, 0.5), (long long)median(took, took_n, 0.99),
           cpu_seconds());
    bus_close(&socket);
    free(took);
    return n < 0 || bytes == 0 ? 1 : 0;
}
