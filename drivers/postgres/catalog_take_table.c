/* Indexes, constraints, triggers, rules and policies: the parts of tables. */
#include "drivers/postgres/catalog_load.h"

#include "core/base/vec.h"

void take_indexes(struct catalog_load *l, const PGresult *r)
{
    struct row_map map = row_map_of(r, &catalog_fields_index);
    for (int i = 0; i < PQntuples(r); i++) {
        struct catalog_relation *index = oid_value(l, OID_RELATION, r, i, 0);
        struct catalog_relation *table = oid_value(l, OID_RELATION, r, i, 1);
        if (!index || !index->index || !table)
            continue;
        row_fill(l, &map, i, index->index);
        index->index->table = table;
        vec_push(l->a, &table->indexes, index);
    }
}

void take_index_flags(struct catalog_load *l, const PGresult *r)
{
    struct row_map map = row_map_of(r, &catalog_fields_index);
    for (int i = 0; i < PQntuples(r); i++) {
        struct catalog_relation *index = oid_value(l, OID_RELATION, r, i, 0);
        if (index && index->index)
            row_fill(l, &map, i, index->index);
    }
}

void take_index_keys(struct catalog_load *l, const PGresult *r)
{
    enum { INDEX, TABLE, NUMBER };
    struct row_map map = row_map_of(r, &catalog_fields_index_key);
    for (int i = 0; i < PQntuples(r); i++) {
        struct catalog_relation *index = oid_value(l, OID_RELATION, r, i, INDEX);
        if (!index || !index->index || !index->index->table)
            continue;
        struct index_key key = {
            .column =
                oid_find(l, OID_COLUMN, oid_of(r, i, TABLE), (int)pgdrv_value_i64(r, i, NUMBER)),
        };
        row_fill(l, &map, i, &key);
        vec_push(l->a, &index->index->keys, key);
    }
}

/* ---- constraints ---- */

enum {
    CONSTRAINT_OID,
    CONSTRAINT_TABLE,
    CONSTRAINT_COLUMNS,
    CONSTRAINT_INDEX,
    CONSTRAINT_REFERENCED,
    CONSTRAINT_REFERENCED_COLUMNS,
    CONSTRAINT_PARENT,
};

static bool has_own_index(enum constraint_kind kind)
{
    return kind == CONSTRAINT_PRIMARY_KEY || kind == CONSTRAINT_UNIQUE ||
           kind == CONSTRAINT_EXCLUSION;
}

static void take_constraint(struct catalog_load *l, const struct row_map *map, int i)
{
    const PGresult *r = map->result;
    struct catalog_relation *relation = oid_value(l, OID_RELATION, r, i, CONSTRAINT_TABLE);
    if (!relation)
        return;
    struct catalog_constraint *k =
        catalog_add_constraint(l->catalog, relation, CONSTRAINT_UNKNOWN, row_value(map, i, "name"));
    row_fill(l, map, i, k);
    struct oid_list numbers = oid_list_of(l, r, i, CONSTRAINT_COLUMNS);
    oid_columns columns = oid_columns_of(l, oid_of(r, i, CONSTRAINT_TABLE), &numbers);
    k->columns.at = columns.at;
    k->columns.count = columns.count;
    k->columns.room = columns.room;
    /* From 18 on the server marks the column for one that may not hold yet, too. */
    if (k->kind == CONSTRAINT_NOT_NULL && !k->is_valid && k->columns.count)
        k->columns.at[0]->is_not_null = false;
    k->index = oid_value(l, OID_RELATION, r, i, CONSTRAINT_INDEX);
    if (k->index && k->index->index && has_own_index(k->kind))
        k->index->index->constraint = k;
    k->referenced = oid_value(l, OID_RELATION, r, i, CONSTRAINT_REFERENCED);
    if (k->referenced) {
        numbers = oid_list_of(l, r, i, CONSTRAINT_REFERENCED_COLUMNS);
        columns = oid_columns_of(l, oid_of(r, i, CONSTRAINT_REFERENCED), &numbers);
        k->referenced_columns.at = columns.at;
        k->referenced_columns.count = columns.count;
        k->referenced_columns.room = columns.room;
        vec_push(l->a, &k->referenced->referencing, k);
    }
    oid_add(l, OID_CONSTRAINT, oid_of(r, i, CONSTRAINT_OID), 0, k);
}

void take_constraints(struct catalog_load *l, const PGresult *r)
{
    struct row_map map = row_map_of(r, &catalog_fields_constraint);
    for (int i = 0; i < PQntuples(r); i++)
        take_constraint(l, &map, i);
    for (int i = 0; i < PQntuples(r); i++) {
        struct catalog_constraint *k = oid_value(l, OID_CONSTRAINT, r, i, CONSTRAINT_OID);
        if (k)
            k->parent = oid_value(l, OID_CONSTRAINT, r, i, CONSTRAINT_PARENT);
    }
}

void take_constraint_flags(struct catalog_load *l, const PGresult *r)
{
    struct row_map map = row_map_of(r, &catalog_fields_constraint);
    for (int i = 0; i < PQntuples(r); i++) {
        struct catalog_constraint *k = oid_value(l, OID_CONSTRAINT, r, i, 0);
        if (k)
            row_fill(l, &map, i, k);
    }
}

