/* The catalog's lists: what is made joins them, what goes is marked. Names are in catalog_names.c. */
#include "core/model/catalog.h"

#include "core/model/catalog_names.h"

struct catalog *catalog_make(struct arena *a)
{
    struct catalog *c = arena_new(a, struct catalog);
    c->arena = a;
    c->names = name_table_make(a);
    return c;
}

/* ---- what is made ---- */

static bool has_rows_of_a_type(enum relation_kind kind)
{
    switch (kind) {
    case RELATION_TABLE:
    case RELATION_PARTITIONED_TABLE:
    case RELATION_VIEW:
    case RELATION_MATERIALIZED_VIEW:
    case RELATION_FOREIGN_TABLE:
    case RELATION_COMPOSITE_TYPE:
        return true;
    case RELATION_INDEX:
    case RELATION_PARTITIONED_INDEX:
    case RELATION_SEQUENCE:
    case RELATION_UNKNOWN:
        break;
    }
    return false;
}

/* The part of a relation that only its kind has. */
static void add_own_part(struct catalog *c, struct catalog_relation *r)
{
    if (r->kind == RELATION_INDEX || r->kind == RELATION_PARTITIONED_INDEX) {
        r->index = arena_new(c->arena, struct catalog_index);
        r->index->method = STR("btree");
        r->index->is_valid = true;
        r->index->scans = -1;
    } else if (r->kind == RELATION_SEQUENCE) {
        r->sequence = arena_new(c->arena, struct catalog_sequence);
        r->sequence->type = (struct type_ref){.builtin = STR("int8"), .typmod = -1};
        r->sequence->last_value = -1;
    } else if (has_rows_of_a_type(r->kind)) {
        r->row_type = catalog_add_type(c, TYPE_COMPOSITE, r->schema, r->name);
        r->row_type->composite = r;
    }
}

struct catalog_relation *catalog_add_relation(struct catalog *c, enum relation_kind kind,
                                              struct str schema, struct str name)
{
    struct catalog_relation *r = arena_new(c->arena, struct catalog_relation);
    r->schema = arena_str(c->arena, schema);
    r->name = arena_str(c->arena, name);
    r->kind = kind;
    r->created_in = c->migration;
    r->replica_identity = 'd';
    r->is_populated = true;
    r->row_estimate = -1;
    r->size_bytes = -1;
    r->seq_scans = r->index_scans = r->writes = -1;
    add_own_part(c, r);
    vec_push(c->arena, &c->relations, r);
    if (kind == RELATION_VIEW || kind == RELATION_MATERIALIZED_VIEW)
        vec_push(c->arena, &c->views, r);
    name_table_add(c, NAME_RELATION, r->schema, r->name, r);
    return r;
}

struct catalog_column *catalog_add_column(struct catalog *c, struct catalog_relation *r,
                                          struct str name, const struct type_ref *type)
{
    struct catalog_column *column = arena_new(c->arena, struct catalog_column);
    column->name = arena_str(c->arena, name);
    column->type = *type;
    column->type.builtin = arena_str(c->arena, type->builtin);
    column->type.unknown = arena_str(c->arena, type->unknown);
    if (type->user)
        type->user->may_be_used = true;
    column->is_local = true;
    column->null_fraction = -1;
    column->created_in = c->migration;
    vec_push(c->arena, &r->columns, column);
    return column;
}

struct catalog_constraint *catalog_add_constraint(struct catalog *c, struct catalog_relation *r,
                                                  enum constraint_kind kind, struct str name)
{
    struct catalog_constraint *k = arena_new(c->arena, struct catalog_constraint);
    k->name = arena_str(c->arena, name);
    k->kind = kind;
    k->relation = r;
    k->on_delete = k->on_update = 'a';
    k->is_valid = k->is_enforced = k->is_local = true;
    k->created_in = c->migration;
    vec_push(c->arena, &r->constraints, k);
    vec_push(c->arena, &c->constraints, k);
    name_table_add(c, NAME_CONSTRAINT, (struct str){0}, k->name, k);
    return k;
}

