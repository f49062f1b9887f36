/*
 * CREATE TABLE as the catalog holds it afterwards: columns of parents, of a type, of LIKE and its own,
 * then constraints, then what a partition gets from its parent. Source: tablecmds.c (DefineRelation,
 * MergeAttributes), parse_utilcmd.c (transformCreateStmt).
 */
#include <string.h>

#include "planner/postgres/create_parts.h"
#include "planner/postgres/grammar_compat.h"
#include "planner/postgres/types.h"

/* ---- where it goes ---- */

enum persistence create_persistence(const PgQuery__RangeVar *name)
{
    if (name->relpersistence[0] == 't' || strcmp(name->schemaname, "pg_temp") == 0)
        return PERSISTENCE_TEMPORARY;
    return name->relpersistence[0] == 'u' ? PERSISTENCE_UNLOGGED : PERSISTENCE_PERMANENT;
}

struct str create_schema_of(struct deed *d, const PgQuery__RangeVar *name)
{
    if (name->schemaname[0])
        return str_of(name->schemaname);
    if (create_persistence(name) == PERSISTENCE_TEMPORARY)
        return STR("pg_temp");
    return catalog_creation_schema(d->catalog);
}

struct str create_schema_of_names(struct deed *d, PgQuery__Node *const *names, size_t count,
                                  struct str *out_name)
{
    struct str schema;
    deed_split_name(names, count, &schema, out_name);
    *out_name = object_name_cut(*out_name);
    return schema.len ? schema : catalog_creation_schema(d->catalog);
}

enum row_state create_rows(const struct deed *d)
{
    return d->catalog->migration ? ROWS_NONE : ROWS_NONE_WRITTEN;
}

struct catalog_relation *create_existing(struct deed *d, const PgQuery__RangeVar *name)
{
    return catalog_find_relation(d->catalog, create_schema_of(d, name),
                                 object_name_cut(str_of(name->relname)));
}

/* ---- columns ---- */

struct catalog_column *fold_column_like(struct deed *d, struct catalog_relation *r,
                                        const struct catalog_column *from)
{
    struct catalog_column *column = catalog_add_column(d->catalog, r, from->name, &from->type);
    column->collation = from->collation;
    return column;
}

/* A parent's columns come first, and once each. */
static void inherit_columns(struct deed *d, struct catalog_relation *r,
                            const struct catalog_relation *parent, bool is_partition)
{
    for (size_t i = 0; i < parent->columns.count; i++) {
        const struct catalog_column *from = parent->columns.at[i];
        if (from->is_dropped)
            continue;
        struct catalog_column *column = catalog_find_column(r, from->name);
        if (!column) {
            column = fold_column_like(d, r, from);
            column->is_local = false;
        }
        column->is_inherited = true;
        if (catalog_has_expression(&from->default_value))
            column->default_value = from->default_value;
        column->generated = from->generated;
        if (is_partition && d->major >= 17)
            column->identity = from->identity;
        if (from->is_not_null && d->major < 18)
            column->is_not_null = true;
    }
}

/* Its CHECKs, and from 18 on the constraints of NOT NULL, under the same names. */
static void inherit_constraints(struct deed *d, struct catalog_relation *r,
                                const struct catalog_relation *parent)
{
    for (size_t i = 0; i < parent->constraints.count; i++) {
        const struct catalog_constraint *from = parent->constraints.at[i];
        if (from->is_dropped || from->is_no_inherit)
            continue;
        if (from->kind == CONSTRAINT_NOT_NULL && from->columns.count == 1) {
            struct catalog_column *column = catalog_find_column(r, from->columns.at[0]->name);
            if (column)
                fold_not_null(d, r, column, from->name, from->is_valid, true);
        }
        if (from->kind != CONSTRAINT_CHECK || catalog_find_constraint(r, from->name))
            continue;
        struct catalog_constraint *k =
            catalog_add_constraint(d->catalog, r, CONSTRAINT_CHECK, from->name);
        k->check = from->check;
        k->is_enforced = from->is_enforced;
        k->is_inherited = true;
        k->is_local = false;
        for (size_t j = 0; j < from->columns.count; j++) {
            struct catalog_column *column = catalog_find_column(r, from->columns.at[j]->name);
            if (column)
                vec_push(d->catalog->arena, &k->columns, column);
        }
    }
}

static void add_type_columns(struct deed *d, struct catalog_relation *r,
                             const PgQuery__TypeName *name)
{
    struct type_ref type = deed_type(d, name);
    if (!type.user || !type.user->composite)
        return;
    r->of_type = type.user;
    const struct catalog_relation *fields = type.user->composite;
    for (size_t i = 0; i < fields->columns.count; i++) {
        if (!fields->columns.at[i]->is_dropped)
            fold_column_like(d, r, fields->columns.at[i]);
    }
}

/* A column of its own, or more about one that has come from a parent or type. */
static void add_column(struct deed *d, struct catalog_relation *r, const PgQuery__ColumnDef *def)
{
    struct catalog_column *there = catalog_find_column(r, object_name_cut(str_of(def->colname)));
    if (!there) {
        if (def->type_name)
            fold_column(d, r, def)->is_local = true;
        return;
    }
    there->is_local |= def->type_name != NULL;
    const PgQuery__Node *tree = column_default_tree(def);
    if (tree)
        there->default_value = deed_keep_expression(d, tree);
    else if (column_says_default(def))
        there->default_value = (struct catalog_expression){0};
}

