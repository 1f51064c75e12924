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
    /* A list gives nobody what his kind may not say. */
    {PRINCIPAL_BRANCH, "ticket.", "ticket.closed", false},
    {PRINCIPAL_INTEGRATOR, "job.", "job.offered", false},
    {PRINCIPAL_INTEGRATOR, "p", "principal.added", false},
    {PRINCIPAL_OPERATOR, "ticket.", "policy.published", false},
    {PRINCIPAL_IMPORT, "ticket.", "ticket.resolved", true},
    {PRINCIPAL_IMPORT, "ticket.", "sla.met", false},
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

/* Of no place, and everybody's whose copies are of some: but not of other types, nor of other keys. */
static void test_an_erasure_passes_places(void **state)
{
    struct principal branch = {.kind = PRINCIPAL_BRANCH, .regions_n = 1, .regions = {"44"}};
    struct verb_open open = {.regions_n = 1, .regions = {"4401"}, .sites_n = 1, .sites = {"S7"}};
    (void)state;
    assert_true(filter_holds(&open, &branch, "personal.erased", "C-1", "", ""));
    assert_false(filter_holds(&open, &branch, "personal.asked", "C-1", "", ""));
    open.types_n = open.keys_n = 1;
    text_copy(open.types[0], sizeof(open.types[0]), "personal.");
    text_copy(open.keys[0], sizeof(open.keys[0]), "C-1");
    assert_true(filter_holds(&open, &branch, "personal.erased", "C-1", "", ""));
    assert_false(filter_holds(&open, &branch, "personal.erased", "C-2", "", ""));
    text_copy(open.types[0], sizeof(open.types[0]), "job.");
    assert_false(filter_holds(&open, &branch, "personal.erased", "C-1", "", ""));
}

/* --- who speaks ---------------------------------------------------------------------------------- */

/* Of a principal gd01 with the key 11…11, and one that is revoked with 22…22. */
static const struct {
    const char *name;
    bool keyed;
    const char *id; /* of the User-Id; NULL: `user` as it stands */
    uint8_t key;
    const char *user;
    bool want;
    const char *who, *why;
} callers[] = {
    {"no keys in force", false, NULL, 0, "", true, "", ""},
    {"no keys in force, whatever he says", false, NULL, 0, "gd01:zz", true, "", ""},
    {"through the socket folder", true, NULL, 0, CALLER_LOCAL, true, "", ""},
    {"its key", true, "gd01", 0x11, NULL, true, "gd01", ""},
    {"a key that it had", true, "gd01", 0x33, NULL, false, "gd01", "revoked"},
    {"revoked with its key", true, "gone", 0x22, NULL, false, "gone", "revoked"},
    {"a principal that is none", true, "nobody", 0x11, NULL, false, "nobody", "unknown"},
    {"no User-Id", true, NULL, 0, "", false, "", "nobody"},
    {"a name without a key", true, NULL, 0, "gd01", false, "", "nobody"},
    {"a key of no length", true, NULL, 0, "gd01:", false, "gd01", "revoked"},
    {"a key cut short", true, NULL, 0, "gd01:1111", false, "gd01", "revoked"},
    {"no hex", true, NULL, 0, "gd01:zz11111111111111111111111111111111111111111111111111111111111111", false, "gd01", "revoked"},
};

static void test_who_speaks(void **state)
{
    struct tables *tables = tables_new(&archive_tables[ARCHIVE_PRINCIPALS], 1, 16);
    (void)state;
    tables_keep_all(tables);
    for (int revoked = 0; revoked < 2; revoked++) {
        struct principal_row *row = table_new(tables, 0, revoked ? "gone" : "gd01");
        row->open = !revoked;
        row->granted.keys_n = 1;
        memset(row->granted.keys[0], revoked ? 0x22 : 0x11, 32);
    }
    for (size_t i = 0; i < COUNT_OF(callers); i++) {
        char user[136], id[64];
        const char *why = "";
        uint8_t key[32];
        memset(key, callers[i].key, sizeof(key));
        if (callers[i].id != NULL)
            caller_print(callers[i].id, key, user);
        else
            text_copy(user, sizeof(user), callers[i].user);
        bool may = rights_caller(tables, 0, callers[i].keyed, user, id, &why);
        if (may != callers[i].want || !text_equal(id, callers[i].who) || (!may && !text_equal(why, callers[i].why)))
            fail_msg("%s: %d \"%s\" %s", callers[i].name, may, id, why);
    }
    tables_destroy(&tables);
}

