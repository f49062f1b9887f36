/* Rules about rights, row security, sequences, replication and objects that are made anew. */
#include "planner/postgres/rules_support.h"

static void see_set_unlogged(struct rule_subject *s, const struct rule_command *c)
{
    rule_report_at(s, &c->about, "%.*s loses its rows at the next crash, and standbys have none",
                   STR_ARG(c->about.name));
}

static void check_set_unlogged(struct rule_subject *s)
{
    if (!s->tree)
        return;
    rule_each_command(s, PG_QUERY__ALTER_TABLE_TYPE__AT_SetUnLogged, see_set_unlogged);
    const PgQuery__Node *tree = rule_tree(s);
    const PgQuery__RangeVar *made = NULL;
    if (tree->node_case == PG_QUERY__NODE__NODE_CREATE_STMT)
        made = tree->create_stmt->relation;
    else if (tree->node_case == PG_QUERY__NODE__NODE_CREATE_TABLE_AS_STMT &&
             tree->create_table_as_stmt->into)
        made = tree->create_table_as_stmt->into->rel;
    if (made && str_equal(str_of(made->relpersistence), STR("u")))
        rule_report(s, NULL, "%s is made unlogged: empty after a crash, absent on standbys",
                    made->relname);
}

/* ---- rights ---- */

static void see_row_security(struct rule_subject *s, const struct rule_command *c)
{
    if (c->cmd->subtype == PG_QUERY__ALTER_TABLE_TYPE__AT_DisableRowSecurity)
        rule_report_at(s, &c->about,
                       "row security of %.*s ends: whoever may read the table sees "
                       "every row",
                       STR_ARG(c->about.name));
    else if (c->cmd->subtype == PG_QUERY__ALTER_TABLE_TYPE__AT_NoForceRowSecurity)
        rule_report_at(s, &c->about, "row security of %.*s no longer binds its owner",
                       STR_ARG(c->about.name));
}

static void see_drop_policy(struct rule_subject *s, const struct rule_drop *d)
{
    rule_report_at(s, &d->about,
                   "policy %.*s goes: what it let through, or kept out, changes at once",
                   STR_ARG(d->about.name));
}

static void check_drop_policy(struct rule_subject *s)
{
    if (!s->tree)
        return;
    rule_each_command(s, 0, see_row_security);
    rule_each_dropped(s, PG_QUERY__OBJECT_TYPE__OBJECT_POLICY, see_drop_policy);
}

static void see_owner(struct rule_subject *s, const struct rule_command *c)
{
    rule_report_at(s, &c->about, "%.*s gets another owner, under ACCESS EXCLUSIVE",
                   STR_ARG(c->about.name));
}

static void check_revoke(struct rule_subject *s)
{
    if (!s->tree)
        return;
    const PgQuery__Node *tree = rule_tree(s);
    rule_each_command(s, PG_QUERY__ALTER_TABLE_TYPE__AT_ChangeOwner, see_owner);
    if (tree->node_case == PG_QUERY__NODE__NODE_GRANT_STMT && !tree->grant_stmt->is_grant)
        rule_report(s, NULL, "rights are taken away: what used them fails from here on");
    else if (tree->node_case == PG_QUERY__NODE__NODE_GRANT_ROLE_STMT &&
             !tree->grant_role_stmt->is_grant)
        rule_report(s, NULL, "a role is taken away, with all rights that it brought");
    else if (tree->node_case == PG_QUERY__NODE__NODE_ALTER_DEFAULT_PRIVILEGES_STMT)
        rule_report(s, NULL, "objects that are made later get other rights");
    else if (tree->node_case == PG_QUERY__NODE__NODE_ALTER_OWNER_STMT)
        rule_report(s, NULL, "an object gets another owner");
}

static void check_overbroad_grant(struct rule_subject *s)
{
    const PgQuery__GrantStmt *grant = rule_tree(s)->grant_stmt;
    if (!grant->is_grant)
        return;
    for (size_t i = 0; i < grant->n_grantees; i++) {
        const PgQuery__Node *n = grant->grantees[i];
        if (n->node_case == PG_QUERY__NODE__NODE_ROLE_SPEC &&
            n->role_spec->roletype == PG_QUERY__ROLE_SPEC_TYPE__ROLESPEC_PUBLIC)
            rule_report(s, NULL, "PUBLIC is every role of the server, those of tomorrow too");
    }
    if (!grant->n_privileges)
        rule_report(s, NULL,
                    "ALL PRIVILEGES also grants TRUNCATE, REFERENCES and TRIGGER, and what "
                    "later versions add");
}

