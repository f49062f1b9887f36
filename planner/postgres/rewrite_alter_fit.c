/* What must be so that the commands of one ALTER TABLE can be taken apart: the server runs them in passes of
   its own order (tablecmds.c: AlterTablePass), and names what has none when its pass comes. */
#include "planner/postgres/rewrite_alter_table.h"

#include "planner/postgres/object_names.h"
#include "planner/postgres/types.h"

static const PgQuery__AlterTableCmd *command(const struct alter_rewrite *x, size_t i)
{
    const PgQuery__Node *n = x->stmt->cmds[i];
    return n->node_case == PG_QUERY__NODE__NODE_ALTER_TABLE_CMD ? n->alter_table_cmd : NULL;
}

/* Commands that mean the same before what is verified and built behind them. Not ADD GENERATED (needs NOT
   NULL), INHERIT (needs valid constraints), REPLICA IDENTITY USING INDEX and CLUSTER ON (need the index). */
static bool is_independent(const PgQuery__AlterTableCmd *cmd)
{
    switch (cmd->subtype) {
    case PG_QUERY__ALTER_TABLE_TYPE__AT_AddColumn:
    case PG_QUERY__ALTER_TABLE_TYPE__AT_DropColumn:
    case PG_QUERY__ALTER_TABLE_TYPE__AT_ColumnDefault:
    case PG_QUERY__ALTER_TABLE_TYPE__AT_SetNotNull:
    case PG_QUERY__ALTER_TABLE_TYPE__AT_DropNotNull:
    case PG_QUERY__ALTER_TABLE_TYPE__AT_SetStatistics:
    case PG_QUERY__ALTER_TABLE_TYPE__AT_SetStorage:
    case PG_QUERY__ALTER_TABLE_TYPE__AT_SetCompression:
    case PG_QUERY__ALTER_TABLE_TYPE__AT_SetOptions:
    case PG_QUERY__ALTER_TABLE_TYPE__AT_ResetOptions:
    case PG_QUERY__ALTER_TABLE_TYPE__AT_AddConstraint:
    case PG_QUERY__ALTER_TABLE_TYPE__AT_DropConstraint:
    case PG_QUERY__ALTER_TABLE_TYPE__AT_ValidateConstraint:
    case PG_QUERY__ALTER_TABLE_TYPE__AT_AlterColumnType:
    case PG_QUERY__ALTER_TABLE_TYPE__AT_ChangeOwner:
    case PG_QUERY__ALTER_TABLE_TYPE__AT_SetRelOptions:
    case PG_QUERY__ALTER_TABLE_TYPE__AT_ResetRelOptions:
    case PG_QUERY__ALTER_TABLE_TYPE__AT_EnableRowSecurity:
    case PG_QUERY__ALTER_TABLE_TYPE__AT_DisableRowSecurity:
    case PG_QUERY__ALTER_TABLE_TYPE__AT_ForceRowSecurity:
    case PG_QUERY__ALTER_TABLE_TYPE__AT_NoForceRowSecurity:
        return true;
    default:
        return false;
    }
}

static bool has_children(const struct catalog_relation *table)
{
    for (size_t i = 0; i < table->children.count; i++) {
        if (!table->children.at[i]->is_dropped)
            return true;
    }
    return false;
}

bool alter_can_be_split(const struct alter_rewrite *x)
{
    if (!x->table || (!x->stmt->relation->inh && has_children(x->table)))
        return false;
    for (size_t i = 0; i < x->stmt->n_cmds; i++) {
        const PgQuery__AlterTableCmd *cmd = command(x, i);
        if (!cmd || !is_independent(cmd))
            return false;
    }
    return true;
}

/* Keys that come last would be missing for a foreign key to the table itself. */
bool alter_order_holds(const struct alter_rewrite *x)
{
    bool has_late_key = false;
    bool has_own_reference = false;
    for (size_t i = 0; i < x->items.count; i++) {
        const struct alter_item *item = &x->items.at[i];
        has_late_key |= item->kind == ITEM_KEY &&
                        (!item->is_before || item->needs_not_null || x->is_partitioned);
        if (item->kind == ITEM_FOREIGN_KEY)
            has_own_reference |= strcmp(item->k->pktable->relname, x->stmt->relation->relname) == 0;
    }
    return !(has_late_key && has_own_reference);
}

/* ---- columns ---- */

static const PgQuery__ColumnDef *added_column(const struct alter_rewrite *x, struct str name)
{
    for (size_t i = 0; i < x->stmt->n_cmds; i++) {
        const PgQuery__AlterTableCmd *cmd = command(x, i);
        if (cmd && cmd->subtype == PG_QUERY__ALTER_TABLE_TYPE__AT_AddColumn && cmd->def &&
            cmd->def->node_case == PG_QUERY__NODE__NODE_COLUMN_DEF &&
            str_equal(object_name_cut(str_of(cmd->def->column_def->colname)), name))
            return cmd->def->column_def;
    }
    return NULL;
}

