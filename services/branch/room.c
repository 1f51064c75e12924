/* Room on the disk: who finds none says so, and it is looked again until there is some. */
#include "base/log.h"
#include "office_inside.h"
#include <sys/statvfs.h>

#define LOOK_US (5 * SECOND_US)
/* An answer looked for room lately: what there is, is its. */
#define ANSWERS_US (3 * SECOND_US)

void room_told(struct office *o, bool *full, bool none, const char *what, const char *why)
{
    if (none && !*full) {
        log_error("no %s can be taken: %s", what, why);
        o->room_us = o->now.boot_us;
    }
    *full = none;
}

/* Beside the spool, for the answers. */
static void reserve_make(struct office *o)
{
    if (spool_has_reserve(o->spool) || o->now.boot_us - o->reserved_us < SECOND_US || o->now.boot_us - o->no_room_us < ANSWERS_US)
        return;
    o->reserved_us = o->now.boot_us;
    /* An empty spool's log is all that can be given back to the disk. */
    if (spool_state(o->spool)->facts > 0 || spool_sweep(o->spool) == STATUS_OK)
        spool_reserve(o->spool);
}

static void left_look(struct office *o)
{
    struct statvfs disk;
    o->disk_left = statvfs(o->folder, &disk) == 0 ? (int64_t)(disk.f_bavail * disk.f_frsize) : -1;
}

/* Nobody may come for hours, who would find out that there is room again. False: doubt. */
static bool probe(struct office *o)
{
    if (o->now.boot_us - o->no_room_us < ANSWERS_US)
        return true;
    enum status spool = o->facts_full ? spool_probe(o->spool) : STATUS_OK;
    enum status files = o->files_full ? drawer_probe(o->drawer) : STATUS_OK;
    if (spool == STATUS_DOUBT || files == STATUS_DOUBT)
        return false;
    if ((o->facts_full && spool == STATUS_OK) || (o->files_full && files == STATUS_OK))
        log_info("there is room on the disk again");
    o->facts_full = spool != STATUS_OK;
    o->files_full = files != STATUS_OK;
    return true;
}

bool room_look(struct office *o)
{
    reserve_make(o);
    if (o->now.boot_us - o->room_us < LOOK_US)
        return true;
    o->room_us = o->now.boot_us;
    left_look(o);
    return probe(o);
}
