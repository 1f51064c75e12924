/* What the branch's tests stand on: folders, drafts, a spool. */
#ifndef TESTS_BRANCH_BENCH_H
#define TESTS_BRANCH_BENCH_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/instant.h"
#include "base/text.h"
#include "record/pack.h"
#include "spool.h"

/* 22 Nov 2026, 09:00 in China. */
#define MORNING_US (INT64_C(1795309200) * SECOND_US)

/* A fresh folder, removed with all that is in it. */
void bench_folder(char out[64]);
void bench_folder_fast(char out[64]); /* in memory, where there is such a place */
void bench_remove(const char *folder);
struct spool *bench_spool(const char *folder, int64_t facts_max);
void bench_copy(const char *from, const char *to, size_t bytes_max);
size_t bench_size(const char *path); /* 0: not there */
bool bench_holds(const char *path, const char *text); /* anywhere in its bytes */

/* Drafts as an application makes them. */
void bench_registration(const char *key, const char *request_id, const char *customer, const char *phone, struct buf *out);
void bench_note(const char *key, const char *text, struct buf *out);
/* Takes a note as fact; returns its number. */
int64_t bench_take(struct spool *, const char *key, const char *text);

#endif
