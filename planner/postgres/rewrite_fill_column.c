/*
 * ADD COLUMN … NOT NULL without a default, to a table with rows: as written it fails. With the rule that
 * only the author can give (`-- migrate: using forward=…`) the column is added empty; a trigger computes
 * it where code that does not know it leaves it out, old rows are filled in batches, and NOT NULL is set
 * when that is proved. The trigger goes when all code writes the column.
 */
#include "planner/postgres/rewrite_batch.h"
#include "planner/postgres/rewrite_sync.h"

static struct str forward_of(const struct statement *s)
{
    for (size_t i = 0; i < s->directives.count; i++) {
        if (s->directives.at[i].kind == DIRECTIVE_USING)
            return s->directives.at[i].forward;
    }
    return STR("");
}

/* ADD [COLUMN] name type [COLLATE …] NOT NULL, the only command; NULL: it says something else. */
static const PgQuery__ColumnDef *only_column(const PgQuery__AlterTableStmt *stmt)
{
    const PgQuery__AlterTableCmd *cmd =
        stmt->n_cmds == 1 && stmt->cmds[0]->node_case == PG_QUERY__NODE__NODE_ALTER_TABLE_CMD
            ? stmt->cmds[0]->alter_table_cmd
            : NULL;
    if (!cmd || cmd->subtype != PG_QUERY__ALTER_TABLE_TYPE__AT_AddColumn || cmd->missing_ok ||
        stmt->missing_ok || stmt->objtype != PG_QUERY__OBJECT_TYPE__OBJECT_TABLE ||
        !stmt->relation || !cmd->def || cmd->def->node_case != PG_QUERY__NODE__NODE_COLUMN_DEF)
        return NULL;
    const PgQuery__ColumnDef *def = cmd->def->column_def;
    const PgQuery__Constraint *k =
        def->n_constraints == 1 && def->constraints[0]->node_case == PG_QUERY__NODE__NODE_CONSTRAINT
            ? def->constraints[0]->constraint
            : NULL;
    bool is_not_null = k && k->contype == PG_QUERY__CONSTR_TYPE__CONSTR_NOTNULL && !k->conname[0];
    return is_not_null && def->type_name && !def->raw_default ? def : NULL;
}

/* "name type [COLLATE …]"; "": NOT NULL is not the end of it. */
static struct str definition(const struct rewrite *r, const PgQuery__ColumnDef *def)
{
    size_t end = rewrite_token_at(r, (size_t)def->constraints[0]->constraint->location);
    size_t from = rewrite_token_find(r, 0, PG_QUERY__TOKEN__ADD_P) + 1;
    if (from < r->tokens.count && r->tokens.at[from].kind == PG_QUERY__TOKEN__COLUMN)
        from++;
    return end + 2 == r->tokens.count ? rewrite_piece(r, from, end) : STR("");
}

static void write_steps(struct sync_pair *s, struct str column)
{
    struct rewrite *r = s->r;
    SCOPED(buf) struct buf end = {0};
    struct online_step *step =
        rewrite_step(r, PHASE_EXPAND, "adds the column, which is empty for the rows that are there",
                     "ALTER TABLE %s ADD COLUMN %.*s", s->relation, STR_ARG(column));
    rewrite_undo(r, step, UNDO_LOSSY, "ALTER TABLE %s DROP COLUMN %s", s->relation, s->new_name);
    sync_add_function(s, "fwd", "makes the function that computes the column", s->new_name,
                      sync_forward(s, "NEW"), true);
    sync_add_last_trigger(s, "computes the column in every row that is written without it",
                          arena_printf(r->a, "NEW.%s IS NULL", s->new_name));
    sync_add_clock(s, NULL, arena_printf(r->a, "NEW.%s IS NULL", s->new_name));
    step = rewrite_step(r, PHASE_BACKFILL, "computes it in the rows that are there",
                        "UPDATE %s AS t SET %s = %s WHERE (t.%s IS NULL)", s->relation, s->new_name,
                        sync_forward(s, "t"), s->new_name);
    rewrite_step_in_batches(r, step, &s->range, step->does);
    step->undo_cost = UNDO_FREE; /* it goes with the column */
    sync_set_not_null(s);
    sync_analyze(s);
    sync_drop_forward(s, &end);
    sync_drop_clock(s, &end);
    step = rewrite_step(r, PHASE_CONTRACT,
                        "drops the trigger: from here on all code writes the column", "%s",
                        sync_block(s, "", &end));
    step->waits = true;
}

bool rewrite_fill_column(struct rewrite *r)
{
    const PgQuery__AlterTableStmt *stmt = r->tree->alter_table_stmt;
    const PgQuery__ColumnDef *def = only_column(stmt);
    struct str forward = forward_of(r->statement);
    bool is_serial = false;
    if (!def || !forward.len)
        return false;
    struct catalog_relation *table = catalog_find_relation(
        r->catalog, str_of(stmt->relation->schemaname), str_of(stmt->relation->relname));
    struct sync_pair s = {.r = r,
                          .table = table,
                          .relation = rewrite_relation_sql(r, stmt->relation),
                          .old_name = "",
                          .new_name = rewrite_identifier(r, def->colname),
                          .new_type = type_resolve(r->catalog, def->type_name, &is_serial),
                          .collation = "",
                          .forward = forward};
    struct str column = definition(r, def);
    if (is_serial || !column.len || !sync_table_fits(r, table) ||
        catalog_find_column(table, str_of(def->colname)) || !sync_type_fits(&s.new_type) ||
        !sync_expression_of(r->a, table, forward, "t").len || !sync_begin(&s, s.new_name))
        return false;
    rewrite_holds(r, catalog_relation_text(r->a, table));
    rewrite_retires(r, table, str_of(def->colname), (struct retired_name){.is_required = true});
    write_steps(&s, column);
    return true;
}
