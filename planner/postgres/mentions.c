/* See mentions.h. */
#include "planner/postgres/mentions.h"

#include "core/base/json.h"
#include "core/base/text.h"
#include "planner/postgres/parse.h"

#define QUALIFIERS_MAX 16
#define OURS "/* migrate"

struct looking {
    const struct retired_name *name;
    struct str called[QUALIFIERS_MAX]; /* what the statement calls the table */
    size_t called_count;
    bool is_trigger; /* of the table: NEW and OLD are its rows */
    bool is_found;
};

/* ---- the table ---- */

static bool is_table(const struct looking *x, const PgQuery__RangeVar *v)
{
    return v && str_equal(str_of(v->relname), x->name->table) &&
           (!v->schemaname[0] || str_equal(str_of(v->schemaname), x->name->schema));
}

static void call(struct looking *x, struct str what)
{
    if (x->called_count < QUALIFIERS_MAX)
        x->called[x->called_count++] = what;
}

static bool find_table(void *context, const ProtobufCMessage *message)
{
    struct looking *x = context;
    if (message->descriptor != &pg_query__range_var__descriptor)
        return false;
    const PgQuery__RangeVar *v = (const PgQuery__RangeVar *)message;
    if (is_table(x, v))
        call(x, str_of(v->alias ? v->alias->aliasname : v->relname));
    return false;
}

static bool is_called(const struct looking *x, struct str qualifier)
{
    for (size_t i = 0; i < x->called_count; i++) {
        if (str_equal(x->called[i], qualifier))
            return true;
    }
    bool is_row = str_equal(qualifier, STR("new")) || str_equal(qualifier, STR("old"));
    return str_equal(qualifier, STR("excluded")) || (x->is_trigger && is_row) ||
           x->called_count == QUALIFIERS_MAX;
}

/* ---- the column ---- */

static bool is_column(const struct looking *x, const char *name)
{
    return str_equal(str_of(name), x->name->column);
}

static bool is_string(const struct looking *x, const PgQuery__Node *n)
{
    return n->node_case == PG_QUERY__NODE__NODE_STRING && is_column(x, n->string->sval);
}

/* "c", "t.c", "s.t.c"; one alone may be of another table: whose it is cannot be told. */
static bool is_reference(const struct looking *x, const PgQuery__ColumnRef *ref)
{
    size_t n = ref->n_fields;
    if (!n || !is_string(x, ref->fields[n - 1]))
        return false;
    const PgQuery__Node *qualifier = n > 1 ? ref->fields[n - 2] : NULL;
    return !qualifier || (qualifier->node_case == PG_QUERY__NODE__NODE_STRING &&
                          is_called(x, str_of(qualifier->string->sval)));
}

/* Names of INSERT and of SET; those of SELECT are only what it calls its results. */
static bool has_target(const struct looking *x, PgQuery__Node *const *at, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (at[i]->node_case == PG_QUERY__NODE__NODE_RES_TARGET &&
            is_column(x, at[i]->res_target->name))
            return true;
    }
    return false;
}

static bool has_string(const struct looking *x, PgQuery__Node *const *at, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (is_string(x, at[i]))
            return true;
    }
    return false;
}

static bool find_column(void *context, const ProtobufCMessage *message)
{
    struct looking *x = context;
    const ProtobufCMessageDescriptor *kind = message->descriptor;
    if (kind == &pg_query__column_ref__descriptor) {
        x->is_found = is_reference(x, (const PgQuery__ColumnRef *)message);
    } else if (kind == &pg_query__insert_stmt__descriptor) {
        const PgQuery__InsertStmt *s = (const PgQuery__InsertStmt *)message;
        x->is_found = is_table(x, s->relation) && has_target(x, s->cols, s->n_cols);
    } else if (kind == &pg_query__update_stmt__descriptor) {
        const PgQuery__UpdateStmt *s = (const PgQuery__UpdateStmt *)message;
        x->is_found = is_table(x, s->relation) && has_target(x, s->target_list, s->n_target_list);
    } else if (kind == &pg_query__on_conflict_clause__descriptor) {
        const PgQuery__OnConflictClause *c = (const PgQuery__OnConflictClause *)message;
        x->is_found = has_target(x, c->target_list, c->n_target_list);
    } else if (kind == &pg_query__merge_when_clause__descriptor) {
        const PgQuery__MergeWhenClause *c = (const PgQuery__MergeWhenClause *)message;
        x->is_found = has_target(x, c->target_list, c->n_target_list);
    } else if (kind == &pg_query__index_elem__descriptor) {
        x->is_found = is_column(x, ((const PgQuery__IndexElem *)message)->name);
    } else if (kind == &pg_query__join_expr__descriptor) {
        const PgQuery__JoinExpr *j = (const PgQuery__JoinExpr *)message;
        x->is_found = has_string(x, j->using_clause, j->n_using_clause);
    } else if (kind == &pg_query__copy_stmt__descriptor) {
        const PgQuery__CopyStmt *s = (const PgQuery__CopyStmt *)message;
        x->is_found = is_table(x, s->relation) && has_string(x, s->attlist, s->n_attlist);
    }
    return x->is_found;
}

