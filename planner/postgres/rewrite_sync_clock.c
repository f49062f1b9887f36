/*
 * When something was last written by the old name of a pair. It must cost writers next to nothing, and
 * nobody may wait for anybody: so a sequence holds the second. Its value is read without a lock that
 * others could be in the way of, is set outside of any transaction, and makes no dead rows (sequence.c:
 * nextval and setval lock the page for the moment of the change). A trigger asks in its WHEN, which
 * calls no PL/pgSQL, whether the statement names the old column and whether a minute has passed; only
 * then its function is called.
 *
 * Writers need nothing new: the sequence is known by its OID in the WHEN, where no right on the schema
 * is asked for, everybody may read it, and the function is run with the rights of who made it.
 */
#include "planner/postgres/rewrite_sync.h"

#define CLOCK_STEP_S 60

static const char *clock_name(const struct sync_pair *s)
{
    struct str name = str_of(arena_printf(s->r->a, "migrate_%s_seen", s->tag));
    return arena_cstr(s->r->a, catalog_name_text(s->r->a, s->table->schema, name));
}

/* Before the trigger that makes the old column follow the new one: 'b' comes before 'i' and 'u'. */
static const char *trigger_name(const struct sync_pair *s, const char *on)
{
    return arena_printf(s->r->a, "\"%s%s_by_%s\"", SYNC_FIRST, s->tag, on);
}

static void add_trigger(struct sync_pair *s, const char *on, const char *event,
                        const char *condition)
{
    struct online_step *step = rewrite_step(
        s->r, PHASE_EXPAND,
        "has it noted, once a minute at most, that code still needs the old form",
        "CREATE TRIGGER %s BEFORE %s ON %s FOR EACH ROW WHEN (%sCOALESCE("
        "pg_catalog.pg_sequence_last_value(%s::pg_catalog.regclass), 0) < "
        "pg_catalog.date_part('epoch', pg_catalog.clock_timestamp()) - %d) EXECUTE FUNCTION %s()",
        trigger_name(s, on), event, s->relation, condition,
        sync_literal(s->r->a, str_of(clock_name(s))), CLOCK_STEP_S, clock_name(s));
    rewrite_undo(s->r, step, UNDO_FREE, "DROP TRIGGER IF EXISTS %s ON %s", trigger_name(s, on),
                 s->relation);
}

void sync_add_clock(struct sync_pair *s, const char *written, const char *inserted)
{
    struct rewrite *r = s->r;
    const char *name = clock_name(s);
    const char *body =
        arena_printf(r->a,
                     "\nBEGIN\n    PERFORM pg_catalog.setval(%s, pg_catalog.date_part('epoch', "
                     "pg_catalog.clock_timestamp())::bigint);\n    RETURN NEW;\nEND\n",
                     sync_literal(r->a, str_of(name)));
    const char *fence = parse_fence_for(r->a, str_of(body));
    struct online_step *step =
        rewrite_step(r, PHASE_EXPAND, "makes what tells when code last needed the old form",
                     "CREATE SEQUENCE %s;\nGRANT SELECT ON SEQUENCE %s TO PUBLIC;\n"
                     "CREATE FUNCTION %s() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER "
                     "SET search_path = pg_catalog, pg_temp AS %s%s%s",
                     name, name, name, fence, body, fence);
    rewrite_undo(r, step, UNDO_FREE, "DROP FUNCTION IF EXISTS %s();\nDROP SEQUENCE IF EXISTS %s",
                 name, name);
    if (inserted)
        add_trigger(s, "ins", "INSERT", arena_printf(r->a, "%s AND ", inserted));
    if (written)
        add_trigger(s, "upd", arena_printf(r->a, "UPDATE OF %s", written), "");
    s->has_clock_on_insert = inserted != NULL;
    s->has_clock_on_update = written != NULL;
    r->form->last_write = str_of(name);
}

/* IF EXISTS, here and in what is undone: who drops the sequence CASCADE has taken its triggers along. */
void sync_drop_clock(const struct sync_pair *s, struct buf *out)
{
    if (s->has_clock_on_insert)
        buf_printf(out, "    DROP TRIGGER IF EXISTS %s ON %s;\n", trigger_name(s, "ins"),
                   s->relation);
    if (s->has_clock_on_update)
        buf_printf(out, "    DROP TRIGGER IF EXISTS %s ON %s;\n", trigger_name(s, "upd"),
                   s->relation);
    buf_printf(out, "    DROP FUNCTION IF EXISTS %s();\n    DROP SEQUENCE IF EXISTS %s;\n",
               clock_name(s), clock_name(s));
}

const char *sync_old_is_given(const struct sync_pair *s)
{
    const char *old = sync_old(s, "NEW");
    if (s->has_own_default || s->old->identity)
        return NULL; /* it is there whoever wrote */
    if (!s->shared_default)
        return arena_printf(s->r->a, "%s IS NOT NULL", old);
    return sync_differ(
        s, &s->old->type, old,
        arena_printf(s->r->a, "CAST(%s AS %s)", s->shared_default, sync_type(s, &s->old->type)));
}
