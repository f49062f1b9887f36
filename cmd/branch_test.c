/*
 * Pull requests: repositories made by the git program as people make them, and what `migrate plan --base`
 * says of their branches in every form.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cmd/branch_testing.h"
#include "cmd/sarif_testing.h"
#include "core/base/json.h"

static void what_is_added_is_planned_over_what_is_merged(void **state)
{
    (void)state;
    const char *r = make_repository();
    fixture_write(r, "db/m/0003_wide.sql",
                  "-- migrate: as-written\nALTER TABLE users ALTER COLUMN age TYPE bigint;\n");
    commit(r, "Bea");
    struct said s = plan_in(r, PLAN);
    assert_ended(&s, 3);
    assert_says(s.out, "0003  wide  destructive  (db/m/0003_wide.sql)");
    assert_says(s.out, "age from integer to bigint"); /* which 0001 alone tells */
    assert_silent_on(s.out, "0001");
    assert_silent_on(s.out, "is merged");
    fixture_write(r, "db/m/0003_wide.sql", "CREATE TABLE t (id bigint PRIMARY KEY);\n");
    git_in(r, "commit -q --amend -a --no-edit --author='Bea <x@example.org>'");
    s = plan_in(r, PLAN);
    assert_ended(&s, 0);
}

static void nothing_added_is_nothing_to_do(void **state)
{
    (void)state;
    const char *r = make_repository();
    struct said s = plan_in(r, PLAN "--exit-code");
    assert_ended(&s, 0);
    assert_string_equal(s.out, "nothing to do: no migration is added to main\n");
    s = plan_in(r, PLAN "--format markdown");
    assert_says(s.out, "It adds no migration to `main`.");
}

static void a_directory_that_was_moved_is_asked_about(void **state)
{
    (void)state;
    const char *r = make_repository();
    git_in(r, "mv db/m db/n");
    commit(r, "Bea");
    struct said s = plan_in(r, "--base main --dir db/n --engine postgres");
    assert_says(s.err, "main has none of these migrations, so all count as new");
    assert_says(s.out, "2 migrations to run");
}

/* Exit 3 is never without a word. */
static void a_refusal_says_why_and_what_to_do(void **state)
{
    (void)state;
    const char *r = make_repository();
    fixture_write(r, "db/m/0003_drop.sql", "DROP TABLE users;\n");
    commit(r, "Bea");
    struct said s = plan_in(r, PLAN "-q");
    assert_ended(&s, 3);
    assert_says(s.err, "error: the gate would refuse this plan: 1 finding blocks\n"
                       "hint: Rewrite what blocks, or allow it in the file with a reason: "
                       "-- migrate: allow drop-table reason=\"…\"; ");
    assert_says(s.err, "exit 3: the gate refused\n");
    fixture_write(r, "db/m/0003_drop.sql",
                  "DO $$ BEGIN EXECUTE 'DROP TABLE ' || current_setting('x.y'); END $$;\n");
    commit(r, "Bea");
    s = plan_in(r, PLAN);
    assert_ended(&s, 3);
    assert_says(s.out, "  line 1: not looked into: EXECUTE of a text");
    assert_says(s.out, "1 warning, 1 migration could not be judged; plan ");
    assert_says(s.err, "a migration could not be judged\n");
    assert_says(s.err, "-- migrate: allow dynamic-sql reason=");
    s = plan_in(r, PLAN "--format markdown");
    assert_says(s.out, "### migrate: would be refused, as not all of it could be judged\n");
}

static void a_merged_file_that_was_edited_is_found_with_line_and_author(void **state)
{
    (void)state;
    const char *r = make_repository();
    fixture_write(r, "db/m/0001_users.sql",
                  "CREATE TABLE users (id int PRIMARY KEY, age int);\nSELECT 1;\n");
    commit(r, "Bea");
    struct said s = plan_in(r, PLAN "--format github");
    const char *id = git_in(r, "rev-parse --short=12 HEAD");
    assert_ended(&s, 3);
    assert_says(s.out, "::error file=db/m/0001_users.sql,line=2,col=1,title=edited-after-apply::");
    assert_says(s.out, fixture_text("(Bea in %.12s)", id));
    assert_silent_on(s.out, "0002_index.sql");
}

