/* Tables with their columns, constraints and rows: see schema_maker.h. */
#include "drivers/testkit/schema_maker.h"

#include <stdio.h>

const char maker_roles[] =
    "CREATE ROLE app_reader; CREATE ROLE \"App Writer\"; CREATE ROLE app_owner";

static const char *const table_names[] = {"orders",     "\"Line Items\"", "customers", "\"user\"",
                                          "\"T\"\"1\"", "carts",          "\"ev$nts\""};
static const char *const schema_names[] = {"public", "public", "shop", "\"Odd Schema\""};
static const char *const column_names[] = {
    "name",
    "email",
    "amount",
    "\"Odd Name\"",
    "\"sel\"\"ect\"",
    "note",
    "\"user\"",
    "\"order\"",
    "\"ünï cödé\"",
    "state",
    "\"$migrate$\"",
    "\"it's\"",
    "\"this is a name of sixty-three bytes, which is the most there is\"",
};

static const struct made_type types[] = {
    {"smallint", "g * 7 % 100", "%s >= 0", "3", "integer", .is_ordered = true, .is_number = true},
    {"integer", "g * 37", "%s > -5", "41", "bigint", .is_distinct = true, .is_ordered = true,
     .is_number = true},
    {"bigint", "g * 1000003::bigint", "%s > -5", "41", "numeric", .is_distinct = true,
     .is_ordered = true, .is_number = true},
    {"numeric(12,2)", "g * 1.25", "%s >= 0", "1.50", "numeric(14,3)", .is_distinct = true,
     .is_ordered = true, .is_number = true},
    {"double precision", "g / 4.0", "%s >= 0", "0.5", NULL, .is_distinct = true, .is_ordered = true,
     .is_number = true},
    {"text", "'T' || g", "%s <> ''", "'it''s new'", NULL, .is_distinct = true, .is_ordered = true,
     .is_text = true},
    {"varchar(40)", "'v' || g", "length(%s) < 30", "'new'", "varchar(50)", .is_distinct = true,
     .is_ordered = true, .is_text = true},
    {"text COLLATE \"C\"", "'c' || g % 9", "%s <> ''", "'c'", NULL, .is_ordered = true,
     .is_text = true},
    {"boolean", "g % 2 = 0", "%s OR NOT %s", "true", NULL, .is_ordered = true},
    {"date", "date '2020-01-01' + g", "%s > '1999-01-01'", "'2001-02-03'", NULL,
     .is_distinct = true, .is_ordered = true},
    {"timestamp", "timestamp '2020-01-01 12:00' + g * interval '1 hour'", "%s > '1999-01-01'",
     "'2001-02-03 04:05'", NULL, .is_distinct = true, .is_ordered = true},
    {"timestamptz", "timestamptz '2020-01-01 12:00+00' + g * interval '1 hour'",
     "%s > '1999-01-01'", "'2001-02-03 04:05+00'", NULL, .is_distinct = true, .is_ordered = true},
    {"uuid", "md5(g::text)::uuid", "%s IS NOT NULL OR true",
     "'00000000-0000-0000-0000-000000000000'", "text", .is_distinct = true, .is_ordered = true},
    {"jsonb", "jsonb_build_object('n', g)", "%s <> '[]'", "'{}'", NULL, .is_distinct = true,
     .is_ordered = true},
    {"json", "json_build_object('n', g)", "json_typeof(%s) = 'object'", "'{}'", NULL,
     .is_distinct = false},
    {"integer[]", "ARRAY[g, g + 1]", "cardinality(%s) < 9", "'{1}'", "bigint[]",
     .is_distinct = true, .is_ordered = true},
    {"mood", "(ARRAY['good', 'bad', 'so so'])[1 + g % 3]::mood", "%s <> 'ugly'", "'good'", "text",
     .is_ordered = true},
    {"label", "'l' || g", "%s <> ''", "'l'", "text", .is_distinct = true, .is_ordered = true,
     .is_text = true},
};

