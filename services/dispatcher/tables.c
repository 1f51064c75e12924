#include "services/dispatcher/tables.h"

#include "base/text.h"
#include <stdlib.h>
#include <string.h>

/* --- site --------------------------------------------------------------------------------------
 */
static const struct field territory_elem = ELEM_TEXT(24);
static const struct field product_elem = ELEM_TEXT(64);
static const struct field site_fields[] = {
    F_TEXT(site, site, FIELD_REQUIRED, "site"),
    F_TEXT(site, name, 0, "its name"),
    F_INT(site, tier, 0, "1 headquarters, 2 branch, 3 dealer or station"),
    F_TEXT(site, parent, 0, "site above it"),
    F_TEXT(site, region, 0, "where it is"),
    F_LIST(site, territories, 0, &territory_elem, "region prefixes it serves; none: everywhere"),
    F_LIST(site, products, 0, &product_elem, "product lines it is qualified for; none: all"),
    F_INT(site, capacity, 0, "open jobs it can hold; 0: no bound"),
    F_BOOL(site, closed, 0, "takes no more offers"),
    F_BOOL(site, open, 0, "always"),
};
static const struct record site_record = RECORD(site, site_fields, "the network");
static const struct table_def site_table = {
    .name = "site", .row = &site_record, .open_offset = offsetof(struct site, open), .whole = true};

/* --- load --------------------------------------------------------------------------------------
 */
static const struct field load_fields[] = {
    F_TEXT(load, site, FIELD_REQUIRED, "site"),
    F_INT(load, tier, 0, "its tier"),
    F_INT(load, load, 0, "open offers and jobs"),
    F_INT(load, assigned_pos, 0, "position of the last offer to it"),
    F_INT(load, offers, 0, "offers so far"),
    F_INT(load, accepted, 0, "accepted so far"),
    F_INT(load, declined, 0, "declined so far"),
    F_INT(load, expired, 0, "not answered so far"),
    F_INT(load, pending, FIELD_VOLATILE, "offers in flight"),
    F_INT(load, staff, 0, "engineers on record, those who left too"),
    F_BOOL(load, open, 0, "always"),
};
static const struct record load_record = RECORD(load, load_fields, "what each site has to do");

