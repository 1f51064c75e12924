/* The hard filters and the explanation of a choice. */
#include "services/dispatcher/candidates.h"

#include "base/text.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct site site(const char *id, const char *territory, const char *product,
                        int64_t capacity)
{
    struct site site = {.tier = 3, .capacity = capacity, .open = true};
    text_copy(site.site, sizeof site.site, id);
    if (territory[0] != '\0')
        text_copy(site.territories[site.territories_n++], 24, territory);
    if (product[0] != '\0')
        text_copy(site.products[site.products_n++], 64, product);
    return site;
}

static const struct candidate_tried tried[] = {{"said-no", true}, {"silent", false}};

static const struct {
    const char *what, *id, *territory, *product;
    int64_t capacity, load;
    bool closed;
    enum candidate_removed want;
} cases[] = {
    {"everywhere, everything", "a", "", "", 0, 1000, false, REMOVED_NOT},
    {"its province", "a", "44", "", 0, 0, false, REMOVED_NOT},
    {"its very district", "a", "440106", "", 0, 0, false, REMOVED_NOT},
    {"a part of where it is", "a", "44010601", "", 0, 0, false, REMOVED_TERRITORY},
    {"elsewhere", "a", "11", "", 0, 0, false, REMOVED_TERRITORY},
    {"knows it", "a", "", "pump", 0, 0, false, REMOVED_NOT},
    {"knows another", "a", "", "pumps", 0, 0, false, REMOVED_PRODUCT},
    {"closed", "a", "44", "pump", 0, 0, true, REMOVED_CLOSED},
    {"room for one more", "a", "", "", 3, 2, false, REMOVED_NOT},
    {"full", "a", "", "", 3, 3, false, REMOVED_CAPACITY},
    {"had it and said no", "said-no", "", "", 0, 0, false, REMOVED_DECLINED},
    {"had it and said nothing", "silent", "", "", 0, 0, false, REMOVED_TRIED},
};

static void filters(void **state)
{
    (void)state;
    struct candidate_need need = {
        .region = "440106", .product = "pump", .tried = tried, .tried_n = COUNT_OF(tried)};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct site it = site(cases[i].id, cases[i].territory, cases[i].product, cases[i].capacity);
        it.closed = cases[i].closed;
        enum candidate_removed got = dispatcher_candidate_judge(&it, cases[i].load, &need);
        if (got != cases[i].want)
            fail_msg("%s: %d, not %d", cases[i].what, (int)got, (int)cases[i].want);
    }
}

static void a_ticket_from_nowhere_goes_to_who_serves_everywhere(void **state)
{
    (void)state;
    struct candidate_need need = {.region = "", .product = ""};
    struct site everywhere = site("a", "", "", 0), district = site("b", "44", "", 0);
    assert_int_equal(dispatcher_candidate_judge(&everywhere, 0, &need), REMOVED_NOT);
    assert_int_equal(dispatcher_candidate_judge(&district, 0, &need), REMOVED_TERRITORY);
}

static void add(struct candidates *list, const struct site *site, int64_t load,
                enum candidate_removed removed, const char *engineer)
{
    struct candidate candidate = {
        .site = site, .load = load, .engineer = engineer, .removed = removed};
    dispatcher_candidates_add(list, &candidate);
}

static void explains(void **state)
{
    (void)state;
    struct candidates list = {.able_n = 0};
    struct site one = site("D05", "", "", 0), two = site("D07", "", "", 10),
                full = site("D09", "", "", 10), far = site("X", "1", "", 0);
    char text[CANDIDATES_TEXT_CAP];
    add(&list, &one, 3, REMOVED_NOT, NULL);
    add(&list, &far, 0, REMOVED_TERRITORY, NULL);
    add(&list, &two, 4, REMOVED_NOT, "li");
    add(&list, &full, 10, REMOVED_CAPACITY, NULL);
    add(&list, &far, 0, REMOVED_TERRITORY, NULL);
    add(&list, &far, 0, REMOVED_PASS_EXPIRED, NULL);
    dispatcher_candidates_print(&list, text);
    assert_string_equal(text, "D05=3 D07=4/10@li D09=10/10!capacity X=0!pass-expired "
                              "+2!territory +1!capacity +1!pass-expired");
    assert_int_equal(list.able_all, 2);
}

/* Long names: the choice and the figures are there, others as far as there is room. */
static void explains_within_bounds(void **state)
{
    (void)state;
    struct candidates list = {.able_n = 0};
    struct site sites[20];
    char name[EVENT_KEY_CAP], text[CANDIDATES_TEXT_CAP];
    memset(name, 'n', sizeof name);
    name[EVENT_KEY_CAP - 1] = '\0';
    for (size_t i = 0; i < COUNT_OF(sites); i++) {
        name[0] = (char)('a' + i);
        sites[i] = site(name, "", "", 1000000);
        add(&list, &sites[i], 999999,
            i % 2 == 0 ? REMOVED_NOT : (enum candidate_removed)(1 + i % 6), NULL);
    }
    dispatcher_candidates_print(&list, text);
    assert_true(strlen(text) < CANDIDATES_TEXT_CAP);
    assert_true(text_starts(text, sites[0].site));
    assert_non_null(strstr(text, "+4!territory"));
}

/* The choice is whole, however long its names, even where every filter removed somebody. */
static void the_choice_is_never_cut(void **state)
{
    (void)state;
    struct candidates list = {.able_n = 0};
    char name[EVENT_KEY_CAP], text[CANDIDATES_TEXT_CAP], want[240];
    memset(name, 'n', sizeof name);
    name[EVENT_KEY_CAP - 1] = '\0';
    struct site chosen = site(name, "", "", 1000000), other = site("other", "", "", 0);
    add(&list, &chosen, 999999, REMOVED_NOT, name);
    for (enum candidate_removed by = REMOVED_CLOSED; by <= REMOVED_DAY_FULL; by++)
        for (int i = 0; i < 1000; i++)
            add(&list, &other, 0, by, NULL);
    dispatcher_candidates_print(&list, text);
    text_format(want, sizeof want, "%s=999999/1000000@%s +1000!closed", name, name);
    assert_true(text_starts(text, want));
    assert_true(strlen(text) < CANDIDATES_TEXT_CAP);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(filters),
        cmocka_unit_test(a_ticket_from_nowhere_goes_to_who_serves_everywhere),
        cmocka_unit_test(explains),
        cmocka_unit_test(explains_within_bounds),
        cmocka_unit_test(the_choice_is_never_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
