/* Variables, and expressions over them. Everything that is not understood is
 * not known. */
#include <string.h>

#include "core/base/buf.h"
#include "planner/postgres/body.h"

bool body_spend(struct deed *d, size_t bytes)
{
    if (bytes <= BODY_BYTES_MAX && d->body_bytes <= BODY_BYTES_MAX - bytes) {
        d->body_bytes += bytes;
        return true;
    }
    d->body_bytes = BODY_BYTES_MAX;
    deed_opaque(d, "a body with too many steps");
    return false;
}

/* ---- variables ---- */

struct body_value body_get(const struct body *b, struct str name)
{
    for (size_t i = b->variables.count; i-- > 0;) {
        if (str_equal(b->variables.at[i].name, name))
            return b->variables.at[i].value;
    }
    return (struct body_value){0};
}

void body_set(struct body *b, struct str name, struct body_value value)
{
    if (!name.len)
        return;
    for (size_t i = b->variables.count; i-- > 0;) {
        if (str_equal(b->variables.at[i].name, name)) {
            b->variables.at[i].value = value;
            return;
        }
    }
    struct body_variable made = {.name = arena_str(b->d->a, name), .value = value};
    vec_push(b->d->a, &b->variables, made);
}

const PgQuery__Node *body_parse_expression(struct body *b, struct str text)
{
    if (!body_spend(b->d, text.len))
        return NULL;
    const char *query = arena_printf(b->d->a, "SELECT %.*s", STR_ARG(text));
    const PgQuery__ParseResult *script = parse_script_kept(b->d->catalog->arena, str_of(query));
    if (!script || script->n_stmts != 1 || !script->stmts[0]->stmt ||
        script->stmts[0]->stmt->node_case != PG_QUERY__NODE__NODE_SELECT_STMT)
        return NULL;
    const PgQuery__SelectStmt *select = script->stmts[0]->stmt->select_stmt;
    if (select->n_target_list != 1 ||
        select->target_list[0]->node_case != PG_QUERY__NODE__NODE_RES_TARGET)
        return NULL;
    return select->target_list[0]->res_target->val;
}

/* ---- values ---- */

const struct catalog_relation *body_regclass(const struct body *b, struct str text)
{
    struct parse_tree tree;
    const char *query = arena_printf(b->d->a, "TABLE %.*s", STR_ARG(text));
    parse_statement_kept(b->d->a, str_of(query), &tree);
    if (!tree.node || tree.node->node_case != PG_QUERY__NODE__NODE_SELECT_STMT)
        return NULL;
    const PgQuery__SelectStmt *select = tree.node->select_stmt;
    if (select->n_from_clause != 1 ||
        select->from_clause[0]->node_case != PG_QUERY__NODE__NODE_RANGE_VAR)
        return NULL;
    const PgQuery__RangeVar *name = select->from_clause[0]->range_var;
    return catalog_find_relation(b->d->catalog, str_of(name->schemaname), str_of(name->relname));
}

bool body_value_text(const struct body *b, const struct body_value *v, struct str *out)
{
    if (v->kind == BODY_TEXT) {
        *out = v->text;
        return true;
    }
    if (v->kind != BODY_RELATION)
        return false;
    const struct catalog_relation *r = v->relation;
    bool is_visible = catalog_find_relation(b->d->catalog, STR(""), r->name) == r;
    *out = is_visible ? catalog_identifier(b->d->a, r->name) : catalog_relation_text(b->d->a, r);
    return true;
}

struct body_value body_list(struct body *b, const struct body_value *items, size_t count)
{
    struct body_value *copy = arena_array(b->d->a, struct body_value, count ? count : 1);
    for (size_t i = 0; i < count; i++)
        copy[i] = items[i];
    return (struct body_value){.kind = BODY_LIST, .items = copy, .item_count = count};
}

