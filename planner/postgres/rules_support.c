/* Going through a statement for the rules. */
#include "planner/postgres/rules_support.h"

#include "core/base/buf.h"
#include "core/base/clock.h"
#include "core/base/vec.h"
#include "planner/postgres/effects.h"

/* ---- relations ---- */

/* A hundred rules ask the same of the same name. */
static struct rule_name_memo *name_memo(const struct rule_subject *s, const PgQuery__RangeVar *name)
{
    struct rule_name_memo *known = &((struct rule_memo *)s->memo)->name;
    if (known->name != name)
        *known = (struct rule_name_memo){
            .name = name,
            .relation =
                catalog_find_relation(s->catalog, str_of(name->schemaname), str_of(name->relname)),
        };
    return known;
}

struct catalog_relation *rule_relation(const struct rule_subject *s, const PgQuery__RangeVar *name)
{
    return name ? name_memo(s, name)->relation : NULL;
}

struct rule_finding rule_about_relation(const struct rule_subject *s,
                                        const struct catalog_relation *r)
{
    return (struct rule_finding){.relation = r, .name = catalog_relation_text(s->a, r)};
}

static struct rule_finding find_about(const struct rule_subject *s, const PgQuery__RangeVar *name,
                                      const struct catalog_relation *r)
{
    if (r)
        return rule_about_relation(s, r);
    struct str schema = str_of(name->schemaname);
    if (!schema.len && !deed_is_system(schema, str_of(name->relname)))
        schema = catalog_creation_schema(s->catalog);
    return (struct rule_finding){
        .name = catalog_name_text(s->a, schema, str_of(name->relname)),
    };
}

struct rule_finding rule_about(const struct rule_subject *s, const PgQuery__RangeVar *name)
{
    if (!name)
        return (struct rule_finding){0};
    struct rule_name_memo *known = name_memo(s, name);
    if (!known->about.name.len)
        known->about = find_about(s, name, known->relation);
    return known->about;
}

bool rule_is_new(const struct rule_subject *s, const struct catalog_relation *r)
{
    return rules_is_new(s->catalog, r);
}

bool rule_is_temporary(const struct catalog_relation *r)
{
    return r && r->persistence == PERSISTENCE_TEMPORARY;
}

const char *rule_rows_text(const struct rule_subject *s, const struct catalog_relation *r)
{
    if (!r || r->row_estimate < 0)
        return "";
    return arena_printf(s->a, " (about %.0f rows)", r->row_estimate);
}

const struct effect_lock *rule_strong_lock(const struct rule_subject *s, enum lock_mode from)
{
    const struct effect_lock *best = NULL;
    for (size_t i = 0; s->effects && i < s->effects->locks.count; i++) {
        const struct effect_lock *lock = &s->effects->locks.at[i];
        bool counts =
            lock->mode >= from && !rule_is_new(s, lock->object) && !rule_is_temporary(lock->object);
        if (counts && (!best || lock->mode > best->mode))
            best = lock;
    }
    return best;
}

enum relation_kind rule_lock_kind(const PgQuery__Node *tree, const struct effect_lock *lock)
{
    bool drops_index = tree && tree->node_case == PG_QUERY__NODE__NODE_DROP_STMT &&
                       tree->drop_stmt->remove_type == PG_QUERY__OBJECT_TYPE__OBJECT_INDEX;
    return !lock->object && drops_index ? RELATION_INDEX : lock->kind;
}

const struct held_lock *rule_held_lock(const struct rule_subject *s, enum lock_mode from)
{
    const struct held_lock *best = NULL;
    for (size_t i = 0; i < s->file->held.count; i++) {
        const struct held_lock *held = &s->file->held.at[i];
        if (held->mode >= from && !rule_is_temporary(held->object) &&
            (!best || held->mode > best->mode))
            best = held;
        if (best && best->mode == LOCK_ACCESS_EXCLUSIVE)
            break; /* there is none stronger, and thousands may be held */
    }
    return best;
}

static const struct effect_object *find_object(const struct effect_object *at, size_t count,
                                               struct str relation)
{
    for (size_t i = 0; i < count; i++) {
        if (!relation.len || str_equal(at[i].relation, relation))
            return &at[i];
    }
    return NULL;
}

const struct effect_object *rule_rewrite(const struct rule_subject *s, struct str relation)
{
    return find_object(s->effects->rewrites.at, s->effects->rewrites.count, relation);
}

const struct effect_object *rule_scan(const struct rule_subject *s, struct str relation)
{
    return find_object(s->effects->scans.at, s->effects->scans.count, relation);
}

/* ---- ALTER TABLE ---- */

