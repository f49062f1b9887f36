/* Notes are few: only what touches relations that are older than the file, and what is made or dropped. */
#include "planner/postgres/file_state.h"

#include "planner/postgres/effects.h"
#include "planner/postgres/rules_support.h"

/* The room that the file before had, as far as emptying it costs no more than making it. */
static void take_room(struct file_state *state, const struct file_state *before)
{
    enum { INDEX_MAX = 1024 };
    state->all = before->all;
    state->touched = before->touched;
    state->all.count = state->touched.count = 0;
    if (!before->index.room || before->index.room > INDEX_MAX)
        return;
    state->index = before->index;
    memset(state->index.at, 0, state->index.room * sizeof(*state->index.at));
}

struct file_state *file_state_make(struct arena *a, const struct file_state *before)
{
    struct file_state *state = arena_new(a, struct file_state);
    state->a = a;
    if (before)
        take_room(state, before);
    state->orders = before ? before->orders : arena_new(a, struct lock_orders);
    state->orders->transaction++;
    return state;
}

static void note(struct file_state *state, const struct rule_subject *s, struct noted one)
{
    one.relation = arena_str(state->a, one.relation);
    one.name = arena_str(state->a, one.name);
    one.line = s->statement->line;
    one.statement = s->file->statements;
    one.is_in_transaction = s->file->is_in_transaction;
    file_state_add(state, one);
}

/* ---- ALTER TABLE ---- */

/* What it switches on again, of those that the open transaction has switched off. */
static void note_trigger_on(struct rule_subject *s, const struct rule_command *c)
{
    struct file_state *state = rule_state(s);
    struct str name = str_of(c->cmd->name);
    const struct noted *off = file_state_find(state, NOTED_TRIGGER_OFF, (struct str){0}, name);
    size_t found = off ? (size_t)(off - state->all.at) + 1 : 0;
    while (found) {
        struct noted one = state->all.at[found - 1]; /* the list grows */
        bool is_same = !name.len || str_equal(name, one.name);
        if (is_same && one.is_in_transaction && str_equal(one.relation, c->about.name)) {
            one.kind = NOTED_TRIGGER_ON;
            file_state_add(state, one);
        }
        found = one.same_kind;
    }
}

static void note_command(struct rule_subject *s, const struct rule_command *c)
{
    struct file_state *state = rule_state(s);
    struct noted one = {
        .relation = c->about.name, .object = c->table, .name = str_of(c->cmd->name)};
    const PgQuery__Node *def = c->cmd->def;
    switch (c->cmd->subtype) {
    case PG_QUERY__ALTER_TABLE_TYPE__AT_AddConstraint:
        if (!def || def->node_case != PG_QUERY__NODE__NODE_CONSTRAINT ||
            !def->constraint->skip_validation)
            return;
        one.kind = NOTED_NOT_VALID;
        one.name = str_of(def->constraint->conname);
        break;
    case PG_QUERY__ALTER_TABLE_TYPE__AT_ValidateConstraint:
        one.kind = NOTED_VALIDATED;
        break;
    case PG_QUERY__ALTER_TABLE_TYPE__AT_DetachPartition:
        one.kind = NOTED_DETACHED;
        if (def && def->node_case == PG_QUERY__NODE__NODE_PARTITION_CMD) {
            one.relation = rule_about(s, def->partition_cmd->name).name;
            one.object = rule_relation(s, def->partition_cmd->name);
        }
        break;
    case PG_QUERY__ALTER_TABLE_TYPE__AT_EnableRowSecurity:
        one.kind = NOTED_ROW_SECURITY;
        break;
    case PG_QUERY__ALTER_TABLE_TYPE__AT_DisableTrig:
    case PG_QUERY__ALTER_TABLE_TYPE__AT_DisableTrigUser:
        one.kind = NOTED_TRIGGER_OFF;
        break;
    case PG_QUERY__ALTER_TABLE_TYPE__AT_EnableTrig:
    case PG_QUERY__ALTER_TABLE_TYPE__AT_EnableTrigAll:
    case PG_QUERY__ALTER_TABLE_TYPE__AT_EnableTrigUser:
        note_trigger_on(s, c);
        return;
    default:
        return;
    }
    note(state, s, one);
}

static void note_alter(struct file_state *state, struct rule_subject *s)
{
    const PgQuery__Node *tree = s->tree;
    if (tree->node_case != PG_QUERY__NODE__NODE_ALTER_TABLE_STMT)
        return;
    struct catalog_relation *r = rule_relation(s, tree->alter_table_stmt->relation);
    struct noted one = {
        .kind = rule_is_new(s, r) ? NOTED_TOUCHED : NOTED_ALTER,
        .relation = rule_about(s, tree->alter_table_stmt->relation).name,
        .object = r,
    };
    note(state, s, one);
    rule_each_command(s, 0, note_command);
}