bool body_equal(struct body *b, const struct body_value *one, const struct body_value *other,
                bool *out)
{
    const struct catalog_relation *r = one->kind == BODY_RELATION     ? one->relation
                                       : other->kind == BODY_RELATION ? other->relation
                                                                      : NULL;
    const struct body_value *against = one->kind == BODY_RELATION ? other : one;
    if (r && against->kind == BODY_RELATION) {
        *out = one->relation == other->relation;
        return true;
    }
    if (r && against->kind == BODY_TEXT) {
        if (!body_spend(b->d, against->text.len + BODY_NAME_BYTES))
            return false;
        const struct catalog_relation *named = body_regclass(b, against->text);
        *out = named == r;
        return named != NULL;
    }
    if (one->kind != BODY_TEXT || other->kind != BODY_TEXT)
        return false;
    *out = str_equal(one->text, other->text);
    return true;
}

/* ---- columns and variables ---- */

static struct str field_name(const PgQuery__Node *node)
{
    return node->node_case == PG_QUERY__NODE__NODE_STRING ? str_of(node->string->sval) : STR("");
}

static struct body_value evaluate_column(struct body *b, const PgQuery__ColumnRef *ref)
{
    if (!ref->n_fields || ref->n_fields > 3)
        return (struct body_value){0};
    struct str name = field_name(ref->fields[ref->n_fields - 1]);
    struct str qualifier = ref->n_fields > 1 ? field_name(ref->fields[ref->n_fields - 2]) : STR("");
    for (const struct body_row *row = b->row; row; row = row->outer) {
        if (qualifier.len && !str_equal(qualifier, row->alias))
            continue;
        for (size_t i = 0; row->columns[i]; i++) {
            if (str_equal(name, str_of(row->columns[i])))
                return row->cells[i];
        }
    }
    if (!qualifier.len)
        return body_get(b, name);
    struct str field =
        str_of(arena_printf(b->d->a, "%.*s.%.*s", STR_ARG(qualifier), STR_ARG(name)));
    struct body_value v = body_get(b, field);
    return v.kind != BODY_UNKNOWN ? v : body_get(b, name); /* label.variable */
}

/* ---- operators ---- */

static struct body_value concatenate(struct body *b, const struct body_value *left,
                                     const struct body_value *right)
{
    struct str one;
    struct str other;
    if (left->kind == BODY_NULL || right->kind == BODY_NULL)
        return (struct body_value){.kind = BODY_NULL};
    if (!body_value_text(b, left, &one) || !body_value_text(b, right, &other) ||
        !body_spend(b->d, one.len + other.len))
        return (struct body_value){0};
    return body_text(str_of(arena_printf(b->d->a, "%.*s%.*s", STR_ARG(one), STR_ARG(other))));
}

static struct body_value arithmetic(struct body *b, char op, int64_t left, int64_t right)
{
    int64_t out = 0;
    bool is_over = op == '+'   ? __builtin_add_overflow(left, right, &out)
                   : op == '-' ? __builtin_sub_overflow(left, right, &out)
                   : op == '*' ? __builtin_mul_overflow(left, right, &out)
                               : true;
    if ((op == '/' || op == '%') && right > 0) {
        out = op == '/' ? left / right : left % right;
        is_over = false;
    }
    if (is_over)
        return (struct body_value){0};
    return body_text(str_of(arena_printf(b->d->a, "%lld", (long long)out)));
}

/* LIKE with % and _, without escapes. Only the last % is ever tried again. */
static bool is_like(struct str text, struct str pattern)
{
    size_t at = 0;
    size_t in_text = 0;
    size_t star = SIZE_MAX;
    size_t star_text = 0;
    while (in_text < text.len) {
        if (at < pattern.len && pattern.at[at] == '%') {
            star = ++at;
            star_text = in_text;
        } else if (at < pattern.len &&
                   (pattern.at[at] == '_' || pattern.at[at] == text.at[in_text])) {
            at++;
            in_text++;
        } else if (star != SIZE_MAX) {
            at = star;
            in_text = ++star_text;
        } else {
            return false;
        }
    }
    while (at < pattern.len && pattern.at[at] == '%')
        at++;
    return at == pattern.len;
}

