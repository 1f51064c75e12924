#include "settings/settings.h"
#include "base/text.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[64];
static struct problems problems;

static int setup(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/aftercare-settings-XXXXXX");
    static const char *const named[] = {"AFTERCARE_DATA", "AFTERCARE_LOG", "AFTERCARE_INTAKE_CMD",
                                        "AFTERCARE_SLA_WATCHDOG_LINGER_MS", "AFTERCARE_SOCKETS"};
    for (size_t i = 0; i < COUNT_OF(named); i++)
        unsetenv(named[i]);
    return mkdtemp(folder) ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    char path[128];
    text_format(path, sizeof path, "%s/aftercare.yaml", folder);
    unlink(path);
    problems_release(&problems);
    return rmdir(folder);
}

static void file_write(const char *text)
{
    char path[128];
    text_format(path, sizeof path, "%s/aftercare.yaml", folder);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static void of_a_folder(void **state)
{
    (void)state;
    struct settings s;
    char want[256];
    assert_true(settings_read(&s, folder, NULL, &problems));
    assert_string_equal(s.data, folder);
    text_format(want, sizeof want, "%s/run", folder);
    assert_string_equal(s.sockets, want);
    assert_string_equal(s.log, "plain");
    assert_string_equal(s.intake.cmd, "tcp://127.0.0.1:7401");
    text_format(want, sizeof want, "ipc://%s/run/live", folder);
    assert_string_equal(s.live, want);
    assert_string_equal(s.reporting.metrics, "127.0.0.1:7414");
    assert_int_equal(s.intake.batch_events, 256);
    assert_int_equal(s.follow_up.linger_events, 64);
    text_format(want, sizeof want, "host=%s/run port=5432 dbname=aftercare user=sla-watchdog", folder);
    assert_string_equal(s.sla_watchdog.dsn, want);
    assert_ptr_equal(settings_worker(&s, "follow-up"), &s.follow_up);
    assert_null(settings_worker(&s, "intake"));
    assert_null(settings_worker(&s, "nobody"));
    struct settings defaults;
    settings_defaults(&defaults, folder);
    assert_true(record_equal(&settings_record, &s, &defaults));
}

static void layers(void **state)
{
    (void)state;
    struct settings s;
    char want[256];
    file_write("log: json\nsockets: /tmp/elsewhere\nintake: {cmd: \"tcp://*:9001\", batch_events: 32}\n"
               "sla-watchdog: {linger_ms: 7, cache_rows: 0}\n");
    setenv("AFTERCARE_SLA_WATCHDOG_LINGER_MS", "0", 1);
    setenv("AFTERCARE_LOG", "plain", 1);
    assert_true(settings_read(&s, folder, NULL, &problems));
    assert_string_equal(s.log, "plain");
    assert_string_equal(s.intake.cmd, "tcp://*:9001");
    assert_string_equal(s.cmd, "ipc:///tmp/elsewhere/cmd");
    assert_int_equal(s.intake.batch_events, 32);
    assert_int_equal(s.sla_watchdog.linger_ms, 0);
    assert_int_equal(s.sla_watchdog.cache_rows, 0);
    assert_int_equal(s.dispatcher.linger_ms, 5);
    text_format(want, sizeof want, "host=/tmp/elsewhere port=5432 dbname=aftercare user=%s", "intake");
    assert_string_equal(s.intake.dsn, want);
    /* The folder that was named wins over the one the file names. */
    file_write("data: /tmp/other\n");
    assert_true(settings_read(&s, folder, NULL, &problems));
    assert_string_equal(s.data, folder);
    setenv("AFTERCARE_DATA", folder, 1);
    assert_true(settings_read(&s, NULL, NULL, &problems));
    assert_string_equal(s.data, folder);
}

static void wrong(void **state)
{
    (void)state;
    struct settings s;
    file_write("log: jason\nintake: {batch_events: 257, cdm: x}\n");
    setenv("AFTERCARE_SLA_WATCHDOG_LINGER_MS", "soon", 1);
    assert_false(settings_read(&s, folder, NULL, &problems));
    assert_int_equal(problems.n, 3);
    assert_string_equal(problems.items[0].field, "intake.batch_events");
    assert_int_equal(problems.items[0].line, 2);
    assert_string_equal(problems.items[1].args, "cmd");
    assert_string_equal(problems.items[2].field, "AFTERCARE_SLA_WATCHDOG_LINGER_MS");
    problems_release(&problems);
    file_write("log: jason\n");
    setenv("AFTERCARE_SOCKETS", "run", 1);
    unsetenv("AFTERCARE_SLA_WATCHDOG_LINGER_MS");
    assert_false(settings_read(&s, folder, NULL, &problems));
    assert_int_equal(problems.n, 2);
    problems_release(&problems);
    assert_false(settings_read(&s, folder, "/nonexistent/file", &problems));
    assert_string_equal(problems.items[0].code, "unreadable");
}

/* Where a client goes: as it was told; through the socket folder; a key file tells it itself. */
static void reached(void **state)
{
    static const struct {
        const char *file, *cmd, *feed;
    } cases[] = {
        {"sockets: /s\ncmd: tcp://hq:1\n", "tcp://hq:1", "ipc:///s/feed"},
        {"sockets: /s\nintake: {cmd: ipc:///x/cmd}\n", "ipc:///x/cmd", "ipc:///s/feed"},
        {"sockets: /s\nkey: /k\nfeed: tcp://hq:3\n", "", "tcp://hq:3"},
    };
    struct settings s;
    char path[400], made[256];
    (void)state;
    unsetenv("AFTERCARE_SOCKETS");
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        file_write(cases[i].file);
        assert_true(settings_read(&s, folder, NULL, &problems));
        assert_string_equal(s.cmd, cases[i].cmd);
        assert_string_equal(s.feed, cases[i].feed);
    }
    assert_true(settings_key(&s, s.key, "operator", path)); /* named, there or not */
    assert_string_equal(path, "/k");
    assert_false(settings_key(&s, "", "operator", path));
    text_format(made, sizeof made, "%s/keys/operator.key", folder);
    assert_string_equal(path, made);
    text_format(made, sizeof made, "%s/operator.key", folder);
    FILE *file = fopen(made, "w");
    assert_non_null(file);
    fclose(file);
    setenv("CREDENTIALS_DIRECTORY", folder, 1);
    assert_true(settings_key(&s, "", "operator", path));
    assert_string_equal(path, made);
    unsetenv("CREDENTIALS_DIRECTORY");
    unlink(made);
}

