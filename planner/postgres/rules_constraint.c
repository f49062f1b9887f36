/* Rules about constraints that are added. */
#include "planner/postgres/rules_support.h"

static bool is_added(const struct rule_constraint *c)
{
    return !c->column && !c->is_create && !rule_is_temporary(c->table);
}

static const char *name_of(const struct rule_constraint *c, const char *kind)
{
    return c->k->conname[0] ? c->k->conname : kind;
}

/* ---- CHECK and foreign keys ---- */

static void see_check(struct rule_subject *s, const struct rule_constraint *c)
{
    if (is_added(c) && !c->k->skip_validation)
        rule_report_at(s, &c->about, "%.*s%s is read in full under ACCESS EXCLUSIVE to test %s",
                       STR_ARG(c->about.name), rule_rows_text(s, c->table),
                       name_of(c, "the CHECK"));
}

static void check_check(struct rule_subject *s)
{
    rule_each_constraint(s, PG_QUERY__CONSTR_TYPE__CONSTR_CHECK, see_check);
}

/* tablecmds.c: ATAddForeignKeyConstraint(); VALIDATE does not reach the rows that stand for the partitions of
   a referenced table. */
static bool is_never_not_valid(const struct rule_subject *s, const struct rule_constraint *c)
{
    const struct catalog_relation *to = rule_relation(s, c->k->pktable);
    bool is_partitioned = (c->table && c->table->kind == RELATION_PARTITIONED_TABLE) ||
                          (to && to->kind == RELATION_PARTITIONED_TABLE);
    return is_partitioned && s->major < 18;
}

static void see_foreign_key(struct rule_subject *s, const struct rule_constraint *c)
{
    if (!is_added(c) || c->k->skip_validation)
        return;
    rule_report_at(s, &c->about,
                   "%.*s%s is read in full while it and %.*s are locked SHARE ROW "
                   "EXCLUSIVE: nobody writes to either%s",
                   STR_ARG(c->about.name), rule_rows_text(s, c->table),
                   STR_ARG(rule_about(s, c->k->pktable).name),
                   is_never_not_valid(s, c)
                       ? "; with a partitioned table this server takes no NOT VALID"
                       : "");
}

static void check_foreign_key(struct rule_subject *s)
{
    rule_each_constraint(s, PG_QUERY__CONSTR_TYPE__CONSTR_FOREIGN, see_foreign_key);
}

static void see_parent(struct rule_subject *s, const struct rule_constraint *c)
{
    struct rule_finding parent = rule_about(s, c->k->pktable);
    bool is_self = str_equal(parent.name, c->about.name);
    if (is_self || rule_is_new(s, parent.relation) || rule_is_temporary(parent.relation))
        return;
    parent.offset_bytes = c->about.offset_bytes;
    rule_report_at(s, &parent, "%.*s is locked SHARE ROW EXCLUSIVE, too: writers of it wait",
                   STR_ARG(parent.name));
}

static void see_dropped_parent(struct rule_subject *s, const struct rule_command *c)
{
    const struct catalog_constraint *k =
        c->table ? catalog_find_constraint(c->table, str_of(c->cmd->name)) : NULL;
    if (k && k->kind == CONSTRAINT_FOREIGN_KEY && k->referenced && k->referenced != c->table &&
        !rule_is_new(s, k->referenced))
        rule_report(s, k->referenced, "%.*s is locked ACCESS EXCLUSIVE, too: readers of it wait",
                    STR_ARG(catalog_relation_text(s->a, k->referenced)));
}

static void check_parent(struct rule_subject *s)
{
    if (!s->tree)
        return;
    rule_each_constraint(s, PG_QUERY__CONSTR_TYPE__CONSTR_FOREIGN, see_parent);
    rule_each_command(s, PG_QUERY__ALTER_TABLE_TYPE__AT_DropConstraint, see_dropped_parent);
}

/* ---- keys ---- */

/* An index that is there already, or of a partitioned table ONLY: nothing is built. */
static bool builds_index(const struct rule_subject *s, const struct rule_constraint *c)
{
    const PgQuery__Node *tree = rule_tree(s);
    bool is_only = tree->node_case == PG_QUERY__NODE__NODE_ALTER_TABLE_STMT && c->table &&
                   c->table->kind == RELATION_PARTITIONED_TABLE &&
                   !tree->alter_table_stmt->relation->inh;
    return is_added(c) && !c->k->indexname[0] && !is_only;
}

static void see_unique(struct rule_subject *s, const struct rule_constraint *c)
{
    if (builds_index(s, c))
        rule_report_at(s, &c->about, "the index of %s is built under ACCESS EXCLUSIVE on %.*s%s",
                       name_of(c, "UNIQUE"), STR_ARG(c->about.name), rule_rows_text(s, c->table));
}

