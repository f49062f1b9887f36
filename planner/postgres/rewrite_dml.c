/*
 * UPDATE and DELETE of many rows: range by range. Each row is changed once, since the checkpoint is
 * committed with its batch; what the statement reads besides the row itself must not change by that,
 * and a batch that is begun anew must find nothing to do, or do the same. Where that cannot be proved
 * the author may vouch for it, with `-- migrate: batch key=…`.
 */
#include "planner/postgres/rewrite_batch.h"

#include "core/base/vec.h"
#include "planner/postgres/parse_tree.h"
#include "planner/postgres/rules_support.h"
#include "planner/postgres/types.h"

struct dml {
    struct rewrite *r;
    const PgQuery__RangeVar *target;
    struct catalog_relation *table;
    const PgQuery__Node *where; /* or NULL */
    PgQuery__Node *const *sets; /* of an UPDATE: ResTarget nodes */
    size_t set_count;
    bool is_delete;
    bool is_vouched_for;
    struct online_range range;
};

/* ---- what is set ---- */

static const PgQuery__ResTarget *set_at(const struct dml *d, size_t i)
{
    return d->sets[i]->node_case == PG_QUERY__NODE__NODE_RES_TARGET ? d->sets[i]->res_target : NULL;
}

static const PgQuery__Node *value_of(const struct dml *d, const struct catalog_column *column)
{
    for (size_t i = 0; i < d->set_count; i++) {
        const PgQuery__ResTarget *set = set_at(d, i);
        if (set && !set->n_indirection && str_equal(str_of(set->name), column->name))
            return set->val;
    }
    return NULL;
}

struct column_search {
    const struct dml *d;
    bool is_found;
};

static void note_if_set(void *context, struct catalog_column *column)
{
    struct column_search *s = context;
    s->is_found |= value_of(s->d, column) != NULL;
}

static bool is_query(void *context UNUSED, const ProtobufCMessage *message)
{
    return message->descriptor == &pg_query__sub_link__descriptor ||
           message->descriptor == &pg_query__current_of_expr__descriptor;
}

static bool has_query(const PgQuery__Node *tree)
{
    return tree && parse_tree_visit(&tree->base, is_query, NULL);
}

/* A constant, or what a built-in function that is never NULL makes anew for each row. */
static bool is_never_null(const PgQuery__Node *n)
{
    static const char *const makers[] = {"gen_random_uuid", "uuid_generate_v4", "random",
                                         "clock_timestamp", "nextval"};
    while (n && n->node_case == PG_QUERY__NODE__NODE_TYPE_CAST)
        n = n->type_cast->arg;
    if (n && n->node_case == PG_QUERY__NODE__NODE_A_CONST)
        return !n->a_const->isnull;
    if (!n || n->node_case != PG_QUERY__NODE__NODE_FUNC_CALL || !n->func_call->n_funcname)
        return false;
    struct str name = rule_string(n->func_call->funcname[n->func_call->n_funcname - 1]);
    for (size_t i = 0; i < ARRAY_LEN(makers); i++) {
        if (str_equal(name, str_of(makers[i])))
            return true;
    }
    return false;
}

/* ---- WHERE that is false behind it ---- */

static struct catalog_column *column_of(const struct dml *d, const PgQuery__Node *n)
{
    if (!n || n->node_case != PG_QUERY__NODE__NODE_COLUMN_REF || !n->column_ref->n_fields)
        return NULL;
    return catalog_find_column(d->table,
                               rule_string(n->column_ref->fields[n->column_ref->n_fields - 1]));
}

static bool is_operator(const PgQuery__AExpr *e, const char *name)
{
    return e->n_name == 1 && str_equal(rule_string(e->name[0]), str_of(name));
}

/* Constants of which one is certainly not the other, whatever the column's type makes of them. */
static bool are_different(const PgQuery__Node *a, const PgQuery__Node *b)
{
    if (!a || !b || a->node_case != PG_QUERY__NODE__NODE_A_CONST ||
        b->node_case != PG_QUERY__NODE__NODE_A_CONST || a->a_const->isnull || b->a_const->isnull ||
        a->a_const->val_case != b->a_const->val_case)
        return false;
    switch (a->a_const->val_case) {
    case PG_QUERY__A__CONST__VAL_IVAL:
        return a->a_const->ival->ival != b->a_const->ival->ival;
    case PG_QUERY__A__CONST__VAL_BOOLVAL:
        return a->a_const->boolval->boolval != b->a_const->boolval->boolval;
    default:
        return false;
    }
}

