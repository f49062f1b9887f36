/* Rules about the plan as a whole, the history, and what only a target can tell. */
#include "planner/postgres/rules_support.h"

/* ---- sizes ---- */

static void see_space(struct rule_subject *s, const struct effect_object *what, bool is_index)
{
    enum { LARGE = 1 << 30 };
    const struct catalog_relation *r = what->object;
    const struct catalog_relation *table = is_index && r && r->index ? r->index->table : r;
    if (table && table->size_bytes >= LARGE)
        rule_report(s, table,
                    "up to %lld MB more are needed while it runs: %.*s is written once more",
                    (long long)(table->size_bytes >> 20), STR_ARG(what->relation));
}

static void check_space(struct rule_subject *s)
{
    for (size_t i = 0; i < s->effects->rewrites.count; i++)
        see_space(s, &s->effects->rewrites.at[i], false);
    for (size_t i = 0; !s->effects->rewrites.count && i < s->effects->builds.count; i++)
        see_space(s, &s->effects->builds.at[i], true);
}

static void check_standby(struct rule_subject *s)
{
    for (size_t i = 0; i < s->effects->rewrites.count; i++) {
        const struct effect_object *rewrite = &s->effects->rewrites.at[i];
        if (!rule_is_new(s, rewrite->object) && !rule_is_temporary(rewrite->object))
            rule_report(s, rewrite->object,
                        "all of %.*s goes to the replicas, and their queries of it are "
                        "cancelled or hold the replay up",
                        STR_ARG(rewrite->relation));
    }
}

static void check_analyze(struct rule_subject *s)
{
    for (size_t i = 0; i < s->effects->rewrites.count; i++) {
        const struct effect_object *rewrite = &s->effects->rewrites.at[i];
        if (!rule_is_new(s, rewrite->object) && !rule_is_temporary(rewrite->object))
            rule_report(s, rewrite->object,
                        "statistics of what was changed in %.*s are missing until "
                        "ANALYZE",
                        STR_ARG(rewrite->relation));
    }
}

/* ---- sequences and indexes of the target ---- */

static int64_t sequence_limit(const struct type_ref *type)
{
    if (str_equal(type->builtin, STR("int2")))
        return INT16_MAX;
    return str_equal(type->builtin, STR("int4")) ? INT32_MAX : INT64_MAX;
}

static void see_sequence(struct rule_subject *s, const struct catalog_relation *table,
                         const struct catalog_column *column)
{
    const struct catalog_relation *r = column->sequence;
    if (!r || r->is_dropped || !r->sequence || r->sequence->last_value <= 0)
        return;
    int64_t limit = sequence_limit(&r->sequence->type);
    if (sequence_limit(&column->type) < limit)
        limit = sequence_limit(&column->type);
    if (r->sequence->last_value > limit / 2)
        rule_report_line(s, rule_line_of(s, table), r, "%.*s has used %lld %% of its numbers",
                         STR_ARG(r->name), (long long)(r->sequence->last_value / (limit / 100)));
}

static void end_overflow(struct rule_subject *s)
{
    const struct file_state *state = rule_state(s);
    for (size_t i = 0; i < state->touched.count; i++) {
        const struct catalog_relation *table = state->touched.at[i];
        for (size_t n = 0; n < table->columns.count; n++)
            see_sequence(s, table, table->columns.at[n]);
    }
}

/* Indexes that are older than the file, of tables that it touches. */
typedef void index_visitor(struct rule_subject *s, const struct catalog_relation *index);

static void each_index(struct rule_subject *s, index_visitor *visit)
{
    const struct file_state *state = rule_state(s);
    for (size_t i = 0; i < state->touched.count; i++) {
        const struct catalog_relation *table = state->touched.at[i];
        for (size_t n = 0; n < table->indexes.count; n++) {
            const struct catalog_relation *index = table->indexes.at[n];
            if (!index->is_dropped && index->kind == RELATION_INDEX && !rule_is_new(s, index))
                visit(s, index);
        }
    }
}

static void see_invalid(struct rule_subject *s, const struct catalog_relation *index)
{
    if (!index->index->is_valid)
        rule_report_line(s, rule_line_of(s, index->index->table), index,
                         "index %.*s is INVALID: it costs every write and helps no query",
                         STR_ARG(catalog_relation_text(s->a, index)));
}

static void end_invalid(struct rule_subject *s)
{
    each_index(s, see_invalid);
}

static void see_unused(struct rule_subject *s, const struct catalog_relation *index)
{
    if (index->index->scans == 0 && !index->index->is_unique)
        rule_report_line(s, rule_line_of(s, index->index->table), index,
                         "index %.*s was never used since the statistics began",
                         STR_ARG(catalog_relation_text(s->a, index)));
}

