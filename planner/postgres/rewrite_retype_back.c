/*
 * The time behind the switch of a change of type: the new column has the name, and the old one follows it,
 * so that there is a way back until it is dropped. A value that the old type cannot hold, or from which the
 * new one could not be made again, leaves NULL there: nobody's write fails for it, and the way back
 * counts such rows and refuses.
 *
 * The names are the same on both sides of the switch: `migrate_<tag>` is always the column that follows.
 * So the old one is made ready again by the very steps by which the new one was.
 */
#include "planner/postgres/rewrite_retype.h"

/* ---- the value of the old column ---- */

static struct str given_backward(const struct statement *s)
{
    for (size_t i = 0; i < s->directives.count; i++) {
        if (s->directives.at[i].kind == DIRECTIVE_USING)
            return s->directives.at[i].backward;
    }
    return STR("");
}

/* Whole numbers can be asked whether they fit, which costs less than to try. */
static const char *whole_number(const struct retype *x)
{
    static const struct {
        const char *type, *least, *most;
    } rows[] = {
        {"int2", "-32768", "32767"},
        {"int4", "-2147483648", "2147483647"},
        {"int8", "-9223372036854775808", "9223372036854775807"},
    };
    const char *value = sync_old(&x->s, "NEW");
    const char *fitting = NULL;
    bool is_whole = false;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct type_ref *old = &x->s.old->type;
        const struct type_ref *new = &x->s.new_type;
        is_whole |= str_equal(new->builtin, str_of(rows[i].type)) && !new->is_array;
        if (str_equal(old->builtin, str_of(rows[i].type)) && !old->is_array)
            fitting = arena_printf(x->s.r->a, "CASE WHEN %s BETWEEN %s AND %s THEN %s END", value,
                                   rows[i].least, rows[i].most, value);
    }
    return is_whole ? fitting : NULL;
}

/* Any type can be read from its text, if that is one. */
static bool has_cast_back(const struct retype *x)
{
    const struct type_ref *new = &x->s.new_type;
    bool is_text = !new->is_array && (str_equal(new->builtin, STR("text")) ||
                                      str_equal(new->builtin, STR("varchar")));
    enum type_change change = type_change(x->s.r->catalog, new, &x->s.old->type, STR(""));
    return is_text || (change != TYPE_CHANGE_UNKNOWN && change != TYPE_CHANGE_IMPOSSIBLE);
}

void retype_find_way_back(struct retype *x)
{
    struct arena *a = x->s.r->a;
    struct str given = given_backward(x->s.r->statement);
    if (given.len) {
        struct str text = sync_expression_of(a, x->s.table, given, "NEW");
        if (text.len)
            x->backward = arena_printf(a, "CAST((%.*s) AS %s)", STR_ARG(text),
                                       sync_type(&x->s, &x->s.old->type));
        return;
    }
    if (x->s.forward.len) /* what undoes an expression only its author knows */
        return;
    x->backward = whole_number(x);
    x->never_fails = x->backward != NULL;
    if (!x->backward && has_cast_back(x))
        x->backward = arena_printf(a, "CAST(%s AS %s)", sync_old(&x->s, "NEW"),
                                   sync_type(&x->s, &x->s.old->type));
}

/* ---- behind the switch ---- */

struct following {
    const struct sync_pair *s;
    const char *of;
};

static const char *name_behind(void *context, const struct catalog_column *column)
{
    const struct following *f = context;
    const char *name = column == f->s->old
                           ? f->s->new_name
                           : arena_cstr(f->s->r->a, catalog_identifier(f->s->r->a, column->name));
    return arena_printf(f->s->r->a, "%s.%s", f->of, name);
}

/* The value that the new column would have of the old one. */
static const char *forward_behind(const struct sync_pair *s, const char *of)
{
    struct following f = {s, of};
    struct arena *a = s->r->a;
    const char *value =
        s->forward.len
            ? arena_printf(a, "(%.*s)",
                           STR_ARG(sync_expression_with(a, s->table, s->forward, name_behind, &f)))
            : sync_new(s, of);
    return type_equal(&s->old->type, &s->new_type)
               ? value
               : arena_printf(a, "CAST(%s AS %s)", value, sync_type(s, &s->new_type));
}

const char *retype_disagree_behind(const struct sync_pair *s, const char *of)
{
    return sync_differ(s, &s->new_type, sync_old(s, of), forward_behind(s, of));
}

void retype_add_reverse(struct retype *x)
{
    struct sync_pair *s = &x->s;
    struct arena *a = s->r->a;
    const char *body;
    if (x->never_fails)
        body = arena_printf(a, "    NEW.%s := %s;\n", s->new_name, x->backward);
    else
        body = arena_printf(a,
                            "    BEGIN\n        NEW.%s := %s;\n        IF %s THEN\n"
                            "            NEW.%s := NULL;\n        END IF;\n"
                            "    EXCEPTION WHEN OTHERS THEN\n        NEW.%s := NULL;\n    END;\n",
                            s->new_name, x->backward, retype_disagree_behind(s, "NEW"), s->new_name,
                            s->new_name);
    sync_add_function_of(s, "rev",
                         "makes the function by which the old column will follow the new one", body,
                         !x->never_fails);
}

