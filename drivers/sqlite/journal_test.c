/* The journal's file in runs of many transactions: it stays, others may do what they like with it. */
#include "drivers/sqlite/testing.h"

#include "core/base/fs.h"

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static struct connection *open_bulk(struct bench *b)
{
    struct connect_options options = test_options(b);
    options.is_bulk = true;
    b->connection = test_open_with(b, &options);
    must(b, b->driver->prepare_history(b->connection, &b->fail));
    return b->connection;
}

static ino_t inode_of(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 ? st.st_ino : 0;
}

static void make_tables(struct bench *b, int from, int to)
{
    for (int i = from; i < to; i++)
        must(b, test_unit(b, b->connection, false,
                          STATEMENTS(fixture_text("CREATE TABLE t%d (a)", i))));
}

static const char *journal_of(const struct bench *b)
{
    return fixture_text("%s-journal", b->path);
}

static void the_file_stays_during_the_run_and_goes_with_it(void **state)
{
    struct bench *b = *state;
    (void)open_bulk(b);
    make_tables(b, 0, 1);
    ino_t first = inode_of(journal_of(b));
    assert_int_not_equal(first, 0);
    make_tables(b, 1, 5);
    assert_int_equal(inode_of(journal_of(b)), first);
    b->driver->close(b->connection);
    b->connection = NULL;
    assert_false(fs_exists(journal_of(b)));
    assert_string_equal(test_ask(b, "SELECT count(*) FROM migrator_history"), "5");
}

static void a_single_migration_uses_no_such_file(void **state)
{
    struct bench *b = *state;
    (void)test_open(b);
    make_tables(b, 0, 1);
    assert_false(fs_exists(journal_of(b)));
}

static void others_may_write_and_remove_it_in_between(void **state)
{
    struct bench *b = *state;
    (void)open_bulk(b);
    for (int i = 0; i < 6; i++) {
        make_tables(b, i, i + 1);
        test_run(b,
                 fixture_text("CREATE TABLE other%d (a)", i)); /* makes and removes the journal */
        assert_false(fs_exists(journal_of(b)));
    }
    test_run(b, "BEGIN; CREATE TABLE undone (a); ROLLBACK");
    make_tables(b, 6, 8);
    assert_string_equal(test_ask(b, "PRAGMA integrity_check"), "ok");
    assert_string_equal(test_ask(b, "SELECT count(*) FROM sqlite_schema WHERE name LIKE 't_'"),
                        "8");
}

static void readers_are_not_kept_out_by_it(void **state)
{
    struct bench *b = *state;
    (void)open_bulk(b);
    make_tables(b, 0, 2);
    struct connect_options options = test_options(b);
    struct history h;
    options.is_read_only = true;
    b->others[0] = test_open_with(b, &options);
    must(b, b->driver->read_history(b->arena, b->others[0], &h, &b->fail));
    assert_int_equal(h.count, 2);
    make_tables(b, 2, 3);
    must(b, b->driver->read_history(b->arena, b->others[0], &h, &b->fail));
    assert_int_equal(h.count, 3);
}

static void a_migration_may_choose_its_journal_mode(void **state)
{
    struct bench *b = *state;
    struct connection *c = open_bulk(b);
    make_tables(b, 0, 2);
    must(b, test_execute(b, c, "PRAGMA journal_mode = WAL"));
    assert_false(fs_exists(journal_of(b)));
    must(b, b->driver->reset_session(c, &b->fail));
    make_tables(b, 2, 4);
    assert_string_equal(test_ask(b, "PRAGMA journal_mode"), "wal");
    must(b, test_execute(b, c, "PRAGMA journal_mode = DELETE") ||
                (fail_clear(&b->fail), true)); /* refused while the application is connected */
    assert_string_equal(test_ask(b, "SELECT count(*) FROM migrator_history"), "4");
}

static void a_new_session_goes_on_in_the_same_way(void **state)
{
    struct bench *b = *state;
    struct connection *c = open_bulk(b);
    make_tables(b, 0, 2);
    must(b, test_execute(b, c, "CREATE TEMP TABLE x (a)"));
    must(b, b->driver->reset_session(c, &b->fail));
    make_tables(b, 2, 4);
    assert_true(fs_exists(journal_of(b)));
    assert_string_equal(test_ask(b, "SELECT count(*) FROM migrator_history"), "4");
}

/* The child dies in its second transaction, with changed pages in the file. */
static void a_killed_run_is_rolled_back_from_it(void **state)
{
    struct bench *b = *state;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        (void)open_bulk(b);
        make_tables(b, 0, 1);
        (void)test_execute(b, b->connection, "PRAGMA cache_size = 10");
        bool is_ready =
            test_begin(b, b->connection) && test_execute(b, b->connection, "CREATE TABLE u (a)") &&
            test_execute(b, b->connection,
                         "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n "
                         "LIMIT 3000) INSERT INTO u SELECT randomblob(600) FROM n");
        kill(getpid(), is_ready ? SIGKILL : SIGTERM);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(WTERMSIG(status), SIGKILL);
    assert_true(fs_exists(journal_of(b)));
    assert_string_equal(test_ask(b, "SELECT group_concat(name) FROM sqlite_schema "
                                    "WHERE name IN ('t0', 'u')"),
                        "t0");
    assert_string_equal(test_ask(b, "PRAGMA integrity_check"), "ok");
    assert_string_equal(test_ask(b, "SELECT count(*) FROM migrator_history"), "1");
}

/* Somebody puts another file in its place: its name is then not known to be on disk. */
static void another_file_of_that_name_is_not_taken_for_ours(void **state)
{
    struct bench *b = *state;
    (void)open_bulk(b);
    make_tables(b, 0, 2);
    assert_int_equal(unlink(journal_of(b)), 0);
    make_tables(b, 2, 3);
    assert_int_equal(unlink(journal_of(b)), 0);
    const char *slash = strrchr(journal_of(b), '/');
    char *directory = strndup(b->path, (size_t)(strrchr(b->path, '/') - b->path));
    fixture_write(directory, slash + 1, "");
    free(directory);
    make_tables(b, 3, 5);
    assert_string_equal(test_ask(b, "SELECT count(*) FROM migrator_history"), "5");
    assert_string_equal(test_ask(b, "PRAGMA integrity_check"), "ok");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_file_stays_during_the_run_and_goes_with_it),
        TEST(a_single_migration_uses_no_such_file),
        TEST(others_may_write_and_remove_it_in_between),
        TEST(readers_are_not_kept_out_by_it),
        TEST(a_migration_may_choose_its_journal_mode),
        TEST(a_new_session_goes_on_in_the_same_way),
        TEST(a_killed_run_is_rolled_back_from_it),
        TEST(another_file_of_that_name_is_not_taken_for_ours),
    };
    return cmocka_run_group_tests_name("sqlite journal", tests, NULL, NULL);
}
