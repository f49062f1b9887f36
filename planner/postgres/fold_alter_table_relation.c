/* What ALTER TABLE makes of the relation as a whole: family, storage, switches. */
#include "planner/postgres/alter_table.h"

static const PgQuery__PartitionCmd *partition_of(const PgQuery__AlterTableCmd *cmd)
{
    bool is_partition = cmd->def && cmd->def->node_case == PG_QUERY__NODE__NODE_PARTITION_CMD;
    return is_partition ? cmd->def->partition_cmd : NULL;
}

/* ---- family ---- */

/* A partitioned index is valid once each partition has its own. */
static void complete_index(struct catalog_relation *parent)
{
    const struct catalog_relation *table = parent->index->table;
    for (size_t i = 0; table && i < table->children.count; i++) {
        bool is_there = table->children.at[i]->is_dropped;
        for (size_t n = 0; n < table->children.at[i]->indexes.count && !is_there; n++) {
            const struct catalog_relation *own = table->children.at[i]->indexes.at[n];
            is_there = !own->is_dropped && own->index->parent == parent && own->index->is_valid;
        }
        if (!is_there)
            return;
    }
    parent->index->is_valid = true;
}

void fold_alter_attach(struct altering *t, struct catalog_relation *r,
                       const PgQuery__AlterTableCmd *cmd)
{
    const PgQuery__PartitionCmd *p = partition_of(cmd);
    struct catalog_relation *partition = p ? deed_relation(t->d, p->name, true) : NULL;
    if (!partition)
        return;
    if (!r->index) {
        if (p->bound && !partition->is_partition)
            fold_attach(t->d, r, partition, p->bound);
        return;
    }
    if (!partition->index)
        return;
    partition->index->parent = r;
    if (partition->index->constraint && r->index->constraint) {
        partition->index->constraint->parent = r->index->constraint;
        partition->index->constraint->is_inherited = true;
    }
    complete_index(r);
}

void fold_alter_detach(struct altering *t, struct catalog_relation *r,
                       const PgQuery__AlterTableCmd *cmd)
{
    const PgQuery__PartitionCmd *p = partition_of(cmd);
    struct catalog_relation *partition = p ? deed_relation(t->d, p->name, true) : NULL;
    if (partition && partition->is_partition)
        fold_detach(t->d, r, partition);
}

void fold_alter_detach_finalize(struct altering *t, struct catalog_relation *r,
                                const PgQuery__AlterTableCmd *cmd)
{
    fold_alter_detach(t, r, cmd);
}

static struct catalog_relation *parent_of(struct altering *t, const PgQuery__AlterTableCmd *cmd)
{
    bool is_name = cmd->def && cmd->def->node_case == PG_QUERY__NODE__NODE_RANGE_VAR;
    return is_name ? deed_relation(t->d, cmd->def->range_var, true) : NULL;
}

void fold_alter_inherit(struct altering *t, struct catalog_relation *r,
                        const PgQuery__AlterTableCmd *cmd)
{
    struct catalog_relation *parent = parent_of(t, cmd);
    if (parent)
        fold_attach(t->d, parent, r, NULL);
}

void fold_alter_no_inherit(struct altering *t, struct catalog_relation *r,
                           const PgQuery__AlterTableCmd *cmd)
{
    struct catalog_relation *parent = parent_of(t, cmd);
    if (parent && !r->is_partition)
        fold_detach(t->d, parent, r);
}

void fold_alter_of(struct altering *t, struct catalog_relation *r,
                   const PgQuery__AlterTableCmd *cmd)
{
    if (cmd->def && cmd->def->node_case == PG_QUERY__NODE__NODE_TYPE_NAME)
        r->of_type = deed_type(t->d, cmd->def->type_name).user;
}

void fold_alter_not_of(struct altering *t, struct catalog_relation *r,
                       const PgQuery__AlterTableCmd *cmd)
{
    (void)t;
    (void)cmd;
    r->of_type = NULL;
}

/* ---- storage and owner ---- */

void fold_alter_owner(struct altering *t, struct catalog_relation *r,
                      const PgQuery__AlterTableCmd *cmd)
{
    struct str owner = str_of(cmd->newowner ? cmd->newowner->rolename : NULL);
    r->owner = arena_str(t->d->catalog->arena, owner);
}

/* Of the relation, its indexes, and (from 15 on) the sequences that its columns own. */
static void set_persistence(struct altering *t, struct catalog_relation *r, enum persistence p)
{
    r->persistence = p;
    for (size_t i = 0; i < r->indexes.count; i++)
        r->indexes.at[i]->persistence = p;
    size_t next = 0;
    struct catalog_relation *s;
    while (t->d->major >= 15 && (s = catalog_next_owned(r, &next)))
        s->persistence = p;
}

