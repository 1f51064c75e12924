#include "verbs.h"
#include "base/log.h"
#include "base/text.h"
#include "daemon.h"
#include <inttypes.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DONE, REFUSED, USAGE, NOBODY };

static bool is_chinese(void)
{
    const char *locale = setlocale(LC_MESSAGES, "");
    return locale != NULL && strncmp(locale, "zh", 2) == 0;
}

static const char *word(const char *english, const char *chinese)
{
    return is_chinese() ? chinese : english;
}

static bool is_verb(const struct verb *verb, const char *name, size_t least, size_t most)
{
    return text_equal(verb->words[0], name) && verb->words_n > least && verb->words_n <= most + 1;
}

bool verb_is_known(const struct verb *verb)
{
    return is_verb(verb, "list", 0, 0) || is_verb(verb, "check", 0, 0) || is_verb(verb, "parked", 0, 1) ||
           is_verb(verb, "retry", 1, 2) || is_verb(verb, "skip", 2, 2);
}

static void cell(const char *text, size_t columns)
{
    (void)fputs(text, stdout);
    for (size_t have = text_columns(text); have < columns; have++)
        (void)fputc(' ', stdout);
    (void)fputs("  ", stdout);
}

static void number(int64_t value, size_t columns)
{
    char text[24];
    text_format(text, sizeof(text), "%" PRId64, value);
    cell(text, columns);
}

static int hook_list(const struct hook *hook, struct queue *queue, bool json)
{
    struct cursor cursor = {.pos = -1};
    struct waiting waiting;
    enum status status = queue_cursor(queue, hook->name, &cursor);
    if (status == STATUS_OK || status == STATUS_ABSENT)
        status = queue_count(queue, hook->name, &waiting);
    if (status != STATUS_OK) {
        log_error("the queue: %s", queue_error(queue));
        return REFUSED;
    }
    if (json) {
        struct buf line = {0};
        buf_append_text(&line, "{\"hook\":");
        json_text(&line, hook->name);
        buf_append_text(&line, ",\"url\":");
        json_text(&line, hook->url);
        buf_append_format(&line, ",\"pos\":%" PRId64 ",\"waiting\":%" PRId64 ",\"parked\":%" PRId64 ",\"oldest\":%" PRId64 "}", cursor.pos,
                          waiting.waiting, waiting.parked, waiting.oldest_pos);
        (void)puts(buf_text(&line));
        buf_release(&line);
        return DONE;
    }
    cell(hook->name, 16);
    number(cursor.pos < 0 ? 0 : cursor.pos, 10);
    number(waiting.waiting, 8);
    number(waiting.parked, 8);
    (void)puts(hook->url);
    return DONE;
}

static int list(const struct hooks *hooks, struct queue *queue, bool json)
{
    int code = DONE;
    if (!json) {
        cell(word("webhook", "推送"), 16);
        cell(word("read up to", "已读到"), 10);
        cell(word("waiting", "等待"), 8);
        cell(word("parked", "搁置"), 8);
        (void)puts(word("address", "地址"));
    }
    for (size_t i = 0; i < hooks->items_n && code == DONE; i++)
        code = hook_list(&hooks->items[i], queue, json);
    return code;
}

static void parked_json(const struct delivery *delivery)
{
    struct buf line = {0};
    char first[INSTANT_TEXT_MAX];
    instant_print(delivery->first_us, first);
    buf_append_text(&line, "{\"hook\":");
    json_text(&line, delivery->hook);
    buf_append_format(&line, ",\"pos\":%" PRId64 ",\"key\":", delivery->pos);
    json_text(&line, delivery->key);
    buf_append_text(&line, ",\"type\":");
    json_text(&line, delivery->type);
    buf_append_format(&line, ",\"skipped\":%s,\"attempts\":%" PRId64 ",\"status\":%" PRId64 ",\"behind\":%" PRId64 ",\"since\":",
                      delivery->state == DELIVERY_SKIPPED ? "true" : "false", delivery->attempts, delivery->status, delivery->behind);
    json_text(&line, first);
    buf_append_text(&line, ",\"why\":");
    json_text(&line, delivery->why);
    buf_append_text(&line, "}");
    (void)puts(buf_text(&line));
    buf_release(&line);
}

