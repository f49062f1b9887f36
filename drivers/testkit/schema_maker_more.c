/* What hangs on the tables of a made schema: see schema_maker.h. */
#include "drivers/testkit/schema_maker.h"

static const char *name_of(struct maker *m, const char *stem)
{
    return arena_printf(m->arena, maker_chance(m, 20) ? "\"%s \"\"%u\"\"\"" : "%s_%u", stem,
                        ++m->number);
}

/* ---- indexes ---- */

static void add_keys(struct maker *m, const struct made_column *c, const struct made_column *other)
{
    static const char *const orders[] = {"", " DESC", " DESC NULLS LAST", " NULLS FIRST"};

    buf_printf(&m->text, " (%s%s", c->name, orders[maker_pick(m, ARRAY_LEN(orders))]);
    if (other != c && maker_chance(m, 40))
        buf_printf(&m->text, ", %s)", other->name);
    else if (other != c && maker_chance(m, 30))
        buf_printf(&m->text, ") INCLUDE (%s)", other->name);
    else
        buf_add_cstr(&m->text, ")");
}

static void add_index(struct maker *m, struct made_table *t)
{
    const struct made_column *c = maker_column(m, t, MADE_ORDERED);
    const struct made_column *other = maker_column(m, t, MADE_ORDERED);
    const char *name = name_of(m, "index");

    if (!c)
        return;
    bool is_unique =
        c->type->is_distinct && !c->is_reference && !t->is_partitioned && maker_chance(m, 30);
    buf_printf(&m->text, "CREATE %sINDEX %s ON %s", is_unique ? "UNIQUE " : "", name, t->name);
    if (c->type->is_text && maker_chance(m, 25))
        buf_printf(&m->text, " (lower(%s), %s text_pattern_ops)", c->name, c->name);
    else if (!is_unique && maker_chance(m, 15))
        buf_printf(&m->text, " USING hash (%s)", c->name);
    else
        add_keys(m, c, other);
    if (!is_unique && maker_chance(m, 20))
        buf_printf(&m->text, " WHERE %s IS NOT NULL", c->name);
    buf_add_cstr(&m->text, ";\n");
    if (strcmp(t->schema, "public") == 0)
        made_names_add(&t->indexes, name);
    else
        made_names_add(&t->indexes, arena_printf(m->arena, "%s.%s", t->schema, name));
    if (!t->is_partitioned && is_unique && maker_chance(m, 30))
        buf_printf(&m->text, "ALTER TABLE %s CLUSTER ON %s;\n", t->name, name);
}

/* ---- views ---- */

static void add_view(struct maker *m, struct made_table *t)
{
    const struct made_column *a = maker_column(m, t, MADE_ANY);
    const struct made_column *b = maker_column(m, t, MADE_ANY);
    const char *name = arena_printf(m->arena, "%s.%s", t->schema, name_of(m, "view"));

    if (maker_chance(m, 60)) {
        buf_printf(&m->text, "CREATE VIEW %s AS SELECT %s AS a, %s AS b FROM %s;\n", name, a->name,
                   b->name, t->name);
        made_names_add(&t->views, name);
    } else if (t->key) {
        buf_printf(&m->text,
                   "CREATE MATERIALIZED VIEW %s AS SELECT %s AS key, count(%s) AS n FROM %s GROUP "
                   "BY 1;\n",
                   name, t->key, b->name, t->name);
        if (maker_chance(m, 70))
            buf_printf(&m->text, "CREATE UNIQUE INDEX ON %s (key);\n", name);
        made_names_add(&m->views, name);
    }
}

/* ---- triggers ---- */

static void add_trigger(struct maker *m, const struct made_table *t, const struct made_column *c)
{
    static const char *const when[] = {"BEFORE INSERT", "BEFORE INSERT OR UPDATE",
                                       "BEFORE UPDATE OF %s", "BEFORE INSERT"};
    const char *name = name_of(m, "trigger");
    const char *moment = when[maker_pick(m, ARRAY_LEN(when))];
    const char *rest = strchr(moment, '%');

    buf_printf(&m->text,
               "CREATE FUNCTION %s.%s() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.%s := "
               "lower(NEW.%s); RETURN NEW; END $$;\nCREATE TRIGGER %s ",
               t->schema, name, c->name, c->name, name);
    buf_add(&m->text, moment, rest ? (size_t)(rest - moment) : strlen(moment));
    buf_printf(&m->text, "%s ON %s FOR EACH ROW EXECUTE FUNCTION %s.%s();\n", rest ? c->name : "",
               t->name, t->schema, name);
    if (maker_chance(m, 20))
        buf_printf(&m->text, "ALTER TABLE %s DISABLE TRIGGER %s;\n", t->name, name);
}

static void add_audit(struct maker *m, const struct made_table *t)
{
    const char *name = name_of(m, "audit");

    buf_printf(&m->text,
               "CREATE TABLE %s.%s (n bigint);\nCREATE FUNCTION %s.%s() RETURNS trigger LANGUAGE "
               "plpgsql AS $$ BEGIN INSERT INTO %s.%s VALUES (1); RETURN NULL; END $$;\n"
               "CREATE TRIGGER %s AFTER %s ON %s FOR EACH %s EXECUTE FUNCTION %s.%s();\n",
               t->schema, name, t->schema, name, t->schema, name, name,
               maker_chance(m, 50) ? "DELETE" : "UPDATE OR DELETE", t->name,
               maker_chance(m, 50) ? "ROW" : "STATEMENT", t->schema, name);
}

