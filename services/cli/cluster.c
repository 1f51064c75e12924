/* The private PostgreSQL cluster. */
#include "cluster.h"
#include "supervise.h"

#include "base/bytes.h"
#include "base/text.h"
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <libpq-fe.h>
#include <pwd.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define POSTGRESQL_OLDEST 15
#define UNFINISHED        ".new" /* a cluster gets its name when it is whole */

extern char **environ;

/* Each has a schema of its name; the workers also a second one, in which they are folded anew. */
static const char *const roles[] = {"intake", "dispatcher", "sla-watchdog", "follow-up",
                                    "reporting"};

/* In the order of `roles`. */
static const char *dsn_of(const struct settings *settings, size_t i)
{
    const struct settings_worker *worker = settings_worker(settings, roles[i]);
    return worker != NULL ? worker->dsn : settings->intake.dsn;
}

static bool dsn_is_private(const struct settings *settings, const char *dsn)
{
    PQconninfoOption *options = PQconninfoParse(dsn, NULL);
    bool private = false;
    for (const PQconninfoOption *option = options; option != NULL && option->keyword != NULL; option++)
        private = private || (text_equal(option->keyword, "host") && option->val != NULL && text_equal(option->val, settings->sockets));
    PQconninfoFree(options);
    return private;
}

bool cluster_is_private(const struct settings *settings)
{
    for (size_t i = 0; i < COUNT_OF(roles); i++)
        if (dsn_is_private(settings, dsn_of(settings, i)))
            return true;
    return false;
}

bool cluster_is_mixed(const struct settings *settings, const char **name)
{
    struct cluster cluster;
    if (!cluster_is_private(settings) || (cluster_find(&cluster, settings) && cluster_exists(&cluster)))
        return false;
    for (size_t i = 0; i < COUNT_OF(roles); i++)
        if (!dsn_is_private(settings, dsn_of(settings, i))) {
            *name = roles[i];
            return true;
        }
    return false;
}

/* The newest version that is installed. */
static int version_newest(void)
{
    glob_t found;
    int best = 0;
    if (glob("/usr/lib/postgresql/*/bin/postgres", 0, NULL, &found) == 0)
        for (size_t i = 0; i < found.gl_pathc; i++) {
            int version = atoi(found.gl_pathv[i] + strlen("/usr/lib/postgresql/"));
            best = version > best ? version : best;
        }
    globfree(&found);
    return best;
}

/* The version that made the cluster; 0: there is none. */
static int version_of_cluster(const struct cluster *cluster)
{
    char path[400];
    int version = 0;
    text_format(path, sizeof path, "%s/PG_VERSION", cluster->data);
    FILE *file = fopen(path, "re");
    if (file != NULL && fscanf(file, "%d", &version) != 1)
        version = 0;
    if (file != NULL)
        fclose(file);
    return version;
}

bool cluster_exists(const struct cluster *cluster)
{
    return version_of_cluster(cluster) != 0;
}

bool cluster_find(struct cluster *cluster, const struct settings *settings)
{
    memset(cluster, 0, sizeof *cluster);
    cluster->settings = settings;
    text_format(cluster->data, sizeof cluster->data, "%s/pg", settings->data);
    int made_by = version_of_cluster(cluster), version = made_by != 0 ? made_by : version_newest();
    text_format(cluster->bin, sizeof cluster->bin, "/usr/lib/postgresql/%d/bin", version);
    if (made_by != 0 && access(cluster->bin, X_OK) != 0)
        text_format(cluster->why, sizeof cluster->why,
                    "%s was made by PostgreSQL %d, which is not installed: apt-get install "
                    "postgresql-%d, or pg_upgrade it",
                    cluster->data, made_by, made_by);
    else if (version < POSTGRESQL_OLDEST)
        text_format(cluster->why, sizeof cluster->why,
                    "PostgreSQL %d or newer is not installed; run deploy/install-deps, or: apt-get "
                    "install postgresql-%d",
                    POSTGRESQL_OLDEST, POSTGRESQL_OLDEST);
    return cluster->why[0] == '\0';
}

static bool run(struct cluster *cluster, const char *const argv[], const char *log)
{
    posix_spawn_file_actions_t actions;
    pid_t child;
    int status;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, log, O_WRONLY | O_CREAT | O_TRUNC,
                                     0600);
    posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO, STDERR_FILENO);
    /* The strings are not changed: argv's type is older than const. */
    char *copy[16];
    size_t n = 0;
    for (; argv[n] != NULL; n++)
        copy[n] = memory_text(argv[n]);
    copy[n] = NULL;
    int error = posix_spawn(&child, argv[0], &actions, NULL, copy, environ);
    posix_spawn_file_actions_destroy(&actions);
    for (size_t i = 0; i < n; i++)
        free(copy[i]);
    if (error != 0 || waitpid(child, &status, 0) != child || !WIFEXITED(status) ||
        WEXITSTATUS(status) != 0) {
        text_format(cluster->why, sizeof cluster->why,
                    "%s failed; see %s (a full disk? `df -h %s`)", argv[0], log,
                    cluster->settings->data);
        return false;
    }
    return true;
}

