/* The columns of a pair, seen from triggers and queries; and whether a table can have one. */
#include "planner/postgres/rewrite_sync.h"

#include "planner/postgres/rewrite_batch.h"

/* ---- the table ---- */

/* Byte order of names is that of firing (trigger.c: RelationBuildTriggers): ours are first and last. */

static bool fires_beside_ours(const struct catalog_trigger *t)
{
    return str_compare(t->name, STR(SYNC_FIRST)) <= 0 || str_compare(t->name, STR(SYNC_LAST)) >= 0;
}

bool sync_is_ours(const struct catalog_trigger *t)
{
    return str_starts(t->name, STR(SYNC_FIRST)) || str_starts(t->name, STR(SYNC_LAST));
}

/* Those of another pair look at their own columns only. */
static bool has_trigger(const struct catalog_relation *table,
                        bool (*is_it)(const struct catalog_trigger *))
{
    for (size_t i = 0; i < table->triggers.count; i++) {
        const struct catalog_trigger *t = table->triggers.at[i];
        if (!t->is_dropped && !sync_is_ours(t) && is_it(t))
            return true;
    }
    return false;
}

static bool has_any(struct catalog_relation *const *at, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!at[i]->is_dropped)
            return true;
    }
    return false;
}

static bool has_rules(const struct catalog_relation *table)
{
    for (size_t i = 0; i < table->rules.count; i++) {
        if (!table->rules.at[i]->is_dropped && !table->rules.at[i]->is_policy)
            return true;
    }
    return false;
}

/* Itself, or as a part of what is. */
/* NOLINTNEXTLINE(misc-no-recursion): as deep as the partitioning */
static bool is_published(const struct catalog *c, const struct catalog_relation *table)
{
    for (size_t i = 0; i < c->publications.count; i++) {
        const struct catalog_publication *p = c->publications.at[i];
        bool is_in = p->is_for_all_tables;
        for (size_t k = 0; k < p->schemas.count; k++)
            is_in |= str_equal(p->schemas.at[k], table->schema);
        for (size_t k = 0; k < p->relations.count; k++)
            is_in |= p->relations.at[k] == table;
        if (is_in && !p->is_dropped)
            return true;
    }
    for (size_t i = 0; table->is_partition && i < table->parents.count; i++) {
        if (is_published(c, table->parents.at[i]))
            return true;
    }
    return false;
}

/* A table that is published needs a replica identity for any UPDATE (execReplication.c,
   CheckCmdReplicaIdentity); of a partitioned one each partition does. */
/* NOLINTNEXTLINE(misc-no-recursion): as deep as the partitioning */
static bool refuses_updates(const struct catalog *c, const struct catalog_relation *table)
{
    for (size_t i = 0; table->kind == RELATION_PARTITIONED_TABLE && i < table->children.count;
         i++) {
        if (!table->children.at[i]->is_dropped && refuses_updates(c, table->children.at[i]))
            return true;
    }
    bool has_none = table->replica_identity == 'n' ||
                    (table->replica_identity == 'd' && !catalog_primary_key(table));
    return has_none && table->kind == RELATION_TABLE && is_published(c, table);
}

bool sync_copy_fits(struct rewrite *r, const struct catalog_relation *table)
{
    return !catalog_is_new(r->catalog, table) && catalog_may_have_rows(table) &&
           table->persistence != PERSISTENCE_TEMPORARY && !table->of_type &&
           !table->extension.len && !table->is_row_security_forced && !has_rules(table) &&
           !refuses_updates(r->catalog, table) && rewrite_copy_triggers(r, table);
}

bool sync_table_fits(struct rewrite *r, const struct catalog_relation *table)
{
    if (!table || !sync_copy_fits(r, table))
        return false;
    /* BEFORE triggers on partitioned tables: 13 (commands/trigger.c). Those of a parent do not fire for
       rows of tables that inherit from it. */
    bool is_partitioned = table->kind == RELATION_PARTITIONED_TABLE && r->major >= 13;
    bool is_plain =
        table->kind == RELATION_TABLE && !has_any(table->children.at, table->children.count);
    return (is_plain || is_partitioned) && !table->is_partition &&
           !has_any(table->parents.at, table->parents.count) &&
           !has_trigger(table, fires_beside_ours);
}

