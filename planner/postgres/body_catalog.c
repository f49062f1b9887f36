/* System tables as the catalog in memory has them: of users' objects only, and
   only the columns that scripts ask for. */
#include <string.h>

#include "planner/postgres/body.h"
#include "planner/postgres/types.h"

static void push(struct body *b, struct body_result *out, const struct body_value *cells,
                 size_t count)
{
    struct body_value *row = arena_array(b->d->a, struct body_value, count);
    memcpy(row, cells, count * sizeof(cells[0]));
    vec_push(b->d->a, &out->rows, row);
}

#define PUSH(b, out, ...)                                                                          \
    do {                                                                                           \
        const struct body_value cells_[] = {__VA_ARGS__};                                          \
        push((b), (out), cells_, ARRAY_LEN(cells_));                                               \
    } while (0)

static struct body_value of_relation(const struct catalog_relation *r)
{
    return (struct body_value){.kind = r ? BODY_RELATION : BODY_NULL, .relation = r};
}

static struct body_value of_letter(struct body *b, char letter)
{
    return body_text(str_of(arena_printf(b->d->a, "%c", letter)));
}

static struct body_value of_yes(bool value)
{
    return body_text(value ? STR("YES") : STR("NO"));
}

/* An oid that is no relation's: its object's name says which one. */
static struct body_value of_oid(struct body *b, const char *kind, struct str schema,
                                struct str name)
{
    return body_text(
        str_of(arena_printf(b->d->a, "\001%s %.*s.%.*s", kind, STR_ARG(schema), STR_ARG(name))));
}

static struct body_value of_namespace(struct body *b, struct str schema)
{
    return of_oid(b, "schema", schema, STR(""));
}

#define EACH_RELATION(r)                                                                           \
    for (size_t i_ = 0; i_ < b->d->catalog->relations.count; i_++)                                 \
        for (const struct catalog_relation *r = b->d->catalog->relations.at[i_];                   \
             r && !r->is_dropped; r = NULL)

/* ---- pg_catalog ---- */

static void fill_class(struct body *b, struct body_result *out)
{
    EACH_RELATION(r)
    PUSH(b, out, of_relation(r), body_text(r->name), of_namespace(b, r->schema),
         of_letter(b, (char)r->kind), body_bool(r->is_partition),
         of_letter(b, r->persistence == PERSISTENCE_UNLOGGED    ? 'u'
                      : r->persistence == PERSISTENCE_TEMPORARY ? 't'
                                                                : 'p'),
         body_bool(r->has_row_security));
}

static void fill_namespace(struct body *b, struct body_result *out)
{
    for (size_t i = 0; i < b->d->catalog->schemas.count; i++) {
        struct str name = b->d->catalog->schemas.at[i];
        if (catalog_has_schema(b->d->catalog, name))
            PUSH(b, out, of_namespace(b, name), body_text(name));
    }
}

static void fill_inherits(struct body *b, struct body_result *out)
{
    EACH_RELATION(r)
    {
        for (size_t i = 0; i < r->parents.count; i++)
            PUSH(b, out, of_relation(r), of_relation(r->parents.at[i]));
        if (r->index && r->index->parent)
            PUSH(b, out, of_relation(r), of_relation(r->index->parent));
    }
}

static bool is_table(const struct catalog_relation *r)
{
    return r->kind == RELATION_TABLE || r->kind == RELATION_PARTITIONED_TABLE;
}

static void fill_tables(struct body *b, struct body_result *out)
{
    EACH_RELATION(r)
    {
        if (is_table(r))
            PUSH(b, out, body_text(r->schema), body_text(r->name),
                 r->owner.len ? body_text(r->owner) : (struct body_value){0},
                 body_bool(r->has_row_security));
    }
}

static void fill_of_kind(struct body *b, struct body_result *out, enum relation_kind kind)
{
    EACH_RELATION(r)
    {
        if (r->kind == kind)
            PUSH(b, out, body_text(r->schema), body_text(r->name));
    }
}

