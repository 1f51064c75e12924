/* Every word of the catalogue: named once, explained, and the same after a trip through msgpack and JSON. */
#include "sample.h"
#include "base/text.h"
#include "proto/catalogue.h"
#include "proto/contact.h"
#include "proto/contract.h"
#include "proto/job.h"
#include "proto/questions.h"
#include "proto/ticket.h"
#include "proto/unit.h"
#include "record/pack.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void fields_are_explained(const struct record *record)
{
    for (size_t i = 0; i < record->n; i++) {
        const struct field *field = &record->fields[i];
        if (field->doc == NULL || field->doc[0] == '\0')
            fail_msg("%s.%s has no words", record->name, field->name);
        for (size_t j = 0; j < i; j++)
            if (text_equal(record->fields[j].name, field->name))
                fail_msg("%s.%s twice", record->name, field->name);
        if ((field->flags & FIELD_REQUIRED) != 0 && (field->flags & FIELD_PERSONAL) != 0)
            fail_msg("%s.%s is personal: it may be erased, so it cannot be required", record->name, field->name);
        if (field->sub != NULL)
            fields_are_explained(field->sub);
    }
}

static void types_are_named_once(void **state)
{
    (void)state;
    const struct event_type *a, *b;
    for (size_t i = 0; (a = event_type_at(i)) != NULL; i++) {
        assert_true(a->v >= 1 && a->data != NULL && strchr(a->name, '.') != NULL);
        assert_true(a->title_en[0] != '\0' && a->title_zh[0] != '\0');
        assert_true(a->keys != 0 && (a->keys & ~KEY_ANY) == 0);
        fields_are_explained(a->data);
        assert_ptr_equal(event_type_find(a->name, a->v), a);
        if (a->verb != NULL)
            assert_ptr_equal(event_type_of_verb(a->verb), a);
        for (size_t j = 0; j < i; j++) {
            b = event_type_at(j);
            assert_false(text_equal(a->name, b->name) && a->v == b->v);
            assert_false(a->verb != NULL && b->verb != NULL && text_equal(a->verb, b->verb) && !text_equal(a->name, b->name));
        }
    }
    assert_null(event_type_find("ticket.registered", 99));
    assert_ptr_equal(event_type_data("ticket.registered"), &ticket_registered_record);
    assert_null(event_type_data("ticket.lost"));
    assert_null(event_type_find("ticket.lost", 0));
    assert_null(event_type_of_verb("sing"));
    assert_string_equal(event_type_of_verb("register")->name, "ticket.registered");
    assert_string_equal(event_type_of_verb("report")->name, "job.reported");
    assert_int_equal(event_type_find("job.offered", 0)->speaker, SPEAKER_DISPATCHER);
}

