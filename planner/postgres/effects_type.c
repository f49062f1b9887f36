/* What changes of domains, enums, sequences, functions and statistics do. */
#include <string.h>

#include "planner/postgres/create_parts.h"
#include "planner/postgres/object_names.h"
#include "planner/postgres/types.h"
#include "planner/postgres/visited.h"

static struct catalog_type *find_type(struct deed *d, PgQuery__Node *const *names, size_t count)
{
    struct str schema;
    struct str name;
    deed_split_name(names, count, &schema, &name);
    struct catalog_type *t = catalog_find_type(d->catalog, schema, name);
    if (!t)
        deed_missing(d, "type %.*s is not there", STR_ARG(catalog_name_text(d->a, schema, name)));
    return t;
}

/* ---- who uses a domain ---- */

/* A column that holds the domain inside of something else: the server gives up
   (tablecmds.c: find_composite_type_dependencies). */
static void refuse_column(struct deed *d, const struct catalog_type *domain,
                          const struct catalog_relation *r, const struct catalog_column *column)
{
    deed_fails(d, "type %.*s is used inside of column %.*s of %.*s", STR_ARG(domain->name),
               STR_ARG(column->name), STR_ARG(catalog_relation_text(d->a, r)));
}

static bool has_storage(const struct catalog_relation *r)
{
    return r->kind == RELATION_TABLE || r->kind == RELATION_MATERIALIZED_VIEW;
}

struct domain_check {
    const struct catalog_type *domain;
    const char *why;
    struct visited containers; /* types that hold it, and have been looked for */
};

/* NOLINTNEXTLINE(misc-no-recursion): as deep as types are made of each other */
static void check_container(struct deed *d, struct domain_check *check,
                            const struct catalog_type *t)
{
    if (!t || !visited_add(d->a, &check->containers, t))
        return;
    for (size_t i = 0; i < d->catalog->relations.count; i++) {
        const struct catalog_relation *r = d->catalog->relations.at[i];
        for (size_t j = 0; j < r->columns.count && !r->is_dropped; j++) {
            const struct catalog_column *column = r->columns.at[j];
            if (column->is_dropped || column->type.user != t)
                continue;
            if (has_storage(r) || r->kind == RELATION_PARTITIONED_TABLE)
                refuse_column(d, check->domain, r, column);
            else if (r->row_type != t)
                check_container(d, check, r->row_type);
        }
    }
}

static void check_relation(struct deed *d, struct domain_check *check, const struct catalog_type *t,
                           struct catalog_relation *r)
{
    bool is_used = false;
    for (size_t i = 0; i < r->columns.count; i++) {
        const struct catalog_column *column = r->columns.at[i];
        if (column->is_dropped || column->type.user != t)
            continue;
        if (column->type.is_array) {
            refuse_column(d, check->domain, r, column);
            continue;
        }
        is_used = true;
    }
    if (!is_used)
        return;
    if (r->kind != RELATION_COMPOSITE_TYPE) /* opened as well, but nobody else locks those */
        deed_lock(d, r, LOCK_SHARE, false);
    check_container(d, check, r->row_type);
    if (has_storage(r))
        deed_scan_rows(d, r, check->why);
}

/* typecmds.c, get_rels_with_domain(): every relation with such a column is opened under SHARE; those with
   rows are read. Domains over this one count as well.
   NOLINTNEXTLINE(misc-no-recursion): as deep as domains stand on domains */
static void check_users(struct deed *d, struct domain_check *check, const struct catalog_type *t,
                        size_t depth)
{
    enum { DEPTH_MAX = 32 };
    if (depth == DEPTH_MAX)
        return;
    for (size_t i = 0; i < d->catalog->relations.count; i++) {
        if (!d->catalog->relations.at[i]->is_dropped)
            check_relation(d, check, t, d->catalog->relations.at[i]);
    }
    for (size_t i = 0; i < d->catalog->types.count; i++) {
        const struct catalog_type *over = d->catalog->types.at[i];
        if (over->is_dropped || over == t || over->base.user != t)
            continue;
        if (over->kind == TYPE_DOMAIN && !over->base.is_array)
            check_users(d, check, over, depth + 1);
        else
            check_container(d, check, over);
    }
}

