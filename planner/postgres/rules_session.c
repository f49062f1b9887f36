/* Rules about settings, timeouts and what is left for the next file. */
#include "planner/postgres/rules_support.h"

static const PgQuery__VariableSetStmt *set_stmt(const struct rule_subject *s)
{
    return rule_tree(s)->variable_set_stmt;
}

static bool sets(const struct rule_subject *s, const char *name)
{
    return set_stmt(s)->kind == PG_QUERY__VARIABLE_SET_KIND__VAR_SET_VALUE &&
           str_equal_nocase(str_of(set_stmt(s)->name), str_of(name));
}

/* The milliseconds that SET gives a timeout; -1: it is no constant. */
static int64_t given_ms(const struct rule_subject *s)
{
    const PgQuery__VariableSetStmt *stmt = set_stmt(s);
    if (stmt->n_args != 1 || stmt->args[0]->node_case != PG_QUERY__NODE__NODE_A_CONST)
        return -1;
    const PgQuery__AConst *k = stmt->args[0]->a_const;
    if (k->val_case == PG_QUERY__A__CONST__VAL_IVAL)
        return k->ival->ival;
    return k->val_case == PG_QUERY__A__CONST__VAL_SVAL ? rule_timeout_ms(str_of(k->sval->sval))
                                                       : -1;
}

/* Nothing lasts longer than one statement. */
static bool has_no_transaction(const struct rule_subject *s)
{
    return !s->file->is_in_transaction || (s->file->is_each_alone && !s->file->is_own_transaction);
}

static void check_lock_outside(struct rule_subject *s)
{
    if (has_no_transaction(s))
        rule_report(s, NULL,
                    "LOCK TABLE outside a transaction is an error, or is given up at once");
}

static void check_set_local(struct rule_subject *s)
{
    uint32_t line = rule_state(s)->local_line;
    if (line && s->statement->role == ROLE_ALONE && !s->file->is_own_transaction)
        rule_report(s, NULL,
                    "SET LOCAL of line %u does not reach this: %s runs outside the transaction",
                    line, s->statement->kind);
    if (!s->tree || rule_tree(s)->node_case != PG_QUERY__NODE__NODE_VARIABLE_SET_STMT)
        return;
    if (set_stmt(s)->is_local && has_no_transaction(s) && set_stmt(s)->name[0])
        rule_report(s, NULL, "SET LOCAL %s outside a transaction does nothing but warn",
                    set_stmt(s)->name);
}

/* ALTER SYSTEM, ALTER DATABASE … SET, ALTER ROLE … SET. */
static void check_persistent(struct rule_subject *s)
{
    const PgQuery__Node *tree = s->tree;
    const PgQuery__VariableSetStmt *set = NULL;
    const char *whose = "of the server";
    if (!tree)
        return;
    if (tree->node_case == PG_QUERY__NODE__NODE_ALTER_SYSTEM_STMT) {
        set = tree->alter_system_stmt->setstmt;
    } else if (tree->node_case == PG_QUERY__NODE__NODE_ALTER_DATABASE_SET_STMT) {
        set = tree->alter_database_set_stmt->setstmt;
        whose = "of the database";
    } else if (tree->node_case == PG_QUERY__NODE__NODE_ALTER_ROLE_SET_STMT) {
        set = tree->alter_role_set_stmt->setstmt;
        whose = "of the role";
    }
    if (set)
        rule_report(s, NULL, "%s is another for every session %s that begins from here on",
                    set->name[0] ? set->name : "each setting", whose);
}

static bool is_timeout(struct str name)
{
    return str_ends(name, STR("_timeout"));
}

static void end_leak(struct rule_subject *s)
{
    const struct file_state *state = rule_state(s);
    for (size_t i = 0; i < state->all.count; i++) {
        const struct noted *one = &state->all.at[i];
        if (one->kind == NOTED_SETTING && !is_timeout(one->name))
            rule_report_line(s, one->line, NULL,
                             "%.*s is set for the rest of the session, not for this "
                             "file alone",
                             STR_ARG(one->name));
    }
}