/* What starts a limit and what stops it run on the same kind of key (the rule stands beside). */
static void limits_find_their_events(void **state)
{
    (void)state;
    static const struct {
        enum event_key key;
        const char *start, *stop;
    } cases[] = {
        {KEY_TICKET, "ticket.assessed", "appointment.agreed"},      /* S2.5 */
        {KEY_TICKET, "job.offered", "job.checked"},                 /* S12.4 */
        {KEY_TICKET, "ticket.filed", "customer.informed"},          /* S12.3 */
        {KEY_TICKET, "unit.received", "unit.sent_back"},            /* S3.2, S13.2, S20.1 */
        {KEY_TICKET, "unit.delivered", "followup.recorded"},        /* S3.3 */
        {KEY_TICKET, "supplier.asked", "supplier.answered"},        /* S2.9 */
        {KEY_TICKET, "hazard.found", "hazard.cleared"},             /* S15.4 */
        {KEY_TICKET, "ticket.waiting", "ticket.resumed"},
        {KEY_TICKET, "milestone.reached", "quote.issued"},          /* S17.2: papers complete */
        {KEY_CALL, "call.rang", "call.received"},                   /* S3.1 */
        {KEY_CONTRACT, "milestone.reached", "notice.sent"},         /* S22.1 */
        {KEY_CONTRACT, "contract.signed", "payment.received"},      /* S22.1 */
        {KEY_UNIT, "unit.sold", "card.returned"},                   /* S12.5 */
        {KEY_UNIT, "unit.accepted", "training.held"},               /* S19.5 */
        {KEY_UNIT, "test.proposed", "test.agreed"},                 /* S13.8 */
        {KEY_UNIT, "visit.due", "visit.recorded"},                  /* S7.3 */
        {KEY_CUSTOMER, "visit.due", "visit.recorded"},              /* S1.2 */
        {KEY_DOCUMENT, "document.registered", "customer.informed"}, /* S1.9 */
        {KEY_ORDER, "part.ordered", "part.supplied"},               /* S12.15 */
        {KEY_UNIT, "operator.changed", "training.held"},            /* S18.5 */
        {KEY_TICKET, "part.tagged", "part.returned"},               /* S12.7 */
        {KEY_ORDER, "part.supplied", "form.signed"},                /* S12.15 */
        {KEY_SITE, "site.proposed", "site.reviewed"},               /* S6.6 */
        {KEY_TICKET, "measure.set", "measure.verified"},            /* S21.2 */
        {KEY_SURVEY, "survey.planned", "survey.closed"},            /* S21.5 */
        {KEY_CAMPAIGN, "campaign.opened", "campaign.closed"},       /* S4.5 */
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct event_type *start = event_type_find(cases[i].start, 0), *stop = event_type_find(cases[i].stop, 0);
        if (start == NULL || stop == NULL || !event_type_runs_on(start, cases[i].key) || !event_type_runs_on(stop, cases[i].key))
            fail_msg("%s … %s", cases[i].start, cases[i].stop);
    }
    assert_false(event_type_runs_on(event_type_find("call.rang", 0), KEY_TICKET));
    assert_false(event_type_runs_on(event_type_find("ticket.assessed", 0), KEY_UNIT));
    char text[EVENT_KEYS_TEXT_MAX];
    event_keys_print(event_type_find("milestone.reached", 0)->keys, text);
    assert_string_equal(text, "ticket|contract");
    event_keys_print(event_type_find("sla.breached", 0)->keys, text);
    assert_string_equal(text, "any");
    event_keys_print(KEY_ANY & ~(uint32_t)KEY_TICKET, text); /* the longest one fits */
    assert_string_equal(text + strlen(text) - strlen("survey|other"), "survey|other");
}

static void questions_are_named_once(void **state)
{
    (void)state;
    const struct question_type *question;
    for (size_t i = 0; (question = question_at(i)) != NULL; i++) {
        fields_are_explained(question->args);
        fields_are_explained(question->row);
        assert_ptr_equal(question_find(question->to, question->name), question);
        assert_ptr_equal(question_args(question->to, question->name), question->args);
    }
    assert_null(question_find("dispatcher", "tickets"));
    assert_null(question_args("reporting", "weather"));
}

static void map_passes(const struct record *record, enum record_part part, const void *object, void *again, unsigned flags,
                       struct arena *arena)
{
    struct buf map = {0};
    struct problem problem;
    record_encode(record, part, object, &map);
    if (!skim(buf_bytes(&map), &problem))
        fail_msg("%s: %s %s", record->name, problem.code, problem.args);
    /* Borrowed members point into the map: keep it in the arena. */
    uint8_t *kept = arena_alloc(arena, map.len);
    memcpy(kept, map.data, map.len);
    if (!record_decode(record, part, DECODE_STRICT | flags, bytes_of(kept, map.len), arena, again, &problem))
        fail_msg("%s: %s %s %s", record->name, problem.code, problem.field, problem.args);
    buf_release(&map);
}

static void trip(const struct record *record)
{
    struct arena *arena = arena_new(4096);
    void *object = arena_alloc(arena, record->size + 1), *again = arena_alloc(arena, record->size + 1);
    struct problem problem;
    struct buf json = {0};
    sample_fill(record, object, arena);
    map_passes(record, RECORD_PLAIN, object, again, 0, arena);
    map_passes(record, RECORD_PERSONAL, object, again, DECODE_KEEP, arena);
    assert_true(record_equal(record, object, again));
    record_print_json(record, RECORD_WHOLE, object, &json);
    const char *text = buf_text(&json);
    if (!record_parse_json(record, RECORD_WHOLE, DECODE_STRICT, text, json.len, arena, again, &problem))
        fail_msg("%s: %s %s %s in %s", record->name, problem.code, problem.field, problem.args, text);
    assert_true(record_equal(record, object, again));
    buf_release(&json);
    arena_destroy(&arena);
}

