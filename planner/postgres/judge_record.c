/*
 * Statements that would write to the record which migrate keeps of itself: its two tables, or their schema.
 * Reading is free, and so is what leaves the rows as they are (GRANT, COMMENT, CREATE INDEX, VACUUM). What a
 * text holds that is put together while it runs is not seen here: `history --verify` finds what it did.
 */
#include "core/base/json.h"
#include "planner/postgres/judge.h"

struct looking {
    struct arena *a;
    const struct cut_record *record;
    struct str found; /* the table, or "" for the schema */
    bool is_schema;
};

static bool is_own_table(struct looking *l, struct str schema, struct str name)
{
    bool is_near = schema.len ? str_equal(schema, l->record->name) : l->record->is_in_path;
    if (!is_near || !(str_equal(name, STR("event")) || str_equal(name, STR("history"))))
        return false;
    l->found = arena_str(l->a, name);
    return true;
}

static bool is_own(struct looking *l, const PgQuery__RangeVar *name)
{
    return name && is_own_table(l, str_of(name->schemaname), str_of(name->relname));
}

static bool is_own_schema(struct looking *l, const PgQuery__Node *node)
{
    l->is_schema = node && node->node_case == PG_QUERY__NODE__NODE_STRING &&
                   str_equal(str_of(node->string->sval), l->record->name);
    return l->is_schema;
}

static struct str word_of(const PgQuery__List *names, size_t i)
{
    bool is_text = i < names->n_items && names->items[i]->node_case == PG_QUERY__NODE__NODE_STRING;
    return is_text ? str_of(names->items[i]->string->sval) : (struct str){0};
}

/* [schema.]table, and behind it the name of a trigger, rule or policy. */
static bool drops_own(struct looking *l, const PgQuery__DropStmt *drop)
{
    bool is_part = drop->remove_type == PG_QUERY__OBJECT_TYPE__OBJECT_TRIGGER ||
                   drop->remove_type == PG_QUERY__OBJECT_TYPE__OBJECT_RULE ||
                   drop->remove_type == PG_QUERY__OBJECT_TYPE__OBJECT_POLICY;
    if (!is_part && drop->remove_type != PG_QUERY__OBJECT_TYPE__OBJECT_TABLE &&
        drop->remove_type != PG_QUERY__OBJECT_TYPE__OBJECT_SCHEMA)
        return false;
    for (size_t i = 0; i < drop->n_objects; i++) {
        const PgQuery__Node *object = drop->objects[i];
        if (is_own_schema(l, object))
            return true;
        if (object->node_case != PG_QUERY__NODE__NODE_LIST)
            continue;
        const PgQuery__List *names = object->list;
        size_t count = names->n_items - (is_part ? 1 : 0);
        if (count && is_own_table(l, count > 1 ? word_of(names, count - 2) : (struct str){0},
                                  word_of(names, count - 1)))
            return true;
    }
    return false;
}

static bool truncates_own(struct looking *l, const PgQuery__TruncateStmt *truncate)
{
    for (size_t i = 0; i < truncate->n_relations; i++) {
        if (truncate->relations[i]->node_case == PG_QUERY__NODE__NODE_RANGE_VAR &&
            is_own(l, truncate->relations[i]->range_var))
            return true;
    }
    return false;
}

static bool renames_own(struct looking *l, const PgQuery__RenameStmt *rename)
{
    l->is_schema = rename->rename_type == PG_QUERY__OBJECT_TYPE__OBJECT_SCHEMA &&
                   str_equal(str_of(rename->subname), l->record->name);
    return l->is_schema || is_own(l, rename->relation);
}

