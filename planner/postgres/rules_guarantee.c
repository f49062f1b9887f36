/* Rules about constraints, triggers and rights that are taken away. */
#include "planner/postgres/rules_support.h"

/* ---- constraints ---- */

static const char *kind_text(const struct catalog_constraint *k)
{
    switch (k->kind) {
    case CONSTRAINT_CHECK:
        return "CHECK";
    case CONSTRAINT_FOREIGN_KEY:
        return "foreign key";
    case CONSTRAINT_UNIQUE:
        return "UNIQUE";
    case CONSTRAINT_EXCLUSION:
        return "EXCLUDE";
    default:
        return "constraint";
    }
}

static struct catalog_constraint *dropped_constraint(const struct rule_command *c)
{
    return c->table ? catalog_find_constraint(c->table, str_of(c->cmd->name)) : NULL;
}

/* CHECK … IS NOT NULL that has become a NOT NULL: nothing is lost. */
static bool is_spent_proof(struct rule_subject *s, const struct catalog_constraint *k)
{
    const PgQuery__Node *tree =
        k->kind == CONSTRAINT_CHECK ? expression_tree(s->catalog, &k->check) : NULL;
    for (size_t i = 0; tree && i < k->relation->columns.count; i++) {
        const struct catalog_column *column = k->relation->columns.at[i];
        if (!column->is_dropped && column->is_not_null &&
            tree->node_case == PG_QUERY__NODE__NODE_NULL_TEST &&
            expression_proves_not_null(s->catalog, k->relation, tree, column))
            return true;
    }
    return false;
}

static bool is_gone_already(const struct rule_subject *s, const struct rule_command *c)
{
    return c->cmd->missing_ok && c->table && s->catalog->is_complete && !dropped_constraint(c);
}

/* Added by the same file, as the proof of something else. */
static bool is_of_this_file(const struct rule_subject *s, const struct rule_command *c)
{
    return file_state_find(rule_state(s), NOTED_NOT_VALID, c->about.name, str_of(c->cmd->name)) !=
           NULL;
}

/* The same ALTER TABLE adds one of that name. */
static bool is_replaced(const struct rule_command *c)
{
    for (size_t i = 0; i < c->stmt->n_cmds; i++) {
        const PgQuery__Node *n = c->stmt->cmds[i];
        const PgQuery__Node *def =
            n->node_case == PG_QUERY__NODE__NODE_ALTER_TABLE_CMD ? n->alter_table_cmd->def : NULL;
        if (def && def->node_case == PG_QUERY__NODE__NODE_CONSTRAINT &&
            def->constraint->conname[0] && strcmp(def->constraint->conname, c->cmd->name) == 0)
            return true;
    }
    return false;
}

static void see_drop_constraint(struct rule_subject *s, const struct rule_command *c)
{
    struct catalog_constraint *k = dropped_constraint(c);
    if (is_replaced(c) || is_gone_already(s, c) || is_of_this_file(s, c) ||
        rule_is_temporary(c->table) ||
        (k && (k->kind == CONSTRAINT_PRIMARY_KEY || is_spent_proof(s, k) ||
               k->created_in == s->catalog->migration)))
        return;
    if (k && k->kind == CONSTRAINT_FOREIGN_KEY && k->referenced)
        rule_report_at(s, &c->about, "foreign key %s goes: rows of %.*s may point nowhere in %.*s",
                       c->cmd->name, STR_ARG(c->about.name),
                       STR_ARG(catalog_relation_text(s->a, k->referenced)));
    else
        rule_report_at(s, &c->about, "%s %s of %.*s no longer holds for new rows",
                       k ? kind_text(k) : "constraint", c->cmd->name, STR_ARG(c->about.name));
}

static void check_drop_constraint(struct rule_subject *s)
{
    rule_each_command(s, PG_QUERY__ALTER_TABLE_TYPE__AT_DropConstraint, see_drop_constraint);
}

