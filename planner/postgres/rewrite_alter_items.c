/* Which command of an ALTER TABLE has an online form, and what of its text it needs. Names are those that
   the server would give (indexcmds.c, tablecmds.c): the end is the same. */
#include "planner/postgres/rewrite_alter_table.h"

#include "planner/postgres/grammar.h"
#include "planner/postgres/object_names.h"
#include "planner/postgres/types.h"

struct str alter_parens(const struct rewrite *r, size_t open, size_t *out_end)
{
    size_t depth = 0;
    for (size_t i = open; i < r->tokens.count; i++) {
        depth += r->tokens.at[i].kind == '(';
        depth -= r->tokens.at[i].kind == ')';
        if (!depth) {
            *out_end = i + 1;
            return i == open ? STR("") : rewrite_piece(r, open, i + 1);
        }
    }
    *out_end = r->tokens.count;
    return STR("");
}

/* ---- names ---- */

static bool is_named_here(const struct alter_rewrite *x, struct str name)
{
    for (size_t i = 0; i < x->names.count; i++) {
        if (str_equal(x->names.at[i], name))
            return true;
    }
    return false;
}

/* column may be empty. false: two constraints of the statement would have one name. */
static bool choose_name(struct alter_rewrite *x, const PgQuery__Constraint *k, struct str columns,
                        const char *label, struct str *out)
{
    struct str name = k && k->conname[0] ? object_name_cut(str_of(k->conname)) : STR("");
    if (!name.len && !alter_automatic_name(x, columns, label, &name))
        return false;
    x->has_unnamed |= k && !k->conname[0];
    if (is_named_here(x, name))
        return false;
    vec_push(x->r->a, &x->names, name);
    *out = catalog_identifier(x->r->a, name);
    return true;
}

/* What the server will name, or was named, among the commands that stay as they are. */
static bool note_plain_constraint(struct alter_rewrite *x, const PgQuery__Constraint *k)
{
    bool is_named = k->contype == PG_QUERY__CONSTR_TYPE__CONSTR_CHECK ||
                    k->contype == PG_QUERY__CONSTR_TYPE__CONSTR_FOREIGN ||
                    k->contype == PG_QUERY__CONSTR_TYPE__CONSTR_UNIQUE ||
                    k->contype == PG_QUERY__CONSTR_TYPE__CONSTR_PRIMARY ||
                    k->contype == PG_QUERY__CONSTR_TYPE__CONSTR_EXCLUSION ||
                    k->contype == PG_QUERY__CONSTR_TYPE__CONSTR_NOTNULL;
    struct str name = object_name_cut(str_of(k->conname));
    if (!is_named)
        return true;
    if (!name.len) {
        x->has_unnamed_plain |= k->contype != PG_QUERY__CONSTR_TYPE__CONSTR_NOTNULL;
        return true;
    }
    bool is_free = !is_named_here(x, name);
    vec_push(x->r->a, &x->names, name);
    return is_free;
}

/* Of the columns of a key, and behind them those that it INCLUDEs. */
static struct str joined_names(struct arena *a, PgQuery__Node *const *at, size_t count,
                               PgQuery__Node *const *more, size_t more_count)
{
    struct str names[64]; /* INDEX_MAX_KEYS (pg_config_manual.h) is 32 */
    size_t found = 0;
    for (size_t i = 0; i < count + more_count && found < ARRAY_LEN(names); i++) {
        const PgQuery__Node *n = i < count ? at[i] : more[i - count];
        if (n->node_case == PG_QUERY__NODE__NODE_STRING)
            names[found++] = str_of(n->string->sval);
    }
    return object_name_joined(a, names, found);
}

/* ---- constraints ---- */

static bool may_be_null(const struct alter_rewrite *x, const char *name)
{
    const struct catalog_column *c = x->table ? catalog_find_column(x->table, str_of(name)) : NULL;
    return !c || !c->is_not_null;
}

static void add_not_null(struct alter_rewrite *x, const char *column, bool *out_is_good)
{
    struct alter_item item = {.kind = ITEM_NOT_NULL,
                              .column = catalog_identifier(x->r->a, str_of(column))};
    for (size_t i = 0; i < x->items.count; i++) {
        if (x->items.at[i].kind == ITEM_NOT_NULL && str_equal(x->items.at[i].column, item.column))
            return; /* once is enough */
    }
    *out_is_good &= !alter_column_is_row(x, column) &&
                    choose_name(x, NULL, str_of(column), "not_null_proof", &item.name);
    vec_push(x->r->a, &x->items, item);
}

