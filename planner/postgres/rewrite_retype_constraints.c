/* Constraints of the old column, made again over the new one: without a look at the rows that are there
   first, then verified beside readers and writers. */
#include "planner/postgres/object_names.h"
#include "planner/postgres/rewrite_retype.h"

static const char *new_name_of(void *context, const struct catalog_column *column)
{
    const struct sync_pair *s = context;
    return column == s->old ? s->new_name : NULL;
}

static bool has_column(const struct catalog_column *column, struct catalog_column *const *at,
                       size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (at[i] == column)
            return true;
    }
    return false;
}

/* ---- foreign keys ---- */

static size_t token_of(const struct sync_text *t, size_t from, int kind)
{
    while (from < t->tokens.count && t->tokens.at[from].kind != kind)
        from++;
    return from;
}

/* Each name of a list is one token. false: the list is not the catalog's. */
static bool replace_names(struct sync_text *t, const struct sync_pair *s,
                          PgQuery__Node *const *names, size_t count,
                          struct catalog_column *const *columns, size_t column_count, size_t open)
{
    if (count != column_count || open + 2 * count >= t->tokens.count)
        return false;
    for (size_t i = 0; i < count; i++) {
        if (names[i]->node_case != PG_QUERY__NODE__NODE_STRING ||
            !str_equal(str_of(names[i]->string->sval), columns[i]->name))
            return false;
        if (columns[i] == s->old)
            sync_text_put(t, open + 1 + 2 * i, open + 2 + 2 * i, s->new_name);
    }
    return true;
}

static const PgQuery__Constraint *only_constraint(const PgQuery__Node *tree)
{
    const PgQuery__AlterTableStmt *stmt =
        tree->node_case == PG_QUERY__NODE__NODE_ALTER_TABLE_STMT ? tree->alter_table_stmt : NULL;
    const PgQuery__Node *def =
        stmt && stmt->n_cmds == 1 ? stmt->cmds[0]->alter_table_cmd->def : NULL;
    return def && def->node_case == PG_QUERY__NODE__NODE_CONSTRAINT ? def->constraint : NULL;
}

/* The text of pg_get_constraintdef() with the column replaced; "": it is of another time, or says more
   than can be told. */
static struct str foreign_key_text(struct retype *x, const struct catalog_constraint *k)
{
    static const struct str head = {"ALTER TABLE x ADD ", 18};
    struct arena *a = x->s.r->a;
    SCOPED(sync_text) struct sync_text t = {0};
    bool is_read =
        k->definition.len &&
        sync_text_open(
            a, str_of(arena_printf(a, "%.*s%.*s", STR_ARG(head), STR_ARG(k->definition))), &t);
    const PgQuery__Constraint *def = is_read ? only_constraint(t.tree) : NULL;
    if (!def || def->n_fk_del_set_cols ||
        !str_equal(str_of(def->pktable->relname), k->referenced->name))
        return STR("");
    size_t open = token_of(&t, 0, '(');
    size_t referenced = token_of(&t, token_of(&t, open, PG_QUERY__TOKEN__REFERENCES), '(');
    bool is_own =
        k->relation == x->s.table && has_column(x->s.old, k->columns.at, k->columns.count);
    bool is_good =
        is_own ? replace_names(&t, &x->s, def->fk_attrs, def->n_fk_attrs, k->columns.at,
                               k->columns.count, open)
               : replace_names(&t, &x->s, def->pk_attrs, def->n_pk_attrs, k->referenced_columns.at,
                               k->referenced_columns.count, referenced);
    return is_good ? str_skip(sync_text_done(&t), head.len) : STR("");
}

static bool is_partitioned(const struct catalog_relation *r)
{
    return r->kind == RELATION_PARTITIONED_TABLE || r->is_partition;
}

/* Our own of another pair: what becomes of it is not settled yet. */
static bool is_passing(const struct catalog_constraint *k)
{
    return str_starts(k->name, STR("migrate_"));
}

