/* Rules about triggers, rules, policies, views and extensions. */
#include "planner/postgres/rules_support.h"

static void check_create_trigger(struct rule_subject *s)
{
    const PgQuery__CreateTrigStmt *stmt = rule_tree(s)->create_trig_stmt;
    struct rule_finding about = rule_about(s, stmt->relation);
    if (!rule_is_temporary(about.relation))
        rule_report_at(s, &about, "writers of %.*s wait (SHARE ROW EXCLUSIVE)",
                       STR_ARG(about.name));
}

/* By this transaction, which holds the lock since then. */
static bool is_switched_before(const struct rule_subject *s, const struct rule_command *c)
{
    const struct noted *off =
        file_state_find(rule_state(s), NOTED_TRIGGER_OFF, c->about.name, (struct str){0});
    return off && off->is_in_transaction;
}

static void see_toggle(struct rule_subject *s, const struct rule_command *c)
{
    switch (c->cmd->subtype) {
    case PG_QUERY__ALTER_TABLE_TYPE__AT_EnableTrig:
    case PG_QUERY__ALTER_TABLE_TYPE__AT_EnableAlwaysTrig:
    case PG_QUERY__ALTER_TABLE_TYPE__AT_EnableReplicaTrig:
    case PG_QUERY__ALTER_TABLE_TYPE__AT_EnableTrigAll:
    case PG_QUERY__ALTER_TABLE_TYPE__AT_EnableTrigUser:
    case PG_QUERY__ALTER_TABLE_TYPE__AT_DisableTrig:
    case PG_QUERY__ALTER_TABLE_TYPE__AT_DisableTrigAll:
    case PG_QUERY__ALTER_TABLE_TYPE__AT_DisableTrigUser:
        if (!is_switched_before(s, c))
            rule_report_at(s, &c->about, "writers of %.*s wait (SHARE ROW EXCLUSIVE)",
                           STR_ARG(c->about.name));
        break;
    default:
        break;
    }
}

static void check_toggle(struct rule_subject *s)
{
    rule_each_command(s, 0, see_toggle);
}

static void check_rule(struct rule_subject *s)
{
    const PgQuery__RuleStmt *stmt = rule_tree(s)->rule_stmt;
    struct rule_finding about = rule_about(s, stmt->relation);
    rule_report_at(s, &about,
                   "queries of %.*s are rewritten from here on; it is locked ACCESS "
                   "EXCLUSIVE",
                   STR_ARG(about.name));
}

/* ---- row security ---- */

static void see_row_security(struct rule_subject *s, const struct rule_command *c)
{
    if (c->cmd->subtype == PG_QUERY__ALTER_TABLE_TYPE__AT_EnableRowSecurity ||
        c->cmd->subtype == PG_QUERY__ALTER_TABLE_TYPE__AT_ForceRowSecurity)
        rule_report_at(s, &c->about,
                       "%.*s is locked ACCESS EXCLUSIVE, briefly; what others see of it "
                       "changes at the commit",
                       STR_ARG(c->about.name));
}

static void check_row_security(struct rule_subject *s)
{
    if (!s->tree)
        return;
    rule_each_command(s, 0, see_row_security);
    const PgQuery__Node *tree = rule_tree(s);
    const PgQuery__RangeVar *table = NULL;
    if (tree->node_case == PG_QUERY__NODE__NODE_CREATE_POLICY_STMT)
        table = tree->create_policy_stmt->table;
    else if (tree->node_case == PG_QUERY__NODE__NODE_ALTER_POLICY_STMT)
        table = tree->alter_policy_stmt->table;
    if (!table)
        return;
    struct rule_finding about = rule_about(s, table);
    rule_report_at(s, &about,
                   "%.*s is locked ACCESS EXCLUSIVE, briefly; what others see of it changes "
                   "at the commit",
                   STR_ARG(about.name));
}

static bool has_policy(const struct catalog_relation *r)
{
    for (size_t i = 0; r && i < r->rules.count; i++) {
        if (!r->rules.at[i]->is_dropped && r->rules.at[i]->is_policy)
            return true;
    }
    return false;
}

