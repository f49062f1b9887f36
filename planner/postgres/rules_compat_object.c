/* Rules about views and functions that are replaced, domains, and what is in use. */
#include "planner/postgres/query_uses.h"
#include "planner/postgres/rules_support.h"

/* ---- views ---- */

/* Why the columns of a view cannot become those of the query; NULL: they can (checkViewColumns()). */
static const char *why_refused(const struct rule_subject *s, const struct catalog_relation *view,
                               const PgQuery__ViewStmt *stmt)
{
    struct effects ignored = {0};
    struct deed d = {.a = s->a,
                     .catalog = s->catalog,
                     .major = s->major,
                     .node = s->tree,
                     .effects = &ignored,
                     .old_relations = s->catalog->relations.count};
    struct query_uses uses = {0};
    query_uses_read(&d, stmt->query, &uses);
    size_t at = 0;
    for (size_t i = 0; i < view->columns.count && !uses.has_unknown; i++) {
        const struct catalog_column *old = view->columns.at[i];
        if (old->is_dropped)
            continue;
        if (at >= uses.output.count)
            return arena_printf(s->a, "column %.*s goes", STR_ARG(old->name));
        struct str name =
            at < stmt->n_aliases ? rule_string(stmt->aliases[at]) : uses.output.at[at].name;
        struct type_ref type = uses.output.at[at++].type;
        bool is_known = (type.builtin.len || type.user) &&
                        (old->type.builtin.len || old->type.user) &&
                        !str_equal(type.builtin, STR("unknown"));
        if (!str_equal(name, old->name))
            return arena_printf(s->a, "column %.*s becomes %.*s", STR_ARG(old->name),
                                STR_ARG(name));
        if (is_known && !type_equal(&type, &old->type))
            return arena_printf(s->a, "column %.*s changes its type", STR_ARG(old->name));
    }
    return NULL;
}

static void check_replace_view(struct rule_subject *s)
{
    const PgQuery__ViewStmt *stmt = rule_tree(s)->view_stmt;
    struct rule_finding about = rule_about(s, stmt->view);
    bool is_view = about.relation && about.relation->kind == RELATION_VIEW;
    const char *why = stmt->replace && is_view ? why_refused(s, about.relation, stmt) : NULL;
    if (why)
        rule_report_at(s, &about, "the server will refuse it: %s", why);
}

/* ---- functions ---- */

static const PgQuery__CreateFunctionStmt *function_stmt(const struct rule_subject *s)
{
    return rule_tree(s)->create_function_stmt;
}

static bool is_input(const PgQuery__FunctionParameter *p)
{
    return p->mode != PG_QUERY__FUNCTION_PARAMETER_MODE__FUNC_PARAM_OUT &&
           p->mode != PG_QUERY__FUNCTION_PARAMETER_MODE__FUNC_PARAM_TABLE;
}

/* Whether it has the same input types, in order. */
static bool has_same_arguments(const struct rule_subject *s, const struct catalog_function *f)
{
    const PgQuery__CreateFunctionStmt *stmt = function_stmt(s);
    size_t at = 0;
    for (size_t i = 0; i < stmt->n_parameters; i++) {
        const PgQuery__Node *n = stmt->parameters[i];
        if (n->node_case != PG_QUERY__NODE__NODE_FUNCTION_PARAMETER ||
            !is_input(n->function_parameter))
            continue;
        struct type_ref type = type_resolve(s->catalog, n->function_parameter->arg_type, NULL);
        type.typmod = -1;
        if (at >= f->arguments.count)
            return false;
        struct type_ref theirs = f->arguments.at[at++];
        theirs.typmod = -1;
        if (!type_equal(&type, &theirs))
            return false;
    }
    return at == f->arguments.count;
}

