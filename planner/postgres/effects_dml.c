/* What INSERT, UPDATE, DELETE, MERGE and COPY set off on their tables: indexes, routing to partitions,
   sequences behind defaults, rules and triggers (nodeModifyTable.c, execPartition.c, copyfrom.c). A
   statement is taken to hit rows wherever the table has some. */
#include "planner/postgres/effects_query.h"

#include <string.h>

#include "planner/postgres/types.h"
#include "planner/postgres/visited.h"

void dml_lock_indexes(struct deed *d, const struct catalog_relation *r, enum lock_mode mode)
{
    for (size_t i = 0; i < r->indexes.count; i++) {
        if (r->indexes.at[i]->is_dropped)
            continue;
        deed_lock(d, r->indexes.at[i], mode, false);
        if (mode == LOCK_ACCESS_SHARE)
            vec_push(d->a, &d->read_indexes, r->indexes.at[i]);
    }
}

/* INSERT and COPY hold the indexes only while they run. Where a query of the same statement reads them, what
   it holds until the end says all. */
static void lock_indexes_briefly(struct deed *d, const struct catalog_relation *r)
{
    for (size_t i = 0; i < r->indexes.count; i++) {
        const struct catalog_relation *index = r->indexes.at[i];
        bool is_read = index->is_dropped;
        for (size_t j = 0; j < d->read_indexes.count && !is_read; j++)
            is_read = d->read_indexes.at[j] == index;
        if (!is_read)
            deed_lock(d, index, LOCK_ROW_EXCLUSIVE, false);
    }
}

/* ---- what is known of the row ---- */

static const PgQuery__Node *null_node(void)
{
    static PgQuery__AConst constant = PG_QUERY__A__CONST__INIT;
    static PgQuery__Node node = PG_QUERY__NODE__INIT;
    constant.isnull = true;
    node.node_case = PG_QUERY__NODE__NODE_A_CONST;
    node.a_const = &constant;
    return &node;
}

static struct str target_name(const PgQuery__Node *node)
{
    return node->node_case == PG_QUERY__NODE__NODE_RES_TARGET ? str_of(node->res_target->name)
                                                              : STR("");
}

bool dml_sets(const struct dml *m, struct str column)
{
    if (m->is_every_column_set)
        return true;
    for (size_t i = 0; i < m->set_count; i++) {
        if (str_equal(target_name(m->set[i]), column))
            return true;
    }
    return false;
}

/* The place of a column in the list of INSERT; SIZE_MAX: it is left out. */
static size_t insert_place(const PgQuery__InsertStmt *insert, const struct catalog_relation *r,
                           struct str column)
{
    for (size_t i = 0; i < insert->n_cols; i++) {
        if (str_equal(target_name(insert->cols[i]), column))
            return i;
    }
    size_t place = 0;
    for (size_t i = 0; i < r->columns.count && !insert->n_cols; i++) {
        if (r->columns.at[i]->is_dropped)
            continue;
        if (str_equal(r->columns.at[i]->name, column))
            return place;
        place++;
    }
    return SIZE_MAX;
}

/* Whether a column gets its default in this row. */
static bool is_defaulted(const struct dml *m, const struct catalog_relation *r, struct str column)
{
    if (!m->insert)
        return false;
    size_t place = insert_place(m->insert, r, column);
    if (place == SIZE_MAX || !m->insert->select_stmt)
        return true;
    if (!m->row)
        return false;
    return place >= m->row_count || m->row[place]->node_case == PG_QUERY__NODE__NODE_SET_TO_DEFAULT;
}

const PgQuery__Node *dml_value(const struct dml *m, const struct catalog_relation *r,
                               struct str column)
{
    for (size_t i = 0; i < m->set_count; i++) {
        if (str_equal(target_name(m->set[i]), column))
            return m->set[i]->res_target->val;
    }
    if (is_defaulted(m, r, column)) {
        const struct catalog_column *c = catalog_find_column(r, column);
        if (!c || c->identity || c->sequence)
            return NULL;
        if (!catalog_has_expression(&c->default_value))
            return null_node();
        return c->default_value.tree;
    }
    if (!m->insert || !m->row)
        return NULL;
    size_t place = insert_place(m->insert, r, column);
    return place < m->row_count ? m->row[place] : NULL;
}

struct route {
    const struct dml *dml;
    const struct catalog_relation *root;
};

