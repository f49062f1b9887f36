/* Rules about ALTER TABLE … ADD COLUMN. */
#include "planner/postgres/rules_support.h"

static bool is_identity(const struct rule_column *c)
{
    return rule_column_constraint(c, PG_QUERY__CONSTR_TYPE__CONSTR_IDENTITY) != NULL;
}

static bool is_generated(const struct rule_column *c)
{
    return rule_column_constraint(c, PG_QUERY__CONSTR_TYPE__CONSTR_GENERATED) != NULL;
}

/* The functions that make a default volatile: "random(), …". */
struct volatile_search {
    const struct rule_subject *s;
    const char *names;
};

static void add_volatile(void *context, struct str schema, struct str name)
{
    struct volatile_search *v = context;
    (void)schema;
    enum volatility volatility = builtin_volatility(name);
    if (volatility == VOLATILITY_IMMUTABLE || volatility == VOLATILITY_STABLE)
        return;
    v->names =
        arena_printf(v->s->a, "%s%s%.*s()", v->names, v->names[0] ? ", " : "", STR_ARG(name));
}

static const char *volatile_names(const struct rule_subject *s, const PgQuery__Node *tree)
{
    struct volatile_search v = {s, ""};
    expression_functions(tree, add_volatile, &v);
    return v.names[0] ? v.names : "the default";
}

static bool is_plain_added(const struct rule_column *c)
{
    return c->is_added && !rule_is_temporary(c->table);
}

static void see_volatile(struct rule_subject *s, const struct rule_column *c)
{
    const PgQuery__Node *tree = column_default_tree(c->def);
    if (!is_plain_added(c) || is_generated(c) || !tree)
        return;
    enum volatility v = expression_volatility(s->catalog, tree);
    if (v == VOLATILITY_VOLATILE || v == VOLATILITY_UNKNOWN)
        rule_report_at(s, &c->about, "%.*s%s is rewritten under ACCESS EXCLUSIVE: %s is %s",
                       STR_ARG(c->about.name), rule_rows_text(s, c->table), volatile_names(s, tree),
                       v == VOLATILITY_UNKNOWN ? "not known, so it counts as volatile"
                                               : "volatile");
}

static void check_volatile(struct rule_subject *s)
{
    rule_each_column(s, see_volatile);
}

static void see_default(struct rule_subject *s, const struct rule_column *c)
{
    if (is_plain_added(c) && column_default_tree(c->def))
        rule_report_at(s, &c->about, "%.*s%s is rewritten under ACCESS EXCLUSIVE for the default",
                       STR_ARG(c->about.name), rule_rows_text(s, c->table));
}

static void check_default_before_11(struct rule_subject *s)
{
    rule_each_column(s, see_default);
}

static void see_serial(struct rule_subject *s, const struct rule_column *c)
{
    if (is_plain_added(c) && c->is_serial)
        rule_report_at(s, &c->about,
                       "%.*s%s is rewritten under ACCESS EXCLUSIVE to number its rows",
                       STR_ARG(c->about.name), rule_rows_text(s, c->table));
}

static void check_serial(struct rule_subject *s)
{
    rule_each_column(s, see_serial);
}

static void see_identity(struct rule_subject *s, const struct rule_column *c)
{
    if (is_plain_added(c) && is_identity(c))
        rule_report_at(s, &c->about,
                       "%.*s%s is rewritten under ACCESS EXCLUSIVE to number its rows",
                       STR_ARG(c->about.name), rule_rows_text(s, c->table));
}

static void check_identity(struct rule_subject *s)
{
    rule_each_column(s, see_identity);
}

static void see_stored(struct rule_subject *s, const struct rule_column *c)
{
    if (is_plain_added(c) && is_generated(c) && !column_is_virtual(c->def))
        rule_report_at(s, &c->about, "%.*s%s is rewritten under ACCESS EXCLUSIVE to compute %s",
                       STR_ARG(c->about.name), rule_rows_text(s, c->table), c->def->colname);
}

static void check_stored(struct rule_subject *s)
{
    rule_each_column(s, see_stored);
}