/* ---- ALTER DOMAIN ---- */

static struct domain_constraint *find_constraint(struct catalog_type *t, struct str name)
{
    for (size_t i = 0; i < t->constraints.count; i++) {
        struct domain_constraint *k = &t->constraints.at[i];
        if (!k->is_dropped && k->name.len && str_equal(k->name, name))
            return k;
    }
    return NULL;
}

static struct domain_constraint *domain_not_null(struct catalog_type *t)
{
    for (size_t i = 0; i < t->constraints.count; i++) {
        if (!t->constraints.at[i].is_dropped && t->constraints.at[i].is_not_null)
            return &t->constraints.at[i];
    }
    return NULL;
}

static const PgQuery__Constraint *constraint_of(const PgQuery__Node *def)
{
    return def && def->node_case == PG_QUERY__NODE__NODE_CONSTRAINT ? def->constraint : NULL;
}

static void predict_add(struct deed *d, struct catalog_type *t, const PgQuery__Constraint *k)
{
    if (!k)
        return;
    if (k->conname[0] && find_constraint(t, str_of(k->conname)))
        deed_fails(d, "domain %.*s has a constraint %s already", STR_ARG(t->name), k->conname);
    bool is_not_null = k->contype == PG_QUERY__CONSTR_TYPE__CONSTR_NOTNULL;
    if (k->skip_validation || (is_not_null && domain_not_null(t)))
        return;
    struct domain_check check = {
        .domain = t,
        .why = "every value of the domain is checked against the new constraint",
    };
    check_users(d, &check, t, 0);
}

void predict_alter_domain(struct deed *d, const PgQuery__Node *node)
{
    const PgQuery__AlterDomainStmt *alter = node->alter_domain_stmt;
    struct catalog_type *t = find_type(d, alter->type_name, alter->n_type_name);
    if (!t)
        return;
    if (t->kind != TYPE_DOMAIN) {
        deed_fails(d, "%.*s is not a domain", STR_ARG(t->name));
        return;
    }
    struct domain_constraint *k = find_constraint(t, str_of(alter->name));
    struct domain_check check = {.domain = t};
    switch (alter->subtype[0]) {
    case 'C':
        predict_add(d, t, constraint_of(alter->def));
        break;
    case 'O':
        check.why = "every value of the domain is checked for NULL";
        if (!domain_not_null(t))
            check_users(d, &check, t, 0);
        break;
    case 'V':
        check.why = "every value of the domain is checked against the constraint";
        if (!k && d->catalog->is_complete)
            deed_fails(d, "domain %.*s has no constraint %s", STR_ARG(t->name), alter->name);
        else
            check_users(d, &check, t, 0); /* also what is valid already */
        break;
    case 'X':
        if (!k && !alter->missing_ok && d->catalog->is_complete)
            deed_fails(d, "domain %.*s has no constraint %s", STR_ARG(t->name), alter->name);
        else if (k)
            effects_add_loss(
                d->a, d->effects, LOSS_GUARANTEE, "CONSTRAINT",
                str_of(arena_printf(d->a, "%s of domain %.*s", alter->name, STR_ARG(t->name))),
                NULL, true);
        break;
    default: /* T, N: the catalog alone */
        break;
    }
}

static struct str constraint_name(struct deed *d, struct catalog_type *t, const char *label)
{
    struct arena *a = d->catalog->arena;
    struct str name = object_name(a, t->name, STR(""), str_of(label));
    for (unsigned n = 1; find_constraint(t, name); n++)
        name = object_name(a, t->name, STR(""), str_of(arena_printf(a, "%s%u", label, n)));
    return name;
}

static void fold_add(struct deed *d, struct catalog_type *t, const PgQuery__Constraint *k)
{
    if (!k)
        return;
    struct domain_constraint made = {
        .is_not_null = k->contype == PG_QUERY__CONSTR_TYPE__CONSTR_NOTNULL,
        .is_valid = !k->skip_validation,
        .check = deed_keep_expression(d, k->raw_expr),
        .name = arena_str(d->catalog->arena, str_of(k->conname)),
    };
    if (!made.name.len)
        made.name = constraint_name(d, t, made.is_not_null ? "not_null" : "check");
    vec_push(d->catalog->arena, &t->constraints, made);
}

