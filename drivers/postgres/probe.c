/*
 * What the catalog says about statements that run outside transactions. A build that was cut off
 * leaves an invalid index; it is ours when it was not there before (probe_before) and nobody is
 * building it, and then it is dropped, concurrently, before the build is tried again: IF NOT EXISTS
 * would take it for done (runners.md F9). Our old backend cannot still be at it: it would hold the
 * run lock.
 *
 * Done means: it was not so before, and now it is. What held before the statement is no proof of
 * it: the statement is sent again, and the server says what is wrong, or IF NOT EXISTS lets it pass.
 */
#include "drivers/postgres/connection.h"

#include "core/base/log.h"
#include "core/base/vec.h"
#include "sql.h"

/* Columns of the queries about indexes. */
enum { INDEX_OID, INDEX_IS_VALID, INDEX_IS_BUILT, INDEX_DROP, INDEX_NAME };

static PGresult *ask_probe(struct connection *c, const char *sql, const struct probe *p,
                           struct fail *f)
{
    static const Oid types[] = {OID_TEXT, OID_TEXT, OID_TEXT};
    const char *values[] = {p->schema ? p->schema : "", p->name ? p->name : "",
                            p->detail ? p->detail : ""};
    bool has_detail = p->kind == PROBE_ENUM_VALUE;

    return pgdrv_ask(c,
                     &(struct pgdrv_query){
                         .sql = sql, .count = has_detail ? 3 : 2, .values = values, .types = types},
                     f);
}

static bool is_true(const PGresult *r, int row, int column)
{
    return str_equal(pgdrv_value(r, row, column), STR("t"));
}

/* Puts back what lock_timeout was: the connection's, or what the migration has SET. */
static bool restore_lock_timeout(struct connection *c, struct str was, struct fail *f)
{
    SCOPED(arena) struct arena *a = arena_make();

    if (c->is_lost)
        return true; /* a new session has the connection's */
    pgdrv_shield(c);
    bool is_done =
        pgdrv_run(c, arena_printf(a, "SET lock_timeout TO %s", pgdrv_quote_literal(a, was)), f);
    pgdrv_unshield(c);
    return is_done;
}

/* DROP INDEX CONCURRENTLY and FINALIZE wait for others by nature: without a limit, but where those for whom
   the statement has waited long enough are likely to be in the way of its removal, too. */
static bool run_unlimited(struct connection *c, struct str sql, struct fail *f)
{
    const struct statement s = {.text = sql, .kind = "", .is_analysed = true};
    struct statement_result result;
    size_t offset;

    log_line(LOG_NOTE, "cleaning up behind a statement that did not finish: %.*s", STR_ARG(sql));
    SCOPED(pg_result)
    PGresult *was = pgdrv_ask(c, &(struct pgdrv_query){.sql = sql_postgres_limits_read}, f);
    const char *limit =
        c->patience.has_given_up ? "SET lock_timeout TO '5s'" : "SET lock_timeout TO 0";
    if (!was || !pgdrv_run(c, limit, f))
        return false;
    bool is_done = pgdrv_execute_alone(c, &s, NULL, &result, &offset, f);
    SCOPED(fail) struct fail second = FAIL_NONE;
    if (!restore_lock_timeout(c, pgdrv_value(was, 0, 0), &second) && is_done)
        return fail_set(f, EXIT_FAILED, "%s", second.message);
    return is_done;
}

static bool drop_index(struct connection *c, const PGresult *r, int row, struct fail *f)
{
    return run_unlimited(c, pgdrv_value(r, row, INDEX_DROP), f);
}

/* ---- before ---- */

static bool is_in_list(const char *list, struct str oid)
{
    struct str rest = str_of(list);

    while (rest.len) {
        struct str one;
        rest = str_cut(rest, ',', &one);
        if (str_equal(one, oid))
            return true;
    }
    return false;
}

static const char *list_oids(struct arena *a, const PGresult *r)
{
    SCOPED(buf) struct buf list = {0};

    for (int row = 0; row < PQntuples(r); row++) {
        if (row > 0)
            buf_add_char(&list, ',');
        buf_add_str(&list, pgdrv_value(r, row, INDEX_OID));
    }
    return buf_done(a, &list).at;
}

