/* Names that a statement takes: while a migration waits, one that it holds cannot be had. */
#include "planner/postgres/rewrite.h"

static struct str name_in(struct arena *a, const struct catalog *catalog, const char *schema,
                          const char *name)
{
    struct str in = schema[0] ? str_of(schema) : catalog_creation_schema(catalog);
    return catalog_name_text(a, in, str_of(name));
}

static struct str name_of(struct arena *a, const struct catalog *catalog,
                          const PgQuery__RangeVar *v)
{
    bool is_temporary = !v || strcmp(v->relpersistence, "t") == 0;
    return is_temporary ? STR("") : name_in(a, catalog, v->schemaname, v->relname);
}

/* A new name is one in the schema of what is renamed. */
static struct str renamed(struct arena *a, const struct catalog *catalog,
                          const PgQuery__RenameStmt *s)
{
    bool is_relation = s->rename_type == PG_QUERY__OBJECT_TYPE__OBJECT_TABLE ||
                       s->rename_type == PG_QUERY__OBJECT_TYPE__OBJECT_VIEW ||
                       s->rename_type == PG_QUERY__OBJECT_TYPE__OBJECT_MATVIEW ||
                       s->rename_type == PG_QUERY__OBJECT_TYPE__OBJECT_SEQUENCE ||
                       s->rename_type == PG_QUERY__OBJECT_TYPE__OBJECT_INDEX;
    if (!is_relation || !s->relation)
        return STR("");
    const struct catalog_relation *r = catalog_find_relation(
        catalog, str_of(s->relation->schemaname), str_of(s->relation->relname));
    return r ? catalog_name_text(a, r->schema, str_of(s->newname)) : STR("");
}

struct str rewrite_made(struct arena *a, const struct statement *s, const struct catalog *catalog)
{
    const PgQuery__Node *n = s->tree;
    switch (n ? n->node_case : PG_QUERY__NODE__NODE__NOT_SET) {
    case PG_QUERY__NODE__NODE_CREATE_STMT:
        return n->create_stmt->if_not_exists ? STR("")
                                             : name_of(a, catalog, n->create_stmt->relation);
    case PG_QUERY__NODE__NODE_VIEW_STMT:
        return name_of(a, catalog, n->view_stmt->view);
    case PG_QUERY__NODE__NODE_CREATE_TABLE_AS_STMT:
        return n->create_table_as_stmt->if_not_exists || !n->create_table_as_stmt->into
                   ? STR("")
                   : name_of(a, catalog, n->create_table_as_stmt->into->rel);
    case PG_QUERY__NODE__NODE_CREATE_SEQ_STMT:
        return n->create_seq_stmt->if_not_exists
                   ? STR("")
                   : name_of(a, catalog, n->create_seq_stmt->sequence);
    case PG_QUERY__NODE__NODE_RENAME_STMT:
        return renamed(a, catalog, n->rename_stmt);
    default:
        return STR("");
    }
}
