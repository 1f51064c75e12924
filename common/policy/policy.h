/* A company's rules in one file: what is asked at registration, who goes, what is promised, what follows. Checked by
 * `aftercare policy check`, published as an event, never changed afterwards. Matching is by lists, first line decides. */
#ifndef AFTERCARE_POLICY_POLICY_H
#define AFTERCARE_POLICY_POLICY_H

#include "record/record.h"

#define POLICY_VERSION_CAP 64
#define POLICY_KIND_CAP 64
#define POLICY_WORD_CAP 32
#define POLICY_REGION_CAP 24
#define POLICY_PRODUCT_CAP 64
#define POLICY_COVERAGE_CAP 16
#define POLICY_PATH_CAP 48
#define POLICY_CLAUSES_MAX 16 /* all that start at once stand in one sla.scheduled */
#define POLICY_LEVELS_MAX 8
#define POLICY_FACTS_MAX 10 /* different event types that a policy's clauses start or stop at */

/* What a line applies to; an empty list matches everything. Regions match by prefix. */
struct policy_match {
    struct slice kinds;      /* char[POLICY_KIND_CAP] */
    struct slice regions;    /* char[24], prefixes */
    struct slice priorities; /* char[32] */
    struct slice products;   /* char[64] */
    struct slice channels;   /* char[32] */
    struct slice coverages;  /* char[16] */
    struct slice tiers;      /* int64_t */
};

struct policy_kind {
    char name[POLICY_KIND_CAP]; /* "repair"; "*" = any other */
    char title[96];             /* for people, any language */
    struct slice required;      /* char[48]: dotted fields of ticket.registered, "customer.phone" */
};

struct policy_priority { /* first match decides; none: "normal" */
    char priority[POLICY_WORD_CAP];
    struct policy_match match;
};

struct policy_term { /* 三包: first match decides; none: coverage "unknown" */
    char clause[POLICY_WORD_CAP];
    struct policy_match match;
    int basis; /* enum policy_basis: which date it runs from */
    struct span length;
    struct span card_within; /* the warranty card must be back so long after the sale; absent: not asked */
};
enum policy_basis { BASIS_SOLD, BASIS_ACCEPTED, BASIS_MADE };

struct policy_tier { /* in the order of the list: where offers begin, and then up */
    int64_t tier;
    struct policy_match match;
    struct span accept_within; /* elapsed */
    int silence;               /* enum policy_silence: what not answering means */
    int64_t candidates_max;    /* offers on this tier before the next one, 0 = all */
};
enum policy_silence { SILENCE_EXPIRES, SILENCE_ACCEPTS };

struct policy_dispatch {
    struct slice tiers;    /* struct policy_tier */
    struct slice start_at; /* struct policy_start: emergencies start high */
    struct span decline_excludes; /* how long who declined a ticket is left out of its offers; absent: for good */
};
struct policy_start {
    int64_t tier;
    struct policy_match match;
};

struct policy_limit { /* first match decides; none: the clause does not run for that ticket */
    struct policy_match match;
    struct span limit;
};
struct policy_level { /* warned (before) or breached (after) */
    struct span at; /* from the limit: "-2h", "1d" */
    char to[48];    /* rung of the ladder */
};
struct policy_clause {
    char id[POLICY_WORD_CAP];
    char title[96];
    char start[48], stop[48]; /* event types */
    char calendar[48];        /* "" = round the clock */
    /* wd limits: how a working day counts. "hours": by working time; "time-of-day": n working days later at the same local
     * time, an opening at or after cutoff counting from resume on the next working day. */
    int counting;             /* enum policy_counting */
    char cutoff[6], resume[6];
    struct slice limits; /* struct policy_limit */
    struct slice levels; /* struct policy_level; level 0 (the limit) is always there */
};
enum policy_counting { COUNTING_HOURS, COUNTING_TIME_OF_DAY };

struct policy_followup {
    struct policy_match match;
    struct span after;  /* callback due so long after resolution */
    struct span window; /* missed so long after it was due, then the ticket is closed */
    int64_t reopen_below; /* a score below this reopens (scores 1–5); 0 = only when asked for */
};

struct policy {
    char name[48];
    char version[POLICY_VERSION_CAP];
    char title[96];
    char zone[48];
    char number_prefix[16];
    struct slice kinds;      /* struct policy_kind */
    struct slice priorities; /* struct policy_priority */
    struct slice terms;      /* struct policy_term; key "coverage" */
    struct policy_dispatch dispatch;
    struct slice sla;        /* struct policy_clause */
    struct slice followup;   /* struct policy_followup, first match */
    struct span repeat_within;     /* same unit and kind again within: repeat_of */
    struct span reopen_within;     /* ticket.reopened after closing counts within this */
    struct span late_facts_within; /* a fact reported later counts from rec */
    struct slice calendars;  /* char[48] names it needs */
};
extern const struct record policy_record;

/* The facts a match looks at. NULL or 0 = not known: matches only an empty list. */
struct policy_subject {
    const char *kind, *region, *priority, *product, *channel, *coverage;
    int64_t tier;
};
bool policy_matches(const struct policy_match *, const struct policy_subject *);
const struct policy_kind *policy_kind(const struct policy *, const char *kind);
const char *policy_priority(const struct policy *, const struct policy_subject *);
const struct policy_term *policy_term(const struct policy *, const struct policy_subject *);
const struct policy_clause *policy_clause(const struct policy *, const char *id);
const struct policy_limit *policy_limit(const struct policy_clause *, const struct policy_subject *);
const struct policy_followup *policy_followup(const struct policy *, const struct policy_subject *);
const struct policy_tier *policy_tier(const struct policy *, int64_t tier);

/* Event types a clause may name as its start or stop, NULL-terminated. */
#define POLICY_FACTS 19
extern const char *const policy_facts[POLICY_FACTS + 1];
/* Its index in policy_facts; -1: none. */
int policy_fact(const char *type);

/* Reads and checks a file's text: everything found wrong is added, with line and path. Semantic checks included (a line that
 * an earlier one hides, an id twice, an unknown event type, a calendar that is not listed …). */
bool policy_parse(const char *text, size_t n, struct arena *, struct policy *, struct problems *) MUST_CHECK;
/* From policy.published's `policy` (msgpack). */
bool policy_decode(struct bytes, struct arena *, struct policy *, struct problem *) MUST_CHECK;

#endif
