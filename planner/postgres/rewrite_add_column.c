/*
 * ADD COLUMN whose default gives every row a value of its own: random(), clock_timestamp(), nextval(), a
 * serial or an identity column. As written the server writes table and indexes anew under ACCESS EXCLUSIVE.
 * Added empty, with the default set in a command of its own, nothing is written: the default is for new rows,
 * and those that are there get theirs in batches (tablecmds.c: ATExecAddColumn, ATExecColumnDefault). What is
 * said of the column (NOT NULL, CHECK, keys) is made behind that: of a row that is not filled yet it may not
 * hold, and whoever changes such a row must not be refused.
 *
 * An identity column cannot be one before it is NOT NULL. Until then it is numbered by a sequence of ours
 * with the same options; in the end the identity's own goes on where that one stands, read under one lock.
 */
#include "planner/postgres/rewrite_alter_table.h"

#include "planner/postgres/fold_constraint.h"
#include "planner/postgres/object_names.h"
#include "planner/postgres/rewrite_batch.h"
#include "planner/postgres/rewrite_sync.h"

/* ---- which columns ---- */

static const PgQuery__Constraint *part(const PgQuery__ColumnDef *def, size_t i)
{
    const PgQuery__Node *n = def->constraints[i];
    return n->node_case == PG_QUERY__NODE__NODE_CONSTRAINT ? n->constraint : NULL;
}

static const PgQuery__Constraint *part_of_kind(const PgQuery__ColumnDef *def,
                                               PgQuery__ConstrType kind, size_t *out_index)
{
    for (size_t i = 0; i < def->n_constraints; i++) {
        const PgQuery__Constraint *k = part(def, i);
        if (k && k->contype == kind) {
            *out_index = i;
            return k;
        }
    }
    return NULL;
}

bool alter_fill_takes(const PgQuery__Constraint *k)
{
    return k->contype == PG_QUERY__CONSTR_TYPE__CONSTR_DEFAULT ||
           k->contype == PG_QUERY__CONSTR_TYPE__CONSTR_NOTNULL ||
           k->contype == PG_QUERY__CONSTR_TYPE__CONSTR_IDENTITY;
}

/* What the parts are called would be lost; NULL beside a number is refused, and what else makes the value is
   no default. */
static bool parts_fit(const PgQuery__ColumnDef *def)
{
    for (size_t i = 0; i < def->n_constraints; i++) {
        const PgQuery__Constraint *k = part(def, i);
        if (!k || (alter_fill_takes(k) && k->conname[0]) ||
            k->contype == PG_QUERY__CONSTR_TYPE__CONSTR_NULL ||
            k->contype == PG_QUERY__CONSTR_TYPE__CONSTR_GENERATED)
            return false;
    }
    return !def->storage[0] && !def->compression[0];
}

/* smallint, integer, bigint: the type of the sequence as well. */
static const char *integer_name(const struct type_ref *t)
{
    if (t->is_array || t->typmod >= 0)
        return NULL;
    return str_equal(t->builtin, STR("int2"))   ? "smallint"
           : str_equal(t->builtin, STR("int4")) ? "integer"
           : str_equal(t->builtin, STR("int8")) ? "bigint"
                                                : NULL;
}

/* Options that CREATE SEQUENCE has as well; its name, owner and persistence are another matter. */
static bool options_fit(const PgQuery__Constraint *k)
{
    static const char *const names[] = {"start",    "increment", "maxvalue",
                                        "minvalue", "cache",     "cycle"};
    for (size_t i = 0; i < k->n_options; i++) {
        const PgQuery__Node *n = k->options[i];
        bool is_known = false;
        for (size_t w = 0; n->node_case == PG_QUERY__NODE__NODE_DEF_ELEM && w < ARRAY_LEN(names);
             w++)
            is_known |= strcmp(n->def_elem->defname, names[w]) == 0;
        if (!is_known)
            return false;
    }
    return true;
}

static struct str quoted_with_schema(const struct alter_rewrite *x, struct str name)
{
    return catalog_name_text(x->r->a, x->table->schema, name);
}

