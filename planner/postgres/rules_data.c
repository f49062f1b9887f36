/* Rules about rows: TRUNCATE, DELETE, UPDATE, MERGE and what is copied. */
#include "planner/postgres/rules_support.h"

static void each_truncated(struct rule_subject *s, bool is_cascade)
{
    const PgQuery__TruncateStmt *stmt = rule_tree(s)->truncate_stmt;
    if (is_cascade && !rule_cascades(stmt->behavior))
        return;
    size_t more = 0;
    for (size_t i = 0; i < s->effects->losses.count; i++)
        more += s->effects->losses.at[i].kind == LOSS_DATA && !s->effects->losses.at[i].is_named;
    for (size_t i = 0; i < stmt->n_relations; i++) {
        if (stmt->relations[i]->node_case != PG_QUERY__NODE__NODE_RANGE_VAR)
            continue;
        struct rule_finding about = rule_about(s, stmt->relations[i]->range_var);
        if (rule_is_temporary(about.relation))
            continue;
        if (!is_cascade)
            rule_report_at(s, &about, "all rows of %.*s are lost%s", STR_ARG(about.name),
                           rule_rows_text(s, about.relation));
        else
            rule_report_at(s, &about, "every table with a foreign key to %.*s is emptied too%s",
                           STR_ARG(about.name),
                           more ? arena_printf(s->a, " (%zu here)", more) : "");
    }
}

static void check_truncate(struct rule_subject *s)
{
    each_truncated(s, false);
}

static void check_truncate_cascade(struct rule_subject *s)
{
    each_truncated(s, true);
}

/* ---- DELETE and UPDATE, also within WITH ---- */

struct dml_search {
    struct rule_subject *s;
    bool is_delete;
    bool is_any_where; /* with or without WHERE */
};

static void report_unrestricted(const struct dml_search *d, const PgQuery__RangeVar *name)
{
    struct rule_finding about = rule_about(d->s, name);
    if (rule_is_temporary(about.relation))
        return;
    rule_report_at(d->s, &about,
                   d->is_delete ? "every row of %.*s is deleted%s"
                                : "every row of %.*s is written anew%s",
                   STR_ARG(about.name), rule_rows_text(d->s, about.relation));
}

static bool look_unrestricted(void *context, const ProtobufCMessage *message)
{
    const struct dml_search *d = context;
    if (d->is_delete && message->descriptor == &pg_query__delete_stmt__descriptor) {
        const PgQuery__DeleteStmt *stmt = (const PgQuery__DeleteStmt *)message;
        if (!stmt->n_using_clause && rule_is_always_true(stmt->where_clause))
            report_unrestricted(d, stmt->relation);
    } else if (!d->is_delete && message->descriptor == &pg_query__update_stmt__descriptor) {
        const PgQuery__UpdateStmt *stmt = (const PgQuery__UpdateStmt *)message;
        if (!stmt->n_from_clause && rule_is_always_true(stmt->where_clause))
            report_unrestricted(d, stmt->relation);
    }
    return false;
}

/* Statements that only define something that runs later are left out. */
static bool runs_now(const PgQuery__Node *tree)
{
    switch (tree->node_case) {
    case PG_QUERY__NODE__NODE_INSERT_STMT:
    case PG_QUERY__NODE__NODE_UPDATE_STMT:
    case PG_QUERY__NODE__NODE_DELETE_STMT:
    case PG_QUERY__NODE__NODE_SELECT_STMT:
    case PG_QUERY__NODE__NODE_MERGE_STMT:
    case PG_QUERY__NODE__NODE_CREATE_TABLE_AS_STMT:
        return true;
    default:
        return false;
    }
}

static void check_delete(struct rule_subject *s)
{
    struct dml_search d = {.s = s, .is_delete = true};
    if (s->tree && runs_now(s->tree))
        (void)parse_tree_visit(&rule_tree(s)->base, look_unrestricted, &d);
}

static void check_update(struct rule_subject *s)
{
    struct dml_search d = {.s = s};
    if (s->tree && runs_now(s->tree))
        (void)parse_tree_visit(&rule_tree(s)->base, look_unrestricted, &d);
}

static void check_merge(struct rule_subject *s)
{
    const PgQuery__Node *tree = s->tree;
    if (!tree)
        return;
    const PgQuery__RangeVar *target = NULL;
    if (tree->node_case == PG_QUERY__NODE__NODE_MERGE_STMT && tree->merge_stmt->source_relation &&
        tree->merge_stmt->source_relation->node_case == PG_QUERY__NODE__NODE_RANGE_VAR)
        target = tree->merge_stmt->relation;
    else if (tree->node_case == PG_QUERY__NODE__NODE_UPDATE_STMT &&
             tree->update_stmt->n_from_clause &&
             rule_is_always_true(tree->update_stmt->where_clause))
        target = tree->update_stmt->relation;
    else if (tree->node_case == PG_QUERY__NODE__NODE_DELETE_STMT &&
             tree->delete_stmt->n_using_clause &&
             rule_is_always_true(tree->delete_stmt->where_clause))
        target = tree->delete_stmt->relation;
    if (!target)
        return;
    struct rule_finding about = rule_about(s, target);
    if (!rule_is_temporary(about.relation))
        rule_report_at(s, &about, "any number of rows of %.*s is changed in one statement%s",
                       STR_ARG(about.name), rule_rows_text(s, about.relation));
}

