/* Rules about what is there, what is not, and what cannot be seen. */
#include "planner/postgres/rules_support.h"

/* What a CREATE statement makes, and whether it says IF NOT EXISTS or OR REPLACE. */
struct creation {
    bool is_one;
    bool is_safe;
    bool is_if_not_exists;
    const PgQuery__RangeVar *name; /* relations; or NULL */
    struct str other;              /* a schema, an extension */
};

static struct creation creation_of(const struct rule_subject *s)
{
    const PgQuery__Node *tree = s->tree;
    struct creation c = {.is_one = true};
    switch (tree->node_case) {
    case PG_QUERY__NODE__NODE_CREATE_STMT:
        c.name = tree->create_stmt->relation;
        c.is_if_not_exists = tree->create_stmt->if_not_exists;
        break;
    case PG_QUERY__NODE__NODE_INDEX_STMT:
        c.is_if_not_exists = tree->index_stmt->if_not_exists;
        break;
    case PG_QUERY__NODE__NODE_CREATE_SEQ_STMT:
        c.name = tree->create_seq_stmt->sequence;
        c.is_if_not_exists = tree->create_seq_stmt->if_not_exists;
        break;
    case PG_QUERY__NODE__NODE_CREATE_TABLE_AS_STMT:
        c.name = tree->create_table_as_stmt->into ? tree->create_table_as_stmt->into->rel : NULL;
        c.is_if_not_exists = tree->create_table_as_stmt->if_not_exists;
        break;
    case PG_QUERY__NODE__NODE_CREATE_SCHEMA_STMT:
        c.other = str_of(tree->create_schema_stmt->schemaname);
        c.is_if_not_exists = tree->create_schema_stmt->if_not_exists;
        break;
    case PG_QUERY__NODE__NODE_CREATE_EXTENSION_STMT:
        c.is_if_not_exists = tree->create_extension_stmt->if_not_exists;
        break;
    case PG_QUERY__NODE__NODE_VIEW_STMT:
        c.is_safe = tree->view_stmt->replace;
        break;
    case PG_QUERY__NODE__NODE_CREATE_FUNCTION_STMT:
        c.is_safe = tree->create_function_stmt->replace;
        break;
    case PG_QUERY__NODE__NODE_CREATE_ENUM_STMT:
    case PG_QUERY__NODE__NODE_CREATE_DOMAIN_STMT:
    case PG_QUERY__NODE__NODE_CREATE_POLICY_STMT:
        break;
    case PG_QUERY__NODE__NODE_CREATE_TRIG_STMT:
        c.is_safe = tree->create_trig_stmt->replace;
        break;
    case PG_QUERY__NODE__NODE_DROP_STMT:
        c.is_safe = tree->drop_stmt->missing_ok;
        break;
    default:
        c.is_one = false;
        break;
    }
    c.is_safe |= c.is_if_not_exists;
    return c;
}

static void check_idempotent(struct rule_subject *s)
{
    if (!s->tree || (s->file->is_in_transaction && !s->file->is_each_alone))
        return;
    struct creation c = creation_of(s);
    if (c.is_one && !c.is_safe)
        rule_report(s, NULL,
                    "%s outside a transaction: when the file fails behind it, a second run "
                    "stops here",
                    s->statement->kind);
}

static void see_column_there(struct rule_subject *s, const struct rule_command *c)
{
    const PgQuery__Node *def = c->cmd->def;
    if (!c->cmd->missing_ok || !c->table || !def ||
        def->node_case != PG_QUERY__NODE__NODE_COLUMN_DEF || rule_is_new(s, c->table))
        return;
    if (catalog_find_column(c->table, str_of(def->column_def->colname)))
        rule_report_at(s, &c->about,
                       "column %s of %.*s is there already, with whatever type it has: "
                       "nothing is done",
                       def->column_def->colname, STR_ARG(c->about.name));
}

static void check_drift(struct rule_subject *s)
{
    if (!s->tree)
        return;
    rule_each_command(s, PG_QUERY__ALTER_TABLE_TYPE__AT_AddColumn, see_column_there);
    struct creation c = creation_of(s);
    if (!c.is_if_not_exists || !c.name)
        return;
    struct rule_finding about = rule_about(s, c.name);
    if (about.relation && !rule_is_temporary(about.relation))
        rule_report_at(s, &about, "%.*s is there already, in whatever shape: nothing is done",
                       STR_ARG(about.name));
}

/* ---- what the catalog says against the statement ---- */

static bool says_exists(const char *why)
{
    return strstr(why, "already exists") || strstr(why, "exists already") ||
           strstr(why, "is there already");
}

static bool says_missing(const char *why)
{
    return strstr(why, "does not exist") || strstr(why, "is not there") || strstr(why, " has no ");
}