/* splitmix64, by Sebastiano Vigna. */
static uint64_t next(struct maker *m)
{
    uint64_t z = m->state += 0x9e3779b97f4a7c15u;

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

unsigned maker_pick(struct maker *m, unsigned count)
{
    return (unsigned)(next(m) % count);
}

bool maker_chance(struct maker *m, unsigned percent)
{
    return maker_pick(m, 100) < percent;
}

void made_names_add(struct made_names *names, const char *name)
{
    if (names->count < MADE_NAMES)
        names->at[names->count++] = name;
}

static bool fits(const struct made_column *c, enum made_want want)
{
    if (want == MADE_ANY)
        return true;
    if (c->is_part_key || c->is_generated)
        return false;
    switch (want) {
    case MADE_ANY:
    case MADE_PLAIN:
        break;
    case MADE_ORDERED:
        return c->type->is_ordered;
    case MADE_TEXT:
        return c->type->is_text && !c->is_key && !c->is_reference;
    case MADE_NUMBER:
        return c->type->is_number && !c->is_key && !c->is_reference;
    case MADE_WIDER:
        return c->type->wider != NULL;
    }
    return true;
}

struct made_column *maker_column(struct maker *m, struct made_table *t, enum made_want want)
{
    size_t from = maker_pick(m, (unsigned)t->column_count);

    for (size_t i = 0; i < t->column_count; i++) {
        struct made_column *c = &t->columns[(from + i) % t->column_count];
        if (fits(c, want))
            return c;
    }
    return NULL;
}

/* ---- columns ---- */

static struct made_column *add_column(struct made_table *t, const char *name,
                                      const struct made_type *type)
{
    struct made_column *c = &t->columns[t->column_count++];

    *c = (struct made_column){.name = name, .type = type};
    return c;
}

static const struct made_type *type_of(const char *sql)
{
    for (size_t i = 0; i < ARRAY_LEN(types); i++) {
        if (strcmp(types[i].sql, sql) == 0)
            return &types[i];
    }
    return &types[0];
}

static void column_sql(struct maker *m, const struct made_column *c, const char *more)
{
    buf_printf(&m->text, "    %s %s%s%s", c->name, c->type->sql, c->is_not_null ? " NOT NULL" : "",
               more);
    if (c->has_default)
        buf_printf(&m->text, " DEFAULT %s", c->type->literal);
    buf_add_cstr(&m->text, ",\n");
}

static const char *index_name(struct maker *m, const char *stem)
{
    return arena_printf(m->arena, maker_chance(m, 20) ? "\"%s Odd %u\"" : "%s_%u", stem,
                        ++m->number);
}

static void add_key(struct maker *m, struct made_table *t)
{
    static const char *const more[] = {"", " GENERATED ALWAYS AS IDENTITY",
                                       " GENERATED BY DEFAULT AS IDENTITY (START 500)", "", ""};
    unsigned kind = t->is_partitioned ? 0 : maker_pick(m, 7);
    bool is_text = kind == 4;
    const struct made_type *type =
        is_text ? type_of("text") : type_of(maker_chance(m, 60) ? "integer" : "bigint");
    struct made_column *id = add_column(t, maker_chance(m, 80) ? "id" : "\"Id\"", type);
    id->is_key = true;
    id->is_part_key = t->is_partitioned;
    id->is_not_null = kind != 5;
    if (kind == 3)
        buf_printf(&m->text, "    %s serial NOT NULL,\n", id->name);
    else
        column_sql(m, id, kind < ARRAY_LEN(more) ? more[kind] : "");
    if (kind == 3)
        id->type = type_of("integer");
    if (kind == 5) /* none */
        return;
    t->has_primary_key = kind != 6;
    t->key = id->name;
    t->key_type = id->type;
    if (kind == 6)
        buf_printf(&m->text, "    UNIQUE (%s),\n", id->name);
    else
        buf_printf(&m->text, "    CONSTRAINT %s PRIMARY KEY (%s),\n", index_name(m, "key"),
                   id->name);
}

static void add_reference(struct maker *m, struct made_table *t)
{
    static const char *const actions[] = {"", " ON DELETE CASCADE", " ON DELETE SET NULL",
                                          " ON UPDATE CASCADE DEFERRABLE INITIALLY DEFERRED"};
    struct made_table *to = &m->tables[maker_pick(m, (unsigned)(m->table_count + 1))];
    if (!to->key || to->rows == 0)
        return;
    struct made_column *c =
        add_column(t, maker_chance(m, 70) ? "parent_id" : "\"Parent\"", to->key_type);
    c->is_reference = c->has_nulls = true;
    column_sql(m, c, "");
    const char *name = index_name(m, "fk");
    buf_printf(&m->text, "    CONSTRAINT %s FOREIGN KEY (%s) REFERENCES %s (%s)%s,\n", name,
               c->name, to->name, to->key, actions[maker_pick(m, ARRAY_LEN(actions))]);
    made_names_add(&t->constraints, name);
}

static void add_plain(struct maker *m, struct made_table *t, const char *name)
{
    const struct made_type *type = &types[maker_pick(m, ARRAY_LEN(types))];
    struct made_column *c = add_column(t, name, type);

    c->is_not_null = maker_chance(m, 30);
    c->has_nulls = !c->is_not_null && maker_chance(m, 60);
    c->has_default = maker_chance(m, 30);
    column_sql(m, c, "");
    if (maker_chance(m, 20)) {
        const char *check = index_name(m, "check");
        buf_printf(&m->text, "    CONSTRAINT %s CHECK (", check);
        buf_add_cstr(&m->text, arena_printf(m->arena, "%s IS NULL OR ", name));
        for (const char *p = type->check; *p; p++) {
            if (p[0] == '%' && p[1] == 's')
                buf_add_cstr(&m->text, name), p++;
            else
                buf_add_char(&m->text, *p);
        }
        buf_add_cstr(&m->text, "),\n");
        made_names_add(&t->constraints, check);
    }
    if (type->is_distinct && type->is_ordered && !t->is_partitioned && maker_chance(m, 15)) {
        const char *unique = index_name(m, "unique");
        buf_printf(&m->text, "    CONSTRAINT %s UNIQUE (%s)%s,\n", unique, name,
                   maker_chance(m, 20) ? " DEFERRABLE" : "");
        made_names_add(&t->constraints, unique);
    }
}

static void add_generated(struct maker *m, struct made_table *t)
{
    const struct made_column *of = maker_column(m, t, MADE_NUMBER);
    const char *expression = "%s + 1";

    if (!of || maker_chance(m, 40)) {
        const struct made_column *text = maker_column(m, t, MADE_TEXT);
        of = text && strcmp(text->type->sql, "label") != 0 ? text : NULL;
        expression = "upper(%s)";
    }
    if (!of)
        return;
    struct made_column *c = add_column(t, "made", of->type);
    c->is_generated = c->has_nulls = true;
    buf_printf(&m->text, "    made %s GENERATED ALWAYS AS (",
               expression[0] == 'u' ? "text" : "numeric");
    const char *rest = strchr(expression, '%');
    buf_add(&m->text, expression, (size_t)(rest - expression));
    buf_printf(&m->text, "%s%s) STORED,\n", of->name, rest + 2);
    c->type = type_of(expression[0] == 'u' ? "text" : "numeric(12,2)");
}

/* ---- rows ---- */

static void value_sql(struct maker *m, const struct made_table *t, const struct made_column *c)
{
    const char *value = c->type->value;

    if (c->is_key)
        value = c->type->is_text ? "'k' || g" : "g";
    if (c->is_reference) /* every table has rows 1 to 20, or none */
        value = c->type->is_text ? "'k' || (1 + g % 20)" : "1 + g % 20";
    if (c->has_nulls)
        buf_printf(&m->text, "CASE WHEN g %% %u <> 2 THEN %s END", 3 + (unsigned)(t->rows % 4),
                   value);
    else
        buf_add_cstr(&m->text, value);
}

static void add_rows(struct maker *m, struct made_table *t)
{
    const char *between = "";

    if (t->rows == 0)
        return;
    buf_printf(&m->text, "INSERT INTO %s (", t->name);
    for (size_t i = 0; i < t->column_count; i++) {
        if (t->columns[i].is_generated)
            continue;
        buf_printf(&m->text, "%s%s", between, t->columns[i].name);
        between = ", ";
    }
    buf_add_cstr(&m->text, ") OVERRIDING SYSTEM VALUE SELECT ");
    between = "";
    for (size_t i = 0; i < t->column_count; i++) {
        if (t->columns[i].is_generated)
            continue;
        buf_add_cstr(&m->text, between);
        value_sql(m, t, &t->columns[i]);
        between = ", ";
    }
    buf_printf(&m->text, " FROM generate_series(1, %u) AS g;\n", t->rows);
}

static void add_partitions(struct maker *m, struct made_table *t)
{
    made_names_add(&t->partitions, arena_printf(m->arena, "%s.\"Part %u\"", t->schema, m->number));
    buf_printf(&m->text,
               "CREATE TABLE %s.part_%u PARTITION OF %s FOR VALUES FROM (MINVALUE) TO (15);\n"
               "CREATE TABLE %s.\"Part %u\" PARTITION OF %s FOR VALUES FROM (15) TO (1000);\n",
               t->schema, m->number, t->name, t->schema, m->number, t->name);
    if (maker_chance(m, 50))
        buf_printf(&m->text, "CREATE TABLE %s.rest_%u PARTITION OF %s DEFAULT;\n", t->schema,
                   m->number, t->name);
}

static void add_table(struct maker *m, const char *bare)
{
    struct made_table *t = &m->tables[m->table_count];
    size_t first = maker_pick(m, ARRAY_LEN(column_names));

    *t = (struct made_table){.bare = bare,
                             .schema = schema_names[maker_pick(m, ARRAY_LEN(schema_names))],
                             .is_partitioned = maker_chance(m, 15),
                             .rows = maker_chance(m, 90) ? 20 + maker_pick(m, 60) : 0};
    t->name = arena_printf(m->arena, "%s.%s", t->schema, bare);
    buf_printf(&m->text, "CREATE TABLE %s (\n", t->name);
    add_key(m, t);
    for (size_t i = 0, count = 2 + maker_pick(m, 5); i < count; i++)
        add_plain(m, t, column_names[(first + i) % ARRAY_LEN(column_names)]);
    if (maker_chance(m, 60))
        add_reference(m, t);
    if (maker_chance(m, 20))
        add_generated(m, t);
    m->text.len -= 2; /* the comma behind the last one */
    buf_printf(&m->text, "\n)%s;\n",
               t->is_partitioned     ? arena_printf(m->arena, " PARTITION BY RANGE (%s)", t->key)
               : maker_chance(m, 15) ? " WITH (fillfactor = 70)"
                                     : "");
    m->number++;
    if (t->is_partitioned)
        add_partitions(m, t);
    add_rows(m, t);
    m->table_count++;
}

const char *maker_schema(struct maker *m)
{
    size_t first = maker_pick(m, ARRAY_LEN(table_names));

    buf_clear(&m->text);
    buf_add_cstr(&m->text, "CREATE SCHEMA shop; CREATE SCHEMA \"Odd Schema\";\n"
                           "CREATE TYPE mood AS ENUM ('good', 'so so', 'bad', 'ugly');\n"
                           "CREATE DOMAIN label AS text;\n"
                           "CREATE FUNCTION seven() RETURNS int LANGUAGE plpgsql AS $$ BEGIN "
                           "RETURN 7; END $$;\n");
    for (size_t i = 0, count = 3 + maker_pick(m, 3); i < count; i++)
        add_table(m, table_names[(first + i) % ARRAY_LEN(table_names)]);
    buf_add_cstr(&m->text, "SET CONSTRAINTS ALL IMMEDIATE;\n");
    maker_schema_more(m);
    return arena_cstr(m->arena, buf_str(&m->text));
}
