#include "proto/measure.h"

static const struct field measure_set_fields[] = {
    F_TEXT(measure_set, measure, FIELD_REQUIRED, "the measure, KEY/mk"),
    F_TEXT(measure_set, kind, 0, "correction, corrective, preventive"),
    F_TEXT(measure_set, action, 0, "what is to be done"),
    F_TEXT(measure_set, department, 0, "department responsible"),
    F_TEXT(measure_set, owner, FIELD_KEYLIKE, "person responsible"),
    F_TIME(measure_set, due, 0, "to be done by"),
    F_TEXT(measure_set, cause, 0, "cause found"),
};
const struct record measure_set_record =
    RECORD(measure_set, measure_set_fields, "a measure was set");

static const struct field measure_done_fields[] = {
    F_TEXT(measure_done, measure, FIELD_REQUIRED, "the measure, KEY/mk"),
    F_TEXT(measure_done, owner, FIELD_KEYLIKE, "who did it"),
    F_TEXT(measure_done, note, 0, "what was done, no personal data"),
};
const struct record measure_done_record =
    RECORD(measure_done, measure_done_fields, "a measure was carried out");

static const struct field measure_verified_fields[] = {
    F_TEXT(measure_verified, measure, FIELD_REQUIRED, "the measure, KEY/mk"),
    F_BOOL(measure_verified, effective, FIELD_REQUIRED, "it works"),
    F_TEXT(measure_verified, verifier, FIELD_KEYLIKE, "who looked; not its owner"),
    F_TEXT(measure_verified, note, 0, "what was seen, no personal data"),
};
const struct record measure_verified_record = RECORD(
    measure_verified, measure_verified_fields, "somebody else looked whether a measure works");

static const struct field opinion_forwarded_fields[] = {
    F_TEXT(opinion_forwarded, department, FIELD_REQUIRED, "department it went to"),
    F_TEXT(opinion_forwarded, means, 0, "memo, mail, meeting"),
    F_TEXT(opinion_forwarded, summary, 0, "the opinion, without names"),
    F_TEXT(opinion_forwarded, source, 0, "where it comes from: callback, visit, survey, letter …"),
};
const struct record opinion_forwarded_record =
    RECORD(opinion_forwarded, opinion_forwarded_fields, "an opinion was passed on");

static const struct field opinion_judged_fields[] = {
    F_BOOL(opinion_judged, adopted, FIELD_REQUIRED, "adopted or not"),
    F_TEXT(opinion_judged, department, 0, "department that judged"),
    F_TEXT(opinion_judged, reason, 0, "why"),
    F_TEXT(opinion_judged, result, 0, "what will be done, no personal data"),
};
const struct record opinion_judged_record =
    RECORD(opinion_judged, opinion_judged_fields, "an opinion was judged");

static const struct field text160_elem = ELEM_TEXT(160);

static const struct field survey_planned_fields[] = {
    F_TEXT(survey_planned, title, 0, "name of the survey"),
    F_LIST(survey_planned, questions, 0, &text160_elem, "questions"),
    F_TEXT(survey_planned, audience, 0, "who is asked"),
    F_INT_RANGE(survey_planned, size, 0, 0, 1000000000, "how many are asked"),
    F_TIME(survey_planned, from, 0, "from then"),
    F_TIME(survey_planned, until, 0, "to then"),
    F_TEXT(survey_planned, owner, FIELD_KEYLIKE, "who runs it"),
};
const struct record survey_planned_record =
    RECORD(survey_planned, survey_planned_fields, "a survey is planned");

static const struct field survey_closed_fields[] = {
    F_INT_RANGE(survey_closed, asked, 0, 0, 1000000000, "how many were asked"),
    F_INT_RANGE(survey_closed, answered, 0, 0, 1000000000, "how many answered"),
    F_INT_RANGE(survey_closed, satisfaction, 0, 0, 500,
                "mean score in hundredths, 100 to 500; 0: none"),
    F_TEXT(survey_closed, finding, 0, "what it shows, no personal data"),
};
const struct record survey_closed_record =
    RECORD(survey_closed, survey_closed_fields, "a survey is over");