/* Texts are different where the column compares them byte by byte. */
static bool are_different_texts(const struct catalog_column *column, const PgQuery__Node *a,
                                const PgQuery__Node *b)
{
    bool is_text = !column->type.is_array && (str_equal(column->type.builtin, STR("text")) ||
                                              str_equal(column->type.builtin, STR("varchar")));
    bool are_texts = a && b && a->node_case == PG_QUERY__NODE__NODE_A_CONST &&
                     b->node_case == PG_QUERY__NODE__NODE_A_CONST &&
                     a->a_const->val_case == PG_QUERY__A__CONST__VAL_SVAL &&
                     b->a_const->val_case == PG_QUERY__A__CONST__VAL_SVAL;
    return is_text && !column->collation.len && are_texts &&
           strcmp(a->a_const->sval->sval, b->a_const->sval->sval) != 0;
}

static bool ends_comparison(const struct dml *d, const PgQuery__AExpr *e)
{
    const struct catalog_column *column = column_of(d, e->lexpr);
    const PgQuery__Node *value = column ? value_of(d, column) : NULL;
    if (!value || !is_never_null(value) || value->node_case == PG_QUERY__NODE__NODE_FUNC_CALL)
        return false;
    bool is_same = expression_equal(value, e->rexpr);
    bool is_other = are_different(value, e->rexpr) || are_different_texts(column, value, e->rexpr);
    switch (e->kind) {
    case PG_QUERY__A__EXPR__KIND__AEXPR_DISTINCT:
        return is_same;
    case PG_QUERY__A__EXPR__KIND__AEXPR_OP:
        return is_operator(e, "=") ? is_other
                                   : (is_operator(e, "<>") || is_operator(e, "!=")) && is_same;
    default:
        return false;
    }
}

/* Whether this condition is false for a row that has just been set. */
/* NOLINTNEXTLINE(misc-no-recursion): as deep as the condition */
static bool ends(const struct dml *d, const PgQuery__Node *n)
{
    if (!n)
        return false;
    if (n->node_case == PG_QUERY__NODE__NODE_BOOL_EXPR &&
        n->bool_expr->boolop == PG_QUERY__BOOL_EXPR_TYPE__AND_EXPR) {
        for (size_t i = 0; i < n->bool_expr->n_args; i++) {
            if (ends(d, n->bool_expr->args[i]))
                return true;
        }
        return false;
    }
    if (n->node_case == PG_QUERY__NODE__NODE_NULL_TEST) {
        const struct catalog_column *column = column_of(d, n->null_test->arg);
        const PgQuery__Node *value = column ? value_of(d, column) : NULL;
        return n->null_test->nulltesttype == PG_QUERY__NULL_TEST_TYPE__IS_NULL && value &&
               is_never_null(value);
    }
    return n->node_case == PG_QUERY__NODE__NODE_A_EXPR && ends_comparison(d, n->a_expr);
}

/* ---- what may be done in batches ---- */

/* The value is the same whenever the row is reached: of constants, and of columns that stay as they are. */
static bool is_steady(const struct dml *d, const PgQuery__Node *value)
{
    struct column_search s = {.d = d};
    expression_columns(value, d->table, note_if_set, &s);
    return !s.is_found && !has_query(value) &&
           expression_volatility_of(d->r->catalog, d->table, value) == VOLATILITY_IMMUTABLE;
}

static bool is_update_provable(const struct dml *d)
{
    bool ends_where = ends(d, d->where);
    for (size_t i = 0; i < d->set_count; i++) {
        const PgQuery__ResTarget *set = set_at(d, i);
        if (!set || set->n_indirection)
            return false;
        bool is_made = ends_where && is_never_null(set->val) && !has_query(set->val);
        if (!is_made && !is_steady(d, set->val))
            return false;
    }
    /* Without a key a changed row may lie on a later page, and is met again. */
    return d->range.key.count || ends_where;
}