static void see_domain(struct rule_subject *s, const struct rule_column *c)
{
    if (is_plain_added(c) && type_is_constrained_domain(&c->type))
        rule_report_at(s, &c->about,
                       "%.*s%s is rewritten under ACCESS EXCLUSIVE: the domain of %s "
                       "has a constraint",
                       STR_ARG(c->about.name), rule_rows_text(s, c->table), c->def->colname);
}

static void check_domain(struct rule_subject *s)
{
    rule_each_column(s, see_domain);
}

/* ---- columns that must be given ---- */

static bool is_required(const struct rule_subject *s, const struct rule_column *c)
{
    bool says_not_null = rule_column_constraint(c, PG_QUERY__CONSTR_TYPE__CONSTR_NOTNULL) ||
                         rule_column_constraint(c, PG_QUERY__CONSTR_TYPE__CONSTR_PRIMARY);
    (void)s;
    return is_plain_added(c) && says_not_null && !column_default_tree(c->def) && !c->is_serial &&
           !is_identity(c) && !is_generated(c) &&
           !(c->type.user && c->type.user->kind == TYPE_DOMAIN &&
             catalog_has_expression(&c->type.user->default_value));
}

/* Empty on the target itself: the statement passes there. */
static bool is_seen_empty(const struct rule_subject *s, const struct rule_column *c)
{
    return c->table && c->table->rows == ROWS_NONE && s->catalog->source >= CATALOG_SNAPSHOT;
}

static bool may_be_empty(const struct rule_column *c)
{
    return !c->table || c->table->rows != ROWS_SOME;
}

/* Of the INSERTs required-column-after-empty-check speaks, where both are found. */
static void see_required(struct rule_subject *s, const struct rule_column *c)
{
    if (is_required(s, c) && !is_seen_empty(s, c))
        rule_report_at(s, &c->about,
                       "%s of %.*s is NOT NULL without a DEFAULT: the statement fails where the "
                       "table has rows%s",
                       c->def->colname, STR_ARG(c->about.name),
                       may_be_empty(c) ? ""
                                       : ", and INSERTs that do not know the column fail after it");
}

static void check_required(struct rule_subject *s)
{
    rule_each_column(s, see_required);
}

static void see_required_empty(struct rule_subject *s, const struct rule_column *c)
{
    if (is_required(s, c) && may_be_empty(c))
        rule_report_at(s, &c->about,
                       "INSERTs into %.*s that do not know %s fail, also where the "
                       "table is empty now",
                       STR_ARG(c->about.name), c->def->colname);
}

static void check_required_empty(struct rule_subject *s)
{
    rule_each_column(s, see_required_empty);
}

