/* The recipes, and the pieces that they are written with. */
#include "planner/postgres/rewrite.h"

#include "core/base/vec.h"

#include <stdarg.h>

#define RECIPE_HAZARDS_MAX 18

struct recipe_row {
    const char *id; /* permanent: it stands in histories */
    unsigned node;
    const char *hazards[RECIPE_HAZARDS_MAX + 1]; /* that it settles; up to NULL */
    const char *expects[RECIPE_HAZARDS_MAX + 1]; /* of its own steps, and no matter there */
    const char *keeps[RECIPE_HAZARDS_MAX + 1];   /* that stand in either form */
    const char *why;
    rewrite_recipe *write;
    bool waits; /* its last steps do */
};

/* Triggers and foreign keys are made in a moment, with a short timeout, and rows are changed a range at
   a time. An index on a copy of a unique column meets no duplicates, NOT NULL on one that a trigger
   fills no NULL. What is dropped in the end is a copy, or has one. */
#define SYNC_EXPECTS                                                                               \
    "create-trigger", "drop-trigger", "fk-locks-parent", "lock-table-explicit",                    \
        "unbatched-backfill", "dml-affects-many-rows", "create-unique-index-existing",             \
        "set-not-null-compat", "primary-key-using-index-nullable", "drop-column",                  \
        "drop-column-takes-constraint", "rename-column", "dynamic-sql"
/* No row is written anew, and the column that takes the name has its statistics. */
#define RETYPE_EXPECTS SYNC_EXPECTS, "analyze-after", "standby-conflict"

/* The same of a column that is filled by its default: all values are there before it is said of them that
   they are. */
#define FILL_EXPECTS                                                                               \
    "lock-table-explicit", "unbatched-backfill", "dml-affects-many-rows",                          \
        "create-unique-index-existing", "set-not-null-compat", "primary-key-using-index-nullable", \
        "overbroad-grant", "drop-generation", "sequence-reset", "statement-after-access-exclusive"