/* A table of which nothing but its name is known is taken to have none. */
static void end_no_policy(struct rule_subject *s)
{
    const struct file_state *state = rule_state(s);
    for (size_t i = 0; i < state->touched.count; i++) {
        const struct catalog_relation *r = state->touched.at[i];
        if (!r->is_dropped && r->has_row_security && !has_policy(r) &&
            file_state_find(state, NOTED_ROW_SECURITY, catalog_relation_text(s->a, r),
                            (struct str){0}))
            rule_report_line(s, rule_line_of(s, r), r,
                             "row security of %.*s is on and it has no "
                             "policy: all but its owner see no rows, without an error",
                             STR_ARG(catalog_relation_text(s->a, r)));
    }
    for (size_t i = 0; i < state->all.count; i++) {
        const struct noted *one = &state->all.at[i];
        if (one->kind == NOTED_ROW_SECURITY && !one->object &&
            !file_state_find(state, NOTED_POLICY, one->relation, (struct str){0}))
            rule_report_line(s, one->line, NULL,
                             "row security of %.*s is on and no policy is made "
                             "here: without one all but its owner see no rows, without an error",
                             STR_ARG(one->relation));
    }
}

static void check_restrictive(struct rule_subject *s)
{
    const PgQuery__CreatePolicyStmt *stmt = rule_tree(s)->create_policy_stmt;
    struct rule_finding about = rule_about(s, stmt->table);
    if (!stmt->permissive)
        rule_report_at(s, &about,
                       "policy %s takes rows of %.*s away from everybody whom another policy "
                       "lets see them",
                       stmt->policy_name, STR_ARG(about.name));
}

/* ---- types ---- */

static void check_enum_value(struct rule_subject *s)
{
    const PgQuery__AlterEnumStmt *stmt = rule_tree(s)->alter_enum_stmt;
    if (!stmt->old_val[0])
        rule_report(s, NULL, "the value '%s' can never be removed from the type again",
                    stmt->new_val);
}

static void check_enum_order(struct rule_subject *s)
{
    const PgQuery__AlterEnumStmt *stmt = rule_tree(s)->alter_enum_stmt;
    if (!stmt->old_val[0] && !stmt->new_val_neighbor[0])
        rule_report(s, NULL, "'%s' sorts behind all others: neither BEFORE nor AFTER is said",
                    stmt->new_val);
}

/* ---- views, extensions ---- */

static void check_view(struct rule_subject *s)
{
    const PgQuery__Node *tree = s->tree;
    const PgQuery__RangeVar *name = NULL;
    if (tree && tree->node_case == PG_QUERY__NODE__NODE_VIEW_STMT && tree->view_stmt->replace)
        name = tree->view_stmt->view;
    else if (tree && tree->node_case == PG_QUERY__NODE__NODE_ALTER_TABLE_STMT)
        name = tree->alter_table_stmt->relation;
    if (!name)
        return;
    struct rule_finding about = rule_about(s, name);
    bool is_view = tree->node_case == PG_QUERY__NODE__NODE_VIEW_STMT ||
                   tree->alter_table_stmt->objtype == PG_QUERY__OBJECT_TYPE__OBJECT_VIEW ||
                   (about.relation && about.relation->kind == RELATION_VIEW);
    if (is_view && (about.relation || !s->catalog->is_complete))
        rule_report_at(s, &about, "view %.*s is locked ACCESS EXCLUSIVE, briefly",
                       STR_ARG(about.name));
}

static void check_extension(struct rule_subject *s)
{
    const PgQuery__Node *tree = s->tree;
    if (!tree)
        return;
    if (tree->node_case == PG_QUERY__NODE__NODE_CREATE_EXTENSION_STMT)
        rule_report(s, NULL, "extension %s needs its files on the server and often a superuser",
                    tree->create_extension_stmt->extname);
    else if (tree->node_case == PG_QUERY__NODE__NODE_ALTER_EXTENSION_STMT)
        rule_report(s, NULL, "the update of extension %s runs a script that is not in this file",
                    tree->alter_extension_stmt->extname);
}