/* Another primary key is made by the same ALTER TABLE. */
static bool is_swapped(const struct rule_command *c)
{
    for (size_t i = 0; i < c->stmt->n_cmds; i++) {
        const PgQuery__Node *n = c->stmt->cmds[i];
        const PgQuery__Node *def =
            n->node_case == PG_QUERY__NODE__NODE_ALTER_TABLE_CMD ? n->alter_table_cmd->def : NULL;
        if (def && def->node_case == PG_QUERY__NODE__NODE_CONSTRAINT &&
            def->constraint->contype == PG_QUERY__CONSTR_TYPE__CONSTR_PRIMARY)
            return true;
    }
    return false;
}

static void see_drop_primary_key(struct rule_subject *s, const struct rule_command *c)
{
    const struct catalog_constraint *k = dropped_constraint(c);
    struct str name = str_of(c->cmd->name);
    bool looks_so =
        !c->table && name.len > 5 && str_equal(str_skip(name, name.len - 5), STR("_pkey"));
    if ((looks_so || (k && k->kind == CONSTRAINT_PRIMARY_KEY)) && !is_swapped(c))
        rule_report_at(s, &c->about, "%.*s loses its primary key %s", STR_ARG(c->about.name),
                       c->cmd->name);
}

static void check_drop_primary_key(struct rule_subject *s)
{
    rule_each_command(s, PG_QUERY__ALTER_TABLE_TYPE__AT_DropConstraint, see_drop_primary_key);
}

/* ---- unique indexes ---- */

/* Another valid unique index over the same columns stays. */
static bool has_substitute(const struct catalog_relation *index)
{
    const struct catalog_relation *table = index->index->table;
    for (size_t i = 0; table && i < table->indexes.count; i++) {
        const struct catalog_relation *other = table->indexes.at[i];
        if (other == index || other->is_dropped || !other->index->is_unique ||
            !other->index->is_valid || other->index->keys.count != index->index->keys.count)
            continue;
        bool is_same = true;
        for (size_t n = 0; n < index->index->keys.count && is_same; n++)
            is_same = other->index->keys.at[n].column &&
                      other->index->keys.at[n].column == index->index->keys.at[n].column;
        if (is_same)
            return true;
    }
    return false;
}

static void see_drop_unique_index(struct rule_subject *s, const struct rule_drop *d)
{
    const struct catalog_relation *index = d->relation;
    if (!index || !index->index || !index->index->is_unique || !index->index->is_valid ||
        has_substitute(index) || rule_is_new(s, index))
        return;
    rule_report_at(
        s, &d->about,
        "%.*s is unique: without it duplicates get into %.*s, and INSERT … ON CONFLICT over "
        "its columns fails",
        STR_ARG(d->about.name), STR_ARG(catalog_relation_text(s->a, index->index->table)));
}

static void check_drop_unique_index(struct rule_subject *s)
{
    rule_each_dropped(s, PG_QUERY__OBJECT_TYPE__OBJECT_INDEX, see_drop_unique_index);
}

static bool is_unique_kind(const struct catalog_constraint *k)
{
    return k->kind == CONSTRAINT_UNIQUE || k->kind == CONSTRAINT_PRIMARY_KEY ||
           k->kind == CONSTRAINT_EXCLUSION;
}

static void see_conflict_constraint(struct rule_subject *s, const struct rule_command *c)
{
    const struct catalog_constraint *k = dropped_constraint(c);
    if (k && is_unique_kind(k) && k->created_in != s->catalog->migration &&
        !(k->index && has_substitute(k->index)))
        rule_report_at(s, &c->about,
                       "INSERT … ON CONFLICT over the columns of %s, or by its name, "
                       "fails from here on",
                       c->cmd->name);
}

