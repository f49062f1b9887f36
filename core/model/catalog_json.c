/*
 * The catalog as JSON. What has its usual value, and what was dropped, is left out; what follows from
 * the rest (a table's indexes, who refers to it, its row type) is not written.
 */
#include "core/model/catalog_refs.h"

#define FORMAT 1

/* ---- types and references ---- */

static struct json *type_json(struct arena *a, const struct type_ref *t)
{
    struct json *j = json_make_object();
    if (t->user)
        json_set_str(j, "user", catalog_name_text(a, t->user->schema, t->user->name));
    else if (t->builtin.len)
        json_set_str(j, "builtin", t->builtin);
    else
        json_set_str(j, "unknown", t->unknown);
    if (t->is_array)
        json_set_bool(j, "is_array", true);
    if (t->typmod != -1)
        json_set_i64(j, "typmod", t->typmod);
    return j;
}

static bool has_type(const struct type_ref *t)
{
    return t->user || t->builtin.len || t->unknown.len;
}

struct str catalog_function_text(struct arena *a, const struct catalog_function *f)
{
    SCOPED(buf) struct buf out = {0};
    buf_add_str(&out, catalog_name_text(a, f->schema, f->name));
    buf_add_char(&out, '(');
    for (size_t i = 0; i < f->arguments.count; i++) {
        const struct type_ref *t = &f->arguments.at[i];
        struct str name = t->builtin.len ? t->builtin : t->unknown;
        if (t->user)
            name = catalog_name_text(a, t->user->schema, t->user->name);
        buf_printf(&out, "%s%.*s%s", i ? "," : "", STR_ARG(name), t->is_array ? "[]" : "");
    }
    buf_add_char(&out, ')');
    return buf_done(a, &out);
}

/* ---- fields ---- */

static void set_letter(struct json *j, const struct catalog_field *field, char letter)
{
    if (letter != (char)field->usual)
        json_set_str(j, field->key, (struct str){&letter, letter ? 1 : 0});
}

static void set_number(struct json *j, const struct catalog_field *field, int64_t number)
{
    if (number != field->usual)
        json_set_i64(j, field->key, number);
}

/* true: there is an expression whose text was not kept. */
static void set_expression(struct json *j, const char *key, const struct catalog_expression *e)
{
    if (e->text.len)
        json_set_str(j, key, e->text);
    else if (e->tree)
        json_set_bool(j, key, true);
}

static void set_plain(struct json *j, const struct catalog_field *field, const void *at)
{
    switch (field->kind) {
    case FIELD_STR:
        if (((const struct str *)at)->len)
            json_set_str(j, field->key, *(const struct str *)at);
        break;
    case FIELD_BOOL:
        if (*(const bool *)at != (field->usual != 0))
            json_set_bool(j, field->key, *(const bool *)at);
        break;
    case FIELD_CHAR:
        set_letter(j, field, *(const char *)at);
        break;
    case FIELD_LETTER:
        set_letter(j, field, (char)*(const unsigned *)at);
        break;
    case FIELD_WORD:
        if (*(const unsigned *)at)
            json_set_cstr(j, field->key, field->words[*(const unsigned *)at]);
        break;
    case FIELD_I64:
        set_number(j, field, *(const int64_t *)at);
        break;
    case FIELD_U32:
        set_number(j, field, *(const uint32_t *)at);
        break;
    case FIELD_SIZE:
        set_number(j, field, (int64_t) * (const size_t *)at);
        break;
    case FIELD_F64:
        if (*(const double *)at != field->usual)
            json_set_f64(j, field->key, *(const double *)at);
        break;
    default:
        BUG("a field that is a reference");
    }
}

static void set_relation(struct arena *a, struct json *j, const char *key,
                         const struct catalog_relation *r)
{
    if (r && !r->is_dropped)
        json_set_str(j, key, catalog_relation_text(a, r));
}

