/* Many readers in one process, each over a socket of its own. What a batch holds is counted and not looked at, so that a machine of two cores
 * measures the feed and not them; `follow` is the whole client. */
#include "bench.h"

#include "base/clock.h"
#include "base/text.h"
#include "bus/socket.h"
#include <stdio.h>
#include <stdlib.h>
#include <zmq.h>

#define CREDIT (1024 * 1024)
#define LET_IN_US (60 * SECOND_US)

struct one {
    struct bus_socket *socket;
    bool open;
    uint64_t after, upto, events; /* after: where it begins; of who reads by type or key, positions instead of events */
};

struct many {
    struct one *ones;
    zmq_pollitem_t *items;
    size_t n, let_in;
    const char *stream, *type, *key; /* "": of all types, of all keys */
    uint64_t stretch; /* 0: they follow; otherwise (after, after + stretch] again and again */
    uint64_t batches;
    bool failed;
    struct buf out;
    struct arena *arena;
};

static void say(struct many *many, struct one *one, const char *verb, const struct record *record, const void *data)
{
    buf_reset(&many->out);
    record_encode(record, RECORD_WHOLE, data, &many->out);
    if (bus_send(one->socket, verb, buf_bytes(&many->out)) != STATUS_OK)
        many->failed = true;
}

static void opens(struct many *many, struct one *one, size_t i)
{
    const char *const types[] = {many->type[0] != '\0' ? many->type : NULL, NULL}, *const keys[] = {many->key[0] != '\0' ? many->key : NULL, NULL};
    static struct verb_open open;
    record_clear(&verb_open_record, &open);
    if (!verb_open_narrow(&open, types, NULL, NULL, keys))
        many->failed = true;
    text_copy(open.stream, sizeof open.stream, many->stream);
    text_format(open.consumer, sizeof open.consumer, "operator/reader-%zu", i);
    open.after = (int64_t)one->after;
    open.follow = true;
    open.credit = CREDIT;
    one->upto = one->after;
    say(many, one, "OPEN", &verb_open_record, &open);
}

static void on_batch(struct many *many, struct one *one, struct bytes map, size_t i)
{
    struct verb_batch batch;
    struct problem problem;
    arena_reset(many->arena);
    if (!record_decode(&verb_batch_record, RECORD_WHOLE, DECODE_LENIENT, map, many->arena, &batch, &problem)) {
        fprintf(stderr, "BATCH: %s %s\n", problem.code, problem.field);
        many->failed = true;
        return;
    }
    const struct verb_credit credit = {.bytes = (int64_t)map.len, .applied = batch.upto};
    say(many, one, "CREDIT", &verb_credit_record, &credit);
    if ((uint64_t)batch.after != one->upto)
        return; /* on its way when it opened anew */
    one->events += many->type[0] != '\0' || many->key[0] != '\0' ? (uint64_t)(batch.upto - batch.after) : batch.events.n;
    many->batches++;
    one->upto = (uint64_t)batch.upto;
    if (many->stretch > 0 && one->upto >= one->after + many->stretch)
        opens(many, one, i);
}

static void on_frame(struct many *many, size_t i, const struct frame *frame)
{
    struct one *one = &many->ones[i];
    if (text_equal(frame->verb, "BATCH")) {
        on_batch(many, one, frame->map, i);
    } else if (text_equal(frame->verb, "OPENED")) {
        many->let_in += !one->open;
        one->open = true;
    } else if (!text_equal(frame->verb, "HEAD") && !text_equal(frame->verb, "CAUGHT_UP")) {
        fprintf(stderr, "reader %zu is told %s\n", i, frame->verb);
        many->failed = true;
    }
}

static void turn(struct many *many)
{
    struct frame frame;
    enum status status;
    zmq_poll(many->items, (int)many->n, 100);
    for (size_t i = 0; i < many->n; i++) {
        if (many->items[i].revents == 0)
            continue;
        /* One frame each, so that none of them waits for another's. */
        if ((status = bus_receive(many->ones[i].socket, &frame)) == STATUS_OK)
            on_frame(many, i, &frame);
        else if (status != STATUS_AGAIN)
            many->failed = true;
    }
}

