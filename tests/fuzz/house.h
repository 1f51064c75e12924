/* An intake with a history, the same before every input: its stream, a policy, sites, tickets and jobs; PostgreSQL in memory. */
#ifndef AFTERCARE_TESTS_FUZZ_HOUSE_H
#define AFTERCARE_TESTS_FUZZ_HOUSE_H

#include "bus/socket.h"
#include "services/intake/store.h"
#include "settings/settings.h"

void house_begin(void); /* the first time: builds it */
void house_end(void);
bool house_building(struct loop *); /* a turn of the building; false: it is built */

const struct settings *house_settings(void);
const char *house_stream(void);
/* The words of its history, and those who take part. */
extern const char *const house_words[], *const house_sources[];
extern const size_t house_words_n, house_sources_n;

/* How the next transaction or call ends otherwise than well, or what becomes of the clocks; any number. */
void house_fate(unsigned);
_Noreturn void house_broken(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* --- house_store.c --------------------------------------------------------------------------------- */

struct stored_row { /* of an archive table */
    struct stored_row *next;
    const struct table_def *def;
    const char *key;
    struct bytes packed;
};
struct stored_event {
    uint64_t pos;
    int64_t source, n, rec_us;
    char type[EVENT_TYPE_CAP], key[EVENT_KEY_CAP];
    struct bytes body, priv, result;
    uint8_t link[LINK_BYTES], digest[DIGEST_BYTES];
    bool by_source;
};
struct stored_refusal {
    int64_t source, n;
    uint64_t pos;
    uint8_t digest[DIGEST_BYTES];
    struct problem problem;
    struct bytes result;
};
#define STORED_EVENTS_MAX 400
#define STORED_REFUSALS_MAX 200
#define STORED_SOURCES_MAX 64
struct stored {
    struct arena *arena; /* all bytes */
    struct stored_row *rows;
    struct stored_event events[STORED_EVENTS_MAX];
    size_t events_n;
    struct stored_refusal refusals[STORED_REFUSALS_MAX];
    size_t refusals_n;
    struct source_row sources[STORED_SOURCES_MAX];
    size_t sources_n;
    struct journal_head head;
    char holder[200];
    int64_t own_n, lease_until_us;
    /* faults */
    enum status fate;     /* of the next commit */
    bool fate_takes_effect;
    int64_t full_until_us, down_until_us;
};
struct stored *house_stored(void);
/* From now on what is there is every input's beginning. */
void house_store_keep(void);
void house_store_begin(void);
void house_store_end(void);
/* A commit under way has its result. */
void house_settle(void);
bool house_fd_is_readable(int fd);
struct stored_row *house_row(const struct table_def *, const char *key);
void *house_row_read(const struct stored_row *, struct arena *);

#endif
