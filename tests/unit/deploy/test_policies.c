/* What deploy/policies teaches and ships: every fragment of the README is a policy, every word is
 * in it, its figures are right, and every file can be published. */
#include "base/text.h"
#include "calendar/calendar.h"
#include "event/event.h"
#include "policy/due.h"
#include "policy/published.h"
#include "proto/catalogue.h"

#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define FOLDER SOURCE_DIR "/deploy/policies"

static const struct record *event_data(const char *type)
{
    const struct event_type *found = event_type_find(type, 0);
    return found ? found->data : NULL;
}

static void file_read(const char *path, struct buf *out)
{
    char part[4096];
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    for (size_t n; (n = fread(part, 1, sizeof part, f)) > 0;)
        buf_append(out, part, n);
    fclose(f);
}

static void parse(const char *what, const char *text, size_t n, struct arena *arena,
                  struct policy *out)
{
    struct problems problems = {0};
    if (!policy_parse(text, n, arena, out, &problems, event_data))
        fail_msg("%s: line %u: %s %s %s\n%.*s", what, problems.items[0].line,
                 problems.items[0].code, problems.items[0].field, problems.items[0].args, (int)n,
                 text);
    problems_release(&problems);
}

/* --- the README's fragments ------------------------------------------------------------------- */

static bool begins_section(const char *line)
{
    return *line >= 'a' && *line <= 'z';
}

/* Does the text have the section whose name the line begins with? */
static bool has_section(const char *text, size_t n, const char *line)
{
    size_t name = strcspn(line, ":") + 1;
    for (const char *at = text; at < text + n;) {
        if (strncmp(at, line, name) == 0)
            return true;
        at += strcspn(at, "\n") + 1;
    }
    return false;
}

/* The first fragment's sections that this one does not have, and then this one. */
static void fragment_complete(const char *first, size_t first_n, const char *text, size_t n,
                              struct buf *out)
{
    bool kept = false;
    for (const char *at = first; at < first + first_n;) {
        size_t line = strcspn(at, "\n") + 1;
        if (begins_section(at))
            kept = !has_section(text, n, at);
        if (kept)
            buf_append(out, at, line);
        at += line;
    }
    buf_append(out, text, n);
}

static void test_fragments(void **state)
{
    (void)state;
    struct buf readme = {0};
    const char *first = NULL;
    size_t first_n = 0, count = 0;
    file_read(FOLDER "/README.md", &readme);
    for (const char *at = buf_text(&readme); (at = strstr(at, "\n```yaml\n")) != NULL;) {
        const char *text = at + strlen("\n```yaml\n"), *end = strstr(text, "\n```\n");
        char what[40];
        struct arena *arena = arena_new(65536);
        struct policy policy;
        struct buf whole = {0};
        assert_non_null(end);
        size_t n = (size_t)(end + 1 - text);
        if (!first) {
            first = text;
            first_n = n;
        }
        fragment_complete(first, first_n, text, n, &whole);
        text_format(what, sizeof what, "fragment %u", (unsigned)++count);
        parse(what, buf_text(&whole), whole.len, arena, &policy);
        buf_release(&whole);
        arena_destroy(&arena);
        at = end;
    }
    assert_true(count >= 8);
    buf_release(&readme);
}

/* --- its words -------------------------------------------------------------------------------- */

static bool is_part_of_word(char c)
{
    return (c >= 'a' && c <= 'z') || c == '_' || c == '-';
}

static bool says(const char *text, const char *word)
{
    for (const char *at = text; (at = strstr(at, word)) != NULL; at++)
        if (!is_part_of_word(at[-1]) && !is_part_of_word(at[strlen(word)]))
            return true;
    return false;
}

static void words_check(const struct record *record, const char *text)
{
    for (size_t i = 0; i < record->n; i++) {
        const struct field *f = &record->fields[i];
        if (!says(text, f->name))
            fail_msg("%s of %s", f->name, record->name);
        for (int v = 0; f->kind == FIELD_ENUM && f->names[v]; v++)
            if (!says(text, f->names[v]))
                fail_msg("%s: %s", f->name, f->names[v]);
        if (f->kind == FIELD_RECORD)
            words_check(f->sub, text);
        else if (f->kind == FIELD_SLICE && f->elem->kind == FIELD_RECORD)
            words_check(f->elem->sub, text);
    }
}

static void test_words(void **state)
{
    (void)state;
    struct buf readme = {0};
    file_read(FOLDER "/README.md", &readme);
    words_check(&policy_record, buf_text(&readme));
    buf_release(&readme);
}

/* --- its figures -------------------------------------------------------------------------------
 */

static struct calendar *calendar_load(const char *path, struct arena *arena)
{
    struct buf text = {0};
    struct problems problems = {0};
    struct problem problem;
    struct calendar_def def;
    file_read(path, &text);
    assert_true(
        record_parse_yaml(&calendar_def_record, buf_text(&text), text.len, arena, &def, &problems));
    struct calendar *calendar = calendar_new(&def, &problem);
    assert_non_null(calendar);
    buf_release(&text);
    return calendar;
}