static const struct recipe_row recipes[] = {
    {
        .id = "create-index",
        .node = PG_QUERY__NODE__NODE_INDEX_STMT,
        .hazards = {"create-index-blocking"},
        .why = "As written it would make writers wait until the index is built.",
        .write = rewrite_create_index,
    },
    {
        .id = "create-index-partitioned",
        .node = PG_QUERY__NODE__NODE_INDEX_STMT,
        .hazards = {"create-index-partitioned"},
        .why = "As written it would make writers of all partitions wait until the last index is "
               "built.",
        .write = rewrite_create_index_partitioned,
    },
    {
        .id = "reindex",
        .node = PG_QUERY__NODE__NODE_REINDEX_STMT,
        .hazards = {"reindex-blocking"},
        .why = "As written it would make writers wait, and every query that is planned meanwhile.",
        .write = rewrite_reindex,
    },
    {
        .id = "refresh",
        .node = PG_QUERY__NODE__NODE_REFRESH_MAT_VIEW_STMT,
        .hazards = {"refresh-matview-blocking"},
        .why = "As written it would make readers of the view wait until it is computed.",
        .write = rewrite_refresh,
    },
    {
        .id = "add-column",
        .node = PG_QUERY__NODE__NODE_ALTER_TABLE_STMT,
        .hazards = {"add-column-volatile-default", "add-column-serial", "add-column-identity"},
        .expects = {FILL_EXPECTS},
        .why = "As written it would write every row anew, and build every index, while nobody else "
               "can use the table.",
        .write = rewrite_add_column,
    },
    {
        .id = "alter-table",
        .node = PG_QUERY__NODE__NODE_ALTER_TABLE_STMT,
        .hazards = {"add-check-validating", "add-fk-validating", "add-unique-builds-index",
                    "add-primary-key-builds-index", "set-not-null-scan", "add-column-inline-check",
                    "add-column-inline-fk", "add-column-inline-unique"},
        .why =
            "As written it would read the table, or build an index, while nobody else can use it.",
        .write = rewrite_alter_table,
    },
    {
        .id = "attach-partition",
        .node = PG_QUERY__NODE__NODE_ALTER_TABLE_STMT,
        .hazards = {"attach-partition-scan", "attach-partition-default-scan"},
        .why = "As written it would read the table, or the default partition, while nobody else "
               "can use it.",
        .write = rewrite_attach_partition,
    },
    {
        .id = "create-partition",
        .node = PG_QUERY__NODE__NODE_CREATE_STMT,
        .hazards = {"create-partition-of"},
        .expects = {"attach-partition-default-scan"},
        .why = "As written it would wait for every query of the partitioned table, and make "
               "those that come after it wait as well.",
        .write = rewrite_create_partition,
    },
    {
        .id = "detach-partition",
        .node = PG_QUERY__NODE__NODE_ALTER_TABLE_STMT,
        .hazards = {"detach-partition-blocking"},
        .why = "As written it would wait for every query of the partitioned table, and make "
               "those that come after it wait as well.",
        .write = rewrite_detach_partition,
    },
    {
        .id = "update-batches",
        .node = PG_QUERY__NODE__NODE_UPDATE_STMT,
        .hazards = {"dml-affects-many-rows", "unbatched-backfill"},
        .why = "As written it would change all rows in one transaction: they stay locked to its "
               "end, and replicas fall behind.",
        .write = rewrite_update,
    },
    {
        .id = "delete-batches",
        .node = PG_QUERY__NODE__NODE_DELETE_STMT,
        .hazards = {"dml-affects-many-rows", "unbatched-backfill"},
        .why = "As written it would delete all rows in one transaction: they stay locked to its "
               "end, and replicas fall behind.",
        .write = rewrite_delete,
    },
    {
        .id = "rename-table",
        .node = PG_QUERY__NODE__NODE_RENAME_STMT,
        .hazards = {"rename-table"},
        .why = "As written every query that still has the old name would fail.",
        .write = rewrite_rename_table,
        .waits = true,
    },
    {
        .id = "set-schema",
        .node = PG_QUERY__NODE__NODE_ALTER_OBJECT_SCHEMA_STMT,
        .hazards = {"set-schema"},
        .why = "As written every query that still has the old schema would fail.",
        .write = rewrite_set_schema,
        .waits = true,
    },
    {
        .id = "drop-table",
        .node = PG_QUERY__NODE__NODE_DROP_STMT,
        .hazards = {"drop-table", "drop-table-cascade", "drop-table-many-fks", "drop-partition"},
        .why = "As written every query that still uses the table would fail, and no way back would "
               "be left.",
        .write = rewrite_drop_table,
        .waits = true,
        .keeps = {"drop-table", "drop-table-cascade", "drop-partition"},
    },
    {
        .id = "drop-column",
        .node = PG_QUERY__NODE__NODE_ALTER_TABLE_STMT,
        .hazards = {"drop-column", "drop-column-cascade", "drop-column-takes-constraint",
                    "drop-not-null"},
        .why = "As written every query that still uses the column would fail, and no way back "
               "would be left.",
        .write = rewrite_drop_column,
        .waits = true,
        .keeps = {"drop-column", "drop-column-cascade"},
    },
    {
        .id = "rename-column",
        .node = PG_QUERY__NODE__NODE_RENAME_STMT,
        .hazards = {"rename-column"},
        .expects = {SYNC_EXPECTS},
        .why = "As written it would break the code that runs, at the moment it is committed.",
        .write = rewrite_rename_column,
    },
    {
        .id = "fill-column",
        .node = PG_QUERY__NODE__NODE_ALTER_TABLE_STMT,
        .hazards = {"add-required-column"},
        .expects = {SYNC_EXPECTS},
        .why = "As written it would fail on the first row that is there, or fail the code that "
               "does not know the column.",
        .write = rewrite_fill_column,
    },
    {
        .id = "retype-column",
        .node = PG_QUERY__NODE__NODE_ALTER_TABLE_STMT,
        .hazards = {"alter-type-rewrite"},
        .expects = {RETYPE_EXPECTS},
        .keeps = {"alter-type-compat", "lossy-type-change", "sequence-narrower-than-column"},
        .why = "As written it would write every row anew, and build every index, while nobody else "
               "can use the table.",
        .write = rewrite_retype,
    },
    {
        .id = "drop-index",
        .node = PG_QUERY__NODE__NODE_DROP_STMT,
        .hazards = {"drop-index-blocking"},
        .why =
            "As written it would lock the table, and queue every query behind it while it waits.",
        .write = rewrite_drop_index,
    },
};

