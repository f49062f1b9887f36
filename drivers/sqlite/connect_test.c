/* Opening SQLite files in every state in which they are met. */
#include "drivers/sqlite/testing.h"

#include "core/base/fs.h"

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static void writing_makes_the_file_unless_it_must_exist(void **state)
{
    struct bench *b = *state;
    struct connect_options options = test_options(b);
    options.must_exist = true;
    assert_null(b->driver->open(b->arena, &options, &b->fail));
    assert_int_equal(b->fail.code, EXIT_USAGE);
    assert_int_equal(b->fail.kind, FAIL_NOT_FOUND);
    assert_contains(b->fail.message, b->path);
    assert_non_null(b->fail.hint);
    assert_false(fs_exists(b->path));
    fail_clear(&b->fail);
    options.must_exist = false;
    b->connection = test_open_with(b, &options);
    assert_true(fs_exists(b->path));
}

static void reading_a_file_that_is_not_there_makes_nothing(void **state)
{
    struct bench *b = *state;
    struct connect_options options = test_options(b);
    struct history h;
    struct str *texts;
    size_t count;
    options.is_read_only = true;
    b->connection = test_open_with(b, &options);
    must(b, b->driver->read_history(b->arena, b->connection, &h, &b->fail));
    assert_false(h.exists);
    must(b, b->driver->read_schema(b->arena, b->connection, &texts, &count, &b->fail));
    assert_int_equal(count, 0);
    assert_false(fs_exists(b->path));
}

static void reading_writes_nothing_at_all(void **state)
{
    struct bench *b = *state;
    struct connect_options options = test_options(b);
    test_run(b, "CREATE TABLE t (a); INSERT INTO t VALUES (1)");
    sqlite3_close(b->application);
    b->application = NULL;
    struct stat before;
    struct stat after;
    assert_int_equal(stat(b->path, &before), 0);
    options.is_read_only = true;
    b->connection = test_open_with(b, &options);
    assert_false(test_execute(b, b->connection, "INSERT INTO t VALUES (2)"));
    assert_contains(b->fail.message, "readonly");
    assert_int_equal(stat(b->path, &after), 0);
    assert_int_equal(before.st_mtim.tv_nsec, after.st_mtim.tv_nsec);
    assert_int_equal(before.st_size, after.st_size);
}

/* In WAL mode without its side files: they may appear while we read, but not stay behind. */
static void reading_a_wal_database_leaves_no_files_behind(void **state)
{
    struct bench *b = *state;
    struct connect_options options = test_options(b);
    test_run(b, "PRAGMA journal_mode = WAL; CREATE TABLE t (a); INSERT INTO t VALUES (1)");
    sqlite3_close(b->application);
    b->application = NULL;
    const char *wal = fixture_text("%s-wal", b->path);
    const char *memory = fixture_text("%s-shm", b->path);
    assert_false(fs_exists(wal));
    options.is_read_only = true;
    b->connection = test_open_with(b, &options);
    assert_true(test_execute(b, b->connection, "SELECT * FROM t"));
    assert_false(test_execute(b, b->connection, "INSERT INTO t VALUES (2)"));
    b->driver->close(b->connection);
    b->connection = NULL;
    assert_false(fs_exists(wal));
    assert_false(fs_exists(memory));
    assert_string_equal(test_ask(b, "SELECT count(*) FROM t"), "1");
}

/* The child leaves without closing anything, as after SIGKILL. */
static void in_dying_child(void (*act)(const char *path), const char *path)
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        act(path);
        kill(getpid(), SIGKILL);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
}

static void write_wal_and_die(const char *path)
{
    sqlite3 *db;
    if (sqlite3_open(path, &db) == SQLITE_OK)
        sqlite3_exec(db, "PRAGMA journal_mode = WAL; CREATE TABLE t (a); INSERT INTO t VALUES (1)",
                     NULL, NULL, NULL);
}

static void reading_a_wal_that_a_crash_left_finds_what_was_committed(void **state)
{
    struct bench *b = *state;
    struct connect_options options = test_options(b);
    const char *wal = fixture_text("%s-wal", b->path);
    in_dying_child(write_wal_and_die, b->path);
    assert_true(fs_exists(wal));
    options.is_read_only = true;
    b->connection = test_open_with(b, &options);
    must(b, test_execute(b, b->connection, "SELECT a FROM t"));
    b->driver->close(b->connection);
    b->connection = NULL;
    assert_true(fs_exists(wal)); /* left as it was found */
    assert_string_equal(test_ask(b, "SELECT a FROM t"), "1");
}

