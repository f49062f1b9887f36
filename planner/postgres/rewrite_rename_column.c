/*
 * RENAME COLUMN, for code that uses either name: until nobody uses the old one, the new one is a column of
 * its own that says the same (rewrite_sync.h), with indexes like those of the old one. In the end it is
 * not the old column that goes but the new one, and the old one is renamed: so all that hangs on the
 * column (keys, checks, views, policies, comments, rights, its place) is what it is after the statement as
 * it is written, since it is that statement that ends it. One transaction does it, and touches the catalog
 * only.
 */
#include "core/base/vec.h"
#include "planner/postgres/object_names.h"
#include "planner/postgres/rewrite_sync.h"

static bool is_partition_key(const struct sync_pair *s)
{
    for (size_t i = 0; i < s->table->partition_keys.count; i++) {
        const struct index_key *key = &s->table->partition_keys.at[i];
        if (key->column == s->old ||
            expression_mentions(s->r->catalog, &key->expression, s->table, s->old))
            return true;
    }
    return false;
}

/* A trigger that waits for UPDATE OF the old column would miss what is written to the new one. */
static bool is_waited_for(const struct sync_pair *s)
{
    for (size_t i = 0; i < s->table->triggers.count; i++) {
        const struct catalog_trigger *t = s->table->triggers.at[i];
        for (size_t k = 0; !t->is_dropped && k < t->update_count; k++) {
            if (t->columns.at[k] == s->old)
                return true;
        }
    }
    return false;
}

static bool column_fits(const struct sync_pair *s)
{
    return !s->old->generated && !s->old->is_inherited && sync_type_fits(&s->old->type) &&
           !is_partition_key(s) && !is_waited_for(s);
}

/* What others have made of the copy would go with it. */
static const char guard[] =
    "    SELECT pg_catalog.pg_describe_object(d.classid, d.objid, d.objsubid) INTO found\n"
    "      FROM pg_catalog.pg_depend AS d\n"
    "      JOIN pg_catalog.pg_attribute AS a ON a.attrelid = d.refobjid AND a.attnum = "
    "d.refobjsubid\n"
    "     WHERE d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass\n"
    "       AND d.refobjid = %s::pg_catalog.regclass AND a.attname = %s\n"
    "       AND d.classid <> 'pg_catalog.pg_attrdef'::pg_catalog.regclass%s\n"
    "     LIMIT 1;\n"
    "    IF found IS NOT NULL THEN\n"
    "        RAISE EXCEPTION '%% was made on the copy of the column, which goes now', found\n"
    "            USING HINT = 'Make it on the column itself, which takes the name, and drop this "
    "one.';\n"
    "    END IF;\n";

static const char *own_indexes(const struct sync_pair *s, const struct sync_indexes *indexes)
{
    SCOPED(buf) struct buf out = {0};
    for (size_t i = 0; i < indexes->count; i++)
        buf_printf(&out, "%s%s::pg_catalog.regclass", i ? ", " : "",
                   sync_literal(s->r->a, str_of(indexes->at[i].name)));
    if (!out.len)
        return "";
    return arena_printf(s->r->a, "\n       AND d.objid NOT IN (%s)", buf_cstr(&out));
}

static void take_the_name(struct sync_pair *s, struct str new_name,
                          const struct sync_indexes *indexes)
{
    struct rewrite *r = s->r;
    SCOPED(buf) struct buf body = {0};
    sync_drop_triggers(s, &body);
    sync_drop_clock(s, &body);
    buf_printf(&body, guard, sync_literal(r->a, str_of(s->relation)), sync_literal(r->a, new_name),
               own_indexes(s, indexes));
    buf_printf(&body, "    ALTER TABLE %s DROP COLUMN %s;\n", s->relation, s->new_name);
    buf_printf(&body, "    ALTER TABLE %s RENAME COLUMN %s TO %s;\n", s->relation, s->old_name,
               s->new_name);
    sync_drop_functions(s, &body);
    struct online_step *step =
        rewrite_step(r, PHASE_CONTRACT, "drops the copy, and renames the column itself", "%s",
                     sync_block(s, "DECLARE found text;\n", &body));
    step->waits = true;
}

bool rewrite_rename_column(struct rewrite *r)
{
    const PgQuery__RenameStmt *stmt = r->tree->rename_stmt;
    if (stmt->rename_type != PG_QUERY__OBJECT_TYPE__OBJECT_COLUMN ||
        stmt->relation_type != PG_QUERY__OBJECT_TYPE__OBJECT_TABLE || !stmt->relation)
        return false;
    struct catalog_relation *table = catalog_find_relation(
        r->catalog, str_of(stmt->relation->schemaname), str_of(stmt->relation->relname));
    struct str new_name = object_name_cut(str_of(stmt->newname));
    if (!sync_table_fits(r, table) || catalog_find_column(table, new_name))
        return false;
    struct sync_pair s = {.r = r,
                          .table = table,
                          .old = catalog_find_column(table, str_of(stmt->subname)),
                          .relation = rewrite_relation_sql(r, stmt->relation),
                          .old_name = rewrite_identifier(r, stmt->subname),
                          .new_name = arena_cstr(r->a, catalog_identifier(r->a, new_name))};
    struct sync_indexes indexes = {0};
    if (!s.old || !column_fits(&s))
        return false;
    s.new_type = s.old->type;
    s.collation =
        s.old->collation.len ? arena_cstr(r->a, catalog_identifier(r->a, s.old->collation)) : "";
    if (!sync_begin(&s, s.new_name) || !sync_read_default(&s) || !sync_find_indexes(&s, &indexes))
        return false;
    rewrite_holds(r, catalog_relation_text(r->a, table));
    rewrite_frees_column(r, table, new_name);
    rewrite_retires(r, table, s.old->name, (struct retired_name){.is_taken_along = true});
    sync_add_column(&s);
    if (!sync_copy_rights(&s))
        return false;
    sync_add_triggers(&s);
    sync_add_clock(&s, s.old_name, sync_old_is_given(&s));
    sync_copy(&s);
    sync_build_indexes(&s, &indexes);
    sync_analyze(&s);
    sync_verify(&s, false);
    sync_verify(&s, true);
    take_the_name(&s, new_name, &indexes);
    return true;
}
