/*
 * PRAGMA foreign_keys in a migration, end to end: what SQLite makes of the same file, statement by
 * statement, is the judge. What one transaction cannot do as SQLite would is refused, never done
 * otherwise in silence.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "drivers/testkit/project.h"

static const char family[] = "CREATE TABLE p (id integer PRIMARY KEY, note text);"
                             "CREATE TABLE c (id integer PRIMARY KEY,"
                             " p integer REFERENCES p ON DELETE CASCADE ON UPDATE CASCADE);"
                             "INSERT INTO p VALUES (1, 'a'), (2, 'b');"
                             "INSERT INTO c VALUES (10, 1), (11, 2)";

#define ON "PRAGMA foreign_keys = ON;\n"
#define OFF "PRAGMA foreign_keys = OFF;\n"
#define DEFER "PRAGMA defer_foreign_keys = ON;\n"
#define ORPHAN "INSERT INTO c VALUES (99, 99);\n"
#define CHILD_FIRST "INSERT INTO c VALUES (12, 3);\nINSERT INTO p VALUES (3, 'c');\n"
#define CASCADE "DELETE FROM p WHERE id = 1;\n"
#define REBUILD                                                                                    \
    "CREATE TABLE p_new (id integer PRIMARY KEY, note text NOT NULL);\n"                           \
    "INSERT INTO p_new SELECT id, note FROM p;\nDROP TABLE p;\n"                                   \
    "ALTER TABLE p_new RENAME TO p;\n"
#define LOSE_PARENT                                                                                \
    "CREATE TABLE p_new (id integer PRIMARY KEY);\n"                                               \
    "INSERT INTO p_new SELECT id FROM p WHERE id = 1;\nDROP TABLE p;\n"                            \
    "ALTER TABLE p_new RENAME TO p;\n"

struct file {
    const char *name;
    const char *sql;
    const char *refused; /* part of our message, where SQLite would go on; or NULL: as SQLite */
};

static const struct file files[] = {
    {"on: a cascade runs", ON CASCADE, NULL},
    {"on: an update cascades", ON "UPDATE p SET id = 7 WHERE id = 1;\n", NULL},
    {"on: an orphan is refused", ON ORPHAN, NULL},
    {"on, as a call", "PRAGMA foreign_keys(1);\n" ORPHAN, NULL},
    {"on, with a schema", "PRAGMA main.foreign_keys = 'yes';\n" CASCADE, NULL},
    {"on, then own transaction", ON "BEGIN;\n" CASCADE "COMMIT;\n", NULL},
    {"on, then own transaction with an orphan", ON "BEGIN;\n" ORPHAN "COMMIT;\n", NULL},
    {"on behind the last statement", CASCADE "DELETE FROM c WHERE p = 1;\n" ON, NULL},
    {"on behind what does not heed it", "CREATE TABLE t (a);\n" ON CASCADE, NULL},
    {"on within the own transaction", "BEGIN;\n" ON ORPHAN "COMMIT;\n", NULL},
    {"on, off behind the last statement", ON CASCADE OFF, NULL},
    {"on in a first transaction, off in a second",
     ON "BEGIN;\n" CASCADE "COMMIT;\n" OFF "BEGIN;\n" REBUILD "COMMIT;\n", NULL},
    {"off in a first transaction, on in a second",
     OFF "BEGIN;\n" REBUILD "COMMIT;\n" ON "BEGIN;\n" CASCADE "COMMIT;\n", NULL},
    {"off, on at the end", OFF REBUILD ON, NULL},
    {"off, on, an index", OFF REBUILD ON "CREATE INDEX c_p ON c (p);\n", NULL},
    {"off alone", OFF REBUILD, NULL},
    {"nothing", REBUILD, NULL},
    {"deferred", ON DEFER "BEGIN;\n" CHILD_FIRST "COMMIT;\n", NULL},
    {"deferred, within", ON "BEGIN;\n" DEFER CHILD_FIRST "COMMIT;\n", NULL},
    {"deferred, never mended", ON DEFER "BEGIN;\n" ORPHAN "COMMIT;\n", NULL},
    {"not deferred", ON "BEGIN;\n" CHILD_FIRST "COMMIT;\n", NULL},
    {"deferred for one transaction only",
     ON DEFER "BEGIN;\nCOMMIT;\nBEGIN;\n" CHILD_FIRST "COMMIT;\n", NULL},
    {"prisma's rebuild", DEFER OFF REBUILD ON "PRAGMA defer_foreign_keys = OFF;\n", NULL},
    {"no transaction", "-- migrate: no-transaction\n" ON CASCADE, NULL},
    {"no transaction, off and on",
     "-- migrate: no-transaction\n" OFF "UPDATE c SET p = 2 WHERE id = 10;\n" ON CASCADE, NULL},
    {"no transaction, an orphan", "-- migrate: no-transaction\n" ON ORPHAN, NULL},
    /* One transaction cannot have it both ways. */
    {"a cascade behind off and on", OFF REBUILD ON CASCADE, "1 row of \"c\""},
    {"on and off around a cascade", ON CASCADE OFF REBUILD, "1 row of \"c\""},
    {"on in the middle", "INSERT INTO p VALUES (4, 'd');\n" ON CASCADE, "1 row of \"c\""},
    /* The guards: what SQLite does here in silence is what nobody wants. */
    {"a rebuild that loses a parent", OFF LOSE_PARENT ON, "1 row of \"c\""},
    {"a rebuild with foreign keys on", ON REBUILD, "would delete 2 of 2 rows of \"c\""},
    {"a rebuild that commits while parents are gone", "-- migrate: no-transaction\n" OFF REBUILD,
     "2 rows of \"c\""},
    {"off too late", ON "BEGIN;\n" OFF LOSE_PARENT "COMMIT;\n", "1 row of \"c\""},
};

