/* Private to common/pg: the connection and what is under way on it. */
#ifndef AFTERCARE_PG_CONNECTION_H
#define AFTERCARE_PG_CONNECTION_H

#include "pg/pg.h"
#include <libpq-fe.h>
#include <stddef.h>

/* Type numbers of PostgreSQL's catalogue (src/include/catalog/pg_type.dat); they never change. */
enum pg_type {
    OID_BOOL = 16,
    OID_BYTEA = 17,
    OID_CHAR = 18,
    OID_NAME = 19,
    OID_INT8 = 20,
    OID_INT2 = 21,
    OID_INT4 = 23,
    OID_TEXT = 25,
    OID_OID = 26,
    OID_JSON = 114,
    OID_FLOAT4 = 700,
    OID_FLOAT8 = 701,
    OID_BOOL_ARRAY = 1000,
    OID_BYTEA_ARRAY = 1001,
    OID_TEXT_ARRAY = 1009,
    OID_INT8_ARRAY = 1016,
    OID_BPCHAR = 1042,
    OID_VARCHAR = 1043,
    OID_DATE = 1082,
    OID_TIMESTAMP = 1114,
    OID_TIMESTAMPTZ = 1184,
    OID_TIMESTAMPTZ_ARRAY = 1185,
    OID_NUMERIC = 1700,
    OID_JSONB = 3802
};

/* PostgreSQL counts from 2000-01-01. */
#define PG_EPOCH_US INT64_C(946684800000000)

/* What the server still owes an answer for, in order. */
enum pending_kind { PENDING_STATEMENT, PENDING_PREPARE, PENDING_COMMIT, PENDING_SYNC };

struct pending {
    enum pending_kind kind;
    size_t prepared; /* PREPARE: which */
};

struct prepared {
    uint64_t hash;
    char *sql;
    uint64_t types; /* digest of the parameters' types: one text is always used with the same */
    bool sent;      /* prepared, or about to be by what is under way */
};

enum commit_state { COMMIT_NONE, COMMIT_UNDER_WAY, COMMIT_DONE };

struct pg {
    PGconn *conn;
    char *conninfo;
    char *schema;
    char error[512];
    char sqlstate[6];
    int64_t wait_ms; /* the longest wait for anything */

    struct prepared *prepared;
    size_t prepared_n, prepared_cap;

    struct pending *pending; /* [first, n) */
    size_t pending_first, pending_n, pending_cap;
    bool answered;    /* the first pending one has its result; the NULL behind it is still to come */
    bool unsynced;    /* something was sent since the last sync */
    bool in_transaction;
    bool failed;      /* an error since the last sync: the rest up to it is skipped */
    bool warned;      /* WARNING 01000, or 57P01, since the transaction began */
    PGresult *last;   /* the newest statement's result */

    enum commit_state commit;
    enum status commit_status; /* COMMIT_DONE: how it ended */
    int64_t commit_deadline_us;

    int64_t affected;         /* rows written since plans were last thrown away */
    int64_t replan_affected;  /* … and when that happens next */
};

struct pg_param {
    uint32_t oid;
    int length; /* -1: NULL */
    size_t offset;
};

struct pg_args {
    struct buf data;
    struct pg_param *params;
    size_t n, cap;
    /* libpq's view, made by args_view */
    const char **values;
    int *lengths, *formats;
    uint32_t *oids;
    size_t view_cap;
    /* the array being built */
    bool in_array;
    size_t array_at;
    uint32_t elements;
    bool has_null;
};

struct pg_result {
    PGresult *pg;
};

void error_set(struct pg *, const char *text, const char *sqlstate);
void error_from_result(struct pg *, const PGresult *);
/* The connection is gone: everything under way is lost. Returns what the caller reports: DOUBT when a commit was. */
enum status connection_lost(struct pg *);
/* Waits until the socket is readable (or, where asked for, writable). CLOSED after wait_ms: a server that says nothing
 * for so long is given up. */
enum status connection_wait(struct pg *, bool write, int64_t deadline_us);
int64_t wait_deadline_us(const struct pg *);

/* Sends what is buffered and reads everything owed; OK, REFUSED (an error among it) or CLOSED/DOUBT. */
enum status pipeline_drain(struct pg *);
/* The same behind a sync, which ends an error's shadow. */
enum status pipeline_sync(struct pg *);
void pipeline_forget(struct pg *);
enum status pipeline_send(struct pg *, enum pending_kind, const char *sql);
enum status pipeline_send_prepared(struct pg *, const char *sql, const struct pg_args *);

/* Fills values, lengths, formats, oids. */
void args_view(const struct pg_args *);
uint64_t args_types(const struct pg_args *);
struct pg_result *result_wrap(PGresult *);

/* numeric's binary form as decimal text. */
void numeric_print(struct bytes, struct buf *out);

#endif