static const PgQuery__Node *route_value(void *context, struct str column)
{
    const struct route *route = context;
    return dml_value(route->dml, route->root, column);
}

/* ---- triggers ---- */

static bool fires(const struct catalog_trigger *t, const struct dml *m, bool is_row)
{
    if (t->is_dropped || t->is_row != is_row || t->enabled == 'D' || t->enabled == 'R')
        return false;
    if (t->type && !(t->type & m->event))
        return false;
    if (m->event != TRIGGER_UPDATE || !t->update_count)
        return true;
    for (size_t i = 0; i < t->update_count; i++) {
        if (dml_sets(m, t->columns.at[i]->name))
            return true;
    }
    return false;
}

void dml_triggers(struct deed *d, const struct catalog_relation *r, const struct dml *m,
                  bool is_row)
{
    for (size_t i = 0; i < r->triggers.count; i++) {
        const struct catalog_trigger *t = r->triggers.at[i];
        if (fires(t, m, is_row) && t->function)
            body_run_function(d, t->function, NULL);
    }
}

/* The bound of a partition is checked, and read from all that it is a partition of (partcache.c:
   generate_partition_qual()). NOLINTNEXTLINE(misc-no-recursion): as deep as the partitioning */
static void lock_ancestors(struct deed *d, const struct catalog_relation *r)
{
    for (size_t i = 0; i < r->parents.count && r->is_partition; i++) {
        deed_lock(d, r->parents.at[i], LOCK_ACCESS_SHARE, false);
        lock_ancestors(d, r->parents.at[i]);
    }
}

static void row_events(struct deed *d, const struct catalog_relation *r, const struct dml *m)
{
    if (m->event != TRIGGER_DELETE)
        lock_ancestors(d, r);
    dml_triggers(d, r, m, true);
    dml_check_references(d, r, m);
    if (m->event != TRIGGER_INSERT)
        dml_check_referencing(d, r, m, 0);
}

/* ---- INSERT ---- */

static void run_default(struct deed *d, struct catalog_relation *r,
                        const struct catalog_column *column)
{
    deed_lock(d, column->sequence, LOCK_ROW_EXCLUSIVE, false);
    const PgQuery__Node *tree = expression_tree(d->catalog, &column->default_value);
    if (!tree)
        return;
    struct query_uses uses = {0};
    query_uses_expression(d, tree, r, &uses);
    query_run_calls(d, &uses);
}

static void run_defaults(struct deed *d, struct catalog_relation *r, const struct dml *m)
{
    for (size_t i = 0; i < r->columns.count; i++) {
        const struct catalog_column *column = r->columns.at[i];
        if (!column->is_dropped && (column->generated || is_defaulted(m, r, column->name)))
            run_default(d, r, column);
    }
}

/* A row on its way to its partition. NOLINTNEXTLINE(misc-no-recursion): as deep as the partitioning */
static void insert_row(struct deed *d, const struct catalog_relation *r, const struct dml *m,
                       const struct catalog_relation *root)
{
    deed_lock(d, r, LOCK_ROW_EXCLUSIVE, r == root);
    if (r->kind != RELATION_PARTITIONED_TABLE) {
        lock_indexes_briefly(d, r);
        row_events(d, r, m);
        return;
    }
    struct route route = {.dml = m, .root = root};
    for (size_t i = 0; i < r->children.count; i++) {
        const struct catalog_relation *child = r->children.at[i];
        if (!child->is_dropped && partition_may_take(d, r, child, route_value, &route))
            insert_row(d, child, m, root);
    }
}

static const PgQuery__SelectStmt *rows_of(const PgQuery__InsertStmt *insert)
{
    if (!insert->select_stmt || insert->select_stmt->node_case != PG_QUERY__NODE__NODE_SELECT_STMT)
        return NULL;
    return insert->select_stmt->select_stmt;
}

/* SELECT of constants, without FROM, is a row as well. */
static bool read_single_row(struct deed *d, const PgQuery__SelectStmt *rows, struct dml *m)
{
    if (rows->n_from_clause || rows->n_values_lists || rows->larg || rows->where_clause)
        return false;
    VEC_OF(PgQuery__Node *) values = {0};
    for (size_t i = 0; i < rows->n_target_list; i++) {
        if (rows->target_list[i]->node_case != PG_QUERY__NODE__NODE_RES_TARGET ||
            !rows->target_list[i]->res_target->val)
            return false;
        vec_push(d->a, &values, rows->target_list[i]->res_target->val);
    }
    m->row = values.at;
    m->row_count = values.count;
    return true;
}

