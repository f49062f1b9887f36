/*
 * Keys of partitioned tables: USING INDEX is refused there, but not on the partitions. Each gets its index
 * while others write, and its key; then the key of the table itself is made ONLY there, where it is not valid
 * yet, and theirs are attached to it; with the last one it is. Sources: sql-altertable.html,
 * sql-alterindex.html; tablecmds.c (ATExecAddIndexConstraint, ATExecAttachPartitionIdx,
 * validatePartitionedIndex), indexcmds.c (DefineIndex: the names of the parts).
 */
#include "planner/postgres/rewrite_alter_table.h"

#include "planner/postgres/fold_constraint.h"

/* The index of a table, and that of its partition. */
struct attached_part {
    struct str parent, child;
    bool was_there; /* it would go along when the parent's is dropped */
};

struct key_parts {
    struct alter_rewrite *x;
    const struct alter_item *item;
    struct deed deed;
    const struct catalog_index *key; /* as it will be */
    VEC_OF(struct str) names;        /* schema-qualified indexes that are made */
    VEC_OF(struct attached_part) attached;
};

/* NOLINTNEXTLINE(misc-no-recursion): as deep as the partitioning */
bool alter_partitions_take_keys(const struct catalog_relation *table)
{
    for (size_t i = 0; i < table->children.count; i++) {
        const struct catalog_relation *child = table->children.at[i];
        if (!child->is_dropped &&
            (child->kind == RELATION_FOREIGN_TABLE || !alter_partitions_take_keys(child)))
            return false;
    }
    return true;
}

static struct str index_text(struct key_parts *p, const struct catalog_relation *table,
                             struct str name)
{
    return catalog_name_text(p->x->r->a, table->schema, name);
}

/* What the steps before it make is not in the catalog: its name would have become another one. */
static bool take_name(struct key_parts *p, struct str text)
{
    for (size_t i = 0; i < p->names.count; i++) {
        if (str_equal(p->names.at[i], text))
            return false;
    }
    vec_push(p->x->r->a, &p->names, text);
    return true;
}

/* The partition's own key that becomes a part. false: it has one that the server may take or not. */
static bool find_own(struct key_parts *p, const struct catalog_relation *child,
                     const struct catalog_relation **out)
{
    enum constraint_kind kind = p->key->is_primary ? CONSTRAINT_PRIMARY_KEY : CONSTRAINT_UNIQUE;
    *out = NULL;
    for (size_t i = 0; i < child->indexes.count; i++) {
        const struct catalog_relation *own = child->indexes.at[i];
        const struct catalog_constraint *k = own->is_dropped ? NULL : own->index->constraint;
        if (!k || k->kind == CONSTRAINT_EXCLUSION)
            continue;
        bool is_like = !own->index->parent && index_is_like(&p->deed, own->index, p->key);
        if (is_like && (k->kind != kind || !own->index->is_valid))
            return false;
        if (is_like && !*out)
            *out = own;
        if (!is_like && p->key->is_primary && k->kind == CONSTRAINT_PRIMARY_KEY)
            return false; /* refused as written, too */
    }
    return true;
}

static void note_attached(struct key_parts *p, struct str parent, struct str child, bool was_there)
{
    const struct attached_part one = {parent, child, was_there};
    vec_push(p->x->r->a, &p->attached, one);
}

static void build_part(struct key_parts *p, const struct catalog_relation *child, struct str name)
{
    struct rewrite *r = p->x->r;
    struct str table = catalog_relation_text(r->a, child);
    struct str quoted = catalog_identifier(r->a, name);
    rewrite_build_key_index(p->x, p->item, arena_cstr(r->a, table), child->schema, quoted);
    struct online_step *step = rewrite_step(
        r, PHASE_EXPAND, "makes the index the one of the partition's key",
        "ALTER TABLE %.*s ADD CONSTRAINT %.*s %s USING INDEX %.*s%s", STR_ARG(table),
        STR_ARG(quoted), alter_key_word(p->item), STR_ARG(quoted), alter_deferral(p->item));
    /* IF EXISTS: they go with that of the partitioned table, once they are attached to it. */
    rewrite_undo(r, step, UNDO_COSTLY, "ALTER TABLE %.*s DROP CONSTRAINT IF EXISTS %.*s",
                 STR_ARG(table), STR_ARG(quoted));
}

static void make_only(struct key_parts *p, const struct catalog_relation *table, struct str name)
{
    struct rewrite *r = p->x->r;
    struct str text = catalog_relation_text(r->a, table);
    struct str quoted = catalog_identifier(r->a, name);
    struct online_step *step =
        rewrite_step(r, PHASE_EXPAND, "makes the key of the partitioned table, without its parts",
                     "ALTER TABLE ONLY %.*s ADD CONSTRAINT %.*s %.*s", STR_ARG(text),
                     STR_ARG(quoted), STR_ARG(rewrite_piece(r, p->item->from, p->item->to)));
    rewrite_undo(r, step, UNDO_COSTLY, "ALTER TABLE %.*s DROP CONSTRAINT IF EXISTS %.*s",
                 STR_ARG(text), STR_ARG(quoted));
}

/* The partitions of one level and those below; index: what theirs are attached to. */
/* NOLINTNEXTLINE(misc-no-recursion): as deep as the partitioning */
static bool add_parts(struct key_parts *p, const struct catalog_relation *table, struct str index)
{
    enum index_purpose purpose = p->key->is_primary ? INDEX_PRIMARY : INDEX_UNIQUE_KEY;
    for (size_t i = 0; i < table->children.count; i++) {
        struct catalog_relation *child = table->children.at[i];
        const struct catalog_relation *own;
        if (child->is_dropped)
            continue;
        if (!find_own(p, child, &own))
            return false;
        if (own) {
            note_attached(p, index, catalog_relation_text(p->x->r->a, own), true);
            continue;
        }
        struct str name = index_choose_name(&p->deed, child, p->key, purpose);
        struct str text = index_text(p, child, name);
        if (!take_name(p, text))
            return false;
        if (child->kind == RELATION_PARTITIONED_TABLE) {
            if (!add_parts(p, child, text))
                return false;
            make_only(p, child, name);
        } else {
            build_part(p, child, name);
        }
        note_attached(p, index, text, false);
    }
    return true;
}

bool alter_add_partitioned_key(struct alter_rewrite *x, const struct alter_item *item)
{
    struct rewrite *r = x->r;
    struct effects ignored = {0};
    struct key_parts p = {.x = x,
                          .item = item,
                          .deed = {.a = r->a,
                                   .catalog = r->catalog,
                                   .major = r->major,
                                   .node = r->tree,
                                   .effects = &ignored,
                                   .old_relations = r->catalog->relations.count}};
    const struct constraint_source source = {.k = item->k};
    p.key = key_describe(&p.deed, x->table, &source);
    struct str index = index_text(&p, x->table, item->plain_name);
    if (!take_name(&p, index) || !add_parts(&p, x->table, index))
        return false;
    make_only(&p, x->table, item->plain_name);
    for (size_t i = 0; i < p.attached.count; i++) {
        const struct attached_part *one = &p.attached.at[i];
        struct online_step *step = rewrite_step(
            r, PHASE_EXPAND, "makes it a part of the partitioned table's key",
            "ALTER INDEX %.*s ATTACH PARTITION %.*s", STR_ARG(one->parent), STR_ARG(one->child));
        if (!one->was_there)
            step->undo_cost = UNDO_FREE; /* it goes with the key */
    }
    return true;
}
