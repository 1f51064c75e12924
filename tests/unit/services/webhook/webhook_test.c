#include "base/instant.h"
#include "base/text.h"
#include "services/webhook/hooks.h"
#include "services/webhook/queue.h"
#include "services/webhook/schedule.h"
#include "services/webhook/sign.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static void test_pauses(void **state)
{
    (void)state;
    int64_t before_us = 0;
    for (int64_t failures = 1; failures < 40; failures++) {
        int64_t pause_us = schedule_pause_us(failures, 0, 7);
        int64_t most_us = failures > 12 ? HOUR_US : SECOND_US << (failures - 1);
        if (most_us > HOUR_US)
            most_us = HOUR_US;
        assert_true(pause_us <= most_us && pause_us > most_us / 5 * 4 - 1);
        assert_true(pause_us >= before_us / 2);
        before_us = pause_us;
    }
    assert_int_equal(schedule_pause_us(1, 30 * SECOND_US, 7), 30 * SECOND_US);
    assert_true(schedule_pause_us(1, 9 * HOUR_US, 7) == HOUR_US);
    assert_int_equal(schedule_pause_us(5, 0, 7), schedule_pause_us(5, 0, 7));
    assert_true(schedule_pause_us(5, 0, 7) != schedule_pause_us(5, 0, 8));
    assert_false(schedule_is_over(10, 10 + DAY_US - 1, DAY_US));
    assert_true(schedule_is_over(10, 10 + DAY_US, DAY_US));
}

static void test_outcomes(void **state)
{
    (void)state;
    static const struct {
        int64_t status;
        bool taken, theirs;
    } cases[] = {{0, false, true}, {200, true, false}, {204, true, false}, {301, false, false}, {307, false, false}, {400, false, false},
                 {404, false, false}, {410, false, false}, {429, false, true}, {500, false, true}, {503, false, true}};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct outcome outcome = {.status = cases[i].status};
        assert_int_equal(outcome_is_taken(&outcome), cases[i].taken);
        if (!cases[i].taken)
            assert_int_equal(outcome_is_theirs(&outcome), cases[i].theirs);
    }
}

static void test_signature(void **state)
{
    (void)state;
    struct secrets secrets = {.n = 2};
    struct buf out = {0};
    text_copy(secrets.items[0], SECRET_CAP, "a secret of some length");
    text_copy(secrets.items[1], SECRET_CAP, "another one, for a while");
    sign(&secrets, 1700000000, bytes_of_text("{\"a\":1}"), &out);
    /* printf '1700000000.{"a":1}' | openssl dgst -sha256 -hmac 'a secret of some length' */
    assert_string_equal(buf_text(&out), "t=1700000000,v1=e09db3ce6e6e8f9b633a62851e5074a9e9148ac19b1c0e1a8f7c352380be630b"
                                        ",v1=e72ae35dbdf1fb7369916552139d002ca162066fad0c4b931126f8edfa2d9948");
    buf_release(&out);
}

static void test_secrets(void **state)
{
    (void)state;
    char folder[] = "/tmp/webhook-XXXXXX", path[64], error[200] = "";
    struct secrets secrets, again;
    struct stat stat_of;
    assert_non_null(mkdtemp(folder));
    text_format(path, sizeof(path), "%s/erp.secret", folder);
    assert_true(secrets_read(path, &secrets, error, sizeof(error)));
    assert_int_equal(secrets.n, 1);
    assert_int_equal(strlen(secrets.items[0]), 64);
    assert_int_equal(stat(path, &stat_of), 0);
    assert_int_equal(stat_of.st_mode & 0777, 0600);
    assert_true(secrets_read(path, &again, error, sizeof(error)));
    assert_string_equal(secrets.items[0], again.items[0]);
    assert_int_equal(chmod(path, 0640), 0);
    assert_false(secrets_read(path, &again, error, sizeof(error)));
    assert_non_null(strstr(error, "others may read"));
    (void)chmod(path, 0600);
    FILE *file = fopen(path, "w");
    (void)fputs("short\n", file);
    (void)fclose(file);
    assert_false(secrets_read(path, &again, error, sizeof(error)));
    unlink(path);
    rmdir(folder);
}

static bool parse(const char *text, struct hooks *hooks, char code[40], char field[120])
{
    struct problems problems = {0};
    bool good = hooks_parse(text, strlen(text), hooks, &problems);
    if (!good) {
        memcpy(code, problems.items[0].code, 40);
        memcpy(field, problems.items[0].field, 120);
    }
    problems_release(&problems);
    return good;
}

