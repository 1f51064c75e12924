/* file.*: which ticket a content belongs to. The bytes are nobody's here: they lie beside the journal (shelf.c). */
#include "base/text.h"
#include "desk.h"
#include <string.h>

/* NULL: a miss, or (fresh false) there is none. */
static struct file_row *row_of(struct desk_case *c, const uint8_t sha256[32], bool fresh)
{
    char key[FILE_KEY_CAP];
    file_key(sha256, c->key, key);
    struct file_row *row = table_change(c->tables, ARCHIVE_FILES, key);
    if (row == NULL && fresh && !desk_missed(c))
        row = table_new(c->tables, ARCHIVE_FILES, key);
    return row;
}

/* Named again, it is awaited again: its bytes may have gone with an erased customer's. What was said of it before stays: naming takes nothing
 * away. */
bool desk_on_file_attached(struct desk_case *c)
{
    const struct file_attached *data = c->data;
    if (!desk_on_ticket_fact(c))
        return false;
    struct file_row *row = row_of(c, data->sha256, true);
    if (row == NULL)
        return false;
    text_copy(row->ticket, sizeof(row->ticket), c->key);
    memcpy(row->sha256, data->sha256, sizeof(row->sha256));
    row->bytes = data->bytes;
    row->pos = (int64_t)c->pos;
    return true;
}

/* Intake's own word. Said twice it is one too many: the caller does not say it then. */
bool desk_on_file_stored(struct desk_case *c)
{
    const struct file_stored *data = c->data;
    struct file_row *row = desk_on_ticket_fact(c) ? row_of(c, data->sha256, false) : NULL;
    if (row == NULL || row->stored > row->pos)
        return desk_refuse(c, row == NULL ? "file.unknown" : "file.stored", "sha256", "%s", c->key);
    row->stored = (int64_t)c->pos;
    return true;
}
