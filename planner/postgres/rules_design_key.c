/* Advice about keys and foreign keys of what a file makes. */
#include "planner/postgres/rules_support.h"

/* What the file has made is looked at when it ends: a key may come later in the file. */
typedef void made_visitor(struct rule_subject *s, struct catalog_relation *r);

static void each_made(struct rule_subject *s, made_visitor *visit)
{
    for (size_t i = rule_first_made(s); i < s->catalog->relations.count; i++) {
        struct catalog_relation *r = s->catalog->relations.at[i];
        bool is_table = r->kind == RELATION_TABLE || r->kind == RELATION_PARTITIONED_TABLE;
        if (is_table && !r->is_dropped && rule_is_made_here(s, r) && !rule_is_temporary(r))
            visit(s, r);
    }
}

static struct str text_of(const struct rule_subject *s, const struct catalog_relation *r)
{
    return catalog_relation_text(s->a, r);
}

/* ---- primary keys ---- */

static bool is_not_null_key(const struct catalog_constraint *k)
{
    for (size_t i = 0; i < k->columns.count; i++) {
        if (!k->columns.at[i]->is_not_null)
            return false;
    }
    return k->columns.count > 0;
}

/* A constraint that could be the primary key; NULL: there is none. */
static const struct catalog_constraint *other_key(const struct catalog_relation *r)
{
    for (size_t i = 0; i < r->constraints.count && !catalog_primary_key(r); i++) {
        const struct catalog_constraint *k = r->constraints.at[i];
        if (!k->is_dropped && k->kind == CONSTRAINT_UNIQUE && is_not_null_key(k))
            return k;
    }
    return NULL;
}

/* unique-not-null-instead-of-key speaks of the others. */
static void see_no_key(struct rule_subject *s, struct catalog_relation *r)
{
    if (!catalog_primary_key(r) && !r->is_partition && !r->parents.count && !other_key(r))
        rule_report_line(s, rule_line_of(s, r), NULL, "%.*s has no primary key",
                         STR_ARG(text_of(s, r)));
}

static void end_no_key(struct rule_subject *s)
{
    each_made(s, see_no_key);
}

static void see_unique_key(struct rule_subject *s, struct catalog_relation *r)
{
    const struct catalog_constraint *k = other_key(r);
    if (k)
        rule_report_line(s, rule_line_of(s, r), NULL,
                         "%.*s has the key %.*s, which is UNIQUE NOT NULL instead of PRIMARY KEY: "
                         "logical replication refuses UPDATE and DELETE of it",
                         STR_ARG(text_of(s, r)), STR_ARG(k->name));
}

static void end_unique_key(struct rule_subject *s)
{
    each_made(s, see_unique_key);
}

static void see_small_key(struct rule_subject *s, struct catalog_relation *r)
{
    const struct catalog_constraint *k = catalog_primary_key(r);
    if (!k || k->columns.count != 1 || r->is_partition)
        return;
    const struct catalog_column *column = k->columns.at[0];
    for (size_t i = 0; i < r->constraints.count; i++) {
        const struct catalog_constraint *other = r->constraints.at[i];
        if (!other->is_dropped && other->kind == CONSTRAINT_FOREIGN_KEY &&
            other->columns.count == 1 && other->columns.at[0] == column)
            return; /* it is as large as what it points at */
    }
    if (!column->type.is_array && (str_equal(column->type.builtin, STR("int4")) ||
                                   str_equal(column->type.builtin, STR("int2"))))
        rule_report_line(s, rule_line_of(s, r), NULL,
                         "the key %.*s of %.*s is %.*s: it runs out of "
                         "numbers",
                         STR_ARG(column->name), STR_ARG(text_of(s, r)),
                         STR_ARG(type_text(s->a, &column->type)));
}

static void end_small_key(struct rule_subject *s)
{
    each_made(s, see_small_key);
}

/* ---- foreign keys ---- */

typedef void key_visitor(struct rule_subject *s, struct catalog_constraint *k);

static void each_foreign_key(struct rule_subject *s, key_visitor *visit)
{
    for (size_t i = rule_first_made_constraint(s); i < s->catalog->constraints.count; i++) {
        struct catalog_constraint *k = s->catalog->constraints.at[i];
        if (!k->is_dropped && !k->relation->is_dropped && k->kind == CONSTRAINT_FOREIGN_KEY &&
            !k->parent)
            visit(s, k);
    }
}

/* Whether an index begins with the columns, in any order. */
static bool has_index(const struct catalog_constraint *k)
{
    for (size_t i = 0; i < k->relation->indexes.count; i++) {
        const struct catalog_relation *index = k->relation->indexes.at[i];
        if (index->is_dropped || catalog_has_expression(&index->index->predicate) ||
            index->index->keys.count < k->columns.count)
            continue;
        size_t found = 0;
        for (size_t n = 0; n < k->columns.count; n++) {
            for (size_t c = 0; c < k->columns.count; c++)
                found += index->index->keys.at[n].column == k->columns.at[c];
        }
        if (found == k->columns.count && found)
            return true;
    }
    return false;
}

