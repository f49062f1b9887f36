/* The second pass: what one object says of others. */
#include "core/model/catalog_refs.h"

typedef VEC_OF(struct catalog_column *) columns;

/* Between lists whose types differ in name only. */
#define TAKE(into, list)                                                                           \
    ((into)->at = (list).at, (into)->count = (list).count, (into)->room = (list).room)

static bool find_column(struct catalog_reader *r, const struct json *j, const char *key,
                        const struct catalog_relation *relation, struct catalog_column **out)
{
    struct str name = json_str_of(key ? json_get(j, key) : j);
    *out = relation && name.len ? catalog_find_column(relation, name) : NULL;
    return *out || read_fail(r, key, "there is no column \"%.*s\" in its relation", STR_ARG(name));
}

/* A list of names. */
static bool read_columns(struct catalog_reader *r, const struct json *j, const char *key,
                         const struct catalog_relation *relation, columns *out)
{
    const struct json *list;
    if (!read_list(r, j, key, &list))
        return false;
    read_enter(r, key, 0);
    for (size_t i = 0; i < json_count(list); i++) {
        struct catalog_column *column;
        read_enter(r, NULL, i);
        if (!find_column(r, json_at(list, i), NULL, relation, &column))
            return false;
        vec_push(r->a, out, column);
        read_leave(r);
    }
    read_leave(r);
    return true;
}

/* Calls take for the object that each text of a list names. */
static bool read_refs(struct catalog_reader *r, const struct json *j, const char *key,
                      enum ref_class class,
                      void (*take)(struct catalog_reader *r, void *context, void *object),
                      void *context)
{
    const struct json *list;
    if (!read_list(r, j, key, &list))
        return false;
    read_enter(r, key, 0);
    for (size_t i = 0; i < json_count(list); i++) {
        void *object;
        read_enter(r, NULL, i);
        if (!read_ref(r, json_at(list, i), NULL, class, &object))
            return false;
        take(r, context, object);
        read_leave(r);
    }
    read_leave(r);
    return true;
}

typedef VEC_OF(struct catalog_use) uses;

static bool read_uses(struct catalog_reader *r, const struct json *j, uses *out)
{
    const struct json *list;
    if (!read_list(r, j, "uses", &list))
        return false;
    read_enter(r, "uses", 0);
    for (size_t i = 0; i < json_count(list); i++) {
        const struct json *one = json_at(list, i);
        struct catalog_use use = {0};
        void *relation;
        read_enter(r, NULL, i);
        if (!read_ref(r, one, "relation", REF_RELATION, &relation))
            return false;
        use.relation = relation;
        if (json_get(one, "column") && !find_column(r, one, "column", relation, &use.column))
            return false;
        vec_push(r->a, out, use);
        read_leave(r);
    }
    read_leave(r);
    return true;
}

typedef VEC_OF(struct index_key) keys;

static bool read_keys(struct catalog_reader *r, const struct json *j, const char *key,
                      const struct catalog_relation *relation, keys *out)
{
    const struct json *list;
    if (!read_list(r, j, key, &list))
        return false;
    read_enter(r, key, 0);
    for (size_t i = 0; i < json_count(list); i++) {
        const struct json *one = json_at(list, i);
        struct index_key made = {0};
        read_enter(r, NULL, i);
        if (!read_fields(r, one, &catalog_fields_index_key, &made, false))
            return false;
        if (json_get(one, "column") && !find_column(r, one, "column", relation, &made.column))
            return false;
        vec_push(r->a, out, made);
        read_leave(r);
    }
    read_leave(r);
    return true;
}

/* ---- a relation ---- */

static bool link_columns(struct catalog_reader *r, const struct json *j,
                         struct catalog_relation *relation)
{
    const struct json *list = json_get(j, "columns");
    read_enter(r, "columns", 0);
    for (size_t i = 0; i < json_count(list); i++) {
        read_enter(r, NULL, i);
        if (!read_fields(r, json_at(list, i), &catalog_fields_column, relation->columns.at[i],
                         true))
            return false;
        read_leave(r);
    }
    read_leave(r);
    return true;
}

static bool is_key(const struct catalog_constraint *k)
{
    return k->kind == CONSTRAINT_PRIMARY_KEY || k->kind == CONSTRAINT_UNIQUE ||
           k->kind == CONSTRAINT_EXCLUSION;
}

