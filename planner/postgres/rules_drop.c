/* Rules about schemas, databases, views, types, functions and whatever else is dropped. */
#include "planner/postgres/rules_support.h"

/* ---- schemas and what holds databases ---- */

static void see_drop_schema(struct rule_subject *s, const struct rule_drop *d)
{
    if (!rule_cascades(d->stmt->behavior))
        rule_report_at(s, &d->about,
                       "schema %.*s is dropped: no qualified name in it works any more",
                       STR_ARG(d->about.name));
}

static void check_drop_schema(struct rule_subject *s)
{
    rule_each_dropped(s, PG_QUERY__OBJECT_TYPE__OBJECT_SCHEMA, see_drop_schema);
}

static size_t count_tables(const struct catalog *c, struct str schema)
{
    size_t count = 0;
    for (size_t i = 0; i < c->relations.count; i++) {
        const struct catalog_relation *r = c->relations.at[i];
        count += !r->is_dropped && str_equal(r->schema, schema) &&
                 (r->kind == RELATION_TABLE || r->kind == RELATION_PARTITIONED_TABLE);
    }
    return count;
}

static void see_drop_schema_cascade(struct rule_subject *s, const struct rule_drop *d)
{
    if (!rule_cascades(d->stmt->behavior))
        return;
    size_t tables = count_tables(s->catalog, d->about.name);
    rule_report_at(
        s, &d->about, "schema %.*s is dropped with everything in it%s", STR_ARG(d->about.name),
        tables ? arena_printf(s->a, ", %zu table%s among it", tables, tables == 1 ? "" : "s") : "");
}

static void check_drop_schema_cascade(struct rule_subject *s)
{
    rule_each_dropped(s, PG_QUERY__OBJECT_TYPE__OBJECT_SCHEMA, see_drop_schema_cascade);
}

static void check_drop_database(struct rule_subject *s)
{
    const char *name = rule_tree(s)->dropdb_stmt->dbname;
    rule_report_at(s, &(struct rule_finding){.name = str_of(name)},
                   "database %s is dropped, and no transaction can take it back", name);
}

static void check_drop_tablespace(struct rule_subject *s)
{
    const char *name = rule_tree(s)->drop_table_space_stmt->tablespacename;
    rule_report_at(s, &(struct rule_finding){.name = str_of(name)},
                   "tablespace %s is dropped; it cannot be part of a transaction", name);
}

static void check_drop_owned(struct rule_subject *s)
{
    rule_report(s, NULL,
                "everything that the roles own in this database is dropped, whatever it is");
}

static void check_reassign_owned(struct rule_subject *s)
{
    rule_report(s, NULL, "everything that the roles own changes its owner, whatever it is");
}

static void check_owned(struct rule_subject *s)
{
    if (rule_tree(s)->node_case == PG_QUERY__NODE__NODE_DROP_OWNED_STMT)
        check_drop_owned(s);
    else if (rule_tree(s)->node_case == PG_QUERY__NODE__NODE_REASSIGN_OWNED_STMT)
        check_reassign_owned(s);
}

static void check_owned_of_any(struct rule_subject *s)
{
    if (s->tree)
        check_owned(s);
}

/* ---- views, types, functions ---- */

/* Whether CREATE VIEW of the same name stands in front of it in the file: it comes back. */
static void see_drop_view(struct rule_subject *s, const struct rule_drop *d)
{
    rule_report_at(s, &d->about, "view %.*s is dropped: queries that read it fail from here on",
                   STR_ARG(d->about.name));
}

static void check_drop_view(struct rule_subject *s)
{
    rule_each_dropped(s, PG_QUERY__OBJECT_TYPE__OBJECT_VIEW, see_drop_view);
    rule_each_dropped(s, PG_QUERY__OBJECT_TYPE__OBJECT_MATVIEW, see_drop_view);
}

