/* The network thread: cmd and live, the journal's one writer. While one commit is in flight the next batch gathers; nothing is
 * acknowledged or published before the commit's own result. */
#ifndef AFTERCARE_INTAKE_SERVER_H
#define AFTERCARE_INTAKE_SERVER_H

#include "bus/metrics.h"
#include "doors.h"
#include "settings/settings.h"

struct server_config {
    const struct settings *settings;
    const char *feed_pair;  /* inproc endpoint of the feed thread */
    const char *shelf_pair; /* of the shelf; NULL: no files are taken */
    struct doors *entrance; /* how sockets are bound, and who may come in */
    struct metrics *metrics;
    size_t cache_rows;
    bool doors; /* while it stands by it binds its addresses and sends away who comes there */
};

struct server;

/* Touches nothing outside yet. */
struct server *server_new(const struct server_config *);
/* Connects, migrates nothing, takes over the head and binds. While another intake holds the lease, or the database does not
 * answer, it waits. False: told in the log, or told to stop (server_is_stopped). */
bool server_begin(struct server *);
bool server_is_stopped(const struct server *);
const char *server_stream(const struct server *);
/* Until told to stop. False: the head was lost or a position is wrong; the process must not go on. */
bool server_run(struct server *);
/* Tells the feed thread to end; join it before server_destroy. */
void server_stop_feed(struct server *);
void server_destroy(struct server **);

#endif