static bool refers_to_itself(const struct catalog_relation *table)
{
    for (size_t i = 0; i < table->constraints.count; i++) {
        const struct catalog_constraint *c = table->constraints.at[i];
        if (!c->is_dropped && c->kind == CONSTRAINT_FOREIGN_KEY && c->referenced == table)
            return true;
    }
    return false;
}

/* Once for the statement as it is written, once for each batch. */
static bool has_statement_trigger(const struct dml *d)
{
    unsigned event = d->is_delete ? TRIGGER_DELETE : TRIGGER_UPDATE;
    for (size_t i = 0; i < d->table->triggers.count; i++) {
        const struct catalog_trigger *t = d->table->triggers.at[i];
        bool is_enabled = !t->is_dropped && t->enabled != 'D' && t->enabled != 'R';
        if (is_enabled && !t->is_row && (!t->type || (t->type & event)))
            return true;
    }
    return false;
}

static bool is_provable(const struct dml *d)
{
    enum volatility where =
        d->where ? expression_volatility_of(d->r->catalog, d->table, d->where) : VOLATILITY_STABLE;
    if (has_query(d->where) || has_statement_trigger(d) ||
        (where != VOLATILITY_IMMUTABLE && where != VOLATILITY_STABLE))
        return false;
    return d->is_delete ? !refers_to_itself(d->table) : is_update_provable(d);
}

/* Rules make another statement of it. */
static bool has_rules(const struct catalog_relation *table)
{
    for (size_t i = 0; i < table->rules.count; i++) {
        if (!table->rules.at[i]->is_dropped && !table->rules.at[i]->is_policy)
            return true;
    }
    return false;
}

/* A row whose key is set would be met again, or never. */
static bool moves_rows(const struct dml *d)
{
    for (size_t i = 0; i < d->table->columns.count; i++) {
        struct catalog_column *column = d->table->columns.at[i];
        bool is_set = false;
        for (size_t k = 0; k < d->set_count && !column->is_dropped; k++) {
            const PgQuery__ResTarget *set = set_at(d, k);
            is_set |= !set || str_equal(str_of(set->name), column->name);
        }
        if (is_set && rewrite_range_has(d->r, &d->range, column))
            return true;
        for (size_t k = 0; is_set && k < d->table->partition_keys.count; k++) {
            if (!d->table->partition_keys.at[k].column ||
                d->table->partition_keys.at[k].column == column)
                return true;
        }
    }
    return false;
}

static struct str vouched_key(const struct statement *s)
{
    for (size_t i = 0; i < s->directives.count; i++) {
        if (s->directives.at[i].kind == DIRECTIVE_BATCH)
            return s->directives.at[i].key;
    }
    return STR("");
}

static bool skips_triggers(const struct statement *s)
{
    for (size_t i = 0; i < s->directives.count; i++) {
        if (s->directives.at[i].kind == DIRECTIVE_BATCH &&
            s->directives.at[i].triggers == BATCH_TRIGGERS_SKIP)
            return true;
    }
    return false;
}

/* ---- the recipe ---- */

static bool write_step(struct dml *d)
{
    struct rewrite *r = d->r;
    size_t where = d->where ? rewrite_token_find(r, 0, PG_QUERY__TOKEN__WHERE) : r->tokens.count;
    struct str head = rewrite_piece(r, 0, where);
    struct str condition = rewrite_piece(r, where + 1, r->tokens.count);
    if (!head.len || (d->where && !condition.len))
        return false;
    struct online_step *step =
        d->where ? rewrite_step(r, PHASE_BACKFILL, "", "%.*s WHERE (%.*s)", STR_ARG(head),
                                STR_ARG(condition))
                 : rewrite_step(r, PHASE_BACKFILL, "", "%.*s WHERE true", STR_ARG(head));
    const char *triggers =
        rewrite_trigger_text(r, d->table, d->is_delete ? TRIGGER_DELETE : TRIGGER_UPDATE);
    rewrite_step_in_batches(r, step, &d->range,
                            arena_printf(r->a, "%s, each batch in a transaction of its own%s",
                                         d->is_delete ? "deletes the rows" : "changes the rows",
                                         triggers));
    return true;
}

