/* Advice about indexes of what a file makes. */
#include "planner/postgres/rules_support.h"

typedef void index_visitor(struct rule_subject *s, const struct catalog_relation *index);

static void each_index(struct rule_subject *s, index_visitor *visit)
{
    for (size_t i = rule_first_made(s); i < s->catalog->relations.count; i++) {
        const struct catalog_relation *r = s->catalog->relations.at[i];
        bool is_index = !r->is_dropped && r->index && r->index->table && !r->index->parent;
        if (is_index && rule_is_made_here(s, r) && !rule_is_temporary(r->index->table))
            visit(s, r);
    }
}

static uint32_t line_of(const struct rule_subject *s, const struct catalog_relation *index)
{
    uint32_t line = rule_line_of(s, index);
    return line ? line : rule_line_of(s, index->index->table);
}

static size_t key_count(const struct catalog_index *index)
{
    size_t count = 0;
    for (size_t i = 0; i < index->keys.count; i++)
        count += !index->keys.at[i].is_included;
    return count;
}

static bool is_same_key(struct rule_subject *s, const struct index_key *a,
                        const struct index_key *b)
{
    if (a->is_included != b->is_included || a->is_descending != b->is_descending ||
        !str_equal(a->opclass, b->opclass) || !str_equal(a->collation, b->collation))
        return false;
    if (a->column || b->column)
        return a->column == b->column;
    return expression_equal(expression_tree(s->catalog, &a->expression),
                            expression_tree(s->catalog, &b->expression));
}

static bool is_same_predicate(struct rule_subject *s, const struct catalog_index *a,
                              const struct catalog_index *b)
{
    bool has_a = catalog_has_expression(&a->predicate);
    bool has_b = catalog_has_expression(&b->predicate);
    return has_a == has_b &&
           (!has_a || expression_equal(expression_tree(s->catalog, &a->predicate),
                                       expression_tree(s->catalog, &b->predicate)));
}

/* How many keys of a are those that b begins with; SIZE_MAX: they are of different kinds. */
static bool begins_with(struct rule_subject *s, const struct catalog_index *whole,
                        const struct catalog_index *part)
{
    if (!str_equal(whole->method, part->method) || part->keys.count > whole->keys.count ||
        !is_same_predicate(s, whole, part))
        return false;
    for (size_t i = 0; i < part->keys.count; i++) {
        if (!is_same_key(s, &whole->keys.at[i], &part->keys.at[i]))
            return false;
    }
    return true;
}

/* The one that says less goes: that of no constraint, the one that is not unique, the later one. */
static void report_duplicate(struct rule_subject *s, const struct catalog_relation *index,
                             const struct catalog_relation *other)
{
    unsigned says = (index->index->is_unique ? 1u : 0) + (index->index->constraint ? 1u : 0) +
                    (index->index->is_primary ? 1u : 0);
    unsigned other_says = (other->index->is_unique ? 1u : 0) + (other->index->constraint ? 1u : 0) +
                          (other->index->is_primary ? 1u : 0);
    const struct catalog_relation *spare = says > other_says ? other : index;
    rule_report_line(s, line_of(s, index), NULL, "%.*s has the columns of %.*s: leave %.*s out",
                     STR_ARG(index->name), STR_ARG(other->name), STR_ARG(spare->name));
}

static void see_duplicate(struct rule_subject *s, const struct catalog_relation *index)
{
    const struct catalog_relation *table = index->index->table;
    for (size_t i = 0; i < table->indexes.count && table->indexes.at[i] != index; i++) {
        const struct catalog_relation *other = table->indexes.at[i];
        if (!other->is_dropped && other->index->keys.count == index->index->keys.count &&
            begins_with(s, other->index, index->index))
            report_duplicate(s, index, other);
    }
}

static void end_duplicate(struct rule_subject *s)
{
    each_index(s, see_duplicate);
}

static void see_redundant(struct rule_subject *s, const struct catalog_relation *index)
{
    const struct catalog_relation *table = index->index->table;
    for (size_t i = 0; i < table->indexes.count; i++) {
        const struct catalog_relation *other = table->indexes.at[i];
        if (other->is_dropped || other == index)
            continue;
        bool is_part = !index->index->is_unique &&
                       other->index->keys.count > index->index->keys.count &&
                       begins_with(s, other->index, index->index);
        bool is_whole = !other->index->is_unique &&
                        other->index->keys.count < index->index->keys.count &&
                        begins_with(s, index->index, other->index) && !rule_is_new(s, other);
        if (is_part || is_whole)
            rule_report_line(s, line_of(s, index), NULL, "%.*s begins with all that %.*s has",
                             STR_ARG(is_part ? other->name : index->name),
                             STR_ARG(is_part ? index->name : other->name));
    }
}

static void end_redundant(struct rule_subject *s)
{
    each_index(s, see_redundant);
}

enum { WIDE = 3 };

