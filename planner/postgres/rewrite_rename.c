/*
 * A table that changes its name or its schema keeps its old one as a view, until nothing uses that any more:
 * in one transaction, so that no query finds neither. A simple view passes reads and writes on
 * (sql-createview.html, "Updatable Views"); with security_invoker, from 15 on, rights and row security are
 * those of whoever asks. It is not the table for COPY FROM, TRUNCATE, foreign keys, ON CONFLICT ON CONSTRAINT
 * and, before 17, MERGE.
 */
#include "planner/postgres/rewrite.h"

#include "core/base/vec.h"

/* Rights of the table and of its columns, which the catalog does not hold, and its owner. %1$s: the view,
   %2$s: the table, as literals. */
#define COPY_RIGHTS                                                                                \
    "DO $migrate$\n"                                                                               \
    "DECLARE\n"                                                                                    \
    "    statement text;\n"                                                                        \
    "BEGIN\n"                                                                                      \
    "    FOR statement IN\n"                                                                       \
    "        SELECT format('ALTER VIEW %%s OWNER TO %%s', %1$s, relowner::regrole)\n"              \
    "          FROM pg_class WHERE oid = %2$s::regclass\n"                                         \
    "        UNION ALL\n"                                                                          \
    "        SELECT format('GRANT %%s%%s ON %%s TO %%s%%s', privilege_type, columns, %1$s,\n"      \
    "                      CASE grantee WHEN 0 THEN 'PUBLIC' ELSE grantee::regrole::text END,\n"   \
    "                      CASE WHEN is_grantable THEN ' WITH GRANT OPTION' END)\n"                \
    "          FROM (SELECT '' AS columns, relacl AS acl FROM pg_class WHERE oid = "               \
    "%2$s::regclass\n"                                                                             \
    "                UNION ALL\n"                                                                  \
    "                SELECT format(' (%%I)', attname), attacl FROM pg_attribute\n"                 \
    "                 WHERE attrelid = %2$s::regclass AND NOT attisdropped) AS rights,\n"          \
    "               aclexplode(acl)\n"                                                             \
    "         WHERE grantee <> (SELECT relowner FROM pg_class WHERE oid = %2$s::regclass)\n"       \
    "    LOOP\n"                                                                                   \
    "        EXECUTE statement;\n"                                                                 \
    "    END LOOP;\n"                                                                              \
    "END $migrate$"

/* 'public.orders' */
static const char *literal(struct rewrite *r, const char *name)
{
    SCOPED(buf) struct buf text = {0};
    buf_add_char(&text, '\'');
    for (const char *at = name; *at; at++) {
        if (*at == '\'')
            buf_add_char(&text, '\'');
        buf_add_char(&text, *at);
    }
    buf_add_char(&text, '\'');
    return arena_cstr(r->a, buf_str(&text));
}

/* Tables alone: what a view in their place can do. */
static bool is_fit(const struct rewrite *r, const struct catalog_relation *table)
{
    bool is_table =
        table && (table->kind == RELATION_TABLE || table->kind == RELATION_PARTITIONED_TABLE);
    if (!is_table || catalog_is_new(r->catalog, table) || table->is_dropped ||
        table->persistence == PERSISTENCE_TEMPORARY || table->extension.len)
        return false;
    /* Before 15 a view looks at its table with the rights of its owner, past row security. */
    return r->major >= 15 || !table->has_row_security;
}

static bool write_steps(struct rewrite *r, const struct catalog_relation *table, struct str schema,
                        struct str name, const char *undo)
{
    const char *old_name = arena_cstr(r->a, catalog_relation_text(r->a, table));
    const char *new_name = arena_cstr(r->a, catalog_name_text(r->a, schema, name));
    struct str text = rewrite_piece(r, 0, r->tokens.count);
    const char *option = r->major >= 15 ? " WITH (security_invoker = true)" : "";
    const char *rights =
        arena_printf(r->a, COPY_RIGHTS, literal(r, old_name), literal(r, new_name));
    struct online_step *step = rewrite_step(
        r, PHASE_EXPAND,
        "gives the table its new name, and leaves a view under the old one, with the same rights",
        "%.*s;\nCREATE VIEW %s%s AS TABLE %s;\n%s", STR_ARG(text), old_name, option, new_name,
        rights);
    rewrite_undo(r, step, UNDO_FREE, "DROP VIEW %s;\n%s", old_name, undo);
    step = rewrite_step(r, PHASE_CONTRACT, "drops the view under the old name", "DROP VIEW %s",
                        old_name);
    step->waits = true;
    rewrite_holds(r, str_of(old_name));
    rewrite_holds(r, str_of(new_name));
    rewrite_frees(r, table->name);
    rewrite_retires(r, table, STR(""), (struct retired_name){0});
    return true;
}

bool rewrite_rename_table(struct rewrite *r)
{
    const PgQuery__RenameStmt *rename = r->tree->rename_stmt;
    if (rename->rename_type != PG_QUERY__OBJECT_TYPE__OBJECT_TABLE || !rename->relation)
        return false;
    const struct catalog_relation *table = catalog_find_relation(
        r->catalog, str_of(rename->relation->schemaname), str_of(rename->relation->relname));
    if (!is_fit(r, table))
        return false;
    struct str name = str_of(rename->newname);
    struct str renamed = catalog_name_text(r->a, table->schema, name);
    return write_steps(r, table, table->schema, name,
                       arena_printf(r->a, "ALTER TABLE %.*s RENAME TO %s", STR_ARG(renamed),
                                    rewrite_identifier(r, arena_cstr(r->a, table->name))));
}

bool rewrite_set_schema(struct rewrite *r)
{
    const PgQuery__AlterObjectSchemaStmt *set = r->tree->alter_object_schema_stmt;
    if (set->object_type != PG_QUERY__OBJECT_TYPE__OBJECT_TABLE || !set->relation)
        return false;
    const struct catalog_relation *table = catalog_find_relation(
        r->catalog, str_of(set->relation->schemaname), str_of(set->relation->relname));
    struct str schema = str_of(set->newschema);
    if (!is_fit(r, table) || str_equal(schema, table->schema))
        return false;
    struct str moved = catalog_name_text(r->a, schema, table->name);
    return write_steps(r, table, schema, table->name,
                       arena_printf(r->a, "ALTER TABLE %.*s SET SCHEMA %s", STR_ARG(moved),
                                    rewrite_identifier(r, arena_cstr(r->a, table->schema))));
}
