/* The spool: numbers, trimming, refusals, a new spool's first WELCOME, series, bounds, erasing, a full disk. */
#include "bench.h"
#include "sqlite/db.h"
#include "fact.h"
#include "spool_inside.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct stand {
    char folder[64];
    struct spool *spool;
};

static int set_up(void **state)
{
    struct stand *stand = memory_new(sizeof *stand);
    bench_folder(stand->folder);
    stand->spool = bench_spool(stand->folder, 10);
    *state = stand;
    return 0;
}

static int tear_down(void **state)
{
    struct stand *stand = *state;
    spool_close(&stand->spool);
    bench_remove(stand->folder);
    free(stand);
    return 0;
}

static void again(struct stand *stand)
{
    spool_close(&stand->spool);
    stand->spool = bench_spool(stand->folder, 10);
}

static void take_n(struct spool *spool, int n)
{
    for (int i = 0; i < n; i++)
        bench_take(spool, "T-1", "x");
    assert_int_equal(spool_commit(spool), STATUS_OK);
}

static void test_numbers(void **state)
{
    struct stand *stand = *state;
    uint8_t incarnation[INCARNATION_BYTES];
    take_n(stand->spool, 3);
    memcpy(incarnation, spool_state(stand->spool)->incarnation, sizeof incarnation);
    again(stand);
    assert_memory_equal(spool_state(stand->spool)->incarnation, incarnation, sizeof incarnation);
    assert_int_equal(spool_state(stand->spool)->last, 3);
    assert_int_equal(spool_state(stand->spool)->facts, 3);
    assert_int_equal(spool_state(stand->spool)->oldest_us, MORNING_US);
    /* All answered: the numbers go on all the same. */
    assert_int_equal(spool_trim(stand->spool, 3), STATUS_OK);
    assert_int_equal(spool_commit(stand->spool), STATUS_OK);
    assert_int_equal(spool_state(stand->spool)->first, 4);
    again(stand);
    assert_int_equal(spool_state(stand->spool)->first, 4);
    assert_int_equal(spool_state(stand->spool)->oldest_us, 0);
    assert_int_equal(bench_take(stand->spool, "T-1", "y"), 4);
    /* What is not committed was never there. */
    spool_rollback(stand->spool);
    assert_int_equal(spool_state(stand->spool)->last, 3);
    assert_int_equal(bench_take(stand->spool, "T-1", "y"), 4);
    assert_int_equal(spool_commit(stand->spool), STATUS_OK);
}

static void test_second_process(void **state)
{
    struct stand *stand = *state;
    char path[128], error[200] = "";
    const struct spool_limits limits = {.facts_max = 10, .bytes_max = 1000};
    snprintf(path, sizeof path, "%s/spool.db", stand->folder);
    assert_null(spool_open(path, &limits, error, sizeof error));
    assert_string_equal(error, "another process has it open");
}

static void test_bounds(void **state)
{
    struct stand *stand = *state;
    take_n(stand->spool, 7);
    assert_false(spool_is_nearly_full(stand->spool));
    take_n(stand->spool, 1);
    assert_true(spool_is_nearly_full(stand->spool));
    assert_false(spool_is_full(stand->spool));
    take_n(stand->spool, 2);
    assert_true(spool_is_full(stand->spool));
    assert_int_equal(spool_trim(stand->spool, 1), STATUS_OK);
    assert_false(spool_is_full(stand->spool));
    spool_rollback(stand->spool);
    assert_true(spool_is_full(stand->spool));
}

static void test_welcome(void **state)
{
    struct stand *stand = *state;
    struct spool_piece piece = {0};
    take_n(stand->spool, 3);
    assert_int_equal(spool_welcomed(stand->spool, 2), STATUS_OK); /* fewer than wait: every old number is a new one too */
    assert_int_equal(spool_commit(stand->spool), STATUS_OK);
    again(stand);
    assert_true(spool_state(stand->spool)->welcomed);
    assert_int_equal(spool_state(stand->spool)->first, 3);
    assert_int_equal(spool_state(stand->spool)->last, 5);
    assert_int_equal(spool_read(stand->spool, 3, SIZE_MAX, &piece), STATUS_OK);
    assert_int_equal(piece.count, 3);
    assert_int_equal(bench_take(stand->spool, "T-1", "y"), 6);
    spool_rollback(stand->spool);
    buf_release(&piece.bytes);
}

static void refuse(struct spool *spool, int64_t n)
{
    struct answer answer = {.n = n};
    problem_set(&answer.problem, "missing", "customer.phone", "%s", "");
    assert_int_equal(spool_refuse(spool, &answer, MORNING_US + HOUR_US), STATUS_OK);
    assert_int_equal(spool_trim(spool, n), STATUS_OK);
    assert_int_equal(spool_commit(spool), STATUS_OK);
}

