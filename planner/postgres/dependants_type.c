/*
 * What depends on types, functions and sequences: columns, routines, views, and expressions that mention
 * them. Source: dependency.c (find_expr_references_walker), pg_type.c (GenerateTypeDependencies),
 * pg_proc.c (ProcedureCreate), pg_depend.c.
 */
#include <string.h>

#include "planner/postgres/dependants_parts.h"
#include "planner/postgres/facts.h"
#include "planner/postgres/query_uses.h"
#include "planner/postgres/types.h"

/* ---- expressions ---- */

static struct str name_of(const struct dependant *one)
{
    switch (one->kind) {
    case DEPENDANT_FUNCTION:
        return one->function->name;
    case DEPENDANT_TYPE:
        return one->type->name;
    case DEPENDANT_RELATION:
        return one->as_relation->name;
    case DEPENDANT_COLUMN:
    case DEPENDANT_DEFAULT:
    case DEPENDANT_CONSTRAINT:
    case DEPENDANT_TRIGGER:
    case DEPENDANT_RULE:
    case DEPENDANT_DOMAIN_CONSTRAINT:
    case DEPENDANT_STATISTICS:
    case DEPENDANT_OBJECT:
    case DEPENDANT_UNKNOWN:
        break;
    }
    return STR("");
}

static bool holds_name(void *context, const ProtobufCMessage *message)
{
    const struct str *name = context;
    return message->descriptor == &pg_query__string__descriptor &&
           str_find(str_of(((const PgQuery__String *)message)->sval), *name) != SIZE_MAX;
}

/* Cheap, and right about most: whether the name stands in it at all. */
static bool may_mention(const struct dependant *one, const struct catalog_expression *e)
{
    struct str name = name_of(one);
    if (e->tree)
        return parse_tree_visit(&((const PgQuery__Node *)e->tree)->base, holds_name, &name);
    return str_find(e->text, name) != SIZE_MAX;
}

/* Whether an expression of r's definition mentions the member: its function, type or sequence. */
static bool mentions(struct dependants *set, const struct dependant *one,
                     const struct catalog_expression *e, struct catalog_relation *r)
{
    if (!catalog_has_expression(e) || !may_mention(one, e))
        return false;
    const PgQuery__Node *tree = expression_tree(set->deed->catalog, e);
    if (!tree)
        return false;
    struct query_uses uses = {0};
    query_uses_expression(set->deed, tree, r, &uses);
    for (size_t i = 0; i < uses.calls.count; i++) {
        if (one->kind == DEPENDANT_FUNCTION && uses.calls.at[i].function == one->function)
            return true;
    }
    for (size_t i = 0; i < uses.types.count; i++) {
        if (one->kind == DEPENDANT_TYPE && uses.types.at[i] == one->type)
            return true;
    }
    for (size_t i = 0; i < uses.sequences.count; i++) {
        if (one->kind == DEPENDANT_RELATION && uses.sequences.at[i] == one->as_relation)
            return true;
    }
    return false;
}

static void in_columns(struct dependants *set, size_t at, struct catalog_relation *r)
{
    const struct dependant one = set->all.at[at];
    for (size_t i = 0; i < r->columns.count; i++) {
        struct catalog_column *column = r->columns.at[i];
        if (column->is_dropped || column->identity)
            continue;
        bool is_serial = one.kind == DEPENDANT_RELATION && column->sequence == one.as_relation;
        if (!is_serial && !mentions(set, &one, &column->default_value, r))
            continue;
        if (column->generated)
            dependants_add_of(set, DEPENDANT_COLUMN, r, column,
                              set->deed->major < 15 ? DEPENDS_AUTO : DEPENDS_NORMAL, at);
        else
            dependants_add_of(set, DEPENDANT_DEFAULT, r, column, DEPENDS_NORMAL, at);
    }
}

