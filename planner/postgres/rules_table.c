/* Rules about whole tables: copies, options, locks. */
#include "planner/postgres/rules_support.h"

/* ---- VACUUM FULL, CLUSTER ---- */

static bool has_option(PgQuery__Node *const *options, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        const PgQuery__Node *n = options[i];
        if (n->node_case == PG_QUERY__NODE__NODE_DEF_ELEM &&
            strcmp(n->def_elem->defname, name) == 0) {
            struct str value = rule_string(n->def_elem->arg);
            return !str_equal(value, STR("false")) && !str_equal(value, STR("off"));
        }
    }
    return false;
}

static void check_vacuum_full(struct rule_subject *s)
{
    const PgQuery__VacuumStmt *stmt = rule_tree(s)->vacuum_stmt;
    if (!stmt->is_vacuumcmd || !has_option(stmt->options, stmt->n_options, "full"))
        return;
    if (!stmt->n_rels)
        rule_report(s, NULL, "every table of the database is copied under ACCESS EXCLUSIVE");
    for (size_t i = 0; i < stmt->n_rels; i++) {
        const PgQuery__Node *n = stmt->rels[i];
        if (n->node_case != PG_QUERY__NODE__NODE_VACUUM_RELATION)
            continue;
        struct rule_finding about = rule_about(s, n->vacuum_relation->relation);
        rule_report_at(s, &about, "%.*s%s is copied under ACCESS EXCLUSIVE", STR_ARG(about.name),
                       rule_rows_text(s, about.relation));
    }
}

static void check_cluster(struct rule_subject *s)
{
    const PgQuery__ClusterStmt *stmt = rule_tree(s)->cluster_stmt;
    struct rule_finding about = rule_about(s, stmt->relation);
    if (!stmt->relation)
        rule_report(s, NULL,
                    "every clustered table of the database is copied under ACCESS EXCLUSIVE");
    else
        rule_report_at(s, &about, "%.*s%s is copied under ACCESS EXCLUSIVE", STR_ARG(about.name),
                       rule_rows_text(s, about.relation));
}

/* ---- new storage ---- */

static void see_logged(struct rule_subject *s, const struct rule_command *c)
{
    if (c->cmd->subtype == PG_QUERY__ALTER_TABLE_TYPE__AT_SetLogged ||
        c->cmd->subtype == PG_QUERY__ALTER_TABLE_TYPE__AT_SetUnLogged)
        rule_report_at(s, &c->about, "%.*s%s is rewritten under ACCESS EXCLUSIVE",
                       STR_ARG(c->about.name), rule_rows_text(s, c->table));
}

static void check_logged(struct rule_subject *s)
{
    rule_each_command(s, 0, see_logged);
}

static void see_tablespace(struct rule_subject *s, const struct rule_command *c)
{
    bool is_partitioned = c->table && (c->table->kind == RELATION_PARTITIONED_TABLE ||
                                       c->table->kind == RELATION_PARTITIONED_INDEX);
    if (!is_partitioned)
        rule_report_at(s, &c->about, "the files of %.*s%s are copied under ACCESS EXCLUSIVE",
                       STR_ARG(c->about.name), rule_rows_text(s, c->table));
}

static void check_tablespace(struct rule_subject *s)
{
    if (!s->tree)
        return;
    rule_each_command(s, PG_QUERY__ALTER_TABLE_TYPE__AT_SetTableSpace, see_tablespace);
    if (rule_tree(s)->node_case == PG_QUERY__NODE__NODE_ALTER_TABLE_MOVE_ALL_STMT)
        rule_report(s, NULL, "everything in tablespace %s is copied, each under ACCESS EXCLUSIVE",
                    rule_tree(s)->alter_table_move_all_stmt->orig_tablespacename);
}

static void see_access_method(struct rule_subject *s, const struct rule_command *c)
{
    bool is_same = c->table && c->table->access_method.len &&
                   str_equal(c->table->access_method, str_of(c->cmd->name));
    if (!is_same)
        rule_report_at(s, &c->about, "%.*s%s is rewritten under ACCESS EXCLUSIVE",
                       STR_ARG(c->about.name), rule_rows_text(s, c->table));
}

static void check_access_method(struct rule_subject *s)
{
    rule_each_command(s, PG_QUERY__ALTER_TABLE_TYPE__AT_SetAccessMethod, see_access_method);
}

