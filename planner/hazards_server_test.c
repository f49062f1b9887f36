/* The cases of testdata/hazards are SQL that a server accepts: schema.sql, and behind it bad.sql or good.sql.
   */
#include "core/base/fs.h"
#include "core/model/script.h"
#include "drivers/testkit/pg_cluster.h"
#include "planner/postgres/cut.h"
#include "planner/rules.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
// cmocka.h wants the headers above it.
#include <cmocka.h>

#define CASES "testdata/hazards"

static struct pg_cluster *cluster;

static struct str read_file(struct arena *a, const char *id, const char *name)
{
    SCOPED(fail) struct fail f = FAIL_NONE;
    struct str text;
    const char *path = arena_printf(a, "%s/%s/%s", CASES, id, name);
    if (!fs_exists(path))
        return STR("");
    if (!fs_read(a, path, (size_t)1 << 20, &text, &f))
        fail_msg("%s", f.message);
    return text;
}

/* One statement at a time, each in a session of its own. False at the first that fails. */
static bool run(struct arena *a, const char *database, const char *id, const char *name)
{
    SCOPED(fail) struct fail f = FAIL_NONE;
    const struct script_context how = {.dialect = &postgres_dialect};
    SCOPED(script)
    struct script *script = script_open_memory(read_file(a, id, name), STR("case.sql"), &how);
    struct script_batch batch = {.count = 1};
    while (batch.count) {
        if (!script_next(script, &batch, &f))
            fail_msg("%s/%s: %s", id, name, f.message);
        for (size_t i = 0; i < batch.count; i++) {
            const char *sql = arena_cstr(a, batch.statements[i].text);
            if (strncmp(sql, "LOCK", 4) == 0)
                sql = arena_printf(a, "BEGIN; %s; COMMIT", sql);
            const char *answer = pg_cluster_query(cluster, database, sql);
            if (strncmp(answer, "ERROR:", 6) == 0) {
                print_error("%s/%s: %s\n    %s\n", id, name, answer, sql);
                return false;
            }
        }
    }
    return true;
}

static bool has_option(struct str options, const char *name)
{
    return str_find(options, str_of(name)) != SIZE_MAX;
}

/* Versions that the server at hand is not, and what it cannot run, are left out. */
static bool is_run(struct str options)
{
    size_t version = str_find(options, STR("version "));
    if (has_option(options, "unreal") || has_option(options, "unreported") ||
        has_option(options, "unchecked"))
        return false;
    if (version == SIZE_MAX)
        return true;
    struct str number = str_skip(options, version + strlen("version "));
    uint64_t wanted = 0;
    for (size_t i = 0; i < number.len && char_is_digit(number.at[i]); i++)
        wanted = wanted * 10 + (uint64_t)(number.at[i] - '0');
    uint64_t major = (uint64_t)pg_cluster_version(cluster) / 10000;
    return wanted < 12 || (wanted <= major && wanted != 14);
}

static void empty_database(const char *database)
{
    pg_cluster_execute(cluster, database,
                       "SET client_min_messages TO warning;"
                       "DROP PUBLICATION IF EXISTS crm, crm_2;"
                       "DROP SCHEMA IF EXISTS public, shop, store, archive, archive_2, reports, "
                       "extensions CASCADE;"
                       "CREATE SCHEMA public");
}

static bool run_case(struct arena *a, const char *id)
{
    static const char database[] = "hazards";
    struct str options = read_file(a, id, "options");
    if (!is_run(options))
        return true;
    bool is_good = true;
    if (!has_option(options, "fails")) {
        empty_database(database);
        is_good = run(a, database, id, "schema.sql") && run(a, database, id, "bad.sql");
    }
    empty_database(database);
    return run(a, database, id, "schema.sql") && run(a, database, id, "good.sql") && is_good;
}

static void every_case_is_accepted_by_a_server(void **state)
{
    (void)state;
    size_t count;
    size_t wrong = 0;
    const struct hazard_rule *const *rules = hazard_rules(&count);
    (void)pg_cluster_database(cluster, "hazards");
    pg_cluster_execute(cluster, "hazards", "CREATE ROLE intern");
    pg_cluster_execute(cluster, "hazards", "CREATE ROLE shop");
    for (size_t i = 0; i < count; i++) {
        SCOPED(arena) struct arena *a = arena_make();
        if (rules[i]->engine == ENGINE_POSTGRES)
            wrong += !run_case(a, rules[i]->id);
    }
    assert_int_equal(wrong, 0);
}

static int start_cluster(void **state)
{
    (void)state;
    cluster = pg_cluster_start(NULL);
    return 0;
}

static int stop_cluster(void **state)
{
    (void)state;
    pg_cluster_stop(cluster);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_case_is_accepted_by_a_server)};
    return cmocka_run_group_tests(tests, start_cluster, stop_cluster);
}