static void in_indexes(struct dependants *set, size_t at, struct catalog_relation *r)
{
    const struct dependant one = set->all.at[at];
    for (size_t i = 0; i < r->indexes.count; i++) {
        struct catalog_relation *index = r->indexes.at[i];
        if (index->is_dropped)
            continue;
        bool is_mentioned = mentions(set, &one, &index->index->predicate, r);
        for (size_t j = 0; j < index->index->keys.count && !is_mentioned; j++)
            is_mentioned = mentions(set, &one, &index->index->keys.at[j].expression, r);
        if (is_mentioned)
            dependants_add_of(set, DEPENDANT_RELATION, index, index, DEPENDS_NORMAL, at);
    }
}

static void in_checks(struct dependants *set, size_t at, struct catalog_relation *r)
{
    const struct dependant one = set->all.at[at];
    for (size_t i = 0; i < r->constraints.count; i++) {
        struct catalog_constraint *k = r->constraints.at[i];
        if (!k->is_dropped && mentions(set, &one, &k->check, r))
            dependants_add_of(set, DEPENDANT_CONSTRAINT, r, k, DEPENDS_NORMAL, at);
    }
    for (size_t i = 0; i < r->partition_keys.count; i++) {
        if (mentions(set, &one, &r->partition_keys.at[i].expression, r))
            dependants_add_of(set, DEPENDANT_RELATION, r, r, DEPENDS_NORMAL, at);
    }
    for (size_t i = 0; i < r->rules.count; i++) {
        struct catalog_rule *rule = r->rules.at[i];
        if (!rule->is_dropped && (mentions(set, &one, &rule->using_expression, r) ||
                                  mentions(set, &one, &rule->check, r)))
            dependants_add_of(set, DEPENDANT_RULE, r, rule, DEPENDS_NORMAL, at);
    }
}

static void in_domains(struct dependants *set, size_t at)
{
    const struct dependant one = set->all.at[at];
    struct catalog *c = set->deed->catalog;
    for (size_t i = 0; i < c->types.count; i++) {
        struct catalog_type *t = c->types.at[i];
        if (!t->is_dropped && mentions(set, &one, &t->default_value, NULL))
            dependants_add_of(set, DEPENDANT_TYPE, NULL, t, DEPENDS_NORMAL, at);
        for (size_t j = 0; j < t->constraints.count && !t->is_dropped; j++) {
            struct domain_constraint *k = &t->constraints.at[j];
            if (k->is_dropped || !mentions(set, &one, &k->check, NULL))
                continue;
            struct dependant found = {
                .kind = DEPENDANT_DOMAIN_CONSTRAINT,
                .domain_constraint = k,
                .domain = t,
            };
            dependants_add(set, &found, DEPENDS_NORMAL, at);
        }
    }
}

void dependants_in_expressions(struct dependants *set, size_t at)
{
    struct catalog *c = set->deed->catalog;
    for (size_t i = 0; i < c->relations.count; i++) {
        struct catalog_relation *r = c->relations.at[i];
        if (r->is_dropped)
            continue;
        in_columns(set, at, r);
        if (set->all.at[at].kind == DEPENDANT_RELATION)
            continue; /* a sequence: no index and no CHECK calls nextval() */
        in_indexes(set, at, r);
        in_checks(set, at, r);
    }
    if (set->all.at[at].kind != DEPENDANT_RELATION)
        in_domains(set, at);
}

/* ---- types ---- */

static bool is_view(const struct catalog_relation *r)
{
    return r->kind == RELATION_VIEW || r->kind == RELATION_MATERIALIZED_VIEW;
}

static bool has_type(struct catalog_type *const *at, size_t count, const struct catalog_type *t)
{
    for (size_t i = 0; i < count; i++) {
        if (at[i] == t)
            return true;
    }
    return false;
}

static void in_relations(struct dependants *set, size_t at, const struct catalog_type *t)
{
    struct catalog *c = set->deed->catalog;
    for (size_t i = 0; i < c->relations.count; i++) {
        struct catalog_relation *r = c->relations.at[i];
        if (r->is_dropped)
            continue;
        if (r->of_type == t || has_type(r->used_types.at, r->used_types.count, t))
            dependants_add_of(set, DEPENDANT_RELATION, r, r, DEPENDS_NORMAL, at);
        for (size_t j = 0; j < r->columns.count; j++) {
            struct catalog_column *column = r->columns.at[j];
            if (column->is_dropped || column->type.user != t)
                continue;
            if (is_view(r))
                dependants_add_of(set, DEPENDANT_RELATION, r, r, DEPENDS_NORMAL, at);
            else
                dependants_add_of(set, DEPENDANT_COLUMN, r, column, DEPENDS_NORMAL, at);
        }
    }
}

