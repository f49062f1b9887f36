/* ALTER TABLE … on the relation as a whole: options, storage, owner, switches. */
#include "planner/postgres/alter_table.h"

/* ---- options ---- */

/* Parameters that readers and planners look at without a lock of their own (reloptions.c: the
   lockmode of each entry). All others can change beside everything but DDL and VACUUM. */
static const char *const strong_options[] = {
    "user_catalog_table", "fastupdate",    "security_barrier",
    "security_invoker",   "check_option",  "buffering",
    "pages_per_range",    "autosummarize", "gin_pending_list_limit",
};
static const char *const weak_options[] = {
    "fillfactor",
    "autovacuum_enabled",
    "autovacuum_vacuum_threshold",
    "autovacuum_vacuum_max_threshold",
    "autovacuum_vacuum_insert_threshold",
    "autovacuum_analyze_threshold",
    "autovacuum_vacuum_cost_limit",
    "autovacuum_vacuum_cost_delay",
    "autovacuum_vacuum_scale_factor",
    "autovacuum_vacuum_insert_scale_factor",
    "autovacuum_analyze_scale_factor",
    "autovacuum_freeze_min_age",
    "autovacuum_freeze_max_age",
    "autovacuum_freeze_table_age",
    "autovacuum_multixact_freeze_min_age",
    "autovacuum_multixact_freeze_max_age",
    "autovacuum_multixact_freeze_table_age",
    "log_autovacuum_min_duration",
    "toast_tuple_target",
    "parallel_workers",
    "vacuum_index_cleanup",
    "vacuum_truncate",
    "vacuum_max_eager_freeze_failure_rate",
    "deduplicate_items",
};

static bool is_in(const char *const *names, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(names[i], name) == 0)
            return true;
    }
    return false;
}

enum lock_mode alter_options_mode(PgQuery__Node *const *options, size_t count)
{
    enum lock_mode mode = LOCK_SHARE_UPDATE_EXCLUSIVE;
    for (size_t i = 0; i < count; i++) {
        if (options[i] && options[i]->node_case == PG_QUERY__NODE__NODE_DEF_ELEM &&
            is_in(strong_options, ARRAY_LEN(strong_options), options[i]->def_elem->defname))
            mode = LOCK_ACCESS_EXCLUSIVE;
    }
    return mode;
}

void see_options(struct altering *t, struct catalog_relation *r, const PgQuery__AlterTableCmd *cmd)
{
    (void)r;
    if (!cmd->def || cmd->def->node_case != PG_QUERY__NODE__NODE_LIST)
        return;
    for (size_t i = 0; i < cmd->def->list->n_items; i++) {
        const PgQuery__Node *n = cmd->def->list->items[i];
        if (!n || n->node_case != PG_QUERY__NODE__NODE_DEF_ELEM)
            continue;
        const char *name = n->def_elem->defname;
        /* Indexes of extensions have parameters of their own. */
        bool is_table = relation_has_storage(t->r) || t->r->kind == RELATION_VIEW;
        bool is_known = is_in(strong_options, ARRAY_LEN(strong_options), name) ||
                        is_in(weak_options, ARRAY_LEN(weak_options), name);
        if (is_table && !is_known && !n->def_elem->defnamespace[0])
            deed_fails(t->d, "unrecognized parameter \"%s\"", name);
        if (strcmp(name, "security_invoker") == 0 && t->d->major < 15)
            deed_fails(t->d, "PostgreSQL %u does not know security_invoker", t->d->major);
    }
}

/* ---- storage ---- */