static bool file_write(struct cluster *cluster, const char *name, const char *mode,
                       const char *text)
{
    char path[400];
    text_format(path, sizeof path, "%s" UNFINISHED "/%s", cluster->data, name);
    FILE *file = fopen(path, mode);
    if (file == NULL || fputs(text, file) < 0 || fclose(file) != 0) {
        text_format(cluster->why, sizeof cluster->why, "%s cannot be written: %s", path,
                    strerror(errno));
        return false;
    }
    return true;
}

static bool remove_unfinished(struct cluster *cluster, const char *folder)
{
    if (access(folder, F_OK) != 0 || folder_remove(folder))
        return true;
    text_format(cluster->why, sizeof cluster->why,
                "%s is left from a start that broke off and cannot be removed: %s", folder,
                strerror(errno));
    return false;
}

bool cluster_make(struct cluster *cluster)
{
    char program[200], log[400], text[1600], folder[400];
    const struct passwd *user = getpwuid(geteuid());
    text_format(program, sizeof program, "%s/initdb", cluster->bin);
    text_format(log, sizeof log, "%s/log/initdb.log", cluster->settings->data);
    text_format(folder, sizeof folder, "%s" UNFINISHED, cluster->data);
    const char *const argv[] = {
        program,           "-D", folder, "-U", "postgres", "--auth=peer", "--locale=C.UTF-8",
        "--encoding=UTF8", NULL};
    if (!remove_unfinished(cluster, folder) || !run(cluster, argv, log))
        return false;
    /* A commit that needs a new WAL file waits while it is zeroed, 20 ms: min_wal_size keeps used ones through quiet hours. */
    text_format(text, sizeof text,
                "\n# aftercare\nlisten_addresses = ''\nunix_socket_permissions = 0700\n"
                "port = 5432\nmax_connections = 64\nshared_buffers = 128MB\n"
                "min_wal_size = 512MB\nmax_wal_size = 2GB\ncheckpoint_timeout = 15min\n"
                "wal_compression = lz4\njit = off\nlog_line_prefix = '%%m [%%p] %%u "
                "'\nlog_min_messages = warning\n"
                "timezone = 'UTC'\nlog_timezone = 'UTC'\n");
    if (!file_write(cluster, "postgresql.conf", "a", text) ||
        !file_write(cluster, "pg_hba.conf", "w",
                    "local all all peer map=aftercare\n"
                    "local replication postgres peer map=aftercare\n"))
        return false;
    /* The one user that the daemons run as, and root, may take each service's role. */
    text[0] = '\0';
    for (size_t i = 0; i <= COUNT_OF(roles); i++) {
        const char *role = i < COUNT_OF(roles) ? roles[i] : "postgres";
        size_t used = strlen(text);
        text_format(text + used, sizeof text - used,
                    "aftercare \"%s\" \"%s\"\naftercare root \"%s\"\n",
                    user != NULL ? user->pw_name : "aftercare", role, role);
    }
    if (!file_write(cluster, "pg_ident.conf", "w", text))
        return false;
    if (rename(folder, cluster->data) == 0)
        return true;
    text_format(cluster->why, sizeof cluster->why, "%s cannot be named %s: %s", folder,
                cluster->data, strerror(errno));
    return false;
}

void cluster_command(const struct cluster *cluster, const char *argv[8], char storage[2][400])
{
    text_format(storage[0], 400, "%s/postgres", cluster->bin);
    text_copy(storage[1], 400, cluster->data);
    argv[0] = storage[0];
    argv[1] = "-D";
    argv[2] = storage[1];
    argv[3] = "-k"; /* where the settings say now, not where they said when it was made */
    argv[4] = cluster->settings->sockets;
    argv[5] = NULL;
}

static PGconn *connect_as_owner(const struct cluster *cluster, const char *database)
{
    char dsn[600];
    text_format(dsn, sizeof dsn, "host=%s port=5432 user=postgres dbname=%s connect_timeout=5",
                cluster->settings->sockets, database);
    return PQconnectdb(dsn);
}

