/*
 * testdata/hazards/sqlite-…/, and testdata/hazards/<id>/sqlite/ for ids shared with PostgreSQL: bad.sql
 * raises exactly what expect.json lists, good.sql nothing of that id; on the text alone, with schema.sql as
 * an earlier migration, and with the schema of a database file that schema.sql and rows.sql have made. Both
 * then run on that file, and SQLite does what is claimed. MIGRATE_ACCEPT=1 writes expect.json anew: look at
 * the difference.
 *
 * options, one in a line:
 *   version 3.30          of the SQLite that reads the database
 *   needs schema [good]   bad raises it (good does not) only where the schema is known
 *   needs live            only where all of it is known
 *   keys on               foreign keys are enforced while bad runs
 *   fails WORDS           SQLite refuses bad, with rows, in these words …
 *   empty passes          … and takes it without rows
 *   later SQL => TEXT     behind bad, this gives that value, or an error with these words
 */
#include "planner/planner.h"

#include "core/base/buf.h"
#include "core/base/fs.h"
#include "core/base/vec.h"
#include "drivers/testkit/fixture.h"
#include "planner/sqlite/cut.h"
#include "planner/sqlite/rules_tables.h"

#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
// cmocka.h wants the headers above it.
#include <cmocka.h>

enum mode { MODE_TEXT, MODE_FOLDED, MODE_LIVE, MODE_MAX };
static const char *const mode_names[] = {"text", "folded", "live"};

struct hazard_case {
    struct arena *a;
    const char *id;
    const char *directory;
    struct str options;
};

static struct str content(const struct hazard_case *c, const char *name)
{
    SCOPED(fail) struct fail f = FAIL_NONE;
    const char *path = arena_printf(c->a, "%s/%s", c->directory, name);
    struct str text = STR("");
    if (fs_exists(path) && !fs_read(c->a, path, (size_t)1 << 20, &text, &f))
        fail_msg("%s", f.message);
    return text;
}

static struct hazard_case case_of(struct arena *a, const char *id)
{
    bool is_ours = str_starts(str_of(id), STR("sqlite-"));
    struct hazard_case c = {
        .a = a,
        .id = id,
        .directory = arena_printf(a, "testdata/hazards/%s%s", id, is_ours ? "" : "/sqlite"),
    };
    c.options = content(&c, "options");
    return c;
}

/* What stands behind an option; at == NULL: it is not there. */
static struct str option(const struct hazard_case *c, const char *name)
{
    struct str rest = c->options;
    while (rest.len) {
        struct str line;
        rest = str_cut_line(rest, &line);
        if (str_starts(line, str_of(name)))
            return str_trim(str_skip(line, strlen(name)));
    }
    return (struct str){0};
}

static bool has(const struct hazard_case *c, const char *name)
{
    return option(c, name).at != NULL;
}

/* ---- a real database ---- */

static sqlite3 *open_database(const struct hazard_case *c, bool has_rows)
{
    sqlite3 *db = NULL;
    const char *directory = fixture_directory();
    const char *path = arena_printf(c->a, "%s/%s.db", directory, c->id);
    fixture_remove(path);
    if (sqlite3_open(path, &db) != SQLITE_OK)
        fail_msg("%s", path);
    (void)sqlite3_exec(db, "PRAGMA synchronous = OFF", NULL, NULL, NULL);
    const char *schema = arena_cstr(c->a, content(c, "schema.sql"));
    const char *rows = arena_cstr(c->a, content(c, "rows.sql"));
    if (sqlite3_exec(db, schema, NULL, NULL, NULL) != SQLITE_OK ||
        (has_rows && sqlite3_exec(db, rows, NULL, NULL, NULL) != SQLITE_OK))
        fail_msg("%s: %s", c->id, sqlite3_errmsg(db));
    if (has(c, "keys on"))
        (void)sqlite3_exec(db, "PRAGMA foreign_keys = ON", NULL, NULL, NULL);
    return db;
}

/* NULL: it ran. */
static const char *run(const struct hazard_case *c, sqlite3 *db, const char *file)
{
    const char *sql = arena_cstr(c->a, content(c, file));
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK)
        return NULL;
    return arena_cstr(c->a, str_of(sqlite3_errmsg(db)));
}

