/* Which of the deliberate bugs of base/mutation.h is on in the daemons built with them: MUTATION in the environment. */
#include "base/mutation.h"
#include <stdlib.h>

bool mutation_is(enum mutation which)
{
    const char *number = getenv("MUTATION");
    return number != NULL && atoi(number) == (int)which;
}
