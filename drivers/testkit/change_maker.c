/* Statements that fit a made schema, a function for each recipe: see schema_maker.h. */
#include "drivers/testkit/schema_maker.h"

/* Some table that no statement is about yet; NULL: there is none. */
static struct made_table *take(struct maker *m)
{
    size_t from = maker_pick(m, (unsigned)m->table_count);

    for (size_t i = 0; i < m->table_count; i++) {
        struct made_table *t = &m->tables[(from + i) % m->table_count];
        if (!t->is_taken) {
            t->is_taken = true;
            return t;
        }
    }
    return NULL;
}

static const char *name_of(struct maker *m, const char *stem)
{
    return arena_printf(m->arena, maker_chance(m, 25) ? "\"%s New %u\"" : "%s_new_%u", stem,
                        ++m->number);
}

static const char *replaced(struct maker *m, const char *pattern, const char *name)
{
    SCOPED(buf) struct buf out = {0};

    for (const char *p = pattern; *p; p++) {
        if (p[0] == '%' && p[1] == 's')
            buf_add_cstr(&out, name), p++;
        else
            buf_add_char(&out, *p);
    }
    return arena_cstr(m->arena, buf_str(&out));
}

#define SAY(out, ...) ((out)->sql = arena_printf(m->arena, __VA_ARGS__), true)

/* ---- indexes ---- */

static bool create_index(struct maker *m, struct made_table *t, struct made_change *out)
{
    const struct made_column *c = maker_column(m, t, MADE_ORDERED);

    if (!c)
        return false;
    const char *unique =
        c->type->is_distinct && !t->is_partitioned && maker_chance(m, 30) ? "UNIQUE " : "";
    const char *name = maker_chance(m, 70) ? name_of(m, "i") : "";
    switch (maker_pick(m, 4)) {
    case 0:
        return SAY(out, "CREATE %sINDEX %s ON %s (%s DESC) WHERE %s IS NOT NULL;\n", unique, name,
                   t->name, c->name, c->name);
    case 1:
        if (c->type->is_text)
            return SAY(out, "CREATE INDEX %s ON ONLY %s (lower(%s), length(%s));\n", name, t->name,
                       c->name, c->name);
        return SAY(out,
                   "CREATE INDEX %s ON %s USING btree ((%s IS NULL)) WITH (fillfactor = 60);\n",
                   name, t->name, c->name);
    default:
        return SAY(out, "CREATE %sINDEX %s ON %s (%s);\n", unique, name, t->name, c->name);
    }
}

static bool drop_index(struct maker *m, struct made_table *t, struct made_change *out)
{
    return t->indexes.count &&
           SAY(out, "DROP INDEX %s%s;\n", t->indexes.at[maker_pick(m, (unsigned)t->indexes.count)],
               maker_chance(m, 20) ? " CASCADE" : "");
}

static bool reindex(struct maker *m, struct made_table *t, struct made_change *out)
{
    if (t->indexes.count && maker_chance(m, 50))
        return SAY(out, "REINDEX INDEX %s;\n", t->indexes.at[0]);
    return SAY(out, "REINDEX TABLE %s;\n", t->name);
}

static bool refresh(struct maker *m, struct made_table *t UNUSED, struct made_change *out)
{
    return m->views.count && SAY(out, "REFRESH MATERIALIZED VIEW %s;\n",
                                 m->views.at[maker_pick(m, (unsigned)m->views.count)]);
}

/* ---- ALTER TABLE ---- */

