/* `aftercare doctor`: looks at the installation from the ground up and says what is wrong and what
 * to do about it. */
#include "base/clock.h"
#include "base/text.h"
#include "calendar/zone.h"
#include "cluster.h"
#include "settings/places.h"
#include "supervise.h"
#include <curl/curl.h>
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <libpq-fe.h>
#include <pwd.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>
#include <zmq.h>

#define FREE_MIB_MIN 512
#define AHEAD_MAX_US (60 * SECOND_US)

struct doctor {
    struct cli *cli;
    const struct settings *settings;
    struct cluster cluster;
    struct buf json;
    pid_t supervisor;
    size_t found, wrong;
};

static const char *words(const struct doctor *, const char *english) __attribute__((format_arg(2)));
static const char *words(const struct doctor *doctor, const char *english)
{
    return in_words(doctor->cli->language, english);
}

/* One line of the list. Texts that are the same each time are given in English and looked up. */
static void report(struct doctor *doctor, bool good, const char *check, const char *detail,
                   const char *advice)
{
    doctor->found++;
    doctor->wrong += !good;
    if (doctor->cli->json) {
        buf_append_format(&doctor->json, "%s{\"check\":\"%s\",\"good\":%s,\"detail\":",
                          doctor->found > 1 ? "," : "", check, good ? "true" : "false");
        json_text(&doctor->json, detail);
        if (!good) {
            buf_append_text(&doctor->json, ",\"advice\":");
            json_text(&doctor->json, advice);
        }
        buf_append_text(&doctor->json, "}");
        return;
    }
    const char *colour = !doctor->cli->colour ? "" : good ? "\033[32m" : "\033[31m";
    printf("%s%s%s %s: %s\n", colour, good ? "✓" : "✗", doctor->cli->colour ? "\033[0m" : "",
           words(doctor, check), detail);
    if (!good)
        printf("    %s\n", advice);
}

/* --- what is installed
 * ------------------------------------------------------------------------------- */
static void check_programs(struct doctor *doctor)
{
    char folder[256], path[400], missing[200] = "";
    program_folder(folder);
    for (size_t i = 0; daemon_at(i) != NULL; i++) {
        text_format(path, sizeof path, "%s/%s", folder, daemon_at(i)->program);
        if (access(path, X_OK) != 0)
            text_copy(missing, sizeof missing, path);
    }
    report(doctor, missing[0] == '\0', "programs", missing[0] == '\0' ? folder : missing,
           words(doctor, "It is missing: build and install anew (deploy/quickstart does)."));
}

static void check_libraries(struct doctor *doctor)
{
    char text[200];
    int major, minor, patch;
    zmq_version(&major, &minor, &patch);
    const curl_version_info_data *curl = curl_version_info(CURLVERSION_NOW);
    text_format(text, sizeof text,
                "libzmq %d.%d.%d, libpq %d.%d, libcurl %s, libsodium %s, jansson %s", major, minor,
                patch, PQlibVersion() / 10000, PQlibVersion() % 10000, curl->version,
                sodium_version_string(), jansson_version_str());
    /* What it was built with is the least that it runs with. */
    bool good = ZMQ_MAKE_VERSION(major, minor, patch) >= ZMQ_VERSION && PQlibVersion() >= 150000 &&
                sodium_library_version_major() >= SODIUM_LIBRARY_VERSION_MAJOR &&
                jansson_version_cmp(JANSSON_MAJOR_VERSION, JANSSON_MINOR_VERSION, 0) >= 0;
    report(doctor, good, "libraries", text,
           words(doctor, "They are older than what this was built with: build anew here."));
}

static void check_zones(struct doctor *doctor)
{
    char version[120] = "";
    FILE *file = fopen("/usr/share/zoneinfo/tzdata.zi", "re");
    if (file != NULL && fscanf(file, "# version %119[0-9a-z]", version) != 1)
        version[0] = '\0';
    if (file != NULL)
        fclose(file);
    bool good = zone_find("Asia/Shanghai") != NULL && zone_find("America/New_York") != NULL;
    report(doctor, good, "time zones",
           version[0] != '\0' ? version
           : good             ? "/usr/share/zoneinfo"
                              : words(doctor, "none"),
           "apt-get install tzdata");
}

static void check_postgresql(struct doctor *doctor)
{
    bool private = cluster_is_private(doctor->settings);
    bool good = !private || cluster_find(&doctor->cluster, doctor->settings);
    report(doctor, good, "PostgreSQL",
           !private ? words(doctor, "a server of your own, by the settings")
           : good   ? doctor->cluster.bin
                    : words(doctor, "not usable"),
           doctor->cluster.why);
}

/* --- folders
 * ------------------------------------------------------------------------------------------- */
