/* The journal's partitions, made half a partition before they are needed. Whoever reads the journal for long (a dump, `aftercare
 * verify`, a rebuild) must not stop who writes it: CREATE TABLE … PARTITION OF would lock the whole journal, and everybody who comes
 * behind would wait for the reader's end. A table that stands by itself is attached instead, under a lock that lets readers and
 * writers through; whose lock it cannot pass (an index being made, another DDL) is not waited for. */
#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "store.h"

#define LOCK_WAIT_MS 100 /* the network thread stands still meanwhile */
#define REST_US (10 * SECOND_US)

static enum status is_there(struct store *store, const char *name, bool *there)
{
    owned(pg_result_destroy) struct pg_result *result = NULL;
    pg_args_reset(store->args);
    pg_arg_text(store->args, name);
    enum status status = pg_query(store->pg, "SELECT to_regclass($1::text) IS NOT NULL", store->args, &result);
    *there = status == STATUS_OK && pg_bool(result, 0, 0);
    return status;
}

/* STATUS_AGAIN: a lock is in the way. */
static enum status make(struct store *store, const char *name, uint64_t from)
{
    char sql[500];
    text_format(sql, sizeof(sql),
                "SET LOCAL lock_timeout = %d;"
                " CREATE TABLE %s (LIKE journal INCLUDING ALL) WITH (autovacuum_vacuum_insert_scale_factor = 0.5);"
                " ALTER TABLE %s ALTER priv SET STATISTICS 0;" /* personal bytes do not get into samples */
                " ALTER TABLE journal ATTACH PARTITION %s FOR VALUES FROM (%llu) TO (%llu)",
                LOCK_WAIT_MS, name, name, name, (unsigned long long)from, (unsigned long long)(from + STORE_PARTITION_ROWS));
    enum status status = pg_begin(store->pg);
    if (status == STATUS_OK)
        status = pg_run(store->pg, sql);
    if (status == STATUS_OK)
        return pg_commit(store->pg);
    pg_rollback(store->pg);
    return status == STATUS_REFUSED && text_equal(pg_sqlstate(store->pg), "55P03") ? STATUS_AGAIN : status;
}

static enum status partition(struct store *store, uint64_t number)
{
    char name[32];
    bool there;
    text_format(name, sizeof(name), "journal_%06llu", (unsigned long long)number);
    enum status status = is_there(store, name, &there);
    return status == STATUS_OK && !there ? make(store, name, number * STORE_PARTITION_ROWS) : status;
}

enum status store_partitions(struct store *store, uint64_t pos)
{
    bool room = store->partitions_upto > pos + 1;
    if (room && clock_boot_us() < store->partitions_rest_us)
        return STATUS_OK;
    while (store->partitions_upto < pos + STORE_PARTITION_ROWS / 2) {
        uint64_t number = (store->partitions_upto == 0 ? pos : store->partitions_upto) / STORE_PARTITION_ROWS;
        enum status status = partition(store, number);
        if (status == STATUS_AGAIN) {
            bool room_left = store->partitions_upto > pos + 1;
            log_warn("the journal's partition %llu waits for a lock; needed in %llu events", (unsigned long long)number,
                     (unsigned long long)(room_left ? store->partitions_upto - pos : 0));
            store->partitions_rest_us = clock_boot_us() + REST_US;
            return room_left ? STATUS_OK : STATUS_CLOSED; /* AGAIN says to callers that another intake holds the lease */
        }
        if (status != STATUS_OK)
            return status;
        store->partitions_upto = (number + 1) * STORE_PARTITION_ROWS;
    }
    return STATUS_OK;
}
