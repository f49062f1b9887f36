/*
 * Statements that refuse a transaction block, in one form at least: those that call
 * PreventInTransactionBlock() in the server (xact.c; the caller is named at each function). Each gets
 * the question that tells, after a crash, whether it was done.
 */
#include "planner/postgres/judge.h"

#define VERSION_12 120000

static void alone_and_repeatable(struct judging *j)
{
    judge_alone(j, PROBE_RERUN, NULL, NULL);
}

/* utility.c: ProcessUtilitySlow, T_IndexStmt. */
void look_index(struct judging *j, const PgQuery__Node *node)
{
    const PgQuery__IndexStmt *i = node->index_stmt;
    if (!i->concurrent || !i->relation)
        return;
    if (i->idxname[0])
        judge_alone(j, PROBE_INDEX_VALID, i->relation->schemaname, i->idxname);
    else
        judge_alone(j, PROBE_INDEX_ON_TABLE, i->relation->schemaname, i->relation->relname);
}

/* Texts of a qualified name: the last is the name, the one before it the schema. */
static void split_name(const PgQuery__Node *object, const char **out_schema, const char **out_name)
{
    *out_schema = *out_name = NULL;
    if (object->node_case != PG_QUERY__NODE__NODE_LIST)
        return;
    const PgQuery__List *list = object->list;
    for (size_t i = 0; i < list->n_items; i++) {
        if (list->items[i]->node_case != PG_QUERY__NODE__NODE_STRING)
            continue;
        *out_schema = *out_name;
        *out_name = list->items[i]->string->sval;
    }
}

/* utility.c: ExecDropStmt. */
void look_drop(struct judging *j, const PgQuery__Node *node)
{
    const PgQuery__DropStmt *d = node->drop_stmt;
    j->s->kind = judge_drop_kind(d->remove_type);
    bool is_column = d->remove_type == PG_QUERY__OBJECT_TYPE__OBJECT_TABLE;
    judge_destroys(j, is_column                                               ? "drops a table"
                      : d->remove_type == PG_QUERY__OBJECT_TYPE__OBJECT_INDEX ? "drops an index"
                                                                              : "drops an object");
    if (!d->concurrent || d->n_objects == 0)
        return;
    const char *schema;
    const char *name;
    split_name(d->objects[0], &schema, &name);
    judge_alone(j, PROBE_INDEX_ABSENT, schema, name);
}

/* indexcmds.c: ExecReindex. Of a partitioned table or index it refuses too, which the text does not
   tell. */
void look_reindex(struct judging *j, const PgQuery__Node *node)
{
    const PgQuery__ReindexStmt *r = node->reindex_stmt;
    bool is_concurrent = judge_option_is_on(j->a, r->params, r->n_params, "concurrently");
    bool is_wide = r->kind == PG_QUERY__REINDEX_OBJECT_TYPE__REINDEX_OBJECT_SCHEMA ||
                   r->kind == PG_QUERY__REINDEX_OBJECT_TYPE__REINDEX_OBJECT_SYSTEM ||
                   r->kind == PG_QUERY__REINDEX_OBJECT_TYPE__REINDEX_OBJECT_DATABASE;
    if (!is_concurrent && !is_wide)
        return;
    judge_alone(j, PROBE_RERUN, r->relation ? r->relation->schemaname : NULL,
                r->relation ? r->relation->relname : r->name);
    struct probe *probe = arena_new(j->a, struct probe);
    *probe = *j->s->probe;
    probe->is_reindex = is_concurrent;
    j->s->probe = probe;
}

/* cluster.c: cluster(). Of a partitioned table it refuses too (15 and later). */
void look_cluster(struct judging *j, const PgQuery__Node *node)
{
    if (!node->cluster_stmt->relation)
        alone_and_repeatable(j);
}

/* vacuum.c: vacuum(). ANALYZE comes as the same node. */
void look_vacuum(struct judging *j, const PgQuery__Node *node)
{
    if (node->vacuum_stmt->is_vacuumcmd)
        alone_and_repeatable(j);
    else
        j->s->kind = "ANALYZE";
}

/* pl_exec.c: exec_stmt_commit(), exec_stmt_rollback(): within a transaction block they are refused. What a
   CALL ends, the text does not tell. */
void look_do(struct judging *j, const PgQuery__Node *node)
{
    const char *message;
    struct str body =
        judge_option_text(j->a, judge_option(node->do_stmt->args, node->do_stmt->n_args, "as"));
    const PgQuery__DefElem *language =
        judge_option(node->do_stmt->args, node->do_stmt->n_args, "language");
    if (language && !str_equal_nocase(judge_option_text(j->a, language), STR("plpgsql")))
        return;
    struct str answer = parse_plpgsql_block(j->a, body, &message);
    /* Within a text of the JSON, these quotes would be escaped. */
    if (str_find(answer, STR("\"PLpgSQL_stmt_commit\":")) != SIZE_MAX ||
        str_find(answer, STR("\"PLpgSQL_stmt_rollback\":")) != SIZE_MAX)
        judge_alone(j, PROBE_NONE, NULL, NULL);
}

/* utility.c: standard_ProcessUtility, T_CreatedbStmt. */
void look_create_database(struct judging *j, const PgQuery__Node *node)
{
    judge_alone(j, PROBE_DATABASE_EXISTS, NULL, node->createdb_stmt->dbname);
}

/* utility.c: standard_ProcessUtility, T_DropdbStmt. */
void look_drop_database(struct judging *j, const PgQuery__Node *node)
{
    judge_alone(j, PROBE_DATABASE_ABSENT, NULL, node->dropdb_stmt->dbname);
}

