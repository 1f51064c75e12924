/* An intake with a history, the same before every input: its stream, a policy, sites, tickets and jobs; PostgreSQL in memory. */
#ifndef AFTERCARE_TESTS_FUZZ_HOUSE_H
#define AFTERCARE_TESTS_FUZZ_HOUSE_H

#include "bus/socket.h"
#include "settings/settings.h"
#include "simulation/db.h"

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

/* --- house_store.c: the simulation's database with connections and commits of its own --------------- */

#define HOUSE_EVENTS_MAX 400 /* more is a full disk */
struct db *house_db(void);
/* Of the next commit. */
void house_fate_is(enum status, bool takes_effect);
/* From now on what is there is every input's beginning. */
void house_store_keep(void);
void house_store_begin(void);
void house_store_end(void);
/* A commit under way has its result. */
void house_settle(void);

#endif