void see_persistence(struct altering *t, struct catalog_relation *r,
                     const PgQuery__AlterTableCmd *cmd)
{
    bool is_logged = cmd->subtype == PG_QUERY__ALTER_TABLE_TYPE__AT_SetLogged;
    enum persistence wanted = is_logged ? PERSISTENCE_PERMANENT : PERSISTENCE_UNLOGGED;
    if (r->kind == RELATION_SEQUENCE && t->d->major < 15)
        deed_fails(t->d, "\"%.*s\" is not a table", STR_ARG(r->name));
    if (is_partitioned(r) && t->d->major >= 18)
        deed_fails(t->d, "a partitioned table has no storage to log");
    if (r->persistence == PERSISTENCE_TEMPORARY)
        deed_fails(t->d, "the logging of a temporary table cannot be changed");
    if (r->persistence == wanted && !t->is_stand_in)
        return;
    for (size_t i = 0; i < r->constraints.count && is_logged; i++) {
        const struct catalog_constraint *k = r->constraints.at[i];
        if (!k->is_dropped && k->kind == CONSTRAINT_FOREIGN_KEY && k->referenced &&
            k->referenced != r && k->referenced->persistence == PERSISTENCE_UNLOGGED)
            deed_fails(t->d, "a logged table cannot refer to an unlogged one");
    }
    for (size_t i = 0; i < r->referencing.count && !is_logged; i++) {
        const struct catalog_constraint *k = r->referencing.at[i];
        if (!k->is_dropped && k->relation != r && !k->relation->is_dropped &&
            k->relation->persistence == PERSISTENCE_PERMANENT)
            deed_fails(t->d, "logged table \"%.*s\" refers to it", STR_ARG(k->relation->name));
    }
    alter_rewrites(t, r,
                   is_logged ? "all of it goes to the write-ahead log"
                             : "an unlogged table has storage of its own kind");
    if (t->d->major < 15)
        return;
    for (size_t i = 0; i < r->columns.count; i++) {
        const struct catalog_column *column = r->columns.at[i];
        if (!column->is_dropped && relation_is_there(column->sequence) &&
            column->sequence->sequence->owner_table == r)
            deed_lock(t->d, column->sequence, LOCK_ACCESS_EXCLUSIVE, false);
    }
}

void see_access_method(struct altering *t, struct catalog_relation *r,
                       const PgQuery__AlterTableCmd *cmd)
{
    struct str wanted = str_of(cmd->name);
    struct str has = r->access_method.len ? r->access_method : STR("heap");
    if (is_partitioned(r)) {
        if (t->d->major < 17)
            deed_fails(t->d, "a partitioned table has no access method before PostgreSQL 17");
        return;
    }
    if (!wanted.len) {
        wanted = catalog_setting(t->d->catalog, "default_table_access_method");
        wanted = wanted.len ? wanted : STR("heap");
    }
    if (!str_equal(wanted, has))
        alter_rewrites(t, r, "another access method stores rows in its own way");
}

void see_tablespace(struct altering *t, struct catalog_relation *r,
                    const PgQuery__AlterTableCmd *cmd)
{
    struct str wanted = str_of(cmd->name);
    if (str_equal(wanted, STR("pg_default")))
        wanted = (struct str){0};
    struct str has = str_equal(r->tablespace, STR("pg_default")) ? (struct str){0} : r->tablespace;
    if (relation_has_storage(r) && !str_equal(wanted, has))
        alter_table_of(t, r)->copy = "its files are copied to another tablespace";
}

/* ---- owner ---- */

void see_owner(struct altering *t, struct catalog_relation *r, const PgQuery__AlterTableCmd *cmd)
{
    struct str wanted = str_of(cmd->newowner ? cmd->newowner->rolename : NULL);
    if (r->owner.len && str_equal(r->owner, wanted))
        return;
    if (r->kind == RELATION_SEQUENCE && r->sequence->owner_table &&
        !r->sequence->owner_table->is_dropped)
        deed_fails(t->d, "sequence \"%.*s\" belongs to table \"%.*s\": the table's owner changes",
                   STR_ARG(r->name), STR_ARG(r->sequence->owner_table->name));
    for (size_t i = 0; i < r->indexes.count; i++) {
        if (!r->indexes.at[i]->is_dropped)
            deed_lock(t->d, r->indexes.at[i], LOCK_ACCESS_EXCLUSIVE, false);
    }
    size_t next = 0;
    const struct catalog_relation *s;
    while ((s = catalog_next_owned(r, &next)))
        deed_lock(t->d, s, LOCK_ACCESS_EXCLUSIVE, false);
}

/* ---- marks on indexes ---- */

static struct catalog_relation *index_of(struct altering *t, struct catalog_relation *r,
                                         const char *name)
{
    for (size_t i = 0; i < r->indexes.count; i++) {
        struct catalog_relation *index = r->indexes.at[i];
        if (!index->is_dropped && str_equal(index->name, str_of(name)))
            return index;
    }
    if (t->d->catalog->is_complete)
        deed_fails(t->d, "index \"%s\" for table \"%.*s\" does not exist", name, STR_ARG(r->name));
    return NULL;
}