/* One statement, wherever it stands: in a WITH, behind EXPLAIN or PREPARE, in a rule. */
static bool writes_own(struct looking *l, const PgQuery__Node *node)
{
    switch ((int)node->node_case) {
    case PG_QUERY__NODE__NODE_INSERT_STMT:
        return is_own(l, node->insert_stmt->relation);
    case PG_QUERY__NODE__NODE_UPDATE_STMT:
        return is_own(l, node->update_stmt->relation);
    case PG_QUERY__NODE__NODE_DELETE_STMT:
        return is_own(l, node->delete_stmt->relation);
    case PG_QUERY__NODE__NODE_MERGE_STMT:
        return is_own(l, node->merge_stmt->relation);
    case PG_QUERY__NODE__NODE_COPY_STMT:
        return node->copy_stmt->is_from && is_own(l, node->copy_stmt->relation);
    case PG_QUERY__NODE__NODE_TRUNCATE_STMT:
        return truncates_own(l, node->truncate_stmt);
    case PG_QUERY__NODE__NODE_DROP_STMT:
        return drops_own(l, node->drop_stmt);
    case PG_QUERY__NODE__NODE_ALTER_TABLE_STMT:
        return is_own(l, node->alter_table_stmt->relation);
    case PG_QUERY__NODE__NODE_RENAME_STMT:
        return renames_own(l, node->rename_stmt);
    case PG_QUERY__NODE__NODE_ALTER_OBJECT_SCHEMA_STMT:
        return is_own(l, node->alter_object_schema_stmt->relation);
    case PG_QUERY__NODE__NODE_ALTER_OWNER_STMT:
        return node->alter_owner_stmt->object_type == PG_QUERY__OBJECT_TYPE__OBJECT_SCHEMA &&
               is_own_schema(l, node->alter_owner_stmt->object);
    case PG_QUERY__NODE__NODE_CREATE_TRIG_STMT:
        return is_own(l, node->create_trig_stmt->relation);
    case PG_QUERY__NODE__NODE_RULE_STMT:
        return is_own(l, node->rule_stmt->relation);
    case PG_QUERY__NODE__NODE_CREATE_POLICY_STMT:
        return is_own(l, node->create_policy_stmt->table);
    case PG_QUERY__NODE__NODE_ALTER_POLICY_STMT:
        return is_own(l, node->alter_policy_stmt->table);
    default:
        return false;
    }
}

static bool look(void *context, const ProtobufCMessage *message)
{
    return message->descriptor == &pg_query__node__descriptor &&
           writes_own(context, (const PgQuery__Node *)message);
}

/* ---- what a DO block holds ---- */

static bool look_into_text(void *context, struct str text)
{
    struct looking *l = context;
    const PgQuery__ParseResult *parsed = parse_script_kept(l->a, text);
    return parsed && parse_tree_visit(&parsed->base, look, l);
}

static bool block_writes_own(struct looking *l, const PgQuery__DoStmt *block)
{
    const PgQuery__DefElem *language = judge_option(block->args, block->n_args, "language");
    struct str body = judge_option_text(l->a, judge_option(block->args, block->n_args, "as"));
    if (!body.len ||
        (language && !str_equal_nocase(judge_option_text(l->a, language), STR("plpgsql"))))
        return false;
    const char *why_not;
    struct str answer = parse_plpgsql_block(l->a, body, &why_not);
    SCOPED(fail) struct fail ignored = FAIL_NONE;
    SCOPED(json)
    struct json *functions = answer.len ? json_parse(answer, STR("plpgsql"), &ignored) : NULL;
    return functions && json_visit_texts(functions, "query", look_into_text, l);
}

/* ---- one statement of a file ---- */

/* Unquoted names of whatever case; what is spelt with escapes is looked at in any case. */
static bool may_name(struct str text, const struct cut_record *record)
{
    return record->is_in_path || str_find_char(text, '\\') != SIZE_MAX ||
           str_find_nocase(text, record->name) != SIZE_MAX;
}

/* SET [LOCAL] search_path, and back. */
static void follow_search_path(struct cut_record *record, const PgQuery__Node *node)
{
    const PgQuery__VariableSetStmt *set = node->variable_set_stmt;
    bool is_all = set->kind == PG_QUERY__VARIABLE_SET_KIND__VAR_RESET_ALL;
    if (!is_all && !str_equal_nocase(str_of(set->name), STR("search_path")))
        return;
    record->is_in_path = false;
    for (size_t i = 0; i < set->n_args; i++) {
        const PgQuery__Node *value = set->args[i];
        if (value->node_case == PG_QUERY__NODE__NODE_A_CONST &&
            value->a_const->val_case == PG_QUERY__A__CONST__VAL_SVAL)
            record->is_in_path |= str_equal(str_of(value->a_const->sval->sval), record->name);
    }
}

void judge_record(struct judging *j, struct cut_record *record, const PgQuery__Node *node)
{
    struct looking l = {.a = j->a, .record = record};
    if (!record || !may_name(j->s->text, record))
        return;
    if (node->node_case == PG_QUERY__NODE__NODE_VARIABLE_SET_STMT)
        follow_search_path(record, node);
    bool is_found = node->node_case == PG_QUERY__NODE__NODE_DO_STMT
                        ? block_writes_own(&l, node->do_stmt)
                        : parse_tree_visit(&node->base, look, &l);
    if (!is_found)
        return;
    statement_refuse_record(
        j->a, j->s,
        l.is_schema ? arena_printf(j->a, "schema %.*s", STR_ARG(record->name))
                    : arena_printf(j->a, "%.*s.%.*s", STR_ARG(record->name), STR_ARG(l.found)));
}
