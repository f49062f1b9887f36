/* Rules about partitions. */
#include "planner/postgres/rules_support.h"

static const PgQuery__PartitionCmd *partition_command(const struct rule_command *c)
{
    const PgQuery__Node *def = c->cmd->def;
    bool is_one = def && def->node_case == PG_QUERY__NODE__NODE_PARTITION_CMD;
    return is_one ? def->partition_cmd : NULL;
}

static bool is_index(const struct rule_command *c)
{
    return c->stmt->objtype == PG_QUERY__OBJECT_TYPE__OBJECT_INDEX || (c->table && c->table->index);
}

/* ---- ATTACH ---- */

static void see_attach(struct rule_subject *s, const struct rule_command *c)
{
    const PgQuery__PartitionCmd *cmd = partition_command(c);
    if (!cmd || is_index(c))
        return;
    struct rule_finding child = rule_about(s, cmd->name);
    bool is_known = child.relation && c->table;
    if (!is_known || rule_scan(s, child.name))
        rule_report_at(s, &child,
                       "%.*s%s is read in full under ACCESS EXCLUSIVE: no valid CHECK proves "
                       "that its rows belong there",
                       STR_ARG(child.name), rule_rows_text(s, child.relation));
}

static void check_attach(struct rule_subject *s)
{
    rule_each_command(s, PG_QUERY__ALTER_TABLE_TYPE__AT_AttachPartition, see_attach);
}

/* The default partition that has to be read; NULL: there is none, or it is proven. */
static const struct catalog_relation *read_default(const struct rule_subject *s,
                                                   const struct catalog_relation *parent)
{
    const struct catalog_relation *r = parent ? catalog_default_partition(parent) : NULL;
    if (!r || rule_is_new(s, r))
        return NULL;
    return r;
}

static void see_attach_default(struct rule_subject *s, const struct rule_command *c)
{
    const struct catalog_relation *r = read_default(s, c->table);
    if (!r || is_index(c))
        return;
    bool is_read = rule_scan(s, catalog_relation_text(s->a, r)) != NULL || r->rows == ROWS_NONE;
    rule_report(s, r, "default partition %.*s%s is locked ACCESS EXCLUSIVE%s",
                STR_ARG(catalog_relation_text(s->a, r)), rule_rows_text(s, r),
                is_read ? ", and read in full" : "");
}

static void check_attach_default(struct rule_subject *s)
{
    rule_each_command(s, PG_QUERY__ALTER_TABLE_TYPE__AT_AttachPartition, see_attach_default);
}

/* ---- PARTITION OF ---- */

static void check_create(struct rule_subject *s)
{
    const PgQuery__CreateStmt *stmt = rule_tree(s)->create_stmt;
    if (!stmt->partbound || stmt->n_inh_relations != 1 ||
        stmt->inh_relations[0]->node_case != PG_QUERY__NODE__NODE_RANGE_VAR)
        return;
    struct rule_finding parent = rule_about(s, stmt->inh_relations[0]->range_var);
    const struct catalog_relation *r = read_default(s, parent.relation);
    rule_report_at(s, &parent, "%.*s is locked ACCESS EXCLUSIVE%s", STR_ARG(parent.name),
                   r ? ", and its default partition is read in full" : "");
}

/* ---- DETACH ---- */

static void see_detach(struct rule_subject *s, const struct rule_command *c)
{
    const PgQuery__PartitionCmd *cmd = partition_command(c);
    if (cmd && !cmd->concurrent)
        rule_report_at(s, &c->about, "%.*s and %.*s are locked ACCESS EXCLUSIVE",
                       STR_ARG(c->about.name), STR_ARG(rule_about(s, cmd->name).name));
}

static void check_detach(struct rule_subject *s)
{
    rule_each_command(s, PG_QUERY__ALTER_TABLE_TYPE__AT_DetachPartition, see_detach);
}

/* ---- keys ---- */

static bool has_name(PgQuery__Node *const *names, size_t count, struct str name)
{
    for (size_t i = 0; i < count; i++) {
        if (str_equal(rule_string(names[i]), name))
            return true;
    }
    return false;
}

/* The first partition column that a key lacks; "" : none. */
static struct str lacking(const PgQuery__PartitionSpec *spec, const PgQuery__Constraint *k,
                          struct str own)
{
    for (size_t i = 0; i < spec->n_part_params; i++) {
        const PgQuery__Node *n = spec->part_params[i];
        if (n->node_case != PG_QUERY__NODE__NODE_PARTITION_ELEM || !n->partition_elem->name[0])
            continue;
        struct str name = str_of(n->partition_elem->name);
        if (!str_equal(name, own) && !has_name(k->keys, k->n_keys, name))
            return name;
    }
    return (struct str){0};
}

