/* The steps by which a pair is made, filled, proved and ended. */
#include "planner/postgres/rewrite_sync.h"

#include "planner/postgres/rewrite_batch.h"

void sync_add_column(struct sync_pair *s)
{
    struct rewrite *r = s->r;
    const char *collation = s->collation[0] ? arena_printf(r->a, " COLLATE %s", s->collation) : "";
    /* In a command of its own the default is for new rows only: nothing is written, and old rows can be
       told from those that are copied. */
    const char *value = s->shared_default ? arena_printf(r->a, ", ALTER COLUMN %s SET DEFAULT %s",
                                                         s->new_name, s->shared_default)
                                          : "";
    struct online_step *step =
        rewrite_step(r, PHASE_EXPAND, "adds the column, which is empty for the rows that are there",
                     "ALTER TABLE %s ADD COLUMN %s %s%s%s", s->relation, s->new_name,
                     sync_type(s, &s->new_type), collation, value);
    rewrite_undo(r, step, UNDO_FREE, "ALTER TABLE %s DROP COLUMN %s", s->relation, s->new_name);
}

/* ---- triggers ---- */

static const char *function_name(const struct sync_pair *s, const char *what)
{
    struct str name = str_of(arena_printf(s->r->a, "migrate_%s_%s", s->tag, what));
    return arena_cstr(s->r->a, catalog_name_text(s->r->a, s->table->schema, name));
}

static const char *trigger_name(const struct sync_pair *s, const char *before, const char *what)
{
    return arena_printf(s->r->a, "\"%s%s_%s\"", before, s->tag, what);
}

/* Expressions of the author's mean what they mean in the migration; an assignment means the same
   everywhere. */
void sync_add_function_of(struct sync_pair *s, const char *what, const char *does,
                          const char *statements, bool is_expression)
{
    struct arena *a = s->r->a;
    const char *name = function_name(s, what);
    const char *body = arena_printf(a, "\nBEGIN\n%s    RETURN NEW;\nEND\n", statements);
    const char *fence = parse_fence_for(a, str_of(body));
    struct online_step *step =
        rewrite_step(s->r, PHASE_EXPAND, does,
                     "CREATE FUNCTION %s() RETURNS trigger LANGUAGE plpgsql%s AS %s%s%s", name,
                     is_expression ? " SET search_path FROM CURRENT" : "", fence, body, fence);
    rewrite_undo(s->r, step, UNDO_FREE, "DROP FUNCTION %s()", name);
}

void sync_add_function(struct sync_pair *s, const char *what, const char *does, const char *column,
                       const char *value, bool is_expression)
{
    const char *statement = arena_printf(s->r->a, "    NEW.%s := %s;\n", column, value);
    sync_add_function_of(s, what, does, statement, is_expression);
}

static const char *trigger_text(const struct sync_pair *s, const char *name, const char *on,
                                const char *condition, const char *function)
{
    return arena_printf(
        s->r->a, "CREATE TRIGGER %s BEFORE %s ON %s FOR EACH ROW WHEN (%s) EXECUTE FUNCTION %s()",
        name, on, s->relation, condition, function_name(s, function));
}

static void add_trigger(struct sync_pair *s, const char *name, const char *on, const char *does,
                        const char *condition, const char *function)
{
    struct online_step *step = rewrite_step(s->r, PHASE_EXPAND, does, "%s",
                                            trigger_text(s, name, on, condition, function));
    rewrite_undo(s->r, step, UNDO_FREE, "DROP TRIGGER %s ON %s", name, s->relation);
}

static const char *default_as(const struct sync_pair *s, const struct type_ref *type)
{
    return arena_printf(s->r->a, "CAST(%s AS %s)", s->shared_default, sync_type(s, type));
}

/* Of the two columns of a new row, which one was given? The one that is not its default. */
static const char *only_new_is_given(const struct sync_pair *s)
{
    struct arena *a = s->r->a;
    const char *new = sync_new(s, "NEW");
    const char *old = sync_old(s, "NEW");
    if (s->shared_default)
        return arena_printf(a, "%s AND %s",
                            sync_differ(s, &s->new_type, new, default_as(s, &s->new_type)),
                            sync_same(s, &s->old->type, old, default_as(s, &s->old->type)));
    if (s->has_own_default || s->old->identity)
        return arena_printf(a, "%s AND %s IS NOT NULL", sync_disagree(s, "NEW"), new);
    return arena_printf(a, "%s IS NOT NULL AND %s IS NULL", new, old);
}

/* What the old column says already need not be taken over: the copy of old rows is none of that. */
static const char *only_new_is_changed(const struct sync_pair *s)
{
    return arena_printf(s->r->a, "%s AND %s AND %s", sync_disagree(s, "NEW"),
                        sync_differ(s, &s->new_type, sync_new(s, "NEW"), sync_new(s, "OLD")),
                        sync_same(s, &s->old->type, sync_old(s, "NEW"), sync_old(s, "OLD")));
}

void sync_add_last_trigger(struct sync_pair *s, const char *does, const char *condition)
{
    add_trigger(s, trigger_name(s, SYNC_LAST, "fwd"), "INSERT OR UPDATE", does, condition, "fwd");
}

const char *sync_last_trigger(const struct sync_pair *s, const char *what, const char *condition)
{
    return trigger_text(s, trigger_name(s, SYNC_LAST, what), "INSERT OR UPDATE", condition, what);
}

void sync_add_forward(struct sync_pair *s)
{
    sync_add_function(s, "fwd", "makes the function by which the new column follows the old one",
                      s->new_name, sync_forward(s, "NEW"), s->forward.len > 0);
    sync_add_last_trigger(s,
                          "has every row that is written from here on say the same in both columns",
                          sync_disagree(s, "NEW"));
}