static void check_missing(struct rule_subject *s)
{
    const char *why = s->effects->missing;
    if (!why && s->effects->failure && says_missing(s->effects->failure))
        why = s->effects->failure;
    if (why && s->catalog->is_complete)
        rule_report(s, NULL, "%s", why);
}

static void check_duplicate(struct rule_subject *s)
{
    const char *why = s->effects->failure;
    if (why && says_exists(why))
        rule_report(s, NULL, "%s", why);
}

static bool is_of_earlier_file(const struct rule_subject *s, uint32_t created_in)
{
    return created_in && created_in != s->catalog->migration;
}

static void see_conflict(struct rule_subject *s, const struct rule_drop *d)
{
    if (d->relation && is_of_earlier_file(s, d->relation->created_in))
        rule_report_at(s, &d->about,
                       "an earlier migration of this plan makes %.*s, this one drops it",
                       STR_ARG(d->about.name));
}

static void see_column_conflict(struct rule_subject *s, const struct rule_command *c)
{
    if (c->column && is_of_earlier_file(s, c->column->created_in) &&
        !is_of_earlier_file(s, c->table->created_in))
        rule_report_at(s, &c->about,
                       "an earlier migration of this plan adds %s to %.*s, this one drops "
                       "it",
                       c->cmd->name, STR_ARG(c->about.name));
}

static void check_conflict(struct rule_subject *s)
{
    if (!s->tree)
        return;
    rule_each_dropped(s, PG_QUERY__OBJECT_TYPE__OBJECT_TABLE, see_conflict);
    rule_each_command(s, PG_QUERY__ALTER_TABLE_TYPE__AT_DropColumn, see_column_conflict);
}

/* ---- what cannot be looked into ---- */

static bool is_body(const PgQuery__Node *tree)
{
    return tree && (tree->node_case == PG_QUERY__NODE__NODE_DO_STMT ||
                    tree->node_case == PG_QUERY__NODE__NODE_CREATE_FUNCTION_STMT ||
                    tree->node_case == PG_QUERY__NODE__NODE_CALL_STMT ||
                    tree->node_case == PG_QUERY__NODE__NODE_SELECT_STMT);
}

static bool is_dynamic(const struct rule_subject *s)
{
    const char *why = s->effects->opaque;
    return why && (strstr(why, "EXECUTE") || strstr(why, "dynamic"));
}

static void check_body(struct rule_subject *s)
{
    if (is_body(s->tree) && s->effects->opaque && !is_dynamic(s))
        rule_report(s, NULL, "what the body does is not known: %s", s->effects->opaque);
}

static void check_dynamic(struct rule_subject *s)
{
    if (is_dynamic(s))
        rule_report(s, NULL, "the text that runs is put together when it runs: %s",
                    s->effects->opaque);
}

/* What is still open depends on whether a server was asked. */
static const char *fix_of_unread(const struct statement *s)
{
    switch (s->syntax.answer) {
    case SYNTAX_TAKEN:
        return "Read what it does in the manual of that version, rehearse it on a copy, and allow "
               "it with a reason; or write it in words that an older version knows.";
    case SYNTAX_REFUSED:
        return "Correct it: it would fail there.";
    case SYNTAX_UNKNOWN:
        return NULL;
    }
    return NULL;
}

static void check_unread(struct rule_subject *s)
{
    const struct statement *statement = s->statement;
    size_t at = statement->is_beyond_grammar ? statement->syntax.offset : 0;
    const struct rule_finding about = {
        .offset_bytes = at < statement->text.len ? at : 0,
        .fix = fix_of_unread(statement),
    };
    rule_report_at(s, &about, "the statement could not be analysed: %s",
                   statement->not_analysed_reason ? statement->not_analysed_reason
                                                  : "the parser does not know it");
}

static void check_opaque(struct rule_subject *s)
{
    if (!s->tree)
        check_unread(s);
    else if (s->effects->opaque && !is_body(s->tree) && !is_dynamic(s))
        rule_report(s, NULL, "what it does cannot be told: %s", s->effects->opaque);
}