static bool takes_type(const struct catalog_function *f, const struct catalog_type *t)
{
    if (f->result.user == t)
        return true;
    for (size_t i = 0; i < f->arguments.count; i++) {
        if (f->arguments.at[i].user == t)
            return true;
    }
    return false;
}

void dependants_of_type(struct dependants *set, size_t at)
{
    struct catalog *c = set->deed->catalog;
    const struct catalog_type *t = set->all.at[at].type;
    in_relations(set, at, t);
    for (size_t i = 0; i < c->types.count; i++) {
        struct catalog_type *other = c->types.at[i];
        if (!other->is_dropped && other->base.user == t)
            dependants_add_of(set, DEPENDANT_TYPE, NULL, other, DEPENDS_NORMAL, at);
    }
    for (size_t i = 0; i < c->functions.count; i++) {
        struct catalog_function *f = c->functions.at[i];
        if (!f->is_dropped && takes_type(f, t))
            dependants_add_of(set, DEPENDANT_FUNCTION, NULL, f, DEPENDS_NORMAL, at);
    }
    /* Rows of a table are hardly ever a constant. */
    if (!t->composite || t->composite->kind == RELATION_COMPOSITE_TYPE)
        dependants_in_expressions(set, at);
}

/* ---- functions ---- */

void dependants_of_function(struct dependants *set, size_t at)
{
    struct catalog *c = set->deed->catalog;
    const struct catalog_function *f = set->all.at[at].function;
    for (size_t i = 0; i < c->relations.count; i++) {
        struct catalog_relation *r = c->relations.at[i];
        if (r->is_dropped)
            continue;
        for (size_t j = 0; j < r->triggers.count; j++) {
            struct catalog_trigger *t = r->triggers.at[j];
            if (!t->is_dropped && t->function == f)
                dependants_add_of(set, DEPENDANT_TRIGGER, r, t, DEPENDS_NORMAL, at);
        }
        for (size_t j = 0; j < r->used_functions.count; j++) {
            if (r->used_functions.at[j] == f)
                dependants_add_of(set, DEPENDANT_RELATION, r, r, DEPENDS_NORMAL, at);
        }
    }
    dependants_in_expressions(set, at);
}

/* ---- extensions, servers, wrappers, languages ---- */

/* Whether the extension has the operator class of the key: named, or its type's default one. */
static bool is_opclass_of(const struct catalog *c, struct str extension,
                          const struct catalog_index *index, const struct index_key *key)
{
    struct str type = {0};
    if (key->column)
        type = key->column->type.user ? key->column->type.user->name : key->column->type.builtin;
    struct facts search = facts_of_extension(c, FACT_OPCLASSES, extension);
    struct fact row;
    while (facts_next_of_extension(&search, &row)) {
        if (!str_equal(row.column[OPCLASS_METHOD], index->method))
            continue;
        if (key->opclass.len ? str_equal(row.column[OPCLASS_NAME], key->opclass)
                             : fact_letter(&row, OPCLASS_DEFAULT) == 'd' &&
                                   str_equal(row.column[OPCLASS_TYPE], type))
            return true;
    }
    return false;
}

/* Indexes need their operator classes. */
static void indexes_of_extension(struct dependants *set, size_t at, struct str extension)
{
    struct catalog *c = set->deed->catalog;
    for (size_t i = 0; i < c->relations.count; i++) {
        struct catalog_relation *r = c->relations.at[i];
        if (r->is_dropped || !r->index)
            continue;
        for (size_t j = 0; j < r->index->keys.count; j++) {
            if (!r->index->keys.at[j].is_included &&
                is_opclass_of(c, extension, r->index, &r->index->keys.at[j])) {
                dependants_add_of(set, DEPENDANT_RELATION, r, r, DEPENDS_NORMAL, at);
                break;
            }
        }
    }
}