struct told {
    bool json;
    size_t n;
};

static void tell(void *owner, const struct delivery *delivery)
{
    struct told *told = owner;
    if (told->json) {
        parked_json(delivery);
        return;
    }
    if (told->n++ == 0) {
        cell(word("webhook", "推送"), 16);
        cell(word("position", "位置"), 10);
        cell(word("key", "单号"), 24);
        cell(word("type", "类型"), 20);
        cell(word("tried", "次数"), 6);
        cell(word("behind", "其后"), 6);
        (void)puts(word("why", "原因"));
    }
    cell(delivery->hook, 16);
    number(delivery->pos, 10);
    cell(delivery->key, 24);
    cell(delivery->type, 20);
    number(delivery->attempts, 6);
    number(delivery->behind, 6);
    if (delivery->state == DELIVERY_SKIPPED)
        (void)fputs(word("skipped: ", "已跳过: "), stdout);
    (void)puts(delivery->why);
}

static int parked(const struct verb *verb, struct queue *queue)
{
    struct told told = {.json = verb->json};
    if (queue_parked(queue, verb->words_n > 1 ? verb->words[1] : NULL, tell, &told) != STATUS_OK) {
        log_error("the queue: %s", queue_error(queue));
        return REFUSED;
    }
    if (told.n == 0 && !verb->json)
        (void)puts(word("nothing is parked", "没有搁置的事件"));
    return DONE;
}

/* False: it is no position. */
static bool position(const char *text, int64_t *pos)
{
    char *end;
    *pos = strtoll(text, &end, 10);
    return end != text && *end == '\0' && *pos > 0;
}

static int change(const struct verb *verb, const struct hooks *hooks, struct queue *queue)
{
    bool skips = text_equal(verb->words[0], "skip");
    int64_t pos = 0, n = 0;
    if (hooks_find(hooks, verb->words[1]) == NULL) {
        log_error("there is no webhook \"%s\"; `aftercare webhook list` shows them", verb->words[1]);
        return REFUSED;
    }
    if (verb->words_n == 3 && !position(verb->words[2], &pos)) {
        log_error("\"%s\" is no position; `aftercare webhook parked` shows them", verb->words[2]);
        return USAGE;
    }
    if (skips && (verb->reason == NULL || strlen(verb->reason) < 3 || strlen(verb->reason) > 100)) {
        log_error("skip needs --reason, 3 to 100 bytes: it is kept with the event");
        return USAGE;
    }
    enum status status = skips ? queue_skip(queue, verb->words[1], pos, verb->reason, &n) : queue_retry(queue, verb->words[1], pos, &n);
    if (status != STATUS_OK) {
        log_error("the queue: %s", queue_error(queue));
        return REFUSED;
    }
    if (verb->json)
        (void)printf("{\"hook\":\"%s\",\"%s\":%" PRId64 "}\n", verb->words[1], skips ? "skipped" : "retried", n);
    else
        (void)printf("%s: %" PRId64 "\n", skips ? word("skipped", "已跳过") : word("will be tried again", "将重试"), n);
    return n > 0 ? DONE : REFUSED;
}

int verb_run(const struct verb *verb, const struct settings *settings, const struct hooks *hooks)
{
    char folder[400], path[512], error[300] = "";
    if (text_equal(verb->words[0], "check")) {
        if (!verb->json)
            (void)printf("%u %s\n", hooks->items_n, word("webhooks, nothing wrong", "个推送，没有错误"));
        return DONE;
    }
    if (!daemon_folder(settings, folder))
        return REFUSED;
    text_format(path, sizeof(path), "%s/queue.db", folder);
    struct queue *queue = queue_open(path, error, sizeof(error));
    if (queue == NULL) {
        log_error("%s: %s", path, error);
        return REFUSED;
    }
    int code = text_equal(verb->words[0], "list")     ? list(hooks, queue, verb->json)
               : text_equal(verb->words[0], "parked") ? parked(verb, queue)
                                                      : change(verb, hooks, queue);
    queue_close(&queue);
    return code;
}