static const char *command(struct maker *m, struct made_table *t)
{
    const struct made_column *c = maker_column(m, t, MADE_PLAIN);
    const struct made_column *o = maker_column(m, t, MADE_ORDERED);
    const struct made_column *n = maker_column(m, t, MADE_NUMBER);
    const char *name =
        maker_chance(m, 60) ? arena_printf(m->arena, "CONSTRAINT %s ", name_of(m, "c")) : "";
    struct made_table *to = &m->tables[maker_pick(m, (unsigned)m->table_count)];
    unsigned kind = maker_pick(m, 9);

    if (kind == 0 && c)
        return arena_printf(m->arena, "ADD %sCHECK (%s IS NULL OR %s)", name, c->name,
                            replaced(m, c->type->check, c->name));
    if (kind == 1 && c)
        return arena_printf(m->arena, "ALTER COLUMN %s SET NOT NULL", c->name);
    if (kind == 2 && o)
        return arena_printf(m->arena, "ADD %sUNIQUE (%s)", name, o->name);
    if (kind == 3 && o && !t->has_primary_key)
        return arena_printf(m->arena, "ADD %sPRIMARY KEY (%s)", name, o->name);
    if (kind == 4 && to->key && n)
        return arena_printf(m->arena, "ADD %sFOREIGN KEY (%s) REFERENCES %s (%s)", name, n->name,
                            to->name, to->key);
    if (kind == 5)
        return arena_printf(m->arena, "ADD COLUMN %s integer DEFAULT 7 %sCHECK (1 < 2)",
                            name_of(m, "col"), name);
    if (kind == 6)
        return arena_printf(m->arena, "ADD COLUMN %s text UNIQUE", name_of(m, "col"));
    if (kind == 7 && to->key)
        return arena_printf(m->arena, "ADD COLUMN %s %s REFERENCES %s", name_of(m, "col"),
                            to->key_type->sql, to->name);
    if (kind == 8 && c)
        return arena_printf(m->arena, "ALTER COLUMN %s SET DEFAULT %s", c->name, c->type->literal);
    return c ? arena_printf(m->arena, "ADD %sCHECK (%s IS NOT NULL)", name, c->name)
             : arena_printf(m->arena, "ADD %sCHECK (1 > 0)", name);
}

static bool alter_table(struct maker *m, struct made_table *t, struct made_change *out)
{
    const char *first = command(m, t);

    if (maker_chance(m, 60))
        return SAY(out, "ALTER TABLE %s %s;\n", t->name, first);
    return SAY(out, "ALTER TABLE %s %s, %s;\n", t->name, first, command(m, t));
}

static bool attach_partition(struct maker *m, struct made_table *t, struct made_change *out)
{
    const char *name = arena_printf(m->arena, "%s.%s", t->schema, name_of(m, "attached"));

    if (!t->is_partitioned)
        return false;
    out->before = arena_printf(
        m->arena,
        "CREATE TABLE %s (LIKE %s INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING GENERATED);\n"
        "UPDATE pg_class SET reltuples = 1000000 WHERE relname LIKE '%%attached%%';\n",
        name, t->name);
    return SAY(out, "ALTER TABLE %s ATTACH PARTITION %s FOR VALUES FROM (1000) TO (%u);\n", t->name,
               name, 1001 + maker_pick(m, 1000));
}

static bool create_partition(struct maker *m, struct made_table *t, struct made_change *out)
{
    return t->is_partitioned &&
           SAY(out, "CREATE TABLE %s.%s PARTITION OF %s FOR VALUES FROM (1000) TO (%u);\n",
               t->schema, name_of(m, "part"), t->name, 1001 + maker_pick(m, 1000));
}

static bool detach_partition(struct maker *m, struct made_table *t, struct made_change *out)
{
    return t->is_partitioned &&
           SAY(out, "ALTER TABLE %s DETACH PARTITION %s;\n", t->name, t->partitions.at[0]);
}

static bool add_column(struct maker *m, struct made_table *t, struct made_change *out)
{
    static const char *const more[] = {"", " NOT NULL", " CHECK (1 < 2)", " NOT NULL"};

    return SAY(out, "ALTER TABLE %s ADD COLUMN %s integer DEFAULT public.seven()%s;\n", t->name,
               name_of(m, "col"), more[maker_pick(m, ARRAY_LEN(more))]);
}

/* ---- rows ---- */

static bool update_rows(struct maker *m, struct made_table *t, struct made_change *out)
{
    const struct made_column *c = maker_column(m, t, MADE_PLAIN);
    const struct made_column *n = maker_column(m, t, MADE_NUMBER);
    const struct made_column *o = maker_column(m, t, MADE_ANY);

    if (!c || c->is_key || c->is_reference)
        return false;
    switch (maker_pick(m, 4)) {
    case 0:
        return SAY(out, "UPDATE %s SET %s = %s WHERE %s IS NULL;\n", t->name, c->name,
                   c->type->literal, c->name);
    case 1:
        if (n && t->key)
            return SAY(out, "-- migrate: batch key=%s\nUPDATE %s SET %s = %s + 1;\n", t->key,
                       t->name, n->name, n->name);
        return false;
    case 2:
        return SAY(out, "UPDATE %s AS x SET %s = DEFAULT WHERE x.%s IS NOT NULL;\n", t->name,
                   c->name, o->name);
    default:
        return SAY(out, "UPDATE ONLY %s SET %s = %s;\n", t->name, c->name, c->type->literal);
    }
}

static bool delete_rows(struct maker *m, struct made_table *t, struct made_change *out)
{
    const struct made_column *o = maker_column(m, t, MADE_ANY);

    return SAY(out, "DELETE FROM %s WHERE %s IS %sNULL;\n", t->name, o->name,
               maker_chance(m, 50) ? "NOT " : "");
}