static bool read_serial(struct alter_rewrite *x, const PgQuery__ColumnDef *def,
                        struct alter_fill *out)
{
    struct str name = object_name_relation(x->r->catalog, x->table->schema, x->table->name,
                                           out->column, STR("seq"), false);
    out->from = rewrite_token_at(x->r, (size_t)def->type_name->location);
    out->to = out->from + 1;
    out->sequence = arena_cstr(x->r->a, quoted_with_schema(x, name));
    return out->type && !def->raw_default;
}

static bool read_identity(struct alter_rewrite *x, const PgQuery__ColumnDef *def, size_t index,
                          size_t to, struct alter_fill *out)
{
    struct rewrite *r = x->r;
    size_t begin = rewrite_token_at(r, (size_t)part(def, index)->location);
    size_t end = alter_part_end(r, def, index, to);
    size_t open = rewrite_token_find(r, begin, PG_QUERY__TOKEN__IDENTITY_P) + 1;
    struct str id = str_of(
        arena_printf(r->a, "%.*s.%s", STR_ARG(catalog_relation_text(r->a, x->table)), out->name));
    struct digest digest = digest_of(id);
    struct str name = str_of(arena_printf(r->a, "migrate_%.8s_seq", digest.hex));
    if (open < end) {
        struct str parens = rewrite_piece(r, open, end);
        if (parens.len < 2 || parens.at[0] != '(' || parens.at[parens.len - 1] != ')')
            return false;
        out->options = str_trim((struct str){parens.at + 1, parens.len - 2});
    }
    out->identity = rewrite_piece(r, begin, end);
    out->sequence = arena_cstr(r->a, quoted_with_schema(x, name));
    return out->type && out->identity.len && options_fit(part(def, index)) && !def->raw_default;
}

static bool read_default(struct alter_rewrite *x, const PgQuery__ColumnDef *def, size_t index,
                         size_t to, struct alter_fill *out)
{
    struct rewrite *r = x->r;
    size_t begin = rewrite_token_at(r, (size_t)part(def, index)->location) + 1;
    out->default_text = rewrite_piece(r, begin, alter_part_end(r, def, index, to));
    return out->default_text.len > 0;
}

static bool is_volatile(const struct alter_rewrite *x, const PgQuery__ColumnDef *def)
{
    const PgQuery__Node *tree = column_default_tree(def);
    enum volatility v = tree ? expression_volatility(x->r->catalog, tree) : VOLATILITY_IMMUTABLE;
    return v == VOLATILITY_VOLATILE || v == VOLATILITY_UNKNOWN;
}

/* Its rows can be changed one by one without anything else happening; and no option of the statement makes
   the steps mean something else. */
static bool table_fits(const struct alter_rewrite *x, const struct alter_fill *fill)
{
    const struct catalog_relation *table = x->table;
    return table && table->kind == RELATION_TABLE && !x->stmt->missing_ok &&
           sync_copy_fits(x->r, table) && !catalog_find_column(table, fill->column) &&
           (!fill->sequence || table->persistence == PERSISTENCE_PERMANENT);
}

bool alter_fill_read(struct alter_rewrite *x, const PgQuery__ColumnDef *def, size_t to,
                     const struct alter_fill **out)
{
    struct rewrite *r = x->r;
    struct alter_fill *fill = arena_new(r->a, struct alter_fill);
    size_t index = 0;
    bool is_serial = false;
    *out = NULL;
    if (!x->fills || !def->type_name)
        return true;
    struct type_ref type = type_resolve(r->catalog, def->type_name, &is_serial);
    *fill = (struct alter_fill){.name = rewrite_identifier(r, def->colname),
                                .column = object_name_cut(str_of(def->colname)),
                                .type = integer_name(&type)};
    bool is_identity = part_of_kind(def, PG_QUERY__CONSTR_TYPE__CONSTR_IDENTITY, &index);
    if (!is_serial && !is_identity && !is_volatile(x, def))
        return true;
    if (!parts_fit(def) || !sync_type_fits(&type))
        return false;
    bool is_good = is_serial ? !is_identity && read_serial(x, def, fill)
                   : is_identity
                       ? read_identity(x, def, index, to, fill)
                       : part_of_kind(def, PG_QUERY__CONSTR_TYPE__CONSTR_DEFAULT, &index) &&
                             read_default(x, def, index, to, fill);
    size_t ignored;
    fill->is_not_null = is_serial || is_identity ||
                        part_of_kind(def, PG_QUERY__CONSTR_TYPE__CONSTR_NOTNULL, &ignored);
    *out = fill;
    return is_good && table_fits(x, fill);
}