static void add_elements(struct deed *d, struct catalog_relation *r,
                         const PgQuery__CreateStmt *create, struct constraint_sources *sources)
{
    for (size_t i = 0; i < create->n_table_elts; i++) {
        const PgQuery__Node *node = create->table_elts[i];
        if (node->node_case == PG_QUERY__NODE__NODE_COLUMN_DEF) {
            add_column(d, r, node->column_def);
            constraint_sources_of_column(d->a, node->column_def, sources);
        } else if (node->node_case == PG_QUERY__NODE__NODE_CONSTRAINT) {
            constraint_sources_add(d->a, node->constraint, sources);
        } else if (node->node_case == PG_QUERY__NODE__NODE_TABLE_LIKE_CLAUSE) {
            fold_like_columns(d, r, node->table_like_clause);
        }
    }
    for (size_t i = 0; i < create->n_constraints; i++) {
        if (create->constraints[i]->node_case == PG_QUERY__NODE__NODE_CONSTRAINT)
            constraint_sources_add(d->a, create->constraints[i]->constraint, sources);
    }
}

/* ---- partitioning ---- */

static void add_partition_key(struct deed *d, struct catalog_relation *r,
                              const PgQuery__PartitionSpec *spec)
{
    r->partition_strategy = grammar_partition_strategy(spec);
    for (size_t i = 0; i < spec->n_part_params; i++) {
        if (spec->part_params[i]->node_case != PG_QUERY__NODE__NODE_PARTITION_ELEM)
            continue;
        const PgQuery__PartitionElem *e = spec->part_params[i]->partition_elem;
        struct index_key key = {.column = catalog_find_column(r, str_of(e->name))};
        if (!key.column && e->expr)
            key.expression = deed_keep_expression(d, e->expr);
        struct str schema;
        deed_split_name(e->opclass, e->n_opclass, &schema, &key.opclass);
        struct str method = r->partition_strategy == 'h' ? STR("hash") : STR("btree");
        key.opclass = opclass_unless_default(d->catalog, method, key.opclass);
        key.opclass = arena_str(d->catalog->arena, key.opclass);
        vec_push(d->catalog->arena, &r->partition_keys, key);
    }
}

static struct catalog_relation *parent_at(struct deed *d, const PgQuery__CreateStmt *create,
                                          size_t i)
{
    const PgQuery__Node *node = create->inh_relations[i];
    if (node->node_case != PG_QUERY__NODE__NODE_RANGE_VAR)
        return NULL;
    return deed_relation(d, node->range_var, true);
}

/* ---- the table ---- */

static void set_properties(struct deed *d, struct catalog_relation *r,
                           const PgQuery__CreateStmt *create, struct str server)
{
    struct arena *a = d->catalog->arena;
    r->persistence = create_persistence(create->relation);
    r->tablespace = arena_str(a, str_of(create->tablespacename));
    r->access_method = arena_str(a, str_of(create->access_method));
    r->server = arena_str(a, server);
    r->rows = server.len ? ROWS_UNKNOWN : create_rows(d);
    r->replica_identity = 'd';
}

struct catalog_relation *fold_table(struct deed *d, const PgQuery__CreateStmt *create,
                                    enum relation_kind kind, struct str server)
{
    if (!create->relation || create_existing(d, create->relation))
        return NULL;
    struct catalog_relation *r =
        catalog_add_relation(d->catalog, kind, create_schema_of(d, create->relation),
                             object_name_cut(str_of(create->relation->relname)));
    set_properties(d, r, create, server);
    if (create->of_typename)
        add_type_columns(d, r, create->of_typename);
    for (size_t i = 0; i < create->n_inh_relations; i++) {
        const struct catalog_relation *parent = parent_at(d, create, i);
        if (parent)
            inherit_columns(d, r, parent, create->partbound != NULL);
    }
    struct constraint_sources sources = {0};
    add_elements(d, r, create, &sources);
    if (create->partspec)
        add_partition_key(d, r, create->partspec);
    for (size_t i = 0; i < create->n_inh_relations; i++) {
        struct catalog_relation *parent = parent_at(d, create, i);
        if (!parent)
            continue;
        inherit_constraints(d, r, parent);
        fold_attach(d, parent, r, create->partbound);
    }
    fold_constraints(d, r, &sources, FOLD_NEW_TABLE);
    for (size_t i = 0; i < create->n_table_elts; i++) {
        if (create->table_elts[i]->node_case == PG_QUERY__NODE__NODE_TABLE_LIKE_CLAUSE)
            fold_like_rest(d, r, create->table_elts[i]->table_like_clause);
    }
    return r;
}

void fold_create_table(struct deed *d, const PgQuery__Node *node)
{
    const PgQuery__CreateStmt *create = node->create_stmt;
    fold_table(d, create, create->partspec ? RELATION_PARTITIONED_TABLE : RELATION_TABLE, STR(""));
}

void fold_create_foreign_table(struct deed *d, const PgQuery__Node *node)
{
    const PgQuery__CreateForeignTableStmt *create = node->create_foreign_table_stmt;
    if (create->base_stmt)
        fold_table(d, create->base_stmt, RELATION_FOREIGN_TABLE, str_of(create->servername));
}