void sync_add_triggers(struct sync_pair *s)
{
    sync_add_forward(s);
    sync_add_function(s, "rev", "makes the function by which the old column follows the new one",
                      s->old_name, sync_new(s, "NEW"), false);
    add_trigger(s, trigger_name(s, SYNC_FIRST, "ins"), "INSERT",
                "takes over what a new row has in the new column only", only_new_is_given(s),
                "rev");
    add_trigger(s, trigger_name(s, SYNC_FIRST, "upd"), "UPDATE",
                "takes over what is changed in the new column only", only_new_is_changed(s), "rev");
}

void sync_drop_triggers(const struct sync_pair *s, struct buf *out)
{
    buf_printf(out, "    DROP TRIGGER %s ON %s;\n", trigger_name(s, SYNC_FIRST, "ins"),
               s->relation);
    buf_printf(out, "    DROP TRIGGER %s ON %s;\n", trigger_name(s, SYNC_FIRST, "upd"),
               s->relation);
    buf_printf(out, "    DROP TRIGGER %s ON %s;\n", trigger_name(s, SYNC_LAST, "fwd"), s->relation);
}

void sync_drop_functions(const struct sync_pair *s, struct buf *out)
{
    buf_printf(out, "    DROP FUNCTION %s();\n", function_name(s, "rev"));
    buf_printf(out, "    DROP FUNCTION %s();\n", function_name(s, "fwd"));
}

void sync_drop_last_trigger(const struct sync_pair *s, const char *what, struct buf *out)
{
    buf_printf(out, "    DROP TRIGGER %s ON %s;\n", trigger_name(s, SYNC_LAST, what), s->relation);
}

void sync_drop_forward(const struct sync_pair *s, struct buf *out)
{
    buf_printf(out, "    DROP TRIGGER %s ON %s;\n", trigger_name(s, SYNC_LAST, "fwd"), s->relation);
    buf_printf(out, "    DROP FUNCTION %s();\n", function_name(s, "fwd"));
}

const char *sync_block(const struct sync_pair *s, const char *declarations,
                       const struct buf *statements)
{
    const char *fence = parse_fence_for(s->r->a, buf_str(statements));
    return arena_printf(s->r->a, "DO %s\n%sBEGIN\n%.*sEND\n%s", fence, declarations,
                        STR_ARG(buf_str(statements)), fence);
}

/* ---- rows ---- */

void sync_copy(struct sync_pair *s)
{
    struct online_step *step =
        rewrite_step(s->r, PHASE_BACKFILL, "copies the values of the rows that are there",
                     "UPDATE %s AS t SET %s = %s WHERE (%s)", s->relation, s->new_name,
                     sync_forward(s, "t"), sync_disagree(s, "t"));
    rewrite_step_in_batches(s->r, step, &s->range, step->does);
    step->undo_cost = UNDO_FREE; /* the column goes with its own step */
}

void sync_analyze(struct sync_pair *s)
{
    struct online_step *step = rewrite_step(
        s->r, PHASE_BACKFILL, "gathers statistics of the new column", "ANALYZE %s", s->relation);
    step->undo_cost = UNDO_FREE;
}

void sync_verify(struct sync_pair *s, bool waits)
{
    struct online_range *range = arena_new(s->r->a, struct online_range);
    *range = s->range;
    SCOPED(buf) struct buf key = {0};
    for (size_t i = 0; i < s->range.key.count; i++)
        buf_printf(&key, "%st.%.*s", i ? ", " : "", STR_ARG(s->range.key.at[i]));
    struct online_step *step =
        rewrite_step(s->r, waits ? PHASE_CONTRACT : PHASE_BACKFILL,
                     waits ? "proves once more that both columns say the same"
                           : "proves that both columns say the same in every row",
                     "SELECT %s FROM %s AS t WHERE (%s)", key.len ? buf_cstr(&key) : "t.ctid",
                     s->relation, sync_disagree(s, "t"));
    step->kind = STEP_VERIFICATION;
    step->range = range;
    step->waits = waits;
    step->undo_cost = UNDO_FREE;
}

/* ---- NOT NULL ---- */

void sync_set_not_null(struct sync_pair *s)
{
    const char *proof = arena_printf(s->r->a, "migrate_%s_nn", s->tag);
    struct online_step *step =
        rewrite_step(s->r, PHASE_EXPAND, "has new rows checked for NULL in the new column",
                     "ALTER TABLE %s ADD CONSTRAINT %s CHECK (%s IS NOT NULL) NOT VALID",
                     s->relation, proof, s->new_name);
    rewrite_undo(s->r, step, UNDO_FREE, "ALTER TABLE %s DROP CONSTRAINT IF EXISTS %s", s->relation,
                 proof);
    step = rewrite_step(s->r, PHASE_BACKFILL,
                        "looks at the rows that are there, while others read and write",
                        "ALTER TABLE %s VALIDATE CONSTRAINT %s", s->relation, proof);
    step->undo_cost = UNDO_FREE;
    step = rewrite_step(s->r, PHASE_EXPAND, "sets NOT NULL, which the constraint proves",
                        "ALTER TABLE %s ALTER COLUMN %s SET NOT NULL", s->relation, s->new_name);
    rewrite_undo(s->r, step, UNDO_FREE, "ALTER TABLE %s ALTER COLUMN %s DROP NOT NULL", s->relation,
                 s->new_name);
    step = rewrite_step(s->r, PHASE_EXPAND, "drops the constraint that was the proof",
                        "ALTER TABLE %s DROP CONSTRAINT %s", s->relation, proof);
    step->undo_cost = UNDO_FREE;
}
