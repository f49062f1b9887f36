/*
 * Statements that touch the session or the transaction rather than the schema: SET and its relatives,
 * BEGIN … COMMIT, SELECT with functions.
 */
#include "planner/postgres/judge.h"

/* ---- parameters ---- */

/* Text of a constant: 'off', off, 0, true. */
static struct str constant_text(struct arena *a, const PgQuery__Node *n)
{
    if (!n || n->node_case != PG_QUERY__NODE__NODE_A_CONST || n->a_const->isnull)
        return (struct str){0};
    const PgQuery__AConst *c = n->a_const;
    switch (c->val_case) {
    case PG_QUERY__A__CONST__VAL_SVAL:
        return str_of(c->sval->sval);
    case PG_QUERY__A__CONST__VAL_IVAL:
        return str_of(arena_printf(a, "%d", c->ival ? c->ival->ival : 0));
    case PG_QUERY__A__CONST__VAL_BOOLVAL:
        return c->boolval->boolval ? STR("true") : STR("false");
    case PG_QUERY__A__CONST__VAL_FVAL:
        return str_of(c->fval->fval);
    default:
        return (struct str){0};
    }
}

/* As the server reads a boolean (bool.c: parse_bool_with_len), for values that mean true. */
static bool is_true(struct str v)
{
    return str_equal_nocase(v, STR("on")) || str_equal(v, STR("1")) ||
           (v.len > 0 && str_starts_nocase(STR("true"), v)) ||
           (v.len > 0 && str_starts_nocase(STR("yes"), v));
}

/* Names of UTF-8 that the server takes (encnames.c: only letters and digits count). */
static bool is_utf8(struct str v)
{
    char name[16];
    size_t len = 0;
    for (size_t i = 0; i < v.len; i++) {
        if (!char_is_alpha(v.at[i]) && !char_is_digit(v.at[i]))
            continue;
        if (len == sizeof(name))
            return false;
        name[len++] = char_lower(v.at[i]);
    }
    struct str clean = {name, len};
    return str_equal(clean, STR("utf8")) || str_equal(clean, STR("unicode"));
}

/* Two parameters change what the bytes of the file mean, behind the back of the lexer that cut it. */
static void check_parameter(struct judging *j, struct str name, struct str value)
{
    if (str_equal_nocase(name, STR("client_encoding")) && !is_utf8(value))
        judge_refuses(j,
                      "Migrations are read and sent as UTF-8; convert the file and take this out.");
    if (str_equal_nocase(name, STR("standard_conforming_strings")) && !is_true(value))
        judge_refuses(j, "Backslashes in plain texts would mean something else; write E'…' texts "
                         "and take this out.");
}

/* SET LOCAL ends with the transaction. SET TRANSACTION too; SET SESSION CHARACTERISTICS does not
   (guc.c: ExecSetVariableStmt). */
void look_set(struct judging *j, const PgQuery__Node *node)
{
    const PgQuery__VariableSetStmt *v = node->variable_set_stmt;
    struct str name = str_of(v->name);
    bool is_reset = v->kind == PG_QUERY__VARIABLE_SET_KIND__VAR_RESET ||
                    v->kind == PG_QUERY__VARIABLE_SET_KIND__VAR_RESET_ALL;
    if (is_reset)
        j->s->kind = "RESET";
    bool is_of_transaction =
        v->kind == PG_QUERY__VARIABLE_SET_KIND__VAR_SET_MULTI && !str_starts(name, STR("SESSION"));
    if (v->is_local || is_of_transaction)
        j->s->session = SESSION_NONE;
    if (v->kind == PG_QUERY__VARIABLE_SET_KIND__VAR_SET_VALUE)
        check_parameter(j, name, v->n_args ? constant_text(j->a, v->args[0]) : (struct str){0});
}

/* ---- transactions ---- */

void look_transaction(struct judging *j, const PgQuery__Node *node)
{
    static const struct {
        const char *kind;
        enum transaction_role role;
    } rows[] = {
        [PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_BEGIN] = {"BEGIN", ROLE_BEGIN},
        [PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_START] = {"START TRANSACTION", ROLE_BEGIN},
        [PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_COMMIT] = {"COMMIT", ROLE_COMMIT},
        [PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_ROLLBACK] = {"ROLLBACK", ROLE_ROLLBACK},
        [PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_SAVEPOINT] = {"SAVEPOINT", ROLE_ORDINARY},
        [PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_RELEASE] = {"RELEASE", ROLE_ORDINARY},
        [PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_ROLLBACK_TO] = {"ROLLBACK TO", ROLE_ORDINARY},
        [PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_PREPARE] = {"PREPARE TRANSACTION",
                                                                 ROLE_REFUSED},
        [PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_COMMIT_PREPARED] = {"COMMIT PREPARED",
                                                                         ROLE_REFUSED},
        [PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_ROLLBACK_PREPARED] = {"ROLLBACK PREPARED",
                                                                           ROLE_REFUSED},
    };
    const PgQuery__TransactionStmt *t = node->transaction_stmt;
    size_t at = (size_t)t->kind;
    if (at >= ARRAY_LEN(rows) || !rows[at].kind) {
        judge_refuses(j, "This way to end a transaction is not known here.");
        return;
    }
    j->s->kind = rows[at].kind;
    j->s->role = rows[at].role;
    if (j->s->role == ROLE_REFUSED)
        j->s->refusal =
            "The history entry must be in the same transaction as the change; use COMMIT.";
    else if (t->chain)
        judge_refuses(j, "Write COMMIT or ROLLBACK, and BEGIN behind it, instead of AND CHAIN.");
}

