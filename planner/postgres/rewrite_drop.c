/*
 * Tables and columns that are dropped: they stay until nothing uses them any more. Then what takes a second
 * strong lock, or a long one, goes first, each in a transaction of its own: foreign keys lock the table at
 * their other end (tablecmds.c: ATExecDropConstraint, RemoveRelations), indexes go CONCURRENTLY.
 */
#include "planner/postgres/rewrite_partition.h"

#include "core/base/vec.h"

static struct online_step *waiting(struct online_step *step)
{
    step->waits = true;
    step->undo_cost = UNDO_IMPOSSIBLE;
    return step;
}

/* It stands for itself: those of partitions go with their parent's. */
static bool is_droppable(const struct catalog_constraint *k)
{
    return k->kind == CONSTRAINT_FOREIGN_KEY && !k->is_dropped && !k->parent && !k->is_inherited;
}

static void drop_key(struct rewrite *r, const struct catalog_constraint *k)
{
    waiting(rewrite_step(
        r, PHASE_CONTRACT, "drops a foreign key, and locks the table at its other end",
        "ALTER TABLE %.*s DROP CONSTRAINT %s", STR_ARG(catalog_relation_text(r->a, k->relation)),
        rewrite_identifier(r, arena_cstr(r->a, k->name))));
}

/* The statement itself. */
static void drop_last(struct rewrite *r, const char *does)
{
    waiting(rewrite_step(r, PHASE_CONTRACT, does, "%.*s",
                         STR_ARG(rewrite_piece(r, 0, r->tokens.count))));
}

/* ---- tables ---- */

static bool is_among(const struct rewrite *r, const struct catalog_relation *table)
{
    struct str text = catalog_relation_text(r->a, table);
    for (size_t i = 0; i < r->form->relations.count; i++) {
        if (str_equal(r->form->relations.at[i], text))
            return true;
    }
    return false;
}

/* Keys between the tables themselves go with them. */
static void drop_keys(struct rewrite *r, const struct catalog_relation *table, bool is_cascade)
{
    for (size_t i = 0; i < table->constraints.count; i++) {
        const struct catalog_constraint *k = table->constraints.at[i];
        if (is_droppable(k) && k->referenced && !is_among(r, k->referenced))
            drop_key(r, k);
    }
    for (size_t i = 0; is_cascade && i < table->referencing.count; i++) {
        const struct catalog_constraint *k = table->referencing.at[i];
        if (is_droppable(k) && !is_among(r, k->relation))
            drop_key(r, k);
    }
}

/* A partition is dropped when its table knows it no more: else that would be locked as well. */
static void detach_first(struct rewrite *r, const struct catalog_relation *table)
{
    if (!partition_detaches_online(r, table) || is_among(r, table->parents.at[0]))
        return;
    waiting(rewrite_step_alone(r, PHASE_CONTRACT,
                               "detaches the partition when nobody uses it as such any more",
                               "ALTER TABLE %.*s DETACH PARTITION %.*s CONCURRENTLY",
                               STR_ARG(catalog_relation_text(r->a, table->parents.at[0])),
                               STR_ARG(catalog_relation_text(r->a, table))));
}

static const struct catalog_relation *table_of(struct rewrite *r, const PgQuery__Node *name)
{
    struct str schema;
    struct str last;
    if (name->node_case != PG_QUERY__NODE__NODE_LIST)
        return NULL;
    deed_split_name(name->list->items, name->list->n_items, &schema, &last);
    const struct catalog_relation *table = catalog_find_relation(r->catalog, schema, last);
    bool is_table =
        table && (table->kind == RELATION_TABLE || table->kind == RELATION_PARTITIONED_TABLE);
    bool is_old = is_table && !catalog_is_new(r->catalog, table);
    return is_old && table->persistence != PERSISTENCE_TEMPORARY && !table->extension.len ? table
                                                                                          : NULL;
}

bool rewrite_drop_table(struct rewrite *r)
{
    const PgQuery__DropStmt *drop = r->tree->drop_stmt;
    bool is_cascade = drop->behavior == PG_QUERY__DROP_BEHAVIOR__DROP_CASCADE;
    if (drop->remove_type != PG_QUERY__OBJECT_TYPE__OBJECT_TABLE)
        return false;
    for (size_t i = 0; i < drop->n_objects; i++) {
        const struct catalog_relation *table = table_of(r, drop->objects[i]);
        if (!table)
            return false;
        rewrite_holds(r, catalog_relation_text(r->a, table));
        rewrite_frees(r, table->name);
        rewrite_retires(r, table, STR(""), (struct retired_name){0});
    }
    for (size_t i = 0; i < drop->n_objects; i++)
        drop_keys(r, table_of(r, drop->objects[i]), is_cascade);
    for (size_t i = 0; i < drop->n_objects; i++)
        detach_first(r, table_of(r, drop->objects[i]));
    drop_last(r, drop->n_objects > 1 ? "drops the tables" : "drops the table");
    return true;
}

/* ---- columns ---- */

struct dropped_columns {
    struct catalog_column **at;
    size_t count, room;
};

static bool has_column(const struct dropped_columns *columns, const struct catalog_column *column)
{
    for (size_t i = 0; i < columns->count; i++) {
        if (columns->at[i] == column)
            return true;
    }
    return false;
}

static bool has_any(const struct dropped_columns *columns, struct catalog_column *const *at,
                    size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (has_column(columns, at[i]))
            return true;
    }
    return false;
}

