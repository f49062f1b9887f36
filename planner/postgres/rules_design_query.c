/* Advice about functions, views and queries. */
#include "planner/postgres/rules_support.h"

/* ---- functions that run with their owner's rights ---- */

static const PgQuery__DefElem *option(PgQuery__Node *const *options, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        const PgQuery__Node *n = options[i];
        if (n->node_case == PG_QUERY__NODE__NODE_DEF_ELEM &&
            strcmp(n->def_elem->defname, name) == 0)
            return n->def_elem;
    }
    return NULL;
}

static bool sets_search_path(PgQuery__Node *const *options, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const PgQuery__Node *n = options[i];
        if (n->node_case != PG_QUERY__NODE__NODE_DEF_ELEM ||
            strcmp(n->def_elem->defname, "set") != 0)
            continue;
        const PgQuery__Node *set = n->def_elem->arg;
        if (set && set->node_case == PG_QUERY__NODE__NODE_VARIABLE_SET_STMT &&
            strcmp(set->variable_set_stmt->name, "search_path") == 0)
            return true;
    }
    return false;
}

static bool is_true(const PgQuery__DefElem *e)
{
    const PgQuery__Node *arg = e ? e->arg : NULL;
    return arg && ((arg->node_case == PG_QUERY__NODE__NODE_BOOLEAN && arg->boolean->boolval) ||
                   (arg->node_case == PG_QUERY__NODE__NODE_INTEGER && arg->integer->ival));
}

/* ALTER FUNCTION: one that has settings may have that one. */
static void see_altered_function(struct rule_subject *s, const PgQuery__AlterFunctionStmt *stmt)
{
    if (!stmt->func || !stmt->func->n_objname ||
        !is_true(option(stmt->actions, stmt->n_actions, "security")) ||
        sets_search_path(stmt->actions, stmt->n_actions))
        return;
    struct str name = rule_string(stmt->func->objname[stmt->func->n_objname - 1]);
    const struct catalog_function *f =
        catalog_find_function(s->catalog, (struct str){0}, name, NULL);
    if (!f || !f->has_settings)
        rule_report(s, NULL,
                    "%.*s() runs with the rights of its owner and the search_path of its caller",
                    STR_ARG(name));
}

static void check_search_path(struct rule_subject *s)
{
    if (!s->tree)
        return;
    if (rule_tree(s)->node_case == PG_QUERY__NODE__NODE_ALTER_FUNCTION_STMT)
        see_altered_function(s, rule_tree(s)->alter_function_stmt);
    if (rule_tree(s)->node_case != PG_QUERY__NODE__NODE_CREATE_FUNCTION_STMT)
        return;
    const PgQuery__CreateFunctionStmt *stmt = rule_tree(s)->create_function_stmt;
    if (is_true(option(stmt->options, stmt->n_options, "security")) &&
        !sets_search_path(stmt->options, stmt->n_options))
        rule_report(s, NULL,
                    "%.*s() runs with the rights of its owner and the search_path of its caller",
                    STR_ARG(rule_names_text(s, stmt->funcname, stmt->n_funcname)));
}

static void check_script(struct rule_subject *s)
{
    const PgQuery__CreateFunctionStmt *stmt = rule_tree(s)->create_function_stmt;
    if (!sets_search_path(stmt->options, stmt->n_options) && !stmt->sql_body)
        rule_report(s, NULL,
                    "names in the body of %.*s() are looked up in the search_path of its caller",
                    STR_ARG(rule_names_text(s, stmt->funcname, stmt->n_funcname)));
}

static void check_definer_view(struct rule_subject *s)
{
    const PgQuery__ViewStmt *stmt = rule_tree(s)->view_stmt;
    struct rule_finding about = rule_about(s, stmt->view);
    for (size_t i = 0; i < stmt->n_options; i++) {
        if (stmt->options[i]->node_case == PG_QUERY__NODE__NODE_DEF_ELEM &&
            strcmp(stmt->options[i]->def_elem->defname, "security_invoker") == 0)
            return;
    }
    for (size_t i = 0; i < s->effects->locks.count; i++) {
        const struct catalog_relation *r = s->effects->locks.at[i].object;
        if (r && r->has_row_security)
            rule_report_at(s, &about,
                           "view %.*s shows %.*s with the rights of its owner, past the "
                           "policies of who reads it",
                           STR_ARG(about.name), STR_ARG(catalog_relation_text(s->a, r)));
    }
}