static bool link_constraint(struct catalog_reader *r, const struct json *j,
                            struct catalog_constraint *k)
{
    columns own = {0};
    columns others = {0};
    if (!read_fields(r, j, &catalog_fields_constraint, k, true) ||
        !read_columns(r, j, "columns", k->relation, &own) ||
        !read_columns(r, j, "referenced_columns", k->referenced, &others))
        return false;
    TAKE(&k->columns, own);
    TAKE(&k->referenced_columns, others);
    if (k->referenced)
        vec_push(r->a, &k->referenced->referencing, k);
    if (k->index && !k->index->index)
        return read_fail(r, "index", "this is no index");
    if (k->index && is_key(k))
        k->index->index->constraint = k;
    if (!json_get(j, "parent"))
        return true;
    void *parent;
    if (!read_ref(r, j, "parent_relation", REF_RELATION, &parent))
        return false;
    k->parent = catalog_find_constraint(parent, json_str_of(json_get(j, "parent")));
    return k->parent || read_fail(r, "parent", "its relation has no such constraint");
}

static bool link_constraints(struct catalog_reader *r, const struct json *j,
                             struct catalog_relation *relation)
{
    const struct json *list = json_get(j, "constraints");
    read_enter(r, "constraints", 0);
    for (size_t i = 0; i < json_count(list); i++) {
        read_enter(r, NULL, i);
        if (!link_constraint(r, json_at(list, i), relation->constraints.at[i]))
            return false;
        read_leave(r);
    }
    read_leave(r);
    return true;
}

/* The trigger of a parent that is in the file already: parents stand in front of their partitions, or
   the link is left out. */
static struct catalog_trigger *parent_trigger(const struct catalog_relation *relation,
                                              struct str name)
{
    for (size_t i = 0; i < relation->parents.count; i++) {
        struct catalog_trigger *found = catalog_find_trigger(relation->parents.at[i], name);
        if (found)
            return found;
    }
    return NULL;
}

static bool read_triggers(struct catalog_reader *r, const struct json *j,
                          struct catalog_relation *relation)
{
    const struct json *list;
    if (!read_list(r, j, "triggers", &list))
        return false;
    read_enter(r, "triggers", 0);
    for (size_t i = 0; i < json_count(list); i++) {
        const struct json *one = json_at(list, i);
        struct catalog_trigger *t = arena_new(r->a, struct catalog_trigger);
        columns named = {0};
        read_enter(r, NULL, i);
        t->enabled = 'O';
        if (!read_name(r, one, "name", &t->name) ||
            !read_fields(r, one, &catalog_fields_trigger, t, false) ||
            !read_fields(r, one, &catalog_fields_trigger, t, true) ||
            !read_columns(r, one, "columns", relation, &named))
            return false;
        TAKE(&t->columns, named);
        if (t->update_count > t->columns.count)
            return read_fail(r, "update_count", "it has not so many columns");
        t->parent = parent_trigger(relation, json_str_of(json_get(one, "parent")));
        catalog_add_trigger(r->c, relation, t);
        read_leave(r);
    }
    read_leave(r);
    return true;
}

static void add_rule_use(struct catalog_reader *r, void *context, void *object)
{
    struct catalog_rule *rule = context;
    vec_push(r->a, &rule->uses, (struct catalog_relation *)object);
}

static bool read_rules(struct catalog_reader *r, const struct json *j,
                       struct catalog_relation *relation)
{
    const struct json *list;
    if (!read_list(r, j, "rules", &list))
        return false;
    read_enter(r, "rules", 0);
    for (size_t i = 0; i < json_count(list); i++) {
        struct catalog_rule *rule = arena_new(r->a, struct catalog_rule);
        read_enter(r, NULL, i);
        if (!read_name(r, json_at(list, i), "name", &rule->name) ||
            !read_fields(r, json_at(list, i), &catalog_fields_rule, rule, false) ||
            !read_refs(r, json_at(list, i), "uses", REF_RELATION, add_rule_use, rule))
            return false;
        catalog_add_rule(r->c, relation, rule);
        read_leave(r);
    }
    read_leave(r);
    return true;
}

static void add_parent(struct catalog_reader *r, void *context, void *object)
{
    catalog_add_child(r->c, object, context);
}

static void add_used_function(struct catalog_reader *r, void *context, void *object)
{
    struct catalog_relation *relation = context;
    vec_push(r->a, &relation->used_functions, (struct catalog_function *)object);
}

