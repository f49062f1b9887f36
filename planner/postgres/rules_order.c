/* Rules about the order of statements: repeated work, validation and changes of rows in the wrong place. */
#include "planner/postgres/rules_support.h"

static void check_repeated(struct rule_subject *s)
{
    for (size_t i = 0; i < s->effects->rewrites.count; i++) {
        const struct effect_object *rewrite = &s->effects->rewrites.at[i];
        const struct noted *before =
            file_state_find(rule_state(s), NOTED_REWRITE, rewrite->relation, (struct str){0});
        if (before && !rule_is_new(s, rewrite->object))
            rule_report(s, rewrite->object, "%.*s is rewritten again, after line %u has done so",
                        STR_ARG(rewrite->relation), before->line);
    }
}

static bool is_validation_pair(const struct rule_subject *s)
{
    const PgQuery__AlterTableStmt *stmt = rule_tree(s)->alter_table_stmt;
    for (size_t i = 0; i < stmt->n_cmds; i++) {
        const PgQuery__Node *n = stmt->cmds[i];
        if (n->node_case != PG_QUERY__NODE__NODE_ALTER_TABLE_CMD)
            continue;
        const PgQuery__AlterTableCmd *cmd = n->alter_table_cmd;
        bool is_not_valid = cmd->def && cmd->def->node_case == PG_QUERY__NODE__NODE_CONSTRAINT &&
                            cmd->def->constraint->skip_validation;
        if (cmd->subtype == PG_QUERY__ALTER_TABLE_TYPE__AT_ValidateConstraint || is_not_valid)
            return true;
    }
    return false;
}

static void check_multiple(struct rule_subject *s)
{
    struct rule_finding about = rule_about(s, rule_tree(s)->alter_table_stmt->relation);
    const struct file_state *state = rule_state(s);
    const struct noted *before = file_state_find(state, NOTED_ALTER, about.name, (struct str){0});
    if (!before || before->statement + 1 != s->file->statements || is_validation_pair(s) ||
        s->statement->role == ROLE_ALONE)
        return;
    for (size_t i = state->all.count; i > 0; i--) {
        const struct noted *one = &state->all.at[i - 1];
        if (one->statement < before->statement)
            break;
        bool is_validation = one->kind == NOTED_NOT_VALID || one->kind == NOTED_VALIDATED;
        if (one->statement == before->statement && is_validation)
            return;
    }
    rule_report_at(s, &about, "line %u alters %.*s as well: one ALTER TABLE would lock it once",
                   before->line, STR_ARG(about.name));
}

/* ---- VALIDATE ---- */

static const struct noted *added_here(const struct rule_subject *s, const struct rule_command *c)
{
    const struct noted *one =
        file_state_find(rule_state(s), NOTED_NOT_VALID, c->about.name, str_of(c->cmd->name));
    return one && one->is_in_transaction ? one : NULL;
}

static void see_validate(struct rule_subject *s, const struct rule_command *c)
{
    const struct noted *one = added_here(s, c);
    if (one && !rule_is_new(s, c->table))
        rule_report_at(s, &c->about,
                       "%s was added in line %u of the same transaction: its lock is held "
                       "through the scan, and NOT VALID has gained nothing",
                       c->cmd->name, one->line);
}

static void check_validate(struct rule_subject *s)
{
    rule_each_command(s, PG_QUERY__ALTER_TABLE_TYPE__AT_ValidateConstraint, see_validate);
}

static void see_validate_locked(struct rule_subject *s, const struct rule_command *c)
{
    const struct held_lock *held = rule_held_lock(s, LOCK_SHARE);
    if (held && !added_here(s, c) && !rule_is_new(s, c->table))
        rule_report_at(s, &c->about, "%.*s is read in full while %.*s is locked %s since line %u",
                       STR_ARG(c->about.name), STR_ARG(held->relation), lock_mode_sql(held->mode),
                       held->line);
}

static void check_validate_locked(struct rule_subject *s)
{
    if (!s->tree)
        return;
    rule_each_command(s, PG_QUERY__ALTER_TABLE_TYPE__AT_ValidateConstraint, see_validate_locked);
    const struct held_lock *held = rule_held_lock(s, LOCK_SHARE);
    bool reads = rule_tree(s)->node_case == PG_QUERY__NODE__NODE_SELECT_STMT ||
                 rule_tree(s)->node_case == PG_QUERY__NODE__NODE_CREATE_TABLE_AS_STMT ||
                 rule_tree(s)->node_case == PG_QUERY__NODE__NODE_REFRESH_MAT_VIEW_STMT;
    for (size_t i = 0; held && reads && i < s->effects->scans.count; i++) {
        const struct effect_object *scan = &s->effects->scans.at[i];
        if (rule_is_new(s, scan->object))
            continue;
        rule_report(s, scan->object, "%.*s is read in full while %.*s is locked %s since line %u",
                    STR_ARG(scan->relation), STR_ARG(held->relation), lock_mode_sql(held->mode),
                    held->line);
        return;
    }
}

