/* Advice about names and the shape of tables. */
#include "planner/postgres/rules_support.h"

static void see_unnamed(struct rule_subject *s, const struct rule_constraint *c)
{
    switch (c->k->contype) {
    case PG_QUERY__CONSTR_TYPE__CONSTR_CHECK:
    case PG_QUERY__CONSTR_TYPE__CONSTR_UNIQUE:
    case PG_QUERY__CONSTR_TYPE__CONSTR_FOREIGN:
    case PG_QUERY__CONSTR_TYPE__CONSTR_EXCLUSION:
        if (!c->k->conname[0])
            rule_report_at(s, &c->about, "a constraint of %.*s has no name of its own",
                           STR_ARG(c->about.name));
        break;
    default:
        break;
    }
}

static void check_unnamed(struct rule_subject *s)
{
    if (s->tree)
        rule_each_constraint(s, 0, see_unnamed);
}

/* ---- names that are given ---- */

/* Calls visit for the names that CREATE and ALTER give. */
typedef void name_visitor(struct rule_subject *s, struct str name);

static void visit_create(struct rule_subject *s, const PgQuery__CreateStmt *stmt,
                         name_visitor *visit)
{
    if (stmt->relation)
        visit(s, str_of(stmt->relation->relname));
    for (size_t i = 0; i < stmt->n_table_elts; i++) {
        const PgQuery__Node *n = stmt->table_elts[i];
        if (n->node_case == PG_QUERY__NODE__NODE_COLUMN_DEF)
            visit(s, str_of(n->column_def->colname));
        else if (n->node_case == PG_QUERY__NODE__NODE_CONSTRAINT)
            visit(s, str_of(n->constraint->conname));
    }
}

static void visit_alter(struct rule_subject *s, const PgQuery__AlterTableStmt *stmt,
                        name_visitor *visit)
{
    for (size_t i = 0; i < stmt->n_cmds; i++) {
        const PgQuery__Node *n = stmt->cmds[i];
        const PgQuery__Node *def =
            n->node_case == PG_QUERY__NODE__NODE_ALTER_TABLE_CMD ? n->alter_table_cmd->def : NULL;
        if (!def)
            continue;
        if (def->node_case == PG_QUERY__NODE__NODE_COLUMN_DEF &&
            n->alter_table_cmd->subtype == PG_QUERY__ALTER_TABLE_TYPE__AT_AddColumn)
            visit(s, str_of(def->column_def->colname));
        else if (def->node_case == PG_QUERY__NODE__NODE_CONSTRAINT)
            visit(s, str_of(def->constraint->conname));
    }
}

static void each_new_name(struct rule_subject *s, name_visitor *visit)
{
    const PgQuery__Node *tree = s->tree;
    if (!tree)
        return;
    switch (tree->node_case) {
    case PG_QUERY__NODE__NODE_CREATE_STMT:
        visit_create(s, tree->create_stmt, visit);
        break;
    case PG_QUERY__NODE__NODE_ALTER_TABLE_STMT:
        visit_alter(s, tree->alter_table_stmt, visit);
        break;
    case PG_QUERY__NODE__NODE_INDEX_STMT:
        visit(s, str_of(tree->index_stmt->idxname));
        break;
    case PG_QUERY__NODE__NODE_VIEW_STMT:
        if (tree->view_stmt->view)
            visit(s, str_of(tree->view_stmt->view->relname));
        break;
    case PG_QUERY__NODE__NODE_CREATE_SEQ_STMT:
        if (tree->create_seq_stmt->sequence)
            visit(s, str_of(tree->create_seq_stmt->sequence->relname));
        break;
    case PG_QUERY__NODE__NODE_RENAME_STMT:
        visit(s, str_of(tree->rename_stmt->newname));
        break;
    case PG_QUERY__NODE__NODE_CREATE_SCHEMA_STMT:
        visit(s, str_of(tree->create_schema_stmt->schemaname));
        break;
    default:
        break;
    }
}

/* The parser has cut the name already: what was written is looked for in the text. */
static void see_long(struct rule_subject *s, struct str name)
{
    enum { CUT = 63, WHOLE = 60 };
    if (name.len < WHOLE || name.len > CUT)
        return;
    size_t at = str_find(s->statement->text, name);
    if (at == SIZE_MAX)
        return;
    struct str behind = str_skip(s->statement->text, at + name.len);
    bool goes_on = behind.len && (char_is_alpha(behind.at[0]) || char_is_digit(behind.at[0]) ||
                                  behind.at[0] == '_' || (unsigned char)behind.at[0] >= 0x80);
    if (goes_on)
        rule_report_at(s, &(struct rule_finding){.name = name, .offset_bytes = at},
                       "the name is cut to %.*s", STR_ARG(name));
}