/* ---- sequences ---- */

static bool is_risky_option(const PgQuery__Node *n)
{
    static const char *const names[] = {"restart", "increment", "maxvalue", "minvalue", "cycle"};
    for (size_t i = 0; n && n->node_case == PG_QUERY__NODE__NODE_DEF_ELEM && i < ARRAY_LEN(names);
         i++) {
        if (strcmp(n->def_elem->defname, names[i]) == 0)
            return true;
    }
    return false;
}

static bool calls_setval(void *context, const ProtobufCMessage *message)
{
    (void)context;
    if (message->descriptor != &pg_query__func_call__descriptor)
        return false;
    const PgQuery__FuncCall *call = (const PgQuery__FuncCall *)message;
    return call->n_funcname &&
           str_equal(rule_string(call->funcname[call->n_funcname - 1]), STR("setval"));
}

/* ALTER COLUMN … RESTART, SET INCREMENT …: of an identity column. */
static void see_identity_options(struct rule_subject *s, const struct rule_command *c)
{
    const PgQuery__Node *def = c->cmd->def;
    for (size_t i = 0; def && def->node_case == PG_QUERY__NODE__NODE_LIST && i < def->list->n_items;
         i++) {
        const PgQuery__Node *n = def->list->items[i];
        if (!is_risky_option(n))
            continue;
        rule_report_at(s, &c->about,
                       "the sequence of column %s of %.*s changes its course (%s): numbers may "
                       "come twice, or run out",
                       c->cmd->name, STR_ARG(c->about.name), n->def_elem->defname);
        return;
    }
}

static void check_sequence_reset(struct rule_subject *s)
{
    const PgQuery__Node *tree = s->tree;
    if (!tree)
        return;
    rule_each_command(s, PG_QUERY__ALTER_TABLE_TYPE__AT_SetIdentity, see_identity_options);
    if (tree->node_case == PG_QUERY__NODE__NODE_ALTER_SEQ_STMT) {
        const PgQuery__AlterSeqStmt *stmt = tree->alter_seq_stmt;
        struct rule_finding about = rule_about(s, stmt->sequence);
        for (size_t i = 0; i < stmt->n_options; i++) {
            if (!is_risky_option(stmt->options[i]))
                continue;
            rule_report_at(s, &about,
                           "sequence %.*s changes its course (%s): numbers may come "
                           "twice, or run out",
                           STR_ARG(about.name), stmt->options[i]->def_elem->defname);
            return;
        }
    } else if (tree->node_case == PG_QUERY__NODE__NODE_TRUNCATE_STMT &&
               tree->truncate_stmt->restart_seqs) {
        rule_report(s, NULL,
                    "RESTART IDENTITY begins to count anew: numbers that others kept come "
                    "again");
    } else if (tree->node_case == PG_QUERY__NODE__NODE_SELECT_STMT &&
               parse_tree_visit(&tree->base, calls_setval, NULL)) {
        rule_report(s, NULL,
                    "setval() moves a sequence: numbers may come twice, and no ROLLBACK "
                    "takes it back");
    }
}

/* ---- replication ---- */

static void see_replica_identity(struct rule_subject *s, const struct rule_command *c)
{
    const PgQuery__Node *def = c->cmd->def;
    if (def && def->node_case == PG_QUERY__NODE__NODE_REPLICA_IDENTITY_STMT &&
        str_equal(str_of(def->replica_identity_stmt->identity_type), STR("n")))
        rule_report_at(s, &c->about,
                       "%.*s has no replica identity any more: UPDATE and DELETE fail "
                       "where it is published",
                       STR_ARG(c->about.name));
}

static void see_drop_publication(struct rule_subject *s, const struct rule_drop *d)
{
    rule_report_at(s, &d->about, "publication %.*s goes: its subscribers stop without a word here",
                   STR_ARG(d->about.name));
}

