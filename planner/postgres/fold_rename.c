/*
 * What RENAME makes of the catalog. Expressions name their columns: those of a table follow when its
 * column is renamed.
 */
#include "planner/postgres/rename_parts.h"

#include "planner/postgres/types.h"

const char *rename_object_kind(enum relation_kind kind)
{
    switch (kind) {
    case RELATION_TABLE:
    case RELATION_PARTITIONED_TABLE:
        return "TABLE";
    case RELATION_INDEX:
    case RELATION_PARTITIONED_INDEX:
        return "INDEX";
    case RELATION_SEQUENCE:
        return "SEQUENCE";
    case RELATION_VIEW:
        return "VIEW";
    case RELATION_MATERIALIZED_VIEW:
        return "MATERIALIZED VIEW";
    case RELATION_FOREIGN_TABLE:
        return "FOREIGN TABLE";
    case RELATION_COMPOSITE_TYPE:
        return "TYPE";
    case RELATION_UNKNOWN:
        break;
    }
    return "TABLE";
}

struct str rename_part_text(struct deed *d, const struct catalog_relation *r, struct str name)
{
    struct str table = catalog_relation_text(d->a, r);
    struct str part = catalog_identifier(d->a, name);
    return str_of(arena_printf(d->a, "%.*s.%.*s", STR_ARG(table), STR_ARG(part)));
}

struct catalog_type *rename_type_meant(struct deed *d, const PgQuery__Node *names)
{
    if (!names || names->node_case != PG_QUERY__NODE__NODE_LIST)
        return NULL;
    struct str schema;
    struct str name;
    deed_split_name(names->list->items, names->list->n_items, &schema, &name);
    return catalog_find_type(d->catalog, schema, name);
}

/* ---- relations ---- */

static void rename_relation(struct deed *d, const PgQuery__RenameStmt *rename)
{
    struct catalog_relation *r = deed_relation(d, rename->relation, true);
    struct str name = object_name_cut(str_of(rename->newname));
    if (!r || catalog_find_relation(d->catalog, r->schema, name))
        return;
    catalog_rename_relation(d->catalog, r, r->schema, name);
    if (r->index && r->index->constraint)
        catalog_rename_constraint(d->catalog, r->index->constraint, r->name);
}

/* ---- columns ---- */

struct new_name {
    struct deed *d;
    struct str from, to;
};

/* c and t.c, wherever they stand. */
static bool rename_reference(void *context, const ProtobufCMessage *message)
{
    const struct new_name *name = context;
    if (message->descriptor != &pg_query__column_ref__descriptor)
        return false;
    const PgQuery__ColumnRef *ref = (const PgQuery__ColumnRef *)message;
    if (!ref->n_fields)
        return false;
    PgQuery__Node *last = ref->fields[ref->n_fields - 1];
    if (last->node_case == PG_QUERY__NODE__NODE_STRING &&
        str_equal(str_of(last->string->sval), name->from))
        last->string->sval = arena_cstr(name->d->catalog->arena, name->to);
    return false;
}

static void rename_in(struct new_name *name, struct catalog_expression *e)
{
    if (!catalog_has_expression(e))
        return;
    const PgQuery__Node *tree = expression_tree(name->d->catalog, e);
    if (!tree)
        return;
    /* A copy: the tree may be shared with the definition of another table. */
    struct catalog_expression own = deed_keep_expression(name->d, tree);
    parse_tree_visit(&((const PgQuery__Node *)own.tree)->base, rename_reference, name);
    *e = own;
}

static void rename_in_definitions(struct new_name *name, struct catalog_relation *r)
{
    for (size_t i = 0; i < r->columns.count; i++) {
        if (r->columns.at[i]->generated)
            rename_in(name, &r->columns.at[i]->default_value);
    }
    for (size_t i = 0; i < r->constraints.count; i++)
        rename_in(name, &r->constraints.at[i]->check);
    for (size_t i = 0; i < r->indexes.count; i++) {
        struct catalog_index *index = r->indexes.at[i]->index;
        rename_in(name, &index->predicate);
        for (size_t j = 0; j < index->keys.count; j++)
            rename_in(name, &index->keys.at[j].expression);
    }
    for (size_t i = 0; i < r->rules.count; i++) {
        rename_in(name, &r->rules.at[i]->using_expression);
        rename_in(name, &r->rules.at[i]->check);
    }
    for (size_t i = 0; i < r->partition_keys.count; i++)
        rename_in(name, &r->partition_keys.at[i].expression);
}