/* The key's own name, unless an index has it that the statement drops: USING INDEX renames it. */
static struct str index_name(const struct alter_rewrite *x, struct str quoted)
{
    struct str name = x->names.at[x->names.count - 1]; /* that of the key was chosen last */
    if (!catalog_find_relation(x->r->catalog, x->table->schema, name))
        return quoted;
    return catalog_identifier(x->r->a, object_name_relation(x->r->catalog, x->table->schema, name,
                                                            STR(""), STR("new"), false));
}

/* Its columns: those of the table constraint, or the one in whose definition it stands. */
static bool add_key(struct alter_rewrite *x, const PgQuery__Constraint *k, const char *column,
                    size_t from, size_t to)
{
    bool is_primary = k->contype == PG_QUERY__CONSTR_TYPE__CONSTR_PRIMARY;
    struct rewrite *r = x->r;
    struct alter_item item = {.kind = ITEM_KEY, .k = k, .from = from, .to = to};
    struct str names = column
                           ? str_of(column)
                           : joined_names(r->a, k->keys, k->n_keys, k->including, k->n_including);
    size_t open = rewrite_token_find(r, from, '(');
    size_t end;
    item.columns = column ? str_of(arena_printf(r->a, "(%s)", rewrite_identifier(r, column)))
                          : alter_parens(r, open, &end);
    item.is_before = !column;
    bool is_good = item.columns.len > 0;
    for (size_t i = 0; i < k->n_keys; i++) {
        const char *name =
            k->keys[i]->node_case == PG_QUERY__NODE__NODE_STRING ? k->keys[i]->string->sval : "";
        item.is_before &= alter_keeps_column(x, name);
        if (is_primary && may_be_null(x, name)) {
            item.needs_not_null = true;
            add_not_null(x, name, &is_good);
        }
    }
    for (size_t i = 0; i < k->n_including; i++)
        item.is_before &= k->including[i]->node_case == PG_QUERY__NODE__NODE_STRING &&
                          alter_keeps_column(x, k->including[i]->string->sval);
    if (is_primary && column) {
        item.needs_not_null = true;
        add_not_null(x, column, &is_good);
    }
    is_good &=
        choose_name(x, k, is_primary ? STR("") : names, is_primary ? "pkey" : "key", &item.name);
    if (is_good) {
        item.plain_name = x->names.at[x->names.count - 1];
        item.index = index_name(x, item.name);
    }
    vec_push(r->a, &x->items, item);
    return is_good;
}

static bool references_partitions(const struct alter_rewrite *x, const PgQuery__Constraint *k)
{
    const struct catalog_relation *to = catalog_find_relation(
        x->r->catalog, str_of(k->pktable->schemaname), str_of(k->pktable->relname));
    return to && to->kind == RELATION_PARTITIONED_TABLE;
}

/* A key of a partitioned table has its partition columns in it, so that none is of a new column alone. */
static bool takes_keys(const struct alter_rewrite *x, const PgQuery__Constraint *k)
{
    return !x->is_partitioned || (k->n_keys && alter_partitions_take_keys(x->table));
}

/* Whether a constraint has an online form at all. */
static enum alter_item_kind item_kind(const struct alter_rewrite *x, const PgQuery__Constraint *k)
{
    if (k->skip_validation || grammar_has(k, GRAMMAR_NOT_ENFORCED) ||
        grammar_has(k, GRAMMAR_PERIOD))
        return ITEM_PLAIN;
    switch (k->contype) {
    case PG_QUERY__CONSTR_TYPE__CONSTR_CHECK:
        return ITEM_CHECK;
    case PG_QUERY__CONSTR_TYPE__CONSTR_FOREIGN:
        /* Before 18 NOT VALID is refused there (tablecmds.c: ATAddForeignKeyConstraint), and VALIDATE does
           not reach the rows that stand for the partitions of a referenced table. */
        return (x->is_partitioned || references_partitions(x, k)) && x->r->major < 18
                   ? ITEM_PLAIN
                   : ITEM_FOREIGN_KEY;
    case PG_QUERY__CONSTR_TYPE__CONSTR_UNIQUE:
    case PG_QUERY__CONSTR_TYPE__CONSTR_PRIMARY:
        /* With USING INDEX there is nothing to be built. */
        return k->indexname[0] || x->stmt->missing_ok || !takes_keys(x, k) ? ITEM_PLAIN : ITEM_KEY;
    default:
        return ITEM_PLAIN;
    }
}

