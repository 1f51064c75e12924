/* reporting folds the journal into a register and concludes nothing: who has written a report's files out says so. */
#include "reporting.h"
#include "answer.h"
#include "on.h"
#include "proto/followup.h"
#include "proto/job.h"
#include "proto/questions.h"
#include "proto/reference.h"
#include "proto/sla.h"
#include "proto/ticket.h"

#define APPLY(event, record) {.type = (event), .data = &record##_record, .apply = reporting_on_##record}
static const struct handler handlers[] = {
    APPLY("ticket.assessed", ticket_assessed),
    APPLY("ticket.reclassified", ticket_reclassified),
    APPLY("ticket.cancelled", ticket_cancelled),
    APPLY("ticket.resolved", ticket_resolved),
    APPLY("ticket.closed", ticket_closed),
    APPLY("ticket.reopened", ticket_reopened),
    APPLY("job.offered", job_offered),
    APPLY("job.accepted", job_accepted),
    APPLY("job.declined", job_declined),
    APPLY("job.expired", job_expired),
    APPLY("job.withdrawn", job_withdrawn),
    APPLY("job.handed_over", job_handed_over),
    APPLY("sla.scheduled", sla_scheduled),
    APPLY("sla.met", sla_met),
    APPLY("sla.breached", sla_breached),
    APPLY("sla.corrected", sla_corrected),
    APPLY("followup.due", followup_due),
    APPLY("followup.recorded", followup_recorded),
    APPLY("followup.missed", followup_missed),
    APPLY("report.closed", report_closed),
    APPLY("report.published", report_published),
    APPLY("site.updated", site_updated),
};

static const char tickets_sql[] =
    "SELECT key AS ticket, kind, channel, region, product, priority, coverage, site, tier, state, opened, resolved, closed,"
    " reopenings AS reopened, offers, expired, breached, satisfaction, callback, repeat_of FROM ticket"
    " WHERE ($1 = '' OR key = $1) AND ($2 = '' OR kind = $2) AND ($3 = '' OR starts_with(region, $3))"
    " AND ($4 = '' OR site = $4) AND ($5 = '' OR state = $5) AND key > $7 ORDER BY key LIMIT $6";

static const char summary_sql[] =
    "WITH t AS (SELECT * FROM ticket WHERE $1 = '' OR month = $1), f AS ("
    " SELECT 'tickets' AS section, 1 AS rank, 'opened' AS item, count(*) AS value FROM t"
    " UNION ALL SELECT 'tickets', 2, state, count(*) FROM t GROUP BY state"
    " UNION ALL SELECT 'tickets', 3, 'reopened', count(*) FILTER (WHERE reopenings > 0) FROM t"
    " UNION ALL SELECT 'tickets', 4, 'repeats', count(*) FILTER (WHERE repeat_of <> '') FROM t"
    " UNION ALL SELECT 'jobs', 1, 'offered', coalesce(sum(offers), 0)::bigint FROM t"
    " UNION ALL SELECT 'jobs', 2, 'declined', coalesce(sum(declined), 0)::bigint FROM t"
    " UNION ALL SELECT 'jobs', 3, 'expired', coalesce(sum(expired), 0)::bigint FROM t"
    " UNION ALL SELECT 'limits', 1, 'met', coalesce(sum(met), 0)::bigint FROM t"
    " UNION ALL SELECT 'limits', 2, 'broken', coalesce(sum(breached), 0)::bigint FROM t"
    " UNION ALL SELECT 'callbacks', 1, callback, count(*) FROM t WHERE callback <> 'none' GROUP BY callback),"
    " l AS (SELECT (section || '/' || rank || '-' || item) COLLATE \"C\" AS line, section, item, value FROM f)"
    " SELECT line, section, item, value FROM l WHERE line > $3 ORDER BY line LIMIT $2";

static const struct question questions[] = {
    {.name = "tickets", .sql = tickets_sql},
    {.name = "summary", .sql = summary_sql},
    {.name = "report", .answer = reporting_answer_report},
};

static const char *const concludes[] = {NULL};

const struct worker reporting_worker = {
    .name = "reporting",
    .concludes = concludes,
    .handlers = handlers,
    .handlers_n = COUNT_OF(handlers),
    .tables = reporting_tables,
    .tables_n = TABLES_N,
    .questions = questions,
    .questions_n = COUNT_OF(questions),
    .question_args = question_args,
};
