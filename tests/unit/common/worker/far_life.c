/* A life at random, and what is compared when it has been lived. */
#include "far.h"

#include "base/text.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* --- what was said
 * -------------------------------------------------------------------------------- */

size_t far_said_of(const struct world *w, const char *type, struct said *out)
{
    size_t n = 0;
    for (uint64_t pos = 1; pos <= w->head; pos++) {
        struct event event;
        struct problem problem;
        struct order_fact data = {0};
        assert_true(event_decode(buf_bytes(&w->bodies[pos]), (struct bytes){0}, &event, &problem));
        if (!text_equal(event.type, type))
            continue;
        assert_true(record_decode(&far_fact_record, RECORD_PLAIN, DECODE_LENIENT, event.data, NULL,
                                  &data, &problem));
        text_copy(out[n].id, sizeof out[n].id, event.id);
        out[n].due_us = data.due_us;
        out[n++].pos = pos;
    }
    return n;
}

static int said_compare(const void *a, const void *b)
{
    return strcmp(((const struct said *)a)->id, ((const struct said *)b)->id);
}

size_t far_check_same_lates(const struct world *a, const struct world *b)
{
    static struct said left[EVENTS_MAX], right[EVENTS_MAX];
    size_t n = far_said_of(a, "order.late", left);
    assert_int_equal(far_said_of(b, "order.late", right), n);
    qsort(left, n, sizeof left[0], said_compare);
    qsort(right, n, sizeof right[0], said_compare);
    for (size_t i = 0; i < n; i++) {
        assert_string_equal(left[i].id, right[i].id);
        assert_true(left[i].due_us == right[i].due_us);
    }
    return n;
}

/* Nothing is behind and nothing was said twice; how many editions a row has met on the way depends
 * on when it was its turn. */
size_t far_check_recounts(const struct world *w)
{
    static struct said said[EVENTS_MAX];
    size_t n = far_said_of(w, "order.recounted", said);
    qsort(said, n, sizeof said[0], said_compare);
    for (size_t i = 1; i < n; i++)
        assert_string_not_equal(said[i].id, said[i - 1].id);
    for (size_t i = 0; i < w->stored_n; i++)
        assert_true(!w->stored[i].open || w->stored[i].edition[0] == '\0' ||
                    strcmp(w->stored[i].edition, w->edition.current) >= 0);
    return n;
}

void far_check_same_rows(struct world *a, struct world *b, bool recounts)
{
    assert_int_equal(a->stored_n, b->stored_n);
    for (size_t i = 0; i < a->stored_n; i++) {
        struct order row = a->stored[i];
        const struct order *other = far_stored(b, row.id);
        assert_non_null(other);
        if (!recounts) {
            row.moves = other->moves;
            text_copy(row.edition, sizeof row.edition, other->edition);
        }
        assert_true(record_equal(&far_order_record, &row, other));
    }
}

void far_check_rebuild(struct world *w)
{
    struct world *again = calloc(1, sizeof *again);
    again->far = w->far;
    for (uint64_t pos = 1; pos <= w->head; pos++)
        buf_append(&again->bodies[pos], w->bodies[pos].data, w->bodies[pos].len);
    memcpy(again->links, w->links, sizeof again->links);
    again->head = w->head;
    again->upto = w->head;
    again->now_us = w->now_us;
    far_restart(again);
    while (run_state(again->run).pos < again->head) {
        uint64_t until = run_state(again->run).pos + 100;
        far_handle(again, until < again->head ? until : again->head);
        assert_int_equal(far_take_conclusions(again), 0);
        far_commit(again);
    }
    far_check_same_rows(w, again, true);
    far_settle(again, 100); /* and the normal start behind it has nothing to say */
    assert_int_equal(again->head, w->head);
    far_world_destroy(again);
}

/* --- random
 * --------------------------------------------------------------------------------------- */

static uint64_t dice;

static size_t roll(size_t n)
{
    dice ^= dice << 13;
    dice ^= dice >> 7;
    dice ^= dice << 17;
    return (size_t)((dice >> 11) % n);
}

void far_live(struct world *w, uint64_t seed, bool publishes)
{
    char key[16], edition[16] = "e10";
    int opened_n = 0, edition_n = 10;
    dice = seed * UINT64_C(0x9E3779B97F4A7C15);
    far_fact(w, "edition.published", "the", 0, edition);
    for (int i = 0; i < 500; i++) {
        size_t what = roll(100);
        text_format(key, sizeof key, "K%03zu", opened_n > 0 ? roll((size_t)opened_n) : 0);
        int64_t due_us = w->now_us + (int64_t)roll(400) * 15 * MINUTE_US - 2 * HOUR_US;
        if (what < 40 && opened_n < KEYS) {
            text_format(key, sizeof key, "K%03d", opened_n++);
            far_fact(w, "order.opened", key, due_us,
                     roll(3) == 0                ? ""
                     : roll(8) == 0 && publishes ? "e05"
                                                 : edition);
        } else if (what < 55) {
            far_fact(w, "order.moved", key, due_us, "");
        } else if (what < 65) {
            far_fact(w, "order.closed", key, 0, "");
        } else if (what < 67 && publishes) {
            text_format(edition, sizeof edition, "e%02d", ++edition_n);
            far_fact(w, "edition.published", "the", 0, edition);
        } else if (what < 75) {
            w->now_us += (int64_t)roll(30) * 10 * MINUTE_US;
            far_settle(w, 1 + roll(9));
        } else if (what < 85) {
            far_settle(w, 1 + roll(9));
        } else if (what < 90) {
            far_restart(w);
        } else {
            w->now_us += (int64_t)roll(10) * MINUTE_US;
        }
    }
    far_settle(w, 50);
}
