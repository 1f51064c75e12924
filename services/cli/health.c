/* What a daemon says of its health. */
#include "base/text.h"
#include "supervise.h"
#include <curl/curl.h>
#include <string.h>

struct answer_text {
    char *out;
    size_t used;
};

static size_t keep(char *data, size_t size, size_t n, void *arg)
{
    struct answer_text *text = arg;
    size_t bytes = size * n, room = 199 - text->used;
    size_t taken = bytes < room ? bytes : room;
    memcpy(text->out + text->used, data, taken);
    text->used += taken;
    text->out[text->used] = '\0';
    return bytes;
}

bool health_ask(const char *endpoint, char why[200])
{
    char url[200];
    long code = 0;
    struct answer_text text = {.out = why};
    why[0] = '\0';
    text_format(url, sizeof url, "http://%s/health", endpoint);
    CURL *curl = curl_easy_init();
    if (curl == NULL)
        return false;
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, 2000L);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, keep);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &text);
    if (curl_easy_perform(curl) == CURLE_OK)
        curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &code);
    curl_easy_cleanup(curl);
    why[strcspn(why, "\n")] = '\0';
    return code == 200;
}