static const char *columns_text(const struct rule_subject *s, const struct catalog_constraint *k)
{
    const char *text = "";
    for (size_t i = 0; i < k->columns.count; i++)
        text = arena_printf(s->a, "%s%s%.*s", text, i ? ", " : "", STR_ARG(k->columns.at[i]->name));
    return text;
}

static void see_unindexed(struct rule_subject *s, struct catalog_constraint *k)
{
    if (!has_index(k))
        rule_report_line(s, rule_line_of(s, k->relation), NULL,
                         "no index of %.*s begins with (%s): each "
                         "DELETE in %.*s reads the whole table",
                         STR_ARG(text_of(s, k->relation)), columns_text(s, k),
                         STR_ARG(k->referenced ? text_of(s, k->referenced) : STR("the parent")));
}

static void end_unindexed(struct rule_subject *s)
{
    each_foreign_key(s, see_unindexed);
}

static void see_mismatch(struct rule_subject *s, struct catalog_constraint *k)
{
    for (size_t i = 0; i < k->columns.count && i < k->referenced_columns.count; i++) {
        struct type_ref one = k->columns.at[i]->type;
        struct type_ref other = k->referenced_columns.at[i]->type;
        one.typmod = other.typmod = -1;
        bool is_known = one.builtin.len && other.builtin.len;
        if (is_known && !type_equal(&one, &other))
            rule_report_line(s, rule_line_of(s, k->relation), NULL,
                             "%.*s of %.*s is %.*s, what it points "
                             "at is %.*s",
                             STR_ARG(k->columns.at[i]->name), STR_ARG(text_of(s, k->relation)),
                             STR_ARG(type_text(s->a, &one)), STR_ARG(type_text(s->a, &other)));
    }
}

static void end_mismatch(struct rule_subject *s)
{
    each_foreign_key(s, see_mismatch);
}

static void see_nullable(struct rule_subject *s, struct catalog_constraint *k)
{
    for (size_t i = 0; i < k->columns.count; i++) {
        if (!k->columns.at[i]->is_not_null)
            rule_report_line(s, rule_line_of(s, k->relation), NULL,
                             "%.*s of %.*s may be NULL: such a row "
                             "points nowhere",
                             STR_ARG(k->columns.at[i]->name), STR_ARG(text_of(s, k->relation)));
    }
}

static void end_nullable(struct rule_subject *s)
{
    each_foreign_key(s, see_nullable);
}

static bool is_same_key(const struct catalog_constraint *a, const struct catalog_constraint *b)
{
    if (a->referenced != b->referenced || a->columns.count != b->columns.count)
        return false;
    for (size_t i = 0; i < a->columns.count; i++) {
        if (a->columns.at[i] != b->columns.at[i])
            return false;
    }
    return true;
}

static void see_duplicate(struct rule_subject *s, struct catalog_constraint *k)
{
    for (size_t i = 0; i < k->relation->constraints.count; i++) {
        const struct catalog_constraint *other = k->relation->constraints.at[i];
        if (other == k)
            return; /* the later one of the two is reported */
        if (!other->is_dropped && other->kind == CONSTRAINT_FOREIGN_KEY && is_same_key(k, other))
            rule_report_line(s, rule_line_of(s, k->relation), NULL,
                             "%.*s says the same as %.*s: every "
                             "write is checked twice",
                             STR_ARG(k->name), STR_ARG(other->name));
    }
}

static void see_duplicates_backwards(struct rule_subject *s, struct catalog_constraint *k)
{
    bool is_behind = false;
    for (size_t i = 0; i < k->relation->constraints.count && !is_behind; i++)
        is_behind = k->relation->constraints.at[i] == k;
    if (is_behind)
        see_duplicate(s, k);
}

static void end_duplicate(struct rule_subject *s)
{
    each_foreign_key(s, see_duplicates_backwards);
}

static void see_any(struct rule_subject *s, struct catalog_constraint *k)
{
    rule_report_line(s, rule_line_of(s, k->relation), NULL, "%.*s gets the foreign key %.*s",
                     STR_ARG(text_of(s, k->relation)), STR_ARG(k->name));
}

static void end_any(struct rule_subject *s)
{
    each_foreign_key(s, see_any);
}

