/* What CREATE INDEX, SEQUENCE, VIEW, TABLE AS, STATISTICS and SCHEMA do to the catalog. */
#include <string.h>

#include "planner/postgres/create_parts.h"
#include "planner/postgres/types.h"

/* ---- indexes ---- */

void fold_create_index(struct deed *d, const PgQuery__Node *node)
{
    const PgQuery__IndexStmt *create = node->index_stmt;
    struct catalog_relation *table = deed_relation(d, create->relation, true);
    if (!table)
        return;
    const struct catalog_index *described = index_describe(d, table, create);
    struct str name = index_new_name(d, create, table, described);
    if (catalog_find_relation(d->catalog, table->schema, name))
        return;
    struct catalog_relation *index = catalog_add_index(d->catalog, table, name);
    index_copy(d, index->index, described, table);
    index->tablespace = arena_str(d->catalog->arena, str_of(create->table_space));
    if (create->relation->inh)
        fold_index_to_partitions(d, index);
    else
        index->index->is_valid = table->kind != RELATION_PARTITIONED_TABLE;
}

/* ---- sequences ---- */

static void own_sequence(struct deed *d, struct catalog_relation *s, const PgQuery__List *names)
{
    if (names->n_items < 2)
        return;
    struct catalog_relation *table =
        deed_relation_by_names(d, names->items, names->n_items - 1, true);
    struct str schema;
    struct str column;
    deed_split_name(names->items, names->n_items, &schema, &column);
    if (!table)
        return;
    catalog_own_sequence(d->catalog, s, table, catalog_find_column(table, column));
    if (s->sequence->owner_column &&
        catalog_has_expression(&s->sequence->owner_column->default_value))
        s->sequence->owner_column->sequence = s;
}

void fold_create_sequence(struct deed *d, const PgQuery__Node *node)
{
    const PgQuery__CreateSeqStmt *create = node->create_seq_stmt;
    if (!create->sequence || create_existing(d, create->sequence))
        return;
    struct catalog_relation *s =
        catalog_add_relation(d->catalog, RELATION_SEQUENCE, create_schema_of(d, create->sequence),
                             object_name_cut(str_of(create->sequence->relname)));
    s->persistence = create_persistence(create->sequence);
    for (size_t i = 0; i < create->n_options; i++) {
        if (create->options[i]->node_case != PG_QUERY__NODE__NODE_DEF_ELEM)
            continue;
        const PgQuery__DefElem *e = create->options[i]->def_elem;
        if (strcmp(e->defname, "as") == 0 && e->arg &&
            e->arg->node_case == PG_QUERY__NODE__NODE_TYPE_NAME)
            s->sequence->type = deed_type(d, e->arg->type_name);
        if (strcmp(e->defname, "owned_by") == 0 && e->arg &&
            e->arg->node_case == PG_QUERY__NODE__NODE_LIST)
            own_sequence(d, s, e->arg->list);
    }
}

/* ---- views, and tables that a query fills ---- */

void fold_uses(struct deed *d, struct catalog_relation *r, const struct query_uses *uses)
{
    struct arena *a = d->catalog->arena;
    r->uses.count = 0;
    r->used_functions.count = 0;
    r->used_types.count = 0;
    for (size_t i = 0; i < uses->sources.count; i++) {
        const struct query_source *source = &uses->sources.at[i];
        if (!source->relation)
            continue;
        vec_push(a, &r->uses, (struct catalog_use){.relation = source->relation});
        for (size_t j = 0; j < source->columns.count; j++)
            vec_push(a, &r->uses, (struct catalog_use){source->relation, source->columns.at[j]});
    }
    for (size_t i = 0; i < uses->sequences.count; i++)
        vec_push(a, &r->uses, (struct catalog_use){.relation = uses->sequences.at[i]});
    for (size_t i = 0; i < uses->calls.count; i++) {
        if (uses->calls.at[i].function)
            vec_push(a, &r->used_functions, uses->calls.at[i].function);
    }
    for (size_t i = 0; i < uses->types.count; i++)
        vec_push(a, &r->used_types, uses->types.at[i]);
}

