/*
 * The locks that a unit begins with, in the round trip of its BEGIN and its first statements: LOCK TABLE …
 * NOWAIT for one table after the other. The first that cannot be had fails, the server skips all that
 * follows in the pipeline, and the locks that were had before it go with the transaction: nothing is held
 * while somebody waits, and whoever comes to the table meanwhile is not behind us.
 *
 * Where that never succeeds since others come and go, the locks are waited for in the server's queue,
 * a short while each. An autovacuum worker ends for one who has waited for it for deadlock_timeout
 * (ProcSleep() in src/backend/storage/lmgr/proc.c). That wait is done in SHARE UPDATE EXCLUSIVE, which
 * conflicts with vacuum and not with reads and writes: nobody else is held up by it.
 *
 * LOCK needs no snapshot (PlannedStmtRequiresSnapshot() in src/backend/tcop/pquery.c), so that SET
 * TRANSACTION may still follow. It may want rights that the statement itself does not, and a table may be
 * gone: such a table is left out.
 */
#include "drivers/postgres/connection.h"

#include "sql.h"

static bool is_left_out(const struct connection *c, size_t index)
{
    for (size_t i = 0; i < c->tables.left_out_count; i++) {
        if (c->tables.left_out[i] == index)
            return true;
    }
    return c->tables.left_out_count == PGDRV_LEFT_OUT_MAX;
}

/* ---- questions ---- */

static bool send_timeout(struct connection *c, uint32_t ms, struct fail *f)
{
    char sql[64];

    (void)snprintf(sql, sizeof(sql), "SET LOCAL lock_timeout TO '%ums'", (unsigned)ms);
    return pgdrv_pipeline_send(c, &(struct pgdrv_query){.sql = sql}, f);
}

/* ONLY: what is locked of its partitions and children has places of its own in the list. */
static bool send_lock(struct connection *c, struct str table, enum lock_mode mode, bool waits,
                      struct fail *f)
{
    SCOPED(buf) struct buf sql = {0};

    buf_printf(&sql, "LOCK TABLE ONLY %.*s IN %s MODE%s", STR_ARG(table), lock_mode_sql(mode),
               waits ? "" : " NOWAIT");
    return pgdrv_pipeline_send(c, &(struct pgdrv_query){.sql = buf_cstr(&sql)}, f);
}

/* instead: of the mode of each; LOCK_NONE: that one. */
static bool send_locks(struct connection *c, enum lock_mode instead, bool waits, struct fail *f)
{
    const struct table_locks *tables = c->unit.tables;

    for (size_t i = 0; i < tables->count; i++) {
        enum lock_mode mode = instead ? instead : tables->at[i].mode;
        if (!is_left_out(c, i) && !send_lock(c, tables->at[i].table, mode, waits, f))
            return false;
    }
    return true;
}

bool pgdrv_tables_send(struct connection *c, struct fail *f)
{
    const struct unit_options *unit = &c->unit;
    bool waits = unit->tables_wait_ms != 0;
    uint32_t of_all_ms = unit->lock_timeout_ms ? unit->lock_timeout_ms : c->options.lock_timeout_ms;

    c->tables.has_failed = false;
    if (!unit->tables)
        return true;
    if (unit->vacuum_wait_ms && !(send_timeout(c, unit->vacuum_wait_ms, f) &&
                                  send_locks(c, LOCK_SHARE_UPDATE_EXCLUSIVE, true, f)))
        return false;
    bool is_less = of_all_ms && of_all_ms < unit->tables_wait_ms;
    if (waits && !send_timeout(c, is_less ? of_all_ms : unit->tables_wait_ms, f))
        return false;
    if (!send_locks(c, LOCK_NONE, waits, f))
        return false;
    if (!waits && !unit->vacuum_wait_ms)
        return true;
    /* How long they are held is counted from this answer on. */
    if (!PQsendFlushRequest(c->pg))
        return pgdrv_fail_lost(c, f);
    return send_timeout(c, of_all_ms, f);
}

/* ---- answers ---- */

/* A lock that was not had. */
static void judge(struct connection *c, const PGresult *r, size_t index, struct fail *f)
{
    (void)pgdrv_fail_result(c, r, f);
    if (f->kind == FAIL_LOCK_TIMEOUT) {
        c->tables.has_failed = true;
        fail_clear(f);
        (void)fail_set(f, EXIT_BUSY, "could not lock %.*s",
                       STR_ARG(c->unit.tables->at[index].table));
        (void)fail_kind_set(f, FAIL_TABLES_HELD);
        f->line = c->unit.tables->at[index].line;
        (void)snprintf(f->sqlstate, sizeof(f->sqlstate), "%s", pgdrv_sqlstate(r));
    } else if (f->kind == FAIL_SERVER) {
        c->tables.has_failed = true;
        if (c->tables.left_out_count < PGDRV_LEFT_OUT_MAX)
            c->tables.left_out[c->tables.left_out_count++] = index;
    }
}