/* ---- the pair ---- */

/* Whether the column is one of another pair, which is not ended yet. */
static bool is_paired(const struct sync_pair *s)
{
    for (size_t i = 0; i < s->table->triggers.count; i++) {
        const struct catalog_trigger *t = s->table->triggers.at[i];
        for (size_t k = 0; !t->is_dropped && sync_is_ours(t) && k < t->columns.count; k++) {
            if (t->columns.at[k] == s->old)
                return true;
        }
    }
    return false;
}

bool sync_begin(struct sync_pair *s, const char *to)
{
    if (s->old && is_paired(s))
        return false;
    struct arena *a = s->r->a;
    SCOPED(buf) struct buf id = {0};
    buf_printf(&id, "%.*s\n%.*s\n%s", STR_ARG(catalog_relation_text(a, s->table)),
               STR_ARG(s->old ? s->old->name : STR("")), to);
    struct digest digest = digest_of(buf_str(&id));
    s->tag = arena_printf(a, "%.8s", digest.hex);
    s->range = (struct online_range){.alias = STR("t")};
    return rewrite_range_key(s->r, s->table, STR(""), &s->range);
}

bool sync_type_fits(const struct type_ref *t)
{
    struct type_ref base = type_base(t);
    bool is_row =
        !base.is_array && base.user && (base.user->composite || base.user->kind == TYPE_COMPOSITE);
    return !is_row && !type_is_constrained_domain(t) && !type_default(t) &&
           (t->builtin.len || t->typmod < 0);
}

/* ---- values ---- */

/* Where "=" says no less than the bits: not numeric (1.0 = 1.00), float (0 = -0), jsonb, citext; and json has
   none. */
static bool is_exact(const struct type_ref *t)
{
    static const char *const names[] = {"bool", "int2",  "int4",   "int8",      "oid",
                                        "uuid", "date",  "time",   "timestamp", "timestamptz",
                                        "text", "bytea", "varchar"};
    if (t->user && t->user->kind == TYPE_ENUM)
        return true;
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (str_equal(t->builtin, str_of(names[i])))
            return true;
    }
    return false;
}

/* A collation of its own may take different letters for the same. */
static bool has_own_equality(const struct sync_pair *s, const struct type_ref *type)
{
    return is_exact(type) && !type->is_array && !s->old->collation.len && !s->collation[0];
}

const char *sync_differ(const struct sync_pair *s, const struct type_ref *type, const char *left,
                        const char *right)
{
    if (has_own_equality(s, type))
        return arena_printf(s->r->a, "%s IS DISTINCT FROM %s", left, right);
    return arena_printf(s->r->a, "ROW(%s)::record *<> ROW(%s)::record", left, right);
}

const char *sync_same(const struct sync_pair *s, const struct type_ref *type, const char *left,
                      const char *right)
{
    if (has_own_equality(s, type))
        return arena_printf(s->r->a, "%s IS NOT DISTINCT FROM %s", left, right);
    return arena_printf(s->r->a, "ROW(%s)::record *= ROW(%s)::record", left, right);
}

const char *sync_old(const struct sync_pair *s, const char *of)
{
    return arena_printf(s->r->a, "%s.%s", of, s->old_name);
}

const char *sync_new(const struct sync_pair *s, const char *of)
{
    return arena_printf(s->r->a, "%s.%s", of, s->new_name);
}

const char *sync_literal(struct arena *a, struct str text)
{
    SCOPED(buf) struct buf out = {0};
    bool has_backslash = str_find_char(text, '\\') < text.len;
    buf_add_cstr(&out, has_backslash ? "E'" : "'");
    for (size_t i = 0; i < text.len; i++) {
        if (text.at[i] == '\'' || text.at[i] == '\\')
            buf_add_char(&out, text.at[i]);
        buf_add_char(&out, text.at[i]);
    }
    buf_add_char(&out, '\'');
    return arena_cstr(a, buf_done(a, &out));
}