static bool rename_column_of(struct deed *d, struct catalog_relation *r, void *context)
{
    struct new_name *name = context;
    (void)d;
    struct catalog_column *column = catalog_find_column(r, name->from);
    if (!column || catalog_find_column(r, name->to))
        return false;
    column->name = arena_str(name->d->catalog->arena, name->to);
    rename_in_definitions(name, r);
    return true;
}

static void rename_column(struct deed *d, const PgQuery__RenameStmt *rename)
{
    struct catalog_relation *r = deed_relation(d, rename->relation, true);
    struct new_name name = {
        .d = d,
        .from = str_of(rename->subname),
        .to = object_name_cut(str_of(rename->newname)),
    };
    if (!r || !rename_column_of(d, r, &name))
        return;
    deed_each_child(d, r, rename_column_of, &name);
    for (size_t i = 0; r->kind == RELATION_COMPOSITE_TYPE && i < d->catalog->relations.count; i++) {
        struct catalog_relation *typed = d->catalog->relations.at[i];
        if (!typed->is_dropped && typed->of_type && typed->of_type == r->row_type)
            rename_column_of(d, typed, &name);
    }
}

/* ---- what is in a table ---- */

static bool rename_constraint_of(struct deed *d, struct catalog_relation *r, void *context)
{
    const struct new_name *name = context;
    struct catalog_constraint *k = catalog_find_constraint(r, name->from);
    if (!k)
        return false;
    catalog_rename_constraint(d->catalog, k, name->to);
    if (k->index && k->kind != CONSTRAINT_FOREIGN_KEY &&
        !catalog_find_relation(d->catalog, k->index->schema, name->to))
        catalog_rename_relation(d->catalog, k->index, k->index->schema, name->to);
    return k->kind == CONSTRAINT_CHECK || k->kind == CONSTRAINT_NOT_NULL;
}

static bool rename_trigger_of(struct deed *d, struct catalog_relation *r, void *context)
{
    const struct new_name *name = context;
    struct catalog_trigger *t = catalog_find_trigger(r, name->from);
    if (t)
        t->name = arena_str(d->catalog->arena, name->to);
    return t && d->major >= 15;
}

static void rename_part(struct deed *d, const PgQuery__RenameStmt *rename)
{
    struct catalog_relation *r = deed_relation(d, rename->relation, true);
    struct new_name name = {
        .d = d,
        .from = str_of(rename->subname),
        .to = object_name_cut(str_of(rename->newname)),
    };
    if (!r)
        return;
    if (rename->rename_type == PG_QUERY__OBJECT_TYPE__OBJECT_TABCONSTRAINT) {
        if (rename_constraint_of(d, r, &name))
            deed_each_child(d, r, rename_constraint_of, &name);
    } else if (rename->rename_type == PG_QUERY__OBJECT_TYPE__OBJECT_TRIGGER) {
        if (rename_trigger_of(d, r, &name))
            deed_each_child(d, r, rename_trigger_of, &name);
    } else {
        bool is_policy = rename->rename_type == PG_QUERY__OBJECT_TYPE__OBJECT_POLICY;
        struct catalog_rule *rule = catalog_find_rule(r, name.from, is_policy);
        if (rule)
            rule->name = arena_str(d->catalog->arena, name.to);
    }
}

/* ---- types, functions, schemas ---- */

static void rename_type(struct deed *d, const PgQuery__RenameStmt *rename)
{
    struct catalog_type *t = rename_type_meant(d, rename->object);
    struct str name = object_name_cut(str_of(rename->newname));
    if (!t || catalog_find_type(d->catalog, t->schema, name))
        return;
    if (t->composite && t->composite->kind == RELATION_COMPOSITE_TYPE)
        catalog_rename_relation(d->catalog, t->composite, t->schema, name);
    else if (!t->composite)
        catalog_rename_type(d->catalog, t, t->schema, name);
}