static void check_replace(struct rule_subject *s)
{
    const PgQuery__Node *tree = s->tree;
    if (!tree)
        return;
    bool is_plain =
        (tree->node_case == PG_QUERY__NODE__NODE_VIEW_STMT && !tree->view_stmt->replace) ||
        (tree->node_case == PG_QUERY__NODE__NODE_CREATE_FUNCTION_STMT &&
         !tree->create_function_stmt->replace) ||
        (tree->node_case == PG_QUERY__NODE__NODE_CREATE_TRIG_STMT &&
         !tree->create_trig_stmt->replace && s->major >= 14);
    if (is_plain)
        rule_report(s, NULL, "%s without OR REPLACE fails when it is run again",
                    s->statement->kind);
}

/* ---- queries ---- */

static void check_insert(struct rule_subject *s)
{
    const PgQuery__InsertStmt *stmt = rule_tree(s)->insert_stmt;
    struct rule_finding about = rule_about(s, stmt->relation);
    if (!stmt->n_cols && stmt->select_stmt)
        rule_report_at(s, &about, "INSERT into %.*s does not list its columns",
                       STR_ARG(about.name));
}

static bool is_star(void *context, const ProtobufCMessage *message)
{
    (void)context;
    if (message->descriptor != &pg_query__column_ref__descriptor)
        return false;
    const PgQuery__ColumnRef *ref = (const PgQuery__ColumnRef *)message;
    return ref->n_fields &&
           ref->fields[ref->n_fields - 1]->node_case == PG_QUERY__NODE__NODE_A_STAR;
}

static bool is_query(const PgQuery__Node *tree)
{
    return tree && (tree->node_case == PG_QUERY__NODE__NODE_SELECT_STMT ||
                    tree->node_case == PG_QUERY__NODE__NODE_VIEW_STMT ||
                    tree->node_case == PG_QUERY__NODE__NODE_CREATE_TABLE_AS_STMT ||
                    tree->node_case == PG_QUERY__NODE__NODE_INSERT_STMT);
}

static void check_star(struct rule_subject *s)
{
    if (is_query(s->tree) && parse_tree_visit(&rule_tree(s)->base, is_star, NULL))
        rule_report(s, NULL, "* is whatever columns the table has on that day");
}

static bool is_null(const PgQuery__Node *n)
{
    return n && n->node_case == PG_QUERY__NODE__NODE_A_CONST && n->a_const->isnull;
}

/* c IN (1, NULL): NOT IN is then never true. */
static bool lists_null(const PgQuery__AExpr *e)
{
    const PgQuery__Node *r = e->rexpr;
    if (e->kind != PG_QUERY__A__EXPR__KIND__AEXPR_IN || !r ||
        r->node_case != PG_QUERY__NODE__NODE_LIST)
        return false;
    for (size_t i = 0; i < r->list->n_items; i++) {
        if (is_null(r->list->items[i]))
            return true;
    }
    return false;
}

static bool compares_null(void *context, const ProtobufCMessage *message)
{
    (void)context;
    if (message->descriptor != &pg_query__a__expr__descriptor)
        return false;
    const PgQuery__AExpr *e = (const PgQuery__AExpr *)message;
    if (lists_null(e))
        return true;
    if (e->kind != PG_QUERY__A__EXPR__KIND__AEXPR_OP || e->n_name != 1)
        return false;
    struct str op = rule_string(e->name[0]);
    bool is_comparison = str_equal(op, STR("=")) || str_equal(op, STR("<>"));
    return is_comparison && (is_null(e->lexpr) || is_null(e->rexpr));
}

static void check_null(struct rule_subject *s)
{
    if (s->tree && parse_tree_visit(&rule_tree(s)->base, compares_null, NULL))
        rule_report(s, NULL, "a comparison with NULL is never true");
}

static const char *set_name(const PgQuery__Node *n)
{
    bool is_target = n->node_case == PG_QUERY__NODE__NODE_RES_TARGET;
    return is_target && !n->res_target->n_indirection ? n->res_target->name : "";
}

