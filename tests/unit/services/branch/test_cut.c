/* The spool's log cut at any byte behind the last sync: what was answered is there, what was under way is there whole or not at all. */
#include "bench.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ANSWERED 5
#define UNDER_WAY 2
/* The log is a head and frames of a head and a page. */
#define LOG_HEAD 32
#define FRAME_HEAD 24
#define FRAME (FRAME_HEAD + 4096)

static void paths(const char *folder, char db[128], char wal[128])
{
    snprintf(db, 128, "%s/spool.db", folder);
    snprintf(wal, 128, "%s/spool.db-wal", folder);
}

static void check(const char *folder)
{
    struct spool *spool = bench_spool(folder, 1000);
    const struct spool_state *state = spool_state(spool);
    struct spool_piece piece = {0};
    assert_true(state->last == ANSWERED || state->last == ANSWERED + UNDER_WAY);
    assert_int_equal(state->facts, state->last);
    assert_int_equal(spool_read(spool, 1, SIZE_MAX, &piece), STATUS_OK);
    assert_int_equal(piece.count, state->last);
    for (uint32_t i = 0; i < piece.count; i++) {
        char text[32];
        struct buf want = {0};
        snprintf(text, sizeof text, "fact %u", i + 1);
        bench_note("T-1", text, &want);
        assert_true(bytes_equal(piece.drafts[i], buf_bytes(&want)));
        buf_release(&want);
    }
    /* And it goes on from there. */
    {
        int64_t before = state->last;
        assert_int_equal(bench_take(spool, "T-1", "next"), before + 1);
    }
    assert_int_equal(spool_commit(spool), STATUS_OK);
    buf_release(&piece.bytes);
    spool_close(&spool);
}

/* Every byte near the seams of the log; between them every thirteenth, unless AFTERCARE_EVERY_BYTE asks for all. */
static bool is_cut(size_t at, size_t whole)
{
    size_t in = (at - LOG_HEAD) % FRAME;
    return getenv("AFTERCARE_EVERY_BYTE") != NULL || in <= FRAME_HEAD + 40 || in > FRAME - 40 || at % 13 == 0 || at == whole;
}

static void test_every_byte(void **state)
{
    char folder[64], copy[64], db[128], wal[128], cut_db[128], cut_wal[128], kept[128];
    (void)state;
    bench_folder(folder);
    bench_folder_fast(copy);
    paths(folder, db, wal);
    paths(copy, cut_db, cut_wal);
    struct spool *spool = bench_spool(folder, 1000);
    for (int i = 1; i <= ANSWERED; i++) {
        char text[32];
        snprintf(text, sizeof text, "fact %d", i);
        bench_take(spool, "T-1", text);
        if (i % 2 == 1)
            assert_int_equal(spool_commit(spool), STATUS_OK);
    }
    assert_int_equal(spool_commit(spool), STATUS_OK);
    size_t synced = bench_size(wal);
    snprintf(kept, sizeof kept, "%s/kept", copy);
    bench_copy(db, kept, SIZE_MAX);
    for (int i = ANSWERED + 1; i <= ANSWERED + UNDER_WAY; i++) {
        char text[32];
        snprintf(text, sizeof text, "fact %d", i);
        bench_take(spool, "T-1", text);
    }
    assert_int_equal(spool_commit(spool), STATUS_OK);
    size_t whole = bench_size(wal);
    assert_true(synced > 0 && whole > synced);
    for (size_t at = synced; at <= whole; at++) {
        if (!is_cut(at, whole))
            continue;
        bench_copy(kept, cut_db, SIZE_MAX); /* the file itself is not touched between checkpoints */
        bench_copy(wal, cut_wal, at);
        check(copy);
    }
    /* One byte less than what was synced: here something answered would be missing, so the cut does cut. */
    bench_copy(kept, cut_db, SIZE_MAX);
    bench_copy(wal, cut_wal, synced - 1);
    spool_close(&spool);
    spool = bench_spool(copy, 1000);
    assert_true(spool_state(spool)->last < ANSWERED);
    spool_close(&spool);
    bench_remove(folder);
    bench_remove(copy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_every_byte)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
