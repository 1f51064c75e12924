/* What may be asked: limits. The arguments stand in proto/questions.c; an empty one asks for all.
 * The bounds on the key let the primary key's index find one ticket's clocks; '0' follows '/'. */
#include "services/sla-watchdog/on.h"

static const char limits_sql[] =
    "SELECT c.\"clock\" AS \"limit\", split_part(c.\"clock\", '/', 1) AS \"key\", c.\"clause\", "
    "c.\"k\", c.\"target\","
    " coalesce(t.\"region\", '') AS \"region\", c.\"state\", c.\"from\", c.\"due\", c.\"stopped\", "
    "c.\"detected\","
    " CASE WHEN c.\"level\" = -100 THEN 0 ELSE c.\"level\" END AS \"level\", c.\"reported_late\", "
    "c.\"span\", c.\"calendar\","
    " coalesce(t.\"policy\", '') AS \"policy\""
    " FROM \"clock\" c LEFT JOIN \"ticket\" t ON t.\"ticket\" = split_part(c.\"clock\", '/', 1) "
    "COLLATE \"C\""
    " WHERE c.\"clock\" >= CASE WHEN $1::text = '' THEN '' ELSE $1::text || '/' END"
    " AND c.\"clock\" < CASE WHEN $1::text = '' THEN '~' ELSE $1::text || '0' END"
    " AND ($2::text = '' OR c.\"clause\" = $2::text) AND ($3::text = '' OR c.\"state\" = $3::text)"
    " AND ($4::text = '' OR starts_with(t.\"region\", $4::text)) AND c.\"clock\" > $6::text"
    " ORDER BY c.\"clock\" LIMIT $5::bigint";

const struct question sla_watchdog_questions[SLA_WATCHDOG_QUESTIONS] = {
    {.name = "limits", .sql = limits_sql},
};