/* The functions of the name: one with the same arguments, and any other. */
static void find_functions(const struct rule_subject *s, const struct catalog_function **out_same,
                           const struct catalog_function **out_other)
{
    const PgQuery__CreateFunctionStmt *stmt = function_stmt(s);
    struct str schema =
        stmt->n_funcname > 1 ? rule_string(stmt->funcname[stmt->n_funcname - 2]) : (struct str){0};
    struct str name =
        stmt->n_funcname ? rule_string(stmt->funcname[stmt->n_funcname - 1]) : (struct str){0};
    *out_same = *out_other = NULL;
    const struct catalog_function *f = NULL;
    while ((f = catalog_find_function(s->catalog, schema, name, f))) {
        if (f->is_dropped)
            continue;
        if (has_same_arguments(s, f))
            *out_same = f;
        else
            *out_other = f;
    }
}

static bool changes_result(const struct rule_subject *s, const struct catalog_function *f)
{
    const PgQuery__CreateFunctionStmt *stmt = function_stmt(s);
    if (!stmt->return_type || stmt->is_procedure)
        return false;
    struct type_ref type = type_resolve(s->catalog, stmt->return_type, NULL);
    struct type_ref theirs = f->result;
    bool is_known = (type.builtin.len || type.user) && (theirs.builtin.len || theirs.user);
    type.typmod = theirs.typmod = -1;
    return is_known && (!type_equal(&type, &theirs) || stmt->return_type->setof != f->returns_set);
}

/* The first parameter with another name; "" : none. */
static const char *renamed_parameter(const struct rule_subject *s, const struct catalog_function *f)
{
    const PgQuery__CreateFunctionStmt *stmt = function_stmt(s);
    size_t at = 0;
    for (size_t i = 0; i < stmt->n_parameters; i++) {
        const PgQuery__FunctionParameter *p = stmt->parameters[i]->function_parameter;
        if (stmt->parameters[i]->node_case != PG_QUERY__NODE__NODE_FUNCTION_PARAMETER ||
            !is_input(p))
            continue;
        struct str old = at < f->argument_names.count ? f->argument_names.at[at] : (struct str){0};
        at++;
        if (old.len && !str_equal(old, str_of(p->name)))
            return arena_cstr(s->a, old);
    }
    return "";
}

static void check_replace_function(struct rule_subject *s)
{
    const struct catalog_function *same;
    const struct catalog_function *other;
    find_functions(s, &same, &other);
    if (!function_stmt(s)->replace || !same)
        return;
    if (changes_result(s, same))
        rule_report(s, NULL, "%.*s() returns another type: the server refuses to replace it",
                    STR_ARG(same->name));
    else if (renamed_parameter(s, same)[0])
        rule_report(s, NULL,
                    "parameter %s of %.*s() gets another name: the server refuses to replace "
                    "it",
                    renamed_parameter(s, same), STR_ARG(same->name));
}

static void check_overload(struct rule_subject *s)
{
    const struct catalog_function *same;
    const struct catalog_function *other;
    find_functions(s, &same, &other);
    if (function_stmt(s)->replace && !same && other)
        rule_report(s, NULL,
                    "%.*s() with other arguments is there: this makes a second one, and calls "
                    "may become ambiguous",
                    STR_ARG(other->name));
}

static char volatility_of(const PgQuery__Node *n)
{
    if (n->node_case != PG_QUERY__NODE__NODE_DEF_ELEM ||
        strcmp(n->def_elem->defname, "volatility") != 0)
        return 0;
    struct str word = rule_string(n->def_elem->arg);
    return word.len ? word.at[0] : 0;
}

static const char *volatility_word(char c)
{
    return c == 'i' ? "IMMUTABLE" : c == 's' ? "STABLE" : "VOLATILE";
}