/* The first value that a statement gives, or its error. */
static struct str answer(const struct hazard_case *c, sqlite3 *db, struct str sql)
{
    sqlite3_stmt *q = NULL;
    struct str text;
    int code = sqlite3_prepare_v2(db, sql.at, (int)sql.len, &q, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_step(q);
    if (code == SQLITE_ROW)
        text = arena_str(c->a, str_of((const char *)sqlite3_column_text(q, 0)));
    else
        text = code == SQLITE_DONE ? STR("") : arena_str(c->a, str_of(sqlite3_errmsg(db)));
    (void)sqlite3_finalize(q);
    return text;
}

static void check_later(const struct hazard_case *c, sqlite3 *db)
{
    struct str later = option(c, "later");
    if (!later.at)
        return;
    size_t arrow = str_find(later, STR("=>"));
    struct str wanted = str_trim(str_skip(later, arrow + 2));
    struct str got = answer(c, db, (struct str){later.at, arrow});
    bool is_same = wanted.len ? str_find(got, wanted) != SIZE_MAX : got.len == 0;
    if (!is_same)
        fail_msg("%s: %.*s: %.*s", c->id, STR_ARG(later), STR_ARG(got));
}

static void check_claims(const struct hazard_case *c)
{
    sqlite3 *db = open_database(c, true);
    const char *error = run(c, db, "bad.sql");
    struct str words = option(c, "fails");
    if (!words.at == (error != NULL))
        fail_msg("%s: bad.sql: %s", c->id, error ? error : "it runs");
    if (words.at && str_find(str_of(error), words) == SIZE_MAX)
        fail_msg("%s: bad.sql: %s", c->id, error);
    check_later(c, db);
    (void)sqlite3_close(db);
    db = open_database(c, false);
    error = run(c, db, "bad.sql");
    if (has(c, "empty passes") && error)
        fail_msg("%s: bad.sql, without rows: %s", c->id, error);
    (void)sqlite3_close(db);
    db = open_database(c, true);
    error = run(c, db, "good.sql");
    if (error)
        fail_msg("%s: good.sql: %s", c->id, error);
    (void)sqlite3_close(db);
}

/* ---- the plan ---- */

static const struct migration *migration_of(const struct hazard_case *c, const char *file,
                                            const char *version)
{
    struct migration *m = arena_new(c->a, struct migration);
    struct str text = content(c, file);
    const char *path = arena_printf(c->a, "%s/%s", c->directory, file);
    *m = (struct migration){
        .version = str_of(version),
        .kind = MIGRATION_VERSIONED,
        .path = str_of(path),
        .script = str_of(path),
        .up = {0, UINT64_MAX},
        .size_bytes = text.len,
        .checksums = {.raw = digest_of(text)},
    };
    return m;
}

struct texts {
    struct str *at;
    size_t count, room;
};

/* As drivers/sqlite/sql/schema_read.sql has it. */
static struct texts live_schema(const struct hazard_case *c)
{
    struct texts list = {0};
    sqlite3 *db = open_database(c, true);
    sqlite3_stmt *q = NULL;
    (void)sqlite3_prepare_v2(
        db, "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY rowid", -1, &q, NULL);
    while (sqlite3_step(q) == SQLITE_ROW)
        vec_push(c->a, &list, arena_str(c->a, str_of((const char *)sqlite3_column_text(q, 0))));
    (void)sqlite3_finalize(q);
    (void)sqlite3_close(db);
    if (!list.at)
        list.at = arena_new(c->a, struct str);
    return list;
}

struct id_list {
    const char **at;
    size_t count, room;
};

static int compare_texts(const void *left, const void *right)
{
    return strcmp(*(const char *const *)left, *(const char *const *)right);
}

static bool contains(const struct id_list *ids, const char *id)
{
    for (size_t i = 0; i < ids->count; i++) {
        if (strcmp(ids->at[i], id) == 0)
            return true;
    }
    return false;
}

static void add_ids(struct arena *a, const struct hazards *from, struct id_list *out)
{
    for (size_t i = 0; i < from->count; i++) {
        assert_int_equal(from->at[i].rule->engine, ENGINE_SQLITE);
        assert_true(from->at[i].message[0] && from->at[i].fix[0]);
        if (!contains(out, from->at[i].rule->id))
            vec_push(a, out, from->at[i].rule->id);
    }
}

static struct id_list find(const struct hazard_case *c, enum mode mode, const char *file)
{
    SCOPED(fail) struct fail f = FAIL_NONE;
    const struct migration *list[2];
    size_t count = 0;
    if (mode == MODE_FOLDED)
        list[count++] = migration_of(c, "schema.sql", "1");
    list[count++] = migration_of(c, file, "2");
    struct texts schema = {0};
    if (mode == MODE_LIVE)
        schema = live_schema(c);
    const struct plan_request request = {
        .migrations = list,
        .count = count,
        .dialect = &sqlite_dialect,
        .server_version = has(c, "version 3.30") ? 3030000 : 0,
        .wants_statements = true,
        .is_lenient = true,
        .schema_texts = schema.at,
        .schema_count = schema.count,
    };
    struct plan plan;
    struct id_list ids = {0};
    if (!plan_make(c->a, &request, &plan, &f))
        fail_msg("%s: %s: %s", c->id, file, f.message);
    const struct planned_migration *m = &plan.migrations[count - 1];
    for (size_t i = 0; i < m->statements.count; i++)
        add_ids(c->a, &m->statements.at[i].hazards, &ids);
    add_ids(c->a, &m->hazards, &ids);
    if (ids.count)
        qsort(ids.at, ids.count, sizeof(*ids.at), compare_texts);
    return ids;
}

/* ---- what is expected ---- */

static bool is_mode_used(const struct hazard_case *c, enum mode mode)
{
    return mode != MODE_FOLDED || content(c, "schema.sql").len;
}

static bool must_raise(const struct hazard_case *c, enum mode mode)
{
    if (has(c, "needs live"))
        return mode == MODE_LIVE;
    bool needs_schema = has(c, "needs schema") && !has(c, "needs schema good");
    return mode != MODE_TEXT || !needs_schema;
}

static const char *text_of_ids(struct arena *a, const struct id_list *ids)
{
    const char *text = "";
    for (size_t i = 0; i < ids->count; i++)
        text = arena_printf(a, "%s%s\"%s\"", text, i ? ", " : "", ids->at[i]);
    return arena_printf(a, "[%s]", text);
}

static const char *found_in_all(const struct hazard_case *c)
{
    const char *text = "{\n";
    for (enum mode mode = 0; mode < MODE_MAX; mode++) {
        if (!is_mode_used(c, mode))
            continue;
        struct id_list ids = find(c, mode, "bad.sql");
        text = arena_printf(c->a, "%s%s  \"%s\": %s", text, mode ? ",\n" : "", mode_names[mode],
                            text_of_ids(c->a, &ids));
    }
    return arena_printf(c->a, "%s\n}\n", text);
}

static unsigned check_modes(const struct hazard_case *c)
{
    unsigned wrong = 0;
    for (enum mode mode = 0; mode < MODE_MAX; mode++) {
        if (!is_mode_used(c, mode))
            continue;
        struct id_list bad = find(c, mode, "bad.sql");
        struct id_list good = find(c, mode, "good.sql");
        if (must_raise(c, mode) && !contains(&bad, c->id)) {
            print_error("%s: bad.sql does not raise it (%s)\n", c->id, mode_names[mode]);
            wrong++;
        }
        if (contains(&good, c->id) && (mode != MODE_TEXT || !has(c, "needs schema"))) {
            print_error("%s: good.sql raises it (%s)\n", c->id, mode_names[mode]);
            wrong++;
        }
    }
    return wrong;
}

static unsigned check_case(const struct hazard_case *c)
{
    if (!content(c, "bad.sql").len || !content(c, "good.sql").len) {
        print_error("%s: bad.sql or good.sql is not there\n", c->id);
        return 1;
    }
    const char *found = found_in_all(c);
    if (getenv("MIGRATE_ACCEPT"))
        fixture_write(c->directory, "expect.json", found);
    unsigned wrong = check_modes(c);
    if (!str_equal(content(c, "expect.json"), str_of(found))) {
        print_error("%s: bad.sql raises\n%s", c->id, found);
        wrong++;
    }
    return wrong;
}

/* ---- tests ---- */

static void for_each_row(void (*each)(const struct rule_row *row, void *context), void *context)
{
    for (size_t i = 0; i < sqlite_rule_table_count; i++) {
        for (size_t k = 0; k < sqlite_rule_tables[i]->count; k++)
            each(&sqlite_rule_tables[i]->rows[k], context);
    }
}

static void check_row(const struct rule_row *row, void *context)
{
    unsigned *wrong = context;
    SCOPED(arena) struct arena *a = arena_make();
    struct hazard_case c = case_of(a, row->rule.id);
    *wrong += check_case(&c);
}

static void every_rule_finds_its_bad_case_and_leaves_its_good_one(void **state)
{
    (void)state;
    unsigned wrong = 0;
    for_each_row(check_row, &wrong);
    assert_int_equal(wrong, 0);
}

static void claim_row(const struct rule_row *row, void *context)
{
    (void)context;
    SCOPED(arena) struct arena *a = arena_make();
    struct hazard_case c = case_of(a, row->rule.id);
    check_claims(&c);
}

static void sqlite_does_what_is_claimed(void **state)
{
    (void)state;
    for_each_row(claim_row, NULL);
}

static void check_texts(const struct rule_row *row, void *context)
{
    (void)context;
    const struct hazard_rule *r = &row->rule;
    assert_ptr_equal(hazard_rule_of(str_of(r->id), ENGINE_SQLITE), r);
    assert_non_null(hazard_rule_find(str_of(r->id)));
    if (!r->title[0] || !r->why[0] || !r->fix[0] || !r->example[0] || !r->sources[0])
        fail_msg("%s lacks a text", r->id);
    if (r->why[strlen(r->why) - 1] != '.' || r->fix[strlen(r->fix) - 1] != '.')
        fail_msg("%s: why and fix are whole sentences", r->id);
}

static void every_rule_says_what_why_and_what_to_do(void **state)
{
    (void)state;
    for_each_row(check_texts, NULL);
    assert_null(hazard_rule_of(STR("sqlite-rebuild-order"), ENGINE_POSTGRES));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_rule_says_what_why_and_what_to_do),
        cmocka_unit_test(every_rule_finds_its_bad_case_and_leaves_its_good_one),
        cmocka_unit_test(sqlite_does_what_is_claimed),
    };
    return cmocka_run_group_tests_name("planner/sqlite/rules", tests, NULL, NULL);
}