/* ---- choosing ---- */

/* The author asks for batches. */
static bool is_asked_for(const struct recipe_row *row, const struct statement *s)
{
    bool is_dml = row->write == rewrite_update || row->write == rewrite_delete;
    for (size_t i = 0; i < s->directives.count && is_dml; i++) {
        if (s->directives.at[i].kind == DIRECTIVE_BATCH)
            return true;
    }
    return false;
}

static bool settles(const struct recipe_row *row, const struct hazards *found)
{
    for (size_t i = 0; i < found->count; i++) {
        const struct hazard *h = &found->at[i];
        for (size_t k = 0; k < RECIPE_HAZARDS_MAX && row->hazards[k]; k++) {
            if (h->level >= HAZARD_WARN && strcmp(h->rule->id, row->hazards[k]) == 0)
                return true;
        }
    }
    return false;
}

static bool is_among(const char *const *ids, const char *id)
{
    for (size_t i = 0; i < RECIPE_HAZARDS_MAX && ids[i]; i++) {
        if (strcmp(ids[i], id) == 0)
            return true;
    }
    return false;
}

static const struct recipe_row *find_recipe(const char *id)
{
    for (size_t i = 0; i < ARRAY_LEN(recipes); i++) {
        if (strcmp(recipes[i].id, id) == 0)
            return &recipes[i];
    }
    return NULL;
}

bool rewrite_expects(const char *recipe, const char *rule_id)
{
    const struct recipe_row *row = find_recipe(recipe);
    return row && is_among(row->expects, rule_id);
}

bool rewrite_keeps(const char *recipe, const char *rule_id)
{
    const struct recipe_row *row = find_recipe(recipe);
    return row && is_among(row->keeps, rule_id);
}

static bool is_comment(int kind)
{
    return kind == PG_QUERY__TOKEN__SQL_COMMENT || kind == PG_QUERY__TOKEN__C_COMMENT;
}

/* The tokens without comments; each goes up to whatever is behind it, since where the lexer says that one
   ends can be odd (struct token). false: there are U&"names", which take the words behind them along. */
static bool read_tokens(struct arena *a, struct str text, struct tokens *out)
{
    bool is_plain = true;
    size_t kept = 0;
    parse_scan(a, text, out);
    for (size_t i = 0; i < out->count; i++) {
        struct token t = out->at[i];
        t.to = i + 1 < out->count ? out->at[i + 1].from : (uint32_t)text.len;
        is_plain &= t.kind != PG_QUERY__TOKEN__UIDENT && t.kind != PG_QUERY__TOKEN__USCONST;
        if (!is_comment(t.kind))
            out->at[kept++] = t;
    }
    out->count = kept;
    return is_plain && out->error_at == SIZE_MAX;
}

const struct online_form *rewrite_statement(struct arena *a, const struct statement *s,
                                            struct catalog *catalog, const struct analysis *found,
                                            unsigned major, const char **out_why_not)
{
    *out_why_not = NULL;
    const PgQuery__Node *tree = s->tree;
    /* Forms of 16 to 18 are parsed in the words of 15 (grammar.h): places in the tree are not the text's. */
    bool is_readable = tree && s->has_own_places && !s->has_secret;
    bool is_refused = found->effects.failure || found->effects.missing; /* better now than later */
    for (size_t i = 0; is_readable && i < ARRAY_LEN(recipes); i++) {
        const struct recipe_row *row = &recipes[i];
        if (row->node != tree->node_case || (is_refused && row->waits) ||
            (!settles(row, &found->hazards) && !is_asked_for(row, s)))
            continue;
        struct online_form *form = arena_new(a, struct online_form);
        *form = (struct online_form){.recipe = row->id, .why = row->why};
        struct rewrite r = {.a = a,
                            .statement = s,
                            .tree = tree,
                            .catalog = catalog,
                            .found = found,
                            .major = major,
                            .form = form};
        bool is_written = read_tokens(a, s->text, &r.tokens) && row->write(&r) && form->steps.count;
        parse_tokens_free(&r.tokens);
        if (!is_written) {
            *out_why_not = *out_why_not ? *out_why_not : r.why_not;
            continue;
        }
        *out_why_not = NULL;
        if (online_steps_at_once(form) < form->steps.count)
            form->settles =
                row->hazards; /* what breaks or loses something waits, or has a stand-in */
        return form;
    }
    return NULL;
}