/* From now on whoever adds a row has to give the column: who names others and leaves it out does not. One
   without a list gives all that the table had. */
static bool find_omission(void *context, const ProtobufCMessage *message)
{
    struct looking *x = context;
    if (message->descriptor == &pg_query__insert_stmt__descriptor) {
        const PgQuery__InsertStmt *s = (const PgQuery__InsertStmt *)message;
        x->is_found = is_table(x, s->relation) && s->n_cols && !has_target(x, s->cols, s->n_cols);
    } else if (message->descriptor == &pg_query__copy_stmt__descriptor) {
        const PgQuery__CopyStmt *s = (const PgQuery__CopyStmt *)message;
        x->is_found = s->is_from && is_table(x, s->relation) && s->n_attlist &&
                      !has_string(x, s->attlist, s->n_attlist);
    }
    return x->is_found;
}

/* ---- one statement ---- */

/* What an application sends; the rest is upkeep, or done by migrations. pg_dump reads the catalog first: COPY
   with the schema and all columns, LOCK in ACCESS SHARE. */
static bool is_of_application(const PgQuery__Node *n)
{
    switch (n->node_case) {
    case PG_QUERY__NODE__NODE_SELECT_STMT:
    case PG_QUERY__NODE__NODE_INSERT_STMT:
    case PG_QUERY__NODE__NODE_UPDATE_STMT:
    case PG_QUERY__NODE__NODE_DELETE_STMT:
    case PG_QUERY__NODE__NODE_MERGE_STMT:
    case PG_QUERY__NODE__NODE_TRUNCATE_STMT:
    case PG_QUERY__NODE__NODE_DECLARE_CURSOR_STMT:
    case PG_QUERY__NODE__NODE_PREPARE_STMT:
    case PG_QUERY__NODE__NODE_CREATE_TABLE_AS_STMT:
    case PG_QUERY__NODE__NODE_CALL_STMT:
        return true;
    case PG_QUERY__NODE__NODE_COPY_STMT: {
        const PgQuery__CopyStmt *s = n->copy_stmt;
        bool is_dump = !s->is_from && s->relation && s->relation->schemaname[0] && s->n_attlist;
        return !is_dump;
    }
    case PG_QUERY__NODE__NODE_LOCK_STMT:
        return n->lock_stmt->mode > 1; /* lockdefs.h: AccessShareLock */
    default:
        return false;
    }
}

static enum mention look(const struct retired_name *name, const PgQuery__Node *tree,
                         bool is_trigger)
{
    struct looking x = {.name = name, .is_trigger = is_trigger};
    (void)parse_tree_visit(&tree->base, find_table, &x);
    if (!x.called_count && !is_trigger)
        return MENTION_NONE;
    if (!name->column.len)
        return x.called_count ? MENTION_CERTAIN : MENTION_NONE;
    (void)parse_tree_visit(&tree->base, name->is_required ? find_omission : find_column, &x);
    return x.is_found ? MENTION_CERTAIN : MENTION_NONE;
}

static bool has_words(struct str text, const struct retired_name *name, bool is_trigger)
{
    bool has_column = !name->column.len || name->is_required || text_mentions(text, name->column);
    return has_column && (is_trigger || text_mentions(text, name->table));
}

enum mention postgres_mention(struct arena *a, struct str text, const struct retired_name *name)
{
    struct parse_tree tree;
    if (str_starts(text, STR(OURS)) || !has_words(text, name, false))
        return MENTION_NONE;
    parse_statement_kept(a, arena_str(a, text), &tree);
    if (!tree.node)
        return MENTION_POSSIBLE;
    return is_of_application(tree.node) ? look(name, tree.node, false) : MENTION_NONE;
}

