/* What comments, rights, settings and the ends of transactions do. */
#include <string.h>

#include "core/base/buf.h"
#include "planner/postgres/effects.h"

/* ---- COMMENT, SECURITY LABEL ---- */

static bool is_whole_relation(PgQuery__ObjectType type)
{
    switch ((int)type) {
    case PG_QUERY__OBJECT_TYPE__OBJECT_TABLE:
    case PG_QUERY__OBJECT_TYPE__OBJECT_VIEW:
    case PG_QUERY__OBJECT_TYPE__OBJECT_MATVIEW:
    case PG_QUERY__OBJECT_TYPE__OBJECT_INDEX:
    case PG_QUERY__OBJECT_TYPE__OBJECT_SEQUENCE:
    case PG_QUERY__OBJECT_TYPE__OBJECT_FOREIGN_TABLE:
        return true;
    default:
        return false;
    }
}

static bool is_part_of_relation(PgQuery__ObjectType type)
{
    return type == PG_QUERY__OBJECT_TYPE__OBJECT_TABCONSTRAINT ||
           type == PG_QUERY__OBJECT_TYPE__OBJECT_TRIGGER ||
           type == PG_QUERY__OBJECT_TYPE__OBJECT_RULE ||
           type == PG_QUERY__OBJECT_TYPE__OBJECT_POLICY;
}

/* objectaddress.c, get_object_address(): a relation and a column take the caller's lock, what is part of
   a relation ACCESS SHARE on it (get_object_address_relobject). */
static void lock_object(struct deed *d, PgQuery__ObjectType type, const PgQuery__Node *object)
{
    if (!object || object->node_case != PG_QUERY__NODE__NODE_LIST)
        return;
    size_t count = object->list->n_items;
    enum lock_mode mode = LOCK_SHARE_UPDATE_EXCLUSIVE;
    if (is_part_of_relation(type))
        mode = LOCK_ACCESS_SHARE;
    else if (!is_whole_relation(type) && type != PG_QUERY__OBJECT_TYPE__OBJECT_COLUMN)
        return;
    if (!is_whole_relation(type) && count > 0)
        count--;
    deed_lock(d, deed_relation_by_names(d, object->list->items, count, false), mode, true);
}

void predict_comment(struct deed *d, const PgQuery__Node *node)
{
    if (node->node_case == PG_QUERY__NODE__NODE_COMMENT_STMT)
        lock_object(d, node->comment_stmt->objtype, node->comment_stmt->object);
    else
        lock_object(d, node->sec_label_stmt->objtype, node->sec_label_stmt->object);
}

void fold_comment(struct deed *d, const PgQuery__Node *node)
{
    (void)d;
    (void)node;
}

/* ---- ALTER EXTENSION ---- */

/* extension.c: UPDATE runs the extension's own scripts; ADD and DROP open what they name. */
void predict_alter_extension(struct deed *d, const PgQuery__Node *node)
{
    if (node->node_case == PG_QUERY__NODE__NODE_ALTER_EXTENSION_CONTENTS_STMT)
        lock_object(d, node->alter_extension_contents_stmt->objtype,
                    node->alter_extension_contents_stmt->object);
}

void fold_alter_extension(struct deed *d, const PgQuery__Node *node)
{
    if (node->node_case != PG_QUERY__NODE__NODE_ALTER_EXTENSION_CONTENTS_STMT)
        return;
    const PgQuery__AlterExtensionContentsStmt *alter = node->alter_extension_contents_stmt;
    if (!is_whole_relation(alter->objtype) || !alter->object ||
        alter->object->node_case != PG_QUERY__NODE__NODE_LIST)
        return;
    struct catalog_relation *r =
        deed_relation_by_names(d, alter->object->list->items, alter->object->list->n_items, true);
    if (r)
        r->extension =
            alter->action > 0 ? arena_str(d->catalog->arena, str_of(alter->extname)) : STR("");
}

/* ---- GRANT, REVOKE ---- */