static struct body_value compare_texts(struct body *b, const char *op, struct str one,
                                       struct str other)
{
    int64_t left;
    int64_t right;
    bool are_numbers = str_to_i64(one, &left) && str_to_i64(other, &right);
    int order = are_numbers ? (left > right) - (left < right) : str_compare(one, other);
    if (strcmp(op, "<") == 0)
        return body_bool(order < 0);
    if (strcmp(op, ">") == 0)
        return body_bool(order > 0);
    if (strcmp(op, "<=") == 0)
        return body_bool(order <= 0);
    if (strcmp(op, ">=") == 0)
        return body_bool(order >= 0);
    if (are_numbers && op[0] && !op[1] && strchr("+-*/%", op[0]))
        return arithmetic(b, op[0], left, right);
    enum { LIKE_MAX_BYTES = 1000 }; /* both are multiplied; names have 63 */
    bool is_beyond = str_find_char(other, '\\') != SIZE_MAX || one.len > LIKE_MAX_BYTES ||
                     other.len > LIKE_MAX_BYTES;
    if (strcmp(op, "~~") == 0 && !is_beyond)
        return body_bool(is_like(one, other));
    if (strcmp(op, "!~~") == 0 && !is_beyond)
        return body_bool(!is_like(one, other));
    return (struct body_value){0};
}

static struct body_value operate(struct body *b, const char *op, const struct body_value *left,
                                 const struct body_value *right)
{
    if (strcmp(op, "||") == 0)
        return concatenate(b, left, right);
    if (left->kind == BODY_NULL || right->kind == BODY_NULL)
        return (struct body_value){.kind = BODY_NULL};
    bool is_equal;
    if (strcmp(op, "=") == 0)
        return body_equal(b, left, right, &is_equal) ? body_bool(is_equal) : (struct body_value){0};
    if (strcmp(op, "<>") == 0)
        return body_equal(b, left, right, &is_equal) ? body_bool(!is_equal)
                                                     : (struct body_value){0};
    if (left->kind != BODY_TEXT || right->kind != BODY_TEXT)
        return (struct body_value){0};
    return compare_texts(b, op, left->text, right->text);
}

/* x IN (…), x = ANY (…); is_not: NOT IN. */
static struct body_value is_among(struct body *b, const struct body_value *v,
                                  const struct body_value *items, size_t count, bool is_not)
{
    bool is_open = false;
    for (size_t i = 0; i < count; i++) {
        bool is_equal;
        if (!body_equal(b, v, &items[i], &is_equal))
            is_open = true;
        else if (is_equal)
            return body_bool(!is_not);
    }
    return is_open ? (struct body_value){0} : body_bool(is_not);
}

static struct body_value evaluate_nodes(struct body *b, PgQuery__Node *const *at, size_t count)
{
    VEC_OF(struct body_value) items = {0};
    for (size_t i = 0; i < count; i++)
        vec_push(b->d->a, &items, body_evaluate(b, at[i]));
    return body_list(b, items.at, items.count);
}

/* NOLINTNEXTLINE(misc-no-recursion): as deep as the tree */
static struct body_value evaluate_operator(struct body *b, const PgQuery__AExpr *e)
{
    if (!e->n_name || !e->rexpr)
        return (struct body_value){0};
    struct str op = field_name(e->name[e->n_name - 1]);
    struct body_value left =
        e->lexpr ? body_evaluate(b, e->lexpr) : body_text(STR("0")); /* -x is 0 - x */
    struct body_value right = {0};
    if (e->rexpr->node_case == PG_QUERY__NODE__NODE_LIST)
        right = evaluate_nodes(b, e->rexpr->list->items, e->rexpr->list->n_items);
    else
        right = body_evaluate(b, e->rexpr);
    switch ((int)e->kind) {
    case PG_QUERY__A__EXPR__KIND__AEXPR_OP:
    case PG_QUERY__A__EXPR__KIND__AEXPR_LIKE:
        return operate(b, arena_cstr(b->d->a, op), &left, &right);
    case PG_QUERY__A__EXPR__KIND__AEXPR_IN:
    case PG_QUERY__A__EXPR__KIND__AEXPR_OP_ANY:
        if (right.kind != BODY_LIST || left.kind <= BODY_NULL)
            return (struct body_value){0};
        return is_among(b, &left, right.items, right.item_count, str_equal(op, STR("<>")));
    default:
        return (struct body_value){0};
    }
}