static void check_long(struct rule_subject *s)
{
    each_new_name(s, see_long);
}

static void see_case(struct rule_subject *s, struct str name)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = name.at[i];
        bool is_plain = char_is_digit(c) || c == '_' || (char_is_alpha(c) && char_lower(c) == c);
        if (is_plain)
            continue;
        rule_report_at(s, &(struct rule_finding){.name = name},
                       "\"%.*s\" has to be quoted wherever it is "
                       "used",
                       STR_ARG(name));
        return;
    }
}

static void check_case(struct rule_subject *s)
{
    each_new_name(s, see_case);
}

static void see_keyword(struct rule_subject *s, struct str name)
{
    struct str written = catalog_identifier(s->a, name);
    bool is_plain = true;
    for (size_t i = 0; i < name.len; i++)
        is_plain =
            is_plain && (char_is_digit(name.at[i]) || name.at[i] == '_' ||
                         (char_is_alpha(name.at[i]) && char_lower(name.at[i]) == name.at[i]));
    if (name.len && is_plain && written.len != name.len && !char_is_digit(name.at[0]))
        rule_report_at(s, &(struct rule_finding){.name = name},
                       "%.*s is a word of SQL: it has to be "
                       "quoted",
                       STR_ARG(name));
}

static void check_keyword(struct rule_subject *s)
{
    each_new_name(s, see_keyword);
}

static void see_convention(struct rule_subject *s, struct str name)
{
    bool has_upper = false;
    for (size_t i = 0; i < name.len; i++)
        has_upper |= char_is_alpha(name.at[i]) && char_lower(name.at[i]) != name.at[i];
    if (has_upper)
        rule_report_at(s, &(struct rule_finding){.name = name}, "%.*s is not in lower_case",
                       STR_ARG(name));
}

static void check_convention(struct rule_subject *s)
{
    each_new_name(s, see_convention);
}

static void check_unqualified(struct rule_subject *s)
{
    const PgQuery__Node *tree = s->tree;
    const PgQuery__RangeVar *name = NULL;
    if (!tree)
        return;
    if (tree->node_case == PG_QUERY__NODE__NODE_CREATE_STMT)
        name = tree->create_stmt->relation;
    else if (tree->node_case == PG_QUERY__NODE__NODE_ALTER_TABLE_STMT)
        name = tree->alter_table_stmt->relation;
    else if (tree->node_case == PG_QUERY__NODE__NODE_VIEW_STMT)
        name = tree->view_stmt->view;
    else if (tree->node_case == PG_QUERY__NODE__NODE_INDEX_STMT)
        name = tree->index_stmt->relation;
    if (name && !name->schemaname[0] && strcmp(name->relpersistence, "t") != 0)
        rule_report_at(s, &(struct rule_finding){.name = str_of(name->relname)},
                       "which %s is meant depends on the search_path", name->relname);
}

/* ---- tables ---- */

static void check_inherits(struct rule_subject *s)
{
    const PgQuery__CreateStmt *stmt = rule_tree(s)->create_stmt;
    if ((stmt->n_inh_relations && !stmt->partbound) || stmt->of_typename)
        rule_report(s, NULL,
                    "%s inherits its columns: keys and foreign keys do not reach over both",
                    stmt->relation ? stmt->relation->relname : "");
}

static void check_unlogged(struct rule_subject *s)
{
    const PgQuery__CreateStmt *stmt = rule_tree(s)->create_stmt;
    if (stmt->relation && strcmp(stmt->relation->relpersistence, "u") == 0)
        rule_report(s, NULL, "%s is emptied by a crash and absent on standbys",
                    stmt->relation->relname);
}

static void check_shape(struct rule_subject *s)
{
    const PgQuery__CreateStmt *stmt = rule_tree(s)->create_stmt;
    size_t columns = 0;
    for (size_t i = 0; i < stmt->n_table_elts; i++) {
        PgQuery__Node__NodeCase kind = stmt->table_elts[i]->node_case;
        if (kind == PG_QUERY__NODE__NODE_TABLE_LIKE_CLAUSE)
            return;
        columns += kind == PG_QUERY__NODE__NODE_COLUMN_DEF;
    }
    if (columns < 2 && !stmt->n_inh_relations && !stmt->of_typename && stmt->relation)
        rule_report(s, NULL, "%s has %s", stmt->relation->relname,
                    columns ? "one column" : "no column");
}