void fold_alter_logged(struct altering *t, struct catalog_relation *r,
                       const PgQuery__AlterTableCmd *cmd)
{
    (void)cmd;
    set_persistence(t, r, PERSISTENCE_PERMANENT);
}

void fold_alter_unlogged(struct altering *t, struct catalog_relation *r,
                         const PgQuery__AlterTableCmd *cmd)
{
    (void)cmd;
    set_persistence(t, r, PERSISTENCE_UNLOGGED);
}

void fold_alter_access_method(struct altering *t, struct catalog_relation *r,
                              const PgQuery__AlterTableCmd *cmd)
{
    r->access_method = arena_str(t->d->catalog->arena, str_of(cmd->name));
}

void fold_alter_tablespace(struct altering *t, struct catalog_relation *r,
                           const PgQuery__AlterTableCmd *cmd)
{
    struct str name = str_of(cmd->name);
    r->tablespace = str_equal(name, STR("pg_default")) ? (struct str){0}
                                                       : arena_str(t->d->catalog->arena, name);
}

/* ---- marks on indexes ---- */

void fold_alter_cluster(struct altering *t, struct catalog_relation *r,
                        const PgQuery__AlterTableCmd *cmd)
{
    (void)t;
    for (size_t i = 0; i < r->indexes.count; i++)
        r->indexes.at[i]->index->is_clustered =
            cmd->name[0] && str_equal(r->indexes.at[i]->name, str_of(cmd->name));
}

void fold_alter_without_cluster(struct altering *t, struct catalog_relation *r,
                                const PgQuery__AlterTableCmd *cmd)
{
    fold_alter_cluster(t, r, cmd);
}

void fold_alter_replica_identity(struct altering *t, struct catalog_relation *r,
                                 const PgQuery__AlterTableCmd *cmd)
{
    (void)t;
    if (!cmd->def || cmd->def->node_case != PG_QUERY__NODE__NODE_REPLICA_IDENTITY_STMT)
        return;
    const PgQuery__ReplicaIdentityStmt *identity = cmd->def->replica_identity_stmt;
    r->replica_identity = identity->identity_type[0];
    for (size_t i = 0; i < r->indexes.count; i++)
        r->indexes.at[i]->index->is_replica_identity =
            r->replica_identity == 'i' && str_equal(r->indexes.at[i]->name, str_of(identity->name));
}

/* ---- switches ---- */

struct switched {
    const PgQuery__AlterTableCmd *cmd;
    char state;
};
static bool switch_triggers(struct deed *d, struct catalog_relation *r, void *context)
{
    (void)d;
    const struct switched *to = context;
    for (size_t i = 0; i < r->triggers.count; i++) {
        struct catalog_trigger *trigger = r->triggers.at[i];
        if (!to->cmd->name[0] || str_equal(trigger->name, str_of(to->cmd->name)))
            trigger->enabled = to->state;
    }
    return r->kind == RELATION_PARTITIONED_TABLE;
}

void fold_alter_trigger(struct altering *t, struct catalog_relation *r,
                        const PgQuery__AlterTableCmd *cmd)
{
    struct switched to = {cmd, 'D'};
    switch (cmd->subtype) {
    case PG_QUERY__ALTER_TABLE_TYPE__AT_EnableAlwaysTrig:
        to.state = 'A';
        break;
    case PG_QUERY__ALTER_TABLE_TYPE__AT_EnableReplicaTrig:
        to.state = 'R';
        break;
    case PG_QUERY__ALTER_TABLE_TYPE__AT_EnableTrig:
    case PG_QUERY__ALTER_TABLE_TYPE__AT_EnableTrigAll:
    case PG_QUERY__ALTER_TABLE_TYPE__AT_EnableTrigUser:
        to.state = 'O';
        break;
    default:
        break;
    }
    if (switch_triggers(t->d, r, &to) && !t->is_only)
        deed_each_child(t->d, r, switch_triggers, &to);
}

void fold_alter_row_security(struct altering *t, struct catalog_relation *r,
                             const PgQuery__AlterTableCmd *cmd)
{
    (void)t;
    switch (cmd->subtype) {
    case PG_QUERY__ALTER_TABLE_TYPE__AT_EnableRowSecurity:
        r->has_row_security = true;
        break;
    case PG_QUERY__ALTER_TABLE_TYPE__AT_DisableRowSecurity:
        r->has_row_security = false;
        break;
    default:
        r->is_row_security_forced = cmd->subtype == PG_QUERY__ALTER_TABLE_TYPE__AT_ForceRowSecurity;
        break;
    }
}