static void check_unique(struct rule_subject *s)
{
    rule_each_constraint(s, PG_QUERY__CONSTR_TYPE__CONSTR_UNIQUE, see_unique);
}

static void see_primary(struct rule_subject *s, const struct rule_constraint *c)
{
    if (builds_index(s, c))
        rule_report_at(s, &c->about,
                       "the index of the primary key is built under ACCESS EXCLUSIVE on "
                       "%.*s%s",
                       STR_ARG(c->about.name), rule_rows_text(s, c->table));
}

static void check_primary(struct rule_subject *s)
{
    rule_each_constraint(s, PG_QUERY__CONSTR_TYPE__CONSTR_PRIMARY, see_primary);
}

/* A column of the index that may still be NULL; NULL: there is none. */
static const struct catalog_column *nullable_column(const struct rule_constraint *c)
{
    for (size_t i = 0; c->table && i < c->table->indexes.count; i++) {
        const struct catalog_relation *index = c->table->indexes.at[i];
        if (index->is_dropped || !str_equal(index->name, str_of(c->k->indexname)))
            continue;
        for (size_t n = 0; n < index->index->keys.count; n++) {
            const struct catalog_column *column = index->index->keys.at[n].column;
            if (column && !column->is_not_null)
                return column;
        }
    }
    return NULL;
}

static bool knows_index(const struct rule_subject *s, const struct rule_constraint *c)
{
    for (size_t i = 0; c->table && i < c->table->indexes.count; i++) {
        const struct catalog_relation *index = c->table->indexes.at[i];
        if (!index->is_dropped && str_equal(index->name, str_of(c->k->indexname)))
            return true;
    }
    return s->catalog->is_complete;
}

static void see_nullable_key(struct rule_subject *s, const struct rule_constraint *c)
{
    if (!is_added(c) || !c->k->indexname[0])
        return;
    const struct catalog_column *column = nullable_column(c);
    bool is_proven = c->table && column && !rule_scan(s, c->about.name);
    if (column && !is_proven)
        rule_report_at(s, &c->about,
                       "%.*s%s is read in full under ACCESS EXCLUSIVE: %.*s may still be "
                       "NULL",
                       STR_ARG(c->about.name), rule_rows_text(s, c->table), STR_ARG(column->name));
    else if (!column && !knows_index(s, c))
        rule_report_at(s, &c->about,
                       "%.*s is read in full under ACCESS EXCLUSIVE, unless the columns "
                       "of %s are NOT NULL already",
                       STR_ARG(c->about.name), c->k->indexname);
}

static void check_nullable_key(struct rule_subject *s)
{
    rule_each_constraint(s, PG_QUERY__CONSTR_TYPE__CONSTR_PRIMARY, see_nullable_key);
}

static void see_using_index(struct rule_subject *s, const struct rule_constraint *c)
{
    if (is_added(c) && c->k->indexname[0])
        rule_report_at(s, &c->about, "%.*s is locked ACCESS EXCLUSIVE, briefly%s",
                       STR_ARG(c->about.name),
                       c->k->conname[0] && strcmp(c->k->conname, c->k->indexname) != 0
                           ? "; the index gets the name of the constraint"
                           : "");
}

static void check_using_index(struct rule_subject *s)
{
    rule_each_constraint(s, PG_QUERY__CONSTR_TYPE__CONSTR_UNIQUE, see_using_index);
}

static void see_exclusion(struct rule_subject *s, const struct rule_constraint *c)
{
    if (is_added(c))
        rule_report_at(s, &c->about, "the index of %s is built under ACCESS EXCLUSIVE on %.*s%s",
                       name_of(c, "EXCLUDE"), STR_ARG(c->about.name), rule_rows_text(s, c->table));
}

static void check_exclusion(struct rule_subject *s)
{
    rule_each_constraint(s, PG_QUERY__CONSTR_TYPE__CONSTR_EXCLUSION, see_exclusion);
}

