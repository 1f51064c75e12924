#include "rows.h"
#include "base/text.h"
#include "event_print.h"
#include <string.h>

void rows_init(struct rows *rows, const struct cli *cli, const struct record *row)
{
    *rows = (struct rows){.cli = cli, .record = row};
    for (size_t i = 0; i < row->n && rows->columns_n < COUNT_OF(rows->columns); i++) {
        enum field_kind kind = row->fields[i].kind;
        /* A refusal's name is its source and number, which stand beside it. */
        bool twice = text_equal(row->fields[i].name, "refusal");
        if (!twice && kind != FIELD_BYTES && kind != FIELD_RAW && kind != FIELD_BLOB)
            rows->columns[rows->columns_n++] = &row->fields[i];
    }
    sheet_init(&rows->sheet, rows->columns_n);
    for (size_t i = 0; i < rows->columns_n; i++)
        sheet_cell(&rows->sheet, in_words(cli->language, rows->columns[i]->name));
}

void rows_add(void *owner, const struct record *record, const void *row)
{
    struct rows *rows = owner;
    struct buf text = {0};
    rows->n++;
    if (rows->cli->json) {
        record_print_json(record, RECORD_WHOLE, row, &text);
        printf("%s\n", buf_text(&text));
    } else {
        for (size_t i = 0; i < rows->columns_n; i++) {
            buf_reset(&text);
            field_words(rows->columns[i], row, rows->cli->language, &text);
            sheet_cell(&rows->sheet, buf_text(&text));
        }
    }
    buf_release(&text);
}

/* Columns that say nothing in any row only make the table wide. */
static void narrowed(const struct rows *rows, struct sheet *out)
{
    bool says[40] = {0};
    size_t kept = 0;
    const char *text = (const char *)rows->sheet.texts.data;
    for (size_t i = 0; i < rows->sheet.cells; i++, text += strlen(text) + 1)
        if (i >= rows->columns_n && *text != '\0')
            says[i % rows->columns_n] = true;
    for (size_t i = 0; i < rows->columns_n; i++)
        kept += says[i];
    sheet_init(out, kept > 0 ? kept : 1);
    text = (const char *)rows->sheet.texts.data;
    for (size_t i = 0; i < rows->sheet.cells; i++, text += strlen(text) + 1)
        if (says[i % rows->columns_n])
            sheet_cell(out, text);
}

void rows_end(struct rows *rows)
{
    if (!rows->cli->json && rows->n == 0)
        printf("%s\n", in_words(rows->cli->language, "none"));
    if (!rows->cli->json && rows->n > 0) {
        struct sheet sheet;
        struct buf out = {0};
        narrowed(rows, &sheet);
        sheet_print(&sheet, rows->cli->colour, &out);
        fputs(buf_text(&out), stdout);
        buf_release(&out);
        sheet_release(&sheet);
    }
    sheet_release(&rows->sheet);
}
