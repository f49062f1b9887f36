/*
 * One statement by itself, in the simple protocol, with whatever it answers: rows, COPY in either
 * direction. Memory is bounded by a row or a piece of COPY data.
 */
#include "drivers/postgres/connection.h"

#include "core/base/clock.h"

bool pgdrv_copy_in(struct connection *c, const struct copy_source *copy, struct fail *f)
{
    if (!copy) {
        (void)fail_set(f, EXIT_FAILED, "the server waits for COPY data, but the script has none");
        (void)fail_hint(f,
                        "Write the data behind the COPY statement, up to a line with \\. alone.");
        (void)PQputCopyEnd(c->pg, "no data");
        return false;
    }
    for (;;) {
        struct str piece = {0};
        if (!copy->next(copy->context, &piece, f)) {
            (void)PQputCopyEnd(c->pg, "the data end early");
            return false;
        }
        if (piece.len == 0)
            break;
        int is_put = PQputCopyData(c->pg, piece.at, (int)piece.len);
        /* Sent at once, so that libpq's buffer does not grow with the data. */
        if (is_put < 0 || !pgdrv_send_all(c))
            return pgdrv_fail_lost(c, f);
    }
    return PQputCopyEnd(c->pg, NULL) > 0 || pgdrv_fail_lost(c, f);
}

bool pgdrv_copy_out(struct connection *c, struct fail *f)
{
    for (;;) {
        char *row = NULL;
        int len = PQgetCopyData(c->pg, &row, 1);
        PQfreemem(row);
        if (len == -1)
            return true;
        if (len == -2 || (len == 0 && !pgdrv_pump(c)))
            return pgdrv_fail_lost(c, f);
    }
}

/* Takes one result; false where it is a failure, but results that follow must still be read. */
static bool take_result(struct connection *c, PGresult *r, const struct statement *s,
                        const struct copy_source *copy, struct statement_result *result,
                        size_t *out_offset, struct fail *f)
{
    switch (PQresultStatus(r)) {
    case PGRES_SINGLE_TUPLE:
    case PGRES_EMPTY_QUERY:
        return true;
    case PGRES_TUPLES_OK:
    case PGRES_COMMAND_OK:
        (void)!str_to_i64(str_of(PQcmdTuples(r)), &result->rows);
        return true;
    case PGRES_COPY_IN:
        return pgdrv_copy_in(c, copy, f);
    case PGRES_COPY_OUT:
        return pgdrv_copy_out(c, f);
    default:
        if (*out_offset == SIZE_MAX)
            *out_offset = pgdrv_error_offset(r, s->text);
        return pgdrv_fail_result(c, r, f);
    }
}

bool pgdrv_execute_alone(struct connection *c, const struct statement *s,
                         const struct copy_source *copy, struct statement_result *result,
                         size_t *out_offset, struct fail *f)
{
    SCOPED(buf) struct buf sql = {0};
    int64_t started_us = clock_monotonic_us();
    bool is_done = true;

    *out_offset = SIZE_MAX;
    *result = (struct statement_result){.rows = -1};
    buf_add_str(&sql, s->text);
    if (c->is_lost || !PQsendQuery(c->pg, buf_cstr(&sql)))
        return pgdrv_fail_lost(c, f);
    (void)PQsetSingleRowMode(c->pg);
    for (PGresult *r; !c->is_lost && (r = pgdrv_next_result(c)); PQclear(r))
        is_done = take_result(c, r, s, copy, result, out_offset, f) && is_done;
    result->duration_us = clock_monotonic_us() - started_us;
    return c->is_lost ? pgdrv_fail_lost(c, f) : is_done;
}