static void check_enum(struct rule_subject *s)
{
    const PgQuery__CreateEnumStmt *stmt = rule_tree(s)->create_enum_stmt;
    rule_report(s, NULL, "values of %.*s can be added and renamed, never removed",
                STR_ARG(rule_names_text(s, stmt->type_name, stmt->n_type_name)));
}

static void check_domain(struct rule_subject *s)
{
    const PgQuery__CreateDomainStmt *stmt = rule_tree(s)->create_domain_stmt;
    for (size_t i = 0; i < stmt->n_constraints; i++) {
        const PgQuery__Node *n = stmt->constraints[i];
        bool restricts = n->node_case == PG_QUERY__NODE__NODE_CONSTRAINT &&
                         (n->constraint->contype == PG_QUERY__CONSTR_TYPE__CONSTR_CHECK ||
                          n->constraint->contype == PG_QUERY__CONSTR_TYPE__CONSTR_NOTNULL);
        if (!restricts)
            continue;
        rule_report(s, NULL, "a column of domain %.*s cannot be added without a rewrite",
                    STR_ARG(rule_names_text(s, stmt->domainname, stmt->n_domainname)));
        return;
    }
}

static const struct rule_row rows[] = {
    {
        .rule =
            {
                .id = "unnamed-constraint",
                .level = HAZARD_OFF,
                .engine = ENGINE_POSTGRES,
                .title = "a constraint without a name of its own",
                .why = "The server makes one up, which later files have to guess, and which "
                       "differs when names were taken.",
                .fix = "CONSTRAINT name in front of it.",
                .example = "CREATE TABLE orders (id bigint PRIMARY KEY, total numeric CHECK (total "
                           "> 0));",
                .safe = "CREATE TABLE orders (id bigint PRIMARY KEY, total numeric CONSTRAINT "
                        "total_positive CHECK (total > 0));",
                .sources = "ddl-constraints.html",
            },
        .check = check_unnamed,
    },
    {
        .rule =
            {
                .id = "identifier-too-long",
                .level = HAZARD_WARN,
                .engine = ENGINE_POSTGRES,
                .title = "names are cut to 63 bytes",
                .why = "The server says so in a NOTICE only. Two long names may become the same "
                       "one, and code with the whole name finds it by chance, since it is cut "
                       "as well.",
                .fix = "Choose a name of up to 63 bytes.",
                .example = "CREATE TABLE "
                           "customers_who_have_ordered_at_least_once_in_the_year_before_last (id "
                           "bigint PRIMARY KEY);",
                .safe = "CREATE TABLE customers_with_old_orders (id bigint PRIMARY KEY);",
                .sources = "sql-syntax-lexical.html",
            },
        .check = check_long,
    },
    {
        .rule =
            {
                .id = "identifier-case",
                .level = HAZARD_OFF,
                .engine = ENGINE_POSTGRES,
                .title = "a name that has to be quoted",
                .why = "Upper case, blanks and other letters must be quoted in every query, or "
                       "the name is not found.",
                .fix = "lower_case letters, digits and _.",
                .example = "CREATE TABLE \"Orders\" (id bigint PRIMARY KEY);",
                .safe = "CREATE TABLE orders (id bigint PRIMARY KEY);",
                .sources = "sql-syntax-lexical.html",
            },
        .check = check_case,
    },
    {
        .rule =
            {
                .id = "identifier-keyword",
                .level = HAZARD_OFF,
                .engine = ENGINE_POSTGRES,
                .title = "a name that is a word of SQL",
                .why = "It has to be quoted in every query.",
                .fix = "Choose another name.",
                .example = "CREATE TABLE \"user\" (id bigint PRIMARY KEY);",
                .safe = "CREATE TABLE users (id bigint PRIMARY KEY);",
                .sources = "sql-keywords-appendix.html",
            },
        .check = check_keyword,
    },
    {
        .rule =
            {
                .id = "naming-convention",
                .level = HAZARD_OFF,
                .engine = ENGINE_POSTGRES,
                .title = "a name in mixed case",
                .why = "Names that differ in style are mistyped. Only lower_case is asked for; "
                       "a house may want more.",
                .fix = "lower_case_with_underscores.",
                .example = "CREATE TABLE \"orderLines\" (id bigint PRIMARY KEY);",
                .safe = "CREATE TABLE order_lines (id bigint PRIMARY KEY);",
                .sources = "sql-syntax-lexical.html",
            },
        .check = check_convention,
    },
    {
        .rule =
            {
                .id = "unqualified-name",
                .level = HAZARD_OFF,
                .engine = ENGINE_POSTGRES,
                .title = "a name without its schema",
                .why = "Who runs the migration with another search_path changes other tables, "
                       "or makes them elsewhere.",
                .fix = "schema.name, or SET LOCAL search_path at the top of the file.",
                .example = "CREATE TABLE orders (id bigint PRIMARY KEY);",
                .safe = "CREATE TABLE public.orders (id bigint PRIMARY KEY);",
                .sources = "ddl-schemas.html#DDL-SCHEMAS-PATH",
            },
        .check = check_unqualified,
    },
    {
        .rule =
            {
                .id = "table-inheritance",
                .level = HAZARD_NOTE,
                .engine = ENGINE_POSTGRES,
                .title = "inheritance of tables has holes",
                .why = "UNIQUE, primary keys and foreign keys do not reach over parent and "
                       "children.",
                .fix = "Partitions, or one table with a column for the kind.",
                .example = "CREATE TABLE logs_2020 (CHECK (at < '2021-01-01')) INHERITS (logs);",
                .safe = "CREATE TABLE logs_2020 (LIKE logs);",
                .sources = "ddl-inherit.html#DDL-INHERIT-CAVEATS",
            },
        .check = check_inherits,
        .node = PG_QUERY__NODE__NODE_CREATE_STMT,
    },
    {
        .rule =
            {
                .id = "unlogged-table",
                .level = HAZARD_WARN,
                .engine = ENGINE_POSTGRES,
                .title = "an unlogged table is emptied by a crash",
                .why = "Its changes are not in the log: after a crash it is empty, on standbys "
                       "it always is.",
                .fix = "Leave UNLOGGED out, unless every row can be made again.",
                .example = "CREATE UNLOGGED TABLE cache (id bigint PRIMARY KEY, data text);",
                .safe = "CREATE TABLE cache (id bigint PRIMARY KEY, data text);",
                .sources = "sql-createtable.html",
            },
        .check = check_unlogged,
        .node = PG_QUERY__NODE__NODE_CREATE_STMT,
    },
    {
        .rule =
            {
                .id = "table-shape",
                .level = HAZARD_OFF,
                .engine = ENGINE_POSTGRES,
                .title = "a table with no column, or one",
                .why = "It is often a mistake, or a list that a type could be.",
                .fix = "Give it a key and what it is about.",
                .example = "CREATE TABLE marks (id bigint PRIMARY KEY);",
                .safe = "CREATE TABLE marks (id bigint PRIMARY KEY, at timestamptz);",
                .sources = "house rule",
            },
        .check = check_shape,
        .node = PG_QUERY__NODE__NODE_CREATE_STMT,
    },
    {
        .rule =
            {
                .id = "enum-created",
                .level = HAZARD_OFF,
                .engine = ENGINE_POSTGRES,
                .title = "values of an enum cannot be removed",
                .why = "They can be added, outside of the transaction that uses them, and "
                       "renamed.",
                .fix = "A table with a foreign key, or text with a CHECK.",
                .example = "CREATE TYPE mood AS ENUM ('good', 'bad');",
                .safe = "CREATE TABLE moods (id bigint PRIMARY KEY, name text);",
                .sources = "datatype-enum.html",
            },
        .check = check_enum,
        .node = PG_QUERY__NODE__NODE_CREATE_ENUM_STMT,
    },
    {
        .rule =
            {
                .id = "domain-with-constraint",
                .level = HAZARD_NOTE,
                .engine = ENGINE_POSTGRES,
                .title = "a domain with a constraint makes later changes dear",
                .why = "Adding a column of it rewrites the table; changing the constraint reads "
                       "every table that uses it.",
                .fix = "A CHECK of the table.",
                .example = "CREATE DOMAIN percent AS int CHECK (VALUE BETWEEN 0 AND 100);",
                .safe = "CREATE DOMAIN percent AS int;",
                .sources = "sql-createdomain.html",
            },
        .check = check_domain,
        .node = PG_QUERY__NODE__NODE_CREATE_DOMAIN_STMT,
    },
};
const struct rule_table rules_design_name = {rows, ARRAY_LEN(rows)};