static void end_unused(struct rule_subject *s)
{
    each_index(s, see_unused);
}

/* ---- files ---- */

static void end_too_large(struct rule_subject *s)
{
    enum { MANY = 1000 };
    if (s->file->statements > MANY)
        rule_report_line(s, 1, NULL, "the file has %zu statements", s->file->statements);
}

static void see_unknown_drop(struct rule_subject *s, const struct rule_drop *d)
{
    if (!d->relation)
        rule_report_at(s, &d->about, "no later statement brings the rows of %.*s back",
                       STR_ARG(d->about.name));
}

static void check_irreversible(struct rule_subject *s)
{
    rule_each_dropped(s, PG_QUERY__OBJECT_TYPE__OBJECT_TABLE, see_unknown_drop);
    for (size_t i = 0; i < s->effects->losses.count; i++) {
        const struct effect_loss *loss = &s->effects->losses.at[i];
        if (loss->kind != LOSS_DATA || rule_is_new(s, loss->object) ||
            rule_is_temporary(loss->object))
            continue;
        rule_report(s, loss->object, "no later statement brings the values of %.*s back",
                    STR_ARG(loss->what));
        return;
    }
}

/* Pairs of tables in the order in which a transaction locks them. */
static void check_order(struct rule_subject *s)
{
    const struct file_state *state = rule_state(s);
    const struct lock_pair *other = file_state_opposite(state, s);
    if (other)
        rule_report(s, NULL, "%.*s is locked behind %.*s here, and before it in %.*s:%u",
                    STR_ARG(other->first), STR_ARG(other->second), STR_ARG(other->path),
                    other->line);
}