static void see_key(struct rule_subject *s, const struct rule_constraint *c)
{
    bool is_key = c->k->contype == PG_QUERY__CONSTR_TYPE__CONSTR_PRIMARY ||
                  c->k->contype == PG_QUERY__CONSTR_TYPE__CONSTR_UNIQUE;
    const PgQuery__Node *tree = rule_tree(s);
    if (!is_key || tree->node_case != PG_QUERY__NODE__NODE_CREATE_STMT ||
        !tree->create_stmt->partspec)
        return;
    struct str own = c->column ? str_of(c->column->colname) : (struct str){0};
    struct str name = lacking(tree->create_stmt->partspec, c->k, own);
    if (name.len)
        rule_report_at(s, &c->about,
                       "a key of %.*s must hold the partition column %.*s: the server "
                       "refuses it",
                       STR_ARG(c->about.name), STR_ARG(name));
}

static void check_key(struct rule_subject *s)
{
    const PgQuery__CreateStmt *stmt = rule_tree(s)->create_stmt;
    rule_each_constraint(s, 0, see_key);
    if (stmt->partspec && stmt->partspec->n_part_params > 1)
        rule_report(s, NULL,
                    "%s is partitioned by %zu columns: queries without the first of them go "
                    "to every partition",
                    stmt->relation ? stmt->relation->relname : "", stmt->partspec->n_part_params);
}

static void check_policy(struct rule_subject *s)
{
    const PgQuery__CreateStmt *stmt = rule_tree(s)->create_stmt;
    if (stmt->partspec)
        rule_report(s, NULL, "%s is partitioned", stmt->relation ? stmt->relation->relname : "");
}