const char *postgres_mention_shown(struct arena *a, struct str text)
{
    struct str plain = parse_without_literals(a, arena_str(a, text));
    SCOPED(buf) struct buf line = {0};
    bool is_blank = false;
    for (size_t i = 0; i < plain.len; i++) {
        bool is_space =
            plain.at[i] == ' ' || plain.at[i] == '\n' || plain.at[i] == '\t' || plain.at[i] == '\r';
        if (is_space && is_blank)
            continue;
        buf_add_char(&line, is_space ? ' ' : plain.at[i]);
        is_blank = is_space;
    }
    if (!line.len)
        return "a statement whose text cannot be shown";
    return arena_cstr(a, buf_done(a, &line));
}

/* ---- functions ---- */

struct body_look {
    struct arena *a;
    const struct retired_name *name;
    bool is_trigger;
    enum mention found;
};

/* A string may be a statement that is put together, and run. */
static bool find_words(void *context, const ProtobufCMessage *message)
{
    struct body_look *b = context;
    if (message->descriptor != &pg_query__a__const__descriptor)
        return false;
    const PgQuery__AConst *c = (const PgQuery__AConst *)message;
    bool is_text = c->val_case == PG_QUERY__A__CONST__VAL_SVAL;
    return is_text && has_words(str_of(c->sval->sval), b->name, false);
}

static void note(struct body_look *b, enum mention found)
{
    if (b->found != MENTION_CERTAIN && found != MENTION_NONE)
        b->found = found;
}

static void look_at_tree(struct body_look *b, const PgQuery__Node *tree)
{
    note(b, look(b->name, tree, b->is_trigger));
    if (parse_tree_visit(&tree->base, find_words, b))
        note(b, MENTION_POSSIBLE);
}

/* Statements, expressions, and "NEW.c := expression". */
static bool look_at_query(void *context, struct str text)
{
    struct body_look *b = context;
    struct parse_tree tree;
    if (!has_words(text, b->name, b->is_trigger))
        return false;
    parse_statement_kept(b->a, arena_str(b->a, text), &tree);
    size_t assign = str_find(text, STR(":="));
    if (!tree.node && assign != SIZE_MAX) {
        struct str target = {text.at, assign};
        if (b->is_trigger && b->name->column.len && text_mentions(target, b->name->column))
            note(b, MENTION_CERTAIN);
        text = str_skip(text, assign + 2);
    }
    if (!tree.node)
        parse_statement_kept(b->a, str_of(arena_printf(b->a, "SELECT %.*s", STR_ARG(text))), &tree);
    if (tree.node)
        look_at_tree(b, tree.node);
    else
        note(b, MENTION_POSSIBLE);
    return b->found == MENTION_CERTAIN;
}

/* false: it cannot be read. */
static bool look_at_plpgsql(struct body_look *b, const struct seen_function *f)
{
    SCOPED(fail) struct fail ignored = FAIL_NONE;
    const char *message;
    struct str answer = parse_plpgsql(b->a, f->definition, f->body, &message);
    SCOPED(json) struct json *j = answer.len ? json_parse(answer, STR("body"), &ignored) : NULL;
    if (j)
        (void)json_visit_texts(j, "query", look_at_query, b);
    return j != NULL;
}

static bool look_at_sql(struct body_look *b, const struct seen_function *f)
{
    const PgQuery__ParseResult *script = parse_script_kept(b->a, f->body);
    for (size_t i = 0; script && i < script->n_stmts; i++)
        look_at_tree(b, script->stmts[i]->stmt);
    return script != NULL;
}

enum mention postgres_mention_in_function(struct arena *a, const struct seen_function *f,
                                          const struct retired_name *name)
{
    struct body_look b = {.a = a, .name = name, .is_trigger = f->is_trigger && !name->is_required};
    if (!has_words(f->body, name, b.is_trigger))
        return MENTION_NONE;
    bool is_read = str_equal(f->language, STR("plpgsql")) ? look_at_plpgsql(&b, f)
                   : str_equal(f->language, STR("sql"))   ? look_at_sql(&b, f)
                                                          : false;
    return is_read ? b.found : MENTION_POSSIBLE;
}
