/*
 * ALTER COLUMN … TYPE that would write every row under ACCESS EXCLUSIVE. A column of the new type follows
 * the old one by a trigger (rewrite_sync.h); it is filled in batches, gets what the old one has (NOT NULL,
 * checks, indexes, keys, foreign keys from and to it), and is proved to say the same. All that is done
 * while the old one is used. Then, in one transaction that touches the catalog only, both change places: the
 * new one takes the name, and the names of what hangs on it, and the old one follows it
 * (rewrite_retype_back.c) until it goes. Where nobody knows what the old one would be, it goes at once.
 */
#include "planner/postgres/rewrite_retype.h"

/* The only command of the statement; NULL: it has others. */
static const PgQuery__AlterTableCmd *only_command(const PgQuery__AlterTableStmt *stmt)
{
    const PgQuery__AlterTableCmd *cmd =
        stmt->n_cmds == 1 && stmt->cmds[0]->node_case == PG_QUERY__NODE__NODE_ALTER_TABLE_CMD
            ? stmt->cmds[0]->alter_table_cmd
            : NULL;
    bool is_type = cmd && cmd->subtype == PG_QUERY__ALTER_TABLE_TYPE__AT_AlterColumnType &&
                   cmd->def && cmd->def->node_case == PG_QUERY__NODE__NODE_COLUMN_DEF &&
                   cmd->def->column_def->type_name;
    return is_type && stmt->objtype == PG_QUERY__OBJECT_TYPE__OBJECT_TABLE && stmt->relation ? cmd
                                                                                             : NULL;
}

/* A table that is certainly small is written in a moment: no ceremony for that. And what the server
   refuses, or may, gets no form. */
static bool is_worth_it(const struct rewrite *r)
{
    for (size_t i = 0; i < r->found->hazards.count; i++) {
        const struct hazard *h = &r->found->hazards.at[i];
        bool is_small = strcmp(h->rule->id, "alter-type-rewrite") == 0 && h->exempted_by;
        bool is_refused = strcmp(h->rule->id, "alter-type-blocked-by-dependant") == 0 ||
                          strcmp(h->rule->id, "alter-type-unknown") == 0;
        if (is_small || is_refused)
            return false;
    }
    return !r->found->effects.failure && !r->found->effects.missing;
}

static struct str piece_behind(const struct rewrite *r, int kind)
{
    size_t from = rewrite_token_find(r, 0, kind);
    return rewrite_piece(r, from + 1, r->tokens.count);
}

/* COLLATE name [. name]. */
static const char *collation_text(const struct rewrite *r, const PgQuery__ColumnDef *def)
{
    if (!def->coll_clause)
        return "";
    size_t from = rewrite_token_at(r, (size_t)def->coll_clause->location) + 1;
    size_t to = from + 1;
    while (to + 1 < r->tokens.count && r->tokens.at[to].kind == '.')
        to += 2;
    return arena_cstr(r->a, rewrite_piece(r, from, to));
}

/* The value has to be the same whenever it is computed: by the trigger, the copy, and the proof. */
static bool is_immutable(struct retype *x)
{
    struct rewrite *r = x->s.r;
    struct str text = x->s.forward;
    if (!text.len)
        text = str_of(
            arena_printf(r->a, "CAST(%s AS %s)", x->s.old_name, sync_type(&x->s, &x->s.new_type)));
    struct catalog_expression e = {.text = text};
    const PgQuery__Node *tree = expression_tree(r->catalog, &e);
    return tree && sync_expression_of(r->a, x->s.table, text, "t").len &&
           expression_volatility_of(r->catalog, x->s.table, tree) == VOLATILITY_IMMUTABLE;
}

static bool has_statistics(const struct rewrite *r, const struct catalog_relation *table,
                           const struct catalog_column *column)
{
    for (size_t i = 0; i < r->catalog->statistics.count; i++) {
        const struct catalog_statistics *s = r->catalog->statistics.at[i];
        for (size_t k = 0; !s->is_dropped && s->relation == table && k < s->columns.count; k++) {
            if (s->columns.at[k] == column)
                return true;
        }
    }
    return false;
}