/* ---- the steps ---- */

/* "CREATE SEQUENCE …; GRANT …": who may add rows need not have a right on an identity's sequence. */
static const char *make_own_sequence(struct alter_rewrite *x, const struct alter_fill *fill)
{
    return arena_printf(x->r->a,
                        "CREATE SEQUENCE %s AS %s%s%.*s;\nGRANT USAGE ON SEQUENCE %s TO PUBLIC",
                        fill->sequence, fill->type, fill->options.len ? " " : "",
                        STR_ARG(fill->options), fill->sequence);
}

/* Who owns the table may be another role than the one that adds the column. */
static const char *make_sequence(struct alter_rewrite *x, const struct alter_fill *fill)
{
    struct arena *a = x->r->a;
    struct str owner = x->table->owner;
    const char *owns = owner.len
                           ? arena_printf(a, ";\nALTER SEQUENCE %s OWNER TO %.*s", fill->sequence,
                                          STR_ARG(catalog_identifier(a, owner)))
                           : "";
    return arena_printf(a, "CREATE SEQUENCE %s AS %s%s;\nALTER SEQUENCE %s OWNED BY %s.%s",
                        fill->sequence, fill->type, owns, fill->sequence,
                        rewrite_relation_sql(x->r, x->stmt->relation), fill->name);
}

static void add_sequence(struct alter_rewrite *x, const struct alter_fill *fill, struct buf *out)
{
    buf_printf(out, ";\n%s;\n%.*s ALTER COLUMN %s SET DEFAULT nextval(%s)",
               fill->identity.len ? make_own_sequence(x, fill) : make_sequence(x, fill),
               STR_ARG(x->head), fill->name, sync_literal(x->r->a, str_of(fill->sequence)));
}

/* All columns of the statement, in their order. */
static void add_columns(struct alter_rewrite *x)
{
    SCOPED(buf) struct buf commands = {0};
    SCOPED(buf) struct buf sequences = {0};
    SCOPED(buf) struct buf undo = {0};
    SCOPED(buf) struct buf undo_sequences = {0};
    bool has_undo = true;
    for (size_t i = 0; i < x->items.count; i++) {
        const struct alter_item *item = &x->items.at[i];
        const struct alter_fill *fill = item->fill;
        if (!item->adds_column)
            continue;
        buf_printf(&commands, "%s%.*s", commands.len ? ", " : "", STR_ARG(item->text));
        has_undo &= fill != NULL;
        if (!fill)
            continue;
        buf_printf(&undo, "%sDROP COLUMN %s", undo.len ? ", " : "", fill->name);
        if (fill->default_text.len)
            buf_printf(&commands, ", ALTER COLUMN %s SET DEFAULT %.*s", fill->name,
                       STR_ARG(fill->default_text));
        else
            add_sequence(x, fill, &sequences);
        if (fill->identity.len)
            buf_printf(&undo_sequences, ";\nDROP SEQUENCE IF EXISTS %s", fill->sequence);
    }
    struct online_step *step = rewrite_step(
        x->r, PHASE_EXPAND, "adds the column, which is empty for the rows that are there",
        "%.*s %s%s", STR_ARG(x->head), buf_cstr(&commands), buf_cstr(&sequences));
    if (has_undo)
        rewrite_undo(x->r, step, UNDO_LOSSY, "%.*s %s%s", STR_ARG(x->head), buf_cstr(&undo),
                     buf_cstr(&undo_sequences));
}

static void fill_rows(struct alter_rewrite *x, const struct alter_fill *fill,
                      const struct online_range *range)
{
    struct rewrite *r = x->r;
    const char *table = rewrite_relation_sql(r, x->stmt->relation);
    struct online_step *step = rewrite_step(
        r, PHASE_BACKFILL, "gives a value to each of the rows that are there",
        "UPDATE %s AS t SET %s = DEFAULT WHERE (t.%s IS NULL)", table, fill->name, fill->name);
    rewrite_step_in_batches(r, step, range, step->does);
    step->undo_cost = UNDO_FREE; /* it goes with the column */
}

