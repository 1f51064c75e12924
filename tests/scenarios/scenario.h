/* A company's rules as stories: the file's form (README.md), its times, facts made of it, events
 * compared with it. */
#ifndef AFTERCARE_SCENARIO_H
#define AFTERCARE_SCENARIO_H

#include "calendar/zone.h"
#include "proto/catalogue.h"
#include "services/simulator/simulator.h"
#include <yaml.h>

/* What is wrong, where: one message, "FILE:LINE: …", with what it needs behind. */
struct complaint {
    unsigned line; /* 0: the whole file */
    struct buf text;
};
/* Sets it (the first one stays); always false. */
bool complain(struct complaint *, const yaml_node_t *, const char *format, ...) PRINTF_LIKE(3, 4);

struct script {
    const char *path, *tree; /* policies and networks are named from the tree */
    struct buf text;
    yaml_document_t document;
    bool loaded;
    const char *title;
    const char *policy, *calendars; /* NULL: beside the policy */
    const yaml_node_t *network, *rules;
    char zone_name[48];
    const struct zone *zone;
    int64_t start_us;
};
/* False: the complaint says why. Release it in either case. */
bool script_read(struct script *, const char *path, const char *tree,
                 struct complaint *) MUST_CHECK;
void script_release(struct script *);
/* TREE/NAME */
void script_path(const struct script *, const char *name, char *out, size_t cap);
/* The lines of a node as they stand in the file, indented. */
void script_quote(const struct script *, const yaml_node_t *, struct buf *out);
bool file_load(const char *path, struct buf *out) MUST_CHECK;

/* --- node.c: YAML ------------------------------------------------------------------------------
 */
struct pair {
    const yaml_node_t *key, *value;
};
#define PAIRS_MAX 64
/* A map's pairs, those of `<<` behind its own. */
size_t node_pairs(const struct script *, const yaml_node_t *map, struct pair out[PAIRS_MAX]);
/* NULL: it is not there. */
const yaml_node_t *node_get(const struct script *, const yaml_node_t *map, const char *key);
/* "" where it is not there or no text. */
const char *node_text(const struct script *, const yaml_node_t *map, const char *key);
const char *scalar(const yaml_node_t *); /* "" where it is no scalar */
bool node_is_null(const yaml_node_t *);
size_t node_items(const yaml_node_t *sequence);
const yaml_node_t *node_item(const struct script *, const yaml_node_t *sequence, size_t i);
unsigned node_line(const yaml_node_t *);
/* Every key is one of those (NULL-terminated). */
bool node_keys(const struct script *, const yaml_node_t *map, const char *const *known,
               const char *of, struct complaint *) MUST_CHECK;

/* --- when.c: times ------------------------------------------------------------------------------
 * RFC 3339, "2026-03-02 09:00", "09:00" (the day of base_us), and where `spans` is true "+2h"
 * (after base_us). */
bool when_parse(const struct script *, const char *text, int64_t base_us, bool spans,
                int64_t *us) MUST_CHECK;
/* "2026-03-02 09:00", seconds where there are any. */
void when_print(const struct script *, int64_t us, char out[INSTANT_TEXT_MAX]);

/* --- fact.c: data of a fact ---------------------------------------------------------------------
 */
/* Appends JSON that the record reads; times are taken from base_us. */
bool data_print(const struct script *, const struct record *, const yaml_node_t *map,
                int64_t base_us, struct buf *json, struct complaint *) MUST_CHECK;

/* --- match.c: events ----------------------------------------------------------------------------
 */
struct told { /* an event, decoded */
    struct event event;
    const struct event_type *type; /* NULL: not in the catalogue */
    void *data;
};
/* Does an expectation have the right form? base_us: the day that "09:00" means. */
bool expectation_check(const struct script *, const yaml_node_t *, int64_t base_us,
                       struct complaint *) MUST_CHECK;
bool expectation_meets(const struct script *, const yaml_node_t *, int64_t base_us,
                       const struct told *);
/* How much they have in common, for finding what came instead. */
int expectation_nearness(const struct script *, const yaml_node_t *, int64_t base_us,
                         const struct told *);
/* "{type: …, key: …, at: …, data: {…}}": can be pasted as an expectation. */
void told_print(const struct script *, const struct told *, struct buf *out);

/* --- play.c -------------------------------------------------------------------------------------
 */
enum outcome { PROVED, LATER, FAILED };
struct play_options {
    bool trace;
};
/* One rule, in a stream of its own. */
enum outcome rule_play(const struct script *, const yaml_node_t *rule, const struct play_options *,
                       struct complaint *);

#endif
