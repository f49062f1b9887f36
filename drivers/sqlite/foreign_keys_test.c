/*
 * Rows must neither lose their parents in silence nor vanish with them (runners.md calls the second
 * F15: a rebuild of a parent table with foreign keys enforced wipes its children).
 */
#include "drivers/sqlite/testing.h"

#define FAMILY                                                                                     \
    "CREATE TABLE parent (id INTEGER PRIMARY KEY, name);"                                          \
    "CREATE TABLE child (id INTEGER PRIMARY KEY, p REFERENCES parent ON DELETE CASCADE);"          \
    "CREATE TABLE grandchild (id INTEGER PRIMARY KEY, c REFERENCES child ON DELETE CASCADE);"      \
    "CREATE TABLE friend (id INTEGER PRIMARY KEY, p REFERENCES parent ON DELETE SET NULL);"        \
    "INSERT INTO parent VALUES (1, 'a'), (2, 'b');"                                                \
    "INSERT INTO child VALUES (10, 1), (11, 2), (12, 2);"                                          \
    "INSERT INTO grandchild VALUES (100, 10), (101, 11);"                                          \
    "INSERT INTO friend VALUES (20, 1), (21, NULL);"

#define REBUILD_PARENT                                                                             \
    "CREATE TABLE parent_new (id INTEGER PRIMARY KEY, name NOT NULL)",                             \
        "INSERT INTO parent_new SELECT id, name FROM parent", "DROP TABLE parent",                 \
        "ALTER TABLE parent_new RENAME TO parent"

static struct connection *open_family(struct bench *b, bool is_enforced)
{
    test_run(b, FAMILY);
    struct connect_options options = test_options(b);
    options.url =
        str_of(fixture_text("sqlite:%s%s", b->path, is_enforced ? "?foreign_keys=on" : ""));
    b->connection = test_open_with(b, &options);
    must(b, b->driver->prepare_history(b->connection, &b->fail));
    return b->connection;
}

static void assert_family_is_whole(struct bench *b)
{
    assert_string_equal(test_ask(b, "SELECT (SELECT count(*) FROM parent) || ' ' || "
                                    "(SELECT count(*) FROM child) || ' ' || "
                                    "(SELECT count(*) FROM grandchild) || ' ' || "
                                    "(SELECT count(p) FROM friend)"),
                        "2 3 2 1");
}

/* ---- enforced: F15 ---- */

static void a_rebuild_under_enforcement_does_not_wipe_the_children(void **state)
{
    struct bench *b = *state;
    struct connection *c = open_family(b, true);
    assert_false(test_unit(b, c, ENFORCEMENT_AS_OPENED,
                           STATEMENTS("PRAGMA foreign_keys = OFF", REBUILD_PARENT)));
    assert_contains(b->fail.message, "DROP TABLE \"parent\" would delete 3 of 3 rows of \"child\"");
    assert_contains(b->fail.hint, "PRAGMA foreign_keys = OFF before the transaction");
    assert_int_equal(b->fail.code, EXIT_FAILED);
    assert_family_is_whole(b);
    assert_string_equal(test_ask(b, "SELECT count(*) FROM migrator_history"), "0");
}

static void the_same_rebuild_works_with_the_pragma_outside(void **state)
{
    struct bench *b = *state;
    struct connection *c = open_family(b, true);
    must(b, test_unit(b, c, ENFORCEMENT_OFF, STATEMENTS(REBUILD_PARENT)));
    assert_family_is_whole(b);
    assert_contains(test_ask(b, "SELECT sql FROM sqlite_schema WHERE name = 'parent'"), "NOT NULL");
    /* And enforcement is back. */
    assert_false(test_execute(b, c, "INSERT INTO child VALUES (99, 99)"));
    assert_contains(b->fail.message, "FOREIGN KEY constraint failed");
}

static void enforcement_comes_back_behind_a_failure_too(void **state)
{
    struct bench *b = *state;
    struct connection *c = open_family(b, true);
    assert_false(test_unit(b, c, ENFORCEMENT_OFF, STATEMENTS("SELECT nonsense")));
    fail_clear(&b->fail);
    assert_false(test_execute(b, c, "INSERT INTO child VALUES (99, 99)"));
    assert_contains(b->fail.message, "FOREIGN KEY constraint failed");
}