static void test_refused(void **state)
{
    struct stand *stand = *state;
    struct spool_refused row;
    take_n(stand->spool, 3);
    refuse(stand->spool, 2);
    again(stand);
    assert_int_equal(spool_state(stand->spool)->refused, 1);
    assert_int_equal(spool_state(stand->spool)->facts, 1);
    assert_int_equal(spool_refused(stand->spool, 1, false, &row), STATUS_OK);
    assert_int_equal(row.n, 2);
    assert_string_equal(row.problem.code, "missing");
    assert_string_equal(row.problem.field, "customer.phone");
    assert_true(row.draft.len > 0);
    assert_int_equal(spool_corrected(stand->spool, 2, 4), STATUS_OK);
    assert_int_equal(spool_commit(stand->spool), STATUS_OK);
    assert_int_equal(spool_state(stand->spool)->refused, 0);
    assert_int_equal(spool_refused(stand->spool, 1, false, &row), STATUS_ABSENT);
    assert_int_equal(spool_refused(stand->spool, 1, true, &row), STATUS_OK);
    assert_int_equal(row.state, REFUSED_CORRECTED);
    assert_int_equal(row.corrected_by, 4);
    assert_int_equal(row.draft.len, 0);
    assert_int_equal(spool_dropped(stand->spool, 2, "twice", "ann"), STATUS_ABSENT);
    spool_rollback(stand->spool);
}

static void test_series(void **state)
{
    struct stand *stand = *state;
    int64_t n = 0;
    assert_int_equal(spool_series_next(stand->spool, "GD01-20261122", &n), STATUS_OK);
    assert_int_equal(n, 1);
    assert_int_equal(spool_commit(stand->spool), STATUS_OK);
    again(stand);
    assert_int_equal(spool_series_next(stand->spool, "GD01-20261122", &n), STATUS_OK);
    assert_int_equal(n, 2);
    assert_int_equal(spool_series_next(stand->spool, "GD01-20261123", &n), STATUS_OK);
    assert_int_equal(n, 1);
    /* The centre knows a higher one (this spool is a new one on an old name), then a lower one. */
    assert_int_equal(spool_series_seen(stand->spool, "GD01-20261122", 40), STATUS_OK);
    assert_int_equal(spool_series_seen(stand->spool, "GD01-20261122", 7), STATUS_OK);
    assert_int_equal(spool_series_next(stand->spool, "GD01-20261122", &n), STATUS_OK);
    assert_int_equal(n, 41);
    assert_int_equal(spool_commit(stand->spool), STATUS_OK);
}

static bool file_has(const char *folder, const char *name, const char *text)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return bench_holds(path, text);
}

static int64_t register_customer(struct spool *spool, const char *key, const char *customer)
{
    struct buf draft = {0};
    int64_t n = 0;
    bench_registration(key, "", customer, "13800004711", &draft);
    const struct spool_fact fact = {
        .type = "ticket.registered", .key = key, .draft = buf_bytes(&draft), .taken_us = MORNING_US, .origin = "app"};
    assert_int_equal(spool_take(spool, &fact, &n), STATUS_OK);
    assert_int_equal(spool_commit(spool), STATUS_OK);
    buf_release(&draft);
    return n;
}

static void test_erase(void **state)
{
    struct stand *stand = *state;
    struct spool_refused row;
    int64_t blanked = 0;
    register_customer(stand->spool, "T-1", "C-1"); /* will be refused */
    register_customer(stand->spool, "T-2", "C-1"); /* on its way */
    register_customer(stand->spool, "T-3", "C-1"); /* waits */
    bench_take(stand->spool, "T-3", "speaks of a dog"); /* names no customer; its ticket is told */
    bench_take(stand->spool, "T-9", "of somebody else");
    assert_int_equal(spool_commit(stand->spool), STATUS_OK);
    refuse(stand->spool, 1);
    assert_true(file_has(stand->folder, "spool.db", "13800004711") || file_has(stand->folder, "spool.db-wal", "13800004711"));
    assert_int_equal(spool_erased_keep(stand->spool, "C-1"), STATUS_OK);
    assert_int_equal(spool_erased_keep(stand->spool, "T-3"), STATUS_OK);
    assert_int_equal(spool_erase(stand->spool, 3, NULL, NULL, &blanked), STATUS_OK);
    assert_int_equal(spool_commit(stand->spool), STATUS_OK);
    assert_int_equal(blanked, 3);
    assert_true(spool_has_erased(stand->spool)); /* number 2 is out */
    /* It comes back refused: then it goes as well, also after a restart. */
    again(stand);
    assert_true(spool_has_erased(stand->spool));
    refuse(stand->spool, 2);
    assert_int_equal(spool_refused(stand->spool, 2, false, &row), STATUS_OK);
    assert_non_null(memmem(row.draft.data, row.draft.len, "13800004711", 11));
    assert_int_equal(spool_erase(stand->spool, 3, NULL, NULL, &blanked), STATUS_OK);
    assert_int_equal(spool_commit(stand->spool), STATUS_OK);
    assert_int_equal(blanked, 1);
    assert_int_equal(spool_sweep(stand->spool), STATUS_OK);
    assert_false(file_has(stand->folder, "spool.db", "13800004711"));
    assert_false(file_has(stand->folder, "spool.db-wal", "13800004711"));
    assert_false(file_has(stand->folder, "spool.db", "dog"));
    assert_true(file_has(stand->folder, "spool.db", "of somebody else"));
    /* All that was taken before is answered: a later word of the customer is kept as any other. */
    assert_int_equal(spool_trim(stand->spool, 5), STATUS_OK);
    assert_int_equal(spool_erase(stand->spool, 6, NULL, NULL, &blanked), STATUS_OK);
    assert_int_equal(spool_commit(stand->spool), STATUS_OK);
    assert_false(spool_has_erased(stand->spool));
}

