/* What may be asked: limits, subject. The arguments stand in proto/questions.c; an empty one asks
 * for all. The bounds on the key let the primary key's index find one key's clocks; '0' follows
 * '/'. */
#include "services/sla-watchdog/on.h"

static const char limits_sql[] =
    "SELECT c.\"clock\" AS \"limit\", split_part(c.\"clock\", '/', 1) AS \"key\","
    " split_part(split_part(c.\"clock\", '/', 2), '.', 1) AS \"clause\","
    " split_part(split_part(c.\"clock\", '/', 2), '.', 2)::bigint AS \"k\", c.\"target\","
    " coalesce(s.\"region\", '') AS \"region\", v.\"state\", c.\"from\", c.\"said\" AS \"due\","
    " c.\"stopped\", c.\"detected\","
    " CASE WHEN c.\"level\" = -100 THEN 0 ELSE c.\"level\" END AS \"level\", c.\"reported_late\","
    " c.\"explained\", c.\"span\", coalesce(k.\"version\", '') AS \"calendar\","
    " coalesce(p.\"version\", '') AS \"policy\", c.\"line\", c.\"start_pos\" AS \"start\","
    " c.\"tier\", CASE WHEN c.\"quantity\" > 0 THEN c.\"quantity\""
    " ELSE coalesce(s.\"quantity\", 0) END AS \"quantity\""
    " FROM \"clock\" c"
    " LEFT JOIN \"subject\" s ON s.\"subject\" = split_part(c.\"clock\", '/', 1) COLLATE \"C\""
    " LEFT JOIN \"published\" p ON p.\"pos\"::text = split_part(c.\"follows\", '/', 1)"
    " LEFT JOIN \"published\" k ON k.\"pos\"::text = split_part(c.\"follows\", '/', 2)"
    " CROSS JOIN LATERAL (SELECT CASE WHEN c.\"state\" = 'running' AND c.\"said\" IS NULL"
    " THEN 'paused' ELSE c.\"state\" END AS \"state\") v"
    " WHERE c.\"clock\" >= CASE WHEN $1::text = '' THEN '' ELSE $1::text || '/' END"
    " AND c.\"clock\" < CASE WHEN $1::text = '' THEN '~' ELSE $1::text || '0' END"
    " AND ($2::text = '' OR split_part(split_part(c.\"clock\", '/', 2), '.', 1) = $2::text)"
    " AND ($3::text = '' OR v.\"state\" = $3::text)"
    " AND ($4::text = '' OR starts_with(s.\"region\", $4::text)) AND c.\"clock\" > $6::text"
    " ORDER BY c.\"clock\" LIMIT $5::bigint";

static const char subject_sql[] =
    "SELECT s.\"subject\" AS \"key\", coalesce(p.\"version\", '') AS \"policy\", s.\"kind\","
    " s.\"region\", s.\"product\", s.\"channel\", s.\"priority\", s.\"coverage\", s.\"phase\","
    " s.\"quantity\", s.\"opened\", s.\"ended\", s.\"ticket\", s.\"forgotten\""
    " FROM \"subject\" s LEFT JOIN \"published\" p ON p.\"pos\" = s.\"policy\""
    " WHERE s.\"subject\" = $1::text AND s.\"subject\" > $3::text LIMIT $2::bigint";

const struct question sla_watchdog_questions[SLA_WATCHDOG_QUESTIONS] = {
    {.name = "limits", .sql = limits_sql},
    {.name = "subject", .sql = subject_sql},
};
