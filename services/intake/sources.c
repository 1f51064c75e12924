#include "sources.h"
#include "base/instant.h"
#include "base/mutation.h"
#include "base/text.h"
#include <string.h>

bool source_principal(const char *source, char *principal, size_t cap)
{
    size_t n = strcspn(source, "/");
    if (!text_is_key(source, n) || n >= cap)
        return false;
    if (source[n] == '/' && source[n + 1] == '\0')
        return false;
    return text_copy_n(principal, cap, source, n);
}

static bool deny(struct verb_denied *denied, const char *code, const char *why)
{
    text_copy(denied->code, sizeof(denied->code), code);
    text_copy(denied->why, sizeof(denied->why), why);
    return false;
}

bool source_judge(const struct source_row *known, const struct verb_hello *hello, const char *stream, bool worker,
                  struct verb_denied *denied)
{
    if (hello->proto_n != 2 || hello->proto[0] > PROTO_VERSION || hello->proto[1] < PROTO_VERSION)
        return deny(denied, "proto", "this intake speaks version 1");
    if (!text_equal(hello->stream, stream))
        return deny(denied, "stream", stream);
    if (known->frozen)
        return deny(denied, "frozen", "other content under a number that was answered; an operator enrols it again");
    if (worker)
        return true;
    if (known->enrolled && memcmp(known->incarnation, hello->incarnation, INCARNATION_BYTES) != 0)
        return deny(denied, "incarnation", "another spool than the one enrolled; an operator lets it in");
    char why[160];
    if (hello->last >= 0 && hello->last < known->last) {
        text_format(why, sizeof(why), "numbers up to %lld are answered, the source gave out only %lld",
                    (long long)known->last, (long long)hello->last);
        return deny(denied, "behind", why);
    }
    if (hello->first > known->last + 1) {
        text_format(why, sizeof(why), "numbers from %lld on are missing", (long long)known->last + 1);
        return deny(denied, "gap", why);
    }
    return true;
}

enum source_place source_place(const struct source_row *source, int64_t n)
{
    if (n == source->last + 1 || (MUTATION(MUTATION_GAP_TAKEN) && n > source->last) ||
        (MUTATION(MUTATION_DUPLICATE_TAKEN) && n <= source->last))
        return PLACE_NEXT;
    return n <= source->last ? PLACE_BEFORE : PLACE_GAP;
}

bool source_keeps_refusal(struct source_row *source, int64_t rec_us, size_t bytes, int64_t per_day)
{
    int64_t day = rec_us / DAY_US;
    if (source->refused_day != day) {
        source->refused_day = day;
        source->refused_n = source->refused_bytes = 0;
    }
    if (source->refused_n >= per_day || source->refused_bytes + (int64_t)bytes > REFUSED_BYTES_PER_DAY) {
        source->unkept++;
        return false;
    }
    source->refused_n++;
    source->refused_bytes += (int64_t)bytes;
    return true;
}

bool source_is_any(const uint8_t incarnation[INCARNATION_BYTES])
{
    static const uint8_t none[INCARNATION_BYTES];
    return memcmp(incarnation, none, sizeof(none)) == 0;
}