static void check_folder(struct doctor *doctor, const char *check, const char *path)
{
    struct stat status;
    char text[400], advice[500];
    const struct passwd *user = geteuid() == 0 ? getpwnam(SERVICE_USER) : getpwuid(geteuid());
    const char *name = user != NULL ? user->pw_name : SERVICE_USER;
    if (stat(path, &status) != 0 || !S_ISDIR(status.st_mode)) {
        text_format(text, sizeof text, "%s: %s", path,
                    errno == ENOENT ? words(doctor, "is not there") : strerror(errno));
        report(doctor, false, check, text,
               words(doctor, "`aftercare up` makes it; --data names another one."));
        return;
    }
    bool open = (status.st_mode & 077) != 0, theirs = user != NULL && status.st_uid != user->pw_uid;
    text_format(text, sizeof text, "%s, %03o", path, (unsigned)(status.st_mode & 0777));
    if (theirs)
        text_format(advice, sizeof advice, "chown %s %s", name, path);
    else
        text_format(advice, sizeof advice, "chmod 700 %s", path);
    report(doctor, !open && !theirs, check, text, advice);
}

static void check_room(struct doctor *doctor)
{
    struct statvfs space;
    char text[80];
    if (statvfs(doctor->settings->data, &space) != 0)
        return; /* said already */
    uint64_t mib = (uint64_t)space.f_bavail * space.f_frsize / (1024 * 1024);
    text_format(text, sizeof text, words(doctor, "%" PRIu64 " MiB free"), mib);
    report(doctor, mib >= FREE_MIB_MIN, "disk", text,
           words(doctor, "Make room; without it PostgreSQL stops, and intake with it."));
}

static void check_settings(struct doctor *doctor)
{
    char path[400];
    struct stat status;
    if (doctor->cli->config != NULL)
        text_copy(path, sizeof path, doctor->cli->config);
    else
        data_path(doctor->settings, "aftercare.yaml", path);
    if (access(path, F_OK) != 0)
        text_copy(path, sizeof path, SYSTEM_FILE);
    if (stat(path, &status) != 0) {
        report(doctor, true, "settings", words(doctor, "no file, all as usual"), "");
        return;
    }
    char advice[500];
    text_format(advice, sizeof advice, "chmod go-w %s", path);
    report(doctor, (status.st_mode & 022) == 0, "settings", path, advice);
}

/* --- the clock
 * ------------------------------------------------------------------------------------------- */
/* What was written in the future says that the clock was put back. (While intake runs it compares
 * with the time since boot itself and says so in its health.) */
static void check_clock(struct doctor *doctor)
{
    static const char *const written[] = {"", "pg", "pg/global/pg_control", "log",
                                          "log/supervisor.log"};
    char path[400], text[INSTANT_TEXT_MAX];
    struct stat status;
    int64_t now_us = clock_wall_us(), newest_us = 0;
    for (size_t i = 0; i < COUNT_OF(written); i++) {
        data_path(doctor->settings, written[i], path);
        if (stat(path, &status) == 0 && (int64_t)status.st_mtim.tv_sec * SECOND_US > newest_us)
            newest_us = (int64_t)status.st_mtim.tv_sec * SECOND_US;
    }
    instant_print(now_us, text);
    report(doctor, newest_us <= now_us + AHEAD_MAX_US && now_us > clock_boot_us(), "clock", text,
           words(doctor, "Something here was written later than that: set the clock right, and let "
                         "it be kept right (chrony)."));
}

/* --- what runs
 * ------------------------------------------------------------------------------------------ */
static bool check_daemons(struct doctor *doctor)
{
    char why[200], advice[500], text[300];
    bool any = false;
    for (size_t i = 0; daemon_at(i) != NULL; i++) {
        const char *name = daemon_at(i)->name;
        enum health health = health_of(doctor->settings, name, why);
        bool good = health == HEALTH_GOOD;
        any = any || good || health == HEALTH_ILL;
        if (health == HEALTH_OTHERS) {
            text_format(text, sizeof text, words(doctor, "another installation answers at %s"), why);
            report(doctor, false, name, text,
                   words(doctor, "Stop that one (`ss -ltnp` shows it), or set another address in the settings."));
            continue;
        }
        text_format(advice, sizeof advice,
                    words(doctor, "Its log: %s/log/%s.log, or journalctl -u aftercare-%s"),
                    doctor->settings->data, name, name);
        if (!good && why[0] == '\0')
            text_copy(why, sizeof why, words(doctor, "does not answer"));
        report(doctor, good, name, good ? words(doctor, "healthy") : why,
               doctor->supervisor == 0 ? words(doctor, "`aftercare up` starts it.") : advice);
    }
    return any;
}