void predict_grant(struct deed *d, const PgQuery__Node *node)
{
    enum { LOCKS_SINCE = 18 };
    const PgQuery__GrantStmt *grant = node->grant_stmt;
    if (grant->targtype != PG_QUERY__GRANT_TARGET_TYPE__ACL_TARGET_OBJECT)
        return;
    if (grant->objtype != PG_QUERY__OBJECT_TYPE__OBJECT_TABLE &&
        grant->objtype != PG_QUERY__OBJECT_TYPE__OBJECT_SEQUENCE)
        return;
    for (size_t i = 0; i < grant->n_objects; i++) {
        if (grant->objects[i]->node_case != PG_QUERY__NODE__NODE_RANGE_VAR)
            continue;
        struct catalog_relation *r = deed_relation(d, grant->objects[i]->range_var, false);
        if (d->major >= LOCKS_SINCE)
            deed_lock(d, r, LOCK_ACCESS_SHARE, true);
        if (r && !grant->is_grant)
            effects_add_loss(d->a, d->effects, LOSS_ACCESS, relation_kind_name(r->kind),
                             catalog_relation_text(d->a, r), r, true);
    }
}

void fold_grant(struct deed *d, const PgQuery__Node *node)
{
    (void)d;
    (void)node;
}

/* ---- SET ---- */

static bool is_list_of_names(const char *name)
{
    static const char *const lists[] = {
        "search_path",
        "temp_tablespaces",
        "session_preload_libraries",
        "shared_preload_libraries",
        "local_preload_libraries",
        "unix_socket_directories",
    };
    for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
        if (strcmp(lists[i], name) == 0)
            return true;
    }
    return false;
}

static void print_value(struct deed *d, struct buf *out, const PgQuery__Node *node, bool is_name)
{
    if (node && node->node_case == PG_QUERY__NODE__NODE_TYPE_CAST)
        node = node->type_cast->arg; /* SET TIME ZONE INTERVAL '…' */
    if (!node || node->node_case != PG_QUERY__NODE__NODE_A_CONST)
        return;
    const PgQuery__AConst *value = node->a_const;
    switch ((int)value->val_case) {
    case PG_QUERY__A__CONST__VAL_IVAL:
        buf_printf(out, "%d", value->ival->ival);
        break;
    case PG_QUERY__A__CONST__VAL_FVAL:
        buf_add_str(out, str_of(value->fval->fval));
        break;
    case PG_QUERY__A__CONST__VAL_BOOLVAL:
        buf_add_str(out, value->boolval->boolval ? STR("true") : STR("false"));
        break;
    case PG_QUERY__A__CONST__VAL_SVAL:
        if (is_name)
            buf_add_str(out, catalog_identifier(d->a, str_of(value->sval->sval)));
        else
            buf_add_str(out, str_of(value->sval->sval));
        break;
    default:
        break;
    }
}

void predict_set(struct deed *d, const PgQuery__Node *node)
{
    (void)d;
    (void)node;
}

/* guc_funcs.c, flatten_set_variable_args(). */
void fold_set(struct deed *d, const PgQuery__Node *node)
{
    const PgQuery__VariableSetStmt *set = node->variable_set_stmt;
    struct str name = str_of(set->name);
    switch ((int)set->kind) {
    case PG_QUERY__VARIABLE_SET_KIND__VAR_SET_VALUE: {
        SCOPED(buf) struct buf value = {0};
        for (size_t i = 0; i < set->n_args; i++) {
            if (i)
                buf_add_str(&value, STR(", "));
            print_value(d, &value, set->args[i], is_list_of_names(set->name));
        }
        struct str text = buf_done(d->a, &value);
        catalog_set(d->catalog, name, text.at ? text : STR(""), set->is_local);
        break;
    }
    case PG_QUERY__VARIABLE_SET_KIND__VAR_SET_DEFAULT:
    case PG_QUERY__VARIABLE_SET_KIND__VAR_RESET:
        catalog_set(d->catalog, name, (struct str){0}, set->is_local);
        break;
    case PG_QUERY__VARIABLE_SET_KIND__VAR_RESET_ALL:
        d->catalog->settings.count = 0;
        break;
    default: /* SET TRANSACTION …, FROM CURRENT */
        break;
    }
}

/* ---- transactions, and what is nothing to relations ---- */

void predict_transaction(struct deed *d, const PgQuery__Node *node)
{
    (void)d;
    (void)node;
}

void fold_transaction(struct deed *d, const PgQuery__Node *node)
{
    switch ((int)node->transaction_stmt->kind) {
    case PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_COMMIT:
    case PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_ROLLBACK:
    case PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_PREPARE:
        catalog_end_transaction(d->catalog);
        break;
    default:
        break;
    }
}

void predict_nothing(struct deed *d, const PgQuery__Node *node)
{
    (void)d;
    (void)node;
}

void fold_nothing(struct deed *d, const PgQuery__Node *node)
{
    (void)d;
    (void)node;
}
