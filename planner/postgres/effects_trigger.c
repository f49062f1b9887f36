/* What triggers, rules and policies do to their tables. */
#include "planner/postgres/query_uses.h"
#include "planner/postgres/types.h"

static struct catalog_relation *locked(struct deed *d, const PgQuery__RangeVar *name,
                                       enum lock_mode mode)
{
    struct catalog_relation *r = deed_relation(d, name, false);
    if (r)
        deed_lock(d, r, mode, true);
    else
        deed_lock_name(d, name, mode);
    return r;
}

/* ---- triggers ---- */

/* trigger.c, CreateTriggerFiringOn(): SHARE ROW EXCLUSIVE; a row trigger of a partitioned table is cloned
   to all partitions, under the same lock. The table behind FROM is only held back from going. */
void predict_trigger(struct deed *d, const PgQuery__Node *node)
{
    enum { REPLACE_SINCE = 14 };
    const PgQuery__CreateTrigStmt *create = node->create_trig_stmt;
    struct catalog_relation *r = locked(d, create->relation, LOCK_SHARE_ROW_EXCLUSIVE);
    if (create->constrrel) {
        struct catalog_relation *from = deed_relation(d, create->constrrel, false);
        deed_lock(d, from, LOCK_ACCESS_SHARE, true);
    }
    if (r && r->kind == RELATION_PARTITIONED_TABLE && create->row)
        deed_lock_tree(d, r, LOCK_SHARE_ROW_EXCLUSIVE, true);
    if (create->replace && d->major < REPLACE_SINCE)
        deed_fails(d, "CREATE OR REPLACE TRIGGER is known from PostgreSQL %d on", REPLACE_SINCE);
    if (!r)
        return;
    if (!create->replace && catalog_find_trigger(r, str_of(create->trigname)))
        deed_fails(d, "trigger %s of %.*s is there already", create->trigname,
                   STR_ARG(catalog_relation_text(d->a, r)));
    bool is_view = r->kind == RELATION_VIEW;
    if (create->row && is_view != ((create->timing & TRIGGER_INSTEAD) != 0))
        deed_fails(d, is_view ? "row triggers of a view are INSTEAD OF"
                              : "INSTEAD OF triggers are for views");
}

/* ---- into the catalog ---- */

struct mention {
    struct deed *deed;
    struct catalog_relation *table;
    struct catalog_trigger *trigger;
};

static void add_column(struct mention *m, struct str name)
{
    struct catalog_column *column = catalog_find_column(m->table, name);
    if (!column)
        return;
    for (size_t i = 0; i < m->trigger->columns.count; i++) {
        if (m->trigger->columns.at[i] == column)
            return;
    }
    vec_push(m->deed->catalog->arena, &m->trigger->columns, column);
}

/* NEW.x and OLD.x in WHEN. */
static bool visit_reference(void *context, const ProtobufCMessage *message)
{
    struct mention *m = context;
    if (message->descriptor != &pg_query__column_ref__descriptor)
        return false;
    const PgQuery__ColumnRef *ref = (const PgQuery__ColumnRef *)message;
    if (ref->n_fields == 2 && ref->fields[1]->node_case == PG_QUERY__NODE__NODE_STRING)
        add_column(m, str_of(ref->fields[1]->string->sval));
    return false;
}

static struct catalog_function *trigger_function(struct deed *d,
                                                 const PgQuery__CreateTrigStmt *create)
{
    struct str schema;
    struct str name;
    deed_split_name(create->funcname, create->n_funcname, &schema, &name);
    struct catalog_function *f = NULL;
    while ((f = catalog_find_function(d->catalog, schema, name, f)) != NULL) {
        if (!f->arguments.count)
            return f;
    }
    return NULL;
}

