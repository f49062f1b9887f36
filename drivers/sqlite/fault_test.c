/*
 * Every write, sync and removal of a file in turn fails once. Whatever then happens: a unit is
 * committed exactly when its entries are, the driver's answer is the truth, and the next unit works.
 */
#include "drivers/sqlite/testing.h"

#include <sys/stat.h>
#include <unistd.h>

/* A VFS over the default one that fails the n-th operation, and notes how journals are opened. */
static struct {
    sqlite3_vfs vfs;
    sqlite3_vfs *base;
    const sqlite3_io_methods *methods;
    sqlite3_io_methods faulty;
    bool opens_fail;
    bool syncs_fail;
    int fails_at; /* counts down to the operation that fails; < 0: none does */
    bool has_failed;
    int journals_made; /* opened with SQLITE_OPEN_CREATE */
    int journals_opened;
} shim;

static bool must_fail(void)
{
    if (shim.fails_at < 0 || shim.fails_at-- > 0)
        return false;
    shim.has_failed = true;
    return true;
}

static int faulty_sync(sqlite3_file *file, int flags)
{
    return shim.syncs_fail || must_fail() ? SQLITE_IOERR_FSYNC : shim.methods->xSync(file, flags);
}

static int faulty_write(sqlite3_file *file, const void *at, int len, sqlite3_int64 offset)
{
    return must_fail() ? SQLITE_IOERR_WRITE : shim.methods->xWrite(file, at, len, offset);
}

static int faulty_delete(sqlite3_vfs *vfs, const char *path, int sync_directory)
{
    (void)vfs;
    return must_fail() ? SQLITE_IOERR_DELETE : shim.base->xDelete(shim.base, path, sync_directory);
}

static int shim_open(sqlite3_vfs *vfs, const char *path, sqlite3_file *file, int flags,
                     int *out_flags)
{
    (void)vfs;
    if (shim.opens_fail && flags & SQLITE_OPEN_MAIN_DB)
        return SQLITE_CANTOPEN;
    int code = shim.base->xOpen(shim.base, path, file, flags, out_flags);
    if (flags & SQLITE_OPEN_MAIN_JOURNAL) {
        shim.journals_opened++;
        shim.journals_made += (flags & SQLITE_OPEN_CREATE) != 0;
    }
    if (code == SQLITE_OK && (flags & (SQLITE_OPEN_MAIN_JOURNAL | SQLITE_OPEN_MAIN_DB))) {
        /* Both kinds have the same functions for these two operations. */
        static sqlite3_io_methods of_journal;
        sqlite3_io_methods *methods = flags & SQLITE_OPEN_MAIN_DB ? &shim.faulty : &of_journal;
        shim.methods = file->pMethods;
        *methods = *file->pMethods;
        methods->xSync = faulty_sync;
        methods->xWrite = faulty_write;
        file->pMethods = methods;
    }
    return code;
}

static int install_shim(void **state)
{
    (void)state;
    shim.base = sqlite3_vfs_find(NULL);
    shim.vfs = *shim.base;
    shim.vfs.pNext = NULL;
    shim.vfs.zName = "faulty";
    shim.vfs.xOpen = shim_open;
    shim.vfs.xDelete = faulty_delete;
    shim.fails_at = -1;
    return sqlite3_vfs_register(&shim.vfs, 1);
}

static struct connection *open_for(struct bench *b, bool is_bulk)
{
    struct connect_options options = test_options(b);
    options.is_bulk = is_bulk;
    b->connection = test_open_with(b, &options);
    must(b, b->driver->prepare_history(b->connection, &b->fail));
    must(b, test_execute(b, b->connection, "CREATE TABLE t (a)"));
    return b->connection;
}

static void check_one_fault(struct bench *b, struct connection *c, int n)
{
    const char *insert = fixture_text("INSERT INTO t VALUES (%d)", n);
    shim.has_failed = false;
    shim.fails_at = n;
    bool is_done = test_unit(b, c, false, STATEMENTS(insert));
    shim.fails_at = -1;
    assert_true(is_done || b->fail.hint);
    fail_clear(&b->fail);
    const char *rows = test_ask(b, fixture_text("SELECT count(*) FROM t WHERE a = %d", n));
    const char *events = test_ask(b, "SELECT coalesce(max(id), 0) FROM migrator_event");
    if (strcmp(rows, is_done ? "1" : "0") != 0)
        fail_msg("operation %d: answer %d, but %s rows", n, is_done, rows);
    assert_string_equal(events, fixture_text("%lld", (long long)b->next_id - 1));
    must(b, test_unit(b, c, false, STATEMENTS("CREATE TABLE IF NOT EXISTS next (a)")));
}

