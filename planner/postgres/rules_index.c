/* Rules about indexes. */
#include "planner/postgres/rules_support.h"

static const PgQuery__IndexStmt *index_stmt(const struct rule_subject *s)
{
    return rule_tree(s)->index_stmt;
}

/* CREATE INDEX on a table that somebody may use; IF NOT EXISTS of one that is there does nothing. */
static bool makes_index(const struct rule_subject *s, struct rule_finding *out)
{
    const PgQuery__IndexStmt *stmt = index_stmt(s);
    *out = rule_about(s, stmt->relation);
    if (stmt->if_not_exists && stmt->idxname[0] && stmt->relation) {
        struct str schema =
            out->relation ? out->relation->schema : str_of(stmt->relation->schemaname);
        if (catalog_find_relation(s->catalog, schema, str_of(stmt->idxname)))
            return false;
    }
    return !rule_is_temporary(out->relation);
}

static bool is_partitioned(const struct rule_finding *about)
{
    return about->relation && about->relation->kind == RELATION_PARTITIONED_TABLE;
}

/* An index ON ONLY a partitioned table builds nothing. */
static bool is_only(const PgQuery__IndexStmt *stmt)
{
    return stmt->relation && !stmt->relation->inh;
}

static void check_blocking(struct rule_subject *s)
{
    struct rule_finding about;
    if (makes_index(s, &about) && !index_stmt(s)->concurrent && !is_partitioned(&about))
        rule_report_at(s, &about, "writers of %.*s%s wait (SHARE) until the index is built",
                       STR_ARG(about.name), rule_rows_text(s, about.relation));
}

static void check_partitioned(struct rule_subject *s)
{
    struct rule_finding about;
    if (makes_index(s, &about) && is_partitioned(&about) && !is_only(index_stmt(s)))
        rule_report_at(s, &about,
                       "writers of every partition of %.*s wait (SHARE) until all their "
                       "indexes are built, one after the other",
                       STR_ARG(about.name));
}

static void check_unique_existing(struct rule_subject *s)
{
    struct rule_finding about;
    if (makes_index(s, &about) && index_stmt(s)->unique && !is_only(index_stmt(s)))
        rule_report_at(
            s, &about,
            "duplicates in %.*s%s make the build fail%s; writes of new ones fail from then on",
            STR_ARG(about.name), rule_rows_text(s, about.relation),
            index_stmt(s)->concurrent ? ", and leave an INVALID index" : "");
}

static void check_load(struct rule_subject *s)
{
    struct rule_finding about;
    if (makes_index(s, &about) && !is_only(index_stmt(s)))
        rule_report_at(s, &about, "%.*s%s is read in full%s and an index written",
                       STR_ARG(about.name), rule_rows_text(s, about.relation),
                       index_stmt(s)->concurrent ? ", twice," : "");
}

static void check_if_not_exists(struct rule_subject *s)
{
    struct rule_finding about;
    const PgQuery__IndexStmt *stmt = index_stmt(s);
    if (makes_index(s, &about) && stmt->concurrent && stmt->if_not_exists)
        rule_report_at(s, &about,
                       "a first try that failed leaves %s INVALID; the next one finds it "
                       "there and does nothing",
                       stmt->idxname);
}

static void check_corruption(struct rule_subject *s)
{
    const PgQuery__Node *tree = s->tree;
    uint32_t version = s->catalog->server_version;
    bool is_hit = version >= 140000 && version < 140004;
    if (!tree || !is_hit)
        return;
    bool is_index =
        tree->node_case == PG_QUERY__NODE__NODE_INDEX_STMT && tree->index_stmt->concurrent;
    bool is_reindex =
        tree->node_case == PG_QUERY__NODE__NODE_REINDEX_STMT && s->statement->role == ROLE_ALONE;
    if (is_index || is_reindex)
        rule_report(s, NULL, "PostgreSQL 14.%u builds indexes CONCURRENTLY that lack rows",
                    version % 10000);
}

static bool has_expression(const PgQuery__IndexStmt *stmt)
{
    for (size_t i = 0; i < stmt->n_index_params; i++) {
        const PgQuery__Node *n = stmt->index_params[i];
        if (n && n->node_case == PG_QUERY__NODE__NODE_INDEX_ELEM && n->index_elem->expr)
            return true;
    }
    return false;
}