static bool write(struct dml *d)
{
    struct rewrite *r = d->r;
    struct str key = vouched_key(r->statement);
    if (skips_triggers(r->statement)) {
        r->why_not =
            "Batches skip triggers only where migrate copies rows: those of a change of rows "
            "in the file are part of what it does.";
        return false;
    }
    d->is_vouched_for = key.len > 0;
    union {
        const struct catalog_relation *found;
        struct catalog_relation *own;
    } table = {.found = catalog_find_relation(r->catalog, str_of(d->target->schemaname),
                                              str_of(d->target->relname))};
    d->table = table.own;
    if (!rewrite_is_large(r, d->table) || d->table->persistence == PERSISTENCE_TEMPORARY ||
        has_rules(d->table) || !rewrite_range_key(r, d->table, key, &d->range))
        return false;
    const char *alias = d->target->alias ? d->target->alias->aliasname : d->target->relname;
    d->range.alias = str_of(rewrite_identifier(r, alias));
    return !moves_rows(d) && (d->is_vouched_for || is_provable(d)) && write_step(d);
}

bool rewrite_update(struct rewrite *r)
{
    const PgQuery__UpdateStmt *stmt = r->tree->update_stmt;
    struct dml d = {
        .r = r,
        .target = stmt->relation,
        .where = stmt->where_clause,
        .sets = stmt->target_list,
        .set_count = stmt->n_target_list,
    };
    bool is_vouched_for = vouched_key(r->statement).len > 0;
    bool is_plain =
        !stmt->n_returning_list && !stmt->with_clause && (!stmt->n_from_clause || is_vouched_for);
    return is_plain && write(&d);
}

bool rewrite_delete(struct rewrite *r)
{
    const PgQuery__DeleteStmt *stmt = r->tree->delete_stmt;
    struct dml d = {
        .r = r, .target = stmt->relation, .where = stmt->where_clause, .is_delete = true};
    bool is_vouched_for = vouched_key(r->statement).len > 0;
    bool is_plain =
        !stmt->n_returning_list && !stmt->with_clause && (!stmt->n_using_clause || is_vouched_for);
    return is_plain && write(&d);
}

/* ---- what was asked for ---- */

static struct dml asked_for(struct rewrite *r)
{
    struct dml d = {.r = r};
    if (r->tree->node_case == PG_QUERY__NODE__NODE_UPDATE_STMT) {
        d.target = r->tree->update_stmt->relation;
        d.sets = r->tree->update_stmt->target_list;
        d.set_count = r->tree->update_stmt->n_target_list;
    } else if (r->tree->node_case == PG_QUERY__NODE__NODE_DELETE_STMT) {
        d.target = r->tree->delete_stmt->relation;
        d.is_delete = true;
    }
    return d;
}

static bool is_plain(const PgQuery__Node *tree)
{
    if (tree->node_case == PG_QUERY__NODE__NODE_UPDATE_STMT)
        return !tree->update_stmt->n_returning_list && !tree->update_stmt->with_clause;
    return !tree->delete_stmt->n_returning_list && !tree->delete_stmt->with_clause;
}

const char *rewrite_batch_refusal(struct arena *a, const struct statement *s,
                                  struct catalog *catalog, unsigned major)
{
    struct rewrite r = {
        .a = a, .statement = s, .tree = s->tree, .catalog = catalog, .major = major};
    struct str key = vouched_key(s);
    if (!key.len || !r.tree)
        return NULL;
    struct dml d = asked_for(&r);
    if (!d.target)
        return "batches are for UPDATE and DELETE";
    if (!is_plain(r.tree))
        return "with WITH or RETURNING it cannot be done in batches";
    union {
        const struct catalog_relation *found;
        struct catalog_relation *own;
    } table = {.found = catalog_find_relation(catalog, str_of(d.target->schemaname),
                                              str_of(d.target->relname))};
    d.table = table.own;
    if (!d.table || catalog_is_new(catalog, d.table))
        return NULL; /* not known, or not there yet: what will be is not known either */
    if (!rewrite_range_key(&r, d.table, key, &d.range))
        return arena_printf(
            a,
            "no index of %.*s begins with the columns (%.*s), all of them NOT NULL and "
            "of types whose order is known",
            STR_ARG(catalog_relation_text(a, d.table)), STR_ARG(key));
    if (moves_rows(&d))
        return "it sets a column of the key, or of the partitions";
    return NULL;
}
