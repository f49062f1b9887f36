/* Rules about transactions: what refuses one, what is left open, what is held too long. */
#include "planner/postgres/rules_support.h"

static bool is_alone(const struct rule_subject *s)
{
    return s->statement->role == ROLE_ALONE || s->effects->refuses_transaction;
}

static bool is_concurrent(const struct rule_subject *s)
{
    const PgQuery__Node *tree = s->tree;
    if (!tree)
        return false;
    switch (tree->node_case) {
    case PG_QUERY__NODE__NODE_INDEX_STMT:
        return tree->index_stmt->concurrent;
    case PG_QUERY__NODE__NODE_DROP_STMT:
        return tree->drop_stmt->concurrent;
    case PG_QUERY__NODE__NODE_REINDEX_STMT:
        return str_find(s->statement->text, STR("oncurrently")) != SIZE_MAX ||
               str_find(s->statement->text, STR("ONCURRENTLY")) != SIZE_MAX;
    case PG_QUERY__NODE__NODE_ALTER_TABLE_STMT:
        return true; /* DETACH … CONCURRENTLY is all that refuses a transaction there */
    default:
        return false;
    }
}

static void check_concurrently(struct rule_subject *s)
{
    if (s->file->is_own_transaction && is_alone(s) && is_concurrent(s))
        rule_report(s, NULL, "%s CONCURRENTLY cannot run inside the file's own transaction",
                    s->statement->kind);
}

static void check_non_transactional(struct rule_subject *s)
{
    if (s->file->is_own_transaction && is_alone(s) && !is_concurrent(s))
        rule_report(s, NULL, "%s cannot run inside the file's own transaction", s->statement->kind);
}

static void check_enum_used(struct rule_subject *s)
{
    const struct file_state *state = rule_state(s);
    const struct noted *one =
        file_state_find(state, NOTED_ENUM_VALUE, (struct str){0}, (struct str){0});
    for (; one && one->is_in_transaction; one = file_state_older(state, one)) {
        if (s->statement->new_enum_value)
            continue;
        const char *quoted = arena_printf(s->a, "'%.*s'", STR_ARG(one->name));
        if (str_find(s->statement->text, str_of(quoted)) != SIZE_MAX)
            rule_report(s, NULL,
                        "the value %s was added in line %u of the same transaction: it cannot "
                        "be used before COMMIT",
                        quoted, one->line);
    }
}

static void check_enum_in_transaction(struct rule_subject *s)
{
    if (!rule_tree(s)->alter_enum_stmt->old_val[0] && s->file->is_in_transaction)
        rule_report(s, NULL,
                    "ALTER TYPE … ADD VALUE cannot run inside a transaction before "
                    "PostgreSQL 12");
}

/* ---- BEGIN and COMMIT ---- */

static void check_nesting(struct rule_subject *s)
{
    bool is_end = s->statement->role == ROLE_COMMIT || s->statement->role == ROLE_ROLLBACK;
    if (s->statement->role == ROLE_BEGIN && rule_state(s)->begin_line)
        rule_report(s, NULL, "BEGIN inside the transaction that began in line %u does nothing",
                    rule_state(s)->begin_line);
    else if (is_end && s->file->is_in_transaction && !s->file->is_own_transaction)
        rule_report(s, NULL, "%s ends a transaction that the file did not begin",
                    s->statement->kind);
}

static void end_uncommitted(struct rule_subject *s)
{
    uint32_t line = rule_state(s)->begin_line;
    if (line)
        rule_report_line(s, line, NULL, "the transaction that begins here is never committed");
}

/* Whether a person must tell what became of it when the run is cut off there. */
static bool is_unproven(const struct statement *s)
{
    return !s->probe || s->probe->kind == PROBE_NONE;
}

static void check_mixed(struct rule_subject *s)
{
    bool is_single = is_alone(s) && !s->file->is_in_transaction;
    if (is_single && s->file->has_transactional && s->statement->role == ROLE_ALONE &&
        is_unproven(s->statement))
        rule_report(s, NULL,
                    "%s runs outside the transaction of the statements before it: cut off "
                    "there, the file is half applied and only a person can tell",
                    s->statement->kind);
}

/* ---- locks that are held while something else is done ---- */

static bool is_control(const struct rule_subject *s)
{
    enum transaction_role role = s->statement->role;
    const PgQuery__Node *tree = s->tree;
    return role == ROLE_BEGIN || role == ROLE_COMMIT || role == ROLE_ROLLBACK ||
           (tree && (tree->node_case == PG_QUERY__NODE__NODE_VARIABLE_SET_STMT ||
                     tree->node_case == PG_QUERY__NODE__NODE_TRANSACTION_STMT ||
                     tree->node_case == PG_QUERY__NODE__NODE_CONSTRAINTS_SET_STMT));
}