static void test_files(void **state)
{
    (void)state;
    static struct hooks hooks;
    char code[40], field[120];
    assert_true(parse("hooks:\n  - {name: erp, url: \"https://erp.example/in\", types: [sla.], give_up: 2h}\n"
                      "  - {name: own, url: \"http://127.0.0.1:8080\", from: \"17\"}\n",
                      &hooks, code, field));
    assert_int_equal(hooks.items_n, 2);
    assert_string_equal(hooks.metrics, "127.0.0.1:7416");
    assert_string_equal(hooks.principal, "operator");
    assert_string_equal(hooks.items[0].from, "now");
    assert_int_equal(hooks.items[0].timeout_ms, 10000);
    assert_int_equal(span_us(hooks.items[1].give_up), DAY_US);
    assert_ptr_equal(hooks_find(&hooks, "own"), &hooks.items[1]);
    static const struct {
        const char *text, *field;
    } bad[] = {
        {"hooks:\n  - {name: a, url: \"ftp://x\"}\n", "hooks[0].url"},
        {"hooks:\n  - {name: a, url: \"http://erp.example/\"}\n", "hooks[0].url"},
        {"hooks:\n  - {name: a, url: \"http://localhost.example/\"}\n", "hooks[0].url"},
        {"hooks:\n  - {name: a, url: \"http://127.example.com/\"}\n", "hooks[0].url"},
        {"hooks:\n  - {name: a, url: \"http://127.0.0.1.example.com/\"}\n", "hooks[0].url"},
        {"hooks:\n  - {name: a, url: \"http://[::1].example.com/\"}\n", "hooks[0].url"},
        {"hooks:\n  - {name: a, url: \"https://me:pw@erp.example/\"}\n", "hooks[0].url"},
        {"hooks:\n  - {name: a, url: \"https://x/\"}\n  - {name: a, url: \"https://y/\"}\n", "hooks[1].name"},
        {"hooks:\n  - {name: a, url: \"https://x/\", from: soon}\n", "hooks[0].from"},
        {"hooks:\n  - {name: a, url: \"https://x/\", give_up: 2wd}\n", "hooks[0].give_up"},
        {"hooks:\n  - {name: a, url: \"https://x/\", parallel: 0}\n", "hooks[0].parallel"},
        {"hooks:\n  - {url: \"https://x/\"}\n", "hooks[0].name"},
    };
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        assert_false(parse(bad[i].text, &hooks, code, field));
        assert_string_equal(field, bad[i].field);
    }
    assert_true(parse("hooks:\n  - {name: a, url: \"http://erp.example/\", insecure: true}\n", &hooks, code, field));
    static const char *const own[] = {"http://127.0.0.1:8080/x", "http://127.0.0.2", "http://localhost", "http://localhost:80", "http://[::1]:80/x", "http://[::1]"};
    for (size_t i = 0; i < COUNT_OF(own); i++) {
        char text[120];
        text_format(text, sizeof(text), "hooks:\n  - {name: a, url: \"%s\"}\n", own[i]);
        if (!parse(text, &hooks, code, field))
            fail_msg("%s", own[i]);
    }
}

static struct queue *queue_at(const char *path)
{
    char error[200] = "";
    struct queue *queue = queue_open(path, error, sizeof(error));
    if (queue == NULL)
        fail_msg("%s", error);
    return queue;
}

static void add(struct queue *queue, int64_t pos, const char *key)
{
    struct delivery delivery = {.hook = "h", .pos = pos, .body = bytes_of_text("{}")};
    text_copy(delivery.key, sizeof(delivery.key), key);
    assert_int_equal(queue_add(queue, &delivery), STATUS_OK);
}

static int64_t next(struct queue *queue, int64_t now_us, const int64_t *flying, size_t n, struct delivery *delivery)
{
    return queue_next(queue, "h", now_us, flying, n, delivery) == STATUS_OK ? delivery->pos : 0;
}

static void path_make(char *path)
{
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    unlink(path);
}

static void path_remove(const char *path)
{
    static const char *const tails[] = {"", "-wal", "-shm"};
    for (size_t i = 0; i < COUNT_OF(tails); i++) {
        char file[64];
        text_format(file, sizeof(file), "%s%s", path, tails[i]);
        unlink(file);
    }
}

/* An operator's command that comes while the daemon makes the file waits for it. */
static void test_opened_together(void **state)
{
    (void)state;
    for (int round = 0; round < 20; round++) {
        char path[] = "/tmp/webhook-queue-XXXXXX", word;
        pid_t children[4];
        int gate[2];
        path_make(path);
        assert_int_equal(pipe(gate), 0);
        for (size_t i = 0; i < COUNT_OF(children); i++)
            if ((children[i] = fork()) == 0) {
                char error[200];
                close(gate[1]);
                if (read(gate[0], &word, 1) != 0)
                    _exit(2);
                struct queue *queue = queue_open(path, error, sizeof(error));
                if (queue == NULL)
                    fprintf(stderr, "%s\n", error);
                _exit(queue == NULL);
            }
        close(gate[0]);
        close(gate[1]); /* all go */
        for (size_t i = 0; i < COUNT_OF(children); i++) {
            int code = -1;
            assert_int_equal(waitpid(children[i], &code, 0), children[i]);
            assert_int_equal(code, 0);
        }
        path_remove(path);
    }
}