static void check_unanalyzed(struct rule_subject *s)
{
    const PgQuery__Node *tree = s->tree;
    if (!tree)
        return;
    struct rule_finding about;
    if (tree->node_case == PG_QUERY__NODE__NODE_INDEX_STMT && has_expression(tree->index_stmt) &&
        makes_index(s, &about))
        rule_report_at(s, &about,
                       "there are no statistics about the expression until %.*s is analyzed",
                       STR_ARG(about.name));
    else if (tree->node_case == PG_QUERY__NODE__NODE_CREATE_STATS_STMT)
        rule_report(s, NULL, "extended statistics are empty until ANALYZE");
}

/* ---- DROP INDEX ---- */

static void see_drop(struct rule_subject *s, const struct rule_drop *d)
{
    const struct catalog_relation *table =
        d->relation && d->relation->index ? d->relation->index->table : NULL;
    if (!d->stmt->concurrent && !rule_is_temporary(table) && !rule_is_new(s, table))
        rule_report_at(s, &d->about, "%.*s and its index are locked ACCESS EXCLUSIVE",
                       STR_ARG(table ? catalog_relation_text(s->a, table) : STR("its table")));
}

static void check_drop(struct rule_subject *s)
{
    rule_each_dropped(s, PG_QUERY__OBJECT_TYPE__OBJECT_INDEX, see_drop);
}

static void see_performance(struct rule_subject *s, const struct rule_drop *d)
{
    const struct catalog_index *index = d->relation ? d->relation->index : NULL;
    if (index && (!index->is_valid || index->scans == 0))
        return;
    rule_report_at(s, &d->about, "queries that use %.*s get slower%s", STR_ARG(d->about.name),
                   index && index->scans > 0
                       ? arena_printf(s->a, ": it was used %lld times", (long long)index->scans)
                       : "");
}

static void check_performance(struct rule_subject *s)
{
    rule_each_dropped(s, PG_QUERY__OBJECT_TYPE__OBJECT_INDEX, see_performance);
}

/* ---- REINDEX ---- */

static bool is_wide(PgQuery__ReindexObjectType kind)
{
    return kind == PG_QUERY__REINDEX_OBJECT_TYPE__REINDEX_OBJECT_SCHEMA ||
           kind == PG_QUERY__REINDEX_OBJECT_TYPE__REINDEX_OBJECT_DATABASE ||
           kind == PG_QUERY__REINDEX_OBJECT_TYPE__REINDEX_OBJECT_SYSTEM;
}

static bool is_concurrent(const PgQuery__ReindexStmt *stmt)
{
    for (size_t i = 0; i < stmt->n_params; i++) {
        const PgQuery__Node *n = stmt->params[i];
        if (n->node_case != PG_QUERY__NODE__NODE_DEF_ELEM ||
            strcmp(n->def_elem->defname, "concurrently") != 0)
            continue;
        struct str value = rule_string(n->def_elem->arg);
        return !str_equal(value, STR("false")) && !str_equal(value, STR("off"));
    }
    return false;
}

static void check_reindex(struct rule_subject *s)
{
    const PgQuery__ReindexStmt *stmt = rule_tree(s)->reindex_stmt;
    struct rule_finding about = rule_about(s, stmt->relation);
    if (is_wide(stmt->kind) || is_concurrent(stmt) || rule_is_temporary(about.relation))
        return;
    if (stmt->kind == PG_QUERY__REINDEX_OBJECT_TYPE__REINDEX_OBJECT_TABLE)
        rule_report_at(s, &about,
                       "writers of %.*s%s wait (SHARE), and queries that would use an index "
                       "wait for it (ACCESS EXCLUSIVE)",
                       STR_ARG(about.name), rule_rows_text(s, about.relation));
    else
        rule_report_at(s, &about,
                       "index %.*s is locked ACCESS EXCLUSIVE: queries that would use it "
                       "wait, and writers of its table",
                       STR_ARG(about.name));
}

static void check_reindex_wide(struct rule_subject *s)
{
    const PgQuery__ReindexStmt *stmt = rule_tree(s)->reindex_stmt;
    if (is_wide(stmt->kind))
        rule_report(s, NULL, "every index of %s is built again",
                    stmt->name[0] ? stmt->name : "the database");
}