static void see_wide(struct rule_subject *s, const struct catalog_relation *index)
{
    if (key_count(index->index) > WIDE && !index->index->is_unique)
        rule_report_line(s, line_of(s, index), NULL, "%.*s has %zu key columns",
                         STR_ARG(index->name), key_count(index->index));
}

/* Of a table that is not known. */
static void check_wide(struct rule_subject *s)
{
    const PgQuery__IndexStmt *stmt = rule_tree(s)->index_stmt;
    struct rule_finding about = rule_about(s, stmt->relation);
    if (!about.relation && stmt->n_index_params > WIDE && !stmt->unique)
        rule_report_at(s, &about, "%s has %zu key columns",
                       stmt->idxname[0] ? stmt->idxname : "the index", stmt->n_index_params);
}

static void end_wide(struct rule_subject *s)
{
    each_index(s, see_wide);
}

static bool is_repeated(PgQuery__Node *const *at, size_t count, size_t i)
{
    const PgQuery__IndexElem *one = at[i]->index_elem;
    for (size_t n = 0; n < i; n++) {
        if (at[n]->node_case == PG_QUERY__NODE__NODE_INDEX_ELEM && one->name[0] &&
            strcmp(at[n]->index_elem->name, one->name) == 0 && !one->n_opclass &&
            !at[n]->index_elem->n_opclass)
            return true;
    }
    (void)count;
    return false;
}

static void check_repeated(struct rule_subject *s)
{
    const PgQuery__IndexStmt *stmt = rule_tree(s)->index_stmt;
    struct rule_finding about = rule_about(s, stmt->relation);
    for (size_t i = 0; i < stmt->n_index_params; i++) {
        if (stmt->index_params[i]->node_case == PG_QUERY__NODE__NODE_INDEX_ELEM &&
            is_repeated(stmt->index_params, stmt->n_index_params, i))
            rule_report_at(s, &about, "column %s is in the index twice",
                           stmt->index_params[i]->index_elem->name);
    }
}

static void see_many(struct rule_subject *s, const struct catalog_relation *index)
{
    enum { MANY = 8 };
    const struct catalog_relation *table = index->index->table;
    size_t count = 0;
    bool is_last = false;
    for (size_t i = 0; i < table->indexes.count; i++) {
        count += !table->indexes.at[i]->is_dropped;
        is_last = table->indexes.at[i] == index;
    }
    if (count > MANY && is_last)
        rule_report_line(s, line_of(s, index), NULL,
                         "%.*s has %zu indexes: every write keeps all of them",
                         STR_ARG(catalog_relation_text(s->a, table)), count);
}

static void end_many(struct rule_subject *s)
{
    each_index(s, see_many);
}

static void check_hash(struct rule_subject *s)
{
    if (strcmp(rule_tree(s)->index_stmt->access_method, "hash") == 0)
        rule_report(s, NULL,
                    "a hash index is not in the log before PostgreSQL 10: wrong after a crash");
}

static void see_low_value(struct rule_subject *s, const struct catalog_relation *index)
{
    const struct catalog_column *first =
        index->index->keys.count ? index->index->keys.at[0].column : NULL;
    if (!first || index->index->constraint)
        return;
    bool is_boolean = str_equal(first->type.builtin, STR("bool"));
    bool is_array = first->type.is_array && str_equal(index->index->method, STR("btree"));
    if (is_boolean && !catalog_has_expression(&index->index->predicate))
        rule_report_line(s, line_of(s, index), NULL,
                         "%.*s begins with the boolean %.*s: it tells two "
                         "halves apart",
                         STR_ARG(index->name), STR_ARG(first->name));
    else if (is_array)
        rule_report_line(s, line_of(s, index), NULL,
                         "%.*s compares whole arrays of %.*s: elements are not "
                         "found by it",
                         STR_ARG(index->name), STR_ARG(first->name));
}

static void end_low_value(struct rule_subject *s)
{
    each_index(s, see_low_value);
}

