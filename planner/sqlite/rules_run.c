/* Rules about transactions, locks and versions. */
#include "planner/sqlite/rules_tables.h"

#include "planner/sqlite/state.h"

static void check_vacuum(struct rule_subject *s)
{
    if (state_is_kind(s->statement, "VACUUM") && s->file->is_own_transaction)
        rule_report(s, NULL, "VACUUM cannot run inside the file's transaction");
}

static void check_keys_pragma(struct rule_subject *s)
{
    if (s->statement->role == ROLE_HOISTED && s->file->is_own_transaction)
        rule_report(s, NULL, "PRAGMA foreign_keys does nothing inside a transaction");
}

/* ---- the write lock ---- */

/* The table that an UPDATE or DELETE reads in full, where it is known to be large. */
static const struct sqlite_object *searched_table(const struct rule_subject *s)
{
    const struct sqlite_analysis *p = state_of(s);
    const struct sqlite_object *table = p->facts.table;
    bool is_change = state_is_kind(s->statement, "UPDATE") || state_is_kind(s->statement, "DELETE");
    bool is_read = false;
    for (size_t i = 0; i < s->effects->scans.count && table; i++)
        is_read |= s->effects->scans.at[i].object == table->relation;
    bool is_it = is_change && is_read && !p->facts.error;
    return is_it && state_row_count(p, table) >= BATCH_ROWS_MIN ? table : NULL;
}

static void check_long_lock(struct rule_subject *s)
{
    const struct effects *e = s->effects;
    const struct sqlite_facts *f = &state_of(s)->facts;
    bool is_bulk = (f->has_no_where || f->is_always_true) && e->writes.count;
    bool is_copy = e->scans.count && state_of(s)->scratch->does_insert;
    const struct sqlite_object *searched = is_bulk || is_copy ? NULL : searched_table(s);
    for (size_t i = 0; i < e->builds.count; i++)
        rule_report_at(s, &(struct rule_finding){.name = e->builds.at[i].relation},
                       "index %.*s is filled from a table that may have rows: nobody else writes "
                       "until it commits",
                       STR_ARG(e->builds.at[i].relation));
    for (size_t i = 0; i < e->rewrites.count; i++)
        rule_report(s, e->rewrites.at[i].object,
                    "%.*s is written anew: nobody else writes until it commits",
                    STR_ARG(e->rewrites.at[i].relation));
    if (e->builds.count || e->rewrites.count || f->error)
        return;
    if (is_bulk && e->scans.count)
        rule_report(s, e->scans.at[0].object,
                    "every row of %.*s is written: nobody else writes until it commits",
                    STR_ARG(e->scans.at[0].relation));
    else if (searched)
        rule_report(s, searched->relation,
                    "all rows of %.*s are read to find those that are written: nobody else writes "
                    "until it commits",
                    STR_ARG(searched->name));
    else if (is_copy)
        rule_report(s, e->scans.at[0].object,
                    "the rows of %.*s are copied: nobody else writes until it commits",
                    STR_ARG(e->scans.at[0].relation));
}

static void check_busy(struct rule_subject *s)
{
    const struct sqlite_heard *heard = &state_of(s)->scratch->heard;
    int64_t value;
    bool is_off = sqlite3_stricmp(heard->pragma, "busy_timeout") == 0 && heard->value[0] &&
                  str_to_i64(str_of(heard->value), &value) && value <= 0;
    if (is_off)
        rule_report(s, NULL, "without a busy timeout the next lock is an error at once");
}

static void check_deferred(struct rule_subject *s)
{
    const struct sqlite_analysis *p = state_of(s);
    bool writes = s->effects->writes.count || (p->scratch->is_ddl && !p->facts.error);
    if (!s->file->is_own_transaction || !p->file.is_deferred || p->file.has_written || !writes)
        return;
    rule_report(s, NULL, "the transaction was begun without IMMEDIATE, and writes");
}

/* ---- versions ---- */

static bool has_generated(const struct sqlite_object *o)
{
    for (size_t i = 0; i < o->columns.count; i++) {
        if (o->columns.at[i].is_generated)
            return true;
    }
    return false;
}

static bool renames_column(const struct rule_subject *s)
{
    for (size_t i = 0; i < s->effects->losses.count; i++) {
        if (state_of(s)->facts.alter == ALTER_RENAME &&
            strcmp(s->effects->losses.at[i].object_kind, "COLUMN") == 0)
            return true;
    }
    return false;
}

static void need(struct rule_subject *s, unsigned version, const char *what)
{
    if (s->major < version)
        rule_report(s, NULL, "%s needs SQLite %u.%u; it is read by %u.%u", what, version / 1000,
                    version % 1000, s->major / 1000, s->major % 1000);
}

static void check_version(struct rule_subject *s)
{
    const struct sqlite_analysis *p = state_of(s);
    enum { WITH_RENAME = 3025, WITH_GENERATED = 3031, WITH_DROP = 3035, WITH_STRICT = 3037 };
    if (renames_column(s))
        need(s, WITH_RENAME, "RENAME COLUMN");
    if (p->facts.alter == ALTER_DROP)
        need(s, WITH_DROP, "DROP COLUMN");
    if (p->facts.returns_rows)
        need(s, WITH_DROP, "RETURNING");
    if (!p->scratch->is_ddl || p->facts.error)
        return;
    for (size_t i = 0; i < p->now.count; i++) {
        const struct sqlite_object *o = p->now.at[i];
        const struct sqlite_object *old = objects_successor(&p->before, o);
        if (o->kind != OBJECT_TABLE || old == o)
            continue;
        if (o->is_strict && !old)
            need(s, WITH_STRICT, "a STRICT table");
        if (has_generated(o) && (!old || !has_generated(old)))
            need(s, WITH_GENERATED, "a generated column");
    }
}

