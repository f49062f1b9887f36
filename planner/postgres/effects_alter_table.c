/* ALTER TABLE and its relatives: the way through a statement. */
#include "planner/postgres/alter_table.h"

/* ---- notes ---- */

bool is_partitioned(const struct catalog_relation *r)
{
    return r->kind == RELATION_PARTITIONED_TABLE;
}

bool has_children(const struct catalog_relation *r)
{
    for (size_t i = 0; i < r->children.count; i++) {
        if (!r->children.at[i]->is_dropped)
            return true;
    }
    return false;
}

bool relation_has_storage(const struct catalog_relation *r)
{
    return r->kind == RELATION_TABLE || r->kind == RELATION_MATERIALIZED_VIEW;
}

struct altered *alter_table_of(struct altering *t, struct catalog_relation *r)
{
    for (size_t i = 0; i < t->tables.count; i++) {
        if (t->tables.at[i]->r == r)
            return t->tables.at[i];
    }
    struct altered *made = arena_new(t->d->a, struct altered);
    made->r = r;
    vec_push(t->d->a, &t->tables, made);
    return made;
}

void alter_rewrites(struct altering *t, struct catalog_relation *r, const char *why)
{
    struct altered *table = alter_table_of(t, r);
    if (!table->rewrite && relation_has_storage(r))
        table->rewrite = why;
}

void alter_scans(struct altering *t, struct catalog_relation *r, const char *why)
{
    struct altered *table = alter_table_of(t, r);
    if (!table->scan && relation_has_storage(r))
        table->scan = why;
}

void alter_lock(struct altering *t, const struct catalog_relation *r)
{
    deed_lock(t->d, r, t->mode, r == t->r);
}

static bool lock_child(struct deed *d, struct catalog_relation *r, void *context)
{
    (void)d;
    alter_lock(context, r);
    return true;
}

void alter_lock_children(struct altering *t, const struct catalog_relation *r)
{
    deed_each_child(t->d, r, lock_child, t);
}

bool alter_drops_column(const struct altering *t, const struct catalog_column *column)
{
    for (size_t i = 0; i < t->dropped_columns.count; i++) {
        if (t->dropped_columns.at[i] == column)
            return true;
    }
    return false;
}

bool alter_drops_index(const struct altering *t, const struct catalog_relation *index)
{
    for (size_t i = 0; i < t->dropped_indexes.count; i++) {
        if (t->dropped_indexes.at[i] == index)
            return true;
    }
    return false;
}

bool alter_makes_column(const struct altering *t, const struct catalog_relation *r, struct str name)
{
    for (size_t i = 0; i < t->new_columns.count; i++) {
        if (t->new_columns.at[i].r == r && str_equal(t->new_columns.at[i].name, name))
            return true;
    }
    return false;
}

struct catalog_column *alter_column(struct altering *t, struct catalog_relation *r,
                                    const char *name, bool *out_is_new)
{
    bool is_new = alter_makes_column(t, r, str_of(name));
    if (out_is_new)
        *out_is_new = is_new;
    struct catalog_column *column = catalog_find_column(r, str_of(name));
    if (column && !alter_drops_column(t, column))
        return column;
    if (!is_new && !t->is_stand_in && t->d->catalog->is_complete)
        deed_fails(t->d, "column \"%s\" of relation \"%.*s\" does not exist", name,
                   STR_ARG(r->name));
    return NULL;
}

struct catalog_constraint *alter_constraint(const struct altering *t,
                                            const struct catalog_relation *r, struct str name)
{
    struct catalog_constraint *k = catalog_find_constraint(r, name);
    for (size_t i = 0; k && i < t->dropped_constraints.count; i++) {
        if (t->dropped_constraints.at[i] == k)
            return NULL;
    }
    return k;
}

static const PgQuery__AlterTableCmd *command(const PgQuery__AlterTableStmt *stmt, size_t i)
{
    const PgQuery__Node *n = stmt->cmds[i];
    bool is_command = n && n->node_case == PG_QUERY__NODE__NODE_ALTER_TABLE_CMD;
    return is_command ? n->alter_table_cmd : NULL;
}

