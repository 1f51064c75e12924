/* Whose the socket folder is: the file `owner` in it, locked by a supervisor as long as it lives, names its data folder. Two
 * installations with one socket folder would serve each other's workers. */
#include "base/text.h"
#include "supervise.h"
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void path_of(const struct settings *settings, char path[400])
{
    text_format(path, 400, "%s/owner", settings->sockets);
}

static void owner_read(int fd, char owner[256])
{
    ssize_t n = pread(fd, owner, 255, 0);
    owner[n > 0 ? n : 0] = '\0';
    owner[strcspn(owner, "\n")] = '\0';
}

bool sockets_hold(const struct settings *settings, int *fd, char owner[256])
{
    char path[400];
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    owner[0] = '\0';
    path_of(settings, path);
    *fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
    if (*fd < 0)
        return false;
    if (fcntl(*fd, F_SETLK, &lock) == 0)
        return ftruncate(*fd, 0) == 0 && dprintf(*fd, "%s\n", settings->data) > 0;
    owner_read(*fd, owner);
    close(*fd);
    *fd = -1;
    return false;
}

bool sockets_are_free(const struct settings *settings, char owner[256])
{
    char path[400];
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    owner[0] = '\0';
    path_of(settings, path);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return true;
    bool held = fcntl(fd, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
    if (held)
        owner_read(fd, owner);
    close(fd);
    return !held;
}

void sockets_forget(const struct settings *settings)
{
    char path[400];
    path_of(settings, path);
    unlink(path);
}