static void fill_views(struct body *b, struct body_result *out)
{
    fill_of_kind(b, out, RELATION_VIEW);
}

static void fill_matviews(struct body *b, struct body_result *out)
{
    fill_of_kind(b, out, RELATION_MATERIALIZED_VIEW);
}

static void fill_sequences(struct body *b, struct body_result *out)
{
    fill_of_kind(b, out, RELATION_SEQUENCE);
}

static void fill_indexes(struct body *b, struct body_result *out)
{
    EACH_RELATION(r)
    {
        if (r->index)
            PUSH(b, out, body_text(r->schema), body_text(r->index->table->name),
                 body_text(r->name));
    }
}

static void fill_index(struct body *b, struct body_result *out)
{
    EACH_RELATION(r)
    {
        if (r->index)
            PUSH(b, out, of_relation(r), of_relation(r->index->table),
                 body_bool(r->index->is_unique), body_bool(r->index->is_primary),
                 body_bool(r->index->is_valid));
    }
}

static void fill_constraint(struct body *b, struct body_result *out)
{
    EACH_RELATION(r)
    {
        for (size_t i = 0; i < r->constraints.count; i++) {
            const struct catalog_constraint *k = r->constraints.at[i];
            if (!k->is_dropped)
                PUSH(b, out, body_text(k->name), of_relation(r), of_letter(b, (char)k->kind),
                     of_relation(k->referenced), of_namespace(b, r->schema),
                     body_bool(k->is_valid));
        }
    }
}

static void fill_attribute(struct body *b, struct body_result *out)
{
    EACH_RELATION(r)
    {
        long number = 0;
        for (size_t i = 0; i < r->columns.count; i++) {
            const struct catalog_column *column = r->columns.at[i];
            number++;
            if (!column->is_dropped)
                PUSH(b, out, of_relation(r), body_text(column->name),
                     body_text(str_of(arena_printf(b->d->a, "%ld", number))),
                     body_bool(column->is_not_null), body_bool(false));
        }
    }
}

/* What an extension has made is not known one by one. */
static bool has_extension(const struct body *b)
{
    for (size_t i = 0; i < b->d->catalog->objects.count; i++) {
        const struct catalog_object *o = b->d->catalog->objects.at[i];
        if (!o->is_dropped && strcmp(o->kind, "EXTENSION") == 0)
            return true;
    }
    return false;
}

static void fill_type(struct body *b, struct body_result *out)
{
    out->is_certain &= !has_extension(b);
    for (size_t i = 0; i < b->d->catalog->types.count; i++) {
        const struct catalog_type *t = b->d->catalog->types.at[i];
        if (!t->is_dropped)
            PUSH(b, out, of_oid(b, "type", t->schema, t->name), body_text(t->name),
                 of_namespace(b, t->schema), of_letter(b, (char)t->kind));
    }
}

static void fill_enum(struct body *b, struct body_result *out)
{
    for (size_t i = 0; i < b->d->catalog->types.count; i++) {
        const struct catalog_type *t = b->d->catalog->types.at[i];
        for (size_t j = 0; j < t->labels.count && !t->is_dropped; j++)
            PUSH(b, out, of_oid(b, "type", t->schema, t->name), body_text(t->labels.at[j]));
    }
}

static void fill_trigger(struct body *b, struct body_result *out)
{
    EACH_RELATION(r)
    {
        for (size_t i = 0; i < r->triggers.count; i++) {
            const struct catalog_trigger *t = r->triggers.at[i];
            if (!t->is_dropped)
                PUSH(b, out, body_text(t->name), of_relation(r), body_bool(false));
        }
    }
}

static void fill_policies(struct body *b, struct body_result *out)
{
    EACH_RELATION(r)
    {
        for (size_t i = 0; i < r->rules.count; i++) {
            const struct catalog_rule *rule = r->rules.at[i];
            if (!rule->is_dropped && rule->is_policy)
                PUSH(b, out, body_text(r->schema), body_text(r->name), body_text(rule->name));
        }
    }
}

