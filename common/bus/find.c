#include "bus/find.h"

#include "base/clock.h"
#include "base/endpoints.h"
#include "base/text.h"

/* Asked again so often: one that stood by may serve by now. */
#define AGAIN_US (SECOND_US / 4)

/* An empty map: from a peer without a session who serves answers `ERROR hello` (cmd) or `ERROR unknown-verb` (feed), both at once
 * and without asking its database. */
static const uint8_t nothing_said[] = {0x80};

struct finding {
    struct bus_socket *sockets[ENDPOINTS_MAX];
    size_t n;
};

static void answered(void *arg)
{
    (void)arg; /* loop_once returns; what came is looked at there */
}

static void finding_open(struct finding *finding, struct loop *loop, const char *list)
{
    char endpoint[ENDPOINT_CAP], error[160];
    finding->n = endpoints_count(list) < ENDPOINTS_MAX ? endpoints_count(list) : ENDPOINTS_MAX;
    for (size_t i = 0; i < finding->n; i++) {
        endpoints_at(list, i, endpoint);
        finding->sockets[i] = bus_connect(BUS_DEALER, endpoint, error, sizeof error);
        if (finding->sockets[i] != NULL)
            loop_socket(loop, finding->sockets[i], answered, NULL);
    }
}

static void finding_close(struct finding *finding, struct loop *loop)
{
    for (size_t i = 0; i < finding->n; i++)
        if (finding->sockets[i] != NULL) {
            loop_forget(loop, finding->sockets[i], -1);
            bus_close_now(&finding->sockets[i]);
        }
}

static void ask_all(const struct finding *finding)
{
    for (size_t i = 0; i < finding->n; i++)
        if (finding->sockets[i] != NULL)
            (void)!bus_send(finding->sockets[i], "PING", bytes_of(nothing_said, sizeof nothing_said));
}

static bool heard(const struct finding *finding, size_t *at)
{
    struct frame frame;
    enum status status;
    for (size_t i = 0; i < finding->n; i++)
        while (finding->sockets[i] != NULL && (status = bus_receive(finding->sockets[i], &frame)) != STATUS_AGAIN) {
            if (status != STATUS_OK && status != STATUS_REFUSED)
                break;
            if (status == STATUS_OK && !text_equal(frame.verb, "MOVED")) {
                *at = i;
                return true;
            }
        }
    return false;
}

enum status endpoints_find(struct loop *loop, const char *list, int64_t until_us, size_t *at)
{
    struct finding finding = {.n = 0};
    enum status status = STATUS_AGAIN;
    int64_t again_us = 0;
    *at = 0;
    if (endpoints_count(list) < 2)
        return STATUS_OK;
    finding_open(&finding, loop, list);
    while (status == STATUS_AGAIN && clock_boot_us() < until_us) {
        if (clock_boot_us() >= again_us) {
            ask_all(&finding);
            again_us = clock_boot_us() + AGAIN_US;
        }
        if (!loop_once(loop, again_us < until_us ? again_us : until_us))
            status = STATUS_CLOSED;
        else if (heard(&finding, at))
            status = STATUS_OK;
    }
    finding_close(&finding, loop);
    return status;
}