static const struct rule_row rows[] = {
    {
        .rule =
            {
                .id = "non-idempotent-statement",
                .level = HAZARD_OFF,
                .engine = ENGINE_POSTGRES,
                .title = "a statement outside a transaction fails when it is run again",
                .why = "When a file without a transaction fails half way, what was done stays, "
                       "and a second run from the top meets it. This runner goes on at the "
                       "statement that failed, so nothing is needed; other tools begin anew.",
                .fix = "Leave it as it is with this runner. Otherwise IF NOT EXISTS, which also "
                       "hides an object of another shape.",
                .example = "CREATE INDEX CONCURRENTLY orders_user ON orders (user_id);",
                .safe = "CREATE INDEX CONCURRENTLY IF NOT EXISTS orders_user ON orders (user_id);",
                .sources = "sql-createindex.html",
            },
        .check = check_idempotent,
    },
    {
        .rule =
            {
                .id = "if-not-exists-masks-drift",
                .level = HAZARD_WARN,
                .engine = ENGINE_POSTGRES,
                .title = "IF NOT EXISTS keeps an object of another shape",
                .why = "What is there stays as it is, with other columns or another type, and "
                       "the statement reports success.",
                .fix = "Leave IF NOT EXISTS out: a migration knows what is there. Where it does "
                       "not, compare the shape first.",
                .example = "CREATE TABLE IF NOT EXISTS orders (id bigint PRIMARY KEY, note text);",
                .safe = "CREATE TABLE IF NOT EXISTS invoices (id bigint PRIMARY KEY, note text);",
                .sources = "sql-createtable.html",
            },
        .check = check_drift,
    },
    {
        .rule =
            {
                .id = "missing-object",
                .level = HAZARD_BLOCK,
                .engine = ENGINE_POSTGRES,
                .title = "the statement names something that is not there",
                .why = "The schema that was read, or built from the earlier migrations, has no "
                       "such table, column or constraint: the statement will fail.",
                .fix = "Correct the name, or bring the migration that makes it in front.",
                .example = "ALTER TABLE orders DROP COLUMN note;",
                .safe = "ALTER TABLE orders ADD COLUMN note text;",
                .sources = "sql-altertable.html",
            },
        .check = check_missing,
    },
    {
        .rule =
            {
                .id = "duplicate-object",
                .level = HAZARD_BLOCK,
                .engine = ENGINE_POSTGRES,
                .title = "the statement makes something that is there already",
                .why = "The schema that was read, or built from the earlier migrations, has an "
                       "object of this name: the statement will fail.",
                .fix = "Take the statement out, or choose another name.",
                .example = "CREATE TABLE orders (id bigint PRIMARY KEY);",
                .safe = "CREATE TABLE invoices (id bigint PRIMARY KEY);",
                .sources = "sql-createtable.html",
            },
        .check = check_duplicate,
    },
    {
        .rule =
            {
                .id = "chain-conflict",
                .level = HAZARD_WARN,
                .engine = ENGINE_POSTGRES,
                .title = "a migration undoes what an earlier pending one does",
                .why = "Both are still to run: the first one locks and writes for nothing, and "
                       "code that was built on it fails.",
                .fix = "Take both out, or merge them, while neither has run anywhere.",
                .example = "DROP TABLE orders;",
                .safe = "ALTER TABLE orders ADD COLUMN note text;",
                .sources = "sql-droptable.html",
            },
        .check = check_conflict,
    },
    {
        .rule =
            {
                .id = "unchecked-do-block",
                .level = HAZARD_WARN,
                .engine = ENGINE_POSTGRES,
                .title = "the body of a DO block or function is not looked into",
                .why = "What it locks, rewrites and drops is not in this plan.",
                .fix = "Write the statements themselves. Where a condition is needed, rehearse "
                       "it on a copy, and allow it with a reason.",
                .example = "DO LANGUAGE plperl 'elog(NOTICE, \"hello\")';",
                .safe = "ALTER TABLE orders ADD COLUMN note text;",
                .sources = "sql-do.html",
            },
        .check = check_body,
    },
    {
        .rule =
            {
                .id = "dynamic-sql",
                .level = HAZARD_WARN,
                .engine = ENGINE_POSTGRES,
                .title = "EXECUTE runs a text that is not known before",
                .why = "Which tables it touches depends on rows and settings of the database "
                       "where it runs.",
                .fix = "Write the statements out. Where that cannot be, rehearse it on a copy, "
                       "which shows what it really did.",
                .example =
                    "DO $$ DECLARE t text; BEGIN\n"
                    "    FOR t IN SELECT relname FROM pg_class WHERE relname LIKE 'order%' LOOP\n"
                    "        EXECUTE 'DROP TABLE ' || quote_ident(t);\n"
                    "    END LOOP;\nEND $$;",
                .safe = "ALTER TABLE orders ADD COLUMN note text;",
                .sources = "plpgsql-statements.html#PLPGSQL-STATEMENTS-EXECUTING-DYN",
            },
        .check = check_dynamic,
    },
    {
        .rule =
            {
                .id = "opaque-statement",
                .level = HAZARD_BLOCK,
                .engine = ENGINE_POSTGRES,
                .title = "the statement is not understood",
                .why = "It may be a syntax error, or a form of a version that is newer than the "
                       "parser at hand. Nothing is known of what it does, so it counts as "
                       "destructive, and the verdict is unknown.",
                .fix = "Correct it, or connect to a target, whose server knows its own syntax. "
                       "Where it is right, rehearse it, and allow it with a reason.",
                .example = "ALTER TABLE orders FROBNICATE;",
                .safe = "ALTER TABLE orders ADD COLUMN note text;",
                .sources = "libpg_query",
            },
        .check = check_opaque,
    },
};
const struct rule_table rules_exists = {rows, ARRAY_LEN(rows)};
