#include "base/endpoints.h"

#include "base/text.h"

#include <string.h>

size_t endpoints_count(const char *list)
{
    size_t n = 0;

    for (const char *at = list + strspn(list, ENDPOINTS_BETWEEN); *at; at += strspn(at, ENDPOINTS_BETWEEN)) {
        at += strcspn(at, ENDPOINTS_BETWEEN);
        n++;
    }
    return n;
}

void endpoints_at(const char *list, size_t i, char out[ENDPOINT_CAP])
{
    const char *at = list + strspn(list, ENDPOINTS_BETWEEN);

    for (; i > 0 && *at; i--) {
        at += strcspn(at, ENDPOINTS_BETWEEN);
        at += strspn(at, ENDPOINTS_BETWEEN);
    }
    if (!text_copy_n(out, ENDPOINT_CAP, at, strcspn(at, ENDPOINTS_BETWEEN)))
        out[0] = '\0';
}