static void check_publication(struct rule_subject *s)
{
    const PgQuery__Node *tree = s->tree;
    if (!tree)
        return;
    rule_each_command(s, PG_QUERY__ALTER_TABLE_TYPE__AT_ReplicaIdentity, see_replica_identity);
    rule_each_dropped(s, PG_QUERY__OBJECT_TYPE__OBJECT_PUBLICATION, see_drop_publication);
    switch (tree->node_case) {
    case PG_QUERY__NODE__NODE_ALTER_PUBLICATION_STMT:
        rule_report(s, NULL, "publication %s changes what its subscribers get",
                    tree->alter_publication_stmt->pubname);
        break;
    case PG_QUERY__NODE__NODE_ALTER_SUBSCRIPTION_STMT:
        rule_report(s, NULL, "subscription %s changes", tree->alter_subscription_stmt->subname);
        break;
    case PG_QUERY__NODE__NODE_DROP_SUBSCRIPTION_STMT:
        rule_report(s, NULL, "subscription %s goes: its tables are no longer fed",
                    tree->drop_subscription_stmt->subname);
        break;
    default:
        break;
    }
}

/* ---- columns and keys ---- */

/* GENERATED ALWAYS, of SET and of ADD. */
static bool is_always(const PgQuery__Node *def)
{
    if (def && def->node_case == PG_QUERY__NODE__NODE_CONSTRAINT)
        return def->constraint->generated_when[0] == 'a';
    for (size_t i = 0; def && def->node_case == PG_QUERY__NODE__NODE_LIST && i < def->list->n_items;
         i++) {
        const PgQuery__Node *n = def->list->items[i];
        if (n->node_case == PG_QUERY__NODE__NODE_DEF_ELEM &&
            strcmp(n->def_elem->defname, "generated") == 0)
            return n->def_elem->arg &&
                   n->def_elem->arg->node_case == PG_QUERY__NODE__NODE_INTEGER &&
                   n->def_elem->arg->integer->ival == 'a';
    }
    return false;
}

static void see_generation(struct rule_subject *s, const struct rule_command *c)
{
    const char *what = NULL;
    switch (c->cmd->subtype) {
    case PG_QUERY__ALTER_TABLE_TYPE__AT_DropIdentity:
        what = "is no longer filled with numbers";
        break;
    case PG_QUERY__ALTER_TABLE_TYPE__AT_DropExpression:
        what = "is no longer computed";
        break;
    case PG_QUERY__ALTER_TABLE_TYPE__AT_SetIdentity:
    case PG_QUERY__ALTER_TABLE_TYPE__AT_AddIdentity:
        if (is_always(c->cmd->def))
            rule_report_at(s, &c->about,
                           "column %s of %.*s is GENERATED ALWAYS from here on: inserts that give "
                           "it a value fail",
                           c->cmd->name, STR_ARG(c->about.name));
        return;
    default:
        return;
    }
    rule_report_at(s, &c->about, "column %s of %.*s %s: inserts that rely on it fail or differ",
                   c->cmd->name, STR_ARG(c->about.name), what);
}

static void check_generation(struct rule_subject *s)
{
    rule_each_command(s, 0, see_generation);
}

static bool is_cascading(const char *action)
{
    return action[0] == 'c' || action[0] == 'n' || action[0] == 'd';
}

static void see_cascading(struct rule_subject *s, const struct rule_constraint *c)
{
    if (is_cascading(c->k->fk_del_action) || is_cascading(c->k->fk_upd_action))
        rule_report_at(s, &c->about,
                       "one DELETE or UPDATE of a parent changes any number of rows of "
                       "%.*s",
                       STR_ARG(c->about.name));
}

static void check_cascading(struct rule_subject *s)
{
    if (s->tree)
        rule_each_constraint(s, PG_QUERY__CONSTR_TYPE__CONSTR_FOREIGN, see_cascading);
}

/* ---- dropped and made again ---- */