static bool column_fits(struct retype *x)
{
    const struct sync_pair *s = &x->s;
    const struct catalog_column *old = s->old;
    bool is_owner = old->sequence && old->sequence->sequence;
    if (!old || old->generated || old->is_inherited || !sync_type_fits(&s->new_type) ||
        has_statistics(s->r, s->table, old))
        return false;
    if (old->identity)
        return is_owner;
    x->default_text = sync_default_text(s);
    return x->default_text || !catalog_has_expression(&old->default_value);
}

static bool indexes_fit(const struct retype *x)
{
    for (size_t i = 0; i < x->indexes.count; i++) {
        const struct catalog_index *index = x->indexes.at[i].like->index;
        /* They would have to be said again of another index; a deferred key is checked later than an
           index. */
        if (index->is_clustered || index->is_replica_identity ||
            str_starts(x->indexes.at[i].like->name, STR("migrate_")) || /* of another pair */
            (index->constraint && index->constraint->is_deferrable))
            return false;
    }
    return true;
}

/* When both columns have changed places and back, they are no longer there. */
static void build_indexes(struct retype *x)
{
    struct rewrite *r = x->s.r;
    size_t from = r->form->steps.count;
    sync_build_indexes(&x->s, &x->indexes);
    for (size_t i = 0; i < x->indexes.count; i++)
        rewrite_undo(r, &r->form->steps.at[from + i], UNDO_FREE,
                     "DROP INDEX CONCURRENTLY IF EXISTS %s", x->indexes.at[i].name);
}

static void switch_columns(struct retype *x)
{
    struct rewrite *r = x->s.r;
    sync_verify(&x->s, true);
    if (!x->backward) {
        retype_switch(x);
        return;
    }
    r->form->steps.at[r->form->steps.count - 1].phase = PHASE_SWITCH;
    retype_change_places(x, false);
    retype_undo_switch(x, r->form->steps.count - 1);
    retype_end(x);
}

static void write_steps(struct retype *x)
{
    struct rewrite *r = x->s.r;
    rewrite_holds(r, catalog_relation_text(r->a, x->s.table));
    rewrite_frees_column(r, x->s.table, x->s.old->name);
    for (size_t i = 0; i < x->constraints.count; i++) {
        if (x->constraints.at[i].like->relation != x->s.table)
            rewrite_holds(r, str_of(x->constraints.at[i].relation));
    }
    sync_add_column(&x->s);
    sync_add_forward(&x->s);
    if (x->backward)
        retype_add_reverse(x);
    sync_copy(&x->s);
    if (x->s.old->is_not_null)
        sync_set_not_null(&x->s);
    retype_add_checks(x);
    build_indexes(x);
    retype_add_foreign_keys(x);
    sync_analyze(&x->s);
    sync_verify(&x->s, false);
    switch_columns(x);
}

bool rewrite_retype(struct rewrite *r)
{
    const PgQuery__AlterTableStmt *stmt = r->tree->alter_table_stmt;
    const PgQuery__AlterTableCmd *cmd = only_command(stmt);
    if (!cmd || !is_worth_it(r))
        return false;
    const PgQuery__ColumnDef *def = cmd->def->column_def;
    struct catalog_relation *table = catalog_find_relation(
        r->catalog, str_of(stmt->relation->schemaname), str_of(stmt->relation->relname));
    if (!sync_table_fits(r, table) || table->kind != RELATION_TABLE)
        return false;
    struct retype x = {.s = {.r = r,
                             .table = table,
                             .old = catalog_find_column(table, str_of(cmd->name)),
                             .relation = rewrite_relation_sql(r, stmt->relation),
                             .old_name = rewrite_identifier(r, cmd->name),
                             .new_type = type_resolve(r->catalog, def->type_name, NULL),
                             .collation = collation_text(r, def)}};
    if (!x.s.old || !column_fits(&x) ||
        !sync_begin(&x.s, arena_cstr(r->a, rewrite_piece(r, 0, r->tokens.count))))
        return false;
    x.s.new_name = arena_printf(r->a, "migrate_%s", x.s.tag);
    if (def->raw_default)
        x.s.forward = piece_behind(r, PG_QUERY__TOKEN__USING);
    if (!is_immutable(&x) || !sync_find_indexes(&x.s, &x.indexes) || !indexes_fit(&x) ||
        !retype_find_constraints(&x))
        return false;
    retype_find_way_back(&x);
    write_steps(&x);
    return true;
}