/* ---- queries ---- */

/* Functions that neither write nor change the session, by name, sorted: what migrations call when they
   copy or fill rows. Any other function is one that is not known. */
static const char *const harmless[] = {
    "abs",
    "age",
    "array_agg",
    "array_append",
    "array_length",
    "array_remove",
    "array_to_string",
    "avg",
    "bool_and",
    "bool_or",
    "btrim",
    "cardinality",
    "ceil",
    "char_length",
    "clock_timestamp",
    "coalesce",
    "concat",
    "concat_ws",
    "count",
    "current_database",
    "current_schema",
    "current_setting",
    "date_part",
    "date_trunc",
    "decode",
    "dense_rank",
    "encode",
    "every",
    "extract",
    "first_value",
    "floor",
    "format",
    "gen_random_uuid",
    "generate_series",
    "greatest",
    "initcap",
    "json_agg",
    "json_array_elements",
    "json_build_object",
    "jsonb_agg",
    "jsonb_array_elements",
    "jsonb_array_elements_text",
    "jsonb_build_array",
    "jsonb_build_object",
    "jsonb_each",
    "jsonb_each_text",
    "jsonb_object_agg",
    "jsonb_object_keys",
    "jsonb_set",
    "jsonb_strip_nulls",
    "jsonb_typeof",
    "lag",
    "last_value",
    "lead",
    "least",
    "left",
    "length",
    "lower",
    "lpad",
    "ltrim",
    "make_date",
    "max",
    "md5",
    "min",
    "mod",
    "now",
    "ntile",
    "nullif",
    "obj_description",
    "octet_length",
    "overlay",
    "position",
    "pg_get_serial_sequence",
    "quote_ident",
    "quote_literal",
    "random",
    "rank",
    "regexp_match",
    "regexp_matches",
    "regexp_replace",
    "regexp_split_to_array",
    "regexp_split_to_table",
    "repeat",
    "replace",
    "reverse",
    "right",
    "round",
    "row_number",
    "row_to_json",
    "rpad",
    "rtrim",
    "sha256",
    "sign",
    "split_part",
    "statement_timestamp",
    "string_agg",
    "string_to_array",
    "string_to_table",
    "strpos",
    "substr",
    "substring",
    "sum",
    "timezone",
    "to_char",
    "to_date",
    "to_json",
    "to_jsonb",
    "to_number",
    "to_regclass",
    "to_timestamp",
    "to_tsvector",
    "transaction_timestamp",
    "translate",
    "trim",
    "trunc",
    "unnest",
    "upper",
    "version",
};

static bool is_harmless(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(harmless); i++) {
        if (strcmp(harmless[i], name) == 0)
            return true;
    }
    return false;
}

/* Functions that write, but nothing that outlives the transaction in the session, except for what currval()
   says. */
static bool is_harmless_to_session(const char *name)
{
    static const char *const names[] = {"currval", "lastval", "nextval", "setval"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (strcmp(names[i], name) == 0)
            return true;
    }
    return false;
}

/* What a query calls and does, wherever in it. */
struct query {
    struct judging *j;
    const char *unknown;     /* a function that is not harmless */
    bool may_change_session; /* a function or prepared statement that may */
    bool sets_parameter;     /* set_config(…, false) */
    bool sets_locally;
    bool inserts;
    const char *writes; /* UPDATE, DELETE … in a WITH, SELECT INTO */
};

static void look_set_config(struct query *q, const PgQuery__FuncCall *call)
{
    struct judging *j = q->j;
    if (call->n_args != 3) {
        q->unknown = "set_config";
        q->may_change_session = true;
        return;
    }
    check_parameter(j, constant_text(j->a, call->args[0]), constant_text(j->a, call->args[1]));
    const PgQuery__Node *local = call->args[2];
    if (local->node_case ==
        PG_QUERY__NODE__NODE_TYPE_CAST) /* 'f'::bool, as the grammar writes false */
        local = local->type_cast->arg;
    if (is_true(constant_text(j->a, local)) || str_equal(constant_text(j->a, local), STR("t")))
        q->sets_locally = true;
    else
        q->sets_parameter = true;
}

