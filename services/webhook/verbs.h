/* What an operator does with the queue by hand: `aftercare webhook …` comes here. */
#ifndef AFTERCARE_WEBHOOK_VERBS_H
#define AFTERCARE_WEBHOOK_VERBS_H

#include "hooks.h"
#include "settings/settings.h"

struct verb {
    const char *words[3];
    size_t words_n;
    const char *reason; /* NULL: none given */
    bool json;
};

bool verb_is_known(const struct verb *);
/* The exit code. */
int verb_run(const struct verb *, const struct settings *, const struct hooks *);

#endif
