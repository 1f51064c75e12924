/* Whose key it is, and what the door says of who comes: by table. */
#include "keyring.h"

#include "base/text.h"
#include "rights.h"
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define OWN_UID 1000

/* Keys are told apart by their first byte. */
static const struct {
    const char *id;
    enum principal_kind kind;
    bool open;
    uint8_t keys[2]; /* 0: none */
} principals[] = {
    {"gd01", PRINCIPAL_BRANCH, true, {1, 2}}, /* a rotation under way */
    {"dispatcher", PRINCIPAL_WORKER, true, {3}},
    {"gone", PRINCIPAL_BRANCH, false, {4}},
    {"heir", PRINCIPAL_INTEGRATOR, true, {5}}, /* has the key that an earlier one had */
    {"ancestor", PRINCIPAL_INTEGRATOR, false, {5}},
    {"keyless", PRINCIPAL_DESK, true, {0}},
};

static void key_of(uint8_t first, uint8_t out[32])
{
    memset(out, 0, 32);
    out[0] = first;
    out[31] = 0xee;
}

static struct tables *tables_of(void)
{
    struct tables *tables = tables_new(&archive_tables[ARCHIVE_PRINCIPALS], 1, 16);
    tables_keep_all(tables);
    for (size_t i = 0; i < COUNT_OF(principals); i++) {
        struct principal_row *row = table_new(tables, 0, principals[i].id);
        row->open = principals[i].open;
        row->granted.kind = (int)principals[i].kind;
        for (size_t k = 0; k < COUNT_OF(principals[i].keys) && principals[i].keys[k] != 0; k++)
            key_of(principals[i].keys[k], row->granted.keys[row->granted.keys_n++]);
    }
    return tables;
}

static const struct {
    const char *name;
    const char *domain, *mechanism, *address;
    uint8_t key; /* 0: none */
    int status;
    const char *id, *why; /* 200: why is "" */
} comers[] = {
    {"its key", "cmd", "CURVE", "10.0.0.1", 1, 200, "gd01", ""},
    {"its other key", "feed", "CURVE", "10.0.0.1", 2, 200, "gd01", ""},
    {"a worker on live", "live", "CURVE", "10.0.0.1", 3, 200, "dispatcher", ""},
    {"a branch on live", "live", "CURVE", "10.0.0.1", 1, 400, "gd01", "kind"},
    {"a revoked one", "cmd", "CURVE", "10.0.0.1", 4, 400, "gone", "revoked"},
    {"a revoked one on live", "live", "CURVE", "10.0.0.1", 4, 400, "gone", "revoked"},
    {"of two owners the living one", "feed", "CURVE", "10.0.0.1", 5, 200, "heir", ""},
    {"nobody's key", "cmd", "CURVE", "10.0.0.1", 9, 400, "", "key"},
    {"nobody's, behind the last", "cmd", "CURVE", "10.0.0.1", 0xff, 400, "", "key"},
    {"without a key", "cmd", "NULL", "10.0.0.1", 0, 400, "", "mechanism"},
    {"a key that CURVE did not prove", "cmd", "PLAIN", "10.0.0.1", 1, 400, "", "mechanism"},
    {"this machine's own user", "local", "NULL", ":1000:1000:77", 0, 200, "", ""},
    {"this machine's root", "local", "NULL", ":0:0:77", 0, 200, "", ""},
    {"another user of this machine", "local", "NULL", ":1001:1001:77", 0, 400, "", "local"},
    {"a number that is none", "local", "NULL", ":x:1:77", 0, 400, "", "local"},
    {"a number cut short", "local", "NULL", ":1000", 0, 400, "", "local"},
    {"no number", "local", "NULL", ":", 0, 400, "", "local"},
    {"more than a number", "local", "NULL", ":1000x:1:77", 0, 400, "", "local"},
    {"where the kernel does not say", "local", "NULL", "localhost", 0, 200, "", ""},
};

static void test_who_comes(void **state)
{
    struct tables *tables = tables_of();
    struct keyring keyring;
    (void)state;
    keyring_make(&keyring, tables, 0);
    assert_int_equal(keyring.n, 6);
    for (size_t i = 0; i < COUNT_OF(comers); i++) {
        uint8_t key[32];
        char user[136] = "";
        struct verdict verdict;
        struct comer comer = {.domain = comers[i].domain, .mechanism = comers[i].mechanism, .address = comers[i].address, .uid = OWN_UID};
        key_of(comers[i].key, key);
        comer.key = comers[i].key != 0 ? key : NULL;
        keyring_judge(&keyring, &comer, &verdict);
        if (verdict.status == 200 && text_equal(comer.domain, "local"))
            text_copy(user, sizeof(user), CALLER_LOCAL);
        else if (verdict.status == 200)
            caller_print(comers[i].id, key, user);
        if (verdict.status != comers[i].status || !text_equal(verdict.id, comers[i].id) || !text_equal(verdict.user, user) ||
            (verdict.status == 400 && !text_equal(verdict.why, comers[i].why)))
            fail_msg("%s: %d \"%s\" %s, as \"%s\"", comers[i].name, verdict.status, verdict.id, verdict.why, verdict.user);
    }
    keyring_release(&keyring);
    tables_destroy(&tables);
}

/* Before it is told who there is, nobody is turned away for good, and nobody is let in. */
static void test_before_the_principals_are_known(void **state)
{
    struct keyring keyring = {.told = false};
    uint8_t key[32];
    struct comer comer = {.domain = "cmd", .mechanism = "CURVE", .address = "10.0.0.1", .key = key, .uid = OWN_UID};
    struct verdict verdict;
    (void)state;
    key_of(1, key);
    keyring_judge(&keyring, &comer, &verdict);
    assert_int_equal(verdict.status, 300);
    assert_string_equal(verdict.user, "");
    comer.mechanism = "NULL";
    keyring_judge(&keyring, &comer, &verdict);
    assert_int_equal(verdict.status, 400);
    comer.domain = "local";
    comer.address = ":1000:1000:1";
    keyring_judge(&keyring, &comer, &verdict);
    assert_int_equal(verdict.status, 200);
}

static void test_every_key_is_found(void **state)
{
    struct tables *tables = tables_new(&archive_tables[ARCHIVE_PRINCIPALS], 1, 1024);
    struct keyring keyring;
    (void)state;
    tables_keep_all(tables);
    for (unsigned i = 0; i < 200; i++) {
        char id[16];
        text_format(id, sizeof(id), "p%u", i);
        struct principal_row *row = table_new(tables, 0, id);
        row->open = true;
        key_of((uint8_t)(i * 37), row->granted.keys[row->granted.keys_n++]); /* in no order */
        row->granted.keys[0][1] = (uint8_t)(i / 7);
    }
    keyring_make(&keyring, tables, 0);
    for (unsigned i = 0; i < 200; i++) {
        uint8_t key[32];
        char id[16];
        text_format(id, sizeof(id), "p%u", i);
        key_of((uint8_t)(i * 37), key);
        key[1] = (uint8_t)(i / 7);
        const struct keyring_entry *entry = keyring_find(&keyring, key);
        assert_non_null(entry);
        assert_string_equal(entry->id, id);
        key[30] = 1; /* one bit of it */
        assert_null(keyring_find(&keyring, key));
    }
    keyring_release(&keyring);
    keyring_make(&keyring, tables, 0);
    keyring_release(&keyring);
    tables_destroy(&tables);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_who_comes), cmocka_unit_test(test_before_the_principals_are_known),
                                       cmocka_unit_test(test_every_key_is_found)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