/* ---- what goes ---- */

static void note_drop(struct rule_subject *s, const struct rule_drop *d)
{
    struct file_state *state = rule_state(s);
    struct noted one = {
        .kind = NOTED_DROPPED,
        .relation = d->about.name,
        .object = d->relation,
        .name = d->about.name,
        .object_kind = d->relation && rule_is_new(s, d->relation) ? "NEW" : "OLD",
    };
    note(state, s, one);
    if (!d->relation || !d->relation->index || !d->relation->index->table)
        return;
    const struct catalog_relation *table = d->relation->index->table;
    note(state, s,
         (struct noted){.kind = NOTED_INDEX_GONE,
                        .relation = catalog_relation_text(s->a, table),
                        .object = d->relation});
}

static void note_drops(struct rule_subject *s)
{
    const PgQuery__Node *tree = s->tree;
    if (tree->node_case == PG_QUERY__NODE__NODE_DROP_STMT)
        rule_each_dropped(s, tree->drop_stmt->remove_type, note_drop);
}

/* ---- what is written ---- */

static bool is_write(const PgQuery__Node *tree)
{
    switch (tree->node_case) {
    case PG_QUERY__NODE__NODE_INSERT_STMT:
    case PG_QUERY__NODE__NODE_UPDATE_STMT:
    case PG_QUERY__NODE__NODE_DELETE_STMT:
    case PG_QUERY__NODE__NODE_MERGE_STMT:
    case PG_QUERY__NODE__NODE_COPY_STMT:
    case PG_QUERY__NODE__NODE_DO_STMT:
    case PG_QUERY__NODE__NODE_CALL_STMT:
    case PG_QUERY__NODE__NODE_SELECT_STMT:
        return true;
    default:
        return false;
    }
}

static void note_locks(struct file_state *state, const struct rule_subject *s)
{
    bool may_write = is_write(s->tree);
    for (size_t i = 0; i < s->effects->locks.count; i++) {
        const struct effect_lock *lock = &s->effects->locks.at[i];
        bool is_old = !rule_is_new(s, lock->object) && !rule_is_temporary(lock->object);
        struct noted one = {.relation = lock->relation, .object = lock->object};
        if (may_write && lock->mode == LOCK_ROW_EXCLUSIVE) {
            one.kind = NOTED_WRITTEN;
            note(state, s, one);
            state->are_triggers_checked = false;
            if (is_old && !state->dml_line)
                state->dml_line = s->statement->line;
        }
        if (is_old && lock->mode >= LOCK_SHARE && !state->strong_line)
            state->strong_line = s->statement->line;
        if (is_old && !may_write && lock->mode >= LOCK_SHARE_UPDATE_EXCLUSIVE && !state->ddl_line)
            state->ddl_line = s->statement->line;
    }
    for (size_t i = 0; i < s->effects->rewrites.count; i++) {
        const struct effect_object *rewrite = &s->effects->rewrites.at[i];
        if (!rule_is_new(s, rewrite->object))
            note(state, s,
                 (struct noted){.kind = NOTED_REWRITE,
                                .relation = rewrite->relation,
                                .object = rewrite->object});
    }
}

/* ---- settings and the rest ---- */

static bool is_named(const PgQuery__VariableSetStmt *set, const char *name)
{
    return str_equal_nocase(str_of(set->name), str_of(name));
}

static void note_setting(struct file_state *state, const struct rule_subject *s,
                         const PgQuery__VariableSetStmt *set)
{
    bool is_set = set->kind == PG_QUERY__VARIABLE_SET_KIND__VAR_SET_VALUE;
    bool is_reset = set->kind == PG_QUERY__VARIABLE_SET_KIND__VAR_RESET ||
                    set->kind == PG_QUERY__VARIABLE_SET_KIND__VAR_SET_DEFAULT;
    bool is_all = set->kind == PG_QUERY__VARIABLE_SET_KIND__VAR_RESET_ALL;
    if (is_set && !set->is_local)
        note(state, s, (struct noted){.kind = NOTED_SETTING, .name = str_of(set->name)});
    if (is_set && set->is_local && s->file->is_in_transaction)
        state->local_line = s->statement->line;
    if (is_set && is_named(set, "lock_timeout"))
        state->lock_timeout_line = s->statement->line;
    if (is_all || (is_reset && is_named(set, "lock_timeout")))
        state->timeouts_reset_line = s->statement->line;
    else if (is_set && is_named(set, "lock_timeout"))
        state->timeouts_reset_line = 0;
    for (size_t i = 0; (is_all || is_reset) && i < state->all.count; i++) {
        struct noted *one = &state->all.at[i];
        if (one->kind == NOTED_SETTING && (is_all || (is_reset && is_named(set, one->name.at))))
            one->kind = NOTED_TOUCHED;
    }
}