static int compare(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

/* The build option turns ties around, so that a test can show that a rebuild under another rule
 * repeats the journal's choices and not its own. */
static int ties(const char *a, const char *b)
{
#ifdef DISPATCHER_TIES_REVERSED
    if (a[0] == '\0' || b[0] == '\0') /* a probe's empty key comes first all the same */
        return strcmp(a, b);
    return strcmp(b, a);
#else
    return strcmp(a, b);
#endif
}

static int load_by_choice(const void *row_a, const void *row_b)
{
    const struct load *a = row_a, *b = row_b;
    int order = compare(a->tier, b->tier);
    if (order == 0)
        order = compare(a->load + a->pending, b->load + b->pending);
    if (order == 0)
        order = compare(a->assigned_pos, b->assigned_pos);
    return order != 0 ? order : ties(a->site, b->site);
}
static const struct index_def load_indexes[] = {{.name = "choice", .compare = load_by_choice}};
static const struct table_def load_table = {.name = "load",
                                            .row = &load_record,
                                            .open_offset = offsetof(struct load, open),
                                            .indexes = load_indexes,
                                            .indexes_n = COUNT_OF(load_indexes),
                                            .whole = true};

/* --- engineer ----------------------------------------------------------------------------------
 */
static const struct field pass_fields[] = {
    F_TEXT(engineer_pass, pass, FIELD_REQUIRED, "pass or certificate"),
    F_TIME(engineer_pass, until, 0, "valid before"),
};
static const struct record pass_record = RECORD(engineer_pass, pass_fields, "a pass");
static const struct field pass_elem = ELEM_RECORD(&pass_record, struct engineer_pass);
static const struct field shift_fields[] = {
    F_TIME(engineer_shift, from, 0, "from then"),
    F_TIME(engineer_shift, until, 0, "to before then"),
    F_BOOL(engineer_shift, off, 0, "off duty"),
};
static const struct record shift_record = RECORD(engineer_shift, shift_fields, "on or off duty");
static const struct field shift_elem = ELEM_RECORD(&shift_record, struct engineer_shift);
static const struct field engineer_fields[] = {
    F_TEXT(engineer, engineer, FIELD_REQUIRED, "engineer"),
    F_TEXT(engineer, site, 0, "site"),
    F_TEXT(engineer, skills, 0, "product lines, one a line; none: all"),
    F_TEXT(engineer, days, 0, "days on duty; none: every day"),
    F_LIST(engineer, passes, 0, &pass_elem, "passes and certificates"),
    F_LIST(engineer, rota, 0, &shift_elem, "exceptions to the days"),
    F_TIME(engineer, expires, 0, "the first pass to run out"),
    F_INT(engineer, capacity, 0, "jobs given a day; 0: no bound"),
    F_BOOL(engineer, off_duty, 0, "not available, until told otherwise"),
    F_BOOL(engineer, left, 0, "works here no longer"),
    F_BOOL(engineer, open, 0, "always"),
};
static const struct record engineer_record = RECORD(engineer, engineer_fields, "engineers");
static const struct table_def engineer_table = {.name = "engineer",
                                                .row = &engineer_record,
                                                .open_offset = offsetof(struct engineer, open),
                                                .whole = true};

/* --- engineer_load -----------------------------------------------------------------------------
 */
static const struct field engineer_load_fields[] = {
    F_TEXT(engineer_load, engineer, FIELD_REQUIRED, "engineer"),
    F_TEXT(engineer_load, site, 0, "site"),
    F_INT(engineer_load, load, 0, "open offers and jobs"),
    F_INT(engineer_load, assigned_pos, 0, "position where the last one was given"),
    F_INT(engineer_load, since_pos, 0, "at this site since this position"),
    F_INT(engineer_load, date, 0, "day of the last one given"),
    F_INT(engineer_load, date_jobs, 0, "given on that day"),
    F_INT(engineer_load, pending, FIELD_VOLATILE, "offers in flight"),
    F_BOOL(engineer_load, left, 0, "works here no longer"),
    F_BOOL(engineer_load, open, 0, "always"),
};
static const struct record engineer_load_record =
    RECORD(engineer_load, engineer_load_fields, "what each engineer has to do");

static int engineer_load_by_choice(const void *row_a, const void *row_b)
{
    const struct engineer_load *a = row_a, *b = row_b;
    int order = strcmp(a->site, b->site);
    if (order == 0)
        order = compare(a->load + a->pending, b->load + b->pending);
    if (order == 0)
        order = compare(a->assigned_pos, b->assigned_pos);
    return order != 0 ? order : ties(a->engineer, b->engineer);
}
static bool engineer_is_here(const void *row)
{
    const struct engineer_load *load = row;
    return !load->left;
}
static const struct index_def engineer_load_indexes[] = {
    {.name = "choice", .compare = engineer_load_by_choice, .holds = engineer_is_here}};
static const struct table_def engineer_load_table = {.name = "engineer_load",
                                                     .row = &engineer_load_record,
                                                     .open_offset =
                                                         offsetof(struct engineer_load, open),
                                                     .indexes = engineer_load_indexes,
                                                     .indexes_n = COUNT_OF(engineer_load_indexes),
                                                     .whole = true};

/* --- ticket ------------------------------------------------------------------------------------
 */
static const char *const ticket_states[] = {"open",   "reported",  "resolved",
                                            "closed", "cancelled", NULL};
static const struct field ticket_fields[] = {
    F_TEXT(ticket, ticket, FIELD_REQUIRED, "number of the ticket"),
    F_TEXT(ticket, policy, 0, "policy version followed"),
    F_TEXT(ticket, kind, 0, "kind of request"),
    F_TEXT(ticket, region, 0, "where the work is"),
    F_TEXT(ticket, product, 0, "product line"),
    F_TEXT(ticket, channel, 0, "how it came"),
    F_TEXT(ticket, priority, 0, "priority"),
    F_TEXT(ticket, coverage, 0, "coverage"),
    F_ENUM(ticket, state, 0, ticket_states, "state"),
    F_INT(ticket, tier, 0, "tier of the last offer"),
    F_INT(ticket, offers, 0, "offers made"),
    F_INT(ticket, round, 0, "offers made before the last reopening"),
    F_INT(ticket, live, 0, "number of the job that is offered or accepted"),
    F_INT(ticket, last, 0, "number of the job that was last accepted or done"),
    F_INT(ticket, waits, 0, "how often there was nobody"),
    F_INT(ticket, waiting_pos, 0, "nobody to offer it to since this position"),
    F_TIME(ticket, retry, 0, "somebody may be asked again"),
    F_TIME(ticket, opened, 0, "opened"),
    F_TIME(ticket, closed, 0, "closed"),
    F_TIME(ticket, fired, FIELD_VOLATILE, "timer fired"),
    F_BOOL(ticket, open, 0, "not closed"),
};
static const struct record ticket_record =
    RECORD(ticket, ticket_fields, "tickets 工单 and who has them");

static int ticket_by_waiting(const void *row_a, const void *row_b)
{
    const struct ticket *a = row_a, *b = row_b;
    return compare(a->waiting_pos, b->waiting_pos);
}
static bool ticket_waits(const void *row)
{
    const struct ticket *ticket = row;
    return ticket->waiting_pos != 0;
}
static int ticket_by_retry(const void *row_a, const void *row_b)
{
    const struct ticket *a = row_a, *b = row_b;
    return compare(a->retry_us, b->retry_us);
}
static bool ticket_retries(const void *row)
{
    const struct ticket *ticket = row;
    return ticket->retry_us != 0 && ticket->retry_us != ticket->fired_us;
}
static const struct index_def ticket_indexes[] = {
    {.name = "waiting", .compare = ticket_by_waiting, .holds = ticket_waits},
    {.name = "retry", .compare = ticket_by_retry, .holds = ticket_retries},
};
static const struct table_def ticket_table = {.name = "ticket",
                                              .row = &ticket_record,
                                              .open_offset = offsetof(struct ticket, open),
                                              .indexes = ticket_indexes,
                                              .indexes_n = COUNT_OF(ticket_indexes)};

/* --- job ---------------------------------------------------------------------------------------
 */
static const char *const job_states[] = {"none",    "offered",   "accepted", "declined",
                                         "expired", "withdrawn", "done",     NULL};
static const char *const silences[] = {"expires", "accepts", NULL};
static const struct field job_fields[] = {
    F_TEXT(job, job, FIELD_REQUIRED, "TICKET/jk"),
    F_TEXT(job, ticket, 0, "ticket"),
    F_TEXT(job, site, 0, "site"),
    F_TEXT(job, engineer, 0, "engineer"),
    F_INT(job, given_pos, 0, "counted at the engineer since this position"),
    F_INT(job, given_date, 0, "and on this day"),
    F_INT(job, tier, 0, "tier of the site"),
    F_ENUM(job, state, 0, job_states, "state"),
    F_ENUM(job, silence, 0, silences, "what not answering means"),
    F_TEXT(job, reason, 0, "why it was offered, declined or withdrawn"),
    F_TEXT(job, implied, 0, "accepted without being said: silence, report, resolved"),
    F_TEXT(job, outcome, 0, "what came of it"),
    F_INT(job, offered_pos, 0, "position of its offer"),
    F_INT(job, changed_pos, 0, "position of the event that set the state"),
    F_TIME(job, offered, 0, "offered"),
    F_TIME(job, due, 0, "answer by"),
    F_TIME(job, answered, 0, "accepted, declined or expired"),
    F_TIME(job, arrived, 0, "engineer arrived"),
    F_TIME(job, reported, 0, "reported"),
    F_TIME(job, fired, FIELD_VOLATILE, "timer fired"),
    F_TEXT(job, choice, 0, "candidates and what removed others"),
    F_BOOL(job, open, 0, "offered or accepted"),
};
static const struct record job_record =
    RECORD(job, job_fields, "jobs 派工: offers and what came of them");

static int job_by_due(const void *row_a, const void *row_b)
{
    const struct job *a = row_a, *b = row_b;
    return compare(a->due_us, b->due_us);
}
static bool job_is_due(const void *row)
{
    const struct job *job = row;
    return job->state == JOB_OFFERED && job->due_us != 0 && job->due_us != job->fired_us;
}
static const struct index_def job_indexes[] = {
    {.name = "due", .compare = job_by_due, .holds = job_is_due}};
static const struct table_def job_table = {.name = "job",
                                           .row = &job_record,
                                           .open_offset = offsetof(struct job, open),
                                           .indexes = job_indexes,
                                           .indexes_n = COUNT_OF(job_indexes)};

/* --- network -----------------------------------------------------------------------------------
 */
static const struct field network_fields[] = {
    F_TEXT(network, network, FIELD_REQUIRED, "always the same"),
    F_TIME(network, due, 0, "waiting tickets are to be looked at"),
    F_INT(network, after_pos, 0, "those up to this waiting_pos have been"),
    F_TIME(network, fired, FIELD_VOLATILE, "timer fired"),
    F_BOOL(network, open, 0, "always"),
};
static const struct record network_record =
    RECORD(network, network_fields, "how far a change of the network has been worked off");

static int network_by_due(const void *row_a, const void *row_b)
{
    const struct network *a = row_a, *b = row_b;
    return compare(a->due_us, b->due_us);
}
static bool network_is_due(const void *row)
{
    const struct network *network = row;
    return network->due_us != 0 && network->due_us != network->fired_us;
}
static const struct index_def network_indexes[] = {
    {.name = "due", .compare = network_by_due, .holds = network_is_due}};
static const struct table_def network_table = {.name = "network",
                                               .row = &network_record,
                                               .open_offset = offsetof(struct network, open),
                                               .indexes = network_indexes,
                                               .indexes_n = COUNT_OF(network_indexes),
                                               .whole = true};

const struct table_def *const dispatcher_tables[DISPATCHER_TABLES] = {
    [DISPATCHER_SITE] = &site_table,
    [DISPATCHER_LOAD] = &load_table,
    [DISPATCHER_TICKET] = &ticket_table,
    [DISPATCHER_JOB] = &job_table,
    [DISPATCHER_NETWORK] = &network_table,
    [DISPATCHER_ENGINEER] = &engineer_table,
    [DISPATCHER_ENGINEER_LOAD] = &engineer_load_table,
};

/* --- words -------------------------------------------------------------------------------------
 */
void dispatcher_job_id(const char *ticket, int64_t k, char out[JOB_CAP])
{
    text_format(out, JOB_CAP, "%s/j%lld", ticket, (long long)k);
}

int64_t dispatcher_job_k(const char *job)
{
    const char *slash = strrchr(job, '/');
    if (slash == NULL || slash[1] != 'j' || slash[2] < '1' || slash[2] > '9')
        return 0;
    char *end;
    long long k = strtoll(slash + 2, &end, 10);
    return *end == '\0' && k < 1000000 ? k : 0;
}
