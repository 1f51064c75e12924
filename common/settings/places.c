#include "settings/places.h"
#include "base/text.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A socket's path has 108 bytes (unix(7)); the longest name in the folder takes under 28 of them. */
#define SOCKETS_LEN_MAX 80

static const char *environment(const char *name)
{
    const char *value = getenv(name);
    return value && *value ? value : NULL;
}

static const char *given_data(const char *data_dir)
{
    return data_dir && *data_dir ? data_dir : environment("AFTERCARE_DATA");
}

bool places_given(const char *data_dir)
{
    return given_data(data_dir) != NULL;
}

static bool put(char *out, size_t cap, const char *folder, const char *name)
{
    int n = snprintf(out, cap, "%s%s", folder, name);
    return n >= 0 && (size_t)n < cap;
}

static bool own_data(char *out, size_t cap)
{
    const char *home = environment("XDG_DATA_HOME");
    if (geteuid() == 0)
        return put(out, cap, SYSTEM_DATA, "");
    if (home)
        return put(out, cap, home, "/aftercare");
    home = environment("HOME");
    return put(out, cap, home ? home : "/tmp", "/.local/share/aftercare");
}

/* "DIR/" and "DIR" are the same place. */
static void trim(char *path)
{
    size_t n = strlen(path);
    while (n > 1 && path[n - 1] == '/')
        path[--n] = 0;
}

bool places_data(const char *data_dir, char *out, size_t cap)
{
    const char *given = given_data(data_dir);
    bool fits = true;
    if (!given)
        fits = own_data(out, cap);
    else if (*given == '/')
        fits = put(out, cap, given, "");
    else { /* daemons are started elsewhere than the command was */
        char here[1024];
        if (!getcwd(here, sizeof here))
            return false;
        int n = snprintf(out, cap, "%s/%s", here, given);
        fits = n >= 0 && (size_t)n < cap;
    }
    trim(out);
    return fits;
}

static bool is_own(const char *data)
{
    char own[256];
    if (!own_data(own, sizeof own))
        return false;
    trim(own);
    return text_equal(own, data);
}

void places_sockets(const char *data, char *out, size_t cap)
{
    const char *runtime = environment("XDG_RUNTIME_DIR");
    unsigned uid = (unsigned)geteuid();
    if (text_equal(data, SYSTEM_DATA))
        text_format(out, cap, "%s", SYSTEM_SOCKETS);
    else if (!is_own(data) && strlen(data) + 4 <= SOCKETS_LEN_MAX)
        text_format(out, cap, "%s/run", data);
    else if (!is_own(data))
        text_format(out, cap, "/tmp/aftercare-%u-%08x", uid, (unsigned)(hash_text(data) >> 32));
    else if (runtime && strlen(runtime) + 10 <= SOCKETS_LEN_MAX)
        text_format(out, cap, "%s/aftercare", runtime);
    else
        text_format(out, cap, "/tmp/aftercare-%u", uid);
}

bool places_file(const char *data_dir, const char *data, char *out, size_t cap)
{
    if (put(out, cap, data, "/aftercare.yaml") && access(out, F_OK) == 0)
        return true;
    /* The host's file is for the host's instance, and for who asks about it without having one of their own. */
    if (given_data(data_dir) && !text_equal(data, SYSTEM_DATA))
        return false;
    return put(out, cap, SYSTEM_FILE, "") && access(out, F_OK) == 0;
}
