#include "post.h"
#include "base/clock.h"
#include "base/instant.h"
#include "base/text.h"
#include <assert.h>
#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>

/* Nobody reads what they answer; more of it than this ends the request. */
#define ANSWER_BYTES_MAX 65536

struct poster {
    struct loop *loop;
    CURLM *multi;
    post_done *done;
    void *owner;
    int64_t deadline_us;
    struct sent *first;
};

/* One request; knows its socket's place in the loop. */
struct sent {
    struct poster *poster;
    CURL *easy;
    struct curl_slist *headers;
    void *request;
    size_t answered;
    char error[CURL_ERROR_SIZE];
    struct sent *next;
};

/* A socket of libcurl's that the loop watches. */
struct watched {
    struct poster *poster;
    curl_socket_t fd;
};

static void finished(struct poster *poster);

static void on_ready(void *arg)
{
    const struct watched *watched = arg;
    struct poster *poster = watched->poster;
    int running;
    (void)curl_multi_socket_action(poster->multi, watched->fd, 0, &running);
    finished(poster);
}

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *owner, void *socket_owner)
{
    struct poster *poster = owner;
    struct watched *watched = socket_owner;
    (void)easy;
    if (watched != NULL)
        loop_forget(poster->loop, NULL, (int)fd);
    if (what == CURL_POLL_REMOVE) {
        (void)curl_multi_assign(poster->multi, fd, NULL);
        free(watched);
        return 0;
    }
    if (watched == NULL) {
        watched = memory_new(sizeof(*watched));
        *watched = (struct watched){.poster = poster, .fd = fd};
        (void)curl_multi_assign(poster->multi, fd, watched);
    }
    loop_fd_either(poster->loop, (int)fd, (what & CURL_POLL_IN) != 0, (what & CURL_POLL_OUT) != 0, on_ready, watched);
    return 0;
}

static int on_timer(CURLM *multi, long timeout_ms, void *owner)
{
    struct poster *poster = owner;
    (void)multi;
    poster->deadline_us = timeout_ms < 0 ? INT64_MAX : clock_boot_us() + timeout_ms * 1000;
    return 0;
}