static bool is_command(const PgQuery__Node *n, unsigned type)
{
    return n && n->node_case == PG_QUERY__NODE__NODE_ALTER_TABLE_CMD &&
           (!type || (unsigned)n->alter_table_cmd->subtype == type);
}

/* Most rules look for a command that is not there: they are told before anything is looked up. */
static bool has_command(const PgQuery__AlterTableStmt *stmt, unsigned type)
{
    for (size_t i = 0; i < stmt->n_cmds; i++) {
        if (is_command(stmt->cmds[i], type))
            return true;
    }
    return false;
}

void rule_each_command(struct rule_subject *s, unsigned type, rule_command_visitor *visit)
{
    const PgQuery__Node *tree = s->tree;
    if (!tree || tree->node_case != PG_QUERY__NODE__NODE_ALTER_TABLE_STMT)
        return;
    const PgQuery__AlterTableStmt *stmt = tree->alter_table_stmt;
    if (!has_command(stmt, type))
        return;
    struct rule_command c = {
        .stmt = stmt,
        .table = rule_relation(s, stmt->relation),
        .about = rule_about(s, stmt->relation),
    };
    if (!c.table && stmt->missing_ok && s->catalog->is_complete)
        return;
    for (size_t i = 0; i < stmt->n_cmds; i++) {
        if (!is_command(stmt->cmds[i], type))
            continue;
        c.cmd = stmt->cmds[i]->alter_table_cmd;
        c.column = c.table ? catalog_find_column(c.table, str_of(c.cmd->name)) : NULL;
        visit(s, &c);
    }
}

/* ---- columns ---- */

static bool is_def(const PgQuery__Node *n)
{
    return n && n->node_case == PG_QUERY__NODE__NODE_COLUMN_DEF;
}

static void add_column(const struct rule_subject *s, struct rule_columns *out, struct rule_column c)
{
    c.type = (struct type_ref){.typmod = -1};
    if (c.def->type_name)
        c.type = type_resolve(s->catalog, c.def->type_name, &c.is_serial);
    c.about.offset_bytes = c.def->location > 0 ? (uint64_t)c.def->location : 0;
    vec_push(s->a, out, c);
}

static void find_altered(const struct rule_subject *s, const PgQuery__AlterTableStmt *stmt,
                         struct rule_columns *out)
{
    struct rule_column c = {
        .table = rule_relation(s, stmt->relation),
        .about = rule_about(s, stmt->relation),
    };
    for (size_t i = 0; i < stmt->n_cmds; i++) {
        const PgQuery__Node *n = stmt->cmds[i];
        if (!n || n->node_case != PG_QUERY__NODE__NODE_ALTER_TABLE_CMD)
            continue;
        const PgQuery__AlterTableCmd *cmd = n->alter_table_cmd;
        c.is_added = cmd->subtype == PG_QUERY__ALTER_TABLE_TYPE__AT_AddColumn;
        c.is_retyped = cmd->subtype == PG_QUERY__ALTER_TABLE_TYPE__AT_AlterColumnType;
        if ((!c.is_added && !c.is_retyped) || !is_def(cmd->def))
            continue;
        bool is_there = c.is_added && c.table && cmd->missing_ok &&
                        catalog_find_column(c.table, str_of(cmd->def->column_def->colname));
        if (is_there)
            continue;
        c.def = cmd->def->column_def;
        add_column(s, out, c);
    }
}

/* Whether CREATE TABLE IF NOT EXISTS finds it there. */
static bool does_nothing(const struct rule_subject *s, const PgQuery__CreateStmt *stmt)
{
    return stmt->if_not_exists && rule_relation(s, stmt->relation);
}

static void find_created(const struct rule_subject *s, const PgQuery__CreateStmt *stmt,
                         struct rule_columns *out)
{
    struct rule_column c = {.about = rule_about(s, stmt->relation)};
    c.about.relation = NULL;
    for (size_t i = 0; i < stmt->n_table_elts && !does_nothing(s, stmt); i++) {
        if (!is_def(stmt->table_elts[i]))
            continue;
        c.def = stmt->table_elts[i]->column_def;
        add_column(s, out, c);
    }
}

/* Their types are looked up once, not for every rule. */
static const struct rule_columns *columns_of(const struct rule_subject *s)
{
    const PgQuery__Node *tree = s->tree;
    struct rule_columns *known = &((struct rule_memo *)s->memo)->columns;
    if (known->tree == tree)
        return known;
    *known = (struct rule_columns){.tree = tree};
    if (tree->node_case == PG_QUERY__NODE__NODE_ALTER_TABLE_STMT)
        find_altered(s, tree->alter_table_stmt, known);
    else if (tree->node_case == PG_QUERY__NODE__NODE_CREATE_STMT)
        find_created(s, tree->create_stmt, known);
    return known;
}

