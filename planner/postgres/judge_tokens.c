/*
 * Statements that were not parsed: newer syntax than the grammar at hand, or too large. Their first
 * words tell the kind; whether they refuse a transaction must still be right, or they could not run.
 */
#include "planner/postgres/judge.h"

#define T(name) PG_QUERY__TOKEN__##name

struct words_row {
    int first, second; /* second 0: any */
    const char *kind;
};

static const struct words_row rows[] = {
    {T(ALTER), T(DATABASE), "ALTER DATABASE"},
    {T(ALTER), T(INDEX), "ALTER INDEX"},
    {T(ALTER), T(ROLE), "ALTER ROLE"},
    {T(ALTER), T(SEQUENCE), "ALTER SEQUENCE"},
    {T(ALTER), T(SUBSCRIPTION), "ALTER SUBSCRIPTION"},
    {T(ALTER), T(SYSTEM_P), "ALTER SYSTEM"},
    {T(ALTER), T(TABLE), "ALTER TABLE"},
    {T(ALTER), T(TYPE_P), "ALTER TYPE"},
    {T(ALTER), T(USER), "ALTER ROLE"},
    {T(ALTER), 0, "ALTER"},
    {T(ANALYZE), 0, "ANALYZE"},
    {T(CALL), 0, "CALL"},
    {T(CLUSTER), 0, "CLUSTER"},
    {T(COMMENT), 0, "COMMENT"},
    {T(COPY), 0, "COPY"},
    {T(CREATE), T(DATABASE), "CREATE DATABASE"},
    {T(CREATE), T(FUNCTION), "CREATE FUNCTION"},
    {T(CREATE), T(INDEX), "CREATE INDEX"},
    {T(CREATE), T(PROCEDURE), "CREATE PROCEDURE"},
    {T(CREATE), T(PUBLICATION), "CREATE PUBLICATION"},
    {T(CREATE), T(ROLE), "CREATE ROLE"},
    {T(CREATE), T(SUBSCRIPTION), "CREATE SUBSCRIPTION"},
    {T(CREATE), T(TABLE), "CREATE TABLE"},
    {T(CREATE), T(TABLESPACE), "CREATE TABLESPACE"},
    {T(CREATE), T(TRIGGER), "CREATE TRIGGER"},
    {T(CREATE), T(TYPE_P), "CREATE TYPE"},
    {T(CREATE), T(UNIQUE), "CREATE INDEX"},
    {T(CREATE), T(USER), "CREATE ROLE"},
    {T(CREATE), T(VIEW), "CREATE VIEW"},
    {T(CREATE), 0, "CREATE"},
    {T(DELETE_P), 0, "DELETE"},
    {T(DO), 0, "DO"},
    {T(DROP), T(DATABASE), "DROP DATABASE"},
    {T(DROP), T(INDEX), "DROP INDEX"},
    {T(DROP), T(SUBSCRIPTION), "DROP SUBSCRIPTION"},
    {T(DROP), T(TABLE), "DROP TABLE"},
    {T(DROP), T(TABLESPACE), "DROP TABLESPACE"},
    {T(DROP), 0, "DROP"},
    {T(GRANT), 0, "GRANT"},
    {T(INSERT), 0, "INSERT"},
    {T(MERGE), 0, "MERGE"},
    {T(REINDEX), 0, "REINDEX"},
    {T(REVOKE), 0, "REVOKE"},
    {T(SELECT), 0, "SELECT"},
    {T(SET), 0, "SET"},
    {T(TRUNCATE), 0, "TRUNCATE TABLE"},
    {T(UPDATE), 0, "UPDATE"},
    {T(VACUUM), 0, "VACUUM"},
    {T(WITH), 0, "SELECT"},
};

static const char *const always_alone[] = {
    "ALTER SYSTEM",  "CREATE DATABASE",   "CREATE SUBSCRIPTION", "CREATE TABLESPACE",
    "DROP DATABASE", "DROP SUBSCRIPTION", "DROP TABLESPACE",     "VACUUM",
};
/* With the word CONCURRENTLY in them; REFRESH MATERIALIZED VIEW is not among them. */
static const char *const concurrent_alone[] = {"ALTER TABLE", "CREATE INDEX", "DROP INDEX",
                                               "REINDEX"};

static bool is_among(const char *kind, const char *const *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(kind, list[i]) == 0)
            return true;
    }
    return false;
}

static bool is_comment(int kind)
{
    return kind == T(SQL_COMMENT) || kind == T(C_COMMENT);
}

static bool has_token(const struct token *at, size_t count, int kind)
{
    for (size_t i = 0; i < count; i++) {
        if (at[i].kind == kind)
            return true;
    }
    return false;
}

static const char *kind_of(const struct token *at, size_t count)
{
    int words[2] = {0, 0};
    for (size_t i = 0, n = 0; i < count && n < 2; i++) {
        if (!is_comment(at[i].kind))
            words[n++] = at[i].kind;
    }
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (rows[i].first == words[0] && (!rows[i].second || rows[i].second == words[1]))
            return rows[i].kind;
    }
    return "";
}

/* psql would have put a value for :name, :'name' or :"name". */
static bool has_psql_variable(const struct token *at, size_t count)
{
    for (size_t i = 0; i + 1 < count; i++) {
        bool is_name = at[i + 1].kind == T(SCONST) || at[i + 1].kind == T(IDENT);
        if (at[i].kind == ':' && is_name && at[i].to == at[i + 1].from)
            return true;
    }
    return false;
}

void judge_tokens(struct judging *j, const struct token *at, size_t count, const char *why)
{
    struct statement *s = j->s;
    s->is_analysed = false;
    s->not_analysed_reason = has_psql_variable(at, count)
                                 ? arena_printf(j->a, "%s; psql variables are not replaced", why)
                                 : why;
    s->kind = kind_of(at, count);
    s->session = SESSION_PERHAPS;
    judge_destroys(j, "not analysed");
    bool is_concurrent = has_token(at, count, T(CONCURRENTLY));
    if (is_among(s->kind, always_alone, ARRAY_LEN(always_alone)) ||
        (is_concurrent && is_among(s->kind, concurrent_alone, ARRAY_LEN(concurrent_alone))))
        judge_alone(j, strcmp(s->kind, "VACUUM") == 0 ? PROBE_RERUN : PROBE_NONE, NULL, NULL);
}