/* ---- rights and words ---- */

static void add_rights(struct maker *m, struct made_table *t)
{
    const struct made_column *c = maker_column(m, t, MADE_ANY);

    if (maker_chance(m, 50))
        buf_printf(&m->text, "GRANT SELECT, INSERT ON %s TO app_reader;\n", t->name);
    if (maker_chance(m, 40))
        buf_printf(&m->text, "GRANT UPDATE (%s), SELECT (%s) ON %s TO \"App Writer\"%s;\n", c->name,
                   c->name, t->name, maker_chance(m, 40) ? " WITH GRANT OPTION" : "");
    if (maker_chance(m, 20))
        buf_printf(&m->text, "GRANT SELECT (%s) ON %s TO PUBLIC;\n", c->name, t->name);
    if (maker_chance(m, 20))
        buf_printf(&m->text, "ALTER TABLE %s OWNER TO app_owner;\n", t->name);
    if (maker_chance(m, 20))
        buf_printf(&m->text,
                   "ALTER TABLE %s ENABLE ROW LEVEL SECURITY;\nCREATE POLICY \"Own Rows\" ON %s TO "
                   "app_reader USING (%s IS NOT NULL);\n",
                   t->name, t->name, c->name);
    if (maker_chance(m, 50))
        buf_printf(&m->text, "COMMENT ON COLUMN %s.%s IS 'it''s said';\n", t->name, c->name);
    if (maker_chance(m, 30))
        buf_printf(&m->text, "COMMENT ON TABLE %s IS 'all of them';\n", t->name);
    if (t->indexes.count && maker_chance(m, 30))
        buf_printf(&m->text, "COMMENT ON INDEX %s IS 'finds them';\n", t->indexes.at[0]);
    if (t->constraints.count && maker_chance(m, 30))
        buf_printf(&m->text, "COMMENT ON CONSTRAINT %s ON %s IS 'holds';\n", t->constraints.at[0],
                   t->name);
}

/* ---- the rest ---- */

static void add_odd_things(struct maker *m, struct made_table *t)
{
    const struct made_column *c = maker_column(m, t, MADE_ORDERED);
    const struct made_column *other = maker_column(m, t, MADE_ORDERED);
    const struct made_column *text = maker_column(m, t, MADE_TEXT);

    if (c && maker_chance(m, 20))
        buf_printf(&m->text, "ALTER TABLE %s ALTER COLUMN %s SET STATISTICS 300;\n", t->name,
                   c->name);
    if (text && maker_chance(m, 15))
        buf_printf(&m->text, "ALTER TABLE %s ALTER COLUMN %s SET STORAGE EXTERNAL;\n", t->name,
                   text->name);
    if (c && maker_chance(m, 10))
        buf_printf(&m->text, "ALTER TABLE %s ALTER COLUMN %s SET (n_distinct = 50);\n", t->name,
                   c->name);
    if (c && other && c != other && maker_chance(m, 15))
        buf_printf(&m->text, "CREATE STATISTICS %s.%s ON %s, %s FROM %s;\n", t->schema,
                   name_of(m, "statistics"), c->name, other->name, t->name);
    if (!t->is_partitioned && maker_chance(m, 10))
        buf_printf(&m->text, "ALTER TABLE %s REPLICA IDENTITY FULL;\n", t->name);
    if (!t->is_partitioned && maker_chance(m, 10))
        buf_printf(&m->text, "CREATE TABLE %s.%s () INHERITS (%s);\n", t->schema,
                   name_of(m, "child"), t->name);
    if (maker_chance(m, 8))
        buf_printf(&m->text, "CREATE PUBLICATION %s FOR TABLE %s;\n", name_of(m, "publication"),
                   t->name);
    if (c && maker_chance(m, 8))
        buf_printf(&m->text,
                   "CREATE FUNCTION %s.%s() RETURNS bigint LANGUAGE sql BEGIN ATOMIC SELECT "
                   "count(x.%s) FROM %s AS x; END;\n",
                   t->schema, name_of(m, "counts"), c->name, t->name);
    if (!t->is_partitioned && maker_chance(m, 5))
        buf_printf(&m->text, "CREATE RULE %s AS ON DELETE TO %s WHERE false DO INSTEAD NOTHING;\n",
                   name_of(m, "rule"), t->name);
}

/* The inside of a string literal. */
static const char *escaped(struct maker *m, const char *text)
{
    SCOPED(buf) struct buf out = {0};

    for (; *text; text++) {
        if (*text == '\'')
            buf_add_char(&out, '\'');
        buf_add_char(&out, *text);
    }
    return arena_cstr(m->arena, buf_str(&out));
}

void maker_schema_more(struct maker *m)
{
    for (size_t i = 0; i < m->table_count; i++) {
        struct made_table *t = &m->tables[i];
        const struct made_column *text = maker_column(m, t, MADE_TEXT);
        for (unsigned n = maker_pick(m, 4); n > 0; n--)
            add_index(m, t);
        if (maker_chance(m, 35))
            add_view(m, t);
        if (text && maker_chance(m, 20))
            add_trigger(m, t, text);
        if (maker_chance(m, 10))
            add_audit(m, t);
        add_rights(m, t);
        add_odd_things(m, t);
        /* Large, as far as the planner knows: it would run statements of small tables as they are written. */
        if (maker_chance(m, 80))
            buf_printf(&m->text,
                       "UPDATE pg_class SET reltuples = 1000000 WHERE oid = '%s'::regclass;\n",
                       escaped(m, t->name));
    }
}
