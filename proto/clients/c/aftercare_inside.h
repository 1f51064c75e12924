/* Inside of libaftercare: what its files share. */
#ifndef AFTERCARE_INSIDE_H
#define AFTERCARE_INSIDE_H

#include "aftercare.h"
#include "bus/key.h"
#include "bus/source.h"
#include "bus/talk.h"

struct aftercare {
    char code[64], why[240];
    struct bus_key key;
    struct bus_client *bus;
    int64_t patience_us;
    struct inquiry *inquiry;
    struct talk questions;
};

struct state { /* the file: {source, incarnation, n, events: [bin …]} */
    struct source_config config;
    struct slice events; /* struct bytes, from config.first on: what has no answer yet */
};
struct aftercare_source {
    struct aftercare *client;
    struct talk talk;
    struct source *machine;
    struct state state;
    char *path; /* of the state file; NULL: none */
    int lock;
    struct buf image; /* of the file */
    aftercare_on_answer *on_answer;
    void *owner;
};

/* Ends the client with that code; false. */
bool client_fail(struct aftercare *, const char *code, const char *why);
/* It has not ended. */
bool client_is_well(const struct aftercare *);
/* A conversation over a connection of its own, of that machine. */
struct talk client_talk(struct aftercare *, enum talk_machine, void *machine);
/* One step: a frame is taken (true), or none came yet, or the client has failed. */
bool client_turn(struct aftercare *, struct talk *);

/* As aftercare_source has it. incarnation: NULL: random. */
struct aftercare_source *client_source(struct aftercare *, const char *state, const char *name, const uint8_t *incarnation,
                                      aftercare_on_answer *, void *owner);

#endif