static const struct rule_row rows[] = {
    {
        .rule =
            {
                .id = "create-trigger",
                .level = HAZARD_WARN,
                .engine = ENGINE_POSTGRES,
                .exemptions = EXEMPT_NEW,
                .title = "CREATE TRIGGER makes writers wait, and every write slower from then on",
                .why = "SHARE ROW EXCLUSIVE on the table: it waits for every transaction that "
                       "has written to it. CREATE OR REPLACE TRIGGER (14 and later) takes the "
                       "same.",
                .fix = "Set a short lock_timeout and try again; let it be the only statement of "
                       "its transaction.",
                .example = "CREATE TRIGGER users_note BEFORE INSERT ON users FOR EACH ROW EXECUTE "
                           "FUNCTION note();",
                .sources = "sql-createtrigger.html; trigger.c: CreateTrigger()",
            },
        .check = check_create_trigger,
        .node = PG_QUERY__NODE__NODE_CREATE_TRIG_STMT,
    },
    {
        .rule =
            {
                .id = "toggle-trigger",
                .level = HAZARD_WARN,
                .engine = ENGINE_POSTGRES,
                .exemptions = EXEMPT_NEW,
                .title = "ENABLE and DISABLE TRIGGER make writers wait",
                .why = "SHARE ROW EXCLUSIVE on the table until the transaction ends.",
                .fix = "Set a short lock_timeout. To skip a trigger for one job, let its "
                       "function look at a setting of the session.",
                .example = "ALTER TABLE users ENABLE TRIGGER USER;",
                .sources = "sql-altertable.html",
            },
        .check = check_toggle,
        .node = PG_QUERY__NODE__NODE_ALTER_TABLE_STMT,
    },
    {
        .rule =
            {
                .id = "create-rule",
                .level = HAZARD_WARN,
                .engine = ENGINE_POSTGRES,
                .exemptions = EXEMPT_NEW,
                .title = "rules rewrite queries in ways that surprise",
                .why = "A rule is applied to the query, not to the rows: functions run twice, "
                       "RETURNING and row counts lie, COPY goes past it. CREATE RULE takes "
                       "ACCESS EXCLUSIVE.",
                .fix = "Use a trigger, or a view that can be updated.",
                .example = "CREATE RULE keep_users AS ON DELETE TO users DO INSTEAD NOTHING;",
                .safe = "CREATE VIEW active_users AS SELECT id, email FROM users;",
                .sources = "rules.html",
            },
        .check = check_rule,
        .node = PG_QUERY__NODE__NODE_RULE_STMT,
    },
    {
        .rule =
            {
                .id = "row-security-ddl",
                .level = HAZARD_WARN,
                .engine = ENGINE_POSTGRES,
                .exemptions = EXEMPT_NEW,
                .title = "row security changes what others see, and locks the table",
                .why = "ACCESS EXCLUSIVE, briefly. Between ENABLE and the first policy nobody "
                       "but the owner sees a row, so the order within the transaction matters.",
                .fix = "Make the policies first, ENABLE last, all in one transaction, with a "
                       "short lock_timeout.",
                .example = "CREATE POLICY own_notes ON notes USING (owner = current_user);\n"
                           "ALTER TABLE notes ENABLE ROW LEVEL SECURITY;",
                .sources = "ddl-rowsecurity.html",
            },
        .check = check_row_security,
    },
    {
        .rule =
            {
                .id = "enable-rls-no-policy",
                .level = HAZARD_BLOCK,
                .engine = ENGINE_POSTGRES,
                .title = "row security without a policy hides every row",
                .why = "Roles other than the owner get zero rows and no error: the application "
                       "looks empty.",
                .fix = "CREATE POLICY in the same transaction, in front of ENABLE ROW LEVEL "
                       "SECURITY.",
                .example = "ALTER TABLE notes ENABLE ROW LEVEL SECURITY;",
                .safe = "CREATE POLICY own_notes ON notes USING (owner = current_user);\n"
                        "ALTER TABLE notes ENABLE ROW LEVEL SECURITY;",
                .sources = "ddl-rowsecurity.html",
            },
        .check_end = end_no_policy,
    },
    {
        .rule =
            {
                .id = "restrictive-policy",
                .level = HAZARD_WARN,
                .engine = ENGINE_POSTGRES,
                .exemptions = EXEMPT_NEW,
                .title = "a restrictive policy narrows what everybody sees",
                .why = "Permissive policies are combined with OR, restrictive ones with AND on "
                       "top: rows that were seen until now may vanish for all roles.",
                .fix = "Say TO role where it is meant for some, and try it with SET ROLE on a "
                       "copy first.",
                .example = "CREATE POLICY only_own ON notes AS RESTRICTIVE USING (owner = "
                           "current_user);",
                .sources = "sql-createpolicy.html",
            },
        .check = check_restrictive,
        .node = PG_QUERY__NODE__NODE_CREATE_POLICY_STMT,
    },
    {
        .rule =
            {
                .id = "add-enum-value",
                .level = HAZARD_NOTE,
                .engine = ENGINE_POSTGRES,
                .title = "a value of an enum can be added, not removed",
                .why = "No table is locked. Before 12 it refuses a transaction; from 12 on the "
                       "value cannot be used before its transaction has committed.",
                .fix = "Let the code that reads know the value before any code writes it. Where "
                       "values come and go, use a table with a foreign key.",
                .example = "ALTER TYPE mood ADD VALUE 'so-so' AFTER 'good';",
                .safe = "CREATE TABLE moods (name text PRIMARY KEY);",
                .sources = "sql-altertype.html",
            },
        .check = check_enum_value,
        .node = PG_QUERY__NODE__NODE_ALTER_ENUM_STMT,
    },
    {
        .rule =
            {
                .id = "enum-value-unordered",
                .level = HAZARD_OFF,
                .engine = ENGINE_POSTGRES,
                .title = "a new value of an enum sorts last",
                .why = "ORDER BY and comparisons follow the order of the values; without BEFORE "
                       "or AFTER the new one is the greatest.",
                .fix = "Say where it belongs: ADD VALUE … BEFORE …, AFTER ….",
                .example = "ALTER TYPE size ADD VALUE 'medium';",
                .safe = "ALTER TYPE size ADD VALUE 'medium' BEFORE 'large';",
                .sources = "sql-altertype.html",
            },
        .check = check_enum_order,
        .node = PG_QUERY__NODE__NODE_ALTER_ENUM_STMT,
    },
    {
        .rule =
            {
                .id = "create-view-lock",
                .level = HAZARD_NOTE,
                .engine = ENGINE_POSTGRES,
                .exemptions = EXEMPT_NEW,
                .title = "CREATE OR REPLACE VIEW and ALTER VIEW lock the view",
                .why = "ACCESS EXCLUSIVE on the view, briefly: it waits for queries of it that "
                       "run, and later ones wait behind.",
                .fix = "Set a short lock_timeout.",
                .example = "CREATE OR REPLACE VIEW one AS SELECT 2 AS n;",
                .sources = "sql-createview.html; view.c",
            },
        .check = check_view,
    },
    {
        .rule =
            {
                .id = "create-extension",
                .level = HAZARD_WARN,
                .engine = ENGINE_POSTGRES,
                .title = "an extension depends on what is installed on the server",
                .why = "The files of the extension must be there, and most need a superuser or "
                       "a trusted extension. Which objects it makes depends on its version.",
                .fix = "Install extensions where databases are provided, not in a migration of "
                       "the application.",
                .example = "CREATE EXTENSION pg_trgm;",
                .sources = "sql-createextension.html",
            },
        .check = check_extension,
    },
};
const struct rule_table rules_trigger = {rows, ARRAY_LEN(rows)};
