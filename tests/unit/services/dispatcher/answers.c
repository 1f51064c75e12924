#include "unit/services/dispatcher/answers.h"

#include "base/text.h"
#include "pg/row.h"
#include "proto/questions.h"
#include "record/pack.h"
#include "table/mirror.h"
#include <assert.h>
#include <stdio.h>
#include <string.h>

struct filling {
    struct pg *pg;
    const struct worker *worker;
};

static void insert(unsigned table, const void *row, void *arg)
{
    const struct filling *filling = arg;
    if (table >= filling->worker->tables_n)
        return; /* the runtime's own */
    const struct table_def *def = filling->worker->tables[table];
    owned(pg_args_destroy) struct pg_args *args = pg_args_new();
    struct buf sql = {.len = 0};
    row_insert_sql(def->row, def->name, &sql);
    row_args(def->row, &row, 1, args);
    enum status status = pg_query(filling->pg, buf_text(&sql), args, NULL);
    if (status != STATUS_OK)
        fprintf(stderr, "%s: %s\n", def->name, pg_error(filling->pg));
    assert(status == STATUS_OK);
    buf_release(&sql);
}

void answers_fill(struct pg *pg, const struct worker *worker, const struct story *story)
{
    struct filling filling = {.pg = pg, .worker = worker};
    enum status status = mirror_create(pg, worker->name, worker->tables, worker->tables_n);
    if (status != STATUS_OK)
        fprintf(stderr, "%s\n", pg_error(pg));
    assert(status == STATUS_OK);
    story_each(story, insert, &filling);
}

static const char *sql_of(const struct worker *worker, const char *name)
{
    for (size_t i = 0; i < worker->questions_n; i++)
        if (text_equal(worker->questions[i].name, name))
            return worker->questions[i].sql;
    return NULL;
}

/* As the runtime binds them: the fields of the args in order. */
static void bind(struct pg_args *out, const struct record *record, const void *args)
{
    for (size_t i = 0; i < record->n; i++) {
        const char *member = (const char *)args + record->fields[i].offset;
        int64_t number;
        if (record->fields[i].kind == FIELD_TEXT) {
            pg_arg_text(out, member);
            continue;
        }
        assert(record->fields[i].kind == FIELD_INT);
        memcpy(&number, member, sizeof number);
        pg_arg_int(out, number);
    }
}

/* Every field of the promised row is a column at its place, and nothing else is. */
static void check_columns(const struct record *row, const struct pg_result *result)
{
    assert(pg_columns(result) == (int)row->n);
    for (size_t i = 0; i < row->n; i++)
        assert(text_equal(pg_column_name(result, (int)i), row->fields[i].name));
}

static void print_row(const struct record *record, const struct pg_result *result, int row,
                      struct arena *arena, struct buf *out)
{
    struct buf packed = {.len = 0};
    struct problem problem;
    uint32_t pairs = 0;
    for (int i = 0; i < pg_columns(result); i++)
        pairs += pg_is_null(result, row, i) ? 0 : 1;
    pack_map(&packed, pairs);
    for (int i = 0; i < pg_columns(result); i++)
        if (!pg_is_null(result, row, i)) {
            pack_text(&packed, pg_column_name(result, i));
            pg_pack(result, row, i, &packed);
        }
    void *object = arena_alloc(arena, record->size);
    bool fine = record_decode(record, RECORD_WHOLE, DECODE_STRICT, buf_bytes(&packed), arena,
                              object, &problem);
    if (!fine)
        fprintf(stderr, "%s %s\n", problem.code, problem.field);
    assert(fine);
    record_print_json(record, RECORD_WHOLE, object, out);
    buf_append_text(out, "\n");
    buf_release(&packed);
}

const char *answers_ask(struct pg *pg, const struct worker *worker, const char *question,
                        const char *args_json, int64_t limit, const char *after)
{
    static struct buf out;
    struct problem problem;
    const struct question_type *type = question_find(worker->name, question);
    owned(arena_destroy) struct arena *arena = arena_new(65536);
    owned(pg_args_destroy) struct pg_args *bound = pg_args_new();
    owned(pg_result_destroy) struct pg_result *result = NULL;
    assert(type != NULL);
    void *args = arena_alloc(arena, type->args->size);
    bool fine = record_parse_json(type->args, RECORD_WHOLE, DECODE_STRICT, args_json,
                                  strlen(args_json), arena, args, &problem);
    assert(fine);
    bind(bound, type->args, args);
    pg_arg_int(bound, limit);
    pg_arg_text(bound, after);
    enum status status = pg_query(pg, sql_of(worker, question), bound, &result);
    if (status != STATUS_OK)
        fprintf(stderr, "%s: %s\n", question, pg_error(pg));
    assert(status == STATUS_OK);
    check_columns(type->row, result);
    buf_release(&out);
    for (int row = 0; row < pg_rows(result); row++)
        print_row(type->row, result, row, arena, &out);
    return buf_text(&out);
}