void rule_each_column(struct rule_subject *s, rule_column_visitor *visit)
{
    if (!s->tree)
        return;
    const struct rule_columns *columns = columns_of(s);
    for (size_t i = 0; i < columns->count; i++)
        visit(s, &columns->at[i]);
}

bool rule_is_builtin(const struct rule_column *c, const char *name)
{
    return str_equal(c->type.builtin, str_of(name));
}

const PgQuery__Constraint *rule_column_constraint(const struct rule_column *c,
                                                  PgQuery__ConstrType type)
{
    return column_constraint(c->def, type);
}

/* ---- constraints ---- */

struct constraint_visit {
    unsigned type;
    rule_constraint_visitor *visit;
};

static void visit_constraint(struct rule_subject *s, const struct constraint_visit *v,
                             struct rule_constraint *c, const PgQuery__Node *n)
{
    if (!n || n->node_case != PG_QUERY__NODE__NODE_CONSTRAINT)
        return;
    c->k = n->constraint;
    if (v->type && (unsigned)c->k->contype != v->type)
        return;
    c->about.offset_bytes = c->k->location > 0 ? (uint64_t)c->k->location : 0;
    v->visit(s, c);
}

static void visit_column_constraints(struct rule_subject *s, const struct constraint_visit *v,
                                     struct rule_constraint *c, const PgQuery__ColumnDef *def)
{
    c->column = def;
    for (size_t i = 0; i < def->n_constraints; i++)
        visit_constraint(s, v, c, def->constraints[i]);
    c->column = NULL;
}

static void visit_constraints_of_create(struct rule_subject *s, const struct constraint_visit *v,
                                        const PgQuery__CreateStmt *stmt)
{
    struct rule_constraint c = {.about = rule_about(s, stmt->relation), .is_create = true};
    c.about.relation = NULL;
    for (size_t i = 0; i < stmt->n_table_elts; i++) {
        if (is_def(stmt->table_elts[i]))
            visit_column_constraints(s, v, &c, stmt->table_elts[i]->column_def);
        else
            visit_constraint(s, v, &c, stmt->table_elts[i]);
    }
}

static void visit_constraints_of_alter(struct rule_subject *s, const struct constraint_visit *v,
                                       const PgQuery__AlterTableStmt *stmt)
{
    struct rule_constraint c = {
        .table = rule_relation(s, stmt->relation),
        .about = rule_about(s, stmt->relation),
    };
    for (size_t i = 0; i < stmt->n_cmds; i++) {
        const PgQuery__Node *n = stmt->cmds[i];
        if (!n || n->node_case != PG_QUERY__NODE__NODE_ALTER_TABLE_CMD)
            continue;
        const PgQuery__AlterTableCmd *cmd = n->alter_table_cmd;
        bool is_there = cmd->missing_ok && c.table && is_def(cmd->def) &&
                        catalog_find_column(c.table, str_of(cmd->def->column_def->colname));
        if (cmd->subtype == PG_QUERY__ALTER_TABLE_TYPE__AT_AddColumn && is_def(cmd->def) &&
            !is_there)
            visit_column_constraints(s, v, &c, cmd->def->column_def);
        else if (cmd->subtype == PG_QUERY__ALTER_TABLE_TYPE__AT_AddConstraint)
            visit_constraint(s, v, &c, cmd->def);
    }
}

void rule_each_constraint(struct rule_subject *s, unsigned type, rule_constraint_visitor *visit)
{
    const PgQuery__Node *tree = s->tree;
    const struct constraint_visit v = {type, visit};
    if (tree && tree->node_case == PG_QUERY__NODE__NODE_ALTER_TABLE_STMT)
        visit_constraints_of_alter(s, &v, tree->alter_table_stmt);
    else if (tree && tree->node_case == PG_QUERY__NODE__NODE_CREATE_STMT &&
             !does_nothing(s, tree->create_stmt))
        visit_constraints_of_create(s, &v, tree->create_stmt);
}

/* ---- DROP ---- */

static bool is_relation_type(PgQuery__ObjectType type)
{
    return type == PG_QUERY__OBJECT_TYPE__OBJECT_TABLE ||
           type == PG_QUERY__OBJECT_TYPE__OBJECT_INDEX ||
           type == PG_QUERY__OBJECT_TYPE__OBJECT_VIEW ||
           type == PG_QUERY__OBJECT_TYPE__OBJECT_MATVIEW ||
           type == PG_QUERY__OBJECT_TYPE__OBJECT_SEQUENCE ||
           type == PG_QUERY__OBJECT_TYPE__OBJECT_FOREIGN_TABLE;
}

