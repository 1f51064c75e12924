/* A record with every kind of field in it, and seeded random objects of it. */
#ifndef AFTERCARE_TESTS_RECORD_SAMPLE_H
#define AFTERCARE_TESTS_RECORD_SAMPLE_H

#include "record/record.h"

struct blob_16 {
    uint32_t len;
    uint8_t data[16];
};
struct sample_part {
    char part[32];
    int64_t quantity;
    bool old_kept;
    char owner[24];
};
struct sample_who {
    char id[16];
    char name[24];
    char phone[20];
};
struct sample_line {
    char text[16];
    struct slice codes; /* int64_t */
};
enum sample_grade { GRADE_NONE, GRADE_LOW, GRADE_HIGH };
struct sample {
    char key[65];
    bool flag, on;
    int64_t n, big, tier;
    int64_t at_us;
    struct span limit;
    int grade;
    uint8_t hash[8];
    struct bytes file, any;
    struct blob_16 blob;
    struct sample_who who;
    struct sample_part parts[4];
    uint32_t parts_n;
    char words[3][12];
    uint32_t words_n;
    int64_t days[3];
    uint32_t days_n;
    struct slice lines; /* struct sample_line */
    struct slice extra; /* struct bytes, one msgpack value each */
    int64_t seen;
    char former[8];
    char remark[300];
};
extern const struct record sample_record;

/* xorshift64*, so that a failing seed is the whole story. */
uint64_t random_next(uint64_t *state);
/* The memory that the object borrows is the arena's. */
void sample_fill(struct sample *, uint64_t *state, struct arena *);

#endif
