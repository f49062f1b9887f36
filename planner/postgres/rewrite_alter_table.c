/*
 * ALTER TABLE: what would be verified or built under ACCESS EXCLUSIVE is added NOT VALID, or built
 * CONCURRENTLY, and verified behind it under a lock that stops nobody.
 *
 * All that is quick stays together in one ALTER TABLE, so that a constraint that replaces another one leaves
 * no gap; what must not share a transaction with a strong lock has one of its own. SET NOT NULL believes a
 * validated CHECK, but not in the ALTER TABLE that drops it: drops come first there. Sources:
 * sql-altertable.html; tablecmds.c (ATRewriteCatalogs, ATExecValidateConstraint,
 * NotNullImpliedByRelConstraints, ATExecAddIndexConstraint).
 */
#include "planner/postgres/rewrite_alter_table.h"

/* ---- the steps, in their order ---- */

const char *alter_deferral(const struct alter_item *item)
{
    return item->k->initdeferred ? " DEFERRABLE INITIALLY DEFERRED"
           : item->k->deferrable ? " DEFERRABLE"
                                 : "";
}

const char *alter_key_word(const struct alter_item *item)
{
    return item->k->contype == PG_QUERY__CONSTR_TYPE__CONSTR_PRIMARY ? "PRIMARY KEY" : "UNIQUE";
}

/* INCLUDE (…), WITH (…): a word and what it has in parentheses. */
static struct str clause(const struct rewrite *r, const struct alter_item *item, int word)
{
    size_t at = rewrite_token_find(r, item->from, word);
    size_t end;
    if (at >= item->to || !alter_parens(r, at + 1, &end).len || end > item->to)
        return STR("");
    return rewrite_piece(r, at, end);
}

static void add_clause(struct buf *out, struct str clause)
{
    if (clause.len)
        buf_printf(out, " %.*s", STR_ARG(clause));
}

void rewrite_build_key_index(struct alter_rewrite *x, const struct alter_item *item,
                             const char *table, struct str schema, struct str index)
{
    struct rewrite *r = x->r;
    SCOPED(buf) struct buf rest = {0};
    add_clause(&rest, clause(r, item, PG_QUERY__TOKEN__INCLUDE));
    if (item->k->nulls_not_distinct)
        buf_add_cstr(&rest, " NULLS NOT DISTINCT");
    if (item->k->n_options)
        add_clause(&rest, clause(r, item, PG_QUERY__TOKEN__WITH));
    if (item->k->indexspace[0])
        buf_printf(&rest, " TABLESPACE %s", rewrite_identifier(r, item->k->indexspace));
    struct online_step *step = rewrite_step_alone(
        r, PHASE_EXPAND, "builds the index of the key while others read and write",
        "CREATE UNIQUE INDEX CONCURRENTLY %.*s ON %s %.*s%s", STR_ARG(index), table,
        STR_ARG(item->columns), buf_cstr(&rest));
    const char *dot = schema.len ? "." : "";
    /* IF EXISTS: it goes with the key, where that was made of it. */
    rewrite_undo(r, step, UNDO_FREE, "DROP INDEX CONCURRENTLY IF EXISTS %.*s%s%.*s",
                 STR_ARG(schema.len ? catalog_identifier(r->a, schema) : STR("")), dot,
                 STR_ARG(index));
}

static void build_index(struct alter_rewrite *x, const struct alter_item *item)
{
    rewrite_build_key_index(x, item, rewrite_relation_sql(x->r, x->stmt->relation),
                            x->table->schema, item->index);
}

static void build_indexes_before(struct alter_rewrite *x)
{
    for (size_t i = 0; i < x->items.count; i++) {
        const struct alter_item *item = &x->items.at[i];
        if (item->kind == ITEM_KEY && item->is_before && !x->is_partitioned)
            build_index(x, item);
    }
}

static void add_command_text(struct buf *out, const char *text)
{
    buf_printf(out, "%s%s", out->len ? ", " : "", text);
}