/* was: 0 where it is not known. */
static void see_volatility(struct rule_subject *s, struct str name, char was,
                           PgQuery__Node *const *options, size_t count, bool is_replaced)
{
    char now = is_replaced ? 'v' : 0;
    for (size_t i = 0; i < count; i++) {
        char said = volatility_of(options[i]);
        now = said ? said : now;
    }
    if (now && was && now != was)
        rule_report(s, NULL, "%.*s() changes from %s to %s", STR_ARG(name), volatility_word(was),
                    volatility_word(now));
    else if (now && !was && !is_replaced)
        rule_report(s, NULL, "%.*s() is %s from here on", STR_ARG(name), volatility_word(now));
}

static void check_volatility(struct rule_subject *s)
{
    const PgQuery__Node *tree = s->tree;
    if (!tree)
        return;
    if (tree->node_case == PG_QUERY__NODE__NODE_CREATE_FUNCTION_STMT) {
        const struct catalog_function *same;
        const struct catalog_function *other;
        find_functions(s, &same, &other);
        if (same && tree->create_function_stmt->replace && !same->is_procedure)
            see_volatility(s, same->name, same->volatility, tree->create_function_stmt->options,
                           tree->create_function_stmt->n_options, true);
    } else if (tree->node_case == PG_QUERY__NODE__NODE_ALTER_FUNCTION_STMT &&
               tree->alter_function_stmt->func) {
        const PgQuery__ObjectWithArgs *func = tree->alter_function_stmt->func;
        struct str name =
            func->n_objname ? rule_string(func->objname[func->n_objname - 1]) : (struct str){0};
        const struct catalog_function *f =
            catalog_find_function(s->catalog, (struct str){0}, name, NULL);
        see_volatility(s, name, f ? f->volatility : 0, tree->alter_function_stmt->actions,
                       tree->alter_function_stmt->n_actions, false);
    }
}

/* ---- what the statistics show in use ---- */

static void see_used_table(struct rule_subject *s, const struct rule_drop *d)
{
    const struct catalog_relation *r = d->relation;
    int64_t reads =
        r ? (r->seq_scans > 0 ? r->seq_scans : 0) + (r->index_scans > 0 ? r->index_scans : 0) : 0;
    if (r && (reads > 0 || r->writes > 0))
        rule_report_at(
            s, &d->about, "%.*s is in use: the statistics count %lld reads and %lld writes",
            STR_ARG(d->about.name), (long long)reads, (long long)(r->writes > 0 ? r->writes : 0));
}

static void see_used_index(struct rule_subject *s, const struct rule_drop *d)
{
    const struct catalog_relation *r = d->relation;
    if (r && r->index && r->index->scans > 0)
        rule_report_at(s, &d->about, "%.*s is in use: the statistics count %lld scans",
                       STR_ARG(d->about.name), (long long)r->index->scans);
}

static void check_in_use(struct rule_subject *s)
{
    rule_each_dropped(s, PG_QUERY__OBJECT_TYPE__OBJECT_TABLE, see_used_table);
    rule_each_dropped(s, PG_QUERY__OBJECT_TYPE__OBJECT_INDEX, see_used_index);
}

/* ---- domains ---- */

static void check_domain_constraint(struct rule_subject *s)
{
    const PgQuery__AlterDomainStmt *stmt = rule_tree(s)->alter_domain_stmt;
    const PgQuery__Node *def = stmt->def;
    bool is_check = stmt->subtype[0] == 'C' && def &&
                    def->node_case == PG_QUERY__NODE__NODE_CONSTRAINT &&
                    def->constraint->contype == PG_QUERY__CONSTR_TYPE__CONSTR_CHECK &&
                    !def->constraint->skip_validation;
    struct str name = rule_names_text(s, stmt->type_name, stmt->n_type_name);
    if (is_check)
        rule_report_at(s, &(struct rule_finding){.name = name},
                       "every table with a column of domain %.*s is locked SHARE and read in full",
                       STR_ARG(name));
}