static bool visit_query(void *context, const ProtobufCMessage *message)
{
    struct query *q = context;
    if (message->descriptor == &pg_query__func_call__descriptor) {
        const PgQuery__FuncCall *call = (const PgQuery__FuncCall *)message;
        const PgQuery__Node *last = call->n_funcname ? call->funcname[call->n_funcname - 1] : NULL;
        const char *name =
            last && last->node_case == PG_QUERY__NODE__NODE_STRING ? last->string->sval : "";
        const char *schema =
            call->n_funcname > 1 && call->funcname[0]->node_case == PG_QUERY__NODE__NODE_STRING
                ? call->funcname[0]->string->sval
                : "pg_catalog";
        bool is_builtin = strcmp(schema, "pg_catalog") == 0;
        if (is_builtin && strcmp(name, "set_config") == 0) {
            look_set_config(q, call);
        } else if (!is_builtin || !is_harmless(name)) {
            q->unknown = name;
            q->may_change_session |= !is_builtin || !is_harmless_to_session(name);
        }
    } else if (message->descriptor == &pg_query__execute_stmt__descriptor) {
        q->may_change_session = true;
    } else if (message->descriptor == &pg_query__insert_stmt__descriptor ||
               message->descriptor == &pg_query__into_clause__descriptor) {
        q->inserts = true;
    } else if (message->descriptor == &pg_query__update_stmt__descriptor) {
        q->writes = "overwrites values";
    } else if (message->descriptor == &pg_query__delete_stmt__descriptor) {
        q->writes = "deletes rows";
    } else if (message->descriptor == &pg_query__merge_stmt__descriptor) {
        q->writes = "may overwrite or delete rows";
    }
    return false;
}

void look_functions(struct judging *j, const PgQuery__Node *node)
{
    struct query q = {.j = j};
    (void)parse_tree_visit(&node->base, visit_query, &q);
    if (q.may_change_session || q.sets_parameter)
        j->s->session = SESSION_PERHAPS;
}

static void judge_query(struct judging *j, const PgQuery__Node *node)
{
    struct query q = {.j = j};
    (void)parse_tree_visit(&node->base, visit_query, &q);
    if (q.unknown) {
        j->s->session = SESSION_PERHAPS;
        judge_destroys(j, arena_printf(j->a, "calls %s(), which is not looked into", q.unknown));
    } else if (q.sets_parameter) {
        /* What only sets is run again when a script is resumed; what writes must not be. */
        j->s->session = q.inserts || q.writes ? SESSION_PERHAPS : SESSION_SETS;
        judge_adds(j, "sets a parameter");
    }
    if (q.writes)
        judge_destroys(j, q.writes);
}

void look_select(struct judging *j, const PgQuery__Node *node)
{
    judge_query(j, node);
    const PgQuery__IntoClause *into = node->select_stmt->into_clause;
    if (!into)
        return;
    j->s->kind = "SELECT INTO";
    if (into->rel && strcmp(into->rel->relpersistence, "t") == 0)
        j->s->session = SESSION_PERHAPS;
}

void look_insert(struct judging *j, const PgQuery__Node *node)
{
    look_functions(j, node);
    struct query q = {.j = j};
    const PgQuery__InsertStmt *i = node->insert_stmt;
    if (i->with_clause)
        (void)parse_tree_visit(&i->with_clause->base, visit_query, &q);
    if (q.writes)
        judge_destroys(j, q.writes);
    if (i->on_conflict_clause &&
        i->on_conflict_clause->action == PG_QUERY__ON_CONFLICT_ACTION__ONCONFLICT_UPDATE)
        judge_destroys(j, "overwrites rows that are there");
}

void look_copy(struct judging *j, const PgQuery__Node *node)
{
    const PgQuery__CopyStmt *c = node->copy_stmt;
    if (c->is_program)
        judge_destroys(j, "runs a program on the server");
    else if (!c->is_from)
        judge_adds(j, "reads");
    if (c->query)
        judge_query(j, c->query);
    if (j->s->session == SESSION_SETS) /* it writes a file, too */
        j->s->session = SESSION_PERHAPS;
    if (!c->is_from && !c->is_program && !c->filename[0])
        judge_refuses(j, "COPY … TO stdout has nowhere to go; take it out, or write to a table.");
}

void look_explain(struct judging *j, const PgQuery__Node *node)
{
    const PgQuery__ExplainStmt *e = node->explain_stmt;
    if (!judge_option_is_on(j->a, e->options, e->n_options, "analyze") || !e->query)
        return;
    struct statement inner = {.text = j->s->text};
    struct judging within = {j->a, j->server_version, &inner};
    judge_tree(&within, e->query);
    j->s->class = inner.class;
    j->s->class_reason = inner.class_reason;
    j->s->session = inner.session;
}