/* ---- timeouts ---- */

static const struct effect_lock *waits(const struct rule_subject *s)
{
    bool is_concurrent = s->statement->role == ROLE_ALONE;
    return is_concurrent ? NULL : rule_strong_lock(s, LOCK_SHARE);
}

static void check_missing_lock(struct rule_subject *s)
{
    const struct file_state *state = rule_state(s);
    const struct effect_lock *lock = waits(s);
    if (lock && state->timeouts_reset_line)
        rule_report(s, lock->object,
                    "%.*s is waited for (%s) without a limit: line %u has taken the "
                    "runner's lock_timeout away",
                    STR_ARG(lock->relation), lock_mode_sql(lock->mode), state->timeouts_reset_line);
}

static void check_missing_statement(struct rule_subject *s)
{
    const struct effect_lock *lock = waits(s);
    bool takes_long =
        s->effects->scans.count || s->effects->rewrites.count || s->effects->builds.count;
    bool is_off = rule_effective_timeout(s, "statement_timeout") == 0;
    if (lock && takes_long && is_off)
        rule_report(s, lock->object,
                    "%.*s is locked %s for as long as it takes: statement_timeout is "
                    "switched off",
                    STR_ARG(lock->relation), lock_mode_sql(lock->mode));
}

static void check_too_long(struct rule_subject *s)
{
    enum { LONG_MS = 10000 };
    int64_t ms = sets(s, "lock_timeout") ? given_ms(s) : -1;
    if (ms > LONG_MS)
        rule_report(s, NULL,
                    "a lock_timeout of %lld s stops everybody behind the waiting statement that "
                    "long",
                    (long long)(ms / 1000));
}

static void check_zero(struct rule_subject *s)
{
    if (sets(s, "lock_timeout") && given_ms(s) == 0)
        rule_report(s, NULL, "lock_timeout 0 means to wait for a lock without end");
}

static void check_after(struct rule_subject *s)
{
    uint32_t line = rule_state(s)->strong_line;
    if (sets(s, "lock_timeout") && line)
        rule_report(s, NULL,
                    "lock_timeout is set behind line %u, which has waited for its lock already",
                    line);
}

static void check_statement_long(struct rule_subject *s)
{
    enum { LONG_MS = 3600 * 1000 };
    int64_t ms = sets(s, "statement_timeout") ? given_ms(s) : -1;
    if (ms > LONG_MS)
        rule_report(s, NULL, "a statement_timeout of %lld minutes limits nothing that matters",
                    (long long)(ms / 60000));
}

static void check_order(struct rule_subject *s)
{
    bool is_lock = sets(s, "lock_timeout");
    bool is_statement = sets(s, "statement_timeout");
    if (!is_lock && !is_statement)
        return;
    int64_t ms = given_ms(s);
    int64_t lock = is_lock ? ms : rule_effective_timeout(s, "lock_timeout");
    int64_t statement = is_statement ? ms : rule_effective_timeout(s, "statement_timeout");
    if (lock > 0 && statement > 0 && lock >= statement)
        rule_report(s, NULL,
                    "lock_timeout (%lld ms) is not below statement_timeout (%lld ms): it never "
                    "strikes",
                    (long long)lock, (long long)statement);
}

static void end_idle(struct rule_subject *s)
{
    const struct file_state *state = rule_state(s);
    if (state->strong_line && !file_state_find(state, NOTED_SETTING, (struct str){0},
                                               STR("idle_in_transaction_session_timeout")))
        rule_report_line(s, state->strong_line, NULL,
                         "a session that is left idle in its transaction "
                         "would keep this lock");
}

static void end_application_name(struct rule_subject *s)
{
    const struct file_state *state = rule_state(s);
    if (state->strong_line &&
        !file_state_find(state, NOTED_SETTING, (struct str){0}, STR("application_name")))
        rule_report_line(s, state->strong_line, NULL,
                         "the file sets no application_name: pg_stat_activity "
                         "shows the runner's");
}