static struct catalog_trigger *fold_on(struct deed *d, struct catalog_relation *r,
                                       const PgQuery__CreateTrigStmt *create)
{
    struct arena *a = d->catalog->arena;
    struct catalog_trigger *t = catalog_find_trigger(r, str_of(create->trigname));
    if (!t) {
        t = arena_new(a, struct catalog_trigger);
        catalog_add_trigger(d->catalog, r, t);
    }
    *t = (struct catalog_trigger){
        .name = arena_str(a, str_of(create->trigname)),
        .function = trigger_function(d, create),
        .is_constraint = create->isconstraint,
        .is_row = create->row,
        .type = (unsigned)(create->timing | create->events) | (create->row ? TRIGGER_ROW : 0U),
        .enabled = 'O',
    };
    if (create->constrrel)
        t->from = deed_relation(d, create->constrrel, true);
    struct mention mention = {.deed = d, .table = r, .trigger = t};
    for (size_t i = 0; i < create->n_columns; i++) {
        if (create->columns[i]->node_case == PG_QUERY__NODE__NODE_STRING)
            add_column(&mention, str_of(create->columns[i]->string->sval));
    }
    t->update_count = t->columns.count;
    if (create->when_clause)
        parse_tree_visit(&create->when_clause->base, visit_reference, &mention);
    return t;
}

/* NOLINTNEXTLINE(misc-no-recursion): as deep as the partitioning */
static void fold_tree(struct deed *d, struct catalog_relation *r, struct catalog_trigger *parent,
                      const PgQuery__CreateTrigStmt *create)
{
    struct catalog_trigger *t = fold_on(d, r, create);
    t->parent = parent;
    if (r->kind != RELATION_PARTITIONED_TABLE || !create->row)
        return;
    for (size_t i = 0; i < r->children.count; i++) {
        if (!r->children.at[i]->is_dropped)
            fold_tree(d, r->children.at[i], t, create);
    }
}

void fold_trigger(struct deed *d, const PgQuery__Node *node)
{
    struct catalog_relation *r = deed_relation(d, node->create_trig_stmt->relation, true);
    if (r)
        fold_tree(d, r, NULL, node->create_trig_stmt);
}

/* ---- rules ---- */

/* Statements within a definition are parsed and analysed: what they name is locked as they would. */
static void lock_query(struct deed *d, const PgQuery__Node *query)
{
    if (!query)
        return;
    struct query_uses uses;
    query_uses_read(d, query, &uses);
    query_uses_lock(d, &uses, QUERY_PARSED);
}

static void lock_expression(struct deed *d, const PgQuery__Node *tree, struct catalog_relation *r)
{
    if (!tree)
        return;
    struct query_uses uses = {0};
    query_uses_expression(d, tree, r, &uses);
    query_uses_lock(d, &uses, QUERY_PARSED);
}

void predict_rule(struct deed *d, const PgQuery__Node *node)
{
    const PgQuery__RuleStmt *rule = node->rule_stmt;
    struct catalog_relation *r = locked(d, rule->relation, LOCK_ACCESS_EXCLUSIVE);
    for (size_t i = 0; i < rule->n_actions; i++)
        lock_query(d, rule->actions[i]);
    lock_expression(d, rule->where_clause, r);
    if (r && !rule->replace && catalog_find_rule(r, str_of(rule->rulename), false))
        deed_fails(d, "rule %s of %.*s is there already", rule->rulename,
                   STR_ARG(catalog_relation_text(d->a, r)));
}

static void note_uses(struct deed *d, struct catalog_rule *rule, const struct catalog_relation *own,
                      const struct query_uses *uses)
{
    for (size_t i = 0; i < uses->sources.count; i++) {
        struct catalog_relation *used = uses->sources.at[i].relation;
        bool is_there = !used || used == own;
        for (size_t j = 0; j < rule->uses.count && !is_there; j++)
            is_there = rule->uses.at[j] == used;
        if (!is_there)
            vec_push(d->catalog->arena, &rule->uses, used);
    }
}

static struct catalog_rule *rule_of(struct deed *d, struct catalog_relation *r, const char *name,
                                    bool is_policy)
{
    struct catalog_rule *rule = catalog_find_rule(r, str_of(name), is_policy);
    if (rule)
        return rule;
    rule = arena_new(d->catalog->arena, struct catalog_rule);
    rule->name = arena_str(d->catalog->arena, str_of(name));
    rule->is_policy = is_policy;
    catalog_add_rule(d->catalog, r, rule);
    return rule;
}

