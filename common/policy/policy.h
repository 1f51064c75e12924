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
#define POLICY_CLAUSES_MAX 32
#define POLICY_STARTS_MAX 16 /* clauses that one event starts: all that start at once stand in one sla.scheduled */
#define POLICY_LEVELS_MAX 8
#define POLICY_FACTS_MAX 16 /* different event types that the clauses of tickets start, stop, reset or cancel at */
#define POLICY_PAUSES_MAX 16 /* reasons to wait */
#define POLICY_PAUSES_COUNTED_MAX 64 /* waits of one key that are counted; later ones are kept, flagged, not counted */
#define POLICY_WORTH_CAP 64 /* a field's text in `is` and `is_not` */

/* What a line applies to; an empty list matches everything. Regions match by prefix. */
struct policy_match {
    struct slice kinds;      /* char[POLICY_KIND_CAP] */
    struct slice regions;    /* char[24], prefixes */
    struct slice priorities; /* char[32] */
    struct slice products;   /* char[64] */
    struct slice channels;   /* char[32] */
    struct slice coverages;  /* char[16] */
    struct slice tiers;      /* int64_t */
    struct slice phases;         /* char[32]: installation, trial, free … */
    struct slice region_classes; /* char[32], of the policy's region_classes */
};

struct policy_region_class { /* first match decides; none: "" */
    char class[POLICY_WORD_CAP];
    struct slice regions; /* char[24], prefixes */
};
struct policy_rung { /* brief: the ladder of superiors, lowest first */
    char to[48];
    char title[96];
};

/* An event of a type whose data say so. brief: the type alone, whatever its data. */
struct policy_when { /* a field that is not there is the empty text */
    char field[POLICY_PATH_CAP];
    struct slice is, is_not; /* char[64]; is: one of these (none given: whatever it is); is_not: none of these */
};
struct policy_event {
    char type[48];
    struct slice when; /* struct policy_when, all must hold */
    char from[48];     /* start: counted from the instant in this field of the data; "": from the event */
};

struct policy_pause { /* a reason to wait */
    char reason[48];
    char title[96];
    struct slice begin, end; /* struct policy_event; none: ticket.waiting and ticket.resumed with this reason (policy_pause_begins) */
    struct span budget;      /* so long in all per key, then the clock runs on by itself; absent: no bound */
    char more_by[48];        /* rung that may approve more: approval.decided {what: pause, reason, more} */
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
    struct slice passes; /* struct policy_pass: what an engineer must hold; all that match, not the first */
};
#define POLICY_PASSES_MAX 16
struct policy_pass {
    char pass[48]; /* as in engineer.updated */
    struct policy_match match;
};
struct policy_start {
    int64_t tier;
    struct policy_match match;
};

struct policy_limit { /* first match decides; none: the clause does not run for that ticket */
    struct policy_match match;
    struct span limit;  /* absent with `by` alone: the first such time of day; 0: at once, where counted `from` a field */
    int64_t per_units;  /* for so many units of the quantity, and as much again for what is over; 0: for all alike */
    char by[6];         /* "17:00" of the day that the limit ends in; "": no such time */
    char calendar[48];  /* "": the clause's */
};
struct policy_level { /* warned (before) or breached (after) */
    struct span at; /* from the limit: "-2h", "1d" */
    char to[48];    /* rung of the ladder */
};
struct policy_clause {
    char id[POLICY_WORD_CAP];
    char title[96];
    /* struct policy_event; runs on the key of its start event. Each list: any of them. */
    struct slice start, stop;
    struct slice reset;  /* begins anew from this event: a new target, the same start */
    struct slice cancel; /* ends without a verdict */
    struct slice pause;  /* char[48]: reasons of `pauses` that stop it; none: no pause moves it */
    bool explain;        /* ticket.explained before the limit meets it */
    bool outlives;       /* runs on when the ticket is closed; only its cancelling ends it */
    char calendar[48];   /* "" = round the clock */
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
    struct slice region_classes; /* struct policy_region_class */
    struct slice ladder;         /* struct policy_rung, lowest first */
    struct slice pauses;         /* struct policy_pause */
    bool retarget_open; /* open tickets follow this version from its publication on; else only those assessed from then on */
    bool reads_recorded; /* whose personal data somebody reads is on record (S22.4) */
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
    const char *phase;
    const char *region_class; /* policy_region_class of the region; functions that take the policy find it themselves */
};
bool policy_matches(const struct policy_match *, const struct policy_subject *);
/* The class of a region, never NULL; "": none. */
const char *policy_region_class(const struct policy *, const char *region);
const struct policy_kind *policy_kind(const struct policy *, const char *kind);
const char *policy_priority(const struct policy *, const struct policy_subject *);
const struct policy_term *policy_term(const struct policy *, const struct policy_subject *);
const struct policy_clause *policy_clause(const struct policy *, const char *id);
/* The line that decides; NULL: the clause does not run for such a ticket. The subject's region_class counts as it stands. */
const struct policy_limit *policy_limit(const struct policy_clause *, const struct policy_subject *);
const struct policy_followup *policy_followup(const struct policy *, const struct policy_subject *);
const struct policy_tier *policy_tier(const struct policy *, int64_t tier);
const struct policy_pause *policy_pause(const struct policy *, const char *reason);
/* Its place on the ladder from 0, lowest first; -1: it has none. */
int policy_rung(const struct policy *, const char *to);