static void comments_and_line_ends_are_no_edit_that_blocks(void **state)
{
    (void)state;
    const char *r = make_repository();
    fixture_write(r, "db/m/0001_users.sql",
                  "-- people\nCREATE TABLE users (id int PRIMARY KEY, age int);\n");
    fixture_write(r, "db/m/0002_index.sql", "CREATE INDEX users_age ON users (age);\r\n");
    commit(r, "Bea");
    struct said s = plan_in(r, PLAN);
    assert_ended(&s, 0);
    assert_says(s.out, "note edited-after-apply: 0001 is merged to main and was edited since");
    assert_silent_on(s.out, "0002 is merged");
}

static void deleted_and_renamed_files_are_found(void **state)
{
    (void)state;
    const char *r = make_repository();
    git_in(r, "rm -q db/m/0001_users.sql");
    git_in(r, "mv db/m/0002_index.sql db/m/0007_index.sql");
    commit(r, "Bea");
    struct said s = plan_in(r, PLAN);
    assert_ended(&s, 3);
    assert_says(s.out, "0001 is merged to main and was deleted (Bea in ");
    assert_says(s.out, "this is db/m/0002_index.sql, merged to main, under another name");
    assert_silent_on(s.out, "0002 is merged to main and was deleted");
}

/* Two branches took 0003; one is merged. */
static const char *make_duplicate(void)
{
    const char *r = make_repository();
    fixture_write(r, "db/m/0003_mine.sql", "CREATE TABLE mine (id int PRIMARY KEY);\n");
    commit(r, "Bea");
    git_in(r, "checkout -q main");
    fixture_write(r, "db/m/0003_theirs.sql", "CREATE TABLE theirs (id int PRIMARY KEY);\n");
    commit(r, "Cyd");
    git_in(r, "checkout -q feature");
    return r;
}

static void a_version_that_was_taken_meanwhile_is_found(void **state)
{
    (void)state;
    const char *r = make_duplicate();
    struct said s = plan_in(r, PLAN);
    assert_ended(&s, 3);
    assert_says(s.out, "block duplicate-version: version 0003 is taken: main has "
                       "db/m/0003_theirs.sql (Cyd in ");
    assert_says(s.out, "at db/m/0003_mine.sql:1:1");
    /* In the merge that a forge checks out, both files are there. */
    git_in(r, "-c user.name=c -c user.email=c@example.org merge -q --no-edit main");
    s = plan_in(r, PLAN);
    assert_ended(&s, 3);
    assert_says(s.out, "version 0003 is taken: main has db/m/0003_theirs.sql");
    assert_silent_on(s.out, "(db/m/0003_theirs.sql)"); /* it is merged: not planned */
}

static void a_file_before_a_merged_one_is_a_warning(void **state)
{
    (void)state;
    const char *r = make_repository();
    fixture_write(r, "db/m/0003_mine.sql", "CREATE TABLE mine (id int PRIMARY KEY);\n");
    commit(r, "Bea");
    git_in(r, "checkout -q main");
    fixture_write(r, "db/m/0005_theirs.sql", "CREATE TABLE theirs (id int PRIMARY KEY);\n");
    commit(r, "Cyd");
    git_in(r, "checkout -q feature");
    struct said s = plan_in(r, PLAN);
    assert_ended(&s, 0);
    assert_says(s.out, "warn out-of-order-migration: 0003 sorts before db/m/0005_theirs.sql, which "
                       "is merged to main (Cyd in ");
}

static void what_the_base_did_alone_is_not_the_branchs_fault(void **state)
{
    (void)state;
    const char *r = make_repository();
    git_in(r, "checkout -q main");
    fixture_write(r, "db/m/0001_users.sql", "CREATE TABLE users (id int PRIMARY KEY, age text);\n");
    git_in(r, "rm -q db/m/0002_index.sql");
    commit(r, "Cyd");
    git_in(r, "checkout -q feature");
    struct said s = plan_in(r, PLAN);
    assert_ended(&s, 0);
    assert_string_equal(s.out, "nothing to do: no migration is added to main\n");
}

