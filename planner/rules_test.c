/* Exemptions that the catalog proves, levels that the policy sets, ids that are mistyped. */
#include "planner/rules.h"

#include "core/base/vec.h"
#include "core/model/script.h"
#include "planner/postgres/analysis.h"
#include "planner/postgres/cut.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
// cmocka.h wants the headers above it.
#include <cmocka.h>

/* What is known of table t, and what becomes of a finding about it. */
struct exemption_case {
    const char *sql;
    const char *id;
    enum catalog_source source;
    enum row_state rows;
    double estimate;
    bool is_made_before;     /* by an earlier migration of the plan */
    enum hazard_level level; /* OFF: it is silent */
};

#define SCANS "ALTER TABLE t ALTER COLUMN n SET NOT NULL"
#define REWRITES "ALTER TABLE t ALTER COLUMN n TYPE bigint"

static const struct exemption_case cases[] = {
    {SCANS, "set-not-null-scan", CATALOG_LIVE, ROWS_UNKNOWN, -1, false, HAZARD_BLOCK},
    {SCANS, "set-not-null-scan", CATALOG_LIVE, ROWS_SOME, 5e6, false, HAZARD_BLOCK},
    {SCANS, "set-not-null-scan", CATALOG_LIVE, ROWS_SOME, 500, false, HAZARD_WARN},
    {SCANS, "set-not-null-scan", CATALOG_LIVE, ROWS_NONE, 0, false, HAZARD_OFF},
    {SCANS, "set-not-null-scan", CATALOG_LIVE, ROWS_NONE, -1, true, HAZARD_OFF},
    /* Offline nobody knows whether the earlier migration has run long ago. */
    {SCANS, "set-not-null-scan", CATALOG_EMPTY, ROWS_NONE, -1, true, HAZARD_BLOCK},
    {REWRITES, "alter-type-rewrite", CATALOG_SNAPSHOT, ROWS_SOME, 10000, false, HAZARD_WARN},
    {REWRITES, "alter-type-rewrite", CATALOG_SNAPSHOT, ROWS_SOME, 10001, false, HAZARD_BLOCK},
    /* Loss of data and compatibility are never lowered by size. */
    {"DROP TABLE t", "drop-table", CATALOG_LIVE, ROWS_NONE, 0, false, HAZARD_BLOCK},
    {"DROP TABLE t", "drop-table", CATALOG_LIVE, ROWS_SOME, 5, false, HAZARD_BLOCK},
    {"ALTER TABLE t RENAME n TO m", "rename-column", CATALOG_LIVE, ROWS_NONE, 0, false,
     HAZARD_BLOCK},
};

static void run(struct arena *a, struct postgres_analysis *p, const char *sql, bool is_schema,
                struct analysis *out)
{
    SCOPED(fail) struct fail f = FAIL_NONE;
    const struct script_context how = {.dialect = &postgres_dialect, .wants_analysis = true};
    SCOPED(script) struct script *script = script_open_memory(str_of(sql), STR("t.sql"), &how);
    struct script_batch batch;
    if (!script_next(script, &batch, &f))
        fail_msg("%s", f.message);
    for (size_t i = 0; i < batch.count; i++) {
        if (is_schema)
            postgres_analysis_fold(p, &batch.statements[i]);
        else
            postgres_analysis_statement(a, p, &batch.statements[i], out);
    }
}

static const struct hazard *find(const struct analysis *found, const char *id)
{
    for (size_t i = 0; i < found->hazards.count; i++) {
        if (strcmp(found->hazards.at[i].rule->id, id) == 0)
            return &found->hazards.at[i];
    }
    return NULL;
}

static struct postgres_analysis *prepare(struct arena *a, const struct exemption_case *c,
                                         const struct hazard_policy *policy)
{
    struct analysis ignored;
    struct postgres_analysis *p = postgres_analysis_open(a, NULL, 160000, policy);
    struct catalog *catalog = postgres_analysis_catalog(p);
    if (c->is_made_before)
        postgres_analysis_migration(p, STR("1.sql"), TRANSACTION_AUTO);
    run(a, p, "CREATE TABLE t (id bigint PRIMARY KEY, n int);", !c->is_made_before, &ignored);
    catalog->source = c->source;
    struct catalog_relation *t = catalog_find_relation(catalog, STR("public"), STR("t"));
    t->rows = c->rows;
    t->row_estimate = c->estimate;
    postgres_analysis_migration(p, STR("2.sql"), TRANSACTION_AUTO);
    return p;
}

static void the_catalog_lowers_what_it_proves_harmless(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct exemption_case *c = &cases[i];
        SCOPED(arena) struct arena *a = arena_make();
        SCOPED(postgres_analysis) struct postgres_analysis *p = prepare(a, c, NULL);
        struct analysis found;
        run(a, p, c->sql, false, &found);
        const struct hazard *h = find(&found, c->id);
        enum hazard_level level = h ? h->level : HAZARD_OFF;
        if (level != c->level)
            fail_msg("case %zu: %s: %s is %s, not %s", i, c->sql, c->id, hazard_level_name(level),
                     hazard_level_name(c->level));
        if (h && level != h->rule->level)
            assert_non_null(h->exempted_by);
    }
}

static void the_policy_has_the_last_word_but_for_exemptions(void **state)
{
    (void)state;
    SCOPED(arena) struct arena *a = arena_make();
    struct hazard_policy policy = {0};
    static const struct hazard_setting settings[] = {
        {{"rename-column", 13}, HAZARD_OFF},
        {{"rename-column", 13}, HAZARD_NOTE}, /* the last one counts */
        {{"unqualified-name", 16}, HAZARD_BLOCK},
    };
    for (size_t i = 0; i < ARRAY_LEN(settings); i++)
        vec_push(a, &policy.settings, settings[i]);
    const struct exemption_case c = {.source = CATALOG_LIVE, .rows = ROWS_SOME, .estimate = -1};
    SCOPED(postgres_analysis) struct postgres_analysis *p = prepare(a, &c, &policy);
    struct analysis found;
    run(a, p, "ALTER TABLE t RENAME n TO m", false, &found);
    assert_int_equal(find(&found, "rename-column")->level, HAZARD_NOTE);
    run(a, p, "ALTER TABLE t ADD COLUMN x int", false, &found);
    assert_int_equal(find(&found, "unqualified-name")->level, HAZARD_BLOCK);
}

static void a_mistyped_id_finds_its_like(void **state)
{
    (void)state;
    assert_string_equal(hazard_rule_like(STR("drop-tabel")), "drop-table");
    assert_string_equal(hazard_rule_like(STR("set-not-null-sc")), "set-not-null-scan");
    assert_null(hazard_rule_like(STR("zzzzzzzzzzzzzzzzzzzzzzzzzzzzz")));
    assert_null(hazard_rule_find(STR("drop-tabel")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_catalog_lowers_what_it_proves_harmless),
        cmocka_unit_test(the_policy_has_the_last_word_but_for_exemptions),
        cmocka_unit_test(a_mistyped_id_finds_its_like),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