void fold_alter_domain(struct deed *d, const PgQuery__Node *node)
{
    const PgQuery__AlterDomainStmt *alter = node->alter_domain_stmt;
    struct catalog_type *t = find_type(d, alter->type_name, alter->n_type_name);
    if (!t || t->kind != TYPE_DOMAIN)
        return;
    struct domain_constraint *k = find_constraint(t, str_of(alter->name));
    struct domain_constraint *not_null = domain_not_null(t);
    switch (alter->subtype[0]) {
    case 'T':
        t->default_value = deed_keep_expression(d, alter->def);
        break;
    case 'N':
        if (not_null)
            not_null->is_dropped = true;
        break;
    case 'O': {
        struct domain_constraint made = {.is_not_null = true, .is_valid = true};
        if (!not_null)
            vec_push(d->catalog->arena, &t->constraints, made);
        break;
    }
    case 'C':
        fold_add(d, t, constraint_of(alter->def));
        break;
    case 'X':
        if (k)
            k->is_dropped = true;
        break;
    case 'V':
        if (k)
            k->is_valid = true;
        break;
    default:
        break;
    }
}

/* ---- ALTER TYPE … ADD VALUE, RENAME VALUE: no relation is looked at ---- */

static size_t find_label(const struct catalog_type *t, const char *label)
{
    for (size_t i = 0; i < t->labels.count; i++) {
        if (str_equal(t->labels.at[i], str_of(label)))
            return i;
    }
    return SIZE_MAX;
}

void predict_alter_enum(struct deed *d, const PgQuery__Node *node)
{
    const PgQuery__AlterEnumStmt *alter = node->alter_enum_stmt;
    struct catalog_type *t = find_type(d, alter->type_name, alter->n_type_name);
    if (!t || t->kind != TYPE_ENUM)
        return;
    bool is_there = find_label(t, alter->new_val) != SIZE_MAX;
    if (is_there && !alter->skip_if_new_val_exists)
        deed_fails(d, "%.*s has a value '%s' already", STR_ARG(t->name), alter->new_val);
    if (alter->old_val[0] && find_label(t, alter->old_val) == SIZE_MAX && d->catalog->is_complete)
        deed_fails(d, "%.*s has no value '%s'", STR_ARG(t->name), alter->old_val);
}

void fold_alter_enum(struct deed *d, const PgQuery__Node *node)
{
    const PgQuery__AlterEnumStmt *alter = node->alter_enum_stmt;
    struct catalog_type *t = find_type(d, alter->type_name, alter->n_type_name);
    if (!t || t->kind != TYPE_ENUM || find_label(t, alter->new_val) != SIZE_MAX)
        return;
    struct str label = arena_str(d->catalog->arena, str_of(alter->new_val));
    if (alter->old_val[0]) {
        size_t at = find_label(t, alter->old_val);
        if (at != SIZE_MAX)
            t->labels.at[at] = label;
        return;
    }
    size_t place = alter->new_val_neighbor[0] ? find_label(t, alter->new_val_neighbor) : SIZE_MAX;
    vec_push(d->catalog->arena, &t->labels, label);
    if (place == SIZE_MAX)
        return;
    place += alter->new_val_is_after ? 1 : 0;
    for (size_t i = t->labels.count - 1; i > place; i--)
        t->labels.at[i] = t->labels.at[i - 1];
    t->labels.at[place] = label;
}

/* ---- ALTER SEQUENCE ---- */

static const PgQuery__DefElem *option(PgQuery__Node *const *at, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (at[i]->node_case == PG_QUERY__NODE__NODE_DEF_ELEM &&
            strcmp(at[i]->def_elem->defname, name) == 0)
            return at[i]->def_elem;
    }
    return NULL;
}

