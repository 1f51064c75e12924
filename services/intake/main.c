/* aftercare-intake: the journal's one writer. Exit codes: 0 done, 1 the world does not let it, 2 usage. */
#include "base/log.h"
#include "eraser.h"
#include "feed.h"
#include "hangup.h"
#include "init.h"
#include "refold.h"
#include "bus/socket.h"
#include "server.h"
#include "shelf.h"
#include "verify.h"
#include <stdio.h>
#include <stdlib.h>

#define FEED_PAIR "inproc://feed"
#define CACHE_ROWS 4096

static int run(const struct settings *settings)
{
    char error[200] = "";
    int code = EXIT_FAILURE;
    struct doors doors;
    hangups_wait(); /* before libzmq starts its threads */
    bus_start();
    bus_lanes(DOORS_LANES);
    struct metrics *metrics = metrics_new("intake");
    metrics_folder(metrics, settings->data);
    metrics_health(metrics, "starting"); /* until it is known whose the journal is to write */
    struct server_config config = {
        .settings = settings, .entrance = &doors, .feed_pair = FEED_PAIR, .metrics = metrics, .cache_rows = CACHE_ROWS, .doors = true};
    struct server *server = server_new(&config); /* its loop blocks signals: before any thread is started */
    if (!doors_open(&doors, settings)) {
        server_destroy(&server);
        metrics_destroy(&metrics);
        bus_stop();
        return EXIT_FAILURE;
    }
    struct shelf *shelf = shelf_start(settings, metrics);
    config.shelf_pair = shelf != NULL ? SHELF_CMD_PAIR : NULL;
    struct feed *feed = feed_start(&doors, FEED_PAIR, shelf != NULL ? SHELF_FEED_PAIR : NULL, metrics);
    if (feed != NULL && settings->intake.metrics[0] != '\0' &&
        !metrics_serve(metrics, settings->intake.metrics, error, sizeof(error)))
        log_warn("metrics %s: %s", settings->intake.metrics, error);
    if (feed != NULL) {
        if (server_begin(server)) {
            struct eraser *eraser = eraser_start(settings);
            code = server_run(server) ? EXIT_SUCCESS : EXIT_FAILURE;
            eraser_stop(&eraser);
        } else
            code = server_is_stopped(server) ? EXIT_SUCCESS : EXIT_FAILURE;
        server_stop_feed(server);
    }
    feed_stop(&feed);
    shelf_stop(&shelf);
    server_destroy(&server);
    doors_close(&doors);
    metrics_destroy(&metrics);
    bus_stop();
    return code;
}

static void print_problems(const struct problems *problems)
{
    struct buf line = {0};
    for (size_t i = 0; i < problems->n && i < PROBLEMS_MAX; i++) {
        buf_reset(&line);
        problem_print(&problems->items[i], false, &line);
        log_error("settings, line %u: %s", problems->items[i].line, buf_text(&line));
    }
    buf_release(&line);
}

int main(int argc, char **argv)
{
    static struct settings settings;
    struct options options;
    struct problems problems = {0};
    options_parse(&options, argc, argv);
    log_open("intake", false);
    if (!settings_read(&settings, options.data, options.config, &problems)) {
        print_problems(&problems);
        problems_release(&problems);
        return 2;
    }
    problems_release(&problems);
    log_open("intake", settings.log[0] == 'j');
    switch (options.mode) {
    case MODE_PRINT_CONFIG: {
        struct buf text = {0};
        settings_print(&settings, &text);
        (void)fputs(buf_text(&text), stdout);
        buf_release(&text);
        return EXIT_SUCCESS;
    }
    case MODE_INIT:
        return stream_init(&options, &settings) ? EXIT_SUCCESS : EXIT_FAILURE;
    case MODE_MIGRATE:
        return stream_migrate(&settings) ? EXIT_SUCCESS : EXIT_FAILURE;
    case MODE_VERIFY:
        return options.event > 0 ? journal_prove(&settings, options.event) : journal_verify(&settings);
    case MODE_REBUILD:
        return archive_rebuild(&settings, true);
    case MODE_RUN:
        return run(&settings);
    }
    return EXIT_FAILURE;
}
