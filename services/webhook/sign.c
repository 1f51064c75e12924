#include "sign.h"
#include "base/digest.h"
#include "base/text.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SECRET_BYTES 32

static bool trouble(const char *path, const char *why, char *error, size_t error_cap)
{
    struct buf text = {0};
    buf_append_format(&text, "%s: %s", path, why);
    (void)text_copy(error, error_cap, buf_text(&text));
    buf_release(&text);
    return false;
}

static bool secret_make(const char *path, char *error, size_t error_cap)
{
    uint8_t bytes[SECRET_BYTES];
    char text[2 * SECRET_BYTES + 2];
    random_fill(bytes, sizeof(bytes));
    hex_print(bytes, sizeof(bytes), text);
    text[2 * SECRET_BYTES] = '\n';
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    bool written = fd >= 0 && write(fd, text, 2 * SECRET_BYTES + 1) == 2 * SECRET_BYTES + 1 && fsync(fd) == 0;
    int why = errno;
    if (fd >= 0)
        close(fd);
    return written || trouble(path, strerror(why), error, error_cap);
}

static bool lines_take(struct secrets *secrets, const char *text)
{
    secrets->n = 0;
    for (const char *at = text + strspn(text, " \r\n"); *at != '\0'; at += strspn(at, " \r\n")) {
        size_t n = strcspn(at, " \r\n");
        if (n < 16 || secrets->n == SECRETS_MAX || !text_copy_n(secrets->items[secrets->n], SECRET_CAP, at, n))
            return false;
        secrets->n++;
        at += n;
    }
    return secrets->n > 0;
}

bool secrets_read(const char *path, struct secrets *secrets, char *error, size_t error_cap)
{
    char text[2 * SECRET_CAP + 8] = "";
    struct stat stat;
    if (access(path, F_OK) != 0 && !secret_make(path, error, error_cap))
        return false;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd >= 0 && fstat(fd, &stat) == 0 ? read(fd, text, sizeof(text) - 1) : -1;
    int why = errno;
    if (fd >= 0)
        close(fd);
    if (n < 0)
        return trouble(path, strerror(why), error, error_cap);
    text[n] = '\0';
    if ((stat.st_mode & 077) != 0)
        return trouble(path, "others may read this secret: chmod 600", error, error_cap);
    return lines_take(secrets, text) || trouble(path, "expected one or two lines of 16 to 128 characters", error, error_cap);
}

void sign(const struct secrets *secrets, int64_t seconds, struct bytes body, struct buf *out)
{
    struct buf text = {0};
    buf_append_format(&text, "%" PRId64 ".", seconds);
    buf_append(&text, body.data, body.len);
    buf_append_format(out, "t=%" PRId64, seconds);
    for (uint32_t i = 0; i < secrets->n; i++) {
        uint8_t digest[EVP_MAX_MD_SIZE];
        char hex[2 * EVP_MAX_MD_SIZE + 1];
        unsigned n = 0;
        (void)HMAC(EVP_sha256(), secrets->items[i], (int)strlen(secrets->items[i]), text.data, text.len, digest, &n);
        hex_print(digest, n, hex);
        buf_append_format(out, ",v1=%s", hex);
    }
    buf_release(&text);
}
