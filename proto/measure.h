/* What is learned and put right: measures until they are verified, opinions, surveys, conduct,
 * campaigns, the market. */
#ifndef AFTERCARE_PROTO_MEASURE_H
#define AFTERCARE_PROTO_MEASURE_H

#include "record/record.h"

struct measure_set {
    char measure[72];
    char kind[32];
    char action[400];
    char department[64];
    char owner[65];
    int64_t due_us;
    char cause[160];
};
struct measure_done {
    char measure[72];
    char owner[65];
    char note[400];
};
struct measure_verified {
    char measure[72];
    bool effective;
    char verifier[65];
    char note[400];
};
struct opinion_forwarded {
    char department[64];
    char means[32];
    char summary[400];
    char source[48];
};
struct opinion_judged {
    bool adopted;
    char department[64];
    char reason[200];
    char result[400];
};
struct survey_planned {
    char title[120];
    char questions[24][160];
    uint32_t questions_n;
    char audience[120];
    int64_t size;
    int64_t from_us;
    int64_t until_us;
    char owner[65];
};
struct survey_closed {
    int64_t asked;
    int64_t answered;
    int64_t satisfaction;
    char finding[400];
};
struct campaign_opened {
    char title[120];
    char work[400];
    char product[64];
    struct slice units; /* char[65] */
    int64_t quantity;
    int64_t from_us;
    int64_t until_us;
};
struct campaign_closed {
    int64_t quantity;
    int64_t done;
    char reason[160];
};
struct conduct_judged {
    char person[65];
    bool confirmed;
    char kind[48];
    char severity[16];
    char level[48];
    char ticket[65];
    char note[200];
};
struct market_noted {
    char kind[32];
    char product[64];
    char region[24];
    char source[48];
    char text[1000];
};
struct survey_answer {
    char question[160];
    int64_t score;
    char choice[48];
};
struct survey_answered {
    char customer[65];
    char means[32];
    int64_t satisfaction;
    struct survey_answer answers[24];
    uint32_t answers_n;
    char note[2000]; /* personal */
};

extern const struct record measure_set_record, measure_done_record, measure_verified_record,
    opinion_forwarded_record, opinion_judged_record, survey_planned_record, survey_closed_record,
    campaign_opened_record, campaign_closed_record, conduct_judged_record, market_noted_record,
    survey_answered_record;

#endif