/* ---- materialized views ---- */

static void check_refresh(struct rule_subject *s)
{
    const PgQuery__RefreshMatViewStmt *stmt = rule_tree(s)->refresh_mat_view_stmt;
    struct rule_finding about = rule_about(s, stmt->relation);
    if (!stmt->concurrent)
        rule_report_at(s, &about, "readers of %.*s wait (ACCESS EXCLUSIVE) until it is filled",
                       STR_ARG(about.name));
}

static void check_refresh_concurrent(struct rule_subject *s)
{
    const PgQuery__RefreshMatViewStmt *stmt = rule_tree(s)->refresh_mat_view_stmt;
    struct rule_finding about = rule_about(s, stmt->relation);
    if (stmt->concurrent)
        rule_report_at(s, &about, "%.*s is locked EXCLUSIVE: readers go on, another refresh waits",
                       STR_ARG(about.name));
}

/* ---- locks and copies ---- */

static void check_lock(struct rule_subject *s)
{
    const PgQuery__LockStmt *stmt = rule_tree(s)->lock_stmt;
    if (stmt->mode < LOCK_SHARE || stmt->mode >= LOCK_MODE_MAX)
        return;
    for (size_t i = 0; i < stmt->n_relations; i++) {
        if (stmt->relations[i]->node_case != PG_QUERY__NODE__NODE_RANGE_VAR)
            continue;
        struct rule_finding about = rule_about(s, stmt->relations[i]->range_var);
        if (!rule_is_temporary(about.relation))
            rule_report_at(s, &about, "%.*s is locked %s until the transaction ends%s",
                           STR_ARG(about.name), lock_mode_sql((enum lock_mode)stmt->mode),
                           lock_blocks_reads((enum lock_mode)stmt->mode) ? ": nobody reads it"
                                                                         : ": nobody writes to it");
    }
}

static const PgQuery__IntoClause *into_of(const PgQuery__Node *tree)
{
    if (tree && tree->node_case == PG_QUERY__NODE__NODE_CREATE_TABLE_AS_STMT)
        return tree->create_table_as_stmt->into;
    return tree && tree->node_case == PG_QUERY__NODE__NODE_SELECT_STMT
               ? tree->select_stmt->into_clause
               : NULL;
}

static void check_table_as(struct rule_subject *s)
{
    const PgQuery__IntoClause *into = into_of(s->tree);
    if (into && !into->skip_data && s->effects->locks.count)
        rule_report(s, NULL,
                    "rows are copied in one statement: its snapshot holds back vacuum in the "
                    "whole database");
}

static void check_sequence(struct rule_subject *s)
{
    const PgQuery__AlterSeqStmt *stmt = rule_tree(s)->alter_seq_stmt;
    struct rule_finding about = rule_about(s, stmt->sequence);
    rule_report_at(s, &about, "sequence %.*s is locked SHARE ROW EXCLUSIVE: nextval() waits",
                   STR_ARG(about.name));
}

/* ---- identity, inheritance, options ---- */

static void see_identity_full(struct rule_subject *s, const struct rule_command *c)
{
    const PgQuery__Node *def = c->cmd->def;
    if (def && def->node_case == PG_QUERY__NODE__NODE_REPLICA_IDENTITY_STMT &&
        str_equal(str_of(def->replica_identity_stmt->identity_type), STR("f")))
        rule_report_at(s, &c->about,
                       "each UPDATE and DELETE of %.*s writes the whole old row to the "
                       "log, and subscribers look for it without an index",
                       STR_ARG(c->about.name));
}

static void check_identity_full(struct rule_subject *s)
{
    rule_each_command(s, PG_QUERY__ALTER_TABLE_TYPE__AT_ReplicaIdentity, see_identity_full);
}

static void see_inherit(struct rule_subject *s, const struct rule_command *c)
{
    switch (c->cmd->subtype) {
    case PG_QUERY__ALTER_TABLE_TYPE__AT_AddInherit:
    case PG_QUERY__ALTER_TABLE_TYPE__AT_DropInherit:
    case PG_QUERY__ALTER_TABLE_TYPE__AT_AddOf:
    case PG_QUERY__ALTER_TABLE_TYPE__AT_DropOf:
        rule_report_at(s, &c->about,
                       "%.*s is locked ACCESS EXCLUSIVE, and queries of its parent find "
                       "other rows",
                       STR_ARG(c->about.name));
        break;
    default:
        break;
    }
}

