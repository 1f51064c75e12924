/* Base64 (RFC 4648, padded), for bytes in JSON and YAML. Not for use outside this folder. */
#ifndef AFTERCARE_RECORD_BASE64_H
#define AFTERCARE_RECORD_BASE64_H

#include "base/bytes.h"

void base64_print(struct bytes, struct buf *out);
bool base64_parse(const char *text, size_t n, struct buf *out);

#endif