/* The calendar by which a line of the clause counts; "" = round the clock. */
const char *policy_limit_calendar(const struct policy_clause *, const struct policy_limit *);

/* --- events that clauses and pauses name ------------------------------------------------------- */

/* What is said in an event's data, for `when`: the field's text, numbers and booleans (true, false) as their text. False: the
 * field is not there. */
struct policy_data {
    bool (*text)(void *ctx, const char *field, char *out, size_t cap);
    void *ctx;
};
/* Is the type among those of the list, whatever the data? */
bool policy_event_is(const struct slice *events, const char *type);
/* The first of the list that the event is; NULL: none. data NULL: nothing is said, every field is empty. */
const struct policy_event *policy_event_find(const struct slice *events, const char *type, const struct policy_data *);
/* Does the event begin or end that reason to wait? Of ticket.waiting and ticket.resumed without a `when` of their own it is the
 * reason that decides; a resumption without a reason ends every wait. */
bool policy_pause_begins(const struct policy_pause *, const char *type, const struct policy_data *);
bool policy_pause_ends(const struct policy_pause *, const char *type, const struct policy_data *);
/* Does the clause wait for that reason? */
bool policy_clause_pauses(const struct policy_clause *, const char *reason);

/* What an event is about (its key), and so what a clause runs on: a set, where its key may name one or the other. The bits
 * are those of proto/catalogue.h. */
enum policy_on {
    POLICY_ON_TICKET = 1 << 0,
    POLICY_ON_UNIT = 1 << 1,
    POLICY_ON_CALL = 1 << 2,
    POLICY_ON_CONTRACT = 1 << 3,
    POLICY_ON_ORDER = 1 << 4,
    POLICY_ON_PERSON = 1 << 5,
    POLICY_ON_LINE = 1 << 6,
    POLICY_ON_SITE = 1 << 7,
    POLICY_ON_CUSTOMER = 1 << 8,
    POLICY_ON_PRODUCT = 1 << 9,
    POLICY_ON_DOCUMENT = 1 << 10,
    POLICY_ON_TRAINING = 1 << 11,
    POLICY_ON_CAMPAIGN = 1 << 12,
    POLICY_ON_OPINION = 1 << 13,
    POLICY_ON_SURVEY = 1 << 14
};
#define POLICY_ON_ANY ((1U << 15) - 1)
#define POLICY_ON_TEXT_MAX 160
void policy_on_print(unsigned on, char out[POLICY_ON_TEXT_MAX]); /* "ticket", "ticket|contract", "any" */

/* Event types a clause may name, NULL-terminated, and what each is about. */
#define POLICY_FACTS_CAP 256
extern const char *const policy_facts[];
extern const int policy_facts_n;
/* Its index in policy_facts; -1: none. */
int policy_fact(const char *type);
unsigned policy_fact_on(int fact);
/* What all its events may be about. A checked clause has something; where that is the ticket or something else, the key of the
 * start event tells. */
unsigned policy_clause_on(const struct policy_clause *);

/* Reads and checks a file's text: everything found wrong is added, with line and path. Semantic checks included (a line that
 * an earlier one hides, an id twice, an unknown event type, a calendar that is not listed …). event_data gives the table of an
 * event type's data (NULL: it has none), so that fields in `when` and `from` are checked; NULL: they are not. */
bool policy_parse(const char *text, size_t n, struct arena *, struct policy *, struct problems *,
                  const struct record *(*event_data)(const char *type)) MUST_CHECK;
/* From policy.published's `policy` (msgpack). */
bool policy_decode(struct bytes, struct arena *, struct policy *, struct problem *) MUST_CHECK;

#endif