static bool is_true(const struct body_value *v)
{
    return v->kind == BODY_TEXT && v->text.len && char_lower(v->text.at[0]) == 't';
}

/* NOLINTNEXTLINE(misc-no-recursion): as deep as the tree */
static struct body_value evaluate_logic(struct body *b, const PgQuery__BoolExpr *e)
{
    bool is_and = e->boolop == PG_QUERY__BOOL_EXPR_TYPE__AND_EXPR;
    bool is_not = e->boolop == PG_QUERY__BOOL_EXPR_TYPE__NOT_EXPR;
    bool has_null = false;
    bool is_open = false;
    for (size_t i = 0; i < e->n_args; i++) {
        struct body_value v = body_evaluate(b, e->args[i]);
        if (is_not)
            return v.kind == BODY_TEXT ? body_bool(!is_true(&v)) : v;
        if (v.kind == BODY_TEXT && is_true(&v) != is_and)
            return body_bool(!is_and);
        has_null |= v.kind == BODY_NULL;
        is_open |= v.kind != BODY_TEXT && v.kind != BODY_NULL;
    }
    if (is_open)
        return (struct body_value){0};
    return has_null ? (struct body_value){.kind = BODY_NULL} : body_bool(is_and);
}

/* ---- constants, casts, subqueries ---- */

static struct body_value evaluate_constant(struct body *b, const PgQuery__AConst *c)
{
    if (c->isnull)
        return (struct body_value){.kind = BODY_NULL};
    switch ((int)c->val_case) {
    case PG_QUERY__A__CONST__VAL_IVAL:
        return body_text(str_of(arena_printf(b->d->a, "%d", c->ival->ival)));
    case PG_QUERY__A__CONST__VAL_FVAL:
        return body_text(str_of(c->fval->fval));
    case PG_QUERY__A__CONST__VAL_BOOLVAL:
        return body_bool(c->boolval->boolval);
    case PG_QUERY__A__CONST__VAL_SVAL:
        return body_text(str_of(c->sval->sval));
    default:
        return (struct body_value){0};
    }
}

/* '{a,b}' without quotes inside. */
static struct body_value read_array(struct body *b, struct str text)
{
    VEC_OF(struct body_value) items = {0};
    if (text.len < 2 || text.at[0] != '{' || text.at[text.len - 1] != '}' ||
        str_find_char(text, '"') != SIZE_MAX || str_find_char(text, '\\') != SIZE_MAX)
        return (struct body_value){0};
    struct str rest = {text.at + 1, text.len - 2};
    while (rest.len) {
        struct str item;
        rest = str_cut(rest, ',', &item);
        vec_push(b->d->a, &items, body_text(str_trim(item)));
    }
    return body_list(b, items.at, items.count);
}

/* NOLINTNEXTLINE(misc-no-recursion): as deep as the tree */
static struct body_value evaluate_cast(struct body *b, const PgQuery__TypeCast *cast)
{
    struct body_value v = cast->arg ? body_evaluate(b, cast->arg) : (struct body_value){0};
    const PgQuery__TypeName *type = cast->type_name;
    if (!type || !type->n_names)
        return v;
    struct str name = field_name(type->names[type->n_names - 1]);
    if (type->n_array_bounds && v.kind == BODY_TEXT)
        return read_array(b, v.text);
    if (str_equal(name, STR("regclass")) && v.kind == BODY_TEXT) {
        const struct catalog_relation *r = body_regclass(b, v.text);
        return r ? (struct body_value){.kind = BODY_RELATION, .relation = r}
                 : (struct body_value){0};
    }
    bool is_text = str_equal(name, STR("text")) || str_equal(name, STR("varchar")) ||
                   str_equal(name, STR("name"));
    struct str text;
    if (is_text && body_value_text(b, &v, &text))
        return body_text(text);
    return v;
}