static void check_domain_not_null(struct rule_subject *s)
{
    const PgQuery__AlterDomainStmt *stmt = rule_tree(s)->alter_domain_stmt;
    const PgQuery__Node *def = stmt->def;
    bool is_added = stmt->subtype[0] == 'C' && def &&
                    def->node_case == PG_QUERY__NODE__NODE_CONSTRAINT &&
                    def->constraint->contype == PG_QUERY__CONSTR_TYPE__CONSTR_NOTNULL;
    struct str name = rule_names_text(s, stmt->type_name, stmt->n_type_name);
    if (stmt->subtype[0] == 'O' || is_added)
        rule_report_at(s, &(struct rule_finding){.name = name},
                       "every table with a column of domain %.*s is locked SHARE and read in full",
                       STR_ARG(name));
}

static const struct rule_row rows[] = {
    {
        .rule =
            {
                .id = "replace-view-incompatible",
                .level = HAZARD_BLOCK,
                .engine = ENGINE_POSTGRES,
                .title = "CREATE OR REPLACE VIEW may only add columns at the end",
                .why = "The server refuses to drop, rename, retype or reorder columns of a view.",
                .fix = "Make a view with a new name, let the code switch, drop the old one. Or "
                       "DROP and CREATE in one transaction, with the rights, when nobody minds.",
                .example = "CREATE OR REPLACE VIEW one AS SELECT 'x'::text AS t;",
                .safe = "CREATE OR REPLACE VIEW one AS SELECT 1 AS n, 'x'::text AS t, 2 AS m;",
                .sources = "sql-createview.html; view.c: checkViewColumns()",
            },
        .check = check_replace_view,
        .node = PG_QUERY__NODE__NODE_VIEW_STMT,
    },
    {
        .rule =
            {
                .id = "replace-function-incompatible",
                .level = HAZARD_BLOCK,
                .engine = ENGINE_POSTGRES,
                .title = "CREATE OR REPLACE FUNCTION keeps the result type and the names of "
                         "parameters",
                .why = "The server refuses another return type, and other names of parameters: "
                       "calls by name would break.",
                .fix = "Make a function with a new name, let the callers switch. Or DROP and "
                       "CREATE in one transaction.",
                .example = "CREATE OR REPLACE FUNCTION price(n int) RETURNS bigint LANGUAGE sql AS "
                           "'SELECT n * 2::bigint';",
                .safe = "CREATE OR REPLACE FUNCTION price(n int) RETURNS int LANGUAGE sql AS "
                        "'SELECT n * 3';",
                .sources = "sql-createfunction.html; pg_proc.c: ProcedureCreate()",
            },
        .check = check_replace_function,
        .node = PG_QUERY__NODE__NODE_CREATE_FUNCTION_STMT,
    },
    {
        .rule =
            {
                .id = "function-overload-created",
                .level = HAZARD_WARN,
                .engine = ENGINE_POSTGRES,
                .title = "CREATE OR REPLACE with other argument types makes a second function",
                .why = "The old one stays, old callers go on using it, and calls that fit both "
                       "fail: \"function is not unique\".",
                .fix = "DROP FUNCTION old(types) and CREATE in one transaction, or say in the "
                       "name that it is another one.",
                .example = "CREATE OR REPLACE FUNCTION price(n int, rebate int) RETURNS int "
                           "LANGUAGE sql AS 'SELECT n * 2 - rebate';",
                .safe = "CREATE OR REPLACE FUNCTION price(n int) RETURNS int LANGUAGE sql AS "
                        "'SELECT n * 3';",
                .sources = "xfunc-overload.html",
            },
        .check = check_overload,
        .node = PG_QUERY__NODE__NODE_CREATE_FUNCTION_STMT,
    },
    {
        .rule =
            {
                .id = "function-volatility-change",
                .level = HAZARD_WARN,
                .engine = ENGINE_POSTGRES,
                .title = "the volatility of a function changes what is built on it",
                .why = "Indexes, generated columns and partition keys need IMMUTABLE functions; "
                       "queries fold IMMUTABLE and STABLE ones. A function that is replaced "
                       "without a word about it becomes VOLATILE, and indexes over it are no "
                       "longer used, or wrong.",
                .fix = "Repeat the marker in CREATE OR REPLACE. Build indexes over it again "
                       "when its results change.",
                .example = "CREATE OR REPLACE FUNCTION clean(t text) RETURNS text LANGUAGE sql AS "
                           "'SELECT lower(btrim(t))';",
                .safe = "CREATE OR REPLACE FUNCTION clean(t text) RETURNS text LANGUAGE sql "
                        "IMMUTABLE AS 'SELECT lower(t)';",
                .sources = "xfunc-volatility.html",
            },
        .check = check_volatility,
    },
    {
        .rule =
            {
                .id = "drop-in-use",
                .level = HAZARD_WARN,
                .engine = ENGINE_POSTGRES,
                .title = "what is dropped is in use, as the target's statistics tell",
                .why = "pg_stat_user_tables and pg_stat_user_indexes count reads and writes "
                       "since they were last reset. They are in the catalog of a live target "
                       "and of a snapshot; without one this is not reported.",
                .fix = "Find out who uses it. Reset the counters and look again after a week.",
                .example = "DROP TABLE hits;",
                .safe = "DROP TABLE idle;",
                .sources = "monitoring-stats.html",
            },
        .check = check_in_use,
        .node = PG_QUERY__NODE__NODE_DROP_STMT,
    },
    {
        .rule =
            {
                .id = "alter-domain-constraint",
                .level = HAZARD_BLOCK,
                .engine = ENGINE_POSTGRES,
                .title = "a new constraint of a domain reads every table that uses it",
                .why = "SHARE is taken on each table with a column of the domain, all of them "
                       "until the end: nobody writes. With NOT VALID nothing is read; but "
                       "VALIDATE CONSTRAINT takes the same locks for just as long, so that there "
                       "is no online form.",
                .fix = "ALTER DOMAIN … ADD CONSTRAINT … NOT VALID: it holds for all new values. "
                       "Look for old ones with SELECT, and leave it at that; or VALIDATE in a "
                       "quiet hour. Or give the columns a CHECK instead, which is verified beside "
                       "writers.",
                .example = "ALTER DOMAIN percent ADD CONSTRAINT percent_range CHECK (VALUE BETWEEN "
                           "0 AND 100);",
                .safe = "ALTER DOMAIN percent ADD CONSTRAINT percent_range CHECK (VALUE BETWEEN "
                        "0 AND 100) NOT VALID;",
                .sources = "sql-alterdomain.html; typecmds.c: validateDomainCheckConstraint()",
            },
        .check = check_domain_constraint,
        .node = PG_QUERY__NODE__NODE_ALTER_DOMAIN_STMT,
    },
    {
        .rule =
            {
                .id = "alter-domain-not-null",
                .level = HAZARD_BLOCK,
                .engine = ENGINE_POSTGRES,
                .title = "NOT NULL of a domain reads every table that uses it",
                .why = "SHARE is taken on each table with a column of the domain, and each is "
                       "read. There is no NOT VALID for it.",
                .fix = "ADD CONSTRAINT … CHECK (VALUE IS NOT NULL) NOT VALID, which holds for all "
                       "new values; VALIDATE takes the same locks. Or SET NOT NULL of the "
                       "columns, which has an online form.",
                .example = "ALTER DOMAIN percent SET NOT NULL;",
                .safe = "ALTER DOMAIN percent ADD CONSTRAINT percent_given CHECK (VALUE IS NOT "
                        "NULL) NOT VALID;",
                .sources = "sql-alterdomain.html; typecmds.c: AlterDomainNotNull()",
            },
        .check = check_domain_not_null,
        .node = PG_QUERY__NODE__NODE_ALTER_DOMAIN_STMT,
    },
};
const struct rule_table rules_compat_object = {rows, ARRAY_LEN(rows)};
