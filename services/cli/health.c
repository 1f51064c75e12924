/* What a daemon says of its health. */
#include "base/text.h"
#include "bus/metrics.h"
#include "supervise.h"
#include <curl/curl.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* The mark of the data folder whose daemon answers. */
static size_t keep_folder(char *data, size_t size, size_t n, void *arg)
{
    char *folder = arg, line[80];
    size_t bytes = size * n;
    if (text_copy_n(line, sizeof line, data, bytes) && strncasecmp(line, METRICS_FOLDER ":", strlen(METRICS_FOLDER ":")) == 0)
        (void)sscanf(line + strlen(METRICS_FOLDER ":"), " %16[0-9a-f]", folder);
    return bytes;
}

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

static bool ask(const char *endpoint, char why[200], char folder[METRICS_FOLDER_TEXT])
{
    char url[200];
    long code = 0;
    struct answer_text text = {.out = why};
    why[0] = folder[0] = '\0';
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
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, keep_folder);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, folder);
    if (curl_easy_perform(curl) == CURLE_OK)
        curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &code);
    curl_easy_cleanup(curl);
    why[strcspn(why, "\n")] = '\0';
    return code == 200;
}

bool health_ask(const char *endpoint, char why[200])
{
    char folder[METRICS_FOLDER_TEXT];
    return ask(endpoint, why, folder);
}

enum health health_of(const struct settings *settings, const char *name, char why[200])
{
    const char *endpoint = daemon_metrics(settings, name);
    char folder[METRICS_FOLDER_TEXT], ours[METRICS_FOLDER_TEXT];
    why[0] = '\0';
    if (endpoint[0] == '\0')
        return HEALTH_SILENT;
    bool good = ask(endpoint, why, folder);
    if (!good && why[0] == '\0')
        return HEALTH_SILENT;
    metrics_folder_mark(settings->data, ours);
    if (folder[0] != '\0' && !text_equal(folder, ours)) {
        text_copy(why, 200, endpoint);
        return HEALTH_OTHERS;
    }
    return good ? HEALTH_GOOD : HEALTH_ILL;
}