static const struct rule_row rows[] = {
    {
        .rule =
            {
                .id = "deadlock-order",
                .level = HAZARD_NOTE,
                .engine = ENGINE_POSTGRES,
                .title = "two migrations lock the same tables in different orders",
                .why = "Where both run at the same time, or application code locks in the order "
                       "of one of them, each waits for the other: the server ends one of them "
                       "after deadlock_timeout.",
                .fix = "Lock tables in one fixed order everywhere, such as by name.",
                .example = "BEGIN;\n"
                           "ALTER TABLE users ADD COLUMN a int;\n"
                           "ALTER TABLE orders ADD COLUMN a int;\n"
                           "COMMIT;\n"
                           "BEGIN;\n"
                           "ALTER TABLE orders ADD COLUMN b int;\n"
                           "ALTER TABLE users ADD COLUMN b int;\n"
                           "COMMIT;",
                .safe = "BEGIN;\n"
                        "ALTER TABLE orders ADD COLUMN a int;\n"
                        "ALTER TABLE users ADD COLUMN a int;\n"
                        "COMMIT;\n"
                        "BEGIN;\n"
                        "ALTER TABLE orders ADD COLUMN b int;\n"
                        "ALTER TABLE users ADD COLUMN b int;\n"
                        "COMMIT;",
                .sources = "explicit-locking.html#LOCKING-DEADLOCKS",
            },
        .check = check_order,
    },
    {
        .rule =
            {
                .id = "disk-space",
                .level = HAZARD_WARN,
                .engine = ENGINE_POSTGRES,
                .title = "a rewrite or an index build needs as much room again",
                .why = "The new table or index is written beside the old one, which is removed "
                       "at COMMIT. A full disk stops the server. Sizes are in the catalog of a "
                       "live target and of a snapshot; without one this is not reported.",
                .fix = "Look at the free space first; an index build also sorts in temporary "
                       "files.",
                .example = "ALTER TABLE big ALTER COLUMN total TYPE bigint;",
                .sources = "sql-altertable.html; sql-createindex.html",
            },
        .check = check_space,
    },
    {
        .rule =
            {
                .id = "standby-conflict",
                .level = HAZARD_NOTE,
                .engine = ENGINE_POSTGRES,
                .exemptions = EXEMPT_NEW | EXEMPT_EMPTY | EXEMPT_SMALL,
                .title = "a rewrite goes to all replicas, and conflicts with their queries",
                .why = "The whole new table is in the log. On a standby the ACCESS EXCLUSIVE "
                       "lock is replayed too: queries there are cancelled after "
                       "max_standby_streaming_delay, or hold the replay up that long.",
                .fix = "Avoid the rewrite. Otherwise do it when the lag of the replicas does "
                       "not matter.",
                .example = "ALTER TABLE orders ALTER COLUMN total TYPE bigint;",
                .safe = "ALTER TABLE orders ADD COLUMN total_2 bigint;",
                .sources = "hot-standby.html#HOT-STANDBY-CONFLICT",
            },
        .check = check_standby,
    },
    {
        .rule =
            {
                .id = "analyze-after",
                .level = HAZARD_NOTE,
                .engine = ENGINE_POSTGRES,
                .exemptions = EXEMPT_NEW | EXEMPT_EMPTY | EXEMPT_SMALL,
                .title = "statistics are missing after a rewrite",
                .why = "A column that changes its type, and indexes over expressions, have no "
                       "statistics until ANALYZE or autovacuum has been there: plans may be bad "
                       "meanwhile.",
                .fix = "ANALYZE the table behind it.",
                .example = "ALTER TABLE orders ALTER COLUMN total TYPE bigint;",
                .safe = "ALTER TABLE orders ALTER COLUMN total TYPE bigint;\n"
                        "ANALYZE orders;",
                .sources = "sql-analyze.html; tablecmds.c: ATExecAlterColumnType()",
            },
        .check = check_analyze,
    },
    {
        .rule =
            {
                .id = "serial-key-overflow",
                .level = HAZARD_WARN,
                .engine = ENGINE_POSTGRES,
                .title = "a sequence has used half of its numbers",
                .why = "At the end nextval(), or the column, fails, and with it every INSERT. "
                       "The last value is in the catalog of a live target and of a snapshot; "
                       "without one this is not reported.",
                .fix = "Begin to widen the key to bigint now: a new column, filled in batches.",
                .example = "ALTER TABLE hits ADD COLUMN note text;",
                .sources = "datatype-numeric.html",
            },
        .check_end = end_overflow,
    },
    {
        .rule =
            {
                .id = "invalid-index-present",
                .level = HAZARD_WARN,
                .engine = ENGINE_POSTGRES,
                .title = "a table that the migration touches has an INVALID index",
                .why = "A CREATE INDEX CONCURRENTLY that failed has left it: each write keeps "
                       "it up to date, no query uses it, and a unique one may still refuse "
                       "rows. Reported where the catalog of the target, or a snapshot, tells.",
                .fix = "DROP INDEX CONCURRENTLY, and build it again.",
                .example = "ALTER TABLE orders ADD COLUMN note text;",
                .sources = "sql-createindex.html",
            },
        .check_end = end_invalid,
    },
    {
        .rule =
            {
                .id = "unused-index",
                .level = HAZARD_OFF,
                .engine = ENGINE_POSTGRES,
                .title = "a table that the migration touches has an index that nobody uses",
                .why = "It costs every write. Look at replicas too, whose counters are their "
                       "own. Reported where the catalog of the target, or a snapshot, tells.",
                .fix = "DROP INDEX CONCURRENTLY when it has not been used for some weeks.",
                .example = "ALTER TABLE orders ADD COLUMN note text;",
                .sources = "monitoring-stats.html",
            },
        .check_end = end_unused,
    },
    {
        .rule =
            {
                .id = "file-too-large",
                .level = HAZARD_OFF,
                .engine = ENGINE_POSTGRES,
                .title = "a file with very many statements",
                .why = "It takes long, fails late, and nobody reads it.",
                .fix = "Split it; load rows with COPY.",
                .example = "SELECT 1;",
                .safe = "SELECT 1;",
                .sources = "house rule",
            },
        .check_end = end_too_large,
    },
    {
        .rule =
            {
                .id = "irreversible-migration",
                .level = HAZARD_OFF,
                .engine = ENGINE_POSTGRES,
                .title = "a migration cannot be undone",
                .why = "Values that are dropped or truncated come back from a backup only.",
                .fix = "Keep a copy in a table of its own for some releases.",
                .example = "ALTER TABLE customers DROP COLUMN fax;",
                .sources = "sql-altertable.html",
            },
        .check = check_irreversible,
    },
    {
        .rule =
            {
                .id = "schema-drift",
                .level = HAZARD_WARN,
                .engine = ENGINE_POSTGRES,
                .title = "the target's schema is not the one that the migrations make",
                .why = "Somebody changed it by hand; the next migration meets objects that no "
                       "file tells of. It shows as missing-object and duplicate-object when a "
                       "plan is made against the target; a comparison of both as a whole is not "
                       "made by `migrate plan`.",
                .fix = "Write the difference as a migration, and record it as applied where it "
                       "is already there.",
                .example = "SELECT 1;",
                .sources = "core/model/catalog.h",
            },
    },
    {
        .rule =
            {
                .id = "unused-suppression",
                .level = HAZARD_WARN,
                .engine = ENGINE_POSTGRES,
                .title = "an allow directive hits nothing",
                .why = "The statement was changed, or the hazard is not found any more: the "
                       "directive would hide the next one unseen. Reported by the planner "
                       "behind the other rules.",
                .fix = "Remove the directive.",
                .example = "-- migrate: allow drop-table reason=\"not used any more\"\n"
                           "SELECT 1;",
                .sources = "core/model/directive.h",
            },
    },
};
const struct rule_table rules_history = {rows, ARRAY_LEN(rows)};