/* ---- rows of tables that are older than the file ---- */

static const PgQuery__RangeVar *dml_target(const PgQuery__Node *tree)
{
    switch (tree->node_case) {
    case PG_QUERY__NODE__NODE_INSERT_STMT:
        return tree->insert_stmt->relation;
    case PG_QUERY__NODE__NODE_UPDATE_STMT:
        return tree->update_stmt->relation;
    case PG_QUERY__NODE__NODE_DELETE_STMT:
        return tree->delete_stmt->relation;
    case PG_QUERY__NODE__NODE_MERGE_STMT:
        return tree->merge_stmt->relation;
    default:
        return NULL;
    }
}

static const PgQuery__Node *where_of(const PgQuery__Node *tree)
{
    switch (tree->node_case) {
    case PG_QUERY__NODE__NODE_UPDATE_STMT:
        return tree->update_stmt->where_clause;
    case PG_QUERY__NODE__NODE_DELETE_STMT:
        return tree->delete_stmt->where_clause;
    default:
        return NULL;
    }
}

static bool is_old_target(const struct rule_subject *s, struct rule_finding *out)
{
    const PgQuery__RangeVar *target = s->tree ? dml_target(s->tree) : NULL;
    if (!target || rule_is_never_true(where_of(s->tree)))
        return false;
    *out = rule_about(s, target);
    return !rule_is_new(s, out->relation) && !rule_is_temporary(out->relation);
}

static bool runs_in_batches(const struct rule_subject *s)
{
    return s->statement && s->statement->ranged;
}

static void check_dml(struct rule_subject *s)
{
    struct rule_finding about;
    if (is_old_target(s, &about) &&
        !file_state_find(rule_state(s), NOTED_WRITTEN, about.name, (struct str){0})) /* said once */
        rule_report_at(s, &about, "rows of %.*s, which is in use, are changed by the migration%s",
                       STR_ARG(about.name), rule_rows_text(s, about.relation));
}

static void check_many_rows(struct rule_subject *s)
{
    enum { MANY = 100000 };
    struct rule_finding about;
    bool changes = s->tree && rule_tree(s)->node_case != PG_QUERY__NODE__NODE_INSERT_STMT;
    if (!changes || !is_old_target(s, &about) || !about.relation || runs_in_batches(s))
        return;
    const struct effect_object *scan = rule_scan(s, about.name);
    const PgQuery__Node *tree = rule_tree(s);
    bool is_all = (tree->node_case == PG_QUERY__NODE__NODE_UPDATE_STMT &&
                   rule_is_always_true(tree->update_stmt->where_clause)) ||
                  (tree->node_case == PG_QUERY__NODE__NODE_DELETE_STMT &&
                   rule_is_always_true(tree->delete_stmt->where_clause));
    if (about.relation->row_estimate >= MANY && (scan || is_all))
        rule_report_at(s, &about,
                       "%.*s has about %.0f rows; up to all of them are changed in one "
                       "transaction",
                       STR_ARG(about.name), about.relation->row_estimate);
}

/* WHERE with an equality of a column that is unique: a few rows at most. */
struct key_search {
    const struct catalog_relation *table;
    bool is_found;
};

static bool is_unique_column(const struct catalog_relation *table, struct str name)
{
    for (size_t i = 0; i < table->indexes.count; i++) {
        const struct catalog_relation *index = table->indexes.at[i];
        if (!index->is_dropped && index->index->is_unique && index->index->keys.count == 1 &&
            index->index->keys.at[0].column &&
            str_equal(index->index->keys.at[0].column->name, name))
            return true;
    }
    return false;
}

static struct str column_name(const PgQuery__Node *n)
{
    if (!n || n->node_case != PG_QUERY__NODE__NODE_COLUMN_REF || !n->column_ref->n_fields)
        return (struct str){0};
    return rule_string(n->column_ref->fields[n->column_ref->n_fields - 1]);
}