static void fill_proc(struct body *b, struct body_result *out)
{
    out->is_certain &= !has_extension(b);
    for (size_t i = 0; i < b->d->catalog->functions.count; i++) {
        const struct catalog_function *f = b->d->catalog->functions.at[i];
        if (!f->is_dropped)
            PUSH(b, out, body_text(f->name), of_namespace(b, f->schema),
                 of_letter(b, f->is_procedure   ? 'p'
                              : f->is_aggregate ? 'a'
                                                : 'f'));
    }
}

static void fill_extension(struct body *b, struct body_result *out)
{
    for (size_t i = 0; i < b->d->catalog->objects.count; i++) {
        const struct catalog_object *o = b->d->catalog->objects.at[i];
        if (!o->is_dropped && strcmp(o->kind, "EXTENSION") == 0)
            PUSH(b, out, body_text(o->name));
    }
    PUSH(b, out, body_text(STR("plpgsql")));
}

static void fill_publication(struct body *b, struct body_result *out)
{
    for (size_t i = 0; i < b->d->catalog->publications.count; i++) {
        if (!b->d->catalog->publications.at[i]->is_dropped)
            PUSH(b, out, body_text(b->d->catalog->publications.at[i]->name));
    }
}

/* ---- information_schema ---- */

static void fill_schema_tables(struct body *b, struct body_result *out)
{
    EACH_RELATION(r)
    {
        const char *type = is_table(r)                         ? "BASE TABLE"
                           : r->kind == RELATION_VIEW          ? "VIEW"
                           : r->kind == RELATION_FOREIGN_TABLE ? "FOREIGN"
                                                               : NULL;
        if (type)
            PUSH(b, out, body_text(STR("\001database")), body_text(r->schema), body_text(r->name),
                 body_text(str_of(type)));
    }
}

static void fill_columns(struct body *b, struct body_result *out)
{
    EACH_RELATION(r)
    {
        bool has_columns =
            is_table(r) || r->kind == RELATION_VIEW || r->kind == RELATION_FOREIGN_TABLE;
        for (size_t i = 0; i < r->columns.count && has_columns; i++) {
            const struct catalog_column *column = r->columns.at[i];
            struct type_ref type = column->type;
            if (column->is_dropped)
                continue;
            type.typmod = -1;
            struct str text = type.is_array      ? STR("ARRAY")
                              : type.user        ? STR("USER-DEFINED")
                              : type.unknown.len ? STR("USER-DEFINED")
                                                 : type_text(b->d->a, &type);
            PUSH(b, out, body_text(STR("\001database")), body_text(r->schema), body_text(r->name),
                 body_text(column->name), of_yes(!column->is_not_null), body_text(text),
                 of_yes(column->identity != 0));
        }
    }
}

static const char *constraint_type(enum constraint_kind kind)
{
    switch (kind) {
    case CONSTRAINT_PRIMARY_KEY:
        return "PRIMARY KEY";
    case CONSTRAINT_FOREIGN_KEY:
        return "FOREIGN KEY";
    case CONSTRAINT_UNIQUE:
        return "UNIQUE";
    case CONSTRAINT_CHECK:
    case CONSTRAINT_NOT_NULL:
        return "CHECK";
    case CONSTRAINT_TRIGGER:
    case CONSTRAINT_EXCLUSION:
    case CONSTRAINT_UNKNOWN:
        break;
    }
    return NULL;
}

static void fill_table_constraints(struct body *b, struct body_result *out)
{
    EACH_RELATION(r)
    {
        for (size_t i = 0; i < r->constraints.count; i++) {
            const struct catalog_constraint *k = r->constraints.at[i];
            const char *type = constraint_type(k->kind);
            if (!k->is_dropped && type)
                PUSH(b, out, body_text(STR("\001database")), body_text(r->schema),
                     body_text(k->name), body_text(r->schema), body_text(r->name),
                     body_text(str_of(type)));
        }
    }
}