/* Its commands are all DROP COLUMN, of columns that are there. */
static bool read_columns(struct rewrite *r, const struct catalog_relation *table,
                         struct dropped_columns *out)
{
    const PgQuery__AlterTableStmt *alter = r->tree->alter_table_stmt;
    for (size_t i = 0; i < alter->n_cmds; i++) {
        const PgQuery__AlterTableCmd *cmd = alter->cmds[i]->alter_table_cmd;
        if (cmd->subtype != PG_QUERY__ALTER_TABLE_TYPE__AT_DropColumn)
            return false;
        struct catalog_column *column = catalog_find_column(table, str_of(cmd->name));
        if (!column && cmd->missing_ok)
            continue;
        if (!column || column->is_dropped || column->is_inherited || column->created_in)
            return false;
        vec_push(r->a, out, column);
        rewrite_frees(r, column->name);
        rewrite_retires(r, table, column->name, (struct retired_name){0});
    }
    return out->count > 0;
}

static bool is_in_key(const struct catalog_relation *table, const struct dropped_columns *columns)
{
    const struct catalog_constraint *key = catalog_primary_key(table);
    return key && has_any(columns, key->columns.at, key->columns.count);
}

/* So that code which knows the column no more can add rows. */
static void drop_not_null(struct rewrite *r, const char *name,
                          const struct dropped_columns *columns)
{
    SCOPED(buf) struct buf forth = {0};
    SCOPED(buf) struct buf back = {0};
    for (size_t i = 0; i < columns->count; i++) {
        const struct catalog_column *c = columns->at[i];
        if (!c->is_not_null || c->identity || c->generated ||
            catalog_has_expression(&c->default_value))
            continue;
        const char *column = rewrite_identifier(r, arena_cstr(r->a, c->name));
        buf_printf(&forth, "%sALTER COLUMN %s DROP NOT NULL", forth.len ? ", " : "", column);
        buf_printf(&back, "%sALTER COLUMN %s SET NOT NULL", back.len ? ", " : "", column);
    }
    if (!forth.len)
        return;
    struct online_step *step =
        rewrite_step(r, PHASE_EXPAND, "lets code that knows the column no more add rows without it",
                     "ALTER TABLE %s %s", name, buf_cstr(&forth));
    rewrite_undo(r, step, UNDO_COSTLY, "ALTER TABLE %s %s", name, buf_cstr(&back));
}

/* Those that would go without a word: DROP COLUMN takes an index along that has the column in it. */
static void drop_indexes(struct rewrite *r, const struct catalog_relation *table,
                         const struct dropped_columns *columns)
{
    for (size_t i = 0; i < table->indexes.count && table->kind == RELATION_TABLE; i++) {
        const struct catalog_relation *own = table->indexes.at[i];
        bool goes_along = false;
        for (size_t k = 0; k < own->index->keys.count; k++)
            goes_along |=
                own->index->keys.at[k].column && has_column(columns, own->index->keys.at[k].column);
        if (!goes_along || own->is_dropped || own->index->constraint || own->index->parent ||
            own->index->is_replica_identity)
            continue;
        waiting(rewrite_step_alone(
            r, PHASE_CONTRACT, "drops an index that would go along, when no query uses it",
            "DROP INDEX CONCURRENTLY %.*s", STR_ARG(catalog_relation_text(r->a, own))));
    }
}

/* Foreign keys over the columns; those that point to them are there only under CASCADE. */
static void drop_column_keys(struct rewrite *r, const struct catalog_relation *table,
                             const struct dropped_columns *columns)
{
    for (size_t i = 0; i < table->constraints.count; i++) {
        const struct catalog_constraint *k = table->constraints.at[i];
        if (is_droppable(k) && has_any(columns, k->columns.at, k->columns.count))
            drop_key(r, k);
    }
    for (size_t i = 0; i < table->referencing.count; i++) {
        const struct catalog_constraint *k = table->referencing.at[i];
        if (is_droppable(k) && k->relation != table &&
            has_any(columns, k->referenced_columns.at, k->referenced_columns.count))
            drop_key(r, k);
    }
}

bool rewrite_drop_column(struct rewrite *r)
{
    const PgQuery__AlterTableStmt *alter = r->tree->alter_table_stmt;
    if (alter->objtype != PG_QUERY__OBJECT_TYPE__OBJECT_TABLE || !alter->relation)
        return false;
    const struct catalog_relation *table = catalog_find_relation(
        r->catalog, str_of(alter->relation->schemaname), str_of(alter->relation->relname));
    bool is_table =
        table && (table->kind == RELATION_TABLE || table->kind == RELATION_PARTITIONED_TABLE);
    struct dropped_columns columns = {0};
    if (!is_table || catalog_is_new(r->catalog, table) ||
        table->persistence == PERSISTENCE_TEMPORARY || !read_columns(r, table, &columns) ||
        is_in_key(table, &columns))
        return false;
    const char *name = rewrite_relation_sql(r, alter->relation);
    rewrite_holds(r, catalog_relation_text(r->a, table));
    drop_not_null(r, arena_printf(r->a, "%s%s", alter->relation->inh ? "" : "ONLY ", name),
                  &columns);
    drop_indexes(r, table, &columns);
    drop_column_keys(r, table, &columns);
    drop_last(r, columns.count > 1 ? "drops the columns" : "drops the column");
    return true;
}
