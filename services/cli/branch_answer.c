/* What a branch answered to one event. */
#include "base/text.h"
#include "connection.h"
#include "event_print.h"
#include <inttypes.h>
#include <string.h>

struct result {
    int64_t n, queued;
    char number[EVENT_KEY_CAP];
};
static const struct field result_fields[] = {
    F_INT(result, n, 0, "the branch's number"),
    F_TEXT(result, number, 0, "ticket number"),
    F_INT(result, queued, 0, "facts waiting"),
};
static const struct record result_record = RECORD(result, result_fields, "a branch's answer");

int branch_answer_print(const struct cli *cli, const char *type, const char *key, const struct answer *answer)
{
    struct result result;
    struct problem problem;
    record_clear(&result_record, &result);
    if (answer->result.len > 0 &&
        !record_decode(&result_record, RECORD_WHOLE, DECODE_LENIENT, answer->result, NULL, &result, &problem))
        record_clear(&result_record, &result);
    if (cli->json) {
        struct buf out = {0};
        record_print_json(&result_record, RECORD_WHOLE, &result, &out);
        printf("{\"taken\":true,\"pos\":null,\"result\":%s}\n", buf_text(&out));
        buf_release(&out);
        return CLI_DONE;
    }
    printf(in_words(cli->language, "%s %s kept as number %" PRId64 "; %" PRId64 " wait to be sent\n"), type,
           result.number[0] != '\0' ? result.number : key, result.n, result.queued);
    return CLI_DONE;
}