static void note_comment(struct file_state *state, const struct rule_subject *s,
                         const PgQuery__CommentStmt *stmt)
{
    const PgQuery__Node *n = stmt->object;
    if (stmt->objtype != PG_QUERY__OBJECT_TYPE__OBJECT_TABLE || !n ||
        n->node_case != PG_QUERY__NODE__NODE_LIST)
        return;
    struct str schema;
    struct str name;
    deed_split_name(n->list->items, n->list->n_items, &schema, &name);
    const struct catalog_relation *r = catalog_find_relation(s->catalog, schema, name);
    if (r)
        note(state, s,
             (struct noted){.kind = NOTED_COMMENT, .relation = catalog_relation_text(s->a, r)});
}

static void note_copied_rows(struct file_state *state, const struct rule_subject *s,
                             const PgQuery__InsertStmt *insert)
{
    const struct catalog_relation *to = rule_relation(s, insert->relation);
    if (!insert->select_stmt || !to || !rule_is_new(s, to))
        return;
    for (size_t i = 0; i < s->effects->locks.count; i++) {
        const struct effect_lock *lock = &s->effects->locks.at[i];
        if (lock->mode == LOCK_ACCESS_SHARE && !rule_is_new(s, lock->object))
            note(state, s,
                 (struct noted){.kind = NOTED_COPIED_ROWS,
                                .relation = lock->relation,
                                .object = lock->object,
                                .name = catalog_relation_text(s->a, to)});
    }
}

static void note_others(struct file_state *state, const struct rule_subject *s)
{
    const PgQuery__Node *tree = s->tree;
    switch (tree->node_case) {
    case PG_QUERY__NODE__NODE_VARIABLE_SET_STMT:
        note_setting(state, s, tree->variable_set_stmt);
        break;
    case PG_QUERY__NODE__NODE_CONSTRAINTS_SET_STMT:
        state->are_triggers_checked |= !tree->constraints_set_stmt->deferred;
        break;
    case PG_QUERY__NODE__NODE_CREATE_POLICY_STMT:
        note(state, s,
             (struct noted){.kind = NOTED_POLICY,
                            .relation = rule_about(s, tree->create_policy_stmt->table).name,
                            .object = rule_relation(s, tree->create_policy_stmt->table)});
        break;
    case PG_QUERY__NODE__NODE_COMMENT_STMT:
        note_comment(state, s, tree->comment_stmt);
        break;
    case PG_QUERY__NODE__NODE_CREATE_TABLE_AS_STMT:
        for (size_t i = 0; i < s->effects->locks.count; i++)
            note(state, s,
                 (struct noted){.kind = NOTED_COPIED,
                                .relation = s->effects->locks.at[i].relation,
                                .object = s->effects->locks.at[i].object});
        break;
    case PG_QUERY__NODE__NODE_INSERT_STMT:
        note_copied_rows(state, s, tree->insert_stmt);
        break;
    case PG_QUERY__NODE__NODE_ALTER_ENUM_STMT:
        if (tree->alter_enum_stmt->old_val[0] == '\0')
            note(state, s,
                 (struct noted){.kind = NOTED_ENUM_VALUE,
                                .name = str_of(tree->alter_enum_stmt->new_val),
                                .relation = rule_names_text(s, tree->alter_enum_stmt->type_name,
                                                            tree->alter_enum_stmt->n_type_name)});
        break;
    default:
        break;
    }
}

void file_state_note(struct file_state *state, const struct rule_subject *subject)
{
    struct rule_subject s = *subject;
    if (s.statement->role == ROLE_BEGIN && !state->begin_line)
        state->begin_line = s.statement->line;
    bool is_control = s.statement->role == ROLE_BEGIN || s.statement->role == ROLE_COMMIT ||
                      s.statement->role == ROLE_ROLLBACK;
    bool is_set = s.tree && rule_tree(&s)->node_case == PG_QUERY__NODE__NODE_VARIABLE_SET_STMT;
    if (!is_control && !is_set)
        state->local_line = 0;
    if (!s.tree)
        return;
    note_alter(state, &s);
    note_drops(&s);
    note_locks(state, &s);
    file_state_note_order(state, &s);
    note_others(state, &s);
}

void file_state_note_new(struct file_state *state, const struct catalog *c, size_t first_new,
                         uint32_t line)
{
    for (size_t i = first_new; i < c->relations.count; i++) {
        struct noted one = {.kind = NOTED_TOUCHED, .object = c->relations.at[i], .line = line};
        file_state_add(state, one);
    }
}

void file_state_transaction_ends(struct file_state *state)
{
    state->orders->transaction++;
    for (size_t i = state->transaction_from; i < state->all.count; i++)
        state->all.at[i].is_in_transaction = false;
    state->transaction_from = state->all.count;
    state->begin_line = 0;
    state->has_warned_held = state->has_warned_wide = state->are_triggers_checked = false;
}
