/* Who may say what, and who sees what. */
#include "rights.h"
#include "base/text.h"
#include "filter.h"
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const struct {
    enum principal_kind kind;
    const char *types; /* its list */
    const char *type;
    bool want;
} kinds[] = {
    {PRINCIPAL_BRANCH, "", "ticket.registered", true},
    {PRINCIPAL_BRANCH, "", "ticket.assessed", false},
    {PRINCIPAL_BRANCH, "", "policy.published", false},
    {PRINCIPAL_BRANCH, "", "job.offered", false},
    {PRINCIPAL_BRANCH, "", "sla.breached", false},
    {PRINCIPAL_BRANCH, "ticket.", "ticket.registered", true},
    {PRINCIPAL_BRANCH, "ticket.", "unit.sold", false},
    {PRINCIPAL_SITE, "", "job.accepted", true},
    {PRINCIPAL_DESK, "", "approval.decided", true},
    {PRINCIPAL_INTEGRATOR, "", "principal.added", false},
    {PRINCIPAL_OPERATOR, "", "policy.published", true},
    {PRINCIPAL_OPERATOR, "", "principal.added", true},
    {PRINCIPAL_OPERATOR, "", "event.released", true},
    {PRINCIPAL_OPERATOR, "", "report.closed", true},
    {PRINCIPAL_OPERATOR, "", "ticket.noted", true},
    {PRINCIPAL_OPERATOR, "", "job.offered", false},
    {PRINCIPAL_OPERATOR, "", "stream.created", false},
    {PRINCIPAL_OPERATOR, "", "source.frozen", false},
    {PRINCIPAL_WORKER, "sla.", "sla.met", true},
    {PRINCIPAL_WORKER, "sla.", "job.offered", false},
    {PRINCIPAL_WORKER, "", "sla.met", false},
    {PRINCIPAL_WORKER, "ticket.", "ticket.assessed", false},
    {PRINCIPAL_IMPORT, "", "ticket.resolved", true},
    {PRINCIPAL_IMPORT, "", "sla.met", true},
    {PRINCIPAL_IMPORT, "", "ticket.assessed", false},
    {PRINCIPAL_IMPORT, "", "time.reached", false},
};

static void test_types_by_kind(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        struct principal_row row = {.id = "x", .open = true, .granted = {.kind = (int)kinds[i].kind}};
        struct problem problem = {0};
        row.granted.types_n = kinds[i].types[0] != '\0';
        text_copy(row.granted.types[0], sizeof(row.granted.types[0]), kinds[i].types);
        const struct event_type *type = event_type_find(kinds[i].type, 0);
        assert_non_null(type);
        bool may = rights_append_type(&row, type, false, &problem);
        if (may != kinds[i].want)
            fail_msg("kind %d, list \"%s\", %s", (int)kinds[i].kind, kinds[i].types, kinds[i].type);
        if (!may)
            assert_string_equal(problem.code, "denied");
    }
}

static void test_unknown_and_revoked(void **state)
{
    struct principal_row row = {.open = false};
    struct problem problem;
    const struct event_type *type = event_type_find("ticket.noted", 0);
    (void)state;
    assert_false(rights_append_type(NULL, type, false, &problem));
    assert_string_equal(problem.args, "unknown");
    assert_false(rights_append_type(&row, type, false, &problem));
    assert_string_equal(problem.args, "revoked");
    row.open = true;
    assert_true(rights_append_type(&row, event_type_find("time.reached", 0), true, &problem));
}

static const struct {
    const char *regions, *sites; /* of the principal */
    const char *type, *region, *site;
    bool want;
} places[] = {
    {"", "", "ticket.noted", "4401", "", true},
    {"44", "", "ticket.noted", "4401", "", true},
    {"44", "", "ticket.noted", "1101", "", false},
    {"44", "", "ticket.noted", "", "", false},
    {"44", "", "policy.published", "", "", true},
    {"44", "", "personal.erased", "31", "", true},
    {"44", "", "principal.added", "", "", false},
    {"", "S7", "job.offered", "1101", "S7", true},
    {"", "S7", "job.offered", "1101", "S8", false},
    {"44", "S7", "job.offered", "1101", "S7", true},
};

static void test_places(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(places); i++) {
        struct principal principal = {.kind = PRINCIPAL_BRANCH};
        principal.regions_n = places[i].regions[0] != '\0';
        principal.sites_n = places[i].sites[0] != '\0';
        text_copy(principal.regions[0], sizeof(principal.regions[0]), places[i].regions);
        text_copy(principal.sites[0], sizeof(principal.sites[0]), places[i].sites);
        if (rights_read(&principal, places[i].type, places[i].region, places[i].site) != places[i].want)
            fail_msg("line %zu: %s %s %s", i, places[i].type, places[i].region, places[i].site);
    }
}

static const struct {
    const char *types, *regions, *sites, *keys;
    bool want;
} filters[] = {
    {"", "", "", "", true},       {"job.", "", "", "", true},      {"ticket.", "", "", "", false},
    {"", "44", "", "", true},     {"", "11", "", "", false},       {"", "", "S7", "", true},
    {"", "", "S8", "", false},    {"", "", "", "T-1", true},       {"", "", "", "T-2", false},
    {"job.", "44", "S7", "T-1", true}, {"job.", "44", "S7", "T-2", false},
};

/* AND between kinds, against job.offered of T-1 in 4401 to S7. */
static void test_filters(void **state)
{
    struct principal all = {.kind = PRINCIPAL_OPERATOR};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(filters); i++) {
        struct verb_open open = {.types_n = filters[i].types[0] != '\0', .regions_n = filters[i].regions[0] != '\0',
                                 .sites_n = filters[i].sites[0] != '\0', .keys_n = filters[i].keys[0] != '\0'};
        text_copy(open.types[0], sizeof(open.types[0]), filters[i].types);
        text_copy(open.regions[0], sizeof(open.regions[0]), filters[i].regions);
        text_copy(open.sites[0], sizeof(open.sites[0]), filters[i].sites);
        text_copy(open.keys[0], sizeof(open.keys[0]), filters[i].keys);
        if (filter_holds(&open, &all, "job.offered", "T-1", "4401", "S7") != filters[i].want)
            fail_msg("filter %zu", i);
        assert_int_equal(filter_is_whole(&open, &all), i == 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_types_by_kind),
        cmocka_unit_test(test_unknown_and_revoked),
        cmocka_unit_test(test_places),
        cmocka_unit_test(test_filters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