static const char *probe_key(struct arena *a, const struct probe *p)
{
    return arena_printf(a, "%d.%s.%s.%s", (int)p->kind, p->schema ? p->schema : "",
                        p->name ? p->name : "", p->detail ? p->detail : "");
}

#define BEFORE_PRESENT "present"
#define BEFORE_ABSENT "absent"
#define BEFORE_PENDING "pending" /* a partition whose detachment was begun, and not by us */

/* What is asked about each kind. NULL: nothing. */
static const char *sql_of(const struct probe *p)
{
    switch (p->kind) {
    case PROBE_NONE:
        return NULL;
    case PROBE_RERUN:
        return p->is_reindex ? sql_postgres_probe_reindex_leftovers : NULL;
    case PROBE_INDEX_VALID:
    case PROBE_INDEX_ABSENT:
        return sql_postgres_probe_index;
    case PROBE_INDEX_ON_TABLE:
        return sql_postgres_probe_table_indexes;
    case PROBE_DATABASE_EXISTS:
    case PROBE_DATABASE_ABSENT:
        return sql_postgres_probe_database;
    case PROBE_TABLESPACE_EXISTS:
    case PROBE_TABLESPACE_ABSENT:
        return sql_postgres_probe_tablespace;
    case PROBE_ENUM_VALUE:
        return sql_postgres_probe_enum_value;
    case PROBE_PARTITION_DETACHED:
        return sql_postgres_probe_partition;
    case PROBE_SUBSCRIPTION_EXISTS:
    case PROBE_SUBSCRIPTION_ABSENT:
        return sql_postgres_probe_subscription;
    }
    BUG("a kind of probe that is not in the list");
}

/* OIDs ("": none) where objects must be told from each other, else a word. */
static const char *describe_before(struct arena *a, const struct probe *p, const PGresult *r)
{
    if (p->kind == PROBE_INDEX_VALID || p->kind == PROBE_INDEX_ON_TABLE || p->kind == PROBE_RERUN)
        return list_oids(a, r);
    if (PQntuples(r) == 0)
        return BEFORE_ABSENT;
    bool is_pending = p->kind == PROBE_PARTITION_DETACHED && is_true(r, 0, 0);
    return is_pending ? BEFORE_PENDING : BEFORE_PRESENT;
}

bool pgdrv_probe_before(struct arena *a, struct connection *c, const struct probe *p,
                        const char **out, struct fail *f)
{
    const char *sql = sql_of(p);

    *out = NULL;
    if (!sql)
        return true;
    if (!pgdrv_session_ensure(c, f))
        return false;
    SCOPED(pg_result) PGresult *r = ask_probe(c, sql, p, f);
    if (!r)
        return false;
    *out = describe_before(a, p, r);
    c->remembered_name = probe_key(c->arena, p);
    c->remembered = arena_cstr(c->arena, str_of(*out));
    return true;
}

/* before, or what was said in this very session; NULL: not known. */
static const char *known_before(struct connection *c, const struct probe *p, const char *before)
{
    SCOPED(arena) struct arena *a = arena_make();

    if (before)
        return before;
    bool is_same = c->remembered_name && strcmp(c->remembered_name, probe_key(a, p)) == 0;
    return is_same ? c->remembered : NULL;
}

/* ---- after a crash ---- */

/* Indexes that were not there before: done when one is valid, dropped when invalid. */
static bool probe_indexes(struct connection *c, const struct probe *p, const char *before,
                          enum probe_answer *out, struct fail *f)
{
    bool is_named = p->kind == PROBE_INDEX_VALID;
    const char *known = known_before(c, p, before);
    SCOPED(pg_result) PGresult *r = ask_probe(c, sql_of(p), p, f);