static void check_inherit(struct rule_subject *s)
{
    rule_each_command(s, 0, see_inherit);
}

static void see_option(struct rule_subject *s, const struct rule_command *c)
{
    bool is_view = c->stmt->objtype == PG_QUERY__OBJECT_TYPE__OBJECT_VIEW ||
                   (c->table && c->table->kind == RELATION_VIEW);
    if (is_view) /* create-view-lock */
        return;
    switch (c->cmd->subtype) {
    case PG_QUERY__ALTER_TABLE_TYPE__AT_SetRelOptions:
    case PG_QUERY__ALTER_TABLE_TYPE__AT_ResetRelOptions:
    case PG_QUERY__ALTER_TABLE_TYPE__AT_SetStatistics:
    case PG_QUERY__ALTER_TABLE_TYPE__AT_ClusterOn:
    case PG_QUERY__ALTER_TABLE_TYPE__AT_DropCluster:
    case PG_QUERY__ALTER_TABLE_TYPE__AT_SetOptions:
    case PG_QUERY__ALTER_TABLE_TYPE__AT_ResetOptions:
        rule_report_at(s, &c->about,
                       "%.*s is locked SHARE UPDATE EXCLUSIVE: reads and writes go on, "
                       "autovacuum and other DDL wait",
                       STR_ARG(c->about.name));
        break;
    default:
        break;
    }
}

static void check_option(struct rule_subject *s)
{
    rule_each_command(s, 0, see_option);
}

