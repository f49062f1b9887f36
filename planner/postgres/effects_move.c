/* ALTER TABLE | INDEX | MATERIALIZED VIEW ALL IN TABLESPACE; DISCARD. */
#include "planner/postgres/drop_parts.h"

static bool is_moved(const PgQuery__AlterTableMoveAllStmt *s, const struct catalog_relation *r)
{
    struct str from = str_of(s->orig_tablespacename);
    bool is_default = !r->tablespace.len && str_equal(from, STR("pg_default"));
    if (r->is_dropped || r->persistence == PERSISTENCE_TEMPORARY ||
        (!is_default && !str_equal(r->tablespace, from)))
        return false;
    if (s->n_roles && !owner_is_one_of(r, s->roles, s->n_roles))
        return false;
    switch (s->objtype) {
    case PG_QUERY__OBJECT_TYPE__OBJECT_INDEX:
        return r->kind == RELATION_INDEX || r->kind == RELATION_PARTITIONED_INDEX;
    case PG_QUERY__OBJECT_TYPE__OBJECT_MATVIEW:
        return r->kind == RELATION_MATERIALIZED_VIEW;
    default:
        return r->kind == RELATION_TABLE || r->kind == RELATION_PARTITIONED_TABLE;
    }
}

static bool has_storage(const struct catalog_relation *r)
{
    return r->kind == RELATION_TABLE || r->kind == RELATION_MATERIALIZED_VIEW;
}

/* Each is copied file by file; the indexes of a table stay where they are. */
void predict_move_all(struct deed *d, const PgQuery__Node *node)
{
    const PgQuery__AlterTableMoveAllStmt *s = node->alter_table_move_all_stmt;
    if (str_equal(str_of(s->orig_tablespacename), str_of(s->new_tablespacename)))
        return;
    for (size_t i = 0; i < d->catalog->relations.count; i++) {
        const struct catalog_relation *r = d->catalog->relations.at[i];
        if (!is_moved(s, r))
            continue;
        deed_lock(d, r, LOCK_ACCESS_EXCLUSIVE, false);
        if (!has_storage(r))
            continue;
        effects_add_rewrite(d->a, d->effects, r, "it is copied to another tablespace");
        deed_scan(d, r, "it is copied to another tablespace");
    }
}

void fold_move_all(struct deed *d, const PgQuery__Node *node)
{
    const PgQuery__AlterTableMoveAllStmt *s = node->alter_table_move_all_stmt;
    struct str to = str_of(s->new_tablespacename);
    if (str_equal(to, STR("pg_default")))
        to = (struct str){0};
    for (size_t i = 0; i < d->catalog->relations.count; i++) {
        struct catalog_relation *r = d->catalog->relations.at[i];
        if (is_moved(s, r))
            r->tablespace = arena_str(d->catalog->arena, to);
    }
}

static bool is_discard_all(const PgQuery__Node *node)
{
    return node->discard_stmt->target == PG_QUERY__DISCARD_MODE__DISCARD_ALL;
}

void predict_discard(struct deed *d, const PgQuery__Node *node)
{
    d->effects->refuses_transaction |= is_discard_all(node);
}

/* RESET ALL is a part of it. */
void fold_discard(struct deed *d, const PgQuery__Node *node)
{
    if (is_discard_all(node))
        d->catalog->settings.count = 0;
}