static const struct {
    const char *id, *name;
    bool want;
} names[] = {
    {"", "anybody", true},  {"gd01", "gd01", true},   {"gd01", "gd01/spool", true}, {"gd01", "gd02", false},
    {"gd01", "gd01x", false}, {"gd01", "gd01/", false}, {"gd01", "", false},           {"gd01", "/gd01", false},
    {"gd01", "gd0", false},  {"gd01", "gd01 ", false}, {"gd01", "GD01", false},
};

static void test_names(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(names); i++)
        if (rights_name(names[i].id, names[i].name) != names[i].want)
            fail_msg("%s as \"%s\"", names[i].id, names[i].name);
}

static const struct {
    const char *regions, *sites; /* of the principal */
    enum principal_kind kind;
    const char *region, *site; /* asked for */
    const char *beyond;        /* NULL: nothing is */
} asked[] = {
    {"", "", PRINCIPAL_BRANCH, "11", "S9", NULL},     {"44", "", PRINCIPAL_BRANCH, "", "", NULL},
    {"44", "", PRINCIPAL_BRANCH, "44", "", NULL},     {"44", "", PRINCIPAL_BRANCH, "4401", "", NULL},
    {"4401", "", PRINCIPAL_BRANCH, "44", "", NULL}, /* narrowed to what it may see */
    {"44", "", PRINCIPAL_BRANCH, "11", "", "11"},     {"44", "", PRINCIPAL_BRANCH, "", "S9", NULL},
    {"", "S7", PRINCIPAL_BRANCH, "", "S7", NULL},     {"", "S7", PRINCIPAL_BRANCH, "", "S9", "S9"},
    {"", "S7", PRINCIPAL_BRANCH, "11", "", NULL},     {"44", "S7", PRINCIPAL_BRANCH, "", "S9", NULL},
    {"44", "S7", PRINCIPAL_BRANCH, "11", "", NULL},   {"", "", PRINCIPAL_SITE, "", "me", NULL}, /* a site is its own */
    {"", "", PRINCIPAL_SITE, "", "S9", "S9"},
};

static void test_what_is_asked_for_in_vain(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(asked); i++) {
        struct principal principal = {.kind = (int)asked[i].kind, .id = "me"};
        struct verb_open open = {.regions_n = asked[i].region[0] != '\0', .sites_n = asked[i].site[0] != '\0'};
        principal.regions_n = asked[i].regions[0] != '\0';
        principal.sites_n = asked[i].sites[0] != '\0';
        text_copy(principal.regions[0], sizeof(principal.regions[0]), asked[i].regions);
        text_copy(principal.sites[0], sizeof(principal.sites[0]), asked[i].sites);
        text_copy(open.regions[0], sizeof(open.regions[0]), asked[i].region);
        text_copy(open.sites[0], sizeof(open.sites[0]), asked[i].site);
        const char *beyond = rights_beyond(&principal, &open);
        if ((beyond == NULL) != (asked[i].beyond == NULL) || (beyond != NULL && !text_equal(beyond, asked[i].beyond)))
            fail_msg("line %zu: %s", i, beyond != NULL ? beyond : "nothing");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_types_by_kind),
        cmocka_unit_test(test_unknown_and_revoked),
        cmocka_unit_test(test_places),
        cmocka_unit_test(test_filters), cmocka_unit_test(test_an_erasure_passes_places),
        cmocka_unit_test(test_who_speaks),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_what_is_asked_for_in_vain),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