static void check_conflict_target(struct rule_subject *s)
{
    if (!s->tree)
        return;
    rule_each_command(s, PG_QUERY__ALTER_TABLE_TYPE__AT_DropConstraint, see_conflict_constraint);
    const PgQuery__Node *tree = rule_tree(s);
    if (tree->node_case != PG_QUERY__NODE__NODE_RENAME_STMT ||
        tree->rename_stmt->rename_type != PG_QUERY__OBJECT_TYPE__OBJECT_TABCONSTRAINT)
        return;
    struct catalog_relation *table = rule_relation(s, tree->rename_stmt->relation);
    const struct catalog_constraint *k =
        table ? catalog_find_constraint(table, str_of(tree->rename_stmt->subname)) : NULL;
    if (k && is_unique_kind(k) && k->created_in != s->catalog->migration)
        rule_report(s, table, "INSERT … ON CONFLICT ON CONSTRAINT %s fails from here on",
                    tree->rename_stmt->subname);
}

/* ---- an index that is replaced ---- */

static void check_replace_index(struct rule_subject *s)
{
    const PgQuery__IndexStmt *stmt = rule_tree(s)->index_stmt;
    struct rule_finding about = rule_about(s, stmt->relation);
    const struct noted *gone =
        file_state_find(rule_state(s), NOTED_INDEX_GONE, about.name, (struct str){0});
    if (!gone || !gone->object || !gone->object->index->keys.count || !stmt->n_index_params)
        return;
    const struct index_key *first = &gone->object->index->keys.at[0];
    const PgQuery__Node *n = stmt->index_params[0];
    bool is_same = first->column && n->node_case == PG_QUERY__NODE__NODE_INDEX_ELEM &&
                   str_equal(first->column->name, str_of(n->index_elem->name));
    if (is_same)
        rule_report_at(s, &about,
                       "index %.*s was dropped in line %u before this one, which takes "
                       "its place, exists",
                       STR_ARG(gone->object->name), gone->line);
}

/* ---- triggers ---- */

static void see_disable_trigger(struct rule_subject *s, const struct rule_command *c)
{
    if (c->cmd->subtype == PG_QUERY__ALTER_TABLE_TYPE__AT_DisableTrigAll)
        rule_report_at(s, &c->about,
                       "all triggers of %.*s are off, foreign keys among them: wrong "
                       "rows get in",
                       STR_ARG(c->about.name));
}

static void check_disable_trigger(struct rule_subject *s)
{
    if (!s->tree)
        return;
    rule_each_command(s, 0, see_disable_trigger);
    const PgQuery__Node *tree = rule_tree(s);
    if (tree->node_case == PG_QUERY__NODE__NODE_VARIABLE_SET_STMT &&
        str_equal_nocase(str_of(tree->variable_set_stmt->name), STR("session_replication_role")) &&
        tree->variable_set_stmt->kind == PG_QUERY__VARIABLE_SET_KIND__VAR_SET_VALUE)
        rule_report(s, NULL,
                    "session_replication_role switches triggers and foreign keys off for "
                    "this session");
}

static bool is_on_again(const struct file_state *state, const struct noted *off)
{
    const struct noted *on =
        file_state_find(state, NOTED_TRIGGER_ON, off->relation, (struct str){0});
    for (; on; on = file_state_older(state, on)) {
        if (on->statement == off->statement && str_equal(on->relation, off->relation) &&
            str_equal(on->name, off->name))
            return true;
    }
    return false;
}

/* What is switched off and on in one transaction nobody else has ever seen off. */
static void end_disabled(struct rule_subject *s)
{
    const struct file_state *state = rule_state(s);
    for (size_t i = 0; i < state->all.count; i++) {
        const struct noted *off = &state->all.at[i];
        if (off->kind != NOTED_TRIGGER_OFF || is_on_again(state, off))
            continue;
        if (off->name.len)
            rule_report_line(s, off->line, off->object,
                             "trigger %.*s of %.*s is off, and not switched on again in the same "
                             "transaction",
                             STR_ARG(off->name), STR_ARG(off->relation));
        else
            rule_report_line(s, off->line, off->object,
                             "the triggers of %.*s are off, and not switched on again in the same "
                             "transaction",
                             STR_ARG(off->relation));
    }
}

