/*
 * SQLite does not look at the bodies of triggers, nor at views, before it needs them. So they are
 * needed here: each view is read, each trigger is fired by statements that are only prepared, before a
 * change and behind it.
 */
#include "planner/sqlite/state.h"

#include "core/base/buf.h"

bool health_may_break(const struct sqlite_analysis *p, const struct statement *s)
{
    return p->facts.alter == ALTER_DROP || p->facts.alter == ALTER_RENAME ||
           state_is_kind(s, "DROP TABLE") || state_is_kind(s, "DROP VIEW");
}

static void add_name(struct buf *out, struct str name)
{
    buf_add_char(out, '"');
    for (size_t i = 0; i < name.len; i++) {
        if (name.at[i] == '"')
            buf_add_char(out, '"');
        buf_add_char(out, name.at[i]);
    }
    buf_add_char(out, '"');
}

/* UPDATE of every column fires UPDATE OF any. */
static const char *update_of(struct arena *a, const struct sqlite_object *table)
{
    SCOPED(buf) struct buf sql = {0};
    bool has_any = false;
    buf_add_cstr(&sql, "UPDATE ");
    add_name(&sql, table->name);
    for (size_t i = 0; i < table->columns.count; i++) {
        const struct sqlite_column *c = &table->columns.at[i];
        if (c->is_generated)
            continue;
        buf_add_cstr(&sql, has_any ? ", " : " SET ");
        add_name(&sql, c->name);
        buf_add_cstr(&sql, " = NULL");
        has_any = true;
    }
    return has_any ? arena_cstr(a, buf_str(&sql)) : NULL;
}

static const char *fire(struct arena *a, struct sqlite_analysis *p,
                        const struct sqlite_object *table)
{
    SCOPED(buf) struct buf name = {0};
    add_name(&name, table->name);
    const char *statements[] = {
        arena_printf(a, "INSERT INTO %s DEFAULT VALUES", buf_cstr(&name)),
        update_of(a, table),
        arena_printf(a, "DELETE FROM %s", buf_cstr(&name)),
    };
    for (size_t i = 0; i < ARRAY_LEN(statements); i++) {
        const char *error = statements[i] ? scratch_prepares(a, p->scratch, statements[i]) : NULL;
        /* A view with a trigger for another kind of statement. */
        if (error && strncmp(error, "cannot modify ", strlen("cannot modify ")) != 0)
            return error;
    }
    return NULL;
}

static const char *health_of_trigger(struct arena *a, struct sqlite_analysis *p,
                                     const struct sqlite_object *o)
{
    const struct sqlite_object *table = objects_find_relation(&p->now, o->table);
    if (!table)
        return NULL;
    scratch_begin_trial(p->scratch);
    for (size_t i = 0; i < p->now.count; i++) {
        const struct sqlite_object *other = p->now.at[i];
        if (other->kind == OBJECT_TRIGGER && other != o && str_equal_nocase(other->table, o->table))
            (void)scratch_run(p->scratch, "DROP TRIGGER \"%w\"", arena_cstr(a, other->name));
    }
    const char *error = fire(a, p, table);
    scratch_end_trial(p->scratch);
    return error;
}

const char *health_of(struct arena *a, struct sqlite_analysis *p, const struct sqlite_object *o)
{
    if (o->kind == OBJECT_TRIGGER)
        return health_of_trigger(a, p, o);
    SCOPED(buf) struct buf sql = {0};
    buf_add_cstr(&sql, "SELECT * FROM ");
    add_name(&sql, o->name);
    return scratch_prepares(a, p->scratch, buf_cstr(&sql));
}

static struct health *find_health(struct sqlite_analysis *p, const struct sqlite_object *o)
{
    for (size_t i = 0; i < p->file.healths.count; i++) {
        struct health *h = &p->file.healths.at[i];
        if (h->object->kind == o->kind && str_equal_nocase(h->object->name, o->name))
            return h;
    }
    return NULL;
}

void health_look(struct sqlite_analysis *p, const struct statement *s)
{
    bool is_first = !p->file.has_healths;
    p->file.has_healths = true;
    for (size_t i = 0; i < p->now.count; i++) {
        const struct sqlite_object *o = p->now.at[i];
        if (o->kind != OBJECT_VIEW && o->kind != OBJECT_TRIGGER)
            continue;
        struct health *h = find_health(p, o);
        const char *error = health_of(p->a, p, o);
        if (!h) {
            /* Broken as it was made, or before: nothing of ours broke it. */
            vec_push(p->a, &p->file.healths, (struct health){.object = o, .error = error});
            continue;
        }
        if (!error) {
            h->error = NULL;
            h->line = 0;
        } else if (!h->error && s && !is_first) {
            h->error = error;
            h->line = s->line;
            h->breaks = s->kind;
        }
    }
}