static const struct rule_row rows[] = {
    {
        .rule =
            {
                .id = "vacuum-full",
                .level = HAZARD_BLOCK,
                .engine = ENGINE_POSTGRES,
                .exemptions = EXEMPT_NEW | EXEMPT_EMPTY,
                .title = "VACUUM FULL copies the table under ACCESS EXCLUSIVE",
                .why = "Nobody reads or writes the table until the copy and all its indexes are "
                       "written; as much room again is needed. It refuses a transaction.",
                .fix = "Plain VACUUM gives the space to new rows. Where the file must shrink, "
                       "use pg_repack, or REPACK (CONCURRENTLY) from 19 on.",
                .example = "VACUUM FULL orders;",
                .safe = "VACUUM orders;",
                .sources = "sql-vacuum.html",
            },
        .check = check_vacuum_full,
        .node = PG_QUERY__NODE__NODE_VACUUM_STMT,
    },
    {
        .rule =
            {
                .id = "cluster-table",
                .level = HAZARD_BLOCK,
                .engine = ENGINE_POSTGRES,
                .exemptions = EXEMPT_NEW | EXEMPT_EMPTY,
                .title = "CLUSTER copies the table under ACCESS EXCLUSIVE",
                .why = "Nobody reads or writes the table until the sorted copy and all its "
                       "indexes are written. Rows that come later are not sorted.",
                .fix = "pg_repack sorts a table while it is in use; REPACK (CONCURRENTLY) does "
                       "from 19 on.",
                .example = "CLUSTER orders USING orders_pkey;",
                .sources = "sql-cluster.html",
            },
        .check = check_cluster,
        .node = PG_QUERY__NODE__NODE_CLUSTER_STMT,
    },
    {
        .rule =
            {
                .id = "set-logged-unlogged",
                .level = HAZARD_BLOCK,
                .engine = ENGINE_POSTGRES,
                .exemptions = EXEMPT_NEW | EXEMPT_EMPTY | EXEMPT_SMALL,
                .title = "SET LOGGED and SET UNLOGGED rewrite the table",
                .why = "Table and indexes are written anew under ACCESS EXCLUSIVE; SET LOGGED "
                       "writes all of it to the log as well, which every replica has to take.",
                .fix = "Decide it when the table is made. Otherwise make a second table, copy "
                       "in batches, and swap the names.",
                .example = "ALTER TABLE cache SET LOGGED;",
                .safe = "CREATE TABLE cache_2 (LIKE cache INCLUDING ALL);",
                .sources = "tablecmds.c: ATPrepChangePersistence()",
            },
        .check = check_logged,
        .node = PG_QUERY__NODE__NODE_ALTER_TABLE_STMT,
    },
    {
        .rule =
            {
                .id = "set-tablespace",
                .level = HAZARD_BLOCK,
                .engine = ENGINE_POSTGRES,
                .exemptions = EXEMPT_NEW | EXEMPT_EMPTY | EXEMPT_SMALL,
                .title = "SET TABLESPACE copies the files under ACCESS EXCLUSIVE",
                .why = "Nobody reads or writes the table, or the index, until its files are "
                       "copied.",
                .fix = "pg_repack moves a table while it is in use. Indexes: REINDEX "
                       "(TABLESPACE …, CONCURRENTLY) from 14 on.",
                .example = "ALTER TABLE orders SET TABLESPACE pg_default;",
                .safe = "REINDEX (TABLESPACE pg_default, CONCURRENTLY) INDEX orders_pkey;",
                .sources = "tablecmds.c: ATExecSetTableSpace()",
            },
        .check = check_tablespace,
    },
    {
        .rule =
            {
                .id = "set-access-method",
                .level = HAZARD_BLOCK,
                .engine = ENGINE_POSTGRES,
                .exemptions = EXEMPT_NEW | EXEMPT_EMPTY,
                .since = 15,
                .title = "SET ACCESS METHOD rewrites the table",
                .why = "Table and indexes are written anew under ACCESS EXCLUSIVE.",
                .fix = "Make a second table with the method, copy in batches, and swap the "
                       "names.",
                .example = "ALTER TABLE orders SET ACCESS METHOD heap2;",
                .safe = "CREATE TABLE orders_2 (LIKE orders INCLUDING ALL) USING heap;",
                .sources = "sql-altertable.html; tablecmds.c: ATPrepSetAccessMethod()",
            },
        .check = check_access_method,
        .node = PG_QUERY__NODE__NODE_ALTER_TABLE_STMT,
    },
    {
        .rule =
            {
                .id = "refresh-matview-blocking",
                .level = HAZARD_WARN,
                .engine = ENGINE_POSTGRES,
                .exemptions = EXEMPT_NEW,
                .title = "REFRESH MATERIALIZED VIEW makes readers wait",
                .why = "ACCESS EXCLUSIVE on the view while its query runs.",
                .fix = "REFRESH MATERIALIZED VIEW CONCURRENTLY, which needs a unique index over "
                       "columns of the view.",
                .example = "REFRESH MATERIALIZED VIEW totals;",
                .safe = "REFRESH MATERIALIZED VIEW CONCURRENTLY totals;",
                .sources = "sql-refreshmaterializedview.html",
            },
        .check = check_refresh,
        .node = PG_QUERY__NODE__NODE_REFRESH_MAT_VIEW_STMT,
    },
    {
        .rule =
            {
                .id = "refresh-matview-concurrent-lock",
                .level = HAZARD_NOTE,
                .engine = ENGINE_POSTGRES,
                .exemptions = EXEMPT_NEW,
                .title = "REFRESH … CONCURRENTLY lets readers pass, and no second refresh",
                .why = "EXCLUSIVE on the view. It compares old and new rows, which takes longer "
                       "than filling it anew. Unlike other CONCURRENTLYs it may run in a "
                       "transaction, and then keeps its lock to the end.",
                .fix = "Run it in a transaction of its own.",
                .example = "REFRESH MATERIALIZED VIEW CONCURRENTLY totals;",
                .sources = "matview.c: ExecRefreshMatView()",
            },
        .check = check_refresh_concurrent,
        .node = PG_QUERY__NODE__NODE_REFRESH_MAT_VIEW_STMT,
    },
    {
        .rule =
            {
                .id = "lock-table-explicit",
                .level = HAZARD_WARN,
                .engine = ENGINE_POSTGRES,
                .exemptions = EXEMPT_NEW,
                .title = "LOCK TABLE holds others up until the transaction ends",
                .why = "SHARE and stronger make writers wait, ACCESS EXCLUSIVE (what LOCK TABLE "
                       "takes when no mode is said) readers as well.",
                .fix = "Set a short lock_timeout in front of it, or say NOWAIT, and let it be "
                       "the last thing before COMMIT.",
                .example = "LOCK TABLE orders IN SHARE MODE;",
                .safe = "SET LOCAL lock_timeout TO '400ms';\n"
                        "LOCK TABLE orders IN SHARE ROW EXCLUSIVE MODE;",
                .sources = "sql-lock.html",
            },
        .check = check_lock,
        .node = PG_QUERY__NODE__NODE_LOCK_STMT,
    },
    {
        .rule =
            {
                .id = "create-table-as",
                .level = HAZARD_NOTE,
                .engine = ENGINE_POSTGRES,
                .title = "a large copy in one statement is a long transaction",
                .why = "No lock stops anybody, but vacuum cannot remove rows that died since it "
                       "began, in no table of the database.",
                .fix = "Make the table empty, copy in batches by the key.",
                .example = "CREATE TABLE orders_copy AS SELECT * FROM orders;",
                .safe = "CREATE TABLE orders_copy AS SELECT * FROM orders WITH NO DATA;",
                .sources = "sql-createtableas.html; routine-vacuuming.html",
            },
        .check = check_table_as,
    },
    {
        .rule =
            {
                .id = "alter-sequence-lock",
                .level = HAZARD_NOTE,
                .engine = ENGINE_POSTGRES,
                .exemptions = EXEMPT_NEW,
                .title = "ALTER SEQUENCE makes nextval() wait",
                .why = "SHARE ROW EXCLUSIVE on the sequence until the transaction ends: every "
                       "INSERT that takes a number waits.",
                .fix = "Let it be the last statement of its transaction, with a short "
                       "lock_timeout.",
                .example = "ALTER SEQUENCE invoice_number CACHE 50;",
                .sources = "sql-altersequence.html",
            },
        .check = check_sequence,
        .node = PG_QUERY__NODE__NODE_ALTER_SEQ_STMT,
    },
    {
        .rule =
            {
                .id = "replica-identity-full",
                .level = HAZARD_WARN,
                .engine = ENGINE_POSTGRES,
                .exemptions = EXEMPT_NEW,
                .title = "REPLICA IDENTITY FULL makes every change write its whole old row",
                .why = "The log grows with the width of the rows, and a subscriber reads the "
                       "whole table to find one.",
                .fix = "Give the table a key, or REPLICA IDENTITY USING INDEX over NOT NULL "
                       "columns.",
                .example = "ALTER TABLE orders REPLICA IDENTITY FULL;",
                .safe = "ALTER TABLE orders REPLICA IDENTITY USING INDEX orders_pkey;",
                .sources = "logical-replication-publication.html",
            },
        .check = check_identity_full,
        .node = PG_QUERY__NODE__NODE_ALTER_TABLE_STMT,
    },
    {
        .rule =
            {
                .id = "inherit-change",
                .level = HAZARD_WARN,
                .engine = ENGINE_POSTGRES,
                .exemptions = EXEMPT_NEW,
                .title = "INHERIT and NO INHERIT change what queries of the parent find",
                .why = "ACCESS EXCLUSIVE on the child; its rows appear in, or vanish from, "
                       "every query of the parent.",
                .fix = "Do it in a transaction of its own, with a short lock_timeout.",
                .example = "ALTER TABLE logs_2020 INHERIT logs;",
                .sources = "sql-altertable.html",
            },
        .check = check_inherit,
        .node = PG_QUERY__NODE__NODE_ALTER_TABLE_STMT,
    },
    {
        .rule =
            {
                .id = "table-option-change",
                .level = HAZARD_NOTE,
                .engine = ENGINE_POSTGRES,
                .exemptions = EXEMPT_NEW,
                .title = "options of a table change under a weak lock",
                .why = "SHARE UPDATE EXCLUSIVE: queries go on. It conflicts with VACUUM, "
                       "ANALYZE, CREATE INDEX CONCURRENTLY and other DDL of the table; "
                       "autovacuum gives way, unless it prevents a wraparound.",
                .fix = "Nothing needs to be done.",
                .example = "ALTER TABLE orders SET (autovacuum_vacuum_scale_factor = 0.01);",
                .sources = "sql-altertable.html; tablecmds.c: AlterTableGetRelOptionsLockLevel()",
            },
        .check = check_option,
        .node = PG_QUERY__NODE__NODE_ALTER_TABLE_STMT,
    },
};
const struct rule_table rules_table = {rows, ARRAY_LEN(rows)};