/* NOLINTNEXTLINE(misc-no-recursion): as deep as the tree */
static struct body_value evaluate_link(struct body *b, const PgQuery__SubLink *link)
{
    struct body_result result = {0};
    if (!link->subselect || !body_select(b, link->subselect, &result))
        return (struct body_value){0};
    struct body_value test =
        link->testexpr ? body_evaluate(b, link->testexpr) : (struct body_value){0};
    VEC_OF(struct body_value) first = {0};
    for (size_t i = 0; i < result.rows.count && result.column_count; i++)
        vec_push(b->d->a, &first, result.rows.at[i][0]);
    switch ((int)link->sub_link_type) {
    case PG_QUERY__SUB_LINK_TYPE__EXISTS_SUBLINK:
        if (result.rows.count)
            return body_bool(true);
        return result.is_certain ? body_bool(false) : (struct body_value){0};
    case PG_QUERY__SUB_LINK_TYPE__EXPR_SUBLINK:
        if (!result.is_certain || result.rows.count > 1 || !result.column_count)
            return (struct body_value){0};
        return result.rows.count ? first.at[0] : (struct body_value){.kind = BODY_NULL};
    case PG_QUERY__SUB_LINK_TYPE__ARRAY_SUBLINK:
        return result.is_certain ? body_list(b, first.at, first.count) : (struct body_value){0};
    case PG_QUERY__SUB_LINK_TYPE__ANY_SUBLINK:
        if (!result.is_certain || link->n_oper_name)
            return (struct body_value){0};
        return is_among(b, &test, first.at, first.count, false);
    default:
        return (struct body_value){0};
    }
}

static struct body_value evaluate_null_test(struct body *b, const PgQuery__NullTest *test)
{
    struct body_value v = test->arg ? body_evaluate(b, test->arg) : (struct body_value){0};
    if (v.kind == BODY_UNKNOWN)
        return v;
    bool is_null = v.kind == BODY_NULL;
    return body_bool(is_null == (test->nulltesttype == PG_QUERY__NULL_TEST_TYPE__IS_NULL));
}

static struct body_value evaluate_coalesce(struct body *b, const PgQuery__CoalesceExpr *e)
{
    for (size_t i = 0; i < e->n_args; i++) {
        struct body_value v = body_evaluate(b, e->args[i]);
        if (v.kind != BODY_NULL)
            return v;
    }
    return (struct body_value){.kind = BODY_NULL};
}

/* NOLINTNEXTLINE(misc-no-recursion): as deep as the tree */
struct body_value body_evaluate(struct body *b, const PgQuery__Node *node)
{
    switch ((int)node->node_case) {
    case PG_QUERY__NODE__NODE_A_CONST:
        return evaluate_constant(b, node->a_const);
    case PG_QUERY__NODE__NODE_COLUMN_REF:
        return evaluate_column(b, node->column_ref);
    case PG_QUERY__NODE__NODE_TYPE_CAST:
        return evaluate_cast(b, node->type_cast);
    case PG_QUERY__NODE__NODE_A_EXPR:
        return evaluate_operator(b, node->a_expr);
    case PG_QUERY__NODE__NODE_BOOL_EXPR:
        return evaluate_logic(b, node->bool_expr);
    case PG_QUERY__NODE__NODE_NULL_TEST:
        return evaluate_null_test(b, node->null_test);
    case PG_QUERY__NODE__NODE_COALESCE_EXPR:
        return evaluate_coalesce(b, node->coalesce_expr);
    case PG_QUERY__NODE__NODE_FUNC_CALL:
        return body_call(b, node->func_call);
    case PG_QUERY__NODE__NODE_SUB_LINK:
        return evaluate_link(b, node->sub_link);
    case PG_QUERY__NODE__NODE_A_ARRAY_EXPR:
        return evaluate_nodes(b, node->a_array_expr->elements, node->a_array_expr->n_elements);
    case PG_QUERY__NODE__NODE_SQLVALUE_FUNCTION:
        if (node->sqlvalue_function->op == PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_CURRENT_SCHEMA)
            return body_text(catalog_creation_schema(b->d->catalog));
        return (struct body_value){0};
    default:
        return (struct body_value){0};
    }
}