static void add_used_type(struct catalog_reader *r, void *context, void *object)
{
    struct catalog_relation *relation = context;
    vec_push(r->a, &relation->used_types, (struct catalog_type *)object);
}

static bool read_index(struct catalog_reader *r, const struct json *j,
                       struct catalog_relation *relation)
{
    const struct json *index = json_get(j, "index");
    struct catalog_index *into = relation->index;
    if (!json_is_object(index))
        return read_fail(r, "index", "the index has no \"index\"");
    read_enter(r, "index", 0);
    if (!read_fields(r, index, &catalog_fields_index, into, false) ||
        !read_fields(r, index, &catalog_fields_index, into, true))
        return false;
    if (!into->table)
        return read_fail(r, NULL, "the index has no table");
    if (into->parent && !into->parent->index)
        return read_fail(r, "parent", "this is no index");
    vec_push(r->a, &into->table->indexes, relation);
    keys list = {0};
    if (!read_keys(r, index, "keys", into->table, &list))
        return false;
    TAKE(&into->keys, list);
    read_leave(r);
    return true;
}

static bool read_sequence(struct catalog_reader *r, const struct json *j,
                          struct catalog_relation *relation)
{
    const struct json *sequence = json_get(j, "sequence");
    struct catalog_sequence *into = relation->sequence;
    read_enter(r, "sequence", 0);
    if (!read_fields(r, sequence, &catalog_fields_sequence, into, false) ||
        !read_fields(r, sequence, &catalog_fields_sequence, into, true))
        return false;
    if (json_get(sequence, "owner_column") &&
        !find_column(r, sequence, "owner_column", into->owner_table, &into->owner_column))
        return false;
    catalog_own_sequence(r->c, relation, into->owner_table, into->owner_column);
    read_leave(r);
    return true;
}

static bool read_bound(struct catalog_reader *r, const struct json *j,
                       struct catalog_relation *relation)
{
    const struct json *bound = json_get(j, "bound");
    if (bound && !json_is_str(bound))
        return read_fail(r, "bound", "\"bound\" is no text");
    relation->bound.text = arena_str(r->a, json_str_of(bound));
    return true;
}

bool read_relation_links(struct catalog_reader *r, const struct json *j,
                         struct catalog_relation *relation)
{
    keys partition = {0};
    uses read = {0};
    if (!read_fields(r, j, &catalog_fields_relation, relation, true) ||
        !read_bound(r, j, relation) || !link_columns(r, j, relation) ||
        (relation->index && !read_index(r, j, relation)) ||
        (relation->sequence && !read_sequence(r, j, relation)) ||
        !link_constraints(r, j, relation) ||
        !read_refs(r, j, "parents", REF_RELATION, add_parent, relation) ||
        !read_keys(r, j, "partition_keys", relation, &partition) ||
        !read_triggers(r, j, relation) || !read_rules(r, j, relation) || !read_uses(r, j, &read) ||
        !read_refs(r, j, "used_functions", REF_FUNCTION, add_used_function, relation) ||
        !read_refs(r, j, "used_types", REF_TYPE, add_used_type, relation))
        return false;
    TAKE(&relation->partition_keys, partition);
    TAKE(&relation->uses, read);
    return true;
}

/* ---- what would never end ---- */

#define CHAIN_MAX 64

/* Whether a chain of parents ends. NOLINTNEXTLINE(misc-no-recursion): bounded by CHAIN_MAX */
static bool parents_end(struct catalog_relation *relation, unsigned depth)
{
    if (depth == CHAIN_MAX)
        return false;
    /* Its mark while the file is read: what was looked at once ends. */
    if (relation->created_in)
        return true;
    for (size_t i = 0; i < relation->parents.count; i++) {
        if (!parents_end(relation->parents.at[i], depth + 1))
            return false;
    }
    relation->created_in = 1;
    return true;
}

static bool indexes_end(const struct catalog_relation *relation)
{
    unsigned depth = 0;
    while (relation && relation->index && depth < CHAIN_MAX) {
        relation = relation->index->parent;
        depth++;
    }
    return depth < CHAIN_MAX;
}

static bool bases_end(const struct catalog_type *t)
{
    unsigned depth = 0;
    for (; t && depth < CHAIN_MAX; depth++)
        t = t->base.user;
    return depth < CHAIN_MAX;
}