/* What --print-config prints reads back as what it printed, whatever stands in it. */
static void printed_reads_back(void **state)
{
    (void)state;
    struct settings s, again;
    struct buf out = {0};
    settings_defaults(&s, "/srv/a b'\"\\c: #d");
    s.intake.lease_ms = 777;
    s.dispatcher.linger_ms = 0;
    strcpy(s.cmd, "ipc:///tmp/工单\t");
    settings_print(&s, &out);
    assert_true(record_parse_yaml(&settings_record, buf_text(&out), out.len, NULL, &again, &problems));
    assert_true(record_equal(&settings_record, &s, &again));
    buf_release(&out);
}

/* libpq reads a quoted value with backslashes before quotes. */
static void odd_folder(void **state)
{
    (void)state;
    struct settings s;
    settings_defaults(&s, "/srv/a 'b");
    assert_string_equal(s.intake.dsn, "host='/srv/a \\'b/run' port=5432 dbname=aftercare user=intake");
}

/* A path too long for a socket gets a short folder of its own. */
static void long_folder(void **state)
{
    (void)state;
    struct settings a, b;
    char path[160];
    memset(path, 'x', sizeof path);
    path[0] = '/';
    path[150] = 0;
    settings_defaults(&a, path);
    path[149] = 'y';
    settings_defaults(&b, path);
    assert_true(strlen(a.sockets) < 60);
    assert_string_not_equal(a.sockets, b.sockets);
}

#define EACH(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
/* Two intakes: a client has both, an intake binds its own. */
static void several_endpoints(void **state)
{
    (void)state;
    struct settings s;
    char one[ENDPOINT_CAP];
    file_write("cmd: tcp://hq1:7401, tcp://hq2:7401\nintake:\n  cmd: tcp://*:7401\n");
    assert_true(settings_read(&s, folder, NULL, &problems));
    assert_int_equal(endpoints_count(s.cmd), 2);
    endpoints_at(s.cmd, 1, one);
    assert_string_equal(one, "tcp://hq2:7401");
    assert_string_equal(s.intake.cmd, "tcp://*:7401");
    assert_int_equal(endpoints_count(s.feed), 1);
    file_write("cmd: a,b,c,d,e,f,g,h,i\n");
    assert_false(settings_read(&s, folder, NULL, &problems));
    assert_string_equal(problems.items[0].code, "too-many");
}

int main(void)
{
    const struct CMUnitTest tests[] = {EACH(of_a_folder),        EACH(layers), EACH(reached),    EACH(wrong),
                                       EACH(printed_reads_back), EACH(odd_folder), EACH(long_folder),
                                       EACH(several_endpoints)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