static const struct rule_row rows[] = {
    {
        .rule =
            {
                .id = "add-column-volatile-default",
                .level = HAZARD_BLOCK,
                .engine = ENGINE_POSTGRES,
                .exemptions = EXEMPT_NEW | EXEMPT_EMPTY | EXEMPT_SMALL,
                .title = "a new column with a volatile default rewrites the table",
                .why = "A default that gives every row a value of its own (random(), "
                       "clock_timestamp(), gen_random_uuid(), nextval(), a function that is not "
                       "marked STABLE or IMMUTABLE) is computed for each row: table and indexes "
                       "are written anew under ACCESS EXCLUSIVE. now(), current_timestamp and "
                       "constants are computed once, and stored once for the whole table.",
                .fix = "Add the column without a default, set the default in a second "
                       "statement, which is for new rows only, and fill the old rows in batches.",
                .example = "ALTER TABLE users ADD COLUMN token uuid DEFAULT gen_random_uuid();",
                .safe = "ALTER TABLE users ADD COLUMN token uuid;\n"
                        "ALTER TABLE users ALTER COLUMN token SET DEFAULT gen_random_uuid();\n"
                        "-- then in batches: UPDATE users SET token = gen_random_uuid() WHERE id "
                        "BETWEEN … AND …",
                .sources = "sql-altertable.html (Notes); tablecmds.c: ATExecAddColumn(); heap.c: "
                           "StoreAttrMissingVal()",
            },
        .check = check_volatile,
        .node = PG_QUERY__NODE__NODE_ALTER_TABLE_STMT,
    },
    {
        .rule =
            {
                .id = "add-column-default-pre11",
                .level = HAZARD_BLOCK,
                .engine = ENGINE_POSTGRES,
                .exemptions = EXEMPT_NEW | EXEMPT_EMPTY | EXEMPT_SMALL,
                .until = 10,
                .title = "before PostgreSQL 11 every default of a new column rewrites the table",
                .why = "Only 11 and later store a constant default once for all rows. An older "
                       "server writes the whole table and its indexes anew under ACCESS "
                       "EXCLUSIVE.",
                .fix = "Add the column without a default, set the default afterwards, and fill "
                       "the old rows in batches.",
                .example = "ALTER TABLE users ADD COLUMN active boolean DEFAULT true;",
                .safe = "ALTER TABLE users ADD COLUMN active boolean;\n"
                        "ALTER TABLE users ALTER COLUMN active SET DEFAULT true;",
                .sources = "release-11.html; sql-altertable.html (Notes)",
            },
        .check = check_default_before_11,
        .node = PG_QUERY__NODE__NODE_ALTER_TABLE_STMT,
    },
    {
        .rule =
            {
                .id = "add-column-serial",
                .level = HAZARD_BLOCK,
                .engine = ENGINE_POSTGRES,
                .exemptions = EXEMPT_NEW | EXEMPT_EMPTY,
                .title = "a new serial column rewrites the table",
                .why = "serial means a default of nextval(), which is volatile: every row gets "
                       "a number, table and indexes are written anew under ACCESS EXCLUSIVE.",
                .fix = "Add a nullable bigint column, make a sequence and set it as the "
                       "default, fill the old rows in batches, then prove NOT NULL.",
                .example = "ALTER TABLE users ADD COLUMN id bigserial;",
                .safe = "CREATE SEQUENCE users_id_seq;\n"
                        "ALTER TABLE users ADD COLUMN id bigint;\n"
                        "ALTER TABLE users ALTER COLUMN id SET DEFAULT nextval('users_id_seq');",
                .sources = "datatype-numeric.html#DATATYPE-SERIAL; tablecmds.c: ATExecAddColumn()",
            },
        .check = check_serial,
        .node = PG_QUERY__NODE__NODE_ALTER_TABLE_STMT,
    },
    {
        .rule =
            {
                .id = "add-column-identity",
                .level = HAZARD_BLOCK,
                .engine = ENGINE_POSTGRES,
                .exemptions = EXEMPT_NEW | EXEMPT_EMPTY,
                .title = "a new identity column rewrites the table",
                .why = "Every row gets a number from the new sequence: table and indexes are "
                       "written anew under ACCESS EXCLUSIVE.",
                .fix = "Add a nullable bigint column with a sequence as its default, fill the "
                       "old rows in batches, prove NOT NULL, then ADD GENERATED … AS IDENTITY, "
                       "which costs nothing.",
                .example = "ALTER TABLE users ADD COLUMN id bigint GENERATED ALWAYS AS IDENTITY;",
                .safe = "CREATE SEQUENCE users_id_seq;\n"
                        "ALTER TABLE users ADD COLUMN id bigint;\n"
                        "ALTER TABLE users ALTER COLUMN id SET DEFAULT nextval('users_id_seq');",
                .sources = "sql-altertable.html; tablecmds.c: ATExecAddColumn()",
            },
        .check = check_identity,
        .node = PG_QUERY__NODE__NODE_ALTER_TABLE_STMT,
    },
    {
        .rule =
            {
                .id = "add-column-generated-stored",
                .level = HAZARD_BLOCK,
                .engine = ENGINE_POSTGRES,
                .exemptions = EXEMPT_NEW | EXEMPT_EMPTY | EXEMPT_SMALL,
                .title = "a new stored generated column rewrites the table",
                .why = "Its value is computed and stored for every row under ACCESS EXCLUSIVE; "
                       "all indexes are built again. VIRTUAL columns (18 and later) are "
                       "computed when they are read, and cost nothing here.",
                .fix =
                    "There is no online form: the server makes no column that is there GENERATED "
                    "… STORED, and to add one it writes the table. On 18 make it VIRTUAL. Where "
                    "it is only searched by, an index over the expression will do (CREATE INDEX "
                    "CONCURRENTLY). Else add a plain column, fill new rows by a trigger, which "
                    "stays, and old ones in batches; or run this as it is written when nobody "
                    "needs the table.",
                .example = "ALTER TABLE people ADD COLUMN whole text GENERATED ALWAYS AS (first || "
                           "' ' || last) STORED;",
                .safe = "ALTER TABLE people ADD COLUMN whole text;",
                .sources = "ddl-generated-columns.html; tablecmds.c: ATExecAddColumn()",
            },
        .check = check_stored,
        .node = PG_QUERY__NODE__NODE_ALTER_TABLE_STMT,
    },
    {
        .rule =
            {
                .id = "add-column-constrained-domain",
                .level = HAZARD_BLOCK,
                .engine = ENGINE_POSTGRES,
                .exemptions = EXEMPT_NEW | EXEMPT_EMPTY,
                .title = "a new column of a domain with a constraint rewrites the table",
                .why = "The server cannot store one NULL for all rows when the domain has a "
                       "CHECK or NOT NULL: it writes every row anew under ACCESS EXCLUSIVE, "
                       "even when the column may be NULL and has no default. A domain without "
                       "constraints costs nothing.",
                .fix = "Use the base type, and a CHECK of the table: ADD CONSTRAINT … NOT "
                       "VALID, then VALIDATE.",
                .example = "ALTER TABLE offers ADD COLUMN rebate percent;",
                .safe =
                    "ALTER TABLE offers ADD COLUMN rebate int;\n"
                    "ALTER TABLE offers ADD CONSTRAINT offers_rebate CHECK (rebate BETWEEN 0 AND "
                    "100) NOT VALID;",
                .sources = "tablecmds.c: ATExecAddColumn() (DomainHasConstraints)",
            },
        .check = check_domain,
        .node = PG_QUERY__NODE__NODE_ALTER_TABLE_STMT,
    },
    {
        .rule =
            {
                .id = "add-required-column",
                .level = HAZARD_BLOCK,
                .engine = ENGINE_POSTGRES,
                .exemptions = EXEMPT_NEW,
                .title = "a NOT NULL column without a default fails on rows, and breaks INSERTs",
                .why = "Where the table has one row the statement fails: the row would be NULL "
                       "there. Where it is empty, as in a test database, it passes, and the "
                       "INSERTs of the running application, which do not name the column, fail "
                       "from then on.",
                .fix = "Add the column with a DEFAULT, which costs nothing from 11 on, and drop "
                       "the default when all code gives the value. Or add it nullable, fill it, "
                       "and set NOT NULL by way of a validated CHECK.",
                .example = "ALTER TABLE users ADD COLUMN country text NOT NULL;",
                .safe = "ALTER TABLE users ADD COLUMN country text NOT NULL DEFAULT 'DE';",
                .sources = "sql-altertable.html; tablecmds.c: ATRewriteTable()",
            },
        .check = check_required,
        .node = PG_QUERY__NODE__NODE_ALTER_TABLE_STMT,
    },
    {
        .rule =
            {
                .id = "required-column-after-empty-check",
                .level = HAZARD_WARN,
                .engine = ENGINE_POSTGRES,
                .exemptions = EXEMPT_NEW,
                .title = "a NOT NULL column without a default breaks the INSERTs of running code",
                .why = "That the table is empty makes the statement pass, and nothing else: "
                       "code of the last release inserts without the column and fails.",
                .fix = "Keep a DEFAULT for as long as code that does not know the column may "
                       "run.",
                .example = "ALTER TABLE users ADD COLUMN country text NOT NULL;",
                .safe = "ALTER TABLE users ADD COLUMN country text NOT NULL DEFAULT 'DE';",
                .sources = "sql-altertable.html",
            },
        .check = check_required_empty,
        .node = PG_QUERY__NODE__NODE_ALTER_TABLE_STMT,
    },
};
const struct rule_table rules_add_column = {rows, ARRAY_LEN(rows)};