struct catalog_relation *catalog_add_index(struct catalog *c, struct catalog_relation *table,
                                           struct str name)
{
    enum relation_kind kind =
        table->kind == RELATION_PARTITIONED_TABLE ? RELATION_PARTITIONED_INDEX : RELATION_INDEX;
    struct catalog_relation *r = catalog_add_relation(c, kind, table->schema, name);
    r->index->table = table;
    r->persistence = table->persistence;
    vec_push(c->arena, &table->indexes, r);
    return r;
}

struct catalog_type *catalog_add_type(struct catalog *c, enum type_kind kind, struct str schema,
                                      struct str name)
{
    struct catalog_type *t = arena_new(c->arena, struct catalog_type);
    t->schema = arena_str(c->arena, schema);
    t->name = arena_str(c->arena, name);
    t->kind = kind;
    t->base.typmod = -1;
    t->created_in = c->migration;
    vec_push(c->arena, &c->types, t);
    name_table_add(c, NAME_TYPE, t->schema, t->name, t);
    return t;
}

struct catalog_function *catalog_add_function(struct catalog *c, struct str schema, struct str name)
{
    struct catalog_function *f = arena_new(c->arena, struct catalog_function);
    f->schema = arena_str(c->arena, schema);
    f->name = arena_str(c->arena, name);
    f->result.typmod = -1;
    f->volatility = 'v';
    f->created_in = c->migration;
    vec_push(c->arena, &c->functions, f);
    name_table_add(c, NAME_FUNCTION, f->schema, f->name, f);
    return f;
}

void catalog_add_child(struct catalog *c, struct catalog_relation *parent,
                       struct catalog_relation *child)
{
    vec_push(c->arena, &parent->children, child);
    vec_push(c->arena, &child->parents, parent);
}

static void note_watching(struct catalog *c, struct catalog_relation *r)
{
    if (r->triggers.count + r->rules.count == 1)
        vec_push(c->arena, &c->watching, r);
}

void catalog_add_trigger(struct catalog *c, struct catalog_relation *r, struct catalog_trigger *t)
{
    vec_push(c->arena, &r->triggers, t);
    note_watching(c, r);
}

void catalog_add_rule(struct catalog *c, struct catalog_relation *r, struct catalog_rule *rule)
{
    vec_push(c->arena, &r->rules, rule);
    note_watching(c, r);
}

void catalog_own_sequence(struct catalog *c, struct catalog_relation *sequence,
                          struct catalog_relation *owner, struct catalog_column *column)
{
    sequence->sequence->owner_table = owner;
    sequence->sequence->owner_column = column;
    for (size_t i = 0; owner && i < owner->owned.count; i++) {
        if (owner->owned.at[i] == sequence)
            return;
    }
    if (owner)
        vec_push(c->arena, &owner->owned, sequence);
}

struct catalog_relation *catalog_next_owned(const struct catalog_relation *r, size_t *at)
{
    while (*at < r->owned.count) {
        struct catalog_relation *s = r->owned.at[(*at)++];
        if (!s->is_dropped && s->sequence && s->sequence->owner_table == r)
            return s;
    }
    return NULL;
}

/* ---- what goes ---- */

void catalog_drop_type(struct catalog *c, struct catalog_type *t)
{
    if (t->is_dropped)
        return;
    t->is_dropped = true;
    name_table_remove(c, NAME_TYPE, t->schema, t->name, t);
}

void catalog_drop_function(struct catalog *c, struct catalog_function *f)
{
    if (f->is_dropped)
        return;
    f->is_dropped = true;
    name_table_remove(c, NAME_FUNCTION, f->schema, f->name, f);
}

/* The index behind a key; a foreign key's belongs to the other table. NOLINTNEXTLINE(misc-no-recursion) */
void catalog_drop_constraint(struct catalog *c, struct catalog_constraint *k)
{
    if (k->is_dropped)
        return;
    k->is_dropped = true;
    name_table_remove(c, NAME_CONSTRAINT, (struct str){0}, k->name, k);
    if (k->index && k->kind != CONSTRAINT_FOREIGN_KEY)
        catalog_drop_relation(c, k->index);
}