/* ---- what is on disk does not count ---- */

static void neither_a_dirty_tree_nor_crlf_changes_the_plan(void **state)
{
    (void)state;
    const char *r = make_repository();
    fixture_write(r, "db/m/0003_t.sql", "CREATE TABLE t (id int PRIMARY KEY);\n");
    commit(r, "Bea");
    struct said clean = plan_in(r, PLAN "--format json");
    assert_silent_on(clean.err, "not committed");
    fixture_write(r, "db/m/0003_t.sql", "DROP TABLE users;\r\n");
    fixture_write(r, "db/m/0004_u.sql", "DROP TABLE users;\n");
    struct said dirty = plan_in(r, PLAN "--format json");
    assert_string_equal(dirty.out, clean.out);
    assert_says(dirty.err, "db/m has changes that are not committed: planned is what is in HEAD");
    git_in(r, "checkout -q -- .");
    git_in(r, "clean -q -f");
    git_in(r, "config core.autocrlf true");
    git_in(r, "rm -q -r --cached .");
    git_in(r, "reset -q --hard");
    char *checked_out = fixture_read(fixture_path(r, "db/m/0003_t.sql"));
    assert_says(checked_out, "\r\n");
    free(checked_out);
    assert_string_equal(plan_in(r, PLAN "--format json").out, clean.out);
}

static void paths_are_those_of_the_repository_from_anywhere(void **state)
{
    (void)state;
    const char *r = make_repository();
    fixture_write(r, "db/m/0003_t.sql", "CREATE TABLE t (id int PRIMARY KEY);\n");
    commit(r, "Bea");
    const char *wanted = plan_in(r, PLAN).out;
    assert_says(wanted, "(db/m/0003_t.sql)");
    const char *below = fixture_path(r, "db");
    assert_string_equal(plan_in(below, "--base main --engine postgres --dir m").out, wanted);
    assert_string_equal(plan_in(below, "--base main --engine postgres --dir ./../db/m/").out,
                        wanted);
    const char *absolute = fixture_text("--base main --engine postgres --dir %s/db/m", r);
    assert_string_equal(plan_in("/", absolute).out, wanted);
    /* A commit that is not checked out, in a bare repository. */
    const char *bare = fixture_directory();
    git_in(r, fixture_text("clone -q --bare . %s/b.git", bare));
    assert_string_equal(plan_in(fixture_path(bare, "b.git"), PLAN "--rev feature").out, wanted);
    git_in(r, "checkout -q main");
    assert_string_equal(plan_in(r, PLAN "--rev feature").out, wanted);
}

static void the_configured_base_counts_with_rev(void **state)
{
    (void)state;
    const char *r = make_repository();
    fixture_write(r, "migrator.yml", "migrations: db/m\nbase: main\n");
    fixture_write(r, "db/m/0003_t.sql", "CREATE TABLE t (id int PRIMARY KEY);\n");
    commit(r, "Bea");
    struct said s = plan_in(r, "--engine postgres --rev HEAD");
    assert_ended(&s, 0);
    assert_says(s.out, "1 migration to run");
    s = plan_in(r, "--engine postgres --rev HEAD --base -");
    assert_says(s.out, "3 migrations to run");
    s = plan_in(r, "--engine postgres --rev main");
    assert_string_equal(s.out, "nothing to do: no migration is added to main\n");
}