static enum status learnt(void *owner, const char *ticket)
{
    buf_append_format(owner, "%s ", ticket);
    return STATUS_OK;
}

/* A ticket of this morning: the work list, which knows whose tickets are whose, has not heard of it. */
static void test_erase_finds_what_waits_for_a_ticket(void **state)
{
    struct stand *stand = *state;
    struct buf tickets = {0};
    int64_t gone = 0;
    bench_take(stand->spool, "T-2", "and a cat"); /* said before its registration, by another application */
    register_customer(stand->spool, "T-2", "C-1");
    register_customer(stand->spool, "T-5", "C-2");
    bench_take(stand->spool, "T-2", "speaks of a dog");
    bench_take(stand->spool, "T-5", "of a horse");
    assert_int_equal(spool_commit(stand->spool), STATUS_OK);
    assert_int_equal(spool_erased_keep(stand->spool, "C-1"), STATUS_OK);
    assert_int_equal(spool_erase(stand->spool, 3, learnt, &tickets, &gone), STATUS_OK);
    assert_int_equal(spool_commit(stand->spool), STATUS_OK);
    assert_int_equal(gone, 1); /* the first two are under way: their bytes count */
    assert_int_equal(spool_trim(stand->spool, 2), STATUS_OK);
    assert_int_equal(spool_erase(stand->spool, 6, learnt, &tickets, &gone), STATUS_OK);
    assert_int_equal(spool_commit(stand->spool), STATUS_OK);
    assert_int_equal(gone, 0);
    assert_true(spool_has_erased(stand->spool)); /* until everything taken before is answered */
    assert_int_equal(spool_trim(stand->spool, 5), STATUS_OK);
    assert_int_equal(spool_erase(stand->spool, 6, learnt, &tickets, &gone), STATUS_OK);
    assert_int_equal(spool_commit(stand->spool), STATUS_OK);
    assert_true(gone > 0); /* the log is to be swept */
    assert_false(spool_has_erased(stand->spool));
    assert_string_equal(buf_text(&tickets), "T-2 "); /* once: its files go */
    buf_release(&tickets);
    assert_int_equal(spool_sweep(stand->spool), STATUS_OK);
    static const char *const words[] = {"a cat", "a dog", "13800004711"};
    for (size_t i = 0; i < COUNT_OF(words); i++) {
        assert_false(file_has(stand->folder, "spool.db", words[i]));
        assert_false(file_has(stand->folder, "spool.db-wal", words[i]));
    }
}

/* He is erased a second time while the first time's facts still wait: what was said of his ticket since then goes too. */
static void test_erase_twice(void **state)
{
    struct stand *stand = *state;
    struct buf tickets = {0};
    int64_t gone = 0;
    register_customer(stand->spool, "T-2", "C-1");
    for (int i = 0; i < 2; i++) {
        bench_take(stand->spool, "T-2", i == 0 ? "speaks of a dog" : "and of a cat");
        assert_int_equal(spool_commit(stand->spool), STATUS_OK);
        assert_int_equal(spool_erased_keep(stand->spool, "C-1"), STATUS_OK);
        assert_int_equal(spool_erase(stand->spool, 1, learnt, &tickets, &gone), STATUS_OK);
        assert_int_equal(spool_commit(stand->spool), STATUS_OK);
        assert_int_equal(gone, i == 0 ? 2 : 1);
    }
    assert_string_equal(buf_text(&tickets), "T-2 T-2 "); /* files that were named since then, too */
    buf_release(&tickets);
    assert_int_equal(spool_sweep(stand->spool), STATUS_OK);
    assert_false(file_has(stand->folder, "spool.db", "and of a cat"));
}