static void set_field(struct arena *a, struct json *j, const struct catalog_field *field,
                      const void *object)
{
    const void *at = (const char *)object + field->at;
    switch (field->kind) {
    case FIELD_EXPRESSION:
        set_expression(j, field->key, at);
        break;
    case FIELD_TYPE:
        if (has_type(at))
            json_set(j, field->key, type_json(a, at));
        break;
    case FIELD_RELATION:
        set_relation(a, j, field->key, *(struct catalog_relation *const *)at);
        break;
    case FIELD_USER_TYPE: {
        const struct catalog_type *t = *(struct catalog_type *const *)at;
        if (t && !t->is_dropped)
            json_set_str(j, field->key, catalog_name_text(a, t->schema, t->name));
        break;
    }
    case FIELD_FUNCTION: {
        const struct catalog_function *f = *(struct catalog_function *const *)at;
        if (f && !f->is_dropped)
            json_set_str(j, field->key, catalog_function_text(a, f));
        break;
    }
    default:
        set_plain(j, field, at);
    }
}

static void set_fields(struct arena *a, struct json *j, const struct catalog_fields *fields,
                       const void *object)
{
    for (size_t i = 0; i < fields->count; i++)
        set_field(a, j, &fields->at[i], object);
}

static struct json *with_fields(struct arena *a, const struct catalog_fields *fields,
                                const void *object)
{
    struct json *j = json_make_object();
    set_fields(a, j, fields, object);
    return j;
}

/* An empty list is left out. */
static void set_list(struct json *j, const char *key, struct json *list)
{
    if (json_count(list))
        json_set(j, key, list);
    else
        json_release(list);
}

static void set_columns(struct json *j, const char *key, struct catalog_column *const *at,
                        size_t count)
{
    struct json *list = json_make_array();
    for (size_t i = 0; i < count; i++) {
        if (!at[i]->is_dropped)
            json_push_str(list, at[i]->name);
    }
    set_list(j, key, list);
}

static void set_relations(struct arena *a, struct json *j, const char *key,
                          struct catalog_relation *const *at, size_t count)
{
    struct json *list = json_make_array();
    for (size_t i = 0; i < count; i++) {
        if (!at[i]->is_dropped)
            json_push_str(list, catalog_relation_text(a, at[i]));
    }
    set_list(j, key, list);
}

static void set_uses(struct arena *a, struct json *j, const char *key, const struct catalog_use *at,
                     size_t count)
{
    struct json *list = json_make_array();
    for (size_t i = 0; i < count; i++) {
        if (!at[i].relation || at[i].relation->is_dropped ||
            (at[i].column && at[i].column->is_dropped))
            continue;
        struct json *use = json_make_object();
        set_relation(a, use, "relation", at[i].relation);
        if (at[i].column)
            json_set_str(use, "column", at[i].column->name);
        json_push(list, use);
    }
    set_list(j, key, list);
}

/* ---- relations ---- */

static struct json *keys_json(struct arena *a, const struct index_key *at, size_t count)
{
    struct json *list = json_make_array();
    for (size_t i = 0; i < count; i++) {
        struct json *key = json_make_object();
        if (at[i].column)
            json_set_str(key, "column", at[i].column->name);
        set_fields(a, key, &catalog_fields_index_key, &at[i]);
        json_push(list, key);
    }
    return list;
}

static struct json *constraint_json(struct arena *a, const struct catalog_constraint *k)
{
    struct json *j = with_fields(a, &catalog_fields_constraint, k);
    set_columns(j, "columns", k->columns.at, k->columns.count);
    set_columns(j, "referenced_columns", k->referenced_columns.at, k->referenced_columns.count);
    if (k->parent && !k->parent->is_dropped) {
        set_relation(a, j, "parent_relation", k->parent->relation);
        json_set_str(j, "parent", k->parent->name);
    }
    return j;
}

static struct json *trigger_json(struct arena *a, const struct catalog_trigger *t)
{
    struct json *j = with_fields(a, &catalog_fields_trigger, t);
    set_columns(j, "columns", t->columns.at, t->columns.count);
    if (t->parent && !t->parent->is_dropped)
        json_set_str(j, "parent", t->parent->name);
    return j;
}

static struct json *rule_json(struct arena *a, const struct catalog_rule *rule)
{
    struct json *j = with_fields(a, &catalog_fields_rule, rule);
    set_relations(a, j, "uses", rule->uses.at, rule->uses.count);
    return j;
}