const char *sync_type(const struct sync_pair *s, const struct type_ref *type)
{
    return arena_cstr(s->r->a, type_text(s->r->a, type));
}

const char *sync_forward(const struct sync_pair *s, const char *of)
{
    struct arena *a = s->r->a;
    if (!s->forward.len)
        return sync_old(s, of);
    return arena_printf(a, "(%.*s)", STR_ARG(sync_expression_of(a, s->table, s->forward, of)));
}

const char *sync_disagree(const struct sync_pair *s, const char *of)
{
    const char *value = sync_forward(s, of);
    if (!type_equal(&s->old->type, &s->new_type))
        value = arena_printf(s->r->a, "CAST(%s AS %s)", value, sync_type(s, &s->new_type));
    return sync_differ(s, &s->new_type, sync_new(s, of), value);
}

/* ---- defaults ---- */

/* What came from a statement the catalog has as a tree only; of that, the usual defaults in words. */
static const char *literal_text(struct arena *a, const PgQuery__AConst *c)
{
    if (c->isnull)
        return "NULL";
    switch (c->val_case) {
    case PG_QUERY__A__CONST__VAL_IVAL:
        return arena_printf(a, "%d", c->ival->ival);
    case PG_QUERY__A__CONST__VAL_FVAL:
        return arena_cstr(a, str_of(c->fval->fval));
    case PG_QUERY__A__CONST__VAL_BOOLVAL:
        return c->boolval->boolval ? "true" : "false";
    case PG_QUERY__A__CONST__VAL_SVAL:
        return sync_literal(a, str_of(c->sval->sval));
    default:
        return NULL;
    }
}

static const char *usual_text(const struct sync_pair *s, const PgQuery__Node *n)
{
    struct arena *a = s->r->a;
    if (n->node_case == PG_QUERY__NODE__NODE_A_CONST)
        return literal_text(a, n->a_const);
    if (n->node_case == PG_QUERY__NODE__NODE_TYPE_CAST) {
        const PgQuery__Node *of = n->type_cast->arg;
        struct type_ref type = type_resolve(s->r->catalog, n->type_cast->type_name, NULL);
        const char *text =
            of->node_case == PG_QUERY__NODE__NODE_A_CONST && (type.builtin.len || type.user)
                ? literal_text(a, of->a_const)
                : NULL;
        return text ? arena_printf(a, "CAST(%s AS %s)", text, sync_type(s, &type)) : NULL;
    }
    const PgQuery__FuncCall *call =
        n->node_case == PG_QUERY__NODE__NODE_FUNC_CALL ? n->func_call : NULL;
    if (call && !call->n_args && call->n_funcname == 1 && !call->over)
        return arena_printf(
            a, "%.*s()", STR_ARG(catalog_identifier(a, str_of(call->funcname[0]->string->sval))));
    bool is_now =
        n->node_case == PG_QUERY__NODE__NODE_SQLVALUE_FUNCTION &&
        n->sqlvalue_function->op == PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_CURRENT_TIMESTAMP;
    bool is_today = n->node_case == PG_QUERY__NODE__NODE_SQLVALUE_FUNCTION &&
                    n->sqlvalue_function->op == PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_CURRENT_DATE;
    return is_now ? "CURRENT_TIMESTAMP" : is_today ? "CURRENT_DATE" : NULL;
}

const char *sync_default_text(const struct sync_pair *s)
{
    const struct catalog_expression *e = &s->old->default_value;
    if (e->text.len)
        return arena_cstr(s->r->a, e->text);
    return e->tree ? usual_text(s, e->tree) : NULL;
}

bool sync_read_default(struct sync_pair *s)
{
    struct rewrite *r = s->r;
    struct catalog_column *old = s->old;
    if (!catalog_has_expression(&old->default_value) || old->identity)
        return true;
    const PgQuery__Node *tree = expression_tree(r->catalog, &old->default_value);
    enum volatility v = expression_volatility(r->catalog, tree);
    if (v != VOLATILITY_IMMUTABLE && v != VOLATILITY_STABLE) {
        s->has_own_default = true;
        return true;
    }
    s->shared_default = sync_default_text(s);
    return s->shared_default != NULL;
}