static bool has_no_rows(struct deed *d, const PgQuery__InsertStmt *insert)
{
    struct query_uses uses;
    const PgQuery__SelectStmt *rows = rows_of(insert);
    if (!rows || rows->n_values_lists)
        return false;
    query_uses_read(d, insert->select_stmt, &uses);
    enum row_state state = query_uses_rows(&uses);
    return state == ROWS_NONE || state == ROWS_NONE_WRITTEN;
}

static void insert_rows(struct deed *d, struct catalog_relation *r, struct dml *m)
{
    const PgQuery__SelectStmt *rows = rows_of(m->insert);
    if (has_no_rows(d, m->insert))
        return;
    if (!rows || !rows->n_values_lists) {
        if (rows)
            read_single_row(d, rows, m);
        run_defaults(d, r, m);
        insert_row(d, r, m, r);
        return;
    }
    for (size_t i = 0; i < rows->n_values_lists; i++) {
        const PgQuery__Node *list = rows->values_lists[i];
        if (list->node_case != PG_QUERY__NODE__NODE_LIST)
            continue;
        m->row = list->list->items;
        m->row_count = list->list->n_items;
        run_defaults(d, r, m);
        insert_row(d, r, m, r);
    }
}

static void run_insert(struct deed *d, struct catalog_relation *r,
                       const PgQuery__InsertStmt *insert)
{
    enum { ROOT_INDEXES_UNTIL = 13 };
    const PgQuery__OnConflictClause *conflict = insert->on_conflict_clause;
    struct dml m = {.event = TRIGGER_INSERT, .insert = insert};
    deed_lock(d, r, LOCK_ROW_EXCLUSIVE, true);
    if (conflict && conflict->infer)
        dml_lock_indexes(d, r, LOCK_ROW_EXCLUSIVE);
    else if (d->major <= ROOT_INDEXES_UNTIL)
        lock_indexes_briefly(d, r);
    dml_triggers(d, r, &m, false);
    insert_rows(d, r, &m);
    if (!conflict || conflict->action != PG_QUERY__ON_CONFLICT_ACTION__ONCONFLICT_UPDATE)
        return;
    struct dml update = {
        .event = TRIGGER_UPDATE,
        .set = conflict->target_list,
        .set_count = conflict->n_target_list,
    };
    dml_triggers(d, r, &update, false);
    if (deed_has_rows(r) && r->kind != RELATION_PARTITIONED_TABLE)
        row_events(d, r, &update);
}

/* ---- UPDATE, DELETE ---- */

static bool sets_partition_key(const struct catalog_relation *r, const struct dml *m)
{
    for (size_t i = 0; i < r->partition_keys.count; i++) {
        const struct catalog_column *column = r->partition_keys.at[i].column;
        if (column && dml_sets(m, column->name))
            return true;
    }
    return false;
}

/* NOLINTNEXTLINE(misc-no-recursion): as deep as the inheritance */
static void update_rows(struct deed *d, struct catalog_relation *r, const struct dml *m,
                        const struct partition_filter *filter, bool is_only, struct visited *done)
{
    if (r->kind != RELATION_PARTITIONED_TABLE && deed_has_rows(r))
        row_events(d, r, m);
    for (size_t i = 0; i < r->children.count && !is_only; i++) {
        struct catalog_relation *child = r->children.at[i];
        bool is_pruned =
            r->kind == RELATION_PARTITIONED_TABLE && !partition_may_match(d, r, child, filter);
        if (!is_pruned && deed_is_next(d, done, child))
            update_rows(d, child, m, filter, false, done);
    }
}

static void run_change(struct deed *d, struct catalog_relation *r, const struct dml *m,
                       const struct query_source *target)
{
    struct partition_filter filter = query_filter(d, target);
    dml_triggers(d, r, m, false);
    struct visited done = {0};
    update_rows(d, r, m, &filter, target->is_only, &done);
    if (m->event != TRIGGER_UPDATE || !sets_partition_key(r, m) || !deed_has_rows(r))
        return;
    struct dml moved = *m;
    moved.event = TRIGGER_INSERT;
    insert_row(d, r, &moved, r);
}

