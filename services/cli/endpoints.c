/* Whether the addresses of the settings can be bound. */
#include "base/text.h"
#include "supervise.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* "tcp://127.0.0.1:7401" or "127.0.0.1:7410"; what is not IPv4 over TCP is left to the daemon. */
static bool is_free(const char *endpoint, char why[200])
{
    char host[80];
    const char *at = text_starts(endpoint, "tcp://") ? endpoint + 6 : endpoint;
    const char *colon = strrchr(at, ':');
    struct sockaddr_in address = {.sin_family = AF_INET};
    if (strstr(at, "://") != NULL || colon == NULL ||
        !text_copy_n(host, sizeof host, at, (size_t)(colon - at)))
        return true;
    address.sin_port = htons((uint16_t)atoi(colon + 1));
    if (text_equal(host, "*"))
        text_copy(host, sizeof host, "0.0.0.0");
    if (inet_pton(AF_INET, host, &address.sin_addr) != 1)
        return true;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), yes = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    bool bound = bind(fd, (const struct sockaddr *)&address, sizeof address) == 0;
    if (!bound)
        text_copy(why, 200, strerror(errno));
    close(fd);
    return bound;
}

bool endpoints_free(const struct settings *settings, char taken[ENDPOINT_CAP], char why[200])
{
    const char *endpoints[16] = {settings->intake.cmd, settings->intake.live,
                                 settings->intake.feed};
    size_t n = 3;
    for (size_t i = 0; daemon_at(i) != NULL; i++)
        endpoints[n++] = daemon_metrics(settings, daemon_at(i)->name);
    for (size_t i = 0; i < n; i++)
        if (endpoints[i][0] != '\0' && !is_free(endpoints[i], why)) {
            text_copy(taken, ENDPOINT_CAP, endpoints[i]);
            return false;
        }
    return true;
}