static const struct rule_row rows[] = {
    {
        .rule =
            {
                .id = "missing-primary-key",
                .level = HAZARD_WARN,
                .engine = ENGINE_POSTGRES,
                .title = "a table without a primary key",
                .why = "Rows cannot be told apart: logical replication refuses UPDATE and "
                       "DELETE, batches have nothing to go by, and tools cannot copy it while "
                       "it is in use.",
                .fix = "bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY.",
                .example = "CREATE TABLE notes (body text);",
                .safe = "CREATE TABLE notes (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, "
                        "body text);",
                .sources = "logical-replication-publication.html",
            },
        .check_end = end_no_key,
    },
    {
        .rule =
            {
                .id = "unique-not-null-instead-of-key",
                .level = HAZARD_NOTE,
                .engine = ENGINE_POSTGRES,
                .title = "UNIQUE NOT NULL instead of PRIMARY KEY",
                .why = "It guarantees the same, but logical replication, foreign keys without "
                       "columns and tools look for the primary key.",
                .fix = "Say PRIMARY KEY.",
                .example = "CREATE TABLE countries (code text NOT NULL UNIQUE);",
                .safe = "CREATE TABLE countries (code text PRIMARY KEY);",
                .sources = "ddl-constraints.html",
            },
        .check_end = end_unique_key,
    },
    {
        .rule =
            {
                .id = "integer-primary-key",
                .level = HAZARD_WARN,
                .engine = ENGINE_POSTGRES,
                .title = "an integer key runs out of numbers",
                .why = "At 2147483647 every INSERT fails, also where most rows were deleted. To "
                       "widen a key and all foreign keys to it is among the longest migrations "
                       "there are.",
                .fix = "Take bigint from the start.",
                .example =
                    "CREATE TABLE hits (id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY);",
                .safe = "CREATE TABLE hits (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY);",
                .sources = "datatype-numeric.html",
            },
        .check_end = end_small_key,
    },
    {
        .rule =
            {
                .id = "foreign-key-without-index",
                .level = HAZARD_WARN,
                .engine = ENGINE_POSTGRES,
                .title = "a foreign key whose columns have no index",
                .why = "Each DELETE of a parent, and each UPDATE of its key, looks for "
                       "children: without an index by reading the whole table, with row locks "
                       "held.",
                .fix = "CREATE INDEX CONCURRENTLY over the columns, before the foreign key is "
                       "added.",
                .example = "CREATE TABLE orders (id bigint PRIMARY KEY, user_id bigint NOT NULL "
                           "REFERENCES users);",
                .safe = "CREATE TABLE orders (id bigint PRIMARY KEY, user_id bigint NOT NULL "
                        "REFERENCES users);\n"
                        "CREATE INDEX orders_user ON orders (user_id);",
                .sources = "ddl-constraints.html#DDL-CONSTRAINTS-FK; ri_triggers.c",
            },
        .check_end = end_unindexed,
    },
    {
        .rule =
            {
                .id = "foreign-key-type-mismatch",
                .level = HAZARD_WARN,
                .engine = ENGINE_POSTGRES,
                .title = "a foreign key between different types",
                .why = "An integer that points at a bigint cannot hold all its values: INSERTs "
                       "fail one day, and joins convert each row.",
                .fix = "Give both the same type.",
                .example = "CREATE TABLE orders (id bigint PRIMARY KEY, user_id integer REFERENCES "
                           "users);",
                .safe = "CREATE TABLE orders (id bigint PRIMARY KEY, user_id bigint REFERENCES "
                        "users);",
                .sources = "ddl-constraints.html#DDL-CONSTRAINTS-FK",
            },
        .check_end = end_mismatch,
    },
    {
        .rule =
            {
                .id = "foreign-key-nullable",
                .level = HAZARD_OFF,
                .engine = ENGINE_POSTGRES,
                .title = "a foreign key that may be NULL",
                .why = "A row with NULL is not checked; with several columns one NULL is "
                       "enough, unless MATCH FULL is said.",
                .fix = "NOT NULL where each row has a parent.",
                .example = "CREATE TABLE orders (id bigint PRIMARY KEY, user_id bigint REFERENCES "
                           "users);",
                .safe = "CREATE TABLE orders (id bigint PRIMARY KEY, user_id bigint NOT NULL "
                        "REFERENCES users);",
                .sources = "ddl-constraints.html#DDL-CONSTRAINTS-FK",
            },
        .check_end = end_nullable,
    },
    {
        .rule =
            {
                .id = "duplicate-foreign-key",
                .level = HAZARD_NOTE,
                .engine = ENGINE_POSTGRES,
                .title = "the same foreign key twice",
                .why = "Each write is checked twice, and each DELETE of a parent looks for "
                       "children twice.",
                .fix = "Drop one.",
                .example = "CREATE TABLE orders (id bigint PRIMARY KEY, user_id bigint REFERENCES "
                           "users, FOREIGN KEY (user_id) REFERENCES users);",
                .safe = "CREATE TABLE orders (id bigint PRIMARY KEY, user_id bigint REFERENCES "
                        "users);",
                .sources = "ddl-constraints.html#DDL-CONSTRAINTS-FK",
            },
        .check_end = end_duplicate,
    },
    {
        .rule =
            {
                .id = "foreign-key-policy",
                .level = HAZARD_OFF,
                .engine = ENGINE_POSTGRES,
                .title = "a foreign key is made",
                .why = "House rules may want a word about each: sharded and very busy databases "
                       "do without them.",
                .fix = "Set this hazard to off where foreign keys are welcome.",
                .example = "CREATE TABLE orders (id bigint PRIMARY KEY, user_id bigint REFERENCES "
                           "users);",
                .safe = "CREATE TABLE orders (id bigint PRIMARY KEY, user_id bigint);",
                .sources = "ddl-constraints.html#DDL-CONSTRAINTS-FK",
            },
        .check_end = end_any,
    },
};
const struct rule_table rules_design_key = {rows, ARRAY_LEN(rows)};