static void rows_that_are_cut_loose_count_as_lost(void **state)
{
    struct bench *b = *state;
    struct connection *c = open_family(b, true);
    must(b, test_execute(b, c, "DELETE FROM child"));
    assert_false(test_unit(b, c, ENFORCEMENT_AS_OPENED, STATEMENTS(REBUILD_PARENT)));
    assert_contains(b->fail.message, "would cut loose 1 of 1 rows of \"friend\"");
}

static void outside_a_transaction_the_drop_alone_is_undone(void **state)
{
    struct bench *b = *state;
    test_run(
        b, "CREATE TABLE p (id INTEGER PRIMARY KEY);"
           "CREATE TABLE \"c \"\"1\" (id INTEGER PRIMARY KEY, p REFERENCES P ON DELETE CASCADE);"
           "CREATE TABLE g (a, b, FOREIGN KEY (a) REFERENCES \"C \"\"1\" (id) ON DELETE SET NULL);"
           "INSERT INTO p VALUES (1); INSERT INTO \"c \"\"1\" VALUES (7, 1);"
           "INSERT INTO g VALUES (7, 1)");
    struct connect_options options = test_options(b);
    options.url = str_of(fixture_text("sqlite:%s?foreign_keys=on", b->path));
    struct connection *c = b->connection = test_open_with(b, &options);
    assert_false(test_execute(b, c, "DROP TABLE p"));
    assert_contains(b->fail.message, "would delete 1 of 1 rows of \"c \"1\"");
    fail_clear(&b->fail);
    assert_string_equal(test_ask(b, "SELECT count(*) FROM p"), "1");
    assert_string_equal(test_ask(b, "SELECT a FROM g"), "7");
    /* Children first is in order. */
    must(b, test_execute(b, c, "DROP TABLE g"));
    must(b, test_execute(b, c, "DROP TABLE \"c \"\"1\""));
    must(b, test_execute(b, c, "DROP TABLE p"));
}

static void dropping_a_parent_without_rows_at_risk_is_nobodys_business(void **state)
{
    struct bench *b = *state;
    struct connection *c = open_family(b, true);
    must(b,
         test_unit(b, c, ENFORCEMENT_AS_OPENED,
                   STATEMENTS("DELETE FROM parent", "DROP TABLE parent", "DROP TABLE grandchild")));
}

static void deferred_violations_at_commit_are_an_ordinary_failure(void **state)
{
    struct bench *b = *state;
    struct connection *c = open_family(b, true);
    assert_false(test_unit(
        b, c, ENFORCEMENT_AS_OPENED,
        STATEMENTS("PRAGMA defer_foreign_keys = ON", "INSERT INTO child VALUES (99, 99)")));
    assert_contains(b->fail.message, "FOREIGN KEY constraint failed");
    assert_contains(b->fail.hint, "foreign_key_check");
    assert_family_is_whole(b);
}

/* ---- not enforced ---- */

/* Statements are separated by semicolons. message NULL: the unit is committed. */
struct unenforced_case {
    const char *name;
    const char *before; /* run by the application, or NULL */
    const char *sql;
    const char *message;
};

#define REBUILD                                                                                    \
    "CREATE TABLE parent_new (id INTEGER PRIMARY KEY, name NOT NULL);"                             \
    "INSERT INTO parent_new SELECT id, name FROM parent; DROP TABLE parent;"                       \
    "ALTER TABLE parent_new RENAME TO parent"
#define OLD_ORPHANS "INSERT INTO child VALUES (13, 77), (14, 78)"

