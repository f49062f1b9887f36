/* Rules about ALTER TABLE … ALTER COLUMN … TYPE. */
#include "planner/postgres/rules_support.h"

/* A change of one column's type. */
struct retype {
    const struct rule_command *c;
    const PgQuery__ColumnDef *def;
    struct type_ref to;
    enum type_change change; /* UNKNOWN where the column is not in the catalog, too */
};
typedef void retype_visitor(struct rule_subject *s, const struct retype *r);

struct retype_visit {
    retype_visitor *visit;
};
static retype_visitor see_rewrite, see_unknown, see_lossy, see_zone, see_scan, see_index,
    see_blocked, see_sequence, see_compat;

static void visit(struct rule_subject *s, const struct rule_command *c, retype_visitor *look)
{
    if (!c->cmd->def || c->cmd->def->node_case != PG_QUERY__NODE__NODE_COLUMN_DEF ||
        rule_is_temporary(c->table) || c->stmt->objtype == PG_QUERY__OBJECT_TYPE__OBJECT_TYPE)
        return;
    struct retype r = {.c = c, .def = c->cmd->def->column_def};
    if (!r.def->type_name)
        return;
    r.to = type_resolve(s->catalog, r.def->type_name, NULL);
    if (c->column)
        r.change = type_change_using(s->catalog, c->column, &r.to, r.def->raw_default,
                                     catalog_setting(s->catalog, "timezone"));
    look(s, &r);
}