static void verify_rows(struct alter_rewrite *x, const struct alter_fill *fill,
                        const struct online_range *range)
{
    struct rewrite *r = x->r;
    struct online_range *own = arena_new(r->a, struct online_range);
    SCOPED(buf) struct buf key = {0};
    *own = *range;
    for (size_t i = 0; i < range->key.count; i++)
        buf_printf(&key, "%st.%.*s", i ? ", " : "", STR_ARG(range->key.at[i]));
    struct online_step *step = rewrite_step(r, PHASE_BACKFILL, "proves that every row has a value",
                                            "SELECT %s FROM %s AS t WHERE (t.%s IS NULL)",
                                            key.len ? buf_cstr(&key) : "t.ctid",
                                            rewrite_relation_sql(r, x->stmt->relation), fill->name);
    step->kind = STEP_VERIFICATION;
    step->range = own;
    step->undo_cost = UNDO_FREE;
}

static bool is_last_fill(const struct alter_rewrite *x, size_t i)
{
    while (++i < x->items.count) {
        if (x->items.at[i].fill)
            return false;
    }
    return true;
}

void alter_fill_steps(struct alter_rewrite *x)
{
    struct online_range range = {.alias = STR("t")};
    (void)!rewrite_range_key(x->r, x->table, STR(""), &range);
    add_columns(x);
    for (size_t i = 0; i < x->items.count; i++) {
        const struct alter_fill *fill = x->items.at[i].fill;
        if (!fill)
            continue;
        fill_rows(x, fill, &range);
        /* Where NULL is allowed, new code may write it meanwhile. Of the last one NOT NULL is proved by
           itself, soon. */
        if (fill->is_not_null && !is_last_fill(x, i))
            verify_rows(x, fill, &range);
    }
}

/* Both ways under one lock, so that no number is given twice. */
static void become_identity(struct alter_rewrite *x, const struct alter_fill *fill)
{
    struct rewrite *r = x->r;
    struct str head = x->head;
    const char *table = rewrite_relation_sql(r, x->stmt->relation);
    struct str final = object_name_relation(r->catalog, x->table->schema, x->table->name,
                                            fill->column, STR("seq"), false);
    struct online_step *step = rewrite_step(
        r, PHASE_EXPAND, "makes it an identity, whose sequence goes on where the numbers stand",
        "LOCK TABLE %s IN ACCESS EXCLUSIVE MODE;\n"
        "%.*s ALTER COLUMN %s DROP DEFAULT;\n"
        "%.*s ALTER COLUMN %s ADD %.*s;\n"
        "SELECT pg_catalog.setval(pg_catalog.pg_get_serial_sequence(%s, %s), last_value, "
        "is_called) FROM %s;\n"
        "DROP SEQUENCE %s",
        table, STR_ARG(head), fill->name, STR_ARG(head), fill->name, STR_ARG(fill->identity),
        sync_literal(r->a, str_of(table)), sync_literal(r->a, fill->column), fill->sequence,
        fill->sequence);
    rewrite_undo(r, step, UNDO_FREE,
                 "LOCK TABLE %s IN ACCESS EXCLUSIVE MODE;\n"
                 "%s;\n"
                 "SELECT pg_catalog.setval(%s, last_value, is_called) FROM %.*s;\n"
                 "%.*s ALTER COLUMN %s DROP IDENTITY;\n"
                 "%.*s ALTER COLUMN %s SET DEFAULT nextval(%s)",
                 table, make_own_sequence(x, fill), sync_literal(r->a, str_of(fill->sequence)),
                 STR_ARG(quoted_with_schema(x, final)), STR_ARG(head), fill->name, STR_ARG(head),
                 fill->name, sync_literal(r->a, str_of(fill->sequence)));
}

void alter_fill_identities(struct alter_rewrite *x)
{
    for (size_t i = 0; i < x->items.count; i++) {
        const struct alter_fill *fill = x->items.at[i].fill;
        if (fill && fill->identity.len)
            become_identity(x, fill);
    }
}

bool rewrite_add_column(struct rewrite *r)
{
    struct alter_rewrite x = {.r = r, .stmt = r->tree->alter_table_stmt, .fills = true};
    struct online_range range = {.alias = STR("t")};
    if (!x.stmt->relation)
        return false;
    const struct catalog_relation *table = catalog_find_relation(
        r->catalog, str_of(x.stmt->relation->schemaname), str_of(x.stmt->relation->relname));
    return table && rewrite_range_key(r, table, STR(""), &range) && alter_table_write(&x);
}
