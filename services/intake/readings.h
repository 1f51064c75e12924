/* Who reads whose personal data, on record where the policy in force asks for it (`reads_recorded`, rules.md S22.4): one access.read per
 * principal, customer and hour. The feed thread sees who reads, the network thread journals it. */
#ifndef AFTERCARE_INTAKE_READINGS_H
#define AFTERCARE_INTAKE_READINGS_H

#include "bus/verbs.h"

/* Reads that name no story: whoever it is about. */
#define READINGS_EVERYBODY "everybody"

struct feed;
struct server;
struct principal_row;
struct reading;

/* Feed thread: this principal (NULL: nobody) opens a session; is given something of the story of this key (a refused event with its
 * personal fields, a file). Workers are not told of. */
void reading_opened(struct feed *, const struct principal_row *, struct verb_open *);
void reading_story(struct feed *, const struct principal_row *, const char *key);
/* Of the stories of several keys, asked for in one go. */
void reading_stories(struct feed *, const struct principal_row *, char (*keys)[EVENT_KEY_CAP], uint32_t n);
/* Network thread. */
void reading_journal(struct server *, const struct reading *);

#endif
