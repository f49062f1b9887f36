/*
 * Who may have a say in findings about files beside those that are merged: migrator.yml and the file
 * itself in a pull request, nobody where the file was applied.
 */
#include "cmd/branch_testing.h"

#define FROM_CONFIG "--base main "

/* A migrator.yml in which one hazard has a level. */
static void set_level(const char *repository, const char *id, const char *level)
{
    fixture_write(repository, "migrator.yml",
                  fixture_text("migrations: db/m\npolicy:\n  hazards: { %s: %s }\n", id, level));
}

static void levels_of_the_configuration_reach_files(void **state)
{
    (void)state;
    const char *r = make_repository();
    fixture_write(r, "db/m/0001_users.sql", "CREATE TABLE users (id int PRIMARY KEY);\n");
    fixture_write(r, "db/m/0000_late.sql", "CREATE TABLE t (id bigint PRIMARY KEY);\n");
    commit(r, "Bea");
    set_level(r, "edited-after-apply", "warn");
    struct said s = plan_in(r, FROM_CONFIG);
    assert_ended(&s, 0);
    assert_says(s.out, "warn edited-after-apply");
    assert_says(s.out, "warn out-of-order-migration");
    set_level(r, "edited-after-apply", "off");
    s = plan_in(r, FROM_CONFIG);
    assert_ended(&s, 0);
    assert_silent_on(s.out, "edited-after-apply");
    fixture_write(r, "migrator.yml",
                  "migrations: db/m\npolicy:\n  hazards:\n    edited-after-apply: note\n"
                  "    out-of-order-migration: block\n");
    s = plan_in(r, FROM_CONFIG);
    assert_ended(&s, 3);
    assert_says(s.out, "note edited-after-apply");
    assert_says(s.out, "block out-of-order-migration");
}

static void edits_of_comments_stay_notes_at_any_level(void **state)
{
    (void)state;
    const char *r = make_repository();
    fixture_write(r, "db/m/0001_users.sql",
                  "-- of the shop\nCREATE TABLE users (id int PRIMARY KEY, age int);\n");
    commit(r, "Bea");
    set_level(r, "edited-after-apply", "block");
    struct said s = plan_in(r, FROM_CONFIG);
    assert_ended(&s, 0);
    assert_says(s.out, "note edited-after-apply");
    assert_says(s.out, "lowered, since only comments were changed");
}

static void a_file_that_is_planned_allows_its_place(void **state)
{
    (void)state;
    const char *r = make_repository();
    fixture_write(r, "db/m/0000_late.sql",
                  "-- migrate: allow out-of-order-migration reason=\"a fix of 2\"\n"
                  "CREATE TABLE t (id bigint PRIMARY KEY);\n");
    fixture_write(r, "db/m/0002_twice.sql",
                  "CREATE TABLE u (id bigint PRIMARY KEY);\n"
                  "-- migrate: allow duplicate-version reason=\"renumbered at the merge\"\n"
                  "CREATE TABLE v (id bigint PRIMARY KEY);\n");
    commit(r, "Bea");
    struct said s = plan_in(r, PLAN);
    assert_ended(&s, 0);
    assert_says(s.out, "waived out-of-order-migration");
    assert_says(s.out, "  waived in line 1: a fix of 2");
    assert_says(s.out, "waived duplicate-version");
    assert_says(s.out, "  waived in line 2: renumbered at the merge");
    assert_silent_on(s.out, "unused-suppression");
}

static void a_merged_file_that_was_edited_may_say_why(void **state)
{
    (void)state;
    const char *r = make_repository();
    const char *head = "-- migrate: allow edited-after-apply reason=\"it never ran\"\n";
    fixture_write(r, "db/m/0001_users.sql",
                  fixture_text("%sCREATE TABLE users (id bigint PRIMARY KEY);\n", head));
    commit(r, "Bea");
    struct said s = plan_in(r, PLAN);
    assert_ended(&s, 0);
    assert_says(s.out, "waived edited-after-apply: 0001 is merged to main and was edited since");
    assert_says(s.out, "  waived in line 1: it never ran");
    s = plan_in(r, PLAN "--format json");
    assert_says(s.out, "\"verdict\": \"pass\"");
    assert_says(s.out, "\"waiver\": \"it never ran\"");
}

static void what_a_deleted_file_said_allows_nothing(void **state)
{
    (void)state;
    const char *r = make_repository();
    git_in(r, "checkout -q main");
    fixture_write(r, "db/m/0003_t.sql",
                  "-- migrate: allow edited-after-apply reason=\"any\"\n"
                  "CREATE TABLE t (id bigint PRIMARY KEY);\n");
    commit(r, "Ann");
    git_in(r, "checkout -q -b other");
    git_in(r, "rm -q db/m/0003_t.sql");
    commit(r, "Bea");
    struct said s = plan_in(r, PLAN);
    assert_ended(&s, 3);
    assert_says(s.out, "0003 is merged to main and was deleted");
}

static void an_allow_about_files_is_unused_only_where_files_are_compared(void **state)
{
    (void)state;
    const char *r = make_repository();
    fixture_write(r, "db/m/0003_late.sql",
                  "-- migrate: allow out-of-order-migration reason=\"a fix of 2\"\n"
                  "CREATE TABLE t (id bigint PRIMARY KEY);\n");
    commit(r, "Bea");
    struct said s = plan_in(r, PLAN);
    assert_ended(&s, 0);
    assert_says(s.out, "nothing here raises out-of-order-migration");
    s = plan_in(r, "--offline --dir db/m --engine postgres");
    assert_silent_on(s.out, "nothing here raises out-of-order-migration");
}

/* What ran is a fact of the database: no comment and no configuration changes it. */
static void nothing_allows_an_edit_of_what_was_applied(void **state)
{
    (void)state;
    const char *r = make_repository();
    fixture_write(r, "db/m/0002_index.sql", "SELECT 1;\n");
    fixture_write(r, "migrator.yml",
                  "migrations: db/m\ntargets:\n  dev: { url: 'sqlite:app.db' }\n"
                  "policy:\n  hazards: { edited-after-apply: off }\n");
    struct said s = migrate_in(r, "apply -q");
    assert_ended(&s, 0);
    fixture_write(r, "db/m/0001_users.sql",
                  "-- migrate: allow edited-after-apply reason=\"it never ran\"\n"
                  "CREATE TABLE users (id int PRIMARY KEY);\n");
    s = migrate_in(r, "apply");
    assert_ended(&s, 4);
    assert_says(s.err, "was edited after it was applied");
    s = migrate_in(r, "plan");
    assert_ended(&s, 4);
    s = migrate_in(r, "status");
    assert_says(s.out, "statements differ");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(levels_of_the_configuration_reach_files),
        cmocka_unit_test(edits_of_comments_stay_notes_at_any_level),
        cmocka_unit_test(a_file_that_is_planned_allows_its_place),
        cmocka_unit_test(a_merged_file_that_was_edited_may_say_why),
        cmocka_unit_test(what_a_deleted_file_said_allows_nothing),
        cmocka_unit_test(an_allow_about_files_is_unused_only_where_files_are_compared),
        cmocka_unit_test(nothing_allows_an_edit_of_what_was_applied),
    };
    return cmocka_run_group_tests_name("branch_policy", tests, NULL, NULL);
}