/* dbcommands.c: AlterDatabase, only with SET TABLESPACE. */
void look_alter_database(struct judging *j, const PgQuery__Node *node)
{
    const PgQuery__AlterDatabaseStmt *d = node->alter_database_stmt;
    if (judge_option(d->options, d->n_options, "tablespace"))
        alone_and_repeatable(j);
}

/* utility.c: standard_ProcessUtility, T_CreateTableSpaceStmt. */
void look_create_tablespace(struct judging *j, const PgQuery__Node *node)
{
    judge_alone(j, PROBE_TABLESPACE_EXISTS, NULL, node->create_table_space_stmt->tablespacename);
}

/* utility.c: standard_ProcessUtility, T_DropTableSpaceStmt. */
void look_drop_tablespace(struct judging *j, const PgQuery__Node *node)
{
    judge_alone(j, PROBE_TABLESPACE_ABSENT, NULL, node->drop_table_space_stmt->tablespacename);
}

/* utility.c: standard_ProcessUtility, T_AlterSystemStmt. */
void look_alter_system(struct judging *j, const PgQuery__Node *node)
{
    alone_and_repeatable(j);
    const PgQuery__VariableSetStmt *set = node->alter_system_stmt->setstmt;
    j->s->has_secret |= set && strcmp(set->name, "primary_conninfo") == 0;
}

/* subscriptioncmds.c: CreateSubscription refuses when it makes a slot; connect = false makes none. */
void look_create_subscription(struct judging *j, const PgQuery__Node *node)
{
    const PgQuery__CreateSubscriptionStmt *c = node->create_subscription_stmt;
    j->s->has_secret = true;
    bool makes_slot = true;
    if (judge_option(c->options, c->n_options, "connect"))
        makes_slot = judge_option_is_on(j->a, c->options, c->n_options, "connect");
    if (judge_option(c->options, c->n_options, "create_slot"))
        makes_slot &= judge_option_is_on(j->a, c->options, c->n_options, "create_slot");
    if (makes_slot)
        judge_alone(j, PROBE_SUBSCRIPTION_EXISTS, NULL, c->subname);
}

/* subscriptioncmds.c: AlterSubscription: REFRESH always, the PUBLICATION forms unless refresh = false.
   On a disabled subscription the server reports that first. */
void look_alter_subscription(struct judging *j, const PgQuery__Node *node)
{
    const PgQuery__AlterSubscriptionStmt *s = node->alter_subscription_stmt;
    bool refreshes = true;
    if (judge_option(s->options, s->n_options, "refresh"))
        refreshes = judge_option_is_on(j->a, s->options, s->n_options, "refresh");
    switch (s->kind) {
    case PG_QUERY__ALTER_SUBSCRIPTION_TYPE__ALTER_SUBSCRIPTION_REFRESH:
        alone_and_repeatable(j);
        break;
    case PG_QUERY__ALTER_SUBSCRIPTION_TYPE__ALTER_SUBSCRIPTION_SET_PUBLICATION:
    case PG_QUERY__ALTER_SUBSCRIPTION_TYPE__ALTER_SUBSCRIPTION_ADD_PUBLICATION:
    case PG_QUERY__ALTER_SUBSCRIPTION_TYPE__ALTER_SUBSCRIPTION_DROP_PUBLICATION:
        if (refreshes)
            alone_and_repeatable(j);
        break;
    case PG_QUERY__ALTER_SUBSCRIPTION_TYPE__ALTER_SUBSCRIPTION_CONNECTION:
        j->s->has_secret = true;
        break;
    default:
        break;
    }
}

/* subscriptioncmds.c: DropSubscription refuses when the subscription has a slot, which the text does
   not tell. */
void look_drop_subscription(struct judging *j, const PgQuery__Node *node)
{
    judge_alone(j, PROBE_SUBSCRIPTION_ABSENT, NULL, node->drop_subscription_stmt->subname);
}

/* typecmds.c: AlterEnum before 12 refused a transaction block; since then the value may be added but not
   used before the transaction ends (55P04). */
void look_alter_enum(struct judging *j, const PgQuery__Node *node)
{
    const PgQuery__AlterEnumStmt *e = node->alter_enum_stmt;
    if (e->old_val[0]) {
        judge_destroys(j, "renames a value");
        return;
    }
    const char *names[2] = {NULL, NULL};
    for (size_t i = 0; i < e->n_type_name; i++) {
        if (e->type_name[i]->node_case != PG_QUERY__NODE__NODE_STRING)
            continue;
        names[0] = names[1];
        names[1] = e->type_name[i]->string->sval;
    }
    j->s->new_enum_value = arena_cstr(j->a, str_of(e->new_val));
    if (j->server_version == 0 || j->server_version >= VERSION_12)
        return;
    judge_alone(j, PROBE_ENUM_VALUE, names[0], names[1]);
    struct probe *probe = arena_new(j->a, struct probe);
    *probe = *j->s->probe;
    probe->detail = j->s->new_enum_value;
    j->s->probe = probe;
}

/* discard.c: DiscardAll also lets go of all advisory locks, and the run lock is one. */
void look_discard(struct judging *j, const PgQuery__Node *node)
{
    if (node->discard_stmt->target != PG_QUERY__DISCARD_MODE__DISCARD_ALL)
        return;
    j->s->kind = "DISCARD ALL";
    judge_refuses(j, "It would release the lock that keeps other runs out; write DISCARD PLANS, "
                     "SEQUENCES or TEMP, or RESET ALL.");
}