/* Tokens [from, to) are the constraint, CONSTRAINT name first where it has one. column: within its
   definition; or NULL. false: it cannot be told. */
static bool add_constraint(struct alter_rewrite *x, const PgQuery__Constraint *k,
                           const char *column, size_t from, size_t to)
{
    struct rewrite *r = x->r;
    if (k->conname[0])
        from += 2; /* CONSTRAINT name */
    struct alter_item item = {.kind = item_kind(x, k), .k = k, .from = from, .to = to};
    item.text = rewrite_piece(r, from, to);
    if (item.kind == ITEM_KEY)
        return add_key(x, k, column, from, to);
    bool is_check = item.kind == ITEM_CHECK;
    struct str names = column      ? str_of(column)
                       : !is_check ? joined_names(r->a, k->fk_attrs, k->n_fk_attrs, NULL, 0)
                                   : STR("");
    /* Within a column's definition, too, the columns that it mentions are those of its name (heap.c,
       AddRelationNewConstraints). */
    if (is_check && !k->conname[0] && !alter_check_column(x, k, &names))
        return false;
    if (column)
        item.column = catalog_identifier(r->a, str_of(column));
    bool is_named = choose_name(x, k, names, is_check ? "check" : "fkey", &item.name);
    vec_push(r->a, &x->items, item);
    return is_named && item.text.len;
}

/* ---- ADD COLUMN ---- */

static const PgQuery__Constraint *column_part(const PgQuery__ColumnDef *def, size_t i)
{
    const PgQuery__Node *n = def->constraints[i];
    return n->node_case == PG_QUERY__NODE__NODE_CONSTRAINT ? n->constraint : NULL;
}

/* DEFERRABLE and its like stand behind the constraint that they are said of, as nodes of their own. */
static bool is_attribute(const PgQuery__Constraint *k)
{
    return k->contype == PG_QUERY__CONSTR_TYPE__CONSTR_ATTR_DEFERRABLE ||
           k->contype == PG_QUERY__CONSTR_TYPE__CONSTR_ATTR_NOT_DEFERRABLE ||
           k->contype == PG_QUERY__CONSTR_TYPE__CONSTR_ATTR_DEFERRED ||
           k->contype == PG_QUERY__CONSTR_TYPE__CONSTR_ATTR_IMMEDIATE;
}

size_t alter_part_end(const struct rewrite *r, const PgQuery__ColumnDef *def, size_t i, size_t to)
{
    const PgQuery__CollateClause *collate = def->coll_clause; /* may stand anywhere among them */
    if (collate && collate->location > column_part(def, i)->location) {
        size_t at = rewrite_token_at(r, (size_t)collate->location);
        to = at < to ? at : to;
    }
    for (size_t k = i + 1; k < def->n_constraints; k++) {
        const PgQuery__Constraint *next = column_part(def, k);
        if (next && !is_attribute(next)) {
            size_t at = rewrite_token_at(r, (size_t)next->location);
            return at < to ? at : to;
        }
    }
    return to;
}

static void add_piece(struct buf *out, struct str piece)
{
    if (piece.len)
        buf_printf(out, "%s%.*s", out->len ? " " : "", STR_ARG(piece));
}

