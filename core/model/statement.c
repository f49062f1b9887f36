/* What statements of both engines have in common: see statement.h. */
#include "core/model/statement.h"

const char *statement_class_name(enum statement_class c)
{
    return c == CLASS_ADDITIVE ? "additive" : "destructive";
}

void statement_refuse_record(struct arena *a, struct statement *s, const char *what)
{
    s->role = ROLE_REFUSED;
    s->refused_because =
        arena_printf(a, "%s would change %s, where migrate keeps its history", s->kind, what);
    s->refusal = "Take it out: no migration may write there. `migrate resolve` settles what is "
                 "wrong in the history, and keeps the reason.";
}