static const PgQuery__ObjectType cascading_types[] = {
    PG_QUERY__OBJECT_TYPE__OBJECT_TYPE,      PG_QUERY__OBJECT_TYPE__OBJECT_DOMAIN,
    PG_QUERY__OBJECT_TYPE__OBJECT_FUNCTION,  PG_QUERY__OBJECT_TYPE__OBJECT_PROCEDURE,
    PG_QUERY__OBJECT_TYPE__OBJECT_ROUTINE,   PG_QUERY__OBJECT_TYPE__OBJECT_AGGREGATE,
    PG_QUERY__OBJECT_TYPE__OBJECT_EXTENSION, PG_QUERY__OBJECT_TYPE__OBJECT_SEQUENCE,
    PG_QUERY__OBJECT_TYPE__OBJECT_VIEW,      PG_QUERY__OBJECT_TYPE__OBJECT_MATVIEW,
    PG_QUERY__OBJECT_TYPE__OBJECT_COLLATION, PG_QUERY__OBJECT_TYPE__OBJECT_OPERATOR,
    PG_QUERY__OBJECT_TYPE__OBJECT_LANGUAGE,  PG_QUERY__OBJECT_TYPE__OBJECT_FOREIGN_SERVER,
    PG_QUERY__OBJECT_TYPE__OBJECT_FDW,       PG_QUERY__OBJECT_TYPE__OBJECT_OPCLASS,
};

static void see_drop_cascade(struct rule_subject *s, const struct rule_drop *d)
{
    if (!rule_cascades(d->stmt->behavior))
        return;
    size_t columns = 0;
    for (size_t i = 0; i < s->effects->losses.count; i++)
        columns += strcmp(s->effects->losses.at[i].object_kind, "COLUMN") == 0;
    rule_report_at(s, &d->about, "%.*s is dropped with CASCADE, which takes whatever uses it%s",
                   STR_ARG(d->about.name),
                   columns ? arena_printf(s->a, ", %zu column%s with their values among it",
                                          columns, columns == 1 ? "" : "s")
                           : "");
}

static void check_drop_cascade(struct rule_subject *s)
{
    for (size_t i = 0; i < ARRAY_LEN(cascading_types); i++)
        rule_each_dropped(s, cascading_types[i], see_drop_cascade);
}

static void see_drop_extension(struct rule_subject *s, const struct rule_drop *d)
{
    rule_report_at(s, &d->about, "extension %.*s goes with its types, functions and operators",
                   STR_ARG(d->about.name));
}

static void check_drop_extension(struct rule_subject *s)
{
    rule_each_dropped(s, PG_QUERY__OBJECT_TYPE__OBJECT_EXTENSION, see_drop_extension);
}

/* ---- functions that something still calls ---- */

static bool is_word_byte(char c)
{
    return char_is_alpha(c) || char_is_digit(c) || c == '_' || c == '$';
}

static bool mentions_word(struct str text, struct str word)
{
    for (size_t at = 0; word.len && at + word.len <= text.len;) {
        size_t found = str_find(str_skip(text, at), word);
        if (found == SIZE_MAX)
            return false;
        size_t from = at + found;
        size_t to = from + word.len;
        bool begins = from == 0 || !is_word_byte(text.at[from - 1]);
        bool ends = to == text.len || !is_word_byte(text.at[to]);
        if (begins && ends)
            return true;
        at = to;
    }
    return false;
}

static const struct catalog_relation *trigger_table(const struct catalog *c, struct str function)
{
    for (size_t i = 0; i < c->relations.count; i++) {
        const struct catalog_relation *r = c->relations.at[i];
        for (size_t n = 0; !r->is_dropped && n < r->triggers.count; n++) {
            const struct catalog_trigger *t = r->triggers.at[n];
            if (!t->is_dropped && t->function && str_equal(t->function->name, function))
                return r;
        }
    }
    return NULL;
}

static const struct catalog_function *calling_function(const struct catalog *c,
                                                       const struct catalog_function *f)
{
    for (size_t i = 0; i < c->functions.count; i++) {
        const struct catalog_function *other = c->functions.at[i];
        if (!other->is_dropped && other != f && mentions_word(other->body, f->name))
            return other;
    }
    return NULL;
}