static void check_kills_build(struct rule_subject *s)
{
    int64_t ms = rule_effective_timeout(s, "statement_timeout");
    const PgQuery__Node *tree = s->tree;
    bool is_build = s->statement->role == ROLE_ALONE && tree &&
                    (tree->node_case == PG_QUERY__NODE__NODE_INDEX_STMT ||
                     tree->node_case == PG_QUERY__NODE__NODE_REINDEX_STMT ||
                     tree->node_case == PG_QUERY__NODE__NODE_ALTER_TABLE_STMT);
    if (is_build && ms > 0)
        rule_report(s, NULL,
                    "statement_timeout (%lld ms) ends it half way and leaves what it has begun",
                    (long long)ms);
}

static const struct rule_row rows[] = {
    {
        .rule =
            {
                .id = "lock-table-outside-transaction",
                .level = HAZARD_BLOCK,
                .engine = ENGINE_POSTGRES,
                .title = "LOCK TABLE needs a transaction",
                .why = "Outside of one it is an error, since the lock would be given up at "
                       "once. A file with no-transaction has none.",
                .fix = "BEGIN in front of it, COMMIT behind what it protects.",
                .example = "-- migrate: no-transaction\n"
                           "LOCK TABLE orders IN SHARE MODE;",
                .safe = "LOCK TABLE orders IN SHARE MODE;",
                .sources = "sql-lock.html",
            },
        .check = check_lock_outside,
        .node = PG_QUERY__NODE__NODE_LOCK_STMT,
    },
    {
        .rule =
            {
                .id = "set-local-outside-transaction",
                .level = HAZARD_BLOCK,
                .engine = ENGINE_POSTGRES,
                .title = "SET LOCAL outside a transaction does nothing",
                .why = "The server warns and forgets it: a timeout that seems to be there is "
                       "not. A file with no-transaction has no transaction that it could last "
                       "for, and CREATE INDEX CONCURRENTLY and its like run outside of any.",
                .fix = "SET without LOCAL and a RESET behind the statement, or a BEGIN in front.",
                .example = "-- migrate: no-transaction\n"
                           "SET LOCAL lock_timeout TO '400ms';\n"
                           "ALTER TABLE orders ADD COLUMN note text;",
                .safe = "SET LOCAL lock_timeout TO '400ms';\n"
                        "ALTER TABLE orders ADD COLUMN note text;",
                .sources = "sql-set.html",
            },
        .check = check_set_local,
    },
    {
        .rule =
            {
                .id = "persistent-setting",
                .level = HAZARD_NOTE,
                .engine = ENGINE_POSTGRES,
                .title = "a setting is changed for all sessions to come",
                .why = "ALTER SYSTEM, ALTER DATABASE … SET and ALTER ROLE … SET are for sessions "
                       "that begin later: this file does not see them, and pools keep the old "
                       "value until they connect anew. Those of roles and of the server are in no "
                       "dump of the database.",
                .fix = "Keep settings where servers and roles are provided. Where the file itself "
                       "needs the value, SET LOCAL it as well.",
                .example = "ALTER ROLE CURRENT_USER SET statement_timeout TO '30s';",
                .safe = "SET LOCAL statement_timeout TO '30s';",
                .sources = "sql-alterrole.html; sql-altersystem.html; config-setting.html",
            },
        .check = check_persistent,
    },
    {
        .rule =
            {
                .id = "session-setting-leak",
                .level = HAZARD_WARN,
                .engine = ENGINE_POSTGRES,
                .title = "a setting outlives its file",
                .why = "SET without LOCAL holds for the session: later files, and behind a "
                       "pooler other clients, run with it. This runner resets the session "
                       "behind such a file; psql and other tools do not.",
                .fix = "SET LOCAL, or RESET at the end of the file. Timeouts are no finding: "
                       "they protect.",
                .example = "SET search_path TO shop, public;\n"
                           "CREATE TABLE orders (id bigint PRIMARY KEY);",
                .safe = "SET LOCAL search_path TO shop, public;\n"
                        "CREATE TABLE orders (id bigint PRIMARY KEY);",
                .sources = "sql-set.html",
            },
        .check_end = end_leak,
    },
    {
        .rule =
            {
                .id = "missing-lock-timeout",
                .level = HAZARD_WARN,
                .engine = ENGINE_POSTGRES,
                .exemptions = EXEMPT_NEW | EXEMPT_EMPTY,
                .title = "a strong lock is waited for without a limit",
                .why = "While a statement waits for its lock, everybody who comes later waits "
                       "behind it. The runner sets lock_timeout (locks.timeout) and tries "
                       "again; a file that says RESET, or SET … TO DEFAULT, takes that away.",
                .fix = "Leave lock_timeout to the runner, or set it again: SET lock_timeout TO "
                       "'400ms'.",
                .example = "RESET lock_timeout;\n"
                           "ALTER TABLE orders ADD COLUMN note text;",
                .safe = "ALTER TABLE orders ADD COLUMN note text;",
                .sources = "runtime-config-client.html; explicit-locking.html",
            },
        .check = check_missing_lock,
    },
    {
        .rule =
            {
                .id = "lock-timeout-too-long",
                .level = HAZARD_WARN,
                .engine = ENGINE_POSTGRES,
                .title = "a long lock_timeout is as bad as a long lock",
                .why = "For as long as the statement waits, everybody who needs the table waits "
                       "behind it.",
                .fix = "Half a second to two, and several attempts, as the runner does by "
                       "itself (locks.timeout, locks.attempts).",
                .example = "SET lock_timeout TO '1min';",
                .safe = "SET lock_timeout TO '2s';",
                .sources = "runtime-config-client.html",
            },
        .check = check_too_long,
        .node = PG_QUERY__NODE__NODE_VARIABLE_SET_STMT,
    },
    {
        .rule =
            {
                .id = "lock-timeout-zero",
                .level = HAZARD_WARN,
                .engine = ENGINE_POSTGRES,
                .title = "lock_timeout 0 switches the limit off",
                .why = "A statement that waits for a lock then stops everybody behind it until "
                       "the one in front ends, however long that takes.",
                .fix = "Leave it to the runner, or set a second or two.",
                .example = "SET lock_timeout TO 0;",
                .safe = "SET lock_timeout TO '2s';",
                .sources = "runtime-config-client.html",
            },
        .check = check_zero,
        .node = PG_QUERY__NODE__NODE_VARIABLE_SET_STMT,
    },
    {
        .rule =
            {
                .id = "lock-timeout-after",
                .level = HAZARD_WARN,
                .engine = ENGINE_POSTGRES,
                .title = "lock_timeout is set behind the statement that needed it",
                .why = "It holds for the statements that follow only.",
                .fix = "Put it at the top of the file.",
                .example = "ALTER TABLE orders ADD COLUMN note text;\n"
                           "SET lock_timeout TO '2s';",
                .safe = "SET lock_timeout TO '2s';\n"
                        "ALTER TABLE orders ADD COLUMN note text;",
                .sources = "runtime-config-client.html",
            },
        .check = check_after,
        .node = PG_QUERY__NODE__NODE_VARIABLE_SET_STMT,
    },
    {
        .rule =
            {
                .id = "missing-statement-timeout",
                .level = HAZARD_WARN,
                .engine = ENGINE_POSTGRES,
                .exemptions = EXEMPT_NEW | EXEMPT_EMPTY | EXEMPT_SMALL,
                .title = "a statement that holds a strong lock has no limit of time",
                .why = "With statement_timeout 0 a scan or rewrite under a strong lock goes on "
                       "for as long as it takes, and nobody can use the table.",
                .fix = "Set it to what the application can bear. Lift it only around CREATE "
                       "INDEX CONCURRENTLY and VALIDATE CONSTRAINT, which stop nobody.",
                .example = "SET statement_timeout TO 0;\n"
                           "ALTER TABLE orders ALTER COLUMN total SET NOT NULL;",
                .safe = "SET statement_timeout TO '5s';\n"
                        "ALTER TABLE orders ALTER COLUMN total SET NOT NULL;",
                .sources = "runtime-config-client.html",
            },
        .check = check_missing_statement,
    },
    {
        .rule =
            {
                .id = "statement-timeout-too-long",
                .level = HAZARD_OFF,
                .engine = ENGINE_POSTGRES,
                .title = "a statement_timeout of hours protects nobody",
                .why = "What holds a lock that long has stopped the application long before.",
                .fix = "Set it to what the application can bear.",
                .example = "SET statement_timeout TO '6h';",
                .safe = "SET statement_timeout TO '30s';",
                .sources = "runtime-config-client.html",
            },
        .check = check_statement_long,
        .node = PG_QUERY__NODE__NODE_VARIABLE_SET_STMT,
    },
    {
        .rule =
            {
                .id = "timeout-order",
                .level = HAZARD_WARN,
                .engine = ENGINE_POSTGRES,
                .title = "a lock_timeout that is not below statement_timeout never strikes",
                .why = "The statement is ended by statement_timeout first, with another error, "
                       "which nobody tries again.",
                .fix = "Make lock_timeout the shorter one.",
                .example = "SET statement_timeout TO '2s';\n"
                           "SET lock_timeout TO '5s';",
                .safe = "SET statement_timeout TO '5s';\n"
                        "SET lock_timeout TO '1s';",
                .sources = "runtime-config-client.html",
            },
        .check = check_order,
        .node = PG_QUERY__NODE__NODE_VARIABLE_SET_STMT,
    },
    {
        .rule =
            {
                .id = "missing-idle-timeout",
                .level = HAZARD_OFF,
                .engine = ENGINE_POSTGRES,
                .title = "no limit for a session that is idle in its transaction",
                .why = "When the client hangs between two statements, its locks stay. The "
                       "runner sends a transaction without pauses and has the server look for "
                       "its connection.",
                .fix = "SET idle_in_transaction_session_timeout TO '10s'; transaction_timeout "
                       "from 17 on.",
                .example = "ALTER TABLE orders ADD COLUMN note text;",
                .safe = "SET idle_in_transaction_session_timeout TO '10s';\n"
                        "ALTER TABLE orders ADD COLUMN note text;",
                .sources = "runtime-config-client.html",
            },
        .check_end = end_idle,
    },
    {
        .rule =
            {
                .id = "missing-application-name",
                .level = HAZARD_OFF,
                .engine = ENGINE_POSTGRES,
                .title = "nothing in pg_stat_activity tells which migration runs",
                .why = "Who looks for what holds a lock at night finds a name, or does not. The "
                       "runner sets its own.",
                .fix = "Leave it to the runner; elsewhere SET application_name.",
                .example = "ALTER TABLE orders ADD COLUMN note text;",
                .safe = "SET application_name TO 'add note';",
                .sources = "runtime-config-logging.html",
            },
        .check_end = end_application_name,
    },
    {
        .rule =
            {
                .id = "statement-timeout-kills-concurrent-build",
                .level = HAZARD_WARN,
                .engine = ENGINE_POSTGRES,
                .title = "statement_timeout ends a concurrent build and leaves an INVALID index",
                .why = "CREATE INDEX CONCURRENTLY waits for old transactions and reads the "
                       "table twice. When the limit strikes, an INVALID index is left, which "
                       "costs every write and helps no query.",
                .fix = "SET statement_timeout TO 0 around it: it stops nobody. Drop what a "
                       "failed build has left.",
                .example = "SET statement_timeout TO '5s';\n"
                           "CREATE INDEX CONCURRENTLY orders_user ON orders (user_id);",
                .safe = "SET statement_timeout TO 0;\n"
                        "CREATE INDEX CONCURRENTLY orders_user ON orders (user_id);",
                .sources = "sql-createindex.html",
            },
        .check = check_kills_build,
    },
};
const struct rule_table rules_session = {rows, ARRAY_LEN(rows)};