/* NOLINTNEXTLINE(misc-no-recursion): is_dropped is set on the way down */
static void drop_parts(struct catalog *c, struct catalog_relation *r)
{
    for (size_t i = 0; i < r->constraints.count; i++)
        catalog_drop_constraint(c, r->constraints.at[i]);
    for (size_t i = 0; i < r->indexes.count; i++)
        catalog_drop_relation(c, r->indexes.at[i]);
    for (size_t i = 0; i < r->triggers.count; i++)
        r->triggers.at[i]->is_dropped = true;
    for (size_t i = 0; i < r->rules.count; i++)
        r->rules.at[i]->is_dropped = true;
    if (r->row_type)
        catalog_drop_type(c, r->row_type);
    if (r->index && r->index->constraint)
        catalog_drop_constraint(c, r->index->constraint);
}

/* Those OWNED BY a column of it; statistics objects go with their table as well. */
/* NOLINTNEXTLINE(misc-no-recursion): sequences own nothing */
static void drop_owned(struct catalog *c, struct catalog_relation *r)
{
    for (size_t i = 0; i < r->columns.count; i++) {
        struct catalog_relation *sequence = r->columns.at[i]->sequence;
        if (sequence && sequence->sequence && sequence->sequence->owner_table == r)
            catalog_drop_relation(c, sequence);
    }
    for (size_t i = 0; i < c->statistics.count; i++) {
        if (c->statistics.at[i]->relation == r)
            c->statistics.at[i]->is_dropped = true;
    }
    size_t at = 0;
    struct catalog_relation *owned;
    while ((owned = catalog_next_owned(r, &at)))
        catalog_drop_relation(c, owned);
}

/* NOLINTNEXTLINE(misc-no-recursion) */
void catalog_drop_relation(struct catalog *c, struct catalog_relation *r)
{
    if (r->is_dropped)
        return;
    r->is_dropped = true;
    name_table_remove(c, NAME_RELATION, r->schema, r->name, r);
    drop_parts(c, r);
    if (has_rows_of_a_type(r->kind))
        drop_owned(c, r);
}

/* ---- new names ---- */

void catalog_rename_type(struct catalog *c, struct catalog_type *t, struct str schema,
                         struct str name)
{
    name_table_remove(c, NAME_TYPE, t->schema, t->name, t);
    t->schema = arena_str(c->arena, schema);
    t->name = arena_str(c->arena, name);
    name_table_add(c, NAME_TYPE, t->schema, t->name, t);
}

void catalog_rename_relation(struct catalog *c, struct catalog_relation *r, struct str schema,
                             struct str name)
{
    name_table_remove(c, NAME_RELATION, r->schema, r->name, r);
    r->schema = arena_str(c->arena, schema);
    r->name = arena_str(c->arena, name);
    name_table_add(c, NAME_RELATION, r->schema, r->name, r);
    if (r->row_type && !r->row_type->is_dropped)
        catalog_rename_type(c, r->row_type, schema, name);
}

void catalog_rename_constraint(struct catalog *c, struct catalog_constraint *k, struct str name)
{
    name_table_remove(c, NAME_CONSTRAINT, (struct str){0}, k->name, k);
    k->name = arena_str(c->arena, name);
    if (!k->is_dropped)
        name_table_add(c, NAME_CONSTRAINT, (struct str){0}, k->name, k);
}

const struct catalog_constraint *catalog_next_constraint(const struct catalog *c, struct str schema,
                                                         struct str name,
                                                         const struct catalog_constraint *previous)
{
    const struct catalog_constraint *k = previous;
    do {
        k = name_table_find(c, NAME_CONSTRAINT, (struct str){0}, name, k);
    } while (k && (k->relation->is_dropped || !str_equal(k->relation->schema, schema)));
    return k;
}

void catalog_rename_function(struct catalog *c, struct catalog_function *f, struct str schema,
                             struct str name)
{
    name_table_remove(c, NAME_FUNCTION, f->schema, f->name, f);
    f->schema = arena_str(c->arena, schema);
    f->name = arena_str(c->arena, name);
    name_table_add(c, NAME_FUNCTION, f->schema, f->name, f);
}
