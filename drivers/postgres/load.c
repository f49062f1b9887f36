/* What a backfill must not make worse: standbys, replication slots, the archive, a vacuum that is due. */
#include "drivers/postgres/backfill.h"

#include "core/base/vec.h"
#include "sql.h"

/* A segment's name: 8 hexadecimal digits each of timeline, and of two parts of its number; the second counts
   the segments of 4 GB (src/include/access/xlog_internal.h: XLogFileName). */
#define SEGMENT_NAME_LEN 24
#define PART_LEN 8

static bool read_hex(struct str digits, int64_t *out)
{
    *out = 0;
    for (size_t i = 0; i < digits.len; i++) {
        const char *all = "0123456789ABCDEF";
        const char *found = digits.at[i] ? strchr(all, digits.at[i]) : NULL;
        if (!found)
            return false;
        *out = *out * 16 + (found - all);
    }
    return true;
}

/* Where the WAL behind this segment begins; 0: it has another kind of name. */
static int64_t end_of_segment(struct str name, int64_t segment_bytes)
{
    int64_t high, low;
    if (name.len < SEGMENT_NAME_LEN || segment_bytes <= 0 ||
        !read_hex((struct str){name.at + PART_LEN, PART_LEN}, &high) ||
        !read_hex((struct str){name.at + 2 * (size_t)PART_LEN, PART_LEN}, &low))
        return 0;
    return (high << 32) + (low + 1) * segment_bytes;
}

static bool read_replicas(struct arena *a, struct connection *c, struct load *out, struct fail *f)
{
    SCOPED(pg_result)
    PGresult *r = pgdrv_ask(c, &(struct pgdrv_query){.sql = sql_postgres_load_replicas}, f);
    for (int i = 0; r && i < PQntuples(r); i++) {
        struct replica one = {
            .name = arena_cstr(a, pgdrv_value(r, i, 0)),
            .is_hidden = str_equal(pgdrv_value(r, i, 1), STR("t")),
            .replayed = pgdrv_value_i64(r, i, 2),
            .lag_us = PQgetisnull(r, i, 3) ? -1 : pgdrv_value_i64(r, i, 3),
        };
        vec_push(a, &out->replicas, one);
    }
    return r != NULL;
}

bool pgdrv_load(struct arena *a, struct connection *c, const struct online_range *range,
                struct load *out, struct fail *f)
{
    static const Oid types[] = {OID_TEXT};
    const char *values[] = {arena_cstr(a, range->table)};
    *out = (struct load){0};
    if (!pgdrv_session_ensure(c, f))
        return false;
    SCOPED(pg_result)
    PGresult *r =
        pgdrv_ask(c,
                  &(struct pgdrv_query){
                      .sql = sql_postgres_load_read, .count = 1, .values = values, .types = types},
                  f);
    if (!r)
        return false;
    out->wal = pgdrv_value_i64(r, 0, 0);
    out->segment_bytes = pgdrv_value_i64(r, 0, 2);
    int64_t archived = end_of_segment(pgdrv_value(r, 0, 1), out->segment_bytes);
    out->unarchived = archived && archived < out->wal ? out->wal - archived : 0;
    out->slot = PQgetisnull(r, 0, 3) ? NULL : arena_cstr(a, pgdrv_value(r, 0, 3));
    out->is_vacuumed = str_equal(pgdrv_value(r, 0, 4), STR("t"));
    return read_replicas(a, c, out, f);
}
