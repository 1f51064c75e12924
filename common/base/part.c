#include "base/part.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define END ".part"

/* What is there, into the digest. */
static bool part_read(struct part *part)
{
    uint8_t bytes[65536];
    ssize_t n;

    while ((n = pread(part->fd, bytes, sizeof bytes, (off_t)part->bytes)) > 0) {
        digest_add(part->digest, bytes_of(bytes, (size_t)n));
        part->bytes += n;
    }
    return n == 0;
}

/* What another has laid there would be his to read when it is whole. */
static bool is_ours(int fd)
{
    struct stat stat;
    if (fstat(fd, &stat) != 0)
        return false;
    errno = EPERM;
    return S_ISREG(stat.st_mode) && stat.st_uid == geteuid() && fchmod(fd, 0600) == 0;
}

enum status part_open(struct part *part, const char *path)
{
    *part = (struct part){.fd = -1};
    if (snprintf(part->path, sizeof part->path, "%s%s", path, END) >= (int)sizeof part->path) {
        errno = ENAMETOOLONG;
        return STATUS_REFUSED;
    }
    part->fd = open(part->path, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
    if (part->fd < 0 || !is_ours(part->fd))
        return STATUS_REFUSED;
    part->digest = digest_new();
    part->own = flock(part->fd, LOCK_EX | LOCK_NB) == 0;
    if (!part->own)
        return errno == EWOULDBLOCK ? STATUS_AGAIN : STATUS_REFUSED;
    return part_read(part) ? STATUS_OK : STATUS_REFUSED;
}

bool part_add(struct part *part, struct bytes bytes)
{
    for (size_t at = 0; at < bytes.len;) {
        ssize_t n = pwrite(part->fd, bytes.data + at, bytes.len - at, (off_t)part->bytes);
        if (n < 0)
            return false;
        digest_add(part->digest, bytes_of(bytes.data + at, (size_t)n));
        at += (size_t)n;
        part->bytes += n;
    }
    return true;
}

bool part_is_true(struct part *part, const uint8_t sha256[DIGEST_BYTES])
{
    uint8_t found[DIGEST_BYTES];

    digest_end(&part->digest, found);
    if (memcmp(found, sha256, sizeof found) == 0)
        return true;
    part->own = false;
    (void)unlink(part->path);
    return false;
}

bool part_end(struct part *part)
{
    char path[FILE_PATH_CAP];

    snprintf(path, sizeof path, "%.*s", (int)(strlen(part->path) - strlen(END)), part->path);
    if (fsync(part->fd) != 0 || rename(part->path, path) != 0)
        return false;
    part->own = false;
    return file_name_sync(path);
}

void part_close(struct part *part)
{
    digest_end(&part->digest, NULL);
    if (part->fd < 0)
        return;
    if (part->own && part->bytes == 0)
        (void)unlink(part->path);
    close(part->fd);
    part->fd = -1;
}
