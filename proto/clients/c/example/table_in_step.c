/* Keeps a table of tickets in step with the stream, exactly once, in one's own PostgreSQL.
 *     table_in_step KEYFILE "dbname=mine" [--once]
 * The table's rows and the cursor (position, link) change in one transaction: whatever is killed, in whatever moment, the rows
 * are those of every event up to the cursor, each applied once. --once ends at the head; without it goes on for ever. */
#include <aftercare.h>
#include <inttypes.h>
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char schema[] =
    "CREATE TABLE IF NOT EXISTS ticket (number text PRIMARY KEY, kind text NOT NULL, region text NOT NULL, state text NOT NULL,"
    " events bigint NOT NULL, pos bigint NOT NULL);"
    "CREATE TABLE IF NOT EXISTS cursor (one boolean PRIMARY KEY DEFAULT true CHECK (one), pos bigint NOT NULL, link text);"
    "INSERT INTO cursor (pos) VALUES (0) ON CONFLICT DO NOTHING";
static const char insert[] = "INSERT INTO ticket VALUES ($1, $2, $3, 'open', 1, $4)";
static const char update[] =
    "UPDATE ticket SET state = coalesce(nullif($1, ''), state), events = events + 1, pos = $2 WHERE number = $3";
static const char advance[] = "UPDATE cursor SET pos = $1, link = $2 WHERE pos = $3";
/* A version beyond these has to stop us. */
static const char *const needs[] = {"ticket.registered/1", "ticket.resolved/1", "ticket.closed/1", "ticket.cancelled/1",
                                    "ticket.reopened/1", NULL};

/* The rows that it changed; whoever cannot go on ends here, and begins again where the cursor stands. */
static int run(PGconn *database, const char *sql, int n, const char *const *args)
{
    PGresult *result = n > 0 ? PQexecParams(database, sql, n, NULL, args, NULL, NULL, 0) : PQexec(database, sql);
    ExecStatusType status = PQresultStatus(result);
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) {
        fprintf(stderr, "table_in_step: %s", PQerrorMessage(database));
        exit(1);
    }
    int changed = atoi(PQcmdTuples(result));
    PQclear(result);
    return changed;
}

static const char *state_after(const char *type)
{
    static const char *const states[][2] = {
        {"ticket.resolved", "resolved"}, {"ticket.closed", "closed"}, {"ticket.cancelled", "cancelled"}, {"ticket.reopened", "open"}};
    for (size_t i = 0; i < sizeof(states) / sizeof(*states); i++)
        if (strcmp(states[i][0], type) == 0)
            return states[i][1];
    return "";
}

static void apply(PGconn *database, const struct aftercare_event *event)
{
    char kind[256], region[64], pos[24];
    snprintf(pos, sizeof(pos), "%" PRId64, event->pos);
    if (strcmp(event->type, "ticket.registered") == 0) {
        aftercare_text(event->data, "kind", kind, sizeof(kind));
        aftercare_text(&event->body, "region", region, sizeof(region));
        run(database, insert, 4, (const char *const[]){event->key, kind, region, pos});
    } else { /* events about other things, or about nothing, meet no row */
        run(database, update, 3, (const char *const[]){state_after(event->type), pos, event->key});
    }
}

static void cursor_load(PGconn *database, struct aftercare_reading *reading)
{
    PGresult *result = PQexec(database, "SELECT pos, coalesce(link, '') FROM cursor");
    if (PQntuples(result) != 1)
        exit(1);
    reading->after = strtoll(PQgetvalue(result, 0, 0), NULL, 10);
    const char *link = PQgetvalue(result, 0, 1);
    for (size_t i = 0; i < AFTERCARE_LINK && sscanf(link + 2 * i, "%2" SCNx8, &reading->link[i]) == 1; i++)
        continue;
    PQclear(result);
}

static void take(PGconn *database, const struct aftercare_batch *batch)
{
    char upto[24], after[24], link[2 * AFTERCARE_LINK + 1];
    snprintf(upto, sizeof(upto), "%" PRId64, batch->upto);
    snprintf(after, sizeof(after), "%" PRId64, batch->after);
    for (size_t i = 0; i < AFTERCARE_LINK; i++)
        snprintf(link + 2 * i, 3, "%02x", batch->link[i]);
    run(database, "BEGIN", 0, NULL);
    for (size_t i = 0; i < batch->n; i++)
        apply(database, &batch->events[i]);
    if (run(database, advance, 3, (const char *const[]){upto, link, after}) != 1) {
        fprintf(stderr, "table_in_step: another process keeps this table\n");
        exit(1);
    }
    run(database, "COMMIT", 0, NULL);
}

int main(int argc, char **argv)
{
    if (argc < 3) {
        fprintf(stderr, "table_in_step KEYFILE CONNINFO [--once]\n");
        return 2;
    }
    bool once = argc > 3 && strcmp(argv[3], "--once") == 0;
    PGconn *database = PQconnectdb(argv[2]);
    struct aftercare_reading reading = {.needs = needs, .follow = !once, .name = "table"};
    run(database, "SET client_min_messages = warning", 0, NULL);
    run(database, schema, 0, NULL);
    cursor_load(database, &reading);
    struct aftercare *client = aftercare_open(argv[1], once ? 60 : 0);
    struct aftercare_reader *reader = aftercare_read(client, &reading);
    struct aftercare_batch batch;
    enum aftercare_next next;
    while ((next = aftercare_next(reader, &batch)) == AFTERCARE_BATCH) {
        take(database, &batch);
        aftercare_commit(reader, &batch);
    }
    if (next == AFTERCARE_FAILED)
        fprintf(stderr, "table_in_step: %s: %s\n", aftercare_code(client), aftercare_why(client));
    aftercare_reader_close(&reader);
    aftercare_close(&client);
    PQfinish(database);
    return next == AFTERCARE_FAILED ? 1 : 0;
}
