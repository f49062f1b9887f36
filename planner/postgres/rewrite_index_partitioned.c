/*
 * An index on a partitioned table: made on the parent ONLY, where it is not valid yet, built on each
 * partition while others write, and attached; with the last one the parent's becomes valid. Sources:
 * sql-createindex.html, sql-alterindex.html; indexcmds.c (DefineIndex), tablecmds.c
 * (ATExecAttachPartitionIdx, validatePartitionedIndex).
 */
#include "core/base/vec.h"
#include "planner/postgres/create_parts.h"
#include "planner/postgres/rewrite.h"

struct partitioned {
    struct rewrite *r;
    struct deed deed;
    const struct catalog_index *index; /* of the parent, as it will be */
    bool is_unique;
    struct str rest; /* from USING or the parenthesis on */
    struct {
        struct str *at;
        size_t count, room;
    } names; /* of the schema-qualified indexes that are made */
};

/* The catalog does not know yet what the steps before make: a name that one of them has (long ones are cut)
   would be another one as written. */
static bool is_new_name(struct partitioned *p, struct str text)
{
    for (size_t i = 0; i < p->names.count; i++) {
        if (str_equal(p->names.at[i], text))
            return false;
    }
    vec_push(p->r->a, &p->names, text);
    return true;
}

static struct str index_text(struct partitioned *p, const struct catalog_relation *table,
                             struct str name)
{
    return catalog_name_text(p->r->a, table->schema, name);
}

/* Where the columns begin: behind the table's name. */
static struct str rest_of(struct rewrite *r, const PgQuery__IndexStmt *create)
{
    size_t i = rewrite_token_at(r, (size_t)create->relation->location) + 1;
    while (i + 1 < r->tokens.count && r->tokens.at[i].kind == '.')
        i += 2;
    if (i < r->tokens.count && r->tokens.at[i].kind == '*')
        i++;
    return rewrite_piece(r, i, r->tokens.count);
}

static void make_parent(struct partitioned *p, const struct catalog_relation *table,
                        struct str name)
{
    struct online_step *step = rewrite_step(
        p->r, PHASE_EXPAND, "makes the index of the partitioned table, without its parts",
        "CREATE %sINDEX %.*s ON ONLY %.*s %.*s", p->is_unique ? "UNIQUE " : "",
        STR_ARG(catalog_identifier(p->r->a, name)), STR_ARG(catalog_relation_text(p->r->a, table)),
        STR_ARG(p->rest));
    rewrite_undo(p->r, step, UNDO_FREE, "DROP INDEX %.*s", STR_ARG(index_text(p, table, name)));
}

static void attach(struct partitioned *p, struct str parent, struct str child)
{
    rewrite_step(p->r, PHASE_EXPAND, "makes it a part of the partitioned table's index",
                 "ALTER INDEX %.*s ATTACH PARTITION %.*s", STR_ARG(parent), STR_ARG(child));
}

/* The partitions of one level; parent: the index that theirs are attached to. */
/* NOLINTNEXTLINE(misc-no-recursion): as deep as the partitioning */
static bool add_partitions(struct partitioned *p, const struct catalog_relation *table,
                           struct str parent)
{
    for (size_t i = 0; i < table->children.count; i++) {
        struct catalog_relation *child = table->children.at[i];
        if (child->is_dropped)
            continue;
        if (child->kind == RELATION_FOREIGN_TABLE) /* the parent's would never be valid */
            return false;
        struct catalog_relation *own = index_like(&p->deed, child, p->index);
        if (own) {
            attach(p, parent, catalog_relation_text(p->r->a, own));
            continue;
        }
        struct str name = index_choose_name(&p->deed, child, p->index, INDEX_PLAIN);
        struct str text = index_text(p, child, name);
        if (!is_new_name(p, text))
            return false;
        if (child->kind == RELATION_PARTITIONED_TABLE) {
            make_parent(p, child, name);
            if (!add_partitions(p, child, text))
                return false;
        } else {
            struct online_step *step = rewrite_step_alone(
                p->r, PHASE_EXPAND, "builds the index of the partition while others read and write",
                "CREATE %sINDEX CONCURRENTLY %.*s ON %.*s %.*s", p->is_unique ? "UNIQUE " : "",
                STR_ARG(catalog_identifier(p->r->a, name)),
                STR_ARG(catalog_relation_text(p->r->a, child)), STR_ARG(p->rest));
            rewrite_undo(p->r, step, UNDO_FREE, "DROP INDEX CONCURRENTLY %.*s", STR_ARG(text));
        }
        attach(p, parent, text);
    }
    return true;
}

bool rewrite_create_index_partitioned(struct rewrite *r)
{
    const PgQuery__IndexStmt *create = r->tree->index_stmt;
    struct effects ignored = {0};
    struct partitioned p = {
        .r = r,
        .deed = {.a = r->a,
                 .catalog = r->catalog,
                 .major = r->major,
                 .node = r->tree,
                 .effects = &ignored,
                 .old_relations = r->catalog->relations.count},
        .is_unique = create->unique,
        .rest = rest_of(r, create),
    };
    struct catalog_relation *table = catalog_find_relation(
        r->catalog, str_of(create->relation->schemaname), str_of(create->relation->relname));
    if (!table || table->kind != RELATION_PARTITIONED_TABLE || create->if_not_exists ||
        create->concurrent || !create->relation->inh || !p.rest.len)
        return false;
    p.index = index_describe(&p.deed, table, create);
    struct str name = index_new_name(&p.deed, create, table, p.index);
    (void)is_new_name(&p, index_text(&p, table, name));
    make_parent(&p, table, name);
    return add_partitions(&p, table, index_text(&p, table, name));
}