enum { COLUMNS_MAX = 1664 }; /* more the server refuses for that (MaxTupleAttributeNumber) */

static void check_assigned_twice(struct rule_subject *s)
{
    const PgQuery__UpdateStmt *stmt = rule_tree(s)->update_stmt;
    for (size_t i = 0; i < stmt->n_target_list && i < COLUMNS_MAX; i++) {
        const char *name = set_name(stmt->target_list[i]);
        for (size_t n = 0; name[0] && n < i; n++) {
            if (strcmp(name, set_name(stmt->target_list[n])) == 0)
                rule_report(s, NULL, "column %s is set twice: the server refuses it", name);
        }
    }
}

/* A column list of INSERT, or of MERGE … INSERT. */
static void see_listed_twice(struct rule_subject *s, PgQuery__Node *const *list, size_t count)
{
    if (count > COLUMNS_MAX)
        return;
    for (size_t i = 0; i < count; i++) {
        const char *name = set_name(list[i]);
        for (size_t n = 0; name[0] && n < i; n++) {
            if (strcmp(name, set_name(list[n])) == 0)
                rule_report(s, NULL, "column %s is listed twice: the server refuses it", name);
        }
    }
}

/* CREATE TABLE and CREATE VIEW with a column of the same name twice. */
static void see_made_twice(struct rule_subject *s, PgQuery__Node *const *list, size_t count)
{
    if (count > COLUMNS_MAX)
        return;
    for (size_t i = 0; i < count; i++) {
        const PgQuery__Node *one = list[i];
        bool is_column = one->node_case == PG_QUERY__NODE__NODE_COLUMN_DEF;
        struct str name = is_column ? str_of(one->column_def->colname) : rule_string(one);
        for (size_t n = 0; name.len && n < i; n++) {
            bool is_other_column = list[n]->node_case == PG_QUERY__NODE__NODE_COLUMN_DEF;
            struct str other =
                is_other_column ? str_of(list[n]->column_def->colname) : rule_string(list[n]);
            if (str_equal(name, other))
                rule_report(s, NULL, "column %.*s is made twice: the server refuses it",
                            STR_ARG(name));
        }
    }
}

static void check_twice(struct rule_subject *s)
{
    const PgQuery__Node *tree = s->tree;
    if (!tree)
        return;
    if (tree->node_case == PG_QUERY__NODE__NODE_UPDATE_STMT)
        check_assigned_twice(s);
    else if (tree->node_case == PG_QUERY__NODE__NODE_INSERT_STMT)
        see_listed_twice(s, tree->insert_stmt->cols, tree->insert_stmt->n_cols);
    else if (tree->node_case == PG_QUERY__NODE__NODE_CREATE_STMT)
        see_made_twice(s, tree->create_stmt->table_elts, tree->create_stmt->n_table_elts);
    else if (tree->node_case == PG_QUERY__NODE__NODE_VIEW_STMT)
        see_made_twice(s, tree->view_stmt->aliases, tree->view_stmt->n_aliases);
    else if (tree->node_case == PG_QUERY__NODE__NODE_MERGE_STMT) {
        for (size_t i = 0; i < tree->merge_stmt->n_merge_when_clauses; i++) {
            const PgQuery__Node *n = tree->merge_stmt->merge_when_clauses[i];
            if (n->node_case == PG_QUERY__NODE__NODE_MERGE_WHEN_CLAUSE)
                see_listed_twice(s, n->merge_when_clause->target_list,
                                 n->merge_when_clause->n_target_list);
        }
    }
}

static void check_self(struct rule_subject *s)
{
    const PgQuery__UpdateStmt *stmt = rule_tree(s)->update_stmt;
    for (size_t i = 0; i < stmt->n_target_list; i++) {
        const char *name = set_name(stmt->target_list[i]);
        const PgQuery__Node *value = name[0] ? stmt->target_list[i]->res_target->val : NULL;
        if (value && value->node_case == PG_QUERY__NODE__NODE_COLUMN_REF &&
            value->column_ref->n_fields == 1 &&
            str_equal(rule_string(value->column_ref->fields[0]), str_of(name)))
            rule_report(s, NULL, "%s is set to itself: every row is written anew for nothing",
                        name);
    }
}

