/* Advice about the types of columns. */
#include "planner/postgres/rules_support.h"

/* A type that is advised against, and what to take instead. */
struct advice {
    const char *type;
    const char *instead;
};

static void advise(struct rule_subject *s, const struct rule_column *c, const struct advice *of)
{
    if (rule_is_builtin(c, of->type) && !rule_is_temporary(c->table))
        rule_report_at(s, &c->about, "%s of %.*s is %.*s: %s", c->def->colname,
                       STR_ARG(c->about.name), STR_ARG(type_text(s->a, &c->type)), of->instead);
}

#define TYPE_CHECK(name, type_name, text)                                                          \
    static void see_##name(struct rule_subject *s, const struct rule_column *c)                    \
    {                                                                                              \
        advise(s, c, &(struct advice){type_name, text});                                           \
    }                                                                                              \
    static void check_##name(struct rule_subject *s)                                               \
    {                                                                                              \
        if (s->tree)                                                                               \
            rule_each_column(s, see_##name);                                                       \
    }

TYPE_CHECK(integer, "int4", "it ends at 2147483647; bigint does not")
TYPE_CHECK(smallint, "int2", "it ends at 32767, and padding takes what it saves")
TYPE_CHECK(char, "bpchar", "it is filled up with blanks; take text")
TYPE_CHECK(timestamp, "timestamp",
           "which moment it means depends on who reads it; take timestamptz")
TYPE_CHECK(timetz, "timetz", "an offset without a date means nothing; take timestamptz")
TYPE_CHECK(money, "money", "its currency and fraction depend on lc_monetary; take numeric")
TYPE_CHECK(json, "json", "it has no equality, so DISTINCT and GROUP BY fail; take jsonb")

static void see_float(struct rule_subject *s, const struct rule_column *c)
{
    advise(s, c, &(struct advice){"float4", "sums of it are not exact; amounts are numeric"});
    advise(s, c, &(struct advice){"float8", "sums of it are not exact; amounts are numeric"});
}

static void check_float(struct rule_subject *s)
{
    if (s->tree)
        rule_each_column(s, see_float);
}

static void see_varchar(struct rule_subject *s, const struct rule_column *c)
{
    if (rule_is_builtin(c, "varchar") && c->type.typmod > 0)
        rule_report_at(s, &c->about, "%s of %.*s is %.*s: a shorter limit later rewrites the table",
                       c->def->colname, STR_ARG(c->about.name), STR_ARG(type_text(s->a, &c->type)));
}

static void check_varchar(struct rule_subject *s)
{
    if (s->tree)
        rule_each_column(s, see_varchar);
}

static void see_precision(struct rule_subject *s, const struct rule_column *c)
{
    bool is_time = rule_is_builtin(c, "timestamp") || rule_is_builtin(c, "timestamptz") ||
                   rule_is_builtin(c, "time") || rule_is_builtin(c, "timetz");
    enum { ALL_DIGITS = 6 }; /* what is kept without a number, too */
    if (is_time && c->type.typmod == 0)
        rule_report_at(
            s, &c->about,
            "%s of %.*s keeps whole seconds, and rounds: 23:59:59.9 becomes the next day",
            c->def->colname, STR_ARG(c->about.name));
    else if (is_time && c->type.typmod > 0 && c->type.typmod < ALL_DIGITS)
        rule_report_at(s, &c->about, "%s of %.*s keeps %d digits of a second, and rounds the rest",
                       c->def->colname, STR_ARG(c->about.name), c->type.typmod);
}

static void check_precision(struct rule_subject *s)
{
    if (s->tree)
        rule_each_column(s, see_precision);
}

static void see_numeric(struct rule_subject *s, const struct rule_column *c)
{
    if (rule_is_builtin(c, "numeric") && c->type.typmod < 0)
        rule_report_at(s, &c->about,
                       "%s of %.*s is numeric without a precision: any number of digits "
                       "gets in",
                       c->def->colname, STR_ARG(c->about.name));
}

static void check_numeric(struct rule_subject *s)
{
    if (s->tree)
        rule_each_column(s, see_numeric);
}

static void see_discouraged(struct rule_subject *s, const struct rule_column *c)
{
    static const char *const names[] = {"xml",         "regclass",  "regproc",       "regprocedure",
                                        "regtype",     "regrole",   "regnamespace",  "regoper",
                                        "regoperator", "regconfig", "regdictionary", "oid",
                                        "bytea"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (rule_is_builtin(c, names[i]))
            rule_report_at(s, &c->about, "%s of %.*s is %s: %s", c->def->colname,
                           STR_ARG(c->about.name), names[i],
                           str_starts(str_of(names[i]), STR("reg"))
                               ? "pg_upgrade refuses tables with it"
                               : "ask whether it belongs into the database");
    }
    const PgQuery__TypeName *type = c->def->type_name;
    if (type && type->n_names &&
        str_equal(rule_string(type->names[type->n_names - 1]), STR("hstore")))
        rule_report_at(s, &c->about,
                       "%s of %.*s is hstore: jsonb says the same without an extension",
                       c->def->colname, STR_ARG(c->about.name));
    if (c->type.is_array)
        rule_report_at(s, &c->about,
                       "%s of %.*s is an array: a table of its own can be joined and "
                       "constrained",
                       c->def->colname, STR_ARG(c->about.name));
}

static void check_discouraged(struct rule_subject *s)
{
    if (s->tree)
        rule_each_column(s, see_discouraged);
}

/* ---- numbers that are made ---- */

static void see_serial(struct rule_subject *s, const struct rule_column *c)
{
    if (c->is_serial && !c->is_added && !c->is_retyped)
        rule_report_at(s, &c->about,
                       "%s of %.*s is serial: its sequence has rights and a type of its own",
                       c->def->colname, STR_ARG(c->about.name));
}

static void check_serial(struct rule_subject *s)
{
    rule_each_column(s, see_serial);
}

static void see_by_default(struct rule_subject *s, const struct rule_column *c)
{
    const PgQuery__Constraint *k =
        rule_column_constraint(c, PG_QUERY__CONSTR_TYPE__CONSTR_IDENTITY);
    if (k && k->generated_when[0] == 'd')
        rule_report_at(s, &c->about,
                       "%s of %.*s takes any value that an INSERT gives, which later meets "
                       "the sequence",
                       c->def->colname, STR_ARG(c->about.name));
}

static void check_by_default(struct rule_subject *s)
{
    if (s->tree)
        rule_each_column(s, see_by_default);
}

static bool is_time_of_day(void *context, const ProtobufCMessage *message)
{
    (void)context;
    if (message->descriptor != &pg_query__sqlvalue_function__descriptor)
        return false;
    PgQuery__SQLValueFunctionOp op = ((const PgQuery__SQLValueFunction *)message)->op;
    return op == PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_CURRENT_TIME ||
           op == PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_CURRENT_TIME_N ||
           op == PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_LOCALTIME ||
           op == PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_LOCALTIME_N;
}

static void check_current_time(struct rule_subject *s)
{
    if (s->tree && parse_tree_visit(&rule_tree(s)->base, is_time_of_day, NULL))
        rule_report(s, NULL, "CURRENT_TIME and LOCALTIME are times of the day without a day");
}

static void see_constant(struct rule_subject *s, const struct rule_column *c)
{
    const PgQuery__Constraint *k =
        rule_column_constraint(c, PG_QUERY__CONSTR_TYPE__CONSTR_GENERATED);
    if (!k || !k->raw_expr)
        return;
    bool has_column = false;
    struct catalog_relation *none = NULL;
    (void)none;
    has_column = parse_tree_visit(&k->raw_expr->base, rule_is_column_ref, NULL);
    if (!has_column)
        rule_report_at(s, &c->about, "%s of %.*s is generated from constants only", c->def->colname,
                       STR_ARG(c->about.name));
}

static void check_constant(struct rule_subject *s)
{
    if (s->tree)
        rule_each_column(s, see_constant);
}

static const struct rule_row rows[] = {
    {
        .rule =
            {
                .id = "integer-column",
                .level = HAZARD_OFF,
                .engine = ENGINE_POSTGRES,
                .title = "an integer column ends at 2147483647",
                .why = "To widen it later rewrites the table. A bigint takes four bytes more, "
                       "often none, because of padding.",
                .fix = "Take bigint.",
                .example = "CREATE TABLE hits (id bigint PRIMARY KEY, n integer);",
                .safe = "CREATE TABLE hits (id bigint PRIMARY KEY, n bigint);",
                .sources = "datatype-numeric.html",
            },
        .check = check_integer,
    },
    {
        .rule =
            {
                .id = "smallint-column",
                .level = HAZARD_OFF,
                .engine = ENGINE_POSTGRES,
                .title = "a smallint column ends at 32767",
                .why = "The two bytes that it saves are mostly lost to padding, and to widen it "
                       "later rewrites the table.",
                .fix = "Take integer or bigint.",
                .example = "CREATE TABLE hits (id bigint PRIMARY KEY, n smallint);",
                .safe = "CREATE TABLE hits (id bigint PRIMARY KEY, n bigint);",
                .sources = "datatype-numeric.html",
            },
        .check = check_smallint,
    },
    {
        .rule =
            {
                .id = "serial-column",
                .level = HAZARD_NOTE,
                .engine = ENGINE_POSTGRES,
                .title = "identity columns have replaced serial",
                .why = "The sequence of a serial column has rights and a type of its own, may "
                       "be dropped or pointed elsewhere, and is not copied by LIKE.",
                .fix = "bigint GENERATED ALWAYS AS IDENTITY.",
                .example = "CREATE TABLE hits (id bigserial PRIMARY KEY);",
                .safe = "CREATE TABLE hits (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY);",
                .sources = "datatype-numeric.html#DATATYPE-SERIAL",
            },
        .check = check_serial,
        .node = PG_QUERY__NODE__NODE_CREATE_STMT,
    },
    {
        .rule =
            {
                .id = "identity-by-default",
                .level = HAZARD_OFF,
                .engine = ENGINE_POSTGRES,
                .title = "GENERATED BY DEFAULT lets an INSERT choose the number",
                .why = "A number that an INSERT gives does not move the sequence, which later "
                       "makes the same one: duplicate key.",
                .fix = "GENERATED ALWAYS; who must give a number says OVERRIDING SYSTEM VALUE.",
                .example = "CREATE TABLE hits (id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY "
                           "KEY);",
                .safe = "CREATE TABLE hits (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY);",
                .sources = "sql-createtable.html",
            },
        .check = check_by_default,
    },
    {
        .rule =
            {
                .id = "char-column",
                .level = HAZARD_NOTE,
                .engine = ENGINE_POSTGRES,
                .title = "char(n) is filled up with blanks",
                .why = "The blanks are stored, and ignored by some operators and not by others.",
                .fix = "Take text, with a CHECK where a length matters.",
                .example = "CREATE TABLE rates (id bigint PRIMARY KEY, currency char(3));",
                .safe = "CREATE TABLE rates (id bigint PRIMARY KEY, currency text);",
                .sources = "datatype-character.html",
            },
        .check = check_char,
    },
    {
        .rule =
            {
                .id = "varchar-limit",
                .level = HAZARD_OFF,
                .engine = ENGINE_POSTGRES,
                .title = "a limit of varchar is hard to lower",
                .why = "A larger limit is free, a smaller one rewrites the table. text is as "
                       "fast.",
                .fix = "Take text; a CHECK can be added and dropped without a rewrite.",
                .example = "CREATE TABLE users (id bigint PRIMARY KEY, name varchar(50));",
                .safe = "CREATE TABLE users (id bigint PRIMARY KEY, name text);",
                .sources = "datatype-character.html",
            },
        .check = check_varchar,
    },
    {
        .rule =
            {
                .id = "timestamp-without-zone",
                .level = HAZARD_NOTE,
                .engine = ENGINE_POSTGRES,
                .title = "timestamp without time zone is no moment",
                .why = "It is what a clock on some wall showed: comparisons across zones and "
                       "changes of summer time are wrong by hours.",
                .fix = "Take timestamptz, which is stored in UTC and takes the same room.",
                .example = "CREATE TABLE logins (id bigint PRIMARY KEY, at timestamp);",
                .safe = "CREATE TABLE logins (id bigint PRIMARY KEY, at timestamptz);",
                .sources = "datatype-datetime.html",
            },
        .check = check_timestamp,
    },
    {
        .rule =
            {
                .id = "timestamp-precision",
                .level = HAZARD_NOTE,
                .engine = ENGINE_POSTGRES,
                .title = "a precision of seconds rounds, it does not cut",
                .why = "timestamp(0) of 23:59:59.7 is the next day. The room that it takes is "
                       "the same.",
                .fix = "Leave the precision out, and date_trunc() where it is shown.",
                .example = "CREATE TABLE logins (id bigint PRIMARY KEY, at timestamptz(0));",
                .safe = "CREATE TABLE logins (id bigint PRIMARY KEY, at timestamptz);",
                .sources = "datatype-datetime.html",
            },
        .check = check_precision,
    },
    {
        .rule =
            {
                .id = "timetz-column",
                .level = HAZARD_NOTE,
                .engine = ENGINE_POSTGRES,
                .title = "a time with an offset and no date means nothing",
                .why = "The offset of a place depends on the date; the type is there for the "
                       "SQL standard only.",
                .fix = "Take timestamptz, or time with the name of the zone beside it.",
                .example = "CREATE TABLE shops (id bigint PRIMARY KEY, opens timetz);",
                .safe = "CREATE TABLE shops (id bigint PRIMARY KEY, opens time);",
                .sources = "datatype-datetime.html",
            },
        .check = check_timetz,
    },
    {
        .rule =
            {
                .id = "current-time-used",
                .level = HAZARD_OFF,
                .engine = ENGINE_POSTGRES,
                .title = "CURRENT_TIME and LOCALTIME have no date",
                .why = "Differences across midnight are negative, and CURRENT_TIME is a timetz.",
                .fix = "Take now() or CURRENT_TIMESTAMP.",
                .example = "SELECT CURRENT_TIME;",
                .safe = "SELECT CURRENT_TIMESTAMP;",
                .sources = "functions-datetime.html",
            },
        .check = check_current_time,
    },
    {
        .rule =
            {
                .id = "money-column",
                .level = HAZARD_NOTE,
                .engine = ENGINE_POSTGRES,
                .title = "money depends on a setting",
                .why = "The currency and the digits of its fraction come from lc_monetary; a "
                       "dump that is restored elsewhere changes them.",
                .fix = "numeric, with the currency in a column of its own.",
                .example = "CREATE TABLE orders (id bigint PRIMARY KEY, total money);",
                .safe = "CREATE TABLE orders (id bigint PRIMARY KEY, total numeric);",
                .sources = "datatype-money.html",
            },
        .check = check_money,
    },
    {
        .rule =
            {
                .id = "json-column",
                .level = HAZARD_NOTE,
                .engine = ENGINE_POSTGRES,
                .title = "json has no equality",
                .why = "DISTINCT, GROUP BY and UNION over a json column fail, and each access "
                       "parses the text again.",
                .fix = "Take jsonb, unless the exact text must be kept.",
                .example = "CREATE TABLE orders (id bigint PRIMARY KEY, data json);",
                .safe = "CREATE TABLE orders (id bigint PRIMARY KEY, data jsonb);",
                .sources = "datatype-json.html",
            },
        .check = check_json,
    },
    {
        .rule =
            {
                .id = "float-column",
                .level = HAZARD_OFF,
                .engine = ENGINE_POSTGRES,
                .title = "sums of binary fractions are not exact",
                .why = "0.1 has no exact form in real and double precision; amounts differ by a "
                       "cent, and comparisons with = fail.",
                .fix = "numeric for amounts; double precision for what was measured.",
                .example = "CREATE TABLE orders (id bigint PRIMARY KEY, total double precision);",
                .safe = "CREATE TABLE orders (id bigint PRIMARY KEY, total numeric);",
                .sources = "datatype-numeric.html",
            },
        .check = check_float,
    },
    {
        .rule =
            {
                .id = "discouraged-type",
                .level = HAZARD_OFF,
                .engine = ENGINE_POSTGRES,
                .title = "a type that causes trouble later",
                .why = "Columns of reg… types make pg_upgrade refuse the database; xml, bytea "
                       "and arrays are often better kept elsewhere.",
                .fix = "Store the name as text, files outside, lists in a table of their own.",
                .example = "CREATE TABLE audit (id bigint PRIMARY KEY, what regclass);",
                .safe = "CREATE TABLE audit (id bigint PRIMARY KEY, what text);",
                .sources = "pgupgrade.html; datatype-oid.html",
            },
        .check = check_discouraged,
    },
    {
        .rule =
            {
                .id = "numeric-precision",
                .level = HAZARD_OFF,
                .engine = ENGINE_POSTGRES,
                .title = "numeric without a precision takes any number of digits",
                .why = "An amount with 30 digits gets in, and what reads it may not be ready "
                       "for it.",
                .fix = "numeric(12,2), or a CHECK.",
                .example = "CREATE TABLE orders (id bigint PRIMARY KEY, total numeric);",
                .safe = "CREATE TABLE orders (id bigint PRIMARY KEY, total numeric(12, 2));",
                .sources = "datatype-numeric.html",
            },
        .check = check_numeric,
    },
    {
        .rule =
            {
                .id = "constant-generated-column",
                .level = HAZARD_NOTE,
                .engine = ENGINE_POSTGRES,
                .title = "a generated column that mentions no column is the same in every row",
                .why = "It takes room in each row and cannot be set.",
                .fix = "A view, or a default.",
                .example = "CREATE TABLE orders (id bigint PRIMARY KEY, kind text GENERATED ALWAYS "
                           "AS ('order') STORED);",
                .safe = "CREATE TABLE orders (id bigint PRIMARY KEY, kind text DEFAULT 'order');",
                .sources = "ddl-generated-columns.html",
            },
        .check = check_constant,
    },
};
const struct rule_table rules_design_type = {rows, ARRAY_LEN(rows)};