static bool receive_locks(struct connection *c, struct fail *f)
{
    for (size_t i = 0; i < c->unit.tables->count; i++) {
        if (is_left_out(c, i))
            continue;
        SCOPED(pg_result) PGresult *r = pgdrv_pipeline_next(c, f);
        if (!r)
            return false;
        if (PQresultStatus(r) != PGRES_COMMAND_OK) {
            judge(c, r, i, f);
            return false;
        }
    }
    return true;
}

bool pgdrv_tables_receive(struct connection *c, struct fail *f)
{
    const struct unit_options *unit = &c->unit;
    bool waits = unit->tables_wait_ms != 0;

    if (!unit->tables)
        return true;
    if (unit->vacuum_wait_ms && !(pgdrv_pipeline_expect(c, f) && receive_locks(c, f)))
        return false;
    if ((waits && !pgdrv_pipeline_expect(c, f)) || !receive_locks(c, f))
        return false;
    return (!waits && !unit->vacuum_wait_ms) || pgdrv_pipeline_expect(c, f);
}

bool pgdrv_tables_retreat(struct connection *c, struct fail *f)
{
    SCOPED(fail) struct fail second = FAIL_NONE;

    c->tables.has_failed = false;
    c->is_begun = false;
    c->xid[0] = '\0';
    if (!pgdrv_run(c, "ROLLBACK", &second)) {
        fail_clear(f);
        *f = second;
        second = FAIL_NONE;
        return false;
    }
    if (f->kind == FAIL_TABLES_HELD)
        return false;
    fail_clear(f);
    return true;
}

/* ---- who is in the way ---- */

/* As an element of an array's text. */
static void add_element(struct buf *out, struct str text)
{
    buf_add_char(out, out->len > 1 ? ',' : ' ');
    buf_add_char(out, '"');
    for (size_t i = 0; i < text.len; i++) {
        if (text.at[i] == '"' || text.at[i] == '\\')
            buf_add_char(out, '\\');
        buf_add_char(out, text.at[i]);
    }
    buf_add_char(out, '"');
}

static void add_conflicts(struct buf *out, enum lock_mode mode)
{
    SCOPED(buf) struct buf names = {0};

    for (int other = LOCK_NONE + 1; other < LOCK_MODE_MAX; other++) {
        if (lock_modes_conflict(mode, (enum lock_mode)other))
            buf_printf(&names, "%s%s", names.len ? "," : "", lock_mode_name((enum lock_mode)other));
    }
    add_element(out, buf_str(&names));
}

bool pgdrv_table_holders(struct arena *a, struct connection *c, const struct table_locks *tables,
                         struct awaited_lock *out, struct fail *f)
{
    SCOPED(buf) struct buf names = {0};
    SCOPED(buf) struct buf modes = {0};
    SCOPED(buf) struct buf conflicts = {0};
    struct buf *const lists[] = {&names, &modes, &conflicts};

    *out = (struct awaited_lock){.why_unseen = "they were gone at the next look"};
    for (size_t k = 0; k < ARRAY_LEN(lists); k++)
        buf_add_char(lists[k], '{');
    for (size_t i = 0; i < tables->count; i++) {
        add_element(&names, tables->at[i].table);
        add_element(&modes, str_of(lock_mode_name(tables->at[i].mode)));
        add_conflicts(&conflicts, tables->at[i].mode);
    }
    for (size_t k = 0; k < ARRAY_LEN(lists); k++)
        buf_add_char(lists[k], '}');
    const char *values[] = {buf_cstr(&names), buf_cstr(&modes), buf_cstr(&conflicts)};
    static const Oid types[] = {OID_TEXT, OID_TEXT, OID_TEXT};
    struct pgdrv_query q = {
        .sql = sql_postgres_table_holders, .count = 3, .values = values, .types = types};
    SCOPED(pg_result) PGresult *r = pgdrv_ask(c, &q, f);
    if (!r)
        return false;
    if (PQntuples(r) == 0)
        return true;
    pgdrv_blockers_take(a, r, out);
    out->deadlock_timeout_ms = (uint32_t)pgdrv_value_i64(r, 0, PQnfields(r) - 1);
    return true;
}