/* Of the kinds that have no rule of their own. A trigger function is called by nobody's code. */
static void see_drop_object(struct rule_subject *s, const struct rule_drop *d)
{
    size_t dot = str_find_char(d->about.name, '.');
    struct str bare = dot == SIZE_MAX ? d->about.name : str_skip(d->about.name, dot + 1);
    const struct catalog_function *f =
        d->stmt->remove_type == PG_QUERY__OBJECT_TYPE__OBJECT_FUNCTION
            ? catalog_find_function(s->catalog, (struct str){0}, bare, NULL)
            : NULL;
    bool is_in_use = f && (calling_function(s->catalog, f) || trigger_table(s->catalog, bare));
    if ((f && str_equal(f->result.builtin, STR("trigger"))) || is_in_use ||
        rule_cascades(d->stmt->behavior)) /* others speak of that */
        return;
    if (d->about.name.len)
        rule_report_at(s, &d->about, "what calls %.*s by its name fails from here on",
                       STR_ARG(d->about.name));
    else
        rule_report_at(s, &d->about, "queries that need it fail from here on");
}

static void check_drop_object(struct rule_subject *s)
{
    static const PgQuery__ObjectType types[] = {
        PG_QUERY__OBJECT_TYPE__OBJECT_TYPE,      PG_QUERY__OBJECT_TYPE__OBJECT_DOMAIN,
        PG_QUERY__OBJECT_TYPE__OBJECT_FUNCTION,  PG_QUERY__OBJECT_TYPE__OBJECT_PROCEDURE,
        PG_QUERY__OBJECT_TYPE__OBJECT_ROUTINE,   PG_QUERY__OBJECT_TYPE__OBJECT_AGGREGATE,
        PG_QUERY__OBJECT_TYPE__OBJECT_SEQUENCE,  PG_QUERY__OBJECT_TYPE__OBJECT_CAST,
        PG_QUERY__OBJECT_TYPE__OBJECT_COLLATION, PG_QUERY__OBJECT_TYPE__OBJECT_OPERATOR,
    };
    for (size_t i = 0; i < ARRAY_LEN(types); i++)
        rule_each_dropped(s, types[i], see_drop_object);
}

static void see_function_in_use(struct rule_subject *s, const struct rule_drop *d)
{
    const struct str *name = &d->about.name;
    size_t dot = str_find_char(*name, '.');
    struct str bare = dot == SIZE_MAX ? *name : str_skip(*name, dot + 1);
    const struct catalog_function *f =
        catalog_find_function(s->catalog, (struct str){0}, bare, NULL);
    if (!f)
        return;
    const struct catalog_function *caller = calling_function(s->catalog, f);
    const struct catalog_relation *table = trigger_table(s->catalog, bare);
    if (caller)
        rule_report_at(s, &d->about, "the body of function %.*s still names %.*s, which is dropped",
                       STR_ARG(caller->name), STR_ARG(*name));
    else if (table)
        rule_report_at(s, &d->about, "a trigger of %.*s still calls %.*s, which is dropped",
                       STR_ARG(table->name), STR_ARG(*name));
}

static void check_function_in_use(struct rule_subject *s)
{
    rule_each_dropped(s, PG_QUERY__OBJECT_TYPE__OBJECT_FUNCTION, see_function_in_use);
    rule_each_dropped(s, PG_QUERY__OBJECT_TYPE__OBJECT_PROCEDURE, see_function_in_use);
    rule_each_dropped(s, PG_QUERY__OBJECT_TYPE__OBJECT_ROUTINE, see_function_in_use);
}

