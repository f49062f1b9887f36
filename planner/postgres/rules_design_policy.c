/* House rules: what every table, column, extension or function has to have. All off by default. */
#include "planner/postgres/rules_support.h"

/* What the file has made is looked at when it ends. */
static bool is_made_table(const struct rule_subject *s, const struct catalog_relation *r)
{
    return (r->kind == RELATION_TABLE || r->kind == RELATION_PARTITIONED_TABLE) && !r->is_dropped &&
           rule_is_made_here(s, r) && !r->is_partition && !rule_is_temporary(r);
}

static void end_comment(struct rule_subject *s)
{
    for (size_t i = rule_first_made(s); i < s->catalog->relations.count; i++) {
        const struct catalog_relation *r = s->catalog->relations.at[i];
        if (is_made_table(s, r) &&
            !file_state_find(rule_state(s), NOTED_COMMENT, catalog_relation_text(s->a, r),
                             (struct str){0}))
            rule_report_line(s, rule_line_of(s, r), NULL, "%.*s has no comment",
                             STR_ARG(catalog_relation_text(s->a, r)));
    }
}

static bool is_creation_time(struct str name)
{
    return str_starts(name, STR("created"));
}

static void end_required(struct rule_subject *s)
{
    for (size_t i = rule_first_made(s); i < s->catalog->relations.count; i++) {
        const struct catalog_relation *r = s->catalog->relations.at[i];
        bool has_one = false;
        for (size_t n = 0; n < r->columns.count; n++)
            has_one |= !r->columns.at[n]->is_dropped && is_creation_time(r->columns.at[n]->name);
        if (is_made_table(s, r) && !has_one)
            rule_report_line(s, rule_line_of(s, r), NULL, "%.*s has no created_at",
                             STR_ARG(catalog_relation_text(s->a, r)));
    }
}

static void see_nullable(struct rule_subject *s, const struct rule_column *c)
{
    bool is_required = rule_column_constraint(c, PG_QUERY__CONSTR_TYPE__CONSTR_NOTNULL) ||
                       rule_column_constraint(c, PG_QUERY__CONSTR_TYPE__CONSTR_PRIMARY) ||
                       rule_column_constraint(c, PG_QUERY__CONSTR_TYPE__CONSTR_IDENTITY);
    if (!is_required && !c->is_retyped && !c->is_serial && !c->is_added)
        rule_report_at(s, &c->about, "%s of %.*s may be NULL", c->def->colname,
                       STR_ARG(c->about.name));
}

static void check_nullable(struct rule_subject *s)
{
    rule_each_column(s, see_nullable);
}

static void see_default(struct rule_subject *s, const struct rule_column *c)
{
    bool is_given = rule_column_constraint(c, PG_QUERY__CONSTR_TYPE__CONSTR_DEFAULT) ||
                    rule_column_constraint(c, PG_QUERY__CONSTR_TYPE__CONSTR_IDENTITY) ||
                    rule_column_constraint(c, PG_QUERY__CONSTR_TYPE__CONSTR_PRIMARY) ||
                    rule_column_constraint(c, PG_QUERY__CONSTR_TYPE__CONSTR_GENERATED);
    if (!is_given && !c->is_retyped && !c->is_serial)
        rule_report_at(s, &c->about, "%s of %.*s has no default", c->def->colname,
                       STR_ARG(c->about.name));
}

static void check_default(struct rule_subject *s)
{
    rule_each_column(s, see_default);
}

/* Bytes at which values of a fixed width begin; 0: not known. */
static unsigned alignment(const struct rule_column *c)
{
    static const struct {
        const char *type;
        unsigned bytes;
    } widths[] = {{"int8", 8},   {"float8", 8}, {"timestamptz", 8}, {"timestamp", 8}, {"int4", 4},
                  {"float4", 4}, {"date", 4},   {"int2", 2},        {"bool", 1}};
    for (size_t i = 0; i < ARRAY_LEN(widths); i++) {
        if (rule_is_builtin(c, widths[i].type))
            return widths[i].bytes;
    }
    return 0;
}