#define VISITOR(name)                                                                              \
    static void visit_##name(struct rule_subject *s, const struct rule_command *c)                 \
    {                                                                                              \
        visit(s, c, see_##name);                                                                   \
    }                                                                                              \
    static void check_##name(struct rule_subject *s)                                               \
    {                                                                                              \
        rule_each_command(s, PG_QUERY__ALTER_TABLE_TYPE__AT_AlterColumnType, visit_##name);        \
    }
VISITOR(rewrite)
VISITOR(unknown)
VISITOR(lossy)
VISITOR(zone)
VISITOR(scan)
VISITOR(index)
VISITOR(blocked)
VISITOR(sequence)

/* ---- rewrites ---- */

static bool is_builtin(const struct type_ref *t, const char *name)
{
    return !t->is_array && str_equal(t->builtin, str_of(name));
}

static bool is_zoned_pair(const struct type_ref *a, const struct type_ref *b)
{
    return (is_builtin(a, "timestamp") && is_builtin(b, "timestamptz")) ||
           (is_builtin(a, "timestamptz") && is_builtin(b, "timestamp"));
}

/* Types that something is often changed to without a rewrite. */
static bool may_be_free(const struct retype *r)
{
    static const char *const names[] = {"text",        "varchar", "numeric", "timestamp",
                                        "timestamptz", "time",    "timetz",  "interval",
                                        "varbit",      "inet",    "citext"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (is_builtin(&r->to, names[i]))
            return true;
    }
    return !r->to.builtin.len && !r->to.user;
}

static void see_rewrite(struct rule_subject *s, const struct retype *r)
{
    const struct rule_command *c = r->c;
    struct str to = type_text(s->a, &r->to);
    if (!c->column) {
        if (!may_be_free(r) || r->def->raw_default)
            rule_report_at(s, &c->about,
                           "%.*s is rewritten under ACCESS EXCLUSIVE, with all its "
                           "indexes, unless %s is %.*s already",
                           STR_ARG(c->about.name), c->cmd->name, STR_ARG(to));
        return;
    }
    bool is_zoned = is_zoned_pair(&c->column->type, &r->to) && !r->def->raw_default;
    if (is_zoned || (r->change != TYPE_CHANGE_REWRITE && r->change != TYPE_CHANGE_IMPOSSIBLE &&
                     r->change != TYPE_CHANGE_UNKNOWN))
        return;
    rule_report_at(s, &c->about,
                   "%.*s%s is rewritten under ACCESS EXCLUSIVE, with all its indexes: "
                   "%s from %.*s to %.*s%s",
                   STR_ARG(c->about.name), rule_rows_text(s, c->table), c->cmd->name,
                   STR_ARG(type_text(s->a, &c->column->type)), STR_ARG(to),
                   r->def->raw_default ? " USING an expression" : "");
}

static void see_unknown(struct rule_subject *s, const struct retype *r)
{
    if (!r->c->column || r->change == TYPE_CHANGE_UNKNOWN)
        rule_report_at(s, &r->c->about,
                       "what %s of %.*s is now is not known: whether the change "
                       "rewrites the table cannot be told",
                       r->c->cmd->name, STR_ARG(r->c->about.name));
}

static void see_lossy(struct rule_subject *s, const struct retype *r)
{
    if (r->c->column && !r->def->raw_default &&
        type_change_is_lossy(s->catalog, &r->c->column->type, &r->to))
        rule_report_at(s, &r->c->about,
                       "values of %s may not fit: %.*s to %.*s fails half way, or "
                       "rounds them",
                       r->c->cmd->name, STR_ARG(type_text(s->a, &r->c->column->type)),
                       STR_ARG(type_text(s->a, &r->to)));
}

static void see_zone(struct rule_subject *s, const struct retype *r)
{
    struct str zone = catalog_setting(s->catalog, "timezone");
    bool is_utc = zone.at && time_zone_is_always_utc(zone);
    if (!r->c->column || !is_zoned_pair(&r->c->column->type, &r->to) || is_utc ||
        r->def->raw_default)
        return;
    if (!zone.at)
        rule_report_at(s, &r->c->about,
                       "what becomes of %s of %.*s depends on the session's TimeZone, which is "
                       "not known here: UTC changes only the catalog, any other zone rewrites "
                       "the table and changes the values",
                       r->c->cmd->name, STR_ARG(r->c->about.name));
    else
        rule_report_at(s, &r->c->about,
                       "%s of %.*s is read in the session's time zone, %.*s: another "
                       "zone than UTC rewrites the table and changes the values",
                       r->c->cmd->name, STR_ARG(r->c->about.name), STR_ARG(zone));
}

/* ---- scans and indexes of a change that is free otherwise ---- */

static bool is_free(const struct retype *r)
{
    return r->c->column && (r->change == TYPE_CHANGE_NONE || r->change == TYPE_CHANGE_CATALOG);
}

static void see_scan(struct rule_subject *s, const struct retype *r)
{
    for (size_t i = 0; is_free(r) && i < r->c->table->constraints.count; i++) {
        const struct catalog_constraint *k = r->c->table->constraints.at[i];
        if (k->is_dropped || k->kind != CONSTRAINT_CHECK || !k->is_valid ||
            !expression_mentions(s->catalog, &k->check, r->c->table, r->c->column))
            continue;
        rule_report_at(s, &r->c->about,
                       "%.*s%s is read in full under ACCESS EXCLUSIVE: CHECK %.*s "
                       "mentions %s",
                       STR_ARG(r->c->about.name), rule_rows_text(s, r->c->table), STR_ARG(k->name),
                       r->c->cmd->name);
    }
}

static void see_index(struct rule_subject *s, const struct retype *r)
{
    for (size_t i = 0; is_free(r) && i < s->effects->builds.count; i++) {
        const struct effect_object *build = &s->effects->builds.at[i];
        rule_report_at(s, &r->c->about, "index %.*s is built again under ACCESS EXCLUSIVE",
                       STR_ARG(build->relation));
        return;
    }
    bool is_collated = r->def->coll_clause != NULL;
    for (size_t i = 0; is_free(r) && i < r->c->table->indexes.count; i++) {
        const struct catalog_relation *index = r->c->table->indexes.at[i];
        for (size_t n = 0; !index->is_dropped && n < index->index->keys.count; n++) {
            const struct index_key *key = &index->index->keys.at[n];
            bool is_rebuilt =
                key->column == r->c->column &&
                (is_collated || type_change_rebuilds_index(s->catalog, &r->c->column->type, &r->to,
                                                           index->index->method, key->opclass));
            if (!is_rebuilt)
                continue;
            rule_report_at(s, &r->c->about, "index %.*s is built again under ACCESS EXCLUSIVE",
                           STR_ARG(index->name));
            return;
        }
    }
}

/* ---- what hangs on the column ---- */

static void see_blocked(struct rule_subject *s, const struct retype *r)
{
    const char *why = s->effects->failure;
    if (r->c->column && why && strstr(why, "its type cannot change"))
        rule_report_at(s, &r->c->about, "the server will refuse it: %s", why);
}

static void see_sequence(struct rule_subject *s, const struct retype *r)
{
    const struct catalog_column *column = r->c->column;
    if (!is_builtin(&r->to, "int8") || !column || column->identity || !column->sequence ||
        !column->sequence->sequence || is_builtin(&column->sequence->sequence->type, "int8"))
        return;
    rule_report_at(s, &r->c->about,
                   "%s becomes bigint, but its sequence %.*s stays %.*s and ends at "
                   "the old limit",
                   r->c->cmd->name, STR_ARG(column->sequence->name),
                   STR_ARG(type_text(s->a, &column->sequence->sequence->type)));
}

static void see_compat(struct rule_subject *s, const struct retype *r)
{
    if (r->c->column && r->change == TYPE_CHANGE_NONE)
        return;
    rule_report_at(s, &r->c->about, "code and drivers meet %.*s in %s of %.*s",
                   STR_ARG(type_text(s->a, &r->to)), r->c->cmd->name, STR_ARG(r->c->about.name));
}

static void visit_compat(struct rule_subject *s, const struct rule_command *c)
{
    visit(s, c, see_compat);
}

/* ALTER TYPE … ADD | DROP | ALTER ATTRIBUTE. */
static void see_attribute(struct rule_subject *s, const struct rule_command *c)
{
    if (c->stmt->objtype != PG_QUERY__OBJECT_TYPE__OBJECT_TYPE ||
        (c->cmd->subtype != PG_QUERY__ALTER_TABLE_TYPE__AT_AddColumn &&
         c->cmd->subtype != PG_QUERY__ALTER_TABLE_TYPE__AT_DropColumn &&
         c->cmd->subtype != PG_QUERY__ALTER_TABLE_TYPE__AT_AlterColumnType))
        return;
    rule_report_at(s, &c->about,
                   "values of type %.*s have another shape from here on: code that reads or "
                   "builds them fails",
                   STR_ARG(c->about.name));
}

static void check_compat(struct rule_subject *s)
{
    rule_each_command(s, PG_QUERY__ALTER_TABLE_TYPE__AT_AlterColumnType, visit_compat);
    rule_each_command(s, 0, see_attribute);
}

static const struct rule_row rows[] = {
    {
        .rule =
            {
                .id = "alter-type-rewrite",
                .level = HAZARD_BLOCK,
                .engine = ENGINE_POSTGRES,
                .exemptions = EXEMPT_NEW | EXEMPT_EMPTY | EXEMPT_SMALL,
                .title = "a type with another stored form rewrites the table and all its indexes",
                .why = "Nobody reads or writes the table until every row is written anew and "
                       "every index is built again. Free are only changes that keep the stored "
                       "bytes: a longer varchar, varchar to text, more digits of numeric with "
                       "the same scale, a domain to its base type. USING with an expression is "
                       "always a rewrite.",
                .fix = "Add a new column, keep it in step by a trigger, fill it in batches, let "
                       "the code switch, drop the old one.",
                .example = "ALTER TABLE orders ALTER COLUMN total TYPE bigint;",
                .safe = "ALTER TABLE orders ADD COLUMN total_2 bigint;",
                .sources = "tablecmds.c: ATColumnChangeRequiresRewrite(); sql-altertable.html "
                           "(Notes)",
            },
        .check = check_rewrite,
        .node = PG_QUERY__NODE__NODE_ALTER_TABLE_STMT,
    },
    {
        .rule =
            {
                .id = "alter-type-unknown",
                .level = HAZARD_WARN,
                .engine = ENGINE_POSTGRES,
                .title = "whether a change of type is free depends on a type that is not known",
                .why = "varchar(50) to varchar(100) is free, text to varchar(100) rewrites the "
                       "table. Without the catalog, or with a type of an extension that is not "
                       "known, neither can be told, and the worse is assumed.",
                .fix = "Plan against the target (--url), a snapshot, or --schema with the "
                       "output of pg_dump -s.",
                .example = "ALTER TABLE things ALTER COLUMN what TYPE varchar(100);",
                .safe = "ALTER TABLE things ADD COLUMN what_2 text;",
                .sources = "tablecmds.c: ATColumnChangeRequiresRewrite()",
            },
        .check = check_unknown,
        .node = PG_QUERY__NODE__NODE_ALTER_TABLE_STMT,
    },
    {
        .rule =
            {
                .id = "lossy-type-change",
                .level = HAZARD_BLOCK,
                .engine = ENGINE_POSTGRES,
                .title = "a narrower type fails on rows that do not fit, or rounds them",
                .why = "A shorter varchar and a smaller integer make the statement fail in the "
                       "middle of its rewrite, in production and not in the test. Fewer digits "
                       "of a fraction, double to real, a lower precision of a timestamp round "
                       "without a word.",
                .fix = "Prove first that everything fits: ADD CONSTRAINT … CHECK … NOT VALID, "
                       "VALIDATE. Then change by way of a new column.",
                .example = "ALTER TABLE users ALTER COLUMN name TYPE varchar(20);",
                .safe = "ALTER TABLE users ADD CONSTRAINT name_length CHECK (length(name) <= 20) "
                        "NOT VALID;",
                .sources = "datatype-numeric.html; type coercion in parse_coerce.c",
            },
        .check = check_lossy,
        .node = PG_QUERY__NODE__NODE_ALTER_TABLE_STMT,
    },
    {
        .rule =
            {
                .id = "alter-type-timestamptz-session-zone",
                .level = HAZARD_BLOCK,
                .engine = ENGINE_POSTGRES,
                .exemptions = EXEMPT_NEW,
                .title = "timestamp and timestamptz are converted in the session's time zone",
                .why = "From 12 on the change is free when the session's TimeZone is UTC, which "
                       "also means that the stored values are taken as UTC. In any other zone "
                       "each value is shifted, and the table rewritten under ACCESS EXCLUSIVE. "
                       "Which zone a session has is decided by roles and configuration.",
                .fix = "Where the values are UTC: SET LOCAL timezone TO 'UTC' in front of it, "
                       "in the same transaction. Otherwise say what they are, by way of a new "
                       "column.",
                .example = "ALTER TABLE logins ALTER COLUMN at TYPE timestamptz;",
                .safe = "SET LOCAL timezone TO 'UTC';\n"
                        "ALTER TABLE logins ALTER COLUMN at TYPE timestamptz;",
                .sources = "tablecmds.c: ATColumnChangeRequiresRewrite(); release-12.html",
            },
        .check = check_zone,
        .node = PG_QUERY__NODE__NODE_ALTER_TABLE_STMT,
    },
    {
        .rule =
            {
                .id = "alter-type-scan",
                .level = HAZARD_WARN,
                .engine = ENGINE_POSTGRES,
                .exemptions = EXEMPT_NEW | EXEMPT_EMPTY,
                .title = "a CHECK over the column makes a free change of type read the table",
                .why = "The constraint is made anew for the new type and tested on every row, "
                       "under ACCESS EXCLUSIVE.",
                .fix = "Drop the CHECK, change the type, add the CHECK again NOT VALID, and "
                       "VALIDATE it in a transaction of its own.",
                .example = "ALTER TABLE users ALTER COLUMN name TYPE varchar(40);",
                .safe = "ALTER TABLE users DROP CONSTRAINT name_given;\n"
                        "ALTER TABLE users ALTER COLUMN name TYPE varchar(40);\n"
                        "ALTER TABLE users ADD CONSTRAINT name_given CHECK (name <> '') NOT VALID;",
                .sources = "tablecmds.c: ATPostAlterTypeCleanup()",
            },
        .check = check_scan,
        .node = PG_QUERY__NODE__NODE_ALTER_TABLE_STMT,
    },
    {
        .rule =
            {
                .id = "alter-type-index-rebuild",
                .level = HAZARD_WARN,
                .engine = ENGINE_POSTGRES,
                .exemptions = EXEMPT_NEW | EXEMPT_EMPTY,
                .title = "another collation or operator class builds the indexes of the column "
                         "again",
                .why = "The table is not rewritten, but each index over the column is built "
                       "under ACCESS EXCLUSIVE. A longer varchar keeps the index files.",
                .fix = "Build an index over the new form first (an expression, or a new "
                       "column), CONCURRENTLY; drop the old index, then change the type.",
                .example = "ALTER TABLE users ALTER COLUMN email TYPE text COLLATE \"C\";",
                .safe = "CREATE INDEX CONCURRENTLY users_email_c ON users (email COLLATE \"C\");",
                .sources = "indexcmds.c: CheckIndexCompatible()",
            },
        .check = check_index,
        .node = PG_QUERY__NODE__NODE_ALTER_TABLE_STMT,
    },
    {
        .rule =
            {
                .id = "alter-type-blocked-by-dependant",
                .level = HAZARD_BLOCK,
                .engine = ENGINE_POSTGRES,
                .title = "a view, rule, policy, trigger or generated column over the column "
                         "forbids the change",
                .why = "The server refuses the change, also the free ones. Where the view "
                       "exists only in production, the migration passes every test and fails "
                       "there.",
                .fix = "Drop what depends on the column and make it again in the same "
                       "transaction, with its rights. Or use a new column.",
                .example = "ALTER TABLE users ALTER COLUMN name TYPE varchar(40);",
                .safe = "DROP VIEW names;\n"
                        "ALTER TABLE users ALTER COLUMN name TYPE varchar(40);\n"
                        "CREATE VIEW names AS SELECT name FROM users;",
                .sources = "tablecmds.c: RememberAllDependentForRebuilding()",
            },
        .check = check_blocked,
        .node = PG_QUERY__NODE__NODE_ALTER_TABLE_STMT,
    },
    {
        .rule =
            {
                .id = "sequence-narrower-than-column",
                .level = HAZARD_BLOCK,
                .engine = ENGINE_POSTGRES,
                .title = "the sequence of a serial column does not grow with the column",
                .why = "A serial column that becomes bigint keeps a sequence of type integer: "
                       "nextval() still fails at 2147483647. Identity columns take their "
                       "sequence along.",
                .fix = "ALTER SEQUENCE … AS bigint in the same migration.",
                .example = "ALTER TABLE orders ALTER COLUMN id TYPE bigint;",
                .safe = "ALTER SEQUENCE orders_id_seq AS bigint;\n"
                        "ALTER TABLE orders ALTER COLUMN id TYPE bigint;",
                .sources = "sql-altersequence.html; sequence.c",
            },
        .check = check_sequence,
        .node = PG_QUERY__NODE__NODE_ALTER_TABLE_STMT,
    },
    {
        .rule =
            {
                .id = "alter-type-compat",
                .level = HAZARD_WARN,
                .engine = ENGINE_POSTGRES,
                .exemptions = EXEMPT_NEW,
                .title = "code that runs expects the old type",
                .why = "Drivers and object mappers have read the type at their start; prepared "
                       "statements fail with \"cached plan must not change result type\". Values "
                       "that the code writes may not be accepted any more.",
                .fix = "Expand and contract: a new column beside the old one, both written, "
                       "code of both kinds works until the old one goes.",
                .example = "ALTER TABLE orders ALTER COLUMN code TYPE text;",
                .safe = "ALTER TABLE orders ADD COLUMN code_2 text;",
                .sources = "sql-altertable.html; plancache.c",
            },
        .check = check_compat,
        .node = PG_QUERY__NODE__NODE_ALTER_TABLE_STMT,
    },
};
const struct rule_table rules_type = {rows, ARRAY_LEN(rows)};
