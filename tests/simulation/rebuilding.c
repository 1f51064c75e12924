/* Rebuild and verify as they are; what they would print is judged here. */
#include "worker/shell.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "table/compare.h"
#include "table/mirror.h"
#include "worker/scan.h"
#include "world.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int printed(const char *format, ...) PRINTF_LIKE(1, 2);

#undef isatty
#define isatty(fd) false
#define printf printed
#define putchar(c) (void)(c)
#include "common/worker/rebuild.c"
#undef printf
#undef putchar

/* The only lines there are: a row that differs; the sum; what was rebuilt. */
static int printed(const char *format, ...)
{
    char line[400];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(line, sizeof(line), format, args);
    va_end(args);
    bool differs = text_equal(format, "%s %s\n") || (strstr(line, "differ from") != NULL && strstr(line, " 0 differ") == NULL);
    line[strcspn(line, "\n")] = '\0';
    if (differs)
        world_broken("verify finds: %s", line);
    world_say("%s", line);
    return n;
}
