/* Rules about whom the migration would wait for: transactions that are open on a live target. */
#include "core/base/clock.h"
#include "planner/postgres/rules_support.h"

/* Longer than requests and batches of an application, and than a lock_timeout and its retries. */
#define LONG_US ((int64_t)60 * 1000000)

/* CONCURRENTLY takes SHARE UPDATE EXCLUSIVE, and then waits for holders of other locks as well, and the
   builds for snapshots (indexcmds.c: DefineIndex(), ReindexRelationConcurrently(), WaitForOlderSnapshots();
   index.c: index_drop(); tablecmds.c: ATExecDetachPartition()). */
struct waiting {
    enum lock_mode
        for_holders_of; /* what conflicts with this mode; LOCK_NONE: only its own locks count */
    bool for_snapshots;
};

static bool is_detached_concurrently(const PgQuery__AlterTableStmt *stmt)
{
    for (size_t i = 0; i < stmt->n_cmds; i++) {
        const PgQuery__AlterTableCmd *cmd = stmt->cmds[i]->alter_table_cmd;
        const PgQuery__Node *def = cmd->def;
        if (def && def->node_case == PG_QUERY__NODE__NODE_PARTITION_CMD &&
            def->partition_cmd->concurrent)
            return true;
    }
    return false;
}

static struct waiting waiting_of(const struct rule_subject *s)
{
    const PgQuery__Node *tree = s->tree;
    const struct waiting none = {LOCK_NONE, false};
    switch (tree ? (int)tree->node_case : 0) {
    case PG_QUERY__NODE__NODE_INDEX_STMT:
        return tree->index_stmt->concurrent ? (struct waiting){LOCK_SHARE, true} : none;
    case PG_QUERY__NODE__NODE_REINDEX_STMT:
        return rule_strong_lock(s, LOCK_SHARE) ? none
                                               : (struct waiting){LOCK_ACCESS_EXCLUSIVE, true};
    case PG_QUERY__NODE__NODE_DROP_STMT:
        return tree->drop_stmt->concurrent ? (struct waiting){LOCK_ACCESS_EXCLUSIVE, false} : none;
    case PG_QUERY__NODE__NODE_ALTER_TABLE_STMT:
        if (is_detached_concurrently(tree->alter_table_stmt))
            return (struct waiting){LOCK_ACCESS_EXCLUSIVE, false};
        return none;
    default:
        return none;
    }
}

/* The lock of somebody else that the statement waits for; NULL: none. */
static const struct catalog_lock_held *in_the_way(const struct rule_subject *s,
                                                  const struct catalog_transaction *t)
{
    struct waiting waiting = waiting_of(s);
    for (size_t i = 0; i < s->effects->locks.count; i++) {
        const struct effect_lock *lock = &s->effects->locks.at[i];
        if (lock->mode < LOCK_SHARE_UPDATE_EXCLUSIVE || rule_is_new(s, lock->object))
            continue;
        for (size_t k = 0; k < t->locks.count; k++) {
            const struct catalog_lock_held *held = &t->locks.at[k];
            if (held->relation == lock->object &&
                (lock_modes_conflict(lock->mode, held->mode) ||
                 lock_modes_conflict(waiting.for_holders_of, held->mode)))
                return held;
        }
    }
    return NULL;
}

/* "process 4711 (role report, idle in transaction)" */
static const char *describe(const struct rule_subject *s, const struct catalog_transaction *t)
{
    bool is_prepared = str_equal(t->state, STR("prepared"));
    return arena_printf(s->a, "%s%.*s (%s%.*s%s%.*s)", is_prepared ? "transaction " : "process ",
                        STR_ARG(t->who), t->role.len ? "role " : "", STR_ARG(t->role),
                        t->role.len ? ", " : "", STR_ARG(t->state));
}

static void report_transaction(struct rule_subject *s, struct catalog_transaction *t)
{
    const struct catalog_lock_held *held = in_the_way(s, t);
    if (!held && !(t->has_snapshot && waiting_of(s).for_snapshots))
        return;
    t->told_in = s->catalog->migration;
    const char *since = clock_duration_text(s->a, t->open_us);
    if (held)
        rule_report(s, held->relation,
                    "this waits for %s, whose transaction is open for %s and holds %s on %.*s",
                    describe(s, t), since, lock_mode_sql(held->mode),
                    STR_ARG(catalog_relation_text(s->a, held->relation)));
    else
        rule_report(s, NULL, "this waits for %s, whose transaction is open for %s", describe(s, t),
                    since);
}

/* Each once in a file: behind the statement that waited, the others go on. */
static void check_transactions(struct rule_subject *s)
{
    for (size_t i = 0; s->catalog && i < s->catalog->transactions.count; i++) {
        struct catalog_transaction *t = s->catalog->transactions.at[i];
        if (!t->is_wraparound && t->open_us >= LONG_US && t->told_in != s->catalog->migration)
            report_transaction(s, t);
    }
}

static void check_wraparound(struct rule_subject *s)
{
    for (size_t i = 0; s->catalog && i < s->catalog->transactions.count; i++) {
        struct catalog_transaction *t = s->catalog->transactions.at[i];
        const struct catalog_lock_held *held = t->is_wraparound ? in_the_way(s, t) : NULL;
        if (!held || t->told_in == s->catalog->migration)
            continue;
        t->told_in = s->catalog->migration;
        rule_report(s, held->relation, "a vacuum against a wraparound works on %.*s since %s",
                    STR_ARG(catalog_relation_text(s->a, held->relation)),
                    clock_duration_text(s->a, t->open_us));
    }
}

static const struct rule_row rows[] = {
    {
        .rule =
            {
                .id = "long-transaction-present",
                .level = HAZARD_WARN,
                .engine = ENGINE_POSTGRES,
                .title = "an old transaction holds everything up",
                .why =
                    "A strong lock queues behind a transaction that has used the table, and "
                    "everybody else queues behind the lock. CREATE INDEX CONCURRENTLY and "
                    "REINDEX CONCURRENTLY wait for every older snapshot of the database as "
                    "well, DETACH CONCURRENTLY for whoever uses the table. Reported where a "
                    "plan is made against a target, of transactions that are open for a minute "
                    "by then, prepared ones too; `migrate apply` names who is in the way when it "
                    "runs.",
                .fix = "Find out whose transaction it is (pg_stat_activity.xact_start, "
                       "pg_prepared_xacts), and let it end first.",
                .example = "CREATE INDEX CONCURRENTLY orders_user ON orders (user_id);",
                .sources = "explicit-locking.html; sql-createindex.html; indexcmds.c: "
                           "WaitForOlderSnapshots()",
            },
        .check = check_transactions,
    },
    {
        .rule =
            {
                .id = "autovacuum-wraparound-conflict",
                .level = HAZARD_NOTE,
                .engine = ENGINE_POSTGRES,
                .title = "an anti-wraparound vacuum does not give way",
                .why = "A plain autovacuum ends when somebody waits for its lock; one that "
                       "prevents a wraparound goes on, and DDL waits for it. Reported where a plan "
                       "is made against a target on which one works, by a role that may read "
                       "pg_stat_activity (pg_read_all_stats).",
                .fix = "Let it end, or vacuum the table by hand before the migration.",
                .example = "ALTER TABLE orders ADD COLUMN note text;",
                .sources = "routine-vacuuming.html; proc.c: ProcSleep()",
            },
        .check = check_wraparound,
    },
};
const struct rule_table rules_waits = {rows, ARRAY_LEN(rows)};
