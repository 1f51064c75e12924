/* The numbers of sources, taken and refused. */
#include "base/text.h"
#include "verify_inside.h"

/* Per source: the numbers of its rows and refusals are 1 … last, each once; those that were refused and not kept are counted. */
enum status verify_numbers(struct verify *verify)
{
    owned(pg_result_destroy) struct pg_result *result = NULL;
    enum status status =
        verify_query(verify,
              "SELECT s.name, s.last, s.unkept, coalesce(a.n, 0), coalesce(a.least, 0), coalesce(a.most, 0), coalesce(a.twice, 0),"
              " coalesce(a.refused, 0) FROM source s LEFT JOIN (SELECT source, count(*) AS n, min(n) AS least, max(n) AS most,"
              " count(*) - count(DISTINCT n) AS twice, count(*) FILTER (WHERE kept) AS refused FROM"
              " (SELECT source, n, false AS kept FROM journal UNION ALL SELECT source, n, true FROM refused) u GROUP BY source) a"
              " ON a.source = s.id WHERE s.id <> 1 ORDER BY s.id",
              &result);
    if (status != STATUS_OK)
        return status;
    for (int row = 0; row < pg_rows(result); row++) {
        char name[EVENT_SOURCE_CAP];
        struct bytes text = pg_bytes(result, row, 0);
        int64_t last = pg_int(result, row, 1), unkept = pg_int(result, row, 2), n = pg_int(result, row, 3),
                least = pg_int(result, row, 4), most = pg_int(result, row, 5), twice = pg_int(result, row, 6);
        text_copy_n(name, sizeof(name), (const char *)text.data, text.len);
        verify->told.sources++;
        verify->told.numbers += n + unkept;
        verify->told.refused += pg_int(result, row, 7);
        verify->told.unkept += unkept;
        if (twice > 0)
            verify_found(verify, 0, "source", "twice", "%s: %lld numbers stand twice", name, (long long)twice);
        if (n > 0 && (least < 1 || most > last))
            verify_found(verify, 0, "source", "differs", "%s: numbers %lld to %lld, the last is %lld", name, (long long)least,
                  (long long)most, (long long)last);
        else if (n - twice + unkept != last)
            verify_found(verify, 0, "source", "missing", "%s: %lld of %lld numbers have neither row nor refusal", name,
                  (long long)(last - n + twice - unkept), (long long)last);
    }
    return STATUS_OK;
}

/* Intake's own numbers are its rows alone. */
void verify_own(struct verify *verify)
{
    const struct name *own = verify_name_of(verify, SOURCE_OWN);
    if (own != NULL && own->last != verify->head_own_n && !verify->disordered)
        verify_found(verify, 0, "head", "changed", "own_n is %lld, the last of intake's own is %lld", (long long)verify->head_own_n,
              (long long)own->last);
}

/* A refusal is kept with its event as it was sent. */
enum status verify_refused(struct verify *verify)
{
    owned(pg_result_destroy) struct pg_result *result = NULL;
    enum status status = verify_query(verify,
                               "SELECT s.name, r.n FROM refused r JOIN source s ON s.id = r.source"
                               " WHERE r.event IS NOT NULL AND sha256(r.event) <> r.digest ORDER BY s.name, r.n LIMIT 100",
                               &result);
    for (int row = 0; status == STATUS_OK && row < pg_rows(result); row++) {
        struct bytes name = pg_bytes(result, row, 0);
        verify_found(verify, 0, "refused", "changed", "%.*s/%lld: the event kept has another digest", (int)name.len,
              (const char *)name.data, (long long)pg_int(result, row, 1));
    }
    return status;
}