static bool is_query(const PgQuery__Node *tree)
{
    switch (tree->node_case) {
    case PG_QUERY__NODE__NODE_SELECT_STMT:
    case PG_QUERY__NODE__NODE_INSERT_STMT:
    case PG_QUERY__NODE__NODE_UPDATE_STMT:
    case PG_QUERY__NODE__NODE_DELETE_STMT:
    case PG_QUERY__NODE__NODE_MERGE_STMT:
    case PG_QUERY__NODE__NODE_DO_STMT:
    case PG_QUERY__NODE__NODE_CALL_STMT:
    case PG_QUERY__NODE__NODE_COPY_STMT:
        return true;
    default:
        return false;
    }
}

/* An index over a table that is new is made at once, unless rows are there to be read. */
static bool is_index_of_old(const struct rule_subject *s)
{
    return rule_tree(s)->node_case == PG_QUERY__NODE__NODE_INDEX_STMT &&
           !rule_is_new(s, rule_relation(s, rule_tree(s)->index_stmt->relation));
}

static bool is_held_by_transaction(const struct rule_subject *s, const struct effect_lock *lock,
                                   enum lock_mode mode)
{
    for (size_t n = 0; n < s->file->held.count; n++) {
        const struct held_lock *held = &s->file->held.at[n];
        bool is_same = str_equal(held->relation, lock->relation) ||
                       (lock->object && held->object == lock->object); /* renamed in between */
        if (held->mode >= mode && is_same)
            return true;
    }
    return false;
}

/* Brief DDL on tables that are new, or that the transaction has locked as strongly already, adds
   nothing. A new view only looks its tables up. */
static bool adds_nothing(const struct rule_subject *s, enum lock_mode mode)
{
    if (s->effects->scans.count || s->effects->builds.count || s->effects->rewrites.count ||
        !s->tree || is_query(s->tree) || is_index_of_old(s))
        return false;
    bool is_view = rule_tree(s)->node_case == PG_QUERY__NODE__NODE_VIEW_STMT;
    for (size_t i = 0; i < s->effects->locks.count; i++) {
        const struct effect_lock *lock = &s->effects->locks.at[i];
        bool is_free = rule_is_new(s, lock->object) || lock->kind == RELATION_INDEX ||
                       lock->kind == RELATION_SEQUENCE ||
                       (is_view && lock->mode == LOCK_ACCESS_SHARE);
        if (!is_free && !is_held_by_transaction(s, lock, mode))
            return false;
    }
    return true;
}

static void after(struct rule_subject *s, bool is_exclusive)
{
    struct file_state *state = rule_state(s);
    const struct held_lock *held = rule_held_lock(s, LOCK_SHARE);
    if (!held || is_control(s) || (held->mode == LOCK_ACCESS_EXCLUSIVE) != is_exclusive ||
        state->has_warned_held || adds_nothing(s, held->mode))
        return;
    state->has_warned_held = true;
    rule_report(s, held->object, "%.*s stays locked %s since line %u while this runs: %s wait",
                STR_ARG(held->relation), lock_mode_sql(held->mode), held->line,
                is_exclusive ? "readers and writers" : "writers");
}

static void check_after_exclusive(struct rule_subject *s)
{
    after(s, true);
}

static void check_after_block(struct rule_subject *s)
{
    after(s, false);
}

static bool is_table_kind(enum relation_kind kind)
{
    return kind == RELATION_TABLE || kind == RELATION_PARTITIONED_TABLE || kind == RELATION_UNKNOWN;
}

/* A lock on another table that is held; NULL: none is, or this one is held as well. */
static const struct held_lock *other_held(const struct rule_subject *s, struct str relation)
{
    const struct held_lock *other = NULL;
    for (size_t i = 0; i < s->file->held.count; i++) {
        const struct held_lock *held = &s->file->held.at[i];
        if (held->mode < LOCK_SHARE_ROW_EXCLUSIVE || !is_table_kind(held->kind))
            continue;
        if (str_equal(held->relation, relation))
            return NULL;
        other = held;
    }
    return other;
}

static void check_wide(struct rule_subject *s)
{
    struct file_state *state = rule_state(s);
    for (size_t i = 0; i < s->effects->locks.count; i++) {
        const struct effect_lock *lock = &s->effects->locks.at[i];
        bool counts = lock->mode >= LOCK_SHARE_ROW_EXCLUSIVE && lock->mode != LOCK_EXCLUSIVE &&
                      !rule_is_new(s, lock->object) && !rule_is_temporary(lock->object) &&
                      is_table_kind(rule_lock_kind(s->tree, lock));
        if (!counts || state->has_warned_wide || is_control(s))
            continue;
        const struct held_lock *other = other_held(s, lock->relation);
        if (!other)
            continue;
        state->has_warned_wide = true;
        rule_report(s, lock->object, "%.*s is locked %s while %.*s still is, since line %u",
                    STR_ARG(lock->relation), lock_mode_sql(lock->mode), STR_ARG(other->relation),
                    other->line);
    }
}