static const struct rule_row rows[] = {
    {
        .rule =
            {
                .id = "add-check-validating",
                .level = HAZARD_BLOCK,
                .engine = ENGINE_POSTGRES,
                .exemptions = EXEMPT_NEW | EXEMPT_EMPTY | EXEMPT_SMALL,
                .title = "ADD CHECK reads the whole table under ACCESS EXCLUSIVE",
                .why = "Every row is tested before the statement ends, and nobody reads or "
                       "writes the table meanwhile.",
                .fix = "ADD CONSTRAINT … NOT VALID, which is for new rows only and instant. "
                       "Then VALIDATE CONSTRAINT in a transaction of its own: it lets reads and "
                       "writes pass.",
                .example = "ALTER TABLE orders ADD CONSTRAINT total_positive CHECK (total > 0);",
                .safe = "BEGIN;\n"
                        "ALTER TABLE orders ADD CONSTRAINT total_positive CHECK (total > 0) NOT "
                        "VALID;\n"
                        "COMMIT;\n"
                        "ALTER TABLE orders VALIDATE CONSTRAINT total_positive;",
                .sources = "sql-altertable.html; tablecmds.c: ATAddCheckConstraint()",
            },
        .check = check_check,
        .node = PG_QUERY__NODE__NODE_ALTER_TABLE_STMT,
    },
    {
        .rule =
            {
                .id = "add-fk-validating",
                .level = HAZARD_BLOCK,
                .engine = ENGINE_POSTGRES,
                .exemptions = EXEMPT_NEW | EXEMPT_EMPTY | EXEMPT_SMALL,
                .title = "ADD FOREIGN KEY reads the table while both tables refuse writes",
                .why = "SHARE ROW EXCLUSIVE is held on both tables until every row was looked "
                       "up in the other one.",
                .fix = "ADD CONSTRAINT … NOT VALID, then VALIDATE CONSTRAINT in a transaction "
                       "of its own. A partitioned table takes NOT VALID from 18 on. Before "
                       "that there are two ways: foreign keys of the partitions alone, NOT VALID "
                       "and VALIDATE for each, and for each that is made later; or the plain form "
                       "in a quiet hour, as long as a rehearsal says. The first does not shorten "
                       "the second: every partition is read again.",
                .example = "ALTER TABLE orders ADD CONSTRAINT orders_user FOREIGN KEY (user_id) "
                           "REFERENCES users;",
                .safe = "BEGIN;\n"
                        "ALTER TABLE orders ADD CONSTRAINT orders_user FOREIGN KEY (user_id) "
                        "REFERENCES users NOT VALID;\n"
                        "COMMIT;\n"
                        "ALTER TABLE orders VALIDATE CONSTRAINT orders_user;",
                .sources = "sql-altertable.html; tablecmds.c: ATAddForeignKeyConstraint()",
            },
        .check = check_foreign_key,
        .node = PG_QUERY__NODE__NODE_ALTER_TABLE_STMT,
    },
    {
        .rule =
            {
                .id = "fk-locks-parent",
                .level = HAZARD_WARN,
                .engine = ENGINE_POSTGRES,
                .exemptions = EXEMPT_NEW,
                .title = "a foreign key also locks the table that it points at",
                .why = "CREATE TABLE with REFERENCES and ADD FOREIGN KEY, NOT VALID too, take "
                       "SHARE ROW EXCLUSIVE on the parent: its writers wait. Dropping either "
                       "side takes ACCESS EXCLUSIVE there. The parent is often the busiest "
                       "table.",
                .fix = "Add the foreign key in a statement and transaction of its own, with a "
                       "short lock_timeout, and try again when it is hit.",
                .example = "CREATE TABLE orders (id bigint PRIMARY KEY, user_id bigint REFERENCES "
                           "users);",
                .safe = "CREATE TABLE orders (id bigint PRIMARY KEY, user_id bigint);\n"
                        "-- on its own:\n"
                        "ALTER TABLE orders ADD FOREIGN KEY (user_id) REFERENCES users;",
                .sources = "tablecmds.c: ATAddForeignKeyConstraint(); explicit-locking.html",
            },
        .check = check_parent,
    },
    {
        .rule =
            {
                .id = "add-unique-builds-index",
                .level = HAZARD_BLOCK,
                .engine = ENGINE_POSTGRES,
                .exemptions = EXEMPT_NEW | EXEMPT_EMPTY | EXEMPT_SMALL,
                .title = "ADD UNIQUE builds its index under ACCESS EXCLUSIVE",
                .why = "Nobody reads or writes the table while the index is built.",
                .fix = "CREATE UNIQUE INDEX CONCURRENTLY, then ADD CONSTRAINT … UNIQUE USING "
                       "INDEX.",
                .example = "ALTER TABLE users ADD CONSTRAINT users_email_key UNIQUE (email);",
                .safe = "CREATE UNIQUE INDEX CONCURRENTLY users_email_key ON users (email);\n"
                        "ALTER TABLE users ADD CONSTRAINT users_email_key UNIQUE USING INDEX "
                        "users_email_key;",
                .sources = "sql-altertable.html; tablecmds.c: ATExecAddIndex()",
            },
        .check = check_unique,
        .node = PG_QUERY__NODE__NODE_ALTER_TABLE_STMT,
    },
    {
        .rule =
            {
                .id = "add-primary-key-builds-index",
                .level = HAZARD_BLOCK,
                .engine = ENGINE_POSTGRES,
                .exemptions = EXEMPT_NEW | EXEMPT_EMPTY | EXEMPT_SMALL,
                .title = "ADD PRIMARY KEY builds its index under ACCESS EXCLUSIVE",
                .why = "The index is built, and the table read once more where NOT NULL has to "
                       "be proven; nobody reads or writes it meanwhile.",
                .fix = "Prove NOT NULL first by a validated CHECK. Then CREATE UNIQUE INDEX "
                       "CONCURRENTLY, and ADD PRIMARY KEY USING INDEX.",
                .example = "ALTER TABLE users ADD PRIMARY KEY (id);",
                .safe = "CREATE UNIQUE INDEX CONCURRENTLY users_pkey ON users (id);\n"
                        "ALTER TABLE users ADD PRIMARY KEY USING INDEX users_pkey;",
                .sources = "sql-altertable.html; tablecmds.c: ATExecAddIndexConstraint()",
            },
        .check = check_primary,
        .node = PG_QUERY__NODE__NODE_ALTER_TABLE_STMT,
    },
    {
        .rule =
            {
                .id = "primary-key-using-index-nullable",
                .level = HAZARD_WARN,
                .engine = ENGINE_POSTGRES,
                .exemptions = EXEMPT_NEW | EXEMPT_EMPTY | EXEMPT_SMALL,
                .title = "ADD PRIMARY KEY USING INDEX still reads the table where a column may be "
                         "NULL",
                .why = "The index is there, but NOT NULL is not: it is set and proven by a scan "
                       "under ACCESS EXCLUSIVE.",
                .fix = "Prove NOT NULL first: CHECK (column IS NOT NULL) NOT VALID, VALIDATE "
                       "CONSTRAINT, SET NOT NULL.",
                .example = "ALTER TABLE users ADD CONSTRAINT users_pkey PRIMARY KEY USING INDEX "
                           "users_id;",
                .safe = "ALTER TABLE users ADD CONSTRAINT users_pkey PRIMARY KEY USING INDEX "
                        "users_email;",
                .sources = "tablecmds.c: ATExecAddIndexConstraint(); index.c: "
                           "index_check_primary_key()",
            },
        .check = check_nullable_key,
        .node = PG_QUERY__NODE__NODE_ALTER_TABLE_STMT,
    },
    {
        .rule =
            {
                .id = "add-unique-using-index",
                .level = HAZARD_NOTE,
                .engine = ENGINE_POSTGRES,
                .exemptions = EXEMPT_NEW,
                .title = "ADD UNIQUE USING INDEX locks briefly and may rename the index",
                .why = "ACCESS EXCLUSIVE for a moment. An index with another name than the "
                       "constraint is renamed.",
                .fix = "Give the index the name of the constraint at once, and set a short "
                       "lock_timeout.",
                .example = "ALTER TABLE users ADD CONSTRAINT users_email_key UNIQUE USING INDEX "
                           "users_email;",
                .sources = "sql-altertable.html",
            },
        .check = check_using_index,
        .node = PG_QUERY__NODE__NODE_ALTER_TABLE_STMT,
    },
    {
        .rule =
            {
                .id = "add-exclusion",
                .level = HAZARD_BLOCK,
                .engine = ENGINE_POSTGRES,
                .exemptions = EXEMPT_NEW | EXEMPT_EMPTY | EXEMPT_SMALL,
                .title = "ADD EXCLUDE builds its index under ACCESS EXCLUSIVE, and there is no "
                         "other way",
                .why = "An exclusion constraint can be neither NOT VALID nor USING INDEX: the "
                       "index is built and every row tested while nobody reads or writes the "
                       "table.",
                .fix = "Make a new table with the constraint, copy the rows in batches with a "
                       "trigger for what changes meanwhile, and swap the names. Or enforce it "
                       "by a trigger.",
                .example = "ALTER TABLE bookings ADD CONSTRAINT no_overlap EXCLUDE USING gist "
                           "(during WITH &&);",
                .safe = "CREATE TABLE bookings_2 (id bigint PRIMARY KEY, during tsrange, EXCLUDE "
                        "USING gist (during WITH &&));",
                .sources = "ddl-constraints.html#DDL-CONSTRAINTS-EXCLUSION",
            },
        .check = check_exclusion,
        .node = PG_QUERY__NODE__NODE_ALTER_TABLE_STMT,
    },
};
const struct rule_table rules_constraint = {rows, ARRAY_LEN(rows)};