struct poster *poster_new(struct loop *loop, post_done *done, void *owner)
{
    struct poster *poster = memory_new(sizeof(*poster));
    (void)curl_global_init(CURL_GLOBAL_DEFAULT);
    *poster = (struct poster){.loop = loop, .multi = curl_multi_init(), .done = done, .owner = owner, .deadline_us = INT64_MAX};
    assert(poster->multi != NULL);
    (void)curl_multi_setopt(poster->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    (void)curl_multi_setopt(poster->multi, CURLMOPT_SOCKETDATA, poster);
    (void)curl_multi_setopt(poster->multi, CURLMOPT_TIMERFUNCTION, on_timer);
    (void)curl_multi_setopt(poster->multi, CURLMOPT_TIMERDATA, poster);
    return poster;
}

static void sent_end(struct sent *sent)
{
    struct poster *poster = sent->poster;
    struct sent **at = &poster->first;
    while (*at != sent)
        at = &(*at)->next;
    *at = sent->next;
    (void)curl_multi_remove_handle(poster->multi, sent->easy);
    curl_easy_cleanup(sent->easy);
    curl_slist_free_all(sent->headers);
    free(sent);
}

void poster_destroy(struct poster **poster_p)
{
    struct poster *poster = *poster_p;
    if (poster == NULL)
        return;
    while (poster->first != NULL)
        sent_end(poster->first);
    (void)curl_multi_cleanup(poster->multi);
    curl_global_cleanup();
    free(poster);
    *poster_p = NULL;
}

static size_t on_answer(char *data, size_t size, size_t n, void *owner)
{
    struct sent *sent = owner;
    (void)data;
    sent->answered += size * n;
    return sent->answered > ANSWER_BYTES_MAX ? 0 : size * n;
}

static void option_text(CURL *easy, CURLoption option, const char *value)
{
    CURLcode code = curl_easy_setopt(easy, option, value);
    assert(code == CURLE_OK);
}

static void option_long(CURL *easy, CURLoption option, long value)
{
    CURLcode code = curl_easy_setopt(easy, option, value);
    assert(code == CURLE_OK);
}

void post_send(struct poster *poster, const struct post *post)
{
    struct sent *sent = memory_new(sizeof(*sent));
    *sent = (struct sent){.poster = poster, .easy = curl_easy_init(), .request = post->request, .next = poster->first};
    poster->first = sent;
    assert(sent->easy != NULL);
    for (size_t i = 0; i < post->headers_n; i++)
        sent->headers = curl_slist_append(sent->headers, post->headers[i]);
    sent->headers = curl_slist_append(sent->headers, "Expect:"); /* no waiting for 100 Continue */
    option_text(sent->easy, CURLOPT_URL, post->url);
    option_text(sent->easy, CURLOPT_PROTOCOLS_STR, "http,https");
    option_text(sent->easy, CURLOPT_USERAGENT, "aftercare-webhook/1");
    option_long(sent->easy, CURLOPT_POST, 1);
    option_long(sent->easy, CURLOPT_FOLLOWLOCATION, 0);
    option_long(sent->easy, CURLOPT_NOSIGNAL, 1);
    option_long(sent->easy, CURLOPT_TIMEOUT_MS, (long)post->timeout_ms);
    option_long(sent->easy, CURLOPT_CONNECTTIMEOUT_MS, (long)post->timeout_ms);
    option_long(sent->easy, CURLOPT_POSTFIELDSIZE, (long)post->body.len);
    (void)curl_easy_setopt(sent->easy, CURLOPT_COPYPOSTFIELDS, (const char *)post->body.data);
    (void)curl_easy_setopt(sent->easy, CURLOPT_HTTPHEADER, sent->headers);
    (void)curl_easy_setopt(sent->easy, CURLOPT_WRITEFUNCTION, on_answer);
    (void)curl_easy_setopt(sent->easy, CURLOPT_WRITEDATA, sent);
    (void)curl_easy_setopt(sent->easy, CURLOPT_ERRORBUFFER, sent->error);
    (void)curl_easy_setopt(sent->easy, CURLOPT_PRIVATE, sent);
    (void)curl_multi_add_handle(poster->multi, sent->easy);
}

int64_t poster_deadline_us(const struct poster *poster)
{
    return poster->deadline_us;
}

void poster_work(struct poster *poster, int64_t boot_us)
{
    int running;
    if (boot_us >= poster->deadline_us) {
        poster->deadline_us = INT64_MAX;
        (void)curl_multi_socket_action(poster->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    }
    finished(poster);
}

/* A 2xx whose words were too many or too slow was an answer all the same. */
static void outcome_read(const struct sent *sent, CURLcode code, struct outcome *outcome)
{
    long status = 0;
    curl_off_t retry_after = 0;
    *outcome = (struct outcome){0};
    (void)curl_easy_getinfo(sent->easy, CURLINFO_RESPONSE_CODE, &status);
    (void)curl_easy_getinfo(sent->easy, CURLINFO_RETRY_AFTER, &retry_after);
    outcome->status = status;
    outcome->retry_after_us = retry_after > 0 && retry_after < 86400 ? (int64_t)retry_after * SECOND_US : 0;
    if (outcome_is_taken(outcome))
        return;
    if (status >= 300 && status < 400)
        text_format(outcome->why, sizeof(outcome->why), "HTTP %ld: redirects are not followed", status);
    else if (status != 0)
        text_format(outcome->why, sizeof(outcome->why), "HTTP %ld", status);
    else
        (void)text_copy(outcome->why, sizeof(outcome->why), sent->error[0] != '\0' ? sent->error : curl_easy_strerror(code));
}

static void finished(struct poster *poster)
{
    int left;
    const CURLMsg *message;
    while ((message = curl_multi_info_read(poster->multi, &left)) != NULL) {
        char *own = NULL;
        struct outcome outcome;
        if (message->msg != CURLMSG_DONE)
            continue;
        (void)curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &own);
        struct sent *sent = (struct sent *)(void *)own;
        outcome_read(sent, message->data.result, &outcome);
        void *request = sent->request;
        sent_end(sent);
        poster->done(poster->owner, request, &outcome);
    }
}