static const struct unenforced_case default_cases[] = {
    {"a rebuild that keeps all rows", NULL, REBUILD, NULL},
    {"a rebuild that loses a parent", NULL,
     "CREATE TABLE parent_new (id INTEGER PRIMARY KEY, name);"
     "INSERT INTO parent_new SELECT id, name FROM parent WHERE id = 1; DROP TABLE parent;"
     "ALTER TABLE parent_new RENAME TO parent",
     "2 rows of \"child\" would refer to rows that \"parent\" does not have"},
    {"a rebuild of a child that spoils a reference", NULL,
     "CREATE TABLE child_new (id INTEGER PRIMARY KEY, p REFERENCES parent);"
     "INSERT INTO child_new SELECT id, p + 1 FROM child; DROP TABLE child;"
     "ALTER TABLE child_new RENAME TO child",
     "2 rows of \"child\""},
    {"deleting a parent", NULL, "DELETE FROM parent WHERE id = 1", "1 row of \"child\""},
    {"deleting parent and children", NULL,
     "DELETE FROM parent WHERE id = 2; DELETE FROM child WHERE p = 2;"
     "DELETE FROM grandchild WHERE c = 11",
     NULL},
    {"deleting within a trigger",
     "CREATE TABLE log (a); CREATE TRIGGER g AFTER INSERT ON log BEGIN DELETE FROM parent; END",
     "INSERT INTO log VALUES (1)", "3 rows of \"child\""},
    {"dropping a parent for good", NULL, "DROP TABLE parent", "that \"parent\" does not have"},
    {"dropping the whole family", NULL,
     "DROP TABLE parent; DROP TABLE child; DROP TABLE grandchild; DROP TABLE friend", NULL},
    {"renaming a parent, references follow", NULL, "ALTER TABLE parent RENAME TO elder", NULL},
    {"renaming a parent, references do not follow", NULL,
     "PRAGMA legacy_alter_table = ON; ALTER TABLE parent RENAME TO elder",
     "\"parent\" does not have"},
    {"orphans that were there before", OLD_ORPHANS, REBUILD, NULL},
    {"orphans from before in a rebuilt child", OLD_ORPHANS,
     "CREATE TABLE child_new (id INTEGER PRIMARY KEY, p REFERENCES parent);"
     "INSERT INTO child_new SELECT id + 100, p FROM child; DROP TABLE child;"
     "ALTER TABLE child_new RENAME TO child; DROP TABLE grandchild",
     NULL},
    {"orphans from before in a renamed child", OLD_ORPHANS, "ALTER TABLE child RENAME TO kid",
     NULL},
    {"orphans from before, their parent renamed", OLD_ORPHANS, "ALTER TABLE parent RENAME TO elder",
     NULL},
    {"one orphan mended, another made", "INSERT INTO child VALUES (13, 77)",
     "DELETE FROM parent WHERE id = 1; INSERT INTO parent VALUES (77, 'x')", "1 row of \"child\""},
    {"an orphan inserted is what SQLite allows", NULL, "INSERT INTO child VALUES (13, 77)", NULL},
    {"a parent without a unique index cannot be checked",
     "CREATE TABLE odd (a); CREATE TABLE o (a REFERENCES odd (a)); INSERT INTO o VALUES (1)",
     "DELETE FROM odd", NULL},
    {"a child without rowids",
     "CREATE TABLE w (k PRIMARY KEY, p REFERENCES parent) WITHOUT ROWID;"
     "INSERT INTO w VALUES ('x', 2); DELETE FROM child; DELETE FROM friend",
     "DELETE FROM parent", "1 row of \"w\""},
    {"adding a column", NULL, "ALTER TABLE child ADD COLUMN more REFERENCES parent", NULL},
};

/* The unit switched enforcement off, so all it writes is its own responsibility. */
static const struct unenforced_case switched_off_cases[] = {
    {"a rebuild that keeps all rows", NULL, REBUILD, NULL},
    {"an orphan inserted", NULL, "INSERT INTO child VALUES (13, 77)", "1 row of \"child\""},
    {"an orphan by update of the child", NULL, "UPDATE child SET p = 3", "3 rows of \"child\""},
    {"an orphan by update of the parent", NULL, "UPDATE parent SET id = 5 WHERE id = 2",
     "2 rows of \"child\""},
    {"old orphans are left alone", OLD_ORPHANS, "INSERT INTO child VALUES (15, 1)", NULL},
};