bool alter_also(const struct altering *t, PgQuery__AlterTableType subtype, const char *column,
                bool is_drop)
{
    for (size_t i = 0; i < t->stmt->n_cmds; i++) {
        const PgQuery__AlterTableCmd *cmd = command(t->stmt, i);
        if (cmd && cmd->subtype == subtype && strcmp(cmd->name, column) == 0 &&
            !(is_drop && cmd->def))
            return true;
    }
    return false;
}

/* ---- at the end ---- */

static bool is_freed(const struct altering *t, const struct catalog_relation *index)
{
    for (size_t i = 0; i < t->freed_indexes.count; i++) {
        if (t->freed_indexes.at[i] == index)
            return true;
    }
    return false;
}

static void build_again(struct altering *t, const struct catalog_relation *index, const char *why)
{
    struct str name = index->name;
    if (is_freed(t, index) && !index->index->table->is_dropped)
        name = alter_index_name(t, index->index->table, index->index, index_purpose(index->index));
    if (str_equal(name, index->name))
        deed_build(t->d, index, why);
    else
        deed_build_new(t->d, index->index->table, name, why);
}

static void rewrite(struct altering *t, const struct altered *table)
{
    deed_lock(t->d, table->r, LOCK_ACCESS_EXCLUSIVE, false);
    effects_add_rewrite(t->d->a, t->d->effects, table->r, table->rewrite);
    deed_scan(t->d, table->r, table->rewrite);
    for (size_t i = 0; i < table->r->indexes.count; i++) {
        const struct catalog_relation *index = table->r->indexes.at[i];
        if (index->is_dropped || alter_drops_index(t, index))
            continue;
        deed_lock(t->d, index, LOCK_ACCESS_EXCLUSIVE, false);
        build_again(t, index, table->rewrite);
    }
}

/* tablecmds.c: ATRewriteTables() */
static void finish_table(struct altering *t, const struct altered *table)
{
    if (table->rewrite) {
        rewrite(t, table);
        return;
    }
    if (table->copy) {
        effects_add_rewrite(t->d->a, t->d->effects, table->r, table->copy);
        deed_scan(t->d, table->r, table->copy);
    }
    if (table->scan)
        deed_scan(t->d, table->r, table->scan);
    for (size_t i = 0; i < table->rebuilt.count; i++) {
        const struct rebuilt_index *one = &table->rebuilt.at[i];
        if (!one->is_kept && relation_has_storage(table->r) && !alter_drops_index(t, one->index))
            build_again(t, one->index, "an index over the column is built again");
    }
}

/* ---- the statement ---- */

static enum relation_kind kind_of(PgQuery__ObjectType type)
{
    switch (type) {
    case PG_QUERY__OBJECT_TYPE__OBJECT_INDEX:
        return RELATION_INDEX;
    case PG_QUERY__OBJECT_TYPE__OBJECT_SEQUENCE:
        return RELATION_SEQUENCE;
    case PG_QUERY__OBJECT_TYPE__OBJECT_VIEW:
        return RELATION_VIEW;
    case PG_QUERY__OBJECT_TYPE__OBJECT_MATVIEW:
        return RELATION_MATERIALIZED_VIEW;
    case PG_QUERY__OBJECT_TYPE__OBJECT_FOREIGN_TABLE:
        return RELATION_FOREIGN_TABLE;
    case PG_QUERY__OBJECT_TYPE__OBJECT_TYPE:
        return RELATION_COMPOSITE_TYPE;
    default:
        return RELATION_TABLE;
    }
}

/* The named relation; where the catalog cannot know it, one that stands for it while this statement
   is looked at. */
static struct catalog_relation *find_named(struct altering *t)
{
    const PgQuery__RangeVar *name = t->stmt->relation;
    struct catalog_relation *r = deed_relation(t->d, name, t->stmt->missing_ok);
    if (r || !name || t->d->catalog->is_complete ||
        deed_is_system(str_of(name->schemaname), str_of(name->relname)))
        return r;
    r = arena_new(t->d->a, struct catalog_relation);
    r->schema =
        name->schemaname[0] ? str_of(name->schemaname) : catalog_creation_schema(t->d->catalog);
    r->name = str_of(name->relname);
    r->kind = kind_of(t->stmt->objtype);
    r->row_estimate = -1;
    r->size_bytes = r->seq_scans = r->index_scans = r->writes = -1;
    t->is_stand_in = true;
    return r;
}