static const struct rule_row rows[] = {
    {
        .rule =
            {
                .id = "duplicate-index",
                .level = HAZARD_WARN,
                .engine = ENGINE_POSTGRES,
                .title = "the same index twice",
                .why = "Each write keeps both, queries use one. A primary key or UNIQUE has an "
                       "index already.",
                .fix = "Leave out the one that says less: an index that is not UNIQUE beside one "
                       "that is, a UNIQUE beside the primary key.",
                .example = "CREATE TABLE users (id bigint PRIMARY KEY, email text UNIQUE);\n"
                           "CREATE INDEX users_email ON users (email);",
                .safe = "CREATE TABLE users (id bigint PRIMARY KEY, email text UNIQUE);",
                .sources = "indexes-unique.html",
            },
        .check_end = end_duplicate,
    },
    {
        .rule =
            {
                .id = "redundant-index",
                .level = HAZARD_NOTE,
                .engine = ENGINE_POSTGRES,
                .title = "an index that is the beginning of another",
                .why = "A btree over (a, b) serves queries for a as well; the shorter index "
                       "costs each write.",
                .fix = "Leave the shorter one out, unless it is unique or much smaller.",
                .example = "CREATE TABLE users (id bigint PRIMARY KEY, email text, name text);\n"
                           "CREATE INDEX users_email ON users (email);\n"
                           "CREATE INDEX users_email_name ON users (email, name);",
                .safe = "CREATE TABLE users (id bigint PRIMARY KEY, email text, name text);\n"
                        "CREATE INDEX users_email_name ON users (email, name);",
                .sources = "indexes-multicolumn.html",
            },
        .check_end = end_redundant,
    },
    {
        .rule =
            {
                .id = "wide-index",
                .level = HAZARD_OFF,
                .engine = ENGINE_POSTGRES,
                .title = "an index over many columns",
                .why = "It is as large as the table, and used for its first columns only.",
                .fix = "Three columns at most; INCLUDE for what is only read.",
                .example =
                    "CREATE TABLE t (id bigint PRIMARY KEY, a int, b int, c int, d int, e int);\n"
                    "CREATE INDEX t_all ON t (a, b, c, d, e);",
                .safe =
                    "CREATE TABLE t (id bigint PRIMARY KEY, a int, b int, c int, d int, e int);\n"
                    "CREATE INDEX t_some ON t (a, b);",
                .sources = "indexes-multicolumn.html",
            },
        .check = check_wide,
        .check_end = end_wide,
        .node = PG_QUERY__NODE__NODE_INDEX_STMT,
    },
    {
        .rule =
            {
                .id = "duplicate-index-column",
                .level = HAZARD_WARN,
                .engine = ENGINE_POSTGRES,
                .exemptions = EXEMPT_NEW,
                .title = "a column stands in an index twice",
                .why = "The second one takes room and tells nothing; mostly another column was "
                       "meant.",
                .fix = "Name the other column.",
                .example = "CREATE INDEX CONCURRENTLY users_email ON users (email, email);",
                .safe = "CREATE INDEX CONCURRENTLY users_email ON users (email, name);",
                .sources = "indexes-multicolumn.html",
            },
        .check = check_repeated,
        .node = PG_QUERY__NODE__NODE_INDEX_STMT,
    },
    {
        .rule =
            {
                .id = "too-many-indexes",
                .level = HAZARD_OFF,
                .engine = ENGINE_POSTGRES,
                .title = "a table with many indexes",
                .why = "Each INSERT, and most UPDATEs, write all of them.",
                .fix = "Drop those whose idx_scan does not grow.",
                .example =
                    "CREATE TABLE t (id bigint PRIMARY KEY, a int, b int, c int, d int, e int, f "
                    "int, g int, h int);\n"
                    "CREATE INDEX ON t (a);\n"
                    "CREATE INDEX ON t (b);\n"
                    "CREATE INDEX ON t (c);\n"
                    "CREATE INDEX ON t (d);\n"
                    "CREATE INDEX ON t (e);\n"
                    "CREATE INDEX ON t (f);\n"
                    "CREATE INDEX ON t (g);\n"
                    "CREATE INDEX ON t (h);",
                .safe = "CREATE TABLE t (id bigint PRIMARY KEY, a int);\n"
                        "CREATE INDEX ON t (a);",
                .sources = "monitoring-stats.html",
            },
        .check_end = end_many,
    },
    {
        .rule =
            {
                .id = "hash-index",
                .level = HAZARD_WARN,
                .engine = ENGINE_POSTGRES,
                .until = 9,
                .title = "before PostgreSQL 10 hash indexes are not crash-safe",
                .why = "They are not in the log: wrong after a crash, absent on standbys.",
                .fix = "Take btree.",
                .example = "CREATE INDEX users_email ON users USING hash (email);",
                .safe = "CREATE INDEX users_email ON users (email);",
                .sources = "release-10.html",
            },
        .check = check_hash,
        .node = PG_QUERY__NODE__NODE_INDEX_STMT,
    },
    {
        .rule =
            {
                .id = "index-low-value",
                .level = HAZARD_OFF,
                .engine = ENGINE_POSTGRES,
                .title = "an index that helps few queries",
                .why = "One that begins with a boolean halves the table at best; a btree over "
                       "an array compares whole arrays.",
                .fix = "A partial index (WHERE NOT done), GIN for arrays.",
                .example = "CREATE TABLE jobs (id bigint PRIMARY KEY, done boolean);\n"
                           "CREATE INDEX jobs_done ON jobs (done);",
                .safe = "CREATE TABLE jobs (id bigint PRIMARY KEY, done boolean);\n"
                        "CREATE INDEX jobs_todo ON jobs (id) WHERE NOT done;",
                .sources = "indexes-partial.html",
            },
        .check_end = end_low_value,
    },
};
const struct rule_table rules_design_index = {rows, ARRAY_LEN(rows)};