static void check_alignment(struct rule_subject *s)
{
    const PgQuery__CreateStmt *stmt = rule_tree(s)->create_stmt;
    unsigned used = 0;
    unsigned padding = 0;
    for (size_t i = 0; i < stmt->n_table_elts; i++) {
        const PgQuery__Node *n = stmt->table_elts[i];
        if (n->node_case != PG_QUERY__NODE__NODE_COLUMN_DEF || !n->column_def->type_name)
            continue;
        struct rule_column c = {.def = n->column_def};
        c.type = type_resolve(s->catalog, n->column_def->type_name, NULL);
        unsigned bytes = alignment(&c);
        if (!bytes)
            break; /* what follows a text begins anywhere */
        unsigned gap = (bytes - used % bytes) % bytes;
        padding += gap;
        used += gap + bytes;
    }
    if (padding >= 7)
        rule_report(s, NULL, "%u bytes of each row of %s are padding", padding,
                    stmt->relation ? stmt->relation->relname : "");
}

static void see_collation(struct rule_subject *s, const struct rule_column *c)
{
    if (c->def->coll_clause)
        rule_report_at(s, &c->about, "%s of %.*s has a collation of its own", c->def->colname,
                       STR_ARG(c->about.name));
}

static void check_collation(struct rule_subject *s)
{
    if (s->tree)
        rule_each_column(s, see_collation);
}

static void check_extension(struct rule_subject *s)
{
    const PgQuery__CreateExtensionStmt *stmt = rule_tree(s)->create_extension_stmt;
    for (size_t i = 0; i < stmt->n_options; i++) {
        if (stmt->options[i]->node_case == PG_QUERY__NODE__NODE_DEF_ELEM &&
            strcmp(stmt->options[i]->def_elem->defname, "schema") == 0)
            return;
    }
    rule_report(s, NULL, "extension %s goes to whatever schema is first in the search_path",
                stmt->extname);
}

static void check_language(struct rule_subject *s)
{
    const PgQuery__CreateFunctionStmt *stmt = rule_tree(s)->create_function_stmt;
    for (size_t i = 0; i < stmt->n_options; i++) {
        const PgQuery__Node *n = stmt->options[i];
        if (n->node_case != PG_QUERY__NODE__NODE_DEF_ELEM ||
            strcmp(n->def_elem->defname, "language") != 0)
            continue;
        struct str name = rule_string(n->def_elem->arg);
        if (!str_equal_nocase(name, STR("sql")) && !str_equal_nocase(name, STR("plpgsql")))
            rule_report(s, NULL, "a function in %.*s needs that language on every server",
                        STR_ARG(name));
    }
}

static void see_owner(struct rule_subject *s, const struct rule_command *c)
{
    rule_report_at(s, &c->about, "%.*s gets an owner of its own", STR_ARG(c->about.name));
}

static void check_owner(struct rule_subject *s)
{
    rule_each_command(s, PG_QUERY__ALTER_TABLE_TYPE__AT_ChangeOwner, see_owner);
}

static void end_no_row_security(struct rule_subject *s)
{
    for (size_t i = rule_first_made(s); i < s->catalog->relations.count; i++) {
        const struct catalog_relation *r = s->catalog->relations.at[i];
        if (is_made_table(s, r) && !r->has_row_security)
            rule_report_line(s, rule_line_of(s, r), NULL, "%.*s has no row security",
                             STR_ARG(catalog_relation_text(s->a, r)));
    }
}

static bool is_call(void *context, const ProtobufCMessage *message)
{
    (void)context;
    return message->descriptor == &pg_query__func_call__descriptor ||
           message->descriptor == &pg_query__sqlvalue_function__descriptor;
}

static bool is_select(void *context, const ProtobufCMessage *message)
{
    (void)context;
    return message->descriptor == &pg_query__sub_link__descriptor;
}

static void check_policy_quality(struct rule_subject *s)
{
    const PgQuery__CreatePolicyStmt *stmt = rule_tree(s)->create_policy_stmt;
    const PgQuery__Node *qual = stmt->qual;
    if (!qual)
        return;
    if (rule_is_always_true(qual))
        rule_report(s, NULL, "policy %s lets everything through", stmt->policy_name);
    else if (parse_tree_visit(&qual->base, is_call, NULL) &&
             !parse_tree_visit(&qual->base, is_select, NULL))
        rule_report(s, NULL, "policy %s calls a function for every row", stmt->policy_name);
}