/* ---- what ends in a contract ---- */

static bool rename_table(struct maker *m, struct made_table *t, struct made_change *out)
{
    return SAY(out, "ALTER TABLE %s RENAME TO %s;\n", t->name, name_of(m, "t"));
}

static bool set_schema(struct maker *m, struct made_table *t, struct made_change *out)
{
    bool is_there = strcmp(t->schema, "shop") == 0;

    return SAY(out, "ALTER TABLE %s SET SCHEMA %s;\n", t->name, is_there ? "public" : "shop");
}

static bool drop_table(struct maker *m, struct made_table *t, struct made_change *out)
{
    return SAY(out, "DROP TABLE %s%s;\n", t->name, maker_chance(m, 60) ? " CASCADE" : "");
}

static bool drop_column(struct maker *m, struct made_table *t, struct made_change *out)
{
    const struct made_column *c = maker_column(m, t, MADE_ANY);
    const struct made_column *o = maker_column(m, t, MADE_ANY);

    if (c != o && maker_chance(m, 30))
        return SAY(out, "ALTER TABLE %s DROP %s, DROP COLUMN %s CASCADE;\n", t->name, c->name,
                   o->name);
    return SAY(out, "ALTER TABLE %s DROP COLUMN %s%s;\n", t->name, c->name,
               maker_chance(m, 40) ? " CASCADE" : "");
}

static bool rename_column(struct maker *m, struct made_table *t, struct made_change *out)
{
    const struct made_column *c = maker_column(m, t, MADE_ANY);

    return SAY(out, "ALTER TABLE %s RENAME COLUMN %s TO %s;\n", t->name, c->name,
               name_of(m, "col"));
}

static bool retype_column(struct maker *m, struct made_table *t, struct made_change *out)
{
    const struct made_column *c = maker_column(m, t, MADE_WIDER);

    return c &&
           SAY(out, "ALTER TABLE %s ALTER COLUMN %s TYPE %s;\n", t->name, c->name, c->type->wider);
}

static bool fill_column(struct maker *m, struct made_table *t, struct made_change *out)
{
    const struct made_column *c = maker_column(m, t, MADE_TEXT);
    const char *name = name_of(m, "col");

    if (!c || t->rows == 0) /* it runs as it is written there */
        return false;
    const char *value = arena_printf(m->arena, "coalesce(%s, '') || '!'", c->name);
    out->as_written = arena_printf(m->arena,
                                   "ALTER TABLE %s ADD COLUMN %s text;\nUPDATE %s SET %s = %s;\n"
                                   "ALTER TABLE %s ALTER COLUMN %s SET NOT NULL;\n",
                                   t->name, name, t->name, name, value, t->name, name);
    return SAY(out, "-- migrate: using forward=%s\nALTER TABLE %s ADD COLUMN %s text NOT NULL;\n",
               value, t->name, name);
}

/* ---- choosing ---- */

static const struct made_recipe {
    const char *name;
    bool (*make)(struct maker *m, struct made_table *t, struct made_change *out);
} recipes[] = {
    {"create-index", create_index},
    {"drop-index", drop_index},
    {"reindex", reindex},
    {"refresh", refresh},
    {"alter-table", alter_table},
    {"attach-partition", attach_partition},
    {"update-batches", update_rows},
    {"delete-batches", delete_rows},
    {"rename-table", rename_table},
    {"set-schema", set_schema},
    {"drop-table", drop_table},
    {"drop-column", drop_column},
    {"rename-column", rename_column},
    {"retype-column", retype_column},
    {"fill-column", fill_column},
    {"create-partition", create_partition},
    {"detach-partition", detach_partition},
    {"add-column", add_column},
};

const char *maker_recipe(size_t number)
{
    return number < ARRAY_LEN(recipes) ? recipes[number].name : NULL;
}

bool maker_change(struct maker *m, const char *recipe, struct made_change *out)
{
    const struct made_recipe *r = &recipes[maker_pick(m, ARRAY_LEN(recipes))];

    for (size_t i = 0; recipe && i < ARRAY_LEN(recipes); i++) {
        if (strcmp(recipes[i].name, recipe) == 0)
            r = &recipes[i];
    }
    *out = (struct made_change){.recipe = r->name, .before = ""};
    for (struct made_table *t; (t = take(m));) {
        if (r->make(m, t, out)) {
            if (!out->as_written)
                out->as_written = out->sql;
            return true;
        }
    }
    return false;
}
