#include "bus/line.h"

#include "base/log.h"
#include "base/text.h"

/* It is not made anew more often than this. */
#define CONNECT_US (SECOND_US / 4)

static void came(void *arg)
{
    (void)arg; /* the owner's turn receives */
}

void bus_line_init(struct bus_line *line, struct loop *loop, const char *name, const char *list)
{
    *line = (struct bus_line){.loop = loop};
    (void)text_copy(line->name, sizeof(line->name), name);
    (void)text_copy(line->list, sizeof(line->list), list);
}

void bus_line_close(struct bus_line *line)
{
    if (line->socket == NULL)
        return;
    loop_forget(line->loop, line->socket, -1);
    bus_close_now(&line->socket);
}

void bus_line_break(struct bus_line *line)
{
    line->broken = true;
}

bool bus_line_stands(const struct bus_line *line)
{
    return line->socket != NULL && !line->broken;
}

bool bus_line_is_due(const struct bus_line *line, int64_t boot_us)
{
    return !bus_line_stands(line) && boot_us >= line->again_us;
}

int64_t bus_line_deadline_us(const struct bus_line *line)
{
    return bus_line_stands(line) ? INT64_MAX : line->again_us;
}

bool bus_line_open(struct bus_line *line, int64_t boot_us)
{
    char error[160] = "", endpoint[ENDPOINT_CAP];
    size_t n = endpoints_count(line->list);
    bus_line_close(line);
    line->broken = false;
    line->again_us = boot_us + CONNECT_US;
    if (n == 0)
        return false;
    endpoints_at(line->list, line->next++ % n, endpoint);
    line->socket = bus_connect(BUS_DEALER, endpoint, error, sizeof(error));
    if (line->socket == NULL) {
        log_error("%s %s: %s", line->name, endpoint, error);
        return false;
    }
    loop_socket(line->loop, line->socket, came, NULL);
    return true;
}

enum status bus_line_receive(struct bus_line *line, struct frame *frame)
{
    enum status status = bus_line_stands(line) ? bus_receive(line->socket, frame) : STATUS_AGAIN;
    if (status == STATUS_OK || status == STATUS_AGAIN)
        return status;
    line->broken = true;
    return STATUS_AGAIN;
}

void bus_line_send(struct bus_line *line, const struct frame *frame)
{
    if (bus_line_stands(line))
        line->broken = bus_send(line->socket, frame->verb, frame->map) != STATUS_OK;
}