static void check_recreate(struct rule_subject *s)
{
    const PgQuery__Node *tree = s->tree;
    const PgQuery__RangeVar *made = NULL;
    if (!tree)
        return;
    if (tree->node_case == PG_QUERY__NODE__NODE_CREATE_STMT)
        made = tree->create_stmt->relation;
    else if (tree->node_case == PG_QUERY__NODE__NODE_CREATE_TABLE_AS_STMT &&
             tree->create_table_as_stmt->into)
        made = tree->create_table_as_stmt->into->rel;
    else if (tree->node_case == PG_QUERY__NODE__NODE_CREATE_SEQ_STMT)
        made = tree->create_seq_stmt->sequence;
    if (!made)
        return;
    struct str name = rule_about(s, made).name;
    const struct noted *dropped = file_state_find(rule_state(s), NOTED_DROPPED, name, name);
    bool is_view = dropped && dropped->object &&
                   (dropped->object->kind == RELATION_VIEW ||
                    dropped->object->kind == RELATION_MATERIALIZED_VIEW);
    bool is_other = tree->node_case == PG_QUERY__NODE__NODE_CREATE_TABLE_AS_STMT &&
                    tree->create_table_as_stmt->objtype == PG_QUERY__OBJECT_TYPE__OBJECT_MATVIEW;
    if (is_view || is_other) /* drop-view: its rows are computed anew */
        return;
    if (dropped && strcmp(dropped->object_kind, "OLD") == 0)
        rule_report_at(s, &(struct rule_finding){.name = name},
                       "%.*s was dropped in line %u and is made again: rows, rights and whatever "
                       "hung on it are lost",
                       STR_ARG(name), dropped->line);
}