void fold_rule(struct deed *d, const PgQuery__Node *node)
{
    const PgQuery__RuleStmt *create = node->rule_stmt;
    struct catalog_relation *r = deed_relation(d, create->relation, true);
    if (!r)
        return;
    struct catalog_rule *rule = rule_of(d, r, create->rulename, false);
    rule->definition = deed_keep_expression(d, node);
    rule->uses.count = 0;
    struct query_uses uses = {0};
    query_uses_expression(d, create->where_clause, r, &uses);
    note_uses(d, rule, r, &uses);
    for (size_t i = 0; i < create->n_actions; i++) {
        query_uses_read(d, create->actions[i], &uses);
        note_uses(d, rule, r, &uses);
    }
}

/* ---- policies ---- */

void predict_policy(struct deed *d, const PgQuery__Node *node)
{
    const PgQuery__CreatePolicyStmt *create = node->create_policy_stmt;
    struct catalog_relation *r = locked(d, create->table, LOCK_ACCESS_EXCLUSIVE);
    lock_expression(d, create->qual, r);
    lock_expression(d, create->with_check, r);
    if (r && catalog_find_rule(r, str_of(create->policy_name), true))
        deed_fails(d, "policy %s of %.*s is there already", create->policy_name,
                   STR_ARG(catalog_relation_text(d->a, r)));
}

void predict_alter_policy(struct deed *d, const PgQuery__Node *node)
{
    const PgQuery__AlterPolicyStmt *alter = node->alter_policy_stmt;
    struct catalog_relation *r = locked(d, alter->table, LOCK_ACCESS_EXCLUSIVE);
    lock_expression(d, alter->qual, r);
    lock_expression(d, alter->with_check, r);
    if (r && d->catalog->is_complete && !catalog_find_rule(r, str_of(alter->policy_name), true))
        deed_fails(d, "%.*s has no policy %s", STR_ARG(catalog_relation_text(d->a, r)),
                   alter->policy_name);
}

static void fold_policy_parts(struct deed *d, struct catalog_relation *r, struct catalog_rule *rule,
                              const PgQuery__Node *qual, const PgQuery__Node *check)
{
    if (qual)
        rule->using_expression = deed_keep_expression(d, qual);
    if (check)
        rule->check = deed_keep_expression(d, check);
    rule->uses.count = 0;
    struct query_uses uses = {0};
    query_uses_expression(d, rule->using_expression.tree, r, &uses);
    query_uses_expression(d, rule->check.tree, r, &uses);
    note_uses(d, rule, r, &uses);
}

void fold_policy(struct deed *d, const PgQuery__Node *node)
{
    const PgQuery__CreatePolicyStmt *create = node->create_policy_stmt;
    struct catalog_relation *r = deed_relation(d, create->table, true);
    if (!r)
        return;
    struct catalog_rule *rule = rule_of(d, r, create->policy_name, true);
    rule->is_permissive = create->permissive;
    fold_policy_parts(d, r, rule, create->qual, create->with_check);
}

void fold_alter_policy(struct deed *d, const PgQuery__Node *node)
{
    const PgQuery__AlterPolicyStmt *alter = node->alter_policy_stmt;
    struct catalog_relation *r = deed_relation(d, alter->table, true);
    struct catalog_rule *rule = r ? catalog_find_rule(r, str_of(alter->policy_name), true) : NULL;
    if (rule)
        fold_policy_parts(d, r, rule, alter->qual, alter->with_check);
}

/* ---- event triggers: they belong to no relation ---- */

void predict_event_trigger(struct deed *d, const PgQuery__Node *node)
{
    (void)d;
    (void)node;
}

void fold_event_trigger(struct deed *d, const PgQuery__Node *node)
{
    if (node->node_case != PG_QUERY__NODE__NODE_CREATE_EVENT_TRIG_STMT)
        return;
    struct arena *a = d->catalog->arena;
    struct catalog_object *o = arena_new(a, struct catalog_object);
    o->kind = "EVENT TRIGGER";
    o->name = arena_str(a, str_of(node->create_event_trig_stmt->trigname));
    vec_push(a, &d->catalog->objects, o);
}
