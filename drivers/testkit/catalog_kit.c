#include "drivers/testkit/catalog_kit.h"

#include <stdlib.h>

#include "core/base/json.h"
#include "drivers/testkit/fixture.h"

/* ---- what is not compared ---- */

/* Stands for any tree. */
static const char any_tree;

static void forget_text(struct catalog_expression *e)
{
    if (str_starts(e->text, STR("NULL"))) /* a default that is none */
        *e = (struct catalog_expression){0};
    e->tree = catalog_has_expression(e) ? &any_tree : NULL;
    e->text = (struct str){0};
}

static void forget_of_columns(const struct catalog_relation *r)
{
    for (size_t i = 0; i < r->columns.count; i++) {
        struct catalog_column *column = r->columns.at[i];
        forget_text(&column->default_value);
        column->null_fraction = -1;
        column->distinct = 0;
        column->has_missing_value = false; /* it tells of rows */
        column->rights = (struct str){0};  /* GRANT is not folded */
    }
}

static void forget_of_keys(struct index_key *at, size_t count)
{
    for (size_t i = 0; i < count; i++)
        forget_text(&at[i].expression);
}

/* Who reads a column of a relation reads the relation; servers say only the first (dependency.c:
   eliminate_duplicate_dependencies). */
static void forget_whole_uses(struct catalog_relation *r)
{
    size_t kept = 0;
    for (size_t i = 0; i < r->uses.count; i++) {
        bool is_implied = false;
        for (size_t k = 0; !r->uses.at[i].column && k < r->uses.count; k++)
            is_implied |=
                r->uses.at[k].relation == r->uses.at[i].relation && (r->uses.at[k].column || k < i);
        for (size_t k = 0; k < i; k++) /* nor twice */
            is_implied |= r->uses.at[k].relation == r->uses.at[i].relation &&
                          r->uses.at[k].column == r->uses.at[i].column;
        if (!is_implied)
            r->uses.at[kept++] = r->uses.at[i];
    }
    r->uses.count = kept;
}

static void forget_of_relation(struct catalog_relation *r)
{
    r->owner = (struct str){0};
    if (str_equal(r->access_method, STR("heap"))) /* a script need not say so */
        r->access_method = (struct str){0};
    r->rows = ROWS_UNKNOWN;
    r->row_estimate = -1;
    r->size_bytes = r->seq_scans = r->index_scans = r->writes = -1;
    r->query = (struct catalog_expression){0};
    forget_whole_uses(r);
    r->bound.tree = r->bound.tree || r->bound.text.len ? &any_tree : NULL;
    r->bound.text = (struct str){0};
    forget_of_columns(r);
    forget_of_keys(r->partition_keys.at, r->partition_keys.count);
    for (size_t i = 0; i < r->constraints.count; i++) {
        forget_text(&r->constraints.at[i]->check);
        r->constraints.at[i]->definition = (struct str){0};
    }
    for (size_t i = 0; i < r->rules.count; i++) {
        forget_text(&r->rules.at[i]->using_expression);
        forget_text(&r->rules.at[i]->check);
        forget_text(&r->rules.at[i]->definition);
    }
    if (r->index) {
        r->index->scans = -1;
        r->index->definition = (struct str){0};
        forget_text(&r->index->predicate);
        forget_of_keys(r->index->keys.at, r->index->keys.count);
    }
    if (r->sequence)
        r->sequence->last_value = -1;
}

static void forget_of_type(struct catalog_type *t)
{
    forget_text(&t->default_value);
    for (size_t i = 0; i < t->constraints.count; i++) {
        forget_text(&t->constraints.at[i].check);
        if (t->constraints.at[i].is_not_null) /* has a name from 17 on only */
            t->constraints.at[i].name = (struct str){0};
    }
    t->is_dropped |= t->extension.len > 0;
}

static void forget(struct catalog *c)
{
    c->server_version = 0;
    c->database = c->taken_at = (struct str){0};
    c->is_complete = false;
    c->settings.count = c->queries.count = c->left_out.count = 0;
    for (size_t i = 0; i < c->relations.count; i++) {
        forget_of_relation(c->relations.at[i]);
        struct catalog_relation *r = c->relations.at[i];
        r->is_dropped |= r->extension.len > 0 || r->persistence == PERSISTENCE_TEMPORARY;
    }
    for (size_t i = 0; i < c->types.count; i++)
        forget_of_type(c->types.at[i]);
    for (size_t i = 0; i < c->functions.count; i++)
        c->functions.at[i]->is_dropped |= c->functions.at[i]->extension.len > 0;
    for (size_t i = 0; i < c->objects.count; i++) {
        struct catalog_object *o = c->objects.at[i];
        o->is_dropped |= o->extension.len > 0 || str_equal(o->name, STR("plpgsql"));
    }
}

/* ---- one order ---- */

static int by_text(struct str schema, struct str name, struct str other_schema,
                   struct str other_name)
{
    int order = str_compare(schema, other_schema);
    return order ? order : str_compare(name, other_name);
}