static void run_merge(struct deed *d, struct catalog_relation *r, const PgQuery__MergeStmt *merge,
                      const struct query_source *target)
{
    for (size_t i = 0; i < merge->n_merge_when_clauses; i++) {
        if (merge->merge_when_clauses[i]->node_case != PG_QUERY__NODE__NODE_MERGE_WHEN_CLAUSE)
            continue;
        const PgQuery__MergeWhenClause *when = merge->merge_when_clauses[i]->merge_when_clause;
        if (when->command_type == PG_QUERY__CMD_TYPE__CMD_INSERT) {
            PgQuery__InsertStmt insert = PG_QUERY__INSERT_STMT__INIT;
            PgQuery__Node rows = PG_QUERY__NODE__INIT;
            insert.cols = when->target_list;
            insert.n_cols = when->n_target_list;
            insert.select_stmt = &rows;
            struct dml m = {
                .event = TRIGGER_INSERT,
                .insert = &insert,
                .row = when->values,
                .row_count = when->n_values,
            };
            run_defaults(d, r, &m);
            dml_triggers(d, r, &m, false);
            insert_row(d, r, &m, r);
            continue;
        }
        struct dml m = {.set = when->target_list, .set_count = when->n_target_list};
        if (when->command_type == PG_QUERY__CMD_TYPE__CMD_UPDATE)
            m.event = TRIGGER_UPDATE;
        else if (when->command_type == PG_QUERY__CMD_TYPE__CMD_DELETE)
            m.event = TRIGGER_DELETE;
        if (m.event)
            run_change(d, r, &m, target);
    }
}

void dml_run_on_table(struct deed *d, struct catalog_relation *r, const struct query_source *target,
                      enum query_stage stage)
{
    const ProtobufCMessage *statement = target->statement;
    if (statement->descriptor == &pg_query__insert_stmt__descriptor) {
        enum { OPENS_EARLY_UNTIL = 13 };
        deed_lock(d, r, LOCK_ROW_EXCLUSIVE, true);
        if (stage == QUERY_PLANNED)
            run_insert(d, r, (const PgQuery__InsertStmt *)statement);
        else if (d->major <= OPENS_EARLY_UNTIL)
            dml_lock_indexes(d, r, LOCK_ROW_EXCLUSIVE);
        return;
    }
    struct partition_filter filter = query_filter(d, target);
    query_lock_table(d, r, LOCK_ROW_EXCLUSIVE, target->is_only, &filter, true);
    if (stage != QUERY_PLANNED)
        return;
    if (statement->descriptor == &pg_query__update_stmt__descriptor) {
        const PgQuery__UpdateStmt *update = (const PgQuery__UpdateStmt *)statement;
        struct dml m = {
            .event = TRIGGER_UPDATE,
            .set = update->target_list,
            .set_count = update->n_target_list,
        };
        run_change(d, r, &m, target);
    } else if (statement->descriptor == &pg_query__merge_stmt__descriptor) {
        run_merge(d, r, (const PgQuery__MergeStmt *)statement, target);
    } else {
        struct dml m = {.event = TRIGGER_DELETE};
        run_change(d, r, &m, target);
    }
}

/* copyfrom.c, CopyFrom(): the indexes of a partitioned table itself, too. */
void dml_copy(struct deed *d, struct catalog_relation *r, PgQuery__Node *const *columns,
              size_t count)
{
    PgQuery__InsertStmt insert = PG_QUERY__INSERT_STMT__INIT;
    PgQuery__Node rows = PG_QUERY__NODE__INIT;
    VEC_OF(PgQuery__Node *) targets = {0};
    for (size_t i = 0; i < count; i++) {
        if (columns[i]->node_case != PG_QUERY__NODE__NODE_STRING)
            continue;
        PgQuery__ResTarget *target = arena_new(d->a, PgQuery__ResTarget);
        PgQuery__Node *node = arena_new(d->a, PgQuery__Node);
        pg_query__res_target__init(target);
        pg_query__node__init(node);
        target->name = columns[i]->string->sval;
        node->node_case = PG_QUERY__NODE__NODE_RES_TARGET;
        node->res_target = target;
        vec_push(d->a, &targets, node);
    }
    insert.cols = targets.at;
    insert.n_cols = targets.count;
    insert.select_stmt = &rows;
    struct dml m = {.event = TRIGGER_INSERT, .insert = &insert};
    deed_lock(d, r, LOCK_ROW_EXCLUSIVE, true);
    dml_lock_indexes(d, r, LOCK_ROW_EXCLUSIVE);
    dml_triggers(d, r, &m, false);
    run_defaults(d, r, &m);
    insert_row(d, r, &m, r);
}
