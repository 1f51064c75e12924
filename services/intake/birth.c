#include "birth.h"
#include "base/digest.h"
#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "bus/key.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define UNBORN "unborn" /* behind the name: the commit is not known to stand */

static void path_of(const struct settings *settings, char out[400])
{
    text_format(out, 400, "%s/keys/stream", settings->data);
}

static bool word_write(const struct settings *settings, const char *stream, const char *state)
{
    char path[400], folder[400], text[100];
    path_of(settings, path);
    text_format(folder, sizeof(folder), "%s/keys", settings->data);
    if (mkdir(folder, 0700) != 0 && errno != EEXIST)
        return false;
    text_format(text, sizeof(text), "%s %s\n", stream, state);
    return file_replace(path, bytes_of_text(text));
}

/* The stream that a key file of this folder names; "": there is none, or it names none. */
static void key_names(const struct settings *settings, const char *id, char stream[64])
{
    char path[400];
    struct bus_key key;
    struct problem problem;
    stream[0] = '\0';
    text_format(path, sizeof(path), "%s/keys/%s.key", settings->data, id);
    if (access(path, F_OK) != 0 || !bus_key_load(path, &key, &problem))
        return; /* what is wrong with it is said when it is taken */
    text_copy(stream, 64, key.stream);
    bus_key_forget(&key);
}

static bool is_of_name(const char *stream, const char *name)
{
    size_t n = strlen(name);
    return strncmp(stream, name, n) == 0 && stream[n] == '-' && strlen(stream) == n + 9;
}

static bool refuse(const struct settings *settings, const char *stream)
{
    log_error("%s belongs to the stream %s (keys/ says so), which the database does not have: do the settings name the right one "
              "(intake.dsn)? To begin another stream here move %s/keys away",
              settings->data, stream, settings->data);
    return false;
}

/* What the folder says of itself; "": nothing. */
static void word_read(const struct settings *settings, char said[64], char state[16])
{
    char path[400];
    said[0] = state[0] = '\0';
    path_of(settings, path);
    FILE *file = fopen(path, "re");
    if (file != NULL && fscanf(file, "%63s %15s", said, state) != 2)
        said[0] = '\0';
    if (file != NULL)
        fclose(file);
}

bool birth_is(const struct settings *settings, const char *stream)
{
    char said[64], state[16];
    word_read(settings, said, state);
    if (said[0] == '\0' || text_equal(state, UNBORN) || text_equal(said, stream))
        return true;
    return refuse(settings, said);
}

bool birth_name(const struct settings *settings, const char *name, char out[64])
{
    static const char *const ids[] = {"operator", "server"};
    char said[64], state[16], keyed[64], hex[9];
    uint8_t random[4];
    word_read(settings, said, state);
    bool unborn = text_equal(state, UNBORN) && is_of_name(said, name);
    if (said[0] != '\0' && !unborn)
        return refuse(settings, said);
    for (size_t i = 0; i < COUNT_OF(ids); i++) {
        key_names(settings, ids[i], keyed);
        if (keyed[0] != '\0' && !text_equal(keyed, said))
            return refuse(settings, keyed);
    }
    random_fill(random, sizeof(random));
    hex_print(random, sizeof(random), hex);
    if (unborn)
        text_copy(out, 64, said);
    else
        text_format(out, 64, "%s-%s", name, hex);
    return true;
}

bool birth_said(const struct settings *settings, const char *stream)
{
    if (word_write(settings, stream, UNBORN))
        return true;
    log_error("%s/keys/stream cannot be written: %s", settings->data, strerror(errno));
    return false;
}

void birth_done(const struct settings *settings, const char *stream)
{
    if (!word_write(settings, stream, "begun"))
        log_warn("%s/keys/stream cannot be written: %s", settings->data, strerror(errno));
}
