/*
 * Statements of which only the catalog tells that they refuse a transaction: REINDEX and CLUSTER of what is
 * partitioned, CALL of a procedure that commits. They are grouped as those whose words tell it.
 */
#include "planner/planner_parts.h"

/* Running it again is harmless. */
static const struct probe rerun = {.kind = PROBE_RERUN, .schema = "", .name = ""};

static bool is_repeatable(const struct statement *s)
{
    return str_starts(str_of(s->kind), STR("REINDEX")) ||
           str_equal(str_of(s->kind), STR("CLUSTER"));
}

bool planner_asks_catalog(const struct statement *s)
{
    return s->role == ROLE_ORDINARY &&
           (is_repeatable(s) || str_equal(str_of(s->kind), STR("CALL")));
}

bool planner_stands_alone(struct pass *p, struct statement *s, const struct analysis *seen,
                          struct grouping started, struct grouping_step *step, struct fail *f)
{
    /* What is read in pieces is read again by the run, which has no catalog. */
    if (!seen->effects.refuses_transaction || !planner_asks_catalog(s) || !p->is_whole ||
        started.open == UNIT_OWN || step->open == UNIT_ALONE)
        return true;
    s->role = ROLE_ALONE;
    s->probe = is_repeatable(s) ? &rerun : NULL; /* what a CALL has done, nothing tells */
    p->grouping = started;
    p->is_regrouped = true;
    planner_tell(p, ANALYSIS_TRANSACTION_ENDS);
    return planner_feed(p, s, false, step, f);
}