static bool look_for_key(void *context, const ProtobufCMessage *message)
{
    struct key_search *k = context;
    if (message->descriptor != &pg_query__a__expr__descriptor)
        return false;
    const PgQuery__AExpr *e = (const PgQuery__AExpr *)message;
    bool is_range = e->kind == PG_QUERY__A__EXPR__KIND__AEXPR_BETWEEN;
    bool is_equal = e->n_name == 1 &&
                    (e->kind == PG_QUERY__A__EXPR__KIND__AEXPR_OP ||
                     e->kind == PG_QUERY__A__EXPR__KIND__AEXPR_IN) &&
                    str_equal(rule_string(e->name[0]), STR("="));
    struct str name = column_name(e->lexpr);
    if ((is_range || is_equal) && name.len &&
        (!k->table || is_unique_column(k->table, name) || is_range))
        k->is_found = k->table != NULL || str_equal(name, STR("id")) || is_range;
    return k->is_found;
}

static void check_unbatched(struct rule_subject *s)
{
    struct rule_finding about;
    const PgQuery__Node *tree = s->tree;
    if (!tree || !is_old_target(s, &about) || runs_in_batches(s))
        return;
    bool is_dml = tree->node_case == PG_QUERY__NODE__NODE_UPDATE_STMT ||
                  tree->node_case == PG_QUERY__NODE__NODE_DELETE_STMT;
    const PgQuery__Node *where = is_dml ? where_of(tree) : NULL;
    if (!is_dml || rule_is_always_true(where)) /* others speak of that */
        return;
    struct key_search k = {.table = about.relation};
    (void)parse_tree_visit(&where->base, look_for_key, &k);
    if (!k.is_found)
        rule_report_at(s, &about, "one statement changes rows of %.*s without a bound%s",
                       STR_ARG(about.name), rule_rows_text(s, about.relation));
}

static void check_backup(struct rule_subject *s)
{
    struct rule_finding about;
    bool changes = s->tree && rule_tree(s)->node_case != PG_QUERY__NODE__NODE_INSERT_STMT;
    if (changes && is_old_target(s, &about) &&
        !file_state_find(rule_state(s), NOTED_COPIED, about.name, (struct str){0}))
        rule_report_at(s, &about, "rows of %.*s are changed and no copy of them is kept",
                       STR_ARG(about.name));
}