static bool run_case(struct bench *b, enum enforcement enforcement, const struct unenforced_case *k)
{
    const char *statements[9] = {NULL};
    struct str rest = str_of(k->sql);
    size_t count = 0;
    while (rest.len) {
        struct str statement;
        assert_true(count < ARRAY_LEN(statements) - 1);
        rest = str_trim(str_cut(rest, ';', &statement));
        statements[count++] = arena_cstr(b->arena, statement);
    }
    return test_unit(b, b->connection, enforcement, statements);
}

static void check_cases(const struct unenforced_case *cases, size_t count,
                        enum enforcement enforcement)
{
    for (const struct unenforced_case *k = cases; k < cases + count; k++) {
        void *state;
        test_setup(&state);
        struct bench *b = state;
        (void)open_family(b, false);
        if (k->before)
            test_run(b, k->before);
        bool is_done = run_case(b, enforcement, k);
        if (is_done != (k->message == NULL))
            fail_msg("%s: %s", k->name, is_done ? "committed" : b->fail.message);
        if (k->message && (!strstr(b->fail.message, k->message) || !b->fail.hint))
            fail_msg("%s: %s", k->name, b->fail.message);
        assert_string_equal(test_ask(b, "SELECT count(*) FROM migrator_history"),
                            is_done ? "1" : "0");
        if (!is_done && !k->before)
            assert_family_is_whole(b);
        test_teardown(&state);
    }
}

static void rows_keep_their_parents_where_nothing_enforces_it(void **state)
{
    (void)state;
    check_cases(default_cases, ARRAY_LEN(default_cases), ENFORCEMENT_AS_OPENED);
}

static void units_that_switch_enforcement_off_are_watched_closely(void **state)
{
    (void)state;
    check_cases(switched_off_cases, ARRAY_LEN(switched_off_cases), ENFORCEMENT_OFF);
}

static void the_refusal_names_rows(void **state)
{
    struct bench *b = *state;
    struct connection *c = open_family(b, false);
    assert_false(test_unit(b, c, ENFORCEMENT_AS_OPENED, STATEMENTS("DELETE FROM parent")));
    assert_contains(b->fail.message, "3 rows of \"child\"");
    assert_contains(b->fail.detail, "Rowids of \"child\": 10, 11, 12.");
    assert_contains(b->fail.hint, "Correct or delete these rows");
}

/* What a rollback takes back must not be remembered. */
static void a_failed_unit_leaves_no_wrong_memory(void **state)
{
    struct bench *b = *state;
    struct connection *c = open_family(b, false);
    assert_false(test_unit(
        b, c, ENFORCEMENT_AS_OPENED,
        STATEMENTS("CREATE TABLE more (p REFERENCES parent)", "DELETE FROM parent WHERE id = 1")));
    fail_clear(&b->fail);
    must(b, test_unit(b, c, ENFORCEMENT_AS_OPENED,
                      STATEMENTS("CREATE TABLE less (p REFERENCES parent)")));
    assert_false(test_unit(b, c, ENFORCEMENT_AS_OPENED,
                           STATEMENTS("INSERT INTO less VALUES (1)", "DELETE FROM grandchild",
                                      "DELETE FROM child", "DELETE FROM friend",
                                      "DELETE FROM parent WHERE id = 1")));
    assert_contains(b->fail.message, "\"less\"");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_rebuild_under_enforcement_does_not_wipe_the_children),
        TEST(the_same_rebuild_works_with_the_pragma_outside),
        TEST(enforcement_comes_back_behind_a_failure_too),
        TEST(rows_that_are_cut_loose_count_as_lost),
        TEST(outside_a_transaction_the_drop_alone_is_undone),
        TEST(dropping_a_parent_without_rows_at_risk_is_nobodys_business),
        TEST(deferred_violations_at_commit_are_an_ordinary_failure),
        TEST(the_refusal_names_rows),
        TEST(a_failed_unit_leaves_no_wrong_memory),
        cmocka_unit_test(rows_keep_their_parents_where_nothing_enforces_it),
        cmocka_unit_test(units_that_switch_enforcement_off_are_watched_closely),
    };
    return cmocka_run_group_tests_name("sqlite foreign keys", tests, NULL, NULL);
}