/* Columns that it does not have yet: CREATE OR REPLACE VIEW may add some. */
static void add_output(struct deed *d, struct catalog_relation *r, const struct query_uses *uses,
                       PgQuery__Node *const *names, size_t count)
{
    for (size_t i = 0; i < uses->output.count; i++) {
        struct str name = uses->output.at[i].name;
        if (i < count && names[i]->node_case == PG_QUERY__NODE__NODE_STRING)
            name = str_of(names[i]->string->sval);
        if (!catalog_find_column(r, name))
            catalog_add_column(d->catalog, r, name, &uses->output.at[i].type)->is_local = true;
    }
}

void fold_create_view(struct deed *d, const PgQuery__Node *node)
{
    const PgQuery__ViewStmt *create = node->view_stmt;
    if (!create->view || !create->query)
        return;
    struct query_uses uses;
    query_uses_read(d, create->query, &uses);
    struct catalog_relation *r = create_existing(d, create->view);
    if (r && (!create->replace || r->kind != RELATION_VIEW))
        return;
    if (!r) {
        struct str schema = create_schema_of(d, create->view);
        bool is_temporary = false;
        for (size_t i = 0; i < uses.sources.count; i++)
            is_temporary |= uses.sources.at[i].relation &&
                            uses.sources.at[i].relation->persistence == PERSISTENCE_TEMPORARY;
        if (is_temporary && !create->view->schemaname[0])
            schema = STR("pg_temp");
        r = catalog_add_relation(d->catalog, RELATION_VIEW, schema,
                                 object_name_cut(str_of(create->view->relname)));
        r->persistence = is_temporary ? PERSISTENCE_TEMPORARY : create_persistence(create->view);
    }
    fold_uses(d, r, &uses);
    r->query = deed_keep_expression(d, create->query);
    add_output(d, r, &uses, create->aliases, create->n_aliases);
}

/* The table or materialized view of AS and INTO. */
static void fold_into(struct deed *d, const PgQuery__Node *query, const PgQuery__IntoClause *into,
                      enum relation_kind kind)
{
    if (!into || !into->rel || !query || create_existing(d, into->rel))
        return;
    if (query->node_case == PG_QUERY__NODE__NODE_EXECUTE_STMT)
        query = create_prepared(d, query->execute_stmt);
    struct query_uses uses;
    query_uses_read(d, query, &uses);
    struct catalog_relation *r =
        catalog_add_relation(d->catalog, kind, create_schema_of(d, into->rel),
                             object_name_cut(str_of(into->rel->relname)));
    r->persistence = create_persistence(into->rel);
    r->tablespace = arena_str(d->catalog->arena, str_of(into->table_space_name));
    r->access_method = arena_str(d->catalog->arena, str_of(into->access_method));
    r->replica_identity = 'd';
    r->is_populated = kind != RELATION_MATERIALIZED_VIEW || !into->skip_data;
    r->rows = into->skip_data ? create_rows(d) : query_uses_rows(&uses);
    add_output(d, r, &uses, into->col_names, into->n_col_names);
    if (kind != RELATION_MATERIALIZED_VIEW)
        return;
    fold_uses(d, r, &uses);
    r->query = deed_keep_expression(d, query);
}

void fold_create_table_as(struct deed *d, const PgQuery__Node *node)
{
    const PgQuery__CreateTableAsStmt *create = node->create_table_as_stmt;
    bool is_view = create->objtype == PG_QUERY__OBJECT_TYPE__OBJECT_MATVIEW;
    fold_into(d, create->query, create->into,
              is_view ? RELATION_MATERIALIZED_VIEW : RELATION_TABLE);
}

void fold_select_into(struct deed *d, const PgQuery__Node *query)
{
    fold_into(d, query, query->select_stmt->into_clause, RELATION_TABLE);
}

/* ---- statistics objects ---- */

static bool has_statistics(const struct catalog *c, struct str schema, struct str name)
{
    for (size_t i = 0; i < c->statistics.count; i++) {
        const struct catalog_statistics *s = c->statistics.at[i];
        if (!s->is_dropped && str_equal(s->schema, schema) && str_equal(s->name, name))
            return true;
    }
    return false;
}

