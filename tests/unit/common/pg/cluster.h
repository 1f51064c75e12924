/* A PostgreSQL of a test's own, made and removed by tests/pg-cluster. */
#ifndef AFTERCARE_TESTS_CLUSTER_H
#define AFTERCARE_TESTS_CLUSTER_H

#include "base/text.h"
#include "pg/pg.h"
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct cluster {
    char dir[64];
    char dsn[200];
};

static inline int cluster_start(struct cluster *cluster)
{
    char command[512];

    text_format(cluster->dir, sizeof cluster->dir, "/tmp/aftercare-test-%d", (int)getpid());
    text_format(command, sizeof command, "%s/tests/pg-cluster %s", SOURCE_DIR, cluster->dir);
    FILE *out = popen(command, "r");
    assert(out != NULL);
    char *line = fgets(cluster->dsn, sizeof cluster->dsn, out);
    cluster->dsn[strcspn(cluster->dsn, "\n")] = '\0';
    return pclose(out) == 0 && line != NULL ? 0 : -1;
}

static inline int cluster_stop(struct cluster *cluster)
{
    char command[512];

    text_format(command, sizeof command, "%s/tests/pg-cluster %s stop", SOURCE_DIR, cluster->dir);
    return system(command);
}

static inline struct pg *cluster_connect(const struct cluster *cluster, const char *schema)
{
    struct pg *pg = pg_new(cluster->dsn, schema);
    enum status status = pg_connect(pg);

    if (status != STATUS_OK) {
        fprintf(stderr, "cannot connect: %s\n", pg_error(pg));
        abort();
    }
    return pg;
}

#endif