/* What stood in for an unknown relation is not handed out. */
static void forget(struct effects *e, const struct catalog_relation *r)
{
    for (size_t i = 0; i < e->locks.count; i++) {
        if (e->locks.at[i].object == r)
            e->locks.at[i].object = NULL;
    }
    for (size_t i = 0; i < e->rewrites.count; i++) {
        if (e->rewrites.at[i].object == r)
            e->rewrites.at[i].object = NULL;
    }
    for (size_t i = 0; i < e->scans.count; i++) {
        if (e->scans.at[i].object == r)
            e->scans.at[i].object = NULL;
    }
    for (size_t i = 0; i < e->losses.count; i++) {
        if (e->losses.at[i].object == r)
            e->losses.at[i].object = NULL;
    }
}

/* A sub-command on its way through the children. */
struct visit {
    struct altering *t;
    const PgQuery__AlterTableCmd *cmd;
    const struct alter_row *row;
};
static bool look_at_child(struct deed *d, struct catalog_relation *r, void *context)
{
    (void)d;
    const struct visit *at = context;
    alter_lock(at->t, r);
    if (at->row->look)
        at->row->look(at->t, r, at->cmd);
    return true;
}

static void look_at(struct altering *t, const PgQuery__AlterTableCmd *cmd)
{
    const struct alter_row *row = alter_row(cmd);
    if (!row) {
        deed_opaque(t->d, "a sub-command of ALTER TABLE that is not known");
        return;
    }
    if (t->d->major < row->since)
        deed_fails(t->d, "PostgreSQL %u does not know this form of ALTER TABLE", t->d->major);
    if (row->look)
        row->look(t, t->r, cmd);
    struct visit at = {t, cmd, row};
    if (row->reach == REACH_TREE && !t->is_only)
        deed_each_child(t->d, t->r, look_at_child, &at);
}

static bool begin(struct altering *t, struct deed *d, const PgQuery__Node *node)
{
    t->d = d;
    t->stmt = node->alter_table_stmt;
    t->is_only = t->stmt->relation && !t->stmt->relation->inh;
    t->r = find_named(t);
    if (!t->r)
        return false;
    for (size_t i = 0; i < t->stmt->n_cmds; i++) {
        const PgQuery__AlterTableCmd *cmd = command(t->stmt, i);
        enum lock_mode mode = cmd ? alter_mode(cmd) : LOCK_NONE;
        t->mode = mode > t->mode ? mode : t->mode;
    }
    return true;
}

void predict_alter_table(struct deed *d, const PgQuery__Node *node)
{
    struct altering t = {0};
    if (!begin(&t, d, node))
        return;
    alter_lock(&t, t.r);
    for (enum alter_pass pass = 0; pass < PASS_MAX; pass++) {
        for (size_t i = 0; i < t.stmt->n_cmds; i++) {
            const PgQuery__AlterTableCmd *cmd = command(t.stmt, i);
            if (cmd && alter_pass(cmd) == pass)
                look_at(&t, cmd);
        }
    }
    for (size_t i = 0; i < t.tables.count; i++)
        finish_table(&t, t.tables.at[i]);
    alter_check_remade_keys(&t);
    if (t.is_stand_in)
        forget(d->effects, t.r);
}

void fold_alter_table(struct deed *d, const PgQuery__Node *node)
{
    struct altering t = {0};
    if (!begin(&t, d, node) || t.is_stand_in)
        return;
    for (enum alter_pass pass = 0; pass < PASS_MAX; pass++) {
        for (size_t i = 0; i < t.stmt->n_cmds; i++) {
            const PgQuery__AlterTableCmd *cmd = command(t.stmt, i);
            const struct alter_row *row = cmd ? alter_row(cmd) : NULL;
            if (row && row->fold && alter_pass(cmd) == pass)
                row->fold(&t, t.r, cmd);
        }
    }
}