bool alter_keeps_column(const struct alter_rewrite *x, const char *name)
{
    if (!catalog_find_column(x->table, str_of(name)))
        return false;
    for (size_t i = 0; i < x->stmt->n_cmds; i++) {
        const PgQuery__AlterTableCmd *cmd = command(x, i);
        bool changes = cmd->subtype == PG_QUERY__ALTER_TABLE_TYPE__AT_DropColumn ||
                       cmd->subtype == PG_QUERY__ALTER_TABLE_TYPE__AT_AlterColumnType;
        if (changes && strcmp(cmd->name, name) == 0)
            return false;
    }
    return true;
}

/* A row IS NOT NULL when none of its fields is: that is no proof, and may not hold (execExprInterp.c). */
bool alter_column_is_row(const struct alter_rewrite *x, const char *name)
{
    const PgQuery__ColumnDef *added = added_column(x, str_of(name));
    const struct catalog_column *column = catalog_find_column(x->table, str_of(name));
    struct type_ref type = {0};
    if (added)
        type = type_resolve(x->r->catalog, added->type_name, NULL);
    else if (column)
        type = column->type;
    type = type_base(&type);
    return !type.is_array && type.user &&
           (type.user->composite || type.user->kind == TYPE_COMPOSITE);
}

struct mentioned {
    const struct alter_rewrite *x;
    struct str only;
    bool is_several, is_unknown;
};

static bool note_reference(void *context, const ProtobufCMessage *message)
{
    struct mentioned *m = context;
    if (message->descriptor != &pg_query__column_ref__descriptor)
        return false;
    const PgQuery__ColumnRef *ref = (const PgQuery__ColumnRef *)message;
    const PgQuery__Node *last = ref->n_fields ? ref->fields[ref->n_fields - 1] : NULL;
    struct str name = last && last->node_case == PG_QUERY__NODE__NODE_STRING
                          ? str_of(last->string->sval)
                          : STR("");
    if (!name.len || (!catalog_find_column(m->x->table, name) && !added_column(m->x, name))) {
        m->is_unknown = true; /* the whole row, a system column */
        return true;
    }
    m->is_several |= m->only.len && !str_equal(m->only, name);
    m->only = name;
    return false;
}

bool alter_check_column(const struct alter_rewrite *x, const PgQuery__Constraint *k,
                        struct str *out)
{
    struct mentioned m = {.x = x};
    (void)parse_tree_visit(&k->raw_expr->base, note_reference, &m);
    *out = m.is_several ? STR("") : m.only;
    return !m.is_unknown;
}

/* ---- names ---- */

static bool drops_constraint(const struct alter_rewrite *x, struct str name, bool *out_drops_any)
{
    bool is_dropped = false;
    for (size_t i = 0; i < x->stmt->n_cmds; i++) {
        const PgQuery__AlterTableCmd *cmd = command(x, i);
        bool is_constraint = cmd->subtype == PG_QUERY__ALTER_TABLE_TYPE__AT_DropConstraint;
        *out_drops_any |=
            is_constraint || cmd->subtype == PG_QUERY__ALTER_TABLE_TYPE__AT_DropColumn;
        is_dropped |= is_constraint && str_equal(str_of(cmd->name), name);
    }
    return is_dropped;
}

/* Constraints of the schema that have the name. */
static size_t count_named(const struct alter_rewrite *x, struct str name)
{
    const struct catalog *c = x->r->catalog;
    size_t found = 0;
    for (size_t i = 0; i < c->relations.count; i++) {
        const struct catalog_relation *r = c->relations.at[i];
        for (size_t k = 0; !r->is_dropped && k < r->constraints.count; k++)
            found += !r->constraints.at[k]->is_dropped &&
                     str_equal(r->constraints.at[k]->name, name) &&
                     str_equal(r->schema, x->table->schema);
    }
    return found;
}

bool alter_automatic_name(const struct alter_rewrite *x, struct str columns, const char *label,
                          struct str *out)
{
    struct rewrite *r = x->r;
    struct str plain = object_name(r->a, x->table->name, columns, str_of(label));
    bool drops_any = false;
    bool is_freed = drops_constraint(x, plain, &drops_any);
    bool is_key = strcmp(label, "key") == 0 || strcmp(label, "pkey") == 0;
    *out = is_key ? object_name_relation(r->catalog, x->table->schema, x->table->name, columns,
                                         str_of(label), true)
                  : object_name_constraint(r->catalog, x->table, columns, str_of(label));
    if (str_equal(*out, plain) || !drops_any)
        return true;
    /* Taken, perhaps by what the statement drops first. */
    const struct catalog_relation *same =
        catalog_find_relation(r->catalog, x->table->schema, plain);
    bool is_free = is_freed && count_named(x, plain) == 1 &&
                   (!same || (same->index && same->index->table == x->table));
    *out = plain;
    return is_free;
}
