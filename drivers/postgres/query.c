/* Our own SQL: texts of sql/ with the schema filled in, asked one at a time. */
#include "drivers/postgres/connection.h"

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/vec.h"

const char *pgdrv_quote_identifier(struct arena *a, struct str name)
{
    SCOPED(buf) struct buf quoted = {0};

    buf_add_char(&quoted, '"');
    for (size_t i = 0; i < name.len; i++) {
        if (name.at[i] == '"')
            buf_add_char(&quoted, '"');
        buf_add_char(&quoted, name.at[i]);
    }
    buf_add_char(&quoted, '"');
    return buf_done(a, &quoted).at;
}

const char *pgdrv_quote_literal(struct arena *a, struct str text)
{
    SCOPED(buf) struct buf quoted = {0};

    buf_add_char(&quoted, '\'');
    for (size_t i = 0; i < text.len; i++) {
        if (text.at[i] == '\'')
            buf_add_char(&quoted, '\'');
        buf_add_char(&quoted, text.at[i]);
    }
    buf_add_char(&quoted, '\'');
    return buf_done(a, &quoted).at;
}

const char *pgdrv_sql(struct connection *c, const char *text)
{
    for (size_t i = 0; i < c->sql.count; i += 2) {
        if (c->sql.at[i] == text)
            return c->sql.at[i + 1];
    }
    SCOPED(buf) struct buf filled = {0};
    struct str rest = str_of(text);
    for (size_t found; (found = str_find(rest, STR("{schema}"))) != SIZE_MAX;) {
        buf_add(&filled, rest.at, found);
        buf_add_cstr(&filled, c->history_schema);
        rest = str_skip(rest, found + strlen("{schema}"));
    }
    buf_add_str(&filled, rest);
    const char *done = buf_done(c->arena, &filled).at;
    vec_push(c->arena, &c->sql, text);
    vec_push(c->arena, &c->sql, done);
    return done;
}

struct str pgdrv_value(const PGresult *r, int row, int column)
{
    return (struct str){.at = PQgetvalue(r, row, column),
                        .len = (size_t)PQgetlength(r, row, column)};
}

int64_t pgdrv_value_i64(const PGresult *r, int row, int column)
{
    return strtoll(PQgetvalue(r, row, column), NULL, 10);
}

/* The last result of what was sent, all others dropped. */
static PGresult *last_result(struct connection *c)
{
    PGresult *last = NULL;

    for (PGresult *r; (r = pgdrv_next_result(c));) {
        /* The first error counts: what follows it is only its echo. */
        if (last && PQresultStatus(last) == PGRES_FATAL_ERROR) {
            PQclear(r);
            continue;
        }
        PQclear(last);
        last = r;
        if (c->is_lost)
            break;
    }
    return last;
}

static PGresult *check_result(struct connection *c, PGresult *r, struct fail *f)
{
    ExecStatusType status = PQresultStatus(r);

    if (r && (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK))
        return r;
    if (r)
        (void)pgdrv_fail_result(c, r, f);
    else
        (void)pgdrv_fail_lost(c, f);
    PQclear(r);
    return NULL;
}

/* The answer to what was sent at started_us. */
static PGresult *take_answer(struct connection *c, const char *sql, int64_t started_us,
                             struct fail *f)
{
    PGresult *r = check_result(c, last_result(c), f);

    log_sql(str_of(sql), clock_monotonic_us() - started_us, r ? NULL : "failed");
    return r;
}

PGresult *pgdrv_ask(struct connection *c, const struct pgdrv_query *q, struct fail *f)
{
    int64_t started_us = clock_monotonic_us();

    if (c->is_lost ||
        !PQsendQueryParams(c->pg, q->sql, q->count, q->types, q->values, NULL, NULL, 0)) {
        (void)pgdrv_fail_lost(c, f);
        return NULL;
    }
    return take_answer(c, q->sql, started_us, f);
}

bool pgdrv_run(struct connection *c, const char *sql, struct fail *f)
{
    int64_t started_us = clock_monotonic_us();

    if (c->is_lost || !PQsendQuery(c->pg, sql))
        return pgdrv_fail_lost(c, f);
    SCOPED(pg_result) PGresult *r = take_answer(c, sql, started_us, f);
    return r != NULL;
}