static const struct field key65_elem = {
    .name = "", .kind = FIELD_TEXT, .size = 65, .flags = FIELD_KEYLIKE};

static const struct field campaign_opened_fields[] = {
    F_TEXT(campaign_opened, title, 0, "name of the campaign"),
    F_TEXT(campaign_opened, work, 0, "work to be done"),
    F_TEXT(campaign_opened, product, 0, "product line"),
    F_SLICE(campaign_opened, units, 0, &key65_elem, 500, "serials of the units"),
    F_INT_RANGE(campaign_opened, quantity, 0, 0, 1000000000, "how many units"),
    F_TIME(campaign_opened, from, 0, "from then"),
    F_TIME(campaign_opened, until, 0, "to then"),
};
const struct record campaign_opened_record =
    RECORD(campaign_opened, campaign_opened_fields, "a service campaign 服务活动 begins");

static const struct field campaign_closed_fields[] = {
    F_INT_RANGE(campaign_closed, quantity, 0, 0, 1000000000, "how many units"),
    F_INT_RANGE(campaign_closed, done, 0, 0, 1000000000, "how many of them were done"),
    F_TEXT(campaign_closed, reason, 0, "why it ends"),
};
const struct record campaign_closed_record =
    RECORD(campaign_closed, campaign_closed_fields, "a service campaign is over");

static const struct field conduct_judged_fields[] = {
    F_TEXT(conduct_judged, person, FIELD_REQUIRED | FIELD_KEYLIKE, "whom it is about"),
    F_BOOL(conduct_judged, confirmed, FIELD_REQUIRED, "it is so"),
    F_TEXT(conduct_judged, kind, 0, "discourtesy, broken-promise, favours, quarrel …"),
    F_TEXT(conduct_judged, severity, 0, "how grave, the policy's word"),
    F_TEXT(conduct_judged, level, 0, "who judged, the policy's word"),
    F_TEXT(conduct_judged, ticket, FIELD_KEYLIKE, "complaint, where the key is another thing"),
    F_TEXT(conduct_judged, note, 0, "remark, no personal data"),
};
const struct record conduct_judged_record =
    RECORD(conduct_judged, conduct_judged_fields, "a conduct complaint was judged");

static const struct field market_noted_fields[] = {
    F_TEXT(market_noted, kind, 0, "market, competitor"),
    F_TEXT(market_noted, product, 0, "product line"),
    F_TEXT(market_noted, region, 0, "where"),
    F_TEXT(market_noted, source, 0, "where it comes from: visit, exhibition, dealer …"),
    F_TEXT(market_noted, text, 0, "the note, no personal data"),
};
const struct record market_noted_record =
    RECORD(market_noted, market_noted_fields, "something of the market or a competitor");

static const struct field survey_answer_fields[] = {
    F_TEXT(survey_answer, question, FIELD_REQUIRED, "question"),
    F_INT_RANGE(survey_answer, score, 0, 0, 5, "score 1 to 5; 0: none"),
    F_TEXT(survey_answer, choice, 0, "what was chosen"),
};
static const struct record survey_answer_record =
    RECORD(survey_answer, survey_answer_fields, "an answer");
static const struct field survey_answer_elem =
    ELEM_RECORD(&survey_answer_record, struct survey_answer);

static const struct field survey_answered_fields[] = {
    F_TEXT(survey_answered, customer, FIELD_KEYLIKE, "customer, where known"),
    F_TEXT(survey_answered, means, 0, "letter, fax, phone, online, visit"),
    F_INT_RANGE(survey_answered, satisfaction, 0, 0, 5, "score 1 to 5; 0: not asked"),
    F_LIST(survey_answered, answers, 0, &survey_answer_elem, "answers"),
    F_TEXT(survey_answered, note, FIELD_PERSONAL, "what the customer said besides"),
};
const struct record survey_answered_record =
    RECORD(survey_answered, survey_answered_fields, "a customer answered a survey");
