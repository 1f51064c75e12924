/* What may be asked: callbacks. The arguments stand in proto/questions.c; an empty one asks for
 * all. The bounds on the key let the primary key's index find one ticket's callbacks; '~' sorts
 * behind all keys, '0' behind '/'. */
#include "services/follow-up/handlers.h"

static const char callbacks_sql[] =
    "SELECT \"callback\", \"ticket\", \"k\", \"region\", \"kind\", \"state\", \"resolved\", "
    "\"due\", \"until\","
    " \"recorded\", \"attempts\", \"reached\", \"satisfaction\", \"reopen\""
    " FROM \"callback\" WHERE ($1::text = '' OR \"state\" = $1::text)"
    " AND \"callback\" >= CASE WHEN $2::text = '' THEN '' ELSE $2::text || '/' END"
    " AND \"callback\" < CASE WHEN $2::text = '' THEN '~' ELSE $2::text || '0' END"
    " AND starts_with(\"region\", $3::text) AND \"callback\" > $5::text"
    " ORDER BY \"callback\" LIMIT $4::bigint";

const struct question follow_up_questions[FOLLOW_UP_QUESTIONS] = {
    {.name = "callbacks", .sql = callbacks_sql},
};