/* The name of a dropped object: a list, a String, a type name or a function with arguments. */
static struct str object_text(const struct rule_subject *s, const PgQuery__Node *n)
{
    if (!n)
        return (struct str){0};
    switch (n->node_case) {
    case PG_QUERY__NODE__NODE_LIST:
        return rule_names_text(s, n->list->items, n->list->n_items);
    case PG_QUERY__NODE__NODE_TYPE_NAME:
        return rule_names_text(s, n->type_name->names, n->type_name->n_names);
    case PG_QUERY__NODE__NODE_OBJECT_WITH_ARGS:
        return rule_names_text(s, n->object_with_args->objname, n->object_with_args->n_objname);
    default:
        return rule_string(n);
    }
}

void rule_each_dropped(struct rule_subject *s, PgQuery__ObjectType type, rule_drop_visitor *visit)
{
    const PgQuery__Node *tree = s->tree;
    if (!tree || tree->node_case != PG_QUERY__NODE__NODE_DROP_STMT ||
        tree->drop_stmt->remove_type != type)
        return;
    const PgQuery__DropStmt *stmt = tree->drop_stmt;
    for (size_t i = 0; i < stmt->n_objects; i++) {
        const PgQuery__Node *n = stmt->objects[i];
        struct rule_drop d = {.stmt = stmt, .about.name = object_text(s, n)};
        if (is_relation_type(type) && n && n->node_case == PG_QUERY__NODE__NODE_LIST) {
            struct str schema;
            struct str name;
            deed_split_name(n->list->items, n->list->n_items, &schema, &name);
            d.relation = catalog_find_relation(s->catalog, schema, name);
            if (!d.relation && stmt->missing_ok && s->catalog->is_complete)
                continue;
            if (d.relation)
                d.about = rule_about_relation(s, d.relation);
            else if (!schema.len)
                d.about.name = catalog_name_text(s->a, catalog_creation_schema(s->catalog), name);
        }
        visit(s, &d);
    }
}

/* ---- small things ---- */

struct str rule_string(const PgQuery__Node *node)
{
    bool is_string = node && node->node_case == PG_QUERY__NODE__NODE_STRING;
    return str_of(is_string ? node->string->sval : "");
}

struct str rule_names_text(const struct rule_subject *s, PgQuery__Node *const *names, size_t count)
{
    SCOPED(buf) struct buf text = {0};
    for (size_t i = 0; i < count; i++) {
        if (i)
            buf_add_char(&text, '.');
        buf_add_str(&text, catalog_identifier(s->a, rule_string(names[i])));
    }
    return buf_done(s->a, &text);
}

int64_t rule_timeout_ms(struct str value)
{
    int64_t number;
    if (str_to_i64(value, &number))
        return number;
    SCOPED(buf) struct buf text = {0};
    for (size_t i = 0; i < value.len; i++) {
        if (value.at[i] != ' ')
            buf_add_char(&text, value.at[i]);
    }
    struct str plain = buf_str(&text);
    if (plain.len > 3 && str_equal(str_skip(plain, plain.len - 3), STR("min")))
        plain.len -= 2;
    return clock_parse_duration(plain, &number) ? number : -1;
}

int64_t rule_effective_timeout(const struct rule_subject *s, const char *name)
{
    struct str value = catalog_setting(s->catalog, name);
    return value.at ? rule_timeout_ms(value) : -1;
}

bool rule_is_column_ref(void *context, const ProtobufCMessage *message)
{
    (void)context;
    return message->descriptor == &pg_query__column_ref__descriptor;
}

void rule_report_line(struct rule_subject *s, uint32_t line,
                      const struct catalog_relation *relation, const char *format, ...)
{
    va_list values;
    va_start(values, format);
    const char *message = arena_vprintf(s->a, format, values);
    va_end(values);
    rule_report_at(s, &(struct rule_finding){.relation = relation, .line = line}, "%s", message);
}

size_t rule_first_made(const struct rule_subject *s)
{
    const struct catalog *c = s->catalog;
    size_t first = c->relations.count;
    while (first > 0 && c->relations.at[first - 1]->created_in == c->migration)
        first--;
    return first;
}

size_t rule_first_made_constraint(const struct rule_subject *s)
{
    const struct catalog *c = s->catalog;
    size_t first = c->constraints.count;
    while (first > 0 && c->constraints.at[first - 1]->created_in == c->migration)
        first--;
    return first;
}

uint32_t rule_line_of(const struct rule_subject *s, const struct catalog_relation *r)
{
    const struct noted *one = file_state_about(rule_state(s), r);
    return one ? one->line : 0;
}