/* Columns, constraints, triggers and rules. */
static void set_parts(struct arena *a, struct json *j, const struct catalog_relation *r)
{
    struct json *columns = json_make_array();
    for (size_t i = 0; i < r->columns.count; i++) {
        if (!r->columns.at[i]->is_dropped)
            json_push(columns, with_fields(a, &catalog_fields_column, r->columns.at[i]));
    }
    set_list(j, "columns", columns);
    struct json *constraints = json_make_array();
    for (size_t i = 0; i < r->constraints.count; i++) {
        if (!r->constraints.at[i]->is_dropped)
            json_push(constraints, constraint_json(a, r->constraints.at[i]));
    }
    set_list(j, "constraints", constraints);
    struct json *triggers = json_make_array();
    for (size_t i = 0; i < r->triggers.count; i++) {
        if (!r->triggers.at[i]->is_dropped)
            json_push(triggers, trigger_json(a, r->triggers.at[i]));
    }
    set_list(j, "triggers", triggers);
    struct json *rules = json_make_array();
    for (size_t i = 0; i < r->rules.count; i++) {
        if (!r->rules.at[i]->is_dropped)
            json_push(rules, rule_json(a, r->rules.at[i]));
    }
    set_list(j, "rules", rules);
}

/* What a view, materialized view or rule of it reads. */
static void set_view_parts(struct arena *a, struct json *j, const struct catalog_relation *r)
{
    set_uses(a, j, "uses", r->uses.at, r->uses.count);
    struct json *functions = json_make_array();
    for (size_t i = 0; i < r->used_functions.count; i++) {
        if (!r->used_functions.at[i]->is_dropped)
            json_push_str(functions, catalog_function_text(a, r->used_functions.at[i]));
    }
    set_list(j, "used_functions", functions);
    struct json *types = json_make_array();
    for (size_t i = 0; i < r->used_types.count; i++) {
        const struct catalog_type *t = r->used_types.at[i];
        if (!t->is_dropped)
            json_push_str(types, catalog_name_text(a, t->schema, t->name));
    }
    set_list(j, "used_types", types);
}

static struct json *relation_json(struct arena *a, const struct catalog_relation *r)
{
    struct json *j = with_fields(a, &catalog_fields_relation, r);
    struct catalog_expression bound = {r->bound.text, r->bound.tree};
    set_expression(j, "bound", &bound);
    set_relations(a, j, "parents", r->parents.at, r->parents.count);
    set_list(j, "partition_keys", keys_json(a, r->partition_keys.at, r->partition_keys.count));
    set_parts(a, j, r);
    set_view_parts(a, j, r);
    if (r->index) {
        struct json *index = with_fields(a, &catalog_fields_index, r->index);
        set_list(index, "keys", keys_json(a, r->index->keys.at, r->index->keys.count));
        json_set(j, "index", index);
    }
    if (r->sequence) {
        struct json *sequence = with_fields(a, &catalog_fields_sequence, r->sequence);
        if (r->sequence->owner_column && !r->sequence->owner_column->is_dropped)
            json_set_str(sequence, "owner_column", r->sequence->owner_column->name);
        json_set(j, "sequence", sequence);
    }
    return j;
}

/* ---- the rest ---- */

static struct json *type_entry_json(struct arena *a, const struct catalog_type *t)
{
    struct json *j = with_fields(a, &catalog_fields_type, t);
    struct json *constraints = json_make_array();
    for (size_t i = 0; i < t->constraints.count; i++) {
        if (!t->constraints.at[i].is_dropped)
            json_push(constraints,
                      with_fields(a, &catalog_fields_domain_constraint, &t->constraints.at[i]));
    }
    set_list(j, "constraints", constraints);
    struct json *labels = json_make_array();
    for (size_t i = 0; i < t->labels.count; i++)
        json_push_str(labels, t->labels.at[i]);
    set_list(j, "labels", labels);
    return j;
}

static struct json *function_json(struct arena *a, const struct catalog_function *f)
{
    struct json *j = with_fields(a, &catalog_fields_function, f);
    struct json *arguments = json_make_array();
    bool has_names = false;
    for (size_t i = 0; i < f->arguments.count; i++)
        json_push(arguments, type_json(a, &f->arguments.at[i]));
    set_list(j, "arguments", arguments);
    struct json *names = json_make_array();
    for (size_t i = 0; i < f->argument_names.count; i++) {
        has_names |= f->argument_names.at[i].len > 0;
        json_push_str(names, f->argument_names.at[i]);
    }
    if (has_names)
        json_set(j, "argument_names", names);
    else
        json_release(names);
    set_uses(a, j, "uses", f->uses.at, f->uses.count);
    return j;
}