static void members_of_extension(struct dependants *set, size_t at, struct str name)
{
    struct catalog *c = set->deed->catalog;
    for (size_t i = 0; i < c->types.count; i++) {
        if (!c->types.at[i]->is_dropped && str_equal(c->types.at[i]->extension, name))
            dependants_add_of(set, DEPENDANT_TYPE, NULL, c->types.at[i], DEPENDS_AUTO, at);
    }
    for (size_t i = 0; i < c->functions.count; i++) {
        if (!c->functions.at[i]->is_dropped && str_equal(c->functions.at[i]->extension, name))
            dependants_add_of(set, DEPENDANT_FUNCTION, NULL, c->functions.at[i], DEPENDS_AUTO, at);
    }
    for (size_t i = 0; i < c->relations.count; i++) {
        struct catalog_relation *r = c->relations.at[i];
        if (!r->is_dropped && str_equal(r->extension, name))
            dependants_add_of(set, DEPENDANT_RELATION, r, r, DEPENDS_AUTO, at);
    }
    indexes_of_extension(set, at, name);
}

static bool is_kind(const struct catalog_object *o, const char *kind)
{
    return o->kind && strcmp(o->kind, kind) == 0;
}

void dependants_of_object(struct dependants *set, size_t at)
{
    struct catalog *c = set->deed->catalog;
    const struct catalog_object *o = set->all.at[at].other;
    bool is_extension = is_kind(o, "EXTENSION");
    bool is_language = is_kind(o, "LANGUAGE");
    if (is_extension) {
        members_of_extension(set, at, o->name);
        is_language = str_starts(o->name, STR("pl")); /* the language that it brings along */
    }
    for (size_t i = 0; i < c->objects.count; i++) {
        struct catalog_object *other = c->objects.at[i];
        if (other->is_dropped || other == o)
            continue;
        if (is_extension && str_equal(other->extension, o->name))
            dependants_add_of(set, DEPENDANT_OBJECT, NULL, other, DEPENDS_AUTO, at);
        else if (is_kind(o, "FOREIGN DATA WRAPPER") && is_kind(other, "SERVER") &&
                 str_equal(other->parent, o->name))
            dependants_add_of(set, DEPENDANT_OBJECT, NULL, other, DEPENDS_NORMAL, at);
    }
    for (size_t i = 0; is_kind(o, "SERVER") && i < c->relations.count; i++) {
        struct catalog_relation *r = c->relations.at[i];
        if (!r->is_dropped && r->server.len && str_equal(r->server, o->name))
            dependants_add_of(set, DEPENDANT_RELATION, r, r, DEPENDS_NORMAL, at);
    }
    for (size_t i = 0; is_language && i < c->functions.count; i++) {
        struct catalog_function *f = c->functions.at[i];
        if (!f->is_dropped && str_equal(f->language, o->name))
            dependants_add_of(set, DEPENDANT_FUNCTION, NULL, f, DEPENDS_NORMAL, at);
    }
}

/* ---- collations ---- */

static bool has_collation(const struct catalog_index *index, struct str name)
{
    for (size_t i = 0; i < index->keys.count; i++) {
        if (str_equal(index->keys.at[i].collation, name))
            return true;
    }
    return false;
}

void dependants_add_of_collation(struct dependants *set, struct str name)
{
    struct catalog *c = set->deed->catalog;
    for (size_t i = 0; i < c->relations.count; i++) {
        struct catalog_relation *r = c->relations.at[i];
        if (r->is_dropped)
            continue;
        if (r->index && has_collation(r->index, name))
            dependants_add_of(set, DEPENDANT_RELATION, r, r, DEPENDS_NORMAL, set->all.count);
        for (size_t j = 0; j < r->columns.count; j++) {
            if (!r->columns.at[j]->is_dropped && str_equal(r->columns.at[j]->collation, name))
                dependants_add_of(set, DEPENDANT_COLUMN, r, r->columns.at[j], DEPENDS_NORMAL,
                                  set->all.count);
        }
    }
}