static bool add_constraint(struct retype *x, const struct catalog_constraint *k, const char *what,
                           struct str text)
{
    struct arena *a = x->s.r->a;
    struct retype_constraint one = {
        .like = k,
        .relation = arena_cstr(a, catalog_relation_text(a, k->relation)),
        .name = arena_printf(a, "migrate_%s_%s%zu", x->s.tag, what, x->constraints.count + 1),
        .text = text,
    };
    vec_push(a, &x->constraints, one);
    return text.len > 0;
}

static bool find_foreign_key(struct retype *x, const struct catalog_constraint *k)
{
    bool is_from =
        has_column(x->s.old, k->columns.at, k->columns.count) && k->relation == x->s.table;
    bool is_to = k->referenced == x->s.table &&
                 has_column(x->s.old, k->referenced_columns.at, k->referenced_columns.count);
    if (!is_from && !is_to)
        return true;
    if ((is_from && is_to) || !k->referenced || !k->is_valid || !k->is_enforced || k->is_period ||
        is_passing(k) || k->parent || is_partitioned(k->relation) || is_partitioned(k->referenced))
        return false;
    return add_constraint(x, k, "f", foreign_key_text(x, k));
}

/* ---- all ---- */

static bool find_check(struct retype *x, const struct catalog_constraint *k)
{
    struct sync_pair *s = &x->s;
    if (!expression_mentions(s->r->catalog, &k->check, s->table, s->old))
        return true;
    if (!k->is_valid || !k->is_enforced || k->is_no_inherit || is_passing(k))
        return false;
    struct str text = sync_expression_with(s->r->a, s->table, k->check.text, new_name_of, s);
    return add_constraint(x, k, "c",
                          text.len ? str_of(arena_printf(s->r->a, "CHECK (%.*s)", STR_ARG(text)))
                                   : STR(""));
}

bool retype_find_constraints(struct retype *x)
{
    const struct catalog_relation *table = x->s.table;
    for (size_t i = 0; i < table->constraints.count; i++) {
        const struct catalog_constraint *k = table->constraints.at[i];
        if (k->is_dropped)
            continue;
        if ((k->kind == CONSTRAINT_CHECK && !find_check(x, k)) ||
            (k->kind == CONSTRAINT_FOREIGN_KEY && !find_foreign_key(x, k)))
            return false;
    }
    for (size_t i = 0; i < table->referencing.count; i++) {
        const struct catalog_constraint *k = table->referencing.at[i];
        if (!k->is_dropped && k->relation != table && !find_foreign_key(x, k))
            return false;
    }
    return true;
}

/* ---- steps ---- */

static void validate(struct retype *x, const char *relation, const char *name)
{
    struct online_step *step = rewrite_step(
        x->s.r, PHASE_BACKFILL, "looks at the rows that are there, while others read and write",
        "ALTER TABLE %s VALIDATE CONSTRAINT %s", relation, name);
    step->undo_cost = UNDO_FREE; /* nothing is to be taken back */
}

static void add(struct retype *x, const struct retype_constraint *k, const char *does)
{
    struct online_step *step =
        rewrite_step(x->s.r, PHASE_EXPAND, does, "ALTER TABLE %s ADD CONSTRAINT %s %.*s NOT VALID",
                     k->relation, k->name, STR_ARG(k->text));
    /* When both columns have changed places and back, it is no longer there. */
    rewrite_undo(x->s.r, step, UNDO_FREE, "ALTER TABLE %s DROP CONSTRAINT IF EXISTS %s",
                 k->relation, k->name);
    validate(x, k->relation, k->name);
}

void retype_add_checks(struct retype *x)
{
    for (size_t i = 0; i < x->constraints.count; i++) {
        if (x->constraints.at[i].like->kind == CONSTRAINT_CHECK)
            add(x, &x->constraints.at[i], "has new rows checked in the new column as well");
    }
}

void retype_add_foreign_keys(struct retype *x)
{
    for (size_t i = 0; i < x->constraints.count; i++) {
        const struct retype_constraint *k = &x->constraints.at[i];
        if (k->like->kind != CONSTRAINT_FOREIGN_KEY)
            continue;
        bool is_from = strstr(k->text.at, x->s.new_name) < strstr(k->text.at, "REFERENCES");
        add(x, k,
            is_from ? "adds the foreign key of the new column for new rows"
                    : "has a foreign key refer to the new column as well, for new rows");
    }
}
