/* What INSERT, UPDATE and DELETE become before they are planned: rules, and views that can be written to
   (rewriteHandler.c: RewriteQuery(), rewriteTargetView()). */
#include "planner/postgres/effects_query.h"

static unsigned event_of(const ProtobufCMessage *statement)
{
    if (statement->descriptor == &pg_query__insert_stmt__descriptor)
        return TRIGGER_INSERT;
    if (statement->descriptor == &pg_query__update_stmt__descriptor)
        return TRIGGER_UPDATE;
    if (statement->descriptor == &pg_query__delete_stmt__descriptor)
        return TRIGGER_DELETE;
    return 0; /* MERGE: rules are refused, triggers are looked at one by one */
}

static unsigned event_of_rule(const PgQuery__RuleStmt *rule)
{
    switch ((int)rule->event) {
    case PG_QUERY__CMD_TYPE__CMD_INSERT:
        return TRIGGER_INSERT;
    case PG_QUERY__CMD_TYPE__CMD_UPDATE:
        return TRIGGER_UPDATE;
    case PG_QUERY__CMD_TYPE__CMD_DELETE:
        return TRIGGER_DELETE;
    default:
        return 0;
    }
}

/* Whether the statement itself is left out.
   NOLINTNEXTLINE(misc-no-recursion): rules that set off rules, at most DEED_DEPTH_MAX */
static bool run_rules(struct deed *d, struct catalog_relation *r, unsigned event,
                      const struct query_source *target)
{
    struct partition_filter filter = query_filter(d, target);
    bool is_instead = false;
    for (size_t i = 0; i < r->rules.count; i++) {
        const struct catalog_rule *rule = r->rules.at[i];
        if (rule->is_dropped || rule->is_policy)
            continue;
        const PgQuery__Node *node = query_statement_tree(d, &rule->definition);
        if (!node || node->node_case != PG_QUERY__NODE__NODE_RULE_STMT ||
            event_of_rule(node->rule_stmt) != event)
            continue;
        for (size_t j = 0; j < node->rule_stmt->n_actions; j++)
            effects_within(d, node->rule_stmt->actions[j], false);
        /* Its action is run for the rows that the statement would have found. */
        if (node->rule_stmt->n_actions && event != TRIGGER_INSERT && r->kind != RELATION_VIEW)
            query_lock_table(d, r, LOCK_ROW_EXCLUSIVE, target->is_only, &filter, true);
        is_instead |= node->rule_stmt->instead && !node->rule_stmt->where_clause;
    }
    return is_instead;
}

static bool has_instead_trigger(const struct catalog_relation *r, unsigned event)
{
    for (size_t i = 0; i < r->triggers.count; i++) {
        const struct catalog_trigger *t = r->triggers.at[i];
        if (!t->is_dropped && t->enabled != 'D' && t->is_row &&
            (!t->type || ((t->type & TRIGGER_INSTEAD) && (t->type & event))))
            return true;
    }
    return false;
}

/* NOLINTNEXTLINE(misc-no-recursion): as deep as views stand on views, at most DEED_DEPTH_MAX */
static void run_on_view(struct deed *d, struct catalog_relation *view,
                        const struct query_source *target, enum query_stage stage)
{
    unsigned event = event_of(target->statement);
    deed_lock(d, view, LOCK_ROW_EXCLUSIVE, true);
    if (has_instead_trigger(view, event)) {
        struct dml m = {.event = event, .is_every_column_set = true};
        if (event != TRIGGER_INSERT)
            query_view_locks(d, view, LOCK_ACCESS_SHARE, stage, NULL);
        dml_triggers(d, view, &m, false);
        dml_triggers(d, view, &m, true);
        return;
    }
    struct catalog_relation *below = query_view_target(d, view);
    if (!below) {
        query_view_locks(d, view, LOCK_ACCESS_SHARE, stage, NULL);
        return;
    }
    if (event != TRIGGER_INSERT)
        query_view_locks(d, view, LOCK_ACCESS_SHARE, QUERY_REWRITTEN, NULL);
    struct query_source source = *target;
    source.relation = below;
    d->depth++;
    if (d->depth < DEED_DEPTH_MAX)
        dml_run(d, &source, stage);
    d->depth--;
}

/* NOLINTNEXTLINE(misc-no-recursion): rules that set off rules, at most DEED_DEPTH_MAX */
void dml_rewrite(struct deed *d, const struct query_source *target)
{
    const struct catalog_relation *r = target->relation;
    unsigned event = target->statement ? event_of(target->statement) : 0;
    if (d->depth == DEED_DEPTH_MAX || !deed_enters(d))
        return;
    d->depth++;
    for (size_t i = 0; event && i < r->rules.count; i++) {
        const struct catalog_rule *rule = r->rules.at[i];
        if (rule->is_dropped || rule->is_policy)
            continue;
        const PgQuery__Node *node = query_statement_tree(d, &rule->definition);
        if (!node || node->node_case != PG_QUERY__NODE__NODE_RULE_STMT ||
            event_of_rule(node->rule_stmt) != event)
            continue;
        for (size_t j = 0; j < node->rule_stmt->n_actions; j++) {
            struct query_uses uses;
            query_uses_read(d, node->rule_stmt->actions[j], &uses);
            query_uses_lock(d, &uses, QUERY_REWRITTEN);
        }
    }
    d->depth--;
}

/* NOLINTNEXTLINE(misc-no-recursion): as above */
void dml_run(struct deed *d, const struct query_source *target, enum query_stage stage)
{
    struct catalog_relation *r = target->relation;
    unsigned event = event_of(target->statement);
    deed_lock(d, r, LOCK_ROW_EXCLUSIVE, true);
    if (event && run_rules(d, r, event, target))
        return;
    if (r->kind == RELATION_VIEW)
        run_on_view(d, r, target, stage);
    else
        dml_run_on_table(d, r, target, stage);
}