/* ---- triggers, rules, policies ---- */

void take_triggers(struct catalog_load *l, const PGresult *r)
{
    enum { TABLE, FUNCTION, FROM, UPDATED, MENTIONED };
    struct row_map map = row_map_of(r, &catalog_fields_trigger);
    for (int i = 0; i < PQntuples(r); i++) {
        struct catalog_relation *relation = oid_value(l, OID_RELATION, r, i, TABLE);
        if (!relation)
            continue;
        struct catalog_trigger *t = arena_new(l->a, struct catalog_trigger);
        row_fill(l, &map, i, t);
        t->function = oid_value(l, OID_FUNCTION, r, i, FUNCTION);
        t->from = oid_value(l, OID_RELATION, r, i, FROM);
        struct oid_list numbers = oid_list_of(l, r, i, UPDATED);
        oid_columns updated = oid_columns_of(l, oid_of(r, i, TABLE), &numbers);
        numbers = oid_list_of(l, r, i, MENTIONED);
        oid_columns mentioned = oid_columns_of(l, oid_of(r, i, TABLE), &numbers);
        for (size_t k = 0; k < updated.count; k++)
            vec_push(l->a, &t->columns, updated.at[k]);
        t->update_count = updated.count;
        for (size_t k = 0; k < mentioned.count; k++)
            vec_push(l->a, &t->columns, mentioned.at[k]);
        catalog_add_trigger(l->catalog, relation, t);
    }
}

/* A trigger for each row of a partition that its table has too was made for that. */
void catalog_link_triggers(struct catalog *c)
{
    for (size_t i = 0; i < c->relations.count; i++) {
        const struct catalog_relation *r = c->relations.at[i];
        const struct catalog_relation *parent =
            r->is_partition && r->parents.count ? r->parents.at[0] : NULL;
        for (size_t k = 0; parent && k < r->triggers.count; k++) {
            struct catalog_trigger *t = r->triggers.at[k];
            struct catalog_trigger *above = catalog_find_trigger(parent, t->name);
            if (above && above->is_row && t->is_row && above->function == t->function)
                t->parent = above;
        }
    }
}

static struct catalog_rule *add_rule(struct catalog_load *l, const struct row_map *map, int i)
{
    struct catalog_relation *relation = oid_value(l, OID_RELATION, map->result, i, 0);
    if (!relation)
        return NULL;
    struct catalog_rule *rule = arena_new(l->a, struct catalog_rule);
    row_fill(l, map, i, rule);
    catalog_add_rule(l->catalog, relation, rule);
    return rule;
}

void take_rules(struct catalog_load *l, const PGresult *r)
{
    struct row_map map = row_map_of(r, &catalog_fields_rule);
    for (int i = 0; i < PQntuples(r); i++)
        (void)add_rule(l, &map, i);
}

void take_policies(struct catalog_load *l, const PGresult *r)
{
    struct row_map map = row_map_of(r, &catalog_fields_rule);
    for (int i = 0; i < PQntuples(r); i++) {
        struct catalog_rule *policy = add_rule(l, &map, i);
        struct oid_list used = oid_list_of(l, r, i, 1);
        for (size_t k = 0; policy && k < used.count; k++) {
            struct catalog_relation *other = oid_find(l, OID_RELATION, (Oid)used.at[k], 0);
            if (other)
                vec_push(l->a, &policy->uses, other);
        }
    }
}

static void add_rule_use(struct catalog_load *l, struct catalog_rule *rule,
                         struct catalog_relation *other)
{
    for (size_t i = 0; i < rule->uses.count; i++) {
        if (rule->uses.at[i] == other)
            return;
    }
    vec_push(l->a, &rule->uses, other);
}

void take_uses(struct catalog_load *l, const PGresult *r)
{
    enum { USER, RULE, CLASS, OBJECT, NUMBER };
    for (int i = 0; i < PQntuples(r); i++) {
        struct catalog_relation *user = oid_value(l, OID_RELATION, r, i, USER);
        if (!user)
            continue;
        bool is_view = str_equal(pgdrv_value(r, i, RULE), STR("_RETURN"));
        struct catalog_rule *rule =
            is_view ? NULL : catalog_find_rule(user, pgdrv_value(r, i, RULE), false);
        char class = PQgetvalue(r, i, CLASS)[0];
        struct catalog_relation *other =
            class == 'r' ? oid_value(l, OID_RELATION, r, i, OBJECT) : NULL;
        if (other && rule)
            add_rule_use(l, rule, other);
        if (other && is_view) {
            struct catalog_use use = {
                .relation = other,
                .column = oid_find(l, OID_COLUMN, oid_of(r, i, OBJECT),
                                   (int)pgdrv_value_i64(r, i, NUMBER)),
            };
            vec_push(l->a, &user->uses, use);
        }
        struct catalog_function *function =
            class == 'f' ? oid_value(l, OID_FUNCTION, r, i, OBJECT) : NULL;
        if (function && is_view)
            vec_push(l->a, &user->used_functions, function);
        const struct type_ref *t = class == 't' ? oid_value(l, OID_TYPE, r, i, OBJECT) : NULL;
        if (t && t->user && is_view)
            vec_push(l->a, &user->used_types, t->user);
    }
}