static void spill_and_die(const char *path)
{
    sqlite3 *db;
    if (sqlite3_open(path, &db) == SQLITE_OK)
        sqlite3_exec(db,
                     "CREATE TABLE t (a); INSERT INTO t VALUES (1);"
                     "PRAGMA cache_size = 10; BEGIN; UPDATE t SET a = 2;"
                     "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 2000)"
                     "INSERT INTO t SELECT randomblob(500) FROM n",
                     NULL, NULL, NULL);
}

static void reading_rolls_back_a_hot_journal(void **state)
{
    struct bench *b = *state;
    struct connect_options options = test_options(b);
    struct str *texts;
    size_t count;
    in_dying_child(spill_and_die, b->path);
    assert_true(fs_exists(fixture_text("%s-journal", b->path)));
    options.is_read_only = true;
    b->connection = test_open_with(b, &options);
    must(b, b->driver->read_schema(b->arena, b->connection, &texts, &count, &b->fail));
    assert_int_equal(count, 1);
    assert_string_equal(test_ask(b, "SELECT group_concat(a) FROM t"), "1");
}

static void what_is_no_database_is_said(void **state)
{
    struct bench *b = *state;
    struct connect_options options = test_options(b);
    const char *directory = fixture_directory();
    fixture_write(directory, "notes.txt",
                  "0123456789 0123456789 0123456789 0123456789 0123456789\n");
    options.url = str_of(fixture_path(directory, "notes.txt"));
    for (int i = 0; i < 2; i++) {
        options.is_read_only = i;
        assert_null(b->driver->open(b->arena, &options, &b->fail));
        assert_contains(b->fail.message, "file is not a database");
        assert_contains(b->fail.detail, "SQLITE_NOTADB");
        assert_non_null(b->fail.hint);
        fail_clear(&b->fail);
    }
    options.url = str_of(directory);
    assert_null(b->driver->open(b->arena, &options, &b->fail));
    assert_int_equal(b->fail.code, EXIT_USAGE);
    assert_contains(b->fail.message, "is a directory");
    fail_clear(&b->fail);
    options.url = str_of(fixture_path(directory, "missing/x.db"));
    options.is_read_only = false;
    assert_null(b->driver->open(b->arena, &options, &b->fail));
    assert_contains(b->fail.message, "unable to open");
    assert_non_null(b->fail.hint);
}

