#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

static bool path_beside(const char *path, const char *end, char out[FILE_PATH_CAP])
{
    if (snprintf(out, FILE_PATH_CAP, "%s%s", path, end) < FILE_PATH_CAP)
        return true;
    errno = ENAMETOOLONG;
    return false;
}

bool file_name_sync(char *path)
{
    int fd = open(dirname(path), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool fine = fd >= 0 && fsync(fd) == 0;
    if (fd >= 0)
        close(fd);
    return fine;
}

bool file_replace(const char *path, struct bytes content)
{
    char fresh[FILE_PATH_CAP];
    if (!path_beside(path, ".new", fresh))
        return false;
    int fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    bool fine = fd >= 0 && write(fd, content.data, content.len) == (ssize_t)content.len && fsync(fd) == 0;
    if (fd >= 0)
        fine = close(fd) == 0 && fine;
    if (fine && rename(fresh, path) == 0)
        return file_name_sync(fresh);
    int why = errno;
    unlink(fresh);
    errno = why;
    return false;
}

enum status file_load(const char *path, size_t bytes_max, struct buf *out)
{
    ssize_t n = 0;
    size_t room = bytes_max + 1;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? STATUS_ABSENT : STATUS_REFUSED;
    while (room > 0 && (n = read(fd, buf_reserve(out, room), room)) > 0) {
        out->len += (size_t)n;
        room -= (size_t)n;
    }
    close(fd);
    return n < 0 || room == 0 ? STATUS_REFUSED : STATUS_OK;
}

int file_lock(const char *path)
{
    char lock[FILE_PATH_CAP];
    int fd = path_beside(path, ".lock", lock) ? open(lock, O_RDWR | O_CREAT | O_CLOEXEC, 0600) : -1;
    if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0)
        return fd;
    if (fd >= 0)
        close(fd);
    return -1;
}