static const struct rule_row rows[] = {
    {
        .rule =
            {
                .id = "concurrently-in-transaction",
                .level = HAZARD_BLOCK,
                .engine = ENGINE_POSTGRES,
                .title = "CONCURRENTLY refuses a transaction",
                .why = "CREATE and DROP INDEX, REINDEX and DETACH PARTITION … CONCURRENTLY use "
                       "several transactions of their own: inside BEGIN … COMMIT they fail, and "
                       "also behind COMMIT AND CHAIN or in a file that another tool sends as "
                       "one string. This runner takes them out of its own transaction by itself.",
                .fix = "Put it behind the COMMIT, or in a file of its own.",
                .example = "BEGIN;\n"
                           "CREATE INDEX CONCURRENTLY orders_user ON orders (user_id);\n"
                           "COMMIT;",
                .safe = "CREATE INDEX CONCURRENTLY orders_user ON orders (user_id);",
                .sources = "sql-createindex.html; xact.c: PreventInTransactionBlock()",
            },
        .check = check_concurrently,
    },
    {
        .rule =
            {
                .id = "non-transactional-statement",
                .level = HAZARD_BLOCK,
                .engine = ENGINE_POSTGRES,
                .title = "the statement refuses a transaction",
                .why = "VACUUM, CLUSTER of everything, CREATE and DROP DATABASE or TABLESPACE, "
                       "ALTER SYSTEM, REINDEX of a schema or database, CREATE SUBSCRIPTION with "
                       "a slot and DROP SUBSCRIPTION fail inside BEGIN … COMMIT.",
                .fix = "Put it behind the COMMIT, or in a file of its own.",
                .example = "BEGIN;\n"
                           "VACUUM orders;\n"
                           "COMMIT;",
                .safe = "VACUUM orders;",
                .sources = "xact.c: PreventInTransactionBlock()",
            },
        .check = check_non_transactional,
    },
    {
        .rule =
            {
                .id = "enum-value-used-in-transaction",
                .level = HAZARD_BLOCK,
                .engine = ENGINE_POSTGRES,
                .title = "a new enum value cannot be used before its transaction commits",
                .why = "From 12 on ALTER TYPE … ADD VALUE may run in a transaction, but the "
                       "value is \"unsafe\" until COMMIT, unless the type was made in the same "
                       "transaction.",
                .fix = "Add the value in a transaction, or a migration, of its own.",
                .example = "BEGIN;\n"
                           "ALTER TYPE mood ADD VALUE 'so-so';\n"
                           "INSERT INTO days (id, how) VALUES (1, 'so-so');\n"
                           "COMMIT;",
                .safe = "BEGIN;\n"
                        "ALTER TYPE mood ADD VALUE 'so-so';\n"
                        "COMMIT;\n"
                        "INSERT INTO days (id, how) VALUES (1, 'so-so');",
                .sources = "sql-altertype.html; enum.c: check_safe_enum_use()",
            },
        .check = check_enum_used,
    },
    {
        .rule =
            {
                .id = "enum-add-value-in-transaction",
                .level = HAZARD_BLOCK,
                .engine = ENGINE_POSTGRES,
                .until = 11,
                .title = "before PostgreSQL 12 ADD VALUE refuses a transaction",
                .why = "ALTER TYPE … ADD VALUE fails inside a transaction there.",
                .fix = "Put it in a file of its own, with -- migrate: no-transaction.",
                .example = "BEGIN;\n"
                           "ALTER TYPE mood ADD VALUE 'so-so';\n"
                           "COMMIT;",
                .safe = "-- migrate: no-transaction\n"
                        "ALTER TYPE mood ADD VALUE 'so-so';",
                .sources = "release-12.html",
            },
        .check = check_enum_in_transaction,
        .node = PG_QUERY__NODE__NODE_ALTER_ENUM_STMT,
    },
    {
        .rule =
            {
                .id = "transaction-nesting",
                .level = HAZARD_BLOCK,
                .engine = ENGINE_POSTGRES,
                .title = "BEGIN and COMMIT that do not pair break the transaction of the migration",
                .why = "BEGIN inside a transaction is only a warning, and the first COMMIT ends "
                       "both. A COMMIT without a BEGIN ends the transaction that the runner has "
                       "opened: what was done before it stays when the rest fails.",
                .fix = "Leave both out: each migration is one transaction. Where a file needs "
                       "several, pair each BEGIN with its COMMIT.",
                .example = "ALTER TABLE users ADD COLUMN a int;\n"
                           "COMMIT;\n"
                           "ALTER TABLE users ADD COLUMN b int;",
                .safe = "BEGIN;\n"
                        "ALTER TABLE users ADD COLUMN a int;\n"
                        "COMMIT;\n"
                        "ALTER TABLE users ADD COLUMN b int;",
                .sources = "sql-begin.html",
            },
        .check = check_nesting,
    },
    {
        .rule =
            {
                .id = "uncommitted-transaction",
                .level = HAZARD_BLOCK,
                .engine = ENGINE_POSTGRES,
                .title = "BEGIN without COMMIT does nothing in the end",
                .why = "When the connection closes, everything since BEGIN is rolled back; a "
                       "runner that only looks for errors reports success.",
                .fix = "Write the COMMIT, or leave the BEGIN out.",
                .example = "BEGIN;\n"
                           "ALTER TABLE users ADD COLUMN a int;",
                .safe = "BEGIN;\n"
                        "ALTER TABLE users ADD COLUMN a int;\n"
                        "COMMIT;",
                .sources = "sql-begin.html",
            },
        .check_end = end_uncommitted,
    },
    {
        .rule =
            {
                .id = "mixed-transaction-modes",
                .level = HAZARD_BLOCK,
                .engine = ENGINE_POSTGRES,
                .title = "a file that is cut off between its transactions may leave nobody knowing",
                .why = "A statement that refuses a transaction splits the file. For most of "
                       "them the runner can tell from the catalog whether they are done, and "
                       "goes on there; for this one it cannot, and the file has changed "
                       "something already.",
                .fix = "Put the statement in a file of its own.",
                .example = "ALTER TABLE users ADD COLUMN a int;\n"
                           "REINDEX TABLE CONCURRENTLY ONLY users;  -- of a version that the "
                           "parser does not know",
                .safe = "ALTER TABLE users ADD COLUMN a int;\n"
                        "CREATE INDEX CONCURRENTLY users_a ON users (a);",
                .sources = "xact.c: PreventInTransactionBlock()",
            },
        .check = check_mixed,
    },
    {
        .rule =
            {
                .id = "statement-after-access-exclusive",
                .level = HAZARD_WARN,
                .engine = ENGINE_POSTGRES,
                .title = "a table stays locked ACCESS EXCLUSIVE while something else runs",
                .why = "A lock is held until the transaction ends. Every statement behind it "
                       "adds its time to the time for which nobody reads or writes the table.",
                .fix = "COMMIT first, or let the statement that takes the lock be the last of "
                       "the transaction.",
                .example = "ALTER TABLE users ADD COLUMN a int;\n"
                           "SELECT count(*) FROM orders;",
                .safe = "ALTER TABLE users ADD COLUMN a int;\n"
                        "ALTER TABLE users ALTER COLUMN a SET DEFAULT 1;",
                .sources = "explicit-locking.html",
            },
        .check = check_after_exclusive,
    },
    {
        .rule =
            {
                .id = "statement-after-write-block",
                .level = HAZARD_WARN,
                .engine = ENGINE_POSTGRES,
                .title = "a table refuses writes while something else runs",
                .why = "SHARE, SHARE ROW EXCLUSIVE and EXCLUSIVE stop every INSERT, UPDATE and "
                       "DELETE until the transaction ends.",
                .fix = "COMMIT first, or let the statement that takes the lock be the last of "
                       "the transaction.",
                .example = "CREATE INDEX users_a ON users (a);\n"
                           "SELECT count(*) FROM orders;",
                .safe = "CREATE INDEX CONCURRENTLY users_a ON users (a);\n"
                        "SELECT count(*) FROM orders;",
                .sources = "explicit-locking.html",
            },
        .check = check_after_block,
    },
    {
        .rule =
            {
                .id = "wide-lock-window",
                .level = HAZARD_WARN,
                .engine = ENGINE_POSTGRES,
                .title = "one transaction holds strong locks on several tables",
                .why = "The wait for the second table is time for which the first one is "
                       "locked, and transactions that use them in another order end in a "
                       "deadlock.",
                .fix = "One table in each transaction: split the file, or COMMIT between them.",
                .example = "ALTER TABLE users ADD COLUMN a int;\n"
                           "ALTER TABLE orders ADD COLUMN a int;",
                .safe = "BEGIN;\n"
                        "ALTER TABLE users ADD COLUMN a int;\n"
                        "COMMIT;\n"
                        "BEGIN;\n"
                        "ALTER TABLE orders ADD COLUMN a int;\n"
                        "COMMIT;",
                .sources = "explicit-locking.html#LOCKING-DEADLOCKS",
            },
        .check = check_wide,
    },
};
const struct rule_table rules_transaction = {rows, ARRAY_LEN(rows)};
