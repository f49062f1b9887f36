/* See usage.h. Outside of transactions: a question that is refused takes nothing else along. */
#include "drivers/postgres/usage.h"

#include "core/base/vec.h"
#include "sql.h"

/* ---- statements ---- */

static const char *in_extension(struct arena *a, const char *sql, const char *schema)
{
    struct str rest = str_of(sql);
    SCOPED(buf) struct buf filled = {0};
    for (size_t at; (at = str_find(rest, STR("{extension}"))) != SIZE_MAX;) {
        buf_add(&filled, rest.at, at);
        buf_add_cstr(&filled, schema);
        rest = str_skip(rest, at + strlen("{extension}"));
    }
    buf_add_str(&filled, rest);
    return arena_cstr(a, buf_done(a, &filled));
}

/* What the server refuses is not known, and why; only a lost connection is a failure. */
static bool is_answered(struct arena *a, struct connection *c, const PGresult *r, struct usage *out,
                        struct fail *why, struct fail *f)
{
    if (r)
        return true;
    if (c->is_lost) {
        fail_clear(f);
        *f = *why;
        *why = FAIL_NONE;
        return false;
    }
    out->unknown = arena_cstr(a, str_of(why->message));
    fail_clear(why);
    return false;
}

static bool read_since(struct arena *a, struct connection *c, const char *schema, struct usage *out,
                       struct fail *f)
{
    SCOPED(fail) struct fail why = FAIL_NONE;
    const struct pgdrv_query q = {.sql = in_extension(a, sql_postgres_usage_since, schema)};
    SCOPED(pg_result) PGresult *r = pgdrv_ask(c, &q, &why);
    if (!is_answered(a, c, r, out, &why, f))
        return false;
    out->counted_since = PQntuples(r) ? arena_str(a, pgdrv_value(r, 0, 0)) : STR("");
    return true;
}

static bool read_hidden(struct arena *a, struct connection *c, const char *schema,
                        struct usage *out, struct fail *f)
{
    SCOPED(fail) struct fail why = FAIL_NONE;
    const struct pgdrv_query q = {.sql = in_extension(a, sql_postgres_usage_hidden, schema)};
    SCOPED(pg_result) PGresult *r = pgdrv_ask(c, &q, &why);
    if (!is_answered(a, c, r, out, &why, f))
        return false;
    out->hidden = pgdrv_value_i64(r, 0, 0);
    return true;
}

static bool read_counted(struct arena *a, struct connection *c, const char *schema,
                         const struct retired_name *name, struct usage *out, struct fail *f)
{
    SCOPED(fail) struct fail why = FAIL_NONE;
    static const Oid types[] = {OID_TEXT, OID_TEXT};
    const char *values[] = {arena_cstr(a, name->table),
                            name->is_required ? "" : arena_cstr(a, name->column)};
    const struct pgdrv_query q = {.sql = in_extension(a, sql_postgres_usage_statements, schema),
                                  .count = 2,
                                  .values = values,
                                  .types = types};
    SCOPED(pg_result) PGresult *r = pgdrv_ask(c, &q, &why);
    if (!is_answered(a, c, r, out, &why, f))
        return false;
    for (int i = 0; i < PQntuples(r); i++) {
        struct counted_statement one = {.id = arena_str(a, pgdrv_value(r, i, 0)),
                                        .text = arena_str(a, pgdrv_value(r, i, 1)),
                                        .calls = pgdrv_value_i64(r, i, 2)};
        vec_push(a, &out->statements, one);
    }
    return true;
}

static bool read_statements(struct arena *a, struct connection *c, const struct retired_name *name,
                            struct usage *out, struct fail *f)
{
    SCOPED(pg_result)
    PGresult *r = pgdrv_ask(c, &(struct pgdrv_query){.sql = sql_postgres_usage_extension}, f);
    if (!r)
        return false;
    if (!PQntuples(r)) {
        out->unknown = "pg_stat_statements is not installed in this database";
        return true;
    }
    const char *schema = pgdrv_quote_identifier(a, pgdrv_value(r, 0, 0));
    bool tells_since = str_equal(pgdrv_value(r, 0, 1), STR("t"));
    return (!tells_since || read_since(a, c, schema, out, f) || out->unknown) &&
           (out->unknown || read_hidden(a, c, schema, out, f) || out->unknown) &&
           (out->unknown || read_counted(a, c, schema, name, out, f) || out->unknown);
}

/* ---- the catalog ---- */

static PGresult *ask_of(struct arena *a, struct connection *c, const char *sql,
                        const struct retired_name *name, struct fail *f)
{
    static const Oid types[] = {OID_TEXT, OID_TEXT, OID_TEXT};
    const char *values[] = {arena_cstr(a, name->schema), arena_cstr(a, name->table),
                            name->is_required ? "" : arena_cstr(a, name->column)};
    return pgdrv_ask(
        c, &(struct pgdrv_query){.sql = sql, .count = 3, .values = values, .types = types}, f);
}

static bool read_functions(struct arena *a, struct connection *c, const struct retired_name *name,
                           struct usage *out, struct fail *f)
{
    SCOPED(pg_result) PGresult *r = ask_of(a, c, sql_postgres_usage_functions, name, f);
    for (int i = 0; r && i < PQntuples(r); i++) {
        struct seen_function one = {.name = arena_str(a, pgdrv_value(r, i, 0)),
                                    .language = arena_str(a, pgdrv_value(r, i, 1)),
                                    .definition = arena_str(a, pgdrv_value(r, i, 2)),
                                    .body = arena_str(a, pgdrv_value(r, i, 3)),
                                    .is_trigger = str_equal(pgdrv_value(r, i, 4), STR("t"))};
        vec_push(a, &out->functions, one);
    }
    return r != NULL;
}

static bool read_dependents(struct arena *a, struct connection *c, const struct retired_name *name,
                            struct usage *out, struct fail *f)
{
    if (name->is_taken_along || name->is_required)
        return true;
    SCOPED(pg_result) PGresult *r = ask_of(a, c, sql_postgres_usage_dependents, name, f);
    for (int i = 0; r && i < PQntuples(r); i++)
        vec_push(a, &out->dependents, arena_str(a, pgdrv_value(r, i, 0)));
    return r != NULL;
}

/* ---- the port ---- */

bool pgdrv_read_usage(struct arena *a, struct connection *c, const struct retired_name *name,
                      struct usage *out, struct fail *f)
{
    *out = (struct usage){0};
    return pgdrv_session_ensure(c, f) && read_statements(a, c, name, out, f) &&
           read_functions(a, c, name, out, f) && read_dependents(a, c, name, out, f);
}

bool pgdrv_last_write(struct connection *c, struct str sequence, int64_t *out_us, struct fail *f)
{
    SCOPED(arena) struct arena *a = arena_make();
    static const Oid types[] = {OID_TEXT};
    const char *values[] = {arena_cstr(a, sequence)};
    *out_us = 0;
    if (!pgdrv_session_ensure(c, f))
        return false;
    SCOPED(pg_result)
    PGresult *r = pgdrv_ask(
        c,
        &(struct pgdrv_query){
            .sql = sql_postgres_usage_last_write, .count = 1, .values = values, .types = types},
        f);
    if (!r)
        return false;
    *out_us = PQgetisnull(r, 0, 0) ? 0 : pgdrv_value_i64(r, 0, 0) * 1000000;
    return true;
}