static const struct rule_row rows[] = {
    {
        .rule =
            {
                .id = "sqlite-vacuum-in-transaction",
                .level = HAZARD_BLOCK,
                .engine = ENGINE_SQLITE,
                .title = "VACUUM cannot run inside a transaction",
                .why = "\"cannot VACUUM from within a transaction\". It copies the whole database, "
                       "and needs as much room on the disk.",
                .fix = "Leave it out of BEGIN … COMMIT, in a step of its own.",
                .example = "BEGIN;\nVACUUM;\nCOMMIT;",
                .safe = "VACUUM;",
                .sources = "lang_vacuum.html",
            },
        .check = check_vacuum,
    },
    {
        .rule =
            {
                .id = "sqlite-foreign-keys-pragma-in-tx",
                .level = HAZARD_BLOCK,
                .engine = ENGINE_SQLITE,
                .title = "PRAGMA foreign_keys does nothing inside a transaction",
                .why = "SQLite says nothing, and foreign keys stay as they were: a rebuild deletes "
                       "the rows of children. migrate opens its own transactions as the pragma "
                       "says; other programs that run the file do not.",
                .fix = "Write it in front of BEGIN.",
                .example = "BEGIN;\nPRAGMA foreign_keys = OFF;\nDROP TABLE users;\nCOMMIT;",
                .safe = "PRAGMA foreign_keys = OFF;\nBEGIN;\nDROP TABLE users;\nCOMMIT;",
                .sources = "pragma.html#pragma_foreign_keys",
            },
        .check = check_keys_pragma,
    },
    {
        .rule =
            {
                .id = "sqlite-long-write-lock",
                .level = HAZARD_WARN,
                .engine = ENGINE_SQLITE,
                .exemptions = EXEMPT_NEW | EXEMPT_EMPTY,
                .title = "nobody else writes while it runs",
                .why = "A database has one write lock, in WAL mode too. Index builds, rebuilds and "
                       "changes of all rows hold it for as long as they take; outside of WAL mode "
                       "readers wait for the commit as well.",
                .fix = "Rehearse it on a copy and look at the seconds. Give other connections a "
                       "busy_timeout that is longer, or change some thousand rows at a time.",
                .example = "CREATE INDEX orders_user ON orders (user_id);",
                .sources = "lockingv3.html; wal.html#concurrency",
            },
        .check = check_long_lock,
    },
    {
        .rule =
            {
                .id = "sqlite-busy-timeout-missing",
                .level = HAZARD_WARN,
                .engine = ENGINE_SQLITE,
                .title = "without a busy timeout a lock is an error at once",
                .why = "SQLITE_BUSY comes as soon as another connection holds the lock. migrate "
                       "sets a timeout itself; a file that switches it off has none.",
                .fix = "Leave the pragma out, or give it some seconds.",
                .example = "PRAGMA busy_timeout = 0;",
                .safe = "PRAGMA busy_timeout = 5000;",
                .sources = "pragma.html#pragma_busy_timeout",
            },
        .check = check_busy,
    },
    {
        .rule =
            {
                .id = "sqlite-deferred-begin-upgrade",
                .level = HAZARD_NOTE,
                .engine = ENGINE_SQLITE,
                .title = "a transaction that begins as a reader may not become a writer",
                .why = "BEGIN takes no lock. Where it has read and another connection has written "
                       "since, its first write fails with SQLITE_BUSY at once, whatever the "
                       "timeout.",
                .fix = "Write BEGIN IMMEDIATE, or leave the transaction to migrate.",
                .example = "BEGIN;\nUPDATE users SET plan = 'free' WHERE plan IS NULL;\nCOMMIT;",
                .safe = "BEGIN IMMEDIATE;\nUPDATE users SET plan = 'free' WHERE plan IS NULL;\n"
                        "COMMIT;",
                .sources = "lang_transaction.html#immediate",
            },
        .check = check_deferred,
    },
    {
        .rule =
            {
                .id = "sqlite-version-feature",
                .level = HAZARD_WARN,
                .engine = ENGINE_SQLITE,
                .title = "the SQLite that reads the database is older than the feature",
                .why = "RENAME COLUMN came with 3.25, generated columns with 3.31, DROP COLUMN and "
                       "RETURNING with 3.35, STRICT with 3.37. An older library refuses the "
                       "statement, or the whole database: \"malformed database schema\".",
                .fix = "Do without it, or bring every program that opens the file up to that "
                       "version first.",
                .example = "CREATE TABLE flags (name text PRIMARY KEY) STRICT;",
                .safe = "CREATE TABLE flags (name text PRIMARY KEY);",
                .sources = "changes.html; stricttables.html",
            },
        .check = check_version,
    },
};
const struct rule_table sqlite_rules_run = {rows, ARRAY_LEN(rows)};
