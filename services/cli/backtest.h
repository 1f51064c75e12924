/* backtest's own parts: the facts it tells, the runs, what it prints. */
#ifndef AFTERCARE_CLI_BACKTEST_H
#define AFTERCARE_CLI_BACKTEST_H

#include "cli.h"
#include "mapping.h"
#include "plan.h"
#include "services/simulator/comparison.h"

/* What has happened, without what was concluded from it. Each by the instant at which it was told.
 */
struct facts {
    struct plan told;
    struct plan network; /* told before everything else */
    struct plan rules;   /* policies and calendars of the stream itself */
    int64_t last_us;     /* when the last event was recorded, conclusions included; 0: not known */
    size_t conclusions;  /* left out */
    size_t bad;          /* rows and lines that could not be read */
    bool stepped;        /* a stream of history: what happened counts, not when it was recorded */
    struct arena *arena; /* of a line */
    struct buf data, priv, draft;
};
/* Exit codes. */
int facts_read_csv(const struct cli *, struct facts *, const char *file,
                   const char *mapping_file) MUST_CHECK;
int facts_read_lines(const struct cli *, struct facts *, const char *file, bool network) MUST_CHECK;
int facts_read_journal(const struct cli *, struct facts *) MUST_CHECK;
void facts_release(struct facts *);

struct backtest_side {
    const char *policy; /* version; "" none */
    struct simulator *sim;
    struct outcome outcome;
    size_t refused;
};
struct backtest_result {
    struct backtest_side sides[SIDES];
    bool compared; /* there is an old side */
    size_t facts, conclusions, bad;
    int64_t start_us, end_us;
    struct comparison comparison;
};
void backtest_print(const struct cli *, const struct backtest_result *);
void backtest_print_json(const struct backtest_result *);

#endif