bool read_check_chains(struct catalog_reader *r)
{
    struct catalog *c = r->c;
    bool is_fine = true;
    for (size_t i = 0; i < c->relations.count && is_fine; i++)
        is_fine = parents_end(c->relations.at[i], 0) && indexes_end(c->relations.at[i]);
    for (size_t i = 0; i < c->types.count && is_fine; i++)
        is_fine = bases_end(c->types.at[i]);
    for (size_t i = 0; i < c->relations.count; i++)
        c->relations.at[i]->created_in = 0;
    return is_fine ||
           read_fail(r, "relations", "parents, or the bases of a domain, go in a circle");
}

/* ---- types, functions and the rest ---- */

bool read_type_links(struct catalog_reader *r, const struct json *j, struct catalog_type *t)
{
    const struct json *list;
    if (!read_fields(r, j, &catalog_fields_type, t, true) || !read_list(r, j, "constraints", &list))
        return false;
    read_enter(r, "constraints", 0);
    for (size_t i = 0; i < json_count(list); i++) {
        struct domain_constraint k = {.is_valid = true};
        read_enter(r, NULL, i);
        if (!read_fields(r, json_at(list, i), &catalog_fields_domain_constraint, &k, false))
            return false;
        vec_push(r->a, &t->constraints, k);
        read_leave(r);
    }
    read_leave(r);
    if (!read_list(r, j, "labels", &list))
        return false;
    for (size_t i = 0; i < json_count(list); i++)
        vec_push(r->a, &t->labels, arena_str(r->a, json_str_of(json_at(list, i))));
    return true;
}

bool read_function_links(struct catalog_reader *r, const struct json *j,
                         struct catalog_function *function)
{
    const struct json *list;
    const struct json *names;
    if (!read_fields(r, j, &catalog_fields_function, function, true) ||
        !read_list(r, j, "arguments", &list) || !read_list(r, j, "argument_names", &names))
        return false;
    read_enter(r, "arguments", 0);
    for (size_t i = 0; i < json_count(list); i++) {
        struct type_ref t;
        read_enter(r, NULL, i);
        if (!read_type(r, json_at(list, i), NULL, &t))
            return false;
        vec_push(r->a, &function->arguments, t);
        vec_push(r->a, &function->argument_names, arena_str(r->a, json_str_of(json_at(names, i))));
        read_leave(r);
    }
    read_leave(r);
    if (function->default_count > function->arguments.count)
        return read_fail(r, "default_count", "it has not so many arguments");
    ref_table_add(r->refs, REF_FUNCTION, catalog_function_text(r->a, function), function);
    return true;
}

bool read_function_uses(struct catalog_reader *r, const struct json *j)
{
    struct catalog_function *function = r->c->functions.at[r->way[r->depth - 1].index];
    uses read = {0};
    if (!read_uses(r, j, &read))
        return false;
    TAKE(&function->uses, read);
    return true;
}

bool read_statistics(struct catalog_reader *r, const struct json *j)
{
    struct catalog_statistics *s = arena_new(r->a, struct catalog_statistics);
    vec_push(r->a, &r->c->statistics, s);
    if (!read_fields(r, j, &catalog_fields_statistics, s, false) ||
        !read_fields(r, j, &catalog_fields_statistics, s, true))
        return false;
    if (!s->relation)
        return read_fail(r, NULL, "the statistics have no relation");
    columns named = {0};
    if (!read_columns(r, j, "columns", s->relation, &named))
        return false;
    TAKE(&s->columns, named);
    return true;
}

static void add_published(struct catalog_reader *r, void *context, void *object)
{
    struct catalog_publication *p = context;
    vec_push(r->a, &p->relations, (struct catalog_relation *)object);
}

bool read_publication(struct catalog_reader *r, const struct json *j)
{
    const struct json *schemas;
    struct catalog_publication *p = arena_new(r->a, struct catalog_publication);
    vec_push(r->a, &r->c->publications, p);
    if (!read_fields(r, j, &catalog_fields_publication, p, false) ||
        !read_list(r, j, "schemas", &schemas))
        return false;
    for (size_t i = 0; i < json_count(schemas); i++)
        vec_push(r->a, &p->schemas, arena_str(r->a, json_str_of(json_at(schemas, i))));
    return read_refs(r, j, "relations", REF_RELATION, add_published, p);
}