struct str statistics_name(struct deed *d, const struct catalog_statistics *s)
{
    struct index_column_names names = {.a = d->a};
    for (size_t i = 0; i < s->columns.count; i++)
        vec_push(d->a, &names.all, s->columns.at[i]->name);
    struct str columns = object_name_joined(d->a, names.all.at, names.all.count);
    for (unsigned number = 0;; number++) {
        struct str label = STR("stat");
        if (number)
            label = str_of(arena_printf(d->a, "stat%u", number));
        struct str name = object_name(d->a, s->relation->name, columns, label);
        if (!has_statistics(d->catalog, s->schema, name))
            return arena_str(d->catalog->arena, name);
    }
}

struct statistics_columns {
    struct arena *a;
    struct catalog_statistics *s;
};

static void add_statistics_column(void *context, struct catalog_column *column)
{
    struct statistics_columns *to = context;
    for (size_t i = 0; i < to->s->columns.count; i++) {
        if (to->s->columns.at[i] == column)
            return;
    }
    vec_push(to->a, &to->s->columns, column);
}

void fold_create_statistics(struct deed *d, const PgQuery__Node *node)
{
    const PgQuery__CreateStatsStmt *create = node->create_stats_stmt;
    struct catalog *c = d->catalog;
    if (!create->n_relations || create->relations[0]->node_case != PG_QUERY__NODE__NODE_RANGE_VAR)
        return;
    struct catalog_relation *table = deed_relation(d, create->relations[0]->range_var, true);
    if (!table)
        return;
    struct catalog_statistics *s = arena_new(c->arena, struct catalog_statistics);
    struct statistics_columns to = {.a = c->arena, .s = s};
    s->relation = table;
    for (size_t i = 0; i < create->n_exprs; i++) {
        if (create->exprs[i]->node_case != PG_QUERY__NODE__NODE_STATS_ELEM)
            continue;
        const PgQuery__StatsElem *e = create->exprs[i]->stats_elem;
        struct catalog_column *column = catalog_find_column(table, str_of(e->name));
        if (column)
            add_statistics_column(&to, column);
        else if (e->expr)
            expression_columns(e->expr, table, add_statistics_column, &to);
    }
    s->schema = table->schema;
    if (create->n_defnames)
        s->schema = create_schema_of_names(d, create->defnames, create->n_defnames, &s->name);
    else
        s->name = statistics_name(d, s);
    if (has_statistics(c, s->schema, s->name))
        return;
    s->schema = arena_str(c->arena, s->schema);
    s->name = arena_str(c->arena, s->name);
    vec_push(c->arena, &c->statistics, s);
}

/* ---- schemas ---- */

static struct str new_schema_name(const PgQuery__CreateSchemaStmt *create)
{
    if (create->schemaname[0] || !create->authrole)
        return str_of(create->schemaname);
    return str_of(create->authrole->rolename);
}

/* Its elements are made in it, and look there first. */
void fold_create_schema(struct deed *d, const PgQuery__Node *node)
{
    const PgQuery__CreateSchemaStmt *create = node->create_schema_stmt;
    struct str name = new_schema_name(create);
    if (!name.len)
        return;
    catalog_add_schema(d->catalog, name);
    if (!create->n_schema_elts || d->depth == DEED_DEPTH_MAX)
        return;
    struct str before = catalog_setting(d->catalog, "search_path");
    struct str quoted = catalog_identifier(d->a, name);
    struct str behind = before.at ? before : STR("public");
    struct str path = str_of(arena_printf(d->a, "%.*s, %.*s", STR_ARG(quoted), STR_ARG(behind)));
    if (!behind.len)
        path = quoted;
    catalog_set(d->catalog, STR("search_path"), path, false);
    d->depth++;
    for (size_t i = 0; i < create->n_schema_elts; i++) {
        const struct effect_row *row = effect_row((unsigned)create->schema_elts[i]->node_case);
        if (row && row->fold)
            row->fold(d, create->schema_elts[i]);
    }
    d->depth--;
    catalog_set(d->catalog, STR("search_path"), before, false);
}
