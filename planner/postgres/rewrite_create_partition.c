/*
 * CREATE TABLE … PARTITION OF takes ACCESS EXCLUSIVE on the partitioned table, which it does not get while
 * anybody reads that, and reads the default partition under the same. A table of the same shape that is
 * attached takes SHARE UPDATE EXCLUSIVE there. LIKE brings what a partition has of its parent under the same
 * names: columns, defaults, generated columns, CHECKs, indexes and keys, storage, compression; ATTACH the
 * rest: foreign keys, triggers, identity (17). Comments and extended statistics a partition does not get.
 * Sources: sql-createtable.html; tablecmds.c (DefineRelation, MergeAttributes, ATExecAttachPartition,
 * AttachPartitionEnsureIndexes), parse_utilcmd.c (transformTableLikeClause, generateClonedIndexStmt).
 */
#include "planner/postgres/fold_constraint.h"
#include "planner/postgres/rewrite_partition.h"

/* Where the parts of the statement's text are, as tokens. */
struct places {
    size_t name, partition, parent; /* CREATE TABLE name PARTITION OF parent */
    size_t bound, rest;             /* FOR VALUES …, DEFAULT; what is behind it */
};

static int kind_at(const struct rewrite *r, size_t i)
{
    return i < r->tokens.count ? r->tokens.at[i].kind : 0;
}

/* Behind the parentheses that open at this token; the count of tokens where none do. */
static size_t behind_parens(const struct rewrite *r, size_t open)
{
    size_t close = kind_at(r, open) == '(' ? rewrite_token_find(r, open + 1, ')') : r->tokens.count;
    return close < r->tokens.count ? close + 1 : r->tokens.count + 1;
}

/* Behind FOR VALUES IN (…), FROM (…) TO (…), WITH (…), or DEFAULT. */
static size_t behind_bound(const struct rewrite *r, size_t bound)
{
    if (kind_at(r, bound) == PG_QUERY__TOKEN__DEFAULT)
        return bound + 1;
    size_t end = behind_parens(r, bound + 3);
    return kind_at(r, end) == PG_QUERY__TOKEN__TO ? behind_parens(r, end + 1) : end;
}

static bool find_places(const struct rewrite *r, const PgQuery__CreateStmt *create,
                        struct places *out)
{
    const PgQuery__RangeVar *parent = create->inh_relations[0]->range_var;
    out->name = rewrite_token_at(r, (size_t)create->relation->location);
    out->parent = rewrite_token_at(r, (size_t)parent->location);
    out->partition = out->parent - 2;
    size_t word = create->partbound->is_default ? PG_QUERY__TOKEN__DEFAULT : PG_QUERY__TOKEN__FOR;
    out->bound = rewrite_token_find(r, out->parent, (int)word);
    out->rest = behind_bound(r, out->bound);
    return out->parent > 2 && kind_at(r, out->partition) == PG_QUERY__TOKEN__PARTITION &&
           kind_at(r, out->partition + 1) == PG_QUERY__TOKEN__OF && out->name < out->partition &&
           out->bound < r->tokens.count && out->rest <= r->tokens.count;
}

/* What it takes from its parent where it says nothing itself; false: that cannot be said otherwise. */
static bool add_storage(struct rewrite *r, const PgQuery__CreateStmt *create,
                        const struct catalog_relation *parent, struct buf *out)
{
    struct str method = parent->access_method; /* from 17 on */
    if (!create->access_method[0] && method.len && !str_equal(method, STR("heap")))
        return false;
    if (!create->tablespacename[0] && parent->tablespace.len)
        buf_printf(out, " TABLESPACE %s",
                   rewrite_identifier(r, arena_cstr(r->a, parent->tablespace)));
    return true;
}

/* Of two that differ in name or order alone the server would attach the partition's as they come. */
static bool has_twins(const struct rewrite *r, const struct catalog_relation *parent)
{
    struct effects ignored = {0};
    struct deed deed = {.a = r->a,
                        .catalog = r->catalog,
                        .major = r->major,
                        .node = r->tree,
                        .effects = &ignored,
                        .old_relations = r->catalog->relations.count};
    for (size_t i = 0; i < parent->indexes.count; i++) {
        const struct catalog_relation *one = parent->indexes.at[i];
        for (size_t k = i + 1; k < parent->indexes.count; k++) {
            const struct catalog_relation *other = parent->indexes.at[k];
            if (!one->is_dropped && !other->is_dropped &&
                index_is_like(&deed, one->index, other->index))
                return true;
        }
    }
    return false;
}