/* Root may write everywhere, so this happens as the user that servers run as. */
static void a_directory_that_refuses_files_is_said(void **state)
{
    struct bench *b = *state;
    const char *directory = fixture_directory();
    const char *path = fixture_path(directory, "there.db");
    sqlite3 *db;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "CREATE TABLE t (a)", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
    assert_int_equal(chmod(path, 0666), 0);
    assert_int_equal(chmod(directory, 0555), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        fixture_become_server_user();
        struct connect_options options = test_options(b);
        options.url = str_of(path);
        struct connection *c = b->driver->open(b->arena, &options, &b->fail);
        bool is_refused = c && !b->driver->prepare_history(c, &b->fail);
        bool is_clear = is_refused && b->fail.hint && strstr(b->fail.hint, "journal beside");
        options.url = str_of(fixture_path(directory, "new.db"));
        fail_clear(&b->fail);
        bool is_not_made = !b->driver->open(b->arena, &options, &b->fail) && b->fail.hint;
        options.url = str_of(path);
        options.is_read_only = true;
        fail_clear(&b->fail);
        bool is_read = b->driver->open(b->arena, &options, &b->fail) != NULL;
        _exit(!is_refused ? 1 : !is_clear ? 2 : !is_not_made ? 3 : !is_read ? 4 : 0);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(chmod(directory, 0755), 0);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void a_wal_database_in_a_closed_directory_is_explained(void **state)
{
    struct bench *b = *state;
    const char *directory = fixture_directory();
    const char *path = fixture_path(directory, "there.db");
    sqlite3 *db;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(
        sqlite3_exec(db, "PRAGMA journal_mode = WAL; CREATE TABLE t (a)", NULL, NULL, NULL),
        SQLITE_OK);
    sqlite3_close(db);
    assert_int_equal(chmod(directory, 0555), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        fixture_become_server_user();
        struct connect_options options = test_options(b);
        options.url = str_of(path);
        options.is_read_only = true;
        bool is_open = b->driver->open(b->arena, &options, &b->fail) != NULL;
        bool is_clear = b->fail.detail && strstr(b->fail.detail, "WAL mode") && b->fail.hint;
        _exit(is_open ? 1 : !is_clear ? 2 : 0);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(chmod(directory, 0755), 0);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void a_file_that_may_not_be_written_is_refused_at_once(void **state)
{
    struct bench *b = *state;
    const char *directory = fixture_directory();
    const char *path = fixture_path(directory, "there.db");
    sqlite3 *db;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "CREATE TABLE t (a)", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
    assert_int_equal(chmod(path, 0444), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        fixture_become_server_user();
        struct connect_options options = test_options(b);
        options.url = str_of(path);
        bool is_open = b->driver->open(b->arena, &options, &b->fail) != NULL;
        _exit(is_open ? 1 : !strstr(b->fail.message, "cannot write to database") ? 2 : 0);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void names_that_look_like_uris_are_paths(void **state)
{
    struct bench *b = *state;
    const char *directory = fixture_directory();
    assert_int_equal(chdir(directory), 0);
    struct connect_options options = test_options(b);
    options.url = STR("sqlite:./file:odd.db");
    b->connection = test_open_with(b, &options);
    assert_int_equal(chdir("/"), 0);
    assert_true(fs_exists(fixture_path(directory, "file:odd.db")));
}

static void foreign_keys_follow_the_url(void **state)
{
    struct bench *b = *state;
    static const struct {
        const char *query;
        bool is_on;
    } cases[] = {
        {"", false},
        {"?foreign_keys=on", true},
        {"?foreign_keys=off", false},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct connect_options options = test_options(b);
        options.url = str_of(fixture_text("sqlite:%s%s", b->path, cases[i].query));
        struct connection *c = test_open_with(b, &options);
        must(b, test_execute(b, c, "CREATE TABLE IF NOT EXISTS p (a INTEGER PRIMARY KEY)"));
        must(b, test_execute(b, c, "CREATE TABLE IF NOT EXISTS c (a REFERENCES p)"));
        assert_int_equal(test_execute(b, c, "INSERT INTO c VALUES (7)"), !cases[i].is_on);
        fail_clear(&b->fail);
        b->driver->close(c);
    }
}

static void legacy_texts_still_work(void **state)
{
    struct bench *b = *state;
    struct connection *c = test_open(b);
    /* Double quotes around a text, as old schemas have them. */
    must(b, test_execute(b, c, "CREATE TABLE t (a TEXT DEFAULT \"none\", CHECK (a <> \"bad\"))"));
    must(b, test_execute(b, c, "PRAGMA writable_schema = ON"));
    must(b, test_execute(b, c, "UPDATE sqlite_schema SET sql = sql WHERE name = 't'"));
}

static void a_new_session_forgets_what_migrations_set(void **state)
{
    struct bench *b = *state;
    struct connection *c = test_open(b);
    must(b, test_execute(b, c, "PRAGMA foreign_keys = ON"));
    must(b, b->driver->reset_session(c, &b->fail));
    must(b, test_execute(b, c, "CREATE TABLE p (a INTEGER PRIMARY KEY)"));
    must(b, test_execute(b, c, "CREATE TABLE c (a REFERENCES p)"));
    must(b, test_execute(b, c, "INSERT INTO c VALUES (7)"));
    must(b, test_execute(b, c, "CREATE TEMP TABLE p2 (a)"));
    must(b, test_execute(b, c, "PRAGMA case_sensitive_like = ON"));
    must(b, test_execute(b, c, "ATTACH ':memory:' AS side"));
    must(b, test_execute(b, c, "CREATE TABLE side.x (a)"));
    must(b, b->driver->reset_session(c, &b->fail));
    assert_false(test_execute(b, c, "SELECT * FROM temp.p2"));
    fail_clear(&b->fail);
    assert_false(test_execute(b, c, "SELECT * FROM side.x"));
    fail_clear(&b->fail);
    must(b, test_execute(b, c, "CREATE TABLE e (a CHECK ('A' LIKE 'a'))"));
    must(b, test_execute(b, c, "INSERT INTO e VALUES (1)"));
    must(b, test_unit(b, c, false, STATEMENTS("CREATE TABLE after_reset (a)")));
}

static void identity_names_no_secret_and_versions_are_known(void **state)
{
    struct bench *b = *state;
    struct connection *c = test_open(b);
    struct server_identity who;
    must(b, b->driver->identity(b->arena, c, &who, &b->fail));
    assert_string_equal(who.database, b->path);
    assert_contains(who.safe_url, b->path);
    assert_true(strlen(who.role) > 0);
    assert_int_equal(who.version_number, sqlite3_libversion_number());
    assert_string_equal(b->driver->library_version(false), SQLITE_VERSION);
    assert_string_equal(b->driver->library_version(true), sqlite3_libversion());
}

static void the_schema_can_be_replayed_in_the_order_given(void **state)
{
    struct bench *b = *state;
    test_run(b, "CREATE TABLE a (id INTEGER PRIMARY KEY AUTOINCREMENT, x UNIQUE);"
                "CREATE INDEX i ON a (x); CREATE VIEW v AS SELECT * FROM a;"
                "CREATE TRIGGER t AFTER INSERT ON a BEGIN SELECT 1; END;"
                "CREATE VIRTUAL TABLE f USING fts5 (body); ANALYZE;"
                "CREATE TABLE b_new (id INTEGER PRIMARY KEY); CREATE TABLE b (id);"
                "DROP TABLE b; ALTER TABLE b_new RENAME TO b; CREATE INDEX i2 ON b (id)");
    struct connection *c = test_open(b);
    struct str *texts;
    size_t count;
    must(b, b->driver->read_schema(b->arena, c, &texts, &count, &b->fail));
    sqlite3 *copy;
    assert_int_equal(sqlite3_open(":memory:", &copy), SQLITE_OK);
    for (size_t i = 0; i < count; i++) {
        if (sqlite3_exec(copy, arena_cstr(b->arena, texts[i]), NULL, NULL, NULL) != SQLITE_OK)
            fail_msg("%.*s: %s", STR_ARG(texts[i]), sqlite3_errmsg(copy));
        assert_int_equal(str_find(texts[i], STR("migrator_")), SIZE_MAX);
    }
    sqlite3_stmt *s;
    assert_int_equal(sqlite3_prepare_v2(copy,
                                        "SELECT group_concat(name, ' ') FROM sqlite_schema "
                                        "WHERE name NOT LIKE 'sqlite%' AND name NOT LIKE 'f_%'",
                                        -1, &s, NULL),
                     SQLITE_OK);
    assert_int_equal(sqlite3_step(s), SQLITE_ROW);
    assert_string_equal((const char *)sqlite3_column_text(s, 0), "a i v t f b i2");
    sqlite3_finalize(s);
    sqlite3_close(copy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(writing_makes_the_file_unless_it_must_exist),
        TEST(reading_a_file_that_is_not_there_makes_nothing),
        TEST(reading_writes_nothing_at_all),
        TEST(reading_a_wal_database_leaves_no_files_behind),
        TEST(reading_a_wal_that_a_crash_left_finds_what_was_committed),
        TEST(reading_rolls_back_a_hot_journal),
        TEST(what_is_no_database_is_said),
        TEST(a_directory_that_refuses_files_is_said),
        TEST(a_wal_database_in_a_closed_directory_is_explained),
        TEST(a_file_that_may_not_be_written_is_refused_at_once),
        TEST(names_that_look_like_uris_are_paths),
        TEST(foreign_keys_follow_the_url),
        TEST(legacy_texts_still_work),
        TEST(a_new_session_forgets_what_migrations_set),
        TEST(identity_names_no_secret_and_versions_are_known),
        TEST(the_schema_can_be_replayed_in_the_order_given),
    };
    return cmocka_run_group_tests_name("sqlite connections", tests, NULL, NULL);
}
