/* The archive 服务档案: what the desk and the rights need to know of tickets, jobs, units, customers, sites and principals. Rows
 * of intake's own fold, in the append's transaction. The only place that names their columns. */
#ifndef AFTERCARE_INTAKE_ARCHIVE_H
#define AFTERCARE_INTAKE_ARCHIVE_H

#include "event/stream.h"
#include "policy/policy.h"
#include "proto/job.h"
#include "table/table.h"

enum archive_table {
    ARCHIVE_TICKETS,
    ARCHIVE_JOBS,
    ARCHIVE_UNITS,
    ARCHIVE_CUSTOMERS,
    ARCHIVE_SITES,
    ARCHIVE_REQUESTS,
    ARCHIVE_COUNTERS,
    ARCHIVE_PRINCIPALS,
    ARCHIVE_POLICIES,
    ARCHIVE_CALENDARS,
    ARCHIVE_FILES,
    ARCHIVE_TABLES_N
};
extern const struct table_def *const archive_tables[ARCHIVE_TABLES_N];

/* A ticket is open until it is closed or cancelled. */
struct ticket_row {
    char number[65];
    bool open;
    bool resolved;
    char kind[POLICY_KIND_CAP];
    char channel[32], region[24], product[64], serial[64], customer[64], grade[32];
    char asked[32]; /* priority asked for */
    char priority[32], coverage[16], clause[32], phase[32];
    char policy[POLICY_VERSION_CAP];
    char site[65];     /* holding the open job */
    char job[JOB_CAP]; /* the open job */
    char repeat_of[65];
    int64_t covered_until_us, opened_us, quantity;
};
/* Open: offered or accepted, and neither ended nor its ticket resolved. */
struct job_row {
    char job[JOB_CAP];
    bool open;
    char ticket[65], site[65];
};
#define UNIT_TICKETS_MAX 16
struct unit_ticket {
    char ticket[65], kind[POLICY_KIND_CAP];
    int64_t opened_us;
    bool open;
};
/* Never `open`: fetched when somebody speaks of it. */
struct unit_row {
    char serial[65];
    bool open;
    char product[64], customer[64], dealer[65], region[24];
    int64_t sold_us, accepted_us, card_us;
    char phase[32]; /* of its contract: installation, trial, free, after */
    char successor[65];
    struct unit_ticket tickets[UNIT_TICKETS_MAX]; /* the newest, oldest first */
    uint32_t tickets_n;
};
struct customer_row {
    char customer[65];
    bool open;
    char grade[32], region[24];
};
struct site_row {
    char site[65];
    bool open;
    bool closed;
    char region[24];
};
/* An idempotency key: "PRINCIPAL/request_id". */
struct request_result {
    uint32_t len;
    uint8_t data[512];
};
struct request_row {
    char request[132];
    bool open;
    int64_t pos;
    struct request_result result;
};
/* Ticket numbers given out under a prefix and date. */
struct counter_row {
    char series[40];
    bool open;
    int64_t last;
};
struct principal_row {
    char id[64];
    bool open; /* not revoked */
    struct principal granted;
};
/* A file of a ticket, as file.attached named it last; its bytes lie beside (shelf.c). Never `open`: fetched when somebody speaks of it. */
struct file_row {
    char file[130]; /* SHA-256 in hex, "/", ticket: those of one content stand together */
    bool open;
    char ticket[65];
    uint8_t sha256[32];
    int64_t bytes;
    int64_t pos;    /* of that file.attached */
    int64_t stored; /* of its newest file.stored, 0: none; below pos: awaited again */
};
#define FILE_KEY_CAP 130
void file_key(const uint8_t sha256[32], const char *ticket, char out[FILE_KEY_CAP]);

#endif
