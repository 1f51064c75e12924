/* rebuild and verify: the journal's chain is read here, tables are the workers' own business (each
 * by its own role). */
#include "base/clock.h"
#include "base/text.h"
#include "connection.h"
#include "progress.h"
#include "proof.h"
#include "sibling.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct verifying {
    struct cli *cli;
    const char *worker;
    bool verify;
    uint64_t pos;
    struct progress progress;
    uint64_t holes;
    int64_t event; /* 0: all */
};

/* A worker's own program: it has the right to its tables. */
static int run_worker(const struct cli *cli, const char *worker, const char *flag)
{
    int status = CLI_REFUSED;
    if (!sibling_run(cli, worker, &flag, 1, NULL, &status))
        return CLI_REFUSED;
    if (status == 0)
        return CLI_DONE;
    return cli_fail(
        cli, CLI_REFUSED,
        in_words(cli->language, "Its own words stand above; `aftercare doctor` looks further."),
        in_words(cli->language, "aftercare-%s %s failed"), worker, flag);
}

static const char *const known_workers[] = {"dispatcher", "sla-watchdog", "follow-up", "reporting"};

static bool is_worker(const char *name)
{
    for (size_t i = 0; i < COUNT_OF(known_workers); i++)
        if (text_equal(known_workers[i], name))
            return true;
    return false;
}

static error_t rebuild_parse(int key, char *arg, struct argp_state *state)
{
    struct verifying *verifying = state->input;
    switch (key) {
    case 'v':
        verifying->verify = true;
        return 0;
    case ARGP_KEY_ARG:
        if (!is_worker(arg) && !text_equal(arg, "intake"))
            argp_error(state, "WORKER: dispatcher, sla-watchdog, follow-up, reporting, or intake");
        verifying->worker = arg;
        return 0;
    case ARGP_KEY_END:
        if (verifying->worker == NULL)
            argp_error(state, "needs WORKER");
        if (verifying->verify && text_equal(verifying->worker, "intake"))
            argp_error(state, "`aftercare verify` proves intake's tables");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

int command_rebuild(struct cli *cli, int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"verify", 'v', NULL, 0, "make them beside the living ones and compare instead", 0}, {0}};
    static const struct cli_syntax syntax = {
        options, rebuild_parse, "WORKER",
        "Make a worker's tables, or intake's archive, anew from the journal. Decisions are not taken again. "
        "While intake's is made nothing is taken.\vExample:\n  aftercare rebuild dispatcher"};
    struct verifying verifying = {.cli = cli};
    cli_parse(&syntax, argc, argv, &verifying);
    int code = run_worker(cli, verifying.worker, verifying.verify ? "--verify" : "--rebuild");
    if (code == CLI_DONE && !cli->json)
        printf(verifying.verify
                   ? in_words(cli->language, "%s: its tables are what the journal says\n")
                   : in_words(cli->language, "%s is rebuilt\n"),
               verifying.worker);
    else if (cli->json)
        printf("{\"worker\":\"%s\",\"%s\":%s}\n", verifying.worker,
               verifying.verify ? "good" : "rebuilt", code == CLI_DONE ? "true" : "false");
    return code;
}

/* --- the chain
 * ------------------------------------------------------------------------------------- */
static bool on_event(void *owner, const struct event *event)
{
    struct verifying *verifying = owner;
    if (event->pos != verifying->pos + 1)
        verifying->holes++;
    verifying->pos = event->pos;
    if (verifying->pos % 4096 == 0)
        progress_show(&verifying->progress, (int64_t)verifying->pos, clock_boot_us());
    return true;
}

static int chain_verify(struct verifying *verifying)
{
    static const struct feed_listener listener = {.event = on_event};
    struct cli *cli = verifying->cli;
    struct stream_created stream;
    struct verb_open *open = memory_new(sizeof(*open));
    int64_t head = 0;
    record_clear(&verb_open_record, open);
    int code = stream_read(cli, &stream);
    if (code == CLI_DONE)
        code = head_read(cli, &head);
    if (code == CLI_DONE) {
        progress_start(&verifying->progress, cli, in_words(cli->language, "events"), head,
                       clock_boot_us());
        code = feed_read(cli, stream.stream, open, true, &listener, verifying);
        if (code == CLI_DONE && ((int64_t)verifying->pos < head || verifying->holes > 0))
            code = cli_fail(
                cli, CLI_REFUSED,
                in_words(cli->language, "Restore the journal from its backup or standby."),
                in_words(cli->language, "the journal has holes: %" PRIu64 " of %" PRId64 " read"),
                verifying->pos, head);
    }
    free(open);
    if (code == CLI_DONE && !cli->json)
        printf(in_words(cli->language,
                        "journal: positions 1 to %" PRIu64 " without a hole, every link holds\n"),
               verifying->pos);
    return code;
}

static error_t verify_parse(int key, char *arg, struct argp_state *state)
{
    struct verifying *verifying = state->input;
    char *end;
    if (key != 'e')
        return ARGP_ERR_UNKNOWN;
    verifying->event = strtoll(arg, &end, 10);
    if (verifying->event < 1 || *end != '\0')
        argp_error(state, "--event: a position is 1 or more");
    return 0;
}

static int workers_verify(const struct cli *cli, bool tables[COUNT_OF(known_workers)])
{
    int code = CLI_DONE;
    for (size_t i = 0; i < COUNT_OF(known_workers); i++) {
        int worker_code = run_worker(cli, known_workers[i], "--verify");
        tables[i] = worker_code == CLI_DONE;
        if (tables[i] && !cli->json)
            printf(in_words(cli->language, "%s: its tables are what the journal says\n"),
                   known_workers[i]);
        if (!tables[i])
            code = worker_code;
    }
    return code;
}

int command_verify(struct cli *cli, int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"event", 'e', "POS", 0, "the proof of one event: its link, digests, neighbours, and the next sealed position", 0},
        {0}};
    static const struct cli_syntax syntax = {
        options, verify_parse, NULL,
        "Prove that the journal has no hole and has not changed, row by row, that every source's "
        "numbers stand once, that intake's archive and every worker's tables "
        "are what it says, and that each file's bytes have their digest.\vExamples:\n  aftercare verify\n  aftercare verify --event 1024"};
    struct verifying verifying = {.cli = cli};
    cli_parse(&syntax, argc, argv, &verifying);
    if (verifying.event > 0)
        return event_prove(cli, verifying.event);
    int code = chain_verify(&verifying);
    if (code == CLI_SILENT)
        return code;
    struct buf rows = {0};
    bool chain = code == CLI_DONE, tables[COUNT_OF(known_workers)];
    struct rows_good good;
    int rows_code = rows_verify(cli, &rows, &good), tables_code = workers_verify(cli, tables);
    code = code != CLI_DONE ? code : rows_code != CLI_DONE ? rows_code : tables_code;
    if (cli->json) {
        printf("{\"events\":%" PRIu64 ",\"journal\":%s,\"intake\":%s,\"files\":%s,%s", verifying.pos,
               chain && good.journal ? "true" : "false", good.archive ? "true" : "false",
               good.files ? "true" : "false", buf_text(&rows));
        for (size_t i = 0; i < COUNT_OF(known_workers); i++)
            printf(",\"%s\":%s", known_workers[i], tables[i] ? "true" : "false");
        printf(",\"good\":%s}\n", code == CLI_DONE ? "true" : "false");
    }
    buf_release(&rows);
    return code;
}
