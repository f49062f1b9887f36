/* What publications lock: their tables while they are put in or taken out (publicationcmds.c:
   OpenTableList(), AlterPublicationTables()). */
#include <string.h>

#include "planner/postgres/effects.h"

static struct catalog_publication *find(const struct catalog *c, const char *name)
{
    for (size_t i = 0; i < c->publications.count; i++) {
        struct catalog_publication *p = c->publications.at[i];
        if (!p->is_dropped && str_equal(p->name, str_of(name)))
            return p;
    }
    return NULL;
}

static const PgQuery__PublicationObjSpec *spec_of(const PgQuery__Node *node)
{
    return node && node->node_case == PG_QUERY__NODE__NODE_PUBLICATION_OBJ_SPEC
               ? node->publication_obj_spec
               : NULL;
}

static const PgQuery__RangeVar *table_of(const PgQuery__PublicationObjSpec *spec)
{
    return spec && spec->pubtable ? spec->pubtable->relation : NULL;
}

/* Partitions are published through their parent: only inheritance children are opened, too. */
static void lock_tables(struct deed *d, PgQuery__Node *const *at, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const PgQuery__RangeVar *name = table_of(spec_of(at[i]));
        if (!name)
            continue;
        struct catalog_relation *r = deed_relation(d, name, false);
        if (!r)
            deed_lock_name(d, name, LOCK_SHARE_UPDATE_EXCLUSIVE);
        else if (name->inh && r->kind != RELATION_PARTITIONED_TABLE)
            deed_lock_tree(d, r, LOCK_SHARE_UPDATE_EXCLUSIVE, true);
        else
            deed_lock(d, r, LOCK_SHARE_UPDATE_EXCLUSIVE, true);
    }
}

void predict_publication(struct deed *d, const PgQuery__Node *node)
{
    const PgQuery__CreatePublicationStmt *create = node->create_publication_stmt;
    lock_tables(d, create->pubobjects, create->n_pubobjects);
}

void predict_alter_publication(struct deed *d, const PgQuery__Node *node)
{
    const PgQuery__AlterPublicationStmt *alter = node->alter_publication_stmt;
    if (alter->n_options)
        return;
    lock_tables(d, alter->pubobjects, alter->n_pubobjects);
    const struct catalog_publication *p = find(d->catalog, alter->pubname);
    if (!p || alter->action != PG_QUERY__ALTER_PUBLICATION_ACTION__AP_SetObjects)
        return;
    for (size_t i = 0; i < p->relations.count; i++) {
        if (!p->relations.at[i]->is_dropped)
            deed_lock(d, p->relations.at[i], LOCK_SHARE_UPDATE_EXCLUSIVE, false);
    }
}

static void add_table(struct deed *d, struct catalog_publication *p, struct catalog_relation *r)
{
    for (size_t i = 0; i < p->relations.count; i++) {
        if (p->relations.at[i] == r)
            return;
    }
    vec_push(d->catalog->arena, &p->relations, r);
}

static void drop_table(struct catalog_publication *p, const struct catalog_relation *r)
{
    size_t kept = 0;
    for (size_t i = 0; i < p->relations.count; i++) {
        if (p->relations.at[i] != r)
            p->relations.at[kept++] = p->relations.at[i];
    }
    p->relations.count = kept;
}

struct fold_context {
    struct catalog_publication *publication;
    bool is_drop;
};

static bool fold_child(struct deed *d, struct catalog_relation *r, void *context)
{
    const struct fold_context *f = context;
    if (f->is_drop)
        drop_table(f->publication, r);
    else
        add_table(d, f->publication, r);
    return true;
}

static void fold_objects(struct deed *d, struct catalog_publication *p, PgQuery__Node *const *at,
                         size_t count, bool is_drop)
{
    struct fold_context context = {.publication = p, .is_drop = is_drop};
    for (size_t i = 0; i < count; i++) {
        const PgQuery__PublicationObjSpec *spec = spec_of(at[i]);
        const PgQuery__RangeVar *name = table_of(spec);
        struct catalog_relation *r = name ? deed_relation(d, name, true) : NULL;
        if (r) {
            fold_child(d, r, &context);
            if (name->inh && r->kind != RELATION_PARTITIONED_TABLE)
                deed_each_child(d, r, fold_child, &context);
        } else if (spec && !name && spec->name[0] && !is_drop) {
            vec_push(d->catalog->arena, &p->schemas,
                     arena_str(d->catalog->arena, str_of(spec->name)));
        }
    }
}

void fold_publication(struct deed *d, const PgQuery__Node *node)
{
    const PgQuery__CreatePublicationStmt *create = node->create_publication_stmt;
    if (find(d->catalog, create->pubname))
        return;
    struct catalog_publication *p = arena_new(d->catalog->arena, struct catalog_publication);
    p->name = arena_str(d->catalog->arena, str_of(create->pubname));
    p->is_for_all_tables = create->for_all_tables;
    vec_push(d->catalog->arena, &d->catalog->publications, p);
    fold_objects(d, p, create->pubobjects, create->n_pubobjects, false);
}

void fold_alter_publication(struct deed *d, const PgQuery__Node *node)
{
    const PgQuery__AlterPublicationStmt *alter = node->alter_publication_stmt;
    struct catalog_publication *p = find(d->catalog, alter->pubname);
    if (!p || alter->n_options)
        return;
    if (alter->action == PG_QUERY__ALTER_PUBLICATION_ACTION__AP_SetObjects)
        p->relations.count = p->schemas.count = 0;
    fold_objects(d, p, alter->pubobjects, alter->n_pubobjects,
                 alter->action == PG_QUERY__ALTER_PUBLICATION_ACTION__AP_DropObjects);
}
