/*
 * The limits that a file names, for its statements outside transactions: there is no SET LOCAL there,
 * so they are set for the session and put back behind the statement. What the file has SET itself is
 * the more exact word and stays; so does what the statement sets. Statements that wait for others by
 * nature have no lock_timeout of ours, and get none of the file's either: it would end them half-way.
 */
#include "drivers/postgres/connection.h"

#include "sql.h"

void pgdrv_limit(struct connection *c, uint32_t lock_timeout_ms, uint32_t statement_timeout_ms)
{
    c->outside.lock_timeout_ms = lock_timeout_ms;
    c->outside.statement_timeout_ms = statement_timeout_ms;
}

static bool change(struct connection *c, const struct pgdrv_limits *from,
                   const struct pgdrv_limits *to, struct fail *f)
{
    char texts[4][16];
    const char *values[] = {texts[0], texts[1], texts[2], texts[3]};
    static const Oid types[] = {OID_TEXT, OID_TEXT, OID_TEXT, OID_TEXT};
    const uint32_t ms[] = {from->lock_timeout_ms, to->lock_timeout_ms, from->statement_timeout_ms,
                           to->statement_timeout_ms};

    for (size_t i = 0; i < ARRAY_LEN(ms); i++)
        (void)snprintf(texts[i], sizeof(texts[i]), "%u", (unsigned)ms[i]);
    struct pgdrv_query q = {
        .sql = sql_postgres_limits_change, .count = 4, .values = values, .types = types};
    SCOPED(pg_result) PGresult *r = pgdrv_ask(c, &q, f);
    return r != NULL;
}

bool pgdrv_limits_enter(struct connection *c, const struct statement *s, struct pgdrv_limits *out,
                        struct fail *f)
{
    const struct pgdrv_limits ours = {.lock_timeout_ms = c->options.lock_timeout_ms};

    *out = ours;
    if (c->outside.lock_timeout_ms && !pgdrv_waits_for_others(s))
        out->lock_timeout_ms = c->outside.lock_timeout_ms;
    out->statement_timeout_ms = c->outside.statement_timeout_ms;
    out->is_changed = s->session != SESSION_SETS &&
                      (out->lock_timeout_ms != ours.lock_timeout_ms || out->statement_timeout_ms);
    return !out->is_changed || change(c, &ours, out, f);
}

bool pgdrv_limits_leave(struct connection *c, const struct pgdrv_limits *limits, struct fail *f)
{
    const struct pgdrv_limits ours = {.lock_timeout_ms = c->options.lock_timeout_ms};

    if (!limits->is_changed || c->is_lost)
        return true; /* a new session has ours */
    pgdrv_shield(c);
    bool is_done = change(c, limits, &ours, f);
    pgdrv_unshield(c);
    return is_done;
}