static void test_queue(void **state)
{
    (void)state;
    char path[] = "/tmp/webhook-queue-XXXXXX";
    struct delivery delivery, first;
    struct cursor cursor = {.pos = 5};
    struct waiting waiting;
    int64_t n, due_us;
    path_make(path);
    struct queue *queue = queue_at(path);
    assert_int_equal(queue_cursor(queue, "h", &cursor), STATUS_ABSENT);
    add(queue, 1, "A");
    add(queue, 2, "A");
    add(queue, 3, "B");
    queue_close(&queue); /* not committed: not there, nor is the cursor */
    queue = queue_at(path);
    assert_int_equal(queue_cursor(queue, "h", &cursor), STATUS_ABSENT);
    assert_int_equal(next(queue, 0, NULL, 0, &delivery), 0);
    add(queue, 1, "A");
    add(queue, 2, "A");
    add(queue, 3, "B");
    assert_int_equal(queue_commit(queue, "h", &cursor), STATUS_OK);
    queue_close(&queue);
    queue = queue_at(path);
    cursor.pos = 0;
    assert_int_equal(queue_cursor(queue, "h", &cursor), STATUS_OK);
    assert_int_equal(cursor.pos, 5);
    /* 2 waits behind 1, B does not */
    const int64_t flying[] = {1, 3};
    assert_int_equal(next(queue, 100, NULL, 0, &first), 1);
    assert_int_equal(next(queue, 100, flying, 1, &delivery), 3);
    assert_int_equal(next(queue, 100, flying, 2, &delivery), 0);
    /* 1 fails: nothing of A until then, and B goes on */
    first.attempts = 1;
    first.first_us = 100;
    first.next_us = 5000;
    assert_int_equal(queue_failed(queue, &first), STATUS_OK);
    assert_int_equal(next(queue, 100, NULL, 0, &delivery), 3);
    assert_int_equal(queue_taken(queue, &delivery), STATUS_OK);
    assert_int_equal(next(queue, 4999, NULL, 0, &delivery), 0);
    assert_int_equal(queue_due_us(queue, "h", &due_us), STATUS_OK);
    assert_int_equal(due_us, 5000);
    assert_int_equal(queue_wake(queue, "h"), STATUS_OK);
    assert_int_equal(next(queue, 100, NULL, 0, &delivery), 1);
    /* parked: 2 stays behind it, as does what comes later */
    delivery.state = DELIVERY_PARKED;
    assert_int_equal(queue_failed(queue, &delivery), STATUS_OK);
    add(queue, 9, "A");
    assert_int_equal(queue_commit(queue, "h", &cursor), STATUS_OK);
    assert_int_equal(next(queue, INT64_MAX - 1, NULL, 0, &delivery), 0);
    assert_int_equal(queue_count(queue, "h", &waiting), STATUS_OK);
    assert_int_equal(waiting.waiting, 2);
    assert_int_equal(waiting.parked, 1);
    assert_int_equal(queue_retry(queue, "h", 2, &n), STATUS_OK);
    assert_int_equal(n, 0); /* it is not parked */
    assert_int_equal(queue_retry(queue, "h", 0, &n), STATUS_OK);
    assert_int_equal(n, 1);
    assert_int_equal(next(queue, 0, NULL, 0, &delivery), 1);
    delivery.state = DELIVERY_PARKED;
    assert_int_equal(queue_failed(queue, &delivery), STATUS_OK);
    assert_int_equal(queue_skip(queue, "h", 1, "known there", &n), STATUS_OK);
    assert_int_equal(n, 1);
    assert_int_equal(next(queue, 0, NULL, 0, &delivery), 2);
    assert_int_equal(queue_taken(queue, &delivery), STATUS_OK);
    assert_int_equal(next(queue, 0, NULL, 0, &delivery), 9);
    queue_close(&queue);
    path_remove(path);
}

/* An operator's command changes the queue while the daemon has the next delivery in its hand. */
static void test_changed_beside(void **state)
{
    (void)state;
    char path[] = "/tmp/webhook-queue-XXXXXX";
    struct delivery delivery, other;
    struct cursor cursor = {.pos = 5};
    struct waiting waiting;
    path_make(path);
    struct queue *queue = queue_at(path), *operators = queue_at(path);
    add(queue, 1, "A");
    add(queue, 2, "B");
    add(queue, 3, "C");
    assert_int_equal(queue_commit(queue, "h", &cursor), STATUS_OK);
    assert_int_equal(next(queue, 100, NULL, 0, &delivery), 1);
    assert_int_equal(delivery.body.len, 2);
    assert_int_equal(next(operators, 100, (const int64_t[]){1}, 1, &other), 2);
    other.state = DELIVERY_PARKED;
    assert_int_equal(queue_failed(operators, &other), STATUS_OK);
    assert_int_equal(queue_count(queue, "h", &waiting), STATUS_OK);
    assert_int_equal(waiting.parked, 1);
    assert_int_equal(queue_taken(queue, &delivery), STATUS_OK);
    queue_close(&operators);
    queue_close(&queue);
    path_remove(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_pauses),  cmocka_unit_test(test_outcomes), cmocka_unit_test(test_signature),
                                       cmocka_unit_test(test_secrets), cmocka_unit_test(test_files),    cmocka_unit_test(test_queue),
                                       cmocka_unit_test(test_opened_together),
                                       cmocka_unit_test(test_changed_beside)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
