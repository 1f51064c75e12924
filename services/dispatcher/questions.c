/* What may be asked: jobs, why, sites, engineers. The arguments stand in proto/questions.c; an
 * empty one asks for all. The bounds on the key let the primary key's index find one ticket's jobs;
 * '~' sorts behind all keys. */
#include "services/dispatcher/handlers.h"

#define JOBS_OF_TICKET(n)                                                                          \
    " j.\"job\" >= CASE WHEN $" n "::text = '' THEN '' ELSE $" n "::text || '/j' END"              \
    " AND j.\"job\" < CASE WHEN $" n "::text = '' THEN '~' ELSE $" n "::text || '/k' END "

static const char jobs_sql[] =
    "SELECT * FROM ("
    " SELECT j.\"job\", j.\"ticket\", j.\"site\", j.\"tier\","
    "  CASE WHEN j.\"state\" = 'accepted' AND j.\"arrived\" IS NOT NULL THEN 'arrived'"
    "       WHEN j.\"state\" = 'done' AND j.\"reported\" IS NOT NULL THEN 'reported'"
    "       ELSE j.\"state\" END AS \"state\","
    "  j.\"reason\", coalesce(t.\"region\", '') AS \"region\", j.\"engineer\", j.\"implied\","
    "  j.\"offered\", j.\"due\", j.\"answered\", j.\"arrived\", j.\"reported\", j.\"outcome\""
    " FROM \"job\" j LEFT JOIN \"ticket\" t ON t.\"ticket\" = j.\"ticket\""
    " WHERE" JOBS_OF_TICKET(
        "1") "AND ($2::text = '' OR j.\"site\" = $2::text) AND j.\"job\" > $5::text"
             ") q WHERE $3::text = '' OR q.\"state\" = $3::text ORDER BY q.\"job\" LIMIT "
             "$4::bigint";

/* The choice is kept as text (proto/job.h): one line a word. */
static const char why_sql[] =
    "SELECT * FROM ("
    " SELECT j.\"job\" || '/' || lpad(c.n::text, 2, '0') AS \"line\", j.\"job\","
    "  split_part(split_part(c.word, '!', 1), '=', 1) AS \"site\", j.\"tier\","
    "  c.n = 1 AS \"chosen\", split_part(c.word, '!', 2) AS \"removed\","
    "  coalesce(substring(c.word from '=([0-9]+)')::bigint, 0) AS \"load\","
    "  coalesce(substring(c.word from '=[0-9]+/([0-9]+)')::bigint, 0) AS \"capacity\","
    "  coalesce(substring(c.word from '=([0-9]+)')::bigint, 0) AS \"score\","
    "  split_part(split_part(c.word, '!', 1), '@', 2) AS \"engineer\""
    " FROM \"job\" j CROSS JOIN LATERAL regexp_split_to_table(j.\"choice\", ' ')"
    "  WITH ORDINALITY AS c(word, n)"
    " WHERE ($1::text <> '' OR $2::text <> '') AND j.\"choice\" <> ''"
    "  AND ($1::text = '' OR j.\"job\" = $1::text) AND" JOBS_OF_TICKET(
        "2") ") q WHERE q.\"line\" > $4::text COLLATE \"C\" ORDER BY q.\"line\" COLLATE \"C\" "
             "LIMIT $3::bigint";

static const char sites_sql[] =
    "SELECT s.\"site\", s.\"name\", s.\"tier\", s.\"parent\", s.\"region\", s.\"closed\", "
    "s.\"capacity\","
    " l.\"load\" AS \"open_jobs\", l.\"offers\", l.\"accepted\", l.\"declined\", l.\"expired\","
    " l.\"staff\" AS \"engineers\", coalesce(e.n, 0) AS \"on_duty\""
    " FROM \"site\" s JOIN \"load\" l ON l.\"site\" = s.\"site\""
    " LEFT JOIN (SELECT \"site\", count(*) AS n FROM \"engineer\""
    "  WHERE NOT \"off_duty\" AND NOT \"left\" GROUP BY \"site\") e ON e.\"site\" = s.\"site\""
    " WHERE ($1::bigint = 0 OR s.\"tier\" = $1::bigint) AND s.\"site\" > $3::text"
    " ORDER BY s.\"site\" LIMIT $2::bigint";

static const char engineers_sql[] =
    "SELECT * FROM ("
    " SELECT e.\"engineer\", e.\"site\","
    "  CASE WHEN e.\"left\" THEN 'left' WHEN e.\"off_duty\" THEN 'off' ELSE 'on' END AS \"state\","
    "  coalesce(string_to_array(nullif(e.\"skills\", ''), E'\\n'), '{}') AS \"skills\", e.\"days\","
    "  e.\"expires\", e.\"capacity\", l.\"load\" AS \"open_jobs\""
    " FROM \"engineer\" e JOIN \"engineer_load\" l ON l.\"engineer\" = e.\"engineer\""
    " WHERE ($1::text = '' OR e.\"engineer\" = $1::text)"
    "  AND ($2::text = '' OR e.\"site\" = $2::text) AND e.\"engineer\" > $6::text"
    ") q WHERE ($3::text = '' OR $3::text = ANY(q.\"skills\") OR q.\"skills\" = '{}')"
    " AND ($4::text = '' OR q.\"state\" = $4::text) ORDER BY q.\"engineer\" LIMIT $5::bigint";

const struct question dispatcher_questions[DISPATCHER_QUESTIONS] = {
    {.name = "jobs", .sql = jobs_sql},
    {.name = "why", .sql = why_sql},
    {.name = "sites", .sql = sites_sql},
    {.name = "engineers", .sql = engineers_sql},
};