static void fill_schemata(struct body *b, struct body_result *out)
{
    for (size_t i = 0; i < b->d->catalog->schemas.count; i++) {
        struct str name = b->d->catalog->schemas.at[i];
        if (catalog_has_schema(b->d->catalog, name))
            PUSH(b, out, body_text(STR("\001database")), body_text(name));
    }
}

static void fill_triggers(struct body *b, struct body_result *out)
{
    EACH_RELATION(r)
    {
        for (size_t i = 0; i < r->triggers.count; i++) {
            const struct catalog_trigger *t = r->triggers.at[i];
            if (!t->is_dropped)
                PUSH(b, out, body_text(r->schema), body_text(t->name), body_text(r->schema),
                     body_text(r->name));
        }
    }
}

/* ---- by name ---- */

static const struct body_table system_tables[] = {
    {"pg_class",
     {"oid", "relname", "relnamespace", "relkind", "relispartition", "relpersistence",
      "relrowsecurity"},
     fill_class},
    {"pg_namespace", {"oid", "nspname"}, fill_namespace},
    {"pg_inherits", {"inhrelid", "inhparent"}, fill_inherits},
    {"pg_tables", {"schemaname", "tablename", "tableowner", "rowsecurity"}, fill_tables},
    {"pg_views", {"schemaname", "viewname"}, fill_views},
    {"pg_matviews", {"schemaname", "matviewname"}, fill_matviews},
    {"pg_sequences", {"schemaname", "sequencename"}, fill_sequences},
    {"pg_indexes", {"schemaname", "tablename", "indexname"}, fill_indexes},
    {"pg_index",
     {"indexrelid", "indrelid", "indisunique", "indisprimary", "indisvalid"},
     fill_index},
    {"pg_constraint",
     {"conname", "conrelid", "contype", "confrelid", "connamespace", "convalidated"},
     fill_constraint},
    {"pg_attribute",
     {"attrelid", "attname", "attnum", "attnotnull", "attisdropped"},
     fill_attribute},
    {"pg_type", {"oid", "typname", "typnamespace", "typtype"}, fill_type},
    {"pg_enum", {"enumtypid", "enumlabel"}, fill_enum},
    {"pg_trigger", {"tgname", "tgrelid", "tgisinternal"}, fill_trigger},
    {"pg_policies", {"schemaname", "tablename", "policyname"}, fill_policies},
    {"pg_proc", {"proname", "pronamespace", "prokind"}, fill_proc},
    {"pg_extension", {"extname"}, fill_extension},
    {"pg_publication", {"pubname"}, fill_publication},
};

static const struct body_table schema_tables[] = {
    {"tables", {"table_catalog", "table_schema", "table_name", "table_type"}, fill_schema_tables},
    {"columns",
     {"table_catalog", "table_schema", "table_name", "column_name", "is_nullable", "data_type",
      "is_identity"},
     fill_columns},
    {"table_constraints",
     {"constraint_catalog", "constraint_schema", "constraint_name", "table_schema", "table_name",
      "constraint_type"},
     fill_table_constraints},
    {"schemata", {"catalog_name", "schema_name"}, fill_schemata},
    {"views", {"table_schema", "table_name"}, fill_views},
    {"sequences", {"sequence_schema", "sequence_name"}, fill_sequences},
    {"triggers",
     {"trigger_schema", "trigger_name", "event_object_schema", "event_object_table"},
     fill_triggers},
};

const struct body_table *body_table_of(struct str schema, struct str name)
{
    bool is_schema = str_equal(schema, STR("information_schema"));
    if (!is_schema && schema.len && !str_equal(schema, STR("pg_catalog")))
        return NULL;
    const struct body_table *tables = is_schema ? schema_tables : system_tables;
    size_t count = is_schema ? ARRAY_LEN(schema_tables) : ARRAY_LEN(system_tables);
    for (size_t i = 0; i < count; i++) {
        if (str_equal(name, str_of(tables[i].name)))
            return &tables[i];
    }
    return NULL;
}