/* "2026-09-24 10:00" */
static int64_t instant(const struct calendar *calendar, const char *text)
{
    struct local_time t = {0};
    if (sscanf(text, "%d-%d-%d %d:%d", &t.year, &t.month, &t.day, &t.hour, &t.minute) != 5)
        fail_msg("no instant: %.20s", text);
    return zone_instant(calendar_zone(calendar), &t);
}

/* | from | `limit` | from – to, or nothing | due | */
static void row_check(const struct calendar *calendar, const char *row)
{
    static const struct policy_clause by_hours = {.counting = COUNTING_HOURS};
    struct policy_limit line = {.limit = {0}};
    struct pause_interval pause;
    char limit[16];
    const char *limit_at = strchr(row, '`') + 1, *waiting = strchr(limit_at, '|') + 1,
               *due = strchr(waiting, '|') + 1;
    const char *dash = strstr(waiting, "–");
    size_t pauses = dash && dash < due;
    text_copy_n(limit, sizeof limit, limit_at, strcspn(limit_at, "`"));
    assert_true(span_parse(limit, &line.limit));
    if (pauses)
        pause = (struct pause_interval){instant(calendar, waiting),
                                        instant(calendar, dash + strlen("–"))};
    if (policy_due_paused(&by_hours, &line, 1, calendar_zone(calendar), calendar,
                          instant(calendar, row + 1), &pause, pauses) != instant(calendar, due))
        fail_msg("%.*s", (int)strcspn(row, "\n"), row);
}

static void test_figures(void **state)
{
    (void)state;
    struct arena *arena = arena_new(65536);
    struct calendar *calendar = calendar_load(SOURCE_DIR "/deploy/calendars/cn.yaml", arena);
    struct buf readme = {0};
    int rows = 0;
    file_read(FOLDER "/README.md", &readme);
    for (const char *at = buf_text(&readme); (at = strstr(at, "\n| 2026-")) != NULL; rows++)
        row_check(calendar, ++at);
    assert_true(rows >= 5);
    calendar_destroy(&calendar);
    buf_release(&readme);
    arena_destroy(&arena);
}

/* --- the files -------------------------------------------------------------------------------- */

static size_t published_size(const struct policy *policy)
{
    struct buf raw = {0}, data = {0};
    struct policy_published published;
    record_clear(&policy_published_record, &published);
    record_encode(&policy_record, RECORD_WHOLE, policy, &raw);
    text_copy(published.name, sizeof published.name, policy->name);
    text_copy(published.version, sizeof published.version, policy->version);
    text_copy(published.replaces, sizeof published.replaces, policy->version);
    memset(published.sha256, 1, sizeof published.sha256);
    published.policy = buf_bytes(&raw);
    record_encode(&policy_published_record, RECORD_PLAIN, &published, &data);
    size_t n = data.len;
    buf_release(&raw);
    buf_release(&data);
    return n;
}

static void file_check(const char *path, size_t *largest)
{
    struct arena *arena = arena_new(65536);
    struct buf text = {0}, raw = {0};
    struct policy policy, back;
    struct problem problem;
    file_read(path, &text);
    parse(path, buf_text(&text), text.len, arena, &policy);
    size_t size = published_size(&policy);
    if (size > EVENT_BYTES_MAX - 1024)
        fail_msg("%s: %zu bytes published", path, size);
    if (size > *largest)
        *largest = size;
    record_encode(&policy_record, RECORD_WHOLE, &policy, &raw);
    if (!policy_decode(buf_bytes(&raw), arena, &back, &problem))
        fail_msg("%s: %s %s %s", path, problem.code, problem.field, problem.args);
    assert_true(record_equal(&policy_record, &policy, &back));
    const char *name = policy.calendars.items;
    for (uint32_t i = 0; i < policy.calendars.n; i++, name += 48) {
        char calendar[256];
        text_format(calendar, sizeof calendar, SOURCE_DIR "/deploy/calendars/%s.yaml", name);
        struct calendar *c = calendar_load(calendar, arena);
        calendar_destroy(&c);
    }
    buf_release(&text);
    buf_release(&raw);
    arena_destroy(&arena);
}

static void test_files(void **state)
{
    (void)state;
    glob_t files;
    size_t largest = 0;
    assert_int_equal(glob(FOLDER "/*.yaml", 0, NULL, &files), 0);
    for (size_t i = 0; i < files.gl_pathc; i++)
        file_check(files.gl_pathv[i], &largest);
    assert_true(largest > 4096);
    globfree(&files);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_fragments),
                                       cmocka_unit_test(test_words), cmocka_unit_test(test_figures),
                                       cmocka_unit_test(test_files)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