static const struct rule_row rows[] = {
    {
        .rule =
            {
                .id = "create-index-blocking",
                .level = HAZARD_BLOCK,
                .engine = ENGINE_POSTGRES,
                .exemptions = EXEMPT_NEW | EXEMPT_EMPTY | EXEMPT_SMALL,
                .title = "CREATE INDEX makes writers wait until it is built",
                .why = "SHARE is held on the table for the whole build: reads pass, every "
                       "INSERT, UPDATE and DELETE waits.",
                .fix = "CREATE INDEX CONCURRENTLY: outside a transaction, in a step of its own. "
                       "Look at indisvalid behind it; a build that failed leaves an INVALID "
                       "index to be dropped.",
                .example = "CREATE INDEX orders_user ON orders (user_id);",
                .safe = "CREATE INDEX CONCURRENTLY orders_user ON orders (user_id);",
                .sources = "sql-createindex.html; indexcmds.c: DefineIndex()",
            },
        .check = check_blocking,
        .node = PG_QUERY__NODE__NODE_INDEX_STMT,
    },
    {
        .rule =
            {
                .id = "create-index-partitioned",
                .level = HAZARD_BLOCK,
                .engine = ENGINE_POSTGRES,
                .exemptions = EXEMPT_NEW | EXEMPT_EMPTY,
                .title = "an index on a partitioned table is built on all partitions, one after "
                         "the other",
                .why = "SHARE is held on the parent and all partitions until the last index is "
                       "built. CONCURRENTLY is refused there.",
                .fix = "CREATE INDEX … ON ONLY parent; CREATE INDEX CONCURRENTLY on each "
                       "partition; ALTER INDEX parent_index ATTACH PARTITION each. The parent's "
                       "index becomes valid with the last one.",
                .example = "CREATE INDEX events_who ON events (who);",
                .safe = "CREATE INDEX events_who ON ONLY events (who);\n"
                        "CREATE INDEX CONCURRENTLY events_2020_who ON events_2020 (who);\n"
                        "ALTER INDEX events_who ATTACH PARTITION events_2020_who;",
                .sources = "sql-createindex.html; ddl-partitioning.html",
            },
        .check = check_partitioned,
        .node = PG_QUERY__NODE__NODE_INDEX_STMT,
    },
    {
        .rule =
            {
                .id = "create-unique-index-existing",
                .level = HAZARD_WARN,
                .engine = ENGINE_POSTGRES,
                .exemptions = EXEMPT_NEW | EXEMPT_EMPTY,
                .title = "a unique index fails on duplicates that are there",
                .why = "The build reads the table and stops at the first duplicate. "
                       "CONCURRENTLY leaves an INVALID index, which costs every write and "
                       "guarantees nothing.",
                .fix = "Count the duplicates on a copy of production first: SELECT … GROUP BY … "
                       "HAVING count(*) > 1.",
                .example = "CREATE UNIQUE INDEX CONCURRENTLY users_email ON users (email);",
                .sources = "sql-createindex.html; index-unique-checks.html",
            },
        .check = check_unique_existing,
        .node = PG_QUERY__NODE__NODE_INDEX_STMT,
    },
    {
        .rule =
            {
                .id = "drop-index-blocking",
                .level = HAZARD_WARN,
                .engine = ENGINE_POSTGRES,
                .exemptions = EXEMPT_NEW,
                .title = "DROP INDEX locks the table",
                .why = "ACCESS EXCLUSIVE on table and index: it waits for every query of the "
                       "table, and everybody waits behind it.",
                .fix = "DROP INDEX CONCURRENTLY, outside a transaction. Not for indexes of "
                       "constraints, nor of partitioned tables, whose partitions are all locked: "
                       "there a short lock_timeout, and again when it is hit.",
                .example = "DROP INDEX orders_user;",
                .safe = "DROP INDEX CONCURRENTLY orders_user;",
                .sources = "sql-dropindex.html",
            },
        .check = check_drop,
        .node = PG_QUERY__NODE__NODE_DROP_STMT,
    },
    {
        .rule =
            {
                .id = "drop-index-performance",
                .level = HAZARD_NOTE,
                .engine = ENGINE_POSTGRES,
                .exemptions = EXEMPT_NEW,
                .title = "queries may need an index that is dropped",
                .why = "What took a millisecond reads the whole table, once for each call.",
                .fix = "Look at pg_stat_user_indexes.idx_scan, on every replica too, before it "
                       "goes.",
                .example = "DROP INDEX CONCURRENTLY orders_user;",
                .sources = "monitoring-stats.html",
            },
        .check = check_performance,
        .node = PG_QUERY__NODE__NODE_DROP_STMT,
    },
    {
        .rule =
            {
                .id = "index-build-load",
                .level = HAZARD_NOTE,
                .engine = ENGINE_POSTGRES,
                .exemptions = EXEMPT_NEW | EXEMPT_EMPTY,
                .title = "building an index reads the table in full",
                .why = "CONCURRENTLY reads it twice and waits for every transaction that is "
                       "older than the build; both write WAL and need room for the index.",
                .fix = "Build it in quiet hours, with more maintenance_work_mem, and watch "
                       "pg_stat_progress_create_index.",
                .example = "CREATE INDEX CONCURRENTLY orders_user ON orders (user_id);",
                .sources = "sql-createindex.html; progress-reporting.html",
            },
        .check = check_load,
        .node = PG_QUERY__NODE__NODE_INDEX_STMT,
    },
    {
        .rule =
            {
                .id = "if-not-exists-invalid-index",
                .level = HAZARD_WARN,
                .engine = ENGINE_POSTGRES,
                .exemptions = EXEMPT_NEW,
                .title = "CREATE INDEX CONCURRENTLY IF NOT EXISTS trusts an INVALID index",
                .why = "A build that failed leaves an index of that name, marked invalid. The "
                       "second try finds the name taken, does nothing, and reports success.",
                .fix = "Leave IF NOT EXISTS out: a failed run is then told. Look at "
                       "pg_index.indisvalid, drop what is invalid, build again.",
                .example =
                    "CREATE INDEX CONCURRENTLY IF NOT EXISTS orders_user ON orders (user_id);",
                .safe = "CREATE INDEX CONCURRENTLY orders_user ON orders (user_id);",
                .sources = "sql-createindex.html",
            },
        .check = check_if_not_exists,
        .node = PG_QUERY__NODE__NODE_INDEX_STMT,
    },
    {
        .rule =
            {
                .id = "cic-corruption-14",
                .level = HAZARD_BLOCK,
                .engine = ENGINE_POSTGRES,
                .since = 14,
                .until = 14,
                .title = "PostgreSQL 14.0 to 14.3 may leave rows out of an index that is built "
                         "CONCURRENTLY",
                .why = "A defect, mended in 14.4: CREATE INDEX CONCURRENTLY and REINDEX "
                       "CONCURRENTLY could miss rows that were updated during the build. "
                       "Queries over the index then do not find them, and nothing tells.",
                .fix = "Upgrade to 14.4 or later first. Check indexes that were built so with "
                       "amcheck, or build them again.",
                .example = "CREATE INDEX CONCURRENTLY orders_user ON orders (user_id);",
                .sources = "release-14-4.html",
            },
        .check = check_corruption,
    },
    {
        .rule =
            {
                .id = "reindex-blocking",
                .level = HAZARD_WARN,
                .engine = ENGINE_POSTGRES,
                .exemptions = EXEMPT_NEW,
                .title = "REINDEX makes writers wait",
                .why = "REINDEX TABLE holds SHARE on the table and ACCESS EXCLUSIVE on each "
                       "index while it is built; queries that would use it wait as well, while "
                       "they are planned.",
                .fix = "REINDEX … CONCURRENTLY (12 and later), outside a transaction.",
                .example = "REINDEX TABLE orders;",
                .safe = "REINDEX TABLE CONCURRENTLY orders;",
                .sources = "sql-reindex.html",
            },
        .check = check_reindex,
        .node = PG_QUERY__NODE__NODE_REINDEX_STMT,
    },
    {
        .rule =
            {
                .id = "reindex-wide",
                .level = HAZARD_BLOCK,
                .engine = ENGINE_POSTGRES,
                .title = "REINDEX of a schema or database goes through everything",
                .why = "How long it takes nobody can tell, it refuses a transaction, and each "
                       "table is blocked in turn.",
                .fix = "REINDEX TABLE CONCURRENTLY, table by table, for those that need it.",
                .example = "REINDEX SCHEMA public;",
                .safe = "REINDEX TABLE CONCURRENTLY orders;",
                .sources = "sql-reindex.html",
            },
        .check = check_reindex_wide,
        .node = PG_QUERY__NODE__NODE_REINDEX_STMT,
    },
    {
        .rule =
            {
                .id = "index-on-expression-unanalyzed",
                .level = HAZARD_NOTE,
                .engine = ENGINE_POSTGRES,
                .exemptions = EXEMPT_NEW | EXEMPT_EMPTY,
                .title = "an index over an expression has no statistics until ANALYZE",
                .why = "The planner of queries guesses how many rows match until ANALYZE, or "
                       "autovacuum, has looked at the expression; the plans may be worse than "
                       "before. The same is true of CREATE STATISTICS.",
                .fix = "ANALYZE the table behind it.",
                .example = "CREATE INDEX CONCURRENTLY users_email ON users (lower(email));",
                .safe = "CREATE INDEX CONCURRENTLY users_email ON users (lower(email));\n"
                        "ANALYZE users;",
                .sources = "sql-createindex.html; sql-analyze.html",
            },
        .check = check_unanalyzed,
    },
};
const struct rule_table rules_index = {rows, ARRAY_LEN(rows)};