static const struct rule_row rows[] = {
    {
        .rule =
            {
                .id = "drop-schema",
                .level = HAZARD_BLOCK,
                .engine = ENGINE_POSTGRES,
                .title = "dropping a schema removes a name space that code may use",
                .why = "Without CASCADE the server refuses while anything is in the schema. "
                       "Code with the schema in its search_path goes on with the next one and "
                       "may meet other tables of the same name.",
                .fix = "Make sure that no role's search_path and no connection names the "
                       "schema. Then allow it with a reason.",
                .example = "DROP SCHEMA archive;",
                .sources = "sql-dropschema.html",
            },
        .check = check_drop_schema,
        .node = PG_QUERY__NODE__NODE_DROP_STMT,
    },
    {
        .rule =
            {
                .id = "drop-schema-cascade",
                .level = HAZARD_BLOCK,
                .engine = ENGINE_POSTGRES,
                .title = "DROP SCHEMA … CASCADE drops everything in the schema",
                .why = "All tables with their rows, views, functions and types of the schema "
                       "go, and whatever in other schemas depends on them. ACCESS EXCLUSIVE is "
                       "taken on each table and on the tables that their foreign keys point at.",
                .fix = "Drop the objects by their names, table by table, then the empty schema "
                       "without CASCADE.",
                .example = "DROP SCHEMA archive CASCADE;",
                .safe = "DROP TABLE archive.invoices;\n"
                        "DROP SCHEMA archive;",
                .sources = "sql-dropschema.html; namespace.c",
            },
        .check = check_drop_schema_cascade,
        .node = PG_QUERY__NODE__NODE_DROP_STMT,
    },
    {
        .rule =
            {
                .id = "drop-database",
                .level = HAZARD_BLOCK,
                .engine = ENGINE_POSTGRES,
                .title = "DROP DATABASE cannot be undone",
                .why = "The files of the database are deleted at once; there is no transaction "
                       "around it and no way back but a backup. It has no place among the "
                       "migrations of a database.",
                .fix = "Leave it to the person and the tool that create databases.",
                .example = "DROP DATABASE reports;",
                .sources = "sql-dropdatabase.html",
            },
        .check = check_drop_database,
        .node = PG_QUERY__NODE__NODE_DROPDB_STMT,
    },
    {
        .rule =
            {
                .id = "drop-tablespace",
                .level = HAZARD_BLOCK,
                .engine = ENGINE_POSTGRES,
                .title = "DROP TABLESPACE is about the whole server and runs outside transactions",
                .why = "A tablespace belongs to all databases of a server. The statement "
                       "refuses a transaction and fails while any database has a file in it.",
                .fix = "Leave it to the administration of the server.",
                .example = "DROP TABLESPACE fast_disks;",
                .sources = "sql-droptablespace.html",
            },
        .check = check_drop_tablespace,
        .node = PG_QUERY__NODE__NODE_DROP_TABLE_SPACE_STMT,
    },
    {
        .rule =
            {
                .id = "drop-owned",
                .level = HAZARD_BLOCK,
                .engine = ENGINE_POSTGRES,
                .title = "DROP OWNED and REASSIGN OWNED reach an unknown set of objects",
                .why = "Which objects belong to a role differs from database to database. DROP "
                       "OWNED drops all of them and takes the role's rights away; REASSIGN "
                       "OWNED locks each of them ACCESS EXCLUSIVE while it changes the owner.",
                .fix = "Name the objects: DROP TABLE …, ALTER TABLE … OWNER TO ….",
                .example = "DROP OWNED BY intern;",
                .safe = "ALTER TABLE invoices OWNER TO shop;",
                .sources = "sql-drop-owned.html; sql-reassign-owned.html",
            },
        .check = check_owned_of_any,
    },
    {
        .rule =
            {
                .id = "drop-object",
                .level = HAZARD_NOTE,
                .engine = ENGINE_POSTGRES,
                .exemptions = EXEMPT_NEW,
                .title = "a dropped type, function or sequence may still be called by its name",
                .why = "The server refuses the drop where a table, view or default needs the "
                       "object. It does not know of code, and of functions whose bodies are text.",
                .fix = "Look for the name in code and function bodies, and let one release pass "
                       "without it.",
                .example = "DROP SEQUENCE invoice_number;",
                .safe = "COMMENT ON SEQUENCE invoice_number IS 'not used since release 12';",
                .sources = "sql-dropsequence.html; ddl-depend.html",
            },
        .check = check_drop_object,
        .node = PG_QUERY__NODE__NODE_DROP_STMT,
    },
    {
        .rule =
            {
                .id = "drop-view",
                .level = HAZARD_WARN,
                .engine = ENGINE_POSTGRES,
                .exemptions = EXEMPT_NEW,
                .title = "readers of a dropped view fail",
                .why = "Queries that name the view fail from the moment of the commit, and "
                       "ACCESS EXCLUSIVE on it makes those that run wait before that.",
                .fix = "CREATE OR REPLACE VIEW keeps the name where columns are only added at "
                       "the end. Otherwise make a view under a new name, let the code switch, "
                       "and drop the old one in a later release.",
                .example = "DROP VIEW open_orders;",
                .safe = "CREATE OR REPLACE VIEW open_orders AS SELECT id, paid FROM orders WHERE "
                        "paid IS NOT TRUE;",
                .sources = "sql-dropview.html",
            },
        .check = check_drop_view,
        .node = PG_QUERY__NODE__NODE_DROP_STMT,
    },
    {
        .rule =
            {
                .id = "drop-object-cascade",
                .level = HAZARD_BLOCK,
                .engine = ENGINE_POSTGRES,
                .title = "DROP … CASCADE of a type, function, sequence or extension may drop "
                         "columns",
                .why = "Columns of a dropped type, defaults and triggers that call a dropped "
                       "function, views over either: CASCADE takes all of them, columns with "
                       "their values. Each table that is hit is locked ACCESS EXCLUSIVE.",
                .fix = "Change each user of the object first, then drop it without CASCADE.",
                .example = "DROP TYPE mood CASCADE;",
                .safe = "ALTER TABLE days ALTER COLUMN how TYPE text;\n"
                        "DROP TYPE mood;",
                .sources = "ddl-depend.html; sql-droptype.html",
            },
        .check = check_drop_cascade,
        .node = PG_QUERY__NODE__NODE_DROP_STMT,
    },
    {
        .rule =
            {
                .id = "drop-extension",
                .level = HAZARD_WARN,
                .engine = ENGINE_POSTGRES,
                .title = "an extension takes its types, functions and operators along",
                .why = "Queries that call one of its functions fail. Which objects an extension "
                       "owns depends on its version.",
                .fix = "Look for its functions and types in code and schema first (\\dx+ lists "
                       "them). Leave an unused extension in place when in doubt.",
                .example = "DROP EXTENSION pg_trgm;",
                .sources = "sql-dropextension.html",
            },
        .check = check_drop_extension,
        .node = PG_QUERY__NODE__NODE_DROP_STMT,
    },
    {
        .rule =
            {
                .id = "drop-function-in-use",
                .level = HAZARD_WARN,
                .engine = ENGINE_POSTGRES,
                .title = "a function that is dropped is still named by another one",
                .why = "The server refuses to drop what a trigger, default, view or index "
                       "depends on, but the bodies of functions are text to it: a PL/pgSQL "
                       "function that calls the dropped one fails when it runs next.",
                .fix = "Change the callers first. The names in bodies are found by their text, "
                       "so a local variable of the same name is a false alarm: allow it with "
                       "that reason.",
                .example = "DROP FUNCTION tax(numeric);",
                .safe =
                    "CREATE OR REPLACE FUNCTION price(n numeric) RETURNS numeric LANGUAGE plpgsql "
                    "AS 'BEGIN RETURN n * 1.2; END';\n"
                    "DROP FUNCTION tax(numeric);",
                .sources = "ddl-depend.html",
            },
        .check = check_function_in_use,
        .node = PG_QUERY__NODE__NODE_DROP_STMT,
    },
};
const struct rule_table rules_drop = {rows, ARRAY_LEN(rows)};