static double seconds_of_erase(struct spool *spool, int64_t *gone)
{
    struct timespec began, ended;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &began);
    assert_int_equal(spool_erase(spool, 1, NULL, NULL, gone), STATUS_OK);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ended);
    assert_int_equal(spool_commit(spool), STATUS_OK);
    return (double)(ended.tv_sec - began.tv_sec) + (double)(ended.tv_nsec - began.tv_nsec) / 1e9;
}

/* A branch that was cut off for long, and hears of many: what waits is gone through once, not once for each, and not again each time. */
static void test_erase_many(void **state)
{
    struct stand *stand = *state;
    int64_t gone = 0;
    spool_close(&stand->spool);
    stand->spool = bench_spool(stand->folder, 100000);
    for (int i = 0; i < 4000; i++) {
        char key[16];
        snprintf(key, sizeof key, "T-%d", i);
        bench_take(stand->spool, key, "x");
    }
    assert_int_equal(spool_commit(stand->spool), STATUS_OK);
    assert_int_equal(spool_erased_keep(stand->spool, "C-0"), STATUS_OK);
    double one = seconds_of_erase(stand->spool, &gone);
    for (int i = 1; i < 100; i++) {
        char name[16];
        snprintf(name, sizeof name, "C-%d", i);
        assert_int_equal(spool_erased_keep(stand->spool, name), STATUS_OK);
    }
    assert_int_equal(spool_erased_keep(stand->spool, "T-77"), STATUS_OK);
    double many = seconds_of_erase(stand->spool, &gone);
    assert_int_equal(gone, 1);
    double after = seconds_of_erase(stand->spool, &gone);
    assert_int_equal(gone, 0);
    if (many > 10 * one || after > one / 2)
        fail_msg("one %.4f s, a hundred %.4f s, again %.4f s", one, many, after);
}

/* What one large commit made of the log is given back to the disk. */
static void test_the_log_is_bounded(void **state)
{
    struct stand *stand = *state;
    static char text[1200];
    char log[128];
    snprintf(log, sizeof log, "%s/spool.db-wal", stand->folder);
    spool_close(&stand->spool);
    stand->spool = bench_spool(stand->folder, 100000);
    memset(text, 'x', sizeof text - 1);
    for (int i = 0; i < 5000; i++)
        bench_take(stand->spool, "T-1", text);
    assert_int_equal(spool_commit(stand->spool), STATUS_OK);
    assert_true(bench_size(log) > 5 * 1024 * 1024);
    take_n(stand->spool, 1);
    take_n(stand->spool, 1);
    assert_in_range(bench_size(log), 1, 1024 * 1024);
}

static void test_full_disk(void **state)
{
    struct stand *stand = *state;
    spool_close(&stand->spool);
    stand->spool = bench_spool(stand->folder, 100000);
    take_n(stand->spool, 3);
    /* SQLite's own bound stands for the disk's. */
    assert_int_equal(db_run(stand->spool->db, "PRAGMA max_page_count = 40"), STATUS_OK);
    enum status status = STATUS_OK;
    int64_t kept = 0;
    for (int i = 0; i < 1000 && status == STATUS_OK; i++) {
        struct buf draft = {0};
        int64_t n;
        char text[1500];
        memset(text, 'x', sizeof text);
        text[sizeof text - 1] = '\0';
        bench_note("T-1", text, &draft);
        const struct spool_fact fact = {
            .type = "ticket.noted", .key = "T-1", .draft = buf_bytes(&draft), .taken_us = MORNING_US, .origin = "app"};
        status = spool_take(stand->spool, &fact, &n);
        if (status == STATUS_OK)
            status = spool_commit(stand->spool);
        if (status == STATUS_OK)
            kept = n;
        buf_release(&draft);
    }
    assert_int_equal(status, STATUS_FULL);
    spool_rollback(stand->spool);
    assert_true(kept > 3);
    assert_int_equal(spool_state(stand->spool)->last, kept);
    assert_int_equal(spool_state(stand->spool)->facts, kept);
    /* What is answered makes room. */
    assert_int_equal(spool_trim(stand->spool, kept - 1), STATUS_OK);
    assert_int_equal(spool_commit(stand->spool), STATUS_OK);
    take_n(stand->spool, 1);
    again(stand);
    assert_int_equal(spool_state(stand->spool)->last, kept + 1);
    assert_int_equal(spool_state(stand->spool)->facts, 2);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {CASE(test_numbers), CASE(test_second_process), CASE(test_bounds), CASE(test_welcome),
                                       CASE(test_refused), CASE(test_series),         CASE(test_erase),
                                       CASE(test_erase_finds_what_waits_for_a_ticket), CASE(test_erase_twice), CASE(test_erase_many), CASE(test_the_log_is_bounded), CASE(test_full_disk)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