static const struct rule_row rows[] = {
    {
        .rule =
            {
                .id = "truncate",
                .level = HAZARD_BLOCK,
                .engine = ENGINE_POSTGRES,
                .exemptions = EXEMPT_NEW,
                .title = "TRUNCATE throws all rows away",
                .why = "The table gets new, empty storage under ACCESS EXCLUSIVE. Row triggers "
                       "do not see it, and transactions with an older snapshot find the table "
                       "empty as well.",
                .fix = "DELETE in batches, or drop a partition. Where everything shall go, "
                       "allow it with a reason.",
                .example = "TRUNCATE sessions;",
                .safe =
                    "-- in batches, outside of the migration that changes the schema\n"
                    "DELETE FROM sessions WHERE id IN (SELECT id FROM sessions ORDER BY id LIMIT "
                    "5000);",
                .sources = "sql-truncate.html",
            },
        .check = check_truncate,
        .node = PG_QUERY__NODE__NODE_TRUNCATE_STMT,
    },
    {
        .rule =
            {
                .id = "truncate-cascade",
                .level = HAZARD_BLOCK,
                .engine = ENGINE_POSTGRES,
                .title = "TRUNCATE … CASCADE empties every table that refers to it",
                .why = "All tables with a foreign key to a named one are emptied, and those "
                       "that refer to them, whatever ON DELETE says. Each is locked ACCESS "
                       "EXCLUSIVE.",
                .fix = "List the tables in one TRUNCATE, without CASCADE: the statement then "
                       "fails where one was forgotten.",
                .example = "TRUNCATE users CASCADE;",
                .safe = "TRUNCATE users, logins;",
                .sources = "sql-truncate.html; tablecmds.c: ExecuteTruncate()",
            },
        .check = check_truncate_cascade,
        .node = PG_QUERY__NODE__NODE_TRUNCATE_STMT,
    },
    {
        .rule =
            {
                .id = "delete-without-where",
                .level = HAZARD_BLOCK,
                .engine = ENGINE_POSTGRES,
                .exemptions = EXEMPT_NEW,
                .title = "DELETE without WHERE removes every row",
                .why = "Each row is locked until the transaction ends, foreign keys and "
                       "triggers run once for each, and the table keeps its size until it is "
                       "vacuumed. Who forgot the condition notices too late.",
                .fix = "Write the condition. Where all rows shall go, TRUNCATE is quicker; "
                       "where the table is in use, delete in batches.",
                .example = "DELETE FROM carts;",
                .safe = "DELETE FROM carts WHERE at < '2020-01-01' AND id BETWEEN 1 AND 5000;",
                .sources = "sql-delete.html",
            },
        .check = check_delete,
    },
    {
        .rule =
            {
                .id = "update-without-where",
                .level = HAZARD_BLOCK,
                .engine = ENGINE_POSTGRES,
                .exemptions = EXEMPT_NEW,
                .title = "UPDATE without WHERE writes every row anew",
                .why = "All rows stay locked until the transaction ends, the table and its "
                       "indexes grow to twice their size, and replicas and WAL archives get all "
                       "of it. The longer it takes, the more of the application waits.",
                .fix = "Update in batches by the key, each in its own transaction, outside of "
                       "the migration that changes the schema.",
                .example = "UPDATE carts SET currency = 'EUR';",
                .safe = "UPDATE carts SET currency = 'EUR' WHERE currency IS NULL AND id BETWEEN "
                        "1 AND 5000;",
                .sources = "sql-update.html; routine-vacuuming.html",
            },
        .check = check_update,
    },
    {
        .rule =
            {
                .id = "merge-unrestricted",
                .level = HAZARD_WARN,
                .engine = ENGINE_POSTGRES,
                .exemptions = EXEMPT_NEW,
                .title = "MERGE, or UPDATE … FROM, over a whole table changes any number of rows",
                .why = "How many rows it touches is decided by the other table. All of them "
                       "stay locked until the transaction ends.",
                .fix = "Take the source in pieces by its key, each in a transaction of its own.",
                .example = "MERGE INTO stock USING counted ON stock.id = counted.id WHEN MATCHED "
                           "THEN UPDATE SET n = counted.n;",
                .safe = "UPDATE stock SET n = counted.n FROM counted WHERE counted.id = stock.id "
                        "AND stock.id BETWEEN 1 AND 5000;",
                .sources = "sql-merge.html",
            },
        .check = check_merge,
    },
    {
        .rule =
            {
                .id = "dml-on-existing-table",
                .level = HAZARD_NOTE,
                .engine = ENGINE_POSTGRES,
                .title = "a migration changes rows of a table that is in use",
                .why = "How long it takes and how much it locks depends on rows that are not in "
                       "the file. Together with schema changes in one transaction, their locks "
                       "are held just as long.",
                .fix = "Keep changes of data in a migration of their own; in batches, where "
                       "there may be many.",
                .example = "INSERT INTO plans (id, name) VALUES (7, 'team');",
                .sources = "sql-insert.html",
            },
        .check = check_dml,
    },
    {
        .rule =
            {
                .id = "dml-affects-many-rows",
                .level = HAZARD_WARN,
                .engine = ENGINE_POSTGRES,
                .title = "a statement changes more rows than one transaction should",
                .why = "The statistics of the target say that the table has a hundred thousand "
                       "rows or more, and nothing in the statement limits it to a part of them.",
                .fix = "Change them in batches by the key, and let vacuum follow.",
                .example = "UPDATE hits SET n = 0 WHERE n IS NULL;",
                .safe = "UPDATE hits SET n = 0 WHERE id = 7;",
                .sources = "sql-update.html; catalog-pg-class.html (reltuples)",
            },
        .check = check_many_rows,
    },
    {
        .rule =
            {
                .id = "unbatched-backfill",
                .level = HAZARD_WARN,
                .engine = ENGINE_POSTGRES,
                .exemptions = EXEMPT_NEW,
                .title = "one statement over many rows is a long transaction",
                .why = "Row locks, dead rows and replication lag grow with the number of rows, "
                       "and a failure at the end undoes all of it.",
                .fix = "Give it a bound: WHERE key BETWEEN … AND …, or a sub-select with LIMIT. "
                       "Commit each batch, and pause between them.",
                .example = "UPDATE people SET lower_name = lower(name) WHERE lower_name IS NULL;",
                .safe = "UPDATE people SET lower_name = lower(name) WHERE id BETWEEN 1 AND 5000;",
                .sources = "sql-update.html",
            },
        .check = check_unbatched,
    },
    {
        .rule =
            {
                .id = "missing-backup",
                .level = HAZARD_OFF,
                .engine = ENGINE_POSTGRES,
                .exemptions = EXEMPT_NEW,
                .title = "rows are changed and no copy is kept",
                .why = "When the change turns out to be wrong, only a restore of the whole "
                       "database brings the old values back.",
                .fix = "Keep what will change in a table of its own first: CREATE TABLE "
                       "carts_before AS SELECT …, and drop it some releases later.",
                .example = "UPDATE carts SET currency = 'EUR' WHERE id = 7;",
                .safe =
                    "CREATE TABLE carts_before AS SELECT id, currency FROM carts WHERE id = 7;\n"
                    "UPDATE carts SET currency = 'EUR' WHERE id = 7;",
                .sources = "sql-createtableas.html",
            },
        .check = check_backup,
    },
};
const struct rule_table rules_data = {rows, ARRAY_LEN(rows)};