bool cluster_is_ready(const struct cluster *cluster)
{
    char dsn[600];
    text_format(dsn, sizeof dsn,
                "host=%s port=5432 user=postgres dbname=postgres connect_timeout=2",
                cluster->settings->sockets);
    return PQping(dsn) == PQPING_OK;
}

static bool is_same_folder(const char *a, const char *b)
{
    struct stat first, second;
    return stat(a, &first) == 0 && stat(b, &second) == 0 && first.st_dev == second.st_dev && first.st_ino == second.st_ino;
}

bool cluster_is_anothers(struct cluster *cluster)
{
    PGconn *connection = connect_as_owner(cluster, "postgres");
    PGresult *result = PQexec(connection, "SHOW data_directory");
    bool asked = PQresultStatus(result) == PGRES_TUPLES_OK && PQntuples(result) == 1;
    const char *theirs = asked ? PQgetvalue(result, 0, 0) : "";
    bool anothers = asked && !is_same_folder(theirs, cluster->data);
    if (anothers)
        text_format(cluster->why, sizeof cluster->why,
                    "the PostgreSQL that answers in %.120s is that of %.150s: give this one another `sockets` in its settings",
                    cluster->settings->sockets, theirs);
    PQclear(result);
    PQfinish(connection);
    return anothers;
}

static bool execute(struct cluster *cluster, PGconn *connection, const char *sql)
{
    PGresult *result = PQexec(connection, sql);
    bool done =
        PQresultStatus(result) == PGRES_COMMAND_OK || PQresultStatus(result) == PGRES_TUPLES_OK;
    if (!done)
        snprintf(cluster->why, sizeof cluster->why, "PostgreSQL: %s", PQerrorMessage(connection));
    PQclear(result);
    return done;
}

static bool exists(PGconn *connection, const char *sql)
{
    PGresult *result = PQexec(connection, sql);
    bool found = PQresultStatus(result) == PGRES_TUPLES_OK && PQntuples(result) > 0;
    PQclear(result);
    return found;
}

static bool prepare_role(struct cluster *cluster, PGconn *connection, const char *role)
{
    char sql[600];
    text_format(sql, sizeof sql, "SELECT 1 FROM pg_roles WHERE rolname = '%s'", role);
    if (!exists(connection, sql)) {
        text_format(sql, sizeof sql, "CREATE ROLE \"%s\" LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE",
                    role);
        if (!execute(cluster, connection, sql))
            return false;
    }
    text_format(sql, sizeof sql,
                "CREATE SCHEMA IF NOT EXISTS \"%s\" AUTHORIZATION \"%s\";"
                "CREATE SCHEMA IF NOT EXISTS \"%s_new\" AUTHORIZATION \"%s\";"
                "GRANT CONNECT ON DATABASE aftercare TO \"%s\"",
                role, role, role, role, role);
    return execute(cluster, connection, sql);
}

bool cluster_prepare(struct cluster *cluster)
{
    PGconn *connection = connect_as_owner(cluster, "postgres");
    bool fine = PQstatus(connection) == CONNECTION_OK;
    if (!fine)
        snprintf(cluster->why, sizeof cluster->why, "PostgreSQL: %s", PQerrorMessage(connection));
    else if (!exists(connection, "SELECT 1 FROM pg_database WHERE datname = 'aftercare'"))
        fine = execute(
            cluster, connection,
            "CREATE DATABASE aftercare ENCODING 'UTF8' LOCALE 'C.UTF-8' TEMPLATE template0");
    PQfinish(connection);
    if (!fine)
        return false;
    connection = connect_as_owner(cluster, "aftercare");
    fine = execute(cluster, connection,
                   "SET client_min_messages = warning;"
                   "REVOKE ALL ON DATABASE aftercare FROM PUBLIC;"
                   "REVOKE ALL ON SCHEMA public FROM PUBLIC");
    for (size_t i = 0; fine && i < COUNT_OF(roles); i++)
        fine = prepare_role(cluster, connection, roles[i]);
    PQfinish(connection);
    return fine;
}

bool cluster_has_stream(struct cluster *cluster)
{
    PGconn *connection = connect_as_owner(cluster, "aftercare");
    cluster->why[0] = '\0';
    bool there = PQstatus(connection) == CONNECTION_OK;
    if (!there)
        snprintf(cluster->why, sizeof cluster->why, "PostgreSQL: %s", PQerrorMessage(connection));
    there = there &&
            exists(connection, "SELECT 1 WHERE to_regclass('intake.journal') IS NOT NULL") &&
            exists(connection, "SELECT 1 FROM intake.journal WHERE pos = 1");
    PQfinish(connection);
    return there;
}