static void rename_domain_constraint(struct deed *d, const PgQuery__RenameStmt *rename)
{
    struct catalog_type *t = rename_type_meant(d, rename->object);
    for (size_t i = 0; t && i < t->constraints.count; i++) {
        struct domain_constraint *k = &t->constraints.at[i];
        if (!k->is_dropped && str_equal(k->name, str_of(rename->subname)))
            k->name = arena_str(d->catalog->arena, str_of(rename->newname));
    }
}

static void rename_function(struct deed *d, const PgQuery__RenameStmt *rename)
{
    if (!rename->object || rename->object->node_case != PG_QUERY__NODE__NODE_OBJECT_WITH_ARGS)
        return;
    struct catalog_function *f = function_meant(d, rename->object->object_with_args);
    if (f)
        catalog_rename_function(d->catalog, f, f->schema, object_name_cut(str_of(rename->newname)));
}

static void rename_statistics(struct deed *d, const PgQuery__RenameStmt *rename)
{
    if (!rename->object || rename->object->node_case != PG_QUERY__NODE__NODE_LIST)
        return;
    struct str schema;
    struct str name;
    deed_split_name(rename->object->list->items, rename->object->list->n_items, &schema, &name);
    for (size_t i = 0; i < d->catalog->statistics.count; i++) {
        struct catalog_statistics *s = d->catalog->statistics.at[i];
        if (!s->is_dropped && str_equal(s->name, name) &&
            (!schema.len || str_equal(s->schema, schema))) {
            s->name = arena_str(d->catalog->arena, str_of(rename->newname));
            return;
        }
    }
}

void fold_rename(struct deed *d, const PgQuery__Node *node)
{
    const PgQuery__RenameStmt *rename = node->rename_stmt;
    switch ((int)rename->rename_type) {
    case PG_QUERY__OBJECT_TYPE__OBJECT_TABLE:
    case PG_QUERY__OBJECT_TYPE__OBJECT_INDEX:
    case PG_QUERY__OBJECT_TYPE__OBJECT_SEQUENCE:
    case PG_QUERY__OBJECT_TYPE__OBJECT_VIEW:
    case PG_QUERY__OBJECT_TYPE__OBJECT_MATVIEW:
    case PG_QUERY__OBJECT_TYPE__OBJECT_FOREIGN_TABLE:
        rename_relation(d, rename);
        break;
    case PG_QUERY__OBJECT_TYPE__OBJECT_COLUMN:
    case PG_QUERY__OBJECT_TYPE__OBJECT_ATTRIBUTE:
        rename_column(d, rename);
        break;
    case PG_QUERY__OBJECT_TYPE__OBJECT_TABCONSTRAINT:
    case PG_QUERY__OBJECT_TYPE__OBJECT_TRIGGER:
    case PG_QUERY__OBJECT_TYPE__OBJECT_RULE:
    case PG_QUERY__OBJECT_TYPE__OBJECT_POLICY:
        rename_part(d, rename);
        break;
    case PG_QUERY__OBJECT_TYPE__OBJECT_TYPE:
    case PG_QUERY__OBJECT_TYPE__OBJECT_DOMAIN:
        rename_type(d, rename);
        break;
    case PG_QUERY__OBJECT_TYPE__OBJECT_DOMCONSTRAINT:
        rename_domain_constraint(d, rename);
        break;
    case PG_QUERY__OBJECT_TYPE__OBJECT_FUNCTION:
    case PG_QUERY__OBJECT_TYPE__OBJECT_PROCEDURE:
    case PG_QUERY__OBJECT_TYPE__OBJECT_ROUTINE:
    case PG_QUERY__OBJECT_TYPE__OBJECT_AGGREGATE:
        rename_function(d, rename);
        break;
    case PG_QUERY__OBJECT_TYPE__OBJECT_STATISTIC_EXT:
        rename_statistics(d, rename);
        break;
    case PG_QUERY__OBJECT_TYPE__OBJECT_SCHEMA:
        catalog_rename_schema(d->catalog, str_of(rename->subname), str_of(rename->newname));
        break;
    default:
        break;
    }
}
