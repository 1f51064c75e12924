/* What reporting does on each event: rows change, nothing is concluded. */
#ifndef AFTERCARE_REPORTING_ON_H
#define AFTERCARE_REPORTING_ON_H

#include "event/event.h"
#include "table/table.h"

#define ON(name) bool reporting_on_##name(struct tables *, const struct event *, const void *data)
ON(ticket_assessed);
ON(ticket_reclassified);
ON(ticket_cancelled);
ON(ticket_resolved);
ON(ticket_closed);
ON(ticket_reopened);
ON(job_offered);
ON(job_accepted);
ON(job_declined);
ON(job_expired);
ON(job_withdrawn);
ON(job_handed_over);
ON(sla_scheduled);
ON(sla_met);
ON(sla_breached);
ON(sla_corrected);
ON(followup_due);
ON(followup_recorded);
ON(followup_missed);
ON(report_closed);
ON(report_published);
ON(site_updated);
#undef ON

#endif