static void a_schema_takes_the_place_of_what_is_merged(void **state)
{
    (void)state;
    const char *r = make_repository();
    fixture_write(r, "db/schema.sql", "CREATE TABLE other (age int);\n");
    fixture_write(r, "db/m/0003_t.sql", "ALTER TABLE other ALTER COLUMN age TYPE bigint;\n");
    commit(r, "Bea");
    fixture_write(r, "db/schema.sql", "CREATE TABLE other (age smallint);\n");
    struct said s = plan_in(r, PLAN "--schema db/schema.sql");
    assert_says(s.out, "age from smallint to bigint");
    s = plan_in(r,
                "--base HEAD~1 --dir db/m --engine postgres --schema HEAD~1:db/m/0001_users.sql");
    assert_silent_on(s.err, "warning");
    assert_ended(&s, 3);
}

static void sqlite_is_planned_too(void **state)
{
    (void)state;
    const char *r = make_repository();
    fixture_write(r, "db/m/0003_t.sql", "ALTER TABLE users ADD COLUMN email TEXT;\n");
    commit(r, "Bea");
    struct said s = plan_in(r, "--base main --dir db/m --engine sqlite");
    assert_ended(&s, 0);
    assert_says(s.out, "0003  t  additive");
    assert_silent_on(s.out, "no such table");
}

/* ---- every form ---- */

static void the_comment_is_the_same_in_every_run(void **state)
{
    (void)state;
    const char *r = make_duplicate();
    struct said s = plan_in(r, PLAN "--format markdown");
    assert_ended(&s, 3);
    assert_true(strncmp(s.out, "<!-- migrate plan -->\n", 22) == 0);
    assert_says(s.out, "### migrate: would be refused");
    assert_says(s.out, "It adds to `main`.");
    assert_says(s.out, "| **block** | `db/m/0003_mine.sql:1` | `duplicate-version`: ");
    assert_string_equal(plan_in(r, PLAN "--format markdown").out, s.out);
}

static void sarif_is_valid_and_its_fingerprints_stay(void **state)
{
    (void)state;
    const char *r = make_repository();
    fixture_write(r, "db/m/0003_wide.sql", "ALTER TABLE users ALTER COLUMN age TYPE bigint;\n");
    fixture_write(r, "db/m/0002_index.sql", "CREATE INDEX users_ages ON users (age);\n");
    commit(r, "Bea");
    struct said before = plan_in(r, PLAN "--format sarif");
    assert_ended(&before, 3);
    assert_true(sarif_check(before.out) >= 2);
    fixture_write(r, "db/m/0003_wide.sql",
                  "-- moved\n\nALTER TABLE users\n ALTER COLUMN age TYPE bigint;\n");
    commit(r, "Bea");
    struct said after = plan_in(r, PLAN "--format sarif");
    assert_true(sarif_check(after.out) == sarif_check(before.out));
    assert_string_equal(sarif_fingerprints(after.out), sarif_fingerprints(before.out));
    assert_says(after.out, "\"startLine\": 3");
}

static void gitlab_gets_a_list_with_what_it_needs(void **state)
{
    (void)state;
    struct said s = plan_in(make_duplicate(), PLAN "--format gitlab");
    SCOPED(arena) struct arena *a = arena_make();
    SCOPED(fail) struct fail f = FAIL_NONE;
    SCOPED(json) struct json *list = json_parse(str_of(s.out), STR("gitlab"), &f);
    assert_non_null(list);
    assert_true(json_count(list) > 0);
    for (size_t i = 0; i < json_count(list); i++) {
        const struct json *one = json_at(list, i);
        const struct json *location = json_get(one, "location");
        assert_true(json_str_of(json_get(one, "description")).len > 0);
        assert_true(json_str_of(json_get(one, "check_name")).len > 0);
        assert_int_equal(json_str_of(json_get(one, "fingerprint")).len, 64);
        assert_true(json_str_of(json_get(location, "path")).len > 0);
        assert_non_null(json_get(json_get(location, "lines"), "begin"));
    }
}

/* ---- what cannot be compared ---- */

static void assert_refused(const char *directory, const char *arguments, const char *message,
                           const char *hint)
{
    struct said s = plan_in(directory, arguments);
    assert_ended(&s, 2);
    assert_says(s.err, message);
    assert_says(s.err, hint);
}