static void see_drop_trigger(struct rule_subject *s, const struct rule_drop *d)
{
    rule_report_at(s, &d->about, "trigger %.*s is dropped: what it did to rows is no longer done",
                   STR_ARG(d->about.name));
}

static void check_drop_trigger(struct rule_subject *s)
{
    rule_each_dropped(s, PG_QUERY__OBJECT_TYPE__OBJECT_TRIGGER, see_drop_trigger);
}

static const struct rule_row rows[] = {
    {
        .rule =
            {
                .id = "drop-constraint",
                .level = HAZARD_WARN,
                .engine = ENGINE_POSTGRES,
                .exemptions = EXEMPT_NEW,
                .title = "a dropped constraint no longer keeps wrong rows out",
                .why = "From the commit on any row passes that the constraint has refused, and "
                       "code that relies on it meets rows that it does not expect. ACCESS "
                       "EXCLUSIVE is brief; for a foreign key it is taken on both tables.",
                .fix = "Say which guarantee goes and who takes its place. Where the constraint "
                       "is replaced, add the new one first (NOT VALID, then VALIDATE). For a "
                       "foreign key set a short lock_timeout.",
                .example = "ALTER TABLE prices DROP CONSTRAINT prices_positive;",
                .sources = "sql-altertable.html; tablecmds.c: ATExecDropConstraint()",
            },
        .check = check_drop_constraint,
        .node = PG_QUERY__NODE__NODE_ALTER_TABLE_STMT,
    },
    {
        .rule =
            {
                .id = "drop-primary-key",
                .level = HAZARD_BLOCK,
                .engine = ENGINE_POSTGRES,
                .exemptions = EXEMPT_NEW,
                .title = "a table without its primary key loses more than uniqueness",
                .why = "Logical replication of UPDATE and DELETE stops working, INSERT … ON "
                       "CONFLICT finds no target, tools that identify rows by the key fail, and "
                       "duplicates get in. Foreign keys that point at it must go first.",
                .fix = "Build the new key beside the old one (CREATE UNIQUE INDEX "
                       "CONCURRENTLY), then change both in one ALTER TABLE: DROP CONSTRAINT …, "
                       "ADD PRIMARY KEY USING INDEX ….",
                .example = "ALTER TABLE orders DROP CONSTRAINT orders_pkey;",
                .sources = "sql-altertable.html; logical-replication-publication.html",
            },
        .check = check_drop_primary_key,
        .node = PG_QUERY__NODE__NODE_ALTER_TABLE_STMT,
    },
    {
        .rule =
            {
                .id = "drop-unique-index",
                .level = HAZARD_WARN,
                .engine = ENGINE_POSTGRES,
                .exemptions = EXEMPT_NEW,
                .title = "a unique index is a guarantee, not only a shortcut",
                .why = "Without it duplicates get in, and INSERT … ON CONFLICT over its columns "
                       "fails.",
                .fix = "Build the index that takes its place first, CONCURRENTLY; then drop "
                       "this one.",
                .example = "DROP INDEX CONCURRENTLY users_email;",
                .safe = "CREATE UNIQUE INDEX CONCURRENTLY users_email_2 ON users (email);\n"
                        "DROP INDEX CONCURRENTLY users_email;",
                .sources = "indexes-unique.html; sql-insert.html",
            },
        .check = check_drop_unique_index,
        .node = PG_QUERY__NODE__NODE_DROP_STMT,
    },
    {
        .rule =
            {
                .id = "on-conflict-target-lost",
                .level = HAZARD_WARN,
                .engine = ENGINE_POSTGRES,
                .exemptions = EXEMPT_NEW,
                .title = "INSERT … ON CONFLICT needs the unique index, or the constraint's name",
                .why = "ON CONFLICT (columns) is matched with a unique index, ON CONFLICT ON "
                       "CONSTRAINT with a name. Where it is gone, the INSERT fails at once: "
                       "\"there is no unique or exclusion constraint matching the ON CONFLICT "
                       "specification\".",
                .fix = "Build the index that takes its place before the old one goes. Look for "
                       "ON CONFLICT ON CONSTRAINT in the code before a constraint is renamed.",
                .example = "ALTER TABLE users DROP CONSTRAINT users_email;",
                .safe = "CREATE UNIQUE INDEX CONCURRENTLY users_email_2 ON users (email);\n"
                        "ALTER TABLE users DROP CONSTRAINT users_email;",
                .sources = "sql-insert.html; plancat.c: infer_arbiter_indexes()",
            },
        .check = check_conflict_target,
    },
    {
        .rule =
            {
                .id = "replace-index-drop-first",
                .level = HAZARD_WARN,
                .engine = ENGINE_POSTGRES,
                .exemptions = EXEMPT_NEW,
                .title = "the old index is dropped before its replacement exists",
                .why = "Between the two statements queries have neither index. Where the build "
                       "fails or takes an hour, they read the whole table that long.",
                .fix = "Build the new index first, under a new name and CONCURRENTLY. Then drop "
                       "the old one, and rename the new one where the name matters.",
                .example = "DROP INDEX CONCURRENTLY users_email;\n"
                           "CREATE INDEX CONCURRENTLY users_email_name ON users (email, name);",
                .safe = "CREATE INDEX CONCURRENTLY users_email_name ON users (email, name);\n"
                        "DROP INDEX CONCURRENTLY users_email;",
                .sources = "sql-createindex.html",
            },
        .check = check_replace_index,
        .node = PG_QUERY__NODE__NODE_INDEX_STMT,
    },
    {
        .rule =
            {
                .id = "disable-trigger",
                .level = HAZARD_WARN,
                .engine = ENGINE_POSTGRES,
                .exemptions = EXEMPT_NEW,
                .title = "triggers that are switched off may stay off",
                .why = "ALL switches off the triggers that enforce foreign keys as well: wrong "
                       "rows get in and are never found. Whatever fails before they are "
                       "switched on again leaves them off. SHARE ROW EXCLUSIVE makes writers "
                       "wait.",
                .fix = "Switch off and on in one transaction, by the trigger's name, and never "
                       "ALL. Better: let the trigger's function look at a setting of the "
                       "session.",
                .example = "ALTER TABLE users DISABLE TRIGGER ALL;",
                .safe = "BEGIN;\n"
                        "ALTER TABLE users DISABLE TRIGGER users_note;\n"
                        "UPDATE users SET email = lower(email) WHERE id = 1;\n"
                        "ALTER TABLE users ENABLE TRIGGER users_note;\n"
                        "COMMIT;",
                .sources = "sql-altertable.html; trigger.c: EnableDisableTrigger()",
            },
        .check = check_disable_trigger,
        .check_end = end_disabled,
    },
    {
        .rule =
            {
                .id = "drop-trigger",
                .level = HAZARD_WARN,
                .engine = ENGINE_POSTGRES,
                .exemptions = EXEMPT_NEW,
                .title = "what a dropped trigger did is no longer done",
                .why = "Rows that are written from now on are not logged, copied or checked by "
                       "it any more. ACCESS EXCLUSIVE on the table is brief.",
                .fix = "Let the new way work beside the trigger first, then drop it with a "
                       "short lock_timeout.",
                .example = "DROP TRIGGER users_note ON users;",
                .sources = "sql-droptrigger.html",
            },
        .check = check_drop_trigger,
        .node = PG_QUERY__NODE__NODE_DROP_STMT,
    },
};
const struct rule_table rules_guarantee = {rows, ARRAY_LEN(rows)};