/* The command of the first step that stands for an item; "" : it has none there. */
static const char *first_command(struct alter_rewrite *x, const struct alter_item *item)
{
    struct arena *a = x->r->a;
    switch (item->kind) {
    case ITEM_PLAIN:
        return x->fills && item->adds_column ? "" : arena_cstr(a, item->text);
    case ITEM_CHECK:
        return arena_printf(a, "ADD CONSTRAINT %.*s %.*s NOT VALID", STR_ARG(item->name),
                            STR_ARG(item->text));
    case ITEM_NOT_NULL:
        return arena_printf(a, "ADD CONSTRAINT %.*s CHECK (%.*s IS NOT NULL) NOT VALID",
                            STR_ARG(item->name), STR_ARG(item->column));
    case ITEM_KEY:
        if (!item->is_before || item->needs_not_null || x->is_partitioned)
            return "";
        return arena_printf(a, "ADD CONSTRAINT %.*s %s USING INDEX %.*s%s", STR_ARG(item->name),
                            alter_key_word(item), STR_ARG(item->index), alter_deferral(item));
    case ITEM_FOREIGN_KEY:
        return "";
    }
    return "";
}

static void add_first_step(struct alter_rewrite *x)
{
    SCOPED(buf) struct buf commands = {0};
    SCOPED(buf) struct buf undo = {0};
    bool has_undo = true;
    for (size_t i = 0; i < x->items.count; i++) {
        const struct alter_item *item = &x->items.at[i];
        const char *text = first_command(x, item);
        if (!text[0])
            continue;
        add_command_text(&commands, text);
        has_undo &= item->kind != ITEM_PLAIN;
        /* A proof of NOT NULL goes with a step behind. */
        add_command_text(&undo, arena_printf(x->r->a, "DROP CONSTRAINT %s%.*s",
                                             item->kind == ITEM_NOT_NULL ? "IF EXISTS " : "",
                                             STR_ARG(item->name)));
    }
    if (!commands.len)
        return;
    struct online_step *step =
        rewrite_step(x->r, PHASE_EXPAND, "changes the table without looking at its rows", "%.*s %s",
                     STR_ARG(x->head), buf_cstr(&commands));
    if (has_undo)
        rewrite_undo(x->r, step, UNDO_FREE, "%.*s %s", STR_ARG(x->head), buf_cstr(&undo));
}

/* One for each transaction: each locks another table as well. */
static void add_foreign_keys(struct alter_rewrite *x)
{
    for (size_t i = 0; i < x->items.count; i++) {
        const struct alter_item *item = &x->items.at[i];
        if (item->kind != ITEM_FOREIGN_KEY)
            continue;
        const char *own = item->column.len
                              ? arena_printf(x->r->a, "FOREIGN KEY (%.*s) ", STR_ARG(item->column))
                              : "";
        struct online_step *step =
            rewrite_step(x->r, PHASE_EXPAND,
                         "adds the foreign key for new rows, without looking at the old ones",
                         "%.*s ADD CONSTRAINT %.*s %s%.*s NOT VALID", STR_ARG(x->head),
                         STR_ARG(item->name), own, STR_ARG(item->text));
        rewrite_undo(x->r, step, UNDO_FREE, "%.*s DROP CONSTRAINT %.*s", STR_ARG(x->head),
                     STR_ARG(item->name));
    }
}

/* One command of an ALTER TABLE, or all of them: what is read of the table is read once for all. */
static void validate_step(struct alter_rewrite *x, const char *commands)
{
    struct online_step *step = rewrite_step(
        x->r, PHASE_BACKFILL, "looks at the rows that are there, while others read and write",
        "%.*s %s", STR_ARG(x->head), commands);
    step->undo_cost = UNDO_FREE; /* nothing is to be taken back */
}

static void validate(struct alter_rewrite *x)
{
    SCOPED(buf) struct buf checks = {0};
    for (size_t i = 0; i < x->items.count; i++) {
        const struct alter_item *item = &x->items.at[i];
        if (item->kind == ITEM_CHECK || item->kind == ITEM_NOT_NULL)
            add_command_text(
                &checks, arena_printf(x->r->a, "VALIDATE CONSTRAINT %.*s", STR_ARG(item->name)));
    }
    if (checks.len)
        validate_step(x, buf_cstr(&checks));
    for (size_t i = 0; i < x->items.count; i++) {
        const struct alter_item *item = &x->items.at[i];
        if (item->kind == ITEM_FOREIGN_KEY)
            validate_step(x,
                          arena_printf(x->r->a, "VALIDATE CONSTRAINT %.*s", STR_ARG(item->name)));
    }
}