static void check_supervisor(struct doctor *doctor)
{
    char text[80];
    doctor->supervisor = supervisor_pid(doctor->settings);
    bool units = doctor->supervisor == 0 &&
                 access("/etc/systemd/system/multi-user.target.wants/aftercare.target", F_OK) == 0;
    text_format(text, sizeof text, words(doctor, "process %d"), (int)doctor->supervisor);
    report(doctor, doctor->supervisor != 0 || units, "supervisor",
           units                     ? "systemd"
           : doctor->supervisor != 0 ? text
                                     : words(doctor, "none"),
           words(doctor, "`aftercare up` starts it."));
}

static void check_ports(struct doctor *doctor)
{
    char taken[ENDPOINT_CAP], why[200], text[400];
    bool good = endpoints_free(doctor->settings, taken, why);
    text_format(text, sizeof text, "%s: %s", taken, why);
    report(doctor, good, "ports", good ? words(doctor, "free") : text,
           words(doctor, "Another program has it: stop that one (`ss -ltnp`), or set another "
                         "address in the settings."));
}

/* --- PostgreSQL
 * ------------------------------------------------------------------------------------------- */
static const char rights_sql[] =
    "SELECT string_agg(nspname, ', ') FROM pg_namespace WHERE nspname = "
    "ANY('{intake,dispatcher,sla-watchdog,follow-up,"
    "reporting,intake_new,dispatcher_new,sla-watchdog_new,follow-up_new,reporting_new}'::text[])"
    " AND nspname NOT IN (current_user, current_user || '_new')"
    " AND (has_schema_privilege(oid, 'USAGE') OR has_schema_privilege(oid, 'CREATE'))"
    " UNION ALL SELECT 'all (superuser)' FROM pg_roles WHERE rolname = current_user AND rolsuper";

static void check_role(struct doctor *doctor, const char *name, const char *dsn)
{
    char check[80], text[400] = "";
    text_format(check, sizeof check, "role %s", name);
    PGconn *connection = PQconnectdb(dsn);
    if (PQstatus(connection) != CONNECTION_OK) {
        text_copy(text, sizeof text, PQerrorMessage(connection));
        text[strcspn(text, "\n")] = '\0';
        report(doctor, false, check, text,
               doctor->supervisor == 0
                   ? words(doctor, "`aftercare up` starts it.")
                   : words(doctor, "Is PostgreSQL up? Ask as root, or as the user who runs it."));
        PQfinish(connection);
        return;
    }
    PGresult *result = PQexec(connection, rights_sql);
    for (int i = 0; i < PQntuples(result); i++)
        if (!PQgetisnull(result, i, 0))
            text_copy(text, sizeof text, PQgetvalue(result, i, 0));
    bool asked = PQresultStatus(result) == PGRES_TUPLES_OK, good = asked && text[0] == '\0';
    report(
        doctor, good, check,
        good    ? words(doctor, "its own schema, no other")
        : asked ? text
                : PQerrorMessage(connection),
        words(doctor,
              "It has rights where it should have none: REVOKE ALL ON SCHEMA … FROM that role."));
    PQclear(result);
    PQfinish(connection);
}

static void check_roles(struct doctor *doctor)
{
    for (size_t i = 0; daemon_at(i) != NULL; i++) {
        const char *name = daemon_at(i)->name;
        const struct settings_worker *worker = settings_worker(doctor->settings, name);
        check_role(doctor, name, worker != NULL ? worker->dsn : doctor->settings->intake.dsn);
    }
}

int command_doctor(struct cli *cli, int argc, char **argv)
{
    static const struct cli_syntax syntax = {
        .doc = "Checks the installation and says what is wrong and what to do. Exit code 1: "
               "something is wrong.\vExample:\n"
               "  aftercare doctor --json"};
    struct doctor doctor = {.cli = cli, .settings = &cli->settings};
    cli_parse(&syntax, argc, argv, &doctor);
    check_programs(&doctor);
    check_libraries(&doctor);
    check_zones(&doctor);
    check_postgresql(&doctor);
    check_settings(&doctor);
    check_folder(&doctor, "data folder", doctor.settings->data);
    check_folder(&doctor, "socket folder", doctor.settings->sockets);
    check_room(&doctor);
    check_clock(&doctor);
    check_supervisor(&doctor);
    /* Ours hold the ports while they run. */
    if (!check_daemons(&doctor))
        check_ports(&doctor);
    check_roles(&doctor);
    if (cli->json)
        printf("{\"good\":%s,\"checks\":[%s]}\n", doctor.wrong == 0 ? "true" : "false",
               buf_text(&doctor.json));
    else if (doctor.wrong == 0)
        printf("%s\n", words(&doctor, "all is well"));
    else
        printf(words(&doctor, "%zu of %zu are not as they should be\n"), doctor.wrong,
               doctor.found);
    buf_release(&doctor.json);
    return doctor.wrong == 0 ? CLI_DONE : CLI_REFUSED;
}