    if (!r)
        return false;
    /* Which of a table's indexes is new cannot be told without knowing the old ones. */
    if (!known && !is_named)
        return true;
    *out = PROBE_NOT_DONE;
    for (int row = 0; row < PQntuples(r); row++) {
        bool is_old = known && is_in_list(known, pgdrv_value(r, row, INDEX_OID));
        if (is_true(r, row, INDEX_IS_VALID)) {
            if (!is_old)
                *out = PROBE_IS_DONE;
            continue;
        }
        if (is_old || !known)
            continue; /* not ours */
        if (is_true(r, row, INDEX_IS_BUILT)) {
            *out = PROBE_UNKNOWN;
            return true;
        }
        if (!drop_index(c, r, row, f))
            return false;
    }
    return true;
}

/* "If the index marked INVALID is suffixed _ccnew … drop it … If … _ccold … just drop said index":
   REINDEX in PostgreSQL's manual. */
static bool drop_leftovers(struct connection *c, const struct probe *p, const char *before,
                           struct fail *f)
{
    const char *known = known_before(c, p, before);
    SCOPED(pg_result) PGresult *r = ask_probe(c, sql_postgres_probe_reindex_leftovers, p, f);

    if (!r)
        return false;
    for (int row = 0; row < PQntuples(r); row++) {
        bool is_old = known && is_in_list(known, pgdrv_value(r, row, INDEX_OID));
        if (!is_old && !is_true(r, row, INDEX_IS_BUILT) && !drop_index(c, r, row, f))
            return false;
    }
    return true;
}

static bool probe_partition(struct connection *c, const struct probe *p, const char *before,
                            enum probe_answer *out, struct fail *f)
{
    const char *known = known_before(c, p, before);
    SCOPED(pg_result) PGresult *r = ask_probe(c, sql_postgres_probe_partition, p, f);

    if (!r)
        return false;
    *out = PROBE_NOT_DONE;
    if (known && strcmp(known, BEFORE_ABSENT) == 0)
        return true; /* it was no partition */
    if (PQntuples(r) == 0) {
        *out = PROBE_IS_DONE;
        return true;
    }
    bool is_ours = !known || strcmp(known, BEFORE_PENDING) != 0;
    if (!is_true(r, 0, 0) || !is_ours)
        return true;
    if (!run_unlimited(c, pgdrv_value(r, 0, 1), f))
        return false;
    *out = PROBE_IS_DONE;
    return true;
}

static bool probe_presence(struct connection *c, const struct probe *p, const char *before,
                           bool is_done_when_there, enum probe_answer *out, struct fail *f)
{
    const char *known = known_before(c, p, before);
    SCOPED(pg_result) PGresult *r = ask_probe(c, sql_of(p), p, f);

    if (!r)
        return false;
    bool is_done = (PQntuples(r) > 0) == is_done_when_there;
    const char *end = is_done_when_there ? BEFORE_PRESENT : BEFORE_ABSENT;
    bool was_so = known && strcmp(known, end) == 0;
    *out = is_done && !was_so ? PROBE_IS_DONE : PROBE_NOT_DONE;
    return true;
}

static bool probe_rerun(struct connection *c, const struct probe *p, const char *before,
                        enum probe_answer *out, struct fail *f)
{
    *out = PROBE_NOT_DONE;
    return !p->is_reindex || drop_leftovers(c, p, before, f);
}

bool pgdrv_probe(struct connection *c, const struct probe *p, const char *before,
                 enum probe_answer *out, struct fail *f)
{
    *out = PROBE_UNKNOWN;
    if (!pgdrv_session_ensure(c, f))
        return false;
    switch (p->kind) {
    case PROBE_NONE:
        return true;
    case PROBE_RERUN:
        return probe_rerun(c, p, before, out, f);
    case PROBE_INDEX_VALID:
    case PROBE_INDEX_ON_TABLE:
        return probe_indexes(c, p, before, out, f);
    case PROBE_PARTITION_DETACHED:
        return probe_partition(c, p, before, out, f);
    case PROBE_DATABASE_EXISTS:
    case PROBE_TABLESPACE_EXISTS:
    case PROBE_ENUM_VALUE:
    case PROBE_SUBSCRIPTION_EXISTS:
        return probe_presence(c, p, before, true, out, f);
    case PROBE_INDEX_ABSENT:
    case PROBE_DATABASE_ABSENT:
    case PROBE_TABLESPACE_ABSENT:
    case PROBE_SUBSCRIPTION_ABSENT:
        return probe_presence(c, p, before, false, out, f);
    }
    BUG("a kind of probe that is not in the list");
}