/* ---- rows ---- */

static const PgQuery__RangeVar *changed_table(const PgQuery__Node *tree)
{
    switch (tree->node_case) {
    case PG_QUERY__NODE__NODE_INSERT_STMT: {
        const PgQuery__Node *from = tree->insert_stmt->select_stmt;
        bool is_select = from && from->node_case == PG_QUERY__NODE__NODE_SELECT_STMT &&
                         from->select_stmt->n_from_clause;
        return is_select ? tree->insert_stmt->relation : NULL;
    }
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

static void check_backfill(struct rule_subject *s)
{
    const PgQuery__RangeVar *target = s->tree ? changed_table(s->tree) : NULL;
    const struct held_lock *held = rule_held_lock(s, LOCK_SHARE);
    if (!target || !held)
        return;
    struct rule_finding about = rule_about(s, target);
    if (!rule_is_new(s, about.relation) && !rule_is_temporary(about.relation))
        rule_report_at(s, &about,
                       "rows of %.*s%s are changed while %.*s is locked %s since line %u",
                       STR_ARG(about.name), rule_rows_text(s, about.relation),
                       STR_ARG(held->relation), lock_mode_sql(held->mode), held->line);
}

/* Whether a write to it leaves something to be checked at COMMIT. */
static bool has_deferred(const struct catalog_relation *r)
{
    for (size_t i = 0; i < r->constraints.count; i++) {
        const struct catalog_constraint *k = r->constraints.at[i];
        if (!k->is_dropped && k->is_deferred &&
            (k->kind == CONSTRAINT_FOREIGN_KEY || k->kind == CONSTRAINT_TRIGGER ||
             k->kind == CONSTRAINT_UNIQUE || k->kind == CONSTRAINT_PRIMARY_KEY))
            return true;
    }
    for (size_t i = 0; i < r->referencing.count; i++) {
        const struct catalog_constraint *k = r->referencing.at[i];
        if (!k->is_dropped && k->is_deferred)
            return true;
    }
    return false;
}

static void check_pending(struct rule_subject *s)
{
    struct file_state *state = rule_state(s);
    struct rule_finding about = rule_about(s, rule_tree(s)->alter_table_stmt->relation);
    if (!about.relation || state->are_triggers_checked || !has_deferred(about.relation))
        return;
    const struct noted *written =
        file_state_find(state, NOTED_WRITTEN, about.name, (struct str){0});
    if (written && written->is_in_transaction)
        rule_report_at(s, &about,
                       "rows of %.*s were changed in line %u, and a deferred constraint waits "
                       "for COMMIT: the server refuses to alter it (\"pending trigger events\")",
                       STR_ARG(about.name), written->line);
}

static void end_mixed(struct rule_subject *s)
{
    const struct file_state *state = rule_state(s);
    if (state->dml_line && state->ddl_line)
        rule_report_line(
            s, state->dml_line > state->ddl_line ? state->dml_line : state->ddl_line, NULL,
            "the file changes tables (line %u) and rows (line %u) that were there before",
            state->ddl_line, state->dml_line);
}

static const struct rule_row rows[] = {
    {
        .rule =
            {
                .id = "repeated-rewrite",
                .level = HAZARD_WARN,
                .engine = ENGINE_POSTGRES,
                .exemptions = EXEMPT_NEW | EXEMPT_EMPTY,
                .title = "a table is rewritten more than once",
                .why = "Every rewriting statement copies the table and builds its indexes "
                       "again. Several actions of one ALTER TABLE share one copy.",
                .fix = "Put the actions into one ALTER TABLE, separated by commas.",
                .example = "ALTER TABLE orders ALTER COLUMN id TYPE bigint;\n"
                           "ALTER TABLE orders ALTER COLUMN total TYPE bigint;",
                .safe = "ALTER TABLE orders ALTER COLUMN id TYPE bigint, ALTER COLUMN total TYPE "
                        "bigint;",
                .sources = "tablecmds.c: ATRewriteTables()",
            },
        .check = check_repeated,
    },
    {
        .rule =
            {
                .id = "multiple-alter-table",
                .level = HAZARD_NOTE,
                .engine = ENGINE_POSTGRES,
                .exemptions = EXEMPT_NEW,
                .title = "several ALTER TABLE of one table could be one",
                .why = "Each statement looks the table up, waits in the queue for its lock "
                       "where it has not got it yet, and reads the table once more where it "
                       "must.",
                .fix = "Put the actions into one ALTER TABLE, separated by commas; but NOT "
                       "VALID and VALIDATE must stay apart.",
                .example = "ALTER TABLE orders ADD COLUMN a int;\n"
                           "ALTER TABLE orders ADD COLUMN b int;",
                .safe = "ALTER TABLE orders ADD COLUMN a int, ADD COLUMN b int;",
                .sources = "sql-altertable.html",
            },
        .check = check_multiple,
        .node = PG_QUERY__NODE__NODE_ALTER_TABLE_STMT,
    },
    {
        .rule =
            {
                .id = "validate-in-same-transaction",
                .level = HAZARD_BLOCK,
                .engine = ENGINE_POSTGRES,
                .title = "NOT VALID and VALIDATE in one transaction gain nothing",
                .why = "The strong lock of ADD CONSTRAINT is held until COMMIT, so the scan of "
                       "VALIDATE runs under it, as if NOT VALID had been left out.",
                .fix = "COMMIT between them: two transactions, or two migrations.",
                .example = "ALTER TABLE orders ADD CONSTRAINT total_positive CHECK (total > 0) NOT "
                           "VALID;\n"
                           "ALTER TABLE orders VALIDATE CONSTRAINT total_positive;",
                .safe = "BEGIN;\n"
                        "ALTER TABLE orders ADD CONSTRAINT total_positive CHECK (total > 0) NOT "
                        "VALID;\n"
                        "COMMIT;\n"
                        "ALTER TABLE orders VALIDATE CONSTRAINT total_positive;",
                .sources = "sql-altertable.html; explicit-locking.html",
            },
        .check = check_validate,
        .node = PG_QUERY__NODE__NODE_ALTER_TABLE_STMT,
    },
    {
        .rule =
            {
                .id = "validate-while-locked",
                .level = HAZARD_BLOCK,
                .engine = ENGINE_POSTGRES,
                .title = "a table is read in full while a strong lock is held",
                .why = "The scan is harmless on its own, but a lock that an earlier statement "
                       "of the transaction took is held all the time.",
                .fix = "COMMIT in front of it.",
                .example = "ALTER TABLE users ADD COLUMN a int;\n"
                           "ALTER TABLE orders VALIDATE CONSTRAINT total_positive;",
                .safe = "BEGIN;\n"
                        "ALTER TABLE users ADD COLUMN a int;\n"
                        "COMMIT;\n"
                        "ALTER TABLE orders VALIDATE CONSTRAINT total_positive;",
                .sources = "explicit-locking.html",
            },
        .check = check_validate_locked,
    },
    {
        .rule =
            {
                .id = "backfill-in-ddl-transaction",
                .level = HAZARD_BLOCK,
                .engine = ENGINE_POSTGRES,
                .title = "rows are changed while a table is locked by DDL",
                .why = "The lock of the DDL is held until the last row is written: readers, or "
                       "writers, of that table wait all the time.",
                .fix = "Put the change of rows into a migration of its own, in batches.",
                .example = "ALTER TABLE users ADD COLUMN lower_name text;\n"
                           "UPDATE users SET lower_name = lower(name) WHERE id BETWEEN 1 AND 1000;",
                .safe = "BEGIN;\n"
                        "ALTER TABLE users ADD COLUMN lower_name text;\n"
                        "COMMIT;\n"
                        "UPDATE users SET lower_name = lower(name) WHERE id BETWEEN 1 AND 1000;",
                .sources = "explicit-locking.html",
            },
        .check = check_backfill,
    },
    {
        .rule =
            {
                .id = "pending-trigger-events",
                .level = HAZARD_BLOCK,
                .engine = ENGINE_POSTGRES,
                .title = "a table with deferred checks pending cannot be altered",
                .why = "A write to a table with an INITIALLY DEFERRED constraint leaves a check "
                       "for COMMIT; until then ALTER TABLE fails: \"cannot ALTER TABLE because "
                       "it has pending trigger events\". An empty table never shows it.",
                .fix = "SET CONSTRAINTS ALL IMMEDIATE between them, or COMMIT.",
                .example = "INSERT INTO users (id) VALUES (1);\n"
                           "INSERT INTO orders (id, user_id) VALUES (1, 1);\n"
                           "ALTER TABLE orders ADD COLUMN note text;",
                .safe = "INSERT INTO users (id) VALUES (1);\n"
                        "INSERT INTO orders (id, user_id) VALUES (1, 1);\n"
                        "SET CONSTRAINTS ALL IMMEDIATE;\n"
                        "ALTER TABLE orders ADD COLUMN note text;",
                .sources = "tablecmds.c: CheckTableNotInUse()",
            },
        .check = check_pending,
        .node = PG_QUERY__NODE__NODE_ALTER_TABLE_STMT,
    },
    {
        .rule =
            {
                .id = "ddl-dml-mixed",
                .level = HAZARD_OFF,
                .engine = ENGINE_POSTGRES,
                .title = "one file changes tables and rows",
                .why = "The two have different risks: DDL locks, DML takes long. When one "
                       "fails, the other is undone with it.",
                .fix = "One file for the schema, one for the rows.",
                .example = "ALTER TABLE users ADD COLUMN city text;\n"
                           "UPDATE users SET name = 'x' WHERE id = 1;",
                .safe = "ALTER TABLE users ADD COLUMN city text;",
                .sources = "explicit-locking.html",
            },
        .check_end = end_mixed,
    },
};
const struct rule_table rules_order = {rows, ARRAY_LEN(rows)};