/* ---- writing steps ---- */

__attribute__((format(printf, 2, 0))) static struct str
format_text(struct arena *a, const char *format, va_list values)
{
    SCOPED(buf) struct buf text = {0};
    buf_vprintf(&text, format, values);
    return buf_done(a, &text);
}

static struct online_step *add_step(struct rewrite *r, const struct online_step *step)
{
    vec_push(r->a, &r->form->steps, *step);
    return &r->form->steps.at[r->form->steps.count - 1];
}

struct online_step *rewrite_step(struct rewrite *r, enum phase phase, const char *does,
                                 const char *format, ...)
{
    va_list values;
    va_start(values, format);
    struct online_step step = {
        .phase = phase, .does = does, .sql = format_text(r->a, format, values)};
    va_end(values);
    return add_step(r, &step);
}

struct online_step *rewrite_step_alone(struct rewrite *r, enum phase phase, const char *does,
                                       const char *format, ...)
{
    va_list values;
    va_start(values, format);
    struct online_step step = {.phase = phase,
                               .refuses_transaction = true,
                               .does = does,
                               .sql = format_text(r->a, format, values)};
    va_end(values);
    return add_step(r, &step);
}

void rewrite_undo(struct rewrite *r, struct online_step *step, enum undo_cost cost,
                  const char *format, ...)
{
    va_list values;
    va_start(values, format);
    step->undo = format_text(r->a, format, values);
    step->undo_cost = cost;
    va_end(values);
}

void rewrite_holds(struct rewrite *r, struct str relation)
{
    vec_push(r->a, &r->form->relations, relation);
}

void rewrite_frees(struct rewrite *r, struct str name)
{
    struct online_name freed = {.name = name};
    vec_push(r->a, &r->form->names, freed);
}

void rewrite_frees_column(struct rewrite *r, const struct catalog_relation *table, struct str name)
{
    struct online_name freed = {.name = name, .of = table->name};
    vec_push(r->a, &r->form->names, freed);
}

void rewrite_retires(struct rewrite *r, const struct catalog_relation *table, struct str column,
                     struct retired_name how)
{
    how.schema = arena_str(r->a, table->schema);
    how.table = arena_str(r->a, table->name);
    how.column = arena_str(r->a, column);
    vec_push(r->a, &r->form->retires, how);
}

/* ---- pieces ---- */

size_t rewrite_token_at(const struct rewrite *r, size_t offset_bytes)
{
    size_t i = 0;
    while (i < r->tokens.count && r->tokens.at[i].from < offset_bytes)
        i++;
    return i;
}

size_t rewrite_token_find(const struct rewrite *r, size_t from, int kind)
{
    unsigned depth = 0;
    for (size_t i = from; i < r->tokens.count; i++) {
        int k = r->tokens.at[i].kind;
        if (!depth && k == kind)
            return i;
        if (k == '(' || k == '[')
            depth++;
        else if ((k == ')' || k == ']') && depth)
            depth--;
    }
    return r->tokens.count;
}

struct str rewrite_piece(const struct rewrite *r, size_t from, size_t to)
{
    struct str text = r->statement->text;
    if (to > r->tokens.count)
        to = r->tokens.count;
    if (from >= to)
        return STR("");
    size_t begin = r->tokens.at[from].from;
    return str_trim((struct str){text.at + begin, r->tokens.at[to - 1].to - begin});
}

/* ---- names ---- */

const char *rewrite_relation_sql(struct rewrite *r, const PgQuery__RangeVar *name)
{
    const struct catalog_relation *found =
        catalog_find_relation(r->catalog, str_of(name->schemaname), str_of(name->relname));
    struct str text =
        found ? catalog_relation_text(r->a, found)
              : catalog_name_text(r->a, str_of(name->schemaname), str_of(name->relname));
    return arena_cstr(r->a, text);
}

const char *rewrite_identifier(struct rewrite *r, const char *name)
{
    return arena_cstr(r->a, catalog_identifier(r->a, str_of(name)));
}