static void every_record_travels(void **state)
{
    (void)state;
    const struct event_type *type;
    const struct question_type *question;
    for (size_t i = 0; (type = event_type_at(i)) != NULL; i++)
        trip(type->data);
    for (size_t i = 0; (question = question_at(i)) != NULL; i++) {
        trip(question->args);
        trip(question->row);
    }
}

/* Where people write what was said, or a name or number of somebody outside, it can be erased. */
static void words_of_customers_are_personal(void **state)
{
    (void)state;
    static const char *const fields[][2] = {
        {"call.rang", "number"},          {"call.received", "number"},     {"call.received", "text"},
        {"call.missed", "number"},        {"duty.scheduled", "mobile"},    {"customer.informed", "text"},
        {"notice.sent", "recipient"},     {"visit.recorded", "note"},      {"document.registered", "correspondent"},
        {"guest.announced", "guests"},    {"training.held", "trainees"},   {"form.signed", "signer"},
        {"operator.changed", "name"},     {"survey.answered", "note"},
    };
    for (size_t i = 0; i < COUNT_OF(fields); i++) {
        const struct field *field = record_field(event_type_find(fields[i][0], 0)->data, fields[i][1]);
        if (field == NULL || (field->flags & FIELD_PERSONAL) == 0)
            fail_msg("%s.%s", fields[i][0], fields[i][1]);
    }
}

/* What a reader without rights gets holds nothing of a person. */
static void personal_fields_stay_out_of_data(void **state)
{
    (void)state;
    struct ticket_registered said;
    struct buf map = {0};
    record_clear(&ticket_registered_record, &said);
    text_copy(said.kind, sizeof(said.kind), "repair");
    text_copy(said.customer.phone, sizeof(said.customer.phone), "13800138000");
    text_copy(said.description, sizeof(said.description), "wet");
    record_encode(&ticket_registered_record, RECORD_PLAIN, &said, &map);
    assert_null(memmem(map.data, map.len, "138", 3));
    assert_null(memmem(map.data, map.len, "wet", 3));
    buf_reset(&map);
    record_encode(&ticket_registered_record, RECORD_PERSONAL, &said, &map);
    assert_non_null(memmem(map.data, map.len, "13800138000", 11));
    assert_null(memmem(map.data, map.len, "repair", 6));
    buf_release(&map);
}

static void what_is_wrong_has_a_name(void **state)
{
    (void)state;
    static const struct {
        const struct record *record;
        const char *json, *code, *field;
    } cases[] = {
        {&ticket_registered_record, "{}", "missing", "kind"},
        {&job_declined_record, "{\"job\":\"A/j1\"}", "missing", "reason"},
        {&job_offered_record, "{\"job\":\"A/j1\",\"site\":\"two words\",\"tier\":3}", NULL, "site"},
        {&job_offered_record, "{\"job\":\"A/j1\",\"site\":\"D1\",\"tier\":12}", NULL, "tier"},
        {&ticket_registered_record, "{\"kind\":\"repair\",\"colour\":\"red\"}", "unknown-field", "colour"},
        {&appointment_agreed_record, "{\"moved\":true}", "missing", "appointment"},
        {&document_registered_record, "{\"direction\":\"up\"}", NULL, "direction"},
        {&milestone_reached_record, "{}", "missing", "milestone"},
        {&phase_started_record, "{\"until\":\"2012-01-01T00:00:00Z\"}", "missing", "phase"},
        {&approval_decided_record, "{\"approval\":\"A/a1\",\"approved\":true,\"more\":\"long\"}", NULL, "more"},
    };
    struct arena *arena = arena_new(65536);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        void *object = arena_alloc(arena, cases[i].record->size);
        struct problem problem = {0};
        assert_false(record_parse_json(cases[i].record, RECORD_WHOLE, DECODE_STRICT, cases[i].json, strlen(cases[i].json), arena,
                                       object, &problem));
        if (cases[i].code != NULL)
            assert_string_equal(problem.code, cases[i].code);
        assert_string_equal(problem.field, cases[i].field);
    }
    arena_destroy(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(types_are_named_once),     cmocka_unit_test(limits_find_their_events),
        cmocka_unit_test(questions_are_named_once),
        cmocka_unit_test(every_record_travels),     cmocka_unit_test(personal_fields_stay_out_of_data),
        cmocka_unit_test(what_is_wrong_has_a_name), cmocka_unit_test(words_of_customers_are_personal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