static const struct rule_row rows[] = {
    {
        .rule =
            {
                .id = "attach-partition-scan",
                .level = HAZARD_WARN,
                .engine = ENGINE_POSTGRES,
                .exemptions = EXEMPT_NEW | EXEMPT_EMPTY,
                .title = "ATTACH PARTITION reads the new partition unless a CHECK proves its rows",
                .why = "The child is locked ACCESS EXCLUSIVE and read in full, to see that "
                       "every row lies in its range. From 12 on the parent is locked SHARE "
                       "UPDATE EXCLUSIVE only.",
                .fix = "Add a CHECK to the child that says the same as the range, with NOT NULL "
                       "of the key: NOT VALID, then VALIDATE. After ATTACH, which is then "
                       "instant, drop it.",
                .example = "ALTER TABLE events ATTACH PARTITION events_2020 FOR VALUES FROM "
                           "('2020-01-01') TO ('2021-01-01');",
                .safe =
                    "ALTER TABLE events_2020 ADD CONSTRAINT range_2020 CHECK (at >= '2020-01-01' "
                    "AND at < '2021-01-01') NOT VALID;\n"
                    "ALTER TABLE events_2020 VALIDATE CONSTRAINT range_2020;\n"
                    "ALTER TABLE events ATTACH PARTITION events_2020 FOR VALUES FROM "
                    "('2020-01-01') TO ('2021-01-01');",
                .sources =
                    "ddl-partitioning.html; tablecmds.c: QueuePartitionConstraintValidation()",
            },
        .check = check_attach,
        .node = PG_QUERY__NODE__NODE_ALTER_TABLE_STMT,
    },
    {
        .rule =
            {
                .id = "attach-partition-default-scan",
                .level = HAZARD_BLOCK,
                .engine = ENGINE_POSTGRES,
                .title = "with a default partition, ATTACH locks and reads it",
                .why = "Rows that belong in the new partition might lie in the default one: "
                       "the default partition is locked ACCESS EXCLUSIVE, as every query of the "
                       "parent needs it that has no other partition to go to, and read in full, "
                       "unless a CHECK of it excludes the range.",
                .fix = "Move the rows out of the default partition first. Then add a CHECK to "
                       "it that excludes the new range: NOT VALID, VALIDATE; attach; drop the "
                       "CHECK.",
                .example = "ALTER TABLE events ATTACH PARTITION events_2020 FOR VALUES FROM "
                           "('2020-01-01') TO ('2021-01-01');",
                .safe =
                    "ALTER TABLE events_other ADD CONSTRAINT not_2020 CHECK (at < '2020-01-01' OR "
                    "at >= '2021-01-01') NOT VALID;\n"
                    "ALTER TABLE events_other VALIDATE CONSTRAINT not_2020;\n"
                    "ALTER TABLE events ATTACH PARTITION events_2020 FOR VALUES FROM "
                    "('2020-01-01') TO ('2021-01-01');",
                .sources = "tablecmds.c: ATExecAttachPartition()",
            },
        .check = check_attach_default,
        .node = PG_QUERY__NODE__NODE_ALTER_TABLE_STMT,
    },
    {
        .rule =
            {
                .id = "create-partition-of",
                .level = HAZARD_WARN,
                .engine = ENGINE_POSTGRES,
                .exemptions = EXEMPT_NEW,
                .title = "CREATE TABLE … PARTITION OF locks the partitioned table",
                .why = "ACCESS EXCLUSIVE on the parent: every query of it waits, and the "
                       "statement waits for every query that runs. With a default partition, "
                       "that is locked and read as well.",
                .fix = "CREATE TABLE (LIKE parent INCLUDING …) first, then ATTACH PARTITION, "
                       "which takes SHARE UPDATE EXCLUSIVE from 12 on. With a short "
                       "lock_timeout in any case.",
                .example = "CREATE TABLE events_2020 PARTITION OF events FOR VALUES FROM "
                           "('2020-01-01') TO ('2021-01-01');",
                .safe = "CREATE TABLE events_2020 (LIKE events INCLUDING ALL);\n"
                        "ALTER TABLE events ATTACH PARTITION events_2020 FOR VALUES FROM "
                        "('2020-01-01') TO ('2021-01-01');",
                .sources = "tablecmds.c: DefineRelation(); ddl-partitioning.html",
            },
        .check = check_create,
        .node = PG_QUERY__NODE__NODE_CREATE_STMT,
    },
    {
        .rule =
            {
                .id = "detach-partition-blocking",
                .level = HAZARD_WARN,
                .engine = ENGINE_POSTGRES,
                .exemptions = EXEMPT_NEW,
                .title = "DETACH PARTITION locks the partitioned table",
                .why = "ACCESS EXCLUSIVE on parent and partition.",
                .fix = "DETACH PARTITION … CONCURRENTLY (14 and later): outside a transaction, "
                       "and not while there is a default partition. Where it was interrupted, "
                       "DETACH PARTITION … FINALIZE. Where foreign keys go from or to the "
                       "partitioned table, it locks the tables at their other end in the end, and "
                       "waits for that without a limit: a short lock_timeout and the plain form "
                       "are better.",
                .example = "ALTER TABLE events DETACH PARTITION events_2020;",
                .safe = "ALTER TABLE events DETACH PARTITION events_2020 CONCURRENTLY;",
                .sources = "sql-altertable.html; tablecmds.c: ATExecDetachPartition()",
            },
        .check = check_detach,
        .node = PG_QUERY__NODE__NODE_ALTER_TABLE_STMT,
    },
    {
        .rule =
            {
                .id = "merge-split-partition",
                .level = HAZARD_BLOCK,
                .engine = ENGINE_POSTGRES,
                .since = 19,
                .title = "MERGE PARTITIONS and SPLIT PARTITION copy rows under ACCESS EXCLUSIVE",
                .why = "PostgreSQL 19 brings ALTER TABLE … MERGE PARTITIONS and SPLIT "
                       "PARTITION: the rows of the partitions are copied while they and the "
                       "parent are locked. The parser at hand does not know them: such a "
                       "statement is reported as opaque-statement.",
                .fix = "Make the new partitions as tables of their own, copy in batches, then "
                       "DETACH and ATTACH.",
                .example = "ALTER TABLE events MERGE PARTITIONS (events_2019, events_2020) INTO "
                           "events_old;",
                .safe = "CREATE TABLE events_old (at date NOT NULL, who text);",
                .sources = "sql-altertable.html (19)",
            },
    },
    {
        .rule =
            {
                .id = "partition-key-traps",
                .level = HAZARD_WARN,
                .engine = ENGINE_POSTGRES,
                .title = "keys of a partitioned table must hold the partition columns",
                .why = "A primary key or UNIQUE without the partition key is refused, so "
                       "uniqueness of the rest cannot be guaranteed over all partitions. With "
                       "several key columns, queries that do not give the first of them go "
                       "through every partition.",
                .fix = "Partition by one column, and put it into every key.",
                .example = "CREATE TABLE events (at date NOT NULL, kind int NOT NULL) PARTITION BY "
                           "RANGE (at, kind);",
                .safe = "CREATE TABLE events (id bigint, at date, PRIMARY KEY (id, at)) "
                        "PARTITION BY RANGE (at);",
                .sources = "ddl-partitioning.html",
            },
        .check = check_key,
        .node = PG_QUERY__NODE__NODE_CREATE_STMT,
    },
    {
        .rule =
            {
                .id = "partitioning-policy",
                .level = HAZARD_OFF,
                .engine = ENGINE_POSTGRES,
                .title = "a partitioned table is made",
                .why = "House rules may want a word about each: who makes the partitions of "
                       "tomorrow, who drops the old ones.",
                .fix = "Say in a comment who makes and drops its partitions.",
                .example = "CREATE TABLE events (at date NOT NULL) PARTITION BY RANGE (at);",
                .safe = "CREATE TABLE events (at date NOT NULL);",
                .sources = "ddl-partitioning.html",
            },
        .check = check_policy,
        .node = PG_QUERY__NODE__NODE_CREATE_STMT,
    },
};
const struct rule_table rules_partition = {rows, ARRAY_LEN(rows)};