static void check_file(const struct file *k)
{
    struct project *reference = project_make(NULL);
    struct project *p = project_make(NULL);
    project_execute(reference, family);
    project_execute(p, family);
    const char *before = project_dump(p);
    bool is_taken =
        strncmp(project_query(reference, fixture_text("\n%s", k->sql)), "ERROR: ", 7) != 0;
    project_write(p, "0001_file.sql", k->sql);
    struct ran r = project_run(p, "apply", NULL);
    /* 5: an earlier transaction of the file is committed. */
    bool is_refused = r.exit_code == 1 || r.exit_code == 5;
    bool is_right = (is_taken && !k->refused ? r.exit_code == 0 : is_refused) &&
                    (!k->refused || strstr(r.err, k->refused));
    if (!is_right || (k->refused && !is_taken))
        fail_msg("%s: SQLite %s it; migrate: %d\n%s", k->name, is_taken ? "takes" : "refuses",
                 r.exit_code, r.err);
    bool is_same = r.exit_code == 0 ? strcmp(project_dump(p), project_dump(reference)) == 0
                                    : strcmp(project_dump(p), before) == 0;
    if (!is_same && r.exit_code != 5) /* 5: some of it stays */
        fail_msg("%s: exit %d, but not the same\n%s", k->name, r.exit_code, project_dump(p));
    if (is_refused)
        assert_err(&r, "0001_file.sql:");
    assert_whole(p);
}

static void a_file_does_what_sqlite_would_do(void **state UNUSED)
{
    for (size_t i = 0; i < ARRAY_LEN(files); i++)
        check_file(&files[i]);
}

static void the_next_migration_has_the_connection_as_it_was(void **state UNUSED)
{
    struct project *p = project_make(NULL);
    project_execute(p, family);
    project_write(p, "0001_on.sql", ON CASCADE);
    project_write(p, "0002_plain.sql", ORPHAN);
    struct ran r = project_run(p, "apply", NULL);
    assert_exit(&r, 0);
    assert_answer(p, "SELECT group_concat(id) FROM c", "11,99");
    /* And behind one that fails. */
    project_write(p, "0003_on.sql", ON ORPHAN);
    r = project_run(p, "apply", NULL);
    assert_exit(&r, 1);
    assert_err(&r, "0003_on.sql:2:1");
}

static void the_url_decides_where_the_file_is_silent(void **state UNUSED)
{
    struct project *p = project_make(NULL);
    project_execute(p, family);
    p->url = fixture_text("%s?foreign_keys=on", p->url);
    project_write(p, "0001_later.sql", "INSERT INTO p VALUES (4, 'd');\n" ON CASCADE);
    struct ran r = project_run(p, "apply", NULL);
    assert_exit(&r, 0);
    assert_answer(p, "SELECT group_concat(id) FROM c", "11");
    project_write(p, "0002_off.sql", OFF "INSERT INTO p VALUES (5, 'e');\n");
    project_write(p, "0003_silent.sql", ORPHAN);
    r = project_run(p, "apply", NULL);
    assert_exit(&r, 5);
    assert_err(&r, "0003_silent.sql:1:1");
}

/* A violation that only COMMIT sees: table, rows, the other table, and where it began. */
static void a_violation_at_commit_has_its_place(void **state UNUSED)
{
    static const struct {
        const char *sql, *place, *rows;
    } cases[] = {
        {OFF "SELECT 1;\n" LOSE_PARENT ON, "0001_file.sql:5:1\n     5 | DROP TABLE p\n",
         "1 row of \"c\" would refer to rows that \"p\" does not have\n"},
        {OFF REBUILD "UPDATE c\nSET p = 9;\n", "0001_file.sql:6:1\n     6 | UPDATE c\n",
         "2 rows of \"c\" would refer to rows that \"p\" does not have\n"},
        {"SELECT 1; " CASCADE, "0001_file.sql:1:11\n", "Rowid of \"c\": 10."},
        {ON DEFER "SELECT 1;\n" ORPHAN,
         "0001_file.sql:4:1\n     4 | INSERT INTO c VALUES (99, 99)\n",
         "1 row of \"c\" refers to rows that \"p\" does not have: rowid 99."},
        {"BEGIN;\n" CASCADE "COMMIT;\n", "0001_file.sql:2:1\n", "Rowid of \"c\": 10."},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct project *p = project_make(NULL);
        project_execute(p, family);
        project_write(p, "0001_file.sql", cases[i].sql);
        struct ran r = project_run(p, "apply", NULL);
        assert_exit(&r, 1);
        assert_err(&r, cases[i].place);
        assert_err(&r, cases[i].rows);
    }
}

static void on_inside_a_transaction_is_warned_of(void **state UNUSED)
{
    struct project *p = project_make(NULL);
    project_execute(p, family);
    project_write(p, "0001_on.sql", "BEGIN;\n" ON CASCADE "DELETE FROM c WHERE p = 1;\nCOMMIT;\n");
    struct ran r = project_run(p, "plan", NULL);
    assert_exit(&r, 3); /* sqlite-foreign-keys-pragma-in-tx */
    assert_out(&r, "line 2: PRAGMA foreign_keys = ON has no effect inside");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_does_what_sqlite_would_do),
        cmocka_unit_test(the_next_migration_has_the_connection_as_it_was),
        cmocka_unit_test(the_url_decides_where_the_file_is_silent),
        cmocka_unit_test(a_violation_at_commit_has_its_place),
        cmocka_unit_test(on_inside_a_transaction_is_warned_of),
    };

    return cmocka_run_group_tests_name("foreign keys", tests, NULL, NULL);
}