static struct json *publication_json(struct arena *a, const struct catalog_publication *p)
{
    struct json *j = with_fields(a, &catalog_fields_publication, p);
    struct json *schemas = json_make_array();
    for (size_t i = 0; i < p->schemas.count; i++)
        json_push_str(schemas, p->schemas.at[i]);
    set_list(j, "schemas", schemas);
    set_relations(a, j, "relations", p->relations.at, p->relations.count);
    return j;
}

static struct json *small_lists(struct arena *a, struct json *root, const struct catalog *c)
{
    struct json *statistics = json_make_array();
    for (size_t i = 0; i < c->statistics.count; i++) {
        const struct catalog_statistics *s = c->statistics.at[i];
        if (s->is_dropped)
            continue;
        struct json *j = with_fields(a, &catalog_fields_statistics, s);
        set_columns(j, "columns", s->columns.at, s->columns.count);
        json_push(statistics, j);
    }
    json_set(root, "statistics", statistics);
    struct json *publications = json_make_array();
    for (size_t i = 0; i < c->publications.count; i++) {
        if (!c->publications.at[i]->is_dropped)
            json_push(publications, publication_json(a, c->publications.at[i]));
    }
    json_set(root, "publications", publications);
    struct json *objects = json_make_array();
    for (size_t i = 0; i < c->objects.count; i++) {
        if (c->objects.at[i]->is_dropped)
            continue;
        struct json *j = json_make_object();
        json_set_cstr(j, "kind", c->objects.at[i]->kind);
        set_fields(a, j, &catalog_fields_object, c->objects.at[i]);
        json_push(objects, j);
    }
    json_set(root, "objects", objects);
    struct json *queries = json_make_array();
    for (size_t i = 0; i < c->queries.count; i++)
        json_push(queries, with_fields(a, &catalog_fields_query, &c->queries.at[i]));
    json_set(root, "queries", queries);
    struct json *left_out = json_make_array();
    for (size_t i = 0; i < c->left_out.count; i++)
        json_push_str(left_out, c->left_out.at[i]);
    set_list(root, "left_out", left_out);
    return root;
}

/* The newest value of each; what is set for a transaction alone does not count. */
static struct json *settings_json(struct arena *a, const struct catalog *c)
{
    struct json *settings = json_make_array();
    for (size_t i = 0; i < c->settings.count; i++) {
        bool is_last = !c->settings.at[i].is_local && c->settings.at[i].value.at;
        for (size_t k = i + 1; k < c->settings.count; k++)
            is_last &= c->settings.at[k].is_local ||
                       !str_equal(c->settings.at[k].name, c->settings.at[i].name);
        if (is_last)
            json_push(settings, with_fields(a, &catalog_fields_setting, &c->settings.at[i]));
    }
    return settings;
}

struct json *catalog_json(const struct catalog *c)
{
    SCOPED(arena) struct arena *a = arena_make();
    struct json *root = json_make_object();
    json_set_i64(root, "format", FORMAT);
    set_fields(a, root, &catalog_fields_catalog, c);
    json_set(root, "settings", settings_json(a, c));
    struct json *schemas = json_make_array();
    for (size_t i = 0; i < c->schemas.count; i++)
        json_push_str(schemas, c->schemas.at[i]);
    json_set(root, "schemas", schemas);
    struct json *types = json_make_array();
    for (size_t i = 0; i < c->types.count; i++) {
        if (!c->types.at[i]->is_dropped && !c->types.at[i]->composite)
            json_push(types, type_entry_json(a, c->types.at[i]));
    }
    json_set(root, "types", types);
    struct json *relations = json_make_array();
    for (size_t i = 0; i < c->relations.count; i++) {
        if (!c->relations.at[i]->is_dropped)
            json_push(relations, relation_json(a, c->relations.at[i]));
    }
    json_set(root, "relations", relations);
    struct json *functions = json_make_array();
    for (size_t i = 0; i < c->functions.count; i++) {
        if (!c->functions.at[i]->is_dropped)
            json_push(functions, function_json(a, c->functions.at[i]));
    }
    json_set(root, "functions", functions);
    return small_lists(a, root, c);
}