static void what_cannot_be_compared_is_refused_with_a_hint(void **state)
{
    (void)state;
    const char *r = make_repository();
    assert_refused(r, "--base origin/trunk --dir db/m", "there is no revision \"origin/trunk\"",
                   "git fetch origin trunk");
    assert_refused(r, "--base main --rev nowhere --dir db/m", "there is no revision \"nowhere\"",
                   "git fetch origin nowhere");
    assert_refused(r, "--base main --dir elsewhere", "there is no directory \"elsewhere\" in HEAD",
                   "Only what is committed");
    assert_refused(r, "--base main db/m/0001_users.sql", "do not go with files", "--dir");
    assert_refused(fixture_directory(), "--base main --dir .", "is in no git repository",
                   "without them the files");
    const char *empty = fixture_directory();
    git_in(empty, "init -q -b main");
    fixture_write(empty, "m/0001_a.sql", "SELECT 1;\n");
    assert_refused(empty, "--base main --dir m", "the repository has no commit yet", "Commit");
    assert_refused(r, fixture_text("--base main --dir db/m --dir %s/m", empty),
                   "is not in the repository at", "in one repository");
}

static void a_shallow_clone_says_what_to_fetch(void **state)
{
    (void)state;
    const char *r = make_duplicate();
    const char *clone = fixture_path(fixture_directory(), "clone");
    git_in("/", fixture_text("clone -q --depth 1 --no-single-branch file://%s %s", r, clone));
    assert_refused(clone, "--base origin/main --rev origin/feature --dir db/m",
                   "have no commit in common: the clone is shallow", "fetch-depth: 0");
}

static void pointers_of_lfs_and_submodules_are_told(void **state)
{
    (void)state;
    const char *r = make_repository();
    fixture_write(r, "db/m/0003_big.sql",
                  "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n");
    commit(r, "Bea");
    assert_refused(r, PLAN, "\"db/m/0003_big.sql\" is kept by Git LFS", "out of LFS");
    const char *outer = make_repository();
    git_in(outer, fixture_text("update-index --add --cacheinfo 160000,%.40s,sub",
                               git_in(outer, "rev-parse HEAD")));
    git_in(outer, "-c user.name=x -c user.email=x@example.org commit -q -m sub");
    assert_refused(outer, "--base main --dir sub", "\"sub\" is a submodule",
                   "git submodule update");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_added_is_planned_over_what_is_merged),
        cmocka_unit_test(nothing_added_is_nothing_to_do),
        cmocka_unit_test(a_directory_that_was_moved_is_asked_about),
        cmocka_unit_test(a_refusal_says_why_and_what_to_do),
        cmocka_unit_test(a_merged_file_that_was_edited_is_found_with_line_and_author),
        cmocka_unit_test(comments_and_line_ends_are_no_edit_that_blocks),
        cmocka_unit_test(deleted_and_renamed_files_are_found),
        cmocka_unit_test(a_version_that_was_taken_meanwhile_is_found),
        cmocka_unit_test(a_file_before_a_merged_one_is_a_warning),
        cmocka_unit_test(what_the_base_did_alone_is_not_the_branchs_fault),
        cmocka_unit_test(neither_a_dirty_tree_nor_crlf_changes_the_plan),
        cmocka_unit_test(paths_are_those_of_the_repository_from_anywhere),
        cmocka_unit_test(the_configured_base_counts_with_rev),
        cmocka_unit_test(a_schema_takes_the_place_of_what_is_merged),
        cmocka_unit_test(sqlite_is_planned_too),
        cmocka_unit_test(the_comment_is_the_same_in_every_run),
        cmocka_unit_test(sarif_is_valid_and_its_fingerprints_stay),
        cmocka_unit_test(gitlab_gets_a_list_with_what_it_needs),
        cmocka_unit_test(what_cannot_be_compared_is_refused_with_a_hint),
        cmocka_unit_test(a_shallow_clone_says_what_to_fetch),
        cmocka_unit_test(pointers_of_lfs_and_submodules_are_told),
    };
    return cmocka_run_group_tests_name("branch", tests, NULL, NULL);
}