/* The first begins behind `after`, each other one so much further on. */
static bool connect_all(struct many *many, const char *endpoint, uint64_t after, uint64_t apart)
{
    char error[160];
    for (size_t i = 0; i < many->n; i++) {
        many->ones[i].socket = bus_connect(BUS_DEALER, endpoint, error, sizeof error);
        if (many->ones[i].socket == NULL) {
            fprintf(stderr, "%s: %s\n", endpoint, error);
            return false;
        }
        many->items[i] = (zmq_pollitem_t){.socket = bus_raw(many->ones[i].socket), .events = ZMQ_POLLIN};
        many->ones[i].after = after + i * apart;
        opens(many, &many->ones[i], i);
    }
    return true;
}

static void report(struct many *many, int64_t let_in_us, int64_t took_us, double cpu)
{
    double seconds = (double)took_us / 1e6;
    int64_t *each = memory_new(many->n * sizeof *each), total = 0, lowest = INT64_MAX;
    for (size_t i = 0; i < many->n; i++) {
        each[i] = (int64_t)((double)many->ones[i].events / seconds);
        total += (int64_t)many->ones[i].events;
        lowest = (int64_t)many->ones[i].upto < lowest ? (int64_t)many->ones[i].upto : lowest;
    }
    int64_t middle = median(each, many->n, 0.5); /* sorts */
    printf("{\"bench\":\"readers\",\"readers\":%zu,\"let_in_ms\":%lld,\"events\":%lld,\"per_second\":%.0f,\"slowest\":%lld,"
           "\"median\":%lld,\"fastest\":%lld,\"upto\":%lld,\"batches\":%llu,\"cpu\":%.2f}\n",
           many->n, (long long)(let_in_us / 1000), (long long)total, (double)total / seconds, (long long)each[0], (long long)middle,
           (long long)each[many->n - 1], (long long)lowest, (unsigned long long)many->batches, cpu);
    free(each);
}

int bench_readers(int argc, char **argv)
{
    (void)argc;
    struct many many = {
        .n = (size_t)atoi(argv[4]), .stream = argv[3], .type = argv[9], .key = argv[10], .stretch = strtoull(argv[6], NULL, 10), .arena = arena_new(1 << 20)};
    int64_t seconds = atoi(argv[7]), began_us = clock_boot_us();
    many.ones = memory_new((many.n + 1) * sizeof *many.ones);
    many.items = memory_new((many.n + 1) * sizeof *many.items);
    many.failed = !connect_all(&many, argv[2], strtoull(argv[5], NULL, 10), strtoull(argv[8], NULL, 10));
    while (!many.failed && many.let_in < many.n && clock_boot_us() - began_us < LET_IN_US)
        turn(&many);
    many.failed = many.failed || many.let_in < many.n;
    if (many.let_in < many.n)
        fprintf(stderr, "%zu of %zu readers were let in\n", many.let_in, many.n);
    /* Counted from here, when all are there. */
    int64_t let_in_us = clock_boot_us() - began_us;
    double cpu = cpu_seconds();
    printf("{\"bench\":\"readers\",\"let_in_ms\":%lld}\n", (long long)(let_in_us / 1000));
    fflush(stdout);
    for (size_t i = 0; i < many.n; i++)
        many.ones[i].events = 0;
    many.batches = 0;
    began_us = clock_boot_us();
    while (!many.failed && clock_boot_us() - began_us < seconds * SECOND_US)
        turn(&many);
    report(&many, let_in_us, clock_boot_us() - began_us, cpu_seconds() - cpu);
    for (size_t i = 0; i < many.n; i++)
        bus_close_now(&many.ones[i].socket);
    buf_release(&many.out);
    arena_destroy(&many.arena);
    free(many.ones);
    free(many.items);
    return many.failed ? 1 : 0;
}