static void check_exposed(struct rule_subject *s)
{
    const PgQuery__Node *tree = s->tree;
    if (!tree)
        return;
    bool is_view = tree->node_case == PG_QUERY__NODE__NODE_CREATE_TABLE_AS_STMT &&
                   tree->create_table_as_stmt->objtype == PG_QUERY__OBJECT_TYPE__OBJECT_MATVIEW;
    if (is_view || tree->node_case == PG_QUERY__NODE__NODE_CREATE_FOREIGN_TABLE_STMT)
        rule_report(s, NULL, "row security does not reach %s",
                    is_view ? "materialized views" : "foreign tables");
}

static const struct rule_row rows[] = {
    {
        .rule =
            {
                .id = "missing-comment",
                .level = HAZARD_OFF,
                .engine = ENGINE_POSTGRES,
                .title = "a table without a comment",
                .why = "Who meets it in two years asks what it is for.",
                .fix = "COMMENT ON TABLE … IS '…'.",
                .example = "CREATE TABLE orders (id bigint PRIMARY KEY);",
                .safe = "CREATE TABLE orders (id bigint PRIMARY KEY);\n"
                        "COMMENT ON TABLE orders IS 'what customers have ordered';",
                .sources = "sql-comment.html",
            },
        .check_end = end_comment,
    },
    {
        .rule =
            {
                .id = "required-columns",
                .level = HAZARD_OFF,
                .engine = ENGINE_POSTGRES,
                .title = "a table without created_at",
                .why = "When a row came is asked for as soon as something went wrong.",
                .fix = "created_at timestamptz NOT NULL DEFAULT now().",
                .example = "CREATE TABLE orders (id bigint PRIMARY KEY);",
                .safe = "CREATE TABLE orders (id bigint PRIMARY KEY, created_at timestamptz NOT "
                        "NULL DEFAULT now());",
                .sources = "house rule",
            },
        .check_end = end_required,
    },
    {
        .rule =
            {
                .id = "column-not-null-policy",
                .level = HAZARD_OFF,
                .engine = ENGINE_POSTGRES,
                .title = "a column that may be NULL",
                .why = "Each NULL is a case that every query has to think of.",
                .fix = "NOT NULL with a default, where every row has a value.",
                .example = "CREATE TABLE orders (id bigint PRIMARY KEY, note text);",
                .safe = "CREATE TABLE orders (id bigint PRIMARY KEY, note text NOT NULL);",
                .sources = "house rule",
            },
        .check = check_nullable,
        .node = PG_QUERY__NODE__NODE_CREATE_STMT,
    },
    {
        .rule =
            {
                .id = "column-default-policy",
                .level = HAZARD_OFF,
                .engine = ENGINE_POSTGRES,
                .title = "a column without a default",
                .why = "INSERTs that leave it out store NULL, or fail.",
                .fix = "DEFAULT, where one value is the usual one.",
                .example = "CREATE TABLE orders (id bigint PRIMARY KEY, note text);",
                .safe = "CREATE TABLE orders (id bigint PRIMARY KEY, note text DEFAULT '');",
                .sources = "house rule",
            },
        .check = check_default,
        .node = PG_QUERY__NODE__NODE_CREATE_STMT,
    },
    {
        .rule =
            {
                .id = "column-alignment",
                .level = HAZARD_OFF,
                .engine = ENGINE_POSTGRES,
                .title = "columns in an order that wastes room",
                .why = "A bigint begins at a multiple of 8 bytes: behind a boolean seven bytes "
                       "are lost, in every row.",
                .fix = "Wide columns first, then narrow ones, then text.",
                .example = "CREATE TABLE flags (a boolean, id bigint PRIMARY KEY, b boolean, at "
                           "timestamptz);",
                .safe = "CREATE TABLE flags (id bigint PRIMARY KEY, at timestamptz, a boolean, b "
                        "boolean);",
                .sources = "storage-page-layout.html",
            },
        .check = check_alignment,
        .node = PG_QUERY__NODE__NODE_CREATE_STMT,
    },
    {
        .rule =
            {
                .id = "charset-collation-policy",
                .level = HAZARD_OFF,
                .engine = ENGINE_POSTGRES,
                .title = "a column with a collation of its own",
                .why = "Comparisons with other columns need COLLATE, and an update of the "
                       "operating system's collations may break its indexes.",
                .fix = "The database's collation, or COLLATE in the query.",
                .example = "CREATE TABLE users (id bigint PRIMARY KEY, name text COLLATE \"C\");",
                .safe = "CREATE TABLE users (id bigint PRIMARY KEY, name text);",
                .sources = "collation.html",
            },
        .check = check_collation,
    },
    {
        .rule =
            {
                .id = "extension-placement",
                .level = HAZARD_OFF,
                .engine = ENGINE_POSTGRES,
                .title = "an extension without a schema of its own",
                .why = "Its functions and types mix with those of the application, mostly in "
                       "public.",
                .fix = "CREATE EXTENSION … SCHEMA extensions.",
                .example = "CREATE EXTENSION pg_trgm;",
                .safe = "CREATE EXTENSION pg_trgm SCHEMA extensions;",
                .sources = "sql-createextension.html",
            },
        .check = check_extension,
        .node = PG_QUERY__NODE__NODE_CREATE_EXTENSION_STMT,
    },
    {
        .rule =
            {
                .id = "procedural-language",
                .level = HAZARD_OFF,
                .engine = ENGINE_POSTGRES,
                .title = "a function in a language that may not be everywhere",
                .why = "Every server needs the language, and who may write functions in it may "
                       "often do more.",
                .fix = "SQL or PL/pgSQL.",
                .example = "CREATE FUNCTION one() RETURNS int LANGUAGE plperl AS 'return 1;';",
                .safe = "CREATE FUNCTION one() RETURNS int LANGUAGE sql AS 'SELECT 1';",
                .sources = "xplang.html",
            },
        .check = check_language,
        .node = PG_QUERY__NODE__NODE_CREATE_FUNCTION_STMT,
    },
    {
        .rule =
            {
                .id = "object-ownership",
                .level = HAZARD_OFF,
                .engine = ENGINE_POSTGRES,
                .title = "an object gets an owner of its own",
                .why = "Objects of one schema with several owners need several roles to change "
                       "them.",
                .fix = "One owner for each schema.",
                .example = "ALTER TABLE orders OWNER TO CURRENT_USER;",
                .sources = "ddl-priv.html",
            },
        .check = check_owner,
        .node = PG_QUERY__NODE__NODE_ALTER_TABLE_STMT,
    },
    {
        .rule =
            {
                .id = "rls-missing",
                .level = HAZARD_OFF,
                .engine = ENGINE_POSTGRES,
                .title = "a table without row security",
                .why = "Where an API exposes tables as they are, each row is open to all its "
                       "roles.",
                .fix = "ENABLE ROW LEVEL SECURITY, with a policy.",
                .example = "CREATE TABLE notes (id bigint PRIMARY KEY, owner text);",
                .safe = "CREATE TABLE notes (id bigint PRIMARY KEY, owner text);\n"
                        "CREATE POLICY own ON notes USING (owner = current_user);\n"
                        "ALTER TABLE notes ENABLE ROW LEVEL SECURITY;",
                .sources = "ddl-rowsecurity.html",
            },
        .check_end = end_no_row_security,
    },
    {
        .rule =
            {
                .id = "rls-policy-quality",
                .level = HAZARD_OFF,
                .engine = ENGINE_POSTGRES,
                .title = "a policy that costs much, or holds nothing",
                .why = "A function in a policy is called for every row; within (SELECT …) it is "
                       "called once for a query.",
                .fix = "USING (owner = (SELECT current_setting('app.user'))).",
                .example =
                    "CREATE POLICY own ON notes USING (owner = current_setting('app.user'));",
                .safe = "CREATE POLICY own ON notes USING (owner = (SELECT "
                        "current_setting('app.user')));",
                .sources = "ddl-rowsecurity.html",
            },
        .check = check_policy_quality,
        .node = PG_QUERY__NODE__NODE_CREATE_POLICY_STMT,
    },
    {
        .rule =
            {
                .id = "exposed-object",
                .level = HAZARD_OFF,
                .engine = ENGINE_POSTGRES,
                .title = "row security does not reach materialized views and foreign tables",
                .why = "Who may read them reads every row that was there when they were filled.",
                .fix = "Keep them in a schema that the API does not expose.",
                .example = "CREATE MATERIALIZED VIEW note_counts AS SELECT owner, count(*) FROM "
                           "notes GROUP BY owner;",
                .safe = "CREATE VIEW note_counts AS SELECT owner, count(*) AS n FROM notes GROUP "
                        "BY owner;",
                .sources = "ddl-rowsecurity.html",
            },
        .check = check_exposed,
    },
};
const struct rule_table rules_design_policy = {rows, ARRAY_LEN(rows)};