void see_cluster(struct altering *t, struct catalog_relation *r, const PgQuery__AlterTableCmd *cmd)
{
    if (is_partitioned(r))
        deed_fails(t->d, "a partitioned table has no index to cluster on");
    deed_lock(t->d, index_of(t, r, cmd->name), t->mode, true);
}

void see_replica_identity(struct altering *t, struct catalog_relation *r,
                          const PgQuery__AlterTableCmd *cmd)
{
    if (!cmd->def || cmd->def->node_case != PG_QUERY__NODE__NODE_REPLICA_IDENTITY_STMT)
        return;
    const PgQuery__ReplicaIdentityStmt *identity = cmd->def->replica_identity_stmt;
    if (identity->identity_type[0] != 'i')
        return;
    const struct catalog_relation *index = index_of(t, r, identity->name);
    deed_lock(t->d, index, LOCK_SHARE, true);
    if (!index)
        return;
    if (!index->index->is_unique || !index->index->is_valid ||
        catalog_has_expression(&index->index->predicate) ||
        (index->index->constraint && index->index->constraint->is_deferrable))
        deed_fails(t->d, "index \"%s\" cannot be the replica identity", identity->name);
    for (size_t i = 0; i < index->index->keys.count; i++) {
        const struct index_key *key = &index->index->keys.at[i];
        if (!key->is_included && (!key->column || !key->column->is_not_null))
            deed_fails(t->d, "index \"%s\" cannot be the replica identity: a column may be null",
                       identity->name);
    }
}

/* ---- triggers and rules ---- */

/* Triggers of foreign keys are row triggers of the system; ALL means them too. */
static bool has_foreign_keys(const struct catalog_relation *r)
{
    for (size_t i = 0; i < r->constraints.count; i++) {
        if (!r->constraints.at[i]->is_dropped &&
            r->constraints.at[i]->kind == CONSTRAINT_FOREIGN_KEY)
            return true;
    }
    for (size_t i = 0; i < r->referencing.count; i++) {
        if (!r->referencing.at[i]->is_dropped)
            return true;
    }
    return false;
}

static bool is_meant(const PgQuery__AlterTableCmd *cmd, const struct catalog_trigger *trigger)
{
    return !trigger->is_dropped && (!cmd->name[0] || str_equal(trigger->name, str_of(cmd->name)));
}

/* Row triggers of a partitioned table take those of its partitions along, whether anything changes
   or not; those of foreign keys are on partitioned tables from 15 on. */
static bool is_followed(struct altering *t, const struct catalog_relation *r,
                        const PgQuery__AlterTableCmd *cmd)
{
    bool is_all = cmd->subtype == PG_QUERY__ALTER_TABLE_TYPE__AT_EnableTrigAll ||
                  cmd->subtype == PG_QUERY__ALTER_TABLE_TYPE__AT_DisableTrigAll;
    if (is_all && t->d->major >= 15 && has_foreign_keys(r))
        return true;
    for (size_t i = 0; i < r->triggers.count; i++) {
        if (is_meant(cmd, r->triggers.at[i]) && r->triggers.at[i]->is_row)
            return true;
    }
    return false;
}

void see_trigger(struct altering *t, struct catalog_relation *r, const PgQuery__AlterTableCmd *cmd)
{
    if (cmd->name[0] && !catalog_find_trigger(r, str_of(cmd->name)) && t->d->catalog->is_complete)
        deed_fails(t->d, "trigger \"%s\" for table \"%.*s\" does not exist", cmd->name,
                   STR_ARG(r->name));
    if (is_partitioned(r) && !t->is_only && is_followed(t, r, cmd))
        alter_lock_children(t, r);
}

void see_rule(struct altering *t, struct catalog_relation *r, const PgQuery__AlterTableCmd *cmd)
{
    if (!catalog_find_rule(r, str_of(cmd->name), false) && t->d->catalog->is_complete &&
        strcmp(cmd->name, "_RETURN") != 0)
        deed_fails(t->d, "rule \"%s\" for relation \"%.*s\" does not exist", cmd->name,
                   STR_ARG(r->name));
}