static bool is_poor_style(void *context, const ProtobufCMessage *message)
{
    (void)context;
    if (message->descriptor == &pg_query__sort_by__descriptor) {
        const PgQuery__Node *n = ((const PgQuery__SortBy *)message)->node;
        return n && n->node_case == PG_QUERY__NODE__NODE_A_CONST;
    }
    if (message->descriptor != &pg_query__a__expr__descriptor)
        return false;
    const PgQuery__AExpr *e = (const PgQuery__AExpr *)message;
    const PgQuery__Node *r = e->rexpr;
    return e->kind == PG_QUERY__A__EXPR__KIND__AEXPR_LIKE && r &&
           r->node_case == PG_QUERY__NODE__NODE_A_CONST &&
           r->a_const->val_case == PG_QUERY__A__CONST__VAL_SVAL && r->a_const->sval->sval[0] == '%';
}

static void check_style(struct rule_subject *s)
{
    if (s->tree && parse_tree_visit(&rule_tree(s)->base, is_poor_style, NULL))
        rule_report(s, NULL, "ORDER BY a number, or LIKE that begins with %%");
}

static const struct rule_row rows[] = {
    {
        .rule =
            {
                .id = "function-search-path",
                .level = HAZARD_WARN,
                .engine = ENGINE_POSTGRES,
                .title = "SECURITY DEFINER without a search_path of its own",
                .why = "Names in the body are looked up in the caller's search_path: who may "
                       "make a table or function there has it run with the owner's rights.",
                .fix = "SET search_path = schema, pg_temp in the definition, with pg_temp last.",
                .example = "CREATE FUNCTION secret() RETURNS int LANGUAGE sql SECURITY DEFINER AS "
                           "'SELECT 1';",
                .safe = "CREATE FUNCTION secret() RETURNS int LANGUAGE sql SECURITY DEFINER SET "
                        "search_path = public, pg_temp AS 'SELECT 1';",
                .sources = "sql-createfunction.html#SQL-CREATEFUNCTION-SECURITY",
            },
        .check = check_search_path,
    },
    {
        .rule =
            {
                .id = "unsafe-search-path-script",
                .level = HAZARD_OFF,
                .engine = ENGINE_POSTGRES,
                .title = "a function without a search_path of its own",
                .why = "What its names mean depends on who calls it.",
                .fix = "SET search_path in the definition, qualified names, or an SQL-standard "
                       "body, whose names are looked up once.",
                .example = "CREATE FUNCTION one() RETURNS int LANGUAGE sql AS 'SELECT 1';",
                .safe = "CREATE FUNCTION one() RETURNS int LANGUAGE sql SET search_path = public "
                        "AS 'SELECT 1';",
                .sources = "sql-createfunction.html",
            },
        .check = check_script,
        .node = PG_QUERY__NODE__NODE_CREATE_FUNCTION_STMT,
    },
    {
        .rule =
            {
                .id = "security-definer-view",
                .level = HAZARD_WARN,
                .engine = ENGINE_POSTGRES,
                .title = "a view over a table with row security goes past its policies",
                .why = "A view reads with the rights of its owner: who may read the view sees "
                       "rows that the policies would hide. From 15 on WITH (security_invoker) "
                       "reads with those of the reader.",
                .fix = "CREATE VIEW … WITH (security_invoker = true) (15 and later).",
                .example = "CREATE VIEW all_notes AS SELECT id FROM notes;",
                .safe = "CREATE VIEW all_notes WITH (security_invoker = true) AS SELECT id FROM "
                        "notes;",
                .sources = "sql-createview.html; ddl-rowsecurity.html",
            },
        .check = check_definer_view,
        .node = PG_QUERY__NODE__NODE_VIEW_STMT,
    },
    {
        .rule =
            {
                .id = "create-or-replace-preferred",
                .level = HAZARD_OFF,
                .engine = ENGINE_POSTGRES,
                .title = "CREATE without OR REPLACE fails when it is run again",
                .why = "Views, functions and triggers can be replaced.",
                .fix = "CREATE OR REPLACE.",
                .example = "CREATE VIEW one AS SELECT 1 AS n;",
                .safe = "CREATE OR REPLACE VIEW one AS SELECT 1 AS n;",
                .sources = "sql-createview.html",
            },
        .check = check_replace,
    },
    {
        .rule =
            {
                .id = "insert-without-columns",
                .level = HAZARD_WARN,
                .engine = ENGINE_POSTGRES,
                .title = "INSERT without a list of columns",
                .why = "The next column that is added, or an older one that was dropped "
                       "elsewhere, breaks it or shifts the values.",
                .fix = "INSERT INTO table (columns) ….",
                .example = "INSERT INTO plans VALUES (1, 'free');",
                .safe = "INSERT INTO plans (id, name) VALUES (1, 'free');",
                .sources = "sql-insert.html",
            },
        .check = check_insert,
        .node = PG_QUERY__NODE__NODE_INSERT_STMT,
    },
    {
        .rule =
            {
                .id = "select-star",
                .level = HAZARD_OFF,
                .engine = ENGINE_POSTGRES,
                .title = "SELECT * takes whatever columns there are",
                .why = "A view keeps those of the day on which it was made; a copy breaks when "
                       "the tables differ.",
                .fix = "List the columns.",
                .example = "CREATE VIEW all_plans AS SELECT * FROM plans;",
                .safe = "CREATE VIEW all_plans AS SELECT id, name FROM plans;",
                .sources = "sql-select.html",
            },
        .check = check_star,
    },
    {
        .rule =
            {
                .id = "null-comparison",
                .level = HAZARD_WARN,
                .engine = ENGINE_POSTGRES,
                .title = "= NULL is never true",
                .why = "A comparison with NULL gives NULL: the WHERE finds no row, the CHECK "
                       "refuses none.",
                .fix = "IS NULL, IS NOT NULL, IS DISTINCT FROM.",
                .example = "DELETE FROM plans WHERE name = NULL;",
                .safe = "DELETE FROM plans WHERE name IS NULL AND id BETWEEN 1 AND 100;",
                .sources = "functions-comparison.html",
            },
        .check = check_null,
    },
    {
        .rule =
            {
                .id = "duplicate-column-assignment",
                .level = HAZARD_BLOCK,
                .engine = ENGINE_POSTGRES,
                .title = "a column is set, listed or made twice",
                .why = "The server refuses it: \"multiple assignments to same column\", \"column "
                       "specified more than once\".",
                .fix = "Take one of them out.",
                .example = "UPDATE plans SET name = 'a', name = 'b' WHERE id = 1;",
                .safe = "UPDATE plans SET name = 'b' WHERE id = 1;",
                .sources = "sql-update.html; sql-insert.html; sql-createtable.html",
            },
        .check = check_twice,
    },
    {
        .rule =
            {
                .id = "self-assignment",
                .level = HAZARD_NOTE,
                .engine = ENGINE_POSTGRES,
                .title = "UPDATE sets a column to itself",
                .why = "Every row is written anew and nothing changes but the size of the "
                       "table; now and then it is meant to fire triggers.",
                .fix = "Take it out.",
                .example = "UPDATE plans SET name = name WHERE id = 1;",
                .safe = "UPDATE plans SET name = lower(name) WHERE id = 1;",
                .sources = "sql-update.html",
            },
        .check = check_self,
        .node = PG_QUERY__NODE__NODE_UPDATE_STMT,
    },
    {
        .rule =
            {
                .id = "query-style",
                .level = HAZARD_OFF,
                .engine = ENGINE_POSTGRES,
                .title = "a query that is hard to read, or slow",
                .why = "ORDER BY 2 changes its meaning with the list of columns; LIKE '%…' uses "
                       "no btree index.",
                .fix = "Name the column; a trigram index for texts that contain something.",
                .example = "SELECT id FROM plans WHERE name LIKE '%free' ORDER BY 1;",
                .safe = "SELECT id FROM plans WHERE name LIKE 'free%' ORDER BY id;",
                .sources = "queries-order.html; indexes-types.html",
            },
        .check = check_style,
    },
};
const struct rule_table rules_design_query = {rows, ARRAY_LEN(rows)};