static int check_all_faults(struct bench *b, bool is_bulk)
{
    struct connection *c = open_for(b, is_bulk);
    int n = 0;
    for (;; n++) {
        check_one_fault(b, c, n);
        if (!shim.has_failed)
            break;
        assert_true(n < 200);
    }
    assert_string_equal(test_ask(b, "PRAGMA integrity_check"), "ok");
    return n;
}

static void faults_in_a_unit_are_told_truly(void **state)
{
    assert_in_range(check_all_faults(*state, false), 12, 199);
}

static void faults_in_a_run_of_many_units_are_told_truly(void **state)
{
    assert_in_range(check_all_faults(*state, true), 12, 199);
}

/* Only when the name of the journal is known to be on disk may SQLite be spared syncing it. */
static void the_directory_is_synced_for_every_new_journal(void **state)
{
    struct bench *b = *state;
    struct connection *c = open_for(b, true);
    const char *journal = fixture_text("%s-journal", b->path);
    must(b, test_unit(b, c, false, STATEMENTS("INSERT INTO t VALUES (1)")));
    int made = shim.journals_made;
    int opened = shim.journals_opened;
    for (int i = 0; i < 5; i++)
        must(b, test_unit(b, c, false, STATEMENTS("INSERT INTO t VALUES (1)")));
    assert_int_equal(shim.journals_made, made);
    assert_true(shim.journals_opened >= opened + 5);
    assert_int_equal(unlink(journal), 0);
    must(b, test_unit(b, c, false, STATEMENTS("INSERT INTO t VALUES (1)")));
    assert_int_equal(shim.journals_made, made + 1);
    /* Another file in its place, held open meanwhile by nobody. */
    const char *other = fixture_text("%s-other", b->path);
    FILE *file = fopen(other, "w");
    assert_non_null(file);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(rename(other, journal), 0);
    must(b, test_unit(b, c, false, STATEMENTS("INSERT INTO t VALUES (1)")));
    assert_int_equal(shim.journals_made, made + 2);
    assert_string_equal(test_ask(b, "SELECT count(*) FROM t"), "8");
}

/* COMMIT fails, and then the file cannot be opened for a while. */
static void what_cannot_be_found_out_is_said(void **state)
{
    struct bench *b = *state;
    struct connection *c = open_for(b, true);
    struct event e = test_event(b, EVENT_APPLIED);
    struct history_row row = test_row(b, "1");
    struct journal_entries entries = {.insert_row = &row, .events = &e, .event_count = 1};
    must(b, test_begin(b, c));
    must(b, test_execute(b, c, "INSERT INTO t VALUES (1)"));
    shim.syncs_fail = true;
    shim.opens_fail = true;
    assert_false(b->driver->commit(c, &entries, NULL, &b->fail));
    shim.syncs_fail = false;
    assert_int_equal(b->fail.kind, FAIL_COMMIT_UNKNOWN);
    assert_int_equal(b->fail.code, EXIT_INCOMPLETE);
    assert_non_null(b->fail.hint);
    fail_clear(&b->fail);
    assert_false(b->driver->rollback(c, &b->fail));
    fail_clear(&b->fail);
    assert_false(b->driver->append(c, &entries, true, &b->fail));
    fail_clear(&b->fail);
    b->driver->announce(c, "nothing");
    b->driver->unlock(c);
    shim.opens_fail = false;
    must(b, b->driver->rollback(c, &b->fail));
    must(b, test_unit(b, c, false, STATEMENTS("INSERT INTO t VALUES (2)")));
    assert_string_equal(test_ask(b, "SELECT group_concat(a) FROM t"), "2");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(faults_in_a_unit_are_told_truly),
        TEST(faults_in_a_run_of_many_units_are_told_truly),
        TEST(what_cannot_be_found_out_is_said),
        TEST(the_directory_is_synced_for_every_new_journal),
    };
    return cmocka_run_group_tests_name("sqlite faults", tests, install_shim, NULL);
}