/* The column without what is made behind it: its constraints one by one. */
static bool add_column(struct alter_rewrite *x, const PgQuery__AlterTableCmd *cmd, size_t from,
                       size_t to)
{
    const PgQuery__ColumnDef *def = cmd->def->column_def;
    struct rewrite *r = x->r;
    SCOPED(buf) struct buf kept = {0};
    size_t done = from;
    size_t place = x->items.count;
    struct alter_item plain = {.adds_column = true};
    if ((cmd->missing_ok && x->fills) || !alter_fill_read(x, def, to, &plain.fill))
        return false;
    vec_push(r->a, &x->items, plain);
    if (plain.fill && plain.fill->to) {
        add_piece(&kept, rewrite_piece(r, from, plain.fill->from));
        add_piece(&kept, str_of(plain.fill->type));
        done = plain.fill->to;
    }
    for (size_t i = 0; i < def->n_constraints; i++) {
        const PgQuery__Constraint *k = column_part(def, i);
        if (!k || is_attribute(k))
            continue;
        bool is_taken = plain.fill && alter_fill_takes(k);
        if (item_kind(x, k) == ITEM_PLAIN && !is_taken) {
            if (!note_plain_constraint(x, k))
                return false;
            continue;
        }
        bool has_attribute = i + 1 < def->n_constraints && column_part(def, i + 1) &&
                             is_attribute(column_part(def, i + 1));
        if (has_attribute && item_kind(x, k) == ITEM_KEY)
            return false;
        size_t begin = rewrite_token_at(r, (size_t)k->location);
        size_t end = alter_part_end(r, def, i, to);
        if (cmd->missing_ok || begin < done || begin >= to || end > to ||
            (!is_taken && !add_constraint(x, k, def->colname, begin, end)))
            return false;
        add_piece(&kept, rewrite_piece(r, done, begin));
        done = end;
    }
    add_piece(&kept, rewrite_piece(r, done, to));
    x->items.at[place].text = buf_done(r->a, &kept);
    bool is_good = true;
    if (plain.fill && plain.fill->is_not_null)
        add_not_null(x, def->colname, &is_good);
    return is_good;
}

/* ---- all commands ---- */

static bool add_command(struct alter_rewrite *x, const PgQuery__AlterTableCmd *cmd, size_t from,
                        size_t to)
{
    struct alter_item plain = {.text = rewrite_piece(x->r, from, to)};
    bool is_good = true;
    bool is_constraint = cmd->def && cmd->def->node_case == PG_QUERY__NODE__NODE_CONSTRAINT;
    bool is_column = cmd->def && cmd->def->node_case == PG_QUERY__NODE__NODE_COLUMN_DEF;
    if (cmd->subtype == PG_QUERY__ALTER_TABLE_TYPE__AT_AddConstraint && is_constraint &&
        item_kind(x, cmd->def->constraint) != ITEM_PLAIN)
        return add_constraint(x, cmd->def->constraint, NULL, from + 1, to);
    if (is_constraint)
        is_good = note_plain_constraint(x, cmd->def->constraint);
    if (cmd->subtype == PG_QUERY__ALTER_TABLE_TYPE__AT_AddColumn && is_column)
        return add_column(x, cmd, from, to);
    if (cmd->subtype == PG_QUERY__ALTER_TABLE_TYPE__AT_SetNotNull && may_be_null(x, cmd->name))
        add_not_null(x, cmd->name, &is_good);
    else
        vec_push(x->r->a, &x->items, plain);
    return is_good && plain.text.len;
}

/* The first token behind ALTER TABLE [IF EXISTS] name [*], ONLY name, ONLY (name). */
static size_t first_command(const struct alter_rewrite *x)
{
    const struct rewrite *r = x->r;
    size_t i = rewrite_token_at(r, (size_t)x->stmt->relation->location) + 1;
    while (i + 1 < r->tokens.count && r->tokens.at[i].kind == '.')
        i += 2;
    bool has_end =
        i < r->tokens.count && (r->tokens.at[i].kind == '*' || r->tokens.at[i].kind == ')');
    return has_end ? i + 1 : i;
}

bool alter_items_read(struct alter_rewrite *x)
{
    struct rewrite *r = x->r;
    size_t from = first_command(x);
    x->head = rewrite_piece(r, 0, from);
    for (size_t i = 0; i < x->stmt->n_cmds; i++) {
        size_t to = rewrite_token_find(r, from, ',');
        bool is_last = i + 1 == x->stmt->n_cmds;
        if (is_last != (to == r->tokens.count) || !rewrite_piece(r, from, to).len ||
            x->stmt->cmds[i]->node_case != PG_QUERY__NODE__NODE_ALTER_TABLE_CMD ||
            !add_command(x, x->stmt->cmds[i]->alter_table_cmd, from, to))
            return false;
        from = to + 1;
    }
    return x->head.len > 0 && !(x->has_unnamed && x->has_unnamed_plain) && alter_order_holds(x);
}