/* The table of OWNED BY, and its column; NULL: NONE, or nothing is said. */
static struct catalog_relation *owner_of(struct deed *d, const PgQuery__AlterSeqStmt *alter,
                                         struct str *out_column)
{
    const PgQuery__DefElem *owned = option(alter->options, alter->n_options, "owned_by");
    if (!owned || !owned->arg || owned->arg->node_case != PG_QUERY__NODE__NODE_LIST ||
        owned->arg->list->n_items < 2)
        return NULL;
    const PgQuery__List *names = owned->arg->list;
    struct str unused;
    deed_split_name(names->items, names->n_items, &unused, out_column);
    return deed_relation_by_names(d, names->items, names->n_items - 1, false);
}

/* sequence.c, AlterSequence(), process_owned_by(). */
void predict_alter_sequence(struct deed *d, const PgQuery__Node *node)
{
    const PgQuery__AlterSeqStmt *alter = node->alter_seq_stmt;
    struct catalog_relation *r = deed_relation(d, alter->sequence, alter->missing_ok);
    if (!r && !(alter->missing_ok && d->catalog->is_complete))
        deed_lock_name(d, alter->sequence, LOCK_SHARE_ROW_EXCLUSIVE);
    if (!r)
        return;
    deed_lock(d, r, LOCK_SHARE_ROW_EXCLUSIVE, true);
    struct str column;
    deed_lock(d, owner_of(d, alter, &column), LOCK_ACCESS_SHARE, true);
}

void fold_alter_sequence(struct deed *d, const PgQuery__Node *node)
{
    const PgQuery__AlterSeqStmt *alter = node->alter_seq_stmt;
    struct catalog_relation *r = deed_relation(d, alter->sequence, true);
    if (!r || !r->sequence)
        return;
    const PgQuery__DefElem *as = option(alter->options, alter->n_options, "as");
    if (as && as->arg && as->arg->node_case == PG_QUERY__NODE__NODE_TYPE_NAME)
        r->sequence->type = deed_type(d, as->arg->type_name);
    if (!option(alter->options, alter->n_options, "owned_by"))
        return;
    struct catalog_column *before = r->sequence->owner_column;
    if (before && before->sequence == r)
        before->sequence = NULL;
    struct str name;
    struct catalog_relation *owner = owner_of(d, alter, &name);
    struct catalog_column *column = owner ? catalog_find_column(owner, name) : NULL;
    catalog_own_sequence(d->catalog, r, column ? owner : NULL, column);
    if (column && catalog_has_expression(&column->default_value))
        column->sequence = r;
}

/* ---- ALTER FUNCTION: no relation is looked at ---- */

void predict_alter_function(struct deed *d, const PgQuery__Node *node)
{
    (void)d;
    (void)node;
}

static bool is_on(const PgQuery__DefElem *e)
{
    return e->arg && e->arg->node_case == PG_QUERY__NODE__NODE_BOOLEAN && e->arg->boolean->boolval;
}

static void fold_option(struct catalog_function *f, const PgQuery__DefElem *e)
{
    if (strcmp(e->defname, "volatility") == 0 && e->arg &&
        e->arg->node_case == PG_QUERY__NODE__NODE_STRING)
        f->volatility = e->arg->string->sval[0];
    else if (strcmp(e->defname, "strict") == 0)
        f->is_strict = is_on(e);
    else if (strcmp(e->defname, "security") == 0)
        f->is_security_definer = is_on(e);
    else if (strcmp(e->defname, "set") == 0)
        f->has_settings = true;
}

void fold_alter_function(struct deed *d, const PgQuery__Node *node)
{
    const PgQuery__AlterFunctionStmt *alter = node->alter_function_stmt;
    if (!alter->func)
        return;
    struct catalog_function *f = function_meant(d, alter->func);
    for (size_t i = 0; f && i < alter->n_actions; i++) {
        if (alter->actions[i]->node_case == PG_QUERY__NODE__NODE_DEF_ELEM)
            fold_option(f, alter->actions[i]->def_elem);
    }
}

/* ---- ALTER STATISTICS … SET STATISTICS: the table is not even opened ---- */

void predict_alter_statistics(struct deed *d, const PgQuery__Node *node)
{
    (void)d;
    (void)node;
}

void fold_alter_statistics(struct deed *d, const PgQuery__Node *node)
{
    (void)d;
    (void)node;
}
