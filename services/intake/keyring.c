#include "keyring.h"
#include "base/text.h"
#include "rights.h"
#include <stdlib.h>
#include <string.h>

struct filling {
    struct keyring *keyring;
    size_t cap;
};

static void row_add(const void *row, void *arg)
{
    const struct principal_row *principal = row;
    struct filling *filling = arg;
    struct keyring *keyring = filling->keyring;
    for (uint32_t i = 0; i < principal->granted.keys_n; i++) {
        if (keyring->n == filling->cap) {
            filling->cap = filling->cap == 0 ? 64 : 2 * filling->cap;
            keyring->entries = memory_grow(keyring->entries, filling->cap * sizeof(*keyring->entries));
        }
        struct keyring_entry *entry = &keyring->entries[keyring->n++];
        *entry = (struct keyring_entry){.worker = principal->granted.kind == PRINCIPAL_WORKER, .revoked = !principal->open};
        memcpy(entry->key, principal->granted.keys[i], sizeof(entry->key));
        text_copy(entry->id, sizeof(entry->id), principal->id);
    }
}

/* Of one key with two owners the living one comes first. */
static int entry_compare(const void *left, const void *right)
{
    const struct keyring_entry *a = left, *b = right;
    int order = memcmp(a->key, b->key, sizeof(a->key));
    return order != 0 ? order : (int)a->revoked - (int)b->revoked;
}

void keyring_make(struct keyring *keyring, const struct tables *tables, unsigned principals)
{
    struct filling filling = {.keyring = keyring};
    *keyring = (struct keyring){.told = true};
    tables_each(tables, principals, row_add, &filling);
    if (keyring->n > 1)
        qsort(keyring->entries, keyring->n, sizeof(*keyring->entries), entry_compare);
}

void keyring_release(struct keyring *keyring)
{
    free(keyring->entries);
    *keyring = (struct keyring){0};
}

const struct keyring_entry *keyring_find(const struct keyring *keyring, const uint8_t key[32])
{
    size_t low = 0, high = keyring->n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (memcmp(keyring->entries[middle].key, key, 32) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low < keyring->n && memcmp(keyring->entries[low].key, key, 32) == 0 ? &keyring->entries[low] : NULL;
}

static void refuse(struct verdict *verdict, int status, const char *why)
{
    verdict->status = status;
    verdict->why = why;
}

/* ":UID:GID:PID", by the kernel's word. The folder's mode lets in its owner and root alone; this says it once more. */
static void judge_local(const struct comer *comer, struct verdict *verdict)
{
    char *end;
    unsigned long uid = comer->address[0] == ':' ? strtoul(comer->address + 1, &end, 10) : comer->uid;
    if (comer->address[0] == ':' && (end == comer->address + 1 || *end != ':'))
        uid = (unsigned long)-1;
    if (uid != 0 && uid != comer->uid) {
        refuse(verdict, 400, "local");
        return;
    }
    verdict->status = 200;
    text_copy(verdict->user, sizeof(verdict->user), CALLER_LOCAL);
}

void keyring_judge(const struct keyring *keyring, const struct comer *comer, struct verdict *verdict)
{
    *verdict = (struct verdict){.status = 400, .why = "mechanism"};
    if (text_equal(comer->domain, "local")) {
        judge_local(comer, verdict);
        return;
    }
    if (!text_equal(comer->mechanism, "CURVE") || comer->key == NULL)
        return;
    const struct keyring_entry *entry = keyring_find(keyring, comer->key);
    if (entry == NULL) {
        refuse(verdict, keyring->told ? 400 : 300, keyring->told ? "key" : "");
        return;
    }
    text_copy(verdict->id, sizeof(verdict->id), entry->id);
    if (entry->revoked) {
        refuse(verdict, 400, "revoked");
    } else if (text_equal(comer->domain, "live") && !entry->worker) {
        refuse(verdict, 400, "kind");
    } else {
        verdict->status = 200;
        caller_print(entry->id, entry->key, verdict->user);
    }
}