/* ---- after success ---- */

static bool fail_invalid(const struct probe *p, const char *drop, struct fail *f)
{
    (void)fail_set(f, EXIT_FAILED, "the index \"%s\" is not valid", p->name ? p->name : "");
    (void)fail_kind_set(f, FAIL_SERVER);
    (void)fail_detail(f,
                      "The server reported success: an index of that name was there before, left "
                      "behind by a build that failed.");
    return fail_hint(f, "Say `%s`, then run again.", drop);
}

static void warn_leftovers(struct connection *c, const struct probe *p)
{
    SCOPED(fail) struct fail ignored = FAIL_NONE;
    SCOPED(pg_result) PGresult *r = ask_probe(c, sql_postgres_probe_reindex_leftovers, p, &ignored);

    for (int row = 0; r && row < PQntuples(r); row++)
        log_line(LOG_WARN,
                 "%.*s is invalid, left behind by an earlier REINDEX CONCURRENTLY: drop it",
                 STR_ARG(pgdrv_value(r, row, INDEX_NAME)));
}

bool pgdrv_check_after(struct connection *c, const struct probe *p, struct fail *f)
{
    bool is_named = p->kind == PROBE_INDEX_VALID;

    if (p->is_reindex)
        warn_leftovers(c, p);
    if (!is_named && p->kind != PROBE_INDEX_ON_TABLE)
        return true;
    const char *known = known_before(c, p, NULL);
    SCOPED(pg_result) PGresult *r = ask_probe(c, sql_of(p), p, f);
    if (!r)
        return false;
    for (int row = 0; row < PQntuples(r); row++) {
        SCOPED(arena) struct arena *a = arena_make();
        bool is_old = known && is_in_list(known, pgdrv_value(r, row, INDEX_OID));
        if (!is_true(r, row, INDEX_IS_VALID) && (is_named || (known && !is_old)))
            return fail_invalid(p, arena_cstr(a, pgdrv_value(r, row, INDEX_DROP)), f);
    }
    return true;
}

/* ---- doctor --clean ---- */

bool pgdrv_drop_invalid_index(struct connection *c, int64_t oid, struct fail *f)
{
    char text[24];
    const char *values[] = {text};
    static const Oid types[] = {OID_INT8};

    (void)snprintf(text, sizeof(text), "%lld", (long long)oid);
    if (!pgdrv_session_ensure(c, f))
        return false;
    SCOPED(pg_result)
    PGresult *r = pgdrv_ask(
        c,
        &(struct pgdrv_query){
            .sql = sql_postgres_examine_droppable, .count = 1, .values = values, .types = types},
        f);
    if (!r)
        return false;
    if (PQntuples(r) == 0)
        return fail_set(f, EXIT_FAILED, "the index with OID %s is gone, or is not invalid any more",
                        text);
    return run_unlimited(c, pgdrv_value(r, 0, 0), f);
}

bool pgdrv_waits_for_others(const struct statement *s)
{
    if (!s->probe)
        return false;
    switch (s->probe->kind) {
    case PROBE_INDEX_VALID:
    case PROBE_INDEX_ABSENT:
    case PROBE_INDEX_ON_TABLE:
    case PROBE_PARTITION_DETACHED:
        return true;
    case PROBE_NONE:
    case PROBE_RERUN:
    case PROBE_DATABASE_EXISTS:
    case PROBE_DATABASE_ABSENT:
    case PROBE_TABLESPACE_EXISTS:
    case PROBE_TABLESPACE_ABSENT:
    case PROBE_ENUM_VALUE:
    case PROBE_SUBSCRIPTION_EXISTS:
    case PROBE_SUBSCRIPTION_ABSENT:
        return s->probe->is_reindex;
    }
    BUG("a kind of probe that is not in the list");
}