static const struct rule_row rows[] = {
    {
        .rule =
            {
                .id = "set-unlogged",
                .level = HAZARD_BLOCK,
                .engine = ENGINE_POSTGRES,
                .exemptions = EXEMPT_NEW,
                .title = "an unlogged table is emptied by a crash",
                .why = "Changes of an unlogged table are not in the write-ahead log: after a "
                       "crash it is empty, on standbys and in base backups it always is. SET "
                       "UNLOGGED writes the table anew under ACCESS EXCLUSIVE as well.",
                .fix = "Keep the table logged. For data that may be lost, make a table of its "
                       "own and say so in a comment.",
                .example = "ALTER TABLE sessions SET UNLOGGED;",
                .sources = "sql-createtable.html; tablecmds.c: ATPrepChangePersistence()",
            },
        .check = check_set_unlogged,
    },
    {
        .rule =
            {
                .id = "drop-policy",
                .level = HAZARD_BLOCK,
                .engine = ENGINE_POSTGRES,
                .exemptions = EXEMPT_NEW,
                .title = "row security that is taken away shows rows to others",
                .why = "Without DISABLE ROW LEVEL SECURITY a table with its last policy dropped "
                       "shows no rows at all to those who are not its owner; with it, whoever "
                       "may SELECT sees all. Both happen at the commit, and ACCESS EXCLUSIVE is "
                       "taken.",
                .fix = "Make the new policy first; policies are combined with OR. Drop the old "
                       "one behind it in the same transaction, and name who may see what from "
                       "now on.",
                .example = "DROP POLICY own_notes ON notes;",
                .safe = "CREATE POLICY team_notes ON notes USING (owner IN (current_user, "
                        "'team'));",
                .sources = "ddl-rowsecurity.html",
            },
        .check = check_drop_policy,
    },
    {
        .rule =
            {
                .id = "revoke-privilege",
                .level = HAZARD_WARN,
                .engine = ENGINE_POSTGRES,
                .exemptions = EXEMPT_NEW,
                .title = "rights change for code that runs",
                .why = "What used a revoked right fails at its next statement. A change of "
                       "owner takes ACCESS EXCLUSIVE on a table, and moves the rights of the "
                       "old owner to the new one.",
                .fix = "Look for who uses the right first (pg_stat_statements, logs). Grant the "
                       "new right a release before the old one is revoked.",
                .example = "REVOKE SELECT ON users FROM PUBLIC;",
                .safe = "GRANT SELECT (id) ON users TO CURRENT_USER;",
                .sources = "sql-revoke.html",
            },
        .check = check_revoke,
    },
    {
        .rule =
            {
                .id = "overbroad-grant",
                .level = HAZARD_WARN,
                .engine = ENGINE_POSTGRES,
                .title = "a grant to PUBLIC, or of ALL PRIVILEGES, is wider than it looks",
                .why = "PUBLIC is every role, those that are made later too. ALL contains "
                       "TRUNCATE, REFERENCES and TRIGGER; the latter lets a role run code as "
                       "whoever writes to the table.",
                .fix = "Name the role, and each privilege that it needs.",
                .example = "GRANT ALL ON users TO PUBLIC;",
                .safe = "GRANT SELECT, INSERT ON users TO CURRENT_USER;",
                .sources = "sql-grant.html; ddl-priv.html",
            },
        .check = check_overbroad_grant,
        .node = PG_QUERY__NODE__NODE_GRANT_STMT,
    },
    {
        .rule =
            {
                .id = "sequence-reset",
                .level = HAZARD_WARN,
                .engine = ENGINE_POSTGRES,
                .exemptions = EXEMPT_NEW,
                .title = "a sequence that is set back gives numbers twice",
                .why = "Keys that exist are generated again, and the INSERTs fail with a "
                       "duplicate key; without a unique key they do not even fail. RESTART "
                       "takes SHARE ROW EXCLUSIVE on the sequence; setval() is not undone by "
                       "ROLLBACK.",
                .fix = "Compare with max() of the column in the same transaction, under a lock "
                       "that keeps writers out, or choose a value far above it.",
                .example = "ALTER SEQUENCE invoice_number RESTART WITH 1;",
                .sources = "sql-altersequence.html; functions-sequence.html",
            },
        .check = check_sequence_reset,
    },
    {
        .rule =
            {
                .id = "drop-publication",
                .level = HAZARD_WARN,
                .engine = ENGINE_POSTGRES,
                .title = "subscribers of a changed publication stop or miss rows",
                .why = "Logical replication gets what the publication says when it is decoded. "
                       "A dropped publication stops the subscriber with an error in its log; a "
                       "table that is left out is simply no longer sent. Without a replica "
                       "identity UPDATE and DELETE of a published table fail here.",
                .fix = "Change the subscriber first (ALTER SUBSCRIPTION … SET PUBLICATION, "
                       "REFRESH), then the publication.",
                .example = "DROP PUBLICATION crm;",
                .sources = "logical-replication-publication.html",
            },
        .check = check_publication,
    },
    {
        .rule =
            {
                .id = "drop-generation",
                .level = HAZARD_WARN,
                .engine = ENGINE_POSTGRES,
                .exemptions = EXEMPT_NEW,
                .title = "inserts that leave a generated column out fail or store something else",
                .why = "Without its identity a NOT NULL column refuses every INSERT that does "
                       "not name it; without its expression it stays as it was and is NULL in "
                       "new rows. SET GENERATED ALWAYS refuses INSERTs that give a value.",
                .fix = "Let the code give the value first, then drop the generation in a later "
                       "release.",
                .example = "ALTER TABLE users ALTER COLUMN id DROP IDENTITY;",
                .sources = "sql-altertable.html",
            },
        .check = check_generation,
        .node = PG_QUERY__NODE__NODE_ALTER_TABLE_STMT,
    },
    {
        .rule =
            {
                .id = "cascading-foreign-key",
                .level = HAZARD_OFF,
                .engine = ENGINE_POSTGRES,
                .title = "a cascading foreign key hides writes without a bound",
                .why = "One DELETE of a parent deletes, or sets to NULL, all its children, "
                       "their children too, in one transaction and with a row lock on each. "
                       "Without an index on the column each delete reads the whole child table.",
                .fix = "Keep NO ACTION or RESTRICT, and delete children in a job that works in "
                       "batches.",
                .example = "CREATE TABLE logins (id bigint PRIMARY KEY, user_id bigint REFERENCES "
                           "users ON DELETE CASCADE);",
                .safe = "CREATE TABLE logins (id bigint PRIMARY KEY, user_id bigint REFERENCES "
                        "users);",
                .sources = "ddl-constraints.html#DDL-CONSTRAINTS-FK; ri_triggers.c",
            },
        .check = check_cascading,
    },
    {
        .rule =
            {
                .id = "recreate-object",
                .level = HAZARD_BLOCK,
                .engine = ENGINE_POSTGRES,
                .title = "an object that is dropped and made again has lost everything",
                .why = "A DROP followed by a CREATE of the same name looks like a change and is "
                       "a loss: rows, rights, indexes, triggers, views over it and what was "
                       "told to replication are gone.",
                .fix = "ALTER the object, or rename it. Where the contents are really meant to "
                       "be thrown away, allow it with a reason.",
                .example = "DROP TABLE IF EXISTS rates;\n"
                           "CREATE TABLE rates (currency text PRIMARY KEY, rate numeric, at date);",
                .safe = "ALTER TABLE rates ADD COLUMN at date;",
                .sources = "sql-altertable.html",
            },
        .check = check_recreate,
    },
};
const struct rule_table rules_access = {rows, ARRAY_LEN(rows)};
