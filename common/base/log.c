#include "base/log.h"
#include "base/clock.h"
#include "base/instant.h"
#include "base/text.h"
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MESSAGE_CAP 2000
#define LINE_CAP (MESSAGE_CAP * 6 + 200) /* the worst escape takes six bytes */

static char log_name[64] = "aftercare";
static bool log_json;

void log_open(const char *name, bool json)
{
    text_copy(log_name, sizeof log_name, name);
    log_json = json;
}

/* One event stays one line, whatever a peer put into a text. */
static void flatten(char *message)
{
    for (char *p = message; *p; p++)
        if ((unsigned char)*p < 0x20 || *p == 0x7f)
            *p = ' ';
}

static size_t escape(const char *message, char *out)
{
    size_t n = 0;
    for (const char *p = message; *p; p++) {
        if (*p == '"' || *p == '\\')
            out[n++] = '\\';
        out[n++] = *p;
    }
    return n;
}

static void line_write(const char *line, size_t n)
{
    while (n > 0) {
        ssize_t done = write(STDERR_FILENO, line, n);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return; /* nowhere to say it */
        line += done;
        n -= (size_t)done;
    }
}

static void __attribute__((format(printf, 2, 0))) log_line(const char *word, const char *format, va_list args)
{
    int saved = errno;
    char message[MESSAGE_CAP], line[LINE_CAP], at[INSTANT_TEXT_MAX];
    vsnprintf(message, sizeof message, format, args);
    flatten(message);
    int64_t now_us = clock_wall_us();
    instant_print(now_us - now_us % (log_json ? 1000 : SECOND_US), at);
    int n;
    if (log_json) {
        n = snprintf(line, sizeof line, "{\"time\":\"%s\",\"service\":\"%s\",\"level\":\"%s\",\"message\":\"", at,
                     log_name, word);
        n += (int)escape(message, line + n);
        n += snprintf(line + n, sizeof line - (size_t)n, "\"}\n");
    } else {
        n = snprintf(line, sizeof line, "%s %s %s: %s\n", at, log_name, word, message);
    }
    line_write(line, (size_t)n);
    errno = saved;
}

void log_info(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    log_line("info", format, args);
    va_end(args);
}

void log_warn(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    log_line("warn", format, args);
    va_end(args);
}

void log_error(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    log_line("error", format, args);
    va_end(args);
}

void log_fatal(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    log_line("fatal", format, args);
    va_end(args);
    exit(1);
}

void log_panic(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    log_line("panic", format, args);
    va_end(args);
    abort();
}