/* A comparison of pointers to objects with these fields. */
#define BY(function, type, schema, name)                                                           \
    static int function(const void *a, const void *b)                                              \
    {                                                                                              \
        const struct type *left = *(struct type *const *)a;                                        \
        const struct type *right = *(struct type *const *)b;                                       \
        return by_text(left->schema, left->name, right->schema, right->name);                      \
    }
BY(by_relation, catalog_relation, schema, name)
BY(by_type, catalog_type, schema, name)
BY(by_constraint, catalog_constraint, name, name)
BY(by_trigger, catalog_trigger, name, name)
BY(by_rule, catalog_rule, name, name)
BY(by_column, catalog_column, name, name)
BY(by_statistics, catalog_statistics, schema, name)
BY(by_publication, catalog_publication, name, name)

static int by_function(const void *a, const void *b)
{
    const struct catalog_function *left = *(struct catalog_function *const *)a;
    const struct catalog_function *right = *(struct catalog_function *const *)b;
    int order = by_text(left->schema, left->name, right->schema, right->name);
    for (size_t i = 0; !order && i < left->arguments.count && i < right->arguments.count; i++)
        order = by_text(left->arguments.at[i].builtin, left->arguments.at[i].unknown,
                        right->arguments.at[i].builtin, right->arguments.at[i].unknown);
    return order ? order
                 : (left->arguments.count > right->arguments.count) -
                       (left->arguments.count < right->arguments.count);
}

static int by_object(const void *a, const void *b)
{
    const struct catalog_object *left = *(struct catalog_object *const *)a;
    const struct catalog_object *right = *(struct catalog_object *const *)b;
    return by_text(str_of(left->kind), left->name, str_of(right->kind), right->name);
}

static int by_use(const void *a, const void *b)
{
    const struct catalog_use *left = a;
    const struct catalog_use *right = b;
    int order = by_relation(&left->relation, &right->relation);
    if (order || !left->column || !right->column)
        return order ? order : (left->column != NULL) - (right->column != NULL);
    return str_compare(left->column->name, right->column->name);
}

static int by_schema_name(const void *a, const void *b)
{
    return str_compare(*(const struct str *)a, *(const struct str *)b);
}

#define SORT(list, by)                                                                             \
    do {                                                                                           \
        if ((list).count)                                                                          \
            qsort((list).at, (list).count, sizeof(*(list).at), (by));                              \
    } while (0)

static void sort(struct catalog *c)
{
    SORT(c->schemas, by_schema_name);
    SORT(c->relations, by_relation);
    SORT(c->types, by_type);
    SORT(c->functions, by_function);
    SORT(c->statistics, by_statistics);
    SORT(c->publications, by_publication);
    SORT(c->objects, by_object);
    for (size_t i = 0; i < c->relations.count; i++) {
        struct catalog_relation *r = c->relations.at[i];
        SORT(r->constraints, by_constraint);
        SORT(r->triggers, by_trigger);
        SORT(r->rules, by_rule);
        SORT(r->uses, by_use);
        SORT(r->used_functions, by_function);
        SORT(r->used_types, by_type);
        for (size_t k = 0; k < r->rules.count; k++)
            SORT(r->rules.at[k]->uses, by_relation);
        for (size_t k = 0; k < r->constraints.count; k++) {
            if (r->constraints.at[k]->kind == CONSTRAINT_CHECK)
                SORT(r->constraints.at[k]->columns, by_column);
        }
    }
    for (size_t i = 0; i < c->publications.count; i++)
        SORT(c->publications.at[i]->relations, by_relation);
    for (size_t i = 0; i < c->statistics.count; i++)
        SORT(c->statistics.at[i]->columns, by_column);
}

void catalog_kit_forget_unknown(struct catalog *live, const struct catalog *folded)
{
    for (size_t i = 0; i < folded->relations.count; i++) {
        const struct catalog_relation *r = folded->relations.at[i];
        bool is_view = r->kind == RELATION_VIEW || r->kind == RELATION_MATERIALIZED_VIEW;
        struct catalog_relation *other =
            r->is_dropped || !is_view ? NULL : catalog_find_relation(live, r->schema, r->name);
        for (size_t k = 0; other && k < r->columns.count; k++) {
            struct catalog_column *column = r->columns.at[k];
            struct catalog_column *known = catalog_find_column(other, column->name);
            if (known && !column->type.user && !column->type.builtin.len)
                known->type = column->type;
        }
    }
}

struct str catalog_kit_text(struct arena *a, struct catalog *c)
{
    forget(c);
    sort(c);
    SCOPED(json) struct json *j = catalog_json(c);
    SCOPED(buf) struct buf text = {0};
    json_print(&text, j, true);
    return buf_done(a, &text);
}

const char *catalog_kit_difference(struct str left, struct str right)
{
    if (str_equal(left, right))
        return "";
    const char *directory = fixture_directory();
    fixture_write_bytes(directory, "live", left.at, left.len);
    fixture_write_bytes(directory, "folded", right.at, right.len);
    const char *const argv[] = {"diff", "-U", "12", "live", "folded", NULL};
    struct program_result r =
        run_program(&(struct program_options){.argv = argv, .directory = directory});
    const char *out = fixture_text("%s", r.out);
    program_result_release(&r);
    fixture_remove(directory);
    return out;
}