/* PARTITION OF one table that is known, without a list of columns; not there yet. */
static const struct catalog_relation *parent_of(const struct rewrite *r,
                                                const PgQuery__CreateStmt *create)
{
    if (!create->partbound || create->n_inh_relations != 1 || create->n_table_elts ||
        create->n_constraints ||
        create->inh_relations[0]->node_case != PG_QUERY__NODE__NODE_RANGE_VAR)
        return NULL;
    const PgQuery__RangeVar *own = create->relation;
    const PgQuery__RangeVar *name = create->inh_relations[0]->range_var;
    const struct catalog_relation *parent =
        catalog_find_relation(r->catalog, str_of(name->schemaname), str_of(name->relname));
    struct str schema =
        own->schemaname[0] ? str_of(own->schemaname) : catalog_creation_schema(r->catalog);
    bool is_taken = catalog_find_relation(r->catalog, schema, str_of(own->relname)) != NULL;
    bool is_temporary = strcmp(own->relpersistence, "t") == 0;
    bool is_parent = parent && parent->kind == RELATION_PARTITIONED_TABLE &&
                     parent->persistence != PERSISTENCE_TEMPORARY;
    return is_parent && !is_taken && !is_temporary ? parent : NULL;
}

static void create_and_attach(struct rewrite *r, const PgQuery__CreateStmt *create,
                              const struct places *at, struct str storage)
{
    struct str name = rewrite_piece(r, at->name, at->partition);
    struct str parent = rewrite_piece(r, at->parent, at->bound);
    struct str rest = rewrite_piece(r, at->rest, r->tokens.count);
    struct online_step *step = rewrite_step(
        r, PHASE_EXPAND, "makes a table of the same shape, which nobody knows yet",
        "CREATE %sTABLE %.*s (LIKE %.*s INCLUDING ALL EXCLUDING COMMENTS EXCLUDING IDENTITY "
        "EXCLUDING STATISTICS)%s%.*s%.*s",
        strcmp(create->relation->relpersistence, "u") == 0 ? "UNLOGGED " : "", STR_ARG(name),
        STR_ARG(parent), rest.len ? " " : "", STR_ARG(rest), STR_ARG(storage));
    rewrite_undo(r, step, UNDO_LOSSY, "DROP TABLE %.*s", STR_ARG(name));
    step = rewrite_step(r, PHASE_EXPAND, "attaches it while others read and write",
                        "ALTER TABLE %.*s ATTACH PARTITION %.*s %.*s", STR_ARG(parent),
                        STR_ARG(name), STR_ARG(rewrite_piece(r, at->bound, at->rest)));
    rewrite_undo(r, step, UNDO_FREE, "ALTER TABLE %.*s DETACH PARTITION %.*s", STR_ARG(parent),
                 STR_ARG(name));
}

bool rewrite_create_partition(struct rewrite *r)
{
    const PgQuery__CreateStmt *create = r->tree->create_stmt;
    const struct catalog_relation *parent = parent_of(r, create);
    struct places at;
    if (!parent || !find_places(r, create, &at) || has_twins(r, parent))
        return false;
    SCOPED(buf) struct buf storage = {0};
    struct partition_bounds bounds;
    const struct catalog_relation *rest = catalog_default_partition(parent);
    bool reads_rest = rest && catalog_may_have_rows(rest);
    if (!add_storage(r, create, parent, &storage) ||
        (reads_rest && (rest->kind != RELATION_TABLE ||
                        !partition_bounds_read(r, parent, create->partbound, &bounds))))
        return false;
    const char *proof = reads_rest ? partition_prove(r, rest, bounds.without) : NULL;
    create_and_attach(r, create, &at, buf_str(&storage));
    if (proof)
        partition_forget(r, rest, proof);
    return true;
}
