/*
 * What the copy of old rows sets off. An UPDATE that fills a new column fires the table's triggers as any
 * other does: one that stamps a time, writes an audit or notifies would do so for every row that there is.
 * Whether that is right only the author knows: `-- migrate: batch triggers=fire`, or `triggers=skip`, by
 * which batches run under session_replication_role = replica (sql-altertable.html). Foreign keys are skipped
 * then as well; those of the new column are made, and verified, behind the copy.
 */
#include "planner/postgres/rewrite_sync.h"

static bool is_of_update(const struct catalog_trigger *t)
{
    return !t->is_dropped && !sync_is_ours(t) && (!t->type || (t->type & TRIGGER_UPDATE)) &&
           !t->update_count; /* UPDATE OF others: not of a column that is not there yet */
}

static bool fires(const struct catalog_trigger *t)
{
    return is_of_update(t) && t->enabled != 'D' && t->enabled != 'R';
}

static bool fires_anyway(const struct catalog_trigger *t)
{
    return is_of_update(t) && (t->enabled == 'A' || t->enabled == 'R');
}

/* "a, b" of those that are so; "" : none. */
static const char *names_of(struct arena *a, const struct catalog_relation *table,
                            bool (*is_so)(const struct catalog_trigger *))
{
    const char *names = "";
    for (size_t i = 0; i < table->triggers.count; i++) {
        const struct catalog_trigger *t = table->triggers.at[i];
        if (is_so(t))
            names = arena_printf(a, "%s%s%.*s", names, names[0] ? ", " : "", STR_ARG(t->name));
    }
    return names;
}

static enum batch_triggers said(const struct statement *s)
{
    for (size_t i = 0; i < s->directives.count; i++) {
        if (s->directives.at[i].kind == DIRECTIVE_BATCH && s->directives.at[i].triggers)
            return s->directives.at[i].triggers;
    }
    return BATCH_TRIGGERS_UNSAID;
}

/* Their second look at a key is a trigger (unique_key_recheck). */
static bool has_deferrable_key(const struct catalog_relation *table)
{
    for (size_t i = 0; i < table->constraints.count; i++) {
        const struct catalog_constraint *k = table->constraints.at[i];
        if (!k->is_dropped && k->is_deferrable && k->kind != CONSTRAINT_FOREIGN_KEY)
            return true;
    }
    return false;
}

static bool skip(struct rewrite *r, const struct catalog_relation *table, const char *names)
{
    const char *anyway = names_of(r->a, table, fires_anyway);
    r->skips_triggers = true;
    r->triggers_say = arena_printf(r->a, "; without the triggers %s", names);
    if (anyway[0])
        r->why_not = arena_printf(r->a,
                                  "Its online form cannot skip the triggers %s, which are enabled "
                                  "for replicas or always.",
                                  anyway);
    else if (has_deferrable_key(table))
        r->why_not =
            "Its online form cannot skip triggers: a deferrable key of the table is checked "
            "by one.";
    return !r->why_not;
}

bool rewrite_copy_triggers(struct rewrite *r, const struct catalog_relation *table)
{
    const char *names = names_of(r->a, table, fires);
    if (!names[0])
        return true;
    switch (said(r->statement)) {
    case BATCH_TRIGGERS_SKIP:
        return skip(r, table, names);
    case BATCH_TRIGGERS_FIRE:
        r->triggers_say = arena_printf(r->a, "; fires for each row: %s", names);
        return true;
    case BATCH_TRIGGERS_UNSAID:
        break;
    }
    r->why_not = arena_printf(
        r->a,
        "Its online form copies rows, and the copy would fire triggers for each of them: %s. Say "
        "in front of it what is right: \"-- migrate: batch triggers=fire\", or \"-- migrate: batch "
        "triggers=skip\", for which the role must be a superuser or, from PostgreSQL 15 on, have "
        "been granted SET ON PARAMETER session_replication_role.",
        names);
    return false;
}
