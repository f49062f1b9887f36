/* Marks the tree of a text that was said in the older grammar. */
#include "planner/postgres/grammar.h"

#include "core/base/vec.h"

struct marking {
    struct arena *a;
    const struct grammar_note *note;
    const PgQuery__Constraint *nearest;
    const PgQuery__RangeVar *behind;
};

/* The tree is ours: it has just been made, in our arena. */
static PgQuery__Constraint *ours(const PgQuery__Constraint *k)
{
    return (PgQuery__Constraint *)(uintptr_t)k;
}

static bool is_meant(const struct grammar_note *note, const PgQuery__Constraint *k)
{
    switch (k->contype) {
    case PG_QUERY__CONSTR_TYPE__CONSTR_GENERATED:
        return note->bits == GRAMMAR_VIRTUAL;
    case PG_QUERY__CONSTR_TYPE__CONSTR_CHECK:
        return note->mark == MARK_NOT_NULL ||
               (note->bits & (GRAMMAR_ENFORCED | GRAMMAR_NOT_ENFORCED));
    case PG_QUERY__CONSTR_TYPE__CONSTR_FOREIGN:
        return note->mark == MARK_BITS && note->bits != GRAMMAR_VIRTUAL;
    case PG_QUERY__CONSTR_TYPE__CONSTR_PRIMARY:
    case PG_QUERY__CONSTR_TYPE__CONSTR_UNIQUE:
        return note->bits == GRAMMAR_PERIOD;
    case PG_QUERY__CONSTR_TYPE__CONSTR_NOTNULL:
        return note->mark == MARK_NO_INHERIT;
    default:
        return false;
    }
}

static bool find_nearest(void *context, const ProtobufCMessage *message)
{
    struct marking *m = context;
    if (message->descriptor == &pg_query__constraint__descriptor) {
        const PgQuery__Constraint *k = (const PgQuery__Constraint *)message;
        bool is_before = k->location >= 0 && (size_t)k->location <= m->note->at;
        if (is_before && is_meant(m->note, k) &&
            (!m->nearest || k->location >= m->nearest->location))
            m->nearest = k;
    } else if (message->descriptor == &pg_query__range_var__descriptor) {
        const PgQuery__RangeVar *v = (const PgQuery__RangeVar *)message;
        bool is_behind = v->location >= 0 && (size_t)v->location >= m->note->at;
        if (is_behind && (!m->behind || v->location < m->behind->location))
            m->behind = v;
    }
    return false;
}

/* CHECK (column) → NOT NULL column, as the grammar of 18 has it. */
static void make_not_null(struct arena *a, PgQuery__Constraint *k, bool is_domain)
{
    const PgQuery__Node *column = k->raw_expr;
    k->contype = PG_QUERY__CONSTR_TYPE__CONSTR_NOTNULL;
    k->raw_expr = NULL;
    if (is_domain || !column || column->node_case != PG_QUERY__NODE__NODE_COLUMN_REF ||
        column->column_ref->n_fields != 1)
        return;
    k->keys = arena_array(a, PgQuery__Node *, 1);
    k->keys[0] = column->column_ref->fields[0];
    k->n_keys = 1;
}

static void add_bits(PgQuery__Constraint *k, unsigned bits)
{
    k->old_pktable_oid |= bits;
    if (bits & GRAMMAR_NOT_ENFORCED) {
        k->skip_validation = true;
        k->initially_valid = false;
    }
}

static void mark_constraint(struct marking *m, PgQuery__Node *root)
{
    (void)parse_tree_visit(&root->base, find_nearest, m);
    if (m->note->mark == MARK_ONLY && m->behind)
        ((PgQuery__RangeVar *)(uintptr_t)m->behind)->inh = false;
    if (!m->nearest)
        return;
    if (m->note->mark == MARK_NOT_NULL)
        make_not_null(m->a, ours(m->nearest),
                      root->node_case != PG_QUERY__NODE__NODE_ALTER_TABLE_STMT &&
                          root->node_case != PG_QUERY__NODE__NODE_CREATE_STMT &&
                          root->node_case != PG_QUERY__NODE__NODE_CREATE_FOREIGN_TABLE_STMT);
    else if (m->note->mark == MARK_NO_INHERIT)
        ours(m->nearest)->is_no_inherit = true;
    else if (m->note->mark == MARK_BITS)
        add_bits(ours(m->nearest), m->note->bits);
}

static void mark_command(const struct grammar_note *note, PgQuery__Node *root)
{
    if (root->node_case != PG_QUERY__NODE__NODE_ALTER_TABLE_STMT ||
        note->command >= root->alter_table_stmt->n_cmds)
        return;
    PgQuery__Node *node = root->alter_table_stmt->cmds[note->command];
    if (node->node_case != PG_QUERY__NODE__NODE_ALTER_TABLE_CMD)
        return;
    PgQuery__AlterTableCmd *cmd = node->alter_table_cmd;
    if (note->mark == MARK_EXPRESSION)
        cmd->num = 1;
    else if (cmd->def && cmd->def->node_case == PG_QUERY__NODE__NODE_CONSTRAINT)
        cmd->def->constraint->old_pktable_oid |= note->bits;
}

static void take_name_away(PgQuery__Node *root)
{
    if (root->node_case == PG_QUERY__NODE__NODE_CREATE_STATS_STMT)
        root->create_stats_stmt->n_defnames = 0;
    else if (root->node_case == PG_QUERY__NODE__NODE_REINDEX_STMT && root->reindex_stmt->name[0])
        root->reindex_stmt->name[0] = '\0';
}

static void mark(struct arena *a, PgQuery__Node *root, const struct grammar_note *note)
{
    struct marking m = {.a = a, .note = note};
    switch (note->mark) {
    case MARK_BITS:
    case MARK_NOT_NULL:
    case MARK_NO_INHERIT:
    case MARK_ONLY:
        mark_constraint(&m, root);
        return;
    case MARK_COMMAND_BITS:
    case MARK_EXPRESSION:
        mark_command(note, root);
        return;
    case MARK_NO_NAME:
        take_name_away(root);
        return;
    }
}

void grammar_parse_newer(struct arena *a, struct str text, struct parse_tree *out)
{
    struct grammar_notes notes = {0};
    struct str older = grammar_rewrite(a, text, &notes);
    if (!older.len)
        return;
    struct parse_tree tree;
    parse_statement_kept(a, older, &tree);
    if (!tree.node)
        return;
    for (size_t i = 0; i < notes.count; i++)
        mark(a, tree.node, &notes.at[i]);
    *out = tree;
}
