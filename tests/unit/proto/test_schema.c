/* The printed documents: well-formed, every reference leads somewhere, and the files in proto/ are what is printed. */
#include "base/text.h"
#include "proto/schema.h"
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void file_is(const char *name, struct buf *want)
{
    char path[512];
    struct buf have = {0};
    text_format(path, sizeof(path), "%s/proto/%s", SOURCE_DIR, name);
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        fail_msg("%s is missing: run proto-write", path);
    for (size_t n; (n = fread(buf_reserve(&have, 65536), 1, 65536, file)) > 0;)
        have.len += n;
    fclose(file);
    if (!bytes_equal(buf_bytes(&have), buf_bytes(want)))
        fail_msg("%s is not what the field tables say: run proto-write", path);
    buf_release(&have);
}

/* "#/a/b~1c" */
static json_t *follow(json_t *root, const char *ref)
{
    json_t *at = root;
    assert_true(text_starts(ref, "#/"));
    for (const char *part = ref + 2; at != NULL && *part != '\0';) {
        char name[256];
        size_t n = 0;
        for (; *part != '\0' && *part != '/'; part++) {
            name[n] = *part;
            if (*part == '~')
                name[n] = *++part == '1' ? '/' : '~';
            n++;
        }
        name[n] = '\0';
        part += *part == '/';
        at = json_object_get(at, name);
    }
    return at;
}

static void refs_lead_somewhere(json_t *root, json_t *at, size_t *seen)
{
    const char *name;
    size_t i;
    json_t *value;
    json_t *ref = json_object_get(at, "$ref");
    if (json_is_string(ref)) {
        ++*seen;
        if (follow(root, json_string_value(ref)) == NULL)
            fail_msg("%s leads nowhere", json_string_value(ref));
    }
    if (json_is_object(at))
        json_object_foreach(at, name, value) refs_lead_somewhere(root, value, seen);
    if (json_is_array(at))
        json_array_foreach(at, i, value) refs_lead_somewhere(root, value, seen);
}

static json_t *parsed(struct buf *out)
{
    json_error_t error;
    json_t *root = json_loadb(buf_text(out), out->len, JSON_REJECT_DUPLICATES, &error);
    if (root == NULL)
        fail_msg("line %d: %s", error.line, error.text);
    size_t seen = 0;
    refs_lead_somewhere(root, root, &seen);
    assert_true(seen > 0);
    return root;
}

static void json_schema_is_fresh(void **state)
{
    (void)state;
    struct buf out = {0};
    schema_print_json(&out);
    json_t *root = parsed(&out);
    json_t *data = follow(root, "#/$defs/ticket.registered~11/properties/data");
    assert_string_equal(json_string_value(json_array_get(json_object_get(data, "required"), 0)), "kind");
    json_t *phone = follow(data, "#/properties/customer/properties/phone");
    assert_true(json_is_true(json_object_get(phone, "x-personal")));
    assert_int_equal(json_integer_value(json_object_get(phone, "maxLength")), 47);
    assert_string_equal(json_string_value(json_object_get(follow(data, "#/properties/wanted"), "format")), "date-time");
    size_t n = 0;
    while (event_type_at(n) != NULL)
        n++;
    assert_int_equal(json_object_size(json_object_get(root, "$defs")), n);
    file_is("schema.json", &out);
    json_decref(root);
    buf_release(&out);
}

static void asyncapi_is_fresh(void **state)
{
    (void)state;
    struct buf out = {0};
    schema_print_asyncapi(&out);
    json_t *root = parsed(&out);
    assert_string_equal(json_string_value(json_object_get(root, "asyncapi")), "3.0.0");
    json_t *append = follow(root, "#/components/messages/cmd.APPEND/payload/properties/n");
    assert_string_equal(json_string_value(json_object_get(append, "type")), "integer");
    assert_non_null(follow(root, "#/components/schemas/job.offered.v1/properties/site"));
    assert_non_null(follow(root, "#/components/schemas/ask.reporting.report.row/properties/sha256"));
    const char *name;
    json_t *value;
    json_object_foreach(follow(root, "#/components/schemas"), name, value)
        assert_int_equal(strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-"), strlen(name));
    file_is("asyncapi.json", &out);
    json_decref(root);
    buf_release(&out);
}

static void tables_name_everything(void **state)
{
    (void)state;
    const struct event_type *type;
    struct buf out = {0};
    schema_print_table(false, &out);
    for (size_t i = 0; (type = event_type_at(i)) != NULL; i++)
        assert_non_null(strstr(buf_text(&out), type->name));
    buf_reset(&out);
    schema_print_type(event_type_find("ticket.registered", 1), false, &out);
    assert_non_null(strstr(buf_text(&out), "customer.phone"));
    assert_non_null(strstr(buf_text(&out), "[required]"));
    buf_reset(&out);
    schema_print_type(event_type_find("sla.scheduled", 1), true, &out);
    assert_non_null(strstr(buf_text(&out), "limits[].due"));
    assert_non_null(strstr(buf_text(&out), "时限起算"));
    buf_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json_schema_is_fresh),
        cmocka_unit_test(asyncapi_is_fresh),
        cmocka_unit_test(tables_name_everything),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