static void set_not_null(struct alter_rewrite *x)
{
    SCOPED(buf) struct buf set = {0};
    SCOPED(buf) struct buf undo = {0};
    SCOPED(buf) struct buf drop = {0};
    for (size_t i = 0; i < x->items.count; i++) {
        const struct alter_item *item = &x->items.at[i];
        if (item->kind != ITEM_NOT_NULL)
            continue;
        struct arena *a = x->r->a;
        add_command_text(&set,
                         arena_printf(a, "ALTER COLUMN %.*s SET NOT NULL", STR_ARG(item->column)));
        add_command_text(&undo,
                         arena_printf(a, "ALTER COLUMN %.*s DROP NOT NULL", STR_ARG(item->column)));
        add_command_text(&drop, arena_printf(a, "DROP CONSTRAINT %.*s", STR_ARG(item->name)));
    }
    if (!set.len)
        return;
    struct online_step *step =
        rewrite_step(x->r, PHASE_EXPAND, "sets NOT NULL, which the constraint proves", "%.*s %s",
                     STR_ARG(x->head), buf_cstr(&set));
    rewrite_undo(x->r, step, UNDO_FREE, "%.*s %s", STR_ARG(x->head), buf_cstr(&undo));
    step = rewrite_step(x->r, PHASE_EXPAND, "drops the constraint that was the proof", "%.*s %s",
                        STR_ARG(x->head), buf_cstr(&drop));
    step->undo_cost = UNDO_FREE;
}

/* Keys over columns that the statement makes, and those that had to wait for NOT NULL. */
static bool add_keys_behind(struct alter_rewrite *x)
{
    for (size_t i = 0; i < x->items.count; i++) {
        const struct alter_item *item = &x->items.at[i];
        bool is_done = item->is_before && !item->needs_not_null && !x->is_partitioned;
        if (item->kind != ITEM_KEY || is_done)
            continue;
        if (x->is_partitioned) {
            if (!alter_add_partitioned_key(x, item))
                return false;
            continue;
        }
        if (!item->is_before)
            build_index(x, item);
        struct online_step *step = rewrite_step(
            x->r, PHASE_EXPAND, "makes the index the one of the key",
            "%.*s ADD CONSTRAINT %.*s %s USING INDEX %.*s%s", STR_ARG(x->head), STR_ARG(item->name),
            alter_key_word(item), STR_ARG(item->index), alter_deferral(item));
        rewrite_undo(x->r, step, UNDO_COSTLY, "%.*s DROP CONSTRAINT %.*s", STR_ARG(x->head),
                     STR_ARG(item->name));
    }
    return true;
}

bool alter_table_write(struct alter_rewrite *x)
{
    struct rewrite *r = x->r;
    const PgQuery__AlterTableStmt *stmt = x->stmt;
    if (stmt->objtype != PG_QUERY__OBJECT_TYPE__OBJECT_TABLE || !stmt->relation)
        return false;
    x->table = catalog_find_relation(r->catalog, str_of(stmt->relation->schemaname),
                                     str_of(stmt->relation->relname));
    x->is_partitioned = x->table && x->table->kind == RELATION_PARTITIONED_TABLE;
    if (!alter_can_be_split(x) || !alter_items_read(x))
        return false;
    bool has_any = false;
    for (size_t i = 0; i < x->items.count; i++)
        has_any |= x->items.at[i].kind != ITEM_PLAIN || x->items.at[i].fill;
    if (!has_any)
        return false;
    build_indexes_before(x);
    if (x->fills)
        alter_fill_steps(x);
    add_first_step(x);
    add_foreign_keys(x);
    validate(x);
    set_not_null(x);
    if (!add_keys_behind(x))
        return false;
    alter_fill_identities(x);
    return true;
}

bool rewrite_alter_table(struct rewrite *r)
{
    struct alter_rewrite x = {.r = r, .stmt = r->tree->alter_table_stmt};
    return alter_table_write(&x);
}