/* ---- the way back ---- */

static void add_lock(struct rewrite *r, struct table_locks *locks, struct str table,
                     enum lock_mode mode)
{
    struct table_lock one = {.table = table, .mode = mode};
    table_locks_add(r->a, locks, &one);
}

const struct table_locks *retype_locks(const struct retype *x, enum lock_mode mode)
{
    struct rewrite *r = x->s.r;
    struct table_locks *locks = arena_new(r->a, struct table_locks);
    add_lock(r, locks, str_of(x->s.relation), mode);
    for (size_t i = 0; i < x->constraints.count; i++) {
        const struct catalog_constraint *k = x->constraints.at[i].like;
        add_lock(r, locks, catalog_relation_text(r->a, k->relation), mode);
        if (k->referenced)
            add_lock(r, locks, catalog_relation_text(r->a, k->referenced), mode);
    }
    return locks;
}

/* From here on nobody writes what the old type cannot hold, as before the switch. */
static void refuse_others(struct retype *x)
{
    struct sync_pair *s = &x->s;
    struct arena *a = s->r->a;
    const char *of = arena_cstr(a, catalog_identifier(a, s->table->name));
    (void)rewrite_step(s->r, PHASE_EXPAND, "refuses new values that the old type cannot hold",
                       "ALTER TABLE %s ADD CONSTRAINT migrate_%s_b CHECK (NOT (%s)) NOT VALID",
                       s->relation, s->tag, retype_disagree_behind(s, of));
    (void)rewrite_step(s->r, PHASE_BACKFILL,
                       "looks at the rows that are there, while others read and write",
                       "ALTER TABLE %s VALIDATE CONSTRAINT migrate_%s_b", s->relation, s->tag);
}

static void add_proof(struct retype *x)
{
    struct sync_pair *s = &x->s;
    SCOPED(buf) struct buf key = {0};
    struct online_range *range = arena_new(s->r->a, struct online_range);
    *range = s->range;
    for (size_t i = 0; i < s->range.key.count; i++)
        buf_printf(&key, "%st.%.*s", i ? ", " : "", STR_ARG(s->range.key.at[i]));
    struct online_step *step =
        rewrite_step(s->r, PHASE_BACKFILL, "counts rows whose value the old type cannot hold",
                     "SELECT %s FROM %s AS t WHERE (%s)", key.len ? buf_cstr(&key) : "t.ctid",
                     s->relation, retype_disagree_behind(s, "t"));
    step->kind = STEP_VERIFICATION;
    step->range = range;
}

/* They were written behind the others: they become the undo of the one in front of them. */
static void make_undo(struct rewrite *r, size_t at)
{
    struct online_step *step = &r->form->steps.at[at];
    for (size_t i = at + 1; i < r->form->steps.count; i++) {
        struct online_step one = r->form->steps.at[i];
        one.undo = STR("");
        one.undo_cost = UNDO_IMPOSSIBLE;
        vec_push(r->a, &step->undo_steps, one);
    }
    r->form->steps.count = at + 1;
    step->undo_cost = UNDO_COSTLY; /* indexes are built again */
}

/* Those that look at rows lock nobody out. */
static void lock_each(const struct rewrite *r, size_t from, const struct table_locks *locks)
{
    for (size_t i = from; i < r->form->steps.count; i++) {
        struct online_step *step = &r->form->steps.at[i];
        if (step->phase == PHASE_EXPAND && !step->refuses_transaction)
            step->locks = locks;
    }
}

static const struct table_locks *own_lock(const struct sync_pair *s)
{
    struct table_locks *locks = arena_new(s->r->a, struct table_locks);
    add_lock(s->r, locks, str_of(s->relation), LOCK_ACCESS_EXCLUSIVE);
    return locks;
}

void retype_undo_switch(struct retype *x, size_t at)
{
    struct rewrite *r = x->s.r;
    size_t from = r->form->steps.count;
    add_proof(x);
    refuse_others(x);
    if (x->s.old->is_not_null)
        sync_set_not_null(&x->s);
    retype_add_checks(x);
    lock_each(r, from, own_lock(&x->s));
    sync_build_indexes(&x->s, &x->indexes);
    from = r->form->steps.count;
    retype_add_foreign_keys(x);
    lock_each(r, from, retype_locks(x, LOCK_SHARE_ROW_EXCLUSIVE));
    retype_change_places(x, true);
    make_undo(r, at);
}

/* ---- the end ---- */

void retype_end(struct retype *x)
{
    struct sync_pair *s = &x->s;
    SCOPED(buf) struct buf body = {0};
    sync_drop_last_trigger(s, "rev", &body);
    sync_drop_functions(s, &body);
    buf_printf(&body, "    ALTER TABLE %s DROP COLUMN %s;\n", s->relation, s->new_name);
    struct online_step *step =
        rewrite_step(s->r, PHASE_CONTRACT, "drops the old column", "%s", sync_block(s, "", &body));
    step->locks = own_lock(s);
    step->waits = true;
    step->waits_again = true;
}
